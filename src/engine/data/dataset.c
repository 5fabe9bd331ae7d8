/* dataset.c - data sets in memory. Which reader or writer a file name asks for is in dataset_file.c. */
#include "engine/data/dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/data/dataset_io.h"

enum rhm_status rhm_dataset_check_count(const char *name, unsigned count, unsigned least,
                                        struct rhm_error *err)
{
    if (count >= least && count <= RHM_MAX_SYMBOLS)
        return RHM_OK;
    return rhm_fail(err, RHM_EARG, "%s = %u: must be 1..%u%s", name, count, RHM_MAX_SYMBOLS,
                    least == 0 ? ", or 0 for as many as the file uses" : "");
}

static enum rhm_status allocate(struct rhm_dataset *data, const char *what, size_t n, size_t d,
                                struct rhm_error *err)
{
    /* Doubles: the product may pass 2^64. Within the budget it cannot. */
    enum rhm_status status =
        rhm_memory_check(((double)d + 1) * (double)n * sizeof(uint16_t), what, "use fewer strings", err);
    if (status != RHM_OK)
        return status;
    data->tokens = rhm_array(n * d, sizeof *data->tokens, what, err);
    data->labels = data->tokens ? rhm_array(n, sizeof *data->labels, what, err) : NULL;
    if (data->labels == NULL) {
        rhm_dataset_clear(data);
        return RHM_EMEMORY;
    }
    data->n = n;
    data->d = d;
    return RHM_OK;
}

enum rhm_status rhm_dataset_init(struct rhm_dataset *data, size_t n, size_t d, unsigned V, unsigned classes,
                                 struct rhm_error *err)
{
    *data = (struct rhm_dataset){0};
    enum rhm_status status = rhm_dataset_check_count("V", V, 1, err);
    if (status == RHM_OK)
        status = rhm_dataset_check_count("classes", classes, 1, err);
    if (status != RHM_OK)
        return status;
    if (n == 0 || d == 0)
        return rhm_fail(err, RHM_EARG, "a data set of %zu strings of %zu tokens: both must be 1 or more", n,
                        d);
    char what[96];
    snprintf(what, sizeof what, "a data set of %zu strings of %zu tokens", n, d);
    status = allocate(data, what, n, d, err);
    if (status == RHM_OK) {
        data->V = V;
        data->classes = classes;
    }
    return status;
}

void rhm_dataset_clear(struct rhm_dataset *data)
{
    free(data->tokens);
    free(data->labels);
    *data = (struct rhm_dataset){0};
}

enum rhm_status rhm_dataset_reserve(struct rhm_dataset *data, const char *path, size_t n, size_t d,
                                    struct rhm_error *err)
{
    if (n == 0 || d == 0)
        return rhm_fail(err, RHM_EFILE, "%s: no strings: the tokens are an array of %zu x %zu", path, n, d);
    char what[RHM_ERROR_TEXT / 2];
    snprintf(what, sizeof what, "%s: the data set of %zu strings of %zu tokens", path, n, d);
    return allocate(data, what, n, d, err);
}

enum rhm_status rhm_symbols_out_of_range(const struct rhm_symbols *symbols, const char *place,
                                         const char *value, const char *at, struct rhm_error *err)
{
    unsigned limit = rhm_symbols_limit(symbols);
    if (symbols->given == 0)
        return rhm_fail(err, RHM_EFILE, "%s: %s %s%s is out of range 0..%u", place, symbols->what, value, at,
                        limit - 1);
    char own[16]; /* the value V itself: most likely symbols that start at 1 */
    snprintf(own, sizeof own, "%u", limit);
    return rhm_fail(err, RHM_EFILE, "%s: %s %s%s is out of range 0..%u (%s = %u%s)", place, symbols->what,
                    value, at, limit - 1, symbols->name, limit,
                    strcmp(own, value) == 0 ? "; in files symbols start at 0" : "");
}
