/* ridge.h - ridge regression of the label on the features of U weighted patches.
 *
 * Minimises 1/2 E|e_zeta - W x|^2 + lambda/2 |W|_F^2 over W (C x M), where the expectation is over patches mu
 * with probabilities p_mu and labels with joint probabilities J[mu][zeta] (sum over zeta of J[mu][zeta] =
 * p_mu). With G = E[x x^T] (M x M) and B = E[e_zeta x^T] (C x M) the gradient is W (G + lambda I) - B.
 *
 * Primal (U >= M): G and B are accumulated over blocks of patches, never holding U x M features.
 * Dual (U < M): W = A Phi with A (C x U); K = Phi Phi^T (U x U), D = diag(p): the gradient in A is
 * A K D + lambda A - J^T, whose gradient-descent iterates equal the primal ones exactly.
 */
#ifndef RHM_RIDGE_H
#define RHM_RIDGE_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"
#include "engine/base/poll.h"
#include "engine/layer/features.h"

struct rhm_ridge {
    size_t U, M, C;
    int dual;
    double lambda;
    double eta;        /* step size; 0 at init: chosen as 1/(lambda_max + lambda) */
    double lambda_max; /* largest eigenvalue of G */
    unsigned long long steps;
    double *p;        /* U */
    double *joint;    /* U x C */
    double *features; /* dual: Phi, U x M; primal: NULL */
    double *gram;     /* dual: K, U x U; primal: G, M x M (full, symmetric) */
    double *B;        /* primal: C x M; dual: NULL */
    double *iterate;  /* dual: A, C x U; primal: W, C x M; starts at 0 */
    double *work;     /* as iterate */
};

enum rhm_ridge_form { RHM_RIDGE_AUTO, RHM_RIDGE_PRIMAL, RHM_RIDGE_DUAL };

/* Builds the Gram matrix. tuple: U x s codes; count: U x C (label counts of each patch, as doubles; the sum
 * of all is N). poll is asked between blocks of patches. */
enum rhm_status rhm_ridge_init(struct rhm_ridge *r, enum rhm_ridge_form form, const struct rhm_features *f,
                               size_t U, const uint32_t *tuple, size_t C, const double *count, double lambda,
                               double eta, rhm_poll_function *poll, void *context, struct rhm_error *err);
void rhm_ridge_clear(struct rhm_ridge *r);

/* k steps of gradient descent from where the iterate stands. */
void rhm_ridge_step(struct rhm_ridge *r, unsigned long long k);

/* The closed form W = B (G + lambda I)^-1 into the iterate (Cholesky); RHM_ENUMERIC where G + lambda I is not
 * positive. A poll that ends it leaves the iterate at 0 or at a step of the refinement. */
enum rhm_status rhm_ridge_exact(struct rhm_ridge *r, rhm_poll_function *poll, void *context,
                                struct rhm_error *err);

/* T steps of gradient descent from 0 in closed form: the factor (1 - (1 - eta(g+lambda))^T)/(g+lambda) in the
 * eigenbasis of G (of D^1/2 K D^1/2 in the dual). W is C x M. */
enum rhm_status rhm_ridge_spectral(const struct rhm_ridge *r, unsigned long long T, double *W,
                                   struct rhm_error *err);

/* W (C x M) of the current iterate. */
void rhm_ridge_weights(const struct rhm_ridge *r, double *W);

/* F (n x C) = W x for n patches (n x s codes), in blocks, from weights W (C x M). */
enum rhm_status rhm_ridge_outputs(const struct rhm_features *f, size_t n, const uint32_t *tuple, size_t C,
                                  const double *W, double *F, rhm_poll_function *poll, void *context,
                                  struct rhm_error *err);

/* F (n x C) = the outputs W x of the first n patches of the training at the current iterate; dual only, where
 * they are A K: no features are needed. */
void rhm_ridge_fitted(const struct rhm_ridge *r, size_t n, double *F);

/* The objective at the current iterate; the largest relative entry of the residual W(G + lambda) - B over
 * |B|_max. */
double rhm_ridge_loss(const struct rhm_ridge *r);
double rhm_ridge_residual(const struct rhm_ridge *r);

/* (lambda_max + lambda)/(lambda_min + lambda) of G restricted to the span of the patches, estimated (LAPACK's
 * 1-norm condition estimator on the Cholesky factor of the small matrix is enough); nan where memory for that
 * ran out. */
enum rhm_status rhm_ridge_condition(const struct rhm_ridge *r, double *condition, rhm_poll_function *poll,
                                    void *context, struct rhm_error *err);

#endif
