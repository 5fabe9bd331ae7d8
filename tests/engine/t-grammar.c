/* t-grammar.c - rules: their shape, their draw, given rules, parsing. */
#include "common.h"

#include "engine/grammar/alias.h"
#include "engine/grammar/sample.h"
#include "engine/grammar/signal.h"

#define CHECKS 130

/* The number of a tuple in base V. */
static uint64_t number_of(const struct rhm_grammar *g, unsigned l, unsigned nu, unsigned k)
{
    uint64_t number = 0;
    for (unsigned j = 0; j < g->branch[l]; j++)
        number = number * g->V + rhm_grammar_rule(g, l, nu, k)[j];
    return number;
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Children in range; the tuples of each level all distinct. Returns the least and largest tuple of level L.
 */
static void check_rules(const struct rhm_grammar *g, uint64_t *least, uint64_t *most)
{
    for (unsigned l = 1; l <= g->L; l++) {
        size_t parents = l == 1 ? g->classes : g->V, rules = parents * g->m;
        uint64_t *number = room(rules, sizeof *number);
        for (unsigned nu = 0; nu < parents; nu++)
            for (unsigned k = 0; k < g->m; k++) {
                for (unsigned j = 0; j < g->branch[l]; j++)
                    assert_true(rhm_grammar_rule(g, l, nu, k)[j] < g->V);
                number[nu * g->m + k] = number_of(g, l, nu, k);
            }
        qsort(number, rules, sizeof *number, ascending);
        for (size_t i = 1; i < rules; i++)
            assert_true(number[i - 1] < number[i]);
        *least = number[0];
        *most = number[rules - 1];
        free(number);
    }
}

static void test_rules_are_distinct(void **state)
{
    (void)state;
    const struct shape shapes[] = {{8, 4, 2, 3, 8},
                                   {8, 8, 2, 4, 3},
                                   {16, 4, 2, 6, 16},
                                   {5, 3, 3, 2, 12},
                                   {4, 1, 2, 1, 9},
                                   {2, 16, 5, 3, 2},
                                   {300, 20, 2, 3, 7},
                                   {9, 2, 4, 2, 500},
                                   {5, 4, S_OF(2, 3, 0), 2, 4},
                                   {4, 3, S_OF(3, 2, 4), 3, 7},
                                   {4, 4, S_OF(3, 2, 2), 3, 16}};
    uint64_t least, most;
    for (size_t k = 0; k < COUNT(shapes); k++)
        for (uint64_t seed = 0; seed < 5; seed++) {
            struct rhm_grammar g = draw_grammar(shapes[k], seed);
            check_rules(&g, &least, &most);
            rhm_grammar_clear(&g);
        }
    /* m V = V^s: every tuple of every level is a rule */
    const struct shape full[] = {{8, 8, 2, 3, 8}, {2, 8, 4, 2, 2}, {6, 36, 3, 2, 6}};
    for (size_t k = 0; k < COUNT(full); k++) {
        struct rhm_grammar g = draw_grammar(full[k], 9);
        check_rules(&g, &least, &most);
        assert_true(least == 0 && most == rhm_power(g.V, g.s) - 1);
        rhm_grammar_clear(&g);
    }
}

/* V^s = 2^32 and more cannot be listed: the draw must not try. */
static void test_wide_grammars(void **state)
{
    (void)state;
    const struct shape shapes[] = {{256, 8, 4, 3, 256}, {65535, 2, 3, 2, 65535}, {2, 100, 62, 1, 2}};
    for (size_t k = 0; k < COUNT(shapes); k++) {
        struct rhm_grammar g = draw_grammar(shapes[k], 5);
        uint64_t least, most;
        check_rules(&g, &least, &most);
        double tuples = pow(g.V, g.s);
        assert_true((double)least < 0.1 * tuples && (double)most > 0.9 * tuples);
        rhm_grammar_clear(&g);
    }
}

static size_t children_of(const struct rhm_grammar *g)
{
    return ((size_t)g->classes + (g->L - 1) * (size_t)g->V) * g->m * g->s;
}

static void test_the_seed_is_the_grammar(void **state)
{
    (void)state;
    struct rhm_grammar a = draw_grammar((struct shape){8, 4, 2, 3, 5}, 7);
    struct rhm_grammar b = draw_grammar((struct shape){8, 4, 2, 3, 5}, 7);
    struct rhm_grammar c = draw_grammar((struct shape){8, 4, 2, 3, 5}, 8);
    struct rhm_grammar copy;
    size_t bytes = children_of(&a) * sizeof *a.rules;
    assert_memory_equal(a.rules, b.rules, bytes);
    assert_memory_not_equal(a.rules, c.rules, bytes);
    assert_true(a.seeded && a.seed == 7 && a.d == 8);
    must(rhm_grammar_copy(&copy, &a, &err));
    assert_memory_equal(a.rules, copy.rules, bytes);
    assert_ptr_not_equal(a.rules, copy.rules);
    assert_true(copy.seeded && copy.seed == 7 && copy.classes == 5 && copy.d == 8);
    /* levels are drawn one by one: a deeper grammar has the same first levels */
    struct rhm_grammar deep = draw_grammar((struct shape){8, 4, 2, 5, 5}, 7);
    assert_memory_equal(a.rules, deep.rules, bytes);
    rhm_grammar_clear(&a);
    rhm_grammar_clear(&b);
    rhm_grammar_clear(&c);
    rhm_grammar_clear(&copy);
    rhm_grammar_clear(&deep);
}

/* ---------------------------------------------------- law of the draw */

enum { SEEDS = 20000, TUPLES = 9, SLOTS = 8 };

static void check_uniform(size_t cells, const double *seen, const char *what, size_t which)
{
    double expected[TUPLES * TUPLES];
    for (size_t i = 0; i < cells; i++)
        expected[i] = (double)SEEDS / (double)cells;
    check_p(chi_square_p(cells, expected, seen), CHECKS, "%s %zu", what, which);
}

/* V = 3, s = 2: 9 tuples. Level 1: 4 labels with 2 rules use 8 of them; level 2: 3 symbols use 6. */
static void test_the_draw_is_uniform(void **state)
{
    (void)state;
    static double slot[3][SLOTS][TUPLES], neighbours[3][SLOTS][TUPLES * TUPLES], level_pair[TUPLES * TUPLES],
        ends[TUPLES * TUPLES], owner[TUPLES][4];
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct rhm_grammar g = draw_grammar((struct shape){3, 2, 2, 2, 4}, seed);
        uint64_t first[3] = {0}, last = 0;
        int used[TUPLES] = {0};
        for (unsigned l = 1; l <= 2; l++) {
            uint64_t before = 0;
            for (unsigned i = 0; i < (l == 1 ? 8 : 6); i++) {
                uint64_t t = number_of(&g, l, i / 2, i % 2);
                slot[l][i][t]++;
                if (i > 0)
                    neighbours[l][i][before * TUPLES + t]++;
                else
                    first[l] = t;
                if (l == 2) {
                    owner[t][i / 2]++;
                    used[t] = 1;
                }
                before = last = t;
            }
        }
        for (size_t t = 0; t < TUPLES; t++)
            owner[t][3] += !used[t];
        level_pair[first[1] * TUPLES + first[2]]++;
        ends[first[2] * TUPLES + last]++;
        rhm_grammar_clear(&g);
    }
    for (unsigned l = 1; l <= 2; l++)
        for (size_t i = 0; i < (l == 1 ? 8 : 6); i++)
            check_uniform(TUPLES, slot[l][i], "the tuple of slot", i);
    double expected[TUPLES * TUPLES]; /* two slots never hold one tuple; all other pairs are as likely */
    for (size_t i = 0; i < TUPLES * TUPLES; i++)
        expected[i] = i / TUPLES == i % TUPLES ? 0 : (double)SEEDS / (TUPLES * (TUPLES - 1));
    for (unsigned l = 1; l <= 2; l++)
        for (size_t i = 1; i < (l == 1 ? 8 : 6); i++)
            check_p(chi_square_p(TUPLES * TUPLES, expected, neighbours[l][i]), CHECKS, "slots %zu and %zu",
                    i - 1, i);
    check_p(chi_square_p(TUPLES * TUPLES, expected, ends), CHECKS, "the first and the last slot");
    check_uniform(TUPLES * TUPLES, level_pair, "the first slots of two levels", 1);
    const double parents[4] = {SEEDS * 2 / 9.0, SEEDS * 2 / 9.0, SEEDS * 2 / 9.0, SEEDS * 3 / 9.0};
    for (size_t t = 0; t < TUPLES; t++)
        check_p(chi_square_p(4, parents, owner[t]), CHECKS, "the parent of tuple %zu", t);
}

