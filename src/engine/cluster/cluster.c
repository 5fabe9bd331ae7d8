/* cluster.c - what a dendrogram says: cuts, the order of its leaves, and the geometry
 * of the clusters of a cut. linkage.c builds it. See cluster.h.
 */
#include "engine/cluster/cluster.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/cluster/points.h"

void rhm_dendrogram_clear(struct rhm_dendrogram *tree)
{
    free(tree->left);
    free(tree->right);
    free(tree->height);
    *tree = (struct rhm_dendrogram){0};
}

enum rhm_status rhm_dendrogram_cut(const struct rhm_dendrogram *tree, size_t k, size_t *cluster,
                                   struct rhm_error *err)
{
    size_t n = tree->n;
    if (k < 1 || k > n)
        return rhm_fail(err, RHM_EARG, "k = %zu clusters of %zu points: k must be 1..%zu", k, n, n);
    /* by node: the node above it in the cut's forest, itself for a root; then the root; then the number */
    size_t nodes = 2 * n - k, *top = rhm_array(nodes, sizeof *top, "the cut of the dendrogram", err);
    if (top == NULL)
        return RHM_EMEMORY;
    for (size_t v = 0; v < nodes; v++)
        top[v] = v;
    for (size_t j = 0; j < n - k; j++)
        top[tree->left[j]] = top[tree->right[j]] = n + j;
    for (size_t v = nodes; v-- > 0;)
        top[v] = top[top[v]];
    /* a cluster's smallest leaf comes first, and numbers its root */
    size_t found = 0;
    for (size_t i = 0; i < n; i++)
        cluster[i] = top[i];
    for (size_t v = 0; v < nodes; v++)
        top[v] = SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        if (top[cluster[i]] == SIZE_MAX)
            top[cluster[i]] = found++;
        cluster[i] = top[cluster[i]];
    }
    free(top);
    return RHM_OK;
}

enum rhm_status rhm_dendrogram_order(const struct rhm_dendrogram *tree, size_t *order, struct rhm_error *err)
{
    size_t n = tree->n;
    if (n == 0)
        return RHM_OK;
    size_t *size = rhm_array(2 * n - 1, sizeof *size, "the order of the leaves", err);
    size_t *start = rhm_array(2 * n - 1, sizeof *start, "the order of the leaves", err);
    if (size == NULL || start == NULL) {
        free(size);
        free(start);
        return RHM_EMEMORY;
    }
    for (size_t i = 0; i < n; i++)
        size[i] = 1;
    for (size_t j = 0; j + 1 < n; j++)
        size[n + j] = size[tree->left[j]] + size[tree->right[j]];
    for (size_t j = n - 1; j-- > 0;) {
        start[tree->left[j]] = start[n + j];
        start[tree->right[j]] = start[n + j] + size[tree->left[j]];
    }
    for (size_t i = 0; i < n; i++)
        order[start[i]] = i;
    free(size);
    free(start);
    return RHM_OK;
}

void rhm_clusters_clear(struct rhm_clusters *c)
{
    free(c->cluster);
    free(c->centroid);
    free(c->weight);
    *c = (struct rhm_clusters){0};
}

/* Copies the numbers and sums weights and points; fails where a cluster is empty. */
static enum rhm_status fill_centroids(struct rhm_clusters *c, const double *points, const double *weight,
                                      const size_t *cluster, struct rhm_error *err)
{
    size_t dim = c->dim;
    for (size_t i = 0; i < c->n; i++) {
        size_t a = cluster[i];
        if (a >= c->k)
            return rhm_fail(err, RHM_EARG, "point %zu is in cluster %zu: clusters are numbered 0..%zu", i + 1,
                            a, c->k - 1);
        c->cluster[i] = a;
        c->weight[a] += weight != NULL ? weight[i] : 1;
    }
    for (size_t a = 0; a < c->k; a++)
        if (!(c->weight[a] > 0))
            return rhm_fail(err, RHM_EARG, "cluster %zu of %zu is empty: each needs a point", a, c->k);
    /* shares, not sums: no overflow, and the centroid of one point is that point */
    for (size_t i = 0; i < c->n; i++) {
        size_t a = cluster[i];
        double share = (weight != NULL ? weight[i] : 1) / c->weight[a];
        for (size_t d = 0; d < dim; d++)
            c->centroid[a * dim + d] += share * points[i * dim + d];
    }
    return RHM_OK;
}

