/* t-ridge.c - ridge regression: closed form, stepped descent, its spectral form and both Gram forms against
 * each other and against plain loops. */
#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/linalg.h"
#include "engine/base/memory.h"
#include "engine/base/rng.h"
#include "engine/layer/ridge.h"

static struct rhm_error err;

/* Patches with counts: a codebook of K codes in a few dimensions, s codes a patch, U distinct patches. */
struct problem {
    size_t U, s, K, C;
    struct rhm_features f;
    uint32_t *tuple;
    double *count;
};

static void problem_make(struct problem *q, enum rhm_feature_kind kind, size_t M, size_t U, size_t K,
                         size_t C, double sigma)
{
    *q = (struct problem){.U = U, .s = 2, .K = K, .C = C};
    double *e = calloc(K * K, sizeof *e);
    for (size_t c = 0; c < K; c++)
        e[c * K + c] = 1;
    assert_int_equal(RHM_OK,
                     rhm_features_init(&q->f, kind, M, 2, K, K, e, sigma, 3, RHM_STREAM_FEATURES, &err));
    free(e);
    q->tuple = malloc(U * 2 * sizeof *q->tuple);
    q->count = calloc(U * C, sizeof *q->count);
    struct rhm_rng rng = rhm_rng_start(8, RHM_STREAM_TEST, U);
    assert_true(U <= K * K);
    for (size_t i = 0; i < U; i++) {
        size_t code = i * (K * K / U);
        q->tuple[2 * i] = (uint32_t)(code / K);
        q->tuple[2 * i + 1] = (uint32_t)(code % K);
        q->count[i * C + rhm_rng_below(&rng, C)] = 1;
        for (int draws = 0; draws < 30; draws++)
            q->count[i * C + (i + rhm_rng_below(&rng, 1 + i % 3)) % C] += (double)rhm_rng_below(&rng, 4);
    }
}

static void problem_clear(struct problem *q)
{
    rhm_features_clear(&q->f);
    free(q->tuple);
    free(q->count);
}

static void ridge_make(struct rhm_ridge *r, const struct problem *q, enum rhm_ridge_form form, double lambda,
                       double eta)
{
    assert_int_equal(RHM_OK, rhm_ridge_init(r, form, &q->f, q->U, q->tuple, q->C, q->count, lambda, eta, NULL,
                                            NULL, &err));
}

static double *new_weights(const struct rhm_ridge *r)
{
    double *W = malloc(r->C * r->M * sizeof *W);
    assert_non_null(W);
    rhm_ridge_weights(r, W);
    return W;
}

/* max |a - b| / max |b| */
static double relative(size_t n, const double *a, const double *b)
{
    double worst = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        if (!(fabs(a[i] - b[i]) <= worst))
            worst = fabs(a[i] - b[i]);
        size = fmax(size, fabs(b[i]));
    }
    return worst / size;
}

/* The same from the definition, by plain loops. */
struct naive {
    size_t U, M, C;
    double N, *x, *G, *B;
};

static void naive_make(struct naive *v, const struct problem *q)
{
    size_t M = q->f.M, C = q->C;
    *v = (struct naive){.U = q->U, .M = M, .C = C};
    v->x = calloc(q->U * M, sizeof(double));
    v->G = calloc(M * M, sizeof(double));
    v->B = calloc(C * M, sizeof(double));
    for (size_t i = 0; i < q->U * C; i++)
        v->N += q->count[i];
    for (size_t i = 0; i < q->U; i++) {
        double *x = v->x + i * M;
        rhm_features_naive(&q->f, q->tuple + 2 * i, x);
        for (size_t c = 0; c < C; c++) {
            double joint = q->count[i * C + c] / v->N;
            for (size_t a = 0; a < M; a++) {
                v->B[c * M + a] += joint * x[a];
                for (size_t b = 0; b < M; b++)
                    v->G[a * M + b] += joint * x[a] * x[b];
            }
        }
    }
}

static void naive_clear(struct naive *v)
{
    free(v->x);
    free(v->G);
    free(v->B);
}

