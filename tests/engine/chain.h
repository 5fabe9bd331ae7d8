/* chain.h - for the tests of chains: networks of a grammar, trained on few samples, compared. */
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

/* Of a grammar's sizes. */
static inline struct rhm_network *create_sized(const struct rhm_grammar *g, int64_t M,
                                               enum rhm_codebook_kind codebook)
{
    struct rhm_network_options options = sizes_of(g);
    options.M = M;
    options.codebook = codebook;
    options.seed = 3;
    return create_from(&options);
}

static inline struct rhm_train_options from_grammar(const struct rhm_network *net,
                                                    const struct rhm_grammar *g, uint64_t n)
{
    struct rhm_train_options how = rhm_train_defaults(net);
    how.grammar = g;
    for (unsigned l = 1; l <= net->L; l++)
        how.n[l] = n;
    return how;
}

static inline double largest(size_t n, const double *a)
{
    double most = 0;
    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs(a[i]));
    return most;
}

/* The largest difference of two vectors over the largest entry. */
static inline double relative(size_t n, const double *a, const double *b)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++)
        worst = fmax(worst, fabs(a[i] - b[i]));
    return worst / fmax(largest(n, a), 1e-300);
}

static inline void check_same_tally(const struct rhm_tally *a, const struct rhm_tally *b)
{
    assert_int_equal(a->patches.n, b->patches.n);
    assert_true(a->N == b->N);
    assert_memory_equal(a->patches.tuple, b->patches.tuple, a->patches.n * a->patches.s * sizeof(uint32_t));
    assert_memory_equal(a->count, b->count, a->patches.n * a->C * sizeof *a->count);
}

/* Two trained networks, layer by layer: the same counts, numbers equal to `tolerance` (relative). */
static inline double compare_networks(const struct rhm_network *a, const struct rhm_network *b,
                                      double tolerance)
{
    double worst = 0;
    for (unsigned l = 1; l <= a->L; l++) {
        const struct rhm_layer *x = a->layer[l], *y = b->layer[l];
        check_same_tally(&x->tally, &y->tally);
        assert_int_equal(x->clusters.k, y->clusters.k);
        assert_int_equal(x->codebook.K, y->codebook.K);
        assert_memory_equal(x->codebook.code, y->codebook.code, x->codebook.patches.n * sizeof(uint32_t));
        assert_memory_equal(x->cluster, y->cluster, x->tally.patches.n * sizeof(size_t));
        double off = fmax(relative(x->tally.C * x->features.M, x->W, y->W),
                          relative(x->tally.patches.n * x->tally.C, x->output, y->output));
        off = fmax(off,
                   relative(x->codebook.K * x->codebook.width, x->codebook.embedding, y->codebook.embedding));
        off = fmax(off, fabs(x->sigma - y->sigma) / x->sigma);
        worst = fmax(worst, off);
    }
    assert_true(worst <= tolerance);
    return worst;
}

#endif
