/* baseline.c - see baseline.h. */
#include "script/baseline.h"

#include <math.h>
#include <string.h>

#include "engine/base/output.h"
#include "engine/grammar/sample.h"
#include "script/branches.h"
#include "script/latest.h"
#include "script/objects.h"
#include "script/source.h"

struct object {
    void *model; /* NULL: not made yet */
};

void **rhm_baseline_push(lua_State *L, const struct rhm_baseline_kind *kind)
{
    struct object *object = lua_newuserdatauv(L, sizeof *object, RHM_SUBJECT_JOB);
    object->model = NULL;
    luaL_setmetatable(L, kind->class);
    return &object->model;
}

void *rhm_baseline_check(lua_State *L, const struct rhm_baseline_kind *kind)
{
    struct object *object = rhm_class_check(L, 1, kind->class);
    if (!object->model)
        luaL_error(L, "this model was closed");
    return object->model;
}

int rhm_baseline_gc(lua_State *L, const struct rhm_baseline_kind *kind)
{
    struct object *object = rhm_class_check(L, 1, kind->class);
    lua_getiuservalue(L, 1, RHM_SUBJECT_JOB);
    rhm_job_close(L, -1); /* its thread works on the model */
    kind->free(object->model);
    object->model = NULL;
    return 0;
}

static const char *method(lua_State *L, const struct rhm_baseline_kind *kind, const char *name)
{
    return lua_pushfstring(L, "%s:%s", kind->name, name);
}

/* --- files -------------------------------------------------------------------------------------------- */

int rhm_baseline_load(lua_State *L, const char *path)
{
    static const struct rhm_baseline_kind *const kinds[] = {&rhm_baseline_cnn, &rhm_baseline_shallow,
                                                            &rhm_baseline_onestep};
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        struct rhm_error err;
        if (!kinds[k]->is_file(path))
            continue;
        if (kinds[k]->load(rhm_baseline_push(L, kinds[k]), path, &err) != RHM_OK)
            rhm_raise(L, "rhm.load", &err);
        return 1;
    }
    return 0;
}

int rhm_baseline_save(lua_State *L, const struct rhm_baseline_kind *kind)
{
    void *model = rhm_baseline_check(L, kind);
    lua_settop(L, 2);
    const char *function = method(L, kind, "save"), *path = rhm_args_path(L, 2, function);
    struct rhm_error err;
    if (rhm_format_of(path) != RHM_FORMAT_HDF5)
        return luaL_error(L, "%s: path = %s: a network is written to an .h5 file", function,
                          rhm_args_show(L, 2));
    if (kind->save(model, path, &err) != RHM_OK)
        return rhm_raise(L, function, &err);
    lua_settop(L, 1);
    return 1;
}

/* --- training ----------------------------------------------------------------------------------------- */

int rhm_baseline_begin(lua_State *L, const struct rhm_job_kind *job, int source, const void *options,
                       int background, const struct rhm_wait *wait)
{
    struct object *object = lua_touserdata(L, 1);
    rhm_job_check_idle(L, job, 1);
    rhm_latest_set(L, RHM_LATEST_LEARNER, 1);
    rhm_job_push(L, &(struct rhm_job_start){.kind = job,
                                            .subject = 1,
                                            .source = source,
                                            .background = background,
                                            .model = object->model,
                                            .options = options});
    return background ? 1 : rhm_job_await(L, -1, wait);
}

int rhm_baseline_train(lua_State *L, const struct rhm_baseline_kind *kind, const struct rhm_job_kind *job)
{
    static const char *const keys[] = {"from", "n", "seed", "progress", "background", NULL};
    uint64_t n = 0, seed = kind->sizes(rhm_baseline_check(L, kind)).seed;
    struct rhm_args args = rhm_args_open(L, 2, job->function, keys);
    lua_settop(L, 2);
    struct rhm_wait wait;
    int background;
    rhm_job_read_wait(&args, &wait, &background);
    rhm_args_count(&args, "n", &n);
    rhm_args_seed(&args, "seed", &seed);
    struct rhm_dataset data;
    rhm_baseline_source(&args, n, seed, &data);
    return rhm_baseline_begin(L, job, lua_gettop(L), &data, background, &wait);
}

/* --- predicting --------------------------------------------------------------------------------------- */

static void check_length(lua_State *L, const struct rhm_baseline_sizes *sizes, const char *function, size_t d)
{
    if (d != sizes->d)
        luaL_error(L, "%s: %I tokens a string, the model reads %I", function, (lua_Integer)d,
                   (lua_Integer)sizes->d);
}

