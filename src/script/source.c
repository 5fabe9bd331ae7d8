/* source.c - rhm.source: strings made by a function of the user's, on the Lua thread; and drawing from any
 * source. See source.h. */
#include "script/source.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/rng.h"
#include "engine/grammar/sample.h"
#include "script/interrupt.h"
#include "script/objects.h"
#include "script/random.h"

struct source {
    unsigned V, classes;
    size_t d;
    int64_t s, L; /* 0: not said */
};

enum { VALUE_FUNCTION = 1, VALUE_NAME, VALUES = VALUE_NAME };

static struct source *check_source(lua_State *L)
{
    return rhm_class_check(L, 1, RHM_SOURCE);
}

static struct source *test_source(lua_State *L, int index)
{
    return luaL_testudata(L, index, RHM_SOURCE);
}

/* --- making one --------------------------------------------------------------------------------------- */

static int64_t read_size(const struct rhm_args *args, const char *key, int64_t low, int64_t high, int needed)
{
    int64_t n = 0;
    int given = rhm_args_integer(args, key, &n);
    if (needed)
        rhm_args_require(args, key, given);
    if (given && (n < low || n > high))
        luaL_error(args->L, "%s: %s = %I: must be from %I to %I", args->function, key, (lua_Integer)n,
                   (lua_Integer)low, (lua_Integer)high);
    return n;
}

/* d, or s and L, or all three where they agree. */
static void read_lengths(const struct rhm_args *args, struct source *source)
{
    int64_t d = read_size(args, "d", 1, INT64_C(1) << 31, 0);
    source->s = read_size(args, "s", 2, 1 << 16, 0);
    source->L = read_size(args, "L", 1, RHM_MAX_LEVELS, 0);
    if ((source->s > 0) != (source->L > 0))
        luaL_error(args->L, "%s: s and L go together: %s is missing", args->function,
                   source->s > 0 ? "L" : "s");
    uint64_t power = source->s > 0 ? rhm_power((uint64_t)source->s, (unsigned)source->L) : 0;
    if (source->s > 0 && (power == 0 || power > UINT64_C(1) << 31))
        luaL_error(args->L, "%s: s^L = %I^%I: must be at most 2^31 tokens", args->function,
                   (lua_Integer)source->s, (lua_Integer)source->L);
    if (d == 0 && power == 0)
        luaL_error(args->L, "%s: key 'd' is missing, the tokens of a string (or give s and L: d = s^L)",
                   args->function);
    if (d > 0 && power > 0 && (uint64_t)d != power)
        luaL_error(args->L, "%s: d = %I, but s^L = %I^%I = %I", args->function, (lua_Integer)d,
                   (lua_Integer)source->s, (lua_Integer)source->L, (lua_Integer)power);
    source->d = d > 0 ? (size_t)d : (size_t)power;
}

int rhm_script_source(lua_State *L)
{
    static const char *const keys[] = {"V", "classes", "d", "s", "L", "sample", "name", NULL};
    struct rhm_args args = rhm_args_open(L, 1, "rhm.source", keys);
    lua_settop(L, 1);
    struct source *source = lua_newuserdatauv(L, sizeof *source, VALUES);
    memset(source, 0, sizeof *source);
    luaL_setmetatable(L, RHM_SOURCE);
    source->V = (unsigned)read_size(&args, "V", 2, RHM_MAX_SYMBOLS, 1);
    source->classes = (unsigned)read_size(&args, "classes", 2, RHM_MAX_SYMBOLS, 1);
    read_lengths(&args, source);
    const char *name = NULL;
    if (rhm_args_string(&args, "name", &name)) {
        lua_pushstring(L, name);
        lua_setiuservalue(L, 2, VALUE_NAME);
    }
    int type = rhm_args_push(&args, "sample");
    rhm_args_require(&args, "sample", type != LUA_TNIL);
    if (type != LUA_TFUNCTION) {
        const char *shown = rhm_args_show(L, -1);
        return luaL_error(L, "%s: sample = %s: must be a function(rng) that returns tokens and a label",
                          args.function, shown);
    }
    lua_setiuservalue(L, 2, VALUE_FUNCTION);
    return 1;
}

