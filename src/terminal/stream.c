/* stream.c - see stream.h. The states are those of a VT500 (vt100.net/emu/dec_ansi_parser), without what
 * moves the cursor off its line. */
#define _GNU_SOURCE /* wcwidth */
#include "terminal/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "terminal/sgr.h"

enum { ESC = 0x1b, BEL = 7, CAN = 0x18, SUB = 0x1a };

uint32_t rhm_style_pack(const struct rhm_cell_style *s)
{
    uint32_t flags = (s->bold ? 1u : 0) | (s->dim ? 2u : 0) | (s->italic ? 4u : 0) | (s->underline ? 8u : 0) |
                     (s->reverse ? 16u : 0);
    return (uint32_t)(s->fg + 1) | (uint32_t)(s->bg + 1) << 9 | flags << 18;
}

struct rhm_cell_style rhm_style_unpack(uint32_t p)
{
    return (struct rhm_cell_style){.fg = (short)((int)(p & 511) - 1),
                                   .bg = (short)((int)(p >> 9 & 511) - 1),
                                   .bold = p >> 18 & 1,
                                   .dim = p >> 19 & 1,
                                   .italic = p >> 20 & 1,
                                   .underline = p >> 21 & 1,
                                   .reverse = p >> 22 & 1};
}

static void end_line(struct rhm_stream *s)
{
    s->newline(s->context);
    rhm_line_clear(&s->line);
}

/* Makes room on the line for one more character; returns for how many there is. */
static size_t room(struct rhm_stream *s)
{
    struct rhm_line *line = &s->line;
    if (line->cursor >= s->limit || line->live >= s->limit)
        end_line(s);
    return s->limit - (line->cursor > line->live ? line->cursor : line->live);
}

static void put(struct rhm_stream *s, const char *text, size_t bytes, int width)
{
    room(s);
    rhm_line_put(&s->line, text, bytes, width, s->packed);
}

/* --- text -------------------------------------------------------------------------------------------- */

/* A byte that is no character here. */
static void put_byte(struct rhm_stream *s, unsigned char byte)
{
    char text[8];
    snprintf(text, sizeof text, "\\x%02X", byte);
    for (const char *c = text; *c; c++)
        put(s, c, 1, 1);
}

static void put_control(struct rhm_stream *s, unsigned char byte)
{
    put(s, "^", 1, 1);
    put(s, (char[]){(char)(byte ^ 64)}, 1, 1);
}

/* Writes the character that text begins with. Returns its length, 0 where more bytes are needed. */
static size_t put_character(struct rhm_stream *s, const char *text, size_t n)
{
    wchar_t wide = 0;
    size_t length = mbrtowc(&wide, text, n, &(mbstate_t){0});
    if (length == (size_t)-2 && n < sizeof s->partial)
        return 0;
    if (length == 0 || length > n) {
        put_byte(s, (unsigned char)*text);
        return 1;
    }
    int width = wcwidth(wide);
    if (width >= 0)
        put(s, text, length, width > 2 ? 2 : width);
    else
        for (size_t i = 0; i < length; i++)
            put_byte(s, (unsigned char)text[i]);
    return length;
}

static void drop_partial(struct rhm_stream *s, size_t n)
{
    s->npartial -= n;
    memmove(s->partial, s->partial + n, s->npartial);
}

/* --- escape sequences -------------------------------------------------------------------------------- */

static void end_csi(struct rhm_stream *s, char last)
{
    s->state = RHM_STREAM_TEXT;
    if (s->nparameters >= sizeof s->parameters)
        return;
    s->parameters[s->nparameters] = '\0';
    if (strspn(s->parameters, "0123456789;:") != s->nparameters)
        return; /* private sequences, and those with intermediate bytes */
    if (last == 'm') {
        rhm_sgr_apply(&s->style, s->parameters);
        s->packed = rhm_style_pack(&s->style);
    } else if (last == 'K') {
        switch (atoi(s->parameters)) {
        case 0:
            rhm_line_erase_right(&s->line);
            break;
        case 1:
            rhm_line_erase_left(&s->line);
            break;
        case 2:
            rhm_line_erase(&s->line);
            break;
        }
    }
}

