/* onestep_fit.h - the layers of a one-step model, behind onestep.c; not installed. */
#ifndef RHM_ONESTEP_FIT_H
#define RHM_ONESTEP_FIT_H

#include "engine/baselines/onestep.h"

/* Strings at the input of a layer: codes of a place side by side, so that a position is read in one go. */
struct rhm_onestep_codes {
    size_t n, places;
    uint32_t *code; /* places x n; owned */
};

/* Fills fit, which is zero; on failure the caller clears it. */
enum rhm_status rhm_onestep_fit(const struct rhm_onestep *net, const struct rhm_dataset *data,
                                struct rhm_onestep_fit *fit, struct rhm_monitor *monitor,
                                struct rhm_error *err);
void rhm_onestep_fit_clear(struct rhm_onestep_fit *fit);

/* a[p] of layer l: classes x h. */
void rhm_onestep_head(const struct rhm_onestep *net, unsigned l, size_t p, double *a);

/* -N h P times the gradient at the first weights: rows (U x h) from id (positions x n, below U), the number
 * of each patch. */
enum rhm_status rhm_onestep_correlate(const struct rhm_onestep *net, unsigned l, size_t n, size_t U,
                                      const uint32_t *id, const uint16_t *labels, const double *prior,
                                      double *rows, struct rhm_monitor *monitor, struct rhm_error *err);

/* s_1 ... s_(l-1). */
size_t rhm_onestep_positions(const struct rhm_onestep *net, unsigned l);

#endif
