/* chain.h - for the tests of chains: networks of a grammar, trained on few samples. */
#ifndef RHM_TESTS_CHAIN_H
#define RHM_TESTS_CHAIN_H

#include "common.h"

#include "engine/chain/network.h"

/* The sizes of a grammar that the network does not know. */
static inline struct rhm_network_options sizes_of(const struct rhm_grammar *g)
{
    struct rhm_network_options options = rhm_network_defaults();
    options.V = g->V;
    for (unsigned l = 1; l <= g->L; l++)
        options.branch[l] = g->branch[l];
    options.L = g->L;
    options.classes = g->classes;
    return options;
}

static inline struct rhm_network *create_from(const struct rhm_network_options *options)
{
    struct rhm_network *net;
    must(rhm_network_create(&net, options, &err));
    return net;
}

/* The layers from L down to `lowest`, n samples each: of few samples some patches are unseen, some codes
 * wrong. */
static inline struct rhm_network *train_few(const struct rhm_grammar *g, enum rhm_codebook_kind codebook,
                                            unsigned lowest, uint64_t n, enum rhm_position position)
{
    struct rhm_network_options options = rhm_network_defaults();
    options.grammar = g;
    options.M = 128;
    options.codebook = codebook;
    options.seed = 5;
    struct rhm_network *net = create_from(&options);
    struct rhm_train_options how = rhm_train_defaults(net);
    how.grammar = g;
    how.sampler = RHM_SAMPLER_DRAW;
    how.position = position;
    for (unsigned l = 1; l <= g->L; l++)
        how.n[l] = n;
    for (unsigned l = g->L; l >= lowest; l--) {
        must(rhm_network_begin(net, l, &how, NULL, &err));
        must(rhm_network_step(net, l, 300, NULL, &err));
        must(rhm_network_finish(net, l, NULL, &err));
    }
    return net;
}

#endif
