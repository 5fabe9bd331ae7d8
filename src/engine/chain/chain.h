/* chain.h - strings carried up through the trained layers as codes.
 *
 * A layer's output depends only on its patch, so the chain is integer codes and table look-ups. Patches that
 * a layer has not seen go forward by their features, once each; what they came to is kept here, beside the
 * network, which does not change.
 */
#ifndef RHM_CHAIN_H
#define RHM_CHAIN_H

#include "engine/chain/network.h"

struct rhm_chain {
    const struct rhm_network *net;
    struct rhm_codebook
        extra[RHM_MAX_LEVELS + 1];         /* by level: patches resolved here; code c of extra is K + c */
    uint32_t *dense[RHM_MAX_LEVELS + 1];   /* by level: code of tuple number, where the inputs are few */
    size_t dense_base[RHM_MAX_LEVELS + 1]; /* input codes that the numbers are made of */
    uint32_t *codes, *next;                /* room for a block */
    size_t room;
};

/* Layers `lowest`..L of net must be trained and stay as they are while the chain lives. */
enum rhm_status rhm_chain_init(struct rhm_chain *chain, const struct rhm_network *net, unsigned lowest,
                               struct rhm_error *err);
void rhm_chain_clear(struct rhm_chain *chain);

/* How many codes layer l gives (for l = L + 1 the symbols: tokens, padding), and the embedding of one (not
 * for l = L + 1). */
size_t rhm_chain_codes(const struct rhm_chain *chain, unsigned l);
const double *rhm_chain_embedding(const struct rhm_chain *chain, unsigned l, uint32_t code);

/* The input h of a patch of layer l: its s embeddings, one after the other (s * width numbers). */
void rhm_chain_input(const struct rhm_chain *chain, unsigned l, const uint32_t *tuple, double *h);

/* code[n] of the n patches of layer l (n x s input codes). */
enum rhm_status rhm_chain_resolve(struct rhm_chain *chain, unsigned l, size_t n, const uint32_t *tuple,
                                  uint32_t *code, rhm_poll_function *poll, void *context,
                                  struct rhm_error *err);

/* From n rows of `width` places to codes: layers L..lowest are applied, so that *out (n x
 * width/s^(L-lowest+1), room of the chain, valid till the next call) holds output codes of layer `lowest`;
 * lowest = L + 1 gives the tokens as they are. A row of `tokens` has min(width, d) of them, the other places
 * are padding. */
enum rhm_status rhm_chain_ascend(struct rhm_chain *chain, unsigned lowest, size_t n, size_t width,
                                 const uint16_t *tokens, const uint32_t **out, rhm_poll_function *poll,
                                 void *context, struct rhm_error *err);

/* How many rows of `width` tokens make a block of good size. */
size_t rhm_chain_block(size_t width);

/* Moves what was resolved of layers lowest..L into the network's codebooks (net is the chain's, not const any
 * more: the caller owns the right to write and holds its lock), so that the codes in use stay valid. */
enum rhm_status rhm_chain_commit(struct rhm_chain *chain, struct rhm_network *net, unsigned lowest,
                                 struct rhm_error *err);

#endif
