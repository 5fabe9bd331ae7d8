/* dataset_csv.c - data sets as text: one string a line, d tokens, then the label.
 *
 * Between two values stands a comma or a semicolon (with blanks around it, if any) or just blanks and tabs;
 * a line may end with one more separator. Values are whole numbers, also as NumPy's savetxt writes them
 * (3.000000000000000000e+00); -1 is missing. Skipped: a byte order mark, empty lines, lines that start with
 * '#', one line of words before the first string. */
#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/memory.h"
#include "engine/base/output.h"
#include "engine/data/dataset_io.h"

#define BLOCK ((size_t)1 << 20)

/* ---- Lines ---- */

struct lines {
    const char *path;
    FILE *file;
    char *buffer;
    size_t room, start, end; /* buffer[start..end) is not consumed yet */
    size_t number;           /* of the line that was returned last */
    double consumed;         /* bytes in the lines returned so far */
    int at_end;
};

/* Makes more of the file visible: moves what is left to the front, grows for a long line, reads. */
static enum rhm_status refill(struct lines *in, struct rhm_error *err)
{
    if (in->start > 0) {
        memmove(in->buffer, in->buffer + in->start, in->end - in->start);
        in->end -= in->start;
        in->start = 0;
    }
    if (in->room - in->end < BLOCK / 2) {
        size_t room = in->room == 0 ? BLOCK : 2 * in->room;
        char *larger = rhm_array_grow(in->buffer, room, 1, "one line of a text file", err);
        if (larger == NULL)
            return RHM_EMEMORY;
        in->buffer = larger;
        in->room = room;
    }
    size_t got = fread(in->buffer + in->end, 1, in->room - in->end, in->file);
    if (got == 0) {
        if (ferror(in->file))
            return rhm_fail(err, RHM_EFILE, "%s: cannot read: %s", in->path, strerror(errno));
        in->at_end = 1;
    }
    in->end += got;
    return RHM_OK;
}

/* The next line without its end; *line = NULL after the last one. */
static enum rhm_status next_line(struct lines *in, const char **line, const char **line_end,
                                 struct rhm_error *err)
{
    size_t seen = 0; /* bytes after start known to hold no newline */
    for (;;) {
        char *from = in->buffer != NULL ? in->buffer + in->start : NULL; /* none before the first refill */
        size_t left = in->end - in->start;
        char *newline = left > seen ? memchr(from + seen, '\n', left - seen) : NULL;
        if (newline == NULL && !in->at_end) {
            seen = left;
            enum rhm_status status = refill(in, err);
            if (status != RHM_OK)
                return status;
            continue;
        }
        if (newline == NULL && left == 0) {
            *line = *line_end = NULL;
            return RHM_OK;
        }
        *line = from;
        *line_end = newline != NULL ? newline : from + left;
        size_t length = (size_t)(*line_end - from) + (newline != NULL);
        in->start += length;
        in->consumed += (double)length;
        if (*line_end > from && (*line_end)[-1] == '\r')
            --*line_end;
        if (++in->number == 1 && *line_end - from >= 3 && memcmp(from, "\xef\xbb\xbf", 3) == 0)
            *line += 3;
        return RHM_OK;
    }
}

/* ---- Values in a line ---- */

static inline int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static inline int is_mark(char c)
{
    return c == ',' || c == ';';
}

static inline const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && is_blank(*p))
        p++;
    return p;
}

static const char *value_end(const char *p, const char *end)
{
    while (p < end && !is_blank(*p) && !is_mark(*p))
        p++;
    return p;
}

/* From the end of a value to the start of the next one, or to `end`. */
static inline const char *skip_separator(const char *p, const char *end)
{
    p = skip_blanks(p, end);
    return p < end && is_mark(*p) ? skip_blanks(p + 1, end) : p;
}

static size_t count_values(const char *p, const char *end)
{
    size_t count = 0;
    for (p = skip_blanks(p, end); p < end; p = skip_separator(value_end(p, end), end))
        count++;
    return count;
}

/* A header holds words only: a line with some numbers is more likely a damaged string. */
static int is_header(const char *p, const char *end)
{
    for (p = skip_blanks(p, end); p < end; p = skip_separator(value_end(p, end), end))
        if (!isalpha((unsigned char)*p) && *p != '_' && *p != '"' && *p != '\'' && (unsigned char)*p < 0x80)
            return 0;
    return 1;
}

/* A value as an error line shows it. */
static char *quote(const char *p, const char *end, char *text, size_t size)
{
    size_t length = (size_t)(end - p) < size - 4 ? (size_t)(end - p) : size - 4;
    for (size_t i = 0; i < length; i++)
        text[i] = isprint((unsigned char)p[i]) ? p[i] : '?';
    strcpy(text + length, length < (size_t)(end - p) ? "..." : "");
    return text;
}

