/* t-network-refusals.c - the chain: what it refuses, failures half way. */
#include "chain.h"

#include "engine/base/memory.h"
#include "engine/grammar/sample.h"

/* ------------------------------------------------------------ refusals */

static void test_the_order_of_work(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){4, 2, 2, 3, 4}, 1);
    struct rhm_network *net = create_sized(&g, 64, RHM_CODEBOOK_CENTROID);
    struct rhm_train_options how = from_grammar(net, &g, 500);
    struct rhm_layer_view view;
    uint16_t tokens[8] = {0}, label;
    must_fail(rhm_network_step(net, 3, 1, NULL, &err), RHM_ESTATE, "layer 3", "step before begin");
    must_fail(rhm_network_finish(net, 3, NULL, &err), RHM_ESTATE, "layer 3", "finish before begin");
    must_fail(rhm_network_begin(net, 2, &how, NULL, &err), RHM_ESTATE, "layer 2", "layer 3 is not trained");
    must_fail(rhm_network_begin(net, 0, &how, NULL, &err), RHM_EARG, "layer 0", "1..3");
    must_fail(rhm_network_begin(net, 4, &how, NULL, &err), RHM_EARG, "layer 4", "1..3");
    must_fail(rhm_network_step(net, 4, 1, NULL, &err), RHM_EARG, "layer 4");
    must_fail(rhm_network_view(net, 4, 1, &view, &err), RHM_EARG, "layer 4");
    must_fail(rhm_network_predict(net, 1, tokens, &label, NULL, NULL, NULL, NULL, &err), RHM_ESTATE,
              "layer 3", "not trained");
    must(rhm_network_begin(net, 3, &how, NULL, &err));
    must_fail(rhm_network_step(net, 2, 1, NULL, &err), RHM_ESTATE, "layer 2", "step before begin");
    must_fail(rhm_network_finish(net, 3, NULL, &err), RHM_ESTATE, "layer 3", "before any step");
    must(rhm_network_step(net, 3, 10, NULL, &err));
    must(rhm_network_finish(net, 3, NULL, &err));
    must_fail(rhm_network_finish(net, 3, NULL, &err), RHM_ESTATE, "finish before begin");
    must(rhm_network_train(net, &how, NULL, NULL, &err));
    must(rhm_network_begin(net, 2, &how, NULL, &err)); /* layers below are dropped, those above stay */
    assert_non_null(net->layer[3]);
    assert_null(net->layer[2]);
    assert_null(net->layer[1]);
    must(rhm_network_view(net, 1, 1, &view, &err));
    assert_int_equal(view.trained, -1);
    rhm_network_free(net); /* in the middle of a layer */
    rhm_grammar_clear(&g);
}

static void test_sources_must_fit(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){4, 2, 2, 3, 4}, 1);
    struct rhm_network *net = create_sized(&g, 64, RHM_CODEBOOK_CENTROID);
    struct rhm_train_options how = rhm_train_defaults(net);
    must_fail(rhm_network_train(net, &how, NULL, NULL, &err), RHM_EARG, "source");
    const struct shape others[] = {{5, 2, 2, 3, 4}, {4, 2, 3, 3, 4}, {4, 2, 2, 2, 4}, {4, 2, 2, 3, 3}};
    const char *const names[] = {"V = 5", "s = 3", "L = 2", "classes = 3"};
    for (size_t k = 0; k < COUNT(others); k++) {
        struct rhm_grammar other = draw_grammar(others[k], 1);
        how.grammar = &other;
        must_fail(rhm_network_train(net, &how, NULL, NULL, &err), RHM_EARG, "the grammar has", names[k],
                  "the network");
        rhm_grammar_clear(&other);
    }
    struct rhm_dataset data;
    how.grammar = NULL;
    how.data = &data;
    must(rhm_dataset_init(&data, 10, 9, 4, 4, &err));
    must_fail(rhm_network_train(net, &how, NULL, NULL, &err), RHM_EARG, "9 tokens", "2^3 = 8");
    double accuracy;
    must_fail(rhm_network_accuracy_on_data(net, &data, &accuracy, NULL, NULL, &err), RHM_EARG, "9 tokens");
    rhm_dataset_clear(&data);
    must(rhm_dataset_init(&data, 10, 8, 5, 4, &err));
    must_fail(rhm_network_train(net, &how, NULL, NULL, &err), RHM_EARG, "V = 5");
    must_fail(rhm_network_accuracy_on_data(net, &data, &accuracy, NULL, NULL, &err), RHM_EARG, "V = 5");
    rhm_dataset_clear(&data);
    must(rhm_dataset_init(&data, 10, 8, 4, 6, &err));
    must_fail(rhm_network_train(net, &how, NULL, NULL, &err), RHM_EARG, "classes = 6");
    rhm_dataset_clear(&data);
    must(rhm_dataset_init(&data, 10, 8, 4, 4, &err));
    how.n[2] = 11;
    must_fail(rhm_network_train(net, &how, NULL, NULL, &err), RHM_EARG, "n = 11", "layer 2", "10 strings");
    rhm_dataset_clear(&data);

    how = from_grammar(net, &g, 100);
    how.n[1] = (UINT64_C(1) << 53) + 1;
    must_fail(rhm_network_train(net, &how, NULL, NULL, &err), RHM_EARG, "9007199254740993", "layer 1",
              "2^53");
    how.n[1] = 100;
    how.lambda = -1;
    must_fail(rhm_network_train(net, &how, NULL, NULL, &err), RHM_EARG, "lambda = -1");
    how.lambda = NAN;
    must_fail(rhm_network_train(net, &how, NULL, NULL, &err), RHM_EARG, "lambda = ");
    how.lambda = 1e-4;
    how.eta = -2;
    must_fail(rhm_network_train(net, &how, NULL, NULL, &err), RHM_EARG, "eta = -2");
    how.eta = 0;
    how.solver = RHM_SOLVER_GD;
    how.steps = 0;
    must_fail(rhm_network_train(net, &how, NULL, NULL, &err), RHM_EARG, "steps = 0");
    how.steps = 10;
    must(rhm_network_train(net, &how, NULL, NULL, &err)); /* nothing of all that is left behind */
    rhm_network_free(net);
    rhm_grammar_clear(&g);
}

