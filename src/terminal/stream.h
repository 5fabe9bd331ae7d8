/* stream.h - reads what a program writes to a terminal: text, control characters, escape sequences. */
#ifndef RHM_STREAM_H
#define RHM_STREAM_H

#include "terminal/line.h"
#include "terminal/style.h"

enum rhm_stream_state {
    RHM_STREAM_TEXT,
    RHM_STREAM_ESCAPE,  /* after ESC */
    RHM_STREAM_CHARSET, /* after ESC and one of the bytes 0x20 .. 0x2f */
    RHM_STREAM_CSI,     /* after ESC [ */
    RHM_STREAM_COMMAND, /* an OSC: to BEL, ESC \ or the end of the line */
    RHM_STREAM_STRING,  /* a DCS, PM, APC or SOS: to ESC \ */
};

struct rhm_stream {
    struct rhm_line line; /* the one being written */
    struct rhm_cell_style style;
    uint32_t packed; /* style, as cells keep it */
    enum rhm_stream_state state;
    char parameters[128]; /* of the CSI, without its last byte */
    size_t nparameters;   /* above what fits: the sequence is ignored */
    char partial[16];     /* the first bytes of a multibyte character */
    size_t npartial;
    size_t limit;                   /* columns and bytes at which a line ends by itself */
    void (*newline)(void *context); /* takes the line, which is cleared after it */
    void *context;
};

void rhm_stream_write(struct rhm_stream *s, const char *bytes, size_t n);

/* Ends what is unfinished, an escape sequence, a character, a line, and goes back to the plain style. */
void rhm_stream_settle(struct rhm_stream *s);

uint32_t rhm_style_pack(const struct rhm_cell_style *style);
struct rhm_cell_style rhm_style_unpack(uint32_t packed); /* 0: plain */

#endif
