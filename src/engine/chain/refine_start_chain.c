/* refine_start_chain.c - tables to start EM from, by the codes of the trained chain. See refine.h. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/chain/chain.h"
#include "engine/chain/refine_tuples.h"

static const char what[] = "the start of the refinement";

/* Codes of layer l as symbols of level l - 1: all but the unknown one and those of the moment. */
static uint16_t symbol_of(const struct rhm_network *net, unsigned l, uint32_t code)
{
    const struct rhm_layer *layer = net->layer[l];
    if (code == layer->unknown_code || code >= layer->codebook.K)
        return RHM_MISSING;
    return (uint16_t)(code - (layer->unknown_code < code));
}

static int fits(const struct rhm_network *net, unsigned l)
{
    const struct rhm_layer *layer = net->layer[l];
    return layer && layer->codebook.K - (layer->unknown_code < layer->codebook.K) <= net->V;
}

enum rhm_status rhm_refine_start_chain(struct rhm_tree *tree, const struct rhm_network *net,
                                       const struct rhm_dataset *data, rhm_poll_function *poll, void *context,
                                       struct rhm_error *err)
{
    if (net->d < net->leaves)
        return rhm_fail(err, RHM_ESTATE, "the chain has symbols of its own for patches that are padded");
    for (unsigned l = 1; l <= net->L; l++)
        if (!net->layer[l] || (l > 1 && !fits(net, l)))
            return rhm_fail(err, RHM_ESTATE, "layer %u is not trained, or has more codes than symbols", l);
    size_t d = data->d, whole = 0;
    uint16_t *codes = rhm_array(data->n * d, sizeof *codes, what, err);
    uint16_t *labels = rhm_array(data->n, sizeof *labels, what, err);
    uint16_t *tokens = rhm_array(data->n * d, sizeof *tokens, what, err);
    struct rhm_chain chain;
    enum rhm_status status = codes && labels && tokens ? rhm_chain_init(&chain, net, 1, err) : RHM_EMEMORY;
    int have_chain = status == RHM_OK;
    for (size_t i = 0; i < data->n && status == RHM_OK; i++) { /* the chain reads whole strings alone */
        int missing = 0;
        for (size_t j = 0; j < d; j++)
            missing |= data->tokens[i * d + j] == RHM_MISSING;
        if (missing)
            continue;
        memcpy(tokens + whole * d, data->tokens + i * d, d * sizeof *tokens);
        labels[whole++] = data->labels[i];
    }
    memcpy(codes, tokens, whole * d * sizeof *codes);
    size_t block = rhm_chain_block(d);
    for (unsigned l = tree->L; l >= 1 && status == RHM_OK; l--) {
        struct rhm_refine_tuples c;
        uint16_t *cluster = NULL, *above = NULL;
        size_t places = tree->nodes[l - 1];
        status = rhm_refine_tuples_count(tree, l, whole, codes, labels, &c, err);
        if (status == RHM_OK && l > 1) {
            cluster = rhm_array(c.U, sizeof *cluster, what, err);
            above = rhm_array(whole * places, sizeof *above, what, err);
            status = cluster && above ? RHM_OK : RHM_EMEMORY;
        }
        for (size_t at = 0; at < whole && status == RHM_OK && l > 1; at += block) {
            size_t some = whole - at < block ? whole - at : block;
            const uint32_t *out;
            status = rhm_chain_ascend(&chain, l, some, d, tokens + at * d, &out, poll, context, err);
            for (size_t i = 0; i < some * places && status == RHM_OK; i++) {
                uint16_t symbol = above[at * places + i] = symbol_of(net, l, out[i]);
                size_t tuple = rhm_refine_tuple(codes + (at * places + i) * tree->table[l].s,
                                                tree->table[l].s, tree->table[l].symbols);
                if (tuple != SIZE_MAX)
                    cluster[c.index[tuple]] = symbol;
            }
        }
        if (status == RHM_OK)
            rhm_refine_set_table(tree, l, &c, cluster);
        if (status == RHM_OK && l > 1)
            memcpy(codes, above, whole * places * sizeof *codes);
        free(cluster);
        free(above);
        rhm_refine_tuples_clear(&c);
    }
    if (status == RHM_OK)
        rhm_refine_set_prior(tree, whole, labels);
    if (have_chain)
        rhm_chain_clear(&chain);
    free(codes);
    free(labels);
    free(tokens);
    return status;
}
