/* grammar.c - sizes, rules that are given, reading the rules. See grammar.h. */
#include "engine/grammar/grammar.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/grammar/alias.h"
#include "engine/grammar/rules.h"

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

static enum rhm_status check_children(const struct rhm_grammar_shape *shape, struct rhm_error *err)
{
    static const char because[] = "a rule has two children or more";
    enum rhm_status status = shape->branch[1] == 0 ? check_range("s", shape->s, 2, 62, because, err) : RHM_OK;
    if (status == RHM_OK)
        status = check_range("L", shape->L, 1, RHM_MAX_LEVELS, "s^L must stay below 2^63", err);
    for (unsigned l = 1; status == RHM_OK && shape->branch[1] != 0 && l <= shape->L; l++) {
        char name[16];
        snprintf(name, sizeof name, "s[%u]", l);
        status = check_range(name, shape->branch[l], 2, 62, because, err);
    }
    return status;
}

/* Room for the rules of level l among its tuples. */
static enum rhm_status check_level(const struct rhm_grammar_shape *shape, int64_t classes,
                                   const unsigned *branch, unsigned l, struct rhm_error *err)
{
    char name[40] = ""; /* where the levels differ, which one */
    if (rhm_branches_common(branch, (unsigned)shape->L) == 0)
        snprintf(name, sizeof name, "level %u, s = %u: ", l, branch[l]);
    uint64_t tuples = rhm_power((uint64_t)shape->V, branch[l]);
    if (tuples == 0)
        return rhm_fail(err, RHM_EARG,
                        "%sV^s = %" PRId64
                        "^%u tuples reach 2^63: lower V or s (tuples are numbered in 63 bits)",
                        name, shape->V, branch[l]);
    int64_t parents = l == 1 ? classes : shape->V;
    if ((uint64_t)shape->m > tuples / (uint64_t)parents)
        return rhm_fail(err, RHM_EARG,
                        "%sm*%s = %" PRId64 " exceeds V^s = %" PRIu64
                        ": no unambiguous grammar exists; lower m or raise s",
                        name, l == 1 && classes != shape->V ? "classes" : "V", shape->m * parents, tuples);
    return RHM_OK;
}

enum rhm_status rhm_grammar_check_shape(const struct rhm_grammar_shape *shape, struct rhm_error *err)
{
    int64_t classes = shape->classes == 0 ? shape->V : shape->classes;
    enum rhm_status status;
    if ((status = check_range("V", shape->V, 2, RHM_MAX_SYMBOLS, "a symbol is 16 bits", err)) != RHM_OK ||
        (status = check_range("classes", classes, 2, RHM_MAX_SYMBOLS, "a label is 16 bits", err)) != RHM_OK ||
        (status = check_children(shape, err)) != RHM_OK ||
        (status = check_range("m", shape->m, 1, INT32_MAX, "", err)) != RHM_OK)
        return status;
    unsigned branch[RHM_MAX_LEVELS + 1], L = (unsigned)shape->L;
    rhm_branches_set(branch, L, shape->s, shape->branch);
    if (rhm_places(branch, 1, L) == 0) {
        char text[RHM_BRANCHES_TEXT];
        return rhm_branches_common(branch, L) > 0
                   ? rhm_fail(err, RHM_EARG, "s^L = %u^%u tokens reach 2^63: lower L or s", branch[1], L)
                   : rhm_fail(err, RHM_EARG, "s = %s: the tokens of a string reach 2^63: lower L or s",
                              rhm_branches_text(branch, L, text));
    }
    for (unsigned l = 1; l <= L && status == RHM_OK; l++)
        status = check_level(shape, classes, branch, l, err);
    return status;
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
    g->L = (unsigned)shape->L;
    rhm_branches_set(g->branch, g->L, shape->s, shape->branch);
    g->s = rhm_branches_common(g->branch, g->L);
    g->classes = (unsigned)(shape->classes == 0 ? shape->V : shape->classes);
    g->d = rhm_places(g->branch, 1, g->L);
    double children = 0;
    for (unsigned l = 1; l <= g->L; l++)
        children += (double)g->m * g->branch[l] * rhm_grammar_parents(g, l);
    status = rhm_memory_check(children * sizeof(uint16_t), "the table of rules", "lower m, V or L", err);
    if (status != RHM_OK)
        return status;
    for (unsigned l = 1; l <= g->L; l++) {
        size_t rules = (size_t)rhm_grammar_parents(g, l) * g->m;
        g->level[l + 1] = g->level[l] + rules * g->branch[l];
        g->first_rule[l + 1] = g->first_rule[l] + rules;
    }
    g->rules = rhm_array(g->level[g->L + 1], sizeof *g->rules, "the table of rules", err);
    return g->rules ? RHM_OK : RHM_EMEMORY;
}

void rhm_grammar_clear(struct rhm_grammar *g)
{
    free(g->rules);
    free(g->p);
    rhm_alias_free(g->alias);
    free(g->prior);
    rhm_alias_free(g->prior_alias);
    g->rules = NULL;
    g->p = g->prior = NULL;
    g->alias = g->prior_alias = NULL;
}

enum rhm_status rhm_grammar_copy(struct rhm_grammar *to, const struct rhm_grammar *from,
                                 struct rhm_error *err)
{
    struct rhm_grammar_shape shape = {.V = from->V, .m = from->m, .L = from->L, .classes = from->classes};
    for (unsigned l = 1; l <= from->L; l++)
        shape.branch[l] = from->branch[l];
    enum rhm_status status = rhm_grammar_set_shape(to, &shape, err);
    if (status != RHM_OK)
        return status;
    memcpy(to->rules, from->rules, from->level[from->L + 1] * sizeof *to->rules);
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
    unsigned s = rhm_grammar_s(g, l);
    struct rhm_number_set set;
    enum rhm_status status = rhm_number_set_init(&set, k, err);
    if (status != RHM_OK)
        return status;
    for (size_t i = 0; i < k && status == RHM_OK; i++) {
        const uint16_t *tuple = g->rules + g->level[l] + i * s;
        uint64_t number = rhm_tuple_number(tuple, g->V, s);
        if (rhm_number_set_insert(&set, number))
            continue;
        size_t other = 0;
        while (rhm_tuple_number(g->rules + g->level[l] + other * s, g->V, s) != number)
            other++;
        char text[128];
        int used = 0;
        for (unsigned j = 0; j < s && used < (int)sizeof text - 8; j++)
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
    for (size_t i = 0; i < g->level[g->L + 1] && status == RHM_OK; i++) {
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
    size_t k = (size_t)rhm_grammar_parents(g, l) * g->m, s = rhm_grammar_s(g, l);
    for (size_t i = 0; i < k; i++)
        if (memcmp(g->rules + g->level[l] + i * s, tuple, s * sizeof *tuple) == 0)
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
        unsigned s = rhm_grammar_s(g, l);
        width /= s;
        for (size_t i = 0; i < width && status == RHM_OK; i++) {
            int32_t parent = parent_of(g, l, symbol + i * s);
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
