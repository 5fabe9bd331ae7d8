/* t-results.c - results of experiments: a file holds each run once, refuses what is not its own, merges. */
#include "scratch.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "common.h"
#include "engine/results/results.h"

static struct rhm_results *open_results(const char *name, enum rhm_results_mode mode)
{
    struct rhm_results *r = NULL;
    must(rhm_results_open(&r, in_folder(name), mode, NULL, &err));
    assert_string_equal(rhm_results_path(r), in_folder(name));
    return r;
}

static void add(struct rhm_results *r, const char *experiment, const char *parameters, int64_t seed,
                const char *measures, const char *error)
{
    struct rhm_run run = {.experiment = experiment,
                          .parameters = parameters,
                          .seed = seed,
                          .measures = measures,
                          .error = error,
                          .version = "1.0",
                          .host = "here",
                          .seconds = 0.25,
                          .started = 1000000000,
                          .ended = 1000000000.25};
    must(rhm_results_add(r, &run, &err));
}

/* All runs as "experiment parameters seed measures error\n". */
static const char *listing(struct rhm_results *r, const char *experiment)
{
    static char text[4096];
    struct rhm_run run;
    bool more;
    text[0] = '\0';
    must(rhm_results_select(r, experiment, &err));
    for (;;) {
        must(rhm_results_next(r, &run, &more, &err));
        if (!more)
            break;
        size_t n = strlen(text);
        snprintf(text + n, sizeof text - n, "%s %s %lld %s %s\n", run.experiment, run.parameters,
                 (long long)run.seed, run.measures ? run.measures : "-", run.error ? run.error : "-");
    }
    return text;
}

static const char *content(const char *name)
{
    static char text[8192];
    text[read_bytes(name, text, sizeof text - 1)] = '\0';
    return text;
}

static void test_runs_come_back(void **state)
{
    (void)state;
    struct rhm_results *r = open_results("a.db", RHM_RESULTS_CREATE);
    assert_string_equal(listing(r, NULL), "");
    add(r, "one", "{\"N\":100}", 1, "{\"accuracy\":0.5}", NULL);
    add(r, "one", "{\"N\":100}", 2, NULL, "no \"luck\"");
    add(r, "two", "{\"N\":100}", 1, "{}", NULL);
    assert_string_equal(listing(r, "one"),
                        "one {\"N\":100} 1 {\"accuracy\":0.5} -\none {\"N\":100} 2 - no \"luck\"\n");
    assert_string_equal(listing(r, "none"), "");
    add(r, "one", "{\"N\":100}", 2, "{\"accuracy\":1}", NULL); /* replaces the failed one */
    rhm_results_close(r);

    r = open_results("a.db", RHM_RESULTS_READ);
    assert_string_equal(listing(r, NULL),
                        "one {\"N\":100} 1 {\"accuracy\":0.5} -\none {\"N\":100} 2 {\"accuracy\":1} -\n"
                        "two {\"N\":100} 1 {} -\n");
    struct rhm_run run;
    bool found;
    must(rhm_results_find(r, "one", "{\"N\":100}", 2, &run, &found, &err));
    assert_true(found);
    assert_string_equal(run.measures, "{\"accuracy\":1}");
    assert_string_equal(run.version, "1.0");
    assert_string_equal(run.host, "here");
    assert_true(run.seconds == 0.25 && run.started == 1000000000 && run.ended == 1000000000.25);
    must(rhm_results_find(r, "one", "{\"N\":100}", 3, &run, &found, &err));
    assert_false(found);
    must(rhm_results_find(r, "one", "{\"N\":1000}", 2, &run, &found, &err));
    assert_false(found);
    struct rhm_run more = {.experiment = "one", .parameters = "{}", .measures = "{}"};
    must_fail(rhm_results_add(r, &more, &err), RHM_ESTATE, "a.db", "reading only");
    rhm_results_close(r);
    rhm_results_close(NULL);
}