/* W (G + lambda) = B by Gauss's elimination with pivots; G is symmetric. W: C x M. */
static void naive_exact(const struct naive *v, double lambda, double *W)
{
    size_t M = v->M, C = v->C, width = M + C;
    double *a = malloc(M * width * sizeof *a);
    for (size_t i = 0; i < M; i++) {
        for (size_t j = 0; j < M; j++)
            a[i * width + j] = v->G[i * M + j] + (i == j ? lambda : 0);
        for (size_t c = 0; c < C; c++)
            a[i * width + M + c] = v->B[c * M + i];
    }
    for (size_t k = 0; k < M; k++) {
        size_t pivot = k;
        for (size_t i = k; i < M; i++)
            if (fabs(a[i * width + k]) > fabs(a[pivot * width + k]))
                pivot = i;
        for (size_t j = 0; j < width; j++) {
            double t = a[k * width + j];
            a[k * width + j] = a[pivot * width + j];
            a[pivot * width + j] = t;
        }
        for (size_t i = 0; i < M; i++) {
            double ratio = i == k ? 0 : a[i * width + k] / a[k * width + k];
            for (size_t j = k; ratio != 0 && j < width; j++)
                a[i * width + j] -= ratio * a[k * width + j];
        }
    }
    for (size_t i = 0; i < M; i++)
        for (size_t c = 0; c < C; c++)
            W[c * M + i] = a[i * width + M + c] / a[i * width + i];
    free(a);
}

/* |W (G + lambda) - B|_max / |B|_max */
static double naive_residual(const struct naive *v, double lambda, const double *W)
{
    double *y = calloc(v->C * v->M, sizeof *y), ratio;
    for (size_t c = 0; c < v->C; c++)
        for (size_t a = 0; a < v->M; a++) {
            y[c * v->M + a] = lambda * W[c * v->M + a];
            for (size_t b = 0; b < v->M; b++)
                y[c * v->M + a] += W[c * v->M + b] * v->G[b * v->M + a];
        }
    ratio = relative(v->C * v->M, y, v->B);
    free(y);
    return ratio;
}

/* 1/2 E|e_zeta - W x|^2 + lambda/2 |W|^2, sample by sample. */
static double naive_loss(const struct naive *v, const struct problem *q, double lambda, const double *W)
{
    double loss = 0;
    for (size_t i = 0; i < v->U; i++)
        for (size_t zeta = 0; zeta < v->C; zeta++)
            for (size_t c = 0; c < v->C; c++) {
                double out = 0;
                for (size_t a = 0; a < v->M; a++)
                    out += W[c * v->M + a] * v->x[i * v->M + a];
                double miss = (c == zeta) - out;
                loss += 0.5 * q->count[i * v->C + zeta] / v->N * miss * miss;
            }
    for (size_t k = 0; k < v->C * v->M; k++)
        loss += 0.5 * lambda * W[k] * W[k];
    return loss;
}

static const enum rhm_feature_kind kinds[] = {RHM_FEATURES_RBF, RHM_FEATURES_ORF, RHM_FEATURES_RELU};
static const enum rhm_ridge_form forms[] = {RHM_RIDGE_PRIMAL, RHM_RIDGE_DUAL};
static const double lambdas[] = {1e-6, 1e-4, 1e-2};
/* Fewer and more patches than features: each form is tried where it is not the natural one too. */
static const size_t patches[] = {40, 64, 100};
enum { M_SMALL = 64 };

static void test_exact(void **state)
{
    (void)state;
    double worst_naive = 0, worst_normal = 0, worst_forms = 0;
    for (int k = 0; k < 3; k++)
        for (int u = 0; u < 3; u++) {
            struct problem q;
            struct naive v;
            problem_make(&q, kinds[k], M_SMALL, patches[u], 16, 5, 0.6);
            naive_make(&v, &q);
            for (int l = 0; l < 3; l++) {
                double *reference = malloc(q.C * M_SMALL * sizeof *reference), *W[2];
                naive_exact(&v, lambdas[l], reference);
                for (int form = 0; form < 2; form++) {
                    struct rhm_ridge r;
                    ridge_make(&r, &q, forms[form], lambdas[l], 0);
                    assert_int_equal(form == 1, r.dual);
                    assert_int_equal(RHM_OK, rhm_ridge_exact(&r, NULL, NULL, &err));
                    W[form] = new_weights(&r);
                    worst_naive = fmax(worst_naive, relative(q.C * M_SMALL, W[form], reference));
                    worst_normal = fmax(worst_normal, naive_residual(&v, lambdas[l], W[form]));
                    assert_true(rhm_ridge_residual(&r) <= 1e-9);
                    rhm_ridge_clear(&r);
                }
                worst_forms = fmax(worst_forms, relative(q.C * M_SMALL, W[1], W[0]));
                free(W[0]);
                free(W[1]);
                free(reference);
            }
            naive_clear(&v);
            problem_clear(&q);
        }
    print_message("exact against naive %.2g, normal equations %.2g, dual against primal %.2g\n", worst_naive,
                  worst_normal, worst_forms);
    assert_true(worst_naive <= 1e-9);
    assert_true(worst_normal <= 1e-9);
    assert_true(worst_forms <= 1e-9);
}

