/* layout.h - which rows of the screen belong to what. */
#ifndef RHM_LAYOUT_H
#define RHM_LAYOUT_H

enum rhm_panel_size { RHM_PANEL_NORMAL, RHM_PANEL_LARGE, RHM_PANEL_HIDDEN, RHM_PANEL_SIZES };

/* From top to bottom: title, view, status, console, help. A part that has no room has 0 rows. */
struct rhm_layout {
    int rows, columns;
    int title; /* 0 or 1 row, at the top */
    int view, view_rows;
    int status, status_rows;
    int console, console_rows;
    int help, help_rows;
};

struct rhm_layout rhm_layout_make(int rows, int columns, enum rhm_panel_size size);

#endif
