/* dataset.c - rhm.dataset: labelled strings, from a file, from tables or from a grammar. */
#include "script/objects.h"

#include <string.h>

struct rhm_dataset *rhm_push_dataset(lua_State *L)
{
    struct rhm_dataset *data = lua_newuserdatauv(L, sizeof *data, 0);
    memset(data, 0, sizeof *data);
    luaL_setmetatable(L, RHM_DATASET);
    return data;
}

struct rhm_dataset *rhm_check_dataset(lua_State *L, int index)
{
    return rhm_class_check(L, index, RHM_DATASET);
}

struct rhm_dataset *rhm_test_dataset(lua_State *L, int index)
{
    return luaL_testudata(L, index, RHM_DATASET);
}

static int dataset_gc(lua_State *L)
{
    rhm_dataset_clear(rhm_check_dataset(L, 1));
    return 0;
}

/* --- from tables -------------------------------------------------------------------------------------- */

/* Largest of the n symbols of the list on top, each at most `limit`, 0 where one is missing; written 0-based
 * to `to` unless NULL. */
static lua_Integer read_list(lua_State *L, const char *what, size_t n, lua_Integer limit, uint16_t *to)
{
    lua_Integer largest = 0;
    for (size_t j = 0; j < n; j++) {
        int whole;
        lua_rawgeti(L, -1, (lua_Integer)j + 1);
        lua_Integer symbol = lua_type(L, -1) == LUA_TNUMBER ? lua_tointegerx(L, -1, &whole) : 0;
        if (lua_type(L, -1) != LUA_TNUMBER || symbol < 0 || symbol > limit || !whole) {
            const char *name = lua_pushfstring(L, "%s[%I] =", what, (lua_Integer)j + 1);
            rhm_args_whole(L, -2, "rhm.dataset", name, 0, limit);
        }
        lua_pop(L, 1);
        if (to)
            to[j] = symbol == 0 ? RHM_MISSING : (uint16_t)(symbol - 1);
        if (symbol > largest)
            largest = symbol;
    }
    return largest;
}

/* Pushes string i of the list of strings at `index`, which must have d tokens. */
static void push_string(lua_State *L, int index, size_t i, size_t d)
{
    if (lua_rawgeti(L, index, (lua_Integer)i + 1) != LUA_TTABLE) {
        const char *shown = rhm_args_show(L, -1);
        luaL_error(L, "rhm.dataset: tokens[%I] = %s: must be a list of tokens", (lua_Integer)i + 1, shown);
    }
    size_t length = lua_rawlen(L, -1);
    if (d > 0 && length != d)
        luaL_error(L, "rhm.dataset: tokens[%I] has %I tokens, tokens[1] has %I: all must have as many",
                   (lua_Integer)i + 1, (lua_Integer)length, (lua_Integer)d);
}

static lua_Integer read_strings(lua_State *L, int index, size_t n, size_t d, lua_Integer limit,
                                uint16_t *tokens)
{
    lua_Integer largest = 0;
    for (size_t i = 0; i < n; i++) {
        push_string(L, index, i, d);
        const char *name = lua_pushfstring(L, "tokens[%I]", (lua_Integer)i + 1);
        lua_insert(L, -2);
        lua_Integer symbol = read_list(L, name, d, limit, tokens ? tokens + i * d : NULL);
        if (symbol > largest)
            largest = symbol;
        lua_pop(L, 2);
    }
    return largest;
}

/* What the number of symbols is, given (0: not) or as the data say. */
static unsigned count_symbols(unsigned given, lua_Integer largest)
{
    return given ? given : largest < 2 ? 2 : (unsigned)largest;
}

static int dataset_from_tables(lua_State *L, const struct rhm_args *args, unsigned V, unsigned classes)
{
    rhm_args_require(args, "tokens", rhm_args_table(args, "tokens"));
    rhm_args_require(args, "labels", rhm_args_table(args, "labels"));
    int labels = lua_gettop(L), tokens = labels - 1;
    size_t n = lua_rawlen(L, tokens);
    if (n == 0)
        return luaL_error(L, "rhm.dataset: tokens is empty: must be a list of strings");
    if (lua_rawlen(L, labels) != n)
        return luaL_error(L, "rhm.dataset: %I strings of tokens, but %I labels", (lua_Integer)n,
                          (lua_Integer)lua_rawlen(L, labels));
    push_string(L, tokens, 0, 0);
    size_t d = lua_rawlen(L, -1);
    lua_pop(L, 1);
    if (d == 0)
        return luaL_error(L, "rhm.dataset: tokens[1] has no tokens");
    V = count_symbols(V, read_strings(L, tokens, n, d, V ? V : RHM_MAX_SYMBOLS, NULL));
    lua_settop(L, labels);
    classes = count_symbols(classes, read_list(L, "labels", n, classes ? classes : RHM_MAX_SYMBOLS, NULL));
    struct rhm_dataset *data = rhm_push_dataset(L);
    struct rhm_error err;
    if (rhm_dataset_init(data, n, d, V, classes, &err) != RHM_OK)
        return rhm_raise(L, "rhm.dataset", &err);
    read_strings(L, tokens, n, d, V, data->tokens);
    lua_pushvalue(L, labels);
    read_list(L, "labels", n, classes, data->labels);
    lua_pop(L, 1);
    return 1;
}

