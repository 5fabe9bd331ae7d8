/* t-dataset.c - data sets: round trips in each format, files as others write them, every error line, splits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <hdf5.h>

#include "engine/dataset.h"
#include "engine/memory.h"
#include "engine/rng.h"

static char folder[256];

static const char *in_folder(const char *name)
{
    static char path[4][512];
    static unsigned turn;
    char *own = path[turn++ % 4];
    snprintf(own, sizeof path[0], "%s/%s", folder, name);
    return own;
}

static void write_bytes(const char *name, const void *bytes, size_t size)
{
    FILE *file = fopen(in_folder(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void write_text(const char *name, const char *text)
{
    write_bytes(name, text, strlen(text));
}

static size_t read_bytes(const char *name, char *bytes, size_t size)
{
    FILE *file = fopen(in_folder(name), "rb");
    assert_non_null(file);
    size_t got = fread(bytes, 1, size, file);
    fclose(file);
    return got;
}

static void assert_no_temporaries(void)
{
    DIR *list = opendir(folder);
    assert_non_null(list);
    for (struct dirent *entry; (entry = readdir(list)) != NULL;)
        assert_null(strstr(entry->d_name, ".tmp"));
    closedir(list);
}

static void load(struct rhm_dataset *data, const char *name, unsigned V, unsigned classes)
{
    struct rhm_error err = {0};
    if (rhm_dataset_load(data, in_folder(name), V, classes, &err) != RHM_OK)
        fail_msg("%s", err.text);
}

/* The error line is "<folder>/" and then exactly `text`; nothing is left in the data set. */
static void assert_refused(const char *name, unsigned V, unsigned classes, const char *text)
{
    struct rhm_error err = {0};
    struct rhm_dataset data = {.n = 17};
    assert_int_not_equal(rhm_dataset_load(&data, in_folder(name), V, classes, &err), RHM_OK);
    assert_string_equal(err.text, in_folder(text));
    assert_null(data.tokens);
    assert_null(data.labels);
    assert_int_equal(data.n, 0);
    assert_int_not_equal(rhm_dataset_load(&data, in_folder(name), V, classes, NULL), RHM_OK);
}

static void make_random(struct rhm_dataset *data, size_t n, size_t d, unsigned V, unsigned classes)
{
    assert_int_equal(rhm_dataset_init(data, n, d, V, classes, NULL), RHM_OK);
    struct rhm_rng rng = rhm_rng_start(7, RHM_STREAM_TEST, V);
    for (size_t i = 0; i < n * d; i++)
        data->tokens[i] = (uint16_t)rhm_rng_below(&rng, V);
    for (size_t i = 0; i < n; i++)
        data->labels[i] = (uint16_t)rhm_rng_below(&rng, classes);
    data->tokens[n * d / 2] = (uint16_t)(V - 1); /* so that V and classes can be told from the data */
    data->labels[n / 2] = (uint16_t)(classes - 1);
}

static void assert_same(const struct rhm_dataset *a, const struct rhm_dataset *b)
{
    assert_int_equal(a->n, b->n);
    assert_int_equal(a->d, b->d);
    assert_int_equal(a->V, b->V);
    assert_int_equal(a->classes, b->classes);
    assert_memory_equal(a->tokens, b->tokens, a->n * a->d * sizeof *a->tokens);
    assert_memory_equal(a->labels, b->labels, a->n * sizeof *a->labels);
}

/* ---- In memory ---- */

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

/* ---- Round trips ---- */

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

static void test_csv_text(void **state)
{
    (void)state;
    struct rhm_dataset data;
    char text[64];
    assert_int_equal(rhm_dataset_init(&data, 2, 3, 65535, 8, NULL), RHM_OK);
    data.tokens[1] = 10;
    data.tokens[5] = 65534;
    data.labels[1] = 7;
    assert_int_equal(rhm_dataset_save(&data, in_folder("t.csv"), NULL), RHM_OK);
    text[read_bytes("t.csv", text, sizeof text - 1)] = '\0';
    assert_string_equal(text, "0,10,0,0\n0,0,65534,7\n");
    rhm_dataset_clear(&data);
}

/* ---- Text as others write it ---- */

static void assert_csv(const char *text, size_t n, size_t d, const uint16_t *tokens, const uint16_t *labels)
{
    struct rhm_dataset data;
    write_text("v.csv", text);
    load(&data, "v.csv", 8, 8);
    assert_int_equal(data.n, n);
    assert_int_equal(data.d, d);
    assert_memory_equal(data.tokens, tokens, n * d * sizeof *tokens);
    assert_memory_equal(data.labels, labels, n * sizeof *labels);
    rhm_dataset_clear(&data);
}

