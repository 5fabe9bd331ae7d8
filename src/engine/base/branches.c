/* branches.c - see branches.h. */
#include "engine/base/branches.h"

#include <inttypes.h>
#include <stdio.h>

uint64_t rhm_places(const unsigned *branch, unsigned first, unsigned last)
{
    uint64_t product = 1;
    for (unsigned l = first; l <= last; l++)
        if (__builtin_mul_overflow(product, (uint64_t)branch[l], &product) || product >= UINT64_C(1) << 63)
            return 0;
    return product;
}

unsigned rhm_branches_common(const unsigned *branch, unsigned L)
{
    for (unsigned l = 2; l <= L; l++)
        if (branch[l] != branch[1])
            return 0;
    return branch[1];
}

int rhm_branches_equal(const unsigned *a, unsigned a_levels, const unsigned *b, unsigned b_levels)
{
    int equal = a_levels == b_levels;
    for (unsigned l = 1; l <= a_levels && equal; l++)
        equal = a[l] == b[l];
    return equal;
}

void rhm_branches_set(unsigned *branch, unsigned L, int64_t s, const int64_t *each)
{
    for (unsigned l = 1; l <= L; l++)
        branch[l] = (unsigned)(each[1] > 0 ? each[l] : s);
}

/* "2*3*2" */
static int list(const unsigned *branch, unsigned L, char separator, char *text, int room)
{
    int used = 0;
    for (unsigned l = 1; l <= L && used < room - 12; l++)
        used += l == 1 ? snprintf(text, (size_t)room, "%u", branch[l])
                       : snprintf(text + used, (size_t)(room - used), "%c%u", separator, branch[l]);
    return used;
}

const char *rhm_branches_text(const unsigned *branch, unsigned L, char text[RHM_BRANCHES_TEXT])
{
    unsigned s = rhm_branches_common(branch, L);
    if (s > 0) {
        snprintf(text, RHM_BRANCHES_TEXT, "%u", s);
        return text;
    }
    text[0] = '{';
    int used = 1 + list(branch, L, ',', text + 1, RHM_BRANCHES_TEXT - 2);
    snprintf(text + used, (size_t)(RHM_BRANCHES_TEXT - used), "}");
    return text;
}

const char *rhm_branches_length(const unsigned *branch, unsigned L, char text[RHM_BRANCHES_TEXT])
{
    unsigned s = rhm_branches_common(branch, L);
    int used = s > 0 ? snprintf(text, RHM_BRANCHES_TEXT, "s^L = %u^%u", s, L)
                     : list(branch, L, '*', text, RHM_BRANCHES_TEXT - 24);
    snprintf(text + used, (size_t)(RHM_BRANCHES_TEXT - used), " = %" PRIu64, rhm_places(branch, 1, L));
    return text;
}
