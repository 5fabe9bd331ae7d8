/* network_load.c - see network_file.h. A file may come from anywhere: every shape, number and code is checked
 * before it is used.
 */
#include "engine/chain/network_load.h"

#include <stdio.h>
#include <string.h>

#include "engine/chain/network_file.h"
#include "engine/chain/network_format.h"

static void read_network(struct rhm_hdf5_reader *r, struct rhm_network **net)
{
    rhm_hdf5_reader_attribute(r, "rhm_network");
    if (r->status != RHM_OK) {
        r->status = rhm_fail(r->err, RHM_EFILE,
                             "%s: not a network saved by rhm (no attribute \"rhm_network\")", r->path);
        return;
    }
    rhm_hdf5_reader_format(r, "rhm_network", "a network", RHM_NETWORK_FORMAT);
    if (r->status != RHM_OK)
        return;
    struct rhm_network_options o = rhm_network_defaults();
    o.V = rhm_hdf5_reader_attribute(r, "V");
    o.L = rhm_hdf5_reader_attribute(r, "L");
    rhm_hdf5_reader_branches(r, o.L, o.branch);
    o.classes = rhm_hdf5_reader_attribute(r, "classes");
    o.d = rhm_hdf5_reader_length(r);
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
