/* t-refine.c - EM: the likelihood never falls, what it needs, what it gives, what it refuses. */
#include "common.h"

#include "engine/base/threads.h"
#include "engine/chain/network_file.h"
#include "engine/chain/refine.h"
#include "engine/grammar/sample.h"
#include "scratch.h"

static struct rhm_network *make(unsigned V, unsigned L)
{
    struct rhm_network_options o = rhm_network_defaults();
    struct rhm_network *net;
    o.V = V;
    o.s = 2;
    o.L = L;
    o.seed = 1;
    must(rhm_network_create(&net, &o, &err));
    return net;
}

static void start(struct rhm_tree *tree, const struct rhm_network *net, const struct rhm_dataset *data)
{
    size_t *index = room(data->n, sizeof *index);
    for (size_t i = 0; i < data->n; i++)
        index[i] = i;
    must(rhm_tree_init(tree, net->L, net->branch, net->V, net->classes, &err));
    must(rhm_refine_start(tree, data, data->n, index, NULL, NULL, &err));
    free(index);
    for (unsigned l = 1; l <= tree->L; l++)
        for (size_t p = 0; p < tree->table[l].parents; p++) {
            double sum = 0;
            for (size_t r = 0; r < tree->table[l].rows; r++)
                sum += tree->table[l].p[r * tree->table[l].parents + p];
            assert_true(fabs(sum - 1) < 1e-12);
        }
}

/* Each sweep raises the likelihood plus what the pseudo-count stands for, with and without the bound (from
 * the second sweep on: the start need not keep it), labels and tokens missing or not. */
static void test_likelihood_never_falls(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){6, 3, 2, 3, 6}, 2);
    struct rhm_network *net = make(6, 3);
    struct rhm_dataset data, holes;
    must(rhm_sample_dataset(&g, 1, 150, &data, &err));
    must(rhm_dataset_hide(&data, 0.4, 0.1, 1, &holes, &err));
    const struct rhm_dataset *both[] = {&data, &holes};
    for (int k = 0; k < 4; k++) {
        const struct rhm_dataset *d = both[k % 2];
        int64_t m = k < 2 ? 0 : 3;
        struct rhm_tree tree;
        struct rhm_tree_counts counts;
        start(&tree, net, d);
        must(rhm_tree_counts_init(&counts, &tree, &err));
        double before = -INFINITY, first = 0, last = 0;
        for (int sweep = 0; sweep < 60; sweep++) {
            must(rhm_tree_expect(&tree, d->n, d->tokens, d->labels, 1, &counts, NULL, NULL, &err));
            last = counts.log_joint + rhm_refine_penalty(&tree, 0.1);
            if (sweep > (m > 0) && last < before - 1e-6)
                fail_msg("case %d, sweep %d: %.12g after %.12g", k, sweep, last, before);
            before = last;
            first = sweep == 0 ? last : first;
            must(rhm_refine_maximise(&tree, &counts, 0.1, m, &err));
            for (unsigned l = 1; l <= 3 && m > 0; l++)
                for (size_t r = 0; r < tree.table[l].rows; r++) {
                    double sum = 0;
                    for (size_t p = 0; p < tree.table[l].parents; p++)
                        sum += tree.table[l].p[r * tree.table[l].parents + p];
                    assert_true(sum < 1.0 / 3 + 1e-3);
                }
        }
        assert_true(last > first + 10);
        rhm_tree_counts_clear(&counts);
        rhm_tree_clear(&tree);
    }
    rhm_dataset_clear(&data);
    rhm_dataset_clear(&holes);
    rhm_network_free(net);
    rhm_grammar_clear(&g);
}

/* Mean log P(label | string) on 2000 fresh strings; without noise the best possible is 0. */
static double mean_log_label(struct rhm_network *net, const struct rhm_grammar *g, uint64_t seed)
{
    struct rhm_dataset test;
    must(rhm_sample_dataset(g, seed, 2000, &test, &err));
    uint16_t *labels = room(test.n, sizeof *labels);
    double *p = room(test.n * net->classes, sizeof *p), sum = 0;
    must(rhm_network_predict(net, test.n, test.tokens, labels, p, NULL, NULL, NULL, &err));
    for (size_t i = 0; i < test.n; i++)
        sum += log(p[i * net->classes + test.labels[i]]);
    free(labels);
    free(p);
    rhm_dataset_clear(&test);
    return sum / 2000;
}

/* Half of C m^L strings of (8,4,2,3), which the chain cannot learn from; the same for any number of threads;
 * saved and loaded; dropped. */
