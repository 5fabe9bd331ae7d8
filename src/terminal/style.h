/* style.h - how a piece of text looks on the screen. */
#ifndef RHM_STYLE_H
#define RHM_STYLE_H

struct rhm_cell_style {
    short fg, bg; /* colours 0..255, or -1: the terminal's own */
    unsigned char bold, dim, italic, underline, reverse;
};

#define RHM_CELL_PLAIN ((struct rhm_cell_style){.fg = -1, .bg = -1})

#endif
