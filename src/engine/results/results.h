/* results.h - runs of experiments in one SQLite file that survives a kill and merges with others.
 *
 * A run is named by its experiment, its parameters and its seed; a file holds each once. Every run is
 * committed by itself (write-ahead log), so that killing the writer loses nothing that was added. Beside the
 * table rhm_runs there is a view for each experiment, of the experiment's name, with a column for each
 * parameter and each measure: `select N, avg(accuracy) from sample_complexity group by N`.
 *
 * A file that is not such a database, or that is damaged, is an error and stays as it is.
 */
#ifndef RHM_RESULTS_H
#define RHM_RESULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/poll.h"

struct rhm_results; /* an open file */

/* Who has it open. Another program may have the file locked, for which a call waits up to
 * RHM_RESULTS_PATIENCE seconds: `waits` (NULL: nobody) hears of that some 50 times a second, with the seconds
 * so far. `poll` is asked as often, and in long passes over the file, whether to go on; if not, the call ends
 * with its status, and the file is as before. */
struct rhm_results_owner {
    rhm_poll_function *poll;
    void (*waits)(void *context, const char *path, double seconds);
    void *context;
};

#define RHM_RESULTS_PATIENCE 20

enum rhm_results_mode {
    RHM_RESULTS_READ,   /* must be there; nothing is written */
    RHM_RESULTS_WRITE,  /* must be there */
    RHM_RESULTS_CREATE, /* made where there is none, or an empty file */
};

struct rhm_run {
    const char *experiment; /* letters, digits, _ and -, beginning with a letter; not rhm_... or sqlite_... */
    const char *parameters; /* a JSON object; equal texts are equal parameters */
    int64_t seed;
    const char *measures; /* a JSON object; NULL where the run failed */
    const char *error;    /* why it failed, or NULL */
    const char *version;  /* of the program; NULL: unknown, as below */
    const char *host;
    double seconds;        /* wall time; nan: unknown */
    double started, ended; /* seconds since 1970; nan: unknown */
};

/* owner: NULL for none. Ended by rhm_results_close. */
enum rhm_status rhm_results_open(struct rhm_results **results, const char *path, enum rhm_results_mode mode,
                                 const struct rhm_results_owner *owner, struct rhm_error *err);

/* Brings the views up to date where runs were added. NULL is fine. */
void rhm_results_close(struct rhm_results *results);

const char *rhm_results_path(const struct rhm_results *results);

/* Adds a run, on disk when this returns. One that is there with the same name is replaced. */
enum rhm_status rhm_results_add(struct rhm_results *results, const struct rhm_run *run,
                                struct rhm_error *err);

/* *found: whether the run is there; *run as by rhm_results_next. */
enum rhm_status rhm_results_find(struct rhm_results *results, const char *experiment, const char *parameters,
                                 int64_t seed, struct rhm_run *run, bool *found, struct rhm_error *err);

/* Begins a pass over the runs of an experiment, or of all (NULL), in the order of their being added.
 * Adding and merging end it. */
enum rhm_status rhm_results_select(struct rhm_results *results, const char *experiment,
                                   struct rhm_error *err);

/* The next run of the pass; its texts are valid until the next call on `results`. *more: there was one. */
enum rhm_status rhm_results_next(struct rhm_results *results, struct rhm_run *run, bool *more,
                                 struct rhm_error *err);

struct rhm_results_experiment {
    char name[101];
    uint64_t runs, failed; /* failed: among the runs */
};

/* The i-th experiment of the file, from 0, in the order of their first runs. */
enum rhm_status rhm_results_experiment(struct rhm_results *results, size_t i,
                                       struct rhm_results_experiment *experiment, bool *found,
                                       struct rhm_error *err);

struct rhm_results_merged {
    uint64_t added;    /* runs that were not here */
    uint64_t replaced; /* failed here, done there */
    uint64_t equal;    /* the same here and there */
    uint64_t kept;     /* here with other measures, which stay */
};

/* Takes over the runs of another file, all or (on an error) none. */
enum rhm_status rhm_results_merge(struct rhm_results *results, const char *path,
                                  struct rhm_results_merged *merged, struct rhm_error *err);

/* Writes an experiment's view as CSV with a line of names; the file appears whole or not at all. */
enum rhm_status rhm_results_export(struct rhm_results *results, const char *experiment, const char *path,
                                   uint64_t *rows, struct rhm_error *err);

#endif
