/* onestep.h - a baseline that knows the tree and takes one gradient step a layer, then k-means.
 *
 * After Malach and Shalev-Shwartz (A Provably Correct Algorithm for Deep Learning that Actually Works, arXiv
 * 1803.09522), who train a network of two layers, cluster its patches by k-means, put the clusters in the
 * place of the patches, and go on with the next layer. Here, as in the analysis of one step in PRX 14, 031001
 * (2024), the gradient is that of all strings at once, at the first weights.
 *
 * Layer l has P = s_1 ... s_(l-1) positions, each with a patch of s codes: tokens at l = L, clusters of the
 * layer below elsewhere. A patch mu has a row w[mu] of h weights, the same at every position (a one-hot patch
 * times U x h weights), and position p its part a[p] (classes x h, N(0, 1), never trained) of the linear
 * head:
 *
 *   z_c = b_c + (1/(h P)) sum_p sum_k a[p][c,k] max(0, w[mu_p][k])
 *
 * All weights start at 1, where every unit is on and the network says b + const of every string; b is such
 * that this is the share p_c of each label. The gradient of the mean cross-entropy is then exactly
 *
 *   g[mu,k] = -1/(N h P) sum_p sum_c (n_p[mu,c] - n_p[mu] p_c) a[p][c,k],
 *
 * n_p[mu,c] the strings of label c with mu at p: a random projection of the label-patch correlations, which
 * are equal for synonyms. rate = patch divides each row by the share of patches that are mu (the Hessian of a
 * one-hot input is diagonal: a rate of its own for each row) and weighs it by that in k-means; rate = same is
 * the plain step. The rows go into V clusters (V + 1 where strings are
 * padded; fewer where there are fewer patches). The last layer, l = 1,
 * needs no clusters: its network answers, f_c(mu) = p_c + (1/h) sum_k a[c,k] (w[mu,k] - 1) after a step by
 * rate = patch, an estimate of P[label = c | mu]. A patch never seen keeps its first weights: it goes to the
 * cluster nearest to them, at l = 1 it says p.
 */
#ifndef RHM_ONESTEP_H
#define RHM_ONESTEP_H

#include <pthread.h>

#include "engine/base/claim.h"
#include "engine/base/monitor.h"
#include "engine/base/poll.h"
#include "engine/base/tuples.h"
#include "engine/data/dataset.h"
#include "engine/grammar/grammar.h"

enum rhm_onestep_rate { RHM_ONESTEP_PATCH, RHM_ONESTEP_SAME };

#define RHM_ONESTEP_DEFAULT_WIDTH    256
#define RHM_ONESTEP_DEFAULT_RESTARTS 50

struct rhm_onestep_options {
    int64_t V, s, L, classes;           /* classes = 0: V */
    int64_t branch[RHM_MAX_LEVELS + 1]; /* [1..L]: s of each layer; [1] = 0: s at every layer */
    int64_t d;                          /* tokens of a string; 0: s_1 ... s_L; less: padded (branches.h) */
    int64_t h;
    int64_t restarts; /* of k-means */
    enum rhm_onestep_rate rate;
    uint64_t seed; /* of the heads and of k-means */
};
struct rhm_onestep_options rhm_onestep_defaults(void);

struct rhm_onestep_layer {
    struct rhm_tuples patches; /* U seen in training, in lexicographic order of their codes */
    uint64_t *count;           /* U: how often, all positions; owned */
    uint32_t *cluster;         /* U: 0..clusters-1 (l >= 2); owned */
    uint32_t clusters;         /* 0 at l = 1 */
    uint32_t unknown;          /* the cluster of a patch never seen */
    double within, between; /* root mean square distance of a row to its centroid; least of two centroids */
    double *output;         /* l = 1: U x classes; owned */
    double seconds;
};

/* What a training leaves; replaced as a whole by the next. */
struct rhm_onestep_fit {
    size_t n;                                           /* strings trained on; 0: not trained */
    double *prior;                                      /* classes; owned */
    struct rhm_onestep_layer layer[RHM_MAX_LEVELS + 1]; /* 1..L */
};

