/* sgr.h - "select graphic rendition", the escape sequences ESC [ ... m. */
#ifndef RHM_SGR_H
#define RHM_SGR_H

#include "terminal/style.h"

/* Changes the style by the parameters of one sequence, the text between "ESC [" and "m". RGB colours become
 * the nearest of the 256; what the style has no place for (blinking, fonts, ...) is left out. */
void rhm_sgr_apply(struct rhm_cell_style *style, const char *parameters);

#endif
