/* t-onestep.c - k-means against a naive one, the gradient of a layer against finite differences of its loss,
 * the model on grammars, its files and refusals. */
#include "common.h"
#include "scratch.h"

#include <hdf5.h>

#include "engine/base/memory.h"
#include "engine/base/threads.h"
#include "engine/baselines/onestep.h"
#include "engine/baselines/onestep_fit.h"
#include "engine/cluster/kmeans.h"
#include "engine/grammar/sample.h"

/* ------------------------------------------------------------ k-means */

/* Inertia of a grouping, from its definition. */
static double inertia_of(size_t n, size_t dim, const double *x, const double *weight, size_t k,
                         const uint32_t *cluster)
{
    double sum = 0;
    for (size_t c = 0; c < k; c++) {
        double total = 0, mean[8] = {0};
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; cluster[i] == c && j < dim; j++)
                mean[j] += weight[i] * x[i * dim + j];
        for (size_t i = 0; i < n; i++)
            total += cluster[i] == c ? weight[i] : 0;
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; cluster[i] == c && j < dim; j++)
                sum += weight[i] * pow(x[i * dim + j] - mean[j] / total, 2);
    }
    return sum;
}

/* The best of all groupings of a few points is what many starts find. */
static void test_kmeans_is_best(void **state)
{
    (void)state;
    enum { N = 9, DIM = 2, K = 3 };
    for (unsigned trial = 0; trial < 8; trial++) {
        double x[N * DIM], weight[N], best = INFINITY;
        struct rhm_rng rng = rhm_rng_start(trial, RHM_STREAM_TEST, 1);
        for (size_t i = 0; i < N * DIM; i++)
            x[i] = rhm_rng_uniform(&rng);
        for (size_t i = 0; i < N; i++)
            weight[i] = 0.2 + rhm_rng_uniform(&rng);
        uint32_t cluster[N];
        for (unsigned code = 0; code < 19683; code++) { /* 3^9 */
            unsigned rest = code, used = 0;
            for (size_t i = 0; i < N; i++, rest /= K)
                used |= 1U << (cluster[i] = rest % K);
            if (used == 7)
                best = fmin(best, inertia_of(N, DIM, x, weight, K, cluster));
        }
        struct rhm_kmeans found;
        struct rhm_kmeans_options o = {
            .k = K, .restarts = 50, .iterations = 100, .seed = trial, .stream = RHM_STREAM_TEST};
        must(rhm_kmeans(N, DIM, x, weight, &o, cluster, &found, NULL, NULL, &err));
        assert_int_equal(found.k, K);
        if (fabs(found.inertia - best) > 1e-12)
            fail_msg("trial %u: inertia %.12g, the best is %.12g", trial, found.inertia, best);
        assert_true(fabs(inertia_of(N, DIM, x, weight, K, cluster) - best) < 1e-12);
        assert_int_equal(cluster[0], 0); /* numbered by first points */
        for (size_t i = 0; i < N; i++) {
            double square;
            assert_int_equal(rhm_kmeans_nearest(K, DIM, found.centroid, x + i * DIM, &square), cluster[i]);
        }
        rhm_kmeans_clear(&found);
    }
}

static void test_kmeans_of_equal_points(void **state)
{
    (void)state;
    double x[6] = {1, 1, 1, 5, 5, 1};
    uint32_t cluster[6];
    struct rhm_kmeans found;
    struct rhm_kmeans_options o = {.k = 4, .restarts = 3, .iterations = 10, .stream = RHM_STREAM_TEST};
    must(rhm_kmeans(6, 1, x, NULL, &o, cluster, &found, NULL, NULL, &err));
    assert_int_equal(found.k, 2); /* four are asked for, there are two places */
    assert_true(found.inertia == 0);
    const uint32_t wanted[] = {0, 0, 0, 1, 1, 0};
    assert_memory_equal(cluster, wanted, sizeof wanted);
    rhm_kmeans_clear(&found);
    must_fail(rhm_kmeans(0, 1, x, NULL, &o, cluster, &found, NULL, NULL, &err), RHM_EARG, "0 points");
}

