/* tree_pass.h - both passes over a block of strings, on one thread. Used by tree_sweep.c; not installed. */
#ifndef RHM_TREE_PASS_H
#define RHM_TREE_PASS_H

#include "engine/tree/tree.h"

struct rhm_tree_pass {
    const struct rhm_tree *tree;
    size_t block; /* strings at most */
    /* by level: (block x nodes) x symbols, each row of sum 1, or 0 where the tables cannot give the string */
    double *inside[RHM_MAX_LEVELS + 1], *outside[RHM_MAX_LEVELS + 1];
    double *log_scale;    /* block: what the scaling of inside took out */
    unsigned char *whole; /* block x nodes[L-1]: 1: all tokens of the patch are seen as they are */
    size_t chunk;         /* nodes at a time in a product */
    double *outer, *over; /* chunk x rows of the widest dense table: products of the children; P(tuple, all
                             that is outside) */
    double *share;        /* chunk x parents */
    double *left, *right; /* for contractions: rows of the widest dense table; sparse: s */
};

/* Strings in a block: depends on the tree alone. */
size_t rhm_tree_block(const struct rhm_tree *tree);

enum rhm_status rhm_tree_pass_init(struct rhm_tree_pass *pass, const struct rhm_tree *tree,
                                   struct rhm_error *err);
void rhm_tree_pass_clear(struct rhm_tree_pass *pass);

/* Fills inside of all levels. */
void rhm_tree_upward(struct rhm_tree_pass *pass, size_t n, const uint16_t *tokens);

/* After it, with outside[0] filled by the caller: outside of levels 1..lowest, and the expected uses of the
 * rules of levels 1..lowest added to rule[l] (may be NULL) without their factor P(tuple | parent). Levels
 * lowest..L are needed where lowest < L: nothing more. */
void rhm_tree_downward(struct rhm_tree_pass *pass, size_t n, const uint16_t *tokens, unsigned lowest,
                       double *const *rule);

#endif
