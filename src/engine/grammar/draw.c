/* draw.c - rules drawn at random: the uniform ensemble and the latin one. See grammar.h. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/base/rng.h"
#include "engine/grammar/rules.h"

/* The numbers of one level's rules while they are drawn. */
struct level {
    size_t k;                  /* rules: parents * m */
    uint64_t tuples;           /* V^s */
    uint64_t *number;          /* k: by rule */
    struct rhm_number_set set; /* those that are taken */
    struct rhm_rng rng;
};

static void level_clear(struct level *level)
{
    free(level->number);
    free(level->set.slot);
}

static enum rhm_status level_init(struct level *level, const struct rhm_grammar *g, unsigned l,
                                  struct rhm_error *err)
{
    *level = (struct level){.k = (size_t)rhm_grammar_parents(g, l) * g->m,
                            .tuples = rhm_power(g->V, rhm_grammar_s(g, l)),
                            .rng = rhm_rng_start(g->seed, RHM_STREAM_GRAMMAR + l, g->ensemble)};
    enum rhm_status status = rhm_number_set_init(&level->set, level->k, err);
    if (status == RHM_OK)
        level->number = rhm_array(level->k, sizeof *level->number, "the drawn tuples", err);
    return level->number ? RHM_OK : RHM_EMEMORY;
}

static void level_write(const struct level *level, struct rhm_grammar *g, unsigned l)
{
    unsigned s = rhm_grammar_s(g, l);
    for (size_t i = 0; i < level->k; i++)
        rhm_tuple_write(g->rules + g->level[l] + i * s, level->number[i], g->V, s);
}

static void shuffle_numbers(uint64_t *number, size_t k, struct rhm_rng *rng)
{
    for (size_t i = k; i > 1; i--) {
        size_t j = (size_t)rhm_rng_below(rng, i);
        uint64_t keep = number[i - 1];
        number[i - 1] = number[j];
        number[j] = keep;
    }
}

/* k = m*parents of the V^s tuples without replacement, in random order. Floyd (Bentley and Floyd 1987) draws
 * the subset in O(k) for any V^s; the shuffle makes which parent gets which tuple uniform. */
static void draw_uniform(struct level *level)
{
    for (size_t i = 0; i < level->k; i++) {
        uint64_t last = level->tuples - level->k + i, t = rhm_rng_below(&level->rng, last + 1);
        if (!rhm_number_set_insert(&level->set, t)) {
            t = last;
            rhm_number_set_insert(&level->set, last);
        }
        level->number[i] = t;
    }
    shuffle_numbers(level->number, level->k, &level->rng);
}

/* ----------------------------------------------------------------- latin */

/* The number of the tuple (first, middle..., last) whose sum is nu mod V; middle: the number of s - 2
 * symbols. */
static uint64_t latin_number(const struct rhm_grammar *g, unsigned s, unsigned nu, unsigned first,
                             uint64_t middle)
{
    uint64_t sum = first, rest = middle, middles = rhm_power(g->V, s - 2);
    for (unsigned j = 0; j < s - 2; j++, rest /= g->V)
        sum += rest % g->V;
    uint64_t last = ((uint64_t)nu + (uint64_t)s * g->V - sum % g->V) % g->V;
    return (first * middles + middle) * g->V + last;
}

/* The m rules of each parent: m/V of the V^(s-2) for each first symbol, by Floyd, in random order. Tuples of
 * different parents differ in their sum, so that the level is unambiguous. */
static void draw_latin(struct level *level, const struct rhm_grammar *g, unsigned l)
{
    unsigned each = g->m / g->V, s = rhm_grammar_s(g, l);
    uint64_t middles = rhm_power(g->V, s - 2);
    for (unsigned nu = 0; nu < rhm_grammar_parents(g, l); nu++) {
        uint64_t *rule = level->number + (size_t)nu * g->m;
        for (unsigned first = 0; first < g->V; first++)
            for (unsigned i = 0; i < each; i++) {
                uint64_t most = middles - each + i;
                uint64_t t = latin_number(g, s, nu, first, rhm_rng_below(&level->rng, most + 1));
                if (!rhm_number_set_insert(&level->set, t)) {
                    t = latin_number(g, s, nu, first, most);
                    rhm_number_set_insert(&level->set, t);
                }
                rule[(size_t)first * each + i] = t;
            }
        shuffle_numbers(rule, g->m, &level->rng);
    }
}

/* A share of the rules, chosen at random, get tuples drawn anew from all those that the others leave free: at
 * 1 this is the uniform ensemble. The chosen are the front of one random order, so that a larger share of
 * the same seed changes more of the same rules. */
