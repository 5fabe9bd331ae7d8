/* t-dataset.c - data sets in memory, round trips in each format, the budget, writes that fail. */
#include "scratch.h"

#include <signal.h>
#include <sys/resource.h>

#include "engine/base/memory.h"

static void test_init(void **state)
{
    (void)state;
    struct rhm_dataset data;
    struct rhm_error err;
    assert_int_equal(rhm_dataset_init(&data, 3, 4, 65535, 1, &err), RHM_OK);
    for (size_t i = 0; i < 12; i++)
        assert_int_equal(data.tokens[i], 0);
    rhm_dataset_clear(&data);
    assert_null(data.tokens);
    rhm_dataset_clear(&data);

    assert_int_equal(rhm_dataset_init(&data, 3, 4, 65536, 1, &err), RHM_EARG);
    assert_string_equal(err.text, "V = 65536: must be 1..65535");
    assert_int_equal(rhm_dataset_init(&data, 3, 4, 2, 0, &err), RHM_EARG);
    assert_string_equal(err.text, "classes = 0: must be 1..65535");
    assert_int_equal(rhm_dataset_init(&data, 0, 4, 2, 2, &err), RHM_EARG);
    assert_int_equal(rhm_dataset_init(&data, SIZE_MAX / 2, 16, 2, 2, &err), RHM_EMEMORY); /* n d overflows */
    assert_non_null(strstr(err.text, "raise rhm.memory"));
    assert_null(data.tokens);
}

static void test_round_trips(void **state)
{
    (void)state;
    static const char *const names[] = {"r.csv", "r.txt", "r.npy", "r_tokens.npy", "r.h5", "R.HDF5"};
    static const struct {
        size_t n, d;
        unsigned V, classes;
    } shapes[] = {{1000, 8, 8, 8},          {1, 1, 2, 2},     {3, 1000, 256, 257}, {50, 27, 257, 256},
                  {40000, 3, 65535, 65535}, {2, 70000, 10, 3}};
    for (size_t k = 0; k < sizeof shapes / sizeof shapes[0]; k++) {
        struct rhm_dataset data, back;
        make_random(&data, shapes[k].n, shapes[k].d, shapes[k].V, shapes[k].classes);
        for (size_t f = 0; f < sizeof names / sizeof names[0]; f++) {
            struct rhm_error err = {0};
            if (rhm_dataset_save(&data, in_folder(names[f]), &err) != RHM_OK)
                fail_msg("%s", err.text);
            load(&back, names[f], 0, 0);
            assert_same(&data, &back);
            rhm_dataset_clear(&back);
        }
        rhm_dataset_clear(&data);
    }
    assert_int_equal(access(in_folder("r_labels.npy"), F_OK), 0);
    assert_no_temporaries();
}

static void test_memory_budget(void **state)
{
    (void)state;
    struct rhm_dataset data;
    make_random(&data, 20000, 50, 10, 10); /* 2 MB */
    static const char *const names[] = {"big.csv", "big.npy", "big.h5"};
    for (size_t f = 0; f < 3; f++) {
        assert_int_equal(rhm_dataset_save(&data, in_folder(names[f]), NULL), RHM_OK);
        rhm_memory_set_budget((size_t)1500000);
        struct rhm_dataset back;
        struct rhm_error err;
        assert_int_equal(rhm_dataset_load(&back, in_folder(names[f]), 0, 0, &err), RHM_EMEMORY);
        assert_non_null(strstr(err.text, names[f]));
        assert_non_null(strstr(err.text, "the budget is 1.4 MiB"));
        assert_null(back.tokens);
        rhm_memory_set_budget(0);
        load(&back, names[f], 0, 0);
        assert_same(&data, &back);
        rhm_dataset_clear(&back);
    }
    rhm_dataset_clear(&data);
}

/* ---- A write that fails leaves what was there ---- */

static void test_failed_writes(void **state)
{
    (void)state;
    static const char *const names[] = {"old.csv", "old.npy", "old.h5"};
    struct rhm_dataset small, large, back;
    struct rhm_error err;
    make_random(&small, 10, 4, 8, 8);
    make_random(&large, 20000, 16, 8, 8);
    for (size_t f = 0; f < 3; f++)
        assert_int_equal(rhm_dataset_save(&small, in_folder(names[f]), NULL), RHM_OK);

    /* No more than 64 KiB a file: what a full disk does, also to root. */
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit before, tight;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    tight = before;
    tight.rlim_cur = 65536;
    for (size_t f = 0; f < 3; f++) {
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
        enum rhm_status status = rhm_dataset_save(&large, in_folder(names[f]), &err);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(status, RHM_EFILE);
        assert_non_null(strstr(err.text, names[f]));
        assert_non_null(strstr(err.text, ": cannot write: File too large"));
        assert_no_temporaries();
        load(&back, names[f], 8, 8);
        assert_same(&small, &back);
        rhm_dataset_clear(&back);
    }
    signal(SIGXFSZ, SIG_DFL);

    /* The labels of a pair cannot be written: the tokens stay the old ones too. */
    unlink(in_folder("old_labels.npy"));
    assert_int_equal(mkdir(in_folder("old_labels.npy"), 0777), 0);
    char was[4096], now[4096];
    size_t size = read_bytes("old.npy", was, sizeof was);
    assert_int_equal(rhm_dataset_save(&large, in_folder("old.npy"), &err), RHM_EFILE);
    assert_string_equal(err.text, in_folder("old_labels.npy: cannot write: Is a directory"));
    assert_int_equal(read_bytes("old.npy", now, sizeof now), size);
    assert_memory_equal(was, now, size);
    assert_no_temporaries();

    for (size_t f = 0; f < 3; f++) {
        char path[64];
        snprintf(path, sizeof path, "no/such/folder/%s", names[f]);
        assert_int_equal(rhm_dataset_save(&small, in_folder(path), &err), RHM_EFILE);
        assert_non_null(strstr(err.text, ": cannot write: No such file or directory"));
    }
    assert_int_equal(rhm_dataset_save(&small, in_folder("x.dat"), &err), RHM_EARG);

    /* A device is written itself, not replaced by a file; a full one says so. */
    assert_int_equal(symlink("/dev/full", in_folder("full.csv")), 0);
    assert_int_equal(rhm_dataset_save(&small, in_folder("full.csv"), &err), RHM_EFILE);
    assert_string_equal(err.text, in_folder("full.csv: cannot write: No space left on device"));
    struct stat info;
    assert_int_equal(stat("/dev/full", &info), 0);
    assert_true(S_ISCHR(info.st_mode));
    assert_int_equal(lstat(in_folder("full.csv"), &info), 0);
    assert_true(S_ISLNK(info.st_mode));

    /* A link stays a link, a file keeps its permissions. */
    assert_int_equal(chmod(in_folder("old.csv"), 0640), 0);
    assert_int_equal(symlink("old.csv", in_folder("link.csv")), 0);
    assert_int_equal(rhm_dataset_save(&large, in_folder("link.csv"), &err), RHM_OK);
    assert_int_equal(lstat(in_folder("link.csv"), &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    assert_int_equal(stat(in_folder("old.csv"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
    load(&back, "old.csv", 8, 8);
    assert_same(&large, &back);
    rhm_dataset_clear(&back);
    rhm_dataset_clear(&small);
    rhm_dataset_clear(&large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init),
        cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_memory_budget),
        cmocka_unit_test(test_failed_writes),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
