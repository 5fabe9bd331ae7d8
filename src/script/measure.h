/* measure.h - methods of grammar, network and matrix that measures of representations are made of. */
#ifndef RHM_SCRIPT_MEASURE_H
#define RHM_SCRIPT_MEASURE_H

#include <lua.h>

int rhm_grammar_resample(lua_State *L);
int rhm_network_outputs_method(lua_State *L);
int rhm_matrix_square_distance(lua_State *L);

#endif
