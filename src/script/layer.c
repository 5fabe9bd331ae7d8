/* layer.c - rhm.layer: one layer of a network, to train by hand; its numbers. What it found is in
 * layer_found.c. */
#include "script/layer.h"

#include "script/hooks.h"
#include "script/latest.h"
#include "script/work.h"

struct object {
    unsigned level; /* the network is the user value */
};

struct rhm_network *rhm_check_layer(lua_State *L, unsigned *level)
{
    struct object *object = rhm_class_check(L, 1, RHM_LAYER);
    *level = object->level;
    lua_getiuservalue(L, 1, 1);
    struct rhm_network *net = rhm_check_network(L, -1);
    lua_pop(L, 1); /* the layer holds it */
    return net;
}

int rhm_network_layer_method(lua_State *L)
{
    struct rhm_network *net = rhm_check_network(L, 1);
    lua_Integer level = rhm_args_whole(L, 2, "network:layer", "level", 1, net->L);
    struct object *object = lua_newuserdatauv(L, sizeof *object, 1);
    object->level = (unsigned)level;
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, RHM_LAYER);
    return 1;
}

/* --- by hand ------------------------------------------------------------------------------------------ */

enum action { ACTION_BEGIN, ACTION_STEP, ACTION_FINISH };

struct call {
    enum action action;
    struct rhm_network *net;
    unsigned level;
    uint64_t steps;
    int paced;
    double steps_per_second; /* where paced */
    struct rhm_train_options options;
};

static enum rhm_status run_call(void *context, struct rhm_monitor *monitor, struct rhm_error *err)
{
    struct call *call = context;
    switch (call->action) {
    case ACTION_BEGIN:
        return rhm_network_begin(call->net, call->level, &call->options, monitor, err);
    case ACTION_STEP:
        if (call->paced)
            return rhm_network_step_paced(call->net, call->level, call->steps, call->steps_per_second,
                                          monitor, err);
        return rhm_network_step(call->net, call->level, call->steps, monitor, err);
    default:
        return rhm_network_finish(call->net, call->level, monitor, err);
    }
}

static void run(lua_State *L, const char *function, struct call *call)
{
    lua_getiuservalue(L, 1, 1);
    rhm_latest_set(L, RHM_LATEST_NETWORK, -1);
    lua_pop(L, 1);
    struct rhm_error err;
    if (rhm_work_run(L, run_call, call, &err) != RHM_OK)
        rhm_raise(L, function, &err);
}

static int layer_begin(lua_State *L)
{
    static const char *const keys[] = {
        "from", "n", "c", "eta", "lambda", "seed", "position", "sampler", "steps_per_second", NULL};
    struct call call = {.action = ACTION_BEGIN};
    call.net = rhm_check_layer(L, &call.level);
    struct rhm_args args = rhm_args_open(L, 2, "layer:begin", keys);
    lua_settop(L, 2);
    rhm_read_training(&args, call.net, call.level, &call.options); /* the source stays on the stack */
    rhm_latest_set(L, RHM_LATEST_SOURCE, -1);
    run(L, "layer:begin", &call);
    lua_settop(L, 1);
    return 1;
}

static int layer_step(lua_State *L)
{
    struct call call = {.action = ACTION_STEP, .steps = 1};
    call.net = rhm_check_layer(L, &call.level);
    if (!lua_isnoneornil(L, 2))
        call.steps = (uint64_t)rhm_args_whole(L, 2, "layer:step", "steps", 1, (lua_Integer)1 << 53);
    if (!lua_isnoneornil(L, 3)) {
        call.paced = 1;
        if (lua_type(L, 3) != LUA_TNUMBER)
            return luaL_error(L, "layer:step: steps_per_second = %s: must be a number", rhm_args_show(L, 3));
        call.steps_per_second = lua_tonumber(L, 3);
    }
    run(L, "layer:step", &call);
    struct rhm_layer_view view;
    struct rhm_error err;
    if (rhm_network_view(call.net, call.level, 0, &view, &err) != RHM_OK)
        return rhm_raise(L, "layer:step", &err);
    if (rhm_hooks_ready(RHM_HOOK_STEP)) {
        lua_pushvalue(L, 1);
        lua_pushnumber(L, view.loss);
        rhm_hooks_call(L, RHM_HOOK_STEP, 2);
    }
    lua_pushnumber(L, view.loss);
    return 1;
}

