/* grammar.c - rhm.grammar: rules, exact signal, schedules, strings. */
#include "script/objects.h"

#include <math.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/grammar/sample.h"
#include "engine/grammar/signal.h"
#include "script/branches.h"
#include "script/latest.h"
#include "script/measure.h"

enum { DEFAULT_SEED = 0, BLOCK_TOKENS = 1 << 21 };

struct rhm_grammar *rhm_push_grammar(lua_State *L)
{
    struct rhm_grammar *g = lua_newuserdatauv(L, sizeof *g, 0);
    memset(g, 0, sizeof *g);
    luaL_setmetatable(L, RHM_GRAMMAR);
    return g;
}

struct rhm_grammar *rhm_check_grammar(lua_State *L, int index)
{
    return rhm_class_check(L, index, RHM_GRAMMAR);
}

struct rhm_grammar *rhm_test_grammar(lua_State *L, int index)
{
    return luaL_testudata(L, index, RHM_GRAMMAR);
}

static int grammar_gc(lua_State *L)
{
    rhm_grammar_clear(rhm_check_grammar(L, 1));
    return 0;
}

/* --- making one --------------------------------------------------------------------------------------- */

static const char *const ensembles[] = {
    [RHM_ENSEMBLE_UNIFORM] = "uniform", [RHM_ENSEMBLE_LATIN] = "latin", NULL};

/* ensemble and its shuffle; a share that the ensemble has no use for is an error. */
static enum rhm_ensemble read_ensemble(const struct rhm_args *args, double *shuffle)
{
    int ensemble = RHM_ENSEMBLE_UNIFORM;
    rhm_args_choice(args, "ensemble", ensembles, &ensemble);
    if (rhm_args_number(args, "shuffle", shuffle) && ensemble != RHM_ENSEMBLE_LATIN)
        luaL_error(args->L, "%s: shuffle = %f: only ensemble = 'latin' has rules to shuffle", args->function,
                   *shuffle);
    return (enum rhm_ensemble)ensemble;
}

/* classes, or its alias C. */
static void read_classes(const struct rhm_args *args, int64_t *classes)
{
    int alias = rhm_args_integer(args, "C", classes), given = rhm_args_integer(args, "classes", classes);
    if (alias && given)
        luaL_error(args->L, "%s: C is another name of classes: give one of them", args->function);
    if ((alias || given) && *classes == 0) /* the engine's 0 means V */
        luaL_error(args->L, "%s: classes = 0: must be from 2 to 65535", args->function);
}

int rhm_script_grammar(lua_State *L)
{
    static const char *const keys[] = {"V",     "m",           "s",           "L",       "classes", "C",
                                       "seed",  "rules",       "ensemble",    "shuffle", "zipf",    "weights",
                                       "prior", "label_noise", "token_noise", NULL};
    struct rhm_args args = rhm_args_open(L, 1, "rhm.grammar", keys);
    lua_settop(L, 1);
    double shuffle = 0;
    enum rhm_ensemble ensemble = read_ensemble(&args, &shuffle);
    struct rhm_grammar *g = rhm_push_grammar(L);
    if (rhm_args_push(&args, "rules") != LUA_TNIL) {
        lua_pop(L, 1);
        if (rhm_args_push(&args, "ensemble") != LUA_TNIL)
            return luaL_error(L,
                              "%s: ensemble and rules: rules that are given are not drawn, give one of them",
                              args.function);
        lua_pop(L, 1);
        rhm_grammar_from_table(L, &args, g);
        rhm_grammar_read_weights(L, &args, g);
        return rhm_latest_set(L, RHM_LATEST_GRAMMAR, -1), 1;
    }
    lua_pop(L, 1);
    struct rhm_grammar_shape shape = {0};
    rhm_args_require(&args, "V", rhm_args_integer(&args, "V", &shape.V));
    rhm_args_require(&args, "m", rhm_args_integer(&args, "m", &shape.m));
    rhm_args_require(&args, "s", rhm_args_branches(&args, &shape.s, shape.branch, &shape.L));
    rhm_args_require(&args, "L", shape.branch[1] > 0 || rhm_args_integer(&args, "L", &shape.L));
    read_classes(&args, &shape.classes);
    uint64_t seed = DEFAULT_SEED;
    rhm_args_seed(&args, "seed", &seed);
    struct rhm_error err;
    if ((ensemble == RHM_ENSEMBLE_LATIN ? rhm_grammar_draw_latin(g, &shape, shuffle, seed, &err)
                                        : rhm_grammar_draw(g, &shape, seed, &err)) != RHM_OK)
        return rhm_raise(L, args.function, &err);
    rhm_grammar_read_weights(L, &args, g);
    rhm_latest_set(L, RHM_LATEST_GRAMMAR, -1);
    return 1;
}

