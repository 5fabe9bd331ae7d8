/* network_load.c - see network_file.h. A file may come from anywhere: every shape, number and code is checked
 * before it is used.
 */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/rng.h"
#include "engine/chain/network_file.h"
#include "engine/chain/network_format.h"
#include "engine/chain/refine.h"
#include "engine/chain/trainer.h"

/* The first failure stays; what is asked for after it is not done. */
struct reader {
    hid_t file;
    const char *path;
    unsigned l; /* the layer in work; 0: the root */
    enum rhm_status status;
    struct rhm_error *err;
};

#define ANY SIZE_MAX

__attribute__((format(printf, 2, 3))) static void damaged(struct reader *r, const char *format, ...)
{
    char text[300], where[32] = "";
    va_list arguments;
    if (r->status != RHM_OK)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (r->l > 0)
        snprintf(where, sizeof where, "layer %u: ", r->l);
    r->status = rhm_fail(r->err, RHM_EFILE, "%s: %s%s", r->path, where, text);
}

static int fine(const struct reader *r)
{
    return r->status == RHM_OK;
}

/* Takes over a status of the engine. */
static int check(struct reader *r, enum rhm_status status)
{
    if (fine(r))
        r->status = status;
    return fine(r);
}

/* Opens a data set of this class; extents as they are in the file. */
static hid_t open_set(struct reader *r, const char *name, int is_float, int rank, hsize_t extents[2])
{
    if (H5Lexists(r->file, name, H5P_DEFAULT) <= 0 || H5Oexists_by_name(r->file, name, H5P_DEFAULT) <= 0) {
        damaged(r, "no data set \"%s\"", name);
        return -1;
    }
    hid_t set = H5Dopen2(r->file, name, H5P_DEFAULT);
    hid_t space = set >= 0 ? H5Dget_space(set) : -1, type = set >= 0 ? H5Dget_type(set) : -1;
    if (space < 0 || type < 0) {
        damaged(r, "\"%s\" cannot be opened as a data set", name);
    } else if (H5Tget_class(type) != (is_float ? H5T_FLOAT : H5T_INTEGER)) {
        damaged(r, "data set \"%s\" does not hold %s", name, is_float ? "real numbers" : "integers");
    } else if (H5Sget_simple_extent_ndims(space) != rank || H5Sget_simple_extent_type(space) == H5S_NULL) {
        damaged(r, "data set \"%s\" has %d dimensions: must have %d", name, H5Sget_simple_extent_ndims(space),
                rank);
    } else {
        H5Sget_simple_extent_dims(space, extents, NULL);
    }
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    return set;
}

/* rows x cols elements (cols = 0: one dimension), a new array that the caller frees. *rows = ANY: as many as
 * there are, at least 1. NULL where it fails. */
static void *read_array(struct reader *r, const char *name, int is_float, size_t size, size_t *rows,
                        size_t cols)
{
    char full[RHM_NETWORK_NAME];
    hsize_t extents[2] = {0, 0};
    if (!fine(r))
        return NULL;
    if (r->l > 0)
        snprintf(full, RHM_NETWORK_NAME, "layer%u/%s", r->l, name);
    else
        snprintf(full, RHM_NETWORK_NAME, "%s", name);
    hid_t set = open_set(r, full, is_float, cols > 0 ? 2 : 1, extents);
    if (*rows == ANY && fine(r))
        *rows = extents[0];
    if (fine(r) && (extents[0] != *rows || extents[1] != cols || *rows == 0))
        damaged(r, "data set \"%s\" is %llu x %llu: must be %zu x %zu", full, (unsigned long long)extents[0],
                (unsigned long long)(cols > 0 ? extents[1] : 1), *rows > 0 ? *rows : 1, cols > 0 ? cols : 1);
    char what[RHM_NETWORK_NAME + 16];
    snprintf(what, sizeof what, "data set \"%s\"", full);
    size_t width = cols > 0 ? cols : 1;
    void *elements = NULL;
    if (fine(r) &&
        check(r, rhm_memory_check((double)*rows * (double)width * (double)size, what, NULL, r->err))) {
        elements = rhm_array(*rows * width, size, what, r->err);
        check(r, elements ? RHM_OK : RHM_EMEMORY);
    }
    if (fine(r) &&
        H5Dread(set, rhm_network_type(is_float, size), H5S_ALL, H5S_ALL, H5P_DEFAULT, elements) < 0)
        r->status = rhm_hdf5_fail(r->err, r->path, "read");
    if (set >= 0)
        H5Dclose(set);
    if (!fine(r)) {
        free(elements);
        return NULL;
    }
    return elements;
}

