/* dataset_io.h - what the readers and writers of data sets share; not installed. */
#ifndef RHM_DATASET_IO_H
#define RHM_DATASET_IO_H

#include "engine/data/dataset.h"

/* The symbols of one kind (tokens or labels) as they are read. */
struct rhm_symbols {
    const char *what; /* "token" or "label" */
    const char *name; /* what the caller calls their number: "V" or "classes" */
    unsigned given;   /* that number, or 0: from the data */
    unsigned largest; /* the largest symbol read so far */
};

/* Symbols are 0..limit-1. */
static inline unsigned rhm_symbols_limit(const struct rhm_symbols *symbols)
{
    return symbols->given > 0 ? symbols->given : RHM_MAX_SYMBOLS;
}

/* "<place>: token <value><at> is out of range 0..7 (V = 8)". */
enum rhm_status rhm_symbols_out_of_range(const struct rhm_symbols *symbols, const char *place,
                                         const char *value, const char *at, struct rhm_error *err);

/* Checks the sizes that a file promises, then makes room for n strings of d tokens. */
enum rhm_status rhm_dataset_reserve(struct rhm_dataset *data, const char *path, size_t n, size_t d,
                                    struct rhm_error *err);

/* The readers fill n, d, tokens and labels and note the largest symbols; the caller clears on failure. */
enum rhm_status rhm_dataset_read_csv(struct rhm_dataset *data, const char *path, struct rhm_symbols *tokens,
                                     struct rhm_symbols *labels, struct rhm_error *err);
enum rhm_status rhm_dataset_read_npy(struct rhm_dataset *data, const char *path, struct rhm_symbols *tokens,
                                     struct rhm_symbols *labels, struct rhm_error *err);
enum rhm_status rhm_dataset_read_hdf5(struct rhm_dataset *data, const char *path, struct rhm_symbols *tokens,
                                      struct rhm_symbols *labels, struct rhm_error *err);

enum rhm_status rhm_dataset_write_csv(const struct rhm_dataset *data, const char *path,
                                      struct rhm_error *err);
enum rhm_status rhm_dataset_write_npy(const struct rhm_dataset *data, const char *path,
                                      struct rhm_error *err);
enum rhm_status rhm_dataset_write_hdf5(const struct rhm_dataset *data, const char *path,
                                       struct rhm_error *err);

/* Writers store symbols 0..limit-1 in as few bytes as they fit; with -1 among them in signed ones. */
static inline unsigned rhm_symbols_bytes(unsigned limit, int missing)
{
    if (missing)
        return limit <= 128 ? 1 : limit <= 32768 ? 2 : 4;
    return limit <= 256 ? 1 : 2;
}

/* V or classes, by name: least..65535. */
enum rhm_status rhm_dataset_check_count(const char *name, unsigned count, unsigned least,
                                        struct rhm_error *err);

#endif