/* --- drawing ------------------------------------------------------------------------------------------ */

/* The whole number on top, 1..limit or 0 where it is missing, else an error that names the string. */
static uint16_t read_symbol(lua_State *L, const char *where, lua_Integer number, const char *what,
                            unsigned limit)
{
    int whole = 0;
    lua_Integer k = lua_type(L, -1) == LUA_TNUMBER ? lua_tointegerx(L, -1, &whole) : 0;
    if (!whole || k < 0 || k > (lua_Integer)limit) {
        const char *shown = rhm_args_show(L, -1);
        luaL_error(L, "%s: string %I: %s = %s: must be a whole number from 1 to %d, or 0 for missing", where,
                   number, what, shown, (int)limit);
    }
    return k == 0 ? RHM_MISSING : (uint16_t)(k - 1);
}

/* Its message with the string's number; Ctrl-C goes through as it is. */
static int fail_string(lua_State *L, const char *where, lua_Integer number)
{
    if (rhm_interrupt_pending())
        return rhm_raise_interrupt(L);
    const char *message = luaL_tolstring(L, -1, NULL);
    return luaL_error(L, "%s: string %I: %s", where, number, message);
}

/* One string: the function at `function`, the numbers at `random`. Leaves the stack as it was. */
static void draw_string(lua_State *L, const struct source *source, int function, int random,
                        const char *where, lua_Integer number, uint16_t *tokens, uint16_t *label)
{
    int top = lua_gettop(L);
    lua_pushvalue(L, function);
    lua_pushvalue(L, random);
    if (lua_pcall(L, 1, 2, 0) != LUA_OK)
        fail_string(L, where, number);
    *label = read_symbol(L, where, number, "label", source->classes);
    if (lua_type(L, top + 1) != LUA_TTABLE) {
        const char *shown = rhm_args_show(L, top + 1);
        luaL_error(L, "%s: string %I: sample returned %s: a list of %I tokens and a label expected", where,
                   number, shown, (lua_Integer)source->d);
    }
    if (lua_rawlen(L, top + 1) != source->d)
        luaL_error(L, "%s: string %I: %I tokens, d = %I expected", where, number,
                   (lua_Integer)lua_rawlen(L, top + 1), (lua_Integer)source->d);
    for (size_t j = 0; j < source->d; j++) {
        lua_rawgeti(L, top + 1, (lua_Integer)j + 1);
        char what[40] = "";
        if (lua_isinteger(L, -1) && (lua_Unsigned)lua_tointeger(L, -1) - 1 < source->V) {
            tokens[j] = (uint16_t)(lua_tointeger(L, -1) - 1);
        } else { /* the name is only made where it is needed */
            snprintf(what, sizeof what, "tokens[%zu]", j + 1);
            tokens[j] = read_symbol(L, where, number, what, source->V);
        }
        lua_pop(L, 1);
    }
    lua_settop(L, top);
}

static void draw_from_function(lua_State *L, int index, const char *where, uint64_t seed,
                               struct rhm_dataset *data)
{
    const struct source *source = test_source(L, index);
    lua_getiuservalue(L, index, VALUE_FUNCTION);
    int function = lua_gettop(L);
    struct rhm_rng *rng = rhm_push_random(L);
    for (size_t i = 0; i < data->n; i++) {
        *rng = rhm_rng_start(seed, RHM_STREAM_SOURCE, i);
        draw_string(L, source, function, function + 1, where, (lua_Integer)i + 1, data->tokens + i * data->d,
                    data->labels + i);
    }
    lua_settop(L, function - 1);
}

int rhm_source_is(lua_State *L, int index)
{
    return rhm_test_formula(L, index) != NULL || test_source(L, index) != NULL;
}

