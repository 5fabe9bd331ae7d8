/* onestep_fit.c - see onestep_fit.h and onestep.h. */
#include "engine/baselines/onestep_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/rng.h"
#include "engine/cluster/kmeans.h"

#define ITERATIONS 100 /* of k-means, a start */

void rhm_onestep_fit_clear(struct rhm_onestep_fit *fit)
{
    for (unsigned l = 0; l <= RHM_MAX_LEVELS; l++) {
        rhm_tuples_clear(&fit->layer[l].patches);
        free(fit->layer[l].count);
        free(fit->layer[l].cluster);
        free(fit->layer[l].output);
    }
    free(fit->prior);
    *fit = (struct rhm_onestep_fit){0};
}

size_t rhm_onestep_positions(const struct rhm_onestep *net, unsigned l)
{
    return (size_t)rhm_places(net->branch, 1, l - 1);
}

/* --------------------------------------------------------------- progress */

struct rhm_work rhm_onestep_work(const struct rhm_onestep *net, unsigned l, enum rhm_layer_phase phase)
{
    struct rhm_work work = {.kind = "onestep",
                            .group = "layer",
                            .member = l,
                            .members = net->L,
                            .stage = rhm_phase_name(phase),
                            .rate = NAN,
                            .left = NAN};
    if (phase == RHM_PHASE_GRAM) {
        work.stage = "step";
        work.unit = "position";
        work.all = rhm_onestep_positions(net, l);
    } else if (phase == RHM_PHASE_CLUSTERS && l > 1) {
        work.unit = "start";
        work.all = net->restarts;
    }
    for (int i = 0; i < RHM_WORK_MEASURES; i++)
        work.value[i] = NAN;
    return work;
}

static void show(struct rhm_monitor *monitor, const struct rhm_onestep *net, unsigned l,
                 enum rhm_layer_phase phase, uint64_t done)
{
    struct rhm_work work = rhm_onestep_work(net, l, phase);
    work.done = done;
    rhm_monitor_work(monitor, &work, 0);
}

/* What k-means polls with: it tells of the starts as well. */
struct starts {
    const struct rhm_onestep *net;
    unsigned l;
    struct rhm_monitor *monitor;
};

static void show_start(void *context, unsigned done)
{
    const struct starts *starts = context;
    show(starts->monitor, starts->net, starts->l, RHM_PHASE_CLUSTERS, done);
}

static enum rhm_status poll_starts(void *context, struct rhm_error *err)
{
    return rhm_monitor_poll(((const struct starts *)context)->monitor, err);
}

/* ------------------------------------------------------------ patches */

/* Tokens and padding turned round: places x n. */
static enum rhm_status read_tokens(const struct rhm_onestep *net, const struct rhm_dataset *data,
                                   struct rhm_onestep_codes *codes, struct rhm_error *err)
{
    size_t n = data->n, d = data->d, leaves = (size_t)net->leaves;
    codes->n = n;
    codes->places = leaves;
    codes->code = rhm_array(n * leaves, sizeof *codes->code, "the strings' codes", err);
    if (codes->code == NULL)
        return RHM_EMEMORY;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < leaves; j++)
            codes->code[j * n + i] = j < d ? data->tokens[i * d + j] : net->V;
    return RHM_OK;
}

/* The patches there are, sorted, and id (positions x n): the number of each. */
static enum rhm_status number_patches(size_t s, const struct rhm_onestep_codes *codes,
                                      struct rhm_onestep_layer *layer, uint32_t *id, uint32_t *tuple,
                                      struct rhm_monitor *monitor, struct rhm_error *err)
{
    enum { BLOCK = 65536 }; /* patches between two polls */
    size_t n = codes->n, positions = codes->places / s, row;
    enum rhm_status status = rhm_tuples_init(&layer->patches, s, err);
    for (size_t at = 0; at < positions * n && status == RHM_OK; at++) {
        size_t p = at / n, i = at % n;
        for (size_t j = 0; j < s; j++)
            tuple[j] = codes->code[(p * s + j) * n + i];
        status = rhm_tuples_add(&layer->patches, tuple, &row, err);
        id[at] = (uint32_t)row;
        if (status == RHM_OK && at % BLOCK == 0)
            status = rhm_monitor_poll(monitor, err);
    }
    if (status != RHM_OK)
        return status;
    size_t U = layer->patches.n;
    size_t *from = rhm_array(U, sizeof *from, "the patches", err);
    uint32_t *to = rhm_array(U, sizeof *to, "the patches", err);
    layer->count = rhm_array(U, sizeof *layer->count, "the patches", err);
    status = from && to && layer->count ? rhm_tuples_sort(&layer->patches, from, err) : RHM_EMEMORY;
    if (status == RHM_OK) {
        for (size_t r = 0; r < U; r++)
            to[from[r]] = (uint32_t)r;
        for (size_t at = 0; at < positions * n; at++)
            layer->count[id[at] = to[id[at]]]++;
    }
    free(from);
    free(to);
    return status;
}

