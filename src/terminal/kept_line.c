/* kept_line.c - see kept_line.h. */
#define _GNU_SOURCE /* wcwidth */
#include "terminal/kept_line.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

struct rhm_kept *rhm_kept_create(const struct rhm_line *line)
{
    size_t nruns = 0;
    for (size_t i = 0; i < line->n; i++)
        nruns += i == 0 || line->cells[i].style != line->cells[i - 1].style;
    if (nruns == 1 && line->cells[0].style == 0)
        nruns = 0;
    struct rhm_kept *b = line->n ? malloc(sizeof *b + nruns * sizeof *b->runs + line->live) : NULL;
    if (!b)
        return NULL;
    *b = (struct rhm_kept){
        .bytes = (uint32_t)line->live, .columns = (uint32_t)line->n, .nruns = (uint32_t)nruns};
    char *text = (char *)(b->runs + nruns);
    struct rhm_kept_run *run = b->runs - 1;
    size_t used = 0;
    for (size_t i = 0; i < line->n; i++) {
        const struct rhm_line_cell *c = &line->cells[i];
        memcpy(text + used, line->pool + c->at, c->bytes);
        used += c->bytes;
        b->wide |= c->width == 2;
        if (nruns) {
            if (i == 0 || c->style != line->cells[i - 1].style)
                *++run = (struct rhm_kept_run){.style = c->style};
            run->end = (uint32_t)used;
        }
    }
    b->ascii = used == line->n;
    for (size_t i = 0; b->ascii && i < used; i++)
        b->ascii = (unsigned char)text[i] < 0x80;
    return b;
}

/* The character at text: its length and columns. */
static size_t character(const char *text, size_t n, wchar_t *wide, int *columns)
{
    unsigned char byte = (unsigned char)*text;
    *wide = byte;
    *columns = 1;
    if (byte < 0x80)
        return 1;
    size_t length = mbrtowc(wide, text, n, &(mbstate_t){0});
    if (length == 0 || length > n) { /* only if the locale was changed */
        *wide = byte;
        return 1;
    }
    int width = wcwidth(*wide);
    *columns = width < 0 ? 1 : width > 2 ? 2 : width;
    return length;
}

size_t rhm_kept_row_end(const struct rhm_kept *b, size_t offset, int width)
{
    size_t n = b->bytes;
    if (b->ascii)
        return n - offset > (size_t)width ? offset + (size_t)width : n;
    const char *text = rhm_kept_text(b);
    for (int used = 0; offset < n;) {
        wchar_t wide;
        int columns;
        size_t length = character(text + offset, n - offset, &wide, &columns);
        columns = columns > width ? width : columns;
        if (used + columns > width && columns > 0)
            break;
        used += columns;
        offset += length;
    }
    return offset;
}

size_t rhm_kept_rows(const struct rhm_kept *b, int width)
{
    if (!b || b->columns <= (uint32_t)width)
        return 1;
    if (!b->wide)
        return (b->columns + (size_t)width - 1) / (size_t)width;
    size_t rows = 0;
    for (size_t offset = 0; offset < b->bytes; rows++)
        offset = rhm_kept_row_end(b, offset, width);
    return rows;
}

int rhm_kept_columns(const struct rhm_kept *b, size_t from, size_t to)
{
    if (b->ascii)
        return (int)(to - from);
    int total = 0, columns;
    wchar_t wide;
    for (; from < to; total += columns)
        from += character(rhm_kept_text(b) + from, to - from, &wide, &columns);
    return total;
}

/* --- search ------------------------------------------------------------------------------------------ */

static wint_t fold(const struct rhm_pattern *p, wchar_t c)
{
    return p->fold ? towlower((wint_t)c) : (wint_t)c;
}

bool rhm_pattern_read(struct rhm_pattern *p, const char *text)
{
    size_t bytes = strlen(text);
    *p = (struct rhm_pattern){.text = malloc((bytes + 1) * sizeof *p->text), .fold = true};
    for (size_t i = 0; p->text && i < bytes;) {
        int columns;
        i += character(text + i, bytes - i, &p->text[p->n], &columns);
        if (iswupper((wint_t)p->text[p->n++]))
            p->fold = false;
    }
    for (size_t i = 0; i < p->n; i++)
        p->text[i] = (wchar_t)fold(p, p->text[i]);
    return p->n > 0;
}

static bool matches(const struct rhm_pattern *p, const char *text, size_t n)
{
    for (size_t i = 0; i < p->n; i++) {
        wchar_t c;
        int columns;
        if (n == 0)
            return false;
        size_t length = character(text, n, &c, &columns);
        if (fold(p, c) != (wint_t)p->text[i])
            return false;
        text += length;
        n -= length;
    }
    return true;
}

size_t rhm_kept_find(const struct rhm_kept *b, int width, const struct rhm_pattern *p, size_t from,
                     size_t before, bool last)
{
    size_t found = SIZE_MAX, offset = 0, row = 0;
    for (size_t end = b ? rhm_kept_row_end(b, 0, width) : 0; b && offset < b->bytes && row < before;) {
        const char *text = rhm_kept_text(b) + offset;
        wchar_t c;
        int columns;
        if (row >= from && matches(p, text, b->bytes - offset)) {
            found = row;
            if (!last)
                return found;
            offset = end; /* on to the next row */
        } else {
            offset += character(text, b->bytes - offset, &c, &columns);
        }
        if (offset >= end && offset < b->bytes) {
            end = rhm_kept_row_end(b, end, width);
            row++;
        }
    }
    return found;
}
