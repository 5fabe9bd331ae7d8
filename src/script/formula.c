/* formula.c - rhm.formula: trees of Boolean gates. */
#include "engine/grammar/formula.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "script/nearest.h"
#include "script/objects.h"
#include "script/source.h"

static struct rhm_formula *check_formula(lua_State *L)
{
    return rhm_class_check(L, 1, RHM_FORMULA);
}

struct rhm_formula *rhm_test_formula(lua_State *L, int index)
{
    return luaL_testudata(L, index, RHM_FORMULA);
}

static int formula_gc(lua_State *L)
{
    rhm_formula_clear(check_formula(L));
    return 0;
}

/* --- gates= ------------------------------------------------------------------------------------------- */

/* The gates as one text: levels apart by blanks, nodes of a level by commas; "and/or" alternates. */
struct spec {
    lua_State *L;
    const char *function;
    unsigned s, levels;
    uint64_t seed;
    int by_node; /* random gates: each node its own */
    uint64_t *gate;
};

static int fail_gate(const struct spec *spec, const char *name, unsigned l)
{
    static const char *const names[] = {"and",  "or",    "xor",    "nand",     "nor",
                                        "xnor", "first", "random", "literals", NULL};
    const char *nearest = rhm_nearest_word(name, names);
    lua_pushstring(spec->L, name);
    const char *shown = rhm_args_show(spec->L, -1);
    if (nearest)
        return luaL_error(spec->L, "%s: gate %s of level %d: did you mean '%s'?", spec->function, shown,
                          (int)l, nearest);
    return luaL_error(spec->L,
                      "%s: gate %s of level %d: must be and, or, xor, nand, nor, xnor, first, random, "
                      "literals, or a table of 2^s = %d digits 0 and 1",
                      spec->function, shown, (int)l, 1 << spec->s);
}

/* The gate of a name at a node, `number` in the order of all. */
static uint64_t gate_of(const struct spec *spec, const char *name, unsigned l, size_t number)
{
    uint64_t table = 0;
    if (strcmp(name, "random") == 0)
        return rhm_gate_random(RHM_GATE_ANY, spec->s, spec->seed, number);
    if (strcmp(name, "literals") == 0)
        return rhm_gate_random(RHM_GATE_LITERALS, spec->s, spec->seed, number);
    if (!rhm_gate_parse(name, spec->s, &table))
        fail_gate(spec, name, l);
    return table;
}

/* The next word of *at, up to one of `ends`, copied to Lua's memory; NULL where there is none. */
static const char *next_word(lua_State *L, const char **at, const char *ends)
{
    *at += strspn(*at, ends);
    size_t length = strcspn(*at, ends);
    const char *word = length ? lua_pushlstring(L, *at, length) : NULL;
    *at += length;
    return word;
}

static int count_words(const char *text, const char *ends)
{
    int n = 0;
    for (text += strspn(text, ends); *text; text += strspn(text, ends), n++)
        text += strcspn(text, ends);
    return n;
}

/* One level's word: a name for all of its nodes, names that alternate from level to level, one a node. */
static void read_level(const struct spec *spec, const char *word, unsigned l, size_t first)
{
    lua_State *L = spec->L;
    size_t nodes = (size_t)rhm_power(spec->s, l - 1);
    int names = count_words(word, ","), top = lua_gettop(L);
    if (names > 1 && (size_t)names != nodes)
        luaL_error(L, "%s: level %d has %d gates: must be one, or one for each of its s^(l-1) = %I nodes",
                   spec->function, (int)l, names, (lua_Integer)nodes);
    if (names > 1) {
        for (size_t i = 0; i < nodes; i++, lua_settop(L, top))
            spec->gate[first + i] = gate_of(spec, next_word(L, &word, ","), l, first + i);
        return;
    }
    int turn = (int)(l - 1) % count_words(word, "/,");
    const char *name = NULL;
    for (int k = 0; k <= turn; k++)
        name = next_word(L, &word, "/,");
    for (size_t i = 0; i < nodes; i++)
        spec->gate[first + i] =
            i == 0 || spec->by_node ? gate_of(spec, name, l, first + i) : spec->gate[first];
    lua_settop(L, top);
}

