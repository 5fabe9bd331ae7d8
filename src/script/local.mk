# The Lua API in C.
script_sources = \
	src/script/call.c \
	src/script/call.h \
	src/script/interrupt.c \
	src/script/interrupt.h \
	src/script/paths.c \
	src/script/paths.h \
	src/script/screen.c \
	src/script/screen.h \
	src/script/script.h
