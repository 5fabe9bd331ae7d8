/* trainer_create.c - a layer's training before its first step: samples, sigma, features, Gram matrix. See
 * trainer.h. */
#include "engine/chain/trainer.h"

#include <math.h>
#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/base/rng.h"
#include "engine/chain/collect.h"
#include "engine/chain/truth.h"
#include "engine/grammar/signal.h"

double *rhm_one_hot(size_t V, struct rhm_error *err)
{
    if (rhm_memory_check((double)V * (double)V * sizeof(double), "the one-hot tokens", "lower V", err) !=
        RHM_OK)
        return NULL;
    double *identity = rhm_array(V * V, sizeof *identity, "the one-hot tokens", err);
    for (size_t v = 0; identity && v < V; v++)
        identity[v * V + v] = 1;
    return identity;
}

/* sigma from the inputs' rho~: non-synonyms at that distance get an inner product of eps_O/2:
 * sigma^2 = rho~^2/(2 log(2/eps_O)). One-hot tokens are sqrt(2) apart. */
static void choose_sigma(const struct rhm_network *net, struct rhm_layer *layer)
{
    const struct rhm_layer *above = layer->level < net->L ? net->layer[layer->level + 1] : NULL;
    layer->rho_in = above ? above->clusters.rho : sqrt(2);
    layer->eps_S_in = above ? above->clusters.eps_S : 0;
    double rho = isfinite(layer->rho_in) && layer->rho_in > 1e-9 ? layer->rho_in : 1e-9;
    if (above && !isfinite(layer->rho_in)) /* a single cluster: nothing to separate */
        rho = 1;
    layer->sigma = net->sigma > 0 ? net->sigma : rho / sqrt(2 * log(2 / net->eps_O));
}

static enum rhm_status make_features(const struct rhm_network *net, struct rhm_layer *layer,
                                     struct rhm_error *err)
{
    unsigned l = layer->level;
    uint32_t stream = RHM_STREAM_FEATURES + l;
    if (l < net->L) {
        const struct rhm_codebook *inputs = &net->layer[l + 1]->codebook;
        return rhm_features_init(&layer->features, net->features, net->M, rhm_network_s(net, l), inputs->K,
                                 inputs->width, inputs->embedding, layer->sigma, net->seed, stream, err);
    }
    double *tokens = rhm_one_hot(net->symbols, err);
    if (tokens == NULL)
        return RHM_EMEMORY;
    enum rhm_status status =
        rhm_features_init(&layer->features, net->features, net->M, rhm_network_s(net, l), net->symbols,
                          net->symbols, tokens, layer->sigma, net->seed, stream, err);
    free(tokens);
    return status;
}

static enum rhm_status make_gram(struct rhm_trainer *t, const struct rhm_train_options *options,
                                 struct rhm_monitor *monitor, struct rhm_error *err)
{
    const struct rhm_tally *tally = &t->layer->tally;
    size_t U = tally->patches.n, cells = U * tally->C;
    double *count = rhm_array(cells, sizeof *count, "the label counts of patches", err);
    if (count == NULL)
        return RHM_EMEMORY;
    for (size_t i = 0; i < cells; i++)
        count[i] = (double)tally->count[i];
    enum rhm_status status =
        rhm_ridge_init(&t->ridge, RHM_RIDGE_AUTO, &t->layer->features, U, tally->patches.tuple, tally->C,
                       count, options->lambda, options->eta, rhm_monitor_poll, monitor, err);
    free(count);
    return status;
}

/* The samples, and codes for all that they hold. */
static enum rhm_status collect(struct rhm_trainer *t, struct rhm_network *net,
                               const struct rhm_train_options *options, struct rhm_repeats *repeats,
                               struct rhm_monitor *monitor, struct rhm_error *err)
{
    struct rhm_chain chain;
    unsigned l = t->level;
    enum rhm_status status = rhm_chain_init(&chain, net, l + 1, err);
    if (status != RHM_OK)
        return status;
    status = rhm_collect(&chain, l, options, &t->layer->tally, repeats, &t->progress, monitor, err);
    if (status == RHM_OK) {
        rhm_network_lock_writer(net);
        status = rhm_chain_commit(&chain, net, l + 1, err);
        if (status == RHM_OK)
            status = rhm_truth_extend(net, l + 1, err);
        pthread_mutex_unlock(&net->lock);
    }
    rhm_chain_clear(&chain);
    return status;
}

