/* t-cnn.c - the convolutional network: a naive one in double beside it, optimisers, trainings, their ends. */
#include "common.h"

#include <pthread.h>

#include "engine/cnn.h"
#include "engine/memory.h"
#include "engine/rng.h"
#include "engine/sample.h"
#include "engine/threads.h"

/* ------------------------------------------------------------ things to test with */

#define assert_near(got, wanted, tolerance)                                                                  \
    do {                                                                                                     \
        double got_ = (got), wanted_ = (wanted);                                                             \
        if (!(fabs(got_ - wanted_) <= (tolerance)))                                                          \
            fail_msg("%s = %.9g, not %.9g", #got, got_, wanted_);                                            \
    } while (0)

static struct rhm_cnn *make(struct rhm_cnn_options o)
{
    struct rhm_cnn *net = NULL;
    must(rhm_cnn_create(&net, &o, &err));
    return net;
}

static struct rhm_dataset random_strings(size_t n, uint64_t d, unsigned V, unsigned classes)
{
    struct rhm_dataset data;
    must(rhm_dataset_init(&data, n, (size_t)d, V, classes, &err));
    struct rhm_rng rng = rhm_rng_start(11, RHM_STREAM_TEST, n);
    for (size_t i = 0; i < n * d; i++)
        data.tokens[i] = (uint16_t)rhm_rng_below(&rng, V);
    for (size_t i = 0; i < n; i++)
        data.labels[i] = (uint16_t)rhm_rng_below(&rng, classes);
    return data;
}

/* Weights as they are, biases drawn, so that these count as well. */
static void draw_biases(struct rhm_cnn *net)
{
    struct rhm_rng rng = rhm_rng_start(12, RHM_STREAM_TEST, net->parameters);
    for (unsigned l = 0; l <= net->L; l++)
        for (size_t i = 0; i < net->layer[l].sets * net->layer[l].outputs; i++)
            net->w[net->layer[l].bias + i] = (float)(0.4 * rhm_rng_uniform(&rng) - 0.2);
}

static struct rhm_dataset sample(const struct rhm_grammar *g, size_t n, uint64_t seed)
{
    struct rhm_dataset data;
    must(rhm_sample_dataset(g, seed, n, &data, &err));
    return data;
}

/* ------------------------------------------------------------ the naive network */

/* Logits of one string by the formula of cnn.h, in double; w: parameters. */
static void naive_logits(const struct rhm_cnn *net, const double *w, const uint16_t *token, double *logit)
{
    size_t d = (size_t)net->d, V = net->V, channels = V, width = d;
    double *x = room(d * V, sizeof *x);
    for (size_t i = 0; i < d; i++)
        x[i * V + token[i]] = 1;
    double first = net->scaling == RHM_CNN_MEAN_FIELD ? 1 / sqrt((double)V) : 1;
    double later = net->scaling == RHM_CNN_MEAN_FIELD ? 1 / sqrt((double)net->h) : 1;
    double head = net->scaling == RHM_CNN_MEAN_FIELD ? 1 / (double)net->h : 1;
    for (unsigned l = net->L; l >= 1; l--) {
        size_t positions = width / net->s, in = net->s * channels, h = net->h;
        double *y = room(positions * h, sizeof *y);
        for (size_t p = 0; p < positions; p++)
            for (size_t c = 0; c < h; c++) {
                size_t set = net->local ? p : 0;
                double z = 0;
                for (size_t i = 0; i < in; i++)
                    z += w[net->layer[l].weight + (set * in + i) * h + c] * x[p * in + i];
                z = (l == net->L ? first : later) * z + w[net->layer[l].bias + set * h + c];
                y[p * h + c] = z > 0 ? z : 0;
            }
        free(x);
        x = y;
        channels = h;
        width = positions;
    }
    for (size_t c = 0; c < net->classes; c++) {
        double z = w[net->layer[0].bias + c];
        for (size_t i = 0; i < net->h; i++)
            z += w[net->layer[0].weight + i * net->classes + c] * x[i];
        logit[c] = head * z;
    }
    free(x);
}

static double naive_loss(const struct rhm_cnn *net, const double *w, const struct rhm_dataset *data)
{
    double *z = room(net->classes, sizeof *z), loss = 0;
    for (size_t i = 0; i < data->n; i++) {
        double sum = 0;
        naive_logits(net, w, data->tokens + i * data->d, z);
        for (size_t c = 0; c < net->classes; c++)
            sum += exp(z[c]);
        loss += log(sum) - z[data->labels[i]];
    }
    free(z);
    return loss / (double)data->n;
}

static double *in_double(const struct rhm_cnn *net)
{
    double *w = room(net->parameters, sizeof *w);
    for (size_t i = 0; i < net->parameters; i++)
        w[i] = net->w[i];
    return w;
}

/* Central differences of the naive loss. */
static double naive_derivative(const struct rhm_cnn *net, double *w, size_t i, const struct rhm_dataset *data)
{
    const double e = 1e-6;
    double kept = w[i], up, down;
    w[i] = kept + e;
    up = naive_loss(net, w, data);
    w[i] = kept - e;
    down = naive_loss(net, w, data);
    w[i] = kept;
    return (up - down) / (2 * e);
}

static const struct rhm_cnn_options small[] = {
    {.V = 4, .s = 2, .L = 3, .h = 5, .seed = 1},
    {.V = 4, .s = 2, .L = 3, .h = 5, .seed = 2, .scaling = RHM_CNN_MEAN_FIELD},
    {.V = 3, .s = 3, .L = 2, .classes = 5, .h = 7, .seed = 3},
    {.V = 3, .s = 2, .L = 3, .classes = 2, .h = 4, .seed = 4, .local = 1},
    {.V = 3, .s = 3, .L = 2, .h = 4, .seed = 5, .local = 1, .scaling = RHM_CNN_MEAN_FIELD},
    {.V = 5, .s = 6, .L = 1, .classes = 3, .h = 8, .seed = 6}, /* one hidden layer */
};

static void test_gradient(void **state)
{
    (void)state;
    double worst = 0;
    for (size_t k = 0; k < COUNT(small); k++) {
        struct rhm_cnn *net = make(small[k]);
        struct rhm_dataset data = random_strings(70, net->d, net->V, net->classes); /* three shards */
        draw_biases(net);
        double *w = in_double(net), loss, largest = 0, error = 0;
        float *gradient = room(net->parameters, sizeof *gradient);
        must(rhm_cnn_gradient(net, &data, &loss, gradient, &err));
        assert_near(loss, naive_loss(net, w, &data), 1e-6);
        for (size_t i = 0; i < net->parameters; i++) {
            double wanted = naive_derivative(net, w, i, &data);
            largest = fmax(largest, fabs(wanted));
            error = fmax(error, fabs(wanted - gradient[i]));
        }
        assert_true(largest > 0.01);
        if (!(error < 2e-6 * fmax(1, largest)))
            fail_msg("case %zu: gradients differ by %g, the largest is %g", k, error, largest);
        worst = fmax(worst, error / largest);
        rhm_dataset_clear(&data);
        rhm_cnn_free(net);
        free(gradient);
        free(w);
    }
    print_message("gradients against finite differences: %.1e of the largest\n", worst);
}

/* The wide network has other sizes of pieces: one derivative along a direction, and all outputs. */
static void test_wide(void **state)
{
    (void)state;
    for (int local = 0; local < 2; local++) {
        struct rhm_cnn *net =
            make((struct rhm_cnn_options){.V = 4, .s = 2, .L = 2, .h = 260, .seed = 7, .local = local});
        struct rhm_dataset data = random_strings(130, net->d, net->V, net->classes);
        draw_biases(net);
        double *w = in_double(net), *moved = room(net->parameters, sizeof *moved), along = 0, loss[2];
        float *gradient = room(net->parameters, sizeof *gradient);
        must(rhm_cnn_gradient(net, &data, NULL, gradient, &err));
        for (int side = 0; side < 2; side++) {
            for (size_t i = 0; i < net->parameters; i++)
                moved[i] = w[i] + (side ? 1e-8 : -1e-8) * cos((double)i);
            loss[side] = naive_loss(net, moved, &data);
        }
        for (size_t i = 0; i < net->parameters; i++)
            along += gradient[i] * cos((double)i);
        double wanted = (loss[1] - loss[0]) / 2e-8; /* so short that no ReLU turns on the way */
        assert_true(fabs(wanted) > 0.01);
        assert_near(along, wanted, 1e-4 * fabs(wanted));
        rhm_dataset_clear(&data);
        rhm_cnn_free(net);
        free(gradient);
        free(moved);
        free(w);
    }
}

static void test_predictions(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(small); k++) {
        struct rhm_cnn *net = make(small[k]);
        size_t n = 1500, C = net->classes; /* more than a batch */
        struct rhm_dataset data = random_strings(n, net->d, net->V, net->classes);
        draw_biases(net);
        double *w = in_double(net), *p = room(n * C, sizeof *p), *z = room(C, sizeof *z), loss, accuracy;
        uint16_t *labels = room(n, sizeof *labels);
        size_t right = 0;
        must(rhm_cnn_predict(net, n, data.tokens, labels, p, NULL, NULL, &err));
        for (size_t i = 0; i < n; i++) {
            double sum = 0;
            naive_logits(net, w, data.tokens + i * data.d, z);
            for (size_t c = 0; c < C; c++)
                sum += exp(z[c]);
            for (size_t c = 0; c < C; c++) {
                assert_near(p[i * C + c], exp(z[c]) / sum, 1e-5);
                assert_true(p[i * C + c] <= p[i * C + labels[i]]);
            }
            right += labels[i] == data.labels[i];
        }
        must(rhm_cnn_accuracy(net, &data, &accuracy, &loss, NULL, NULL, &err));
        assert_near(accuracy, (double)right / (double)n, 1e-12);
        assert_near(loss, naive_loss(net, w, &data), 1e-5);
        free(w);
        free(p);
        free(z);
        free(labels);
        rhm_dataset_clear(&data);
        rhm_cnn_free(net);
    }
}

