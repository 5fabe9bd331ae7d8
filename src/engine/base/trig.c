/* trig.c - see trig.h. A loop without branches that compilers turn into vector code on any machine. */
#include "engine/base/trig.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* pi/2 in three parts; the first two have 33 bits, so that k times them is exact for |k| < 2^20 (Cody and
 * Waite). Polynomials: fdlibm's, minimax on [-pi/4, pi/4]. */
#define HALF_PI_1 0x1.921fb544p+0
#define HALF_PI_2 0x1.0b4611a6p-34
#define HALF_PI_3 0x1.3198a2e037073p-69
#define PHASE_MAX 0x1p20

static inline uint64_t bits_of(double x)
{
    uint64_t b;
    memcpy(&b, &x, sizeof b);
    return b;
}

static inline double double_of(uint64_t b)
{
    double x;
    memcpy(&x, &b, sizeof x);
    return x;
}

static inline void sincos_small(double x, double scale, double *cosine, double *sine)
{
    const double magic = 0x1.8p52; /* adding it rounds to an integer, found in the low bits */
    double shifted = x * 0x1.45f306dc9c883p-1 + magic;
    uint64_t quadrant = bits_of(shifted);
    double k = shifted - magic;
    double r = ((x - k * HALF_PI_1) - k * HALF_PI_2) - k * HALF_PI_3;
    double z = r * r;
    double s = r + r * z *
                       (-1.66666666666666324348e-01 +
                        z * (8.33333333332248946124e-03 +
                             z * (-1.98412698298579493134e-04 +
                                  z * (2.75573137070700676789e-06 +
                                       z * (-2.50507602534068634195e-08 + z * 1.58969099521155010221e-10)))));
    double c =
        1 - (0.5 * z -
             z * z *
                 (4.16666666666666019037e-02 +
                  z * (-1.38888888888741095749e-03 +
                       z * (2.48015872894767294178e-05 +
                            z * (-2.75573143513906633035e-07 +
                                 z * (2.08757232129817482790e-09 + z * -1.13596475577881948265e-11))))));
    uint64_t swap = 0 - (quadrant & 1), cb = bits_of(c), sb = bits_of(s), change = (cb ^ sb) & swap;
    *cosine = scale * double_of(cb ^ change ^ ((quadrant + 1) & 2) << 62);
    *sine = scale * double_of(sb ^ change ^ (quadrant & 2) << 62);
}

void rhm_trig_sincos(size_t n, const double *phase, double scale, double *cosine, double *sine)
{
    int large = 0;
    for (size_t i = 0; i < n; i++)
        large |= !(fabs(phase[i]) < PHASE_MAX);
    if (large) {
        for (size_t i = 0; i < n; i++) {
            double x = phase[i];
            cosine[i] = scale * cos(x);
            sine[i] = scale * sin(x);
        }
        return;
    }
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        double c, s;
        sincos_small(phase[i], scale, &c, &s);
        cosine[i] = c;
        sine[i] = s;
    }
}
