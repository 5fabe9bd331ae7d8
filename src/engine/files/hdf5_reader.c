/* hdf5_reader.c - see hdf5_reader.h. */
#include "engine/files/hdf5_reader.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/branches.h"
#include "engine/base/memory.h"

int rhm_hdf5_marked(const char *path, const char *attribute)
{
    struct rhm_hdf5_voice voice = rhm_hdf5_quiet();
    hid_t file = rhm_hdf5_open(path, NULL);
    int marked = file >= 0 && H5Aexists(file, attribute) > 0;
    if (file >= 0)
        H5Fclose(file);
    rhm_hdf5_restore(voice);
    return marked;
}

void rhm_hdf5_reader_open(struct rhm_hdf5_reader *r, const char *path, struct rhm_error *err)
{
    *r = (struct rhm_hdf5_reader){.path = path};
    r->err = err ? err : &r->own;
    r->voice = rhm_hdf5_quiet();
    r->file = rhm_hdf5_open(path, r->err);
    if (r->file < 0)
        r->status = r->err->status;
}

enum rhm_status rhm_hdf5_reader_close(struct rhm_hdf5_reader *r)
{
    if (r->file >= 0)
        H5Fclose(r->file);
    rhm_hdf5_restore(r->voice);
    return r->status;
}

void rhm_hdf5_reader_damaged(struct rhm_hdf5_reader *r, const char *format, ...)
{
    char text[300];
    va_list arguments;
    if (r->status != RHM_OK)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    r->status = rhm_fail(r->err, RHM_EFILE, "%s: %s%s", r->path, r->where, text);
}

int rhm_hdf5_reader_check(struct rhm_hdf5_reader *r, enum rhm_status status)
{
    if (r->status == RHM_OK)
        r->status = status;
    return r->status == RHM_OK;
}

unsigned rhm_hdf5_reader_attribute(struct rhm_hdf5_reader *r, const char *name)
{
    unsigned value = 0;
    if (r->status != RHM_OK)
        return 0;
    hid_t own = H5Aexists(r->file, name) > 0 ? H5Aopen(r->file, name, H5P_DEFAULT) : -1;
    hid_t space = own >= 0 ? H5Aget_space(own) : -1;
    if (space < 0 || H5Sget_simple_extent_npoints(space) != 1 || H5Aread(own, H5T_NATIVE_UINT, &value) < 0)
        rhm_hdf5_reader_damaged(r, "no attribute \"%s\" with one integer", name);
    if (space >= 0)
        H5Sclose(space);
    if (own >= 0)
        H5Aclose(own);
    return value;
}

/* --- data sets ---------------------------------------------------------------------------------------- */

#define NAME 96 /* letters of a name with its group, at most */

void rhm_hdf5_reader_enter(struct rhm_hdf5_reader *r, const char *group, const char *where)
{
    snprintf(r->group, sizeof r->group, "%s%s", group ? group : "", group ? "/" : "");
    snprintf(r->where, sizeof r->where, "%s", where);
}

int rhm_hdf5_reader_has(const struct rhm_hdf5_reader *r, const char *name)
{
    char full[NAME];
    snprintf(full, sizeof full, "%s%s", r->group, name);
    return r->status == RHM_OK && H5Lexists(r->file, full, H5P_DEFAULT) > 0;
}

/* Opens a data set of numbers of this class, of `rank` dimensions; extents as they are in the file. -1 where
 * there is none; it may be open and r have failed. */
