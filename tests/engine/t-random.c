/* t-random.c - binomial and multinomial draws against their laws. */
#include "common.h"

#include <float.h>
#include <stdbool.h>

#include "engine/base/random.h"

#define CHECKS 250 /* more than are made */
#define TWO(e) ((uint64_t)1 << (e))

static struct rhm_rng start(uint64_t index)
{
    return rhm_rng_start(601, RHM_STREAM_TEST, index);
}

static double normal_two_sided(double z)
{
    return erfc(fabs(z) / sqrt(2));
}

/* P[sup of the Brownian bridge > x] */
static double kolmogorov_tail(double x)
{
    double sum = 0;
    for (int j = 1; j <= 100; j++)
        sum += (j % 2 ? 2 : -2) * exp(-2.0 * j * j * x * x);
    return x < 0.2 ? 1 : sum;
}

static void check_chi_square(const double *expected, const double *seen, size_t cells, const char *what)
{
    double all = 0, largest = 0;
    for (size_t i = 0; i < cells; i++) {
        all += expected[i];
        largest = fmax(largest, expected[i]);
    }
    assert_true(all - largest >= 20); /* two bins at least */
    check_p(chi_square_p(cells, expected, seen), CHECKS, "%s: chi-square", what);
}

/* P[k] for k = from..from+cells-1 in ratios outwards from the mode, scaled to the sum 1: no factorials. The
 * window must hold all but 1e-15. */
static void pmf_by_ratios(uint64_t n, double p, uint64_t from, size_t cells, double *pmf)
{
    long double odds = (long double)p / (1 - (long double)p), sum = 0;
    size_t mode = (size_t)((uint64_t)fmin((double)n, floor(((double)n + 1) * p)) - from);
    long double *w = calloc(cells, sizeof *w);
    w[mode] = 1;
    for (size_t i = mode; i + 1 < cells; i++)
        w[i + 1] = w[i] * odds * (long double)(n - from - i) / (long double)(from + i + 1);
    for (size_t i = mode; i > 0; i--)
        w[i - 1] = w[i] / odds * (long double)(from + i) / (long double)(n - from - i + 1);
    for (size_t i = 0; i < cells; i++)
        sum += w[i];
    for (size_t i = 0; i < cells; i++)
        pmf[i] = (double)(w[i] / sum);
    free(w);
}

/* The window of 9 standard deviations and 60 more about the mean, within 0..n. */
static uint64_t window(uint64_t n, double p, size_t *cells)
{
    double mean = (double)n * p, reach = 9 * sqrt(mean * (1 - p)) + 60;
    uint64_t from = mean > reach ? (uint64_t)(mean - reach) : 0;
    uint64_t to = mean + reach < (double)n ? (uint64_t)(mean + reach) : n;
    *cells = (size_t)(to - from + 1);
    return from;
}

struct law {
    uint64_t n;
    double p;
};

/* Both regimes, both sides of the switch at n p = 10, p near 0 and 1, n up to 2^53. */
static const struct law laws[] = {{1, 0.3},
                                  {2, 0.5},
                                  {5, 0.1},
                                  {12, 0.999},
                                  {19, 0.5},
                                  {20, 0.5},
                                  {21, 0.5},
                                  {33, 0.3},
                                  {34, 0.3},
                                  {34, 0.7},
                                  {99, 0.1},
                                  {100, 0.1},
                                  {101, 0.1},
                                  {101, 0.9},
                                  {9999, 0.001},
                                  {10001, 0.001},
                                  {1000, 0.5},
                                  {1000, 0.9},
                                  {1000, 0.02},
                                  {1000000, 0.2},
                                  {TWO(33), 0x1p-33},
                                  {TWO(40), 0x1p-38},
                                  {TWO(40), 1 - 0x1p-36},
                                  {TWO(53), 1e-17},
                                  {TWO(53), 1.1e-15},
                                  {TWO(53), 1.2e-15},
                                  {TWO(53), 1e-12},
                                  {TWO(53), 1 - 0x1p-51},
                                  {TWO(53), 1 - 0x1p-47}};

