/* random.c - the random numbers that a source's function gets: those of (seed, number of the string). */
#include <math.h>

#include "engine/base/rng.h"
#include "script/objects.h"
#include "script/random.h"

struct rhm_rng *rhm_push_random(lua_State *L)
{
    struct rhm_rng *rng = lua_newuserdatauv(L, sizeof *rng, 0);
    *rng = (struct rhm_rng){0};
    luaL_setmetatable(L, RHM_RANDOM);
    return rng;
}

static struct rhm_rng *check_random(lua_State *L)
{
    return rhm_class_check(L, 1, RHM_RANDOM);
}

/* rng:integer(n): 1..n; rng:integer(a, b): a..b. */
static int random_integer(lua_State *L)
{
    struct rhm_rng *rng = check_random(L);
    lua_Integer low = 1, high;
    if (lua_isnoneornil(L, 3)) {
        high = rhm_args_whole(L, 2, "rng:integer", "n =", 1, LUA_MAXINTEGER);
    } else {
        low = rhm_args_whole(L, 2, "rng:integer", "a =", LUA_MININTEGER, LUA_MAXINTEGER);
        high = rhm_args_whole(L, 3, "rng:integer", "b =", low, LUA_MAXINTEGER);
    }
    uint64_t range = (uint64_t)high - (uint64_t)low + 1; /* 0: all 64 bits */
    uint64_t k = range == 0 ? rhm_rng_u64(rng) : rhm_rng_below(rng, range);
    lua_pushinteger(L, (lua_Integer)((uint64_t)low + k));
    return 1;
}

static int random_real(lua_State *L)
{
    lua_pushnumber(L, rhm_rng_uniform(check_random(L)));
    return 1;
}

static int random_normal(lua_State *L)
{
    double pair[2];
    rhm_rng_gauss_pair(check_random(L), pair);
    lua_pushnumber(L, pair[0]);
    return 1;
}

static int random_boolean(lua_State *L)
{
    struct rhm_rng *rng = check_random(L);
    double p = 0.5;
    if (!lua_isnoneornil(L, 2)) {
        p = lua_type(L, 2) == LUA_TNUMBER ? lua_tonumber(L, 2) : -1;
        if (!(p >= 0 && p <= 1)) {
            const char *shown = rhm_args_show(L, 2);
            return luaL_error(L, "rng:boolean: p = %s: must be from 0 to 1", shown);
        }
    }
    lua_pushboolean(L, rhm_rng_uniform(rng) < p);
    return 1;
}

static lua_Integer check_list(lua_State *L, const char *function, lua_Integer least)
{
    if (lua_type(L, 2) != LUA_TTABLE || (lua_Integer)lua_rawlen(L, 2) < least) {
        const char *shown = lua_type(L, 2) == LUA_TTABLE ? "an empty table" : rhm_args_show(L, 2);
        luaL_error(L, "%s: a list expected, got %s", function, shown);
    }
    return (lua_Integer)lua_rawlen(L, 2);
}

static int random_choose(lua_State *L)
{
    struct rhm_rng *rng = check_random(L);
    lua_Integer n = check_list(L, "rng:choose", 1);
    lua_rawgeti(L, 2, (lua_Integer)rhm_rng_below(rng, (uint64_t)n) + 1);
    return 1;
}

/* In place; each order is equally likely. */
static int random_shuffle(lua_State *L)
{
    struct rhm_rng *rng = check_random(L);
    for (lua_Integer i = check_list(L, "rng:shuffle", 0); i > 1; i--) {
        lua_Integer j = (lua_Integer)rhm_rng_below(rng, (uint64_t)i) + 1;
        lua_rawgeti(L, 2, i);
        lua_rawgeti(L, 2, j);
        lua_rawseti(L, 2, i);
        lua_rawseti(L, 2, j);
    }
    lua_settop(L, 2);
    return 1;
}

static int random_tostring(lua_State *L)
{
    struct rhm_rng *rng = check_random(L);
    lua_pushfstring(L, "random numbers of seed %I, string %I", (lua_Integer)rng->seed,
                    (lua_Integer)rng->index + 1);
    return 1;
}

void rhm_open_random(lua_State *L)
{
    static const luaL_Reg methods[] = {{"integer", random_integer},
                                       {"real", random_real},
                                       {"normal", random_normal},
                                       {"boolean", random_boolean},
                                       {"choose", random_choose},
                                       {"shuffle", random_shuffle},
                                       {NULL, NULL}};
    rhm_class_open(L,
                   &(struct rhm_class){.name = RHM_RANDOM, .methods = methods, .tostring = random_tostring});
}
