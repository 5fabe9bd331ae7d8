/* work.h - an engine call on a thread of its own while the Lua thread watches for Ctrl-C. */
#ifndef RHM_WORK_H
#define RHM_WORK_H

#include "engine/error.h"
#include "engine/monitor.h"

/* The call; it polls the monitor between blocks. */
typedef enum rhm_status rhm_work_function(void *context, struct rhm_monitor *monitor, struct rhm_error *err);

/* Runs it to its end; Ctrl-C makes it stop at the next block (RHM_ESTOP). */
enum rhm_status rhm_work_run(rhm_work_function *function, void *context, struct rhm_error *err);

#endif
