/* shallow.c - shallow models as objects: options, trainings, predictions. See shallow.h; what a training
 * computes is in shallow_fit.c. */
#include "engine/baselines/shallow.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/linalg.h"
#include "engine/base/matrix.h"
#include "engine/base/memory.h"
#include "engine/baselines/shallow_fit.h"
#include "engine/data/accuracy.h"

struct rhm_shallow_options rhm_shallow_defaults(void)
{
    return (struct rhm_shallow_options){.M = RHM_SHALLOW_DEFAULT_M, .lambda = RHM_SHALLOW_DEFAULT_LAMBDA};
}

static enum rhm_status check_options(const struct rhm_shallow_options *o, struct rhm_error *err)
{
    enum rhm_status status = rhm_symbols_check(o->V, o->classes, err);
    if (status != RHM_OK)
        return status;
    if (o->d < 1 || o->d > INT32_MAX / o->V)
        return rhm_fail(err, RHM_EARG,
                        "d = %" PRId64 ": must be 1 or more, with d V < 2^31 (V = %" PRId64 ")", o->d, o->V);
    if (o->M < 2 || o->M > INT32_MAX || o->M % 2 != 0)
        return rhm_fail(err, RHM_EARG, "M = %" PRId64 ": must be even, 2..2^31 - 2 (cosines and sines)",
                        o->M);
    if (!(o->sigma >= 0 && o->sigma < INFINITY))
        return rhm_fail(err, RHM_EARG, "sigma = %g: must be positive (or left out: the median distance)",
                        o->sigma);
    if (!(o->lambda > 0 && o->lambda < INFINITY))
        return rhm_fail(err, RHM_EARG, "lambda = %g: must be positive", o->lambda);
    return RHM_OK;
}

enum rhm_status rhm_shallow_create(struct rhm_shallow **out, const struct rhm_shallow_options *o,
                                   struct rhm_error *err)
{
    enum rhm_status status = check_options(o, err);
    if (status != RHM_OK)
        return status;
    struct rhm_shallow *net = rhm_array(1, sizeof *net, "the model", err);
    if (net == NULL)
        return RHM_EMEMORY;
    net->kind = o->kind;
    net->V = (unsigned)o->V;
    net->classes = (unsigned)(o->classes > 0 ? o->classes : o->V);
    net->d = (size_t)o->d;
    net->M = (size_t)o->M;
    net->sigma = o->sigma;
    net->lambda = o->lambda;
    net->seed = o->seed;
    if (pthread_mutex_init(&net->lock, NULL) != 0) {
        free(net);
        return rhm_fail(err, RHM_EMEMORY, "the system gives no more locks");
    }
    *out = net;
    return RHM_OK;
}

void rhm_shallow_free(struct rhm_shallow *net)
{
    if (net == NULL)
        return;
    rhm_shallow_fit_clear(&net->fit);
    pthread_mutex_destroy(&net->lock);
    free(net);
}

enum rhm_status rhm_shallow_check_data(const struct rhm_shallow *net, const struct rhm_dataset *data,
                                       struct rhm_error *err)
{
    char text[40];
    snprintf(text, sizeof text, "d = %zu", net->d);
    const struct rhm_reader reader = {
        .who = "the model", .length = text, .d = net->d, .V = net->V, .classes = net->classes};
    return rhm_reader_check(&reader, data, err);
}

double rhm_shallow_median(const struct rhm_dataset *data)
{
    enum { MOST = 1000 };
    size_t n = data->n < MOST ? data->n : MOST, d = data->d, pairs = n * (n - 1) / 2;
    size_t *differ = calloc(d + 1, sizeof *differ); /* pairs by the number of places where they differ */
    if (differ == NULL || pairs == 0) {
        free(differ);
        return 1;
    }
    for (size_t i = 1; i < n; i++)
        for (size_t j = 0; j < i; j++) {
            size_t count = 0;
            for (size_t k = 0; k < d; k++)
                count += data->tokens[i * d + k] != data->tokens[j * d + k];
            differ[count]++;
        }
    size_t below = 0, median = 0;
    for (size_t k = 0; k <= d; k++) {
        below += differ[k];
        if (2 * below >= pairs) {
            median = k;
            break;
        }
    }
    free(differ);
    return median > 0 ? sqrt(2 * (double)median) : 1;
}

