/* t-features.c - random features: the tuned paths against the definition, inner products against the limit.
 */
#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/memory.h"
#include "engine/base/rng.h"
#include "engine/base/trig.h"
#include "engine/layer/features.h"

static const enum rhm_feature_kind kinds[] = {RHM_FEATURES_RBF, RHM_FEATURES_ORF, RHM_FEATURES_RELU};

struct setting {
    size_t M, s, K, width;
    double sigma;
    int one_hot;
};
static const struct setting settings[] = {
    {64, 2, 4, 4, 1, 1},     {512, 2, 16, 16, 0.5, 1}, {1024, 3, 8, 8, 0.7, 1}, {256, 1, 9, 5, 0.3, 0},
    {2048, 2, 24, 8, .4, 0}, {1022, 4, 12, 7, 1.5, 0}, {2, 2, 3, 2, 1, 0},      {10, 5, 2, 3, 0.05, 0},
};
enum { SETTINGS = sizeof settings / sizeof settings[0] };

static struct rhm_error err;

/* One-hot, or probability vectors with a little noise. */
static double *new_embedding(const struct setting *o)
{
    double *e = calloc(o->K * o->width, sizeof *e);
    assert_non_null(e);
    struct rhm_rng rng = rhm_rng_start(77, RHM_STREAM_TEST, o->K);
    for (size_t c = 0; c < o->K; c++)
        for (size_t i = 0; i < o->width; i++)
            e[c * o->width + i] = o->one_hot ? c == i : rhm_rng_uniform(&rng);
    return e;
}

static void make(struct rhm_features *f, const struct setting *o, enum rhm_feature_kind kind, uint64_t seed)
{
    double *e = new_embedding(o);
    assert_int_equal(RHM_OK, rhm_features_init(f, kind, o->M, o->s, o->K, o->width, e, o->sigma, seed,
                                               RHM_STREAM_FEATURES, &err));
    free(e);
}

static uint32_t *new_tuples(size_t n, size_t s, size_t K)
{
    uint32_t *t = malloc(n * s * sizeof *t);
    assert_non_null(t);
    struct rhm_rng rng = rhm_rng_start(5, RHM_STREAM_TEST, n);
    for (size_t i = 0; i < n * s; i++)
        t[i] = (uint32_t)rhm_rng_below(&rng, K);
    return t;
}

static double worst_difference(size_t n, const double *a, const double *b)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++)
        if (!(fabs(a[i] - b[i]) <= worst))
            worst = fabs(a[i] - b[i]);
    return worst;
}

static double dot(size_t n, const double *a, const double *b)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static void test_sincos(void **state)
{
    (void)state;
    enum { N = 4096 };
    static double phase[N], cosine[N], sine[N];
    struct rhm_rng rng = rhm_rng_start(1, RHM_STREAM_TEST, 0);
    double worst = 0;
    for (int magnitude = -3; magnitude <= 9; magnitude++) {
        for (int i = 0; i < N; i++) {
            phase[i] = pow(10, magnitude) * (2 * rhm_rng_uniform(&rng) - 1);
            if (i % 3 == 0) /* beside the multiples of pi/2, where a reduction goes wrong first */
                phase[i] = rint(phase[i]) * 1.5707963267948966;
        }
        rhm_trig_sincos(N, phase, 0.25, cosine, sine);
        for (int i = 0; i < N; i++) {
            worst = fmax(worst, (double)fabsl(cosine[i] - 0.25L * cosl((long double)phase[i])));
            worst = fmax(worst, (double)fabsl(sine[i] - 0.25L * sinl((long double)phase[i])));
        }
    }
    print_message("sincos, 1e-3 .. 1e9: worst error %.2g of the scale\n", worst / 0.25);
    assert_true(worst <= 4e-16 * 0.25);
    phase[7] = NAN;
    phase[8] = INFINITY;
    rhm_trig_sincos(N, phase, 1, phase, sine);
    assert_true(isnan(phase[7]) && isnan(sine[8]));
    assert_true(fabs(phase[9]) <= 1);
}

static void test_paths_agree(void **state)
{
    (void)state;
    double worst = 0;
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < SETTINGS; i++) {
            const struct setting *o = &settings[i];
            const size_t n = 300; /* past one block of the direct path */
            struct rhm_features f;
            make(&f, o, kinds[k], 3);
            assert_non_null(f.table);
            uint32_t *t = new_tuples(n, o->s, o->K);
            double *table = malloc(3 * n * o->M * sizeof *table), *direct = table + n * o->M;
            double *naive = direct + n * o->M;
            rhm_features_rows(&f, n, t, table);
            free(f.table);
            f.table = NULL;
            rhm_features_rows(&f, n, t, direct);
            for (size_t r = 0; r < n; r++)
                rhm_features_naive(&f, t + r * o->s, naive + r * o->M);
            worst = fmax(worst, worst_difference(n * o->M, table, naive));
            worst = fmax(worst, worst_difference(n * o->M, direct, naive));
            free(table);
            free(t);
            rhm_features_clear(&f);
        }
    print_message("table, direct and naive: worst difference %.2g\n", worst);
    assert_true(worst <= 1e-12);
}