/* ------------------------------------------------------------ the gradient */

static struct rhm_onestep *make(struct rhm_onestep_options o)
{
    struct rhm_onestep *net = NULL;
    must(rhm_onestep_create(&net, &o, &err));
    return net;
}

static struct rhm_onestep_options options(void)
{
    struct rhm_onestep_options o = rhm_onestep_defaults();
    o.V = 8;
    o.s = 2;
    o.L = 3;
    o.restarts = 20;
    return o;
}

/* Mean cross-entropy of layer l's network with weights w (U x h), from the formula in onestep.h. */
static double loss_of(const struct rhm_onestep *net, unsigned l, size_t n, const uint32_t *id,
                      const uint16_t *labels, const double *bias, const double *w)
{
    size_t C = net->classes, h = net->h, P = rhm_onestep_positions(net, l);
    double *a = room(P * C * h, sizeof *a), sum = 0;
    for (size_t p = 0; p < P; p++)
        rhm_onestep_head(net, l, p, a + p * C * h);
    for (size_t i = 0; i < n; i++) {
        double total = 0, own = 0;
        for (size_t c = 0; c < C; c++) {
            double z = bias[c];
            for (size_t p = 0; p < P; p++)
                for (size_t k = 0; k < h; k++)
                    z += a[(p * C + c) * h + k] * fmax(0, w[id[p * n + i] * h + k]) / (double)(h * P);
            total += exp(z);
            own = c == labels[i] ? z : own;
        }
        sum += log(total) - own;
    }
    free(a);
    return sum / (double)n;
}

static void test_gradient(void **state)
{
    (void)state;
    enum { N = 37, U = 5, C = 3, H = 6, LEVEL = 2, P = 2 };
    struct rhm_onestep_options o = options();
    o.classes = C;
    o.h = H;
    o.seed = 4;
    struct rhm_onestep *net = make(o);
    uint32_t id[P * N];
    uint16_t labels[N];
    double prior[C] = {0}, bias[C], w[U * H], rows[U * H] = {0}, a[C * H];
    struct rhm_rng rng = rhm_rng_start(5, RHM_STREAM_TEST, 0);
    for (size_t i = 0; i < P * N; i++)
        id[i] = (uint32_t)rhm_rng_below(&rng, U);
    for (size_t i = 0; i < N; i++)
        prior[labels[i] = (uint16_t)rhm_rng_below(&rng, C)] += 1.0 / N;
    for (size_t k = 0; k < U * H; k++)
        w[k] = 1;
    for (size_t c = 0; c < C; c++)
        bias[c] = log(prior[c]);
    for (size_t p = 0; p < P; p++) {
        rhm_onestep_head(net, LEVEL, p, a);
        for (size_t k = 0; k < C * H; k++)
            bias[k / H] -= a[k] / (H * P);
    }
    must(rhm_onestep_correlate(net, LEVEL, N, U, id, labels, prior, rows, NULL, &err));
    for (size_t k = 0; k < U * H; k++) {
        double step = 1e-5, up, down;
        w[k] = 1 + step;
        up = loss_of(net, LEVEL, N, id, labels, bias, w);
        w[k] = 1 - step;
        down = loss_of(net, LEVEL, N, id, labels, bias, w);
        w[k] = 1;
        double gradient = -rows[k] / (N * H * P), numeric = (up - down) / (2 * step);
        if (fabs(gradient - numeric) > 1e-9)
            fail_msg("weight %zu: %.12g, by differences %.12g", k, gradient, numeric);
        assert_true(fabs(gradient) > 1e-8); /* else the comparison says nothing */
    }
    rhm_onestep_free(net);
}

/* ------------------------------------------------------------ learning */

