/* onestep_file.c - a one-step model on disk. See onestep.h.
 *
 * Attributes of the root: rhm_onestep (the version of this format), V, L, classes, h, restarts, rate (as
 * numbered in onestep.h). Data sets: s (of layers 1..L), d (tokens of a string, where padded), seed; where it
 * is trained n, prior (classes) and for each layer layerN/patches (U x s codes, 0-based, sorted),
 * layerN/count (U), and for N >= 2 layerN/cluster (U), layerN/unknown, layerN/distance (within, between), for
 * N = 1 layer1/output (U x classes).
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/baselines/onestep_fit.h"
#include "engine/files/hdf5_reader.h"

#define FORMAT 1
#define NAME   32

struct page {
    struct rhm_hdf5_array array[5 + 4 * RHM_MAX_LEVELS];
    char name[5 + 4 * RHM_MAX_LEVELS][NAME];
    double distance[RHM_MAX_LEVELS + 1][2];
    size_t n;
};

static void put(struct page *page, unsigned l, const char *what, hid_t file, hid_t memory, unsigned rank,
                size_t rows, size_t cols, const void *x)
{
    char *name = page->name[page->n];
    if (l > 0)
        snprintf(name, NAME, "layer%u/%s", l, what);
    else
        snprintf(name, NAME, "%s", what);
    page->array[page->n++] = (struct rhm_hdf5_array){name, file, memory, rank, {rows, cols}, x};
}

static enum rhm_status write_locked(const struct rhm_onestep *net, const char *path, struct rhm_error *err)
{
    const struct rhm_onestep_fit *fit = &net->fit;
    struct page *page = rhm_array(1, sizeof *page, "the file", err);
    if (page == NULL)
        return RHM_EMEMORY;
    uint64_t n = fit->n;
    put(page, 0, "s", H5T_STD_U32LE, H5T_NATIVE_UINT, 1, net->L, 1, net->branch + 1);
    if (net->d < net->leaves)
        put(page, 0, "d", H5T_STD_U64LE, H5T_NATIVE_UINT64, 0, 1, 1, &net->d);
    put(page, 0, "seed", H5T_STD_U64LE, H5T_NATIVE_UINT64, 0, 1, 1, &net->seed);
    if (fit->n > 0) {
        put(page, 0, "n", H5T_STD_U64LE, H5T_NATIVE_UINT64, 0, 1, 1, &n);
        put(page, 0, "prior", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 1, net->classes, 1, fit->prior);
    }
    for (unsigned l = 1; l <= net->L && fit->n > 0; l++) {
        const struct rhm_onestep_layer *layer = &fit->layer[l];
        size_t U = layer->patches.n;
        put(page, l, "patches", H5T_STD_U32LE, H5T_NATIVE_UINT32, 2, U, layer->patches.s,
            layer->patches.tuple);
        put(page, l, "count", H5T_STD_U64LE, H5T_NATIVE_UINT64, 1, U, 1, layer->count);
        if (l == 1) {
            put(page, l, "output", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 2, U, net->classes, layer->output);
            continue;
        }
        page->distance[l][0] = layer->within;
        page->distance[l][1] = layer->between;
        put(page, l, "cluster", H5T_STD_U32LE, H5T_NATIVE_UINT32, 1, U, 1, layer->cluster);
        put(page, l, "unknown", H5T_STD_U32LE, H5T_NATIVE_UINT32, 0, 1, 1, &layer->unknown);
        put(page, l, "distance", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 1, 2, 1, page->distance[l]);
    }
    const struct rhm_hdf5_attribute attribute[] = {
        {"rhm_onestep", FORMAT},       {"V", net->V},           {"L", net->L},
        {"classes", net->classes},     {"h", (unsigned)net->h}, {"restarts", net->restarts},
        {"rate", (unsigned)net->rate},
    };
    enum rhm_status status =
        rhm_hdf5_write(path, page->n, page->array, sizeof attribute / sizeof attribute[0], attribute, err);
    free(page);
    return status;
}

enum rhm_status rhm_onestep_save(struct rhm_onestep *net, const char *path, struct rhm_error *err)
{
    pthread_mutex_lock(&net->lock);
    enum rhm_status status = write_locked(net, path, err);
    pthread_mutex_unlock(&net->lock);
    return status;
}

/* ------------------------------------------------------------ loading */

