/* branches.h - how many children a symbol has, level by level: s_l under each symbol of level l-1. */
#ifndef RHM_BRANCHES_H
#define RHM_BRANCHES_H

#include <stdint.h>

#include "engine/base/error.h"

#define RHM_MAX_LEVELS 62 /* d < 2^63 with s >= 2 */

/* branch[1..L] are s_1 .. s_L. The product of branch[first..last]: 1 where last < first, 0 where it reaches
 * 2^63. Level l has rhm_places(branch, 1, l - 1) patches, each of rhm_places(branch, l, L) tokens. */
uint64_t rhm_places(const unsigned *branch, unsigned first, unsigned last);

/* s where all levels have the same, else 0. */
unsigned rhm_branches_common(const unsigned *branch, unsigned L);

/* 1 where both have the same levels. */
int rhm_branches_equal(const unsigned *a, unsigned a_levels, const unsigned *b, unsigned b_levels);

/* s (or each[1..L], where each[1] > 0) and L of a model as a caller gives them. RHM_EARG names the one that
 * is below 2 or 1, or too large: s_1 ... s_L stays below 2^63. */
enum rhm_status rhm_branches_check(int64_t L, int64_t s, const int64_t *each, struct rhm_error *err);

/* branch[1..L] from what a caller gives: each[1..L] where each[1] > 0, else s at every level. */
void rhm_branches_set(unsigned *branch, unsigned L, int64_t s, const int64_t *each);

/* Strings of fewer tokens than the tree has leaves are padded at their end: a model for strings of d tokens
 * over V symbols sees s_1 ... s_L places, those from d on with a symbol of their own, number V. d = 0: all
 * places. RHM_EARG where d is below 0 or above s_1 ... s_L, or where there is no number left. */
enum rhm_status rhm_branches_check_length(int64_t V, int64_t s, const int64_t *each, unsigned L, int64_t d,
                                          struct rhm_error *err);

/* The smallest L with s^L >= d. */
unsigned rhm_levels_for(uint64_t d, uint64_t s);

/* For messages: "2" or "{2,3,2}"; the length of a string: "s^L = 2^3 = 8", "2*3*2 = 12" or, where d is less,
 * "16, padded to s^L = 3^3 = 27". */
#define RHM_BRANCHES_TEXT 256
const char *rhm_branches_text(const unsigned *branch, unsigned L, char text[RHM_BRANCHES_TEXT]);
const char *rhm_branches_length(const unsigned *branch, unsigned L, uint64_t d, char text[RHM_BRANCHES_TEXT]);

#endif
