/* panel_frame.c - the frames of the panel: where things stand, what is drawn and when. */
#include <stdio.h>
#include <string.h>

#include "engine/base/monitor.h"
#include "script/screen.h"
#include "terminal/capture.h"
#include "terminal/display.h"
#include "terminal/panel_state.h"

#define SHARE 60 /* a frame of the views waits for this many times what the last one took */

void rhm_panel_relayout(void)
{
    int rows, columns;
    rhm_display_size(&rows, &columns);
    rhm_panel.layout = rhm_layout_make(rows, columns, rhm_panel.size);
    rhm_screen_set(
        &(struct rhm_screen){.width = columns < 10 ? 10 : columns,
                             .height = rhm_panel.layout.console_rows < 2 ? 2 : rhm_panel.layout.console_rows,
                             .colours = rhm_display_colours(),
                             .utf8 = rhm_panel.utf8});
    rhm_panel_mark_urgent(RHM_DIRTY_ALL);
}

static void draw_help(void)
{
    const struct rhm_layout *at = &rhm_panel.layout;
    static const struct rhm_cell_style dim = {.fg = -1, .bg = -1, .dim = 1};
    if (!at->help_rows)
        return;
    char text[256];
    unsigned waiting = 0; /* lines typed ahead of the command's end */
    for (const struct rhm_panel_line *line = rhm_panel.busy ? rhm_panel.queue : NULL; line; line = line->next)
        waiting += line->typed;
    size_t below = rhm_panel.console.scrolled ? rhm_console_below(&rhm_panel.console, at) : 0;
    if (rhm_panel.focused)
        snprintf(text, sizeof text,
                 "arrows  + - zoom  [ ] level  s step  S ten  r run  p pause  n next  q back");
    else if (below > 0)
        snprintf(text, sizeof text,
                 "%zu more rows below   PgDn PgUp scroll   C-x / find, again: Enter   ^C back", below);
    else if (waiting > 0)
        snprintf(text, sizeof text, "F1 keys  F9 pause  F10 into the view  PgUp output  ^C stop  %u line%s",
                 waiting, waiting == 1 ? " waits" : "s wait");
    else
        snprintf(text, sizeof text,
                 "F1 keys  F9 pause  F10 into the view  F12 size  PgUp output  ^C stop  ^D leave");
    rhm_display_style(&dim);
    int used = rhm_display_text(at->help, 0, text, strlen(text), at->columns);
    rhm_display_blank(at->help, used);
}

static void paint(void)
{
    double now = rhm_clock();
    int what = rhm_panel.dirty;
    if (what & RHM_DIRTY_VIEW) {
        rhm_panel_draw_view();
        double end = rhm_clock();
        rhm_panel.next_view =
            now + (SHARE * (end - now) > RHM_PANEL_FRAME ? SHARE * (end - now) : RHM_PANEL_FRAME);
        if (rhm_capture_drain()) /* an error, or what jobs and hooks said before */
            what |= RHM_DIRTY_CONSOLE;
    }
    if (what & (RHM_DIRTY_CONSOLE | RHM_DIRTY_HELP)) {
        rhm_console_draw(&rhm_panel.console, &rhm_panel.layout,
                         rhm_panel.busy && rhm_panel.question == RHM_QUESTION_NONE);
        draw_help();
        rhm_panel.next_console = now + RHM_PANEL_FRAME;
    }
    rhm_panel.dirty = 0;
    rhm_panel.urgent = false;
    if (rhm_panel.focused || rhm_panel.layout.console_rows <= 0)
        rhm_display_hide_cursor();
    else
        rhm_display_cursor(rhm_panel.console.cursor_row, rhm_panel.console.cursor_column);
    rhm_display_refresh();
}

double rhm_panel_paint(void)
{
    if (!rhm_panel.dirty)
        return -1;
    double now = rhm_clock(), due = now;
    if (!rhm_panel.urgent) {
        due = rhm_panel.dirty & RHM_DIRTY_VIEW ? rhm_panel.next_view : rhm_panel.next_console;
        if (rhm_panel.dirty & (RHM_DIRTY_CONSOLE | RHM_DIRTY_HELP) && rhm_panel.next_console < due)
            due = rhm_panel.next_console;
    }
    if (due > now)
        return due - now;
    int later = rhm_panel.dirty & RHM_DIRTY_VIEW && rhm_panel.next_view > now ? RHM_DIRTY_VIEW : 0;
    rhm_panel.dirty &= ~later;
    if (rhm_panel.dirty)
        paint();
    rhm_panel_mark(later);
    return later ? rhm_panel.next_view - now : -1;
}
