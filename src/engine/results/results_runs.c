/* results_runs.c - runs: adding and finding them. See results.h. */
#include "engine/results/results_file.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum column {
    EXPERIMENT = 1,
    PARAMETERS,
    SEED,
    STATUS,
    ERROR,
    MEASURES,
    VERSION,
    HOST,
    SECONDS,
    STARTED,
    ENDED
};
#define COLUMNS                                                                                              \
    "experiment, parameters, seed, status, error, measures, version, host, seconds, started, ended"

/* --- adding ------------------------------------------------------------------------------------------- */

/* A name that can be a view's. */
static bool is_name(const char *name)
{
    if (!isalpha((unsigned char)name[0]) || strlen(name) > 100)
        return false;
    for (const char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p) && *p != '_' && *p != '-')
            return false;
    return strncmp(name, "rhm_", 4) != 0 && strncmp(name, "sqlite_", 7) != 0;
}

static int bind_text(sqlite3_stmt *s, int column, const char *text)
{
    return text ? sqlite3_bind_text(s, column, text, -1, SQLITE_STATIC) : sqlite3_bind_null(s, column);
}

static int bind_real(sqlite3_stmt *s, int column, double x)
{
    return isnan(x) ? sqlite3_bind_null(s, column) : sqlite3_bind_double(s, column, x);
}

static const char add_sql[] =
    "INSERT INTO rhm_runs (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
    " ON CONFLICT (experiment, parameters, seed) DO UPDATE SET status = ?4, error = ?5, measures = ?6,"
    " version = ?7, host = ?8, seconds = ?9, started = ?10, ended = ?11";

enum rhm_status rhm_results_add(struct rhm_results *r, const struct rhm_run *run, struct rhm_error *err)
{
    if (!is_name(run->experiment))
        return rhm_fail(
            err, RHM_EARG,
            "experiment '%.40s': must be a letter and then letters, digits, _ or -, at most 100, and "
            "not begin with rhm_ or sqlite_",
            run->experiment);
    if (r->readonly)
        return rhm_fail(err, RHM_ESTATE, "%s: opened for reading only", r->path);
    if (!r->add &&
        sqlite3_prepare_v3(r->db, add_sql, -1, SQLITE_PREPARE_PERSISTENT, &r->add, NULL) != SQLITE_OK)
        return rhm_results_fail(r, "write", err);
    rhm_results_end_reading(r);
    sqlite3_stmt *s = r->add;
    bool bound =
        bind_text(s, EXPERIMENT, run->experiment) == SQLITE_OK &&
        bind_text(s, PARAMETERS, run->parameters) == SQLITE_OK &&
        sqlite3_bind_int64(s, SEED, run->seed) == SQLITE_OK &&
        bind_text(s, STATUS, run->error ? "failed" : "done") == SQLITE_OK &&
        bind_text(s, ERROR, run->error) == SQLITE_OK && bind_text(s, MEASURES, run->measures) == SQLITE_OK &&
        bind_text(s, VERSION, run->version) == SQLITE_OK && bind_text(s, HOST, run->host) == SQLITE_OK &&
        bind_real(s, SECONDS, run->seconds) == SQLITE_OK &&
        bind_real(s, STARTED, run->started) == SQLITE_OK && bind_real(s, ENDED, run->ended) == SQLITE_OK;
    enum rhm_status status = RHM_OK;
    if (!bound || sqlite3_step(s) != SQLITE_DONE)
        status = (sqlite3_errcode(r->db) & 0xff) == SQLITE_CONSTRAINT
                     ? rhm_fail(err, RHM_EARG, "%s: parameters or measures are not JSON: %.60s", r->path,
                                run->parameters)
                     : rhm_results_fail(r, "write", err);
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    if (status != RHM_OK)
        return status;
    r->changed = true;
    if (!r->viewed && !sqlite3_get_autocommit(r->db))
        return RHM_OK; /* a merge, which makes the views at its end */
    if (!r->viewed) {  /* for those who look while runs are added, and in case of a kill */
        r->viewed = true;
        rhm_results_update_views(r);
    }
    return RHM_OK;
}

/* --- reading ------------------------------------------------------------------------------------------ */

static double real_of(sqlite3_stmt *s, int column)
{
    return sqlite3_column_type(s, column) == SQLITE_NULL ? NAN : sqlite3_column_double(s, column);
}

