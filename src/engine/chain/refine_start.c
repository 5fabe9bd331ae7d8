/* refine_start.c - tables to start EM from, by counting alone. See refine.h.
 *
 * A tuple t is described by its counts c of cells (place, label), one multinomial law that synonyms share.
 * The likelihood of a cluster's pooled counts is E(c) = sum_k f(c_k + a) - f(sum_k (c_k + a)), f(x) = x log
 * x; merging two loses E(i) + E(j) - E(i + j), and the pair that loses least is merged. */
#include "engine/chain/refine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/chain/chain.h"

#define SHRINK 0.5 /* a, of a cell */
#define MIX    0.6 /* share of what all tuples have in common */
#define PASSES 20  /* of the reassignment, at most */
#define NONE   UINT16_MAX

static const char what[] = "the start of the refinement";

static double xlogx(double x)
{
    return x > 0 ? x * log(x) : 0;
}

/* f(n + SHRINK) of whole n. */
struct logs {
    double *f;
    size_t n;
};

static double entropy(const struct logs *logs, size_t K, const uint32_t *a, const uint32_t *b)
{
    double sum = 0, all = 0;
    for (size_t k = 0; k < K; k++) {
        size_t c = (size_t)a[k] + (b ? b[k] : 0);
        sum += c < logs->n ? logs->f[c] : xlogx((double)c + SHRINK);
        all += (double)c + SHRINK;
    }
    return sum - xlogx(all);
}

/* The U tuples seen at a level. */
struct counted {
    size_t U, K;
    size_t *number;  /* U: the tuple */
    uint32_t *index; /* V^s: its row or UINT32_MAX */
    uint32_t *count; /* U x K; K = places x classes */
    double *total;   /* U: with strings that have no label */
};

static void clear_counted(struct counted *c)
{
    free(c->number);
    free(c->index);
    free(c->count);
    free(c->total);
    *c = (struct counted){0};
}

static size_t tuple_of(const uint16_t *code, unsigned s, size_t V)
{
    size_t number = 0;
    for (unsigned j = 0; j < s; j++) {
        if (code[j] == NONE)
            return SIZE_MAX;
        number = number * V + code[j];
    }
    return number;
}

/* codes: a row of nodes[l] for each string of the index. */
static enum rhm_status count_tuples(const struct rhm_tree *tree, unsigned l, size_t n, const uint16_t *codes,
                                    const uint16_t *labels, struct counted *c, struct rhm_error *err)
{
    const struct rhm_tree_table *t = &tree->table[l];
    size_t places = tree->nodes[l - 1], C = tree->symbols[0];
    *c = (struct counted){.K = places * C, .index = rhm_array(t->rows, sizeof *c->index, what, err)};
    if (c->index == NULL)
        return RHM_EMEMORY;
    memset(c->index, 255, t->rows * sizeof *c->index);
    for (size_t i = 0; i < n * places; i++) {
        size_t tuple = tuple_of(codes + i * t->s, t->s, t->symbols);
        if (tuple != SIZE_MAX && c->index[tuple] == UINT32_MAX)
            c->index[tuple] = 0;
    }
    for (size_t r = 0; r < t->rows; r++) /* in the order of their numbers */
        if (c->index[r] == 0)
            c->index[r] = (uint32_t)c->U++;
    c->number = rhm_array(c->U, sizeof *c->number, what, err);
    c->total = rhm_array(c->U, sizeof *c->total, what, err);
    c->count = rhm_array(c->U, c->K * sizeof *c->count, "the counts of (place, label) of all tuples", err);
    if (c->number == NULL || c->total == NULL || c->count == NULL)
        return RHM_EMEMORY;
    for (size_t r = 0; r < t->rows; r++)
        if (c->index[r] != UINT32_MAX)
            c->number[c->index[r]] = r;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < places; j++) {
            size_t tuple = tuple_of(codes + (i * places + j) * t->s, t->s, t->symbols);
            if (tuple == SIZE_MAX)
                continue;
            c->total[c->index[tuple]]++;
            if (labels[i] != RHM_MISSING)
                c->count[c->index[tuple] * c->K + j * C + labels[i]]++;
        }
    return RHM_OK;
}

