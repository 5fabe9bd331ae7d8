/* refine.c - net:refine, net:unrefine, net:posterior, net.refined. */
#include "engine/chain/refine.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/threads.h"
#include "script/interrupt.h"
#include "script/latest.h"
#include "script/objects.h"
#include "script/screen.h"
#include "script/work.h"

#define LINE_AFTER 0.5 /* seconds: shorter refinements show none */

struct training {
    struct rhm_network *net;
    const struct rhm_dataset *data;
    struct rhm_refine_options options;
    pthread_mutex_t lock; /* of history, which views read meanwhile */
    struct rhm_refine_point *history;
    size_t points, room;
    struct rhm_monitor *monitor;
    double began;
    int line, shown;
    int callback, error; /* stack indices; callback 0: none */
    int failed;
};

/* The one at work, for net.refined: the Lua thread's. */
static struct training *at_work;

/* --- on the worker thread ----------------------------------------------------------------------------- */

static void report(void *context, const struct rhm_refined *so_far)
{
    struct training *t = context;
    pthread_mutex_lock(&t->lock);
    if (t->points == t->room) {
        size_t room = 2 * t->room + 256;
        void *grown = realloc(t->history, room * sizeof *t->history);
        if (grown) {
            t->history = grown;
            t->room = room;
        }
    }
    if (t->points < t->room)
        t->history[t->points++] = so_far->history[so_far->points - 1];
    pthread_mutex_unlock(&t->lock);
    rhm_monitor_changed();
}

static enum rhm_status poll(void *context, struct rhm_error *err)
{
    struct training *t = context;
    return rhm_monitor_poll(t->monitor, err);
}

static enum rhm_status run(void *context, struct rhm_monitor *monitor, struct rhm_error *err)
{
    struct training *t = context;
    rhm_threads_adopt();
    t->monitor = monitor;
    return rhm_network_refine(t->net, t->data, &t->options, report, poll, t, err);
}

/* --- while it runs ------------------------------------------------------------------------------------ */

static void push_point(lua_State *L, const struct rhm_refine_point *point, unsigned levels)
{
    lua_createtable(L, 0, 7);
    rhm_set_integer(L, "start", point->start);
    rhm_set_integer(L, "sweep", point->sweep);
    rhm_set_number(L, "log_joint", point->log_joint);
    rhm_set_number(L, "log_label", point->log_label);
    rhm_set_number(L, "accuracy", point->accuracy);
    rhm_set_number(L, "held_out", point->held_out);
    lua_createtable(L, (int)levels, 0);
    for (unsigned l = 1; l <= levels; l++) {
        lua_pushnumber(L, point->entropy[l]);
        lua_rawseti(L, -2, l);
    }
    lua_setfield(L, -2, "entropy");
}

struct snapshot {
    struct rhm_refine_point point;
    unsigned levels;
};

/* In a protected call: the progress function, with the snapshot. */
static int call_back(lua_State *L)
{
    const struct snapshot *snapshot = lua_touserdata(L, 2);
    lua_settop(L, 1);
    push_point(L, &snapshot->point, snapshot->levels);
    lua_call(L, 1, 0);
    return 0;
}

static void draw_line(struct training *t, const struct rhm_refine_point *point)
{
    char text[160];
    snprintf(text, sizeof text, "start %llu  sweep %llu  log P(label) %.4f  accuracy %.4f",
             (unsigned long long)point->start, (unsigned long long)point->sweep, point->log_label,
             point->accuracy);
    fprintf(stderr, "\r%.*s\033[K", rhm_screen_width() - 1, text);
    fflush(stderr);
    t->shown = 1;
}

/* 1: the work is to stop, an error of the progress function stands at t->error. */
static int watch(lua_State *L, void *context, const struct rhm_progress *progress)
{
    struct training *t = context;
    struct snapshot snapshot = {.levels = t->net->L};
    (void)progress;
    pthread_mutex_lock(&t->lock);
    if (t->points > 0)
        snapshot.point = t->history[t->points - 1];
    pthread_mutex_unlock(&t->lock);
    if (snapshot.point.sweep == 0 || t->failed)
        return t->failed;
    if (t->line && rhm_clock() - t->began > LINE_AFTER)
        draw_line(t, &snapshot.point);
    if (t->callback == 0)
        return 0;
    lua_pushcfunction(L, call_back); /* the caller left room */
    lua_pushvalue(L, t->callback);
    lua_pushlightuserdata(L, &snapshot);
    if (lua_pcall(L, 2, 0, 0) == LUA_OK)
        return 0;
    lua_replace(L, t->error);
    t->failed = 1;
    return 1;
}

/* --- result ------------------------------------------------------------------------------------------- */

