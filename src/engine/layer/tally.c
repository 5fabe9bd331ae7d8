/* tally.c - see tally.h. */
#include "engine/layer/tally.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

enum rhm_status rhm_tally_init(struct rhm_tally *t, size_t s, size_t C, struct rhm_error *err)
{
    *t = (struct rhm_tally){.C = C};
    return rhm_tuples_init(&t->patches, s, err);
}

void rhm_tally_clear(struct rhm_tally *t)
{
    rhm_tuples_clear(&t->patches);
    free(t->count);
    *t = (struct rhm_tally){0};
}

enum rhm_status rhm_tally_add(struct rhm_tally *t, const uint32_t *tuple, size_t label, uint64_t count,
                              struct rhm_error *err)
{
    size_t row, before = t->patches.n;
    enum rhm_status status = rhm_tuples_add(&t->patches, tuple, &row, err);
    if (status != RHM_OK)
        return status;
    if (t->patches.n > t->capacity) {
        size_t capacity = t->patches.capacity;
        uint64_t *grown =
            rhm_array_grow(t->count, capacity * t->C, sizeof *grown, "the label counts of patches", err);
        if (grown == NULL)
            return RHM_EMEMORY;
        t->count = grown;
        t->capacity = capacity;
    }
    if (t->patches.n > before)
        memset(t->count + row * t->C, 0, t->C * sizeof *t->count);
    t->count[row * t->C + label] += count;
    t->N += count;
    return RHM_OK;
}

enum rhm_status rhm_tally_sort(struct rhm_tally *t, struct rhm_error *err)
{
    size_t U = t->patches.n;
    size_t *from = rhm_array(U, sizeof *from, "sorting the patches", err);
    uint64_t *sorted = rhm_array(U * t->C, sizeof *sorted, "sorting the patches", err);
    enum rhm_status status = from && sorted ? rhm_tuples_sort(&t->patches, from, err) : RHM_EMEMORY;
    if (status == RHM_OK) {
        for (size_t row = 0; row < U; row++)
            memcpy(sorted + row * t->C, t->count + from[row] * t->C, t->C * sizeof *sorted);
        free(t->count);
        t->count = sorted;
        t->capacity = U;
        sorted = NULL;
    }
    free(from);
    free(sorted);
    return status;
}

uint64_t rhm_tally_patch_count(const struct rhm_tally *t, size_t row)
{
    uint64_t sum = 0;
    for (size_t c = 0; c < t->C; c++)
        sum += t->count[row * t->C + c];
    return sum;
}
