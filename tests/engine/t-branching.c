/* t-branching.c - phi^2 against its definition and its law, and the trees that show in strings. */
#include "common.h"

#include "engine/base/threads.h"
#include "engine/grammar/sample.h"
#include "engine/structure/branching.h"
#include "engine/structure/dependence.h"

/* ------------------------------------------------------------ phi^2 */

enum { N = 3000, K = 5, PLACES = 3 };

/* Place 1 is a function of place 0 and noise, place 2 of neither; a tenth of place 0 is missing. */
static void make_codes(uint32_t *code, uint16_t *label, uint64_t seed)
{
    struct rhm_rng rng = rhm_rng_start(seed, RHM_STREAM_TEST, 1);
    for (size_t i = 0; i < N; i++) {
        code[i] = (uint32_t)rhm_rng_below(&rng, K);
        code[N + i] = rhm_rng_below(&rng, 3) == 0 ? (uint32_t)rhm_rng_below(&rng, K) : code[i] * code[i] % K;
        code[2 * N + i] = (uint32_t)rhm_rng_below(&rng, K - 1); /* one code never stands there */
        label[i] = (uint16_t)((code[i] + code[2 * N + i]) % 3);
        if (rhm_rng_below(&rng, 10) == 0)
            code[i] = RHM_NO_CODE_HERE;
    }
}

/* The sum over ordered pairs of different strings that agree in both codes, each divided by the margins. */
static double naive(size_t n, const uint32_t *a, const uint32_t *b, double *df)
{
    double sum = 0, used = 0, rows = 0, cols = 0;
    static double r[1000], c[1000];
    memset(r, 0, sizeof r);
    memset(c, 0, sizeof c);
    for (size_t i = 0; i < n; i++)
        if (a[i] != RHM_NO_CODE_HERE && b[i] != RHM_NO_CODE_HERE) {
            rows += r[a[i]]++ == 0;
            cols += c[b[i]]++ == 0;
            used++;
        }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n && a[i] != RHM_NO_CODE_HERE && b[i] != RHM_NO_CODE_HERE; j++)
            if (i != j && a[i] == a[j] && b[i] == b[j])
                sum += 1 / (r[a[i]] * c[b[i]]);
    *df = (rows - 1) * (cols - 1);
    return sum - (used - rows) * (used - cols) / (used * (used - 1));
}

static void test_phi_is_its_definition(void **state)
{
    (void)state;
    static uint32_t code[PLACES * N], other[N];
    static uint16_t label[N];
    make_codes(code, label, 1);
    struct rhm_places_codes codes = {N, PLACES, K, code};
    const struct rhm_pair pair[] = {
        {.a = 0, .b = 1}, {.a = 0, .b = 2, .shift = 77}, {.a = 1, .b = 2, .turned = 1}};
    const size_t first[] = {0, 1, 2, 3}, together[] = {0, 2};
    struct rhm_phi phi[3], both;
    must(rhm_dependence(&codes, 3, first, pair, phi, &err));
    for (size_t k = 0; k < 3; k++) {
        double df, wanted;
        for (size_t i = 0; i < N; i++)
            other[i] = code[pair[k].b * N + (i + pair[k].shift) % N];
        wanted = naive(N, code + pair[k].a * N, other, &df);
        assert_true(fabs(phi[k].value - wanted) < 1e-10);
    }
    assert_true(phi[0].value > 0.3 && fabs(phi[1].value) < 0.02 && fabs(phi[2].value) < 0.02);
    /* two pairs together: as one of twice as many strings */
    static uint32_t long_a[2 * N], long_b[2 * N];
    for (size_t i = 0; i < N; i++) {
        long_a[i] = long_a[N + i] = code[i];
        long_b[i] = code[N + i];
        long_b[N + i] = code[2 * N + (i + 77) % N];
    }
    double df, wanted = naive(2 * N, long_a, long_b, &df);
    must(rhm_dependence(&codes, 1, together, pair, &both, &err));
    assert_true(fabs(both.value - wanted) < 1e-10);
}

