/* crew.c - see crew.h. */
#include "script/crew.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <lauxlib.h>

#include "script/idle.h"
#include "script/interrupt.h"
#include "script/jobs.h"
#include "script/object.h"

extern char **environ;

enum { MOST = 1024, SLICE_MILLISECONDS = 20, CHUNK = 65536, LONGEST_LINE = 1 << 28 };

struct child {
    pid_t pid;  /* 0: no child here */
    int socket; /* -1: closed */
    int output; /* its stdout and stderr */
    char *line; /* received, not yet a whole line */
    size_t used, room;
};

struct crew {
    int size;
    struct child *child;
};

static struct crew *check(lua_State *L)
{
    return rhm_class_check(L, 1, RHM_CREW);
}

static struct child *check_child(lua_State *L, struct crew *crew)
{
    lua_Integer i = luaL_checkinteger(L, 2);
    if (i < 1 || i > crew->size || crew->child[i - 1].pid == 0)
        luaL_error(L, "no child %I", i);
    return &crew->child[i - 1];
}

int rhm_crew_new(lua_State *L)
{
    lua_Integer size = luaL_checkinteger(L, 1);
    luaL_argcheck(L, size >= 1 && size <= MOST, 1, "1 to 1024 children");
    struct crew *crew = lua_newuserdatauv(L, sizeof *crew, 0);
    *crew = (struct crew){0};
    luaL_setmetatable(L, RHM_CREW);
    crew->child = calloc((size_t)size, sizeof *crew->child);
    if (!crew->child)
        return luaL_error(L, "not enough memory");
    crew->size = (int)size;
    return 1;
}

/* --- ending ------------------------------------------------------------------------------------------- */

static void close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Waits for its end; the place is free then. Returns waitpid's status. */
static int end_child(struct child *child, bool kill_it)
{
    int status = 0;
    if (kill_it)
        kill(child->pid, SIGKILL);
    close_end(&child->socket);
    close_end(&child->output);
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    free(child->line);
    *child = (struct child){.socket = -1, .output = -1};
    return status;
}

/* All are killed before the first is waited for. */
static int crew_close(lua_State *L)
{
    struct crew *crew = check(L);
    for (int i = 0; i < crew->size; i++)
        if (crew->child[i].pid != 0)
            kill(crew->child[i].pid, SIGKILL);
    for (int i = 0; i < crew->size; i++)
        if (crew->child[i].pid != 0)
            end_child(&crew->child[i], true);
    free(crew->child);
    *crew = (struct crew){0};
    return 0;
}

static int crew_kill(lua_State *L)
{
    end_child(check_child(L, check(L)), true);
    return 0;
}

/* --- starting ----------------------------------------------------------------------------------------- */

/* A list of strings at `index` as an array with NULL at its end, which Lua owns. */
static char **push_strings(lua_State *L, int index)
{
    lua_Integer n = luaL_len(L, index);
    char **list = rhm_push_buffer(L, (size_t)n + 1, sizeof *list);
    for (lua_Integer i = 0; i < n; i++) {
        lua_rawgeti(L, index, i + 1);
        list[i] = (char *)luaL_checkstring(L, -1);
        lua_pop(L, 1); /* the list at `index` keeps the string */
    }
    return list;
}

/* Above the descriptors that the child gets, and closed in every other program that is started. */
static bool lift(int *fd)
{
    int high = fcntl(*fd, F_DUPFD_CLOEXEC, 10);
    if (high < 0)
        return false;
    close(*fd);
    *fd = high;
    return true;
}

/* Its own process group, so that Ctrl-C reaches the parent alone, which then decides. */
static int spawn(pid_t *pid, char **argv, char **environment, int socket, int output)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigemptyset(&all);
    for (int i = 0; i < 4; i++)
        sigaddset(&all, (const int[]){SIGINT, SIGPIPE, SIGTSTP, SIGWINCH}[i]);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    posix_spawn_file_actions_adddup2(&actions, socket, RHM_CREW_SOCKET);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    int number = posix_spawnp(pid, argv[0], &actions, &attributes, argv, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return number;
}

