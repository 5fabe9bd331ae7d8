/* network_save.c - see network_file.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/chain/network_file.h"
#include "engine/chain/network_format.h"
#include "engine/chain/refine.h"

static hid_t file_type(int is_float, size_t size)
{
    return is_float    ? H5T_IEEE_F64LE
           : size == 1 ? H5T_STD_U8LE
           : size == 2 ? H5T_STD_U16LE
           : size == 4 ? H5T_STD_U32LE
                       : H5T_STD_U64LE;
}

#define LAYER_ARRAYS 27 /* at most; the fields come on top */

struct list {
    struct rhm_hdf5_array *array;
    char (*name)[RHM_NETWORK_NAME];
    size_t n;
    double bytes;
    double (*history)[RHM_HISTORY_POINTS][5]; /* [level - 1] */
    uint64_t refined[RHM_REFINED_NUMBERS];
    double *sweeps; /* history of the refinement; owned */
};

/* cols = 0: one dimension; rows = 0 as well: one element. */
static void put(struct list *list, unsigned l, const char *name, int is_float, size_t size, size_t rows,
                size_t cols, const void *elements)
{
    char *own = list->name[list->n];
    if (l > 0)
        snprintf(own, RHM_NETWORK_NAME, "layer%u/%s", l, name);
    else
        snprintf(own, RHM_NETWORK_NAME, "%s", name);
    list->array[list->n++] = (struct rhm_hdf5_array){.name = own,
                                                     .file_type = file_type(is_float, size),
                                                     .memory_type = rhm_network_type(is_float, size),
                                                     .rank = cols > 0 ? 2 : rows > 0,
                                                     .extents = {rows > 0 ? rows : 1, cols > 0 ? cols : 1},
                                                     .elements = elements};
    list->bytes += 1024 + (double)size * (double)(rows > 0 ? rows : 1) * (double)(cols > 0 ? cols : 1);
}

static void put_reals(struct list *list, unsigned l, const char *name, size_t rows, size_t cols,
                      const double *elements)
{
    put(list, l, name, 1, sizeof *elements, rows, cols, elements);
}

static void put_layer(struct list *list, const struct rhm_layer *layer)
{
    unsigned l = layer->level;
    const struct rhm_features *f = &layer->features;
    const struct rhm_codebook *book = &layer->codebook;
    size_t U = layer->tally.patches.n, C = layer->tally.C, s = layer->tally.patches.s, k = layer->clusters.k;
    for (size_t i = 0; i < RHM_NETWORK_FIELDS; i++)
        put(list, l, rhm_network_fields[i].name, rhm_network_fields[i].is_float, rhm_network_fields[i].size,
            0, 0, (const char *)layer + rhm_network_fields[i].offset);
    put(list, l, "patches", 0, sizeof(uint32_t), U, s, layer->tally.patches.tuple);
    put(list, l, "counts", 0, sizeof(uint64_t), U, C, layer->tally.count);
    put_reals(list, l, "frequency", f->rows, f->s * f->width, f->frequency);
    if (f->bias != NULL)
        put_reals(list, l, "bias", f->rows, 0, f->bias);
    put_reals(list, l, "W", C, f->M, layer->W);
    put_reals(list, l, "output", U, C, layer->output);
    put_reals(list, l, "sum", U, 0, layer->sum);
    put(list, l, "unknown", 0, 1, U, 0, layer->unknown);
    put(list, l, "parent", 0, sizeof(uint32_t), U, 0, layer->parent);
    put(list, l, "cluster", 0, sizeof(size_t), U, 0, layer->cluster);
    put(list, l, "order", 0, sizeof(size_t), U, 0, layer->order);
    size_t width = layer->directions.width;
    if (layer->directions.places > 1) {
        put(list, l, "places", 0, sizeof layer->directions.places, 0, 0, &layer->directions.places);
        put(list, l, "strings", 0, sizeof layer->strings, 0, 0, &layer->strings);
        put_reals(list, l, "repeats", 0, 0, &layer->repeats);
        put_reals(list, l, "direction_mean", C, 0, layer->directions.mean);
        put_reals(list, l, "direction_map", C, width, layer->directions.map);
        put_reals(list, l, "direction_offset", width, 0, layer->directions.offset);
        put_reals(list, l, "point", U, width, layer->point);
    }
    put_reals(list, l, "centroid", k, width, layer->clusters.centroid);
    put_reals(list, l, "cluster_weight", k, 0, layer->clusters.weight);
    put_reals(list, l, "code_embedding", book->K, width, book->embedding);
    put(list, l, "code_parent", 0, sizeof(uint32_t), layer->code_parents, 0, layer->code_parent);
    put(list, l, "coded_patches", 0, sizeof(uint32_t), book->patches.n, s, book->patches.tuple);
    double(*history)[5] = list->history[l - 1];
    for (size_t i = 0; i < layer->history.n; i++) {
        const struct rhm_history_point *point = &layer->history.point[i];
        history[i][0] = (double)point->step;
        history[i][1] = point->loss;
        history[i][2] = point->intra;
        history[i][3] = point->inter;
        history[i][4] = point->accuracy;
    }
    if (layer->history.n > 0)
        put_reals(list, l, "history", layer->history.n, 5, history[0]);
    put(list, l, "code", 0, sizeof(uint32_t), book->patches.n, 0, book->code);
}

static size_t rules_of(const struct rhm_grammar *g)
{
    return g->first_rule[g->L + 1];
}

