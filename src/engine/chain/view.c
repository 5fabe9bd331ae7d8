/* view.c - a layer copied for whoever looks at it, trained or in training. See network.h. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/chain/network.h"
#include "engine/chain/trainer.h"
#include "engine/chain/truth.h"

void rhm_layer_view_clear(struct rhm_layer_view *view)
{
    free(view->tuple);
    free(view->count);
    free(view->cluster);
    free(view->parent);
    free(view->is_unknown);
    free(view->q);
    free(view->q_exact);
    free(view->share);
    free(view->point);
    *view = (struct rhm_layer_view){0};
}

/* ----------------------------------------------------------- numbers */

static void copy_numbers(const struct rhm_layer *layer, struct rhm_layer_view *view)
{
    view->N = layer->strings;
    view->places = layer->directions.places;
    view->width = layer->directions.width;
    view->U = layer->tally.patches.n;
    view->s = layer->tally.patches.s;
    view->C = layer->directions.classes;
    view->steps = layer->steps;
    view->solver = layer->solver;
    view->sigma = layer->sigma;
    view->rho_in = layer->rho_in;
    view->eps_S_in = layer->eps_S_in;
    view->lambda = layer->lambda;
    view->eta = layer->eta;
    view->lambda_max = layer->lambda_max;
    view->history = layer->history;
}

static void copy_results(const struct rhm_layer *layer, struct rhm_layer_view *view)
{
    view->k = layer->clusters.k;
    view->rho = layer->clusters.rho;
    view->eps_S = layer->clusters.eps_S;
    view->loss = layer->loss;
    view->condition = layer->condition;
    view->gap = layer->gap;
    view->error = layer->error;
    view->error_max = layer->error_max;
    view->accuracy = layer->accuracy;
    view->seconds = layer->seconds;
    view->parents_expected = (unsigned)layer->parents_expected;
    view->parents_known = layer->parents_known;
    for (size_t i = 0; i < view->U; i++)
        view->unknown += layer->unknown[i];
}

/* -------------------------------------------------------------- rows */

static enum rhm_status allocate_rows(struct rhm_layer_view *view, int exact, struct rhm_error *err)
{
    size_t U = view->U;
    view->tuple = rhm_array(U * view->s, sizeof *view->tuple, "the view of a layer", err);
    view->count = rhm_array(U, sizeof *view->count, "the view of a layer", err);
    view->cluster = rhm_array(U, sizeof *view->cluster, "the view of a layer", err);
    view->parent = rhm_array(U, sizeof *view->parent, "the view of a layer", err);
    view->is_unknown = rhm_array(U, sizeof *view->is_unknown, "the view of a layer", err);
    view->q = rhm_array(U * view->C, sizeof *view->q, "the view of a layer", err);
    view->share = rhm_array(U, sizeof *view->share, "the view of a layer", err);
    if (view->places > 1)
        view->point = rhm_array(U * view->width, sizeof *view->point, "the view of a layer", err);
    if (exact)
        view->q_exact = rhm_array(U * view->C, sizeof *view->q_exact, "the view of a layer", err);
    return view->tuple && view->count && view->cluster && view->parent && view->is_unknown && view->q &&
                   view->share && (view->point || view->places == 1) && (!exact || view->q_exact)
               ? RHM_OK
               : RHM_EMEMORY;
}

/* q at the view's place from an output; 1/C where the patch was never seen there, and no share. */
static void copy_q(const struct rhm_layer *layer, size_t row, const double *output, size_t i,
                   struct rhm_layer_view *view)
{
    size_t C = view->C;
    double *q = view->q + i * C, all = (double)rhm_tally_patch_count(&layer->tally, row), here = 0;
    for (size_t c = 0; c < C; c++)
        here += (double)layer->tally.count[row * layer->tally.C + view->place * C + c];
    view->share[i] = here / all;
    if (view->places == 1)
        memcpy(q, output, C * sizeof *q);
    else if (here > 0)
        rhm_directions_q(&layer->directions, output, view->place, q);
    else
        for (size_t c = 0; c < C; c++)
            q[c] = 1.0 / (double)C;
}

/* Rows of `layer` into the view in its cluster order, or as they are (order NULL); its outputs and points. */
static void copy_rows(const struct rhm_layer *layer, const size_t *order, const double *output,
                      const double *point, const unsigned char *unknown, struct rhm_layer_view *view)
{
    for (size_t i = 0; i < view->U; i++) {
        size_t row = order ? order[i] : i;
        memcpy(view->tuple + i * view->s, rhm_tuples_row(&layer->tally.patches, row),
               view->s * sizeof *view->tuple);
        view->count[i] = rhm_tally_patch_count(&layer->tally, row);
        view->cluster[i] = view->trained ? layer->cluster[row] : 0;
        view->parent[i] = layer->parent[row];
        view->is_unknown[i] = unknown[row];
        copy_q(layer, row, output + row * layer->tally.C, i, view);
        if (view->point)
            memcpy(view->point + i * view->width, point + row * view->width, view->width * sizeof *point);
    }
}

