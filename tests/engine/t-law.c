/* t-law.c - the tally sampler against drawn samples and against all derivations; the exact accuracy. */
#include "chain.h"

#include "engine/base/memory.h"
#include "engine/base/threads.h"
#include "engine/chain/collect.h"
#include "engine/chain/law.h"
#include "engine/grammar/sample.h"

/* -------------------------------------------------------- derivations */

/* All derivations of what stands under the first level-(top-1) symbol: n rows of `width` tokens with their
 * labels and probabilities (1/n each where rules are equally likely). Written on its own, from the rules
 * alone. */
struct derivations {
    size_t n, width;
    uint16_t *tokens, *labels, *parent; /* parent: the level-(top-1) symbol */
    double *p;
};

/* chance: of common.h, NULL where rules are equally likely. */
static void derive(const struct rhm_grammar *g, const double *chance, unsigned top, unsigned label,
                   const unsigned *choice, struct derivations *all)
{
    uint16_t symbols[2][512];
    unsigned nu = label;
    double p = 1.0 / g->classes;
    for (unsigned l = 1; l < top; l++) {
        p *= chance ? chance[rule_number(g, l, nu, *choice)] : 1.0 / g->m;
        nu = rhm_grammar_rule(g, l, nu, *choice++)[0];
    }
    symbols[0][0] = (uint16_t)nu;
    size_t width = 1, turn = 0;
    for (unsigned l = top; l <= g->L; l++, turn = 1 - turn) {
        for (size_t i = 0; i < width; i++) {
            p *= chance ? chance[rule_number(g, l, symbols[turn][i], *choice)] : 1.0 / g->m;
            memcpy(symbols[1 - turn] + i * g->branch[l], rhm_grammar_rule(g, l, symbols[turn][i], *choice++),
                   g->branch[l] * sizeof(uint16_t));
        }
        width *= g->branch[l];
    }
    memcpy(all->tokens + all->n * width, symbols[turn], width * sizeof(uint16_t));
    all->labels[all->n] = (uint16_t)label;
    all->p[all->n] = p;
    all->parent[all->n++] = (uint16_t)nu;
}

static struct derivations enumerate(const struct rhm_grammar *g, const double *chance, unsigned top)
{
    size_t width = 1, nodes = top - 1;
    for (unsigned l = top; l <= g->L; l++) {
        nodes += width;
        width *= g->branch[l];
    }
    size_t n = g->classes * (size_t)rhm_power(g->m, (unsigned)nodes);
    struct derivations all = {.width = width};
    all.tokens = room(n * width, sizeof(uint16_t));
    all.labels = room(n, sizeof(uint16_t));
    all.parent = room(n, sizeof(uint16_t));
    all.p = room(n, sizeof(double));
    for (unsigned label = 0; label < g->classes; label++) {
        unsigned choice[64] = {0};
        size_t at;
        do {
            derive(g, chance, top, label, choice, &all);
            for (at = 0; at < nodes && ++choice[at] == g->m; at++)
                choice[at] = 0;
        } while (at < nodes);
    }
    assert_int_equal(all.n, n);
    return all;
}

static void forget(struct derivations *all)
{
    free(all->tokens);
    free(all->labels);
    free(all->parent);
    free(all->p);
}

/* ---------------------------------------------------------- networks */

struct setting {
    struct shape shape;
    uint64_t seed;
    unsigned level; /* whose patches are drawn; the layers above are trained */
    enum rhm_codebook_kind codebook;
    uint64_t n; /* samples a trained layer */
    int weighted;
};

/* ------------------------------------------------------ laws of counts */

/* Cells (patch, label) and what is expected in each of `n` samples. */
struct cells {
    size_t C;
    struct rhm_tuples patches;
    double *p; /* patches.n x C */
};

static struct cells exact_cells(const struct rhm_grammar *g, const double *chance, struct rhm_chain *chain,
                                unsigned l)
{
    struct derivations all = enumerate(g, chance, l);
    const uint32_t *tuple;
    struct cells cells = {.C = g->classes, .p = room(all.n * g->classes, sizeof(double))};
    must(rhm_tuples_init(&cells.patches, g->branch[l], &err));
    must(rhm_chain_ascend(chain, l + 1, all.n, all.width, all.tokens, &tuple, NULL, NULL, &err));
    for (size_t i = 0; i < all.n; i++) {
        size_t row;
        must(rhm_tuples_add(&cells.patches, tuple + i * g->branch[l], &row, &err));
        cells.p[row * cells.C + all.labels[i]] += all.p[i];
    }
    forget(&all);
    return cells;
}

