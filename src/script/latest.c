/* latest.c - see latest.h. */
#include "script/latest.h"

#include <string.h>

#include <lauxlib.h>

#include "script/args.h"

static const char *const names[] = {[RHM_LATEST_NETWORK] = "network",
                                    [RHM_LATEST_GRAMMAR] = "grammar",
                                    [RHM_LATEST_SOURCE] = "source",
                                    [RHM_LATEST_LEARNER] = "learner",
                                    NULL};
static char weak_key, strong_key; /* their addresses are keys of the registry */

/* Pushes the table that holds objects of a kind. */
static void push_table(lua_State *L, enum rhm_latest_kind kind)
{
    char *key = kind == RHM_LATEST_SOURCE ? &strong_key : &weak_key;
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, key) == LUA_TTABLE)
        return;
    lua_pop(L, 1);
    lua_createtable(L, 2, 0);
    if (key == &weak_key) {
        lua_createtable(L, 0, 1);
        lua_pushliteral(L, "v");
        lua_setfield(L, -2, "__mode");
        lua_setmetatable(L, -2);
    }
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

void rhm_latest_set(lua_State *L, enum rhm_latest_kind kind, int index)
{
    luaL_checkstack(L, 4, NULL);
    index = lua_absindex(L, index);
    push_table(L, kind);
    lua_pushvalue(L, index);
    lua_rawseti(L, -2, (lua_Integer)kind + 1);
    lua_pop(L, 1);
    if (kind == RHM_LATEST_NETWORK)
        rhm_latest_set(L, RHM_LATEST_LEARNER, index);
}

static int latest(lua_State *L)
{
    int kind = RHM_LATEST_NETWORK;
    if (!lua_isnoneornil(L, 1)) {
        const char *given = lua_type(L, 1) == LUA_TSTRING ? lua_tostring(L, 1) : "";
        for (kind = 0; names[kind]; kind++)
            if (strcmp(given, names[kind]) == 0)
                break;
        if (!names[kind])
            return luaL_error(L, "rhm.latest: kind = %s: must be 'network', 'grammar', 'source' or 'learner'",
                              rhm_args_show(L, 1));
    }
    push_table(L, (enum rhm_latest_kind)kind);
    lua_rawgeti(L, -1, (lua_Integer)kind + 1);
    return 1;
}

void rhm_latest_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"latest", latest}, {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}