/* Large tables are not built, and what is built instead gives the same. */
static void test_table_limit(void **state)
{
    (void)state;
    struct setting o = {4096, 2, 1100, 6, 0.5, 0};
    struct rhm_features f, g;
    make(&f, &o, RHM_FEATURES_RBF, 3);
    assert_null(f.table);
    double *e = new_embedding(&o);
    assert_int_equal(RHM_OK, rhm_features_init(&g, RHM_FEATURES_RBF, o.M, o.s, 1000, o.width, e, o.sigma, 3,
                                               RHM_STREAM_FEATURES, &err));
    assert_non_null(g.table);
    assert_int_equal(RHM_OK, rhm_features_extend(&g, 100, e + 1000 * o.width, &err));
    assert_null(g.table);
    uint32_t t[] = {1099, 3, 1001, 1001};
    double *x = malloc(4 * o.M * sizeof *x);
    rhm_features_rows(&f, 2, t, x);
    rhm_features_rows(&g, 2, t, x + 2 * o.M);
    assert_memory_equal(x, x + 2 * o.M, 2 * o.M * sizeof *x);
    free(x);
    free(e);
    rhm_features_clear(&f);
    rhm_features_clear(&g);
}

/* A feature's square has variance <= 1 (rbf, orf: cos^2 + sin^2 pairs) or <= 5 (relu: 4 (3/2) - 1) about
 * the limit times M, so the bound on a mean of M is a number of standard deviations. */
static double limit_bound(enum rhm_feature_kind kind, size_t M)
{
    return 5 * (kind == RHM_FEATURES_RELU ? sqrt(5) : 1) / sqrt((double)M);
}

static void test_limit_kernel(void **state)
{
    (void)state;
    for (int k = 0; k < 3; k++) {
        double worst = 0;
        for (int i = 0; i < 6; i++) {
            const struct setting *o = &settings[i];
            const size_t n = 40;
            struct rhm_features f;
            make(&f, o, kinds[k], 11);
            uint32_t *t = new_tuples(n, o->s, o->K);
            double *x = malloc(n * o->M * sizeof *x);
            rhm_features_rows(&f, n, t, x);
            for (size_t a = 0; a < n; a++)
                for (size_t b = 0; b <= a; b++) {
                    double inner = dot(o->M, x + a * o->M, x + b * o->M);
                    double error = fabs(inner - rhm_features_kernel(&f, t + a * o->s, t + b * o->s));
                    worst = fmax(worst, error / limit_bound(kinds[k], o->M));
                    if (a == b && kinds[k] != RHM_FEATURES_RELU)
                        assert_true(fabs(inner - 1) <= 1e-12);
                }
            free(x);
            free(t);
            rhm_features_clear(&f);
        }
        print_message("%s: worst inner product at %.2f of the bound\n", rhm_features_name(kinds[k]), worst);
        assert_true(worst <= 1);
    }
}

/* Root mean square error over pairs and seeds: falls as 1/sqrt(M). */
static double limit_error(enum rhm_feature_kind kind, size_t M)
{
    struct setting o = {M, 2, 8, 8, 0.7, 1};
    const size_t n = 24;
    const int seeds = 12;
    uint32_t *t = new_tuples(n, o.s, o.K);
    double *x = malloc(n * M * sizeof *x), sum = 0;
    for (int seed = 0; seed < seeds; seed++) {
        struct rhm_features f;
        make(&f, &o, kind, (uint64_t)seed);
        rhm_features_rows(&f, n, t, x);
        for (size_t a = 0; a < n; a++)
            for (size_t b = 0; b < a; b++) {
                double error = dot(M, x + a * M, x + b * M) - rhm_features_kernel(&f, t + 2 * a, t + 2 * b);
                sum += error * error;
            }
        rhm_features_clear(&f);
    }
    free(x);
    free(t);
    return sqrt(sum / (double)((size_t)seeds * n * (n - 1) / 2));
}

static void test_limit_scaling(void **state)
{
    (void)state;
    for (int k = 0; k < 3; k++) {
        double first = 0, last = 0;
        for (size_t M = 64; M <= 4096; M *= 4) {
            last = limit_error(kinds[k], M);
            if (M == 64)
                first = last;
            print_message("%s, M = %zu: rms error %.4f, times sqrt(M) %.3f\n", rhm_features_name(kinds[k]), M,
                          last, last * sqrt((double)M));
        }
        double slope = log(last / first) / log(64);
        assert_true(slope < -0.4 && slope > -0.6);
    }
}

