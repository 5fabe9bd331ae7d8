/* results.c - rhm.results: the runs of experiments in an SQLite file. Parameters and measures are tables in
 * Lua, canonical JSON below (lua/rhm/json.lua). */
#include "script/results.h"

#ifdef HAVE_CONFIG_H
#include <config.h>
#endif
#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0.1"
#endif

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/results/results.h"
#include "script/args.h"
#include "script/idle.h"
#include "script/object.h"
#include "script/screen.h"

#define SAID_AFTER .5 /* seconds */

/* NULL once closed. */
static struct rhm_results **check_box(lua_State *L)
{
    return rhm_class_check(L, 1, RHM_RESULTS);
}

static struct rhm_results *check(lua_State *L)
{
    struct rhm_results *results = *check_box(L);
    if (!results)
        luaL_error(L, "results: the file is closed: open it again by rhm.results(path)");
    return results;
}

/* Said once in a wait, where somebody looks; seconds grow from 0. */
static void say_waits(void *context, const char *path, double seconds)
{
    static bool said;
    (void)context;
    rhm_idle_turn();
    if (seconds < SAID_AFTER)
        said = false;
    else if (!said && (isatty(STDERR_FILENO) || rhm_screen_is_panel())) {
        said = true; /* a line of progress may stand there */
        fprintf(stderr, "%swaiting for %s, which another program has locked: at most %d s, Ctrl-C stops it\n",
                rhm_screen_rewrites() ? "\r\033[K" : "", path, RHM_RESULTS_PATIENCE);
        fflush(stderr);
        rhm_idle_turn();
    }
}

static const struct rhm_results_owner owner = {.poll = rhm_poll_interrupt, .waits = say_waits};

int rhm_script_results(lua_State *L)
{
    static const char *const keys[] = {"path", "create", "readonly", NULL};
    const char *path = NULL;
    int create = 0, readonly = 0;
    if (lua_type(L, 1) == LUA_TSTRING) {
        path = lua_tostring(L, 1);
    } else {
        struct rhm_args args = rhm_args_open(L, 1, "rhm.results", keys);
        rhm_args_require(&args, "path", rhm_args_string(&args, "path", &path));
        rhm_args_boolean(&args, "create", &create);
        rhm_args_boolean(&args, "readonly", &readonly);
        if (create && readonly)
            return luaL_error(L, "rhm.results: 'create' and 'readonly' exclude each other");
    }
    enum rhm_results_mode mode = create ? RHM_RESULTS_CREATE : RHM_RESULTS_WRITE;
    if (readonly || (!create && access(path, F_OK) == 0 && access(path, W_OK) != 0))
        mode = RHM_RESULTS_READ;
    struct rhm_results **box = lua_newuserdatauv(L, sizeof *box, 0);
    struct rhm_error err;
    *box = NULL;
    luaL_setmetatable(L, RHM_RESULTS);
    if (rhm_results_open(box, path, mode, &owner, &err) != RHM_OK)
        return rhm_raise(L, "rhm.results", &err);
    return 1;
}

static int results_close(lua_State *L)
{
    struct rhm_results **box = check_box(L);
    rhm_results_close(*box);
    *box = NULL;
    return 0;
}

/* --- runs --------------------------------------------------------------------------------------------- */

static const char *check_experiment(lua_State *L, int index, const char *function)
{
    if (lua_type(L, index) != LUA_TSTRING)
        luaL_error(L, "%s: experiment = %s: must be a name, a string", function, rhm_args_show(L, index));
    return lua_tostring(L, index);
}

/* Pushes the JSON text of the value at `index`, which must be a table. */
static const char *push_json(lua_State *L, int index, const char *function, const char *name)
{
    index = lua_absindex(L, index);
    if (lua_type(L, index) != LUA_TTABLE)
        luaL_error(L, "%s: %s = %s: must be a table", function, name, rhm_args_show(L, index));
    lua_getglobal(L, "require");
    lua_pushliteral(L, "rhm.json");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "encode");
    lua_remove(L, -2);
    lua_pushvalue(L, index);
    lua_pushfstring(L, "%s: %s", function, name);
    if (lua_pcall(L, 2, 1, 0) != LUA_OK)
        luaL_error(L, "%s", lua_tostring(L, -1));
    const char *text = lua_tostring(L, -1);
    return text[0] == '['
               ? (luaL_error(L, "%s: %s: names and values expected, not a list", function, name), NULL)
               : text;
}

