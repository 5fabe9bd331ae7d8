/* points.c - see points.h. */
#include "engine/cluster/points.h"

#include <math.h>

#include "engine/base/memory.h"

enum rhm_status rhm_points_check(size_t n, size_t dim, const double *points, const double *weight,
                                 struct rhm_error *err)
{
    if (n == 0)
        return rhm_fail(err, RHM_EARG, "no points to cluster: 1 or more are needed");
    if (dim == 0)
        return rhm_fail(err, RHM_EARG, "points of dimension 0 cannot be clustered: 1 or more are needed");
    for (size_t i = 0; i < n; i++)
        for (size_t t = 0; t < dim; t++)
            if (!isfinite(points[i * dim + t]))
                return rhm_fail(err, RHM_ENUMERIC, "coordinate %zu of point %zu is %g: points must be finite",
                                t + 1, i + 1, points[i * dim + t]);
    if (weight == NULL)
        return RHM_OK;
    double total = 0;
    for (size_t i = 0; i < n; i++) {
        if (!(weight[i] > 0))
            return rhm_fail(err, RHM_EARG, "the weight of point %zu is %g: weights must be positive", i + 1,
                            weight[i]);
        total += weight[i];
    }
    if (!isfinite(total))
        return rhm_fail(err, RHM_EARG, "the weights sum to %g: their sum must be finite", total);
    return RHM_OK;
}

double *rhm_points_transpose(size_t n, size_t dim, const double *points, struct rhm_error *err)
{
    double *t = rhm_array(n * dim, sizeof *t, "a copy of the points to cluster", err);
    if (t != NULL)
        for (size_t i = 0; i < n; i++)
            for (size_t d = 0; d < dim; d++)
                t[d * n + i] = points[i * dim + d];
    return t;
}

size_t rhm_points_rows(size_t n, size_t dim)
{
    double rows = 5e7 / ((double)n * (double)(dim + 4)); /* some 20 ms */
    return rows > 16 ? (size_t)rows : 16;
}

void rhm_points_squares(size_t n, size_t dim, const double *transposed, const double *point, size_t first,
                        size_t count, double *restrict out)
{
    for (size_t j = 0; j < count; j++)
        out[j] = 0;
    for (size_t d = 0; d < dim; d++) {
        const double *x = transposed + d * n + first, p = point[d];
#pragma omp simd
        for (size_t j = 0; j < count; j++)
            out[j] += (x[j] - p) * (x[j] - p);
    }
}

double rhm_points_square(size_t dim, const double *a, const double *b)
{
    double sum = 0;
    for (size_t d = 0; d < dim; d++)
        sum += (a[d] - b[d]) * (a[d] - b[d]);
    return sum;
}
