/* principle.c - the symbols of all levels, and the three conditions on each. See principle.h. */
#include "engine/structure/principle.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/rng.h"
#include "engine/base/tuples.h"
#include "engine/chain/chain.h"
#include "engine/chain/network.h"
#include "engine/grammar/signal.h"

#define BLOCK_NODES ((size_t)1 << 20) /* between two questions whether to go on */

/* The strings at one level: `width` symbols each. */
struct strings {
    size_t n, width;
    uint16_t *tokens; /* n x d, those with a label; owned */
    uint16_t *label;  /* n; owned */
    unsigned char *half;
    uint32_t *symbol, *parent; /* n x width, n x width/s; owned */
    unsigned classes;
};

struct measure {
    const struct rhm_principle_options *o;
    unsigned L, s[RHM_MAX_LEVELS + 1]; /* s[l]: symbols of a level-l patch */
    uint64_t place;                    /* of the patch at the level in work */
    struct strings x;
    struct rhm_network *net; /* learned symbols; owned */
    struct rhm_monitor *monitor;
};

static void strings_clear(struct strings *x)
{
    free(x->tokens);
    free(x->label);
    free(x->half);
    free(x->symbol);
    free(x->parent);
}

/* --------------------------------------------------------------- checks */

static enum rhm_status check(struct measure *m, struct rhm_error *err)
{
    const struct rhm_principle_options *o = m->o;
    const struct rhm_dataset *data = o->data;
    m->L = o->grammar ? o->grammar->L : o->formula ? o->formula->L : o->L;
    if (m->L < 1 || m->L > RHM_MAX_LEVELS)
        return rhm_fail(err, RHM_EARG, "L = %u: must be from 1 to %d", m->L, RHM_MAX_LEVELS);
    for (unsigned l = 1; l <= m->L; l++) {
        m->s[l] = o->grammar ? o->grammar->branch[l] : o->formula ? o->formula->s : o->branch[l];
        if (m->s[l] < 2)
            return rhm_fail(err, RHM_EARG, "s_%u = %u: must be 2 or more", l, m->s[l]);
    }
    uint64_t d = rhm_places(m->s, 1, m->L), places = d / m->s[m->L];
    if (d != data->d)
        return rhm_fail(err, RHM_EARG,
                        "a tree of %" PRIu64 " tokens (s = %u, L = %u), but the strings have %zu", d, m->s[1],
                        m->L, data->d);
    m->place = o->place;
    if (o->place >= places)
        return rhm_fail(err, RHM_EARG, "place %" PRIu64 ": must be 1..%" PRIu64 ", the patches of level %u",
                        o->place + 1, places, m->L);
    if (!(o->confidence > 0 && o->confidence < 1))
        return rhm_fail(err, RHM_EARG, "confidence = %g: must be above 0 and below 1", o->confidence);
    return RHM_OK;
}

static enum rhm_status missing_token(size_t i, struct rhm_error *err)
{
    return rhm_fail(err, RHM_EARG, "string %zu has missing tokens: the conditions are those of whole strings",
                    i + 1);
}

/* The strings that have a label, each in its half. */
static enum rhm_status take_strings(struct measure *m, struct rhm_principle *result, struct rhm_error *err)
{
    const struct rhm_dataset *data = m->o->data;
    struct strings *x = &m->x;
    size_t d = data->d, labelled = data->n - rhm_dataset_missing(data).labels;
    *x = (struct strings){.width = d, .classes = data->classes};
    enum rhm_status status = rhm_memory_check((double)labelled * (double)d * (2 + 4 + 4.0 / m->s[m->L]),
                                              "the symbols of all strings", "use fewer strings", err);
    if (status != RHM_OK)
        return status;
    size_t room = labelled > 0 ? labelled : 1;
    x->tokens = rhm_array(room * d, sizeof *x->tokens, "the strings", err);
    x->label = x->tokens ? rhm_array(room, sizeof *x->label, "the labels", err) : NULL;
    x->half = x->label ? rhm_array(room, 1, "the halves", err) : NULL;
    x->symbol = x->half ? rhm_array(room * d, sizeof *x->symbol, "the symbols", err) : NULL;
    x->parent = x->symbol ? rhm_array(room * (d / m->s[m->L]), sizeof *x->parent, "the symbols", err) : NULL;
    if (x->parent == NULL)
        return RHM_EMEMORY;
    for (size_t i = 0; i < data->n; i++) {
        if (data->labels[i] == RHM_MISSING)
            continue;
        uint64_t word[2];
        rhm_rng_block(m->o->seed, RHM_STREAM_HALVES, i, 0, word);
        x->half[x->n] = word[0] >> 63 != 0;
        x->label[x->n] = data->labels[i];
        for (size_t j = 0; j < d; j++) {
            uint16_t token = data->tokens[i * d + j];
            if (token == RHM_MISSING)
                return missing_token(i, err);
            x->tokens[x->n * d + j] = token;
            x->symbol[x->n * d + j] = token;
        }
        result->n_B += x->half[x->n];
        x->n++;
        if (x->n % (BLOCK_NODES / 64) == 0 && (status = rhm_monitor_poll(m->monitor, err)) != RHM_OK)
            return status;
    }
    result->n = x->n;
    result->n_A = x->n - result->n_B;
    return RHM_OK;
}

