/* train.c - the training of a chain: its options checked, all layers in turn, or one by hand. See network.h.
 */
#include <inttypes.h>
#include <math.h>

#include "engine/chain/network.h"
#include "engine/chain/refine.h"
#include "engine/chain/trainer.h"
#include "engine/grammar/signal.h"

/* ----------------------------------------------------------- options */

struct rhm_train_options rhm_train_defaults(const struct rhm_network *net)
{
    return (struct rhm_train_options){
        .c = RHM_DEFAULT_C, .steps = RHM_DEFAULT_STEPS, .lambda = RHM_DEFAULT_LAMBDA, .seed = net->seed};
}

static enum rhm_status check_same(const char *what, uint64_t source, uint64_t network, const char *name,
                                  struct rhm_error *err)
{
    return source == network ? RHM_OK
                             : rhm_fail(err, RHM_EARG, "the %s has %s = %" PRIu64 ", the network %" PRIu64,
                                        what, name, source, network);
}

static enum rhm_status check_grammar_source(const struct rhm_network *net, struct rhm_train_options *o,
                                            struct rhm_error *err)
{
    const struct rhm_grammar *g = o->grammar;
    uint64_t schedule[RHM_MAX_LEVELS + 1];
    enum rhm_status status = check_same("grammar", g->V, net->V, "V", err);
    if (status == RHM_OK)
        status = check_same("grammar", g->L, net->L, "L", err);
    char truth[RHM_BRANCHES_TEXT], own[RHM_BRANCHES_TEXT];
    if (status == RHM_OK && !rhm_branches_equal(g->branch, g->L, net->branch, net->L))
        status =
            rhm_fail(err, RHM_EARG, "the grammar has s = %s, the network %s",
                     rhm_branches_text(g->branch, g->L, truth), rhm_branches_text(net->branch, net->L, own));
    if (status == RHM_OK && net->d < net->leaves)
        status = rhm_fail(err, RHM_EARG,
                          "the network reads strings of %s tokens: train it from a data set (g:sample{...})",
                          rhm_branches_length(net->branch, net->L, net->d, own));
    if (status == RHM_OK)
        status = check_same("grammar", g->classes, net->classes, "classes", err);
    int given = 1;
    for (unsigned l = 1; l <= net->L; l++)
        given = given && o->n[l] > 0;
    if (status == RHM_OK && !given)
        status = rhm_schedule_of_grammar(g, o->c, schedule, err);
    for (unsigned l = 1; l <= net->L && status == RHM_OK && !given && o->position == RHM_POSITION_ALL; l++)
        schedule[l] =
            (uint64_t)fmax(RHM_LEAST_SCHEDULE, (double)schedule[l] / (double)rhm_network_places(net, l));
    for (unsigned l = 1; l <= net->L && status == RHM_OK; l++) {
        if (o->n[l] == 0)
            o->n[l] = schedule[l];
        if (o->n[l] > UINT64_C(1) << 53)
            status =
                rhm_fail(err, RHM_EARG, "n = %" PRIu64 " for layer %u: must be at most 2^53", o->n[l], l);
    }
    if (status == RHM_OK && o->position == RHM_POSITION_ALL && o->sampler == RHM_SAMPLER_TALLY)
        status =
            rhm_fail(err, RHM_EARG,
                     "sampler = 'tally' is not exact with position = 'all': the patches of a string depend "
                     "on each other; use sampler = 'draw'");
    return status;
}

