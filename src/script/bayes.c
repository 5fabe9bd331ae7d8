/* bayes.c - g:posterior and g:bayes: the best that can be said of strings, exactly. */
#include "engine/tree/bayes.h"

#include <math.h>

#include "engine/base/memory.h"
#include "script/objects.h"

enum { DRAWN = 100000 };

/* Strings gone through for an exact value that nobody asked for: a second or so. */
#define EXACT_MOST 4e6

/* level, label_noise, token_noise of the table at `index`, which may be left out. */
static struct rhm_bayes_options read_options(const struct rhm_args *args, const struct rhm_grammar *g)
{
    struct rhm_bayes_options options = rhm_bayes_defaults(g);
    int64_t level = 0;
    rhm_args_integer(args, "level", &level);
    if (level < 0 || level > g->L)
        luaL_error(args->L, "%s: level = %I: must be from 0 (the label) to %d (L)", args->function,
                   (lua_Integer)level, (int)g->L);
    options.level = (unsigned)level;
    rhm_args_number(args, "label_noise", &options.label_noise);
    rhm_args_number(args, "token_noise", &options.token_noise);
    return options;
}

/* The string {1, 0, 5, ...} at index 2: d symbols, 0 where one is missing. */
static uint16_t *push_tokens(lua_State *L, const struct rhm_grammar *g)
{
    size_t d = lua_rawlen(L, 2);
    if (d != g->d)
        luaL_error(L, "grammar:posterior: a string of %I tokens, those of the grammar have %I",
                   (lua_Integer)d, (lua_Integer)g->d);
    return rhm_args_symbols(L, 2, "grammar:posterior", g->V, 1);
}

int rhm_grammar_posterior(lua_State *L)
{
    static const char *const keys[] = {"level", "label_noise", "token_noise", NULL};
    const struct rhm_grammar *g = rhm_check_grammar(L, 1);
    const struct rhm_dataset *data = rhm_test_dataset(L, 2);
    lua_settop(L, 3);
    struct rhm_args args = rhm_args_open_optional(L, 3, "grammar:posterior", keys);
    struct rhm_bayes_options options = read_options(&args, g);
    if (!data && lua_type(L, 2) != LUA_TTABLE)
        return luaL_error(L, "%s: a data set or one string {1, 0, 5, ...} expected, got %s", args.function,
                          rhm_args_show(L, 2));
    if (data && data->d != g->d)
        return luaL_error(L, "%s: strings of %I tokens, those of the grammar have %I", args.function,
                          (lua_Integer)data->d, (lua_Integer)g->d);
    const uint16_t *tokens = data ? data->tokens : push_tokens(L, g);
    size_t n = data ? data->n : 1,
           places = options.level == 0 ? 1 : (size_t)rhm_places(g->branch, 1, options.level),
           symbols = options.level == 0 ? g->classes : g->V, outside;
    struct rhm_matrix *out = rhm_push_matrix(L);
    struct rhm_error err;
    if (rhm_matrix_init(out, data ? n : places, data ? places * symbols : symbols, &err) != RHM_OK ||
        rhm_bayes_posterior(g, &options, n, tokens, out->v, &outside, rhm_poll_interrupt, NULL, &err) !=
            RHM_OK)
        return rhm_raise(L, args.function, &err);
    lua_pushinteger(L, (lua_Integer)outside);
    return 2;
}

static int push_result(lua_State *L, const struct rhm_grammar *g, const struct rhm_bayes_options *options,
                       const struct rhm_bayes *bayes)
{
    lua_createtable(L, 0, 12);
    rhm_set_number(L, "accuracy", bayes->accuracy);
    rhm_set_number(L, "error", bayes->error);
    rhm_set_number(L, "low", fmax(0, bayes->accuracy - 1.96 * bayes->error));
    rhm_set_number(L, "high", fmin(1, bayes->accuracy + 1.96 * bayes->error));
    if (bayes->labelled > 0)
        rhm_set_number(L, "counted", bayes->counted);
    rhm_set_integer(L, "labelled", bayes->labelled);
    rhm_set_integer(L, "n", bayes->n);
    rhm_set_integer(L, "outside", bayes->outside);
    rhm_set_integer(L, "ties", bayes->ties);
    rhm_set_integer(L, "level", options->level);
    rhm_set_boolean(L, "exact", bayes->exact);
    rhm_set_number(L, "chance", 1.0 / (options->level == 0 ? g->classes : g->V));
    rhm_set_report(L, "bayes");
    return 1;
}

