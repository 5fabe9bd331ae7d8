/* guard.h - signals of the shell, told to its loop through a pipe, and the terminal given back whatever
 * happens. */
#ifndef RHM_GUARD_H
#define RHM_GUARD_H

#include <stdbool.h>

/* Installs the handlers and saves the terminal's settings. Returns the descriptor to poll: one byte a signal,
 * 'i' SIGINT, 'w' SIGWINCH, 'z' SIGTSTP, 'c' SIGCONT, 't' SIGTERM, 'h' SIGHUP; -1 on failure. */
int rhm_guard_install(void);

/* At the prompt (Readline has the terminal) signals go to the loop. Elsewhere SIGTSTP, SIGTERM and SIGHUP act
 * at once, because user code is running and the loop does not turn. */
void rhm_guard_prompt(bool at_prompt);

/* Stops (SIGTSTP) or ends (SIGTERM, SIGHUP) the program as the default action would. */
void rhm_guard_default(int signal_number);

/* Puts the settings saved by rhm_guard_install back. */
void rhm_guard_restore(void);

#endif
