/* hooks.h - rhm.on: functions of the user, called after a block of a job or a step by hand. */
#ifndef RHM_SCRIPT_HOOKS_H
#define RHM_SCRIPT_HOOKS_H

#include <lua.h>

enum rhm_hook { RHM_HOOK_PROGRESS, RHM_HOOK_STEP };

/* rhm.on(name, function) -> a function that removes it. */
int rhm_script_on(lua_State *L);

/* Whether there are any and none is running: they are not called from within each other. */
int rhm_hooks_ready(enum rhm_hook hook);
int rhm_hooks_running(void);

/* Calls them with the narg values on top, which it pops. A hook that fails says so on standard error and is
 * removed. Raises no error but that of memory; needs rhm_hooks_ready. */
void rhm_hooks_call(lua_State *L, enum rhm_hook hook, int narg);

#endif
