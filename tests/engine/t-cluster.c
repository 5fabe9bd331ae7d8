/* t-cluster.c - average linkage: the chain against the naive loop, cuts, orders, the clusters'
 * geometry. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "engine/base/memory.h"
#include "engine/base/rng.h"
#include "engine/cluster/cluster.h"

#define MOST 64

static struct rhm_rng start(uint64_t index)
{
    return rhm_rng_start(20260119, RHM_STREAM_TEST, index);
}

static void fill_gauss(struct rhm_rng *rng, size_t count, double *x)
{
    for (size_t i = 0; i < count; i++) {
        double pair[2];
        rhm_rng_gauss_pair(rng, pair);
        x[i] = pair[0];
    }
}

static struct rhm_dendrogram build_by(enum rhm_linkage kind, size_t n, size_t dim, const double *x,
                                      const double *weight)
{
    struct rhm_dendrogram tree;
    struct rhm_error err = {0};
    if (rhm_dendrogram_build(&tree, kind, n, dim, x, weight, NULL, NULL, &err) != RHM_OK)
        fail_msg("%s", err.text);
    return tree;
}

static struct rhm_dendrogram build(size_t n, size_t dim, const double *x, const double *weight)
{
    return build_by(RHM_LINKAGE_AVERAGE, n, dim, x, weight);
}

static void assert_close(double got, double want, double relative)
{
    if (!(fabs(got - want) <= relative * fabs(want)))
        fail_msg("got %.17g, want %.17g", got, want);
}

/* A valid tree: every node used once, heights in order, left with the smaller leaf, children before parents.
 */
static void assert_tree(const struct rhm_dendrogram *tree)
{
    size_t n = tree->n, *least = calloc(2 * n, sizeof *least);
    bool *used = calloc(2 * n, sizeof *used);
    for (size_t i = 0; i < n; i++)
        least[i] = i;
    for (size_t j = 0; j + 1 < n; j++) {
        size_t l = tree->left[j], r = tree->right[j];
        assert_true(l < n + j && r < n + j && l != r && !used[l] && !used[r]);
        used[l] = used[r] = true;
        assert_true(least[l] < least[r]);
        least[n + j] = least[l];
        if (j > 0)
            assert_true(tree->height[j] >= tree->height[j - 1]);
    }
    free(least);
    free(used);
}

static void assert_same_trees(const struct rhm_dendrogram *a, const struct rhm_dendrogram *b)
{
    size_t in_a[MOST], in_b[MOST], n = a->n;
    assert_int_equal(a->n, b->n);
    for (size_t j = 0; j + 1 < n; j++) {
        assert_close(a->height[j], b->height[j], 1e-12);
        assert_int_equal(a->left[j], b->left[j]);
        assert_int_equal(a->right[j], b->right[j]);
    }
    for (size_t k = 1; k <= n; k++) {
        assert_int_equal(rhm_dendrogram_cut(a, k, in_a, NULL), RHM_OK);
        assert_int_equal(rhm_dendrogram_cut(b, k, in_b, NULL), RHM_OK);
        assert_memory_equal(in_a, in_b, n * sizeof *in_a);
    }
}

static void test_chain_is_naive(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 60; n++)
        for (size_t variant = 0; variant < 8; variant++) {
            double x[MOST * 3], weight[MOST];
            struct rhm_rng rng = start(4 * n + variant % 4);
            size_t dim = 1 + (n + variant) % 3;
            fill_gauss(&rng, n * dim, x);
            for (size_t i = 0; i < n; i++)
                weight[i] = exp(8 * rhm_rng_uniform(&rng));
            const double *w = variant % 2 ? weight : NULL;
            enum rhm_linkage kind = variant < 4 ? RHM_LINKAGE_AVERAGE : RHM_LINKAGE_WARD;
            struct rhm_dendrogram chain = build_by(kind, n, dim, x, w), naive;
            assert_int_equal(rhm_dendrogram_build_naive(&naive, kind, n, dim, x, w, NULL), RHM_OK);
            assert_tree(&chain);
            assert_tree(&naive);
            assert_same_trees(&chain, &naive);
            rhm_dendrogram_clear(&chain);
            rhm_dendrogram_clear(&naive);
        }
}