/* At the size of a real layer, where rounding has room to grow. */
static void test_exact_large(void **state)
{
    (void)state;
    static const size_t sizes[] = {250, 700};
    double worst_normal = 0, worst_forms = 0;
    for (int u = 0; u < 2; u++)
        for (int l = 0; l < (getenv("VALGRIND") ? 1 : 3); l++) {
            struct problem q;
            problem_make(&q, RHM_FEATURES_RBF, 300, sizes[u], 30, 16, 0.35);
            double *W[2];
            for (int form = 0; form < 2; form++) {
                struct rhm_ridge r;
                ridge_make(&r, &q, forms[form], lambdas[l], 0);
                assert_int_equal(RHM_OK, rhm_ridge_exact(&r, NULL, NULL, &err));
                worst_normal = fmax(worst_normal, rhm_ridge_residual(&r));
                W[form] = new_weights(&r);
                rhm_ridge_clear(&r);
            }
            worst_forms = fmax(worst_forms, relative(q.C * 300, W[1], W[0]));
            free(W[0]);
            free(W[1]);
            problem_clear(&q);
        }
    print_message("M = 300: normal equations %.2g, dual against primal %.2g\n", worst_normal, worst_forms);
    assert_true(worst_normal <= 1e-9);
    assert_true(worst_forms <= 1e-9);
}

static void test_descent(void **state)
{
    (void)state;
    static const unsigned long long steps[] = {1, 10, 1000};
    double worst_spectral = 0, worst_forms = 0;
    for (int k = 0; k < 3; k++)
        for (int u = 0; u < 3; u++)
            for (int l = 0; l < 4; l += getenv("VALGRIND") ? 3 : 1) {
                struct problem q;
                problem_make(&q, kinds[k], M_SMALL, patches[u], 16, 5, 0.6);
                double *stepped[2], *spectral = malloc(q.C * M_SMALL * sizeof *spectral);
                double lambda = l < 3 ? lambdas[l] : 0;
                for (int t = 0; t < (k == 0 ? 3 : 2); t++) { /* the long one for rbf alone */
                    for (int form = 0; form < 2; form++) {
                        struct rhm_ridge r;
                        ridge_make(&r, &q, forms[form], lambda, 0);
                        rhm_ridge_step(&r, steps[t] / 2); /* in two goes */
                        rhm_ridge_step(&r, steps[t] - steps[t] / 2);
                        assert_int_equal(steps[t], r.steps);
                        stepped[form] = new_weights(&r);
                        assert_int_equal(RHM_OK, rhm_ridge_spectral(&r, steps[t], spectral, &err));
                        worst_spectral =
                            fmax(worst_spectral, relative(q.C * M_SMALL, stepped[form], spectral));
                        rhm_ridge_clear(&r);
                    }
                    worst_forms = fmax(worst_forms, relative(q.C * M_SMALL, stepped[1], stepped[0]));
                    free(stepped[0]);
                    free(stepped[1]);
                }
                free(spectral);
                problem_clear(&q);
            }
    print_message("T steps against spectral %.2g, dual against primal %.2g\n", worst_spectral, worst_forms);
    assert_true(worst_spectral <= 1e-9);
    assert_true(worst_forms <= 1e-9);
}