/* Lancaster's interaction: label = (a + c) mod 3 is in the pair alone. */
static void test_labels(void **state)
{
    (void)state;
    static uint32_t code[PLACES * N], joint[N], labels[N];
    static uint16_t label[N];
    make_codes(code, label, 2);
    struct rhm_places_codes codes = {N, PLACES, K, code};
    const struct rhm_pair pair[] = {{.a = 0, .b = 2}, {.a = 1, .b = 2, .shift = 5}};
    struct rhm_phi phi[2];
    must(rhm_label_dependence(&codes, label, 3, 2, pair, phi, &err));
    for (size_t k = 0; k < 2; k++) {
        static uint32_t a[N], b[N];
        for (size_t i = 0; i < N; i++) {
            a[i] = code[pair[k].a * N + i];
            b[i] = code[pair[k].b * N + i];
            int gone = a[i] == RHM_NO_CODE_HERE || b[i] == RHM_NO_CODE_HERE;
            labels[i] = gone ? RHM_NO_CODE_HERE : label[(i + pair[k].shift) % N];
            joint[i] = gone ? 0 : a[i] * K + b[i];
        }
        double df,
            wanted = naive(N, joint, labels, &df) - naive(N, a, labels, &df) - naive(N, b, labels, &df);
        assert_true(fabs(phi[k].value - wanted) < 1e-10);
    }
    assert_true(phi[0].value > 0.5 && fabs(phi[1].value) < 0.1);
}

/* Under the null the mean is 0 and the variance as said, also where cells outnumber strings and are uneven.
 */
static void test_the_null(void **state)
{
    (void)state;
    enum { FEW = 400, CODES = 200, DRAWS = 400 };
    static uint32_t code[(DRAWS + 1) * FEW];
    struct rhm_rng rng = rhm_rng_start(3, RHM_STREAM_TEST, 2);
    for (size_t i = 0; i < (DRAWS + 1) * FEW; i++)
        code[i] = (uint32_t)(CODES * pow(rhm_rng_uniform(&rng), 2)); /* some often, some once */
    struct rhm_places_codes codes = {FEW, DRAWS + 1, CODES, code};
    static struct rhm_pair pair[DRAWS];
    static struct rhm_phi phi[DRAWS];
    static size_t first[DRAWS + 1];
    for (size_t k = 0; k < DRAWS; k++) {
        pair[k] = (struct rhm_pair){.a = 0, .b = k + 1};
        first[k + 1] = k + 1;
    }
    must(rhm_dependence(&codes, DRAWS, first, pair, phi, &err));
    double sum = 0, square = 0, said = 0;
    for (size_t k = 0; k < DRAWS; k++) {
        sum += phi[k].value;
        square += phi[k].value * phi[k].value;
        said += phi[k].variance;
    }
    print_message("mean %.2f standard errors, variance %.2f of what is said\n", sum / sqrt(square),
                  square / said);
    assert_true(fabs(sum) < 4 * sqrt(square)); /* p = 6e-5 */
    assert_true(square / said > 0.6 && square / said < 1.6);
}

/* ------------------------------------------------------------ trees */

static struct rhm_branching infer(struct shape shape, uint64_t seed, size_t n)
{
    struct rhm_grammar g = draw_grammar(shape, seed);
    struct rhm_dataset data;
    struct rhm_branching b;
    must(rhm_sample_dataset(&g, 7, n, &data, &err));
    must(rhm_branching_infer(&data, 0, &b, NULL, NULL, &err));
    rhm_dataset_clear(&data);
    rhm_grammar_clear(&g);
    return b;
}

