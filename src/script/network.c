/* network.c - rhm.network: making, looking, predicting, saving. Training is in train.c. */
#include "script/objects.h"

#include <string.h>

#include "engine/base/output.h"
#include "engine/chain/network_file.h"
#include "script/baseline.h"
#include "script/branches.h"
#include "script/branching.h"
#include "script/latest.h"
#include "script/measure.h"
#include "script/source.h"

struct object {
    struct rhm_network *net; /* NULL: not made yet, or gone */
};

static struct object *push_network(lua_State *L)
{
    struct object *object = lua_newuserdatauv(L, sizeof *object, RHM_NETWORK_VALUES);
    object->net = NULL;
    luaL_setmetatable(L, RHM_NETWORK);
    return object;
}

/* s = 'infer', and no strings were given yet. */
static int is_waiting(lua_State *L, int index)
{
    struct object *object = rhm_class_check(L, index, RHM_NETWORK);
    int waits = lua_getiuservalue(L, index, RHM_NETWORK_BRANCHING) == LUA_TTABLE && !object->net;
    lua_pop(L, 1);
    return waits;
}

struct rhm_network *rhm_check_network(lua_State *L, int index)
{
    struct object *object = rhm_class_check(L, index, RHM_NETWORK);
    if (!object->net && is_waiting(L, index))
        luaL_error(L, "the network's s is not inferred yet: train it, or give rhm.network strings: from = d");
    if (!object->net)
        luaL_error(L, "this network was closed");
    return object->net;
}

/* The job goes first: its thread works on the network. */
static int network_gc(lua_State *L)
{
    struct object *object = rhm_class_check(L, 1, RHM_NETWORK);
    lua_getiuservalue(L, 1, RHM_SUBJECT_JOB);
    rhm_job_close(L, -1);
    rhm_network_free(object->net);
    object->net = NULL;
    return 0;
}

/* --- making one --------------------------------------------------------------------------------------- */

static const char *const feature_names[] = {
    [RHM_FEATURES_RBF] = "rbf", [RHM_FEATURES_ORF] = "orf", [RHM_FEATURES_RELU] = "relu", NULL};
static const char *const linkage_names[] = {
    [RHM_LINKAGE_AVERAGE] = "average", [RHM_LINKAGE_WARD] = "ward", NULL};
static const char *const codebook_names[] = {
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
    rhm_args_choice(args, "features", feature_names, &features);
    rhm_args_choice(args, "codebook", codebook_names, &codebook);
    rhm_args_choice(args, "linkage", linkage_names, &linkage);
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
    struct object *object = rhm_class_check(L, index, RHM_NETWORK);
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
    if (!is_waiting(L, index) || lua_type(L, from) != LUA_TTABLE)
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
    push_network(L);
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
    struct object *object = push_network(L);
    struct rhm_error err;
    if (rhm_network_create(&object->net, &options, &err) != RHM_OK)
        return rhm_raise(L, args.function, &err);
    rhm_latest_set(L, RHM_LATEST_NETWORK, -1);
    return 1;
}

int rhm_script_load(lua_State *L)
{
    const char *path = rhm_args_path(L, 1, "rhm.load");
    if (rhm_baseline_load(L, path))
        return 1;
    struct object *object = push_network(L);
    struct rhm_error err;
    if (rhm_network_load(&object->net, path, &err) != RHM_OK)
        return rhm_raise(L, "rhm.load", &err);
    rhm_latest_set(L, RHM_LATEST_NETWORK, -1);
    return 1;
}

static int network_save(lua_State *L)
{
    struct rhm_network *net = rhm_check_network(L, 1);
    const char *path = rhm_args_path(L, 2, "network:save");
    if (rhm_format_of(path) != RHM_FORMAT_HDF5) {
        const char *shown = rhm_args_show(L, 2);
        return luaL_error(L, "network:save: path = %s: a network is written to an .h5 file", shown);
    }
    struct rhm_error err;
    if (rhm_network_save(net, path, &err) != RHM_OK)
        return rhm_raise(L, "network:save", &err);
    lua_settop(L, 1);
    return 1;
}

/* --- predicting --------------------------------------------------------------------------------------- */

static void check_fit(lua_State *L, const char *function, const struct rhm_network *net,
                      const struct rhm_dataset *data)
{
    char text[RHM_BRANCHES_TEXT];
    if (data->d != net->d)
        luaL_error(L, "%s: strings of %I tokens, the network reads %s", function, (lua_Integer)data->d,
                   rhm_branches_length(net->branch, net->L, net->d, text));
}

