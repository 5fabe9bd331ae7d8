/* inverse.c - see inverse.h. */
#include "engine/grammar/inverse.h"

enum rhm_status rhm_inverse_init(struct rhm_inverse *inverse, const struct rhm_grammar *g, unsigned l,
                                 struct rhm_error *err)
{
    inverse->m = g->m;
    enum rhm_status status = rhm_tuples_init(&inverse->rules, rhm_grammar_s(g, l), err);
    for (unsigned nu = 0; nu < rhm_grammar_parents(g, l) && status == RHM_OK; nu++)
        for (unsigned k = 0; k < g->m && status == RHM_OK; k++) {
            uint32_t tuple[64];
            size_t row;
            for (unsigned j = 0; j < rhm_grammar_s(g, l); j++)
                tuple[j] = rhm_grammar_rule(g, l, nu, k)[j];
            status = rhm_tuples_add(&inverse->rules, tuple, &row, err);
        }
    return status;
}

void rhm_inverse_clear(struct rhm_inverse *inverse)
{
    rhm_tuples_clear(&inverse->rules);
}
