/* main.c - the command `rhm`: options, then a script, code, standard input or the shell. */
#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lualib.h>

#ifdef HAVE_CONFIG_H
#include <config.h>
#endif
#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0.1"
#endif

#include "engine/base/threads.h"
#include "script/call.h"
#include "script/interrupt.h"
#include "script/nearest.h"
#include "script/paths.h"
#include "script/screen.h"
#include "script/script.h"
#include "terminal/shell.h"

enum { EXIT_USAGE = 2, EXIT_INTERRUPTED = 130 };

struct options {
    int argc;
    char **argv;
    int script;       /* place of the script in argv, or argc */
    bool interactive; /* -i */
    bool bare;        /* -E */
    bool quiet;       /* -q */
    bool plain;       /* --plain */
    bool warnings;    /* -W */
    bool code;        /* an -e was given */
    long threads;     /* 0: not given */
};

static const char usage[] = "usage: rhm [options] [script [args]]\n"
                            "A workbench for the theory of Random Hierarchy Models. Without a script: the\n"
                            "shell, or standard input. A script's bare name (rhm quickstart) is also looked\n"
                            "up in the scripts folder.\n\n"
                            "  -e CODE        run CODE\n"
                            "  -l MODULE      require MODULE into a global of that name (or -l NAME=MODULE)\n"
                            "  -i             enter the shell after the script or the code\n"
                            "  -E             ignore environment variables and the init file\n"
                            "  -q, --quiet    no banner\n"
                            "  -W             turn warnings on\n"
                            "  --plain        the shell without the panel\n"
                            "  --threads N    threads of the engine, 1 to 1024\n"
                            "  -v, --version  print the version\n"
                            "  -h, --help     print this text\n"
                            "  --             end of options\n"
                            "  -              run standard input as a script\n\n"
                            "Exit codes: 0, 1 error, 2 usage, 130 interrupted.\n"
                            "Manuals: rhm(1), rhm-api(7); help() in the shell.\n";

/* --- usage errors ------------------------------------------------------------------------------------ */

static const char *const known_options[] = {"-e",     "-l",      "-i",        "-E",      "-q",
                                            "-W",     "-v",      "-h",        "--quiet", "--version",
                                            "--help", "--plain", "--threads", NULL};

static int fail_usage(const char *what, const char *word)
{
    const char *nearest = rhm_nearest_word(word, known_options);
    if (strncmp(what, "unknown", 7) == 0 && nearest)
        fprintf(stderr, "rhm: %s %s: did you mean %s? (rhm --help lists all)\n", what, word, nearest);
    else
        fprintf(stderr, "rhm: %s %s (see rhm --help)\n", what, word);
    return EXIT_USAGE;
}

/* --- options ----------------------------------------------------------------------------------------- */

static bool parse_threads(const char *text, long *threads)
{
    char *end;
    errno = 0;
    *threads = text ? strtol(text, &end, 10) : 0;
    return text && *text && !*end && !errno && *threads >= 1 && *threads <= 1024;
}

/* -e and -l take the rest of their word or the next one: 0 where there is none, else the words used. */
static int option_argument(char **argv, int i, const char **argument)
{
    *argument = argv[i][2] ? argv[i] + 2 : argv[i + 1];
    return *argument ? (argv[i][2] ? 1 : 2) : 0;
}

/* Returns -1 to go on, else an exit code. */
static int parse(int argc, char **argv, struct options *o)
{
    *o = (struct options){.argc = argc, .argv = argv, .script = argc};
    for (int i = 1; i < argc;) {
        const char *word = argv[i], *argument;
        if (word[0] != '-' || !word[1]) { /* a script, or "-" */
            o->script = i;
            return -1;
        }
        if (strcmp(word, "--") == 0) {
            o->script = i + 1;
            return -1;
        }
        if (strncmp(word, "-e", 2) == 0 || strncmp(word, "-l", 2) == 0) {
            int used = option_argument(argv, i, &argument);
            if (!used)
                return fail_usage(word[1] == 'e' ? "code expected after" : "module expected after", word);
            o->code = o->code || word[1] == 'e';
            i += used;
            continue;
        }
        if (strcmp(word, "--threads") == 0 || strncmp(word, "--threads=", 10) == 0) {
            argument = word[9] ? word + 10 : argv[i + 1];
            if (!parse_threads(argument, &o->threads))
                return fail_usage("--threads needs a number from 1 to 1024, not",
                                  argument ? argument : "nothing");
            i += word[9] ? 1 : 2;
            continue;
        }
        if (strcmp(word, "-i") == 0) {
            o->interactive = true;
        } else if (strcmp(word, "-E") == 0) {
            o->bare = true;
        } else if (strcmp(word, "-q") == 0 || strcmp(word, "--quiet") == 0) {
            o->quiet = true;
        } else if (strcmp(word, "-W") == 0) {
            o->warnings = true;
        } else if (strcmp(word, "--plain") == 0) {
            o->plain = true;
        } else if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
            fputs(usage, stdout);
            return EXIT_SUCCESS;
        } else if (strcmp(word, "-v") == 0 || strcmp(word, "--version") == 0) {
            printf("rhm %s (%s)\n", PACKAGE_VERSION, LUA_RELEASE);
            return EXIT_SUCCESS;
        } else {
            return fail_usage("unknown option", word);
        }
        i++;
    }
    return -1;
}