/* Orthogonal features: fewer errors than independent ones, frequencies orthogonal within a block, lengths
 * chi-distributed and independent. */
static void test_orthogonal(void **state)
{
    (void)state;
    struct setting o = {1000, 3, 7, 7, 0.5, 1};
    const size_t dim = 21;
    struct rhm_features f;
    make(&f, &o, RHM_FEATURES_ORF, 2);
    assert_int_equal(500, f.rows);
    double worst = 0, mean = 0, square = 0;
    for (size_t a = 0; a < f.rows; a++) {
        const double *u = f.frequency + a * dim;
        double length = dot(dim, u, u) * o.sigma * o.sigma;
        mean += length / (double)f.rows;
        square += length * length / (double)f.rows;
        for (size_t b = a / dim * dim; b < a; b++) {
            const double *v = f.frequency + b * dim;
            worst = fmax(worst, fabs(dot(dim, u, v)) / sqrt(dot(dim, u, u) * dot(dim, v, v)));
        }
    }
    double variance = square - mean * mean;
    print_message(
        "orf: worst cosine within a block %.2g; |w|^2 sigma^2: mean %.2f (21), variance %.1f (42)\n", worst,
        mean, variance);
    assert_true(worst <= 1e-13);
    assert_true(fabs(mean - 21) < 5 * sqrt(42.0 / 500));
    assert_true(fabs(variance - 42) < 5 * 42 * sqrt(2.6 / 500));
    rhm_features_clear(&f);
    double independent = limit_error(RHM_FEATURES_RBF, 1024),
           orthogonal = limit_error(RHM_FEATURES_ORF, 1024);
    print_message("rms error at M = 1024: orf %.4f, rbf %.4f\n", orthogonal, independent);
    assert_true(orthogonal < independent);
}

/* Haar: the first row of a block is uniform on the sphere, so entry k has mean 0 and variance 1/dim; without
 * the sign of R's diagonal the mean would be away from 0. */
static void test_haar_mean(void **state)
{
    (void)state;
    const int seeds = 400;
    double mean[4] = {0};
    for (int seed = 0; seed < seeds; seed++) {
        struct setting o = {8, 1, 4, 4, 1, 1};
        struct rhm_features f;
        make(&f, &o, RHM_FEATURES_ORF, (uint64_t)seed);
        for (int k = 0; k < 4; k++) {
            const double *w = f.frequency + 4 * k;
            mean[k] += w[k] / sqrt(dot(4, w, w)) / seeds;
        }
        rhm_features_clear(&f);
    }
    for (int k = 0; k < 4; k++)
        assert_true(fabs(mean[k]) < 5 * 0.5 / sqrt(seeds));
}

static void test_relu_norm(void **state)
{
    (void)state;
    struct setting o = {256, 2, 8, 8, 0.5, 1};
    const int seeds = 200;
    uint32_t t[] = {3, 5};
    double x[256], mean = 0;
    for (int seed = 0; seed < seeds; seed++) {
        struct rhm_features f;
        make(&f, &o, RHM_FEATURES_RELU, (uint64_t)seed);
        rhm_features_rows(&f, 1, t, x);
        mean += dot(o.M, x, x) / seeds;
        rhm_features_clear(&f);
    }
    print_message("relu: mean square norm %.4f\n", mean);
    assert_true(fabs(mean - 1) < 5 * sqrt(5.0 / (256.0 * seeds)));
}

static void test_threads_and_seeds(void **state)
{
    (void)state;
    struct setting o = {2048, 3, 8, 8, 0.7, 1};
    const size_t n = 600;
    uint32_t *t = new_tuples(n, o.s, o.K);
    double *one = malloc(2 * n * o.M * sizeof *one), *two = one + n * o.M;
    int before = omp_get_max_threads();
    for (int k = 0; k < 3; k++)
        for (int direct = 0; direct < 2; direct++) {
            for (int threads = 1; threads <= 2; threads++) {
                omp_set_num_threads(threads);
                struct rhm_features f;
                make(&f, &o, kinds[k], 3);
                if (direct) {
                    free(f.table);
                    f.table = NULL;
                }
                rhm_features_rows(&f, n, t, threads == 1 ? one : two);
                rhm_features_clear(&f);
            }
            assert_memory_equal(one, two, n * o.M * sizeof *one);
        }
    omp_set_num_threads(before);
    struct rhm_features f, g;
    make(&f, &o, RHM_FEATURES_RBF, 3);
    make(&g, &o, RHM_FEATURES_RBF, 4);
    assert_memory_not_equal(f.frequency, g.frequency, f.rows * 24 * sizeof(double));
    rhm_features_clear(&g);
    o.M = 512; /* frequency k does not depend on how many there are */
    make(&g, &o, RHM_FEATURES_RBF, 3);
    assert_memory_equal(f.frequency, g.frequency, g.rows * 24 * sizeof(double));
    rhm_features_clear(&f);
    rhm_features_clear(&g);
    free(one);
    free(t);
}