static void read_run(sqlite3_stmt *s, struct rhm_run *run)
{
    *run = (struct rhm_run){
        .experiment = (const char *)sqlite3_column_text(s, EXPERIMENT - 1),
        .parameters = (const char *)sqlite3_column_text(s, PARAMETERS - 1),
        .seed = sqlite3_column_int64(s, SEED - 1),
        .measures = (const char *)sqlite3_column_text(s, MEASURES - 1),
        .error = (const char *)sqlite3_column_text(s, ERROR - 1),
        .version = (const char *)sqlite3_column_text(s, VERSION - 1),
        .host = (const char *)sqlite3_column_text(s, HOST - 1),
        .seconds = real_of(s, SECONDS - 1),
        .started = real_of(s, STARTED - 1),
        .ended = real_of(s, ENDED - 1),
    };
}

enum rhm_status rhm_results_find(struct rhm_results *r, const char *experiment, const char *parameters,
                                 int64_t seed, struct rhm_run *run, bool *found, struct rhm_error *err)
{
    static const char sql[] =
        "SELECT " COLUMNS " FROM rhm_runs WHERE experiment = ?1 AND parameters = ?2 AND seed = ?3";
    *found = false;
    if (!r->find &&
        sqlite3_prepare_v3(r->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &r->find, NULL) != SQLITE_OK)
        return rhm_results_fail(r, "read", err);
    sqlite3_reset(r->find);
    int code = bind_text(r->find, 1, experiment) == SQLITE_OK &&
                       bind_text(r->find, 2, parameters) == SQLITE_OK &&
                       sqlite3_bind_int64(r->find, 3, seed) == SQLITE_OK
                   ? sqlite3_step(r->find)
                   : SQLITE_ERROR;
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        enum rhm_status status = rhm_results_fail(r, "read", err);
        sqlite3_reset(r->find);
        return status;
    }
    *found = code == SQLITE_ROW;
    if (*found)
        read_run(r->find, run);
    else
        sqlite3_reset(r->find);
    return RHM_OK;
}

enum rhm_status rhm_results_select(struct rhm_results *r, const char *experiment, struct rhm_error *err)
{
    static const char sql[] =
        "SELECT " COLUMNS " FROM rhm_runs WHERE ?1 IS NULL OR experiment = ?1 ORDER BY id";
    rhm_results_end_reading(r);
    if (sqlite3_prepare_v2(r->db, sql, -1, &r->pass, NULL) != SQLITE_OK)
        return rhm_results_fail(r, "read", err);
    if ((experiment ? sqlite3_bind_text(r->pass, 1, experiment, -1, SQLITE_TRANSIENT) : SQLITE_OK) !=
        SQLITE_OK)
        return rhm_results_fail(r, "read", err);
    return RHM_OK;
}

enum rhm_status rhm_results_next(struct rhm_results *r, struct rhm_run *run, bool *more,
                                 struct rhm_error *err)
{
    *more = false;
    if (!r->pass)
        return RHM_OK;
    int code = sqlite3_step(r->pass);
    if (code == SQLITE_ROW) {
        *more = true;
        read_run(r->pass, run);
        return RHM_OK;
    }
    enum rhm_status status = code == SQLITE_DONE ? RHM_OK : rhm_results_fail(r, "read", err);
    sqlite3_finalize(r->pass);
    r->pass = NULL;
    return status;
}

enum rhm_status rhm_results_experiment(struct rhm_results *r, size_t i,
                                       struct rhm_results_experiment *experiment, bool *found,
                                       struct rhm_error *err)
{
    static const char sql[] = "SELECT experiment, count(*), sum(status = 'failed') FROM rhm_runs"
                              " GROUP BY experiment ORDER BY min(id) LIMIT 1 OFFSET ?1";
    sqlite3_stmt *s;
    *found = false;
    sqlite3_reset(r->find);
    if (sqlite3_prepare_v2(r->db, sql, -1, &s, NULL) != SQLITE_OK)
        return rhm_results_fail(r, "read", err);
    int code = sqlite3_bind_int64(s, 1, (sqlite3_int64)i);
    code = code == SQLITE_OK ? sqlite3_step(s) : code;
    if (code == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(s, 0);
        snprintf(experiment->name, sizeof experiment->name, "%s", name ? name : "");
        experiment->runs = (uint64_t)sqlite3_column_int64(s, 1);
        experiment->failed = (uint64_t)sqlite3_column_int64(s, 2);
        *found = true;
    }
    enum rhm_status status =
        code == SQLITE_ROW || code == SQLITE_DONE ? RHM_OK : rhm_results_fail(r, "read", err);
    sqlite3_finalize(s);
    return status;
}