/* --- making one --------------------------------------------------------------------------------------- */

static unsigned read_size(const struct rhm_args *args, const char *key)
{
    int64_t n = 0;
    if (rhm_args_integer(args, key, &n) && (n < 2 || n > RHM_MAX_SYMBOLS))
        luaL_error(args->L, "%s: %s = %I: must be from 2 to %d", args->function, key, (lua_Integer)n,
                   RHM_MAX_SYMBOLS);
    return (unsigned)n;
}

static int dataset_from_file(lua_State *L, const char *path, unsigned V, unsigned classes)
{
    struct rhm_dataset *data = rhm_push_dataset(L);
    struct rhm_error err;
    if (rhm_dataset_load(data, path, V, classes, &err) != RHM_OK)
        return rhm_raise(L, "rhm.dataset", &err);
    return 1;
}

int rhm_script_dataset(lua_State *L)
{
    static const char *const keys[] = {"path", "V", "classes", "tokens", "labels", NULL};
    if (lua_type(L, 1) == LUA_TSTRING)
        return dataset_from_file(L, lua_tostring(L, 1), 0, 0);
    if (lua_type(L, 1) != LUA_TTABLE) {
        const char *shown = lua_isnone(L, 1) ? "nothing" : rhm_args_show(L, 1);
        return luaL_error(L, "rhm.dataset: a path or one table of arguments expected, got %s", shown);
    }
    struct rhm_args args = rhm_args_open(L, 1, "rhm.dataset", keys);
    lua_settop(L, 1);
    unsigned V = read_size(&args, "V"), classes = read_size(&args, "classes");
    const char *path;
    if (!rhm_args_string(&args, "path", &path))
        return dataset_from_tables(L, &args, V, classes);
    if (rhm_args_push(&args, "tokens") != LUA_TNIL || rhm_args_push(&args, "labels") != LUA_TNIL)
        return luaL_error(L, "rhm.dataset: give a path, or tokens and labels, not both");
    return dataset_from_file(L, path, V, classes);
}

/* --- methods ------------------------------------------------------------------------------------------ */

/* As Lua counts: from 1, 0 for a missing one. */
static lua_Integer symbol_out(uint16_t symbol)
{
    return symbol == RHM_MISSING ? 0 : symbol + 1;
}

static size_t check_place(lua_State *L, const char *function, const struct rhm_dataset *data)
{
    return (size_t)rhm_args_whole(L, 2, function, "string", 1, (lua_Integer)data->n) - 1;
}

static int dataset_tokens(lua_State *L)
{
    struct rhm_dataset *data = rhm_check_dataset(L, 1);
    size_t i = check_place(L, "dataset:tokens", data);
    lua_createtable(L, (int)data->d, 0);
    for (size_t j = 0; j < data->d; j++) {
        lua_pushinteger(L, symbol_out(data->tokens[i * data->d + j]));
        lua_rawseti(L, -2, (lua_Integer)j + 1);
    }
    return 1;
}

static int dataset_label(lua_State *L)
{
    struct rhm_dataset *data = rhm_check_dataset(L, 1);
    lua_pushinteger(L, symbol_out(data->labels[check_place(L, "dataset:label", data)]));
    return 1;
}

static int dataset_save(lua_State *L)
{
    struct rhm_dataset *data = rhm_check_dataset(L, 1);
    struct rhm_error err;
    if (rhm_dataset_save(data, rhm_args_path(L, 2, "dataset:save"), &err) != RHM_OK)
        return rhm_raise(L, "dataset:save", &err);
    lua_settop(L, 1);
    return 1;
}

static int dataset_split(lua_State *L)
{
    static const char *const keys[] = {"fraction", "seed", "disjoint", NULL};
    struct rhm_dataset *data = rhm_check_dataset(L, 1);
    double fraction = 0;
    uint64_t seed = 0;
    int disjoint = 0;
    if (lua_type(L, 2) == LUA_TNUMBER) {
        fraction = lua_tonumber(L, 2);
    } else {
        struct rhm_args args = rhm_args_open(L, 2, "dataset:split", keys);
        rhm_args_require(&args, "fraction", rhm_args_number(&args, "fraction", &fraction));
        rhm_args_seed(&args, "seed", &seed);
        rhm_args_boolean(&args, "disjoint", &disjoint);
    }
    struct rhm_dataset *train = rhm_push_dataset(L), *test = rhm_push_dataset(L);
    struct rhm_error err;
    if (rhm_dataset_split(data, fraction, disjoint, seed, train, test, &err) != RHM_OK)
        return rhm_raise(L, "dataset:split", &err);
    return 2;
}

