/* t-principle.c - the statistics of the three conditions against plain sums over strings, their intervals
 * against exact values, true and learned symbols, refusals. */
#include "common.h"

#include "engine/base/threads.h"
#include "engine/grammar/sample.h"
#include "engine/structure/principle.h"

enum { N = 400, C = 3, WIDTH = 2, V = 3, P = 4 };

/* Strings whose label leans on the first token. */
static uint32_t tuple[N][WIDTH], parent[N];
static uint16_t label[N];
static unsigned char half[N];

static struct rhm_principle_input make_input(uint64_t seed)
{
    struct rhm_rng rng = rhm_rng_start(seed, RHM_STREAM_TEST, 0);
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < WIDTH; j++)
            tuple[i][j] = (uint32_t)rhm_rng_below(&rng, V);
        parent[i] = (tuple[i][0] + tuple[i][1]) % 3; /* parent 3 never occurs */
        label[i] = (uint16_t)(rhm_rng_below(&rng, 3) == 0 ? rhm_rng_below(&rng, C) : parent[i]);
        half[i] = rhm_rng_below(&rng, 3) == 0; /* not of the same size */
    }
    return (struct rhm_principle_input){.n = N,
                                        .tuple = tuple[0],
                                        .stride = WIDTH,
                                        .width = WIDTH,
                                        .parent = parent,
                                        .parent_stride = 1,
                                        .parents = P,
                                        .label = label,
                                        .classes = C,
                                        .half = half};
}

/* --------------------------------------------------- plain sums over strings */

/* P[label = c] in a half, of strings like string i (i = N: of all); the share of all where there are none. */
static double share(unsigned h, size_t i, unsigned c)
{
    double all = 0, these = 0;
    for (size_t k = 0; k < N; k++)
        if (half[k] == h && (i == N || memcmp(tuple[k], tuple[i], sizeof tuple[k]) == 0)) {
            all++;
            these += label[k] == c;
        }
    return all > 0 ? these / all : share(h, N, c);
}

static double e(size_t i, unsigned c)
{
    return label[i] == c;
}

/* The mean of r over the other strings of half h with the tuple of string i; 0 without any. */
static double mean_of_others(const double *r, unsigned h, size_t i)
{
    double sum = 0, n = 0;
    for (size_t k = 0; k < N; k++)
        if (k != i && half[k] == h && memcmp(tuple[k], tuple[i], sizeof tuple[k]) == 0) {
            sum += r[k];
            n++;
        }
    return n > 0 ? sum / n : 0;
}

static void test_correlation_is_the_plain_sum(void **state)
{
    (void)state;
    struct rhm_principle_input in = make_input(1);
    static double r[N], v[N];
    double n[2] = {0}, sum_r[2] = {0}, sum_v[2] = {0};
    for (unsigned h = 0; h < 2; h++) {
        double mean[C] = {0};
        for (size_t i = 0; i < N; i++)
            if (half[i] == h) {
                n[h]++;
                for (unsigned c = 0; c < C; c++)
                    mean[c] += share(1 - h, i, c);
            }
        for (size_t i = 0; i < N; i++) {
            if (half[i] != h)
                continue;
            r[i] = v[i] = 0;
            for (unsigned c = 0; c < C; c++) {
                r[i] += (share(1 - h, i, c) - mean[c] / n[h]) * (e(i, c) - share(h, N, c));
                v[i] += pow(e(i, c) - share(h, N, c), 2);
            }
            sum_r[h] += r[i];
            sum_v[h] += v[i];
        }
    }
    double variance = (sum_v[0] / n[0] + sum_v[1] / n[1]) / 2,
           eta2 = (sum_r[0] / n[0] + sum_r[1] / n[1]) / 2 / variance, error2 = 0;
    for (unsigned h = 0; h < 2; h++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < N; i++)
            if (half[i] == h) {
                double t = r[i] - mean_of_others(r, h, i) / 2 - eta2 * v[i] / 2;
                sum += t;
                squares += t * t;
            }
        error2 += (squares / n[h] - pow(sum / n[h], 2)) / (n[h] - 1) / (variance * variance);
    }
    struct rhm_interval got;
    size_t patches;
    must(rhm_principle_correlation(&in, 0.05, &patches, &got, NULL, NULL, &err));
    double wide = 1.959963984540054 * sqrt(error2);
    assert_int_equal(patches, 9);
    assert_near(got.value, sqrt(eta2), 1e-12);
    assert_near(got.low, sqrt(eta2 - wide), 1e-12);
    assert_near(got.high, sqrt(eta2 + wide), 1e-12);
    assert_true(got.low > 0.2);
}