static void begin_escape(struct rhm_stream *s, unsigned char byte)
{
    s->state = RHM_STREAM_TEXT;
    if (byte == '[') {
        s->state = RHM_STREAM_CSI;
        s->nparameters = 0;
    } else if (byte == ']') {
        s->state = RHM_STREAM_COMMAND;
    } else if (byte == 'P' || byte == 'X' || byte == '^' || byte == '_') {
        s->state = RHM_STREAM_STRING;
    } else if (byte >= 0x20 && byte < 0x30) {
        s->state = RHM_STREAM_CHARSET;
    }
}

static void take_control(struct rhm_stream *s, unsigned char byte)
{
    struct rhm_line *line = &s->line;
    switch (byte) {
    case '\n':
        end_line(s);
        break;
    case '\r':
        line->cursor = 0;
        break;
    case '\b':
        line->cursor -= line->cursor > 0;
        break;
    case '\t':
        if (line->cursor < s->limit)
            rhm_line_tab(line);
        break;
    case ESC:
        s->state = RHM_STREAM_ESCAPE;
        break;
    default:
        put_control(s, byte);
    }
}

/* A byte in the middle of a sequence. False: it does not belong there and is read again, as text. */
static bool take_escaped(struct rhm_stream *s, unsigned char byte)
{
    bool text = s->state == RHM_STREAM_STRING || s->state == RHM_STREAM_COMMAND;
    if (byte == ESC) {
        s->state = RHM_STREAM_ESCAPE; /* the "\" of ESC \ is a sequence that does nothing */
    } else if (byte == CAN || byte == SUB || (byte == BEL && s->state == RHM_STREAM_COMMAND)) {
        s->state = RHM_STREAM_TEXT;
    } else if (byte == '\n' && s->state == RHM_STREAM_COMMAND) {
        s->state = RHM_STREAM_TEXT; /* a stray "ESC ]" must not swallow the session */
        return false;
    } else if (text) {
        return true;
    } else if (byte < 0x20) {
        take_control(s, byte); /* as terminals do: it works within the sequence */
    } else if (byte >= 0x7f) {
        s->state = RHM_STREAM_TEXT;
        return false;
    } else if (s->state == RHM_STREAM_ESCAPE) {
        begin_escape(s, byte);
    } else if (s->state == RHM_STREAM_CHARSET) {
        s->state = byte < 0x30 ? RHM_STREAM_CHARSET : RHM_STREAM_TEXT;
    } else if (byte >= 0x40) {
        end_csi(s, (char)byte);
    } else {
        if (s->nparameters < sizeof s->parameters)
            s->parameters[s->nparameters++] = (char)byte;
    }
    return true;
}

/* --- the stream -------------------------------------------------------------------------------------- */

/* Reads some bytes, at least one; returns how many. */
static size_t take(struct rhm_stream *s, const char *bytes, size_t n)
{
    unsigned char byte = (unsigned char)*bytes;
    if (s->state != RHM_STREAM_TEXT)
        return take_escaped(s, byte);
    if (byte >= 0x80) {
        size_t used = put_character(s, bytes, n);
        if (used == 0) { /* fewer bytes than partial holds */
            memcpy(s->partial, bytes, n);
            s->npartial = used = n;
        }
        return used;
    }
    if (byte < 0x20 || byte == 0x7f) {
        take_control(s, byte);
        return 1;
    }
    size_t used = 1, most = room(s);
    most = most < n ? most : n;
    while (used < most && bytes[used] >= 0x20 && bytes[used] < 0x7f)
        used++;
    rhm_line_put_ascii(&s->line, bytes, used, s->packed);
    return used;
}

/* Completes the character begun in an earlier piece with one more byte. */
static void take_partial(struct rhm_stream *s, char byte)
{
    s->partial[s->npartial++] = byte;
    while (s->npartial > 0) {
        size_t used;
        if ((unsigned char)*s->partial >= 0x80) {
            used = put_character(s, s->partial, s->npartial);
            if (used == 0)
                return;
        } else { /* a byte that broke the character off */
            used = take(s, s->partial, 1);
        }
        drop_partial(s, used);
    }
}

void rhm_stream_write(struct rhm_stream *s, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n;) {
        if (s->npartial > 0)
            take_partial(s, bytes[i++]);
        else
            i += take(s, bytes + i, n - i);
    }
}

void rhm_stream_settle(struct rhm_stream *s)
{
    for (size_t i = 0; i < s->npartial; i++)
        put_byte(s, (unsigned char)s->partial[i]);
    s->npartial = 0;
    s->state = RHM_STREAM_TEXT;
    s->style = RHM_CELL_PLAIN;
    s->packed = 0;
    if (s->line.n > 0)
        end_line(s);
}
