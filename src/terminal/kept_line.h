/* kept_line.h - a finished line of the output, one block of memory: its text and styles, its rows at a width,
 * a search in it. Characters are those of the locale (LC_CTYPE), columns wcwidth's. */
#ifndef RHM_KEPT_LINE_H
#define RHM_KEPT_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wchar.h>

#include "terminal/line.h"

/* Where a style ends, in bytes of the text. */
struct rhm_kept_run {
    uint32_t end, style;
};

/* A finished line. A plain one has no runs. */
struct rhm_kept {
    uint32_t bytes, columns, nruns;
    bool ascii;                 /* a byte a column */
    bool wide;                  /* some characters take two columns */
    struct rhm_kept_run runs[]; /* then the text */
};

/* The line as it stands, freed with free(); NULL if it is empty, or for want of memory. */
struct rhm_kept *rhm_kept_create(const struct rhm_line *line);

static inline const char *rhm_kept_text(const struct rhm_kept *line)
{
    return (const char *)(line->runs + line->nruns);
}

/* Rows of a line (NULL: 1) wrapped at a width; where the row that begins at offset ends; columns of a piece.
 */
size_t rhm_kept_rows(const struct rhm_kept *line, int width);
size_t rhm_kept_row_end(const struct rhm_kept *line, size_t offset, int width);
int rhm_kept_columns(const struct rhm_kept *line, size_t from, size_t to);

/* What is searched for. False: it is empty, or memory ran out; text is freed with free() in either case. */
struct rhm_pattern {
    wchar_t *text;
    size_t n;
    bool fold; /* upper and lower case are the same: it has no upper-case letter */
};
bool rhm_pattern_read(struct rhm_pattern *p, const char *text);

/* The last row of a line (NULL: none) before `before`, or the first one from `from` on, with a match;
 * SIZE_MAX: none. */
size_t rhm_kept_find(const struct rhm_kept *line, int width, const struct rhm_pattern *p, size_t from,
                     size_t before, bool last);

#endif
