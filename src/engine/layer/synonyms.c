/* synonyms.c - a layer's outputs cut into clusters of synonyms, and the codebook that follows. See layer.h.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/layer/layer.h"

/* The rows that are not unknown, with their outputs and counts side by side. */
struct known {
    size_t n;
    size_t *row;
    double *point;  /* n x width */
    double *noise;  /* n: variance of a point times its weight */
    double *weight; /* n */
};

static void known_clear(struct known *known)
{
    free(known->row);
    free(known->point);
    free(known->weight);
    free(known->noise);
}

static enum rhm_status known_init(struct known *known, const struct rhm_layer *layer, struct rhm_error *err)
{
    size_t U = layer->tally.patches.n, width = layer->directions.width;
    const double *point = rhm_layer_points(layer);
    known->row = rhm_array(U, sizeof *known->row, "the clusters", err);
    known->point = rhm_array(U * width, sizeof *known->point, "the clusters", err);
    known->weight = rhm_array(U, sizeof *known->weight, "the clusters", err);
    known->noise = rhm_array(U, sizeof *known->noise, "the clusters", err);
    if (known->row == NULL || known->point == NULL || known->weight == NULL || known->noise == NULL)
        return RHM_EMEMORY;
    for (size_t i = 0; i < U; i++) {
        if (layer->unknown[i])
            continue;
        known->row[known->n] = i;
        known->weight[known->n] = (double)rhm_tally_patch_count(&layer->tally, i);
        known->noise[known->n] =
            rhm_directions_noise(&layer->directions, layer->output + i * layer->tally.C, point + i * width);
        memcpy(known->point + known->n * width, point + i * width, width * sizeof(double));
        known->n++;
    }
    return RHM_OK;
}

/* ------------------------------------------------------------- linkage */

static _Thread_local const double *weight_for_sort; /* qsort passes no context */

static int heavier_first(const void *a, const void *b)
{
    size_t i = *(const size_t *)a, j = *(const size_t *)b;
    if (weight_for_sort[i] != weight_for_sort[j])
        return weight_for_sort[i] > weight_for_sort[j] ? -1 : 1;
    return i < j ? -1 : i > j;
}

/* How much higher than noise a merge must be to join two parents. Both linkages find structure in noise too.
 * On data sets of grammars (8,4,2,3), 3,000 to 100,000 strings, average linkage found the number of parents
 * with margins of 1.1 to 1.3 in 93 to 100 % of the layers of 40, and with 1.5 in 84 to 100 %; Ward's, whose
 * heights are those of centroids, with .5 to .85 in all layers of 21, with 1 in 95 to 100 %, 1.2 in 76 to
 * 100 %. The largest relative jump of heights, tried first, did in 16 to 91 %. */
static const double noise_margin[] = {[RHM_LINKAGE_AVERAGE] = 1.2, [RHM_LINKAGE_WARD] = 0.85};

/* What is cut: points with their weights and noise, and how. */
struct cloud {
    enum rhm_linkage linkage;
    size_t n, width;
    const double *point, *weight, *noise;
};

/* The number of clusters where the grammar is unknown: as many as there can be (`most`), less the ones that
 * would only split a parent. The last merge before k - 1 clusters joins two parts a and b; two parts of one
 * parent are apart by what their counts explain, h^2 = v_a + v_b with v the mean of noise/n_mu over a
 * part. Where every merge looks like noise the samples are too few to tell, and `most` it is. */
