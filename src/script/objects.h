/* objects.h - the objects of the Lua API as C sees them: how each is opened, made and found on the stack. */
#ifndef RHM_OBJECTS_H
#define RHM_OBJECTS_H

#include <lua.h>

#include "engine/base/matrix.h"
#include "engine/chain/network.h"
#include "engine/data/dataset.h"
#include "engine/grammar/grammar.h"
#include "engine/jobs/job.h"
#include "script/args.h"
#include "script/object.h"

/* An empty object of each kind on the stack; its memory is freed with it. */
struct rhm_grammar *rhm_push_grammar(lua_State *L);
struct rhm_dataset *rhm_push_dataset(lua_State *L);
struct rhm_matrix *rhm_push_matrix(lua_State *L);

struct rhm_grammar *rhm_check_grammar(lua_State *L, int index);
struct rhm_dataset *rhm_check_dataset(lua_State *L, int index);
struct rhm_network *rhm_check_network(lua_State *L, int index);
/* NULL where the value is something else. */
struct rhm_grammar *rhm_test_grammar(lua_State *L, int index);
struct rhm_dataset *rhm_test_dataset(lua_State *L, int index);

/* Constructors and functions of the module. */
int rhm_script_grammar(lua_State *L);
int rhm_script_dataset(lua_State *L);
int rhm_script_network(lua_State *L);
int rhm_script_load(lua_State *L);

/* Parts of the grammar's and the network's methods that have files of their own. */
/* zipf = or weights =, prior =, label_noise =, token_noise = of rhm.grammar; the methods g:weights(l),
 * g:prior(), g:noisy{}. */
void rhm_grammar_read_weights(lua_State *L, const struct rhm_args *args, struct rhm_grammar *g);
int rhm_grammar_weights(lua_State *L);
int rhm_grammar_prior_method(lua_State *L);
int rhm_grammar_noisy(lua_State *L);
int rhm_grammar_posterior(lua_State *L);
int rhm_grammar_bayes(lua_State *L);
/* Adds to the parse on top, of levels `lowest`..L, what the grammar makes of the string, where it has token
 * noise. */
void rhm_parse_set_bayes(lua_State *L, struct rhm_network *net, const uint16_t *tokens, unsigned lowest);
int rhm_grammar_from_table(lua_State *L, const struct rhm_args *args, struct rhm_grammar *g);
int rhm_network_train_method(lua_State *L);
int rhm_network_resume_method(lua_State *L);
int rhm_network_layer_method(lua_State *L);
int rhm_network_parse_method(lua_State *L);
int rhm_network_refine_method(lua_State *L);
int rhm_network_unrefine_method(lua_State *L);
int rhm_network_refinement_method(lua_State *L);
int rhm_network_posterior_method(lua_State *L);
int rhm_network_push_refined(lua_State *L, struct rhm_network *net);

/* The string {1, 5, 2, ...} at `index` as d tokens, in memory of Lua's that it pushes. */
uint16_t *rhm_push_string(lua_State *L, int index, const char *function, const struct rhm_network *net);

/* The user value where whatever can be trained keeps its last job. */
enum { RHM_SUBJECT_JOB = 1 };

/* User values of a network. */
enum {
    RHM_NETWORK_GRAMMAR = RHM_SUBJECT_JOB + 1,
    RHM_NETWORK_BRANCHING, /* how s was inferred, or with what options the network waits for strings */
    RHM_NETWORK_VALUES = RHM_NETWORK_BRANCHING
};

/* The network at `index` that waits for strings to infer s from is made for those of the source at `from`. */
void rhm_network_settle(lua_State *L, int index, int from);

/* Options of a training from an argument table; pushes the source (grammar or data set) that they borrow.
 * level 0: of the whole chain, else of one layer. */
void rhm_read_training(const struct rhm_args *args, struct rhm_network *net, unsigned level,
                       struct rhm_train_options *options);

/* Stops and frees the job at `index` (nil is fine), waiting for its block in flight. */
void rhm_job_close(lua_State *L, int index);

/* The numbers of a layer as fields of the table on top. */
void rhm_set_view(lua_State *L, const struct rhm_layer_view *view);

void rhm_open_grammar(lua_State *L);
void rhm_open_dataset(lua_State *L);
void rhm_open_matrix(lua_State *L);
void rhm_open_network(lua_State *L);
void rhm_open_parse(lua_State *L);
void rhm_open_layer(lua_State *L);
void rhm_open_job(lua_State *L);

#endif
