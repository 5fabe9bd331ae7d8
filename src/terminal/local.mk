# The terminal: the shell (and later the panel).
terminal_sources = \
	src/terminal/completion.c \
	src/terminal/completion.h \
	src/terminal/evaluate.c \
	src/terminal/evaluate.h \
	src/terminal/guard.c \
	src/terminal/guard.h \
	src/terminal/history.c \
	src/terminal/history.h \
	src/terminal/line.c \
	src/terminal/line.h \
	src/terminal/scrollback.c \
	src/terminal/scrollback.h \
	src/terminal/sgr.c \
	src/terminal/sgr.h \
	src/terminal/shell.c \
	src/terminal/shell.h \
	src/terminal/stream.c \
	src/terminal/stream.h \
	src/terminal/style.h