/* Finite numbers. */
static double *read_reals(struct reader *r, const char *name, size_t *rows, size_t cols)
{
    double *x = read_array(r, name, 1, sizeof *x, rows, cols);
    size_t width = cols > 0 ? cols : 1;
    for (size_t i = 0; x != NULL && i < *rows * width; i++)
        if (!isfinite(x[i])) {
            damaged(r, "\"%s\" holds %g at [%zu,%zu]", name, x[i], i / width, i % width);
            break;
        }
    return x;
}

/* Integers below `limit`, or equal to `also`. */
static void check_below(struct reader *r, const char *name, size_t n, const uint32_t *x, size_t limit,
                        uint32_t also)
{
    for (size_t i = 0; fine(r) && i < n; i++)
        if (x[i] >= limit && x[i] != also)
            damaged(r, "\"%s\" holds %" PRIu32 " at place %zu: must be below %zu", name, x[i], i, limit);
}

static uint32_t *read_codes(struct reader *r, const char *name, size_t *rows, size_t cols, size_t limit,
                            uint32_t also)
{
    uint32_t *x = read_array(r, name, 0, sizeof *x, rows, cols);
    if (x != NULL)
        check_below(r, name, *rows * (cols > 0 ? cols : 1), x, limit, also);
    return x;
}

static void read_number(struct reader *r, const char *name, int is_float, size_t size, void *out)
{
    char full[RHM_NETWORK_NAME];
    hsize_t extents[2];
    if (!fine(r))
        return;
    if (r->l > 0)
        snprintf(full, RHM_NETWORK_NAME, "layer%u/%s", r->l, name);
    else
        snprintf(full, RHM_NETWORK_NAME, "%s", name);
    hid_t set = open_set(r, full, is_float, 0, extents);
    if (fine(r) && H5Dread(set, rhm_network_type(is_float, size), H5S_ALL, H5S_ALL, H5P_DEFAULT, out) < 0)
        r->status = rhm_hdf5_fail(r->err, r->path, "read");
    if (set >= 0)
        H5Dclose(set);
}

static unsigned read_attribute(struct reader *r, const char *name)
{
    unsigned value = 0;
    if (!fine(r))
        return 0;
    hid_t own = H5Aexists(r->file, name) > 0 ? H5Aopen(r->file, name, H5P_DEFAULT) : -1;
    hid_t space = own >= 0 ? H5Aget_space(own) : -1;
    if (space < 0 || H5Sget_simple_extent_npoints(space) != 1 || H5Aread(own, H5T_NATIVE_UINT, &value) < 0)
        damaged(r, "no attribute \"%s\" with one integer", name);
    if (space >= 0)
        H5Sclose(space);
    if (own >= 0)
        H5Aclose(own);
    return value;
}

/* ------------------------------------------------------------- layers */

/* The patches with their counts, in the order of the file. */
static void read_tally(struct reader *r, const struct rhm_network *net, struct rhm_layer *layer,
                       size_t inputs)
{
    size_t U = ANY, s = rhm_network_s(net, layer->level), row, C = layer->directions.places * net->classes;
    if (!check(r, rhm_tally_init(&layer->tally, s, C, r->err)))
        return;
    uint32_t *tuple = read_codes(r, "patches", &U, s, inputs, 0);
    uint64_t *count = read_array(r, "counts", 0, sizeof *count, &U, C);
    for (size_t i = 0; fine(r) && i < U; i++) {
        if (rhm_tuples_find(&layer->tally.patches, tuple + i * s) != SIZE_MAX)
            damaged(r, "patch %zu stands twice in \"patches\"", i);
        for (size_t c = 0; fine(r) && c < C; c++) {
            if (count[i * C + c] > (UINT64_C(1) << 53) - layer->tally.N)
                damaged(r, "the counts of patches pass 2^53");
            else if (count[i * C + c] > 0)
                check(r, rhm_tally_add(&layer->tally, tuple + i * s, c, count[i * C + c], r->err));
        }
        row = layer->tally.patches.n;
        if (fine(r) && row != i + 1)
            damaged(r, "patch %zu has no samples", i);
    }
    free(tuple);
    free(count);
}

