/* dataset_split.c - train and test halves, in a random order, with or without strings in common. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/rng.h"
#include "engine/data/dataset.h"

static uint64_t hash_tokens(const uint16_t *tokens, size_t d)
{
    uint64_t hash = 0x9e3779b97f4a7c15u ^ d;
    for (size_t i = 0; i < d; i++) {
        hash = (hash ^ tokens[i]) * 0xff51afd7ed558ccdu;
        hash ^= hash >> 32;
    }
    return hash;
}

/* group[i] = the first string that has the same tokens as string i; size[i] = how many share it, counted at
 * the first one. An open table of string numbers + 1, at most half full. */
static enum rhm_status find_groups(const struct rhm_dataset *data, size_t *group, size_t *size,
                                   size_t *groups, struct rhm_error *err)
{
    size_t slots = 2;
    while (slots < 2 * data->n)
        slots *= 2;
    size_t *table = rhm_array(slots, sizeof *table, "the table of distinct strings", err);
    if (table == NULL)
        return RHM_EMEMORY;
    *groups = 0;
    for (size_t i = 0; i < data->n; i++) {
        const uint16_t *own = data->tokens + i * data->d;
        size_t slot = hash_tokens(own, data->d) & (slots - 1);
        while (table[slot] != 0 &&
               memcmp(own, data->tokens + (table[slot] - 1) * data->d, data->d * sizeof *own) != 0)
            slot = (slot + 1) & (slots - 1);
        if (table[slot] == 0) {
            table[slot] = i + 1;
            ++*groups;
        }
        group[i] = table[slot] - 1;
        size[group[i]]++;
    }
    free(table);
    return RHM_OK;
}

static void shuffle(size_t *order, size_t n, uint64_t seed)
{
    struct rhm_rng rng = rhm_rng_start(seed, RHM_STREAM_SPLIT, 0);
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)rhm_rng_below(&rng, i);
        size_t other = order[j];
        order[j] = order[i - 1];
        order[i - 1] = other;
    }
}

/* Goes through the strings in their random order and gives each group, when it is met first, to train as long
 * as it fits into `wanted`. side[g] becomes 1 (train) or 2 (test). Returns how many strings train has. */
static size_t choose_sides(const size_t *order, const size_t *group, const size_t *size, size_t n,
                           size_t wanted, unsigned char *side)
{
    size_t taken = 0, smallest_left = n; /* n: no group was left to test */
    for (size_t k = 0; k < n; k++) {
        size_t g = group[order[k]];
        if (side[g] != 0)
            continue;
        if (size[g] <= wanted - taken) {
            side[g] = 1;
            taken += size[g];
        } else {
            side[g] = 2;
            if (smallest_left == n || size[g] < size[smallest_left])
                smallest_left = g;
        }
    }
    /* One more group where that comes nearer, or where train would be empty; test must keep one. */
    if (smallest_left < n && taken + size[smallest_left] < n &&
        (taken == 0 || taken + size[smallest_left] - wanted < wanted - taken)) {
        side[smallest_left] = 1;
        taken += size[smallest_left];
    }
    return taken;
}

static void copy_side(const struct rhm_dataset *data, const size_t *order, const size_t *group,
                      const unsigned char *side, unsigned char which, struct rhm_dataset *out)
{
    size_t row = 0;
    for (size_t k = 0; k < data->n; k++) {
        size_t i = order[k];
        if (side[group[i]] != which)
            continue;
        memcpy(out->tokens + row * data->d, data->tokens + i * data->d, data->d * sizeof *data->tokens);
        out->labels[row++] = data->labels[i];
    }
}

enum rhm_status rhm_dataset_split(const struct rhm_dataset *data, double fraction, int disjoint,
                                  uint64_t seed, struct rhm_dataset *train, struct rhm_dataset *test,
                                  struct rhm_error *err)
{
    *train = *test = (struct rhm_dataset){0};
    if (!(fraction > 0 && fraction < 1))
        return rhm_fail(err, RHM_EARG, "fraction = %g: must lie between 0 and 1, both excluded", fraction);
    size_t n = data->n;
    if (n < 2)
        return rhm_fail(err, RHM_EARG, "a data set of %zu string%s cannot be split: it takes 2 or more", n,
                        n == 1 ? "" : "s");
    size_t wanted = (size_t)floor(fraction * (double)n + 0.5);
    wanted = wanted < 1 ? 1 : wanted > n - 1 ? n - 1 : wanted;

    static const char what[] = "the split of a data set";
    enum rhm_status status =
        rhm_memory_check((double)n * (3 * sizeof(size_t) + 1) + 2.0 * (double)n * ((double)data->d + 1), what,
                         "split a smaller data set", err);
    if (status != RHM_OK)
        return status;
    status = RHM_EMEMORY;
    size_t *order = rhm_array(n, sizeof *order, what, err);
    size_t *group = order ? rhm_array(n, sizeof *group, what, err) : NULL;
    size_t *size = group ? rhm_array(n, sizeof *size, what, err) : NULL;
    unsigned char *side = size ? rhm_array(n, 1, what, err) : NULL;
    if (side == NULL)
        goto done;

    size_t groups = n;
    if (disjoint) {
        status = find_groups(data, group, size, &groups, err);
        if (status != RHM_OK)
            goto done;
    } else {
        for (size_t i = 0; i < n; i++) {
            group[i] = i;
            size[i] = 1;
        }
    }
    if (groups < 2) {
        status = rhm_fail(err, RHM_EARG,
                          "all %zu strings are equal: no split puts different strings on its two sides", n);
        goto done;
    }
    shuffle(order, n, seed);
    size_t taken = choose_sides(order, group, size, n, wanted, side);

    status = rhm_dataset_init(train, taken, data->d, data->V, data->classes, err);
    if (status == RHM_OK)
        status = rhm_dataset_init(test, n - taken, data->d, data->V, data->classes, err);
    if (status != RHM_OK) {
        rhm_dataset_clear(train);
        goto done;
    }
    copy_side(data, order, group, side, 1, train);
    copy_side(data, order, group, side, 2, test);

done:
    free(order);
    free(group);
    free(size);
    free(side);
    return status;
}
