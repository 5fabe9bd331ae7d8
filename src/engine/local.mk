# The engine: librhm. Knows no Lua and no terminal.
engine_headers = \
	src/engine/cluster.h \
	src/engine/dataset.h \
	src/engine/error.h \
	src/engine/features.h \
	src/engine/lapack.h \
	src/engine/linalg.h \
	src/engine/matrix.h \
	src/engine/memory.h \
	src/engine/poll.h \
	src/engine/random.h \
	src/engine/ridge.h \
	src/engine/rng.h \
	src/engine/trig.h

engine_sources = \
	src/engine/error.c \
	src/engine/features.c \
	src/engine/linalg.c \
	src/engine/memory.c \
	src/engine/ridge.c \
	src/engine/trig.c
