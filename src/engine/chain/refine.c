/* refine.c - a refinement from its options to the network. See refine.h; EM is in refine_run.c, its starts in
 * refine_start.c, the M-step in refine_step.c.
 */
#include "engine/chain/refine_run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

struct rhm_refine_options rhm_refine_defaults(const struct rhm_network *net)
{
    return (struct rhm_refine_options){.sweeps = 250,
                                       .tol = 1e-5,
                                       .restarts = 4,
                                       .subsample = 0.8,
                                       .smoothing = 0.03,
                                       .smooth_from = 0.25,
                                       .smooth_sweeps = 80,
                                       .polish = 20,
                                       .m = -1,
                                       .seed = net->seed};
}

void rhm_refined_free(struct rhm_refined *refined)
{
    if (refined == NULL)
        return;
    rhm_tree_clear(&refined->tree);
    free(refined->history);
    free(refined);
}

static enum rhm_status check(const struct rhm_network *net, const struct rhm_dataset *data,
                             const struct rhm_refine_options *o, struct rhm_error *err)
{
    if (data->d != net->d)
        return rhm_fail(err, RHM_EARG, "the data set has strings of %zu tokens, the network reads %zu",
                        data->d, (size_t)net->d);
    if (data->V > net->V || data->classes > net->classes)
        return rhm_fail(err, RHM_EARG,
                        "the data set has V = %u and %u classes, the network V = %u and %u classes", data->V,
                        data->classes, net->V, net->classes);
    if (data->n - rhm_dataset_missing(data).labels < 2)
        return rhm_fail(err, RHM_EARG, "%zu of %zu strings have a label: at least 2 are needed",
                        data->n - rhm_dataset_missing(data).labels, data->n);
    if (o->sweeps < 1 || o->sweeps > 100000)
        return rhm_fail(err, RHM_EARG, "sweeps = %llu: must be 1..100000", (unsigned long long)o->sweeps);
    if (o->restarts > 10000)
        return rhm_fail(err, RHM_EARG, "restarts = %llu: must be 0..10000", (unsigned long long)o->restarts);
    if (!(o->tol >= 0))
        return rhm_fail(err, RHM_EARG, "tol = %g: must be 0 or more", o->tol);
    if (!(o->subsample > 0 && o->subsample <= 1))
        return rhm_fail(err, RHM_EARG, "subsample = %g: must be above 0, and 1 at most", o->subsample);
    if (!(o->smoothing >= 1e-6 && o->smoothing <= 1e6))
        return rhm_fail(err, RHM_EARG, "smoothing = %g: must be 1e-6..1e6 (a pseudo-count)", o->smoothing);
    if (!(o->held_out >= 0 && o->held_out < 1))
        return rhm_fail(err, RHM_EARG, "held_out = %g: must be 0 or more, below 1", o->held_out);
    if ((double)(data->n - rhm_dataset_missing(data).labels) * (1 - o->held_out) < 2)
        return rhm_fail(err, RHM_EARG, "held_out = %g of %zu strings: at least 2 with a label must be left",
                        o->held_out, data->n);
    if (o->m < -1)
        return rhm_fail(err, RHM_EARG, "m = %lld: must be 1 or more", (long long)o->m);
    double tuples = pow(net->V, net->branch[net->L]);
    if ((double)o->m * net->V > tuples)
        return rhm_fail(err, RHM_EARG,
                        "m = %lld: m*V = %.15g exceeds V^s = %.15g: no tuple could have one parent",
                        (long long)o->m, (double)o->m * net->V, tuples);
    return RHM_OK;
}

static enum rhm_status split(struct rhm_refine_run *w, const struct rhm_dataset *data, struct rhm_error *err)
{
    if (w->options->held_out == 0) {
        w->train = *data; /* borrowed: not cleared */
        return RHM_OK;
    }
    w->owned = 1;
    return rhm_dataset_split(data, 1 - w->options->held_out, 0, w->options->seed, &w->train, &w->held, err);
}

/* Puts the strings that have a label first. */
static enum rhm_status labelled_first(struct rhm_refine_run *w, struct rhm_error *err)
{
    struct rhm_dataset *old = &w->train, sorted;
    size_t first = 0, next[2] = {0, old->n - rhm_dataset_missing(old).labels};
    w->labelled = w->used = next[1];
    while (first < w->labelled && old->labels[first] != RHM_MISSING)
        first++;
    if (first == w->labelled)
        return RHM_OK;
    if (rhm_dataset_init(&sorted, old->n, old->d, old->V, old->classes, err) != RHM_OK)
        return RHM_EMEMORY;
    for (size_t i = 0; i < old->n; i++) {
        size_t to = next[old->labels[i] == RHM_MISSING]++;
        sorted.labels[to] = old->labels[i];
        memcpy(sorted.tokens + to * old->d, old->tokens + i * old->d, old->d * sizeof *old->tokens);
    }
    if (w->owned)
        rhm_dataset_clear(old);
    w->train = sorted;
    w->owned = 1;
    return RHM_OK;
}

static void publish(struct rhm_network *net, struct rhm_refined *refining)
{
    rhm_network_lock_writer(net);
    net->refining = refining;
    pthread_mutex_unlock(&net->lock);
}

