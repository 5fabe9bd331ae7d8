/* cnn.h - the baseline of the papers: a convolutional network that knows the tree, trained end to end.
 *
 * L layers of non-overlapping convolutions (patches of s, width h, ReLU) and a linear head, cross-entropy, by
 * stochastic gradients in single precision. Layer L reads tokens, layer 1 is the last before the head, as in
 * the chain; layer l has s_1 ... s_(l-1) positions, which share their weights unless `local`. With L = 1, s =
 * d it is a network with one hidden layer.
 *
 * z_l[p] = a_l W_l^T x[p] + b_l, x[p] the s inputs under position p side by side (one-hot tokens at l = L,
 * over V + 1 symbols where strings are padded: branches.h); y_l = max(z_l, 0); logits = a_0 (W_0^T y_1 +
 * b_0). Biases start at 0.
 *
 * Scaling:
 *   standard    W_l ~ N(0, 2/fan-in), a_l = 1 (He et al., ICCV 2015), W_0 ~ N(0, 1/h), a_0 = 1; fan-in = s
 *               channels (symbols or h).
 *   mean-field  W_l ~ N(0, 1), a_l = 1/sqrt(channels), W_0 ~ N(0, 1), a_0 = 1/h, and the rate of SGD is
 *               multiplied by h: the network of Cagnetta et al., PRX 14, 031001 (2024), as in their public
 *               code, and the default. Outputs start near 0 and features are learned at any width.
 */
#ifndef RHM_CNN_H
#define RHM_CNN_H

#include <pthread.h>
#include <stdatomic.h>

#include "engine/base/claim.h"
#include "engine/base/monitor.h"
#include "engine/base/poll.h"
#include "engine/data/dataset.h"
#include "engine/grammar/grammar.h"

enum rhm_cnn_scaling { RHM_CNN_STANDARD, RHM_CNN_MEAN_FIELD };
enum rhm_cnn_optimiser { RHM_CNN_SGD, RHM_CNN_ADAM };
enum rhm_cnn_schedule { RHM_CNN_CONSTANT, RHM_CNN_COSINE, RHM_CNN_STEP };

#define RHM_CNN_DEFAULT_WIDTH  256
#define RHM_CNN_DEFAULT_BATCH  128
#define RHM_CNN_DEFAULT_EPOCHS 250

struct rhm_cnn_options {
    int64_t V, s, L, classes;           /* classes = 0: V */
    int64_t branch[RHM_MAX_LEVELS + 1]; /* [1..L]: s of each layer; [1] = 0: s at every layer */
    int64_t d;                          /* tokens of a string; 0: s_1 ... s_L; less: padded (branches.h) */
    int64_t h;
    int local;
    enum rhm_cnn_scaling scaling;
    uint64_t seed;
};
struct rhm_cnn_options rhm_cnn_defaults(void);

/* Where the parameters of a layer stand: weight is sets x inputs x outputs, bias sets x outputs, sets = the
 * positions of a local layer, else 1. An input of layer L is (place in the patch, token). */
struct rhm_cnn_layer {
    size_t positions, sets, inputs, outputs;
    size_t weight, bias; /* offsets in the parameters */
    float scale;         /* a_l */
};

/* One number an epoch; loss is the mean over the epoch's batches, before each one's step. */
struct rhm_cnn_point {
    uint64_t epoch; /* 1, 2, ... */
    double loss, accuracy, rate;
    double held_loss, held_accuracy; /* nan without held-out data */
};

struct rhm_cnn {
    unsigned V, L, classes;
    unsigned s;                          /* at every layer; 0 where the layers differ */
    unsigned branch[RHM_MAX_LEVELS + 1]; /* [1..L]: s_l */
    uint64_t d, leaves;                  /* tokens of a string; s_1 ... s_L, to which it is padded */
    unsigned symbols;                    /* V, or V + 1: number V is the padding */
    size_t h;
    int local;
    enum rhm_cnn_scaling scaling;
    uint64_t seed;
    struct rhm_cnn_layer layer[RHM_MAX_LEVELS + 1]; /* 0: the head, with logits as outputs; 1..L */
    size_t parameters;
    float *w; /* parameters; owned */
    struct {
        size_t n, room;
        struct rhm_cnn_point *point; /* owned */
    } history;
    uint64_t steps;  /* of the optimiser, all trainings */
    uint64_t epochs; /* begun */
    /* Held by readers, and by a training for each of its batches. */
    pthread_mutex_t lock;
    atomic_int readers_waiting;
    struct rhm_claim claim;
};

enum rhm_status rhm_cnn_create(struct rhm_cnn **net, const struct rhm_cnn_options *options,
                               struct rhm_error *err);
void rhm_cnn_free(struct rhm_cnn *net);

/* Back to the first weights of its seed; the history is forgotten. RHM_ESTATE while a training has it. */
enum rhm_status rhm_cnn_reset(struct rhm_cnn *net, struct rhm_error *err);

/* Where the trainings stand, also while one is on its way: optimiser steps and epochs, and the first `room`
 * points of the history; returns how many there are. Each pointer may be NULL. */
