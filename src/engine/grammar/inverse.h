/* inverse.h - the rules of a grammar turned round: which symbol a tuple stands under. Not installed. */
#ifndef RHM_INVERSE_H
#define RHM_INVERSE_H

#include "engine/base/tuples.h"
#include "engine/grammar/grammar.h"

/* Of one level: tuple of symbols -> its parent. */
struct rhm_inverse {
    unsigned m;
    struct rhm_tuples rules; /* row / m = parent */
};
enum rhm_status rhm_inverse_init(struct rhm_inverse *inverse, const struct rhm_grammar *g, unsigned l,
                                 struct rhm_error *err);
void rhm_inverse_clear(struct rhm_inverse *inverse);

#endif
