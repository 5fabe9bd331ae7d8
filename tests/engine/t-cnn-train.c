/* t-cnn-train.c - trainings of the convolutional network: what they learn, how they end, pauses, refusals. */
#include "cnn.h"

#include <pthread.h>

#include "engine/base/memory.h"
#include "engine/base/threads.h"
#include "engine/grammar/sample.h"

static struct rhm_dataset sample(const struct rhm_grammar *g, size_t n, uint64_t seed)
{
    struct rhm_dataset data;
    must(rhm_sample_dataset(g, seed, n, &data, &err));
    return data;
}

/* ------------------------------------------------------------ trainings */

static void test_threads_do_not_matter(void **state)
{
    (void)state;
    int before = rhm_threads_get();
    for (int wide = 0; wide < 2; wide++)
        for (int local = 0; local < 2; local++) {
            struct rhm_cnn *net[3];
            struct rhm_dataset data = random_strings(300, 8, 8, 8);
            for (int k = 0; k < 3; k++) {
                must(rhm_threads_set(k + 1, &err));
                net[k] = make((struct rhm_cnn_options){
                    .V = 8, .s = 2, .L = 3, .h = wide ? 272 : 40, .seed = 3, .local = local});
                struct rhm_cnn_train_options o = rhm_cnn_train_defaults(net[k]);
                o.data = &data;
                o.epochs = 2;
                must(rhm_cnn_train(net[k], &o, NULL, NULL, &err));
                if (k > 0)
                    assert_memory_equal(net[k]->w, net[0]->w, net[0]->parameters * sizeof(float));
            }
            for (int k = 0; k < 3; k++)
                rhm_cnn_free(net[k]);
            rhm_dataset_clear(&data);
        }
    must(rhm_threads_set(before, &err));
}

/* Labels at random: nothing but memory helps. */
static void test_tiny_sets_are_learned_by_heart(void **state)
{
    (void)state;
    struct rhm_dataset data = random_strings(20, 8, 6, 4);
    for (int k = 0; k < 8; k++) {
        struct rhm_cnn *net =
            make((struct rhm_cnn_options){.V = 6,
                                          .s = 2,
                                          .L = 3,
                                          .classes = 4,
                                          .h = 64,
                                          .local = k & 1,
                                          .scaling = k & 2 ? RHM_CNN_MEAN_FIELD : RHM_CNN_STANDARD,
                                          .seed = 1});
        struct rhm_cnn_train_options o = rhm_cnn_train_defaults(net);
        struct rhm_cnn_result result;
        o.data = &data;
        o.batch = 7;
        o.epochs = 400;
        o.optimiser = k & 4 ? RHM_CNN_ADAM : RHM_CNN_SGD;
        must(rhm_cnn_train(net, &o, NULL, &result, &err));
        if (result.end != RHM_CNN_END_LOSS || result.accuracy < 1)
            fail_msg("case %d: loss %g after %d epochs", k, result.loss, (int)result.epochs);
        assert_true(result.loss < 1e-3);
        assert_int_equal(net->history.n, result.epochs);
        struct rhm_cnn_point point[3];
        uint64_t steps, epochs;
        assert_int_equal(rhm_cnn_history(net, &steps, &epochs, 3, point), result.epochs);
        assert_int_equal(steps, result.steps);
        assert_int_equal(epochs, result.epochs);
        assert_memory_equal(point, net->history.point, sizeof point);
        assert_near(net->history.point[result.epochs - 1].loss, result.loss, 0);
        rhm_cnn_free(net);
    }
    rhm_dataset_clear(&data);
}

/* (8,4,2,2): the sample complexity of PRX 2024 is classes m^L = 128 strings; ten times as many are enough. */
static void test_learns_a_grammar(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 2; seed++) {
        struct rhm_grammar g = draw_grammar((struct shape){.V = 8, .m = 4, .s = 2, .L = 2}, seed);
        struct rhm_dataset data = sample(&g, 1280, 1), test = sample(&g, 5000, 2);
        for (int scaling = 0; scaling < 2; scaling++) {
            struct rhm_cnn *net = make((struct rhm_cnn_options){
                .V = 8, .s = 2, .L = 2, .h = 64, .seed = seed, .scaling = (enum rhm_cnn_scaling)scaling});
            struct rhm_cnn_train_options o = rhm_cnn_train_defaults(net);
            double accuracy, before;
            o.data = &data;
            must(rhm_cnn_measure(net, &test, &before, NULL, NULL, NULL, &err));
            must(rhm_cnn_train(net, &o, NULL, NULL, &err));
            must(rhm_cnn_measure(net, &test, &accuracy, NULL, NULL, NULL, &err));
            print_message("grammar %d, %s: %.4f of fresh strings\n", (int)seed,
                          scaling ? "mean-field" : "standard", accuracy);
            assert_true(before < 0.4 && accuracy > 0.95);
            rhm_cnn_free(net);
        }
        rhm_dataset_clear(&data);
        rhm_dataset_clear(&test);
        rhm_grammar_clear(&g);
    }
}

