/* work.h - an engine call on a thread of its own while the Lua thread watches for Ctrl-C. */
#ifndef RHM_WORK_H
#define RHM_WORK_H

#include <lua.h>

#include "engine/base/error.h"
#include "engine/base/monitor.h"

/* The call; it polls the monitor between blocks. */
typedef enum rhm_status rhm_work_function(void *context, struct rhm_monitor *monitor, struct rhm_error *err);

/* Runs it to its end; Ctrl-C makes it stop at the next block (RHM_ESTOP). Progress hooks of jobs in the
 * background are called meanwhile. */
enum rhm_status rhm_work_run(lua_State *L, rhm_work_function *function, void *context, struct rhm_error *err);

/* Called on the Lua thread some ten times a second with the work's progress; anything but 0 asks it to stop.
 * Raises no Lua error. */
typedef int rhm_work_watcher(lua_State *L, void *context, const struct rhm_progress *progress);

/* The same, watched. */
enum rhm_status rhm_work_watch(lua_State *L, rhm_work_function *function, rhm_work_watcher *watcher,
                               void *context, struct rhm_error *err);

#endif
