/* guard.c - see guard.h. */
#define _GNU_SOURCE /* pipe2 */
#include "terminal/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <termios.h>
#include <unistd.h>

#include "script/interrupt.h"

static int wake[2] = {-1, -1};
static struct termios saved;
static bool have_saved;
static atomic_bool prompt;
static struct rhm_guard_screen screen;
static atomic_bool have_screen;

static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGQUIT};
enum { CRASHES = sizeof crashes / sizeof *crashes };
static struct sigaction before_crash[CRASHES];

void rhm_guard_restore(void)
{
    if (have_saved)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
}

void rhm_guard_screen(const struct rhm_guard_screen *now)
{
    atomic_store(&have_screen, false);
    if (now) {
        screen = *now;
        atomic_store(&have_screen, true);
    }
}

/* What follows is called in signal handlers: nothing but tcsetattr, write, dup2. */

static void put(const char *bytes, size_t n)
{
    ssize_t written = write(screen.terminal, bytes, n);
    (void)written;
}

static void leave_screen(void)
{
    if (!atomic_load(&have_screen))
        return;
    put(screen.leave, screen.leave_size);
    if (have_saved)
        tcsetattr(screen.terminal, TCSANOW, &saved);
}

static void enter_screen(void)
{
    if (!atomic_load(&have_screen))
        return;
    tcsetattr(screen.terminal, TCSANOW, &screen.settings);
    put(screen.enter, screen.enter_size);
}

/* For good: whoever writes its last words on standard error (a sanitizer) reaches the terminal. */
static void give_up_screen(void)
{
    if (!atomic_load(&have_screen))
        return;
    leave_screen();
    atomic_store(&have_screen, false);
    if (screen.output >= 0)
        dup2(screen.output, STDOUT_FILENO);
    if (screen.error >= 0)
        dup2(screen.error, STDERR_FILENO);
}

void rhm_guard_default(int signal_number)
{
    struct sigaction old, action = {.sa_handler = SIG_DFL};
    sigset_t set, old_set;
    sigemptyset(&action.sa_mask);
    sigaction(signal_number, &action, &old);
    sigemptyset(&set);
    sigaddset(&set, signal_number);
    raise(signal_number);
    sigprocmask(SIG_UNBLOCK, &set,
                &old_set); /* it is blocked while its own handler runs: now it is delivered */
    sigprocmask(SIG_SETMASK, &old_set, NULL);
    sigaction(signal_number, &old, NULL);
}

void rhm_guard_stop(void)
{
    leave_screen();
    rhm_guard_default(SIGTSTP);
    enter_screen(); /* the handler of SIGCONT has told the loop to draw all of it */
}

static void on_signal(int signal_number)
{
    int error = errno;
    if (!atomic_load(&prompt) && signal_number != SIGWINCH && signal_number != SIGCONT) {
        if (signal_number == SIGTSTP) {
            rhm_guard_stop();
        } else {
            give_up_screen();
            rhm_guard_restore();
            rhm_guard_default(signal_number);
        }
        errno = error;
        return;
    }
    char byte = signal_number == SIGWINCH  ? 'w'
                : signal_number == SIGTSTP ? 'z'
                : signal_number == SIGCONT ? 'c'
                : signal_number == SIGHUP  ? 'h'
                                           : 't';
    ssize_t n = write(wake[1], &byte, 1);
    (void)n;
    errno = error;
}

/* Gives the terminal back, then leaves the signal to whoever had it (a sanitizer), or to the default action.
 */
static void on_crash(int signal_number)
{
    static const char paste_off[] = "\033[?2004l\r\n";
    if (atomic_load(&have_screen)) {
        give_up_screen();
    } else if (have_saved && atomic_load(&prompt)) {
        tcsetattr(STDIN_FILENO, TCSANOW, &saved);
        ssize_t n = write(STDOUT_FILENO, paste_off, sizeof paste_off - 1);
        (void)n;
    }
    for (size_t i = 0; i < CRASHES; i++)
        if (crashes[i] == signal_number)
            sigaction(signal_number, &before_crash[i], NULL);
    raise(signal_number);
}

static void on_sigpipe(int signal_number)
{
    (void)signal_number; /* a handler, not SIG_IGN, so that children start with the default action */
}

int rhm_guard_install(void)
{
    if (pipe2(wake, O_CLOEXEC | O_NONBLOCK) != 0)
        return -1;
    have_saved = tcgetattr(STDIN_FILENO, &saved) == 0;
    rhm_interrupt_install(wake[1], false);
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    sigaction(SIGWINCH, &action, NULL);
    sigaction(SIGCONT, &action, NULL);
    struct sigaction old;
    if (sigaction(SIGTSTP, NULL, &old) == 0 && old.sa_handler != SIG_IGN) /* ignored: no job control here */
        sigaction(SIGTSTP, &action, NULL);
    action.sa_handler = on_sigpipe;
    sigaction(SIGPIPE, &action, NULL);
    action.sa_handler = on_crash;
    action.sa_flags = (int)SA_NODEFER;
    for (size_t i = 0; i < CRASHES; i++) {
        sigaction(crashes[i], NULL, &before_crash[i]);
        if (before_crash[i].sa_handler != SIG_IGN) /* as SIGQUIT of what a shell script started with & */
            sigaction(crashes[i], &action, NULL);
    }
    return wake[0];
}

bool rhm_guard_prompt(bool at_prompt)
{
    return atomic_exchange(&prompt, at_prompt);
}
