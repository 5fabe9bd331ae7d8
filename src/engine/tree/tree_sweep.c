/* tree_sweep.c - a data set through both passes, on all threads. See tree.h. */
#include "engine/tree/tree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/linalg.h"
#include "engine/base/memory.h"
#include "engine/base/threads.h"
#include "engine/tree/tree_pass.h"

#define WORTH_THREADS 3e7 /* products: some 10 ms */

/* No more threads than there is work for: to wake them costs more than a small data set. */
static int threads_for(const struct rhm_tree *tree, size_t n, size_t pieces)
{
    double products = 0;
    for (unsigned l = 1; l <= tree->L; l++)
        products += (double)tree->nodes[l - 1] * (l == tree->L && !tree->table[l].sparse
                                                      ? (double)tree->table[l].parents
                                                      : (double)rhm_tree_size(tree, l));
    int threads = 3 * products * (double)n < WORTH_THREADS ? 1 : rhm_threads_get();
    return (size_t)threads < pieces ? threads : pieces > 0 ? (int)pieces : 1;
}

/* One pass a thread; NULL: no memory. */
static struct rhm_tree_pass *make_passes(const struct rhm_tree *tree, int threads, struct rhm_error *err)
{
    struct rhm_tree_pass *pass = rhm_array((size_t)threads, sizeof *pass, "the passes over a tree", err);
    for (int i = 0; i < threads && pass; i++)
        if (rhm_tree_pass_init(&pass[i], tree, err) != RHM_OK) {
            while (i-- > 0)
                rhm_tree_pass_clear(&pass[i]);
            free(pass);
            pass = NULL;
        }
    return pass;
}

static void free_passes(struct rhm_tree_pass *pass, int threads)
{
    for (int i = 0; i < threads; i++)
        rhm_tree_pass_clear(&pass[i]);
    free(pass);
}

/* After the upward pass: what stands outside the root of string i, a label (RHM_MISSING: the prior), and log
 * P(tokens, label); all zero and -infinity where the tables cannot give it. */
static double set_root(struct rhm_tree_pass *pass, size_t i, uint16_t label)
{
    const struct rhm_tree *tree = pass->tree;
    size_t C = tree->symbols[0];
    const double *in = pass->inside[0] + i * C;
    double *out = pass->outside[0] + i * C, sum = 0;
    for (size_t c = 0; c < C; c++) {
        out[c] = label == RHM_MISSING || label == c ? tree->prior[c] : 0;
        sum += out[c] * in[c];
    }
    if (sum > 0 && pass->log_scale[i] > -INFINITY)
        return pass->log_scale[i] + log(sum);
    memset(out, 0, C * sizeof *out);
    return -INFINITY;
}

/* ------------------------------------------------------------ posteriors */

static void posterior_block(struct rhm_tree_pass *pass, size_t n, const uint16_t *tokens,
                            const uint16_t *labels, unsigned level, double *out, double *log_p)
{
    const struct rhm_tree *tree = pass->tree;
    size_t nodes = tree->nodes[level], k = tree->symbols[level];
    rhm_tree_upward(pass, n, tokens);
    for (size_t i = 0; i < n; i++) {
        double p = set_root(pass, i, labels ? labels[i] : RHM_MISSING);
        if (log_p)
            log_p[i] = p;
    }
    if (out == NULL)
        return;
    rhm_tree_downward(pass, n, tokens, level, NULL);
    for (size_t r = 0; r < n * nodes; r++) {
        double *row = out + r * k, sum = 0;
        for (size_t v = 0; v < k; v++) {
            row[v] = pass->inside[level][r * k + v] * pass->outside[level][r * k + v];
            sum += row[v];
        }
        for (size_t v = 0; v < k; v++)
            row[v] = sum > 0 ? row[v] / sum : NAN;
    }
}

enum rhm_status rhm_tree_posterior(const struct rhm_tree *tree, size_t n, const uint16_t *tokens,
                                   const uint16_t *labels, unsigned level, double *out, double *log_p,
                                   rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    size_t d = tree->d, block = rhm_tree_block(tree), blocks = (n + block - 1) / block;
    size_t row = tree->nodes[level] * tree->symbols[level];
    int threads = threads_for(tree, n, blocks);
    struct rhm_tree_pass *pass = make_passes(tree, threads, err);
    if (pass == NULL)
        return RHM_EMEMORY;
    enum rhm_status status = RHM_OK;
    rhm_linalg_share();
    for (size_t first = 0; first < blocks && status == RHM_OK; first += 32) {
        size_t last = blocks - first < 32 ? blocks : first + 32;
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads) if (threads > 1)
        for (size_t b = first; b < last; b++) {
            size_t at = b * block, some = n - at < block ? n - at : block;
            posterior_block(&pass[rhm_threads_number()], some, tokens + at * d, labels ? labels + at : NULL,
                            level, out ? out + at * row : NULL, log_p ? log_p + at : NULL);
        }
        status = rhm_poll(poll, context, err);
    }
    rhm_linalg_unshare();
    free_passes(pass, threads);
    return status;
}

/* ------------------------------------------------------------ expected counts */

enum rhm_status rhm_tree_counts_init(struct rhm_tree_counts *counts, const struct rhm_tree *tree,
                                     struct rhm_error *err)
{
    *counts = (struct rhm_tree_counts){0};
    int ok = 1;
    for (unsigned l = 1; l <= tree->L && ok; l++)
        ok = (counts->rule[l] =
                  rhm_array(rhm_tree_size(tree, l), sizeof(double), "the counts of a tree", err)) != NULL;
    ok = ok &&
         (counts->prior = rhm_array(tree->symbols[0], sizeof(double), "the counts of a tree", err)) != NULL;
    if (!ok)
        rhm_tree_counts_clear(counts);
    return ok ? RHM_OK : RHM_EMEMORY;
}