/* ---------------------------------------------------- latin ensemble */

static struct rhm_grammar draw_latin(struct shape shape, double shuffle, uint64_t seed)
{
    struct rhm_grammar g;
    struct rhm_grammar_shape wide = wide_shape(shape);
    must(rhm_grammar_draw_latin(&g, &wide, shuffle, seed, &err));
    assert_true(g.ensemble == RHM_ENSEMBLE_LATIN && g.shuffle == shuffle && g.seed == seed && g.seeded);
    return g;
}

static const struct shape latin[] = {
    {8, 8, 2, 3, 8}, {8, 8, 3, 3, 8}, {8, 16, 3, 3, 8},      {8, 8, 2, 5, 3}, {5, 25, 4, 2, 4},
    {2, 2, 2, 4, 2}, {3, 9, 3, 2, 3}, {300, 300, 2, 2, 300}, {3, 3, 5, 2, 2}, {16, 32, 6, 2, 16}};

/* Sums, and each symbol first m/V times: from the definition. */
static void check_latin(const struct rhm_grammar *g)
{
    unsigned *first = room(g->V, sizeof *first);
    for (unsigned l = 1; l <= g->L; l++)
        for (unsigned nu = 0; nu < rhm_grammar_parents(g, l); nu++) {
            memset(first, 0, g->V * sizeof *first);
            for (unsigned k = 0; k < g->m; k++) {
                const uint16_t *child = rhm_grammar_rule(g, l, nu, k);
                unsigned sum = 0;
                for (unsigned j = 0; j < g->s; j++)
                    sum += child[j];
                assert_int_equal(sum % g->V, nu);
                first[child[0]]++;
            }
            for (unsigned a = 0; a < g->V; a++)
                assert_int_equal(first[a], g->m / g->V);
        }
    free(first);
}

