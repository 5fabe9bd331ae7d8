/* training.c - see training.h. */
#include "engine/jobs/training.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/memory.h"

/* ------------------------------------------------------------------ chains */

struct chain {
    struct rhm_network *net;
    struct rhm_train_options options;
    struct rhm_grammar grammar; /* a copy, where the source is a grammar */
};

static void describe_chain(void *self, struct rhm_progress *progress)
{
    const struct chain *chain = self;
    progress->L = chain->net->L;
    for (unsigned l = 1; l <= chain->net->L; l++)
        progress->layer[l] = rhm_train_waiting(&chain->options, l);
}

static enum rhm_status run_chain(void *self, struct rhm_monitor *monitor, struct rhm_error *err)
{
    struct chain *chain = self;
    double accuracy = NAN;
    enum rhm_status status = rhm_network_train_claimed(chain->net, &chain->options, monitor, &accuracy, err);
    rhm_monitor_accuracy(monitor, accuracy);
    return status;
}

static void release_chain(void *self)
{
    rhm_grammar_clear(&((struct chain *)self)->grammar);
    free(self);
}

/* (V,m,s,L), and how; strings of a data set come from some m nobody knows. */
static void name_chain(struct rhm_job_body *body, const struct chain *chain)
{
    const struct rhm_network *net = chain->net;
    char m[16] = "-", text[RHM_BRANCHES_TEXT];
    if (chain->options.grammar)
        snprintf(m, sizeof m, "%u", chain->options.grammar->m);
    snprintf(body->name, sizeof body->name, "train (%u,%s,%s,%u) %s", net->V, m,
             rhm_branches_text(net->branch, net->L, text), net->L,
             chain->options.solver == RHM_SOLVER_GD ? "gd" : "exact");
}

enum rhm_status rhm_training_network(struct rhm_job_body *body, struct rhm_network *net,
                                     const struct rhm_train_options *options, struct rhm_error *err)
{
    struct rhm_train_options checked = *options;
    enum rhm_status status = rhm_train_check(net, &checked, err);
    if (status != RHM_OK)
        return status;
    struct chain *chain = rhm_array(1, sizeof *chain, "the job", err);
    if (chain == NULL)
        return RHM_EMEMORY;
    chain->net = net;
    chain->options = checked;
    if (checked.grammar) {
        status = rhm_grammar_copy(&chain->grammar, checked.grammar, err);
        chain->options.grammar = &chain->grammar;
    }
    if (status == RHM_OK)
        status = rhm_claim_take(&net->claim, "the network", err);
    if (status != RHM_OK) {
        release_chain(chain);
        return status;
    }
    *body = (struct rhm_job_body){.self = chain,
                                  .describe = describe_chain,
                                  .run = run_chain,
                                  .claim = &net->claim,
                                  .release = release_chain};
    name_chain(body, chain);
    return RHM_OK;
}

enum rhm_status rhm_network_start(struct rhm_job **job, struct rhm_network *net,
                                  const struct rhm_train_options *options, struct rhm_error *err)
{
    struct rhm_job_body body;
    enum rhm_status status = rhm_training_network(&body, net, options, err);
    return status == RHM_OK ? rhm_job_start(job, &body, err) : status;
}

enum rhm_status rhm_network_queue(struct rhm_job **job, struct rhm_network *net,
                                  const struct rhm_train_options *options, struct rhm_error *err)
{
    struct rhm_job_body body;
    enum rhm_status status = rhm_training_network(&body, net, options, err);
    return status == RHM_OK ? rhm_job_queue(job, &body, err) : status;
}

/* -------------------------------------------------------------- refinements */

struct refinement {
    struct rhm_network *net;
    struct rhm_refine_options options;
    struct rhm_dataset data; /* the struct alone is ours */
};

static void describe_refinement(void *self, struct rhm_progress *progress)
{
    const struct refinement *r = self;
    progress->work = rhm_refine_work(r->net, &r->options);
}

static enum rhm_status run_refinement(void *self, struct rhm_monitor *monitor, struct rhm_error *err)
{
    struct refinement *r = self;
    double accuracy = NAN;
    enum rhm_status status = rhm_refine_claimed(r->net, &r->data, &r->options, monitor, &accuracy, err);
    rhm_monitor_accuracy(monitor, accuracy);
    return status;
}

enum rhm_status rhm_training_refine(struct rhm_job_body *body, struct rhm_network *net,
                                    const struct rhm_dataset *data, const struct rhm_refine_options *options,
                                    struct rhm_error *err)
{
    struct refinement *r = rhm_array(1, sizeof *r, "the job", err);
    if (r == NULL)
        return RHM_EMEMORY;
    *r = (struct refinement){.net = net, .options = *options, .data = *data};
    enum rhm_status status = rhm_refine_claim(net, &r->data, &r->options, err);
    if (status != RHM_OK) {
        free(r);
        return status;
    }
    *body = (struct rhm_job_body){.self = r,
                                  .describe = describe_refinement,
                                  .run = run_refinement,
                                  .claim = &net->claim,
                                  .release = free};
    char text[RHM_BRANCHES_TEXT];
    snprintf(body->name, sizeof body->name, "refine (%u,%s,%u) n=%zu", net->V,
             rhm_branches_text(net->branch, net->L, text), net->L, data->n);
    return RHM_OK;
}

/* --------------------------------------------------- convolutional networks */

struct convolutional {
    struct rhm_cnn *net;
    struct rhm_cnn_train_options options;
    struct rhm_dataset data, held_out; /* the structs alone are ours */
    struct rhm_cnn_result result;
};

static void describe_cnn(void *self, struct rhm_progress *progress)
{
    const struct convolutional *c = self;
    progress->work = rhm_cnn_work(&c->options);
}

