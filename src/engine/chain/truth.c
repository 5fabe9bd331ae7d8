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

/* Under token noise: number of the parent times P(patch | parent) times its row of `of` (parents x width),
 * summed over the parents, over the same sum without the row. `number` is how likely, or how often, a parent
 * stands where one looks; noise is the same everywhere. out: n x width. */
static enum rhm_status noisy_rows(const struct rhm_network *net, unsigned l, const struct rhm_matrix *of,
                                  const double *number, size_t n, const uint32_t *tuple, double *out,
                                  rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    size_t width = of->cols;
    struct rhm_chain chain;
    struct rhm_patch_law law = {0};
    for (size_t i = 0; i < n * width; i++)
        out[i] = NAN;
    enum rhm_status status = rhm_chain_init(&chain, net, l + 1, err);
    if (status != RHM_OK)
        return status;
    status = rhm_law_of_patches(&chain, net->grammar, l, PAIRS_MOST, &law, poll, context, err);
    rhm_chain_clear(&chain);
    if (status != RHM_OK)
        return status == RHM_EMEMORY ? RHM_OK : status;
    size_t *asked = rhm_array(law.patches.n, sizeof *asked, "the exact q of noisy patches", err); /* 1 + i */
    double *mass = rhm_array(n, sizeof *mass, "the exact q of noisy patches", err);
    status = asked && mass ? RHM_OK : RHM_EMEMORY;
    for (size_t i = 0; i < n && status == RHM_OK; i++) {
        size_t row = rhm_tuples_find(&law.patches, tuple + i * rhm_network_s(net, l));
        if (row != SIZE_MAX)
            asked[row] = i + 1;
    }
    for (size_t nu = 0; nu < law.parents && status == RHM_OK; nu++)
        for (size_t e = law.start[nu]; e < law.start[nu + 1] && number[nu] > 0; e++) {
            size_t i = asked[law.row[e]];
            double p = number[nu] * law.p[e], *to = out + (i - 1) * width;
            if (i == 0 || !(p > 0))
                continue;
            for (size_t c = 0; c < width; c++)
                to[c] = (mass[i - 1] > 0 ? to[c] : 0) + p * of->v[nu * width + c];
            mass[i - 1] += p;
        }
    for (size_t i = 0; i < n && status == RHM_OK; i++)
        for (size_t c = 0; c < width && mass[i] > 0; c++)
            out[i * width + c] /= mass[i];
    free(asked);
    free(mass);
    rhm_patch_law_clear(&law);
    return status;
}

/* Rows of `of` (parents x width) for n patches: that of the true parent, or as noisy_rows. */
static enum rhm_status rows_of_patches(const struct rhm_network *net, unsigned l, const struct rhm_matrix *of,
                                       const double *number, size_t n, const uint32_t *tuple,
                                       const uint32_t *parent, double *out, rhm_poll_function *poll,
                                       void *context, struct rhm_error *err)
{
    if (net->grammar->token_noise > 0)
        return noisy_rows(net, l, of, number, n, tuple, out, poll, context, err);
    for (size_t i = 0; i < n * of->cols; i++)
        out[i] = parent[i / of->cols] == RHM_NO_PARENT
                     ? NAN
                     : of->v[parent[i / of->cols] * of->cols + i % of->cols];
    return RHM_OK;
}

enum rhm_status rhm_truth_q(const struct rhm_network *net, unsigned l, uint64_t place, size_t n,
                            const uint32_t *tuple, const uint32_t *parent, double *q, rhm_poll_function *poll,
                            void *context, struct rhm_error *err)
{
    struct rhm_matrix of = {0};
    double *probability =
        rhm_array(rhm_grammar_parents(net->grammar, l), sizeof *probability, "the true parents", err);
    enum rhm_status status =
        probability ? rhm_signal_q(net->grammar, l, place, &of, probability, err) : RHM_EMEMORY;
    if (status == RHM_OK)
        status = rows_of_patches(net, l, &of, probability, n, tuple, parent, q, poll, context, err);
    rhm_matrix_clear(&of);
    free(probability);
    return status;
}

/* At all places: the gap between the exact points of the parents, and the exact points of the patches. */
static enum rhm_status exact_points(const struct rhm_network *net, struct rhm_layer *layer, double *exact,
                                    rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    const struct rhm_tally *tally = &layer->tally;
    size_t U = tally->patches.n;
    struct rhm_matrix J = {0}, z = {0};
    double *number =
        rhm_array(rhm_grammar_parents(net->grammar, layer->level), sizeof *number, "the exact q", err);
    double *rows = rhm_array(U * tally->C, sizeof *rows, "the exact q of all places", err);
    enum rhm_status status =
        number && rows ? rhm_signal_places(net->grammar, layer->level, &J, number, err) : RHM_EMEMORY;
    if (status == RHM_OK)
        status = rhm_matrix_init(&z, J.rows, layer->directions.width, err);
    if (status == RHM_OK) {
        rhm_directions_points(&layer->directions, J.rows, J.v, z.v); /* nan for parents that never occur */
        status = rhm_signal_gap(&z, &layer->gap, poll, context, err);
    }
    if (status == RHM_OK)
        status = rows_of_patches(net, layer->level, &J, number, U, tally->patches.tuple, layer->parent, rows,
                                 poll, context, err);
    if (status == RHM_OK)
        status = rhm_directions_all_points(&layer->directions, U, rows, exact, poll, context, err);
    rhm_matrix_clear(&J);
    rhm_matrix_clear(&z);
    free(number);
    free(rows);
    return status;
}

/* Gap, and the exact values (U x width) that points are compared with. */
static enum rhm_status exact_values(const struct rhm_network *net, struct rhm_layer *layer, double *exact,
                                    rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    if (layer->directions.places > 1)
        return exact_points(net, layer, exact, poll, context, err);
    struct rhm_matrix q = {0};
    enum rhm_status status = rhm_signal_q(net->grammar, layer->level, 0, &q, NULL, err);
    if (status == RHM_OK)
        status = rhm_signal_gap(&q, &layer->gap, poll, context, err);
    if (status == RHM_OK)
        status = rhm_truth_q(net, layer->level, 0, layer->tally.patches.n, layer->tally.patches.tuple,
                             layer->parent, exact, poll, context, err);
    rhm_matrix_clear(&q);
    return status;
}

enum rhm_status rhm_truth_measure(const struct rhm_network *net, struct rhm_layer *layer,
                                  rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    layer->gap = layer->error = layer->error_max = NAN;
    if (net->grammar == NULL)
        return RHM_OK;
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