/* Merges the rows of `sum` (U x K, a copy of the counts) until k are left; cluster[u] names one of them. */
static enum rhm_status agglomerate(const struct logs *logs, size_t U, size_t K, size_t k, uint32_t *sum,
                                   uint16_t *cluster, rhm_poll_function *poll, void *context,
                                   struct rhm_error *err)
{
    enum rhm_status status = RHM_OK;
    double *cost = rhm_array(U * U, sizeof *cost, "the costs of merging two tuples", err);
    double *own = rhm_array(U, sizeof *own, what, err);
    size_t *into = rhm_array(U, sizeof *into, what, err), *best = rhm_array(U, sizeof *best, what, err);
    if (cost == NULL || own == NULL || into == NULL || best == NULL)
        status = RHM_EMEMORY;
    for (size_t i = 0; i < U && status == RHM_OK; i++) {
        into[i] = i;
        own[i] = entropy(logs, K, sum + i * K, NULL);
    }
    for (size_t from = 0; from < U && status == RHM_OK; from += 32) {
        size_t end = U - from < 32 ? U : from + 32;
#pragma omp parallel for schedule(dynamic, 1) if (U * U * K > 4000000)
        for (size_t i = from; i < end; i++)
            for (size_t j = 0; j < i; j++)
                cost[i * U + j] = cost[j * U + i] =
                    own[i] + own[j] - entropy(logs, K, sum + i * K, sum + j * K);
        status = rhm_poll(poll, context, err);
    }
    /* best[i]: the cheapest partner of i among those before it */
    for (size_t i = 1; i < U && status == RHM_OK; i++) {
        best[i] = 0;
        for (size_t j = 1; j < i; j++)
            if (cost[i * U + j] < cost[i * U + best[i]])
                best[i] = j;
    }
    for (size_t left = U; left > k && status == RHM_OK; left--) {
        size_t a = 0;
        for (size_t i = 1; i < U; i++)
            if (into[i] == i && best[i] != SIZE_MAX &&
                (a == 0 || cost[i * U + best[i]] < cost[a * U + best[a]]))
                a = i;
        size_t b = best[a]; /* b < a: a goes into b */
        into[a] = b;
        for (size_t c = 0; c < K; c++)
            sum[b * K + c] += sum[a * K + c];
        own[b] = entropy(logs, K, sum + b * K, NULL);
        for (size_t i = 0; i < U; i++)
            if (into[i] == i && i != b)
                cost[i * U + b] = cost[b * U + i] =
                    own[i] + own[b] - entropy(logs, K, sum + i * K, sum + b * K);
        for (size_t i = 1; i < U; i++) { /* rows whose partner is gone or changed, and b's own */
            if (into[i] != i || i < b)
                continue;
            if (i != b && best[i] != a && best[i] != b) {
                if (cost[i * U + b] < cost[i * U + best[i]])
                    best[i] = b;
                continue;
            }
            best[i] = SIZE_MAX;
            for (size_t j = 0; j < i; j++)
                if (into[j] == j && (best[i] == SIZE_MAX || cost[i * U + j] < cost[i * U + best[i]]))
                    best[i] = j;
        }
        status = rhm_poll(poll, context, err);
    }
    size_t next = 0;
    for (size_t i = 0; i < U && status == RHM_OK; i++) /* into[i] < i, so it has its number */
        cluster[i] = into[i] == i ? (uint16_t)next++ : cluster[into[i]];
    free(cost);
    free(own);
    free(into);
    free(best);
    return status;
}

