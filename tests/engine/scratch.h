/* scratch.h - for the tests of files: a folder of their own, files in it, data sets to compare. */
#ifndef RHM_TESTS_SCRATCH_H
#define RHM_TESTS_SCRATCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/rng.h"
#include "engine/data/dataset.h"

static char folder[256];

static inline const char *in_folder(const char *name)
{
    static char path[4][512];
    static unsigned turn;
    char *own = path[turn++ % 4];
    snprintf(own, sizeof path[0], "%s/%s", folder, name);
    return own;
}

static inline void write_bytes(const char *name, const void *bytes, size_t size)
{
    FILE *file = fopen(in_folder(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static inline void write_text(const char *name, const char *text)
{
    write_bytes(name, text, strlen(text));
}

static inline size_t read_bytes(const char *name, char *bytes, size_t size)
{
    FILE *file = fopen(in_folder(name), "rb");
    assert_non_null(file);
    size_t got = fread(bytes, 1, size, file);
    fclose(file);
    return got;
}

static inline void assert_no_temporaries(void)
{
    DIR *list = opendir(folder);
    assert_non_null(list);
    for (struct dirent *entry; (entry = readdir(list)) != NULL;)
        assert_null(strstr(entry->d_name, ".tmp"));
    closedir(list);
}

static inline void load(struct rhm_dataset *data, const char *name, unsigned V, unsigned classes)
{
    struct rhm_error err = {0};
    if (rhm_dataset_load(data, in_folder(name), V, classes, &err) != RHM_OK)
        fail_msg("%s", err.text);
}

/* The error line is "<folder>/" and then exactly `text`; nothing is left in the data set. */
static inline void assert_refused(const char *name, unsigned V, unsigned classes, const char *text)
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

static inline void make_random(struct rhm_dataset *data, size_t n, size_t d, unsigned V, unsigned classes)
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

static inline void assert_same(const struct rhm_dataset *a, const struct rhm_dataset *b)
{
    assert_int_equal(a->n, b->n);
    assert_int_equal(a->d, b->d);
    assert_int_equal(a->V, b->V);
    assert_int_equal(a->classes, b->classes);
    assert_memory_equal(a->tokens, b->tokens, a->n * a->d * sizeof *a->tokens);
    assert_memory_equal(a->labels, b->labels, a->n * sizeof *a->labels);
}

static inline int make_folder(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/rhm-test-XXXXXX", base != NULL ? base : "/tmp");
    return mkdtemp(folder) == NULL;
}

static inline int remove_folder(void **state)
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

#endif