static void test_names_and_json_are_checked(void **state)
{
    (void)state;
    struct rhm_results *r = open_results("names.db", RHM_RESULTS_CREATE);
    static const char *const bad[] = {"", "1st", "a b", "rhm_runs", "sqlite_x", "a\"b", "a;b"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct rhm_run run = {.experiment = bad[i], .parameters = "{}", .measures = "{}"};
        must_fail(rhm_results_add(r, &run, &err), RHM_EARG, "experiment", bad[i]);
    }
    struct rhm_run run = {.experiment = "a", .parameters = "{N=1}", .measures = "{}"};
    must_fail(rhm_results_add(r, &run, &err), RHM_EARG, "JSON", "{N=1}");
    run = (struct rhm_run){.experiment = "a", .parameters = "{}", .measures = "nan"};
    must_fail(rhm_results_add(r, &run, &err), RHM_EARG, "JSON");
    add(r, "a-b_C9", "{}", 1, "{}", NULL); /* after a refusal all works as before */
    assert_string_equal(listing(r, NULL), "a-b_C9 {} 1 {} -\n");
    rhm_results_close(r);
}

/* The error names the file and each word; the file's bytes are as before, and nothing stands beside it. */
static void assert_untouched(const char *name, const void *bytes, size_t size, const char *word)
{
    char *after = room(size + 1, 1);
    struct rhm_results *r = NULL;
    write_bytes(name, bytes, size);
    for (enum rhm_results_mode mode = RHM_RESULTS_READ; mode <= RHM_RESULTS_CREATE; mode++) {
        must_fail(rhm_results_open(&r, in_folder(name), mode, NULL, &err), RHM_EFILE, in_folder(name), word);
        assert_null(r);
        assert_int_equal(read_bytes(name, after, size + 1), size);
        assert_memory_equal(after, bytes, size);
        char beside[64];
        snprintf(beside, sizeof beside, "%s-wal", name);
        assert_int_equal(access(in_folder(beside), F_OK), -1);
    }
    free(after);
}

