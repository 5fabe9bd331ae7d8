/* t-shallow.c - ridge regression on whole strings: against a naive solution, its limits, files, refusals. */
#include "common.h"
#include "scratch.h"

#include <hdf5.h>
#include <pthread.h>

#include "engine/base/memory.h"
#include "engine/base/threads.h"
#include "engine/baselines/shallow.h"
#include "engine/files/hdf5_file.h"
#include "engine/grammar/sample.h"

static struct rhm_shallow *make(struct rhm_shallow_options o)
{
    struct rhm_shallow *net = NULL;
    must(rhm_shallow_create(&net, &o, &err));
    return net;
}

static struct rhm_shallow_options options(enum rhm_shallow_kind kind)
{
    struct rhm_shallow_options o = rhm_shallow_defaults();
    o.kind = kind;
    o.V = 4;
    o.d = 6;
    o.classes = 3;
    return o;
}

/* ------------------------------------------------------------ the naive solution */

/* x (n x k) := a^-1 x by elimination with pivots; a is n x n, overwritten. */
static void eliminate(size_t n, double *a, size_t k, double *x)
{
    for (size_t i = 0; i < n; i++) {
        size_t pivot = i;
        for (size_t r = i + 1; r < n; r++)
            if (fabs(a[r * n + i]) > fabs(a[pivot * n + i]))
                pivot = r;
        for (size_t c = 0; c < n; c++) {
            double swap = a[i * n + c];
            a[i * n + c] = a[pivot * n + c];
            a[pivot * n + c] = swap;
        }
        for (size_t c = 0; c < k; c++) {
            double swap = x[i * k + c];
            x[i * k + c] = x[pivot * k + c];
            x[pivot * k + c] = swap;
        }
        for (size_t r = 0; r < n; r++) {
            double f = a[r * n + i] / a[i * n + i];
            for (size_t c = 0; r != i && c < n; c++)
                a[r * n + c] -= f * a[i * n + c];
            for (size_t c = 0; r != i && c < k; c++)
                x[r * k + c] -= f * x[i * k + c];
        }
    }
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < k; c++)
            x[i * k + c] /= a[i * n + i];
}

/* From the one-hot vectors themselves. */
static double gauss(const struct rhm_dataset *a, size_t i, const struct rhm_dataset *b, size_t j,
                    double sigma)
{
    double square = 0;
    for (size_t k = 0; k < a->d; k++)
        for (unsigned v = 0; v < a->V; v++) {
            double x = a->tokens[i * a->d + k] == v, y = b->tokens[j * b->d + k] == v;
            square += (x - y) * (x - y);
        }
    return exp(-square / (2 * sigma * sigma));
}

/* Outputs (n x classes) for `test` of kernel ridge trained on `data`. */
static double *naive_outputs(const struct rhm_dataset *data, const struct rhm_dataset *test, double sigma,
                             double lambda)
{
    size_t n = data->n, C = data->classes;
    double *K = room(n * n, sizeof *K), *alpha = room(n * C, sizeof *alpha),
           *out = room(test->n * C, sizeof *out);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++)
            K[i * n + j] = gauss(data, i, data, j, sigma) + (i == j ? (double)n * lambda : 0);
        alpha[i * C + data->labels[i]] = 1;
    }
    eliminate(n, K, C, alpha);
    for (size_t i = 0; i < test->n; i++)
        for (size_t j = 0; j < n; j++)
            for (size_t c = 0; c < C; c++)
                out[i * C + c] += gauss(test, i, data, j, sigma) * alpha[j * C + c];
    free(K);
    free(alpha);
    return out;
}