/* --- running ----------------------------------------------------------------------------------------- */

/* The exit code of a call's status; prints the message on top of the stack, if there is one. */
static int report(lua_State *L, int status)
{
    if (status == LUA_OK)
        return EXIT_SUCCESS;
    fflush(stdout);
    const char *message = status == RHM_CALL_INTERRUPTED ? RHM_INTERRUPTED : lua_tostring(L, -1);
    fprintf(stderr, "rhm: %s\n", message ? message : "(an error without a message)");
    lua_pop(L, 1);
    return status == RHM_CALL_INTERRUPTED ? EXIT_INTERRUPTED : EXIT_FAILURE;
}

static int run_chunk(lua_State *L, int status, int narg)
{
    if (status == LUA_OK) {
        lua_insert(L, -(narg + 1));
        status = rhm_call(L, narg, 0);
    } else {
        lua_insert(L, -(narg + 1));
        lua_pop(L, narg);
    }
    return report(L, status);
}

/* -l MODULE or NAME=MODULE. */
static int run_require(lua_State *L, const char *argument)
{
    const char *equals = strchr(argument, '=');
    lua_getglobal(L, "require");
    lua_pushstring(L, equals ? equals + 1 : argument);
    int status = rhm_call(L, 1, 1);
    if (status != LUA_OK)
        return report(L, status);
    lua_pushlstring(L, argument, equals ? (size_t)(equals - argument) : strlen(argument));
    lua_insert(L, -2);
    lua_setglobal(L, lua_tostring(L, -2));
    lua_pop(L, 1);
    return EXIT_SUCCESS;
}

/* All -e and -l in their order, until one fails. */
static int run_options(lua_State *L, const struct options *o)
{
    for (int i = 1; i < o->script && o->argv[i];) {
        const char *word = o->argv[i], *argument;
        if (word[0] != '-' || (word[1] != 'e' && word[1] != 'l')) {
            i += strcmp(word, "--threads") == 0 ? 2 : 1;
            continue;
        }
        i += option_argument(o->argv, i, &argument);
        int code = word[1] == 'l'
                       ? run_require(L, argument)
                       : run_chunk(L, luaL_loadbuffer(L, argument, strlen(argument), "=(command line)"), 0);
        if (code != EXIT_SUCCESS)
            return code;
    }
    return EXIT_SUCCESS;
}

static bool is_file(const char *name)
{
    struct stat st;
    return stat(name, &st) == 0 && !S_ISDIR(st.st_mode);
}

/* The file of the script `name`: itself, or a bare name in the scripts folder. NULL after an error message.
 */
static const char *find_script(const char *name, char found[PATH_MAX])
{
    if (is_file(name))
        return name;
    if (strchr(name, '/')) {
        fprintf(stderr, "rhm: cannot open script \"%s\": %s\n", name,
                strerror(access(name, F_OK) ? errno : EISDIR));
        return NULL;
    }
    size_t n = strlen(name);
    const char *extension = n > 4 && strcmp(name + n - 4, ".lua") == 0 ? "" : ".lua";
    const char *folder = rhm_paths()->scripts;
    if (snprintf(found, PATH_MAX, "%s/%s%s", folder, name, extension) < PATH_MAX && is_file(found))
        return found;
    fprintf(stderr, "rhm: no script \"%s\": looked for ./%s and %s/%s%s\n", name, name, folder, name,
            extension);
    return NULL;
}

/* arg[0] is the script as given, arg[1...] its arguments, arg[-1...] what came before, as in lua.c. */
static void create_arg(lua_State *L, const struct options *o)
{
    int script = o->script < o->argc ? o->script : 0;
    lua_createtable(L, o->argc - script, script + 1);
    for (int i = 0; i < o->argc; i++) {
        lua_pushstring(L, o->argv[i]);
        lua_rawseti(L, -2, i - script);
    }
    lua_setglobal(L, "arg");
}

static int run_script(lua_State *L, const struct options *o)
{
    char found[PATH_MAX];
    const char *name = o->argv[o->script], *file = NULL;
    bool standard_input = strcmp(name, "-") == 0 && strcmp(o->argv[o->script - 1], "--") != 0;
    if (!standard_input && !(file = find_script(name, found)))
        return EXIT_FAILURE;
    int narg = o->argc - o->script - 1;
    luaL_checkstack(L, narg + 3, "too many arguments to the script");
    for (int i = o->script + 1; i < o->argc; i++)
        lua_pushstring(L, o->argv[i]);
    return run_chunk(L, luaL_loadfile(L, file), narg);
}

