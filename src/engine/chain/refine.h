/* refine.h - refinement of a chain by EM: tables P(tuple | symbol), shared by the places of a level, that fit
 * all strings and labels at once (tree.h). The top layers so mend the bottom ones. */
#ifndef RHM_REFINE_H
#define RHM_REFINE_H

#include "engine/base/monitor.h"
#include "engine/chain/network.h"
#include "engine/data/dataset.h"
#include "engine/tree/tree.h"

struct rhm_refine_options {
    uint64_t sweeps;    /* of a start, at most */
    double tol;         /* a start ends where the likelihood changes by less, per string */
    uint64_t restarts;  /* starts from counts: the first from all strings, others from a share of them */
    double subsample;   /* that share */
    double smoothing;   /* pseudo-count of a table's entry in the end */
    double smooth_from; /* and in the first sweep; between them geometrically over smooth_sweeps */
    uint64_t smooth_sweeps;
    uint64_t polish; /* sweeps with a pseudo-count of .0003 at most, after a start that names all labels
                        rightly: else the posteriors say less than they know */
    double held_out; /* share of the strings that only tell when to stop, and which start is best; 0: none */
    int64_t
        m; /* each tuple has one parent, of m rules about equally likely: P(tuple | symbol), summed over
              symbols, is at most 1/m. 0: not used; -1: m as the tuples of tokens show it, where they do */
    uint64_t seed;
};
struct rhm_refine_options rhm_refine_defaults(const struct rhm_network *net);

struct rhm_refine_point {
    uint64_t start, sweep;              /* from 1 */
    double log_joint, log_label;        /* log P(string, label), log P(label | string): means over strings */
    double accuracy;                    /* on the labelled strings trained on */
    double held_out;                    /* log P(label | string) there; nan: none */
    double entropy[RHM_MAX_LEVELS + 1]; /* of P(symbol | tuple), a mean over tuples, in units of log(symbols):
                                           1 at random, 0 where each tuple has its symbol */
};

struct rhm_refined {
    struct rhm_tree tree;
    int64_t m;                        /* in force; 0: none */
    uint64_t starts;                  /* tried */
    uint64_t best;                    /* the one kept, from 1 */
    int from_chain;                   /* 1: start 1 was the trained chain */
    size_t n, labelled;               /* strings of the training, those with a label */
    struct rhm_refine_point *history; /* of all starts; owned */
    size_t points, room;
    size_t last; /* the point of the tables kept */
};
void rhm_refined_free(struct rhm_refined *refined);

/* Refines: starts from the trained chain, where it is trained and has no more codes than symbols, and from
 * counts; the tables of the best log P(label | string) become net->refined, by which the network then
 * predicts. Labels and tokens may be missing. Strings without a label say nothing of the top until
 * smooth_sweeps are over: there they only repeat what the tables guess, and EM would need many sweeps to move
 * them. A start that does with the labelled strings alone gets the others after it. RHM_ESTOP leaves the
 * network as it was. The monitor (may be NULL) is polled between blocks of strings; its work counts the
 * sweeps of the start at work, its curve has a point a sweep of all starts. The result does not depend on the
 * threads.
 */
enum rhm_status rhm_network_refine(struct rhm_network *net, const struct rhm_dataset *data,
                                   const struct rhm_refine_options *options, struct rhm_monitor *monitor,
                                   struct rhm_error *err);

/* The same in parts, for a job: checks data and options and claims the network; refines and releases it.
 * accuracy (may be NULL): of the tables kept, on the labelled strings. */
enum rhm_status rhm_refine_claim(struct rhm_network *net, const struct rhm_dataset *data,
                                 const struct rhm_refine_options *options, struct rhm_error *err);
enum rhm_status rhm_refine_claimed(struct rhm_network *net, const struct rhm_dataset *data,
                                   const struct rhm_refine_options *options, struct rhm_monitor *monitor,
                                   double *accuracy, struct rhm_error *err);

/* What the progress is before the first sweep. */
struct rhm_work rhm_refine_work(const struct rhm_network *net, const struct rhm_refine_options *options);

/* The refinement at work or, where none is, the one in force: copied under the reader's lock. */
struct rhm_refined_view {
    int running, from_chain;
    int64_t m;
    uint64_t starts;
    size_t n, labelled;
    struct rhm_refine_point last; /* of the tables kept; while it runs, the newest */
};
/* The history of one start (one without a sweep: of the start of the last point), or of all (start = 0); most
 * > 0: of more sweeps than that the first hundred, and from there each so many-th and the newest. Copied as
 * far as there is room; returns how many points there are, 0: nothing is refined. */
size_t rhm_network_refined(struct rhm_network *net, struct rhm_refined_view *view, uint64_t start,
                           size_t most, size_t room, struct rhm_refine_point *history);

/* The likeliest labels (n), their probabilities (n x classes, may be NULL); tokens may be missing. */
enum rhm_status rhm_refined_predict(const struct rhm_refined *refined, size_t n, const uint16_t *tokens,
                                    uint16_t *labels, double *probability, rhm_poll_function *poll,
                                    void *context, struct rhm_error *err);
/* On a grammar: exactly where it has no more than 262144 derivations and no token noise, else on 20000
 * strings drawn by a seed made of this one. */
enum rhm_status rhm_refined_accuracy(const struct rhm_refined *refined, const struct rhm_grammar *g,
                                     uint64_t seed, double *accuracy, rhm_poll_function *poll, void *context,
                                     struct rhm_error *err);
/* Posterior of the symbols of one level under the tables, as rhm_tree_posterior, under the reader's lock.
 * RHM_ESTATE where the network is not refined. */
enum rhm_status rhm_network_posterior(struct rhm_network *net, size_t n, const uint16_t *tokens,
                                      unsigned level, double *out, rhm_poll_function *poll, void *context,
                                      struct rhm_error *err);

/* Back to the chain's own predictions. */
void rhm_network_unrefine(struct rhm_network *net);

/* What it is made of. Bottom up from the strings index[0..n) of the data: tuples of a level are clustered
 * into its symbols by the counts of (place, label), then reassigned one by one, and the strings are coded by
 * them; tables as a mixture of the clusters' frequencies and of what all tuples have in common. */
enum rhm_status rhm_refine_start(struct rhm_tree *tree, const struct rhm_dataset *data, size_t n,
                                 const size_t *index, rhm_poll_function *poll, void *context,
                                 struct rhm_error *err);
/* The same with the trained chain's codes. RHM_ESTATE where it is not trained or has too many codes. */
enum rhm_status rhm_refine_start_chain(struct rhm_tree *tree, const struct rhm_network *net,
                                       const struct rhm_dataset *data, rhm_poll_function *poll, void *context,
                                       struct rhm_error *err);

/* m as the tuples of tokens show it, which are all about equally frequent; 0 where they are not, or where a
 * table is so large that the bound is not worth its time. */
enum rhm_status rhm_refine_guess_m(const struct rhm_tree *tree, const struct rhm_dataset *data, int64_t *m,
                                   struct rhm_error *err);
/* The M-step: the tables that maximise sum (uses + a) log P, and with m > 0 also obey its bound. Only where m
 * is 0 does it change nothing but the tables and the prior. */
enum rhm_status rhm_refine_maximise(struct rhm_tree *tree, const struct rhm_tree_counts *counts, double a,
                                    int64_t m, struct rhm_error *err);
/* a times the sum of log P over all entries, and of log P(label): what is added to the log likelihood. */
double rhm_refine_penalty(const struct rhm_tree *tree, double a);
double rhm_refine_entropy(const struct rhm_tree *tree, unsigned l);

#endif
