/* monitor.c - see monitor.h. */
#include "engine/base/monitor.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>

/* No rate is told of less than this. */
#define RATE_SECONDS 0.1

static atomic_uint_fast64_t changes;

uint64_t rhm_monitor_changes(void)
{
    return atomic_load(&changes);
}

void rhm_monitor_changed(void)
{
    atomic_fetch_add(&changes, 1);
}

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
    m->progress.work.rate = m->progress.work.left = NAN;
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
                                       .seconds = NAN,
                                       .rate = NAN,
                                       .left = NAN};
}

/* Under the lock, as are all below without rhm_ in their names. */
static void changed(struct rhm_monitor *m)
{
    m->progress.version++;
    rhm_monitor_changed();
}

static void set_state(struct rhm_monitor *m, enum rhm_job_state state)
{
    m->progress.state = state;
    changed(m);
    pthread_cond_broadcast(&m->changed);
}

/* Until it may work, or has to stop. */
static void rest(struct rhm_monitor *m)
{
    if (!(m->idle_began > 0))
        m->idle_began = rhm_clock();
    for (int request; (request = atomic_load(&m->request)) != RHM_REQUEST_STOP;) {
        if (request == RHM_REQUEST_PAUSE) {
            if (m->turn)
                rhm_turn_give(m->turn);
            if (m->progress.state != RHM_JOB_PAUSED) /* again, where a resume and a pause came while asleep */
                set_state(m, RHM_JOB_PAUSED);
            pthread_cond_wait(&m->changed, &m->lock);
        } else if (m->turn && !rhm_turn_held(m->turn)) {
            pthread_mutex_unlock(&m->lock);
            rhm_turn_wait(m->turn, &m->request, RHM_REQUEST_RUN);
            pthread_mutex_lock(&m->lock);
        } else {
            if (m->progress.state == RHM_JOB_QUEUED)
                set_state(m, RHM_JOB_RUNNING);
            break;
        }
    }
    m->idle_seconds += rhm_clock() - m->idle_began;
    m->idle_began = 0;
}

enum rhm_status rhm_monitor_begin(struct rhm_monitor *m, struct rhm_error *err)
{
    pthread_mutex_lock(&m->lock);
    rest(m);
    int stop = atomic_load(&m->request) == RHM_REQUEST_STOP;
    pthread_mutex_unlock(&m->lock);
    return stop ? rhm_fail(err, RHM_ESTOP, "stopped") : RHM_OK;
}

enum rhm_status rhm_monitor_poll(void *monitor, struct rhm_error *err)
{
    struct rhm_monitor *m = monitor;
    if (m == NULL || atomic_load_explicit(&m->request, memory_order_relaxed) == RHM_REQUEST_RUN)
        return RHM_OK;
    return rhm_monitor_begin(m, err);
}

void rhm_monitor_sleep(struct rhm_monitor *m, double seconds)
{
    if (!(seconds > 0))
        return;
    struct timespec until;
    double end = rhm_clock() + fmin(seconds, 1e9), whole = floor(end);
    until = (struct timespec){(time_t)whole, (long)(1e9 * (end - whole))};
    if (m == NULL) {
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
            ;
        return;
    }
    pthread_mutex_lock(&m->lock);
    while (atomic_load(&m->request) == RHM_REQUEST_RUN &&
           pthread_cond_timedwait(&m->changed, &m->lock, &until) != ETIMEDOUT)
        ;
    pthread_mutex_unlock(&m->lock);
}

/* The mean rate since the phase began, pauses not counted, and what it promises. */
static void set_rate(struct rhm_monitor *m, unsigned level, struct rhm_progress_layer *layer)
{
    int stepping = layer->phase == RHM_PHASE_SOLVING && layer->steps > 0;
    uint64_t done = stepping ? layer->step : layer->drawn, all = stepping ? layer->steps : layer->n;
    double now = rhm_clock() - m->idle_seconds;
    layer->rate = layer->left = NAN;
    if (m->since.level != level || m->since.phase != layer->phase) {
        m->since.level = level;
        m->since.phase = layer->phase;
        m->since.time = now;
        m->since.done = done;
    }
    double seconds = now - m->since.time;
    if ((!stepping && layer->phase != RHM_PHASE_SAMPLING) || seconds < RATE_SECONDS || done <= m->since.done)
        return;
    layer->rate = (double)(done - m->since.done) / seconds;
    layer->left = all > done ? (double)(all - done) / layer->rate : 0;
}

