/* results_table.c - see results.h. A view for each experiment, with a column for each parameter and measure,
 * and its export. */
#include "engine/results/results_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/output.h"

/* --- views -------------------------------------------------------------------------------------------- */

/* A parameter and a measure may have the same name, or that of one of these. */
static const char *const own_columns[] = {"seed", "status", "error", "seconds", "started", "version", "host"};

static bool is_taken(const sqlite3_str *sql, const char *name)
{
    for (size_t i = 0; i < sizeof own_columns / sizeof *own_columns; i++)
        if (sqlite3_stricmp(own_columns[i], name) == 0)
            return true;
    /* SQLite's names are the same in capitals. */
    char *column = sqlite3_mprintf("AS \"%w\",", name);
    const char *text = sqlite3_str_value((sqlite3_str *)sql);
    bool taken = !column;
    size_t n = column ? strlen(column) : 0;
    for (const char *p = text; p && *p && !taken; p++)
        taken = sqlite3_strnicmp(p, column, (int)n) == 0;
    sqlite3_free(column);
    return taken;
}

/* Appends `json_extract(parameters, '$."N"') AS "N",` for each key of the experiment's objects. */
static int add_columns(struct rhm_results *r, sqlite3_str *sql, const char *experiment, const char *object)
{
    char *keys = sqlite3_mprintf("SELECT DISTINCT key FROM rhm_runs, json_each(rhm_runs.%s)"
                                 " WHERE experiment = %Q AND key NOT LIKE '%%\"%%' ORDER BY key",
                                 object, experiment);
    sqlite3_stmt *statement = NULL;
    int code = keys ? sqlite3_prepare_v2(r->db, keys, -1, &statement, NULL) : SQLITE_NOMEM;
    sqlite3_free(keys);
    while (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *key = (const char *)sqlite3_column_text(statement, 0);
        sqlite3_str_appendf(sql, "json_extract(%s, '$.\"%q\"') AS \"%s%w\",", object, key,
                            is_taken(sql, key) ? (*object == 'p' ? "parameter_" : "measure_") : "", key);
        code = SQLITE_OK;
    }
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

char *rhm_results_view_sql(struct rhm_results *r, const char *experiment)
{
    sqlite3_str *sql = sqlite3_str_new(r->db);
    sqlite3_str_appendall(sql, "SELECT ");
    int code = add_columns(r, sql, experiment, "parameters");
    sqlite3_str_appendall(sql, "seed,");
    if (code == SQLITE_OK)
        code = add_columns(r, sql, experiment, "measures");
    sqlite3_str_appendf(sql,
                        "status, error, seconds, datetime(started, 'unixepoch') AS started, version, host"
                        " FROM rhm_runs WHERE experiment = %Q ORDER BY id",
                        experiment);
    char *text = sqlite3_str_finish(sql);
    if (code == SQLITE_OK)
        return text;
    sqlite3_free(text);
    return NULL;
}

/* Replaces the view where it is another one. */
static int update_view(struct rhm_results *r, const char *experiment)
{
    char *select = rhm_results_view_sql(r, experiment);
    char *create = select ? sqlite3_mprintf("CREATE VIEW \"%w\" AS %s", experiment, select) : NULL;
    sqlite3_free(select);
    char *find = sqlite3_mprintf("SELECT sql = %Q FROM sqlite_master WHERE name = %Q", create, experiment);
    sqlite3_stmt *statement = NULL;
    int code = create && find ? sqlite3_prepare_v2(r->db, find, -1, &statement, NULL) : SQLITE_NOMEM;
    sqlite3_free(find);
    bool same = false;
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
        same = code == SQLITE_ROW && sqlite3_column_int(statement, 0) == 1;
        code = code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
    }
    sqlite3_finalize(statement);
    if (code == SQLITE_OK && !same) {
        char *drop = sqlite3_mprintf("DROP VIEW IF EXISTS \"%w\"; %s", experiment, create);
        code = drop ? sqlite3_exec(r->db, drop, NULL, NULL, NULL) : SQLITE_NOMEM;
        sqlite3_free(drop);
    }
    sqlite3_free(create);
    return code;
}