static void test_kernel_is_ridge(void **state)
{
    (void)state;
    struct rhm_dataset data, test;
    make_random(&data, 90, 6, 4, 3);
    make_random(&test, 600, 6, 4, 3); /* more than a block */
    struct rhm_shallow_options o = options(RHM_SHALLOW_KERNEL);
    o.lambda = 1e-4;
    for (int given = 0; given < 2; given++) {
        o.sigma = given ? 1.3 : 0;
        struct rhm_shallow *net = make(o);
        double *out = room(600 * 3, sizeof *out);
        uint16_t *labels = room(600, sizeof *labels);
        must(rhm_shallow_train(net, &data, NULL, &err));
        assert_near(net->fit.sigma, given ? 1.3 : rhm_shallow_median(&data), 0);
        double *wanted = naive_outputs(&data, &test, net->fit.sigma, 1e-4);
        must(rhm_shallow_predict(net, 600, test.tokens, labels, out, NULL, NULL, &err));
        size_t right = 0;
        for (size_t i = 0; i < 600; i++) {
            for (size_t c = 0; c < 3; c++) {
                assert_near(out[i * 3 + c], wanted[i * 3 + c], 1e-8);
                assert_true(out[i * 3 + c] <= out[i * 3 + labels[i]]);
            }
            right += labels[i] == test.labels[i];
        }
        double accuracy;
        must(rhm_shallow_accuracy(net, &test, &accuracy, NULL, NULL, &err));
        assert_near(accuracy, (double)right / 600, 1e-12);
        free(out);
        free(wanted);
        free(labels);
        rhm_shallow_free(net);
    }
    rhm_dataset_clear(&data);
    rhm_dataset_clear(&test);
}

/* M features have the kernel up to 1/sqrt(M): their ridge's outputs tend to the kernel's. */
static void test_features_tend_to_the_kernel(void **state)
{
    (void)state;
    struct rhm_dataset data, test;
    make_random(&data, 90, 6, 4, 3);
    make_random(&test, 200, 6, 4, 3);
    double rms[2];
    for (int k = 0; k < 2; k++) {
        struct rhm_shallow_options o = options(RHM_SHALLOW_RBF);
        o.lambda = 1e-2;
        o.M = k ? 32768 : 512;
        o.seed = 5;
        struct rhm_shallow *net = make(o);
        double *out = room(200 * 3, sizeof *out), sum = 0;
        must(rhm_shallow_train(net, &data, NULL, &err));
        double *wanted = naive_outputs(&data, &test, net->fit.sigma, 1e-2);
        must(rhm_shallow_predict(net, 200, test.tokens, NULL, out, NULL, NULL, &err));
        for (size_t i = 0; i < 600; i++)
            sum += (out[i] - wanted[i]) * (out[i] - wanted[i]) / 600;
        rms[k] = sqrt(sum);
        free(out);
        free(wanted);
        rhm_shallow_free(net);
    }
    print_message("outputs differ by %.2e with 512 features, by %.2e with 32768\n", rms[0], rms[1]);
    assert_true(rms[1] < rms[0] / 4); /* 1/8 is expected */
    assert_true(rms[1] < 0.02);
    rhm_dataset_clear(&data);
    rhm_dataset_clear(&test);
}

/* More strings than features: the primal form; and the same bits on any number of threads. */
static void test_more_strings_than_features(void **state)
{
    (void)state;
    struct rhm_dataset data;
    make_random(&data, 700, 6, 4, 3);
    int before = rhm_threads_get();
    double *out[3];
    for (int k = 0; k < 3; k++) {
        struct rhm_shallow_options o = options(k < 2 ? RHM_SHALLOW_RBF : RHM_SHALLOW_KERNEL);
        o.M = 200;
        must(rhm_threads_set(k + 1, &err));
        struct rhm_shallow *net = make(o);
        must(rhm_shallow_train(net, &data, NULL, &err));
        out[k] = room(700 * 3, sizeof *out[k]);
        must(rhm_shallow_predict(net, 700, data.tokens, NULL, out[k], NULL, NULL, &err));
        rhm_shallow_free(net);
    }
    assert_memory_equal(out[0], out[1], 700 * 3 * sizeof(double));
    for (size_t i = 0; i < 700; i++) /* fits of labels that sum to 1, up to what lambda takes */
        assert_near(out[2][3 * i] + out[2][3 * i + 1] + out[2][3 * i + 2], 1, 0.01);
    must(rhm_threads_set(before, &err));
    for (int k = 0; k < 3; k++)
        free(out[k]);
    rhm_dataset_clear(&data);
}

