/* screen.h - how wide what we print may be. */
#ifndef RHM_SCREEN_H
#define RHM_SCREEN_H

#include <lua.h>

/* Columns of the terminal on standard output, else $COLUMNS, else 80. */
int rhm_screen_width(void);

/* Sets field "width" of the table on top of the stack to a function that returns rhm_screen_width(). */
void rhm_screen_open(lua_State *L);

#endif
