/* network.c - networks: looking, predicting, saving. Making them is in network_make.c, training in train.c.
 */
#include "script/network.h"

#include "engine/base/output.h"
#include "engine/chain/network_file.h"
#include "script/baseline.h"
#include "script/branches.h"
#include "script/latest.h"
#include "script/measure.h"
#include "script/source.h"

struct rhm_network_object *rhm_push_network(lua_State *L)
{
    struct rhm_network_object *object = lua_newuserdatauv(L, sizeof *object, RHM_NETWORK_VALUES);
    object->net = NULL;
    luaL_setmetatable(L, RHM_NETWORK);
    return object;
}

int rhm_network_waits(lua_State *L, int index)
{
    struct rhm_network_object *object = rhm_class_check(L, index, RHM_NETWORK);
    int waits = lua_getiuservalue(L, index, RHM_NETWORK_BRANCHING) == LUA_TTABLE && !object->net;
    lua_pop(L, 1);
    return waits;
}

struct rhm_network *rhm_check_network(lua_State *L, int index)
{
    struct rhm_network_object *object = rhm_class_check(L, index, RHM_NETWORK);
    if (!object->net && rhm_network_waits(L, index))
        luaL_error(L, "the network's s is not inferred yet: train it, or give rhm.network strings: from = d");
    if (!object->net)
        luaL_error(L, "this network was closed");
    return object->net;
}

/* The job goes first: its thread works on the network. */
static int network_gc(lua_State *L)
{
    struct rhm_network_object *object = rhm_class_check(L, 1, RHM_NETWORK);
    lua_getiuservalue(L, 1, RHM_SUBJECT_JOB);
    rhm_job_close(L, -1);
    rhm_network_free(object->net);
    object->net = NULL;
    return 0;
}

/* --- files -------------------------------------------------------------------------------------------- */

int rhm_script_load(lua_State *L)
{
    const char *path = rhm_args_path(L, 1, "rhm.load");
    if (rhm_baseline_load(L, path))
        return 1;
    struct rhm_network_object *object = rhm_push_network(L);
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
    rhm_push_symbols(L, data->n, labels);
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
        return lua_pushstring(L, rhm_network_codebooks[net->codebook]), 1;
    case FIELD_linkage:
        return lua_pushstring(L, rhm_network_linkages[net->linkage]), 1;
    case FIELD_features:
        return lua_pushstring(L, rhm_network_features[net->features]), 1;
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
    if (rhm_network_waits(L, 1)) {
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
                    (lua_Integer)net->M, rhm_network_features[net->features],
                    rhm_network_codebooks[net->codebook],
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
                                       {"refinement", rhm_network_refinement_method},
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
