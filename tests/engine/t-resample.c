/* t-resample.c - parts of strings drawn anew: what stays, what changes, by which law; outputs of layers. */
#include "common.h"

#include "engine/base/threads.h"
#include "engine/chain/parse.h"
#include "engine/grammar/resample.h"
#include "engine/grammar/sample.h"

#define CHECKS 300

/* symbols[l]: the symbols of level l that derive the tokens, from the rules alone. */
static void parse(const struct rhm_grammar *g, const uint16_t *tokens, uint16_t symbols[][256])
{
    memcpy(symbols[g->L], tokens, (size_t)g->d * sizeof *tokens);
    size_t width = (size_t)g->d;
    for (unsigned l = g->L; l >= 1; l--) {
        unsigned s = g->branch[l];
        width /= s;
        for (size_t i = 0; i < width; i++) {
            size_t r = 0, rules = (size_t)rhm_grammar_parents(g, l) * g->m;
            while (r < rules &&
                   memcmp(g->rules + g->level[l] + r * s, symbols[l] + i * s, s * sizeof(uint16_t)) != 0)
                r++;
            assert_true(r < rules);
            symbols[l - 1][i] = (uint16_t)(r / g->m);
        }
    }
}

enum { N = 4000 };

/* Symbols above and beside the place stay, the label too; below it each rule has its probability. */
static void check_rules(const struct rhm_grammar *g, const double *chance, unsigned l, uint64_t place)
{
    static uint16_t before[8][256], after[8][256];
    size_t d = (size_t)g->d;
    uint16_t *tokens = room(N * d, sizeof *tokens), *old = room(N * d, sizeof *old), labels[N], kept[N];
    size_t cells = (size_t)g->V * g->m + (size_t)g->classes * g->m;
    double *seen = room(cells, sizeof *seen), *expected = room(cells, sizeof *expected);
    rhm_sample_strings(g, 3, 0, N, old, labels);
    memcpy(tokens, old, N * d * sizeof *old);
    memcpy(kept, labels, sizeof kept);
    must(rhm_resample(g, l, place, RHM_RESAMPLE_RULES, 9, 0, N, tokens, labels, NULL, NULL, &err));
    assert_memory_equal(labels, kept, sizeof kept);
    for (size_t k = 0; k < N; k++) {
        parse(g, old + k * d, before);
        parse(g, tokens + k * d, after);
        size_t width = 1;
        for (unsigned at = 0; at <= g->L; width *= at < g->L ? g->branch[at + 1] : 1, at++)
            for (size_t i = 0; i < width; i++) {
                size_t under = width / (size_t)rhm_grammar_places(g, l); /* symbols under one place */
                int below = at >= l && (place == RHM_EVERY_PLACE || i / under == place);
                if (!below)
                    assert_int_equal(before[at][i], after[at][i]);
            }
        /* the rule at the place, and one at the bottom below it */
        size_t first = place == RHM_EVERY_PLACE ? 0 : place;
        unsigned nu = after[l - 1][first], rule = 0;
        while (memcmp(rhm_grammar_rule(g, l, nu, rule), after[l] + first * g->branch[l],
                      g->branch[l] * sizeof(uint16_t)) != 0)
            rule++;
        seen[nu * g->m + rule]++;
        for (unsigned r = 0; r < g->m; r++)
            expected[nu * g->m + r] += chance ? chance[rule_number(g, l, nu, r)] : 1.0 / g->m;
    }
    check_p(chi_square_p(cells, expected, seen), CHECKS, "rules of level %u drawn anew", l);
    free(tokens);
    free(old);
    free(seen);
    free(expected);
}

static const struct shape shapes[] = {{6, 4, 2, 3, 5},
                                      {4, 3, 3, 3, 4},
                                      {3, 2, 2, 4, 4},
                                      {8, 4, 2, 1, 8},
                                      {6, 4, S_OF(3, 2, 0), 2, 5},
                                      {4, 3, S_OF(2, 3, 2), 3, 4}};

static void test_rules_drawn_anew(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2 * COUNT(shapes); k++) {
        struct rhm_grammar g = draw_grammar(shapes[k / 2], k / 2);
        double *chance = k % 2 ? weigh(&g, k) : NULL;
        for (unsigned l = 1; l <= g.L; l++) {
            check_rules(&g, chance, l, RHM_EVERY_PLACE);
            check_rules(&g, chance, l, 0);
            check_rules(&g, chance, l, rhm_grammar_places(&g, l) - 1);
        }
        free(chance);
        rhm_grammar_clear(&g);
    }
}