/* Steps longer than 1/(lambda_max + lambda) overshoot, with a sign that alternates in the spectral form. */
static void test_long_steps(void **state)
{
    (void)state;
    struct problem q;
    problem_make(&q, RHM_FEATURES_RBF, M_SMALL, 40, 16, 3, 0.6);
    struct rhm_ridge r;
    ridge_make(&r, &q, RHM_RIDGE_AUTO, 1e-3, 0);
    double limit = 2 / (r.lambda_max + 1e-3), *spectral = malloc(q.C * M_SMALL * sizeof *spectral);
    assert_true(r.dual);
    assert_true(fabs(r.eta - limit / 2) <= 1e-12 * limit);
    rhm_ridge_clear(&r);
    for (unsigned long long T = 6; T <= 7; T++) {
        ridge_make(&r, &q, RHM_RIDGE_AUTO, 1e-3, 0.95 * limit);
        rhm_ridge_step(&r, T);
        double *W = new_weights(&r);
        assert_int_equal(RHM_OK, rhm_ridge_spectral(&r, T, spectral, &err));
        assert_true(relative(q.C * M_SMALL, W, spectral) <= 1e-9);
        free(W);
        rhm_ridge_clear(&r);
    }
    assert_int_equal(RHM_EARG, rhm_ridge_init(&r, RHM_RIDGE_AUTO, &q.f, q.U, q.tuple, q.C, q.count, 1e-3,
                                              1.01 * limit, NULL, NULL, &err));
    assert_non_null(strstr(err.text, "diverges"));
    free(spectral);
    problem_clear(&q);
}

/* Descent comes near the closed form in the end, and the loss falls on the way. */
static void test_loss(void **state)
{
    (void)state;
    for (int form = 0; form < 2; form++) {
        struct problem q;
        struct naive v;
        const double lambda = 1e-3;
        problem_make(&q, RHM_FEATURES_RBF, M_SMALL, 100, 16, 4, 0.6);
        naive_make(&v, &q);
        struct rhm_ridge r;
        ridge_make(&r, &q, forms[form], lambda, 0);
        double before = rhm_ridge_loss(&r), worst = 0;
        assert_true(fabs(before - 0.5) <= 1e-15);
        for (int k = 0; k < 20; k++) {
            rhm_ridge_step(&r, k < 10 ? 1 : 500);
            double *W = new_weights(&r), now = rhm_ridge_loss(&r);
            worst = fmax(worst, fabs(now - naive_loss(&v, &q, lambda, W)));
            assert_true(k < 10 ? now < before : now <= before + 1e-15); /* later it has converged */
            before = now;
            free(W);
        }
        assert_true(worst <= 1e-12);
        double *descent = new_weights(&r);
        assert_int_equal(RHM_OK, rhm_ridge_exact(&r, NULL, NULL, &err));
        double *exact = new_weights(&r);
        assert_true(rhm_ridge_loss(&r) <= before + 1e-15);
        print_message("%s: loss against samples %.2g, 5010 steps against exact %.2g\n",
                      form ? "dual" : "primal", worst, relative(q.C * M_SMALL, descent, exact));
        assert_true(relative(q.C * M_SMALL, descent, exact) <= 1e-9);
        free(descent);
        free(exact);
        rhm_ridge_clear(&r);
        naive_clear(&v);
        problem_clear(&q);
    }
}

static void test_outputs(void **state)
{
    (void)state;
    struct problem q;
    struct naive v;
    problem_make(&q, RHM_FEATURES_RBF, M_SMALL, 1100, 34, 4, 0.6); /* past two blocks */
    naive_make(&v, &q);
    struct rhm_ridge r;
    ridge_make(&r, &q, RHM_RIDGE_AUTO, 1e-4, 0);
    assert_false(r.dual);
    assert_int_equal(RHM_OK, rhm_ridge_exact(&r, NULL, NULL, &err));
    double *W = new_weights(&r), *F = malloc(2 * q.U * q.C * sizeof *F), *expected = F + q.U * q.C;
    for (size_t i = 0; i < q.U; i++)
        for (size_t c = 0; c < q.C; c++) {
            expected[i * q.C + c] = 0;
            for (size_t a = 0; a < M_SMALL; a++)
                expected[i * q.C + c] += W[c * M_SMALL + a] * v.x[i * M_SMALL + a];
        }
    assert_int_equal(RHM_OK, rhm_ridge_outputs(&q.f, q.U, q.tuple, q.C, W, F, NULL, NULL, &err));
    assert_true(relative(q.U * q.C, F, expected) <= 1e-11);
    assert_int_equal(RHM_OK, rhm_ridge_outputs(&q.f, 0, NULL, q.C, W, F, NULL, NULL, &err));
    free(W);
    free(F);
    rhm_ridge_clear(&r);
    naive_clear(&v);
    problem_clear(&q);
}

