/* t-tree.c - inside and outside against enumeration and against a naive recursion. */
#include "common.h"

#include "engine/base/threads.h"
#include "engine/grammar/sample.h"
#include "engine/tree/tree.h"

/* ------------------------------------------------------------ by enumeration: every assignment of every node
 */

struct brute {
    const struct rhm_tree *tree;
    const uint16_t *tokens;
    uint16_t label;
    size_t first[8], all; /* where the nodes of a level stand in symbol */
    uint16_t symbol[64];
    double total, *posterior[8], *rule[8];
};

static double tuple_p(const struct rhm_tree_table *t, size_t parent, const uint16_t *child, size_t *index)
{
    if (!t->sparse) {
        size_t number = 0;
        for (unsigned j = 0; j < t->s; j++)
            number = number * t->symbols + child[j];
        *index = number * t->parents + parent;
        return t->p[*index];
    }
    for (size_t r = 0; r < t->rows; r++)
        if (t->parent[r] == parent && memcmp(t->child + r * t->s, child, t->s * sizeof *child) == 0) {
            *index = r;
            return t->p[r];
        }
    return 0;
}

static void weigh_assignment(struct brute *b)
{
    const struct rhm_tree *tree = b->tree;
    size_t used[64], V = tree->symbols[tree->L], n = 0;
    double p = tree->prior[b->symbol[0]];
    if (b->label != RHM_MISSING && b->label != b->symbol[0])
        return;
    for (unsigned l = 1; l <= tree->L && p > 0; l++)
        for (size_t i = 0; i < tree->nodes[l - 1] && p > 0; i++, n++)
            p *= tuple_p(&tree->table[l], b->symbol[b->first[l - 1] + i],
                         b->symbol + b->first[l] + i * tree->table[l].s, &used[n]);
    for (size_t i = 0; i < tree->nodes[tree->L]; i++) {
        uint16_t token = i < tree->d ? b->tokens[i] : RHM_MISSING, symbol = b->symbol[b->first[tree->L] + i];
        if (token != RHM_MISSING)
            p *= tree->emission ? tree->emission[token * V + symbol] : token == symbol;
    }
    if (p == 0)
        return;
    b->total += p;
    n = 0;
    for (unsigned l = 0; l <= tree->L; l++)
        for (size_t i = 0; i < tree->nodes[l]; i++) {
            b->posterior[l][i * tree->symbols[l] + b->symbol[b->first[l] + i]] += p;
            if (l < tree->L && i < rhm_tree_in_sight(tree, l))
                b->rule[l + 1][used[n]] += p;
            n += l < tree->L;
        }
}

static void enumerate(struct brute *b, size_t at)
{
    if (at == b->all) {
        weigh_assignment(b);
        return;
    }
    unsigned l = b->tree->L;
    while (b->first[l] > at)
        l--;
    uint16_t low = 0, high = (uint16_t)(b->tree->symbols[l] - 1);
    if (l == b->tree->L && b->tree->emission == NULL && at - b->first[l] < b->tree->d &&
        b->tokens[at - b->first[l]] != RHM_MISSING)
        low = high = b->tokens[at - b->first[l]];
    for (uint16_t v = low; v <= high; v++) {
        b->symbol[at] = v;
        enumerate(b, at + 1);
    }
}

static void close_to(double a, double b, double scale, const char *name)
{
    if (!(fabs(a - b) <= 1e-12 * (scale + fabs(b))))
        fail_msg("%s: %.17g, by enumeration %.17g", name, a, b);
}

