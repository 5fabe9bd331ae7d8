/* trainer.h - the training of one layer, cut so that it can be watched, paused and stepped by hand. */
#ifndef RHM_TRAINER_H
#define RHM_TRAINER_H

#include "engine/chain/network.h"

struct rhm_trainer {
    unsigned level;
    struct rhm_layer *layer;   /* filled as far as the work has come; owned */
    struct rhm_ridge ridge;    /* G, B and the iterate */
    int opaque;                /* 1: the iterate is being written outside the lock (a factorisation) */
    double steps_per_second;   /* 0: no limit */
    double started, published; /* rhm_clock */
    double spent;              /* seconds of work so far */
    uint64_t next_point;       /* the step at which the history gets its next point */
    struct rhm_matrix q;       /* exact, parents x classes, or empty: the grammar is not known, or its
                                  patches are noisy */
    struct rhm_progress_layer progress;
};

/* Collects the samples of layer l, chooses sigma, builds features and Gram matrix. The net's layers above l
 * are trained; its lock is taken only to commit codes. */
enum rhm_status rhm_trainer_create(struct rhm_trainer **trainer, struct rhm_network *net, unsigned l,
                                   const struct rhm_train_options *options, struct rhm_monitor *monitor,
                                   struct rhm_error *err);
/* The V x V identity: the embedding of tokens. Freed with free(). */
double *rhm_one_hot(size_t V, struct rhm_error *err);

void rhm_trainer_free(struct rhm_trainer *trainer);

/* Goes on to the next phase, and shows it. */
void rhm_trainer_enter(struct rhm_trainer *trainer, enum rhm_layer_phase phase, struct rhm_monitor *monitor);

/* k steps of gradient descent in blocks of about 20 ms, polled and published in between. */
enum rhm_status rhm_trainer_step(struct rhm_trainer *trainer, struct rhm_network *net, uint64_t k,
                                 struct rhm_monitor *monitor, struct rhm_error *err);

/* The closed form. */
enum rhm_status rhm_trainer_solve(struct rhm_trainer *trainer, struct rhm_monitor *monitor,
                                  struct rhm_error *err);

/* Outputs of the current iterate (U x C, normalised), and which rows are unknown. */
enum rhm_status rhm_trainer_outputs(const struct rhm_trainer *trainer, double *f, double *sum,
                                    unsigned char *unknown, struct rhm_error *err);

/* What it knows of the label on the way: the accuracy of the label that the largest entry of q^ names, when
 * the patch is all one sees. By the exact q of its parent, which is the accuracy on new strings, where that
 * is known; else on the samples. At level 1 it is that of predictions whose patches were all seen. */

/* Outputs, clusters, codebook: trainer->layer is then whole, for the caller to take. Meanwhile readers see
 * the iterate: what they look at (patches, parents, features, iterate) stays, the rest is changed under the
 * lock. Where it fails or is interrupted the trainer is as it was before. */
enum rhm_status rhm_trainer_finish(struct rhm_trainer *trainer, struct rhm_network *net,
                                   struct rhm_monitor *monitor, struct rhm_error *err);

#endif
