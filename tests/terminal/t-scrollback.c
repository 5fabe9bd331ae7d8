/* t-scrollback.c - the output window's store: what a stream leaves on the lines, wrapping against a naive
 * loop, limits, search. */
#define _GNU_SOURCE /* wcwidth */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include <cmocka.h>

#include "terminal/scrollback.h"
#include "terminal/stream.h"

#define ACCENT1      "e\xcc\x81"
#define ACCENT2      "e\xcc\x81\xcc\x81"
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* --- what the rows show ------------------------------------------------------------------------------ */

struct shown {
    char *text;
    size_t n, size;
    bool styles;
    int columns; /* of this row, the sum of what draw was told */
};

static void add(struct shown *s, const char *text, size_t n)
{
    if (s->n + n + 1 > s->size) {
        s->size = 2 * (s->n + n) + 256;
        s->text = realloc(s->text, s->size);
        assert_non_null(s->text);
    }
    memcpy(s->text + s->n, text, n);
    s->n += n;
    s->text[s->n] = '\0';
}

static int width_of(const char *text, size_t n)
{
    int total = 0;
    while (n > 0) {
        wchar_t c;
        size_t length = mbrtowc(&c, text, n, &(mbstate_t){0});
        assert_true(length > 0 && length <= n && wcwidth(c) >= 0);
        total += wcwidth(c);
        text += length;
        n -= length;
    }
    return total;
}

static void draw(void *context, const char *text, size_t bytes, int columns,
                 const struct rhm_cell_style *style)
{
    struct shown *s = context;
    assert_true(bytes > 0);
    assert_int_equal(width_of(text, bytes), columns);
    s->columns += columns;
    if (s->styles) {
        char mark[64];
        int n = snprintf(mark, sizeof mark, "<%s%s%s%s%s%d,%d>", style->bold ? "b" : "",
                         style->dim ? "d" : "", style->italic ? "i" : "", style->underline ? "u" : "",
                         style->reverse ? "r" : "", style->fg, style->bg);
        if (strcmp(mark, "<-1,-1>") != 0)
            add(s, mark, (size_t)n);
        else
            add(s, "<>", 2);
    }
    add(s, text, bytes);
}

/* All rows, each with a '|' after it. To be freed. */
static char *rows_at(struct rhm_scrollback *sb, int width, bool styles)
{
    struct shown s = {.styles = styles};
    add(&s, "", 0);
    size_t rows = rhm_scrollback_rows(sb, width);
    for (size_t row = 0; row < rows; row++) {
        s.columns = 0;
        rhm_scrollback_row(sb, width, row, draw, &s);
        assert_true(s.columns <= width);
        add(&s, "|", 1);
    }
    return s.text;
}

static char *saved(struct rhm_scrollback *sb)
{
    char *text = NULL;
    size_t n = 0;
    FILE *file = open_memstream(&text, &n);
    assert_non_null(file);
    assert_true(rhm_scrollback_save(sb, file));
    fclose(file);
    return text;
}

static struct rhm_scrollback *create(size_t max_lines, size_t max_bytes)
{
    struct rhm_scrollback *sb = rhm_scrollback_create(max_lines, max_bytes);
    assert_non_null(sb);
    return sb;
}

static void write_text(struct rhm_scrollback *sb, const char *text)
{
    rhm_scrollback_write(sb, text, strlen(text));
}

static void assert_rows(struct rhm_scrollback *sb, int width, const char *wanted)
{
    char *got = rows_at(sb, width, false);
    assert_string_equal(got, wanted);
    free(got);
}

/* --- the stream -------------------------------------------------------------------------------------- */

struct example {
    const char *in, *out;
};

