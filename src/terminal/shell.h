/* shell.h - the interactive shell: a loop over the terminal and the signals, with Readline. */
#ifndef RHM_SHELL_H
#define RHM_SHELL_H

#include <stdbool.h>

#include <lua.h>

struct rhm_shell_options {
    bool quiet; /* no banner */
    bool bare;  /* no init file */
    bool plain; /* no panel */
};

/* Reads, runs and prints until the user leaves. Returns the exit code. */
int rhm_shell_run(lua_State *L, const struct rhm_shell_options *options);

#endif
