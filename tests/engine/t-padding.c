/* t-padding.c - networks that read more places than strings have tokens, against networks that read strings
 * padded by hand: the last symbol of theirs stands at every place from d on. */
#include "cnn.h"

#include "engine/baselines/onestep.h"
#include "engine/chain/network_file.h"
#include "engine/chain/parse.h"
#include "engine/chain/refine.h"
#include "engine/grammar/sample.h"
#include "scratch.h"

static struct rhm_dataset sample(struct shape shape, size_t n, uint64_t seed)
{
    struct rhm_grammar g = draw_grammar(shape, 1);
    struct rhm_dataset data;
    must(rhm_sample_dataset(&g, seed, n, &data, &err));
    rhm_grammar_clear(&g);
    return data;
}

static struct rhm_dataset padded(const struct rhm_dataset *data, size_t length)
{
    struct rhm_dataset out;
    must(rhm_dataset_init(&out, data->n, length, data->V + 1, data->classes, &err));
    for (size_t i = 0; i < data->n; i++) {
        for (size_t j = 0; j < length; j++)
            out.tokens[i * length + j] = j < data->d ? data->tokens[i * data->d + j] : (uint16_t)data->V;
        out.labels[i] = data->labels[i];
    }
    return out;
}

/* ------------------------------------------------------------ convolutional networks */

static void test_cnn(void **state)
{
    (void)state;
    struct rhm_dataset data = sample((struct shape){.V = 4, .m = 2, .s = 2, .L = 4}, 300, 1),
                       more = padded(&data, 27);
    for (int local = 0; local < 2; local++) {
        struct rhm_cnn_options o = {.V = 4, .s = 3, .L = 3, .classes = 4, .d = 16, .h = 12, .local = local},
                               by_hand = o;
        by_hand.V = 5;
        by_hand.d = 0;
        struct rhm_cnn *net = make(o), *other = make(by_hand);
        assert_int_equal(net->d, 16);
        assert_int_equal(net->leaves, 27);
        assert_int_equal(net->parameters, other->parameters);
        struct rhm_cnn_train_options t = rhm_cnn_train_defaults(net), u = t;
        struct rhm_cnn_result result[2];
        t.epochs = u.epochs = 5;
        t.batch = u.batch = 64;
        t.data = t.held_out = &data;
        u.data = u.held_out = &more;
        must(rhm_cnn_train(net, &t, NULL, &result[0], &err));
        must(rhm_cnn_train(other, &u, NULL, &result[1], &err));
        assert_memory_equal(net->w, other->w, net->parameters * sizeof *net->w);
        assert_true(result[0].held_loss == result[1].held_loss);
        for (unsigned l = 1; l <= 3; l++) {
            size_t numbers = data.n * net->layer[l].positions * net->h;
            double *y = room(numbers, sizeof *y), *z = room(numbers, sizeof *z);
            must(rhm_cnn_outputs(net, l, data.n, data.tokens, y, NULL, NULL, &err));
            must(rhm_cnn_outputs(other, l, more.n, more.tokens, z, NULL, NULL, &err));
            assert_memory_equal(y, z, numbers * sizeof *y);
            free(y);
            free(z);
        }
        uint16_t *labels = room(2 * data.n, sizeof *labels);
        struct rhm_cnn *back = NULL;
        must(rhm_cnn_save(net, in_folder("cnn.h5"), &err));
        must(rhm_cnn_load(&back, in_folder("cnn.h5"), &err));
        assert_int_equal(back->d, 16);
        assert_int_equal(back->V, 4);
        must(rhm_cnn_predict(back, data.n, data.tokens, labels, NULL, NULL, NULL, &err));
        must(rhm_cnn_predict(other, more.n, more.tokens, labels + data.n, NULL, NULL, NULL, &err));
        assert_memory_equal(labels, labels + data.n, data.n * sizeof *labels);
        must_fail(rhm_cnn_check_data(back, &more, &err), RHM_EARG, "27 tokens",
                  "16, padded to s^L = 3^3 = 27");
        uint16_t kept = data.tokens[5];
        data.tokens[5] = 4; /* the number of the padding is no token */
        must_fail(rhm_cnn_check_data(back, &data, &err), RHM_EARG, "token 5", "V = 4");
        data.tokens[5] = kept;
        free(labels);
        rhm_cnn_free(net);
        rhm_cnn_free(other);
        rhm_cnn_free(back);
    }
    rhm_dataset_clear(&data);
    rhm_dataset_clear(&more);
}

