/* args.c - see args.h. */
#include "script/args.h"

#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "engine/data/dataset.h"
#include "script/nearest.h"
#include "script/object.h"

/* --- messages ----------------------------------------------------------------------------------------- */

/* In quotes, on one line, the end of a long one left out. */
static const char *show_string(lua_State *L, int index)
{
    enum { MOST = 80 };
    size_t length;
    const char *text = lua_tolstring(L, index, &length);
    size_t shown = length <= MOST ? length : MOST;
    while (shown < length && ((unsigned char)text[shown] & 0xc0) == 0x80)
        shown--; /* not in the middle of a character of UTF-8 */
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    luaL_addchar(&b, '\'');
    for (size_t i = 0; i < shown; i++) {
        unsigned char byte = (unsigned char)text[i];
        char escape[8];
        if (byte >= 32 && byte != 127) {
            luaL_addchar(&b, text[i]);
            continue;
        }
        if (byte == '\n' || byte == '\t' || byte == '\r')
            snprintf(escape, sizeof escape, "\\%c", byte == '\n' ? 'n' : byte == '\t' ? 't' : 'r');
        else
            snprintf(escape, sizeof escape, "\\x%02x", byte);
        luaL_addstring(&b, escape);
    }
    luaL_addstring(&b, shown < length ? "...'" : "'");
    luaL_pushresult(&b);
    return lua_tostring(L, -1);
}

const char *rhm_args_show(lua_State *L, int index)
{
    switch (lua_type(L, index)) {
    case LUA_TSTRING:
        return show_string(L, lua_absindex(L, index));
    case LUA_TNUMBER:
        if (!lua_rawequal(L, index, index))
            return lua_pushliteral(L, "nan"); /* not the "-nan" of 0/0 */
        lua_pushvalue(L, index);
        return lua_tostring(L, -1);
    case LUA_TNIL:
    case LUA_TNONE:
        return lua_pushliteral(L, "nil");
    case LUA_TBOOLEAN:
        return lua_pushstring(L, lua_toboolean(L, index) ? "true" : "false");
    default:
        if (luaL_getmetafield(L, index, "__name") == LUA_TSTRING)
            return lua_tostring(L, -1);
        return lua_pushfstring(L, "a %s", luaL_typename(L, index));
    }
}

/* "function: key = value: must be <what>"; the value is on top of the stack. */
static int fail_kind(const struct rhm_args *args, const char *key, const char *what)
{
    const char *shown = rhm_args_show(args->L, -1);
    return luaL_error(args->L, "%s: %s = %s: must be %s", args->function, key, shown, what);
}

/* What rhm.hint (lua/rhm/hint.lua) knows of a function, and of a key where there is one; "" where it is not
 * there. */
static const char *hint(lua_State *L, const char *what, const char *function, const char *key)
{
    int top = lua_gettop(L);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "rhm.hint");
    if (lua_pcall(L, 1, 1, 0) == LUA_OK && lua_istable(L, -1)) {
        lua_getfield(L, -1, what);
        lua_pushstring(L, function);
        lua_pushstring(L, key);
        if (lua_pcall(L, 2, 1, 0) == LUA_OK && lua_isstring(L, -1))
            return lua_tostring(L, -1);
    }
    lua_settop(L, top);
    return "";
}

static int fail_unknown(lua_State *L, const char *function, const char *const *keys)
{
    const char *name = lua_tostring(L, -2), *nearest = rhm_nearest_word(name, keys),
               *key = rhm_args_show(L, -2);
    if (nearest)
        return luaL_error(L, "%s: unknown key %s: did you mean '%s'?", function, key, nearest);
    const char *owner = hint(L, "key", function, name);
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (int i = 0; keys[i]; i++) {
        luaL_addstring(&b, i ? ", " : "");
        luaL_addstring(&b, keys[i]);
    }
    luaL_pushresult(&b);
    return luaL_error(L, "%s: unknown key %s%s: it knows %s", function, key, owner, lua_tostring(L, -1));
}

