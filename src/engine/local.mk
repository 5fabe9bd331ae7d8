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
	src/engine/cluster.c \
	src/engine/dataset.c \
	src/engine/dataset_csv.c \
	src/engine/dataset_hdf5.c \
	src/engine/dataset_io.h \
	src/engine/dataset_npy.c \
	src/engine/dataset_split.c \
	src/engine/error.c \
	src/engine/features.c \
	src/engine/hdf5_file.c \
	src/engine/hdf5_file.h \
	src/engine/linalg.c \
	src/engine/linkage.c \
	src/engine/matrix.c \
	src/engine/matrix_file.c \
	src/engine/memory.c \
	src/engine/npy.c \
	src/engine/npy.h \
	src/engine/output.c \
	src/engine/output.h \
	src/engine/points.c \
	src/engine/points.h \
	src/engine/random.c \
	src/engine/ridge.c \
	src/engine/trig.c
