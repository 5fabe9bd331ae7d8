/* features.c - see features.h. */
#include "engine/layer/features.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/linalg.h"
#include "engine/base/memory.h"
#include "engine/base/rng.h"
#include "engine/base/trig.h"

#define TABLE_BYTES (64.0 * 1024 * 1024)
#define CHUNK       64                /* patches, or codes, that one thread takes at a time */
#define ALONE       ((size_t)1 << 18) /* features that one thread computes sooner than it wakes another */

static const char *const kind_name[] = {"rbf", "orf", "relu"};

int rhm_features_kind(const char *name)
{
    for (int kind = 0; kind < 3; kind++)
        if (strcmp(name, kind_name[kind]) == 0)
            return kind;
    return -1;
}

const char *rhm_features_name(enum rhm_feature_kind kind)
{
    return kind_name[kind];
}

/* n Gaussians. */
static void gauss(struct rhm_rng *rng, size_t n, double *out)
{
    for (size_t i = 0; i < n; i += 2) {
        double pair[2];
        rhm_rng_gauss_pair(rng, pair);
        out[i] = pair[0];
        if (i + 1 < n)
            out[i + 1] = pair[1];
    }
}

/* A chi variable: the length of n further Gaussians of the row's own numbers. */
static double chi(struct rhm_rng *rng, size_t n)
{
    double sum = 0, pair[2];
    for (size_t i = 0; i < n; i += 2) {
        rhm_rng_gauss_pair(rng, pair);
        sum += pair[0] * pair[0] + (i + 1 < n ? pair[1] * pair[1] : 0);
    }
    return sqrt(sum);
}

static enum rhm_status draw_frequencies(struct rhm_features *f, uint64_t seed, uint32_t stream,
                                        struct rhm_error *err)
{
    size_t dim = f->s * f->width;
    double *length = NULL;
    if (f->kind == RHM_FEATURES_ORF &&
        (length = rhm_array(f->rows, sizeof *length, "the features", err)) == NULL)
        return RHM_EMEMORY;
#pragma omp parallel for if (f->rows * dim > ALONE / 8)
    for (size_t k = 0; k < f->rows; k++) {
        struct rhm_rng rng = rhm_rng_start(seed, stream, k);
        gauss(&rng, dim, f->frequency + k * dim);
        if (length)
            length[k] = chi(&rng, dim);
        if (f->bias) {
            double pair[2];
            rhm_rng_gauss_pair(&rng, pair);
            f->bias[k] = pair[0];
        }
    }
    enum rhm_status status = RHM_OK;
    if (length)
        for (size_t k = 0; k < f->rows && status == RHM_OK; k += dim)
            status = rhm_linalg_haar(f->rows - k < dim ? f->rows - k : dim, dim, f->frequency + k * dim, err);
    int finite = 1;
    for (size_t k = 0; k < f->rows; k++)
        for (size_t i = 0; i < dim; i++) {
            double *w = f->frequency + k * dim + i;
            *w *= (length ? length[k] : 1) / f->sigma;
            finite &= isfinite(*w);
        }
    free(length);
    if (status == RHM_OK && !finite)
        return rhm_fail(err, RHM_EARG, "sigma = %g: too small, 1/sigma is not a number", f->sigma);
    return status;
}

static double table_bytes(const struct rhm_features *f, size_t K)
{
    return (double)K * (double)f->s * (double)f->M * sizeof(double);
}

/* A table is worth its memory while caches can hold it, or where it is no larger than twice the frequencies
 * themselves (one-hot embeddings). */
static int wants_table(const struct rhm_features *f, size_t K)
{
    double bytes = table_bytes(f, K);
    return bytes <= TABLE_BYTES ||
           bytes <= 2.0 * sizeof(double) * (double)f->rows * (double)(f->s * f->width);
}

static enum rhm_status check_embedding(size_t first, size_t n, size_t width, const double *embedding,
                                       struct rhm_error *err)
{
    for (size_t i = 0; i < n * width; i++)
        if (!isfinite(embedding[i]))
            return rhm_fail(err, RHM_ENUMERIC, "the embedding of code %zu is not finite (place %zu)",
                            first + i / width, i % width);
    return RHM_OK;
}

