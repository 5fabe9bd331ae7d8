/* ridge_solve.c - where the iterate goes: gradient descent, closed forms, how far it has come. See ridge.h
 * and, for the names, ridge_small.h. */
#include "engine/layer/ridge.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/linalg.h"
#include "engine/base/memory.h"
#include "engine/layer/ridge_small.h"

void rhm_ridge_times_gram(const struct rhm_ridge *r, double *to)
{
    rhm_linalg_product(r->C, rhm_ridge_order(r), rhm_ridge_order(r), r->iterate, r->gram, to);
}

/* work = the gradient: W G + lambda W - B, or A K D + lambda A - J^T. */
static void set_gradient(const struct rhm_ridge *r)
{
    size_t n = rhm_ridge_order(r);
    rhm_ridge_times_gram(r, r->work);
    for (size_t c = 0; c < r->C; c++) {
        double *g = r->work + c * n;
        const double *a = r->iterate + c * n;
        if (r->dual)
            for (size_t i = 0; i < n; i++)
                g[i] = g[i] * r->p[i] + r->lambda * a[i] - r->joint[i * r->C + c];
        else
            for (size_t i = 0; i < n; i++)
                g[i] += r->lambda * a[i] - r->B[c * n + i];
    }
}

void rhm_ridge_step(struct rhm_ridge *r, unsigned long long k)
{
    for (unsigned long long t = 0; t < k; t++) {
        set_gradient(r);
        cblas_daxpy((int)(r->C * rhm_ridge_order(r)), -r->eta, r->work, 1, r->iterate, 1);
        r->steps++;
    }
}

/* A copy of the small matrix, plus `shift` on the diagonal, in *copy (NULL where it fails). */
static enum rhm_status small_matrix(const struct rhm_ridge *r, double shift, double **copy,
                                    rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    enum { ROWS = 256 }; /* between two polls */
    size_t n = rhm_ridge_order(r);
    double *root = NULL, *a = rhm_array(n * n, sizeof *a, "a copy of the Gram matrix", err);
    enum rhm_status status =
        a && (!r->dual || (root = rhm_ridge_roots(r, err)) != NULL) ? RHM_OK : RHM_EMEMORY;
    for (size_t i = 0; i < n && status == RHM_OK; i++) {
        for (size_t j = 0; j < n; j++)
            a[i * n + j] = r->gram[i * n + j] * (root ? root[i] * root[j] : 1);
        a[i * n + i] += shift;
        if (i % ROWS == 0)
            status = rhm_poll(poll, context, err);
    }
    free(root);
    if (status != RHM_OK) {
        free(a);
        a = NULL;
    }
    *copy = a;
    return status;
}

/* x (C x n): the gradient in Z (dual: that in A times S^-1). */
static void scaled_gradient(const struct rhm_ridge *r, double *x)
{
    size_t n = rhm_ridge_order(r);
    set_gradient(r);
    for (size_t c = 0; c < r->C; c++)
        for (size_t i = 0; i < n; i++)
            x[c * n + i] = r->work[c * n + i] / (r->dual ? sqrt(r->p[i]) : 1);
}

/* Newton's step from 0 is the closed form; the further ones are iterative refinement and go on while they
 * shrink the gradient. */
enum rhm_status rhm_ridge_exact(struct rhm_ridge *r, rhm_poll_function *poll, void *context,
                                struct rhm_error *err)
{
    enum { REFINEMENTS = 3 };
    size_t n = rhm_ridge_order(r), size = r->C * n;
    char what[64];
    snprintf(what, sizeof what, "G + lambda I with lambda = %g", r->lambda);
    double *a, *x = NULL, *best = NULL;
    enum rhm_status status = small_matrix(r, r->lambda, &a, poll, context, err);
    if (status == RHM_OK && (x = rhm_array(2 * size, sizeof *x, "ridge regression", err)) == NULL)
        status = RHM_EMEMORY;
    if (status == RHM_OK)
        status = rhm_linalg_cholesky(n, a, what, poll, context, err);
    if (status != RHM_OK)
        goto done;
    best = x + size;
    memset(r->iterate, 0, size * sizeof *r->iterate);
    double least = INFINITY;
    for (int k = 0; k <= REFINEMENTS; k++) {
        scaled_gradient(r, x);
        double norm = cblas_dnrm2((int)size, x, 1);
        if (k > 0 && !(norm < 0.5 * least)) {
            if (!(norm < least))
                memcpy(r->iterate, best, size * sizeof *best);
            break;
        }
        least = norm;
        memcpy(best, r->iterate, size * sizeof *best);
        if ((status = rhm_linalg_cholesky_solve(n, a, r->C, x, poll, context, err)) != RHM_OK)
            goto done;
        for (size_t c = 0; c < r->C; c++)
            for (size_t i = 0; i < n; i++)
                r->iterate[c * n + i] -= x[c * n + i] * (r->dual ? sqrt(r->p[i]) : 1);
    }
    if (!isfinite(cblas_dnrm2((int)size, r->iterate, 1)))
        status = rhm_fail(err, RHM_ENUMERIC, "%s: the solution is not finite: raise lambda", what);
done:
    free(a);
    free(x);
    return status;
}

