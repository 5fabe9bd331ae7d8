/* t-hdf5.c - data sets in HDF5: as others write it, and every error line. */
#include "scratch.h"

#include <hdf5.h>

static void test_h5_keeps_the_counts(void **state)
{
    (void)state;
    struct rhm_dataset data, back;
    assert_int_equal(rhm_dataset_init(&data, 5, 2, 40, 9, NULL),
                     RHM_OK); /* zeros: only the attributes tell */
    assert_int_equal(rhm_dataset_save(&data, in_folder("zeros.h5"), NULL), RHM_OK);
    load(&back, "zeros.h5", 0, 0);
    assert_same(&data, &back);
    rhm_dataset_clear(&back);
    load(&back, "zeros.h5", 50, 0); /* what the caller gives counts more */
    assert_int_equal(back.V, 50);
    assert_int_equal(back.classes, 9);
    rhm_dataset_clear(&back);
    assert_int_equal(rhm_dataset_save(&data, in_folder("zeros.csv"), NULL), RHM_OK);
    load(&back, "zeros.csv", 0, 0);
    assert_int_equal(back.V, 2);
    assert_int_equal(back.classes, 2);
    rhm_dataset_clear(&back);
    rhm_dataset_clear(&data);
}

static hid_t create_h5(const char *name)
{
    hid_t file = H5Fcreate(in_folder(name), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(file >= 0);
    return file;
}

static void put_h5(hid_t file, const char *name, hid_t file_type, hid_t type, int rank, hsize_t rows,
                   hsize_t cols, hsize_t chunk, const void *elements)
{
    hsize_t extents[2] = {rows, cols}, chunks[2] = {chunk, cols};
    hid_t space = H5Screate_simple(rank, extents, NULL), plan = H5Pcreate(H5P_DATASET_CREATE);
    if (chunk > 0)
        H5Pset_chunk(plan, rank, chunks);
    hid_t set = H5Dcreate2(file, name, file_type, space, H5P_DEFAULT, plan, H5P_DEFAULT);
    assert_true(set >= 0);
    if (elements != NULL)
        assert_true(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, elements) >= 0);
    H5Dclose(set);
    H5Pclose(plan);
    H5Sclose(space);
}

static void test_h5_types(void **state)
{
    (void)state;
    enum { N = 30000, D = 5 };
    static int tokens[N * D], labels[N];
    for (int i = 0; i < N * D; i++)
        tokens[i] = i % 301;
    for (int i = 0; i < N; i++)
        labels[i] = i % 5;
    const hid_t types[] = {H5T_STD_I16BE, H5T_STD_I32LE,  H5T_STD_I64LE,
                           H5T_STD_U64BE, H5T_IEEE_F32LE, H5T_IEEE_F64BE};
    for (size_t k = 0; k < sizeof types / sizeof types[0]; k++) {
        hid_t file = create_h5("t.h5");
        put_h5(file, "tokens", types[k], H5T_NATIVE_INT, 2, N, D, k % 2 == 0 ? 0 : 1000, tokens);
        put_h5(file, "labels", types[k], H5T_NATIVE_INT, k == 1 ? 2 : 1, N, 1, k % 2 == 0 ? 0 : 7, labels);
        H5Fclose(file);
        struct rhm_dataset data;
        load(&data, "t.h5", 0, 0);
        assert_int_equal(data.n, N);
        assert_int_equal(data.d, D);
        assert_int_equal(data.V, 301);
        assert_int_equal(data.classes, 5);
        for (size_t i = 0; i < N * D; i++)
            assert_true(data.tokens[i] == tokens[i]);
        for (size_t i = 0; i < N; i++)
            assert_true(data.labels[i] == labels[i]);
        rhm_dataset_clear(&data);
    }
}

