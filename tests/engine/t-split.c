/* t-split.c - train and test: a partition, nothing shared where asked, fair, the same for a seed. */
#include "scratch.h"

#include <math.h>

#include "engine/base/memory.h"

static int compare_rows(const void *a, const void *b)
{
    return memcmp(a, b, 4 * sizeof(uint16_t)); /* 3 tokens and the label */
}

/* The rows of all data sets, sorted: two lists are equal if and only if they hold the same strings. */
static uint16_t *sorted_rows(size_t count, const struct rhm_dataset *const *data, size_t *n)
{
    *n = 0;
    for (size_t k = 0; k < count; k++)
        *n += data[k]->n;
    uint16_t *rows = calloc(*n, 4 * sizeof *rows), *next = rows;
    assert_non_null(rows);
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < data[k]->n; i++, next += 4) {
            memcpy(next, data[k]->tokens + 3 * i, 3 * sizeof *next);
            next[3] = data[k]->labels[i];
        }
    qsort(rows, *n, 4 * sizeof *rows, compare_rows);
    return rows;
}

static void assert_partition(const struct rhm_dataset *data, const struct rhm_dataset *train,
                             const struct rhm_dataset *test)
{
    size_t n, together;
    uint16_t *all = sorted_rows(1, (const struct rhm_dataset *const[]){data}, &n);
    uint16_t *both = sorted_rows(2, (const struct rhm_dataset *const[]){train, test}, &together);
    assert_int_equal(n, together);
    assert_memory_equal(all, both, n * 4 * sizeof *all);
    free(all);
    free(both);
    assert_true(train->n >= 1 && test->n >= 1);
    assert_true(train->d == data->d && train->V == data->V && train->classes == data->classes);
    assert_true(test->d == data->d && test->V == data->V && test->classes == data->classes);
}

static size_t count_shared(const struct rhm_dataset *train, const struct rhm_dataset *test)
{
    unsigned char *seen = calloc((size_t)1 << 18, 1); /* 3 tokens of 6 bits */
    assert_non_null(seen);
    size_t shared = 0;
    for (size_t i = 0; i < train->n; i++) {
        const uint16_t *t = train->tokens + 3 * i;
        seen[t[0] << 12 | t[1] << 6 | t[2]] = 1;
    }
    for (size_t i = 0; i < test->n; i++) {
        const uint16_t *t = test->tokens + 3 * i;
        shared += seen[t[0] << 12 | t[1] << 6 | t[2]];
    }
    free(seen);
    return shared;
}

static void test_split(void **state)
{
    (void)state;
    struct rhm_dataset data, train, test, again, rest;
    make_random(&data, 5000, 3, 12, 5); /* 1728 strings: many come twice, with other labels */
    static const double fractions[] = {0.8, 0.5, 0.123, 1e-9, 1 - 1e-9};
    static const size_t wanted[] = {4000, 2500, 615, 1, 4999};
    for (size_t k = 0; k < 5; k++)
        for (int disjoint = 0; disjoint < 2; disjoint++) {
            assert_int_equal(rhm_dataset_split(&data, fractions[k], disjoint, k, &train, &test, NULL),
                             RHM_OK);
            assert_partition(&data, &train, &test);
            if (disjoint)
                assert_in_range(train.n + 3, wanted[k] + 3 - 3, wanted[k] + 3 + 3);
            else
                assert_int_equal(train.n, wanted[k]);
            size_t shared = count_shared(&train, &test);
            if (disjoint)
                assert_int_equal(shared, 0);
            else
                assert_true(shared > 0);
            assert_int_equal(rhm_dataset_split(&data, fractions[k], disjoint, k, &again, &rest, NULL),
                             RHM_OK);
            assert_same(&train, &again);
            assert_same(&test, &rest);
            rhm_dataset_clear(&again);
            rhm_dataset_clear(&rest);
            rhm_dataset_clear(&train);
            rhm_dataset_clear(&test);
        }
    assert_int_equal(rhm_dataset_split(&data, 0.5, 0, 1, &train, &test, NULL), RHM_OK);
    assert_int_equal(rhm_dataset_split(&data, 0.5, 0, 2, &again, &rest, NULL), RHM_OK);
    assert_memory_not_equal(train.tokens, again.tokens, train.n * 3 * sizeof *train.tokens);
    rhm_dataset_clear(&again);
    rhm_dataset_clear(&rest);
    rhm_dataset_clear(&train);
    rhm_dataset_clear(&test);
    rhm_dataset_clear(&data);
}

