/* ridge.c - ridge regressions: made from counts and features, and what their weights say. See ridge.h; how
 * they are solved is in ridge_solve.c. */
#include "engine/layer/ridge.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "engine/base/linalg.h"
#include "engine/base/memory.h"
#include "engine/layer/ridge_small.h"

#define BLOCK   1024              /* patches whose features are held at once */
#define CHUNK   64                /* patches one thread takes at a time */
#define COLUMNS 256               /* columns of B one thread takes at a time */
#define ALONE   ((size_t)1 << 18) /* numbers that one thread computes sooner than it wakes another */

static enum rhm_status check_arguments(const struct rhm_ridge *r, const struct rhm_features *f,
                                       const uint32_t *tuple, const double *count, double eta,
                                       struct rhm_error *err)
{
    if (r->U < 1 || r->C < 1)
        return rhm_fail(err, RHM_EARG,
                        "ridge regression of %zu patches on %zu labels: both must be 1 or more", r->U, r->C);
    if (!(r->lambda >= 0) || !isfinite(r->lambda))
        return rhm_fail(err, RHM_EARG, "lambda = %g: must be 0 or more and finite", r->lambda);
    if (!(eta >= 0) || !isfinite(eta))
        return rhm_fail(err, RHM_EARG, "eta = %g: the step size must be positive (0: chosen)", eta);
    enum rhm_status status = rhm_linalg_dimension("the number of patches", r->U, err);
    if (status == RHM_OK)
        status = rhm_linalg_dimension("labels times unknowns", r->C * rhm_ridge_order(r), err);
    if (status != RHM_OK)
        return status;
    for (size_t i = 0; i < r->U * f->s; i++)
        if (tuple[i] >= f->K)
            return rhm_fail(err, RHM_EARG, "patch %zu holds code %u: the features know codes 0 to %zu",
                            i / f->s, (unsigned)tuple[i], f->K - 1);
    for (size_t i = 0; i < r->U; i++) {
        double sum = 0;
        for (size_t c = 0; c < r->C; c++) {
            double n = count[i * r->C + c];
            if (!(n >= 0) || !isfinite(n))
                return rhm_fail(err, RHM_EARG, "patch %zu has count %g of label %zu: must be 0 or more", i, n,
                                c);
            sum += n;
        }
        if (!(sum > 0))
            return rhm_fail(err, RHM_EARG, "patch %zu has no samples: its counts must sum to 1 or more", i);
    }
    return RHM_OK;
}

/* Everything held at once, with the copy of the small matrix that the closed form factors. */
static enum rhm_status check_budget(const struct rhm_ridge *r, struct rhm_error *err)
{
    double n = (double)rhm_ridge_order(r), M = (double)r->M, U = (double)r->U, C = (double)r->C;
    double rows = r->dual ? U : fmin(U, BLOCK);
    double bytes = sizeof(double) * (2 * n * n + rows * M + U * (C + 1) + 3 * n * C);
    char what[96], help[64];
    snprintf(what, sizeof what, "ridge regression of %zu patches on M = %zu features", r->U, r->M);
    snprintf(help, sizeof help, r->dual ? "train on fewer distinct patches" : "lower M");
    if (r->dual && r->M > r->U)
        snprintf(help, sizeof help, "lower M");
    return rhm_memory_check(bytes, what, help, err);
}

/* p and J from the counts. */
static void set_weights(struct rhm_ridge *r, const double *count)
{
    double N = 0;
    for (size_t i = 0; i < r->U * r->C; i++)
        N += count[i];
    for (size_t i = 0; i < r->U; i++) {
        double sum = 0;
        for (size_t c = 0; c < r->C; c++) {
            sum += count[i * r->C + c];
            r->joint[i * r->C + c] = count[i * r->C + c] / N;
        }
        r->p[i] = sum / N;
    }
}

