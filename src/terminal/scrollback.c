/* scrollback.c - see scrollback.h. A ring of finished lines, each one block of memory, and the line being
 * written.
 *
 * A line is known by its number since the beginning; rows are counted from the beginning too (`first_row`),
 * so that dropping the oldest line changes no other. They are counted when they are asked for, for one width.
 */
#define _GNU_SOURCE /* wcwidth */
#include "terminal/scrollback.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "terminal/stream.h"

/* Where a style ends, in bytes of the text. */
struct run {
    uint32_t end, style;
};

/* A finished line. A plain one has no runs. */
struct body {
    uint32_t bytes, columns, nruns;
    bool ascii;        /* a byte a column */
    bool wide;         /* some characters take two columns */
    struct run runs[]; /* then the text */
};

struct entry {
    struct body *body; /* NULL: empty */
    uint64_t first_row;
};

/* A place in a line: where one of its rows begins. */
struct place {
    uint64_t line;
    size_t row, offset;
};

struct rhm_scrollback {
    struct entry *ring;
    size_t capacity, head, count, max_lines;
    size_t bytes, max_bytes;
    uint64_t first, version; /* the number of the oldest line */
    struct rhm_stream stream;
    struct body *tail; /* the line being written, made when it is looked at */
    bool tail_valid;
    size_t tail_rows;         /* 0: not counted */
    int width;                /* of what follows; 0: nothing is known */
    uint64_t known;           /* lines before this one have their first_row */
    uint64_t next_row;        /* the first_row of that line */
    struct place last, start; /* where the drawing of rows stopped, and where the one before it began */
};

/* --- lines ------------------------------------------------------------------------------------------- */

static char *body_text(const struct body *b)
{
    return (char *)(b->runs + b->nruns);
}

static size_t body_size(const struct body *b)
{
    return sizeof(struct entry) + (b ? sizeof *b + b->nruns * sizeof *b->runs + b->bytes : 0);
}

/* The line as it stands; NULL if it is empty, or for want of memory. */
static struct body *body_create(const struct rhm_line *line)
{
    size_t nruns = 0;
    for (size_t i = 0; i < line->n; i++)
        nruns += i == 0 || line->cells[i].style != line->cells[i - 1].style;
    if (nruns == 1 && line->cells[0].style == 0)
        nruns = 0;
    struct body *b = line->n ? malloc(sizeof *b + nruns * sizeof *b->runs + line->live) : NULL;
    if (!b)
        return NULL;
    *b = (struct body){.bytes = (uint32_t)line->live, .columns = (uint32_t)line->n, .nruns = (uint32_t)nruns};
    char *text = body_text(b);
    struct run *run = b->runs - 1;
    size_t used = 0;
    for (size_t i = 0; i < line->n; i++) {
        const struct rhm_line_cell *c = &line->cells[i];
        memcpy(text + used, line->pool + c->at, c->bytes);
        used += c->bytes;
        b->wide |= c->width == 2;
        if (nruns) {
            if (i == 0 || c->style != line->cells[i - 1].style)
                *++run = (struct run){.style = c->style};
            run->end = (uint32_t)used;
        }
    }
    b->ascii = used == line->n;
    for (size_t i = 0; b->ascii && i < used; i++)
        b->ascii = (unsigned char)text[i] < 0x80;
    return b;
}

static struct entry *entry_at(const struct rhm_scrollback *sb, size_t i)
{
    size_t at = sb->head + i;
    return &sb->ring[at < sb->capacity ? at : at - sb->capacity];
}

static void drop_oldest(struct rhm_scrollback *sb)
{
    struct entry *e = entry_at(sb, 0);
    sb->bytes -= body_size(e->body);
    free(e->body);
    sb->head = sb->head + 1 < sb->capacity ? sb->head + 1 : 0;
    sb->count--;
    sb->first++;
    if (sb->known < sb->first)
        sb->known = sb->first;
}

static bool grow(struct rhm_scrollback *sb)
{
    size_t n = sb->capacity ? 2 * sb->capacity : 256;
    n = n < sb->max_lines ? n : sb->max_lines;
    struct entry *ring = n > sb->capacity ? malloc(n * sizeof *ring) : NULL;
    if (!ring)
        return false;
    for (size_t i = 0; i < sb->count; i++)
        ring[i] = *entry_at(sb, i);
    free(sb->ring);
    sb->ring = ring;
    sb->capacity = n;
    sb->head = 0;
    return true;
}

/* The stream has ended its line. */
static void add_line(void *context)
{
    struct rhm_scrollback *sb = context;
    if (sb->count == sb->capacity && !grow(sb)) {
        if (sb->count == 0)
            return;
        drop_oldest(sb);
    }
    struct body *b = body_create(&sb->stream.line);
    sb->count++;
    *entry_at(sb, sb->count - 1) = (struct entry){.body = b};
    sb->bytes += body_size(b);
    while (sb->bytes > sb->max_bytes && sb->count > 1)
        drop_oldest(sb);
}

