/* t-parse.c - the tree that a chain makes of a string: against predictions, rules searched one by one, and
 * strings that are none. */
#include "common.h"

#include "engine/chain/parse.h"
#include "engine/grammar/sample.h"
#include "engine/layer/codebook.h"

#define STRINGS 300

static struct rhm_network *train(const struct rhm_grammar *g, enum rhm_codebook_kind codebook, uint64_t n)
{
    struct rhm_network_options options = rhm_network_defaults();
    options.grammar = g;
    options.M = 512;
    options.codebook = codebook;
    struct rhm_network *net;
    must(rhm_network_create(&net, &options, &err));
    struct rhm_train_options how = rhm_train_defaults(net);
    how.grammar = g;
    for (unsigned l = 1; l <= g->L; l++)
        how.n[l] = n;
    must(rhm_network_train(net, &how, NULL, NULL, &err));
    return net;
}

/* The parent of s symbols of level l, by a look at every rule. */
static uint32_t search(const struct rhm_grammar *g, unsigned l, const uint32_t *symbol)
{
    for (unsigned nu = 0; nu < rhm_grammar_parents(g, l); nu++)
        for (unsigned k = 0; k < g->m; k++) {
            unsigned same = 0;
            for (unsigned j = 0; j < g->branch[l]; j++)
                same += rhm_grammar_rule(g, l, nu, k)[j] == symbol[j];
            if (same == g->branch[l])
                return nu;
        }
    return RHM_NO_PARENT;
}

/* The truth of every node, by search; returns how many nodes have none. */
static size_t check_truth(const struct rhm_grammar *g, const uint16_t *tokens, const struct rhm_parse *parse)
{
    uint32_t symbol[128];
    size_t none = 0, width = (size_t)g->d;
    assert_true(width <= COUNT(symbol));
    for (size_t i = 0; i < width; i++)
        symbol[i] = tokens[i];
    for (unsigned l = g->L; l >= parse->lowest; l--) {
        width /= g->branch[l];
        assert_int_equal(parse->n[l], width);
        for (size_t i = 0; i < width; i++) {
            int known = 1;
            for (unsigned j = 0; j < g->branch[l]; j++)
                known = known && symbol[i * g->branch[l] + j] != RHM_NO_PARENT;
            uint32_t truth = known ? search(g, l, symbol + i * g->branch[l]) : RHM_NO_PARENT;
            assert_int_equal(parse->node[l][i].truth, truth);
            symbol[i] = truth;
            none += truth == RHM_NO_PARENT;
        }
    }
    return none;
}

/* Nodes agree with themselves and with the codebook; returns how many stand for what is not there, but for
 * those that stand for nothing since they, or nodes below, are unknown. */
static size_t check_nodes(const struct rhm_network *net, const struct rhm_parse *parse)
{
    size_t wrong = 0;
    for (unsigned l = parse->lowest; l <= net->L; l++) {
        const struct rhm_codebook *book = &net->layer[l]->codebook;
        for (size_t i = 0; i < parse->n[l]; i++) {
            const struct rhm_parse_node *node = &parse->node[l][i];
            const double *q = parse->q[l] + i * parse->C;
            double most = -INFINITY;
            for (size_t c = 0; c < parse->C; c++)
                most = fmax(most, q[c]);
            assert_true(node->p == most);
            if (node->code != RHM_NO_CODE)
                assert_memory_equal(q, book->embedding + node->code * parse->C, parse->C * sizeof *q);
            assert_int_equal(node->unknown, node->code == net->layer[l]->unknown_code);
            int excused = node->unknown;
            for (unsigned j = 0; l < net->L && j < net->branch[l]; j++)
                excused = excused || parse->node[l + 1][i * net->branch[l] + j].parent == RHM_NO_PARENT;
            wrong += node->parent != node->truth && !(excused && node->parent == RHM_NO_PARENT);
        }
    }
    return wrong;
}

static void test_the_root_is_the_prediction(void **state)
{
    (void)state;
    static const struct shape shapes[] = {
        {8, 4, 2, 3, 8}, {6, 3, 3, 3, 4}, {5, 2, 2, 4, 5}, {6, 4, S_OF(2, 3, 2), 3, 4}};
    for (size_t k = 0; k < COUNT(shapes); k++) {
        struct rhm_grammar g = draw_grammar(shapes[k], 3);
        size_t d = (size_t)g.d;
        uint16_t *tokens = room(STRINGS * d, sizeof *tokens), *labels = room(STRINGS, sizeof *labels);
        double *p = room(STRINGS * g.classes, sizeof *p);
        rhm_sample_strings(&g, 9, 0, STRINGS, tokens, labels);
        for (int codebook = 0; codebook < 2; codebook++) {
            /* the exact one sees few of the strings' patches */
            struct rhm_network *net = train(&g, (enum rhm_codebook_kind)codebook, codebook ? 300 : 200000);
            uint16_t *predicted = room(STRINGS, sizeof *predicted);
            must(rhm_network_predict(net, STRINGS, tokens, predicted, p, NULL, NULL, NULL, &err));
            size_t fresh = 0, wrong = 0, nodes = 0;
            for (size_t i = 0; i < STRINGS; i++) {
                struct rhm_parse parse;
                must(rhm_network_parse(net, tokens + i * d, &parse, NULL, NULL, &err));
                assert_true(parse.lowest == 1 && parse.L == g.L && parse.C == g.classes);
                /* fresh patches go forward together: other company, other roundings */
                for (unsigned c = 0; c < g.classes; c++)
                    assert_true(fabs(parse.q[1][c] - p[i * g.classes + c]) < 1e-9);
                must(rhm_network_predict(net, 1, tokens + i * d, &predicted[i], p + i * g.classes, NULL, NULL,
                                         NULL, &err));
                assert_int_equal(parse.label, predicted[i]);
                assert_memory_equal(parse.q[1], p + i * g.classes, g.classes * sizeof *p);
                assert_int_equal(check_truth(&g, tokens + i * d, &parse), 0);
                assert_int_equal(parse.node[1][0].truth, labels[i]);
                wrong += check_nodes(net, &parse);
                for (unsigned l = 1; l <= g.L; l++) {
                    nodes += parse.n[l];
                    for (size_t j = 0; j < parse.n[l]; j++)
                        fresh += parse.node[l][j].code == RHM_NO_CODE;
                }
                rhm_parse_clear(&parse);
            }
            print_message("(%u,%u,%u,%u) codebook %d: %zu nodes, %zu of fresh patches, %zu stand for another "
                          "symbol\n",
                          g.V, g.m, g.s, g.L, codebook, nodes, fresh, wrong);
            assert_true(codebook ? fresh > 100 : fresh < nodes / 10);
            if (codebook)
                assert_int_equal(wrong, 0); /* a patch stands for its own parent, seen or not */
            else if (k == 0)
                assert_int_equal(wrong, 0); /* learned perfectly */
            free(predicted);
            rhm_network_free(net);
        }
        free(tokens);
        free(labels);
        free(p);
        rhm_grammar_clear(&g);
    }
}

