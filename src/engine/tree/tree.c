/* tree.c - the tables of a tree. See tree.h; the passes are in tree_pass.c, their threads in tree_sweep.c. */
#include "engine/tree/tree.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

static const char what[] = "the tables of a tree";

static enum rhm_status init_shape(struct rhm_tree *tree, unsigned L, const unsigned *s, unsigned V,
                                  unsigned classes, struct rhm_error *err)
{
    *tree = (struct rhm_tree){.L = L, .nodes = {1}, .symbols = {classes}};
    for (unsigned l = 1; l <= L; l++) {
        if (tree->nodes[l - 1] > SIZE_MAX / 2 / s[l])
            return rhm_fail(err, RHM_EARG, "a tree of %u levels has too many leaves to be written down", L);
        tree->nodes[l] = tree->nodes[l - 1] * s[l];
        tree->symbols[l] = V;
        tree->table[l] = (struct rhm_tree_table){
            .s = s[l], .parents = tree->symbols[l - 1], .symbols = V, .rows = 0, .p = NULL};
    }
    tree->d = tree->nodes[L];
    tree->prior = rhm_array(classes, sizeof *tree->prior, what, err);
    if (tree->prior == NULL)
        return RHM_EMEMORY;
    for (unsigned c = 0; c < classes; c++)
        tree->prior[c] = 1.0 / classes;
    return RHM_OK;
}

enum rhm_status rhm_tree_init(struct rhm_tree *tree, unsigned L, const unsigned *s, unsigned V,
                              unsigned classes, struct rhm_error *err)
{
    enum rhm_status status = init_shape(tree, L, s, V, classes, err);
    for (unsigned l = 1; l <= L && status == RHM_OK; l++) {
        struct rhm_tree_table *t = &tree->table[l];
        uint64_t rows = rhm_power(V, s[l]);
        char name[80];
        snprintf(name, sizeof name, "the table of %zu x %u^%u tuples of level %u", t->parents, V, s[l], l);
        double bytes = (rows ? (double)rows : 0x1p63) * (double)t->parents * sizeof(double);
        status = rhm_memory_check(bytes, name, "fewer symbols, a smaller s,", err);
        if (status == RHM_OK) {
            t->rows = (size_t)rows;
            t->p = rhm_array(t->rows * t->parents, sizeof *t->p, name, err);
            status = t->p ? RHM_OK : RHM_EMEMORY;
        }
    }
    if (status != RHM_OK)
        rhm_tree_clear(tree);
    return status;
}

static enum rhm_status take_rules(struct rhm_tree_table *t, const struct rhm_grammar *g, unsigned l,
                                  struct rhm_error *err)
{
    t->sparse = 1;
    t->rows = t->parents * g->m;
    t->p = rhm_array(t->rows, sizeof *t->p, what, err);
    t->parent = rhm_array(t->rows, sizeof *t->parent, what, err);
    t->child = rhm_array(t->rows * t->s, sizeof *t->child, what, err);
    if (t->p == NULL || t->parent == NULL || t->child == NULL)
        return RHM_EMEMORY;
    for (size_t r = 0; r < t->rows; r++) {
        unsigned nu = (unsigned)(r / g->m), k = (unsigned)(r % g->m);
        t->p[r] = rhm_grammar_p(g, l, nu, k);
        t->parent[r] = nu;
        memcpy(t->child + r * t->s, rhm_grammar_rule(g, l, nu, k), t->s * sizeof *t->child);
    }
    return RHM_OK;
}

enum rhm_status rhm_tree_from_grammar(struct rhm_tree *tree, const struct rhm_grammar *g,
                                      struct rhm_error *err)
{
    enum rhm_status status = init_shape(tree, g->L, g->branch, g->V, g->classes, err);
    for (unsigned l = 1; l <= g->L && status == RHM_OK; l++)
        status = take_rules(&tree->table[l], g, l, err);
    for (unsigned c = 0; c < g->classes && status == RHM_OK; c++)
        tree->prior[c] = rhm_grammar_prior(g, c);
    if (status == RHM_OK)
        status = rhm_tree_set_noise(tree, g->token_noise, err);
    if (status != RHM_OK)
        rhm_tree_clear(tree);
    return status;
}

static void *copy_of(const void *from, size_t count, size_t size, enum rhm_status *status,
                     struct rhm_error *err)
{
    if (from == NULL || *status != RHM_OK)
        return NULL;
    void *to = rhm_array(count, size, what, err);
    if (to == NULL)
        *status = RHM_EMEMORY;
    else
        memcpy(to, from, count * size);
    return to;
}

enum rhm_status rhm_tree_copy(struct rhm_tree *to, const struct rhm_tree *from, struct rhm_error *err)
{
    enum rhm_status status = RHM_OK;
    *to = *from;
    for (unsigned l = 1; l <= from->L; l++) {
        const struct rhm_tree_table *t = &from->table[l];
        to->table[l].p = copy_of(t->p, rhm_tree_size(from, l), sizeof *t->p, &status, err);
        to->table[l].parent = copy_of(t->parent, t->rows, sizeof *t->parent, &status, err);
        to->table[l].child = copy_of(t->child, t->rows * t->s, sizeof *t->child, &status, err);
    }
    size_t V = from->symbols[from->L];
    to->prior = copy_of(from->prior, from->symbols[0], sizeof *from->prior, &status, err);
    to->emission = copy_of(from->emission, V * V, sizeof *from->emission, &status, err);
    if (status != RHM_OK)
        rhm_tree_clear(to);
    return status;
}

void rhm_tree_clear(struct rhm_tree *tree)
{
    for (unsigned l = 0; l <= RHM_MAX_LEVELS; l++) {
        free(tree->table[l].p);
        free(tree->table[l].parent);
        free(tree->table[l].child);
    }
    free(tree->prior);
    free(tree->emission);
    *tree = (struct rhm_tree){0};
}

enum rhm_status rhm_tree_set_noise(struct rhm_tree *tree, double noise, struct rhm_error *err)
{
    size_t V = tree->symbols[tree->L];
    if (!(noise >= 0 && noise <= 1))
        return rhm_fail(err, RHM_EARG, "token noise %g: must be 0..1", noise);
    free(tree->emission);
    tree->emission = NULL;
    if (noise == 0)
        return RHM_OK;
    tree->emission = rhm_array(V * V, sizeof *tree->emission, "the noise of the tokens", err);
    if (tree->emission == NULL)
        return RHM_EMEMORY;
    for (size_t i = 0; i < V * V; i++)
        tree->emission[i] = noise / (double)V + (i / V == i % V ? 1 - noise : 0);
    return RHM_OK;
}
