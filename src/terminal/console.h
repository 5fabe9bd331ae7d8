/* console.h - the lower part of the screen: the output so far and, below it, the prompt. */
#ifndef RHM_CONSOLE_H
#define RHM_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "terminal/layout.h"
#include "terminal/scrollback.h"

struct rhm_console {
    struct rhm_scrollback *scrollback; /* read under rhm_capture_lock */
    bool scrolled;                     /* else it follows the output */
    uint64_t place;                    /* scrolled: the line at the top, as rhm_scrollback_line_at counts */
    bool found;                        /* the line `match` is shown marked */
    uint64_t match;
    int cursor_row, cursor_column; /* on the screen, after a draw */
};

/* Draws it into its rows. busy: a command is in work, the prompt is dim. */
void rhm_console_draw(struct rhm_console *console, const struct rhm_layout *layout, bool busy);

/* Scrolls by half screens, up where negative; at the end it follows again. */
void rhm_console_scroll(struct rhm_console *console, const struct rhm_layout *layout, int halves);
void rhm_console_follow(struct rhm_console *console);

/* Shows the nearest line with the pattern above the last one found; false: there is none. */
bool rhm_console_find(struct rhm_console *console, const struct rhm_layout *layout, const char *pattern);

/* Rows of output below the window's last one. */
size_t rhm_console_below(struct rhm_console *console, const struct rhm_layout *layout);

#endif