static void train(struct rhm_onestep *net, const struct rhm_grammar *g, size_t n, double *accuracy)
{
    struct rhm_dataset data, test;
    must(rhm_sample_dataset(g, 1, n, &data, &err));
    must(rhm_sample_dataset(g, 2, 4000, &test, &err));
    must(rhm_onestep_train(net, &data, NULL, &err));
    must(rhm_onestep_accuracy(net, &test, accuracy, NULL, NULL, &err));
    rhm_dataset_clear(&data);
    rhm_dataset_clear(&test);
}

/* Clusters of the lowest layer are the grammar's synonyms. */
static void assert_synonyms(const struct rhm_onestep *net, const struct rhm_grammar *g)
{
    const struct rhm_onestep_layer *layer = &net->fit.layer[net->L];
    uint32_t cluster_of[64], tuple[2];
    assert_int_equal(layer->patches.n, g->V * g->m);
    for (unsigned nu = 0; nu < g->V; nu++)
        for (unsigned k = 0; k < g->m; k++) {
            const uint16_t *rule = rhm_grammar_rule(g, g->L, nu, k);
            tuple[0] = rule[0];
            tuple[1] = rule[1];
            size_t row = rhm_tuples_find(&layer->patches, tuple);
            assert_true(row != SIZE_MAX);
            if (k == 0)
                cluster_of[nu] = layer->cluster[row];
            assert_int_equal(layer->cluster[row], cluster_of[nu]);
        }
}

static void test_learns(void **state)
{
    (void)state;
    double accuracy;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct rhm_grammar g = draw_grammar((struct shape){8, 4, 2, 3, 8}, seed);
        for (int rate = 0; rate < 2; rate++) {
            struct rhm_onestep_options o = options();
            o.rate = (enum rhm_onestep_rate)rate;
            struct rhm_onestep *net = make(o);
            train(net, &g, 100, &accuracy);
            assert_true(accuracy < 0.6);
            train(net, &g, 8191, &accuracy);
            assert_true(accuracy > 0.99);
            assert_int_equal(net->fit.n, 8191);
            assert_synonyms(net, &g);
            rhm_onestep_free(net);
        }
        rhm_grammar_clear(&g);
    }
}

/* Another s at each level; the same numbers for any number of threads. */
static void test_threads(void **state)
{
    (void)state;
    struct rhm_grammar g;
    struct rhm_grammar_shape shape = {.V = 6, .m = 3, .L = 2, .branch = {0, 2, 3}};
    must(rhm_grammar_draw(&g, &shape, 3, &err));
    double output[2][500 * 6];
    int threads = rhm_threads_get();
    struct rhm_dataset data;
    must(rhm_sample_dataset(&g, 5, 500, &data, &err));
    for (int t = 0; t < 2; t++) {
        must(rhm_threads_set(t == 0 ? 1 : 3, &err));
        struct rhm_onestep_options o = options();
        o.V = 6;
        o.L = 2;
        o.branch[1] = 2;
        o.branch[2] = 3;
        struct rhm_onestep *net = make(o);
        must(rhm_onestep_train(net, &data, NULL, &err));
        must(rhm_onestep_predict(net, data.n, data.tokens, NULL, output[t], NULL, NULL, &err));
        rhm_onestep_free(net);
    }
    must(rhm_threads_set(threads, &err));
    assert_memory_equal(output[0], output[1], sizeof output[0]);
    rhm_dataset_clear(&data);
    rhm_grammar_clear(&g);
}

/* Strings without a label count for nothing; a string whose top patch was never seen gets the labels' shares.
 */