static const struct example texts[] = {
    {"", ""},
    {"abc", "abc|"},
    {"abc\n", "abc|"},
    {"\n\na\n\n", "||a||"},
    {"one\r\ntwo\r\n", "one|two|"},
    {"10 %\r 20 %\r  30 %\n", "  30 %|"},
    {"long text\rab", "abng text|"},
    {"long text\r\033[Kab", "ab|"},
    {"working\r\033[K", ""},
    {"working\r\033[2Kx", "x|"},
    {"abc\033[2Kx", "   x|"},
    {"abcdef\b\b\b\033[1Kx", "   xef|"},
    {"abc\b\bX", "aXc|"},
    {"\b\babc", "abc|"},
    {"abc\b\b\b\b\b\bX", "Xbc|"},
    {"a\tb\t\tc", "a       b               c|"},
    {"abcdefghij\r\tX", "abcdefghXj|"},
    {"a\t\n", "a|"},
    {"bell\a nul\x01 del\x7f", "bell^G nul^A del^?|"},
    {"\f\v", "^L^K|"},
    {"\033[31mred\033[m \033[?25l\033[2J\033[10;20Hplain\033[>4;2m", "red plain|"},
    {"\033]0;a title\aafter", "after|"},
    {"\033]8;;http://x\033\\link\033]8;;\033\\.", "link.|"},
    {"\033]unfinished\nnext", "|next|"},
    {"\033Pq#0;2;0;0;0~-\n~\033\\after", "after|"},
    {"\033_apc\033\\\033^pm\033\\\033Xsos\033\\x", "x|"},
    {"\033(B\033)0\0337\0338\033=\033>\033M\033#8x", "x|"},
    {"\033[3\n1mx", "|x|"}, /* a control character within a sequence works */
    {"\033[12\030x\033[12\032y", "xy|"},
    {"\033\033[31m\033[\033[mx", "x|"},
    {"\033[999999999999999999999mx", "x|"},
    {"\033[\xc3\xa9", "é|"}, /* what cannot belong to a sequence ends it */
    {"na\xc3\xafve \xe2\x82\xac \xf0\x9f\x98\x80", "naïve € 😀|"},
    {"bad \xff \xc3( \xe2\x82 \xe2\x82", "bad \\xFF \\xC3( \\xE2\\x82 |"},
    {"\xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80", "\\xC0\\xAF \\xED\\xA0\\x80 \\xF4\\x90\\x80\\x80|"},
    {"\xe2\x82\033[31mx", "\\xE2\\x82x|"},
    {"\xc2\x9b"
     "31m",
     "\\xC2\\x9B31m|"}, /* C1 controls have no place in UTF-8 */
    {"e\xcc\x81tude", "e\xcc\x81tude|"},
    {"\xcc\x81x", "x|"}, /* nothing to stand on */
    {"\xe4\xb8\xad\xe6\x96\x87\b\bx", "中x |"},
    {"\xe4\xb8\xad\xe6\x96\x87\rx", "x 文|"}, /* half of a wide character is overwritten */
    {"\xe4\xb8\xad\xe6\x96\x87\b\033[K", "中 |"},
    {"abcd\r\xe4\xb8\xad", "中cd|"},
    {"a\xe4\xb8\xad"
     "d\r\xe4\xb8\xad",
     "中 d|"},
};

static void test_text(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct rhm_scrollback *sb = create(100, 1 << 20);
        write_text(sb, texts[i].in);
        assert_rows(sb, 60, texts[i].out);
        rhm_scrollback_free(sb);
    }
    struct rhm_scrollback *sb = create(100, 1 << 20);
    rhm_scrollback_write(sb, "a\0b", 3);
    assert_rows(sb, 60, "a^@b|");
    rhm_scrollback_free(sb);
}

