/* accuracy.c - see accuracy.h. */
#include "engine/data/accuracy.h"

#include <stdlib.h>

#include "engine/base/memory.h"

enum rhm_status rhm_accuracy(const struct rhm_dataset *data, rhm_predict_function *predict, void *model,
                             double *accuracy, rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    size_t labelled = data->n - rhm_dataset_missing(data).labels, right = 0;
    if (labelled == 0)
        return rhm_fail(err, RHM_EARG, "none of the %zu strings of the data set has a label", data->n);
    uint16_t *labels = rhm_array(data->n, sizeof *labels, "the predictions", err);
    if (labels == NULL)
        return RHM_EMEMORY;
    enum rhm_status status = predict(model, data->n, data->tokens, labels, poll, context, err);
    for (size_t i = 0; i < data->n && status == RHM_OK; i++)
        right += labels[i] == data->labels[i]; /* a predicted label is never RHM_MISSING */
    if (status == RHM_OK)
        *accuracy = (double)right / (double)labelled;
    free(labels);
    return status;
}