static void test_the_first_child_of_a_latin_rule_tells_nothing(void **state)
{
    (void)state;
    uint64_t least, most;
    for (size_t k = 0; k < COUNT(latin); k++)
        for (uint64_t seed = 0; seed < 3; seed++) {
            struct rhm_grammar g = draw_latin(latin[k], 0, seed);
            check_rules(&g, &least, &most);
            check_latin(&g);
            struct rhm_signal_level level[RHM_MAX_LEVELS + 1];
            must(rhm_signal_levels(&g, level, NULL, NULL, &err));
            for (unsigned l = 2; l <= g.L; l++) {
                assert_true(level[l].gap < 1e-12 && level[l].missing == 0);
                assert_true(fabs(level[l].pmin - 1.0 / g.V) < 1e-12);
            }
            assert_true(level[1].gap > 1.4 && rhm_signal_K(&g, level) < 1e-10);
            rhm_grammar_clear(&g);
        }
}

/* A share of the rules changes, the same seed gives the same, and all are distinct. */
static void test_a_share_of_latin_rules_is_drawn_anew(void **state)
{
    (void)state;
    const double share[] = {0.02, 0.1, 0.5, 0.9, 1};
    for (size_t k = 0; k < COUNT(latin); k++) {
        struct rhm_grammar plain = draw_latin(latin[k], 0, 4);
        for (size_t i = 0; i < COUNT(share); i++) {
            struct rhm_grammar g = draw_latin(latin[k], share[i], 4),
                               again = draw_latin(latin[k], share[i], 4),
                               other = draw_latin(latin[k], share[i], 5);
            uint64_t least, most;
            check_rules(&g, &least, &most);
            size_t bytes = children_of(&g) * sizeof *g.rules;
            assert_memory_equal(g.rules, again.rules, bytes);
            if (g.V > 2)
                assert_memory_not_equal(g.rules, other.rules, bytes);
            for (unsigned l = 1; l <= g.L; l++) {
                size_t rules = (size_t)rhm_grammar_parents(&g, l) * g.m, changed = 0;
                for (size_t r = 0; r < rules; r++)
                    changed += memcmp(g.rules + g.level[l] + r * g.s, plain.rules + g.level[l] + r * g.s,
                                      g.s * sizeof *g.rules) != 0;
                double wanted = floor(share[i] * (double)rules + 0.5);
                assert_true((double)changed <= wanted);
                if (rules > 500) /* a rule draws its own tuple again with probability 1/(the free ones) */
                    assert_true((double)changed > 0.8 * wanted);
            }
            rhm_grammar_clear(&g);
            rhm_grammar_clear(&again);
            rhm_grammar_clear(&other);
        }
        rhm_grammar_clear(&plain);
    }
    /* the signal comes back */
    struct rhm_grammar g = draw_latin(latin[1], 1, 3);
    struct rhm_signal_level level[RHM_MAX_LEVELS + 1];
    must(rhm_signal_levels(&g, level, NULL, NULL, &err));
    assert_true(rhm_signal_K(&g, level) > 0.1);
    rhm_grammar_clear(&g);
    g = draw_latin(latin[1], 0.3, 3);
    struct rhm_grammar copy;
    must(rhm_grammar_copy(&copy, &g, &err));
    assert_true(copy.ensemble == RHM_ENSEMBLE_LATIN && copy.shuffle == 0.3);
    rhm_grammar_clear(&copy);
    rhm_grammar_clear(&g);
}