static enum rhm_status put_refined(struct list *list, const struct rhm_refined *r, struct rhm_error *err)
{
    const struct rhm_tree *tree = &r->tree;
    const uint64_t numbers[RHM_REFINED_NUMBERS] = {
        (uint64_t)r->m, r->starts, r->best, (uint64_t)r->from_chain, r->n, r->labelled, r->last};
    size_t width = 6 + tree->L;
    list->sweeps = rhm_array(r->points * width, sizeof *list->sweeps, "the contents of a file", err);
    if (list->sweeps == NULL)
        return RHM_EMEMORY;
    for (size_t i = 0; i < r->points; i++) {
        const struct rhm_refine_point *point = &r->history[i];
        double *row = list->sweeps + i * width;
        row[0] = (double)point->start;
        row[1] = (double)point->sweep;
        row[2] = point->log_joint;
        row[3] = point->log_label;
        row[4] = point->accuracy;
        row[5] = point->held_out;
        for (unsigned l = 1; l <= tree->L; l++)
            row[5 + l] = point->entropy[l];
    }
    memcpy(list->refined, numbers, sizeof numbers);
    put(list, 0, "refined/numbers", 0, sizeof *numbers, RHM_REFINED_NUMBERS, 0, list->refined);
    put_reals(list, 0, "refined/history", r->points, width, list->sweeps);
    put_reals(list, 0, "refined/prior", tree->symbols[0], 0, tree->prior);
    for (unsigned l = 1; l <= tree->L; l++) {
        char name[RHM_NETWORK_NAME];
        snprintf(name, sizeof name, "refined/table%u", l);
        put_reals(list, 0, name, tree->table[l].rows, tree->table[l].parents, tree->table[l].p);
    }
    return RHM_OK;
}

static enum rhm_status save_locked(const struct rhm_network *net, struct list *list, const char *path,
                                   struct rhm_error *err)
{
    const struct rhm_grammar *g = net->grammar;
    const struct rhm_hdf5_attribute attribute[] = {
        {"rhm_network", RHM_NETWORK_FORMAT},
        {"V", net->V},
        {"L", net->L},
        {"classes", net->classes},
        {"M", (unsigned)net->M},
        {"features", net->features},
        {"codebook", net->codebook},
        {"linkage", net->linkage},
    };
    put(list, 0, "s", 0, sizeof *net->branch, net->L, 0, net->branch + 1);
    put(list, 0, "seed", 0, sizeof net->seed, 0, 0, &net->seed);
    if (net->d < net->leaves)
        put(list, 0, "d", 0, sizeof net->d, 0, 0, &net->d);
    put_reals(list, 0, "sigma", 0, 0, &net->sigma);
    put_reals(list, 0, "eps_O", 0, 0, &net->eps_O);
    if (g != NULL) {
        put(list, 0, "grammar/m", 0, sizeof g->m, 0, 0, &g->m);
        put(list, 0, "grammar/seed", 0, sizeof g->seed, 0, 0, &g->seed);
        put(list, 0, "grammar/seeded", 0, sizeof g->seeded, 0, 0, &g->seeded);
        put(list, 0, "grammar/rules", 0, sizeof *g->rules, g->level[g->L + 1], 0, g->rules);
        if (g->ensemble != RHM_ENSEMBLE_UNIFORM) {
            put(list, 0, "grammar/ensemble", 0, sizeof g->ensemble, 0, 0, &g->ensemble);
            put_reals(list, 0, "grammar/shuffle", 0, 0, &g->shuffle);
        }
        if (g->p != NULL) {
            put_reals(list, 0, "grammar/p", rules_of(g), 0, g->p);
            put_reals(list, 0, "grammar/zipf", 0, 0, &g->zipf);
        }
        if (g->prior != NULL)
            put_reals(list, 0, "grammar/prior", g->classes, 0, g->prior);
        if (g->label_noise > 0)
            put_reals(list, 0, "grammar/label_noise", 0, 0, &g->label_noise);
        if (g->token_noise > 0)
            put_reals(list, 0, "grammar/token_noise", 0, 0, &g->token_noise);
    }
    for (unsigned l = 1; l <= net->L; l++)
        if (net->layer[l] != NULL)
            put_layer(list, net->layer[l]);
    enum rhm_status status = net->refined ? put_refined(list, net->refined, err) : RHM_OK;
    if (status != RHM_OK)
        return status;
    status = rhm_memory_check(list->bytes, "the file of the network", NULL, err);
    if (status != RHM_OK)
        return status;
    return rhm_hdf5_write(path, list->n, list->array, sizeof attribute / sizeof attribute[0], attribute, err);
}

enum rhm_status rhm_network_save(struct rhm_network *net, const char *path, struct rhm_error *err)
{
    size_t most = 20 + net->L + net->L * (LAYER_ARRAYS + RHM_NETWORK_FIELDS);
    struct list list = {.array = rhm_array(most, sizeof *list.array, "the contents of a file", err),
                        .name = rhm_array(most, sizeof *list.name, "the contents of a file", err),
                        .history = rhm_array(net->L, sizeof *list.history, "the contents of a file", err)};
    enum rhm_status status = list.array && list.name && list.history ? RHM_OK : RHM_EMEMORY;
    if (status == RHM_OK) {
        rhm_network_lock_reader(net);
        status = save_locked(net, &list, path, err);
        pthread_mutex_unlock(&net->lock);
    }
    free(list.array);
    free(list.name);
    free(list.history);
    free(list.sweeps);
    return status;
}
