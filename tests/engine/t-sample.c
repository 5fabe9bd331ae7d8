/* t-sample.c - strings and first subtrees: the same for any block and thread, and of the right law. */
#include "common.h"

#include "engine/base/memory.h"
#include "engine/base/threads.h"
#include "engine/grammar/sample.h"

#define CHECKS 300

/* m and classes powers of two and not; strings of one word and of hundreds. */
static const struct shape shapes[] = {{8, 4, 2, 3, 8},  {5, 3, 3, 3, 7},  {6, 5, 2, 4, 3}, {4, 1, 4, 2, 6},
                                      {16, 8, 2, 4, 5}, {8, 4, 2, 10, 8}, {3, 3, 3, 7, 3}, {7, 6, 2, 11, 8}};

static void test_strings_are_of_their_label(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(shapes); k++) {
        struct rhm_grammar g = draw_grammar(shapes[k], k);
        struct rhm_dataset data;
        must(rhm_sample_dataset(&g, 5, g.d > 500 ? 20 : 300, &data, &err));
        assert_true(data.V == g.V && data.classes == g.classes && data.d == g.d);
        size_t differ = 0;
        for (size_t i = 0; i < data.n; i++) {
            uint16_t label;
            must(rhm_grammar_parse(&g, data.tokens + i * g.d, &label, &err));
            assert_int_equal(label, data.labels[i]);
            differ += i > 0 && memcmp(data.tokens + i * g.d, data.tokens, g.d * sizeof(uint16_t)) != 0;
        }
        assert_true(differ > data.n / 2);
        rhm_dataset_clear(&data);
        rhm_grammar_clear(&g);
    }
}

/* -------------------------------------------------- blocks and threads */

typedef void draw_function(const struct rhm_grammar *g, unsigned l, uint64_t seed, uint64_t first, size_t n,
                           uint16_t *tokens, uint16_t *labels);

static void draw_whole(const struct rhm_grammar *g, unsigned l, uint64_t seed, uint64_t first, size_t n,
                       uint16_t *tokens, uint16_t *labels)
{
    (void)l;
    rhm_sample_strings(g, seed, first, n, tokens, labels);
}

/* Samples first .. first + n - 1 at once by one thread, against blocks by 1, 2 and 3 threads. */
static void check_blocks(const struct rhm_grammar *g, draw_function *draw, unsigned l, size_t width,
                         uint64_t first, size_t n)
{
    uint16_t *tokens = room(n * width, sizeof *tokens), *again = room(n * width, sizeof *again);
    uint16_t *labels = room(n, sizeof *labels), *labels_again = room(n, sizeof *labels);
    const size_t blocks[] = {n, 7, 64};
    must(rhm_threads_set(1, &err));
    draw(g, l, 11, first, n, tokens, labels);
    for (int threads = 1; threads <= 3; threads++) {
        must(rhm_threads_set(threads, &err));
        for (size_t b = 0; b < COUNT(blocks); b++) {
            memset(again, 0xff, n * width * sizeof *again);
            memset(labels_again, 0xff, n * sizeof *labels);
            for (size_t at = 0; at < n; at += blocks[b])
                draw(g, l, 11, first + at, n - at < blocks[b] ? n - at : blocks[b], again + at * width,
                     labels_again + at);
            assert_memory_equal(tokens, again, n * width * sizeof *tokens);
            assert_memory_equal(labels, labels_again, n * sizeof *labels);
        }
    }
    draw(g, l, 12, first, n, again, labels_again);
    assert_memory_not_equal(labels, labels_again, n * sizeof *labels);
    free(tokens);
    free(again);
    free(labels);
    free(labels_again);
}

static void test_blocks_and_threads(void **state)
{
    (void)state;
    int threads = rhm_threads_get();
    const uint64_t first[] = {0, 1000003, (UINT64_C(1) << 53) - 100};
    for (size_t k = 0; k < 2 * COUNT(shapes); k++) {
        struct rhm_grammar g = draw_grammar(shapes[k / 2], k / 2);
        size_t n = g.d > 500 ? 70 : 131;
        if (k % 2)
            free(weigh(&g, k));
        for (size_t f = 0; f < COUNT(first); f++) {
            check_blocks(&g, draw_whole, 1, (size_t)g.d, first[f], n);
            for (unsigned l = 1; l <= g.L; l += l == 1 ? 1 : g.L - 2 > 0 ? g.L - 2 : 1)
                check_blocks(&g, rhm_sample_subtrees, l, (size_t)rhm_grammar_span(&g, l), first[f], n);
        }
        rhm_grammar_clear(&g);
    }
    must(rhm_threads_set(threads, &err));
}

