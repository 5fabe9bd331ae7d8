/* truth.c - see truth.h. */
#include "engine/chain/truth.h"

#include <math.h>
#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/chain/law.h"
#include "engine/grammar/signal.h"

/* The true symbol that an output code of layer l stands for (tokens for l = L + 1). */
static uint32_t symbol_of(const struct rhm_network *net, unsigned l, uint32_t code)
{
    if (l == net->L + 1)
        return code;
    const struct rhm_layer *layer = net->layer[l];
    return code < layer->code_parents ? layer->code_parent[code] : RHM_NO_PARENT;
}

size_t rhm_truth_rule(const struct rhm_network *net, const struct rhm_inverse *inverse, unsigned l,
                      const uint32_t *tuple)
{
    uint32_t symbol[64];
    for (unsigned j = 0; j < rhm_network_s(net, l); j++) {
        symbol[j] = symbol_of(net, l + 1, tuple[j]);
        if (symbol[j] == RHM_NO_PARENT)
            return SIZE_MAX;
    }
    return rhm_tuples_find(&inverse->rules, symbol);
}

static uint32_t true_parent(const struct rhm_network *net, const struct rhm_inverse *inverse, unsigned l,
                            const uint32_t *tuple)
{
    size_t rule = rhm_truth_rule(net, inverse, l, tuple);
    return rule == SIZE_MAX ? RHM_NO_PARENT : (uint32_t)(rule / inverse->m);
}

enum rhm_status rhm_truth_extend(struct rhm_network *net, unsigned lowest, struct rhm_error *err)
{
    enum rhm_status status = RHM_OK;
    for (unsigned l = net->L; l >= lowest && l >= 1 && status == RHM_OK; l--) {
        struct rhm_layer *layer = net->layer[l];
        size_t before = layer->code_parents, K = layer->codebook.K;
        if (K == before)
            continue;
        uint32_t *grown = rhm_array_grow(layer->code_parent, K, sizeof *grown, "the codebook", err);
        if (grown == NULL)
            return RHM_EMEMORY;
        layer->code_parent = grown;
        layer->code_parents = K;
        for (size_t c = before; c < K; c++)
            grown[c] = RHM_NO_PARENT;
        if (net->grammar == NULL)
            continue;
        struct rhm_inverse inverse;
        status = rhm_inverse_init(&inverse, net->grammar, l, err);
        const struct rhm_codebook *book = &layer->codebook;
        for (size_t row = 0; row < book->patches.n && status == RHM_OK; row++)
            if (book->code[row] >= before)
                grown[book->code[row]] = true_parent(net, &inverse, l, rhm_tuples_row(&book->patches, row));
        rhm_inverse_clear(&inverse);
    }
    return status;
}

enum rhm_status rhm_truth_fill_parents(const struct rhm_network *net, struct rhm_layer *layer,
                                       struct rhm_error *err)
{
    size_t U = layer->tally.patches.n;
    layer->parent = rhm_array(U, sizeof *layer->parent, "the true parents", err);
    if (layer->parent == NULL)
        return RHM_EMEMORY;
    struct rhm_inverse inverse = {0};
    enum rhm_status status = RHM_OK;
    if (net->grammar)
        status = rhm_inverse_init(&inverse, net->grammar, layer->level, err);
    for (size_t row = 0; row < U && status == RHM_OK; row++)
        layer->parent[row] = net->grammar ? true_parent(net, &inverse, layer->level,
                                                        rhm_tuples_row(&layer->tally.patches, row))
                                          : RHM_NO_PARENT;
    rhm_inverse_clear(&inverse);
    return status;
}

/* ------------------------------------------------------- exact q of patches */

/* More (patch, parent) pairs than this are not listed for the sake of a measurement. */
#define PAIRS_MOST 3e5

/* Under token noise: P(parent at the first place) P(patch | parent) q_parent, summed over the parents. */
static enum rhm_status noisy_q(const struct rhm_network *net, unsigned l, const struct rhm_matrix *parent_q,
                               const double *probability, size_t n, const uint32_t *tuple, double *q,
                               rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    size_t C = net->classes;
    struct rhm_chain chain;
    struct rhm_patch_law law = {0};
    for (size_t i = 0; i < n * C; i++)
        q[i] = NAN;
    enum rhm_status status = rhm_chain_init(&chain, net, l + 1, err);
    if (status != RHM_OK)
        return status;
    status = rhm_law_of_patches(&chain, net->grammar, l, PAIRS_MOST, &law, poll, context, err);
    rhm_chain_clear(&chain);
    if (status != RHM_OK)
        return status == RHM_EMEMORY ? RHM_OK : status;
    size_t U = law.patches.n;
    double *joint = rhm_array(U * (C + 1), sizeof *joint, "the exact q of noisy patches", err);
    for (size_t nu = 0; joint && nu < law.parents; nu++)
        for (size_t e = law.start[nu]; e < law.start[nu + 1] && probability[nu] > 0; e++) {
            double p = probability[nu] * law.p[e], *to = joint + law.row[e] * (C + 1);
            for (size_t c = 0; c < C; c++)
                to[c] += p * parent_q->v[nu * C + c];
            to[C] += p;
        }
    for (size_t i = 0; joint && i < n; i++) {
        size_t row = rhm_tuples_find(&law.patches, tuple + i * rhm_network_s(net, l));
        const double *from = row == SIZE_MAX ? NULL : joint + row * (C + 1);
        for (size_t c = 0; from && from[C] > 0 && c < C; c++)
            q[i * C + c] = from[c] / from[C];
    }
    status = joint ? RHM_OK : RHM_EMEMORY;
    free(joint);
    rhm_patch_law_clear(&law);
    return status;
}