static void set_json(lua_State *L, const char *key, const char *text)
{
    if (!text)
        return;
    lua_getglobal(L, "require");
    lua_pushliteral(L, "rhm.json");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "decode");
    lua_remove(L, -2);
    lua_pushstring(L, text);
    lua_call(L, 1, 1);
    lua_setfield(L, -2, key);
}

static void set_text(lua_State *L, const char *key, const char *text)
{
    if (text)
        rhm_set_string(L, key, text);
}

static void push_run(lua_State *L, const struct rhm_run *run)
{
    lua_createtable(L, 0, 11);
    set_text(L, "experiment", run->experiment);
    lua_pushinteger(L, run->seed);
    lua_setfield(L, -2, "seed");
    set_text(L, "status", run->error ? "failed" : "done");
    set_text(L, "error", run->error);
    set_text(L, "version", run->version);
    set_text(L, "host", run->host);
    rhm_set_number(L, "seconds", run->seconds);
    rhm_set_number(L, "started", run->started);
    rhm_set_number(L, "ended", run->ended);
    set_json(L, "parameters", run->parameters);
    set_json(L, "measures", run->measures);
}

static int results_add(lua_State *L)
{
    static const char *const keys[] = {"experiment", "parameters", "seed",    "measures", "error",
                                       "seconds",    "started",    "version", "host",     NULL};
    struct rhm_results *results = check(L);
    struct rhm_args args = rhm_args_open(L, 2, "results:add", keys);
    char host[256];
    if (gethostname(host, sizeof host) != 0)
        host[0] = '\0';
    host[sizeof host - 1] = '\0';
    struct rhm_run run = {
        .version = PACKAGE_VERSION, .host = host, .seconds = NAN, .started = NAN, .ended = NAN};
    rhm_args_require(&args, "experiment", rhm_args_string(&args, "experiment", &run.experiment));
    rhm_args_require(&args, "seed", rhm_args_integer(&args, "seed", &run.seed));
    rhm_args_string(&args, "error", &run.error);
    rhm_args_string(&args, "version", &run.version);
    rhm_args_string(&args, "host", &run.host);
    rhm_args_number(&args, "seconds", &run.seconds);
    rhm_args_number(&args, "started", &run.started);
    run.ended = run.started + run.seconds;
    rhm_args_push(&args, "parameters");
    run.parameters = push_json(L, -1, "results:add", "parameters");
    if (rhm_args_push(&args, "measures") != LUA_TNIL)
        run.measures = push_json(L, -1, "results:add", "measures");
    else if (!run.error)
        return luaL_error(L, "results:add: 'measures' or 'error' is needed");
    struct rhm_error err;
    if (rhm_results_add(results, &run, &err) != RHM_OK)
        return rhm_raise(L, "results:add", &err);
    lua_settop(L, 1);
    return 1;
}

static int results_find(lua_State *L)
{
    struct rhm_results *results = check(L);
    const char *experiment = check_experiment(L, 2, "results:find");
    const char *parameters = push_json(L, 3, "results:find", "parameters");
    lua_Integer seed = rhm_args_whole(L, 4, "results:find", "seed =", 0, LUA_MAXINTEGER);
    struct rhm_run run;
    struct rhm_error err;
    bool found;
    if (rhm_results_find(results, experiment, parameters, seed, &run, &found, &err) != RHM_OK)
        return rhm_raise(L, "results:find", &err);
    if (!found)
        return 0;
    push_run(L, &run);
    return 1;
}

static int results_runs(lua_State *L)
{
    struct rhm_results *results = check(L);
    const char *experiment = lua_isnoneornil(L, 2) ? NULL : check_experiment(L, 2, "results:runs");
    struct rhm_run run;
    struct rhm_error err;
    bool more;
    if (rhm_results_select(results, experiment, &err) != RHM_OK)
        return rhm_raise(L, "results:runs", &err);
    lua_newtable(L);
    for (lua_Integer i = 1;; i++) {
        if (rhm_results_next(results, &run, &more, &err) != RHM_OK)
            return rhm_raise(L, "results:runs", &err);
        if (!more)
            return 1;
        push_run(L, &run);
        lua_rawseti(L, -2, i);
    }
}

