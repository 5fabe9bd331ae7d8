/* dataset_hdf5.c - data sets in HDF5: "tokens" (n x d), "labels" (n), attributes "V" and "classes"; -1 is
 * missing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/data/dataset_io.h"
#include "engine/files/hdf5_file.h"

#define BLOCK ((size_t)65536) /* elements, at least a row */

/* ---- Reading ---- */

struct array {
    const char *path, *name;
    hid_t set, space;
    int is_float;
    int rank;
    hsize_t extents[2];
    hsize_t chunk_rows; /* 1 where the data set is not chunked */
};

static enum rhm_status open_array(struct array *a, hid_t file, const char *path, const char *name,
                                  struct rhm_error *err)
{
    *a = (struct array){.path = path, .name = name, .space = -1, .extents = {0, 1}, .chunk_rows = 1};
    if (H5Lexists(file, name, H5P_DEFAULT) <= 0)
        return rhm_fail(err, RHM_EFILE, "%s: no data set \"%s\"", path, name);
    a->set = H5Oopen(file, name, H5P_DEFAULT);
    if (a->set >= 0 && H5Iget_type(a->set) != H5I_DATASET)
        return rhm_fail(err, RHM_EFILE, "%s: no data set \"%s\": that is a group or a type", path, name);
    a->space = a->set >= 0 ? H5Dget_space(a->set) : -1;
    hid_t type = a->space >= 0 ? H5Dget_type(a->set) : -1;
    if (type < 0)
        return rhm_hdf5_fail(err, path, "open a data set");
    H5T_class_t class = H5Tget_class(type);
    size_t size = H5Tget_size(type);
    H5Tclose(type);
    if ((class != H5T_INTEGER && class != H5T_FLOAT) || size > 8)
        return rhm_fail(err, RHM_EFILE, "%s: data set \"%s\" does not hold integers", path, name);
    a->is_float = class == H5T_FLOAT;
    a->rank = H5Sget_simple_extent_ndims(a->space);
    if (a->rank != 1 && a->rank != 2)
        return rhm_fail(err, RHM_EFILE, "%s: data set \"%s\" has %d dimensions", path, name, a->rank);
    H5Sget_simple_extent_dims(a->space, a->extents, NULL);

    hid_t plist = H5Dget_create_plist(a->set);
    hsize_t chunk[2];
    if (plist >= 0 && H5Pget_layout(plist) == H5D_CHUNKED && H5Pget_chunk(plist, 2, chunk) >= 1)
        a->chunk_rows = chunk[0];
    H5Pclose(plist);
    return RHM_OK;
}

static enum rhm_status bad_element(const struct array *a, const void *element, size_t row, size_t column,
                                   const struct rhm_symbols *symbols, struct rhm_error *err)
{
    char value[40], at[64];
    double x;
    int64_t i;
    memcpy(&x, element, sizeof x);
    memcpy(&i, element, sizeof i);
    if (a->is_float)
        snprintf(value, sizeof value, "%.17g", x);
    else
        snprintf(value, sizeof value, "%lld", (long long)i);
    snprintf(at, sizeof at, a->rank > 1 ? " at [%zu,%zu]" : " at [%zu]", row, column);
    if (a->is_float && !(x < 0 || x >= rhm_symbols_limit(symbols)))
        return rhm_fail(err, RHM_EFILE, "%s: %s %s%s is not a whole number", a->path, symbols->what, value,
                        at);
    return rhm_symbols_out_of_range(symbols, a->path, value, at, err);
}

static enum rhm_status convert(const struct array *a, const void *block, size_t row, size_t rows, size_t d,
                               struct rhm_symbols *symbols, uint16_t *out, struct rhm_error *err)
{
    const double *x = block;
    const int64_t *integer = block;
    unsigned limit = rhm_symbols_limit(symbols), largest = symbols->largest;
    for (size_t k = 0; k < rows * d; k++) {
        int good = a->is_float ? x[k] >= 0 && x[k] < limit && x[k] == (double)(unsigned)x[k]
                               : (uint64_t)integer[k] < limit;
        if (!good) {
            if (a->is_float ? x[k] != -1 : integer[k] != -1)
                return bad_element(a, integer + k, row + k / d, k % d, symbols, err);
            out[row * d + k] = RHM_MISSING;
            continue;
        }
        unsigned symbol = a->is_float ? (unsigned)x[k] : (unsigned)integer[k];
        largest = symbol > largest ? symbol : largest;
        out[row * d + k] = (uint16_t)symbol;
    }
    symbols->largest = largest;
    return RHM_OK;
}