static enum rhm_status reassign(struct level *level, double share, struct rhm_error *err)
{
    size_t chosen = (size_t)floor(share * (double)level->k + 0.5);
    if (chosen == 0)
        return RHM_OK;
    size_t *order = rhm_array(level->k, sizeof *order, "the order of rules", err);
    if (order == NULL)
        return RHM_EMEMORY;
    for (size_t i = 0; i < level->k; i++)
        order[i] = i;
    for (size_t i = 0; i < chosen; i++) {
        size_t j = i + (size_t)rhm_rng_below(&level->rng, level->k - i), keep = order[i];
        order[i] = order[j];
        order[j] = keep;
    }
    free(level->set.slot);
    enum rhm_status status = rhm_number_set_init(&level->set, level->k, err);
    for (size_t i = chosen; i < level->k && status == RHM_OK; i++)
        rhm_number_set_insert(&level->set, level->number[order[i]]);
    /* V^s >= k: at most V^s (log V^s + 1) tries where nearly all tuples are taken, else 2 a rule */
    for (size_t i = 0; i < chosen && status == RHM_OK; i++) {
        uint64_t t;
        do
            t = rhm_rng_below(&level->rng, level->tuples);
        while (!rhm_number_set_insert(&level->set, t));
        level->number[order[i]] = t;
    }
    free(order);
    return status;
}

enum rhm_status rhm_grammar_check_latin(const struct rhm_grammar_shape *shape, double shuffle,
                                        struct rhm_error *err)
{
    enum rhm_status status = rhm_grammar_check_shape(shape, err);
    if (status != RHM_OK)
        return status;
    int64_t classes = shape->classes == 0 ? shape->V : shape->classes;
    unsigned branch[RHM_MAX_LEVELS + 1], s = 63; /* the least of the levels is the tightest */
    rhm_branches_set(branch, (unsigned)shape->L, shape->s, shape->branch);
    for (unsigned l = 1; l <= shape->L; l++)
        s = branch[l] < s ? branch[l] : s;
    uint64_t most = rhm_power((uint64_t)shape->V, s - 1);
    if (shape->m % shape->V != 0)
        return rhm_fail(err, RHM_EARG,
                        "ensemble = 'latin': m = %" PRId64 " is no multiple of V = %" PRId64
                        ": each symbol must stand first equally often; take m = %" PRId64,
                        shape->m, shape->V, (shape->m / shape->V + 1) * shape->V);
    if ((uint64_t)shape->m > most)
        return rhm_fail(err, RHM_EARG,
                        "ensemble = 'latin': m = %" PRId64 " exceeds V^(s-1) = %" PRIu64
                        ", the tuples of one sum; lower m or raise s",
                        shape->m, most);
    if (classes > shape->V)
        return rhm_fail(err, RHM_EARG,
                        "ensemble = 'latin': classes = %" PRId64 " exceeds V = %" PRId64
                        ", the sums there are; lower classes or raise V",
                        classes, shape->V);
    if (!(shuffle >= 0 && shuffle <= 1))
        return rhm_fail(err, RHM_EARG, "shuffle = %g: must be from 0 to 1, the share of rules drawn anew",
                        shuffle);
    return RHM_OK;
}

/* ------------------------------------------------------------------ both */

static enum rhm_status draw_level(struct rhm_grammar *g, unsigned l, struct rhm_error *err)
{
    struct level level;
    enum rhm_status status = level_init(&level, g, l, err);
    if (status == RHM_OK && g->ensemble == RHM_ENSEMBLE_UNIFORM)
        draw_uniform(&level);
    if (status == RHM_OK && g->ensemble == RHM_ENSEMBLE_LATIN) {
        draw_latin(&level, g, l);
        status = reassign(&level, g->shuffle, err);
    }
    if (status == RHM_OK)
        level_write(&level, g, l);
    level_clear(&level);
    return status;
}

static enum rhm_status draw(struct rhm_grammar *g, const struct rhm_grammar_shape *shape,
                            enum rhm_ensemble ensemble, double shuffle, uint64_t seed, struct rhm_error *err)
{
    enum rhm_status status = rhm_grammar_set_shape(g, shape, err);
    g->seed = seed;
    g->seeded = 1;
    g->ensemble = ensemble;
    g->shuffle = shuffle;
    for (unsigned l = 1; status == RHM_OK && l <= g->L; l++)
        status = draw_level(g, l, err);
    if (status != RHM_OK)
        rhm_grammar_clear(g);
    return status;
}

enum rhm_status rhm_grammar_draw(struct rhm_grammar *g, const struct rhm_grammar_shape *shape, uint64_t seed,
                                 struct rhm_error *err)
{
    return draw(g, shape, RHM_ENSEMBLE_UNIFORM, 0, seed, err);
}

enum rhm_status rhm_grammar_draw_latin(struct rhm_grammar *g, const struct rhm_grammar_shape *shape,
                                       double shuffle, uint64_t seed, struct rhm_error *err)
{
    enum rhm_status status = rhm_grammar_check_latin(shape, shuffle, err);
    if (status != RHM_OK) {
        *g = (struct rhm_grammar){0};
        return status;
    }
    return draw(g, shape, RHM_ENSEMBLE_LATIN, shuffle, seed, err);
}
