/* features.h - random features of a patch.
 *
 * A patch is a tuple of s codes; code c stands for the embedding E[c] in R^width (one-hot tokens at level L,
 * outputs of the layer above elsewhere) and h in R^(s*width) is the concatenation of the s embeddings.
 * Features have unit norm, exactly (rbf, orf) or in expectation (relu):
 *
 *   rbf   Phi(h) = sqrt(2/M) [cos(w_k.h) ..., sin(w_k.h) ...], k = 1..M/2, w_k ~ N(0, I/sigma^2): the
 *         paper's; <Phi(h), Phi(h')> -> exp(-|h - h'|^2 / (2 sigma^2))
 *   orf   the same with orthogonal frequencies: blocks of s*width rows of a Haar matrix, each row scaled by
 *         an independent chi(s*width) length over sigma (Yu et al., Orthogonal Random Features, 2016)
 *   relu  Phi_k(h) = sqrt(2/M) max(0, w_k.h/sigma + b_k) / sqrt(r^2 + 1), w_k ~ N(0, I), b_k ~ N(0, 1),
 *         r = |h|/sigma: the arc-cosine kernel of order 1 of (h/sigma, 1) (Cho and Saul 2009); decays
 *         slowly, so it has less high frequency than rbf
 *
 * Since w.h = sum_j w^(j).E[code_j], the trigonometry is done once for each (code, place j): the features of
 * a patch are products of s complex numbers. Where that table would be large, phases are computed patch by
 * patch.
 */
#ifndef RHM_FEATURES_H
#define RHM_FEATURES_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"

enum rhm_feature_kind { RHM_FEATURES_RBF, RHM_FEATURES_ORF, RHM_FEATURES_RELU };

struct rhm_features {
    enum rhm_feature_kind kind;
    size_t M;          /* features a patch; even */
    size_t s;          /* codes a patch */
    size_t K, width;   /* input codes; numbers in an embedding */
    double sigma;      /* bandwidth */
    size_t rows;       /* frequencies: M/2 (rbf, orf) or M (relu) */
    double *frequency; /* rows x (s*width), w_k already divided by sigma; owned */
    double *bias;      /* rows (relu), or NULL; owned */
    double *embedding; /* K x width, a copy; owned */
    double *square;    /* K: |E[c]|^2; owned */
    double *table;     /* K x s x M: per code and place [cos, sin] (rbf, orf) or w.E (relu); place 0 carries
                        * the factor sqrt(2/M) and the bias; NULL: direct; owned */
};

/* "rbf", "orf", "relu"; -1 for another name. */
int rhm_features_kind(const char *name);
const char *rhm_features_name(enum rhm_feature_kind kind);

/* Draws frequency k from (seed, stream, k) and copies the embedding (K x width). M even and >= 2, sigma > 0.
 */
enum rhm_status rhm_features_init(struct rhm_features *f, enum rhm_feature_kind kind, size_t M, size_t s,
                                  size_t K, size_t width, const double *embedding, double sigma,
                                  uint64_t seed, uint32_t stream, struct rhm_error *err);
void rhm_features_clear(struct rhm_features *f);

/* Puts frequencies (rows x (s*width)) and biases (rows; relu only) from a file in the place of those drawn.
 */
enum rhm_status rhm_features_set_frequencies(struct rhm_features *f, const double *frequency,
                                             const double *bias, struct rhm_error *err);

/* Adds `extra` codes with embeddings (extra x width): codes K .. K+extra-1. */
enum rhm_status rhm_features_extend(struct rhm_features *f, size_t extra, const double *embedding,
                                    struct rhm_error *err);

/* x (n x M) = features of n patches; tuple is n x s codes < K. Runs on the OpenMP threads. */
void rhm_features_rows(const struct rhm_features *f, size_t n, const uint32_t *tuple, double *x);

/* The same straight from the definition, one patch: the reference for tests. x has M numbers. */
void rhm_features_naive(const struct rhm_features *f, const uint32_t *tuple, double *x);

/* <Phi(h), Phi(h')> in the limit M -> infinity, for two patches (s codes each). */
double rhm_features_kernel(const struct rhm_features *f, const uint32_t *a, const uint32_t *b);

#endif
