/* plain.c - the loop without a panel: poll the terminal and the signal pipe, hand bytes to Readline, run the
 * lines it gives.
 *
 * Readline's line handler runs inside its own sigsetjmp frame, so it only queues the line; the loop evaluates
 * it after the handler was removed and the terminal is back in its normal mode.
 */
#include "terminal/plain.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <readline/readline.h>

#include "script/interrupt.h"
#include "script/jobs.h"
#include "terminal/command.h"
#include "terminal/completion.h"
#include "terminal/guard.h"

struct plain {
    struct rhm_command command;
    int signals; /* the guard's pipe */
    int leave;   /* the signal that ends the session, or -1 for Ctrl-D and exit; 0: go on */
};

static char *queued; /* what the line handler got; Readline gives it no argument of ours */
static bool have_line;

static void on_line(char *line)
{
    queued = line;
    have_line = true;
    rl_callback_handler_remove();
}

/* --- signals ----------------------------------------------------------------------------------------- */

static void clear_line(struct plain *sh)
{
    rhm_interrupt_clear();
    rl_echo_signal_char(SIGINT);
    rl_callback_sigcleanup();
    rl_free_line_state();
    rl_replace_line("", 1);
    rl_crlf();
    rhm_command_drop(&sh->command);
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

static void take_signals(struct plain *sh)
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
static void drop_signals(struct plain *sh)
{
    char bytes[64];
    while (read(sh->signals, bytes, sizeof bytes) > 0)
        continue;
    rhm_interrupt_clear();
    rl_reset_screen_size();
}

/* --- the loop ---------------------------------------------------------------------------------------- */

/* Turns until Enter or Ctrl-D (then have_line is set) or a signal that ends the session. */
static void read_line(struct plain *sh)
{
    have_line = false;
    queued = NULL;
    rhm_completion_context(sh->command.pending);
    drop_signals(sh);
    rhm_guard_prompt(true);
    rl_callback_handler_install(rhm_command_prompt(&sh->command), on_line);
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

int rhm_plain_run(lua_State *L, int signals)
{
    struct plain sh = {.command = {.L = L}, .signals = signals};
    while (!sh.leave) {
        if (!sh.command.pending)
            rhm_jobs_prompt(L);
        read_line(&sh);
        if (sh.leave)
            break;
        if (queued) {
            if (rhm_command_enter(&sh.command, queued) == RHM_INPUT_LEAVE)
                sh.leave = -1;
            free(queued);
        } else if (sh.command.pending) { /* Ctrl-D gives an unfinished command up */
            end_line();
            rhm_command_drop(&sh.command);
        } else {
            end_line();
            sh.leave = -1;
        }
    }
    rhm_command_drop(&sh.command);
    return sh.leave > 0 ? sh.leave : 0;
}