size_t rhm_cnn_history(struct rhm_cnn *net, uint64_t *steps, uint64_t *epochs, size_t room,
                       struct rhm_cnn_point *point);

struct rhm_cnn_train_options {
    const struct rhm_dataset *data;     /* borrowed while the training runs */
    const struct rhm_dataset *held_out; /* or NULL */
    uint64_t epochs, batch;
    enum rhm_cnn_optimiser optimiser;
    double rate;     /* 0: .1 for SGD; for Adam .001 (standard), .03 (mean-field) */
    double momentum; /* of SGD, [0, 1) */
    enum rhm_cnn_schedule
        schedule;      /* cosine: to 0 at the end; step: a tenth from 1/2, a hundredth from 3/4 */
    double stop_loss;  /* ends after an epoch whose mean loss is below it; 0: never */
    uint64_t patience; /* ends when the held-out loss has not fallen for so many epochs, and goes back to its
                          best weights; 0: never */
    uint64_t seed;     /* of the order of the strings */
    int anew;          /* from the first weights, with no history */
};
/* PRX 2024's: SGD, batch 128, cosine, until the training loss is below 1e-3; momentum .9 as in their code. */
struct rhm_cnn_train_options rhm_cnn_train_defaults(const struct rhm_cnn *net);

enum rhm_cnn_end { RHM_CNN_END_EPOCHS, RHM_CNN_END_LOSS, RHM_CNN_END_HELD_OUT };
const char *rhm_cnn_end_name(enum rhm_cnn_end end); /* "epochs", "loss", "held_out" */

struct rhm_cnn_result {
    enum rhm_cnn_end end;
    size_t n;               /* strings with a label */
    uint64_t epochs, steps; /* of this training */
    double loss, accuracy, held_loss, held_accuracy, seconds;
};

/* Trains from the weights there are; the optimiser starts anew. Each epoch goes through all strings once, in
 * an order drawn from (seed, epoch); the last batch may be smaller. The result depends on the seeds and not
 * on the threads: work is split by fixed sizes, each piece by one-threaded BLAS. On RHM_ESTOP or an error the
 * weights of the last batch stay. The monitor (may be NULL) is polled between batches; its work is
 * rhm_cnn_work: epochs, loss and accuracy of the epoch in work, and those of the held-out strings after the
 * last epoch; the curve has a point an epoch. */
enum rhm_status rhm_cnn_train(struct rhm_cnn *net, const struct rhm_cnn_train_options *options,
                              struct rhm_monitor *monitor, struct rhm_cnn_result *result,
                              struct rhm_error *err);

struct rhm_work rhm_cnn_work(const struct rhm_cnn_train_options *options);

/* The same in parts, for a job: checks the options and makes a second training wait; trains and gives
 * the claim back. */
enum rhm_status rhm_cnn_claim(struct rhm_cnn *net, const struct rhm_cnn_train_options *options,
                              struct rhm_error *err);
enum rhm_status rhm_cnn_train_claimed(struct rhm_cnn *net, const struct rhm_cnn_train_options *options,
                                      struct rhm_monitor *monitor, struct rhm_cnn_result *result,
                                      struct rhm_error *err);

/* n strings (n x d tokens): labels (may be NULL; a tie goes to the lowest), probability (n x classes, may be
 * NULL). */
enum rhm_status rhm_cnn_predict(struct rhm_cnn *net, size_t n, const uint16_t *tokens, uint16_t *labels,
                                double *probability, rhm_poll_function *poll, void *context,
                                struct rhm_error *err);

/* Share of right labels and mean cross-entropy (either may be NULL). */
enum rhm_status rhm_cnn_measure(struct rhm_cnn *net, const struct rhm_dataset *data, double *accuracy,
                                double *loss, rhm_poll_function *poll, void *context, struct rhm_error *err);

enum rhm_status rhm_cnn_accuracy(struct rhm_cnn *net, const struct rhm_dataset *data, double *accuracy,
                                 rhm_poll_function *poll, void *context, struct rhm_error *err);

/* What layer l (1..L) says of n strings: y_l, n x positions x h. */
enum rhm_status rhm_cnn_outputs(struct rhm_cnn *net, unsigned l, size_t n, const uint16_t *tokens,
                                double *output, rhm_poll_function *poll, void *context,
                                struct rhm_error *err);

/* Mean loss over all strings of a data set, and its gradient with respect to w (parameters). */
enum rhm_status rhm_cnn_gradient(struct rhm_cnn *net, const struct rhm_dataset *data, double *loss,
                                 float *gradient, struct rhm_error *err);

/* RHM_EARG where strings, symbols or labels do not fit the network. */
enum rhm_status rhm_cnn_check_data(const struct rhm_cnn *net, const struct rhm_dataset *data,
                                   struct rhm_error *err);

/* One HDF5 file, written beside `path` and renamed. rhm_cnn_is_file: 1 where the file holds such a network,
 * 0 where not or where it cannot be read. */
enum rhm_status rhm_cnn_save(struct rhm_cnn *net, const char *path, struct rhm_error *err);
enum rhm_status rhm_cnn_load(struct rhm_cnn **net, const char *path, struct rhm_error *err);
int rhm_cnn_is_file(const char *path);

#endif
