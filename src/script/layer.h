/* layer.h - the object of a layer, for the files layer*.c alone. */
#ifndef RHM_SCRIPT_LAYER_H
#define RHM_SCRIPT_LAYER_H

#include "script/objects.h"

/* The layer at index 1: its network, which it holds. */
struct rhm_network *rhm_check_layer(lua_State *L, unsigned *level);

/* layer_found.c: methods, and the class of what they look at. */
void rhm_layer_open_views(lua_State *L);
int rhm_layer_patches(lua_State *L);
int rhm_layer_q(lua_State *L);
int rhm_layer_shares(lua_State *L);
int rhm_layer_embedding(lua_State *L);
int rhm_layer_distances(lua_State *L);
int rhm_layer_synonyms(lua_State *L);
int rhm_layer_diagnostics(lua_State *L);

#endif