/* P(patch | parent) of law.h against the derivations; returns the largest difference. */
static double compare_patch_law(const struct rhm_grammar *g, const double *chance, struct rhm_chain *chain,
                                unsigned l)
{
    struct rhm_patch_law law;
    must(rhm_law_of_patches(chain, g, l, INFINITY, &law, NULL, NULL, &err));
    struct derivations all = enumerate(g, chance, l);
    size_t parents = rhm_grammar_parents(g, l), U = law.patches.n;
    assert_int_equal(law.parents, parents);
    double *seen = room(parents * U, sizeof *seen), *p = room(parents * U, sizeof *p);
    double *total = room(parents, sizeof *total);
    const uint32_t *tuple;
    must(rhm_chain_ascend(chain, l + 1, all.n, all.width, all.tokens, &tuple, NULL, NULL, &err));
    for (size_t i = 0; i < all.n; i++) {
        size_t row = rhm_tuples_find(&law.patches, tuple + i * g->branch[l]);
        assert_true(row < U);
        seen[all.parent[i] * U + row] += all.p[i];
        total[all.parent[i]] += all.p[i];
    }
    double worst = 0;
    for (size_t nu = 0; nu < parents; nu++) {
        double sum = 0;
        for (size_t e = law.start[nu]; e < law.start[nu + 1]; e++) {
            p[nu * U + law.row[e]] += law.p[e];
            sum += law.p[e];
        }
        worst = fmax(worst, fabs(sum - 1));
        for (size_t row = 0; row < U && total[nu] > 0; row++)
            worst = fmax(worst, fabs(p[nu * U + row] - seen[nu * U + row] / total[nu]));
    }
    free(seen);
    free(p);
    free(total);
    forget(&all);
    rhm_patch_law_clear(&law);
    return worst;
}

static int comes_before(size_t s, const uint32_t *a, const uint32_t *b)
{
    size_t j = 0;
    while (j < s && a[j] == b[j])
        j++;
    return j < s && a[j] < b[j];
}

/* The counts of one sampler and seed, cell by cell; a patch outside the list fails. */
static void collect(struct rhm_chain *chain, const struct rhm_grammar *g, unsigned l,
                    enum rhm_sampler sampler, uint64_t seed, uint64_t n, const struct cells *cells,
                    double *seen)
{
    struct rhm_train_options how = rhm_train_defaults(chain->net);
    struct rhm_progress_layer progress = rhm_progress_unknown();
    struct rhm_tally tally;
    how.grammar = g;
    how.sampler = sampler;
    how.seed = seed;
    for (unsigned k = 1; k <= g->L; k++)
        how.n[k] = n;
    must(rhm_collect(chain, l, &how, &tally, NULL, &progress, NULL, &err));
    assert_true(tally.N == n && progress.drawn == n);
    memset(seen, 0, cells->patches.n * cells->C * sizeof *seen);
    uint64_t sum = 0;
    for (size_t i = 0; i < tally.patches.n; i++) {
        size_t row = rhm_tuples_find(&cells->patches, rhm_tuples_row(&tally.patches, i));
        assert_true(row < cells->patches.n);
        for (size_t c = 0; c < cells->C; c++)
            seen[row * cells->C + c] = (double)tally.count[i * cells->C + c];
        sum += rhm_tally_patch_count(&tally, i);
        if (i > 0)
            assert_true(comes_before(g->branch[l], rhm_tuples_row(&tally.patches, i - 1),
                                     rhm_tuples_row(&tally.patches, i)));
    }
    assert_true(sum == n);
    rhm_tally_clear(&tally);
}

enum { SEEDS = 200, SAMPLES = 4000, SETTINGS = 14, CHECKS = SETTINGS * (3 * SEEDS + 5) };

/* The sum of the statistics of all seeds is neither too large nor too small for its degrees: nor is a sampler
 * that repeats itself, or whose counts spread too little, taken for a good one. */