static void read_features(struct reader *r, const struct rhm_network *net, struct rhm_layer *layer,
                          size_t inputs)
{
    unsigned l = layer->level;
    double *tokens = NULL;
    size_t width = l == net->L ? net->symbols : net->layer[l + 1]->codebook.width;
    size_t s = rhm_network_s(net, l);
    if (l == net->L && fine(r)) {
        tokens = rhm_one_hot(net->symbols, r->err);
        check(r, tokens ? RHM_OK : RHM_EMEMORY);
    }
    if (fine(r))
        check(r, rhm_features_init(&layer->features, net->features, net->M, s, inputs, width,
                                   tokens ? tokens : net->layer[l + 1]->codebook.embedding, layer->sigma,
                                   net->seed, RHM_STREAM_FEATURES + l, r->err));
    free(tokens);
    size_t rows = layer->features.rows;
    double *frequency = read_reals(r, "frequency", &rows, s * width);
    double *bias = fine(r) && layer->features.bias != NULL ? read_reals(r, "bias", &rows, 0) : NULL;
    if (fine(r))
        check(r, rhm_features_set_frequencies(&layer->features, frequency, bias, r->err));
    free(frequency);
    free(bias);
}

/* At how many places the layer learned: all or one. */
static void read_places(struct reader *r, const struct rhm_network *net, struct rhm_layer *layer)
{
    char name[RHM_NETWORK_NAME];
    struct rhm_directions *d = &layer->directions;
    *d = (struct rhm_directions){.places = 1, .classes = net->classes, .width = net->classes};
    snprintf(name, sizeof name, "layer%u/places", layer->level);
    if (!fine(r) || H5Lexists(r->file, name, H5P_DEFAULT) <= 0)
        return;
    read_number(r, "places", 0, sizeof d->places, &d->places);
    read_number(r, "strings", 0, sizeof layer->strings, &layer->strings);
    snprintf(name, sizeof name, "layer%u/repeats", layer->level);
    if (fine(r) && H5Lexists(r->file, name, H5P_DEFAULT) > 0) /* not in files of old */
        read_number(r, "repeats", 1, sizeof layer->repeats, &layer->repeats);
    if (fine(r) && !isfinite(layer->repeats))
        damaged(r, "\"repeats\" is %g", layer->repeats);
    if (fine(r) && (layer->level == 1 || d->places != rhm_network_places(net, layer->level)))
        damaged(r, "trained at %zu places: level %u has %" PRIu64, d->places, layer->level,
                rhm_network_places(net, layer->level));
}

/* The directions and the points in them. */
static void read_directions(struct reader *r, struct rhm_layer *layer)
{
    struct rhm_directions *d = &layer->directions;
    size_t PC = layer->tally.C, width = ANY, U = layer->tally.patches.n;
    if (d->places == 1) {
        layer->strings = layer->tally.N;
        return;
    }
    d->mean = read_reals(r, "direction_mean", &PC, 0);
    d->offset = read_reals(r, "direction_offset", &width, 0);
    d->width = fine(r) ? width : 0;
    d->map = read_reals(r, "direction_map", &PC, width);
    layer->point = read_reals(r, "point", &U, width);
    if (fine(r) && layer->strings * d->places != layer->tally.N)
        damaged(r, "%" PRIu64 " patches of %" PRIu64 " strings at %zu places", layer->tally.N, layer->strings,
                d->places);
}

