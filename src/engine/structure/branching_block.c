/* branching_block.c - see branching_block.h. */
#include "engine/structure/branching_block.h"

#include <math.h>
#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/base/tuples.h"
#include "engine/grammar/grammar.h"

#define DENSE_TUPLES ((size_t)1 << 24)

enum rhm_status rhm_branching_measure(const struct rhm_branching_work *w, int by_labels, size_t groups,
                                      const size_t *first, const struct rhm_pair *pair, struct rhm_phi *out,
                                      struct rhm_error *err)
{
    enum rhm_status status =
        by_labels ? rhm_label_dependence(&w->codes, w->data->labels, w->data->classes, groups, pair, out, err)
                  : rhm_dependence(&w->codes, groups, first, pair, out, err);
    return status == RHM_OK ? rhm_poll(w->poll, w->context, err) : status;
}

int rhm_branching_is_prime(size_t x)
{
    for (size_t k = 2; k * k <= x; k++)
        if (x % k == 0)
            return 0;
    return x > 1;
}

/* ------------------------------------------------------------ the next level's codes */

/* Numbers the tuples of s codes by their first appearance, block after block. */
static enum rhm_status number_tuples(const struct rhm_branching_work *w, size_t s, uint32_t *to,
                                     size_t *distinct, struct rhm_error *err)
{
    size_t n = w->codes.n, K = w->codes.K, blocks = w->codes.places / s;
    uint64_t numbers = rhm_power(K, (unsigned)s);
    int dense = numbers > 0 && numbers <= DENSE_TUPLES;
    uint32_t *known = dense ? rhm_array((size_t)numbers, sizeof *known, "the table of tuples", err) : NULL;
    struct rhm_tuples tuples = {0};
    enum rhm_status status = dense ? known ? RHM_OK : RHM_EMEMORY : rhm_tuples_init(&tuples, s, err);
    *distinct = 0;
    for (size_t b = 0; b < blocks && status == RHM_OK; b++) {
        const uint32_t *code = w->codes.code + b * s * n;
        for (size_t i = 0; i < n && status == RHM_OK; i++) {
            uint32_t tuple[RHM_BRANCHING_MOST];
            size_t number = 0, missing = 0, row = 0;
            for (size_t j = 0; j < s; j++) {
                tuple[j] = code[j * n + i];
                missing += tuple[j] == RHM_NO_CODE_HERE;
                number = number * K + tuple[j];
            }
            if (missing > 0) {
                to[b * n + i] = RHM_NO_CODE_HERE;
                continue;
            }
            if (dense) {
                if (known[number] == 0)
                    known[number] = (uint32_t)++ * distinct;
                row = known[number] - 1;
            } else {
                status = rhm_tuples_add(&tuples, tuple, &row, err);
                *distinct = tuples.n;
            }
            to[b * n + i] = (uint32_t)row;
        }
        if (status == RHM_OK)
            status = rhm_poll(w->poll, w->context, err);
    }
    free(known);
    rhm_tuples_clear(&tuples);
    return status;
}

enum rhm_status rhm_branching_go_up(struct rhm_branching_work *w, size_t s, struct rhm_error *err)
{
    size_t places = w->codes.places / s, distinct;
    uint32_t *to = rhm_array(places * w->codes.n, sizeof *to, "the codes of a level", err);
    if (to == NULL)
        return RHM_EMEMORY;
    enum rhm_status status = number_tuples(w, s, to, &distinct, err);
    free(w->own);
    w->own = to;
    w->codes.code = to;
    w->codes.places = places;
    w->codes.K = distinct;
    w->depth++;
    return status;
}

/* ------------------------------------------------------------ blocks */

/* sum of p_t^2 over the tuples t of blocks of s places: the share of pairs of blocks that are alike, or
 * rather what it may be at most. */