/* From both halves, or from B alone. */
static void compare_layers(const struct rhm_principle_input *in, int B_alone)
{
    double fit = 0, held = 0, all_v = 0, squares = 0, n = 0, within = 0, all = 0;
    static double g[2][N];
    for (unsigned h = B_alone ? 1 : 0; h < 2; h++) {
        double size = 0, mean[C] = {0}, by[P][C] = {{0}}, seen[P] = {0};
        for (size_t i = 0; i < N; i++) {
            if (half[i] != h)
                continue;
            size++;
            seen[parent[i]]++;
            g[0][i] = g[1][i] = 0;
            for (unsigned c = 0; c < C; c++) {
                double v = pow(e(i, c) - share(h, N, c), 2);
                all_v += v;
                g[0][i] += v - pow(e(i, c) - share(h, i, c), 2);
                g[1][i] += v - pow(e(i, c) - share(1 - h, i, c), 2);
                by[parent[i]][c] += share(1 - h, i, c);
                mean[c] += share(1 - h, i, c);
            }
            fit += g[0][i];
            held += g[1][i];
        }
        for (size_t i = 0; i < N; i++)
            for (unsigned c = 0; half[i] == h && c < C; c++) {
                within += pow(share(1 - h, i, c) - by[parent[i]][c] / seen[parent[i]], 2);
                all += pow(share(1 - h, i, c) - mean[c] / size, 2);
            }
        n += size;
    }
    double clean = held / fit;
    for (size_t i = 0; i < N; i++)
        squares += half[i] || !B_alone ? pow(g[1][i] - clean * g[0][i], 2) : 0;
    double wide = 1.959963984540054 * sqrt(squares / (n - 1) / n) / (fit / n);
    struct rhm_principle_layer got;
    must(rhm_principle_layer(in, 0.05, B_alone, &got, NULL, NULL, &err));
    assert_int_equal(got.inputs, 9);
    assert_near(got.fit, fit / all_v, 1e-12);
    assert_near(got.held, held / all_v, 1e-12);
    assert_near(got.clean.value, clean, 1e-12);
    assert_near(got.clean.low, clean - wide, 1e-12);
    assert_near(got.clean.high, clean + wide, 1e-12);
    assert_near(got.leak, within / all, 1e-12);
}

static void test_layers_are_the_plain_sum(void **state)
{
    (void)state;
    struct rhm_principle_input in = make_input(2);
    compare_layers(&in, 0);
    compare_layers(&in, 1);
}

/* The covariance S of the difference as a matrix, with tr S and tr S^2 from it. */
static void test_gap_is_that_of_the_matrices(void **state)
{
    (void)state;
    struct rhm_principle_input in = make_input(3);
    struct rhm_principle_level got = {0};
    must(rhm_principle_gap(&in, 0.05, 0, &got, NULL, NULL, &err));
    assert_int_equal(got.parents, 4);
    assert_int_equal(got.seen, 3);
    assert_int_equal(got.is_seen[3], 0);
    double q[3][C] = {{0}}, n[3] = {0}, all[C] = {0}, value = INFINITY, low = INFINITY, high = INFINITY;
    for (size_t i = 0; i < N; i++) {
        q[parent[i]][label[i]]++;
        n[parent[i]]++;
        all[label[i]] += 1.0 / N;
    }
    double z = rhm_normal_quantile(0.05 / 3);
    for (unsigned a = 0; a < 3; a++)
        for (unsigned b = a + 1; b < 3; b++) {
            double S[C][C] = {{0}}, trace = 0, trace2 = 0, d = 0;
            for (unsigned k = 0; k < 2; k++) {
                unsigned p = k ? b : a;
                for (unsigned i = 0; i < C; i++)
                    for (unsigned j = 0; j < C; j++) {
                        double x = (q[p][i] + all[i]) / (n[p] + 1), y = (q[p][j] + all[j]) / (n[p] + 1);
                        S[i][j] += ((i == j) * x - x * y) / n[p];
                    }
            }
            for (unsigned i = 0; i < C; i++) {
                d += pow(q[a][i] / n[a] - q[b][i] / n[b], 2);
                trace += S[i][i];
                for (unsigned j = 0; j < C; j++)
                    trace2 += S[i][j] * S[i][j];
            }
            double df = trace * trace / trace2, x = df * pow(1 - 2 / (9 * df) + z * sqrt(2 / (9 * df)), 3),
                   r = sqrt(x * trace2 / trace);
            value = fmin(value, sqrt(fmax(d - trace, 0)));
            low = fmin(low, fmax(sqrt(d) - r, 0));
            high = fmin(high, sqrt(d) + r);
        }
    assert_near(got.gap.value, value, 1e-12);
    assert_near(got.gap.low, low, 1e-12);
    assert_near(got.gap.high, high, 1e-12);
    assert_int_equal(got.unresolved, 0);
    free(got.is_seen);
    must(rhm_principle_gap(&in, 0.05, 1, &got, NULL, NULL, &err)); /* fewer strings, a wider interval */
    assert_true(got.gap.high - got.gap.low > high - low);
    free(got.is_seen);
}