/* (8,4,2,3): 2000 strings are enough for 90 % (a share of .015 of all strings). */
static void test_few_strings_are_enough(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct rhm_grammar g = draw_grammar((struct shape){.V = 8, .m = 4, .s = 2, .L = 3}, seed);
        struct rhm_dataset data = sample(&g, 2000, 1), test = sample(&g, 5000, 2);
        struct rhm_cnn_options options = rhm_cnn_defaults();
        options.V = 8;
        options.s = 2;
        options.L = 3;
        options.h = 64;
        options.seed = seed;
        struct rhm_cnn *net = make(options);
        struct rhm_cnn_train_options o = rhm_cnn_train_defaults(net);
        double accuracy;
        o.data = &data;
        must(rhm_cnn_train(net, &o, NULL, NULL, &err));
        must(rhm_cnn_measure(net, &test, &accuracy, NULL, NULL, NULL, &err));
        print_message("grammar %d: %.4f\n", (int)seed, accuracy);
        assert_true(accuracy > 0.9);
        rhm_cnn_free(net);
        rhm_dataset_clear(&data);
        rhm_dataset_clear(&test);
        rhm_grammar_clear(&g);
    }
}

static void test_patience(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){.V = 8, .m = 4, .s = 2, .L = 2}, 1);
    struct rhm_dataset data = sample(&g, 60, 1), held = sample(&g, 300, 2); /* too few: it overfits */
    struct rhm_cnn *net = make((struct rhm_cnn_options){.V = 8, .s = 2, .L = 2, .h = 64, .seed = 1});
    struct rhm_cnn_train_options o = rhm_cnn_train_defaults(net);
    struct rhm_cnn_result result;
    double loss, least = INFINITY;
    size_t at = 0;
    o.data = &data;
    o.held_out = &held;
    o.patience = 5;
    o.batch = 20;
    o.stop_loss = 0;
    must(rhm_cnn_train(net, &o, NULL, &result, &err));
    assert_int_equal(result.end, RHM_CNN_END_HELD_OUT);
    for (size_t i = 0; i < net->history.n; i++)
        if (net->history.point[i].held_loss < least) {
            least = net->history.point[i].held_loss;
            at = i;
        }
    assert_int_equal(net->history.n, at + 1 + 5);
    must(rhm_cnn_measure(net, &held, NULL, &loss, NULL, NULL, &err));
    assert_near(loss, least, 1e-6); /* the best weights are back */
    assert_true(result.held_loss > least);
    o.patience = 0;
    o.epochs = 4;
    must(rhm_cnn_train(net, &o, NULL, &result, &err)); /* goes on: epochs are counted further */
    assert_int_equal(result.end, RHM_CNN_END_EPOCHS);
    assert_int_equal(result.epochs, 4);
    assert_int_equal(net->history.point[net->history.n - 1].epoch, at + 1 + 5 + 4);
    must(rhm_cnn_reset(net, &err));
    struct rhm_cnn *fresh = make((struct rhm_cnn_options){.V = 8, .s = 2, .L = 2, .h = 64, .seed = 1});
    assert_memory_equal(net->w, fresh->w, net->parameters * sizeof(float));
    assert_int_equal(net->history.n + net->epochs + net->steps, 0);
    rhm_cnn_free(net);
    rhm_cnn_free(fresh);
    rhm_dataset_clear(&data);
    rhm_dataset_clear(&held);
    rhm_grammar_clear(&g);
}

/* ------------------------------------------------------------ pausing */

struct worker {
    struct rhm_cnn *net;
    struct rhm_cnn_train_options o;
    struct rhm_monitor monitor;
    enum rhm_status status;
    struct rhm_error err;
};

