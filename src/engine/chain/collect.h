/* collect.h - the samples of one layer, counted. */
#ifndef RHM_COLLECT_H
#define RHM_COLLECT_H

#include "engine/chain/chain.h"
#include "engine/layer/repeats.h"

/* Counts the first level-l patches of n[l] samples of the source, or with position = all those of all places
 * (label place * classes + label, whole strings), into tally (sorted): from a grammar by the
 * tally sampler or by drawing, fresh for each layer; from a data set its first n[l] strings that have a
 * label, the same for all layers. `drawn` follows the progress in `progress->drawn`, published to the
 * monitor. repeats (initialised; NULL: not wanted) gets the pairs of equal patches in one string. */
enum rhm_status rhm_collect(struct rhm_chain *chain, unsigned l, const struct rhm_train_options *options,
                            struct rhm_tally *tally, struct rhm_repeats *repeats,
                            struct rhm_progress_layer *progress, struct rhm_monitor *monitor,
                            struct rhm_error *err);

#endif
