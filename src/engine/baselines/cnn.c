/* cnn.c - the convolutional network as an object: its options, its parameters, its locks. See cnn.h. */
#include "engine/baselines/cnn.h"
#include "engine/baselines/cnn_pass.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/linalg.h"
#include "engine/base/memory.h"
#include "engine/base/rng.h"

struct rhm_cnn_options rhm_cnn_defaults(void)
{
    return (struct rhm_cnn_options){.h = RHM_CNN_DEFAULT_WIDTH, .scaling = RHM_CNN_MEAN_FIELD};
}

static enum rhm_status check_options(const struct rhm_cnn_options *o, struct rhm_error *err)
{
    enum rhm_status status = rhm_symbols_check(o->V, o->classes, err);
    if (status == RHM_OK)
        status = rhm_branches_check(o->L, o->s, o->branch, err);
    if (status != RHM_OK)
        return status;
    if (o->h < 1 || o->h > 1 << 20)
        return rhm_fail(err, RHM_EARG, "h = %" PRId64 ": must be 1..%d", o->h, 1 << 20);
    return rhm_branches_check_length(o->V, o->s, o->branch, (unsigned)o->L, o->d, err);
}

/* Weights at `weight`, biases after them. */
static size_t place(struct rhm_cnn_layer *layer, size_t at)
{
    layer->weight = at;
    layer->bias = at + layer->sets * layer->inputs * layer->outputs;
    return layer->bias + layer->sets * layer->outputs;
}

static enum rhm_status lay_out(struct rhm_cnn *net, struct rhm_error *err)
{
    double numbers = 0;
    for (unsigned l = 0; l <= net->L; l++) {
        struct rhm_cnn_layer *layer = &net->layer[l];
        size_t channels = l == net->L ? net->symbols : net->h;
        layer->positions = l > 0 ? (size_t)rhm_places(net->branch, 1, l - 1) : 1;
        layer->sets = net->local && l > 0 ? layer->positions : 1;
        layer->inputs = l > 0 ? net->branch[l] * channels : net->h;
        layer->outputs = l > 0 ? net->h : net->classes;
        layer->scale = net->scaling == RHM_CNN_STANDARD ? 1
                       : l == 0                         ? 1 / (float)net->h
                                                        : 1 / sqrtf((float)channels);
        numbers += (double)layer->sets * ((double)layer->inputs + 1) * (double)layer->outputs;
    }
    /* A training with Adam holds the weights, their gradient and two moments. */
    enum rhm_status status =
        rhm_memory_check(4 * sizeof(float) * numbers, "training the network", "a smaller h", err);
    if (status != RHM_OK)
        return status;
    for (unsigned l = 0; l <= net->L; l++) {
        net->parameters = place(&net->layer[l], net->parameters);
        status = rhm_linalg_dimension("s V or s h", net->layer[l].inputs, err);
        if (status != RHM_OK)
            return status;
    }
    return RHM_OK;
}

/* Weight i of layer l is a pure function of (seed, l, i). */
static void draw_weights(struct rhm_cnn *net)
{
    for (unsigned l = 0; l <= net->L; l++) {
        const struct rhm_cnn_layer *layer = &net->layer[l];
        double deviation =
            net->scaling == RHM_CNN_MEAN_FIELD ? 1 : sqrt((l > 0 ? 2.0 : 1.0) / (double)layer->inputs);
        float *w = net->w + layer->weight;
        size_t n = layer->bias - layer->weight;
#pragma omp parallel for if (n > 10000)
        for (size_t i = 0; i < n; i += 2) {
            double pair[2];
            struct rhm_rng rng = rhm_rng_start(net->seed, RHM_STREAM_WEIGHTS + l, i / 2);
            rhm_rng_gauss_pair(&rng, pair);
            w[i] = (float)(deviation * pair[0]);
            if (i + 1 < n)
                w[i + 1] = (float)(deviation * pair[1]);
        }
        for (size_t i = 0; i < layer->sets * layer->outputs; i++)
            net->w[layer->bias + i] = 0;
    }
}

enum rhm_status rhm_cnn_create(struct rhm_cnn **out, const struct rhm_cnn_options *o, struct rhm_error *err)
{
    enum rhm_status status = check_options(o, err);
    if (status != RHM_OK)
        return status;
    struct rhm_cnn *net = rhm_array(1, sizeof *net, "the network", err);
    if (net == NULL)
        return RHM_EMEMORY;
    net->V = (unsigned)o->V;
    net->L = (unsigned)o->L;
    rhm_branches_set(net->branch, net->L, o->s, o->branch);
    net->s = rhm_branches_common(net->branch, net->L);
    net->classes = (unsigned)(o->classes > 0 ? o->classes : o->V);
    net->leaves = rhm_places(net->branch, 1, net->L);
    net->d = o->d > 0 ? (uint64_t)o->d : net->leaves;
    net->symbols = net->V + (net->d < net->leaves);
    net->h = (size_t)o->h;
    net->local = o->local != 0;
    net->scaling = o->scaling;
    net->seed = o->seed;
    status = lay_out(net, err);
    if (status == RHM_OK && (net->w = rhm_array(net->parameters, sizeof *net->w, "the weights", err)) == NULL)
        status = RHM_EMEMORY;
    if (status == RHM_OK && pthread_mutex_init(&net->lock, NULL) != 0)
        status = rhm_fail(err, RHM_EMEMORY, "the system gives no more locks");
    if (status != RHM_OK) {
        free(net->w);
        free(net);
        return status;
    }
    draw_weights(net);
    *out = net;
    return RHM_OK;
}

void rhm_cnn_free(struct rhm_cnn *net)
{
    if (net == NULL)
        return;
    pthread_mutex_destroy(&net->lock);
    free(net->history.point);
    free(net->w);
    free(net);
}

enum rhm_status rhm_cnn_reset(struct rhm_cnn *net, struct rhm_error *err)
{
    enum rhm_status status = rhm_claim_take(&net->claim, "the network", err);
    if (status != RHM_OK)
        return status;
    rhm_cnn_reset_claimed(net);
    rhm_claim_give(&net->claim);
    return RHM_OK;
}

void rhm_cnn_reset_claimed(struct rhm_cnn *net)
{
    pthread_mutex_lock(&net->lock);
    draw_weights(net);
    net->history.n = 0;
    net->steps = net->epochs = 0;
    pthread_mutex_unlock(&net->lock);
}

size_t rhm_cnn_history(struct rhm_cnn *net, uint64_t *steps, uint64_t *epochs, size_t room,
                       struct rhm_cnn_point *point)
{
    atomic_fetch_add(&net->readers_waiting, 1);
    pthread_mutex_lock(&net->lock);
    atomic_fetch_sub(&net->readers_waiting, 1);
    size_t n = net->history.n;
    if (steps)
        *steps = net->steps;
    if (epochs)
        *epochs = net->epochs;
    if (point && n > 0)
        memcpy(point, net->history.point, (n < room ? n : room) * sizeof *point);
    pthread_mutex_unlock(&net->lock);
    return n;
}

enum rhm_status rhm_cnn_check_data(const struct rhm_cnn *net, const struct rhm_dataset *data,
                                   struct rhm_error *err)
{
    char text[RHM_BRANCHES_TEXT];
    const struct rhm_reader reader = {.who = "the network",
                                      .length = rhm_branches_length(net->branch, net->L, net->d, text),
                                      .d = (size_t)net->d,
                                      .V = net->V,
                                      .classes = net->classes};
    return rhm_reader_check(&reader, data, err);
}
