/* principle_stats.c - (i) and (ii) of the three conditions: what a patch, and what a layer, tells of the
 * label. See principle.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/tuples.h"
#include "engine/structure/principle.h"

double rhm_normal_quantile(double tail)
{
    double low = -40, high = 40;
    while (high - low > 1e-12) { /* erfc falls: bisection needs no start */
        double x = (low + high) / 2;
        if (0.5 * erfc(x / sqrt(2)) > tail)
            low = x;
        else
            high = x;
    }
    return (low + high) / 2;
}

#define POLL_STRINGS ((size_t)1 << 15) /* strings between two questions whether to go on */
#define POLL_GROUPS  ((size_t)1 << 13)

/* --------------------------------------------------------------- groups */

/* The strings in the order of their tuples: group g holds order[start[g]] .. order[start[g + 1] - 1]. */
struct groups {
    size_t n;
    size_t *start, *order;
};

static void groups_clear(struct groups *g)
{
    free(g->start);
    free(g->order);
}

static enum rhm_status groups_init(struct groups *g, const struct rhm_principle_input *in,
                                   rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    struct rhm_tuples tuples;
    *g = (struct groups){0};
    enum rhm_status status = rhm_tuples_init(&tuples, in->width, err);
    uint32_t *row = rhm_array(in->n, sizeof *row, "the patches of the strings", err);
    if (status == RHM_OK && row == NULL)
        status = RHM_EMEMORY;
    for (size_t i = 0; i < in->n && status == RHM_OK; i++) {
        size_t at;
        status = rhm_tuples_add(&tuples, in->tuple + i * in->stride, &at, err);
        row[i] = (uint32_t)at;
        if (i % POLL_STRINGS == POLL_STRINGS - 1 && status == RHM_OK)
            status = rhm_poll(poll, context, err);
    }
    if (status == RHM_OK) {
        g->n = tuples.n;
        g->start = rhm_array(g->n + 1, sizeof *g->start, "the groups of equal patches", err);
        g->order = g->start ? rhm_array(in->n, sizeof *g->order, "the groups of equal patches", err) : NULL;
        status = g->order ? RHM_OK : RHM_EMEMORY;
    }
    if (status == RHM_OK) {
        for (size_t i = 0; i < in->n; i++)
            g->start[row[i] + 1]++;
        for (size_t k = 0; k < g->n; k++)
            g->start[k + 1] += g->start[k];
        status = rhm_poll(poll, context, err);
    }
    if (status == RHM_OK) {
        for (size_t i = 0; i < in->n; i++) /* each start moves on to the next one */
            g->order[g->start[row[i]]++] = i;
        memmove(g->start + 1, g->start, g->n * sizeof *g->start);
        g->start[0] = 0;
    }
    free(row);
    rhm_tuples_clear(&tuples);
    if (status != RHM_OK) {
        groups_clear(g);
        *g = (struct groups){0};
    }
    return status;
}

/* Label counts of a group, by half: count[h * C + c]; total[h]. */
static void count_group(const struct rhm_principle_input *in, const struct groups *g, size_t k, double *count,
                        double total[2])
{
    size_t C = in->classes;
    memset(count, 0, 2 * C * sizeof *count);
    for (size_t j = g->start[k]; j < g->start[k + 1]; j++) {
        size_t i = g->order[j];
        count[(in->half[i] ? C : 0) + in->label[i]]++;
    }
    total[0] = total[1] = 0;
    for (size_t c = 0; c < C; c++) {
        total[0] += count[c];
        total[1] += count[C + c];
    }
}

/* The label shares q of the halves (2 x C) and their sizes; RHM_EARG where one is empty. */
static enum rhm_status count_halves(const struct rhm_principle_input *in, double *q, double n[2],
                                    struct rhm_error *err)
{
    size_t C = in->classes;
    n[0] = n[1] = 0;
    memset(q, 0, 2 * C * sizeof *q);
    for (size_t i = 0; i < in->n; i++) {
        q[(in->half[i] ? C : 0) + in->label[i]]++;
        n[in->half[i] != 0]++;
    }
    if (n[0] < 2 || n[1] < 2)
        return rhm_fail(err, RHM_EARG, "%zu strings with a label: each half needs 2 or more", in->n);
    for (size_t c = 0; c < C; c++) {
        q[c] /= n[0];
        q[C + c] /= n[1];
    }
    return RHM_OK;
}

