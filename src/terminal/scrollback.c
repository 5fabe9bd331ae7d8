/* scrollback.c - see scrollback.h. A ring of finished lines (kept_line.h) and the line being written.
 *
 * A line is known by its number since the beginning; rows are counted from the beginning too (`first_row`),
 * so that dropping the oldest line changes no other. They are counted when they are asked for, for one width.
 */
#include "terminal/scrollback.h"

#include <stdlib.h>

#include "terminal/kept_line.h"
#include "terminal/stream.h"

struct entry {
    struct rhm_kept *body; /* NULL: empty */
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
    struct rhm_kept *tail; /* the line being written, made when it is looked at */
    bool tail_valid;
    size_t tail_rows;         /* 0: not counted */
    int width;                /* of what follows; 0: nothing is known */
    uint64_t known;           /* lines before this one have their first_row */
    uint64_t next_row;        /* the first_row of that line */
    struct place last, start; /* where the drawing of rows stopped, and where the one before it began */
};

/* --- lines ------------------------------------------------------------------------------------------- */

static size_t body_size(const struct rhm_kept *b)
{
    return sizeof(struct entry) + (b ? sizeof *b + b->nruns * sizeof *b->runs + b->bytes : 0);
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
    struct rhm_kept *b = rhm_kept_create(&sb->stream.line);
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
static const struct rhm_kept *line_body(struct rhm_scrollback *sb, size_t i)
{
    if (i < sb->count)
        return entry_at(sb, i)->body;
    if (!sb->tail_valid) {
        sb->tail = rhm_kept_create(&sb->stream.line);
        sb->tail_valid = true;
    }
    return sb->tail;
}

/* --- rows -------------------------------------------------------------------------------------------- */

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
        sb->next_row += rhm_kept_rows(e->body, width);
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
        sb->tail_rows = rhm_kept_rows(line_body(sb, sb->count), width);
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
static size_t row_offset(struct rhm_scrollback *sb, size_t i, const struct rhm_kept *b, size_t row)
{
    if (b->ascii)
        return row * (size_t)sb->width < b->bytes ? row * (size_t)sb->width : b->bytes;
    struct place p = {.line = sb->first + i}, *known[] = {&sb->start, &sb->last};
    for (int k = 0; k < 2; k++)
        if (known[k]->line == p.line && known[k]->row <= row && known[k]->row > p.row)
            p = *known[k];
    bool follows = sb->last.line == p.line && sb->last.row == row;
    for (; p.row < row && p.offset < b->bytes; p.row++)
        p.offset = rhm_kept_row_end(b, p.offset, sb->width);
    if (!follows)
        sb->start = p;
    sb->last = p;
    return p.offset;
}

void rhm_scrollback_row(struct rhm_scrollback *sb, int width, size_t row, rhm_run_function *draw,
                        void *context)
{
    width = positive(width);
    if (row >= rhm_scrollback_rows(sb, width))
        return;
    size_t i = line_of(sb, row);
    const struct rhm_kept *b = line_body(sb, i);
    if (!b)
        return;
    size_t offset = row_offset(sb, i, b, row - first_row(sb, i)), end = rhm_kept_row_end(b, offset, width);
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
        int columns = rhm_kept_columns(b, offset, stop);
        if (columns > width)
            draw(context, "?", 1, 1, &style);
        else
            draw(context, rhm_kept_text(b) + offset, stop - offset, columns, &style);
        offset = stop;
    }
}

/* --- search ------------------------------------------------------------------------------------------ */

size_t rhm_scrollback_find(struct rhm_scrollback *sb, int width, const char *text, size_t from, int upwards)
{
    width = positive(width);
    size_t rows = rhm_scrollback_rows(sb, width), found = SIZE_MAX;
    size_t low = upwards ? 0 : from + 1, high = upwards && from < rows ? from : rows; /* rows to search */
    struct rhm_pattern p;
    if (rhm_pattern_read(&p, text) && low < high) {
        size_t line = line_of(sb, upwards ? high - 1 : low);
        for (size_t lines = rhm_scrollback_lines(sb); line < lines; line += upwards ? (size_t)-1 : 1) {
            size_t first = first_row(sb, line);
            found = rhm_kept_find(line_body(sb, line), width, &p, low > first ? low - first : 0, high - first,
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
        const struct rhm_kept *b = line_body(sb, i);
        if ((b && fwrite(rhm_kept_text(b), 1, b->bytes, file) < b->bytes) || putc('\n', file) == EOF)
            return false;
    }
    return fflush(file) == 0;
}