/* --- reading it --------------------------------------------------------------------------------------- */

static unsigned check_level(lua_State *L, int index, const char *function, const struct rhm_grammar *g)
{
    return (unsigned)rhm_args_whole(L, index, function, "level", 1, g->L);
}

static int grammar_rules(lua_State *L)
{
    struct rhm_grammar *g = rhm_check_grammar(L, 1);
    unsigned l = check_level(L, 2, "grammar:rules", g), parents = rhm_grammar_parents(g, l),
             s = rhm_grammar_s(g, l);
    lua_createtable(L, (int)parents, 0);
    for (unsigned nu = 0; nu < parents; nu++) {
        lua_createtable(L, (int)g->m, 0);
        for (unsigned k = 0; k < g->m; k++) {
            const uint16_t *children = rhm_grammar_rule(g, l, nu, k);
            lua_createtable(L, (int)s, 0);
            for (unsigned j = 0; j < s; j++) {
                lua_pushinteger(L, children[j] + 1);
                lua_rawseti(L, -2, j + 1);
            }
            lua_rawseti(L, -2, k + 1);
        }
        lua_rawseti(L, -2, nu + 1);
    }
    return 1;
}

static int grammar_q(lua_State *L)
{
    struct rhm_grammar *g = rhm_check_grammar(L, 1);
    unsigned l = check_level(L, 2, "grammar:q", g);
    uint64_t places = rhm_grammar_places(g, l);
    lua_Integer i =
        lua_isnoneornil(L, 3) ? 1 : rhm_args_whole(L, 3, "grammar:q", "place", 1, (lua_Integer)places);
    struct rhm_matrix *q = rhm_push_matrix(L);
    struct rhm_error err;
    if (rhm_signal_q(g, l, (uint64_t)i - 1, q, NULL, &err) != RHM_OK)
        return rhm_raise(L, "grammar:q", &err);
    return 1;
}

static const struct rhm_signal_level *push_levels(lua_State *L, const char *function,
                                                  const struct rhm_grammar *g)
{
    struct rhm_signal_level *level = rhm_push_buffer(L, g->L + 1, sizeof *level);
    struct rhm_error err;
    if (rhm_signal_levels(g, level, rhm_poll_interrupt, NULL, &err) != RHM_OK)
        rhm_raise(L, function, &err);
    return level;
}

static int grammar_gap(lua_State *L)
{
    struct rhm_grammar *g = rhm_check_grammar(L, 1);
    unsigned l = check_level(L, 2, "grammar:gap", g);
    lua_pushnumber(L, push_levels(L, "grammar:gap", g)[l].gap);
    return 1;
}

static int grammar_K(lua_State *L)
{
    struct rhm_grammar *g = rhm_check_grammar(L, 1);
    lua_pushnumber(L, rhm_signal_K(g, push_levels(L, "grammar:K", g)));
    return 1;
}