/* -------------------------------------------------------------- counts */

/* The rule (nu * m + k) of a level-L patch. */
static size_t rule_of(const struct rhm_grammar *g, const uint16_t *patch)
{
    size_t rules = (size_t)rhm_grammar_parents(g, g->L) * g->m;
    for (size_t r = 0; r < rules; r++)
        if (memcmp(g->rules + g->level[g->L] + r * g->branch[g->L], patch, g->branch[g->L] * sizeof *patch) ==
            0)
            return r;
    fail_msg("a patch of level L is no rule");
    return 0;
}

/* Shallow and so deep that the path to the first patch needs more than one word. */
static void test_counts_are_those_of_the_samples(void **state)
{
    (void)state;
    int threads = rhm_threads_get();
    const struct shape deep[] = {
        {8, 4, 2, 3, 8},   {5, 3, 3, 3, 7},  {6, 5, 2, 4, 3},  {4, 2, 2, 1, 4},
        {8, 4, 2, 60, 16}, {7, 6, 2, 45, 8}, {5, 3, 2, 40, 7}, {5, 4, S_OF(3, 2, 4), 3, 7}};
    for (size_t k = 0; k < 2 * COUNT(deep); k++) {
        struct rhm_grammar g = draw_grammar(deep[k / 2], k / 2);
        if (k % 2)
            free(weigh(&g, k));
        enum { N = 3001 };
        size_t cells = (size_t)rhm_grammar_parents(&g, g.L) * g.m * g.classes;
        uint64_t *wanted = room(cells, sizeof *wanted), *count = room(cells, sizeof *count);
        uint16_t *tokens = room((size_t)N * g.branch[g.L], sizeof *tokens), labels[N];
        uint64_t first = k / 2 % 2 ? 12345 : 0;
        rhm_sample_subtrees(&g, g.L, 6, first, N, tokens, labels);
        for (size_t i = 0; i < N; i++)
            wanted[rule_of(&g, tokens + i * g.branch[g.L]) * g.classes + labels[i]]++;
        for (int n = 1; n <= 3; n++) {
            must(rhm_threads_set(n, &err));
            memset(count, 0, cells * sizeof *count);
            must(rhm_sample_count(&g, 6, first, N, count, &err));
            assert_memory_equal(count, wanted, cells * sizeof *count);
            memset(count, 0, cells * sizeof *count);
            for (uint64_t at = 0; at < N; at += 171) /* adds to what is there */
                must(rhm_sample_count(&g, 6, first + at, N - at < 171 ? N - at : 171, count, &err));
            assert_memory_equal(count, wanted, cells * sizeof *count);
        }
        must(rhm_sample_count(&g, 6, first, 0, count, &err));
        assert_memory_equal(count, wanted, cells * sizeof *count);
        free(wanted);
        free(count);
        free(tokens);
        rhm_grammar_clear(&g);
    }
    must(rhm_threads_set(threads, &err));
}

/* Tables too large for a copy a thread are shared. */
static void test_counts_in_a_shared_table(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){300, 20, 2, 2, 300}, 1);
    size_t rules = 300 * 20, cells = rules * 300, right = 0;
    enum { N = 20000 };
    uint64_t *count = room(cells, sizeof *count);
    uint16_t *tokens = room((size_t)N * 2, sizeof *tokens), *labels = room(N, sizeof *labels);
    must(rhm_sample_count(&g, 6, 1, N, count, &err));
    rhm_sample_subtrees(&g, 2, 6, 1, N, tokens, labels);
    for (size_t i = 0; i < N; i++) {
        uint64_t *cell = &count[rule_of(&g, tokens + 2 * i) * 300 + labels[i]];
        right += *cell > 0;
        *cell -= *cell > 0;
    }
    assert_int_equal(right, N);
    for (size_t i = 0; i < cells; i++)
        assert_true(count[i] == 0);
    free(count);
    free(tokens);
    free(labels);
    rhm_grammar_clear(&g);
}

/* ----------------------------------------------------------------- law */

/* Of each node of the tree (in the order of levels): the parent symbol and the rule it was rewritten by. */
struct tree {
    unsigned parent[256], rule[256];
};

