/* ridge_small.h - what ridge.c and ridge_solve.c share: the small matrix. Throughout, S = diag(sqrt p) and
 * the small matrix is n x n: G (primal, n = M) or S K S (dual, n = U); the dual's solvers work on Z = A S^-1,
 * for which Z (S K S + lambda I) = J^T S^-1. */
#ifndef RHM_RIDGE_SMALL_H
#define RHM_RIDGE_SMALL_H

#include "engine/layer/ridge.h"

/* n */
static inline size_t rhm_ridge_order(const struct rhm_ridge *r)
{
    return r->dual ? r->U : r->M;
}

/* sqrt(p), for the dual: the caller's to free; NULL where memory ran out. */
double *rhm_ridge_roots(const struct rhm_ridge *r, struct rhm_error *err);

/* to (C x n) = iterate times the Gram matrix. */
void rhm_ridge_times_gram(const struct rhm_ridge *r, double *to);

#endif