/* A single string {1, 5, 2, ...}: its label, its row of probabilities. */
static int predict_string(lua_State *L, struct rhm_network *net)
{
    const uint16_t *tokens = rhm_push_string(L, 2, "network:predict", net);
    uint16_t label;
    struct rhm_matrix *probability = rhm_push_matrix(L);
    struct rhm_error err;
    if (rhm_matrix_init(probability, 1, net->classes, &err) != RHM_OK ||
        rhm_network_predict(net, 1, tokens, &label, probability->v, NULL, rhm_poll_interrupt, NULL, &err) !=
            RHM_OK)
        return rhm_raise(L, "network:predict", &err);
    lua_pushinteger(L, label + 1);
    lua_geti(L, -2, 1);
    return 2;
}

static int network_predict(lua_State *L)
{
    struct rhm_network *net = rhm_check_network(L, 1);
    struct rhm_dataset *data = rhm_test_dataset(L, 2);
    if (!data && lua_type(L, 2) == LUA_TTABLE)
        return predict_string(L, net);
    if (!data) {
        const char *shown = rhm_args_show(L, 2);
        return luaL_error(L, "network:predict: a data set or one string {1, 5, 2, ...} expected, got %s",
                          shown);
    }
    check_fit(L, "network:predict", net, data);
    uint16_t *labels = rhm_push_buffer(L, data->n, sizeof *labels);
    struct rhm_matrix *probability = rhm_push_matrix(L);
    struct rhm_error err;
    if (rhm_matrix_init(probability, data->n, net->classes, &err) != RHM_OK ||
        rhm_network_predict(net, data->n, data->tokens, labels, probability->v, NULL, rhm_poll_interrupt,
                            NULL, &err) != RHM_OK)
        return rhm_raise(L, "network:predict", &err);
    lua_createtable(L, (int)data->n, 0);
    for (size_t i = 0; i < data->n; i++) {
        lua_pushinteger(L, labels[i] + 1);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_insert(L, -2);
    return 2;
}

static int network_accuracy(lua_State *L)
{
    struct rhm_network *net = rhm_check_network(L, 1);
    struct rhm_dataset *data = rhm_test_dataset(L, 2);
    struct rhm_grammar *g = rhm_test_grammar(L, 2);
    lua_settop(L, 3);
    if (rhm_source_is(L, 2)) {
        data = rhm_source_test_strings(L, "network:accuracy", net->seed);
    } else if (!data && !g) {
        const char *shown = rhm_args_show(L, 2);
        return luaL_error(L, "network:accuracy: " RHM_ANY_SOURCE " expected, got %s", shown);
    } else if (!lua_isnil(L, 3)) {
        return luaL_error(L, "network:accuracy: n and seed are for strings that are drawn: of a grammar the "
                             "accuracy is exact, of a data set it is that of all strings");
    }
    double accuracy;
    struct rhm_error err;
    enum rhm_status status;
    if (data) {
        check_fit(L, "network:accuracy", net, data);
        status = rhm_network_accuracy_on_data(net, data, &accuracy, rhm_poll_interrupt, NULL, &err);
    } else {
        status = rhm_network_accuracy_on_grammar(net, g, &accuracy, rhm_poll_interrupt, NULL, &err);
    }
    if (status != RHM_OK)
        return rhm_raise(L, "network:accuracy", &err);
    lua_pushnumber(L, accuracy);
    return 1;
}

/* --- the class ---------------------------------------------------------------------------------------- */

/* The network's copy of the grammar as an object, made once. */
static int push_known_grammar(lua_State *L, const struct rhm_network *net)
{
    if (!net->grammar)
        return 0;
    if (lua_getiuservalue(L, 1, RHM_NETWORK_GRAMMAR) != LUA_TNIL)
        return 1;
    struct rhm_error err;
    if (rhm_grammar_copy(rhm_push_grammar(L), net->grammar, &err) != RHM_OK)
        return rhm_raise(L, "network.grammar", &err);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, 1, RHM_NETWORK_GRAMMAR);
    return 1;
}

enum {
    FIELD_V,
    FIELD_s,
    FIELD_L,
    FIELD_d,
    FIELD_classes,
    FIELD_M,
    FIELD_codebook,
    FIELD_linkage,
    FIELD_features,
    FIELD_seed,
    FIELD_sigma,
    FIELD_eps_O,
    FIELD_grammar,
    FIELD_branching,
    FIELD_job,
    FIELD_refined
};
static const char *const fields[] = {"V",        "s",         "L",        "d",       "classes", "M",
                                     "codebook", "linkage",   "features", "seed",    "sigma",   "eps_O",
                                     "grammar",  "branching", "job",      "refined", NULL};