static void test_chi_square(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(laws); i++) {
        uint64_t n = laws[i].n;
        double p = laws[i].p;
        /* more where it costs least to see the constants of the rejection: its hat and its squeeze */
        int draws = n == 1000 && p == 0.5 ? 4000000 : 200000;
        size_t cells;
        uint64_t from = window(n, p, &cells);
        double *expected = calloc(cells, sizeof *expected), *seen = calloc(cells, sizeof *seen);
        pmf_by_ratios(n, p, from, cells, expected);
        for (size_t c = 0; c < cells; c++)
            expected[c] *= draws;
        struct rhm_rng rng = start(i);
        for (int d = 0; d < draws; d++) {
            uint64_t k = rhm_random_binomial(&rng, n, p);
            assert_true(k >= from && k - from < cells);
            seen[k - from]++;
        }
        char what[80];
        snprintf(what, sizeof what, "binomial(%llu, %g)", (unsigned long long)n, p);
        check_chi_square(expected, seen, cells, what);
        free(expected);
        free(seen);
    }
}

/* Reference values: mpmath 1.3, loggamma with 60 digits. */
static void test_log_pmf_reference(void **state)
{
    (void)state;
    static const struct {
        uint64_t n;
        double p;
        uint64_t k;
        double log_pmf;
    } known[] = {
        {TWO(53), 0.5, TWO(52), -18.59419163748327816},
        {TWO(53), 0.5, TWO(52) + 100000000, -20.814637686733591176},
        {TWO(53), 0.5, TWO(52) - 200000000, -27.475975834484532416},
        {TWO(53), 1e-3, 9007206254740, -18.555729019596726279},
        {TWO(53), 0.3, 2702159887533408, -21.770457059472175839},
        {TWO(53), 1e-9, 9016199, -13.420857237267347756},
        {TWO(53), 1e-15, 0, -9.0071992547409972035},
        {TWO(53), 1e-15, 9, -2.0268091619247158626},
        {TWO(53), 1 - 0x1p-51, TWO(53) - 7, -2.8211008332261800793},
        {TWO(53), 0.999, 8998192043140573, -24.30220158776246835},
        {TWO(40), 1e-3, 1099635083, -18.265130614125041328},
        {TWO(33), 0.5, TWO(32) + 300000, -32.617477775361136162},
        {1000000, 0.2, 190000, -323.40623334795549943},
        {100, 0.1, 0, -10.53605156578263074},
        {100, 0.1, 100, -230.25850929940456285},
        {100, 0.9, 37, -85.561753236469927779},
        {1000, 0.01, 35, -21.846234455514162972},
        {TWO(53), 0.5, 0, -6243314768165359.2089},
        {TWO(53), 1e-3, TWO(53), -62219528200781057.947},
    };
    double worst = 0;
    for (size_t i = 0; i < COUNT(known); i++) {
        double got = rhm_random_binomial_log_pmf(known[i].n, known[i].p, known[i].k);
        double error = fabs(got - known[i].log_pmf), scale = 1e-13 + 2e-15 * fabs(known[i].log_pmf);
        worst = fmax(worst, error / fmax(1, fabs(known[i].log_pmf)));
        if (!(error <= scale))
            fail_msg("log P[Binomial(%llu, %g) = %llu] = %.17g, not %.17g", (unsigned long long)known[i].n,
                     known[i].p, (unsigned long long)known[i].k, got, known[i].log_pmf);
    }
    print_message("worst error of log P, absolute below 1 and relative above: %.1e\n", worst);
}