/* ------------------------------------------------------------ the step */

void rhm_onestep_head(const struct rhm_onestep *net, unsigned l, size_t p, double *a)
{
    struct rhm_rng rng = rhm_rng_start(net->seed, RHM_STREAM_ONESTEP + l, p);
    size_t n = net->classes * net->h;
    for (size_t k = 0; k < n; k += 2) {
        double pair[2];
        rhm_rng_gauss_pair(&rng, pair);
        a[k] = pair[0];
        if (k + 1 < n)
            a[k + 1] = pair[1];
    }
}

/* rows += (counts - totals times prior) a, for one position; counts: U x classes. */
static void add_position(size_t U, size_t C, size_t h, const double *counts, const double *prior,
                         const double *a, double *rows)
{
#pragma omp parallel for schedule(static) if ((double)U * (double)C * (double)h > 1e5)
    for (size_t u = 0; u < U; u++) {
        double total = 0, *row = rows + u * h;
        for (size_t c = 0; c < C; c++)
            total += counts[u * C + c];
        for (size_t c = 0; c < C && total > 0; c++) {
            double factor = counts[u * C + c] - total * prior[c];
            const double *ac = a + c * h;
            for (size_t k = 0; k < h; k++)
                row[k] += factor * ac[k];
        }
    }
}

enum rhm_status rhm_onestep_correlate(const struct rhm_onestep *net, unsigned l, size_t n, size_t U,
                                      const uint32_t *id, const uint16_t *labels, const double *prior,
                                      double *rows, struct rhm_monitor *monitor, struct rhm_error *err)
{
    size_t C = net->classes, positions = rhm_onestep_positions(net, l);
    double *a = rhm_array(C * net->h, sizeof *a, "the head", err);
    double *counts = rhm_array(U * C, sizeof *counts, "the counts of patches", err);
    enum rhm_status status = a && counts ? RHM_OK : RHM_EMEMORY;
    for (size_t p = 0; p < positions && status == RHM_OK; p++) {
        memset(counts, 0, U * C * sizeof *counts);
        for (size_t i = 0; i < n; i++)
            counts[id[p * n + i] * C + labels[i]]++;
        show(monitor, net, l, RHM_PHASE_GRAM, p);
        rhm_onestep_head(net, l, p, a);
        add_position(U, C, net->h, counts, prior, a, rows);
        status = rhm_monitor_poll(monitor, err);
    }
    free(a);
    free(counts);
    return status;
}

/* ------------------------------------------------------------ a layer */

/* l >= 2: the rows' clusters. */
static enum rhm_status cluster_rows(const struct rhm_onestep *net, unsigned l,
                                    struct rhm_onestep_layer *layer, const double *rows, const double *weight,
                                    struct rhm_monitor *monitor, struct rhm_error *err)
{
    size_t U = layer->patches.n, h = net->h;
    struct rhm_kmeans_options o = {.k = net->symbols,
                                   .restarts = net->restarts,
                                   .iterations = ITERATIONS,
                                   .seed = net->seed,
                                   .stream = RHM_STREAM_KMEANS + l,
                                   .report = show_start};
    struct starts starts = {net, l, monitor};
    struct rhm_kmeans found;
    layer->cluster = rhm_array(U, sizeof *layer->cluster, "the clusters", err);
    double *zero = rhm_array(h, sizeof *zero, "the first weights", err), total = 0;
    enum rhm_status status = layer->cluster && zero ? rhm_kmeans(U, h, rows, weight, &o, layer->cluster,
                                                                 &found, poll_starts, &starts, err)
                                                    : RHM_EMEMORY;
    if (status == RHM_OK) {
        layer->clusters = (uint32_t)found.k;
        layer->unknown = (uint32_t)rhm_kmeans_nearest(found.k, h, found.centroid, zero, NULL);
        for (size_t u = 0; u < U; u++)
            total += weight ? weight[u] : 1;
        layer->within = sqrt(found.inertia / total);
        layer->between = INFINITY;
        for (size_t c = 1; c < found.k; c++) {
            double square;
            rhm_kmeans_nearest(c, h, found.centroid, found.centroid + c * h, &square);
            layer->between = fmin(layer->between, sqrt(square));
        }
        rhm_kmeans_clear(&found);
    }
    free(zero);
    return status;
}

