/* rules.h - what the makers of rules share: tuples as numbers, a set of them. Not installed. */
#ifndef RHM_RULES_H
#define RHM_RULES_H

#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/grammar/grammar.h"

/* Fills the sizes of g and allocates its rules. */
enum rhm_status rhm_grammar_set_shape(struct rhm_grammar *g, const struct rhm_grammar_shape *shape,
                                      struct rhm_error *err);

/* Tuple number -> s children, most significant first. */
static inline void rhm_tuple_write(uint16_t *child, uint64_t number, unsigned V, unsigned s)
{
    for (unsigned j = s; j-- > 0;) {
        child[j] = (uint16_t)(number % V);
        number /= V;
    }
}

static inline uint64_t rhm_tuple_number(const uint16_t *child, unsigned V, unsigned s)
{
    uint64_t number = 0;
    for (unsigned j = 0; j < s; j++)
        number = number * V + child[j];
    return number;
}

struct rhm_number_set {
    uint64_t *slot; /* number + 1; 0 = free; owned */
    size_t mask;
};

static inline enum rhm_status rhm_number_set_init(struct rhm_number_set *set, size_t most,
                                                  struct rhm_error *err)
{
    size_t slots = 16;
    while (slots < 2 * most)
        slots *= 2;
    set->mask = slots - 1;
    set->slot = rhm_array(slots, sizeof *set->slot, "the set of drawn tuples", err);
    return set->slot ? RHM_OK : RHM_EMEMORY;
}

/* Returns 1 where the number is new. */
static inline int rhm_number_set_insert(struct rhm_number_set *set, uint64_t number)
{
    size_t at = (size_t)((number + 1) * UINT64_C(0x9E3779B97F4A7C15) >> 17) & set->mask;
    while (set->slot[at] != 0 && set->slot[at] != number + 1)
        at = (at + 1) & set->mask;
    if (set->slot[at] != 0)
        return 0;
    set->slot[at] = number + 1;
    return 1;
}

#endif
