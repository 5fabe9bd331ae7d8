/* guard.h - signals of the shell, told to its loop through a pipe, and the terminal given back whatever
 * happens. */
#ifndef RHM_GUARD_H
#define RHM_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

/* Installs the handlers and saves the terminal's settings. Returns the descriptor to poll: one byte a signal,
 * 'i' SIGINT, 'w' SIGWINCH, 'z' SIGTSTP, 'c' SIGCONT, 't' SIGTERM, 'h' SIGHUP; -1 on failure. */
int rhm_guard_install(void);

/* While the loop turns (at the prompt) signals go to it. Elsewhere SIGTSTP, SIGTERM and SIGHUP act at once,
 * because user code is running. Returns what was set before. */
bool rhm_guard_prompt(bool at_prompt);

/* A full screen is on the terminal: the bytes that leave and enter it, its settings, and the descriptors that
 * standard output and error had before they were captured (-1: were not). */
struct rhm_guard_screen {
    char leave[256], enter[256];
    size_t leave_size, enter_size;
    struct termios settings;
    int terminal, output, error;
};

/* From now on the screen is left before the program stops or ends, by whatever signal, and entered again
 * after a stop. Copied; NULL: no screen. */
void rhm_guard_screen(const struct rhm_guard_screen *screen);

/* Leaves the screen, stops as the default action of SIGTSTP would, enters the screen again. */
void rhm_guard_stop(void);

/* Stops (SIGTSTP) or ends (SIGTERM, SIGHUP) the program as the default action would. */
void rhm_guard_default(int signal_number);

/* Puts the settings saved by rhm_guard_install back. */
void rhm_guard_restore(void);

#endif