/* Near-orthogonal patches: W x is close to a multiple of the label's distribution given the patch. */
static void test_learns_q(void **state)
{
    (void)state;
    struct problem q;
    problem_make(&q, RHM_FEATURES_RBF, 2048, 64, 8, 5, 0.25);
    struct rhm_ridge r;
    ridge_make(&r, &q, RHM_RIDGE_AUTO, 1e-5, 0);
    assert_int_equal(RHM_OK, rhm_ridge_exact(&r, NULL, NULL, &err));
    double *W = new_weights(&r), F[64 * 5], worst = 0;
    assert_int_equal(RHM_OK, rhm_ridge_outputs(&q.f, 64, q.tuple, 5, W, F, NULL, NULL, &err));
    for (size_t i = 0; i < 64; i++) {
        double sum = 0, total = 0;
        for (size_t c = 0; c < 5; c++) {
            sum += F[i * 5 + c];
            total += q.count[i * 5 + c];
        }
        for (size_t c = 0; c < 5; c++)
            worst = fmax(worst, fabs(F[i * 5 + c] / sum - q.count[i * 5 + c] / total));
    }
    print_message("worst error of q from near-orthogonal patches: %.2g\n", worst);
    assert_true(worst < 1e-3);
    free(W);
    rhm_ridge_clear(&r);
    problem_clear(&q);
}

/* lambda_max against all eigenvalues, also where the top ones are crowded (near-orthogonal patches). */
static void test_largest(void **state)
{
    (void)state;
    static const double sigmas[] = {0.1, 0.3, 1};
    double worst = 0;
    for (int k = 0; k < 3; k++)
        for (int form = 0; form < 2; form++) {
            struct problem q;
            problem_make(&q, RHM_FEATURES_RBF, 200, 180, 20, 4, sigmas[k]);
            struct rhm_ridge r;
            ridge_make(&r, &q, forms[form], 1e-4, 0);
            size_t n = r.dual ? r.U : r.M;
            double *a = malloc(n * n * sizeof *a), *value = malloc(n * sizeof *value);
            for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < n; j++)
                    a[i * n + j] = r.gram[i * n + j] * (r.dual ? sqrt(r.p[i] * r.p[j]) : 1);
            assert_int_equal(RHM_OK, rhm_linalg_eigen(n, a, value, &err));
            worst = fmax(worst, fabs(r.lambda_max / value[n - 1] - 1));
            assert_true(r.eta * (value[n - 1] + r.lambda) <= 1 + 1e-9);
            double condition;
            assert_int_equal(RHM_OK, rhm_ridge_condition(&r, &condition, NULL, NULL, &err));
            double truth = (value[n - 1] + r.lambda) / (fmax(0, value[0]) + r.lambda);
            /* the 1-norm's lies within a factor n of the 2-norm's */
            assert_true(condition >= 0.3 * truth && condition <= (double)n * truth);
            free(a);
            free(value);
            rhm_ridge_clear(&r);
            problem_clear(&q);
        }
    print_message("lambda_max against dsyevd: %.2g\n", worst);
    assert_true(worst <= 1e-10);
}

static void test_singular(void **state)
{
    (void)state;
    struct problem q;
    problem_make(&q, RHM_FEATURES_RBF, 128, 40, 16, 3, 0.6);
    struct rhm_ridge r;
    ridge_make(&r, &q, RHM_RIDGE_PRIMAL, 0, 0); /* rank 40 of 128 */
    assert_int_equal(RHM_ENUMERIC, rhm_ridge_exact(&r, NULL, NULL, &err));
    assert_non_null(strstr(err.text, "raise lambda"));
    rhm_ridge_step(&r, 5); /* goes on working */
    assert_true(rhm_ridge_loss(&r) < 0.5);
    rhm_ridge_clear(&r);
    problem_clear(&q);
}

