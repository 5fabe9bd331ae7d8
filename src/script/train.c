/* train.c - net:train and net:resume: their arguments, and the foreground. */
#include "script/job.h"

#include <string.h>

#include "engine/jobs/training.h"
#include "script/latest.h"
#include "script/source.h"

/* --- arguments ---------------------------------------------------------------------------------------- */

static void fail_n(lua_State *L, const char *function, unsigned l)
{
    const char *shown = rhm_args_show(L, -1);
    if (l)
        luaL_error(L, "%s: n[%d] = %s: must be a whole number from 1 to 2^53", function, (int)l, shown);
    luaL_error(L, "%s: n = %s: must be a whole number from 1 to 2^53, or one for each level", function,
               shown);
}

static uint64_t read_n(lua_State *L, const char *function, unsigned l)
{
    int whole = 0;
    lua_Integer n = lua_type(L, -1) == LUA_TNUMBER ? lua_tointegerx(L, -1, &whole) : 0;
    if (!whole || n < 1 || n > (lua_Integer)1 << 53)
        fail_n(L, function, l);
    return (uint64_t)n;
}

/* n = N, or {N of level 1, ..., N of level L}; returns 0 where it is absent. */
static int read_samples(const struct rhm_args *args, const struct rhm_network *net, unsigned level,
                        uint64_t n[])
{
    lua_State *L = args->L;
    int type = rhm_args_push(args, "n");
    if (type == LUA_TTABLE && !level) {
        if (lua_rawlen(L, -1) != net->L)
            luaL_error(L, "%s: n has %I numbers, the network %d levels", args->function,
                       (lua_Integer)lua_rawlen(L, -1), (int)net->L);
        for (unsigned l = 1; l <= net->L; l++) {
            lua_rawgeti(L, -1, l);
            n[l] = read_n(L, args->function, l);
            lua_pop(L, 1);
        }
    } else if (type != LUA_TNIL) {
        uint64_t all = read_n(L, args->function, 0);
        for (unsigned l = 1; l <= net->L; l++)
            n[l] = all;
    }
    lua_pop(L, 1);
    return type != LUA_TNIL;
}

/* As many strings of a formula or a source at the top as a layer wants at most; they take its place. */
static void draw_strings(const struct rhm_args *args, const struct rhm_network *net,
                         struct rhm_train_options *options)
{
    uint64_t n = 0;
    for (unsigned l = 1; l <= net->L; l++)
        if (options->n[l] > n)
            n = options->n[l];
    options->data =
        rhm_source_draw(args->L, -1, args->function, n > 0 ? n : RHM_SOURCE_STRINGS, options->seed);
    lua_remove(args->L, -2);
}

/* Pushes the source. */
static void read_source(const struct rhm_args *args, const struct rhm_network *net,
                        struct rhm_train_options *options)
{
    lua_State *L = args->L;
    rhm_args_require(args, "from", rhm_args_push(args, "from") != LUA_TNIL);
    options->grammar = rhm_test_grammar(L, -1);
    options->data = rhm_test_dataset(L, -1);
    if (rhm_source_is(L, -1))
        draw_strings(args, net, options);
    if (!options->grammar && !options->data) {
        const char *shown = rhm_args_show(L, -1);
        luaL_error(L, "%s: from = %s: must be " RHM_ANY_SOURCE, args->function, shown);
    }
}

static void read_solver(const struct rhm_args *args, struct rhm_train_options *options)
{
    static const char *const names[] = {[RHM_SOLVER_EXACT] = "exact", [RHM_SOLVER_GD] = "gd", NULL};
    int solver = (int)options->solver;
    int given = rhm_args_choice(args, "solver", names, &solver);
    int steps = rhm_args_count(args, "steps", &options->steps),
        eta = rhm_args_number(args, "eta", &options->eta);
    if (given && solver == RHM_SOLVER_EXACT && (steps || eta))
        luaL_error(args->L, "%s: %s is for solver = 'gd', not for the closed form", args->function,
                   steps ? "steps" : "eta");
    if (!given && (steps || eta))
        solver = RHM_SOLVER_GD;
    if (eta && options->eta <= 0)
        luaL_error(args->L, "%s: eta = %f: must be above 0", args->function, options->eta);
    options->solver = (enum rhm_solver)solver;
}

