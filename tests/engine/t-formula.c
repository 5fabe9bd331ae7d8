/* t-formula.c - trees of gates: tables and polynomials, exact signal against all inputs, strings. */
#include "common.h"

#include "engine/base/memory.h"
#include "engine/base/threads.h"
#include "engine/grammar/formula.h"

enum { CHECKS = 8 }; /* chi-square tests of this program */

static struct rhm_formula make(unsigned s, unsigned L, const uint64_t *gate, int balanced)
{
    struct rhm_formula f;
    must(rhm_formula_init(&f, s, L, gate, balanced, &err));
    return f;
}

static uint64_t named(const char *name, unsigned s)
{
    uint64_t table;
    assert_true(rhm_gate_parse(name, s, &table));
    return table;
}

/* Each gate drawn anew. */
static struct rhm_formula random_formula(unsigned s, unsigned L, enum rhm_gate_kind kind, uint64_t seed,
                                         int balanced)
{
    uint64_t gate[64];
    for (uint64_t i = 0; i < COUNT(gate); i++)
        gate[i] = rhm_gate_random(kind, s, seed, i);
    return make(s, L, gate, balanced);
}

/* ----------------------------------------------------------------- gates */

static void test_tables(void **state)
{
    (void)state;
    assert_int_equal(named("and", 2), 8);
    assert_int_equal(named("or", 2), 14);
    assert_int_equal(named("xor", 2), 6);
    assert_int_equal(named("nand", 2), 7);
    assert_int_equal(named("nor", 2), 1);
    assert_int_equal(named("xnor", 2), 9);
    assert_int_equal(named("first", 2), 12);
    assert_int_equal(named("0111", 2), 14);
    assert_int_equal(named("xor", 3), 0x96);
    assert_int_equal(named("and", 6), UINT64_C(1) << 63);
    assert_int_equal(named("nand", 6), UINT64_MAX >> 1);
    uint64_t table;
    assert_false(rhm_gate_parse("011", 2, &table));
    assert_false(rhm_gate_parse("0112", 2, &table));
    assert_false(rhm_gate_parse("And", 2, &table));
    char text[80];
    assert_string_equal(rhm_gate_write(14, 2, text), "or");
    assert_string_equal(rhm_gate_write(4, 2, text), "0010"); /* true on 10: the first input alone */
    for (uint64_t t = 0; t < 256; t++) {
        assert_true(rhm_gate_parse(rhm_gate_write(t, 3, text), 3, &table));
        assert_int_equal(table, t);
    }
}

/* The polynomial has the gate's values, and is AND's (x + y + xy - 1)/2 where the gate is AND. */
static void test_polynomials(void **state)
{
    (void)state;
    double c[8];
    rhm_gate_polynomial(8, 2, c);
    assert_true(c[0] == -0.5 && c[1] == 0.5 && c[2] == 0.5 && c[3] == 0.5);
    rhm_gate_polynomial(6, 2, c); /* true where they differ: -xy */
    assert_true(c[0] == 0 && c[1] == 0 && c[2] == 0 && c[3] == -1);
    rhm_gate_polynomial(12, 2, c);
    assert_true(c[0] == 0 && c[1] == 1 && c[2] == 0 && c[3] == 0);
    for (uint64_t table = 0; table < 256; table++) {
        rhm_gate_polynomial(table, 3, c);
        for (unsigned t = 0; t < 8; t++) {
            int x[3] = {t & 4 ? 1 : -1, t & 2 ? 1 : -1, t & 1 ? 1 : -1};
            double value = 0;
            for (unsigned set = 0; set < 8; set++)
                value += c[set] * (set & 1 ? x[0] : 1) * (set & 2 ? x[1] : 1) * (set & 4 ? x[2] : 1);
            assert_true(value == (table >> t & 1 ? 1 : -1));
        }
    }
}