static void check_spread(double x, double df, const char *what)
{
    check_p(erfc(fabs(x - df) / sqrt(2 * df) / sqrt(2)), CHECKS, "%s: chi-square %.0f for %.0f degrees", what,
            x, df);
}

/* The statistic behind chi_square_p, over cells that expect 10 or more; the others are one cell together. */
static double statistic(size_t n, const double *expected, const double *seen, double *df)
{
    double x = 0, rest = 0, rest_seen = 0;
    *df = -1;
    for (size_t i = 0; i < n; i++) {
        if (expected[i] < 10) {
            rest += expected[i];
            rest_seen += seen[i];
            continue;
        }
        x += (seen[i] - expected[i]) * (seen[i] - expected[i]) / expected[i];
        (*df)++;
    }
    if (rest >= 10) {
        x += (rest_seen - rest) * (rest_seen - rest) / rest;
        (*df)++;
    }
    return x;
}

static void check_setting(const struct setting *setting)
{
    struct rhm_grammar g = draw_grammar(setting->shape, setting->seed);
    double *chance = setting->weighted ? weigh(&g, setting->seed) : NULL;
    struct rhm_network *net =
        train_few(&g, setting->codebook, setting->level + 1, setting->n, RHM_POSITION_FIRST);
    unsigned l = setting->level;
    struct rhm_chain chain;
    must(rhm_chain_init(&chain, net, l + 1, &err));
    struct cells cells = exact_cells(&g, chance, &chain, l);
    size_t n = cells.patches.n * cells.C;
    double *expected = room(n, sizeof *expected), *sum[2], *seen[2], x[2] = {0}, df = 0, all_df = 0;
    for (int k = 0; k < 2; k++) {
        sum[k] = room(n, sizeof(double));
        seen[k] = room(n, sizeof(double));
    }
    for (size_t i = 0; i < n; i++)
        expected[i] = SAMPLES * cells.p[i];
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        collect(&chain, &g, l, RHM_SAMPLER_TALLY, seed, SAMPLES, &cells, seen[0]);
        collect(&chain, &g, l, RHM_SAMPLER_DRAW, seed, SAMPLES, &cells, seen[1]);
        check_p(chi_square_p(n, expected, seen[0]), CHECKS, "tally sampler, seed %d", (int)seed);
        check_p(chi_square_p(n, expected, seen[1]), CHECKS, "drawn samples, seed %d", (int)seed);
        check_p(two_sample_p(n, seen[0], seen[1]), CHECKS, "tally against drawn, seed %d", (int)seed);
        for (int k = 0; k < 2; k++) {
            x[k] += statistic(n, expected, seen[k], &df);
            for (size_t i = 0; i < n; i++)
                sum[k][i] += seen[k][i];
        }
        all_df += df;
    }
    assert_true(df >= 5);
    check_spread(x[0], all_df, "tally sampler");
    check_spread(x[1], all_df, "drawn samples");
    for (size_t i = 0; i < n; i++)
        expected[i] *= SEEDS;
    check_p(chi_square_p(n, expected, sum[0]), CHECKS, "tally sampler, all seeds");
    check_p(chi_square_p(n, expected, sum[1]), CHECKS, "drawn samples, all seeds");
    check_p(two_sample_p(n, sum[0], sum[1]), CHECKS, "tally against drawn, all seeds");
    double worst = compare_patch_law(&g, chance, &chain, l);
    print_message(
        "(V,m,s,L,C) = (%u,%u,%u,%u,%u) layer %u %s%s: %zu patches, chi-square %.0f and %.0f for %.0f "
        "degrees, P(patch | parent) to %.1g\n",
        g.V, g.m, g.s, g.L, g.classes, l, setting->codebook ? "exact" : "centroid",
        chance ? ", weighted" : "", cells.patches.n, x[0], x[1], all_df, worst);
    assert_true(worst < 1e-12);
    for (int k = 0; k < 2; k++) {
        free(sum[k]);
        free(seen[k]);
    }
    free(expected);
    free(chance);
    free(cells.p);
    rhm_tuples_clear(&cells.patches);
    rhm_chain_clear(&chain);
    rhm_network_free(net);
    rhm_grammar_clear(&g);
}

