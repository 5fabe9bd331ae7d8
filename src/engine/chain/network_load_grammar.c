/* network_load_grammar.c - the grammar that a network in a file knows. See network_load.h. */
#include "engine/chain/network_load.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/chain/network_format.h"

/* How the rules were drawn, and their probabilities, where they are not uniform. */
static void read_law(struct rhm_hdf5_reader *r, struct rhm_grammar *g, size_t rules)
{
    if (rhm_hdf5_reader_has(r, "grammar/ensemble")) {
        unsigned ensemble = 0;
        rhm_hdf5_reader_array(r, "grammar/ensemble", rhm_network_type(0, sizeof ensemble), 0, 0, &ensemble);
        rhm_hdf5_reader_array(r, "grammar/shuffle", rhm_network_type(1, sizeof g->shuffle), 0, 0,
                              &g->shuffle);
        if (rhm_hdf5_reader_fine(r) && ensemble > RHM_ENSEMBLE_LATIN)
            rhm_hdf5_reader_damaged(r, "its grammar is of ensemble number %u", ensemble);
        else if (rhm_hdf5_reader_fine(r) && !(g->shuffle >= 0 && g->shuffle <= 1))
            rhm_hdf5_reader_damaged(r, "its grammar has shuffle = %g", g->shuffle);
        g->ensemble = (enum rhm_ensemble)ensemble;
    }
    if (!rhm_hdf5_reader_fine(r) || !rhm_hdf5_reader_has(r, "grammar/p"))
        return;
    double zipf = 0, *p = rhm_hdf5_reader_reals(r, "grammar/p", &rules, 0);
    rhm_hdf5_reader_array(r, "grammar/zipf", rhm_network_type(1, sizeof zipf), 0, 0, &zipf);
    if (rhm_hdf5_reader_fine(r) && !(zipf >= 0 && zipf < INFINITY))
        rhm_hdf5_reader_damaged(r, "its grammar has zipf = %g", zipf);
    if (rhm_hdf5_reader_fine(r) && rhm_hdf5_reader_check(r, rhm_grammar_set_weights(g, p, r->err)))
        g->zipf = zipf;
    free(p);
}

static void read_noise(struct rhm_hdf5_reader *r, struct rhm_grammar *g)
{
    double label = 0, token = 0;
    size_t classes = g->classes;
    if (rhm_hdf5_reader_fine(r) && rhm_hdf5_reader_has(r, "grammar/prior")) {
        double *prior = rhm_hdf5_reader_reals(r, "grammar/prior", &classes, 0);
        if (rhm_hdf5_reader_fine(r))
            rhm_hdf5_reader_check(r, rhm_grammar_set_prior(g, prior, r->err));
        free(prior);
    }
    if (rhm_hdf5_reader_fine(r) && rhm_hdf5_reader_has(r, "grammar/label_noise"))
        rhm_hdf5_reader_array(r, "grammar/label_noise", rhm_network_type(1, sizeof label), 0, 0, &label);
    if (rhm_hdf5_reader_fine(r) && rhm_hdf5_reader_has(r, "grammar/token_noise"))
        rhm_hdf5_reader_array(r, "grammar/token_noise", rhm_network_type(1, sizeof token), 0, 0, &token);
    if (rhm_hdf5_reader_fine(r))
        rhm_hdf5_reader_check(r, rhm_grammar_set_noise(g, label, token, r->err));
}

int rhm_network_load_grammar(struct rhm_hdf5_reader *r, const struct rhm_network_options *o,
                             struct rhm_grammar *g)
{
    unsigned m = 0;
    int seeded = 0;
    uint64_t seed = 0;
    if (!rhm_hdf5_reader_fine(r) || !rhm_hdf5_reader_has(r, "grammar"))
        return 0;
    rhm_hdf5_reader_array(r, "grammar/m", rhm_network_type(0, sizeof m), 0, 0, &m);
    rhm_hdf5_reader_array(r, "grammar/seed", rhm_network_type(0, sizeof seed), 0, 0, &seed);
    rhm_hdf5_reader_array(r, "grammar/seeded", rhm_network_type(0, sizeof seeded), 0, 0, &seeded);
    struct rhm_grammar_shape shape = {.V = o->V, .m = m, .L = o->L, .classes = o->classes};
    memcpy(shape.branch, o->branch, sizeof shape.branch);
    if (!rhm_hdf5_reader_fine(r) || !rhm_hdf5_reader_check(r, rhm_grammar_check_shape(&shape, r->err)))
        return 0;
    double children = 0;
    for (int64_t l = 1; l <= o->L; l++)
        children += (double)m * (double)o->branch[l] * (double)(l == 1 ? o->classes : o->V);
    if (!rhm_hdf5_reader_check(
            r, rhm_memory_check(children * sizeof(uint16_t), "the table of rules", NULL, r->err)))
        return 0;
    size_t rows = (size_t)children;
    uint16_t *rule = rhm_hdf5_reader_new(r, "grammar/rules", rhm_network_type(0, sizeof *rule), &rows, 0);
    int good = rule != NULL && rhm_hdf5_reader_check(r, rhm_grammar_from_rules(g, &shape, rule, r->err));
    free(rule);
    if (good) {
        g->seed = seed;
        g->seeded = seeded != 0;
        read_law(r, g, g->first_rule[g->L + 1]);
        read_noise(r, g);
    }
    return good;
}
