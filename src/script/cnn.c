/* cnn.c - rhm.cnn: making, looking, predicting, saving. Training is in cnn_train.c. */
#include "engine/baselines/cnn.h"

#include <math.h>
#include <stdio.h>

#include "script/baseline.h"
#include "script/branches.h"
#include "script/objects.h"

RHM_BASELINE_KIND(cnn, RHM_CNN)

static struct rhm_cnn *check_cnn(lua_State *L)
{
    return rhm_baseline_check(L, &rhm_baseline_cnn);
}

static const char *const scalings[] = {
    [RHM_CNN_STANDARD] = "standard", [RHM_CNN_MEAN_FIELD] = "mean-field", NULL};

void rhm_cnn_read_scaling(const struct rhm_args *args, struct rhm_cnn_options *options)
{
    int scaling = (int)options->scaling;
    rhm_args_choice(args, "scaling", scalings, &scaling);
    options->scaling = (enum rhm_cnn_scaling)scaling;
}

int rhm_cnn_push_new(const struct rhm_args *args, const struct rhm_cnn_options *options)
{
    void **model = rhm_baseline_push(args->L, &rhm_baseline_cnn);
    struct rhm_cnn *net;
    struct rhm_error err;
    if (rhm_cnn_create(&net, options, &err) != RHM_OK)
        return rhm_raise(args->L, args->function, &err);
    *model = net;
    return 1;
}

int rhm_script_cnn(lua_State *L)
{
    static const char *const keys[] = {"grammar", "V", "s",      "L",       "d",    "classes",
                                       "C",       "h", "shared", "scaling", "seed", NULL};
    struct rhm_args args = rhm_args_open(L, 1, "rhm.cnn", keys);
    lua_settop(L, 1);
    struct rhm_cnn_options options = rhm_cnn_defaults();
    rhm_baseline_sizes(&args, &options.V, &options.classes);
    rhm_baseline_branches(&args, &options.s, options.branch, &options.L, &options.d);
    rhm_args_integer(&args, "h", &options.h);
    int shared = 1;
    rhm_args_boolean(&args, "shared", &shared);
    options.local = !shared;
    rhm_cnn_read_scaling(&args, &options);
    rhm_args_seed(&args, "seed", &options.seed);
    return rhm_cnn_push_new(&args, &options);
}

static int cnn_reset(lua_State *L)
{
    struct rhm_error err;
    if (rhm_cnn_reset(check_cnn(L), &err) != RHM_OK)
        return rhm_raise(L, "cnn:reset", &err);
    lua_settop(L, 1);
    return 1;
}

static size_t width(const void *model, unsigned l)
{
    const struct rhm_cnn *net = model;
    return net->layer[l].positions * net->h;
}

static enum rhm_status outputs(void *model, unsigned l, size_t n, const uint16_t *tokens, double *output,
                               rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    return rhm_cnn_outputs(model, l, n, tokens, output, poll, context, err);
}

static int cnn_outputs(lua_State *L)
{
    return rhm_baseline_outputs(L, &rhm_baseline_cnn, check_cnn(L)->L, width, outputs);
}

/* --- the class ---------------------------------------------------------------------------------------- */

enum {
    FIELD_V,
    FIELD_s,
    FIELD_L,
    FIELD_d,
    FIELD_classes,
    FIELD_h,
    FIELD_shared,
    FIELD_scaling,
    FIELD_seed,
    FIELD_parameters,
    FIELD_epochs,
    FIELD_steps,
    FIELD_history,
    FIELD_job
};
static const char *const fields[] = {"V",      "s",      "L",       "d",    "classes",
                                     "h",      "shared", "scaling", "seed", "parameters",
                                     "epochs", "steps",  "history", "job",  NULL};

/* history = {epoch = {...}, loss = {...}, ...}; held_loss and held_accuracy hold false where there was no
 * held-out data, so that the lists have no holes. */
