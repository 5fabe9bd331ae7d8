/* sample.c - drawing strings. See sample.h.
 *
 * A sample is the label and then one rule a symbol, top down. Its random words: word w of sample i is half i
 * % 2 of Philox block w at counter i/2, so that two neighbours share their blocks and nothing else. A word x
 * stands for the fraction x/2^64; a draw below b takes the whole part of fraction*b and keeps the rest for
 * the next draw. A draw by an alias table (alias.h) is the same, and takes the next word as well where the
 * table cannot decide.
 */
#include "engine/grammar/sample.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/rng.h"
#include "engine/grammar/alias.h"

/* ---------------------------------------------------------------- words */

/* How many draws one word pays for, by the limit on the product of their bounds. */
struct purse {
    unsigned first; /* rules after the label in the first word */
    unsigned rest;  /* rules in each later word */
};

static int is_power_of_two(uint64_t x)
{
    return (x & (x - 1)) == 0;
}

/* The largest k with m^k * start <= 2^bits. */
static unsigned draws_within(unsigned __int128 limit, uint64_t start, uint64_t m)
{
    if (m == 1)
        return UINT_MAX;
    unsigned k = 0;
    unsigned __int128 product = start;
    while (product * m <= limit) {
        product *= m;
        k++;
    }
    return k;
}

/* Words are used up where all bounds are powers of two, else for 2^32 of their 2^64 parts. */
static unsigned __int128 limit_of(int exact)
{
    return (unsigned __int128)1 << (exact ? 64 : 32);
}

static struct purse purse_of(const struct rhm_grammar *g)
{
    uint64_t label = g->prior_alias ? UINT64_C(1) << g->prior_alias->spend : g->classes;
    uint64_t rule = g->alias ? UINT64_C(1) << g->alias->spend : g->m;
    int exact = is_power_of_two(label) && is_power_of_two(rule);
    /* uniform grammars: the same limit for all words, so that their strings stay what they were */
    return (struct purse){draws_within(limit_of(exact), label, rule),
                          draws_within(limit_of(g->alias ? 1 : exact), 1, rule)};
}

/* The loops are compiled twice, for uniform rules and for weighted ones, and without calls. */
#define ALL_INLINE static inline __attribute__((always_inline))
#define NOT_INLINE static __attribute__((noinline))

#define WORDS_AHEAD 256

/* The words of two neighbouring samples. */
struct words {
    uint64_t seed, pair;
    uint32_t stream;
    uint32_t ahead; /* words of each held */
    uint64_t word[2][WORDS_AHEAD];
};

static inline void words_start(struct words *w, uint64_t seed, uint32_t stream, uint64_t pair, uint32_t ahead)
{
    w->seed = seed;
    w->pair = pair;
    w->stream = stream;
    w->ahead = ahead < WORDS_AHEAD ? ahead : WORDS_AHEAD;
    for (uint32_t k = 0; k < w->ahead; k++) {
        uint64_t block[2];
        rhm_rng_block(seed, stream, pair, k, block);
        w->word[0][k] = block[0];
        w->word[1][k] = block[1];
    }
}

/* Out of the loops, whose registers it would take. */
NOT_INLINE uint64_t words_make(const struct words *w, unsigned half, uint32_t k)
{
    uint64_t block[2];
    rhm_rng_block(w->seed, w->stream, w->pair, k, block);
    return block[half];
}

static inline uint64_t words_get(const struct words *w, unsigned half, uint32_t k)
{
    return k < w->ahead ? w->word[half][k] : words_make(w, half, k);
}

/* One sample being drawn. */
struct draw {
    const struct words *words;
    unsigned half;
    uint32_t next;     /* word */
    uint64_t fraction; /* what is left of the word in hand */
    unsigned left;     /* rules it still pays for */
};

static inline unsigned take(uint64_t *fraction, unsigned bound)
{
    unsigned __int128 product = (unsigned __int128)*fraction * bound;
    *fraction = (uint64_t)product;
    return (unsigned)(product >> 64);
}

ALL_INLINE unsigned take_weighted(struct draw *d, const struct rhm_alias *alias, size_t law)
{
    int undecided;
    unsigned k = rhm_alias_draw(alias, law, &d->fraction, &undecided);
    if (__builtin_expect(undecided, 0))
        k = rhm_alias_decide(alias, law, k, words_get(d->words, d->half, d->next++));
    return k;
}

