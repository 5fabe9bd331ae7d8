/* shallow_fit.c - see shallow_fit.h and shallow.h. */
#include "engine/baselines/shallow_fit.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/linalg.h"
#include "engine/base/memory.h"
#include "engine/base/rng.h"
#include "engine/layer/ridge.h"

void rhm_shallow_fit_clear(struct rhm_shallow_fit *fit)
{
    rhm_features_clear(&fit->features);
    free(fit->W);
    free(fit->tokens);
    free(fit->alpha);
    *fit = (struct rhm_shallow_fit){0};
}

void rhm_shallow_phase(struct rhm_monitor *monitor, enum rhm_layer_phase phase)
{
    struct rhm_work work = {.kind = "shallow",
                            .stage = phase == RHM_PHASE_DONE ? "accuracy" : rhm_phase_name(phase),
                            .rate = NAN,
                            .left = NAN};
    rhm_monitor_work(monitor, &work, 0);
}

/* ------------------------------------------------------------ random features */

enum rhm_status rhm_shallow_features(const struct rhm_shallow *net, double sigma, struct rhm_features *f,
                                     struct rhm_error *err)
{
    size_t V = net->V;
    enum rhm_status status = rhm_memory_check(
        sizeof(double) * ((double)V * (double)V + (double)net->M / 2 * (double)net->d * (double)V),
        "the random features of whole strings", "a smaller M", err);
    if (status != RHM_OK)
        return status;
    double *token = rhm_array(V * V, sizeof *token, "the tokens", err);
    if (token == NULL)
        return RHM_EMEMORY;
    for (size_t v = 0; v < V; v++)
        token[v * V + v] = 1;
    status = rhm_features_init(f, RHM_FEATURES_RBF, net->M, net->d, V, V, token, sigma, net->seed,
                               RHM_STREAM_FEATURES, err);
    free(token);
    return status;
}

/* Strings as patches of d codes. */
static uint32_t *as_tuples(const uint16_t *tokens, size_t n, struct rhm_error *err)
{
    uint32_t *tuple = rhm_array(n, sizeof *tuple, "the strings", err);
    for (size_t i = 0; tuple && i < n; i++)
        tuple[i] = tokens[i];
    return tuple;
}

static enum rhm_status solve_rbf(const struct rhm_shallow *net, const struct rhm_dataset *data,
                                 const uint32_t *tuple, const double *count, struct rhm_shallow_fit *fit,
                                 struct rhm_monitor *monitor, struct rhm_error *err)
{
    struct rhm_ridge ridge;
    enum rhm_status status =
        rhm_ridge_init(&ridge, RHM_RIDGE_AUTO, &fit->features, data->n, tuple, net->classes, count,
                       net->lambda, 1, rhm_monitor_poll, monitor, err);
    if (status != RHM_OK)
        return status;
    rhm_shallow_phase(monitor, RHM_PHASE_SOLVING);
    status = rhm_ridge_exact(&ridge, rhm_monitor_poll, monitor, err);
    if (status == RHM_OK)
        rhm_ridge_weights(&ridge, fit->W);
    rhm_ridge_clear(&ridge);
    return status == RHM_OK ? rhm_monitor_poll(monitor, err) : status;
}

enum rhm_status rhm_shallow_fit_rbf(const struct rhm_shallow *net, const struct rhm_dataset *data,
                                    struct rhm_shallow_fit *fit, struct rhm_monitor *monitor,
                                    struct rhm_error *err)
{
    size_t n = data->n, C = net->classes;
    rhm_shallow_phase(monitor, RHM_PHASE_GRAM);
    enum rhm_status status = rhm_shallow_features(net, fit->sigma, &fit->features, err);
    if (status != RHM_OK)
        return status;
    fit->W = rhm_array(C * net->M, sizeof *fit->W, "the weights", err);
    uint32_t *tuple = as_tuples(data->tokens, n * data->d, err);
    double *count = rhm_array(n * C, sizeof *count, "the labels", err);
    if (fit->W && tuple && count) {
        for (size_t i = 0; i < n; i++)
            count[i * C + data->labels[i]] = 1;
        status = solve_rbf(net, data, tuple, count, fit, monitor, err);
    } else {
        status = RHM_EMEMORY;
    }
    free(tuple);
    free(count);
    return status;
}

enum rhm_status rhm_shallow_output_rbf(const struct rhm_shallow *net, size_t n, const uint16_t *tokens,
                                       double *output, struct rhm_error *err)
{
    uint32_t *tuple = as_tuples(tokens, n * net->d, err);
    if (tuple == NULL)
        return RHM_EMEMORY;
    enum rhm_status status =
        rhm_ridge_outputs(&net->fit.features, n, tuple, net->classes, net->fit.W, output, NULL, NULL, err);
    free(tuple);
    return status;
}

/* ------------------------------------------------------------ the kernel */

/* value[k] = the kernel of strings that differ in k of d places. */
static double *kernel_values(size_t d, double sigma, struct rhm_error *err)
{
    double *value = rhm_array(d + 1, sizeof *value, "the kernel", err);
    for (size_t k = 0; value && k <= d; k++)
        value[k] = exp(-(double)k / (sigma * sigma));
    return value;
}

