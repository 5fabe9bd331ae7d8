/* cnn_train.c - cnn:train: its arguments, the wait, its result. */
#include "engine/cnn.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/threads.h"
#include "script/baseline.h"
#include "script/interrupt.h"
#include "script/objects.h"
#include "script/screen.h"
#include "script/work.h"

#define LINE_AFTER 0.5 /* seconds: shorter trainings show none */

struct training {
    struct rhm_cnn *net;
    struct rhm_cnn_train_options options;
    struct rhm_cnn_result result;
    int line, shown;
    int callback, error; /* stack indices; callback 0: none */
    int failed;
};

static enum rhm_status run(void *context, struct rhm_monitor *monitor, struct rhm_error *err)
{
    struct training *t = context;
    rhm_threads_adopt();
    return rhm_cnn_train(t->net, &t->options, monitor, &t->result, err);
}

/* --- while it runs ------------------------------------------------------------------------------------ */

static void erase_line(struct training *t)
{
    if (t->shown)
        fputs("\r\033[K", stderr);
    t->shown = 0;
}

static void draw_line(struct training *t, const struct rhm_progress_layer *layer)
{
    char text[160];
    int n = snprintf(text, sizeof text, "epoch %llu/%llu  loss %.4g  accuracy %.4f",
                     (unsigned long long)layer->step, (unsigned long long)layer->steps, layer->loss,
                     layer->accuracy);
    if (layer->left >= 120)
        snprintf(text + n, sizeof text - (size_t)n, "  at most %.0f min left", layer->left / 60);
    else if (layer->left > 0)
        snprintf(text + n, sizeof text - (size_t)n, "  at most %.0f s left", ceil(layer->left));
    fprintf(stderr, "\r%.*s\033[K", rhm_screen_width() - 1, text);
    fflush(stderr);
    t->shown = 1;
}

static void push_progress(lua_State *L, const struct rhm_progress_layer *layer)
{
    lua_createtable(L, 0, 5);
    rhm_set_integer(L, "epoch", layer->step);
    rhm_set_integer(L, "epochs", layer->steps);
    rhm_set_number(L, "loss", layer->loss);
    rhm_set_number(L, "accuracy", layer->accuracy);
    rhm_set_number(L, "seconds", layer->seconds);
}

/* In a protected call: the progress function, with the snapshot. */
static int call_back(lua_State *L)
{
    const struct rhm_progress_layer *layer = lua_touserdata(L, 2);
    lua_settop(L, 1);
    push_progress(L, layer);
    lua_call(L, 1, 0);
    return 0;
}

/* 1: the training is to stop, an error of the progress function stands at t->error. */
static int watch(lua_State *L, void *context, const struct rhm_progress *progress)
{
    struct training *t = context;
    struct rhm_progress_layer layer = progress->layer[1];
    if (layer.phase != RHM_PHASE_SOLVING || t->failed)
        return t->failed;
    if (t->line && layer.seconds > LINE_AFTER)
        draw_line(t, &layer);
    if (t->callback == 0)
        return 0;
    lua_pushcfunction(L, call_back); /* the caller left room */
    lua_pushvalue(L, t->callback);
    lua_pushlightuserdata(L, &layer);
    if (lua_pcall(L, 2, 0, 0) == LUA_OK)
        return 0;
    lua_replace(L, t->error);
    t->failed = 1;
    return 1;
}

/* --- arguments and result ----------------------------------------------------------------------------- */