static void test_trees(void **state)
{
    (void)state;
    const struct {
        struct shape shape;
        unsigned branch[4];
        enum rhm_branching_by by;
    } tried[] = {
        {{8, 4, 2, 3, 8}, {0, 2, 2, 2}, RHM_BRANCHING_BY_TOKENS},
        {{8, 4, 3, 2, 8}, {0, 3, 3}, RHM_BRANCHING_BY_TOKENS},
        {{8, 16, 3, 2, 8}, {0, 3, 3}, RHM_BRANCHING_BY_TOKENS},
        {{8, 2, 4, 2, 8}, {0, 4, 4}, RHM_BRANCHING_BY_TOKENS},
        {{8, 3, S_OF(2, 3, 2), 3, 8}, {0, 2, 3, 2}, RHM_BRANCHING_BY_TOKENS},
        {{8, 3, S_OF(4, 2, 0), 2, 8}, {0, 4, 2}, RHM_BRANCHING_BY_TOKENS},
        {{8, 3, S_OF(2, 4, 0), 2, 8}, {0, 2, 4}, RHM_BRANCHING_BY_TOKENS},
        {{8, 4, 4, 1, 8}, {0, 4}, RHM_BRANCHING_BY_TOKENS},
        {{8, 8, 2, 2, 8}, {0, 2, 2}, RHM_BRANCHING_BY_LABELS},
        {{8, 8, 2, 3, 8}, {0, 2, 2, 2}, RHM_BRANCHING_BY_LABELS},
    };
    for (size_t k = 0; k < COUNT(tried); k++)
        for (uint64_t seed = 1; seed <= 2; seed++) {
            struct rhm_branching b = infer(tried[k].shape, seed, 30000);
            if (b.L != tried[k].shape.L || b.established != b.L || b.confidence < RHM_BRANCHING_CONFIDENT)
                fail_msg("tree %zu, seed %d: L = %u, %u established, confidence %g", k, (int)seed, b.L,
                         b.established, b.confidence);
            for (unsigned l = 1; l <= b.L; l++)
                assert_int_equal(b.branch[l], tried[k].branch[l]);
            assert_int_equal(b.level[0].by, tried[k].by);
            rhm_branching_clear(&b);
        }
}

/* Lower levels with m V = V^s, which hardly show, under others with m V < V^s, whose dependence reaches
 * through them: blocks of several levels are not taken for one. */
static void test_blocks_of_several_levels(void **state)
{
    (void)state;
    const struct shape tried[] = {{8, 8, S_OF(2, 3, 2), 3, 8}, {8, 8, S_OF(2, 4, 2), 3, 8},
                                  {8, 8, S_OF(3, 2, 2), 3, 8}, {8, 8, S_OF(3, 2, 0), 2, 8},
                                  {5, 5, S_OF(2, 3, 2), 3, 5}, {5, 5, S_OF(3, 2, 2), 3, 5}};
    unsigned right[COUNT(tried)] = {0}, open = 0;
    for (size_t k = 0; k < COUNT(tried); k++)
        for (uint64_t seed = 1; seed <= 10; seed++) {
            struct rhm_branching b = infer(tried[k], seed, 30000);
            struct rhm_grammar_shape shape = wide_shape(tried[k]);
            int same = b.L == tried[k].L;
            for (unsigned l = 1; same && l <= b.L; l++)
                same = b.branch[l] == shape.branch[l];
            if (!same && b.L > 0 && b.established == b.L)
                fail_msg("tree %zu, seed %d: sure of a wrong tree, s_L = %u", k, (int)seed, b.branch[b.L]);
            right[k] += (unsigned)same;
            open += b.L == 0;
            rhm_branching_clear(&b);
        }
    print_message("right of 10: %u %u %u %u, V = 5: %u %u; %u open\n", right[0], right[1], right[2], right[3],
                  right[4], right[5], open);
    for (size_t k = 0; k < COUNT(tried); k++)
        assert_true(right[k] >= (tried[k].V == 8 ? 9 : 3));
}

/* Rules so many that only the lowest level shows: the rest is assumed, and said to be. */
static void test_assumed(void **state)
{
    (void)state;
    struct rhm_branching b = infer((struct shape){8, 48, 3, 3, 8}, 1, 20000);
    assert_true(b.L == 3 && b.established >= 1 && b.established < 3);
    assert_int_equal(b.level[b.established].by, RHM_BRANCHING_BY_ASSUMPTION);
    for (unsigned l = 1; l <= 3; l++)
        assert_int_equal(b.branch[l], 3);
    rhm_branching_clear(&b);
}

