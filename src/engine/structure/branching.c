/* branching.c - see branching.h. */
#include "engine/structure/branching.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/rng.h"
#include "engine/grammar/grammar.h"
#include "engine/structure/branching_block.h"
#include "engine/structure/dependence.h"

#define LEAST_STRINGS 100
#define SPREAD        0.12 /* of log score from grammar to grammar, at least; measured: */
#define SPREAD_FEW    0.84 /* / (V - 1) by tokens */
#define SPREAD_LABEL  2.0  /* / (V - 1) by labels */
#define EVEN_PAIRS    0.1  /* every pair of a block has this share of the mean phi^2 at least, */
#define EVEN_BLOCK    0.3  /* and this where the block is all there is */
#define ORDERLESS     0.8  /* coherence of all pairs and their transposes from which the order is none */
#define NULL_DRAWS    48
#define TABLE_CELLS   ((size_t)1 << 22)

/* What the pairs of neighbours say at one level, by tokens or by labels. */
struct neighbours {
    int by_labels;
    struct rhm_phi *phi; /* places - 1 */
    double noise;        /* standard deviation of one phi^2 under the null */
    double z;
};

static double normal_below(double z)
{
    return 0.5 * erfc(-z / sqrt(2));
}

/* ------------------------------------------------------------ neighbours */

/* The null: neighbours, one of them (or the labels) taken from other strings. */
static enum rhm_status measure_null(const struct rhm_branching_work *w, struct neighbours *of,
                                    struct rhm_error *err)
{
    struct rhm_pair pair[NULL_DRAWS];
    struct rhm_phi phi[NULL_DRAWS];
    size_t first[NULL_DRAWS + 1], pairs = w->codes.places - 1;
    struct rhm_rng rng = rhm_rng_start(w->seed, RHM_STREAM_BRANCHING + w->depth, of->by_labels ? 1 : 0);
    for (size_t k = 0; k < NULL_DRAWS; k++) {
        size_t p = pairs <= NULL_DRAWS ? k % pairs : k * pairs / NULL_DRAWS;
        pair[k] = (struct rhm_pair){p, p + 1, 1 + (size_t)rhm_rng_below(&rng, w->codes.n - 1), 0};
        first[k] = k;
    }
    first[NULL_DRAWS] = NULL_DRAWS;
    enum rhm_status status = rhm_branching_measure(w, of->by_labels, NULL_DRAWS, first, pair, phi, err);
    if (status != RHM_OK)
        return status;
    double square = 0;
    for (size_t k = 0; k < NULL_DRAWS; k++)
        square += phi[k].value * phi[k].value;
    of->noise = fmax(sqrt(square / NULL_DRAWS), 1e-12); /* the mean is 0 */
    return RHM_OK;
}

static enum rhm_status look_at_neighbours(const struct rhm_branching_work *w, struct neighbours *of,
                                          struct rhm_error *err)
{
    size_t pairs = w->codes.places - 1;
    struct rhm_pair *pair = rhm_array(pairs, sizeof *pair, "the pairs of places", err);
    size_t *first = rhm_array(pairs + 1, sizeof *first, "the pairs of places", err);
    of->phi = rhm_array(pairs, sizeof *of->phi, "the pairs of places", err);
    enum rhm_status status = pair && first && of->phi ? RHM_OK : RHM_EMEMORY;
    for (size_t p = 0; p < pairs && status == RHM_OK; p++) {
        pair[p] = (struct rhm_pair){.a = p, .b = p + 1};
        first[p + 1] = p + 1;
    }
    double sum = 0;
    if (status == RHM_OK)
        status = rhm_branching_measure(w, of->by_labels, pairs, first, pair, of->phi, err);
    if (status == RHM_OK)
        status = measure_null(w, of, err);
    for (size_t p = 0; p < pairs && status == RHM_OK; p++)
        sum += of->phi[p].value;
    of->z = sum / (of->noise * sqrt((double)pairs));
    free(pair);
    free(first);
    return status;
}

/* ------------------------------------------------------------ candidates */

struct mean {
    double value, error;
    size_t n;
};