enum rhm_status rhm_truth_q(const struct rhm_network *net, unsigned l, size_t n, const uint32_t *tuple,
                            const uint32_t *parent, double *q, rhm_poll_function *poll, void *context,
                            struct rhm_error *err)
{
    size_t C = net->classes;
    struct rhm_matrix of = {0};
    double *probability =
        rhm_array(rhm_grammar_parents(net->grammar, l), sizeof *probability, "the true parents", err);
    enum rhm_status status =
        probability ? rhm_signal_q(net->grammar, l, 0, &of, probability, err) : RHM_EMEMORY;
    if (status == RHM_OK && net->grammar->token_noise > 0)
        status = noisy_q(net, l, &of, probability, n, tuple, q, poll, context, err);
    else
        for (size_t i = 0; i < n * C && status == RHM_OK; i++)
            q[i] = parent[i / C] == RHM_NO_PARENT ? NAN : of.v[parent[i / C] * C + i % C];
    rhm_matrix_clear(&of);
    free(probability);
    return status;
}

/* The exact points of the parents (parents x width), nan rows for those that never occur. */
static enum rhm_status exact_points(const struct rhm_network *net, const struct rhm_layer *layer,
                                    struct rhm_matrix *z, struct rhm_error *err)
{
    struct rhm_matrix J = {0};
    double *number =
        rhm_array(rhm_grammar_parents(net->grammar, layer->level), sizeof *number, "the exact q", err);
    enum rhm_status status =
        number ? rhm_signal_places(net->grammar, layer->level, &J, number, err) : RHM_EMEMORY;
    free(number);
    if (status == RHM_OK)
        status = rhm_matrix_init(z, J.rows, layer->directions.width, err);
    if (status == RHM_OK)
        rhm_directions_points(&layer->directions, J.rows, J.v, z->v);
    rhm_matrix_clear(&J);
    return status;
}

/* Gap, and the exact values (U x width) that points are compared with. */
static enum rhm_status exact_values(const struct rhm_network *net, struct rhm_layer *layer, double *exact,
                                    rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    size_t U = layer->tally.patches.n, width = layer->directions.width;
    int all = layer->directions.places > 1;
    struct rhm_matrix q = {0};
    enum rhm_status status =
        all ? exact_points(net, layer, &q, err) : rhm_signal_q(net->grammar, layer->level, 0, &q, NULL, err);
    if (status == RHM_OK)
        status = rhm_signal_gap(&q, &layer->gap, poll, context, err);
    for (size_t i = 0; i < U && status == RHM_OK && all; i++)
        for (size_t k = 0; k < width; k++)
            exact[i * width + k] =
                layer->parent[i] == RHM_NO_PARENT ? NAN : q.v[layer->parent[i] * width + k];
    if (status == RHM_OK && !all)
        status = rhm_truth_q(net, layer->level, U, layer->tally.patches.tuple, layer->parent, exact, poll,
                             context, err);
    rhm_matrix_clear(&q);
    return status;
}

enum rhm_status rhm_truth_measure(const struct rhm_network *net, struct rhm_layer *layer,
                                  rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    layer->gap = layer->error = layer->error_max = NAN;
    if (net->grammar == NULL || (net->grammar->token_noise > 0 && layer->directions.places > 1))
        return RHM_OK; /* all places under token noise: each has a law of its own, not worked out */
    size_t U = layer->tally.patches.n, C = layer->directions.width;
    const double *point = rhm_layer_points(layer);
    double sum = 0, weight = 0, worst = 0, *exact = rhm_array(U * C, sizeof *exact, "the exact q", err);
    enum rhm_status status = exact ? exact_values(net, layer, exact, poll, context, err) : RHM_EMEMORY;
    for (size_t row = 0; row < U && status == RHM_OK; row++) {
        if (isnan(exact[row * C]))
            continue;
        double square = 0, count = (double)rhm_tally_patch_count(&layer->tally, row);
        for (size_t c = 0; c < C; c++) {
            double difference = point[row * C + c] - exact[row * C + c];
            square += difference * difference;
        }
        sum += count * square;
        weight += count;
        worst = fmax(worst, square);
    }
    if (weight > 0) {
        layer->error = sqrt(sum / weight);
        layer->error_max = sqrt(worst);
    }
    free(exact);
    return status;
}

enum rhm_status rhm_truth_expected(const struct rhm_network *net, unsigned l, size_t places, uint64_t N,
                                   size_t *expected, struct rhm_error *err)
{
    *expected = 0;
    if (net->grammar == NULL)
        return RHM_OK;
    struct rhm_matrix q = {0};
    double *number = rhm_array(rhm_grammar_parents(net->grammar, l), sizeof *number, "the true parents", err);
    enum rhm_status status = number == NULL ? RHM_EMEMORY
                             : places > 1   ? rhm_signal_places(net->grammar, l, &q, number, err)
                                            : rhm_signal_q(net->grammar, l, 0, &q, number, err);
    for (size_t nu = 0; nu < q.rows && status == RHM_OK; nu++)
        *expected += (double)N * number[nu] >= 1;
    rhm_matrix_clear(&q);
    free(number);
    return status;
}