/* All that the passes give of a few strings, against the enumeration. */
static void compare(const struct rhm_tree *tree, size_t n, const uint16_t *tokens, const uint16_t *labels)
{
    struct brute b = {.tree = tree};
    struct rhm_tree_counts counts;
    double *rule[8] = {0}, *out[8], log_joint = 0, *log_p = room(n, sizeof *log_p);
    must(rhm_tree_counts_init(&counts, tree, &err));
    for (unsigned l = 0; l <= tree->L; l++) {
        b.first[l] = b.all;
        b.all += tree->nodes[l];
        b.posterior[l] = room(tree->nodes[l] * tree->symbols[l], sizeof(double));
        out[l] = room(n * tree->nodes[l] * tree->symbols[l], sizeof(double));
        must(rhm_tree_posterior(tree, n, tokens, labels, l, out[l], log_p, NULL, NULL, &err));
        if (l > 0) {
            rule[l] = room(rhm_tree_size(tree, l), sizeof(double));
            b.rule[l] = room(rhm_tree_size(tree, l), sizeof(double));
        }
    }
    must(rhm_tree_expect(tree, n, tokens, labels, 1, &counts, NULL, NULL, &err));
    size_t d = tree->d, outside = 0;
    for (size_t i = 0; i < n; i++) {
        b.tokens = tokens + i * d;
        b.label = labels ? labels[i] : RHM_MISSING;
        b.total = 0;
        for (unsigned l = 0; l <= tree->L; l++) {
            memset(b.posterior[l], 0, tree->nodes[l] * tree->symbols[l] * sizeof(double));
            if (l > 0)
                memset(b.rule[l], 0, rhm_tree_size(tree, l) * sizeof(double));
        }
        enumerate(&b, 0);
        if (b.total == 0) {
            outside++;
            assert_true(log_p[i] == -INFINITY && isnan(out[0][i * tree->symbols[0]]));
            continue;
        }
        close_to(log_p[i], log(b.total), 1, "log P");
        log_joint += log(b.total);
        for (unsigned l = 0; l <= tree->L; l++) {
            size_t row = tree->nodes[l] * tree->symbols[l];
            for (size_t k = 0; k < row; k++)
                close_to(out[l][i * row + k], b.posterior[l][k] / b.total, 1, "a posterior");
            for (size_t r = 0; l > 0 && r < rhm_tree_size(tree, l); r++)
                rule[l][r] += b.rule[l][r] / b.total;
        }
    }
    close_to(counts.log_joint, log_joint, (double)n, "the likelihood");
    assert_int_equal(counts.outside, outside);
    for (unsigned l = 1; l <= tree->L; l++)
        for (size_t r = 0; r < rhm_tree_size(tree, l); r++)
            close_to(counts.rule[l][r], rule[l][r], (double)n, "the uses of a rule");
    for (unsigned l = 0; l <= tree->L; l++) {
        free(b.posterior[l]);
        free(out[l]);
        free(rule[l]);
        free(b.rule[l]);
    }
    free(log_p);
    rhm_tree_counts_clear(&counts);
}

/* Random numbers in dense tables, some of them 0. */
static void fill(struct rhm_tree *tree, uint64_t seed)
{
    struct rhm_rng rng = rhm_rng_start(seed, RHM_STREAM_TEST, 0);
    for (unsigned l = 1; l <= tree->L; l++) {
        struct rhm_tree_table *t = &tree->table[l];
        for (size_t p = 0; p < t->parents; p++) {
            double sum = 0;
            for (size_t r = 0; r < t->rows; r++) {
                double u = rhm_rng_uniform(&rng);
                sum += t->p[r * t->parents + p] = u < 0.2 ? 0 : u * u;
            }
            for (size_t r = 0; r < t->rows; r++)
                t->p[r * t->parents + p] /= sum;
        }
    }
    double sum = 0;
    for (size_t c = 0; c < tree->symbols[0]; c++)
        sum += tree->prior[c] = 0.1 + rhm_rng_uniform(&rng);
    for (size_t c = 0; c < tree->symbols[0]; c++)
        tree->prior[c] /= sum;
}

static void draw_tokens(const struct rhm_tree *tree, size_t n, double missing, uint64_t seed,
                        uint16_t *tokens, uint16_t *labels)
{
    struct rhm_rng rng = rhm_rng_start(seed, RHM_STREAM_TEST, 1);
    size_t d = tree->nodes[tree->L];
    for (size_t i = 0; i < n * d; i++) {
        uint16_t token = (uint16_t)rhm_rng_below(&rng, tree->symbols[tree->L]);
        tokens[i] = rhm_rng_uniform(&rng) < missing ? RHM_MISSING : token;
    }
    for (size_t i = 0; i < n; i++)
        labels[i] = i % 3 == 0 ? RHM_MISSING : (uint16_t)rhm_rng_below(&rng, tree->symbols[0]);
}

