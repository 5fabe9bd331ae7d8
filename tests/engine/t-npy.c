/* t-npy.c - data sets in NumPy's format: all types and orders, and every error line. */
#include "scratch.h"

#include <math.h>

/* A file of version `major` with this dictionary, then `size` bytes of data. */
static void write_npy(const char *name, int major, const char *dictionary, const void *bytes, size_t size)
{
    char file[4096] = "\x93NUMPY";
    size_t length = strlen(dictionary), at = major == 1 ? 10 : 12;
    file[6] = (char)major;
    file[8] = (char)(length & 0xff);
    file[9] = (char)(length >> 8);
    assert_true(at + length + size <= sizeof file);
    memcpy(file + at, dictionary, length);
    if (size > 0)
        memcpy(file + at + length, bytes, size);
    write_bytes(name, file, at + length + size);
}

/* 2 strings of 3 tokens of this type, with the labels as bytes. */
static void write_pair(int major, const char *descr, int fortran, const void *tokens, size_t size)
{
    char dictionary[200];
    snprintf(dictionary, sizeof dictionary, "{'descr': '%s', 'fortran_order': %s, 'shape': (2, 3), }   \n",
             descr, fortran ? "True" : "False");
    write_npy("p.npy", major, dictionary, tokens, size);
    write_npy("p_labels.npy", 1, "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }\n", "\3\7", 2);
}

static void assert_pair(const char *descr, size_t size)
{
    struct rhm_dataset data;
    load(&data, "p.npy", 0, 0);
    for (unsigned k = 0; k < 6; k++)
        if (data.tokens[k] != (k == 5 ? 100 : k))
            fail_msg("token %u of a '%s' array of %zu bytes is %u", k, descr, size, data.tokens[k]);
    assert_int_equal(data.n, 2);
    assert_int_equal(data.d, 3);
    assert_int_equal(data.V, 101);
    assert_int_equal(data.labels[0], 3);
    assert_int_equal(data.labels[1], 7);
    assert_int_equal(data.classes, 8);
    rhm_dataset_clear(&data);
}

static void test_npy_types(void **state)
{
    (void)state;
    static const uint8_t value[6] = {0, 1, 2, 3, 4, 100};
    static const size_t order[6] = {0, 3, 1, 4, 2, 5}; /* column by column */
    static const char kinds[] = "iuf";
    for (size_t kind = 0; kind < 3; kind++)
        for (size_t size = kind == 2 ? 4 : 1; size <= 8; size *= 2)
            for (int big = 0; big < 2; big++)
                for (int fortran = 0; fortran < 2; fortran++) {
                    unsigned char bytes[48];
                    char descr[8];
                    for (size_t k = 0; k < 6; k++) {
                        uint8_t x = value[fortran ? order[k] : k];
                        uint64_t bits = x;
                        float f4 = x;
                        double f8 = x;
                        if (kind == 2 && size == 4) {
                            uint32_t word;
                            memcpy(&word, &f4, 4);
                            bits = word;
                        } else if (kind == 2) {
                            memcpy(&bits, &f8, 8);
                        }
                        for (size_t b = 0; b < size; b++)
                            bytes[k * size + (big ? size - 1 - b : b)] = (unsigned char)(bits >> 8 * b);
                    }
                    snprintf(descr, sizeof descr, "%c%c%zu",
                             size == 1 ? '|'
                             : big     ? '>'
                                       : '<',
                             kinds[kind], size);
                    for (int major = 1; major <= 3; major++) {
                        write_pair(major, descr, fortran, bytes, 6 * size);
                        assert_pair(descr, size);
                    }
                }
    /* The dictionary's order and quotes are free; Python 2 wrote 2L. */
    write_npy("p.npy", 1, "{\"shape\":(2L,3L),\"fortran_order\":False,\"descr\":\"|u1\"}", value, 6);
    assert_pair("|u1", 1);
    /* Labels as a column. */
    write_npy("p_labels.npy", 1, "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 1)}", "\3\0\7\0", 4);
    assert_pair("|u1", 1);
}

