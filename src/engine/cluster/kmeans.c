/* kmeans.c - see kmeans.h. */
#include "engine/cluster/kmeans.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/rng.h"

struct work {
    size_t n, dim;
    const double *points, *weight;
    size_t k;
    double *centroid; /* k x dim */
    double *square;   /* n: squared distance to the own centroid */
    double *sum;      /* k: weights */
    uint32_t *cluster;
};

static double distance(size_t dim, const double *a, const double *b)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t j = 0; j < dim; j++)
        sum += (a[j] - b[j]) * (a[j] - b[j]);
    return sum;
}

size_t rhm_kmeans_nearest(size_t k, size_t dim, const double *centroid, const double *point, double *square)
{
    size_t best = 0;
    double least = INFINITY;
    for (size_t c = 0; c < k; c++) {
        double d = distance(dim, point, centroid + c * dim);
        if (d < least) {
            least = d;
            best = c;
        }
    }
    if (square)
        *square = least;
    return best;
}

static double weight_of(const struct work *w, size_t i)
{
    return w->weight ? w->weight[i] : 1;
}

/* A point drawn with probability weight times square (NULL: weight alone); n where all are zero. */
static size_t draw_point(const struct work *w, const double *square, struct rhm_rng *rng)
{
    double total = 0, at = 0;
    size_t last = w->n;
    for (size_t i = 0; i < w->n; i++)
        total += weight_of(w, i) * (square ? square[i] : 1);
    double target = rhm_rng_uniform(rng) * total;
    for (size_t i = 0; i < w->n; i++) {
        double share = weight_of(w, i) * (square ? square[i] : 1);
        if (!(share > 0))
            continue;
        last = i;
        at += share;
        if (at > target)
            break;
    }
    return last; /* where rounding left the target above the sum: the last that can be drawn */
}

/* Centroids at points, each drawn by its squared distance to those there are; fewer than `most` where all
 * points are at one. */
static void begin(struct work *w, size_t most, struct rhm_rng *rng)
{
    for (w->k = 0; w->k < most; w->k++) {
        size_t i = draw_point(w, w->k > 0 ? w->square : NULL, rng);
        if (i == w->n)
            break;
        const double *point = w->points + i * w->dim;
        memcpy(w->centroid + w->k * w->dim, point, w->dim * sizeof *point);
        for (size_t r = 0; r < w->n; r++) {
            double d = distance(w->dim, w->points + r * w->dim, point);
            w->square[r] = w->k > 0 && w->square[r] < d ? w->square[r] : d;
        }
    }
}

/* Every point to the nearest centroid; whether any changed. */
static int assign(struct work *w)
{
    int changed = 0;
#pragma omp parallel for schedule(static) reduction(| : changed) if (w->n * w->k * w->dim > 100000)
    for (size_t i = 0; i < w->n; i++) {
        uint32_t to =
            (uint32_t)rhm_kmeans_nearest(w->k, w->dim, w->centroid, w->points + i * w->dim, &w->square[i]);
        changed |= to != w->cluster[i];
        w->cluster[i] = to;
    }
    return changed;
}

/* A group without points takes the one that adds most to the inertia, from a group that has others. */
static void fill_empty(struct work *w, size_t *members)
{
    memset(members, 0, w->k * sizeof *members);
    for (size_t i = 0; i < w->n; i++)
        members[w->cluster[i]]++;
    for (size_t c = 0; c < w->k; c++) {
        size_t worst = w->n;
        double most = -1;
        for (size_t i = 0; members[c] == 0 && i < w->n; i++)
            if (members[w->cluster[i]] > 1 && weight_of(w, i) * w->square[i] > most) {
                most = weight_of(w, i) * w->square[i];
                worst = i;
            }
        if (worst == w->n)
            continue;
        members[w->cluster[worst]]--;
        members[c] = 1;
        w->cluster[worst] = (uint32_t)c;
        w->square[worst] = 0;
    }
}

static void move_centroids(struct work *w)
{
    memset(w->centroid, 0, w->k * w->dim * sizeof *w->centroid);
    memset(w->sum, 0, w->k * sizeof *w->sum);
    for (size_t i = 0; i < w->n; i++) {
        double weight = weight_of(w, i), *to = w->centroid + w->cluster[i] * w->dim;
        const double *point = w->points + i * w->dim;
        w->sum[w->cluster[i]] += weight;
        for (size_t j = 0; j < w->dim; j++)
            to[j] += weight * point[j];
    }
    for (size_t c = 0; c < w->k; c++)
        for (size_t j = 0; j < w->dim; j++)
            w->centroid[c * w->dim + j] /= w->sum[c];
}