static void test_learns(void **state)
{
    (void)state;
    double median[5], calibrated[5];
    int before = rhm_threads_get();
    for (uint64_t seed = 0; seed < 5; seed++) {
        struct rhm_grammar g = draw_grammar((struct shape){8, 4, 2, 3, 8}, seed + 20);
        struct rhm_network *net = make(8, 3), *other = make(8, 3), *loaded;
        struct rhm_dataset data;
        must(rhm_sample_dataset(&g, seed, 256, &data, &err));
        struct rhm_refine_options o = rhm_refine_defaults(net);
        must(rhm_threads_set(1, &err));
        must(rhm_network_refine(net, &data, &o, NULL, &err));
        must(rhm_threads_set(3, &err));
        must(rhm_network_refine(other, &data, &o, NULL, &err));
        must(rhm_network_accuracy_on_grammar(net, &g, &median[seed], NULL, NULL, &err));
        calibrated[seed] = mean_log_label(net, &g, seed + 100);
        must(rhm_network_save(net, in_folder("refined.h5"), &err));
        must(rhm_network_load(&loaded, in_folder("refined.h5"), &err));
        double p[256 * 8], q[256 * 8], r[256 * 8];
        uint16_t labels[256];
        must(rhm_network_predict(net, 256, data.tokens, labels, p, NULL, NULL, NULL, &err));
        must(rhm_network_predict(other, 256, data.tokens, labels, q, NULL, NULL, NULL, &err));
        must(rhm_network_predict(loaded, 256, data.tokens, labels, r, NULL, NULL, NULL, &err));
        assert_memory_equal(p, q, sizeof p);
        assert_memory_equal(p, r, sizeof p);
        assert_memory_equal(net->refined->history, loaded->refined->history,
                            net->refined->points * sizeof *net->refined->history);
        assert_int_equal(net->refined->m, 4);
        rhm_network_unrefine(net);
        must_fail(rhm_network_predict(net, 256, data.tokens, labels, p, NULL, NULL, NULL, &err), RHM_ESTATE,
                  "not trained");
        rhm_network_free(net);
        rhm_network_free(other);
        rhm_network_free(loaded);
        rhm_dataset_clear(&data);
        rhm_grammar_clear(&g);
    }
    must(rhm_threads_set(before, &err));
    int good = 0;
    for (int i = 0; i < 5; i++) {
        good += median[i] >= 0.99;
        if (median[i] == 1 && calibrated[i] < -0.01) /* -.05 without the last sweeps */
            fail_msg("all labels right, log P(label | string) = %g", calibrated[i]);
    }
    assert_true(good >= 4);
}

/* 100 labels alone are too few; 900 strings without labels make the difference. */
static void test_unlabelled_strings_help(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){8, 4, 2, 3, 8}, 21);
    struct rhm_network *net = make(8, 3);
    struct rhm_dataset data, some;
    must(rhm_sample_dataset(&g, 7, 1000, &data, &err));
    must(rhm_dataset_hide(&data, 0.9, 0, 1, &some, &err));
    const struct rhm_dataset *labelled;
    struct rhm_dataset own = {0};
    must(rhm_dataset_labelled(&some, &own, &labelled, &err));
    struct rhm_refine_options o = rhm_refine_defaults(net);
    double few, all;
    must(rhm_network_refine(net, labelled, &o, NULL, &err));
    must(rhm_network_accuracy_on_grammar(net, &g, &few, NULL, NULL, &err));
    must(rhm_network_refine(net, &some, &o, NULL, &err));
    must(rhm_network_accuracy_on_grammar(net, &g, &all, NULL, NULL, &err));
    assert_int_equal(net->refined->labelled, 100);
    if (!(all > few + 0.1 && all > 0.9))
        fail_msg("100 labels: %g; with 900 strings more: %g", few, all);
    rhm_dataset_clear(&own);
    rhm_dataset_clear(&some);
    rhm_dataset_clear(&data);
    rhm_network_free(net);
    rhm_grammar_clear(&g);
}

/* What labels alone teach stays learned with strings that have none, wherever these stand in the data; and
 * the top, of which only labels tell, agrees with them. (m, labels, others, accuracy at least) */
