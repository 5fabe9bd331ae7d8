/* branching.h - rhm.infer_branching in C. */
#ifndef RHM_SCRIPT_BRANCHING_H
#define RHM_SCRIPT_BRANCHING_H

#include <lua.h>

#include "engine/structure/branching.h"

int rhm_script_infer_branching(lua_State *L);

/* Pushes the report of a data set. level: gone. */
struct rhm_branching rhm_push_branching(lua_State *L, const char *function, const struct rhm_dataset *data,
                                        uint64_t seed);

#endif