/* Takes each tuple out of its cluster and puts it where the likelihood is largest, until none moves. */
static enum rhm_status reassign(const struct logs *logs, const struct counted *c, size_t k, uint16_t *cluster,
                                rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    size_t K = c->K;
    uint32_t *sum = rhm_array(k * K, sizeof *sum, what, err);
    size_t *size = rhm_array(k, sizeof *size, what, err);
    double *own = rhm_array(k, sizeof *own, what, err);
    enum rhm_status status = sum && size && own ? RHM_OK : RHM_EMEMORY;
    for (size_t u = 0; u < c->U && status == RHM_OK; u++) {
        size[cluster[u]]++;
        for (size_t q = 0; q < K; q++)
            sum[cluster[u] * K + q] += c->count[u * K + q];
    }
    for (size_t p = 0; p < k && status == RHM_OK; p++)
        own[p] = entropy(logs, K, sum + p * K, NULL);
    int moved = 1;
    for (int pass = 0; pass < PASSES && moved && status == RHM_OK; pass++) {
        moved = 0;
        for (size_t u = 0; u < c->U; u++) {
            const uint32_t *count = c->count + u * K;
            size_t old = cluster[u], to = old;
            if (size[old] == 1) /* no cluster is emptied */
                continue;
            for (size_t q = 0; q < K; q++)
                sum[old * K + q] -= count[q];
            own[old] = entropy(logs, K, sum + old * K, NULL);
            double most = entropy(logs, K, sum + old * K, count) - own[old];
            for (size_t p = 0; p < k; p++) {
                double gain = p == old ? most : entropy(logs, K, sum + p * K, count) - own[p];
                if (gain > most + 1e-9) {
                    most = gain;
                    to = p;
                }
            }
            for (size_t q = 0; q < K; q++)
                sum[to * K + q] += count[q];
            own[to] = entropy(logs, K, sum + to * K, NULL);
            size[old]--;
            size[to]++;
            cluster[u] = (uint16_t)to;
            moved += to != old;
        }
        status = rhm_poll(poll, context, err);
    }
    free(sum);
    free(size);
    free(own);
    return status;
}

/* The table of level l: cluster[u] is the parent of tuple u; NULL at the top, where the labels are. */
static void set_table(struct rhm_tree *tree, unsigned l, const struct counted *c, const uint16_t *cluster)
{
    struct rhm_tree_table *t = &tree->table[l];
    size_t P = t->parents;
    double all = 0;
    memset(t->p, 0, t->rows * P * sizeof *t->p);
    for (size_t u = 0; u < c->U; u++) {
        double *row = t->p + c->number[u] * P;
        all += c->total[u];
        if (cluster && cluster[u] != NONE)
            row[cluster[u]] = c->total[u];
        for (size_t p = 0; p < P && !cluster; p++)
            row[p] = c->count[u * c->K + p];
    }
    for (size_t p = 0; p < P; p++) {
        double sum = 0;
        for (size_t r = 0; r < t->rows; r++)
            sum += t->p[r * P + p];
        for (size_t r = 0; r < t->rows; r++) {
            double seen = c->index[r] == UINT32_MAX ? 0 : c->total[c->index[r]];
            double common = (seen + 0.5) / (all + 0.5 * (double)t->rows);
            double mix = sum > 0 ? MIX : 1;
            t->p[r * P + p] = (1 - mix) * (sum > 0 ? t->p[r * P + p] / sum : 0) + mix * common;
        }
    }
}

/* In place: nodes[l] codes a string become nodes[l - 1]. */
static void recode(const struct rhm_tree *tree, unsigned l, size_t n, const struct counted *c,
                   const uint16_t *cluster, uint16_t *codes)
{
    const struct rhm_tree_table *t = &tree->table[l];
    for (size_t i = 0; i < n * tree->nodes[l - 1]; i++) {
        size_t tuple = tuple_of(codes + i * t->s, t->s, t->symbols);
        codes[i] = tuple == SIZE_MAX ? NONE : cluster[c->index[tuple]];
    }
}

static void set_prior(struct rhm_tree *tree, size_t n, const uint16_t *labels)
{
    size_t C = tree->symbols[0], labelled = 0;
    for (size_t k = 0; k < C; k++)
        tree->prior[k] = 1;
    for (size_t i = 0; i < n; i++)
        if (labels[i] != RHM_MISSING) {
            tree->prior[labels[i]]++;
            labelled++;
        }
    for (size_t k = 0; k < C; k++)
        tree->prior[k] /= (double)(labelled + C);
}

static enum rhm_status cluster_level(const struct logs *logs, const struct counted *c, size_t k,
                                     uint16_t *cluster, rhm_poll_function *poll, void *context,
                                     struct rhm_error *err)
{
    uint32_t *sum = rhm_array(c->U, c->K * sizeof *sum, what, err);
    if (sum == NULL)
        return RHM_EMEMORY;
    if (c->U > 0)
        memcpy(sum, c->count, c->U * c->K * sizeof *sum);
    enum rhm_status status = agglomerate(logs, c->U, c->K, k, sum, cluster, poll, context, err);
    free(sum);
    if (status == RHM_OK)
        status = reassign(logs, c, k < c->U ? k : c->U, cluster, poll, context, err);
    return status;
}

