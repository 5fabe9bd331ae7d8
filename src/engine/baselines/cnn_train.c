/* cnn_train.c - epochs, rates and the ends of a training of the convolutional network. See cnn.h. */
#include <inttypes.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/linalg.h"
#include "engine/base/memory.h"
#include "engine/base/rng.h"
#include "engine/baselines/cnn.h"
#include "engine/baselines/cnn_optimiser.h"
#include "engine/baselines/cnn_pass.h"

#define PUBLISH_SECONDS 0.05

struct rhm_cnn_train_options rhm_cnn_train_defaults(const struct rhm_cnn *net)
{
    return (struct rhm_cnn_train_options){.epochs = RHM_CNN_DEFAULT_EPOCHS,
                                          .batch = RHM_CNN_DEFAULT_BATCH,
                                          .optimiser = RHM_CNN_SGD,
                                          .momentum = 0.9,
                                          .schedule = RHM_CNN_COSINE,
                                          .stop_loss = 1e-3,
                                          .seed = net->seed};
}

const char *rhm_cnn_end_name(enum rhm_cnn_end end)
{
    static const char *const names[] = {"epochs", "loss", "held_out"};
    return names[end];
}

/* One training. */
struct training {
    struct rhm_cnn *net;
    const struct rhm_cnn_train_options *o;
    struct rhm_monitor *monitor;
    struct rhm_cnn_pass pass;
    struct rhm_cnn_optimise optimise;
    size_t batch, batches; /* strings, a whole epoch's */
    float *gradient;
    uint32_t *order;  /* n */
    float *best;      /* weights at the least held-out loss; NULL without patience */
    double best_loss; /* its value */
    uint64_t since;   /* epochs */
    double published, rate;
    struct rhm_cnn_result *result;
};

static enum rhm_status check_options(const struct rhm_cnn *net, const struct rhm_cnn_train_options *o,
                                     struct rhm_error *err)
{
    enum rhm_status status = rhm_cnn_check_data(net, o->data, err);
    if (status == RHM_OK && o->held_out)
        status = rhm_cnn_check_data(net, o->held_out, err);
    if (status != RHM_OK)
        return status;
    if (o->data->n > UINT32_MAX)
        return rhm_fail(err, RHM_EARG, "%zu strings: at most 2^32 - 1 for this network", o->data->n);
    if (o->epochs < 1)
        return rhm_fail(err, RHM_EARG, "epochs = 0: must be 1 or more");
    if (o->batch < 1)
        return rhm_fail(err, RHM_EARG, "batch = 0: must be 1 or more");
    if (!(o->rate >= 0 && o->rate < INFINITY))
        return rhm_fail(err, RHM_EARG, "rate = %g: must be positive (or left out: chosen)", o->rate);
    if (!(o->momentum >= 0 && o->momentum < 1))
        return rhm_fail(err, RHM_EARG, "momentum = %g: must be in [0, 1)", o->momentum);
    if (!(o->stop_loss >= 0))
        return rhm_fail(err, RHM_EARG, "stop_loss = %g: must be 0 (never) or more", o->stop_loss);
    if (o->patience > 0 && o->held_out == NULL)
        return rhm_fail(err, RHM_EARG, "patience = %" PRIu64 " needs held-out data (held_out)", o->patience);
    return RHM_OK;
}

static double first_rate(const struct rhm_cnn *net, const struct rhm_cnn_train_options *o)
{
    int mean_field = net->scaling == RHM_CNN_MEAN_FIELD;
    if (o->optimiser == RHM_CNN_ADAM)
        return o->rate > 0 ? o->rate : mean_field ? 0.03 : 0.001;
    return (o->rate > 0 ? o->rate : 0.1) * (mean_field ? (double)net->h : 1);
}

/* The part of the first rate that is left after the share `done` of all epochs. */
static double rate_factor(enum rhm_cnn_schedule schedule, double done)
{
    if (schedule == RHM_CNN_COSINE)
        return (1 + cos(M_PI * done)) / 2;
    if (schedule == RHM_CNN_STEP)
        return done < 0.5 ? 1 : done < 0.75 ? 0.1 : 0.01;
    return 1;
}

