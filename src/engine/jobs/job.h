/* job.h - work on a thread of its own: watched, paused, stopped, in a queue. What the work is, its body says
 * (training.h has those of all that trains).
 */
#ifndef RHM_JOB_H
#define RHM_JOB_H

#include "engine/base/claim.h"
#include "engine/base/monitor.h"

struct rhm_job;

#define RHM_JOB_NAME_SIZE 64

struct rhm_job_body {
    void *self;
    char name[RHM_JOB_NAME_SIZE]; /* "train (8,4,2,3) exact" */
    /* Fills what is known before the work begins (L, the layers, the work's kind and unit). */
    void (*describe)(void *self, struct rhm_progress *progress);
    /* The work, on the job's thread; polls and feeds the monitor. */
    enum rhm_status (*run)(void *self, struct rhm_monitor *monitor, struct rhm_error *err);
    struct rhm_claim *claim;     /* run gives it back; the job does where it ends before its turn */
    void (*release)(void *self); /* at the end of the job's life */
};

/* Starts the work on a thread of its own. The body is the job's from now on, also where this fails. */
enum rhm_status rhm_job_start(struct rhm_job **job, const struct rhm_job_body *body, struct rhm_error *err);

/* The same, but one at a time: while another job of these works it is queued. A paused one gives its turn up,
 * and resumed waits for it before those that have not begun. */
enum rhm_status rhm_job_queue(struct rhm_job **job, const struct rhm_job_body *body, struct rhm_error *err);

const char *rhm_job_name(const struct rhm_job *job);
const void *rhm_job_self(const struct rhm_job *job); /* the body's */

/* Waits until the job ends or is paused, at most `seconds` (0: no wait; negative: no limit); returns its
 * state. */
enum rhm_job_state rhm_job_wait(struct rhm_job *job, double seconds);

/* pause: at the next block; what is trained can be read meanwhile. resume goes on to the same result, to the
 * last bit. stop: what is finished so far stays. All return at once. */
void rhm_job_pause(struct rhm_job *job);
void rhm_job_resume(struct rhm_job *job);
void rhm_job_stop(struct rhm_job *job);

void rhm_job_progress(struct rhm_job *job, struct rhm_progress *out);
void rhm_job_curve(struct rhm_job *job, struct rhm_curve *out);

/* Stops it if it runs, waits for its end, frees. */
void rhm_job_free(struct rhm_job *job);

#endif
