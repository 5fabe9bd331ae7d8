/* dependence.h - how much two places of strings tell of each other, counted. Not installed.
 *
 * The measure of a table of counts n_ij with margins r_i, c_j is
 *   phi^2 = sum n_ij (n_ij - 1)/(r_i c_j) - (n - rows)(n - cols)/(n (n - 1)),
 * Pearson's X^2/n without the share of a string with itself: under permutations its mean is 0, exactly, and
 * where there is dependence it has no bias from cells that are nearly empty, which X^2 has as soon as cells
 * outnumber strings. About twice the mutual information of what is nearly independent. Rows and cols: those
 * that occur.
 */
#ifndef RHM_DEPENDENCE_H
#define RHM_DEPENDENCE_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"

#define RHM_NO_CODE_HERE UINT32_MAX /* a place that is missing */

/* Codes below K of n strings at some places, one place after the other. */
struct rhm_places_codes {
    size_t n, places, K;
    const uint32_t *code; /* places x n */
};

/* Places a and b, the second one taken from string i + shift (mod n): 0, or a permutation for the null. */
struct rhm_pair {
    size_t a, b, shift;
    int turned; /* the table is added transposed */
};

struct rhm_phi {
    double value;    /* phi^2 */
    double variance; /* of the estimate */
};

/* One value for each group of pairs, whose tables are added up: pairs first[g] .. first[g + 1] - 1. */
enum rhm_status rhm_dependence(const struct rhm_places_codes *codes, size_t groups, const size_t *first,
                               const struct rhm_pair *pair, struct rhm_phi *out, struct rhm_error *err);

/* What two places tell of the label together beyond what each tells alone: the interaction of Lancaster's
 * partition, phi^2(a b; label) - phi^2(a; label) - phi^2(b; label), for each pair. labels: n, those not below
 * classes are missing; a shift goes with the labels. */
enum rhm_status rhm_label_dependence(const struct rhm_places_codes *codes, const uint16_t *labels,
                                     unsigned classes, size_t pairs, const struct rhm_pair *pair,
                                     struct rhm_phi *out, struct rhm_error *err);

#endif
