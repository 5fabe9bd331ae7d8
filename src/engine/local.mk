# The engine: librhm. Knows no Lua and no terminal.
engine_headers = \
	src/engine/cluster.h \
	src/engine/dataset.h \
	src/engine/error.h \
	src/engine/features.h \
	src/engine/matrix.h \
	src/engine/memory.h \
	src/engine/random.h \
	src/engine/ridge.h \
	src/engine/rng.h

engine_sources = \
	src/engine/error.c \
	src/engine/memory.c
