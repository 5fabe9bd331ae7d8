/* trainer.c - a layer's training from its first step on: steps, what they show, the outputs. See trainer.h.
 */
#include "engine/chain/trainer.h"

#include <math.h>
#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/chain/truth.h"

/* A block of GD steps between two looks at the monitor, and the time between two snapshots, in seconds. */
#define BLOCK_SECONDS   0.02
#define PUBLISH_SECONDS 0.05

/* With a speed limit each step is published where there is time for 100 a second, and time lost is made up
 * for to this extent. */
#define LIMITED_SECONDS 0.0099
#define LAG_SECONDS     0.05

/* Rows whose distances a snapshot measures. */
#define SPREAD_ROWS ((size_t)512)

void rhm_trainer_enter(struct rhm_trainer *t, enum rhm_layer_phase phase, struct rhm_monitor *monitor)
{
    t->progress.phase = phase;
    rhm_monitor_layer(monitor, t->level, &t->progress);
}

void rhm_trainer_free(struct rhm_trainer *t)
{
    if (t == NULL)
        return;
    rhm_ridge_clear(&t->ridge);
    rhm_matrix_clear(&t->q);
    rhm_layer_free(t->layer);
    free(t);
}

/* --------------------------------------------------------------- outputs */

enum rhm_status rhm_trainer_outputs(const struct rhm_trainer *t, double *f, double *sum,
                                    unsigned char *unknown, struct rhm_error *err)
{
    const struct rhm_tally *tally = &t->layer->tally;
    double *W = rhm_array(tally->C * t->ridge.M, sizeof *W, "the weights", err);
    if (W == NULL)
        return RHM_EMEMORY;
    rhm_ridge_weights(&t->ridge, W);
    enum rhm_status status = rhm_ridge_outputs(&t->layer->features, tally->patches.n, tally->patches.tuple,
                                               tally->C, W, f, NULL, NULL, err);
    if (status == RHM_OK)
        rhm_layer_normalise(tally->patches.n, tally->C,
                            rhm_layer_least_sum(rhm_layer_mean_sum(tally, tally->patches.n, f)), f, sum,
                            unknown);
    free(W);
    return status;
}

/* The largest distance between patches of one true parent and the smallest between two, of the first rows. */
static void measure_spread(const struct rhm_layer *layer, const double *f, const unsigned char *unknown,
                           struct rhm_progress_layer *progress)
{
    size_t n = layer->tally.patches.n, C = layer->directions.width;
    double intra = 0, inter = INFINITY;
    if (n > SPREAD_ROWS)
        n = SPREAD_ROWS;
    int known = 0;
    for (size_t a = 0; a < n; a++)
        for (size_t b = a + 1; b < n; b++) {
            if (layer->parent[a] == RHM_NO_PARENT || layer->parent[b] == RHM_NO_PARENT || unknown[a] ||
                unknown[b])
                continue;
            double square = 0;
            for (size_t c = 0; c < C; c++)
                square += (f[a * C + c] - f[b * C + c]) * (f[a * C + c] - f[b * C + c]);
            known = 1;
            if (layer->parent[a] == layer->parent[b])
                intra = fmax(intra, square);
            else
                inter = fmin(inter, square);
        }
    progress->intra = known ? sqrt(intra) : NAN;
    progress->inter = known && isfinite(inter) ? sqrt(inter) : NAN;
}

/* Of the first n patches, weighted by their counts (at all places: place by place); see trainer.h. */
static double label_accuracy(const struct rhm_trainer *t, size_t n, const double *f)
{
    const struct rhm_tally *tally = &t->layer->tally;
    size_t C = tally->C, classes = t->layer->directions.classes;
    double right = 0, all = 0;
    for (size_t i = 0; i < n; i++) {
        const uint64_t *count = tally->count + i * C;
        uint32_t parent = t->layer->parent[i];
        double weight = (double)rhm_tally_patch_count(tally, i);
        int exact = t->q.v != NULL && parent != RHM_NO_PARENT && !isnan(t->q.v[parent * C]);
        for (size_t at = 0; at < C; at += classes) {
            size_t best = at;
            for (size_t c = at + 1; c < at + classes; c++)
                if (f[i * C + c] > f[i * C + best])
                    best = c;
            right += exact ? weight * t->q.v[parent * C + best] : (double)count[best];
        }
        all += weight;
    }
    return all > 0 ? right / all : NAN;
}