ALL_INLINE unsigned draw_label(struct draw *d, const struct words *words, unsigned half, struct purse purse,
                               const struct rhm_grammar *g)
{
    *d = (struct draw){.words = words, .half = half, .next = 1, .left = purse.first};
    d->fraction = words_get(words, half, 0);
    return g->prior_alias ? take_weighted(d, g->prior_alias, 0) : take(&d->fraction, g->classes);
}

/* The number of a rule of a parent, which is the `parent`-th of all levels (weighted only: g->alias is
 * there). */
ALL_INLINE unsigned draw_rule(struct draw *d, struct purse purse, const struct rhm_grammar *g, size_t parent,
                              int weighted)
{
    if (d->left == 0) {
        d->fraction = words_get(d->words, d->half, d->next++);
        d->left = purse.rest;
    }
    d->left--;
    return weighted ? take_weighted(d, g->alias, parent) : take(&d->fraction, g->m);
}

/* Words that a sample with this many rules needs. */
static uint32_t words_needed(struct purse purse, uint64_t rules)
{
    if (rules <= purse.first)
        return 1;
    uint64_t more = (rules - purse.first + purse.rest - 1) / purse.rest;
    return more < WORDS_AHEAD ? (uint32_t)more + 1 : WORDS_AHEAD;
}

/* -------------------------------------------------------------- strings */

/* Rewrites the `width` level-(l-1) symbols at the front of `symbol` by their children, in place: from the
 * end, so that a symbol is read before its place is written. */
ALL_INLINE size_t expand(const struct rhm_grammar *g, unsigned l, size_t s, size_t width, uint16_t *symbol,
                         struct draw *d, struct purse purse, int weighted)
{
    const uint16_t *rules = g->rules + g->level[l];
    size_t first = rhm_grammar_first_parent(g, l), m = g->m;
    for (size_t i = width; i-- > 0;) {
        unsigned k = draw_rule(d, purse, g, first + symbol[i], weighted);
        const uint16_t *child = rules + (symbol[i] * m + k) * s;
        for (size_t j = 0; j < s; j++)
            symbol[i * s + j] = child[j];
    }
    return width * s;
}

/* One string, or what stands under its first level-(top-1) symbol. Returns the label. */
ALL_INLINE uint16_t draw_string(const struct rhm_grammar *g, unsigned top, uint16_t *symbol,
                                const struct words *words, unsigned half, struct purse purse, int weighted)
{
    struct draw d;
    unsigned label = draw_label(&d, words, half, purse, g);
    unsigned nu = label;
    for (unsigned l = 1; l < top; l++) {
        size_t parent = rhm_grammar_first_parent(g, l) + nu;
        nu = rhm_grammar_rule(g, l, nu, draw_rule(&d, purse, g, parent, weighted))[0];
    }
    symbol[0] = (uint16_t)nu;
    size_t width = 1;
    for (unsigned l = top; l <= g->L; l++) { /* constant s: the copy of a rule becomes one move */
        unsigned s = rhm_grammar_s(g, l);
        if (s == 2)
            width = expand(g, l, 2, width, symbol, &d, purse, weighted);
        else if (s == 3)
            width = expand(g, l, 3, width, symbol, &d, purse, weighted);
        else if (s == 4)
            width = expand(g, l, 4, width, symbol, &d, purse, weighted);
        else
            width = expand(g, l, s, width, symbol, &d, purse, weighted);
    }
    return (uint16_t)label;
}

/* What noise makes of sample i of a stream: its label first, then its tokens. */
static inline void disturb(const struct rhm_grammar *g, uint32_t stream, uint64_t seed, uint64_t i,
                           size_t width, uint16_t *tokens, uint16_t *label)
{
    struct rhm_rng rng = rhm_rng_start(seed, RHM_STREAM_NOISE + (stream & 0xff), i);
    if (g->label_noise > 0 && rhm_rng_uniform(&rng) < g->label_noise)
        *label = (uint16_t)rhm_rng_below(&rng, g->classes);
    for (size_t j = 0; j < width && g->token_noise > 0; j++)
        if (rhm_rng_uniform(&rng) < g->token_noise)
            tokens[j] = (uint16_t)rhm_rng_below(&rng, g->V);
}