/* environ with the "NAME=value" of `more` in front, which Lua owns; the first of two counts. */
static char **push_environment(lua_State *L, char **more)
{
    size_t m = 0, n = 0;
    while (more[m])
        m++;
    while (environ && environ[n])
        n++;
    char **all = rhm_push_buffer(L, m + n + 1, sizeof *all);
    size_t k = m;
    memcpy(all, more, m * sizeof *all);
    for (size_t i = 0; i < n; i++) {
        bool taken = false;
        for (size_t j = 0; j < m && !taken; j++)
            taken = strncmp(environ[i], more[j], strcspn(more[j], "=") + 1) == 0;
        if (!taken)
            all[k++] = environ[i];
    }
    return all;
}

/* crew:start(arguments, environment): two lists of strings. Returns the child's number. */
static int crew_start(lua_State *L)
{
    struct crew *crew = check(L);
    lua_settop(L, 3);
    char **argv = push_strings(L, 2);
    char **environment = push_environment(L, push_strings(L, 3));
    int i = 0;
    while (i < crew->size && crew->child[i].pid != 0)
        i++;
    if (i == crew->size)
        return luaL_error(L, "no place for another child");
    int sockets[2] = {-1, -1}, pipes[2] = {-1, -1};
    pid_t pid = 0;
    int number = 0;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0 || pipe(pipes) != 0 ||
        !lift(&pipes[0]) || !lift(&sockets[1]) || !lift(&pipes[1]) ||
        fcntl(sockets[0], F_SETFL, O_NONBLOCK) != 0 || fcntl(pipes[0], F_SETFL, O_NONBLOCK) != 0)
        number = errno;
    if (number == 0)
        number = spawn(&pid, argv, environment, sockets[1], pipes[1]);
    close_end(&sockets[1]);
    close_end(&pipes[1]);
    if (number != 0) {
        close_end(&sockets[0]);
        close_end(&pipes[0]);
        return luaL_error(L, "cannot start %s: %s", argv[0], strerror(number));
    }
    crew->child[i] = (struct child){.pid = pid, .socket = sockets[0], .output = pipes[0]};
    lua_pushinteger(L, i + 1);
    return 1;
}

/* --- talking ------------------------------------------------------------------------------------------ */

