/* object.c - see object.h. */
#include "script/object.h"

#include <math.h>
#include <string.h>

#include "script/args.h"
#include "script/interrupt.h"

/* --- classes ------------------------------------------------------------------------------------------ */

/* Upvalues: the methods, the function for fields. */
static int index_object(lua_State *L)
{
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
        return 1;
    lua_pop(L, 1);
    lua_CFunction field = lua_tocfunction(L, lua_upvalueindex(2));
    return field ? field(L) : 0;
}

static int refuse_assignment(lua_State *L)
{
    const char *key = rhm_args_show(L, 2);
    luaL_getmetafield(L, 1, "__name");
    return luaL_error(L, "%s: field %s cannot be set", lua_tostring(L, -1), key);
}

static void set_names(lua_State *L, const char *key, const char *const *names)
{
    lua_newtable(L);
    for (int i = 0; names && names[i]; i++) {
        lua_pushstring(L, names[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, key);
}

static void set_function(lua_State *L, const char *key, lua_CFunction function)
{
    if (!function)
        return;
    lua_pushcfunction(L, function);
    lua_setfield(L, -2, key);
}

void rhm_class_open(lua_State *L, const struct rhm_class *class)
{
    luaL_newmetatable(L, class->name);
    set_names(L, "__fields", class->fields);
    lua_newtable(L);
    luaL_setfuncs(L, class->methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "__methods");
    if (class->field)
        lua_pushcfunction(L, class->field);
    else
        lua_pushnil(L);
    lua_pushcclosure(L, index_object, 2);
    lua_setfield(L, -2, "__index");
    set_function(L, "__newindex", refuse_assignment);
    set_function(L, "__tostring", class->tostring);
    set_function(L, "__gc", class->gc);
    set_function(L, "__len", class->len);
    lua_pop(L, 1);
}

void *rhm_class_check(lua_State *L, int index, const char *name)
{
    void *object = luaL_testudata(L, index, name);
    if (object)
        return object;
    if (index == 1)
        luaL_error(L,
                   "%s expected before the method's arguments, got %s: call methods with a colon, "
                   "object:method(...)",
                   name, luaL_typename(L, index));
    luaL_typeerror(L, index, name);
    return NULL;
}

int rhm_class_field(lua_State *L, const char *const *fields)
{
    if (lua_type(L, 2) != LUA_TSTRING)
        return -1;
    const char *key = lua_tostring(L, 2);
    for (int i = 0; fields[i]; i++)
        if (strcmp(fields[i], key) == 0)
            return i;
    return -1;
}

/* --- errors ------------------------------------------------------------------------------------------- */

int rhm_raise_interrupt(lua_State *L)
{
    lua_pushliteral(L, RHM_INTERRUPTED);
    return lua_error(L);
}

int rhm_raise(lua_State *L, const char *function, const struct rhm_error *err)
{
    if (err->status == RHM_ESTOP && rhm_interrupt_pending())
        return rhm_raise_interrupt(L);
    return luaL_error(L, "%s: %s", function, err->text);
}

enum rhm_status rhm_poll_interrupt(void *context, struct rhm_error *err)
{
    (void)context;
    return rhm_interrupt_pending() ? rhm_fail(err, RHM_ESTOP, RHM_INTERRUPTED) : RHM_OK;
}

/* --- results ------------------------------------------------------------------------------------------ */

void rhm_set_number(lua_State *L, const char *key, double value)
{
    if (isnan(value))
        return;
    lua_pushnumber(L, value);
    lua_setfield(L, -2, key);
}

void rhm_set_integer(lua_State *L, const char *key, uint64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, key);
}

void rhm_set_string(lua_State *L, const char *key, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, key);
}

void rhm_set_boolean(lua_State *L, const char *key, int value)
{
    lua_pushboolean(L, value);
    lua_setfield(L, -2, key);
}

void *rhm_push_buffer(lua_State *L, size_t count, size_t size)
{
    if (count > SIZE_MAX / 2 / size)
        luaL_error(L, "not enough memory");
    void *buffer = lua_newuserdatauv(L, count * size, 0);
    memset(buffer, 0, count * size);
    return buffer;
}

static int report(lua_State *L)
{
    lua_settop(L, 1);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "rhm.report");
    lua_call(L, 1, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_gettable(L, -2);
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

void rhm_push_symbols(lua_State *L, size_t n, const uint16_t *symbol)
{
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        lua_pushinteger(L, symbol[i] + 1);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

void rhm_set_report(lua_State *L, const char *name)
{
    lua_pushfstring(L, "rhm.report.%s", name);
    luaL_newmetatable(L, lua_tostring(L, -1));
    if (lua_getfield(L, -1, "__tostring") == LUA_TNIL) { /* new, or memory ended where it was made */
        lua_pushstring(L, name);
        lua_pushcclosure(L, report, 1);
        lua_setfield(L, -3, "__tostring");
    }
    lua_pop(L, 1);
    lua_remove(L, -2);
    lua_setmetatable(L, -2);
}
