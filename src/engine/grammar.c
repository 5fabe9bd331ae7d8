/* grammar.c - sizes, rules that are given, reading the rules. See grammar.h. */
#include "grammar.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "rules.h"

/* ---------------------------------------------------------------- shape */

uint64_t rhm_power(uint64_t base, unsigned exponent)
{
    uint64_t power = 1;
    for (unsigned e = 0; e < exponent; e++) {
        if (base != 0 && power > (UINT64_C(1) << 63) / base)
            return 0;
        power *= base;
        if (power >= UINT64_C(1) << 63)
            return 0;
    }
    return power;
}

static enum rhm_status check_range(const char *name, int64_t value, int64_t least, int64_t most,
                                   const char *because, struct rhm_error *err)
{
    if (value >= least && value <= most)
        return RHM_OK;
    return rhm_fail(err, RHM_EARG, "%s = %" PRId64 ": must be %" PRId64 "..%" PRId64 "%s%s", name, value,
                    least, most, because[0] ? ", " : "", because);
}

enum rhm_status rhm_grammar_check_shape(const struct rhm_grammar_shape *shape, struct rhm_error *err)
{
    int64_t classes = shape->classes == 0 ? shape->V : shape->classes;
    enum rhm_status status;
    if ((status = check_range("V", shape->V, 2, RHM_MAX_SYMBOLS, "a symbol is 16 bits", err)) != RHM_OK ||
        (status = check_range("classes", classes, 2, RHM_MAX_SYMBOLS, "a label is 16 bits", err)) != RHM_OK ||
        (status = check_range("s", shape->s, 2, 62, "a rule has two children or more", err)) != RHM_OK ||
        (status = check_range("L", shape->L, 1, RHM_MAX_LEVELS, "s^L must stay below 2^63", err)) != RHM_OK ||
        (status = check_range("m", shape->m, 1, INT32_MAX, "", err)) != RHM_OK)
        return status;
    if (rhm_power((uint64_t)shape->s, (unsigned)shape->L) == 0)
        return rhm_fail(err, RHM_EARG, "s^L = %" PRId64 "^%" PRId64 " tokens reach 2^63: lower L or s",
                        shape->s, shape->L);
    uint64_t tuples = rhm_power((uint64_t)shape->V, (unsigned)shape->s);
    if (tuples == 0)
        return rhm_fail(err, RHM_EARG,
                        "V^s = %" PRId64 "^%" PRId64
                        " tuples reach 2^63: lower V or s (tuples are numbered in 63 bits)",
                        shape->V, shape->s);
    /* the label is the only parent where L = 1 */
    int64_t parents = shape->L > 1 && shape->V > classes ? shape->V : classes;
    const char *who = parents == shape->V ? "V" : "classes";
    if ((uint64_t)shape->m > tuples / (uint64_t)parents)
        return rhm_fail(err, RHM_EARG,
                        "m*%s = %" PRId64 " exceeds V^s = %" PRIu64
                        ": no unambiguous grammar exists; lower m or raise s",
                        who, shape->m * parents, tuples);
    return RHM_OK;
}

enum rhm_status rhm_grammar_set_shape(struct rhm_grammar *g, const struct rhm_grammar_shape *shape,
                                      struct rhm_error *err)
{
    memset(g, 0, sizeof *g);
    enum rhm_status status = rhm_grammar_check_shape(shape, err);
    if (status != RHM_OK)
        return status;
    g->V = (unsigned)shape->V;
    g->m = (unsigned)shape->m;
    g->s = (unsigned)shape->s;
    g->L = (unsigned)shape->L;
    g->classes = (unsigned)(shape->classes == 0 ? shape->V : shape->classes);
    g->d = rhm_power(g->s, g->L);
    double children = (double)g->m * g->s * ((double)g->classes + (double)(g->L - 1) * g->V);
    status = rhm_memory_check(children * sizeof(uint16_t), "the table of rules", "lower m, V or L", err);
    if (status != RHM_OK)
        return status;
    size_t at = 0;
    for (unsigned l = 1; l <= g->L; l++) {
        g->level[l] = at;
        at += (size_t)rhm_grammar_parents(g, l) * g->m * g->s;
    }
    g->rules = rhm_array(at, sizeof *g->rules, "the table of rules", err);
    return g->rules ? RHM_OK : RHM_EMEMORY;
}

void rhm_grammar_clear(struct rhm_grammar *g)
{
    free(g->rules);
    free(g->p);
    free(g->alias);
    free(g->prior);
    free(g->prior_alias);
    g->rules = NULL;
    g->p = g->prior = NULL;
    g->alias = g->prior_alias = NULL;
}