static void test_options_have_limits(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){4, 2, 2, 3, 5}, 1);
    struct rhm_network *net = NULL;
#define refuse(change, ...)                                                                                  \
    do {                                                                                                     \
        struct rhm_network_options o = rhm_network_defaults();                                               \
        o.grammar = &g;                                                                                      \
        change;                                                                                              \
        must_fail(rhm_network_create(&net, &o, &err), RHM_EARG, __VA_ARGS__);                                \
        assert_null(net);                                                                                    \
    } while (0)
    refuse(o.M = 7, "M = 7", "even");
    refuse(o.M = 0, "M = 0");
    refuse(o.M = -2, "M = -2");
    refuse(o.M = INT64_C(1) << 40, "M = 1099511627776");
    refuse(o.eps_O = 0, "eps_O = 0", "(0, 1)");
    refuse(o.eps_O = 1, "eps_O = 1", "(0, 1)");
    refuse(o.sigma = -0.5, "sigma = -0.5");
    refuse(o.sigma = NAN, "sigma = ");
    refuse(o.sigma = INFINITY, "sigma = inf");
    refuse(o.V = 6, "V = 6", "V = 4");
    refuse(o.classes = 4, "classes = 4", "classes = 5");
    refuse(o.s = 1, "s = 1");
    refuse(o.L = 63, "L = 63");
    refuse((o.grammar = NULL, o.V = 8, o.s = 2), "L = 0");
#undef refuse
    struct rhm_network_options o = rhm_network_defaults();
    o.grammar = &g;
    must(rhm_network_create(&net, &o, &err));
    assert_true(net->V == 4 && net->s == 2 && net->L == 3 && net->classes == 5 && net->M == 2048);
    assert_true(net->grammar != NULL && net->grammar != &g && net->grammar->rules != g.rules);
    rhm_network_free(net);
    o.L = 2; /* a wrong depth is a legitimate experiment, but then nothing of the truth is known */
    must(rhm_network_create(&net, &o, &err));
    assert_null(net->grammar);
    rhm_network_free(net);
    rhm_grammar_clear(&g);
}

/* ------------------------------------------------------------ failures */

/* At every budget from nothing up, training says so or succeeds; whatever layers are finished are whole. */
static void test_budgets_leave_the_network_usable(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){6, 4, 2, 3, 6}, 1);
    struct rhm_network *net = create_sized(&g, 128, RHM_CODEBOOK_EXACT);
    struct rhm_train_options how = from_grammar(net, &g, 2000);
    size_t budget = rhm_memory_budget(), failures = 0;
    enum rhm_status status = RHM_EMEMORY;
    for (size_t bytes = 64; status != RHM_OK; bytes += bytes / 3) {
        struct rhm_error why = {0};
        rhm_memory_set_budget(bytes);
        status = rhm_network_train(net, &how, NULL, NULL, &why);
        rhm_memory_set_budget(budget);
        assert_true(status == RHM_OK || status == RHM_EMEMORY);
        assert_true(net->trainer == NULL && !net->claim.taken);
        failures += status != RHM_OK;
        if (status != RHM_OK)
            assert_true(strstr(why.text, "the budget is") != NULL && strchr(why.text, '\n') == NULL);
        for (unsigned l = 3; l >= 1; l--) {
            struct rhm_layer_view view;
            must(rhm_network_view(net, l, 1, &view, &err));
            assert_int_equal(view.trained, net->layer[l] ? 1 : -1);
            if (net->layer[l] != NULL)
                assert_true(view.N == 2000 && (l == 3 || net->layer[l + 1] != NULL));
            rhm_layer_view_clear(&view);
        }
    }
    assert_true(failures > 10);
    struct rhm_network *fresh = create_sized(&g, 128, RHM_CODEBOOK_EXACT);
    must(rhm_network_train(fresh, &how, NULL, NULL, &err));
    compare_networks(net, fresh, 0);
    rhm_network_free(fresh);
    rhm_network_free(net);
    rhm_grammar_clear(&g);
}

