/* screen.h - how wide what we print may be, in which colours and which characters. */
#ifndef RHM_SCREEN_H
#define RHM_SCREEN_H

#include <stdbool.h>

#include <lua.h>

struct rhm_screen {
    int width, height; /* columns and rows of the terminal on standard output, else $COLUMNS and $LINES, else
                          80 x 24 */
    int colours; /* 0, 8, 16 or 256; 0 where standard output is no terminal, for NO_COLOR and TERM=dumb */
    bool utf8;   /* the codeset of LC_CTYPE is UTF-8, and standard output no terminal of TERM=dumb */
};
struct rhm_screen rhm_screen_get(void);

int rhm_screen_width(void);

/* What rhm_screen_get says from now on: a panel shows the output in a window of its own. NULL: the terminal.
 * The struct is copied. */
void rhm_screen_set(const struct rhm_screen *screen);

/* Whether a panel shows the output, which takes \r and "erase the line" as a terminal does. */
bool rhm_screen_is_panel(void);

/* Whether a line of progress on standard error can be written over. */
bool rhm_screen_rewrites(void);

/* The colours of a terminal of that TERM and COLORTERM (may be NULL) by their names: 0, 8, 16 or 256. */
int rhm_screen_term_colours(const char *term, const char *colorterm);

/* Sets fields "width", "height", "colours" and "utf8" of the table on top of the stack: functions. */
void rhm_screen_open(lua_State *L);

#endif
