/* results.c - see results.h. The table, opening and closing, adding and finding runs. */
#include "engine/results/results_file.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)

/* In the file's header: which program's it is ("rhmR"), and the form of the table. */
#define APPLICATION 1919446354
#define FORM        1

/* Times are UTC in SQLite's own form; seconds are real numbers. */
static const char schema[] = "PRAGMA application_id = " TEXT(
    APPLICATION) ";"
                 "PRAGMA user_version = " TEXT(
                     FORM) ";"
                           "CREATE TABLE rhm_runs ("
                           " id INTEGER PRIMARY KEY, experiment TEXT NOT NULL, parameters TEXT NOT NULL "
                           "CHECK (json_valid(parameters)),"
                           " seed INTEGER NOT NULL, status TEXT NOT NULL CHECK (status IN ('done', "
                           "'failed')), error TEXT,"
                           " measures TEXT CHECK (measures IS NULL OR json_valid(measures)), version TEXT, "
                           "host TEXT, seconds REAL,"
                           " started REAL, ended REAL, UNIQUE (experiment, parameters, seed));";

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

/* --- errors ------------------------------------------------------------------------------------------- */

static enum rhm_status no_database(const char *path, struct rhm_error *err)
{
    return rhm_fail(err, RHM_EFILE,
                    "%s: not an SQLite database; it stays as it is: name another file for results", path);
}

enum rhm_status rhm_results_fail(struct rhm_results *r, const char *what, struct rhm_error *err)
{
    int code = r->db ? sqlite3_errcode(r->db) & 0xff : SQLITE_NOMEM;
    const char *reason = r->db ? sqlite3_errmsg(r->db) : "out of memory";
    if (r->stopped.status != RHM_OK && (code == SQLITE_BUSY || code == SQLITE_INTERRUPT)) {
        enum rhm_status status = r->stopped.status;
        r->stopped.status = RHM_OK;
        return rhm_fail(err, status, "%s", r->stopped.text);
    }
    switch (code) {
    case SQLITE_NOMEM:
        return rhm_fail(err, RHM_EMEMORY, "%s: cannot %s: out of memory", r->path, what);
    case SQLITE_NOTADB:
        return no_database(r->path, err);
    case SQLITE_CORRUPT:
        return rhm_fail(
            err, RHM_EFILE,
            "%s: the database is damaged (%s); it stays as it is: use a copy, or save what can be read "
            "with: sqlite3 FILE .recover",
            r->path, reason);
    case SQLITE_FULL:
        return rhm_fail(
            err, RHM_EFILE,
            "%s: cannot %s: the disk is full; what was written before is safe: free some space and "
            "run again",
            r->path, what);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return rhm_fail(err, RHM_EFILE, "%s: cannot %s: another program has kept it locked for %d s", r->path,
                        what, RHM_RESULTS_PATIENCE);
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR: {
        int number = sqlite3_system_errno(r->db);
        return rhm_fail(err, RHM_EFILE, "%s: cannot %s: %s", r->path, what,
                        number != 0 ? strerror(number) : reason);
    }
    default:
        return rhm_fail(err, RHM_EFILE, "%s: cannot %s: %s", r->path, what, reason);
    }
}

/* --- opening ------------------------------------------------------------------------------------------ */

/* A number of four bytes, the highest first. */
static int64_t number_at(const unsigned char *bytes)
{
    return (int64_t)bytes[0] << 24 | (int64_t)bytes[1] << 16 | (int64_t)bytes[2] << 8 | bytes[3];
}

/* Whether the file is one of ours, by its header (sqlite.org/fileformat2.html), in which the two numbers are
 * from its first moment and never change. It is read as it is on disk, without locks: nothing is written or
 * made, also where another program was killed in the middle of a transaction or writes just now. Read by
 * SQLite, as to open and close the file here would end the locks that this process has on it. */
static enum rhm_status check_owner(struct rhm_results *r, struct rhm_error *err)
{
    enum { FORM_AT = 60, APPLICATION_AT = 68, HEADER = 100 };
    unsigned char header[HEADER] = {0};
    sqlite3_file *file = NULL;
    int code = sqlite3_file_control(r->db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (code == SQLITE_OK)
        code = file && file->pMethods ? file->pMethods->xRead(file, header, HEADER, 0) : SQLITE_ERROR;
    if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ)
        return rhm_fail(err, RHM_EFILE, "%s: cannot read: %s", r->path, sqlite3_errstr(code));
    if (code != SQLITE_OK || memcmp(header, "SQLite format 3", 16) != 0)
        return no_database(r->path, err);
    if (number_at(header + APPLICATION_AT) != APPLICATION)
        return rhm_fail(err, RHM_EFILE,
                        "%s: a database of another program, not of rhm's results; it stays as it is: name "
                        "another file",
                        r->path);
    if (number_at(header + FORM_AT) != FORM)
        return rhm_fail(err, RHM_EFILE, "%s: results of form %lld, this rhm knows form %d: use a newer rhm",
                        r->path, (long long)number_at(header + FORM_AT), FORM);
    if (sqlite3_exec(r->db, "SELECT json_valid('{}')", NULL, NULL, NULL) != SQLITE_OK)
        return rhm_fail(err, RHM_EFILE,
                        "%s: this SQLite (%s) lacks the functions for JSON: install one that has them",
                        r->path, sqlite3_libversion());
    return RHM_OK;
}

