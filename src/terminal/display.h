/* display.h - the terminal as ncurses draws on it: opened, resized, left; styles as attributes and colour
 * pairs. */
#ifndef RHM_DISPLAY_H
#define RHM_DISPLAY_H

#include <stdbool.h>
#include <stddef.h>

#include "terminal/style.h"

/* Takes the terminal on standard input and output over; rhm_guard_install comes before. False where it cannot
 * move its cursor: then nothing was changed. */
bool rhm_display_open(void);

/* Gives it back as it was. May be called twice. */
void rhm_display_close(void);

/* Colours it has: 0 (NO_COLOR, too), 8, 16 or 256. */
int rhm_display_colours(void);

/* Tells the guard what standard output and error were before they were captured (-1: were not). */
void rhm_display_guard(int output, int error);

/* Takes over a new size. True where it changed. */
bool rhm_display_resize(void);

/* All of the screen is drawn anew at the next refresh: after a stop, or by Ctrl-L. */
void rhm_display_repaint(void);

/* Style of what is drawn next on stdscr. */
void rhm_display_style(const struct rhm_cell_style *style);

/* Draws n bytes of text from (row, column) on, at most `most` columns wide, in the locale's characters; what
 * cannot be shown is '?'. Returns the columns taken. */
int rhm_display_text(int row, int column, const char *text, size_t n, int most);

/* Blanks the row from a column on. */
void rhm_display_blank(int row, int column);

void rhm_display_size(int *height, int *width);
void rhm_display_cursor(int row, int column);
void rhm_display_hide_cursor(void);
void rhm_display_refresh(void);
void rhm_display_beep(void);

/* What key F1, F2, ... sends by the terminal's own description, or NULL. */
const char *rhm_display_function_key(int i);

#endif