/* --- the table ---------------------------------------------------------------------------------------- */

struct rhm_args rhm_args_open(lua_State *L, int index, const char *function, const char *const *keys)
{
    struct rhm_args args = {.L = L, .table = index, .function = function};
    if (lua_type(L, index) != LUA_TTABLE) {
        const char *shown = lua_isnone(L, index) ? "nothing" : rhm_args_show(L, index);
        luaL_error(L, "%s: one table of arguments expected, got %s%s", function, shown,
                   hint(L, "usage", function, NULL));
    }
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING) {
            const char *shown = rhm_args_show(L, -1);
            luaL_error(L, "%s: value %s has no name: write name = value", function, shown);
        }
        const char *key = lua_tostring(L, -2);
        int known = 0;
        for (int i = 0; keys[i] && !known; i++)
            known = strcmp(keys[i], key) == 0;
        if (!known)
            fail_unknown(L, function, keys);
    }
    return args;
}

struct rhm_args rhm_args_open_optional(lua_State *L, int index, const char *function, const char *const *keys)
{
    if (lua_isnoneornil(L, index))
        return (struct rhm_args){.L = L, .table = 0, .function = function};
    return rhm_args_open(L, index, function, keys);
}

int rhm_args_push(const struct rhm_args *args, const char *key)
{
    if (!args->table) {
        lua_pushnil(args->L);
        return LUA_TNIL;
    }
    lua_pushstring(args->L, key);
    return lua_rawget(args->L, args->table);
}

void rhm_args_require(const struct rhm_args *args, const char *key, int present)
{
    if (!present)
        luaL_error(args->L, "%s: key '%s' is missing", args->function, key);
}

/* --- values ------------------------------------------------------------------------------------------- */

int rhm_args_integer(const struct rhm_args *args, const char *key, int64_t *value)
{
    lua_State *L = args->L;
    int type = rhm_args_push(args, key);
    if (type != LUA_TNIL) {
        if (type != LUA_TNUMBER)
            fail_kind(args, key, "a number");
        int whole;
        *value = lua_tointegerx(L, -1, &whole);
        if (!whole) {
            lua_Number x = lua_tonumber(L, -1);
            lua_Number rest = x - x; /* nan for inf and nan */
            fail_kind(args, key, rest == 0 && (x >= 0x1p63 || x < -0x1p63) ? "below 2^63" : "a whole number");
        }
    }
    lua_pop(L, 1);
    return type != LUA_TNIL;
}

static int read_from(const struct rhm_args *args, const char *key, uint64_t *value, int64_t low,
                     const char *what)
{
    int64_t n;
    if (!rhm_args_integer(args, key, &n))
        return 0;
    if (n < low || n > INT64_C(1) << 53) {
        rhm_args_push(args, key);
        fail_kind(args, key, what);
    }
    *value = (uint64_t)n;
    return 1;
}

int rhm_args_count(const struct rhm_args *args, const char *key, uint64_t *value)
{
    return read_from(args, key, value, 1, "1 or more, and at most 2^53");
}

int rhm_args_seed(const struct rhm_args *args, const char *key, uint64_t *value)
{
    int64_t n;
    if (!rhm_args_integer(args, key, &n))
        return 0;
    if (n < 0) {
        rhm_args_push(args, key);
        fail_kind(args, key, "0 or more");
    }
    *value = (uint64_t)n;
    return 1;
}

int rhm_args_number(const struct rhm_args *args, const char *key, double *value)
{
    int type = rhm_args_push(args, key);
    if (type != LUA_TNIL) {
        if (type != LUA_TNUMBER)
            fail_kind(args, key, "a number");
        *value = lua_tonumber(args->L, -1);
        if (*value - *value != 0)
            fail_kind(args, key, "a finite number");
    }
    lua_pop(args->L, 1);
    return type != LUA_TNIL;
}

