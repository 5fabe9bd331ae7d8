/* alias.h - draws from given probabilities by tables. Not installed.
 *
 * Walker's alias method: of 2^bits slots one is chosen by the first bits of a random word; the 8 bits behind
 * them are compared with the slot's border, below which the outcome is the slot's own number, above it
 * another. On the border, once in 256 times, a word of its own goes on with the comparison. So the
 * probabilities are those of the table to 2^-72, those given to rounding (2^-53 of a slot), at bits + 8 bits
 * a draw.
 */
#ifndef RHM_ALIAS_H
#define RHM_ALIAS_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"

#define RHM_ALIAS_COMPARED 8 /* bits */

struct rhm_alias {
    unsigned slots; /* of a law, a power of two: the outcomes are padded by some of probability 0 */
    unsigned spend; /* bits of a draw */
    uint64_t
        *slot; /* laws x slots: the border's first 8 bits (256: all is the slot's own) << 32 | the other */
    uint64_t *rest; /* the border's next 64 bits */
};

/* Bytes that tables of `laws` on n outcomes take. */
double rhm_alias_bytes(size_t laws, unsigned n);

/* Tables for p, laws x n, each row's sum 1; 2 <= n <= 2^31. NULL without memory. what: for the error. */
struct rhm_alias *rhm_alias_new(const double *p, size_t laws, unsigned n, const char *what,
                                struct rhm_error *err);
void rhm_alias_free(struct rhm_alias *alias);

/* An outcome by the first bits of *word, which are taken off. On the border, *undecided = 1, it is the slot's
 * number, of which rhm_alias_decide makes the outcome by a word not used yet. No branch on what is drawn: it
 * would be missed half the time. */
static inline unsigned rhm_alias_draw(const struct rhm_alias *alias, size_t law, uint64_t *word,
                                      int *undecided)
{
    unsigned __int128 product = (unsigned __int128)*word * alias->slots;
    uint64_t left = (uint64_t)product, part = left >> (64 - RHM_ALIAS_COMPARED);
    unsigned own = (unsigned)(product >> 64);
    uint64_t slot = alias->slot[law * alias->slots + own], border = slot >> 32;
    *word = left << RHM_ALIAS_COMPARED;
    *undecided = part == border;
    unsigned other = (unsigned)slot, is_other = 0u - (unsigned)(part > border);
    return own ^ ((own ^ other) & is_other);
}

static inline unsigned rhm_alias_decide(const struct rhm_alias *alias, size_t law, unsigned own,
                                        uint64_t word)
{
    size_t at = law * alias->slots + own;
    return word < alias->rest[at] ? own : (unsigned)alias->slot[at];
}

#endif
