/* shallow.c - rhm.shallow: models that do not know the tree. kind = "mlp" is a cnn of one layer. */
#include "engine/shallow.h"

#include <math.h>
#include <stdio.h>

#include "engine/cnn.h"
#include "engine/threads.h"
#include "script/baseline.h"
#include "script/interrupt.h"
#include "script/objects.h"
#include "script/work.h"

struct object {
    struct rhm_shallow *net; /* NULL: not made yet */
};

static struct object *push_shallow(lua_State *L)
{
    struct object *object = lua_newuserdatauv(L, sizeof *object, 0);
    object->net = NULL;
    luaL_setmetatable(L, RHM_SHALLOW);
    return object;
}

static struct rhm_shallow *check_shallow(lua_State *L)
{
    struct object *object = rhm_class_check(L, 1, RHM_SHALLOW);
    if (!object->net)
        luaL_error(L, "this model was closed");
    return object->net;
}

static int shallow_gc(lua_State *L)
{
    struct object *object = rhm_class_check(L, 1, RHM_SHALLOW);
    rhm_shallow_free(object->net);
    object->net = NULL;
    return 0;
}

/* --- making one --------------------------------------------------------------------------------------- */

enum { MLP = 2 };
static const char *const kinds[] = {
    [RHM_SHALLOW_RBF] = "rbf", [RHM_SHALLOW_KERNEL] = "kernel", [MLP] = "mlp", NULL};

/* A key that says nothing to this kind is an error. */
static void refuse(const struct rhm_args *args, int kind, const char *key, const char *of)
{
    if (rhm_args_push(args, key) != LUA_TNIL)
        luaL_error(args->L, "%s: %s is for kind = %s, not for '%s'", args->function, key, of, kinds[kind]);
    lua_pop(args->L, 1);
}

static void read_ridge(const struct rhm_args *args, struct rhm_shallow_options *o)
{
    if (rhm_args_number(args, "sigma", &o->sigma) && !(o->sigma > 0)) {
        lua_pushnumber(args->L, o->sigma);
        luaL_error(args->L, "%s: sigma = %s: must be above 0 (leave it out for the median distance)",
                   args->function, rhm_args_show(args->L, -1));
    }
    rhm_args_number(args, "lambda", &o->lambda);
    if (o->kind == RHM_SHALLOW_RBF)
        rhm_args_integer(args, "M", &o->M);
    else
        refuse(args, (int)o->kind, "M", "'rbf'");
    refuse(args, (int)o->kind, "h", "'mlp'");
    refuse(args, (int)o->kind, "scaling", "'mlp'");
}

static int make_mlp(const struct rhm_args *args, const struct rhm_shallow_options *sizes)
{
    struct rhm_cnn_options o = rhm_cnn_defaults();
    o.V = sizes->V;
    o.s = sizes->d;
    o.L = 1;
    o.classes = sizes->classes;
    o.seed = sizes->seed;
    rhm_args_integer(args, "h", &o.h);
    rhm_cnn_read_scaling(args, &o);
    refuse(args, MLP, "M", "'rbf'");
    refuse(args, MLP, "sigma", "'rbf' and 'kernel'");
    refuse(args, MLP, "lambda", "'rbf' and 'kernel'");
    return rhm_cnn_push_new(args, &o);
}

