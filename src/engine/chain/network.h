/* network.h - the chain: L layers trained from level L down to 1, prediction, accuracy. */
#ifndef RHM_NETWORK_H
#define RHM_NETWORK_H

#include <pthread.h>
#include <stdatomic.h>

#include "engine/base/claim.h"
#include "engine/base/matrix.h"
#include "engine/base/monitor.h"
#include "engine/data/dataset.h"
#include "engine/grammar/grammar.h"
#include "engine/layer/layer.h"

enum rhm_codebook_kind { RHM_CODEBOOK_CENTROID, RHM_CODEBOOK_EXACT };
enum rhm_position { RHM_POSITION_FIRST, RHM_POSITION_ALL };
enum rhm_sampler { RHM_SAMPLER_AUTO, RHM_SAMPLER_TALLY, RHM_SAMPLER_DRAW };

#define RHM_DEFAULT_M      2048
#define RHM_DEFAULT_EPS_O  0.01
#define RHM_DEFAULT_LAMBDA 1e-4
#define RHM_DEFAULT_STEPS  100
#define RHM_DEFAULT_C      32 /* of the depth schedule */

struct rhm_network_options {
    int64_t V, s, L, classes;           /* classes = 0: V */
    int64_t branch[RHM_MAX_LEVELS + 1]; /* [1..L]: s of each layer; [1] = 0: s at every layer */
    int64_t d;                          /* tokens of a string; 0: s_1 ... s_L; less: padded (branches.h) */
    int64_t M;                          /* features a layer; even */
    enum rhm_feature_kind features;
    enum rhm_codebook_kind codebook;
    enum rhm_linkage linkage; /* that finds the clusters of synonyms */
    uint64_t seed;
    double sigma; /* 0: chosen from rho~ and eps_O */
    double eps_O; /* inner product wanted between non-synonyms, in (0, 1) */
    const struct rhm_grammar
        *grammar; /* known truth, copied; or NULL. V, s, L, classes then come from it where 0 */
};

/* Everything set to its default, V = s = L = 0. */
struct rhm_network_options rhm_network_defaults(void);

struct rhm_trainer; /* a layer in training (trainer.h) */
struct rhm_refined; /* tables fitted by EM (refine.h) */

struct rhm_network {
    unsigned V, L, classes;
    unsigned s;                          /* at every layer; 0 where the layers differ */
    unsigned branch[RHM_MAX_LEVELS + 1]; /* [1..L]: s_l */
    uint64_t d, leaves;                  /* tokens of a string; s_1 ... s_L, to which it is padded */
    unsigned symbols;                    /* V, or V + 1: number V is the padding */
    size_t M;
    enum rhm_feature_kind features;
    enum rhm_codebook_kind codebook;
    enum rhm_linkage linkage;
    uint64_t seed;
    double sigma, eps_O;
    struct rhm_grammar *grammar; /* the truth, or NULL; owned */
    /* Held by readers, and by a training while it changes layer[] or the iterate. */
    pthread_mutex_t lock;
    atomic_int readers_waiting;                  /* a training in a tight loop lets them in first */
    struct rhm_claim claim;                      /* the only writer: a training or a refinement */
    struct rhm_layer *layer[RHM_MAX_LEVELS + 1]; /* 1..L; NULL: not trained; owned */
    struct rhm_trainer *trainer;                 /* the layer in training, or NULL; owned */
    struct rhm_refined *refined;                 /* predicts where it is there; NULL: the layers do; owned */
    struct rhm_refined *refining;                /* the refinement at work, or NULL; its own */
};

/* Inputs of a patch of layer l; patches a string; tokens under each. */
static inline unsigned rhm_network_s(const struct rhm_network *net, unsigned l)
{
    return net->branch[l];
}

static inline uint64_t rhm_network_places(const struct rhm_network *net, unsigned l)
{
    return rhm_places(net->branch, 1, l - 1);
}

