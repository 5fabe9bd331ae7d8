/* diagnose.c - see diagnose.h. */
#include "engine/chain/diagnose.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cblas.h>

#include "engine/base/memory.h"
#include "engine/chain/truth.h"
#include "engine/grammar/signal.h"

/* Patches whose inner products are measured: their Gram matrix is at most this wide. */
#define SAMPLE_PATCHES ((size_t)1024)

/* ---------------------------------------------------- inner products */

struct sample {
    size_t n;
    size_t *row;
    uint32_t *tuple;
    double *phi, *gram;
};

static void sample_clear(struct sample *sample)
{
    free(sample->row);
    free(sample->tuple);
    free(sample->phi);
    free(sample->gram);
}

/* Known patches in even steps through the cluster order, with their features and inner products. */
static enum rhm_status sample_init(struct sample *sample, const struct rhm_layer *layer,
                                   struct rhm_error *err)
{
    size_t U = layer->clusters.n, n = U < SAMPLE_PATCHES ? U : SAMPLE_PATCHES, s = layer->tally.patches.s;
    size_t M = layer->features.M;
    sample->row = rhm_array(n, sizeof *sample->row, "the diagnostics", err);
    sample->tuple = rhm_array(n * s, sizeof *sample->tuple, "the diagnostics", err);
    sample->phi = rhm_array(n * M, sizeof *sample->phi, "the diagnostics", err);
    sample->gram = rhm_array(n * n, sizeof *sample->gram, "the diagnostics", err);
    if (!sample->row || !sample->tuple || !sample->phi || !sample->gram)
        return RHM_EMEMORY;
    for (size_t i = 0; i < n; i++) {
        sample->row[i] = layer->order[i * U / n];
        memcpy(sample->tuple + i * s, rhm_tuples_row(&layer->tally.patches, sample->row[i]),
               s * sizeof *sample->tuple);
    }
    sample->n = n;
    rhm_features_rows(&layer->features, n, sample->tuple, sample->phi);
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasNoTrans, (int)n, (int)M, 1, sample->phi, (int)M, 0,
                sample->gram, (int)n);
    return RHM_OK;
}

/* The largest and the rms inner product between clusters, and what the limit kernel gives for the largest
 * pair. */
static enum rhm_status measure_products(const struct rhm_layer *layer, struct rhm_diagnosis *out,
                                        double *kernel, struct rhm_error *err)
{
    struct sample sample = {0};
    enum rhm_status status = sample_init(&sample, layer, err);
    double sum = 0;
    size_t pairs = 0, a = 0, b = 0, s = layer->tally.patches.s;
    for (size_t i = 0; i < sample.n && status == RHM_OK; i++)
        for (size_t j = i + 1; j < sample.n; j++) {
            if (layer->cluster[sample.row[i]] == layer->cluster[sample.row[j]])
                continue;
            double product = fabs(sample.gram[i * sample.n + j]);
            sum += product * product;
            pairs++;
            if (product > out->eps_O) {
                out->eps_O = product;
                a = i;
                b = j;
            }
        }
    if (pairs > 0) {
        out->eps_O_rms = sqrt(sum / (double)pairs);
        *kernel = rhm_features_kernel(&layer->features, sample.tuple + a * s, sample.tuple + b * s);
    }
    sample_clear(&sample);
    return status;
}

/* -------------------------------------------------------------- truth */

/* What |q^ - q| of a patch its own count explains: sqrt((1 - |q|^2)/n_mu), count-weighted rms; at all places
 * that of points, for patches of one string as dependent as they were. */
static double count_noise(const struct rhm_layer *layer)
{
    double sum = 0;
    const struct rhm_directions *directions = &layer->directions;
    const double *point = rhm_layer_points(layer);
    for (size_t row = 0; row < layer->tally.patches.n; row++) /* n_mu * (1 - |q|^2)/n_mu */
        sum += rhm_directions_noise(directions, layer->output + row * layer->tally.C,
                                    point + row * directions->width);
    return sqrt(fmax(0, sum + layer->repeats) / (double)layer->tally.N);
}

/* The most frequent true parent of each cluster. */
static uint32_t *cluster_majority(const struct rhm_layer *layer, unsigned parents, struct rhm_error *err)
{
    size_t k = layer->clusters.k;
    double *votes = rhm_array(k * parents, sizeof *votes, "the diagnostics", err);
    uint32_t *majority = rhm_array(k, sizeof *majority, "the diagnostics", err);
    if (votes == NULL || majority == NULL) {
        free(votes);
        free(majority);
        return NULL;
    }
    for (size_t row = 0; row < layer->tally.patches.n; row++)
        if (layer->parent[row] != RHM_NO_PARENT && !layer->unknown[row])
            votes[layer->cluster[row] * parents + layer->parent[row]] +=
                (double)rhm_tally_patch_count(&layer->tally, row);
    for (size_t c = 0; c < k; c++)
        for (unsigned nu = 1; nu < parents; nu++)
            if (votes[c * parents + nu] > votes[c * parents + majority[c]])
                majority[c] = nu;
    free(votes);
    return majority;
}

