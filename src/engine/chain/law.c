/* law.c - see law.h. */
#include "engine/chain/law.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/random.h"
#include "engine/grammar/signal.h"

void rhm_law_clear(struct rhm_law *law)
{
    free(law->start);
    free(law->code);
    free(law->p);
    *law = (struct rhm_law){0};
}

void rhm_patch_law_clear(struct rhm_patch_law *law)
{
    rhm_tuples_clear(&law->patches);
    free(law->start);
    free(law->row);
    free(law->p);
    *law = (struct rhm_patch_law){0};
}

/* ------------------------------------------------ symbols -> patches */

static enum rhm_status init_law(struct rhm_law *law, size_t symbols, size_t entries, struct rhm_error *err)
{
    law->symbols = symbols;
    law->start = rhm_array(symbols + 1, sizeof *law->start, "the law of codes", err);
    law->code = rhm_array(entries, sizeof *law->code, "the law of codes", err);
    law->p = rhm_array(entries, sizeof *law->p, "the law of codes", err);
    return law->start && law->code && law->p ? RHM_OK : RHM_EMEMORY;
}

/* Symbols of level L show as themselves, or with token noise as any token. */
static enum rhm_status law_of_tokens(struct rhm_law *law, const struct rhm_grammar *g, struct rhm_error *err)
{
    unsigned V = g->V, each = g->token_noise > 0 ? V : 1;
    enum rhm_status status = rhm_memory_check(12.0 * V * each, "the law of the tokens", "lower V", err);
    if (status == RHM_OK)
        status = init_law(law, V, (size_t)V * each, err);
    for (unsigned nu = 0; nu < V && status == RHM_OK; nu++) {
        size_t at = law->start[nu];
        law->start[nu + 1] = at + each;
        for (unsigned i = 0; i < each; i++) {
            law->code[at + i] = each > 1 ? i : nu;
            law->p[at + i] = rhm_grammar_token_p(g, nu, law->code[at + i]);
        }
    }
    return status;
}

/* How many tuples of codes the rules of one parent, or of all, may show as. */
static double count_patches(const struct rhm_grammar *g, unsigned l, unsigned nu, const struct rhm_law *law)
{
    double sum = 0;
    for (unsigned k = 0; k < g->m; k++) {
        const uint16_t *child = rhm_grammar_rule(g, l, nu, k);
        double product = 1;
        for (unsigned j = 0; j < rhm_grammar_s(g, l); j++)
            product *= (double)(law->start[child[j] + 1] - law->start[child[j]]);
        sum += product;
    }
    return sum;
}

/* Lists the tuples that one rule of probability `chance` may show as, an odometer over the codes of its
 * children. */
static enum rhm_status list_rule(unsigned s, const uint16_t *child, double chance, const struct rhm_law *law,
                                 struct rhm_patch_law *out, size_t *at, struct rhm_error *err)
{
    size_t wheel[64];
    uint32_t tuple[64];
    for (unsigned j = 0; j < s; j++)
        wheel[j] = law->start[child[j]];
    for (;;) {
        double p = chance;
        for (unsigned j = 0; j < s; j++) {
            tuple[j] = law->code[wheel[j]];
            p *= law->p[wheel[j]];
        }
        size_t row;
        enum rhm_status status = rhm_tuples_add(&out->patches, tuple, &row, err);
        if (status != RHM_OK)
            return status;
        out->row[*at] = (uint32_t)row;
        out->p[(*at)++] = p;
        unsigned j = s;
        while (j > 0 && ++wheel[j - 1] == law->start[child[j - 1] + 1]) {
            wheel[j - 1] = law->start[child[j - 1]];
            j--;
        }
        if (j == 0)
            return RHM_OK;
    }
}

static enum rhm_status list_patches(const struct rhm_grammar *g, unsigned l, const struct rhm_law *law,
                                    double most, struct rhm_patch_law *out, struct rhm_error *err)
{
    unsigned parents = rhm_grammar_parents(g, l), s = rhm_grammar_s(g, l);
    double entries = 0;
    for (unsigned nu = 0; nu < parents; nu++)
        entries += count_patches(g, l, nu, law);
    double bytes =
        entries * (3.0 * sizeof(uint32_t) * s + sizeof(uint32_t) + sizeof(double) * (1 + 2.0 * g->classes));
    if (entries > most)
        return rhm_fail(err, RHM_EMEMORY, "the patches of layer %u are %.3g, too many to list", l, entries);
    char what[64];
    snprintf(what, sizeof what, "the list of the %.3g patches of layer %u", entries, l);
    enum rhm_status status =
        rhm_memory_check(bytes, what, "use codebook = 'centroid', sampler = 'draw' or a data set", err);
    if (status != RHM_OK)
        return status;
    out->parents = parents;
    out->start = rhm_array(parents + 1, sizeof *out->start, what, err);
    out->row = rhm_array((size_t)entries, sizeof *out->row, what, err);
    out->p = rhm_array((size_t)entries, sizeof *out->p, what, err);
    status = out->start && out->row && out->p ? rhm_tuples_init(&out->patches, s, err) : RHM_EMEMORY;
    size_t at = 0;
    for (unsigned nu = 0; nu < parents && status == RHM_OK; nu++) {
        for (unsigned k = 0; k < g->m && status == RHM_OK; k++)
            status =
                list_rule(s, rhm_grammar_rule(g, l, nu, k), rhm_grammar_p(g, l, nu, k), law, out, &at, err);
        out->start[nu + 1] = at;
    }
    return status;
}

/* ------------------------------------------------ patches -> symbols */

