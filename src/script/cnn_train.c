/* cnn_train.c - cnn:train and cnn:resume: arguments and result. */
#include "engine/jobs/training.h"
#include "script/baseline.h"
#include "script/job.h"
#include "script/latest.h"

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

static enum rhm_status make_body(struct rhm_job_body *body, void *model, const void *options,
                                 struct rhm_error *err)
{
    return rhm_training_cnn(body, model, options, err);
}

static void push_result(lua_State *L, void *model, const void *self, const struct rhm_progress *progress)
{
    (void)model;
    const struct rhm_cnn_result *r = rhm_training_cnn_result(self);
    lua_createtable(L, 0, 9);
    rhm_set_integer(L, "n", r->n);
    rhm_set_integer(L, "epochs", r->epochs);
    rhm_set_integer(L, "steps", r->steps);
    rhm_set_number(L, "loss", r->loss);
    rhm_set_number(L, "accuracy", r->accuracy);
    rhm_set_number(L, "held_loss", r->held_loss);
    rhm_set_number(L, "held_accuracy", r->held_accuracy);
    rhm_set_number(L, "seconds", progress->seconds);
    rhm_set_string(L, "ended_by", rhm_cnn_end_name(r->end));
    rhm_set_report(L, "cnn");
}

static const struct rhm_job_kind kind = {
    .function = "cnn:train", .make = make_body, .push_result = push_result};

int rhm_cnn_train_method(lua_State *L)
{
    static const char *const keys[] = {"from",     "n",        "epochs",     "batch",    "optimiser", "rate",
                                       "momentum", "schedule", "stop_loss",  "held_out", "patience",  "seed",
                                       "anew",     "progress", "background", NULL};
    struct rhm_cnn *net = rhm_baseline_check(L, &rhm_baseline_cnn);
    struct rhm_args args = rhm_args_open(L, 2, kind.function, keys);
    lua_settop(L, 2);
    struct rhm_cnn_train_options options = rhm_cnn_train_defaults(net);
    struct rhm_wait wait;
    int background;
    uint64_t n = 0;
    rhm_job_read_wait(&args, &wait, &background);
    rhm_args_count(&args, "n", &n);
    rhm_args_boolean(&args, "anew", &options.anew);
    lua_createtable(L, 2, 0); /* what the job borrows: held_out, from */
    int source = lua_gettop(L);
    read_options(&args, &options);
    lua_rawseti(L, source, 1);
    struct rhm_dataset data;
    rhm_baseline_source(&args, n, options.seed, &data);
    lua_rawseti(L, source, 2);
    options.data = &data;
    return rhm_baseline_begin(L, &kind, source, &options, background, &wait);
}