static void test_tally_and_drawn_samples_agree_in_law(void **state)
{
    (void)state;
    const struct setting settings[SETTINGS] = {
        {{4, 2, 2, 3, 3}, 1, 3, RHM_CODEBOOK_CENTROID, 0, 0},
        {{4, 3, 2, 3, 5}, 2, 2, RHM_CODEBOOK_CENTROID, 400, 0},
        {{4, 2, 2, 3, 3}, 3, 1, RHM_CODEBOOK_CENTROID, 12, 0},
        {{4, 2, 2, 3, 3}, 4, 2, RHM_CODEBOOK_EXACT, 8, 0},
        {{3, 2, 3, 2, 4}, 5, 2, RHM_CODEBOOK_CENTROID, 0, 0},
        {{3, 2, 3, 2, 4}, 6, 1, RHM_CODEBOOK_CENTROID, 60, 0},
        {{3, 2, 3, 2, 4}, 7, 1, RHM_CODEBOOK_EXACT, 60, 0},
        {{4, 3, 2, 3, 5}, 8, 3, RHM_CODEBOOK_CENTROID, 0, 1},
        {{4, 3, 2, 3, 5}, 9, 2, RHM_CODEBOOK_CENTROID, 400, 1},
        {{4, 2, 2, 3, 3}, 10, 1, RHM_CODEBOOK_CENTROID, 12, 1},
        {{3, 2, 3, 2, 4}, 11, 1, RHM_CODEBOOK_EXACT, 60, 1},
        {{4, 3, S_OF(2, 3, 0), 2, 4}, 12, 2, RHM_CODEBOOK_CENTROID, 0, 0},
        {{4, 3, S_OF(2, 3, 0), 2, 4}, 13, 1, RHM_CODEBOOK_CENTROID, 100, 1},
        {{4, 2, S_OF(3, 2, 0), 2, 4}, 14, 1, RHM_CODEBOOK_EXACT, 60, 0},
    };
    for (size_t k = 0; k < SETTINGS; k++)
        check_setting(&settings[k]);
    report_checks(CHECKS);
}

/* ------------------------------------------------------------ accuracy */

static void test_accuracy_is_that_of_all_strings(void **state)
{
    (void)state;
    const struct shape shapes[] = {{4, 2, 2, 3, 3},
                                   {3, 2, 3, 2, 4},
                                   {5, 3, 2, 3, 2},
                                   {4, 3, 2, 3, 5},
                                   {4, 3, S_OF(2, 3, 0), 2, 4},
                                   {4, 3, S_OF(3, 2, 0), 2, 3},
                                   {4, 2, S_OF(2, 2, 3), 3, 3}};
    const uint64_t samples[] = {12, 50, 200, 3000};
    double worst = 0, least = 1, most = 0;
    for (size_t k = 0; k < 2 * COUNT(shapes); k += getenv("VALGRIND") ? 3 : 1) {
        struct rhm_grammar g = draw_grammar(shapes[k / 2], 60 + k / 2);
        double *chance = k % 2 ? weigh(&g, k) : NULL;
        struct derivations all = enumerate(&g, chance, 1);
        uint16_t *labels = room(all.n, sizeof *labels);
        for (size_t i = 0; i < COUNT(samples); i++)
            for (int book = 0; book < 2; book++) {
                struct rhm_network *net =
                    train_few(&g, (enum rhm_codebook_kind)book, 1, samples[i], RHM_POSITION_FIRST);
                must(rhm_network_predict(net, all.n, all.tokens, labels, NULL, NULL, NULL, NULL, &err));
                double counted = 0, accuracy;
                for (size_t j = 0; j < all.n; j++)
                    counted += labels[j] == all.labels[j] ? all.p[j] : 0;
                must(rhm_network_accuracy_on_grammar(net, &g, &accuracy, NULL, NULL, &err));
                worst = fmax(worst, fabs(accuracy - counted));
                least = fmin(least, counted);
                most = fmax(most, counted);
                rhm_network_free(net);
            }
        free(labels);
        free(chance);
        forget(&all);
        rhm_grammar_clear(&g);
    }
    print_message("accuracies %.3f to %.3f, exact to %.1g\n", least, most, worst);
    assert_true(worst <= 1e-12);
    assert_true(least < 0.7 && most > 0.9);
}

/* -------------------------------------------------------------- limits */