static void shuffle(struct training *t)
{
    size_t n = t->o->data->n;
    struct rhm_rng rng = rhm_rng_start(t->o->seed, RHM_STREAM_BATCHES, t->net->epochs);
    for (size_t i = 0; i < n; i++)
        t->order[i] = (uint32_t)i;
    for (size_t i = n; i-- > 1;) {
        size_t j = (size_t)rhm_rng_below(&rng, i + 1);
        uint32_t swap = t->order[i];
        t->order[i] = t->order[j];
        t->order[j] = swap;
    }
}

static void lock(struct rhm_cnn *net)
{
    while (atomic_load(&net->readers_waiting) > 0)
        sched_yield();
    pthread_mutex_lock(&net->lock);
}

enum { LOSS, ACCURACY, HELD_LOSS, HELD_ACCURACY };

struct rhm_work rhm_cnn_work(const struct rhm_cnn_train_options *options)
{
    struct rhm_work work = {.kind = "cnn",
                            .unit = "epoch",
                            .all = options->epochs,
                            .name = {"loss", "accuracy", "held_loss", "held_accuracy"},
                            .rate = NAN,
                            .left = NAN};
    for (int i = 0; i < RHM_WORK_MEASURES; i++)
        work.value[i] = NAN;
    return work;
}

/* After `epoch` epochs; of the strings seen of the one in work, or at its end (point). */
static void publish(struct training *t, uint64_t epoch, double loss, double accuracy, int point)
{
    double time = rhm_clock();
    if (t->monitor == NULL || (!point && time - t->published < PUBLISH_SECONDS))
        return;
    t->published = time;
    struct rhm_work work = rhm_cnn_work(t->o);
    work.done = epoch;
    work.value[LOSS] = loss;
    work.value[ACCURACY] = accuracy;
    work.value[HELD_LOSS] = t->result->held_loss;
    work.value[HELD_ACCURACY] = t->result->held_accuracy;
    rhm_monitor_work(t->monitor, &work, point ? epoch : 0);
}

/* Batch b of an epoch; adds its losses and right answers. */
static void step(struct training *t, uint64_t epoch, size_t b, double *loss, size_t *right)
{
    const struct rhm_dataset *data = t->o->data;
    size_t first = b * t->batch, n = data->n - first < t->batch ? data->n - first : t->batch;
    double done = ((double)epoch + (double)b / (double)t->batches) / (double)t->o->epochs;
    for (size_t i = 0; i < n; i++) {
        size_t k = t->order[first + i];
        rhm_cnn_pass_take(&t->pass, i, data->tokens + k * data->d, data->labels[k]);
    }
    lock(t->net);
    rhm_cnn_optimise_begin(&t->optimise, t->rate * rate_factor(t->o->schedule, done));
    rhm_cnn_pass_train(&t->pass, n, (double)n, t->gradient, rhm_cnn_optimise_update, &t->optimise);
    t->net->steps++;
    pthread_mutex_unlock(&t->net->lock);
    t->result->steps++;
    for (size_t i = 0; i < n; i++) {
        *loss += t->pass.loss[i];
        *right += t->pass.right[i];
    }
}

static enum rhm_status measure_held_out(struct training *t, struct rhm_cnn_point *point,
                                        struct rhm_error *err)
{
    const struct rhm_dataset *data = t->o->held_out;
    double loss = 0;
    size_t right = 0;
    for (size_t at = 0; at < data->n; at += t->batch) {
        size_t n = data->n - at < t->batch ? data->n - at : t->batch;
        for (size_t i = 0; i < n; i++)
            rhm_cnn_pass_take(&t->pass, i, data->tokens + (at + i) * data->d, data->labels[at + i]);
        rhm_cnn_pass_measure(&t->pass, n);
        for (size_t i = 0; i < n; i++) {
            loss += t->pass.loss[i];
            right += t->pass.right[i];
        }
        enum rhm_status status = rhm_monitor_poll(t->monitor, err);
        if (status != RHM_OK)
            return status;
    }
    point->held_loss = loss / (double)data->n;
    point->held_accuracy = (double)right / (double)data->n;
    return RHM_OK;
}