/* Neighbours differ by log((n-k)/(k+1) p/q): what the acceptance test of the rejection relies on. */
static void test_log_pmf_ratios(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(laws); i++) {
        uint64_t n = laws[i].n;
        double p = laws[i].p;
        size_t cells;
        uint64_t from = window(n, p, &cells);
        double sum = 0;
        for (size_t c = 0; c < cells; c++)
            sum += exp(rhm_random_binomial_log_pmf(n, p, from + c));
        assert_true(fabs(sum - 1) < 1e-12);
        for (size_t c = 0; c + 1 < cells; c++) {
            uint64_t k = from + c;
            double low = rhm_random_binomial_log_pmf(n, p, k),
                   high = rhm_random_binomial_log_pmf(n, p, k + 1);
            double want = log((double)(n - k) / (double)(k + 1)) + log(p) - log1p(-p);
            assert_true(fabs(high - low - want) < 1e-12 + 1e-14 * fabs(low));
        }
    }
    assert_true(rhm_random_binomial_log_pmf(7, 0, 0) == 0 && rhm_random_binomial_log_pmf(7, 1, 7) == 0);
    assert_true(rhm_random_binomial_log_pmf(0, 0.5, 0) == 0);
    assert_true(rhm_random_binomial_log_pmf(7, 0, 1) == -INFINITY);
    assert_true(rhm_random_binomial_log_pmf(7, 0.5, 8) == -INFINITY);
    assert_true(rhm_random_binomial_log_pmf(7, NAN, 3) == -INFINITY);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Moments to the fourth and, where the law is normal to 1e-4, Kolmogorov-Smirnov against Phi and the lowest
 * three bits, which any rounding of positions near 2^52 would spoil. */
static void check_large(uint64_t n, double p, uint64_t index)
{
    enum { draws = 40000 };
    static double z[draws];
    double size = (double)n, high = size * p, low = fma(size, p, -high), sigma = sqrt(high * (1 - p));
    double bits[8] = {0}, first = 0, second = 0, third = 0;
    struct rhm_rng rng = start(index);
    for (int d = 0; d < draws; d++) {
        uint64_t k = rhm_random_binomial(&rng, n, p);
        assert_true(k <= n);
        bits[k % 8]++;
        z[d] = ((double)k - high - low) / sigma;
        first += z[d];
        second += z[d] * z[d];
        third += z[d] * z[d] * z[d];
    }
    /* standardised cumulants, then Var z^2 and Var z^3 (the latter normal: 15) */
    double skew = (1 - 2 * p) / sigma, kurt = (1 - 6 * p * (1 - p)) / (sigma * sigma);
    const char *format = "binomial(%llu, %g): %s";
    check_p(normal_two_sided(first / sqrt(draws)), CHECKS, format, (unsigned long long)n, p, "mean");
    check_p(normal_two_sided((second - draws) / sqrt(draws * (2 + kurt))), CHECKS, format,
            (unsigned long long)n, p, "variance");
    if (sigma < 1e3)
        return;
    check_p(normal_two_sided((third - draws * skew) / sqrt(draws * 15.0)), CHECKS, format,
            (unsigned long long)n, p, "skewness");
    qsort(z, draws, sizeof *z, compare_doubles);
    double most = 0;
    for (int d = 0; d < draws; d++) {
        double phi = 0.5 * erfc(-z[d] / sqrt(2));
        phi -= skew / 6 * (z[d] * z[d] - 1) * exp(-z[d] * z[d] / 2) / sqrt(2 * M_PI); /* Edgeworth */
        most = fmax(most, fmax(phi - (double)d / draws, (double)(d + 1) / draws - phi));
    }
    /* a step of the lattice, 1/sigma, times the density's top is the law's own distance from Phi */
    most = fmax(0, most - 0.2 / sigma);
    check_p(kolmogorov_tail(sqrt(draws) * most), CHECKS, format, (unsigned long long)n, p, "normal");
    double eighth[8];
    for (int b = 0; b < 8; b++)
        eighth[b] = draws / 8.0;
    check_chi_square(eighth, bits, 8, "the lowest bits");
}

static void test_large(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {TWO(33), TWO(40), TWO(53) - 1, TWO(53)};
    static const double ps[] = {0.5, 0.3, 1e-3, 1e-6, 1e-9, 1 - 1e-3, 2.0 / 3};
    for (size_t i = 0; i < COUNT(sizes); i++)
        for (size_t j = 0; j < COUNT(ps); j++)
            check_large(sizes[i], ps[j], 1000 + 10 * i + j);
}