/* What label_accuracy compares with: P[label | parent], at all places P[place, label | parent]. */
static enum rhm_status exact_signal(const struct rhm_network *net, struct rhm_trainer *t,
                                    struct rhm_error *err)
{
    if (t->layer->directions.places == 1)
        return rhm_signal_q(net->grammar, t->level, 0, &t->q, NULL, err);
    double *number = rhm_array(rhm_grammar_parents(net->grammar, t->level), sizeof *number,
                               "the signal of all places", err);
    enum rhm_status status =
        number ? rhm_signal_places(net->grammar, t->level, &t->q, number, err) : RHM_EMEMORY;
    free(number);
    return status;
}

/* The directions in which a layer of all places sees its patches, from their counts. */
static enum rhm_status find_directions(const struct rhm_network *net, struct rhm_layer *layer,
                                       const struct rhm_repeats *repeats, struct rhm_monitor *monitor,
                                       struct rhm_error *err)
{
    size_t parents = layer->level == 1 ? net->classes : net->symbols;
    enum rhm_status status =
        rhm_directions_init(&layer->directions, &layer->tally, layer->tally.C / net->classes, parents - 1,
                            rhm_monitor_poll, monitor, err);
    if (status == RHM_OK && layer->directions.places > 1)
        status = rhm_repeats_noise(repeats, &layer->directions, &layer->tally, layer->strings,
                                   &layer->repeats, rhm_monitor_poll, monitor, err);
    return status;
}

enum rhm_status rhm_trainer_create(struct rhm_trainer **trainer, struct rhm_network *net, unsigned l,
                                   const struct rhm_train_options *options, struct rhm_monitor *monitor,
                                   struct rhm_error *err)
{
    struct rhm_trainer *t = rhm_array(1, sizeof *t, "the layer in training", err);
    if (t == NULL)
        return RHM_EMEMORY;
    t->level = l;
    t->started = rhm_clock();
    t->steps_per_second = options->steps_per_second;
    t->progress = rhm_progress_unknown();
    t->progress.n = options->n[l];
    t->progress.steps = options->solver == RHM_SOLVER_GD ? options->steps : 0;
    t->layer = rhm_array(1, sizeof *t->layer, "the layer in training", err);
    enum rhm_status status = t->layer ? RHM_OK : RHM_EMEMORY;
    if (status == RHM_OK) {
        t->layer->level = l;
        t->layer->linkage = net->linkage;
        t->layer->keeps_patches = net->codebook == RHM_CODEBOOK_EXACT || l == 1;
        t->layer->solver = RHM_SOLVER_GD;
        t->layer->lambda = options->lambda;
        rhm_trainer_enter(t, RHM_PHASE_SAMPLING, monitor);
        struct rhm_repeats repeats;
        rhm_repeats_init(&repeats, rhm_network_s(net, l));
        status = collect(t, net, options, &repeats, monitor, err);
        t->layer->strings = options->n[l];
        if (status == RHM_OK)
            status = find_directions(net, t->layer, &repeats, monitor, err);
        rhm_repeats_clear(&repeats);
    }
    if (status == RHM_OK)
        status = rhm_truth_fill_parents(net, t->layer, err);
    if (status == RHM_OK && net->grammar && net->grammar->token_noise == 0)
        status = exact_signal(net, t, err);
    if (status == RHM_OK) {
        choose_sigma(net, t->layer);
        t->progress.patches = t->layer->tally.patches.n;
        t->progress.sigma = t->layer->sigma;
        rhm_trainer_enter(t, RHM_PHASE_GRAM, monitor);
        status = make_features(net, t->layer, err);
    }
    if (status == RHM_OK)
        status = make_gram(t, options, monitor, err);
    if (status == RHM_OK) {
        t->layer->eta = t->ridge.eta;
        t->layer->lambda_max = t->ridge.lambda_max;
        rhm_trainer_enter(t, RHM_PHASE_SOLVING, monitor);
    }
    t->spent = rhm_clock() - t->started;
    if (status != RHM_OK) {
        rhm_trainer_free(t);
        return status;
    }
    *trainer = t;
    return RHM_OK;
}
