/* child.h - rhm.child: the processes of a sweep, for lua/rhm/sweep.lua alone.
 *
 * A child is another `rhm` with RHM_SWEEP in its environment: which sweep of the script it serves. Parent and
 * child send each other lines over a socket (descriptor 3 of the child) that carries nothing else. The
 * child's stderr, and its stdout once it serves, are a pipe to the parent. A child ends at once, whatever it
 * does, when its parent is gone.
 */
#ifndef RHM_SCRIPT_CHILD_H
#define RHM_SCRIPT_CHILD_H

#include <lua.h>

/* Makes require "rhm.child" known. In a child: begins to watch the parent. */
void rhm_child_open(lua_State *L);

#endif