/* --- the state --------------------------------------------------------------------------------------- */

static void set_package_path(lua_State *L)
{
    lua_getglobal(L, LUA_LOADLIBNAME);
    lua_pushfstring(L, "%s/?.lua;", rhm_paths()->lua);
    lua_getfield(L, -2, "path");
    lua_concat(L, 2);
    lua_setfield(L, -2, "path");
    lua_pop(L, 1);
}

/* A full disk must not look like success; a reader that went away is no error of ours. */
static int close_output(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    if (errno != EPIPE)
        fprintf(stderr, "rhm: cannot write standard output: %s\n", strerror(errno));
    return code == EXIT_SUCCESS ? EXIT_FAILURE : code;
}

/* os.exit([code [, close]]) as Lua's, but that the state is closed unless close is false: a job's thread must
 * have ended before the libraries it runs in are torn down. */
static int os_exit(lua_State *L)
{
    int code = lua_isboolean(L, 1) ? (lua_toboolean(L, 1) ? EXIT_SUCCESS : EXIT_FAILURE)
                                   : (int)luaL_optinteger(L, 1, EXIT_SUCCESS);
    if (lua_isnoneornil(L, 2) || lua_toboolean(L, 2))
        lua_close(L);
    exit(close_output(code));
}

static void open_libraries(lua_State *L, const struct options *o)
{
    if (o->bare) {
        lua_pushboolean(L, 1);
        lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV"); /* loadlib.c: no LUA_PATH, no LUA_CPATH */
    }
    luaL_openlibs(L);
    set_package_path(L);
    lua_getglobal(L, LUA_OSLIBNAME);
    lua_pushcfunction(L, os_exit);
    lua_setfield(L, -2, "exit");
    lua_pop(L, 1);
    rhm_interrupt_open(L);
    luaL_requiref(L, "rhm", luaopen_rhm, 1);
    rhm_screen_open(L);
    lua_pop(L, 1);
    create_arg(L, o);
    lua_warning(L, o->warnings ? "@on" : "@off", 0);
}

/* The part of rhm written in Lua: rhm.help, rhm.print, ... */
static int open_modules(lua_State *L)
{
    const char *name = lua_pushfstring(L, "%s/rhm/startup.lua", rhm_paths()->lua);
    if (access(name, R_OK) != 0) {
        fprintf(stderr, "rhm: cannot read its own module %s: %s; install rhm again (make install)\n", name,
                strerror(errno));
        return EXIT_FAILURE;
    }
    lua_pop(L, 1);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "rhm.startup");
    int code = report(L, rhm_call(L, 1, 0));
    rhm_module_seal(L);
    return code;
}

static int run(lua_State *L, const struct options *o)
{
    open_libraries(L, o);
    int code = open_modules(L);
    if (code != EXIT_SUCCESS)
        return code;
    bool script = o->script < o->argc;
    bool shell = o->interactive || (!script && !o->code && isatty(STDIN_FILENO));
    rhm_interrupt_install(-1, !shell);
    code = run_options(L, o);
    if (code == EXIT_SUCCESS && script)
        code = run_script(L, o);
    if (shell && code != EXIT_INTERRUPTED)
        return rhm_shell_run(
            L, &(struct rhm_shell_options){.quiet = o->quiet, .bare = o->bare, .plain = o->plain});
    if (code == EXIT_SUCCESS && !script && !o->code)
        code = run_chunk(L, luaL_loadfile(L, NULL), 0);
    return code;
}

/* Everything that may raise a Lua error runs below this call. */
static int protected_main(lua_State *L)
{
    lua_pushinteger(L, run(L, lua_touserdata(L, 1)));
    return 1;
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, ""); /* the rest stays "C": numbers and order do not depend on the user's language */
    struct options options;
    int code = parse(argc, argv, &options);
    if (code >= 0)
        return close_output(code);
    struct rhm_error err;
    if (options.threads && rhm_threads_set((int)options.threads, &err) != RHM_OK) {
        fprintf(stderr, "rhm: --threads %ld: %s\n", options.threads, err.text);
        return EXIT_USAGE;
    }
    lua_State *L = luaL_newstate();
    if (!L) {
        fputs("rhm: not enough memory for Lua\n", stderr);
        return EXIT_FAILURE;
    }
    lua_pushcfunction(L, protected_main);
    lua_pushlightuserdata(L, &options);
    int status = lua_pcall(L, 1, 1, 0);
    code = status == LUA_OK ? (int)lua_tointeger(L, -1) : report(L, status);
    lua_close(L);
    return close_output(code);
}