/* All rules drawn anew are the uniform ensemble: one slot, and two neighbouring ones, as in
 * test_the_draw_is_uniform. (V, m, s) = (3, 3, 2) uses all 9 tuples, (2, 2, 3) 4 of 8. */
static void check_shuffled(struct shape shape, size_t tuples)
{
    static double slot[9][9], pair[9][81];
    memset(slot, 0, sizeof slot);
    memset(pair, 0, sizeof pair);
    unsigned slots = shape.V * shape.m;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct rhm_grammar g = draw_latin(shape, 1, seed);
        for (unsigned i = 0; i < slots; i++) {
            uint64_t t = number_of(&g, 2, i / g.m, i % g.m);
            uint64_t last = number_of(&g, 2, (i ? i - 1 : slots - 1) / g.m, (i ? i - 1 : slots - 1) % g.m);
            slot[i][t]++;
            pair[i][last * tuples + t]++;
        }
        rhm_grammar_clear(&g);
    }
    double expected[81];
    for (size_t i = 0; i < tuples * tuples; i++)
        expected[i] = i / tuples == i % tuples ? 0 : (double)SEEDS / (double)(tuples * (tuples - 1));
    for (unsigned i = 0; i < slots; i++) {
        check_uniform(tuples, slot[i], "latin, all shuffled: the tuple of slot", i);
        check_p(chi_square_p(tuples * tuples, expected, pair[i]), CHECKS,
                "latin, all shuffled: slot %u and the one before", i);
    }
}

/* Of the tuples of one sum and first symbol each is as likely, at each rule of the parent. */
static void test_the_law_of_the_latin_draw(void **state)
{
    (void)state;
    check_shuffled((struct shape){3, 3, 2, 2, 3}, 9);
    check_shuffled((struct shape){2, 2, 3, 2, 2}, 8);
    static double seen[2][8][16];
    memset(seen, 0, sizeof seen);
    for (uint64_t seed = 0; seed < SEEDS; seed++) { /* 4 of the 8 tuples of either sum */
        struct rhm_grammar g = draw_latin((struct shape){2, 4, 4, 2, 2}, 0, seed);
        for (unsigned nu = 0; nu < 2; nu++)
            for (unsigned k = 0; k < 4; k++)
                seen[nu][k][number_of(&g, 2, nu, k)]++;
        rhm_grammar_clear(&g);
    }
    for (unsigned nu = 0; nu < 2; nu++)
        for (unsigned k = 0; k < 4; k++) {
            double expected[16];
            for (unsigned t = 0; t < 16; t++)
                expected[t] = (unsigned)__builtin_popcount(t) % 2 == nu ? SEEDS / 8.0 : 0;
            check_p(chi_square_p(16, expected, seen[nu][k]), CHECKS, "latin rule %u of parent %u", k, nu);
        }
    report_checks(CHECKS);
}

static void test_latin_shapes_have_limits(void **state)
{
    (void)state;
    const struct rhm_grammar_shape four = {8, 4, 2, 3, 0, {0}}, many = {8, 72, 3, 3, 2, {0}},
                                   wide = {8, 8, 3, 2, 9, {0}}, none = {8, 0, 2, 3, 0, {0}},
                                   fit = {8, 8, 2, 3, 0, {0}}, more = {4, 8, 2, 1, 2, {0}};
    struct rhm_grammar g;
    must_fail(rhm_grammar_draw_latin(&g, &four, 0, 1, &err), RHM_EARG, "m = 4", "multiple of V = 8", "m = 8");
    must_fail(rhm_grammar_draw_latin(&g, &many, 0, 1, &err), RHM_EARG, "m*V = 576 exceeds V^s = 512");
    must_fail(rhm_grammar_draw_latin(&g, &more, 0, 1, &err), RHM_EARG, "m = 8 exceeds V^(s-1) = 4");
    must_fail(rhm_grammar_draw_latin(&g, &wide, 0, 1, &err), RHM_EARG, "classes = 9", "V = 8");
    must_fail(rhm_grammar_draw_latin(&g, &none, 0, 1, &err), RHM_EARG, "m = 0");
    must_fail(rhm_grammar_draw_latin(&g, &fit, -0.1, 1, &err), RHM_EARG, "shuffle = -0.1", "0 to 1");
    must_fail(rhm_grammar_draw_latin(&g, &fit, 1.01, 1, &err), RHM_EARG, "shuffle = 1.01");
    must_fail(rhm_grammar_draw_latin(&g, &fit, NAN, 1, &err), RHM_EARG, "shuffle = ");
    assert_null(g.rules);
}