/* --------------------------------------------------------- true symbols */

/* The rules of level l, so that a row's number over m is its parent. */
static enum rhm_status list_rules(const struct rhm_grammar *g, unsigned l, unsigned s,
                                  struct rhm_tuples *rules, struct rhm_error *err)
{
    enum rhm_status status = rhm_tuples_init(rules, s, err);
    for (unsigned nu = 0; nu < rhm_grammar_parents(g, l); nu++)
        for (unsigned k = 0; k < g->m && status == RHM_OK; k++) {
            const uint16_t *child = rhm_grammar_rule(g, l, nu, k);
            uint32_t tuple[64];
            size_t row;
            for (unsigned j = 0; j < s; j++)
                tuple[j] = child[j];
            status = rhm_tuples_add(rules, tuple, &row, err);
        }
    return status;
}

static enum rhm_status parents_of_grammar(struct measure *m, unsigned l, unsigned *parents,
                                          struct rhm_error *err)
{
    const struct rhm_grammar *g = m->o->grammar;
    struct strings *x = &m->x;
    struct rhm_tuples rules;
    size_t s = m->s[l], places = x->width / s, all = x->n * places, bad = SIZE_MAX;
    *parents = rhm_grammar_parents(g, l);
    enum rhm_status status = list_rules(g, l, m->s[l], &rules, err);
    if (status != RHM_OK) {
        rhm_tuples_clear(&rules);
        return status;
    }
    for (size_t at = 0; at < all && status == RHM_OK; at += BLOCK_NODES) {
        size_t end = at + BLOCK_NODES < all ? at + BLOCK_NODES : all;
#pragma omp parallel for schedule(static) reduction(min : bad)
        for (size_t i = at; i < end; i++) {
            size_t row = rhm_tuples_find(&rules, x->symbol + i * s);
            x->parent[i] = row == SIZE_MAX ? 0 : (uint32_t)(row / g->m);
            if (row == SIZE_MAX && i < bad)
                bad = i;
        }
        status = rhm_monitor_poll(m->monitor, err);
    }
    rhm_tuples_clear(&rules);
    if (status == RHM_OK && bad != SIZE_MAX)
        return rhm_fail(
            err, RHM_EARG,
            "labelled string %zu is none of the grammar's (level %u, place %zu): its true symbols "
            "are not known, features = 'learned' finds some",
            bad / places + 1, l, bad % places + 1);
    return status;
}

static enum rhm_status parents_of_formula(struct measure *m, unsigned l, unsigned *parents,
                                          struct rhm_error *err)
{
    const struct rhm_formula *f = m->o->formula;
    struct strings *x = &m->x;
    size_t s = m->s[l], places = x->width / s, all = x->n * places;
    *parents = 2;
    enum rhm_status status = RHM_OK;
    for (size_t at = 0; at < all && status == RHM_OK; at += BLOCK_NODES) {
        size_t end = at + BLOCK_NODES < all ? at + BLOCK_NODES : all;
#pragma omp parallel for schedule(static)
        for (size_t i = at; i < end; i++) {
            unsigned t = 0;
            for (unsigned j = 0; j < s; j++)
                t = t << 1 | x->symbol[i * s + j];
            x->parent[i] = rhm_formula_gate(f, l, i % places) >> t & 1;
        }
        status = rhm_monitor_poll(m->monitor, err);
    }
    return status;
}

