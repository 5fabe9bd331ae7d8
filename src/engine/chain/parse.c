/* parse.c - see parse.h. */
#include "engine/chain/parse.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/chain/chain.h"
#include "engine/chain/refine.h"
#include "engine/chain/truth.h"

void rhm_parse_clear(struct rhm_parse *parse)
{
    for (unsigned l = 0; l <= RHM_MAX_LEVELS; l++) {
        free(parse->node[l]);
        free(parse->q[l]);
    }
    *parse = (struct rhm_parse){0};
}

/* The parent of a tuple of true symbols, or RHM_NO_PARENT. */
static uint32_t parent_of(const struct rhm_inverse *inverse, const uint32_t *symbol, unsigned s)
{
    for (unsigned j = 0; j < s; j++)
        if (symbol[j] == RHM_NO_PARENT)
            return RHM_NO_PARENT;
    size_t rule = rhm_tuples_find(&inverse->rules, symbol);
    return rule == SIZE_MAX ? RHM_NO_PARENT : (uint32_t)(rule / inverse->m);
}

/* What stands below a level from left to right: its codes, what they stand for, what is there in truth. */
struct row {
    uint32_t *code, *stands, *truth;
};

static void clear_row(struct row *row)
{
    free(row->code);
    free(row->stands);
    free(row->truth);
}

/* Level l of the tree from the row below, which then becomes that of level l. */
static enum rhm_status add_level(struct rhm_chain *chain, unsigned l, const struct rhm_inverse *inverse,
                                 struct rhm_parse *parse, struct row *row, rhm_poll_function *poll,
                                 void *context, struct rhm_error *err)
{
    const struct rhm_layer *layer = chain->net->layer[l];
    unsigned s = rhm_network_s(chain->net, l);
    size_t n = (size_t)rhm_network_places(chain->net, l), C = parse->C;
    uint32_t *code = rhm_array(n, sizeof *code, "the parse of a string", err);
    parse->node[l] = rhm_array(n, sizeof *parse->node[l], "the parse of a string", err);
    parse->q[l] = rhm_array(n * C, sizeof *parse->q[l], "the parse of a string", err);
    parse->n[l] = n;
    parse->width[l] = C;
    enum rhm_status status = code && parse->node[l] && parse->q[l] ? RHM_OK : RHM_EMEMORY;
    if (status == RHM_OK)
        status = rhm_chain_resolve(chain, l, n, row->code, code, poll, context, err);
    for (size_t i = 0; i < n && status == RHM_OK; i++) {
        double *q = parse->q[l] + i * C;
        if (layer->directions.places > 1)
            rhm_directions_q_of_point(&layer->directions, rhm_chain_embedding(chain, l, code[i]), i, q);
        else
            memcpy(q, rhm_chain_embedding(chain, l, code[i]), C * sizeof *q);
        struct rhm_parse_node *node = &parse->node[l][i];
        *node = (struct rhm_parse_node){.code = code[i] < layer->codebook.K ? code[i] : RHM_NO_CODE,
                                        .parent = RHM_NO_PARENT,
                                        .truth = RHM_NO_PARENT,
                                        .p = q[0],
                                        .unknown = code[i] == layer->unknown_code};
        for (size_t c = 1; c < C; c++)
            node->p = q[c] > node->p ? q[c] : node->p;
        if (chain->net->grammar) {
            node->truth = parent_of(inverse, row->truth + i * s, s);
            /* a code of the moment, of a patch that no layer has seen, is not in the table */
            node->parent = code[i] < layer->code_parents ? layer->code_parent[code[i]]
                                                         : parent_of(inverse, row->stands + i * s, s);
        }
    }
    for (size_t i = 0; i < n && status == RHM_OK; i++) { /* i * s is never behind i: in place */
        row->code[i] = code[i];
        row->stands[i] = parse->node[l][i].parent;
        row->truth[i] = parse->node[l][i].truth;
    }
    free(code);
    return status;
}

