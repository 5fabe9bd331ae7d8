/* rhm.c - the module: constructors, and what holds for the whole program. */
#include "script/branching.h"
#include "script/script.h"

#ifdef HAVE_CONFIG_H
#include <config.h>
#endif
#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0.1"
#endif

#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/threads.h"
#include "script/baseline.h"
#include "script/child.h"
#include "script/hooks.h"
#include "script/jobs.h"
#include "script/latest.h"
#include "script/nearest.h"
#include "script/objects.h"
#include "script/principle.h"
#include "script/results.h"
#include "script/source.h"

static int module_clock(lua_State *L)
{
    lua_pushnumber(L, rhm_clock());
    return 1;
}

static const char *const module_fields[] = {"memory", "threads", NULL};

/* In the metatable: from now on only fields that exist can be set. */
#define SEALED "__sealed"

/* rhm.memory and rhm.threads are no fields: reading asks the engine, writing tells it. */
static int module_index(lua_State *L)
{
    const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    if (strcmp(key, "memory") == 0)
        return lua_pushinteger(L, (lua_Integer)rhm_memory_budget()), 1;
    if (strcmp(key, "threads") == 0)
        return lua_pushinteger(L, rhm_threads_get()), 1;
    return 0;
}

/* rhm.memry = 5 is more likely a slip than somebody's own field. */
static int refuse_field(lua_State *L)
{
    const char *shown = rhm_args_show(L, 2);
    if (lua_type(L, 2) != LUA_TSTRING)
        return luaL_error(L, "rhm: field %s cannot be set", shown);
    const char *word = lua_tostring(L, 2), *nearest = rhm_nearest_word(word, module_fields);
    size_t best = nearest ? rhm_word_distance(word, nearest) : strlen(word) / 3 + 1;
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
        size_t d = key ? rhm_word_distance(word, key) : SIZE_MAX;
        if (d < best) { /* the table keeps the name */
            best = d;
            nearest = key;
        }
    }
    if (nearest)
        return luaL_error(L, "rhm: there is no field %s to set: did you mean '%s'?", shown, nearest);
    return luaL_error(L, "rhm: there is no field %s to set: 'memory' and 'threads' can be", shown);
}

static int module_newindex(lua_State *L)
{
    const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    if (strcmp(key, "memory") == 0) {
        rhm_memory_set_budget((size_t)rhm_args_whole(L, 3, "rhm.memory", "bytes", 1, (lua_Integer)1 << 53));
    } else if (strcmp(key, "threads") == 0) {
        struct rhm_error err;
        lua_Integer n = rhm_args_whole(L, 3, "rhm.threads", "threads", 1, 1024);
        if (rhm_threads_set((int)n, &err) != RHM_OK)
            return rhm_raise(L, "rhm.threads", &err);
    } else if (luaL_getmetafield(L, 1, SEALED) != LUA_TNIL) {
        return refuse_field(L);
    } else {
        lua_rawset(L, 1);
    }
    return 0;
}

void rhm_module_seal(lua_State *L)
{
    lua_getglobal(L, "rhm");
    if (lua_getmetatable(L, -1)) {
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, SEALED);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void set_module_metatable(lua_State *L)
{
    static const luaL_Reg metamethods[] = {
        {"__index", module_index}, {"__newindex", module_newindex}, {NULL, NULL}};
    luaL_newlib(L, metamethods);
    lua_createtable(L, 2, 0);
    for (int i = 0; i < 2; i++) {
        lua_pushstring(L, module_fields[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "__fields");
    lua_setmetatable(L, -2);
}

int luaopen_rhm(lua_State *L)
{
    static const luaL_Reg functions[] = {{"cnn", rhm_script_cnn},
                                         {"shallow", rhm_script_shallow},
                                         {"onestep", rhm_script_onestep},
                                         {"formula", rhm_script_formula},
                                         {"infer_branching", rhm_script_infer_branching},
                                         {"grammar", rhm_script_grammar},
                                         {"dataset", rhm_script_dataset},
                                         {"source", rhm_script_source},
                                         {"network", rhm_script_network},
                                         {"load", rhm_script_load},
                                         {"clock", module_clock},
                                         {"jobs", rhm_script_jobs},
                                         {"on", rhm_script_on},
                                         {"results", rhm_script_results},
                                         {NULL, NULL}};
    rhm_open_matrix(L);
    rhm_open_cnn(L);
    rhm_open_shallow(L);
    rhm_open_onestep(L);
    rhm_open_grammar(L);
    rhm_open_dataset(L);
    rhm_open_formula(L);
    rhm_open_source(L);
    rhm_open_principle(L);
    rhm_open_network(L);
    rhm_open_layer(L);
    rhm_open_job(L);
    rhm_open_results(L);
    rhm_child_open(L);
    rhm_nearest_open(L);
    luaL_newlib(L, functions);
    lua_pushliteral(L, PACKAGE_VERSION);
    lua_setfield(L, -2, "version");
    rhm_latest_open(L);
    set_module_metatable(L);
    return 1;
}