static enum rhm_status choose_clusters(const struct rhm_dendrogram *tree, const struct cloud *x, size_t most,
                                       size_t *k, struct rhm_error *err)
{
    size_t n = tree->n;
    double *spread = rhm_array(2 * n, sizeof *spread, "the clusters", err); /* by node: sum of n_mu v_mu */
    double *mass = rhm_array(2 * n, sizeof *mass, "the clusters", err);
    if (spread == NULL || mass == NULL) {
        free(spread);
        free(mass);
        return RHM_EMEMORY;
    }
    for (size_t i = 0; i < n; i++) {
        spread[i] = fmax(1e-18, x->noise[i]);
        mass[i] = x->weight[i];
    }
    *k = most < n ? most : n;
    size_t found = 0;
    for (size_t j = 0; j + 1 < n; j++) {
        size_t a = tree->left[j], b = tree->right[j], clusters = n - j; /* before this merge */
        spread[n + j] = spread[a] + spread[b];
        mass[n + j] = mass[a] + mass[b];
        double noise = sqrt(spread[a] / mass[a] + spread[b] / mass[b]);
        double apart = tree->height[j];
        if (x->linkage == RHM_LINKAGE_WARD) /* of the centroids */
            apart *= sqrt(1 / mass[a] + 1 / mass[b]);
        if (found == 0 && clusters <= *k && apart > noise_margin[x->linkage] * noise)
            found = clusters;
    }
    if (found > 0)
        *k = found;
    free(spread);
    free(mass);
    return RHM_OK;
}

/* Cuts the cloud; order (n) gets the leaves from left to right. */
static enum rhm_status link_and_cut(const struct cloud *x, size_t expected, size_t most, size_t *k,
                                    size_t *cluster, size_t *order, rhm_poll_function *poll, void *context,
                                    struct rhm_error *err)
{
    struct rhm_dendrogram tree;
    enum rhm_status status =
        rhm_dendrogram_build(&tree, x->linkage, x->n, x->width, x->point, x->weight, poll, context, err);
    if (status != RHM_OK)
        return status;
    *k = expected < x->n ? expected : x->n;
    if (expected == 0)
        status = choose_clusters(&tree, x, most, k, err);
    if (status == RHM_OK)
        status = rhm_dendrogram_cut(&tree, *k, cluster, err);
    if (status == RHM_OK)
        status = rhm_dendrogram_order(&tree, order, err);
    rhm_dendrogram_clear(&tree);
    return status;
}

/* Many patches: the dendrogram of the most frequent ones, then the nearest centroid for each of all. */
static enum rhm_status cut_large(const struct cloud *all, size_t expected, size_t most, size_t *k,
                                 size_t *cluster, rhm_poll_function *poll, void *context,
                                 struct rhm_error *err)
{
    size_t n = RHM_LINKAGE_MOST, width = all->width;
    size_t *by_weight = rhm_array(all->n, sizeof *by_weight, "the clusters", err);
    size_t *some = rhm_array(n, sizeof *some, "the clusters", err),
           *order = rhm_array(n, sizeof *order, "the clusters", err);
    double *point = rhm_array(n * width, sizeof *point, "the clusters", err);
    double *weight = rhm_array(n, sizeof *weight, "the clusters", err);
    double *noise = rhm_array(n, sizeof *noise, "the clusters", err);
    struct rhm_clusters seeds = {0};
    enum rhm_status status = by_weight && some && order && point && weight && noise ? RHM_OK : RHM_EMEMORY;
    if (status == RHM_OK) {
        for (size_t i = 0; i < all->n; i++)
            by_weight[i] = i;
        weight_for_sort = all->weight;
        qsort(by_weight, all->n, sizeof *by_weight, heavier_first);
        for (size_t i = 0; i < n; i++) {
            memcpy(point + i * width, all->point + by_weight[i] * width, width * sizeof *point);
            weight[i] = all->weight[by_weight[i]];
            noise[i] = all->noise[by_weight[i]];
        }
        struct cloud heavy = {all->linkage, n, width, point, weight, noise};
        status = link_and_cut(&heavy, expected, most, k, some, order, poll, context, err);
    }
    if (status == RHM_OK)
        status = rhm_clusters_init(&seeds, n, width, point, weight, *k, some, poll, context, err);
    for (size_t i = 0; i < all->n && status == RHM_OK; i++) {
        cluster[i] = rhm_clusters_nearest(&seeds, all->point + i * width);
        if (i % 1024 == 0)
            status = rhm_poll(poll, context, err);
    }
    rhm_clusters_clear(&seeds);
    free(by_weight);
    free(some);
    free(order);
    free(point);
    free(weight);
    free(noise);
    return status;
}

