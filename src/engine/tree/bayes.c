/* bayes.c - see bayes.h. */
#include "engine/tree/bayes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/grammar/sample.h"
#include "engine/tree/tree.h"

/* Numbers in a block of posteriors, at least a string's. */
#define BLOCK ((size_t)1 << 20)

struct rhm_bayes_options rhm_bayes_defaults(const struct rhm_grammar *g)
{
    return (struct rhm_bayes_options){.label_noise = g->label_noise, .token_noise = g->token_noise};
}

static enum rhm_status open_tree(const struct rhm_grammar *g, const struct rhm_bayes_options *o,
                                 struct rhm_tree *tree, struct rhm_error *err)
{
    if (o->level > g->L)
        return rhm_fail(err, RHM_EARG, "level %u: must be 0 (the label) to %u (L)", o->level, g->L);
    if (!(o->label_noise >= 0 && o->label_noise <= 1))
        return rhm_fail(err, RHM_EARG, "label_noise = %g: must be a probability, 0 to 1", o->label_noise);
    if (!(o->token_noise >= 0 && o->token_noise <= 1))
        return rhm_fail(err, RHM_EARG, "token_noise = %g: must be a probability, 0 to 1", o->token_noise);
    enum rhm_status status = rhm_tree_from_grammar(tree, g, err);
    if (status == RHM_OK && o->token_noise != g->token_noise) {
        status = rhm_tree_set_noise(tree, o->token_noise, err);
        if (status != RHM_OK)
            rhm_tree_clear(tree);
    }
    return status;
}

/* The posteriors of n strings under an open tree, and the logarithms of their probabilities (or NULL). */
static enum rhm_status posterior(const struct rhm_tree *tree, const struct rhm_bayes_options *o, size_t n,
                                 const uint16_t *tokens, double *out, double *log_p, rhm_poll_function *poll,
                                 void *context, struct rhm_error *err)
{
    enum rhm_status status =
        rhm_tree_posterior(tree, n, tokens, NULL, o->level, out, log_p, poll, context, err);
    size_t C = tree->symbols[0];
    for (size_t i = 0; status == RHM_OK && o->level == 0 && o->label_noise > 0 && i < n * C; i++)
        out[i] = (1 - o->label_noise) * out[i] + o->label_noise / (double)C;
    return status;
}

static enum rhm_status check_tokens(const struct rhm_grammar *g, size_t n, const uint16_t *tokens,
                                    struct rhm_error *err)
{
    size_t d = (size_t)g->d;
    for (size_t i = 0; i < n * d; i++)
        if (tokens[i] >= g->V && tokens[i] != RHM_MISSING)
            return rhm_fail(err, RHM_EARG, "string %zu holds token %d, the grammar has V = %u", i / d + 1,
                            tokens[i] + 1, g->V);
    return RHM_OK;
}

enum rhm_status rhm_bayes_posterior(const struct rhm_grammar *g, const struct rhm_bayes_options *options,
                                    size_t n, const uint16_t *tokens, double *out, size_t *outside,
                                    rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    struct rhm_tree tree;
    enum rhm_status status = check_tokens(g, n, tokens, err);
    if (status == RHM_OK)
        status = open_tree(g, options, &tree, err);
    if (status != RHM_OK)
        return status;
    status = posterior(&tree, options, n, tokens, out, NULL, poll, context, err);
    size_t width = tree.nodes[options->level] * tree.symbols[options->level];
    *outside = 0;
    for (size_t i = 0; i < n && status == RHM_OK; i++)
        *outside += isnan(out[i * width]) ? 1 : 0;
    rhm_tree_clear(&tree);
    return status;
}

/* ------------------------------------------------------------ measures */

struct measure {
    const struct rhm_bayes_options *o;
    struct rhm_tree tree;
    size_t places, symbols, block; /* strings */
    double *out, *log_p;           /* of a block */
    double sum, squares, right, mass;
    struct rhm_bayes *bayes;
};

static void measure_close(struct measure *m)
{
    rhm_tree_clear(&m->tree);
    free(m->out);
    free(m->log_p);
}