/* A new array of rows x cols (cols = 0: rows), read; NULL where it fails. */
static void *read_new(struct rhm_hdf5_reader *r, const char *name, hid_t type, size_t rows, size_t cols,
                      size_t size)
{
    double bytes = (double)rows * (cols > 0 ? (double)cols : 1) * (double)size;
    if (r->status != RHM_OK || !rhm_hdf5_reader_check(r, rhm_memory_check(bytes, name, NULL, r->err)))
        return NULL;
    void *x = rhm_array(rows * (cols > 0 ? cols : 1), size, name, r->err);
    if (rhm_hdf5_reader_check(r, x ? RHM_OK : RHM_EMEMORY))
        rhm_hdf5_reader_array(r, name, type, rows, cols, x);
    return x;
}

/* U patches of codes below `codes`, each once. */
static void read_patches(struct rhm_hdf5_reader *r, const char *name, size_t U, size_t s, uint32_t codes,
                         struct rhm_tuples *patches)
{
    uint32_t *tuple = read_new(r, name, H5T_NATIVE_UINT32, U, s, sizeof *tuple);
    for (size_t k = 0; r->status == RHM_OK && k < U * s; k++)
        if (tuple[k] >= codes)
            rhm_hdf5_reader_damaged(r, "\"%s\" holds %u at [%zu,%zu]: must be below %u", name, tuple[k],
                                    k / s, k % s, codes);
    if (r->status == RHM_OK)
        rhm_hdf5_reader_check(r, rhm_tuples_init(patches, s, r->err));
    for (size_t u = 0; r->status == RHM_OK && u < U; u++) {
        size_t row;
        if (rhm_hdf5_reader_check(r, rhm_tuples_add(patches, tuple + u * s, &row, r->err)) && row != u)
            rhm_hdf5_reader_damaged(r, "\"%s\" holds row %zu twice", name, row);
    }
    free(tuple);
}

static void read_clusters(struct rhm_hdf5_reader *r, const struct rhm_onestep *net, unsigned l, size_t U,
                          struct rhm_onestep_layer *layer)
{
    char name[NAME];
    double distance[2] = {0};
    snprintf(name, sizeof name, "layer%u/cluster", l);
    layer->cluster = read_new(r, name, H5T_NATIVE_UINT32, U, 0, sizeof *layer->cluster);
    for (size_t u = 0; r->status == RHM_OK && u < U; u++) {
        if (layer->cluster[u] >= net->symbols)
            rhm_hdf5_reader_damaged(r, "\"%s\" holds %u at [%zu]: must be below %u", name, layer->cluster[u],
                                    u, net->symbols);
        if (layer->cluster[u] >= layer->clusters)
            layer->clusters = layer->cluster[u] + 1;
    }
    snprintf(name, sizeof name, "layer%u/unknown", l);
    rhm_hdf5_reader_array(r, name, H5T_NATIVE_UINT32, 0, 0, &layer->unknown);
    if (r->status == RHM_OK && layer->unknown >= layer->clusters)
        rhm_hdf5_reader_damaged(r, "\"%s\" is %u: must be below %u", name, layer->unknown, layer->clusters);
    snprintf(name, sizeof name, "layer%u/distance", l);
    rhm_hdf5_reader_array(r, name, H5T_NATIVE_DOUBLE, 2, 0, distance);
    layer->within = distance[0];
    layer->between = distance[1];
}

