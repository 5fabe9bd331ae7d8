/* network_load_layer.c - a layer of a network in a file. See network_load.h. */
#include "engine/chain/network_load.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/base/rng.h"
#include "engine/chain/network_format.h"
#include "engine/chain/trainer.h"

/* Integers below `limit`, or equal to `also`. */
static void check_below(struct rhm_hdf5_reader *r, const char *name, size_t n, const uint32_t *x,
                        size_t limit, uint32_t also)
{
    for (size_t i = 0; rhm_hdf5_reader_fine(r) && i < n; i++)
        if (x[i] >= limit && x[i] != also)
            rhm_hdf5_reader_damaged(r, "\"%s\" holds %" PRIu32 " at place %zu: must be below %zu", name, x[i],
                                    i, limit);
}

static uint32_t *read_codes(struct rhm_hdf5_reader *r, const char *name, size_t *rows, size_t cols,
                            size_t limit, uint32_t also)
{
    uint32_t *x = rhm_hdf5_reader_new(r, name, rhm_network_type(0, sizeof *x), rows, cols);
    if (x != NULL)
        check_below(r, name, *rows * (cols > 0 ? cols : 1), x, limit, also);
    return x;
}

/* The patches with their counts, in the order of the file. */
static void read_tally(struct rhm_hdf5_reader *r, const struct rhm_network *net, struct rhm_layer *layer,
                       size_t inputs)
{
    size_t U = RHM_HDF5_ANY, s = rhm_network_s(net, layer->level), row,
           C = layer->directions.places * net->classes;
    if (!rhm_hdf5_reader_check(r, rhm_tally_init(&layer->tally, s, C, r->err)))
        return;
    uint32_t *tuple = read_codes(r, "patches", &U, s, inputs, 0);
    uint64_t *count = rhm_hdf5_reader_new(r, "counts", rhm_network_type(0, sizeof *count), &U, C);
    for (size_t i = 0; rhm_hdf5_reader_fine(r) && i < U; i++) {
        if (rhm_tuples_find(&layer->tally.patches, tuple + i * s) != SIZE_MAX)
            rhm_hdf5_reader_damaged(r, "patch %zu stands twice in \"patches\"", i);
        for (size_t c = 0; rhm_hdf5_reader_fine(r) && c < C; c++) {
            if (count[i * C + c] > (UINT64_C(1) << 53) - layer->tally.N)
                rhm_hdf5_reader_damaged(r, "the counts of patches pass 2^53");
            else if (count[i * C + c] > 0)
                rhm_hdf5_reader_check(
                    r, rhm_tally_add(&layer->tally, tuple + i * s, c, count[i * C + c], r->err));
        }
        row = layer->tally.patches.n;
        if (rhm_hdf5_reader_fine(r) && row != i + 1)
            rhm_hdf5_reader_damaged(r, "patch %zu has no samples", i);
    }
    free(tuple);
    free(count);
}

static void read_features(struct rhm_hdf5_reader *r, const struct rhm_network *net, struct rhm_layer *layer,
                          size_t inputs)
{
    unsigned l = layer->level;
    double *tokens = NULL;
    size_t width = l == net->L ? net->symbols : net->layer[l + 1]->codebook.width;
    size_t s = rhm_network_s(net, l);
    if (l == net->L && rhm_hdf5_reader_fine(r)) {
        tokens = rhm_one_hot(net->symbols, r->err);
        rhm_hdf5_reader_check(r, tokens ? RHM_OK : RHM_EMEMORY);
    }
    if (rhm_hdf5_reader_fine(r))
        rhm_hdf5_reader_check(r, rhm_features_init(&layer->features, net->features, net->M, s, inputs, width,
                                                   tokens ? tokens : net->layer[l + 1]->codebook.embedding,
                                                   layer->sigma, net->seed, RHM_STREAM_FEATURES + l, r->err));
    free(tokens);
    size_t rows = layer->features.rows;
    double *frequency = rhm_hdf5_reader_reals(r, "frequency", &rows, s * width);
    double *bias = rhm_hdf5_reader_fine(r) && layer->features.bias != NULL
                       ? rhm_hdf5_reader_reals(r, "bias", &rows, 0)
                       : NULL;
    if (rhm_hdf5_reader_fine(r))
        rhm_hdf5_reader_check(r, rhm_features_set_frequencies(&layer->features, frequency, bias, r->err));
    free(frequency);
    free(bias);
}

