/* linalg.c - see linalg.h. */
#include "engine/base/linalg.h"

#include <cblas.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "engine/base/lapack.h"
#include "engine/base/memory.h"
#include "engine/base/rng.h"

static _Thread_local char fault[64];
static _Thread_local int faulty;

static void record_fault(const char *name, size_t length, int position)
{
    while (length > 0 && name[length - 1] == ' ')
        length--;
    snprintf(fault, sizeof fault, "%.*s, argument %d", (int)(length < 32 ? length : 32), name, position);
    faulty = 1;
}

/* These take the place of the libraries' own, which print and (in the reference libraries) stop. */
void xerbla_(const char *name, const int *position, size_t length);
void xerbla_(const char *name, const int *position, size_t length)
{
    record_fault(name, length < 32 ? strnlen(name, length) : strnlen(name, 6), *position);
}

void rhm_cblas_fault(int position, const char *name, const char *form, ...) __asm__("cblas_xerbla");
void rhm_cblas_fault(int position, const char *name, const char *form, ...)
{
    (void)form;
    record_fault(name, strnlen(name, 32), position);
}

const char *rhm_linalg_fault(void)
{
    int was = faulty;
    faulty = 0;
    return was ? fault : NULL;
}

enum rhm_status rhm_linalg_dimension(const char *name, size_t n, struct rhm_error *err)
{
    if (n < INT_MAX)
        return RHM_OK;
    return rhm_fail(err, RHM_EARG, "%s = %zu: BLAS and LAPACK take at most %d", name, n, INT_MAX - 1);
}

/* After a call: an argument refused, or the routine's own failure. */
enum rhm_status rhm_linalg_info(const char *routine, int info, struct rhm_error *err)
{
    const char *where = rhm_linalg_fault();
    if (where)
        return rhm_fail(err, RHM_ENUMERIC, "LAPACK refused a call (%s)", where);
    if (info != 0)
        return rhm_fail(err, RHM_ENUMERIC, "LAPACK's %s failed (info = %d)", routine, info);
    return RHM_OK;
}

/* Weak: only OpenBLAS has them, and only at run time is it known which BLAS there is. */
__attribute__((weak)) void openblas_set_num_threads(int n);
__attribute__((weak)) int openblas_get_parallel(void);

static pthread_mutex_t sharing = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int sharers;

/* OpenBLAS on OpenMP (parallel = 2) does the right thing within a loop by itself. */
static void use_one_thread(void)
{
    if (openblas_set_num_threads && openblas_get_parallel && openblas_get_parallel() == 1)
        openblas_set_num_threads(1);
}

void rhm_linalg_alone(void)
{
    pthread_once(&once, use_one_thread);
}

void rhm_linalg_share(void)
{
    rhm_linalg_alone();
    pthread_mutex_lock(&sharing);
    sharers++;
    pthread_mutex_unlock(&sharing);
}

void rhm_linalg_unshare(void)
{
    pthread_mutex_lock(&sharing);
    int last = --sharers == 0;
    pthread_mutex_unlock(&sharing);
#if defined _OPENMP && !defined __clang__
    /* Ends this thread's helpers, which else spin; the next loop makes them anew. Not with clang's runtime:
     * it ends those of all threads, which is an abort where another thread just begins a loop; its own sleep
     * after 0.2 s. */
    if (last && !omp_in_parallel())
        omp_pause_resource_all(omp_pause_soft);
#else
    (void)last;
#endif
}

void rhm_linalg_product(size_t m, size_t k, size_t n, const double *a, const double *b, double *out)
{
    enum { COLUMNS = 256 };
    rhm_linalg_alone();
#pragma omp parallel for schedule(static) if ((double)m * (double)k * (double)n > 4e6)
    for (size_t j = 0; j < n; j += COLUMNS)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)m,
                    (int)(n - j < COLUMNS ? n - j : COLUMNS), (int)k, 1, a, (int)k, b + j, (int)n, 0, out + j,
                    (int)n);
}

static void gram_tile(size_t n, size_t k, const double *x, int rows, int add, double *g, size_t i, size_t j,
                      size_t tile)
{
    int high = (int)(n - i < tile ? n - i : tile), wide = (int)(n - j < tile ? n - j : tile), stride = (int)n;
    int along = (int)k, lead = (int)(rows ? k : n);
    CBLAS_TRANSPOSE left = rows ? CblasNoTrans : CblasTrans, right = rows ? CblasTrans : CblasNoTrans;
    const double *a = x + i * (rows ? k : 1), *b = x + j * (rows ? k : 1);
    double *to = g + i * n + j;
    if (i == j)
        cblas_dsyrk(CblasRowMajor, CblasLower, left, high, along, 1, a, lead, add, to, stride);
    else
        cblas_dgemm(CblasRowMajor, left, right, high, wide, along, 1, a, lead, b, lead, add, to, stride);
}