static double dot(size_t C, const double *a, const double *b)
{
    double sum = 0;
    for (size_t c = 0; c < C; c++)
        sum += a[c] * b[c];
    return sum;
}

/* Room for counts, shares and some vectors of C numbers. */
static double *vectors(const struct rhm_principle_input *in, size_t count, struct rhm_error *err)
{
    return rhm_array(count * in->classes, sizeof(double), "the label counts of a patch", err);
}

/* ------------------------------------------------------- (i) correlation */

/* One half, h, looked at with the other's estimate a_mu of q_mu. r_i = <a_mu - a, e_label - q> of its
 * strings, v_i = |e_label - q|^2; their means are the covariance and the label's variance. */
struct side {
    const struct rhm_principle_input *in;
    const struct groups *g;
    unsigned h;
    const double *q, *n;  /* label shares 2 x C, sizes of the halves */
    double *count, *mean; /* 2 C; a: the mean of a_mu */
    rhm_poll_function *poll;
    void *context;
    struct rhm_error *err;
    enum rhm_status status; /* once it is not RHM_OK the sums are not whole */
};

/* Whether there is a group k, and nobody asked to stop. */
static int side_goes_on(struct side *x, size_t k)
{
    if (k % POLL_GROUPS == 0 && x->status == RHM_OK)
        x->status = rhm_poll(x->poll, x->context, x->err);
    return k < x->g->n && x->status == RHM_OK;
}

/* Group k: a_mu - a of this half's strings, NULL where it has none; their label counts. */
static double *side_group(const struct side *x, size_t k, const double **here, double *total)
{
    size_t C = x->in->classes;
    const double *q_there = x->q + (1 - x->h) * C;
    double totals[2], *a = x->count + (1 - x->h) * C;
    count_group(x->in, x->g, k, x->count, totals);
    *here = x->count + x->h * C;
    *total = totals[x->h];
    if (*total == 0)
        return NULL;
    for (size_t c = 0; c < C; c++)
        a[c] = (totals[1 - x->h] > 0 ? a[c] / totals[1 - x->h] : q_there[c]) - x->mean[c];
    return a;
}

/* a_mu - a becomes r of each label. */
static void side_terms(const struct side *x, double *a)
{
    size_t C = x->in->classes;
    double level = dot(C, a, x->q + x->h * C);
    for (size_t c = 0; c < C; c++)
        a[c] -= level;
}

/* The mean of r. */
static double side_covariance(struct side *x)
{
    size_t C = x->in->classes;
    const double *here;
    double total, sum = 0;
    for (size_t k = 0; side_goes_on(x, k); k++) {
        double *r = side_group(x, k, &here, &total);
        if (r == NULL)
            continue;
        side_terms(x, r);
        sum += dot(C, here, r);
    }
    return sum / x->n[x->h];
}

/* a: the groups' a_mu are taken from 0. */
static void side_mean(struct side *x, double *mean)
{
    size_t C = x->in->classes;
    const double *here;
    double total;
    memset(mean, 0, C * sizeof *mean);
    x->mean = mean + C; /* zeros */
    memset(x->mean, 0, C * sizeof *mean);
    for (size_t k = 0; side_goes_on(x, k); k++) {
        const double *a = side_group(x, k, &here, &total);
        for (size_t c = 0; a && c < C; c++)
            mean[c] += total / x->n[x->h] * a[c];
    }
    x->mean = mean;
}

/* The share of this half in the squared error of eta^2 times the label's variance. A string of this half
 * moves the covariance of both ways, and the variance: by r - |q_mu - q|^2/2 - eta^2 v/2. For |q_mu - q|^2
 * stands the mean of the group's other r. */
static double side_error2(struct side *x, double eta2)
{
    size_t C = x->in->classes;
    const double *here, *q = x->q + x->h * C;
    double total, sum = 0, squares = 0, qq = dot(C, q, q), n = x->n[x->h];
    for (size_t k = 0; side_goes_on(x, k); k++) {
        double *r = side_group(x, k, &here, &total);
        if (r == NULL)
            continue;
        side_terms(x, r);
        double all = dot(C, here, r);
        for (size_t c = 0; c < C; c++) {
            double others = total > 1 ? (all - r[c]) / (total - 1) : 0,
                   t = r[c] - others / 2 - eta2 * (1 - 2 * q[c] + qq) / 2;
            sum += here[c] * t;
            squares += here[c] * t * t;
        }
    }
    return fmax(squares / n - sum / n * (sum / n), 0) / (n - 1);
}