/* ------------------------------------------------------------ refined */

/* name (symbols of level l - 1): the true symbol that each one of the tables stands for, by what below (V)
 * says of level l (NULL: tokens, which are themselves). */
static void name_symbols(const struct rhm_tree_table *t, const struct rhm_grammar *g, unsigned l,
                         const uint32_t *below, uint32_t *name)
{
    double *best = malloc(t->parents * sizeof *best); /* small; without it nothing has a name */
    for (size_t p = 0; p < t->parents; p++) {
        name[p] = RHM_NO_PARENT;
        if (best)
            best[p] = 0.5; /* of the table, at least */
    }
    for (unsigned nu = 0; nu < rhm_grammar_parents(g, l) && best; nu++)
        for (size_t p = 0; p < t->parents; p++) {
            double share = 0;
            for (unsigned k = 0; k < g->m; k++) {
                const uint16_t *child = rhm_grammar_rule(g, l, nu, k);
                size_t number = 0;
                for (unsigned j = 0; j < t->s && number != SIZE_MAX; j++) {
                    size_t own = child[j];
                    for (own = below ? 0 : own; below && own < t->symbols && below[own] != child[j];)
                        own++;
                    number = own < t->symbols ? number * t->symbols + own : SIZE_MAX;
                }
                share += number == SIZE_MAX ? 0 : t->p[number * t->parents + p];
            }
            if (share > best[p]) {
                best[p] = share;
                name[p] = nu;
            }
        }
    free(best);
}

/* Level l of a refined network's tree; below, truth: names of the symbols of level l, the true ones in the
 * string. */
static enum rhm_status add_refined(const struct rhm_network *net, unsigned l, const uint16_t *tokens,
                                   const struct rhm_inverse *inverse, struct rhm_parse *parse,
                                   uint32_t *truth, const uint32_t *below, uint32_t *name,
                                   rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    const struct rhm_tree *tree = &net->refined->tree;
    size_t n = tree->nodes[l - 1], k = tree->symbols[l - 1];
    parse->node[l] = rhm_array(n, sizeof *parse->node[l], "the parse of a string", err);
    parse->q[l] = rhm_array(n * k, sizeof *parse->q[l], "the parse of a string", err);
    parse->n[l] = n;
    parse->width[l] = k;
    if (parse->node[l] == NULL || parse->q[l] == NULL)
        return RHM_EMEMORY;
    enum rhm_status status =
        rhm_tree_posterior(tree, 1, tokens, NULL, l - 1, parse->q[l], NULL, poll, context, err);
    if (status != RHM_OK)
        return status;
    for (uint32_t v = 0; v < k && l == 1; v++) /* labels are known by their names */
        name[v] = v;
    if (net->grammar && l > 1)
        name_symbols(&tree->table[l], net->grammar, l, below, name);
    for (size_t i = 0; i < n; i++) {
        const double *q = parse->q[l] + i * k;
        uint32_t code = 0;
        for (uint32_t v = 1; v < k; v++)
            if (q[v] > q[code])
                code = v;
        if (net->grammar) /* in place: i * s is never behind i */
            truth[i] = parent_of(inverse, truth + i * tree->table[l].s, tree->table[l].s);
        parse->node[l][i] = (struct rhm_parse_node){.code = code,
                                                    .parent = net->grammar ? name[code] : RHM_NO_PARENT,
                                                    .truth = net->grammar ? truth[i] : RHM_NO_PARENT,
                                                    .p = q[code]};
    }
    return RHM_OK;
}

