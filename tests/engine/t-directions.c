/* t-directions.c - the directions of outputs at all places, against their definition. */
#include "common.h"

#include "engine/base/rng.h"
#include "engine/grammar/signal.h"
#include "engine/layer/directions.h"

/* Counts of U patches of k parents with laws of their own over PC cells; exact: no noise at all. */
static struct rhm_tally counts(size_t U, size_t PC, size_t k, int exact, uint64_t index)
{
    struct rhm_tally tally;
    struct rhm_rng rng = rhm_rng_start(20260120, RHM_STREAM_TEST, index);
    must(rhm_tally_init(&tally, 1, PC, &err));
    uint64_t *law = room(k * PC, sizeof *law);
    for (size_t j = 0; j < k * PC; j++)
        law[j] = 1 + rhm_rng_below(&rng, 9);
    for (uint32_t mu = 0; mu < U; mu++)
        for (size_t j = 0; j < PC; j++) {
            uint64_t n = exact ? (1 + mu % 3) * law[mu % k * PC + j]
                               : rhm_rng_below(&rng, 2 * law[mu % k * PC + j] + 1);
            if (n > 0 || j == mu % PC)
                must(rhm_tally_add(&tally, &mu, j, n + (n == 0), &err));
        }
    free(law);
    return tally;
}

/* J (U x PC) as the counts have it. */
static double *shares(const struct rhm_tally *tally)
{
    double *J = room(tally->patches.n * tally->C, sizeof *J);
    for (size_t i = 0; i < tally->patches.n; i++)
        for (size_t j = 0; j < tally->C; j++)
            J[i * tally->C + j] =
                (double)tally->count[i * tally->C + j] / (double)rhm_tally_patch_count(tally, i);
    return J;
}

/* With all directions distances are those of (J - mean)/sqrt(mean), J comes back from a point, and points are
 * uncorrelated, the first direction the widest. */
static void check_whole(size_t U, size_t places, size_t classes, size_t k, int exact, size_t most)
{
    size_t PC = places * classes;
    struct rhm_tally tally = counts(U, PC, k, exact, U * 1000 + PC);
    struct rhm_directions d;
    must(rhm_directions_init(&d, &tally, places, most, NULL, NULL, &err));
    double *J = shares(&tally), *z = room(U * d.width, sizeof *z), *q = room(classes, sizeof *q);
    rhm_directions_points(&d, U, J, z);
    for (size_t t = 0; t < 50; t++) {
        size_t a = t * 7 % U, b = (t * 13 + 1) % U;
        double want = 0, got = 0;
        for (size_t j = 0; j < PC; j++)
            want += (J[a * PC + j] - J[b * PC + j]) * (J[a * PC + j] - J[b * PC + j]) / d.mean[j];
        for (size_t c = 0; c < d.width; c++)
            got += (z[a * d.width + c] - z[b * d.width + c]) * (z[a * d.width + c] - z[b * d.width + c]);
        assert_true(fabs(got - want) < 1e-9 * (1 + want));
        double all = 0;
        for (size_t i = 0; i < places; i++) {
            double here = 0, share = rhm_directions_q_of_point(&d, z + a * d.width, i, q);
            for (size_t c = 0; c < classes; c++)
                here += J[a * PC + i * classes + c];
            assert_true(fabs(share - here) < 1e-9);
            for (size_t c = 0; c < classes; c++)
                assert_true(fabs(q[c] - J[a * PC + i * classes + c] / here) < 1e-8);
            all += share;
        }
        assert_true(fabs(all - 1) < 1e-9);
        /* noise: the variance of a cell's image, by the definition */
        double noise = 0;
        for (size_t c = 0; c < d.width; c++) {
            double mean = 0, square = 0;
            for (size_t j = 0; j < PC; j++) {
                mean += J[a * PC + j] * d.map[j * d.width + c];
                square += J[a * PC + j] * d.map[j * d.width + c] * d.map[j * d.width + c];
            }
            noise += square - mean * mean;
        }
        double told = rhm_directions_noise(&d, J + a * PC, z + a * d.width);
        assert_true(fabs(told - noise) < 1e-9 * (1 + noise));
    }
    double before = INFINITY;
    for (size_t c = 0; c < d.width; c++)
        for (size_t e = 0; e <= c; e++) {
            double sum = 0, scale = 0;
            for (size_t i = 0; i < U; i++) {
                double n = (double)rhm_tally_patch_count(&tally, i);
                sum += n * z[i * d.width + c] * z[i * d.width + e];
                scale += n * z[i * d.width] * z[i * d.width];
            }
            if (e < c)
                assert_true(fabs(sum) < 1e-7 * scale);
            else
                assert_true(sum <= before * (1 + 1e-9)), before = sum;
        }
    free(J);
    free(z);
    free(q);
    rhm_directions_clear(&d);
    rhm_tally_clear(&tally);
}

static void test_definition(void **state)
{
    (void)state;
    check_whole(40, 3, 4, 5, 0, 1000);  /* by columns */
    check_whole(9, 4, 6, 5, 0, 1000);   /* by rows */
    check_whole(60, 4, 4, 5, 1, 4);     /* all that there is lies in k - 1 directions */
    check_whole(1100, 64, 17, 5, 1, 4); /* by iteration */
}

