/* signal.h - the exact signal of a grammar: q-vectors, gaps, Assumption 4.1, the sample schedules.
 *
 * q^(l)_nu in R^classes is P[label | the i-th level-l patch has parent nu]. With A_l[nu, kappa] = the
 * probability of nu's rules whose child at the wanted place is kappa (their share of m where rules are
 * equally likely), P_0 = diag(P(label)) and P_l = P_{l-1} A_l, q^(l)_nu = P_{l-1}[:, nu]/sum (Ren et al.,
 * section 4). The label is the observed one: with label noise e, q becomes (1 - e) q + e/classes. Token noise
 * comes after all symbols and leaves q of a parent as it is.
 */
#ifndef RHM_SIGNAL_H
#define RHM_SIGNAL_H

#include <stdint.h>

#include "engine/base/matrix.h"
#include "engine/base/poll.h"
#include "engine/grammar/grammar.h"

/* Level of the smallest gap that still counts as one: g:check() asks rho^(l) > this. */
#define RHM_GAP_ZERO 1e-12

/* q (parents x classes) for the patch at place i of level l, 1 <= l <= L, 0 <= i < the places of level l (0 =
 * first); rows of nan for parents that never stand there. probability (parents, may be NULL): P[parent stands
 * there]. */
enum rhm_status rhm_signal_q(const struct rhm_grammar *g, unsigned l, uint64_t i, struct rhm_matrix *q,
                             double *probability, struct rhm_error *err);

/* J (parents x places*classes): P[place, label | parent] of the level-l patches of a string, one of them at
 * random: the block of place i is P[place i | parent] q_i. nan rows for parents that never occur. number
 * (parents): how many of them a string has on average. */
enum rhm_status rhm_signal_places(const struct rhm_grammar *g, unsigned l, struct rhm_matrix *J,
                                  double *number, struct rhm_error *err);

/* What Assumption 4.1 says of one level, for first patches. */
struct rhm_signal_level {
    double gap;  /* rho^(l): smallest |q_nu - q_nu'|_2 over parents that occur; INFINITY for fewer than two */
    double K;    /* gap * m^(l/2) */
    double pmin; /* smallest positive P[nu stands first] */
    unsigned missing; /* parents that never stand first */
    unsigned a, b;    /* the two parents that attain the gap */
};

/* level[1..L]; level has L + 1 entries. */
enum rhm_status rhm_signal_levels(const struct rhm_grammar *g, struct rhm_signal_level *level,
                                  rhm_poll_function *poll, void *context, struct rhm_error *err);

/* The gap of one level, from its q. */
enum rhm_status rhm_signal_gap(const struct rhm_matrix *q, double *gap, rhm_poll_function *poll,
                               void *context, struct rhm_error *err);

/* K_rho = min over l of K, over levels[1..L]. */
double rhm_signal_K(const struct rhm_grammar *g, const struct rhm_signal_level *level);

/* missing[parents]: 1 where the parent never stands first at level l-1. */
enum rhm_status rhm_signal_missing(const struct rhm_grammar *g, unsigned l, unsigned char *missing,
                                   struct rhm_error *err);

/* Samples a layer gets at least. */
#define RHM_LEAST_SCHEDULE 20000.0

enum rhm_schedule { RHM_SCHEDULE_DEPTH, RHM_SCHEDULE_GAP, RHM_SCHEDULE_THEOREM };

struct rhm_schedule_options {
    enum rhm_schedule by;
    double c;            /* depth, gap */
    double kappa, delta; /* theorem */
};

/* n[1..L] (L + 1 entries): depth: max(c V m m^l/(1 - label_noise)^2, 20000); gap: max(c V m/rho^(l)^2,
 * 20000); theorem: kappa V^2 m^2 s_l L log^2(V m kappa/delta) K_rho^-2 m^l. RHM_EARG where one passes 2^53,
 * or a gap is 0. */
enum rhm_status rhm_signal_schedule(const struct rhm_grammar *g, const struct rhm_schedule_options *options,
                                    uint64_t *n, rhm_poll_function *poll, void *context,
                                    struct rhm_error *err);

/* The depth schedule of a grammar. */
enum rhm_status rhm_schedule_of_grammar(const struct rhm_grammar *g, double c, uint64_t *n,
                                        struct rhm_error *err);

/* The depth schedule where only the shape is known (a network without a grammar): the same formula. */
enum rhm_status rhm_schedule_by_depth(unsigned V, unsigned m, unsigned L, double c, uint64_t *n,
                                      struct rhm_error *err);

#endif