static void spreads(struct rhm_clusters *c, const double *points, const double *weight)
{
    size_t dim = c->dim;
    double least = INFINITY, sum = 0, total = 0;
    for (size_t a = 0; a < c->k; a++) {
        for (size_t b = a + 1; b < c->k; b++)
            least = fmin(least, rhm_points_square(dim, c->centroid + a * dim, c->centroid + b * dim));
        total += c->weight[a];
    }
    for (size_t i = 0; i < c->n; i++)
        sum += (weight != NULL ? weight[i] : 1) *
               rhm_points_square(dim, points + i * dim, c->centroid + c->cluster[i] * dim);
    c->rho = sqrt(least);
    c->eps_S = sqrt(sum / total);
}

/* Extremes over all pairs: a least and a largest do not depend on the order of threads. */
static enum rhm_status extremes(struct rhm_clusters *c, const double *points, rhm_poll_function *poll,
                                void *context, struct rhm_error *err)
{
    size_t n = c->n, dim = c->dim, batch = rhm_points_rows(n, dim);
    enum rhm_status status = RHM_OK;
    c->inter_min = c->intra_max = NAN;
    if (n > RHM_CLUSTERS_EXTREMES)
        return RHM_OK;
    double *transposed = rhm_points_transpose(n, dim, points, err), inter = INFINITY, intra = 0;
    if (transposed == NULL)
        return RHM_EMEMORY;
    for (size_t first = 0; first < n && (status = rhm_poll(poll, context, err)) == RHM_OK; first += batch) {
        size_t end = n - first < batch ? n : first + batch;
#pragma omp parallel for schedule(dynamic, 16) reduction(min : inter) reduction(max : intra)
        for (size_t i = first; i < end; i++)
            for (size_t j = i + 1; j < n; j += RHM_POINTS_BLOCK) {
                double square[RHM_POINTS_BLOCK];
                size_t count = n - j < RHM_POINTS_BLOCK ? n - j : RHM_POINTS_BLOCK, mine = c->cluster[i];
                rhm_points_squares(n, dim, transposed, points + i * dim, j, count, square);
                for (size_t k = 0; k < count; k++) {
                    bool same = c->cluster[j + k] == mine;
                    if (same && square[k] > intra)
                        intra = square[k];
                    if (!same && square[k] < inter)
                        inter = square[k];
                }
            }
    }
    free(transposed);
    /* OpenMP starts a private minimum at DBL_MAX in clang, at INFINITY in gcc */
    c->inter_min = c->k > 1 ? sqrt(inter) : INFINITY;
    c->intra_max = sqrt(intra);
    return status;
}

enum rhm_status rhm_clusters_init(struct rhm_clusters *c, size_t n, size_t dim, const double *points,
                                  const double *weight, size_t k, const size_t *cluster,
                                  rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    *c = (struct rhm_clusters){0};
    enum rhm_status status = rhm_points_check(n, dim, points, weight, err);
    if (status != RHM_OK)
        return status;
    if (k < 1 || k > n)
        return rhm_fail(err, RHM_EARG, "k = %zu clusters of %zu points: k must be 1..%zu", k, n, n);
    *c = (struct rhm_clusters){.n = n, .k = k, .dim = dim};
    if ((c->cluster = rhm_array(n, sizeof *c->cluster, "the clusters", err)) == NULL ||
        (c->centroid = rhm_array(k * dim, sizeof *c->centroid, "the centroids", err)) == NULL ||
        (c->weight = rhm_array(k, sizeof *c->weight, "the clusters", err)) == NULL)
        status = RHM_EMEMORY;
    if (status == RHM_OK)
        status = fill_centroids(c, points, weight, cluster, err);
    if (status == RHM_OK) {
        spreads(c, points, weight);
        status = extremes(c, points, poll, context, err);
    }
    if (status != RHM_OK)
        rhm_clusters_clear(c);
    return status;
}