static const struct example styled[] = {
    {"plain", "<>plain|"},
    {"\033[31mred\033[0m\n", "<1,-1>red|"},
    {"\033[1;4;32;41mx\033[22;24;39my\033[mz", "<bu2,1>x<-1,1>y<>z|"},
    {"\033[2mx\033[3my\033[7mz\033[23;27m.", "<d-1,-1>x<di-1,-1>y<dir-1,-1>z<d-1,-1>.|"},
    {"\033[97;100mx\033[49my", "<15,8>x<15,-1>y|"},
    {"\033[38;5;208;48;5;17mx", "<208,17>x|"},
    {"\033[38:5:208mx\033[48:5:17my", "<208,-1>x<208,17>y|"},
    {"\033[38;2;255;0;0mx\033[38:2::0:255:0my\033[38:2:0:0:255mz", "<196,-1>x<46,-1>y<21,-1>z|"},
    {"\033[38;2;128;128;128mx\033[48;2;8;8;8my", "<244,-1>x<244,232>y|"},
    {"\033[38;2;95;135;175mx", "<67,-1>x|"},
    {"\033[38;5;1;1mx", "<b1,-1>x|"},
    {"\033[58;5;3;1mx\033[58:2::1:2:3;3my", "<b-1,-1>x<bi-1,-1>y|"},
    {"\033[4:3mx\033[4:0my\033[21mz", "<u-1,-1>x<>y<u-1,-1>z|"},
    {"\033[38;5;256mx\033[38mx\033[38;5mx\033[38;9;1mx", "<>xxx<b-1,-1>x|"},
    {"\033[;mx\033[1;;31my", "<>x<1,-1>y|"},
    {"\033[31mover\n\033[1mtwo lines", "<1,-1>over|<b1,-1>two lines|"},
    {"\033[31mabc\rx\033[mY", "<1,-1>x<>Y<1,-1>c|"},
    {"\033[5;8;9;25;53mx", "<>x|"},
};

static void test_styles(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT(styled); i++) {
        struct rhm_scrollback *sb = create(100, 1 << 20);
        write_text(sb, styled[i].in);
        char *got = rows_at(sb, 60, true);
        assert_string_equal(got, styled[i].out);
        free(got);
        rhm_scrollback_free(sb);
    }
}

/* Every example and all of them in one, cut at every byte. */
static void test_split(void **unused)
{
    (void)unused;
    char all[4096] = "";
    for (size_t i = 0; i < COUNT(texts); i++)
        strcat(strcat(all, texts[i].in), "\n");
    for (size_t i = 0; i < COUNT(styled); i++)
        strcat(strcat(all, styled[i].in), "\n");
    size_t n = strlen(all);
    struct rhm_scrollback *whole = create(1000, 1 << 20), *single = create(1000, 1 << 20);
    rhm_scrollback_write(whole, all, n);
    char *wanted = rows_at(whole, 20, true);
    for (size_t i = 0; i < n; i++)
        rhm_scrollback_write(single, all + i, 1);
    char *got = rows_at(single, 20, true);
    assert_string_equal(got, wanted);
    free(got);
    for (size_t cut = 1; cut < n; cut++) {
        struct rhm_scrollback *sb = create(1000, 1 << 20);
        rhm_scrollback_write(sb, all, cut);
        rhm_scrollback_rows(sb, 20); /* looking at it changes nothing */
        rhm_scrollback_write(sb, all + cut, n - cut);
        got = rows_at(sb, 20, true);
        assert_string_equal(got, wanted);
        free(got);
        rhm_scrollback_free(sb);
    }
    free(wanted);
    rhm_scrollback_free(whole);
    rhm_scrollback_free(single);
}

static void test_settle(void **unused)
{
    (void)unused;
    struct rhm_scrollback *sb = create(10, 1 << 20);
    write_text(sb, "\033[1;31mred\033P never ended");
    rhm_scrollback_settle(sb);
    write_text(sb, "plain\xe2\x82");
    rhm_scrollback_settle(sb);
    write_text(sb, "\xac");
    char *got = rows_at(sb, 60, true);
    assert_string_equal(got, "<b1,-1>red|<>plain\\xE2\\x82|<>\\xAC|");
    free(got);
    rhm_scrollback_free(sb);
}

static void test_locale_c(void **unused)
{
    (void)unused;
    assert_non_null(setlocale(LC_ALL, "C"));
    struct rhm_scrollback *sb = create(10, 1 << 20);
    write_text(sb, "na\xc3\xafve\n");
    assert_rows(sb, 60, "na\\xC3\\xAFve|");
    rhm_scrollback_free(sb);
    assert_non_null(setlocale(LC_ALL, "C.UTF-8"));
}

/* --- rows -------------------------------------------------------------------------------------------- */