/* A single string {1, 5, 2, ...}: its label, its row of probabilities. */
static int predict_string(lua_State *L, const struct rhm_baseline_kind *kind, void *model,
                          const struct rhm_baseline_sizes *sizes, const char *function)
{
    check_length(L, sizes, function, lua_rawlen(L, 2));
    const uint16_t *tokens = rhm_args_symbols(L, 2, function, sizes->V, 0);
    uint16_t label;
    struct rhm_matrix *probability = rhm_push_matrix(L);
    struct rhm_error err;
    if (rhm_matrix_init(probability, 1, sizes->classes, &err) != RHM_OK ||
        kind->predict(model, 1, tokens, &label, probability->v, rhm_poll_interrupt, NULL, &err) != RHM_OK)
        return rhm_raise(L, function, &err);
    lua_pushinteger(L, label + 1);
    lua_geti(L, -2, 1);
    return 2;
}

int rhm_baseline_predict(lua_State *L, const struct rhm_baseline_kind *kind)
{
    void *model = rhm_baseline_check(L, kind);
    struct rhm_baseline_sizes sizes = kind->sizes(model);
    struct rhm_dataset *data = rhm_test_dataset(L, 2);
    lua_settop(L, 2);
    const char *function = method(L, kind, "predict");
    if (!data && lua_type(L, 2) == LUA_TTABLE)
        return predict_string(L, kind, model, &sizes, function);
    if (!data) {
        const char *shown = rhm_args_show(L, 2);
        return luaL_error(L, "%s: a data set or one string {1, 5, 2, ...} expected, got %s", function, shown);
    }
    struct rhm_error err;
    check_length(L, &sizes, function, data->d);
    if (rhm_tokens_check(data->n, data->d, data->tokens, sizes.V, "the model", &err) != RHM_OK)
        return rhm_raise(L, function, &err);
    uint16_t *labels = rhm_push_buffer(L, data->n, sizeof *labels);
    struct rhm_matrix *probability = rhm_push_matrix(L);
    if (rhm_matrix_init(probability, data->n, sizes.classes, &err) != RHM_OK ||
        kind->predict(model, data->n, data->tokens, labels, probability->v, rhm_poll_interrupt, NULL, &err) !=
            RHM_OK)
        return rhm_raise(L, function, &err);
    rhm_push_symbols(L, data->n, labels);
    lua_insert(L, -2);
    return 2;
}

int rhm_baseline_accuracy(lua_State *L, const struct rhm_baseline_kind *kind)
{
    void *model = rhm_baseline_check(L, kind);
    struct rhm_baseline_sizes sizes = kind->sizes(model);
    struct rhm_dataset *data = rhm_test_dataset(L, 2);
    const struct rhm_grammar *g = rhm_test_grammar(L, 2);
    lua_settop(L, 3);
    const char *function = method(L, kind, "accuracy");
    if (!data && !g && !rhm_source_is(L, 2)) {
        const char *shown = rhm_args_show(L, 2);
        return luaL_error(L, "%s: " RHM_ANY_SOURCE " expected, got %s", function, shown);
    }
    struct rhm_error err;
    if (!data) {
        if (g)
            check_length(L, &sizes, function, (size_t)g->d);
        data = rhm_source_test_strings(L, function, sizes.seed);
    } else if (!lua_isnoneornil(L, 3)) {
        return luaL_error(L, "%s: n and seed are for strings that are drawn, not for a data set", function);
    }
    double accuracy;
    if (kind->accuracy(model, data, &accuracy, rhm_poll_interrupt, NULL, &err) != RHM_OK)
        return rhm_raise(L, function, &err);
    lua_pushnumber(L, accuracy);
    return 1;
}

int rhm_baseline_outputs(lua_State *L, const struct rhm_baseline_kind *kind, unsigned layers,
                         size_t (*width)(const void *model, unsigned l), rhm_outputs_function *outputs)
{
    void *model = rhm_baseline_check(L, kind);
    struct rhm_baseline_sizes sizes = kind->sizes(model);
    lua_settop(L, 3);
    const char *function = method(L, kind, "outputs");
    const struct rhm_dataset *data = rhm_test_dataset(L, 2);
    if (!data)
        return luaL_error(L, "%s: a data set expected, got %s", function, rhm_args_show(L, 2));
    unsigned l = (unsigned)rhm_args_whole(L, 3, function, "level", 1, layers);
    check_length(L, &sizes, function, data->d);
    struct rhm_error err;
    struct rhm_matrix *to = rhm_push_matrix(L);
    if (rhm_tokens_check(data->n, data->d, data->tokens, sizes.V, "the model", &err) != RHM_OK ||
        rhm_matrix_init(to, data->n, width(model, l), &err) != RHM_OK ||
        outputs(model, l, data->n, data->tokens, to->v, rhm_poll_interrupt, NULL, &err) != RHM_OK)
        return rhm_raise(L, function, &err);
    return 1;
}