/* ------------------------------------------------------------ chains */

static struct rhm_network *chain(struct rhm_network_options o)
{
    struct rhm_network *net = NULL;
    must(rhm_network_create(&net, &o, &err));
    return net;
}

static void train(struct rhm_network *net, const struct rhm_dataset *data, enum rhm_position position,
                  double *accuracy)
{
    struct rhm_train_options t = rhm_train_defaults(net);
    t.data = data;
    t.position = position;
    must(rhm_network_train(net, &t, NULL, accuracy, &err));
}

static void compare_outputs(struct rhm_network *net, const struct rhm_dataset *data,
                            struct rhm_network *other, const struct rhm_dataset *more)
{
    for (unsigned l = 1; l <= net->L; l++) {
        size_t width = rhm_network_width(net, l), n = data->n * (size_t)rhm_network_places(net, l) * width;
        assert_int_equal(width, rhm_network_width(other, l));
        double *y = room(n, sizeof *y), *z = room(n, sizeof *z);
        must(rhm_network_outputs(net, l, data->n, data->tokens, y, NULL, NULL, &err));
        must(rhm_network_outputs(other, l, more->n, more->tokens, z, NULL, NULL, &err));
        assert_memory_equal(y, z, n * sizeof *y);
        free(y);
        free(z);
    }
}

static void compare_parses(struct rhm_network *net, const uint16_t *tokens, struct rhm_network *other,
                           const uint16_t *more)
{
    struct rhm_parse a, b;
    must(rhm_network_parse(net, tokens, &a, NULL, NULL, &err));
    must(rhm_network_parse(other, more, &b, NULL, NULL, &err));
    assert_int_equal(a.label, b.label);
    for (unsigned l = 1; l <= net->L; l++) {
        assert_int_equal(a.n[l], b.n[l]);
        for (size_t i = 0; i < a.n[l]; i++)
            assert_int_equal(a.node[l][i].code, b.node[l][i].code);
    }
    rhm_parse_clear(&a);
    rhm_parse_clear(&b);
}

static void test_chain(void **state)
{
    (void)state;
    struct rhm_dataset data = sample((struct shape){.V = 8, .m = 2, .s = 2, .L = 4}, 600, 1),
                       more = padded(&data, 27), longer = padded(&data, 32);
    const struct {
        unsigned s, L;
        enum rhm_codebook_kind codebook;
        enum rhm_position position;
    } cases[] = {{3, 3, RHM_CODEBOOK_CENTROID, RHM_POSITION_FIRST},
                 {3, 3, RHM_CODEBOOK_CENTROID, RHM_POSITION_ALL},
                 {3, 3, RHM_CODEBOOK_EXACT, RHM_POSITION_FIRST},
                 {2, 5, RHM_CODEBOOK_CENTROID, RHM_POSITION_ALL}};
    for (size_t k = 0; k < COUNT(cases); k++) {
        const struct rhm_dataset *whole = cases[k].s == 3 ? &more : &longer;
        struct rhm_network_options o = rhm_network_defaults();
        o.V = 8;
        o.s = cases[k].s;
        o.L = cases[k].L;
        o.classes = 8;
        o.d = 16;
        o.M = 64;
        o.codebook = cases[k].codebook;
        struct rhm_network_options by_hand = o;
        by_hand.V = 9;
        by_hand.d = 0;
        struct rhm_network *net = chain(o), *other = chain(by_hand), *back = NULL;
        double accuracy[3];
        assert_int_equal(net->leaves, whole->d);
        train(net, &data, cases[k].position, &accuracy[0]);
        train(other, whole, cases[k].position, &accuracy[1]);
        print_message("s = %u, L = %u: accuracy %.4f of the training strings\n", cases[k].s, cases[k].L,
                      accuracy[0]);
        assert_true(accuracy[0] == accuracy[1] && accuracy[0] > 0.2);
        compare_outputs(net, &data, other, whole);
        for (size_t i = 0; i < 20; i++)
            compare_parses(net, data.tokens + i * data.d, other, whole->tokens + i * whole->d);
        must(rhm_network_save(net, in_folder("chain.h5"), &err));
        must(rhm_network_load(&back, in_folder("chain.h5"), &err));
        assert_int_equal(back->d, 16);
        assert_int_equal(back->V, 8);
        compare_outputs(back, &data, other, whole);
        must_fail(rhm_network_accuracy_on_data(back, whole, &accuracy[2], NULL, NULL, &err), RHM_EARG,
                  "16, padded to s^L =");
        rhm_network_free(net);
        rhm_network_free(other);
        rhm_network_free(back);
    }
    rhm_dataset_clear(&data);
    rhm_dataset_clear(&more);
    rhm_dataset_clear(&longer);
}

