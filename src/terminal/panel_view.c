/* panel_view.c - the views, their keys and hooks: protected calls of lua/rhm/panel.lua on the panel's own Lua
 * thread. */
#include <stdio.h>

#include <lauxlib.h>

#include "engine/base/monitor.h"
#include "script/interrupt.h"
#include "script/jobs.h"
#include "terminal/display.h"
#include "terminal/panel_state.h"
#include "terminal/picture.h"

#define LONG 0.3 /* seconds of a frame */

enum { MOST_COMMANDS = 4 }; /* of keys that wait for the command in work */

static int lua_open(lua_State *L)
{
    rhm_picture_open(L, rhm_display_colours());
    rhm_panel_push(L, "opened");
    lua_pushboolean(L, 1);
    lua_call(L, 1, 0);
    rhm_panel_open_input(L);
    return 0;
}

static int lua_show(lua_State *L)
{
    rhm_panel_push(L, "show");
    lua_pushstring(L, lua_touserdata(L, 1));
    lua_call(L, 1, 0);
    return 0;
}

static void draw_one(lua_State *L, const char *function, int row)
{
    rhm_panel_push(L, function);
    lua_pushinteger(L, rhm_panel.layout.columns);
    lua_call(L, 1, 1);
    rhm_picture_line(L, -1, row, rhm_panel.layout.columns);
    lua_pop(L, 1);
}

static int lua_draw(lua_State *L)
{
    const struct rhm_layout *at = &rhm_panel.layout;
    if (at->view_rows > 0) {
        rhm_panel_push(L, "frame");
        lua_pushinteger(L, at->columns);
        lua_pushinteger(L, at->view_rows);
        lua_call(L, 2, 1);
        bool list = lua_istable(L, -1);
        for (int i = 0; i < at->view_rows; i++) {
            if (list)
                lua_rawgeti(L, -1, i + 1);
            else
                lua_pushnil(L);
            rhm_picture_line(L, -1, at->view + i, at->columns);
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
    if (at->title)
        draw_one(L, "title", 0);
    if (at->status_rows)
        draw_one(L, "status", at->status);
    rhm_panel_push(L, "message"); /* what went wrong in a view, once */
    lua_call(L, 0, 1);
    if (lua_type(L, -1) == LUA_TSTRING)
        fprintf(stderr, "error: %s\n", lua_tostring(L, -1));
    return 0;
}

static int lua_jobs_turn(lua_State *L)
{
    lua_settop(L, 0);
    rhm_jobs_turn(L);
    return 0;
}

static int lua_key(lua_State *L)
{
    rhm_panel_push(L, "key");
    lua_pushstring(L, lua_touserdata(L, 1));
    lua_call(L, 1, 1);
    if (lua_type(L, -1) == LUA_TSTRING) {
        if (rhm_panel_lines() < MOST_COMMANDS)
            rhm_panel_push_line(lua_tostring(L, -1), false);
        else
            rhm_display_beep(); /* a key held down must not run on for ever */
    } else if (lua_istable(L, -1)) {
        lua_getfield(L, -1, "ask");
        lua_getfield(L, -2, "call");
        if (lua_type(L, -2) == LUA_TSTRING && lua_isfunction(L, -1)) {
            const char *text = lua_tostring(L, -2); /* first: luaL_ref pops */
            rhm_panel_ask(RHM_QUESTION_VIEW, text, luaL_ref(L, LUA_REGISTRYINDEX));
        }
    } else if (!lua_toboolean(L, -1)) {
        rhm_display_beep();
    }
    return 0;
}

bool rhm_panel_open_views(void)
{
    return rhm_panel_protect(lua_open, NULL);
}

void rhm_panel_show(const char *view)
{
    rhm_panel_protect(lua_show, (void *)view);
}

void rhm_panel_key(const char *key)
{
    rhm_panel_protect(lua_key, (void *)key);
}

static int lua_interrupted(lua_State *L)
{
    rhm_panel_push(L, "interrupted");
    lua_call(L, 0, 0);
    return 0;
}

/* Ctrl-C ends a view that takes for ever, and the view with it: the next frame would hang again. In a short
 * frame it meant the command in work. */
void rhm_panel_draw_view(void)
{
    double start = rhm_clock();
    if (rhm_panel_protect(lua_draw, NULL) || rhm_clock() - start < LONG)
        return;
    bool busy = rhm_interrupt_pending(); /* goes on to the command */
    rhm_interrupt_clear();
    rhm_panel_protect(lua_interrupted, NULL);
    rhm_panel_protect(lua_draw, NULL);
    if (busy)
        rhm_interrupt_raise();
}

void rhm_panel_turn_jobs(void)
{
    rhm_panel_protect(lua_jobs_turn, NULL);
}
