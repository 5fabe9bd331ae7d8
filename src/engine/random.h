/* random.h - exact draws of counts: binomial and multinomial, for n up to 2^53.
 *
 * The tally sampler replaces n samples by one multinomial draw, so these must be exact in law for n far
 * beyond 2^32: no normal approximation.
 */
#ifndef RHM_RANDOM_H
#define RHM_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#include "rng.h"

/* Binomial(n, p): n <= 2^53, 0 <= p <= 1. Inversion where n*min(p,1-p) is small, else the transformed
 * rejection BTPE/BTRS (Hormann 1993) with an exact log-factorial difference. */
uint64_t rhm_random_binomial(struct rhm_rng *rng, uint64_t n, double p);

/* count[0..k-1] ~ Multinomial(n, p/sum(p)), p >= 0 with a positive sum; conditional binomials in order. */
void rhm_random_multinomial(struct rhm_rng *rng, uint64_t n, size_t k, const double *p, uint64_t *count);

#endif
