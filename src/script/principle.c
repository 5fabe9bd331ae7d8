/* principle.c - what rhm.principle (lua/rhm/principle.lua) measures by: require "rhm.principle.measure". */
#include "script/principle.h"

#include <math.h>
#include <string.h>

#include "engine/base/threads.h"
#include "engine/structure/principle.h"
#include "script/branches.h"
#include "script/objects.h"
#include "script/source.h"
#include "script/work.h"

struct call {
    struct rhm_principle_options options;
    struct rhm_principle result;
};

static enum rhm_status run(void *context, struct rhm_monitor *monitor, struct rhm_error *err)
{
    struct call *call = context;
    rhm_threads_adopt();
    return rhm_principle_measure(&call->options, &call->result, monitor, err);
}

static int call_gc(lua_State *L)
{
    struct call *call = lua_touserdata(L, 1);
    rhm_principle_clear(&call->result);
    return 0;
}

/* The result is freed with it, also where building the table runs out of memory. */
static struct call *push_call(lua_State *L)
{
    struct call *call = lua_newuserdatauv(L, sizeof *call, 0);
    memset(call, 0, sizeof *call);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, call_gc);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    return call;
}

/* t[name] = {value=, low=, high=}; nil where there was nothing to measure. */
static void set_interval(lua_State *L, const char *name, const struct rhm_interval *x)
{
    if (isnan(x->value))
        return;
    lua_createtable(L, 0, 3);
    rhm_set_number(L, "value", x->value);
    rhm_set_number(L, "low", x->low);
    rhm_set_number(L, "high", x->high);
    lua_setfield(L, -2, name);
}

static void set_layers(lua_State *L, const struct rhm_principle_level *level, unsigned l)
{
    lua_createtable(L, (int)l, 0);
    for (unsigned k = 0; k < l; k++) {
        const struct rhm_principle_layer *layer = &level->layer[k];
        lua_createtable(L, 0, 5);
        rhm_set_integer(L, "inputs", layer->inputs);
        rhm_set_number(L, "fit", layer->fit);
        rhm_set_number(L, "held", layer->held);
        rhm_set_number(L, "leak", layer->leak);
        set_interval(L, "clean", &layer->clean);
        lua_rawseti(L, -2, k + 1);
    }
    lua_setfield(L, -2, "layers");
}

/* The parents that no string showed. */
static void set_unseen(lua_State *L, const struct rhm_principle_level *level)
{
    lua_Integer n = 0;
    lua_newtable(L);
    for (unsigned nu = 0; nu < level->parents; nu++)
        if (!level->is_seen[nu]) {
            lua_pushinteger(L, nu + 1);
            lua_rawseti(L, -2, ++n);
        }
    lua_setfield(L, -2, "unseen");
}

static void push_level(lua_State *L, const struct rhm_principle_level *level, unsigned l)
{
    lua_createtable(L, 0, 10);
    rhm_set_integer(L, "patches", level->patches);
    rhm_set_integer(L, "parents", level->parents);
    rhm_set_integer(L, "seen", level->seen);
    rhm_set_integer(L, "unresolved", level->unresolved);
    rhm_set_number(L, "exact_correlation", level->exact_correlation);
    rhm_set_number(L, "exact_gap", level->exact_gap);
    set_interval(L, "correlation", &level->correlation);
    set_interval(L, "gap", &level->gap);
    if (!isnan(level->gap.value)) {
        lua_createtable(L, 2, 0);
        lua_pushinteger(L, level->a + 1);
        lua_rawseti(L, -2, 1);
        lua_pushinteger(L, level->b + 1);
        lua_rawseti(L, -2, 2);
        lua_setfield(L, -2, "nearest");
    }
    set_unseen(L, level);
    set_layers(L, level, l);
}

/* measure{ data=, grammar= | formula= | s=, L=, place=, confidence=, seed=, M= }: what the Lua side checked.
 */
static int measure(lua_State *L)
{
    static const char *const keys[] = {"data",  "grammar",    "formula", "s", "L",
                                       "place", "confidence", "seed",    "M", NULL};
    struct rhm_args args = rhm_args_open(L, 1, "rhm.principle", keys);
    lua_settop(L, 1);
    struct call *call = push_call(L);
    int64_t s = 0, levels = 0;
    uint64_t place = 1, M = 1024;
    rhm_args_push(&args, "data");
    call->options.data = rhm_check_dataset(L, -1);
    rhm_args_push(&args, "grammar");
    call->options.grammar = rhm_test_grammar(L, -1);
    rhm_args_push(&args, "formula");
    call->options.formula = rhm_test_formula(L, -1);
    int64_t branch[RHM_MAX_LEVELS + 1] = {0};
    rhm_args_branches(&args, &s, branch, &levels);
    rhm_args_integer(&args, "L", &levels);
    rhm_args_count(&args, "place", &place);
    rhm_args_count(&args, "M", &M);
    rhm_args_number(&args, "confidence", &call->options.confidence);
    rhm_args_seed(&args, "seed", &call->options.seed);
    call->options.L = levels > 0 && levels <= RHM_MAX_LEVELS ? (unsigned)levels : 0;
    for (unsigned l = 1; l <= call->options.L; l++)
        call->options.branch[l] = (unsigned)(branch[1] > 0 ? branch[l] : s);
    call->options.place = place - 1;
    call->options.M = (size_t)M;
    struct rhm_error err = {0};
    if (rhm_work_run(L, run, call, &err) != RHM_OK)
        return rhm_raise(L, "rhm.principle", &err);
    const struct rhm_principle *r = &call->result;
    lua_createtable(L, 0, 6);
    rhm_set_integer(L, "n", r->n);
    rhm_set_integer(L, "n_A", r->n_A);
    rhm_set_integer(L, "n_B", r->n_B);
    rhm_set_boolean(L, "learned", r->learned);
    lua_createtable(L, (int)r->L, 0);
    for (unsigned l = 1; l <= r->L; l++) {
        push_level(L, &r->level[l], l);
        lua_rawseti(L, -2, l);
    }
    lua_setfield(L, -2, "levels");
    return 1;
}

static int open_measure(lua_State *L)
{
    lua_pushcfunction(L, measure);
    return 1;
}

void rhm_open_principle(lua_State *L)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushcfunction(L, open_measure);
    lua_setfield(L, -2, "rhm.principle.measure");
    lua_pop(L, 1);
}