static void read_position(const struct rhm_args *args, struct rhm_train_options *options)
{
    static const char *const names[] = {[RHM_POSITION_FIRST] = "first", [RHM_POSITION_ALL] = "all", NULL};
    int position = (int)options->position;
    rhm_args_choice(args, "position", names, &position);
    options->position = (enum rhm_position)position;
}

void rhm_read_training(const struct rhm_args *args, struct rhm_network *net, unsigned level,
                       struct rhm_train_options *options)
{
    static const char *const samplers[] = {"tally", "draw", NULL};
    lua_State *L = args->L;
    *options = rhm_train_defaults(net);
    int n = read_samples(args, net, level, options->n);
    int c = rhm_args_number(args, "c", &options->c);
    if (n && c)
        luaL_error(L, "%s: n and c both say how many samples: give one of them", args->function);
    read_solver(args, options);
    rhm_args_number(args, "lambda", &options->lambda);
    read_position(args, options);
    int sampler;
    if (rhm_args_choice(args, "sampler", samplers, &sampler))
        options->sampler = sampler == 0 ? RHM_SAMPLER_TALLY : RHM_SAMPLER_DRAW;
    rhm_args_seed(args, "seed", &options->seed);
    if (rhm_args_number(args, "steps_per_second", &options->steps_per_second) &&
        options->steps_per_second <= 0)
        luaL_error(L, "%s: steps_per_second = %f: must be above 0", args->function,
                   options->steps_per_second);
    read_source(args, net, options);
    if (options->data && c)
        luaL_error(L,
                   "%s: c is for a grammar: else n says how many strings (of a data set all, unless given)",
                   args->function);
}

/* --- methods ------------------------------------------------------------------------------------------ */

static enum rhm_status make_body(struct rhm_job_body *body, void *model, const void *options,
                                 struct rhm_error *err)
{
    return rhm_training_network(body, model, options, err);
}

static void push_result(lua_State *L, void *model, const void *self, const struct rhm_progress *progress)
{
    (void)self;
    rhm_push_result(L, model, progress);
}

static const struct rhm_job_kind chain = {
    .function = "network:train", .make = make_body, .push_result = push_result};

int rhm_network_train_method(lua_State *L)
{
    static const char *const keys[] = {
        "from",    "n",        "c",          "solver",           "steps", "eta", "lambda", "seed", "position",
        "sampler", "progress", "background", "steps_per_second", NULL};
    rhm_network_settle(L, 1, 2);
    struct rhm_network *net = rhm_check_network(L, 1);
    struct rhm_args args = rhm_args_open(L, 2, "network:train", keys);
    lua_settop(L, 2);
    struct rhm_wait wait;
    int background;
    rhm_job_read_wait(&args, &wait, &background);
    struct rhm_train_options options;
    rhm_read_training(&args, net, 0, &options);
    int source = lua_gettop(L);
    rhm_job_check_idle(L, &chain, 1);
    rhm_latest_set(L, RHM_LATEST_NETWORK, 1);
    rhm_latest_set(L, RHM_LATEST_SOURCE, source);
    rhm_job_push(L, &(struct rhm_job_start){.kind = &chain,
                                            .subject = 1,
                                            .source = source,
                                            .background = background,
                                            .model = net,
                                            .options = &options});
    return background ? 1 : rhm_job_await(L, -1, &wait);
}

int rhm_network_resume_method(lua_State *L)
{
    rhm_check_network(L, 1);
    return rhm_job_resume_subject(L, "network:resume");
}
