/* dataset.h - labelled strings in memory: n strings of d tokens each. */
#ifndef RHM_DATASET_H
#define RHM_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"

#define RHM_MAX_SYMBOLS 65535 /* V and classes: a symbol is a uint16_t */

#define RHM_MISSING UINT16_MAX /* a token or a label that is not known; -1 in files */

struct rhm_dataset {
    size_t n, d;         /* strings, tokens a string */
    unsigned V, classes; /* tokens are 0..V-1, labels 0..classes-1, or RHM_MISSING */
    uint16_t *tokens;    /* n x d, row-major; owned */
    uint16_t *labels;    /* n; owned */
};

enum rhm_status rhm_dataset_init(struct rhm_dataset *data, size_t n, size_t d, unsigned V, unsigned classes,
                                 struct rhm_error *err);
void rhm_dataset_clear(struct rhm_dataset *data);

/* Reads a data set; the ending of `path` says the format (dataset_csv.c, dataset_npy.c, dataset_hdf5.c have
 * the details). V = 0, classes = 0: 1 + the largest token, label seen (at least 2); given: a value out of
 * range is an error that names the file, the place (line for text, index for arrays), the value and the
 * range. -1 is a missing token or label. .csv .txt   one string a line: d tokens, then the label; separated
 * by commas, blanks, tabs or semicolons; empty lines, lines that start with '#' and one header line of words
 * are skipped .npy tokens n x d, any integer type, C or Fortran order; the labels (n) stand beside it: X.npy
 * goes with X_labels.npy or, where the name holds "tokens", the same name with "labels" in its place .h5
 * .hdf5   data sets "tokens" (n x d) and "labels" (n), any integer type Values in files are 0-based. */
enum rhm_status rhm_dataset_load(struct rhm_dataset *data, const char *path, unsigned V, unsigned classes,
                                 struct rhm_error *err);

/* Writes in the format that the ending of `path` says, atomically (temporary file, then rename). The .h5 also
 * carries attributes "V" and "classes", which rhm_dataset_load takes as given. Integers are unsigned, signed
 * where something is missing. */
enum rhm_status rhm_dataset_save(const struct rhm_dataset *data, const char *path, struct rhm_error *err);

/* Splits into train (a share `fraction` of the strings, rounded, at least 1 and at most n - 1) and test, in a
 * random order that depends on `seed` alone. With `disjoint`, equal strings all go to the same side, so that
 * no test string was seen in training (the share is then met as nearly as the groups allow); an error where
 * all strings are equal. Both results are new data sets with the same V and classes. */
enum rhm_status rhm_dataset_split(const struct rhm_dataset *data, double fraction, int disjoint,
                                  uint64_t seed, struct rhm_dataset *train, struct rhm_dataset *test,
                                  struct rhm_error *err);

/* How much is missing. */
struct rhm_missing {
    size_t labels, tokens;
};
struct rhm_missing rhm_dataset_missing(const struct rhm_dataset *data);

/* V and classes (0: as many as V) of a model as a caller gives them: RHM_EARG names the one out of range. */
enum rhm_status rhm_symbols_check(int64_t V, int64_t classes, struct rhm_error *err);

/* What a model reads. */
struct rhm_reader {
    const char *who;    /* "the network": in messages */
    const char *length; /* "s^L = 2^3 = 8": d in messages */
    size_t d;
    unsigned V, classes;
};
/* RHM_EARG where the data set is empty, or its strings, symbols or labels do not fit; labels may be missing.
 */
enum rhm_status rhm_reader_check(const struct rhm_reader *reader, const struct rhm_dataset *data,
                                 struct rhm_error *err);

/* RHM_EARG that names the first of n x d tokens that is missing or not below V: for readers of whole strings.
 * who: "the network". */
enum rhm_status rhm_tokens_check(size_t n, size_t d, const uint16_t *tokens, unsigned V, const char *who,
                                 struct rhm_error *err);

/* The strings that have a label, in their order: *all = data where that is every one, else `own`, a copy that
 * the caller clears in either case. RHM_EARG where no string has one. */
enum rhm_status rhm_dataset_labelled(const struct rhm_dataset *data, struct rhm_dataset *own,
                                     const struct rhm_dataset **all, struct rhm_error *err);

/* A copy in which the share `labels` of the strings (rounded) has no label, and each token is missing with
 * probability `tokens`, independently. What is hidden depends on the seed, n and d alone; a larger share
 * hides the same and more. */
enum rhm_status rhm_dataset_hide(const struct rhm_dataset *data, double labels, double tokens, uint64_t seed,
                                 struct rhm_dataset *out, struct rhm_error *err);

#endif
