/* accuracy.h - how often a model is right on labelled strings. */
#ifndef RHM_ACCURACY_H
#define RHM_ACCURACY_H

#include "engine/base/poll.h"
#include "engine/data/dataset.h"

/* The labels (n) that a model gives to n strings of d tokens. */
typedef enum rhm_status rhm_predict_function(void *model, size_t n, const uint16_t *tokens, uint16_t *labels,
                                             rhm_poll_function *poll, void *context, struct rhm_error *err);

/* The share of right ones among the strings that have a label; RHM_EARG where none has. */
enum rhm_status rhm_accuracy(const struct rhm_dataset *data, rhm_predict_function *predict, void *model,
                             double *accuracy, rhm_poll_function *poll, void *context, struct rhm_error *err);

#endif
