/* linalg.h - small helpers around BLAS and LAPACK. */
#ifndef RHM_LINALG_H
#define RHM_LINALG_H

#include <stddef.h>

#include "engine/base/error.h"
#include "engine/base/poll.h"

/* RHM_EARG where a dimension does not fit BLAS's 32-bit integers. */
enum rhm_status rhm_linalg_dimension(const char *name, size_t n, struct rhm_error *err);

/* BLAS and LAPACK report a bad argument to xerbla, which by default prints and stops the program. Ours
 * remembers: the routine and position last reported on this thread since the previous call, or NULL. */
const char *rhm_linalg_fault(void);

/* After a call of LAPACK: an argument refused, or the routine's own failure (info != 0). */
enum rhm_status rhm_linalg_info(const char *routine, int info, struct rhm_error *err);

/* About what is computed between two polls: a tenth of a second for the reference BLAS on a slow core. */
#define RHM_LINALG_POLLED 2e8

/* BLAS runs on the caller's thread alone, from the first share or product on: OpenMP's loops, in pieces whose
 * size does not depend on the threads, do what is parallel. So results are the same to the last bit for any
 * number of threads, and whatever else computes at the same time (BLAS has one number of threads for the
 * whole process). Between the two calls OpenMP's threads stay awake; the last unshare puts them to sleep.
 * Pairs nest and may overlap. */
void rhm_linalg_share(void);
void rhm_linalg_unshare(void);

/* BLAS on one thread, for what needs no share. */
void rhm_linalg_alone(void);

/* out (m x n) = a (m x k) b (k x n), all row-major, few rows: by columns, on OpenMP's threads. */
void rhm_linalg_product(size_t m, size_t k, size_t n, const double *a, const double *b, double *out);

/* The lower triangle of g (n x n) = X^T X (x is k x n), plus what it holds where `add`; or of X X^T (x is
 * n x k) where `rows`. By tiles, on OpenMP's threads; call it between share and unshare. */
enum rhm_status rhm_linalg_gram(size_t n, size_t k, const double *x, int rows, int add, double *g,
                                rhm_poll_function *poll, void *context, struct rhm_error *err);

/* Copies the lower triangle of a (n x n, row-major) to the upper one. */
void rhm_linalg_mirror(size_t n, double *a);

/* The largest eigenvalue of D a D, a symmetric (n x n), D = diag(scale) (NULL: I), to 1e-10 relative or what
 * 300 Lanczos steps give, never above the true one but for rounding. */
enum rhm_status rhm_linalg_largest(size_t n, const double *a, const double *scale, double *value,
                                   rhm_poll_function *poll, void *context, struct rhm_error *err);

/* Replaces the lower triangle of a (n x n, symmetric) by its Cholesky factor L, a = L L^T; RHM_ENUMERIC where
 * it is not positive. `what` names the matrix. */
enum rhm_status rhm_linalg_cholesky(size_t n, double *a, const char *what, rhm_poll_function *poll,
                                    void *context, struct rhm_error *err);

/* x (k x n, row-major) := x a^-1 from that factor. */
enum rhm_status rhm_linalg_cholesky_solve(size_t n, const double *factor, size_t k, double *x,
                                          rhm_poll_function *poll, void *context, struct rhm_error *err);

/* Condition number of a (n x n, symmetric; overwritten) in the 1-norm, as LAPACK's dlacn2 estimates it
 * (Higham 1988; never above the true one but for rounding); INFINITY where a is not positive. */
enum rhm_status rhm_linalg_condition(size_t n, double *a, double *condition, rhm_poll_function *poll,
                                     void *context, struct rhm_error *err);

/* Eigenvalues (n, ascending) of a (n x n, symmetric), which becomes the eigenvectors, one a row. */
enum rhm_status rhm_linalg_eigen(size_t n, double *a, double *value, struct rhm_error *err);

/* Makes k <= n Gaussian rows of length n (k x n) into k orthonormal ones of a Haar matrix. */
enum rhm_status rhm_linalg_haar(size_t k, size_t n, double *rows, struct rhm_error *err);

#endif
