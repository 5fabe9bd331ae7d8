/* command.h - from lines to commands: an unfinished one waits for its other lines; a finished one goes to the
 * history and runs. */
#ifndef RHM_COMMAND_H
#define RHM_COMMAND_H

#include <lua.h>

#include "terminal/evaluate.h"

struct rhm_command {
    lua_State *L;
    char *pending; /* the lines so far of an unfinished command, or NULL; owned */
};

const char *rhm_command_prompt(const struct rhm_command *command);

/* Gives an unfinished command up. */
void rhm_command_drop(struct rhm_command *command);

/* What Enter gave: one line, or several (pasted, or recalled), which are then treated as if typed one by one.
 */
enum rhm_input rhm_command_enter(struct rhm_command *command, const char *text);

#endif