static void read_gates(const struct spec *spec, const char *text)
{
    static const char blanks[] = " \t\n";
    lua_State *L = spec->L;
    int words = count_words(text, blanks);
    if (words != 1 && words != (int)spec->levels)
        luaL_error(L, "%s: gates of %d levels: must be one for all, or one for each of L = %d levels",
                   spec->function, words, (int)spec->levels);
    const char *at = text, *word = NULL;
    size_t first = 0;
    for (unsigned l = 1; l <= spec->levels; l++) {
        if (l == 1 || words > 1)
            word = next_word(L, &at, blanks);
        if (count_words(word, "/,") == 0)
            luaL_error(L, "%s: gates of level %d: there is no name in '%s'", spec->function, (int)l, word);
        read_level(spec, word, l, first);
        first += (size_t)rhm_power(spec->s, l - 1);
    }
}

/* The list of names on top becomes "and,or,and"; l is its level. */
static void join_names(lua_State *L, const char *function, lua_Integer l)
{
    int list = lua_gettop(L), names = (int)lua_rawlen(L, list);
    for (int i = 1; i <= names; i++) {
        lua_pushstring(L, i > 1 ? "," : "");
        if (lua_rawgeti(L, list, i) != LUA_TSTRING) {
            const char *shown = rhm_args_show(L, -1);
            luaL_error(L, "%s: gates[%I][%d] = %s: must be a name", function, l, i, shown);
        }
        lua_concat(L, i > 1 ? 3 : 2); /* what there is, the comma, the name */
    }
    lua_remove(L, list);
}

/* Pushes gates = "and or", {"and", "or"} or {{"and"}, {"or", "and"}} as the one text. */
static const char *push_text(lua_State *L, const struct rhm_args *args)
{
    int type = rhm_args_push(args, "gates"), table = lua_gettop(L);
    if (type == LUA_TSTRING)
        return lua_tostring(L, -1);
    lua_Integer levels = type == LUA_TTABLE ? (lua_Integer)lua_rawlen(L, table) : 0;
    if (levels == 0) {
        const char *shown = rhm_args_show(L, -1);
        luaL_error(L,
                   "%s: gates = %s: must be a name, or a list with a name or a list of names for each level",
                   args->function, shown);
    }
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (lua_Integer l = 1; l <= levels; l++) {
        luaL_addstring(&b, l > 1 ? " " : "");
        type = lua_rawgeti(L, table, l);
        if (type == LUA_TTABLE && lua_rawlen(L, -1) > 0) {
            join_names(L, args->function, l);
        } else if (type != LUA_TSTRING) {
            const char *shown = rhm_args_show(L, -1);
            luaL_error(L, "%s: gates[%I] = %s: must be a name or a list of names", args->function, l, shown);
        }
        luaL_addvalue(&b);
    }
    luaL_pushresult(&b);
    return lua_tostring(L, -1);
}

int rhm_script_formula(lua_State *L)
{
    static const char *const keys[] = {"gates", "L", "s", "per", "balanced", "seed", NULL};
    static const char *const per[] = {"level", "node", NULL};
    struct rhm_args args = rhm_args_open(L, 1, "rhm.formula", keys);
    lua_settop(L, 1);
    int64_t s = 2, levels = 0;
    int by_node = 0, balanced = 0;
    struct spec spec = {.L = L, .function = args.function};
    struct rhm_error err;
    rhm_args_require(&args, "L", rhm_args_integer(&args, "L", &levels));
    rhm_args_integer(&args, "s", &s);
    rhm_args_choice(&args, "per", per, &by_node);
    rhm_args_boolean(&args, "balanced", &balanced);
    rhm_args_seed(&args, "seed", &spec.seed);
    if (rhm_formula_check(s, levels, &err) != RHM_OK)
        return rhm_raise(L, args.function, &err);
    spec.s = (unsigned)s;
    spec.levels = (unsigned)levels;
    spec.by_node = by_node;
    rhm_args_require(&args, "gates", rhm_args_push(&args, "gates") != LUA_TNIL);
    const char *text = push_text(L, &args);
    size_t nodes = ((size_t)rhm_power(spec.s, spec.levels) - 1) / (spec.s - 1);
    spec.gate = rhm_push_buffer(L, nodes, sizeof *spec.gate);
    read_gates(&spec, text);
    struct rhm_formula *f = lua_newuserdatauv(L, sizeof *f, 1);
    memset(f, 0, sizeof *f);
    luaL_setmetatable(L, RHM_FORMULA);
    if (rhm_formula_init(f, spec.s, spec.levels, spec.gate, balanced, &err) != RHM_OK)
        return rhm_raise(L, args.function, &err);
    lua_pushinteger(L, (lua_Integer)spec.seed);
    lua_setiuservalue(L, -2, 1);
    return 1;
}

