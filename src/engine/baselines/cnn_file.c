/* cnn_file.c - a convolutional network on disk. See cnn.h.
 *
 * Attributes of the root: rhm_cnn (the version of this format), V, L, classes, h, local, scaling (as
 * numbered in cnn.h). Data sets: s (of layers 1..L), d (tokens of a string, where padded), seed, steps,
 * epochs; layer1/weight .. layerL/weight, head/weight (float32, sets * inputs x outputs), .../bias (sets *
 * outputs); history (epoch, loss, accuracy, rate, held_loss, held_accuracy) where there is one.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/baselines/cnn.h"
#include "engine/files/hdf5_reader.h"

#define FORMAT  2
#define COLUMNS 6 /* of the history */
#define NAME    32

static void name_of(unsigned l, const char *part, char name[NAME])
{
    if (l == 0)
        snprintf(name, NAME, "head/%s", part);
    else
        snprintf(name, NAME, "layer%u/%s", l, part);
}

static enum rhm_status write_locked(const struct rhm_cnn *net, const char *path, struct rhm_error *err)
{
    struct rhm_hdf5_array array[2 * (RHM_MAX_LEVELS + 1) + 6];
    char name[2 * (RHM_MAX_LEVELS + 1)][NAME];
    size_t n = 0;
    for (unsigned l = 0; l <= net->L; l++) {
        const struct rhm_cnn_layer *layer = &net->layer[l];
        name_of(l, "weight", name[n]);
        array[n] = (struct rhm_hdf5_array){name[n],
                                           H5T_IEEE_F32LE,
                                           H5T_NATIVE_FLOAT,
                                           2,
                                           {layer->sets * layer->inputs, layer->outputs},
                                           net->w + layer->weight};
        n++;
        name_of(l, "bias", name[n]);
        array[n] = (struct rhm_hdf5_array){name[n],
                                           H5T_IEEE_F32LE,
                                           H5T_NATIVE_FLOAT,
                                           1,
                                           {layer->sets * layer->outputs, 1},
                                           net->w + layer->bias};
        n++;
    }
    array[n++] =
        (struct rhm_hdf5_array){"s", H5T_STD_U32LE, H5T_NATIVE_UINT, 1, {net->L, 1}, net->branch + 1};
    array[n++] = (struct rhm_hdf5_array){"seed", H5T_STD_U64LE, H5T_NATIVE_UINT64, 0, {1, 1}, &net->seed};
    array[n++] = (struct rhm_hdf5_array){"steps", H5T_STD_U64LE, H5T_NATIVE_UINT64, 0, {1, 1}, &net->steps};
    array[n++] = (struct rhm_hdf5_array){"epochs", H5T_STD_U64LE, H5T_NATIVE_UINT64, 0, {1, 1}, &net->epochs};
    if (net->d < net->leaves)
        array[n++] = (struct rhm_hdf5_array){"d", H5T_STD_U64LE, H5T_NATIVE_UINT64, 0, {1, 1}, &net->d};
    size_t points = net->history.n;
    double(*row)[COLUMNS] = rhm_array(points, sizeof *row, "the history", err);
    if (row == NULL)
        return RHM_EMEMORY;
    for (size_t i = 0; i < points; i++) {
        const struct rhm_cnn_point *p = &net->history.point[i];
        const double value[COLUMNS] = {(double)p->epoch, p->loss,      p->accuracy,
                                       p->rate,          p->held_loss, p->held_accuracy};
        for (int c = 0; c < COLUMNS; c++)
            row[i][c] = value[c];
    }
    if (points > 0)
        array[n++] =
            (struct rhm_hdf5_array){"history", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 2, {points, COLUMNS}, row};
    const struct rhm_hdf5_attribute attribute[] = {
        {"rhm_cnn", FORMAT},       {"V", net->V},           {"L", net->L},
        {"classes", net->classes}, {"h", (unsigned)net->h}, {"local", (unsigned)net->local},
        {"scaling", net->scaling},
    };
    enum rhm_status status =
        rhm_hdf5_write(path, n, array, sizeof attribute / sizeof attribute[0], attribute, err);
    free(row);
    return status;
}

enum rhm_status rhm_cnn_save(struct rhm_cnn *net, const char *path, struct rhm_error *err)
{
    atomic_fetch_add(&net->readers_waiting, 1);
    pthread_mutex_lock(&net->lock);
    atomic_fetch_sub(&net->readers_waiting, 1);
    enum rhm_status status = write_locked(net, path, err);
    pthread_mutex_unlock(&net->lock);
    return status;
}

