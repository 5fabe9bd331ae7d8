/* dependence.c - see dependence.h. */
#include "engine/structure/dependence.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

/* phi^2 of a table and its degrees of freedom, (rows - 1)(cols - 1) where all codes are frequent. margin:
 * rows + cols. */
static double measure(const uint32_t *count, size_t rows, size_t cols, double *margin, double *df, double *n)
{
    double *row = margin, *col = margin + rows, x = 0;
    memset(margin, 0, (rows + cols) * sizeof *margin);
    *n = 0;
    for (size_t a = 0; a < rows; a++)
        for (size_t b = 0; b < cols; b++) {
            double c = count[a * cols + b];
            row[a] += c;
            col[b] += c;
            *n += c;
        }
    double some_rows = 0, some_cols = 0, free_rows = 0, free_cols = 0;
    for (size_t a = 0; a < rows; a++)
        if (row[a] > 0) {
            some_rows++;
            free_rows += 1 - 1 / row[a]; /* a code seen once has no pair */
        }
    for (size_t b = 0; b < cols; b++)
        if (col[b] > 0) {
            some_cols++;
            free_cols += 1 - 1 / col[b];
        }
    for (size_t a = 0; a < rows; a++)
        for (size_t b = 0; b < cols; b++)
            if (count[a * cols + b] > 1)
                x += (double)count[a * cols + b] * (count[a * cols + b] - 1.0) / (row[a] * col[b]);
    *df = *n > 1 ? free_rows * (1 - 1 / some_rows) * free_cols * (1 - 1 / some_cols) : 0;
    return *n > 1 ? x - (*n - some_rows) * (*n - some_cols) / (*n * (*n - 1)) : 0;
}

/* A noncentral chi-square has the variance 2 (df + 2 times its shift). */
static struct rhm_phi phi_of(double value, double df, double n)
{
    double shift = value > 0 ? n * value : 0;
    return (struct rhm_phi){value, n > 0 ? 2 * (df + 2 * shift) / (n * n) : 0};
}

static void count_pair(const struct rhm_places_codes *codes, const struct rhm_pair *pair, uint32_t *count)
{
    const uint32_t *a = codes->code + pair->a * codes->n, *b = codes->code + pair->b * codes->n;
    size_t n = codes->n, K = codes->K, step_a = pair->turned ? 1 : K, step_b = pair->turned ? K : 1;
    for (size_t part = 0; part < 2; part++) { /* up to where the second one comes round, and the rest */
        size_t from = part == 0 ? 0 : n - pair->shift, to = part == 0 ? n - pair->shift : n;
        const uint32_t *other = part == 0 ? b + pair->shift : b - (n - pair->shift);
        for (size_t i = from; i < to; i++)
            if (a[i] != RHM_NO_CODE_HERE && other[i] != RHM_NO_CODE_HERE)
                count[a[i] * step_a + other[i] * step_b]++;
    }
}

enum rhm_status rhm_dependence(const struct rhm_places_codes *codes, size_t groups, const size_t *first,
                               const struct rhm_pair *pair, struct rhm_phi *out, struct rhm_error *err)
{
    size_t K = codes->K;
    int failed = 0;
#pragma omp parallel if (groups > 1)
    {
        uint32_t *count = malloc(K * K * sizeof *count);
        double *margin = malloc(2 * K * sizeof *margin);
        if (count == NULL || margin == NULL) {
#pragma omp atomic write
            failed = 1;
        }
#pragma omp for schedule(dynamic, 1)
        for (size_t g = 0; g < groups; g++) {
            if (count == NULL || margin == NULL)
                continue;
            memset(count, 0, K * K * sizeof *count);
            for (size_t k = first[g]; k < first[g + 1]; k++)
                count_pair(codes, &pair[k], count);
            double df, n, x = measure(count, K, K, margin, &df, &n);
            out[g] = phi_of(x, df, n);
        }
        free(count);
        free(margin);
    }
    return failed ? rhm_fail(err, RHM_EMEMORY, "the system has no memory left for tables of %zu x %zu counts",
                             K, K)
                  : RHM_OK;
}

/* Counts of (a, b, label), of (a, label) and of (b, label). */
struct label_tables {
    uint32_t *both, *a, *b;
    double *margin;
};

static struct rhm_phi interaction(const struct rhm_places_codes *codes, const uint16_t *labels,
                                  unsigned classes, const struct rhm_pair *pair, struct label_tables *t)
{
    size_t n = codes->n, K = codes->K, C = classes;
    const uint32_t *a = codes->code + pair->a * n, *b = codes->code + pair->b * n;
    memset(t->both, 0, K * K * C * sizeof *t->both);
    memset(t->a, 0, K * C * sizeof *t->a);
    memset(t->b, 0, K * C * sizeof *t->b);
    for (size_t i = 0; i < n; i++) {
        size_t j = i + pair->shift < n ? i + pair->shift : i + pair->shift - n;
        if (labels[j] >= C || a[i] == RHM_NO_CODE_HERE || b[i] == RHM_NO_CODE_HERE)
            continue;
        t->both[(a[i] * K + b[i]) * C + labels[j]]++;
        t->a[a[i] * C + labels[j]]++;
        t->b[b[i] * C + labels[j]]++;
    }
    double df[3], count;
    double x = measure(t->both, K * K, C, t->margin, &df[0], &count);
    x -= measure(t->a, K, C, t->margin, &df[1], &count) + measure(t->b, K, C, t->margin, &df[2], &count);
    return phi_of(x, df[0] - df[1] - df[2], count);
}

enum rhm_status rhm_label_dependence(const struct rhm_places_codes *codes, const uint16_t *labels,
                                     unsigned classes, size_t pairs, const struct rhm_pair *pair,
                                     struct rhm_phi *out, struct rhm_error *err)
{
    size_t K = codes->K, C = classes;
    int failed = 0;
#pragma omp parallel if (pairs > 1)
    {
        struct label_tables t = {malloc(K * K * C * sizeof(uint32_t)), malloc(K * C * sizeof(uint32_t)),
                                 malloc(K * C * sizeof(uint32_t)), malloc((K * K + C) * sizeof(double))};
        int have = t.both && t.a && t.b && t.margin;
        if (!have) {
#pragma omp atomic write
            failed = 1;
        }
#pragma omp for schedule(dynamic, 1)
        for (size_t k = 0; k < pairs; k++)
            if (have)
                out[k] = interaction(codes, labels, classes, &pair[k], &t);
        free(t.both);
        free(t.a);
        free(t.b);
        free(t.margin);
    }
    return failed ? rhm_fail(err, RHM_EMEMORY, "the system has no memory left for tables of %zu counts",
                             K * K * C)
                  : RHM_OK;
}
