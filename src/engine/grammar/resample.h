/* resample.h - parts of strings drawn anew: what a representation is asked to ignore, or to notice. */
#ifndef RHM_RESAMPLE_H
#define RHM_RESAMPLE_H

#include "engine/base/poll.h"
#include "engine/grammar/grammar.h"

enum rhm_resample {
    RHM_RESAMPLE_RULES,  /* the symbol stays, its rule and all rules below it are drawn anew */
    RHM_RESAMPLE_SYMBOL, /* the symbol is drawn anew, uniformly, and all rules below it */
};

#define RHM_EVERY_PLACE UINT64_MAX

/* Draws anew what stands under the symbol of level l - 1 at place i (0-based, below s^(l-1)) of each of the n
 * strings, or at every place: with RULES the level-l patch there becomes one of its synonyms, with the
 * grammar's probabilities (itself, too). Labels change only with SYMBOL at l = 1. tokens: n x d, in place;
 * labels: n. String k's draws depend on (seed, l, first + k) alone. RULES needs strings of the grammar:
 * RHM_EARG names the first (first + k + 1) that is none. On an error the strings are left half done. */
enum rhm_status rhm_resample(const struct rhm_grammar *g, unsigned l, uint64_t i, enum rhm_resample kind,
                             uint64_t seed, uint64_t first, size_t n, uint16_t *tokens, uint16_t *labels,
                             rhm_poll_function *poll, void *context, struct rhm_error *err);

#endif
