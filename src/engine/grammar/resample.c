/* resample.c - see resample.h. */
#include "engine/grammar/resample.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/rng.h"
#include "engine/grammar/alias.h"
#include "engine/grammar/inverse.h"

/* Tokens drawn between two looks at the poll. */
#define BLOCK ((size_t)1 << 20)

struct work {
    const struct rhm_grammar *g;
    unsigned l;
    enum rhm_resample kind;
    size_t width;                                   /* tokens under one symbol of level l - 1 */
    struct rhm_inverse inverse[RHM_MAX_LEVELS + 1]; /* levels l..L, with RULES */
};

static void work_clear(struct work *w)
{
    for (unsigned l = 1; l <= RHM_MAX_LEVELS; l++)
        rhm_inverse_clear(&w->inverse[l]);
}

static enum rhm_status work_init(struct work *w, struct rhm_error *err)
{
    enum rhm_status status = RHM_OK;
    for (unsigned l = w->l; l <= w->g->L && w->kind == RHM_RESAMPLE_RULES && status == RHM_OK; l++)
        status = rhm_inverse_init(&w->inverse[l], w->g, l, err);
    return status;
}

/* The symbol of level l - 1 above the tokens, or RHM_NO_PARENT. room: width symbols. */
static unsigned parent_of(const struct work *w, const uint16_t *tokens, uint16_t *room)
{
    const struct rhm_grammar *g = w->g;
    memcpy(room, tokens, w->width * sizeof *room);
    size_t width = w->width;
    for (unsigned l = g->L; l >= w->l; l--) {
        unsigned s = rhm_grammar_s(g, l);
        width /= s;
        for (size_t i = 0; i < width; i++) {
            uint32_t tuple[64];
            for (unsigned j = 0; j < s; j++)
                tuple[j] = room[i * s + j];
            size_t rule = rhm_tuples_find(&w->inverse[l].rules, tuple);
            if (rule == SIZE_MAX)
                return RHM_NO_PARENT;
            room[i] = (uint16_t)(rule / g->m);
        }
    }
    return room[0];
}

static unsigned draw_rule(const struct rhm_grammar *g, unsigned l, unsigned nu, struct rhm_rng *rng)
{
    if (g->alias == NULL)
        return (unsigned)rhm_rng_below(rng, g->m);
    size_t parent = rhm_grammar_first_parent(g, l) + nu;
    uint64_t word = rhm_rng_u64(rng);
    int undecided;
    unsigned k = rhm_alias_draw(g->alias, parent, &word, &undecided);
    return undecided ? rhm_alias_decide(g->alias, parent, k, rhm_rng_u64(rng)) : k;
}

/* The tokens under a symbol, drawn in their place: from the end, as in sample.c. */
static void draw_below(const struct work *w, unsigned symbol, uint16_t *tokens, struct rhm_rng *rng)
{
    const struct rhm_grammar *g = w->g;
    size_t width = 1;
    tokens[0] = (uint16_t)symbol;
    for (unsigned l = w->l; l <= g->L; l++) {
        unsigned s = rhm_grammar_s(g, l);
        for (size_t i = width; i-- > 0;) {
            const uint16_t *child = rhm_grammar_rule(g, l, tokens[i], draw_rule(g, l, tokens[i], rng));
            memcpy(tokens + i * s, child, s * sizeof *child);
        }
        width *= s;
    }
}

/* One string at places from..to-1; 0 where it is none of the grammar's. */
static int redraw(const struct work *w, uint64_t from, uint64_t to, struct rhm_rng *rng, uint16_t *tokens,
                  uint16_t *label, uint16_t *room)
{
    for (uint64_t i = from; i < to; i++) {
        uint16_t *here = tokens + i * w->width;
        unsigned symbol = w->kind == RHM_RESAMPLE_RULES
                              ? parent_of(w, here, room)
                              : (unsigned)rhm_rng_below(rng, rhm_grammar_parents(w->g, w->l));
        if (symbol == RHM_NO_PARENT)
            return 0;
        if (w->l == 1 && w->kind == RHM_RESAMPLE_SYMBOL)
            *label = (uint16_t)symbol;
        draw_below(w, symbol, here, rng);
    }
    return 1;
}

/* Strings at..end-1; the first that fails becomes *bad. */
static enum rhm_status redraw_block(const struct work *w, uint64_t from, uint64_t to, uint64_t seed,
                                    uint64_t first, size_t at, size_t end, uint16_t *tokens, uint16_t *labels,
                                    size_t *bad, struct rhm_error *err)
{
    size_t d = (size_t)w->g->d;
    int failed = 0;
#pragma omp parallel
    {
        uint16_t *room = malloc(w->width * sizeof *room);
        if (room == NULL) {
#pragma omp atomic write
            failed = 1;
        }
#pragma omp for schedule(static)
        for (size_t k = at; k < end; k++) {
            struct rhm_rng rng = rhm_rng_start(seed, RHM_STREAM_RESAMPLE + w->l, first + k);
            if (room == NULL || redraw(w, from, to, &rng, tokens + k * d, &labels[k], room))
                continue;
#pragma omp critical(rhm_resample)
            *bad = k < *bad ? k : *bad;
        }
        free(room);
    }
    return failed ? rhm_fail(err, RHM_EMEMORY, "the system has no memory left to draw parts of strings anew")
                  : RHM_OK;
}

enum rhm_status rhm_resample(const struct rhm_grammar *g, unsigned l, uint64_t i, enum rhm_resample kind,
                             uint64_t seed, uint64_t first, size_t n, uint16_t *tokens, uint16_t *labels,
                             rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    if (l < 1 || l > g->L)
        return rhm_fail(err, RHM_EARG, "level %u: must be 1..%u (L)", l, g->L);
    uint64_t places = rhm_grammar_places(g, l);
    if (i != RHM_EVERY_PLACE && i >= places)
        return rhm_fail(err, RHM_EARG, "place %" PRIu64 ": level %u has patches 1..%" PRIu64, i + 1, l,
                        places);
    struct work w = {.g = g, .l = l, .kind = kind, .width = (size_t)(g->d / places)};
    uint64_t from = i == RHM_EVERY_PLACE ? 0 : i, to = i == RHM_EVERY_PLACE ? places : i + 1;
    size_t block = BLOCK / (size_t)(g->d < BLOCK ? g->d : BLOCK), bad = SIZE_MAX;
    enum rhm_status status = work_init(&w, err);
    for (size_t at = 0; at < n && status == RHM_OK && bad == SIZE_MAX; at += block) {
        size_t end = n - at < block ? n : at + block;
        status = redraw_block(&w, from, to, seed, first, at, end, tokens, labels, &bad, err);
        if (status == RHM_OK)
            status = rhm_poll(poll, context, err);
    }
    work_clear(&w);
    if (status == RHM_OK && bad != SIZE_MAX)
        status =
            rhm_fail(err, RHM_EARG,
                     "string %" PRIu64 " is no string of the grammar: only those have rules to draw anew "
                     "(kind = 'symbol' needs none%s)",
                     first + bad + 1, g->token_noise > 0 ? "; the grammar's strings have token noise" : "");
    return status;
}
