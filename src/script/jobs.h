/* jobs.h - all trainings of this session: their numbers, and what the Lua thread does for them in between.
 *
 * The Lua thread's alone. A job is listed while its object lives, which its network holds; of those that went
 * after that a short record stays.
 */
#ifndef RHM_SCRIPT_JOBS_H
#define RHM_SCRIPT_JOBS_H

#include <stdint.h>

#include <lua.h>

#include "engine/jobs/job.h"

/* What an rhm.job object is made of. */
struct rhm_job_object {
    struct rhm_job *job; /* NULL: not started, or closed with its network */
    const struct rhm_job_kind *kind;
    void *model;    /* what it trains, whose object it holds */
    lua_Integer id; /* 1, 2, ...; 0: not started */
    char name[RHM_JOB_NAME_SIZE];
    int background; /* nobody waits at its start: its end is told at the prompt */
    int told;       /* somebody has waited for its end, or read it at the prompt */
    int quiet;      /* started by a hook: no hook is called for it, or this would never end */
    uint64_t seen;  /* the version its progress hooks saw last */
    struct rhm_job_object *next;
};

/* What stays of a job that is gone. */
struct rhm_job_record {
    lua_Integer id; /* 0: none */
    char name[RHM_JOB_NAME_SIZE];
    enum rhm_job_state state;
    double seconds, accuracy;
    struct rhm_error error;
    int told;
};
#define RHM_JOB_RECORDS 50

/* The object at `index`, whose job has started, gets its number; it leaves the list before it is freed. */
void rhm_jobs_enter(lua_State *L, int index);
void rhm_jobs_leave(struct rhm_job_object *object);

/* rhm.jobs(), and the fields that jobs and records have in common. */
int rhm_script_jobs(lua_State *L);

/* "done, accuracy 0.9875, 2.31 s" */
void rhm_job_outcome(const struct rhm_progress *progress, char *text, size_t size);

/* Jobs that are neither paused nor ended; a number that grows with whatever there is to see of jobs and of
 * layers trained by hand. */
int rhm_jobs_active(void);
uint64_t rhm_jobs_version(void);

/* Calls progress hooks and prints a line for each background job that ended; looks at most every 0.1 s.
 * Raises no error. */
void rhm_jobs_turn(lua_State *L);

/* The same at once: before the prompt of a shell that then waits for a line. */
void rhm_jobs_prompt(lua_State *L);

/* The first progress hook is there: what ended before is no news. */
void rhm_jobs_watched(void);

/* The hooks alone, as a wait does; now: also where they were called a moment ago. Raises no error. */
void rhm_jobs_call_hooks(lua_State *L, int now);

#endif
