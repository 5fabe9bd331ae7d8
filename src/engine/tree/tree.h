/* tree.h - inside and outside: probabilities of the symbols of a tree that is known, of which the leaves are
 * seen.
 *
 * Level 0 holds the label, level l = 1..L symbols, level L the s_1 ... s_L tokens. A table of each level
 * gives P(tuple of s_l symbols of level l | symbol of level l - 1), the same at all places of the level: as a
 * grammar's rules (sparse), or learned (dense). All vectors are scaled to the sum 1, node by node, so that
 * nothing underflows however long the strings; what was taken out is in the logarithm of the likelihood.
 */
#ifndef RHM_TREE_H
#define RHM_TREE_H

#include "engine/base/poll.h"
#include "engine/data/dataset.h"
#include "engine/grammar/grammar.h"

struct rhm_tree_table {
    unsigned s;
    size_t parents, symbols; /* of level l - 1, of level l */
    int sparse;
    size_t rows;      /* dense: symbols^s tuples, the first child the most significant; sparse: rules */
    double *p;        /* dense: rows x parents, P(tuple | parent); sparse: rows; owned */
    uint32_t *parent; /* sparse: rows; owned */
    uint16_t *child;  /* sparse: rows x s; owned */
};

struct rhm_tree {
    unsigned L;
    size_t nodes[RHM_MAX_LEVELS + 1]; /* of level l: s_1 ... s_l */
    size_t d; /* tokens of a string: nodes[L], or fewer: the leaves behind them are never seen, and a node
                 that has no others is in no likelihood and no count */
    size_t symbols[RHM_MAX_LEVELS + 1];              /* classes at l = 0, else V */
    struct rhm_tree_table table[RHM_MAX_LEVELS + 1]; /* 1..L */
    double *prior;                                   /* symbols[0]: P(label); owned */
    double *emission; /* V x V: P(token seen (row) | symbol of level L); NULL: they are the same; owned */
};

/* Dense tables, all zero, and equal labels. s[1..L]: children by level; d = s_1 ... s_L, for the caller to
 * lower. RHM_EMEMORY where V^s is too many. */
enum rhm_status rhm_tree_init(struct rhm_tree *tree, unsigned L, const unsigned *s, unsigned V,
                              unsigned classes, struct rhm_error *err);
/* A grammar's rules, their probabilities, its labels and token noise (not its label noise: the label at the
 * root is the one that was derived). */
enum rhm_status rhm_tree_from_grammar(struct rhm_tree *tree, const struct rhm_grammar *g,
                                      struct rhm_error *err);
enum rhm_status rhm_tree_copy(struct rhm_tree *to, const struct rhm_tree *from, struct rhm_error *err);
void rhm_tree_clear(struct rhm_tree *tree);

/* P(token is replaced by a uniform one), independently: 0 takes the emission away. */
enum rhm_status rhm_tree_set_noise(struct rhm_tree *tree, double noise, struct rhm_error *err);

/* The nodes of level l with a token below them: the first so many. */
static inline size_t rhm_tree_in_sight(const struct rhm_tree *tree, unsigned l)
{
    size_t width = tree->nodes[tree->L] / tree->nodes[l];
    return (tree->d + width - 1) / width;
}

/* The numbers in table l. */
static inline size_t rhm_tree_size(const struct rhm_tree *tree, unsigned l)
{
    const struct rhm_tree_table *t = &tree->table[l];
    return t->sparse ? t->rows : t->rows * t->parents;
}

/* Posterior of the symbols of one level: out (n x nodes[level] x symbols[level]) for n strings (n x d tokens,
 * RHM_MISSING: not seen). labels: n, RHM_MISSING or labels = NULL: not known. log_p (n, may be NULL): log
 * P(tokens, label) or, where it is not known, log P(tokens). A string that the tables cannot give has nan
 * rows and log_p = -infinity. out = NULL: log_p alone. Parallel over strings. */
enum rhm_status rhm_tree_posterior(const struct rhm_tree *tree, size_t n, const uint16_t *tokens,
                                   const uint16_t *labels, unsigned level, double *out, double *log_p,
                                   rhm_poll_function *poll, void *context, struct rhm_error *err);

/* What EM needs of a data set under the tables: how often each rule was used, expected. */
struct rhm_tree_counts {
    double *rule[RHM_MAX_LEVELS + 1]; /* 1..L: as table.p; owned */
    double *prior;                    /* symbols[0]; owned */
    double log_joint;                 /* sum of log P(tokens, label), log P(tokens) where it is missing */
    double log_label;                 /* sum of log P(label | tokens) over the labelled strings */
    size_t labelled, right;           /* strings with a label; those whose likeliest label it is */
    size_t outside;                   /* strings that the tables cannot give: in none of the sums */
};
enum rhm_status rhm_tree_counts_init(struct rhm_tree_counts *counts, const struct rhm_tree *tree,
                                     struct rhm_error *err);
void rhm_tree_counts_clear(struct rhm_tree_counts *counts);

/* Fills counts. The strings go through in blocks of a size that depends on the tree alone, summed in an order
 * that does not depend on the threads; memory does not depend on n. rules = 0: only the numbers, not rule[]
 * and prior[]. */
enum rhm_status rhm_tree_expect(const struct rhm_tree *tree, size_t n, const uint16_t *tokens,
                                const uint16_t *labels, int rules, struct rhm_tree_counts *counts,
                                rhm_poll_function *poll, void *context, struct rhm_error *err);

#endif
