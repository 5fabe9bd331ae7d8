/* linkage.c - builds the dendrogram of cluster.h by the nearest-neighbour chain, and its naive reference.
 *
 * A cluster lives in the slot of its smallest leaf, so that "lowest slot" is also the rule for ties.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/cluster/cluster.h"
#include "engine/cluster/points.h"

/* Passes over a row of distances between two polls. */
#define POLLED_WALKS 64

/* A merge as it is found: slots a < b, the cluster stays in a. */
struct merge {
    double height;
    size_t a, b, found;
};

/* What both algorithms share: the live slots in increasing order, their weights, the merges so far. */
struct linkage {
    enum rhm_linkage kind;
    size_t n, live, merges;
    size_t *slot;   /* n: the first `live` in use */
    double *weight; /* n, by slot */
    double *height; /* n, by slot: of the cluster's last merge */
    struct merge *merge;
};

static void linkage_clear(struct linkage *w)
{
    free(w->slot);
    free(w->weight);
    free(w->height);
    free(w->merge);
    *w = (struct linkage){0};
}

static enum rhm_status linkage_init(struct linkage *w, enum rhm_linkage kind, size_t n, const double *weight,
                                    struct rhm_error *err)
{
    *w = (struct linkage){.kind = kind, .n = n, .live = n};
    if ((w->slot = rhm_array(n, sizeof *w->slot, "the clusters", err)) == NULL ||
        (w->weight = rhm_array(n, sizeof *w->weight, "the clusters", err)) == NULL ||
        (w->height = rhm_array(n, sizeof *w->height, "the clusters", err)) == NULL ||
        (w->merge = rhm_array(n, sizeof *w->merge, "the merges of the dendrogram", err)) == NULL) {
        linkage_clear(w);
        return RHM_EMEMORY;
    }
    for (size_t i = 0; i < n; i++) {
        w->slot[i] = i;
        w->weight[i] = weight != NULL ? weight[i] : 1;
    }
    return RHM_OK;
}

/* Neither linkage falls below the heights of its children; rounded sums could, and unsort the tree. */
static void linkage_merge(struct linkage *w, size_t a, size_t b, double height)
{
    height = fmax(height, fmax(w->height[a], w->height[b]));
    w->merge[w->merges] = (struct merge){.height = height, .a = a, .b = b, .found = w->merges};
    w->merges++;
    w->height[a] = height;
    w->weight[a] += w->weight[b];
    size_t at = 0;
    while (w->slot[at] != b)
        at++;
    for (w->live--; at < w->live; at++)
        w->slot[at] = w->slot[at + 1];
}

/* Equal heights stay in the order they were found, children before parents. */
static int compare_merges(const void *x, const void *y)
{
    const struct merge *p = x, *q = y;
    if (p->height != q->height)
        return p->height < q->height ? -1 : 1;
    return p->found < q->found ? -1 : p->found > q->found;
}

/* The found merges as a tree: sorted by height and numbered in that order. */
static enum rhm_status linkage_finish(struct linkage *w, struct rhm_dendrogram *tree, struct rhm_error *err)
{
    size_t n = w->n, *node = rhm_array(n, sizeof *node, "the nodes of the dendrogram", err);
    *tree = (struct rhm_dendrogram){.n = n};
    if (node == NULL || (tree->left = rhm_array(n - 1, sizeof *tree->left, "the dendrogram", err)) == NULL ||
        (tree->right = rhm_array(n - 1, sizeof *tree->right, "the dendrogram", err)) == NULL ||
        (tree->height = rhm_array(n - 1, sizeof *tree->height, "the dendrogram", err)) == NULL) {
        rhm_dendrogram_clear(tree);
        free(node);
        return RHM_EMEMORY;
    }
    qsort(w->merge, w->merges, sizeof *w->merge, compare_merges);
    for (size_t i = 0; i < n; i++)
        node[i] = i;
    for (size_t j = 0; j < n - 1; j++) {
        tree->left[j] = node[w->merge[j].a];
        tree->right[j] = node[w->merge[j].b];
        tree->height[j] = w->merge[j].height;
        node[w->merge[j].a] = n + j;
    }
    free(node);
    return RHM_OK;
}

/* Place of the pair i < j in the condensed matrix: row by row, above the diagonal. */
static size_t pair_at(size_t n, size_t i, size_t j)
{
    return i * (2 * n - i - 1) / 2 + (j - i - 1);
}

static size_t pair(size_t n, size_t i, size_t j)
{
    return i < j ? pair_at(n, i, j) : pair_at(n, j, i);
}