static void read_options(const struct rhm_args *args, struct rhm_cnn_train_options *o)
{
    static const char *const optimisers[] = {[RHM_CNN_SGD] = "sgd", [RHM_CNN_ADAM] = "adam", NULL};
    static const char *const schedules[] = {
        [RHM_CNN_CONSTANT] = "constant", [RHM_CNN_COSINE] = "cosine", [RHM_CNN_STEP] = "step", NULL};
    lua_State *L = args->L;
    int optimiser = (int)o->optimiser, schedule = (int)o->schedule;
    rhm_args_count(args, "epochs", &o->epochs);
    rhm_args_count(args, "batch", &o->batch);
    rhm_args_choice(args, "optimiser", optimisers, &optimiser);
    rhm_args_choice(args, "schedule", schedules, &schedule);
    o->optimiser = (enum rhm_cnn_optimiser)optimiser;
    o->schedule = (enum rhm_cnn_schedule)schedule;
    if (rhm_args_number(args, "rate", &o->rate) && !(o->rate > 0)) {
        lua_pushnumber(L, o->rate);
        luaL_error(L, "%s: rate = %s: must be above 0 (leave it out to have it chosen)", args->function,
                   rhm_args_show(L, -1));
    }
    if (rhm_args_number(args, "momentum", &o->momentum) && o->optimiser == RHM_CNN_ADAM)
        luaL_error(L, "%s: momentum is for optimiser = 'sgd': Adam has its own", args->function);
    rhm_args_number(args, "stop_loss", &o->stop_loss);
    rhm_args_count(args, "patience", &o->patience);
    rhm_args_seed(args, "seed", &o->seed);
    if (rhm_args_push(args, "held_out") != LUA_TNIL && (o->held_out = rhm_test_dataset(L, -1)) == NULL) {
        const char *shown = rhm_args_show(L, -1);
        luaL_error(L, "%s: held_out = %s: must be a data set", args->function, shown);
    }
}

static int push_result(lua_State *L, const struct training *t)
{
    const struct rhm_cnn_result *r = &t->result;
    lua_createtable(L, 0, 9);
    rhm_set_integer(L, "n", t->options.data->n);
    rhm_set_integer(L, "epochs", r->epochs);
    rhm_set_integer(L, "steps", r->steps);
    rhm_set_number(L, "loss", r->loss);
    rhm_set_number(L, "accuracy", r->accuracy);
    rhm_set_number(L, "held_loss", r->held_loss);
    rhm_set_number(L, "held_accuracy", r->held_accuracy);
    rhm_set_number(L, "seconds", r->seconds);
    rhm_set_string(L, "ended_by", rhm_cnn_end_name(r->end));
    rhm_set_report(L, "cnn");
    return 1;
}

static int can_rewrite(void)
{
    const char *term = getenv("TERM");
    return isatty(STDERR_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

int rhm_cnn_train_method(lua_State *L)
{
    static const char *const keys[] = {"from",     "n",        "epochs",   "batch",     "optimiser",
                                       "rate",     "momentum", "schedule", "stop_loss", "held_out",
                                       "patience", "seed",     "anew",     "progress",  NULL};
    struct rhm_cnn *net = rhm_check_cnn(L);
    struct rhm_args args = rhm_args_open(L, 2, "cnn:train", keys);
    lua_settop(L, 2);
    struct training t = {.net = net, .options = rhm_cnn_train_defaults(net), .callback = 3, .error = 4};
    int line = 1, anew = 0;
    if (rhm_args_push(&args, "progress") != LUA_TFUNCTION) {
        rhm_args_boolean(&args, "progress", &line);
        t.callback = 0;
    }
    t.line = line && t.callback == 0 && can_rewrite();
    lua_pushnil(L); /* t.error */
    uint64_t n = 0;
    rhm_args_count(&args, "n", &n);
    rhm_args_boolean(&args, "anew", &anew);
    read_options(&args, &t.options);
    struct rhm_dataset data;
    rhm_baseline_source(&args, n, t.options.seed, &data);
    t.options.data = &data;
    struct rhm_error err = {0};
    if (anew && rhm_cnn_reset(net, &err) != RHM_OK)
        return rhm_raise(L, "cnn:train", &err);
    luaL_checkstack(L, 16, NULL);
    enum rhm_status status = rhm_work_watch(L, run, watch, &t, &err);
    erase_line(&t);
    if (t.failed) {
        lua_pushvalue(L, t.error);
        return lua_error(L);
    }
    if (status == RHM_ESTOP && rhm_interrupt_pending()) {
        lua_pushliteral(L, RHM_INTERRUPTED ": the weights stay as they are, cnn:train goes on from them");
        return lua_error(L);
    }
    if (status != RHM_OK)
        return rhm_raise(L, "cnn:train", &err);
    if (t.callback) { /* the last state as well, however short the training was */
        const struct rhm_progress_layer last = {.step = t.result.epochs,
                                                .steps = t.options.epochs,
                                                .loss = t.result.loss,
                                                .accuracy = t.options.held_out ? t.result.held_accuracy
                                                                               : t.result.accuracy,
                                                .seconds = t.result.seconds};
        lua_pushvalue(L, t.callback);
        push_progress(L, &last);
        lua_call(L, 1, 0);
    }
    return push_result(L, &t);
}
