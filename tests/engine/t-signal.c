/* t-signal.c - q, gaps, Assumption 4.1 and the schedules against an enumeration of all derivations. */
#include "common.h"

#include "engine/grammar/signal.h"

/* ------------------------------------------------- all derivations */

/* count[l][(i * V' + nu) * classes + label]: derivations whose i-th level-l patch has parent nu, V' the wider
 * of V and classes; with chance (of common.h) the sum of their probabilities given the label. */
struct census {
    size_t widest;
    const double *chance; /* NULL: rules are equally likely */
    double *count[8];
    double total;
};

/* Derives a string from the label by the rules that `choice` names, one a symbol in the order of levels. */
static void derive(const struct rhm_grammar *g, unsigned label, const unsigned *choice, struct census *census)
{
    static unsigned symbols[RHM_MAX_LEVELS + 1][1024];
    symbols[0][0] = label;
    size_t width = 1;
    double p = 1;
    for (unsigned l = 1; l <= g->L; l++) {
        const unsigned *parent = symbols[l - 1];
        unsigned *child = symbols[l];
        for (size_t i = 0; i < width; i++) {
            unsigned rule = *choice++;
            p *= census->chance ? census->chance[rule_number(g, l, parent[i], rule)] : 1;
            for (unsigned j = 0; j < g->branch[l]; j++)
                child[i * g->branch[l] + j] =
                    g->rules[g->level[l] + (parent[i] * g->m + rule) * (size_t)g->branch[l] + j];
        }
        width *= g->branch[l];
    }
    width = 1;
    for (unsigned l = 1; l <= g->L; width *= g->branch[l++])
        for (size_t i = 0; i < width; i++)
            census->count[l][(i * census->widest + symbols[l - 1][i]) * g->classes + label] += p;
    census->total += p;
}

static struct census enumerate(const struct rhm_grammar *g, const double *chance)
{
    struct census census = {.widest = g->V > g->classes ? g->V : g->classes, .chance = chance};
    size_t nodes = 0, width = 1;
    for (unsigned l = 1; l <= g->L; l++) {
        census.count[l] = room(width * census.widest * g->classes, sizeof(double));
        nodes += width;
        width *= g->branch[l];
    }
    for (unsigned label = 0; label < g->classes; label++) {
        unsigned choice[64] = {0};
        size_t at;
        do {
            derive(g, label, choice, &census);
            for (at = 0; at < nodes && ++choice[at] == g->m; at++)
                choice[at] = 0;
        } while (at < nodes);
    }
    return census;
}

static void forget(struct census *census)
{
    for (size_t l = 0; l < COUNT(census->count); l++)
        free(census->count[l]);
}

static double derivations(const struct census *census, const struct rhm_grammar *g, unsigned l, size_t i,
                          unsigned nu)
{
    double sum = 0;
    for (unsigned c = 0; c < g->classes; c++)
        sum += census->count[l][(i * census->widest + nu) * g->classes + c];
    return sum;
}

static double q_of(const struct census *census, const struct rhm_grammar *g, unsigned l, size_t i,
                   unsigned nu, unsigned c)
{
    return census->count[l][(i * census->widest + nu) * g->classes + c] / derivations(census, g, l, i, nu);
}

/* ------------------------------------------------------ small grammars */

static const struct shape small[] = {
    {3, 2, 2, 3, 3},
    {4, 3, 2, 3, 2},
    {4, 2, 2, 4, 4},
    {5, 2, 2, 3, 3},
    {3, 3, 2, 3, 3},
    {6, 4, 2, 2, 6},
    {8, 4, 2, 3, 8},
    {4, 1, 2, 3, 5},
    {2, 2, 2, 4, 2},
    {7, 2, 2, 3, 4},
    {4, 3, 2, 1, 5},
    {3, 2, 3, 3, 2},
    {4, 3, 3, 2, 5},
    {2, 2, 3, 3, 4},
    {3, 4, 3, 2, 3},
    {5, 2, 3, 2, 7},
    {2, 3, 5, 2, 3},
    {3, 2, 5, 2, 4},
    {2, 4, 5, 2, 2},
    {3, 2, 4, 2, 5},
    {4, 2, S_OF(2, 3, 0), 2, 4},
    {4, 3, S_OF(3, 2, 0), 2, 3},
    {3, 2, S_OF(2, 2, 3), 3, 2},
    {2, 2, S_OF(3, 2, 2), 3, 2},
};

