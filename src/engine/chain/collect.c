/* collect.c - see collect.h. */
#include "engine/chain/collect.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/chain/law.h"
#include "engine/grammar/sample.h"
#include "engine/grammar/signal.h"

/* Samples between two looks at the monitor when only counters are touched. */
#define COUNT_BLOCK ((uint64_t)1 << 20)

/* Publishes that `drawn` samples are counted and asks whether to go on. */
static enum rhm_status report(unsigned l, uint64_t drawn, struct rhm_progress_layer *progress,
                              struct rhm_monitor *monitor, struct rhm_error *err)
{
    progress->drawn = drawn;
    rhm_monitor_layer(monitor, l, progress);
    return rhm_monitor_poll(monitor, err);
}

/* ------------------------------------------------------------- tally */

/* The tally sampler pays where the list of patches is short against the samples; 0 where it does not fit at
 * all. */
static double listing_limit(const struct rhm_network *net, enum rhm_sampler sampler, uint64_t n)
{
    return sampler == RHM_SAMPLER_TALLY ? INFINITY : fmax(65536, 4 * (double)n / net->classes);
}

static enum rhm_status collect_by_law(struct rhm_chain *chain, unsigned l,
                                      const struct rhm_train_options *options, struct rhm_tally *tally,
                                      struct rhm_monitor *monitor, int *listed, struct rhm_error *err)
{
    struct rhm_patch_law law;
    double most = listing_limit(chain->net, options->sampler, options->n[l]);
    enum rhm_status status =
        rhm_law_of_patches(chain, options->grammar, l, most, &law, rhm_monitor_poll, monitor, err);
    *listed = status == RHM_OK;
    if (status != RHM_OK)
        return status;
    status = rhm_law_draw(&law, options->grammar, l, options->n[l], options->seed, tally, err);
    rhm_patch_law_clear(&law);
    return status;
}

/* -------------------------------------------------------------- draw */

/* Layer L: counters of rules. */
static enum rhm_status collect_rules(const struct rhm_grammar *g, uint64_t n, uint64_t seed,
                                     struct rhm_tally *tally, struct rhm_progress_layer *progress,
                                     struct rhm_monitor *monitor, struct rhm_error *err)
{
    size_t rules = (size_t)rhm_grammar_parents(g, g->L) * g->m;
    uint64_t *count = rhm_array(rules * g->classes, sizeof *count, "the counters of patches", err);
    if (count == NULL)
        return RHM_EMEMORY;
    enum rhm_status status = RHM_OK;
    for (uint64_t at = 0; at < n && status == RHM_OK; at += COUNT_BLOCK) {
        uint64_t some = n - at < COUNT_BLOCK ? n - at : COUNT_BLOCK;
        status = rhm_sample_count(g, seed, at, some, count, err);
        if (status == RHM_OK)
            status = report(g->L, at + some, progress, monitor, err);
    }
    for (size_t r = 0; r < rules && status == RHM_OK; r++) {
        uint32_t tuple[64];
        unsigned s = rhm_grammar_s(g, g->L);
        const uint16_t *child = g->rules + g->level[g->L] + r * s;
        for (unsigned j = 0; j < s; j++)
            tuple[j] = child[j];
        for (size_t c = 0; c < g->classes && status == RHM_OK; c++)
            if (count[r * g->classes + c] > 0)
                status = rhm_tally_add(tally, tuple, c, count[r * g->classes + c], err);
    }
    free(count);
    return status;
}

/* Counts of (tuple number, label) where the input codes are few: no hashing in the loop over samples. */
struct counters {
    size_t base, s, C, cells;    /* C: labels of the tally */
    uint64_t *count;             /* NULL: too many, use the tally */
    struct rhm_repeats *repeats; /* NULL: not wanted */
};

#define COUNTERS_MOST ((size_t)1 << 20)

static void counters_init(struct counters *k, size_t base, size_t s, size_t C, struct rhm_repeats *repeats)
{
    *k = (struct counters){.base = base, .s = s, .C = C, .repeats = repeats};
    uint64_t tuples = rhm_power(base, (unsigned)s);
    if (tuples > 0 && tuples <= COUNTERS_MOST / C) {
        k->cells = tuples * C;
        k->count = calloc(k->cells, sizeof *k->count);
    }
}

