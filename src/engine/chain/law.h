/* law.h - the law of a layer's codes under a grammar: what the tally sampler draws from, and the exact
 * accuracy. Prior and noise are those of the grammar: a token shows as others, a label is the observed one.
 *
 * P(code | symbol) is carried up from the tokens: a symbol of level l - 1 is rewritten by one of its m rules,
 * with the rule's probability, each child kappa_j (level l) shows as code c_j with P(c_j | kappa_j),
 * independently, and layer l gives the tuple its code. The same W and the same rules hold at every position,
 * so one law a level is enough.
 */
#ifndef RHM_LAW_H
#define RHM_LAW_H

#include "engine/chain/chain.h"

/* For each symbol, the codes it may show as: entries start[nu] .. start[nu+1]-1. */
struct rhm_law {
    size_t symbols;
    size_t *start;  /* symbols + 1; owned */
    uint32_t *code; /* owned */
    double *p;      /* P(code | symbol), each symbol's sum is 1; owned */
};

/* For each parent, the patches (tuples of input codes) it may show as. The same row may stand twice under one
 * parent. */
struct rhm_patch_law {
    struct rhm_tuples patches;
    size_t parents;
    size_t *start; /* parents + 1; owned */
    uint32_t *row; /* of patches; owned */
    double *p;     /* P(patch | parent); owned */
};

void rhm_law_clear(struct rhm_law *law);
void rhm_patch_law_clear(struct rhm_patch_law *law);

/* The patches of layer l under g, from the layers above (L..l+1, which must be trained). RHM_EMEMORY where
 * more than `most` (patch, parent) pairs would be listed. */
enum rhm_status rhm_law_of_patches(struct rhm_chain *chain, const struct rhm_grammar *g, unsigned l,
                                   double most, struct rhm_patch_law *out, rhm_poll_function *poll,
                                   void *context, struct rhm_error *err);

/* Draws the label counts of the patches of layer l for N samples: one multinomial over (patch, label),
 * exactly the law of N independent samples. */
enum rhm_status rhm_law_draw(const struct rhm_patch_law *law, const struct rhm_grammar *g, unsigned l,
                             uint64_t N, uint64_t seed, struct rhm_tally *tally, struct rhm_error *err);

/* P(predicted label = observed label) for the chain on g; all layers trained. */
enum rhm_status rhm_law_accuracy(struct rhm_chain *chain, const struct rhm_grammar *g, double *accuracy,
                                 rhm_poll_function *poll, void *context, struct rhm_error *err);

#endif