static int dataset_hide(lua_State *L)
{
    static const char *const keys[] = {"labels", "tokens", "seed", NULL};
    struct rhm_dataset *data = rhm_check_dataset(L, 1);
    struct rhm_args args = rhm_args_open(L, 2, "dataset:hide", keys);
    double labels = 0, tokens = 0;
    uint64_t seed = 0;
    int given = rhm_args_number(&args, "labels", &labels) | rhm_args_number(&args, "tokens", &tokens);
    if (!given)
        return luaL_error(L, "dataset:hide: nothing to hide: give labels or tokens, a share from 0 to 1");
    rhm_args_seed(&args, "seed", &seed);
    struct rhm_dataset *out = rhm_push_dataset(L);
    struct rhm_error err;
    if (rhm_dataset_hide(data, labels, tokens, seed, out, &err) != RHM_OK)
        return rhm_raise(L, "dataset:hide", &err);
    return 1;
}

/* --- the class ---------------------------------------------------------------------------------------- */

enum { FIELD_n, FIELD_d, FIELD_V, FIELD_classes, FIELD_unlabelled, FIELD_missing };
static const char *const fields[] = {"n", "d", "V", "classes", "unlabelled", "missing", NULL};

static int dataset_field(lua_State *L)
{
    struct rhm_dataset *data = rhm_check_dataset(L, 1);
    switch (rhm_class_field(L, fields)) {
    case FIELD_n:
        return lua_pushinteger(L, (lua_Integer)data->n), 1;
    case FIELD_d:
        return lua_pushinteger(L, (lua_Integer)data->d), 1;
    case FIELD_V:
        return lua_pushinteger(L, data->V), 1;
    case FIELD_classes:
        return lua_pushinteger(L, data->classes), 1;
    case FIELD_unlabelled:
        return lua_pushinteger(L, (lua_Integer)rhm_dataset_missing(data).labels), 1;
    case FIELD_missing:
        return lua_pushinteger(L, (lua_Integer)rhm_dataset_missing(data).tokens), 1;
    default:
        return 0;
    }
}

static int dataset_length(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)rhm_check_dataset(L, 1)->n);
    return 1;
}

enum { SHOWN_STRINGS = 3, SHOWN_TOKENS = 16 };

static void add_symbol(luaL_Buffer *b, const char *before, uint16_t symbol)
{
    luaL_addstring(b, before);
    if (symbol == RHM_MISSING)
        return luaL_addchar(b, '?'), (void)0;
    lua_pushinteger(b->L, symbol + 1);
    luaL_addvalue(b);
}

static int dataset_tostring(lua_State *L)
{
    struct rhm_dataset *data = rhm_check_dataset(L, 1);
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    lua_pushfstring(L, "data set: %I strings of %I tokens, V = %d, %d classes", (lua_Integer)data->n,
                    (lua_Integer)data->d, (int)data->V, (int)data->classes);
    luaL_addvalue(&b);
    struct rhm_missing missing = rhm_dataset_missing(data);
    if (missing.labels > 0 || missing.tokens > 0) {
        lua_pushfstring(L, "\n  missing (?): %I labels, %I of %I tokens", (lua_Integer)missing.labels,
                        (lua_Integer)missing.tokens, (lua_Integer)(data->n * data->d));
        luaL_addvalue(&b);
    }
    for (size_t i = 0; i < data->n && i < SHOWN_STRINGS; i++) {
        lua_pushfstring(L, "\n  %I:", (lua_Integer)i + 1);
        luaL_addvalue(&b);
        for (size_t j = 0; j < data->d && j < SHOWN_TOKENS; j++)
            add_symbol(&b, " ", data->tokens[i * data->d + j]);
        add_symbol(&b, data->d > SHOWN_TOKENS ? " ... -> " : " -> ", data->labels[i]);
    }
    if (data->n > SHOWN_STRINGS)
        luaL_addstring(&b, "\n  ...");
    luaL_pushresult(&b);
    return 1;
}

void rhm_open_dataset(lua_State *L)
{
    static const luaL_Reg methods[] = {{"tokens", dataset_tokens}, {"label", dataset_label},
                                       {"save", dataset_save},     {"split", dataset_split},
                                       {"hide", dataset_hide},     {NULL, NULL}};
    rhm_class_open(L, &(struct rhm_class){.name = RHM_DATASET,
                                          .methods = methods,
                                          .fields = fields,
                                          .field = dataset_field,
                                          .tostring = dataset_tostring,
                                          .gc = dataset_gc,
                                          .len = dataset_length});
}
