/* evaluate.c - see evaluate.h. */
#include "terminal/evaluate.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <lauxlib.h>

#include "script/call.h"

#define CHUNK "input"

static const char shell_key; /* registry: the table of lua/rhm/shell.lua */

/* Prints the message on top of the stack. "input:1: " says nothing where one line was typed. */
static void show_error(lua_State *L, int status, bool one_line)
{
    const char *message = lua_tostring(L, -1);
    if (!message)
        message = "(an error without a message)";
    static const char place[] = CHUNK ":1: ";
    if (one_line && strncmp(message, place, sizeof place - 1) == 0)
        message += sizeof place - 1;
    fflush(stdout);
    fprintf(stderr, status == RHM_CALL_INTERRUPTED ? "%s\n" : "error: %s\n", message);
    fflush(stderr);
    lua_pop(L, 1);
}

bool rhm_evaluate_open(lua_State *L)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "rhm.shell");
    int status = rhm_call(L, 1, 1);
    if (status != LUA_OK) {
        show_error(L, status, false);
        return false;
    }
    lua_rawsetp(L, LUA_REGISTRYINDEX, &shell_key);
    return true;
}

/* Pushes a function of the shell's table. */
static void push_function(lua_State *L, const char *name)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &shell_key);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
}

/* "abc, without its quote, stays so whatever comes, unless a backslash says that it goes on. */
static bool wants_more(lua_State *L, int status, const char *text)
{
    static const char mark[] = "near <eof>";
    size_t n, length = strlen(text);
    const char *message = lua_tolstring(L, -1, &n);
    if (strstr(message, ": unfinished string near <eof>") && !(length > 0 && text[length - 1] == '\\') &&
        !(length > 1 && strcmp(text + length - 2, "\\z") == 0))
        return false;
    return status == LUA_ERRSYNTAX && n >= sizeof mark - 1 &&
           strcmp(message + n - (sizeof mark - 1), mark) == 0;
}

/* True where the compiler stumbled over the first word of the text: then it is no statement at all. */
static bool fails_at_start(const char *message, const char *text)
{
    static const char place[] = CHUNK ":1: ", mark[] = "near '";
    const char *near = strstr(message, mark);
    text += strspn(text, " \t\n");
    if (strncmp(message, place, sizeof place - 1) != 0 || !near)
        return false;
    near += sizeof mark - 1;
    size_t n = strcspn(near, "'");
    return n > 0 && strncmp(text, near, n) == 0;
}

/* Leaves the chunk, or the error message, on the stack. First as an expression, whose values are shown; the
 * text is compiled up to twice and never run here. */
static int compile(lua_State *L, const char *text, bool *incomplete)
{
    size_t n = strlen(text);
    const char *expression = lua_pushfstring(L, "return %s", text);
    int first = luaL_loadbufferx(L, expression, n + 7, "=" CHUNK, "t");
    lua_remove(L, -2);
    if (first == LUA_OK)
        return first;
    int second = luaL_loadbufferx(L, text, n, "=" CHUNK, "t");
    if (second == LUA_OK) {
        lua_remove(L, -2);
        return second;
    }
    *incomplete = wants_more(L, second, text);
    if (!*incomplete) {
        lua_pushvalue(L, -2);
        *incomplete = wants_more(L, first, text);
        lua_pop(L, 1);
    }
    lua_remove(L, fails_at_start(lua_tostring(L, -1), text) ? -1 : -2);
    return second;
}