bool rhm_crew_send(int socket, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(socket, bytes, n, MSG_NOSIGNAL);
        if (sent > 0) {
            bytes += sent;
            n -= (size_t)sent;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            poll(&(struct pollfd){.fd = socket, .events = POLLOUT}, 1, 100);
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

/* crew:send(i, line). A child that is gone says so by its end. */
static int crew_send(lua_State *L)
{
    struct child *child = check_child(L, check(L));
    size_t n;
    const char *text = luaL_checklstring(L, 3, &n);
    if (child->socket >= 0 && rhm_crew_send(child->socket, text, n))
        rhm_crew_send(child->socket, "\n", 1);
    return 0;
}

/* The first whole line received, on the stack; false: none. */
static bool push_line(lua_State *L, struct child *child)
{
    char *end = child->used ? memchr(child->line, '\n', child->used) : NULL;
    if (!end)
        return false;
    size_t n = (size_t)(end - child->line);
    lua_pushlstring(L, child->line, n);
    memmove(child->line, end + 1, child->used - n - 1);
    child->used -= n + 1;
    return true;
}

/* Whatever has come; at the end of the stream, or beyond any sensible length of a line, it is closed. */
static void receive(struct child *child)
{
    if (child->room - child->used < CHUNK) {
        char *more = child->used < LONGEST_LINE ? realloc(child->line, 2 * child->room + CHUNK) : NULL;
        if (!more) {
            close_end(&child->socket);
            return;
        }
        child->line = more;
        child->room = 2 * child->room + CHUNK;
    }
    ssize_t n = recv(child->socket, child->line + child->used, child->room - child->used, 0);
    if (n > 0)
        child->used += (size_t)n;
    else if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
        close_end(&child->socket);
}

/* Output that has come, on the stack; false: none. */
static bool push_output(lua_State *L, struct child *child)
{
    char bytes[4096];
    ssize_t n = read(child->output, bytes, sizeof bytes);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
        close_end(&child->output);
    if (n <= 0)
        return false;
    lua_pushlstring(L, bytes, (size_t)n);
    return true;
}

static void push_end(lua_State *L, int status)
{
    if (WIFSIGNALED(status))
        lua_pushfstring(L, "signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        lua_pushfstring(L, "exit code %d", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

/* An event of child i on the stack: the values returned, 0 for none. Reading goes before the end. */
static int push_event(lua_State *L, struct crew *crew, int i, short socket, short output)
{
    struct child *child = &crew->child[i];
    const char *kind = NULL;
    lua_pushinteger(L, i + 1);
    lua_pushnil(L);
    if (child->output >= 0 && output && push_output(L, child))
        kind = "output";
    if (!kind && child->socket >= 0 && socket)
        receive(child);
    if (!kind && push_line(L, child))
        kind = "line";
    if (!kind && child->socket < 0 && child->output >= 0 && push_output(L, child))
        kind = "output"; /* what it said last */
    if (!kind && child->socket < 0) {
        push_end(L, end_child(child, true));
        kind = "end";
    }
    if (!kind) {
        lua_pop(L, 2);
        return 0;
    }
    lua_pushstring(L, kind);
    lua_replace(L, -3);
    return 3;
}

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* crew:event(seconds): waits for what a child does next. Returns its number and "line", "output" or "end"
 * with the text (of an end: how), or nil when nothing has happened for so long. */
static int crew_event(lua_State *L)
{
    struct crew *crew = check(L);
    double end = seconds_now() + luaL_checknumber(L, 2);
    struct pollfd *fds = rhm_push_buffer(L, 2 * (size_t)crew->size + 1, sizeof *fds);
    for (;;) {
        if (rhm_interrupt_pending())
            return rhm_raise_interrupt(L);
        int values;
        for (int i = 0; i < crew->size; i++) {
            struct child *child = &crew->child[i];
            bool there = child->pid != 0;
            if (there && (values = push_event(L, crew, i, 0, 0)) > 0)
                return values;
            fds[2 * i] = (struct pollfd){.fd = there ? child->socket : -1, .events = POLLIN};
            fds[2 * i + 1] = (struct pollfd){.fd = there ? child->output : -1, .events = POLLIN};
        }
        double left = end - seconds_now();
        int slice = left <= 0                          ? 0
                    : left < 1e-3 * SLICE_MILLISECONDS ? (int)(1e3 * left) + 1
                                                       : SLICE_MILLISECONDS;
        int ready = poll(fds, 2 * (nfds_t)crew->size, slice);
        rhm_idle_turn();
        rhm_jobs_call_hooks(L, 0);
        for (int i = 0; ready > 0 && i < crew->size; i++)
            if (crew->child[i].pid != 0 &&
                (values = push_event(L, crew, i, fds[2 * i].revents, fds[2 * i + 1].revents)) > 0)
                return values;
        if (ready <= 0 && left <= 0)
            return 0;
    }
}

void rhm_crew_open(lua_State *L)
{
    static const luaL_Reg methods[] = {{"start", crew_start}, {"send", crew_send},   {"event", crew_event},
                                       {"kill", crew_kill},   {"close", crew_close}, {NULL, NULL}};
    rhm_class_open(L, &(struct rhm_class){.name = RHM_CREW, .methods = methods, .gc = crew_close});
    luaL_getmetatable(L, RHM_CREW);
    lua_pushcfunction(L, crew_close);
    lua_setfield(L, -2, "__close");
    lua_pop(L, 1);
}
