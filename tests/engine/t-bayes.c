/* t-bayes.c - posteriors under the grammar, whatever is missing or replaced, against the enumeration of all
 * derivations; the best accuracy against the sum over all strings. */
#include "common.h"

#include "engine/base/memory.h"
#include "engine/base/threads.h"
#include "engine/grammar/sample.h"
#include "engine/tree/bayes.h"

enum { CHECKS = 40 };

static const struct noisy_shape settings[] = {
    {{3, 2, 2, 3, 3}, 0, 0, 0, 0},
    {{3, 2, 2, 2, 4}, 0, 1, 0.2, 0.1},
    {{3, 3, 2, 2, 3}, 1, 0, 0, 0.3},
    {{3, 2, 2, 3, 2}, 1, 1, 0.1, 0.15},
    {{2, 2, 3, 2, 3}, 1, 1, 0.25, 0},
    {{4, 3, 2, 2, 5}, 0, 0, 0.5, 0.05},
    {{3, 2, S_OF(2, 3, 0), 2, 3}, 0, 1, 0.1, 0.2},
};

/* -------------------------------------------------------- derivations */

/* All derivations: the symbols of all nodes (level 0, then level 1, ...), and the probability of each. */
struct derivations {
    size_t n, nodes, room;
    uint16_t *symbol; /* n x nodes */
    double *p;
};

static void expand(const struct rhm_grammar *g, unsigned l, size_t at, size_t width, size_t first,
                   uint16_t *symbol, double p, struct derivations *all)
{
    if (l > g->L) {
        if (all->n == all->room) {
            all->room = all->room ? 2 * all->room : 1024;
            all->symbol = realloc(all->symbol, all->room * all->nodes * sizeof *symbol);
            all->p = realloc(all->p, all->room * sizeof p);
            assert_true(all->symbol && all->p);
        }
        memcpy(all->symbol + all->n * all->nodes, symbol, all->nodes * sizeof *symbol);
        all->p[all->n++] = p;
        return;
    }
    if (at == width) {
        expand(g, l + 1, 0, width * g->branch[l], first + width, symbol, p, all);
        return;
    }
    unsigned nu = symbol[first + at];
    for (unsigned k = 0; k < g->m; k++) {
        memcpy(symbol + first + width + at * g->branch[l], rhm_grammar_rule(g, l, nu, k),
               g->branch[l] * sizeof *symbol);
        expand(g, l, at + 1, width, first, symbol, p * rhm_grammar_p(g, l, nu, k), all);
    }
}

static struct derivations enumerate(const struct rhm_grammar *g)
{
    struct derivations all = {0};
    uint16_t symbol[128];
    for (unsigned l = 0; l <= g->L; l++)
        all.nodes += (size_t)rhm_places(g->branch, 1, l);
    for (unsigned c = 0; c < g->classes; c++) {
        symbol[0] = (uint16_t)c;
        expand(g, 1, 0, 1, 0, symbol, rhm_grammar_prior(g, c), &all);
    }
    return all;
}

static void forget(struct derivations *all)
{
    free(all->symbol);
    free(all->p);
}

/* P(what is seen of the tokens | the tokens of derivation i). */
static double seen_given(const struct rhm_grammar *g, const struct derivations *all, size_t i, double noise,
                         const uint16_t *tokens)
{
    const uint16_t *own = all->symbol + (i + 1) * all->nodes - g->d;
    double p = 1;
    for (size_t j = 0; j < g->d; j++)
        if (tokens[j] != RHM_MISSING)
            p *= (own[j] == tokens[j] ? 1 - noise : 0) + noise / g->V;
    return p;
}

/* p (nodes of level x symbols): posterior by its definition. Returns P(tokens). */
static double define(const struct rhm_grammar *g, const struct derivations *all,
                     const struct rhm_bayes_options *o, const uint16_t *tokens, double *p)
{
    size_t first = 0, width = 1, symbols = o->level == 0 ? g->classes : g->V;
    for (unsigned l = 0; l < o->level; l++) {
        first += width;
        width *= g->branch[l + 1];
    }
    memset(p, 0, width * symbols * sizeof *p);
    double total = 0;
    for (size_t i = 0; i < all->n; i++) {
        double joint = all->p[i] * seen_given(g, all, i, o->token_noise, tokens);
        for (size_t k = 0; k < width; k++)
            p[k * symbols + all->symbol[i * all->nodes + first + k]] += joint;
        total += joint;
    }
    for (size_t k = 0; k < width * symbols; k++) {
        p[k] /= total; /* nan where the string is none of the grammar's */
        if (o->level == 0)
            p[k] = (1 - o->label_noise) * p[k] + o->label_noise / g->classes;
    }
    return total;
}