static enum rhm_status concentration(const struct rhm_branching_work *w, size_t s, double *out,
                                     struct rhm_error *err)
{
    size_t cells = w->codes.places / s * w->codes.n, kinds = 0;
    uint32_t *tuple = rhm_array(cells, sizeof *tuple, "the codes of a level", err), *count = NULL;
    enum rhm_status status = tuple ? number_tuples(w, s, tuple, &kinds, err) : RHM_EMEMORY;
    if (status == RHM_OK && (count = rhm_array(kinds, sizeof *count, "the codes of a level", err)) == NULL)
        status = RHM_EMEMORY;
    double n = 0, alike = 0;
    for (size_t i = 0; i < cells && status == RHM_OK; i++)
        if (tuple[i] != RHM_NO_CODE_HERE) {
            n++;
            alike += 2.0 * count[tuple[i]]++; /* sum of n_t (n_t - 1), as it grows */
        }
    alike /= 2;
    *out = n > 1 ? (alike + 4 * sqrt(alike) + 8) / (n * (n - 1) / 2) : 1;
    free(tuple);
    free(count);
    return status;
}

enum rhm_status rhm_branching_look_at_block(const struct rhm_branching_work *w, size_t s,
                                            struct rhm_branching_block *out, struct rhm_error *err)
{
    size_t blocks = w->codes.places / s, groups = s * (s - 1) / 2, g = 0;
    struct rhm_pair *pair = rhm_array(groups * blocks, sizeof *pair, "the pairs of places", err);
    size_t *first = rhm_array(groups + 1, sizeof *first, "the pairs of places", err);
    struct rhm_phi *phi = rhm_array(groups, sizeof *phi, "the pairs of places", err);
    enum rhm_status status = pair && first && phi ? RHM_OK : RHM_EMEMORY;
    for (size_t j = 0; j < s && status == RHM_OK; j++)
        for (size_t k = j + 1; k < s; k++, g++) {
            for (size_t b = 0; b < blocks; b++)
                pair[g * blocks + b] = (struct rhm_pair){.a = b * s + j, .b = b * s + k};
            first[g + 1] = (g + 1) * blocks;
        }
    if (status == RHM_OK)
        status = rhm_branching_measure(w, 0, groups, first, pair, phi, err);
    double least = INFINITY, mean = 0, variance = 0, alike = 0;
    for (g = 0; g < groups && status == RHM_OK; g++) {
        least = fmin(least, phi[g].value);
        mean += phi[g].value / (double)groups;
        variance += phi[g].variance / (double)(groups * groups);
    }
    out->even = least / mean;
    out->composed = 0;
    if (status == RHM_OK && !rhm_branching_is_prime(s)) {
        status = concentration(w, s, &alike, err);
        double V = w->data->V, synonyms = fmax((double)w->codes.K / V, 1);
        double one_level = (V - 1) * (V - 1) * (alike * pow(synonyms, (double)s) - pow(V, -(double)s));
        out->composed = mean - RHM_BRANCHING_LEAST_Z * sqrt(variance) > RHM_BRANCHING_COMPOSED * one_level;
    }
    free(pair);
    free(first);
    free(phi);
    return status;
}

enum rhm_status rhm_branching_orderlessness(const struct rhm_branching_work *w, double mean,
                                            double *coherence, struct rhm_error *err)
{
    size_t pairs = w->codes.places - 1, first[2] = {0, 2 * pairs};
    struct rhm_pair *pair = rhm_array(2 * pairs, sizeof *pair, "the pairs of places", err);
    struct rhm_phi all;
    enum rhm_status status = pair ? RHM_OK : RHM_EMEMORY;
    for (size_t p = 0; p < pairs && status == RHM_OK; p++) {
        pair[2 * p] = (struct rhm_pair){.a = p, .b = p + 1};
        pair[2 * p + 1] = (struct rhm_pair){.a = p, .b = p + 1, .turned = 1};
    }
    if (status == RHM_OK)
        status = rhm_branching_measure(w, 0, 1, first, pair, &all, err);
    if (status == RHM_OK)
        *coherence = all.value / mean;
    free(pair);
    return status;
}