static enum rhm_status parse_refined(const struct rhm_network *net, const uint16_t *tokens,
                                     struct rhm_parse *parse, rhm_poll_function *poll, void *context,
                                     struct rhm_error *err)
{
    size_t d = (size_t)net->d, most = net->V > net->classes ? net->V : net->classes;
    uint32_t *truth = rhm_array(d, sizeof *truth, "the parse of a string", err);
    uint32_t *name[2] = {rhm_array(most, sizeof **name, "the parse of a string", err),
                         rhm_array(most, sizeof **name, "the parse of a string", err)};
    enum rhm_status status = truth && name[0] && name[1] ? RHM_OK : RHM_EMEMORY;
    parse->L = net->L;
    parse->lowest = 1;
    parse->C = net->classes;
    for (size_t i = 0; i < d && status == RHM_OK; i++)
        truth[i] = tokens[i];
    for (unsigned l = net->L; l >= 1 && status == RHM_OK; l--) {
        struct rhm_inverse inverse = {0};
        if (net->grammar)
            status = rhm_inverse_init(&inverse, net->grammar, l, err);
        if (status == RHM_OK)
            status = add_refined(net, l, tokens, &inverse, parse, truth,
                                 l == net->L ? NULL : name[(l + 1) % 2], name[l % 2], poll, context, err);
        rhm_inverse_clear(&inverse);
    }
    if (status == RHM_OK)
        parse->label = parse->node[1][0].code;
    free(truth);
    free(name[0]);
    free(name[1]);
    return status;
}

static enum rhm_status parse_locked(const struct rhm_network *net, const uint16_t *tokens,
                                    struct rhm_parse *parse, rhm_poll_function *poll, void *context,
                                    struct rhm_error *err)
{
    if (net->refined)
        return parse_refined(net, tokens, parse, poll, context, err);
    unsigned lowest = net->L;
    while (lowest > 1 && net->layer[lowest] && net->layer[lowest - 1])
        lowest--;
    struct rhm_chain chain;
    if (net->layer[lowest] == NULL)
        return rhm_fail(err, RHM_ESTATE, "layer %u is not trained: a string is read from level L = %u up",
                        lowest, lowest);
    enum rhm_status status = rhm_chain_init(&chain, net, lowest, err);
    if (status != RHM_OK)
        return status;
    parse->L = net->L;
    parse->lowest = lowest;
    parse->C = net->classes;
    size_t n = (size_t)net->leaves;
    struct row row = {.code = rhm_array(n, sizeof *row.code, "the parse of a string", err),
                      .stands = rhm_array(n, sizeof *row.stands, "the parse of a string", err),
                      .truth = rhm_array(n, sizeof *row.truth, "the parse of a string", err)};
    status = row.code && row.stands && row.truth ? RHM_OK : RHM_EMEMORY;
    for (size_t i = 0; i < n && status == RHM_OK; i++)
        row.code[i] = row.stands[i] = row.truth[i] = i < net->d ? tokens[i] : net->V;
    for (unsigned l = net->L; l >= lowest && status == RHM_OK; l--) {
        struct rhm_inverse inverse = {0};
        if (net->grammar)
            status = rhm_inverse_init(&inverse, net->grammar, l, err);
        if (status == RHM_OK)
            status = add_level(&chain, l, &inverse, parse, &row, poll, context, err);
        rhm_inverse_clear(&inverse);
    }
    if (status == RHM_OK && lowest == 1) /* a tie goes to the lowest label, as in predictions */
        for (uint32_t c = 1; c < parse->C; c++)
            if (parse->q[1][c] > parse->q[1][parse->label])
                parse->label = c;
    clear_row(&row);
    rhm_chain_clear(&chain);
    return status;
}

enum rhm_status rhm_network_parse(struct rhm_network *net, const uint16_t *tokens, struct rhm_parse *parse,
                                  rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    *parse = (struct rhm_parse){0};
    for (size_t i = 0; i < net->d; i++)
        if (tokens[i] >= net->V)
            return rhm_fail(err, RHM_EARG, "token %zu of the string is %u: must be 0..%u (V - 1)", i,
                            tokens[i], net->V - 1);
    rhm_network_lock_reader(net);
    enum rhm_status status = parse_locked(net, tokens, parse, poll, context, err);
    pthread_mutex_unlock(&net->lock);
    if (status != RHM_OK)
        rhm_parse_clear(parse);
    return status;
}