/* -------------------------------------------------------------- weights */

/* P(rule) of the draws, summed over all that a draw may spend and what decides on the border, against the
 * probabilities: exactly, but for 2^-53. */
static double alias_error(const struct rhm_grammar *g, const double *chance)
{
    const struct rhm_alias *alias = g->alias;
    size_t laws = (size_t)g->classes + (g->L - 1) * (size_t)g->V, words = (size_t)1 << alias->spend;
    double *p = room(laws * g->m, sizeof *p), each = 1 / (double)words, worst = 0;
    for (size_t law = 0; law < laws; law++) {
        for (size_t i = 0; i < words; i++) {
            int undecided;
            uint64_t word = (uint64_t)i << (64 - alias->spend) | 0x1234, left = word << alias->spend;
            unsigned own = rhm_alias_draw(alias, law, &word, &undecided);
            assert_true(word == left);
            if (!undecided) {
                assert_true(own < g->m);
                p[law * g->m + own] += each;
                continue;
            }
            uint64_t rest = alias->rest[law * alias->slots + own];
            unsigned above = rhm_alias_decide(alias, law, own, UINT64_MAX);
            assert_true(above < g->m && above == rhm_alias_decide(alias, law, own, rest));
            p[law * g->m + above] += each * (1 - (double)rest * 0x1p-64);
            if (rest > 0) {
                assert_true(own < g->m && own == rhm_alias_decide(alias, law, own, rest - 1));
                p[law * g->m + own] += each * (double)rest * 0x1p-64;
            }
        }
    }
    for (size_t r = 0; r < laws * g->m; r++)
        worst = fmax(worst, fmax(fabs(p[r] - chance[r]), fabs(g->p[r] - chance[r])));
    free(p);
    return worst;
}

static void test_weights(void **state)
{
    (void)state;
    double worst = 0;
    const struct shape shapes[] = {{8, 4, 2, 3, 5}, {5, 3, 3, 2, 7}, {300, 20, 2, 2, 9}, {4, 2, 2, 1, 8}};
    for (size_t k = 0; k < COUNT(shapes); k++) {
        struct rhm_grammar g = draw_grammar(shapes[k], k), copy;
        for (unsigned i = 0; i < g.m; i++)
            assert_true(rhm_grammar_p(&g, 1, 0, i) == 1.0 / g.m);
        double *chance = weigh(&g, k);
        worst = fmax(worst, alias_error(&g, chance));
        for (unsigned l = 1; l <= g.L; l++)
            for (unsigned nu = 0; nu < rhm_grammar_parents(&g, l); nu++)
                for (unsigned i = 0; i < g.m; i++)
                    worst =
                        fmax(worst, fabs(rhm_grammar_p(&g, l, nu, i) - chance[rule_number(&g, l, nu, i)]));
        must(rhm_grammar_copy(&copy, &g, &err));
        assert_memory_equal(copy.p, g.p, rule_number(&g, g.L, rhm_grammar_parents(&g, g.L), 0) * sizeof *g.p);
        rhm_grammar_clear(&copy);
        must(rhm_grammar_set_zipf(&g, 1.5, &err));
        double sum = 0;
        for (unsigned i = 0; i < g.m; i++)
            sum += pow(i + 1, -1.5);
        for (unsigned i = 0; i < g.m; i++)
            worst = fmax(worst, fabs(rhm_grammar_p(&g, 1, 2, i) - pow(i + 1, -1.5) / sum));
        assert_true(g.zipf == 1.5);
        must(rhm_grammar_set_zipf(&g, 0, &err));
        assert_null(g.p);
        assert_null(g.alias);
        free(chance);
        rhm_grammar_clear(&g);
    }
    print_message("probabilities of rules to %.1g\n", worst);
    assert_true(worst < 1e-14);
}

