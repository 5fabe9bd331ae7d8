/* matrix.c - see matrix.h. */
#include "engine/base/matrix.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/memory.h"

enum rhm_status rhm_matrix_init(struct rhm_matrix *m, size_t rows, size_t cols, struct rhm_error *err)
{
    *m = (struct rhm_matrix){0};
    char what[80];
    snprintf(what, sizeof what, "a matrix of %zu x %zu", rows, cols);
    /* Doubles: the product may pass 2^64. Within the budget it cannot. */
    enum rhm_status status = rhm_memory_check((double)rows * (double)cols * sizeof(double), what, NULL, err);
    if (status != RHM_OK)
        return status;
    m->v = rhm_array(rows * cols, sizeof *m->v, what, err);
    if (m->v == NULL)
        return RHM_EMEMORY;
    m->rows = rows;
    m->cols = cols;
    return RHM_OK;
}

void rhm_matrix_clear(struct rhm_matrix *m)
{
    free(m->v);
    *m = (struct rhm_matrix){0};
}

size_t rhm_largest(const double *v, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (v[i] > v[best])
            best = i;
    return best;
}
