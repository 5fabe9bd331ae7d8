/* baseline.h - the objects that the chain is compared with: rhm.cnn, rhm.shallow, rhm.onestep; what they have
 * in common. */
#ifndef RHM_SCRIPT_BASELINE_H
#define RHM_SCRIPT_BASELINE_H

#include <lua.h>

#include "engine/base/poll.h"
#include "engine/data/dataset.h"
#include "engine/grammar/grammar.h"
#include "script/args.h"
#include "script/job.h"

#define RHM_CNN     "rhm.cnn"
#define RHM_SHALLOW "rhm.shallow"
#define RHM_ONESTEP "rhm.onestep"

struct rhm_cnn_options;

void rhm_open_cnn(lua_State *L);
int rhm_script_cnn(lua_State *L);
int rhm_cnn_train_method(lua_State *L);

/* Reads the key scaling; makes a network and pushes it. */
void rhm_cnn_read_scaling(const struct rhm_args *args, struct rhm_cnn_options *options);
int rhm_cnn_push_new(const struct rhm_args *args, const struct rhm_cnn_options *options);

void rhm_open_shallow(lua_State *L);
int rhm_script_shallow(lua_State *L);

void rhm_open_onestep(lua_State *L);
int rhm_script_onestep(lua_State *L);

/* --- kinds of models ---------------------------------------------------------------------------------- */

struct rhm_baseline_sizes {
    size_t d;
    uint64_t seed;
    unsigned V, classes;
};

/* One kind, and what its objects do: the engine's functions of that kind. */
struct rhm_baseline_kind {
    const char *name;  /* "cnn" */
    const char *class; /* "rhm.cnn" */
    struct rhm_baseline_sizes (*sizes)(const void *model);
    void (*free)(void *model);
    int (*is_file)(const char *path);
    enum rhm_status (*load)(void **model, const char *path, struct rhm_error *err);
    enum rhm_status (*save)(void *model, const char *path, struct rhm_error *err);
    enum rhm_status (*predict)(void *model, size_t n, const uint16_t *tokens, uint16_t *labels,
                               double *probability, rhm_poll_function *poll, void *context,
                               struct rhm_error *err);
    enum rhm_status (*accuracy)(void *model, const struct rhm_dataset *data, double *accuracy,
                                rhm_poll_function *poll, void *context, struct rhm_error *err);
};
extern const struct rhm_baseline_kind rhm_baseline_cnn, rhm_baseline_shallow, rhm_baseline_onestep;

/* Defines rhm_baseline_<kind> from struct rhm_<kind> and rhm_<kind>_predict, ..., and the methods all kinds
 * have: <kind>_predict, <kind>_accuracy, <kind>_save, <kind>_resume, <kind>_gc. */