/* Parents that never stand where the layer looks. */
static enum rhm_status find_never(const struct rhm_grammar *g, const struct rhm_layer *layer,
                                  unsigned char *never, struct rhm_error *err)
{
    if (layer->directions.places == 1)
        return rhm_signal_missing(g, layer->level, never, err);
    struct rhm_matrix J = {0};
    unsigned parents = rhm_grammar_parents(g, layer->level);
    double *number = rhm_array(parents, sizeof *number, "the diagnostics", err);
    enum rhm_status status = number ? rhm_signal_places(g, layer->level, &J, number, err) : RHM_EMEMORY;
    for (unsigned nu = 0; nu < parents && status == RHM_OK; nu++)
        never[nu] = !(number[nu] > 0);
    rhm_matrix_clear(&J);
    free(number);
    return status;
}

/* Rules of parents seen that were never sampled, parents never seen, patches among strangers. */
static enum rhm_status compare_with_truth(const struct rhm_network *net, const struct rhm_layer *layer,
                                          struct rhm_diagnosis *out, struct rhm_error *err)
{
    const struct rhm_grammar *g = net->grammar;
    unsigned l = layer->level, parents = rhm_grammar_parents(g, l);
    size_t rules = (size_t)parents * g->m, U = layer->tally.patches.n;
    struct rhm_inverse inverse = {0};
    uint32_t *majority = cluster_majority(layer, parents, err);
    unsigned char *seen = rhm_array(rules, 1, "the diagnostics", err);
    unsigned char *never = rhm_array(parents, 1, "the diagnostics", err);
    enum rhm_status status = majority && seen && never ? rhm_inverse_init(&inverse, g, l, err) : RHM_EMEMORY;
    if (status == RHM_OK)
        status = find_never(g, layer, never, err);
    for (size_t row = 0; row < U && status == RHM_OK; row++) {
        size_t rule = rhm_truth_rule(net, &inverse, l, rhm_tuples_row(&layer->tally.patches, row));
        if (rule != SIZE_MAX)
            seen[rule] = 1;
        if (!layer->unknown[row])
            out->misplaced += layer->parent[row] != majority[layer->cluster[row]];
    }
    for (unsigned nu = 0; nu < parents && status == RHM_OK; nu++) {
        size_t found = 0;
        for (unsigned k = 0; k < g->m; k++)
            found += seen[(size_t)nu * g->m + k];
        out->missing += found == 0;
        out->never += never[nu];
        out->untrained += found > 0 ? g->m - found : 0;
    }
    rhm_inverse_clear(&inverse);
    free(majority);
    free(seen);
    free(never);
    return status;
}

/* ------------------------------------------------------------ warnings */

static void warn(struct rhm_diagnosis *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void warn(struct rhm_diagnosis *out, const char *format, ...)
{
    if (out->warnings == RHM_DIAGNOSIS_WARNINGS)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out->warning[out->warnings], sizeof out->warning[0], format, arguments);
    va_end(arguments);
    out->warnings++;
}

static void warn_of_signal(const struct rhm_layer *layer, struct rhm_diagnosis *out)
{
    double distance = isfinite(out->gap) ? out->gap : out->rho;
    const char *name = isfinite(out->gap) ? "exact gap" : "distance rho~";
    if (out->k < 2 || !(distance > 0)) {
        warn(out,
             "signal: only %zu cluster found: no two parents give different signals at this level, or N is "
             "far too small",
             out->k);
        return;
    }
    if (out->noise > 0.5 * distance)
        warn(out,
             "signal too small for N: a patch's q^ is uncertain by %.2g, the %s is %.2g; about N = %.1g "
             "samples would "
             "separate them",
             out->noise, name, distance, (double)layer->strings * pow(4 * out->noise / distance, 2));
    if (!layer->parents_known && out->k < out->parents_most)
        warn(out,
             "signal: %zu clusters where up to %zu parents exist: some never stand first, or N is too small "
             "to part them",
             out->k, out->parents_most);
}

static void warn_of_accumulation(const struct rhm_layer *layer, struct rhm_diagnosis *out)
{
    if (isfinite(out->rho) && out->eps_S > out->rho / 3) {
        if (out->eps_S > 2 * out->noise)
            warn(out,
                 "error accumulation: eps_S = %.2g within clusters is near rho~ = %.2g between them: the "
                 "layer below "
                 "cannot rely on these outputs; raise n here or above",
                 out->eps_S, out->rho);
        else if (out->warnings == 0) /* not said yet */
            warn(out,
                 "signal too small for N: eps_S = %.2g within clusters is near rho~ = %.2g between them, and "
                 "counts "
                 "alone explain it; raise n",
                 out->eps_S, out->rho);
    }
    if (isfinite(out->error) && isfinite(out->gap) && out->error > 2 * out->noise &&
        out->error > out->gap / 3)
        warn(out,
             "error accumulation: q^ is off by %.2g where counts alone explain %.2g: the error came with the "
             "inputs or the "
             "features (exact gap %.2g)",
             out->error, out->noise, out->gap);
    if (layer->level > 0 && layer->eps_S_in > layer->rho_in / 3)
        warn(out, "error accumulation: the inputs have eps_S = %.2g near rho~ = %.2g: see the layer above",
             layer->eps_S_in, layer->rho_in);
}