static void test_threads(void **state)
{
    (void)state;
    struct problem q;
    int before = omp_get_max_threads();
    problem_make(&q, RHM_FEATURES_RBF, 256, getenv("VALGRIND") ? 600 : 1100, 40, 4, 0.5);
    for (int form = 0; form < 2; form++) {
        struct rhm_ridge r[2];
        for (int k = 0; k < 2; k++) {
            omp_set_num_threads(k + 1);
            ridge_make(&r[k], &q, forms[form], 1e-4, 0);
        }
        size_t n = r[0].dual ? r[0].U : r[0].M;
        assert_true(relative(n * n, r[1].gram, r[0].gram) <= 1e-12);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < i; j++)
                assert_true(r[0].gram[i * n + j] == r[0].gram[j * n + i]);
        rhm_ridge_clear(&r[0]);
        rhm_ridge_clear(&r[1]);
    }
    omp_set_num_threads(before);
    problem_clear(&q);
}

static enum rhm_status stop_after(void *context, struct rhm_error *e)
{
    int *left = context;
    return (*left)-- > 0 ? RHM_OK : rhm_fail(e, RHM_ESTOP, "stopped by the test");
}

static void test_stop(void **state)
{
    (void)state;
    struct problem q;
    problem_make(&q, RHM_FEATURES_RBF, 64, 2100, 46, 4, 0.5);
    for (int form = 0; form < 2; form++)
        for (int calls = 0; calls < 3; calls++) { /* each before the last block */
            struct rhm_ridge r;
            int left = calls;
            assert_int_equal(RHM_ESTOP, rhm_ridge_init(&r, forms[form], &q.f, q.U, q.tuple, q.C, q.count,
                                                       1e-4, 0, stop_after, &left, &err));
            assert_string_equal("stopped by the test", err.text);
            assert_null(r.gram);
        }
    double *W = calloc(q.C * 64, sizeof *W), *F = calloc(q.U * q.C, sizeof *F);
    int left = 2;
    assert_int_equal(RHM_ESTOP, rhm_ridge_outputs(&q.f, q.U, q.tuple, q.C, W, F, stop_after, &left, &err));
    free(W);
    free(F);
    problem_clear(&q);
}

/* The closed form and the condition number ask at least once for each tile of the factor and of the solution;
 * stopped at any of these questions and begun again, they give the same. */
static void test_stop_in_the_closed_form(void **state)
{
    (void)state;
    struct problem q;
    size_t part = getenv("VALGRIND") ? 2 : 1;
    problem_make(&q, RHM_FEATURES_RBF, 600 / part, 900 / part, 30, 4, 0.5);
    for (int form = 0; form < 2; form++) {
        struct rhm_ridge r, whole;
        ridge_make(&r, &q, forms[form], 1e-3, 0);
        ridge_make(&whole, &q, forms[form], 1e-3, 0);
        size_t n = r.dual ? r.U : r.M;
        int enough = 100000, left = enough;
        double condition, again = 0;
        assert_int_equal(RHM_OK, rhm_ridge_exact(&whole, stop_after, &left, &err));
        int asked = enough - left, tiles = (int)(n / 128);
        assert_true(asked >= 3 * tiles);
        for (int calls = 0; calls < asked; calls += 1 + calls / 4) {
            left = calls;
            assert_int_equal(RHM_ESTOP, rhm_ridge_exact(&r, stop_after, &left, &err));
        }
        assert_int_equal(RHM_OK, rhm_ridge_exact(&r, NULL, NULL, &err));
        assert_memory_equal(r.iterate, whole.iterate, r.C * n * sizeof(double));
        left = enough;
        assert_int_equal(RHM_OK, rhm_ridge_condition(&r, &condition, stop_after, &left, &err));
        asked = enough - left;
        assert_true(asked >= 5 * tiles);
        for (int calls = 0; calls < asked; calls += 1 + calls / 4) {
            left = calls;
            assert_int_equal(RHM_ESTOP, rhm_ridge_condition(&r, &again, stop_after, &left, &err));
        }
        assert_int_equal(RHM_OK, rhm_ridge_condition(&r, &again, NULL, NULL, &err));
        /* not to the last bit: kernels of BLAS add in an order that depends on how memory is aligned */
        assert_true(fabs(again - condition) <= 1e-12 * condition);
        rhm_ridge_clear(&r);
        rhm_ridge_clear(&whole);
    }
    problem_clear(&q);
}