/* n x d symbols, in blocks of whole rows (and of whole chunks, so that none is unpacked twice). */
static enum rhm_status read_symbols(const struct array *a, size_t n, size_t d, struct rhm_symbols *symbols,
                                    uint16_t *out, struct rhm_error *err)
{
    size_t rows = BLOCK / d > 0 ? BLOCK / d : 1;
    if (a->chunk_rows > 1 && a->chunk_rows < 64 * rows)
        rows = (rows + (size_t)a->chunk_rows - 1) / (size_t)a->chunk_rows * (size_t)a->chunk_rows;
    rows = rows < n ? rows : n;
    void *block = rhm_array(rows * d, sizeof(int64_t), "a block of an HDF5 file", err);
    if (block == NULL)
        return RHM_EMEMORY;
    hid_t type = a->is_float ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT64;
    enum rhm_status status = RHM_OK;
    for (size_t row = 0; row < n && status == RHM_OK; row += rows) {
        hsize_t count[2] = {n - row < rows ? n - row : rows, d}, start[2] = {row, 0};
        hid_t part = H5Screate_simple(a->rank, count, NULL);
        if (part < 0 || H5Sselect_hyperslab(a->space, H5S_SELECT_SET, start, NULL, count, NULL) < 0 ||
            H5Dread(a->set, type, part, a->space, H5P_DEFAULT, block) < 0)
            status = rhm_hdf5_fail(err, a->path, "read");
        else
            status = convert(a, block, row, (size_t)count[0], d, symbols, out, err);
        H5Sclose(part);
    }
    free(block);
    return status;
}

/* Closing the file closes its data sets, but not the spaces that describe them. */
static void close_array(struct array *a)
{
    if (a->space >= 0)
        H5Sclose(a->space);
}

/* The number of symbols that the file says it has, where the caller gave none. */
static enum rhm_status read_attribute(hid_t file, const char *path, struct rhm_symbols *symbols,
                                      struct rhm_error *err)
{
    if (symbols->given > 0 || H5Aexists(file, symbols->name) <= 0)
        return RHM_OK;
    long long value = 0;
    hid_t own = H5Aopen(file, symbols->name, H5P_DEFAULT);
    hid_t space = own >= 0 ? H5Aget_space(own) : -1;
    int one = space >= 0 && H5Sget_simple_extent_npoints(space) == 1;
    if (space >= 0)
        H5Sclose(space);
    if (!one || H5Aread(own, H5T_NATIVE_LLONG, &value) < 0)
        return rhm_fail(err, RHM_EFILE, "%s: its attribute \"%s\" is not an integer", path, symbols->name);
    if (value < 1 || value > RHM_MAX_SYMBOLS)
        return rhm_fail(err, RHM_EFILE, "%s: its attribute \"%s\" is %lld: must be 1..%u", path,
                        symbols->name, value, RHM_MAX_SYMBOLS);
    symbols->given = (unsigned)value;
    return RHM_OK;
}

static enum rhm_status check_shapes(const struct array *t, const struct array *l, struct rhm_error *err)
{
    if (t->rank != 2)
        return rhm_fail(err, RHM_EFILE, "%s: data set \"tokens\" has 1 dimension: must have 2, n x d",
                        t->path);
    if (l->extents[1] != 1)
        return rhm_fail(err, RHM_EFILE, "%s: data set \"labels\" is %llu x %llu: must have one dimension, n",
                        l->path, (unsigned long long)l->extents[0], (unsigned long long)l->extents[1]);
    if (l->extents[0] != t->extents[0])
        return rhm_fail(err, RHM_EFILE, "%s: %llu labels for %llu strings", l->path,
                        (unsigned long long)l->extents[0], (unsigned long long)t->extents[0]);
    return RHM_OK;
}