#define RHM_BASELINE_KIND(kind, class_name)                                                                  \
    static struct rhm_baseline_sizes kind##_sizes(const void *model)                                         \
    {                                                                                                        \
        const struct rhm_##kind *net = model;                                                                \
        return (struct rhm_baseline_sizes){                                                                  \
            .d = (size_t)net->d, .seed = net->seed, .V = net->V, .classes = net->classes};                   \
    }                                                                                                        \
    static void kind##_free_model(void *model)                                                               \
    {                                                                                                        \
        rhm_##kind##_free(model);                                                                            \
    }                                                                                                        \
    static enum rhm_status kind##_load_model(void **model, const char *path, struct rhm_error *err)          \
    {                                                                                                        \
        struct rhm_##kind *net = NULL;                                                                       \
        enum rhm_status status = rhm_##kind##_load(&net, path, err);                                         \
        *model = net;                                                                                        \
        return status;                                                                                       \
    }                                                                                                        \
    static enum rhm_status kind##_save_model(void *model, const char *path, struct rhm_error *err)           \
    {                                                                                                        \
        return rhm_##kind##_save(model, path, err);                                                          \
    }                                                                                                        \
    static enum rhm_status kind##_predict_strings(                                                           \
        void *model, size_t n, const uint16_t *tokens, uint16_t *labels, double *probability,                \
        rhm_poll_function *poll, void *context, struct rhm_error *err)                                       \
    {                                                                                                        \
        return rhm_##kind##_predict(model, n, tokens, labels, probability, poll, context, err);              \
    }                                                                                                        \
    static enum rhm_status kind##_accuracy_on(void *model, const struct rhm_dataset *data, double *accuracy, \
                                              rhm_poll_function *poll, void *context, struct rhm_error *err) \
    {                                                                                                        \
        return rhm_##kind##_accuracy(model, data, accuracy, poll, context, err);                             \
    }                                                                                                        \
    const struct rhm_baseline_kind rhm_baseline_##kind = {.name = #kind,                                     \
                                                          .class = class_name,                               \
                                                          .sizes = kind##_sizes,                             \
                                                          .free = kind##_free_model,                         \
                                                          .is_file = rhm_##kind##_is_file,                   \
                                                          .load = kind##_load_model,                         \
                                                          .save = kind##_save_model,                         \
                                                          .predict = kind##_predict_strings,                 \
                                                          .accuracy = kind##_accuracy_on};                   \
    static int kind##_predict(lua_State *L)                                                                  \
    {                                                                                                        \
        return rhm_baseline_predict(L, &rhm_baseline_##kind);                                                \
    }                                                                                                        \
    static int kind##_accuracy(lua_State *L)                                                                 \
    {                                                                                                        \
        return rhm_baseline_accuracy(L, &rhm_baseline_##kind);                                               \
    }                                                                                                        \
    static int kind##_save(lua_State *L)                                                                     \
    {                                                                                                        \
        return rhm_baseline_save(L, &rhm_baseline_##kind);                                                   \
    }                                                                                                        \
    static int kind##_resume(lua_State *L)                                                                   \
    {                                                                                                        \
        rhm_baseline_check(L, &rhm_baseline_##kind);                                                         \
        return rhm_job_resume_subject(L, #kind ":resume");                                                   \
    }                                                                                                        \
    static int kind##_gc(lua_State *L)                                                                       \
    {                                                                                                        \
        return rhm_baseline_gc(L, &rhm_baseline_##kind);                                                     \
    }

/* An object on the stack, whose model the caller makes. */
void **rhm_baseline_push(lua_State *L, const struct rhm_baseline_kind *kind);

/* The model of the object at index 1, which must be of the kind. */
void *rhm_baseline_check(lua_State *L, const struct rhm_baseline_kind *kind);

/* rhm.load of a file of any kind: pushes the object and returns 1; 0 where the file holds something else. */
int rhm_baseline_load(lua_State *L, const char *path);

/* model:predict(d) or :predict{1, 5, 2, ...}; model:accuracy(d) or :accuracy(source [, {n=, seed=}]);
 * model:save(path), to an .h5 file. */
int rhm_baseline_predict(lua_State *L, const struct rhm_baseline_kind *kind);
int rhm_baseline_accuracy(lua_State *L, const struct rhm_baseline_kind *kind);
int rhm_baseline_save(lua_State *L, const struct rhm_baseline_kind *kind);
int rhm_baseline_gc(lua_State *L, const struct rhm_baseline_kind *kind);

/* model:train{from=, n=, seed=, progress=, background=}, whose options are a struct rhm_dataset. */
int rhm_baseline_train(lua_State *L, const struct rhm_baseline_kind *kind, const struct rhm_job_kind *job);

/* The same once the options are read: starts the training of the object at index 1 as a job; pushes that or,
 * in the foreground, waits for its result. `source`: stack index of what the options borrow. */
int rhm_baseline_begin(lua_State *L, const struct rhm_job_kind *job, int source, const void *options,
                       int background, const struct rhm_wait *wait);

/* model:outputs(d, l): what layer l, 1..layers, says of each string, width(model, l) numbers. */
typedef enum rhm_status rhm_outputs_function(void *model, unsigned l, size_t n, const uint16_t *tokens,
                                             double *output, rhm_poll_function *poll, void *context,
                                             struct rhm_error *err);
int rhm_baseline_outputs(lua_State *L, const struct rhm_baseline_kind *kind, unsigned layers,
                         size_t (*width)(const void *model, unsigned l), rhm_outputs_function *outputs);

/* --- arguments ---------------------------------------------------------------------------------------- */

/* V, classes (or C) and grammar of a constructor, and its s, L and d (0: s^L): what is not given comes from
 * the grammar. With another s than the grammar's its strings are padded. */
void rhm_baseline_sizes(const struct rhm_args *args, int64_t *V, int64_t *classes);
void rhm_baseline_branches(const struct rhm_args *args, int64_t *s, int64_t *branch, int64_t *levels,
                           int64_t *d);

/* The strings to train on: the first n of the data set `from`, or n drawn from the grammar, formula or source
 * `from` with `seed` (n = 0: of a grammar ten times classes m^L, the sample complexity of PRX 2024, at most
 * 100000; else RHM_SOURCE_STRINGS). What `out` borrows is pushed. */
void rhm_baseline_source(const struct rhm_args *args, uint64_t n, uint64_t seed, struct rhm_dataset *out);

#endif
