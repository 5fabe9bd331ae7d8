/* cholesky.c - Cholesky factors, solutions and condition numbers by tiles, so that they can be interrupted.
 * See linalg.h. */
#include <cblas.h>
#include <math.h>
#include <stdlib.h>

#include "engine/base/lapack.h"
#include "engine/base/linalg.h"
#include "engine/base/memory.h"

/* The tile of column `column` and row `row` behind the columns k0..k1-1 loses what these take off it. */
static void cholesky_tile(size_t n, double *a, size_t k0, size_t k1, size_t tile, size_t row, size_t column)
{
    size_t i = k1 + row * tile, j = k1 + column * tile;
    int high = (int)(n - i < tile ? n - i : tile), across = (int)(n - j < tile ? n - j : tile);
    int stride = (int)n, wide = (int)(k1 - k0);
    if (i == j)
        cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, high, wide, -1, a + i * n + k0, stride, 1,
                    a + i * n + i, stride);
    else
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, high, across, wide, -1, a + i * n + k0, stride,
                    a + j * n + k0, stride, 1, a + i * n + j, stride);
}

#define WORTH_THREADS 5e7 /* multiplications, about */

/* One step of the tiled factorisation: the rows below k1 of the columns k0..k1-1, whose diagonal tile is
 * done, and what they take off the columns behind. Row-major lower = LAPACK's upper. */
static enum rhm_status cholesky_panel(size_t n, double *a, size_t k0, size_t k1, size_t tile,
                                      rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    size_t rest = n - k1, side = (rest + tile - 1) / tile, tiles = side * (side + 1) / 2;
    int stride = (int)n, wide = (int)(k1 - k0);
    size_t batch = (size_t)(RHM_LINALG_POLLED / (2 * (double)tile * (double)tile * (double)tile)) + 1;
    for (size_t first = 0; first < side; first += batch) {
        size_t end = side - first < batch ? side : first + batch;
        enum rhm_status status = rhm_poll(poll, context, err);
        if (status != RHM_OK)
            return status;
#pragma omp parallel for schedule(dynamic, 1) if ((double)rest * (double)rest * wide > WORTH_THREADS)
        for (size_t t = first; t < end; t++) {
            size_t i = k1 + t * tile, high = n - i < tile ? n - i : tile;
            cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, (int)high, wide, 1,
                        a + k0 * n + k0, stride, a + i * n + k0, stride);
        }
    }
    for (size_t first = 0; first < tiles; first += batch) {
        size_t end = tiles - first < batch ? tiles : first + batch;
        enum rhm_status status = rhm_poll(poll, context, err);
        if (status != RHM_OK)
            return status;
#pragma omp parallel for schedule(dynamic, 1) if ((double)rest * (double)rest * wide > WORTH_THREADS)
        for (size_t t = first; t < end; t++) {
            size_t row = (size_t)((sqrt(8 * (double)t + 1) - 1) / 2); /* t = row (row + 1)/2 + column */
            while ((row + 1) * (row + 2) / 2 <= t)
                row++;
            while (row * (row + 1) / 2 > t)
                row--;
            cholesky_tile(n, a, k0, k1, tile, row, t - row * (row + 1) / 2);
        }
    }
    return RHM_OK;
}

/* *info as dpotrf's: 0, or the order of the first leading minor that is not positive. */
static enum rhm_status cholesky(size_t n, double *a, int *info, rhm_poll_function *poll, void *context,
                                struct rhm_error *err)
{
    size_t tile = n > 4096 ? 256 : 128;
    int stride = (int)n;
    enum rhm_status status = RHM_OK;
    rhm_linalg_alone();
    *info = 0;
    for (size_t k = 0; k < n && status == RHM_OK; k += tile) {
        size_t end = n - k < tile ? n : k + tile;
        int size = (int)(end - k);
        dpotrf_("U", &size, a + k * n + k, &stride, info, 1);
        if (*info != 0) {
            *info += *info > 0 ? (int)k : 0;
            return RHM_OK;
        }
        status = cholesky_panel(n, a, k, end, tile, poll, context, err);
    }
    return status;
}

enum rhm_status rhm_linalg_cholesky(size_t n, double *a, const char *what, rhm_poll_function *poll,
                                    void *context, struct rhm_error *err)
{
    int info;
    enum rhm_status status = cholesky(n, a, &info, poll, context, err);
    if (status != RHM_OK)
        return status;
    if (info > 0)
        return rhm_fail(err, RHM_ENUMERIC, "%s is not positive (row %d of %zu): raise lambda", what, info, n);
    return rhm_linalg_info("dpotrf", info, err);
}

/* Columns j..j+wide-1 of some rows of x: y L^T = x where `forward` (those before are done), else z L = y
 * (those behind are done). */
static void solve_columns(size_t n, const double *factor, int some, double *x, size_t j, size_t wide,
                          int forward)
{
    int stride = (int)n, across = (int)wide;
    size_t end = j + wide, done = forward ? j : n - end;
    const double *l = forward ? factor + j * n : factor + end * n + j;
    if (done > 0)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, forward ? CblasTrans : CblasNoTrans, some, across, (int)done,
                    -1, forward ? x : x + end, stride, l, stride, 1, x + j, stride);
    cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, forward ? CblasTrans : CblasNoTrans, CblasNonUnit,
                some, across, 1, factor + j * n + j, stride, x + j, stride);
}

enum rhm_status rhm_linalg_cholesky_solve(size_t n, const double *factor, size_t k, double *x,
                                          rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    enum { ROWS = 4, COLUMNS = 128 };
    size_t blocks = (n + COLUMNS - 1) / COLUMNS;
    for (size_t step = 0; step < 2 * blocks; step++) {
        int forward = step < blocks;
        size_t j = (forward ? step : 2 * blocks - 1 - step) * COLUMNS;
        enum rhm_status status = rhm_poll(poll, context, err);
        if (status != RHM_OK)
            return status;
#pragma omp parallel for schedule(dynamic, 1) if ((double)n * (double)n * (double)k > 4e7)
        for (size_t i = 0; i < k; i += ROWS)
            solve_columns(n, factor, (int)(k - i < ROWS ? k - i : ROWS), x + i * n, j,
                          n - j < COLUMNS ? n - j : COLUMNS, forward);
    }
    return RHM_OK;
}

enum rhm_status rhm_linalg_condition(size_t n, double *a, double *condition, rhm_poll_function *poll,
                                     void *context, struct rhm_error *err)
{
    int order = (int)n, info = 0, kase = 0, save[3];
    double *x = rhm_array(2 * n, sizeof *x, "a condition number", err), inverse = 0;
    int *sign = rhm_array(n, sizeof *sign, "a condition number", err);
    enum rhm_status status = x && sign ? RHM_OK : RHM_EMEMORY;
    *condition = INFINITY;
    if (status == RHM_OK) {
        double norm = dlansy_("1", "U", &order, a, &order, x, 1, 1);
        status = cholesky(n, a, &info, poll, context, err);
        while (status == RHM_OK && info == 0) {
            dlacn2_(&order, x + n, x, sign, &inverse, &kase, save);
            if (kase == 0)
                break;
            status = rhm_linalg_cholesky_solve(n, a, 1, x, poll, context, err);
        }
        if (status == RHM_OK && info == 0)
            *condition = norm * inverse;
    }
    free(x);
    free(sign);
    return status;
}
