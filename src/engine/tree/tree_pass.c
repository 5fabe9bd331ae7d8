/* tree_pass.c - see tree_pass.h. Dense tables go through BLAS, several nodes at a time: with Q (nodes x
 * tuples) the products of the children's vectors and T (tuples x parents) the table,
 *   inside = Q T,  P(tuple, outside) = outside T^T,  uses of the rules += Q^T (outside / P). */
#include "engine/tree/tree_pass.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

static const char what[] = "the passes over a tree";

size_t rhm_tree_block(const struct rhm_tree *tree)
{
    size_t block = 4096 / tree->nodes[tree->L];
    return block < 1 ? 1 : block > 64 ? 64 : block;
}

enum rhm_status rhm_tree_pass_init(struct rhm_tree_pass *pass, const struct rhm_tree *tree,
                                   struct rhm_error *err)
{
    *pass = (struct rhm_tree_pass){.tree = tree, .block = rhm_tree_block(tree)};
    int ok = 1;
    size_t widest = 0, parents = 0, s = 0;
    for (unsigned l = 0; l <= tree->L && ok; l++) {
        size_t n = pass->block * tree->nodes[l];
        pass->inside[l] = rhm_array(n * tree->symbols[l], sizeof(double), what, err);
        pass->outside[l] = rhm_array(n * tree->symbols[l], sizeof(double), what, err);
        ok = pass->inside[l] && pass->outside[l];
        const struct rhm_tree_table *t = &tree->table[l];
        if (l > 0 && !t->sparse && t->rows > widest)
            widest = t->rows;
        if (l > 0 && t->parents > parents)
            parents = t->parents;
        if (l > 0 && t->s > s)
            s = t->s;
    }
    size_t longest = 0; /* a sparse table needs as much as a rule has children */
    for (unsigned l = 1; l <= tree->L; l++)
        if (tree->table[l].sparse && tree->table[l].rows > longest)
            longest = tree->table[l].rows;
    pass->chunk = widest > 0 ? 65536 / widest : 1;
    pass->chunk = pass->chunk < 4 ? 4 : pass->chunk > 256 ? 256 : pass->chunk;
    size_t line = widest > longest ? widest : longest;
    line = line > s + 1 ? line : s + 1;
    pass->log_scale = rhm_array(pass->block, sizeof(double), what, err);
    pass->whole = rhm_array(pass->block * tree->nodes[tree->L - 1], 1, what, err);
    pass->outer = rhm_array(pass->chunk * widest, sizeof(double), what, err);
    pass->over = rhm_array(pass->chunk * widest, sizeof(double), what, err);
    pass->share = rhm_array(pass->chunk * parents, sizeof(double), what, err);
    pass->left = rhm_array(line, sizeof(double), what, err);
    pass->right = rhm_array(line, sizeof(double), what, err);
    ok = ok && pass->log_scale && pass->whole && pass->outer && pass->over && pass->share && pass->left &&
         pass->right;
    if (!ok)
        rhm_tree_pass_clear(pass);
    return ok ? RHM_OK : RHM_EMEMORY;
}

void rhm_tree_pass_clear(struct rhm_tree_pass *pass)
{
    for (unsigned l = 0; l <= RHM_MAX_LEVELS; l++) {
        free(pass->inside[l]);
        free(pass->outside[l]);
    }
    free(pass->log_scale);
    free(pass->whole);
    free(pass->outer);
    free(pass->over);
    free(pass->share);
    free(pass->left);
    free(pass->right);
    *pass = (struct rhm_tree_pass){0};
}

/* Scales v (n) to the sum 1; returns the sum. */
static double scale(double *v, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += v[i];
    if (sum > 0)
        for (size_t i = 0; i < n; i++)
            v[i] /= sum;
    return sum;
}

/* The products of s vectors of V numbers, one after the other in `in`, in the order of the tuples: out
 * (V^s). */
static void outer_product(unsigned s, size_t V, const double *in, double *out)
{
    size_t size = V;
    memcpy(out, in, V * sizeof *out);
    for (unsigned j = 1; j < s; j++) {
        const double *next = in + j * V;
        for (size_t a = size; a-- > 0;) { /* from behind: in place */
            double factor = out[a];
            for (size_t b = 0; b < V; b++)
                out[a * V + b] = factor * next[b];
        }
        size *= V;
    }
}

/* over (V^s: a function of the tuple) summed over all children but one, weighted by the others' vectors: out
 * (s x V). Returns the sum with all weights. left, right: V^s. */