int rhm_args_boolean(const struct rhm_args *args, const char *key, int *value)
{
    int type = rhm_args_push(args, key);
    if (type != LUA_TNIL && type != LUA_TBOOLEAN)
        fail_kind(args, key, "true or false");
    if (type != LUA_TNIL)
        *value = lua_toboolean(args->L, -1);
    lua_pop(args->L, 1);
    return type != LUA_TNIL;
}

int rhm_args_string(const struct rhm_args *args, const char *key, const char **value)
{
    int type = rhm_args_push(args, key);
    if (type != LUA_TNIL && type != LUA_TSTRING)
        fail_kind(args, key, "a string");
    if (type != LUA_TNIL)
        *value = lua_tostring(args->L, -1); /* the table keeps it alive */
    lua_pop(args->L, 1);
    return type != LUA_TNIL;
}

int rhm_args_choice(const struct rhm_args *args, const char *key, const char *const *names, int *value)
{
    lua_State *L = args->L;
    int type = rhm_args_push(args, key);
    if (type == LUA_TNIL) {
        lua_pop(L, 1);
        return 0;
    }
    const char *name = type == LUA_TSTRING ? lua_tostring(L, -1) : "";
    for (int i = 0; names[i]; i++)
        if (strcmp(names[i], name) == 0) {
            *value = i;
            lua_pop(L, 1);
            return 1;
        }
    lua_pushliteral(L, "");
    for (int i = 0; names[i]; i++) {
        lua_pushfstring(L, "%s'%s'", i == 0 ? "" : names[i + 1] ? ", " : " or ", names[i]);
        lua_concat(L, 2);
    }
    lua_insert(L, -2); /* the value on top */
    return fail_kind(args, key, lua_tostring(L, -2));
}

int rhm_args_table(const struct rhm_args *args, const char *key)
{
    int type = rhm_args_push(args, key);
    if (type == LUA_TTABLE)
        return 1;
    if (type != LUA_TNIL)
        fail_kind(args, key, "a table");
    lua_pop(args->L, 1);
    return 0;
}

lua_Integer rhm_args_whole(lua_State *L, int index, const char *function, const char *name, lua_Integer low,
                           lua_Integer high)
{
    int whole = 0;
    lua_Integer n = lua_type(L, index) == LUA_TNUMBER ? lua_tointegerx(L, index, &whole) : 0;
    if (whole && n >= low && n <= high)
        return n;
    const char *shown = rhm_args_show(L, index);
    if (low == high)
        return luaL_error(L, "%s: %s %s: must be %I", function, name, shown, low);
    return luaL_error(L, "%s: %s %s: must be a whole number from %I to %I", function, name, shown, low, high);
}

uint16_t *rhm_args_symbols(lua_State *L, int index, const char *function, unsigned V, int holes)
{
    size_t d = lua_rawlen(L, index);
    uint16_t *tokens = rhm_push_buffer(L, d, sizeof *tokens);
    for (size_t j = 0; j < d; j++) {
        lua_rawgeti(L, index, (lua_Integer)j + 1);
        const char *name = lua_pushfstring(L, "token %I =", (lua_Integer)j + 1);
        lua_Integer symbol = rhm_args_whole(L, -2, function, name, holes ? 0 : 1, V);
        tokens[j] = symbol == 0 ? RHM_MISSING : (uint16_t)(symbol - 1);
        lua_pop(L, 2);
    }
    return tokens;
}

const char *rhm_args_path(lua_State *L, int index, const char *function)
{
    size_t length = 0;
    const char *path = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &length) : NULL;
    if (path && length > 0 && strlen(path) == length)
        return path;
    const char *shown = rhm_args_show(L, index);
    luaL_error(L, "%s: path = %s: must be the name of a file, a string", function, shown);
    return NULL;
}