/* Returns the largest difference; counts the rows of nan. */
static double compare_q(const struct rhm_grammar *g, const struct census *census, size_t *nan_rows)
{
    double worst = 0;
    size_t places = 1;
    for (unsigned l = 1; l <= g->L; places *= g->branch[l++])
        for (size_t i = 0; i < places; i++) {
            unsigned parents = l == 1 ? g->classes : g->V;
            struct rhm_matrix q;
            double probability[16];
            must(rhm_signal_q(g, l, i, &q, probability, &err));
            assert_int_equal(q.rows, parents);
            assert_int_equal(q.cols, g->classes);
            for (unsigned nu = 0; nu < parents; nu++) {
                double n = derivations(census, g, l, i, nu);
                worst = fmax(worst, fabs(probability[nu] - n / census->total));
                *nan_rows += n == 0;
                for (unsigned c = 0; c < g->classes; c++) {
                    double value = q.v[nu * q.cols + c];
                    assert_int_equal(!!isnan(value), n == 0);
                    if (n > 0)
                        worst = fmax(worst, fabs(value - q_of(census, g, l, i, nu, c)));
                }
            }
            rhm_matrix_clear(&q);
        }
    return worst;
}

static void check_q(int weighted)
{
    double worst = 0, total = 0;
    size_t nan_rows = 0;
    assert_int_equal(COUNT(small), 24);
    for (size_t k = 0; k < COUNT(small); k++) {
        struct rhm_grammar g = draw_grammar(small[k], 100 + k);
        double *chance = weighted ? weigh(&g, k) : NULL;
        struct census census = enumerate(&g, chance);
        worst = fmax(worst, compare_q(&g, &census, &nan_rows));
        total += census.total;
        forget(&census);
        free(chance);
        rhm_grammar_clear(&g);
    }
    print_message(
        "20 grammars, %s rules, all derivations (they sum to %.0f): largest difference %.2g, %zu nan "
        "rows\n",
        weighted ? "weighted" : "uniform", total, worst, nan_rows);
    assert_true(worst <= 1e-12);
    assert_true(nan_rows > 0);
}

static void test_q_is_that_of_all_derivations(void **state)
{
    (void)state;
    check_q(0);
}

static void test_q_of_weighted_rules(void **state)
{
    (void)state;
    check_q(1);
}

/* -------------------------------------------------------------- levels */

static double distance(const struct census *census, const struct rhm_grammar *g, unsigned l, unsigned a,
                       unsigned b)
{
    double square = 0;
    for (unsigned c = 0; c < g->classes; c++)
        square += pow(q_of(census, g, l, 0, a, c) - q_of(census, g, l, 0, b, c), 2);
    return sqrt(square);
}

static void compare_level(const struct rhm_grammar *g, const struct census *census, unsigned l,
                          const struct rhm_signal_level *level)
{
    unsigned parents = l == 1 ? g->classes : g->V, missing = 0;
    double gap = INFINITY, pmin = INFINITY;
    unsigned char absent[16];
    must(rhm_signal_missing(g, l, absent, &err));
    for (unsigned a = 0; a < parents; a++) {
        double n = derivations(census, g, l, 0, a);
        assert_int_equal(absent[a], n == 0);
        missing += n == 0;
        if (n > 0)
            pmin = fmin(pmin, n / census->total);
        for (unsigned b = a + 1; b < parents && n > 0; b++)
            if (derivations(census, g, l, 0, b) > 0)
                gap = fmin(gap, distance(census, g, l, a, b));
    }
    assert_int_equal(level->missing, missing);
    assert_true(fabs(level->pmin - pmin) <= 1e-12);
    if (isinf(gap)) {
        assert_true(isinf(level->gap) && isinf(level->K));
        return;
    }
    /* a gap of 0 may be the root of a rounding error */
    assert_true(fabs(level->gap - gap) <= 1e-12 || (level->gap < 1e-7 && gap < 1e-7));
    assert_true(fabs(level->K - level->gap * sqrt(pow(g->m, l))) <= 1e-12 * fmax(1, level->K));
    double attained = distance(census, g, l, level->a, level->b);
    assert_int_not_equal(level->a, level->b);
    assert_true(fabs(attained - gap) <= 1e-12 || (attained < 1e-7 && gap < 1e-7));
}

