/* weights.c - rules and labels that are not equally likely, noise. See grammar.h. */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/grammar/alias.h"
#include "engine/grammar/rules.h"

static size_t rules_of(const struct rhm_grammar *g)
{
    return g->first_rule[g->L + 1];
}

/* Level, parent and rule (all 1-based) of rule number r. */
static enum rhm_status refuse(const struct rhm_grammar *g, size_t r, double weight, struct rhm_error *err)
{
    unsigned l = 1;
    for (; l < g->L && r >= (size_t)rhm_grammar_parents(g, l) * g->m; l++)
        r -= (size_t)rhm_grammar_parents(g, l) * g->m;
    return rhm_fail(err, RHM_EARG,
                    "weights: level %u, symbol %zu, rule %zu: %g: must be a positive number, and not "
                    "negligible beside the others of its symbol",
                    l, r / g->m + 1, r % g->m + 1, weight);
}

/* p[0..m-1] = weight / sum. What sums to 1 already keeps every bit, so that a file gives back what it took.
 */
static int normalise(const double *weight, unsigned m, double *p, unsigned *bad)
{
    double sum = 0, largest = 0;
    for (*bad = 0; *bad < m; ++*bad) {
        if (!(weight[*bad] > 0) || !isfinite(weight[*bad]))
            return 0;
        largest = fmax(largest, weight[*bad]);
    }
    for (unsigned k = 0; k < m; k++) /* scaled: a sum of large weights must not overflow */
        sum += p[k] = largest > 1 ? weight[k] / largest : weight[k];
    int done = fabs(sum - 1) <= m * DBL_EPSILON && largest <= 1;
    for (unsigned k = 0; k < m && !done; k++)
        p[k] /= sum;
    for (*bad = 0; *bad < m; ++*bad)
        if (!(p[*bad] >= RHM_LEAST_WEIGHT))
            return 0;
    return 1;
}

static void drop(struct rhm_grammar *g)
{
    free(g->p);
    rhm_alias_free(g->alias);
    g->p = NULL;
    g->alias = NULL;
    g->zipf = 0;
}

enum rhm_status rhm_grammar_set_weights(struct rhm_grammar *g, const double *weight, struct rhm_error *err)
{
    size_t rules = rules_of(g), r = 0;
    while (r < rules && weight[r] == weight[r - r % g->m] && weight[r] > 0 && isfinite(weight[r]))
        r++;
    if (r == rules) { /* uniform: no table, and samples are those of the uniform grammar */
        drop(g);
        return RHM_OK;
    }
    const char *what = "the probabilities of the rules";
    enum rhm_status status = rhm_memory_check(
        (double)rules * sizeof *g->p + rhm_alias_bytes(rules / g->m, g->m), what, "lower m, V or L", err);
    if (status != RHM_OK)
        return status;
    double *p = rhm_array(rules, sizeof *p, what, err);
    if (p == NULL)
        return RHM_EMEMORY;
    for (r = 0; r < rules && status == RHM_OK; r += g->m) {
        unsigned bad;
        if (!normalise(weight + r, g->m, p + r, &bad))
            status = refuse(g, r + bad, weight[r + bad], err);
    }
    struct rhm_alias *alias = NULL;
    if (status == RHM_OK && (alias = rhm_alias_new(p, rules / g->m, g->m, what, err)) == NULL)
        status = RHM_EMEMORY;
    if (status != RHM_OK) {
        free(p);
        return status;
    }
    drop(g);
    g->p = p;
    g->alias = alias;
    return RHM_OK;
}

enum rhm_status rhm_grammar_set_zipf(struct rhm_grammar *g, double zipf, struct rhm_error *err)
{
    double most = g->m > 1 ? floor(-log(RHM_LEAST_WEIGHT) / log(g->m)) - 1 : DBL_MAX;
    if (!(zipf >= 0 && zipf <= most))
        return rhm_fail(
            err, RHM_EARG,
            "zipf = %g: must be from 0 (all rules alike) to %g, where rule m = %u has probability "
            "%g at least",
            zipf, most, g->m, RHM_LEAST_WEIGHT);
    size_t rules = rules_of(g);
    double *weight = rhm_array(rules, sizeof *weight, "the probabilities of the rules", err);
    if (weight == NULL)
        return RHM_EMEMORY;
    for (size_t r = 0; r < rules; r++)
        weight[r] = pow((double)(r % g->m + 1), -zipf);
    enum rhm_status status = rhm_grammar_set_weights(g, weight, err);
    if (status == RHM_OK)
        g->zipf = zipf;
    free(weight);
    return status;
}

/* ---------------------------------------------------------------- labels */

static void drop_prior(struct rhm_grammar *g)
{
    free(g->prior);
    rhm_alias_free(g->prior_alias);
    g->prior = NULL;
    g->prior_alias = NULL;
}

enum rhm_status rhm_grammar_set_prior(struct rhm_grammar *g, const double *weight, struct rhm_error *err)
{
    unsigned C = g->classes, bad = 0;
    while (weight && bad < C && weight[bad] == weight[0] && weight[bad] > 0 && isfinite(weight[bad]))
        bad++;
    if (weight == NULL || bad == C) {
        drop_prior(g);
        return RHM_OK;
    }
    const char *what = "the probabilities of the labels";
    double *p = rhm_array(C, sizeof *p, what, err);
    enum rhm_status status = p ? RHM_OK : RHM_EMEMORY;
    if (status == RHM_OK && !normalise(weight, C, p, &bad))
        status =
            rhm_fail(err, RHM_EARG,
                     "prior: label %u: %g: must be a positive number, and not negligible beside the others",
                     bad + 1, weight[bad]);
    struct rhm_alias *alias = NULL;
    if (status == RHM_OK && (alias = rhm_alias_new(p, 1, C, what, err)) == NULL)
        status = RHM_EMEMORY;
    if (status != RHM_OK) {
        free(p);
        return status;
    }
    drop_prior(g);
    g->prior = p;
    g->prior_alias = alias;
    return RHM_OK;
}

/* ----------------------------------------------------------------- noise */

enum rhm_status rhm_grammar_set_noise(struct rhm_grammar *g, double label_noise, double token_noise,
                                      struct rhm_error *err)
{
    if (!(label_noise >= 0 && label_noise <= 1))
        return rhm_fail(err, RHM_EARG, "label_noise = %g: must be a probability, 0 to 1", label_noise);
    if (!(token_noise >= 0 && token_noise <= 1))
        return rhm_fail(err, RHM_EARG, "token_noise = %g: must be a probability, 0 to 1", token_noise);
    g->label_noise = label_noise;
    g->token_noise = token_noise;
    return RHM_OK;
}