/* Sets square and table of codes first .. first + n - 1, whose embeddings are in place. */
static void fill_codes(struct rhm_features *f, size_t first, size_t n)
{
    size_t dim = f->s * f->width, half = f->M / 2;
    for (size_t c = first; c < first + n; c++) {
        const double *e = f->embedding + c * f->width;
        f->square[c] = 0;
        for (size_t i = 0; i < f->width; i++)
            f->square[c] += e[i] * e[i];
    }
    if (f->table == NULL || n == 0)
        return;
    double scale = sqrt(2 / (double)f->M);
    rhm_linalg_share();
#pragma omp parallel for if (n * f->s * f->M > ALONE)
    for (size_t c = first; c < first + n; c += CHUNK) {
        size_t some = first + n - c < CHUNK ? first + n - c : CHUNK;
        for (size_t j = 0; j < f->s; j++)
            cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)some, (int)f->rows, (int)f->width, 1,
                        f->embedding + c * f->width, (int)f->width, f->frequency + j * f->width, (int)dim, 0,
                        f->table + (c * f->s + j) * f->M, (int)(f->s * f->M));
        for (size_t cell = c * f->s; cell < (c + some) * f->s; cell++) {
            double *t = f->table + cell * f->M;
            int front = cell % f->s == 0;
            if (f->kind != RHM_FEATURES_RELU)
                rhm_trig_sincos(half, t, front ? scale : 1, t, t + half);
            else
                for (size_t k = 0; k < f->M; k++)
                    t[k] = scale * (t[k] + (front ? f->bias[k] : 0));
        }
    }
    rhm_linalg_unshare();
}

static enum rhm_status check_shape(const struct rhm_features *f, struct rhm_error *err)
{
    if (f->M < 2 || f->M % 2 != 0)
        return rhm_fail(err, RHM_EARG, "M = %zu: the number of features must be even and 2 or more", f->M);
    if (!(f->sigma > 0) || !isfinite(f->sigma))
        return rhm_fail(err, RHM_EARG, "sigma = %g: must be positive and finite", f->sigma);
    if (f->s < 1 || f->width < 1)
        return rhm_fail(err, RHM_EARG, "a patch of s = %zu codes in %zu dimensions: both must be 1 or more",
                        f->s, f->width);
    enum rhm_status status = rhm_linalg_dimension("M", f->M, err);
    if (status == RHM_OK)
        status = rhm_linalg_dimension("the number of codes", f->K, err);
    if (status == RHM_OK && (double)f->s * (double)f->width > 1e9)
        return rhm_fail(err, RHM_EARG, "s = %zu embeddings of %zu numbers: their product is at most 1e9",
                        f->s, f->width);
    if (status == RHM_OK && (double)f->s * (double)f->M > 2e9)
        return rhm_fail(err, RHM_EARG, "s*M = %g: at most 2e9: lower M", (double)f->s * (double)f->M);
    return status;
}

enum rhm_status rhm_features_init(struct rhm_features *f, enum rhm_feature_kind kind, size_t M, size_t s,
                                  size_t K, size_t width, const double *embedding, double sigma,
                                  uint64_t seed, uint32_t stream, struct rhm_error *err)
{
    *f = (struct rhm_features){.kind = kind, .M = M, .s = s, .K = K, .width = width, .sigma = sigma};
    enum rhm_status status = check_shape(f, err);
    if (status != RHM_OK)
        goto fail;
    f->rows = kind == RHM_FEATURES_RELU ? M : M / 2;
    size_t dim = s * width;
    int table = wants_table(f, K);
    double bytes = sizeof(double) * ((double)f->rows * (double)dim + (double)K * (double)width);
    char what[64];
    snprintf(what, sizeof what, "a table of M = %zu random features", M);
    if ((status = rhm_memory_check(bytes + (table ? table_bytes(f, K) : 0), what, "lower M", err)) != RHM_OK)
        goto fail;
    if ((status = check_embedding(0, K, width, embedding, err)) != RHM_OK)
        goto fail;
    status = RHM_EMEMORY;
    if ((f->frequency = rhm_array(f->rows * dim, sizeof(double), what, err)) == NULL ||
        (f->embedding = rhm_array(K * width, sizeof(double), what, err)) == NULL ||
        (f->square = rhm_array(K, sizeof(double), what, err)) == NULL ||
        (table && (f->table = rhm_array(K * s * M, sizeof(double), what, err)) == NULL) ||
        (kind == RHM_FEATURES_RELU && (f->bias = rhm_array(f->rows, sizeof(double), what, err)) == NULL))
        goto fail;
    if (K > 0)
        memcpy(f->embedding, embedding, K * width * sizeof(double));
    if ((status = draw_frequencies(f, seed, stream, err)) != RHM_OK)
        goto fail;
    fill_codes(f, 0, K);
    return RHM_OK;
fail:
    rhm_features_clear(f);
    return status;
}

