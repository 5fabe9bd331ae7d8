/* layer.h - one trained layer, and the training of one: begin, steps, finish.
 *
 * Layer l sees first level-l patches as tuples of s input codes (tokens at l = L, output codes of layer l+1
 * elsewhere), learns W by ridge regression of the label on their features, and gives f(x) = W x/(1^T W x), an
 * estimate of q^(l). Trained at all places of its level it does the same with (place, label) for a label, and
 * hands on the leading directions of f (directions.h): below, the C of tally, W and output is places *
 * classes.
 */
#ifndef RHM_LAYER_H
#define RHM_LAYER_H

#include "engine/cluster/cluster.h"
#include "engine/layer/codebook.h"
#include "engine/layer/directions.h"
#include "engine/layer/features.h"
#include "engine/layer/ridge.h"
#include "engine/layer/tally.h"

/* A patch whose sum 1^T W x is below RHM_TAU times the count-weighted mean sum of the trained patches is
 * unknown, trained or not: its output is 1/C. The sum estimates 1; ridge and early stopping shrink it with
 * the outputs, which does no harm, but where it is as small as the inner products of different patches
 * (eps_O, 1/sqrt(M)) the outputs are what others leave there, and their ratio to the sum may lie anywhere. */
#define RHM_TAU 0.05

enum rhm_solver { RHM_SOLVER_EXACT, RHM_SOLVER_GD };

/* How the gradient descent went: points at steps some 20 % apart. */
#define RHM_HISTORY_POINTS 128
struct rhm_history {
    size_t n;
    struct rhm_history_point {
        uint64_t step;
        double loss, intra, inter, accuracy; /* as in rhm_progress_layer; nan where not known */
    } point[RHM_HISTORY_POINTS];
};

struct rhm_layer {
    unsigned level;
    int keeps_patches;        /* 1: a code a patch (exact, and always at level 1); 0: a code a cluster */
    enum rhm_linkage linkage; /* that finds its clusters */
    uint64_t strings;         /* N; at all places each has s^(l-1) patches in the tally, dependent ones */
    struct rhm_tally tally;   /* U patches in tuple order, with label counts */
    struct rhm_directions directions;
    double repeats; /* at all places: what equal patches of one string add to the noise (repeats.h) */
    struct rhm_features features;
    double *W;                    /* C x M; owned */
    double *output;               /* U x C: q^ (places = 1), J^; owned */
    double *point;                /* U x directions.width, or NULL: output is; owned */
    double *sum;                  /* U: 1^T W x before normalisation; owned */
    double mean_sum;              /* count-weighted mean of sum */
    unsigned char *unknown;       /* U; owned */
    uint32_t *parent;             /* U: true parent where the grammar is known, else RHM_NO_PARENT; owned */
    size_t *cluster;              /* U: 0..k-1, or k for unknown patches; owned */
    size_t *order;                /* U: rows in cluster order, unknown ones last; owned */
    struct rhm_clusters clusters; /* of the points of the known rows */
    struct rhm_codebook codebook;
    uint32_t unknown_code; /* the code of unknown patches */
    uint32_t *code_parent; /* code_parents: the true symbol a code stands for, or RHM_NO_PARENT; owned */
    size_t code_parents;
    /* how it was trained */
    enum rhm_solver solver;
    uint64_t steps;
    double lambda, eta, sigma;
    double rho_in, eps_S_in; /* of the inputs: what sigma was chosen from */
    double loss, lambda_max, condition;
    double gap;              /* exact rho^(l) (at all places: between exact points), or nan */
    double error, error_max; /* count-weighted rms and largest |q^ - q|_2 (of points) to the exact, or nan */
    double accuracy;         /* of the label named by one patch: rhm_trainer_finish */
    size_t parents_expected; /* clusters the cut was asked for */
    int parents_known;       /* 1: from the grammar; 0: chosen by heights against noise */
    double seconds;
    struct rhm_history history; /* gd only */
};

void rhm_layer_free(struct rhm_layer *layer);

/* Frees what the end of a training makes: weights, outputs, clusters, codebook. */
void rhm_layer_drop_results(struct rhm_layer *layer);

/* What distances and clusters are made of: U x directions.width. */
static inline const double *rhm_layer_points(const struct rhm_layer *layer)
{
    return layer->point ? layer->point : layer->output;
}

/* The points f (n x directions.width) of n unseen patches given by their inputs h (n x s*width), from outputs
 * normalised by the sum; unknown[n] by the rule of RHM_TAU. */
enum rhm_status rhm_layer_forward(const struct rhm_layer *layer, size_t n, const double *h, double *f,
                                  unsigned char *unknown, rhm_poll_function *poll, void *context,
                                  struct rhm_error *err);

/* The count-weighted mean of 1^T F over the first n rows of the tally (F: n x C), and the least sum of a
 * patch that is known, given that mean. */
double rhm_layer_mean_sum(const struct rhm_tally *tally, size_t n, const double *F);
double rhm_layer_least_sum(double mean);

/* f (n x C) = F/(1^T F) row by row, in place; rows whose sum is not above `least` become 1/C and unknown. sum
 * (n) may be NULL. */
void rhm_layer_normalise(size_t n, size_t C, double least, double *f, double *sum, unsigned char *unknown);

/* Cuts the points into clusters: fills cluster, order, clusters. expected: parents known to be present, or
 * 0: unknown, `most` less those that would only split a parent (synonyms.c). Above RHM_LINKAGE_MOST patches
 * the dendrogram is built on the most frequent ones and the others join the nearest centroid. */
#define RHM_LINKAGE_MOST 4096
enum rhm_status rhm_layer_find_clusters(struct rhm_layer *layer, size_t expected, size_t most,
                                        rhm_poll_function *poll, void *context, struct rhm_error *err);

/* Fills the codebook from points and clusters, and code_parent from parent (parents of level l-1 are
 * 0..parents-1). */
enum rhm_status rhm_layer_make_codebook(struct rhm_layer *layer, size_t parents, struct rhm_error *err);

#endif
