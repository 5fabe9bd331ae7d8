/* refine_tuples.h - the tuples of a level as strings show them, and the tables that follow once each has a
 * parent: what the starts of EM share (refine_start.c, refine_start_chain.c). A code that is not known is
 * RHM_MISSING. */
#ifndef RHM_REFINE_TUPLES_H
#define RHM_REFINE_TUPLES_H

#include "engine/chain/refine.h"

/* The U tuples seen at a level. */
struct rhm_refine_tuples {
    size_t U, K;
    size_t *number;  /* U: the tuple */
    uint32_t *index; /* V^s: its row or UINT32_MAX */
    uint32_t *count; /* U x K; K = places x classes */
    double *total;   /* U: with strings that have no label */
};

/* The number of a tuple of s codes; SIZE_MAX where one is not known. */
size_t rhm_refine_tuple(const uint16_t *code, unsigned s, size_t V);

/* codes: a row of nodes[l] for each of n strings. Cleared by the caller, also where this fails. */
enum rhm_status rhm_refine_tuples_count(const struct rhm_tree *tree, unsigned l, size_t n,
                                        const uint16_t *codes, const uint16_t *labels,
                                        struct rhm_refine_tuples *c, struct rhm_error *err);
void rhm_refine_tuples_clear(struct rhm_refine_tuples *c);

/* The table of level l: cluster[u] is the parent of tuple u; NULL at the top, where the labels are. */
void rhm_refine_set_table(struct rhm_tree *tree, unsigned l, const struct rhm_refine_tuples *c,
                          const uint16_t *cluster);

/* P(label), of the n labels that are known. */
void rhm_refine_set_prior(struct rhm_tree *tree, size_t n, const uint16_t *labels);

#endif