static void test_extend(void **state)
{
    (void)state;
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < SETTINGS; i++) {
            const struct setting *o = &settings[i];
            double *e = new_embedding(o);
            struct rhm_features all, grown;
            make(&all, o, kinds[k], 9);
            size_t first = o->K / 2, second = o->K - 1;
            assert_int_equal(RHM_OK, rhm_features_init(&grown, kinds[k], o->M, o->s, first, o->width, e,
                                                       o->sigma, 9, RHM_STREAM_FEATURES, &err));
            assert_int_equal(RHM_OK, rhm_features_extend(&grown, second - first, e + first * o->width, &err));
            assert_int_equal(RHM_OK, rhm_features_extend(&grown, 0, NULL, &err));
            assert_int_equal(RHM_OK, rhm_features_extend(&grown, 1, e + second * o->width, &err));
            assert_int_equal(o->K, grown.K);
            uint32_t *t = new_tuples(50, o->s, o->K);
            double *x = malloc(100 * o->M * sizeof *x), *y = x + 50 * o->M;
            rhm_features_rows(&all, 50, t, x);
            rhm_features_rows(&grown, 50, t, y);
            assert_true(worst_difference(50 * o->M, x, y) <= 1e-14);
            free(x);
            free(t);
            free(e);
            rhm_features_clear(&all);
            rhm_features_clear(&grown);
        }
}

static void test_errors(void **state)
{
    (void)state;
    double e[4] = {1, 0, 0, 1}, bad[2] = {1, NAN};
    struct rhm_features f;
    assert_int_equal(RHM_EARG, rhm_features_init(&f, RHM_FEATURES_RBF, 7, 2, 2, 2, e, 1, 1, 0, &err));
    assert_non_null(strstr(err.text, "M = 7"));
    assert_int_equal(RHM_EARG, rhm_features_init(&f, RHM_FEATURES_RBF, 0, 2, 2, 2, e, 1, 1, 0, &err));
    assert_int_equal(RHM_EARG, rhm_features_init(&f, RHM_FEATURES_RBF, 8, 2, 2, 2, e, 0, 1, 0, &err));
    assert_int_equal(RHM_EARG, rhm_features_init(&f, RHM_FEATURES_RBF, 8, 2, 2, 2, e, NAN, 1, 0, &err));
    assert_int_equal(RHM_EARG, rhm_features_init(&f, RHM_FEATURES_RBF, 8, 2, 2, 2, e, 1e-320, 1, 0, &err));
    assert_non_null(strstr(err.text, "sigma = "));
    assert_int_equal(RHM_EARG,
                     rhm_features_init(&f, RHM_FEATURES_RBF, (size_t)1 << 33, 2, 2, 2, e, 1, 1, 0, &err));
    assert_int_equal(RHM_EMEMORY,
                     rhm_features_init(&f, RHM_FEATURES_RELU, 900000000, 2, 2, 2, e, 1, 1, 0, &err));
    assert_non_null(strstr(err.text, "lower M"));
    assert_null(f.frequency);
    assert_int_equal(RHM_OK, rhm_features_init(&f, RHM_FEATURES_RBF, 8, 2, 2, 2, e, 1, 1, 0, &err));
    assert_int_equal(RHM_ENUMERIC, rhm_features_extend(&f, 1, bad, &err));
    assert_non_null(strstr(err.text, "code 2"));
    assert_int_equal(2, f.K);
    uint32_t t[2] = {1, 0};
    double x[16];
    rhm_features_rows(&f, 1, t, x);
    rhm_features_naive(&f, t, x + 8);
    assert_true(worst_difference(8, x, x + 8) <= 1e-15);
    rhm_features_clear(&f);
    assert_int_equal(RHM_FEATURES_ORF, rhm_features_kind("orf"));
    assert_int_equal(-1, rhm_features_kind("RBF"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sincos),
        cmocka_unit_test(test_paths_agree),
        cmocka_unit_test(test_table_limit),
        cmocka_unit_test(test_limit_kernel),
        cmocka_unit_test(test_limit_scaling),
        cmocka_unit_test(test_orthogonal),
        cmocka_unit_test(test_haar_mean),
        cmocka_unit_test(test_relu_norm),
        cmocka_unit_test(test_threads_and_seeds),
        cmocka_unit_test(test_extend),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests_name("features", tests, NULL, NULL);
}
