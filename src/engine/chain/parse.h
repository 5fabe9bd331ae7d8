/* parse.h - what a trained chain makes of one string: a tree, the label at its root. */
#ifndef RHM_PARSE_H
#define RHM_PARSE_H

#include "engine/chain/network.h"

/* The s patches below a symbol are one node of the level above, so level l has s^(l-1) nodes. */
struct rhm_parse_node {
    uint32_t
        code; /* what layer l gives the patch; RHM_NO_CODE: one of the moment, for a patch not seen before */
    uint32_t parent; /* the true symbol of level l-1 that this code stands for, or RHM_NO_PARENT */
    uint32_t
        truth; /* the symbol that really stands there, or RHM_NO_PARENT: no grammar, or not of its language */
    double p;  /* the largest of q */
    int unknown; /* 1: the layer has no output for the patch */
};

struct rhm_parse {
    unsigned L, lowest; /* levels lowest..L are there: those whose layers are trained, from L on */
    size_t C;
    uint32_t label;                                  /* 0..C-1; only with lowest = 1 */
    size_t n[RHM_MAX_LEVELS + 1];                    /* nodes by level */
    struct rhm_parse_node *node[RHM_MAX_LEVELS + 1]; /* n: from left to right */
    size_t width[RHM_MAX_LEVELS + 1];                /* of a row of q: C */
    double *q[RHM_MAX_LEVELS + 1];                   /* n x width: q^ */
};

/* Of a refined network (refine.h) the codes are the symbols of its tables, the likeliest at each node, and q
 * the posterior of the symbols of level l - 1 (the labels at l = 1) given the whole string. With a grammar
 * `parent` is the true symbol whose rules the code's table holds the most of. */

/* Parses d tokens, under the reader's lock. RHM_ESTATE where layer L is not trained. */
enum rhm_status rhm_network_parse(struct rhm_network *net, const uint16_t *tokens, struct rhm_parse *parse,
                                  rhm_poll_function *poll, void *context, struct rhm_error *err);
void rhm_parse_clear(struct rhm_parse *parse);

#endif