static int bayes_of_data(lua_State *L, const struct rhm_grammar *g, const struct rhm_dataset *data)
{
    static const char *const keys[] = {"level", "label_noise", "token_noise", NULL};
    struct rhm_args args = rhm_args_open_optional(L, 3, "grammar:bayes", keys);
    struct rhm_bayes_options options = read_options(&args, g);
    struct rhm_bayes bayes;
    struct rhm_error err;
    if (rhm_bayes_on_data(g, &options, data, &bayes, rhm_poll_interrupt, NULL, &err) != RHM_OK)
        return rhm_raise(L, args.function, &err);
    return push_result(L, g, &options, &bayes);
}

/* The likeliest symbol of each place of level l - 1 and its posterior into the nodes of a parse (list on
 * top). */
static enum rhm_status name_nodes(lua_State *L, const struct rhm_grammar *g, unsigned l,
                                  const uint16_t *tokens, struct rhm_error *err)
{
    struct rhm_bayes_options options = rhm_bayes_defaults(g);
    options.level = l - 1;
    size_t places = (size_t)rhm_grammar_places(g, l), symbols = rhm_grammar_parents(g, l), outside;
    double *p = rhm_push_buffer(L, places * symbols, sizeof *p);
    enum rhm_status status =
        rhm_bayes_posterior(g, &options, 1, tokens, p, &outside, rhm_poll_interrupt, NULL, err);
    for (size_t i = 0; i < places && status == RHM_OK && outside == 0; i++) {
        size_t best = 0;
        for (size_t c = 1; c < symbols; c++)
            best = p[i * symbols + c] > p[i * symbols + best] ? c : best;
        lua_rawgeti(L, -2, (lua_Integer)i + 1);
        rhm_set_integer(L, "bayes", best + 1);
        rhm_set_number(L, "bayes_p", p[i * symbols + best]);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return status;
}

void rhm_parse_set_bayes(lua_State *L, struct rhm_network *net, const uint16_t *tokens, unsigned lowest)
{
    struct rhm_grammar g = {0};
    struct rhm_error err;
    rhm_network_lock_reader(net); /* a training may change its grammar */
    int noisy = net->grammar && net->grammar->token_noise > 0;
    enum rhm_status status = noisy ? rhm_grammar_copy(&g, net->grammar, &err) : RHM_OK;
    pthread_mutex_unlock(&net->lock);
    lua_getfield(L, -1, "levels");
    for (unsigned l = lowest; noisy && l <= net->L && status == RHM_OK; l++) {
        lua_rawgeti(L, -1, l);
        status = name_nodes(L, &g, l, tokens, &err);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    rhm_grammar_clear(&g);
    if (status != RHM_OK)
        rhm_raise(L, "network:parse", &err);
}

int rhm_grammar_bayes(lua_State *L)
{
    static const char *const keys[] = {"n", "seed", "exact", "level", NULL};
    const struct rhm_grammar *g = rhm_check_grammar(L, 1);
    const struct rhm_dataset *data = rhm_test_dataset(L, 2);
    lua_settop(L, 3);
    if (data)
        return bayes_of_data(L, g, data);
    struct rhm_args args = rhm_args_open_optional(L, 2, "grammar:bayes", keys);
    struct rhm_bayes_options options = read_options(&args, g);
    uint64_t n = DRAWN, seed = 0;
    int drawn = rhm_args_count(&args, "n", &n) | rhm_args_seed(&args, "seed", &seed);
    int exact = !drawn && rhm_bayes_strings(g, options.level) <= EXACT_MOST;
    int asked = rhm_args_boolean(&args, "exact", &exact);
    if (asked && exact && drawn)
        return luaL_error(L, "%s: exact goes through all strings: it takes no n and no seed", args.function);
    struct rhm_bayes bayes;
    struct rhm_error err;
    enum rhm_status status =
        exact ? rhm_bayes_exact(g, options.level, &bayes, rhm_poll_interrupt, NULL, &err)
              : rhm_bayes_drawn(g, options.level, seed, n, &bayes, rhm_poll_interrupt, NULL, &err);
    if (status != RHM_OK)
        return rhm_raise(L, args.function, &err);
    return push_result(L, g, &options, &bayes);
}
