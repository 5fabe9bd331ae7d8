/* random.h - random numbers for Lua code. */
#ifndef RHM_SCRIPT_RANDOM_H
#define RHM_SCRIPT_RANDOM_H

#include <lua.h>

#include "engine/base/rng.h"

#define RHM_RANDOM "rhm.random"

void rhm_open_random(lua_State *L);

/* An object whose numbers the caller sets by rhm_rng_start; pushes it. */
struct rhm_rng *rhm_push_random(lua_State *L);

#endif