static int push_refined(lua_State *L, const struct rhm_refined *r)
{
    static const char *const names[] = {"start", "sweep", "log_joint", "log_label", "accuracy", "held_out"};
    unsigned levels = r->tree.L;
    const struct rhm_refine_point *last = &r->history[r->last];
    push_point(L, last, levels);
    rhm_set_integer(L, "n", r->n);
    rhm_set_integer(L, "labelled", r->labelled);
    rhm_set_integer(L, "starts", r->starts);
    rhm_set_boolean(L, "from_chain", r->from_chain);
    if (r->m > 0)
        rhm_set_integer(L, "m", (uint64_t)r->m);
    lua_createtable(L, 0, 7);
    for (int column = 0; column < 6; column++) {
        lua_createtable(L, (int)r->points, 0);
        for (size_t i = 0; i < r->points; i++) {
            const struct rhm_refine_point *point = &r->history[i];
            const double value[] = {(double)point->start, (double)point->sweep, point->log_joint,
                                    point->log_label,     point->accuracy,      point->held_out};
            if (column < 2)
                lua_pushinteger(L, (lua_Integer)value[column]);
            else
                lua_pushnumber(L, value[column]);
            lua_rawseti(L, -2, (lua_Integer)i + 1);
        }
        lua_setfield(L, -2, names[column]);
    }
    lua_createtable(L, (int)levels, 0);
    for (unsigned l = 1; l <= levels; l++) {
        lua_createtable(L, (int)r->points, 0);
        for (size_t i = 0; i < r->points; i++) {
            lua_pushnumber(L, r->history[i].entropy[l]);
            lua_rawseti(L, -2, (lua_Integer)i + 1);
        }
        lua_rawseti(L, -2, l);
    }
    lua_setfield(L, -2, "entropy");
    lua_setfield(L, -2, "history");
    rhm_set_report(L, "refined");
    return 1;
}

/* As far as it has come: in memory of Lua's, as what follows may raise an error. */
static int push_running(lua_State *L, struct training *t)
{
    struct rhm_refined so_far = {.tree = {.L = t->net->L}, .m = 0, .n = t->data->n};
    so_far.labelled = t->data->n - rhm_dataset_missing(t->data).labels;
    pthread_mutex_lock(&t->lock);
    size_t points = t->points;
    pthread_mutex_unlock(&t->lock);
    if (points == 0)
        return 0;
    so_far.history = rhm_push_buffer(L, points, sizeof *so_far.history);
    pthread_mutex_lock(&t->lock);
    memcpy(so_far.history, t->history, points * sizeof *so_far.history);
    pthread_mutex_unlock(&t->lock);
    so_far.points = points;
    so_far.last = points - 1;
    so_far.starts = so_far.history[points - 1].start;
    push_refined(L, &so_far);
    rhm_set_boolean(L, "running", 1);
    return 1;
}

/* Only the Lua thread replaces net->refined, so it stays while we read. */
int rhm_network_push_refined(lua_State *L, struct rhm_network *net)
{
    if (at_work && at_work->net == net)
        return push_running(L, at_work);
    return net->refined ? push_refined(L, net->refined) : 0;
}

/* --- methods ------------------------------------------------------------------------------------------ */

