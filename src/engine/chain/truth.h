/* truth.h - what is known of a trained layer when the grammar is: true parents of patches, exact q.
 * Evaluation only; a layer learns from labels alone (but for the number of parents present, which its cut may
 * use). */
#ifndef RHM_TRUTH_H
#define RHM_TRUTH_H

#include "engine/chain/network.h"
#include "engine/grammar/inverse.h"

/* The rule (parent * m + k) that a patch of layer l (s input codes) shows, through what its codes stand for;
 * SIZE_MAX where a code stands for nothing or the tuple is no rule. Layers above l must be trained. */
size_t rhm_truth_rule(const struct rhm_network *net, const struct rhm_inverse *inverse, unsigned l,
                      const uint32_t *tuple);

/* Extends code_parent of layers L..lowest to codes added since (the exact codebook grows as unseen patches
 * come). */
enum rhm_status rhm_truth_extend(struct rhm_network *net, unsigned lowest, struct rhm_error *err);

/* Fills layer->parent (U), RHM_NO_PARENT everywhere without a grammar. */
enum rhm_status rhm_truth_fill_parents(const struct rhm_network *net, struct rhm_layer *layer,
                                       struct rhm_error *err);

/* q (n x classes): P[label | the patch at place `place` (0 = first)] of patches of layer l (tuple: n x s, all
 * different), for which layers above l are trained: that of its true parent (parent: n; nan rows where there
 * is none), or under token noise, where any parent may stand above, the mean over them; nan rows where that
 * is too much to list. */
enum rhm_status rhm_truth_q(const struct rhm_network *net, unsigned l, uint64_t place, size_t n,
                            const uint32_t *tuple, const uint32_t *parent, double *q, rhm_poll_function *poll,
                            void *context, struct rhm_error *err);

/* Fills layer->gap, error, error_max from the points of layer and parent. */
enum rhm_status rhm_truth_measure(const struct rhm_network *net, struct rhm_layer *layer,
                                  rhm_poll_function *poll, void *context, struct rhm_error *err);

/* Parents of level l expected among the patches of N strings, first ones or those of all places: those that
 * come N P(parent stands first) >= 1 times on average; means add, whether or not places are independent. */
enum rhm_status rhm_truth_expected(const struct rhm_network *net, unsigned l, size_t places, uint64_t N,
                                   size_t *expected, struct rhm_error *err);

#endif