/* 0, 1, 4, 6 on a line, by hand: {0,1} at 1, {2,3} at 2, all at (4 + 6 + 3 + 5)/4 = 4.5. */
static void test_by_hand(void **state)
{
    (void)state;
    double x[] = {0, 1, 4, 6}, weight[] = {1, 3, 1, 1};
    struct rhm_dendrogram t = build(4, 1, x, NULL);
    assert_true(t.left[0] == 0 && t.right[0] == 1 && t.left[1] == 2 && t.right[1] == 3);
    assert_true(t.left[2] == 4 && t.right[2] == 5);
    assert_true(t.height[0] == 1 && t.height[1] == 2 && t.height[2] == 4.5);
    rhm_dendrogram_clear(&t);
    t = build(4, 1, x, weight); /* (4 + 6 + 3 * 3 + 3 * 5)/8 */
    assert_close(t.height[2], 34.0 / 8, 1e-15);
    rhm_dendrogram_clear(&t);
}

/* The same by Ward: 1/2, 4/2, then 2 * 2/4 * (5 - 1/2)^2; weighted 3/4, 2, then 4 * 2/6 * (5 - 3/4)^2. */
static void test_ward_by_hand(void **state)
{
    (void)state;
    double x[] = {0, 1, 4, 6}, weight[] = {1, 3, 1, 1};
    const double want[2][3] = {{0.5, 2, 20.25}, {0.75, 2, 8.0 / 6 * 4.25 * 4.25}};
    for (int k = 0; k < 2; k++) {
        struct rhm_dendrogram t = build_by(RHM_LINKAGE_WARD, 4, 1, x, k ? weight : NULL);
        assert_true(t.left[0] == 0 && t.right[0] == 1 && t.left[1] == 2 && t.right[1] == 3);
        for (size_t j = 0; j < 3; j++)
            assert_close(t.height[j] * t.height[j], want[k][j], 1e-14);
        rhm_dendrogram_clear(&t);
    }
}

static double sum_of_squares(size_t n, size_t dim, const double *x, const double *weight, size_t k,
                             const size_t *cluster)
{
    struct rhm_clusters c;
    assert_int_equal(rhm_clusters_init(&c, n, dim, x, weight, k, cluster, NULL, NULL, NULL), RHM_OK);
    double sum = 0, total = 0;
    for (size_t a = 0; a < k; a++)
        total += c.weight[a];
    sum = c.eps_S * c.eps_S * total;
    rhm_clusters_clear(&c);
    return sum;
}

/* Settled: every point is with its nearest centroid, every cluster has one, and the sum of squares has not
 * grown; a cut that is settled stays as it is. */
static void test_settle(void **state)
{
    (void)state;
    size_t changed = 0;
    for (uint64_t trial = 0; trial < 60; trial++) {
        enum { n = 50, dim = 3 };
        double x[n * dim], weight[n];
        size_t cluster[n], before[n], again[n], k = 2 + trial % 9;
        struct rhm_rng rng = start(7000 + trial);
        fill_gauss(&rng, n * dim, x);
        for (size_t i = 0; i < n; i++)
            weight[i] = exp(4 * rhm_rng_uniform(&rng));
        if (trial % 2) { /* from anything, also from Ward's cut */
            for (size_t i = 0; i < n; i++)
                cluster[i] = i < k ? i : (size_t)rhm_rng_below(&rng, k);
        } else {
            struct rhm_dendrogram t = build_by(RHM_LINKAGE_WARD, n, dim, x, weight);
            assert_int_equal(rhm_dendrogram_cut(&t, k, cluster, NULL), RHM_OK);
            rhm_dendrogram_clear(&t);
        }
        memcpy(before, cluster, sizeof before);
        double old = sum_of_squares(n, dim, x, weight, k, cluster);
        assert_int_equal(rhm_clusters_settle(n, dim, x, weight, k, cluster, NULL, NULL, NULL), RHM_OK);
        double new = sum_of_squares(n, dim, x, weight, k, cluster);
        assert_true(new <= old *(1 + 1e-12));
        changed += memcmp(before, cluster, sizeof before) != 0;
        struct rhm_clusters c;
        assert_int_equal(rhm_clusters_init(&c, n, dim, x, weight, k, cluster, NULL, NULL, NULL), RHM_OK);
        for (size_t i = 0; i < n; i++) {
            size_t size = 0;
            for (size_t j = 0; j < n; j++)
                size += cluster[j] == cluster[i];
            assert_true(size == 1 || rhm_clusters_nearest(&c, x + i * dim) == cluster[i]);
        }
        rhm_clusters_clear(&c);
        memcpy(again, cluster, sizeof again);
        assert_int_equal(rhm_clusters_settle(n, dim, x, weight, k, again, NULL, NULL, NULL), RHM_OK);
        assert_memory_equal(again, cluster, sizeof again);
    }
    assert_true(changed > 30);
}

