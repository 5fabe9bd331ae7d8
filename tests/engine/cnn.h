/* cnn.h - for the tests of convolutional networks: networks, strings. */
#ifndef RHM_TESTS_CNN_H
#define RHM_TESTS_CNN_H

#include "common.h"

#include "engine/base/rng.h"
#include "engine/baselines/cnn.h"

static inline struct rhm_cnn *make(struct rhm_cnn_options o)
{
    struct rhm_cnn *net = NULL;
    must(rhm_cnn_create(&net, &o, &err));
    return net;
}

static inline struct rhm_dataset random_strings(size_t n, uint64_t d, unsigned V, unsigned classes)
{
    struct rhm_dataset data;
    must(rhm_dataset_init(&data, n, (size_t)d, V, classes, &err));
    struct rhm_rng rng = rhm_rng_start(11, RHM_STREAM_TEST, n);
    for (size_t i = 0; i < n * d; i++)
        data.tokens[i] = (uint16_t)rhm_rng_below(&rng, V);
    for (size_t i = 0; i < n; i++)
        data.labels[i] = (uint16_t)rhm_rng_below(&rng, classes);
    return data;
}

/* Weights as they are, biases drawn, so that these count as well. */
static inline void draw_biases(struct rhm_cnn *net)
{
    struct rhm_rng rng = rhm_rng_start(12, RHM_STREAM_TEST, net->parameters);
    for (unsigned l = 0; l <= net->L; l++)
        for (size_t i = 0; i < net->layer[l].sets * net->layer[l].outputs; i++)
            net->w[net->layer[l].bias + i] = (float)(0.4 * rhm_rng_uniform(&rng) - 0.2);
}

#endif