static void test_median(void **state)
{
    (void)state;
    struct rhm_dataset data;
    must(rhm_dataset_init(&data, 4, 3, 2, 2, &err));
    const uint16_t tokens[] = {0, 0, 0, 0, 0, 1, 0, 1, 1, 1, 1, 1}; /* they differ in 1 1 1 2 2 3 places */
    memcpy(data.tokens, tokens, sizeof tokens);
    assert_near(rhm_shallow_median(&data), sqrt(2), 1e-12);
    data.n = 1;
    assert_near(rhm_shallow_median(&data), 1, 0);
    rhm_dataset_clear(&data);
}

/* Shallow learners need a share of all strings: the figures of (8,4,2,2) at 1000, .92 in a prototype, and
 * what one finds with few strings. */
static void test_learns_a_grammar(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){.V = 8, .m = 4, .s = 2, .L = 2}, 1);
    struct rhm_dataset few, many, test;
    must(rhm_sample_dataset(&g, 1, 100, &few, &err));
    must(rhm_sample_dataset(&g, 1, 1000, &many, &err));
    must(rhm_sample_dataset(&g, 2, 3000, &test, &err));
    for (int kind = 0; kind < 2; kind++) {
        struct rhm_shallow_options o = rhm_shallow_defaults();
        double poor, good;
        o.kind = (enum rhm_shallow_kind)kind;
        o.V = 8;
        o.d = 4;
        struct rhm_shallow *net = make(o);
        must(rhm_shallow_train(net, &few, NULL, &err));
        must(rhm_shallow_accuracy(net, &test, &poor, NULL, NULL, &err));
        must(rhm_shallow_train(net, &many, NULL, &err)); /* anew */
        must(rhm_shallow_accuracy(net, &test, &good, NULL, NULL, &err));
        assert_int_equal(net->fit.n, 1000);
        print_message("%s: %.3f of 100 strings, %.3f of 1000\n", kind ? "kernel" : "rbf", poor, good);
        assert_true(poor < 0.6 && good > 0.85);
        rhm_shallow_free(net);
    }
    rhm_grammar_clear(&g);
    rhm_dataset_clear(&few);
    rhm_dataset_clear(&many);
    rhm_dataset_clear(&test);
}

/* ------------------------------------------------------------ stopping */

static void test_stop(void **state)
{
    (void)state;
    struct rhm_dataset data;
    make_random(&data, 300, 6, 4, 3);
    for (int kind = 0; kind < 2; kind++) {
        struct rhm_shallow *net = make(options((enum rhm_shallow_kind)kind));
        struct rhm_monitor monitor;
        double before, after;
        must(rhm_monitor_init(&monitor, &err));
        must(rhm_shallow_train(net, &data, &monitor, &err));
        assert_string_equal(monitor.progress.work.stage, "solving");
        must(rhm_shallow_accuracy(net, &data, &before, NULL, NULL, &err));
        rhm_monitor_ask(&monitor, RHM_REQUEST_STOP);
        data.n = 20;
        must_fail(rhm_shallow_train(net, &data, &monitor, &err), RHM_ESTOP, "stopped");
        data.n = 300;
        must(rhm_shallow_accuracy(net, &data, &after, NULL, NULL, &err)); /* the old one stands */
        assert_near(after, before, 0);
        assert_int_equal(net->fit.n, 300);
        assert_int_equal(atomic_load(&net->claim.taken), 0);
        atomic_store(&net->claim.taken, 1);
        must_fail(rhm_shallow_train(net, &data, NULL, &err), RHM_ESTATE, "in training");
        atomic_store(&net->claim.taken, 0);
        rhm_monitor_clear(&monitor);
        rhm_shallow_free(net);
    }
    rhm_dataset_clear(&data);
}

/* ------------------------------------------------------------ files */