static int push_history(lua_State *L, struct rhm_cnn *net)
{
    static const char *const names[] = {"epoch", "loss", "accuracy", "rate", "held_loss", "held_accuracy"};
    size_t n = rhm_cnn_history(net, NULL, NULL, 0, NULL); /* a training may add to it at any moment */
    struct rhm_cnn_point *point = rhm_push_buffer(L, n, sizeof *point);
    size_t still = rhm_cnn_history(net, NULL, NULL, n, point);
    n = still < n ? still : n;
    lua_createtable(L, 0, 6);
    for (int column = 0; column < 6; column++) {
        lua_createtable(L, (int)n, 0);
        for (size_t i = 0; i < n; i++) {
            const struct rhm_cnn_point *p = &point[i];
            const double value[] = {0, p->loss, p->accuracy, p->rate, p->held_loss, p->held_accuracy};
            if (column == 0)
                lua_pushinteger(L, (lua_Integer)p->epoch);
            else if (isnan(value[column]))
                lua_pushboolean(L, 0);
            else
                lua_pushnumber(L, value[column]);
            lua_rawseti(L, -2, (lua_Integer)i + 1);
        }
        lua_setfield(L, -2, names[column]);
    }
    return 1;
}

static int cnn_field(lua_State *L)
{
    struct rhm_cnn *net = check_cnn(L);
    uint64_t steps, epochs;
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
    case FIELD_shared:
        return lua_pushboolean(L, !net->local), 1;
    case FIELD_scaling:
        return lua_pushstring(L, scalings[net->scaling]), 1;
    case FIELD_seed:
        return lua_pushinteger(L, (lua_Integer)net->seed), 1;
    case FIELD_parameters:
        return lua_pushinteger(L, (lua_Integer)net->parameters), 1;
    case FIELD_epochs:
        rhm_cnn_history(net, NULL, &epochs, 0, NULL);
        return lua_pushinteger(L, (lua_Integer)epochs), 1;
    case FIELD_steps:
        rhm_cnn_history(net, &steps, NULL, 0, NULL);
        return lua_pushinteger(L, (lua_Integer)steps), 1;
    case FIELD_history:
        return push_history(L, net);
    case FIELD_job:
        return lua_getiuservalue(L, 1, RHM_SUBJECT_JOB), 1;
    default:
        return 0;
    }
}

static int cnn_tostring(lua_State *L)
{
    struct rhm_cnn *net = check_cnn(L);
    char text[RHM_BRANCHES_TEXT], padding[RHM_PADDING_TEXT];
    lua_pushfstring(L,
                    "cnn: V = %d, s = %s, L = %d, %d classes%s\n"
                    "     width h = %I, weights %s, %s scaling, %I parameters, seed %I\n     ",
                    (int)net->V, rhm_branches_text(net->branch, net->L, text), (int)net->L, (int)net->classes,
                    rhm_padding_text(net->d, net->leaves, padding), (lua_Integer)net->h,
                    net->local ? "for each position (shared = false)" : "shared by the positions",
                    scalings[net->scaling], (lua_Integer)net->parameters, (lua_Integer)net->seed);
    uint64_t steps, epochs;
    size_t n = rhm_cnn_history(net, &steps, &epochs, 0, NULL);
    struct rhm_cnn_point *point = rhm_push_buffer(L, n, sizeof *point);
    rhm_cnn_history(net, NULL, NULL, n, point);
    char loss[40] = "";
    if (n > 0)
        snprintf(loss, sizeof loss, ", loss %.4g", point[n - 1].loss);
    lua_pop(L, 1);
    if (steps == 0)
        lua_pushliteral(L, "not trained");
    else
        lua_pushfstring(L, "trained for %I %s, %I steps%s", (lua_Integer)epochs,
                        epochs == 1 ? "epoch" : "epochs", (lua_Integer)steps, loss);
    lua_concat(L, 2);
    return 1;
}

void rhm_open_cnn(lua_State *L)
{
    static const luaL_Reg methods[] = {{"train", rhm_cnn_train_method},
                                       {"resume", cnn_resume},
                                       {"predict", cnn_predict},
                                       {"accuracy", cnn_accuracy},
                                       {"outputs", cnn_outputs},
                                       {"reset", cnn_reset},
                                       {"save", cnn_save},
                                       {NULL, NULL}};
    rhm_class_open(L, &(struct rhm_class){.name = RHM_CNN,
                                          .methods = methods,
                                          .fields = fields,
                                          .field = cnn_field,
                                          .tostring = cnn_tostring,
                                          .gc = cnn_gc});
}
