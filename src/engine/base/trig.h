/* trig.h - cosines and sines of many phases at once. */
#ifndef RHM_TRIG_H
#define RHM_TRIG_H

#include <stddef.h>

/* cosine[i] = scale cos(phase[i]), sine[i] = scale sin(phase[i]); error below 4e-16 |scale|. `phase` may be
 * `cosine` or `sine` itself; otherwise the arrays do not overlap. */
void rhm_trig_sincos(size_t n, const double *phase, double scale, double *cosine, double *sine);

#endif
