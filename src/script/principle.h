/* principle.h - see principle.c. */
#ifndef RHM_SCRIPT_PRINCIPLE_H
#define RHM_SCRIPT_PRINCIPLE_H

#include <lua.h>

void rhm_open_principle(lua_State *L);

#endif
