/* branching_block.h - what branching.c asks of a block of places, and the next level's codes. Not installed.
 */
#ifndef RHM_BRANCHING_BLOCK_H
#define RHM_BRANCHING_BLOCK_H

#include "engine/structure/branching.h"
#include "engine/structure/dependence.h"

#define RHM_BRANCHING_LEAST_Z 4.0 /* of what counts as dependence at all */

/* One level at work. */
struct rhm_branching_work {
    const struct rhm_dataset *data;
    uint64_t seed;
    unsigned depth; /* levels below */
    struct rhm_places_codes codes;
    uint32_t *own; /* codes.code */
    rhm_poll_function *poll;
    void *context;
};

/* phi^2 of groups of pairs (dependence.h), by tokens or, a pair each, by labels; then a look at the poll. */
enum rhm_status rhm_branching_measure(const struct rhm_branching_work *w, int by_labels, size_t groups,
                                      const size_t *first, const struct rhm_pair *pair, struct rhm_phi *out,
                                      struct rhm_error *err);

struct rhm_branching_block {
    double even;  /* the least phi^2 of a pair of places, all blocks' tables added up, over the mean */
    int composed; /* the pairs depend too much for so many kinds of blocks: they are more than one level */
};

/* Blocks of s places, all s (s - 1)/2 pairs in them. A level whose tuples of symbols, drawn at random, have
 * frequencies p_t gives each pair the mean phi^2 (V - 1)^2 (sum p_t^2 - V^-s); where the codes are K tuples
 * of the level below, K/V synonyms for each symbol, sum p_t^2 of symbols is that of codes times (K/V)^s. A
 * block that is several levels deep has as many kinds as combinations of rules, but pairs that depend as
 * those of one rule do. composed: the mean is above RHM_BRANCHING_COMPOSED times what one level would give,
 * surely; never where s is a prime. */
#define RHM_BRANCHING_COMPOSED 3.0
enum rhm_status rhm_branching_look_at_block(const struct rhm_branching_work *w, size_t s,
                                            struct rhm_branching_block *out, struct rhm_error *err);

/* 1 for tokens without an order: the tables of all neighbours and their transposes are one. mean: of
 * neighbours' phi^2, not 0. */
enum rhm_status rhm_branching_orderlessness(const struct rhm_branching_work *w, double mean,
                                            double *coherence, struct rhm_error *err);

/* Tuples of s codes become the codes of the next level. */
enum rhm_status rhm_branching_go_up(struct rhm_branching_work *w, size_t s, struct rhm_error *err);

int rhm_branching_is_prime(size_t x);

#endif