static void test_dense(void **state)
{
    (void)state;
    static const struct {
        unsigned V, classes, L, s[4];
        double missing;
    } cases[] = {{3, 2, 2, {0, 2, 2}, 0},   {3, 4, 2, {0, 2, 2}, 0.3},    {2, 3, 2, {0, 2, 3}, 0.2},
                 {2, 2, 2, {0, 3, 2}, 0.2}, {2, 2, 3, {0, 2, 2, 2}, 0.2}, {4, 3, 1, {0, 3}, 0.4}};
    for (size_t k = 0; k < COUNT(cases); k++) {
        struct rhm_tree tree;
        must(rhm_tree_init(&tree, cases[k].L, cases[k].s, cases[k].V, cases[k].classes, &err));
        fill(&tree, k);
        uint16_t tokens[40 * 8], labels[40];
        draw_tokens(&tree, 40, cases[k].missing, k, tokens, labels);
        compare(&tree, 40, tokens, labels);
        compare(&tree, 40, tokens, NULL);
        for (tree.d = 1; tree.d < tree.nodes[tree.L]; tree.d++) { /* strings shorter than the tree is wide */
            compare(&tree, 8, tokens, labels);
            compare(&tree, 8, tokens, NULL);
        }
        rhm_tree_clear(&tree);
    }
}

/* A grammar with unequal rules and labels, with and without noise; random strings, of which most are not of
 * its language. */
static void test_grammar(void **state)
{
    (void)state;
    static const struct shape shapes[] = {{3, 2, 2, 2, 2}, {3, 2, 2, 2, 3}, {2, 2, 3, 1, 3}, {2, 1, 2, 3, 2}};
    for (size_t k = 0; k < COUNT(shapes); k++) {
        struct rhm_grammar g = draw_grammar(shapes[k], k);
        free(weigh(&g, k));
        double prior[] = {1, 2, 3};
        must(rhm_grammar_set_prior(&g, prior, &err));
        for (int noisy = 0; noisy < 2; noisy++) {
            must(rhm_grammar_set_noise(&g, 0, noisy ? 0.1 : 0, &err));
            struct rhm_tree tree;
            must(rhm_tree_from_grammar(&tree, &g, &err));
            uint16_t tokens[20 * 8], labels[20];
            draw_tokens(&tree, 20, 0.3, k, tokens, labels);
            compare(&tree, 20, tokens, labels);
            compare(&tree, 20, tokens, NULL);
            for (tree.d = 1; tree.d < tree.nodes[tree.L]; tree.d++)
                compare(&tree, 4, tokens, labels);
            rhm_tree_clear(&tree);
        }
        rhm_grammar_clear(&g);
    }
    struct rhm_grammar g; /* a branching factor for each level */
    struct rhm_grammar_shape uneven = {.V = 3, .m = 2, .L = 2, .classes = 2, .branch = {0, 3, 2}};
    must(rhm_grammar_draw(&g, &uneven, 1, &err));
    struct rhm_tree tree;
    must(rhm_tree_from_grammar(&tree, &g, &err));
    uint16_t tokens[20 * 6], labels[20];
    draw_tokens(&tree, 20, 0.5, 1, tokens, labels);
    compare(&tree, 20, tokens, labels);
    rhm_tree_clear(&tree);
    rhm_grammar_clear(&g);
}