static void test_npy_errors(void **state)
{
    (void)state;
    static const uint8_t good[6] = {0, 1, 2, 3, 4, 100};
    static const int32_t negative[6] = {0, 1, 2, 3, -4, 5};
    static const double halves[6] = {0, 1, 2, 3, 0.5, 1};
    static const double infinite[6] = {0, 1, 2, 3, (double)INFINITY, 1};
    static const uint64_t huge[6] = {0, 1, UINT64_MAX, 3, 4, 5};

    write_pair(1, "|u1", 0, good, 6);
    assert_refused("p.npy", 8, 0, "p.npy: token 100 at [1,2] is out of range 0..7 (V = 8)");
    assert_refused(
        "p.npy", 0, 7,
        "p_labels.npy: label 7 at [1] is out of range 0..6 (classes = 7; in files symbols start at 0)");
    write_pair(1, "<i4", 0, negative, sizeof negative);
    assert_refused("p.npy", 0, 0, "p.npy: token -4 at [1,1] is out of range 0..65534");
    write_pair(1, "<i4", 1, negative, sizeof negative);
    assert_refused("p.npy", 0, 0, "p.npy: token -4 at [0,2] is out of range 0..65534");
    write_pair(1, "<f8", 0, halves, sizeof halves);
    assert_refused("p.npy", 0, 0, "p.npy: token 0.5 at [1,1] is not a whole number");
    write_pair(1, "<f8", 0, infinite, sizeof infinite);
    assert_refused("p.npy", 0, 0, "p.npy: token inf at [1,1] is out of range 0..65534");
    write_pair(1, "<u8", 0, huge, sizeof huge);
    assert_refused("p.npy", 0, 0, "p.npy: token 18446744073709551615 at [0,2] is out of range 0..65534");

    write_pair(1, "<f8", 0, halves, 40);
    assert_refused("p.npy", 0, 0, "p.npy: truncated: the header promises 48 bytes of data, the file has 40");
    write_pair(1, "<c16", 0, halves, sizeof halves);
    assert_refused("p.npy", 0, 0,
                   "p.npy: elements of type '<c16': it takes integers of 1 to 8 bytes or float32, float64");
    write_pair(4, "<f8", 0, halves, sizeof halves);
    assert_refused("p.npy", 0, 0, "p.npy: NumPy format version 4.0: 1.0, 2.0 and 3.0 are known");

    static const struct {
        const char *dictionary, *error;
    } bad[] = {
        {"{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (2, 3)}",
         "p.npy: not a NumPy array that can be read: its elements are records"},
        {"{'fortran_order': False, 'shape': (2, 3)}",
         "p.npy: not a NumPy array that can be read: its header has no 'descr'"},
        {"{'descr': '|u1', 'shape': (2, 3)}",
         "p.npy: not a NumPy array that can be read: its header has no 'fortran_order'"},
        {"{'descr': '|u1', 'fortran_order': False}",
         "p.npy: not a NumPy array that can be read: its header has no 'shape'"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (2, -3)}",
         "p.npy: not a NumPy array that can be read: its 'shape' is unknown"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3",
         "p.npy: not a NumPy array that can be read: its 'shape' is unknown"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (6,)}",
         "p.npy: tokens must be an array of 2 dimensions, n x d: it has 1"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (0, 3)}",
         "p.npy: no strings: the tokens are an array of 0 x 3"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (4294967296, 4294967296)}",
         "p.npy: truncated: the header promises 18446744073709551616 bytes of data, the file has 6"},
    };
    for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
        write_npy("p.npy", 1, bad[k].dictionary, good, 6);
        assert_refused("p.npy", 0, 0, bad[k].error);
    }
    write_bytes("p.npy", "", 0);
    assert_refused("p.npy", 0, 0, "p.npy: the file is empty");
    write_bytes("p.npy", "PK\3\4, a zip archive", 20);
    assert_refused("p.npy", 0, 0,
                   "p.npy: not a NumPy array that can be read: it does not start as np.save starts a file");
    write_bytes("p.npy", "\x93NUMPY\1\0\x76\0{'descr'", 18);
    assert_refused("p.npy", 0, 0, "p.npy: truncated: the file ends inside its header");
    write_bytes("p.npy", "\x93NUM", 4);
    assert_refused("p.npy", 0, 0, "p.npy: truncated: the file ends inside its header");
    assert_refused("none.npy", 0, 0, "none.npy: cannot open: No such file or directory");

    write_pair(1, "|u1", 0, good, 6);
    write_npy("p_labels.npy", 1, "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }\n", "\1\2\3", 3);
    struct rhm_dataset data;
    struct rhm_error err;
    char expected[RHM_ERROR_TEXT];
    assert_int_equal(rhm_dataset_load(&data, in_folder("p.npy"), 0, 0, &err), RHM_EFILE);
    snprintf(expected, sizeof expected, "%s: 3 labels for the 2 strings of %s", in_folder("p_labels.npy"),
             in_folder("p.npy"));
    assert_string_equal(err.text, expected);
    unlink(in_folder("p_labels.npy"));
    assert_int_equal(rhm_dataset_load(&data, in_folder("p.npy"), 0, 0, &err), RHM_EFILE);
    snprintf(expected, sizeof expected, "%s: cannot open the labels that go with %s",
             in_folder("p_labels.npy"), in_folder("p.npy"));
    assert_string_equal(err.text, expected);
}

/* The committed files, by NumPy: the figures are what tests/make_dataset.py prints of its own grammar. */
static void test_npy_by_numpy(void **state)
{
    (void)state;
    const char *given = getenv("RHM_TEST_DATA"), *source = getenv("srcdir");
    char path[600];
    if (given != NULL)
        snprintf(path, sizeof path, "%s/rhm-8-4-2-3.npy", given);
    else
        snprintf(path, sizeof path, "%s/tests/data/rhm-8-4-2-3.npy", source != NULL ? source : ".");
    struct rhm_dataset data;
    struct rhm_error err = {0};
    if (rhm_dataset_load(&data, path, 0, 0, &err) != RHM_OK)
        fail_msg("%s", err.text);
    assert_int_equal(data.n, 20000);
    assert_int_equal(data.d, 8);
    assert_int_equal(data.V, 8);
    assert_int_equal(data.classes, 8);
    unsigned char seen[64] = {0};
    size_t pairs = 0, per_label[8] = {0};
    for (size_t i = 0; i < data.n; i++) {
        const uint16_t *own = data.tokens + i * data.d;
        pairs += !seen[own[0] * 8 + own[1]];
        seen[own[0] * 8 + own[1]] = 1;
        per_label[data.labels[i]]++;
    }
    assert_int_equal(pairs, 32); /* V m patches */
    for (size_t k = 0; k < 8; k++)
        assert_in_range(per_label[k], 2500 - 250, 2500 + 250);
    rhm_dataset_clear(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_npy_types),
        cmocka_unit_test(test_npy_errors),
        cmocka_unit_test(test_npy_by_numpy),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