static void set_shape(lua_State *L, const struct rhm_grammar *g)
{
    rhm_set_integer(L, "V", g->V);
    rhm_set_integer(L, "m", g->m);
    rhm_push_branches(L, g->branch, g->L);
    lua_setfield(L, -2, "s");
    rhm_set_integer(L, "L", g->L);
    rhm_set_integer(L, "classes", g->classes);
}

/* Sets field "missing" of the table on top: the parents of level-l patches that never stand first. */
/* count: how many there are, as the levels have told. */
static void set_missing(lua_State *L, const struct rhm_grammar *g, unsigned l, size_t count)
{
    unsigned parents = rhm_grammar_parents(g, l);
    unsigned char *missing = rhm_push_buffer(L, parents, 1);
    struct rhm_error err;
    if (rhm_poll_interrupt(NULL, &err) != RHM_OK ||
        (count > 0 && rhm_signal_missing(g, l, missing, &err) != RHM_OK))
        rhm_raise(L, "grammar:check", &err);
    lua_newtable(L);
    lua_Integer n = 0;
    for (unsigned nu = 0; nu < parents && count > 0; nu++)
        if (missing[nu]) {
            lua_pushinteger(L, nu + 1);
            lua_rawseti(L, -2, ++n);
        }
    lua_setfield(L, -3, "missing");
    lua_pop(L, 1);
}

static int grammar_check(lua_State *L)
{
    struct rhm_grammar *g = rhm_check_grammar(L, 1);
    lua_settop(L, 1);
    const struct rhm_signal_level *level = push_levels(L, "grammar:check", g);
    int ok = 1;
    lua_newtable(L);
    set_shape(L, g);
    lua_createtable(L, (int)g->L, 0);
    for (unsigned l = 1; l <= g->L; l++) {
        ok = ok && level[l].missing == 0 && level[l].gap > RHM_GAP_ZERO;
        lua_createtable(L, 0, 5);
        rhm_set_number(L, "gap", level[l].gap);
        rhm_set_number(L, "K", level[l].K);
        rhm_set_number(L, "pmin", level[l].pmin);
        set_missing(L, g, l, level[l].missing);
        if (isfinite(level[l].gap)) {
            lua_createtable(L, 2, 0);
            lua_pushinteger(L, level[l].a + 1);
            lua_rawseti(L, -2, 1);
            lua_pushinteger(L, level[l].b + 1);
            lua_rawseti(L, -2, 2);
            lua_setfield(L, -2, "nearest");
        }
        lua_rawseti(L, -2, l);
    }
    lua_setfield(L, -2, "levels");
    rhm_set_number(L, "K", rhm_signal_K(g, level));
    rhm_set_number(L, "label_noise", g->label_noise);
    rhm_set_number(L, "token_noise", g->token_noise);
    rhm_set_boolean(L, "ok", ok);
    rhm_set_report(L, "check");
    return 1;
}

static int grammar_schedule(lua_State *L)
{
    static const char *const keys[] = {"by", "c", "kappa", "delta", NULL};
    static const char *const kinds[] = {
        [RHM_SCHEDULE_DEPTH] = "depth", [RHM_SCHEDULE_GAP] = "gap", [RHM_SCHEDULE_THEOREM] = "theorem", NULL};
    struct rhm_grammar *g = rhm_check_grammar(L, 1);
    struct rhm_args args = rhm_args_open_optional(L, 2, "grammar:schedule", keys);
    int by = RHM_SCHEDULE_DEPTH;
    rhm_args_choice(&args, "by", kinds, &by);
    struct rhm_schedule_options options = {.by = (enum rhm_schedule)by,
                                           .c = by == RHM_SCHEDULE_GAP ? 16 : RHM_DEFAULT_C,
                                           .kappa = 1,
                                           .delta = 0.1};
    int c = rhm_args_number(&args, "c", &options.c);
    int constants =
        rhm_args_number(&args, "kappa", &options.kappa) | rhm_args_number(&args, "delta", &options.delta);
    if (by == RHM_SCHEDULE_THEOREM ? c : constants)
        return luaL_error(L, "grammar:schedule: by = '%s' takes %s", kinds[by],
                          by == RHM_SCHEDULE_THEOREM ? "kappa and delta, no c" : "c, no kappa or delta");
    uint64_t n[RHM_MAX_LEVELS + 1];
    struct rhm_error err;
    if (rhm_signal_schedule(g, &options, n, rhm_poll_interrupt, NULL, &err) != RHM_OK)
        return rhm_raise(L, "grammar:schedule", &err);
    lua_createtable(L, (int)g->L, 0);
    for (unsigned l = 1; l <= g->L; l++) {
        lua_pushinteger(L, (lua_Integer)n[l]);
        lua_rawseti(L, -2, l);
    }
    return 1;
}

