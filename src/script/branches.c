/* branches.c - see branches.h. */
#include "script/branches.h"

#include <inttypes.h>
#include <lauxlib.h>
#include <stdio.h>

int rhm_args_branches(const struct rhm_args *args, int64_t *s, int64_t *branch, int64_t *levels)
{
    lua_State *L = args->L;
    if (rhm_args_push(args, "s") != LUA_TTABLE) {
        lua_pop(L, 1);
        return rhm_args_integer(args, "s", s);
    }
    lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
    if (n < 1 || n > RHM_MAX_LEVELS)
        luaL_error(L, "%s: s is a list of %I numbers: must be 1 to %d, one for each level", args->function, n,
                   RHM_MAX_LEVELS);
    for (lua_Integer l = 1; l <= n; l++) {
        lua_rawgeti(L, -1, l);
        const char *name = lua_pushfstring(L, "s[%I] =", l);
        branch[l] = rhm_args_whole(L, -2, args->function, name, 2, INT32_MAX);
        lua_pop(L, 2);
    }
    lua_pop(L, 1);
    *levels = n;
    int64_t given = n;
    rhm_args_integer(args, "L", &given);
    if (given != n)
        luaL_error(L, "%s: L = %I, but s is a list of %I numbers, one for each level", args->function,
                   (lua_Integer)given, n);
    return 1;
}

int rhm_args_length(const struct rhm_args *args, int64_t *d)
{
    int given = rhm_args_integer(args, "d", d);
    if (given && *d < 1) /* the engine's 0 means: s^L */
        luaL_error(args->L, "%s: d = %I: must be 1 or more", args->function, (lua_Integer)*d);
    return given;
}

int rhm_args_levels(const struct rhm_args *args, int64_t s, uint64_t known, int64_t *levels, int64_t *d)
{
    int given = rhm_args_length(args, d);
    if (rhm_args_integer(args, "L", levels))
        return 1;
    uint64_t length = given ? (uint64_t)*d : known;
    if (length == 0 || s < 2)
        return 0;
    *d = (int64_t)length;
    *levels = rhm_levels_for(length, (uint64_t)s);
    return 1;
}

const char *rhm_padding_text(uint64_t d, uint64_t leaves, char text[RHM_PADDING_TEXT])
{
    text[0] = '\0';
    if (d < leaves)
        snprintf(text, RHM_PADDING_TEXT, ", %" PRIu64 " tokens padded to %" PRIu64, d, leaves);
    return text;
}

void rhm_push_branches(lua_State *L, const unsigned *branch, unsigned levels)
{
    unsigned s = rhm_branches_common(branch, levels);
    if (s > 0) {
        lua_pushinteger(L, s);
        return;
    }
    lua_createtable(L, (int)levels, 0);
    for (unsigned l = 1; l <= levels; l++) {
        lua_pushinteger(L, branch[l]);
        lua_rawseti(L, -2, l);
    }
}