void rhm_tree_counts_clear(struct rhm_tree_counts *counts)
{
    for (unsigned l = 0; l <= RHM_MAX_LEVELS; l++)
        free(counts->rule[l]);
    free(counts->prior);
    *counts = (struct rhm_tree_counts){0};
}

static void count_label(struct rhm_tree_counts *counts, const struct rhm_tree *tree, const double *in,
                        const double *root, uint16_t label, int rules)
{
    size_t C = tree->symbols[0], best = 0;
    double all = 0, given = 0;
    for (size_t c = 0; c < C; c++) {
        all += tree->prior[c] * in[c];
        given += root[c] * in[c];
        if (tree->prior[c] * in[c] > tree->prior[best] * in[best])
            best = c;
    }
    for (size_t c = 0; c < C && rules; c++)
        counts->prior[c] += root[c] * in[c] / given;
    if (label == RHM_MISSING)
        return;
    counts->labelled++;
    counts->right += best == label;
    counts->log_label += log(given / all);
}

static void expect_block(struct rhm_tree_pass *pass, size_t n, const uint16_t *tokens, const uint16_t *labels,
                         int rules, struct rhm_tree_counts *counts)
{
    size_t C = pass->tree->symbols[0];
    rhm_tree_upward(pass, n, tokens);
    for (size_t i = 0; i < n; i++) {
        uint16_t label = labels ? labels[i] : RHM_MISSING;
        double p = set_root(pass, i, label);
        if (p > -INFINITY) {
            counts->log_joint += p;
            count_label(counts, pass->tree, pass->inside[0] + i * C, pass->outside[0] + i * C, label, rules);
        } else {
            counts->outside++;
            counts->labelled += label != RHM_MISSING;
        }
    }
    if (rules)
        rhm_tree_downward(pass, n, tokens, pass->tree->L, counts->rule);
}

static void zero(struct rhm_tree_counts *counts, const struct rhm_tree *tree, int rules)
{
    for (unsigned l = 1; l <= tree->L && rules; l++)
        memset(counts->rule[l], 0, rhm_tree_size(tree, l) * sizeof(double));
    if (rules)
        memset(counts->prior, 0, tree->symbols[0] * sizeof(double));
    counts->log_joint = counts->log_label = 0;
    counts->labelled = counts->right = counts->outside = 0;
}

static void add(struct rhm_tree_counts *to, const struct rhm_tree_counts *from, const struct rhm_tree *tree,
                int rules)
{
    for (unsigned l = 1; l <= tree->L && rules; l++)
        for (size_t i = 0; i < rhm_tree_size(tree, l); i++)
            to->rule[l][i] += from->rule[l][i];
    for (size_t c = 0; c < tree->symbols[0] && rules; c++)
        to->prior[c] += from->prior[c];
    to->log_joint += from->log_joint;
    to->log_label += from->log_label;
    to->labelled += from->labelled;
    to->right += from->right;
    to->outside += from->outside;
}

/* How many sums run side by side: by the size of the tables, never by the threads. */
static size_t slots_for(const struct rhm_tree *tree, size_t blocks)
{
    double bytes = 0;
    for (unsigned l = 1; l <= tree->L; l++)
        bytes += (double)rhm_tree_size(tree, l) * sizeof(double);
    double fit = 0x1p26 / (bytes + 1);
    size_t slots = fit > 32 ? 32 : fit < 2 ? 2 : (size_t)fit;
    return slots < blocks ? slots : blocks > 0 ? blocks : 1;
}

enum rhm_status rhm_tree_expect(const struct rhm_tree *tree, size_t n, const uint16_t *tokens,
                                const uint16_t *labels, int rules, struct rhm_tree_counts *counts,
                                rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    size_t d = tree->d, block = rhm_tree_block(tree), blocks = (n + block - 1) / block;
    size_t slots = slots_for(tree, blocks);
    int threads = threads_for(tree, n, slots);
    struct rhm_tree_counts *slot = rhm_array(slots, sizeof *slot, "the counts of a tree", err);
    struct rhm_tree_pass *pass = make_passes(tree, threads, err);
    enum rhm_status status = slot && pass ? RHM_OK : RHM_EMEMORY;
    for (size_t k = 0; k < slots && status == RHM_OK; k++)
        status = rhm_tree_counts_init(&slot[k], tree, err);
    rhm_linalg_share();
    for (size_t first = 0; first < blocks && status == RHM_OK; first += slots) {
        size_t some_slots = blocks - first < slots ? blocks - first : slots;
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads) if (threads > 1)
        for (size_t k = 0; k < some_slots; k++) {
            size_t at = (first + k) * block, some = n - at < block ? n - at : block;
            expect_block(&pass[rhm_threads_number()], some, tokens + at * d, labels ? labels + at : NULL,
                         rules, &slot[k]);
        }
        status = rhm_poll(poll, context, err);
    }
    rhm_linalg_unshare();
    zero(counts, tree, rules);
    for (size_t k = 0; k < slots && slot; k++) {
        if (status == RHM_OK)
            add(counts, &slot[k], tree, rules);
        rhm_tree_counts_clear(&slot[k]);
    }
    for (unsigned l = 1; l <= tree->L && rules && status == RHM_OK; l++) /* the factor left out below */
        for (size_t i = 0; i < rhm_tree_size(tree, l); i++)
            counts->rule[l][i] *= tree->table[l].p[i];
    if (pass)
        free_passes(pass, threads);
    free(slot);
    return status;
}
