/* directions.c - see directions.h. */
#include "engine/layer/directions.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/linalg.h"
#include "engine/base/memory.h"
#include "engine/base/rng.h"

/* Rows of counts turned into residuals at a time. */
#define BLOCK ((size_t)1024)
#define PIECE ((size_t)256) /* rows between two questions */

/* Up to this order all eigenvectors are computed, above the leading ones by subspace iteration. */
#define DENSE_ORDER ((size_t)1024)
#define EXTRA       8  /* directions iterated beyond those wanted */
#define ITERATIONS  12 /* the directions of signal stand out: a gap of 2 gives 2^-24 */

/* A direction whose eigenvalue is below this share of the largest is rounding. */
#define LEAST_SHARE 1e-12

/* What the decomposition works on: x[mu][j] = (n_mu,j - n_mu mean_j)/sqrt(n_mu mean_j). */
struct residuals {
    const struct rhm_tally *tally;
    const double *mean;
    double *root;  /* PC: 1/sqrt(mean), or 0 */
    double *count; /* U: n_mu */
};

static void residual_rows(const struct residuals *r, size_t first, size_t n, double *x)
{
    size_t PC = r->tally->C;
#pragma omp parallel for if (n * PC > 65536)
    for (size_t i = 0; i < n; i++) {
        double total = r->count[first + i], scale = 1 / sqrt(total);
        const uint64_t *count = r->tally->count + (first + i) * PC;
        for (size_t j = 0; j < PC; j++)
            x[i * PC + j] = ((double)count[j] - total * r->mean[j]) * scale * r->root[j];
    }
}

/* The eigenvectors (rows of `vector`, PC long) of X^T X to its largest eigenvalues, by the smaller side. */
static enum rhm_status by_columns(const struct residuals *r, size_t want, double *vector, double *value,
                                  rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    size_t PC = r->tally->C, U = r->tally->patches.n, block = U < BLOCK ? U : BLOCK;
    double *x = rhm_array(block * PC, sizeof *x, "the directions of outputs", err);
    double *a = rhm_array(PC * PC, sizeof *a, "the directions of outputs", err);
    double *all = rhm_array(PC, sizeof *all, "the directions of outputs", err);
    enum rhm_status status = x && a && all ? RHM_OK : RHM_EMEMORY;
    for (size_t first = 0; first < U && status == RHM_OK; first += block) {
        size_t n = U - first < block ? U - first : block;
        residual_rows(r, first, n, x);
        status = rhm_linalg_gram(PC, n, x, 0, 1, a, poll, context, err);
    }
    if (status == RHM_OK) {
        rhm_linalg_mirror(PC, a);
        status = rhm_linalg_eigen(PC, a, all, err);
    }
    for (size_t k = 0; k < want && status == RHM_OK; k++) {
        value[k] = all[PC - 1 - k];
        memcpy(vector + k * PC, a + (PC - 1 - k) * PC, PC * sizeof *a);
    }
    free(x);
    free(a);
    free(all);
    return status;
}

static enum rhm_status by_rows(const struct residuals *r, size_t want, double *vector, double *value,
                               rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    size_t PC = r->tally->C, U = r->tally->patches.n;
    double *x = rhm_array(U * PC, sizeof *x, "the directions of outputs", err);
    double *a = rhm_array(U * U, sizeof *a, "the directions of outputs", err);
    double *all = rhm_array(U, sizeof *all, "the directions of outputs", err);
    enum rhm_status status = x && a && all ? RHM_OK : RHM_EMEMORY;
    if (status == RHM_OK) {
        residual_rows(r, 0, U, x);
        status = rhm_linalg_gram(U, PC, x, 1, 0, a, poll, context, err);
    }
    if (status == RHM_OK) {
        rhm_linalg_mirror(U, a);
        status = rhm_linalg_eigen(U, a, all, err);
    }
    if (status == RHM_OK) {
        for (size_t k = 0; k < want; k++)
            value[k] = all[U - 1 - k];
        for (size_t k = 0; k < want / 2; k++) /* the last rows of a, the largest first */
            cblas_dswap((int)U, a + (U - want + k) * U, 1, a + (U - 1 - k) * U, 1);
        rhm_linalg_product(want, U, PC, a + (U - want) * U, x, vector);
    }
    free(x);
    free(a);
    free(all);
    return status;
}