static void test_wrap(void **unused)
{
    (void)unused;
    static const struct {
        const char *in, *at[5]; /* at widths 1 .. 5 */
    } wraps[] = {
        {"abcde\n", {"a|b|c|d|e|", "ab|cd|e|", "abc|de|", "abcd|e|", "abcde|"}},
        {"\n\n", {"||", "||", "||", "||", "||"}},
        {"\xe4\xb8\xad\xe6\x96\x87x", {"?|?|x|", "中|文|x|", "中|文x|", "中文|x|", "中文x|"}},
        {"a\xe4\xb8\xad\xe6\x96\x87", {"a|?|?|", "a|中|文|", "a中|文|", "a中|文|", "a中文|"}},
        {ACCENT2 ACCENT1 "x",
         {ACCENT2 "|" ACCENT1 "|x|", ACCENT2 ACCENT1 "|x|", ACCENT2 ACCENT1 "x|", ACCENT2 ACCENT1 "x|",
          ACCENT2 ACCENT1 "x|"}},
        {"ab\xe2\x80\x8b\n", {"a|b\u200b|", "ab\u200b|", "ab\u200b|", "ab\u200b|", "ab\u200b|"}},
    };
    for (size_t i = 0; i < COUNT(wraps); i++) {
        struct rhm_scrollback *sb = create(100, 1 << 20);
        write_text(sb, wraps[i].in);
        for (int width = 1; width <= 5; width++)
            assert_rows(sb, width, wraps[i].at[width - 1]);
        assert_int_equal(rhm_scrollback_rows(sb, 0), rhm_scrollback_rows(sb, 1));
        assert_int_equal(rhm_scrollback_rows(sb, -7), rhm_scrollback_rows(sb, 1));
        rhm_scrollback_free(sb);
    }
}

static uint64_t seed;

static unsigned next_random(unsigned below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % below;
}

/* The rows of a text, character by character; no control characters but \n. */
static char *naive_rows(const char *text, int width)
{
    struct shown s = {0};
    add(&s, "", 0);
    int used = 0;
    while (*text) {
        wchar_t c = 0;
        size_t length = mbrtowc(&c, text, 16, &(mbstate_t){0});
        int columns = c == L'\n' ? 0 : wcwidth(c);
        if (c == L'\n' || used + columns > width) {
            add(&s, "|", 1);
            used = 0;
        }
        if (c != L'\n')
            add(&s, text, length);
        used += columns;
        text += length;
    }
    if (used)
        add(&s, "|", 1);
    return s.text;
}

static void test_wrap_naive(void **unused)
{
    (void)unused;
    static const char *const words[] = {"a",  "bc", "中", "文文",    "é", "e\xcc\x81",
                                        "\n", " ",  "⠿⠿", "\u200bx", "😀", "defghi"};
    seed = 1;
    for (int trial = 0; trial < 300; trial++) {
        char text[2000] = "y";
        for (unsigned n = next_random(120); n > 0; n--) {
            const char *word = words[next_random(COUNT(words))];
            size_t end = strlen(text);
            strcat(text, text[end - 1] == '\n' && word[0] == '\xe2' && word[1] == '\x80' ? "z" : word);
        }
        struct rhm_scrollback *sb = create(1000, 1 << 20);
        write_text(sb, text);
        for (int k = 0; k < 4; k++) {
            int width = 2 + (int)next_random(12);
            char *wanted = naive_rows(text, width), *got = rows_at(sb, width, false);
            assert_string_equal(got, wanted);
            free(got);
            /* rows in any order give the same */
            size_t rows = rhm_scrollback_rows(sb, width);
            for (int j = 0; rows > 0 && j < 20; j++) {
                size_t row = next_random((unsigned)rows), at = 0;
                for (size_t r = 0; r < row; r++)
                    at += strcspn(wanted + at, "|") + 1;
                struct shown one = {0};
                add(&one, "", 0);
                rhm_scrollback_row(sb, width, row, draw, &one);
                assert_int_equal(one.n, strcspn(wanted + at, "|"));
                assert_memory_equal(one.text, wanted + at, one.n);
                free(one.text);
            }
            free(wanted);
        }
        rhm_scrollback_free(sb);
    }
}