/* Pushes the gates as a text that makes them again. */
static void push_gates(lua_State *L, const struct rhm_formula *f)
{
    char name[(1 << RHM_FORMULA_INPUTS) + 1];
    luaL_Buffer b;
    int one = 1; /* the same gate everywhere */
    for (size_t i = 0; i < f->nodes; i++)
        one = one && f->gate[i] == f->gate[0];
    luaL_buffinit(L, &b);
    for (unsigned l = 1; l <= (one ? 1 : f->L); l++) {
        size_t shown = rhm_formula_shared(f, l) ? 1 : (size_t)rhm_power(f->s, l - 1);
        for (size_t i = 0; i < shown; i++) {
            luaL_addstring(&b, i > 0 ? "," : l > 1 ? " " : "");
            luaL_addstring(&b, rhm_gate_write(rhm_formula_gate(f, l, i), f->s, name));
        }
    }
    luaL_pushresult(&b);
}

/* --- methods ------------------------------------------------------------------------------------------ */

/* Level at index 2 from `lowest`, place at index 3 (1 unless given) among s^(l - above); 0-based. */
static unsigned read_place(lua_State *L, const char *function, const struct rhm_formula *f, unsigned lowest,
                           unsigned above, uint64_t *place)
{
    unsigned l = (unsigned)rhm_args_whole(L, 2, function, "level", lowest, f->L);
    lua_Integer places = (lua_Integer)rhm_power(f->s, l - above);
    *place = lua_isnoneornil(L, 3) ? 0 : (uint64_t)rhm_args_whole(L, 3, function, "place", 1, places) - 1;
    return l;
}

static int formula_gate(lua_State *L)
{
    struct rhm_formula *f = check_formula(L);
    uint64_t i;
    unsigned l = read_place(L, "formula:gate", f, 1, 1, &i);
    char name[(1 << RHM_FORMULA_INPUTS) + 1];
    lua_pushstring(L, rhm_gate_write(rhm_formula_gate(f, l, i), f->s, name));
    return 1;
}

static int formula_polynomial(lua_State *L)
{
    struct rhm_formula *f = check_formula(L);
    uint64_t i;
    unsigned l = read_place(L, "formula:polynomial", f, 1, 1, &i);
    double c[1 << RHM_FORMULA_INPUTS];
    rhm_gate_polynomial(rhm_formula_gate(f, l, i), f->s, c);
    lua_newtable(L);
    for (unsigned set = 0; set < 1u << f->s; set++) {
        char name[4 * RHM_FORMULA_INPUTS] = "1";
        size_t used = 0;
        for (unsigned j = 0; j < f->s; j++)
            if (set >> j & 1)
                used += (size_t)snprintf(name + used, sizeof name - used, "%sx%u", used ? " " : "", j + 1);
        if (c[set] != 0)
            rhm_set_number(L, name, c[set]);
    }
    return 1;
}

static int formula_q(lua_State *L)
{
    struct rhm_formula *f = check_formula(L);
    uint64_t i;
    unsigned l = read_place(L, "formula:q", f, 1, 1, &i);
    struct rhm_error err;
    if (rhm_formula_q(f, l, i, rhm_push_matrix(L), NULL, &err) != RHM_OK)
        return rhm_raise(L, "formula:q", &err);
    return 1;
}

static int formula_gap(lua_State *L)
{
    struct rhm_formula *f = check_formula(L);
    uint64_t i;
    unsigned l = read_place(L, "formula:gap", f, 1, 1, &i);
    lua_pushnumber(L, rhm_formula_gap(f, l, i));
    return 1;
}

