/* screen.c - see screen.h. */
#include "script/screen.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <lauxlib.h>

enum { DEFAULT_WIDTH = 80, DEFAULT_HEIGHT = 24, SMALLEST_WIDTH = 10, SMALLEST_HEIGHT = 2, LARGEST = 10000 };

static struct rhm_screen given;
static bool is_given;

static int from_environment(const char *name, int smallest, int otherwise)
{
    const char *text = getenv(name);
    long n = text ? strtol(text, NULL, 10) : 0;
    return n >= smallest && n <= LARGEST ? (int)n : otherwise;
}

static int at_least(int smallest, int n)
{
    return n < smallest ? smallest : n;
}

/* A terminal of which nothing is known: it may show no more than text. */
static bool is_dumb(const char *term)
{
    return !term || !*term || strcmp(term, "dumb") == 0;
}

int rhm_screen_term_colours(const char *term, const char *colorterm)
{
    if (is_dumb(term) || strncmp(term, "vt1", 3) == 0 || strncmp(term, "vt2", 3) == 0)
        return 0;
    if (strstr(term, "256color") || strstr(term, "direct") || strstr(term, "kitty") ||
        (colorterm && (strcmp(colorterm, "truecolor") == 0 || strcmp(colorterm, "24bit") == 0)))
        return 256;
    return strstr(term, "16color") ? 16 : 8;
}

struct rhm_screen rhm_screen_get(void)
{
    if (is_given)
        return given;
    struct winsize size;
    bool terminal = isatty(STDOUT_FILENO);
    struct rhm_screen screen = {.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0 &&
                                        !(terminal && is_dumb(getenv("TERM")))};
    if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        screen.width = at_least(SMALLEST_WIDTH, size.ws_col);
        screen.height = size.ws_row > 0 ? at_least(SMALLEST_HEIGHT, size.ws_row) : DEFAULT_HEIGHT;
    } else {
        screen.width = from_environment("COLUMNS", SMALLEST_WIDTH, DEFAULT_WIDTH);
        screen.height = from_environment("LINES", SMALLEST_HEIGHT, DEFAULT_HEIGHT);
    }
    const char *no_color = getenv("NO_COLOR");
    if (terminal && !(no_color && *no_color))
        screen.colours = rhm_screen_term_colours(getenv("TERM"), getenv("COLORTERM"));
    return screen;
}

int rhm_screen_width(void)
{
    return rhm_screen_get().width;
}

void rhm_screen_set(const struct rhm_screen *screen)
{
    is_given = screen != NULL;
    if (screen)
        given = *screen;
}

bool rhm_screen_is_panel(void)
{
    return is_given;
}

bool rhm_screen_rewrites(void)
{
    return rhm_screen_is_panel() || (isatty(STDERR_FILENO) && !is_dumb(getenv("TERM")));
}

static int width(lua_State *L)
{
    lua_pushinteger(L, rhm_screen_get().width);
    return 1;
}

static int height(lua_State *L)
{
    lua_pushinteger(L, rhm_screen_get().height);
    return 1;
}

static int colours(lua_State *L)
{
    lua_pushinteger(L, rhm_screen_get().colours);
    return 1;
}

static int utf8(lua_State *L)
{
    lua_pushboolean(L, rhm_screen_get().utf8);
    return 1;
}

void rhm_screen_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"width", width}, {"height", height}, {"colours", colours}, {"utf8", utf8}, {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}
