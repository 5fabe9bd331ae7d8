/* claim.c - see claim.h. */
#include "engine/base/claim.h"

enum rhm_status rhm_claim_take(struct rhm_claim *claim, const char *what, struct rhm_error *err)
{
    int idle = 0;
    return atomic_compare_exchange_strong(&claim->taken, &idle, 1)
               ? RHM_OK
               : rhm_fail(err, RHM_ESTATE, "%s is in training: wait for it or stop it first", what);
}

void rhm_claim_give(struct rhm_claim *claim)
{
    atomic_store(&claim->taken, 0);
}