enum rhm_status rhm_grammar_copy(struct rhm_grammar *to, const struct rhm_grammar *from,
                                 struct rhm_error *err)
{
    struct rhm_grammar_shape shape = {from->V, from->m, from->s, from->L, from->classes};
    enum rhm_status status = rhm_grammar_set_shape(to, &shape, err);
    if (status != RHM_OK)
        return status;
    size_t children = from->level[from->L] + (size_t)rhm_grammar_parents(from, from->L) * from->m * from->s;
    memcpy(to->rules, from->rules, children * sizeof *to->rules);
    to->seed = from->seed;
    to->seeded = from->seeded;
    to->ensemble = from->ensemble;
    to->shuffle = from->shuffle;
    if (from->p) {
        status = rhm_grammar_set_weights(to, from->p, err);
        to->zipf = from->zipf;
    }
    if (status == RHM_OK && from->prior)
        status = rhm_grammar_set_prior(to, from->prior, err);
    to->label_noise = from->label_noise;
    to->token_noise = from->token_noise;
    if (status != RHM_OK)
        rhm_grammar_clear(to);
    return status;
}

/* ----------------------------------------------------------- given rules */

/* RHM_EARG where two rules of level l have equal tuples. */
static enum rhm_status check_unambiguous(const struct rhm_grammar *g, unsigned l, struct rhm_error *err)
{
    size_t k = (size_t)rhm_grammar_parents(g, l) * g->m;
    struct rhm_number_set set;
    enum rhm_status status = rhm_number_set_init(&set, k, err);
    if (status != RHM_OK)
        return status;
    for (size_t i = 0; i < k && status == RHM_OK; i++) {
        const uint16_t *tuple = g->rules + g->level[l] + i * g->s;
        uint64_t number = rhm_tuple_number(tuple, g->V, g->s);
        if (rhm_number_set_insert(&set, number))
            continue;
        size_t other = 0;
        while (rhm_tuple_number(g->rules + g->level[l] + other * g->s, g->V, g->s) != number)
            other++;
        char text[128];
        int used = 0;
        for (unsigned j = 0; j < g->s && used < (int)sizeof text - 8; j++)
            used += snprintf(text + used, sizeof text - (size_t)used, "%s%u", j ? "," : "", tuple[j] + 1u);
        status = rhm_fail(
            err, RHM_EARG,
            "level %u: the tuple {%s} stands under parent %zu (rule %zu) and under parent %zu (rule %zu): an "
            "unambiguous grammar has each tuple once a level",
            l, text, other / g->m + 1, other % g->m + 1, i / g->m + 1, i % g->m + 1);
    }
    free(set.slot);
    return status;
}

enum rhm_status rhm_grammar_from_rules(struct rhm_grammar *g, const struct rhm_grammar_shape *shape,
                                       const uint16_t *rules, struct rhm_error *err)
{
    enum rhm_status status = rhm_grammar_set_shape(g, shape, err);
    if (status != RHM_OK)
        return status;
    size_t children = g->level[g->L] + (size_t)rhm_grammar_parents(g, g->L) * g->m * g->s;
    for (size_t i = 0; i < children && status == RHM_OK; i++) {
        if (rules[i] >= g->V)
            status =
                rhm_fail(err, RHM_EARG, "rules: child %u is out of range 1..%u (V)", rules[i] + 1u, g->V);
        g->rules[i] = rules[i];
    }
    for (unsigned l = 1; status == RHM_OK && l <= g->L; l++)
        status = check_unambiguous(g, l, err);
    if (status != RHM_OK)
        rhm_grammar_clear(g);
    return status;
}

/* ----------------------------------------------------------------- parse */

/* The parent of a tuple of level l, or -1. A plain search: for tests and views, not for loops over samples.
 */
static int32_t parent_of(const struct rhm_grammar *g, unsigned l, const uint16_t *tuple)
{
    size_t k = (size_t)rhm_grammar_parents(g, l) * g->m;
    for (size_t i = 0; i < k; i++)
        if (memcmp(g->rules + g->level[l] + i * g->s, tuple, g->s * sizeof *tuple) == 0)
            return (int32_t)(i / g->m);
    return -1;
}

enum rhm_status rhm_grammar_parse(const struct rhm_grammar *g, const uint16_t *tokens, uint16_t *label,
                                  struct rhm_error *err)
{
    uint16_t *symbol = rhm_array((size_t)g->d, sizeof *symbol, "the string to parse", err);
    if (symbol == NULL)
        return RHM_EMEMORY;
    memcpy(symbol, tokens, (size_t)g->d * sizeof *symbol);
    enum rhm_status status = RHM_OK;
    size_t width = (size_t)g->d;
    for (unsigned l = g->L; l >= 1 && status == RHM_OK; l--) {
        width /= g->s;
        for (size_t i = 0; i < width && status == RHM_OK; i++) {
            int32_t parent = parent_of(g, l, symbol + i * g->s);
            if (parent < 0)
                status = rhm_fail(err, RHM_EARG, "patch %zu of level %u is no rule of the grammar", i + 1, l);
            else
                symbol[i] = (uint16_t)parent;
        }
    }
    if (status == RHM_OK)
        *label = symbol[0];
    free(symbol);
    return status;
}