static void warn_of_features(const struct rhm_network *net, const struct rhm_layer *layer, double kernel,
                             struct rhm_diagnosis *out)
{
    if (out->eps_O > 0.5 && kernel > 0.3)
        warn(out,
             "sigma poor: different patches keep an inner product of %.2g (limit kernel %.2g): sigma = %.3g "
             "is too wide "
             "for inputs at rho~ = %.2g",
             out->eps_O, kernel, layer->sigma, layer->rho_in);
    else if (out->eps_O > 0.25 || (net->codebook == RHM_CODEBOOK_CENTROID && layer->clusters.n > 4 * net->M))
        warn(out,
             "M too small: inner products between different patches reach %.2g (rms %.2g) where %.2g was "
             "wanted; M = %zu "
             "features give about %.2g",
             out->eps_O, out->eps_O_rms, net->eps_O, net->M, 1 / sqrt((double)net->M));
    if (net->codebook == RHM_CODEBOOK_EXACT && layer->eps_S_in > layer->sigma)
        warn(out,
             "sigma poor: sigma = %.3g is below the spread eps_S = %.2g of synonyms in the input: each noisy "
             "copy becomes a "
             "feature of its own",
             layer->sigma, layer->eps_S_in);
}

static void warn_of_untrained(const struct rhm_network *net, struct rhm_diagnosis *out)
{
    if (out->never > 0)
        warn(
            out,
            out->places > 1 || out->level == 1
                ? "never trained: %zu of %u parents never occur in a string of this grammar: their patches "
                  "have "
                  "no output"
                : "never trained: %zu of %u parents never stand first in this grammar: their patches have no "
                  "output (see g:check()); train with position = 'all'",
            out->never, out->level == 1 ? net->classes : net->symbols);
    if (out->missing > out->never)
        warn(out,
             "never trained: %zu parents that can stand there were not recognised among the samples: raise "
             "n, or "
             "mend the layer above, whose clusters mix symbols",
             out->missing - out->never);
    if (out->untrained > 0)
        warn(out, "never trained: %zu patches of parents that were seen were never sampled: raise n",
             out->untrained);
    if (out->unknown > 0)
        warn(out,
             "never trained: %zu patches have a sum of outputs near 0 and count as unknown: raise n or "
             "steps, or lower "
             "lambda",
             out->unknown);
    if (out->misplaced > 0)
        warn(out, "%zu patches lie in a cluster whose majority has another parent (see synonyms())",
             out->misplaced);
    if (out->condition > 1e10)
        warn(out, "condition number %.1e: raise lambda", out->condition);
}

static enum rhm_status diagnose_locked(const struct rhm_network *net, unsigned l, struct rhm_diagnosis *out,
                                       struct rhm_error *err)
{
    const struct rhm_layer *layer = net->layer[l];
    if (layer == NULL)
        return rhm_fail(err, RHM_ESTATE, "layer %u is not trained: diagnostics need a finished layer", l);
    double kernel = 0;
    out->level = l;
    out->N = layer->strings;
    out->places = layer->directions.places;
    out->patches = layer->tally.patches.n;
    out->k = layer->clusters.k;
    out->parents_expected = layer->parents_expected;
    out->parents_most = l == 1 ? net->classes : net->symbols;
    out->eps_O_wanted = net->eps_O;
    out->rho_in = layer->rho_in;
    out->eps_S_in = layer->eps_S_in;
    out->sigma = layer->sigma;
    out->rho = layer->clusters.rho;
    out->eps_S = layer->clusters.eps_S;
    out->condition = layer->condition;
    out->noise = count_noise(layer);
    out->gap = layer->gap;
    out->error = layer->error;
    out->error_max = layer->error_max;
    for (size_t row = 0; row < out->patches; row++)
        out->unknown += layer->unknown[row];
    enum rhm_status status = measure_products(layer, out, &kernel, err);
    if (status == RHM_OK && net->grammar)
        status = compare_with_truth(net, layer, out, err);
    if (status != RHM_OK)
        return status;
    warn_of_signal(layer, out);
    warn_of_accumulation(layer, out);
    warn_of_features(net, layer, kernel, out);
    warn_of_untrained(net, out);
    return RHM_OK;
}

enum rhm_status rhm_network_diagnose(struct rhm_network *net, unsigned l, struct rhm_diagnosis *out,
                                     struct rhm_error *err)
{
    *out = (struct rhm_diagnosis){0};
    if (l < 1 || l > net->L)
        return rhm_fail(err, RHM_EARG, "layer %u: must be 1..%u (L)", l, net->L);
    rhm_network_lock_reader(net);
    enum rhm_status status = diagnose_locked(net, l, out, err);
    pthread_mutex_unlock(&net->lock);
    return status;
}