/* The mean of phi^2 over the pairs at places j, j + s, ... */
static struct mean mean_of(const struct neighbours *of, size_t pairs, size_t s, size_t j)
{
    struct mean mean = {0, 0, 0};
    for (size_t p = j; p < pairs; p += s, mean.n++) {
        mean.value += of->phi[p].value;
        mean.error += fmax(of->phi[p].variance, of->noise * of->noise);
    }
    if (mean.n > 0) {
        mean.value /= (double)mean.n;
        mean.error = sqrt(mean.error) / (double)mean.n;
    }
    return mean;
}

/* phi^2 of the tables of neighbours (j, j + 1) of all blocks, added up: s - 1 groups. */
static enum rhm_status pool(const struct rhm_branching_work *w, size_t s, struct rhm_phi *out,
                            struct rhm_error *err)
{
    size_t places = w->codes.places, at = 0;
    struct rhm_pair *pair = rhm_array(places, sizeof *pair, "the pairs of places", err);
    size_t *first = rhm_array(s, sizeof *first, "the pairs of places", err);
    enum rhm_status status = pair && first ? RHM_OK : RHM_EMEMORY;
    for (size_t j = 0; j + 1 < s && status == RHM_OK; j++) {
        for (size_t p = j; p + 1 < places; p += s)
            pair[at++] = (struct rhm_pair){.a = p, .b = p + 1};
        first[j + 1] = at;
    }
    if (status == RHM_OK)
        status = rhm_branching_measure(w, 0, s - 1, first, pair, out, err);
    free(pair);
    free(first);
    return status;
}

/* A cut into blocks of s, of which there are two or more. */
static enum rhm_status look_at_candidate(const struct rhm_branching_work *w, const struct neighbours *of,
                                         struct rhm_branching_candidate *c, struct rhm_error *err)
{
    size_t pairs = w->codes.places - 1, s = c->s;
    struct rhm_phi pooled[RHM_BRANCHING_MOST];
    if (!of->by_labels) {
        enum rhm_status status = pool(w, s, pooled, err);
        if (status != RHM_OK)
            return status;
    }
    struct mean border = mean_of(of, pairs, s, s - 1);
    double floor = 2 * of->noise / sqrt((double)border.n), below = fmax(border.value, floor);
    c->within = c->coherence = c->score = INFINITY;
    double relative = 0, weakest = INFINITY;
    for (size_t j = 0; j + 1 < s; j++) {
        struct mean within = mean_of(of, pairs, s, j);
        double coherence = of->by_labels ? 1 : fmin(1, pooled[j].value / fmax(within.value, of->noise));
        double score = within.value * coherence * fabs(coherence) / below;
        if (score < c->score) {
            c->score = score;
            relative = within.error / fmax(within.value, of->noise);
        }
        c->within = fmin(c->within, within.value);
        c->coherence = fmin(c->coherence, coherence);
        weakest = fmin(weakest, within.value / within.error);
    }
    c->border = border.value;
    double limit = of->by_labels ? RHM_BRANCHING_PASS_LABEL : RHM_BRANCHING_PASS;
    double few = (of->by_labels ? SPREAD_LABEL : SPREAD_FEW) / (w->data->V - 1), spread = fmax(SPREAD, few);
    double error = sqrt(5 * relative * relative + pow(border.error / below, 2) + spread * spread);
    c->passes = normal_below(log(fmax(c->score, 1e-6) / limit) / error);
    if (!(weakest >= RHM_BRANCHING_LEAST_Z))
        c->passes = fmin(c->passes, 0.4); /* too weak to be seen: no, but not surely so */
    if (of->by_labels)
        c->coherence = NAN;
    return RHM_OK;
}

/* ------------------------------------------------------------ one level */

