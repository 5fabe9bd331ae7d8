/* crew.h - the children of a sweep as one object, which kills them when it is closed. */
#ifndef RHM_SCRIPT_CREW_H
#define RHM_SCRIPT_CREW_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

#define RHM_CREW "rhm.crew"

/* The descriptor of the child's end of the socket. */
#define RHM_CREW_SOCKET 3

void rhm_crew_open(lua_State *L);
/* crew(size): room for so many children at a time. */
int rhm_crew_new(lua_State *L);

/* Sends all bytes; false where the other side is gone. */
bool rhm_crew_send(int socket, const char *bytes, size_t n);

#endif