/* rhm_sample_dataset in blocks, so that Ctrl-C is heard. */
static enum rhm_status sample(const struct rhm_grammar *g, uint64_t seed, size_t n, struct rhm_dataset *data,
                              struct rhm_error *err)
{
    if (rhm_memory_check(((double)g->d + 1) * (double)n * sizeof(uint16_t), "the data set of whole strings",
                         "lower n (training from the grammar needs no strings)", err) != RHM_OK)
        return RHM_EMEMORY;
    enum rhm_status status = rhm_dataset_init(data, n, (size_t)g->d, g->V, g->classes, err);
    size_t block = g->d < BLOCK_TOKENS ? BLOCK_TOKENS / (size_t)g->d : 1;
    for (size_t at = 0; status == RHM_OK && at < n; at += block) {
        size_t some = n - at < block ? n - at : block;
        rhm_sample_strings(g, seed, at, some, data->tokens + at * data->d, data->labels + at);
        status = rhm_poll_interrupt(NULL, err);
    }
    return status;
}

static int grammar_sample(lua_State *L)
{
    static const char *const keys[] = {"n", "seed", NULL};
    struct rhm_grammar *g = rhm_check_grammar(L, 1);
    struct rhm_args args = rhm_args_open(L, 2, "grammar:sample", keys);
    uint64_t n = 0, seed = DEFAULT_SEED;
    rhm_args_require(&args, "n", rhm_args_count(&args, "n", &n));
    rhm_args_seed(&args, "seed", &seed);
    struct rhm_dataset *data = rhm_push_dataset(L);
    struct rhm_error err;
    if (sample(g, seed, (size_t)n, data, &err) != RHM_OK)
        return rhm_raise(L, args.function, &err);
    return 1;
}

/* --- the class ---------------------------------------------------------------------------------------- */

enum {
    FIELD_V,
    FIELD_m,
    FIELD_s,
    FIELD_L,
    FIELD_d,
    FIELD_classes,
    FIELD_C,
    FIELD_seed,
    FIELD_ensemble,
    FIELD_shuffle,
    FIELD_zipf,
    FIELD_label_noise,
    FIELD_token_noise
};
static const char *const fields[] = {"V",       "m",           "s",           "L",        "d",
                                     "classes", "C",           "seed",        "ensemble", "shuffle",
                                     "zipf",    "label_noise", "token_noise", NULL};