static int can_rewrite(void)
{
    const char *term = getenv("TERM");
    return isatty(STDERR_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

static void read_options(const struct rhm_args *args, struct rhm_refine_options *o)
{
    lua_State *L = args->L;
    int64_t restarts = (int64_t)o->restarts;
    rhm_args_count(args, "sweeps", &o->sweeps);
    rhm_args_number(args, "tol", &o->tol);
    if (rhm_args_integer(args, "restarts", &restarts) && restarts < 0)
        luaL_error(L, "%s: restarts = %I: must be 0 or more", args->function, (lua_Integer)restarts);
    o->restarts = (uint64_t)restarts;
    rhm_args_number(args, "subsample", &o->subsample);
    if (rhm_args_number(args, "smoothing", &o->smoothing))
        o->smooth_from = o->smoothing; /* what is asked for holds from the first sweep on */
    rhm_args_number(args, "held_out", &o->held_out);
    if (rhm_args_push(args, "m") == LUA_TBOOLEAN && !lua_toboolean(L, -1))
        o->m = 0;
    else if (rhm_args_integer(args, "m", &o->m) && o->m < 1)
        luaL_error(L, "%s: m = %I: must be 1 or more, or false", args->function, (lua_Integer)o->m);
    lua_pop(L, 1);
    rhm_args_seed(args, "seed", &o->seed);
}

int rhm_network_refine_method(lua_State *L)
{
    static const char *const keys[] = {"from",     "sweeps", "tol",  "restarts", "subsample", "smoothing",
                                       "held_out", "m",      "seed", "progress", NULL};
    struct rhm_network *net = rhm_check_network(L, 1);
    struct rhm_args args = rhm_args_open(L, 2, "network:refine", keys);
    lua_settop(L, 2);
    struct training t = {
        .net = net, .options = rhm_refine_defaults(net), .callback = 3, .error = 4, .began = rhm_clock()};
    int line = 1;
    if (rhm_args_push(&args, "progress") != LUA_TFUNCTION) {
        rhm_args_boolean(&args, "progress", &line);
        t.callback = 0;
    }
    t.line = line && t.callback == 0 && can_rewrite();
    lua_pushnil(L); /* t.error */
    rhm_args_require(&args, "from", rhm_args_push(&args, "from") != LUA_TNIL);
    t.data = rhm_test_dataset(L, -1);
    if (!t.data) {
        const char *shown = rhm_args_show(L, -1);
        return luaL_error(L, "network:refine: from = %s: must be a data set (g:sample{ n= } draws one)",
                          shown);
    }
    read_options(&args, &t.options);
    luaL_checkstack(L, 16, NULL);
    rhm_latest_set(L, RHM_LATEST_NETWORK, 1);
    pthread_mutex_init(&t.lock, NULL);
    struct rhm_error err = {0};
    struct training *outer = at_work; /* a progress function may refine another */
    at_work = &t;
    enum rhm_status status = rhm_work_watch(L, run, watch, &t, &err);
    at_work = outer;
    pthread_mutex_destroy(&t.lock);
    free(t.history);
    if (t.shown)
        fputs("\r\033[K", stderr);
    if (t.failed) {
        lua_pushvalue(L, t.error);
        return lua_error(L);
    }
    if (status == RHM_ESTOP && rhm_interrupt_pending()) {
        lua_pushliteral(L, RHM_INTERRUPTED ": the network stays as it was");
        return lua_error(L);
    }
    if (status != RHM_OK)
        return rhm_raise(L, "network:refine", &err);
    push_refined(L, net->refined);
    rhm_set_number(L, "seconds", rhm_clock() - t.began);
    return 1;
}

int rhm_network_unrefine_method(lua_State *L)
{
    struct rhm_network *net = rhm_check_network(L, 1);
    rhm_network_unrefine(net);
    lua_settop(L, 1);
    return 1;
}

/* The string {1, 0, 5, ...} at index 2: d symbols, 0 where one is missing. */
uint16_t *rhm_network_push_holes(lua_State *L, const char *function, const struct rhm_network *net)
{
    size_t d = lua_rawlen(L, 2);
    if (d != net->d)
        luaL_error(L, "%s: a string of %I tokens, the network reads %I", function, (lua_Integer)d,
                   (lua_Integer)net->d);
    uint16_t *tokens = rhm_push_buffer(L, d, sizeof *tokens);
    for (size_t j = 0; j < d; j++) {
        lua_rawgeti(L, 2, (lua_Integer)j + 1);
        const char *name = lua_pushfstring(L, "token %I =", (lua_Integer)j + 1);
        lua_Integer symbol = rhm_args_whole(L, -2, function, name, 0, net->V);
        tokens[j] = symbol == 0 ? RHM_MISSING : (uint16_t)(symbol - 1);
        lua_pop(L, 2);
    }
    return tokens;
}

int rhm_network_posterior_method(lua_State *L)
{
    static const char *const keys[] = {"level", NULL};
    struct rhm_network *net = rhm_check_network(L, 1);
    const struct rhm_dataset *data = rhm_test_dataset(L, 2);
    lua_settop(L, 3);
    struct rhm_args args = rhm_args_open_optional(L, 3, "network:posterior", keys);
    int64_t level = 0;
    rhm_args_integer(&args, "level", &level);
    if (level < 0 || level > net->L)
        return luaL_error(L, "%s: level = %I: must be from 0 (the label) to %d (L)", args.function,
                          (lua_Integer)level, (int)net->L);
    if (!data && lua_type(L, 2) != LUA_TTABLE)
        return luaL_error(L, "%s: a data set or one string {1, 0, 5, ...} expected, got %s", args.function,
                          rhm_args_show(L, 2));
    if (data && (data->d != net->d || data->V > net->V))
        return luaL_error(L, "%s: strings of %I tokens and V = %d, the network reads %I and V = %d",
                          args.function, (lua_Integer)data->d, (int)data->V, (lua_Integer)net->d,
                          (int)net->V);
    const uint16_t *tokens = data ? data->tokens : rhm_network_push_holes(L, args.function, net);
    size_t n = data ? data->n : 1, places = (size_t)rhm_places(net->branch, 1, (unsigned)level),
           symbols = level == 0 ? net->classes : net->V;
    struct rhm_matrix *out = rhm_push_matrix(L);
    struct rhm_error err;
    if (rhm_matrix_init(out, data ? n : places, data ? places * symbols : symbols, &err) != RHM_OK ||
        rhm_network_posterior(net, n, tokens, (unsigned)level, out->v, rhm_poll_interrupt, NULL, &err) !=
            RHM_OK)
        return rhm_raise(L, args.function, &err);
    return 1;
}