static void test_quantiles(void **state)
{
    (void)state;
    assert_near(rhm_normal_quantile(0.5), 0, 1e-11);
    assert_near(rhm_normal_quantile(0.025), 1.959963984540054, 1e-9);
    assert_near(rhm_normal_quantile(1e-9), 5.997807015, 1e-6);
    assert_near(rhm_normal_quantile(0.9), -1.2815515655446, 1e-9);
}

/* ----------------------------------------------------------- intervals */

static struct rhm_principle measured(const struct rhm_grammar *g, const struct rhm_formula *f, size_t n,
                                     uint64_t seed)
{
    struct rhm_dataset data;
    if (g)
        must(rhm_sample_dataset(g, seed, n, &data, &err));
    else
        must(rhm_formula_dataset(f, seed, n, &data, NULL, NULL, &err));
    struct rhm_principle r;
    struct rhm_principle_options o = {
        .data = &data, .grammar = g, .formula = f, .confidence = 0.9, .seed = seed};
    must(rhm_principle_measure(&o, &r, NULL, &err));
    rhm_dataset_clear(&data);
    return r;
}

/* Whether the exact values are in the intervals, for all levels. */
static void count_misses(const struct rhm_principle *r, int miss[2])
{
    int out[2] = {0};
    for (unsigned l = 1; l <= r->L; l++) {
        const struct rhm_principle_level *x = &r->level[l];
        out[0] |= x->exact_correlation < x->correlation.low - 1e-9 ||
                  x->exact_correlation > x->correlation.high + 1e-9;
        out[1] |= x->exact_gap < x->gap.low - 1e-9 || x->exact_gap > x->gap.high + 1e-9;
    }
    miss[0] += out[0];
    miss[1] += out[1];
}

/* 90 % for all levels together. A miss more probable than that makes 49 or more of 300 with P >= .05; a
 * correct interval does with P = 3e-4. */
static void test_intervals_hold_the_exact_values(void **state)
{
    (void)state;
    enum { RUNS = 300, MOST = 48 };
    must(rhm_threads_set(1, &err)); /* small runs: threads would only wait for each other */
    struct rhm_formula f;
    uint64_t gates[7] = {8, 14, 14, 8, 8, 8, 8}, parity[7] = {6, 6, 6, 6, 6, 6, 6};
    struct rhm_grammar g = draw_grammar((struct shape){4, 2, 2, 2, 4}, 5);
    for (int kind = 0; kind < 3; kind++) {
        int miss[2] = {0};
        must(rhm_formula_init(&f, 2, 3, kind == 1 ? parity : gates, 0, &err));
        for (uint64_t seed = 0; seed < RUNS; seed++) {
            struct rhm_principle r =
                kind == 2 ? measured(&g, NULL, 800, seed) : measured(NULL, &f, 800, seed);
            count_misses(&r, miss);
            rhm_principle_clear(&r);
        }
        rhm_formula_clear(&f);
        print_message("misses of 90 %% in %d: correlation %d, gap %d\n", RUNS, miss[0], miss[1]);
        assert_true(miss[0] <= MOST && miss[1] <= MOST);
    }
    rhm_grammar_clear(&g);
}

