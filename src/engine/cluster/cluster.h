/* cluster.h - clusters of synonyms: a dendrogram of the outputs of a layer, and what follows from a cut.
 *
 * Synonyms have the same q, so the outputs of a layer's patches form clusters, one a parent. The dendrogram
 * (nearest-neighbour chain, O(n^2) time and memory) is average linkage (UPGMA) on Euclidean distances, or
 * Ward's: two clusters cost what their merge adds to the weighted sum of squares, w_a w_b/(w_a + w_b)
 * |c_a - c_b|^2. With counts for weights that is how unlikely it is that both are noisy counts of one q: rare
 * patches, which are far off for their noise alone, join cheaply and keep no cluster for themselves.
 */
#ifndef RHM_CLUSTER_H
#define RHM_CLUSTER_H

#include <stddef.h>

#include "engine/base/error.h"
#include "engine/base/poll.h"

enum rhm_linkage { RHM_LINKAGE_AVERAGE, RHM_LINKAGE_WARD };

/* The n - 1 merges in increasing height. Node i < n is leaf i, node n + j is merge j. */
struct rhm_dendrogram {
    size_t n;
    size_t *left, *right; /* n - 1: the two nodes merged; left holds the smaller leaf */
    double *height;       /* n - 1: mean distance between the two; Ward: the square root of their cost */
};

/* points: n x dim, row-major, n >= 1. weight (n, > 0) weighs the leaves; NULL: all 1. */
enum rhm_status rhm_dendrogram_build(struct rhm_dendrogram *tree, enum rhm_linkage kind, size_t n, size_t dim,
                                     const double *points, const double *weight, rhm_poll_function *poll,
                                     void *context, struct rhm_error *err);
/* The same by the textbook O(n^3) loop: the reference for tests. */
enum rhm_status rhm_dendrogram_build_naive(struct rhm_dendrogram *tree, enum rhm_linkage kind, size_t n,
                                           size_t dim, const double *points, const double *weight,
                                           struct rhm_error *err);
void rhm_dendrogram_clear(struct rhm_dendrogram *tree);

/* cluster[n] = 0..k-1 for the cut into k clusters (1 <= k <= n), numbered in the order of their smallest
 * leaf. */
enum rhm_status rhm_dendrogram_cut(const struct rhm_dendrogram *tree, size_t k, size_t *cluster,
                                   struct rhm_error *err);

/* order[n]: the leaves from left to right in the tree, so that each subtree is contiguous. */
enum rhm_status rhm_dendrogram_order(const struct rhm_dendrogram *tree, size_t *order, struct rhm_error *err);

/* What a cut says, from the points and their weights. */
struct rhm_clusters {
    size_t n, k, dim;
    size_t *cluster;  /* n: 0..k-1 */
    double *centroid; /* k x dim: weighted means */
    double *weight;   /* k: sums of weights */
    double rho;       /* smallest distance between two centroids; INFINITY for k = 1 */
    double eps_S;     /* weighted root mean square distance of a point to its centroid */
    double inter_min; /* smallest distance between points of different clusters; INFINITY for k = 1 */
    double intra_max; /* largest distance between points of the same cluster */
};

/* The last two are nan for more points than this: they look at all pairs. */
#define RHM_CLUSTERS_EXTREMES 8192

/* cluster: n numbers 0..k-1, each of the k used; copied. */
enum rhm_status rhm_clusters_init(struct rhm_clusters *c, size_t n, size_t dim, const double *points,
                                  const double *weight, size_t k, const size_t *cluster,
                                  rhm_poll_function *poll, void *context, struct rhm_error *err);
void rhm_clusters_clear(struct rhm_clusters *c);

/* Moves points to the nearest centroid and centroids to their points in turn (Lloyd), until nothing moves or
 * 50 times: the weighted sum of squares never grows. cluster (n: 0..k-1, each of the k used) in place; a
 * cluster keeps its last point. */
enum rhm_status rhm_clusters_settle(size_t n, size_t dim, const double *points, const double *weight,
                                    size_t k, size_t *cluster, rhm_poll_function *poll, void *context,
                                    struct rhm_error *err);

/* The cluster whose centroid is nearest to the point (dim numbers); ties go to the lowest number. */
size_t rhm_clusters_nearest(const struct rhm_clusters *c, const double *point);

#endif
