/* random.h - exact draws of counts: binomial and multinomial, for n up to 2^53.
 *
 * The tally sampler replaces n samples by one multinomial draw, so these must be exact in law for n far
 * beyond 2^32: no normal approximation. Outside their domain the functions return 0 counts, never loop.
 */
#ifndef RHM_RANDOM_H
#define RHM_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/rng.h"

/* log P[Binomial(n, p) = k], n <= 2^53; -INFINITY where the probability is 0. The error is about 1e-14 plus
 * 1e-15 of the logarithm itself, at n = 2^53 too. */
double rhm_random_binomial_log_pmf(uint64_t n, double p, uint64_t k);

/* Binomial(n, p): n <= 2^53, 0 <= p <= 1. Inversion where n*min(p,1-p) < 10, else the transformed rejection
 * BTRS (Hormann 1993) with an exact log-factorial difference. */
uint64_t rhm_random_binomial(struct rhm_rng *rng, uint64_t n, double p);

/* count[0..k-1] ~ Multinomial(n, p/sum(p)), p >= 0 with a positive finite sum; conditional binomials in
 * order. Cells with p = 0 get 0, and the counts sum to n. */
void rhm_random_multinomial(struct rhm_rng *rng, uint64_t n, size_t k, const double *p, uint64_t *count);

#endif