/* In training: outputs of the current iterate; ordered by true parent where known. */
static enum rhm_status view_training(const struct rhm_trainer *t, struct rhm_layer_view *view,
                                     struct rhm_error *err)
{
    size_t U = view->U;
    double *f = rhm_array(U * t->layer->tally.C, sizeof *f, "the view of a layer", err);
    double *point = rhm_array(U * view->width, sizeof *point, "the view of a layer", err);
    unsigned char *unknown = rhm_array(U, 1, "the view of a layer", err);
    size_t *order = rhm_array(U, sizeof *order, "the view of a layer", err);
    enum rhm_status status =
        f && point && unknown && order ? rhm_trainer_outputs(t, f, NULL, unknown, err) : RHM_EMEMORY;
    if (status == RHM_OK) {
        if (view->point)
            rhm_directions_points(&t->layer->directions, U, f, point);
        size_t at = 0;
        uint32_t most = 0;
        for (size_t i = 0; i < U; i++)
            if (t->layer->parent[i] != RHM_NO_PARENT && t->layer->parent[i] > most)
                most = t->layer->parent[i];
        for (uint32_t nu = 0; nu <= most; nu++)
            for (size_t i = 0; i < U; i++)
                if (t->layer->parent[i] == nu)
                    order[at++] = i;
        for (size_t i = 0; i < U; i++)
            if (t->layer->parent[i] == RHM_NO_PARENT)
                order[at++] = i;
        copy_rows(t->layer, order, f, point, unknown, view);
    }
    free(f);
    free(point);
    free(unknown);
    free(order);
    return status;
}

static enum rhm_status view_locked(const struct rhm_network *net, unsigned l, int rows,
                                   struct rhm_layer_view *view, struct rhm_error *err)
{
    const struct rhm_trainer *t = net->trainer;
    const struct rhm_layer *layer = net->layer[l];
    view->level = l;
    view->trained = layer ? 1 : t && t->level == l ? 0 : -1;
    view->rho = view->eps_S = view->gap = view->error = view->error_max = view->loss = view->condition = NAN;
    view->accuracy = NAN;
    if (view->trained < 0)
        return RHM_OK;
    if (view->trained == 0 && t->opaque) /* its arrays are being written: only its level and state */
        return rows ? rhm_fail(err, RHM_ESTATE,
                               "layer %u is in the midst of its closed form: its rows come when that ends", l)
                    : RHM_OK;
    copy_numbers(view->trained ? layer : t->layer, view);
    if (rows && view->place >= view->places)
        return view->places == 1
                   ? rhm_fail(err, RHM_EARG,
                              "place %zu: layer %u was trained at the first place only (position = 'all' "
                              "trains at all %" PRIu64 ")",
                              view->place + 1, l, rhm_network_places(net, l))
                   : rhm_fail(err, RHM_EARG, "place %zu: level %u has patches 1..%zu", view->place + 1, l,
                              view->places);
    if (view->trained) {
        copy_results(layer, view);
    } else {
        view->steps = t->ridge.steps;
        view->loss = t->progress.loss;
        view->accuracy = t->progress.accuracy;
        view->seconds = t->spent;
    }
    if (!rows)
        return RHM_OK;
    enum rhm_status status = allocate_rows(view, net->grammar != NULL, err);
    if (status == RHM_OK && view->trained)
        copy_rows(layer, layer->order, layer->output, rhm_layer_points(layer), layer->unknown, view);
    else if (status == RHM_OK)
        status = view_training(t, view, err);
    if (status == RHM_OK && net->grammar)
        status = rhm_truth_q(net, l, view->place, view->U, view->tuple, view->parent, view->q_exact, NULL,
                             NULL, err);
    return status;
}

enum rhm_status rhm_network_view(struct rhm_network *net, unsigned l, int rows, struct rhm_layer_view *view,
                                 struct rhm_error *err)
{
    return rhm_network_view_at(net, l, rows, 0, view, err);
}

enum rhm_status rhm_network_view_at(struct rhm_network *net, unsigned l, int rows, uint64_t place,
                                    struct rhm_layer_view *view, struct rhm_error *err)
{
    *view = (struct rhm_layer_view){.place = (size_t)place};
    if (l < 1 || l > net->L)
        return rhm_fail(err, RHM_EARG, "layer %u: must be 1..%u (L)", l, net->L);
    rhm_network_lock_reader(net);
    enum rhm_status status = view_locked(net, l, rows, view, err);
    pthread_mutex_unlock(&net->lock);
    if (status != RHM_OK)
        rhm_layer_view_clear(view);
    return status;
}