static void check_levels(int weighted)
{
    unsigned missing = 0;
    for (size_t k = 0; k < COUNT(small); k++) {
        struct rhm_grammar g = draw_grammar(small[k], 200 + k);
        double *chance = weighted ? weigh(&g, k) : NULL;
        struct census census = enumerate(&g, chance);
        struct rhm_signal_level level[RHM_MAX_LEVELS + 1];
        must(rhm_signal_levels(&g, level, NULL, NULL, &err));
        double K = INFINITY;
        for (unsigned l = 1; l <= g.L; l++) {
            compare_level(&g, &census, l, &level[l]);
            K = fmin(K, level[l].K);
            missing += level[l].missing;
        }
        assert_true(rhm_signal_K(&g, level) == K);
        forget(&census);
        free(chance);
        rhm_grammar_clear(&g);
    }
    assert_true(missing > 0);
}

static void test_levels_are_those_of_all_derivations(void **state)
{
    (void)state;
    check_levels(0);
    check_levels(1);
}

/* Labels are told apart by themselves: q^(1) = I whatever the rules, gap sqrt(2). */
static void test_the_top_level(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){16, 8, 2, 3, 10}, 1);
    struct rhm_signal_level level[RHM_MAX_LEVELS + 1];
    must(rhm_signal_levels(&g, level, NULL, NULL, &err));
    assert_true(fabs(level[1].gap - sqrt(2)) < 1e-15);
    assert_true(fabs(level[1].pmin - 0.1) < 1e-15);
    rhm_grammar_clear(&g);
}

/* A grammar made so that symbol 3 (0-based 2) never stands first, and two symbols give one signal. */
static void test_a_grammar_that_cannot_be_learned(void **state)
{
    (void)state;
    const uint16_t rules[] = {
        0, 2, 1, 0, /* label 1 */
        0, 1, 1, 1, /* label 2: its first children are those of label 1 */
        0, 0, 0, 1, /* level 2: symbols 1, 2, 3 */
        1, 0, 1, 1, 2, 0, 2, 1,
    };
    struct rhm_grammar_shape shape = {3, 2, 2, 2, 2, {0}};
    struct rhm_grammar g;
    must(rhm_grammar_from_rules(&g, &shape, rules, &err));
    struct rhm_signal_level level[RHM_MAX_LEVELS + 1];
    must(rhm_signal_levels(&g, level, NULL, NULL, &err));
    assert_int_equal(level[2].missing, 1);
    assert_true(level[2].gap == 0);
    assert_true(level[2].pmin == 0.5);
    unsigned char missing[3];
    must(rhm_signal_missing(&g, 2, missing, &err));
    assert_memory_equal(missing, ((unsigned char[]){0, 0, 1}), 3);
    uint64_t n[RHM_MAX_LEVELS + 1];
    struct rhm_schedule_options by_gap = {.by = RHM_SCHEDULE_GAP, .c = 16};
    must_fail(rhm_signal_schedule(&g, &by_gap, n, NULL, NULL, &err), RHM_EARG, "level 2", "symbols 1 and 2");
    struct rhm_schedule_options theorem = {.by = RHM_SCHEDULE_THEOREM, .kappa = 1, .delta = 0.1};
    must_fail(rhm_signal_schedule(&g, &theorem, n, NULL, NULL, &err), RHM_EARG, "level 2");
    rhm_grammar_clear(&g);
}

/* ----------------------------------------------------------- schedules */

