/* matrix.h - a dense matrix of doubles, row by row. */
#ifndef RHM_MATRIX_H
#define RHM_MATRIX_H

#include <stddef.h>

#include "engine/base/error.h"

struct rhm_matrix {
    size_t rows, cols;
    double *v; /* rows x cols, row-major; owned */
};

/* A zeroed matrix; free with rhm_matrix_clear. */
enum rhm_status rhm_matrix_init(struct rhm_matrix *m, size_t rows, size_t cols, struct rhm_error *err);
void rhm_matrix_clear(struct rhm_matrix *m);

/* To a file whose ending says the format: .csv (17 significant digits, no header), .npy (NumPy, float64),
 * .h5 (one HDF5 data set "matrix"). Written beside the target and renamed, so that a failure leaves an old
 * file as it was. */
enum rhm_status rhm_matrix_save(const struct rhm_matrix *m, const char *path, struct rhm_error *err);

/* Where the largest of n numbers stands, the first of equals. */
size_t rhm_largest(const double *v, size_t n);

#endif