static void test_weights_have_limits(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){3, 2, 2, 2, 2}, 1);
    double w[10] = {3, 3, 5, 5, 1, 1, 2, 2, 7, 7}; /* equal for each parent: the uniform grammar */
    must(rhm_grammar_set_weights(&g, w, &err));
    assert_null(g.p);
    w[7] = 6;
    must(rhm_grammar_set_weights(&g, w, &err));
    assert_true(rhm_grammar_p(&g, 2, 1, 1) == 0.75 && rhm_grammar_p(&g, 1, 0, 0) == 0.5);
    const double bad[] = {0, -1, NAN, INFINITY, 1e-13};
    for (size_t i = 0; i < COUNT(bad); i++) {
        w[7] = bad[i];
        must_fail(rhm_grammar_set_weights(&g, w, &err), RHM_EARG, "level 2, symbol 2, rule 2", "positive");
        assert_true(rhm_grammar_p(&g, 2, 1, 1) == 0.75); /* as it was */
    }
    w[7] = 1e300;
    w[6] = 1.5e300;
    w[0] = 1e-300;
    w[1] = 3e-300;
    must(rhm_grammar_set_weights(&g, w, &err));
    assert_true(fabs(rhm_grammar_p(&g, 2, 1, 1) - 0.4) < 1e-15 && fabs(g.p[0] - 0.25) < 1e-15);
    must_fail(rhm_grammar_set_zipf(&g, -1, &err), RHM_EARG, "zipf = -1");
    must_fail(rhm_grammar_set_zipf(&g, 39, &err), RHM_EARG, "zipf = 39", "to 38");
    must_fail(rhm_grammar_set_zipf(&g, NAN, &err), RHM_EARG, "zipf = ");
    must(rhm_grammar_set_zipf(&g, 38, &err));
    rhm_grammar_clear(&g);
}

/* --------------------------------------------------------------- shape */

static void test_powers(void **state)
{
    (void)state;
    assert_true(rhm_power(3, 5) == 243);
    assert_true(rhm_power(7, 0) == 1);
    assert_true(rhm_power(2, 62) == UINT64_C(1) << 62);
    assert_true(rhm_power(2, 63) == 0);
    assert_true(rhm_power(3, 39) == UINT64_C(4052555153018976267));
    assert_true(rhm_power(3, 40) == 0); /* below 2^64, above 2^63 */
    assert_true(rhm_power(UINT64_C(1) << 32, 2) == 0);
    assert_true(rhm_power(3037000499, 2) == UINT64_C(9223372030926249001));
    assert_true(rhm_power(3037000500, 2) == 0);
    assert_true(rhm_power(1, 60) == 1);
}

#define refuse(V_, m_, s_, L_, C_, ...)                                                                      \
    do {                                                                                                     \
        struct rhm_grammar_shape shape = {V_, m_, s_, L_, C_, {0}};                                          \
        must_fail(rhm_grammar_check_shape(&shape, &err), RHM_EARG, __VA_ARGS__);                             \
        struct rhm_grammar g;                                                                                \
        must_fail(rhm_grammar_draw(&g, &shape, 1, &err), RHM_EARG, __VA_ARGS__);                             \
        assert_int_equal(rhm_grammar_check_shape(&shape, NULL), RHM_EARG);                                   \
    } while (0)