static void test_the_depth_schedule(void **state)
{
    (void)state;
    uint64_t n[RHM_MAX_LEVELS + 1];
    struct rhm_grammar g = draw_grammar((struct shape){8, 4, 2, 4, 8}, 1);
    struct rhm_schedule_options by_depth = {.by = RHM_SCHEDULE_DEPTH, .c = 32};
    must(rhm_signal_schedule(&g, &by_depth, n, NULL, NULL, &err));
    assert_int_equal(n[1], 20000); /* 32 * 8 * 4 * 4 = 4096 */
    assert_int_equal(n[2], 20000); /* 16384 */
    assert_int_equal(n[3], 65536);
    assert_int_equal(n[4], 262144);
    must(rhm_schedule_by_depth(16, 4, 6, 12.5, n, &err));
    assert_int_equal(n[6], 3276800); /* 12.5 * 16 * 4 * 4^6 */
    /* 2^53 itself is allowed: 2^46 * 8 * 4 * 4 */
    must(rhm_schedule_by_depth(8, 4, 1, 0x1p46, n, &err));
    assert_true(n[1] == UINT64_C(1) << 53);
    must_fail(rhm_schedule_by_depth(8, 4, 2, 0x1p46, n, &err), RHM_EARG, "level 2", "2^53", "lower c");
    must_fail(rhm_schedule_by_depth(8, 4, 60, 32, n, &err), RHM_EARG, "2^53");
    must_fail(rhm_schedule_by_depth(8, 4, 2, 0, n, &err), RHM_EARG, "c = 0");
    must_fail(rhm_schedule_by_depth(8, 4, 2, NAN, n, &err), RHM_EARG, "c = ", "positive");
    must_fail(rhm_schedule_by_depth(8, 4, 2, INFINITY, n, &err), RHM_EARG, "c = inf");
    rhm_grammar_clear(&g);
}

static void test_the_schedules_of_the_gap(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){8, 4, 2, 3, 8}, 100);
    struct census census = enumerate(&g, NULL);
    double gap[4], K = INFINITY;
    for (unsigned l = 1; l <= 3; l++) {
        gap[l] = INFINITY;
        for (unsigned a = 0; a < 8; a++)
            for (unsigned b = 0; b < a; b++)
                if (derivations(&census, &g, l, 0, a) > 0 && derivations(&census, &g, l, 0, b) > 0)
                    gap[l] = fmin(gap[l], distance(&census, &g, l, a, b));
        K = fmin(K, gap[l] * pow(4, l / 2.0));
    }
    uint64_t n[RHM_MAX_LEVELS + 1];
    struct rhm_schedule_options by_gap = {.by = RHM_SCHEDULE_GAP, .c = 1000};
    must(rhm_signal_schedule(&g, &by_gap, n, NULL, NULL, &err));
    for (unsigned l = 1; l <= 3; l++) {
        double wanted = fmax(1000 * 8 * 4 / (gap[l] * gap[l]), 20000);
        assert_true(fabs((double)n[l] - ceil(wanted)) <= 1);
    }
    assert_true(n[3] > 20000);
    by_gap.c = 1e-3;
    must(rhm_signal_schedule(&g, &by_gap, n, NULL, NULL, &err));
    assert_int_equal(n[3], 20000);
    by_gap.c = 1e15;
    must_fail(rhm_signal_schedule(&g, &by_gap, n, NULL, NULL, &err), RHM_EARG, "2^53");
    by_gap.c = -1;
    must_fail(rhm_signal_schedule(&g, &by_gap, n, NULL, NULL, &err), RHM_EARG, "c = -1");

    struct rhm_schedule_options theorem = {.by = RHM_SCHEDULE_THEOREM, .kappa = 2, .delta = 0.05};
    must(rhm_signal_schedule(&g, &theorem, n, NULL, NULL, &err));
    for (unsigned l = 1; l <= 3; l++) {
        double logarithm = log(8 * 4 * 2 / 0.05);
        double wanted = 2.0 * 64 * 16 * 2 * 3 * logarithm * logarithm / (K * K) * pow(4, l);
        assert_true(fabs((double)n[l] - wanted) <= 1 + 1e-9 * wanted);
    }
    theorem.delta = 1;
    must_fail(rhm_signal_schedule(&g, &theorem, n, NULL, NULL, &err), RHM_EARG, "delta = 1");
    theorem.delta = 0.1;
    theorem.kappa = 0;
    must_fail(rhm_signal_schedule(&g, &theorem, n, NULL, NULL, &err), RHM_EARG, "kappa = 0");
    theorem.kappa = 1e12;
    must_fail(rhm_signal_schedule(&g, &theorem, n, NULL, NULL, &err), RHM_EARG, "2^53");
    forget(&census);
    rhm_grammar_clear(&g);
}