/* At how many places the layer learned: all or one. */
static void read_places(struct rhm_hdf5_reader *r, const struct rhm_network *net, struct rhm_layer *layer)
{
    struct rhm_directions *d = &layer->directions;
    *d = (struct rhm_directions){.places = 1, .classes = net->classes, .width = net->classes};
    if (!rhm_hdf5_reader_fine(r) || !rhm_hdf5_reader_has(r, "places"))
        return;
    rhm_hdf5_reader_array(r, "places", rhm_network_type(0, sizeof d->places), 0, 0, &d->places);
    rhm_hdf5_reader_array(r, "strings", rhm_network_type(0, sizeof layer->strings), 0, 0, &layer->strings);
    if (rhm_hdf5_reader_fine(r) && rhm_hdf5_reader_has(r, "repeats")) /* not in files of old */
        rhm_hdf5_reader_array(r, "repeats", rhm_network_type(1, sizeof layer->repeats), 0, 0,
                              &layer->repeats);
    if (rhm_hdf5_reader_fine(r) && !isfinite(layer->repeats))
        rhm_hdf5_reader_damaged(r, "\"repeats\" is %g", layer->repeats);
    if (rhm_hdf5_reader_fine(r) && (layer->level == 1 || d->places != rhm_network_places(net, layer->level)))
        rhm_hdf5_reader_damaged(r, "trained at %zu places: level %u has %" PRIu64, d->places, layer->level,
                                rhm_network_places(net, layer->level));
}

/* The directions and the points in them. */
static void read_directions(struct rhm_hdf5_reader *r, struct rhm_layer *layer)
{
    struct rhm_directions *d = &layer->directions;
    size_t PC = layer->tally.C, width = RHM_HDF5_ANY, U = layer->tally.patches.n;
    if (d->places == 1) {
        layer->strings = layer->tally.N;
        return;
    }
    d->mean = rhm_hdf5_reader_reals(r, "direction_mean", &PC, 0);
    d->offset = rhm_hdf5_reader_reals(r, "direction_offset", &width, 0);
    d->width = rhm_hdf5_reader_fine(r) ? width : 0;
    d->map = rhm_hdf5_reader_reals(r, "direction_map", &PC, width);
    layer->point = rhm_hdf5_reader_reals(r, "point", &U, width);
    if (rhm_hdf5_reader_fine(r) && layer->strings * d->places != layer->tally.N)
        rhm_hdf5_reader_damaged(r, "%" PRIu64 " patches of %" PRIu64 " strings at %zu places", layer->tally.N,
                                layer->strings, d->places);
}

static void read_outputs(struct rhm_hdf5_reader *r, const struct rhm_network *net, struct rhm_layer *layer)
{
    size_t U = layer->tally.patches.n, C = layer->tally.C;
    size_t parents = layer->level == 1 ? net->classes : net->symbols;
    layer->W = rhm_hdf5_reader_reals(r, "W", &C, net->M);
    layer->output = rhm_hdf5_reader_reals(r, "output", &U, C);
    layer->sum = rhm_hdf5_reader_reals(r, "sum", &U, 0);
    layer->unknown = rhm_hdf5_reader_new(r, "unknown", rhm_network_type(0, 1), &U, 0);
    for (size_t i = 0; rhm_hdf5_reader_fine(r) && i < U; i++)
        if (layer->unknown[i] > 1)
            rhm_hdf5_reader_damaged(r, "\"unknown\" holds %u at place %zu: must be 0 or 1", layer->unknown[i],
                                    i);
    layer->parent = read_codes(r, "parent", &U, 0, parents, RHM_NO_PARENT);
}

