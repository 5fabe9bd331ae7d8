/* job.c - see job.h. */
#include "engine/jobs/job.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/memory.h"
#include "engine/base/threads.h"

struct rhm_job {
    struct rhm_job_body body;
    struct rhm_monitor monitor;
    struct rhm_turn turn; /* of the queue; the monitor knows it where the job queues */
    pthread_t thread;
    double started;
};

static int has_ended(enum rhm_job_state state)
{
    return state == RHM_JOB_DONE || state == RHM_JOB_STOPPED || state == RHM_JOB_FAILED;
}

static void *work(void *argument)
{
    struct rhm_job *job = argument;
    struct rhm_error err = {0};
    rhm_threads_adopt();
    enum rhm_status status = rhm_monitor_begin(&job->monitor, &err);
    if (status == RHM_OK)
        status = job->body.run(job->body.self, &job->monitor, &err);
    else
        rhm_claim_give(job->body.claim);
    rhm_turn_give(&job->turn);
    pthread_mutex_lock(&job->monitor.lock);
    struct rhm_progress *progress = &job->monitor.progress;
    progress->level = 0;
    progress->error = err;
    progress->seconds = rhm_clock() - job->started - job->monitor.idle_seconds;
    pthread_mutex_unlock(&job->monitor.lock);
    rhm_monitor_state(&job->monitor, status == RHM_OK      ? RHM_JOB_DONE
                                     : status == RHM_ESTOP ? RHM_JOB_STOPPED
                                                           : RHM_JOB_FAILED);
    rhm_turn_give(
        &job->turn); /* again: a resume may have come between the two, after a pause it did not see */
    return NULL;
}

static enum rhm_status start(struct rhm_job **out, const struct rhm_job_body *body, int queues,
                             struct rhm_error *err)
{
    struct rhm_job *job = rhm_array(1, sizeof *job, "the job", err);
    enum rhm_status status = job ? rhm_monitor_init(&job->monitor, err) : RHM_EMEMORY;
    if (status != RHM_OK) {
        rhm_claim_give(body->claim);
        body->release(body->self);
        free(job);
        return status;
    }
    job->body = *body;
    body->describe(body->self, &job->monitor.progress);
    job->monitor.progress.state = RHM_JOB_RUNNING;
    job->started = rhm_clock();
    if (queues) {
        job->monitor.turn = &job->turn;
        rhm_turn_join(&job->turn, 0);
        if (!rhm_turn_held(&job->turn)) {
            job->monitor.progress.state = RHM_JOB_QUEUED;
            job->monitor.idle_began = job->started;
        }
    }
    int failed = pthread_create(&job->thread, NULL, work, job);
    if (failed) {
        rhm_turn_give(&job->turn);
        rhm_claim_give(body->claim);
        body->release(body->self);
        rhm_monitor_clear(&job->monitor);
        free(job);
        return rhm_fail(err, RHM_EMEMORY, "no thread for the job: %s", strerror(failed));
    }
    rhm_monitor_changed();
    *out = job;
    return RHM_OK;
}

enum rhm_status rhm_job_start(struct rhm_job **job, const struct rhm_job_body *body, struct rhm_error *err)
{
    return start(job, body, 0, err);
}

enum rhm_status rhm_job_queue(struct rhm_job **job, const struct rhm_job_body *body, struct rhm_error *err)
{
    return start(job, body, 1, err);
}

const char *rhm_job_name(const struct rhm_job *job)
{
    return job->body.name;
}

const void *rhm_job_self(const struct rhm_job *job)
{
    return job->body.self;
}

enum rhm_job_state rhm_job_wait(struct rhm_job *job, double seconds)
{
    struct rhm_monitor *m = &job->monitor;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    if (seconds > 0) {
        double whole = floor(seconds);
        until.tv_sec += (time_t)whole;
        until.tv_nsec += (long)((seconds - whole) * 1e9);
        if (until.tv_nsec >= 1000000000L) {
            until.tv_sec++;
            until.tv_nsec -= 1000000000L;
        }
    }
    pthread_mutex_lock(&m->lock);
    int late = 0;
    while (!late && !has_ended(m->progress.state) && m->progress.state != RHM_JOB_PAUSED) {
        if (seconds < 0)
            pthread_cond_wait(&m->changed, &m->lock);
        else
            late = pthread_cond_timedwait(&m->changed, &m->lock, &until) == ETIMEDOUT;
    }
    enum rhm_job_state state = m->progress.state;
    pthread_mutex_unlock(&m->lock);
    return state;
}

void rhm_job_pause(struct rhm_job *job)
{
    rhm_monitor_ask(&job->monitor, RHM_REQUEST_PAUSE);
}

void rhm_job_resume(struct rhm_job *job)
{
    rhm_monitor_ask(&job->monitor, RHM_REQUEST_RUN);
}

void rhm_job_stop(struct rhm_job *job)
{
    rhm_monitor_ask(&job->monitor, RHM_REQUEST_STOP);
}

void rhm_job_progress(struct rhm_job *job, struct rhm_progress *out)
{
    rhm_monitor_read(&job->monitor, out);
    if (!has_ended(out->state))
        out->seconds = fmax(0, rhm_clock() - job->started - rhm_monitor_idle(&job->monitor));
}

void rhm_job_curve(struct rhm_job *job, struct rhm_curve *out)
{
    rhm_monitor_curve(&job->monitor, out);
}

void rhm_job_free(struct rhm_job *job)
{
    if (job == NULL)
        return;
    rhm_job_stop(job);
    pthread_join(job->thread, NULL);
    rhm_monitor_clear(&job->monitor);
    job->body.release(job->body.self);
    free(job);
    rhm_monitor_changed();
}
