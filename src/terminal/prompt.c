/* prompt.c - see prompt.h.
 *
 * rl_display_prompt is the prompt in effect (an incremental search has its own) with the bytes between \1 and
 * \2 invisible; rl_line_buffer is the line, rl_point the cursor, in bytes. Columns are counted in characters,
 * by wcwidth, never in bytes.
 */
#define _GNU_SOURCE /* wcwidth */
#include "terminal/prompt.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include <readline/readline.h>

#include "terminal/display.h"

/* One walk over prompt and line: measures, and draws where `rows` is not 0. */
struct walk {
    int width, row, column;
    int top, first, rows;
    struct rhm_prompt_size size;
};

static void new_row(struct walk *w)
{
    w->row++;
    w->column = 0;
}

static void put(struct walk *w, const char *text, size_t n, int columns)
{
    if (w->column + columns > w->width && w->column > 0)
        new_row(w);
    if (w->row >= w->first && w->row < w->first + w->rows)
        rhm_display_text(w->top + w->row - w->first, w->column, text, n, columns);
    w->column += columns;
}

/* The character at `text`: bytes, how it is shown, columns. */
struct shown {
    size_t bytes, n;
    int columns;
    const char *text;
    char made[8];
};

static void show(const char *text, size_t n, struct shown *s)
{
    mbstate_t state;
    memset(&state, 0, sizeof state);
    wchar_t c;
    unsigned char byte = (unsigned char)*text;
    size_t k = mbrtowc(&c, text, n, &state);
    s->text = s->made;
    if (k == (size_t)-1 || k == (size_t)-2) {
        s->bytes = 1;
        s->n = (size_t)snprintf(s->made, sizeof s->made, "\\x%02x", byte);
        s->columns = (int)s->n;
    } else if (k == 0 || byte < 32 || byte == 127) {
        s->bytes = 1;
        s->n = (size_t)snprintf(s->made, sizeof s->made, "^%c", byte ^ 64);
        s->columns = 2;
    } else if (wcwidth(c) < 0) {
        s->bytes = k;
        s->n = 1;
        s->made[0] = '?';
        s->columns = 1;
    } else {
        s->bytes = s->n = k;
        s->text = text;
        s->columns = wcwidth(c);
        while (s->n < n) { /* with the accents on it */
            k = mbrtowc(&c, text + s->n, n - s->n, &state);
            if (k == 0 || k == (size_t)-1 || k == (size_t)-2 || wcwidth(c) != 0)
                break;
            s->bytes = s->n += k;
        }
    }
}

static void walk_text(struct walk *w, const char *text, size_t n, size_t cursor)
{
    bool invisible = false, placed = cursor == (size_t)-1;
    for (size_t i = 0; i < n;) {
        bool here = !placed && i >= cursor; /* behind it where it stands between a letter and its accent */
        if (here) {
            w->size.cursor_row = w->row;
            w->size.cursor_column = w->column;
            placed = true;
        }
        if (cursor == (size_t)-1 && (text[i] == RL_PROMPT_START_IGNORE || text[i] == RL_PROMPT_END_IGNORE)) {
            invisible = text[i++] == RL_PROMPT_START_IGNORE;
            continue;
        }
        if (invisible) {
            i++;
            continue;
        }
        if (text[i] == '\n') {
            new_row(w);
            i++;
            continue;
        }
        if (text[i] == '\t' && cursor != (size_t)-1) {
            int blanks = 8 - w->column % 8;
            put(w, "        ", (size_t)blanks, blanks);
            i++;
            continue;
        }
        struct shown s;
        show(text + i, n - i, &s);
        if (here && w->column + s.columns > w->width && w->column > 0) {
            w->size.cursor_row = w->row + 1; /* the character goes to the next row, and the cursor with it */
            w->size.cursor_column = 0;
        }
        put(w, s.text, s.n, s.columns);
        i += s.bytes;
    }
    if (!placed) {
        if (w->column >= w->width)
            new_row(w);
        w->size.cursor_row = w->row;
        w->size.cursor_column = w->column;
    }
}

static void walk(struct walk *w)
{
    const char *prompt = rl_display_prompt ? rl_display_prompt : "";
    walk_text(w, prompt, strlen(prompt), (size_t)-1);
    size_t n = rl_line_buffer && rl_end > 0 ? (size_t)rl_end : 0;
    walk_text(w, rl_line_buffer ? rl_line_buffer : "", n, rl_point > 0 ? (size_t)rl_point : 0);
    w->size.rows = w->row + 1;
}

struct rhm_prompt_size rhm_prompt_measure(int width)
{
    struct walk w = {.width = width > 0 ? width : 1};
    walk(&w);
    return w.size;
}

void rhm_prompt_draw(int top, int first, int rows, int width, bool dim)
{
    const struct rhm_cell_style style = {.fg = -1, .bg = -1, .dim = dim};
    for (int i = 0; i < rows; i++)
        rhm_display_blank(top + i, 0);
    rhm_display_style(&style);
    struct walk w = {.width = width > 0 ? width : 1, .top = top, .first = first, .rows = rows};
    walk(&w);
}