enum rhm_status rhm_refine_claim(struct rhm_network *net, const struct rhm_dataset *data,
                                 const struct rhm_refine_options *options, struct rhm_error *err)
{
    enum rhm_status status = check(net, data, options, err);
    return status == RHM_OK ? rhm_claim_take(&net->claim, "the network", err) : status;
}

enum rhm_status rhm_network_refine(struct rhm_network *net, const struct rhm_dataset *data,
                                   const struct rhm_refine_options *options, struct rhm_monitor *monitor,
                                   struct rhm_error *err)
{
    enum rhm_status status = rhm_refine_claim(net, data, options, err);
    return status == RHM_OK ? rhm_refine_claimed(net, data, options, monitor, NULL, err) : status;
}

enum rhm_status rhm_refine_claimed(struct rhm_network *net, const struct rhm_dataset *data,
                                   const struct rhm_refine_options *options, struct rhm_monitor *monitor,
                                   double *accuracy, struct rhm_error *err)
{
    struct rhm_refine_run w = {.net = net, .options = options, .best_score = -INFINITY, .monitor = monitor};
    enum rhm_status status = RHM_OK;
    w.refined = rhm_array(1, sizeof *w.refined, "the refinement", err);
    status = w.refined ? split(&w, data, err) : RHM_EMEMORY;
    if (status == RHM_OK)
        status = labelled_first(&w, err);
    if (status == RHM_OK)
        status = rhm_tree_init(&w.tree, net->L, net->branch, net->V, net->classes, err);
    w.tree.d = (size_t)net->d;
    if (status == RHM_OK)
        status = rhm_tree_counts_init(&w.counts, &w.tree, err);
    if (status == RHM_OK)
        status = rhm_tree_counts_init(&w.rest_counts, &w.tree, err);
    if (status == RHM_OK)
        status = rhm_tree_counts_init(&w.held_counts, &w.tree, err);
    w.m = options->m;
    if (status == RHM_OK && w.m < 0)
        status = rhm_refine_guess_m(&w.tree, &w.train, &w.m, err);
    if (status == RHM_OK) {
        w.refined->m = w.m;
        w.refined->n = w.train.n;
        w.refined->labelled = w.labelled;
        w.refined->from_chain = rhm_refine_chain_fits(net);
        publish(net, w.refined);
        status = rhm_refine_run(&w, err);
    }
    if (status == RHM_OK && w.refined->best == 0)
        status = rhm_fail(err, RHM_ENUMERIC, "no start came to a finite likelihood");
    rhm_network_lock_writer(net);
    net->refining = NULL;
    if (status == RHM_OK) {
        struct rhm_refined *old = net->refined;
        if (accuracy)
            *accuracy = w.refined->history[w.refined->last].accuracy;
        net->refined = w.refined;
        w.refined = old;
    }
    pthread_mutex_unlock(&net->lock);
    rhm_refined_free(w.refined);
    rhm_tree_clear(&w.tree);
    rhm_tree_counts_clear(&w.counts);
    rhm_tree_counts_clear(&w.held_counts);
    rhm_tree_counts_clear(&w.rest_counts);
    if (w.owned)
        rhm_dataset_clear(&w.train);
    rhm_dataset_clear(&w.held);
    rhm_claim_give(&net->claim);
    return status;
}

void rhm_network_unrefine(struct rhm_network *net)
{
    rhm_network_lock_writer(net);
    struct rhm_refined *old = net->refined;
    net->refined = NULL;
    pthread_mutex_unlock(&net->lock);
    rhm_refined_free(old);
}

static size_t sweeps_of(const struct rhm_refined *r, uint64_t start)
{
    size_t n = 0;
    for (size_t i = 0; i < r->points; i++)
        n += start == 0 || r->history[i].start == start;
    return n;
}

size_t rhm_network_refined(struct rhm_network *net, struct rhm_refined_view *view, uint64_t start,
                           size_t most, size_t room, struct rhm_refine_point *history)
{
    enum { FIRST = 100 };
    size_t chosen = 0;
    rhm_network_lock_reader(net);
    int running = net->refining && net->refining->points > 0;
    const struct rhm_refined *r = running ? net->refining : net->refined;
    if (r && r->points > 0) {
        *view = (struct rhm_refined_view){.running = running,
                                          .from_chain = r->from_chain,
                                          .m = r->m,
                                          .starts = r->starts,
                                          .n = r->n,
                                          .labelled = r->labelled,
                                          .last = r->history[running ? r->points - 1 : r->last]};
        if (sweeps_of(r, start) == 0)
            start = view->last.start;
        size_t n = sweeps_of(r, start), every = most > 0 && n > most ? n / most : 1, at = 0;
        for (size_t i = 0; i < r->points; i++) {
            if (start > 0 && r->history[i].start != start)
                continue;
            if (++at > FIRST && at % every != 0 && at != n)
                continue;
            if (chosen++ < room)
                history[chosen - 1] = r->history[i];
        }
    }
    pthread_mutex_unlock(&net->lock);
    return chosen;
}