/* ------------------------------------------------------------ refinement */

/* Strings of a grammar without their last tokens: EM learns what the rules themselves tell of the label
 * (tree.h, compared with enumeration in t-tree.c), and a file keeps it. */
static void test_refine(void **state)
{
    (void)state;
    struct shape shape = {.V = 6, .m = 3, .s = 2, .L = 3};
    struct rhm_grammar g = draw_grammar(shape, 1);
    struct rhm_dataset all = sample(shape, 4000, 2);
    for (size_t d = 7; d >= 6; d--) { /* the last patch is cut; it is not there */
        struct rhm_dataset data;
        must(rhm_dataset_init(&data, all.n, d, all.V, all.classes, &err));
        for (size_t i = 0; i < all.n; i++) {
            memcpy(data.tokens + i * d, all.tokens + i * all.d, d * sizeof *data.tokens);
            data.labels[i] = all.labels[i];
        }
        struct rhm_tree truth;
        must(rhm_tree_from_grammar(&truth, &g, &err));
        truth.d = d;
        struct rhm_tree_counts counts;
        must(rhm_tree_counts_init(&counts, &truth, &err));
        must(rhm_tree_expect(&truth, data.n, data.tokens, data.labels, 0, &counts, NULL, NULL, &err));
        double n = (double)data.n, best = (double)counts.right / n, log_label = counts.log_label / n;
        struct rhm_network_options o = rhm_network_defaults();
        o.V = o.classes = 6;
        o.s = 2;
        o.L = 3;
        o.d = (int64_t)d;
        struct rhm_network *net = NULL, *back = NULL;
        must(rhm_network_create(&net, &o, &err));
        struct rhm_refine_options r = rhm_refine_defaults(net);
        must(rhm_network_refine(net, &data, &r, NULL, &err));
        const struct rhm_refine_point *point = &net->refined->history[net->refined->last];
        print_message("%zu of 8 tokens: accuracy %.4f, by the rules %.4f; log P(label) %.4f, %.4f\n", d,
                      point->accuracy, best, point->log_label, log_label);
        assert_true(best < 0.9 && point->accuracy > best - 0.01 && point->log_label > log_label - 0.03);
        must(rhm_network_save(net, in_folder("refined.h5"), &err));
        must(rhm_network_load(&back, in_folder("refined.h5"), &err));
        double accuracy[3];
        must(rhm_network_accuracy_on_data(net, &data, &accuracy[0], NULL, NULL, &err));
        must(rhm_network_accuracy_on_data(back, &data, &accuracy[1], NULL, NULL, &err));
        assert_true(accuracy[0] == point->accuracy && accuracy[1] == accuracy[0]);
        struct rhm_parse parse;
        must(rhm_network_parse(back, data.tokens, &parse, NULL, NULL, &err));
        assert_int_equal(parse.n[3], 4);
        rhm_parse_clear(&parse);
        rhm_network_free(net);
        rhm_network_free(back);
        rhm_tree_counts_clear(&counts);
        rhm_tree_clear(&truth);
        rhm_dataset_clear(&data);
    }
    rhm_dataset_clear(&all);
    rhm_grammar_clear(&g);
}

/* ------------------------------------------------------------ one step a layer */