/* One place: points are the outputs. Patches that are all alike: one direction, all of them at 0. */
static void test_trivial(void **state)
{
    (void)state;
    struct rhm_tally tally = counts(12, 6, 1, 1, 5);
    struct rhm_directions d;
    double J[6] = {.1, .2, .3, .4, 0, 0}, z[6], q[6];
    must(rhm_directions_init(&d, &tally, 1, 7, NULL, NULL, &err));
    assert_int_equal(d.width, 6);
    rhm_directions_points(&d, 1, J, z);
    assert_memory_equal(J, z, sizeof J);
    assert_true(fabs(rhm_directions_noise(&d, J, z) - .7) < 1e-12);
    rhm_directions_clear(&d);
    must(rhm_directions_init(&d, &tally, 2, 7, NULL, NULL, &err));
    rhm_directions_points(&d, 1, d.mean, z);
    assert_int_equal(d.width, 1);
    assert_true(fabs(z[0]) < 1e-6);
    assert_true(rhm_directions_q(&d, J, 1, q) == .4 && q[0] == 1);
    J[3] = 0;
    assert_true(rhm_directions_q(&d, J, 1, q) == 0 && q[0] == 1. / 3 && q[2] == 1. / 3);
    rhm_directions_clear(&d);
    rhm_tally_clear(&tally);
}

/* J of a grammar, from its q at each place. */
static void test_signal(void **state)
{
    (void)state;
    struct rhm_grammar_shape shape = {.V = 5, .m = 2, .s = 2, .L = 3, .classes = 3};
    struct rhm_grammar g;
    must(rhm_grammar_draw(&g, &shape, 4, &err));
    for (unsigned l = 1; l <= 3; l++) {
        struct rhm_matrix J, q;
        double number[5], p[5], total = 0;
        must(rhm_signal_places(&g, l, &J, number, &err));
        size_t places = (size_t)1 << (l - 1), parents = rhm_grammar_parents(&g, l);
        assert_int_equal(J.cols, places * 3);
        for (size_t i = 0; i < places; i++) {
            must(rhm_signal_q(&g, l, i, &q, p, &err));
            for (size_t nu = 0; nu < parents; nu++)
                for (size_t c = 0; c < 3 && number[nu] > 0; c++) {
                    double want = p[nu] > 0 ? p[nu] * q.v[nu * 3 + c] / number[nu] : 0;
                    assert_true(fabs(J.v[nu * J.cols + i * 3 + c] - want) < 1e-14);
                }
            rhm_matrix_clear(&q);
        }
        for (size_t nu = 0; nu < parents; nu++) {
            double sum = 0;
            for (size_t j = 0; j < J.cols; j++)
                sum += J.v[nu * J.cols + j];
            assert_true(number[nu] > 0 ? fabs(sum - 1) < 1e-12 : isnan(sum));
            total += number[nu];
        }
        assert_true(fabs(total - (double)places) < 1e-12);
        rhm_matrix_clear(&J);
    }
    rhm_grammar_clear(&g);
}

static enum rhm_status count_down(void *left, struct rhm_error *why)
{
    return --*(int *)left < 0 ? rhm_fail(why, RHM_ESTOP, "enough") : RHM_OK;
}

/* Work on many patches asks often: no more than 4 * 10^7 multiplications between two questions. */
static void test_stops(void **state)
{
    (void)state;
    enum { U = 1100, PLACES = 64, C = 17, PC = PLACES * C };
    struct rhm_tally tally = counts(U, PC, 5, 1, 4);
    struct rhm_directions d = {0};
    int left = 1 << 20;
    must(rhm_directions_init(&d, &tally, PLACES, 40, count_down, &left, &err));
    int asked = (1 << 20) - left;
    assert_true(asked >= 12 * (U / 256 + 1)); /* by iteration: 12 times X and back */
    for (int after = 0; after < asked; after += 19) {
        struct rhm_directions other = {0};
        left = after;
        assert_int_equal(rhm_directions_init(&other, &tally, PLACES, 40, count_down, &left, NULL), RHM_ESTOP);
        assert_null(other.map);
    }
    double *J = test_calloc(U * PC, sizeof *J), *a = test_calloc(U * d.width, sizeof *a),
           *b = test_calloc(U * d.width, sizeof *b);
    for (size_t i = 0; i < U * PC; i++)
        J[i] = (double)(i * 7919 % 1000) / 1000;
    left = 1 << 20;
    must(rhm_directions_all_points(&d, U, J, a, count_down, &left, &err));
    assert_true((1 << 20) - left >= (int)(U * PC * d.width / 40000000));
    rhm_directions_points(&d, U, J, b);
    assert_memory_equal(a, b, U * d.width * sizeof *a);
    left = 0;
    assert_int_equal(rhm_directions_all_points(&d, U, J, a, count_down, &left, NULL), RHM_ESTOP);
    test_free(J);
    test_free(a);
    test_free(b);
    rhm_directions_clear(&d);
    rhm_tally_clear(&tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_definition), cmocka_unit_test(test_trivial),
                                       cmocka_unit_test(test_signal), cmocka_unit_test(test_stops)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