static void test_missing_and_unknown(void **state)
{
    (void)state;
    struct rhm_dataset data;
    make_random(&data, 60, 2, 8, 8);
    struct rhm_onestep_options o = options();
    o.L = 1;
    struct rhm_onestep *net = make(o);
    for (size_t i = 0; i < 60; i++) {
        data.tokens[2 * i] = (uint16_t)(i % 4);
        data.tokens[2 * i + 1] = 1;
        data.labels[i] = i < 30 ? (uint16_t)(i % 4) : RHM_MISSING;
    }
    must(rhm_onestep_train(net, &data, NULL, &err));
    assert_int_equal(net->fit.n, 30);
    uint16_t string[] = {7, 7}, label;
    double output[8];
    must(rhm_onestep_predict(net, 1, string, &label, output, NULL, NULL, &err));
    assert_true(fabs(output[0] - 8.0 / 30) < 1e-15 && fabs(output[3] - 7.0 / 30) < 1e-15 && output[5] == 0);
    assert_int_equal(label, 0);
    for (uint16_t v = 0; v < 4; v++) {
        string[0] = v;
        string[1] = 1;
        must(rhm_onestep_predict(net, 1, string, &label, NULL, NULL, NULL, &err));
        assert_int_equal(label, v);
    }
    data.tokens[5] = RHM_MISSING;
    must_fail(rhm_onestep_train(net, &data, NULL, &err), RHM_EARG, "string 3", "token");
    rhm_onestep_free(net);
    rhm_dataset_clear(&data);
}

static void test_stop(void **state)
{
    (void)state;
    struct rhm_dataset data;
    struct rhm_monitor monitor;
    double before, after;
    make_random(&data, 300, 8, 8, 8);
    struct rhm_onestep *net = make(options());
    must(rhm_monitor_init(&monitor, &err));
    must(rhm_onestep_train(net, &data, &monitor, &err));
    assert_string_equal(monitor.progress.work.kind, "onestep");
    assert_string_equal(monitor.progress.work.stage, "done");
    assert_true(monitor.progress.work.member == 1 && monitor.progress.work.members == 3);
    must(rhm_onestep_accuracy(net, &data, &before, NULL, NULL, &err));
    rhm_monitor_ask(&monitor, RHM_REQUEST_STOP);
    data.n = 20;
    must_fail(rhm_onestep_train(net, &data, &monitor, &err), RHM_ESTOP, "stopped");
    data.n = 300;
    must(rhm_onestep_accuracy(net, &data, &after, NULL, NULL, &err)); /* the old one stands */
    assert_true(before == after && net->fit.n == 300);
    atomic_store(&net->claim.taken, 1);
    must_fail(rhm_onestep_train(net, &data, NULL, &err), RHM_ESTATE, "in training");
    atomic_store(&net->claim.taken, 0);
    rhm_monitor_clear(&monitor);
    rhm_onestep_free(net);
    rhm_dataset_clear(&data);
}

/* ------------------------------------------------------------ files */