/* The last layer's features, through the head, are the logits. */
static void test_features(void **state)
{
    (void)state;
    struct rhm_cnn *net = make(small[3]);
    struct rhm_dataset data = random_strings(9, net->d, net->V, net->classes);
    draw_biases(net);
    size_t h = net->h, C = net->classes;
    double *w = in_double(net), z[2];
    float *y = room(9 * h, sizeof *y), *deep = room(9 * 4 * h, sizeof *deep);
    must(rhm_cnn_features(net, 1, 9, data.tokens, y, &err));
    for (size_t i = 0; i < 9; i++) {
        naive_logits(net, w, data.tokens + i * data.d, z);
        for (size_t c = 0; c < C; c++) {
            double sum = net->w[net->layer[0].bias + c];
            for (size_t k = 0; k < h; k++)
                sum += net->w[net->layer[0].weight + k * C + c] * y[i * h + k];
            assert_near(sum, z[c], 1e-5);
        }
    }
    must(rhm_cnn_features(net, 3, 9, data.tokens, deep, &err)); /* position 2 of string 5 by hand */
    const uint16_t *token = data.tokens + 5 * data.d + 2 * 2;
    const float *weight = net->w + net->layer[3].weight + 2 * 6 * h;
    for (size_t c = 0; c < h; c++) {
        double sum = weight[token[0] * h + c] + weight[(3 + token[1]) * h + c] +
                     net->w[net->layer[3].bias + 2 * h + c];
        assert_near(deep[(5 * 4 + 2) * h + c], fmax(0, sum), 1e-6);
    }
    must_fail(rhm_cnn_features(net, 4, 9, data.tokens, deep, &err), RHM_EARG, "layer 4", "1..3");
    free(w);
    free(y);
    free(deep);
    rhm_dataset_clear(&data);
    rhm_cnn_free(net);
}

