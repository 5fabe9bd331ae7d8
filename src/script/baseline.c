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

/* --- predicting --------------------------------------------------------------------------------------- */

static int fail(lua_State *L, const struct rhm_baseline *model, const char *method,
                const struct rhm_error *err)
{
    return rhm_raise(L, lua_pushfstring(L, "%s:%s", model->name, method), err);
}

static void check_length(lua_State *L, const struct rhm_baseline *model, const char *method, size_t d)
{
    if (d != model->d)
        luaL_error(L, "%s:%s: %I tokens a string, the model reads %I", model->name, method, (lua_Integer)d,
                   (lua_Integer)model->d);
}

/* A single string {1, 5, 2, ...}: its label, its row of probabilities. */
static int predict_string(lua_State *L, const struct rhm_baseline *model)
{
    size_t d = lua_rawlen(L, 2);
    check_length(L, model, "predict", d);
    const char *function = lua_pushfstring(L, "%s:predict", model->name);
    uint16_t *tokens = rhm_push_buffer(L, d, sizeof *tokens), label;
    for (size_t j = 0; j < d; j++) {
        lua_rawgeti(L, 2, (lua_Integer)j + 1);
        const char *name = lua_pushfstring(L, "token %I =", (lua_Integer)j + 1);
        tokens[j] = (uint16_t)(rhm_args_whole(L, -2, function, name, 1, model->V) - 1);
        lua_pop(L, 2);
    }
    struct rhm_matrix *probability = rhm_push_matrix(L);
    struct rhm_error err;
    if (rhm_matrix_init(probability, 1, model->classes, &err) != RHM_OK ||
        model->predict(model->model, 1, tokens, &label, probability->v, rhm_poll_interrupt, NULL, &err) !=
            RHM_OK)
        return fail(L, model, "predict", &err);
    lua_pushinteger(L, label + 1);
    lua_geti(L, -2, 1);
    return 2;
}

static void check_symbols(lua_State *L, const struct rhm_baseline *model, const struct rhm_dataset *data)
{
    check_length(L, model, "predict", data->d);
    struct rhm_error err;
    if (rhm_tokens_check(data->n, data->d, data->tokens, model->V, "the model", &err) != RHM_OK)
        fail(L, model, "predict", &err);
}

int rhm_baseline_predict(lua_State *L, const struct rhm_baseline *model)
{
    struct rhm_dataset *data = rhm_test_dataset(L, 2);
    if (!data && lua_type(L, 2) == LUA_TTABLE)
        return predict_string(L, model);
    if (!data) {
        const char *shown = rhm_args_show(L, 2);
        return luaL_error(L, "%s:predict: a data set or one string {1, 5, 2, ...} expected, got %s",
                          model->name, shown);
    }
    check_symbols(L, model, data);
    uint16_t *labels = rhm_push_buffer(L, data->n, sizeof *labels);
    struct rhm_matrix *probability = rhm_push_matrix(L);
    struct rhm_error err;
    if (rhm_matrix_init(probability, data->n, model->classes, &err) != RHM_OK ||
        model->predict(model->model, data->n, data->tokens, labels, probability->v, rhm_poll_interrupt, NULL,
                       &err) != RHM_OK)
        return fail(L, model, "predict", &err);
    lua_createtable(L, (int)data->n, 0);
    for (size_t i = 0; i < data->n; i++) {
        lua_pushinteger(L, labels[i] + 1);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_insert(L, -2);
    return 2;
}

int rhm_baseline_accuracy(lua_State *L, const struct rhm_baseline *model)
{
    struct rhm_dataset *data = rhm_test_dataset(L, 2);
    const struct rhm_grammar *g = rhm_test_grammar(L, 2);
    lua_settop(L, 3);
    const char *function = lua_pushfstring(L, "%s:accuracy", model->name);
    if (!data && !g && !rhm_source_is(L, 2)) {
        const char *shown = rhm_args_show(L, 2);
        return luaL_error(L, "%s: " RHM_ANY_SOURCE " expected, got %s", function, shown);
    }
    struct rhm_error err;
    if (!data) {
        if (g)
            check_length(L, model, "accuracy", (size_t)g->d);
        data = rhm_source_test_strings(L, function, model->seed);
    } else if (!lua_isnoneornil(L, 3)) {
        return luaL_error(L, "%s: n and seed are for strings that are drawn, not for a data set", function);
    }
    double accuracy;
    if (model->accuracy(model->model, data, &accuracy, rhm_poll_interrupt, NULL, &err) != RHM_OK)
        return fail(L, model, "accuracy", &err);
    lua_pushnumber(L, accuracy);
    return 1;
}

const char *rhm_baseline_path(lua_State *L, const char *function)
{
    const char *path = rhm_args_path(L, 2, function);
    if (rhm_format_of(path) != RHM_FORMAT_HDF5)
        luaL_error(L, "%s: path = %s: a network is written to an .h5 file", function, rhm_args_show(L, 2));
    return path;
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

void rhm_baseline_branches(const struct rhm_args *args, int64_t *s, int64_t *branch, int64_t *levels)
{
    const struct rhm_grammar *g = known_grammar(args);
    int given = rhm_args_branches(args, s, branch, levels);
    if (branch[1] > 0)
        return;
    if (!given)
        read_size(args, "s", g ? g->branch[1] : 0, s); /* which says where it is missing */
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