/* Damage is found before anything is written. */
static enum rhm_status check_health(struct rhm_results *r, struct rhm_error *err)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(r->db, "PRAGMA quick_check(1)", -1, &statement, NULL) != SQLITE_OK)
        return rhm_results_fail(r, "read", err);
    int code = sqlite3_step(statement);
    const char *verdict = code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
    enum rhm_status status = RHM_OK;
    if (!verdict) {
        status = rhm_results_fail(r, "read", err);
    } else if (strcmp(verdict, "ok") != 0) {
        const char *last = strrchr(verdict, '\n'); /* above it stands which database it is about */
        status =
            rhm_fail(err, RHM_EFILE,
                     "%s: the database is damaged (%s); it stays as it is: use a copy, or save what can be "
                     "read with: sqlite3 FILE .recover",
                     r->path, last ? last + 1 : verdict);
    }
    sqlite3_finalize(statement);
    return status;
}

/* A database is made under another name, so that at no moment a file of this name is half of one. */
static enum rhm_status create(const char *path, struct rhm_error *err)
{
    struct rhm_results new = {.path = sqlite3_mprintf("%s.new-%ld", path, (long)getpid())};
    if (!new.path)
        return rhm_fail(err, RHM_EMEMORY, "%s: cannot create: out of memory", path);
    enum rhm_status status = RHM_OK;
    unlink(new.path);
    if (sqlite3_open_v2(new.path, &new.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK ||
        sqlite3_exec(new.db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(new.db, schema, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(new.db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK) {
        struct rhm_results named = {.db = new.db, .path = (char *)path};
        status = rhm_results_fail(&named, "create", err);
    }
    sqlite3_close(new.db);
    struct stat there;
    /* Whoever else made it meanwhile has made the same; an empty file is nobody's. */
    if (status == RHM_OK && link(new.path, path) != 0 &&
        (errno != EEXIST || (stat(path, &there) == 0 && there.st_size == 0)) && rename(new.path, path) != 0)
        status = rhm_fail(err, RHM_EFILE, "%s: cannot create: %s", path, strerror(errno));
    unlink(new.path);
    sqlite3_free(new.path);
    return status;
}

static enum rhm_status open_file(struct rhm_results *r, enum rhm_results_mode mode, struct rhm_error *err)
{
    struct stat there;
    bool missing = stat(r->path, &there) != 0;
    if (missing && (errno != ENOENT || mode != RHM_RESULTS_CREATE))
        return rhm_fail(err, RHM_EFILE, "%s: cannot open: %s", r->path, strerror(errno));
    if (!missing && !S_ISREG(there.st_mode))
        return rhm_fail(err, RHM_EFILE, "%s: cannot open: not a regular file", r->path);
    if (!missing && there.st_size == 0 && mode != RHM_RESULTS_CREATE)
        return rhm_fail(err, RHM_EFILE, "%s: the file is empty: no results in it", r->path);
    enum rhm_status status = RHM_OK;
    if (missing || there.st_size == 0)
        status = create(r->path, err);
    if (status != RHM_OK)
        return status;

    /* Also who only reads may have to finish what a killed writer began, which takes a right to write. */
    bool write = mode != RHM_RESULTS_READ || access(r->path, W_OK) == 0;
    if (sqlite3_open_v2(r->path, &r->db, write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY, NULL) !=
        SQLITE_OK)
        return rhm_results_fail(r, "open", err);
    rhm_results_watch(r);
    if ((status = check_owner(r, err)) != RHM_OK || (status = check_health(r, err)) != RHM_OK)
        return status;
    if (mode == RHM_RESULTS_READ)
        sqlite3_exec(r->db, "PRAGMA query_only = ON", NULL, NULL, NULL);
    if (mode == RHM_RESULTS_READ)
        return RHM_OK;
    if (sqlite3_db_readonly(r->db, "main") == 1)
        return rhm_fail(err, RHM_EFILE, "%s: cannot write: the file or its folder is read only", r->path);
    /* Readers see the runs while they are added. Where files cannot be shared so, the old journal stays. */
    if (rhm_results_log_ahead(r) != SQLITE_OK ||
        sqlite3_exec(r->db, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL) != SQLITE_OK)
        return rhm_results_fail(r, "write", err);
    r->readonly = false;
    return RHM_OK;
}

enum rhm_status rhm_results_open(struct rhm_results **results, const char *path, enum rhm_results_mode mode,
                                 const struct rhm_results_owner *owner, struct rhm_error *err)
{
    *results = NULL;
    struct rhm_results *r = calloc(1, sizeof *r);
    if (r)
        r->path = strdup(path);
    if (!r || !r->path) {
        free(r);
        return rhm_fail(err, RHM_EMEMORY, "%s: cannot open: out of memory", path);
    }
    if (owner)
        r->owner = *owner;
    r->readonly = true; /* until it is known to be ours, whole and to be written */
    enum rhm_status status = open_file(r, mode, err);
    if (status != RHM_OK) {
        rhm_results_close(r);
        return status;
    }
    *results = r;
    return RHM_OK;
}

void rhm_results_end_reading(struct rhm_results *r)
{
    sqlite3_reset(r->find); /* NULL is fine */
    sqlite3_finalize(r->pass);
    r->pass = NULL;
}

void rhm_results_close(struct rhm_results *r)
{
    if (!r)
        return;
    sqlite3_finalize(r->add);
    rhm_results_end_reading(r);
    sqlite3_finalize(r->find);
    if (r->changed)
        rhm_results_update_views(r); /* they are a convenience: where this fails, the runs are there */
    /* One file without others beside it, to copy and to read everywhere; not while others have it open. */
    if (r->db && !r->readonly) {
        sqlite3_busy_timeout(r->db, 0);
        sqlite3_exec(r->db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    }
    sqlite3_close(r->db);
    free(r->path);
    free(r);
}

const char *rhm_results_path(const struct rhm_results *r)
{
    return r->path;
}

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
