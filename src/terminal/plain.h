/* plain.h - the shell without a panel: Readline has the terminal. */
#ifndef RHM_PLAIN_H
#define RHM_PLAIN_H

#include <lua.h>

/* Reads and runs lines until Ctrl-D or exit (returns 0), or a signal that ends the session (returns it).
 * signals: the guard's pipe. */
int rhm_plain_run(lua_State *L, int signals);

#endif
