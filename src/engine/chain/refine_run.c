/* refine_run.c - EM from all starts, sweep by sweep. See refine_run.h.
 */
#include "engine/chain/refine_run.h"

#include <math.h>
#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/base/rng.h"

#define GOOD_FIT                                                                                             \
    (-0.1) /* mean log P(label | string) of a start, all its labels right, after which none is tried */
#define POLISH_COUNT 3e-4 /* pseudo-count in the end, where all labels are right */
#define GROWTH       10   /* of the strings in use, where most have no label */
#define PATIENCE     20   /* sweeps without a better held-out likelihood */

int rhm_refine_chain_fits(const struct rhm_network *net)
{
    if (net->d < net->leaves) /* it has symbols of its own for patches that are padded */
        return 0;
    for (unsigned l = 1; l <= net->L; l++)
        if (net->layer[l] == NULL || (l > 1 && net->layer[l]->codebook.K > net->V + 1u))
            return 0;
    return 1;
}

/* Views read the history meanwhile. */
static enum rhm_status add_point(struct rhm_refine_run *w, const struct rhm_refine_point *point,
                                 struct rhm_error *err)
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
                            .members = options->restarts + (uint64_t)rhm_refine_chain_fits(net),
                            .name = {"log_joint", "log_label", "accuracy", "held_out"},
                            .rate = NAN,
                            .left = NAN};
    for (int i = 0; i < RHM_WORK_MEASURES; i++)
        work.value[i] = NAN;
    return work;
}

/* Before the first sweep of a start, while its tables are made. */
static void show_start(const struct rhm_refine_run *w, uint64_t start)
{
    struct rhm_work work = rhm_refine_work(w->net, w->options);
    work.member = start;
    work.stage = "clusters";
    rhm_monitor_work(w->monitor, &work, 0);
}