static void test_files(void **state)
{
    (void)state;
    struct rhm_dataset data;
    make_random(&data, 500, 8, 8, 8);
    struct rhm_onestep *net = make(options()), *back = NULL;
    for (int trained = 0; trained < 2; trained++) {
        if (trained)
            must(rhm_onestep_train(net, &data, NULL, &err));
        must(rhm_onestep_save(net, in_folder("o.h5"), &err));
        assert_int_equal(rhm_onestep_is_file(in_folder("o.h5")), 1);
        must(rhm_onestep_load(&back, in_folder("o.h5"), &err));
        assert_int_equal(back->fit.n, net->fit.n);
        assert_int_equal(back->restarts, net->restarts);
        if (trained) {
            double a[500 * 8], b[500 * 8];
            must(rhm_onestep_predict(net, 500, data.tokens, NULL, a, NULL, NULL, &err));
            must(rhm_onestep_predict(back, 500, data.tokens, NULL, b, NULL, NULL, &err));
            assert_memory_equal(a, b, sizeof a);
            for (unsigned l = 2; l <= 3; l++) {
                assert_int_equal(back->fit.layer[l].clusters, net->fit.layer[l].clusters);
                assert_true(back->fit.layer[l].within == net->fit.layer[l].within);
            }
        }
        rhm_onestep_free(back);
        back = NULL;
    }
    assert_no_temporaries();
    const struct {
        const char *set;
        uint64_t value;
        const char *word;
    } damage[] = {{"layer3/patches", 99, "must be below 8"},
                  {"layer3/patches", 0, "twice"},
                  {"layer2/cluster", 8, "must be below 8"},
                  {"layer2/unknown", 8, "must be below"},
                  {"n", 0, "0 strings"}};
    for (size_t k = 0; k < COUNT(damage); k++) {
        must(rhm_onestep_save(net, in_folder("o.h5"), &err));
        hid_t file = H5Fopen(in_folder("o.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
        hid_t set = H5Dopen(file, damage[k].set, H5P_DEFAULT);
        uint64_t all[8192];
        for (size_t i = 0; i < COUNT(all); i++)
            all[i] = damage[k].value;
        assert_true(H5Dwrite(set, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, all) >= 0);
        H5Dclose(set);
        H5Fclose(file);
        must_fail(rhm_onestep_load(&back, in_folder("o.h5"), &err), RHM_EFILE, "o.h5", damage[k].word);
        assert_null(back);
    }
    write_text("no.h5", "not one");
    assert_int_equal(rhm_onestep_is_file(in_folder("no.h5")), 0);
    rhm_onestep_free(net);
    rhm_dataset_clear(&data);
}

static void test_refusals(void **state)
{
    (void)state;
    const struct {
        size_t offset;
        int64_t value;
        const char *what;
    } bad[] = {{offsetof(struct rhm_onestep_options, V), 1, "V = 1"},
               {offsetof(struct rhm_onestep_options, classes), 70000, "classes = 70000"},
               {offsetof(struct rhm_onestep_options, s), 1, "s = 1"},
               {offsetof(struct rhm_onestep_options, L), 0, "L = 0"},
               {offsetof(struct rhm_onestep_options, L), 63, "L = 63"},
               {offsetof(struct rhm_onestep_options, h), 0, "h = 0"},
               {offsetof(struct rhm_onestep_options, restarts), 0, "restarts = 0"}};
    struct rhm_onestep *net = NULL;
    for (size_t k = 0; k < COUNT(bad); k++) {
        struct rhm_onestep_options o = options();
        memcpy((char *)&o + bad[k].offset, &bad[k].value, sizeof bad[k].value);
        must_fail(rhm_onestep_create(&net, &o, &err), RHM_EARG, bad[k].what, "must be");
    }
    assert_null(net);
    net = make(options());
    struct rhm_dataset data;
    uint16_t label;
    make_random(&data, 2000, 8, 8, 8);
    must_fail(rhm_onestep_predict(net, 1, data.tokens, &label, NULL, NULL, NULL, &err), RHM_ESTATE,
              "not trained");
    data.d = 4;
    must_fail(rhm_onestep_train(net, &data, NULL, &err), RHM_EARG, "4 tokens", "s^L = 2^3 = 8");
    data.d = 8;
    size_t budget = rhm_memory_budget();
    rhm_memory_set_budget(50000);
    must_fail(rhm_onestep_train(net, &data, NULL, &err), RHM_EMEMORY, "codes of these strings");
    rhm_memory_set_budget(100000);
    must_fail(rhm_onestep_train(net, &data, NULL, &err), RHM_EMEMORY, "weights of a layer", "smaller h");
    rhm_memory_set_budget(budget);
    assert_int_equal(atomic_load(&net->claim.taken), 0);
    rhm_onestep_free(net);
    rhm_dataset_clear(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kmeans_is_best), cmocka_unit_test(test_kmeans_of_equal_points),
        cmocka_unit_test(test_gradient),       cmocka_unit_test(test_learns),
        cmocka_unit_test(test_threads),        cmocka_unit_test(test_missing_and_unknown),
        cmocka_unit_test(test_stop),           cmocka_unit_test(test_files),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