enum rhm_status rhm_features_set_frequencies(struct rhm_features *f, const double *frequency,
                                             const double *bias, struct rhm_error *err)
{
    size_t numbers = f->rows * f->s * f->width;
    for (size_t i = 0; i < numbers; i++)
        if (!isfinite(frequency[i]))
            return rhm_fail(err, RHM_ENUMERIC, "a frequency of the features is not finite");
    for (size_t k = 0; f->bias != NULL && k < f->rows; k++)
        if (!isfinite(bias[k]))
            return rhm_fail(err, RHM_ENUMERIC, "a bias of the features is not finite");
    memcpy(f->frequency, frequency, numbers * sizeof *frequency);
    if (f->bias != NULL)
        memcpy(f->bias, bias, f->rows * sizeof *bias);
    fill_codes(f, 0, f->K);
    return RHM_OK;
}

void rhm_features_clear(struct rhm_features *f)
{
    free(f->frequency);
    free(f->bias);
    free(f->embedding);
    free(f->square);
    free(f->table);
    *f = (struct rhm_features){0};
}

/* *p grown to `count` doubles; on failure *p stays as it was. */
static enum rhm_status grow(double **p, size_t count, struct rhm_error *err)
{
    double *more = rhm_array_grow(*p, count, sizeof **p, "more codes for random features", err);
    if (more == NULL)
        return RHM_EMEMORY;
    *p = more;
    return RHM_OK;
}

enum rhm_status rhm_features_extend(struct rhm_features *f, size_t extra, const double *embedding,
                                    struct rhm_error *err)
{
    size_t K = f->K + extra;
    enum rhm_status status = rhm_linalg_dimension("the number of codes", K, err);
    if (status == RHM_OK)
        status = check_embedding(f->K, extra, f->width, embedding, err);
    if (status == RHM_OK)
        status = grow(&f->embedding, K * f->width, err);
    if (status == RHM_OK)
        status = grow(&f->square, K, err);
    if (status == RHM_OK && f->table && wants_table(f, K))
        status = grow(&f->table, K * f->s * f->M, err);
    if (status != RHM_OK)
        return status;
    if (f->table && !wants_table(f, K)) {
        free(f->table);
        f->table = NULL;
    }
    if (extra > 0)
        memcpy(f->embedding + f->K * f->width, embedding, extra * f->width * sizeof(double));
    fill_codes(f, f->K, extra);
    f->K = K;
    return RHM_OK;
}

/* sqrt(r^2 + 1) of a patch: the length of (h/sigma, 1). */
static double relu_length(const struct rhm_features *f, const uint32_t *tuple)
{
    double sum = 0;
    for (size_t j = 0; j < f->s; j++)
        sum += f->square[tuple[j]];
    return sqrt(sum / (f->sigma * f->sigma) + 1);
}

static const double *table_cell(const struct rhm_features *f, const uint32_t *tuple, size_t j)
{
    return f->table + (tuple[j] * f->s + j) * f->M;
}

/* (xc, xs) = (ac, as) (bc, bs) as complex numbers; x may be a. */
static void multiply(size_t half, const double *a, const double *b, double *x)
{
    const double *ac = a, *as = a + half, *bc = b, *bs = b + half;
    double *xc = x, *xs = x + half;
#pragma omp simd
    for (size_t k = 0; k < half; k++) {
        double c = ac[k] * bc[k] - as[k] * bs[k];
        double s = as[k] * bc[k] + ac[k] * bs[k];
        xc[k] = c;
        xs[k] = s;
    }
}

static void row_from_table(const struct rhm_features *f, const uint32_t *tuple, double *x)
{
    const double *a = table_cell(f, tuple, 0);
    if (f->kind != RHM_FEATURES_RELU) {
        if (f->s == 1)
            memcpy(x, a, f->M * sizeof *x);
        for (size_t j = 1; j < f->s; j++, a = x)
            multiply(f->M / 2, a, table_cell(f, tuple, j), x);
        return;
    }
    for (size_t j = 1; j < f->s; j++, a = x) {
        const double *b = table_cell(f, tuple, j);
#pragma omp simd
        for (size_t k = 0; k < f->M; k++)
            x[k] = a[k] + b[k];
    }
    double factor = 1 / relu_length(f, tuple);
#pragma omp simd
    for (size_t k = 0; k < f->M; k++)
        x[k] = a[k] > 0 ? a[k] * factor : 0;
}