static void test_errors(void **state)
{
    (void)state;
    struct problem q;
    struct rhm_ridge r;
    problem_make(&q, RHM_FEATURES_RBF, 64, 100, 16, 4, 0.5);
#define INIT(U, C, lambda, eta)                                                                              \
    rhm_ridge_init(&r, RHM_RIDGE_AUTO, &q.f, U, q.tuple, C, q.count, lambda, eta, NULL, NULL, &err)
    assert_int_equal(RHM_EARG, INIT(0, 4, 1e-4, 0));
    assert_int_equal(RHM_EARG, INIT(100, 0, 1e-4, 0));
    assert_int_equal(RHM_EARG, INIT(100, 4, -1e-4, 0));
    assert_non_null(strstr(err.text, "lambda = -0.0001"));
    assert_int_equal(RHM_EARG, INIT(100, 4, NAN, 0));
    assert_int_equal(RHM_EARG, INIT(100, 4, 1e-4, -1));
    assert_non_null(strstr(err.text, "eta = -1"));
    uint32_t code = q.tuple[9];
    q.tuple[9] = 16;
    assert_int_equal(RHM_EARG, INIT(100, 4, 1e-4, 0));
    assert_non_null(strstr(err.text, "code 16"));
    q.tuple[9] = code;
    double count = q.count[4];
    q.count[4] = -1;
    assert_int_equal(RHM_EARG, INIT(100, 4, 1e-4, 0));
    q.count[4] = count;
    for (int c = 0; c < 4; c++)
        q.count[8 + c] = 0;
    assert_int_equal(RHM_EARG, INIT(100, 4, 1e-4, 0));
    assert_non_null(strstr(err.text, "patch 2"));
    q.count[8] = 1;
    size_t budget = rhm_memory_budget();
    rhm_memory_set_budget(20000);
    assert_int_equal(RHM_EMEMORY, INIT(100, 4, 1e-4, 0));
    assert_non_null(strstr(err.text, "lower M"));
    rhm_memory_set_budget(budget);
    assert_null(r.gram);
    assert_int_equal(RHM_OK, INIT(100, 4, 1e-4, 0));
    rhm_ridge_clear(&r);
    assert_int_equal(RHM_OK, INIT(1, 4, 1e-4, 0)); /* a single patch */
    assert_int_equal(RHM_OK, rhm_ridge_exact(&r, NULL, NULL, &err));
    assert_true(fabs(r.lambda_max - 1) <= 1e-12);
    rhm_ridge_clear(&r);
    problem_clear(&q);
}

/* A wrong argument to BLAS or LAPACK is remembered, not printed, and does not stop the program. */
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info, size_t uplo_len);
static void test_fault(void **state)
{
    (void)state;
    int n = -1, lda = 1, info = 0;
    double a = 1;
    assert_null(rhm_linalg_fault());
    dpotrf_("U", &n, &a, &lda, &info, 1);
    const char *what = rhm_linalg_fault();
    assert_non_null(what);
    assert_non_null(strstr(what, "DPOTRF"));
    assert_null(rhm_linalg_fault());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact),    cmocka_unit_test(test_exact_large),
        cmocka_unit_test(test_descent),  cmocka_unit_test(test_long_steps),
        cmocka_unit_test(test_loss),     cmocka_unit_test(test_outputs),
        cmocka_unit_test(test_learns_q), cmocka_unit_test(test_largest),
        cmocka_unit_test(test_singular), cmocka_unit_test(test_threads),
        cmocka_unit_test(test_stop),     cmocka_unit_test(test_stop_in_the_closed_form),
        cmocka_unit_test(test_errors),   cmocka_unit_test(test_fault),
    };
    return cmocka_run_group_tests_name("ridge", tests, NULL, NULL);
}