/* All distances, n (n - 1) / 2. Each is computed by itself: the same for any number of threads. */
static enum rhm_status distances(size_t n, size_t dim, const double *points, double *d,
                                 rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    double *transposed = rhm_points_transpose(n, dim, points, err), largest = 0;
    if (transposed == NULL)
        return RHM_EMEMORY;
    enum rhm_status status = RHM_OK;
    size_t batch = rhm_points_rows(n, dim);
    for (size_t first = 0; first < n && (status = rhm_poll(poll, context, err)) == RHM_OK; first += batch) {
        size_t end = n - first < batch ? n : first + batch;
#pragma omp parallel for schedule(dynamic, 16) reduction(max : largest)
        for (size_t i = first; i < end; i++)
            for (size_t j = i + 1; j < n; j += RHM_POINTS_BLOCK) {
                size_t count = n - j < RHM_POINTS_BLOCK ? n - j : RHM_POINTS_BLOCK;
                double *out = d + pair_at(n, i, j);
                rhm_points_squares(n, dim, transposed, points + i * dim, j, count, out);
                for (size_t k = 0; k < count; k++) {
                    out[k] = sqrt(out[k]);
                    largest = out[k] > largest ? out[k] : largest;
                }
            }
    }
    free(transposed);
    if (status == RHM_OK && !isfinite(largest))
        return rhm_fail(err, RHM_ENUMERIC, "two points are too far apart for their distance to be a number");
    return status;
}

/* The nearest live slot to x: `previous` among equals (the chain must end), else the lowest. */
static size_t nearest_slot(const struct linkage *w, const double *d, size_t x, size_t previous,
                           double *distance)
{
    size_t n = w->n, best = previous, at = 0;
    double least = previous < n ? d[pair(n, x, previous)] : INFINITY;
    for (; w->slot[at] < x; at++) {
        double here = d[pair_at(n, w->slot[at], x)];
        if (here < least) {
            least = here;
            best = w->slot[at];
        }
    }
    const double *row = d + pair_at(n, x, x + 1);
    for (at++; at < w->live; at++) {
        double here = row[w->slot[at] - x - 1];
        if (here < least) {
            least = here;
            best = w->slot[at];
        }
    }
    *distance = least;
    return best;
}

/* What two leaves cost, from their distance. */
static enum rhm_status to_costs(const struct linkage *w, double *d, rhm_poll_function *poll, void *context,
                                struct rhm_error *err)
{
    size_t n = w->n;
    enum rhm_status status = RHM_OK;
    for (size_t i = 0; i < n && status == RHM_OK; i++) {
        for (size_t j = i + 1; j < n; j++) {
            double *here = d + pair_at(n, i, j);
            *here *= *here * (w->weight[i] * w->weight[j] / (w->weight[i] + w->weight[j]));
        }
        if (i % POLLED_WALKS == 0)
            status = rhm_poll(poll, context, err);
    }
    return status;
}

/* Ward by Lance and Williams: cost(a u b, c) = ((W_a + W_c) cost(a,c) + (W_b + W_c) cost(b,c) - W_c
 * cost(a,b)) / (W_a + W_b + W_c), kept from falling below the lesser one by rounding. */
static void merge_costs(const struct linkage *w, double *d, size_t a, size_t b)
{
    size_t n = w->n;
    double W_a = w->weight[a], W_b = w->weight[b], between = d[pair(n, a, b)];
    for (size_t at = 0; at < w->live; at++) {
        size_t c = w->slot[at];
        if (c == a || c == b)
            continue;
        double *to_a = d + pair(n, a, c), to_b = d[pair(n, b, c)], W_c = w->weight[c];
        double cost = ((W_a + W_c) * *to_a + (W_b + W_c) * to_b - W_c * between) / (W_a + W_b + W_c);
        *to_a = fmax(cost, fmin(*to_a, to_b));
    }
}

/* d(a u b, c) = (W_a d(a,c) + W_b d(b,c)) / (W_a + W_b), written so that it is never below the lesser one:
 * the chain's distances then fall strictly, and it ends. */
static void merge_rows(const struct linkage *w, double *d, size_t a, size_t b)
{
    size_t n = w->n;
    double share_a = w->weight[a] / (w->weight[a] + w->weight[b]);
    double share_b = w->weight[b] / (w->weight[a] + w->weight[b]);
    for (size_t at = 0; at < w->live; at++) {
        size_t c = w->slot[at];
        if (c == a || c == b)
            continue;
        double *to_a = d + pair(n, a, c), to_b = d[pair(n, b, c)];
        *to_a = *to_a < to_b ? *to_a + share_b * (to_b - *to_a) : to_b + share_a * (*to_a - to_b);
    }
}

/* Nearest-neighbour chain (Benzecri 1982; Murtagh 1983): walk to ever nearer neighbours, merge two that are
 * each other's nearest, go on from what is left of the walk. */
static enum rhm_status chain(struct linkage *w, double *d, rhm_poll_function *poll, void *context,
                             struct rhm_error *err)
{
    size_t n = w->n, length = 0, walks = 0,
           *walk = rhm_array(n, sizeof *walk, "the chain of neighbours", err);
    enum rhm_status status = walk ? RHM_OK : RHM_EMEMORY;
    while (status == RHM_OK && w->live > 1) {
        if (++walks % POLLED_WALKS == 0 && (status = rhm_poll(poll, context, err)) != RHM_OK)
            break;
        if (length == 0)
            walk[length++] = w->slot[0];
        size_t x = walk[length - 1], previous = length > 1 ? walk[length - 2] : n;
        double distance;
        size_t y = nearest_slot(w, d, x, previous, &distance);
        if (y != previous) {
            walk[length++] = y;
            continue;
        }
        length -= 2;
        size_t a = x < y ? x : y, b = x < y ? y : x;
        if (w->kind == RHM_LINKAGE_WARD)
            merge_costs(w, d, a, b);
        else
            merge_rows(w, d, a, b);
        linkage_merge(w, a, b, w->kind == RHM_LINKAGE_WARD ? sqrt(distance) : distance);
    }
    free(walk);
    return status;
}