static void read_outputs(struct reader *r, const struct rhm_network *net, struct rhm_layer *layer)
{
    size_t U = layer->tally.patches.n, C = layer->tally.C;
    size_t parents = layer->level == 1 ? net->classes : net->symbols;
    layer->W = read_reals(r, "W", &C, net->M);
    layer->output = read_reals(r, "output", &U, C);
    layer->sum = read_reals(r, "sum", &U, 0);
    layer->unknown = read_array(r, "unknown", 0, 1, &U, 0);
    for (size_t i = 0; fine(r) && i < U; i++)
        if (layer->unknown[i] > 1)
            damaged(r, "\"unknown\" holds %u at place %zu: must be 0 or 1", layer->unknown[i], i);
    layer->parent = read_codes(r, "parent", &U, 0, parents, RHM_NO_PARENT);
}

/* Clusters of the known rows, k for unknown ones; the order is a permutation. */
static void read_clusters(struct reader *r, struct rhm_layer *layer)
{
    size_t U = layer->tally.patches.n, k = ANY;
    struct rhm_clusters *clusters = &layer->clusters; /* its distances are read already */
    clusters->dim = layer->directions.width;
    clusters->centroid = read_reals(r, "centroid", &k, clusters->dim);
    clusters->weight = read_reals(r, "cluster_weight", &k, 0);
    layer->cluster = read_array(r, "cluster", 0, sizeof *layer->cluster, &U, 0);
    layer->order = read_array(r, "order", 0, sizeof *layer->order, &U, 0);
    unsigned char *seen = fine(r) ? rhm_array(U, 1, "the clusters", r->err) : NULL;
    if (fine(r))
        clusters->cluster = rhm_array(U, sizeof *clusters->cluster, "the clusters", r->err);
    if (fine(r))
        check(r, seen && clusters->cluster ? RHM_OK : RHM_EMEMORY);
    clusters->k = fine(r) ? k : 0;
    for (size_t i = 0; fine(r) && i < U; i++) {
        if (layer->unknown[i] ? layer->cluster[i] != k : layer->cluster[i] >= k)
            damaged(r, "\"cluster\" holds %zu at place %zu: there are %zu clusters", layer->cluster[i], i, k);
        else if (!layer->unknown[i])
            clusters->cluster[clusters->n++] = layer->cluster[i];
        if (fine(r) && (layer->order[i] >= U || seen[layer->order[i]]))
            damaged(r, "\"order\" holds %zu at place %zu: must be a permutation of 0..%zu", layer->order[i],
                    i, U - 1);
        else if (fine(r))
            seen[layer->order[i]] = 1;
    }
    if (fine(r) && k > clusters->n)
        damaged(r, "%zu clusters of %zu patches", k, clusters->n);
    free(seen);
}

static void read_codebook(struct reader *r, const struct rhm_network *net, struct rhm_layer *layer)
{
    struct rhm_codebook *book = &layer->codebook;
    unsigned l = layer->level;
    size_t K = ANY, P = ANY, C = layer->directions.width, parents = l == 1 ? net->classes : net->symbols;
    size_t s = rhm_network_s(net, l), inputs = l == net->L ? net->symbols : net->layer[l + 1]->codebook.K;
    if (!fine(r) || !check(r, rhm_codebook_init(book, s, C, r->err)))
        return;
    double *embedding = read_reals(r, "code_embedding", &K, C);
    if (fine(r) && K >= UINT32_MAX)
        damaged(r, "%zu codes: must be below 2^32 - 1", K);
    if (fine(r) && !layer->keeps_patches && K != layer->clusters.k + 1)
        damaged(r, "%zu codes of %zu clusters: must be one more, the unknown one", K, layer->clusters.k);
    if (fine(r) && layer->unknown_code >= K)
        damaged(r, "the code of unknown patches is %" PRIu32 " of %zu", layer->unknown_code, K);
    layer->code_parent = read_codes(r, "code_parent", &K, 0, parents, RHM_NO_PARENT);
    layer->code_parents = fine(r) ? K : 0;
    uint32_t *tuple = read_codes(r, "coded_patches", &P, s, inputs, 0);
    uint32_t *code = read_codes(r, "code", &P, 0, K, 0);
    for (size_t c = 0; fine(r) && c < K; c++) {
        uint32_t number;
        check(r, rhm_codebook_add(book, embedding + c * C, &number, r->err));
    }
    for (size_t i = 0; fine(r) && i < P; i++)
        if (check(r, rhm_codebook_map(book, tuple + i * s, code[i], r->err)) && book->patches.n != i + 1)
            damaged(r, "patch %zu stands twice in \"coded_patches\"", i);
    free(embedding);
    free(tuple);
    free(code);
}