/* What Ward is for: a rare point far off joins its neighbour, and the two heavy groups stay apart. */
static void test_a_rare_point_keeps_no_cluster(void **state)
{
    (void)state;
    double x[] = {0, 0.1, 1, 1.1, 2.5}, weight[] = {100, 100, 100, 100, 1};
    size_t by_ward[5], by_average[5];
    struct rhm_dendrogram t = build_by(RHM_LINKAGE_WARD, 5, 1, x, weight);
    assert_int_equal(rhm_dendrogram_cut(&t, 2, by_ward, NULL), RHM_OK);
    rhm_dendrogram_clear(&t);
    t = build(5, 1, x, weight);
    assert_int_equal(rhm_dendrogram_cut(&t, 2, by_average, NULL), RHM_OK);
    rhm_dendrogram_clear(&t);
    const size_t groups[] = {0, 0, 1, 1, 1}, outlier[] = {0, 0, 0, 0, 1};
    assert_memory_equal(by_ward, groups, sizeof groups);
    assert_memory_equal(by_average, outlier, sizeof outlier);
}

/* A point of weight 2 or 3 is that many equal points: the same heights above the zeros. */
static void test_weights_are_copies(void **state)
{
    (void)state;
    for (uint64_t trial = 0; trial < 20; trial++) {
        enum { n = 12, dim = 2 };
        double x[n * dim], weight[n], copies[3 * n * dim];
        size_t many = 0;
        struct rhm_rng rng = start(1000 + trial);
        fill_gauss(&rng, n * dim, x);
        for (size_t i = 0; i < n; i++) {
            size_t times = 1 + rhm_rng_below(&rng, 3);
            weight[i] = (double)times;
            for (; times > 0; times--)
                memcpy(copies + many++ * dim, x + i * dim, dim * sizeof *x);
        }
        struct rhm_dendrogram weighed = build(n, dim, x, weight), copied = build(many, dim, copies, NULL);
        assert_tree(&copied);
        for (size_t j = 0; j < many - n; j++)
            assert_true(copied.height[j] == 0);
        for (size_t j = 0; j < n - 1; j++)
            assert_close(copied.height[many - n + j], weighed.height[j], 1e-12);
        rhm_dendrogram_clear(&weighed);
        rhm_dendrogram_clear(&copied);
    }
}