struct reader {
    struct lines in;
    struct rhm_dataset *data;
    struct rhm_symbols *tokens, *labels;
    const char *line, *line_end; /* the string that is being read */
    size_t first_line;           /* the line that said how many values a line has */
    size_t room;                 /* strings that data has room for */
    double size;                 /* of the file in bytes; 0 where it is not known */
};

static enum rhm_status wrong_count(const struct reader *r, size_t count, struct rhm_error *err)
{
    return rhm_fail(err, RHM_EFILE, "%s:%zu: %zu value%s where line %zu has %zu", r->in.path, r->in.number,
                    count, count == 1 ? "" : "s", r->first_line, r->data->d + 1);
}

/* What is no plain number in range: 3.0e0, +3 or -0 are values still, -1 is missing, all else is an error. */
static enum rhm_status unusual_value(const struct reader *r, const char *p, const char *end,
                                     const struct rhm_symbols *symbols, unsigned *value,
                                     struct rhm_error *err)
{
    char text[64], place[RHM_ERROR_TEXT / 2];
    quote(p, end, text, 40);
    snprintf(place, sizeof place, "%s:%zu", r->in.path, r->in.number);
    if (p == end)
        return rhm_fail(err, RHM_EFILE, "%s: an empty value: two separators follow each other", place);

    char number[64], *number_end = number;
    double x = 0;
    if ((size_t)(end - p) < sizeof number) {
        memcpy(number, p, (size_t)(end - p));
        number[end - p] = '\0';
        x = strtod(number, &number_end);
    }
    if (number_end == number || *number_end != '\0' || strpbrk(number, "xX") != NULL || /* hexadecimal */
        memchr(p, '\0', (size_t)(end - p)) != NULL)
        return rhm_fail(err, RHM_EFILE, "%s: '%s' is not a number", place, text);
    if (!(x > -1e300 && x < 1e300) || (x < 1e15 && x > -1e15 && x != (double)(long long)x))
        return rhm_fail(err, RHM_EFILE, "%s: %s %s is not a whole number", place, symbols->what, text);
    if (x == -1) {
        *value = RHM_MISSING;
        return RHM_OK;
    }
    if (x < 0 || x >= rhm_symbols_limit(symbols)) {
        size_t count = count_values(r->line, r->line_end);
        if (count != r->data->d + 1) /* then a token may stand where the label should: say the cause */
            return wrong_count(r, count, err);
        return rhm_symbols_out_of_range(symbols, place, text, "", err);
    }
    *value = (unsigned)x;
    return RHM_OK;
}

/* One value into *out; returns where it ends, NULL after an error. */
static inline const char *read_value(const struct reader *r, const char *p, const char *end, unsigned limit,
                                     struct rhm_symbols *symbols, uint16_t *out, struct rhm_error *err)
{
    const char *q = p;
    uint64_t value = 0;
    while (q < end && (unsigned)(*q - '0') < 10u)
        value = value * 10 + (unsigned)(*q++ - '0');
    unsigned symbol = (unsigned)value;
    if (q == p || q - p > 9 || value >= limit || (q < end && !is_blank(*q) && !is_mark(*q))) {
        q = value_end(p, end);
        if (unusual_value(r, p, q, symbols, &symbol, err) != RHM_OK)
            return NULL;
    }
    if (symbol > symbols->largest && symbol != RHM_MISSING)
        symbols->largest = symbol;
    *out = (uint16_t)symbol;
    return q;
}

static enum rhm_status read_string(const struct reader *r, size_t row, struct rhm_error *err)
{
    struct rhm_dataset *data = r->data;
    const char *p = r->line, *end = r->line_end;
    uint16_t *tokens = data->tokens + row * data->d;
    unsigned limit = rhm_symbols_limit(r->tokens);
    for (size_t k = 0; k <= data->d; k++) {
        if (p == end)
            return wrong_count(r, k, err);
        if (k < data->d)
            p = read_value(r, p, end, limit, r->tokens, tokens + k, err);
        else
            p = read_value(r, p, end, rhm_symbols_limit(r->labels), r->labels, data->labels + row, err);
        if (p == NULL)
            return RHM_EFILE;
        p = skip_separator(p, end);
    }
    return p == end ? RHM_OK : wrong_count(r, count_values(r->line, end), err);
}

/* ---- The file ---- */

/* Room for more strings: as many as the rest of the file holds at the mean length of the lines so far. */
static enum rhm_status grow(struct reader *r, struct rhm_error *err)
{
    struct rhm_dataset *data = r->data;
    double n = (double)data->n;
    double more = n < 16        ? 16
                  : r->size > 0 ? (r->size - r->in.consumed) / (r->in.consumed / n) * 1.01 + n / 128 + 64
                                : 0.5 * n;
    double room = n + (more > 16 ? more : 16);
    char what[RHM_ERROR_TEXT / 2];
    snprintf(what, sizeof what, "%s: the data set of about %.0f strings of %zu tokens", r->in.path, room,
             data->d);
    enum rhm_status status =
        rhm_memory_check(room * ((double)data->d + 1) * sizeof(uint16_t), what, "use fewer strings", err);
    if (status != RHM_OK)
        return status;
    uint16_t *tokens = rhm_array_grow(data->tokens, (size_t)room * data->d, sizeof *data->tokens, what, err);
    if (tokens == NULL)
        return RHM_EMEMORY;
    data->tokens = tokens;
    uint16_t *labels = rhm_array_grow(data->labels, (size_t)room, sizeof *data->labels, what, err);
    if (labels == NULL)
        return RHM_EMEMORY;
    data->labels = labels;
    r->room = (size_t)room;
    return RHM_OK;
}