/* G += (S X)^T (S X), B += (S^-1 J)^T (S X), block by block. */
static enum rhm_status build_primal(struct rhm_ridge *r, const struct rhm_features *f, const uint32_t *tuple,
                                    rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    size_t M = r->M, C = r->C, block = r->U < BLOCK ? r->U : BLOCK;
    enum rhm_status status = RHM_OK;
    double *x = rhm_array(block * (M + C), sizeof *x, "a block of features", err);
    if (x == NULL)
        return RHM_EMEMORY;
    double *y = x + block * M;
    for (size_t first = 0; first < r->U && status == RHM_OK; first += block) {
        size_t some = r->U - first < block ? r->U - first : block;
#pragma omp parallel for if (some * M > ALONE)
        for (size_t i0 = 0; i0 < some; i0 += CHUNK) {
            size_t i1 = some - i0 < CHUNK ? some : i0 + CHUNK;
            rhm_features_rows(f, i1 - i0, tuple + (first + i0) * f->s, x + i0 * M);
            for (size_t i = i0; i < i1; i++) {
                double root = sqrt(r->p[first + i]);
                for (size_t k = 0; k < M; k++)
                    x[i * M + k] *= root;
                for (size_t c = 0; c < C; c++)
                    y[i * C + c] = r->joint[(first + i) * C + c] / root;
            }
        }
        status = rhm_linalg_gram(M, some, x, 0, 1, r->gram, poll, context, err);
#pragma omp parallel for if (some * M * C > ALONE)
        for (size_t j = 0; j < M; j += COLUMNS)
            cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)C,
                        (int)(M - j < COLUMNS ? M - j : COLUMNS), (int)some, 1, y, (int)C, x + j, (int)M, 1,
                        r->B + j, (int)M);
    }
    free(x);
    return status;
}

/* K = Phi Phi^T. */
static enum rhm_status build_dual(struct rhm_ridge *r, const struct rhm_features *f, const uint32_t *tuple,
                                  rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    for (size_t first = 0; first < r->U; first += BLOCK) {
        enum rhm_status status = rhm_poll(poll, context, err);
        if (status != RHM_OK)
            return status;
        rhm_features_rows(f, r->U - first < BLOCK ? r->U - first : BLOCK, tuple + first * f->s,
                          r->features + first * r->M);
    }
    return rhm_linalg_gram(r->U, r->M, r->features, 1, 0, r->gram, poll, context, err);
}

double *rhm_ridge_roots(const struct rhm_ridge *r, struct rhm_error *err)
{
    double *root = rhm_array(r->U, sizeof *root, "ridge regression", err);
    for (size_t i = 0; root && i < r->U; i++)
        root[i] = sqrt(r->p[i]);
    return root;
}

static enum rhm_status set_eta(struct rhm_ridge *r, double eta, rhm_poll_function *poll, void *context,
                               struct rhm_error *err)
{
    double *root = NULL;
    if (r->dual && (root = rhm_ridge_roots(r, err)) == NULL)
        return RHM_EMEMORY;
    enum rhm_status status =
        rhm_linalg_largest(rhm_ridge_order(r), r->gram, root, &r->lambda_max, poll, context, err);
    free(root);
    if (status != RHM_OK)
        return status;
    double top = r->lambda_max + r->lambda;
    if (!(top > 0))
        return rhm_fail(err, RHM_ENUMERIC, "all features are 0 and lambda = 0: nothing to learn from");
    if (eta * top >= 2)
        return rhm_fail(err, RHM_EARG,
                        "eta = %g: descent diverges from 2/(lambda_max + lambda) = %g on; eta = 0 chooses %g",
                        eta, 2 / top, 1 / top);
    r->eta = eta > 0 ? eta : 1 / top;
    return RHM_OK;
}