/* A finish that is interrupted, or fails at any budget, leaves the layer as it was: more steps and the finish
 * then give the bits of a layer that nobody disturbed. */
static void test_finish_by_hand_can_be_called_again(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){6, 4, 2, 3, 6}, 1);
    struct rhm_network *net = create_sized(&g, 64, RHM_CODEBOOK_CENTROID),
                       *other = create_sized(&g, 64, RHM_CODEBOOK_CENTROID);
    struct rhm_train_options how = from_grammar(net, &g, 2000);
    struct rhm_monitor monitor;
    struct rhm_layer_view view;
    struct rhm_error why;
    size_t budget = rhm_memory_budget(), failures = 0;
    must(rhm_monitor_init(&monitor, &err));
    rhm_monitor_ask(&monitor, RHM_REQUEST_STOP);
    how.position = RHM_POSITION_ALL; /* with points of their own beside the outputs */
    for (unsigned l = 3; l >= 1; l--) {
        must(rhm_network_begin(net, l, &how, NULL, &err));
        must(rhm_network_step(net, l, 20, NULL, &err));
        must_fail(rhm_network_finish(net, l, &monitor, &err), RHM_ESTOP, "stopped");
        must(rhm_network_view(net, l, 1, &view, &err));
        assert_true(view.trained == 0 && view.steps == 20 && view.U > 0);
        rhm_layer_view_clear(&view);
        must(rhm_network_step(net, l, 5, NULL, &err));
        enum rhm_status status = RHM_EMEMORY;
        for (size_t bytes = 64; status != RHM_OK; bytes += bytes / 7) {
            rhm_memory_set_budget(bytes);
            status = rhm_network_finish(net, l, NULL, &why);
            rhm_memory_set_budget(budget);
            assert_true(status == RHM_OK || (status == RHM_EMEMORY && net->trainer && !net->layer[l]));
            failures += status != RHM_OK;
        }
        must(rhm_network_begin(other, l, &how, NULL, &err));
        must(rhm_network_step(other, l, 25, NULL, &err));
        must(rhm_network_finish(other, l, NULL, &err));
    }
    assert_true(failures > 30);
    compare_networks(net, other, 0);
    rhm_monitor_clear(&monitor);
    rhm_network_free(net);
    rhm_network_free(other);
    rhm_grammar_clear(&g);
}

static void test_finished_layers_stay(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){6, 4, 2, 4, 6}, 1);
    struct rhm_network *net = create_sized(&g, 128, RHM_CODEBOOK_EXACT);
    struct rhm_train_options how = from_grammar(net, &g, 0);
    how.n[4] = how.n[3] = 50000;
    how.n[2] = how.n[1] = 1000000;
    size_t budget = rhm_memory_budget();
    rhm_memory_set_budget((size_t)10 << 20);
    must_fail(rhm_network_train(net, &how, NULL, NULL, &err), RHM_EMEMORY, "the exact codebook of layer 2",
              "10.0 MiB", "codebook = 'centroid'");
    rhm_memory_set_budget(budget);
    assert_true(net->layer[4] && net->layer[3] && !net->layer[2] && !net->layer[1]);
    how.n[2] = how.n[1] = 2000;
    for (unsigned l = 2; l >= 1; l--) { /* and the work goes on from there */
        must(rhm_network_begin(net, l, &how, NULL, &err));
        must(rhm_network_step(net, l, 20, NULL, &err));
        must(rhm_network_finish(net, l, NULL, &err));
    }
    uint16_t tokens[16], label;
    rhm_sample_strings(&g, 1, 0, 1, tokens, &label);
    must(rhm_network_predict(net, 1, tokens, &label, NULL, NULL, NULL, NULL, &err));
    rhm_network_free(net);
    rhm_grammar_clear(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_order_of_work),
        cmocka_unit_test(test_sources_must_fit),
        cmocka_unit_test(test_options_have_limits),
        cmocka_unit_test(test_budgets_leave_the_network_usable),
        cmocka_unit_test(test_finish_by_hand_can_be_called_again),
        cmocka_unit_test(test_finished_layers_stay),
    };
    return cmocka_run_group_tests_name("refusals", tests, NULL, NULL);
}