static enum rhm_status run_cnn(void *self, struct rhm_monitor *monitor, struct rhm_error *err)
{
    struct convolutional *c = self;
    enum rhm_status status = rhm_cnn_train_claimed(c->net, &c->options, monitor, &c->result, err);
    if (status == RHM_OK)
        rhm_monitor_accuracy(monitor, c->options.held_out ? c->result.held_accuracy : c->result.accuracy);
    return status;
}

enum rhm_status rhm_training_cnn(struct rhm_job_body *body, struct rhm_cnn *net,
                                 const struct rhm_cnn_train_options *options, struct rhm_error *err)
{
    struct convolutional *c = rhm_array(1, sizeof *c, "the job", err);
    if (c == NULL)
        return RHM_EMEMORY;
    *c = (struct convolutional){.net = net, .options = *options, .data = *options->data};
    c->options.data = &c->data;
    if (options->held_out) {
        c->held_out = *options->held_out;
        c->options.held_out = &c->held_out;
    }
    enum rhm_status status = rhm_cnn_claim(net, &c->options, err);
    if (status != RHM_OK) {
        free(c);
        return status;
    }
    *body = (struct rhm_job_body){
        .self = c, .describe = describe_cnn, .run = run_cnn, .claim = &net->claim, .release = free};
    char text[RHM_BRANCHES_TEXT];
    snprintf(body->name, sizeof body->name, "cnn (%u,%s,%u) h=%zu", net->V,
             rhm_branches_text(net->branch, net->L, text), net->L, net->h);
    return RHM_OK;
}

const struct rhm_cnn_result *rhm_training_cnn_result(const void *self)
{
    return &((const struct convolutional *)self)->result;
}

/* ----------------------------------------------------------- shallow models */

struct shallow {
    struct rhm_shallow *net;
    struct rhm_dataset data; /* the struct alone is ours */
};

static void describe_shallow(void *self, struct rhm_progress *progress)
{
    (void)self;
    progress->work.kind = "shallow";
    progress->work.stage = rhm_phase_name(RHM_PHASE_WAITING);
}

static enum rhm_status run_shallow(void *self, struct rhm_monitor *monitor, struct rhm_error *err)
{
    struct shallow *shallow = self;
    double accuracy = NAN;
    enum rhm_status status = rhm_shallow_train_claimed(shallow->net, &shallow->data, monitor, err);
    if (status == RHM_OK) {
        rhm_shallow_phase(monitor, RHM_PHASE_DONE);
        status =
            rhm_shallow_accuracy(shallow->net, &shallow->data, &accuracy, rhm_monitor_poll, monitor, err);
    }
    rhm_monitor_accuracy(monitor, accuracy);
    return status;
}

enum rhm_status rhm_training_shallow(struct rhm_job_body *body, struct rhm_shallow *net,
                                     const struct rhm_dataset *data, struct rhm_error *err)
{
    struct shallow *shallow = rhm_array(1, sizeof *shallow, "the job", err);
    if (shallow == NULL)
        return RHM_EMEMORY;
    *shallow = (struct shallow){.net = net, .data = *data};
    enum rhm_status status = rhm_shallow_claim(net, &shallow->data, err);
    if (status != RHM_OK) {
        free(shallow);
        return status;
    }
    *body = (struct rhm_job_body){.self = shallow,
                                  .describe = describe_shallow,
                                  .run = run_shallow,
                                  .claim = &net->claim,
                                  .release = free};
    snprintf(body->name, sizeof body->name, "%s (%u,d=%zu) n=%zu",
             net->kind == RHM_SHALLOW_RBF ? "rbf" : "kernel", net->V, net->d, data->n);
    return RHM_OK;
}

/* ---------------------------------------------------------- one-step models */

struct onestep {
    struct rhm_onestep *net;
    struct rhm_dataset data; /* the struct alone is ours */
};

static void describe_onestep(void *self, struct rhm_progress *progress)
{
    const struct rhm_onestep *net = ((const struct onestep *)self)->net;
    progress->work = rhm_onestep_work(net, net->L, RHM_PHASE_WAITING);
}

static enum rhm_status run_onestep(void *self, struct rhm_monitor *monitor, struct rhm_error *err)
{
    struct onestep *onestep = self;
    double accuracy = NAN;
    enum rhm_status status = rhm_onestep_train_claimed(onestep->net, &onestep->data, monitor, err);
    if (status == RHM_OK)
        status =
            rhm_onestep_accuracy(onestep->net, &onestep->data, &accuracy, rhm_monitor_poll, monitor, err);
    rhm_monitor_accuracy(monitor, accuracy);
    return status;
}

enum rhm_status rhm_training_onestep(struct rhm_job_body *body, struct rhm_onestep *net,
                                     const struct rhm_dataset *data, struct rhm_error *err)
{
    struct onestep *onestep = rhm_array(1, sizeof *onestep, "the job", err);
    if (onestep == NULL)
        return RHM_EMEMORY;
    *onestep = (struct onestep){.net = net, .data = *data};
    enum rhm_status status = rhm_onestep_claim(net, &onestep->data, err);
    if (status != RHM_OK) {
        free(onestep);
        return status;
    }
    *body = (struct rhm_job_body){.self = onestep,
                                  .describe = describe_onestep,
                                  .run = run_onestep,
                                  .claim = &net->claim,
                                  .release = free};
    char text[RHM_BRANCHES_TEXT];
    snprintf(body->name, sizeof body->name, "onestep (%u,%s,%u) h=%zu", net->V,
             rhm_branches_text(net->branch, net->L, text), net->L, net->h);
    return RHM_OK;
}