/* l = 1: what its network says of each patch. */
static enum rhm_status answer(const struct rhm_onestep *net, struct rhm_onestep_layer *layer,
                              const double *rows, const double *prior, struct rhm_error *err)
{
    size_t U = layer->patches.n, C = net->classes, h = net->h;
    layer->output = rhm_array(U * C, sizeof *layer->output, "the outputs", err);
    double *a = rhm_array(C * h, sizeof *a, "the head", err);
    if (layer->output == NULL || a == NULL) {
        free(a);
        return RHM_EMEMORY;
    }
    rhm_onestep_head(net, 1, 0, a);
    for (size_t u = 0; u < U; u++)
        for (size_t c = 0; c < C; c++) {
            double sum = 0;
            for (size_t k = 0; k < h; k++)
                sum += a[c * h + k] * rows[u * h + k];
            layer->output[u * C + c] = prior[c] + sum / (double)h;
        }
    free(a);
    return RHM_OK;
}

/* Rows as the rate wants them; what k-means weighs them by, or NULL. */
static const double *scale_rows(const struct rhm_onestep *net, unsigned l,
                                const struct rhm_onestep_layer *layer, size_t n, double *rows, double *weight)
{
    int same = net->rate == RHM_ONESTEP_SAME && l > 1;
    for (size_t u = 0; u < layer->patches.n; u++) {
        double by = same ? (double)n : (double)layer->count[u];
        weight[u] = (double)layer->count[u];
        for (size_t k = 0; k < net->h; k++)
            rows[u * net->h + k] /= by;
    }
    return same ? NULL : weight;
}

/* The codes of the next layer: clusters in the place of patches. */
static void substitute(const struct rhm_onestep_layer *layer, const uint32_t *id,
                       struct rhm_onestep_codes *codes, size_t s)
{
    codes->places /= s;
    for (size_t at = 0; at < codes->places * codes->n; at++)
        codes->code[at] = layer->cluster[id[at]];
}

static enum rhm_status fit_layer(const struct rhm_onestep *net, unsigned l, const struct rhm_dataset *data,
                                 struct rhm_onestep_codes *codes, struct rhm_onestep_fit *fit,
                                 struct rhm_monitor *monitor, struct rhm_error *err)
{
    struct rhm_onestep_layer *layer = &fit->layer[l];
    size_t n = data->n, s = net->branch[l], positions = codes->places / s;
    double start = rhm_clock(), *rows = NULL, *weight = NULL;
    show(monitor, net, l, RHM_PHASE_SAMPLING, 0);
    uint32_t *id = rhm_array(positions * n, sizeof *id, "the strings' patches", err);
    uint32_t *tuple = rhm_array(s, sizeof *tuple, "a patch", err);
    enum rhm_status status =
        id && tuple ? number_patches(s, codes, layer, id, tuple, monitor, err) : RHM_EMEMORY;
    size_t U = layer->patches.n;
    if (status == RHM_OK)
        status = rhm_memory_check(sizeof(double) * (double)U * (double)(net->h + net->classes),
                                  "the weights of a layer", "a smaller h", err);
    if (status == RHM_OK) {
        rows = rhm_array(U * net->h, sizeof *rows, "the weights of a layer", err);
        weight = rhm_array(U, sizeof *weight, "the patches", err);
        status = rows && weight
                     ? rhm_onestep_correlate(net, l, n, U, id, data->labels, fit->prior, rows, monitor, err)
                     : RHM_EMEMORY;
    }
    if (status == RHM_OK) {
        const double *by = scale_rows(net, l, layer, n, rows, weight);
        show(monitor, net, l, RHM_PHASE_CLUSTERS, 0);
        status = l > 1 ? cluster_rows(net, l, layer, rows, by, monitor, err)
                       : answer(net, layer, rows, fit->prior, err);
    }
    if (status == RHM_OK && l > 1)
        substitute(layer, id, codes, s);
    layer->seconds = rhm_clock() - start;
    if (status == RHM_OK)
        show(monitor, net, l, RHM_PHASE_DONE, 0);
    free(id);
    free(tuple);
    free(rows);
    free(weight);
    return status;
}

enum rhm_status rhm_onestep_fit(const struct rhm_onestep *net, const struct rhm_dataset *data,
                                struct rhm_onestep_fit *fit, struct rhm_monitor *monitor,
                                struct rhm_error *err)
{
    struct rhm_onestep_codes codes = {0};
    enum rhm_status status = rhm_memory_check(1.5 * sizeof(uint32_t) * (double)data->n * (double)net->leaves,
                                              "the codes of these strings", "fewer strings", err);
    fit->n = data->n;
    if (status == RHM_OK) {
        fit->prior = rhm_array(net->classes, sizeof *fit->prior, "the labels", err);
        status = fit->prior ? read_tokens(net, data, &codes, err) : RHM_EMEMORY;
    }
    for (size_t i = 0; i < data->n && status == RHM_OK; i++)
        fit->prior[data->labels[i]] += 1 / (double)data->n;
    for (unsigned l = net->L; l >= 1 && status == RHM_OK; l--)
        status = fit_layer(net, l, data, &codes, fit, monitor, err);
    free(codes.code);
    return status;
}