/* Random bytes, half of them of the kind that means something: no crash, rows within the width, the rows hold
 * what is saved, and pieces make no difference. */
static void test_fuzz(void **unused)
{
    (void)unused;
    static const char *const bits[] = {
        "\033[",    "\033]",    "\033P", "\033\\",  "m",      "K",  "38;5;",        ";",
        ":",        "2",        "\r",    "\n",      "\b",     "\t", "\xe4\xb8\xad", "\xcc\x81",
        "\xf0\x9f", "\x98\x80", "abc",   "\033[1K", "\033[2K"};
    seed = 2;
    for (int trial = 0; trial < 400; trial++) {
        struct shown in = {0};
        for (unsigned n = next_random(400); n > 0; n--) {
            const char *bit = bits[next_random(COUNT(bits))];
            if (next_random(4))
                add(&in, bit, strlen(bit));
            else
                add(&in, (char[]){(char)next_random(256)}, 1);
        }
        size_t max_lines = 1 + next_random(40), max_bytes = 100 + next_random(4000);
        struct rhm_scrollback *whole = create(max_lines, max_bytes), *pieces = create(max_lines, max_bytes);
        rhm_scrollback_write(whole, in.text, in.n);
        for (size_t at = 0; at < in.n;) {
            size_t n = 1 + next_random(9);
            n = n < in.n - at ? n : in.n - at;
            rhm_scrollback_write(pieces, in.text + at, n);
            rhm_scrollback_rows(pieces, 1 + (int)next_random(20));
            at += n;
        }
        char *text = saved(whole);
        for (int k = 0; k < 3; k++) {
            int width = 2 + (int)next_random(30);
            char *a = rows_at(whole, width, true), *b = rows_at(pieces, width, true);
            assert_string_equal(a, b);
            free(a);
            free(b);
            a = rows_at(whole, width, false);
            b = naive_rows(text, width);
            assert_string_equal(a, b);
            free(a);
            free(b);
        }
        assert_true(rhm_scrollback_lines(whole) <= max_lines + 1);
        free(text);
        free(in.text);
        rhm_scrollback_free(whole);
        rhm_scrollback_free(pieces);
    }
}

/* --- limits ------------------------------------------------------------------------------------------ */

static void test_limits(void **unused)
{
    (void)unused;
    struct rhm_scrollback *sb = create(3, 1 << 20);
    for (int i = 1; i <= 9; i++) {
        char line[16];
        snprintf(line, sizeof line, "line %d\n", i);
        write_text(sb, line);
        assert_int_equal(rhm_scrollback_lines(sb), i < 3 ? i : 3);
        assert_int_equal(rhm_scrollback_rows(sb, 4), 2 * (i < 3 ? i : 3));
    }
    assert_rows(sb, 10, "line 7|line 8|line 9|");
    rhm_scrollback_free(sb);

    sb = create(1000000, 4000); /* bytes */
    for (int i = 0; i < 1000; i++)
        write_text(sb, "0123456789 0123456789 0123456789 0123456789 012345\n");
    size_t lines = rhm_scrollback_lines(sb);
    assert_in_range(lines, 20, 78);
    assert_int_equal(rhm_scrollback_rows(sb, 10), 5 * lines);
    rhm_scrollback_free(sb);

    sb = create(10, 1000); /* one line larger than the limits ends at a quarter of them */
    for (int i = 0; i < 1000; i++)
        write_text(sb, "0123456789");
    assert_true(rhm_scrollback_lines(sb) <= 5);
    assert_true(rhm_scrollback_rows(sb, 1) <= 1250);
    rhm_scrollback_free(sb);
}

