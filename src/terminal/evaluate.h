/* evaluate.h - what a line typed at the prompt means: compiled, run, its results shown. */
#ifndef RHM_EVALUATE_H
#define RHM_EVALUATE_H

#include <stdbool.h>

#include <lua.h>

enum rhm_input {
    RHM_INPUT_DONE,
    RHM_INPUT_FAILED,
    RHM_INPUT_INCOMPLETE,
    RHM_INPUT_INTERRUPTED,
    RHM_INPUT_LEAVE
};

/* Opens lua/rhm/shell.lua, which shows results and defines help, who, timing, pp. False after an error
 * message. */
bool rhm_evaluate_open(lua_State *L);

/* Text is all lines of one command so far. RHM_INPUT_INCOMPLETE: more lines are needed and nothing was run.
 */
enum rhm_input rhm_evaluate(lua_State *L, const char *text);

/* True where the text needs more lines. Runs nothing. */
bool rhm_evaluate_incomplete(lua_State *L, const char *text);

/* Runs a file for the session (the init file). Shows errors; false after one. */
bool rhm_evaluate_file(lua_State *L, const char *name);

#endif