/* Scaled points: scaled heights. Moved points, scaled weights: the same. Permuted points: the same cuts. */
static void test_invariances(void **state)
{
    (void)state;
    enum { n = 40, dim = 3 };
    double x[n * dim], y[n * dim], w[n], v[n];
    struct rhm_rng rng = start(2000);
    fill_gauss(&rng, n * dim, x);
    for (size_t i = 0; i < n; i++) {
        w[i] = 0.5 + rhm_rng_uniform(&rng);
        v[i] = 1e6 * w[i];
    }
    struct rhm_dendrogram base = build(n, dim, x, w);
    for (size_t i = 0; i < n * dim; i++)
        y[i] = 0x1p-20 * x[i];
    struct rhm_dendrogram scaled = build(n, dim, y, v);
    for (size_t i = 0; i < n * dim; i++)
        y[i] = x[i] + 2;
    struct rhm_dendrogram moved = build(n, dim, y, w);
    for (size_t j = 0; j < n - 1; j++) {
        assert_close(scaled.height[j], 0x1p-20 * base.height[j], 1e-13);
        assert_close(moved.height[j], base.height[j], 1e-12);
        assert_int_equal(scaled.left[j], base.left[j]);
        assert_int_equal(moved.right[j], base.right[j]);
    }
    /* point i at place 7 i mod 40 */
    for (size_t i = 0; i < n; i++) {
        memcpy(y + 7 * i % n * dim, x + i * dim, dim * sizeof *x);
        v[7 * i % n] = w[i];
    }
    struct rhm_dendrogram mixed = build(n, dim, y, v);
    for (size_t k = 1; k <= n; k++) {
        size_t in_base[n], in_mixed[n];
        rhm_dendrogram_cut(&base, k, in_base, NULL);
        rhm_dendrogram_cut(&mixed, k, in_mixed, NULL);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < i; j++)
                assert_int_equal(in_base[i] == in_base[j], in_mixed[7 * i % n] == in_mixed[7 * j % n]);
    }
    rhm_dendrogram_clear(&base);
    rhm_dendrogram_clear(&scaled);
    rhm_dendrogram_clear(&moved);
    rhm_dendrogram_clear(&mixed);
}

/* Ties, equal points, a lattice: valid trees, the same each time; lowest indices first. */
static void test_ties(void **state)
{
    (void)state;
    double same[MOST], lattice[49 * 2];
    for (size_t i = 0; i < MOST; i++)
        same[i] = 3.25;
    for (size_t i = 0; i < 49; i++) {
        lattice[2 * i] = (double)(i % 7);
        lattice[2 * i + 1] = (double)(i / 7);
    }
    struct rhm_dendrogram t = build(MOST, 1, same, NULL);
    assert_tree(&t);
    assert_true(t.height[MOST - 2] == 0);
    assert_true(t.left[0] == 0 && t.right[0] == 1);
    rhm_dendrogram_clear(&t);

    /* the chain meets 0, then the centre, which has two neighbours at 1: the lower one is taken */
    double below[] = {2, 0, 0, 1, 0, -1, 0, 0}, above[] = {2, 0, 0, 0, 0, 1, 0, -1};
    t = build(4, 2, below, NULL);
    assert_true(t.left[0] == 1 && t.right[0] == 3 && t.height[0] == 1);
    rhm_dendrogram_clear(&t);
    t = build(4, 2, above, NULL);
    assert_true(t.left[0] == 1 && t.right[0] == 2 && t.height[0] == 1);
    rhm_dendrogram_clear(&t);

    t = build(49, 2, lattice, NULL);
    assert_tree(&t);
    assert_true(t.left[0] == 0 && t.right[0] == 1 && t.height[0] == 1);
    struct rhm_dendrogram again = build(49, 2, lattice, NULL);
    assert_same_trees(&t, &again);
    rhm_dendrogram_clear(&again);
    rhm_dendrogram_clear(&t);
}