/* ------------------------------------------------------------- the whole */

static void test_a_grammar(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){8, 4, 2, 3, 8}, 3);
    struct rhm_principle r = measured(&g, NULL, 50000, 1);
    assert_int_equal(r.n, 50000);
    assert_int_equal(r.n_A + r.n_B, 50000);
    assert_true(r.n_A > 24000 && r.n_B > 24000);
    for (unsigned l = 1; l <= 3; l++) {
        assert_int_equal(r.level[l].patches, 32);
        assert_int_equal(r.level[l].seen, 8);
        assert_true(r.level[l].correlation.low > 0 && r.level[l].gap.low > 0);
        assert_true(r.level[l].layer[0].clean.low > 0.5 && r.level[l].layer[0].leak < 0.1);
    }
    assert_near(r.level[1].exact_gap, sqrt(2), 1e-12);
    /* all of the string: the table of A holds nearly all of its strings, but few of B's */
    assert_true(r.level[3].layer[2].fit > 0.99 && r.level[3].layer[2].clean.high < 0.5);
    rhm_principle_clear(&r);
    rhm_grammar_clear(&g);
}

static void test_learned_symbols(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){8, 4, 2, 3, 8}, 3);
    struct rhm_dataset data;
    must(rhm_sample_dataset(&g, 7, 30000, &data, &err));
    data.labels[5] = RHM_MISSING;
    struct rhm_principle_options o = {
        .data = &data, .L = 3, .branch = {0, 2, 2, 2}, .confidence = 0.95, .M = 256};
    struct rhm_principle r[2];
    for (int k = 0; k < 2; k++) { /* the same by any number of threads */
        must(rhm_threads_set(k ? 3 : 1, &err));
        must(rhm_principle_measure(&o, &r[k], NULL, &err));
    }
    for (unsigned l = 1; l <= 3; l++) {
        assert_true(r[0].level[l].correlation.low > 0 && r[0].level[l].gap.low > 0);
        assert_true(isnan(r[0].level[l].exact_gap));
        free(r[0].level[l].is_seen);
        free(r[1].level[l].is_seen);
        r[0].level[l].is_seen = r[1].level[l].is_seen = NULL;
    }
    assert_int_equal(r[0].n, 29999);
    assert_memory_equal(&r[0], &r[1], sizeof r[0]);
    data.labels[5] = 0;
    data.tokens[8 * 9] = RHM_MISSING;
    must_fail(rhm_principle_measure(&o, &r[0], NULL, &err), RHM_EARG, "string 10", "missing tokens");
    rhm_dataset_clear(&data);
    rhm_grammar_clear(&g);
}

/* Places: those of the patch's ancestors. */
static void test_places(void **state)
{
    (void)state;
    struct rhm_formula f;
    uint64_t gates[7] = {14, 8, 12, 8, 8, 8, 6}; /* the last patch is an xor that nobody reads */
    must(rhm_formula_init(&f, 2, 3, gates, 0, &err));
    struct rhm_dataset data;
    must(rhm_formula_dataset(&f, 1, 20000, &data, NULL, NULL, &err));
    for (uint64_t place = 0; place < 4; place++) {
        struct rhm_principle r;
        struct rhm_principle_options o = {.data = &data, .formula = &f, .confidence = 0.95, .place = place};
        must(rhm_principle_measure(&o, &r, NULL, &err));
        for (unsigned l = 1; l <= 3; l++) {
            uint64_t at = place >> (3 - l);
            double gap = rhm_formula_gap(&f, l, at), r_ = fabs(rhm_formula_correlation(&f, l - 1, at));
            assert_near(r.level[l].exact_gap, gap, 1e-12);
            assert_near(r.level[l].exact_correlation, r_, 1e-12);
            assert_true(r.level[l].gap.low - 1e-9 <= gap && gap <= r.level[l].gap.high + 1e-9);
            assert_true(r.level[l].correlation.low - 1e-9 <= r_ && r_ <= r.level[l].correlation.high + 1e-9);
        }
        rhm_principle_clear(&r);
    }
    rhm_dataset_clear(&data);
    rhm_formula_clear(&f);
}

static enum rhm_status stop_after(void *context, struct rhm_error *e)
{
    int *left = context;
    return (*left)-- > 0 ? RHM_OK : rhm_fail(e, RHM_ESTOP, "stopped by the test");
}