static enum rhm_status check_data_source(const struct rhm_network *net, struct rhm_train_options *o,
                                         struct rhm_error *err)
{
    const struct rhm_dataset *data = o->data;
    char text[RHM_BRANCHES_TEXT];
    if (data->d != net->d)
        return rhm_fail(err, RHM_EARG, "the data set has strings of %zu tokens, the network reads %s",
                        data->d, rhm_branches_length(net->branch, net->L, net->d, text));
    if (data->V > net->V || data->classes > net->classes)
        return rhm_fail(err, RHM_EARG,
                        "the data set has V = %u, classes = %u, more than the network's V = %u, classes = %u",
                        data->V, data->classes, net->V, net->classes);
    size_t labelled = data->n - rhm_dataset_missing(data).labels;
    if (labelled == 0)
        return rhm_fail(err, RHM_EARG, "none of the %zu strings of the data set has a label", data->n);
    for (unsigned l = 1; l <= net->L; l++) {
        if (o->n[l] == 0)
            o->n[l] = labelled;
        if (o->n[l] > labelled)
            return rhm_fail(err, RHM_EARG, "n = %" PRIu64 " for layer %u: the data set has %zu strings%s",
                            o->n[l], l, labelled, labelled < data->n ? " with a label" : "");
    }
    return rhm_tokens_check(data->n, data->d, data->tokens, net->V, "the network", err);
}

enum rhm_status rhm_train_check(const struct rhm_network *net, struct rhm_train_options *o,
                                struct rhm_error *err)
{
    if ((o->grammar == NULL) == (o->data == NULL))
        return rhm_fail(err, RHM_EARG, "a training needs one source: a grammar or a data set");
    enum rhm_status status = RHM_OK;
    if (!(o->lambda >= 0 && isfinite(o->lambda)))
        status = rhm_fail(err, RHM_EARG, "lambda = %g: must be 0 or more", o->lambda);
    if (status == RHM_OK && !(o->eta >= 0 && isfinite(o->eta)))
        status = rhm_fail(err, RHM_EARG, "eta = %g: must be positive (or left out: 1/(lambda_max + lambda))",
                          o->eta);
    if (status == RHM_OK && !(o->steps_per_second >= 0))
        status = rhm_fail(err, RHM_EARG, "steps_per_second = %g: must be positive", o->steps_per_second);
    if (status == RHM_OK && o->solver == RHM_SOLVER_GD && o->steps == 0)
        status = rhm_fail(err, RHM_EARG, "steps = 0: gradient descent needs 1 step or more");
    if (status != RHM_OK)
        return status;
    return o->grammar ? check_grammar_source(net, o, err) : check_data_source(net, o, err);
}

/* -------------------------------------------------------------- layers */

/* Layer l and those below it are dropped: they were trained on what is about to change. */
static void drop_layers(struct rhm_network *net, unsigned l)
{
    rhm_network_lock_writer(net);
    for (unsigned k = l; k >= 1; k--) {
        rhm_layer_free(net->layer[k]);
        net->layer[k] = NULL;
    }
    rhm_trainer_free(net->trainer);
    net->trainer = NULL;
    pthread_mutex_unlock(&net->lock);
}

static enum rhm_status begin(struct rhm_network *net, unsigned l, const struct rhm_train_options *o,
                             struct rhm_monitor *monitor, struct rhm_error *err)
{
    for (unsigned k = net->L; k > l; k--)
        if (net->layer[k] == NULL)
            return rhm_fail(err, RHM_ESTATE,
                            "layer %u cannot begin: layer %u is not trained (train from level L = %u down)",
                            l, k, net->L);
    drop_layers(net, l);
    rhm_network_unrefine(net); /* those tables were of other layers */
    enum rhm_status status = RHM_OK;
    if (o->grammar) { /* the source is the truth that errors are measured against */
        rhm_network_lock_writer(net);
        status = rhm_network_set_grammar(net, o->grammar, err);
        pthread_mutex_unlock(&net->lock);
    }
    struct rhm_trainer *trainer;
    if (status == RHM_OK)
        status = rhm_trainer_create(&trainer, net, l, o, monitor, err);
    if (status != RHM_OK)
        return status;
    rhm_network_lock_writer(net);
    net->trainer = trainer;
    pthread_mutex_unlock(&net->lock);
    rhm_monitor_changed(); /* only now is there something to see */
    return RHM_OK;
}

