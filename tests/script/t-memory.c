/* t-memory.c - a Lua state whose memory ends: every allocation fails in turn, alone (Lua then collects
 * garbage and tries again), twice (an error), or with all that come after it. Whatever ran, the error is "not
 * enough memory", the state works on, and closing it gives every byte back. The engine's own memory is under
 * the address sanitizer's eye. */
#include <fcntl.h>
#include <locale.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <lualib.h>
#include <readline/readline.h>

#include "engine/base/threads.h"
#include "script/call.h"
#include "script/interrupt.h"
#include "script/screen.h"
#include "script/script.h"
#include "terminal/completion.h"
#include "terminal/evaluate.h"

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SLOW 1
#else
#define SLOW 0
#endif
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* --- a heap that ends -------------------------------------------------------------------------------- */

enum mode { ONCE, TWICE, FOR_GOOD, MODES };

static struct {
    size_t live;             /* bytes */
    uint64_t count, fail_at; /* allocations since the start; the first that fails, 0: none */
    enum mode mode;
} heap;

static bool fails(void)
{
    uint64_t n = ++heap.count;
    if (heap.fail_at == 0 || n < heap.fail_at)
        return false;
    return heap.mode == FOR_GOOD || n - heap.fail_at < (heap.mode == TWICE ? 2 : 1);
}

static void *allocate(void *unused, void *block, size_t old, size_t size)
{
    (void)unused;
    old = block ? old : 0; /* for a new block `old` says what it is for */
    if (size == 0) {
        heap.live -= old;
        free(block);
        return NULL;
    }
    if (size > old && fails())
        return NULL;
    void *grown = realloc(block, size);
    if (!grown)
        abort();
    heap.live += size - old;
    return grown;
}

static void arm(uint64_t fail_at, enum mode mode)
{
    heap.count = 0;
    heap.fail_at = fail_at;
    heap.mode = mode;
}

/* True if the failure was due: the run made that many allocations. */
static bool disarm(void)
{
    bool due = heap.fail_at > 0 && heap.count >= heap.fail_at;
    heap.fail_at = 0;
    return due;
}

/* The allocations to fail: each of the first ones, then some, the more the later they come. */
static uint64_t next(uint64_t n)
{
    uint64_t dense = getenv("VALGRIND") ? 3 : SLOW ? 30 : 60;
    return n < dense ? n + 1 : n + 1 + n / (dense / 3);
}

/* --- states ------------------------------------------------------------------------------------------ */

/* What main.c opens. */
static int open_all(lua_State *L)
{
    luaL_openlibs(L);
    lua_getglobal(L, LUA_LOADLIBNAME);
    lua_pushfstring(L, "%s/lua/?.lua", getenv("srcdir"));
    lua_setfield(L, -2, "path");
    rhm_interrupt_open(L);
    luaL_requiref(L, "rhm", luaopen_rhm, 1);
    rhm_screen_open(L);
    lua_newtable(L);
    lua_setglobal(L, "arg");
    lua_getglobal(L, "require");
    lua_pushliteral(L, "rhm.startup");
    lua_call(L, 1, 0);
    rhm_threads_set(1, NULL); /* the networks are tiny: threads would only wait for each other */
    return 0;
}

static lua_State *open_state(void)
{
    lua_State *L = lua_newstate(allocate, NULL);
    if (!L)
        return NULL;
    lua_pushcfunction(L, open_all);
    if (lua_pcall(L, 0, 0, 0) == LUA_OK)
        return L;
    if (!strstr(lua_tostring(L, -1), "not enough memory"))
        fail_msg("opening: %s", lua_tostring(L, -1));
    lua_close(L);
    return NULL;
}

static void close_state(lua_State *L)
{
    lua_close(L);
    assert_int_equal(heap.live, 0);
}