static void test_shapes_have_limits(void **state)
{
    (void)state;
    refuse(8, 9, 2, 3, 0, "m*V = 72", "V^s = 64", "lower m or raise s");
    refuse(8, 4, 2, 3, 17, "m*classes = 68", "V^s = 64");
    refuse(8, 4, 2, 0, 0, "L = 0", "1..62");
    refuse(8, 4, 2, -3, 0, "L = -3");
    refuse(8, 4, 1, 3, 0, "s = 1", "2..62");
    refuse(0, 4, 2, 3, 8, "V = 0", "2..65535");
    refuse(1, 1, 2, 3, 8, "V = 1", "2..65535");
    refuse(-8, 4, 2, 3, 0, "V = -8");
    refuse(1000000000, 4, 2, 3, 0, "V = 1000000000", "65535");
    refuse(INT64_MAX, 4, 2, 3, 8, "V = 9223372036854775807");
    refuse(8, 0, 2, 3, 0, "m = 0");
    refuse(8, INT64_MIN, 2, 3, 0, "m = -9223372036854775808");
    refuse(8, 4, 2, 3, 1, "classes = 1", "2..65535");
    refuse(8, 4, 2, 3, 65536, "classes = 65536", "65535");
    refuse(8, 4, 2, 63, 0, "L = 63", "1..62", "2^63");
    refuse(8, 4, 3, 40, 0, "3^40", "2^63", "lower L or s");
    refuse(256, 4, 8, 2, 0, "256^8", "2^63");
    refuse(8, 4, INT64_MAX, 2, 0, "s = 9223372036854775807");
    /* another s at each level: the level is named */
    struct rhm_grammar_shape each = {.V = 8, .m = 9, .L = 3, .branch = {0, 3, 2, 4}};
    must_fail(rhm_grammar_check_shape(&each, &err), RHM_EARG, "level 2, s = 2: m*V = 72 exceeds V^s = 64");
    each.m = 8;
    must(rhm_grammar_check_shape(&each, &err));
    each.classes = 65;
    must_fail(rhm_grammar_check_shape(&each, &err), RHM_EARG,
              "level 1, s = 3: m*classes = 520 exceeds V^s = 512");
    each.classes = 0;
    each.branch[3] = 1;
    must_fail(rhm_grammar_check_shape(&each, &err), RHM_EARG, "s[3] = 1", "2..62");
    each.branch[3] = 21;
    must_fail(rhm_grammar_check_shape(&each, &err), RHM_EARG, "level 3, s = 21", "2^63");
    each.branch[1] = -2;
    must_fail(rhm_grammar_check_shape(&each, &err), RHM_EARG, "s[1] = -2");
    struct rhm_grammar_shape deep = {.V = 8, .m = 4, .L = 41};
    for (unsigned l = 1; l <= 41; l++)
        deep.branch[l] = l == 7 ? 2 : 3;
    must_fail(rhm_grammar_check_shape(&deep, &err), RHM_EARG, "s = {3,3,3,3,3,3,2,3", "2^63");
    /* the largest that fit */
    const struct rhm_grammar_shape fit[] = {
        {8, 8, 2, 3, 0, {0}},   {8, 4, 2, 3, 16, {0}},        {8, 4, 3, 39, 0, {0}},   {8, 4, 2, 62, 0, {0}},
        {127, 4, 9, 2, 0, {0}}, {65535, 1, 2, 1, 65535, {0}}, {65535, 1, 3, 2, 2, {0}}};
    for (size_t k = 0; k < COUNT(fit); k++)
        must(rhm_grammar_check_shape(&fit[k], &err));
}

static void test_levels_of_their_own(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){6, 4, S_OF(3, 2, 4), 3, 5}, 2), copy, given;
    assert_true(g.s == 0 && g.d == 24 && g.first_rule[4] == 5 * 4 + 2 * 6 * 4);
    const uint64_t places[] = {0, 1, 3, 6}, span[] = {0, 24, 8, 4}, s[] = {0, 3, 2, 4};
    for (unsigned l = 1; l <= 3; l++) {
        assert_true(rhm_grammar_places(&g, l) == places[l] && rhm_grammar_span(&g, l) == span[l]);
        assert_true(rhm_grammar_s(&g, l) == s[l]);
    }
    must(rhm_grammar_copy(&copy, &g, &err));
    assert_memory_equal(copy.branch, g.branch, sizeof g.branch);
    assert_memory_equal(copy.rules, g.rules, g.level[4] * sizeof *g.rules);
    struct rhm_grammar_shape shape = wide_shape((struct shape){6, 4, S_OF(3, 2, 4), 3, 5});
    must(rhm_grammar_from_rules(&given, &shape, g.rules, &err));
    assert_memory_equal(given.rules, g.rules, g.level[4] * sizeof *g.rules);
    rhm_grammar_clear(&copy);
    rhm_grammar_clear(&given);
    rhm_grammar_clear(&g);
    /* a list of equal numbers is the number */
    g = draw_grammar((struct shape){6, 4, S_OF(2, 2, 2), 3, 5}, 2);
    copy = draw_grammar((struct shape){6, 4, 2, 3, 5}, 2);
    assert_true(g.s == 2);
    assert_memory_equal(copy.rules, g.rules, g.level[4] * sizeof *g.rules);
    rhm_grammar_clear(&copy);
    rhm_grammar_clear(&g);
}

/* --------------------------------------------------------- given rules */

