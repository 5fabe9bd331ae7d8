/* results_file.h - what the files about results share; not installed. */
#ifndef RHM_RESULTS_FILE_H
#define RHM_RESULTS_FILE_H

#include <sqlite3.h>

#include "engine/results/results.h"

struct rhm_results {
    sqlite3 *db;
    char *path;
    sqlite3_stmt *add, *find, *pass; /* made when first needed; pass is open between select and its end */
    bool readonly, changed, viewed;  /* changed since the views were made; made here */
    struct rhm_results_owner owner;
    struct rhm_error stopped; /* by the owner's poll, in the call in work */
    double waiting;           /* on rhm_clock: since when it is locked */
};

/* After opening: locks are waited for, and the owner is asked whether to go on (results_wait.c). */
void rhm_results_watch(struct rhm_results *results);

/* Turns to the write-ahead log. Returns SQLite's code. */
int rhm_results_log_ahead(struct rhm_results *results);

/* "<path>: cannot <what>: <reason>", with what would help. */
enum rhm_status rhm_results_fail(struct rhm_results *results, const char *what, struct rhm_error *err);

/* Ends what is being read, whose texts are then invalid. To be called before anything is written: SQLite does
 * not wait for others (as sqlite3_busy_handler says) where a reader becomes a writer. */
void rhm_results_end_reading(struct rhm_results *results);

/* The SELECT of an experiment's view, freed by sqlite3_free; NULL without memory or where the file cannot be
 * read (sqlite3_errcode tells). */
char *rhm_results_view_sql(struct rhm_results *results, const char *experiment);

/* Makes the views of all experiments as their runs need them. Returns SQLite's code. */
int rhm_results_update_views(struct rhm_results *results);

#endif