static void *work(void *argument)
{
    struct worker *w = argument;
    w->status = rhm_cnn_train(w->net, &w->o, &w->monitor, NULL, &w->err);
    rhm_monitor_state(&w->monitor, RHM_JOB_DONE);
    return NULL;
}

static void wait_for(struct rhm_monitor *m, enum rhm_job_state state)
{
    pthread_mutex_lock(&m->lock);
    while (m->progress.state != state && m->progress.state != RHM_JOB_DONE)
        pthread_cond_wait(&m->changed, &m->lock);
    pthread_mutex_unlock(&m->lock);
}

static void test_pause_and_stop(void **state)
{
    (void)state;
    struct rhm_dataset data = random_strings(1000, 8, 8, 8);
    struct rhm_cnn_options options = {.V = 8, .s = 2, .L = 3, .h = 48, .seed = 3};
    struct rhm_cnn *net[2] = {make(options), make(options)};
    struct worker w = {.net = net[0], .o = rhm_cnn_train_defaults(net[0])};
    w.o.data = &data;
    w.o.epochs = 30;
    w.o.stop_loss = 0;
    must(rhm_monitor_init(&w.monitor, &err));
    w.monitor.progress.state = RHM_JOB_RUNNING;
    rhm_monitor_ask(&w.monitor, RHM_REQUEST_PAUSE);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, work, &w), 0);
    for (int k = 0; k < 3; k++) {
        double accuracy;
        wait_for(&w.monitor, RHM_JOB_PAUSED);
        struct rhm_progress now;
        rhm_monitor_read(&w.monitor, &now);
        assert_int_equal(now.state, RHM_JOB_PAUSED);
        must(rhm_cnn_measure(net[0], &data, &accuracy, NULL, NULL, NULL, &err)); /* it can be read */
        must_fail(rhm_cnn_train(net[0], &w.o, NULL, NULL, &err), RHM_ESTATE, "in training");
        must_fail(rhm_cnn_reset(net[0], &err), RHM_ESTATE, "in training");
        rhm_monitor_ask(&w.monitor, RHM_REQUEST_RUN);
        if (k < 2)
            rhm_monitor_ask(&w.monitor, RHM_REQUEST_PAUSE);
    }
    pthread_join(thread, NULL);
    assert_int_equal(w.status, RHM_OK);
    struct rhm_progress progress;
    rhm_monitor_read(&w.monitor, &progress);
    assert_string_equal(progress.work.kind, "cnn");
    assert_int_equal(progress.work.done, 30);
    assert_int_equal(progress.work.all, 30);
    assert_true(progress.work.value[0] > 0);
    struct rhm_curve curve;
    rhm_monitor_curve(&w.monitor, &curve);
    assert_int_equal(curve.n, 30);
    for (size_t i = 0; i < curve.n; i++) {
        assert_int_equal(curve.point[i].done, i + 1);
        assert_true(curve.point[i].value[0] == net[0]->history.point[i].loss);
    }
    must(rhm_cnn_train(net[1], &w.o, NULL, NULL, &err));
    assert_memory_equal(net[0]->w, net[1]->w, net[0]->parameters * sizeof(float));
    rhm_monitor_ask(&w.monitor, RHM_REQUEST_STOP);
    must_fail(rhm_cnn_train(net[1], &w.o, &w.monitor, NULL, &err), RHM_ESTOP, "stopped");
    assert_int_equal(atomic_load(&net[1]->claim.taken), 0);
    rhm_monitor_clear(&w.monitor);
    rhm_cnn_free(net[0]);
    rhm_cnn_free(net[1]);
    rhm_dataset_clear(&data);
}

/* ------------------------------------------------------------ refusals */

static void refuse(struct rhm_cnn_options o, const char *what, const char *limit)
{
    struct rhm_cnn *net = NULL;
    must_fail(rhm_cnn_create(&net, &o, &err), RHM_EARG, what, limit);
    assert_null(net);
}