/* The smallest cut that passes; level->s stays 0 where none does. */
static enum rhm_status cut(const struct rhm_branching_work *w, const struct neighbours *of,
                           struct rhm_branching_level *level, struct rhm_error *err)
{
    size_t places = w->codes.places;
    double doubt = 1; /* that no smaller one should have been taken */
    int composed = 0;
    enum rhm_status status = RHM_OK;
    level->by = of->by_labels ? RHM_BRANCHING_BY_LABELS : RHM_BRANCHING_BY_TOKENS;
    level->z = of->z;
    level->candidates = 0;
    unsigned found = 0;
    /* those above the one that is taken are for the reader, and left out where tables are large */
    for (unsigned s = 2; s <= RHM_BRANCHING_MOST && 2 * (size_t)s <= places && status == RHM_OK &&
                         !(found > 0 && w->codes.K > 64);
         s++) {
        if (places % s != 0)
            continue;
        struct rhm_branching_candidate *c = &level->candidate[level->candidates++];
        c->s = s;
        status = look_at_candidate(w, of, c, err);
        if (found > 0 || status != RHM_OK)
            continue;
        struct rhm_branching_block block = {1, 0};
        if (c->passes >= 0.5)
            status = rhm_branching_look_at_block(w, s, &block, err);
        if (status == RHM_OK && c->passes >= 0.5 && !block.composed &&
            (of->by_labels || block.even >= EVEN_PAIRS)) {
            found = s;
            level->confidence = doubt * c->passes;
        }
        composed |= block.composed;
        if (!block.composed) /* a cut of several levels says nothing against others */
            doubt *= 1 - c->passes;
    }
    level->reason = found ? RHM_BRANCHING_FOUND : composed ? RHM_BRANCHING_COMPOSED : RHM_BRANCHING_NO_BORDER;
    if (status != RHM_OK || found || of->by_labels || places > RHM_BRANCHING_MOST) {
        level->s = found;
        return status;
    }
    /* no cut: is the whole one block? */
    struct rhm_branching_block block;
    double orderless = 1, weakest = INFINITY, mean = 0;
    for (size_t p = 0; p + 1 < places; p++) {
        weakest = fmin(weakest, of->phi[p].value / of->noise);
        mean += of->phi[p].value / (double)(places - 1);
    }
    status = rhm_branching_look_at_block(w, places, &block, err);
    if (status == RHM_OK)
        status = rhm_branching_orderlessness(w, fmax(mean, of->noise), &orderless, err);
    struct rhm_branching_candidate *c = &level->candidate[level->candidates++];
    *c = (struct rhm_branching_candidate){
        .s = (unsigned)places, .score = NAN, .border = NAN, .coherence = NAN, .within = weakest * of->noise};
    if (weakest >= RHM_BRANCHING_LEAST_Z && block.even >= EVEN_BLOCK && orderless <= ORDERLESS &&
        !block.composed) {
        c->passes = 1;
        level->s = (unsigned)places;
        level->reason = RHM_BRANCHING_FOUND;
        level->confidence = doubt;
    } else if (orderless > ORDERLESS) {
        level->reason = RHM_BRANCHING_NO_ORDER;
    } else if (block.composed) {
        level->reason = RHM_BRANCHING_COMPOSED;
    }
    return status;
}

static enum rhm_status by(const struct rhm_branching_work *w, int by_labels,
                          struct rhm_branching_level *level, struct rhm_error *err)
{
    struct neighbours of = {.by_labels = by_labels};
    enum rhm_status status = look_at_neighbours(w, &of, err);
    if (status == RHM_OK && of.z >= RHM_BRANCHING_LEAST_Z) {
        status = cut(w, &of, level, err);
        if (level->s > 0 && level->confidence < RHM_BRANCHING_CONFIDENT)
            level->reason = RHM_BRANCHING_UNSURE;
    } else {
        level->z = of.z;
        level->reason = RHM_BRANCHING_INDEPENDENT;
    }
    free(of.phi);
    return status;
}

/* Fills a level; reason says whether it was found. */
static enum rhm_status look_at_level(const struct rhm_branching_work *w, struct rhm_branching_level *level,
                                     struct rhm_error *err)
{
    level->places = w->codes.places;
    level->codes = w->codes.K;
    if (w->depth > 0 && rhm_branching_is_prime(level->places)) {
        level->s = (unsigned)level->places;
        level->by = RHM_BRANCHING_BY_ARITHMETIC;
        level->confidence = 1;
        return RHM_OK;
    }
    if (w->codes.K > RHM_BRANCHING_CODES) {
        level->reason = RHM_BRANCHING_TOO_MANY;
        return RHM_OK;
    }
    enum rhm_status status = by(w, 0, level, err);
    /* one block of all places is the last resort, and not sure where labels see a cut in it */
    int open = level->reason != RHM_BRANCHING_FOUND || level->s == level->places;
    if (status == RHM_OK && open &&
        (double)w->codes.K * (double)w->codes.K * w->data->classes <= (double)TABLE_CELLS) {
        struct rhm_branching_level *other = rhm_array(1, sizeof *other, "the levels of the tree", err);
        if (other == NULL)
            return RHM_EMEMORY;
        other->places = level->places;
        other->codes = level->codes;
        status = by(w, 1, other, err);
        if (status == RHM_OK && other->reason == RHM_BRANCHING_FOUND) {
            if (level->reason == RHM_BRANCHING_FOUND)
                level->reason = RHM_BRANCHING_UNSURE; /* one block, or the labels' cut */
            else
                *level = *other;
        }
        free(other);
    }
    if (level->reason != RHM_BRANCHING_FOUND) {
        level->s = 0;
        level->by = RHM_BRANCHING_BY_NOTHING;
        level->confidence = 0;
    }
    return status;
}