static void test_given_rules(void **state)
{
    (void)state;
    struct rhm_grammar drawn = draw_grammar((struct shape){5, 3, 3, 3, 4}, 2), given;
    struct rhm_grammar_shape shape = {5, 3, 3, 3, 4, {0}};
    must(rhm_grammar_from_rules(&given, &shape, drawn.rules, &err));
    assert_memory_equal(drawn.rules, given.rules, children_of(&drawn) * sizeof *drawn.rules);
    assert_false(given.seeded);
    rhm_grammar_clear(&given);

    /* rule 3 of parent 5 of level 2 becomes rule 1 of parent 2 */
    memcpy(drawn.rules + drawn.level[2] + (4 * 3 + 2) * 3, rhm_grammar_rule(&drawn, 2, 1, 0),
           3 * sizeof *drawn.rules);
    char tuple[32];
    const uint16_t *child = rhm_grammar_rule(&drawn, 2, 1, 0);
    snprintf(tuple, sizeof tuple, "{%d,%d,%d}", child[0] + 1, child[1] + 1, child[2] + 1);
    must_fail(rhm_grammar_from_rules(&given, &shape, drawn.rules, &err), RHM_EARG, "level 2", tuple,
              "parent 2 (rule 1)", "parent 5 (rule 3)");
    assert_null(given.rules);
    rhm_grammar_clear(&drawn);

    drawn = draw_grammar((struct shape){5, 3, 3, 3, 4}, 2);
    drawn.rules[drawn.level[3] + 7] = 5;
    must_fail(rhm_grammar_from_rules(&given, &shape, drawn.rules, &err), RHM_EARG, "6", "1..5");
    /* the same tuple at two levels is no ambiguity */
    const uint16_t same[] = {0, 1, 1, 0, 0, 1, 1, 0};
    struct rhm_grammar_shape two = {2, 1, 2, 2, 2, {0}};
    must(rhm_grammar_from_rules(&given, &two, same, &err));
    rhm_grammar_clear(&given);
    rhm_grammar_clear(&drawn);
}

/* --------------------------------------------------------------- parse */

static void test_parse(void **state)
{
    (void)state;
    const struct shape shapes[] = {{8, 4, 2, 5, 8},
                                   {5, 3, 3, 3, 7},
                                   {3, 2, 5, 2, 2},
                                   {8, 8, 2, 3, 8},
                                   {6, 4, S_OF(2, 3, 0), 2, 5},
                                   {6, 4, S_OF(3, 2, 4), 3, 6}};
    for (size_t k = 0; k < COUNT(shapes); k++) {
        struct rhm_grammar g = draw_grammar(shapes[k], k);
        enum { N = 500 };
        uint16_t *tokens = room(N * g.d, sizeof *tokens), labels[N], label;
        rhm_sample_strings(&g, 3, 0, N, tokens, labels);
        for (size_t i = 0; i < N; i++) {
            must(rhm_grammar_parse(&g, tokens + i * g.d, &label, &err));
            assert_int_equal(label, labels[i]);
        }
        free(tokens);
        rhm_grammar_clear(&g);
    }
    /* {2,2} is no rule of level 2, and {1,2},{1,2} none of level 1 */
    const uint16_t rules[] = {0, 0, 1, 1, 0, 1, 1, 0}, bad[] = {0, 1, 1, 1}, odd[] = {0, 1, 1, 0},
                   good[] = {1, 0, 1, 0};
    struct rhm_grammar_shape shape = {2, 1, 2, 2, 2, {0}};
    struct rhm_grammar g;
    uint16_t label;
    must(rhm_grammar_from_rules(&g, &shape, rules, &err));
    must_fail(rhm_grammar_parse(&g, bad, &label, &err), RHM_EARG, "patch 2", "level 2");
    must_fail(rhm_grammar_parse(&g, odd, &label, &err), RHM_EARG, "patch 1", "level 1");
    must(rhm_grammar_parse(&g, good, &label, &err));
    assert_int_equal(label, 1);
    rhm_grammar_clear(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules_are_distinct),
        cmocka_unit_test(test_wide_grammars),
        cmocka_unit_test(test_the_seed_is_the_grammar),
        cmocka_unit_test(test_the_draw_is_uniform),
        cmocka_unit_test(test_the_first_child_of_a_latin_rule_tells_nothing),
        cmocka_unit_test(test_a_share_of_latin_rules_is_drawn_anew),
        cmocka_unit_test(test_the_law_of_the_latin_draw),
        cmocka_unit_test(test_latin_shapes_have_limits),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_weights_have_limits),
        cmocka_unit_test(test_powers),
        cmocka_unit_test(test_shapes_have_limits),
        cmocka_unit_test(test_levels_of_their_own),
        cmocka_unit_test(test_given_rules),
        cmocka_unit_test(test_parse),
    };
    return cmocka_run_group_tests_name("grammar", tests, NULL, NULL);
}