static void test_refusals(void **state)
{
    (void)state;
    const struct rhm_cnn_options good = {.V = 4, .s = 2, .L = 2, .h = 8};
    struct rhm_cnn_options o = good;
    o.V = 1;
    refuse(o, "V = 1", "2..65535");
    o = good;
    o.classes = 70000;
    refuse(o, "classes = 70000", "2..65535");
    o = good;
    o.s = 1;
    refuse(o, "s = 1", "2 or more");
    o = good;
    o.L = 63;
    refuse(o, "L = 63", "s^L < 2^63");
    o = good;
    o.h = 0;
    refuse(o, "h = 0", "1..");
    struct rhm_cnn *net;
    o = good;
    o.L = 40;
    o.local = 1;
    must_fail(rhm_cnn_create(&net, &o, &err), RHM_EMEMORY, "the budget is", "smaller h");

    net = make(good);
    struct rhm_dataset data = random_strings(10, 4, 4, 4), longer = random_strings(10, 8, 4, 4),
                       more = random_strings(10, 4, 4, 4), labels = random_strings(10, 4, 4, 4), none = data;
    none.n = 0;
    more.V = 6;
    more.tokens[22] = 5;
    labels.classes = 9;
    labels.labels[3] = 8;
    struct rhm_cnn_train_options t = rhm_cnn_train_defaults(net), bad;
    t.data = &data;
    const struct {
        const struct rhm_dataset *data;
        const char *what, *limit;
    } sets[] = {{&longer, "8 tokens", "s^L = 2^2 = 4"},
                {&none, "empty", "empty"},
                {&more, "token 6", "V = 4"},
                {&labels, "label 9", "4 classes"}};
    for (size_t k = 0; k < COUNT(sets); k++) {
        bad = t;
        bad.data = sets[k].data;
        must_fail(rhm_cnn_train(net, &bad, NULL, NULL, &err), RHM_EARG, sets[k].what, sets[k].limit);
        must_fail(rhm_cnn_measure(net, sets[k].data, NULL, NULL, NULL, NULL, &err), RHM_EARG, sets[k].what);
        bad = t;
        bad.held_out = sets[k].data;
        must_fail(rhm_cnn_train(net, &bad, NULL, NULL, &err), RHM_EARG, sets[k].what);
    }
    bad = t;
    bad.rate = -1;
    must_fail(rhm_cnn_train(net, &bad, NULL, NULL, &err), RHM_EARG, "rate = -1", "positive");
    bad = t;
    bad.momentum = 1;
    must_fail(rhm_cnn_train(net, &bad, NULL, NULL, &err), RHM_EARG, "momentum = 1", "[0, 1)");
    bad = t;
    bad.stop_loss = NAN;
    must_fail(rhm_cnn_train(net, &bad, NULL, NULL, &err), RHM_EARG, "stop_loss", "0 (never)");
    bad = t;
    bad.patience = 3;
    must_fail(rhm_cnn_train(net, &bad, NULL, NULL, &err), RHM_EARG, "patience = 3", "held_out");
    bad = t;
    bad.epochs = 0;
    must_fail(rhm_cnn_train(net, &bad, NULL, NULL, &err), RHM_EARG, "epochs = 0");
    bad = t;
    bad.batch = 0;
    must_fail(rhm_cnn_train(net, &bad, NULL, NULL, &err), RHM_EARG, "batch = 0");
    bad = t;
    bad.rate = 1e30;
    must_fail(rhm_cnn_train(net, &bad, NULL, NULL, &err), RHM_ENUMERIC, "not finite", "lower rate", "1e+30");
    assert_int_equal(atomic_load(&net->claim.taken), 0);
    rhm_cnn_free(net);
    rhm_dataset_clear(&data);
    rhm_dataset_clear(&longer);
    rhm_dataset_clear(&more);
    rhm_dataset_clear(&labels);
}

/* A batch that does not fit the budget is refused before anything is allocated. */
static void test_budget(void **state)
{
    (void)state;
    struct rhm_cnn *net = make((struct rhm_cnn_options){.V = 4, .s = 2, .L = 8, .h = 64});
    struct rhm_dataset data = random_strings(2000, 256, 4, 4);
    struct rhm_cnn_train_options t = rhm_cnn_train_defaults(net);
    size_t budget = rhm_memory_budget();
    t.data = &data;
    t.batch = 2000; /* 2000 x 255 x 64 floats, twice */
    rhm_memory_set_budget(100 << 20);
    must_fail(rhm_cnn_train(net, &t, NULL, NULL, &err), RHM_EMEMORY, "249", "100 MiB", "smaller batch");
    rhm_memory_set_budget(budget);
    rhm_cnn_free(net);
    rhm_dataset_clear(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_do_not_matter),
        cmocka_unit_test(test_tiny_sets_are_learned_by_heart),
        cmocka_unit_test(test_learns_a_grammar),
        cmocka_unit_test(test_few_strings_are_enough),
        cmocka_unit_test(test_patience),
        cmocka_unit_test(test_pause_and_stop),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
