/* refine.c - net:refine, net:unrefine, net:posterior, net.refined, net:refinement. */
#include "engine/chain/refine.h"

#include "engine/jobs/training.h"
#include "script/job.h"
#include "script/latest.h"
#include "script/objects.h"

/* --- result ------------------------------------------------------------------------------------------- */

static void push_point(lua_State *L, const struct rhm_refine_point *point, unsigned levels)
{
    lua_createtable(L, 0, 14);
    rhm_set_integer(L, "start", point->start);
    rhm_set_integer(L, "sweep", point->sweep);
    rhm_set_number(L, "log_joint", point->log_joint);
    rhm_set_number(L, "log_label", point->log_label);
    rhm_set_number(L, "accuracy", point->accuracy);
    rhm_set_number(L, "held_out", point->held_out);
    lua_createtable(L, (int)levels, 0);
    for (unsigned l = 1; l <= levels; l++) {
        lua_pushnumber(L, point->entropy[l]);
        lua_rawseti(L, -2, l);
    }
    lua_setfield(L, -2, "entropy");
}

/* Of the refinement at work, else of the one in force; copied, as both may change at any moment. */
static int push_refined(lua_State *L, struct rhm_network *net, uint64_t start, size_t most)
{
    static const char *const names[] = {"start", "sweep", "log_joint", "log_label", "accuracy", "held_out"};
    unsigned levels = net->L;
    struct rhm_refined_view view, *r = &view;
    struct rhm_refine_point *history = NULL;
    size_t room = 0, points;
    while ((points = rhm_network_refined(net, r, start, most, room, history)) > room) {
        room = points + 16; /* sweeps that end meanwhile */
        history = rhm_push_buffer(L, room, sizeof *history);
    }
    if (points == 0)
        return 0;
    push_point(L, &r->last, levels);
    rhm_set_integer(L, "n", r->n);
    rhm_set_integer(L, "labelled", r->labelled);
    rhm_set_integer(L, "starts", r->starts);
    rhm_set_boolean(L, "from_chain", r->from_chain);
    if (r->running)
        rhm_set_boolean(L, "running", 1);
    if (r->m > 0)
        rhm_set_integer(L, "m", (uint64_t)r->m);
    lua_createtable(L, 0, 7);
    for (int column = 0; column < 6; column++) {
        lua_createtable(L, (int)points, 0);
        for (size_t i = 0; i < points; i++) {
            const struct rhm_refine_point *point = &history[i];
            const double value[] = {(double)point->start, (double)point->sweep, point->log_joint,
                                    point->log_label,     point->accuracy,      point->held_out};
            if (column < 2)
                lua_pushinteger(L, (lua_Integer)value[column]);
            else
                lua_pushnumber(L, value[column]);
            lua_rawseti(L, -2, (lua_Integer)i + 1);
        }
        lua_setfield(L, -2, names[column]);
    }
    lua_createtable(L, (int)levels, 0);
    for (unsigned l = 1; l <= levels; l++) {
        lua_createtable(L, (int)points, 0);
        for (size_t i = 0; i < points; i++) {
            lua_pushnumber(L, history[i].entropy[l]);
            lua_rawseti(L, -2, (lua_Integer)i + 1);
        }
        lua_rawseti(L, -2, l);
    }
    lua_setfield(L, -2, "entropy");
    lua_setfield(L, -2, "history");
    rhm_set_report(L, "refined");
    return 1;
}

int rhm_network_push_refined(lua_State *L, struct rhm_network *net)
{
    return push_refined(L, net, 0, 0);
}

/* net:refinement([start [, most]]) */
int rhm_network_refinement_method(lua_State *L)
{
    struct rhm_network *net = rhm_check_network(L, 1);
    enum { MOST = 1000000 };
    static const char function[] = "network:refinement";
    lua_Integer start = MOST + 1, most = 0; /* no such start: the last one */
    if (!lua_isnoneornil(L, 2))
        start = rhm_args_whole(L, 2, function, "start =", 1, MOST);
    if (!lua_isnoneornil(L, 3))
        most = rhm_args_whole(L, 3, function, "most =", 1, MOST);
    return push_refined(L, net, (uint64_t)start, (size_t)most);
}

/* --- methods ------------------------------------------------------------------------------------------ */

static void read_options(const struct rhm_args *args, struct rhm_refine_options *o)
{
    lua_State *L = args->L;
    int64_t restarts = (int64_t)o->restarts;
    rhm_args_count(args, "sweeps", &o->sweeps);
    rhm_args_number(args, "tol", &o->tol);
    if (rhm_args_integer(args, "restarts", &restarts) && restarts < 0)
        luaL_error(L, "%s: restarts = %I: must be 0 or more", args->function, (lua_Integer)restarts);
    o->restarts = (uint64_t)restarts;
    rhm_args_number(args, "subsample", &o->subsample);
    if (rhm_args_number(args, "smoothing", &o->smoothing)) { /* what is asked for holds in all sweeps */
        o->smooth_from = o->smoothing;
        o->polish = 0;
    }
    rhm_args_number(args, "held_out", &o->held_out);
    if (rhm_args_push(args, "m") == LUA_TBOOLEAN && !lua_toboolean(L, -1))
        o->m = 0;
    else if (rhm_args_integer(args, "m", &o->m) && o->m < 1)
        luaL_error(L, "%s: m = %I: must be 1 or more, or false", args->function, (lua_Integer)o->m);
    lua_pop(L, 1);
    rhm_args_seed(args, "seed", &o->seed);
}