void rhm_monitor_layer(struct rhm_monitor *m, unsigned level, const struct rhm_progress_layer *layer)
{
    if (m == NULL)
        return;
    pthread_mutex_lock(&m->lock);
    m->progress.layer[level] = *layer;
    set_rate(m, level, &m->progress.layer[level]);
    if (layer->phase != RHM_PHASE_WAITING)
        m->progress.level = level;
    changed(m);
    pthread_mutex_unlock(&m->lock);
}

void rhm_monitor_level(struct rhm_monitor *m, unsigned level)
{
    if (m == NULL)
        return;
    pthread_mutex_lock(&m->lock);
    m->progress.level = level;
    changed(m);
    pthread_mutex_unlock(&m->lock);
}

void rhm_monitor_accuracy(struct rhm_monitor *m, double accuracy)
{
    if (m == NULL)
        return;
    pthread_mutex_lock(&m->lock);
    m->progress.accuracy = accuracy;
    changed(m);
    pthread_mutex_unlock(&m->lock);
}

static void set_work_rate(struct rhm_monitor *m, struct rhm_work *work)
{
    double now = rhm_clock() - m->idle_seconds;
    work->rate = work->left = NAN;
    if (!(m->since.time > 0) || m->since.stage != work->stage || work->done < m->since.done) {
        m->since.stage = work->stage;
        m->since.time = now;
        m->since.done = work->done;
    }
    double seconds = now - m->since.time;
    if (work->unit == NULL || seconds < RATE_SECONDS || work->done == m->since.done)
        return;
    work->rate = (double)(work->done - m->since.done) / seconds;
    if (work->all > 0)
        work->left = work->all > work->done ? (double)(work->all - work->done) / work->rate : 0;
}

static void add_point(struct rhm_curve *curve, const struct rhm_work *work, uint64_t at)
{
    if (curve->every == 0)
        curve->every = 1;
    if (curve->offered++ % curve->every != 0)
        return;
    if (curve->n == RHM_CURVE_POINTS) {
        for (size_t i = 0; i < RHM_CURVE_POINTS / 2; i++)
            curve->point[i] = curve->point[2 * i];
        curve->n = RHM_CURVE_POINTS / 2;
        curve->every *= 2;
    }
    struct rhm_curve_point *point = &curve->point[curve->n++];
    point->done = at;
    memcpy(point->value, work->value, sizeof point->value);
}

void rhm_monitor_work(struct rhm_monitor *m, const struct rhm_work *work, uint64_t point)
{
    if (m == NULL)
        return;
    pthread_mutex_lock(&m->lock);
    m->progress.work = *work;
    set_work_rate(m, &m->progress.work);
    if (point > 0)
        add_point(&m->curve, work, point);
    changed(m);
    pthread_mutex_unlock(&m->lock);
}

void rhm_monitor_curve(struct rhm_monitor *m, struct rhm_curve *out)
{
    pthread_mutex_lock(&m->lock);
    *out = m->curve;
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

/* The state changes at once, so that whoever waits next waits for the next pause; so does the place in the
 * queue, before those that have not begun. */
static void resume(struct rhm_monitor *m)
{
    if (m->turn)
        rhm_turn_join(m->turn, 1);
    set_state(m, m->turn && !rhm_turn_held(m->turn) ? RHM_JOB_QUEUED : RHM_JOB_RUNNING);
}

void rhm_monitor_ask(struct rhm_monitor *m, enum rhm_request request)
{
    pthread_mutex_lock(&m->lock);
    if (atomic_load(&m->request) != RHM_REQUEST_STOP)
        atomic_store(&m->request, (int)request);
    enum rhm_job_state state = m->progress.state;
    if (request == RHM_REQUEST_PAUSE && (state == RHM_JOB_RUNNING || state == RHM_JOB_QUEUED))
        set_state(m, RHM_JOB_PAUSING);
    else if (request == RHM_REQUEST_RUN && (state == RHM_JOB_PAUSING || state == RHM_JOB_PAUSED))
        resume(m);
    else if (request == RHM_REQUEST_STOP && state < RHM_JOB_STOPPING)
        set_state(m, RHM_JOB_STOPPING);
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
    if (m->turn)
        rhm_turn_wake();
}

double rhm_monitor_idle(struct rhm_monitor *m)
{
    pthread_mutex_lock(&m->lock);
    double seconds = m->idle_seconds + (m->idle_began > 0 ? rhm_clock() - m->idle_began : 0);
    pthread_mutex_unlock(&m->lock);
    return seconds;
}

void rhm_monitor_read(struct rhm_monitor *m, struct rhm_progress *out)
{
    pthread_mutex_lock(&m->lock);
    *out = m->progress;
    pthread_mutex_unlock(&m->lock);
}