static int run_text(lua_State *L)
{
    const char *text = lua_touserdata(L, 1);
    if (luaL_loadbuffer(L, text, strlen(text), "=snippet") != LUA_OK)
        return lua_error(L);
    lua_call(L, 0, 0);
    return 0;
}

/* Runs a text as the shell runs a command: LUA_OK, or the message is on the stack. */
static int run(lua_State *L, const char *text)
{
    lua_pushcfunction(L, run_text);
    lua_pushlightuserdata(L, (void *)(uintptr_t)text);
    return rhm_call(L, 1, 0);
}

static void must_run(lua_State *L, const char *text, const char *when)
{
    if (run(L, text) != LUA_OK)
        fail_msg("%s: %s", when, lua_tostring(L, -1));
    assert_int_equal(lua_gettop(L), 0);
}

/* --- snippets ---------------------------------------------------------------------------------------- */

#define SMALL                                                                                                \
    "local g = rhm.grammar{ V=4, m=2, s=2, L=2, seed=1 }\n"                                                  \
    "local net = rhm.network{ grammar=g, M=32, seed=1 }\n"

static const char alive[] = SMALL "local r = net:train{ from=g, n=100 }\n"
                                  "assert(r.levels[2].n == 100 and #tostring(r) > 100)\n"
                                  "assert(#net:predict(g:sample{ n=3 }) == 3)\n"
                                  "net:train{ from=g, n=100, background=true }:wait()\n"
                                  "collectgarbage()";