/* P(code | parent) from P(patch | parent) and the code of each patch; codes < K. */
static enum rhm_status gather_codes(const struct rhm_patch_law *patches, const uint32_t *code, size_t K,
                                    struct rhm_law *law, struct rhm_error *err)
{
    enum rhm_status status = init_law(law, patches->parents, patches->start[patches->parents], err);
    size_t *seat = rhm_array(K, sizeof *seat, "the law of codes", err); /* 1 + entry of this parent */
    if (seat == NULL)
        status = RHM_EMEMORY;
    size_t at = 0;
    for (size_t nu = 0; nu < patches->parents && status == RHM_OK; nu++) {
        size_t first = at;
        for (size_t e = patches->start[nu]; e < patches->start[nu + 1]; e++) {
            uint32_t c = code[patches->row[e]];
            if (seat[c] <= first) { /* stale, or never set */
                law->code[at] = c;
                law->p[at] = 0;
                seat[c] = ++at;
            }
            law->p[seat[c] - 1] += patches->p[e];
        }
        law->start[nu + 1] = at;
    }
    free(seat);
    return status;
}

/* The codes of layer l, from those of the layer above: list, resolve, gather. */
static enum rhm_status lift(struct rhm_chain *chain, const struct rhm_grammar *g, unsigned l, double most,
                            struct rhm_law *law, rhm_poll_function *poll, void *context,
                            struct rhm_error *err)
{
    struct rhm_patch_law patches = {0};
    struct rhm_law above = {0};
    enum rhm_status status = list_patches(g, l, law, most, &patches, err);
    uint32_t *code = NULL;
    if (status == RHM_OK) {
        code = rhm_array(patches.patches.n, sizeof *code, "the law of codes", err);
        status = code ? rhm_chain_resolve(chain, l, patches.patches.n, patches.patches.tuple, code, poll,
                                          context, err)
                      : RHM_EMEMORY;
    }
    if (status == RHM_OK)
        status = gather_codes(&patches, code, rhm_chain_codes(chain, l), &above, err);
    free(code);
    rhm_patch_law_clear(&patches);
    rhm_law_clear(law);
    *law = above;
    return status;
}

/* The law of level-l symbols as codes of layer l + 1. */
static enum rhm_status law_of_level(struct rhm_chain *chain, const struct rhm_grammar *g, unsigned l,
                                    double most, struct rhm_law *law, rhm_poll_function *poll, void *context,
                                    struct rhm_error *err)
{
    enum rhm_status status = law_of_tokens(law, g, err);
    for (unsigned above = g->L; above > l && status == RHM_OK; above--)
        status = lift(chain, g, above, most, law, poll, context, err);
    return status;
}

enum rhm_status rhm_law_of_patches(struct rhm_chain *chain, const struct rhm_grammar *g, unsigned l,
                                   double most, struct rhm_patch_law *out, rhm_poll_function *poll,
                                   void *context, struct rhm_error *err)
{
    struct rhm_law law = {0};
    *out = (struct rhm_patch_law){0};
    enum rhm_status status = law_of_level(chain, g, l, most, &law, poll, context, err);
    if (status == RHM_OK)
        status = list_patches(g, l, &law, most, out, err);
    rhm_law_clear(&law);
    if (status != RHM_OK)
        rhm_patch_law_clear(out);
    return status;
}

/* -------------------------------------------------------------- draw */

enum rhm_status rhm_law_draw(const struct rhm_patch_law *law, const struct rhm_grammar *g, unsigned l,
                             uint64_t N, uint64_t seed, struct rhm_tally *tally, struct rhm_error *err)
{
    size_t C = g->classes, U = law->patches.n;
    struct rhm_matrix q = {0};
    double *probability = rhm_array(law->parents, sizeof *probability, "the tally sampler", err);
    double *cell = rhm_array(U * C, sizeof *cell, "the tally sampler", err);
    uint64_t *count = rhm_array(U * C, sizeof *count, "the tally sampler", err);
    enum rhm_status status =
        probability && cell && count ? rhm_signal_q(g, l, 0, &q, probability, err) : RHM_EMEMORY;
    if (status == RHM_OK) {
        for (size_t nu = 0; nu < law->parents; nu++) {
            if (!(probability[nu] > 0))
                continue;
            for (size_t e = law->start[nu]; e < law->start[nu + 1]; e++)
                for (size_t c = 0; c < C; c++)
                    cell[law->row[e] * C + c] += probability[nu] * q.v[nu * C + c] * law->p[e];
        }
        struct rhm_rng rng = rhm_rng_start(seed, RHM_STREAM_TALLY + l, 0);
        rhm_random_multinomial(&rng, N, U * C, cell, count);
    }
    for (size_t i = 0; i < U * C && status == RHM_OK; i++)
        if (count[i] > 0)
            status = rhm_tally_add(tally, rhm_tuples_row(&law->patches, i / C), i % C, count[i], err);
    rhm_matrix_clear(&q);
    free(probability);
    free(cell);
    free(count);
    return status;
}

/* ---------------------------------------------------------- accuracy */

enum rhm_status rhm_law_accuracy(struct rhm_chain *chain, const struct rhm_grammar *g, double *accuracy,
                                 rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    struct rhm_law law = {0};
    enum rhm_status status = law_of_level(chain, g, 0, INFINITY, &law, poll, context, err);
    double right = 0, chance = 1.0 / g->classes;
    for (size_t label = 0; label < g->classes && status == RHM_OK; label++)
        for (size_t e = law.start[label]; e < law.start[label + 1]; e++)
            if (rhm_largest(rhm_chain_embedding(chain, 1, law.code[e]), g->classes) == label)
                right += law.p[e] * (g->prior ? g->prior[label] : 1);
    right *= g->prior ? 1 : chance;
    *accuracy = g->label_noise > 0 ? (1 - g->label_noise) * right + g->label_noise * chance : right;
    rhm_law_clear(&law);
    return status;
}