/* From phases w_k.h in x[0 .. rows - 1] to features. */
static void row_from_phases(const struct rhm_features *f, const uint32_t *tuple, double *x)
{
    double scale = sqrt(2 / (double)f->M);
    if (f->kind != RHM_FEATURES_RELU) {
        rhm_trig_sincos(f->M / 2, x, scale, x, x + f->M / 2);
        return;
    }
    scale /= relu_length(f, tuple);
#pragma omp simd
    for (size_t k = 0; k < f->M; k++) {
        double z = x[k] + f->bias[k];
        x[k] = z > 0 ? z * scale : 0;
    }
}

static void chunk_direct(const struct rhm_features *f, size_t n, const uint32_t *tuple, double *x)
{
    size_t dim = f->s * f->width;
    double *h = malloc(n * dim * sizeof *h);
    if (h == NULL) { /* slow, but needs nothing */
        for (size_t i = 0; i < n; i++)
            rhm_features_naive(f, tuple + i * f->s, x + i * f->M);
        return;
    }
    for (size_t i = 0; i < n * f->s; i++)
        memcpy(h + i * f->width, f->embedding + tuple[i] * f->width, f->width * sizeof *h);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)f->rows, (int)dim, 1, h, (int)dim,
                f->frequency, (int)dim, 0, x, (int)f->M);
    for (size_t i = 0; i < n; i++)
        row_from_phases(f, tuple + i * f->s, x + i * f->M);
    free(h);
}

void rhm_features_rows(const struct rhm_features *f, size_t n, const uint32_t *tuple, double *x)
{
    if (f->table == NULL)
        rhm_linalg_share();
#pragma omp parallel for if (n * f->M > ALONE)
    for (size_t first = 0; first < n; first += CHUNK) {
        size_t some = n - first < CHUNK ? n - first : CHUNK;
        const uint32_t *t = tuple + first * f->s;
        if (f->table == NULL)
            chunk_direct(f, some, t, x + first * f->M);
        else
            for (size_t i = 0; i < some; i++)
                row_from_table(f, t + i * f->s, x + (first + i) * f->M);
    }
    if (f->table == NULL)
        rhm_linalg_unshare();
}

void rhm_features_naive(const struct rhm_features *f, const uint32_t *tuple, double *x)
{
    size_t dim = f->s * f->width;
    double scale = sqrt(2 / (double)f->M), square = 0;
    for (size_t j = 0; j < f->s; j++)
        for (size_t i = 0; i < f->width; i++) {
            double h = f->embedding[tuple[j] * f->width + i];
            square += h * h;
        }
    for (size_t k = 0; k < f->rows; k++) {
        double phase = 0;
        for (size_t j = 0; j < f->s; j++)
            for (size_t i = 0; i < f->width; i++)
                phase += f->frequency[k * dim + j * f->width + i] * f->embedding[tuple[j] * f->width + i];
        if (f->kind == RHM_FEATURES_RELU) {
            x[k] = scale * fmax(0, phase + f->bias[k]) / sqrt(square / (f->sigma * f->sigma) + 1);
        } else {
            x[k] = scale * cos(phase);
            x[k + f->rows] = scale * sin(phase);
        }
    }
}

double rhm_features_kernel(const struct rhm_features *f, const uint32_t *a, const uint32_t *b)
{
    double aa = 1, bb = 1, ab = 1, distance = 0, variance = f->sigma * f->sigma;
    for (size_t j = 0; j < f->s; j++)
        for (size_t i = 0; i < f->width; i++) {
            double u = f->embedding[a[j] * f->width + i], v = f->embedding[b[j] * f->width + i];
            aa += u * u / variance;
            bb += v * v / variance;
            ab += u * v / variance;
            distance += (u - v) * (u - v);
        }
    if (f->kind != RHM_FEATURES_RELU)
        return exp(-distance / (2 * variance));
    const double pi = 3.14159265358979323846;
    double cosine = fmax(-1, fmin(1, ab / sqrt(aa * bb))), angle = acos(cosine);
    return (sin(angle) + (pi - angle) * cosine) / pi;
}
