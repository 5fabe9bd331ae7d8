/* onestep.c - one-step models as objects: options, trainings, predictions. See onestep.h; what a training
 * computes is in onestep_fit.c. */
#include "engine/baselines/onestep.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/matrix.h"
#include "engine/base/memory.h"
#include "engine/baselines/onestep_fit.h"
#include "engine/data/accuracy.h"

struct rhm_onestep_options rhm_onestep_defaults(void)
{
    return (struct rhm_onestep_options){.h = RHM_ONESTEP_DEFAULT_WIDTH,
                                        .restarts = RHM_ONESTEP_DEFAULT_RESTARTS};
}

static enum rhm_status check_options(const struct rhm_onestep_options *o, struct rhm_error *err)
{
    enum rhm_status status = rhm_symbols_check(o->V, o->classes, err);
    if (status == RHM_OK)
        status = rhm_branches_check(o->L, o->s, o->branch, err);
    if (status != RHM_OK)
        return status;
    if (o->h < 1 || o->h > 1 << 20)
        return rhm_fail(err, RHM_EARG, "h = %" PRId64 ": must be 1..%d", o->h, 1 << 20);
    if (o->restarts < 1 || o->restarts > 10000)
        return rhm_fail(err, RHM_EARG, "restarts = %" PRId64 ": must be 1..10000", o->restarts);
    return rhm_branches_check_length(o->V, o->s, o->branch, (unsigned)o->L, o->d, err);
}

enum rhm_status rhm_onestep_create(struct rhm_onestep **out, const struct rhm_onestep_options *o,
                                   struct rhm_error *err)
{
    enum rhm_status status = check_options(o, err);
    if (status != RHM_OK)
        return status;
    struct rhm_onestep *net = rhm_array(1, sizeof *net, "the model", err);
    if (net == NULL)
        return RHM_EMEMORY;
    net->V = (unsigned)o->V;
    net->L = (unsigned)o->L;
    net->classes = (unsigned)(o->classes > 0 ? o->classes : o->V);
    rhm_branches_set(net->branch, net->L, o->s, o->branch);
    net->leaves = rhm_places(net->branch, 1, net->L);
    net->d = o->d > 0 ? (uint64_t)o->d : net->leaves;
    net->symbols = net->V + (net->d < net->leaves);
    net->h = (size_t)o->h;
    net->restarts = (unsigned)o->restarts;
    net->rate = o->rate;
    net->seed = o->seed;
    if (pthread_mutex_init(&net->lock, NULL) != 0) {
        free(net);
        return rhm_fail(err, RHM_EMEMORY, "the system gives no more locks");
    }
    *out = net;
    return RHM_OK;
}

void rhm_onestep_free(struct rhm_onestep *net)
{
    if (net == NULL)
        return;
    rhm_onestep_fit_clear(&net->fit);
    pthread_mutex_destroy(&net->lock);
    free(net);
}

enum rhm_status rhm_onestep_check_data(const struct rhm_onestep *net, const struct rhm_dataset *data,
                                       struct rhm_error *err)
{
    char text[RHM_BRANCHES_TEXT];
    const struct rhm_reader reader = {.who = "the model",
                                      .length = rhm_branches_length(net->branch, net->L, net->d, text),
                                      .d = (size_t)net->d,
                                      .V = net->V,
                                      .classes = net->classes};
    return rhm_reader_check(&reader, data, err);
}

enum rhm_status rhm_onestep_claim(struct rhm_onestep *net, const struct rhm_dataset *data,
                                  struct rhm_error *err)
{
    enum rhm_status status = rhm_onestep_check_data(net, data, err);
    return status == RHM_OK ? rhm_claim_take(&net->claim, "the model", err) : status;
}

enum rhm_status rhm_onestep_train(struct rhm_onestep *net, const struct rhm_dataset *data,
                                  struct rhm_monitor *monitor, struct rhm_error *err)
{
    enum rhm_status status = rhm_onestep_claim(net, data, err);
    return status == RHM_OK ? rhm_onestep_train_claimed(net, data, monitor, err) : status;
}

