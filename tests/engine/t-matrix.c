/* t-matrix.c - matrices of doubles: sizes, and what is in the files. */
#include "scratch.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>

#include <hdf5.h>

#include "engine/base/matrix.h"
#include "engine/base/memory.h"

/* 3 x 4 numbers that lose something in fewer than 17 digits, or have a spelling of their own. */
static void make(struct rhm_matrix *m)
{
    static const double v[12] = {0.1,     -1.0 / 3, 1e300, DBL_MIN, 0,          -0.0,
                                 DBL_MAX, 5e-324,   3,     -1e-9,   M_PI * 1e6, 2};
    assert_int_equal(rhm_matrix_init(m, 3, 4, NULL), RHM_OK);
    memcpy(m->v, v, sizeof v);
}

static void save(const struct rhm_matrix *m, const char *name)
{
    struct rhm_error err = {0};
    if (rhm_matrix_save(m, in_folder(name), &err) != RHM_OK)
        fail_msg("%s", err.text);
}

static void test_init(void **state)
{
    (void)state;
    struct rhm_matrix m;
    struct rhm_error err;
    assert_int_equal(rhm_matrix_init(&m, 30, 7, &err), RHM_OK);
    for (size_t i = 0; i < 210; i++)
        assert_true(m.v[i] == 0);
    rhm_matrix_clear(&m);
    assert_null(m.v);
    assert_int_equal(m.rows, 0);
    rhm_matrix_clear(&m);
    assert_int_equal(rhm_matrix_init(&m, 0, 7, &err), RHM_OK);
    rhm_matrix_clear(&m);

    rhm_memory_set_budget((size_t)1 << 20);
    assert_int_equal(rhm_matrix_init(&m, 1000, 1000, &err), RHM_EMEMORY);
    assert_string_equal(
        err.text, "a matrix of 1000 x 1000 needs about 7.6 MiB, the budget is 1.0 MiB: raise rhm.memory");
    assert_null(m.v);
    assert_int_equal(rhm_matrix_init(&m, (size_t)1 << 62, 16, &err), RHM_EMEMORY); /* 2^69 bytes */
    rhm_memory_set_budget(0);
}

static void test_csv(void **state)
{
    (void)state;
    struct rhm_matrix m;
    make(&m);
    /* A locale with a decimal comma must not reach the file; where there is none the test is the plain one.
     */
    if (setlocale(LC_NUMERIC, "de_DE.UTF-8") == NULL)
        setlocale(LC_NUMERIC, "fr_FR.UTF-8");
    save(&m, "m.csv");
    setlocale(LC_NUMERIC, "C");
    char text[1024];
    text[read_bytes("m.csv", text, sizeof text - 1)] = '\0';
    char *p = text;
    for (size_t i = 0; i < 12; i++) {
        double x = strtod(p, &p);
        assert_memory_equal(&x, &m.v[i], sizeof x);
        assert_int_equal(*p++, i % 4 == 3 ? '\n' : ',');
    }
    assert_int_equal(*p, '\0');
    m.v[0] = -(double)NAN;
    m.v[1] = -(double)INFINITY;
    save(&m, "m.csv");
    text[read_bytes("m.csv", text, sizeof text - 1)] = '\0';
    assert_memory_equal(text, "nan,-inf,", 9);
    rhm_matrix_clear(&m);
}

static void test_npy(void **state)
{
    (void)state;
    struct rhm_matrix m;
    make(&m);
    save(&m, "m.npy");
    char bytes[1024], header[129];
    assert_int_equal(read_bytes("m.npy", bytes, sizeof bytes), 128 + 12 * 8);
    memcpy(header, bytes, 128);
    header[128] = '\0';
    assert_memory_equal(header, "\x93NUMPY\1\0\x76\0", 10);
    assert_int_equal(header[127], '\n');
    int little = *(const char *)&(const int){1};
    const char *dictionary = little ? "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), } "
                                    : "{'descr': '>f8', 'fortran_order': False, 'shape': (3, 4), } ";
    assert_memory_equal(header + 10, dictionary, strlen(dictionary));
    assert_memory_equal(bytes + 128, m.v, 12 * 8);
    rhm_matrix_clear(&m);
    assert_int_equal(rhm_matrix_init(&m, 0, 5, NULL), RHM_OK);
    save(&m, "empty.npy");
    assert_int_equal(read_bytes("empty.npy", bytes, sizeof bytes), 128);
    assert_non_null(strstr(bytes + 10, "'shape': (0, 5), }"));
    rhm_matrix_clear(&m);
}

static void test_h5(void **state)
{
    (void)state;
    struct rhm_matrix m;
    make(&m);
    save(&m, "m.h5");
    hid_t file = H5Fopen(in_folder("m.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t set = H5Dopen2(file, "matrix", H5P_DEFAULT), space = H5Dget_space(set);
    assert_true(file >= 0 && set >= 0 && space >= 0);
    hsize_t extents[2];
    assert_int_equal(H5Sget_simple_extent_dims(space, extents, NULL), 2);
    assert_int_equal(extents[0], 3);
    assert_int_equal(extents[1], 4);
    double back[12];
    assert_true(H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, back) >= 0);
    assert_memory_equal(back, m.v, sizeof back);
    H5Sclose(space);
    H5Dclose(set);
    H5Fclose(file);
    rhm_matrix_clear(&m);
}

static void test_failed_writes(void **state)
{
    (void)state;
    static const char *const names[] = {"old.csv", "old.npy", "old.h5"};
    struct rhm_matrix small, large;
    struct rhm_error err;
    char was[8192], now[8192];
    make(&small);
    assert_int_equal(rhm_matrix_init(&large, 300, 300, NULL), RHM_OK);
    signal(SIGXFSZ, SIG_IGN);
    for (size_t f = 0; f < 3; f++) {
        save(&small, names[f]);
        size_t size = read_bytes(names[f], was, sizeof was);
        struct rlimit before, tight; /* no more than 64 KiB a file: a full disk, also to root */
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
        tight = before;
        tight.rlim_cur = 65536;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
        enum rhm_status status = rhm_matrix_save(&large, in_folder(names[f]), &err);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(status, RHM_EFILE);
        assert_non_null(strstr(err.text, ": cannot write: File too large"));
        assert_int_equal(read_bytes(names[f], now, sizeof now), size);
        assert_memory_equal(was, now, size);

        char path[64];
        snprintf(path, sizeof path, "no/folder/%s", names[f]);
        assert_int_equal(rhm_matrix_save(&small, in_folder(path), &err), RHM_EFILE);
        char expected[600];
        snprintf(expected, sizeof expected, "%s: cannot write: No such file or directory", in_folder(path));
        assert_string_equal(err.text, expected);
        assert_no_temporaries();
    }
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(rhm_matrix_save(&small, in_folder("m.xlsx"), &err), RHM_EARG);
    assert_string_equal(err.text,
                        in_folder("m.xlsx: the ending must say the format: .csv, .txt, .npy, .h5 or "
                                  ".hdf5"));
    rhm_matrix_clear(&small);
    rhm_matrix_clear(&large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init), cmocka_unit_test(test_csv),           cmocka_unit_test(test_npy),
        cmocka_unit_test(test_h5),   cmocka_unit_test(test_failed_writes),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