static void test_places(void **unused)
{
    (void)unused;
    struct rhm_scrollback *sb = create(100, 1 << 20);
    for (int i = 0; i < 100; i++)
        write_text(sb, "twenty characters...\n");
    uint64_t line = rhm_scrollback_line_at(sb, 10, 101);
    assert_int_equal(rhm_scrollback_row_of(sb, 10, line), 100);
    assert_int_equal(rhm_scrollback_row_of(sb, 5, line), 200);
    assert_int_equal(rhm_scrollback_row_of(sb, 80, line), 50);
    for (int i = 0; i < 30; i++)
        write_text(sb, "new\n");
    assert_int_equal(rhm_scrollback_row_of(sb, 80, line), 20);
    assert_int_equal(rhm_scrollback_row_of(sb, 10, line), 40);
    assert_int_equal(rhm_scrollback_line_at(sb, 10, 40), line);
    for (int i = 0; i < 30; i++)
        write_text(sb, "new\n");
    assert_int_equal(rhm_scrollback_row_of(sb, 80, line), 0); /* dropped */
    assert_int_equal(rhm_scrollback_row_of(sb, 80, rhm_scrollback_line_at(sb, 80, SIZE_MAX)),
                     rhm_scrollback_rows(sb, 80));
    rhm_scrollback_free(sb);
}

static void test_version(void **unused)
{
    (void)unused;
    struct rhm_scrollback *sb = create(100, 1 << 20);
    uint64_t version = rhm_scrollback_version(sb);
    write_text(sb, "");
    rhm_scrollback_rows(sb, 10);
    assert_int_equal(rhm_scrollback_version(sb), version);
    write_text(sb, "x");
    assert_int_not_equal(rhm_scrollback_version(sb), version);
    rhm_scrollback_free(sb);
}

/* A meter that rewrites its line a million times takes no more memory than the line. */
static void none(void *context)
{
    (void)context;
}

static void test_meter(void **unused)
{
    (void)unused;
    struct rhm_stream s = {.style = RHM_CELL_PLAIN, .limit = 1 << 20, .newline = none};
    int rounds = getenv("VALGRIND") ? 10000 : 1000000;
    for (int i = 0; i < rounds; i++) {
        static const char *const text[] = {"\r 10 % \xe2\x96\x88", "\r 20 % \xe2\x96\x88\xe2\x96\x88",
                                           "\r\033[K"};
        rhm_stream_write(&s, text[i % 3], strlen(text[i % 3]));
    }
    assert_true(s.line.pool_capacity <= 1 << 14);
    assert_true(s.line.capacity <= 1 << 10);
    rhm_line_free(&s.line);
}

/* Of the processor: others may use the machine. */
static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void no_drawing(void *context, const char *text, size_t bytes, int columns,
                       const struct rhm_cell_style *style)
{
    (void)text, (void)bytes, (void)columns, (void)style;
    ++*(size_t *)context;
}

/* The figures are printed; the limits are for slow builds (sanitizers). */
static void test_speed(void **unused)
{
    (void)unused;
    int lines = getenv("VALGRIND") ? 10000 : 1000000;
    static const char *const samples[] = {"12345 short line of text\n",
                                          "\033[32m12345\033[m \xe2\x96\x88\xe2\x96\x84 text\n"};
    for (size_t k = 0; k < COUNT(samples); k++) {
        struct rhm_scrollback *sb = create(100000, 64 << 20);
        double start = seconds();
        for (int i = 0; i < lines; i++)
            write_text(sb, samples[k]);
        double written = seconds() - start;
        rhm_scrollback_rows(sb, 10);
        double wrapped = seconds();
        rhm_scrollback_rows(sb, 7);
        wrapped = seconds() - wrapped;
        print_message("%d lines in %.3f s; %zu wrapped in %.4f s\n", lines, written, rhm_scrollback_lines(sb),
                      wrapped);
        assert_true(written < 10 && wrapped < 2);
        rhm_scrollback_free(sb);
    }
    /* a megabyte without \n, in pieces; a frame of it */
    struct rhm_scrollback *sb = create(1000, 64 << 20);
    char piece[1000];
    for (int i = 0; i < 999; i += 3)
        memcpy(piece + i, "\xe4\xb8\xad", 3);
    piece[999] = 'x';
    double start = seconds();
    for (int i = 0; i < 1000; i++)
        rhm_scrollback_write(sb, piece, 1000);
    size_t rows = rhm_scrollback_rows(sb, 80), runs = 0;
    assert_int_equal(rhm_scrollback_lines(sb), 1);
    assert_in_range(rows, 666 * 1000 / 80, 668 * 1000 / 78);
    double written = seconds() - start;
    start = seconds();
    for (int frame = 0; frame < 10; frame++)
        for (size_t row = rows - 50; row < rows; row++)
            rhm_scrollback_row(sb, 80, row, no_drawing, &runs);
    double drawn = seconds() - start;
    assert_int_equal(runs, 500);
    print_message("a line of 1 MB in %.3f s; ten frames of its end in %.4f s\n", written, drawn);
    assert_true(written < 10 && drawn < 5);
    rhm_scrollback_free(sb);
}