static enum rhm_status by_iteration(const struct residuals *r, size_t want, double *vector, double *value,
                                    rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    size_t PC = r->tally->C, U = r->tally->patches.n, side = PC < U ? PC : U;
    size_t k = want + EXTRA < side ? want + EXTRA : side;
    double *x = rhm_array(U * PC, sizeof *x, "the directions of outputs", err);
    double *basis = rhm_array(k * PC, sizeof *basis, "the directions of outputs", err);
    double *image = rhm_array(k * U, sizeof *image, "the directions of outputs", err);
    double *turned = rhm_array(U * k, sizeof *turned, "the directions of outputs", err);
    double *small = rhm_array(k * k, sizeof *small, "the directions of outputs", err);
    double *all = rhm_array(k, sizeof *all, "the directions of outputs", err);
    enum rhm_status status = x && basis && image && turned && small && all ? RHM_OK : RHM_EMEMORY;
    if (status == RHM_OK) {
        residual_rows(r, 0, U, x);
        struct rhm_rng rng = rhm_rng_start(0, RHM_STREAM_FEATURES, 1);
        for (size_t i = 0; i < k * PC; i++)
            basis[i] = rhm_rng_uniform(&rng) - 0.5;
        status = rhm_linalg_haar(k, PC, basis, err);
    }
    for (int t = 0; t <= ITERATIONS && status == RHM_OK; t++) {
        /* image^T = X basis^T, row by row of X: each by itself */
        for (size_t from = 0; from < U && status == RHM_OK; from += PIECE) {
            size_t end = U - from < PIECE ? U : from + PIECE;
#pragma omp parallel for
            for (size_t i = from; i < end; i++)
                cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)k, (int)PC, 1, basis, (int)PC, x + i * PC, 1, 0,
                            turned + i * k, 1);
            status = rhm_poll(poll, context, err);
        }
        for (size_t i = 0; i < U; i++)
            for (size_t c = 0; c < k; c++)
                image[c * U + i] = turned[i * k + c];
        if (t == ITERATIONS || status != RHM_OK)
            break;
        rhm_linalg_product(k, U, PC, image, x, basis);
        if ((status = rhm_poll(poll, context, err)) == RHM_OK)
            status = rhm_linalg_haar(k, PC, basis, err);
    }
    if (status == RHM_OK)
        status = rhm_linalg_gram(k, U, image, 1, 0, small, poll, context, err);
    if (status == RHM_OK) {
        rhm_linalg_mirror(k, small);
        status = rhm_linalg_eigen(k, small, all, err);
    }
    for (size_t c = 0; c < want && status == RHM_OK; c++) {
        value[c] = all[k - 1 - c];
        rhm_linalg_product(1, k, PC, small + (k - 1 - c) * k, basis, vector + c * PC);
    }
    free(x);
    free(basis);
    free(image);
    free(turned);
    free(small);
    free(all);
    return status;
}

/* Unit length, and the largest entry positive: the same directions from any library. */
static void settle(size_t n, double *v)
{
    size_t largest = 0;
    for (size_t j = 1; j < n; j++)
        if (fabs(v[j]) > fabs(v[largest]) * (1 + 1e-9))
            largest = j;
    double norm = cblas_dnrm2((int)n, v, 1);
    cblas_dscal((int)n, (v[largest] < 0 ? -1 : 1) / norm, v, 1);
}

static enum rhm_status find_directions(struct rhm_directions *p, const struct residuals *r, size_t most,
                                       rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    size_t PC = r->tally->C, U = r->tally->patches.n, side = PC < U ? PC : U;
    size_t want = most < side ? most : side;
    double *vector = rhm_array(want * PC, sizeof *vector, "the directions of outputs", err);
    double *value = rhm_array(want, sizeof *value, "the directions of outputs", err);
    enum rhm_status status = vector && value ? RHM_OK : RHM_EMEMORY;
    if (status == RHM_OK) {
        rhm_linalg_share();
        status = (side > DENSE_ORDER ? by_iteration
                  : PC <= U          ? by_columns
                                     : by_rows)(r, want, vector, value, poll, context, err);
        rhm_linalg_unshare();
    }
    p->width = 0;
    while (status == RHM_OK && p->width < want && value[p->width] > LEAST_SHARE * value[0])
        p->width++;
    if (status == RHM_OK && p->width == 0) /* all patches are alike: one direction, in which they all are 0 */
        p->width = 1;
    if (status == RHM_OK) {
        p->map = rhm_array(PC * p->width, sizeof *p->map, "the directions of outputs", err);
        p->offset = rhm_array(p->width, sizeof *p->offset, "the directions of outputs", err);
        status = p->map && p->offset ? RHM_OK : RHM_EMEMORY;
    }
    for (size_t k = 0; k < p->width && status == RHM_OK; k++) {
        if (!(value[k] > 0))
            continue;
        settle(PC, vector + k * PC);
        for (size_t j = 0; j < PC; j++) {
            p->map[j * p->width + k] = vector[k * PC + j] * r->root[j];
            p->offset[k] += p->mean[j] * p->map[j * p->width + k];
        }
    }
    free(vector);
    free(value);
    return status;
}