enum rhm_status rhm_shallow_claim(struct rhm_shallow *net, const struct rhm_dataset *data,
                                  struct rhm_error *err)
{
    enum rhm_status status = rhm_shallow_check_data(net, data, err);
    return status == RHM_OK ? rhm_claim_take(&net->claim, "the model", err) : status;
}

enum rhm_status rhm_shallow_train(struct rhm_shallow *net, const struct rhm_dataset *data,
                                  struct rhm_monitor *monitor, struct rhm_error *err)
{
    enum rhm_status status = rhm_shallow_claim(net, data, err);
    return status == RHM_OK ? rhm_shallow_train_claimed(net, data, monitor, err) : status;
}

enum rhm_status rhm_shallow_train_claimed(struct rhm_shallow *net, const struct rhm_dataset *data,
                                          struct rhm_monitor *monitor, struct rhm_error *err)
{
    struct rhm_dataset labelled;
    enum rhm_status status = rhm_dataset_labelled(data, &labelled, &data, err);
    struct rhm_shallow_fit fit = {.n = data->n,
                                  .sigma = net->sigma > 0 ? net->sigma : rhm_shallow_median(data)};
    if (status == RHM_OK)
        status = rhm_monitor_poll(monitor, err);
    rhm_linalg_share();
    if (status == RHM_OK && net->kind == RHM_SHALLOW_RBF)
        status = rhm_shallow_fit_rbf(net, data, &fit, monitor, err);
    else if (status == RHM_OK)
        status = rhm_shallow_fit_kernel(net, data, &fit, monitor, err);
    rhm_linalg_unshare();
    if (status == RHM_OK) {
        struct rhm_shallow_fit old = net->fit;
        pthread_mutex_lock(&net->lock);
        net->fit = fit;
        pthread_mutex_unlock(&net->lock);
        fit = old;
    }
    rhm_shallow_fit_clear(&fit);
    rhm_dataset_clear(&labelled);
    rhm_claim_give(&net->claim);
    return status;
}

size_t rhm_shallow_trained(struct rhm_shallow *net, double *sigma)
{
    pthread_mutex_lock(&net->lock);
    size_t n = net->fit.n;
    if (sigma)
        *sigma = n > 0 ? net->fit.sigma : net->sigma;
    pthread_mutex_unlock(&net->lock);
    return n;
}

/* ------------------------------------------------------------ predictions */

enum rhm_status rhm_shallow_predict(struct rhm_shallow *net, size_t n, const uint16_t *tokens,
                                    uint16_t *labels, double *output, rhm_poll_function *poll, void *context,
                                    struct rhm_error *err)
{
    enum { BLOCK = 512 };
    size_t C = net->classes;
    double *own = rhm_array(BLOCK * C, sizeof *own, "the predictions", err);
    if (own == NULL)
        return RHM_EMEMORY;
    pthread_mutex_lock(&net->lock);
    enum rhm_status status =
        net->fit.n > 0 ? RHM_OK : rhm_fail(err, RHM_ESTATE, "the model is not trained: train it first");
    rhm_linalg_share();
    for (size_t at = 0; at < n && status == RHM_OK; at += BLOCK) {
        size_t some = n - at < BLOCK ? n - at : BLOCK;
        double *to = output ? output + at * C : own;
        const uint16_t *from = tokens + at * net->d;
        status = net->kind == RHM_SHALLOW_RBF ? rhm_shallow_output_rbf(net, some, from, to, err)
                                              : rhm_shallow_output_kernel(net, some, from, to, err);
        for (size_t i = 0; labels && i < some && status == RHM_OK; i++)
            labels[at + i] = (uint16_t)rhm_largest(to + i * C, C);
        if (status == RHM_OK)
            status = rhm_poll(poll, context, err);
    }
    rhm_linalg_unshare();
    pthread_mutex_unlock(&net->lock);
    free(own);
    return status;
}

static enum rhm_status predict_labels(void *net, size_t n, const uint16_t *tokens, uint16_t *labels,
                                      rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    return rhm_shallow_predict(net, n, tokens, labels, NULL, poll, context, err);
}

enum rhm_status rhm_shallow_accuracy(struct rhm_shallow *net, const struct rhm_dataset *data,
                                     double *accuracy, rhm_poll_function *poll, void *context,
                                     struct rhm_error *err)
{
    enum rhm_status status = rhm_shallow_check_data(net, data, err);
    return status == RHM_OK ? rhm_accuracy(data, predict_labels, net, accuracy, poll, context, err) : status;
}
