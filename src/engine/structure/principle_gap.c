/* principle_gap.c - (iii) of the three conditions: the smallest distance of two symbols' q. See principle.h.
 */
#include <math.h>
#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/structure/principle.h"

/* A parent's label shares: q as counted, and smooth with one string of shares added. */
struct parents {
    size_t C;
    double *n, *q, *smooth, *trace, *square; /* P, P x C, P x C, tr Sigma, tr Sigma^2 */
};

static void fill_parent(const struct parents *p, size_t nu, const double *all)
{
    double *q = p->q + nu * p->C, *smooth = p->smooth + nu * p->C, two = 0, three = 0;
    for (size_t c = 0; c < p->C; c++) {
        smooth[c] = (q[c] + all[c]) / (p->n[nu] + 1);
        q[c] /= p->n[nu];
        two += smooth[c] * smooth[c];
        three += smooth[c] * smooth[c] * smooth[c];
    }
    p->trace[nu] = 1 - two;
    p->square[nu] = two - 2 * three + two * two;
}

/* tr Sigma_a Sigma_b, Sigma = diag(q) - q q^T of the smooth shares. */
static double cross(const struct parents *p, size_t a, size_t b)
{
    const double *x = p->smooth + a * p->C, *y = p->smooth + b * p->C;
    double xy = 0, more = 0;
    for (size_t c = 0; c < p->C; c++) {
        xy += x[c] * y[c];
        more += x[c] * y[c] * (x[c] + y[c]);
    }
    return xy - more + xy * xy;
}

/* The quantile z of chi-square with f >= 1 degrees (Wilson and Hilferty 1931; within 5 % at f = 1). */
static double chi_square_quantile(double f, double z)
{
    double root = 1 - 2 / (9 * f) + z * sqrt(2 / (9 * f));
    return f * root * root * root;
}

struct pair {
    double value, low, high;
};

static struct pair look_at(const struct parents *p, size_t a, size_t b, double z)
{
    double square = 0, trace = p->trace[a] / p->n[a] + p->trace[b] / p->n[b],
           trace2 = p->square[a] / (p->n[a] * p->n[a]) + p->square[b] / (p->n[b] * p->n[b]) +
                    2 * cross(p, a, b) / (p->n[a] * p->n[b]);
    for (size_t c = 0; c < p->C; c++) {
        double d = p->q[a * p->C + c] - p->q[b * p->C + c];
        square += d * d;
    }
    double distance = sqrt(square), r = 0;
    if (trace2 > 0)
        r = sqrt(trace2 / trace * chi_square_quantile(trace * trace / trace2, z));
    return (struct pair){sqrt(fmax(square - trace, 0)), fmax(distance - r, 0), fmin(distance + r, sqrt(2))};
}

static enum rhm_status look_at_pairs(const struct parents *p, unsigned parents, double alpha,
                                     struct rhm_principle_level *out, rhm_poll_function *poll, void *context,
                                     struct rhm_error *err)
{
    double pairs = out->seen * (out->seen - 1.0) / 2, z = rhm_normal_quantile(alpha / fmax(pairs, 1));
    out->unresolved = 0;
    out->gap = (struct rhm_interval){NAN, NAN, NAN};
    if (out->seen < 2)
        return RHM_OK;
    out->gap = (struct rhm_interval){INFINITY, INFINITY, INFINITY};
    for (unsigned a = 0; a < parents; a++) {
        for (unsigned b = a + 1; b < parents; b++) {
            if (!out->is_seen[a] || !out->is_seen[b])
                continue;
            struct pair pair = look_at(p, a, b, z);
            if (pair.value < out->gap.value) {
                out->gap.value = pair.value;
                out->a = a;
                out->b = b;
            }
            out->gap.low = fmin(out->gap.low, pair.low);
            out->gap.high = fmin(out->gap.high, pair.high);
            out->unresolved += pair.low == 0;
        }
        enum rhm_status status = rhm_poll(poll, context, err);
        if (status != RHM_OK)
            return status;
    }
    return RHM_OK;
}

enum rhm_status rhm_principle_gap(const struct rhm_principle_input *in, double alpha, int B_alone,
                                  struct rhm_principle_level *out, rhm_poll_function *poll, void *context,
                                  struct rhm_error *err)
{
    size_t P = in->parents, C = in->classes;
    out->parents = in->parents;
    if (P > RHM_PRINCIPLE_PARENTS)
        return rhm_fail(err, RHM_EARG, "%zu symbols: the gap is that of all pairs, of %d symbols at most", P,
                        RHM_PRINCIPLE_PARENTS);
    out->is_seen = rhm_array(P, 1, "the parents", err);
    double *room = out->is_seen ? rhm_array(P * (2 * C + 3) + C, sizeof *room, "the parents", err) : NULL;
    if (room == NULL)
        return RHM_EMEMORY;
    struct parents p = {.C = C,
                        .n = room,
                        .trace = room + P,
                        .square = room + 2 * P,
                        .q = room + 3 * P,
                        .smooth = room + 3 * P + P * C};
    double *all = room + 3 * P + 2 * P * C, total = 0;
    for (size_t i = 0; i < in->n; i++) {
        if (B_alone && !in->half[i])
            continue;
        size_t nu = in->parent[i * in->parent_stride];
        p.q[nu * C + in->label[i]]++;
        p.n[nu]++;
        all[in->label[i]]++;
        total++;
    }
    for (size_t c = 0; c < C && total > 0; c++)
        all[c] /= total;
    out->seen = 0;
    for (size_t nu = 0; nu < P; nu++)
        if (p.n[nu] > 0) {
            fill_parent(&p, nu, all);
            out->is_seen[nu] = 1;
            out->seen++;
        }
    enum rhm_status status = look_at_pairs(&p, in->parents, alpha, out, poll, context, err);
    free(room);
    return status;
}
