/* network_make.c - rhm.network: making one, by sizes, by a grammar, or by what strings tell of their tree. */
#include "script/network.h"

#include <string.h>

#include "script/branches.h"
#include "script/branching.h"
#include "script/latest.h"

const char *const rhm_network_features[] = {
    [RHM_FEATURES_RBF] = "rbf", [RHM_FEATURES_ORF] = "orf", [RHM_FEATURES_RELU] = "relu", NULL};
const char *const rhm_network_linkages[] = {
    [RHM_LINKAGE_AVERAGE] = "average", [RHM_LINKAGE_WARD] = "ward", NULL};
const char *const rhm_network_codebooks[] = {
    [RHM_CODEBOOK_CENTROID] = "centroid", [RHM_CODEBOOK_EXACT] = "exact", NULL};

static void read_size(const struct rhm_args *args, const char *key, int known, int given, int64_t value)
{
    if (!given && !known)
        luaL_error(args->L, "%s: key '%s' is missing (or give grammar = g)", args->function, key);
    if (given && value == 0) /* the engine's 0 means: the grammar's */
        luaL_error(args->L, "%s: %s = 0: must be %d or more", args->function, key, key[0] == 'L' ? 1 : 2);
}

/* s, L from what was inferred of strings; V from them too, unless given. */
static void take_inferred(const struct rhm_args *args, const struct rhm_dataset *data,
                          const struct rhm_branching *b, struct rhm_network_options *options)
{
    lua_State *L = args->L;
    if (b->L == 0)
        luaL_error(
            L,
            "%s: s = 'infer': the strings do not tell their tree (print(rhm.infer_branching(d)) says why): "
            "give s and L",
            args->function);
    options->V = data->V;
    options->classes = data->classes;
    options->L = b->L;
    for (unsigned l = 1; l <= b->L; l++)
        options->branch[l] = b->branch[l];
    rhm_args_integer(args, "V", &options->V);
    rhm_args_integer(args, "L", &options->L);
    if (options->L != b->L)
        luaL_error(L, "%s: L = %I, but the strings have %d levels", args->function, (lua_Integer)options->L,
                   (int)b->L);
}

/* inferred: NULL where s is given. */
static void read_options(const struct rhm_args *args, struct rhm_network_options *options,
                         const struct rhm_dataset *data, const struct rhm_branching *inferred)
{
    lua_State *L = args->L;
    int known = rhm_args_push(args, "grammar") != LUA_TNIL;
    if (known) {
        options->grammar = rhm_test_grammar(L, -1);
        if (!options->grammar) {
            const char *shown = rhm_args_show(L, -1);
            luaL_error(L, "%s: grammar = %s: must be a grammar", args->function, shown);
        }
    }
    lua_pop(L, 1);
    if (inferred) {
        take_inferred(args, data, inferred, options);
    } else {
        int given = rhm_args_integer(args, "V", &options->V);
        read_size(args, "V", known, given, options->V);
        given = rhm_args_branches(args, &options->s, options->branch, &options->L);
        read_size(args, "s", known, given, given && options->branch[1] == 0 ? options->s : 2);
        const struct rhm_grammar *g = options->grammar;
        if (options->branch[1] > 0)
            rhm_args_length(args, &options->d);
        else
            given = rhm_args_levels(args,
                                    given ? options->s
                                    : g   ? g->s
                                          : 0,
                                    given && g ? g->d : 0, &options->L, &options->d);
        read_size(args, "L", known, given, options->L);
    }
    if (rhm_args_integer(args, "classes", &options->classes) +
            rhm_args_integer(args, "C", &options->classes) &&
        options->classes == 0)
        luaL_error(L, "%s: classes = 0: must be from 2 to 65535", args->function);
    rhm_args_integer(args, "M", &options->M);
    int features = (int)options->features, codebook = (int)options->codebook, linkage = (int)options->linkage;
    rhm_args_choice(args, "features", rhm_network_features, &features);
    rhm_args_choice(args, "codebook", rhm_network_codebooks, &codebook);
    rhm_args_choice(args, "linkage", rhm_network_linkages, &linkage);
    options->linkage = (enum rhm_linkage)linkage;
    options->features = (enum rhm_feature_kind)features;
    options->codebook = (enum rhm_codebook_kind)codebook;
    rhm_args_seed(args, "seed", &options->seed);
    if (rhm_args_number(args, "sigma", &options->sigma) && options->sigma <= 0) {
        lua_pushnumber(L, options->sigma);
        luaL_error(L, "%s: sigma = %s: must be above 0 (leave it out to have it chosen)", args->function,
                   lua_tostring(L, -1));
    }
    rhm_args_number(args, "eps_O", &options->eps_O);
}

