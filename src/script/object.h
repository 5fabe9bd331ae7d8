/* object.h - what the objects of the Lua API share: classes, errors, fields of result tables. */
#ifndef RHM_OBJECT_H
#define RHM_OBJECT_H

#include <stdint.h>

#include <lauxlib.h>
#include <lua.h>

#include "engine/base/error.h"

#define RHM_GRAMMAR "rhm.grammar"
#define RHM_DATASET "rhm.dataset"
#define RHM_NETWORK "rhm.network"
#define RHM_LAYER   "rhm.layer"
#define RHM_MATRIX  "rhm.matrix"
#define RHM_JOB     "rhm.job"

struct rhm_class {
    const char *name; /* of the metatable, and what error messages call it */
    const luaL_Reg *methods;
    const char *const *fields; /* NULL at the end; may be NULL */
    lua_CFunction field;       /* (object, key) -> value of a key that is no method; may be NULL */
    lua_CFunction tostring, gc, len;
};

/* Registers the metatable. Beside the metamethods it holds __methods (name -> function) and __fields (list of
 * names), so that completion finds both by raw gets. */
void rhm_class_open(lua_State *L, const struct rhm_class *class);

/* The userdata at `index`, which must be of the class; a method called with a dot instead of a colon is named
 * as such. */
void *rhm_class_check(lua_State *L, int index, const char *name);

/* The place of the key (index 2) in a list of field names, or -1. */
int rhm_class_field(lua_State *L, const char *const *fields);

/* Raises "function: text". Where Ctrl-C stopped the work, raises the interrupt. */
int rhm_raise(lua_State *L, const char *function, const struct rhm_error *err);
int rhm_raise_interrupt(lua_State *L);

/* A poll function for engine calls on the Lua thread: RHM_ESTOP once Ctrl-C is pending. */
enum rhm_status rhm_poll_interrupt(void *context, struct rhm_error *err);

/* Sets a field of the table on top; a nan is no value: the field stays nil. */
void rhm_set_number(lua_State *L, const char *key, double value);
void rhm_set_integer(lua_State *L, const char *key, uint64_t value);
void rhm_set_string(lua_State *L, const char *key, const char *value);
void rhm_set_boolean(lua_State *L, const char *key, int value);

/* An array of zeros that Lua frees: errors may jump over its user. Leaves it on the stack. */
void *rhm_push_buffer(lua_State *L, size_t count, size_t size);

/* A list of symbols 0..V-1, counted from 1. */
void rhm_push_symbols(lua_State *L, size_t n, const uint16_t *symbol);

/* Gives the table on top a metatable whose __tostring is require("rhm.report")[name]. */
void rhm_set_report(lua_State *L, const char *name);

#endif
