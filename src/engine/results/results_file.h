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
};

/* "<path>: cannot <what>: <reason>", with what would help. */
enum rhm_status rhm_results_fail(const struct rhm_results *results, const char *what, struct rhm_error *err);

/* Ends what is being read, whose texts are then invalid. To be called before anything is written: SQLite does
 * not wait for others (as sqlite3_busy_timeout says) where a reader becomes a writer. */
void rhm_results_end_reading(struct rhm_results *results);

/* The SELECT of an experiment's view, freed by sqlite3_free; NULL without memory or where the file cannot be
 * read (sqlite3_errcode tells). */
char *rhm_results_view_sql(struct rhm_results *results, const char *experiment);

/* Makes the views of all experiments as their runs need them. Returns SQLite's code. */
int rhm_results_update_views(struct rhm_results *results);

#endif
