/* completion.c - see completion.h. */
#include "terminal/completion.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <readline/readline.h>

#include <lauxlib.h>

#include "script/call.h"
#include "script/screen.h"

static lua_State *state; /* Readline's callbacks take no argument of ours */
static const char *context;
static char **words; /* the candidates, NULL at the end */

void rhm_completion_context(const char *lines)
{
    context = lines;
}

static void free_words(void)
{
    for (char **w = words; w && *w; w++)
        free(*w);
    free(words);
    words = NULL;
}

/* Copies the list on top of the stack: Readline must not be left by a Lua error. */
static void copy_words(lua_State *L)
{
    size_t n = lua_istable(L, -1) ? (size_t)lua_rawlen(L, -1) : 0;
    words = calloc(n + 1, sizeof *words);
    for (size_t i = 0; words && i < n; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        words[i] = strdup(lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "");
        lua_pop(L, 1);
        if (!words[i])
            break;
    }
}

static char *next_word(const char *text, int again)
{
    static size_t i;
    (void)text;
    if (!again)
        i = 0;
    if (!words || !words[i])
        return NULL;
    char *word = strdup(words[i]);
    i++;
    return word;
}

/* A folder that is closed with its object, also where memory ends while it is read. */
static int folder_gc(lua_State *L)
{
    DIR **dir = lua_touserdata(L, 1);
    if (*dir)
        closedir(*dir);
    *dir = NULL;
    return 0;
}

static DIR *push_folder(lua_State *L, const char *name)
{
    DIR **dir = lua_newuserdatauv(L, sizeof *dir, 0);
    *dir = NULL;
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, folder_gc);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    *dir = name ? opendir(name) : NULL;
    return *dir;
}

/* files(prefix): the names in the folder of prefix that begin with its last part; folders end in '/'. */
static int files(lua_State *L)
{
    const char *prefix = luaL_checkstring(L, 1), *slash = strrchr(prefix, '/');
    const char *last = slash ? slash + 1 : prefix, *home = getenv("HOME");
    char folder[PATH_MAX], name[PATH_MAX];
    int length = (int)(last - prefix), n;
    if (prefix[0] == '~' && prefix[1] == '/' && home)
        n = snprintf(folder, sizeof folder, "%s%.*s", home, length - 1, prefix + 1);
    else
        n = snprintf(folder, sizeof folder, "%.*s", length ? length : 2, length ? prefix : "./");
    lua_settop(L, 1);
    DIR *dir = push_folder(L, n > 0 && n < PATH_MAX ? folder : NULL);
    lua_newtable(L);
    lua_Integer count = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        struct stat st;
        const char *e = entry->d_name;
        if (strncmp(e, last, strlen(last)) != 0 || (e[0] == '.' && !*last) || !strcmp(e, ".") ||
            !strcmp(e, ".."))
            continue;
        n = snprintf(name, sizeof name, "%s%s", folder, e);
        bool is_folder = n > 0 && n < PATH_MAX && stat(name, &st) == 0 && S_ISDIR(st.st_mode);
        lua_pushfstring(L, is_folder ? "%s/" : "%s", e);
        lua_rawseti(L, 3, ++count);
    }
    lua_pushcfunction(L, folder_gc); /* now, not when it is collected */
    lua_pushvalue(L, 2);
    lua_call(L, 1, 0);
    return 1;
}

static int protected_complete(lua_State *L)
{
    int start = (int)lua_tointeger(L, 1);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "rhm.complete");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "candidates");
    lua_pushlstring(L, rl_line_buffer, (size_t)start);
    lua_pushlstring(L, rl_line_buffer + start, (size_t)(rl_point - start));
    lua_pushstring(L, context ? context : "");
    lua_pushcfunction(L, files);
    lua_call(L, 4, 1);
    return 1;
}

static char **complete(const char *text, int start, int end)
{
    (void)end;
    rl_attempted_completion_over = 1; /* never Readline's own file names */
    rl_completion_suppress_append = 1;
    free_words();
    lua_State *L = state;
    int top = lua_gettop(L);
    if (!lua_checkstack(L, 8))
        return NULL;
    lua_pushcfunction(L, protected_complete);
    lua_pushinteger(L, start);
    if (rhm_call(L, 1, 1) == LUA_OK)
        copy_words(L);
    lua_settop(L, top);
    char **matches = words && *words ? rl_completion_matches(text, next_word) : NULL;
    free_words();
    return matches;
}

/* matches[1..n], in columns, as Readline would. */
static void print_matches(char **matches, int n, int longest)
{
    int width = longest + 2, screen = rhm_screen_width() - 1;
    int columns = screen / width > 0 ? screen / width : 1;
    int rows = (n + columns - 1) / columns;
    for (int row = 0; row < rows; row++) {
        for (int i = row; i < n; i += rows)
            printf("%-*s", i + rows < n ? width : 0, matches[i + 1]);
        putchar('\n');
    }
    fflush(stdout);
}

void rhm_completion_list_in_output(void)
{
    rl_completion_display_matches_hook = print_matches;
}

void rhm_completion_open(lua_State *L)
{
    state = L;
    rl_attempted_completion_function = complete;
    rl_completer_word_break_characters = " \t\n\"'`@$><=;|&{(,+-*/%^#~[])}.:?!\\";
    rl_basic_quote_characters = "";
    rl_completer_quote_characters = NULL;
    rl_completion_query_items = 300; /* a question would not hear Ctrl-C */
    rl_completion_append_character = '\0';
}