enum rhm_status rhm_linalg_gram(size_t n, size_t k, const double *x, int rows, int add, double *g,
                                rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    size_t tile = 512, side, threads = 1; /* large tiles pack less, small ones share the work evenly */
#ifdef _OPENMP
    threads = (size_t)omp_get_max_threads();
#endif
    side = (n + tile - 1) / tile;
    while (tile > 64 && (side * (side + 1) / 2 < 30 ||
                         4 * (double)tile * (double)tile * (double)k >
                             RHM_LINALG_POLLED)) { /* whatever the threads: see rhm_linalg_share */
        tile /= 2;
        side = (n + tile - 1) / tile;
    }
    double each = 2 * (double)tile * (double)tile * (double)k;
    size_t below = side * (side - 1) / 2, tiles = below + side,
           batch = each < RHM_LINALG_POLLED ? (size_t)(RHM_LINALG_POLLED / each) : 1;
    if (batch < 2 * threads)
        batch = 2 * threads;
    for (size_t first = 0; first < tiles; first += batch) {
        enum rhm_status status = rhm_poll(poll, context, err);
        if (status != RHM_OK)
            return status;
        size_t end = tiles - first < batch ? tiles : first + batch;
#pragma omp parallel for schedule(dynamic, 1) if (threads > 1 && (double)n * (double)n * (double)k > 1e7)
        for (size_t t = first; t < end; t++) {
            size_t i = t - below, j = i; /* the whole tiles first, then the half ones of the diagonal */
            if (t < below) {             /* t = i (i - 1)/2 + j, j < i */
                for (i = (size_t)sqrt(2 * (double)t); i * (i + 1) / 2 <= t; i++)
                    ;
                j = t - i * (i - 1) / 2;
            }
            gram_tile(n, k, x, rows, add, g, i * tile, j * tile, tile);
        }
    }
    return RHM_OK;
}

void rhm_linalg_mirror(size_t n, double *a)
{
    enum { TILE = 32 };
#pragma omp parallel for schedule(dynamic, 1) if (n > 512)
    for (size_t i0 = 0; i0 < n; i0 += TILE)
        for (size_t j0 = 0; j0 <= i0; j0 += TILE)
            for (size_t i = i0; i < n && i < i0 + TILE; i++)
                for (size_t j = j0; j < i && j < j0 + TILE; j++)
                    a[j * n + i] = a[i * n + j];
}

/* Eigenvalue theta of the k x k tridiagonal (d, e), the last entry of its vector, and the next eigenvalue.
 * scratch: 7k doubles and room for 2 vectors. */
static int tridiagonal_top(int k, const double *d, const double *e, double *theta, double *last, double *next,
                           double *scratch, int *iscratch)
{
    double *dd = scratch, *ee = dd + k, *w = ee + k, *z = w + k, *work = z + 2 * k, zero = 0;
    double tolerance = 2 * 2.2250738585072014e-308;
    int from = k > 1 ? k - 1 : 1, found = 0, info = 0;
    memcpy(dd, d, (size_t)k * sizeof *d);
    memcpy(ee, e, (size_t)k * sizeof *e);
    dstevx_("V", "I", &k, dd, ee, &zero, &zero, &from, &k, &tolerance, &found, w, z, &k, work, iscratch,
            iscratch + 5 * k, &info, 1, 1);
    if (info != 0 || found != k - from + 1)
        return -1;
    *theta = w[found - 1];
    *last = z[(size_t)(found - 1) * (size_t)k + (size_t)k - 1];
    *next = found > 1 ? w[0] : -INFINITY;
    return 0;
}

/* Lanczos with full reorthogonalisation. A Ritz value is below the eigenvalue by at most r^2/gap (and r), r
 * the norm of its residual, which is |beta_k| times the last entry of the tridiagonal's vector. */
