/* hooks.c - see hooks.h. */
#include "script/hooks.h"

#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "engine/base/monitor.h"
#include "script/args.h"
#include "script/interrupt.h"
#include "script/jobs.h"

static const char *const names[] = {"progress", "step", NULL};

/* Ctrl-C is meant for a hook, and removes it, where it has run for this long; else for what it interrupts. */
#define HANGS_SECONDS 0.3

static int hooks[2]; /* how many: no look into Lua where there are none */
static int running;

int rhm_hooks_ready(enum rhm_hook hook)
{
    return hooks[hook] > 0 && !running;
}

int rhm_hooks_running(void)
{
    return running;
}

/* The list of a kind: tables {function}, so that one function can be there twice. */
static void push_list(lua_State *L, enum rhm_hook hook)
{
    lua_pushfstring(L, "rhm.hooks.%s", names[hook]);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, LUA_REGISTRYINDEX) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, LUA_REGISTRYINDEX);
    }
    lua_remove(L, -2);
}

/* Takes the entry at `entry` out of the list at `list`. */
static int remove_entry(lua_State *L, enum rhm_hook hook, int list, int entry)
{
    lua_Integer n = (lua_Integer)lua_rawlen(L, list), at = 1;
    for (; at <= n; at++) {
        lua_rawgeti(L, list, at);
        int same = lua_rawequal(L, -1, entry);
        lua_pop(L, 1);
        if (same)
            break;
    }
    if (at > n)
        return 0;
    for (; at <= n; at++) {
        lua_rawgeti(L, list, at + 1);
        lua_rawseti(L, list, at);
    }
    hooks[hook]--;
    return 1;
}

/* The handle: true where the hook was still there. Upvalues: its kind, its entry. */
static int remove_hook(lua_State *L)
{
    enum rhm_hook hook = (enum rhm_hook)lua_tointeger(L, lua_upvalueindex(1));
    lua_settop(L, 0);
    push_list(L, hook);
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_pushboolean(L, remove_entry(L, hook, 1, 2));
    return 1;
}

int rhm_script_on(lua_State *L)
{
    const char *name = lua_type(L, 1) == LUA_TSTRING ? lua_tostring(L, 1) : "";
    enum rhm_hook hook = RHM_HOOK_PROGRESS;
    if (strcmp(name, names[RHM_HOOK_STEP]) == 0) {
        hook = RHM_HOOK_STEP;
    } else if (strcmp(name, names[RHM_HOOK_PROGRESS]) != 0) {
        const char *shown = rhm_args_show(L, 1);
        return luaL_error(L, "rhm.on: event %s: must be 'progress' or 'step'", shown);
    }
    if (lua_type(L, 2) != LUA_TFUNCTION) {
        const char *shown = rhm_args_show(L, 2);
        return luaL_error(L, "rhm.on('%s', %s): a function expected", names[hook], shown);
    }
    if (hook == RHM_HOOK_PROGRESS && hooks[hook] == 0)
        rhm_jobs_watched();
    lua_settop(L, 2);
    push_list(L, hook);
    lua_pushinteger(L, (lua_Integer)hook);
    lua_createtable(L, 1, 0); /* the entry */
    lua_pushvalue(L, 2);
    lua_rawseti(L, -2, 1);
    lua_pushvalue(L, -1);
    lua_insert(L, 4);
    lua_pushcclosure(L, remove_hook, 2); /* first: a hook nobody can remove must not be there */
    lua_pushvalue(L, 4);
    lua_rawseti(L, 3, (lua_Integer)lua_rawlen(L, 3) + 1);
    hooks[hook]++;
    return 1;
}

/* The message on top is popped. */
static void tell(lua_State *L, enum rhm_hook hook)
{
    const char *text = luaL_tolstring(L, -1, NULL);
    fflush(stdout);
    fprintf(stderr, "rhm: error in a hook on '%s', which is removed: %s\n", names[hook], text);
    fflush(stderr);
    lua_pop(L, 2);
}

static int tell_protected(lua_State *L)
{
    tell(L, (enum rhm_hook)lua_tointeger(L, lua_upvalueindex(1)));
    return 0;
}

static void call(lua_State *L, enum rhm_hook hook, int list, int entry, int first, int narg)
{
    lua_rawgeti(L, entry, 1);
    for (int i = 0; i < narg; i++)
        lua_pushvalue(L, first + i);
    double start = rhm_clock();
    running = 1;
    int status = lua_pcall(L, narg, 0, 0);
    running = 0;
    if (status == LUA_OK)
        return;
    if (!rhm_interrupt_pending() || rhm_clock() - start > HANGS_SECONDS) {
        remove_entry(L, hook, list, entry);
        if (rhm_interrupt_pending()) { /* its hook would end the next Lua function as well */
            lua_pop(L, 1);
            lua_pushliteral(L, RHM_INTERRUPTED);
        }
        lua_pushinteger(L, (lua_Integer)hook);
        lua_pushcclosure(L, tell_protected, 1);
        lua_insert(L, -2);
        if (lua_pcall(L, 1, 0, 0) == LUA_OK) /* __tostring of an error object may fail in its turn */
            return;
    }
    lua_pop(L, 1);
}

void rhm_hooks_call(lua_State *L, enum rhm_hook hook, int narg)
{
    luaL_checkstack(L, narg + 16, NULL);
    int first = lua_gettop(L) - narg + 1, list = first + narg, copy = list + 1, entry = list + 2;
    push_list(L, hook);
    lua_Integer n = (lua_Integer)lua_rawlen(L, list);
    lua_createtable(L, (int)n, 0); /* of the list: a hook may add some, or take itself away */
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, list, i);
        lua_rawseti(L, copy, i);
    }
    for (lua_Integer i = 1; i <= n && !rhm_interrupt_pending(); i++) {
        lua_rawgeti(L, copy, i);
        call(L, hook, list, entry, first, narg);
        lua_settop(L, copy);
    }
    lua_settop(L, first - 1);
}