/* ------------------------------------------------------ learned symbols */

/* The chain, from half A. */
static enum rhm_status train_chain(struct measure *m, size_t n_A, struct rhm_error *err)
{
    struct strings *x = &m->x;
    const struct rhm_dataset *data = m->o->data;
    struct rhm_dataset half;
    struct rhm_network_options o = rhm_network_defaults();
    o.V = data->V;
    for (unsigned l = 1; l <= m->L; l++)
        o.branch[l] = m->s[l];
    o.L = m->L;
    o.classes = data->classes;
    o.M = (int64_t)m->o->M;
    o.seed = m->o->seed;
    enum rhm_status status = rhm_network_create(&m->net, &o, err);
    if (status != RHM_OK) {
        m->net = NULL;
        return status;
    }
    status = rhm_dataset_init(&half, n_A, x->width, data->V, data->classes, err);
    if (status != RHM_OK)
        return status;
    size_t at = 0;
    for (size_t i = 0; i < x->n; i++) {
        if (x->half[i])
            continue;
        memcpy(half.tokens + at * x->width, x->tokens + i * x->width, x->width * sizeof *half.tokens);
        half.labels[at++] = x->label[i];
    }
    struct rhm_train_options t = rhm_train_defaults(m->net);
    t.data = &half;
    status = rhm_network_train(m->net, &t, m->monitor, NULL, err);
    rhm_dataset_clear(&half);
    return status;
}

/* Output codes of layer l at all places: its clusters. Layer 1 keeps each patch's output: the nearest one. */
static enum rhm_status parents_of_chain(struct measure *m, unsigned l, unsigned *parents,
                                        struct rhm_error *err)
{
    struct strings *x = &m->x;
    struct rhm_chain chain;
    const struct rhm_clusters *clusters = &m->net->layer[l]->clusters;
    size_t d = m->o->data->d, places = x->width / m->s[l], block = rhm_chain_block(d);
    enum rhm_status status = rhm_chain_init(&chain, m->net, l, err);
    if (status != RHM_OK)
        return status;
    for (size_t at = 0; at < x->n && status == RHM_OK; at += block) {
        size_t some = x->n - at < block ? x->n - at : block;
        const uint32_t *code;
        status = rhm_chain_ascend(&chain, l, some, d, x->tokens + at * d, &code, rhm_monitor_poll, m->monitor,
                                  err);
        for (size_t i = 0; i < some * places && status == RHM_OK; i++)
            x->parent[at * places + i] =
                l > 1 ? code[i]
                      : (uint32_t)rhm_clusters_nearest(clusters, rhm_chain_embedding(&chain, 1, code[i]));
    }
    *parents = (unsigned)(l > 1 ? rhm_chain_codes(&chain, l) : clusters->k);
    rhm_chain_clear(&chain);
    return status;
}

/* --------------------------------------------------------------- levels */

/* The same of the law itself: q_mu is that of the parent. */
static enum rhm_status exact_level(struct measure *m, unsigned l, unsigned parents,
                                   struct rhm_principle_level *level, struct rhm_error *err)
{
    struct rhm_matrix q = {0};
    level->exact_correlation = level->exact_gap = NAN;
    if (!m->o->grammar && !m->o->formula)
        return RHM_OK;
    double *p = rhm_array(parents, sizeof *p, "the probabilities of the parents", err);
    enum rhm_status status = p ? RHM_OK : RHM_EMEMORY;
    if (status == RHM_OK)
        status = m->o->grammar ? rhm_signal_q(m->o->grammar, l, m->place, &q, p, err)
                               : rhm_formula_q(m->o->formula, l, m->place, &q, p, err);
    if (status == RHM_OK)
        status = rhm_signal_gap(&q, &level->exact_gap, rhm_monitor_poll, m->monitor, err);
    double between = 0, plain = 1;
    for (size_t c = 0; c < q.cols && status == RHM_OK; c++) {
        double mean = 0, square = 0;
        for (size_t nu = 0; nu < q.rows; nu++)
            if (p[nu] > 0) {
                mean += p[nu] * q.v[nu * q.cols + c];
                square += p[nu] * q.v[nu * q.cols + c] * q.v[nu * q.cols + c];
            }
        between += square - mean * mean;
        plain -= mean * mean;
    }
    if (status == RHM_OK && plain > 1e-14)
        level->exact_correlation = sqrt(fmin(fmax(between / plain, 0), 1));
    rhm_matrix_clear(&q);
    free(p);
    return status;
}

