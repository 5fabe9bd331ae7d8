/* script.h - the Lua API of the engine. */
#ifndef RHM_SCRIPT_H
#define RHM_SCRIPT_H

#include <lua.h>

/* Opens the module "rhm": leaves its table on the stack. */
int luaopen_rhm(lua_State *L);

/* The global rhm has all its fields: from now on setting one that is not there is an error. */
void rhm_module_seal(lua_State *L);

#endif