/* Each string is in train with chance 1/2 whatever its place; and with groups whatever their size.
 * 400 splits of 40: each count is binomial(400, 1/2), sd 10; 6 sd, 40 counts: 1e-7 that a right split fails.
 */
static void test_split_is_fair(void **state)
{
    (void)state;
    struct rhm_dataset data, train, test;
    assert_int_equal(rhm_dataset_init(&data, 40, 3, 40, 2, NULL), RHM_OK);
    for (size_t i = 0; i < 40; i++)
        data.tokens[3 * i] = (uint16_t)i;
    size_t taken[40] = {0};
    for (uint64_t seed = 0; seed < 400; seed++) {
        assert_int_equal(rhm_dataset_split(&data, 0.5, 1, seed, &train, &test, NULL), RHM_OK);
        assert_int_equal(train.n, 20);
        for (size_t i = 0; i < train.n; i++)
            taken[train.tokens[3 * i]]++;
        rhm_dataset_clear(&train);
        rhm_dataset_clear(&test);
    }
    for (size_t i = 0; i < 40; i++)
        assert_in_range(taken[i], 140, 260);

    /* Groups of 10, 10, 10, 5, 5: the half of 40 can be met exactly, and is. */
    for (size_t i = 0; i < 40; i++)
        data.tokens[3 * i] = (uint16_t)(i < 30 ? i / 10 : 3 + (i - 30) / 5);
    for (uint64_t seed = 0; seed < 20; seed++) {
        assert_int_equal(rhm_dataset_split(&data, 0.5, 1, seed, &train, &test, NULL), RHM_OK);
        assert_int_equal(count_shared(&train, &test), 0);
        assert_int_equal(train.n, 20);
        rhm_dataset_clear(&train);
        rhm_dataset_clear(&test);
    }
    /* Groups of 22 and 18 where 10 are wanted: train cannot be empty, 18 is nearer. */
    for (size_t i = 0; i < 40; i++)
        data.tokens[3 * i] = i % 20 < 11;
    for (uint64_t seed = 0; seed < 20; seed++) {
        assert_int_equal(rhm_dataset_split(&data, 0.25, 1, seed, &train, &test, NULL), RHM_OK);
        assert_int_equal(train.n, 18);
        rhm_dataset_clear(&train);
        rhm_dataset_clear(&test);
    }
    /* One string 39 times, one once: each side gets one of the two. */
    for (size_t i = 0; i < 40; i++)
        data.tokens[3 * i] = i == 7;
    for (uint64_t seed = 0; seed < 20; seed++) {
        assert_int_equal(rhm_dataset_split(&data, 0.5, 1, seed, &train, &test, NULL), RHM_OK);
        assert_true((train.n == 1 && test.n == 39) || (train.n == 39 && test.n == 1));
        rhm_dataset_clear(&train);
        rhm_dataset_clear(&test);
    }
    rhm_dataset_clear(&data);
}

static void test_split_errors(void **state)
{
    (void)state;
    struct rhm_dataset data, train, test;
    struct rhm_error err;
    assert_int_equal(rhm_dataset_init(&data, 10, 3, 4, 2, NULL), RHM_OK);
    data.labels[3] = 1; /* equal strings are equal tokens, whatever the labels */
    assert_int_equal(rhm_dataset_split(&data, 0.5, 1, 1, &train, &test, &err), RHM_EARG);
    assert_string_equal(err.text,
                        "all 10 strings are equal: no split puts different strings on its two sides");
    assert_null(train.tokens);
    static const double bad[] = {0, 1, -0.5, 1.5, (double)NAN, (double)INFINITY};
    for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++)
        assert_int_equal(rhm_dataset_split(&data, bad[k], 0, 1, &train, &test, &err), RHM_EARG);
    data.n = 1;
    assert_int_equal(rhm_dataset_split(&data, 0.5, 0, 1, &train, &test, &err), RHM_EARG);
    assert_string_equal(err.text, "a data set of 1 string cannot be split: it takes 2 or more");
    data.n = 10;
    rhm_memory_set_budget(100);
    assert_int_equal(rhm_dataset_split(&data, 0.5, 0, 1, &train, &test, &err), RHM_EMEMORY);
    rhm_memory_set_budget(0);
    rhm_dataset_clear(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_split_is_fair),
        cmocka_unit_test(test_split_errors),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