/* --------------------------------------------------------------- settle */

#define SETTLE_ROUNDS 50

/* next[i]: the nearest centroid, point i's own among equals. */
static void nearest_of_all(const struct rhm_clusters *c, const double *points, const size_t *cluster,
                           size_t *next)
{
    size_t dim = c->dim;
#pragma omp parallel for schedule(static) if (c->n * c->k * dim > 100000)
    for (size_t i = 0; i < c->n; i++) {
        const double *point = points + i * dim;
        double least = rhm_points_square(dim, point, c->centroid + cluster[i] * dim);
        next[i] = cluster[i];
        for (size_t a = 0; a < c->k; a++) {
            double square = rhm_points_square(dim, point, c->centroid + a * dim);
            if (square < least) {
                least = square;
                next[i] = a;
            }
        }
    }
}

/* Moves the points, but none that is the last of its cluster; how many moved. */
static size_t move_points(size_t n, const size_t *next, size_t *size, size_t *cluster)
{
    size_t moved = 0;
    for (size_t i = 0; i < n; i++) {
        if (next[i] == cluster[i] || size[cluster[i]] == 1)
            continue;
        size[cluster[i]]--;
        size[next[i]]++;
        cluster[i] = next[i];
        moved++;
    }
    return moved;
}

enum rhm_status rhm_clusters_settle(size_t n, size_t dim, const double *points, const double *weight,
                                    size_t k, size_t *cluster, rhm_poll_function *poll, void *context,
                                    struct rhm_error *err)
{
    struct rhm_clusters c = {.n = n, .k = k, .dim = dim};
    size_t *next = rhm_array(n, sizeof *next, "the clusters", err);
    size_t *size = rhm_array(k, sizeof *size, "the clusters", err);
    c.cluster = rhm_array(n, sizeof *c.cluster, "the clusters", err);
    c.centroid = rhm_array(k * dim, sizeof *c.centroid, "the centroids", err);
    c.weight = rhm_array(k, sizeof *c.weight, "the clusters", err);
    enum rhm_status status = next && size && c.cluster && c.centroid && c.weight ? RHM_OK : RHM_EMEMORY;
    size_t moved = 1;
    for (size_t i = 0; i < n && status == RHM_OK; i++)
        if (cluster[i] < k) /* what is not is named by fill_centroids */
            size[cluster[i]]++;
    for (int round = 0; round < SETTLE_ROUNDS && moved > 0 && status == RHM_OK; round++) {
        memset(c.centroid, 0, k * dim * sizeof *c.centroid);
        memset(c.weight, 0, k * sizeof *c.weight);
        status = fill_centroids(&c, points, weight, cluster, err);
        if (status == RHM_OK)
            status = rhm_poll(poll, context, err);
        if (status != RHM_OK)
            break;
        nearest_of_all(&c, points, cluster, next);
        moved = move_points(n, next, size, cluster);
    }
    free(next);
    free(size);
    rhm_clusters_clear(&c);
    return status;
}

size_t rhm_clusters_nearest(const struct rhm_clusters *c, const double *point)
{
    size_t best = 0;
    double least = INFINITY;
    for (size_t a = 0; a < c->k; a++) {
        double square = rhm_points_square(c->dim, point, c->centroid + a * c->dim);
        if (square < least) {
            least = square;
            best = a;
        }
    }
    return best;
}