static void read_layer(struct rhm_hdf5_reader *r, struct rhm_onestep *net, unsigned l)
{
    struct rhm_onestep_layer *layer = &net->fit.layer[l];
    char name[NAME];
    snprintf(name, sizeof name, "layer%u/patches", l);
    size_t U = rhm_hdf5_reader_rows(r, name);
    if (r->status == RHM_OK && (U < 1 || U > UINT32_MAX - 2))
        rhm_hdf5_reader_damaged(r, "\"%s\" holds %zu patches", name, U);
    if (r->status != RHM_OK)
        return;
    read_patches(r, name, U, net->branch[l], l == net->L ? net->symbols : net->fit.layer[l + 1].clusters,
                 &layer->patches);
    snprintf(name, sizeof name, "layer%u/count", l);
    layer->count = read_new(r, name, H5T_NATIVE_UINT64, U, 0, sizeof *layer->count);
    if (l > 1) {
        read_clusters(r, net, l, U, layer);
        return;
    }
    layer->output = read_new(r, "layer1/output", H5T_NATIVE_DOUBLE, U, net->classes, sizeof(double));
    for (size_t k = 0; r->status == RHM_OK && k < U * net->classes; k++)
        if (!isfinite(layer->output[k]))
            rhm_hdf5_reader_damaged(r, "\"layer1/output\" holds %g", layer->output[k]);
}

static void read_fit(struct rhm_hdf5_reader *r, struct rhm_onestep *net)
{
    uint64_t n = 0;
    rhm_hdf5_reader_array(r, "n", H5T_NATIVE_UINT64, 0, 0, &n);
    if (r->status == RHM_OK && (n < 1 || n > SIZE_MAX / 1024))
        rhm_hdf5_reader_damaged(r, "a model of %" PRIu64 " strings", n);
    net->fit.prior = read_new(r, "prior", H5T_NATIVE_DOUBLE, net->classes, 0, sizeof(double));
    for (size_t c = 0; r->status == RHM_OK && c < net->classes; c++)
        if (!(net->fit.prior[c] >= 0 && net->fit.prior[c] <= 1))
            rhm_hdf5_reader_damaged(r, "\"prior\" holds %g: must be 0..1", net->fit.prior[c]);
    for (unsigned l = net->L; l >= 1 && r->status == RHM_OK; l--)
        read_layer(r, net, l);
    net->fit.n = (size_t)n;
}

static void read_model(struct rhm_hdf5_reader *r, struct rhm_onestep **net)
{
    rhm_hdf5_reader_format(r, "rhm_onestep", "a model", FORMAT);
    unsigned rate = rhm_hdf5_reader_attribute(r, "rate");
    struct rhm_onestep_options o = {.V = rhm_hdf5_reader_attribute(r, "V"),
                                    .L = rhm_hdf5_reader_attribute(r, "L"),
                                    .classes = rhm_hdf5_reader_attribute(r, "classes"),
                                    .h = rhm_hdf5_reader_attribute(r, "h"),
                                    .restarts = rhm_hdf5_reader_attribute(r, "restarts"),
                                    .rate = (enum rhm_onestep_rate)rate};
    if (r->status == RHM_OK && rate > RHM_ONESTEP_SAME)
        rhm_hdf5_reader_damaged(r, "its rate is number %u: must be 0 or 1", rate);
    rhm_hdf5_reader_branches(r, o.L, o.branch);
    o.d = rhm_hdf5_reader_length(r);
    rhm_hdf5_reader_array(r, "seed", H5T_NATIVE_UINT64, 0, 0, &o.seed);
    if (r->status != RHM_OK)
        return;
    struct rhm_error own = {0};
    rhm_hdf5_reader_made(r, rhm_onestep_create(net, &o, &own), &own);
    if (rhm_hdf5_reader_has(r, "n"))
        read_fit(r, *net);
}

enum rhm_status rhm_onestep_load(struct rhm_onestep **out, const char *path, struct rhm_error *err)
{
    struct rhm_hdf5_reader r;
    struct rhm_onestep *net = NULL;
    rhm_hdf5_reader_open(&r, path, err);
    read_model(&r, &net);
    enum rhm_status status = rhm_hdf5_reader_close(&r);
    if (status == RHM_OK)
        *out = net;
    else
        rhm_onestep_free(net);
    return status;
}

int rhm_onestep_is_file(const char *path)
{
    return rhm_hdf5_marked(path, "rhm_onestep");
}