/* ------------------------------------------------------------ first weights */

static void test_first_weights(void **state)
{
    (void)state;
    for (int scaling = 0; scaling < 2; scaling++) {
        struct rhm_cnn *net = make((struct rhm_cnn_options){
            .V = 16, .s = 2, .L = 2, .h = 300, .seed = 1, .scaling = (enum rhm_cnn_scaling)scaling});
        for (unsigned l = 0; l <= 2; l++) {
            const struct rhm_cnn_layer *layer = &net->layer[l];
            size_t n = layer->inputs * layer->outputs;
            double sum = 0, square = 0,
                   wanted = scaling == RHM_CNN_MEAN_FIELD ? 1 : (l ? 2.0 : 1.0) / (double)layer->inputs;
            for (size_t i = 0; i < n; i++) {
                double w = net->w[layer->weight + i];
                sum += w;
                square += w * w;
            }
            /* five standard deviations of the mean and of the variance */
            assert_true(fabs(sum / (double)n) < 5 * sqrt(wanted / (double)n));
            assert_true(fabs(square / (double)n / wanted - 1) < 5 * sqrt(2 / (double)n));
            for (size_t i = 0; i < layer->outputs; i++)
                assert_true(net->w[layer->bias + i] == 0);
        }
        struct rhm_cnn *other = make((struct rhm_cnn_options){
            .V = 16, .s = 2, .L = 2, .h = 300, .seed = 2, .scaling = (enum rhm_cnn_scaling)scaling});
        size_t equal = 0;
        for (size_t i = 0; i < net->layer[0].bias; i++)
            equal += net->w[i] == other->w[i];
        assert_true(equal < 100);
        rhm_cnn_free(net);
        rhm_cnn_free(other);
    }
}

