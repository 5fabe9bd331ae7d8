/* t-interrupt.c - SIGINT that comes just before a call that blocks, and ticks, which interrupt nothing. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <lualib.h>

#include "script/interrupt.h"

static struct {
    int ends[2]; /* a pipe */
    bool raise;  /* SIGINT at the last moment before the read */
    ssize_t n;   /* what the read gave */
    int error;
} slow;

static int read_slowly(lua_State *L)
{
    (void)L;
    char byte;
    if (slow.raise)
        rhm_interrupt_raise();
    slow.n = read(slow.ends[0], &byte, 1);
    slow.error = errno;
    return 0;
}

/* The byte that the read waits for, after so many milliseconds. */
static void *write_late(void *milliseconds)
{
    const long ms = *(long *)milliseconds;
    struct timespec left = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&left, &left) != 0)
        continue;
    assert_int_equal(write(slow.ends[1], "x", 1), 1);
    return NULL;
}

/* Runs read_slowly by a chunk of Lua; true if that was interrupted. */
static bool run(lua_State *L, bool raised, long milliseconds)
{
    pthread_t writer;
    assert_int_equal(pipe(slow.ends), 0);
    slow.raise = raised;
    assert_int_equal(pthread_create(&writer, NULL, write_late, &milliseconds), 0);
    assert_int_equal(luaL_loadstring(L, "read_slowly() for i = 1, 1000 do end"), LUA_OK);
    lua_State *before = rhm_interrupt_running(L);
    const int status = lua_pcall(L, 0, 0, 0);
    rhm_interrupt_running(before);
    rhm_interrupt_end(L);
    if (status != LUA_OK)
        assert_string_equal(lua_tostring(L, -1), RHM_INTERRUPTED);
    lua_settop(L, 0);
    pthread_join(writer, NULL);
    close(slow.ends[0]);
    close(slow.ends[1]);
    return status != LUA_OK;
}

/* The byte comes after .9 s: a read that missed the signal gets it. */
static void test_before_a_read(void **state)
{
    assert_true(run(*state, true, 900));
    assert_int_equal(slow.n, -1);
    assert_int_equal(slow.error, EINTR);
    /* it is over: the next read waits in peace */
    assert_false(run(*state, false, 400));
    assert_int_equal(slow.n, 1);
}

static void test_ticks(void **state)
{
    rhm_interrupt_ticks(true);
    assert_false(run(*state, false, 400));
    assert_int_equal(slow.n, 1);
    assert_true(run(*state, true, 900));
    assert_int_equal(slow.error, EINTR);
    assert_false(run(*state, false, 400)); /* and ticks are ticks again */
    assert_int_equal(slow.n, 1);
    rhm_interrupt_ticks(false);
}

static int open_state(void **state)
{
    lua_State *L = luaL_newstate();
    if (!L)
        return -1;
    luaL_openlibs(L);
    rhm_interrupt_open(L);
    rhm_interrupt_install(-1, false);
    lua_register(L, "read_slowly", read_slowly);
    *state = L;
    return 0;
}

static int close_state(void **state)
{
    lua_close(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_before_a_read), cmocka_unit_test(test_ticks)};
    return cmocka_run_group_tests(tests, open_state, close_state);
}
