/* cnn_optimiser.c - see cnn_optimiser.h. */
#include "engine/baselines/cnn_optimiser.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

/* Kingma and Ba, ICLR 2015. */
#define BETA_1  0.9
#define BETA_2  0.999
#define EPSILON 1e-8

enum rhm_status rhm_cnn_optimise_init(struct rhm_cnn_optimise *o, enum rhm_cnn_optimiser kind,
                                      double momentum, size_t parameters, float *w, struct rhm_error *err)
{
    *o = (struct rhm_cnn_optimise){.kind = kind, .momentum = momentum, .w = w};
    o->first = rhm_array(parameters, sizeof *o->first, "the optimiser", err);
    if (kind == RHM_CNN_ADAM)
        o->second = rhm_array(parameters, sizeof *o->second, "the optimiser", err);
    if (o->first && (o->second || kind != RHM_CNN_ADAM))
        return RHM_OK;
    rhm_cnn_optimise_clear(o);
    return RHM_EMEMORY;
}

void rhm_cnn_optimise_clear(struct rhm_cnn_optimise *o)
{
    free(o->first);
    free(o->second);
    *o = (struct rhm_cnn_optimise){0};
}

void rhm_cnn_optimise_begin(struct rhm_cnn_optimise *o, double rate)
{
    o->step++;
    o->rate = (float)rate;
    if (o->kind == RHM_CNN_ADAM) {
        o->rate = (float)(rate / (1 - pow(BETA_1, (double)o->step)));
        o->root = (float)(1 / sqrt(1 - pow(BETA_2, (double)o->step)));
        o->epsilon = (float)EPSILON;
    }
}

/* v = mu v + g, w = w - rate v */
static void descend(const struct rhm_cnn_optimise *o, size_t first, size_t n, const float *g)
{
    float *restrict w = o->w + first, *restrict v = o->first + first;
    float rate = o->rate, momentum = (float)o->momentum;
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        v[i] = momentum * v[i] + g[i];
        w[i] -= rate * v[i];
    }
}

/* Without a call that could set errno, so that loops become vector code: a guess from the exponent and three
 * steps of Newton for 1/sqrt, times x. To 4 units in the last place; 0 gives 0. */
static inline float root_of(float x)
{
    uint32_t bits;
    float y;
    memcpy(&bits, &x, sizeof bits);
    bits = UINT32_C(0x5f375a86) - (bits >> 1);
    memcpy(&y, &bits, sizeof y);
    y *= 1.5f - 0.5f * x * y * y;
    y *= 1.5f - 0.5f * x * y * y;
    y *= 1.5f - 0.5f * x * y * y;
    return x * y;
}

static void adapt(const struct rhm_cnn_optimise *o, size_t first, size_t n, const float *g)
{
    float *restrict w = o->w + first, *restrict m = o->first + first, *restrict v = o->second + first;
    float rate = o->rate, root = o->root, epsilon = o->epsilon;
    const float b1 = (float)BETA_1, b2 = (float)BETA_2, c1 = (float)(1 - BETA_1), c2 = (float)(1 - BETA_2);
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        m[i] = b1 * m[i] + c1 * g[i];
        v[i] = b2 * v[i] + c2 * g[i] * g[i];
        w[i] -= rate * m[i] / (root * root_of(v[i]) + epsilon);
    }
}

void rhm_cnn_optimise_update(void *optimise, size_t first, size_t n, const float *gradient)
{
    const struct rhm_cnn_optimise *o = optimise;
    if (o->kind == RHM_CNN_ADAM)
        adapt(o, first, n, gradient);
    else
        descend(o, first, n, gradient);
}
