/* t-cnn-steps.c - the steps of a training of the convolutional network: batches, rates, when it stops. */
#include "cnn.h"

#define N     5
#define BATCH 3 /* of N: the second batch has 2 */

static struct rhm_dataset subset(const struct rhm_dataset *data, unsigned members)
{
    struct rhm_dataset some;
    size_t n = 0;
    must(rhm_dataset_init(&some, (size_t)__builtin_popcount(members), data->d, data->V, data->classes, &err));
    for (size_t i = 0; i < data->n; i++)
        if (members >> i & 1) {
            memcpy(some.tokens + n * data->d, data->tokens + i * data->d, data->d * sizeof *data->tokens);
            some.labels[n++] = data->labels[i];
        }
    return some;
}

/* One step by the mean gradient of some strings; m: the momentum's sum. */
static void step_by_hand(struct rhm_cnn *net, const struct rhm_dataset *data, unsigned members, double rate,
                         double momentum, double *m)
{
    struct rhm_dataset some = subset(data, members);
    float *gradient = room(net->parameters, sizeof *gradient);
    must(rhm_cnn_gradient(net, &some, NULL, gradient, &err));
    for (size_t i = 0; i < net->parameters; i++) {
        m[i] = momentum * m[i] + gradient[i];
        net->w[i] -= (float)(rate * m[i]);
    }
    free(gradient);
    rhm_dataset_clear(&some);
}

static double distance(const struct rhm_cnn *a, const float *w)
{
    double most = 0;
    for (size_t i = 0; i < a->parameters; i++)
        most = fmax(most, fabs((double)a->w[i] - (double)w[i]));
    return most;
}

/* An epoch of two batches is the two steps by hand for exactly one of the ten ways to part the strings: each
 * gradient is the mean over its own batch, also over the smaller one, and the rate goes on within the epoch.
 */
static void test_smaller_last_batch(void **state)
{
    (void)state;
    static const struct {
        enum rhm_cnn_scaling scaling;
        enum rhm_cnn_schedule schedule;
        double momentum, later; /* rate of the second step */
    } cases[] = {
        {RHM_CNN_STANDARD, RHM_CNN_CONSTANT, 0, 1},
        {RHM_CNN_MEAN_FIELD, RHM_CNN_COSINE, 0.9, 0.5},
        {RHM_CNN_STANDARD, RHM_CNN_STEP, 0.5, 0.1},
    };
    for (size_t k = 0; k < COUNT(cases); k++) {
        struct rhm_cnn_options options = {
            .V = 4, .s = 2, .L = 2, .h = 6, .seed = k, .scaling = cases[k].scaling};
        struct rhm_cnn *net = make(options);
        struct rhm_dataset data = random_strings(N, net->d, net->V, net->classes);
        float *first = room(net->parameters, sizeof *first);
        memcpy(first, net->w, net->parameters * sizeof *first);
        struct rhm_cnn_train_options o = rhm_cnn_train_defaults(net);
        o.data = &data;
        o.batch = BATCH;
        o.epochs = 1;
        o.schedule = cases[k].schedule;
        o.momentum = cases[k].momentum;
        o.rate = 0.2;
        must(rhm_cnn_train(net, &o, NULL, NULL, &err));
        assert_int_equal(net->steps, 2);
        double moved = distance(net, first), rate = 0.2 * (cases[k].scaling ? 6 : 1);
        size_t equal = 0;
        assert_true(moved > 0.01);
        for (unsigned members = 0; members < 1u << N; members++) {
            if (__builtin_popcount(members) != BATCH)
                continue;
            struct rhm_cnn *hand = make(options);
            double *m = room(hand->parameters, sizeof *m);
            step_by_hand(hand, &data, members, rate, cases[k].momentum, m);
            step_by_hand(hand, &data, ((1u << N) - 1) ^ members, rate * cases[k].later, cases[k].momentum, m);
            equal += distance(hand, net->w) < 1e-5 * moved;
            free(m);
            rhm_cnn_free(hand);
        }
        assert_int_equal(equal, 1);
        free(first);
        rhm_dataset_clear(&data);
        rhm_cnn_free(net);
    }
}

static void test_rates(void **state)
{
    (void)state;
    static const double steps[] = {1, 1, 1, 1, 0.1, 0.1, 0.01, 0.01};
    for (int k = 0; k < 12; k++) {
        enum rhm_cnn_schedule schedule = (enum rhm_cnn_schedule)(k % 3);
        int adam = k / 3 % 2, mean_field = k / 6;
        struct rhm_cnn *net = make((struct rhm_cnn_options){
            .V = 4, .s = 2, .L = 2, .h = 6, .scaling = mean_field ? RHM_CNN_MEAN_FIELD : RHM_CNN_STANDARD});
        struct rhm_dataset data = random_strings(20, net->d, net->V, net->classes);
        struct rhm_cnn_train_options o = rhm_cnn_train_defaults(net);
        double first = adam ? (mean_field ? 0.03 : 0.001) : (mean_field ? 0.1 * 6 : 0.1);
        o.data = &data;
        o.batch = 7;
        o.epochs = 8;
        o.stop_loss = 0;
        o.schedule = schedule;
        o.optimiser = adam ? RHM_CNN_ADAM : RHM_CNN_SGD;
        must(rhm_cnn_train(net, &o, NULL, NULL, &err));
        assert_int_equal(net->history.n, 8);
        for (int e = 0; e < 8; e++)
            assert_near(net->history.point[e].rate,
                        first * (schedule == RHM_CNN_CONSTANT ? 1
                                 : schedule == RHM_CNN_STEP   ? steps[e]
                                                              : (1 + cos(M_PI * e / 8)) / 2),
                        1e-12);
        rhm_dataset_clear(&data);
        rhm_cnn_free(net);
    }
}

/* It ends after the first epoch whose loss is below, and is as it would be had one asked for so many epochs.
 */
static void test_stop_loss(void **state)
{
    (void)state;
    struct rhm_cnn_options options = {.V = 4, .s = 2, .L = 2, .h = 32, .seed = 1};
    struct rhm_cnn *net[2] = {make(options), make(options)};
    struct rhm_dataset data = random_strings(20, 4, 4, 4);
    struct rhm_cnn_train_options o = rhm_cnn_train_defaults(net[0]);
    struct rhm_cnn_result result;
    o.data = &data;
    o.schedule = RHM_CNN_CONSTANT;
    o.stop_loss = 0.3;
    must(rhm_cnn_train(net[0], &o, NULL, &result, &err));
    assert_int_equal(result.end, RHM_CNN_END_LOSS);
    assert_true(result.epochs > 2 && result.epochs < o.epochs);
    for (size_t e = 0; e < result.epochs; e++)
        assert_int_equal(net[0]->history.point[e].loss < 0.3, e + 1 == result.epochs);
    o.stop_loss = 0;
    o.epochs = result.epochs;
    must(rhm_cnn_train(net[1], &o, NULL, &result, &err));
    assert_int_equal(result.end, RHM_CNN_END_EPOCHS);
    assert_memory_equal(net[0]->w, net[1]->w, net[0]->parameters * sizeof(float));
    rhm_dataset_clear(&data);
    rhm_cnn_free(net[0]);
    rhm_cnn_free(net[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_smaller_last_batch),
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_stop_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