static double inertia(const struct work *w)
{
    double sum = 0;
    for (size_t i = 0; i < w->n; i++)
        sum += weight_of(w, i) * w->square[i];
    return sum;
}

/* Groups 0, 1, ... in the order of their first points; how many have any. */
static size_t renumber(const struct work *w, size_t *number, double *spare)
{
    size_t next = 0;
    for (size_t c = 0; c < w->k; c++)
        number[c] = w->k;
    memcpy(spare, w->centroid, w->k * w->dim * sizeof *spare);
    for (size_t i = 0; i < w->n; i++) {
        size_t c = w->cluster[i];
        if (number[c] == w->k) {
            memcpy(w->centroid + next * w->dim, spare + c * w->dim, w->dim * sizeof *spare);
            number[c] = next++;
        }
        w->cluster[i] = (uint32_t)number[c];
    }
    return next;
}

static enum rhm_status one_start(struct work *w, const struct rhm_kmeans_options *o, unsigned start,
                                 size_t *members, rhm_poll_function *poll, void *context,
                                 struct rhm_error *err)
{
    struct rhm_rng rng = rhm_rng_start(o->seed, o->stream, start);
    begin(w, o->k < w->n ? o->k : w->n, &rng);
    memset(w->cluster, 0xff, w->n * sizeof *w->cluster);
    enum rhm_status status = RHM_OK;
    for (unsigned step = 0; step < o->iterations && status == RHM_OK && assign(w); step++) {
        fill_empty(w, members);
        move_centroids(w);
        status = rhm_poll(poll, context, err);
    }
    if (status == RHM_OK)
        assign(w); /* squares to the centroids of the end */
    return status;
}

enum rhm_status rhm_kmeans(size_t n, size_t dim, const double *points, const double *weight,
                           const struct rhm_kmeans_options *o, uint32_t *cluster, struct rhm_kmeans *out,
                           rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    size_t most = o->k < n ? o->k : n;
    *out = (struct rhm_kmeans){.inertia = INFINITY};
    if (n < 1 || o->k < 1)
        return rhm_fail(err, RHM_EARG, "k-means of %zu points in %zu groups: needs one of each", n, o->k);
    enum rhm_status status =
        rhm_memory_check(2 * sizeof(double) * (double)most * (double)dim, "the centroids", NULL, err);
    if (status != RHM_OK)
        return status;
    struct work w = {.n = n, .dim = dim, .points = points, .weight = weight};
    w.centroid = rhm_array(most * dim, sizeof *w.centroid, "the centroids", err);
    w.square = rhm_array(n, sizeof *w.square, "the distances", err);
    w.sum = rhm_array(most, sizeof *w.sum, "the groups", err);
    w.cluster = rhm_array(n, sizeof *w.cluster, "the groups", err);
    size_t *members = rhm_array(most, sizeof *members, "the groups", err);
    out->centroid = rhm_array(most * dim, sizeof *out->centroid, "the centroids", err);
    int held = w.centroid && w.square && w.sum && w.cluster && members && out->centroid;
    status = held ? RHM_OK : RHM_EMEMORY;
    for (unsigned start = 0; start < o->restarts && status == RHM_OK; start++) {
        status = one_start(&w, o, start, members, poll, context, err);
        double own = inertia(&w);
        if (status == RHM_OK && o->report)
            o->report(context, start + 1);
        if (status != RHM_OK || !(own < out->inertia))
            continue;
        out->inertia = own;
        out->k = w.k;
        memcpy(out->centroid, w.centroid, w.k * dim * sizeof *w.centroid);
        memcpy(cluster, w.cluster, n * sizeof *cluster);
    }
    if (status == RHM_OK) {
        struct work best = {.n = n, .dim = dim, .k = out->k, .centroid = out->centroid, .cluster = cluster};
        out->k = renumber(&best, members, w.centroid);
    } else {
        rhm_kmeans_clear(out);
    }
    free(w.centroid);
    free(w.square);
    free(w.sum);
    free(w.cluster);
    free(members);
    return status;
}

void rhm_kmeans_clear(struct rhm_kmeans *out)
{
    free(out->centroid);
    *out = (struct rhm_kmeans){0};
}
