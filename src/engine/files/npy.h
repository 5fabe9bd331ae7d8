/* npy.h - NumPy's format for one array (versions 1.0, 2.0, 3.0); not installed. */
#ifndef RHM_NPY_H
#define RHM_NPY_H

#include <stddef.h>
#include <stdio.h>

#include "engine/base/error.h"

#define RHM_NPY_RANK 4

struct rhm_npy {
    const char *path; /* the caller's */
    FILE *file;       /* stands at the first element */
    char descr[24];   /* as in the file: "<i8", "|u1", ... */
    char kind;        /* 'b', 'i', 'u' or 'f' */
    size_t size;      /* bytes an element */
    int swap;         /* the file's byte order is not this machine's */
    int fortran;      /* column by column */
    unsigned rank;
    size_t shape[RHM_NPY_RANK];
    size_t count;    /* elements */
    size_t got;      /* bytes of data read so far */
    double promised; /* bytes of data */
};

/* Opens an array of booleans, integers or floats of 1 to 8 bytes and compares the size of the file with what
 * the header promises. On success rhm_npy_close must follow. */
enum rhm_status rhm_npy_open(struct rhm_npy *npy, const char *path, struct rhm_error *err);
void rhm_npy_close(struct rhm_npy *npy);

/* The next `count` elements, in this machine's byte order. */
enum rhm_status rhm_npy_read(struct rhm_npy *npy, void *elements, size_t count, struct rhm_error *err);

/* The header (version 1.0) of a C-ordered array, a multiple of 64 bytes long; returns its length. `type` is
 * without byte order: "u2", "f8". */
#define RHM_NPY_HEADER 256
size_t rhm_npy_header(char header[RHM_NPY_HEADER], const char *type, unsigned rank, const size_t *shape);

#endif