/* Codes behind the end of a padded string are NONE. A patch that the end cuts gets the symbol that most
 * tuples with its first symbols have. */
static void continue_cut(const struct rhm_tree *tree, unsigned l, size_t n, const struct counted *c,
                         const uint16_t *cluster, double *votes, const uint16_t *below, uint16_t *codes)
{
    const struct rhm_tree_table *t = &tree->table[l];
    size_t places = tree->nodes[l - 1], sight = rhm_tree_in_sight(tree, l), cut = sight / t->s;
    unsigned known = (unsigned)(sight % t->s);
    size_t rest = 1, V = t->symbols;
    for (unsigned j = known; j < t->s; j++)
        rest *= V;
    for (size_t i = 0; i < n && known > 0; i++) {
        size_t first = tuple_of(below + i * tree->nodes[l] + cut * t->s, known, V), best = 0;
        if (first == SIZE_MAX)
            continue;
        memset(votes, 0, t->parents * sizeof *votes);
        for (size_t r = first * rest; r < (first + 1) * rest; r++)
            if (c->index[r] != UINT32_MAX && cluster[c->index[r]] != NONE)
                votes[cluster[c->index[r]]] += c->total[c->index[r]];
        for (size_t p = 1; p < t->parents; p++)
            if (votes[p] > votes[best])
                best = p;
        if (votes[best] > 0)
            codes[i * places + cut] = (uint16_t)best;
    }
}

/* At the root, which is cut: string i counts for the tuple that goes on with the digits of i, so that all
 * count alike. */
static void fill_root(const struct rhm_tree *tree, size_t n, uint16_t *codes)
{
    size_t sight = rhm_tree_in_sight(tree, 1), number;
    for (size_t i = 0; i < n; i++) {
        number = i;
        for (size_t j = sight; j < tree->nodes[1]; j++, number /= tree->symbols[1])
            codes[i * tree->nodes[1] + j] = (uint16_t)(number % tree->symbols[1]);
    }
}

enum rhm_status rhm_refine_start(struct rhm_tree *tree, const struct rhm_dataset *data, size_t n,
                                 const size_t *index, rhm_poll_function *poll, void *context,
                                 struct rhm_error *err)
{
    size_t d = tree->d, leaves = tree->nodes[tree->L], padded = d < leaves;
    uint16_t *codes = rhm_array(n * leaves, sizeof *codes, what, err);
    uint16_t *below = rhm_array(padded ? n * leaves : 0, sizeof *codes, what, err);
    double *votes = rhm_array(padded ? tree->symbols[tree->L] : 0, sizeof *votes, what, err);
    uint16_t *labels = rhm_array(n, sizeof *labels, what, err);
    struct logs logs = {.n = 16384, .f = rhm_array(16384, sizeof(double), what, err)};
    enum rhm_status status = codes && below && votes && labels && logs.f ? RHM_OK : RHM_EMEMORY;
    for (size_t i = 0; i < n && status == RHM_OK; i++) {
        memcpy(codes + i * leaves, data->tokens + index[i] * d, d * sizeof *codes);
        for (size_t j = d; j < leaves; j++)
            codes[i * leaves + j] = NONE;
        labels[i] = data->labels[index[i]];
    }
    for (size_t c = 0; c < logs.n && status == RHM_OK; c++)
        logs.f[c] = xlogx((double)c + SHRINK);
    for (unsigned l = tree->L; l >= 1 && status == RHM_OK; l--) {
        struct counted c;
        uint16_t *cluster = NULL;
        if (padded && l == 1)
            fill_root(tree, n, codes);
        status = count_tuples(tree, l, n, codes, labels, &c, err);
        if (status == RHM_OK && l > 1) {
            cluster = rhm_array(c.U, sizeof *cluster, what, err);
            status = cluster ? cluster_level(&logs, &c, tree->symbols[l - 1], cluster, poll, context, err)
                             : RHM_EMEMORY;
        }
        if (status == RHM_OK)
            set_table(tree, l, &c, cluster);
        if (status == RHM_OK && l > 1 && padded)
            memcpy(below, codes, n * tree->nodes[l] * sizeof *codes);
        if (status == RHM_OK && l > 1)
            recode(tree, l, n, &c, cluster, codes);
        if (status == RHM_OK && l > 1 && padded)
            continue_cut(tree, l, n, &c, cluster, votes, below, codes);
        free(cluster);
        clear_counted(&c);
    }
    if (status == RHM_OK)
        set_prior(tree, n, labels);
    free(codes);
    free(below);
    free(votes);
    free(labels);
    free(logs.f);
    return status;
}

