/* panel.h - one screen: the views above, the output below them, Readline's prompt at the bottom. */
#ifndef RHM_PANEL_H
#define RHM_PANEL_H

#include <stdbool.h>

#include <lua.h>

/* Takes the terminal over, where standard input and output are one that can move its cursor (else false and
 * nothing changed); from now on all output goes to the scrollback. signals: the guard's pipe. */
bool rhm_panel_open(lua_State *L, int signals);

/* User code runs: its waits and the interpreter's ticks keep the screen alive. */
void rhm_panel_busy(bool busy);

/* Reads and runs lines until Ctrl-D or exit (returns 0), or a signal that ends the session (returns it). */
int rhm_panel_run(void);

void rhm_panel_close(void);

#endif
