/* idle.h - what the Lua thread does between two slices of a wait for an engine call or a job.
 *
 * Calls go down only, so the script layer does not know the terminal: the panel leaves a function here, and
 * each wait of the Lua thread calls it some 50 times a second. It looks at the keyboard, draws, and returns
 * at once.
 */
#ifndef RHM_SCRIPT_IDLE_H
#define RHM_SCRIPT_IDLE_H

/* Never raises a Lua error. */
typedef void rhm_idle_function(void);

/* NULL: none, as in scripts and in the plain shell. */
void rhm_idle_set(rhm_idle_function *function);

void rhm_idle_turn(void);

#endif