static const struct {
    const char *name, *text;
} snippets[] = {
    {"a grammar", "local g = rhm.grammar{ V=4, m=2, s=2, L=2, seed=1 }\n"
                  "assert(#tostring(g) > 50 and #tostring(g:check()) > 50)\n"
                  "local rules = {}\n"
                  "for l = 1, g.L do rules[l] = g:rules(l) end\n"
                  "local h = rhm.grammar{ rules=rules }\n"
                  "assert(h.V == 4 and h:gap(1) == g:gap(1) and h:K() == g:K())\n"
                  "assert(#g:schedule{ by='depth', c=1 } == 2 and #g:schedule{ by='gap', c=1 } == 2)\n"},
    {"a matrix", "local q = rhm.grammar{ V=4, m=2, s=2, L=2, seed=1 }:q(1)\n"
                 "assert(#q == q:rows() and q[1][1] >= 0 and #tostring(q) > 10 and #tostring(q[1]) > 5)\n"
                 "local n = 0\n"
                 "for i = 1, #q do for j = 1, q:cols() do n = n + q[i][j] end end\n"
                 "q:save 'q.csv'; q:save 'q.npy'; q:save 'q.h5'"},
    {"a data set", "local d = rhm.grammar{ V=4, m=2, s=2, L=2, seed=1 }:sample{ n=40, seed=2 }\n"
                   "assert(#d == 40 and #d:tokens(1) == 4 and d:label(1) and #tostring(d) > 20)\n"
                   "local a, b = d:split{ fraction=0.5, disjoint=true }\n"
                   "a, b = d:split(0.5)\n"
                   "for _, name in ipairs{ 'd.npy', 'd.csv', 'd.h5' } do\n"
                   "  d:save(name)\n"
                   "  assert(#rhm.dataset(name) == 40)\n"
                   "end\n"
                   "assert(rhm.dataset{ path='d.csv', V=6, classes=5 }.V == 6)\n"
                   "assert(#rhm.dataset{ tokens={ { 1, 2 }, { 2, 1 } }, labels={ 1, 2 } } == 2)"},
    {"a training", SMALL "local r = net:train{ from=g, n=100 }\n"
                         "assert(r.levels[1].patches > 0 and #tostring(r) > 100 and #tostring(net) > 50)\n"
                         "assert(net:accuracy(g) > 0 and net:accuracy(g:sample{ n=20 }) > 0)\n"
                         "local labels, p = net:predict(g:sample{ n=5 })\n"
                         "assert(#labels == 5 and #p == 5)\n"
                         "local label, row = net:predict(g:sample{ n=1 }:tokens(1))\n"
                         "assert(label and #row == 4)\n"
                         "net:save 'n.h5'\n"
                         "assert(rhm.load 'n.h5'.L == 2)"},
    {"gradient descent with a progress function",
     SMALL "local calls = 0\n"
           "local r = net:train{ from=g:sample{ n=60 }, solver='gd', steps=3, progress=function(p)\n"
           "  calls = calls + #p.levels\n"
           "end }\n"
           "assert(calls > 0 and #r.levels == 2)"},
    {"a layer",
     SMALL "net:train{ from=g, n=100 }\n"
           "for l = 1, 2 do\n"
           "  local lay = net:layer(l)\n"
           "  assert(#lay:patches() > 0 and #lay:q() > 0 and #lay:distances() > 0)\n"
           "  for _, report in ipairs{ lay, lay:patches(), lay:synonyms(), lay:diagnostics() } do\n"
           "    assert(#tostring(report) > 5)\n"
           "  end\n"
           "  assert(lay.level == l and lay.trained and lay.sigma and lay.samples)\n"
           "end"},
    {"a layer by hand", SMALL "local lay = net:layer(2)\n"
                              "lay:begin{ from=g, n=100 }\n"
                              "assert(lay:step() > lay:step(3))\n"
                              "assert(#lay:q() > 0 and #lay:patches() > 0)\n"
                              "assert(#tostring(lay:finish():diagnostics()) > 50)\n"
                              "assert(lay.trained and #lay.history.loss > 0)"},
    {"jobs", SMALL "local job = net:train{ from=g, n=100, solver='gd', steps=20, background=true }\n"
                   "assert(#tostring(job) > 5 and job.progress.state)\n"
                   "job:pause()\n"
                   "job:resume()\n"
                   "local r = job:wait()\n"
                   "assert(#tostring(r) > 50 and job.state == 'done' and job.seconds >= 0)\n"
                   "local other = rhm.network{ grammar=g, M=32 }\n"
                   "job = other:train{ from=g, n=100, solver='gd', steps=1000000, background=true }\n"
                   "assert(not pcall(other.train, other, { from=g, n=100 }))\n"
                   "job:stop()\n"
                   "assert(job:wait() == nil and job.state == 'stopped')"},
    {"hooks and the list of jobs",
     SMALL "local calls, remove = 0, {}\n"
           "remove[1] = rhm.on('progress', function(job, p) calls = calls + #p.levels + #tostring(job) end)\n"
           "remove[2] = rhm.on('step', function() calls = calls + 1 end)\n"
           "local removed <close> = setmetatable({}, { __close=function()\n"
           "  for _, f in ipairs(remove) do f() end\n"
           "end })\n"
           "net:train{ from=g, n=100 }\n"
           "local lay = net:layer(2)\n"
           "lay:begin{ from=g, n=100 }\n"
           "lay:step(2)\n"
           "assert(calls > 0 and #rhm.jobs() > 0 and #tostring(rhm.jobs()) > 10 and rhm.latest())"},
    {"coroutines", "local function count(n)\n"
                   "  local kept <close> = setmetatable({}, { __close=function() end })\n"
                   "  for i = 1, n do coroutine.yield(i, {}, 'a' .. i) end\n"
                   "  return n\n"
                   "end\n"
                   "local co, sum = coroutine.create(count), 0\n"
                   "while true do\n"
                   "  local ok, i = coroutine.resume(co, 20)\n"
                   "  if not ok then error(i, 0) end\n"
                   "  if coroutine.status(co) == 'dead' then break end\n"
                   "  sum = sum + i\n"
                   "end\n"
                   "for i in coroutine.wrap(function() count(5) end) do sum = sum + i end\n"
                   "co = coroutine.create(count)\n"
                   "coroutine.resume(co, 3)\n"
                   "local closed, message = coroutine.close(co)\n"
                   "if not closed then error(message, 0) end\n"
                   "assert(sum == 225)\n"
                   "local deep = function(f, n) return n == 0 and 1 or coroutine.wrap(f)(f, n - 1) end\n"
                   "assert(coroutine.wrap(deep)(deep, 5) == 1)"},
    {"errors", "local function fails(f, ...)\n"
               "  local ok, message = pcall(f, ...)\n"
               "  assert(not ok)\n"
               "  if message == 'not enough memory' then error(message, 0) end\n"
               "end\n"
               "fails(rhm.grammar, { V=4, m=2, s=2, L=2, sed=1 })\n"
               "fails(rhm.grammar, { V=4, m=9, s=2, L=2 })\n"
               "fails(rhm.grammar, { rules={ { { { 1, 2 } } }, { { { 1, 'x' } } } } })\n"
               "fails(rhm.network, { V=4, s=2, L=2, codebook='none' })\n"
               "fails(rhm.dataset, 'missing.csv')\n"
               "fails(rhm.dataset, { tokens={ { 1, -1 } }, labels={ 1 } })\n"
               "local net = rhm.network{ V=4, s=2, L=2, M=32 }\n"
               "fails(net.train, net, { from=1 })\n"
               "fails(net.layer, net, 3)\n"
               "fails(net.predict, net, { 1, 2, 3 })\n"
               "fails(function() net.V = 1 end)\n"},
    {"printing and help", "local help, print = require 'rhm.help', require 'rhm.print'\n"
                          "local kept = io.output()\n"
                          "io.output 'shown.txt'\n"
                          "local closed <close> = setmetatable({}, { __close=function()\n"
                          "  io.output():close()\n"
                          "  io.output(kept)\n"
                          "end })\n"
                          "rhm.print({ 1, 2, { a='b', c={ 1.5 } } }, 'text', nil, rhm.grammar)\n"
                          "rhm.help()\n"
                          "rhm.help 'network:train'\n"
                          "rhm.help(rhm.grammar)"},
    {"views", SMALL "net:train{ from=g, n=100 }\n"
                    "for _, name in ipairs(rhm.view.names()) do\n"
                    "  assert(#rhm.view.lines(name, net, 40, 10) > 0 and #rhm.view.text(name, net) > 0)\n"
                    "end\n"
                    "rhm.view.register('mine', function(_, width) return { ('x'):rep(width) } end)\n"
                    "assert(rhm.view.lines('mine', net, 5, 1)[1])\n"
                    "rhm.view.remove 'mine'"},
};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A run whose allocation N fails: true if it came so far. */
static bool fail_one(lua_State *L, size_t snippet, uint64_t n, enum mode mode)
{
    char when[120];
    snprintf(when, sizeof when, "%s, allocation %llu, mode %d", snippets[snippet].name, (unsigned long long)n,
             mode);
    arm(n, mode);
    int status = run(L, snippets[snippet].text);
    bool due = disarm();
    if (status == LUA_OK) {
        assert_int_equal(lua_gettop(L), 0);
    } else {
        const char *message = lua_tostring(L, -1);
        if (!due || !message || !strstr(message, "not enough memory"))
            fail_msg("%s: %s", when, message ? message : "no message");
        lua_settop(L, 0);
        must_run(L, alive, when);
    }
    return due;
}

