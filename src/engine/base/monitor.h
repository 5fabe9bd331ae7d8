/* monitor.h - what a long training shows of itself, and how it is asked to pause or stop.
 *
 * The training calls rhm_monitor_poll between blocks of work and publishes a snapshot of its progress;
 * whoever watches copies the snapshot. Neither ever waits for the other, except that poll sleeps while a
 * pause is asked for.
 */
#ifndef RHM_MONITOR_H
#define RHM_MONITOR_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "engine/base/branches.h"
#include "engine/base/error.h"
#include "engine/base/turn.h"

enum rhm_layer_phase {
    RHM_PHASE_WAITING,
    RHM_PHASE_SAMPLING, /* drawing and counting */
    RHM_PHASE_GRAM,     /* features and Gram matrix */
    RHM_PHASE_SOLVING,  /* GD steps or the factorisation */
    RHM_PHASE_CLUSTERS, /* outputs, dendrogram, codebook */
    RHM_PHASE_DONE
};
const char *rhm_phase_name(enum rhm_layer_phase phase);

enum rhm_job_state {
    RHM_JOB_QUEUED,
    RHM_JOB_RUNNING,
    RHM_JOB_PAUSING, /* asked to pause: the block in flight ends first */
    RHM_JOB_PAUSED,
    RHM_JOB_STOPPING,
    RHM_JOB_DONE,
    RHM_JOB_STOPPED,
    RHM_JOB_FAILED
};
const char *rhm_job_state_name(enum rhm_job_state state);

/* Numbers not known (yet) are nan. */
struct rhm_progress_layer {
    enum rhm_layer_phase phase;
    uint64_t n, drawn;    /* samples wanted, counted so far */
    uint64_t patches;     /* distinct patches */
    uint64_t step, steps; /* GD steps done, wanted (0: closed form) */
    double loss;
    double intra, inter; /* largest distance within, smallest between clusters (true parents where known) */
    double sigma, rho, eps_S, gap, error, seconds;
    double accuracy;   /* of the label that the largest entry of q^ names, for one patch (trainer.h) */
    double rate, left; /* samples or steps a second since the phase began, seconds it takes from here; the
                          monitor fills them */
};

#define RHM_WORK_MEASURES 6

/* What a training shows of the whole rather than of a layer: epochs of a convolutional network, sweeps of EM.
 * All texts are constants. */
struct rhm_work {
    const char *kind;                    /* "cnn", "refine", ...; NULL: a chain, which tells of its layers */
    const char *unit;                    /* "epoch", "sweep": what is counted; NULL: nothing */
    uint64_t done, all;                  /* all = 0: not known */
    const char *group;                   /* "layer", "start": what it is counted in; NULL: one whole */
    uint64_t member, members;            /* the one at work, of how many; from 1 */
    const char *stage;                   /* "gram", "solving"; NULL: none */
    const char *name[RHM_WORK_MEASURES]; /* "loss", "accuracy", ...; NULL: no more */
    double value[RHM_WORK_MEASURES];     /* nan: not known (yet) */
    double rate, left;                   /* as those of a layer; the monitor fills them */
};

struct rhm_progress {
    enum rhm_job_state state;
    unsigned L, level; /* level in work; 0 while the accuracy is measured, and after */
    double seconds;    /* since the start, pauses and the time in the queue not counted */
    double accuracy;
    uint64_t version;                                    /* grows with each change */
    struct rhm_progress_layer layer[RHM_MAX_LEVELS + 1]; /* 1..L */
    struct rhm_work work;
    struct rhm_error error;
};

/* The measures of work against what is counted, thinned to every 2nd, 4th, ... point where they are many. */
#define RHM_CURVE_POINTS 512
struct rhm_curve {
    size_t n;
    uint64_t offered, every;
    struct rhm_curve_point {
        uint64_t done;
        double value[RHM_WORK_MEASURES];
    } point[RHM_CURVE_POINTS];
};

enum rhm_request { RHM_REQUEST_RUN, RHM_REQUEST_PAUSE, RHM_REQUEST_STOP };

struct rhm_monitor {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    atomic_int request; /* enum rhm_request */
    struct rhm_progress progress;
    double idle_seconds;   /* in pauses and in the queue, those that have ended */
    double idle_began;     /* on rhm_clock; 0: at work */
    struct rhm_turn *turn; /* NULL: works whenever it likes; else in its turn alone */
    struct {
        unsigned level;
        enum rhm_layer_phase phase;
        const char *stage;
        double time; /* of work: rhm_clock less idle_seconds */
        uint64_t done;
    } since; /* where the phase began, for its rate */
    struct rhm_curve curve;
};

enum rhm_status rhm_monitor_init(struct rhm_monitor *m, struct rhm_error *err);
void rhm_monitor_clear(struct rhm_monitor *m);

/* Called by the worker before its first block: with a turn waits for it. As rhm_monitor_poll. */
enum rhm_status rhm_monitor_begin(struct rhm_monitor *m, struct rhm_error *err);

/* Called by the worker between blocks: RHM_OK, or RHM_ESTOP when asked to stop; sleeps while paused. m may be
 * NULL. The signature of rhm_poll_function (poll.h), with the monitor as context. */
enum rhm_status rhm_monitor_poll(void *monitor, struct rhm_error *err);

/* Called by the worker: sleeps, but not into a request to pause or stop. m may be NULL. */
void rhm_monitor_sleep(struct rhm_monitor *m, double seconds);

/* A layer of which nothing is known yet. */
struct rhm_progress_layer rhm_progress_unknown(void);

/* Called by the worker: changes the snapshot under the lock. m may be NULL. A layer that does not wait is the
 * one at work: its level is the snapshot's. */
void rhm_monitor_layer(struct rhm_monitor *m, unsigned level, const struct rhm_progress_layer *layer);
void rhm_monitor_level(struct rhm_monitor *m, unsigned level);
void rhm_monitor_accuracy(struct rhm_monitor *m, double accuracy);

/* The same of work; point: where a point is added to the curve, too (as a rule at work->done); 0: none is. */
void rhm_monitor_work(struct rhm_monitor *m, const struct rhm_work *work, uint64_t point);
void rhm_monitor_state(struct rhm_monitor *m, enum rhm_job_state state);

/* Called by the watcher. A stop once asked for stands: later requests change nothing. */
void rhm_monitor_ask(struct rhm_monitor *m, enum rhm_request request);
void rhm_monitor_read(struct rhm_monitor *m, struct rhm_progress *out);
void rhm_monitor_curve(struct rhm_monitor *m, struct rhm_curve *out);

/* Seconds spent in pauses and in the queue, the present one counted. */
double rhm_monitor_idle(struct rhm_monitor *m);

/* Grows with each change of any monitor's snapshot, and with rhm_monitor_changed: one look tells whether
 * there is something new to show. */
uint64_t rhm_monitor_changes(void);
void rhm_monitor_changed(void);

/* Seconds on the monotonic clock. */
double rhm_clock(void);

#endif