static enum rhm_status measure_open(struct measure *m, const struct rhm_grammar *g,
                                    const struct rhm_bayes_options *o, struct rhm_bayes *bayes,
                                    struct rhm_error *err)
{
    *bayes = (struct rhm_bayes){.accuracy = NAN, .error = NAN, .counted = NAN};
    *m = (struct measure){.o = o, .bayes = bayes};
    enum rhm_status status = open_tree(g, o, &m->tree, err);
    if (status != RHM_OK)
        return status;
    m->places = m->tree.nodes[o->level];
    m->symbols = m->tree.symbols[o->level];
    size_t width = m->places * m->symbols;
    m->block = width < BLOCK ? BLOCK / width : 1;
    m->out = rhm_array(m->block * width, sizeof *m->out, "a block of posteriors", err);
    m->log_p = rhm_array(m->block, sizeof *m->log_p, "a block of posteriors", err);
    if (m->out && m->log_p)
        return RHM_OK;
    measure_close(m);
    return RHM_EMEMORY;
}

/* The mean over the places of the largest posterior; *named: that of the first place, *tie: another is as
 * large but for rounding. */
static double best_of(const struct measure *m, const double *p, size_t *named, int *tie)
{
    double sum = 0;
    for (size_t place = 0; place < m->places; place++, p += m->symbols) {
        size_t best = 0, equal = 0;
        for (size_t c = 1; c < m->symbols; c++)
            if (p[c] > p[best] * (1 + 1e-12)) /* ties go to the lowest, however they round */
                best = c;
        for (size_t c = 0; c < m->symbols; c++)
            equal += p[c] >= p[best] * (1 - 1e-12);
        if (place == 0) {
            *named = best;
            *tie = equal > 1;
        }
        sum += p[best];
    }
    return sum / (double)m->places;
}

/* Adds n strings of at most a block. weigh = 1: each counts for its probability. labels: n or NULL. */
static enum rhm_status measure_add(struct measure *m, size_t n, const uint16_t *tokens,
                                   const uint16_t *labels, int weigh, rhm_poll_function *poll, void *context,
                                   struct rhm_error *err)
{
    enum rhm_status status = posterior(&m->tree, m->o, n, tokens, m->out, m->log_p, poll, context, err);
    for (size_t i = 0; i < n && status == RHM_OK; i++) {
        const double *p = m->out + i * m->places * m->symbols;
        size_t named = 0;
        int tie = 0;
        m->bayes->n++;
        if (isnan(p[0])) {
            m->bayes->outside++;
            continue;
        }
        double best = best_of(m, p, &named, &tie), weight = weigh ? exp(m->log_p[i]) : 1;
        m->mass += weight;
        m->sum += weight * best;
        m->squares += weight * best * best;
        m->bayes->ties += (size_t)tie;
        if (labels && labels[i] != RHM_MISSING && m->o->level == 0) {
            m->bayes->labelled++;
            m->right += labels[i] == named;
        }
    }
    return status;
}

static void measure_finish(struct measure *m)
{
    struct rhm_bayes *b = m->bayes;
    if (m->mass > 0) {
        b->accuracy = m->sum / m->mass;
        double inside = (double)(b->n - b->outside);
        double variance = fmax(0, m->squares / m->mass - b->accuracy * b->accuracy);
        b->error = inside > 1 ? sqrt(variance / (inside - 1)) : NAN;
    }
    if (b->labelled > 0)
        b->counted = m->right / (double)b->labelled;
}