static int formula_correlation(lua_State *L)
{
    struct rhm_formula *f = check_formula(L);
    uint64_t i;
    unsigned l = read_place(L, "formula:correlation", f, 0, 0, &i);
    double r = rhm_formula_correlation(f, l, i);
    if (isnan(r))
        return 0;
    lua_pushnumber(L, r + 0); /* no -0 */
    return 1;
}

static int formula_probability(lua_State *L)
{
    struct rhm_formula *f = check_formula(L);
    uint64_t i = 0;
    unsigned l = lua_isnoneornil(L, 2) ? 0 : read_place(L, "formula:probability", f, 0, 0, &i);
    double joint[2][2];
    rhm_formula_joint(f, l, i, joint);
    lua_pushnumber(L, joint[1][0] + joint[1][1]);
    return 1;
}

static int formula_value(lua_State *L)
{
    struct rhm_formula *f = check_formula(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    if (lua_rawlen(L, 2) != f->d)
        return luaL_error(L, "formula:value: %I tokens, a string has %I", (lua_Integer)lua_rawlen(L, 2),
                          (lua_Integer)f->d);
    lua_pushinteger(L, rhm_formula_value(f, rhm_args_symbols(L, 2, "formula:value", 2, 0)) + 1);
    return 1;
}

static int formula_sample(lua_State *L)
{
    static const char *const keys[] = {"n", "seed", NULL};
    check_formula(L);
    struct rhm_args args = rhm_args_open(L, 2, "formula:sample", keys);
    uint64_t n = 0, seed = 0;
    rhm_args_require(&args, "n", rhm_args_count(&args, "n", &n));
    rhm_args_seed(&args, "seed", &seed);
    rhm_source_draw(L, 1, args.function, n, seed);
    return 1;
}

/* --- the class ---------------------------------------------------------------------------------------- */

enum { FIELD_V, FIELD_s, FIELD_L, FIELD_d, FIELD_classes, FIELD_C, FIELD_gates, FIELD_balanced, FIELD_seed };
static const char *const fields[] = {"V", "s", "L", "d", "classes", "C", "gates", "balanced", "seed", NULL};

static int formula_field(lua_State *L)
{
    struct rhm_formula *f = check_formula(L);
    switch (rhm_class_field(L, fields)) {
    case FIELD_V:
    case FIELD_classes:
    case FIELD_C:
        return lua_pushinteger(L, 2), 1;
    case FIELD_s:
        return lua_pushinteger(L, f->s), 1;
    case FIELD_L:
        return lua_pushinteger(L, f->L), 1;
    case FIELD_d:
        return lua_pushinteger(L, (lua_Integer)f->d), 1;
    case FIELD_gates:
        return push_gates(L, f), 1;
    case FIELD_balanced:
        return lua_pushboolean(L, f->balanced), 1;
    case FIELD_seed:
        return lua_getiuservalue(L, 1, 1), 1;
    default:
        return 0;
    }
}

static int formula_tostring(lua_State *L)
{
    enum { WIDE = 60 };
    struct rhm_formula *f = check_formula(L);
    char text[200];
    push_gates(L, f);
    const char *gates = lua_tostring(L, -1);
    if (strlen(gates) > WIDE)
        gates = lua_pushfstring(L, "%d of several kinds", (int)f->nodes);
    snprintf(text, sizeof text, "P[label 2] = %.4g%s", rhm_formula_label(f, 1),
             f->balanced ? ", inputs given the label" : "");
    lua_pushfstring(L,
                    "formula: s = %d inputs a gate, L = %d levels, d = %I tokens, V = 2, 2 classes\n"
                    "         gates: %s\n         %s",
                    (int)f->s, (int)f->L, (lua_Integer)f->d, gates, text);
    return 1;
}

void rhm_open_formula(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"gate", formula_gate},   {"polynomial", formula_polynomial},   {"q", formula_q},
        {"gap", formula_gap},     {"correlation", formula_correlation}, {"probability", formula_probability},
        {"value", formula_value}, {"sample", formula_sample},           {NULL, NULL}};
    rhm_class_open(L, &(struct rhm_class){.name = RHM_FORMULA,
                                          .methods = methods,
                                          .fields = fields,
                                          .field = formula_field,
                                          .tostring = formula_tostring,
                                          .gc = formula_gc});
}