static void test_files(void **state)
{
    (void)state;
    struct rhm_dataset data;
    make_random(&data, 80, 6, 4, 3);
    for (int k = 0; k < 4; k++) {
        struct rhm_shallow_options o = options((enum rhm_shallow_kind)(k & 1));
        o.M = 64;
        o.sigma = k & 2 ? 1.5 : 0;
        o.seed = 9;
        struct rhm_shallow *net = make(o), *back = NULL;
        const char *path = in_folder("shallow.h5");
        double out[2][80 * 3];
        must(rhm_shallow_save(net, path, &err)); /* not trained */
        must(rhm_shallow_load(&back, path, &err));
        assert_int_equal(back->fit.n, 0);
        assert_near(back->sigma, o.sigma, 0);
        rhm_shallow_free(back);
        must(rhm_shallow_train(net, &data, NULL, &err));
        must(rhm_shallow_save(net, path, &err));
        assert_int_equal(rhm_shallow_is_file(path), 1);
        must(rhm_shallow_load(&back, path, &err));
        assert_int_equal(back->kind, net->kind);
        assert_int_equal(back->fit.n, 80);
        assert_int_equal(back->seed, 9);
        assert_near(back->lambda, net->lambda, 0);
        assert_near(back->fit.sigma, net->fit.sigma, 0);
        must(rhm_shallow_predict(net, 80, data.tokens, NULL, out[0], NULL, NULL, &err));
        must(rhm_shallow_predict(back, 80, data.tokens, NULL, out[1], NULL, NULL, &err));
        assert_memory_equal(out[0], out[1], sizeof out[0]);
        rhm_shallow_free(net);
        rhm_shallow_free(back);
    }
    assert_no_temporaries();
    rhm_dataset_clear(&data);
}

