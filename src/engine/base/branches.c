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

enum rhm_status rhm_branches_check(int64_t levels, int64_t s, const int64_t *each, struct rhm_error *err)
{
    if (each[1] == 0 && (s < 2 || s > INT32_MAX))
        return rhm_fail(err, RHM_EARG, "s = %" PRId64 ": must be 2 or more", s);
    unsigned branch[RHM_MAX_LEVELS + 1], L = levels < 1 || levels > RHM_MAX_LEVELS ? 0 : (unsigned)levels;
    for (unsigned l = 1; l <= L && each[1] != 0; l++)
        if (each[l] < 2 || each[l] > INT32_MAX)
            return rhm_fail(err, RHM_EARG, "s[%u] = %" PRId64 ": must be 2 or more", l, each[l]);
    rhm_branches_set(branch, L, s, each);
    char text[RHM_BRANCHES_TEXT];
    if (L < 1 || rhm_places(branch, 1, L) == 0)
        return rhm_fail(err, RHM_EARG, "L = %" PRId64 ": must be 1 or more, with s^L < 2^63 (s = %s)", levels,
                        L < 1 ? "any" : rhm_branches_text(branch, L, text));
    return RHM_OK;
}

enum rhm_status rhm_branches_check_length(int64_t V, int64_t s, const int64_t *each, unsigned L, int64_t d,
                                          struct rhm_error *err)
{
    unsigned branch[RHM_MAX_LEVELS + 1];
    char text[RHM_BRANCHES_TEXT];
    rhm_branches_set(branch, L, s, each);
    uint64_t leaves = rhm_places(branch, 1, L);
    if (d < 0 || (uint64_t)d > leaves)
        return rhm_fail(err, RHM_EARG, "d = %" PRId64 ": must be 1 or more, and at most %s (raise L)", d,
                        rhm_branches_length(branch, L, leaves, text));
    if (d > 0 && (uint64_t)d < leaves && V >= UINT16_MAX)
        return rhm_fail(err, RHM_EARG,
                        "V = %" PRId64 ": must be at most %d where strings of d = %" PRId64
                        " tokens are padded",
                        V, UINT16_MAX - 1, d);
    return RHM_OK;
}

unsigned rhm_levels_for(uint64_t d, uint64_t s)
{
    unsigned L = 1;
    for (uint64_t length = s; length < d && s > 1 && !__builtin_mul_overflow(length, s, &length);)
        L++;
    return L;
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

const char *rhm_branches_length(const unsigned *branch, unsigned L, uint64_t d, char text[RHM_BRANCHES_TEXT])
{
    unsigned s = rhm_branches_common(branch, L);
    uint64_t leaves = rhm_places(branch, 1, L);
    int used = d < leaves ? snprintf(text, RHM_BRANCHES_TEXT, "%" PRIu64 ", padded to ", d) : 0;
    used += s > 0 ? snprintf(text + used, (size_t)(RHM_BRANCHES_TEXT - used), "s^L = %u^%u", s, L)
                  : list(branch, L, '*', text + used, RHM_BRANCHES_TEXT - 24 - used);
    snprintf(text + used, (size_t)(RHM_BRANCHES_TEXT - used), " = %" PRIu64, leaves);
    return text;
}
