/* results_wait.c - see results.h. Waiting for who else has the file locked, and asking whether to go on. */
#include "engine/results/results_file.h"

#include "engine/base/monitor.h"

enum {
    SLICE_MILLISECONDS = 20,
    OPERATIONS = 100000 /* of SQLite's machine between two questions: about a millisecond */
};

/* Whether the owner wants no more, which the error of the call in work will say. */
static bool is_stopped(struct rhm_results *r)
{
    r->stopped.status = RHM_OK;
    return rhm_poll(r->owner.poll, r->owner.context, &r->stopped) != RHM_OK;
}

/* Called by SQLite where a lock is held by another; count: times in this wait. 0: give up. */
static int wait_busy(void *results, int count)
{
    struct rhm_results *r = results;
    double now = rhm_clock();
    if (count == 0)
        r->waiting = now;
    if (is_stopped(r) || now - r->waiting >= RHM_RESULTS_PATIENCE)
        return 0;
    if (r->owner.waits)
        r->owner.waits(r->owner.context, r->path, now - r->waiting);
    sqlite3_sleep(now - r->waiting < 0.1 ? 2 : SLICE_MILLISECONDS);
    return 1;
}

static int ask(void *results)
{
    return is_stopped(results);
}

void rhm_results_watch(struct rhm_results *r)
{
    sqlite3_busy_handler(r->db, wait_busy, r);
    if (r->owner.poll)
        sqlite3_progress_handler(r->db, OPERATIONS, ask, r);
}

/* For that SQLite makes a writer of a reader, and does not wait as it does elsewhere where another one is in
 * the way: two that began together would wait for each other. So it is begun anew. */
int rhm_results_log_ahead(struct rhm_results *r)
{
    double end = rhm_clock() + RHM_RESULTS_PATIENCE;
    int code;
    r->stopped.status = RHM_OK;
    for (int count = 0;; count++) {
        code = sqlite3_exec(r->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
        if (code != SQLITE_BUSY || r->stopped.status != RHM_OK || rhm_clock() > end || !wait_busy(r, count))
            return code;
    }
}
