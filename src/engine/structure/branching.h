/* branching.h - the branching factors of a data set whose tree is not known.
 *
 * Places under one symbol depend on each other more than places on two sides of a border, so a candidate s is
 * a cut of the string into blocks of s places. For the pairs of neighbours (j, j + 1) of the blocks:
 *   within     W_j, the mean of phi^2 (dependence.h) over the blocks;
 *   coherence  c_j, phi^2 of all blocks' tables added up, over W_j: about 1 where the rules are shared, less
 *              than 2/3 where a block is only a part of the true one, whose parts have nothing in common;
 *   border     B, the mean of phi^2 between neighbours in two blocks;
 *   score      min_j W_j c_j^2 / B. Grammars of 2 to 128 rules gave 2.0 or more to the true s and 1.2 or less
 *              to its divisors (288 of them measured); the smallest s that passes RHM_BRANCHING_PASS is
 * taken, but for blocks that cannot be one level (branching_block.h). Then tuples of s codes become the codes
 * of the next level. Where neighbours are independent (m V = V^s), pairs of them may still tell of the label
 * what neither tells alone: the same with that measure, without coherence. The noise comes from the same
 * measures with one place taken from other strings.
 */
#ifndef RHM_BRANCHING_H
#define RHM_BRANCHING_H

#include "engine/base/branches.h"
#include "engine/base/poll.h"
#include "engine/data/dataset.h"

#define RHM_BRANCHING_PASS       1.55
#define RHM_BRANCHING_PASS_LABEL 3.0
#define RHM_BRANCHING_CONFIDENT  0.95
#define RHM_BRANCHING_CODES      2048 /* distinct tuples a level, at most */
#define RHM_BRANCHING_MOST       62   /* the largest s looked at */

struct rhm_branching_candidate {
    unsigned s;
    double score, within, border,
        coherence; /* border, score: nan for a single block; coherence: nan by labels */
    double passes; /* probability that the score is above the limit */
};

enum rhm_branching_by {
    RHM_BRANCHING_BY_NOTHING, /* cannot tell */
    RHM_BRANCHING_BY_TOKENS,
    RHM_BRANCHING_BY_LABELS,
    RHM_BRANCHING_BY_ARITHMETIC, /* what is left of the length is a prime */
    RHM_BRANCHING_BY_ASSUMPTION  /* as at the levels below */
};

/* Why a level stays open. */
enum rhm_branching_reason {
    RHM_BRANCHING_FOUND,
    RHM_BRANCHING_INDEPENDENT, /* nothing depends on anything */
    RHM_BRANCHING_NO_ORDER,    /* all pairs alike: the tokens stand in no order */
    RHM_BRANCHING_NO_BORDER,   /* dependence, but no cut stands out */
    RHM_BRANCHING_UNSURE,      /* one does, not clearly enough */
    RHM_BRANCHING_TOO_MANY,    /* distinct tuples */
    RHM_BRANCHING_COMPOSED     /* blocks do, but they are of more than one level */
};

struct rhm_branching_level {
    unsigned s; /* 0: open */
    enum rhm_branching_by by;
    enum rhm_branching_reason reason;
    size_t places; /* before this level's cut */
    size_t codes;  /* distinct ones there */
    double z;      /* of the dependence between neighbours, all together */
    double confidence;
    size_t candidates;
    struct rhm_branching_candidate candidate[RHM_BRANCHING_MOST];
};

struct rhm_branching {
    uint64_t d;
    unsigned L;                          /* 0: not known */
    unsigned branch[RHM_MAX_LEVELS + 1]; /* [1..L] */
    unsigned looked_at;                  /* levels, from the tokens up: */
    struct rhm_branching_level *level;   /* [0] is that of the tokens; owned */
    unsigned established;                /* of them by tokens, labels or arithmetic */
    double confidence; /* of all levels together; that of the established ones where L = 0 */
};

/* A data set of strings that all have one tree. seed: of the null. RHM_EARG for fewer than 100 strings or d
 * < 2. */
enum rhm_status rhm_branching_infer(const struct rhm_dataset *data, uint64_t seed, struct rhm_branching *out,
                                    rhm_poll_function *poll, void *context, struct rhm_error *err);
void rhm_branching_clear(struct rhm_branching *b);

#endif
