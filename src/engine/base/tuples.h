/* tuples.h - a numbered set of tuples of codes: tuple -> row, row -> tuple. */
#ifndef RHM_TUPLES_H
#define RHM_TUPLES_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"

#define RHM_NO_PARENT UINT32_MAX /* of a tuple that stands under no symbol */

struct rhm_tuples {
    size_t s;        /* codes a tuple */
    size_t n;        /* rows */
    size_t capacity; /* rows allocated */
    uint32_t *tuple; /* n x s; owned */
    uint32_t *slot;  /* hash table: row + 1, 0 = free; owned */
    size_t slots;    /* a power of two, at least twice n */
};

enum rhm_status rhm_tuples_init(struct rhm_tuples *t, size_t s, struct rhm_error *err);
void rhm_tuples_clear(struct rhm_tuples *t);

/* The row of a tuple, or SIZE_MAX. */
size_t rhm_tuples_find(const struct rhm_tuples *t, const uint32_t *tuple);

/* The row of a tuple, which becomes the last one where it is new. At most 2^32 - 2 rows. */
enum rhm_status rhm_tuples_add(struct rhm_tuples *t, const uint32_t *tuple, size_t *row,
                               struct rhm_error *err);

/* Sorts the rows in lexicographic order; from[new row] = old row (n entries). */
enum rhm_status rhm_tuples_sort(struct rhm_tuples *t, size_t *from, struct rhm_error *err);

static inline const uint32_t *rhm_tuples_row(const struct rhm_tuples *t, size_t row)
{
    return t->tuple + row * t->s;
}

#endif