/* s = 'infer' */
static int wants_inference(const struct rhm_args *args)
{
    lua_State *L = args->L;
    int wants = rhm_args_push(args, "s") == LUA_TSTRING && strcmp(lua_tostring(L, -1), "infer") == 0;
    lua_pop(L, 1);
    int from = rhm_args_push(args, "from") != LUA_TNIL, grammar = rhm_args_push(args, "grammar") != LUA_TNIL;
    lua_pop(L, 2);
    int length = rhm_args_push(args, "d") != LUA_TNIL;
    lua_pop(L, 1);
    if (wants && length)
        luaL_error(L, "%s: s = 'infer' and d: the tree that is inferred has the strings' length",
                   args->function);
    if (from && !wants)
        luaL_error(L, "%s: from: the strings that s = 'infer' looks at; s is given", args->function);
    if (wants && grammar)
        luaL_error(L, "%s: s = 'infer' and grammar: a known grammar has its s", args->function);
    return wants;
}

/* Makes the network at `index` by the options of the table `args` and the tree of strings. */
static void make_inferred(lua_State *L, int index, const struct rhm_args *args,
                          const struct rhm_dataset *data)
{
    struct rhm_network_object *object = rhm_class_check(L, index, RHM_NETWORK);
    struct rhm_branching b = rhm_push_branching(L, args->function, data, 0);
    struct rhm_network_options options = rhm_network_defaults();
    read_options(args, &options, data, &b);
    struct rhm_error err;
    if (rhm_network_create(&object->net, &options, &err) != RHM_OK)
        rhm_raise(L, args->function, &err);
    lua_setiuservalue(L, index, RHM_NETWORK_BRANCHING);
}

void rhm_network_settle(lua_State *L, int index, int from)
{
    if (!rhm_network_waits(L, index) || lua_type(L, from) != LUA_TTABLE)
        return;
    lua_getfield(L, from, "from");
    const struct rhm_dataset *data = rhm_test_dataset(L, -1);
    if (!data)
        luaL_error(L, "network:train: from = %s: s = 'infer' looks at a data set (a known grammar has its s)",
                   rhm_args_show(L, -1));
    lua_getiuservalue(L, index, RHM_NETWORK_BRANCHING);
    struct rhm_args args = {.L = L, .table = lua_gettop(L), .function = "rhm.network"};
    make_inferred(L, index, &args, data);
    lua_pop(L, 2);
}

/* Now, where strings are given; else at the first training: the options are kept. */
static int network_to_infer(lua_State *L, const struct rhm_args *args)
{
    rhm_push_network(L);
    if (rhm_args_push(args, "from") != LUA_TNIL) {
        const struct rhm_dataset *data = rhm_test_dataset(L, -1);
        if (!data)
            return luaL_error(L, "%s: from = %s: must be a data set", args->function, rhm_args_show(L, -1));
        lua_pop(L, 1); /* the table holds it */
        make_inferred(L, 2, args, data);
        rhm_latest_set(L, RHM_LATEST_NETWORK, 2);
        return 1;
    }
    lua_newtable(L);
    lua_replace(L, -2);
    for (lua_pushnil(L); lua_next(L, args->table);) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, 3);
    }
    lua_setiuservalue(L, 2, RHM_NETWORK_BRANCHING);
    return 1;
}

int rhm_script_network(lua_State *L)
{
    static const char *const keys[] = {"grammar", "V",     "s",        "L",        "d",       "classes",
                                       "C",       "M",     "features", "codebook", "linkage", "seed",
                                       "sigma",   "eps_O", "from",     NULL};
    struct rhm_args args = rhm_args_open(L, 1, "rhm.network", keys);
    lua_settop(L, 1);
    if (wants_inference(&args))
        return network_to_infer(L, &args);
    struct rhm_network_options options = rhm_network_defaults();
    read_options(&args, &options, NULL, NULL);
    struct rhm_network_object *object = rhm_push_network(L);
    struct rhm_error err;
    if (rhm_network_create(&object->net, &options, &err) != RHM_OK)
        return rhm_raise(L, args.function, &err);
    rhm_latest_set(L, RHM_LATEST_NETWORK, -1);
    return 1;
}
