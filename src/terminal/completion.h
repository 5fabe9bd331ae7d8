/* completion.h - the TAB key: candidates come from lua/rhm/complete.lua. */
#ifndef RHM_COMPLETION_H
#define RHM_COMPLETION_H

#include <lua.h>

void rhm_completion_open(lua_State *L);

/* The lines of an unfinished command above the one being typed ("" or NULL: none). Not copied. */
void rhm_completion_context(const char *lines);

/* From now on lists of candidates are printed on standard output, not by Readline. */
void rhm_completion_list_in_output(void);

#endif