static void test_strings_outside_the_language(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){8, 2, 2, 3, 8}, 3); /* 16 of 64 pairs are rules */
    struct rhm_network *net = train(&g, RHM_CODEBOOK_CENTROID, 20000);
    size_t none = 0;
    for (unsigned first = 0; first < 8; first++) {
        uint16_t tokens[8], label;
        struct rhm_parse parse;
        double p[8];
        rhm_sample_strings(&g, 9, first, 1, tokens, &label);
        tokens[first] = (uint16_t)((tokens[first] + 1) % 8);
        must(rhm_network_parse(net, tokens, &parse, NULL, NULL, &err));
        must(rhm_network_predict(net, 1, tokens, &label, p, NULL, NULL, NULL, &err));
        assert_int_equal(parse.label, label);
        assert_memory_equal(parse.q[1], p, sizeof p);
        none += check_truth(&g, tokens, &parse);
        rhm_parse_clear(&parse);
    }
    assert_true(none > 8);
    rhm_network_free(net);
    rhm_grammar_clear(&g);
}

static void test_without_the_lower_layers(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){8, 4, 2, 4, 8}, 3);
    struct rhm_network *net = train(&g, RHM_CODEBOOK_CENTROID, 20000);
    struct rhm_train_options how = rhm_train_defaults(net);
    struct rhm_parse whole, part;
    uint16_t tokens[16], label;
    rhm_sample_strings(&g, 9, 0, 1, tokens, &label);
    must(rhm_network_parse(net, tokens, &whole, NULL, NULL, &err));
    how.grammar = &g;
    for (unsigned l = 1; l <= 3; l++) {
        must(rhm_network_begin(net, l, &how, NULL, &err)); /* layers l..1 are gone */
        must(rhm_network_parse(net, tokens, &part, NULL, NULL, &err));
        assert_int_equal(part.lowest, l + 1);
        for (unsigned k = 1; k <= 4; k++) {
            assert_int_equal(part.n[k], k > l ? whole.n[k] : 0);
            for (size_t i = 0; i < part.n[k]; i++)
                assert_memory_equal(&part.node[k][i].code, &whole.node[k][i].code, sizeof(uint32_t));
            if (k > l)
                assert_memory_equal(part.q[k], whole.q[k], whole.n[k] * 8 * sizeof(double));
        }
        rhm_parse_clear(&part);
    }
    rhm_parse_clear(&whole);
    must(rhm_network_begin(net, 4, &how, NULL, &err));
    must_fail(rhm_network_parse(net, tokens, &part, NULL, NULL, &err), RHM_ESTATE, "layer 4 is not trained");
    tokens[3] = 8;
    must_fail(rhm_network_parse(net, tokens, &part, NULL, NULL, &err), RHM_EARG, "token 3", "is 8", "0..7");
    rhm_network_free(net);
    rhm_grammar_clear(&g);
}

/* Without a grammar there is no truth, and a node still has its code. */
static void test_without_a_grammar(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){8, 4, 2, 3, 8}, 3);
    struct rhm_dataset data;
    must(rhm_sample_dataset(&g, 1, 5000, &data, &err));
    struct rhm_network_options options = rhm_network_defaults();
    options.V = options.classes = 8;
    options.s = 2;
    options.L = 3;
    options.M = 256;
    struct rhm_network *net;
    must(rhm_network_create(&net, &options, &err));
    struct rhm_train_options how = rhm_train_defaults(net);
    how.data = &data;
    must(rhm_network_train(net, &how, NULL, NULL, &err));
    struct rhm_parse parse;
    must(rhm_network_parse(net, data.tokens, &parse, NULL, NULL, &err));
    for (unsigned l = 1; l <= 3; l++)
        for (size_t i = 0; i < parse.n[l]; i++)
            assert_true(parse.node[l][i].parent == RHM_NO_PARENT && parse.node[l][i].truth == RHM_NO_PARENT &&
                        parse.node[l][i].code < net->layer[l]->codebook.K);
    rhm_parse_clear(&parse);
    rhm_network_free(net);
    rhm_dataset_clear(&data);
    rhm_grammar_clear(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_root_is_the_prediction),
        cmocka_unit_test(test_strings_outside_the_language),
        cmocka_unit_test(test_without_the_lower_layers),
        cmocka_unit_test(test_without_a_grammar),
    };
    return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
