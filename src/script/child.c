/* child.c - see child.h. The child's side, and what the parent asks the system. */
#define _GNU_SOURCE /* CPU_COUNT */
#include "script/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <lauxlib.h>

#include "script/crew.h"
#include "script/screen.h"

/* --- the child ---------------------------------------------------------------------------------------- */

static char task[256]; /* which sweep, "2 learning"; empty: not a child */
static char *rest;     /* what was read behind the last line */
static size_t used, room;

/* The parent's end of the socket is closed by its end, however it ends: nothing else holds it open. */
static void *watch(void *argument)
{
    struct pollfd parent = {.fd = RHM_CREW_SOCKET, .events = 0};
    (void)argument;
    for (;;)
        if (poll(&parent, 1, -1) > 0 && parent.revents & (POLLHUP | POLLERR | POLLNVAL))
            _exit(0);
    return NULL;
}

static void start_watch(void)
{
    sigset_t all, before;
    pthread_t thread;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&thread, NULL, watch, NULL) == 0)
        pthread_detach(thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Takes RHM_SWEEP out of the environment: the child's own children are none of this sweep. */
static void find_task(void)
{
    const char *text = getenv("RHM_SWEEP");
    struct stat st;
    if (!text)
        return;
    if (fstat(RHM_CREW_SOCKET, &st) == 0 && S_ISSOCK(st.st_mode)) {
        snprintf(task, sizeof task, "%s", text);
        fcntl(RHM_CREW_SOCKET, F_SETFD, FD_CLOEXEC);
        start_watch();
    }
    unsetenv("RHM_SWEEP");
}

/* task(): which sweep this process serves, or nil. */
static int child_task(lua_State *L)
{
    if (!*task)
        return 0;
    lua_pushstring(L, task);
    return 1;
}

/* begin(): from now on what is printed goes to the parent. Until then a script's headings would be printed by
 * each of its children. */
static int child_begin(lua_State *L)
{
    (void)L;
    fflush(stdout);
    dup2(STDERR_FILENO, STDOUT_FILENO);
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    return 0;
}

/* read(): the next line of the parent's. */
static int child_read(lua_State *L)
{
    for (;;) {
        char *end = used ? memchr(rest, '\n', used) : NULL;
        if (end) {
            size_t n = (size_t)(end - rest);
            lua_pushlstring(L, rest, n);
            memmove(rest, end + 1, used - n - 1);
            used -= n + 1;
            return 1;
        }
        if (used == room) {
            char *more = realloc(rest, 2 * room + 4096);
            if (!more)
                return luaL_error(L, "not enough memory");
            rest = more;
            room = 2 * room + 4096;
        }
        ssize_t n = recv(RHM_CREW_SOCKET, rest + used, room - used, 0);
        if (n > 0)
            used += (size_t)n;
        else if (n == 0 || errno != EINTR)
            _exit(0);
    }
}

/* write(line) */
static int child_write(lua_State *L)
{
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);
    fflush(stdout);
    if (!rhm_crew_send(RHM_CREW_SOCKET, text, n) || !rhm_crew_send(RHM_CREW_SOCKET, "\n", 1))
        _exit(0);
    return 0;
}

/* --- the parent --------------------------------------------------------------------------------------- */

/* cores(): processors that this process may use. */
static int child_cores(lua_State *L)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
#ifdef CPU_COUNT
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        n = CPU_COUNT(&set);
#endif
    lua_pushinteger(L, n > 0 ? n : 1);
    return 1;
}

/* program(): the file of the running program, or nil. */
static int child_program(lua_State *L)
{
    char name[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", name, sizeof name);
    if (n <= 0 || (size_t)n == sizeof name)
        return 0;
    lua_pushlstring(L, name, (size_t)n);
    return 1;
}

/* now(): seconds since 1970. */
static int child_now(lua_State *L)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    lua_pushnumber(L, (lua_Number)t.tv_sec + 1e-9 * (lua_Number)t.tv_nsec);
    return 1;
}

/* terminal(): whether a line of progress can be written over. */
static int child_terminal(lua_State *L)
{
    lua_pushboolean(L, rhm_screen_rewrites());
    return 1;
}

static int open_module(lua_State *L)
{
    static const luaL_Reg functions[] = {{"task", child_task},   {"begin", child_begin},
                                         {"read", child_read},   {"write", child_write},
                                         {"cores", child_cores}, {"program", child_program},
                                         {"now", child_now},     {"terminal", child_terminal},
                                         {"crew", rhm_crew_new}, {NULL, NULL}};
    rhm_crew_open(L);
    luaL_newlib(L, functions);
    return 1;
}

void rhm_child_open(lua_State *L)
{
    find_task();
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushcfunction(L, open_module);
    lua_setfield(L, -2, "rhm.child");
    lua_pop(L, 1);
}