/* --- arguments ---------------------------------------------------------------------------------------- */

static void read_size(const struct rhm_args *args, const char *key, uint64_t known, int64_t *value)
{
    if (!rhm_args_integer(args, key, value)) {
        if (known == 0)
            luaL_error(args->L, "%s: key '%s' is missing (or give grammar = g)", args->function, key);
        *value = (int64_t)known;
    }
}

static const struct rhm_grammar *known_grammar(const struct rhm_args *args)
{
    lua_State *L = args->L;
    const struct rhm_grammar *g = NULL;
    if (rhm_args_push(args, "grammar") != LUA_TNIL && (g = rhm_test_grammar(L, -1)) == NULL) {
        const char *shown = rhm_args_show(L, -1);
        luaL_error(L, "%s: grammar = %s: must be a grammar", args->function, shown);
    }
    lua_pop(L, 1); /* the table of arguments holds it */
    return g;
}

void rhm_baseline_branches(const struct rhm_args *args, int64_t *s, int64_t *branch, int64_t *levels,
                           int64_t *d)
{
    const struct rhm_grammar *g = known_grammar(args);
    int given = rhm_args_branches(args, s, branch, levels);
    if (branch[1] > 0) {
        rhm_args_length(args, d);
        return;
    }
    if (!given)
        read_size(args, "s", g ? g->branch[1] : 0, s); /* which says where it is missing */
    int one = given || g->s > 0;
    if (!rhm_args_levels(args, one ? *s : 0, given && g ? g->d : 0, levels, d))
        read_size(args, "L", g ? g->L : 0, levels);
    if (given || g->s > 0)
        return;
    if (*levels != (int64_t)g->L)
        luaL_error(args->L, "%s: L = %I, but the grammar has another s at each of %d levels: give s as well",
                   args->function, (lua_Integer)*levels, (int)g->L);
    for (unsigned l = 1; l <= g->L; l++)
        branch[l] = g->branch[l];
}

void rhm_baseline_sizes(const struct rhm_args *args, int64_t *V, int64_t *classes)
{
    lua_State *L = args->L;
    const struct rhm_grammar *g = known_grammar(args);
    read_size(args, "V", g ? g->V : 0, V);
    if (rhm_args_integer(args, "classes", classes) + rhm_args_integer(args, "C", classes) == 0)
        *classes = g ? g->classes : *V;
    else if (*classes == 0) /* the engine's 0 means: V */
        luaL_error(L, "%s: classes = 0: must be from 2 to 65535", args->function);
}

static uint64_t default_strings(const struct rhm_grammar *g)
{
    double n = 10 * (double)g->classes * pow(g->m, g->L);
    return n < 100000 ? (uint64_t)n : 100000;
}

void rhm_baseline_source(const struct rhm_args *args, uint64_t n, uint64_t seed, struct rhm_dataset *out)
{
    lua_State *L = args->L;
    rhm_args_require(args, "from", rhm_args_push(args, "from") != LUA_TNIL);
    const struct rhm_grammar *g = rhm_test_grammar(L, -1);
    const struct rhm_dataset *data = rhm_test_dataset(L, -1);
    rhm_latest_set(L, RHM_LATEST_SOURCE, -1);
    struct rhm_error err;
    if (data) {
        *out = *data;
        if (n > data->n)
            luaL_error(L, "%s: n = %I: the data set has %I strings", args->function, (lua_Integer)n,
                       (lua_Integer)data->n);
        out->n = n > 0 ? (size_t)n : data->n;
    } else if (g) {
        struct rhm_dataset *drawn = rhm_push_dataset(L);
        if (rhm_sample_dataset(g, seed, (size_t)(n > 0 ? n : default_strings(g)), drawn, &err) != RHM_OK)
            rhm_raise(L, args->function, &err);
        *out = *drawn;
    } else if (rhm_source_is(L, -1)) {
        *out = *rhm_source_draw(L, -1, args->function, n > 0 ? n : RHM_SOURCE_STRINGS, seed);
        rhm_latest_set(L, RHM_LATEST_SOURCE, -1); /* what there is to look at */
    } else {
        const char *shown = rhm_args_show(L, -1);
        luaL_error(L, "%s: from = %s: must be " RHM_ANY_SOURCE, args->function, shown);
    }
}