/* What its job is started with. */
struct start {
    const struct rhm_dataset *data;
    struct rhm_refine_options options;
};

static enum rhm_status make_body(struct rhm_job_body *body, void *model, const void *options,
                                 struct rhm_error *err)
{
    const struct start *start = options;
    return rhm_training_refine(body, model, start->data, &start->options, err);
}

static void push_result(lua_State *L, void *model, const void *self, const struct rhm_progress *progress)
{
    (void)self;
    if (rhm_network_push_refined(L, model))
        rhm_set_number(L, "seconds", progress->seconds);
    else
        lua_pushnil(L); /* another training came before anyone looked */
}

static const struct rhm_job_kind job_kind = {
    .function = "network:refine", .make = make_body, .push_result = push_result};

int rhm_network_refine_method(lua_State *L)
{
    static const char *const keys[] = {"from",     "sweeps", "tol",  "restarts", "subsample",  "smoothing",
                                       "held_out", "m",      "seed", "progress", "background", NULL};
    struct rhm_network *net = rhm_check_network(L, 1);
    struct rhm_args args = rhm_args_open(L, 2, job_kind.function, keys);
    lua_settop(L, 2);
    struct rhm_wait wait;
    int background;
    rhm_job_read_wait(&args, &wait, &background);
    rhm_args_require(&args, "from", rhm_args_push(&args, "from") != LUA_TNIL);
    struct start start = {.data = rhm_test_dataset(L, -1), .options = rhm_refine_defaults(net)};
    int source = lua_gettop(L);
    if (!start.data) {
        const char *shown = rhm_args_show(L, -1);
        return luaL_error(L, "%s: from = %s: must be a data set (g:sample{ n= } draws one)", args.function,
                          shown);
    }
    read_options(&args, &start.options);
    rhm_job_check_idle(L, &job_kind, 1);
    rhm_latest_set(L, RHM_LATEST_NETWORK, 1);
    rhm_job_push(L, &(struct rhm_job_start){.kind = &job_kind,
                                            .subject = 1,
                                            .source = source,
                                            .background = background,
                                            .model = net,
                                            .options = &start});
    return background ? 1 : rhm_job_await(L, -1, &wait);
}

int rhm_network_unrefine_method(lua_State *L)
{
    struct rhm_network *net = rhm_check_network(L, 1);
    rhm_network_unrefine(net);
    lua_settop(L, 1);
    return 1;
}

/* The string {1, 0, 5, ...} at index 2: d symbols, 0 where one is missing. */
static const uint16_t *push_tokens(lua_State *L, const char *function, const struct rhm_network *net)
{
    size_t d = lua_rawlen(L, 2);
    if (d != net->d)
        luaL_error(L, "%s: a string of %I tokens, the network reads %I", function, (lua_Integer)d,
                   (lua_Integer)net->d);
    return rhm_args_symbols(L, 2, function, net->V, 1);
}

int rhm_network_posterior_method(lua_State *L)
{
    static const char *const keys[] = {"level", NULL};
    struct rhm_network *net = rhm_check_network(L, 1);
    const struct rhm_dataset *data = rhm_test_dataset(L, 2);
    lua_settop(L, 3);
    struct rhm_args args = rhm_args_open_optional(L, 3, "network:posterior", keys);
    int64_t level = 0;
    rhm_args_integer(&args, "level", &level);
    if (level < 0 || level > net->L)
        return luaL_error(L, "%s: level = %I: must be from 0 (the label) to %d (L)", args.function,
                          (lua_Integer)level, (int)net->L);
    if (!data && lua_type(L, 2) != LUA_TTABLE)
        return luaL_error(L, "%s: a data set or one string {1, 0, 5, ...} expected, got %s", args.function,
                          rhm_args_show(L, 2));
    if (data && (data->d != net->d || data->V > net->V))
        return luaL_error(L, "%s: strings of %I tokens and V = %d, the network reads %I and V = %d",
                          args.function, (lua_Integer)data->d, (int)data->V, (lua_Integer)net->d,
                          (int)net->V);
    const uint16_t *tokens = data ? data->tokens : push_tokens(L, args.function, net);
    size_t n = data ? data->n : 1, places = (size_t)rhm_places(net->branch, 1, (unsigned)level),
           symbols = level == 0 ? net->classes : net->V;
    struct rhm_matrix *out = rhm_push_matrix(L);
    struct rhm_error err;
    if (rhm_matrix_init(out, data ? n : places, data ? places * symbols : symbols, &err) != RHM_OK ||
        rhm_network_posterior(net, n, tokens, (unsigned)level, out->v, rhm_poll_interrupt, NULL, &err) !=
            RHM_OK)
        return rhm_raise(L, args.function, &err);
    return 1;
}
