/* tally.h - counts of distinct patches: all that training needs to know of its samples.
 *
 * G and B of ridge.h are sums over distinct patches weighted by counts, so N samples cost O(N) counting and
 * the algebra depends only on the number U of distinct patches.
 */
#ifndef RHM_TALLY_H
#define RHM_TALLY_H

#include "engine/base/tuples.h"

struct rhm_tally {
    struct rhm_tuples patches; /* U = patches.n rows of s codes */
    size_t C;                  /* labels */
    uint64_t N;                /* samples: the sum of all counts */
    uint64_t *count;           /* U x C label counts; owned */
    size_t capacity;           /* rows allocated in count */
};

enum rhm_status rhm_tally_init(struct rhm_tally *t, size_t s, size_t C, struct rhm_error *err);
void rhm_tally_clear(struct rhm_tally *t);

/* Adds `count` to (tuple, label). */
enum rhm_status rhm_tally_add(struct rhm_tally *t, const uint32_t *tuple, size_t label, uint64_t count,
                              struct rhm_error *err);

/* Sorts the rows by tuple, so that the result does not depend on the order of the samples. */
enum rhm_status rhm_tally_sort(struct rhm_tally *t, struct rhm_error *err);

/* Samples of one patch. */
uint64_t rhm_tally_patch_count(const struct rhm_tally *t, size_t row);

#endif
