/* hdf5_reader.h - a file of ours read back, every shape checked before it is used; not installed.
 *
 * The first failure stays in the reader: what is asked for after it is not done, so that a loader checks
 * once.
 */
#ifndef RHM_HDF5_READER_H
#define RHM_HDF5_READER_H

#include <stdint.h>

#include "engine/files/hdf5_file.h"

struct rhm_hdf5_reader {
    hid_t file;
    const char *path;
    char group[32], where[32]; /* "layer3/" before names, "layer 3: " before errors; or "" */
    enum rhm_status status;
    struct rhm_error *err, own;
    struct rhm_hdf5_voice voice;
};

/* 1 where the file can be opened and has this attribute at its root. */
int rhm_hdf5_marked(const char *path, const char *attribute);

/* Always followed by a close, which gives the status of all that was asked. err may be NULL. */
void rhm_hdf5_reader_open(struct rhm_hdf5_reader *r, const char *path, struct rhm_error *err);
enum rhm_status rhm_hdf5_reader_close(struct rhm_hdf5_reader *r);

/* From here on names are those of a group (NULL: of the root), and errors begin with `where`. */
void rhm_hdf5_reader_enter(struct rhm_hdf5_reader *r, const char *group, const char *where);

static inline int rhm_hdf5_reader_fine(const struct rhm_hdf5_reader *r)
{
    return r->status == RHM_OK;
}

/* Whether all is fine and there is something of this name. */
int rhm_hdf5_reader_has(const struct rhm_hdf5_reader *r, const char *name);

/* "<path>: <where><text>", the file's fault. */
void rhm_hdf5_reader_damaged(struct rhm_hdf5_reader *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Takes over a status of the engine, whose text is in r->err; 1 where all is fine. */
int rhm_hdf5_reader_check(struct rhm_hdf5_reader *r, enum rhm_status status);

unsigned rhm_hdf5_reader_attribute(struct rhm_hdf5_reader *r, const char *name);

/* rows x cols elements of a type of H5T_NATIVE_ (cols = 0: one dimension, rows = 0: one element), into `to`.
 */
void rhm_hdf5_reader_array(struct rhm_hdf5_reader *r, const char *name, hid_t type, size_t rows, size_t cols,
                           void *to);

/* The same into a new array that the caller frees; NULL where it fails. *rows = RHM_HDF5_ANY: as many as
 * there are, at least 1. */
#define RHM_HDF5_ANY SIZE_MAX
void *rhm_hdf5_reader_new(struct rhm_hdf5_reader *r, const char *name, hid_t type, size_t *rows, size_t cols);

/* Finite numbers in such an array. */
double *rhm_hdf5_reader_reals(struct rhm_hdf5_reader *r, const char *name, size_t *rows, size_t cols);

/* How many rows such an array has; 0 where there is no such data set. */
size_t rhm_hdf5_reader_rows(struct rhm_hdf5_reader *r, const char *name);

/* The number "d", tokens of a string that a model pads; 0 where there is none: strings fill its tree. */
int64_t rhm_hdf5_reader_length(struct rhm_hdf5_reader *r);

/* A failure where the root's attribute, the format of a file of this kind, is another number. what: "a
 * model". */
void rhm_hdf5_reader_format(struct rhm_hdf5_reader *r, const char *attribute, const char *what,
                            unsigned format);

/* The numbers "s", one a level, into branch[1..L]; L, which the file says, is checked. */
void rhm_hdf5_reader_branches(struct rhm_hdf5_reader *r, int64_t L, int64_t *branch);

/* Takes over the status of an object that cannot be made of what the file says, the file's fault. */
void rhm_hdf5_reader_made(struct rhm_hdf5_reader *r, enum rhm_status status, const struct rhm_error *why);

/* A failure where one of them is not finite. */
void rhm_hdf5_reader_finite(struct rhm_hdf5_reader *r, const char *name, size_t n, const float *x);

#endif
