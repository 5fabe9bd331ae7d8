/* call.h - the one gate through which user code is called: a message handler, the interrupt, nothing else. */
#ifndef RHM_CALL_H
#define RHM_CALL_H

#include <lua.h>

/* Not one of Lua's: the call was ended by Ctrl-C. */
#define RHM_CALL_INTERRUPTED 100

/* As lua_pcall for the function and its narg arguments on top of the stack. Returns LUA_OK, or another status
 * with one string on the stack: the message, and below it a short traceback where the error was raised more
 * than one call deep in the user's own code. Ctrl-C gives RHM_CALL_INTERRUPTED, whatever the code did with
 * the error. */
int rhm_call(lua_State *L, int narg, int nres);

#endif