static void test_posteriors_are_those_of_all_derivations(void **state)
{
    (void)state;
    enum { N = 12 };
    double worst = 0;
    size_t outside = 0, inside = 0;
    for (size_t k = 0; k < COUNT(settings); k++) {
        struct rhm_grammar g = draw_noisy(&settings[k], k);
        struct derivations all = enumerate(&g);
        struct rhm_dataset data, seen;
        must(rhm_sample_dataset(&g, 3, N, &data, &err));
        must(rhm_dataset_hide(&data, 0, 0.25, 3, &seen, &err));
        struct rhm_rng rng = rhm_rng_start(1, RHM_STREAM_TEST, k);
        for (size_t j = 0; j < 4 * g.d;
             j++) /* four strings of noise alone, four that are whole, one hidden */
            seen.tokens[j] = (uint16_t)rhm_rng_below(&rng, g.V);
        memcpy(seen.tokens + 4 * g.d, data.tokens + 4 * g.d, 4 * g.d * sizeof *seen.tokens);
        for (size_t j = 0; j < g.d; j++)
            seen.tokens[8 * g.d + j] = RHM_MISSING;
        for (unsigned level = 0; level <= g.L; level++)
            for (int own = 0; own < 2; own++) {
                struct rhm_bayes_options o = rhm_bayes_defaults(&g);
                o.level = level;
                if (!own) {
                    o.label_noise = 0.3;
                    o.token_noise = o.token_noise > 0 ? 0 : 0.2;
                }
                size_t width = (level == 0 ? g.classes : g.V), counted, nans = 0;
                width *= (size_t)rhm_places(g.branch, 1, level);
                double *p = room(N * width, sizeof *p), *want = room(width, sizeof *want);
                must(rhm_bayes_posterior(&g, &o, N, seen.tokens, p, &counted, NULL, NULL, &err));
                for (size_t i = 0; i < N; i++) {
                    double total = define(&g, &all, &o, seen.tokens + i * g.d, want);
                    nans += !(total > 0);
                    for (size_t j = 0; j < width; j++) {
                        assert_true(isnan(p[i * width + j]) == isnan(want[j]));
                        worst = isnan(want[j]) ? worst : fmax(worst, fabs(p[i * width + j] - want[j]));
                    }
                }
                assert_int_equal(counted, nans);
                outside += nans;
                inside += N - nans;
                free(p);
                free(want);
            }
        forget(&all);
        rhm_dataset_clear(&data);
        rhm_dataset_clear(&seen);
        rhm_grammar_clear(&g);
    }
    print_message("%zu posteriors to %.1g, %zu strings outside\n", inside, worst, outside);
    assert_true(worst < 1e-12);
    assert_true(outside > 20);
}

/* The sum over all strings of the largest joint probability with a label. */
static double best_accuracy(const struct rhm_grammar *g, const struct derivations *all)
{
    double sum = 0, p[16];
    uint16_t tokens[16];
    size_t strings = (size_t)rhm_power(g->V, (unsigned)g->d);
    struct rhm_bayes_options o = rhm_bayes_defaults(g);
    for (size_t k = 0; k < strings; k++) {
        size_t number = k, best = 0;
        for (size_t j = g->d; j-- > 0; number /= g->V)
            tokens[j] = (uint16_t)(number % g->V);
        double total = define(g, all, &o, tokens, p);
        for (size_t c = 1; c < g->classes; c++)
            best = p[c] > p[best] ? c : best;
        sum += total > 0 ? total * p[best] : 0;
    }
    return sum;
}

static void test_the_best_accuracy(void **state)
{
    (void)state;
    enum { N = 20000 };
    for (size_t k = 0; k < COUNT(settings); k++) {
        if (settings[k].shape.L == 3 && settings[k].token_noise > 0)
            continue; /* all strings times all derivations */
        struct rhm_grammar g = draw_noisy(&settings[k], k);
        struct derivations all = enumerate(&g);
        double want = best_accuracy(&g, &all);
        struct rhm_bayes exact, drawn, data_bayes;
        must(rhm_bayes_exact(&g, 0, &exact, NULL, NULL, &err));
        assert_true(exact.exact && fabs(exact.accuracy - want) < 1e-12);
        must(rhm_bayes_drawn(&g, 0, 5, N, &drawn, NULL, NULL, &err));
        assert_true(!drawn.exact && drawn.n == N && drawn.outside == 0);
        if (drawn.error > 1e-9) /* the mean of what each string allows */
            check_p(erfc(fabs(drawn.accuracy - want) / drawn.error / sqrt(2)), CHECKS, "drawn, setting %zu",
                    k);
        else
            assert_true(fabs(drawn.accuracy - want) < 1e-12);
        struct rhm_dataset data;
        must(rhm_sample_dataset(&g, 5, N, &data, &err));
        struct rhm_bayes_options o = rhm_bayes_defaults(&g);
        must(rhm_bayes_on_data(&g, &o, &data, &data_bayes, NULL, NULL, &err));
        assert_true(data_bayes.accuracy == drawn.accuracy && data_bayes.labelled == N);
        assert_true(drawn.labelled == N && drawn.counted == data_bayes.counted);
        if (want < 1) /* and how often the likeliest label was there */
            check_p(erfc(fabs(data_bayes.counted - want) / sqrt(2 * want * (1 - want) / N)), CHECKS,
                    "counted, setting %zu", k);
        else
            assert_true(data_bayes.counted == 1);
        rhm_dataset_clear(&data);
        forget(&all);
        rhm_grammar_clear(&g);
    }
}

