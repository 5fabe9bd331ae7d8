/* claim.h - one training of an object at a time: a second one is refused, it does not wait. */
#ifndef RHM_CLAIM_H
#define RHM_CLAIM_H

#include <stdatomic.h>

#include "engine/base/error.h"

/* Of the object that is trained; all zeros at first: free. */
struct rhm_claim {
    atomic_int taken;
};

/* RHM_ESTATE where a training has it; what: "the network". */
enum rhm_status rhm_claim_take(struct rhm_claim *claim, const char *what, struct rhm_error *err);

/* By the training that has it, at its end, from whichever thread. */
void rhm_claim_give(struct rhm_claim *claim);

#endif
