/* onestep.c - rhm.onestep: one gradient step a layer, then k-means. */
#include "engine/baselines/onestep.h"

#include <math.h>
#include <stdio.h>

#include "engine/jobs/training.h"
#include "script/baseline.h"
#include "script/branches.h"
#include "script/objects.h"

RHM_BASELINE_KIND(onestep, RHM_ONESTEP)

static struct rhm_onestep *check_onestep(lua_State *L)
{
    return rhm_baseline_check(L, &rhm_baseline_onestep);
}

/* --- making one --------------------------------------------------------------------------------------- */

static const char *const rates[] = {[RHM_ONESTEP_PATCH] = "patch", [RHM_ONESTEP_SAME] = "same", NULL};

int rhm_script_onestep(lua_State *L)
{
    static const char *const keys[] = {"grammar", "V", "s",    "L",        "d",    "classes",
                                       "C",       "h", "rate", "restarts", "seed", NULL};
    struct rhm_args args = rhm_args_open(L, 1, "rhm.onestep", keys);
    lua_settop(L, 1);
    struct rhm_onestep_options options = rhm_onestep_defaults();
    int rate = RHM_ONESTEP_PATCH;
    rhm_baseline_sizes(&args, &options.V, &options.classes);
    rhm_baseline_branches(&args, &options.s, options.branch, &options.L, &options.d);
    rhm_args_integer(&args, "h", &options.h);
    rhm_args_choice(&args, "rate", rates, &rate);
    options.rate = (enum rhm_onestep_rate)rate;
    rhm_args_integer(&args, "restarts", &options.restarts);
    rhm_args_seed(&args, "seed", &options.seed);
    void **model = rhm_baseline_push(L, &rhm_baseline_onestep);
    struct rhm_onestep *net;
    struct rhm_error err;
    if (rhm_onestep_create(&net, &options, &err) != RHM_OK)
        return rhm_raise(L, args.function, &err);
    *model = net;
    return 1;
}

/* --- training ----------------------------------------------------------------------------------------- */

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

static enum rhm_status make_body(struct rhm_job_body *body, void *model, const void *options,
                                 struct rhm_error *err)
{
    return rhm_training_onestep(body, model, options, err);
}

static void push_result(lua_State *L, void *model, const void *self, const struct rhm_progress *progress)
{
    (void)self;
    lua_createtable(L, 0, 4);
    rhm_set_integer(L, "n", rhm_onestep_trained(model));
    rhm_set_number(L, "accuracy", progress->accuracy);
    rhm_set_number(L, "seconds", progress->seconds);
    push_levels(L, model);
    lua_setfield(L, -2, "levels");
    rhm_set_report(L, "onestep");
}

static const struct rhm_job_kind job_kind = {
    .function = "onestep:train", .make = make_body, .push_result = push_result};

static int onestep_train(lua_State *L)
{
    return rhm_baseline_train(L, &rhm_baseline_onestep, &job_kind);
}

/* onestep:clusters(l): for each cluster of layer l a list of its patches {code, ...}. */
static int onestep_clusters(lua_State *L)
{
    struct rhm_onestep *net = check_onestep(L);
    unsigned l = (unsigned)rhm_args_whole(L, 2, "onestep:clusters", "layer =", 1, net->L);
    if (l == 1)
        return luaL_error(L, "onestep:clusters: layer 1 answers by itself, only layers 2..%d have clusters",
                          (int)net->L);
    size_t s = net->branch[l], room = 0, n;
    uint32_t clusters, *cluster = NULL, *tuple = NULL;
    while ((n = rhm_onestep_clusters(net, l, room, tuple, cluster, &clusters)) > room) { /* or trained anew */
        lua_settop(L, 2);
        cluster = rhm_push_buffer(L, n, sizeof *cluster);
        tuple = rhm_push_buffer(L, n * s, sizeof *tuple);
        room = n;
    }
    if (n == 0)
        return luaL_error(L, "onestep:clusters: the model is not trained: train it first");
    lua_createtable(L, (int)clusters, 0);
    for (uint32_t c = 0; c < clusters; c++) {
        lua_newtable(L);
        lua_rawseti(L, -2, (lua_Integer)c + 1);
    }
    for (size_t u = 0; u < n; u++) {
        lua_rawgeti(L, -1, (lua_Integer)cluster[u] + 1);
        lua_createtable(L, (int)s, 0);
        for (size_t j = 0; j < s; j++) {
            lua_pushinteger(L, (lua_Integer)tuple[u * s + j] + 1);
            lua_rawseti(L, -2, (lua_Integer)j + 1);
        }
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
        lua_pop(L, 1);
    }
    return 1;
}

static size_t width(const void *model, unsigned l)
{
    const struct rhm_onestep *net = model;
    return l == 1 ? net->classes : (size_t)rhm_places(net->branch, 1, l - 1) * net->symbols;
}

static enum rhm_status outputs(void *model, unsigned l, size_t n, const uint16_t *tokens, double *output,
                               rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    return rhm_onestep_outputs(model, l, n, tokens, output, poll, context, err);
}

static int onestep_outputs(lua_State *L)
{
    return rhm_baseline_outputs(L, &rhm_baseline_onestep, check_onestep(L)->L, width, outputs);
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
    FIELD_n,
    FIELD_job
};
static const char *const fields[] = {"V",    "s",        "L",    "d", "classes", "h",
                                     "rate", "restarts", "seed", "n", "job",     NULL};

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
        return lua_pushinteger(L, (lua_Integer)rhm_onestep_trained(net)), 1;
    case FIELD_job:
        return lua_getiuservalue(L, 1, RHM_SUBJECT_JOB), 1;
    default:
        return 0;
    }
}

static int onestep_tostring(lua_State *L)
{
    struct rhm_onestep *net = check_onestep(L);
    char text[RHM_BRANCHES_TEXT], padding[RHM_PADDING_TEXT], trained[60] = "not trained";
    size_t n = rhm_onestep_trained(net);
    if (n > 0)
        snprintf(trained, sizeof trained, "trained on %zu strings", n);
    lua_pushfstring(L,
                    "onestep: V = %d, s = %s, L = %d, %d classes%s\n"
                    "         one gradient step a layer (rate \"%s\", width %I), then k-means, seed %I\n"
                    "         %s",
                    (int)net->V, rhm_branches_text(net->branch, net->L, text), (int)net->L, (int)net->classes,
                    rhm_padding_text(net->d, net->leaves, padding), rates[net->rate], (lua_Integer)net->h,
                    (lua_Integer)net->seed, trained);
    return 1;
}

void rhm_open_onestep(lua_State *L)
{
    static const luaL_Reg methods[] = {{"train", onestep_train},       {"resume", onestep_resume},
                                       {"predict", onestep_predict},   {"accuracy", onestep_accuracy},
                                       {"clusters", onestep_clusters}, {"outputs", onestep_outputs},
                                       {"save", onestep_save},         {NULL, NULL}};
    rhm_class_open(L, &(struct rhm_class){.name = RHM_ONESTEP,
                                          .methods = methods,
                                          .fields = fields,
                                          .field = onestep_field,
                                          .tostring = onestep_tostring,
                                          .gc = onestep_gc});
}
