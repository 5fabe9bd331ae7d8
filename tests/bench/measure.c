/* measure.c - the measurements. Each takes the median of several passes after one that warms up. */
#include "measure.h"

#include <cblas.h>
#include <stdlib.h>
#include <time.h>

#include "engine/base/memory.h"
#include "engine/base/monitor.h"
#include "engine/chain/network.h"
#include "engine/grammar/grammar.h"
#include "engine/grammar/sample.h"
#include "engine/layer/ridge.h"

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double median(double *value, size_t n)
{
    qsort(value, n, sizeof *value, compare);
    return (value[(n - 1) / 2] + value[n / 2]) / 2;
}

/* --- samples ------------------------------------------------------------------------------------------ */

/* Strings in blocks, as a program that reads them once would ask for them: one buffer for all. */
static enum rhm_status whole_strings(struct measurement *out, struct rhm_error *err)
{
    enum { PASSES = 7, BLOCKS = 24, BLOCK = 1 << 16 };
    struct rhm_grammar g;
    enum rhm_status status =
        rhm_grammar_draw(&g, &(struct rhm_grammar_shape){.V = 16, .m = 8, .s = 2, .L = 4}, 1, err);
    if (status != RHM_OK)
        return status;
    uint16_t *tokens = rhm_array(BLOCK * (g.d + 1), sizeof *tokens, "a block of strings", err);
    double rate[PASSES];
    for (int pass = -1; tokens && pass < PASSES; pass++) {
        double start = rhm_clock();
        for (uint64_t b = 0; b < BLOCKS; b++)
            rhm_sample_strings(&g, 1, b * BLOCK, BLOCK, tokens, tokens + BLOCK * g.d);
        if (pass >= 0)
            rate[pass] = BLOCKS * BLOCK / (rhm_clock() - start) * 1e-6;
    }
    if (tokens)
        out->value = median(rate, PASSES);
    free(tokens);
    rhm_grammar_clear(&g);
    return tokens ? RHM_OK : RHM_EMEMORY;
}

static enum rhm_status subtree_counts(struct measurement *out, struct rhm_error *err)
{
    enum { PASSES = 7, N = 1 << 23 };
    struct rhm_grammar g;
    enum rhm_status status =
        rhm_grammar_draw(&g, &(struct rhm_grammar_shape){.V = 16, .m = 4, .s = 2, .L = 6}, 1, err);
    if (status != RHM_OK)
        return status;
    uint64_t *count = rhm_array((size_t)g.V * g.m * g.classes, sizeof *count, "the counts", err);
    status = count ? RHM_OK : RHM_EMEMORY;
    double rate[PASSES];
    for (int pass = -1; status == RHM_OK && pass < PASSES; pass++) {
        double start = rhm_clock();
        status = rhm_sample_count(&g, 1, (uint64_t)(pass + 1) * N, N, count, err);
        if (pass >= 0)
            rate[pass] = N / (rhm_clock() - start) * 1e-6;
    }
    if (status == RHM_OK)
        out->value = median(rate, PASSES);
    free(count);
    rhm_grammar_clear(&g);
    return status;
}

/* --- features and their Gram matrix ------------------------------------------------------------------- */

enum { FEATURES = 2048, CODES = 128, WIDTH = 16, LABELS = 16 };

/* U patches of two codes, with embeddings and counts such as a chain has them. */
struct problem {
    size_t U, codes;
    uint32_t *tuple;
    double *embedding, *count;
};

static void problem_clear(struct problem *p)
{
    free(p->tuple);
    free(p->embedding);
    free(p->count);
}

