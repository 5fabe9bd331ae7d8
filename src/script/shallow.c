/* shallow.c - rhm.shallow: models that do not know the tree. kind = "mlp" is a cnn of one layer. */
#include "engine/baselines/shallow.h"

#include <math.h>
#include <stdio.h>

#include "engine/baselines/cnn.h"
#include "engine/jobs/training.h"
#include "script/baseline.h"
#include "script/objects.h"

RHM_BASELINE_KIND(shallow, RHM_SHALLOW)

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
    void **model = rhm_baseline_push(L, &rhm_baseline_shallow);
    struct rhm_shallow *net;
    struct rhm_error err;
    if (rhm_shallow_create(&net, &options, &err) != RHM_OK)
        return rhm_raise(L, args.function, &err);
    *model = net;
    return 1;
}

/* --- training ----------------------------------------------------------------------------------------- */

static enum rhm_status make_body(struct rhm_job_body *body, void *model, const void *options,
                                 struct rhm_error *err)
{
    return rhm_training_shallow(body, model, options, err);
}

static void push_result(lua_State *L, void *model, const void *self, const struct rhm_progress *progress)
{
    (void)self;
    double sigma;
    lua_createtable(L, 0, 5);
    rhm_set_integer(L, "n", rhm_shallow_trained(model, &sigma));
    rhm_set_number(L, "sigma", sigma);
    rhm_set_number(L, "accuracy", progress->accuracy);
    rhm_set_number(L, "seconds", progress->seconds);
    rhm_set_report(L, "shallow");
}

static const struct rhm_job_kind job_kind = {
    .function = "shallow:train", .make = make_body, .push_result = push_result};

static int shallow_train(lua_State *L)
{
    return rhm_baseline_train(L, &rhm_baseline_shallow, &job_kind);
}

/* --- the class ---------------------------------------------------------------------------------------- */

enum {
    FIELD_kind,
    FIELD_V,
    FIELD_d,
    FIELD_classes,
    FIELD_M,
    FIELD_sigma,
    FIELD_lambda,
    FIELD_seed,
    FIELD_n,
    FIELD_job
};
static const char *const fields[] = {"kind",   "V",    "d", "classes", "M", "sigma",
                                     "lambda", "seed", "n", "job",     NULL};

static int shallow_field(lua_State *L)
{
    struct rhm_shallow *net = rhm_baseline_check(L, &rhm_baseline_shallow);
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
    case FIELD_job:
        return lua_getiuservalue(L, 1, RHM_SUBJECT_JOB), 1;
    default:
        return 0;
    }
}

static int shallow_tostring(lua_State *L)
{
    struct rhm_shallow *net = rhm_baseline_check(L, &rhm_baseline_shallow);
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
    static const luaL_Reg methods[] = {{"train", shallow_train},     {"resume", shallow_resume},
                                       {"predict", shallow_predict}, {"accuracy", shallow_accuracy},
                                       {"save", shallow_save},       {NULL, NULL}};
    rhm_class_open(L, &(struct rhm_class){.name = RHM_SHALLOW,
                                          .methods = methods,
                                          .fields = fields,
                                          .field = shallow_field,
                                          .tostring = shallow_tostring,
                                          .gc = shallow_gc});
}