/* Random gates: each table that depends on both inputs, as often as the others. */
static void test_random_gates(void **state)
{
    (void)state;
    enum { N = 20000 };
    double seen[2][16] = {{0}}, expected[2][16] = {{0}};
    for (uint64_t i = 0; i < N; i++) {
        seen[0][rhm_gate_random(RHM_GATE_ANY, 2, 1, i)]++;
        seen[1][rhm_gate_random(RHM_GATE_LITERALS, 2, 1, i)]++;
    }
    for (unsigned t = 0; t < 16; t++) {
        unsigned ones = (unsigned)__builtin_popcount(t);
        expected[1][t] = ones == 1 || ones == 3 ? N / 8.0 : 0;
        expected[0][t] = ones == 1 || ones == 3 || t == 6 || t == 9 ? N / 10.0 : 0;
    }
    for (int k = 0; k < 2; k++)
        check_p(chi_square_p(16, expected[k], seen[k]), CHECKS, "random gates of kind %d", k);
    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t table = rhm_gate_random(RHM_GATE_ANY, 3, 5, i);
        assert_true(table < 256 && rhm_gate_depends(table, 3, 0) && rhm_gate_depends(table, 3, 1) &&
                    rhm_gate_depends(table, 3, 2));
    }
    assert_int_equal(rhm_gate_random(RHM_GATE_ANY, 6, 5, 3), rhm_gate_random(RHM_GATE_ANY, 6, 5, 3));
    assert_int_not_equal(rhm_gate_random(RHM_GATE_ANY, 6, 5, 3), rhm_gate_random(RHM_GATE_ANY, 6, 6, 3));
}

/* --------------------------------------------------------- all the inputs */

/* Node i of level l of a string, the plainest way. */
static unsigned node(const struct rhm_formula *f, unsigned l, uint64_t i, const uint16_t *tokens)
{
    uint16_t value[256];
    uint64_t width = f->d;
    memcpy(value, tokens, width * sizeof *value);
    for (unsigned k = f->L; k > l; k--) {
        width /= f->s;
        for (uint64_t at = 0; at < width; at++) {
            unsigned t = 0;
            for (unsigned j = 0; j < f->s; j++)
                t = 2 * t + value[at * f->s + j];
            value[at] = rhm_formula_gate(f, k, at) >> t & 1;
        }
    }
    return value[i];
}

static void compare_signal(const struct rhm_formula *f)
{
    uint16_t tokens[16];
    double labels[2] = {0};
    for (uint32_t x = 0; x < 1u << f->d; x++) {
        for (unsigned j = 0; j < f->d; j++)
            tokens[j] = x >> j & 1;
        assert_int_equal(rhm_formula_value(f, tokens), node(f, 0, 0, tokens));
        labels[node(f, 0, 0, tokens)]++;
    }
    for (unsigned l = 0; l <= f->L; l++)
        for (uint64_t i = 0; i < rhm_power(f->s, l); i++) {
            double wanted[2][2] = {{0}}, joint[2][2], all = 0, ones = 0, right = 0, both = 0;
            for (uint32_t x = 0; x < 1u << f->d; x++) {
                for (unsigned j = 0; j < f->d; j++)
                    tokens[j] = x >> j & 1;
                unsigned v = node(f, l, i, tokens), c = node(f, 0, 0, tokens);
                double weight = f->balanced ? 0.5 / labels[c] : 1.0 / (1u << f->d);
                wanted[v][c] += weight;
                all += weight;
                ones += weight * v;
                right += weight * c;
                both += weight * v * c;
            }
            rhm_formula_joint(f, l, i, joint);
            for (int v = 0; v < 2; v++)
                for (int c = 0; c < 2; c++)
                    assert_true(fabs(joint[v][c] - wanted[v][c]) < 1e-14);
            assert_true(fabs(all - 1) < 1e-12);
            double scale = sqrt(ones * (1 - ones) * right * (1 - right)),
                   r = rhm_formula_correlation(f, l, i);
            if (scale > 1e-9)
                assert_true(fabs(r - (both - ones * right) / scale) < 1e-12);
            else
                assert_true(isnan(r));
            if (l == f->L)
                continue;
            struct rhm_matrix q;
            double p[2];
            must(rhm_formula_q(f, l + 1, i, &q, p, &err));
            for (int v = 0; v < 2; v++) {
                double sum = wanted[v][0] + wanted[v][1];
                assert_true(fabs(p[v] - sum) < 1e-14);
                for (int c = 0; c < 2; c++)
                    assert_true(sum > 0 ? fabs(q.v[2 * v + c] - wanted[v][c] / sum) < 1e-12
                                        : isnan(q.v[2 * v + c]));
            }
            double gap = hypot(q.v[0] - q.v[2], q.v[1] - q.v[3]);
            assert_true(isnan(gap) ? isinf(rhm_formula_gap(f, l + 1, i))
                                   : fabs(rhm_formula_gap(f, l + 1, i) - gap) < 1e-12);
            rhm_matrix_clear(&q);
        }
    assert_true(fabs(rhm_formula_label(f, 1) - (f->balanced ? 0.5 : labels[1] / (labels[0] + labels[1]))) <
                1e-14);
}

