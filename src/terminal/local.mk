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
	src/terminal/shell.c \
	src/terminal/shell.h