/* A final semicolon silences the results. */
static bool is_silent(const char *text)
{
    size_t n = strlen(text);
    while (n > 0 && isspace((unsigned char)text[n - 1]))
        n--;
    return n > 0 && text[n - 1] == ';';
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static enum rhm_input outcome(lua_State *L, int status, const char *text)
{
    if (status == LUA_OK)
        return RHM_INPUT_DONE;
    show_error(L, status, strchr(text, '\n') == NULL);
    return status == RHM_CALL_INTERRUPTED ? RHM_INPUT_INTERRUPTED : RHM_INPUT_FAILED;
}

/* Calls shell.show(seconds, silent, results...) with the results above `base`. */
static enum rhm_input show(lua_State *L, int base, double elapsed, const char *text)
{
    int n = lua_gettop(L) - base;
    if (!lua_checkstack(L, 4)) {
        lua_settop(L, base);
        lua_pushliteral(L, "too many results to show");
        return outcome(L, LUA_ERRRUN, text);
    }
    push_function(L, "show");
    lua_insert(L, base + 1);
    lua_pushnumber(L, elapsed);
    lua_insert(L, base + 2);
    lua_pushboolean(L, is_silent(text));
    lua_insert(L, base + 3);
    return outcome(L, rhm_call(L, n + 2, 0), text);
}

/* "? name", "help name" and "exit" are no Lua: shell.lua says what they stand for. Leaves nothing or the new
 * text. */
static const char *translate(lua_State *L, const char *text, bool *leave)
{
    push_function(L, "command");
    lua_pushstring(L, text);
    if (rhm_call(L, 1, 1) != LUA_OK) {
        lua_pop(L, 1);
        return text;
    }
    *leave = lua_isboolean(L, -1) && !lua_toboolean(L, -1);
    if (lua_type(L, -1) == LUA_TSTRING)
        return lua_tostring(L, -1); /* stays on the stack, so that it lives */
    return text;
}

/* What is done with a text; the functions below run as Lua functions, so that a lack of memory is an error
 * like others. */
struct task {
    const char *text;
    bool incomplete;
    enum rhm_input result;
};

static int protected_test(lua_State *L)
{
    struct task *task = lua_touserdata(L, 1);
    bool leave = false;
    const char *text = translate(L, task->text, &leave);
    if (!leave)
        compile(L, text, &task->incomplete);
    return 0;
}

static int protected_evaluate(lua_State *L)
{
    struct task *task = lua_touserdata(L, 1);
    bool leave = false;
    const char *text = translate(L, task->text, &leave);
    if (leave) {
        task->result = RHM_INPUT_LEAVE;
        return 0;
    }
    int status = compile(L, text, &task->incomplete);
    if (status == LUA_OK) {
        int below = lua_gettop(L) - 1;
        double start = seconds();
        status = rhm_call(L, 0, LUA_MULTRET);
        double elapsed = seconds() - start;
        task->result = status == LUA_OK ? show(L, below, elapsed, text) : outcome(L, status, text);
    } else if (task->incomplete) {
        task->result = RHM_INPUT_INCOMPLETE;
    } else {
        task->result = outcome(L, status, text);
    }
    return 0;
}

static void run_task(lua_State *L, lua_CFunction function, struct task *task)
{
    lua_pushcfunction(L, function);
    lua_pushlightuserdata(L, task);
    int status = lua_pcall(L, 1, 0, 0);
    if (status != LUA_OK) {
        show_error(L, status, true);
        task->result = RHM_INPUT_FAILED;
    }
    fflush(stdout);
}

bool rhm_evaluate_incomplete(lua_State *L, const char *text)
{
    struct task task = {.text = text};
    run_task(L, protected_test, &task);
    return task.incomplete;
}

enum rhm_input rhm_evaluate(lua_State *L, const char *text)
{
    struct task task = {.text = text, .result = RHM_INPUT_FAILED};
    run_task(L, protected_evaluate, &task);
    return task.result;
}

static int run_file(lua_State *L)
{
    if (luaL_loadfile(L, lua_touserdata(L, 1)) != LUA_OK)
        return lua_error(L);
    lua_call(L, 0, 0);
    return 0;
}

bool rhm_evaluate_file(lua_State *L, const char *name)
{
    lua_pushcfunction(L, run_file);
    lua_pushlightuserdata(L, (void *)(uintptr_t)name);
    int status = rhm_call(L, 1, 0);
    if (status != LUA_OK)
        show_error(L, status, false);
    return status == LUA_OK;
}
