/* branching.c - rhm.infer_branching: a data set's tree, as a table that prints itself. */
#include "script/branching.h"

#include <string.h>

#include "script/branches.h"
#include "script/objects.h"

static const char *const by_names[] = {[RHM_BRANCHING_BY_NOTHING] = "nothing",
                                       [RHM_BRANCHING_BY_TOKENS] = "tokens",
                                       [RHM_BRANCHING_BY_LABELS] = "labels",
                                       [RHM_BRANCHING_BY_ARITHMETIC] = "arithmetic",
                                       [RHM_BRANCHING_BY_ASSUMPTION] = "assumption"};
static const char *const reasons[] = {
    [RHM_BRANCHING_FOUND] = "found",       [RHM_BRANCHING_INDEPENDENT] = "independent",
    [RHM_BRANCHING_NO_ORDER] = "no order", [RHM_BRANCHING_NO_BORDER] = "no border",
    [RHM_BRANCHING_UNSURE] = "unsure",     [RHM_BRANCHING_TOO_MANY] = "too many",
    [RHM_BRANCHING_COMPOSED] = "composed"};

static void push_candidates(lua_State *L, const struct rhm_branching_level *level)
{
    lua_createtable(L, (int)level->candidates, 0);
    for (size_t k = 0; k < level->candidates; k++) {
        const struct rhm_branching_candidate *c = &level->candidate[k];
        lua_createtable(L, 0, 6);
        rhm_set_integer(L, "s", c->s);
        rhm_set_number(L, "score", c->score);
        rhm_set_number(L, "within", c->within);
        rhm_set_number(L, "border", c->border);
        rhm_set_number(L, "coherence", c->coherence);
        rhm_set_number(L, "passes", c->passes);
        lua_rawseti(L, -2, (lua_Integer)k + 1);
    }
}

static void push_level(lua_State *L, const struct rhm_branching_level *level)
{
    lua_createtable(L, 0, 8);
    if (level->s > 0)
        rhm_set_integer(L, "s", level->s);
    rhm_set_string(L, "by", by_names[level->by]);
    rhm_set_string(L, "reason", reasons[level->reason]);
    rhm_set_integer(L, "places", level->places);
    if (level->codes > 0)
        rhm_set_integer(L, "codes", level->codes);
    rhm_set_number(L, "z", level->z);
    rhm_set_number(L, "confidence", level->confidence);
    push_candidates(L, level);
    lua_setfield(L, -2, "candidates");
}

/* Infers into memory of Lua's, which it pushes: errors may jump over the caller. */
static struct rhm_branching infer(lua_State *L, const char *function, const struct rhm_dataset *data,
                                  uint64_t seed)
{
    struct rhm_branching b;
    struct rhm_error err;
    struct rhm_branching_level *kept = rhm_push_buffer(L, RHM_MAX_LEVELS + 1, sizeof *kept);
    if (rhm_branching_infer(data, seed, &b, rhm_poll_interrupt, NULL, &err) != RHM_OK)
        rhm_raise(L, function, &err);
    memcpy(kept, b.level, b.looked_at * sizeof *kept);
    rhm_branching_clear(&(struct rhm_branching){.level = b.level});
    b.level = kept;
    return b;
}

int rhm_script_infer_branching(lua_State *L)
{
    static const char where[] = "rhm.infer_branching";
    static const char *const keys[] = {"n", "seed", NULL};
    const struct rhm_dataset *whole = rhm_test_dataset(L, 1);
    if (!whole)
        return luaL_error(L, "%s: a data set expected, got %s", where, rhm_args_show(L, 1));
    lua_settop(L, 2);
    struct rhm_args args = rhm_args_open_optional(L, 2, where, keys);
    struct rhm_dataset data = *whole;
    uint64_t n = data.n, seed = 0;
    rhm_args_count(&args, "n", &n);
    rhm_args_seed(&args, "seed", &seed);
    if (n > data.n)
        return luaL_error(L, "%s: n = %I: the data set has %I strings", where, (lua_Integer)n,
                          (lua_Integer)data.n);
    data.n = (size_t)n;
    rhm_push_branching(L, where, &data, seed);
    return 1;
}

struct rhm_branching rhm_push_branching(lua_State *L, const char *function, const struct rhm_dataset *data,
                                        uint64_t seed)
{
    struct rhm_branching b = infer(L, function, data, seed);
    unsigned sure = b.established;
    lua_createtable(L, 0, 8);
    rhm_set_integer(L, "d", b.d);
    rhm_set_integer(L, "n", data->n);
    if (b.L > 0) {
        rhm_set_integer(L, "L", b.L);
        rhm_push_branches(L, b.branch, b.L);
        lua_setfield(L, -2, "s");
    }
    rhm_set_integer(L, "established", sure);
    rhm_set_boolean(L, "confident", b.L > 0 && sure == b.L && b.confidence >= RHM_BRANCHING_CONFIDENT);
    rhm_set_number(L, "confidence", b.confidence);
    lua_createtable(L, (int)b.looked_at, 0);
    for (unsigned k = 0; k < b.looked_at; k++) {
        push_level(L, &b.level[k]);
        lua_rawseti(L, -2, (lua_Integer)k + 1);
    }
    lua_setfield(L, -2, "levels");
    rhm_set_report(L, "branching");
    lua_remove(L, -2); /* the levels */
    b.level = NULL;
    return b;
}