int rhm_script_shallow(lua_State *L)
{
    static const char *const keys[] = {"kind",  "grammar", "V", "d",       "classes", "C", "M",
                                       "sigma", "lambda",  "h", "scaling", "seed",    NULL};
    struct rhm_args args = rhm_args_open(L, 1, "rhm.shallow", keys);
    lua_settop(L, 1);
    struct rhm_shallow_options options = rhm_shallow_defaults();
    int kind = RHM_SHALLOW_RBF;
    rhm_args_choice(&args, "kind", kinds, &kind);
    rhm_baseline_sizes(&args, &options.V, &options.classes);
    if (!rhm_args_integer(&args, "d", &options.d)) {
        const struct rhm_grammar *g = NULL;
        if (rhm_args_push(&args, "grammar") != LUA_TNIL)
            g = rhm_test_grammar(L, -1);
        if (g == NULL)
            return luaL_error(L, "%s: key 'd' is missing (or give grammar = g)", args.function);
        options.d = (int64_t)g->d;
    }
    rhm_args_seed(&args, "seed", &options.seed);
    if (kind == MLP)
        return make_mlp(&args, &options);
    options.kind = (enum rhm_shallow_kind)kind;
    read_ridge(&args, &options);
    struct object *object = push_shallow(L);
    struct rhm_error err;
    if (rhm_shallow_create(&object->net, &options, &err) != RHM_OK)
        return rhm_raise(L, args.function, &err);
    return 1;
}

int rhm_shallow_load_object(lua_State *L, const char *path)
{
    if (!rhm_shallow_is_file(path))
        return 0;
    struct object *object = push_shallow(L);
    struct rhm_error err;
    if (rhm_shallow_load(&object->net, path, &err) != RHM_OK)
        return rhm_raise(L, "rhm.load", &err);
    return 1;
}

static int shallow_save(lua_State *L)
{
    struct rhm_shallow *net = check_shallow(L);
    struct rhm_error err;
    if (rhm_shallow_save(net, rhm_baseline_path(L, "shallow:save"), &err) != RHM_OK)
        return rhm_raise(L, "shallow:save", &err);
    lua_settop(L, 1);
    return 1;
}

/* --- training ----------------------------------------------------------------------------------------- */

struct training {
    struct rhm_shallow *net;
    struct rhm_dataset data;
    double accuracy, seconds;
};

static enum rhm_status run(void *context, struct rhm_monitor *monitor, struct rhm_error *err)
{
    struct training *t = context;
    double start = rhm_clock();
    rhm_threads_adopt();
    enum rhm_status status = rhm_shallow_train(t->net, &t->data, monitor, err);
    t->seconds = rhm_clock() - start;
    if (status == RHM_OK)
        status = rhm_shallow_accuracy(t->net, &t->data, &t->accuracy, rhm_monitor_poll, monitor, err);
    return status;
}

static int shallow_train(lua_State *L)
{
    static const char *const keys[] = {"from", "n", "seed", NULL};
    struct training t = {.net = check_shallow(L)};
    struct rhm_args args = rhm_args_open(L, 2, "shallow:train", keys);
    lua_settop(L, 2);
    uint64_t n = 0, seed = t.net->seed;
    rhm_args_count(&args, "n", &n);
    rhm_args_seed(&args, "seed", &seed);
    rhm_baseline_source(&args, n, seed, &t.data);
    struct rhm_error err = {0};
    if (rhm_work_run(L, run, &t, &err) != RHM_OK)
        return rhm_raise(L, "shallow:train", &err);
    lua_createtable(L, 0, 4);
    rhm_set_integer(L, "n", t.data.n);
    double sigma;
    rhm_shallow_trained(t.net, &sigma);
    rhm_set_number(L, "sigma", sigma);
    rhm_set_number(L, "accuracy", t.accuracy);
    rhm_set_number(L, "seconds", t.seconds);
    rhm_set_report(L, "shallow");
    return 1;
}

/* --- predicting --------------------------------------------------------------------------------------- */

static enum rhm_status predict(void *model, size_t n, const uint16_t *tokens, uint16_t *labels,
                               double *output, rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    return rhm_shallow_predict(model, n, tokens, labels, output, poll, context, err);
}

static enum rhm_status accuracy(void *model, const struct rhm_dataset *data, double *value,
                                rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    return rhm_shallow_accuracy(model, data, value, poll, context, err);
}