/* Each snippet in a state of its own, in which all failures come one after the other. */
static void test_snippets(void **unused)
{
    (void)unused;
    uint64_t failures = 0;
    for (size_t i = 0; i < COUNT(snippets); i++) {
        uint64_t last = 0, tried = 0;
        double start = seconds();
        for (enum mode mode = ONCE; mode < MODES; mode++) {
            lua_State *L = open_state();
            assert_non_null(L);
            must_run(L, alive, "before");
            for (uint64_t n = 1; fail_one(L, i, n, mode); n = next(n)) {
                last = n;
                tried++;
            }
            must_run(L, snippets[i].text, snippets[i].name);
            close_state(L);
        }
        failures += tried;
        print_message("%-45s %4llu failures up to allocation %llu, %.1f s\n", snippets[i].name,
                      (unsigned long long)tried, (unsigned long long)last, seconds() - start);
    }
    assert_true(failures > 100);
}

/* Opening a state. */
static void test_open(void **unused)
{
    (void)unused;
    uint64_t tried = 0, n = 1;
    for (enum mode mode = ONCE; mode < MODES; mode++) {
        bool due = true;
        for (n = 1; due; n = next(n)) {
            arm(n, mode);
            lua_State *L = open_state();
            due = disarm();
            assert_true(L || due);
            if (L)
                close_state(L);
            assert_int_equal(heap.live, 0);
            tried++;
        }
    }
    print_message("%llu failures up to allocation %llu\n", (unsigned long long)tried, (unsigned long long)n);
}