/* Clusters of the known rows, k for unknown ones; the order is a permutation. */
static void read_clusters(struct rhm_hdf5_reader *r, struct rhm_layer *layer)
{
    size_t U = layer->tally.patches.n, k = RHM_HDF5_ANY;
    struct rhm_clusters *clusters = &layer->clusters; /* its distances are read already */
    clusters->dim = layer->directions.width;
    clusters->centroid = rhm_hdf5_reader_reals(r, "centroid", &k, clusters->dim);
    clusters->weight = rhm_hdf5_reader_reals(r, "cluster_weight", &k, 0);
    layer->cluster = rhm_hdf5_reader_new(r, "cluster", rhm_network_type(0, sizeof *layer->cluster), &U, 0);
    layer->order = rhm_hdf5_reader_new(r, "order", rhm_network_type(0, sizeof *layer->order), &U, 0);
    unsigned char *seen = rhm_hdf5_reader_fine(r) ? rhm_array(U, 1, "the clusters", r->err) : NULL;
    if (rhm_hdf5_reader_fine(r))
        clusters->cluster = rhm_array(U, sizeof *clusters->cluster, "the clusters", r->err);
    if (rhm_hdf5_reader_fine(r))
        rhm_hdf5_reader_check(r, seen && clusters->cluster ? RHM_OK : RHM_EMEMORY);
    clusters->k = rhm_hdf5_reader_fine(r) ? k : 0;
    for (size_t i = 0; rhm_hdf5_reader_fine(r) && i < U; i++) {
        if (layer->unknown[i] ? layer->cluster[i] != k : layer->cluster[i] >= k)
            rhm_hdf5_reader_damaged(r, "\"cluster\" holds %zu at place %zu: there are %zu clusters",
                                    layer->cluster[i], i, k);
        else if (!layer->unknown[i])
            clusters->cluster[clusters->n++] = layer->cluster[i];
        if (rhm_hdf5_reader_fine(r) && (layer->order[i] >= U || seen[layer->order[i]]))
            rhm_hdf5_reader_damaged(r, "\"order\" holds %zu at place %zu: must be a permutation of 0..%zu",
                                    layer->order[i], i, U - 1);
        else if (rhm_hdf5_reader_fine(r))
            seen[layer->order[i]] = 1;
    }
    if (rhm_hdf5_reader_fine(r) && k > clusters->n)
        rhm_hdf5_reader_damaged(r, "%zu clusters of %zu patches", k, clusters->n);
    free(seen);
}

static void read_codebook(struct rhm_hdf5_reader *r, const struct rhm_network *net, struct rhm_layer *layer)
{
    struct rhm_codebook *book = &layer->codebook;
    unsigned l = layer->level;
    size_t K = RHM_HDF5_ANY, P = RHM_HDF5_ANY, C = layer->directions.width,
           parents = l == 1 ? net->classes : net->symbols;
    size_t s = rhm_network_s(net, l), inputs = l == net->L ? net->symbols : net->layer[l + 1]->codebook.K;
    if (!rhm_hdf5_reader_fine(r) || !rhm_hdf5_reader_check(r, rhm_codebook_init(book, s, C, r->err)))
        return;
    double *embedding = rhm_hdf5_reader_reals(r, "code_embedding", &K, C);
    if (rhm_hdf5_reader_fine(r) && K >= UINT32_MAX)
        rhm_hdf5_reader_damaged(r, "%zu codes: must be below 2^32 - 1", K);
    if (rhm_hdf5_reader_fine(r) && !layer->keeps_patches && K != layer->clusters.k + 1)
        rhm_hdf5_reader_damaged(r, "%zu codes of %zu clusters: must be one more, the unknown one", K,
                                layer->clusters.k);
    if (rhm_hdf5_reader_fine(r) && layer->unknown_code >= K)
        rhm_hdf5_reader_damaged(r, "the code of unknown patches is %" PRIu32 " of %zu", layer->unknown_code,
                                K);
    layer->code_parent = read_codes(r, "code_parent", &K, 0, parents, RHM_NO_PARENT);
    layer->code_parents = rhm_hdf5_reader_fine(r) ? K : 0;
    uint32_t *tuple = read_codes(r, "coded_patches", &P, s, inputs, 0);
    uint32_t *code = read_codes(r, "code", &P, 0, K, 0);
    for (size_t c = 0; rhm_hdf5_reader_fine(r) && c < K; c++) {
        uint32_t number;
        rhm_hdf5_reader_check(r, rhm_codebook_add(book, embedding + c * C, &number, r->err));
    }
    for (size_t i = 0; rhm_hdf5_reader_fine(r) && i < P; i++)
        if (rhm_hdf5_reader_check(r, rhm_codebook_map(book, tuple + i * s, code[i], r->err)) &&
            book->patches.n != i + 1)
            rhm_hdf5_reader_damaged(r, "patch %zu stands twice in \"coded_patches\"", i);
    free(embedding);
    free(tuple);
    free(code);
}

