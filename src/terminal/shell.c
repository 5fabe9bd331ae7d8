/* shell.c - the interactive shell: what both its forms share, and which of them runs. */
#include "terminal/shell.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <readline/readline.h>

#ifdef HAVE_CONFIG_H
#include <config.h>
#endif
#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0.1"
#endif

#include "terminal/completion.h"
#include "terminal/evaluate.h"
#include "terminal/guard.h"
#include "terminal/history.h"
#include "terminal/panel.h"
#include "terminal/plain.h"

static const char banner[] =
    "rhm " PACKAGE_VERSION ", a workbench for Random Hierarchy Models. help() helps, Ctrl-D ends.\n"
    "Free software under the GNU GPL version 3 or later, with no warranty.\n";

static void run_init_file(lua_State *L)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    char name[PATH_MAX];
    int n = -1;
    if (config && *config == '/')
        n = snprintf(name, sizeof name, "%s/rhm/init.lua", config);
    else if (home && *home == '/')
        n = snprintf(name, sizeof name, "%s/.config/rhm/init.lua", home);
    if (n > 0 && n < PATH_MAX && access(name, F_OK) == 0)
        rhm_evaluate_file(L, name);
}

static void open_readline(lua_State *L)
{
    rl_readline_name = "rhm";
    rl_catch_signals = 0;
    rl_catch_sigwinch = 0;
    rl_change_environment = 0;
    if (!isatty(STDOUT_FILENO) && isatty(STDERR_FILENO))
        rl_outstream = stderr; /* `rhm | tee log`: the prompt stays out of the log */
    rhm_completion_open(L);
    rl_initialize();
}

int rhm_shell_run(lua_State *L, const struct rhm_shell_options *options)
{
    int signals = rhm_guard_install();
    if (signals < 0) {
        fprintf(stderr, "rhm: cannot start the shell: %s\n", strerror(errno));
        return EXIT_FAILURE;
    }
    if (!rhm_evaluate_open(L))
        return EXIT_FAILURE;
    open_readline(L);
    bool panel = !options->plain && rhm_panel_open(L, signals);
    if (!options->quiet)
        fputs(banner, stdout);
    fflush(stdout);
    rhm_history_open();
    if (!options->bare) {
        if (panel)
            rhm_panel_busy(true);
        run_init_file(L);
        if (panel)
            rhm_panel_busy(false);
    }
    int ended_by = panel ? rhm_panel_run() : rhm_plain_run(L, signals);
    if (panel)
        rhm_panel_close();
    if (ended_by) {
        rhm_guard_restore();
        rhm_guard_default(ended_by);
    }
    return EXIT_SUCCESS;
}
