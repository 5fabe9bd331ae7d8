/* network_load.c - see network_file.h. A file may come from anywhere: every shape, number and code is checked
 * before it is used.
 */
#include "engine/chain/network_load.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/chain/network_file.h"
#include "engine/chain/network_format.h"

static void read_branches(struct rhm_hdf5_reader *r, struct rhm_network_options *o)
{
    if (rhm_hdf5_reader_fine(r) && (o->L < 1 || o->L > RHM_MAX_LEVELS))
        rhm_hdf5_reader_damaged(r, "L = %" PRId64 ": must be 1..%d", o->L, RHM_MAX_LEVELS);
    size_t rows = (size_t)o->L;
    unsigned *s = rhm_hdf5_reader_new(r, "s", rhm_network_type(0, sizeof *s), &rows, 0);
    for (size_t l = 1; rhm_hdf5_reader_fine(r) && l <= rows; l++) {
        o->branch[l] = s[l - 1];
        if (s[l - 1] < 2)
            rhm_hdf5_reader_damaged(r, "s[%zu] = %u: must be 2 or more", l, s[l - 1]);
    }
    free(s);
}

/* Absent where strings fill the tree. */
static void read_length(struct rhm_hdf5_reader *r, struct rhm_network_options *o)
{
    uint64_t d;
    if (!rhm_hdf5_reader_fine(r) || !rhm_hdf5_reader_has(r, "d"))
        return;
    rhm_hdf5_reader_array(r, "d", rhm_network_type(0, sizeof d), 0, 0, &d);
    if (rhm_hdf5_reader_fine(r) && (d < 1 || d > INT64_MAX))
        rhm_hdf5_reader_damaged(r, "d = %" PRIu64 ": must be 1 or more", d);
    o->d = rhm_hdf5_reader_fine(r) ? (int64_t)d : 0;
}

static void read_network(struct rhm_hdf5_reader *r, struct rhm_network **net)
{
    unsigned version = rhm_hdf5_reader_attribute(r, "rhm_network");
    if (r->status != RHM_OK) {
        r->status = rhm_fail(r->err, RHM_EFILE,
                             "%s: not a network saved by rhm (no attribute \"rhm_network\")", r->path);
        return;
    }
    if (version != RHM_NETWORK_FORMAT) {
        rhm_hdf5_reader_damaged(r, "a network in format %u: this version of rhm reads format %u", version,
                                RHM_NETWORK_FORMAT);
        return;
    }
    struct rhm_network_options o = rhm_network_defaults();
    o.V = rhm_hdf5_reader_attribute(r, "V");
    o.L = rhm_hdf5_reader_attribute(r, "L");
    read_branches(r, &o);
    o.classes = rhm_hdf5_reader_attribute(r, "classes");
    read_length(r, &o);
    o.M = rhm_hdf5_reader_attribute(r, "M");
    unsigned features = rhm_hdf5_reader_attribute(r, "features"),
             codebook = rhm_hdf5_reader_attribute(r, "codebook");
    unsigned linkage = rhm_hdf5_reader_attribute(r, "linkage");
    if (linkage > RHM_LINKAGE_WARD)
        rhm_hdf5_reader_damaged(r, "its linkage is number %u: must be 0 or 1", linkage);
    o.linkage = (enum rhm_linkage)linkage;
    if (features > RHM_FEATURES_RELU)
        rhm_hdf5_reader_damaged(r, "its features are number %u: must be 0..%d", features, RHM_FEATURES_RELU);
    if (codebook > RHM_CODEBOOK_EXACT)
        rhm_hdf5_reader_damaged(r, "its codebook is number %u: must be 0 or 1", codebook);
    if (o.classes == 0)
        rhm_hdf5_reader_damaged(r, "classes = 0: must be 2 or more");
    o.features = (enum rhm_feature_kind)features;
    o.codebook = (enum rhm_codebook_kind)codebook;
    rhm_hdf5_reader_array(r, "seed", rhm_network_type(0, sizeof o.seed), 0, 0, &o.seed);
    rhm_hdf5_reader_array(r, "sigma", rhm_network_type(1, sizeof o.sigma), 0, 0, &o.sigma);
    rhm_hdf5_reader_array(r, "eps_O", rhm_network_type(1, sizeof o.eps_O), 0, 0, &o.eps_O);
    struct rhm_grammar g = {0};
    if (rhm_network_load_grammar(r, &o, &g))
        o.grammar = &g;
    if (rhm_hdf5_reader_fine(r))
        rhm_hdf5_reader_check(r, rhm_network_create(net, &o, r->err));
    rhm_grammar_clear(&g);
    for (unsigned l = rhm_hdf5_reader_fine(r) ? (*net)->L : 0; l >= 1 && rhm_hdf5_reader_fine(r); l--) {
        char name[24], where[24];
        snprintf(name, sizeof name, "layer%u", l);
        if (!rhm_hdf5_reader_has(r, name))
            continue;
        snprintf(where, sizeof where, "layer %u: ", l);
        rhm_hdf5_reader_enter(r, name, where);
        if (l < (*net)->L && (*net)->layer[l + 1] == NULL)
            rhm_hdf5_reader_damaged(r, "trained, but layer %u is not", l + 1);
        else
            rhm_network_load_layer(r, *net, l);
        rhm_hdf5_reader_enter(r, NULL, "");
    }
    if (rhm_hdf5_reader_fine(r))
        rhm_network_load_refined(r, *net);
}

enum rhm_status rhm_network_load(struct rhm_network **out, const char *path, struct rhm_error *err)
{
    struct rhm_error own = {0}; /* so that there always is a text to begin with the path */
    struct rhm_network *net = NULL;
    struct rhm_hdf5_reader r;
    rhm_hdf5_reader_open(&r, path, &own);
    if (rhm_hdf5_reader_fine(&r))
        read_network(&r, &net);
    enum rhm_status status = rhm_hdf5_reader_close(&r);
    if (status == RHM_OK) {
        *out = net;
        return RHM_OK;
    }
    rhm_network_free(net);
    if (strncmp(own.text, path, strlen(path)) == 0)
        return rhm_fail(err, status, "%s", own.text);
    return rhm_fail(err, status == RHM_EMEMORY ? RHM_EMEMORY : RHM_EFILE, "%s: %s", path, own.text);
}
