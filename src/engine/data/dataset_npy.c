/* dataset_npy.c - data sets as NumPy writes them: np.save("X.npy", tokens), np.save("X_labels.npy", labels).
 * Tokens are n x d, labels n or n x 1; integers of any size, or floats that are whole; -1 is missing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/output.h"
#include "engine/data/dataset_io.h"
#include "engine/files/npy.h"

#define BLOCK ((size_t)65536) /* elements */

/* X.npy -> X_labels.npy; a name that holds "tokens" -> the same with "labels" instead. Freed by the caller.
 */
static char *labels_path(const char *path, struct rhm_error *err)
{
    size_t size = strlen(path) + sizeof "_labels";
    char *result = rhm_array(size, 1, "the name of a file", err);
    if (result == NULL)
        return NULL;
    const char *slash = strrchr(path, '/'), *base = slash != NULL ? slash + 1 : path;
    const char *word = NULL, *dot = strrchr(base, '.');
    for (const char *p = base; (p = strstr(p, "tokens")) != NULL; p++)
        word = p;
    if (word != NULL)
        snprintf(result, size, "%.*slabels%s", (int)(word - path), path, word + strlen("tokens"));
    else
        snprintf(result, size, "%.*s_labels%s", (int)(dot - path), path, dot);
    return result;
}

/* ---- Reading ---- */

/* An element as it stands in the file: one of the three, after its kind. */
union element {
    int64_t i;
    uint64_t u;
    double f;
};

static union element element_at(const struct rhm_npy *npy, const unsigned char *p)
{
    union element e = {.u = 0};
    if (npy->kind == 'f') {
        float single;
        if (npy->size == sizeof single) {
            memcpy(&single, p, sizeof single);
            e.f = (double)single;
        } else {
            memcpy(&e.f, p, sizeof e.f);
        }
        return e;
    }
    int is_signed = npy->kind == 'i';
    uint16_t u16;
    uint32_t u32;
    switch (npy->size) {
    case 1:
        e.i = is_signed ? (int8_t)*p : *p;
        break;
    case 2:
        memcpy(&u16, p, sizeof u16);
        e.i = is_signed ? (int16_t)u16 : u16;
        break;
    case 4:
        memcpy(&u32, p, sizeof u32);
        e.i = is_signed ? (int32_t)u32 : (int64_t)u32;
        break;
    default:
        memcpy(&e.u, p, sizeof e.u);
    }
    return e;
}

/* A negative value wraps to a huge one, so one comparison does for signed and unsigned. */
static inline int is_symbol(char kind, union element e, unsigned limit)
{
    return kind == 'f' ? e.f >= 0 && e.f < limit && e.f == (double)(unsigned)e.f : e.u < limit;
}

static inline int is_missing(char kind, union element e)
{
    return kind == 'f' ? e.f == -1 : kind == 'i' && e.i == -1;
}

static enum rhm_status bad_element(const struct rhm_npy *npy, union element e, size_t row, size_t column,
                                   const struct rhm_symbols *symbols, struct rhm_error *err)
{
    char value[40], at[64];
    if (npy->kind == 'f')
        snprintf(value, sizeof value, "%.17g", e.f);
    else if (npy->kind == 'i')
        snprintf(value, sizeof value, "%lld", (long long)e.i);
    else
        snprintf(value, sizeof value, "%llu", (unsigned long long)e.u);
    snprintf(at, sizeof at, npy->rank > 1 ? " at [%zu,%zu]" : " at [%zu]", row, column);
    if (npy->kind == 'f' && !(e.f < 0 || e.f >= rhm_symbols_limit(symbols)))
        return rhm_fail(err, RHM_EFILE, "%s: %s %s%s is not a whole number", npy->path, symbols->what, value,
                        at);
    return rhm_symbols_out_of_range(symbols, npy->path, value, at, err);
}

/* The whole array, n x d, into `out` row by row. */
static enum rhm_status read_symbols(struct rhm_npy *npy, size_t n, size_t d, struct rhm_symbols *symbols,
                                    uint16_t *out, struct rhm_error *err)
{
    unsigned char *block = rhm_array(BLOCK, npy->size, "a block of a .npy file", err);
    if (block == NULL)
        return RHM_EMEMORY;
    unsigned limit = rhm_symbols_limit(symbols);
    size_t row = 0, column = 0;
    enum rhm_status status = RHM_OK;
    for (size_t left = n * d; left > 0 && status == RHM_OK;) {
        size_t count = left < BLOCK ? left : BLOCK;
        status = rhm_npy_read(npy, block, count, err);
        for (size_t k = 0; k < count && status == RHM_OK; k++) {
            union element e = element_at(npy, block + k * npy->size);
            unsigned symbol = RHM_MISSING;
            if (is_symbol(npy->kind, e, limit)) {
                symbol = npy->kind == 'f' ? (unsigned)e.f : (unsigned)e.u;
                symbols->largest = symbol > symbols->largest ? symbol : symbols->largest;
            } else if (!is_missing(npy->kind, e)) {
                status = bad_element(npy, e, row, column, symbols, err);
                break;
            }
            out[row * d + column] = (uint16_t)symbol;
            if (npy->fortran) {
                if (++row == n) {
                    row = 0;
                    column++;
                }
            } else if (++column == d) {
                column = 0;
                row++;
            }
        }
        left -= count;
    }
    free(block);
    return status;
}