int rhm_results_update_views(struct rhm_results *r)
{
    sqlite3_stmt *names = NULL;
    int code = sqlite3_exec(r->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (code != SQLITE_OK)
        return code;
    code = sqlite3_prepare_v2(r->db, "SELECT DISTINCT experiment FROM rhm_runs", -1, &names, NULL);
    while (code == SQLITE_OK && (code = sqlite3_step(names)) == SQLITE_ROW)
        code = update_view(r, (const char *)sqlite3_column_text(names, 0));
    sqlite3_finalize(names);
    if (code == SQLITE_DONE)
        code = sqlite3_exec(r->db, "COMMIT", NULL, NULL, NULL);
    if (code != SQLITE_OK)
        sqlite3_exec(r->db, "ROLLBACK", NULL, NULL, NULL);
    else
        r->changed = false;
    r->stopped.status = RHM_OK; /* nobody hears of it */
    return code;
}

/* --- CSV ---------------------------------------------------------------------------------------------- */

/* Quoted where it must be (RFC 4180). */
static void put_text(FILE *file, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, file);
        return;
    }
    fputc('"', file);
    for (const char *p = text; *p; p++) {
        if (*p == '"')
            fputc('"', file);
        fputc(*p, file);
    }
    fputc('"', file);
}

/* The shortest decimal number that reads back as the same double. */
static void put_real(FILE *file, double x)
{
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, x);
        if (strtod(text, NULL) == x)
            break;
    }
    fputs(text, file);
}

static void put_row(FILE *file, sqlite3_stmt *s)
{
    for (int i = 0; i < sqlite3_column_count(s); i++) {
        if (i > 0)
            fputc(',', file);
        switch (sqlite3_column_type(s, i)) {
        case SQLITE_NULL:
            break;
        case SQLITE_FLOAT:
            put_real(file, sqlite3_column_double(s, i));
            break;
        default: {
            const char *text = (const char *)sqlite3_column_text(s, i);
            put_text(file, text ? text : "");
        }
        }
    }
    fputc('\n', file);
}

static enum rhm_status put_rows(struct rhm_results *r, const char *experiment, sqlite3_stmt *s, FILE *file,
                                uint64_t *rows, struct rhm_error *err)
{
    for (int i = 0; i < sqlite3_column_count(s); i++) {
        fputs(i > 0 ? "," : "", file);
        put_text(file, sqlite3_column_name(s, i));
    }
    fputc('\n', file);
    int code;
    for (*rows = 0; (code = sqlite3_step(s)) == SQLITE_ROW; ++*rows)
        put_row(file, s);
    if (code != SQLITE_DONE)
        return rhm_results_fail(r, "read", err);
    if (*rows == 0)
        return rhm_fail(err, RHM_EARG, "%s: no runs of experiment '%.40s'", r->path, experiment);
    return RHM_OK;
}

enum rhm_status rhm_results_export(struct rhm_results *r, const char *experiment, const char *path,
                                   uint64_t *rows, struct rhm_error *err)
{
    sqlite3_stmt *statement = NULL;
    char *sql = rhm_results_view_sql(r, experiment);
    if (!sql || sqlite3_prepare_v2(r->db, sql, -1, &statement, NULL) != SQLITE_OK) {
        sqlite3_free(sql);
        return rhm_results_fail(r, "read", err);
    }
    sqlite3_free(sql);
    struct rhm_output out;
    enum rhm_status status = rhm_output_open(&out, path, err);
    if (status == RHM_OK) {
        status = put_rows(r, experiment, statement, out.file, rows, err);
        if (status == RHM_OK)
            status = rhm_output_commit(&out, err);
        else
            rhm_output_abandon(&out);
    }
    sqlite3_finalize(statement);
    return status;
}