/* The same grammar as rules and as a dense table: the same answers, on strings too long to enumerate. */
static void test_sparse_is_dense(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){5, 3, 2, 4, 4}, 3);
    const unsigned s[] = {0, 2, 2, 2, 2};
    struct rhm_tree sparse, dense;
    must(rhm_tree_from_grammar(&sparse, &g, &err));
    must(rhm_tree_init(&dense, 4, s, 5, 4, &err));
    for (unsigned l = 1; l <= 4; l++)
        for (size_t r = 0; r < sparse.table[l].rows; r++) {
            const uint16_t *child = sparse.table[l].child + 2 * r;
            dense.table[l]
                .p[(child[0] * 5u + child[1]) * dense.table[l].parents + sparse.table[l].parent[r]] =
                sparse.table[l].p[r];
        }
    struct rhm_dataset data, holes;
    must(rhm_sample_dataset(&g, 1, 500, &data, &err));
    must(rhm_dataset_hide(&data, 0.3, 0.3, 1, &holes, &err));
    for (unsigned l = 0; l <= 4; l++) {
        size_t size = 500 * sparse.nodes[l] * sparse.symbols[l];
        double *a = room(size, sizeof *a), *b = room(size, sizeof *b), log_a[500], log_b[500];
        must(rhm_tree_posterior(&sparse, 500, holes.tokens, holes.labels, l, a, log_a, NULL, NULL, &err));
        must(rhm_tree_posterior(&dense, 500, holes.tokens, holes.labels, l, b, log_b, NULL, NULL, &err));
        for (size_t i = 0; i < size; i++)
            assert_true(fabs(a[i] - b[i]) < 1e-12);
        for (size_t i = 0; i < 500; i++)
            assert_true(fabs(log_a[i] - log_b[i]) < 1e-11 * fabs(log_b[i]));
        free(a);
        free(b);
    }
    rhm_dataset_clear(&data);
    rhm_dataset_clear(&holes);
    rhm_tree_clear(&sparse);
    rhm_tree_clear(&dense);
    rhm_grammar_clear(&g);
}

/* d = 1024: log P is the sum of the logarithms of the rules used, as each string has one derivation. */
static void test_long_strings(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){8, 4, 2, 10, 8}, 5);
    struct rhm_tree tree;
    must(rhm_tree_from_grammar(&tree, &g, &err));
    struct rhm_dataset data;
    must(rhm_sample_dataset(&g, 1, 20, &data, &err));
    double log_p[20], label[20 * 8];
    must(rhm_tree_posterior(&tree, 20, data.tokens, NULL, 0, label, log_p, NULL, NULL, &err));
    for (size_t i = 0; i < 20; i++) {
        assert_true(fabs(log_p[i] - (-1023 * log(4) - log(8))) < 1e-9);
        assert_true(label[i * 8 + data.labels[i]] == 1);
    }
    rhm_dataset_clear(&data);
    rhm_tree_clear(&tree);
    rhm_grammar_clear(&g);
}

static void test_threads(void **state)
{
    (void)state;
    const unsigned s[] = {0, 2, 2, 2};
    struct rhm_tree tree;
    struct rhm_tree_counts one, four;
    must(rhm_tree_init(&tree, 3, s, 6, 5, &err));
    fill(&tree, 7);
    enum { n = 20000 };
    uint16_t *tokens = room(n * 8, sizeof *tokens), *labels = room(n, sizeof *labels);
    draw_tokens(&tree, n, 0.1, 9, tokens, labels);
    must(rhm_tree_counts_init(&one, &tree, &err));
    must(rhm_tree_counts_init(&four, &tree, &err));
    int before = rhm_threads_get();
    must(rhm_threads_set(1, &err));
    must(rhm_tree_expect(&tree, n, tokens, labels, 1, &one, NULL, NULL, &err));
    must(rhm_threads_set(4, &err));
    must(rhm_tree_expect(&tree, n, tokens, labels, 1, &four, NULL, NULL, &err));
    must(rhm_threads_set(before, &err));
    assert_memory_equal(&one.log_joint, &four.log_joint, sizeof one.log_joint);
    assert_memory_equal(&one.log_label, &four.log_label, sizeof one.log_label);
    for (unsigned l = 1; l <= 3; l++)
        assert_memory_equal(one.rule[l], four.rule[l], rhm_tree_size(&tree, l) * sizeof(double));
    rhm_tree_counts_clear(&one);
    rhm_tree_counts_clear(&four);
    rhm_tree_clear(&tree);
    free(tokens);
    free(labels);
}

static void test_refusals(void **state)
{
    (void)state;
    const unsigned s[] = {0, 6, 6};
    struct rhm_tree tree;
    must_fail(rhm_tree_init(&tree, 2, s, 1000, 8, &err), RHM_EMEMORY, "1000^6", "level 1", "budget");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dense),           cmocka_unit_test(test_grammar),
        cmocka_unit_test(test_sparse_is_dense), cmocka_unit_test(test_long_strings),
        cmocka_unit_test(test_threads),         cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