struct rhm_dataset *rhm_source_draw(lua_State *L, int index, const char *function, uint64_t n, uint64_t seed)
{
    const struct rhm_grammar *g = rhm_test_grammar(L, index);
    const struct rhm_formula *f = rhm_test_formula(L, index);
    const struct source *source = test_source(L, index);
    struct rhm_error err;
    index = lua_absindex(L, index);
    luaL_checkstack(L, 16, NULL);
    struct rhm_dataset *data = rhm_push_dataset(L);
    enum rhm_status status;
    if (g)
        status = rhm_sample_dataset(g, seed, (size_t)n, data, &err);
    else if (f)
        status = rhm_formula_dataset(f, seed, (size_t)n, data, rhm_poll_interrupt, NULL, &err);
    else
        status = rhm_dataset_init(data, (size_t)n, source->d, source->V, source->classes, &err);
    if (status != RHM_OK)
        rhm_raise(L, function, &err);
    if (source)
        draw_from_function(L, index, function, seed, data);
    return data;
}

struct rhm_dataset *rhm_source_test_strings(lua_State *L, const char *function, uint64_t model_seed)
{
    static const char *const keys[] = {"n", "seed", NULL};
    struct rhm_args args = rhm_args_open_optional(L, 3, function, keys);
    uint64_t n = RHM_TEST_STRINGS, seed = model_seed + RHM_TEST_SEED;
    rhm_args_count(&args, "n", &n);
    rhm_args_seed(&args, "seed", &seed);
    return rhm_source_draw(L, 2, function, n, seed);
}

static int source_sample(lua_State *L)
{
    static const char *const keys[] = {"n", "seed", NULL};
    check_source(L);
    struct rhm_args args = rhm_args_open(L, 2, "source:sample", keys);
    uint64_t n = 0, seed = 0;
    rhm_args_require(&args, "n", rhm_args_count(&args, "n", &n));
    rhm_args_seed(&args, "seed", &seed);
    rhm_source_draw(L, 1, args.function, n, seed);
    return 1;
}

/* --- the class ---------------------------------------------------------------------------------------- */

enum { FIELD_V, FIELD_classes, FIELD_C, FIELD_d, FIELD_s, FIELD_L, FIELD_name };
static const char *const fields[] = {"V", "classes", "C", "d", "s", "L", "name", NULL};

static int source_field(lua_State *L)
{
    struct source *source = check_source(L);
    switch (rhm_class_field(L, fields)) {
    case FIELD_V:
        return lua_pushinteger(L, source->V), 1;
    case FIELD_classes:
    case FIELD_C:
        return lua_pushinteger(L, source->classes), 1;
    case FIELD_d:
        return lua_pushinteger(L, (lua_Integer)source->d), 1;
    case FIELD_s:
        return source->s > 0 ? (lua_pushinteger(L, source->s), 1) : 0;
    case FIELD_L:
        return source->L > 0 ? (lua_pushinteger(L, source->L), 1) : 0;
    case FIELD_name:
        return lua_getiuservalue(L, 1, VALUE_NAME), 1;
    default:
        return 0;
    }
}

static int source_tostring(lua_State *L)
{
    struct source *source = check_source(L);
    lua_Debug ar;
    lua_getiuservalue(L, 1, VALUE_NAME);
    const char *name = lua_tostring(L, -1);
    lua_getiuservalue(L, 1, VALUE_FUNCTION);
    lua_getinfo(L, ">S", &ar);
    lua_pushfstring(L, "source%s%s: V = %d, %d classes, d = %I tokens a string\n        sample: %s:%d",
                    name ? " " : "", name ? name : "", (int)source->V, (int)source->classes,
                    (lua_Integer)source->d, ar.short_src, ar.linedefined);
    return 1;
}

void rhm_open_source(lua_State *L)
{
    static const luaL_Reg methods[] = {{"sample", source_sample}, {NULL, NULL}};
    rhm_open_random(L);
    rhm_class_open(L, &(struct rhm_class){.name = RHM_SOURCE,
                                          .methods = methods,
                                          .fields = fields,
                                          .field = source_field,
                                          .tostring = source_tostring});
}
