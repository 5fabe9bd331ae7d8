/* outputs.c - what a trained layer says at every place of strings. See network.h. */
#include <string.h>

#include "engine/chain/chain.h"
#include "engine/chain/network.h"

static enum rhm_status outputs(const struct rhm_network *net, unsigned l, size_t n, const uint16_t *tokens,
                               double *output, rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    struct rhm_chain chain;
    enum rhm_status status = rhm_tokens_check(n, (size_t)net->d, tokens, net->V, "the network", err);
    if (status == RHM_OK)
        status = rhm_chain_init(&chain, net, l, err);
    if (status != RHM_OK)
        return status;
    size_t d = (size_t)net->d, leaves = (size_t)net->leaves, places = (size_t)rhm_network_places(net, l),
           width = net->layer[l]->codebook.width;
    size_t block = rhm_chain_block(leaves);
    for (size_t at = 0; at < n && status == RHM_OK; at += block) {
        size_t some = n - at < block ? n - at : block;
        const uint32_t *code;
        status = rhm_chain_ascend(&chain, l, some, leaves, tokens + at * d, &code, poll, context, err);
        for (size_t i = 0; i < some * places && status == RHM_OK; i++)
            memcpy(output + (at * places + i) * width, rhm_chain_embedding(&chain, l, code[i]),
                   width * sizeof *output);
        if (status == RHM_OK)
            status = rhm_poll(poll, context, err);
    }
    rhm_chain_clear(&chain);
    return status;
}

size_t rhm_network_width(struct rhm_network *net, unsigned l)
{
    rhm_network_lock_reader(net);
    size_t width = l >= 1 && l <= net->L && net->layer[l] ? net->layer[l]->codebook.width : 0;
    pthread_mutex_unlock(&net->lock);
    return width;
}

enum rhm_status rhm_network_outputs(struct rhm_network *net, unsigned l, size_t n, const uint16_t *tokens,
                                    double *output, rhm_poll_function *poll, void *context,
                                    struct rhm_error *err)
{
    if (l < 1 || l > net->L)
        return rhm_fail(err, RHM_EARG, "level %u: must be 1..%u (L)", l, net->L);
    rhm_network_lock_reader(net);
    enum rhm_status status = outputs(net, l, n, tokens, output, poll, context, err);
    pthread_mutex_unlock(&net->lock);
    return status;
}
