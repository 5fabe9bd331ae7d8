/* t-csv.c - data sets as text: as others write it, and every error line. */
#include "scratch.h"

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
        {"0,1,2\n0,-2,2\n", 0, 0, "e.csv:2: token -2 is out of range 0..65534"},
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv_text),
        cmocka_unit_test(test_csv_variants),
        cmocka_unit_test(test_csv_large),
        cmocka_unit_test(test_csv_errors),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