static void test_csv_variants(void **state)
{
    (void)state;
    static const char *const same[] = {
        "0,1,2,3\n4,5,6,7\n",
        "0,1,2,3\n4,5,6,7",
        "0,1,2,3\r\n4,5,6,7\r\n",
        "0 1 2 3\n4 5 6 7\n",
        "  0\t1 \t2   3  \n\t4 5 6 7\n",
        "0;1;2;3\n4;5;6;7\n",
        "0, 1 , 2 ,3\n4 ,5,6, 7 \n",
        "0,1,2,3,\n4,5,6,7,\r\n",
        "0;1;2;3; \n4;5;6;7 ;\n",
        "\xef\xbb\xbf"
        "0,1,2,3\n4,5,6,7\n",
        "\xef\xbb\xbfx1,x2,x3,label\n0,1,2,3\n4,5,6,7\n",
        "x1 x2 x3 y\n0 1 2 3\n4 5 6 7\n",
        "\"x1\",\"x2\",\"x3\",\"y\"\n0,1,2,3\n4,5,6,7\n",
        "\n# made by hand\n\n0,1,2,3\n   \n  # and more\n4,5,6,7\n\n\n",
        "# first\nx,y,z,label\n\n0,1,2,3\n4,5,6,7\n",
        "0.000000000000000000e+00 1.000000000000000000e+00 2.000000000000000000e+00 "
        "3.000000000000000000e+00\n"
        "4.000000000000000000e+00 5.000000000000000000e+00 6.000000000000000000e+00 "
        "7.000000000000000000e+00\n",
        "-0,+1,2.0,3.\n4e0,.5e1,006,00000000000000000007\n",
    };
    static const uint16_t tokens[] = {0, 1, 2, 4, 5, 6}, labels[] = {3, 7};
    for (size_t k = 0; k < sizeof same / sizeof same[0]; k++)
        assert_csv(same[k], 2, 3, tokens, labels);
    assert_csv("1 2", 1, 1, (const uint16_t[]){1}, (const uint16_t[]){2});
}

/* Lines across the reader's blocks, one line longer than a block, more strings than any first guess. */
static void test_csv_large(void **state)
{
    (void)state;
    struct rhm_dataset data;
    const size_t n = 300000, d = 900000;
    FILE *file = fopen(in_folder("many.csv"), "wb");
    assert_non_null(file);
    for (size_t i = 0; i < n; i++)
        fprintf(file, "%zu,%zu,%zu%s\n", i % 7, i % 65535, i % 11, i % 3 == 0 ? "\r" : "");
    fclose(file);
    load(&data, "many.csv", 0, 0);
    assert_int_equal(data.n, n);
    assert_int_equal(data.V, 65535);
    assert_int_equal(data.classes, 11);
    for (size_t i = 0; i < n; i++) {
        assert_true(data.tokens[2 * i] == i % 7 && data.tokens[2 * i + 1] == i % 65535);
        assert_true(data.labels[i] == i % 11);
    }
    rhm_dataset_clear(&data);

    file = fopen(in_folder("long.csv"), "wb");
    assert_non_null(file);
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k <= d; k++)
            fprintf(file, k < d ? "%zu," : "%zu\n", (k + i) % 10);
    fclose(file);
    load(&data, "long.csv", 0, 0);
    assert_int_equal(data.n, 2);
    assert_int_equal(data.d, d);
    for (size_t k = 0; k < d; k++)
        assert_true(data.tokens[k] == k % 10 && data.tokens[d + k] == (k + 1) % 10);
    rhm_dataset_clear(&data);
}