static void draw_strings(const struct rhm_grammar *g, unsigned top, uint32_t stream, uint64_t seed,
                         uint64_t first, size_t n, uint16_t *tokens, uint16_t *labels)
{
    struct purse purse = purse_of(g);
    size_t width = (size_t)rhm_grammar_span(g, top);
    uint64_t rules = top - 1;
    for (unsigned l = top; l <= g->L; l++)
        rules += rhm_places(g->branch, top, l - 1);
    uint32_t ahead = words_needed(purse, rules);
    uint64_t first_pair = first / 2, last = first + n;
    int64_t pairs = (int64_t)((last + 1) / 2 - first_pair);
    int noisy = g->label_noise > 0 || g->token_noise > 0;
#pragma omp parallel for schedule(static)
    for (int64_t p = 0; p < pairs; p++) {
        struct words words;
        uint64_t pair = first_pair + (uint64_t)p;
        words_start(&words, seed, stream, pair, ahead);
        for (unsigned half = 0; half < 2; half++) {
            uint64_t i = 2 * pair + half;
            if (i < first || i >= last)
                continue;
            uint16_t *own = tokens + (i - first) * width;
            labels[i - first] = g->alias ? draw_string(g, top, own, &words, half, purse, 1)
                                         : draw_string(g, top, own, &words, half, purse, 0);
            if (noisy)
                disturb(g, stream, seed, i, width, own, &labels[i - first]);
        }
    }
}

void rhm_sample_strings(const struct rhm_grammar *g, uint64_t seed, uint64_t first, size_t n,
                        uint16_t *tokens, uint16_t *labels)
{
    if (n > 0)
        draw_strings(g, 1, RHM_STREAM_STRINGS, seed, first, n, tokens, labels);
}

void rhm_sample_subtrees(const struct rhm_grammar *g, unsigned l, uint64_t seed, uint64_t first, size_t n,
                         uint16_t *tokens, uint16_t *labels)
{
    if (n > 0)
        draw_strings(g, l, RHM_STREAM_SUBTREE + l, seed, first, n, tokens, labels);
}

void rhm_sample_whole(const struct rhm_grammar *g, unsigned l, uint64_t seed, uint64_t first, size_t n,
                      uint16_t *tokens, uint16_t *labels)
{
    if (n > 0)
        draw_strings(g, 1, RHM_STREAM_WHOLE + l, seed, first, n, tokens, labels);
}

enum rhm_status rhm_sample_dataset(const struct rhm_grammar *g, uint64_t seed, size_t n,
                                   struct rhm_dataset *data, struct rhm_error *err)
{
    enum rhm_status status =
        rhm_memory_check(((double)g->d + 1) * (double)n * sizeof(uint16_t), "the data set of whole strings",
                         "lower n (training from the grammar needs no strings)", err);
    if (status == RHM_OK)
        status = rhm_dataset_init(data, n, (size_t)g->d, g->V, g->classes, err);
    if (status == RHM_OK)
        rhm_sample_strings(g, seed, 0, n, data->tokens, data->labels);
    return status;
}

/* --------------------------------------------------------------- counts */

/* For each level and rule, its first child: the only one that a path to the first patch reads. */
static uint16_t *first_children(const struct rhm_grammar *g, struct rhm_error *err)
{
    uint16_t *first = rhm_array(g->first_rule[g->L + 1], sizeof *first, "the table of first children", err);
    for (unsigned l = 1; first && l <= g->L; l++)
        for (size_t r = g->first_rule[l]; r < g->first_rule[l + 1]; r++)
            first[r] = g->rules[g->level[l] + (r - g->first_rule[l]) * rhm_grammar_s(g, l)];
    return first;
}