/* Numbers 0..k-1 without gaps: a cluster that lost all its members to a nearer centroid goes. */
static enum rhm_status close_gaps(size_t n, size_t *cluster, size_t *k, struct rhm_error *err)
{
    size_t *renamed = rhm_array(*k, sizeof *renamed, "the clusters", err);
    if (renamed == NULL)
        return RHM_EMEMORY;
    for (size_t i = 0; i < n; i++)
        renamed[cluster[i]] = 1;
    size_t used = 0;
    for (size_t c = 0; c < *k; c++)
        if (renamed[c])
            renamed[c] = used++;
    for (size_t i = 0; i < n; i++)
        cluster[i] = renamed[cluster[i]];
    *k = used;
    free(renamed);
    return RHM_OK;
}

/* Rows by cluster, within a cluster as `leaf` has them (known rows); unknown rows last. */
static void fill_order(struct rhm_layer *layer, const struct known *known, const size_t *leaf, size_t k)
{
    size_t at = 0, U = layer->tally.patches.n;
    for (size_t c = 0; c < k; c++)
        for (size_t i = 0; i < known->n; i++) {
            size_t row = known->row[leaf ? leaf[i] : i];
            if (layer->cluster[row] == c)
                layer->order[at++] = row;
        }
    for (size_t row = 0; row < U; row++)
        if (layer->unknown[row])
            layer->order[at++] = row;
}

enum rhm_status rhm_layer_find_clusters(struct rhm_layer *layer, size_t expected, size_t most,
                                        rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    size_t U = layer->tally.patches.n, width = layer->directions.width, k = 0;
    struct known known = {0};
    enum rhm_status status = known_init(&known, layer, err);
    size_t *cluster = rhm_array(U, sizeof *cluster, "the clusters", err);
    size_t *leaf = rhm_array(U, sizeof *leaf, "the clusters", err);
    layer->cluster = rhm_array(U, sizeof *layer->cluster, "the clusters", err);
    layer->order = rhm_array(U, sizeof *layer->order, "the clusters", err);
    if (cluster == NULL || leaf == NULL || layer->cluster == NULL || layer->order == NULL)
        status = RHM_EMEMORY;
    int large = known.n > RHM_LINKAGE_MOST;
    if (status == RHM_OK && known.n == 0)
        status =
            rhm_fail(err, RHM_ENUMERIC,
                     "layer %u: no patch has a positive sum of outputs: raise n, M or steps, or lower lambda",
                     layer->level);
    struct cloud cloud = {layer->linkage, known.n, width, known.point, known.weight, known.noise};
    if (status == RHM_OK && large)
        status = cut_large(&cloud, expected, most, &k, cluster, poll, context, err);
    else if (status == RHM_OK)
        status = link_and_cut(&cloud, expected, most, &k, cluster, leaf, poll, context, err);
    /* Ward's merges are never undone: the clusters settle to a smaller sum of squares */
    if (status == RHM_OK && !large && layer->linkage == RHM_LINKAGE_WARD)
        status =
            rhm_clusters_settle(known.n, width, known.point, known.weight, k, cluster, poll, context, err);
    if (status == RHM_OK)
        status = close_gaps(known.n, cluster, &k, err);
    if (status == RHM_OK)
        status = rhm_clusters_init(&layer->clusters, known.n, width, known.point, known.weight, k, cluster,
                                   poll, context, err);
    if (status == RHM_OK) {
        layer->parents_expected = expected > 0 ? expected : k;
        layer->parents_known = expected > 0;
        for (size_t row = 0; row < U; row++)
            layer->cluster[row] = k;
        for (size_t i = 0; i < known.n; i++)
            layer->cluster[known.row[i]] = cluster[i];
        fill_order(layer, &known, large ? NULL : leaf, k);
    }
    known_clear(&known);
    free(cluster);
    free(leaf);
    return status;
}