static void test_signal_is_that_of_all_inputs(void **state)
{
    (void)state;
    for (int balanced = 0; balanced < 2; balanced++) {
        for (uint64_t seed = 0; seed < 20; seed++) {
            const unsigned sizes[][2] = {{2, 1}, {2, 2}, {2, 3}, {3, 2}};
            struct rhm_formula f =
                random_formula(sizes[seed % 4][0], sizes[seed % 4][1],
                               seed % 2 ? RHM_GATE_ANY : RHM_GATE_LITERALS, seed, balanced);
            compare_signal(&f);
            rhm_formula_clear(&f);
        }
    }
    uint64_t constant[3] = {15, 6, 8}; /* true whatever comes */
    struct rhm_formula f = make(2, 2, constant, 0);
    compare_signal(&f);
    rhm_formula_clear(&f);
}

/* Parity: nothing below the label tells of it. AND: P = 2^-d, each part a little. */
static void test_known_trees(void **state)
{
    (void)state;
    uint64_t gate[63];
    for (size_t i = 0; i < COUNT(gate); i++)
        gate[i] = 6;
    struct rhm_formula f = make(2, 6, gate, 0);
    for (unsigned l = 1; l <= 6; l++)
        assert_true(rhm_formula_correlation(&f, l, 0) == 0);
    for (unsigned l = 2; l <= 6; l++)
        assert_true(rhm_formula_gap(&f, l, 0) == 0);
    assert_true(rhm_formula_gap(&f, 1, 0) == sqrt(2) && rhm_formula_correlation(&f, 0, 0) == 1);
    assert_true(rhm_formula_shared(&f, 6));
    rhm_formula_clear(&f);
    for (size_t i = 0; i < COUNT(gate); i++)
        gate[i] = 8;
    f = make(2, 6, gate, 0);
    assert_true(rhm_formula_label(&f, 1) == 0x1p-64 && rhm_formula_label(&f, 0) == 1);
    rhm_formula_clear(&f);
    f = make(2, 6, gate, 1);
    double joint[2][2];
    rhm_formula_joint(&f, 6, 63, joint); /* given the label true all inputs are */
    assert_true(rhm_formula_label(&f, 1) == 0.5 && joint[0][1] == 0 && fabs(joint[1][1] - 0.5) < 1e-15);
    rhm_formula_clear(&f);
}

/* --------------------------------------------------------------- strings */