/* n strings with `places` patches each; the label of a patch is place * classes + label. */
static enum rhm_status count_rows(struct counters *k, struct rhm_tally *tally, size_t n, size_t places,
                                  const uint32_t *tuple, const uint16_t *label, struct rhm_error *err)
{
    enum rhm_status status = RHM_OK;
    size_t classes = k->C / places;
    for (size_t i = 0; i < n && k->repeats && places > 1 && status == RHM_OK; i++)
        status = rhm_repeats_look(k->repeats, places, tuple + i * places * k->s, label[i], err);
    for (size_t i = 0; i < n * places && status == RHM_OK; i++) {
        const uint32_t *t = tuple + i * k->s;
        size_t where = i % places * classes + label[i / places];
        if (k->count == NULL) {
            status = rhm_tally_add(tally, t, where, 1, err);
            continue;
        }
        size_t number = 0;
        for (size_t j = 0; j < k->s; j++)
            number = number * k->base + t[j];
        k->count[number * k->C + where]++;
    }
    return status;
}

static enum rhm_status counters_finish(struct counters *k, struct rhm_tally *tally, enum rhm_status status,
                                       struct rhm_error *err)
{
    for (size_t cell = 0; cell < k->cells && k->count && status == RHM_OK; cell++) {
        if (k->count[cell] == 0)
            continue;
        uint32_t tuple[64];
        size_t number = cell / k->C;
        for (size_t j = k->s; j-- > 0; number /= k->base)
            tuple[j] = (uint32_t)(number % k->base);
        status = rhm_tally_add(tally, tuple, cell % k->C, k->count[cell], err);
    }
    free(k->count);
    return status;
}

/* The exact codebook and the hash tables may grow by a row a sample: say so before the work. */
static enum rhm_status check_growth(const struct rhm_chain *chain, unsigned l, uint64_t n, size_t places,
                                    struct rhm_error *err)
{
    const struct rhm_network *net = chain->net;
    if (net->codebook != RHM_CODEBOOK_EXACT && places == 1)
        return RHM_OK;
    unsigned s = rhm_network_s(net, l);
    double patches = (double)n * (double)places, most = pow((double)rhm_chain_codes(chain, l + 1), s);
    if (net->grammar && net->grammar->token_noise == 0) {
        /* V m^(1 + s_l + s_l s_(l+1) + ...) patches exist below a symbol of level l - 1 */
        double exponent = 0, power = 1;
        for (unsigned j = l; j <= net->L; j++) {
            exponent += power;
            power *= rhm_network_s(net, j);
        }
        most = fmin(most, (double)rhm_grammar_parents(net->grammar, l) * pow(net->grammar->m, exponent));
    }
    patches = fmin(patches, most);
    double bytes = patches * (8.0 * s + 12 + 32.0 * (double)places * net->classes);
    char what[96];
    if (net->codebook == RHM_CODEBOOK_EXACT) {
        snprintf(what, sizeof what, "the exact codebook of layer %u (up to %.3g patches)", l, patches);
        return rhm_memory_check(bytes, what, "use codebook = 'centroid', lower n", err);
    }
    snprintf(what, sizeof what, "the counts of layer %u (up to %.3g patches at %zu places)", l, patches,
             places);
    return rhm_memory_check(bytes, what, "use position = 'first'", err);
}

static enum rhm_status collect_drawn(struct rhm_chain *chain, unsigned l,
                                     const struct rhm_train_options *options, struct rhm_tally *tally,
                                     struct rhm_repeats *repeats, struct rhm_progress_layer *progress,
                                     struct rhm_monitor *monitor, struct rhm_error *err)
{
    const struct rhm_network *net = chain->net;
    const struct rhm_grammar *g = options->grammar;
    size_t places = tally->C / net->classes;
    uint64_t n = options->n[l], wide = places > 1 ? net->leaves : rhm_network_span(net, l);
    char what[80];
    snprintf(what, sizeof what, "a drawn sample of layer %u, %.3g tokens,", l, (double)wide);
    enum rhm_status status = rhm_memory_check(
        16.0 * (double)wide, what, places > 1 ? "use position = 'first'" : "use sampler = 'tally'", err);
    if (status != RHM_OK)
        return status;
    size_t width = (size_t)wide, block = rhm_chain_block(width);
    uint16_t *tokens = rhm_array(block * width, sizeof *tokens, "a block of samples", err);
    uint16_t *labels = rhm_array(block, sizeof *labels, "a block of samples", err);
    if (tokens == NULL || labels == NULL)
        status = RHM_EMEMORY;
    struct counters counters;
    counters_init(&counters,
                  net->codebook == RHM_CODEBOOK_CENTROID || l == net->L ? rhm_chain_codes(chain, l + 1) : 0,
                  rhm_network_s(net, l), tally->C, repeats);
    for (uint64_t at = 0; at < n && status == RHM_OK; at += block) {
        size_t some = n - at < block ? (size_t)(n - at) : block;
        const uint32_t *tuple;
        if (places > 1)
            rhm_sample_whole(g, l, options->seed, at, some, tokens, labels);
        else
            rhm_sample_subtrees(g, l, options->seed, at, some, tokens, labels);
        status = rhm_chain_ascend(chain, l + 1, some, width, tokens, &tuple, rhm_monitor_poll, monitor, err);
        if (status == RHM_OK)
            status = count_rows(&counters, tally, some, places, tuple, labels, err);
        if (status == RHM_OK)
            status = report(l, at + some, progress, monitor, err);
    }
    status = counters_finish(&counters, tally, status, err);
    free(tokens);
    free(labels);
    return status;
}

