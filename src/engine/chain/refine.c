/* refine.c - EM over all starts. See refine.h; the starts are in refine_start.c, the M-step in refine_step.c.
 */
#include "engine/chain/refine.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/rng.h"

#define GOOD_FIT                                                                                             \
    (-0.1) /* mean log P(label | string) of a start, all its labels right, after which none is tried */
#define PATIENCE     20    /* sweeps without a better held-out likelihood */
#define BOUND_LIMIT  65536 /* entries of a table for which the bound of m is worth its time */
#define CLEAR_TUPLES 0.85  /* perplexity of the tuples over their number, above which they show m */

struct rhm_refine_options rhm_refine_defaults(const struct rhm_network *net)
{
    return (struct rhm_refine_options){.sweeps = 250,
                                       .tol = 1e-5,
                                       .restarts = 4,
                                       .subsample = 0.8,
                                       .smoothing = 0.03,
                                       .smooth_from = 0.25,
                                       .smooth_sweeps = 80,
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
    if (net->d < net->leaves)
        return rhm_fail(err, RHM_EARG,
                        "the network pads strings of %" PRIu64 " tokens to %" PRIu64
                        ": EM fits the rules of a tree that the strings fill",
                        net->d, net->leaves);
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
    if (o->m < -1)
        return rhm_fail(err, RHM_EARG, "m = %lld: must be 1 or more", (long long)o->m);
    return RHM_OK;
}

/* The data as EM sees them: a part may be held out. */
struct work {
    struct rhm_network *net;
    const struct rhm_refine_options *options;
    struct rhm_dataset train, held; /* held.n = 0: none */
    int64_t m;
    struct rhm_refined *refined;
    struct rhm_tree_counts counts, held_counts;
    struct rhm_tree tree; /* of the start at work */
    double best_score;    /* of all starts */
    struct rhm_monitor *monitor;
};

/* m as the tuples of tokens show it: all about equally frequent, or 0. */
static enum rhm_status guess_m(struct work *w, struct rhm_error *err)
{
    const struct rhm_tree *tree = &w->tree;
    const struct rhm_tree_table *t = &tree->table[tree->L];
    double *count = rhm_array(t->rows, sizeof *count, "the tuples of tokens", err), all = 0, h = 0;
    size_t seen = 0;
    if (count == NULL)
        return RHM_EMEMORY;
    for (size_t i = 0; i < w->train.n * tree->nodes[tree->L - 1]; i++) {
        size_t number = 0;
        for (unsigned j = 0; j < t->s && number != SIZE_MAX; j++) {
            uint16_t token = w->train.tokens[i * t->s + j];
            number = token == RHM_MISSING ? SIZE_MAX : number * t->symbols + token;
        }
        if (number == SIZE_MAX)
            continue;
        seen += count[number]++ == 0;
        all++;
    }
    for (size_t r = 0; r < t->rows; r++)
        h -= count[r] > 0 ? count[r] / all * log(count[r] / all) : 0;
    free(count);
    double m = ceil((double)seen / (double)t->parents);
    w->m = exp(h) > CLEAR_TUPLES * (double)seen && m * (double)t->parents <= (double)t->rows ? (int64_t)m : 0;
    return RHM_OK;
}

static int chain_fits(const struct rhm_network *net)
{
    for (unsigned l = 1; l <= net->L; l++)
        if (net->layer[l] == NULL || (l > 1 && net->layer[l]->codebook.K > net->V + 1u))
            return 0;
    return 1;
}

static enum rhm_status split(struct work *w, const struct rhm_dataset *data, struct rhm_error *err)
{
    if (w->options->held_out == 0) {
        w->train = *data; /* borrowed: not cleared */
        return RHM_OK;
    }
    return rhm_dataset_split(data, 1 - w->options->held_out, 0, w->options->seed, &w->train, &w->held, err);
}

/* Views read the history meanwhile. */
static enum rhm_status add_point(struct work *w, const struct rhm_refine_point *point, struct rhm_error *err)
{
    struct rhm_refined *refined = w->refined;
    enum rhm_status status = RHM_OK;
    rhm_network_lock_writer(w->net);
    if (refined->points == refined->room) {
        size_t room = 2 * refined->room + 64;
        void *grown = rhm_array_grow(refined->history, room, sizeof *refined->history,
                                     "the history of the refinement", err);
        status = grown ? RHM_OK : RHM_EMEMORY;
        if (grown) {
            refined->history = grown;
            refined->room = room;
        }
    }
    if (status == RHM_OK) {
        refined->starts = point->start;
        refined->history[refined->points++] = *point;
    }
    pthread_mutex_unlock(&w->net->lock);
    return status;
}

/* ------------------------------------------------------------ progress */

enum { LOG_JOINT, LOG_LABEL, ACCURACY, HELD_OUT };

struct rhm_work rhm_refine_work(const struct rhm_network *net, const struct rhm_refine_options *options)
{
    struct rhm_work work = {.kind = "refine",
                            .unit = "sweep",
                            .all = options->sweeps,
                            .group = "start",
                            .member = 1,
                            .members = options->restarts + (uint64_t)chain_fits(net),
                            .name = {"log_joint", "log_label", "accuracy", "held_out"},
                            .rate = NAN,
                            .left = NAN};
    for (int i = 0; i < RHM_WORK_MEASURES; i++)
        work.value[i] = NAN;
    return work;
}

/* Before the first sweep of a start, while its tables are made. */
static void show_start(const struct work *w, uint64_t start)
{
    struct rhm_work work = rhm_refine_work(w->net, w->options);
    work.member = start;
    work.stage = "clusters";
    rhm_monitor_work(w->monitor, &work, 0);
}

static void show_point(const struct work *w, const struct rhm_refine_point *point)
{
    struct rhm_work work = rhm_refine_work(w->net, w->options);
    work.member = point->start;
    work.done = point->sweep;
    work.value[LOG_JOINT] = point->log_joint;
    work.value[LOG_LABEL] = point->log_label;
    work.value[ACCURACY] = point->accuracy;
    work.value[HELD_OUT] = point->held_out;
    rhm_monitor_work(w->monitor, &work, w->refined->points);
}

/* ------------------------------------------------------------ EM */

static double mean(double sum, size_t n)
{
    return n > 0 ? sum / (double)n : NAN;
}

/* What the tables are worth: counts are theirs. */
static enum rhm_status measure(struct work *w, uint64_t start, uint64_t sweep, struct rhm_refine_point *point,
                               struct rhm_error *err)
{
    *point = (struct rhm_refine_point){.start = start,
                                       .sweep = sweep,
                                       .log_joint = mean(w->counts.log_joint, w->train.n),
                                       .log_label = mean(w->counts.log_label, w->counts.labelled),
                                       .accuracy = mean((double)w->counts.right, w->counts.labelled),
                                       .held_out = NAN};
    for (unsigned l = 1; l <= w->tree.L; l++)
        point->entropy[l] = rhm_refine_entropy(&w->tree, l);
    enum rhm_status status = RHM_OK;
    if (w->held.n > 0) {
        status = rhm_tree_expect(&w->tree, w->held.n, w->held.tokens, w->held.labels, 0, &w->held_counts,
                                 rhm_monitor_poll, w->monitor, err);
        point->held_out = mean(w->held_counts.log_label, w->held_counts.labelled);
    }
    if (status == RHM_OK)
        status = add_point(w, point, err);
    if (status == RHM_OK)
        show_point(w, point);
    return status;
}

static double pseudo_count(const struct rhm_refine_options *o, uint64_t sweep)
{
    if (sweep >= o->smooth_sweeps || o->smooth_from <= o->smoothing)
        return o->smoothing;
    return o->smooth_from * pow(o->smoothing / o->smooth_from, (double)sweep / (double)o->smooth_sweeps);
}

/* Keeps the tables of the start where they are the best so far. */
static enum rhm_status keep(struct work *w, uint64_t start, double score, size_t point, struct rhm_error *err)
{
    if (score <= w->best_score)
        return RHM_OK;
    struct rhm_tree copy;
    enum rhm_status status = rhm_tree_copy(&copy, &w->tree, err);
    if (status != RHM_OK)
        return status;
    rhm_tree_clear(&w->refined->tree);
    w->refined->tree = copy;
    w->refined->best = start;
    w->refined->last = point;
    w->best_score = score;
    return RHM_OK;
}

/* EM from the tables of w->tree. *good: the fit is so good that no other start is needed. */
static enum rhm_status run(struct work *w, uint64_t start, int *good, struct rhm_error *err)
{
    const struct rhm_refine_options *o = w->options;
    double before = -INFINITY, held_best = -INFINITY;
    uint64_t held_at = 0;
    enum rhm_status status = RHM_OK;
    for (uint64_t sweep = 1; status == RHM_OK; sweep++) {
        status = rhm_tree_expect(&w->tree, w->train.n, w->train.tokens, w->train.labels, 1, &w->counts,
                                 rhm_monitor_poll, w->monitor, err);
        struct rhm_refine_point point;
        if (status == RHM_OK)
            status = measure(w, start, sweep, &point, err);
        if (status != RHM_OK)
            return status;
        size_t last = w->refined->points - 1;
        int ended =
            sweep > o->sweeps || (sweep > o->smooth_sweeps && fabs(point.log_joint - before) < o->tol);
        before = point.log_joint;
        if (w->held.n > 0) { /* the best tables of the way, not the last, are what counts */
            if (point.held_out > held_best) {
                held_best = point.held_out;
                held_at = sweep;
                status = keep(w, start, held_best, last, err);
            }
            ended |= sweep > o->smooth_sweeps && sweep >= held_at + PATIENCE;
            *good = held_best > GOOD_FIT;
        } else if (ended) {
            status = keep(w, start, point.log_label, last, err);
            *good = point.accuracy == 1 && point.log_label > GOOD_FIT;
        }
        if (ended || status != RHM_OK)
            return status;
        status = rhm_refine_maximise(&w->tree, &w->counts, pseudo_count(o, sweep - 1), w->m, err);
    }
    return status;
}

/* The strings of a start: all of them, or a random share in their order. */
static size_t choose(const struct work *w, uint64_t start, size_t *index)
{
    size_t n = w->train.n, some = (size_t)ceil(w->options->subsample * (double)n);
    for (size_t i = 0; i < n; i++)
        index[i] = i;
    if (start == 0)
        return n;
    struct rhm_rng rng = rhm_rng_start(w->options->seed, RHM_STREAM_REFINE, start);
    for (size_t i = 0; i < some; i++) {
        size_t j = i + (size_t)rhm_rng_below(&rng, n - i), other = index[i];
        index[i] = index[j];
        index[j] = other;
    }
    return some;
}

static enum rhm_status all_starts(struct work *w, struct rhm_error *err)
{
    enum rhm_status status = RHM_OK;
    int good = 0;
    uint64_t number = 0;
    size_t *index = rhm_array(w->train.n, sizeof *index, "the start of the refinement", err);
    if (index == NULL)
        return RHM_EMEMORY;
    if (chain_fits(w->net)) {
        show_start(w, ++number);
        status = rhm_refine_start_chain(&w->tree, w->net, &w->train, rhm_monitor_poll, w->monitor, err);
        if (status == RHM_OK)
            status = run(w, number, &good, err);
    } else if (w->options->restarts == 0) {
        status = rhm_fail(err, RHM_ESTATE,
                          "restarts = 0, and there is no trained chain to start from: net:train first, or "
                          "restarts = 1 or more");
    }
    for (uint64_t start = 0; start < w->options->restarts && !good && status == RHM_OK; start++) {
        size_t n = choose(w, start, index);
        show_start(w, ++number);
        status = rhm_refine_start(&w->tree, &w->train, n, index, rhm_monitor_poll, w->monitor, err);
        if (status == RHM_OK)
            status = run(w, number, &good, err);
    }
    free(index);
    return status;
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
    return status == RHM_OK ? rhm_network_claim(net, err) : status; /* the chain stays as it is meanwhile */
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
    struct work w = {.net = net, .options = options, .best_score = -INFINITY, .monitor = monitor};
    enum rhm_status status = RHM_OK;
    w.refined = rhm_array(1, sizeof *w.refined, "the refinement", err);
    status = w.refined ? split(&w, data, err) : RHM_EMEMORY;
    if (status == RHM_OK)
        status = rhm_tree_init(&w.tree, net->L, net->branch, net->V, net->classes, err);
    if (status == RHM_OK)
        status = rhm_tree_counts_init(&w.counts, &w.tree, err);
    if (status == RHM_OK)
        status = rhm_tree_counts_init(&w.held_counts, &w.tree, err);
    w.m = options->m;
    if (status == RHM_OK && w.m < 0)
        status = guess_m(&w, err);
    for (unsigned l = 1; l <= net->L && status == RHM_OK; l++)
        if (options->m < 0 && rhm_tree_size(&w.tree, l) > BOUND_LIMIT)
            w.m = 0;
    if (status == RHM_OK) {
        w.refined->m = w.m;
        w.refined->n = w.train.n;
        w.refined->labelled = w.train.n - rhm_dataset_missing(&w.train).labels;
        w.refined->from_chain = chain_fits(net);
        publish(net, w.refined);
        status = all_starts(&w, err);
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
    if (options->held_out > 0) {
        rhm_dataset_clear(&w.train);
        rhm_dataset_clear(&w.held);
    }
    rhm_network_release(net);
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

size_t rhm_network_refined(struct rhm_network *net, struct rhm_refined_view *view, size_t room,
                           struct rhm_refine_point *history)
{
    rhm_network_lock_reader(net);
    int running = net->refining && net->refining->points > 0;
    const struct rhm_refined *r = running ? net->refining : net->refined;
    size_t points = r ? r->points : 0;
    if (r) {
        *view = (struct rhm_refined_view){.running = running,
                                          .from_chain = r->from_chain,
                                          .m = r->m,
                                          .starts = r->starts,
                                          .n = r->n,
                                          .labelled = r->labelled,
                                          .last = running ? points - 1 : r->last};
        if (history)
            memcpy(history, r->history, (points < room ? points : room) * sizeof *history);
    }
    pthread_mutex_unlock(&net->lock);
    return points;
}