/* --- the shell --------------------------------------------------------------------------------------- */

static int kept[2]; /* standard output and error of the test */

static void hide_output(void)
{
    fflush(stdout);
    kept[0] = dup(STDOUT_FILENO);
    kept[1] = dup(STDERR_FILENO);
    int file = open("output.txt", O_CREAT | O_TRUNC | O_RDWR, 0600);
    if (kept[0] < 0 || kept[1] < 0 || file < 0 || dup2(file, STDOUT_FILENO) < 0 ||
        dup2(file, STDERR_FILENO) < 0)
        abort();
    close(file);
}

/* What was written meanwhile. */
static const char *show_output(void)
{
    static char text[1 << 16];
    fflush(stdout);
    ssize_t n = pread(STDOUT_FILENO, text, sizeof text - 1, 0);
    text[n < 0 ? 0 : n] = '\0';
    for (int i = 0; i < 2; i++) {
        dup2(kept[i], i == 0 ? STDOUT_FILENO : STDERR_FILENO);
        close(kept[i]);
    }
    return text;
}

static const char *const commands[] = {
    "1, 'two', { 3 }",
    "local x = rhm.grammar{ V=4, m=2, s=2, L=2, seed=1 } return x, x:check()",
    "error 'a message'",
    "error({})",
    "error(setmetatable({}, { __tostring=function() return 'an object' end }))",
    "local function f() error 'deep' end local function h() f() end h()",
    "x x",
    "for i = 1, 3 do",
    "? rhm.grammar",
    "help job",
    "exit",
    "who()",
    "coroutine.wrap(function() error 'inside' end)()",
};

/* A command at the prompt never ends the program, and the next one works. */
static void test_shell(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT(commands); i++) {
        for (enum mode mode = ONCE; mode < MODES; mode++) {
            lua_State *L = open_state();
            assert_non_null(L);
            assert_true(rhm_evaluate_open(L));
            bool due = true;
            for (uint64_t n = 1; due; n = next(n)) {
                hide_output();
                arm(n, mode);
                enum rhm_input result = rhm_evaluate(L, commands[i]);
                rhm_evaluate_incomplete(L, commands[i]);
                due = disarm();
                enum rhm_input after = rhm_evaluate(L, "1 + 1");
                const char *output = show_output();
                if (after != RHM_INPUT_DONE || !strstr(output, "2\n"))
                    fail_msg("%s, allocation %llu, mode %d: then 1 + 1 gives %d: %s", commands[i],
                             (unsigned long long)n, mode, (int)after, output);
                if (result == RHM_INPUT_FAILED && !strstr(output, "error: "))
                    fail_msg("%s, allocation %llu: no message", commands[i], (unsigned long long)n);
                assert_int_equal(lua_gettop(L), 0);
            }
            close_state(L);
        }
    }
}

