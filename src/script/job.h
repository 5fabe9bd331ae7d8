/* job.h - rhm.job: a training on a worker thread, and waiting for one in the foreground. */
#ifndef RHM_SCRIPT_JOB_H
#define RHM_SCRIPT_JOB_H

#include <lua.h>

#include "script/jobs.h"
#include "script/objects.h"

/* User values of a job: what it works on, which must outlive it; its result, once built. */
enum { RHM_JOB_NETWORK = 1, RHM_JOB_SOURCE, RHM_JOB_RESULT, RHM_JOB_VALUES = RHM_JOB_RESULT };

/* Starts the training of the network at `network` from the source at `source` (absolute indices), or queues
 * it (background); pushes the job, which is then also the network's. */
void rhm_job_push(lua_State *L, int network, int source, const struct rhm_train_options *options,
                  int background);

enum rhm_job_state rhm_job_state_of(lua_State *L, int index);

/* Lets a paused job at the index go on. */
void rhm_job_go_on(lua_State *L, int index);

/* How a foreground wait shows itself. */
struct rhm_wait {
    double seconds; /* at most; negative: no limit */
    int line;       /* 1: a line of progress on the terminal; 0: none; -1: where stderr is one */
    int callback;   /* stack index of a function called with the progress, or 0 */
    int pause;      /* Ctrl-C pauses the job: it is what the user waits for; else it goes on */
};

/* Waits for the job at `index`; pushes its result, or nil and its state where it has none (yet): returns how
 * many. Ctrl-C and errors of the callback raise. */
int rhm_job_await(lua_State *L, int index, const struct rhm_wait *wait);

/* Pushes the table of a job's result, of a snapshot. */
void rhm_push_result(lua_State *L, struct rhm_network *net, const struct rhm_progress *progress);
void rhm_push_progress(lua_State *L, const struct rhm_progress *progress);

/* The one line of a snapshot. */
void rhm_progress_line(const struct rhm_progress *progress, char *text, size_t size);

#endif
