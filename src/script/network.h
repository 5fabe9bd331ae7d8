/* network.h - the object of a network, for the files network*.c alone. */
#ifndef RHM_SCRIPT_NETWORK_H
#define RHM_SCRIPT_NETWORK_H

#include "script/objects.h"

struct rhm_network_object {
    struct rhm_network *net; /* NULL: not made yet, or gone */
};
struct rhm_network_object *rhm_push_network(lua_State *L);

/* s = 'infer', and no strings were given yet. */
int rhm_network_waits(lua_State *L, int index);

/* The words of options, by their numbers. */
extern const char *const rhm_network_features[], *const rhm_network_linkages[],
                                                     *const rhm_network_codebooks[];

#endif
