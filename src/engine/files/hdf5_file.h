/* hdf5_file.h - the little of HDF5 that the engine needs, with its errors as one line; not installed.
 *
 * The serial library keeps global state: calls come from one thread at a time (the caller's affair). */
#ifndef RHM_HDF5_FILE_H
#define RHM_HDF5_FILE_H

#include <stddef.h>

#include <hdf5.h>

#include "engine/base/error.h"

/* Opens for reading; -1 with `err` filled. Ended by H5Fclose, which closes all that was opened in it. */
hid_t rhm_hdf5_open(const char *path, struct rhm_error *err);

/* "<path>: cannot <what>: <HDF5's own reason>". Inside rhm_hdf5_quiet only. */
enum rhm_status rhm_hdf5_fail(struct rhm_error *err, const char *path, const char *what);

/* The library prints its errors by itself unless told otherwise: between these two it does not. */
struct rhm_hdf5_voice {
    H5E_auto2_t print;
    void *data;
};
struct rhm_hdf5_voice rhm_hdf5_quiet(void);
void rhm_hdf5_restore(struct rhm_hdf5_voice voice);

/* What a file that is written consists of. */
struct rhm_hdf5_array {
    const char *name; /* "group/name" makes the group */
    hid_t file_type, memory_type;
    unsigned rank;      /* at most 2; 0: one element */
    hsize_t extents[2]; /* 1 beyond the rank */
    const void *elements;
};
struct rhm_hdf5_attribute {
    const char *name;
    unsigned value;
};

/* Writes a file of these arrays, with unsigned integers as attributes of its root, atomically. The file is
 * put together in memory: libhdf5 1.10 crashes in H5Fclose where the disk is full. */
enum rhm_status rhm_hdf5_write(const char *path, size_t arrays, const struct rhm_hdf5_array *array,
                               size_t attributes, const struct rhm_hdf5_attribute *attribute,
                               struct rhm_error *err);

#endif
