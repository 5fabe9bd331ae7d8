/* results.h - rhm.results in C. */
#ifndef RHM_SCRIPT_RESULTS_H
#define RHM_SCRIPT_RESULTS_H

#include <lua.h>

#define RHM_RESULTS "rhm.results"

int rhm_script_results(lua_State *L);
void rhm_open_results(lua_State *L);

#endif