static void test_h5_errors(void **state)
{
    (void)state;
    static const int tokens[6] = {0, 1, 2, 3, 4, 9}, labels[3] = {0, 1, 7};
    static const double halves[6] = {0, 1, 2, 3, 4.5, 9};

    write_text("e.h5", "this is no HDF5 file at all");
    assert_refused("e.h5", 0, 0, "e.h5: not an HDF5 file, or damaged at its start");
    write_text("e.h5", "");
    assert_refused("e.h5", 0, 0, "e.h5: the file is empty");
    assert_refused("none.h5", 0, 0, "none.h5: cannot open: No such file or directory");

    hid_t file = create_h5("e.h5");
    H5Fclose(file);
    assert_refused("e.h5", 0, 0, "e.h5: no data set \"tokens\"");

    file = create_h5("e.h5");
    H5Gclose(H5Gcreate2(file, "tokens", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Fclose(file);
    assert_refused("e.h5", 0, 0, "e.h5: no data set \"tokens\": that is a group or a type");

    file = create_h5("e.h5");
    put_h5(file, "tokens", H5T_STD_I32LE, H5T_NATIVE_INT, 2, 2, 3, 0, tokens);
    H5Fclose(file);
    assert_refused("e.h5", 0, 0, "e.h5: no data set \"labels\"");

    file = create_h5("e.h5");
    put_h5(file, "tokens", H5T_STD_I32LE, H5T_NATIVE_INT, 2, 2, 3, 0, tokens);
    put_h5(file, "labels", H5T_STD_I32LE, H5T_NATIVE_INT, 1, 3, 1, 0, labels);
    H5Fclose(file);
    assert_refused("e.h5", 0, 0, "e.h5: 3 labels for 2 strings");

    file = create_h5("e.h5");
    put_h5(file, "tokens", H5T_STD_I32LE, H5T_NATIVE_INT, 1, 3, 1, 0, tokens);
    put_h5(file, "labels", H5T_STD_I32LE, H5T_NATIVE_INT, 1, 3, 1, 0, labels);
    H5Fclose(file);
    assert_refused("e.h5", 0, 0, "e.h5: data set \"tokens\" has 1 dimension: must have 2, n x d");

    file = create_h5("e.h5");
    put_h5(file, "tokens", H5T_STD_I32LE, H5T_NATIVE_INT, 2, 3, 2, 0, tokens);
    put_h5(file, "labels", H5T_STD_I32LE, H5T_NATIVE_INT, 1, 3, 1, 0, labels);
    H5Fclose(file);
    assert_refused("e.h5", 8, 0, "e.h5: token 9 at [2,1] is out of range 0..7 (V = 8)");
    assert_refused("e.h5", 0, 6, "e.h5: label 7 at [2] is out of range 0..5 (classes = 6)");

    file = create_h5("e.h5");
    put_h5(file, "tokens", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 2, 3, 2, 0, halves);
    put_h5(file, "labels", H5T_STD_I32LE, H5T_NATIVE_INT, 1, 3, 1, 0, labels);
    H5Fclose(file);
    assert_refused("e.h5", 0, 0, "e.h5: token 4.5 at [2,0] is not a whole number");

    file = create_h5("e.h5");
    hid_t text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, 4);
    put_h5(file, "tokens", text, text, 2, 3, 2, 0, NULL);
    H5Tclose(text);
    H5Fclose(file);
    assert_refused("e.h5", 0, 0, "e.h5: data set \"tokens\" does not hold integers");

    /* A file cut short: one line in HDF5's own words, and nothing on stderr. */
    struct rhm_dataset data;
    struct rhm_error err;
    make_random(&data, 1000, 10, 8, 8);
    assert_int_equal(rhm_dataset_save(&data, in_folder("cut.h5"), NULL), RHM_OK);
    rhm_dataset_clear(&data);
    assert_int_equal(truncate(in_folder("cut.h5"), 6000), 0);
    assert_int_equal(rhm_dataset_load(&data, in_folder("cut.h5"), 0, 0, &err), RHM_EFILE);
    assert_non_null(strstr(err.text, "cut.h5: cannot open: truncated file"));
    assert_null(strchr(err.text, '\n'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_h5_keeps_the_counts),
        cmocka_unit_test(test_h5_types),
        cmocka_unit_test(test_h5_errors),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