/* --- search ------------------------------------------------------------------------------------------ */

static void test_find(void **unused)
{
    (void)unused;
    struct rhm_scrollback *sb = create(100, 1 << 20);
    write_text(sb, "alpha beta\nGamma\n\nalpha \xc3\x84rger\nbeta: alphabet soup of alphas");
    /* rows at 10: 0 "alpha beta", 1 "Gamma", 2 "", 3 "alpha Ärge", 4 "r", 5 "beta: alph", 6 "abet soup ", 7
     * "of alphas" */
    assert_int_equal(rhm_scrollback_rows(sb, 10), 8);
    static const struct {
        const char *pattern;
        size_t from;
        int upwards;
        size_t found;
    } finds[] = {
        {"alpha", SIZE_MAX, 1, 7},
        {"alpha", 7, 1, 5},
        {"alpha", 5, 1, 3},
        {"alpha", 3, 1, 0},
        {"alpha", 0, 1, SIZE_MAX},
        {"alphabet", 8, 1, 5},
        {"alpha", SIZE_MAX, 0, 0},
        {"alpha", 0, 0, 3},
        {"alpha", 3, 0, 5},
        {"alpha", 5, 0, 7},
        {"alpha", 7, 0, SIZE_MAX},
        {"gamma", SIZE_MAX, 1, 1},
        {"GAMMA", SIZE_MAX, 1, SIZE_MAX},
        {"Gamma", SIZE_MAX, 1, 1},
        {"\xc3\xa4rger", SIZE_MAX, 1, 3},
        {"\xc3\x84RGER", SIZE_MAX, 1, SIZE_MAX},
        {"\xc3\x84rger", SIZE_MAX, 1, 3},
        {"", SIZE_MAX, 1, SIZE_MAX},
        {"soup of", SIZE_MAX, 1, 6},
        {"beta\nGamma", SIZE_MAX, 1, SIZE_MAX},
        {"\xff", SIZE_MAX, 1, SIZE_MAX},
        {"alphas and more", SIZE_MAX, 1, SIZE_MAX},
        {"a", 100, 0, SIZE_MAX},
    };
    for (size_t i = 0; i < COUNT(finds); i++) {
        size_t found = rhm_scrollback_find(sb, 10, finds[i].pattern, finds[i].from, finds[i].upwards);
        if (found != finds[i].found)
            fail_msg("\"%s\" from %zd: row %zd, not %zd", finds[i].pattern, finds[i].from, found,
                     finds[i].found);
    }
    rhm_scrollback_free(sb);
    sb = create(10, 1000);
    assert_true(rhm_scrollback_find(sb, 10, "x", SIZE_MAX, 1) == SIZE_MAX);
    assert_true(rhm_scrollback_find(sb, 10, "x", SIZE_MAX, 0) == SIZE_MAX);
    rhm_scrollback_free(sb);
}

int main(void)
{
    if (!setlocale(LC_ALL, "C.UTF-8")) {
        puts("1..0 # SKIP no C.UTF-8 locale");
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),   cmocka_unit_test(test_styles),     cmocka_unit_test(test_split),
        cmocka_unit_test(test_settle), cmocka_unit_test(test_locale_c),   cmocka_unit_test(test_wrap),
        cmocka_unit_test(test_fuzz),   cmocka_unit_test(test_wrap_naive), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_places), cmocka_unit_test(test_version),    cmocka_unit_test(test_meter),
        cmocka_unit_test(test_speed),  cmocka_unit_test(test_find),
    };
    return cmocka_run_group_tests_name("scrollback", tests, NULL, NULL);
}
