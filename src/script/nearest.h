/* nearest.h - the word that somebody may have meant. */
#ifndef RHM_SCRIPT_NEAREST_H
#define RHM_SCRIPT_NEAREST_H

#include <stddef.h>

#include <lua.h>

/* Letters changed, added, left out or swapped with the next between two words, capitals like small ones;
 * SIZE_MAX for words of more than 32 letters. */
size_t rhm_word_distance(const char *a, const char *b);

/* The nearest among `words` (NULL at the end), or NULL: one letter in three may be wrong, case apart. */
const char *rhm_nearest_word(const char *word, const char *const *words);

/* Makes the module "rhm.nearest" for what is written in Lua: distance(a, b), math.huge for long words, and
 * word(name, list), the nearest of a list of names or nil. */
void rhm_nearest_open(lua_State *L);

#endif