enum rhm_status rhm_directions_init(struct rhm_directions *p, const struct rhm_tally *tally, size_t places,
                                    size_t most, rhm_poll_function *poll, void *context,
                                    struct rhm_error *err)
{
    size_t PC = tally->C, U = tally->patches.n;
    *p = (struct rhm_directions){.places = places, .classes = PC / places, .width = PC / places};
    if (places == 1)
        return RHM_OK;
    struct residuals r = {.tally = tally};
    p->mean = rhm_array(PC, sizeof *p->mean, "the directions of outputs", err);
    r.root = rhm_array(PC, sizeof *r.root, "the directions of outputs", err);
    r.count = rhm_array(U, sizeof *r.count, "the directions of outputs", err);
    r.mean = p->mean;
    enum rhm_status status = p->mean && r.root && r.count ? RHM_OK : RHM_EMEMORY;
    for (size_t i = 0; i < U && status == RHM_OK; i++) {
        r.count[i] = (double)rhm_tally_patch_count(tally, i);
        for (size_t j = 0; j < PC; j++)
            p->mean[j] += (double)tally->count[i * PC + j];
    }
    for (size_t j = 0; j < PC && status == RHM_OK; j++) {
        p->mean[j] /= (double)tally->N;
        r.root[j] = p->mean[j] > 0 ? 1 / sqrt(p->mean[j]) : 0;
    }
    if (status == RHM_OK)
        status = find_directions(p, &r, most, poll, context, err);
    free(r.root);
    free(r.count);
    if (status != RHM_OK)
        rhm_directions_clear(p);
    return status;
}

void rhm_directions_clear(struct rhm_directions *p)
{
    free(p->mean);
    free(p->map);
    free(p->offset);
    *p = (struct rhm_directions){0};
}

void rhm_directions_points(const struct rhm_directions *p, size_t n, const double *J, double *point)
{
    size_t PC = p->places * p->classes;
    if (p->places == 1) {
        memcpy(point, J, n * PC * sizeof *point);
        return;
    }
#pragma omp parallel for if (n * PC > 65536)
    for (size_t i = 0; i < n; i++) {
        double *z = point + i * p->width;
        for (size_t k = 0; k < p->width; k++)
            z[k] = -p->offset[k];
        for (size_t j = 0; j < PC; j++)
            for (size_t k = 0; k < p->width; k++)
                z[k] += J[i * PC + j] * p->map[j * p->width + k];
    }
}

enum rhm_status rhm_directions_all_points(const struct rhm_directions *p, size_t n, const double *J,
                                          double *point, rhm_poll_function *poll, void *context,
                                          struct rhm_error *err)
{
    enum { BETWEEN = 16 << 20 }; /* multiplications between two questions */
    size_t PC = p->places * p->classes, block = BETWEEN / (PC * p->width) + 1;
    enum rhm_status status = RHM_OK;
    for (size_t at = 0; at < n && status == RHM_OK; at += block) {
        rhm_directions_points(p, n - at < block ? n - at : block, J + at * PC, point + at * p->width);
        status = rhm_poll(poll, context, err);
    }
    return status;
}

double rhm_directions_noise(const struct rhm_directions *p, const double *J, const double *point)
{
    size_t PC = p->places * p->classes;
    double noise = 0;
    if (p->places == 1) {
        for (size_t j = 0; j < PC; j++)
            noise += J[j] * J[j];
        return fmax(0, 1 - noise);
    }
    for (size_t j = 0; j < PC; j++) /* sum_j J_j |map_j|^2 - |J map|^2 */
        for (size_t k = 0; k < p->width; k++)
            noise += J[j] * p->map[j * p->width + k] * p->map[j * p->width + k];
    for (size_t k = 0; k < p->width; k++)
        noise -= (point[k] + p->offset[k]) * (point[k] + p->offset[k]);
    return fmax(0, noise);
}

static double share_out(size_t C, double *q)
{
    double sum = 0;
    for (size_t c = 0; c < C; c++)
        sum += q[c];
    for (size_t c = 0; c < C; c++)
        q[c] = sum > 0 ? q[c] / sum : 1.0 / (double)C;
    return fmax(0, sum);
}

double rhm_directions_q(const struct rhm_directions *p, const double *J, size_t i, double *q)
{
    memcpy(q, J + i * p->classes, p->classes * sizeof *q);
    return share_out(p->classes, q);
}

double rhm_directions_q_of_point(const struct rhm_directions *p, const double *point, size_t i, double *q)
{
    if (p->places == 1)
        return rhm_directions_q(p, point, i, q);
    for (size_t c = 0; c < p->classes; c++) { /* J_j = mean_j (1 + sum_k map_jk z_k): D = sqrt(mean) map */
        size_t j = i * p->classes + c;
        double sum = 1;
        for (size_t k = 0; k < p->width; k++)
            sum += p->map[j * p->width + k] * point[k];
        q[c] = fmax(0, p->mean[j] * sum);
    }
    return share_out(p->classes, q);
}
