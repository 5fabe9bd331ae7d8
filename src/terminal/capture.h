/* capture.h - standard output and error go to a scrollback instead of the terminal.
 *
 * Whatever is written on descriptors 1 and 2, by Lua, by a library or by a child process, runs through a
 * pipe. A thread of its own empties it, so that nobody who prints ever blocks; it writes to the scrollback
 * under a lock.
 */
#ifndef RHM_CAPTURE_H
#define RHM_CAPTURE_H

#include <stdbool.h>

#include "terminal/scrollback.h"

/* Standard error is captured only where it is a terminal. False, and nothing changed, where the system has no
 * more pipes or threads. */
bool rhm_capture_open(struct rhm_scrollback *scrollback);

/* What was written is in the scrollback, 1 and 2 are what they were. */
void rhm_capture_close(void);

/* Readable when something new came; and what 1 and 2 were (-1: not captured). */
int rhm_capture_descriptor(void);
int rhm_capture_output(void);
int rhm_capture_error(void);

/* Flushes stdout and takes all that was written until now; the descriptor is no longer readable. True where
 * the scrollback has something that was not announced before. */
bool rhm_capture_drain(void);

/* Held by whoever reads the scrollback. */
void rhm_capture_lock(void);
void rhm_capture_unlock(void);

#endif