/* Tokens shuffled within each string, or from string to string at each place. */
static void shuffle(struct rhm_dataset *data, int within, uint64_t seed)
{
    struct rhm_rng rng = rhm_rng_start(seed, RHM_STREAM_TEST, 3);
    size_t n = data->n, d = data->d;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < d; j++) {
            size_t k = within ? i * d + rhm_rng_below(&rng, j + 1) : rhm_rng_below(&rng, i + 1) * d + j;
            uint16_t keep = data->tokens[i * d + j];
            data->tokens[i * d + j] = data->tokens[k];
            data->tokens[k] = keep;
        }
}

static void test_shuffled_tokens_have_no_tree(void **state)
{
    (void)state;
    const struct shape tried[] = {
        {8, 2, 2, 2, 8}, {8, 4, 2, 3, 8}, {8, 4, 3, 2, 8}, {8, 8, 2, 2, 8}, {8, 4, 2, 1, 8}};
    for (size_t k = 0; k < COUNT(tried); k++)
        for (int within = 0; within < 2; within++) {
            struct rhm_grammar g = draw_grammar(tried[k], k);
            struct rhm_dataset data;
            struct rhm_branching b;
            must(rhm_sample_dataset(&g, 7, 20000, &data, &err));
            shuffle(&data, within, k);
            must(rhm_branching_infer(&data, 0, &b, NULL, NULL, &err));
            assert_true(b.L == 0 && b.established == 0 && b.level[0].s == 0 && b.confidence == 0);
            rhm_branching_clear(&b);
            rhm_dataset_clear(&data);
            rhm_grammar_clear(&g);
        }
}

static enum rhm_status stop(void *context, struct rhm_error *error)
{
    return ++*(int *)context < 3 ? RHM_OK : rhm_fail(error, RHM_ESTOP, "stopped");
}

static void test_threads_missing_refusals(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){8, 4, S_OF(2, 3, 0), 2, 8}, 1);
    struct rhm_dataset data, holes;
    struct rhm_branching b[2];
    int threads = rhm_threads_get(), asked = 0;
    must(rhm_sample_dataset(&g, 7, 20000, &data, &err));
    for (int n = 1; n <= 2; n++) {
        must(rhm_threads_set(n, &err));
        must(rhm_branching_infer(&data, 5, &b[n - 1], NULL, NULL, &err));
    }
    must(rhm_threads_set(threads, &err));
    assert_int_equal(b[0].looked_at, b[1].looked_at);
    for (unsigned k = 0; k < b[0].looked_at; k++)
        for (size_t c = 0; c < b[0].level[k].candidates; c++)
            assert_memory_equal(&b[0].level[k].candidate[c].score, &b[1].level[k].candidate[c].score,
                                sizeof(double));
    rhm_branching_clear(&b[0]);
    rhm_branching_clear(&b[1]);
    must(rhm_dataset_hide(&data, 0.5, 0.2, 1, &holes, &err));
    must(rhm_branching_infer(&holes, 0, &b[0], NULL, NULL, &err));
    assert_true(b[0].L == 2 && b[0].branch[1] == 2 && b[0].branch[2] == 3 && b[0].established == 2);
    rhm_branching_clear(&b[0]);
    assert_int_equal(rhm_branching_infer(&data, 0, &b[0], stop, &asked, NULL), RHM_ESTOP);
    assert_null(b[0].level);
    data.n = 99;
    must_fail(rhm_branching_infer(&data, 0, &b[0], NULL, NULL, &err), RHM_EARG, "99 strings", "100");
    data.n = 6 * 20000;
    data.d = 1;
    must_fail(rhm_branching_infer(&data, 0, &b[0], NULL, NULL, &err), RHM_EARG, "1 token");
    rhm_dataset_clear(&data);
    rhm_dataset_clear(&holes);
    rhm_grammar_clear(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_phi_is_its_definition),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_the_null),
        cmocka_unit_test(test_trees),
        cmocka_unit_test(test_blocks_of_several_levels),
        cmocka_unit_test(test_assumed),
        cmocka_unit_test(test_shuffled_tokens_have_no_tree),
        cmocka_unit_test(test_threads_missing_refusals),
    };
    return cmocka_run_group_tests_name("branching", tests, NULL, NULL);
}
