/* branches.h - s in Lua: a number where all levels have the same, else a list with one for each level. */
#ifndef RHM_SCRIPT_BRANCHES_H
#define RHM_SCRIPT_BRANCHES_H

#include <lua.h>

#include "engine/base/branches.h"
#include "script/args.h"

/* The key s of a constructor. A number becomes *s; a list branch[1..n] with *levels = n, and a key L must
 * then say the same. Returns 0 where there is none. branch: RHM_MAX_LEVELS + 1 zeros. */
int rhm_args_branches(const struct rhm_args *args, int64_t *s, int64_t *branch, int64_t *levels);

/* Pushes the number or the list. */
void rhm_push_branches(lua_State *L, const unsigned *branch, unsigned levels);

#endif