static enum rhm_status remember(struct rhm_cnn *net, const struct rhm_cnn_point *point, struct rhm_error *err)
{
    enum rhm_status status = RHM_OK;
    lock(net);
    if (net->history.n == net->history.room) {
        size_t room = net->history.room > 0 ? 2 * net->history.room : 64;
        void *grown = rhm_array_grow(net->history.point, room, sizeof *point, "the history", err);
        status = grown ? RHM_OK : RHM_EMEMORY;
        if (grown) {
            net->history.point = grown;
            net->history.room = room;
        }
    }
    if (status == RHM_OK)
        net->history.point[net->history.n++] = *point;
    pthread_mutex_unlock(&net->lock);
    return status;
}

/* 1: the training is at its end. */
static int is_over(struct training *t, const struct rhm_cnn_point *point)
{
    if (t->o->patience > 0) {
        if (point->held_loss < t->best_loss) {
            t->best_loss = point->held_loss;
            t->since = 0;
            memcpy(t->best, t->net->w, t->net->parameters * sizeof *t->best);
        } else if (++t->since >= t->o->patience) {
            t->result->end = RHM_CNN_END_HELD_OUT;
            return 1;
        }
    }
    if (point->loss < t->o->stop_loss) {
        t->result->end = RHM_CNN_END_LOSS;
        return 1;
    }
    return 0;
}

static enum rhm_status run_epoch(struct training *t, uint64_t epoch, struct rhm_cnn_point *point,
                                 struct rhm_error *err)
{
    double loss = 0, seen = 0;
    size_t right = 0, n = t->o->data->n;
    lock(t->net);
    t->net->epochs++;
    pthread_mutex_unlock(&t->net->lock);
    shuffle(t);
    *point = (struct rhm_cnn_point){.epoch = t->net->epochs,
                                    .rate = t->rate *
                                            rate_factor(t->o->schedule, (double)epoch / (double)t->o->epochs),
                                    .held_loss = NAN,
                                    .held_accuracy = NAN};
    for (size_t b = 0; b < t->batches; b++) {
        enum rhm_status status = rhm_monitor_poll(t->monitor, err);
        if (status != RHM_OK)
            return status;
        step(t, epoch, b, &loss, &right);
        seen = b + 1 < t->batches ? seen + (double)t->batch : (double)n;
        if (!isfinite(loss))
            return rhm_fail(err, RHM_ENUMERIC,
                            "the loss is not finite in epoch %" PRIu64
                            ": begin anew with a lower rate (it was %g)",
                            point->epoch, t->o->rate > 0 ? t->o->rate : first_rate(t->net, t->o));
        publish(t, epoch, loss / seen, (double)right / seen, 0);
    }
    point->loss = loss / (double)n;
    point->accuracy = (double)right / (double)n;
    return t->o->held_out ? measure_held_out(t, point, err) : RHM_OK;
}

static enum rhm_status run(struct training *t, struct rhm_error *err)
{
    enum rhm_status status = RHM_OK;
    for (uint64_t epoch = 0; epoch < t->o->epochs; epoch++) {
        struct rhm_cnn_point point;
        status = run_epoch(t, epoch, &point, err);
        if (status == RHM_OK)
            status = remember(t->net, &point, err);
        if (status != RHM_OK)
            return status;
        t->result->epochs++;
        t->result->loss = point.loss;
        t->result->accuracy = point.accuracy;
        t->result->held_loss = point.held_loss;
        t->result->held_accuracy = point.held_accuracy;
        publish(t, epoch + 1, point.loss, point.accuracy, 1);
        if (is_over(t, &point))
            break;
    }
    return RHM_OK;
}