static enum rhm_status open_labels(struct rhm_npy *npy, const char *path, const char *tokens_path, size_t n,
                                   struct rhm_error *err)
{
    FILE *there = fopen(path, "rb"); /* a better message than that a file nobody named is missing */
    if (there == NULL)
        return rhm_fail(err, RHM_EFILE, "%s: cannot open the labels that go with %s", path, tokens_path);
    fclose(there);
    enum rhm_status status = rhm_npy_open(npy, path, err);
    if (status != RHM_OK)
        return status;
    if (npy->rank < 1 || npy->rank > 2 || (npy->rank == 2 && npy->shape[1] != 1))
        status = rhm_fail(err, RHM_EFILE, "%s: labels must be an array of one dimension, n", path);
    else if (npy->shape[0] != n)
        status = rhm_fail(err, RHM_EFILE, "%s: %zu labels for the %zu strings of %s", path, npy->shape[0], n,
                          tokens_path);
    if (status != RHM_OK)
        rhm_npy_close(npy);
    return status;
}

enum rhm_status rhm_dataset_read_npy(struct rhm_dataset *data, const char *path, struct rhm_symbols *tokens,
                                     struct rhm_symbols *labels, struct rhm_error *err)
{
    char *second = labels_path(path, err);
    if (second == NULL)
        return RHM_EMEMORY;
    struct rhm_npy npy;
    enum rhm_status status = rhm_npy_open(&npy, path, err);
    if (status != RHM_OK)
        goto done;
    if (npy.rank != 2)
        status = rhm_fail(err, RHM_EFILE, "%s: tokens must be an array of 2 dimensions, n x d: it has %u",
                          path, npy.rank);
    else
        status = rhm_dataset_reserve(data, path, npy.shape[0], npy.shape[1], err);
    if (status == RHM_OK)
        status = read_symbols(&npy, data->n, data->d, tokens, data->tokens, err);
    rhm_npy_close(&npy);
    if (status != RHM_OK)
        goto done;
    status = open_labels(&npy, second, path, data->n, err);
    if (status == RHM_OK) {
        status = read_symbols(&npy, data->n, 1, labels, data->labels, err);
        rhm_npy_close(&npy);
    }
done:
    free(second);
    return status;
}

/* ---- Writing ---- */

/* Cut to a byte or as it is, RHM_MISSING is the -1 of a signed type of that size. */
static enum rhm_status write_symbols(struct rhm_output *out, const uint16_t *symbols, size_t count,
                                     unsigned bytes, struct rhm_error *err)
{
    if (bytes == sizeof *symbols)
        return rhm_output_write(out, symbols, count * sizeof *symbols, err);
    unsigned char byte[4096];
    int32_t wide[4096];
    enum rhm_status status = RHM_OK;
    for (size_t done = 0; done < count && status == RHM_OK;) {
        size_t part = count - done < sizeof byte ? count - done : sizeof byte;
        for (size_t k = 0; k < part; k++) {
            byte[k] = (unsigned char)symbols[done + k];
            wide[k] = symbols[done + k] == RHM_MISSING ? -1 : symbols[done + k];
        }
        status = rhm_output_write(out, bytes == 1 ? (const void *)byte : wide, part * bytes, err);
        done += part;
    }
    return status;
}

static enum rhm_status write_array(struct rhm_output *out, const char *path, unsigned rank,
                                   const size_t *shape, const uint16_t *symbols, unsigned limit, int missing,
                                   struct rhm_error *err)
{
    char header[RHM_NPY_HEADER], type[] = {missing ? 'i' : 'u', '0', '\0'};
    unsigned bytes = rhm_symbols_bytes(limit, missing);
    type[1] = (char)('0' + bytes);
    size_t length = rhm_npy_header(header, type, rank, shape);
    enum rhm_status status = rhm_output_open(out, path, err);
    if (status == RHM_OK)
        status = rhm_output_write(out, header, length, err);
    if (status == RHM_OK)
        status = write_symbols(out, symbols, shape[0] * (rank > 1 ? shape[1] : 1), bytes, err);
    if (status == RHM_OK)
        status = rhm_output_finish(out, err);
    return status;
}

/* Both files are complete before either replaces an old one. */
enum rhm_status rhm_dataset_write_npy(const struct rhm_dataset *data, const char *path, struct rhm_error *err)
{
    char *second = labels_path(path, err);
    if (second == NULL)
        return RHM_EMEMORY;
    struct rhm_output tokens = {0}, labels = {0};
    const size_t shape[2] = {data->n, data->d};
    struct rhm_missing missing = rhm_dataset_missing(data);
    enum rhm_status status =
        write_array(&tokens, path, 2, shape, data->tokens, data->V, missing.tokens > 0, err);
    if (status == RHM_OK)
        status = write_array(&labels, second, 1, shape, data->labels, data->classes, missing.labels > 0, err);
    if (status == RHM_OK)
        status = rhm_output_commit(&tokens, err);
    if (status == RHM_OK)
        status = rhm_output_commit(&labels, err);
    rhm_output_abandon(&tokens);
    rhm_output_abandon(&labels);
    free(second);
    return status;
}