/* Exchanged strings, over all strings of one label, are as those of the grammar: all equally likely. */
static void test_the_law_of_whole_strings(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){3, 2, 2, 2, 2}, 4);
    enum { MANY = 20000 };
    static uint16_t tokens[MANY * 4], labels[MANY], fresh[MANY * 4], fresh_labels[MANY];
    for (unsigned l = 1; l <= 2; l++) {
        rhm_sample_strings(&g, 5, 0, MANY, tokens, labels);
        rhm_sample_strings(&g, 6, 0, MANY, fresh, fresh_labels);
        must(rhm_resample(&g, l, RHM_EVERY_PLACE, RHM_RESAMPLE_RULES, 2, 0, MANY, tokens, labels, NULL, NULL,
                          &err));
        double a[162] = {0}, b[162] = {0};
        for (size_t k = 0; k < MANY; k++) {
            size_t x = labels[k], y = fresh_labels[k];
            for (size_t j = 0; j < 4; j++) {
                x = x * 3 + tokens[k * 4 + j];
                y = y * 3 + fresh[k * 4 + j];
            }
            a[x]++;
            b[y]++;
        }
        check_p(two_sample_p(162, a, b), CHECKS, "whole strings, level %u", l);
    }
    rhm_grammar_clear(&g);
}

static void test_symbols_drawn_anew(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(shapes); k++) {
        struct rhm_grammar g = draw_grammar(shapes[k], k);
        size_t d = (size_t)g.d;
        uint16_t *old = room(N * d, sizeof *old), *tokens = room(N * d, sizeof *tokens), labels[N], kept[N];
        for (unsigned l = 1; l <= g.L; l++) {
            size_t places = (size_t)rhm_grammar_places(&g, l), width = d / places, place = places - 1;
            unsigned parents = rhm_grammar_parents(&g, l);
            double seen[16] = {0}, expected[16];
            rhm_sample_strings(&g, 3, 0, N, old, kept);
            memcpy(tokens, old, N * d * sizeof *old);
            memcpy(labels, kept, sizeof kept);
            must(rhm_resample(&g, l, place, RHM_RESAMPLE_SYMBOL, 1, 0, N, tokens, labels, NULL, NULL, &err));
            for (size_t i = 0; i < N; i++) {
                assert_memory_equal(tokens + i * d, old + i * d, place * width * sizeof *old);
                uint16_t symbol[256], label = 0; /* the symbol above, level by level */
                memcpy(symbol, tokens + i * d + place * width, width * sizeof *symbol);
                size_t many = width;
                for (unsigned at = g.L; at >= l; at--) {
                    many /= g.branch[at];
                    for (size_t j = 0; j < many; j++) {
                        size_t r = 0;
                        while (memcmp(g.rules + g.level[at] + r * g.branch[at], symbol + j * g.branch[at],
                                      g.branch[at] * sizeof *symbol) != 0)
                            r++;
                        symbol[j] = (uint16_t)(r / g.m);
                    }
                }
                seen[symbol[0]]++;
                label = l == 1 ? symbol[0] : kept[i];
                assert_int_equal(labels[i], label);
            }
            for (unsigned nu = 0; nu < parents; nu++)
                expected[nu] = (double)N / parents;
            check_p(chi_square_p(parents, expected, seen), CHECKS, "symbols of level %u drawn anew", l - 1);
        }
        free(old);
        free(tokens);
        rhm_grammar_clear(&g);
    }
    report_checks(CHECKS);
}

static void test_blocks_threads_and_seeds(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){6, 4, 2, 3, 5}, 1);
    static uint16_t tokens[N * 8], whole[N * 8], parts[N * 8], labels[N];
    int threads = rhm_threads_get();
    rhm_sample_strings(&g, 3, 0, N, tokens, labels);
    memcpy(whole, tokens, sizeof whole);
    must(rhm_threads_set(1, &err));
    must(rhm_resample(&g, 2, RHM_EVERY_PLACE, RHM_RESAMPLE_RULES, 4, 0, N, whole, labels, NULL, NULL, &err));
    assert_memory_not_equal(whole, tokens, sizeof whole);
    for (int n = 1; n <= 3; n++) {
        must(rhm_threads_set(n, &err));
        memcpy(parts, tokens, sizeof parts);
        for (size_t at = 0; at < N; at += 171)
            must(rhm_resample(&g, 2, RHM_EVERY_PLACE, RHM_RESAMPLE_RULES, 4, at, N - at < 171 ? N - at : 171,
                              parts + at * 8, labels + at, NULL, NULL, &err));
        assert_memory_equal(parts, whole, sizeof parts);
    }
    must(rhm_threads_set(threads, &err));
    memcpy(parts, tokens, sizeof parts);
    must(rhm_resample(&g, 2, RHM_EVERY_PLACE, RHM_RESAMPLE_RULES, 5, 0, N, parts, labels, NULL, NULL, &err));
    assert_memory_not_equal(parts, whole, sizeof parts);
    rhm_grammar_clear(&g);
}

