/* onestep.c - rhm.onestep: one gradient step a layer, then k-means. */
#include "engine/baselines/onestep.h"

#include <math.h>
#include <stdio.h>

#include "engine/base/threads.h"
#include "script/baseline.h"
#include "script/branches.h"
#include "script/interrupt.h"
#include "script/objects.h"
#include "script/work.h"

struct object {
    struct rhm_onestep *net; /* NULL: not made yet */
};

static struct object *push_onestep(lua_State *L)
{
    struct object *object = lua_newuserdatauv(L, sizeof *object, 0);
    object->net = NULL;
    luaL_setmetatable(L, RHM_ONESTEP);
    return object;
}

static struct rhm_onestep *check_onestep(lua_State *L)
{
    struct object *object = rhm_class_check(L, 1, RHM_ONESTEP);
    if (!object->net)
        luaL_error(L, "this model was closed");
    return object->net;
}

static int onestep_gc(lua_State *L)
{
    struct object *object = rhm_class_check(L, 1, RHM_ONESTEP);
    rhm_onestep_free(object->net);
    object->net = NULL;
    return 0;
}

/* --- making one --------------------------------------------------------------------------------------- */

static const char *const rates[] = {[RHM_ONESTEP_PATCH] = "patch", [RHM_ONESTEP_SAME] = "same", NULL};

int rhm_script_onestep(lua_State *L)
{
    static const char *const keys[] = {"grammar", "V",    "s",        "L",    "classes", "C",
                                       "h",       "rate", "restarts", "seed", NULL};
    struct rhm_args args = rhm_args_open(L, 1, "rhm.onestep", keys);
    lua_settop(L, 1);
    struct rhm_onestep_options options = rhm_onestep_defaults();
    int rate = RHM_ONESTEP_PATCH;
    rhm_baseline_sizes(&args, &options.V, &options.classes);
    rhm_baseline_branches(&args, &options.s, options.branch, &options.L);
    rhm_args_integer(&args, "h", &options.h);
    rhm_args_choice(&args, "rate", rates, &rate);
    options.rate = (enum rhm_onestep_rate)rate;
    rhm_args_integer(&args, "restarts", &options.restarts);
    rhm_args_seed(&args, "seed", &options.seed);
    struct object *object = push_onestep(L);
    struct rhm_error err;
    if (rhm_onestep_create(&object->net, &options, &err) != RHM_OK)
        return rhm_raise(L, args.function, &err);
    return 1;
}

int rhm_onestep_load_object(lua_State *L, const char *path)
{
    if (!rhm_onestep_is_file(path))
        return 0;
    struct object *object = push_onestep(L);
    struct rhm_error err;
    if (rhm_onestep_load(&object->net, path, &err) != RHM_OK)
        return rhm_raise(L, "rhm.load", &err);
    return 1;
}

static int onestep_save(lua_State *L)
{
    struct rhm_onestep *net = check_onestep(L);
    struct rhm_error err;
    if (rhm_onestep_save(net, rhm_baseline_path(L, "onestep:save"), &err) != RHM_OK)
        return rhm_raise(L, "onestep:save", &err);
    lua_settop(L, 1);
    return 1;
}

/* --- training ----------------------------------------------------------------------------------------- */

struct training {
    struct rhm_onestep *net;
    struct rhm_dataset data;
    double accuracy, seconds;
};

static enum rhm_status run(void *context, struct rhm_monitor *monitor, struct rhm_error *err)
{
    struct training *t = context;
    double start = rhm_clock();
    rhm_threads_adopt();
    enum rhm_status status = rhm_onestep_train(t->net, &t->data, monitor, err);
    t->seconds = rhm_clock() - start;
    if (status == RHM_OK)
        status = rhm_onestep_accuracy(t->net, &t->data, &t->accuracy, rhm_monitor_poll, monitor, err);
    return status;
}

/* levels[l] = {patches=, clusters=, within=, between=, seconds=} */
static void push_levels(lua_State *L, struct rhm_onestep *net)
{
    lua_createtable(L, (int)net->L, 0);
    pthread_mutex_lock(&net->lock);
    struct rhm_onestep_fit fit = net->fit; /* numbers alone are read below, none of what it owns */
    pthread_mutex_unlock(&net->lock);
    for (unsigned l = 1; l <= net->L; l++) {
        const struct rhm_onestep_layer *layer = &fit.layer[l];
        lua_createtable(L, 0, 5);
        rhm_set_integer(L, "patches", layer->patches.n);
        rhm_set_number(L, "seconds", layer->seconds);
        if (l > 1) {
            rhm_set_integer(L, "clusters", layer->clusters);
            rhm_set_number(L, "within", layer->within);
            rhm_set_number(L, "between", layer->between);
        }
        lua_rawseti(L, -2, (lua_Integer)l);
    }
}

static int onestep_train(lua_State *L)
{
    static const char *const keys[] = {"from", "n", "seed", NULL};
    struct training t = {.net = check_onestep(L)};
    struct rhm_args args = rhm_args_open(L, 2, "onestep:train", keys);
    lua_settop(L, 2);
    uint64_t n = 0, seed = t.net->seed;
    rhm_args_count(&args, "n", &n);
    rhm_args_seed(&args, "seed", &seed);
    rhm_baseline_source(&args, n, seed, &t.data);
    struct rhm_error err = {0};
    if (rhm_work_run(L, run, &t, &err) != RHM_OK)
        return rhm_raise(L, "onestep:train", &err);
    lua_createtable(L, 0, 4);
    rhm_set_integer(L, "n", t.net->fit.n);
    rhm_set_number(L, "accuracy", t.accuracy);
    rhm_set_number(L, "seconds", t.seconds);
    push_levels(L, t.net);
    lua_setfield(L, -2, "levels");
    rhm_set_report(L, "onestep");
    return 1;
}