/* Rows of step, loss, intra, inter, accuracy; there is none where the closed form was used. */
static void read_history(struct reader *r, struct rhm_layer *layer)
{
    char name[RHM_NETWORK_NAME];
    size_t n = ANY;
    snprintf(name, sizeof name, "layer%u/history", layer->level);
    if (!fine(r) || H5Lexists(r->file, name, H5P_DEFAULT) <= 0)
        return;
    double *row = read_array(r, "history", 1, sizeof *row, &n, 5);
    if (fine(r) && n > RHM_HISTORY_POINTS)
        damaged(r, "\"history\" has %zu points: must be at most %d", n, RHM_HISTORY_POINTS);
    for (size_t i = 0; fine(r) && i < n; i++) {
        const double *x = row + 5 * i;
        if (!(x[0] >= 0 && x[0] <= 0x1p53))
            damaged(r, "\"history\" has step %g", x[0]);
        else
            layer->history.point[layer->history.n++] =
                (struct rhm_history_point){(uint64_t)x[0], x[1], x[2], x[3], x[4]};
    }
    free(row);
}

/* The layers above are in the network already. */
static void read_layer(struct reader *r, struct rhm_network *net)
{
    unsigned l = r->l;
    struct rhm_layer *layer = rhm_array(1, sizeof *layer, "a layer", r->err);
    if (!check(r, layer ? RHM_OK : RHM_EMEMORY))
        return;
    net->layer[l] = layer; /* freed with the network, whatever comes */
    for (size_t i = 0; i < RHM_NETWORK_FIELDS; i++)
        read_number(r, rhm_network_fields[i].name, rhm_network_fields[i].is_float, rhm_network_fields[i].size,
                    (char *)layer + rhm_network_fields[i].offset);
    layer->level = l;
    layer->seconds = NAN; /* not in the file */
    layer->keeps_patches = net->codebook == RHM_CODEBOOK_EXACT || l == 1;
    size_t inputs = layer->features.K, most = l == net->L ? net->symbols : net->layer[l + 1]->codebook.K;
    layer->features.K = 0;
    if (fine(r) && (inputs < 1 || inputs > most || (l == net->L && inputs != most)))
        damaged(r, "%zu input codes, the layer above has %zu", inputs, most);
    if (fine(r) && layer->solver != RHM_SOLVER_EXACT && layer->solver != RHM_SOLVER_GD)
        damaged(r, "its solver is number %u", (unsigned)layer->solver);
    if (fine(r) && !isfinite(layer->mean_sum))
        damaged(r, "its mean sum of outputs is %g", layer->mean_sum);
    if (fine(r))
        read_places(r, net, layer);
    if (fine(r))
        read_tally(r, net, layer, inputs);
    if (fine(r))
        read_directions(r, layer);
    if (fine(r))
        read_features(r, net, layer, inputs);
    if (fine(r))
        read_outputs(r, net, layer);
    if (fine(r))
        read_clusters(r, layer);
    if (fine(r))
        read_codebook(r, net, layer);
    read_history(r, layer);
}

/* ------------------------------------------------------------- network */

