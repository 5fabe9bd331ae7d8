/* history.h - the shell's history: a file in the XDG state folder, shared by all sessions. */
#ifndef RHM_HISTORY_H
#define RHM_HISTORY_H

/* Reads the history file into Readline's list. Where there is no place for one (no HOME, a read-only folder)
 * the history lives in memory only; a folder that cannot be written is said once on stderr. */
void rhm_history_open(void);

/* Adds one entry (it may hold newlines) to Readline's list and, at once, to the file. An equal older entry
 * goes. */
void rhm_history_add(const char *entry);

#endif