enum rhm_status rhm_principle_correlation(const struct rhm_principle_input *in, double alpha, size_t *patches,
                                          struct rhm_interval *out, rhm_poll_function *poll, void *context,
                                          struct rhm_error *err)
{
    struct groups g;
    size_t C = in->classes;
    double n[2], *q = vectors(in, 7, err);
    *out = (struct rhm_interval){NAN, NAN, NAN};
    if (q == NULL)
        return RHM_EMEMORY;
    enum rhm_status status = count_halves(in, q, n, err);
    if (status == RHM_OK)
        status = groups_init(&g, in, poll, context, err);
    if (status == RHM_OK) {
        double covariance = 0, variance = 1 - (dot(C, q, q) + dot(C, q + C, q + C)) / 2, error2 = 0;
        struct side side[2];
        for (unsigned h = 0; h < 2; h++) {
            side[h] = (struct side){.in = in,
                                    .g = &g,
                                    .h = h,
                                    .q = q,
                                    .n = n,
                                    .count = q + 2 * C,
                                    .poll = poll,
                                    .context = context,
                                    .err = err};
            side_mean(&side[h], q + 4 * C + h * C); /* the second's zeros stand behind it */
            covariance += side_covariance(&side[h]) / 2;
        }
        double eta2 = covariance / variance;
        for (unsigned h = 0; h < 2 && variance > 0; h++)
            error2 += side_error2(&side[h], eta2);
        double wide = rhm_normal_quantile(alpha / 2) * sqrt(error2) / variance;
        status = side[0].status != RHM_OK ? side[0].status : side[1].status;
        if (variance > 0 && status == RHM_OK)
            *out = (struct rhm_interval){sqrt(fmin(fmax(eta2, 0), 1)), sqrt(fmin(fmax(eta2 - wide, 0), 1)),
                                         sqrt(fmin(fmax(eta2 + wide, 0), 1))};
        *patches = g.n;
        groups_clear(&g);
    }
    free(q);
    return status;
}

/* ------------------------------------------------------ (ii) clean signal */

/* Sums over strings of v = |e - q|^2, q their half's label shares, and of the gains over it by the table of
 * their own half, v - |e - f|^2 (fit), and of the other half (held); squares and products of the gains. */
struct gains {
    double n, v, fit, held, fit2, both, held2;
};

/* Strings with the label counts `count`, which the tables of the two halves give own and other. */
static void add_gains(struct gains *x, size_t C, const double *count, const double *q, const double *own,
                      const double *other)
{
    double qq = dot(C, q, q), oo = dot(C, own, own), tt = dot(C, other, other);
    for (size_t c = 0; c < C; c++) {
        double v = 1 - 2 * q[c] + qq, fit = v - (1 - 2 * own[c] + oo), held = v - (1 - 2 * other[c] + tt);
        x->n += count[c];
        x->v += count[c] * v;
        x->fit += count[c] * fit;
        x->held += count[c] * held;
        x->fit2 += count[c] * fit * fit;
        x->both += count[c] * fit * held;
        x->held2 += count[c] * held * held;
    }
}

/* held/fit, a ratio of means over the same strings; nan where the layer explains nothing even of its own. */
static struct rhm_interval clean_of(const struct gains *x, double alpha)
{
    if (!(x->fit > 1e-14 * x->n))
        return (struct rhm_interval){NAN, NAN, NAN};
    double clean = x->held / x->fit, squares = x->held2 - 2 * clean * x->both + clean * clean * x->fit2,
           wide = rhm_normal_quantile(alpha / 2) * sqrt(fmax(squares, 0) * x->n / fmax(x->n - 1, 1)) / x->fit;
    return (struct rhm_interval){clean, clean - wide, clean + wide};
}

/* The outputs of one half's table on the other half's strings: in all and, by parent, sums; for the leak. */
struct spread {
    double *sum, *weight; /* parents x C, parents; owned */
    double *mean;         /* C; owned */
    double squares, all;
};

static void spread_clear(struct spread *s)
{
    free(s->sum);
    free(s->weight);
    free(s->mean);
}