static void show_point(const struct rhm_refine_run *w, const struct rhm_refine_point *point)
{
    struct rhm_work work = rhm_refine_work(w->net, w->options);
    work.member = point->start;
    work.done = point->sweep < work.all ? point->sweep : work.all; /* there may be more in the end */
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
static enum rhm_status measure(struct rhm_refine_run *w, uint64_t start, uint64_t sweep,
                               struct rhm_refine_point *point, struct rhm_error *err)
{
    *point = (struct rhm_refine_point){.start = start,
                                       .sweep = sweep,
                                       .log_joint = mean(w->counts.log_joint, w->used),
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

/* Fills counts. Strings without a label count for the labels and the rules of the top by the share `top`
 * only. */
static enum rhm_status expect(struct rhm_refine_run *w, double top, struct rhm_error *err)
{
    const struct rhm_dataset *d = &w->train;
    const struct rhm_tree *tree = &w->tree;
    struct rhm_tree_counts *c = &w->counts, *rest = &w->rest_counts;
    enum rhm_status status =
        rhm_tree_expect(tree, w->labelled, d->tokens, d->labels, 1, c, rhm_monitor_poll, w->monitor, err);
    if (status != RHM_OK || w->used == w->labelled)
        return status;
    status = rhm_tree_expect(tree, w->used - w->labelled, d->tokens + w->labelled * d->d, NULL, 1, rest,
                             rhm_monitor_poll, w->monitor, err);
    for (unsigned l = 1; l <= tree->L; l++)
        for (size_t i = 0; i < rhm_tree_size(tree, l); i++)
            c->rule[l][i] += (l == 1 ? top : 1) * rest->rule[l][i];
    double all = 0;
    for (size_t k = 0; k < tree->symbols[0]; k++)
        all += c->prior[k] += top * rest->prior[k];
    for (size_t k = 0; k < tree->symbols[0] && w->equal_labels; k++)
        c->prior[k] = all / (double)tree->symbols[0];
    c->log_joint += rest->log_joint;
    c->outside += rest->outside;
    return status;
}

/* Keeps the tables of the start where they are the best so far. */
static enum rhm_status keep(struct rhm_refine_run *w, uint64_t start, double score, size_t point,
                            struct rhm_error *err)
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

/* Further sweeps with next to no pseudo-count, on tables that name all labels rightly: with it their
 * posteriors say less than they know. */
static enum rhm_status polish(struct rhm_refine_run *w, uint64_t start, uint64_t sweep, struct rhm_error *err)
{
    double a = fmin(w->options->smoothing, POLISH_COUNT);
    struct rhm_refine_point point;
    enum rhm_status status = RHM_OK;
    for (uint64_t k = 1; k <= w->options->polish && status == RHM_OK; k++) {
        status = rhm_refine_maximise(&w->tree, &w->counts, a, w->m, err);
        if (status == RHM_OK)
            status = expect(w, 1, err);
        if (status == RHM_OK)
            status = measure(w, start, sweep + k, &point, err);
    }
    return status;
}

/* EM from the tables of w->tree, on the strings in use. A start has had `before` sweeps, `settled` of them
 * with the tables there are. *good: the fit is so good that no other start is needed. With labels alone where
 * there are other strings, nothing is kept. */
static enum rhm_status run(struct rhm_refine_run *w, uint64_t start, uint64_t before, uint64_t settled,
                           int *good, struct rhm_error *err)
{
    const struct rhm_refine_options *o = w->options;
    const int trial = w->used < w->train.n;
    double joint = -INFINITY, held_best = -INFINITY;
    uint64_t held_at = settled;
    enum rhm_status status = RHM_OK;
    for (uint64_t sweep = settled + 1; status == RHM_OK; sweep++) {
        struct rhm_refine_point point;
        status = expect(w, sweep > o->smooth_sweeps ? 1 : 0, err);
        if (status == RHM_OK)
            status = measure(w, start, before - settled + sweep, &point, err);
        if (status != RHM_OK)
            return status;
        size_t last = w->refined->points - 1;
        /* per string with a label: these say where the others belong, and where they are few, slowly */
        double moved = fabs(point.log_joint - joint) * (double)w->used / (double)w->labelled;
        int ended = sweep > settled + o->sweeps || (sweep > o->smooth_sweeps && moved < o->tol);
        joint = point.log_joint;
        if (w->held.n > 0) { /* the best tables of the way, not the last, are what counts */
            if (point.held_out > held_best) {
                held_best = point.held_out;
                held_at = sweep;
                status = trial ? RHM_OK : keep(w, start, held_best, last, err);
            }
            ended |= sweep > o->smooth_sweeps && sweep >= held_at + PATIENCE;
            *good = held_best > GOOD_FIT;
        } else if (ended) {
            *good = point.accuracy == 1 && point.log_label > GOOD_FIT;
            if (!trial && point.accuracy == 1 && point.log_label > w->best_score)
                status = polish(w, start, before - settled + sweep, err);
            if (!trial && status == RHM_OK)
                status = keep(w, start, point.log_label, w->refined->points - 1, err);
        }
        if (ended || status != RHM_OK)
            return status;
        status = rhm_refine_maximise(&w->tree, &w->counts, pseudo_count(o, sweep - 1), w->m, err);
    }
    return status;
}

/* Of the strings in use those of a start: all, or a random share of those with a label, in some order. */
static size_t choose(const struct rhm_refine_run *w, uint64_t start, size_t *index)
{
    size_t n = w->labelled, some = start == 0 ? n : (size_t)ceil(w->options->subsample * (double)n);
    struct rhm_rng rng = rhm_rng_start(w->options->seed, RHM_STREAM_REFINE, start);
    for (size_t i = 0; i < n; i++)
        index[i] = i;
    for (size_t i = 0; i < some && some < n; i++) {
        size_t j = i + (size_t)rhm_rng_below(&rng, n - i), other = index[i];
        index[i] = index[j];
        index[j] = other;
    }
    for (size_t i = n; i < w->used; i++)
        index[some++] = i;
    return some;
}

/* Tables to start from: 0 the chain's, 1 from counts in all strings, 2.. in a share of them. */
static enum rhm_status set_tables(struct rhm_refine_run *w, uint64_t kind, size_t *index,
                                  struct rhm_error *err)
{
    if (kind == 0) {
        struct rhm_dataset used = w->train;
        used.n = w->used;
        return rhm_refine_start_chain(&w->tree, w->net, &used, rhm_monitor_poll, w->monitor, err);
    }
    size_t n = choose(w, kind - 1, index);
    return rhm_refine_start(&w->tree, &w->train, n, index, rhm_monitor_poll, w->monitor, err);
}

/* How many strings come after those in use: all, but no more than GROWTH times as many at once. */
static size_t next_part(const struct rhm_refine_run *w)
{
    return w->used < w->train.n / GROWTH ? GROWTH * w->used : w->train.n;
}

/* Where some strings have no label, with labels alone first: if these are enough, the others only sharpen
 * what was found; taken in at once they would hide it where they tell nothing (m V = V^s). Else all together.
 */
static enum rhm_status run_start(struct rhm_refine_run *w, uint64_t number, uint64_t kind, size_t *index,
                                 int *good, struct rhm_error *err)
{
    uint64_t sweeps = 0, settled = 0;
    enum rhm_status status = RHM_OK;
    for (w->used = w->labelled; status == RHM_OK; w->used = next_part(w)) {
        if (settled == 0) {
            show_start(w, number);
            status = set_tables(w, kind, index, err);
        }
        if (status == RHM_OK)
            status = run(w, number, sweeps, settled, good, err);
        if (w->used == w->train.n)
            break;
        sweeps = w->refined->points > 0 ? w->refined->history[w->refined->points - 1].sweep : 0;
        settled = *good ? sweeps : 0;
    }
    return status;
}

/* Whether the labels there are could come from equal ones: chi-square within five standard deviations, which
 * equal ones leave in 1 of 200 cases where C = 2, in fewer where it is larger. */
static int labels_look_equal(const struct rhm_refine_run *w)
{
    size_t C = w->tree.symbols[0];
    double x = 0, each = (double)w->labelled / (double)C;
    for (size_t k = 0; k < C; k++) {
        size_t seen = 0;
        for (size_t i = 0; i < w->labelled; i++)
            seen += w->train.labels[i] == k;
        x += ((double)seen - each) * ((double)seen - each) / each;
    }
    return x <= (double)(C - 1) + 5 * sqrt(2.0 * (double)(C - 1));
}

enum rhm_status rhm_refine_run(struct rhm_refine_run *w, struct rhm_error *err)
{
    const int chain = w->refined->from_chain;
    if (!chain && w->options->restarts == 0)
        return rhm_fail(err, RHM_ESTATE,
                        "restarts = 0, and there is no trained chain to start from: net:train first, or "
                        "restarts = 1 or more");
    size_t *index = rhm_array(w->train.n, sizeof *index, "the start of the refinement", err);
    if (index == NULL)
        return RHM_EMEMORY;
    enum rhm_status status = RHM_OK;
    int good = 0;
    w->equal_labels = w->labelled < w->train.n && labels_look_equal(w);
    for (uint64_t kind = !chain; kind <= w->options->restarts && !good && status == RHM_OK; kind++)
        status = run_start(w, kind + (uint64_t)chain, kind, index, &good, err);
    free(index);
    return status;
}