static void test_edges(void **state)
{
    (void)state;
    struct rhm_rng rng = start(2000);
    for (int d = 0; d < 100; d++) {
        assert_int_equal(rhm_random_binomial(&rng, 0, 0.5), 0);
        assert_int_equal(rhm_random_binomial(&rng, TWO(53), 0), 0);
        assert_int_equal(rhm_random_binomial(&rng, TWO(53), 1), TWO(53));
        assert_int_equal(rhm_random_binomial(&rng, TWO(53), DBL_TRUE_MIN), 0);
        assert_int_equal(rhm_random_binomial(&rng, TWO(53), 1e-40), 0);
        assert_int_equal(rhm_random_binomial(&rng, TWO(53), NAN), 0);
        assert_true(rhm_random_binomial(&rng, 1, 0.5) <= 1);
        assert_true(rhm_random_binomial(&rng, TWO(53), 1 - DBL_EPSILON / 2) <= TWO(53));
    }
    /* a draw is a function of the generator's state */
    struct rhm_rng a = start(2001), b = start(2001);
    for (int d = 0; d < 1000; d++)
        assert_int_equal(rhm_random_binomial(&a, 1000000, 0.25), rhm_random_binomial(&b, 1000000, 0.25));
}

static void check_sum(const uint64_t *count, size_t k, uint64_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < k; i++) {
        assert_true(count[i] <= n);
        sum += count[i];
    }
    assert_true(sum == n);
}

/* All 15 outcomes of n = 4 in three cells, a fourth of probability 0 in between, p not normalised. */
static void test_multinomial_joint(void **state)
{
    (void)state;
    enum { draws = 200000 };
    static const double p[] = {1, 2.5, 0, 0.5}, factorial[] = {1, 1, 2, 6, 24};
    double expected[25] = {0}, seen[25] = {0};
    for (int a = 0; a <= 4; a++)
        for (int b = 0; a + b <= 4; b++)
            expected[5 * a + b] = draws * 24 / factorial[a] / factorial[b] / factorial[4 - a - b] *
                                  pow(p[0] / 4, a) * pow(p[1] / 4, b) * pow(p[3] / 4, 4 - a - b);
    struct rhm_rng rng = start(3000);
    for (int d = 0; d < draws; d++) {
        uint64_t count[4];
        rhm_random_multinomial(&rng, 4, 4, p, count);
        check_sum(count, 4, 4);
        assert_true(count[2] == 0);
        seen[5 * count[0] + count[1]]++;
    }
    check_chi_square(expected, seen, 25, "multinomial, joint");
}

/* Means, variances and all covariances, at n from 1000 to 2^53. */
static void test_multinomial_moments(void **state)
{
    (void)state;
    enum { draws = 20000, k = 6 };
    static const double p[k] = {0.02, 0.4, 0, 0.1, 0.45, 0.03};
    static const uint64_t sizes[] = {1000, TWO(33), TWO(53)};
    static double x[draws][k];
    for (size_t s = 0; s < COUNT(sizes); s++) {
        struct rhm_rng rng = start(4000 + s);
        double size = (double)sizes[s];
        for (int d = 0; d < draws; d++) {
            uint64_t count[k];
            rhm_random_multinomial(&rng, sizes[s], k, p, count);
            check_sum(count, k, sizes[s]);
            for (size_t i = 0; i < k; i++)
                x[d][i] = ((double)count[i] - size * p[i]) / sqrt(size);
        }
        for (size_t i = 0; i < k; i++) {
            if (p[i] == 0)
                continue;
            double sum = 0;
            for (int d = 0; d < draws; d++)
                sum += x[d][i];
            check_p(normal_two_sided(sum / sqrt(draws * p[i] * (1 - p[i]))), CHECKS, "multinomial mean %zu",
                    i);
            for (size_t j = 0; j <= i; j++) {
                double product = 0, square = 0, want = (i == j ? p[i] : 0) - p[i] * p[j];
                for (int d = 0; d < draws; d++) {
                    product += x[d][i] * x[d][j];
                    square += pow(x[d][i] * x[d][j], 2);
                }
                if (p[j] == 0)
                    continue;
                product /= draws;
                double error = sqrt((square / draws - product * product) / draws);
                check_p(normal_two_sided((product - want) / error), CHECKS, "multinomial covariance %zu %zu",
                        i, j);
            }
        }
    }
}