static void test_one_and_two(void **state)
{
    (void)state;
    double x[] = {1, 2, 4, 6}; /* two points of dimension 2, at distance 5 */
    size_t cluster[2] = {9, 9}, order[2] = {9, 9};
    struct rhm_dendrogram t = build(1, 2, x, NULL);
    assert_int_equal(rhm_dendrogram_cut(&t, 1, cluster, NULL), RHM_OK);
    assert_int_equal(rhm_dendrogram_order(&t, order, NULL), RHM_OK);
    assert_true(cluster[0] == 0 && order[0] == 0);
    rhm_dendrogram_clear(&t);
    struct rhm_clusters c;
    assert_int_equal(rhm_clusters_init(&c, 1, 2, x, NULL, 1, cluster, NULL, NULL, NULL), RHM_OK);
    assert_true(isinf(c.rho) && isinf(c.inter_min) && c.intra_max == 0 && c.eps_S == 0);
    assert_true(c.centroid[0] == 1 && c.centroid[1] == 2 && c.weight[0] == 1);
    rhm_clusters_clear(&c);

    t = build(2, 2, x, NULL);
    assert_true(t.height[0] == 5 && t.left[0] == 0 && t.right[0] == 1);
    assert_int_equal(rhm_dendrogram_cut(&t, 2, cluster, NULL), RHM_OK);
    assert_true(cluster[0] == 0 && cluster[1] == 1);
    rhm_dendrogram_clear(&t);
    assert_int_equal(rhm_clusters_init(&c, 2, 2, x, NULL, 2, cluster, NULL, NULL, NULL), RHM_OK);
    assert_true(c.rho == 5 && c.inter_min == 5 && c.intra_max == 0 && c.eps_S == 0);
    rhm_clusters_clear(&c);
    assert_int_equal(rhm_clusters_init(&c, 2, 2, x, NULL, 1, (size_t[]){0, 0}, NULL, NULL, NULL), RHM_OK);
    assert_true(isinf(c.rho) && isinf(c.inter_min) && c.intra_max == 5 && c.eps_S == 2.5);
    rhm_clusters_clear(&c);
}

/* Each cut's clusters are contiguous in the order, which holds every leaf once; k cuts give k clusters
 * numbered by their smallest leaf, and the (k+1)-cut refines the k-cut. */
static void test_order_and_cuts(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 60; n += 7) {
        double x[MOST * 2];
        size_t order[MOST], cluster[MOST], coarser[MOST] = {0};
        struct rhm_rng rng = start(3000 + n);
        fill_gauss(&rng, 2 * n, x);
        struct rhm_dendrogram t = build(n, 2, x, NULL);
        assert_int_equal(rhm_dendrogram_order(&t, order, NULL), RHM_OK);
        bool seen[MOST] = {false};
        for (size_t i = 0; i < n; i++) {
            assert_true(order[i] < n && !seen[order[i]]);
            seen[order[i]] = true;
        }
        for (size_t k = 1; k <= n; k++) {
            assert_int_equal(rhm_dendrogram_cut(&t, k, cluster, NULL), RHM_OK);
            size_t found = 0, changes = 0;
            for (size_t i = 0; i < n; i++) {
                assert_true(cluster[i] <= found);
                found += cluster[i] == found;
                changes += i > 0 && cluster[order[i]] != cluster[order[i - 1]];
                for (size_t j = 0; j < i; j++)
                    if (cluster[i] == cluster[j])
                        assert_int_equal(coarser[i], coarser[j]);
            }
            assert_int_equal(found, k);
            assert_int_equal(changes, k - 1);
            memcpy(coarser, cluster, sizeof coarser);
        }
        struct rhm_error err;
        assert_int_equal(rhm_dendrogram_cut(&t, 0, cluster, &err), RHM_EARG);
        assert_int_equal(rhm_dendrogram_cut(&t, n + 1, cluster, &err), RHM_EARG);
        assert_non_null(strstr(err.text, "k must be 1.."));
        rhm_dendrogram_clear(&t);
    }
}

/* `each` noisy copies of `blobs` far apart centres: unit vectors of dimension 8, noise 1e-3. */
static void make_blobs(uint64_t index, size_t blobs, size_t each, double *x, size_t *truth)
{
    struct rhm_rng rng = start(index);
    fill_gauss(&rng, blobs * each * 8, x);
    for (size_t i = 0; i < blobs * each; i++) {
        truth[i] = i % blobs; /* interleaved, and numbered by the smallest leaf */
        for (size_t d = 0; d < 8; d++)
            x[8 * i + d] = 1e-3 * x[8 * i + d] + (d == truth[i]);
    }
}