static void test_foreign_files_stay(void **state)
{
    (void)state;
    assert_untouched("text.db", "N,accuracy\n100,0.5\n", 19, "not an SQLite database");
    sqlite3 *db;
    assert_int_equal(sqlite3_open(in_folder("other.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE songs (name TEXT)", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    char *bytes = room(1 << 20, 1);
    size_t size = read_bytes("other.db", bytes, 1 << 20);
    assert_untouched("foreign.db", bytes, size, "another program");

    rhm_results_close(open_results("form.db", RHM_RESULTS_CREATE));
    assert_int_equal(sqlite3_open(in_folder("form.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 7", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    size = read_bytes("form.db", bytes, 1 << 20);
    assert_untouched("newer.db", bytes, size, "newer rhm");
    free(bytes);
}

static void test_damage_is_found(void **state)
{
    (void)state;
    struct rhm_results *r = open_results("whole.db", RHM_RESULTS_CREATE);
    for (int i = 0; i < 400; i++)
        add(r, "one", "{\"N\":100}", i, "{\"accuracy\":0.5}", NULL);
    rhm_results_close(r);
    char *bytes = room(1 << 20, 1);
    size_t size = read_bytes("whole.db", bytes, 1 << 20);
    assert_true(size > 16384);
    memset(bytes + 4096, 0x5a, size - 8192); /* all pages but the first and the last */
    assert_untouched("damaged.db", bytes, size, "damaged");
    read_bytes("whole.db", bytes, 1 << 20);
    assert_untouched("short.db", bytes, size / 2, "damaged");
    free(bytes);
}

static void test_missing_and_empty(void **state)
{
    (void)state;
    struct rhm_results *r = NULL;
    must_fail(rhm_results_open(&r, in_folder("none.db"), RHM_RESULTS_READ, NULL, &err), RHM_EFILE, "none.db",
              "No such file");
    must_fail(rhm_results_open(&r, in_folder("none.db"), RHM_RESULTS_WRITE, NULL, &err), RHM_EFILE,
              "No such file");
    must_fail(rhm_results_open(&r, in_folder("no/such.db"), RHM_RESULTS_CREATE, NULL, &err), RHM_EFILE,
              "no/such.db", "cannot create", "No such file");
    must_fail(rhm_results_open(&r, folder, RHM_RESULTS_CREATE, NULL, &err), RHM_EFILE, "not a regular file");
    for (int i = 0; i < 2;
         i++) { /* made, then found; characters that a URI gives a meaning, and a root of two slashes */
        char path[600];
        snprintf(path, sizeof path, "/%s", in_folder("odd ?&=#%41.db"));
        must(rhm_results_open(&r, path, RHM_RESULTS_CREATE, NULL, &err));
        rhm_results_close(r);
        assert_int_equal(access(path, F_OK), 0);
    }
    write_text("empty.db", "");
    must_fail(rhm_results_open(&r, in_folder("empty.db"), RHM_RESULTS_READ, NULL, &err), RHM_EFILE, "empty");
    r = open_results("empty.db", RHM_RESULTS_CREATE);
    add(r, "one", "{}", 1, "{}", NULL);
    rhm_results_close(r);
    r = open_results("empty.db", RHM_RESULTS_WRITE);
    assert_string_equal(listing(r, NULL), "one {} 1 {} -\n");
    rhm_results_close(r);
}

/* A process that is killed keeps every run that it has added. */
static void test_kill(void **state)
{
    (void)state;
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct rhm_results *r = NULL;
        struct rhm_run run = {.experiment = "one", .parameters = "{}", .measures = "{}"};
        if (rhm_results_open(&r, in_folder("kill.db"), RHM_RESULTS_CREATE, NULL, NULL) != RHM_OK)
            _exit(1);
        for (run.seed = 1; run.seed <= 50; run.seed++)
            if (rhm_results_add(r, &run, NULL) != RHM_OK)
                _exit(1);
        if (write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    assert_true(pid > 0);
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    struct rhm_results *r = open_results("kill.db", RHM_RESULTS_WRITE);
    struct rhm_run run;
    bool found;
    for (int64_t seed = 1; seed <= 50; seed++) {
        must(rhm_results_find(r, "one", "{}", seed, &run, &found, &err));
        assert_true(found);
    }
    rhm_results_close(r);
}

/* A process that is killed in the middle of a transaction leaves a journal beside a file that is half
 * written: whoever opens it next, also for reading, sees what was committed. */
static void test_kill_in_a_transaction(void **state)
{
    (void)state;
    for (enum rhm_results_mode mode = RHM_RESULTS_READ; mode <= RHM_RESULTS_CREATE; mode++) {
        remove(in_folder("hot.db"));
        struct rhm_results *r = open_results("hot.db", RHM_RESULTS_CREATE);
        for (int i = 0; i < 400; i++)
            add(r, "one", "{\"N\":100}", i, "{\"accuracy\":0.5}", NULL);
        rhm_results_close(r);
        pid_t pid = fork();
        if (pid == 0) {
            sqlite3 *db;
            sqlite3_open(in_folder("hot.db"), &db);
            sqlite3_exec(
                db, "PRAGMA cache_size = 1; BEGIN; UPDATE rhm_runs SET measures = '{}', status = 'failed';",
                NULL, NULL, NULL);
            _exit(sqlite3_db_cacheflush(db));
        }
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_int_equal(access(in_folder("hot.db-journal"), F_OK), 0);
        r = open_results("hot.db", mode);
        struct rhm_results_experiment experiment;
        bool found;
        must(rhm_results_experiment(r, 0, &experiment, &found, &err));
        assert_true(found);
        assert_int_equal(experiment.runs, 400);
        assert_int_equal(experiment.failed, 0);
        rhm_results_close(r);
    }
}

/* Processes that make and open a new file at the same moment, add to it and close it: none is refused, no run
 * is lost. Every other round they add more while others open and close. */
static void test_all_open_at_once(void **state)
{
    (void)state;
    enum { WRITERS = 8 };
    for (int round = getenv("VALGRIND") ? 17 : 0; round < 20; round++) {
        int start[2], told[2], runs = round % 2 ? 5 : 1;
        remove(in_folder("once.db"));
        assert_int_equal(pipe(start), 0);
        assert_int_equal(pipe(told), 0);
        for (int k = 0; k < WRITERS; k++) {
            pid_t pid = fork();
            assert_true(pid >= 0);
            if (pid > 0)
                continue;
            struct rhm_results *r = NULL;
            struct rhm_run run = {.experiment = "one", .parameters = "{}", .measures = "{}"};
            struct rhm_error why = {0};
            char byte;
            close(start[1]);
            enum rhm_status status =
                read(start[0], &byte, 1) == 0 ? RHM_OK : RHM_EFILE; /* its end is the sign */
            for (int i = 0; i < runs && status == RHM_OK; i++) {
                run.seed = k * runs + i;
                status = rhm_results_open(&r, in_folder("once.db"), RHM_RESULTS_CREATE, NULL, &why);
                if (status == RHM_OK)
                    status = rhm_results_add(r, &run, &why);
                rhm_results_close(r);
            }
            if (status != RHM_OK && write(told[1], why.text, strlen(why.text)) < 0)
                _exit(2);
            _exit(status != RHM_OK);
        }
        close(told[1]);
        close(start[0]);
        close(start[1]);
        for (int k = 0; k < WRITERS; k++)
            assert_true(wait(NULL) > 0);
        char text[1000];
        ssize_t size = read(told[0], text, sizeof text - 1);
        assert_true(size >= 0);
        text[size] = '\0';
        close(told[0]);
        assert_string_equal(text, "");
        struct rhm_results *r = open_results("once.db", RHM_RESULTS_WRITE);
        struct rhm_results_experiment experiment;
        bool found;
        must(rhm_results_experiment(r, 0, &experiment, &found, &err));
        assert_true(found);
        assert_int_equal(experiment.runs, WRITERS * runs);
        rhm_results_close(r);
    }
}

static unsigned asked, heard;

static enum rhm_status ask(void *limit, struct rhm_error *why)
{
    return ++asked > *(unsigned *)limit ? rhm_fail(why, RHM_ESTOP, "enough") : RHM_OK;
}

static void hear(void *limit, const char *path, double seconds)
{
    (void)limit;
    assert_string_equal(path, in_folder("locked.db"));
    assert_true(seconds >= 0 && seconds < 5);
    heard++;
}

/* What is waited for while another has the file locked is heard of and can be stopped; the file is usable as
 * soon as it is free. */
static void test_waiting_stops(void **state)
{
    (void)state;
    unsigned limit = 1000000;
    struct rhm_results_owner owner = {.poll = ask, .waits = hear, .context = &limit};
    struct rhm_results *r = NULL, *second = NULL;
    struct rhm_run run = {.experiment = "one", .parameters = "{}", .seed = 7, .measures = "{}"};
    sqlite3 *db;
    must(rhm_results_open(&r, in_folder("locked.db"), RHM_RESULTS_CREATE, &owner, &err));
    add(r, "one", "{}", 1, "{}", NULL);
    assert_int_equal(sqlite3_open(in_folder("locked.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    asked = heard = 0;
    limit = 10;
    must_fail(rhm_results_add(r, &run, &err), RHM_ESTOP, "enough", "");
    assert_int_equal(heard, 10);
    assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    must(rhm_results_add(r, &run, &err));
    assert_string_equal(listing(r, NULL), "one {} 1 {} -\none {} 7 {} -\n");
    rhm_results_close(r);

    /* opening, with the whole file locked, as it is without the write-ahead log */
    assert_int_equal(sqlite3_exec(db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    for (enum rhm_results_mode mode = RHM_RESULTS_READ; mode <= RHM_RESULTS_CREATE; mode++) {
        asked = heard = 0;
        must_fail(rhm_results_open(&second, in_folder("locked.db"), mode, &owner, &err), RHM_ESTOP, "enough",
                  "");
        assert_null(second);
        assert_int_equal(heard, 10);
    }
    assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    asked = 0;
    must(rhm_results_open(&r, in_folder("locked.db"), RHM_RESULTS_WRITE, &owner, &err));

    /* a long pass: some 10^6 operations of SQLite's machine */
    assert_int_equal(
        sqlite3_exec(db,
                     "INSERT INTO rhm_runs (experiment, parameters, seed, status, measures) WITH "
                     "RECURSIVE t(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM t WHERE i < 40000)"
                     " SELECT 'one', '{}', i, 'done', '{}' FROM t",
                     NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    struct rhm_results_merged merged;
    struct rhm_results *other = open_results("taken.db", RHM_RESULTS_CREATE);
    rhm_results_close(other);
    must(rhm_results_open(&other, in_folder("taken.db"), RHM_RESULTS_WRITE, &owner, &err));
    limit = asked;
    must_fail(rhm_results_merge(other, in_folder("locked.db"), &merged, &err), RHM_ESTOP, "enough", "");
    assert_int_equal(merged.added, 0);
    assert_string_equal(listing(other, NULL), "");
    limit = 1000000;
    must(rhm_results_merge(other, in_folder("locked.db"), &merged, &err));
    assert_int_equal(merged.added, 39903);
    rhm_results_close(other);
    rhm_results_close(r);
}

/* Who is in the middle of reading sees what another adds, and can add. */
static void test_reading_keeps_nobody(void **state)
{
    (void)state;
    struct rhm_results *a = open_results("two.db", RHM_RESULTS_CREATE),
                       *b = open_results("two.db", RHM_RESULTS_WRITE),
                       *c = open_results("c.db", RHM_RESULTS_CREATE);
    struct rhm_results_merged merged;
    struct rhm_run run;
    bool found, more;
    add(a, "one", "{}", 1, "{}", NULL);
    add(a, "one", "{}", 2, "{}", NULL);
    add(c, "one", "{}", 5, "{}", NULL);
    must(rhm_results_find(a, "one", "{}", 1, &run, &found, &err));
    assert_true(found);
    add(b, "one", "{}", 3, "{}", NULL);
    assert_string_equal(listing(a, "one"), "one {} 1 {} -\none {} 2 {} -\none {} 3 {} -\n");
    must(rhm_results_select(a, NULL, &err));
    must(rhm_results_next(a, &run, &more, &err));
    assert_true(more);
    add(b, "one", "{}", 4, "{}", NULL);
    add(a, "two", "{}", 1, "{}", NULL);
    must(rhm_results_next(a, &run, &more, &err));
    assert_false(more);
    must(rhm_results_find(a, "one", "{}", 1, &run, &found, &err));
    assert_true(found);
    add(b, "one", "{}", 6, "{}", NULL);
    must(rhm_results_merge(a, in_folder("c.db"), &merged, &err));
    assert_int_equal(merged.added, 1);
    rhm_results_close(a);
    rhm_results_close(b);
    rhm_results_close(c);
}

static void test_merge(void **state)
{
    (void)state;
    struct rhm_results *a = open_results("ma.db", RHM_RESULTS_CREATE),
                       *b = open_results("mb.db", RHM_RESULTS_CREATE);
    add(a, "one", "{}", 1, "{\"x\":1}", NULL);
    add(a, "one", "{}", 2, NULL, "failed here");
    add(a, "one", "{}", 3, "{\"x\":3}", NULL);
    add(a, "one", "{}", 4, "{\"x\":4}", NULL);
    add(b, "one", "{}", 2, "{\"x\":2}", NULL);
    add(b, "one", "{}", 3, "{\"x\":3}", NULL);
    add(b, "one", "{}", 4, "{\"x\":-4}", NULL);
    add(b, "one", "{}", 1, NULL, "failed there");
    add(b, "one", "{}", 5, "{\"x\":5}", NULL);
    struct rhm_results_merged merged;
    must(rhm_results_merge(a, in_folder("mb.db"), &merged, &err)); /* b is open: both read it */
    assert_int_equal(merged.added, 1);
    assert_int_equal(merged.replaced, 1);
    assert_int_equal(merged.equal, 2);
    assert_int_equal(merged.kept, 1);
    assert_string_equal(listing(a, NULL), "one {} 1 {\"x\":1} -\none {} 2 {\"x\":2} -\none {} 3 {\"x\":3} -\n"
                                          "one {} 4 {\"x\":4} -\none {} 5 {\"x\":5} -\n");
    must(rhm_results_merge(a, in_folder("mb.db"), &merged, &err));
    assert_int_equal(merged.added + merged.replaced, 0);
    must_fail(rhm_results_merge(a, in_folder("ma.db"), &merged, &err), RHM_EARG, "same file");
    must_fail(rhm_results_merge(a, in_folder("none.db"), &merged, &err), RHM_EFILE, "none.db");
    write_text("text2.db", "no database at all, but long enough to be looked at by SQLite\n");
    must_fail(rhm_results_merge(a, in_folder("text2.db"), &merged, &err), RHM_EFILE, "text2.db",
              "not an SQLite");
    rhm_results_close(a);
    rhm_results_close(b);
}

static void test_export(void **state)
{
    (void)state;
    struct rhm_results *r = open_results("e.db", RHM_RESULTS_CREATE);
    uint64_t rows;
    add(r, "one", "{\"N\":100,\"kind\":\"a,\\\"b\\\"\",\"seed\":7}", 1, "{\"accuracy\":0.1,\"n\":3}", NULL);
    add(r, "one", "{\"N\":200}", 2, NULL, "two\nlines");
    add(r, "one", "{\"N\":300}", 3, "{\"accuracy\":0.30000000000000004,\"list\":[1,2]}", NULL);
    must(rhm_results_export(r, "one", in_folder("e.csv"), &rows, &err));
    assert_int_equal(rows, 3);
    assert_string_equal(
        content("e.csv"),
        "N,kind,parameter_seed,seed,accuracy,list,measure_n,status,error,seconds,started,version,host\n"
        "100,\"a,\"\"b\"\"\",7,1,0.1,,3,done,,0.25,2001-09-09 01:46:40,1.0,here\n"
        "200,,,2,,,,failed,\"two\nlines\",0.25,2001-09-09 01:46:40,1.0,here\n"
        "300,,,3,0.30000000000000004,\"[1,2]\",,done,,0.25,2001-09-09 01:46:40,1.0,here\n");
    must_fail(rhm_results_export(r, "none", in_folder("n.csv"), &rows, &err), RHM_EARG, "e.db", "no runs");
    must_fail(rhm_results_export(r, "one", in_folder("no/e.csv"), &rows, &err), RHM_EFILE, "no/e.csv");
    rhm_results_close(r);
    assert_no_temporaries();

    sqlite3 *db; /* the view, for everybody */
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_open(in_folder("e.db"), &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT sum(N), max(accuracy) FROM one WHERE status = 'done'", -1, &s, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(s, 0), 400);
    assert_true(sqlite3_column_double(s, 1) == 0.30000000000000004);
    sqlite3_finalize(s);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs_come_back),
        cmocka_unit_test(test_names_and_json_are_checked),
        cmocka_unit_test(test_foreign_files_stay),
        cmocka_unit_test(test_damage_is_found),
        cmocka_unit_test(test_missing_and_empty),
        cmocka_unit_test(test_kill),
        cmocka_unit_test(test_kill_in_a_transaction),
        cmocka_unit_test(test_all_open_at_once),
        cmocka_unit_test(test_waiting_stops),
        cmocka_unit_test(test_reading_keeps_nobody),
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_export),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
