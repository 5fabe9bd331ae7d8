/* repeats.c - see repeats.h. */
#include "engine/layer/repeats.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

/* So many pairs or comparisons are enough: the noise of a sum of 2^17 products is below a percent of it. */
#define PAIRS_ENOUGH ((size_t)1 << 17)
#define LOOKS_ENOUGH 2e8

void rhm_repeats_init(struct rhm_repeats *r, size_t s)
{
    *r = (struct rhm_repeats){.s = s};
}

void rhm_repeats_clear(struct rhm_repeats *r)
{
    free(r->tuple);
    free(r->pair);
    *r = (struct rhm_repeats){0};
}

static enum rhm_status add(struct rhm_repeats *r, const uint32_t *tuple, size_t i, size_t j, uint32_t label,
                           struct rhm_error *err)
{
    if (r->n == r->room) {
        size_t room = r->room > 0 ? 2 * r->room : 256;
        uint32_t *grown = rhm_array_grow(r->tuple, room * r->s, sizeof *grown, "patches that repeat", err);
        if (grown == NULL)
            return RHM_EMEMORY;
        r->tuple = grown;
        struct rhm_repeat *pairs = rhm_array_grow(r->pair, room, sizeof *pairs, "patches that repeat", err);
        if (pairs == NULL)
            return RHM_EMEMORY;
        r->pair = pairs;
        r->room = room;
    }
    memcpy(r->tuple + r->n * r->s, tuple, r->s * sizeof *tuple);
    r->pair[r->n++] = (struct rhm_repeat){.place = {(uint32_t)i, (uint32_t)j}, .label = label};
    return RHM_OK;
}

enum rhm_status rhm_repeats_look(struct rhm_repeats *r, size_t places, const uint32_t *tuple, uint32_t label,
                                 struct rhm_error *err)
{
    size_t s = r->s;
    if (r->n >= PAIRS_ENOUGH || (double)r->strings * (double)places * (double)places > LOOKS_ENOUGH)
        return RHM_OK;
    enum rhm_status status = RHM_OK;
    for (size_t i = 0; i < places; i++)
        for (size_t j = i + 1; j < places && status == RHM_OK; j++)
            if (tuple[i * s] == tuple[j * s] && memcmp(tuple + i * s, tuple + j * s, s * sizeof *tuple) == 0)
                status = add(r, tuple + i * s, i, j, label, err);
    r->strings++;
    return status;
}

enum rhm_status rhm_repeats_noise(const struct rhm_repeats *r, const struct rhm_directions *directions,
                                  const struct rhm_tally *tally, uint64_t N, double *noise,
                                  rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    size_t PC = tally->C, C = directions->classes, width = directions->width;
    double *share = rhm_array(PC, sizeof *share, "patches that repeat", err), sum = 0;
    double *z = rhm_array(width, sizeof *z, "patches that repeat", err);
    enum rhm_status status = share && z ? RHM_OK : RHM_EMEMORY;
    for (size_t e = 0; e < r->n && status == RHM_OK; e++) {
        size_t row = rhm_tuples_find(&tally->patches, r->tuple + e * r->s);
        double count = (double)rhm_tally_patch_count(tally, row), product = 0;
        for (size_t j = 0; j < PC; j++)
            share[j] = (double)tally->count[row * PC + j] / count;
        rhm_directions_points(directions, 1, share, z);
        const double *a = directions->map + (r->pair[e].place[0] * C + r->pair[e].label) * width;
        const double *b = directions->map + (r->pair[e].place[1] * C + r->pair[e].label) * width;
        for (size_t k = 0; k < width; k++)
            product += (a[k] - z[k] - directions->offset[k]) * (b[k] - z[k] - directions->offset[k]);
        sum += 2 * product / count;
        status = rhm_poll(poll, context, err);
    }
    *noise = r->strings > 0 ? sum * (double)N / (double)r->strings : 0;
    free(share);
    free(z);
    return status;
}
