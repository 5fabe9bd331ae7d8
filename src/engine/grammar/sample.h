/* sample.h - strings of a grammar: whole, or only what stands under the first symbol of a level.
 *
 * Sample i is a pure function of (seed, stream, i): the same for any number of threads and any block.
 * Where rules are uniform and V, m and classes are powers of two a draw uses exactly the bits it needs;
 * elsewhere each 64-bit word is spent on draws whose bounds multiply to at most 2^32, so that the bias of a
 * draw is below 2^-32. Weighted rules and labels are drawn by tables that are exact to 2^-53. Noise
 * (grammar.h) has random numbers of its own: without it the same strings would be drawn.
 */
#ifndef RHM_SAMPLE_H
#define RHM_SAMPLE_H

#include "engine/grammar/grammar.h"

/* Strings first .. first + n - 1 of (seed): tokens n x d (d = g->d, which the caller has found to fit
 * memory), labels n. */
void rhm_sample_strings(const struct rhm_grammar *g, uint64_t seed, uint64_t first, size_t n,
                        uint16_t *tokens, uint16_t *labels);

/* A data set of n strings, sizes checked. */
enum rhm_status rhm_sample_dataset(const struct rhm_grammar *g, uint64_t seed, size_t n,
                                   struct rhm_dataset *data, struct rhm_error *err);

/* Samples for layer l (1..L): the label and the s^(L-l+1) tokens under the first level-(l-1) symbol. tokens
 * is n x s^(L-l+1). */
void rhm_sample_subtrees(const struct rhm_grammar *g, unsigned l, uint64_t seed, uint64_t first, size_t n,
                         uint16_t *tokens, uint16_t *labels);

/* Whole strings for layer l, a sequence of their own for each. */
void rhm_sample_whole(const struct rhm_grammar *g, unsigned l, uint64_t seed, uint64_t first, size_t n,
                      uint16_t *tokens, uint16_t *labels);

/* Layer L without the strings: adds the counts of samples first .. first + n - 1 to count[(nu*m + k)*classes
 * + label], where the first level-L patch is rule k of parent nu (parents*m*classes counters; a patch has one
 * parent, so this is a count of patches). The same samples as rhm_sample_subtrees at l = L. Not under token
 * noise, where patches are no rules (the noise is left out). */
enum rhm_status rhm_sample_count(const struct rhm_grammar *g, uint64_t seed, uint64_t first, uint64_t n,
                                 uint64_t *count, struct rhm_error *err);

#endif