static enum rhm_status measure_level(struct measure *m, unsigned l, unsigned parents,
                                     struct rhm_principle *result, struct rhm_error *err)
{
    struct strings *x = &m->x;
    struct rhm_principle_level *level = &result->level[l];
    double alpha = (1 - m->o->confidence) / m->L;
    size_t s = m->s[l], place = (size_t)m->place, above = 1;
    struct rhm_principle_input in = {.n = x->n,
                                     .tuple = x->symbol + place * s,
                                     .stride = x->width,
                                     .width = s,
                                     .parent = x->parent + place,
                                     .parent_stride = x->width / s,
                                     .parents = parents,
                                     .label = x->label,
                                     .classes = x->classes,
                                     .half = x->half};
    enum rhm_status status = rhm_principle_correlation(&in, alpha, &level->patches, &level->correlation,
                                                       rhm_monitor_poll, m->monitor, err);
    if (status == RHM_OK)
        status = exact_level(m, l, parents, level, err);
    if (status == RHM_OK)
        status = rhm_principle_gap(&in, alpha, result->learned, level, rhm_monitor_poll, m->monitor, err);
    for (unsigned k = 0; k < l && status == RHM_OK; k++) {
        in.width = s * above; /* what is below the k-th ancestor of the patch's node */
        in.tuple = x->symbol + place / above * in.width;
        if (k > 0 && level->layer[k - 1].inputs == x->n)
            level->layer[k] = level->layer[k - 1]; /* each string alone: more symbols change nothing */
        else
            status = rhm_principle_layer(&in, alpha, result->learned, &level->layer[k], rhm_monitor_poll,
                                         m->monitor, err);
        above *= k + 1 < l ? m->s[l - k - 1] : 1;
    }
    return status;
}

static enum rhm_status measure_levels(struct measure *m, struct rhm_principle *result, struct rhm_error *err)
{
    enum rhm_status status = RHM_OK;
    for (unsigned l = m->L; l >= 1 && status == RHM_OK; l--) {
        unsigned parents = 0;
        status = m->o->formula   ? parents_of_formula(m, l, &parents, err)
                 : m->o->grammar ? parents_of_grammar(m, l, &parents, err)
                                 : parents_of_chain(m, l, &parents, err);
        if (status == RHM_OK)
            status = measure_level(m, l, parents, result, err);
        uint32_t *swap = m->x.symbol;
        m->x.symbol = m->x.parent;
        m->x.parent = swap;
        m->x.width /= m->s[l];
        m->place /= l > 1 ? m->s[l - 1] : 1;
    }
    return status;
}

enum rhm_status rhm_principle_measure(const struct rhm_principle_options *options,
                                      struct rhm_principle *result, struct rhm_monitor *monitor,
                                      struct rhm_error *err)
{
    struct measure m = {.o = options, .monitor = monitor};
    *result = (struct rhm_principle){.learned = !options->grammar && !options->formula};
    enum rhm_status status = check(&m, err);
    if (status != RHM_OK)
        return status;
    result->L = m.L;
    status = take_strings(&m, result, err);
    if (status == RHM_OK && (result->n_A < 2 || result->n_B < 2))
        status = rhm_fail(err, RHM_EARG, "%zu strings with a label: each half needs 2 or more", result->n);
    size_t same = 1;
    while (status == RHM_OK && same < m.x.n && m.x.label[same] == m.x.label[0])
        same++;
    if (status == RHM_OK && same == m.x.n)
        status = rhm_fail(err, RHM_EARG, "all %zu strings have label %u: there is nothing to learn", m.x.n,
                          m.x.label[0] + 1u);
    if (status == RHM_OK && result->learned)
        status = train_chain(&m, result->n_A, err);
    if (status == RHM_OK)
        status = measure_levels(&m, result, err);
    rhm_network_free(m.net);
    strings_clear(&m.x);
    if (status != RHM_OK)
        rhm_principle_clear(result);
    return status;
}

void rhm_principle_clear(struct rhm_principle *result)
{
    for (unsigned l = 1; l <= RHM_MAX_LEVELS; l++)
        free(result->level[l].is_seen);
    *result = (struct rhm_principle){0};
}
