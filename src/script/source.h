/* source.h - what strings can be drawn from: grammars, trees of gates, sources written in Lua. */
#ifndef RHM_SCRIPT_SOURCE_H
#define RHM_SCRIPT_SOURCE_H

#include <lua.h>

#include "engine/data/dataset.h"
#include "engine/grammar/formula.h"

#define RHM_FORMULA "rhm.formula"
#define RHM_SOURCE  "rhm.source"

#define RHM_SOURCE_STRINGS 10000 /* drawn where nobody says how many */
#define RHM_TEST_STRINGS   10000
#define RHM_TEST_SEED      (UINT64_C(1) << 40) /* added to a model's own, far from those of trainings */

void rhm_open_formula(lua_State *L);
void rhm_open_source(lua_State *L);
int rhm_script_formula(lua_State *L);
int rhm_script_source(lua_State *L);

/* NULL where the value is something else. */
struct rhm_formula *rhm_test_formula(lua_State *L, int index);

/* What is expected in messages: "a grammar, a formula, a source or a data set". */
#define RHM_ANY_SOURCE "a grammar, a formula, a source or a data set"

/* 1 for a formula or a source of the user's: strings must be drawn from it before they are used. */
int rhm_source_is(lua_State *L, int index);

/* Draws n strings of the seed from a grammar, a formula or a source at `index`; pushes the data set. */
struct rhm_dataset *rhm_source_draw(lua_State *L, int index, const char *function, uint64_t n, uint64_t seed);

/* For an accuracy: strings to test on, from what rhm_source_is at index 2; n and seed of the table at index 3
 * (or nil) may say which. Pushes the data set. */
struct rhm_dataset *rhm_source_test_strings(lua_State *L, const char *function, uint64_t model_seed);

#endif