/* ------------------------------------------------------------ all levels */

static enum rhm_status work_init(struct rhm_branching_work *w, struct rhm_error *err)
{
    const struct rhm_dataset *data = w->data;
    w->own = rhm_array(data->n * data->d, sizeof *w->own, "the codes of a level", err);
    if (w->own == NULL)
        return RHM_EMEMORY;
    for (size_t i = 0; i < data->n; i++)
        for (size_t j = 0; j < data->d; j++) {
            uint16_t token = data->tokens[i * data->d + j];
            w->own[j * data->n + i] = token < data->V ? token : RHM_NO_CODE_HERE;
        }
    w->codes = (struct rhm_places_codes){data->n, data->d, data->V, w->own};
    return RHM_OK;
}

/* What is left of the length as levels of the same s as all those below, where it is a power of it. */
static void assume(struct rhm_branching *b, size_t places)
{
    unsigned s = b->level[0].s;
    for (unsigned k = 0; k < b->established; k++)
        if (b->level[k].s != s)
            return;
    size_t rest = places;
    while (s > 1 && rest % s == 0)
        rest /= s;
    if (s < 2 || rest > 1)
        return;
    for (b->looked_at = b->established; places > 1; places /= s) {
        struct rhm_branching_level *level = &b->level[b->looked_at++];
        level->s = s;
        level->by = RHM_BRANCHING_BY_ASSUMPTION;
        level->places = places;
    }
}

static void conclude(struct rhm_branching *b)
{
    b->confidence = b->established > 0 ? 1 : 0;
    for (unsigned k = 0; k < b->established; k++)
        b->confidence *= b->level[k].confidence;
    uint64_t length = 1;
    for (unsigned k = 0; k < b->looked_at; k++)
        length *= b->level[k].s;
    if (length != b->d)
        return;
    b->L = b->looked_at;
    for (unsigned k = 0; k < b->L; k++)
        b->branch[b->L - k] = b->level[k].s;
}

enum rhm_status rhm_branching_infer(const struct rhm_dataset *data, uint64_t seed, struct rhm_branching *out,
                                    rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    *out = (struct rhm_branching){.d = data->d};
    if (data->n < LEAST_STRINGS)
        return rhm_fail(err, RHM_EARG, "%zu strings: the tree shows in %d or more, better in 10000", data->n,
                        LEAST_STRINGS);
    if (data->d < 2)
        return rhm_fail(err, RHM_EARG, "strings of %zu token: a tree has 2 or more", data->d);
    enum rhm_status status = rhm_memory_check(8.0 * (double)data->n * (double)data->d, "inferring the tree",
                                              "give fewer strings", err);
    if (status != RHM_OK)
        return status;
    struct rhm_branching_work w = {.data = data, .seed = seed, .poll = poll, .context = context};
    out->level = rhm_array(RHM_MAX_LEVELS + 1, sizeof *out->level, "the levels of the tree", err);
    status = out->level ? work_init(&w, err) : RHM_EMEMORY;
    while (status == RHM_OK && w.codes.places > 1) {
        struct rhm_branching_level *level = &out->level[out->looked_at++];
        status = look_at_level(&w, level, err);
        if (status != RHM_OK || level->s == 0)
            break;
        out->established++;
        if (level->s == w.codes.places)
            w.codes.places = 1;
        else
            status = rhm_branching_go_up(&w, level->s, err);
    }
    if (status == RHM_OK && w.codes.places > 1 && out->established > 0)
        assume(out, w.codes.places);
    free(w.own);
    if (status == RHM_OK)
        conclude(out);
    else
        rhm_branching_clear(out);
    return status;
}

void rhm_branching_clear(struct rhm_branching *b)
{
    free(b->level);
    *b = (struct rhm_branching){0};
}