static struct rhm_baseline as_baseline(struct rhm_shallow *net)
{
    return (struct rhm_baseline){.name = "shallow",
                                 .model = net,
                                 .d = net->d,
                                 .seed = net->seed,
                                 .V = net->V,
                                 .classes = net->classes,
                                 .predict = predict,
                                 .accuracy = accuracy};
}

static int shallow_predict(lua_State *L)
{
    struct rhm_baseline model = as_baseline(check_shallow(L));
    return rhm_baseline_predict(L, &model);
}

static int shallow_accuracy(lua_State *L)
{
    struct rhm_baseline model = as_baseline(check_shallow(L));
    return rhm_baseline_accuracy(L, &model);
}

/* --- the class ---------------------------------------------------------------------------------------- */

enum { FIELD_kind, FIELD_V, FIELD_d, FIELD_classes, FIELD_M, FIELD_sigma, FIELD_lambda, FIELD_seed, FIELD_n };
static const char *const fields[] = {"kind", "V", "d", "classes", "M", "sigma", "lambda", "seed", "n", NULL};

static int shallow_field(lua_State *L)
{
    struct rhm_shallow *net = check_shallow(L);
    double sigma;
    size_t n = rhm_shallow_trained(net, &sigma);
    switch (rhm_class_field(L, fields)) {
    case FIELD_kind:
        return lua_pushstring(L, kinds[net->kind]), 1;
    case FIELD_V:
        return lua_pushinteger(L, net->V), 1;
    case FIELD_d:
        return lua_pushinteger(L, (lua_Integer)net->d), 1;
    case FIELD_classes:
        return lua_pushinteger(L, net->classes), 1;
    case FIELD_M:
        return net->kind == RHM_SHALLOW_RBF ? (lua_pushinteger(L, (lua_Integer)net->M), 1) : 0;
    case FIELD_sigma:
        return sigma > 0 ? (lua_pushnumber(L, sigma), 1) : 0;
    case FIELD_lambda:
        return lua_pushnumber(L, net->lambda), 1;
    case FIELD_seed:
        return lua_pushinteger(L, (lua_Integer)net->seed), 1;
    case FIELD_n:
        return lua_pushinteger(L, (lua_Integer)n), 1;
    default:
        return 0;
    }
}

static int shallow_tostring(lua_State *L)
{
    struct rhm_shallow *net = check_shallow(L);
    char text[240], sigma[40] = "the median distance";
    double in_use;
    size_t trained = rhm_shallow_trained(net, &in_use);
    int n = 0;
    if (in_use > 0)
        snprintf(sigma, sizeof sigma, "%.4g", in_use);
    n = snprintf(text, sizeof text, "shallow: ridge on whole strings, V = %u, d = %zu, %u classes\n         ",
                 net->V, net->d, net->classes);
    if (net->kind == RHM_SHALLOW_RBF)
        n += snprintf(text + n, sizeof text - (size_t)n, "M = %zu rbf features, ", net->M);
    else
        n += snprintf(text + n, sizeof text - (size_t)n, "Gaussian kernel, ");
    n += snprintf(text + n, sizeof text - (size_t)n, "sigma = %s, lambda = %.4g, seed %llu\n         ", sigma,
                  net->lambda, (unsigned long long)net->seed);
    if (trained > 0)
        snprintf(text + n, sizeof text - (size_t)n, "trained on %zu strings", trained);
    else
        snprintf(text + n, sizeof text - (size_t)n, "not trained");
    lua_pushstring(L, text);
    return 1;
}

void rhm_open_shallow(lua_State *L)
{
    static const luaL_Reg methods[] = {{"train", shallow_train},
                                       {"predict", shallow_predict},
                                       {"accuracy", shallow_accuracy},
                                       {"save", shallow_save},
                                       {NULL, NULL}};
    rhm_class_open(L, &(struct rhm_class){.name = RHM_SHALLOW,
                                          .methods = methods,
                                          .fields = fields,
                                          .field = shallow_field,
                                          .tostring = shallow_tostring,
                                          .gc = shallow_gc});
}
