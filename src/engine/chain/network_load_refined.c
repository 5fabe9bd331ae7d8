/* network_load_refined.c - the refinement of a network in a file. See network_load.h. */
#include "engine/chain/network_load.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/chain/network_format.h"
#include "engine/chain/refine.h"

/* Columns of probabilities: rows x cols, each column of sum 1. */
static void read_chances(struct rhm_hdf5_reader *r, const char *name, size_t rows, size_t cols, double *to)
{
    double *p = rhm_hdf5_reader_reals(r, name, &rows, cols);
    size_t width = cols > 0 ? cols : 1;
    for (size_t c = 0; c < width && rhm_hdf5_reader_fine(r); c++) {
        double sum = 0;
        for (size_t i = 0; i < rows && rhm_hdf5_reader_fine(r); i++) {
            sum += p[i * width + c];
            if (p[i * width + c] < 0)
                rhm_hdf5_reader_damaged(r, "\"%s\" holds %g at [%zu,%zu]: a probability", name,
                                        p[i * width + c], i, c);
        }
        if (rhm_hdf5_reader_fine(r) && fabs(sum - 1) > 1e-6)
            rhm_hdf5_reader_damaged(r, "\"%s\": column %zu has the sum %g: must be 1", name, c, sum);
    }
    if (rhm_hdf5_reader_fine(r))
        memcpy(to, p, rows * width * sizeof *p);
    free(p);
}

static void read_refined_history(struct rhm_hdf5_reader *r, struct rhm_refined *refined)
{
    size_t points = RHM_HDF5_ANY, L = refined->tree.L, width = 6 + L;
    double *row = rhm_hdf5_reader_new(r, "refined/history", rhm_network_type(1, sizeof *row), &points,
                                      width); /* nan: not held out */
    if (row == NULL)
        return;
    refined->history = rhm_array(points, sizeof *refined->history, "the history of the refinement", r->err);
    if (rhm_hdf5_reader_check(r, refined->history ? RHM_OK : RHM_EMEMORY)) {
        refined->points = refined->room = points;
        for (size_t i = 0; i < points; i++) {
            const double *x = row + i * width;
            struct rhm_refine_point *point = &refined->history[i];
            if (!(x[0] >= 1 && x[0] < 1e15 && x[1] >= 1 && x[1] < 1e15)) {
                rhm_hdf5_reader_damaged(r, "\"refined/history\" has start %g, sweep %g in row %zu", x[0],
                                        x[1], i);
                break;
            }
            *point = (struct rhm_refine_point){.start = (uint64_t)x[0],
                                               .sweep = (uint64_t)x[1],
                                               .log_joint = x[2],
                                               .log_label = x[3],
                                               .accuracy = x[4],
                                               .held_out = x[5]};
            memcpy(point->entropy + 1, x + 6, L * sizeof *x);
        }
        if (rhm_hdf5_reader_fine(r) && refined->last >= points)
            rhm_hdf5_reader_damaged(r, "the tables are of sweep %zu of %zu", refined->last, points);
    }
    free(row);
}

void rhm_network_load_refined(struct rhm_hdf5_reader *r, struct rhm_network *net)
{
    if (!rhm_hdf5_reader_fine(r) || !rhm_hdf5_reader_has(r, "refined"))
        return;
    size_t rows = RHM_REFINED_NUMBERS;
    uint64_t *number =
        rhm_hdf5_reader_new(r, "refined/numbers", rhm_network_type(0, sizeof *number), &rows, 0);
    struct rhm_refined *refined = rhm_array(1, sizeof *refined, "the refinement", r->err);
    rhm_hdf5_reader_check(r, refined ? RHM_OK : RHM_EMEMORY);
    if (rhm_hdf5_reader_fine(r)) {
        net->refined = refined;
        refined->m = number[0] > INT32_MAX ? 0 : (int64_t)number[0];
        refined->starts = number[1];
        refined->best = number[2];
        refined->from_chain = number[3] != 0;
        refined->n = (size_t)number[4];
        refined->labelled = (size_t)number[5];
        refined->last = (size_t)number[6];
        rhm_hdf5_reader_check(
            r, rhm_tree_init(&refined->tree, net->L, net->branch, net->V, net->classes, r->err));
        refined->tree.d = (size_t)net->d;
    } else {
        free(refined);
    }
    free(number);
    for (unsigned l = 1; l <= net->L && rhm_hdf5_reader_fine(r); l++) {
        char name[RHM_NETWORK_NAME];
        snprintf(name, sizeof name, "refined/table%u", l);
        read_chances(r, name, refined->tree.table[l].rows, refined->tree.table[l].parents,
                     refined->tree.table[l].p);
    }
    if (rhm_hdf5_reader_fine(r))
        read_chances(r, "refined/prior", net->classes, 0, refined->tree.prior);
    if (rhm_hdf5_reader_fine(r))
        read_refined_history(r, refined);
}