static double string_p(const struct rhm_formula *f, uint64_t seed)
{
    enum { N = 40000 };
    struct rhm_dataset data;
    size_t all = (size_t)1 << f->d;
    double *expected = room(all, sizeof *expected), *seen = room(all, sizeof *seen), labels[2] = {0};
    must(rhm_formula_dataset(f, seed, N, &data, NULL, NULL, &err));
    assert_true(data.V == 2 && data.classes == 2 && data.d == f->d);
    for (size_t i = 0; i < N; i++) {
        size_t x = 0;
        for (size_t j = 0; j < f->d; j++)
            x = 2 * x + data.tokens[i * f->d + j];
        seen[x]++;
        assert_int_equal(data.labels[i], rhm_formula_value(f, data.tokens + i * f->d));
    }
    uint16_t tokens[16];
    for (int pass = 0; pass < 2; pass++)
        for (size_t x = 0; x < all; x++) {
            for (size_t j = 0; j < f->d; j++)
                tokens[j] = x >> (f->d - 1 - j) & 1;
            unsigned c = node(f, 0, 0, tokens);
            if (pass == 0)
                labels[c]++;
            else
                expected[x] = N * (f->balanced ? 0.5 / labels[c] : 1 / (double)all);
        }
    double p = chi_square_p(all, expected, seen);
    rhm_dataset_clear(&data);
    free(expected);
    free(seen);
    return p;
}

static void test_strings_have_their_law(void **state)
{
    (void)state;
    uint64_t gate[7] = {8, 14, 8, 6, 8, 14, 2};
    struct rhm_formula f = make(2, 3, gate, 0);
    check_p(string_p(&f, 3), CHECKS, "inputs");
    rhm_formula_clear(&f);
    f = make(2, 3, gate, 1);
    check_p(string_p(&f, 3), CHECKS, "balanced inputs");
    rhm_formula_clear(&f);
    f = random_formula(3, 2, RHM_GATE_LITERALS, 2, 1);
    check_p(string_p(&f, 4), CHECKS, "balanced inputs of threes");
    rhm_formula_clear(&f);
}

/* String i is the same in any block and by any number of threads, also past 64 inputs. */
static void test_strings_are_their_number(void **state)
{
    (void)state;
    enum { N = 300, D = 128 };
    static uint16_t tokens[N][D], labels[N], again[D], label;
    for (int balanced = 0; balanced < 2; balanced++) {
        static uint64_t gate[127];
        for (size_t i = 0; i < COUNT(gate); i++)
            gate[i] = i % 3 ? 14 : 8;
        struct rhm_formula f = make(2, 7, gate, balanced);
        must(rhm_threads_set(1, &err));
        rhm_formula_strings(&f, 9, 5, N, tokens[0], labels);
        must(rhm_threads_set(3, &err));
        for (size_t i = 0; i < N; i++) {
            rhm_formula_strings(&f, 9, 5 + i, 1, again, &label);
            assert_memory_equal(again, tokens[i], sizeof again);
            assert_int_equal(label, labels[i]);
        }
        static uint16_t threaded[N][D];
        rhm_formula_strings(&f, 9, 5, N, threaded[0], labels);
        assert_memory_equal(threaded, tokens, sizeof tokens);
        assert_memory_not_equal(tokens[0], tokens[1], sizeof again);
        rhm_formula_clear(&f);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    struct rhm_formula f;
    struct rhm_dataset data;
    uint64_t gate[3] = {15, 6, 6};
    must_fail(rhm_formula_init(&f, 2, 2, gate, 1, &err), RHM_EARG, "balanced", "true for all");
    must_fail(rhm_formula_check(7, 2, &err), RHM_EARG, "s = 7", "2 to 6");
    must_fail(rhm_formula_check(1, 2, &err), RHM_EARG, "s = 1");
    must_fail(rhm_formula_check(2, 0, &err), RHM_EARG, "L = 0");
    must_fail(rhm_formula_check(2, 62, &err), RHM_EMEMORY, "L = 62", "budget");
    gate[0] = 8;
    f = make(2, 2, gate, 0);
    must_fail(rhm_formula_dataset(&f, 1, (size_t)1 << 45, &data, NULL, NULL, &err), RHM_EMEMORY, "strings");
    rhm_formula_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_polynomials),
        cmocka_unit_test(test_random_gates),
        cmocka_unit_test(test_signal_is_that_of_all_inputs),
        cmocka_unit_test(test_known_trees),
        cmocka_unit_test(test_strings_have_their_law),
        cmocka_unit_test(test_strings_are_their_number),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests_name("formula", tests, NULL, NULL);
}
