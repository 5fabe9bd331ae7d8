/* baseline.h - the objects that the chain is compared with: rhm.cnn, rhm.shallow; what they have in common.
 */
#ifndef RHM_SCRIPT_BASELINE_H
#define RHM_SCRIPT_BASELINE_H

#include <lua.h>

#include "engine/base/poll.h"
#include "engine/data/dataset.h"
#include "engine/grammar/grammar.h"
#include "script/args.h"

#define RHM_CNN     "rhm.cnn"
#define RHM_SHALLOW "rhm.shallow"
#define RHM_ONESTEP "rhm.onestep"

struct rhm_cnn;
struct rhm_cnn_options;

void rhm_open_cnn(lua_State *L);
int rhm_script_cnn(lua_State *L);
struct rhm_cnn *rhm_check_cnn(lua_State *L); /* at index 1 */
int rhm_cnn_train_method(lua_State *L);
int rhm_cnn_resume_method(lua_State *L);

/* Reads the key scaling; makes a network and pushes it. */
void rhm_cnn_read_scaling(const struct rhm_args *args, struct rhm_cnn_options *options);
int rhm_cnn_push_new(const struct rhm_args *args, const struct rhm_cnn_options *options);

void rhm_open_shallow(lua_State *L);
int rhm_script_shallow(lua_State *L);

void rhm_open_onestep(lua_State *L);
int rhm_script_onestep(lua_State *L);

/* rhm.load of such a file: pushes the object and returns 1; 0 where the file holds something else. */
int rhm_cnn_load_object(lua_State *L, const char *path);
int rhm_shallow_load_object(lua_State *L, const char *path);
int rhm_onestep_load_object(lua_State *L, const char *path);

/* A model as the methods below see it. */
struct rhm_baseline {
    const char *name; /* of its class, without "rhm." */
    void *model;
    uint64_t d, seed;
    unsigned V, classes;
    enum rhm_status (*predict)(void *model, size_t n, const uint16_t *tokens, uint16_t *labels,
                               double *probability, rhm_poll_function *poll, void *context,
                               struct rhm_error *err);
    enum rhm_status (*accuracy)(void *model, const struct rhm_dataset *data, double *accuracy,
                                rhm_poll_function *poll, void *context, struct rhm_error *err);
};

/* model:predict(d) or :predict{1, 5, 2, ...}; model:accuracy(d) or :accuracy(source [, {n=, seed=}]). */
int rhm_baseline_predict(lua_State *L, const struct rhm_baseline *model);
int rhm_baseline_accuracy(lua_State *L, const struct rhm_baseline *model);

/* The name of an .h5 file at index 2, for a method that saves. */
const char *rhm_baseline_path(lua_State *L, const char *function);

/* V, classes (or C) and grammar of a constructor, and its s and L: what is not given comes from the grammar.
 */
void rhm_baseline_sizes(const struct rhm_args *args, int64_t *V, int64_t *classes);
void rhm_baseline_branches(const struct rhm_args *args, int64_t *s, int64_t *branch, int64_t *levels);

/* The strings to train on: the first n of the data set `from`, or n drawn from the grammar, formula or source
 * `from` with `seed` (n = 0: of a grammar ten times classes m^L, the sample complexity of PRX 2024, at most
 * 100000; else RHM_SOURCE_STRINGS). What `out` borrows is pushed. */
void rhm_baseline_source(const struct rhm_args *args, uint64_t n, uint64_t seed, struct rhm_dataset *out);

#endif
