/* refine_tuples.c - see refine_tuples.h. */
#include "engine/chain/refine_tuples.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

#define MIX 0.6 /* share of what all tuples have in common */

static const char what[] = "the start of the refinement";

void rhm_refine_tuples_clear(struct rhm_refine_tuples *c)
{
    free(c->number);
    free(c->index);
    free(c->count);
    free(c->total);
    *c = (struct rhm_refine_tuples){0};
}

size_t rhm_refine_tuple(const uint16_t *code, unsigned s, size_t V)
{
    size_t number = 0;
    for (unsigned j = 0; j < s; j++) {
        if (code[j] == RHM_MISSING)
            return SIZE_MAX;
        number = number * V + code[j];
    }
    return number;
}

enum rhm_status rhm_refine_tuples_count(const struct rhm_tree *tree, unsigned l, size_t n,
                                        const uint16_t *codes, const uint16_t *labels,
                                        struct rhm_refine_tuples *c, struct rhm_error *err)
{
    const struct rhm_tree_table *t = &tree->table[l];
    size_t places = tree->nodes[l - 1], C = tree->symbols[0];
    *c =
        (struct rhm_refine_tuples){.K = places * C, .index = rhm_array(t->rows, sizeof *c->index, what, err)};
    if (c->index == NULL)
        return RHM_EMEMORY;
    memset(c->index, 255, t->rows * sizeof *c->index);
    for (size_t i = 0; i < n * places; i++) {
        size_t tuple = rhm_refine_tuple(codes + i * t->s, t->s, t->symbols);
        if (tuple != SIZE_MAX && c->index[tuple] == UINT32_MAX)
            c->index[tuple] = 0;
    }
    for (size_t r = 0; r < t->rows; r++) /* in the order of their numbers */
        if (c->index[r] == 0)
            c->index[r] = (uint32_t)c->U++;
    c->number = rhm_array(c->U, sizeof *c->number, what, err);
    c->total = rhm_array(c->U, sizeof *c->total, what, err);
    c->count = rhm_array(c->U, c->K * sizeof *c->count, "the counts of (place, label) of all tuples", err);
    if (c->number == NULL || c->total == NULL || c->count == NULL)
        return RHM_EMEMORY;
    for (size_t r = 0; r < t->rows; r++)
        if (c->index[r] != UINT32_MAX)
            c->number[c->index[r]] = r;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < places; j++) {
            size_t tuple = rhm_refine_tuple(codes + (i * places + j) * t->s, t->s, t->symbols);
            if (tuple == SIZE_MAX)
                continue;
            c->total[c->index[tuple]]++;
            if (labels[i] != RHM_MISSING)
                c->count[c->index[tuple] * c->K + j * C + labels[i]]++;
        }
    return RHM_OK;
}

void rhm_refine_set_table(struct rhm_tree *tree, unsigned l, const struct rhm_refine_tuples *c,
                          const uint16_t *cluster)
{
    struct rhm_tree_table *t = &tree->table[l];
    size_t P = t->parents;
    double all = 0;
    memset(t->p, 0, t->rows * P * sizeof *t->p);
    for (size_t u = 0; u < c->U; u++) {
        double *row = t->p + c->number[u] * P;
        all += c->total[u];
        if (cluster && cluster[u] != RHM_MISSING)
            row[cluster[u]] = c->total[u];
        for (size_t p = 0; p < P && !cluster; p++)
            row[p] = c->count[u * c->K + p];
    }
    for (size_t p = 0; p < P; p++) {
        double sum = 0;
        for (size_t r = 0; r < t->rows; r++)
            sum += t->p[r * P + p];
        for (size_t r = 0; r < t->rows; r++) {
            double seen = c->index[r] == UINT32_MAX ? 0 : c->total[c->index[r]];
            double common = (seen + 0.5) / (all + 0.5 * (double)t->rows);
            double mix = sum > 0 ? MIX : 1;
            t->p[r * P + p] = (1 - mix) * (sum > 0 ? t->p[r * P + p] / sum : 0) + mix * common;
        }
    }
}

void rhm_refine_set_prior(struct rhm_tree *tree, size_t n, const uint16_t *labels)
{
    size_t C = tree->symbols[0], labelled = 0;
    for (size_t k = 0; k < C; k++)
        tree->prior[k] = 1;
    for (size_t i = 0; i < n; i++)
        if (labels[i] != RHM_MISSING) {
            tree->prior[labels[i]]++;
            labelled++;
        }
    for (size_t k = 0; k < C; k++)
        tree->prior[k] /= (double)(labelled + C);
}