static void test_any_number_of_threads(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_noisy(&(struct noisy_shape){{8, 4, 2, 5, 8}, 1, 1, 0.1, 0.1}, 3);
    struct rhm_bayes bayes[3];
    int threads = rhm_threads_get();
    for (int n = 1; n <= 3; n++) {
        must(rhm_threads_set(n, &err));
        must(rhm_bayes_drawn(&g, 0, 1, 3000, &bayes[n - 1], NULL, NULL, &err));
    }
    must(rhm_threads_set(threads, &err));
    assert_memory_equal(&bayes[0], &bayes[1], sizeof bayes[0].accuracy + sizeof bayes[0].error);
    assert_memory_equal(&bayes[0], &bayes[2], sizeof bayes[0].accuracy + sizeof bayes[0].error);
    rhm_grammar_clear(&g);
}

static enum rhm_status stop(void *context, struct rhm_error *err)
{
    (void)context;
    return rhm_fail(err, RHM_ESTOP, "stopped");
}

static void test_ties_outsiders_and_limits(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){3, 2, 2, 2, 3}, 1);
    struct rhm_bayes_options o = rhm_bayes_defaults(&g);
    struct rhm_dataset data;
    struct rhm_bayes bayes;
    must(rhm_dataset_init(&data, 3, 4, 3, 3, &err));
    rhm_sample_strings(&g, 1, 0, 1, data.tokens, data.labels);
    for (size_t j = 4; j < 8; j++)
        data.tokens[j] = RHM_MISSING; /* all labels alike */
    data.labels[1] = 0;
    data.labels[2] = RHM_MISSING;
    size_t outsider = 0; /* of 81 strings 3 * 2^3 are the grammar's */
    for (size_t k = 0; k < 81 && outsider == 0; k++) {
        uint16_t label;
        for (size_t j = 0, number = k; j < 4; j++, number /= 3)
            data.tokens[8 + j] = (uint16_t)(number % 3);
        outsider = rhm_grammar_parse(&g, data.tokens + 8, &label, NULL) != RHM_OK;
    }
    must(rhm_bayes_on_data(&g, &o, &data, &bayes, NULL, NULL, &err));
    assert_int_equal(bayes.n, 3);
    assert_int_equal(bayes.outside, 1);
    assert_int_equal(bayes.ties, 1);
    assert_int_equal(bayes.labelled, 2);
    assert_true(bayes.counted == 1 && fabs(bayes.accuracy - 2.0 / 3) < 1e-12);

    double p[16];
    size_t outside;
    uint16_t wrong[4] = {0, 1, 3, 0};
    must_fail(rhm_bayes_posterior(&g, &o, 1, wrong, p, &outside, NULL, NULL, &err), RHM_EARG,
              "string 1 holds token 4", "V = 3");
    o.level = 3;
    must_fail(rhm_bayes_on_data(&g, &o, &data, &bayes, NULL, NULL, &err), RHM_EARG, "level 3", "2 (L)");
    o.level = 0;
    o.token_noise = 2;
    must_fail(rhm_bayes_on_data(&g, &o, &data, &bayes, NULL, NULL, &err), RHM_EARG, "token_noise = 2");
    must_fail(rhm_bayes_drawn(&g, 0, 1, 1000, &bayes, stop, NULL, &err), RHM_ESTOP, "stopped");
    rhm_dataset_clear(&data);
    rhm_grammar_clear(&g);
    g = draw_noisy(&(struct noisy_shape){{8, 4, 2, 6, 8}, 0, 0, 0, 0.1}, 1);
    must_fail(rhm_bayes_exact(&g, 0, &bayes, NULL, NULL, &err), RHM_EARG, "8^64", "draw some");
    assert_true(isinf(rhm_bayes_strings(&g, 0)));
    rhm_grammar_clear(&g);
    report_checks(CHECKS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_posteriors_are_those_of_all_derivations),
        cmocka_unit_test(test_the_best_accuracy),
        cmocka_unit_test(test_any_number_of_threads),
        cmocka_unit_test(test_ties_outsiders_and_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