static int results_experiments(lua_State *L)
{
    struct rhm_results *results = check(L);
    struct rhm_results_experiment experiment;
    struct rhm_error err;
    bool found;
    lua_newtable(L);
    for (size_t i = 0;; i++) {
        if (rhm_results_experiment(results, i, &experiment, &found, &err) != RHM_OK)
            return rhm_raise(L, "results:experiments", &err);
        if (!found)
            return 1;
        lua_createtable(L, 0, 3);
        rhm_set_string(L, "name", experiment.name);
        rhm_set_integer(L, "runs", experiment.runs);
        rhm_set_integer(L, "failed", experiment.failed);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

/* --- files -------------------------------------------------------------------------------------------- */

static int results_merge(lua_State *L)
{
    struct rhm_results *results = check(L);
    struct rhm_results_merged merged;
    struct rhm_error err;
    if (rhm_results_merge(results, rhm_args_path(L, 2, "results:merge"), &merged, &err) != RHM_OK)
        return rhm_raise(L, "results:merge", &err);
    lua_createtable(L, 0, 4);
    rhm_set_integer(L, "added", merged.added);
    rhm_set_integer(L, "replaced", merged.replaced);
    rhm_set_integer(L, "equal", merged.equal);
    rhm_set_integer(L, "kept", merged.kept);
    return 1;
}

/* The only experiment of the file. */
static void find_only(lua_State *L, struct rhm_results *results, struct rhm_results_experiment *only)
{
    struct rhm_results_experiment second;
    struct rhm_error err;
    bool found = false, more = false;
    if (rhm_results_experiment(results, 0, only, &found, &err) != RHM_OK ||
        rhm_results_experiment(results, 1, &second, &more, &err) != RHM_OK)
        rhm_raise(L, "results:export", &err);
    if (!found)
        luaL_error(L, "results:export: %s has no runs", rhm_results_path(results));
    if (more)
        luaL_error(L, "results:export: %s has several experiments (%s, %s, ...): name one",
                   rhm_results_path(results), only->name, second.name);
}

static int results_export(lua_State *L)
{
    struct rhm_results *results = check(L);
    const char *path = rhm_args_path(L, 2, "results:export");
    const char *name = lua_isnoneornil(L, 3) ? NULL : check_experiment(L, 3, "results:export");
    struct rhm_results_experiment only;
    struct rhm_error err;
    uint64_t rows;
    if (!name) {
        find_only(L, results, &only);
        name = only.name;
    }
    if (rhm_results_export(results, name, path, &rows, &err) != RHM_OK)
        return rhm_raise(L, "results:export", &err);
    lua_pushinteger(L, (lua_Integer)rows);
    return 1;
}

/* --- the class ---------------------------------------------------------------------------------------- */

static const char *const fields[] = {"path", NULL};

static int results_field(lua_State *L)
{
    if (rhm_class_field(L, fields) != 0)
        return 0;
    lua_pushstring(L, rhm_results_path(check(L)));
    return 1;
}

static int results_length(lua_State *L)
{
    struct rhm_results *results = check(L);
    struct rhm_results_experiment experiment;
    struct rhm_error err;
    bool found;
    lua_Integer n = 0;
    for (size_t i = 0;; i++, n += (lua_Integer)experiment.runs) {
        if (rhm_results_experiment(results, i, &experiment, &found, &err) != RHM_OK)
            return rhm_raise(L, "results", &err);
        if (!found)
            return lua_pushinteger(L, n), 1;
    }
}

static int results_tostring(lua_State *L)
{
    struct rhm_results *results = *check_box(L);
    if (!results)
        return lua_pushliteral(L, "results: closed"), 1;
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    lua_pushfstring(L, "results in %s", rhm_results_path(results));
    luaL_addvalue(&b);
    struct rhm_results_experiment experiment;
    bool found = false;
    for (size_t i = 0; rhm_results_experiment(results, i, &experiment, &found, NULL) == RHM_OK && found;
         i++) {
        lua_pushfstring(L, "\n  %s: %I runs", experiment.name, (lua_Integer)experiment.runs);
        luaL_addvalue(&b);
        if (experiment.failed > 0) {
            lua_pushfstring(L, ", %I failed", (lua_Integer)experiment.failed);
            luaL_addvalue(&b);
        }
    }
    luaL_pushresult(&b);
    return 1;
}

void rhm_open_results(lua_State *L)
{
    static const luaL_Reg methods[] = {{"add", results_add},     {"find", results_find},
                                       {"runs", results_runs},   {"experiments", results_experiments},
                                       {"merge", results_merge}, {"export", results_export},
                                       {"close", results_close}, {NULL, NULL}};
    rhm_class_open(L, &(struct rhm_class){.name = RHM_RESULTS,
                                          .methods = methods,
                                          .fields = fields,
                                          .field = results_field,
                                          .tostring = results_tostring,
                                          .gc = results_close,
                                          .len = results_length});
    luaL_getmetatable(L, RHM_RESULTS);
    lua_pushcfunction(L, results_close);
    lua_setfield(L, -2, "__close");
    lua_pop(L, 1);
}
