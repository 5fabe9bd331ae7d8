/* shallow_fit.h - the two kinds of shallow models, behind shallow.c; not installed. */
#ifndef RHM_SHALLOW_FIT_H
#define RHM_SHALLOW_FIT_H

#include "engine/baselines/shallow.h"

/* Between rhm_linalg_share and unshare. fit->sigma is set, the rest is zero; on failure the caller clears it.
 */
enum rhm_status rhm_shallow_fit_rbf(const struct rhm_shallow *net, const struct rhm_dataset *data,
                                    struct rhm_shallow_fit *fit, struct rhm_monitor *monitor,
                                    struct rhm_error *err);
enum rhm_status rhm_shallow_fit_kernel(const struct rhm_shallow *net, const struct rhm_dataset *data,
                                       struct rhm_shallow_fit *fit, struct rhm_monitor *monitor,
                                       struct rhm_error *err);

/* output (n x classes) of n strings, few enough for one block. */
enum rhm_status rhm_shallow_output_rbf(const struct rhm_shallow *net, size_t n, const uint16_t *tokens,
                                       double *output, struct rhm_error *err);
enum rhm_status rhm_shallow_output_kernel(const struct rhm_shallow *net, size_t n, const uint16_t *tokens,
                                          double *output, struct rhm_error *err);

void rhm_shallow_fit_clear(struct rhm_shallow_fit *fit);

/* The features of sigma and the seed. */
enum rhm_status rhm_shallow_features(const struct rhm_shallow *net, double sigma, struct rhm_features *f,
                                     struct rhm_error *err);

#endif