enum rhm_status rhm_bayes_on_data(const struct rhm_grammar *g, const struct rhm_bayes_options *options,
                                  const struct rhm_dataset *data, struct rhm_bayes *bayes,
                                  rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    if (data->d != g->d)
        return rhm_fail(err, RHM_EARG, "strings of %zu tokens, those of the grammar have %llu", data->d,
                        (unsigned long long)g->d);
    struct measure m;
    enum rhm_status status = check_tokens(g, data->n, data->tokens, err);
    if (status == RHM_OK)
        status = measure_open(&m, g, options, bayes, err);
    if (status != RHM_OK)
        return status;
    for (size_t at = 0; at < data->n && status == RHM_OK; at += m.block) {
        size_t some = data->n - at < m.block ? data->n - at : m.block;
        status = measure_add(&m, some, data->tokens + at * data->d, data->labels + at, 0, poll, context, err);
    }
    measure_finish(&m);
    measure_close(&m);
    return status;
}

enum rhm_status rhm_bayes_drawn(const struct rhm_grammar *g, unsigned level, uint64_t seed, uint64_t n,
                                struct rhm_bayes *bayes, rhm_poll_function *poll, void *context,
                                struct rhm_error *err)
{
    struct rhm_bayes_options options = rhm_bayes_defaults(g);
    options.level = level;
    struct measure m;
    enum rhm_status status = measure_open(&m, g, &options, bayes, err);
    if (status != RHM_OK)
        return status;
    size_t d = (size_t)g->d;
    if (m.block > BLOCK / d)
        m.block = d < BLOCK ? BLOCK / d : 1;
    uint16_t *tokens = rhm_array(m.block * d, sizeof *tokens, "a block of strings", err);
    uint16_t *labels = rhm_array(m.block, sizeof *labels, "a block of strings", err);
    status = tokens && labels ? RHM_OK : RHM_EMEMORY;
    for (uint64_t at = 0; at < n && status == RHM_OK; at += m.block) {
        size_t some = n - at < m.block ? (size_t)(n - at) : m.block;
        rhm_sample_strings(g, seed, at, some, tokens, labels);
        status = measure_add(&m, some, tokens, labels, 0, poll, context, err);
    }
    measure_finish(&m);
    measure_close(&m);
    free(tokens);
    free(labels);
    return status;
}

/* --------------------------------------------------------------- exact */

double rhm_bayes_strings(const struct rhm_grammar *g, unsigned level)
{
    (void)level;
    if (g->token_noise == 0)
        return 0;
    double strings = pow(g->V, (double)g->d);
    return strings < 0x1p53 ? strings : INFINITY;
}

enum rhm_status rhm_bayes_exact(const struct rhm_grammar *g, unsigned level, struct rhm_bayes *bayes,
                                rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    struct rhm_bayes_options options = rhm_bayes_defaults(g);
    options.level = level;
    struct measure m;
    enum rhm_status status = measure_open(&m, g, &options, bayes, err);
    if (status != RHM_OK)
        return status;
    bayes->exact = 1;
    bayes->error = 0;
    double strings = rhm_bayes_strings(g, level);
    if (strings == 0) { /* a string of the grammar has one derivation: only the label's noise is left */
        double noise = level == 0 ? g->label_noise : 0;
        bayes->accuracy = 1 - noise + noise / g->classes;
        measure_close(&m);
        return RHM_OK;
    }
    size_t d = (size_t)g->d;
    if (!(strings < 0x1p53))
        status =
            rhm_fail(err, RHM_EARG, "V^d = %u^%zu strings are too many to go through: draw some", g->V, d);
    uint16_t *tokens =
        status == RHM_OK ? rhm_array(m.block * d, sizeof *tokens, "a block of strings", err) : NULL;
    if (status == RHM_OK && tokens == NULL)
        status = RHM_EMEMORY;
    for (uint64_t at = 0; at < (uint64_t)strings && status == RHM_OK; at += m.block) {
        uint64_t left = (uint64_t)strings - at;
        size_t some = left < m.block ? (size_t)left : m.block;
        for (size_t i = 0; i < some; i++) {
            uint64_t number = at + i;
            for (size_t j = d; j-- > 0; number /= g->V)
                tokens[i * d + j] = (uint16_t)(number % g->V);
        }
        status = measure_add(&m, some, tokens, NULL, 1, poll, context, err);
    }
    measure_finish(&m);
    bayes->error = 0;
    measure_close(&m);
    free(tokens);
    return status;
}