struct rhm_scrollback *rhm_scrollback_create(size_t max_lines, size_t max_bytes)
{
    struct rhm_scrollback *sb = calloc(1, sizeof *sb);
    if (!sb)
        return NULL;
    sb->max_lines = max_lines ? max_lines : 1;
    sb->max_bytes = max_bytes;
    size_t limit = max_bytes / 4;
    sb->first = sb->known = 1; /* a place in line 0 is none */
    sb->stream = (struct rhm_stream){.style = RHM_CELL_PLAIN,
                                     .limit = limit < 256       ? 256
                                              : limit > 1 << 28 ? 1 << 28
                                                                : limit,
                                     .newline = add_line,
                                     .context = sb};
    return sb;
}

void rhm_scrollback_free(struct rhm_scrollback *sb)
{
    if (!sb)
        return;
    for (size_t i = 0; i < sb->count; i++)
        free(entry_at(sb, i)->body);
    free(sb->ring);
    free(sb->tail);
    rhm_line_free(&sb->stream.line);
    free(sb);
}

/* The line being written will change, and with it the places in it. */
static void forget_tail(struct rhm_scrollback *sb)
{
    free(sb->tail);
    sb->tail = NULL;
    sb->tail_valid = false;
    sb->tail_rows = 0;
    if (sb->last.line == sb->first + sb->count)
        sb->last = (struct place){0};
    if (sb->start.line == sb->first + sb->count)
        sb->start = (struct place){0};
    sb->version++;
}

void rhm_scrollback_write(struct rhm_scrollback *sb, const char *bytes, size_t n)
{
    if (n == 0)
        return;
    forget_tail(sb);
    rhm_stream_write(&sb->stream, bytes, n);
}

void rhm_scrollback_settle(struct rhm_scrollback *sb)
{
    forget_tail(sb);
    rhm_stream_settle(&sb->stream);
}

uint64_t rhm_scrollback_version(const struct rhm_scrollback *sb)
{
    return sb->version;
}

size_t rhm_scrollback_lines(const struct rhm_scrollback *sb)
{
    return sb->count + (sb->stream.line.n > 0);
}

/* Line i of rhm_scrollback_lines. */
static const struct body *line_body(struct rhm_scrollback *sb, size_t i)
{
    if (i < sb->count)
        return entry_at(sb, i)->body;
    if (!sb->tail_valid) {
        sb->tail = body_create(&sb->stream.line);
        sb->tail_valid = true;
    }
    return sb->tail;
}

/* --- rows -------------------------------------------------------------------------------------------- */

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