/* onestep:clusters(l): for each cluster of layer l a list of its patches {code, ...}. */
static int onestep_clusters(lua_State *L)
{
    struct rhm_onestep *net = check_onestep(L);
    unsigned l = (unsigned)rhm_args_whole(L, 2, "onestep:clusters", "layer =", 1, net->L);
    if (l == 1)
        return luaL_error(L, "onestep:clusters: layer 1 answers by itself, only layers 2..%d have clusters",
                          (int)net->L);
    if (net->fit.n == 0)
        return luaL_error(L, "onestep:clusters: the model is not trained: train it first");
    const struct rhm_onestep_layer *layer = &net->fit.layer[l];
    size_t s = net->branch[l];
    lua_createtable(L, (int)layer->clusters, 0);
    for (uint32_t c = 0; c < layer->clusters; c++) {
        lua_newtable(L);
        lua_rawseti(L, -2, (lua_Integer)c + 1);
    }
    for (size_t u = 0; u < layer->patches.n; u++) {
        lua_rawgeti(L, -1, (lua_Integer)layer->cluster[u] + 1);
        lua_createtable(L, (int)s, 0);
        for (size_t j = 0; j < s; j++) {
            lua_pushinteger(L, (lua_Integer)rhm_tuples_row(&layer->patches, u)[j] + 1);
            lua_rawseti(L, -2, (lua_Integer)j + 1);
        }
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
        lua_pop(L, 1);
    }
    return 1;
}

/* --- predicting --------------------------------------------------------------------------------------- */

static enum rhm_status predict(void *model, size_t n, const uint16_t *tokens, uint16_t *labels,
                               double *output, rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    return rhm_onestep_predict(model, n, tokens, labels, output, poll, context, err);
}

static enum rhm_status accuracy(void *model, const struct rhm_dataset *data, double *value,
                                rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    return rhm_onestep_accuracy(model, data, value, poll, context, err);
}

static struct rhm_baseline as_baseline(struct rhm_onestep *net)
{
    return (struct rhm_baseline){.name = "onestep",
                                 .model = net,
                                 .d = net->d,
                                 .seed = net->seed,
                                 .V = net->V,
                                 .classes = net->classes,
                                 .predict = predict,
                                 .accuracy = accuracy};
}

static int onestep_predict(lua_State *L)
{
    struct rhm_baseline model = as_baseline(check_onestep(L));
    return rhm_baseline_predict(L, &model);
}

static int onestep_accuracy(lua_State *L)
{
    struct rhm_baseline model = as_baseline(check_onestep(L));
    return rhm_baseline_accuracy(L, &model);
}

/* --- the class ---------------------------------------------------------------------------------------- */

enum {
    FIELD_V,
    FIELD_s,
    FIELD_L,
    FIELD_d,
    FIELD_classes,
    FIELD_h,
    FIELD_rate,
    FIELD_restarts,
    FIELD_seed,
    FIELD_n
};
static const char *const fields[] = {"V",    "s",        "L",    "d", "classes", "h",
                                     "rate", "restarts", "seed", "n", NULL};

static int onestep_field(lua_State *L)
{
    struct rhm_onestep *net = check_onestep(L);
    switch (rhm_class_field(L, fields)) {
    case FIELD_V:
        return lua_pushinteger(L, net->V), 1;
    case FIELD_s:
        return rhm_push_branches(L, net->branch, net->L), 1;
    case FIELD_L:
        return lua_pushinteger(L, net->L), 1;
    case FIELD_d:
        return lua_pushinteger(L, (lua_Integer)net->d), 1;
    case FIELD_classes:
        return lua_pushinteger(L, net->classes), 1;
    case FIELD_h:
        return lua_pushinteger(L, (lua_Integer)net->h), 1;
    case FIELD_rate:
        return lua_pushstring(L, rates[net->rate]), 1;
    case FIELD_restarts:
        return lua_pushinteger(L, net->restarts), 1;
    case FIELD_seed:
        return lua_pushinteger(L, (lua_Integer)net->seed), 1;
    case FIELD_n:
        return lua_pushinteger(L, (lua_Integer)net->fit.n), 1;
    default:
        return 0;
    }
}

static int onestep_tostring(lua_State *L)
{
    struct rhm_onestep *net = check_onestep(L);
    char text[RHM_BRANCHES_TEXT], trained[60] = "not trained";
    if (net->fit.n > 0)
        snprintf(trained, sizeof trained, "trained on %zu strings", net->fit.n);
    lua_pushfstring(L,
                    "onestep: V = %d, s = %s, L = %d, %d classes\n"
                    "         one gradient step a layer (rate \"%s\", width %I), then k-means, seed %I\n"
                    "         %s",
                    (int)net->V, rhm_branches_text(net->branch, net->L, text), (int)net->L, (int)net->classes,
                    rates[net->rate], (lua_Integer)net->h, (lua_Integer)net->seed, trained);
    return 1;
}

void rhm_open_onestep(lua_State *L)
{
    static const luaL_Reg methods[] = {{"train", onestep_train},       {"predict", onestep_predict},
                                       {"accuracy", onestep_accuracy}, {"clusters", onestep_clusters},
                                       {"save", onestep_save},         {NULL, NULL}};
    rhm_class_open(L, &(struct rhm_class){.name = RHM_ONESTEP,
                                          .methods = methods,
                                          .fields = fields,
                                          .field = onestep_field,
                                          .tostring = onestep_tostring,
                                          .gc = onestep_gc});
}