/* How the rules were drawn, and their probabilities, where they are not uniform. */
static void read_law(struct reader *r, struct rhm_grammar *g, size_t rules)
{
    if (H5Lexists(r->file, "grammar/ensemble", H5P_DEFAULT) > 0) {
        unsigned ensemble = 0;
        read_number(r, "grammar/ensemble", 0, sizeof ensemble, &ensemble);
        read_number(r, "grammar/shuffle", 1, sizeof g->shuffle, &g->shuffle);
        if (fine(r) && ensemble > RHM_ENSEMBLE_LATIN)
            damaged(r, "its grammar is of ensemble number %u", ensemble);
        else if (fine(r) && !(g->shuffle >= 0 && g->shuffle <= 1))
            damaged(r, "its grammar has shuffle = %g", g->shuffle);
        g->ensemble = (enum rhm_ensemble)ensemble;
    }
    if (!fine(r) || H5Lexists(r->file, "grammar/p", H5P_DEFAULT) <= 0)
        return;
    double zipf = 0, *p = read_reals(r, "grammar/p", &rules, 0);
    read_number(r, "grammar/zipf", 1, sizeof zipf, &zipf);
    if (fine(r) && !(zipf >= 0 && zipf < INFINITY))
        damaged(r, "its grammar has zipf = %g", zipf);
    if (fine(r) && check(r, rhm_grammar_set_weights(g, p, r->err)))
        g->zipf = zipf;
    free(p);
}

static void read_noise(struct reader *r, struct rhm_grammar *g)
{
    double label = 0, token = 0;
    size_t classes = g->classes;
    if (fine(r) && H5Lexists(r->file, "grammar/prior", H5P_DEFAULT) > 0) {
        double *prior = read_reals(r, "grammar/prior", &classes, 0);
        if (fine(r))
            check(r, rhm_grammar_set_prior(g, prior, r->err));
        free(prior);
    }
    if (fine(r) && H5Lexists(r->file, "grammar/label_noise", H5P_DEFAULT) > 0)
        read_number(r, "grammar/label_noise", 1, sizeof label, &label);
    if (fine(r) && H5Lexists(r->file, "grammar/token_noise", H5P_DEFAULT) > 0)
        read_number(r, "grammar/token_noise", 1, sizeof token, &token);
    if (fine(r))
        check(r, rhm_grammar_set_noise(g, label, token, r->err));
}

/* 1 and g filled where the file knows the grammar. */
static int read_grammar(struct reader *r, const struct rhm_network_options *o, struct rhm_grammar *g)
{
    unsigned m = 0;
    int seeded = 0;
    uint64_t seed = 0;
    if (!fine(r) || H5Lexists(r->file, "grammar", H5P_DEFAULT) <= 0)
        return 0;
    read_number(r, "grammar/m", 0, sizeof m, &m);
    read_number(r, "grammar/seed", 0, sizeof seed, &seed);
    read_number(r, "grammar/seeded", 0, sizeof seeded, &seeded);
    struct rhm_grammar_shape shape = {.V = o->V, .m = m, .L = o->L, .classes = o->classes};
    memcpy(shape.branch, o->branch, sizeof shape.branch);
    if (!fine(r) || !check(r, rhm_grammar_check_shape(&shape, r->err)))
        return 0;
    double children = 0;
    for (int64_t l = 1; l <= o->L; l++)
        children += (double)m * (double)o->branch[l] * (double)(l == 1 ? o->classes : o->V);
    if (!check(r, rhm_memory_check(children * sizeof(uint16_t), "the table of rules", NULL, r->err)))
        return 0;
    size_t rows = (size_t)children;
    uint16_t *rule = read_array(r, "grammar/rules", 0, sizeof *rule, &rows, 0);
    int good = rule != NULL && check(r, rhm_grammar_from_rules(g, &shape, rule, r->err));
    free(rule);
    if (good) {
        g->seed = seed;
        g->seeded = seeded != 0;
        read_law(r, g, g->first_rule[g->L + 1]);
        read_noise(r, g);
    }
    return good;
}

static void read_branches(struct reader *r, struct rhm_network_options *o)
{
    if (fine(r) && (o->L < 1 || o->L > RHM_MAX_LEVELS))
        damaged(r, "L = %" PRId64 ": must be 1..%d", o->L, RHM_MAX_LEVELS);
    size_t rows = (size_t)o->L;
    unsigned *s = read_array(r, "s", 0, sizeof *s, &rows, 0);
    for (size_t l = 1; fine(r) && l <= rows; l++) {
        o->branch[l] = s[l - 1];
        if (s[l - 1] < 2)
            damaged(r, "s[%zu] = %u: must be 2 or more", l, s[l - 1]);
    }
    free(s);
}