/* -------------------------------------------------------------- limits */

static void test_places_and_levels_have_limits(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){4, 2, 3, 3, 4}, 1);
    struct rhm_matrix q = {0};
    must_fail(rhm_signal_q(&g, 0, 0, &q, NULL, &err), RHM_EARG, "level 0", "1..3");
    must_fail(rhm_signal_q(&g, 4, 0, &q, NULL, &err), RHM_EARG, "level 4", "1..3");
    must_fail(rhm_signal_q(&g, 3, 9, &q, NULL, &err), RHM_EARG, "place 10", "level 3", "1..9");
    must_fail(rhm_signal_q(&g, 1, 1, &q, NULL, &err), RHM_EARG, "place 2", "1..1");
    assert_null(q.v);
    rhm_grammar_clear(&g);
}

/* The law of the symbol at a place, one label at a time: forward along the path that the digits of i name. */
static void compare_deep(const struct rhm_grammar *g, unsigned l, uint64_t i, const struct rhm_matrix *q)
{
    double joint[16][16];
    for (unsigned c = 0; c < g->classes; c++) {
        double p[16] = {0}, next[16];
        p[c] = 1.0 / g->classes;
        for (unsigned j = 1; j < l; j++) {
            unsigned digit = (unsigned)(i >> (l - 1 - j) & 1);
            memset(next, 0, sizeof next);
            for (unsigned nu = 0; nu < g->V; nu++)
                for (unsigned k = 0; k < g->m; k++)
                    next[rhm_grammar_rule(g, j, nu, k)[digit]] += p[nu] / g->m;
            memcpy(p, next, sizeof p);
        }
        for (unsigned nu = 0; nu < g->V; nu++)
            joint[nu][c] = p[nu];
    }
    for (unsigned nu = 0; nu < g->V; nu++) {
        double sum = 0;
        for (unsigned c = 0; c < g->classes; c++)
            sum += joint[nu][c];
        for (unsigned c = 0; c < g->classes && sum > 0; c++)
            assert_true(fabs(q->v[nu * q->cols + c] - joint[nu][c] / sum) < 1e-12);
    }
}

static void test_depth_sixty(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){8, 4, 2, 60, 8}, 3);
    assert_true(g.d == UINT64_C(1) << 60);
    const uint64_t places[] = {0, 1, UINT64_C(0x5A5A5A5A5A5A5A5), (UINT64_C(1) << 59) - 1};
    for (unsigned l = 60; l >= 60 - 40; l -= 20)
        for (size_t k = 0; k < COUNT(places); k++) {
            uint64_t i = places[k] & ((UINT64_C(1) << (l - 1)) - 1);
            struct rhm_matrix q;
            must(rhm_signal_q(&g, l, i, &q, NULL, &err));
            compare_deep(&g, l, i, &q);
            rhm_matrix_clear(&q);
        }
    struct rhm_signal_level level[RHM_MAX_LEVELS + 1];
    must(rhm_signal_levels(&g, level, NULL, NULL, &err));
    assert_true(level[2].gap > 1e-3);
    assert_true(level[60].gap < 1e-12); /* nothing of the label is left */
    struct rhm_matrix q;
    must_fail(rhm_signal_q(&g, 60, UINT64_C(1) << 59, &q, NULL, &err), RHM_EARG, "place", "level 60");
    rhm_grammar_clear(&g);
    g = draw_grammar((struct shape){8, 4, 2, 62, 8}, 3); /* the deepest: d = 2^62 */
    must(rhm_signal_levels(&g, level, NULL, NULL, &err));
    rhm_grammar_clear(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_q_is_that_of_all_derivations),
        cmocka_unit_test(test_q_of_weighted_rules),
        cmocka_unit_test(test_levels_are_those_of_all_derivations),
        cmocka_unit_test(test_the_top_level),
        cmocka_unit_test(test_a_grammar_that_cannot_be_learned),
        cmocka_unit_test(test_the_depth_schedule),
        cmocka_unit_test(test_the_schedules_of_the_gap),
        cmocka_unit_test(test_places_and_levels_have_limits),
        cmocka_unit_test(test_depth_sixty),
    };
    return cmocka_run_group_tests_name("signal", tests, NULL, NULL);
}
