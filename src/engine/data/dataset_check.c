/* dataset_check.c - whether symbols and strings are those a model reads. See dataset.h. */
#include <inttypes.h>

#include "engine/data/dataset.h"

enum rhm_status rhm_symbols_check(int64_t V, int64_t classes, struct rhm_error *err)
{
    if (V < 2 || V > RHM_MAX_SYMBOLS)
        return rhm_fail(err, RHM_EARG, "V = %" PRId64 ": must be 2..%d", V, RHM_MAX_SYMBOLS);
    if (classes != 0 && (classes < 2 || classes > RHM_MAX_SYMBOLS))
        return rhm_fail(err, RHM_EARG, "classes = %" PRId64 ": must be 2..%d", classes, RHM_MAX_SYMBOLS);
    return RHM_OK;
}

enum rhm_status rhm_tokens_check(size_t n, size_t d, const uint16_t *tokens, unsigned V, const char *who,
                                 struct rhm_error *err)
{
    unsigned largest = 0; /* the usual case in one plain loop */
    for (size_t i = 0; i < n * d; i++)
        largest = tokens[i] > largest ? tokens[i] : largest;
    for (size_t i = 0; largest >= V && i < n * d; i++) {
        if (tokens[i] == RHM_MISSING)
            return rhm_fail(err, RHM_EARG, "string %zu: token %zu is missing: %s reads whole strings",
                            i / d + 1, i % d + 1, who);
        if (tokens[i] >= V)
            return rhm_fail(err, RHM_EARG, "string %zu holds token %d, %s has V = %u", i / d + 1,
                            tokens[i] + 1, who, V);
    }
    return RHM_OK;
}

enum rhm_status rhm_reader_check(const struct rhm_reader *reader, const struct rhm_dataset *data,
                                 struct rhm_error *err)
{
    if (data->n == 0)
        return rhm_fail(err, RHM_EARG, "the data set is empty");
    if (data->d != reader->d)
        return rhm_fail(err, RHM_EARG, "strings of %zu tokens, %s reads %s", data->d, reader->who,
                        reader->length);
    for (size_t i = 0; data->classes > reader->classes && i < data->n; i++)
        if (data->labels[i] >= reader->classes && data->labels[i] != RHM_MISSING)
            return rhm_fail(err, RHM_EARG, "string %zu has label %d, %s %u classes", i + 1,
                            data->labels[i] + 1, reader->who, reader->classes);
    return rhm_tokens_check(data->n, data->d, data->tokens, reader->V, reader->who, err);
}
