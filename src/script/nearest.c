/* nearest.c - see nearest.h. */
#include "script/nearest.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include <lauxlib.h>

enum { LONGEST = 32 };

static int same_letter(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t rhm_word_distance(const char *a, const char *b)
{
    size_t d[LONGEST + 1][LONGEST + 1], m = strlen(a), n = strlen(b);
    if (m > LONGEST || n > LONGEST)
        return SIZE_MAX;
    for (size_t i = 0; i <= m; i++)
        for (size_t j = 0; j <= n; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            d[i][j] = least(d[i - 1][j - 1] + !same_letter(a[i - 1], b[j - 1]),
                            least(d[i - 1][j], d[i][j - 1]) + 1);
            if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) && same_letter(a[i - 2], b[j - 1]))
                d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[m][n];
}

/* What must be nearer than this: one letter in three may be wrong. */
static size_t limit_of(const char *word)
{
    return strlen(word) / 3 + 1;
}

const char *rhm_nearest_word(const char *word, const char *const *words)
{
    const char *nearest = NULL;
    size_t best = limit_of(word);
    for (int i = 0; words[i]; i++) {
        size_t d = rhm_word_distance(word, words[i]);
        if (d < best) {
            best = d;
            nearest = words[i];
        }
    }
    return nearest;
}

/* --- for Lua ------------------------------------------------------------------------------------------ */

static int lua_distance(lua_State *L)
{
    size_t d = rhm_word_distance(luaL_checkstring(L, 1), luaL_checkstring(L, 2));
    lua_pushnumber(L, d == SIZE_MAX ? HUGE_VAL : (lua_Number)d);
    return 1;
}

static int lua_word(lua_State *L)
{
    const char *word = luaL_checkstring(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    size_t best = limit_of(word);
    lua_pushnil(L);
    for (lua_Integer i = 1; lua_rawgeti(L, 2, i) == LUA_TSTRING; i++) {
        size_t d = rhm_word_distance(word, lua_tostring(L, -1));
        if (d < best) {
            best = d;
            lua_replace(L, -2);
        } else {
            lua_pop(L, 1);
        }
    }
    lua_pop(L, 1);
    return 1;
}

static int open_module(lua_State *L)
{
    static const luaL_Reg functions[] = {{"distance", lua_distance}, {"word", lua_word}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}

void rhm_nearest_open(lua_State *L)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushcfunction(L, open_module);
    lua_setfield(L, -2, "rhm.nearest");
    lua_pop(L, 1);
}
