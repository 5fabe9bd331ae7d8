/* results.c - see results.h. The table, errors, opening and closing; what is done with runs is in
 * results_runs.c. */
#include "engine/results/results_file.h"

#include <errno.h>
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
