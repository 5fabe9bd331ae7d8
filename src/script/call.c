/* call.c - calls user code (see call.h). */
#include "script/call.h"

#include <stdbool.h>
#include <string.h>

#include <lauxlib.h>

#include "script/interrupt.h"
#include "script/paths.h"

enum {
    FIRST_FRAMES = 10, /* shown of a long traceback */
    LAST_FRAMES = 5,
    END = 100 /* levels looked at from either end: finding level n takes n steps */
};

/* A frame of the user's: Lua code that is not one of our own modules. */
static bool is_user_frame(lua_State *L, lua_Debug *ar)
{
    lua_getinfo(L, "S", ar);
    if (*ar->what == 'C')
        return false;
    const char *lua = rhm_paths()->lua;
    return !(ar->source[0] == '@' && *lua && strncmp(ar->source + 1, lua, strlen(lua)) == 0);
}

static void add_frame(lua_State *L, lua_Debug *ar, luaL_Buffer *b)
{
    lua_getinfo(L, "Slnt", ar);
    lua_pushfstring(L, "\n  at %s:%d", ar->short_src, ar->currentline);
    luaL_addvalue(b);
    if (*ar->what == 'm')
        luaL_addstring(b, " in the main chunk");
    else if (ar->name) {
        lua_pushfstring(L, " in %s '%s'", *ar->namewhat == 'm' ? "method" : "function", ar->name);
        luaL_addvalue(b);
    } else {
        lua_pushfstring(L, " in the function of line %d", ar->linedefined);
        luaL_addvalue(b);
    }
    if (ar->istailcall)
        luaL_addstring(b, " (after tail calls)");
}

/* The number of levels, by doubling and halving. */
static int count_levels(lua_State *L)
{
    lua_Debug ar;
    int low = 0, high = 1;
    while (lua_getstack(L, high, &ar)) {
        low = high;
        high *= 2;
    }
    while (low + 1 < high) {
        int middle = low + (high - low) / 2;
        if (lua_getstack(L, middle, &ar))
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Leaves the message (at index 1) on top, with the user's frames where there is more than one. */
static void add_traceback(lua_State *L)
{
    lua_Debug ar;
    int frames[2 * END + 1], count = 0, last = count_levels(L), left_out = 0;
    for (int level = 1; level <= last; level++) {
        if (level == END + 1 && last > 2 * END) {
            left_out = last - 2 * END;
            level = last - END + 1;
        }
        if (lua_getstack(L, level, &ar) && is_user_frame(L, &ar))
            frames[count++] = level;
    }
    if (count < 2)
        return;
    bool all = count <= FIRST_FRAMES + LAST_FRAMES + 1 && !left_out;
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    lua_pushvalue(L, 1);
    luaL_addvalue(&b);
    for (int i = 0; i < count; i++) {
        if (!all && i == FIRST_FRAMES && count > FIRST_FRAMES + LAST_FRAMES) {
            i = count - LAST_FRAMES;
            lua_pushfstring(L, "\n  ... (%d more)", i - FIRST_FRAMES + left_out);
            luaL_addvalue(&b);
        }
        if (lua_getstack(L, frames[i], &ar))
            add_frame(L, &ar, &b);
    }
    luaL_pushresult(&b);
}

/* An error of a function in C names the line that called it. Where that is one of our own modules', the
 * user's line stands in its place; not where the module itself went wrong. */
static void name_users_line(lua_State *L)
{
    const char *message = lua_tostring(L, 1);
    size_t own = 0;
    lua_Debug ar;
    int level = 1;
    for (; lua_getstack(L, level, &ar); level++) {
        lua_getinfo(L, "Sl", &ar);
        if (ar.currentline <= 0)
            continue;
        if (is_user_frame(L, &ar))
            break;
        lua_pushfstring(L, "%s:%d: ", ar.short_src, ar.currentline);
        size_t length = lua_rawlen(L, -1);
        if (strncmp(message, lua_tostring(L, -1), length) == 0)
            own = length;
        lua_pop(L, 1);
    }
    if (own == 0 || strncmp(message + own, "attempt to ", 11) == 0 ||
        strncmp(message + own, "bad arg", 7) == 0)
        return;
    if (lua_getstack(L, level, &ar) && lua_getinfo(L, "Sl", &ar))
        lua_pushfstring(L, "%s:%d: %s", ar.short_src, ar.currentline, message + own);
    else
        lua_pushstring(L, message + own);
    lua_replace(L, 1);
}

/* "attempt to call a nil value (method 'acuracy')": what may have been meant. */
static void add_meant(lua_State *L)
{
    if (!strstr(lua_tostring(L, 1), "attempt to call a nil value ("))
        return;
    lua_getglobal(L, "require");
    lua_pushliteral(L, "rhm.hint");
    if (lua_pcall(L, 1, 1, 0) == LUA_OK && lua_istable(L, -1)) {
        lua_getfield(L, -1, "meant");
        lua_pushvalue(L, 1);
        if (lua_pcall(L, 1, 1, 0) == LUA_OK && lua_isstring(L, -1))
            lua_replace(L, 1);
    }
    lua_settop(L, 1);
}

/* "module 'x' not found:" without the twenty lines of names that follow. */
static void shorten_not_found(lua_State *L)
{
    static const char found[] = "' not found:\n\tno field package.preload['";
    const char *message = lua_tostring(L, 1), *at = strstr(message, found);
    if (!at)
        return;
    lua_pushlstring(L, message, (size_t)(at - message));
    lua_pushliteral(L, "' not found in package.path (.lua) or package.cpath (.so)");
    lua_concat(L, 2);
    lua_replace(L, 1);
}

static int message_handler(lua_State *L)
{
    if (lua_type(L, 1) != LUA_TSTRING) {
        if (luaL_getmetafield(L, 1, "__tostring") != LUA_TNIL || lua_type(L, 1) == LUA_TNUMBER) {
            luaL_tolstring(L, 1, NULL);
            return 1; /* an object of the user's own says what it wants to say */
        }
        lua_pushfstring(L, "(the error object is a %s value)", luaL_typename(L, 1));
        lua_replace(L, 1);
    }
    lua_settop(L, 1);
    shorten_not_found(L);
    name_users_line(L);
    add_meant(L);
    if (!rhm_interrupt_pending())
        add_traceback(L);
    return 1;
}

int rhm_call(lua_State *L, int narg, int nres)
{
    int base = lua_gettop(L) - narg;
    lua_pushcfunction(L, message_handler);
    lua_insert(L, base);
    lua_State *before = rhm_interrupt_running(L);
    int status = lua_pcall(L, narg, nres, base);
    rhm_interrupt_running(before);
    lua_remove(L, base);
    if (!before) {
        if (rhm_interrupt_pending() && status != LUA_OK) {
            const char *message = lua_tostring(L, -1); /* "interrupted: ..." where there is more to say */
            if (!message || strncmp(message, RHM_INTERRUPTED, sizeof RHM_INTERRUPTED - 1) != 0) {
                lua_settop(L, base - 1);
                lua_pushliteral(L, RHM_INTERRUPTED);
            }
            status = RHM_CALL_INTERRUPTED;
        }
        rhm_interrupt_end(L);
    }
    return status;
}
