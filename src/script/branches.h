/* branches.h - s in Lua: a number where all levels have the same, else a list with one for each level. */
#ifndef RHM_SCRIPT_BRANCHES_H
#define RHM_SCRIPT_BRANCHES_H

#include <lua.h>

#include "engine/base/branches.h"
#include "script/args.h"

/* The key s of a constructor. A number becomes *s; a list branch[1..n] with *levels = n, and a key L must
 * then say the same. Returns 0 where there is none. branch: RHM_MAX_LEVELS + 1 zeros. */
int rhm_args_branches(const struct rhm_args *args, int64_t *s, int64_t *branch, int64_t *levels);

/* The keys L and d (tokens of a string) of a model with one s at all levels; s below 2: not known. Without L
 * it is the smallest with s^L >= d; without d, that is `known`, or where this is 0 all s^L. Returns 0 where L
 * is neither given nor follows. */
int rhm_args_levels(const struct rhm_args *args, int64_t s, uint64_t known, int64_t *levels, int64_t *d);

/* The key d alone. */
int rhm_args_length(const struct rhm_args *args, int64_t *d);

/* ", 16 tokens padded to 27", or nothing where d is all leaves. */
#define RHM_PADDING_TEXT 64
const char *rhm_padding_text(uint64_t d, uint64_t leaves, char text[RHM_PADDING_TEXT]);

/* Pushes the number or the list. */
void rhm_push_branches(lua_State *L, const unsigned *branch, unsigned levels);

#endif