static enum rhm_status prepare(struct training *t, struct rhm_error *err)
{
    size_t n = t->o->data->n;
    t->batch = t->o->batch < n ? (size_t)t->o->batch : n;
    t->batches = (n + t->batch - 1) / t->batch;
    t->rate = first_rate(t->net, t->o);
    t->best_loss = INFINITY;
    enum rhm_status status = rhm_cnn_pass_init(&t->pass, t->net, t->batch, 1, 0, err);
    if (status == RHM_OK)
        status = rhm_cnn_optimise_init(&t->optimise, t->o->optimiser, t->o->momentum, t->net->parameters,
                                       t->net->w, err);
    if (status != RHM_OK)
        return status;
    t->gradient = rhm_array(t->net->parameters, sizeof *t->gradient, "the gradient", err);
    t->order = rhm_array(n, sizeof *t->order, "the order of the strings", err);
    if (t->o->patience > 0)
        t->best = rhm_array(t->net->parameters, sizeof *t->best, "the best weights", err);
    return t->gradient && t->order && (t->best || t->o->patience == 0) ? RHM_OK : RHM_EMEMORY;
}

enum rhm_status rhm_cnn_claim(struct rhm_cnn *net, const struct rhm_cnn_train_options *options,
                              struct rhm_error *err)
{
    enum rhm_status status = check_options(net, options, err);
    return status == RHM_OK ? rhm_claim_take(&net->claim, "the network", err) : status;
}

enum rhm_status rhm_cnn_train(struct rhm_cnn *net, const struct rhm_cnn_train_options *options,
                              struct rhm_monitor *monitor, struct rhm_cnn_result *result,
                              struct rhm_error *err)
{
    struct rhm_cnn_result own;
    if (result == NULL)
        result = &own;
    *result = (struct rhm_cnn_result){
        .loss = NAN, .accuracy = NAN, .held_loss = NAN, .held_accuracy = NAN, .seconds = NAN};
    enum rhm_status status = rhm_cnn_claim(net, options, err);
    return status == RHM_OK ? rhm_cnn_train_claimed(net, options, monitor, result, err) : status;
}

enum rhm_status rhm_cnn_train_claimed(struct rhm_cnn *net, const struct rhm_cnn_train_options *options,
                                      struct rhm_monitor *monitor, struct rhm_cnn_result *result,
                                      struct rhm_error *err)
{
    struct training t = {.net = net, .o = options, .monitor = monitor, .result = result};
    double started = rhm_clock();
    *t.result = (struct rhm_cnn_result){
        .loss = NAN, .accuracy = NAN, .held_loss = NAN, .held_accuracy = NAN, .seconds = NAN};
    if (options->anew)
        rhm_cnn_reset_claimed(net);
    struct rhm_cnn_train_options labelled = *options; /* strings without a label are left out */
    struct rhm_dataset data = {0}, held_out = {0};
    t.o = &labelled;
    enum rhm_status status = rhm_dataset_labelled(options->data, &data, &labelled.data, err);
    if (status == RHM_OK && options->held_out)
        status = rhm_dataset_labelled(options->held_out, &held_out, &labelled.held_out, err);
    result->n = status == RHM_OK ? labelled.data->n : 0;
    rhm_linalg_share();
    if (status == RHM_OK)
        status = prepare(&t, err);
    if (status == RHM_OK)
        status = run(&t, err);
    if (t.best && t.best_loss < INFINITY) { /* also where it was stopped */
        lock(net);
        memcpy(net->w, t.best, net->parameters * sizeof *t.best);
        pthread_mutex_unlock(&net->lock);
    }
    rhm_linalg_unshare();
    t.result->seconds = rhm_clock() - started;
    rhm_cnn_pass_clear(&t.pass);
    rhm_cnn_optimise_clear(&t.optimise);
    free(t.gradient);
    free(t.order);
    free(t.best);
    rhm_dataset_clear(&data);
    rhm_dataset_clear(&held_out);
    rhm_claim_give(&net->claim);
    return status;
}
