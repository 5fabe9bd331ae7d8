/* t-missing.c - tokens and labels that are not known: in files, hidden, left out, refused. */
#include "scratch.h"

#include <math.h>

#include "engine/files/npy.h"

static void test_files_keep_them(void **state)
{
    (void)state;
    /* one byte, two, and symbols that no signed 16-bit number holds */
    static const unsigned sizes[] = {8, 128, 129, 256, 300, 32768, 32769, 65535};
    static const char *const names[] = {"m.csv", "m.npy", "m.h5"};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        struct rhm_dataset data, hidden, back;
        make_random(&data, 300, 5, sizes[k], sizes[k]);
        assert_int_equal(rhm_dataset_hide(&data, 0.3, 0.2, 1, &hidden, NULL), RHM_OK);
        struct rhm_missing missing = rhm_dataset_missing(&hidden);
        assert_int_equal(missing.labels, 90);
        assert_true(missing.tokens > 200 && missing.tokens < 400);
        for (size_t f = 0; f < 3; f++) {
            assert_int_equal(rhm_dataset_save(&hidden, in_folder(names[f]), NULL), RHM_OK);
            load(&back, names[f], sizes[k], sizes[k]);
            assert_same(&hidden, &back);
            rhm_dataset_clear(&back);
            assert_int_equal(rhm_dataset_save(&data, in_folder(names[f]), NULL), RHM_OK);
            load(&back, names[f], sizes[k], sizes[k]);
            assert_same(&data, &back);
            rhm_dataset_clear(&back);
        }
        rhm_dataset_clear(&data);
        rhm_dataset_clear(&hidden);
    }
    assert_no_temporaries();
}

static void test_text(void **state)
{
    (void)state;
    write_text("t.csv", "0,-1,2,1\n-1.0e0,1,2,-1\n");
    struct rhm_dataset data;
    load(&data, "t.csv", 0, 0);
    const uint16_t tokens[] = {0, RHM_MISSING, 2, RHM_MISSING, 1, 2}, labels[] = {1, RHM_MISSING};
    assert_memory_equal(data.tokens, tokens, sizeof tokens);
    assert_memory_equal(data.labels, labels, sizeof labels);
    assert_int_equal(data.V, 3);
    assert_int_equal(data.classes, 2);
    rhm_dataset_clear(&data);
    write_text("t.csv", "0,1,65535\n");
    assert_refused("t.csv", 0, 0, "t.csv:1: label 65535 is out of range 0..65534");
}

/* Types as small as they can be, and what reads whole strings says of holes. */
static void test_types_and_refusals(void **state)
{
    (void)state;
    struct rhm_dataset data, hidden;
    make_random(&data, 20, 3, 100, 5);
    assert_int_equal(rhm_dataset_hide(&data, 0, 0.5, 1, &hidden, NULL), RHM_OK);
    assert_int_equal(rhm_dataset_save(&hidden, in_folder("x.npy"), NULL), RHM_OK);
    struct rhm_npy npy;
    assert_int_equal(rhm_npy_open(&npy, in_folder("x.npy"), NULL), RHM_OK);
    assert_string_equal(npy.descr, "|i1");
    rhm_npy_close(&npy);
    assert_int_equal(rhm_npy_open(&npy, in_folder("x_labels.npy"), NULL), RHM_OK);
    assert_string_equal(npy.descr, "|u1");
    rhm_npy_close(&npy);

    struct rhm_error err = {0};
    assert_int_equal(rhm_tokens_check(20, 3, data.tokens, 100, "the network", &err), RHM_OK);
    data.tokens[7] = RHM_MISSING;
    assert_int_equal(rhm_tokens_check(20, 3, data.tokens, 100, "the network", &err), RHM_EARG);
    assert_string_equal(err.text, "string 3: token 2 is missing: the network reads whole strings");
    data.tokens[6] = 100;
    assert_int_equal(rhm_tokens_check(20, 3, data.tokens, 100, "the network", &err), RHM_EARG);
    assert_string_equal(err.text, "string 3 holds token 101, the network has V = 100");
    rhm_dataset_clear(&data);
    rhm_dataset_clear(&hidden);
}