static void test_blobs(void **state)
{
    (void)state;
    double x[MOST * 8];
    size_t truth[MOST], cluster[MOST];
    make_blobs(4000, 3, 8, x, truth);
    struct rhm_dendrogram t = build(24, 8, x, NULL);
    assert_int_equal(rhm_dendrogram_cut(&t, 3, cluster, NULL), RHM_OK);
    assert_memory_equal(cluster, truth, 24 * sizeof *truth);
    rhm_dendrogram_clear(&t);
    struct rhm_clusters c;
    assert_int_equal(rhm_clusters_init(&c, 24, 8, x, NULL, 3, cluster, NULL, NULL, NULL), RHM_OK);
    assert_close(c.rho, sqrt(2), 0.01);
    assert_close(c.inter_min, sqrt(2), 0.01);
    assert_close(c.eps_S, 1e-3 * sqrt(8.0 * 7 / 8), 0.35);
    assert_true(c.intra_max > c.eps_S && c.intra_max < 0.02);
    for (size_t i = 0; i < 24; i++)
        assert_int_equal(rhm_clusters_nearest(&c, x + 8 * i), truth[i]);
    rhm_clusters_clear(&c);
}

/* Against loops over all pairs, weights unequal, more points than a block of distances. */
static void test_geometry(void **state)
{
    (void)state;
    enum { n = 1100, dim = 3, k = 7 };
    double *x = calloc(n * dim, sizeof *x), *w = calloc(n, sizeof *w);
    size_t *cluster = calloc(n, sizeof *cluster);
    struct rhm_rng rng = start(7000);
    fill_gauss(&rng, n * dim, x);
    for (size_t i = 0; i < n; i++) {
        w[i] = 1 + rhm_rng_uniform(&rng);
        cluster[i] = i % k;
        x[i * dim] += 2 * (double)cluster[i];
    }
    struct rhm_clusters c;
    assert_int_equal(rhm_clusters_init(&c, n, dim, x, w, k, cluster, NULL, NULL, NULL), RHM_OK);
    double centroid[k][dim] = {{0}}, weight[k] = {0}, spread = 0, total = 0, inter = INFINITY, intra = 0;
    double rho = INFINITY;
    for (size_t i = 0; i < n; i++) {
        weight[cluster[i]] += w[i];
        for (size_t d = 0; d < dim; d++)
            centroid[cluster[i]][d] += w[i] * x[i * dim + d];
        for (size_t j = 0; j < i; j++) {
            double distance = sqrt(pow(x[i * dim] - x[j * dim], 2) + pow(x[i * dim + 1] - x[j * dim + 1], 2) +
                                   pow(x[i * dim + 2] - x[j * dim + 2], 2));
            if (cluster[i] == cluster[j])
                intra = fmax(intra, distance);
            else
                inter = fmin(inter, distance);
        }
    }
    for (size_t a = 0; a < k; a++) {
        assert_close(c.weight[a], weight[a], 1e-12);
        for (size_t d = 0; d < dim; d++) {
            centroid[a][d] /= weight[a];
            assert_true(fabs(c.centroid[a * dim + d] - centroid[a][d]) < 1e-12);
        }
        for (size_t b = 0; b < a; b++)
            rho = fmin(rho, hypot(hypot(centroid[a][0] - centroid[b][0], centroid[a][1] - centroid[b][1]),
                                  centroid[a][2] - centroid[b][2]));
    }
    for (size_t i = 0; i < n; i++) {
        total += w[i];
        for (size_t d = 0; d < dim; d++)
            spread += w[i] * pow(x[i * dim + d] - centroid[cluster[i]][d], 2);
    }
    assert_close(c.rho, rho, 1e-12);
    assert_close(c.eps_S, sqrt(spread / total), 1e-12);
    assert_close(c.inter_min, inter, 1e-12);
    assert_close(c.intra_max, intra, 1e-12);
    rhm_clusters_clear(&c);
    free(x);
    free(w);
    free(cluster);

    /* ties of the nearest centroid go to the lowest number */
    double line[] = {-1, 1, -1};
    size_t in[] = {0, 1, 2};
    assert_int_equal(rhm_clusters_init(&c, 3, 1, line, NULL, 3, in, NULL, NULL, NULL), RHM_OK);
    assert_int_equal(rhm_clusters_nearest(&c, (double[]){0}), 0);
    assert_int_equal(rhm_clusters_nearest(&c, (double[]){-5}), 0);
    assert_int_equal(rhm_clusters_nearest(&c, (double[]){0.1}), 1);
    rhm_clusters_clear(&c);
}