/* A cell that takes nearly all, first or last: the small ones must keep their law, here Poisson-like. */
static void test_multinomial_dominated(void **state)
{
    (void)state;
    enum { draws = 100000, cells = 70 };
    static const double p[4][3] = {
        {1, 1e-15, 2e-16}, {1e-15, 1, 2e-16}, {1e-15, 2e-16, 1}, {2e-16, 1e6, 1e-9}};
    static const size_t rare[4] = {1, 0, 0, 2};
    for (size_t v = 0; v < 4; v++) {
        double expected[cells], seen[cells] = {0}, all = p[v][0] + p[v][1] + p[v][2];
        pmf_by_ratios(TWO(53), p[v][rare[v]] / all, 0, cells, expected);
        struct rhm_rng rng = start(5000 + v);
        for (int d = 0; d < draws; d++) {
            uint64_t count[3];
            rhm_random_multinomial(&rng, TWO(53), 3, p[v], count);
            check_sum(count, 3, TWO(53));
            assert_true(count[rare[v]] < cells);
            seen[count[rare[v]]]++;
        }
        for (size_t c = 0; c < cells; c++)
            expected[c] *= draws;
        check_chi_square(expected, seen, cells, "multinomial, dominated");
    }
}

/* 100,000 uneven cells: sums, zeros, and the chi-square statistic of the counts themselves. */
static void test_multinomial_wide(void **state)
{
    (void)state;
    enum { k = 100000 };
    double *p = calloc(k, sizeof *p), sum = 0, x = 0;
    uint64_t *count = calloc(k, sizeof *count);
    size_t positive = 0;
    struct rhm_rng rng = start(6000);
    for (size_t i = 0; i < k; i++) {
        p[i] = i % 10 == 9 ? 0 : 0.1 + rhm_rng_uniform(&rng);
        sum += p[i];
        positive += p[i] > 0;
    }
    double size = 0x1p45;
    rhm_random_multinomial(&rng, TWO(45), k, p, count);
    check_sum(count, k, TWO(45));
    for (size_t i = 0; i < k; i++) {
        double expected = size * p[i] / sum;
        if (p[i] == 0)
            assert_true(count[i] == 0);
        else
            x += ((double)count[i] - expected) * ((double)count[i] - expected) / expected;
    }
    double df = (double)positive - 1;
    check_p(normal_two_sided((x - df) / sqrt(2 * df)), CHECKS, "multinomial, wide: chi-square %.1f for %.0f",
            x, df);

    /* fewer draws than cells, the last cells of probability 0 */
    rhm_random_multinomial(&rng, 1000, k, p, count);
    check_sum(count, k, 1000);
    static const double trailing[] = {0, 0.3, 0.7, 0, 0};
    rhm_random_multinomial(&rng, TWO(53), 5, trailing, count);
    check_sum(count, 5, TWO(53));
    assert_true(count[0] == 0 && count[3] == 0 && count[4] == 0);
    rhm_random_multinomial(&rng, 0, 5, trailing, count);
    check_sum(count, 5, 0);
    free(p);
    free(count);
}

static void test_error_rate(void **state)
{
    (void)state;
    report_checks(CHECKS);
    assert_true(checks > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log_pmf_reference),
        cmocka_unit_test(test_log_pmf_ratios),
        cmocka_unit_test(test_chi_square),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_multinomial_joint),
        cmocka_unit_test(test_multinomial_moments),
        cmocka_unit_test(test_multinomial_dominated),
        cmocka_unit_test(test_multinomial_wide),
        cmocka_unit_test(test_error_rate),
    };
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
