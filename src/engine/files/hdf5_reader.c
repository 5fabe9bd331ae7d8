/* hdf5_reader.c - see hdf5_reader.h. */
#include "engine/files/hdf5_reader.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

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
    r->status = rhm_fail(r->err, RHM_EFILE, "%s: %s", r->path, text);
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

static hid_t open_set(struct rhm_hdf5_reader *r, const char *name)
{
    if (H5Lexists(r->file, name, H5P_DEFAULT) <= 0 || H5Oexists_by_name(r->file, name, H5P_DEFAULT) <= 0)
        return -1;
    return H5Dopen2(r->file, name, H5P_DEFAULT);
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

void rhm_hdf5_reader_array(struct rhm_hdf5_reader *r, const char *name, hid_t type, size_t rows, size_t cols,
                           void *to)
{
    if (r->status != RHM_OK)
        return;
    hsize_t extents[2];
    int wanted = cols > 0 ? 2 : rows > 0;
    hid_t set = open_set(r, name), own = set >= 0 ? H5Dget_type(set) : -1;
    if (set < 0)
        rhm_hdf5_reader_damaged(r, "no data set \"%s\"", name);
    else if (own < 0 || H5Tget_class(own) != H5Tget_class(type))
        rhm_hdf5_reader_damaged(r, "data set \"%s\" does not hold %s", name,
                                H5Tget_class(type) == H5T_FLOAT ? "real numbers" : "integers");
    else if (shape_of(set, extents) != wanted || extents[0] != rows || extents[1] != cols)
        rhm_hdf5_reader_damaged(r, "data set \"%s\" has not the shape that follows from the sizes", name);
    else if (H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, to) < 0)
        r->status = rhm_hdf5_fail(r->err, r->path, "read");
    if (own >= 0)
        H5Tclose(own);
    if (set >= 0)
        H5Dclose(set);
}

size_t rhm_hdf5_reader_rows(struct rhm_hdf5_reader *r, const char *name)
{
    hsize_t extents[2] = {0, 0};
    hid_t set = r->status == RHM_OK ? open_set(r, name) : -1;
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