/* Gives back what the estimate was too large by; keeping it is no failure. */
static void shrink(struct rhm_dataset *data)
{
    uint16_t *tokens = realloc(data->tokens, data->n * data->d * sizeof *tokens);
    uint16_t *labels = realloc(data->labels, data->n * sizeof *labels);
    data->tokens = tokens != NULL ? tokens : data->tokens;
    data->labels = labels != NULL ? labels : data->labels;
}

static enum rhm_status read_all(struct reader *r, struct rhm_error *err)
{
    struct rhm_dataset *data = r->data;
    int header_seen = 0;
    for (;;) {
        const char *p, *end;
        enum rhm_status status = next_line(&r->in, &p, &end, err);
        if (status != RHM_OK)
            return status;
        if (p == NULL)
            break;
        p = skip_blanks(p, end);
        if (p == end || *p == '#')
            continue;
        if (data->d == 0) {
            if (!header_seen && is_header(p, end)) {
                header_seen = 1;
                continue;
            }
            size_t count = count_values(p, end);
            if (count < 2)
                return rhm_fail(err, RHM_EFILE,
                                "%s:%zu: 1 value: a line takes 2 or more, the tokens and then the label",
                                r->in.path, r->in.number);
            data->d = count - 1;
            r->first_line = r->in.number;
        }
        if (data->n == r->room) {
            status = grow(r, err);
            if (status != RHM_OK)
                return status;
        }
        r->line = p;
        r->line_end = end;
        status = read_string(r, data->n, err);
        if (status != RHM_OK)
            return status;
        data->n++;
    }
    if (data->n == 0)
        return r->in.number == 0
                   ? rhm_fail(err, RHM_EFILE, "%s: the file is empty", r->in.path)
                   : rhm_fail(err, RHM_EFILE, "%s: no strings: none of its %zu line%s holds numbers",
                              r->in.path, r->in.number, r->in.number == 1 ? "" : "s");
    shrink(data);
    return RHM_OK;
}

enum rhm_status rhm_dataset_read_csv(struct rhm_dataset *data, const char *path, struct rhm_symbols *tokens,
                                     struct rhm_symbols *labels, struct rhm_error *err)
{
    struct reader r = {.in = {.path = path}, .data = data, .tokens = tokens, .labels = labels};
    r.in.file = fopen(path, "rb");
    if (r.in.file == NULL)
        return rhm_fail(err, RHM_EFILE, "%s: cannot open: %s", path, strerror(errno));
    struct stat info;
    if (fstat(fileno(r.in.file), &info) == 0 && S_ISREG(info.st_mode))
        r.size = (double)info.st_size;

    /* A decimal point is a point, whatever the user's language. */
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = plain != (locale_t)0 ? uselocale(plain) : (locale_t)0;
    enum rhm_status status = read_all(&r, err);
    if (plain != (locale_t)0) {
        uselocale(before);
        freelocale(plain);
    }
    free(r.in.buffer);
    fclose(r.in.file);
    return status;
}

/* ---- Writing ---- */

static char *put_number(char *p, unsigned value)
{
    if (value == RHM_MISSING) {
        *p++ = '-';
        value = 1;
    }
    char digits[16];
    int k = 0;
    do
        digits[k++] = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    while (k > 0)
        *p++ = digits[--k];
    return p;
}

enum rhm_status rhm_dataset_write_csv(const struct rhm_dataset *data, const char *path, struct rhm_error *err)
{
    struct rhm_output out;
    enum rhm_status status = rhm_output_open(&out, path, err);
    if (status != RHM_OK)
        return status;
    char buffer[4096], *p = buffer;
    for (size_t i = 0; i < data->n && status == RHM_OK; i++) {
        for (size_t k = 0; k <= data->d && status == RHM_OK; k++) {
            p = put_number(p, k < data->d ? data->tokens[i * data->d + k] : data->labels[i]);
            *p++ = k < data->d ? ',' : '\n';
            if (p > buffer + sizeof buffer - 16) {
                status = rhm_output_write(&out, buffer, (size_t)(p - buffer), err);
                p = buffer;
            }
        }
    }
    if (status == RHM_OK)
        status = rhm_output_write(&out, buffer, (size_t)(p - buffer), err);
    if (status == RHM_OK)
        return rhm_output_commit(&out, err);
    rhm_output_abandon(&out);
    return status;
}