static enum rhm_status spread_init(struct spread *s, const struct rhm_principle_input *in,
                                   struct rhm_error *err)
{
    *s = (struct spread){0};
    s->sum = rhm_array((size_t)in->parents * in->classes, sizeof *s->sum, "the outputs by parent", err);
    s->weight = s->sum ? rhm_array(in->parents, sizeof *s->weight, "the outputs by parent", err) : NULL;
    s->mean = s->weight ? vectors(in, 1, err) : NULL;
    if (s->mean == NULL) {
        spread_clear(s);
        *s = (struct spread){0};
        return RHM_EMEMORY;
    }
    return RHM_OK;
}

static void spread_add(struct spread *s, size_t C, uint32_t parent, double weight, const double *f)
{
    for (size_t c = 0; c < C; c++) {
        s->sum[parent * C + c] += weight * f[c];
        s->mean[c] += weight * f[c];
    }
    s->weight[parent] += weight;
    s->squares += weight * dot(C, f, f);
    s->all += weight;
}

/* Adds the sums of squares within parents and in all. */
static void spread_sums(const struct spread *s, const struct rhm_principle_input *in, double *within,
                        double *all)
{
    size_t C = in->classes;
    double between = 0;
    for (unsigned p = 0; p < in->parents; p++)
        if (s->weight[p] > 0)
            between += dot(C, s->sum + p * C, s->sum + p * C) / s->weight[p];
    if (s->all > 0) {
        *within += fmax(s->squares - between, 0);
        *all += fmax(s->squares - dot(C, s->mean, s->mean) / s->all, 0);
    }
}

/* Label shares of a group in half h; those of the half where it has none. */
static void table_of(size_t C, const double *count, double total, const double *q, double *f)
{
    for (size_t c = 0; c < C; c++)
        f[c] = total > 0 ? count[c] / total : q[c];
}

enum rhm_status rhm_principle_layer(const struct rhm_principle_input *in, double alpha, int B_alone,
                                    struct rhm_principle_layer *out, rhm_poll_function *poll, void *context,
                                    struct rhm_error *err)
{
    struct groups g = {0};
    struct spread spread[2] = {{0}};
    struct gains gains = {0};
    size_t C = in->classes;
    double n[2], within = 0, all = 0, *q = vectors(in, 6, err), *count = q ? q + 2 * C : NULL,
                 *f = q ? q + 4 * C : NULL;
    *out = (struct rhm_principle_layer){.fit = NAN, .held = NAN, .clean = {NAN, NAN, NAN}, .leak = NAN};
    if (q == NULL)
        return RHM_EMEMORY;
    enum rhm_status status = count_halves(in, q, n, err);
    if (status == RHM_OK)
        status = groups_init(&g, in, poll, context, err);
    for (unsigned h = 0; h < 2 && status == RHM_OK; h++)
        status = spread_init(&spread[h], in, err);
    for (size_t k = 0; k < g.n && status == RHM_OK; k++) {
        if (k % POLL_GROUPS == 0 && (status = rhm_poll(poll, context, err)) != RHM_OK)
            break;
        uint32_t parent = in->parent[g.order[g.start[k]] * in->parent_stride];
        double total[2];
        count_group(in, &g, k, count, total);
        for (unsigned h = 0; h < 2; h++)
            table_of(C, count + h * C, total[h], q + h * C, f + h * C);
        for (unsigned h = B_alone ? 1 : 0; h < 2; h++) {
            const double *own = f + h * C, *other = f + (1 - h) * C;
            add_gains(&gains, C, count + h * C, q + h * C, own, other);
            if (total[h] > 0)
                spread_add(&spread[h], C, parent, total[h], other);
        }
    }
    if (status == RHM_OK) {
        out->inputs = g.n;
        if (gains.v > 0) {
            out->fit = gains.fit / gains.v;
            out->held = gains.held / gains.v;
        }
        out->clean = clean_of(&gains, alpha);
        for (unsigned h = 0; h < 2; h++)
            spread_sums(&spread[h], in, &within, &all);
        out->leak = all > 1e-14 * (double)in->n ? fmin(within / all, 1) : NAN;
    }
    for (unsigned h = 0; h < 2; h++)
        spread_clear(&spread[h]);
    groups_clear(&g);
    free(q);
    return status;
}