/* A token is hidden with probability p, whatever its place: 5 places x 4000 strings, each count within 5
 * standard deviations (6e-7 a place for a right program). */
static void test_hidden_at_random(void **state)
{
    (void)state;
    enum { N = 4000, D = 5 };
    struct rhm_dataset data, hidden, more;
    make_random(&data, N, D, 8, 8);
    const double p = 0.3;
    assert_int_equal(rhm_dataset_hide(&data, 0.25, p, 9, &hidden, NULL), RHM_OK);
    assert_int_equal(rhm_dataset_hide(&data, 0.5, 0.4, 9, &more, NULL), RHM_OK);
    size_t first_half = 0;
    for (size_t j = 0; j < D; j++) {
        size_t count = 0;
        for (size_t i = 0; i < N; i++) {
            uint16_t token = hidden.tokens[i * D + j];
            count += token == RHM_MISSING;
            assert_true(token == RHM_MISSING || token == data.tokens[i * D + j]);
            assert_true(token != RHM_MISSING || more.tokens[i * D + j] == RHM_MISSING);
        }
        assert_true(fabs((double)count - N * p) < 5 * sqrt(N * p * (1 - p)));
    }
    for (size_t i = 0; i < N; i++) {
        first_half += i < N / 2 && hidden.labels[i] == RHM_MISSING;
        assert_true(hidden.labels[i] != RHM_MISSING || more.labels[i] == RHM_MISSING);
    }
    assert_int_equal(rhm_dataset_missing(&hidden).labels, N / 4);
    /* hypergeometric: N/4 of N, in one half */
    assert_true(fabs((double)first_half - N / 8.0) < 5 * sqrt(N / 4.0 * 0.25 * 0.75));
    rhm_dataset_clear(&hidden);
    rhm_dataset_clear(&more);

    struct rhm_error err = {0};
    assert_int_equal(rhm_dataset_hide(&data, -0.1, 0, 9, &hidden, &err), RHM_EARG);
    assert_string_equal(err.text, "labels = -0.1: must be a share, from 0 to 1");
    assert_int_equal(rhm_dataset_hide(&data, 0, NAN, 9, &hidden, &err), RHM_EARG);
    rhm_dataset_clear(&data);
}

static void test_labelled(void **state)
{
    (void)state;
    struct rhm_dataset data, hidden, own;
    const struct rhm_dataset *all;
    make_random(&data, 50, 3, 8, 8);
    assert_int_equal(rhm_dataset_labelled(&data, &own, &all, NULL), RHM_OK);
    assert_ptr_equal(all, &data);
    assert_null(own.tokens);
    assert_int_equal(rhm_dataset_hide(&data, 0.4, 0, 2, &hidden, NULL), RHM_OK);
    assert_int_equal(rhm_dataset_labelled(&hidden, &own, &all, NULL), RHM_OK);
    assert_ptr_equal(all, &own);
    assert_int_equal(own.n, 30);
    size_t row = 0;
    for (size_t i = 0; i < 50; i++)
        if (hidden.labels[i] != RHM_MISSING) {
            assert_memory_equal(own.tokens + 3 * row, data.tokens + 3 * i, 3 * sizeof *own.tokens);
            assert_int_equal(own.labels[row++], data.labels[i]);
        }
    assert_int_equal(row, 30);
    rhm_dataset_clear(&own);
    rhm_dataset_clear(&hidden);
    struct rhm_error err = {0};
    assert_int_equal(rhm_dataset_hide(&data, 1, 0, 2, &hidden, NULL), RHM_OK);
    assert_int_equal(rhm_dataset_labelled(&hidden, &own, &all, &err), RHM_EARG);
    assert_string_equal(err.text, "none of the 50 strings of the data set has a label");
    rhm_dataset_clear(&hidden);
    rhm_dataset_clear(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_files_keep_them), cmocka_unit_test(test_text),
                                       cmocka_unit_test(test_types_and_refusals),
                                       cmocka_unit_test(test_hidden_at_random),
                                       cmocka_unit_test(test_labelled)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
