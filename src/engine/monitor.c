/* monitor.c - see monitor.h. */
#include "monitor.h"

#include <math.h>
#include <string.h>
#include <time.h>

double rhm_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

const char *rhm_phase_name(enum rhm_layer_phase phase)
{
    static const char *const name[] = {"waiting", "sampling", "gram", "solving", "clusters", "done"};
    return name[phase];
}

const char *rhm_job_state_name(enum rhm_job_state state)
{
    static const char *const name[] = {"queued",   "running", "pausing", "paused",
                                       "stopping", "done",    "stopped", "failed"};
    return name[state];
}

enum rhm_status rhm_monitor_init(struct rhm_monitor *m, struct rhm_error *err)
{
    memset(m, 0, sizeof *m);
    atomic_init(&m->request, RHM_REQUEST_RUN);
    m->progress.accuracy = NAN;
    for (unsigned l = 0; l <= RHM_MAX_LEVELS; l++)
        m->progress.layer[l] = rhm_progress_unknown();
    if (pthread_mutex_init(&m->lock, NULL) != 0)
        return rhm_fail(err, RHM_EMEMORY, "the system gives no more locks");
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    int failed = pthread_cond_init(&m->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (failed == 0)
        return RHM_OK;
    pthread_mutex_destroy(&m->lock);
    return rhm_fail(err, RHM_EMEMORY, "the system gives no more locks");
}

void rhm_monitor_clear(struct rhm_monitor *m)
{
    pthread_cond_destroy(&m->changed);
    pthread_mutex_destroy(&m->lock);
}

struct rhm_progress_layer rhm_progress_unknown(void)
{
    return (struct rhm_progress_layer){.loss = NAN,
                                       .intra = NAN,
                                       .inter = NAN,
                                       .sigma = NAN,
                                       .rho = NAN,
                                       .eps_S = NAN,
                                       .gap = NAN,
                                       .error = NAN,
                                       .accuracy = NAN,
                                       .seconds = NAN};
}

/* Under the lock. */
static void set_state(struct rhm_monitor *m, enum rhm_job_state state)
{
    m->progress.state = state;
    m->progress.version++;
    pthread_cond_broadcast(&m->changed);
}

enum rhm_status rhm_monitor_poll(void *monitor, struct rhm_error *err)
{
    struct rhm_monitor *m = monitor;
    if (m == NULL || atomic_load_explicit(&m->request, memory_order_relaxed) == RHM_REQUEST_RUN)
        return RHM_OK;
    pthread_mutex_lock(&m->lock);
    if (atomic_load(&m->request) == RHM_REQUEST_PAUSE) {
        m->pause_began = rhm_clock();
        while (atomic_load(&m->request) == RHM_REQUEST_PAUSE) {
            if (m->progress.state != RHM_JOB_PAUSED) /* again, where a resume and a pause came while asleep */
                set_state(m, RHM_JOB_PAUSED);
            pthread_cond_wait(&m->changed, &m->lock);
        }
        m->paused_seconds += rhm_clock() - m->pause_began;
        m->pause_began = 0;
    }
    int stop = atomic_load(&m->request) == RHM_REQUEST_STOP;
    pthread_mutex_unlock(&m->lock);
    return stop ? rhm_fail(err, RHM_ESTOP, "stopped") : RHM_OK;
}

void rhm_monitor_layer(struct rhm_monitor *m, unsigned level, const struct rhm_progress_layer *layer)
{
    if (m == NULL)
        return;
    pthread_mutex_lock(&m->lock);
    m->progress.layer[level] = *layer;
    m->progress.level = level;
    m->progress.version++;
    pthread_mutex_unlock(&m->lock);
}

void rhm_monitor_level(struct rhm_monitor *m, unsigned level)
{
    if (m == NULL)
        return;
    pthread_mutex_lock(&m->lock);
    m->progress.level = level;
    m->progress.version++;
    pthread_mutex_unlock(&m->lock);
}

void rhm_monitor_state(struct rhm_monitor *m, enum rhm_job_state state)
{
    if (m == NULL)
        return;
    pthread_mutex_lock(&m->lock);
    set_state(m, state);
    pthread_mutex_unlock(&m->lock);
}

void rhm_monitor_ask(struct rhm_monitor *m, enum rhm_request request)
{
    pthread_mutex_lock(&m->lock);
    if (atomic_load(&m->request) != RHM_REQUEST_STOP)
        atomic_store(&m->request, (int)request);
    enum rhm_job_state state = m->progress.state;
    if (request == RHM_REQUEST_PAUSE && state == RHM_JOB_RUNNING)
        set_state(m, RHM_JOB_PAUSING);
    else if (request == RHM_REQUEST_RUN && (state == RHM_JOB_PAUSING || state == RHM_JOB_PAUSED))
        set_state(m, RHM_JOB_RUNNING); /* at once, so that whoever waits next waits for the next pause */
    else if (request == RHM_REQUEST_STOP && state < RHM_JOB_STOPPING)
        set_state(m, RHM_JOB_STOPPING);
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
}

double rhm_monitor_paused(struct rhm_monitor *m)
{
    pthread_mutex_lock(&m->lock);
    double seconds = m->paused_seconds + (m->pause_began > 0 ? rhm_clock() - m->pause_began : 0);
    pthread_mutex_unlock(&m->lock);
    return seconds;
}

void rhm_monitor_read(struct rhm_monitor *m, struct rhm_progress *out)
{
    pthread_mutex_lock(&m->lock);
    *out = m->progress;
    pthread_mutex_unlock(&m->lock);
}
