/* cnn_optimiser.h - stochastic gradient descent with momentum, and Adam; not installed. */
#ifndef RHM_CNN_OPTIMISER_H
#define RHM_CNN_OPTIMISER_H

#include "engine/baselines/cnn.h"

struct rhm_cnn_optimise {
    enum rhm_cnn_optimiser kind;
    double momentum;
    float *w;              /* borrowed */
    float *first, *second; /* velocity (SGD), or Adam's moments; owned; second NULL for SGD */
    uint64_t step;
    float rate;          /* of this step; for Adam with its correction of the first moment */
    float root, epsilon; /* Adam: 1/sqrt(1 - beta2^t) */
};

enum rhm_status rhm_cnn_optimise_init(struct rhm_cnn_optimise *o, enum rhm_cnn_optimiser kind,
                                      double momentum, size_t parameters, float *w, struct rhm_error *err);
void rhm_cnn_optimise_clear(struct rhm_cnn_optimise *o);

/* Before the updates of a step. */
void rhm_cnn_optimise_begin(struct rhm_cnn_optimise *o, double rate);

/* An rhm_cnn_update (cnn_pass.h); the context is the struct. */
void rhm_cnn_optimise_update(void *optimise, size_t first, size_t n, const float *gradient);

#endif