/* Loss and spread of where the iterate stands, into the progress, which views read under the lock. */
static void measure(struct rhm_trainer *t, struct rhm_network *net)
{
    struct rhm_progress_layer progress = t->progress;
    const struct rhm_tally *tally = &t->layer->tally;
    size_t n = tally->patches.n < SPREAD_ROWS ? tally->patches.n : SPREAD_ROWS, C = tally->C;
    progress.step = t->ridge.steps;
    progress.loss = rhm_ridge_loss(&t->ridge);
    int apart = t->layer->directions.places > 1; /* outputs are not what distances are made of */
    double *point = apart ? malloc(n * t->layer->directions.width * sizeof *point) : NULL;
    double *f = malloc(n * C * sizeof *f), *W = t->ridge.dual ? NULL : malloc(C * t->ridge.M * sizeof *W);
    unsigned char unknown[SPREAD_ROWS];
    int known = f != NULL && (point != NULL || !apart);
    if (known && t->ridge.dual) {
        rhm_ridge_fitted(&t->ridge, n, f);
    } else if (known && W != NULL) {
        rhm_ridge_weights(&t->ridge, W);
        known = rhm_ridge_outputs(&t->layer->features, n, tally->patches.tuple, C, W, f, NULL, NULL, NULL) ==
                RHM_OK;
    }
    if (known && (t->ridge.dual || W != NULL)) {
        rhm_layer_normalise(n, C, rhm_layer_least_sum(rhm_layer_mean_sum(tally, n, f)), f, NULL, unknown);
        if (apart)
            rhm_directions_points(&t->layer->directions, n, f, point);
        measure_spread(t->layer, apart ? point : f, unknown, &progress);
        progress.accuracy = label_accuracy(t, n, f);
    }
    free(point);
    free(f);
    free(W);
    rhm_network_lock_writer(net);
    t->progress = progress;
    pthread_mutex_unlock(&net->lock);
}

/* One more point of the history; the next one is due some 20 % further on. */
static void record(struct rhm_trainer *t, struct rhm_network *net)
{
    struct rhm_history *history = &t->layer->history;
    measure(t, net);
    rhm_network_lock_writer(net);
    if (history->n == RHM_HISTORY_POINTS) { /* full: every other point goes */
        for (size_t i = 1; i < RHM_HISTORY_POINTS / 2; i++)
            history->point[i] = history->point[2 * i];
        history->n = RHM_HISTORY_POINTS / 2;
    }
    history->point[history->n++] = (struct rhm_history_point){
        t->ridge.steps, t->progress.loss, t->progress.intra, t->progress.inter, t->progress.accuracy};
    pthread_mutex_unlock(&net->lock);
    t->next_point = t->ridge.steps + 1 + t->ridge.steps / 5;
}

static void publish(struct rhm_trainer *t, struct rhm_monitor *monitor)
{
    t->progress.seconds = t->spent;
    rhm_monitor_layer(monitor, t->level, &t->progress);
    t->published = rhm_clock();
}

/* ---------------------------------------------------------------- solve */

/* Until when the pace asks to wait after a step that was due at `due`: time lost is made up for a little. */
static double next_due(const struct rhm_trainer *t, double due)
{
    return t->steps_per_second > 0 ? fmax(due + 1 / t->steps_per_second, rhm_clock() - LAG_SECONDS) : due;
}

enum rhm_status rhm_trainer_step(struct rhm_trainer *t, struct rhm_network *net, uint64_t k,
                                 struct rhm_monitor *monitor, struct rhm_error *err)
{
    double due = rhm_clock(), between = t->steps_per_second > 0 ? LIMITED_SECONDS : PUBLISH_SECONDS;
    uint64_t pace = 1, done = 0;
    int measured = 0;
    enum rhm_status status = RHM_OK;
    while (done < k && status == RHM_OK) {
        uint64_t steps = t->ridge.steps, block = pace < k - done ? pace : k - done;
        if (t->next_point <= steps)
            t->next_point = steps + 1;
        if (block > t->next_point - steps)
            block = t->next_point - steps;
        double before = rhm_clock();
        rhm_network_lock_writer(net);
        rhm_ridge_step(&t->ridge, block);
        t->spent += rhm_clock() - before;
        pthread_mutex_unlock(&net->lock);
        double took = rhm_clock() - before;
        done += block;
        if (t->steps_per_second > 0)
            pace = 1;
        else if (took < BLOCK_SECONDS / 2 && block == pace)
            pace *= 2;
        else if (took > BLOCK_SECONDS)
            pace = pace > 1 ? pace / 2 : 1;
        double now = rhm_clock();
        due = next_due(t, due);
        int late = monitor != NULL && (now - t->published > between || due - now > between);
        int at_point = t->ridge.steps >= t->next_point;
        if (at_point)
            record(t, net);
        else if (late)
            measure(t, net);
        measured = at_point || late;
        if (late)
            publish(t, monitor);
        if (t->steps_per_second > 0)
            rhm_monitor_sleep(monitor, due - rhm_clock());
        double asked = rhm_clock();
        status = rhm_monitor_poll(monitor, err);
        if (rhm_clock() - asked > LIMITED_SECONDS) /* a pause, which is not made up for */
            due = rhm_clock();
    }
    rhm_network_lock_writer(net);
    t->layer->solver = RHM_SOLVER_GD;
    t->layer->steps = t->ridge.steps;
    pthread_mutex_unlock(&net->lock);
    if (!measured)
        measure(t, net);
    publish(t, monitor);
    return status;
}

