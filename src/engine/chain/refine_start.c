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
#include "engine/chain/refine_tuples.h"

#define SHRINK 0.5 /* a, of a cell */
#define PASSES 20  /* of the reassignment, at most */

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
static enum rhm_status reassign(const struct logs *logs, const struct rhm_refine_tuples *c, size_t k,
                                uint16_t *cluster, rhm_poll_function *poll, void *context,
                                struct rhm_error *err)
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

/* In place: nodes[l] codes a string become nodes[l - 1]. */
static void recode(const struct rhm_tree *tree, unsigned l, size_t n, const struct rhm_refine_tuples *c,
                   const uint16_t *cluster, uint16_t *codes)
{
    const struct rhm_tree_table *t = &tree->table[l];
    for (size_t i = 0; i < n * tree->nodes[l - 1]; i++) {
        size_t tuple = rhm_refine_tuple(codes + i * t->s, t->s, t->symbols);
        codes[i] = tuple == SIZE_MAX ? RHM_MISSING : cluster[c->index[tuple]];
    }
}

static enum rhm_status cluster_level(const struct logs *logs, const struct rhm_refine_tuples *c, size_t k,
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

/* Codes behind the end of a padded string are RHM_MISSING. A patch that the end cuts gets the symbol that
 * most tuples with its first symbols have. */
static void continue_cut(const struct rhm_tree *tree, unsigned l, size_t n, const struct rhm_refine_tuples *c,
                         const uint16_t *cluster, double *votes, const uint16_t *below, uint16_t *codes)
{
    const struct rhm_tree_table *t = &tree->table[l];
    size_t places = tree->nodes[l - 1], sight = rhm_tree_in_sight(tree, l), cut = sight / t->s;
    unsigned known = (unsigned)(sight % t->s);
    size_t rest = 1, V = t->symbols;
    for (unsigned j = known; j < t->s; j++)
        rest *= V;
    for (size_t i = 0; i < n && known > 0; i++) {
        size_t first = rhm_refine_tuple(below + i * tree->nodes[l] + cut * t->s, known, V), best = 0;
        if (first == SIZE_MAX)
            continue;
        memset(votes, 0, t->parents * sizeof *votes);
        for (size_t r = first * rest; r < (first + 1) * rest; r++)
            if (c->index[r] != UINT32_MAX && cluster[c->index[r]] != RHM_MISSING)
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
            codes[i * leaves + j] = RHM_MISSING;
        labels[i] = data->labels[index[i]];
    }
    for (size_t c = 0; c < logs.n && status == RHM_OK; c++)
        logs.f[c] = xlogx((double)c + SHRINK);
    for (unsigned l = tree->L; l >= 1 && status == RHM_OK; l--) {
        struct rhm_refine_tuples c;
        uint16_t *cluster = NULL;
        if (padded && l == 1)
            fill_root(tree, n, codes);
        status = rhm_refine_tuples_count(tree, l, n, codes, labels, &c, err);
        if (status == RHM_OK && l > 1) {
            cluster = rhm_array(c.U, sizeof *cluster, what, err);
            status = cluster ? cluster_level(&logs, &c, tree->symbols[l - 1], cluster, poll, context, err)
                             : RHM_EMEMORY;
        }
        if (status == RHM_OK)
            rhm_refine_set_table(tree, l, &c, cluster);
        if (status == RHM_OK && l > 1 && padded)
            memcpy(below, codes, n * tree->nodes[l] * sizeof *codes);
        if (status == RHM_OK && l > 1)
            recode(tree, l, n, &c, cluster, codes);
        if (status == RHM_OK && l > 1 && padded)
            continue_cut(tree, l, n, &c, cluster, votes, below, codes);
        free(cluster);
        rhm_refine_tuples_clear(&c);
    }
    if (status == RHM_OK)
        rhm_refine_set_prior(tree, n, labels);
    free(codes);
    free(below);
    free(votes);
    free(labels);
    free(logs.f);
    return status;
}
