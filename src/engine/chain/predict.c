/* predict.c - what a trained chain says of strings, and how often it is right. See network.h. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/chain/chain.h"
#include "engine/chain/law.h"
#include "engine/chain/network.h"
#include "engine/chain/refine.h"
#include "engine/data/accuracy.h"

/* Under the reader's lock, or by the only writer; so are the others without rhm_ in their names. */
static enum rhm_status predict(const struct rhm_network *net, size_t n, const uint16_t *tokens,
                               uint16_t *labels, double *probability, size_t *unknown,
                               rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    if (unknown)
        *unknown = 0;
    if (net->refined)
        return rhm_refined_predict(net->refined, n, tokens, labels, probability, poll, context, err);
    struct rhm_chain chain;
    enum rhm_status status = rhm_tokens_check(n, (size_t)net->d, tokens, net->V, "the network", err);
    if (status == RHM_OK)
        status = rhm_chain_init(&chain, net, 1, err);
    if (status != RHM_OK)
        return status;
    size_t d = (size_t)net->d, leaves = (size_t)net->leaves, block = rhm_chain_block(leaves);
    for (size_t at = 0; at < n && status == RHM_OK; at += block) {
        size_t some = n - at < block ? n - at : block;
        const uint32_t *code;
        status = rhm_chain_ascend(&chain, 1, some, leaves, tokens + at * d, &code, poll, context, err);
        for (size_t i = 0; i < some && status == RHM_OK; i++) {
            const double *q = rhm_chain_embedding(&chain, 1, code[i]);
            labels[at + i] = (uint16_t)rhm_largest(q, net->classes);
            if (probability)
                memcpy(probability + (at + i) * net->classes, q, net->classes * sizeof *q);
            if (unknown)
                *unknown += code[i] == net->layer[1]->unknown_code;
        }
        if (status == RHM_OK)
            status = rhm_poll(poll, context, err);
    }
    rhm_chain_clear(&chain);
    return status;
}

enum rhm_status rhm_network_predict(struct rhm_network *net, size_t n, const uint16_t *tokens,
                                    uint16_t *labels, double *probability, size_t *unknown,
                                    rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    rhm_network_lock_reader(net);
    enum rhm_status status = predict(net, n, tokens, labels, probability, unknown, poll, context, err);
    pthread_mutex_unlock(&net->lock);
    return status;
}

static enum rhm_status predict_labels(void *net, size_t n, const uint16_t *tokens, uint16_t *labels,
                                      rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    return predict(net, n, tokens, labels, NULL, NULL, poll, context, err);
}

static enum rhm_status accuracy_on_data(struct rhm_network *net, const struct rhm_dataset *data,
                                        double *accuracy, rhm_poll_function *poll, void *context,
                                        struct rhm_error *err)
{
    char text[RHM_BRANCHES_TEXT];
    if (data->d != net->d)
        return rhm_fail(err, RHM_EARG, "the data set has strings of %zu tokens, the network reads %s",
                        data->d, rhm_branches_length(net->branch, net->L, net->d, text));
    if (data->V > net->V || data->n == 0)
        return data->n == 0
                   ? rhm_fail(err, RHM_EARG, "the data set is empty")
                   : rhm_fail(err, RHM_EARG, "the data set has V = %u, the network V = %u", data->V, net->V);
    return rhm_accuracy(data, predict_labels, net, accuracy, poll, context, err);
}

static enum rhm_status accuracy_on_grammar(const struct rhm_network *net, const struct rhm_grammar *g,
                                           double *accuracy, rhm_poll_function *poll, void *context,
                                           struct rhm_error *err)
{
    char truth[RHM_BRANCHES_TEXT], own[RHM_BRANCHES_TEXT];
    if (net->refined && g->V == net->V && g->classes == net->classes && g->d == net->d)
        return rhm_refined_accuracy(net->refined, g, net->seed, accuracy, poll, context, err);
    if (net->d < net->leaves)
        return rhm_fail(
            err, RHM_EARG,
            "the network reads strings of %s tokens: measure the accuracy on a data set (g:sample{...})",
            rhm_branches_length(net->branch, net->L, net->d, own));
    if (g->V != net->V || g->classes != net->classes ||
        !rhm_branches_equal(g->branch, g->L, net->branch, net->L))
        return rhm_fail(err, RHM_EARG,
                        "the grammar has (V, s, L, classes) = (%u, %s, %u, %u), the network (%u, %s, %u, "
                        "%u): measure the accuracy on a data set",
                        g->V, rhm_branches_text(g->branch, g->L, truth), g->L, g->classes, net->V,
                        rhm_branches_text(net->branch, net->L, own), net->L, net->classes);
    struct rhm_chain chain;
    enum rhm_status status = rhm_chain_init(&chain, net, 1, err);
    if (status == RHM_OK) {
        status = rhm_law_accuracy(&chain, g, accuracy, poll, context, err);
        rhm_chain_clear(&chain);
    }
    return status;
}

enum rhm_status rhm_network_own_accuracy(struct rhm_network *net, const struct rhm_train_options *options,
                                         double *accuracy, rhm_poll_function *poll, void *context,
                                         struct rhm_error *err)
{
    return options->grammar ? accuracy_on_grammar(net, options->grammar, accuracy, poll, context, err)
                            : accuracy_on_data(net, options->data, accuracy, poll, context, err);
}

enum rhm_status rhm_network_accuracy_on_data(struct rhm_network *net, const struct rhm_dataset *data,
                                             double *accuracy, rhm_poll_function *poll, void *context,
                                             struct rhm_error *err)
{
    rhm_network_lock_reader(net);
    enum rhm_status status = accuracy_on_data(net, data, accuracy, poll, context, err);
    pthread_mutex_unlock(&net->lock);
    return status;
}

enum rhm_status rhm_network_accuracy_on_grammar(struct rhm_network *net, const struct rhm_grammar *g,
                                                double *accuracy, rhm_poll_function *poll, void *context,
                                                struct rhm_error *err)
{
    rhm_network_lock_reader(net);
    enum rhm_status status = accuracy_on_grammar(net, g, accuracy, poll, context, err);
    pthread_mutex_unlock(&net->lock);
    return status;
}