enum rhm_status rhm_ridge_init(struct rhm_ridge *r, enum rhm_ridge_form form, const struct rhm_features *f,
                               size_t U, const uint32_t *tuple, size_t C, const double *count, double lambda,
                               double eta, rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    *r = (struct rhm_ridge){.U = U, .M = f->M, .C = C, .lambda = lambda};
    r->dual = form == RHM_RIDGE_DUAL || (form == RHM_RIDGE_AUTO && U < f->M);
    enum rhm_status status = check_arguments(r, f, tuple, count, eta, err);
    if (status == RHM_OK)
        status = check_budget(r, err);
    if (status != RHM_OK)
        goto fail;
    const char *what = "ridge regression";
    size_t n = rhm_ridge_order(r);
    status = RHM_EMEMORY;
    if ((r->p = rhm_array(U, sizeof(double), what, err)) == NULL ||
        (r->joint = rhm_array(U * C, sizeof(double), what, err)) == NULL ||
        (r->gram = rhm_array(n * n, sizeof(double), what, err)) == NULL ||
        (r->iterate = rhm_array(C * n, sizeof(double), what, err)) == NULL ||
        (r->work = rhm_array(C * n, sizeof(double), what, err)) == NULL ||
        (r->dual && (r->features = rhm_array(U * r->M, sizeof(double), what, err)) == NULL) ||
        (!r->dual && (r->B = rhm_array(C * r->M, sizeof(double), what, err)) == NULL))
        goto fail;
    set_weights(r, count);
    rhm_linalg_share();
    status = (r->dual ? build_dual : build_primal)(r, f, tuple, poll, context, err);
    if (status == RHM_OK) {
        rhm_linalg_mirror(n, r->gram);
        status = set_eta(r, eta, poll, context, err);
    }
    rhm_linalg_unshare();
    if (status == RHM_OK)
        return RHM_OK;
fail:
    rhm_ridge_clear(r);
    return status;
}

void rhm_ridge_clear(struct rhm_ridge *r)
{
    free(r->p);
    free(r->joint);
    free(r->features);
    free(r->gram);
    free(r->B);
    free(r->iterate);
    free(r->work);
    *r = (struct rhm_ridge){0};
}

void rhm_ridge_weights(const struct rhm_ridge *r, double *W)
{
    if (r->dual)
        rhm_linalg_product(r->C, r->U, r->M, r->iterate, r->features, W);
    else
        memcpy(W, r->iterate, r->C * r->M * sizeof *W);
}

enum rhm_status rhm_ridge_outputs(const struct rhm_features *f, size_t n, const uint32_t *tuple, size_t C,
                                  const double *W, double *F, rhm_poll_function *poll, void *context,
                                  struct rhm_error *err)
{
    size_t M = f->M, threads = 1, block;
#ifdef _OPENMP
    threads = (size_t)omp_get_max_threads();
#endif
    if (threads > (n * M) / ALONE + 1)
        threads = n * M / ALONE + 1;
    double *x = rhm_array(threads * CHUNK * M, sizeof *x, "a block of features", err);
    enum rhm_status status = x ? RHM_OK : RHM_EMEMORY;
    block = threads * BLOCK;
    rhm_linalg_share();
    for (size_t first = 0; status == RHM_OK && first < n; first += block) {
        size_t end = n - first < block ? n : first + block;
        if ((status = rhm_poll(poll, context, err)) != RHM_OK)
            break;
#pragma omp parallel for num_threads((int)threads) schedule(dynamic, 1) if (threads > 1)
        for (size_t i = first; i < end; i += CHUNK) {
            size_t some = end - i < CHUNK ? end - i : CHUNK;
#ifdef _OPENMP
            double *mine = x + (size_t)omp_get_thread_num() * CHUNK * M;
#else
            double *mine = x;
#endif
            rhm_features_rows(f, some, tuple + i * f->s, mine);
            cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)some, (int)C, (int)M, 1, mine, (int)M,
                        W, (int)M, 0, F + i * C, (int)C);
        }
    }
    rhm_linalg_unshare();
    free(x);
    return status;
}

void rhm_ridge_fitted(const struct rhm_ridge *r, size_t n, double *F)
{
    rhm_ridge_times_gram(r, r->work);
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < r->C; c++)
            F[i * r->C + c] = r->work[c * r->U + i];
}