static size_t nodes_of(const struct rhm_grammar *g)
{
    size_t nodes = 0;
    for (unsigned l = 1; l <= g->L; l++)
        nodes += (size_t)rhm_grammar_places(g, l);
    return nodes;
}

static void read_tree(const struct rhm_grammar *g, const uint16_t *tokens, struct tree *tree)
{
    uint16_t symbol[512];
    memcpy(symbol, tokens, (size_t)g->d * sizeof *symbol);
    size_t width = (size_t)g->d, last = nodes_of(g);
    for (unsigned l = g->L; l >= 1; l--) {
        unsigned s = g->branch[l];
        width /= s;
        last -= width;
        for (size_t i = 0; i < width; i++) {
            size_t r = 0;
            while (memcmp(g->rules + g->level[l] + r * s, symbol + i * s, s * sizeof *symbol) != 0)
                r++;
            symbol[i] = (uint16_t)(r / g->m);
            tree->parent[last + i] = (unsigned)(r / g->m);
            tree->rule[last + i] = (unsigned)(r % g->m);
        }
    }
}

/* Rules have their probability (chance: of common.h, NULL: 1/m) whatever the parent, and where it is 1/m
 * whatever the rule drawn before; labels are uniform. */
static void check_law(const struct rhm_grammar *g, const double *chance)
{
    enum { N = 40000 };
    unsigned m = g->m, C = g->classes, V = g->V > C ? g->V : C;
    size_t nodes = nodes_of(g), pairs = (size_t)m * m;
    uint16_t *tokens = room((size_t)N * g->d, sizeof *tokens), *labels = room(N, sizeof *labels);
    double *given = room(nodes * V * m, sizeof *given), *pair = room(nodes * pairs, sizeof *pair);
    double *label = room(C, sizeof *label), *expected = room(pairs + C + m, sizeof *expected);
    rhm_sample_strings(g, 21, 1, N, tokens, labels);
    for (size_t i = 0; i < N; i++) {
        struct tree tree;
        read_tree(g, tokens + i * g->d, &tree);
        label[tree.parent[0]]++;
        for (size_t k = 0; k < nodes; k++) {
            given[(k * V + tree.parent[k]) * m + tree.rule[k]]++;
            pair[k * pairs + (k > 0 ? tree.rule[k - 1] : 0) * m + tree.rule[k]]++;
        }
    }
    for (unsigned c = 0; c < C; c++)
        expected[c] = (double)N / C;
    check_p(chi_square_p(C, expected, label), CHECKS, "labels, m = %u", m);
    for (size_t k = 0; k < nodes && m > 1; k++) {
        double x = 0;
        size_t df = 0;
        for (unsigned nu = 0; nu < V; nu++) {
            double n = 0;
            const double *seen = &given[(k * V + nu) * m];
            for (unsigned r = 0; r < m; r++)
                n += seen[r];
            unsigned l = 1; /* of node k */
            for (size_t before = 1, width = 1; k >= before; before += width) {
                width *= g->branch[l];
                l++;
            }
            double least = n / m;
            for (unsigned r = 0; r < m; r++) {
                expected[r] =
                    chance && nu < rhm_grammar_parents(g, l) ? n * chance[rule_number(g, l, nu, r)] : n / m;
                least = fmin(least, expected[r]);
            }
            if (least < 10)
                continue;
            for (unsigned r = 0; r < m; r++)
                x += pow(seen[r] - expected[r], 2) / expected[r];
            df += m - 1;
        }
        assert_true(df >= m - 1);
        check_p(chi_square_tail(x, df), CHECKS, "rules at node %zu, m = %u", k, m);
        for (size_t p = 0; p < pairs; p++)
            expected[p] = (double)N / (double)pairs;
        if (k > 0 && chance == NULL)
            check_p(chi_square_p(pairs, expected, pair + k * pairs), CHECKS, "rules at nodes %zu and %zu",
                    k - 1, k);
    }
    free(tokens);
    free(labels);
    free(given);
    free(pair);
    free(label);
    free(expected);
}

