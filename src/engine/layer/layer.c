/* layer.c - the outputs of a layer. See layer.h; its clusters are in synonyms.c, its training in trainer.c.
 */
#include "engine/layer/layer.h"

#include <math.h>
#include <stdlib.h>

#include "engine/base/memory.h"

void rhm_layer_drop_results(struct rhm_layer *layer)
{
    rhm_clusters_clear(&layer->clusters);
    rhm_codebook_clear(&layer->codebook);
    free(layer->W);
    free(layer->output);
    free(layer->point);
    free(layer->sum);
    free(layer->unknown);
    free(layer->cluster);
    free(layer->order);
    free(layer->code_parent);
    layer->W = layer->output = layer->point = layer->sum = NULL;
    layer->unknown = NULL;
    layer->cluster = layer->order = NULL;
    layer->code_parent = NULL;
    layer->code_parents = 0;
}

void rhm_layer_free(struct rhm_layer *layer)
{
    if (layer == NULL)
        return;
    rhm_layer_drop_results(layer);
    rhm_tally_clear(&layer->tally);
    rhm_features_clear(&layer->features);
    rhm_directions_clear(&layer->directions);
    free(layer->parent);
    free(layer);
}

double rhm_layer_mean_sum(const struct rhm_tally *tally, size_t n, const double *F)
{
    double sum = 0, weight = 0;
    for (size_t i = 0; i < n; i++) {
        double total = 0, count = (double)rhm_tally_patch_count(tally, i);
        for (size_t c = 0; c < tally->C; c++)
            total += F[i * tally->C + c];
        sum += count * total;
        weight += count;
    }
    return weight > 0 ? sum / weight : 0;
}

double rhm_layer_least_sum(double mean)
{
    return fmax(0, RHM_TAU * mean);
}

void rhm_layer_normalise(size_t n, size_t C, double least, double *f, double *sum, unsigned char *unknown)
{
    for (size_t i = 0; i < n; i++) {
        double *row = f + i * C, total = 0;
        for (size_t c = 0; c < C; c++)
            total += row[c];
        unknown[i] = !(total > least);
        for (size_t c = 0; c < C; c++)
            row[c] = unknown[i] ? 1.0 / (double)C : row[c] / total;
        if (sum)
            sum[i] = total;
    }
}

enum rhm_status rhm_layer_forward(const struct rhm_layer *layer, size_t n, const double *h, double *f,
                                  unsigned char *unknown, rhm_poll_function *poll, void *context,
                                  struct rhm_error *err)
{
    /* The features of these inputs: each embedding is a code of its own, without a table. */
    struct rhm_features inputs = layer->features;
    size_t codes = n * inputs.s;
    double *embedding = rhm_array(codes * inputs.width, sizeof *embedding, "unseen patches", err);
    double *square = rhm_array(codes, sizeof *square, "unseen patches", err);
    uint32_t *tuple = rhm_array(codes, sizeof *tuple, "unseen patches", err);
    double *J = layer->point ? rhm_array(n * layer->tally.C, sizeof *J, "unseen patches", err) : f;
    enum rhm_status status = embedding && square && tuple && J ? RHM_OK : RHM_EMEMORY;
    if (status == RHM_OK) {
        for (size_t i = 0; i < codes; i++) {
            tuple[i] = (uint32_t)i;
            for (size_t j = 0; j < inputs.width; j++) {
                double e = h[i * inputs.width + j];
                embedding[i * inputs.width + j] = e;
                square[i] += e * e;
            }
        }
        inputs.K = codes;
        inputs.embedding = embedding;
        inputs.square = square;
        inputs.table = NULL;
        status = rhm_ridge_outputs(&inputs, n, tuple, layer->tally.C, layer->W, J, poll, context, err);
    }
    if (status == RHM_OK)
        rhm_layer_normalise(n, layer->tally.C, rhm_layer_least_sum(layer->mean_sum), J, NULL, unknown);
    if (status == RHM_OK && layer->point)
        rhm_directions_points(&layer->directions, n, J, f);
    if (layer->point)
        free(J);
    free(embedding);
    free(square);
    free(tuple);
    return status;
}