enum rhm_status rhm_linalg_largest(size_t n, const double *a, const double *scale, double *value,
                                   rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    enum { MOST = 300, EVERY = 5 };
    const double tolerance = 1e-11;
    size_t most = n < MOST ? n : MOST;
    enum rhm_status status = RHM_OK;
    double *basis = rhm_array((most + 1) * n, sizeof *basis, "the largest eigenvalue", err);
    double *scratch = rhm_array(2 * n + (most + 1) * 13, sizeof *scratch, "the largest eigenvalue", err);
    int *iscratch = rhm_array((most + 1) * 6, sizeof *iscratch, "the largest eigenvalue", err);
    if (basis == NULL || scratch == NULL || iscratch == NULL) {
        status = RHM_EMEMORY;
        goto done;
    }
    double *y = scratch, *in = y + n, *d = in + n, *e = d + most + 1, *dot = e + most + 1;
    double *small = dot + most + 1;
    struct rhm_rng rng = rhm_rng_start(1, 0, 0);
    for (size_t i = 0; i < n; i++)
        basis[i] = (scale ? scale[i] : 1) * (0.5 + rhm_rng_uniform(&rng));
    int in_ = (int)n;
    cblas_dscal(in_, 1 / cblas_dnrm2(in_, basis, 1), basis, 1);
    double theta = 0;
    for (size_t k = 1; k <= most; k++) {
        const double *q = basis + (k - 1) * n;
        for (size_t i = 0; i < n; i++)
            in[i] = scale ? scale[i] * q[i] : q[i];
        cblas_dsymv(CblasRowMajor, CblasLower, in_, 1, a, in_, in, 1, 0, y, 1);
        if (scale)
            for (size_t i = 0; i < n; i++)
                y[i] *= scale[i];
        d[k - 1] = cblas_ddot(in_, q, 1, y, 1);
        for (int twice = 0; twice < 2; twice++) {
            cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)k, in_, 1, basis, in_, y, 1, 0, dot, 1);
            cblas_dgemv(CblasRowMajor, CblasTrans, (int)k, in_, -1, basis, in_, dot, 1, 1, y, 1);
        }
        double beta = cblas_dnrm2(in_, y, 1);
        int exhausted = k == most || !(beta > 1e-14 * fabs(d[0]));
        if (exhausted || k % EVERY == 0) {
            double last, next;
            if (tridiagonal_top((int)k, d, e, &theta, &last, &next, small, iscratch) != 0) {
                status =
                    rhm_fail(err, RHM_ENUMERIC, "the largest eigenvalue was not found (values not finite?)");
                goto done;
            }
            double r = fabs(beta * last), gap = theta - next - r;
            double bound = gap > r ? r * r / gap : r;
            if (exhausted || bound <= tolerance * theta)
                break;
            if ((status = rhm_poll(poll, context, err)) != RHM_OK)
                goto done;
        }
        e[k - 1] = beta;
        for (size_t i = 0; i < n; i++)
            basis[k * n + i] = y[i] / beta;
    }
    *value = theta;
done:
    free(basis);
    free(scratch);
    free(iscratch);
    return status;
}

enum rhm_status rhm_linalg_eigen(size_t n, double *a, double *value, struct rhm_error *err)
{
    if (n > 32000)
        return rhm_fail(
            err, RHM_EARG,
            "%zu eigenvectors: LAPACK's dsyevd takes at most 32000: lower M or use stepped descent", n);
    int order = (int)n, info = 0, lwork = 1 + 6 * order + 2 * order * order, liwork = 3 + 5 * order;
    double *work = rhm_array((size_t)lwork, sizeof *work, "the eigenvectors", err);
    int *iwork = rhm_array((size_t)liwork, sizeof *iwork, "the eigenvectors", err);
    enum rhm_status status = RHM_EMEMORY;
    if (work && iwork) {
        dsyevd_("V", "U", &order, a, &order, value, work, &lwork, iwork, &liwork, &info, 1, 1);
        status = rhm_linalg_info("dsyevd", info, err);
    }
    free(work);
    free(iwork);
    return status;
}

/* Q R of the Gaussian matrix with R's diagonal made positive is uniform (Mezzadri 2007). Rows here are
 * Fortran's columns. */
enum rhm_status rhm_linalg_haar(size_t k, size_t n, double *rows, struct rhm_error *err)
{
    int m = (int)n, columns = (int)k, info = 0;
    size_t size = 64 * k; /* blocks of 64 columns, as LAPACK's own choice is at most */
    int lwork = (int)size;
    enum rhm_status status = rhm_linalg_dimension("the workspace of an orthogonal matrix", size, err);
    if (status != RHM_OK)
        return status;
    double *work = rhm_array(size, sizeof *work, "an orthogonal matrix", err);
    double *tau = rhm_array(2 * k, sizeof *tau, "an orthogonal matrix", err);
    if (work == NULL || tau == NULL) {
        status = RHM_EMEMORY;
        goto done;
    }
    double *sign = tau + k;
    dgeqrf_(&m, &columns, rows, &m, tau, work, &lwork, &info);
    if ((status = rhm_linalg_info("dgeqrf", info, err)) != RHM_OK)
        goto done;
    for (size_t i = 0; i < k; i++)
        sign[i] = rows[i * n + i] < 0 ? -1 : 1;
    dorgqr_(&m, &columns, &columns, rows, &m, tau, work, &lwork, &info);
    if ((status = rhm_linalg_info("dorgqr", info, err)) != RHM_OK)
        goto done;
    for (size_t i = 0; i < k; i++)
        cblas_dscal(m, sign[i], rows + i * n, 1);
done:
    free(work);
    free(tau);
    return status;
}