enum rhm_status rhm_dendrogram_build(struct rhm_dendrogram *tree, enum rhm_linkage kind, size_t n, size_t dim,
                                     const double *points, const double *weight, rhm_poll_function *poll,
                                     void *context, struct rhm_error *err)
{
    *tree = (struct rhm_dendrogram){0};
    char what[80];
    snprintf(what, sizeof what, "the dendrogram of %zu points", n);
    double bytes = 4.0 * (double)n * ((double)n - 1) + 8.0 * (double)n * (double)dim + 112.0 * (double)n;
    enum rhm_status status = rhm_memory_check(bytes, what, "cluster fewer points", err);
    if (status == RHM_OK)
        status = rhm_points_check(n, dim, points, weight, err);
    if (status != RHM_OK)
        return status;

    struct linkage w = {0};
    double *d = rhm_array(n * (n - 1) / 2, sizeof *d, what, err);
    status = d != NULL ? linkage_init(&w, kind, n, weight, err) : RHM_EMEMORY;
    if (status == RHM_OK)
        status = distances(n, dim, points, d, poll, context, err);
    if (status == RHM_OK && kind == RHM_LINKAGE_WARD)
        status = to_costs(&w, d, poll, context, err);
    if (status == RHM_OK)
        status = chain(&w, d, poll, context, err);
    if (status == RHM_OK)
        status = linkage_finish(&w, tree, err);
    free(d);
    linkage_clear(&w);
    return status;
}

/* The two live slots a < b of least mean sum[a][b] / (W_a W_b); the first such pair. For Ward the sums are of
 * squared distances, and the mean squared distance between clusters is |c_a - c_b|^2 + S_a/W_a + S_b/W_b, S
 * the sum of squares of a cluster around its centroid: half the mean within it, times W. */
static double closest_pair(const struct linkage *w, const double *sum, size_t *a, size_t *b)
{
    double least = INFINITY;
    for (size_t i = 0; i < w->live; i++)
        for (size_t j = i + 1; j < w->live; j++) {
            size_t p = w->slot[i], q = w->slot[j];
            double mean = sum[p * w->n + q] / (w->weight[p] * w->weight[q]);
            if (w->kind == RHM_LINKAGE_WARD) {
                double W_p = w->weight[p], W_q = w->weight[q];
                mean -= sum[p * w->n + p] / (2 * W_p * W_p) + sum[q * w->n + q] / (2 * W_q * W_q);
                mean = sqrt(fmax(mean, 0) * W_p * W_q / (W_p + W_q));
            }
            if (mean < least) {
                least = mean;
                *a = p;
                *b = q;
            }
        }
    return least;
}

/* By the definition, from the weighted sums of all distances (Ward: squared) between two clusters, which add.
 */
enum rhm_status rhm_dendrogram_build_naive(struct rhm_dendrogram *tree, enum rhm_linkage kind, size_t n,
                                           size_t dim, const double *points, const double *weight,
                                           struct rhm_error *err)
{
    *tree = (struct rhm_dendrogram){0};
    enum rhm_status status =
        rhm_memory_check(8.0 * (double)n * (double)n, "the naive dendrogram", "cluster fewer points", err);
    if (status == RHM_OK)
        status = rhm_points_check(n, dim, points, weight, err);
    if (status != RHM_OK)
        return status;

    struct linkage w = {0};
    double *sum = rhm_array(n * n, sizeof *sum, "the naive dendrogram", err);
    status = sum != NULL ? linkage_init(&w, kind, n, weight, err) : RHM_EMEMORY;
    if (status != RHM_OK) {
        free(sum);
        return status;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            double square = rhm_points_square(dim, points + i * dim, points + j * dim);
            sum[i * n + j] = w.weight[i] * w.weight[j] * (kind == RHM_LINKAGE_WARD ? square : sqrt(square));
        }
    while (w.live > 1 && status == RHM_OK) {
        size_t a = n, b = n;
        double height = closest_pair(&w, sum, &a, &b);
        if (a == n) {
            status =
                rhm_fail(err, RHM_ENUMERIC, "two points are too far apart for their distance to be a number");
            break;
        }
        sum[a * n + a] += 2 * sum[a * n + b] + sum[b * n + b]; /* all pairs within */
        for (size_t c = 0; c < n; c++) {
            if (c == a)
                continue;
            sum[a * n + c] += sum[b * n + c];
            sum[c * n + a] = sum[a * n + c];
        }
        linkage_merge(&w, a, b, height);
    }
    if (status == RHM_OK)
        status = linkage_finish(&w, tree, err);
    free(sum);
    linkage_clear(&w);
    return status;
}
