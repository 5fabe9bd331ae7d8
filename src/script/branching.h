/* branching.h - rhm.infer_branching in C. */
#ifndef RHM_SCRIPT_BRANCHING_H
#define RHM_SCRIPT_BRANCHING_H

#include <lua.h>

int rhm_script_infer_branching(lua_State *L);

#endif
