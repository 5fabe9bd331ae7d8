/* weights.c - what is not uniform in a grammar: weights = ..., zipf = ..., prior = ..., noise of rhm.grammar,
 * and g:weights(l), g:prior(), g:noisy{}. */
#include "script/objects.h"

#include <math.h>

struct reader {
    lua_State *L;
    const char *function;
    const struct rhm_grammar *g;
    double *weight; /* of all rules, in their order */
    size_t count;
};

/* The value on top must be a list of exactly n `things`; `where` is a format of lua_pushfstring that takes l
 * and nu. */
static void check_list(struct reader *r, lua_Integer n, const char *things, const char *where, int l, int nu)
{
    lua_State *L = r->L;
    if (lua_type(L, -1) != LUA_TTABLE) {
        const char *shown = rhm_args_show(L, -1);
        luaL_error(L, "%s: weights%s: %s where a list of %I %s is expected", r->function,
                   lua_pushfstring(L, where, l, nu), shown, n, things);
    }
    lua_Integer given = (lua_Integer)lua_rawlen(L, -1);
    if (given != n)
        luaL_error(L, "%s: weights%s: %I %s, but the grammar has %I", r->function,
                   lua_pushfstring(L, where, l, nu), given, things, n);
}

/* The m weights of one symbol, from the list on top. */
static void read_symbol(struct reader *r, const char *where, int l, int nu)
{
    lua_State *L = r->L;
    check_list(r, (lua_Integer)r->g->m, "weights of a symbol", where, l, nu);
    for (unsigned k = 0; k < r->g->m; k++) {
        double weight = lua_rawgeti(L, -1, k + 1) == LUA_TNUMBER ? lua_tonumber(L, -1) : -1;
        if (!(weight > 0) || !isfinite(weight)) {
            const char *shown = rhm_args_show(L, -1);
            luaL_error(L, "%s: weights%s, rule %d: %s: must be a positive number", r->function,
                       lua_pushfstring(L, where, l, nu), (int)k + 1, shown);
        }
        r->weight[r->count++] = weight;
        lua_pop(L, 1);
    }
}

/* weights[l][symbol][k], or {w_1, ..., w_m} for every symbol; the table is on top. */
static void read_weights(struct reader *r)
{
    lua_State *L = r->L;
    const struct rhm_grammar *g = r->g;
    int flat = lua_rawgeti(L, -1, 1) == LUA_TNUMBER;
    lua_pop(L, 1);
    if (!flat)
        check_list(r, (lua_Integer)g->L, "levels", "", 0, 0);
    for (unsigned l = 1; l <= g->L; l++) {
        unsigned parents = rhm_grammar_parents(g, l);
        if (!flat) {
            lua_rawgeti(L, -1, l);
            check_list(r, (lua_Integer)parents, "symbols", ": level %d", (int)l, 0);
        }
        for (unsigned nu = 0; nu < parents; nu++) {
            if (flat) {
                read_symbol(r, "", 0, 0);
                continue;
            }
            lua_rawgeti(L, -1, nu + 1);
            read_symbol(r, ": level %d, symbol %d", (int)l, (int)nu + 1);
            lua_pop(L, 1);
        }
        if (!flat)
            lua_pop(L, 1);
    }
}

/* prior = {p_1, ..., p_classes}. */
static void read_prior(lua_State *L, const struct rhm_args *args, struct rhm_grammar *g)
{
    if (rhm_args_push(args, "prior") == LUA_TNIL)
        return lua_pop(L, 1);
    lua_Integer C = g->classes, given = lua_type(L, -1) == LUA_TTABLE ? (lua_Integer)lua_rawlen(L, -1) : -1;
    if (given < 0)
        luaL_error(L, "%s: prior = %s: must be a list of %I probabilities", args->function,
                   rhm_args_show(L, -1), C);
    if (given != C)
        luaL_error(L, "%s: prior: %I probabilities, but the grammar has %I labels", args->function, given, C);
    double *weight = rhm_push_buffer(L, (size_t)C, sizeof *weight);
    for (lua_Integer c = 0; c < C; c++) {
        weight[c] = lua_rawgeti(L, -2, c + 1) == LUA_TNUMBER ? lua_tonumber(L, -1) : -1;
        if (!(weight[c] > 0) || !isfinite(weight[c]))
            luaL_error(L, "%s: prior[%I] = %s: must be a positive number", args->function, c + 1,
                       rhm_args_show(L, -1));
        lua_pop(L, 1);
    }
    struct rhm_error err;
    if (rhm_grammar_set_prior(g, weight, &err) != RHM_OK)
        rhm_raise(L, args->function, &err);
    lua_pop(L, 2);
}

