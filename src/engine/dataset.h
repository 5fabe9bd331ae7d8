/* dataset.h - labelled strings in memory: n strings of d tokens each. */
#ifndef RHM_DATASET_H
#define RHM_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define RHM_MAX_SYMBOLS 65535 /* V and classes: a symbol is a uint16_t */

struct rhm_dataset {
    size_t n, d;         /* strings, tokens a string */
    unsigned V, classes; /* tokens are 0..V-1, labels 0..classes-1 */
    uint16_t *tokens;    /* n x d, row-major; owned */
    uint16_t *labels;    /* n; owned */
};

enum rhm_status rhm_dataset_init(struct rhm_dataset *data, size_t n, size_t d, unsigned V, unsigned classes,
                                 struct rhm_error *err);
void rhm_dataset_clear(struct rhm_dataset *data);

/* Reads a data set; the ending of `path` says the format (dataset_csv.c, dataset_npy.c, dataset_hdf5.c have
 * the details). V = 0, classes = 0: 1 + the largest token, label seen (at least 2); given: a value out of
 * range is an error that names the file, the place (line for text, index for arrays), the value and the
 * range. .csv .txt   one string a line: d tokens, then the label; separated by commas, blanks, tabs or
 * semicolons; empty lines, lines that start with '#' and one header line of words are skipped .npy tokens n x
 * d, any integer type, C or Fortran order; the labels (n) stand beside it: X.npy goes with X_labels.npy or,
 * where the name holds "tokens", the same name with "labels" in its place .h5 .hdf5   data sets "tokens" (n x
 * d) and "labels" (n), any integer type Values in files are 0-based. */
enum rhm_status rhm_dataset_load(struct rhm_dataset *data, const char *path, unsigned V, unsigned classes,
                                 struct rhm_error *err);

/* Writes in the format that the ending of `path` says, atomically (temporary file, then rename). The .h5 also
 * carries attributes "V" and "classes", which rhm_dataset_load takes as given. */
enum rhm_status rhm_dataset_save(const struct rhm_dataset *data, const char *path, struct rhm_error *err);

/* Splits into train (a share `fraction` of the strings, rounded, at least 1 and at most n - 1) and test, in a
 * random order that depends on `seed` alone. With `disjoint`, equal strings all go to the same side, so that
 * no test string was seen in training (the share is then met as nearly as the groups allow); an error where
 * all strings are equal. Both results are new data sets with the same V and classes. */
enum rhm_status rhm_dataset_split(const struct rhm_dataset *data, double fraction, int disjoint,
                                  uint64_t seed, struct rhm_dataset *train, struct rhm_dataset *test,
                                  struct rhm_error *err);

#endif