static void test_labels_and_rules_have_their_law(void **state)
{
    (void)state;
    const struct shape tried[] = {{8, 4, 2, 3, 8},
                                  {5, 3, 3, 3, 7},
                                  {7, 5, 2, 4, 6},
                                  {6, 6, 2, 4, 3},
                                  {6, 4, S_OF(3, 2, 0), 2, 5},
                                  {5, 3, S_OF(2, 3, 2), 3, 4}};
    for (size_t k = 0; k < COUNT(tried); k++) {
        struct rhm_grammar g = draw_grammar(tried[k], 30 + k);
        check_law(&g, NULL);
        double *chance = weigh(&g, k);
        check_law(&g, chance);
        free(chance);
        rhm_grammar_clear(&g);
    }
}

/* First subtrees, and the first tokens of whole strings, with their labels: one law. */
static void test_subtrees_are_those_of_strings(void **state)
{
    (void)state;
    const struct shape tried[] = {
        {4, 2, 2, 3, 3}, {3, 2, 3, 3, 4}, {3, 3, 2, 4, 2}, {3, 2, S_OF(2, 3, 2), 3, 3}};
    enum { N = 60000 };
    for (size_t k = 0; k < COUNT(tried); k++) {
        struct rhm_grammar g = draw_grammar(tried[k], 40 + k);
        if (k == 1)
            free(weigh(&g, 4));
        uint16_t *whole = room((size_t)N * g.d, sizeof *whole), *part = room((size_t)N * g.d, sizeof *part);
        uint16_t *whole_label = room(N, sizeof *whole_label), *part_label = room(N, sizeof *part_label);
        rhm_sample_strings(&g, 50, 0, N, whole, whole_label);
        for (unsigned l = 2; l <= g.L; l++) {
            size_t width = (size_t)rhm_grammar_span(&g, l);
            size_t cells = (size_t)rhm_power(g.V, (unsigned)width) * g.classes;
            double *a = room(cells, sizeof *a), *b = room(cells, sizeof *b);
            rhm_sample_subtrees(&g, l, 50, 0, N, part, part_label);
            for (size_t i = 0; i < N; i++) {
                size_t of_whole = 0, of_part = 0;
                for (size_t j = 0; j < width; j++) {
                    of_whole = of_whole * g.V + whole[i * g.d + j];
                    of_part = of_part * g.V + part[i * width + j];
                }
                a[of_whole * g.classes + whole_label[i]]++;
                b[of_part * g.classes + part_label[i]]++;
            }
            check_p(two_sample_p(cells, a, b), CHECKS, "subtrees of level %u", l);
            free(a);
            free(b);
        }
        free(whole);
        free(part);
        free(whole_label);
        free(part_label);
        rhm_grammar_clear(&g);
    }
    report_checks(CHECKS);
}

/* -------------------------------------------------------------- limits */

static void test_whole_strings_need_memory(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){8, 4, 2, 60, 8}, 1);
    struct rhm_dataset data = {0};
    must_fail(rhm_sample_dataset(&g, 1, 1, &data, &err), RHM_EMEMORY, "whole strings", "2.0 EiB", "budget");
    assert_null(data.tokens);
    uint16_t tokens[2 * 16], labels[2]; /* but its subtrees are short */
    rhm_sample_subtrees(&g, 57, 1, 0, 2, tokens, labels);
    rhm_grammar_clear(&g);
    g = draw_grammar((struct shape){8, 4, 2, 3, 8}, 1);
    must_fail(rhm_sample_dataset(&g, 1, (size_t)1 << 50, &data, &err), RHM_EMEMORY, "lower n");
    size_t budget = rhm_memory_budget();
    rhm_memory_set_budget(17999); /* 1000 strings of 8 tokens and a label take 18000 bytes */
    must_fail(rhm_sample_dataset(&g, 1, 1000, &data, &err), RHM_EMEMORY, "17.6 KiB");
    rhm_memory_set_budget(18000);
    must(rhm_sample_dataset(&g, 1, 1000, &data, &err));
    rhm_memory_set_budget(budget);
    rhm_dataset_clear(&data);
    rhm_grammar_clear(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings_are_of_their_label),
        cmocka_unit_test(test_blocks_and_threads),
        cmocka_unit_test(test_counts_are_those_of_the_samples),
        cmocka_unit_test(test_counts_in_a_shared_table),
        cmocka_unit_test(test_labels_and_rules_have_their_law),
        cmocka_unit_test(test_subtrees_are_those_of_strings),
        cmocka_unit_test(test_whole_strings_need_memory),
    };
    return cmocka_run_group_tests_name("sample", tests, NULL, NULL);
}
