/* t-cnn-file.c - convolutional networks on disk: written, read, damaged. */
#include "common.h"
#include "scratch.h"

#include <hdf5.h>

#include "engine/baselines/cnn.h"
#include "engine/files/hdf5_file.h"

static struct rhm_cnn *trained(struct rhm_cnn_options o, const struct rhm_dataset *data)
{
    struct rhm_cnn *net = NULL;
    must(rhm_cnn_create(&net, &o, &err));
    struct rhm_cnn_train_options t = rhm_cnn_train_defaults(net);
    t.data = data;
    t.held_out = data;
    t.epochs = 3;
    must(rhm_cnn_train(net, &t, NULL, NULL, &err));
    return net;
}

static const struct rhm_cnn_options options = {.V = 5, .s = 2, .L = 3, .classes = 3, .h = 9, .seed = 77};

static void test_round_trip(void **state)
{
    (void)state;
    struct rhm_dataset data;
    make_random(&data, 50, 8, 5, 3);
    for (int k = 0; k < 4; k++) {
        struct rhm_cnn_options o = options;
        o.local = k & 1;
        o.scaling = k & 2 ? RHM_CNN_MEAN_FIELD : RHM_CNN_STANDARD;
        struct rhm_cnn *net = trained(o, &data), *back = NULL;
        const char *path = in_folder("net.h5");
        must(rhm_cnn_save(net, path, &err));
        assert_int_equal(rhm_cnn_is_file(path), 1);
        must(rhm_cnn_load(&back, path, &err));
        assert_int_equal(back->V, net->V);
        assert_int_equal(back->classes, net->classes);
        assert_int_equal(back->local, net->local);
        assert_int_equal(back->scaling, net->scaling);
        assert_int_equal(back->seed, 77);
        assert_int_equal(back->steps, net->steps);
        assert_int_equal(back->epochs, 3);
        assert_int_equal(back->parameters, net->parameters);
        assert_memory_equal(back->w, net->w, net->parameters * sizeof *net->w);
        assert_int_equal(back->history.n, 3);
        assert_memory_equal(back->history.point, net->history.point, 3 * sizeof *net->history.point);
        /* training goes on from both alike, the history as well */
        struct rhm_cnn_train_options t = rhm_cnn_train_defaults(net);
        t.data = &data;
        t.epochs = 2;
        must(rhm_cnn_train(net, &t, NULL, NULL, &err));
        must(rhm_cnn_train(back, &t, NULL, NULL, &err));
        assert_memory_equal(back->w, net->w, net->parameters * sizeof *net->w);
        assert_int_equal(back->history.point[4].epoch, 5);
        rhm_cnn_free(net);
        rhm_cnn_free(back);
    }
    assert_no_temporaries();
    rhm_dataset_clear(&data);
}

static void refuse(const char *name, const char *what)
{
    struct rhm_cnn *net = NULL;
    must_fail(rhm_cnn_load(&net, in_folder(name), &err), RHM_EFILE, name, what);
    assert_null(net);
    assert_int_equal(rhm_cnn_load(&net, in_folder(name), NULL), RHM_EFILE);
}

static void test_not_networks(void **state)
{
    (void)state;
    write_text("text.h5", "no network");
    refuse("text.h5", "not an HDF5 file");
    refuse("absent.h5", "cannot open");
    assert_int_equal(rhm_cnn_is_file(in_folder("text.h5")), 0);
    assert_int_equal(rhm_cnn_is_file(in_folder("absent.h5")), 0);
    struct rhm_dataset data;
    make_random(&data, 50, 8, 5, 3);
    must(rhm_dataset_save(&data, in_folder("data.h5"), &err));
    refuse("data.h5", "no attribute \"rhm_cnn\"");
    assert_int_equal(rhm_cnn_is_file(in_folder("data.h5")), 0);
    rhm_dataset_clear(&data);
}

/* Changes one thing of a good file. */
static void spoil(const char *attribute, unsigned value, const char *set, size_t at, float number,
                  const char *words)
{
    struct rhm_dataset data;
    make_random(&data, 50, 8, 5, 3);
    struct rhm_cnn *net = trained(options, &data);
    must(rhm_cnn_save(net, in_folder("bad.h5"), &err));
    hid_t file = H5Fopen(in_folder("bad.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0);
    if (attribute) {
        hid_t own = H5Aopen(file, attribute, H5P_DEFAULT);
        assert_true(own >= 0 && H5Awrite(own, H5T_NATIVE_UINT, &value) >= 0);
        H5Aclose(own);
    }
    if (set && isfinite(number) && number < 0) {
        assert_true(H5Ldelete(file, set, H5P_DEFAULT) >= 0);
    } else if (set) {
        float buffer[1000];
        hid_t own = H5Dopen2(file, set, H5P_DEFAULT);
        assert_true(H5Dget_storage_size(own) <= sizeof buffer);
        assert_true(H5Dread(own, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer) >= 0);
        buffer[at] = number;
        assert_true(H5Dwrite(own, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer) >= 0);
        H5Dclose(own);
    }
    H5Fclose(file);
    refuse("bad.h5", words);
    rhm_cnn_free(net);
    rhm_dataset_clear(&data);
}

static void test_damaged(void **state)
{
    (void)state;
    spoil("rhm_cnn", 9, NULL, 0, 0, "format 9");
    spoil("scaling", 5, NULL, 0, 0, "scaling is number 5");
    spoil("V", 1, NULL, 0, 0, "V = 1: must be 2..65535");
    spoil("L", 2, NULL, 0, 0, "\"s\" is ");
    spoil("L", 99, NULL, 0, 0, "L = 99: must be 1..62");
    spoil(NULL, 0, "s", 1, 3, "\"layer2/weight\" is ");
    spoil(NULL, 0, "s", 2, 1, "s[3] = 1: must be 2 or more");
    spoil("h", 10, NULL, 0, 0, "\"head/weight\" is ");
    spoil(NULL, 0, "layer2/bias", 0, -1, "no data set \"layer2/bias\"");
    spoil(NULL, 0, "steps", 0, -1, "no data set \"steps\"");
    spoil(NULL, 0, "layer3/weight", 17, NAN, "\"layer3/weight\" holds nan at place 17");
    spoil(NULL, 0, "head/bias", 2, INFINITY, "\"head/bias\" holds inf at place 2");
    spoil(NULL, 0, "history", 6, 0, "\"history\" has epoch 0");
}

/* A failure leaves the old file as it was. */
static void test_cannot_write(void **state)
{
    (void)state;
    struct rhm_cnn *net = NULL;
    must(rhm_cnn_create(&net, &options, &err));
    must_fail(rhm_cnn_save(net, in_folder("absent/net.h5"), &err), RHM_EFILE, "absent/net.h5");
    assert_no_temporaries();
    rhm_cnn_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_not_networks),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_cannot_write),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
