/* line.h - the last line of a terminal, cell by cell, as it is written and rewritten. */
#ifndef RHM_LINE_H
#define RHM_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A column. Its text is pool[at .. at + bytes): a character and the zero-width ones that follow it. The
 * second column of a wide character has no text and width 0. */
struct rhm_line_cell {
    uint32_t at;
    uint32_t style : 24; /* the caller's number */
    uint32_t bytes : 6;
    uint32_t width : 2;
};

struct rhm_line {
    struct rhm_line_cell *cells;
    size_t n, capacity, cursor; /* columns; the cursor may stand after the last */
    char *pool;
    size_t pool_used, pool_capacity;
    size_t live; /* bytes of the pool that cells use */
};

void rhm_line_free(struct rhm_line *line);

/* Empties the line; a large one gives its memory back. */
void rhm_line_clear(struct rhm_line *line);

/* Writes a character of width 1 or 2 at the cursor and moves it; width 0 joins the character before, if there
 * is one. False: no memory, and nothing is written. */
bool rhm_line_put(struct rhm_line *line, const char *text, size_t bytes, int width, uint32_t style);

/* The same for n characters of one byte and one column each. */
bool rhm_line_put_ascii(struct rhm_line *line, const char *text, size_t n, uint32_t style);

void rhm_line_tab(struct rhm_line *line);

/* From the cursor to the end; from the start to the cursor; all. The cursor stays. */
void rhm_line_erase_right(struct rhm_line *line);
void rhm_line_erase_left(struct rhm_line *line);
void rhm_line_erase(struct rhm_line *line);

#endif
