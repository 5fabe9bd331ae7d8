/* directions.h - what a layer trained at all places says of a patch.
 *
 * A layer that learns from all s^(l-1) level-l patches of a string regresses the pair (place, label) on their
 * features: f(x) = W x/(1^T W x) then estimates J_mu = P[place, label | patch mu], whose block of place i is
 * P[place i | mu] q_mu of that place. Synonyms share all of J: given the parent, the patch is independent of
 * where it stands and of the label. A place where mu never stands has a block of zeros: it weighs nothing.
 *
 * J is long (places x labels) and has one direction less than there are parents; the rest is noise. With
 * n_mu samples, (J^ - mean)/sqrt(mean) has noise of variance about 1/n_mu in every direction, so that the
 * leading directions of its count-weighted singular value decomposition (correspondence analysis) keep the
 * signal. A point is J in those coordinates; |z_mu - z_mu'|^2 n n'/(n + n') is the likelihood ratio of two
 * patches, and the height of Ward's linkage. The directions come from the counts, before any training step.
 */
#ifndef RHM_DIRECTIONS_H
#define RHM_DIRECTIONS_H

#include "engine/base/matrix.h"
#include "engine/base/poll.h"
#include "engine/layer/tally.h"

struct rhm_directions {
    size_t places, classes; /* places = 1: a point is the output itself, width = classes, no arrays */
    size_t width;           /* numbers in a point */
    double *mean;           /* places x classes: share of (place, label) among all patches; owned */
    double *map;            /* (places x classes) x width; owned */
    double *offset;         /* width; owned: z = J map - offset */
};

/* From the counts (tally->C = places x classes); at most `most` directions. */
enum rhm_status rhm_directions_init(struct rhm_directions *p, const struct rhm_tally *tally, size_t places,
                                    size_t most, rhm_poll_function *poll, void *context,
                                    struct rhm_error *err);
void rhm_directions_clear(struct rhm_directions *p);

/* point (n x width) of n outputs J (n x places*classes); a copy where places = 1. */
void rhm_directions_points(const struct rhm_directions *p, size_t n, const double *J, double *point);

/* The same for many: asks between blocks. */
enum rhm_status rhm_directions_all_points(const struct rhm_directions *p, size_t n, const double *J,
                                          double *point, rhm_poll_function *poll, void *context,
                                          struct rhm_error *err);

/* The variance of a point of J around its mean, times the number of samples it was made from (independent
 * ones): what counts alone explain of |z^ - z|^2 is this over n_mu. */
double rhm_directions_noise(const struct rhm_directions *p, const double *J, const double *point);

/* q (classes) at place i from an output J: its block over the block's sum, 1/classes where that is not
 * positive. The sum, P[place i | mu], is returned. */
double rhm_directions_q(const struct rhm_directions *p, const double *J, size_t i, double *q);

/* The same from a point, in whose few directions J is rebuilt. */
double rhm_directions_q_of_point(const struct rhm_directions *p, const double *point, size_t i, double *q);

#endif