static int grammar_field(lua_State *L)
{
    struct rhm_grammar *g = rhm_check_grammar(L, 1);
    switch (rhm_class_field(L, fields)) {
    case FIELD_V:
        return lua_pushinteger(L, g->V), 1;
    case FIELD_m:
        return lua_pushinteger(L, g->m), 1;
    case FIELD_s:
        return rhm_push_branches(L, g->branch, g->L), 1;
    case FIELD_L:
        return lua_pushinteger(L, g->L), 1;
    case FIELD_d:
        return lua_pushinteger(L, (lua_Integer)g->d), 1;
    case FIELD_classes:
    case FIELD_C:
        return lua_pushinteger(L, g->classes), 1;
    case FIELD_seed:
        if (!g->seeded)
            return 0;
        return lua_pushinteger(L, (lua_Integer)g->seed), 1;
    case FIELD_ensemble:
        if (!g->seeded)
            return 0;
        return lua_pushstring(L, ensembles[g->ensemble]), 1;
    case FIELD_shuffle:
        if (!g->seeded || g->ensemble != RHM_ENSEMBLE_LATIN)
            return 0;
        return lua_pushnumber(L, g->shuffle), 1;
    case FIELD_zipf:
        if (g->p && g->zipf == 0)
            return 0;
        return lua_pushnumber(L, g->zipf), 1;
    case FIELD_label_noise:
        return lua_pushnumber(L, g->label_noise), 1;
    case FIELD_token_noise:
        return lua_pushnumber(L, g->token_noise), 1;
    default:
        return 0;
    }
}

static double least(const struct rhm_grammar *g)
{
    double p = 1;
    for (unsigned c = 0; c < g->classes; c++)
        p = fmin(p, g->prior[c]);
    return p;
}

static double most(const struct rhm_grammar *g)
{
    double p = 0;
    for (unsigned c = 0; c < g->classes; c++)
        p = fmax(p, g->prior[c]);
    return p;
}

static int grammar_tostring(lua_State *L)
{
    struct rhm_grammar *g = rhm_check_grammar(L, 1);
    char text[RHM_BRANCHES_TEXT];
    if (g->seeded && g->ensemble == RHM_ENSEMBLE_LATIN)
        lua_pushfstring(L, "latin, %f of the rules shuffled, seed %I", g->shuffle, (lua_Integer)g->seed);
    else if (g->seeded)
        lua_pushfstring(L, "seed %I", (lua_Integer)g->seed);
    else
        lua_pushliteral(L, "given rules");
    int given = lua_gettop(L);
    if (g->zipf > 0)
        lua_pushfstring(L, "\n         rules by Zipf's law, exponent %f", g->zipf);
    else
        lua_pushstring(L, g->p ? "\n         rules weighted" : "");
    if (g->prior)
        lua_pushfstring(L, "%s\n         labels from %f to %f", lua_tostring(L, -1), least(g), most(g));
    if (g->label_noise > 0)
        lua_pushfstring(L, "%s\n         label noise %f", lua_tostring(L, -1), g->label_noise);
    if (g->token_noise > 0)
        lua_pushfstring(L, "%s%s token noise %f", lua_tostring(L, -1),
                        g->label_noise > 0 ? "," : "\n        ", g->token_noise);
    lua_pushfstring(L,
                    "grammar: V = %d symbols, m = %d rules each, s = %s children, L = %d levels\n"
                    "         d = %I tokens a string, %d classes, %s%s",
                    (int)g->V, (int)g->m, rhm_branches_text(g->branch, g->L, text), (int)g->L,
                    (lua_Integer)g->d, (int)g->classes, lua_tostring(L, given), lua_tostring(L, -1));
    return 1;
}

void rhm_open_grammar(lua_State *L)
{
    static const luaL_Reg methods[] = {{"rules", grammar_rules},
                                       {"q", grammar_q},
                                       {"gap", grammar_gap},
                                       {"K", grammar_K},
                                       {"check", grammar_check},
                                       {"schedule", grammar_schedule},
                                       {"sample", grammar_sample},
                                       {"resample", rhm_grammar_resample},
                                       {"weights", rhm_grammar_weights},
                                       {"prior", rhm_grammar_prior_method},
                                       {"noisy", rhm_grammar_noisy},
                                       {"posterior", rhm_grammar_posterior},
                                       {"bayes", rhm_grammar_bayes},
                                       {NULL, NULL}};
    rhm_class_open(L, &(struct rhm_class){.name = RHM_GRAMMAR,
                                          .methods = methods,
                                          .fields = fields,
                                          .field = grammar_field,
                                          .tostring = grammar_tostring,
                                          .gc = grammar_gc});
}
