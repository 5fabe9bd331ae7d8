/* network.c - a chain as an object: its options, its locks, its known grammar. See network.h; training is in
 * train.c, predictions in predict.c, views in view.c. */
#include "engine/chain/network.h"

#include <inttypes.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/chain/refine.h"
#include "engine/chain/trainer.h"

/* ------------------------------------------------------------ life */

struct rhm_network_options rhm_network_defaults(void)
{
    return (struct rhm_network_options){
        .M = RHM_DEFAULT_M, .linkage = RHM_LINKAGE_WARD, .eps_O = RHM_DEFAULT_EPS_O};
}

static enum rhm_status check_number(const char *name, double value, double least, double most,
                                    const char *range, struct rhm_error *err)
{
    return value > least && value < most ? RHM_OK
                                         : rhm_fail(err, RHM_EARG, "%s = %g: must be %s", name, value, range);
}

/* Takes V, s, L, classes from the grammar where they are 0; where both are given they must agree. */
static enum rhm_status agree(const char *name, int64_t *value, uint64_t truth, struct rhm_error *err)
{
    if (*value == 0)
        *value = (int64_t)truth;
    if (*value == (int64_t)truth)
        return RHM_OK;
    return rhm_fail(err, RHM_EARG, "%s = %" PRId64 ", but the grammar has %s = %" PRIu64, name, *value, name,
                    truth);
}

static enum rhm_status check_options(struct rhm_network_options *o, struct rhm_error *err)
{
    enum rhm_status status = RHM_OK;
    /* A wrong s or L is a legitimate experiment, so only V and classes must agree with a known grammar. */
    if (o->grammar) {
        status = agree("V", &o->V, o->grammar->V, err);
        if (status == RHM_OK)
            status = agree("classes", &o->classes, o->grammar->classes, err);
        o->L = o->L == 0 ? o->grammar->L : o->L;
        if (o->s == 0 && o->branch[1] == 0) {
            o->s = o->grammar->s;
            for (unsigned l = 1; o->s == 0 && l <= o->grammar->L; l++)
                o->branch[l] = o->grammar->branch[l];
            if (status == RHM_OK && o->s == 0 && o->L != o->grammar->L)
                status = rhm_fail(err, RHM_EARG,
                                  "L = %" PRId64 ", but the grammar has another s at each of %u levels: "
                                  "give s as well",
                                  o->L, o->grammar->L);
        }
    }
    struct rhm_grammar_shape shape = {.V = o->V, .m = 1, .s = o->s, .L = o->L, .classes = o->classes};
    memcpy(shape.branch, o->branch, sizeof shape.branch);
    if (status == RHM_OK)
        status = rhm_grammar_check_shape(&shape, err);
    if (status == RHM_OK)
        status = rhm_branches_check_length(o->V, o->s, o->branch, (unsigned)o->L, o->d, err);
    if (status == RHM_OK && (o->M < 2 || o->M > INT32_MAX || o->M % 2 != 0))
        status =
            rhm_fail(err, RHM_EARG, "M = %" PRId64 ": must be even, 2..2^31 - 2 (cosines and sines)", o->M);
    if (status == RHM_OK)
        status = check_number("eps_O", o->eps_O, 0, 1, "in (0, 1)", err);
    if (status == RHM_OK && o->sigma != 0)
        status =
            check_number("sigma", o->sigma, 0, INFINITY, "positive (or left out: chosen from rho~)", err);
    return status;
}

enum rhm_status rhm_network_set_grammar(struct rhm_network *net, const struct rhm_grammar *g,
                                        struct rhm_error *err)
{
    struct rhm_grammar *copy = rhm_array(1, sizeof *copy, "the grammar", err);
    enum rhm_status status = copy ? rhm_grammar_copy(copy, g, err) : RHM_EMEMORY;
    if (status != RHM_OK) {
        free(copy);
        return status;
    }
    if (net->grammar) {
        rhm_grammar_clear(net->grammar);
        free(net->grammar);
    }
    net->grammar = copy;
    return RHM_OK;
}

enum rhm_status rhm_network_create(struct rhm_network **out, const struct rhm_network_options *options,
                                   struct rhm_error *err)
{
    struct rhm_network_options o = *options;
    enum rhm_status status = check_options(&o, err);
    if (status != RHM_OK)
        return status;
    struct rhm_network *net = rhm_array(1, sizeof *net, "the network", err);
    if (net == NULL)
        return RHM_EMEMORY;
    net->V = (unsigned)o.V;
    net->L = (unsigned)o.L;
    rhm_branches_set(net->branch, net->L, o.s, o.branch);
    net->s = rhm_branches_common(net->branch, net->L);
    net->classes = (unsigned)(o.classes == 0 ? o.V : o.classes);
    net->leaves = rhm_places(net->branch, 1, net->L);
    net->d = o.d > 0 ? (uint64_t)o.d : net->leaves;
    net->symbols = net->V + (net->d < net->leaves);
    net->M = (size_t)o.M;
    net->features = o.features;
    net->codebook = o.codebook;
    net->linkage = o.linkage;
    net->seed = o.seed;
    net->sigma = o.sigma;
    net->eps_O = o.eps_O;
    if (pthread_mutex_init(&net->lock, NULL) != 0) {
        free(net);
        return rhm_fail(err, RHM_EMEMORY, "the system gives no more locks");
    }
    /* A grammar with another s or L is no truth for these patches. */
    if (o.grammar && net->d == net->leaves &&
        rhm_branches_equal(o.grammar->branch, o.grammar->L, net->branch, net->L))
        status = rhm_network_set_grammar(net, o.grammar, err);
    if (status != RHM_OK) {
        rhm_network_free(net);
        return status;
    }
    *out = net;
    return RHM_OK;
}

void rhm_network_free(struct rhm_network *net)
{
    if (net == NULL)
        return;
    for (unsigned l = 1; l <= net->L; l++)
        rhm_layer_free(net->layer[l]);
    rhm_trainer_free(net->trainer);
    rhm_refined_free(net->refined);
    if (net->grammar) {
        rhm_grammar_clear(net->grammar);
        free(net->grammar);
    }
    pthread_mutex_destroy(&net->lock);
    free(net);
}

void rhm_network_lock_reader(struct rhm_network *net)
{
    atomic_fetch_add(&net->readers_waiting, 1);
    pthread_mutex_lock(&net->lock);
    atomic_fetch_sub(&net->readers_waiting, 1);
}

void rhm_network_lock_writer(struct rhm_network *net)
{
    while (atomic_load(&net->readers_waiting) > 0)
        sched_yield();
    pthread_mutex_lock(&net->lock);
}
