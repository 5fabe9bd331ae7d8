/* cnn_pass.h - a batch through the network and back; not installed.
 *
 * Work is cut into pieces of fixed size, whatever the number of threads: forward and back by shards of
 * strings, gradients by blocks of parameters. So every number is the same sum in the same order.
 */
#ifndef RHM_CNN_PASS_H
#define RHM_CNN_PASS_H

#include "engine/baselines/cnn.h"

/* A block of parameters: rows `first`.. of the weights of a layer's set, or the whole bias (rows = 0); the
 * token table of layer L by columns instead. */
struct rhm_cnn_block {
    unsigned l;
    size_t set, first, count;
    int bias;
};

/* The distinct patches of tokens in a batch (cnn_patches.c). */
struct rhm_cnn_patches {
    size_t most;              /* room; 0: never in use */
    size_t n;                 /* of this batch; 0: not in use */
    size_t used;              /* numbers given, also where they came to nothing */
    uint32_t *id;             /* symbols^s: 1 + number of the patch with these tokens, 0: none */
    uint32_t *list;           /* most: where in id */
    uint32_t *code;           /* batch x positions of layer L: numbers */
    const uint16_t **example; /* most: its tokens, somewhere */
    float *y, *delta;         /* most x h: outputs of layer L; their derivatives */
    float *t, *g;             /* s_(L-1) x most x h: T_j and G_j */
};

struct rhm_cnn_pass {
    const struct rhm_cnn *net;
    size_t batch;                     /* strings, at most */
    float *act[RHM_MAX_LEVELS + 1];   /* [1..L] batch x positions x h: y_l; [0] batch x classes: logits */
    float *delta[RHM_MAX_LEVELS + 1]; /* the same shapes: d loss / d z_l; NULL where only forward */
    const uint16_t **string;          /* batch: the symbols at the leaves of each string */
    uint16_t *padded;                 /* batch x leaves, where strings are padded */
    uint16_t *label;                  /* batch */
    double *loss;                     /* batch: -log p of the label */
    unsigned char *right;             /* batch */
    struct rhm_cnn_block *block;      /* all blocks of parameters */
    size_t blocks;
    struct rhm_cnn_patches patches;
};

/* The updates of an optimiser, called for each block once its gradient is there: parameters first .. first +
 * n - 1. Called by several threads, never twice for a parameter. */
typedef void rhm_cnn_update(void *context, size_t first, size_t n, const float *gradient);

/* all: act[] is wanted of every layer, also of the lowest. */
enum rhm_status rhm_cnn_pass_init(struct rhm_cnn_pass *pass, const struct rhm_cnn *net, size_t batch,
                                  int gradients, int all, struct rhm_error *err);
void rhm_cnn_pass_clear(struct rhm_cnn_pass *pass);

/* String i of the batch: its d tokens, which stay where they are, and its label. */
void rhm_cnn_pass_take(struct rhm_cnn_pass *pass, size_t i, const uint16_t *tokens, uint16_t label);

/* The first n strings of pass->string: act[], logits included; act[L] only where `all`. */
void rhm_cnn_pass_forward(struct rhm_cnn_pass *pass, size_t n);

/* Also loss[] and right[] by pass->label. */
void rhm_cnn_pass_measure(struct rhm_cnn_pass *pass, size_t n);

/* These, and the gradient of the sum of losses divided by `over`, for all
 * parameters, with `update` (may be NULL) called as soon as a block is done. */
void rhm_cnn_pass_train(struct rhm_cnn_pass *pass, size_t n, double over, float *gradient,
                        rhm_cnn_update *update, void *context);

/* y = outputs of layer L for n strings of tokens that cover `positions` positions each. */
void rhm_cnn_look_up(const struct rhm_cnn *net, size_t n, size_t positions, const uint16_t *const *string,
                     float *y);

/* In this order; between two of them all pieces are done. */
enum rhm_status rhm_cnn_patches_init(struct rhm_cnn_pass *pass, int gradients, struct rhm_error *err);
void rhm_cnn_patches_find(struct rhm_cnn_pass *pass, size_t n);
size_t rhm_cnn_patches_pieces(const struct rhm_cnn_pass *pass); /* 0: not in use */
void rhm_cnn_patches_forward(struct rhm_cnn_pass *pass, size_t piece);
void rhm_cnn_patches_gather(struct rhm_cnn_pass *pass, size_t a, size_t b);
void rhm_cnn_patches_scatter(struct rhm_cnn_pass *pass, size_t n, size_t j);
void rhm_cnn_patches_back(struct rhm_cnn_pass *pass, size_t piece);
void rhm_cnn_patches_weights(const struct rhm_cnn_pass *pass, size_t first, size_t count, float *to);
void rhm_cnn_patches_tokens(const struct rhm_cnn_pass *pass, size_t j, float *to);
void rhm_cnn_patches_clear(struct rhm_cnn_patches *patches);

/* rhm_cnn_reset within a training. */
void rhm_cnn_reset_claimed(struct rhm_cnn *net);

#endif