static void test_csv_errors(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned V, classes;
        const char *error;
    } bad[] = {
        {"0,1,2\n0,9,2\n", 8, 0, "e.csv:2: token 9 is out of range 0..7 (V = 8)"},
        {"0,1,2\n0,8,2\n", 8, 0,
         "e.csv:2: token 8 is out of range 0..7 (V = 8; in files symbols start at 0)"},
        {"# c\n\n0,1,2\r\n0,7,3\r\n", 8, 3,
         "e.csv:4: label 3 is out of range 0..2 (classes = 3; in files symbols start at 0)"},
        {"0,1,2\n0,-1,2\n", 0, 0, "e.csv:2: token -1 is out of range 0..65534"},
        {"0,65535,2\n", 0, 0, "e.csv:1: token 65535 is out of range 0..65534"},
        {"0,99999999999999999999999,2\n", 8, 0,
         "e.csv:1: token 99999999999999999999999 is out of range 0..7 (V = 8)"},
        {"0,18446744073709551617,2\n", 8, 0,
         "e.csv:1: token 18446744073709551617 is out of range 0..7 (V = 8)"},
        {"0,1e400,2\n", 8, 0, "e.csv:1: token 1e400 is not a whole number"},
        {"0,1,2,3,4,5,6,7,0\n#\n\n0,1,2,3,4,5,6,7\n", 8, 8, "e.csv:4: 8 values where line 1 has 9"},
        {"x y z\n0 1 2\n0\n", 8, 8, "e.csv:3: 1 value where line 2 has 3"},
        {"0,1,2\n0,1,2,3\n", 8, 8, "e.csv:2: 4 values where line 1 has 3"},
        {"0,1,2\n0,1,7,2\n", 8, 4, "e.csv:2: 4 values where line 1 has 3"}, /* 7 is no label, it is a token */
        {"0,1,2\n0,1,,\n", 8, 8, "e.csv:2: an empty value: two separators follow each other"},
        {"0,1,2\n,1,2\n", 8, 8, "e.csv:2: an empty value: two separators follow each other"},
        {"0,1,2\n0,x,2\n", 8, 8, "e.csv:2: 'x' is not a number"},
        {"a,b,c\nd,e,f\n0,1,2\n", 8, 8, "e.csv:2: 'd' is not a number"},
        {"0,1,label\n0,1,2\n", 8, 8, "e.csv:1: 'label' is not a number"},
        {"0,0x1,2\n", 8, 8, "e.csv:1: '0x1' is not a number"},
        {"0,1x,2\n", 8, 8, "e.csv:1: '1x' is not a number"},
        {"0,1\r2,2\n", 8, 8, "e.csv:1: '1?2' is not a number"},
        {"0,nan,2\n", 8, 8, "e.csv:1: token nan is not a whole number"},
        {"0,1.5,2\n", 8, 8, "e.csv:1: token 1.5 is not a whole number"},
        {"0,aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee\n", 8, 8,
         "e.csv:1: 'aaaaaaaaaabbbbbbbbbbccccccccccdddddd...' is not a number"},
        {"5\n6\n", 8, 8, "e.csv:1: 1 value: a line takes 2 or more, the tokens and then the label"},
        {"", 8, 8, "e.csv: the file is empty"},
        {"\n\n# nothing\n", 8, 8, "e.csv: no strings: none of its 3 lines holds numbers"},
        {"a,b,c\n", 8, 8, "e.csv: no strings: none of its 1 line holds numbers"},
    };
    for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
        write_text("e.csv", bad[k].text);
        assert_refused("e.csv", bad[k].V, bad[k].classes, bad[k].error);
    }
    write_bytes("e.csv",
                "0,1\0"
                "2,3\n",
                8);
    assert_refused("e.csv", 8, 8, "e.csv:1: '1?2' is not a number");
    assert_refused("missing.csv", 0, 0, "missing.csv: cannot open: No such file or directory");
    assert_refused("missing.dat", 0, 0,
                   "missing.dat: the ending must say the format: .csv, .txt, .npy, .h5 or .hdf5");
    assert_int_equal(mkdir(in_folder("folder.csv"), 0777), 0);
    assert_refused("folder.csv", 0, 0, "folder.csv: cannot read: Is a directory");

    struct rhm_dataset data;
    struct rhm_error err;
    write_text("e.csv", "0,1\n");
    assert_int_equal(rhm_dataset_load(&data, in_folder("e.csv"), 70000, 0, &err), RHM_EARG);
    assert_string_equal(err.text, "V = 70000: must be 1..65535, or 0 for as many as the file uses");
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

/* ---- .npy as others write it ---- */

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

/* ---- HDF5 as others write it ---- */

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

/* ---- Splits ---- */

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

/* ---- */

static int make_folder(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/rhm-t-dataset-XXXXXX", base != NULL ? base : "/tmp");
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    DIR *list = opendir(folder);
    if (list == NULL)
        return 1;
    for (struct dirent *entry; (entry = readdir(list)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            remove(in_folder(entry->d_name));
    closedir(list);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init),
        cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_h5_keeps_the_counts),
        cmocka_unit_test(test_csv_text),
        cmocka_unit_test(test_csv_variants),
        cmocka_unit_test(test_csv_large),
        cmocka_unit_test(test_csv_errors),
        cmocka_unit_test(test_memory_budget),
        cmocka_unit_test(test_npy_types),
        cmocka_unit_test(test_npy_errors),
        cmocka_unit_test(test_npy_by_numpy),
        cmocka_unit_test(test_h5_types),
        cmocka_unit_test(test_h5_errors),
        cmocka_unit_test(test_failed_writes),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_split_is_fair),
        cmocka_unit_test(test_split_errors),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
