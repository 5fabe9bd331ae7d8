/* layout.c - see layout.h. */
#include "terminal/layout.h"

enum {
    LEAST_FOR_HELP = 12, /* rows of the screen */
    LEAST_FOR_VIEW = 9,
    LEAST_FOR_STATUS = 5,
    LARGE_CONSOLE = 4 /* rows left to it beside a large view */
};

struct rhm_layout rhm_layout_make(int rows, int columns, enum rhm_panel_size size)
{
    struct rhm_layout layout = {.rows = rows, .columns = columns};
    int left = rows;
    if (rows >= LEAST_FOR_HELP) {
        layout.help_rows = 1;
        layout.help = rows - 1;
        left--;
    }
    if (rows >= LEAST_FOR_STATUS) {
        layout.status_rows = 1;
        left--;
    }
    if (rows >= LEAST_FOR_VIEW && size != RHM_PANEL_HIDDEN) {
        layout.title = 1;
        left--;
        layout.view_rows = size == RHM_PANEL_LARGE ? left - LARGE_CONSOLE : (left + 1) * 53 / 100;
    }
    layout.view = layout.title;
    layout.status = layout.view + layout.view_rows;
    layout.console = layout.status + layout.status_rows;
    layout.console_rows = left - layout.view_rows;
    return layout;
}