/* An init file. */
static void test_file(void **unused)
{
    (void)unused;
    FILE *file = fopen("init.lua", "w");
    assert_non_null(file);
    fputs("local t = {} for i = 1, 20 do t[i] = { 'x' .. i } end loaded = true", file);
    assert_int_equal(fclose(file), 0);
    for (enum mode mode = ONCE; mode < MODES; mode++) {
        lua_State *L = open_state();
        assert_non_null(L);
        bool due = true;
        for (uint64_t n = 1; due; n++) {
            hide_output();
            arm(n, mode);
            bool loaded = rhm_evaluate_file(L, "init.lua");
            due = disarm();
            const char *output = show_output();
            if (!loaded && strcmp(output, "error: not enough memory\n") != 0)
                fail_msg("allocation %llu, mode %d: %s", (unsigned long long)n, mode, output);
            assert_true(loaded || due);
            assert_int_equal(lua_gettop(L), 0);
        }
        must_run(L, "assert(loaded)", "the init file");
        close_state(L);
    }
}

static int send_sigint(lua_State *L)
{
    (void)L;
    raise(SIGINT);
    return 0;
}

/* Ctrl-C where there is no memory either: rhm_call pushes its message outside of any protection. */
static void test_interrupt(void **unused)
{
    (void)unused;
    lua_State *L = open_state();
    assert_non_null(L);
    rhm_interrupt_install(-1, false);
    lua_register(L, "send_sigint", send_sigint);
    for (uint64_t n = 1; n < 40; n++) {
        arm(n, FOR_GOOD);
        int status = run(
            L,
            "local t = {} for i = 1, 5 do t[i] = { i } end send_sigint() while true do t[#t + 1] = {} end");
        disarm();
        if (status != RHM_CALL_INTERRUPTED)
            assert_string_equal(lua_tostring(L, -1), "not enough memory");
        else if (n == 39)
            assert_string_equal(lua_tostring(L, -1), RHM_INTERRUPTED);
        lua_settop(L, 0);
        must_run(L, alive, "after Ctrl-C");
    }
    close_state(L);
}

/* The TAB key, as Readline calls it. */
static char **complete(char *line)
{
    int end = (int)strlen(line), start = end;
    while (start > 0 && !strchr(rl_completer_word_break_characters, line[start - 1]))
        start--;
    rl_line_buffer = line;
    rl_point = rl_end = end;
    char **matches = rl_attempted_completion_function(line + start, start, end);
    rl_line_buffer = NULL;
    return matches;
}

static void free_matches(char **matches)
{
    for (char **m = matches; m && *m; m++)
        free(*m);
    free(matches);
}

static void test_completion(void **unused)
{
    (void)unused;
    static char lines[][40] = {"rhm.gr",        "rhm.grammar{ V=4, ", "help 'network:t",
                               "require 'rhm.", "io.open 'no",        "str"};
    for (size_t i = 0; i < COUNT(lines); i++) {
        for (enum mode mode = ONCE; mode < MODES; mode++) {
            lua_State *L = open_state();
            assert_non_null(L);
            rhm_completion_open(L);
            bool due = true;
            for (uint64_t n = 1; due; n = next(n)) {
                arm(n, mode);
                free_matches(complete(lines[i]));
                due = disarm();
                assert_int_equal(lua_gettop(L), 0);
                char line[] = "rhm.gram";
                char **matches = complete(line);
                if (!matches || strcmp(matches[0], "grammar{") != 0)
                    fail_msg("%s, allocation %llu, mode %d: then rhm.gram has no completion", lines[i],
                             (unsigned long long)n, mode);
                free_matches(matches);
            }
            close_state(L);
        }
    }
}

int main(void)
{
    setlocale(LC_CTYPE, "");
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_open),      cmocka_unit_test(test_snippets),
                                       cmocka_unit_test(test_shell),     cmocka_unit_test(test_file),
                                       cmocka_unit_test(test_interrupt), cmocka_unit_test(test_completion)};
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
