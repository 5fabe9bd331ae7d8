/* refine_predict.c - what refined tables say of strings. See refine.h. */
#include "engine/chain/refine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/grammar/sample.h"

#define PIECE  4096   /* strings at a time */
#define LISTED 262144 /* derivations of a grammar that are gone through one by one */
#define DRAWN  20000  /* strings, where there are more */

enum rhm_status rhm_refined_predict(const struct rhm_refined *refined, size_t n, const uint16_t *tokens,
                                    uint16_t *labels, double *probability, rhm_poll_function *poll,
                                    void *context, struct rhm_error *err)
{
    const struct rhm_tree *tree = &refined->tree;
    size_t C = tree->symbols[0], d = tree->d, V = tree->symbols[tree->L];
    for (size_t i = 0; i < n * d; i++)
        if (tokens[i] != RHM_MISSING && tokens[i] >= V)
            return rhm_fail(err, RHM_EARG, "string %zu holds token %u, the network has V = %zu", i / d + 1,
                            tokens[i] + 1u, V);
    double *own = NULL;
    if (probability == NULL) {
        own = rhm_array((n < PIECE ? n : PIECE) * C, sizeof *own, "the probabilities of labels", err);
        if (own == NULL)
            return RHM_EMEMORY;
    }
    enum rhm_status status = RHM_OK;
    for (size_t at = 0; at < n && status == RHM_OK; at += PIECE) {
        size_t some = n - at < PIECE ? n - at : PIECE;
        double *p = own ? own : probability + at * C;
        status = rhm_tree_posterior(tree, some, tokens + at * d, NULL, 0, p, NULL, poll, context, err);
        for (size_t i = 0; i < some && status == RHM_OK; i++) {
            size_t best = 0;
            for (size_t c = 1; c < C; c++)
                if (p[i * C + c] > p[i * C + best])
                    best = c;
            labels[at + i] = (uint16_t)best;
        }
    }
    free(own);
    return status;
}

/* How many derivations a grammar has; 0: more than LISTED. */
static size_t derivations(const struct rhm_grammar *g)
{
    double all = g->classes;
    for (unsigned l = 1; l <= g->L; l++)
        for (uint64_t i = 0; i < rhm_grammar_places(g, l); i++)
            if ((all *= g->m) > LISTED)
                return 0;
    return (size_t)all;
}

/* Derivation `number`: its tokens, its label (returned) and probability. Digits of the number, base m, are
 * the rules of its nodes. */
static uint16_t derive(const struct rhm_grammar *g, size_t number, uint16_t *tokens, uint16_t *next,
                       double *p)
{
    uint16_t label = (uint16_t)(number % g->classes);
    number /= g->classes;
    *p = rhm_grammar_prior(g, label);
    tokens[0] = label;
    for (unsigned l = 1; l <= g->L; l++) {
        size_t places = (size_t)rhm_grammar_places(g, l);
        unsigned s = rhm_grammar_s(g, l);
        for (size_t i = 0; i < places; i++, number /= g->m) {
            unsigned k = (unsigned)(number % g->m);
            *p *= rhm_grammar_p(g, l, tokens[i], k);
            memcpy(next + i * s, rhm_grammar_rule(g, l, tokens[i], k), s * sizeof *next);
        }
        memcpy(tokens, next, places * s * sizeof *tokens);
    }
    return label;
}

static enum rhm_status accuracy_listed(const struct rhm_refined *refined, const struct rhm_grammar *g,
                                       size_t all, double *accuracy, rhm_poll_function *poll, void *context,
                                       struct rhm_error *err)
{
    size_t d = (size_t)g->d;
    uint16_t *tokens = rhm_array((PIECE + 1) * d, sizeof *tokens, "strings of the grammar", err);
    uint16_t *truth = rhm_array(PIECE, 2 * sizeof *truth, "strings of the grammar", err);
    double *p = rhm_array(PIECE, sizeof *p, "strings of the grammar", err), right = 0;
    enum rhm_status status = tokens && truth && p ? RHM_OK : RHM_EMEMORY;
    for (size_t at = 0; at < all && status == RHM_OK; at += PIECE) {
        size_t some = all - at < PIECE ? all - at : PIECE;
        for (size_t i = 0; i < some; i++)
            truth[i] = derive(g, at + i, tokens + i * d, tokens + PIECE * d, &p[i]);
        status = rhm_refined_predict(refined, some, tokens, truth + PIECE, NULL, poll, context, err);
        for (size_t i = 0; i < some; i++) /* a replaced label is any, each as likely */
            right += p[i] *
                     ((truth[PIECE + i] == truth[i] ? 1 - g->label_noise : 0) + g->label_noise / g->classes);
    }
    *accuracy = right;
    free(tokens);
    free(truth);
    free(p);
    return status;
}

enum rhm_status rhm_refined_accuracy(const struct rhm_refined *refined, const struct rhm_grammar *g,
                                     uint64_t seed, double *accuracy, rhm_poll_function *poll, void *context,
                                     struct rhm_error *err)
{
    size_t all = g->token_noise > 0 ? 0 : derivations(g);
    if (all > 0)
        return accuracy_listed(refined, g, all, accuracy, poll, context, err);
    struct rhm_dataset data;
    enum rhm_status status = rhm_sample_dataset(g, seed ^ UINT64_C(0x9E3779B97F4A7C15), DRAWN, &data, err);
    if (status != RHM_OK)
        return status;
    uint16_t *labels = rhm_array(data.n, sizeof *labels, "the predictions", err);
    size_t right = 0;
    status = labels ? rhm_refined_predict(refined, data.n, data.tokens, labels, NULL, poll, context, err)
                    : RHM_EMEMORY;
    for (size_t i = 0; i < data.n && status == RHM_OK; i++)
        right += labels[i] == data.labels[i];
    *accuracy = (double)right / (double)data.n;
    free(labels);
    rhm_dataset_clear(&data);
    return status;
}

enum rhm_status rhm_network_posterior(struct rhm_network *net, size_t n, const uint16_t *tokens,
                                      unsigned level, double *out, rhm_poll_function *poll, void *context,
                                      struct rhm_error *err)
{
    rhm_network_lock_reader(net);
    enum rhm_status status =
        net->refined
            ? rhm_tree_posterior(&net->refined->tree, n, tokens, NULL, level, out, NULL, poll, context, err)
            : rhm_fail(err, RHM_ESTATE, "the network is not refined: net:refine{ from=d } fits the tables");
    pthread_mutex_unlock(&net->lock);
    return status;
}