struct rhm_onestep {
    unsigned V, L, classes;
    unsigned branch[RHM_MAX_LEVELS + 1]; /* [1..L]: s_l */
    uint64_t d, leaves;                  /* tokens of a string; s_1 ... s_L, to which it is padded */
    unsigned symbols;                    /* V, or V + 1: number V is the padding; clusters of a layer */
    size_t h;
    unsigned restarts;
    enum rhm_onestep_rate rate;
    uint64_t seed;
    struct rhm_onestep_fit fit;
    pthread_mutex_t lock; /* held by readers of fit, and where a training puts a new one */
    struct rhm_claim claim;
};

enum rhm_status rhm_onestep_create(struct rhm_onestep **net, const struct rhm_onestep_options *options,
                                   struct rhm_error *err);
void rhm_onestep_free(struct rhm_onestep *net);

/* RHM_EARG where strings, symbols or labels do not fit. */
enum rhm_status rhm_onestep_check_data(const struct rhm_onestep *net, const struct rhm_dataset *data,
                                       struct rhm_error *err);

/* Trains layer L to 1 on all strings; until its end predictions are the last training's. The monitor (may be
 * NULL) is polled between blocks; its work is rhm_onestep_work of the layer: positions of the step, then
 * starts of k-means. The result does not depend on the threads. */
enum rhm_status rhm_onestep_train(struct rhm_onestep *net, const struct rhm_dataset *data,
                                  struct rhm_monitor *monitor, struct rhm_error *err);

struct rhm_work rhm_onestep_work(const struct rhm_onestep *net, unsigned l, enum rhm_layer_phase phase);

/* The same in parts, for a job: checks the data and makes a second training wait; trains and gives the
 * claim back. */
enum rhm_status rhm_onestep_claim(struct rhm_onestep *net, const struct rhm_dataset *data,
                                  struct rhm_error *err);
enum rhm_status rhm_onestep_train_claimed(struct rhm_onestep *net, const struct rhm_dataset *data,
                                          struct rhm_monitor *monitor, struct rhm_error *err);

/* Strings trained on; 0: not trained. */
size_t rhm_onestep_trained(struct rhm_onestep *net);

/* The patches of layer l (2..L) seen in training and their clusters, 0..*clusters - 1, as far as there is
 * room: tuple (room x s_l), cluster (room). Returns how many there are, 0 where it is not trained. */
size_t rhm_onestep_clusters(struct rhm_onestep *net, unsigned l, size_t room, uint32_t *tuple,
                            uint32_t *cluster, uint32_t *clusters);

/* n strings (n x d tokens): labels (may be NULL; a tie goes to the lowest), output (n x classes, may be
 * NULL). RHM_ESTATE where it is not trained. */
enum rhm_status rhm_onestep_predict(struct rhm_onestep *net, size_t n, const uint16_t *tokens,
                                    uint16_t *labels, double *output, rhm_poll_function *poll, void *context,
                                    struct rhm_error *err);
enum rhm_status rhm_onestep_accuracy(struct rhm_onestep *net, const struct rhm_dataset *data,
                                     double *accuracy, rhm_poll_function *poll, void *context,
                                     struct rhm_error *err);

/* What layer l (1..L) says of n strings: from l = 2 on the cluster at each position, one-hot: n x positions x
 * symbols; at l = 1 the outputs, n x classes. */
enum rhm_status rhm_onestep_outputs(struct rhm_onestep *net, unsigned l, size_t n, const uint16_t *tokens,
                                    double *output, rhm_poll_function *poll, void *context,
                                    struct rhm_error *err);

/* One HDF5 file, written beside `path` and renamed. rhm_onestep_is_file: 1 where the file holds such a model,
 * 0 where not or where it cannot be read. */
enum rhm_status rhm_onestep_save(struct rhm_onestep *net, const char *path, struct rhm_error *err);
enum rhm_status rhm_onestep_load(struct rhm_onestep **net, const char *path, struct rhm_error *err);
int rhm_onestep_is_file(const char *path);

#endif
