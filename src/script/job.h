/* job.h - rhm.job: a training on a worker thread, and waiting for one in the foreground. */
#ifndef RHM_SCRIPT_JOB_H
#define RHM_SCRIPT_JOB_H

#include <lua.h>

#include "script/jobs.h"
#include "script/objects.h"

/* User values of a job: what it works on, which must outlive it; its result, once built. */
enum { RHM_JOB_SUBJECT = 1, RHM_JOB_SOURCE, RHM_JOB_RESULT, RHM_JOB_VALUES = RHM_JOB_RESULT };

/* A kind of training. What it trains keeps its last job in the user value RHM_SUBJECT_JOB. */
struct rhm_job_kind {
    const char *function; /* "network:train", of its errors */
    /* Makes the job's body (engine/training.h) for the model. */
    enum rhm_status (*make)(struct rhm_job_body *body, void *model, const void *options,
                            struct rhm_error *err);
    /* Pushes the result of a job that is done; self is its body's. */
    void (*push_result)(lua_State *L, void *model, const void *self, const struct rhm_progress *progress);
};

/* A training to start: indices are absolute; model is what the object at `subject` holds, `source` what the
 * options borrow. */
struct rhm_job_start {
    const struct rhm_job_kind *kind;
    int subject, source, background;
    void *model;
    const void *options;
};

/* A job of what stands at `subject` that has not ended is in the way of another: raises an error that says
 * what to do. One that is stopping is waited for. */
void rhm_job_check_idle(lua_State *L, const struct rhm_job_kind *kind, int subject);

/* Starts it, or queues it (background); pushes the job, which is then also the subject's. */
void rhm_job_push(lua_State *L, const struct rhm_job_start *start);

/* net:resume() of an object at 1. */
int rhm_job_resume_subject(lua_State *L, const char *function);

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

/* Reads background and progress of a training's arguments; a function stays on the stack, where `wait` finds
 * it, else nothing. */
void rhm_job_read_wait(const struct rhm_args *args, struct rhm_wait *wait, int *background);

/* Waits for the job at `index`; pushes its result, or nil and its state where it has none (yet): returns how
 * many. Ctrl-C and errors of the callback raise. */
int rhm_job_await(lua_State *L, int index, const struct rhm_wait *wait);

/* Pushes the table of a chain's result, of a snapshot, of a curve. */
void rhm_push_result(lua_State *L, struct rhm_network *net, const struct rhm_progress *progress);
void rhm_push_curve(lua_State *L, const struct rhm_work *work, const struct rhm_curve *curve);
void rhm_push_progress(lua_State *L, const struct rhm_progress *progress);

/* The one line of a snapshot. */
void rhm_progress_line(const struct rhm_progress *progress, char *text, size_t size);

#endif