/* Columns of probabilities: rows x cols, each column of sum 1. */
static void read_chances(struct reader *r, const char *name, size_t rows, size_t cols, double *to)
{
    double *p = read_reals(r, name, &rows, cols);
    size_t width = cols > 0 ? cols : 1;
    for (size_t c = 0; c < width && fine(r); c++) {
        double sum = 0;
        for (size_t i = 0; i < rows && fine(r); i++) {
            sum += p[i * width + c];
            if (p[i * width + c] < 0)
                damaged(r, "\"%s\" holds %g at [%zu,%zu]: a probability", name, p[i * width + c], i, c);
        }
        if (fine(r) && fabs(sum - 1) > 1e-6)
            damaged(r, "\"%s\": column %zu has the sum %g: must be 1", name, c, sum);
    }
    if (fine(r))
        memcpy(to, p, rows * width * sizeof *p);
    free(p);
}

static void read_refined_history(struct reader *r, struct rhm_refined *refined)
{
    size_t points = ANY, L = refined->tree.L, width = 6 + L;
    double *row = read_array(r, "refined/history", 1, sizeof *row, &points, width); /* nan: not held out */
    if (row == NULL)
        return;
    refined->history = rhm_array(points, sizeof *refined->history, "the history of the refinement", r->err);
    if (check(r, refined->history ? RHM_OK : RHM_EMEMORY)) {
        refined->points = refined->room = points;
        for (size_t i = 0; i < points; i++) {
            const double *x = row + i * width;
            struct rhm_refine_point *point = &refined->history[i];
            if (!(x[0] >= 1 && x[0] < 1e15 && x[1] >= 1 && x[1] < 1e15)) {
                damaged(r, "\"refined/history\" has start %g, sweep %g in row %zu", x[0], x[1], i);
                break;
            }
            *point = (struct rhm_refine_point){.start = (uint64_t)x[0],
                                               .sweep = (uint64_t)x[1],
                                               .log_joint = x[2],
                                               .log_label = x[3],
                                               .accuracy = x[4],
                                               .held_out = x[5]};
            memcpy(point->entropy + 1, x + 6, L * sizeof *x);
        }
        if (fine(r) && refined->last >= points)
            damaged(r, "the tables are of sweep %zu of %zu", refined->last, points);
    }
    free(row);
}

static void read_refined(struct reader *r, struct rhm_network *net)
{
    if (!fine(r) || H5Lexists(r->file, "refined", H5P_DEFAULT) <= 0)
        return;
    r->l = 0;
    size_t rows = RHM_REFINED_NUMBERS;
    uint64_t *number = read_array(r, "refined/numbers", 0, sizeof *number, &rows, 0);
    struct rhm_refined *refined = rhm_array(1, sizeof *refined, "the refinement", r->err);
    check(r, refined ? RHM_OK : RHM_EMEMORY);
    if (fine(r)) {
        net->refined = refined;
        refined->m = number[0] > INT32_MAX ? 0 : (int64_t)number[0];
        refined->starts = number[1];
        refined->best = number[2];
        refined->from_chain = number[3] != 0;
        refined->n = (size_t)number[4];
        refined->labelled = (size_t)number[5];
        refined->last = (size_t)number[6];
        check(r, rhm_tree_init(&refined->tree, net->L, net->branch, net->V, net->classes, r->err));
    } else {
        free(refined);
    }
    free(number);
    for (unsigned l = 1; l <= net->L && fine(r); l++) {
        char name[RHM_NETWORK_NAME];
        snprintf(name, sizeof name, "refined/table%u", l);
        read_chances(r, name, refined->tree.table[l].rows, refined->tree.table[l].parents,
                     refined->tree.table[l].p);
    }
    if (fine(r))
        read_chances(r, "refined/prior", net->classes, 0, refined->tree.prior);
    if (fine(r))
        read_refined_history(r, refined);
}

