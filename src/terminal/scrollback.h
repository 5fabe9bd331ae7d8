/* scrollback.h - what the output window of the panel shows: lines of styled text, the oldest dropped above a
 * limit. Knows no terminal and no Lua; one thread. Characters are those of the locale (LC_CTYPE), columns
 * wcwidth's. */
#ifndef RHM_SCROLLBACK_H
#define RHM_SCROLLBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "terminal/style.h"

struct rhm_scrollback;

/* NULL: no memory. max_bytes counts finished lines with what it takes to keep them; the line being written
 * ends by itself at a quarter of that. */
struct rhm_scrollback *rhm_scrollback_create(size_t max_lines, size_t max_bytes);
void rhm_scrollback_free(struct rhm_scrollback *sb);

/* A stream in any pieces, as a terminal takes it: \n, \r (the line is rewritten from its start), \b, \t,
 * colours and attributes (ESC [ ... m), erasing in the line (ESC [ K). Other escape sequences are swallowed,
 * other control characters shown as ^X, bytes that are no printable character as \xNN. Where memory is short
 * text is lost. */
void rhm_scrollback_write(struct rhm_scrollback *sb, const char *bytes, size_t n);

/* Between two commands: an unfinished escape sequence or line ends, the style is plain again. */
void rhm_scrollback_settle(struct rhm_scrollback *sb);

/* An empty last line does not count in what follows. */
size_t rhm_scrollback_lines(const struct rhm_scrollback *sb);
uint64_t rhm_scrollback_version(const struct rhm_scrollback *sb); /* grows with every change */

/* The rows of all lines wrapped at this width. A wide character is never split, one without width stays with
 * its base; on a screen of one column a wide character is a "?". */
size_t rhm_scrollback_rows(struct rhm_scrollback *sb, int width);

/* Draws row 0 (the oldest) .. rows - 1: calls draw for each run of text in one style. The text is not
 * terminated. */
typedef void rhm_run_function(void *context, const char *text, size_t bytes, int columns,
                              const struct rhm_cell_style *style);
void rhm_scrollback_row(struct rhm_scrollback *sb, int width, size_t row, rhm_run_function *draw,
                        void *context);

/* The nearest row above `from` (SIZE_MAX: from the end), or below it (SIZE_MAX: from the first), in which the
 * pattern begins; SIZE_MAX: none. Upper and lower case are the same unless the pattern has an upper-case
 * letter. */
size_t rhm_scrollback_find(struct rhm_scrollback *sb, int width, const char *pattern, size_t from,
                           int upwards);

/* To hold a place while lines are dropped and the width changes: a row's line, numbered since the beginning,
 * and the first row of a line; the oldest where it was dropped, rows() where it is not written yet. */
uint64_t rhm_scrollback_line_at(struct rhm_scrollback *sb, int width, size_t row);
size_t rhm_scrollback_row_of(struct rhm_scrollback *sb, int width, uint64_t line);

/* Writes the text of all lines without styles; false: errno says why. */
bool rhm_scrollback_save(struct rhm_scrollback *sb, FILE *file);

#endif