/* What is observed of a derivation: prior, label_noise, token_noise; what is not given stays. */
static void read_noise(lua_State *L, const struct rhm_args *args, struct rhm_grammar *g)
{
    double label = g->label_noise, token = g->token_noise;
    struct rhm_error err;
    read_prior(L, args, g);
    rhm_args_number(args, "label_noise", &label);
    rhm_args_number(args, "token_noise", &token);
    if (rhm_grammar_set_noise(g, label, token, &err) != RHM_OK)
        rhm_raise(L, args->function, &err);
}

int rhm_grammar_noisy(lua_State *L)
{
    static const char *const keys[] = {"prior", "label_noise", "token_noise", NULL};
    const struct rhm_grammar *from = rhm_check_grammar(L, 1);
    struct rhm_args args = rhm_args_open(L, 2, "grammar:noisy", keys);
    struct rhm_grammar *g = rhm_push_grammar(L);
    struct rhm_error err;
    if (rhm_grammar_copy(g, from, &err) != RHM_OK)
        return rhm_raise(L, args.function, &err);
    read_noise(L, &args, g);
    return 1;
}

int rhm_grammar_prior_method(lua_State *L)
{
    const struct rhm_grammar *g = rhm_check_grammar(L, 1);
    lua_createtable(L, (int)g->classes, 0);
    for (unsigned c = 0; c < g->classes; c++) {
        lua_pushnumber(L, rhm_grammar_prior(g, c));
        lua_rawseti(L, -2, c + 1);
    }
    return 1;
}

void rhm_grammar_read_weights(lua_State *L, const struct rhm_args *args, struct rhm_grammar *g)
{
    struct rhm_error err;
    read_noise(L, args, g);
    double zipf;
    int top = lua_gettop(L), by_zipf = rhm_args_number(args, "zipf", &zipf);
    luaL_checkstack(L, 16, NULL);
    if (by_zipf && rhm_grammar_set_zipf(g, zipf, &err) != RHM_OK)
        rhm_raise(L, args->function, &err);
    if (!rhm_args_table(args, "weights"))
        return;
    if (by_zipf)
        luaL_error(L, "%s: zipf and weights: both give the rules' probabilities, give one of them",
                   args->function);
    size_t rules = g->first_rule[g->L + 1];
    struct reader r = {.L = L, .function = args->function, .g = g};
    r.weight = rhm_push_buffer(L, rules, sizeof *r.weight);
    lua_insert(L, -2);
    read_weights(&r);
    if (rhm_grammar_set_weights(g, r.weight, &err) != RHM_OK)
        rhm_raise(L, args->function, &err);
    lua_settop(L, top);
}

int rhm_grammar_weights(lua_State *L)
{
    struct rhm_grammar *g = rhm_check_grammar(L, 1);
    unsigned l = (unsigned)rhm_args_whole(L, 2, "grammar:weights", "level", 1, g->L);
    unsigned parents = rhm_grammar_parents(g, l);
    lua_createtable(L, (int)parents, 0);
    for (unsigned nu = 0; nu < parents; nu++) {
        lua_createtable(L, (int)g->m, 0);
        for (unsigned k = 0; k < g->m; k++) {
            lua_pushnumber(L, rhm_grammar_p(g, l, nu, k));
            lua_rawseti(L, -2, k + 1);
        }
        lua_rawseti(L, -2, nu + 1);
    }
    return 1;
}
