/* work.c - see work.h. */
#include "script/work.h"

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "script/idle.h"
#include "script/interrupt.h"
#include "script/jobs.h"

enum { SLICE_NANOSECONDS = 20000000 };

struct work {
    rhm_work_function *function;
    void *context;
    struct rhm_monitor monitor;
    struct rhm_error *err;
    enum rhm_status status;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool done;
};

static void *run(void *argument)
{
    struct work *work = argument;
    work->status = work->function(work->context, &work->monitor, work->err);
    pthread_mutex_lock(&work->lock);
    work->done = true;
    pthread_cond_signal(&work->ended);
    pthread_mutex_unlock(&work->lock);
    return NULL;
}

static void watch(lua_State *L, struct work *work)
{
    bool asked = false;
    pthread_mutex_lock(&work->lock);
    while (!work->done) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += SLICE_NANOSECONDS;
        if (until.tv_nsec >= 1000000000) {
            until.tv_sec++;
            until.tv_nsec -= 1000000000;
        }
        if (pthread_cond_timedwait(&work->ended, &work->lock, &until) != 0 && !work->done) {
            pthread_mutex_unlock(&work->lock); /* the work may end meanwhile */
            rhm_idle_turn();
            rhm_jobs_call_hooks(L, 0);
            pthread_mutex_lock(&work->lock);
        }
        if (!asked && !work->done && rhm_interrupt_pending()) {
            asked = true;
            rhm_monitor_ask(&work->monitor, RHM_REQUEST_STOP);
        }
    }
    pthread_mutex_unlock(&work->lock);
}

enum rhm_status rhm_work_run(lua_State *L, rhm_work_function *function, void *context, struct rhm_error *err)
{
    struct work work = {.function = function, .context = context, .err = err};
    if (rhm_monitor_init(&work.monitor, err) != RHM_OK)
        return err->status;
    pthread_mutex_init(&work.lock, NULL);
    pthread_cond_init(&work.ended, NULL);
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, &work) == 0) {
        watch(L, &work);
        pthread_join(thread, NULL);
    } else {
        run(&work); /* no more threads: the same work, only without Ctrl-C */
    }
    pthread_cond_destroy(&work.ended);
    pthread_mutex_destroy(&work.lock);
    rhm_monitor_clear(&work.monitor);
    return work.status;
}