static double contract(unsigned s, size_t V, size_t rows, const double *in, const double *over, double *left,
                       double *right, double *out)
{
    size_t size = rows;
    memcpy(left, over, rows * sizeof *left);
    for (unsigned j = 0; j < s; j++) {
        size_t rest = size / V; /* left: V x rest, children 0..j-1 summed out */
        if (j + 1 < s)
            outer_product(s - j - 1, V, in + (j + 1) * V, right);
        else
            right[0] = 1;
        for (size_t a = 0; a < V; a++) {
            double sum = 0;
            for (size_t r = 0; r < rest; r++)
                sum += left[a * rest + r] * right[r];
            out[j * V + a] = sum;
        }
        for (size_t r = 0; r < rest; r++)
            right[r] = 0;
        for (size_t a = 0; a < V; a++)
            for (size_t r = 0; r < rest; r++)
                right[r] += in[j * V + a] * left[a * rest + r];
        memcpy(left, right, rest * sizeof *left);
        size = rest;
    }
    return left[0];
}

/* ------------------------------------------------------------ upward */

static void up_sparse(const struct rhm_tree_table *t, const double *in, double *out)
{
    memset(out, 0, t->parents * sizeof *out);
    for (size_t r = 0; r < t->rows; r++) {
        double product = t->p[r];
        for (unsigned j = 0; j < t->s; j++)
            product *= in[j * t->symbols + t->child[r * t->s + j]];
        out[t->parent[r]] += product;
    }
}

static void up_dense(struct rhm_tree_pass *pass, const struct rhm_tree_table *t, size_t n, const double *in,
                     double *out)
{
    size_t width = t->s * t->symbols;
    for (size_t i = 0; i < n; i++)
        outer_product(t->s, t->symbols, in + i * width, pass->outer + i * t->rows);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, (int)t->parents, (int)t->rows, 1,
                pass->outer, (int)t->rows, t->p, (int)t->parents, 0, out, (int)t->parents);
}

/* What a token tells of its symbol. */
static void read_token(const struct rhm_tree *tree, uint16_t token, double *out)
{
    size_t V = tree->symbols[tree->L];
    if (token != RHM_MISSING && tree->emission) {
        memcpy(out, tree->emission + token * V, V * sizeof *out);
        return;
    }
    for (size_t v = 0; v < V; v++)
        out[v] = token == RHM_MISSING ? 1 : 0;
    if (token != RHM_MISSING)
        out[token] = 1;
}

/* The tokens of patch i of a block, counted through all strings; NULL: not all of it are tokens. */
static const uint16_t *patch_of(const struct rhm_tree *tree, size_t i, const uint16_t *tokens)
{
    size_t places = tree->nodes[tree->L - 1], s = tree->table[tree->L].s, place = i % places;
    return (place + 1) * s <= tree->d ? tokens + i / places * tree->d + place * s : NULL;
}

static size_t tuple_number(const struct rhm_tree_table *t, const uint16_t *tokens)
{
    size_t number = 0;
    for (unsigned j = 0; j < t->s; j++)
        number = number * t->symbols + tokens[j];
    return number;
}

void rhm_tree_upward(struct rhm_tree_pass *pass, size_t n, const uint16_t *tokens)
{
    const struct rhm_tree *tree = pass->tree;
    unsigned L = tree->L;
    size_t V = tree->symbols[L], d = tree->d, leaves = tree->nodes[L];
    memset(pass->log_scale, 0, n * sizeof *pass->log_scale);
    for (size_t i = 0; i < n * leaves; i++) /* likelihoods as they are: not scaled */
        read_token(tree, i % leaves < d ? tokens[i / leaves * d + i % leaves] : RHM_MISSING,
                   pass->inside[L] + i * V);
    for (unsigned l = L; l >= 1; l--) {
        const struct rhm_tree_table *t = &tree->table[l];
        size_t nodes = n * tree->nodes[l - 1], width = t->s * t->symbols;
        const double *in = pass->inside[l];
        double *out = pass->inside[l - 1];
        for (size_t at = 0; at < nodes; at += pass->chunk) {
            size_t some = nodes - at < pass->chunk ? nodes - at : pass->chunk;
            if (!t->sparse && l < L)
                up_dense(pass, t, some, in + at * width, out + at * t->parents);
            for (size_t i = at; i < at + some && (t->sparse || l == L); i++) {
                const uint16_t *patch = patch_of(tree, i, tokens);
                int whole = l == L && !t->sparse && tree->emission == NULL && patch != NULL;
                for (unsigned j = 0; j < t->s && whole; j++)
                    whole = patch[j] != RHM_MISSING;
                if (l == L)
                    pass->whole[i] = (unsigned char)whole;
                if (t->sparse)
                    up_sparse(t, in + i * width, out + i * t->parents);
                else if (whole)
                    memcpy(out + i * t->parents, t->p + tuple_number(t, patch) * t->parents,
                           t->parents * sizeof *out);
                else
                    up_dense(pass, t, 1, in + i * width, out + i * t->parents);
            }
        }
        size_t places = tree->nodes[l - 1], sight = rhm_tree_in_sight(tree, l - 1);
        for (size_t i = 0; i < nodes; i++)
            if (i % places < sight)
                pass->log_scale[i / places] += log(scale(out + i * t->parents, t->parents));
            else
                for (size_t p = 0; p < t->parents; p++) /* what tells nothing, exactly */
                    out[i * t->parents + p] = 1;
    }
}

