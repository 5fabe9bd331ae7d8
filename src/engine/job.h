/* job.h - a training on a worker thread. */
#ifndef RHM_JOB_H
#define RHM_JOB_H

#include "monitor.h"
#include "network.h"

struct rhm_job;

/* Starts the training of `net` on a thread of its own. The grammar is copied; net and the data set are the
 * caller's and must outlive the job. RHM_ESTATE where another job trains the network. */
enum rhm_status rhm_job_start(struct rhm_job **job, struct rhm_network *net,
                              const struct rhm_train_options *options, struct rhm_error *err);

/* The same, but one at a time: while another job of these works it is queued. A paused one gives its turn up,
 * and resumed waits for it before those that have not begun. The network is claimed at once. */
enum rhm_status rhm_job_queue(struct rhm_job **job, struct rhm_network *net,
                              const struct rhm_train_options *options, struct rhm_error *err);

/* Waits until the job ends or is paused, at most `seconds` (0: no wait; negative: no limit); returns its
 * state. */
enum rhm_job_state rhm_job_wait(struct rhm_job *job, double seconds);

/* pause: at the next block; the network can be read meanwhile. resume goes on to the same result, to the last
 * bit. stop: the layers finished so far stay. All return at once. */
void rhm_job_pause(struct rhm_job *job);
void rhm_job_resume(struct rhm_job *job);
void rhm_job_stop(struct rhm_job *job);

void rhm_job_progress(struct rhm_job *job, struct rhm_progress *out);

/* Stops it if it runs, waits for its end, frees. */
void rhm_job_free(struct rhm_job *job);

#endif
