/* tuples.c - see tuples.h. Open addressing with linear probing; the table is at most half full. */
#include "engine/base/tuples.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

#define FIRST_ROWS 64

static uint64_t hash(const uint32_t *tuple, size_t s)
{
    uint64_t h = UINT64_C(0x243F6A8885A308D3);
    for (size_t j = 0; j < s; j++) {
        h = (h ^ tuple[j]) * UINT64_C(0x9E3779B97F4A7C15);
        h ^= h >> 29;
    }
    return h;
}

/* The slot that holds the tuple, or the free one where it belongs. */
static size_t place(const struct rhm_tuples *t, const uint32_t *tuple)
{
    size_t at = (size_t)hash(tuple, t->s) & (t->slots - 1);
    while (t->slot[at] != 0 && memcmp(rhm_tuples_row(t, t->slot[at] - 1), tuple, t->s * sizeof *tuple) != 0)
        at = (at + 1) & (t->slots - 1);
    return at;
}

static void fill_slots(struct rhm_tuples *t)
{
    memset(t->slot, 0, t->slots * sizeof *t->slot);
    for (size_t row = 0; row < t->n; row++)
        t->slot[place(t, rhm_tuples_row(t, row))] = (uint32_t)row + 1;
}

enum rhm_status rhm_tuples_init(struct rhm_tuples *t, size_t s, struct rhm_error *err)
{
    *t = (struct rhm_tuples){.s = s, .capacity = FIRST_ROWS, .slots = 2 * FIRST_ROWS};
    t->tuple = rhm_array(t->capacity * s, sizeof *t->tuple, "the table of patches", err);
    t->slot = rhm_array(t->slots, sizeof *t->slot, "the table of patches", err);
    if (t->tuple != NULL && t->slot != NULL)
        return RHM_OK;
    rhm_tuples_clear(t);
    return RHM_EMEMORY;
}

void rhm_tuples_clear(struct rhm_tuples *t)
{
    free(t->tuple);
    free(t->slot);
    *t = (struct rhm_tuples){0};
}

size_t rhm_tuples_find(const struct rhm_tuples *t, const uint32_t *tuple)
{
    uint32_t row = t->slot[place(t, tuple)];
    return row == 0 ? SIZE_MAX : row - 1;
}

static enum rhm_status grow(struct rhm_tuples *t, struct rhm_error *err)
{
    if (t->n >= UINT32_MAX - 2)
        return rhm_fail(err, RHM_EMEMORY, "more than 2^32 distinct patches: use codebook = 'centroid'");
    uint32_t *tuple =
        rhm_array_grow(t->tuple, 2 * t->capacity * t->s, sizeof *tuple, "the table of patches", err);
    if (tuple == NULL)
        return RHM_EMEMORY;
    t->tuple = tuple;
    uint32_t *slot = rhm_array_grow(t->slot, 2 * t->slots, sizeof *slot, "the table of patches", err);
    if (slot == NULL)
        return RHM_EMEMORY;
    t->slot = slot;
    t->capacity *= 2;
    t->slots *= 2;
    fill_slots(t);
    return RHM_OK;
}

enum rhm_status rhm_tuples_add(struct rhm_tuples *t, const uint32_t *tuple, size_t *row,
                               struct rhm_error *err)
{
    size_t at = place(t, tuple);
    if (t->slot[at] == 0) {
        if (t->n == t->capacity) {
            enum rhm_status status = grow(t, err);
            if (status != RHM_OK)
                return status;
            at = place(t, tuple);
        }
        memcpy(t->tuple + t->n * t->s, tuple, t->s * sizeof *tuple);
        t->n++;
        t->slot[at] = (uint32_t)t->n;
    }
    *row = t->slot[at] - 1;
    return RHM_OK;
}

/* ----------------------------------------------------------------- sort */

static int compare(const uint32_t *a, const uint32_t *b, size_t s)
{
    for (size_t j = 0; j < s; j++)
        if (a[j] != b[j])
            return a[j] < b[j] ? -1 : 1;
    return 0;
}

/* Bottom-up merge sort of row numbers: qsort has no way to pass the table along. */
static void merge_sort(const struct rhm_tuples *t, size_t *row, size_t *spare)
{
    for (size_t run = 1; run < t->n; run *= 2) {
        for (size_t start = 0; start < t->n; start += 2 * run) {
            size_t middle = start + run < t->n ? start + run : t->n;
            size_t end = middle + run < t->n ? middle + run : t->n;
            size_t a = start, b = middle;
            for (size_t k = start; k < end; k++) {
                int left = a < middle && (b >= end || compare(rhm_tuples_row(t, row[a]),
                                                              rhm_tuples_row(t, row[b]), t->s) <= 0);
                spare[k] = left ? row[a++] : row[b++];
            }
        }
        memcpy(row, spare, t->n * sizeof *row);
    }
}

enum rhm_status rhm_tuples_sort(struct rhm_tuples *t, size_t *from, struct rhm_error *err)
{
    size_t *spare = rhm_array(t->n, sizeof *spare, "sorting the patches", err);
    uint32_t *sorted = rhm_array(t->capacity * t->s, sizeof *sorted, "sorting the patches", err);
    enum rhm_status status = spare && sorted ? RHM_OK : RHM_EMEMORY;
    if (status == RHM_OK) {
        for (size_t row = 0; row < t->n; row++)
            from[row] = row;
        merge_sort(t, from, spare);
        for (size_t row = 0; row < t->n; row++)
            memcpy(sorted + row * t->s, rhm_tuples_row(t, from[row]), t->s * sizeof *sorted);
        free(t->tuple);
        t->tuple = sorted;
        sorted = NULL;
        fill_slots(t);
    }
    free(spare);
    free(sorted);
    return status;
}