/* ------------------------------------------------------------ downward */

/* From outside of one parent: that of its children (s x V), and the uses of the rules but for their p. */
static void down_sparse(struct rhm_tree_pass *pass, const struct rhm_tree_table *t, const double *in,
                        const double *above, double *below, double *rule)
{
    size_t V = t->symbols;
    double *weight = pass->left, *prefix = pass->right, total = 0;
    memset(below, 0, t->s * V * sizeof *below);
    for (size_t r = 0; r < t->rows; r++) {
        const uint16_t *child = t->child + r * t->s;
        double from = above[t->parent[r]], product = 1;
        weight[r] = 0;
        if (from == 0)
            continue;
        for (unsigned j = 0; j < t->s; j++) {
            prefix[j] = product;
            product *= in[j * V + child[j]];
        }
        weight[r] = from * product; /* without p */
        total += t->p[r] * weight[r];
        double suffix = from * t->p[r];
        for (unsigned j = t->s; j-- > 0;) {
            below[j * V + child[j]] += prefix[j] * suffix;
            suffix *= in[j * V + child[j]];
        }
    }
    if (rule && total > 0)
        for (size_t r = 0; r < t->rows; r++)
            rule[r] += weight[r] / total;
}

static void down_dense(struct rhm_tree_pass *pass, const struct rhm_tree_table *t, size_t n, const double *in,
                       const double *above, double *below, double *rule)
{
    size_t V = t->symbols, width = t->s * V;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)t->rows, (int)t->parents, 1, above,
                (int)t->parents, t->p, (int)t->parents, 0, pass->over, (int)t->rows);
    for (size_t i = 0; i < n; i++) {
        double total = contract(t->s, V, t->rows, in + i * width, pass->over + i * t->rows, pass->left,
                                pass->right, below + i * width);
        for (size_t p = 0; p < t->parents; p++)
            pass->share[i * t->parents + p] = total > 0 ? above[i * t->parents + p] / total : 0;
        if (rule)
            outer_product(t->s, V, in + i * width, pass->outer + i * t->rows);
    }
    if (rule)
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)t->rows, (int)t->parents, (int)n, 1,
                    pass->outer, (int)t->rows, pass->share, (int)t->parents, 1, rule, (int)t->parents);
}

/* All tokens of the patch are seen: the one tuple was used, and nothing is left to say of the tokens. */
static void down_whole(const struct rhm_tree_table *t, const uint16_t *patch, const double *above,
                       double *below, double *rule)
{
    size_t row = tuple_number(t, patch) * t->parents;
    double total = 0;
    for (size_t p = 0; p < t->parents; p++)
        total += above[p] * t->p[row + p];
    if (rule && total > 0)
        for (size_t p = 0; p < t->parents; p++)
            rule[row + p] += above[p] / total;
    memset(below, 0, t->s * t->symbols * sizeof *below);
    for (unsigned j = 0; j < t->s && total > 0; j++)
        below[j * t->symbols + patch[j]] = 1;
}

void rhm_tree_downward(struct rhm_tree_pass *pass, size_t n, const uint16_t *tokens, unsigned lowest,
                       double *const *rule)
{
    const struct rhm_tree *tree = pass->tree;
    for (unsigned l = 1; l <= lowest; l++) {
        const struct rhm_tree_table *t = &tree->table[l];
        size_t nodes = n * tree->nodes[l - 1], width = t->s * t->symbols;
        const double *in = pass->inside[l];
        double *above = pass->outside[l - 1], *below = pass->outside[l], *uses = rule ? rule[l] : NULL;
        size_t places = tree->nodes[l - 1], sight = rhm_tree_in_sight(tree, l - 1);
        for (size_t i = 0; i < n && uses && sight < places; i++) /* they use no rules */
            memset(above + (i * places + sight) * t->parents, 0,
                   (places - sight) * t->parents * sizeof *above);
        for (size_t at = 0; at < nodes; at += pass->chunk) {
            size_t some = nodes - at < pass->chunk ? nodes - at : pass->chunk;
            if (!t->sparse && l < tree->L)
                down_dense(pass, t, some, in + at * width, above + at * t->parents, below + at * width, uses);
            for (size_t i = at; i < at + some && (t->sparse || l == tree->L); i++) {
                const double *from = above + i * t->parents;
                if (t->sparse)
                    down_sparse(pass, t, in + i * width, from, below + i * width, uses);
                else if (pass->whole[i])
                    down_whole(t, patch_of(tree, i, tokens), from, below + i * width, uses);
                else
                    down_dense(pass, t, 1, in + i * width, from, below + i * width, uses);
            }
        }
        for (size_t i = 0; i < nodes * t->s; i++)
            scale(below + i * t->symbols, t->symbols);
    }
}
