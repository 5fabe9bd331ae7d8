/* console.c - see console.h. The prompt follows the output, as on a terminal, until both reach the bottom. */
#include "terminal/console.h"

#include "terminal/capture.h"
#include "terminal/display.h"
#include "terminal/prompt.h"

/* The window at this moment: rows of output and of the prompt. */
struct window {
    size_t rows, top;          /* of the output: all there are, the first one shown */
    int output, prompt, first; /* rows for each; the prompt's first row shown */
    struct rhm_prompt_size size;
};

/* Under the lock. */
static struct window measure(struct rhm_console *c, const struct rhm_layout *layout)
{
    struct window w = {.size = rhm_prompt_measure(layout->columns)};
    int most = layout->console_rows > 2 ? (layout->console_rows + 1) / 2 : layout->console_rows;
    w.prompt = w.size.rows < most ? w.size.rows : most;
    w.first = w.size.rows - w.prompt;
    if (w.size.cursor_row < w.first)
        w.first = w.size.cursor_row;
    w.output = layout->console_rows - w.prompt;
    w.rows = rhm_scrollback_rows(c->scrollback, layout->columns);
    size_t last = w.rows > (size_t)w.output ? w.rows - (size_t)w.output : 0;
    w.top = last;
    if (c->scrolled) {
        w.top = rhm_scrollback_row_of(c->scrollback, layout->columns, c->place);
        if (w.top >= last) {
            w.top = last;
            c->scrolled = false;
        }
    }
    return w;
}

struct pen {
    int row, column, columns;
    bool marked;
};

static void draw_run(void *context, const char *text, size_t bytes, int columns,
                     const struct rhm_cell_style *style)
{
    struct pen *pen = context;
    struct rhm_cell_style s = *style;
    if (pen->marked)
        s.reverse = !s.reverse;
    rhm_display_style(&s);
    rhm_display_text(pen->row, pen->column, text, bytes, pen->columns - pen->column);
    pen->column += columns;
}

void rhm_console_draw(struct rhm_console *c, const struct rhm_layout *layout, bool busy)
{
    if (layout->console_rows <= 0)
        return;
    rhm_capture_lock();
    struct window w = measure(c, layout);
    size_t shown = w.rows - w.top < (size_t)w.output ? w.rows - w.top : (size_t)w.output;
    for (size_t i = 0; i < shown; i++) {
        struct pen pen = {.row = layout->console + (int)i, .columns = layout->columns};
        pen.marked =
            c->found && rhm_scrollback_line_at(c->scrollback, layout->columns, w.top + i) == c->match;
        rhm_scrollback_row(c->scrollback, layout->columns, w.top + i, draw_run, &pen);
        rhm_display_blank(pen.row, pen.column);
    }
    rhm_capture_unlock();
    int prompt = layout->console + (int)shown;
    rhm_prompt_draw(prompt, w.first, w.prompt, layout->columns, busy);
    for (int row = prompt + w.prompt; row < layout->console + layout->console_rows; row++)
        rhm_display_blank(row, 0);
    c->cursor_row = prompt + w.size.cursor_row - w.first;
    c->cursor_column = w.size.cursor_column;
}

void rhm_console_scroll(struct rhm_console *c, const struct rhm_layout *layout, int halves)
{
    rhm_capture_lock();
    struct window w = measure(c, layout);
    size_t by = (size_t)(w.output > 2 ? w.output / 2 : 1) * (size_t)(halves < 0 ? -halves : halves);
    size_t row = halves > 0 ? w.top + by : w.top > by ? w.top - by : 0;
    if (row >= w.rows)
        row = w.rows > 0 ? w.rows - 1 : 0;
    uint64_t line = rhm_scrollback_line_at(c->scrollback, layout->columns, row);
    if (line == c->place && c->scrolled && halves > 0)
        line++; /* a line longer than the step */
    c->place = line;
    c->scrolled = w.rows > (size_t)w.output;
    measure(c, layout); /* at the end it follows again */
    rhm_capture_unlock();
}

void rhm_console_follow(struct rhm_console *c)
{
    c->scrolled = false;
    c->found = false;
}

bool rhm_console_find(struct rhm_console *c, const struct rhm_layout *layout, const char *pattern)
{
    rhm_capture_lock();
    size_t from = c->found ? rhm_scrollback_row_of(c->scrollback, layout->columns, c->match) : SIZE_MAX;
    size_t row = rhm_scrollback_find(c->scrollback, layout->columns, pattern, from, 1);
    bool found = row != SIZE_MAX;
    if (found) {
        struct window w = measure(c, layout);
        c->match = rhm_scrollback_line_at(c->scrollback, layout->columns, row);
        c->found = true;
        size_t above = (size_t)(w.output / 2);
        c->place = rhm_scrollback_line_at(c->scrollback, layout->columns, row > above ? row - above : 0);
        c->scrolled = true;
    }
    rhm_capture_unlock();
    return found;
}

size_t rhm_console_below(struct rhm_console *c, const struct rhm_layout *layout)
{
    rhm_capture_lock();
    struct window w = measure(c, layout);
    rhm_capture_unlock();
    size_t end = w.top + (size_t)w.output;
    return w.rows > end ? w.rows - end : 0;
}