static int network_field(lua_State *L)
{
    struct rhm_network *net = rhm_check_network(L, 1);
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
    case FIELD_M:
        return lua_pushinteger(L, (lua_Integer)net->M), 1;
    case FIELD_codebook:
        return lua_pushstring(L, codebook_names[net->codebook]), 1;
    case FIELD_linkage:
        return lua_pushstring(L, linkage_names[net->linkage]), 1;
    case FIELD_features:
        return lua_pushstring(L, feature_names[net->features]), 1;
    case FIELD_seed:
        return lua_pushinteger(L, (lua_Integer)net->seed), 1;
    case FIELD_sigma:
        if (net->sigma <= 0)
            return 0;
        return lua_pushnumber(L, net->sigma), 1;
    case FIELD_eps_O:
        return lua_pushnumber(L, net->eps_O), 1;
    case FIELD_branching:
        lua_getiuservalue(L, 1, RHM_NETWORK_BRANCHING);
        return 1;
    case FIELD_grammar:
        return push_known_grammar(L, net);
    case FIELD_job:
        return lua_getiuservalue(L, 1, RHM_SUBJECT_JOB), 1;
    case FIELD_refined:
        return rhm_network_push_refined(L, net);
    default:
        return 0;
    }
}

/* "layers 3 to 1 trained", in the words that fit. */
static void push_trained(lua_State *L, struct rhm_network *net)
{
    int trained = 0, deepest = (int)net->L;
    struct rhm_layer_view view;
    for (unsigned l = net->L; l >= 1; l--) {
        if (rhm_network_view(net, l, 0, &view, NULL) != RHM_OK || view.trained != 1)
            break;
        trained++;
    }
    if (trained == deepest)
        lua_pushliteral(L, "all layers trained");
    else if (trained == 0)
        lua_pushliteral(L, "not trained");
    else if (trained == 1)
        lua_pushfstring(L, "layer %d trained", deepest);
    else
        lua_pushfstring(L, "layers %d to %d trained", deepest, deepest - trained + 1);
}

static int network_tostring(lua_State *L)
{
    if (is_waiting(L, 1)) {
        lua_pushliteral(L, "network: s is to be inferred from the strings of its first training");
        return 1;
    }
    struct rhm_network *net = rhm_check_network(L, 1);
    char text[RHM_BRANCHES_TEXT], padding[RHM_PADDING_TEXT];
    lua_settop(L, 1);
    push_trained(L, net);
    if (lua_getiuservalue(L, 1, RHM_SUBJECT_JOB) == LUA_TNIL) {
        lua_pushliteral(L, "");
    } else {
        lua_getfield(L, -1, "state");
        lua_pushfstring(L, "; its job: %s", lua_tostring(L, -1));
    }
    lua_pushfstring(L,
                    "network: V = %d, s = %s, L = %d, %d classes%s%s\n"
                    "         M = %I %s features a layer, %s codebook%s, seed %I\n"
                    "         %s%s",
                    (int)net->V, rhm_branches_text(net->branch, net->L, text), (int)net->L, (int)net->classes,
                    net->grammar ? ", grammar known" : "", rhm_padding_text(net->d, net->leaves, padding),
                    (lua_Integer)net->M, feature_names[net->features], codebook_names[net->codebook],
                    net->linkage == RHM_LINKAGE_AVERAGE ? ", average linkage" : "", (lua_Integer)net->seed,
                    lua_tostring(L, 2), lua_tostring(L, -1));
    return 1;
}

void rhm_open_network(lua_State *L)
{
    static const luaL_Reg methods[] = {{"train", rhm_network_train_method},
                                       {"resume", rhm_network_resume_method},
                                       {"layer", rhm_network_layer_method},
                                       {"predict", network_predict},
                                       {"parse", rhm_network_parse_method},
                                       {"accuracy", network_accuracy},
                                       {"refine", rhm_network_refine_method},
                                       {"unrefine", rhm_network_unrefine_method},
                                       {"posterior", rhm_network_posterior_method},
                                       {"outputs", rhm_network_outputs_method},
                                       {"save", network_save},
                                       {NULL, NULL}};
    rhm_open_parse(L);
    rhm_class_open(L, &(struct rhm_class){.name = RHM_NETWORK,
                                          .methods = methods,
                                          .fields = fields,
                                          .field = network_field,
                                          .tostring = network_tostring,
                                          .gc = network_gc});
}
