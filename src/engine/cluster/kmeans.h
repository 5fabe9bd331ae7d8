/* kmeans.h - k-means: points in k groups around their weighted means. */
#ifndef RHM_KMEANS_H
#define RHM_KMEANS_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"
#include "engine/base/poll.h"

struct rhm_kmeans_options {
    size_t k;
    unsigned restarts, iterations; /* at least 1 each */
    uint64_t seed;
    uint32_t stream; /* start r draws from (seed, stream, r) */
    void (*report)(void *context,
                   unsigned done); /* called after each start with poll's context; may be NULL */
};

struct rhm_kmeans {
    size_t k;         /* groups in use: fewer than asked for where there are fewer distinct points */
    double *centroid; /* k x dim; owned */
    double inertia;   /* sum of weight times squared distance to the own centroid */
};

/* points: n x dim, row-major, n >= 1; weight (n, > 0; NULL: all 1). Each start draws its centroids by
 * k-means++ (Arthur and Vassilvitskii, SODA 2007) and repeats Lloyd's two steps until no point changes its
 * group; the start of least inertia is kept, the first of equals. A group that loses its points takes the
 * point that adds most to the inertia. cluster (n): 0..k-1, numbered in the order of their first point. The
 * result does not depend on the threads. */
enum rhm_status rhm_kmeans(size_t n, size_t dim, const double *points, const double *weight,
                           const struct rhm_kmeans_options *options, uint32_t *cluster,
                           struct rhm_kmeans *out, rhm_poll_function *poll, void *context,
                           struct rhm_error *err);
void rhm_kmeans_clear(struct rhm_kmeans *out);

/* The centroid nearest to a point (dim numbers); ties go to the lowest number. square (may be NULL): the
 * squared distance. */
size_t rhm_kmeans_nearest(size_t k, size_t dim, const double *centroid, const double *point, double *square);

#endif
