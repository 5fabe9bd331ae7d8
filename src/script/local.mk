# The Lua API in C.
script_sources = \
	src/script/args.c \
	src/script/args.h \
	src/script/call.c \
	src/script/call.h \
	src/script/dataset.c \
	src/script/grammar.c \
	src/script/hooks.c \
	src/script/hooks.h \
	src/script/idle.c \
	src/script/idle.h \
	src/script/interrupt.c \
	src/script/interrupt.h \
	src/script/job.c \
	src/script/job.h \
	src/script/jobs.c \
	src/script/jobs.h \
	src/script/latest.c \
	src/script/latest.h \
	src/script/layer.c \
	src/script/matrix.c \
	src/script/network.c \
	src/script/object.c \
	src/script/object.h \
	src/script/objects.h \
	src/script/parse.c \
	src/script/paths.c \
	src/script/paths.h \
	src/script/progress.c \
	src/script/rhm.c \
	src/script/rules.c \
	src/script/screen.c \
	src/script/screen.h \
	src/script/script.h \
	src/script/train.c \
	src/script/work.c \
	src/script/work.h