/* ------------------------------------------------------------ loading */

static void read_history(struct rhm_hdf5_reader *r, struct rhm_cnn *net)
{
    size_t n = rhm_hdf5_reader_rows(r, "history");
    if (n == 0 || r->status != RHM_OK)
        return;
    double(*row)[COLUMNS] = rhm_array(n, sizeof *row, "the history", r->err);
    net->history.point = rhm_array(n, sizeof *net->history.point, "the history", r->err);
    if (rhm_hdf5_reader_check(r, row && net->history.point ? RHM_OK : RHM_EMEMORY))
        rhm_hdf5_reader_array(r, "history", H5T_NATIVE_DOUBLE, n, COLUMNS, row);
    for (size_t i = 0; i < n && r->status == RHM_OK; i++) {
        if (!(row[i][0] >= 1 && row[i][0] <= 0x1p53))
            rhm_hdf5_reader_damaged(r, "\"history\" has epoch %g", row[i][0]);
        else
            net->history.point[i] = (struct rhm_cnn_point){(uint64_t)row[i][0], row[i][1], row[i][2],
                                                           row[i][3],           row[i][4], row[i][5]};
    }
    net->history.n = net->history.room = r->status == RHM_OK ? n : 0;
    free(row);
}

static void read_weights(struct rhm_hdf5_reader *r, struct rhm_cnn *net)
{
    for (unsigned l = 0; l <= net->L && r->status == RHM_OK; l++) {
        const struct rhm_cnn_layer *layer = &net->layer[l];
        char name[NAME];
        name_of(l, "weight", name);
        rhm_hdf5_reader_array(r, name, H5T_NATIVE_FLOAT, layer->sets * layer->inputs, layer->outputs,
                              net->w + layer->weight);
        rhm_hdf5_reader_finite(r, name, layer->bias - layer->weight, net->w + layer->weight);
        name_of(l, "bias", name);
        rhm_hdf5_reader_array(r, name, H5T_NATIVE_FLOAT, layer->sets * layer->outputs, 0,
                              net->w + layer->bias);
        rhm_hdf5_reader_finite(r, name, layer->sets * layer->outputs, net->w + layer->bias);
    }
}

static void read_network(struct rhm_hdf5_reader *r, struct rhm_cnn **net)
{
    rhm_hdf5_reader_format(r, "rhm_cnn", "a network", FORMAT);
    struct rhm_cnn_options o = {.V = rhm_hdf5_reader_attribute(r, "V"),
                                .L = rhm_hdf5_reader_attribute(r, "L"),
                                .classes = rhm_hdf5_reader_attribute(r, "classes"),
                                .h = rhm_hdf5_reader_attribute(r, "h"),
                                .local = rhm_hdf5_reader_attribute(r, "local") != 0};
    rhm_hdf5_reader_branches(r, o.L, o.branch);
    o.d = rhm_hdf5_reader_length(r);
    unsigned scaling = rhm_hdf5_reader_attribute(r, "scaling");
    if (scaling > RHM_CNN_MEAN_FIELD)
        rhm_hdf5_reader_damaged(r, "its scaling is number %u: must be 0 or 1", scaling);
    o.scaling = (enum rhm_cnn_scaling)scaling;
    rhm_hdf5_reader_array(r, "seed", H5T_NATIVE_UINT64, 0, 0, &o.seed);
    struct rhm_error own = {0};
    if (r->status != RHM_OK)
        return;
    rhm_hdf5_reader_made(r, rhm_cnn_create(net, &o, &own), &own);
    if (r->status != RHM_OK)
        return;
    rhm_hdf5_reader_array(r, "steps", H5T_NATIVE_UINT64, 0, 0, &(*net)->steps);
    rhm_hdf5_reader_array(r, "epochs", H5T_NATIVE_UINT64, 0, 0, &(*net)->epochs);
    read_weights(r, *net);
    read_history(r, *net);
}

enum rhm_status rhm_cnn_load(struct rhm_cnn **out, const char *path, struct rhm_error *err)
{
    struct rhm_hdf5_reader r;
    struct rhm_cnn *net = NULL;
    rhm_hdf5_reader_open(&r, path, err);
    read_network(&r, &net);
    enum rhm_status status = rhm_hdf5_reader_close(&r);
    if (status == RHM_OK)
        *out = net;
    else
        rhm_cnn_free(net);
    return status;
}

int rhm_cnn_is_file(const char *path)
{
    return rhm_hdf5_marked(path, "rhm_cnn");
}