/* 100,000 strings, each of a patch of its own: every pass over them asks whether to go on, at least once for
 * 10,000, and the answer no ends it. */
static void test_stop(void **state)
{
    (void)state;
    enum { MANY = 100000, ENOUGH = 100000 };
    uint32_t *patch = room(MANY, sizeof *patch), *above = room(MANY, sizeof *above);
    uint16_t *says = room(MANY, sizeof *says);
    unsigned char *side = room(MANY, 1);
    for (size_t i = 0; i < MANY; i++) {
        patch[i] = (uint32_t)i;
        above[i] = (uint32_t)(i % P);
        says[i] = (uint16_t)(i % C);
        side[i] = i % 7 < 3;
    }
    struct rhm_principle_input in = {.n = MANY,
                                     .tuple = patch,
                                     .stride = 1,
                                     .width = 1,
                                     .parent = above,
                                     .parent_stride = 1,
                                     .parents = P,
                                     .label = says,
                                     .classes = C,
                                     .half = side};
    struct rhm_interval interval;
    struct rhm_principle_layer layer;
    size_t patches;
    const int least[2] = {60, 10}; /* six passes, and one */
    for (int kind = 0; kind < 2; kind++) {
        int asked = -1;
        for (int calls = ENOUGH; asked < 0 || calls < asked; calls += 1 + calls / 3) {
            int left = calls;
            struct rhm_error why;
            enum rhm_status status =
                kind == 0 ? rhm_principle_correlation(&in, 0.05, &patches, &interval, stop_after, &left, &why)
                          : rhm_principle_layer(&in, 0.05, 0, &layer, stop_after, &left, &why);
            assert_int_equal(status, asked < 0 ? RHM_OK : RHM_ESTOP);
            if (asked < 0) {
                asked = ENOUGH - left;
                calls = -1;
            }
        }
        assert_true(asked >= least[kind]);
    }
    free(patch);
    free(above);
    free(says);
    free(side);
}

static void test_refusals(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){8, 4, 2, 3, 8}, 3);
    struct rhm_dataset data;
    must(rhm_sample_dataset(&g, 7, 100, &data, &err));
    struct rhm_principle r;
    struct rhm_principle_options o = {
        .data = &data, .L = 2, .branch = {0, 2, 2, 2}, .confidence = 0.95, .M = 512};
    must_fail(rhm_principle_measure(&o, &r, NULL, &err), RHM_EARG, "4 tokens", "8");
    o.L = 3;
    o.place = 4;
    must_fail(rhm_principle_measure(&o, &r, NULL, &err), RHM_EARG, "place 5", "1..4");
    o.place = 0;
    o.confidence = 1;
    must_fail(rhm_principle_measure(&o, &r, NULL, &err), RHM_EARG, "confidence = 1");
    o.confidence = 0.9;
    data.n = 2;
    must_fail(rhm_principle_measure(&o, &r, NULL, &err), RHM_EARG, "2 strings", "half");
    data.n = 100;
    uint16_t labels[100];
    memcpy(labels, data.labels, sizeof labels);
    for (size_t i = 0; i < data.n; i++)
        data.labels[i] = 3;
    must_fail(rhm_principle_measure(&o, &r, NULL, &err), RHM_EARG, "all 100 strings", "label 4");
    memcpy(data.labels, labels, sizeof labels);
    o.grammar = &g;
    data.tokens[8 * 3 + 1] ^= 1;
    data.tokens[8 * 3 + 3] ^= 3;
    data.tokens[8 * 3 + 5] ^= 5;
    must_fail(rhm_principle_measure(&o, &r, NULL, &err), RHM_EARG, "labelled string 4",
              "none of the grammar");
    rhm_dataset_clear(&data);
    rhm_grammar_clear(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_quantiles),
        cmocka_unit_test(test_correlation_is_the_plain_sum),
        cmocka_unit_test(test_layers_are_the_plain_sum),
        cmocka_unit_test(test_gap_is_that_of_the_matrices),
        cmocka_unit_test(test_intervals_hold_the_exact_values),
        cmocka_unit_test(test_a_grammar),
        cmocka_unit_test(test_learned_symbols),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests_name("principle", tests, NULL, NULL);
}
