/* layer_found.c - what a layer of a network found: patches, q-vectors, distances, synonyms, diagnostics. */
#include "script/layer.h"

#include <math.h>
#include <string.h>

#include "engine/chain/diagnose.h"

#define RHM_VIEW "rhm.view"

static int view_gc(lua_State *L)
{
    rhm_layer_view_clear(luaL_checkudata(L, 1, RHM_VIEW));
    return 0;
}

/* What the layer looks like now, with its rows, owned by Lua; q and shares are those of a place. */
static struct rhm_layer_view *push_view_at(lua_State *L, const char *function, uint64_t place)
{
    unsigned l;
    struct rhm_network *net = rhm_check_layer(L, &l);
    struct rhm_layer_view *view = lua_newuserdatauv(L, sizeof *view, 0);
    memset(view, 0, sizeof *view);
    luaL_setmetatable(L, RHM_VIEW);
    struct rhm_error err;
    if (rhm_network_view_at(net, l, 1, place, view, &err) != RHM_OK)
        rhm_raise(L, function, &err);
    if (view->trained < 0)
        luaL_error(L, "%s: layer %d is not trained: net:train{...}, or layer:begin{...} and layer:finish()",
                   function, (int)l);
    return view;
}

static struct rhm_layer_view *push_view(lua_State *L, const char *function)
{
    return push_view_at(L, function, 0);
}

/* Of the place at index 2, the first where none is given. */
static struct rhm_layer_view *push_view_of_place(lua_State *L, const char *function)
{
    unsigned l;
    struct rhm_network *net = rhm_check_layer(L, &l);
    lua_Integer place = 1, places = (lua_Integer)rhm_network_places(net, l);
    if (!lua_isnoneornil(L, 2))
        place = rhm_args_whole(L, 2, function, "place", 1, places);
    return push_view_at(L, function, (uint64_t)place - 1);
}

static void require_clusters(lua_State *L, const char *function, const struct rhm_layer_view *view)
{
    if (view->trained != 1)
        luaL_error(L, "%s: layer %d is in training: its clusters come with layer:finish()", function,
                   (int)view->level);
}

/* Fields tuple, count, cluster, parent, unknown of row i into a new table. */
static void push_patch(lua_State *L, const struct rhm_layer_view *view, size_t i)
{
    lua_createtable(L, 0, 5);
    lua_createtable(L, (int)view->s, 0);
    for (size_t j = 0; j < view->s; j++) {
        lua_pushinteger(L, (lua_Integer)view->tuple[i * view->s + j] + 1);
        lua_rawseti(L, -2, (lua_Integer)j + 1);
    }
    lua_setfield(L, -2, "tuple");
    rhm_set_integer(L, "count", view->count[i]);
    if (view->trained == 1 && !view->is_unknown[i])
        rhm_set_integer(L, "cluster", view->cluster[i] + 1);
    if (view->parent[i] != RHM_NO_PARENT)
        rhm_set_integer(L, "parent", (uint64_t)view->parent[i] + 1);
    if (view->is_unknown[i])
        rhm_set_boolean(L, "unknown", 1);
}

