/* dataset_missing.c - tokens and labels that are not known: found, hidden, left out. See dataset.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/rng.h"
#include "engine/data/dataset.h"

struct rhm_missing rhm_dataset_missing(const struct rhm_dataset *data)
{
    struct rhm_missing missing = {0};
    for (size_t i = 0; i < data->n; i++)
        missing.labels += data->labels[i] == RHM_MISSING;
    for (size_t i = 0; i < data->n * data->d; i++)
        missing.tokens += data->tokens[i] == RHM_MISSING;
    return missing;
}

enum rhm_status rhm_dataset_labelled(const struct rhm_dataset *data, struct rhm_dataset *own,
                                     const struct rhm_dataset **all, struct rhm_error *err)
{
    size_t n = data->n - rhm_dataset_missing(data).labels, d = data->d;
    *own = (struct rhm_dataset){0};
    *all = data;
    if (n == data->n)
        return RHM_OK;
    if (n == 0)
        return rhm_fail(err, RHM_EARG, "none of the %zu strings of the data set has a label", data->n);
    enum rhm_status status = rhm_dataset_init(own, n, d, data->V, data->classes, err);
    for (size_t i = 0, row = 0; i < data->n && status == RHM_OK; i++) {
        if (data->labels[i] == RHM_MISSING)
            continue;
        memcpy(own->tokens + row * d, data->tokens + i * d, d * sizeof *own->tokens);
        own->labels[row++] = data->labels[i];
    }
    *all = own;
    return status;
}

static enum rhm_status check_share(const char *name, double share, struct rhm_error *err)
{
    return share >= 0 && share <= 1
               ? RHM_OK
               : rhm_fail(err, RHM_EARG, "%s = %g: must be a share, from 0 to 1", name, share);
}

/* The front of one random order, so that a larger share of the same seed hides these and more. */
static enum rhm_status hide_labels(struct rhm_dataset *data, double share, uint64_t seed,
                                   struct rhm_error *err)
{
    size_t hidden = (size_t)floor(share * (double)data->n + 0.5);
    if (hidden == 0)
        return RHM_OK;
    size_t *order = rhm_array(data->n, sizeof *order, "the order of the strings", err);
    if (order == NULL)
        return RHM_EMEMORY;
    struct rhm_rng rng = rhm_rng_start(seed, RHM_STREAM_HIDE, 0);
    for (size_t i = 0; i < data->n; i++)
        order[i] = i;
    for (size_t i = 0; i < hidden; i++) {
        size_t j = i + (size_t)rhm_rng_below(&rng, data->n - i), keep = order[i];
        order[i] = order[j];
        order[j] = keep;
        data->labels[order[i]] = RHM_MISSING;
    }
    free(order);
    return RHM_OK;
}

enum rhm_status rhm_dataset_hide(const struct rhm_dataset *data, double labels, double tokens, uint64_t seed,
                                 struct rhm_dataset *out, struct rhm_error *err)
{
    *out = (struct rhm_dataset){0};
    enum rhm_status status = check_share("labels", labels, err);
    if (status == RHM_OK)
        status = check_share("tokens", tokens, err);
    if (status == RHM_OK)
        status = rhm_dataset_init(out, data->n, data->d, data->V, data->classes, err);
    if (status != RHM_OK)
        return status;
    memcpy(out->tokens, data->tokens, data->n * data->d * sizeof *out->tokens);
    memcpy(out->labels, data->labels, data->n * sizeof *out->labels);
    for (size_t i = 0; i < data->n && tokens > 0; i++) {
        struct rhm_rng rng = rhm_rng_start(seed, RHM_STREAM_HIDE + 1, i);
        for (size_t j = 0; j < data->d; j++)
            if (rhm_rng_uniform(&rng) < tokens)
                out->tokens[i * data->d + j] = RHM_MISSING;
    }
    status = hide_labels(out, labels, seed, err);
    if (status != RHM_OK)
        rhm_dataset_clear(out);
    return status;
}