static void test_bad_arguments(void **state)
{
    (void)state;
    double x[] = {0, 1, 2}, infinite[] = {0, INFINITY, 2}, far[] = {-1e300, 1e300, 0};
    double weight[] = {1, 0, 1};
    size_t cluster[] = {0, 0, 2}, beyond[] = {0, 1, 7};
    struct rhm_dendrogram t;
    struct rhm_clusters c;
    struct rhm_error err;
    assert_int_equal(rhm_dendrogram_build(&t, RHM_LINKAGE_AVERAGE, 0, 1, x, NULL, NULL, NULL, &err),
                     RHM_EARG);
    assert_int_equal(rhm_dendrogram_build(&t, RHM_LINKAGE_AVERAGE, 3, 0, x, NULL, NULL, NULL, &err),
                     RHM_EARG);
    assert_int_equal(rhm_dendrogram_build(&t, RHM_LINKAGE_AVERAGE, 3, 1, infinite, NULL, NULL, NULL, &err),
                     RHM_ENUMERIC);
    assert_non_null(strstr(err.text, "point 2 is inf"));
    assert_int_equal(rhm_dendrogram_build(&t, RHM_LINKAGE_AVERAGE, 3, 1, far, NULL, NULL, NULL, &err),
                     RHM_ENUMERIC);
    assert_int_equal(rhm_dendrogram_build_naive(&t, RHM_LINKAGE_AVERAGE, 3, 1, far, NULL, &err),
                     RHM_ENUMERIC);
    assert_int_equal(rhm_dendrogram_build(&t, RHM_LINKAGE_AVERAGE, 3, 1, x, weight, NULL, NULL, &err),
                     RHM_EARG);
    assert_non_null(strstr(err.text, "weight of point 2 is 0"));
    assert_null(t.left);
    assert_int_equal(rhm_clusters_init(&c, 3, 1, x, NULL, 3, cluster, NULL, NULL, &err), RHM_EARG);
    assert_non_null(strstr(err.text, "cluster 1 of 3 is empty"));
    assert_int_equal(rhm_clusters_init(&c, 3, 1, x, NULL, 3, beyond, NULL, NULL, &err), RHM_EARG);
    assert_non_null(strstr(err.text, "numbered 0..2"));
    assert_int_equal(rhm_clusters_init(&c, 3, 1, x, NULL, 4, cluster, NULL, NULL, &err), RHM_EARG);
    assert_null(c.cluster);
}

/* 100,000 points need 37 GiB of distances: said before anything is allocated or read. */
static void test_budget(void **state)
{
    (void)state;
    struct rhm_dendrogram t;
    struct rhm_error err;
    size_t before = rhm_memory_budget();
    rhm_memory_set_budget((size_t)1 << 30);
    assert_int_equal(rhm_dendrogram_build(&t, RHM_LINKAGE_AVERAGE, 100000, 16, NULL, NULL, NULL, NULL, &err),
                     RHM_EMEMORY);
    assert_non_null(
        strstr(err.text, "the dendrogram of 100000 points needs about 37.3 GiB, the budget is 1.0 GiB"));
    rhm_memory_set_budget(1000);
    double x[MOST] = {0};
    assert_int_equal(rhm_dendrogram_build(&t, RHM_LINKAGE_AVERAGE, MOST, 1, x, NULL, NULL, NULL, &err),
                     RHM_EMEMORY);
    rhm_memory_set_budget(before);
}

static enum rhm_status stop_after(void *context, struct rhm_error *e)
{
    int *left = context;
    return (*left)-- > 0 ? RHM_OK : rhm_fail(e, RHM_ESTOP, "stopped by the test");
}

/* The dendrogram of 2000 points and what a cut says ask whether to go on at least once for 64 points. Stopped
 * at any question they leave nothing behind. */