static enum rhm_status solve(struct rhm_network *net, struct rhm_monitor *monitor, struct rhm_error *err)
{
    rhm_network_lock_writer(net);
    net->trainer->opaque = 1;
    pthread_mutex_unlock(&net->lock);
    enum rhm_status status = rhm_trainer_solve(net->trainer, monitor, err);
    rhm_network_lock_writer(net);
    net->trainer->opaque = 0;
    pthread_mutex_unlock(&net->lock);
    return status == RHM_OK ? rhm_monitor_poll(monitor, err) : status;
}

/* The trainer's layer becomes the network's; where that fails or is interrupted the trainer stays. */
static enum rhm_status finish(struct rhm_network *net, struct rhm_monitor *monitor, struct rhm_error *err)
{
    unsigned l = net->trainer->level;
    enum rhm_status status = rhm_trainer_finish(net->trainer, net, monitor, err);
    if (status == RHM_OK) {
        rhm_network_lock_writer(net);
        net->layer[l] = net->trainer->layer;
        net->trainer->layer = NULL;
        rhm_trainer_free(net->trainer);
        net->trainer = NULL;
        pthread_mutex_unlock(&net->lock);
    }
    rhm_monitor_changed();
    return status;
}

/* --------------------------------------------------------------- train */

/* What the training can say of its own accuracy: exactly on the grammar where the codes can be listed, else
 * on the data, else nan. Never a reason for the training to fail. */
static double own_accuracy(struct rhm_network *net, const struct rhm_train_options *o,
                           struct rhm_monitor *monitor)
{
    double accuracy = NAN;
    enum rhm_status status = rhm_network_own_accuracy(net, o, &accuracy, rhm_monitor_poll, monitor, NULL);
    return status == RHM_OK ? accuracy : NAN;
}

enum rhm_status rhm_network_train(struct rhm_network *net, const struct rhm_train_options *options,
                                  struct rhm_monitor *monitor, double *accuracy, struct rhm_error *err)
{
    struct rhm_train_options o = *options;
    enum rhm_status status = rhm_train_check(net, &o, err);
    if (status == RHM_OK)
        status = rhm_claim_take(&net->claim, "the network", err);
    return status == RHM_OK ? rhm_network_train_claimed(net, &o, monitor, accuracy, err) : status;
}

struct rhm_progress_layer rhm_train_waiting(const struct rhm_train_options *options, unsigned l)
{
    struct rhm_progress_layer waiting = rhm_progress_unknown();
    waiting.n = options->n[l];
    waiting.steps = options->solver == RHM_SOLVER_GD ? options->steps : 0;
    return waiting;
}

enum rhm_status rhm_network_train_claimed(struct rhm_network *net, const struct rhm_train_options *o,
                                          struct rhm_monitor *monitor, double *accuracy,
                                          struct rhm_error *err)
{
    enum rhm_status status = RHM_OK;
    for (unsigned l = net->L; l >= 1 && status == RHM_OK; l--) {
        struct rhm_progress_layer waiting = rhm_train_waiting(o, l);
        rhm_monitor_layer(monitor, l, &waiting);
    }
    for (unsigned l = net->L; l >= 1 && status == RHM_OK; l--) {
        status = begin(net, l, o, monitor, err);
        if (status == RHM_OK)
            status = o->solver == RHM_SOLVER_EXACT
                         ? solve(net, monitor, err)
                         : rhm_trainer_step(net->trainer, net, o->steps, monitor, err);
        if (status == RHM_OK)
            status = finish(net, monitor, err);
    }
    if (status != RHM_OK && net->trainer) { /* a layer stopped half way is dropped; the finished ones stay */
        rhm_network_lock_writer(net);
        rhm_trainer_free(net->trainer);
        net->trainer = NULL;
        pthread_mutex_unlock(&net->lock);
    }
    rhm_monitor_level(monitor, 0);
    if (accuracy)
        *accuracy = status == RHM_OK ? own_accuracy(net, o, monitor) : NAN;
    rhm_claim_give(&net->claim);
    return status;
}