/* Where the row that begins at offset ends. */
static size_t row_end(const struct body *b, size_t offset, int width)
{
    size_t n = b->bytes;
    if (b->ascii)
        return n - offset > (size_t)width ? offset + (size_t)width : n;
    const char *text = body_text(b);
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

static size_t body_rows(const struct body *b, int width)
{
    if (!b || b->columns <= (uint32_t)width)
        return 1;
    if (!b->wide)
        return (b->columns + (size_t)width - 1) / (size_t)width;
    size_t rows = 0;
    for (size_t offset = 0; offset < b->bytes; rows++)
        offset = row_end(b, offset, width);
    return rows;
}

/* Counts the rows of the lines that are not counted yet, from the oldest line if the width is another. */
static void count_rows(struct rhm_scrollback *sb, int width)
{
    if (sb->width != width) {
        sb->width = width;
        sb->known = sb->first;
        sb->next_row = 0;
        sb->tail_rows = 0;
        sb->last = sb->start = (struct place){0};
    }
    for (; sb->known < sb->first + sb->count; sb->known++) {
        struct entry *e = entry_at(sb, (size_t)(sb->known - sb->first));
        e->first_row = sb->next_row;
        sb->next_row += body_rows(e->body, width);
    }
}

/* The row in which line i begins; rows are counted. */
static size_t first_row(const struct rhm_scrollback *sb, size_t i)
{
    uint64_t base = sb->count ? entry_at(sb, 0)->first_row : sb->next_row;
    return (size_t)((i < sb->count ? entry_at(sb, i)->first_row : sb->next_row) - base);
}

static int positive(int width)
{
    return width > 0 ? width : 1;
}

size_t rhm_scrollback_rows(struct rhm_scrollback *sb, int width)
{
    width = positive(width);
    count_rows(sb, width);
    if (rhm_scrollback_lines(sb) == sb->count)
        return first_row(sb, sb->count);
    if (sb->tail_rows == 0)
        sb->tail_rows = body_rows(line_body(sb, sb->count), width);
    return first_row(sb, sb->count) + sb->tail_rows;
}

/* The line in which row stands, which is less than rows. */
static size_t line_of(const struct rhm_scrollback *sb, size_t row)
{
    size_t low = 0, high = rhm_scrollback_lines(sb);
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (first_row(sb, middle) <= row)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Where row `row` of line i begins. A long line is walked from the nearest known place: the rows of a window
 * are drawn one after the other, frame after frame. */
static size_t row_offset(struct rhm_scrollback *sb, size_t i, const struct body *b, size_t row)
{
    if (b->ascii)
        return row * (size_t)sb->width < b->bytes ? row * (size_t)sb->width : b->bytes;
    struct place p = {.line = sb->first + i}, *known[] = {&sb->start, &sb->last};
    for (int k = 0; k < 2; k++)
        if (known[k]->line == p.line && known[k]->row <= row && known[k]->row > p.row)
            p = *known[k];
    bool follows = sb->last.line == p.line && sb->last.row == row;
    for (; p.row < row && p.offset < b->bytes; p.row++)
        p.offset = row_end(b, p.offset, sb->width);
    if (!follows)
        sb->start = p;
    sb->last = p;
    return p.offset;
}

static int text_columns(const struct body *b, size_t from, size_t to)
{
    if (b->ascii)
        return (int)(to - from);
    int total = 0, columns;
    wchar_t wide;
    for (; from < to; total += columns)
        from += character(body_text(b) + from, to - from, &wide, &columns);
    return total;
}

void rhm_scrollback_row(struct rhm_scrollback *sb, int width, size_t row, rhm_run_function *draw,
                        void *context)
{
    width = positive(width);
    if (row >= rhm_scrollback_rows(sb, width))
        return;
    size_t i = line_of(sb, row);
    const struct body *b = line_body(sb, i);
    if (!b)
        return;
    size_t offset = row_offset(sb, i, b, row - first_row(sb, i)), end = row_end(b, offset, width);
    if (!b->ascii && sb->last.line == sb->first + i)
        sb->last = (struct place){.line = sb->last.line, .row = sb->last.row + 1, .offset = end};
    size_t low = 0, high = b->nruns; /* the run in which offset stands */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (b->runs[middle].end <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    for (; offset < end; low++) {
        size_t stop = low < b->nruns && b->runs[low].end < end ? b->runs[low].end : end;
        struct rhm_cell_style style = rhm_style_unpack(low < b->nruns ? b->runs[low].style : 0);
        int columns = text_columns(b, offset, stop);
        if (columns > width)
            draw(context, "?", 1, 1, &style);
        else
            draw(context, body_text(b) + offset, stop - offset, columns, &style);
        offset = stop;
    }
}

/* --- search ------------------------------------------------------------------------------------------ */

struct pattern {
    wchar_t *text;
    size_t n;
    bool fold; /* upper and lower case are the same */
};

static wint_t fold(const struct pattern *p, wchar_t c)
{
    return p->fold ? towlower((wint_t)c) : (wint_t)c;
}

static bool pattern_read(struct pattern *p, const char *text)
{
    size_t bytes = strlen(text);
    *p = (struct pattern){.text = malloc((bytes + 1) * sizeof *p->text), .fold = true};
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

static bool matches(const struct pattern *p, const char *text, size_t n)
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

/* The last row of a line before `before`, or the first one from `from` on, with a match; SIZE_MAX: none. */
static size_t find_in_line(const struct body *b, int width, const struct pattern *p, size_t from,
                           size_t before, bool last)
{
    size_t found = SIZE_MAX, offset = 0, row = 0;
    for (size_t end = b ? row_end(b, 0, width) : 0; b && offset < b->bytes && row < before;) {
        const char *text = body_text(b) + offset;
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
            end = row_end(b, end, width);
            row++;
        }
    }
    return found;
}

size_t rhm_scrollback_find(struct rhm_scrollback *sb, int width, const char *text, size_t from, int upwards)
{
    width = positive(width);
    size_t rows = rhm_scrollback_rows(sb, width), found = SIZE_MAX;
    size_t low = upwards ? 0 : from + 1, high = upwards && from < rows ? from : rows; /* rows to search */
    struct pattern p;
    if (pattern_read(&p, text) && low < high) {
        size_t line = line_of(sb, upwards ? high - 1 : low);
        for (size_t lines = rhm_scrollback_lines(sb); line < lines; line += upwards ? (size_t)-1 : 1) {
            size_t first = first_row(sb, line);
            found = find_in_line(line_body(sb, line), width, &p, low > first ? low - first : 0, high - first,
                                 upwards);
            if (found != SIZE_MAX) {
                found += first;
                break;
            }
        }
    }
    free(p.text);
    return found;
}

/* --- places, saving ---------------------------------------------------------------------------------- */

uint64_t rhm_scrollback_line_at(struct rhm_scrollback *sb, int width, size_t row)
{
    size_t rows = rhm_scrollback_rows(sb, width);
    return sb->first + (row < rows ? line_of(sb, row) : rhm_scrollback_lines(sb));
}

size_t rhm_scrollback_row_of(struct rhm_scrollback *sb, int width, uint64_t line)
{
    size_t rows = rhm_scrollback_rows(sb, width);
    if (line < sb->first)
        return 0;
    return line - sb->first < rhm_scrollback_lines(sb) ? first_row(sb, (size_t)(line - sb->first)) : rows;
}

bool rhm_scrollback_save(struct rhm_scrollback *sb, FILE *file)
{
    size_t lines = rhm_scrollback_lines(sb);
    for (size_t i = 0; i < lines; i++) {
        const struct body *b = line_body(sb, i);
        if ((b && fwrite(body_text(b), 1, b->bytes, file) < b->bytes) || putc('\n', file) == EOF)
            return false;
    }
    return fflush(file) == 0;
}
