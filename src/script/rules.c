/* rules.c - rhm.grammar{rules = ...}: a nested table level[l][symbol][k] = {children} becomes a grammar.
 *
 * Raw gets only: no metamethod can change the table between the two passes. */
#include "script/branches.h"
#include "script/objects.h"

struct reader {
    lua_State *L;
    const struct rhm_args *args;
    struct rhm_grammar_shape shape; /* m, and s of a level, from the first rule; V from all */
    size_t count;                   /* children seen */
    uint16_t *rules;                /* second pass: where they go; NULL in the first */
};

/* Where a rule stands, for messages; 1-based, 0: not that deep. */
struct place {
    int level, symbol, rule;
};

static const char *push_place(lua_State *L, struct place at)
{
    if (at.rule)
        return lua_pushfstring(L, "level %d, symbol %d, rule %d", at.level, at.symbol, at.rule);
    if (at.symbol)
        return lua_pushfstring(L, "level %d, symbol %d", at.level, at.symbol);
    return lua_pushfstring(L, "level %d", at.level);
}

/* The value on top must be a table of 1 or more `things`; its length. */
static int list_length(struct reader *r, struct place at, const char *things)
{
    lua_State *L = r->L;
    if (lua_type(L, -1) != LUA_TTABLE) {
        const char *shown = rhm_args_show(L, -1);
        luaL_error(L, "%s: rules: %s: %s where a list of %s is expected", r->args->function,
                   push_place(L, at), shown, things);
    }
    lua_Unsigned n = lua_rawlen(L, -1);
    if (n == 0 || n > RHM_MAX_SYMBOLS)
        luaL_error(L, "%s: rules: %s: %I %s: must be 1 to %d", r->args->function, push_place(L, at),
                   (lua_Integer)n, things, RHM_MAX_SYMBOLS);
    return (int)n;
}

static void read_child(struct reader *r, struct place at, int j)
{
    lua_State *L = r->L;
    int whole = 0;
    lua_Integer child = lua_type(L, -1) == LUA_TNUMBER ? lua_tointegerx(L, -1, &whole) : 0;
    lua_Integer limit = r->rules ? r->shape.V : RHM_MAX_SYMBOLS;
    if (!whole || child < 1 || child > limit) {
        const char *shown = rhm_args_show(L, -1);
        luaL_error(L, "%s: rules: %s: child %d is %s: must be a whole number from 1 to %I", r->args->function,
                   push_place(L, at), j, shown, limit);
    }
    if (r->rules)
        r->rules[r->count] = (uint16_t)(child - 1);
    else if (child > r->shape.V)
        r->shape.V = child;
    r->count++;
}

static void read_rule(struct reader *r, struct place at)
{
    lua_State *L = r->L;
    int s = list_length(r, at, "children");
    int64_t *first = &r->shape.branch[at.level];
    if (*first == 0)
        *first = s;
    if (s != *first)
        luaL_error(
            L, "%s: rules: %s: children: %d, but the first rule of the level has %I: all must have as many",
            r->args->function, push_place(L, at), s, (lua_Integer)*first);
    for (int j = 1; j <= s; j++) {
        lua_rawgeti(L, -1, j);
        read_child(r, at, j);
        lua_pop(L, 1);
    }
}

static void read_symbol(struct reader *r, struct place at)
{
    lua_State *L = r->L;
    int m = list_length(r, at, "rules");
    if (r->shape.m == 0)
        r->shape.m = m;
    if (m != r->shape.m)
        luaL_error(L, "%s: rules: %s: rules: %d, but the first symbol has %I: all must have as many",
                   r->args->function, push_place(L, at), m, (lua_Integer)r->shape.m);
    for (at.rule = 1; at.rule <= m; at.rule++) {
        lua_rawgeti(L, -1, at.rule);
        read_rule(r, at);
        lua_pop(L, 1);
    }
}

