/* sgr.c - see sgr.h. Parameters are split at ';', and each of them may have parts split at ':' (ISO 8613-6).
 */
#include "terminal/sgr.h"

#include <stdlib.h>

enum { MAX_PARTS = 8, COLOUR_OUT_OF_RANGE = -2 };

/* One parameter: its parts; an empty part is -1. */
struct parameter {
    int part[MAX_PARTS];
    int n;
};

/* Reads a parameter; returns what follows its ';', or NULL after the last one. */
static const char *read_parameter(const char *text, struct parameter *p)
{
    p->n = 0;
    for (int value = -1;; text++) {
        if (*text >= '0' && *text <= '9') {
            value = value < 0 ? 0 : value;
            value = value < 10000 ? 10 * value + (*text - '0') : value;
            continue;
        }
        if (p->n < MAX_PARTS)
            p->part[p->n++] = value;
        value = -1;
        if (*text != ':')
            return *text ? text + 1 : NULL;
    }
}

static int square(int a)
{
    return a * a;
}

/* The nearest of the 6x6x6 cube (16 .. 231: levels 0, 95, 135, ... 255) and of the greys (232 .. 255: 8, 18,
 * ...). */
static int nearest_colour(const int rgb[3])
{
    int cube = 16, far = 0;
    static const int weight[3] = {36, 6, 1};
    for (int i = 0; i < 3; i++) {
        int step = rgb[i] < 48 ? 0 : rgb[i] < 115 ? 1 : (rgb[i] - 35) / 40;
        cube += weight[i] * step;
        far += square((step ? 55 + 40 * step : 0) - rgb[i]);
    }
    int mean = (rgb[0] + rgb[1] + rgb[2]) / 3, grey = mean < 8 ? 0 : mean > 238 ? 23 : (mean - 3) / 10;
    int value = 8 + 10 * grey;
    int grey_far = square(value - rgb[0]) + square(value - rgb[1]) + square(value - rgb[2]);
    return grey_far < far ? 232 + grey : cube;
}

static int clamp(int value)
{
    return value < 0 ? 0 : value > 255 ? 255 : value;
}

/* The colour of "5;n" or "2;r;g;b": v holds what follows 38 or 48. */
static int extended_colour(const int *v, int n)
{
    if (n >= 2 && v[0] == 5)
        return v[1] <= 255 ? clamp(v[1]) : COLOUR_OUT_OF_RANGE;
    if (n >= 4 && v[0] == 2)
        return nearest_colour((int[3]){clamp(v[1]), clamp(v[2]), clamp(v[3])});
    return COLOUR_OUT_OF_RANGE;
}

/* 38, 48 and 58 (the colour of underlines, not kept) with what belongs to them, which may be parts or
 * parameters of their own. Returns where to read on. */
static const char *apply_extended(struct rhm_cell_style *style, struct parameter p, const char *text)
{
    int code = p.part[0], v[4], n = 0;
    if (p.n > 1) { /* with ':' an RGB colour may name its colour space first: 38:2:SPACE:r:g:b */
        int skip = p.part[1] == 2 && p.n >= 6;
        v[n++] = p.part[1];
        for (int i = 2 + skip; i < p.n && n < 4; i++)
            v[n++] = p.part[i];
    } else {
        int wanted = 1;
        while (text && n < wanted) {
            text = read_parameter(text, &p);
            v[n++] = p.part[0];
            if (n == 1)
                wanted = v[0] == 5 ? 2 : v[0] == 2 ? 4 : 1;
        }
    }
    int colour = extended_colour(v, n);
    if (colour != COLOUR_OUT_OF_RANGE && code == 38)
        style->fg = (short)colour;
    else if (colour != COLOUR_OUT_OF_RANGE && code == 48)
        style->bg = (short)colour;
    return text;
}

static void apply_code(struct rhm_cell_style *style, int code)
{
    switch (code) {
    case 0:
        *style = RHM_CELL_PLAIN;
        break;
    case 1:
        style->bold = 1;
        break;
    case 2:
        style->dim = 1;
        break;
    case 3:
        style->italic = 1;
        break;
    case 4:
    case 21:
        style->underline = 1;
        break;
    case 7:
        style->reverse = 1;
        break;
    case 22:
        style->bold = style->dim = 0;
        break;
    case 23:
        style->italic = 0;
        break;
    case 24:
        style->underline = 0;
        break;
    case 27:
        style->reverse = 0;
        break;
    case 39:
        style->fg = -1;
        break;
    case 49:
        style->bg = -1;
        break;
    default:
        if (code >= 30 && code <= 37)
            style->fg = (short)(code - 30);
        else if (code >= 40 && code <= 47)
            style->bg = (short)(code - 40);
        else if (code >= 90 && code <= 97)
            style->fg = (short)(code - 82);
        else if (code >= 100 && code <= 107)
            style->bg = (short)(code - 92);
    }
}

void rhm_sgr_apply(struct rhm_cell_style *style, const char *text)
{
    while (text) {
        struct parameter p;
        text = read_parameter(text, &p);
        int code = p.part[0] < 0 ? 0 : p.part[0];
        if (code == 38 || code == 48 || code == 58)
            text = apply_extended(style, p, text);
        else if (p.n == 1)
            apply_code(style, code);
        else if (code == 4) /* 4:3, a wavy line, and so on; 4:0 ends it */
            style->underline = p.part[1] != 0;
    }
}