/* Absent where strings fill the tree. */
static void read_length(struct reader *r, struct rhm_network_options *o)
{
    uint64_t d;
    if (!fine(r) || H5Lexists(r->file, "d", H5P_DEFAULT) <= 0)
        return;
    read_number(r, "d", 0, sizeof d, &d);
    if (fine(r) && (d < 1 || d > INT64_MAX))
        damaged(r, "d = %" PRIu64 ": must be 1 or more", d);
    o->d = fine(r) ? (int64_t)d : 0;
}

static void read_network(struct reader *r, struct rhm_network **net)
{
    unsigned version = read_attribute(r, "rhm_network");
    if (r->status != RHM_OK) {
        r->status = rhm_fail(r->err, RHM_EFILE,
                             "%s: not a network saved by rhm (no attribute \"rhm_network\")", r->path);
        return;
    }
    if (version != RHM_NETWORK_FORMAT) {
        damaged(r, "a network in format %u: this version of rhm reads format %u", version,
                RHM_NETWORK_FORMAT);
        return;
    }
    struct rhm_network_options o = rhm_network_defaults();
    o.V = read_attribute(r, "V");
    o.L = read_attribute(r, "L");
    read_branches(r, &o);
    o.classes = read_attribute(r, "classes");
    read_length(r, &o);
    o.M = read_attribute(r, "M");
    unsigned features = read_attribute(r, "features"), codebook = read_attribute(r, "codebook");
    unsigned linkage = read_attribute(r, "linkage");
    if (linkage > RHM_LINKAGE_WARD)
        damaged(r, "its linkage is number %u: must be 0 or 1", linkage);
    o.linkage = (enum rhm_linkage)linkage;
    if (features > RHM_FEATURES_RELU)
        damaged(r, "its features are number %u: must be 0..%d", features, RHM_FEATURES_RELU);
    if (codebook > RHM_CODEBOOK_EXACT)
        damaged(r, "its codebook is number %u: must be 0 or 1", codebook);
    if (o.classes == 0)
        damaged(r, "classes = 0: must be 2 or more");
    o.features = (enum rhm_feature_kind)features;
    o.codebook = (enum rhm_codebook_kind)codebook;
    read_number(r, "seed", 0, sizeof o.seed, &o.seed);
    read_number(r, "sigma", 1, sizeof o.sigma, &o.sigma);
    read_number(r, "eps_O", 1, sizeof o.eps_O, &o.eps_O);
    struct rhm_grammar g = {0};
    if (read_grammar(r, &o, &g))
        o.grammar = &g;
    if (fine(r))
        check(r, rhm_network_create(net, &o, r->err));
    rhm_grammar_clear(&g);
    for (unsigned l = fine(r) ? (*net)->L : 0; l >= 1 && fine(r); l--) {
        char name[16];
        snprintf(name, sizeof name, "layer%u", l);
        if (H5Lexists(r->file, name, H5P_DEFAULT) <= 0)
            continue;
        r->l = l;
        if (l < (*net)->L && (*net)->layer[l + 1] == NULL)
            damaged(r, "trained, but layer %u is not", l + 1);
        else
            read_layer(r, *net);
    }
    if (fine(r))
        read_refined(r, *net);
}

enum rhm_status rhm_network_load(struct rhm_network **out, const char *path, struct rhm_error *err)
{
    struct rhm_error own = {0}; /* so that there always is a text to begin with the path */
    struct rhm_network *net = NULL;
    struct rhm_hdf5_voice voice = rhm_hdf5_quiet();
    struct reader r = {.path = path, .err = &own};
    r.file = rhm_hdf5_open(path, &own);
    r.status = r.file < 0 ? RHM_EFILE : RHM_OK;
    if (r.file >= 0) {
        read_network(&r, &net);
        H5Fclose(r.file);
    }
    rhm_hdf5_restore(voice);
    if (r.status == RHM_OK) {
        *out = net;
        return RHM_OK;
    }
    rhm_network_free(net);
    if (strncmp(own.text, path, strlen(path)) == 0)
        return rhm_fail(err, r.status, "%s", own.text);
    return rhm_fail(err, r.status == RHM_EMEMORY ? RHM_EMEMORY : RHM_EFILE, "%s: %s", path, own.text);
}