static void test_unlabelled_strings_do_no_harm(void **state)
{
    (void)state;
    const struct {
        unsigned m;
        size_t labels, others;
        double accuracy;
    } cases[] = {{8, 1400, 2000, 0.999}, {4, 100, 4000, 0.93}};
    for (int k = 0; k < 2; k++) {
        struct rhm_grammar g = draw_grammar((struct shape){8, cases[k].m, 2, 3, 8}, 5);
        struct rhm_network *net = make(8, 3);
        struct rhm_dataset data;
        must(rhm_sample_dataset(&g, 10, cases[k].labels + cases[k].others, &data, &err));
        for (size_t i = 0; i < data.n; i++)
            if (k == 0 ? i < cases[k].others : i >= cases[k].labels)
                data.labels[i] = RHM_MISSING;
        struct rhm_refine_options o = rhm_refine_defaults(net);
        o.seed = 5;
        double accuracy;
        must(rhm_network_refine(net, &data, &o, NULL, &err));
        must(rhm_network_accuracy_on_grammar(net, &g, &accuracy, NULL, NULL, &err));
        assert_int_equal(net->refined->labelled, cases[k].labels);
        if (accuracy < cases[k].accuracy || net->refined->history[net->refined->last].accuracy < 1)
            fail_msg("m = %u, %zu labels, %zu strings without: %g", cases[k].m, cases[k].labels,
                     cases[k].others, accuracy);
        rhm_dataset_clear(&data);
        rhm_network_free(net);
        rhm_grammar_clear(&g);
    }
}

/* Strings without a label have no say in how frequent labels are: with it, tuples of the top that no labelled
 * string has go to labels that have theirs already, and 2 of these 8 explain the labels there are badly. */
static void test_unlabelled_strings_leave_labels_equal(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 8; seed++) {
        struct rhm_grammar g = draw_grammar((struct shape){8, 4, 2, 3, 8}, seed);
        struct rhm_network *net = make(8, 3);
        struct rhm_dataset data;
        must(rhm_sample_dataset(&g, 2 * seed, 300, &data, &err));
        for (size_t i = 100; i < data.n; i++)
            data.labels[i] = RHM_MISSING;
        struct rhm_refine_options o = rhm_refine_defaults(net);
        must(rhm_network_refine(net, &data, &o, NULL, &err));
        const struct rhm_refine_point *last = &net->refined->history[net->refined->last];
        print_message("grammar %u: accuracy %g, log P %g\n", seed, last->accuracy, last->log_label);
        if (!(last->accuracy == 1 && last->log_label > -0.02))
            fail_msg("grammar %u: accuracy %g, log P %g", seed, last->accuracy, last->log_label);
        for (unsigned c = 0; c < 8; c++)
            assert_near(net->refined->tree.prior[c], 0.125, 1e-12);
        rhm_dataset_clear(&data);
        rhm_network_free(net);
        rhm_grammar_clear(&g);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){8, 4, 2, 2, 8}, 1);
    struct rhm_network *net = make(8, 2), *large = make(8, 3);
    struct rhm_dataset data, none;
    must(rhm_sample_dataset(&g, 7, 50, &data, &err));
    must(rhm_dataset_hide(&data, 1, 0, 1, &none, &err));
    struct rhm_refine_options o = rhm_refine_defaults(net);
    must_fail(rhm_network_refine(large, &data, &o, NULL, &err), RHM_EARG, "4 tokens", "8");
    must_fail(rhm_network_refine(net, &none, &o, NULL, &err), RHM_EARG, "0 of 50");
    o.restarts = 0;
    must_fail(rhm_network_refine(net, &data, &o, NULL, &err), RHM_ESTATE, "restarts = 0", "net:train");
    o = rhm_refine_defaults(net);
    o.smoothing = 0;
    must_fail(rhm_network_refine(net, &data, &o, NULL, &err), RHM_EARG, "smoothing = 0");
    o = rhm_refine_defaults(net);
    o.held_out = 1;
    must_fail(rhm_network_refine(net, &data, &o, NULL, &err), RHM_EARG, "held_out = 1");
    assert_null(net->refined);
    o.held_out = 0.2;
    must(rhm_network_refine(net, &data, &o, NULL, &err));
    assert_true(net->refined->history[net->refined->last].held_out < 0);
    assert_int_equal(net->refined->n, 40);
    rhm_dataset_clear(&data);
    rhm_dataset_clear(&none);
    rhm_network_free(net);
    rhm_network_free(large);
    rhm_grammar_clear(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_likelihood_never_falls),
        cmocka_unit_test(test_learns),
        cmocka_unit_test(test_unlabelled_strings_help),
        cmocka_unit_test(test_unlabelled_strings_do_no_harm),
        cmocka_unit_test(test_unlabelled_strings_leave_labels_equal),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
