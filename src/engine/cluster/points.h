/* points.h - clouds of points: checks and distances, shared by the files on clusters (not installed). */
#ifndef RHM_POINTS_H
#define RHM_POINTS_H

#include <stddef.h>

#include "engine/base/error.h"

/* Distances of one point to this many others at a time: 4 KiB, which stays in the first cache. */
#define RHM_POINTS_BLOCK ((size_t)512)

/* n, dim >= 1; points (n x dim, row-major) finite; weight (n, may be NULL) positive with a finite sum. */
enum rhm_status rhm_points_check(size_t n, size_t dim, const double *points, const double *weight,
                                 struct rhm_error *err);

/* dim x n from n x dim, so that the loop over points is the inner one and runs in vectors. */
double *rhm_points_transpose(size_t n, size_t dim, const double *points, struct rhm_error *err);

/* out[j] = |point - x_(first+j)|^2, j < count, from the transposed points. */
void rhm_points_squares(size_t n, size_t dim, const double *transposed, const double *point, size_t first,
                        size_t count, double *restrict out);

/* Of how many points the distances to n others are worked out between two polls. */
size_t rhm_points_rows(size_t n, size_t dim);

/* |a - b|^2 */
double rhm_points_square(size_t dim, const double *a, const double *b);

#endif
