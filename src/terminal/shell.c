/* shell.c - the loop: poll the terminal and the signal pipe, hand bytes to Readline, run the lines it gives.
 *
 * Readline's line handler runs inside its own sigsetjmp frame, so it only queues the line; the loop evaluates
 * it after the handler was removed and the terminal is back in its normal mode.
 */
#include "terminal/shell.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
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

#include "script/interrupt.h"
#include "terminal/completion.h"
#include "terminal/evaluate.h"
#include "terminal/guard.h"
#include "terminal/history.h"

static const char banner[] =
    "rhm " PACKAGE_VERSION ", a workbench for Random Hierarchy Models. help() for help, Ctrl-D to leave.\n"
    "Free software under the GNU GPL version 3 or later, with no warranty.\n";

struct shell {
    lua_State *L;
    int signals;   /* the guard's pipe */
    char *pending; /* the lines so far of an unfinished command, or NULL */
    int leave;     /* the signal that ends the session, or -1 for Ctrl-D and exit; 0: go on */
};

static char *queued; /* what the line handler got; Readline gives it no argument of ours */
static bool have_line;

static void on_line(char *line)
{
    queued = line;
    have_line = true;
    rl_callback_handler_remove();
}

/* --- text -------------------------------------------------------------------------------------------- */

/* "pending\nline", or a copy of line; frees pending. NULL where memory is short. */
static char *append(char *pending, const char *line, size_t n)
{
    size_t old = pending ? strlen(pending) + 1 : 0;
    char *text = realloc(pending, old + n + 1);
    if (!text) {
        free(pending);
        fputs("error: not enough memory for this input\n", stderr);
        return NULL;
    }
    if (old)
        text[old - 1] = '\n';
    memcpy(text + old, line, n);
    text[old + n] = '\0';
    return text;
}

static void drop_pending(struct shell *sh)
{
    rhm_completion_context(NULL); /* it holds this text */
    free(sh->pending);
    sh->pending = NULL;
}

/* --- lines ------------------------------------------------------------------------------------------- */

/* One line as typed: runs the command it completes, or keeps it. */
static enum rhm_input feed(struct shell *sh, const char *line, size_t n)
{
    sh->pending = append(sh->pending, line, n);
    if (!sh->pending)
        return RHM_INPUT_FAILED;
    enum rhm_input result = rhm_evaluate(sh->L, sh->pending);
    if (result != RHM_INPUT_INCOMPLETE)
        drop_pending(sh);
    return result;
}

/* What Enter gave: one line, or several (pasted, or recalled), which are then treated as if typed one by one.
 * The history gets the command whole, and before it runs: the session may not live to see its end. */
static void feed_lines(struct shell *sh, const char *text)
{
    char *entry = append(sh->pending ? strdup(sh->pending) : NULL, text, strlen(text));
    if (entry && !rhm_evaluate_incomplete(sh->L, entry))
        rhm_history_add(entry);
    free(entry);
    enum rhm_input result = RHM_INPUT_DONE;
    for (const char *line = text;; line++) {
        size_t n = strcspn(line, "\n");
        if (n > 0 || sh->pending)
            result = feed(sh, line, n);
        line += n;
        if (!*line || result == RHM_INPUT_INTERRUPTED || result == RHM_INPUT_LEAVE)
            break;
    }
    if (result == RHM_INPUT_LEAVE)
        sh->leave = -1;
}

/* --- signals ----------------------------------------------------------------------------------------- */

static void clear_line(struct shell *sh)
{
    rhm_interrupt_clear();
    rl_echo_signal_char(SIGINT);
    rl_callback_sigcleanup();
    rl_free_line_state();
    rl_replace_line("", 1);
    rl_crlf();
    drop_pending(sh);
    rl_set_prompt("rhm> ");
    rl_on_new_line();
    rl_redisplay();
}

static void suspend(void)
{
    rl_cleanup_after_signal();
    rhm_guard_default(SIGTSTP);
}

static void resume(void)
{
    rl_cleanup_after_signal();
    rl_reset_after_signal();
    rl_forced_update_display();
}

static void take_signals(struct shell *sh)
{
    char bytes[64];
    ssize_t n = read(sh->signals, bytes, sizeof bytes);
    for (ssize_t i = 0; i < n; i++) {
        switch (bytes[i]) {
        case 'i':
            if (rhm_interrupt_pending())
                clear_line(sh);
            break;
        case 'w':
            rl_resize_terminal();
            break;
        case 'z':
            suspend();
            break;
        case 'c':
            resume();
            break;
        default:
            sh->leave = bytes[i] == 'h' ? SIGHUP : SIGTERM;
            return;
        }
    }
}

/* Forgets what arrived while a command ran: SIGINT was the command's; the rest acted at once, but for the
 * size. */
static void drop_signals(struct shell *sh)
{
    char bytes[64];
    while (read(sh->signals, bytes, sizeof bytes) > 0)
        continue;
    rhm_interrupt_clear();
    rl_reset_screen_size();
}

/* --- the loop ---------------------------------------------------------------------------------------- */

/* Turns until Enter or Ctrl-D (then have_line is set) or a signal that ends the session. */
static void read_line(struct shell *sh)
{
    have_line = false;
    queued = NULL;
    rhm_completion_context(sh->pending);
    drop_signals(sh);
    rhm_guard_prompt(true);
    rl_callback_handler_install(sh->pending ? "...> " : "rhm> ", on_line);
    while (!have_line && !sh->leave) {
        struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = sh->signals, .events = POLLIN}};
        if (poll(fds, 2, -1) < 0) {
            if (errno == EINTR)
                continue;
            sh->leave = -1;
            break;
        }
        if (fds[1].revents)
            take_signals(sh);
        if (!sh->leave && fds[0].revents & (POLLHUP | POLLERR | POLLNVAL) && !(fds[0].revents & POLLIN))
            sh->leave = -1; /* the terminal is gone */
        else if (!sh->leave && fds[0].revents)
            rl_callback_read_char();
    }
    if (!have_line)
        rl_callback_handler_remove();
    rhm_guard_prompt(false);
}

/* After Ctrl-D. Readline ends the line itself where it switched bracketed paste off. */
static void end_line(void)
{
    const char *paste = rl_variable_value("enable-bracketed-paste");
    if (!paste || strcmp(paste, "on") != 0)
        putchar('\n');
    rl_eof_found = 0; /* else it would do so after each line from now on */
}

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
    struct shell sh = {.L = L, .signals = rhm_guard_install()};
    if (sh.signals < 0) {
        fprintf(stderr, "rhm: cannot start the shell: %s\n", strerror(errno));
        return EXIT_FAILURE;
    }
    if (!options->quiet)
        fputs(banner, stdout);
    fflush(stdout);
    if (!rhm_evaluate_open(L))
        return EXIT_FAILURE;
    open_readline(L);
    rhm_history_open();
    if (!options->bare)
        run_init_file(L);
    while (!sh.leave) {
        read_line(&sh);
        if (sh.leave)
            break;
        if (queued) {
            feed_lines(&sh, queued);
            free(queued);
        } else if (sh.pending) { /* Ctrl-D gives an unfinished command up */
            end_line();
            drop_pending(&sh);
        } else {
            end_line();
            sh.leave = -1;
        }
    }
    drop_pending(&sh);
    if (sh.leave > 0) {
        rhm_guard_restore();
        rhm_guard_default(sh.leave);
    }
    return EXIT_SUCCESS;
}