static enum rhm_status problem_init(struct problem *p, size_t U, size_t codes, struct rhm_error *err)
{
    *p = (struct problem){.U = U, .codes = codes};
    p->tuple = rhm_array(2 * U, sizeof *p->tuple, "the patches", err);
    p->embedding = rhm_array(codes * WIDTH, sizeof *p->embedding, "the embeddings", err);
    p->count = rhm_array(U * LABELS, sizeof *p->count, "the counts", err);
    if (!p->tuple || !p->embedding || !p->count)
        return RHM_EMEMORY;
    for (size_t i = 0; i < U; i++) {
        p->tuple[2 * i] = (uint32_t)(i / codes);
        p->tuple[2 * i + 1] = (uint32_t)(i % codes);
        for (size_t c = 0; c < LABELS; c++)
            p->count[i * LABELS + c] = (double)((i * 7 + c * 5) % 11 + 1);
    }
    for (size_t i = 0; i < codes * WIDTH; i++)
        p->embedding[i] = (double)(i * 2654435761u % 1009) / 1009 / 4;
    return RHM_OK;
}

/* BLAS's and OpenMP's threads spin for a while after their work: the next measurement waits for idle cores.
 */
static void settle(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
}

/* Seconds from embeddings and patches to the Gram matrix, the largest eigenvalue that comes with it included.
 */
static enum rhm_status time_ours(const struct problem *p, double *seconds, struct rhm_error *err)
{
    struct rhm_features f;
    struct rhm_ridge r;
    double start = rhm_clock();
    enum rhm_status status =
        rhm_features_init(&f, RHM_FEATURES_RBF, FEATURES, 2, p->codes, WIDTH, p->embedding, 0.5, 1, 1, err);
    if (status != RHM_OK)
        return status;
    status =
        rhm_ridge_init(&r, RHM_RIDGE_AUTO, &f, p->U, p->tuple, LABELS, p->count, 1e-4, 0, NULL, NULL, err);
    *seconds = rhm_clock() - start;
    if (status == RHM_OK)
        rhm_ridge_clear(&r);
    rhm_features_clear(&f);
    return status;
}

/* Seconds of dsyrk alone for a Gram matrix of the same shape. The operand is held by blocks of rows where
 * there are more rows than features, as ours is. */
static enum rhm_status time_bare(size_t U, double *seconds, struct rhm_error *err)
{
    enum { BLOCK = 2048 };
    int primal = U >= FEATURES;
    size_t n = primal ? FEATURES : U, rows = primal ? BLOCK : U;
    double *x = rhm_array(rows * FEATURES, sizeof *x, "the operand", err);
    double *g = rhm_array(n * n, sizeof *g, "the Gram matrix", err);
    if (x && g) {
        for (size_t i = 0; i < rows * FEATURES; i++)
            x[i] = (double)(i % 1009) * 1e-3;
        for (size_t i = 0; i < n * n; i++)
            g[i] = 1;
        settle();
        double start = rhm_clock();
        if (primal)
            for (size_t first = 0; first < U; first += BLOCK)
                cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, (int)n, BLOCK, 1, x, FEATURES, first > 0,
                            g, (int)n);
        else
            cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, (int)n, FEATURES, 1, x, FEATURES, 0, g,
                        (int)n);
        *seconds = rhm_clock() - start;
    }
    int held = x && g;
    free(x);
    free(g);
    return held ? RHM_OK : RHM_EMEMORY;
}

/* Gflop/s of both, taken in turn so that whatever else the machine does slows both. */
static enum rhm_status gram(size_t U, size_t codes, size_t passes, struct measurement *out,
                            struct rhm_error *err)
{
    enum { MOST = 32 };
    double ours[MOST], bare[MOST], drop;
    double n = U >= FEATURES ? FEATURES : (double)U, k = U >= FEATURES ? (double)U : FEATURES;
    struct problem p;
    enum rhm_status status = problem_init(&p, U, codes, err);
    for (size_t pass = 0; status == RHM_OK && pass <= passes; pass++) {
        int warm = pass == 0;
        status = time_ours(&p, warm ? &drop : &ours[pass - 1], err);
        if (status == RHM_OK)
            status = time_bare(U, warm ? &drop : &bare[pass - 1], err);
    }
    problem_clear(&p);
    if (status != RHM_OK)
        return status;
    out->value = n * (n + 1) * k / median(ours, passes) * 1e-9;
    out->bare = n * (n + 1) * k / median(bare, passes) * 1e-9;
    return RHM_OK;
}