enum rhm_status rhm_trainer_solve(struct rhm_trainer *t, struct rhm_monitor *monitor, struct rhm_error *err)
{
    double before = rhm_clock();
    enum rhm_status status = rhm_ridge_exact(&t->ridge, rhm_monitor_poll, monitor, err);
    t->spent += rhm_clock() - before;
    t->layer->solver = RHM_SOLVER_EXACT;
    t->layer->steps = 0;
    return status;
}

/* --------------------------------------------------------------- finish */

static enum rhm_status make_outputs(struct rhm_trainer *t, struct rhm_monitor *monitor, struct rhm_error *err)
{
    struct rhm_layer *layer = t->layer;
    size_t U = layer->tally.patches.n, C = layer->tally.C;
    layer->W = rhm_array(C * t->ridge.M, sizeof *layer->W, "the weights", err);
    layer->output = rhm_array(U * C, sizeof *layer->output, "the outputs", err);
    layer->sum = rhm_array(U, sizeof *layer->sum, "the outputs", err);
    layer->unknown = rhm_array(U, sizeof *layer->unknown, "the outputs", err);
    if (!layer->W || !layer->output || !layer->sum || !layer->unknown)
        return RHM_EMEMORY;
    rhm_ridge_weights(&t->ridge, layer->W);
    enum rhm_status status = rhm_ridge_outputs(&layer->features, U, layer->tally.patches.tuple, C, layer->W,
                                               layer->output, rhm_monitor_poll, monitor, err);
    if (status != RHM_OK)
        return status;
    layer->mean_sum = rhm_layer_mean_sum(&layer->tally, U, layer->output);
    rhm_layer_normalise(U, C, rhm_layer_least_sum(layer->mean_sum), layer->output, layer->sum,
                        layer->unknown);
    if (layer->directions.places > 1) {
        layer->point = rhm_array(U * layer->directions.width, sizeof *layer->point, "the outputs", err);
        if (layer->point == NULL)
            return RHM_EMEMORY;
        status = rhm_directions_all_points(&layer->directions, U, layer->output, layer->point,
                                           rhm_monitor_poll, monitor, err);
        if (status != RHM_OK)
            return status;
    }
    layer->loss = rhm_ridge_loss(&t->ridge);
    return rhm_ridge_condition(&t->ridge, &layer->condition, rhm_monitor_poll, monitor, err);
}

enum rhm_status rhm_trainer_finish(struct rhm_trainer *t, struct rhm_network *net,
                                   struct rhm_monitor *monitor, struct rhm_error *err)
{
    struct rhm_layer *layer = t->layer;
    double before = rhm_clock();
    size_t parents = layer->level == 1 ? net->classes : net->symbols, expected;
    rhm_trainer_enter(t, RHM_PHASE_CLUSTERS, monitor);
    enum rhm_status status = make_outputs(t, monitor, err);
    if (status == RHM_OK)
        status =
            rhm_truth_expected(net, layer->level, layer->directions.places, layer->strings, &expected, err);
    if (status == RHM_OK)
        status = rhm_layer_find_clusters(layer, expected, parents, rhm_monitor_poll, monitor, err);
    if (status == RHM_OK)
        status = rhm_layer_make_codebook(layer, parents, err);
    if (status == RHM_OK)
        status = rhm_truth_measure(net, layer, rhm_monitor_poll, monitor, err);
    if (status != RHM_OK) {
        rhm_layer_drop_results(layer);
        rhm_trainer_enter(t, RHM_PHASE_SOLVING, monitor);
        return status;
    }
    struct rhm_progress_layer progress = t->progress;
    layer->seconds = t->spent + rhm_clock() - before;
    progress.loss = layer->loss;
    progress.rho = layer->clusters.rho;
    progress.eps_S = layer->clusters.eps_S;
    progress.gap = layer->gap;
    progress.error = layer->error;
    progress.accuracy = layer->accuracy = label_accuracy(t, layer->tally.patches.n, layer->output);
    progress.seconds = layer->seconds;
    if (monitor != NULL)
        measure_spread(layer, rhm_layer_points(layer), layer->unknown, &progress);
    rhm_network_lock_writer(net);
    t->progress = progress;
    t->spent = layer->seconds;
    pthread_mutex_unlock(&net->lock);
    rhm_trainer_enter(t, RHM_PHASE_DONE, monitor);
    return RHM_OK;
}