/* The rule at level L of one sample and its label: (nu*m + k)*classes + label. */
ALL_INLINE size_t draw_cell(const struct rhm_grammar *g, const uint16_t *first, const struct words *words,
                            unsigned half, struct purse purse, int weighted)
{
    struct draw d;
    unsigned label = draw_label(&d, words, half, purse, g);
    size_t nu = label, m = g->m, above = 0; /* parents of the levels above */
    for (unsigned l = 1; l < g->L; l++) {
        size_t parent = above + nu;
        nu = first[parent * m + draw_rule(&d, purse, g, parent, weighted)];
        above += rhm_grammar_parents(g, l);
    }
    return (nu * m + draw_rule(&d, purse, g, above + nu, weighted)) * g->classes + label;
}

/* The same where one word pays for the whole path, all uniform: the usual case, and the hot loop of layer L.
 */
static inline size_t draw_cell_of_word(const struct rhm_grammar *g, const uint16_t *child, uint64_t word)
{
    size_t label = take(&word, g->classes), nu = label, m = g->m, parents = g->classes;
    for (unsigned l = 1; l < g->L; l++) {
        size_t next = child[nu * m + take(&word, g->m)];
        child += parents * m;
        parents = g->V;
        nu = next;
    }
    return (nu * m + take(&word, g->m)) * g->classes + label;
}

/* The cells of the two samples of a pair. */
static inline void draw_cells(const struct rhm_grammar *g, const uint16_t *child, struct purse purse,
                              uint32_t ahead, uint64_t seed, uint64_t pair, size_t cell[2])
{
    uint32_t stream = RHM_STREAM_SUBTREE + g->L;
    if (g->L <= purse.first && !g->alias && !g->prior_alias) {
        uint64_t word[2];
        rhm_rng_block(seed, stream, pair, 0, word);
        cell[0] = draw_cell_of_word(g, child, word[0]);
        cell[1] = draw_cell_of_word(g, child, word[1]);
        return;
    }
    struct words words;
    words_start(&words, seed, stream, pair, ahead);
    for (unsigned half = 0; half < 2; half++)
        cell[half] = g->alias ? draw_cell(g, child, &words, half, purse, 1)
                              : draw_cell(g, child, &words, half, purse, 0);
}

/* Tables up to this many counters get a copy for each thread; larger ones are shared by atomic adds. */
#define PRIVATE_COUNTERS (1u << 20)

enum rhm_status rhm_sample_count(const struct rhm_grammar *g, uint64_t seed, uint64_t first, uint64_t n,
                                 uint64_t *count, struct rhm_error *err)
{
    struct purse purse = purse_of(g);
    uint32_t ahead = words_needed(purse, g->L);
    size_t cells = (size_t)rhm_grammar_parents(g, g->L) * g->m * g->classes;
    int shared = cells > PRIVATE_COUNTERS;
    uint16_t *child = first_children(g, err);
    if (child == NULL)
        return RHM_EMEMORY;
    uint64_t first_pair = first / 2, last = first + n;
    int64_t pairs = n > 0 ? (int64_t)((last + 1) / 2 - first_pair) : 0;
    int failed = 0;
#pragma omp parallel
    {
        uint64_t *mine = shared ? count : calloc(cells, sizeof *mine);
        if (mine == NULL) {
#pragma omp atomic write
            failed = 1;
        }
#pragma omp for schedule(static)
        for (int64_t p = 0; p < pairs; p++) {
            if (mine == NULL)
                continue;
            uint64_t pair = first_pair + (uint64_t)p;
            size_t cell[2];
            draw_cells(g, child, purse, ahead, seed, pair, cell);
            for (unsigned half = 0; half < 2; half++) {
                uint64_t i = 2 * pair + half;
                if (i < first || i >= last)
                    continue;
                if (g->label_noise > 0) {
                    uint16_t label = (uint16_t)(cell[half] % g->classes);
                    cell[half] -= label;
                    disturb(g, RHM_STREAM_SUBTREE + g->L, seed, i, 0, NULL, &label);
                    cell[half] += label;
                }
                if (shared) {
#pragma omp atomic
                    count[cell[half]]++;
                } else {
                    mine[cell[half]]++;
                }
            }
        }
        if (!shared && mine != NULL) {
#pragma omp critical(rhm_sample_count)
            for (size_t c = 0; c < cells; c++)
                count[c] += mine[c];
            free(mine);
        }
    }
    free(child);
    return failed ? rhm_fail(err, RHM_EMEMORY, "the system has no memory left for the counters of %zu cells",
                             cells)
                  : RHM_OK;
}