int rhm_layer_patches(lua_State *L)
{
    const struct rhm_layer_view *view = push_view(L, "layer:patches");
    lua_createtable(L, (int)view->U, 1);
    for (size_t i = 0; i < view->U; i++) {
        push_patch(L, view, i);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    rhm_set_report(L, "patches");
    return 1;
}

int rhm_layer_q(lua_State *L)
{
    struct rhm_layer_view *view = push_view_of_place(L, "layer:q");
    struct rhm_matrix *q = rhm_push_matrix(L);
    *q = (struct rhm_matrix){.rows = view->U, .cols = view->C, .v = view->q}; /* taken over */
    view->q = NULL;
    return 1;
}

/* How much of each patch's samples stand at a place. */
int rhm_layer_shares(lua_State *L)
{
    const struct rhm_layer_view *view = push_view_of_place(L, "layer:shares");
    lua_createtable(L, (int)view->U, 0);
    for (size_t i = 0; i < view->U; i++) {
        lua_pushnumber(L, view->share[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* What distances are made of. */
int rhm_layer_embedding(lua_State *L)
{
    struct rhm_layer_view *view = push_view(L, "layer:embedding");
    struct rhm_matrix *m = rhm_push_matrix(L);
    double **from = view->point ? &view->point : &view->q;
    *m = (struct rhm_matrix){.rows = view->U, .cols = view->width, .v = *from}; /* taken over */
    *from = NULL;
    return 1;
}

int rhm_layer_distances(lua_State *L)
{
    const struct rhm_layer_view *view = push_view(L, "layer:distances");
    struct rhm_matrix *m = rhm_push_matrix(L);
    struct rhm_error err;
    if (rhm_matrix_init(m, view->U, view->U, &err) != RHM_OK)
        return rhm_raise(L, "layer:distances", &err);
    for (size_t i = 0; i < view->U; i++) {
        if (rhm_poll_interrupt(NULL, &err) != RHM_OK)
            return rhm_raise(L, "layer:distances", &err);
        for (size_t j = 0; j < i; j++) {
            double sum = 0;
            const double *point = view->point ? view->point : view->q;
            for (size_t c = 0; c < view->width; c++) {
                double difference = point[i * view->width + c] - point[j * view->width + c];
                sum += difference * difference;
            }
            m->v[i * view->U + j] = m->v[j * view->U + i] = sqrt(sum);
        }
    }
    return 1;
}

/* The parent with most samples among rows first..last-1 (as diagnose.c has it), or RHM_NO_PARENT; ties go to
 * the lowest. votes: zeros, and zeros again afterwards. */
static uint32_t majority(const struct rhm_layer_view *view, size_t first, size_t last, uint64_t *votes)
{
    uint32_t best = RHM_NO_PARENT;
    for (size_t i = first; i < last; i++)
        if (view->parent[i] != RHM_NO_PARENT)
            votes[view->parent[i]] += view->count[i];
    for (size_t i = first; i < last; i++) {
        uint32_t parent = view->parent[i];
        if (parent == RHM_NO_PARENT)
            continue;
        if (best == RHM_NO_PARENT || votes[parent] > votes[best] ||
            (votes[parent] == votes[best] && parent < best))
            best = parent;
    }
    for (size_t i = first; i < last; i++)
        if (view->parent[i] != RHM_NO_PARENT)
            votes[view->parent[i]] = 0;
    return best;
}

/* Rows first..last-1 as one cluster: size, count, parent, patches. Returns how many are misplaced. */
static size_t push_cluster(lua_State *L, const struct rhm_layer_view *view, size_t first, size_t last,
                           uint64_t *votes)
{
    uint32_t parent = majority(view, first, last, votes);
    uint64_t count = 0;
    size_t misplaced = 0;
    lua_createtable(L, 0, 4);
    lua_createtable(L, (int)(last - first), 0);
    for (size_t i = first; i < last; i++) {
        int wrong = view->q_exact && (view->parent[i] != parent || parent == RHM_NO_PARENT);
        push_patch(L, view, i);
        if (wrong)
            rhm_set_boolean(L, "misplaced", 1);
        lua_rawseti(L, -2, (lua_Integer)(i - first) + 1);
        misplaced += (size_t)wrong;
        count += view->count[i];
    }
    lua_setfield(L, -2, "patches");
    rhm_set_integer(L, "size", last - first);
    rhm_set_integer(L, "count", count);
    if (parent != RHM_NO_PARENT)
        rhm_set_integer(L, "parent", (uint64_t)parent + 1);
    return misplaced;
}

/* Rows stand in cluster order, unknown ones last. */
int rhm_layer_synonyms(lua_State *L)
{
    unsigned l;
    struct rhm_network *net = rhm_check_layer(L, &l);
    const struct rhm_layer_view *view = push_view(L, "layer:synonyms");
    require_clusters(L, "layer:synonyms", view);
    uint64_t *votes = rhm_push_buffer(L, net->V > net->classes ? net->V : net->classes, sizeof *votes);
    lua_createtable(L, (int)view->k, 3);
    lua_Integer clusters = 0;
    size_t misplaced = 0, first = 0;
    for (size_t last; first < view->U && !view->is_unknown[first]; first = last) {
        last = first + 1;
        while (last < view->U && view->cluster[last] == view->cluster[first])
            last++;
        misplaced += push_cluster(L, view, first, last, votes);
        lua_rawseti(L, -2, ++clusters);
    }
    if (first < view->U) {
        lua_createtable(L, (int)(view->U - first), 0);
        for (size_t i = first; i < view->U; i++) {
            push_patch(L, view, i);
            lua_rawseti(L, -2, (lua_Integer)(i - first) + 1);
        }
        lua_setfield(L, -2, "unknown");
    }
    rhm_set_integer(L, "level", l);
    if (view->q_exact)
        rhm_set_integer(L, "misplaced", misplaced);
    rhm_set_report(L, "synonyms");
    return 1;
}

int rhm_layer_diagnostics(lua_State *L)
{
    unsigned l;
    struct rhm_network *net = rhm_check_layer(L, &l);
    struct rhm_diagnosis *d = rhm_push_buffer(L, 1, sizeof *d);
    struct rhm_error err;
    if (rhm_network_diagnose(net, l, d, &err) != RHM_OK)
        return rhm_raise(L, "layer:diagnostics", &err);
    int known = net->grammar != NULL;
    lua_createtable(L, 0, 24);
    rhm_set_integer(L, "level", d->level);
    rhm_set_integer(L, "n", d->N);
    rhm_set_integer(L, "places", d->places);
    rhm_set_integer(L, "patches", d->patches);
    rhm_set_integer(L, "clusters", d->k);
    rhm_set_integer(L, "parents_expected", d->parents_expected);
    rhm_set_number(L, "eps_O", d->eps_O);
    rhm_set_number(L, "eps_O_rms", d->eps_O_rms);
    rhm_set_number(L, "eps_O_wanted", d->eps_O_wanted);
    rhm_set_number(L, "rho_in", d->rho_in);
    rhm_set_number(L, "eps_S_in", d->eps_S_in);
    rhm_set_number(L, "sigma", d->sigma);
    rhm_set_number(L, "rho", d->rho);
    rhm_set_number(L, "eps_S", d->eps_S);
    rhm_set_number(L, "condition", d->condition);
    rhm_set_number(L, "noise", d->noise);
    rhm_set_number(L, "gap", d->gap);
    rhm_set_number(L, "error", d->error);
    rhm_set_number(L, "error_max", d->error_max);
    rhm_set_integer(L, "unknown", d->unknown);
    if (known) {
        rhm_set_integer(L, "untrained", d->untrained);
        rhm_set_integer(L, "missing", d->missing);
        rhm_set_integer(L, "never", d->never);
        rhm_set_integer(L, "misplaced", d->misplaced);
    }
    lua_createtable(L, d->warnings, 0);
    for (int i = 0; i < d->warnings; i++) {
        lua_pushstring(L, d->warning[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "warnings");
    rhm_set_report(L, "diagnostics");
    return 1;
}

void rhm_layer_open_views(lua_State *L)
{
    luaL_newmetatable(L, RHM_VIEW);
    lua_pushcfunction(L, view_gc);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
}