/* ------------------------------------------------------------ codebook */

/* The most frequent true parent among the patches of each code. */
static enum rhm_status vote_parents(struct rhm_layer *layer, size_t parents, const uint32_t *code,
                                    struct rhm_error *err)
{
    size_t K = layer->codebook.K, U = layer->tally.patches.n;
    layer->code_parent = rhm_array(K, sizeof *layer->code_parent, "the codebook", err);
    double *best = rhm_array(K, sizeof *best, "the codebook", err);
    if (layer->code_parent == NULL || best == NULL) {
        free(best);
        return RHM_EMEMORY;
    }
    layer->code_parents = K;
    for (size_t c = 0; c < K; c++)
        layer->code_parent[c] = RHM_NO_PARENT;
    if (layer->keeps_patches) {
        for (size_t row = 0; row < U; row++)
            if (code[row] != layer->unknown_code)
                layer->code_parent[code[row]] = layer->parent[row];
        free(best);
        return RHM_OK;
    }
    double *votes = rhm_array(K * parents, sizeof *votes, "the codebook", err);
    if (votes == NULL) {
        free(best);
        return RHM_EMEMORY;
    }
    for (size_t row = 0; row < U; row++)
        if (layer->parent[row] != RHM_NO_PARENT && code[row] != layer->unknown_code)
            votes[code[row] * parents + layer->parent[row]] +=
                (double)rhm_tally_patch_count(&layer->tally, row);
    for (size_t c = 0; c < K; c++)
        for (size_t nu = 0; nu < parents; nu++)
            if (votes[c * parents + nu] > best[c]) {
                best[c] = votes[c * parents + nu];
                layer->code_parent[c] = (uint32_t)nu;
            }
    free(votes);
    free(best);
    return RHM_OK;
}

enum rhm_status rhm_layer_make_codebook(struct rhm_layer *layer, size_t parents, struct rhm_error *err)
{
    size_t U = layer->tally.patches.n, C = layer->tally.C, s = layer->tally.patches.s;
    size_t width = layer->directions.width;
    const double *point = rhm_layer_points(layer);
    uint32_t *code = rhm_array(U, sizeof *code, "the codebook", err);
    double *nothing = rhm_array(C + width, sizeof *nothing, "the codebook", err); /* as output, as point */
    enum rhm_status status =
        code && nothing ? rhm_codebook_init(&layer->codebook, s, width, err) : RHM_EMEMORY;
    uint32_t number;
    for (size_t c = 0; c < layer->clusters.k && !layer->keeps_patches && status == RHM_OK; c++)
        status = rhm_codebook_add(&layer->codebook, layer->clusters.centroid + c * width, &number, err);
    for (size_t row = 0; row < U && status == RHM_OK; row++) {
        if (layer->unknown[row])
            continue;
        if (layer->keeps_patches)
            status = rhm_codebook_add(&layer->codebook, point + row * width, &code[row], err);
        else
            code[row] = (uint32_t)layer->cluster[row];
    }
    if (status == RHM_OK) {
        for (size_t c = 0; c < C; c++)
            nothing[c] = 1.0 / (double)C;
        rhm_directions_points(&layer->directions, 1, nothing, nothing + C);
        status = rhm_codebook_add(&layer->codebook, nothing + C, &layer->unknown_code, err);
    }
    for (size_t row = 0; row < U && status == RHM_OK; row++) {
        if (layer->unknown[row])
            code[row] = layer->unknown_code;
        status =
            rhm_codebook_map(&layer->codebook, rhm_tuples_row(&layer->tally.patches, row), code[row], err);
    }
    if (status == RHM_OK)
        status = vote_parents(layer, parents, code, err);
    free(code);
    free(nothing);
    return status;
}
