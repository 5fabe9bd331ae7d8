/* common.h - for the tests of grammars and chains: what must succeed, grammars, chi-square tests.
 *
 * Seeds are fixed, so the outcome is too. Every statistical check yields a p-value and fails below
 * 0.001 / (the checks a program makes) (Bonferroni): over seeds, correct code would fail a program with
 * probability 0.001 at most.
 */
#ifndef RHM_TESTS_COMMON_H
#define RHM_TESTS_COMMON_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/error.h"
#include "engine/base/rng.h"
#include "engine/grammar/grammar.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ------------------------------------------------------------ statuses */

/* must(rhm_function(..., &err)): the call succeeds, or the test fails with its error line. */
#define must(call)                                                                                           \
    do {                                                                                                     \
        struct rhm_error err = {0};                                                                          \
        if ((call) != RHM_OK)                                                                                \
            fail_msg("%s: %s", #call, err.text);                                                             \
    } while (0)

/* The call fails with this status and its one line holds each of these words. */
#define must_fail(call, wanted, ...)                                                                         \
    do {                                                                                                     \
        struct rhm_error err = {0};                                                                          \
        const char *const words[] = {__VA_ARGS__};                                                           \
        enum rhm_status got = (call);                                                                        \
        if (got != (wanted))                                                                                 \
            fail_msg("%s: status %d, not %d: %s", #call, (int)got, (int)(wanted), err.text);                 \
        assert_int_equal(err.status, (wanted));                                                              \
        assert_null(strchr(err.text, '\n'));                                                                 \
        for (size_t word_ = 0; word_ < COUNT(words); word_++)                                                \
            if (strstr(err.text, words[word_]) == NULL)                                                      \
                fail_msg("\"%s\" does not name \"%s\"", err.text, words[word_]);                             \
    } while (0)

#define assert_near(got, wanted, tolerance)                                                                  \
    do {                                                                                                     \
        double got_ = (got), wanted_ = (wanted);                                                             \
        if (!(fabs(got_ - wanted_) <= (tolerance)))                                                          \
            fail_msg("%s = %.9g, not %.9g", #got, got_, wanted_);                                            \
    } while (0)

static inline void *room(size_t count, size_t size)
{
    void *p = calloc(count > 0 ? count : 1, size);
    if (p == NULL)
        abort();
    return p;
}

/* ------------------------------------------------------------ grammars */

struct shape {
    unsigned V, m, s, L, classes;
};

/* For s: another one at each of two or three levels (c = 0: two). */
#define S_OF(a, b, c) (0x1000u | (a) << 8 | (b) << 4 | (c))

static inline struct rhm_grammar_shape wide_shape(struct shape shape)
{
    struct rhm_grammar_shape wide = {
        .V = shape.V, .m = shape.m, .s = shape.s, .L = shape.L, .classes = shape.classes};
    for (unsigned l = 1; l <= shape.L && shape.s >= 0x1000; l++)
        wide.branch[l] = shape.s >> (12 - 4 * l) & 15;
    return wide;
}

static inline struct rhm_grammar draw_grammar(struct shape shape, uint64_t seed)
{
    struct rhm_grammar g;
    struct rhm_grammar_shape wide = wide_shape(shape);
    must(rhm_grammar_draw(&g, &wide, seed, &err));
    return g;
}

/* Gives the rules random weights, from about .01 to 1; the probabilities that follow, computed here, by rule
 * number (level, parent, rule): the caller's. */
static inline double *weigh(struct rhm_grammar *g, uint64_t seed)
{
    size_t rules = ((size_t)g->classes + (g->L - 1) * (size_t)g->V) * g->m;
    double *chance = (double *)room(rules, sizeof *chance);
    struct rhm_rng rng = rhm_rng_start(seed, RHM_STREAM_TEST, 0);
    for (size_t r = 0; r < rules; r++)
        chance[r] = 0.01 + pow(rhm_rng_uniform(&rng), 2);
    must(rhm_grammar_set_weights(g, chance, &err));
    for (size_t r = 0; r < rules; r += g->m) {
        double sum = 0;
        for (unsigned k = 0; k < g->m; k++)
            sum += chance[r + k];
        for (unsigned k = 0; k < g->m; k++)
            chance[r + k] /= sum;
    }
    return chance;
}

/* The number in `chance` of rule k of parent nu. */
static inline size_t rule_number(const struct rhm_grammar *g, unsigned l, unsigned nu, unsigned k)
{
    size_t before = l == 1 ? 0 : (size_t)g->classes + (l - 2) * (size_t)g->V;
    return (before + nu) * g->m + k;
}

/* A grammar with weights (see above), a prior, noise. */
struct noisy_shape {
    struct shape shape;
    int weighted, prior;
    double label_noise, token_noise;
};

static inline struct rhm_grammar draw_noisy(const struct noisy_shape *setting, uint64_t seed)
{
    struct rhm_grammar g = draw_grammar(setting->shape, seed);
    if (setting->weighted)
        free(weigh(&g, seed));
    double weight[16];
    for (unsigned c = 0; c < g.classes; c++)
        weight[c] = 1.0 + c * c;
    if (setting->prior)
        must(rhm_grammar_set_prior(&g, weight, &err));
    must(rhm_grammar_set_noise(&g, setting->label_noise, setting->token_noise, &err));
    return g;
}

/* --------------------------------------------------------- chi-square */

static int checks;
static double least_p = 1;

/* A program makes at most `limit` checks. */
__attribute__((format(printf, 3, 4))) static inline void check_p(double p, int limit, const char *format, ...)
{
    checks++;
    least_p = fmin(least_p, p);
    if (p >= 0.001 / limit && checks <= limit)
        return;
    char text[200];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (checks > limit)
        fail_msg("%s: more checks than %d", text, limit);
    fail_msg("%s: p = %g", text, p);
}

/* P[chi-square with df degrees > x]: the finite sums of Abramowitz and Stegun 26.4.4-5. */
static inline double chi_square_tail(double x, size_t df)
{
    double sum = df % 2 ? erfc(sqrt(x / 2)) : 0;
    double log_term = -x / 2 + (df % 2 ? 0.5 * log(2 * x / M_PI) : 0); /* exp(-x/2) alone may underflow */
    if (x <= 0)
        return 1;
    for (size_t r = df % 2; r < df; r += 2) {
        sum += exp(log_term);
        log_term += log(x / (double)(r + 2));
    }
    return fmin(sum, 1);
}

/* p of the counts `seen` against the numbers expected, cells below 10 pooled with their neighbours; counts
 * where nothing is expected give 0. */
static inline double chi_square_p(size_t cells, const double *expected, const double *seen)
{
    double x = 0, pool_expected = 0, pool_seen = 0, last_expected = 0, last_seen = 0;
    size_t bins = 0;
    for (size_t i = 0; i < cells; i++) {
        if (!(expected[i] > 0)) {
            if (seen[i] > 0)
                return 0;
            continue;
        }
        pool_expected += expected[i];
        pool_seen += seen[i];
        if (pool_expected < 10)
            continue;
        if (bins > 0)
            x += (last_seen - last_expected) * (last_seen - last_expected) / last_expected;
        last_expected = pool_expected;
        last_seen = pool_seen;
        pool_expected = pool_seen = 0;
        bins++;
    }
    if (bins == 0)
        return 1;
    last_expected += pool_expected; /* the rest joins the last bin */
    last_seen += pool_seen;
    x += (last_seen - last_expected) * (last_seen - last_expected) / last_expected;
    return bins > 1 ? chi_square_tail(x, bins - 1) : 1;
}

/* p of the same cells seen by two samples of equal size: sum (a - b)^2/(a + b), one degree a cell, less one;
 * neighbours join until they hold 20 in both together. */
static inline double two_sample_p(size_t cells, const double *a, const double *b)
{
    double x = 0, pool_a = 0, pool_b = 0, last_a = 0, last_b = 0;
    size_t bins = 0;
    for (size_t i = 0; i < cells; i++) {
        pool_a += a[i];
        pool_b += b[i];
        if (pool_a + pool_b < 20)
            continue;
        if (bins > 0)
            x += (last_a - last_b) * (last_a - last_b) / (last_a + last_b);
        last_a = pool_a;
        last_b = pool_b;
        pool_a = pool_b = 0;
        bins++;
    }
    if (bins < 2)
        return 1;
    last_a += pool_a;
    last_b += pool_b;
    x += (last_a - last_b) * (last_a - last_b) / (last_a + last_b);
    return chi_square_tail(x, bins - 1);
}

#define report_checks(limit)                                                                                 \
    print_message("%d statistical checks, least p = %.2g (limit %.1g)\n", checks, least_p, 0.001 / (limit))

#endif