static hid_t open_set(struct rhm_hdf5_reader *r, const char *full, int is_float, int rank, hsize_t extents[2])
{
    extents[0] = extents[1] = 0;
    if (H5Lexists(r->file, full, H5P_DEFAULT) <= 0 || H5Oexists_by_name(r->file, full, H5P_DEFAULT) <= 0) {
        rhm_hdf5_reader_damaged(r, "no data set \"%s\"", full);
        return -1;
    }
    hid_t set = H5Dopen2(r->file, full, H5P_DEFAULT);
    hid_t space = set >= 0 ? H5Dget_space(set) : -1, type = set >= 0 ? H5Dget_type(set) : -1;
    if (space < 0 || type < 0)
        rhm_hdf5_reader_damaged(r, "\"%s\" cannot be opened as a data set", full);
    else if (H5Tget_class(type) != (is_float ? H5T_FLOAT : H5T_INTEGER))
        rhm_hdf5_reader_damaged(r, "data set \"%s\" does not hold %s", full,
                                is_float ? "real numbers" : "integers");
    else if (H5Sget_simple_extent_ndims(space) != rank || H5Sget_simple_extent_type(space) == H5S_NULL)
        rhm_hdf5_reader_damaged(r, "data set \"%s\" has %d dimensions: must have %d", full,
                                H5Sget_simple_extent_ndims(space), rank);
    else
        H5Sget_simple_extent_dims(space, extents, NULL);
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    return set;
}

/* Reads into `to`, or where that is NULL into a new array, which is returned. */
static void *read_set(struct rhm_hdf5_reader *r, const char *name, hid_t type, size_t *rows, size_t cols,
                      void *to)
{
    char full[NAME], what[NAME + 16];
    hsize_t extents[2];
    if (r->status != RHM_OK)
        return NULL;
    snprintf(full, sizeof full, "%s%s", r->group, name);
    snprintf(what, sizeof what, "data set \"%s\"", full);
    hid_t set =
        open_set(r, full, H5Tget_class(type) == H5T_FLOAT, cols > 0 ? 2 : to == NULL || *rows > 0, extents);
    if (*rows == RHM_HDF5_ANY && r->status == RHM_OK)
        *rows = extents[0];
    if (r->status == RHM_OK && (extents[0] != *rows || extents[1] != cols))
        rhm_hdf5_reader_damaged(r, "%s is %llu x %llu: must be %zu x %zu", what,
                                (unsigned long long)extents[0],
                                (unsigned long long)(cols > 0 ? extents[1] : 1), *rows, cols > 0 ? cols : 1);
    void *made = NULL;
    if (r->status == RHM_OK && to == NULL) {
        size_t width = cols > 0 ? cols : 1, size = H5Tget_size(type);
        if (*rows == 0)
            rhm_hdf5_reader_damaged(r, "%s is 0 x %zu: must be 1 x %zu", what, width, width);
        else if (rhm_hdf5_reader_check(
                     r, rhm_memory_check((double)*rows * (double)width * (double)size, what, NULL, r->err))) {
            to = made = rhm_array(*rows * width, size, what, r->err);
            rhm_hdf5_reader_check(r, made ? RHM_OK : RHM_EMEMORY);
        }
    }
    if (r->status == RHM_OK && H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, to) < 0)
        r->status = rhm_hdf5_fail(r->err, r->path, "read");
    if (set >= 0)
        H5Dclose(set);
    if (r->status != RHM_OK) {
        free(made);
        return NULL;
    }
    return made;
}

void rhm_hdf5_reader_array(struct rhm_hdf5_reader *r, const char *name, hid_t type, size_t rows, size_t cols,
                           void *to)
{
    read_set(r, name, type, &rows, cols, to);
}

void *rhm_hdf5_reader_new(struct rhm_hdf5_reader *r, const char *name, hid_t type, size_t *rows, size_t cols)
{
    return read_set(r, name, type, rows, cols, NULL);
}

double *rhm_hdf5_reader_reals(struct rhm_hdf5_reader *r, const char *name, size_t *rows, size_t cols)
{
    double *x = rhm_hdf5_reader_new(r, name, H5T_NATIVE_DOUBLE, rows, cols);
    size_t width = cols > 0 ? cols : 1;
    for (size_t i = 0; x != NULL && i < *rows * width; i++)
        if (!isfinite(x[i])) {
            rhm_hdf5_reader_damaged(r, "\"%s\" holds %g at [%zu,%zu]", name, x[i], i / width, i % width);
            break;
        }
    return x;
}

