/* diagnose.h - what a trained layer says about its own training, with plain warnings. */
#ifndef RHM_DIAGNOSE_H
#define RHM_DIAGNOSE_H

#include "engine/chain/network.h"

#define RHM_DIAGNOSIS_WARNINGS 8

struct rhm_diagnosis {
    unsigned level;
    uint64_t N;    /* strings */
    size_t places; /* patches of each: 1, or all of the level, which depend on each other */
    size_t patches, k;
    size_t parents_expected; /* clusters the cut was asked for */
    size_t parents_most;     /* V, or classes at level 1 */
    double eps_O; /* measured: largest |<Phi, Phi'>| between patches of different clusters (of at most 1024
                     patches) */
    double eps_O_rms; /* and its root mean square */
    double eps_O_wanted;
    double rho_in, eps_S_in, sigma; /* of the inputs */
    double rho, eps_S;              /* of the outputs */
    double condition;
    double noise; /* expected |q^ - q| of a patch from its count alone: sqrt((1 - |q|^2)/n_mu), count-weighted
                     rms */
    double gap, error, error_max; /* exact, or nan */
    size_t unknown;               /* trained patches whose sum is near 0 (RHM_TAU) */
    size_t untrained;             /* with a grammar: rules never sampled, of parents that were */
    size_t missing;               /* with a grammar: parents never seen */
    size_t never;                 /* of them, those that never stand first in the grammar */
    size_t misplaced;             /* with a grammar: patches in a cluster whose majority has another parent */
    int warnings;
    char warning[RHM_DIAGNOSIS_WARNINGS][256];
};

enum rhm_status rhm_network_diagnose(struct rhm_network *net, unsigned l, struct rhm_diagnosis *out,
                                     struct rhm_error *err);

#endif
