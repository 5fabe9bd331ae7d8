/* grammar.h - a Random Hierarchy Model: its rules (Cagnetta et al., PRX 2024; Ren et al., COLT 2026).
 *
 * Level 0 holds the label (one of `classes`), level l = 1..L symbols 0..V-1, level L the d = s_1 ... s_L
 * observed tokens. Each symbol of level l-1 has m rules, each a tuple of s_l level-l symbols; the tuples of a
 * level are all distinct. Symbols are 0-based here (1-based in Lua).
 */
#ifndef RHM_GRAMMAR_H
#define RHM_GRAMMAR_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/branches.h"
#include "engine/base/error.h"
#include "engine/data/dataset.h"

struct rhm_alias; /* tables to draw by */

enum rhm_ensemble { RHM_ENSEMBLE_UNIFORM, RHM_ENSEMBLE_LATIN };

struct rhm_grammar {
    unsigned V, m, L, classes;
    unsigned s;                          /* at every level; 0 where the levels differ */
    unsigned branch[RHM_MAX_LEVELS + 1]; /* [1..L]: s_l */
    uint64_t d;                          /* tokens a string */
    uint64_t seed; /* that drew the rules; meaningless, as the two below, where seeded = 0 */
    int seeded;
    enum rhm_ensemble ensemble;
    double shuffle;                /* latin: share of the rules drawn anew */
    uint16_t *rules;               /* all levels; use rhm_grammar_rule; owned */
    double *p;                     /* P(rule | its parent) in the order of the rules; NULL: all 1/m; owned */
    struct rhm_alias *alias;       /* to draw by p, a law a parent; owned */
    double zipf;                   /* the exponent that made p; 0 without one */
    double *prior;                 /* P(label); NULL: all 1/classes; owned */
    struct rhm_alias *prior_alias; /* to draw by it; owned */
    double label_noise, token_noise;       /* P(a label, a token is replaced by one drawn uniformly) */
    size_t level[RHM_MAX_LEVELS + 2];      /* where the rules of level l start; [L + 1]: their end */
    size_t first_rule[RHM_MAX_LEVELS + 2]; /* the number of level l's first rule; [L + 1]: all rules */
};

/* The parameters as a caller gives them: signed, so that a negative number reaches the check as it is. */
struct rhm_grammar_shape {
    int64_t V, m, s, L, classes;        /* classes = 0: V */
    int64_t branch[RHM_MAX_LEVELS + 1]; /* [1..L]: s of each level; [1] = 0: s at every level */
};

/* Checks ranges: 2 <= V, classes <= 65535; m >= 1; s >= 2; 1 <= L; d < 2^63; at each level V^s < 2^63 and
 * m*V <= V^s (m*classes <= V^s at level 1). The error names the first that fails, its value and the limit. */
enum rhm_status rhm_grammar_check_shape(const struct rhm_grammar_shape *shape, struct rhm_error *err);

/* Draws the rules: at each level the m*parents tuples uniformly without replacement from the V^s (Floyd's
 * subset and a shuffle: O(m*V), whatever V^s). */
enum rhm_status rhm_grammar_draw(struct rhm_grammar *g, const struct rhm_grammar_shape *shape, uint64_t seed,
                                 struct rhm_error *err);

/* The latin ensemble: the m rules of parent nu are tuples a_1 + ... + a_s = nu mod V, of which each symbol
 * stands first in m/V, so that the first child tells nothing of its parent: q^(l) is uniform for l > 1 and
 * K_rho = 0. Needs m a multiple of V, m <= V^(s-1), classes <= V. A share `shuffle` (0..1) of the rules of
 * each level, chosen at random, then gets tuples drawn uniformly from all that the others leave free: 1 is
 * the uniform ensemble. Larger shares change more of the same rules. */
enum rhm_status rhm_grammar_check_latin(const struct rhm_grammar_shape *shape, double shuffle,
                                        struct rhm_error *err);
enum rhm_status rhm_grammar_draw_latin(struct rhm_grammar *g, const struct rhm_grammar_shape *shape,
                                       double shuffle, uint64_t seed, struct rhm_error *err);

/* From given rules, 0-based, in the order level 1..L, parent, rule, child. An ambiguous set (two equal tuples
 * at a level) is an error that names the tuple and both parents, in 1-based numbers as in Lua. */
enum rhm_status rhm_grammar_from_rules(struct rhm_grammar *g, const struct rhm_grammar_shape *shape,
                                       const uint16_t *rules, struct rhm_error *err);
