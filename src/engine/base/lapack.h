/* lapack.h - the LAPACK routines the engine calls, by their Fortran names.
 *
 * LP64 integers; matrices column by column. The hidden length of each character argument comes last, as
 * size_t, the way gfortran passes it: the same prototypes serve OpenBLAS and the reference library.
 */
#ifndef RHM_LAPACK_H
#define RHM_LAPACK_H

#include <stddef.h>

/* Cholesky factor of a symmetric positive matrix; info = k > 0: the leading minor of order k is not positive.
 */
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info, size_t uplo_len);

/* The 1-norm of a matrix from its products with vectors: called with kase = 0 at first, and again as long as
 * it leaves 1 (x := A x is wanted) or 2 (x := A^T x); v, x and isgn n, isave 3. */
void dlacn2_(const int *n, double *v, double *x, int *isgn, double *est, int *kase, int *isave);

/* Norm of a symmetric matrix ("1": largest column sum); work n. */
double dlansy_(const char *norm, const char *uplo, const int *n, const double *a, const int *lda,
               double *work, size_t norm_len, size_t uplo_len);

/* All eigenvalues (ascending) and vectors (over a) of a symmetric matrix, by divide and conquer. */
void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w,
             double *work, const int *lwork, int *iwork, const int *liwork, int *info, size_t jobz_len,
             size_t uplo_len);

/* Chosen eigenvalues and vectors of a symmetric tridiagonal matrix; work 5n, iwork 5n, ifail n. */
void dstevx_(const char *jobz, const char *range, const int *n, double *d, double *e, const double *vl,
             const double *vu, const int *il, const int *iu, const double *abstol, int *m, double *w,
             double *z, const int *ldz, double *work, int *iwork, int *ifail, int *info, size_t jobz_len,
             size_t range_len);

/* QR by Householder reflections, and the first k columns of Q from them. */
void dgeqrf_(const int *m, const int *n, double *a, const int *lda, double *tau, double *work,
             const int *lwork, int *info);
void dorgqr_(const int *m, const int *n, const int *k, double *a, const int *lda, const double *tau,
             double *work, const int *lwork, int *info);

#endif
