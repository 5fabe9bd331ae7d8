/* panel_state.c - see panel_state.h. */
#include "terminal/panel_state.h"

#include <stdio.h>

#include <lauxlib.h>

#include "script/call.h"
#include "script/interrupt.h"
#include "terminal/guard.h"
#include "terminal/keys.h"

struct rhm_panel rhm_panel = {.answer = LUA_NOREF};

void rhm_panel_mark(int dirty)
{
    rhm_panel.dirty |= dirty;
}

void rhm_panel_mark_urgent(int dirty)
{
    rhm_panel.dirty |= dirty;
    rhm_panel.urgent = true;
    if (dirty & RHM_DIRTY_VIEW)
        rhm_panel.next_view = 0;
}

void rhm_panel_focus(bool on)
{
    rhm_panel.focused = on;
    rhm_keys_focus(on);
    rhm_panel_mark_urgent(RHM_DIRTY_ALL);
}

bool rhm_panel_protect(lua_CFunction function, void *argument)
{
    lua_State *L = rhm_panel.ui;
    int top = lua_gettop(L);
    lua_pushcfunction(L, function);
    lua_pushlightuserdata(L, argument);
    bool before = rhm_guard_prompt(false); /* a view that hangs must not keep SIGTERM away */
    int status = rhm_call(L, 1, 0);
    rhm_guard_prompt(before);
    if (status != LUA_OK && status != RHM_CALL_INTERRUPTED && !rhm_interrupt_pending()) {
        const char *message = lua_tostring(L, -1);
        fprintf(stderr, "error: %s\n", message ? message : "(an error without a message)");
    }
    lua_settop(L, top);
    return status == LUA_OK;
}

void rhm_panel_push(lua_State *L, const char *name)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "rhm.panel");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
}