enum rhm_status rhm_grammar_copy(struct rhm_grammar *to, const struct rhm_grammar *from,
                                 struct rhm_error *err);
void rhm_grammar_clear(struct rhm_grammar *g);

/* Rules are equally likely until one of these: weights of all rules (in the order of the rules; positive,
 * divided by their sum for each parent), or P(k-th rule) ~ k^-zipf for every parent. Equal weights are the
 * uniform grammar again. A probability below RHM_LEAST_WEIGHT is an error. */
#define RHM_LEAST_WEIGHT 1e-12
enum rhm_status rhm_grammar_set_weights(struct rhm_grammar *g, const double *weight, struct rhm_error *err);
enum rhm_status rhm_grammar_set_zipf(struct rhm_grammar *g, double zipf, struct rhm_error *err);

/* Labels are equally likely until this: weights of the labels (positive, divided by their sum). Equal ones,
 * or NULL, are the uniform prior again. */
enum rhm_status rhm_grammar_set_prior(struct rhm_grammar *g, const double *weight, struct rhm_error *err);

/* Noise: what is observed is not what was derived. With probability label_noise the label is replaced by one
 * drawn uniformly from all (itself, too), and each token with probability token_noise, independently. Both
 * 0..1. */
enum rhm_status rhm_grammar_set_noise(struct rhm_grammar *g, double label_noise, double token_noise,
                                      struct rhm_error *err);

/* Symbols of level l-1: classes at l = 1, else V. */
static inline unsigned rhm_grammar_parents(const struct rhm_grammar *g, unsigned l)
{
    return l == 1 ? g->classes : g->V;
}

/* The number of the first of these in the order of all levels. */
static inline size_t rhm_grammar_first_parent(const struct rhm_grammar *g, unsigned l)
{
    return l == 1 ? 0 : g->classes + (size_t)(l - 2) * g->V;
}

/* Children of a symbol of level l-1. */
static inline unsigned rhm_grammar_s(const struct rhm_grammar *g, unsigned l)
{
    return g->branch[l];
}

/* The level-l patches of a string, and the tokens under each. */
static inline uint64_t rhm_grammar_places(const struct rhm_grammar *g, unsigned l)
{
    return rhm_places(g->branch, 1, l - 1);
}

static inline uint64_t rhm_grammar_span(const struct rhm_grammar *g, unsigned l)
{
    return rhm_places(g->branch, l, g->L);
}

/* The s_l children (level-l symbols) of rule k of parent nu of level l-1. */
static inline const uint16_t *rhm_grammar_rule(const struct rhm_grammar *g, unsigned l, unsigned nu,
                                               unsigned k)
{
    return g->rules + g->level[l] + ((size_t)nu * g->m + k) * g->branch[l];
}

/* The number of the first rule of parent nu of level l - 1 in the order of all rules. */
static inline size_t rhm_grammar_first_rule(const struct rhm_grammar *g, unsigned l, unsigned nu)
{
    return g->first_rule[l] + (size_t)nu * g->m;
}

/* P(rule k | its parent nu of level l - 1). */
static inline double rhm_grammar_p(const struct rhm_grammar *g, unsigned l, unsigned nu, unsigned k)
{
    return g->p ? g->p[rhm_grammar_first_rule(g, l, nu) + k] : 1.0 / g->m;
}

/* P(label c), before noise. */
static inline double rhm_grammar_prior(const struct rhm_grammar *g, unsigned c)
{
    return g->prior ? g->prior[c] : 1.0 / g->classes;
}

/* P(token is observed | symbol of level L). */
static inline double rhm_grammar_token_p(const struct rhm_grammar *g, unsigned symbol, unsigned token)
{
    return (symbol == token ? 1 - g->token_noise : 0) + g->token_noise / g->V;
}

/* base^e, or 0 where it reaches 2^63. Depths and sizes are integers here, never logarithms. */
uint64_t rhm_power(uint64_t base, unsigned exponent);

/* The string of a data set of this grammar parsed bottom up: symbol[0] = the label that derives it; RHM_EARG
 * where it is no string of the grammar. tokens: d. Needs d <= SIZE_MAX; used by tests and the parse view. */
enum rhm_status rhm_grammar_parse(const struct rhm_grammar *g, const uint16_t *tokens, uint16_t *label,
                                  struct rhm_error *err);

#endif