static enum rhm_status gram_primal(struct measurement *out, struct rhm_error *err)
{
    return gram(CODES * CODES, CODES, 5, out, err);
}

static enum rhm_status gram_dual(struct measurement *out, struct rhm_error *err)
{
    return gram(1500, 40, 21, out, err);
}

/* --- training ----------------------------------------------------------------------------------------- */

/* Seconds of a whole training of (16,4,2,6) with c = 32, from the grammar to the exact accuracy. */
static enum rhm_status training(enum rhm_sampler sampler, struct measurement *out, struct rhm_error *err)
{
    enum { PASSES = 5, SEED = 1 }; /* a grammar that passes the check and is learned with c = 32 */
    struct rhm_grammar g;
    enum rhm_status status =
        rhm_grammar_draw(&g, &(struct rhm_grammar_shape){.V = 16, .m = 4, .s = 2, .L = 6}, SEED, err);
    if (status != RHM_OK)
        return status;
    double seconds[PASSES];
    for (int pass = -1; status == RHM_OK && pass < PASSES; pass++) {
        struct rhm_network_options options = rhm_network_defaults();
        struct rhm_network *net;
        double accuracy = 0, start = rhm_clock();
        options.grammar = &g;
        if ((status = rhm_network_create(&net, &options, err)) != RHM_OK)
            break;
        struct rhm_train_options train = rhm_train_defaults(net);
        train.grammar = &g;
        train.sampler = sampler;
        status = rhm_network_train(net, &train, NULL, &accuracy, err);
        if (pass >= 0)
            seconds[pass] = rhm_clock() - start;
        rhm_network_free(net);
        if (status == RHM_OK && !(accuracy >= 0.99))
            status = rhm_fail(err, RHM_ENUMERIC, "accuracy %g: a training that learns nothing is not timed",
                              accuracy);
    }
    if (status == RHM_OK)
        out->value = median(seconds, PASSES);
    rhm_grammar_clear(&g);
    return status;
}

static enum rhm_status training_draw(struct measurement *out, struct rhm_error *err)
{
    return training(RHM_SAMPLER_DRAW, out, err);
}

static enum rhm_status training_tally(struct measurement *out, struct rhm_error *err)
{
    return training(RHM_SAMPLER_TALLY, out, err);
}

/* --- the limits --------------------------------------------------------------------------------------- */

const struct measure measures[] = {
    {"strings", "whole strings, (16,8,2,4)", "million/s", 1, 6, NULL, whole_strings, NULL},
    {"counts", "first subtrees counted, (16,4,2,6)", "million/s", 1, 30, NULL, subtree_counts, NULL},
    {"primal", "features + Gram, 16384 patches, M = 2048", "Gflop/s", 1, 0.8, "a bare dsyrk", gram_primal,
     NULL},
    {"dual", "features + Gram, 1500 patches, M = 2048", "Gflop/s", 1, 0.8, "a bare dsyrk", gram_dual, NULL},
    {"draw", "training (16,4,2,6), c = 32, drawn", "s", 0, 1.5, NULL, training_draw, NULL},
    {"tally", "training (16,4,2,6), c = 32, tally", "s", 0, 0.1, NULL, training_tally, NULL},
    {"cnn64", "CNN (8,4,2,3), h = 64, batch 128, 1 thread", "1000/s", 1, 0.6, "bare sgemm",
     measure_cnn_narrow, NULL},
    {"cnn512", "CNN (8,4,2,3), h = 512, one thread", "1000/s", 1, 0.6, "bare sgemm", measure_cnn_wide, NULL},
    {"torch", "CNN (8,4,2,3), h = 64, beside PyTorch", "1000/s", 1, 3, "PyTorch", measure_cnn_torch,
     measure_torch_there},
    {"quickstart", "rhm quickstart", "s", 0, 1, NULL, NULL, NULL},
};
const size_t measure_count = sizeof measures / sizeof *measures;