static void test_limits(void **state)
{
    (void)state;
    const uint16_t rules[] = {0, 0, 1, 1, 0, 1, 1, 0};
    struct rhm_grammar_shape shape = {2, 1, 2, 2, 2, {0}};
    struct rhm_grammar g;
    must(rhm_grammar_from_rules(&g, &shape, rules, &err));
    /* string 3: its second patch is no rule */
    uint16_t tokens[] = {0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 1, 1}, labels[3] = {0, 1, 0};
    must_fail(rhm_resample(&g, 2, 1, RHM_RESAMPLE_RULES, 1, 10, 3, tokens, labels, NULL, NULL, &err),
              RHM_EARG, "string 13", "no string of the grammar");
    must(rhm_resample(&g, 2, 0, RHM_RESAMPLE_RULES, 1, 0, 3, tokens, labels, NULL, NULL, &err));
    must(rhm_resample(&g, 2, 1, RHM_RESAMPLE_SYMBOL, 1, 0, 3, tokens, labels, NULL, NULL, &err));
    must_fail(rhm_resample(&g, 0, 0, RHM_RESAMPLE_RULES, 1, 0, 3, tokens, labels, NULL, NULL, &err), RHM_EARG,
              "level 0", "1..2");
    must_fail(rhm_resample(&g, 2, 2, RHM_RESAMPLE_RULES, 1, 0, 3, tokens, labels, NULL, NULL, &err), RHM_EARG,
              "place 3", "1..2");
    rhm_grammar_clear(&g);
}

/* What a layer says is what the parse of the string shows, but for the rounding of sums over unseen patches.
 */
static void test_outputs_are_those_of_the_parse(void **state)
{
    (void)state;
    for (int book = 0; book < 2; book++) {
        struct rhm_grammar g = draw_grammar((struct shape){6, 4, 2, 3, 5}, 2);
        struct rhm_network_options options = rhm_network_defaults();
        options.grammar = &g;
        options.M = 128;
        options.codebook = (enum rhm_codebook_kind)book;
        struct rhm_network *net;
        must(rhm_network_create(&net, &options, &err));
        struct rhm_train_options how = rhm_train_defaults(net);
        how.grammar = &g;
        for (unsigned l = 1; l <= 3; l++)
            how.n[l] = 300;
        double *out = room(50 * 4 * 5, sizeof *out);
        uint16_t tokens[50 * 8], labels[50];
        rhm_sample_strings(&g, 8, 0, 50, tokens, labels);
        must_fail(rhm_network_outputs(net, 2, 50, tokens, out, NULL, NULL, &err), RHM_ESTATE, "not trained");
        must(rhm_network_train(net, &how, NULL, NULL, &err));
        for (unsigned l = 1; l <= 3; l++) {
            size_t width = (size_t)1 << (l - 1);
            must(rhm_network_outputs(net, l, 50, tokens, out, NULL, NULL, &err));
            for (size_t k = 0; k < 50; k++) {
                struct rhm_parse tree;
                must(rhm_network_parse(net, tokens + 8 * k, &tree, NULL, NULL, &err));
                for (size_t i = 0; i < width * 5; i++)
                    assert_true(fabs(out[k * width * 5 + i] - tree.q[l][i]) < 1e-12);
                rhm_parse_clear(&tree);
            }
        }
        must_fail(rhm_network_outputs(net, 4, 50, tokens, out, NULL, NULL, &err), RHM_EARG, "level 4",
                  "1..3");
        free(out);
        rhm_network_free(net);
        rhm_grammar_clear(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules_drawn_anew),
        cmocka_unit_test(test_the_law_of_whole_strings),
        cmocka_unit_test(test_symbols_drawn_anew),
        cmocka_unit_test(test_blocks_threads_and_seeds),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_outputs_are_those_of_the_parse),
    };
    return cmocka_run_group_tests_name("resample", tests, NULL, NULL);
}