static void test_stop(void **state)
{
    (void)state;
    enum { n = 2000, dim = 4, k = 20, ENOUGH = 100000 };
    double *x = calloc(n * dim, sizeof *x);
    size_t *cut = calloc(n, sizeof *cut);
    struct rhm_rng rng = start(8100);
    fill_gauss(&rng, n * dim, x);
    for (int kind = 0; kind < 2; kind++) {
        struct rhm_dendrogram tree;
        int left = ENOUGH, asked;
        assert_int_equal(
            rhm_dendrogram_build(&tree, (enum rhm_linkage)kind, n, dim, x, NULL, stop_after, &left, NULL),
            RHM_OK);
        asked = ENOUGH - left;
        assert_true(asked >= n / 64);
        assert_int_equal(rhm_dendrogram_cut(&tree, k, cut, NULL), RHM_OK);
        rhm_dendrogram_clear(&tree);
        for (int calls = 0; calls < asked; calls += 1 + calls / 2) {
            left = calls;
            assert_int_equal(
                rhm_dendrogram_build(&tree, (enum rhm_linkage)kind, n, dim, x, NULL, stop_after, &left, NULL),
                RHM_ESTOP);
            assert_null(tree.left);
        }
    }
    struct rhm_clusters c;
    int left = 0;
    assert_int_equal(rhm_clusters_init(&c, n, dim, x, NULL, k, cut, stop_after, &left, NULL), RHM_ESTOP);
    assert_null(c.cluster);
    left = 1; /* the first round is through */
    assert_int_equal(rhm_clusters_settle(n, dim, x, NULL, k, cut, stop_after, &left, NULL), RHM_ESTOP);
    assert_int_equal(rhm_clusters_init(&c, n, dim, x, NULL, k, cut, NULL, NULL, NULL), RHM_OK);
    rhm_clusters_clear(&c);
    free(x);
    free(cut);
}

/* 1500 points: the same bits from one thread and from three. */
static void test_threads(void **state)
{
    (void)state;
#ifdef _OPENMP
    enum { n = 1500, dim = 5 };
    double *x = calloc(n * dim, sizeof *x);
    size_t *cut = calloc(n, sizeof *cut);
    struct rhm_rng rng = start(8000);
    fill_gauss(&rng, n * dim, x);
    struct rhm_dendrogram tree[2];
    struct rhm_clusters c[2];
    int before = omp_get_max_threads();
    for (int i = 0; i < 2; i++) {
        omp_set_num_threads(1 + 2 * i);
        tree[i] = build(n, dim, x, NULL);
        rhm_dendrogram_cut(&tree[i], 20, cut, NULL);
        assert_int_equal(rhm_clusters_init(&c[i], n, dim, x, NULL, 20, cut, NULL, NULL, NULL), RHM_OK);
    }
    omp_set_num_threads(before);
    assert_tree(&tree[0]);
    assert_memory_equal(tree[0].height, tree[1].height, (n - 1) * sizeof(double));
    assert_memory_equal(tree[0].left, tree[1].left, (n - 1) * sizeof(size_t));
    assert_memory_equal(tree[0].right, tree[1].right, (n - 1) * sizeof(size_t));
    assert_memory_equal(c[0].centroid, c[1].centroid, 20 * dim * sizeof(double));
    assert_true(c[0].inter_min == c[1].inter_min && c[0].intra_max == c[1].intra_max);
    assert_true(c[0].rho == c[1].rho && c[0].eps_S == c[1].eps_S);
    for (int i = 0; i < 2; i++) {
        rhm_dendrogram_clear(&tree[i]);
        rhm_clusters_clear(&c[i]);
    }
    free(x);
    free(cut);
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chain_is_naive),
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_ward_by_hand),
        cmocka_unit_test(test_settle),
        cmocka_unit_test(test_a_rare_point_keeps_no_cluster),
        cmocka_unit_test(test_weights_are_copies),
        cmocka_unit_test(test_invariances),
        cmocka_unit_test(test_ties),
        cmocka_unit_test(test_one_and_two),
        cmocka_unit_test(test_order_and_cuts),
        cmocka_unit_test(test_blobs),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_geometry),
        cmocka_unit_test(test_bad_arguments),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests_name("cluster", tests, NULL, NULL);
}