/* ---------------------------------------------------------- data set */

static enum rhm_status collect_data(struct rhm_chain *chain, unsigned l,
                                    const struct rhm_train_options *options, struct rhm_tally *tally,
                                    struct rhm_repeats *repeats, struct rhm_progress_layer *progress,
                                    struct rhm_monitor *monitor, struct rhm_error *err)
{
    const struct rhm_network *net = chain->net;
    const struct rhm_dataset *data = options->data;
    size_t n = (size_t)options->n[l], places = tally->C / net->classes;
    size_t width = places > 1 ? (size_t)net->leaves : (size_t)rhm_network_span(net, l);
    size_t given = width < data->d ? width : data->d, block = rhm_chain_block(width);
    if (block > n)
        block = n;
    uint16_t *tokens = rhm_array(block * given, sizeof *tokens, "a block of strings", err);
    uint16_t *labels = rhm_array(block, sizeof *labels, "a block of strings", err);
    enum rhm_status status = tokens && labels ? RHM_OK : RHM_EMEMORY;
    size_t next = 0; /* string */
    struct counters tally_only = {.s = rhm_network_s(net, l), .C = tally->C, .repeats = repeats};
    for (size_t at = 0; at < n && status == RHM_OK; at += block) {
        size_t some = n - at < block ? n - at : block;
        const uint32_t *tuple;
        for (size_t i = 0; i < some; i++) {
            while (data->labels[next] == RHM_MISSING)
                next++;
            for (size_t j = 0; j < given; j++) /* all, or what stands under the first level-(l-1) symbol */
                tokens[i * given + j] = data->tokens[next * data->d + j];
            labels[i] = data->labels[next++];
        }
        status = rhm_chain_ascend(chain, l + 1, some, width, tokens, &tuple, rhm_monitor_poll, monitor, err);
        if (status == RHM_OK)
            status = count_rows(&tally_only, tally, some, places, tuple, labels, err);
        if (status == RHM_OK)
            status = report(l, at + some, progress, monitor, err);
    }
    free(tokens);
    free(labels);
    return status;
}

enum rhm_status rhm_collect(struct rhm_chain *chain, unsigned l, const struct rhm_train_options *options,
                            struct rhm_tally *tally, struct rhm_repeats *repeats,
                            struct rhm_progress_layer *progress, struct rhm_monitor *monitor,
                            struct rhm_error *err)
{
    const struct rhm_network *net = chain->net;
    int all = options->position == RHM_POSITION_ALL && l > 1;
    size_t places = all ? (size_t)rhm_network_places(net, l) : 1;
    enum rhm_status status = rhm_tally_init(tally, rhm_network_s(net, l), places * net->classes, err);
    if (status == RHM_OK)
        status = check_growth(chain, l, options->n[l], places, err);
    if (status == RHM_OK && options->data) {
        status = collect_data(chain, l, options, tally, repeats, progress, monitor, err);
    } else if (status == RHM_OK) {
        int listed = 0;
        if (options->sampler != RHM_SAMPLER_DRAW && !all)
            status = collect_by_law(chain, l, options, tally, monitor, &listed, err);
        if (options->sampler == RHM_SAMPLER_AUTO && status == RHM_EMEMORY && !listed)
            status = RHM_OK; /* too many patches to list: draw */
        if (status == RHM_OK && !listed)
            status = l == net->L && options->grammar->token_noise == 0 && !all
                         ? collect_rules(options->grammar, options->n[l], options->seed, tally, progress,
                                         monitor, err)
                         : collect_drawn(chain, l, options, tally, repeats, progress, monitor, err);
    }
    if (status == RHM_OK)
        status = rhm_tally_sort(tally, err);
    if (status == RHM_OK)
        status = report(l, options->n[l], progress, monitor, err);
    return status;
}