static int layer_finish(lua_State *L)
{
    struct call call = {.action = ACTION_FINISH};
    call.net = rhm_check_layer(L, &call.level);
    run(L, "layer:finish", &call);
    lua_settop(L, 1);
    return 1;
}

/* --- the class ---------------------------------------------------------------------------------------- */

/* All come from the view, but for the first four. */
static const char *const fields[] = {"level",   "network", "trained",  "samples",  "patch_count", "clusters",
                                     "steps",   "sigma",   "rho_in",   "eps_S_in", "rho",         "eps_S",
                                     "gap",     "error",   "lambda",   "eta",      "loss",        "condition",
                                     "unknown", "seconds", "accuracy", "history",  "places",      NULL};
enum { FIELD_level, FIELD_network, FIELD_trained, FIELD_samples, FIELD_patch_count };

static int layer_field(lua_State *L)
{
    int field = rhm_class_field(L, fields);
    if (field < 0)
        return 0;
    unsigned l;
    struct rhm_network *net = rhm_check_layer(L, &l);
    if (field == FIELD_level)
        return lua_pushinteger(L, l), 1;
    if (field == FIELD_network)
        return lua_getiuservalue(L, 1, 1), 1;
    struct rhm_layer_view view;
    struct rhm_error err;
    if (rhm_network_view(net, l, 0, &view, &err) != RHM_OK)
        return rhm_raise(L, "layer", &err);
    if (field == FIELD_trained)
        return lua_pushboolean(L, view.trained == 1), 1;
    if (view.trained < 0)
        return 0;
    if (field == FIELD_samples)
        return lua_pushinteger(L, (lua_Integer)view.N), 1;
    if (field == FIELD_patch_count)
        return lua_pushinteger(L, (lua_Integer)view.U), 1;
    lua_createtable(L, 0, 20);
    rhm_set_view(L, &view);
    lua_getfield(L, -1, fields[field]);
    return 1;
}

/* All numbers of one moment, which fields read one by one are not while a training goes on. Nil before it. */
static int layer_numbers(lua_State *L)
{
    unsigned l;
    struct rhm_network *net = rhm_check_layer(L, &l);
    struct rhm_layer_view view;
    struct rhm_error err;
    if (rhm_network_view(net, l, 0, &view, &err) != RHM_OK)
        return rhm_raise(L, "layer:numbers", &err);
    if (view.trained < 0)
        return 0;
    lua_createtable(L, 0, 24);
    rhm_set_view(L, &view);
    rhm_set_integer(L, "L", net->L);
    rhm_set_boolean(L, "trained", view.trained == 1);
    rhm_set_report(L, "layer");
    return 1;
}

static int layer_tostring(lua_State *L)
{
    unsigned l;
    struct rhm_network *net = rhm_check_layer(L, &l);
    if (layer_numbers(L) == 0)
        return lua_pushfstring(L, "layer %d of %d: not trained", (int)l, (int)net->L), 1;
    luaL_tolstring(L, -1, NULL);
    return 1;
}

void rhm_open_layer(lua_State *L)
{
    static const luaL_Reg methods[] = {{"begin", layer_begin},
                                       {"step", layer_step},
                                       {"finish", layer_finish},
                                       {"patches", rhm_layer_patches},
                                       {"q", rhm_layer_q},
                                       {"shares", rhm_layer_shares},
                                       {"embedding", rhm_layer_embedding},
                                       {"distances", rhm_layer_distances},
                                       {"synonyms", rhm_layer_synonyms},
                                       {"diagnostics", rhm_layer_diagnostics},
                                       {"numbers", layer_numbers},
                                       {NULL, NULL}};
    rhm_layer_open_views(L);
    rhm_class_open(L, &(struct rhm_class){.name = RHM_LAYER,
                                          .methods = methods,
                                          .fields = fields,
                                          .field = layer_field,
                                          .tostring = layer_tostring});
}
