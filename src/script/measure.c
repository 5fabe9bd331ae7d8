/* measure.c - what measures of representations need: g:resample, net:outputs, m:square_distance. */
#include "script/measure.h"

#include <string.h>

#include "engine/grammar/resample.h"
#include "script/objects.h"

int rhm_grammar_resample(lua_State *L)
{
    static const char where[] = "grammar:resample";
    static const char *const kinds[] = {[RHM_RESAMPLE_RULES] = "rules", [RHM_RESAMPLE_SYMBOL] = "symbol"};
    struct rhm_grammar *g = rhm_check_grammar(L, 1);
    struct rhm_dataset *data = rhm_test_dataset(L, 2);
    lua_settop(L, 6);
    if (!data)
        return luaL_error(L, "%s: a data set expected, got %s", where, rhm_args_show(L, 2));
    if (data->d != g->d || data->V > g->V || data->classes > g->classes)
        return luaL_error(L,
                          "%s: the data set has d = %I, V = %d, classes = %d, the grammar d = %I, V = %d, "
                          "classes = %d: they must fit",
                          where, (lua_Integer)data->d, (int)data->V, (int)data->classes, (lua_Integer)g->d,
                          (int)g->V, (int)g->classes);
    unsigned l = (unsigned)rhm_args_whole(L, 3, where, "level", 1, g->L);
    lua_Integer places = (lua_Integer)rhm_grammar_places(g, l);
    uint64_t i =
        lua_isnil(L, 4) ? RHM_EVERY_PLACE : (uint64_t)rhm_args_whole(L, 4, where, "place", 1, places) - 1;
    int kind = lua_isnil(L, 5) ? RHM_RESAMPLE_RULES : -1;
    for (int k = 0; k < 2 && kind < 0; k++)
        if (lua_type(L, 5) == LUA_TSTRING && strcmp(lua_tostring(L, 5), kinds[k]) == 0)
            kind = k;
    if (kind < 0)
        return luaL_error(L, "%s: kind = %s: must be 'rules' or 'symbol'", where, rhm_args_show(L, 5));
    uint64_t seed = lua_isnil(L, 6) ? 0 : (uint64_t)rhm_args_whole(L, 6, where, "seed", 0, LUA_MAXINTEGER);
    struct rhm_dataset *out = rhm_push_dataset(L);
    struct rhm_error err;
    size_t n = data->n, d = data->d;
    if (rhm_dataset_init(out, n, d, g->V, g->classes, &err) != RHM_OK)
        return rhm_raise(L, where, &err);
    memcpy(out->tokens, data->tokens, n * d * sizeof *out->tokens);
    memcpy(out->labels, data->labels, n * sizeof *out->labels);
    if (rhm_resample(g, l, i, (enum rhm_resample)kind, seed, 0, n, out->tokens, out->labels,
                     rhm_poll_interrupt, NULL, &err) != RHM_OK)
        return rhm_raise(L, where, &err);
    return 1;
}

int rhm_network_outputs_method(lua_State *L)
{
    static const char where[] = "network:outputs";
    struct rhm_network *net = rhm_check_network(L, 1);
    struct rhm_dataset *data = rhm_test_dataset(L, 2);
    if (!data)
        return luaL_error(L, "%s: a data set expected, got %s", where, rhm_args_show(L, 2));
    if (data->d != net->d || data->V > net->V)
        return luaL_error(L, "%s: the data set has d = %I tokens, V = %d, the network reads d = %I, V = %d",
                          where, (lua_Integer)data->d, (int)data->V, (lua_Integer)net->d, (int)net->V);
    unsigned l = (unsigned)rhm_args_whole(L, 3, where, "level", 1, net->L);
    struct rhm_matrix *out = rhm_push_matrix(L);
    struct rhm_error err;
    size_t width = rhm_network_width(net, l);
    if (rhm_matrix_init(out, data->n, (size_t)rhm_network_places(net, l) * (width ? width : 1), &err) !=
            RHM_OK ||
        rhm_network_outputs(net, l, data->n, data->tokens, out->v, rhm_poll_interrupt, NULL, &err) != RHM_OK)
        return rhm_raise(L, where, &err);
    return 1;
}

/* The mean over the rows of |a_i - b_i|^2. */
int rhm_matrix_square_distance(lua_State *L)
{
    const struct rhm_matrix *a = rhm_class_check(L, 1, RHM_MATRIX), *b = luaL_testudata(L, 2, RHM_MATRIX);
    if (!b)
        return luaL_error(L, "matrix:square_distance: a matrix expected, got %s", rhm_args_show(L, 2));
    if (a->rows != b->rows || a->cols != b->cols)
        return luaL_error(L, "matrix:square_distance: %I x %I against %I x %I: both must have the same shape",
                          (lua_Integer)a->rows, (lua_Integer)a->cols, (lua_Integer)b->rows,
                          (lua_Integer)b->cols);
    double sum = 0;
    for (size_t i = 0; i < a->rows; i++) {
        double row = 0;
        for (size_t j = 0; j < a->cols; j++) {
            double difference = a->v[i * a->cols + j] - b->v[i * a->cols + j];
            row += difference * difference;
        }
        sum += row;
    }
    lua_pushnumber(L, sum / (double)a->rows);
    return 1;
}
