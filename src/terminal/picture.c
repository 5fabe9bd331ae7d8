/* picture.c - see picture.h. A segment is a string or {text, style="name"}; "A+B" is the colour of A on that
 * of B. */
#include "terminal/picture.h"

#include <string.h>

#include <lauxlib.h>

#include "terminal/display.h"

enum { MOST_STYLES = 64, LONGEST_NAME = 16 };

static struct {
    char name[LONGEST_NAME];
    size_t n;
    struct rhm_cell_style style;
} palette[MOST_STYLES];
static size_t styles;

static const struct rhm_cell_style plain = {.fg = -1, .bg = -1};

/* --- the palette
 * --------------------------------------------------------------------------------------------- */

static short colour(lua_State *L, const char *field)
{
    lua_getfield(L, -1, field);
    short c = lua_isinteger(L, -1) ? (short)lua_tointeger(L, -1) : -1;
    lua_pop(L, 1);
    return c < -1 || c > 255 ? -1 : c;
}

static unsigned char flag(lua_State *L, const char *field)
{
    lua_getfield(L, -1, field);
    unsigned char set = (unsigned char)lua_toboolean(L, -1);
    lua_pop(L, 1);
    return set;
}

void rhm_picture_open(lua_State *L, int colours)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "rhm.view");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "palette");
    lua_pushinteger(L, colours);
    lua_call(L, 1, 1);
    luaL_checktype(L, -1, LUA_TTABLE);
    styles = 0;
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        size_t n = 0;
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tolstring(L, -2, &n) : NULL;
        if (name && n < LONGEST_NAME && styles < MOST_STYLES && lua_istable(L, -1)) {
            memcpy(palette[styles].name, name, n + 1);
            palette[styles].n = n;
            palette[styles++].style = (struct rhm_cell_style){.fg = colour(L, "fg"),
                                                              .bg = colour(L, "bg"),
                                                              .bold = flag(L, "bold"),
                                                              .dim = flag(L, "dim"),
                                                              .italic = flag(L, "italic"),
                                                              .underline = flag(L, "underline"),
                                                              .reverse = flag(L, "reverse")};
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
}

static struct rhm_cell_style find(const char *name, size_t n)
{
    for (size_t i = 0; i < styles; i++)
        if (palette[i].n == n && memcmp(palette[i].name, name, n) == 0)
            return palette[i].style;
    return plain;
}

static struct rhm_cell_style style_of(const char *name, size_t n)
{
    const char *plus = memchr(name, '+', n);
    if (!plus)
        return find(name, n);
    struct rhm_cell_style style = find(name, (size_t)(plus - name));
    style.bg = find(plus + 1, n - (size_t)(plus + 1 - name)).fg;
    return style;
}

/* --- lines
 * ----------------------------------------------------------------------------------------------------- */

/* Draws the segment on top of the stack; returns the columns it took. */
static int segment(lua_State *L, int row, int column, int columns)
{
    struct rhm_cell_style style = plain;
    int top = lua_gettop(L), used = 0;
    size_t n;
    if (lua_istable(L, -1)) {
        const char *name;
        lua_getfield(L, -1, "style");
        if (lua_type(L, -1) == LUA_TSTRING && (name = lua_tolstring(L, -1, &n)))
            style = style_of(name, n);
        lua_rawgeti(L, top, 1);
    }
    if (lua_type(L, -1) == LUA_TSTRING) {
        const char *text = lua_tolstring(L, -1, &n);
        rhm_display_style(&style);
        used = rhm_display_text(row, column, text, n, columns);
    }
    lua_settop(L, top);
    return used;
}

void rhm_picture_line(lua_State *L, int index, int row, int columns)
{
    index = lua_absindex(L, index);
    luaL_checkstack(L, 4, NULL);
    int column = 0;
    if (lua_type(L, index) == LUA_TSTRING) {
        lua_pushvalue(L, index);
        column = segment(L, row, 0, columns);
        lua_pop(L, 1);
    } else if (lua_istable(L, index)) {
        lua_Integer n = (lua_Integer)lua_rawlen(L, index);
        for (lua_Integer i = 1; i <= n && column < columns; i++) {
            lua_rawgeti(L, index, i);
            column += segment(L, row, column, columns - column);
            lua_pop(L, 1);
        }
    }
    rhm_display_blank(row, column);
}