static void test_draws_follow_the_seed(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){16, 4, 2, 6, 16}, 1);
    struct rhm_network *net = train_few(&g, RHM_CODEBOOK_CENTROID, 7, 0, RHM_POSITION_FIRST);
    struct rhm_chain chain;
    struct rhm_patch_law law;
    must(rhm_chain_init(&chain, net, 7, &err));
    must(rhm_law_of_patches(&chain, &g, 6, INFINITY, &law, NULL, NULL, &err));
    assert_int_equal(law.patches.n, 64);
    const uint64_t N = UINT64_C(1) << 53;
    struct rhm_tally tally[3];
    for (int k = 0; k < 3; k++) {
        must(rhm_tally_init(&tally[k], 2, 16, &err));
        must(rhm_law_draw(&law, &g, 6, N, k == 2 ? 8 : 7, &tally[k], &err));
        assert_true(tally[k].N == N);
    }
    assert_int_equal(tally[0].patches.n, tally[1].patches.n);
    assert_memory_equal(tally[0].count, tally[1].count, tally[0].patches.n * 16 * sizeof(uint64_t));
    assert_memory_not_equal(tally[0].count, tally[2].count, tally[0].patches.n * 16 * sizeof(uint64_t));
    for (int k = 0; k < 3; k++)
        rhm_tally_clear(&tally[k]);
    rhm_patch_law_clear(&law);
    must_fail(rhm_law_of_patches(&chain, &g, 6, 63, &law, NULL, NULL, &err), RHM_EMEMORY, "layer 6", "64");
    rhm_chain_clear(&chain);
    must_fail(rhm_chain_init(&chain, net, 6, &err), RHM_ESTATE, "layer 6 is not trained");
    rhm_network_free(net);
    rhm_grammar_clear(&g);
}

static enum rhm_status stop(void *context, struct rhm_error *err)
{
    int *left = context;
    return (*left)-- > 0 ? RHM_OK : rhm_fail(err, RHM_ESTOP, "stopped");
}

static void test_accuracy_says_why_not(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){6, 4, 2, 4, 6}, 1);
    struct rhm_grammar other = draw_grammar((struct shape){6, 4, 2, 3, 6}, 1);
    struct rhm_network *net = train_few(&g, RHM_CODEBOOK_EXACT, 2, 300, RHM_POSITION_FIRST);
    double accuracy;
    must_fail(rhm_network_accuracy_on_grammar(net, &g, &accuracy, NULL, NULL, &err), RHM_ESTATE, "layer 1",
              "not trained");
    must_fail(rhm_network_accuracy_on_grammar(net, &other, &accuracy, NULL, NULL, &err), RHM_EARG,
              "(6, 2, 3, 6)", "(6, 2, 4, 6)");
    rhm_network_free(net);
    net = train_few(&g, RHM_CODEBOOK_EXACT, 1, 300, RHM_POSITION_FIRST);
    size_t budget = rhm_memory_budget();
    rhm_memory_set_budget((size_t)64 << 20); /* 6 * 4^15 patches of layer 1 */
    must_fail(rhm_network_accuracy_on_grammar(net, &g, &accuracy, NULL, NULL, &err), RHM_EMEMORY, "64.0 MiB",
              "codebook = 'centroid'");
    rhm_memory_set_budget(budget);
    /* unseen patches of layer 3 go forward in blocks, and each asks whether to go on */
    for (int polls = 0; polls < 3; polls++) {
        int left = polls;
        must_fail(rhm_network_accuracy_on_grammar(net, &g, &accuracy, stop, &left, &err), RHM_ESTOP,
                  "stopped");
    }
    uint16_t tokens[16], labels[1];
    rhm_sample_strings(&g, 1, 0, 1, tokens, labels);
    must(rhm_network_predict(net, 1, tokens, labels, NULL, NULL, NULL, NULL, &err)); /* still usable */
    rhm_network_free(net);
    rhm_grammar_clear(&g);
    rhm_grammar_clear(&other);
}

int main(void)
{
    must(rhm_threads_set(1, &err)); /* thousands of small trainings: threads would only wait for each other */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tally_and_drawn_samples_agree_in_law),
        cmocka_unit_test(test_accuracy_is_that_of_all_strings),
        cmocka_unit_test(test_draws_follow_the_seed),
        cmocka_unit_test(test_accuracy_says_why_not),
    };
    return cmocka_run_group_tests_name("law", tests, NULL, NULL);
}
