/* screen.c - see screen.h. */
#include "script/screen.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { DEFAULT_WIDTH = 80, SMALLEST = 10, LARGEST = 10000 };

int rhm_screen_width(void)
{
    struct winsize size;
    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col < SMALLEST ? SMALLEST : size.ws_col;
    const char *columns = getenv("COLUMNS");
    long n = columns ? strtol(columns, NULL, 10) : 0;
    return n >= SMALLEST && n <= LARGEST ? (int)n : DEFAULT_WIDTH;
}

static int width(lua_State *L)
{
    lua_pushinteger(L, rhm_screen_width());
    return 1;
}

void rhm_screen_open(lua_State *L)
{
    lua_pushcfunction(L, width);
    lua_setfield(L, -2, "width");
}
