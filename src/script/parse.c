/* parse.c - net:parse: what each layer makes of one string. */
#include "engine/chain/parse.h"

#include <string.h>

#include "script/branches.h"
#include "script/objects.h"

#define RHM_PARSE "rhm.parse"

static int parse_gc(lua_State *L)
{
    rhm_parse_clear(luaL_checkudata(L, 1, RHM_PARSE));
    return 0;
}

static struct rhm_parse *push_parse(lua_State *L)
{
    struct rhm_parse *parse = lua_newuserdatauv(L, sizeof *parse, 0);
    memset(parse, 0, sizeof *parse);
    luaL_setmetatable(L, RHM_PARSE);
    return parse;
}

void rhm_open_parse(lua_State *L)
{
    luaL_newmetatable(L, RHM_PARSE);
    lua_pushcfunction(L, parse_gc);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
}

uint16_t *rhm_push_string(lua_State *L, int index, const char *function, const struct rhm_network *net)
{
    size_t d = lua_rawlen(L, index);
    char text[RHM_BRANCHES_TEXT];
    if (d != net->d)
        luaL_error(L, "%s: a string of %I tokens, the network reads %s", function, (lua_Integer)d,
                   rhm_branches_length(net->branch, net->L, net->d, text));
    return rhm_args_symbols(L, index, function, net->V, 0);
}

static void push_node(lua_State *L, const struct rhm_parse *parse, unsigned l, size_t i)
{
    const struct rhm_parse_node *node = &parse->node[l][i];
    lua_createtable(L, 0, 6);
    if (node->code != RHM_NO_CODE)
        rhm_set_integer(L, "code", (uint64_t)node->code + 1);
    if (node->parent != RHM_NO_PARENT)
        rhm_set_integer(L, "parent", (uint64_t)node->parent + 1);
    if (node->truth != RHM_NO_PARENT)
        rhm_set_integer(L, "truth", (uint64_t)node->truth + 1);
    rhm_set_number(L, "p", node->p);
    rhm_set_boolean(L, "unknown", node->unknown);
    lua_createtable(L, (int)parse->width[l], 0);
    for (size_t c = 0; c < parse->width[l]; c++) {
        lua_pushnumber(L, parse->q[l][i * parse->width[l] + c]);
        lua_rawseti(L, -2, (lua_Integer)c + 1);
    }
    lua_setfield(L, -2, "q");
}

int rhm_network_parse_method(lua_State *L)
{
    struct rhm_network *net = rhm_check_network(L, 1);
    if (lua_type(L, 2) != LUA_TTABLE) {
        const char *shown = rhm_args_show(L, 2);
        return luaL_error(L, "network:parse: one string {1, 5, 2, ...} expected, got %s%s", shown,
                          luaL_testudata(L, 2, RHM_DATASET) ? ": d:tokens(i) is one of its strings" : "");
    }
    const uint16_t *tokens = rhm_push_string(L, 2, "network:parse", net);
    struct rhm_parse *parse = push_parse(L);
    struct rhm_error err;
    if (rhm_network_parse(net, tokens, parse, rhm_poll_interrupt, NULL, &err) != RHM_OK)
        return rhm_raise(L, "network:parse", &err);
    lua_createtable(L, 0, 5);
    if (parse->lowest == 1) {
        rhm_set_integer(L, "label", (uint64_t)parse->label + 1);
        rhm_set_number(L, "p", parse->node[1][0].p);
    }
    rhm_push_branches(L, net->branch, net->L);
    lua_setfield(L, -2, "s");
    rhm_push_symbols(L, (size_t)net->d, tokens);
    lua_setfield(L, -2, "tokens");
    lua_createtable(L, (int)parse->L, 0);
    for (unsigned l = parse->lowest; l <= parse->L; l++) {
        lua_createtable(L, (int)parse->n[l], 0);
        for (size_t i = 0; i < parse->n[l]; i++) {
            push_node(L, parse, l, i);
            lua_rawseti(L, -2, (lua_Integer)i + 1);
        }
        lua_rawseti(L, -2, l);
    }
    lua_setfield(L, -2, "levels");
    rhm_parse_set_bayes(L, net, tokens, parse->lowest);
    rhm_parse_clear(parse); /* long trees go at once, not with the collector */
    rhm_set_report(L, "parse");
    return 1;
}
