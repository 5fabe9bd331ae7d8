/* script.h - the Lua API of the engine. */
#ifndef RHM_SCRIPT_H
#define RHM_SCRIPT_H

#include <lua.h>

/* Opens the module "rhm": leaves its table on the stack. */
int luaopen_rhm(lua_State *L);

#endif
