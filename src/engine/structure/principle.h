/* principle.h - the three conditions of shallow-to-deep chaining, measured on labelled strings (Ren et al.,
 * 2026: a layer that can only see its own features learns them from the labels alone, if the labels give it a
 * clean signal and the features can be identified).
 *
 * A level-l patch mu is the tuple of the s level-l symbols below one node; its parent nu is that node's
 * symbol. Symbols are the true ones (of a grammar, of a formula) or, where the tree's symbols are not known,
 * the clusters of a chain trained on the first half of the strings. The patch looked at is one place of level
 * L and its ancestors. The strings fall at random into two halves, A and B, of n_A and n_B.
 *
 * (i) Correlation of the patch with the label: the correlation ratio, eta^2 = sum_mu P(mu) |q_mu - q|^2/(1 -
 * |q|^2), q_mu = P[label | mu], q = P[label]; for two labels and two patches it is the correlation
 * coefficient. It is estimated as the covariance, in one half, of the label with the other half's estimate of
 * q_mu (patches that the other half has not shown count as q), the mean of both ways, over the label's
 * variance. Interval: normal, of eta^2, by the delta method (what each string of either half moves).
 *
 * (ii) Clean signal. A layer of capacity k regresses the label on all symbols of level l below the k-th
 * ancestor of the patch's node: k = 0 is the chain's own layer, k = l - 1 sees the whole string. It is the
 * table of the label frequencies of a half, which is what a layer with nearly orthogonal features tends to;
 * what that half has not shown gets q. fit is the share of the label's variance that a half's table explains
 * in that half, held what it explains in the other half (R^2; held can be negative). clean = held/fit: of
 * what a layer learns from its strings, the share that holds for others; a ratio of means over the strings of
 * both halves, or, with learned symbols, of B alone (A made them); interval: normal, by the delta method.
 * leak: the share of the variance of a table's outputs on the other half that is no function of nu: what the
 * layer above would take for differences between synonyms.
 *
 * (iii) Identifiability: the gap min |q_nu - q_nu'| over pairs of parents. |q^_nu - q^_nu'| of each pair has
 * an error of at most r, where r^2 is a quantile of |N(0, S)|^2, S the covariance of the difference (one
 * string that has all labels in their shares is added to each parent), by Satterthwaite's chi-square. The
 * interval from min(|.| - r) to min(|.| + r) holds for all pairs at once (Bonferroni). value: the square root
 * of the unbiased |.|^2 - tr S, at least 0. True symbols: from all strings; learned ones: from B alone.
 *
 * Intervals hold with probability `confidence` for all levels together (Bonferroni), for each condition.
 */
#ifndef RHM_PRINCIPLE_H
#define RHM_PRINCIPLE_H

#include "engine/base/monitor.h"
#include "engine/base/poll.h"
#include "engine/data/dataset.h"
#include "engine/grammar/formula.h"
#include "engine/grammar/grammar.h"

/* Pairs of parents are looked at. */
#define RHM_PRINCIPLE_PARENTS 4096

struct rhm_interval {
    double value, low, high; /* nan where there is nothing to measure */
};

/* A layer of capacity k. */
struct rhm_principle_layer {
    size_t inputs;    /* distinct */
    double fit, held; /* R^2 in the half of the table, in the other one */
    struct rhm_interval clean;
    double leak;
};

struct rhm_principle_level {
    size_t patches;   /* distinct in both halves */
    unsigned parents; /* that can be: classes at l = 1, else V; learned: clusters */
    unsigned seen;    /* of them */
    struct rhm_interval correlation, gap;
    double exact_correlation, exact_gap; /* of the grammar or formula; nan where there is none */
    unsigned a, b;                       /* the pair with the smallest value of the gap, 0-based */
    size_t unresolved;                   /* pairs whose interval holds 0 */
    unsigned char *is_seen;              /* parents; owned */
    struct rhm_principle_layer layer[RHM_MAX_LEVELS]; /* capacity 0 .. l - 1 */
};

struct rhm_principle {
    unsigned L;
    int learned;                                          /* the symbols are those of a chain */
    size_t n, n_A, n_B;                                   /* strings with a label */
    struct rhm_principle_level level[RHM_MAX_LEVELS + 1]; /* 1..L */
};

struct rhm_principle_options {
    const struct rhm_dataset *data;
    const struct rhm_grammar *grammar; /* the truth: one of the two, or neither */
    const struct rhm_formula *formula;
    unsigned L, branch[RHM_MAX_LEVELS + 1]; /* of the tree where neither is there; [1..L]: s_l */
    uint64_t place;                         /* of the patch at level L, 0-based */
    double confidence;                      /* in (0, 1) */
    uint64_t seed;                          /* of the halves, and of the chain's features */
    size_t M;                               /* features of the chain's layers */
};

/* monitor (may be NULL) is asked whether to go on. */
enum rhm_status rhm_principle_measure(const struct rhm_principle_options *options,
                                      struct rhm_principle *result, struct rhm_monitor *monitor,
                                      struct rhm_error *err);
void rhm_principle_clear(struct rhm_principle *result);

/* ------------------------------------------------------------ the parts, for tests and for other features */

/* What a level's statistics are made of. */
struct rhm_principle_input {
    size_t n;
    const uint32_t *tuple; /* n rows of what the layer reads, `stride` codes apart, `width` codes */
    size_t stride, width;
    const uint32_t *parent; /* n rows, `parent_stride` apart: nu; a function of the patch */
    size_t parent_stride;
    unsigned parents;
    const uint16_t *label; /* n */
    unsigned classes;
    const unsigned char *half; /* n: 0 A, 1 B */
};

/* (i), with an error of `alpha` on both sides together; *patches: distinct tuples. */
enum rhm_status rhm_principle_correlation(const struct rhm_principle_input *in, double alpha, size_t *patches,
                                          struct rhm_interval *out, rhm_poll_function *poll, void *context,
                                          struct rhm_error *err);
/* (ii) for a layer that reads `tuple`. */
enum rhm_status rhm_principle_layer(const struct rhm_principle_input *in, double alpha, int B_alone,
                                    struct rhm_principle_layer *out, rhm_poll_function *poll, void *context,
                                    struct rhm_error *err);
/* (iii), from B alone or from all strings: fills gap, seen, a, b, unresolved, is_seen of `out`. */
enum rhm_status rhm_principle_gap(const struct rhm_principle_input *in, double alpha, int B_alone,
                                  struct rhm_principle_level *out, rhm_poll_function *poll, void *context,
                                  struct rhm_error *err);

/* x with P[N(0, 1) > x] = tail. */
double rhm_normal_quantile(double tail);

#endif
