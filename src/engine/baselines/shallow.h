/* shallow.h - the baselines that do not know the tree: ridge regression of the label on the whole string.
 *
 * A string is h in {0,1}^(d V), its one-hot tokens side by side; k(h, h') = exp(-|h - h'|^2/(2 sigma^2)), a
 * function of the number of places where two strings differ, since |h - h'|^2 is twice that.
 *
 *   rbf     M random Fourier features of k (features.h with the string as one patch of d tokens), then
 *           W = B (G + lambda I)^-1 (ridge.h): N d M + N M min(N, M) work, N may be large.
 *   kernel  k itself: alpha = (K + N lambda I)^-1 Y, Y the one-hot labels: what rbf tends to as M grows.
 *           N^2 numbers and N^3/3 multiplications.
 *
 * Outputs are W Phi(h) or sum_i alpha_i k(h_i, h): estimates of the labels' probabilities, which can be
 * negative; the largest is the prediction. sigma = 0 takes the median of |h_i - h_j| over pairs of training
 * strings.
 */
#ifndef RHM_SHALLOW_H
#define RHM_SHALLOW_H

#include <pthread.h>

#include "engine/base/claim.h"
#include "engine/base/monitor.h"
#include "engine/base/poll.h"
#include "engine/data/dataset.h"
#include "engine/layer/features.h"

enum rhm_shallow_kind { RHM_SHALLOW_RBF, RHM_SHALLOW_KERNEL };

#define RHM_SHALLOW_DEFAULT_M      4096
#define RHM_SHALLOW_DEFAULT_LAMBDA 1e-6

struct rhm_shallow_options {
    enum rhm_shallow_kind kind;
    int64_t V, d, classes; /* classes = 0: V */
    int64_t M;             /* features (rbf); even */
    double sigma, lambda;
    uint64_t seed; /* of the features */
};
struct rhm_shallow_options rhm_shallow_defaults(void);

/* What a training leaves; replaced as a whole by the next. */
struct rhm_shallow_fit {
    size_t n;                     /* strings trained on; 0: not trained */
    double sigma;                 /* in use */
    struct rhm_features features; /* rbf */
    double *W;                    /* rbf: classes x M; owned */
    uint16_t *tokens;             /* kernel: n x d; owned */
    double *alpha;                /* kernel: n x classes; owned */
};

struct rhm_shallow {
    enum rhm_shallow_kind kind;
    unsigned V, classes;
    size_t d, M;
    double sigma, lambda; /* as given */
    uint64_t seed;
    struct rhm_shallow_fit fit;
    pthread_mutex_t lock; /* held by readers of fit, and where a training puts a new one */
    struct rhm_claim claim;
};

enum rhm_status rhm_shallow_create(struct rhm_shallow **net, const struct rhm_shallow_options *options,
                                   struct rhm_error *err);
void rhm_shallow_free(struct rhm_shallow *net);

/* RHM_EARG where strings, symbols or labels do not fit. */
enum rhm_status rhm_shallow_check_data(const struct rhm_shallow *net, const struct rhm_dataset *data,
                                       struct rhm_error *err);

/* Trains on all strings; until its end predictions are the last training's. The monitor (may be NULL) is
 * polled between blocks, but not within LAPACK's factorisation; its work has the phase as a stage. */
enum rhm_status rhm_shallow_train(struct rhm_shallow *net, const struct rhm_dataset *data,
                                  struct rhm_monitor *monitor, struct rhm_error *err);

/* The same in parts, for a job: checks the data and makes a second training wait; trains and gives the
 * claim back; shows a phase. */
enum rhm_status rhm_shallow_claim(struct rhm_shallow *net, const struct rhm_dataset *data,
                                  struct rhm_error *err);
enum rhm_status rhm_shallow_train_claimed(struct rhm_shallow *net, const struct rhm_dataset *data,
                                          struct rhm_monitor *monitor, struct rhm_error *err);
void rhm_shallow_phase(struct rhm_monitor *monitor, enum rhm_layer_phase phase);

/* Strings of the last training that ended, 0: none; the bandwidth in use, or that which was asked for (0: to
 * be chosen). */
size_t rhm_shallow_trained(struct rhm_shallow *net, double *sigma);

/* n strings (n x d tokens): labels (may be NULL; a tie goes to the lowest), output (n x classes, may be
 * NULL). RHM_ESTATE where it is not trained. */
enum rhm_status rhm_shallow_predict(struct rhm_shallow *net, size_t n, const uint16_t *tokens,
                                    uint16_t *labels, double *output, rhm_poll_function *poll, void *context,
                                    struct rhm_error *err);
enum rhm_status rhm_shallow_accuracy(struct rhm_shallow *net, const struct rhm_dataset *data,
                                     double *accuracy, rhm_poll_function *poll, void *context,
                                     struct rhm_error *err);

/* The median of |h_i - h_j| over all pairs of the first strings, at most 1000; at least 1 (all equal). */
double rhm_shallow_median(const struct rhm_dataset *data);

/* One HDF5 file, written beside `path` and renamed. rhm_shallow_is_file: 1 where the file holds such a model,
 * 0 where not or where it cannot be read. */
enum rhm_status rhm_shallow_save(struct rhm_shallow *net, const char *path, struct rhm_error *err);
enum rhm_status rhm_shallow_load(struct rhm_shallow **net, const char *path, struct rhm_error *err);
int rhm_shallow_is_file(const char *path);

#endif