static void test_onestep(void **state)
{
    (void)state;
    struct rhm_dataset data = sample((struct shape){.V = 8, .m = 2, .s = 2, .L = 4}, 400, 1),
                       more = padded(&data, 27);
    struct rhm_onestep_options o = rhm_onestep_defaults(), by_hand;
    o.V = o.classes = 8;
    o.s = o.L = 3;
    o.d = 16;
    o.restarts = 3;
    by_hand = o;
    by_hand.V = 9;
    by_hand.d = 0;
    struct rhm_onestep *net = NULL, *other = NULL, *back = NULL;
    must(rhm_onestep_create(&net, &o, &err));
    must(rhm_onestep_create(&other, &by_hand, &err));
    must(rhm_onestep_train(net, &data, NULL, &err));
    must(rhm_onestep_train(other, &more, NULL, &err));
    must(rhm_onestep_save(net, in_folder("onestep.h5"), &err));
    must(rhm_onestep_load(&back, in_folder("onestep.h5"), &err));
    assert_int_equal(back->d, 16);
    for (unsigned l = 1; l <= 3; l++) {
        const size_t numbers[] = {0, 400 * 8, 400 * 3 * 9, 400 * 9 * 9};
        double *y = room(numbers[l], sizeof *y), *z = room(numbers[l], sizeof *z);
        must(rhm_onestep_outputs(back, l, data.n, data.tokens, y, NULL, NULL, &err));
        must(rhm_onestep_outputs(other, l, more.n, more.tokens, z, NULL, NULL, &err));
        assert_memory_equal(y, z, numbers[l] * sizeof *y);
        free(y);
        free(z);
    }
    must_fail(rhm_onestep_check_data(net, &more, &err), RHM_EARG, "16, padded to s^L = 3^3 = 27");
    rhm_onestep_free(net);
    rhm_onestep_free(other);
    rhm_onestep_free(back);
    rhm_dataset_clear(&data);
    rhm_dataset_clear(&more);
}

/* ------------------------------------------------------------ sizes */

static void test_sizes(void **state)
{
    (void)state;
    const unsigned wanted[][3] = {{1, 2, 1},  {2, 2, 1},  {3, 2, 2},  {16, 2, 4}, {17, 2, 5},
                                  {16, 3, 3}, {27, 3, 3}, {28, 3, 4}, {16, 5, 2}, {243, 3, 5}};
    for (size_t k = 0; k < COUNT(wanted); k++)
        assert_int_equal(rhm_levels_for(wanted[k][0], wanted[k][1]), wanted[k][2]);
    assert_int_equal(rhm_levels_for(UINT64_C(1) << 62, 2), 62);
    struct rhm_cnn *net = NULL;
    struct rhm_network *other = NULL;
    struct rhm_cnn_options o = {.V = 4, .s = 3, .L = 2, .h = 4, .d = 10};
    struct rhm_network_options n = rhm_network_defaults();
    n.V = 4;
    n.s = 3;
    n.L = 2;
    n.d = 10;
    must_fail(rhm_cnn_create(&net, &o, &err), RHM_EARG, "d = 10", "s^L = 3^2 = 9", "raise L");
    must_fail(rhm_network_create(&other, &n, &err), RHM_EARG, "d = 10", "s^L = 3^2 = 9", "raise L");
    o.d = n.d = -1;
    must_fail(rhm_cnn_create(&net, &o, &err), RHM_EARG, "d = -1");
    must_fail(rhm_network_create(&other, &n, &err), RHM_EARG, "d = -1");
    o.d = 8;
    o.V = 65535;
    must_fail(rhm_cnn_create(&net, &o, &err), RHM_EARG, "V = 65535", "65534");
    /* a grammar of the same shape is no source for it: its strings are longer */
    struct rhm_grammar g = draw_grammar((struct shape){.V = 4, .m = 2, .s = 3, .L = 2}, 1);
    n.d = 8;
    n.grammar = &g;
    other = chain(n);
    assert_null(other->grammar);
    struct rhm_train_options t = rhm_train_defaults(other);
    double accuracy;
    t.grammar = &g;
    must_fail(rhm_network_train(other, &t, NULL, NULL, &err), RHM_EARG, "8, padded to", "data set");
    must_fail(rhm_network_accuracy_on_grammar(other, &g, &accuracy, NULL, NULL, &err), RHM_EARG,
              "8, padded to", "data set");
    rhm_network_free(other);
    rhm_grammar_clear(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cnn),     cmocka_unit_test(test_chain), cmocka_unit_test(test_refine),
        cmocka_unit_test(test_onestep), cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