static inline uint64_t rhm_network_span(const struct rhm_network *net, unsigned l)
{
    return rhm_places(net->branch, l, net->L);
}

enum rhm_status rhm_network_create(struct rhm_network **net, const struct rhm_network_options *options,
                                   struct rhm_error *err);
void rhm_network_free(struct rhm_network *net);

/* Takes a copy of g as the known truth. The caller holds the lock where the network is in use. */
enum rhm_status rhm_network_set_grammar(struct rhm_network *net, const struct rhm_grammar *g,
                                        struct rhm_error *err);

/* net->lock for a reader, and for the training, which gives way to waiting readers. Unlock with
 * pthread_mutex_unlock. */
void rhm_network_lock_reader(struct rhm_network *net);
void rhm_network_lock_writer(struct rhm_network *net);

struct rhm_train_options {
    const struct rhm_grammar *grammar; /* one of these two; borrowed for as long as the training runs */
    const struct rhm_dataset *data;
    uint64_t n[RHM_MAX_LEVELS +
               1]; /* [1..L]; 0: the depth schedule with c (grammar), all labelled strings (data) */
    double c;
    enum rhm_solver solver;
    uint64_t steps; /* GD */
    double eta;     /* 0: 1/(lambda_max + lambda) */
    double lambda;
    enum rhm_position position; /* a layer learns from the first patch of its level, or from all of them */
    enum rhm_sampler sampler;   /* all positions: tally is not exact, and refused */
    uint64_t seed;              /* of the samples and of the tally draws */
    double steps_per_second;    /* 0: as fast as possible */
};
struct rhm_train_options rhm_train_defaults(const struct rhm_network *net);

/* Checks that the source fits the network (V, s, L, classes; d) and fills n[]; done by train and begin
 * themselves. */
enum rhm_status rhm_train_check(const struct rhm_network *net, struct rhm_train_options *options,
                                struct rhm_error *err);

/* Trains all layers, L down to 1. On RHM_ESTOP or an error the layers finished so far stay. accuracy (may be
 * NULL): exact accuracy on the training grammar where the codebook is finite and affordable, accuracy on the
 * training data, or nan. monitor may be NULL. */
enum rhm_status rhm_network_train(struct rhm_network *net, const struct rhm_train_options *options,
                                  struct rhm_monitor *monitor, double *accuracy, struct rhm_error *err);

/* For a job, which has taken the claim: the training with options that rhm_train_check has passed; gives the
 * claim back. */
enum rhm_status rhm_network_train_claimed(struct rhm_network *net, const struct rhm_train_options *options,
                                          struct rhm_monitor *monitor, double *accuracy,
                                          struct rhm_error *err);

/* What the progress of layer l is before its training: the options' n and steps. */
struct rhm_progress_layer rhm_train_waiting(const struct rhm_train_options *options, unsigned l);

/* By hand. begin: collects samples, builds the Gram matrix; layers above must be trained, layers below are
 * dropped. step: k GD steps; finish: outputs, clusters, codebook. RHM_ESTATE where the order is wrong. */
enum rhm_status rhm_network_begin(struct rhm_network *net, unsigned l,
                                  const struct rhm_train_options *options, struct rhm_monitor *monitor,
                                  struct rhm_error *err);
enum rhm_status rhm_network_step(struct rhm_network *net, unsigned l, uint64_t k, struct rhm_monitor *monitor,
                                 struct rhm_error *err);
/* The same at another pace than the layer was begun with; 0: as fast as possible. */
enum rhm_status rhm_network_step_paced(struct rhm_network *net, unsigned l, uint64_t k,
                                       double steps_per_second, struct rhm_monitor *monitor,
                                       struct rhm_error *err);
enum rhm_status rhm_network_finish(struct rhm_network *net, unsigned l, struct rhm_monitor *monitor,
                                   struct rhm_error *err);