/* ------------------------------------------------------------ from the chain */

/* Codes of layer l as symbols of level l - 1: all but the unknown one and those of the moment. */
static uint16_t symbol_of(const struct rhm_network *net, unsigned l, uint32_t code)
{
    const struct rhm_layer *layer = net->layer[l];
    if (code == layer->unknown_code || code >= layer->codebook.K)
        return NONE;
    return (uint16_t)(code - (layer->unknown_code < code));
}

static int fits(const struct rhm_network *net, unsigned l)
{
    const struct rhm_layer *layer = net->layer[l];
    return layer && layer->codebook.K - (layer->unknown_code < layer->codebook.K) <= net->V;
}

enum rhm_status rhm_refine_start_chain(struct rhm_tree *tree, const struct rhm_network *net,
                                       const struct rhm_dataset *data, rhm_poll_function *poll, void *context,
                                       struct rhm_error *err)
{
    if (net->d < net->leaves)
        return rhm_fail(err, RHM_ESTATE, "the chain has symbols of its own for patches that are padded");
    for (unsigned l = 1; l <= net->L; l++)
        if (!net->layer[l] || (l > 1 && !fits(net, l)))
            return rhm_fail(err, RHM_ESTATE, "layer %u is not trained, or has more codes than symbols", l);
    size_t d = data->d, whole = 0;
    uint16_t *codes = rhm_array(data->n * d, sizeof *codes, what, err);
    uint16_t *labels = rhm_array(data->n, sizeof *labels, what, err);
    uint16_t *tokens = rhm_array(data->n * d, sizeof *tokens, what, err);
    struct rhm_chain chain;
    enum rhm_status status = codes && labels && tokens ? rhm_chain_init(&chain, net, 1, err) : RHM_EMEMORY;
    int have_chain = status == RHM_OK;
    for (size_t i = 0; i < data->n && status == RHM_OK; i++) { /* the chain reads whole strings alone */
        int missing = 0;
        for (size_t j = 0; j < d; j++)
            missing |= data->tokens[i * d + j] == RHM_MISSING;
        if (missing)
            continue;
        memcpy(tokens + whole * d, data->tokens + i * d, d * sizeof *tokens);
        labels[whole++] = data->labels[i];
    }
    memcpy(codes, tokens, whole * d * sizeof *codes);
    size_t block = rhm_chain_block(d);
    for (unsigned l = tree->L; l >= 1 && status == RHM_OK; l--) {
        struct counted c;
        uint16_t *cluster = NULL, *above = NULL;
        size_t places = tree->nodes[l - 1];
        status = count_tuples(tree, l, whole, codes, labels, &c, err);
        if (status == RHM_OK && l > 1) {
            cluster = rhm_array(c.U, sizeof *cluster, what, err);
            above = rhm_array(whole * places, sizeof *above, what, err);
            status = cluster && above ? RHM_OK : RHM_EMEMORY;
        }
        for (size_t at = 0; at < whole && status == RHM_OK && l > 1; at += block) {
            size_t some = whole - at < block ? whole - at : block;
            const uint32_t *out;
            status = rhm_chain_ascend(&chain, l, some, d, tokens + at * d, &out, poll, context, err);
            for (size_t i = 0; i < some * places && status == RHM_OK; i++) {
                uint16_t symbol = above[at * places + i] = symbol_of(net, l, out[i]);
                size_t tuple = tuple_of(codes + (at * places + i) * tree->table[l].s, tree->table[l].s,
                                        tree->table[l].symbols);
                if (tuple != SIZE_MAX)
                    cluster[c.index[tuple]] = symbol;
            }
        }
        if (status == RHM_OK)
            set_table(tree, l, &c, cluster);
        if (status == RHM_OK && l > 1)
            memcpy(codes, above, whole * places * sizeof *codes);
        free(cluster);
        free(above);
        clear_counted(&c);
    }
    if (status == RHM_OK)
        set_prior(tree, whole, labels);
    if (have_chain)
        rhm_chain_clear(&chain);
    free(codes);
    free(labels);
    free(tokens);
    return status;
}