enum rhm_status rhm_onestep_train_claimed(struct rhm_onestep *net, const struct rhm_dataset *data,
                                          struct rhm_monitor *monitor, struct rhm_error *err)
{
    struct rhm_dataset labelled;
    struct rhm_onestep_fit *fit = rhm_array(1, sizeof *fit, "the model", err);
    enum rhm_status status = rhm_dataset_labelled(data, &labelled, &data, err);
    if (status == RHM_OK)
        status = fit ? rhm_monitor_poll(monitor, err) : RHM_EMEMORY;
    if (status == RHM_OK)
        status = rhm_onestep_fit(net, data, fit, monitor, err);
    if (status == RHM_OK) {
        struct rhm_onestep_fit old = net->fit;
        pthread_mutex_lock(&net->lock);
        net->fit = *fit;
        pthread_mutex_unlock(&net->lock);
        *fit = old;
    }
    if (fit)
        rhm_onestep_fit_clear(fit);
    free(fit);
    rhm_dataset_clear(&labelled);
    rhm_claim_give(&net->claim);
    return status;
}

size_t rhm_onestep_trained(struct rhm_onestep *net)
{
    pthread_mutex_lock(&net->lock);
    size_t n = net->fit.n;
    pthread_mutex_unlock(&net->lock);
    return n;
}

size_t rhm_onestep_clusters(struct rhm_onestep *net, unsigned l, size_t room, uint32_t *tuple,
                            uint32_t *cluster, uint32_t *clusters)
{
    pthread_mutex_lock(&net->lock);
    const struct rhm_onestep_layer *layer = &net->fit.layer[l];
    size_t n = net->fit.n > 0 ? layer->patches.n : 0, some = n < room ? n : room;
    if (some > 0) {
        memcpy(tuple, layer->patches.tuple, some * net->branch[l] * sizeof *tuple);
        memcpy(cluster, layer->cluster, some * sizeof *cluster);
    }
    *clusters = layer->clusters;
    pthread_mutex_unlock(&net->lock);
    return n;
}

/* ------------------------------------------------------------ predictions */

/* From the d tokens of a string to the clusters of layer `lowest` (2 or more; L + 1: the symbols), in place:
 * code has room for the leaves. */
static void ascend(const struct rhm_onestep *net, unsigned lowest, const uint16_t *tokens, uint32_t *code)
{
    for (size_t j = 0; j < net->leaves; j++)
        code[j] = j < net->d ? tokens[j] : net->V;
    for (unsigned l = net->L; l >= lowest; l--) {
        const struct rhm_onestep_layer *layer = &net->fit.layer[l];
        size_t s = net->branch[l], positions = rhm_onestep_positions(net, l);
        for (size_t p = 0; p < positions; p++) {
            size_t row = rhm_tuples_find(&layer->patches, code + p * s);
            code[p] = row == SIZE_MAX ? layer->unknown : layer->cluster[row];
        }
    }
}

static const double *answer(const struct rhm_onestep *net, const uint16_t *tokens, uint32_t *code)
{
    ascend(net, 2, tokens, code);
    size_t row = rhm_tuples_find(&net->fit.layer[1].patches, code);
    return row == SIZE_MAX ? net->fit.prior : net->fit.layer[1].output + row * net->classes;
}

/* What to do with strings first .. first + n - 1; code: room for their leaves. */
typedef void block_function(const struct rhm_onestep *net, const void *task, size_t first, size_t n,
                            const uint16_t *tokens, uint32_t *code);