static void spoil(enum rhm_shallow_kind kind, const char *attribute, unsigned value, const char *set,
                  double number, const char *what)
{
    struct rhm_dataset data;
    make_random(&data, 20, 6, 4, 3);
    struct rhm_shallow_options o = options(kind);
    o.M = 16;
    struct rhm_shallow *net = make(o), *back = NULL;
    must(rhm_shallow_train(net, &data, NULL, &err));
    must(rhm_shallow_save(net, in_folder("bad.h5"), &err));
    hid_t file = H5Fopen(in_folder("bad.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
    if (attribute) {
        hid_t own = H5Aopen(file, attribute, H5P_DEFAULT);
        assert_true(own >= 0 && H5Awrite(own, H5T_NATIVE_UINT, &value) >= 0);
        H5Aclose(own);
    } else {
        double buffer[1000] = {0};
        hid_t own = H5Dopen2(file, set, H5P_DEFAULT);
        assert_true(H5Dget_storage_size(own) <= sizeof buffer);
        assert_true(H5Dread(own, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer) >= 0);
        buffer[0] = number;
        assert_true(H5Dwrite(own, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer) >= 0);
        H5Dclose(own);
    }
    H5Fclose(file);
    must_fail(rhm_shallow_load(&back, in_folder("bad.h5"), &err), RHM_EFILE, "bad.h5", what);
    assert_null(back);
    rhm_shallow_free(net);
    rhm_dataset_clear(&data);
}

static void test_damaged_files(void **state)
{
    (void)state;
    spoil(RHM_SHALLOW_RBF, "rhm_shallow", 4, NULL, 0, "format 4");
    spoil(RHM_SHALLOW_RBF, "kind", 2, NULL, 0, "kind is number 2");
    spoil(RHM_SHALLOW_RBF, "M", 15, NULL, 0, "M = 15: must be even");
    spoil(RHM_SHALLOW_RBF, "M", 18, NULL, 0, "\"frequency\" is ");
    spoil(RHM_SHALLOW_RBF, "kind", 1, NULL, 0, "no data set \"alpha\"");
    spoil(RHM_SHALLOW_RBF, NULL, 0, "W", NAN, "\"W\" holds nan at [0,0]");
    spoil(RHM_SHALLOW_RBF, NULL, 0, "sigma_used", -1, "sigma in use is -1");
    spoil(RHM_SHALLOW_KERNEL, NULL, 0, "lambda", 0, "lambda = 0: must be positive");
    spoil(RHM_SHALLOW_KERNEL, NULL, 0, "tokens", 4, "\"tokens\" holds 4 at [0,0]: must be below 4");
    spoil(RHM_SHALLOW_KERNEL, NULL, 0, "n", 0, "a model of 0 strings");
    spoil(RHM_SHALLOW_KERNEL, NULL, 0, "n", 21, "\"alpha\" is ");
    spoil(RHM_SHALLOW_KERNEL, "V", 3, NULL, 0, "must be below 3");
    struct rhm_shallow *back = NULL;
    write_text("text.h5", "nothing");
    must_fail(rhm_shallow_load(&back, in_folder("text.h5"), &err), RHM_EFILE, "not an HDF5 file");
    assert_int_equal(rhm_shallow_is_file(in_folder("text.h5")), 0);
}

/* ------------------------------------------------------------ refusals */

static void test_refusals(void **state)
{
    (void)state;
    struct rhm_shallow *net = NULL;
    const struct {
        size_t offset;
        int64_t value;
        const char *what, *limit;
    } bad[] = {
        {offsetof(struct rhm_shallow_options, V), 1, "V = 1", "2..65535"},
        {offsetof(struct rhm_shallow_options, classes), 70000, "classes = 70000", "2..65535"},
        {offsetof(struct rhm_shallow_options, d), 0, "d = 0", "1 or more"},
        {offsetof(struct rhm_shallow_options, M), 7, "M = 7", "even"},
    };
    for (size_t k = 0; k < COUNT(bad); k++) {
        struct rhm_shallow_options o = options(RHM_SHALLOW_RBF);
        memcpy((char *)&o + bad[k].offset, &bad[k].value, sizeof bad[k].value);
        must_fail(rhm_shallow_create(&net, &o, &err), RHM_EARG, bad[k].what, bad[k].limit);
    }
    struct rhm_shallow_options o = options(RHM_SHALLOW_RBF);
    o.sigma = -2;
    must_fail(rhm_shallow_create(&net, &o, &err), RHM_EARG, "sigma = -2", "the median distance");
    o = options(RHM_SHALLOW_RBF);
    o.lambda = 0;
    must_fail(rhm_shallow_create(&net, &o, &err), RHM_EARG, "lambda = 0", "positive");
    assert_null(net);

    net = make(options(RHM_SHALLOW_KERNEL));
    struct rhm_dataset data;
    uint16_t label;
    make_random(&data, 2000, 6, 4, 3);
    must_fail(rhm_shallow_predict(net, 1, data.tokens, &label, NULL, NULL, NULL, &err), RHM_ESTATE,
              "not trained");
    data.tokens[13] = 5;
    data.V = 6;
    must_fail(rhm_shallow_train(net, &data, NULL, &err), RHM_EARG, "string 3 holds token 6", "V = 4");
    data.tokens[13] = 0;
    data.classes = 5;
    data.labels[3] = 4;
    must_fail(rhm_shallow_train(net, &data, NULL, &err), RHM_EARG, "string 4 has label 5", "3 classes");
    data.labels[3] = 0;
    data.n = 0;
    must_fail(rhm_shallow_train(net, &data, NULL, &err), RHM_EARG, "empty");
    data.n = 2000;
    data.d = 5;
    must_fail(rhm_shallow_train(net, &data, NULL, &err), RHM_EARG, "5 tokens", "d = 6");
    data.d = 6;
    size_t budget = rhm_memory_budget();
    rhm_memory_set_budget(20 << 20);
    must_fail(rhm_shallow_train(net, &data, NULL, &err), RHM_EMEMORY, "30.5 MiB", "20.0 MiB", "kind = 'rbf'");
    rhm_memory_set_budget(budget);
    assert_int_equal(atomic_load(&net->claim.taken), 0);
    rhm_shallow_free(net);
    rhm_dataset_clear(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kernel_is_ridge),
        cmocka_unit_test(test_features_tend_to_the_kernel),
        cmocka_unit_test(test_more_strings_than_features),
        cmocka_unit_test(test_median),
        cmocka_unit_test(test_learns_a_grammar),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_damaged_files),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
