/* interrupt.c - the sticky hook (see interrupt.h) and the coroutine functions that carry it. */
#include "script/interrupt.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lualib.h>

#include "script/idle.h"

enum { TICK_MICROSECONDS = 100000 };

static atomic_bool pending;
static lua_State *_Atomic running;
static pthread_t owner;
static int wake_fd = -1;
static bool second_ends;
static bool ticking; /* ticks are wanted, SIGINT or not */

static void stop(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    if (!atomic_load(&pending)) { /* a coroutine that was suspended before its hook could fire */
        lua_sethook(L, NULL, 0, 0);
        return;
    }
    lua_pushliteral(L, RHM_INTERRUPTED);
    lua_error(L);
}

/* LINE as well as COUNT: COUNT alone misses the first instruction after a C function returns. */
static void hook(lua_State *L)
{
    lua_sethook(L, stop, LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

static void on_sigalrm(int signal_number);

static void alarms(bool on, int flags)
{
    struct sigaction action = {.sa_handler = on_sigalrm, .sa_flags = flags};
    sigemptyset(&action.sa_mask);
    if (on)
        sigaction(SIGALRM, &action, NULL);
    struct timeval every = {.tv_usec = on ? TICK_MICROSECONDS : 0};
    setitimer(ITIMER_REAL, &(struct itimerval){.it_interval = every, .it_value = every}, NULL);
}

static void on_sigint(int signal_number)
{
    int saved = errno;
    if (!pthread_equal(pthread_self(), owner)) {
        /* lua_sethook walks the call list, so it must interrupt the thread that changes it */
        pthread_kill(owner, signal_number);
        errno = saved;
        return;
    }
    bool again = atomic_exchange(&pending, true);
    if (again && second_ends) {
        signal(SIGINT, SIG_DFL);
        raise(SIGINT);
    }
    lua_State *L = atomic_load(&running);
    if (L)
        hook(L);
    alarms(true, 0); /* a read that was about to block when SIGINT came is interrupted by one of these */
    if (wake_fd >= 0) {
        ssize_t n = write(wake_fd, "i", 1);
        (void)n;
    }
    errno = saved;
}

static void tick(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    lua_sethook(L, NULL, 0, 0);
    rhm_idle_turn();
    if (atomic_load(&pending)) /* SIGINT came while the turn's own state ran */
        hook(L);
}

static void on_sigalrm(int signal_number)
{
    int saved = errno;
    if (!pthread_equal(pthread_self(), owner)) {
        pthread_kill(owner, signal_number);
    } else if (ticking) {
        lua_State *L = atomic_load(&running);
        if (L && !lua_gethook(L))
            lua_sethook(L, tick, LUA_MASKCOUNT, 1);
    }
    errno = saved;
}

void rhm_interrupt_ticks(bool on)
{
    ticking = on;
    alarms(on, SA_RESTART);
}

void rhm_interrupt_install(int wake, bool final)
{
    owner = pthread_self();
    wake_fd = wake;
    second_ends = final;
    struct sigaction action = {.sa_handler = on_sigint}; /* no SA_RESTART: a blocked io.read comes back */
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
}

bool rhm_interrupt_pending(void)
{
    return atomic_load(&pending);
}

void rhm_interrupt_clear(void)
{
    if (!atomic_exchange(&pending, false))
        return;
    alarms(ticking, SA_RESTART);
    if (atomic_load(&pending)) /* SIGINT came in between */
        alarms(true, 0);
}

void rhm_interrupt_raise(void)
{
    raise(SIGINT);
}

void rhm_interrupt_end(lua_State *L)
{
    if (lua_gethook(L) == stop || lua_gethook(L) == tick)
        lua_sethook(L, NULL, 0, 0);
    rhm_interrupt_clear();
}

lua_State *rhm_interrupt_running(lua_State *L)
{
    lua_State *before = atomic_exchange(&running, L);
    if (L && atomic_load(&pending)) /* SIGINT came while another state ran, or none */
        hook(L);
    return before;
}

/* What follows is lcorolib.c's resume and wrap, with the running state noted. */

static int resume(lua_State *L, lua_State *co, int narg)
{
    if (!lua_checkstack(co, narg)) {
        lua_pushliteral(L, "too many arguments to resume");
        return -1;
    }
    lua_xmove(L, co, narg);
    int nres = 0;
    lua_State *before = rhm_interrupt_running(co);
    int status = lua_resume(co, L, narg, &nres);
    rhm_interrupt_running(before);
    if (status != LUA_OK && status != LUA_YIELD) {
        lua_xmove(co, L, 1);
        return -1;
    }
    if (!lua_checkstack(L, nres + 1)) {
        lua_pop(co, nres);
        lua_pushliteral(L, "too many results to resume");
        return -1;
    }
    lua_xmove(co, L, nres);
    return nres;
}

static lua_State *check_thread(lua_State *L)
{
    lua_State *co = lua_tothread(L, 1);
    luaL_argexpected(L, co, 1, "coroutine");
    return co;
}

static int coroutine_resume(lua_State *L)
{
    lua_State *co = check_thread(L);
    int n = resume(L, co, lua_gettop(L) - 1);
    lua_pushboolean(L, n >= 0);
    if (n < 0)
        n = 1;
    lua_insert(L, -(n + 1));
    return n + 1;
}

static int close_thread(lua_State *co)
{
    lua_State *before = rhm_interrupt_running(co);
    int status = lua_resetthread(co);
    rhm_interrupt_running(before);
    return status;
}

static int wrapped(lua_State *L)
{
    lua_State *co = lua_tothread(L, lua_upvalueindex(1));
    int n = resume(L, co, lua_gettop(L));
    if (n >= 0)
        return n;
    int status = lua_status(co);
    if (status != LUA_OK && status != LUA_YIELD) { /* an error inside: its pending __close run now */
        status = close_thread(co);
        lua_xmove(co, L, 1);
    }
    if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING && !rhm_interrupt_pending()) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

static int coroutine_wrap(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *co = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    lua_pushcclosure(L, wrapped, 1);
    return 1;
}

static int coroutine_close(lua_State *L)
{
    lua_State *co = check_thread(L);
    lua_Debug frame;
    bool suspended = co != L && lua_status(co) == LUA_YIELD;
    bool failed = lua_status(co) != LUA_OK && lua_status(co) != LUA_YIELD;
    bool idle = co != L && lua_status(co) == LUA_OK && !lua_getstack(co, 0, &frame); /* not begun, or ended */
    if (!suspended && !failed && !idle)
        return luaL_error(L, "cannot close a %s coroutine", co == L ? "running" : "normal");
    if (close_thread(co) == LUA_OK) {
        lua_pushboolean(L, 1);
        return 1;
    }
    lua_pushboolean(L, 0);
    lua_xmove(co, L, 1);
    return 2;
}

void rhm_interrupt_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"resume", coroutine_resume}, {"wrap", coroutine_wrap}, {"close", coroutine_close}, {NULL, NULL}};
    lua_getglobal(L, LUA_COLIBNAME);
    luaL_setfuncs(L, functions, 0);
    lua_pop(L, 1);
    lua_pushliteral(
        L, RHM_INTERRUPTED); /* kept, so that pushing it needs no memory: rhm_call does it unprotected */
    lua_setfield(L, LUA_REGISTRYINDEX, "rhm.interrupted");
}
