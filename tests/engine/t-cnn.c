/* t-cnn.c - the convolutional network against a naive one in double: gradients, outputs, optimisers. */
#include "cnn.h"

#include "engine/baselines/cnn_pass.h"

/* ------------------------------------------------------------ the naive network */

/* Logits of one string by the formula of cnn.h, in double; w: parameters. Padding is the symbol after V. */
static void naive_logits(const struct rhm_cnn *net, const double *w, const uint16_t *token, double *logit)
{
    size_t d = (size_t)net->d, width = 1;
    for (unsigned l = 1; l <= net->L; l++)
        width *= net->branch[l];
    size_t symbols = width > d ? net->V + 1u : net->V, channels = symbols;
    double *x = room(width * symbols, sizeof *x);
    for (size_t i = 0; i < width; i++)
        x[i * symbols + (i < d ? token[i] : net->V)] = 1;
    double first = net->scaling == RHM_CNN_MEAN_FIELD ? 1 / sqrt((double)symbols) : 1;
    double later = net->scaling == RHM_CNN_MEAN_FIELD ? 1 / sqrt((double)net->h) : 1;
    double head = net->scaling == RHM_CNN_MEAN_FIELD ? 1 / (double)net->h : 1;
    for (unsigned l = net->L; l >= 1; l--) {
        size_t positions = width / net->branch[l], in = net->branch[l] * channels, h = net->h;
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
    {.V = 5, .s = 6, .L = 1, .classes = 3, .h = 8, .seed = 6},  /* one hidden layer */
    {.V = 20, .s = 2, .L = 2, .classes = 3, .h = 6, .seed = 7}, /* more patches than are worth telling apart
                                                                 */
    {.V = 3, .s = 2, .L = 2, .h = 6, .seed = 8},
    {.V = 3, .branch = {0, 2, 3}, .L = 2, .h = 6, .seed = 9},
    {.V = 3, .branch = {0, 3, 2, 2}, .L = 3, .h = 5, .seed = 10, .local = 1, .scaling = RHM_CNN_MEAN_FIELD},
    {.V = 3, .s = 3, .L = 2, .d = 7, .h = 5, .seed = 11, .scaling = RHM_CNN_MEAN_FIELD}, /* padded */
    {.V = 3, .s = 2, .L = 3, .d = 5, .h = 5, .seed = 12}, /* a patch of padding alone */
    {.V = 3, .s = 2, .L = 3, .d = 5, .h = 4, .seed = 13, .local = 1},
    {.V = 5, .s = 6, .L = 1, .d = 4, .classes = 3, .h = 8, .seed = 14},
    {.V = 20, .s = 3, .L = 2, .d = 8, .classes = 3, .h = 6, .seed = 15},
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

static void fill(struct rhm_cnn_pass *pass, const struct rhm_dataset *data, size_t first, size_t n)
{
    for (size_t i = 0; i < n; i++)
        rhm_cnn_pass_take(pass, i, data->tokens + (first + i) * data->d, data->labels[first + i]);
}

/* The two lowest layers by distinct patches give what they give row by row, batch after batch. */
static void test_patches(void **state)
{
    (void)state;
    static const struct {
        struct rhm_cnn_options o;
        int in_use;
    } cases[] = {
        {{.V = 4, .s = 2, .L = 3, .h = 40, .seed = 1}, 1},
        {{.V = 3, .s = 3, .L = 2, .h = 31, .seed = 2, .scaling = RHM_CNN_MEAN_FIELD}, 1},
        {{.V = 4, .s = 2, .L = 4, .h = 270, .seed = 3}, 1},
        {{.V = 4, .branch = {0, 3, 2}, .L = 2, .h = 20, .seed = 6}, 1},
        {{.V = 3, .branch = {0, 2, 2, 3}, .L = 3, .h = 20, .seed = 7}, 1},
        {{.V = 3, .branch = {0, 2, 4, 2}, .L = 3, .h = 20, .seed = 8}, 1},
        {{.V = 4, .s = 3, .L = 3, .d = 16, .h = 20, .seed = 9}, 1},
        {{.V = 30, .s = 2, .L = 2, .h = 20, .seed = 4}, 0}, /* nearly all patches differ */
        {{.V = 4, .s = 2, .L = 2, .h = 20, .seed = 4, .local = 1}, 0},
        {{.V = 60000, .s = 2, .L = 2, .h = 2, .seed = 5}, 0},
    };
    for (size_t k = 0; k < COUNT(cases); k++) {
        struct rhm_cnn *net = make(cases[k].o);
        struct rhm_dataset data = random_strings(300, net->d, net->V, net->classes);
        struct rhm_cnn_pass by_patch, by_row;
        float *g[2];
        draw_biases(net);
        must(rhm_cnn_pass_init(&by_patch, net, 100, 1, 0, &err));
        must(rhm_cnn_pass_init(&by_row, net, 100, 1, 1, &err));
        for (int side = 0; side < 2; side++)
            g[side] = room(net->parameters, sizeof **g);
        for (size_t batch = 0; batch < 3; batch++) {
            size_t n = batch == 2 ? 71 : 100;
            double largest = 0;
            fill(&by_patch, &data, 100 * batch, n);
            fill(&by_row, &data, 100 * batch, n);
            rhm_cnn_pass_train(&by_patch, n, (double)n, g[0], NULL, NULL);
            rhm_cnn_pass_train(&by_row, n, (double)n, g[1], NULL, NULL);
            assert_int_equal(by_patch.patches.n > 0, cases[k].in_use);
            assert_int_equal(by_row.patches.n, 0);
            for (size_t i = 0; i < n; i++)
                assert_near(by_patch.loss[i], by_row.loss[i], 1e-5 * fmax(1, by_row.loss[i]));
            for (size_t i = 0; i < net->parameters; i++)
                largest = fmax(largest, fabs((double)g[1][i]));
            for (size_t i = 0; i < net->parameters; i++)
                assert_near((double)g[0][i], (double)g[1][i], 1e-5 * largest);
        }
        free(g[0]);
        free(g[1]);
        rhm_cnn_pass_clear(&by_patch);
        rhm_cnn_pass_clear(&by_row);
        rhm_dataset_clear(&data);
        rhm_cnn_free(net);
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
        must(rhm_cnn_measure(net, &data, &accuracy, &loss, NULL, NULL, &err));
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

/* The last layer's outputs, through the head, are the logits. */
static void test_outputs(void **state)
{
    (void)state;
    struct rhm_cnn *net = make(small[3]);
    struct rhm_dataset data = random_strings(9, net->d, net->V, net->classes);
    draw_biases(net);
    size_t h = net->h, C = net->classes;
    double *w = in_double(net), z[2];
    double *y = room(9 * h, sizeof *y), *deep = room(9 * 4 * h, sizeof *deep);
    must(rhm_cnn_outputs(net, 1, 9, data.tokens, y, NULL, NULL, &err));
    for (size_t i = 0; i < 9; i++) {
        naive_logits(net, w, data.tokens + i * data.d, z);
        for (size_t c = 0; c < C; c++) {
            double sum = net->w[net->layer[0].bias + c];
            for (size_t k = 0; k < h; k++)
                sum += net->w[net->layer[0].weight + k * C + c] * y[i * h + k];
            assert_near(sum, z[c], 1e-5);
        }
    }
    must(
        rhm_cnn_outputs(net, 3, 9, data.tokens, deep, NULL, NULL, &err)); /* position 2 of string 5 by hand */
    const uint16_t *token = data.tokens + 5 * data.d + 2 * 2;
    const float *weight = net->w + net->layer[3].weight + 2 * 6 * h;
    for (size_t c = 0; c < h; c++) {
        double sum = weight[token[0] * h + c] + weight[(3 + token[1]) * h + c] +
                     net->w[net->layer[3].bias + 2 * h + c];
        assert_near(deep[(5 * 4 + 2) * h + c], fmax(0, sum), 1e-6);
    }
    must_fail(rhm_cnn_outputs(net, 4, 9, data.tokens, deep, NULL, NULL, &err), RHM_EARG, "level 4", "1..3");
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
        {4, RHM_CNN_SGD, RHM_CNN_COSINE, 0.1, 0.9},  {9, RHM_CNN_ADAM, RHM_CNN_CONSTANT, 0.03, 0},
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
        must(rhm_cnn_measure(net, &data, &accuracy, &loss, NULL, NULL, &err));
        must(rhm_cnn_train(net, &o, NULL, &result, &err));
        assert_near(result.loss, loss, 1e-6);
        assert_near(result.accuracy, accuracy, 1e-12);
        assert_int_equal(result.steps, 2 * ((37 + batch - 1) / batch));
        rhm_dataset_clear(&data);
        rhm_cnn_free(net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradient),   cmocka_unit_test(test_wide),
        cmocka_unit_test(test_patches),    cmocka_unit_test(test_predictions),
        cmocka_unit_test(test_outputs),    cmocka_unit_test(test_first_weights),
        cmocka_unit_test(test_optimisers), cmocka_unit_test(test_every_string_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