/* What a layer looks like now, trained or in training: copied under the lock. */
struct rhm_layer_view {
    unsigned level;
    int trained; /* 1 trained, 0 in training (between begin and finish), -1 neither */
    uint64_t N, steps;
    size_t U, s, C;
    size_t places; /* that it learned from: 1 or all of its level; N strings have N * places patches */
    size_t place;  /* that q is of */
    size_t width;  /* numbers in a point */
    size_t k;      /* clusters; 0 while in training */
    double sigma, rho_in, eps_S_in, rho, eps_S, lambda, eta, loss, lambda_max, condition, gap, error,
        error_max, accuracy, seconds;
    enum rhm_solver solver;
    unsigned parents_expected;
    int parents_known;
    size_t unknown;             /* trained patches marked unknown */
    struct rhm_history history; /* of the gradient descent */
    /* with rows in cluster order; NULL where trained = -1 */
    uint32_t *tuple;           /* U x s: input codes (tokens at l = L) */
    uint64_t *count;           /* U */
    size_t *cluster;           /* U: 0..k-1 */
    uint32_t *parent;          /* U: true parent or RHM_NO_PARENT */
    unsigned char *is_unknown; /* U */
    double *q;                 /* U x C: q^ at `place` (of the current iterate while in training) */
    double *q_exact;           /* U x C: exact (truth.h), nan rows where not known; NULL without a grammar */
    double *share;             /* U: what part of a patch's samples stand at `place` */
    double *point;             /* U x width: what distances are made of; NULL where that is q */
};
/* With rows = 0 only the numbers are filled, the arrays stay NULL. */
enum rhm_status rhm_network_view(struct rhm_network *net, unsigned l, int rows, struct rhm_layer_view *view,
                                 struct rhm_error *err);
/* The same with q of another place, 0 .. s^(l-1) - 1. A layer trained at the first place has no other one. */
enum rhm_status rhm_network_view_at(struct rhm_network *net, unsigned l, int rows, uint64_t place,
                                    struct rhm_layer_view *view, struct rhm_error *err);
void rhm_layer_view_clear(struct rhm_layer_view *view);

/* Predicts n strings (n x d tokens): labels (n), probability (n x classes, may be NULL): the output of layer
 * 1 as it is; unknown (may be NULL): how many strings ended at an unknown patch of layer 1. All layers must
 * be trained. Unseen patches go forward by their features. */
enum rhm_status rhm_network_predict(struct rhm_network *net, size_t n, const uint16_t *tokens,
                                    uint16_t *labels, double *probability, size_t *unknown,
                                    rhm_poll_function *poll, void *context, struct rhm_error *err);

/* What layer l says at every place: output (n x places x width), the embedding that the layer below reads
 * (q^, or its centroid; points where trained at all places). width: rhm_network_width, 0 where not trained.
 * Layers L..l must be trained. */
size_t rhm_network_width(struct rhm_network *net, unsigned l);
enum rhm_status rhm_network_outputs(struct rhm_network *net, unsigned l, size_t n, const uint16_t *tokens,
                                    double *output, rhm_poll_function *poll, void *context,
                                    struct rhm_error *err);

/* Share of right predictions on a data set; exactly on a grammar (law.h): sum over labels of P(label)
 * P(predicted = label | label). */
enum rhm_status rhm_network_accuracy_on_data(struct rhm_network *net, const struct rhm_dataset *data,
                                             double *accuracy, rhm_poll_function *poll, void *context,
                                             struct rhm_error *err);
enum rhm_status rhm_network_accuracy_on_grammar(struct rhm_network *net, const struct rhm_grammar *g,
                                                double *accuracy, rhm_poll_function *poll, void *context,
                                                struct rhm_error *err);

/* Whichever of the two fits the source; for the training itself, the only writer: without the lock, so that
 * readers do not wait, also where a pause comes in the middle. */
enum rhm_status rhm_network_own_accuracy(struct rhm_network *net, const struct rhm_train_options *options,
                                         double *accuracy, rhm_poll_function *poll, void *context,
                                         struct rhm_error *err);

#endif