/* ------------------------------------------------------------ optimisers */

/* Three epochs of one batch, in double: the order of the strings does not matter. */
static void naive_training(const struct rhm_cnn *net, double *w, const struct rhm_dataset *data,
                           const struct rhm_cnn_train_options *o)
{
    size_t n = net->parameters;
    double *g = room(n, sizeof *g), *m = room(n, sizeof *m), *v = room(n, sizeof *v);
    for (int t = 1; t <= 3; t++) {
        double rate = o->rate * (o->schedule == RHM_CNN_COSINE           ? (1 + cos(M_PI * (t - 1) / 3)) / 2
                                 : o->schedule == RHM_CNN_STEP && t == 3 ? 0.1 /* 2/3 of the way */
                                                                         : 1);
        if (net->scaling == RHM_CNN_MEAN_FIELD && o->optimiser == RHM_CNN_SGD)
            rate *= (double)net->h;
        for (size_t i = 0; i < n; i++)
            g[i] = naive_derivative(net, w, i, data);
        for (size_t i = 0; i < n; i++) {
            if (o->optimiser == RHM_CNN_SGD) {
                m[i] = o->momentum * m[i] + g[i];
                w[i] -= rate * m[i];
            } else {
                m[i] = 0.9 * m[i] + 0.1 * g[i];
                v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
                w[i] -= rate * (m[i] / (1 - pow(0.9, t))) / (sqrt(v[i] / (1 - pow(0.999, t))) + 1e-8);
            }
        }
    }
    free(g);
    free(m);
    free(v);
}

static void test_optimisers(void **state)
{
    (void)state;
    static const struct {
        size_t net;
        enum rhm_cnn_optimiser optimiser;
        enum rhm_cnn_schedule schedule;
        double rate, momentum;
    } cases[] = {
        {0, RHM_CNN_SGD, RHM_CNN_CONSTANT, 0.1, 0},  {0, RHM_CNN_SGD, RHM_CNN_COSINE, 0.1, 0.9},
        {1, RHM_CNN_SGD, RHM_CNN_STEP, 0.1, 0.5},    {2, RHM_CNN_ADAM, RHM_CNN_CONSTANT, 0.01, 0},
        {3, RHM_CNN_ADAM, RHM_CNN_COSINE, 0.003, 0}, {5, RHM_CNN_ADAM, RHM_CNN_STEP, 0.003, 0},
    };
    for (size_t k = 0; k < COUNT(cases); k++) {
        struct rhm_cnn *net = make(small[cases[k].net]);
        struct rhm_dataset data = random_strings(37, net->d, net->V, net->classes);
        draw_biases(net);
        double *w = in_double(net), largest = 0, error = 0;
        float *before = room(net->parameters, sizeof *before);
        memcpy(before, net->w, net->parameters * sizeof *before);
        struct rhm_cnn_train_options o = rhm_cnn_train_defaults(net);
        o.data = &data;
        o.epochs = 3;
        o.batch = 100;
        o.optimiser = cases[k].optimiser;
        o.schedule = cases[k].schedule;
        o.rate = cases[k].rate;
        o.momentum = cases[k].momentum;
        must(rhm_cnn_train(net, &o, NULL, NULL, &err));
        assert_int_equal(net->steps, 3);
        naive_training(net, w, &data, &o);
        for (size_t i = 0; i < net->parameters; i++) {
            largest = fmax(largest, fabs(w[i] - before[i]));
            /* Adam divides gradients near 0 by themselves: those of weights that no string moves are noise */
            error += fabs(w[i] - net->w[i]) / (double)net->parameters;
        }
        assert_true(largest > 0.005);
        if (!(error < 1e-4 * largest))
            fail_msg("case %zu: weights differ by %g on average, they moved by %g", k, error, largest);
        rhm_dataset_clear(&data);
        rhm_cnn_free(net);
        free(before);
        free(w);
    }
}

