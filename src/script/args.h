/* args.h - reading the one table of arguments that constructors and methods take.
 *
 * Each reader returns 0 and leaves *value as it was where the key is absent, and raises one clear error where
 * the value is of the wrong kind. Ranges are the engine's to check, so whole numbers reach it as int64.
 */
#ifndef RHM_ARGS_H
#define RHM_ARGS_H

#include <stdint.h>

#include <lua.h>

struct rhm_args {
    lua_State *L;
    int table;            /* stack index; 0: no table, all keys absent */
    const char *function; /* the prefix of error messages */
};

/* The table at `index`. A key that is not among `keys` (NULL at the end) is an error that names it and the
 * nearest known one. */
struct rhm_args rhm_args_open(lua_State *L, int index, const char *function, const char *const *keys);
/* The same where the table may be left out. */
struct rhm_args rhm_args_open_optional(lua_State *L, int index, const char *function,
                                       const char *const *keys);

int rhm_args_integer(const struct rhm_args *args, const char *key, int64_t *value);
/* 1..2^53 */
int rhm_args_count(const struct rhm_args *args, const char *key, uint64_t *value);
/* A whole number of 0 or more. */
int rhm_args_seed(const struct rhm_args *args, const char *key, uint64_t *value);
int rhm_args_number(const struct rhm_args *args, const char *key, double *value);
int rhm_args_boolean(const struct rhm_args *args, const char *key, int *value);
int rhm_args_string(const struct rhm_args *args, const char *key, const char **value);
/* One of `names` (NULL at the end): its place. */
int rhm_args_choice(const struct rhm_args *args, const char *key, const char *const *names, int *value);
int rhm_args_table(const struct rhm_args *args, const char *key); /* pushes the table if there */

/* Pushes the value of a key (nil where absent); returns its type. */
int rhm_args_push(const struct rhm_args *args, const char *key);

/* Raises the error of a key that must be given. */
void rhm_args_require(const struct rhm_args *args, const char *key, int present);

/* The whole number at `index`, called `name` in messages, which must lie in low..high. */
lua_Integer rhm_args_whole(lua_State *L, int index, const char *function, const char *name, lua_Integer low,
                           lua_Integer high);

/* The string {1, 5, 2, ...} at `index` as symbols 0..V-1, in memory of Lua's that it pushes; holes: a 0
 * stands for a missing one (RHM_MISSING). The caller has checked its length, lua_rawlen. */
uint16_t *rhm_args_symbols(lua_State *L, int index, const char *function, unsigned V, int holes);

/* The name of a file at `index`. */
const char *rhm_args_path(lua_State *L, int index, const char *function);

/* Pushes how a value is shown in messages: 2.5, 'x', nil, a table; on one line, not too long. */
const char *rhm_args_show(lua_State *L, int index);

#endif
