/* repeats.h - patches that stand more than once in a string, and what that adds to the noise of their points;
 * not installed.
 *
 * At all places the n_mu patches mu of a sample are not independent: those of one string share its label and
 * its tree. The point z^_mu = (1/n_mu) sum_t sum_(i in I_t) map[i,y_t] - offset, I_t the places of mu in
 * string t, is a ratio of two sums over independent strings, of variance (1/n_mu^2) sum_t |sum_(i in I_t)
 * (map[i,y_t] - m_mu)|^2 with m_mu = z^_mu + offset (the estimate of Liang and Zeger 1986 for clustered
 * data). Its terms of one place are rhm_directions_noise/n_mu; those of two places i < i' of one string are
 * counted here, as twice their product.
 */
#ifndef RHM_REPEATS_H
#define RHM_REPEATS_H

#include "engine/layer/directions.h"

struct rhm_repeat {
    uint32_t place[2];
    uint32_t label;
};

struct rhm_repeats {
    size_t s;
    uint64_t strings;        /* looked at; once there is enough to tell, further ones are not */
    size_t n, room;          /* pairs */
    uint32_t *tuple;         /* n x s; owned */
    struct rhm_repeat *pair; /* n; owned */
};

void rhm_repeats_init(struct rhm_repeats *r, size_t s);
void rhm_repeats_clear(struct rhm_repeats *r);

/* The patches (places x s codes) of one more string. */
enum rhm_status rhm_repeats_look(struct rhm_repeats *r, size_t places, const uint32_t *tuple, uint32_t label,
                                 struct rhm_error *err);

/* The sum over mu of n_mu times what pairs add to the variance of z^_mu, for the N strings of the tally. The
 * pooled noise of points is the root of (this + the sum of rhm_directions_noise over mu)/tally->N. */
enum rhm_status rhm_repeats_noise(const struct rhm_repeats *r, const struct rhm_directions *directions,
                                  const struct rhm_tally *tally, uint64_t N, double *noise,
                                  rhm_poll_function *poll, void *context, struct rhm_error *err);

#endif