/* row (n) = the kernel of one string with n others. */
static void kernel_row(size_t d, const double *value, const uint16_t *string, size_t n,
                       const uint16_t *others, double *row)
{
    for (size_t j = 0; j < n; j++, others += d) {
        unsigned differ = 0;
        for (size_t k = 0; k < d; k++)
            differ += string[k] != others[k];
        row[j] = value[differ];
    }
}

/* The lower triangle of K + n lambda I. */
static enum rhm_status fill_kernel(const struct rhm_shallow *net, const struct rhm_dataset *data,
                                   const double *value, double *K, struct rhm_monitor *monitor,
                                   struct rhm_error *err)
{
    enum { ROWS = 256 }; /* between two polls */
    size_t n = data->n, d = data->d;
    for (size_t at = 0; at < n; at += ROWS) {
        size_t end = n - at < ROWS ? n : at + ROWS;
#pragma omp parallel for schedule(dynamic, 8)
        for (size_t i = at; i < end; i++) {
            kernel_row(d, value, data->tokens + i * d, i + 1, data->tokens, K + i * n);
            K[i * n + i] += (double)n * net->lambda;
        }
        enum rhm_status status = rhm_monitor_poll(monitor, err);
        if (status != RHM_OK)
            return status;
    }
    return RHM_OK;
}

/* alpha^T = Y^T (K + n lambda I)^-1, classes x n, then turned round. */
static enum rhm_status solve_kernel(const struct rhm_shallow *net, const struct rhm_dataset *data, double *K,
                                    double *alpha, struct rhm_monitor *monitor, struct rhm_error *err)
{
    size_t n = data->n, C = net->classes;
    enum rhm_status status = rhm_linalg_cholesky(n, K, "the kernel matrix", rhm_monitor_poll, monitor, err);
    if (status != RHM_OK)
        return status;
    double *turned = rhm_array(C * n, sizeof *turned, "the labels", err);
    if (turned == NULL)
        return RHM_EMEMORY;
    for (size_t i = 0; i < n; i++)
        turned[data->labels[i] * n + i] = 1;
    status = rhm_linalg_cholesky_solve(n, K, C, turned, rhm_monitor_poll, monitor, err);
    for (size_t i = 0; i < n && status == RHM_OK; i++)
        for (size_t c = 0; c < C; c++)
            alpha[i * C + c] = turned[c * n + i];
    free(turned);
    return status;
}

enum rhm_status rhm_shallow_fit_kernel(const struct rhm_shallow *net, const struct rhm_dataset *data,
                                       struct rhm_shallow_fit *fit, struct rhm_monitor *monitor,
                                       struct rhm_error *err)
{
    size_t n = data->n, d = data->d;
    enum rhm_status status =
        rhm_memory_check((double)n * (double)n * sizeof(double), "the kernel matrix of these strings",
                         "kind = 'rbf', fewer strings", err);
    if (status == RHM_OK)
        status = rhm_linalg_dimension("the number of strings", n, err);
    if (status != RHM_OK)
        return status;
    rhm_shallow_phase(monitor, RHM_PHASE_GRAM);
    double *value = kernel_values(d, fit->sigma, err),
           *K = rhm_array(n * n, sizeof *K, "the kernel matrix", err);
    fit->tokens = rhm_array(n * d, sizeof *fit->tokens, "the strings", err);
    fit->alpha = rhm_array(n * net->classes, sizeof *fit->alpha, "the weights", err);
    status = value && K && fit->tokens && fit->alpha ? RHM_OK : RHM_EMEMORY;
    if (status == RHM_OK)
        memcpy(fit->tokens, data->tokens, n * d * sizeof *fit->tokens);
    if (status == RHM_OK)
        status = fill_kernel(net, data, value, K, monitor, err);
    if (status == RHM_OK) {
        rhm_shallow_phase(monitor, RHM_PHASE_SOLVING);
        status = solve_kernel(net, data, K, fit->alpha, monitor, err);
    }
    if (status == RHM_OK)
        status = rhm_monitor_poll(monitor, err);
    free(value);
    free(K);
    return status;
}

enum rhm_status rhm_shallow_output_kernel(const struct rhm_shallow *net, size_t n, const uint16_t *tokens,
                                          double *output, struct rhm_error *err)
{
    size_t N = net->fit.n, C = net->classes, d = net->d;
    double *value = kernel_values(d, net->fit.sigma, err);
    double *K = rhm_array(n * N, sizeof *K, "the kernel", err);
    int held = value && K;
    if (held) {
#pragma omp parallel for schedule(dynamic, 8) if ((double)n * (double)N * (double)d > 1e5)
        for (size_t i = 0; i < n; i++)
            kernel_row(d, value, tokens + i * d, N, net->fit.tokens, K + i * N);
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, (int)C, (int)N, 1, K, (int)N,
                    net->fit.alpha, (int)C, 0, output, (int)C);
    }
    free(value);
    free(K);
    return held ? RHM_OK : RHM_EMEMORY;
}
