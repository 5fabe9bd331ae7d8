/* line.c - see line.h. */
#include "terminal/line.h"

#include <stdlib.h>
#include <string.h>

enum { SMALL = 1 << 14, MAX_CELL_BYTES = 63, TAB = 8 };

void rhm_line_free(struct rhm_line *line)
{
    free(line->cells);
    free(line->pool);
    *line = (struct rhm_line){0};
}

void rhm_line_clear(struct rhm_line *line)
{
    if (line->capacity > SMALL || line->pool_capacity > SMALL)
        rhm_line_free(line);
    line->n = line->cursor = line->pool_used = line->live = 0;
}

static bool reserve(void **block, size_t *capacity, size_t wanted, size_t size)
{
    if (wanted <= *capacity)
        return true;
    size_t n = *capacity ? *capacity : 128;
    while (n < wanted)
        n *= 2;
    void *grown = realloc(*block, n * size);
    if (!grown)
        return false;
    *block = grown;
    *capacity = n;
    return true;
}

static bool reserve_cells(struct rhm_line *line, size_t n)
{
    void *block = line->cells;
    bool ok = reserve(&block, &line->capacity, n, sizeof *line->cells);
    line->cells = block;
    return ok;
}

/* Moves the text in use to the front: a meter that rewrites its line all day must not grow. */
static void compact(struct rhm_line *line)
{
    char *pool = malloc(line->live + 1);
    if (!pool)
        return;
    size_t used = 0;
    for (size_t i = 0; i < line->n; i++) {
        struct rhm_line_cell *c = &line->cells[i];
        memcpy(pool + used, line->pool + c->at, c->bytes);
        c->at = (uint32_t)used;
        used += c->bytes;
    }
    memcpy(line->pool, pool, used);
    line->pool_used = used;
    free(pool);
}

static bool reserve_pool(struct rhm_line *line, size_t bytes)
{
    if (line->pool_used > 2 * line->live + 4096)
        compact(line);
    void *block = line->pool;
    bool ok = reserve(&block, &line->pool_capacity, line->pool_used + bytes, 1);
    line->pool = block;
    return ok;
}

/* The cells get their text from the pool's end; the space for it is there. */
static void set(struct rhm_line *line, size_t i, const char *text, size_t bytes, int width, uint32_t style)
{
    struct rhm_line_cell *c = &line->cells[i];
    if (bytes)
        memcpy(line->pool + line->pool_used, text, bytes);
    *c = (struct rhm_line_cell){.at = (uint32_t)line->pool_used,
                                .style = style & 0xffffff,
                                .bytes = (uint32_t)bytes & MAX_CELL_BYTES,
                                .width = (uint32_t)width & 3};
    line->pool_used += bytes;
    line->live += bytes;
}

/* Column i becomes blank; the space for a byte is there. */
static void blank(struct rhm_line *line, size_t i, uint32_t style)
{
    line->live -= line->cells[i].bytes;
    set(line, i, " ", 1, 1, style);
}

/* Makes column i the first one of a character, before what stands there is overwritten or cut off. */
static void part_before(struct rhm_line *line, size_t i)
{
    if (i > 0 && i < line->n && line->cells[i].width == 0) {
        blank(line, i - 1, line->cells[i - 1].style);
        blank(line, i, line->cells[i].style);
    }
}

static bool join(struct rhm_line *line, const char *text, size_t bytes)
{
    size_t i = line->cursor < line->n ? line->cursor : line->n;
    if (i == 0)
        return true;
    struct rhm_line_cell *c = &line->cells[i - 1];
    if (c->width == 0 && i > 1)
        c--;
    if (c->bytes + bytes > MAX_CELL_BYTES)
        return true; /* no script piles so many marks on one letter */
    if (!reserve_pool(line, MAX_CELL_BYTES + 1))
        return false;
    if (c->at + c->bytes != line->pool_used) {
        memmove(line->pool + line->pool_used, line->pool + c->at, c->bytes);
        c->at = (uint32_t)line->pool_used;
        line->pool_used += c->bytes;
    }
    memcpy(line->pool + line->pool_used, text, bytes);
    line->pool_used += bytes;
    line->live += bytes;
    c->bytes = (c->bytes + (uint32_t)bytes) & MAX_CELL_BYTES;
    return true;
}

bool rhm_line_put(struct rhm_line *line, const char *text, size_t bytes, int width, uint32_t style)
{
    if (width == 0)
        return join(line, text, bytes);
    size_t from = line->cursor, to = from + (size_t)width, padding = from > line->n ? from - line->n : 0;
    if (!reserve_cells(line, to) || !reserve_pool(line, bytes + padding + 4))
        return false;
    while (line->n < from)
        set(line, line->n++, " ", 1, 1, 0);
    part_before(line, from);
    part_before(line, to);
    for (size_t i = from; i < to && i < line->n; i++)
        line->live -= line->cells[i].bytes;
    set(line, from, text, bytes, width, style);
    if (width == 2)
        set(line, from + 1, "", 0, 0, style);
    line->n = line->n > to ? line->n : to;
    line->cursor = to;
    return true;
}

bool rhm_line_put_ascii(struct rhm_line *line, const char *text, size_t n, uint32_t style)
{
    if (line->cursor != line->n) {
        for (size_t i = 0; i < n; i++)
            if (!rhm_line_put(line, text + i, 1, 1, style))
                return false;
        return true;
    }
    if (!reserve_cells(line, line->n + n) || !reserve_pool(line, n))
        return false;
    memcpy(line->pool + line->pool_used, text, n);
    for (size_t i = 0; i < n; i++)
        line->cells[line->n + i] = (struct rhm_line_cell){
            .at = (uint32_t)(line->pool_used + i), .style = style & 0xffffff, .bytes = 1, .width = 1};
    line->pool_used += n;
    line->live += n;
    line->n = line->cursor = line->n + n;
    return true;
}

void rhm_line_tab(struct rhm_line *line)
{
    line->cursor = (line->cursor / TAB + 1) * TAB;
}

void rhm_line_erase_right(struct rhm_line *line)
{
    if (line->cursor >= line->n || !reserve_pool(line, 2))
        return;
    part_before(line, line->cursor);
    while (line->n > line->cursor)
        line->live -= line->cells[--line->n].bytes;
}

void rhm_line_erase_left(struct rhm_line *line)
{
    size_t n = line->cursor + 1 < line->n ? line->cursor + 1 : line->n;
    if (!reserve_pool(line, n + 2))
        return;
    part_before(line, n);
    for (size_t i = 0; i < n; i++)
        blank(line, i, 0);
}

void rhm_line_erase(struct rhm_line *line)
{
    line->n = line->pool_used = line->live = 0;
}