/* (1 - (1 - eta h)^T)/h without cancellation. */
static double descent_factor(double h, double eta, unsigned long long T)
{
    double x = eta * h, steps = (double)T;
    if (x == 0)
        return eta * steps;
    if (x < 0.5)
        return -expm1(steps * log1p(-x)) / h;
    double rest = pow(fabs(1 - x), steps);
    return (1 - (x > 1 && T % 2 ? -rest : rest)) / h;
}

enum rhm_status rhm_ridge_spectral(const struct rhm_ridge *r, unsigned long long T, double *W,
                                   struct rhm_error *err)
{
    size_t n = rhm_ridge_order(r), size = r->C * n;
    int in = (int)n, iC = (int)r->C, iM = (int)r->M;
    double *v, *x = NULL;
    enum rhm_status status = small_matrix(r, 0, &v, NULL, NULL, err);
    if (status == RHM_OK && (x = rhm_array(2 * size + n, sizeof *x, "ridge regression", err)) == NULL)
        status = RHM_EMEMORY;
    if (status != RHM_OK)
        goto done;
    double *y = x + size, *value = y + size;
    if ((status = rhm_linalg_eigen(n, v, value, err)) != RHM_OK)
        goto done;
    for (size_t c = 0; c < r->C; c++)
        for (size_t i = 0; i < n; i++)
            x[c * n + i] = r->dual ? r->joint[i * r->C + c] / sqrt(r->p[i]) : r->B[c * n + i];
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, iC, in, in, 1, x, in, v, in, 0, y, in);
    for (size_t i = 0; i < n; i++) {
        double factor = descent_factor(value[i] + r->lambda, r->eta, T);
        for (size_t c = 0; c < r->C; c++)
            y[c * n + i] *= factor;
    }
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, iC, in, in, 1, y, in, v, in, 0, r->dual ? x : W,
                in);
    if (r->dual) {
        for (size_t c = 0; c < r->C; c++)
            for (size_t i = 0; i < n; i++)
                x[c * n + i] *= sqrt(r->p[i]);
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, iC, iM, in, 1, x, in, r->features, iM, 0, W,
                    iM);
    }
done:
    free(v);
    free(x);
    return status;
}

/* With Y = W G (primal) or A K (dual, the outputs of the patches):
 * 1/2 (1 - 2 tr(W B^T) + tr(W G W^T)) + lambda/2 |W|^2. */
double rhm_ridge_loss(const struct rhm_ridge *r)
{
    size_t n = rhm_ridge_order(r);
    double fit = 0, square = 0, norm = 0;
    rhm_ridge_times_gram(r, r->work);
    for (size_t c = 0; c < r->C; c++)
        for (size_t i = 0; i < n; i++) {
            double y = r->work[c * n + i], a = r->iterate[c * n + i];
            if (r->dual) {
                fit += y * r->joint[i * r->C + c];
                square += y * y * r->p[i];
                norm += a * y;
            } else {
                fit += a * r->B[c * n + i];
                square += a * y;
                norm += a * a;
            }
        }
    return 0.5 * (1 - 2 * fit + square) + 0.5 * r->lambda * norm;
}

static double largest_entry(size_t n, const double *x)
{
    double most = 0;
    for (size_t i = 0; i < n; i++)
        if (!(fabs(x[i]) <= most))
            most = fabs(x[i]);
    return most;
}

double rhm_ridge_residual(const struct rhm_ridge *r)
{
    set_gradient(r);
    if (!r->dual)
        return largest_entry(r->C * r->M, r->work) / largest_entry(r->C * r->M, r->B);
    int C = (int)r->C, M = (int)r->M, U = (int)r->U;
    double *x = rhm_array(2 * r->C * r->M, sizeof *x, "a residual", NULL);
    if (x == NULL)
        return NAN;
    double *B = x + r->C * r->M;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, C, M, U, 1, r->work, U, r->features, M, 0, x, M);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, C, M, U, 1, r->joint, C, r->features, M, 0, B, M);
    double ratio = largest_entry(r->C * r->M, x) / largest_entry(r->C * r->M, B);
    free(x);
    return ratio;
}

enum rhm_status rhm_ridge_condition(const struct rhm_ridge *r, double *condition, rhm_poll_function *poll,
                                    void *context, struct rhm_error *err)
{
    double *a;
    *condition = NAN;
    enum rhm_status status = small_matrix(r, r->lambda, &a, poll, context, err);
    if (status == RHM_OK)
        status = rhm_linalg_condition(rhm_ridge_order(r), a, condition, poll, context, err);
    free(a);
    return status == RHM_EMEMORY ? RHM_OK : status;
}