/* ------------------------------------------------------------- by hand */

static enum rhm_status check_layer(const struct rhm_network *net, unsigned l, struct rhm_error *err)
{
    return l >= 1 && l <= net->L ? RHM_OK : rhm_fail(err, RHM_EARG, "layer %u: must be 1..%u (L)", l, net->L);
}

static enum rhm_status check_begun(const struct rhm_network *net, unsigned l, const char *what,
                                   struct rhm_error *err)
{
    if (net->trainer != NULL && net->trainer->level == l)
        return RHM_OK;
    return rhm_fail(err, RHM_ESTATE, "layer %u: %s before begin: call layer:begin{from = ...} first", l,
                    what);
}

enum rhm_status rhm_network_begin(struct rhm_network *net, unsigned l,
                                  const struct rhm_train_options *options, struct rhm_monitor *monitor,
                                  struct rhm_error *err)
{
    struct rhm_train_options o = *options;
    o.solver = RHM_SOLVER_GD;
    enum rhm_status status = check_layer(net, l, err);
    if (status == RHM_OK)
        status = rhm_train_check(net, &o, err);
    if (status == RHM_OK)
        status = rhm_claim_take(&net->claim, "the network", err);
    if (status != RHM_OK)
        return status;
    status = begin(net, l, &o, monitor, err);
    rhm_claim_give(&net->claim);
    return status;
}

/* Negative: the pace it was begun with. */
static enum rhm_status step(struct rhm_network *net, unsigned l, uint64_t k, double steps_per_second,
                            struct rhm_monitor *monitor, struct rhm_error *err)
{
    enum rhm_status status = check_layer(net, l, err);
    if (status == RHM_OK)
        status = rhm_claim_take(&net->claim, "the network", err);
    if (status != RHM_OK)
        return status;
    status = check_begun(net, l, "step", err);
    if (status == RHM_OK) {
        double begun_with = net->trainer->steps_per_second;
        if (steps_per_second >= 0)
            net->trainer->steps_per_second = steps_per_second;
        status = rhm_trainer_step(net->trainer, net, k, monitor, err);
        net->trainer->steps_per_second = begun_with;
    }
    rhm_claim_give(&net->claim);
    return status;
}

enum rhm_status rhm_network_step(struct rhm_network *net, unsigned l, uint64_t k, struct rhm_monitor *monitor,
                                 struct rhm_error *err)
{
    return step(net, l, k, -1, monitor, err);
}

enum rhm_status rhm_network_step_paced(struct rhm_network *net, unsigned l, uint64_t k,
                                       double steps_per_second, struct rhm_monitor *monitor,
                                       struct rhm_error *err)
{
    if (!(steps_per_second >= 0))
        return rhm_fail(err, RHM_EARG, "steps_per_second = %g: must be 0 (no limit) or more",
                        steps_per_second);
    return step(net, l, k, steps_per_second, monitor, err);
}

enum rhm_status rhm_network_finish(struct rhm_network *net, unsigned l, struct rhm_monitor *monitor,
                                   struct rhm_error *err)
{
    enum rhm_status status = check_layer(net, l, err);
    if (status == RHM_OK)
        status = rhm_claim_take(&net->claim, "the network", err);
    if (status != RHM_OK)
        return status;
    status = check_begun(net, l, "finish", err);
    if (status == RHM_OK && net->trainer->ridge.steps == 0)
        status = rhm_fail(err, RHM_ESTATE,
                          "layer %u: finish before any step: W is still 0; call layer:step(k) first", l);
    if (status == RHM_OK)
        status = finish(net, monitor, err);
    rhm_claim_give(&net->claim);
    return status;
}
