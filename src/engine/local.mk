# The engine: librhm. Knows no Lua and no terminal.
# Installed as <rhm/*.h>; headers of the engine's own stand among the sources.
engine_headers = \
	src/engine/cluster.h \
	src/engine/codebook.h \
	src/engine/dataset.h \
	src/engine/diagnose.h \
	src/engine/error.h \
	src/engine/features.h \
	src/engine/grammar.h \
	src/engine/job.h \
	src/engine/layer.h \
	src/engine/matrix.h \
	src/engine/memory.h \
	src/engine/monitor.h \
	src/engine/network.h \
	src/engine/poll.h \
	src/engine/random.h \
	src/engine/rhm.h \
	src/engine/ridge.h \
	src/engine/rng.h \
	src/engine/sample.h \
	src/engine/signal.h \
	src/engine/tally.h \
	src/engine/threads.h \
	src/engine/tuples.h

engine_sources = \
	src/engine/cluster.c \
	src/engine/codebook.c \
	src/engine/dataset.c \
	src/engine/dataset_csv.c \
	src/engine/dataset_hdf5.c \
	src/engine/dataset_io.h \
	src/engine/dataset_npy.c \
	src/engine/dataset_split.c \
	src/engine/error.c \
	src/engine/features.c \
	src/engine/grammar.c \
	src/engine/hdf5_file.c \
	src/engine/hdf5_file.h \
	src/engine/lapack.h \
	src/engine/linalg.c \
	src/engine/linalg.h \
	src/engine/linkage.c \
	src/engine/matrix.c \
	src/engine/matrix_file.c \
	src/engine/memory.c \
	src/engine/monitor.c \
	src/engine/npy.c \
	src/engine/npy.h \
	src/engine/output.c \
	src/engine/output.h \
	src/engine/points.c \
	src/engine/points.h \
	src/engine/random.c \
	src/engine/ridge.c \
	src/engine/sample.c \
	src/engine/signal.c \
	src/engine/tally.c \
	src/engine/threads.c \
	src/engine/trig.c \
	src/engine/trig.h \
	src/engine/tuples.c