static void read_level(struct reader *r, struct place at)
{
    lua_State *L = r->L;
    int symbols = list_length(r, at, "symbols");
    if (!r->rules) {
        if (at.level == 1)
            r->shape.classes = symbols;
        else if (symbols > r->shape.V)
            r->shape.V = symbols;
    } else if (at.level > 1 && symbols != r->shape.V) {
        luaL_error(L, "%s: rules: level %d has rules for %d symbols, V = %I: each symbol needs its own",
                   r->args->function, at.level, symbols, (lua_Integer)r->shape.V);
    }
    for (at.symbol = 1; at.symbol <= symbols; at.symbol++) {
        lua_rawgeti(L, -1, at.symbol);
        read_symbol(r, at);
        lua_pop(L, 1);
    }
}

/* All levels; the table is on top. */
static void read_levels(struct reader *r)
{
    r->count = 0;
    for (int l = 1; l <= (int)r->shape.L; l++) {
        lua_rawgeti(r->L, -1, l);
        read_level(r, (struct place){.level = l});
        lua_pop(r->L, 1);
    }
}

/* A parameter that the rules imply may be given as well, but must then agree. */
static void check_given(struct reader *r, const char *key, int64_t implied)
{
    int64_t given = implied;
    rhm_args_integer(r->args, key, &given);
    if (given != implied)
        luaL_error(r->L, "%s: %s = %I, but the rules have %I", r->args->function, key, (lua_Integer)given,
                   (lua_Integer)implied);
}

static void check_branches(struct reader *r)
{
    unsigned implied[RHM_MAX_LEVELS + 1], given[RHM_MAX_LEVELS + 1], L = (unsigned)r->shape.L;
    int64_t s = 0, branch[RHM_MAX_LEVELS + 1] = {0}, levels = 0;
    if (!rhm_args_branches(r->args, &s, branch, &levels))
        return;
    char a[RHM_BRANCHES_TEXT], b[RHM_BRANCHES_TEXT];
    unsigned given_levels = branch[1] > 0 ? (unsigned)levels : L;
    rhm_branches_set(implied, L, 0, r->shape.branch);
    rhm_branches_set(given, given_levels, s, branch);
    if (!rhm_branches_equal(implied, L, given, given_levels))
        luaL_error(r->L, "%s: s = %s, but the rules have %s", r->args->function,
                   rhm_branches_text(given, given_levels, a), rhm_branches_text(implied, L, b));
}

int rhm_grammar_from_table(lua_State *L, const struct rhm_args *args, struct rhm_grammar *g)
{
    struct reader r = {.L = L, .args = args};
    int top = lua_gettop(L); /* the grammar */
    luaL_checkstack(L, 16, NULL);
    rhm_args_table(args, "rules");
    lua_Unsigned levels = lua_rawlen(L, -1);
    if (levels == 0 || levels > RHM_MAX_LEVELS)
        return luaL_error(L, "%s: rules: %I levels: must be 1 to %d", args->function, (lua_Integer)levels,
                          RHM_MAX_LEVELS);
    r.shape.L = (int64_t)levels;
    read_levels(&r);
    int64_t V = 0;
    rhm_args_integer(args, "V", &V);
    if (V >= 1 && V <= RHM_MAX_SYMBOLS) /* where it does not fit, the second pass names the place */
        r.shape.V = V;
    check_given(&r, "V", r.shape.V);
    check_given(&r, "m", r.shape.m);
    check_branches(&r);
    check_given(&r, "L", r.shape.L);
    check_given(&r, "classes", r.shape.classes);
    check_given(&r, "C", r.shape.classes);
    uint64_t seed;
    if (rhm_args_seed(args, "seed", &seed))
        return luaL_error(L, "%s: rules are given: no seed is needed", args->function);
    r.rules = rhm_push_buffer(L, r.count, sizeof *r.rules);
    lua_insert(L, -2);
    read_levels(&r);
    struct rhm_error err;
    if (rhm_grammar_from_rules(g, &r.shape, r.rules, &err) != RHM_OK)
        return rhm_raise(L, args->function, &err);
    lua_settop(L, top);
    return 1;
}