/* Dimensions of a data set, at most two; -1 where it has more, or cannot be asked. */
static int shape_of(hid_t set, hsize_t extents[2])
{
    hid_t space = H5Dget_space(set);
    int rank =
        space >= 0 && H5Sget_simple_extent_type(space) != H5S_NULL ? H5Sget_simple_extent_ndims(space) : -1;
    extents[0] = extents[1] = 0;
    if (rank > 2)
        rank = -1;
    if (rank > 0)
        H5Sget_simple_extent_dims(space, extents, NULL);
    if (space >= 0)
        H5Sclose(space);
    return rank;
}

size_t rhm_hdf5_reader_rows(struct rhm_hdf5_reader *r, const char *name)
{
    hsize_t extents[2] = {0, 0};
    hid_t set = rhm_hdf5_reader_has(r, name) ? H5Dopen2(r->file, name, H5P_DEFAULT) : -1;
    if (set < 0)
        return 0;
    if (shape_of(set, extents) < 0)
        rhm_hdf5_reader_damaged(r, "data set \"%s\" cannot be read", name);
    H5Dclose(set);
    return (size_t)extents[0];
}

void rhm_hdf5_reader_finite(struct rhm_hdf5_reader *r, const char *name, size_t n, const float *x)
{
    for (size_t i = 0; r->status == RHM_OK && i < n; i++)
        if (!isfinite(x[i]))
            rhm_hdf5_reader_damaged(r, "\"%s\" holds %g at place %zu", name, (double)x[i], i);
}

int64_t rhm_hdf5_reader_length(struct rhm_hdf5_reader *r)
{
    uint64_t d = 0;
    if (r->status != RHM_OK || H5Lexists(r->file, "d", H5P_DEFAULT) <= 0)
        return 0;
    rhm_hdf5_reader_array(r, "d", H5T_NATIVE_UINT64, 0, 0, &d);
    if (r->status == RHM_OK && (d < 1 || d > INT64_MAX))
        rhm_hdf5_reader_damaged(r, "d = %" PRIu64 ": must be 1 or more", d);
    return r->status == RHM_OK ? (int64_t)d : 0;
}

void rhm_hdf5_reader_format(struct rhm_hdf5_reader *r, const char *attribute, const char *what,
                            unsigned format)
{
    unsigned found = rhm_hdf5_reader_attribute(r, attribute);
    if (r->status == RHM_OK && found != format)
        rhm_hdf5_reader_damaged(r, "%s in format %u: this version of rhm reads format %u", what, found,
                                format);
}

void rhm_hdf5_reader_branches(struct rhm_hdf5_reader *r, int64_t L, int64_t *branch)
{
    unsigned s[RHM_MAX_LEVELS];
    if (r->status == RHM_OK && (L < 1 || L > RHM_MAX_LEVELS))
        rhm_hdf5_reader_damaged(r, "L = %" PRId64 ": must be 1..%d", L, RHM_MAX_LEVELS);
    rhm_hdf5_reader_array(r, "s", H5T_NATIVE_UINT, r->status == RHM_OK ? (size_t)L : 0, 0, s);
    for (unsigned l = 1; r->status == RHM_OK && l <= L; l++) {
        branch[l] = s[l - 1];
        if (s[l - 1] < 2)
            rhm_hdf5_reader_damaged(r, "s[%u] = %u: must be 2 or more", l, s[l - 1]);
    }
}

void rhm_hdf5_reader_made(struct rhm_hdf5_reader *r, enum rhm_status status, const struct rhm_error *why)
{
    if (r->status == RHM_OK && status != RHM_OK)
        r->status = rhm_fail(r->err, status == RHM_EARG ? RHM_EFILE : status, "%s: %s", r->path, why->text);
}