/* Rows of step, loss, intra, inter, accuracy; there is none where the closed form was used. */
static void read_history(struct rhm_hdf5_reader *r, struct rhm_layer *layer)
{
    size_t n = RHM_HDF5_ANY;
    if (!rhm_hdf5_reader_fine(r) || !rhm_hdf5_reader_has(r, "history"))
        return;
    double *row = rhm_hdf5_reader_new(r, "history", rhm_network_type(1, sizeof *row), &n, 5);
    if (rhm_hdf5_reader_fine(r) && n > RHM_HISTORY_POINTS)
        rhm_hdf5_reader_damaged(r, "\"history\" has %zu points: must be at most %d", n, RHM_HISTORY_POINTS);
    for (size_t i = 0; rhm_hdf5_reader_fine(r) && i < n; i++) {
        const double *x = row + 5 * i;
        if (!(x[0] >= 0 && x[0] <= 0x1p53))
            rhm_hdf5_reader_damaged(r, "\"history\" has step %g", x[0]);
        else
            layer->history.point[layer->history.n++] =
                (struct rhm_history_point){(uint64_t)x[0], x[1], x[2], x[3], x[4]};
    }
    free(row);
}

void rhm_network_load_layer(struct rhm_hdf5_reader *r, struct rhm_network *net, unsigned l)
{
    struct rhm_layer *layer = rhm_array(1, sizeof *layer, "a layer", r->err);
    if (!rhm_hdf5_reader_check(r, layer ? RHM_OK : RHM_EMEMORY))
        return;
    net->layer[l] = layer; /* freed with the network, whatever comes */
    for (size_t i = 0; i < RHM_NETWORK_FIELDS; i++)
        rhm_hdf5_reader_array(r, rhm_network_fields[i].name,
                              rhm_network_type(rhm_network_fields[i].is_float, rhm_network_fields[i].size), 0,
                              0, (char *)layer + rhm_network_fields[i].offset);
    layer->level = l;
    layer->seconds = NAN; /* not in the file */
    layer->keeps_patches = net->codebook == RHM_CODEBOOK_EXACT || l == 1;
    size_t inputs = layer->features.K, most = l == net->L ? net->symbols : net->layer[l + 1]->codebook.K;
    layer->features.K = 0;
    if (rhm_hdf5_reader_fine(r) && (inputs < 1 || inputs > most || (l == net->L && inputs != most)))
        rhm_hdf5_reader_damaged(r, "%zu input codes, the layer above has %zu", inputs, most);
    if (rhm_hdf5_reader_fine(r) && layer->solver != RHM_SOLVER_EXACT && layer->solver != RHM_SOLVER_GD)
        rhm_hdf5_reader_damaged(r, "its solver is number %u", (unsigned)layer->solver);
    if (rhm_hdf5_reader_fine(r) && !isfinite(layer->mean_sum))
        rhm_hdf5_reader_damaged(r, "its mean sum of outputs is %g", layer->mean_sum);
    if (rhm_hdf5_reader_fine(r))
        read_places(r, net, layer);
    if (rhm_hdf5_reader_fine(r))
        read_tally(r, net, layer, inputs);
    if (rhm_hdf5_reader_fine(r))
        read_directions(r, layer);
    if (rhm_hdf5_reader_fine(r))
        read_features(r, net, layer, inputs);
    if (rhm_hdf5_reader_fine(r))
        read_outputs(r, net, layer);
    if (rhm_hdf5_reader_fine(r))
        read_clusters(r, layer);
    if (rhm_hdf5_reader_fine(r))
        read_codebook(r, net, layer);
    read_history(r, layer);
}