static enum rhm_status read_file(struct rhm_dataset *data, hid_t file, const char *path,
                                 struct rhm_symbols *tokens, struct rhm_symbols *labels,
                                 struct rhm_error *err)
{
    struct array t = {.space = -1}, l = {.space = -1};
    enum rhm_status status = open_array(&t, file, path, "tokens", err);
    if (status == RHM_OK)
        status = open_array(&l, file, path, "labels", err);
    if (status == RHM_OK)
        status = check_shapes(&t, &l, err);
    if (status == RHM_OK)
        status = read_attribute(file, path, tokens, err);
    if (status == RHM_OK)
        status = read_attribute(file, path, labels, err);
    if (status == RHM_OK)
        status = rhm_dataset_reserve(data, path, (size_t)t.extents[0], (size_t)t.extents[1], err);
    if (status == RHM_OK)
        status = read_symbols(&t, data->n, data->d, tokens, data->tokens, err);
    if (status == RHM_OK)
        status = read_symbols(&l, data->n, 1, labels, data->labels, err);
    close_array(&t);
    close_array(&l);
    return status;
}

enum rhm_status rhm_dataset_read_hdf5(struct rhm_dataset *data, const char *path, struct rhm_symbols *tokens,
                                      struct rhm_symbols *labels, struct rhm_error *err)
{
    struct rhm_hdf5_voice voice = rhm_hdf5_quiet();
    enum rhm_status status = RHM_EFILE;
    hid_t file = rhm_hdf5_open(path, err);
    if (file >= 0) {
        status = read_file(data, file, path, tokens, labels, err);
        H5Fclose(file); /* strongly: the data sets too */
    }
    rhm_hdf5_restore(voice);
    return status;
}

/* ---- Writing ---- */

/* How n x d symbols are written. RHM_MISSING read as a signed number is -1, and up to 32767 nothing else
 * changes; beyond, they are copied into wider ones (*wide, freed by the caller). */
static enum rhm_status describe(struct rhm_hdf5_array *array, const uint16_t *symbols, unsigned limit,
                                int missing, int32_t **wide, struct rhm_error *err)
{
    size_t n = (size_t)(array->extents[0] * array->extents[1]);
    unsigned bytes = rhm_symbols_bytes(limit, missing);
    array->elements = symbols;
    array->memory_type = missing ? H5T_NATIVE_INT16 : H5T_NATIVE_UINT16;
    array->file_type = bytes == 1   ? missing ? H5T_STD_I8LE : H5T_STD_U8LE
                       : bytes == 2 ? missing ? H5T_STD_I16LE : H5T_STD_U16LE
                                    : H5T_STD_I32LE;
    if (bytes <= 2)
        return RHM_OK;
    *wide = rhm_array(n, sizeof **wide, "the symbols as they are written", err);
    for (size_t i = 0; *wide && i < n; i++)
        (*wide)[i] = symbols[i] == RHM_MISSING ? -1 : symbols[i];
    array->elements = *wide;
    array->memory_type = H5T_NATIVE_INT32;
    return *wide ? RHM_OK : RHM_EMEMORY;
}

enum rhm_status rhm_dataset_write_hdf5(const struct rhm_dataset *data, const char *path,
                                       struct rhm_error *err)
{
    struct rhm_hdf5_array array[] = {{.name = "tokens", .rank = 2, .extents = {data->n, data->d}},
                                     {.name = "labels", .rank = 1, .extents = {data->n, 1}}};
    const struct rhm_hdf5_attribute attribute[] = {{"V", data->V}, {"classes", data->classes}};
    struct rhm_missing missing = rhm_dataset_missing(data);
    int32_t *wide[2] = {NULL, NULL};
    enum rhm_status status = describe(&array[0], data->tokens, data->V, missing.tokens > 0, &wide[0], err);
    if (status == RHM_OK)
        status = describe(&array[1], data->labels, data->classes, missing.labels > 0, &wide[1], err);
    if (status == RHM_OK)
        status = rhm_hdf5_write(path, 2, array, 2, attribute, err);
    free(wide[0]);
    free(wide[1]);
    return status;
}