/* With a rate of nearly nothing an epoch's loss is that of all strings: each was there once, also where the
 * last batch is smaller. */
static void test_every_string_once(void **state)
{
    (void)state;
    for (size_t batch = 1; batch <= 64; batch *= 4) {
        struct rhm_cnn *net = make(small[0]);
        struct rhm_dataset data = random_strings(37, net->d, net->V, net->classes);
        struct rhm_cnn_train_options o = rhm_cnn_train_defaults(net);
        struct rhm_cnn_result result;
        o.data = &data;
        o.epochs = 2;
        o.batch = batch;
        o.rate = 1e-20;
        double loss, accuracy;
        must(rhm_cnn_accuracy(net, &data, &accuracy, &loss, NULL, NULL, &err));
        must(rhm_cnn_train(net, &o, NULL, &result, &err));
        assert_near(result.loss, loss, 1e-6);
        assert_near(result.accuracy, accuracy, 1e-12);
        assert_int_equal(result.steps, 2 * ((37 + batch - 1) / batch));
        rhm_dataset_clear(&data);
        rhm_cnn_free(net);
    }
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
            must(rhm_cnn_accuracy(net, &test, &before, NULL, NULL, NULL, &err));
            must(rhm_cnn_train(net, &o, NULL, NULL, &err));
            must(rhm_cnn_accuracy(net, &test, &accuracy, NULL, NULL, NULL, &err));
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
    must(rhm_cnn_accuracy(net, &held, NULL, &loss, NULL, NULL, &err));
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
    w.monitor.progress.L = 1;
    w.monitor.progress.state = RHM_JOB_RUNNING;
    rhm_monitor_ask(&w.monitor, RHM_REQUEST_PAUSE);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, work, &w), 0);
    for (int k = 0; k < 3; k++) {
        double accuracy;
        wait_for(&w.monitor, RHM_JOB_PAUSED);
        assert_int_equal(w.monitor.progress.state, RHM_JOB_PAUSED);
        must(rhm_cnn_accuracy(net[0], &data, &accuracy, NULL, NULL, NULL, &err)); /* it can be read */
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
    assert_int_equal(progress.layer[1].steps, 30);
    assert_true(progress.layer[1].loss > 0);
    must(rhm_cnn_train(net[1], &w.o, NULL, NULL, &err));
    assert_memory_equal(net[0]->w, net[1]->w, net[0]->parameters * sizeof(float));
    rhm_monitor_ask(&w.monitor, RHM_REQUEST_STOP);
    must_fail(rhm_cnn_train(net[1], &w.o, &w.monitor, NULL, &err), RHM_ESTOP, "stopped");
    assert_int_equal(atomic_load(&net[1]->busy), 0);
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
        must_fail(rhm_cnn_accuracy(net, sets[k].data, NULL, NULL, NULL, NULL, &err), RHM_EARG, sets[k].what);
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
    assert_int_equal(atomic_load(&net->busy), 0);
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
        cmocka_unit_test(test_gradient),
        cmocka_unit_test(test_wide),
        cmocka_unit_test(test_predictions),
        cmocka_unit_test(test_features),
        cmocka_unit_test(test_first_weights),
        cmocka_unit_test(test_optimisers),
        cmocka_unit_test(test_every_string_once),
        cmocka_unit_test(test_threads_do_not_matter),
        cmocka_unit_test(test_tiny_sets_are_learned_by_heart),
        cmocka_unit_test(test_learns_a_grammar),
        cmocka_unit_test(test_patience),
        cmocka_unit_test(test_pause_and_stop),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