static enum rhm_status in_blocks(struct rhm_onestep *net, size_t n, const uint16_t *tokens,
                                 block_function *work, const void *task, rhm_poll_function *poll,
                                 void *context, struct rhm_error *err)
{
    size_t d = (size_t)net->d, leaves = (size_t)net->leaves, block = 1 + (1 << 20) / leaves;
    enum rhm_status status = rhm_tokens_check(n, d, tokens, net->V, "the model", err);
    if (status != RHM_OK)
        return status;
    uint32_t *code = rhm_array((n < block ? n : block) * leaves, sizeof *code, "the strings", err);
    if (code == NULL)
        return RHM_EMEMORY;
    pthread_mutex_lock(&net->lock);
    status = net->fit.n > 0 ? RHM_OK : rhm_fail(err, RHM_ESTATE, "the model is not trained: train it first");
    for (size_t at = 0; at < n && status == RHM_OK; at += block) {
        work(net, task, at, n - at < block ? n - at : block, tokens + at * d, code);
        status = rhm_poll(poll, context, err);
    }
    pthread_mutex_unlock(&net->lock);
    free(code);
    return status;
}

struct prediction {
    uint16_t *labels;
    double *output;
};

static void predict_block(const struct rhm_onestep *net, const void *task, size_t first, size_t n,
                          const uint16_t *tokens, uint32_t *code)
{
    const struct prediction *to = task;
    size_t d = (size_t)net->d, leaves = (size_t)net->leaves, C = net->classes;
#pragma omp parallel for schedule(static) if (n * leaves > 10000)
    for (size_t i = 0; i < n; i++) {
        const double *f = answer(net, tokens + i * d, code + i * leaves);
        if (to->labels)
            to->labels[first + i] = (uint16_t)rhm_largest(f, C);
        if (to->output)
            memcpy(to->output + (first + i) * C, f, C * sizeof *f);
    }
}

enum rhm_status rhm_onestep_predict(struct rhm_onestep *net, size_t n, const uint16_t *tokens,
                                    uint16_t *labels, double *output, rhm_poll_function *poll, void *context,
                                    struct rhm_error *err)
{
    const struct prediction to = {labels, output};
    return in_blocks(net, n, tokens, predict_block, &to, poll, context, err);
}

struct picture {
    unsigned l;
    double *to;
};

static void picture_block(const struct rhm_onestep *net, const void *task, size_t first, size_t n,
                          const uint16_t *tokens, uint32_t *code)
{
    const struct picture *picture = task;
    size_t d = (size_t)net->d, leaves = (size_t)net->leaves, width = net->symbols;
    size_t positions = rhm_onestep_positions(net, picture->l);
#pragma omp parallel for schedule(static) if (n * leaves > 10000)
    for (size_t i = 0; i < n; i++) {
        uint32_t *own = code + i * leaves;
        double *to = picture->to + (first + i) * positions * width;
        ascend(net, picture->l, tokens + i * d, own);
        memset(to, 0, positions * width * sizeof *to);
        for (size_t p = 0; p < positions; p++)
            to[p * width + own[p]] = 1;
    }
}

enum rhm_status rhm_onestep_outputs(struct rhm_onestep *net, unsigned l, size_t n, const uint16_t *tokens,
                                    double *output, rhm_poll_function *poll, void *context,
                                    struct rhm_error *err)
{
    const struct picture picture = {l, output};
    if (l < 1 || l > net->L)
        return rhm_fail(err, RHM_EARG, "level %u: must be 1..%u (L)", l, net->L);
    if (l == 1)
        return rhm_onestep_predict(net, n, tokens, NULL, output, poll, context, err);
    return in_blocks(net, n, tokens, picture_block, &picture, poll, context, err);
}

static enum rhm_status predict_labels(void *net, size_t n, const uint16_t *tokens, uint16_t *labels,
                                      rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    return rhm_onestep_predict(net, n, tokens, labels, NULL, poll, context, err);
}

enum rhm_status rhm_onestep_accuracy(struct rhm_onestep *net, const struct rhm_dataset *data,
                                     double *accuracy, rhm_poll_function *poll, void *context,
                                     struct rhm_error *err)
{
    enum rhm_status status = rhm_onestep_check_data(net, data, err);
    return status == RHM_OK ? rhm_accuracy(data, predict_labels, net, accuracy, poll, context, err) : status;
}
