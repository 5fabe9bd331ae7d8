/* alias.c - see alias.h. Tables by Vose (1991). */
#include "engine/grammar/alias.h"

#include <math.h>
#include <stdlib.h>

#include "engine/base/memory.h"

static unsigned bits_of(unsigned n)
{
    unsigned bits = 1;
    while (bits < 31 && (1u << bits) < n)
        bits++;
    return bits;
}

double rhm_alias_bytes(size_t laws, unsigned n)
{
    return (double)laws * ldexp(1, (int)bits_of(n)) * 2 * sizeof(uint64_t);
}

/* border: of the slot's width, 0..1. */
static void set_slot(struct rhm_alias *alias, size_t at, double border, unsigned other)
{
    double scaled = ldexp(border, RHM_ALIAS_COMPARED), whole = floor(scaled);
    alias->slot[at] = (uint64_t)whole << 32 | other;
    alias->rest[at] = (uint64_t)ldexp(scaled - whole, 64);
}

/* One law. scaled, work: slots. */
static void fill(struct rhm_alias *alias, size_t first, const double *p, unsigned n, double *scaled,
                 uint32_t *work)
{
    unsigned slots = alias->slots, small = 0, large = slots, likeliest = 0;
    for (unsigned k = 0; k < slots; k++) {
        scaled[k] = k < n ? p[k] * slots : 0;
        if (scaled[k] > scaled[likeliest])
            likeliest = k;
        if (scaled[k] < 1)
            work[small++] = k;
        else
            work[--large] = k;
    }
    while (small > 0 && large < slots) {
        unsigned little = work[--small], much = work[large];
        set_slot(alias, first + little, scaled[little], much);
        scaled[much] -= 1 - scaled[little];
        if (scaled[much] < 1) {
            large++;
            work[small++] = much;
        }
    }
    while (large < slots) /* what is left is 1, but for rounding */
        work[small++] = work[large++];
    while (small > 0) {
        unsigned k = work[--small];
        set_slot(alias, first + k, k < n ? 1 : 0, k < n ? k : likeliest);
    }
}

struct rhm_alias *rhm_alias_new(const double *p, size_t laws, unsigned n, const char *what,
                                struct rhm_error *err)
{
    struct rhm_alias *alias = NULL;
    if (n > (unsigned)1 << 31)
        rhm_fail(err, RHM_EARG, "%s: %u outcomes, a table has %u at most", what, n, (unsigned)1 << 31);
    else
        alias = rhm_array(1, sizeof *alias, what, err);
    if (alias == NULL)
        return NULL;
    alias->slots = 1u << bits_of(n);
    alias->spend = bits_of(n) + RHM_ALIAS_COMPARED;
    size_t slots = alias->slots;
    double *scaled = rhm_array(slots, sizeof *scaled, what, err);
    uint32_t *work = rhm_array(slots, sizeof *work, what, err);
    alias->slot = rhm_array(laws * slots, sizeof *alias->slot, what, err);
    alias->rest = rhm_array(laws * slots, sizeof *alias->rest, what, err);
    int have = scaled && work && alias->slot && alias->rest;
    for (size_t law = 0; have && law < laws; law++)
        fill(alias, law * slots, p + law * n, n, scaled, work);
    free(scaled);
    free(work);
    if (have)
        return alias;
    rhm_alias_free(alias);
    return NULL;
}

void rhm_alias_free(struct rhm_alias *alias)
{
    if (alias == NULL)
        return;
    free(alias->slot);
    free(alias->rest);
    free(alias);
}
