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

#endif
