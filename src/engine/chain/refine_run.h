/* refine_run.h - what refine.c hands to the EM of refine_run.c. */
#ifndef RHM_REFINE_RUN_H
#define RHM_REFINE_RUN_H

#include "engine/chain/refine.h"

/* The data as EM sees them: a part may be held out. */
struct rhm_refine_run {
    struct rhm_network *net;
    const struct rhm_refine_options *options;
    struct rhm_dataset train, held; /* train: strings with a label first; held.n = 0: none */
    size_t labelled, used;          /* of train: with a label; that EM sees: these or all */
    int owned;                      /* train is a copy */
    int equal_labels; /* P(label) is 1/C: else strings without a label would have their say in it */
    int64_t m;
    struct rhm_refined *refined;
    struct rhm_tree_counts counts, rest_counts, held_counts;
    struct rhm_tree tree; /* of the start at work */
    double best_score;    /* of all starts */
    struct rhm_monitor *monitor;
};

/* 1: every layer is trained and has no more codes than symbols. */
int rhm_refine_chain_fits(const struct rhm_network *net);

/* From the chain, where refined->from_chain says so, and from counts; the best tables in refined->tree. */
enum rhm_status rhm_refine_run(struct rhm_refine_run *w, struct rhm_error *err);

#endif
