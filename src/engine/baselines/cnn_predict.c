/* cnn_predict.c - what a convolutional network says of strings, and its gradient. See cnn.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/linalg.h"
#include "engine/base/memory.h"
#include "engine/baselines/cnn.h"
#include "engine/baselines/cnn_pass.h"

#define BATCH       1024
#define BATCH_BYTES 0x1p26 /* of activations, about */

static size_t batch_of(const struct rhm_cnn *net, size_t n)
{
    double each = 0;
    for (unsigned l = 0; l <= net->L; l++)
        each += sizeof(float) * (double)net->layer[l].positions * (double)net->layer[l].outputs;
    double most = fmax(1, fmin(BATCH, BATCH_BYTES / each));
    return n < (size_t)most ? (n > 0 ? n : 1) : (size_t)most;
}

static void lock(struct rhm_cnn *net)
{
    atomic_fetch_add(&net->readers_waiting, 1);
    pthread_mutex_lock(&net->lock);
    atomic_fetch_sub(&net->readers_waiting, 1);
}

/* What to do with strings first .. first + n - 1 once the pass holds their activations. */
typedef void take_function(void *context, const struct rhm_cnn_pass *pass, size_t first, size_t n);

/* All strings through the network, by the same weights; labels (may be NULL) for the losses; all: activations
 * of the lowest layer are wanted as well. */
static enum rhm_status sweep(struct rhm_cnn *net, int all, size_t n, const uint16_t *tokens,
                             const uint16_t *labels, take_function *take, void *taker,
                             rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    struct rhm_cnn_pass pass;
    size_t batch = batch_of(net, n), d = (size_t)net->d;
    enum rhm_status status = rhm_cnn_pass_init(&pass, net, batch, 0, all, err);
    if (status != RHM_OK)
        return status;
    rhm_linalg_share();
    lock(net);
    for (size_t at = 0; at < n && status == RHM_OK; at += batch) {
        size_t some = n - at < batch ? n - at : batch;
        for (size_t i = 0; i < some; i++)
            rhm_cnn_pass_take(&pass, i, tokens + (at + i) * d, labels ? labels[at + i] : 0);
        if (labels)
            rhm_cnn_pass_measure(&pass, some);
        else
            rhm_cnn_pass_forward(&pass, some);
        take(taker, &pass, at, some);
        status = rhm_poll(poll, context, err);
    }
    pthread_mutex_unlock(&net->lock);
    rhm_linalg_unshare();
    rhm_cnn_pass_clear(&pass);
    return status;
}

struct prediction {
    uint16_t *labels;
    double *probability;
};

static void take_prediction(void *context, const struct rhm_cnn_pass *pass, size_t first, size_t n)
{
    struct prediction *to = context;
    size_t C = pass->net->classes;
    for (size_t i = 0; i < n; i++) {
        const float *z = pass->act[0] + i * C;
        size_t best = 0;
        for (size_t c = 1; c < C; c++)
            if (z[c] > z[best])
                best = c;
        if (to->labels)
            to->labels[first + i] = (uint16_t)best;
        if (to->probability == NULL)
            continue;
        double *p = to->probability + (first + i) * C, sum = 0;
        for (size_t c = 0; c < C; c++)
            sum += p[c] = exp((double)z[c] - (double)z[best]);
        for (size_t c = 0; c < C; c++)
            p[c] /= sum;
    }
}

enum rhm_status rhm_cnn_predict(struct rhm_cnn *net, size_t n, const uint16_t *tokens, uint16_t *labels,
                                double *probability, rhm_poll_function *poll, void *context,
                                struct rhm_error *err)
{
    struct prediction to = {labels, probability};
    return sweep(net, 0, n, tokens, NULL, take_prediction, &to, poll, context, err);
}

struct score {
    double loss;
    size_t right;
};

static void take_score(void *context, const struct rhm_cnn_pass *pass, size_t first, size_t n)
{
    struct score *score = context;
    (void)first;
    for (size_t i = 0; i < n; i++) {
        score->loss += pass->loss[i];
        score->right += pass->right[i];
    }
}

enum rhm_status rhm_cnn_measure(struct rhm_cnn *net, const struct rhm_dataset *data, double *accuracy,
                                double *loss, rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    struct score score = {0};
    struct rhm_dataset labelled = {0};
    enum rhm_status status = rhm_cnn_check_data(net, data, err);
    if (status == RHM_OK)
        status = rhm_dataset_labelled(data, &labelled, &data, err);
    if (status == RHM_OK)
        status = sweep(net, 0, data->n, data->tokens, data->labels, take_score, &score, poll, context, err);
    if (status == RHM_OK && accuracy)
        *accuracy = (double)score.right / (double)data->n;
    if (status == RHM_OK && loss)
        *loss = score.loss / (double)data->n;
    rhm_dataset_clear(&labelled);
    return status;
}

enum rhm_status rhm_cnn_accuracy(struct rhm_cnn *net, const struct rhm_dataset *data, double *accuracy,
                                 rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    return rhm_cnn_measure(net, data, accuracy, NULL, poll, context, err);
}

struct picture {
    unsigned l;
    double *to;
};

static void take_outputs(void *context, const struct rhm_cnn_pass *pass, size_t first, size_t n)
{
    const struct picture *picture = context;
    size_t each = pass->net->layer[picture->l].positions * pass->net->h;
    const float *y = pass->act[picture->l];
    for (size_t i = 0; i < n * each; i++)
        picture->to[first * each + i] = (double)y[i];
}

enum rhm_status rhm_cnn_outputs(struct rhm_cnn *net, unsigned l, size_t n, const uint16_t *tokens,
                                double *output, rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    struct picture picture = {l, output};
    if (l < 1 || l > net->L)
        return rhm_fail(err, RHM_EARG, "level %u: must be 1..%u (L)", l, net->L);
    return sweep(net, 1, n, tokens, NULL, take_outputs, &picture, poll, context, err);
}

enum rhm_status rhm_cnn_gradient(struct rhm_cnn *net, const struct rhm_dataset *data, double *loss,
                                 float *gradient, struct rhm_error *err)
{
    struct rhm_cnn_pass pass;
    struct rhm_dataset labelled = {0};
    enum rhm_status status = rhm_cnn_check_data(net, data, err);
    if (status == RHM_OK)
        status = rhm_dataset_labelled(data, &labelled, &data, err);
    if (status == RHM_OK)
        status = rhm_cnn_pass_init(&pass, net, data->n, 1, 0, err);
    if (status != RHM_OK) {
        rhm_dataset_clear(&labelled);
        return status;
    }
    for (size_t i = 0; i < data->n; i++)
        rhm_cnn_pass_take(&pass, i, data->tokens + i * data->d, data->labels[i]);
    rhm_linalg_share();
    lock(net);
    rhm_cnn_pass_train(&pass, data->n, (double)data->n, gradient, NULL, NULL);
    pthread_mutex_unlock(&net->lock);
    rhm_linalg_unshare();
    double sum = 0;
    for (size_t i = 0; i < data->n; i++)
        sum += pass.loss[i];
    if (loss)
        *loss = sum / (double)data->n;
    rhm_cnn_pass_clear(&pass);
    rhm_dataset_clear(&labelled);
    return RHM_OK;
}
