/* interrupt.h - Ctrl-C: how running Lua code and long engine calls are stopped.
 *
 * SIGINT sets a flag and, while the gate (call.h) runs user code, a hook on the running Lua state that raises
 * the string "interrupted" at the next instruction. The hook stays until the gate has returned, so that
 * neither pcall nor a coroutine swallows it. A hook cannot enter C: long C calls ask rhm_interrupt_pending()
 * well under 100 ms apart and return with luaL_error(L, RHM_INTERRUPTED) or, as a job does, pause. A system
 * call that blocks (io.read) ends with EINTR; where SIGINT came just before it, at a SIGALRM that follows:
 * these come ten times a second until the interrupt has been dealt with.
 */
#ifndef RHM_INTERRUPT_H
#define RHM_INTERRUPT_H

#include <stdbool.h>

#include <lua.h>

#define RHM_INTERRUPTED "interrupted"

/* Installs the SIGINT handler; the calling thread is the one that runs Lua. wake: a descriptor that gets one
 * byte for each SIGINT (the shell's self-pipe), or -1. final: a second SIGINT while one is pending ends the
 * program. */
void rhm_interrupt_install(int wake, bool final);

/* True from SIGINT until it has been dealt with. Any thread may ask; pthreads and OpenMP workers may poll it.
 */
bool rhm_interrupt_pending(void);

void rhm_interrupt_clear(void);

/* As if SIGINT had come. */
void rhm_interrupt_raise(void);

/* The same at the end of a call on L, whose hook goes if it is ours. */
void rhm_interrupt_end(lua_State *L);

/* The gate says which state runs user code (NULL: none). Returns the one before. */
lua_State *rhm_interrupt_running(lua_State *L);

/* Ticks: while on, some ten times a second, the running Lua state is left for a moment and rhm_idle_turn
 * called, so that a screen lives while user code computes or prints. Not where the user has a hook of his
 * own. */
void rhm_interrupt_ticks(bool on);

/* Replaces coroutine.resume, wrap and close by equals that keep the running state known. */
void rhm_interrupt_open(lua_State *L);

#endif
