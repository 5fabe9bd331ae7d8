/* results_merge.c - see results.h. The runs of one file into another: what the shards of a sweep end with. */
#include "engine/results/results_file.h"

#include <string.h>
#include <sys/stat.h>

static bool equal_texts(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static enum rhm_status merge_run(struct rhm_results *r, const struct rhm_run *run,
                                 struct rhm_results_merged *merged, struct rhm_error *err)
{
    struct rhm_run own;
    bool found;
    enum rhm_status status =
        rhm_results_find(r, run->experiment, run->parameters, run->seed, &own, &found, err);
    if (status != RHM_OK)
        return status;
    if (found && (own.error ? run->error != NULL : true)) {
        if (!own.error && !run->error && !equal_texts(own.measures, run->measures))
            merged->kept++;
        else
            merged->equal++;
        return RHM_OK;
    }
    if (found)
        merged->replaced++;
    else
        merged->added++;
    return rhm_results_add(r, run, err);
}

static enum rhm_status merge_all(struct rhm_results *r, struct rhm_results *other,
                                 struct rhm_results_merged *merged, struct rhm_error *err)
{
    struct rhm_run run;
    bool more;
    enum rhm_status status = rhm_results_select(other, NULL, err);
    while (status == RHM_OK && (status = rhm_results_next(other, &run, &more, err)) == RHM_OK && more)
        status = merge_run(r, &run, merged, err);
    return status;
}

enum rhm_status rhm_results_merge(struct rhm_results *r, const char *path, struct rhm_results_merged *merged,
                                  struct rhm_error *err)
{
    *merged = (struct rhm_results_merged){0};
    struct stat here, there;
    if (stat(r->path, &here) == 0 && stat(path, &there) == 0 && here.st_dev == there.st_dev &&
        here.st_ino == there.st_ino)
        return rhm_fail(err, RHM_EARG, "%s: the same file as %s: nothing to merge", path, r->path);
    if (r->readonly)
        return rhm_fail(err, RHM_ESTATE, "%s: opened for reading only", r->path);
    struct rhm_results *other;
    enum rhm_status status = rhm_results_open(&other, path, RHM_RESULTS_READ, &r->owner, err);
    if (status != RHM_OK)
        return status;
    rhm_results_end_reading(r);
    if (sqlite3_exec(r->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        status = rhm_results_fail(r, "write", err);
    else if ((status = merge_all(r, other, merged, err)) == RHM_OK &&
             sqlite3_exec(r->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        status = rhm_results_fail(r, "write", err);
    if (status != RHM_OK) {
        sqlite3_reset(r->find);
        sqlite3_exec(r->db, "ROLLBACK", NULL, NULL, NULL);
        *merged = (struct rhm_results_merged){0};
    }
    rhm_results_close(other);
    if (status == RHM_OK && r->changed)
        rhm_results_update_views(r);
    return status;
}
