/* signal.c - exact q, gaps, schedules. See signal.h. */
#include "engine/grammar/signal.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

/* -------------------------------------------------------- joint tables */

/* Two buffers that hold P_{l-1} in turn, transposed: parents x classes, so that the loops over labels run
 * along memory. */
struct joint {
    double *now, *next;
};

static void joint_clear(struct joint *joint)
{
    free(joint->now);
    free(joint->next);
}

static enum rhm_status joint_init(struct joint *joint, const struct rhm_grammar *g, struct rhm_error *err)
{
    size_t widest = g->V > g->classes ? g->V : g->classes;
    enum rhm_status status = rhm_memory_check(3.0 * g->classes * (double)widest * sizeof(double),
                                              "the table of q-vectors", "lower V or classes", err);
    if (status != RHM_OK)
        return status;
    joint->now = rhm_array((size_t)g->classes * widest, sizeof(double), "the table of q-vectors", err);
    joint->next = rhm_array((size_t)g->classes * widest, sizeof(double), "the table of q-vectors", err);
    if (joint->now == NULL || joint->next == NULL) {
        joint_clear(joint);
        return RHM_EMEMORY;
    }
    for (size_t c = 0; c < g->classes; c++)
        joint->now[c * g->classes + c] = rhm_grammar_prior(g, (unsigned)c);
    return RHM_OK;
}

/* P_l = P_{l-1} A_l, A_l[nu, kappa] = P(a rule whose child at `place` is kappa | nu). */
static enum rhm_status joint_descend(struct joint *joint, const struct rhm_grammar *g, unsigned l,
                                     unsigned place, rhm_poll_function *poll, void *context,
                                     struct rhm_error *err)
{
    size_t C = g->classes;
    enum rhm_status status = RHM_OK;
    memset(joint->next, 0, g->V * C * sizeof *joint->next);
    for (unsigned nu = 0; nu < rhm_grammar_parents(g, l) && status == RHM_OK; nu++) {
        double *from = joint->now + nu * C;
        for (size_t c = 0; c < C && !g->p; c++) /* once, not for each of its rules */
            from[c] /= g->m;
        for (unsigned k = 0; k < g->m; k++) {
            double *to = joint->next + rhm_grammar_rule(g, l, nu, k)[place] * C;
            if (g->p) {
                double p = rhm_grammar_p(g, l, nu, k);
                for (size_t c = 0; c < C; c++)
                    to[c] += from[c] * p;
                continue;
            }
            for (size_t c = 0; c < C; c++)
                to[c] += from[c];
        }
        status = rhm_poll(poll, context, err);
    }
    double *keep = joint->now;
    joint->now = joint->next;
    joint->next = keep;
    return status;
}

/* q (parents x classes) of P_{l-1}: each parent's row divided by its sum, with the label's noise; nan where
 * the sum is 0. */
static void joint_to_q(const double *joint, const struct rhm_grammar *g, size_t parents, double *q,
                       double *probability)
{
    size_t classes = g->classes;
    double noise = g->label_noise;
    for (size_t nu = 0; nu < parents; nu++) {
        double sum = 0;
        for (size_t c = 0; c < classes; c++)
            sum += joint[nu * classes + c];
        for (size_t c = 0; c < classes; c++)
            q[nu * classes + c] = sum > 0 ? joint[nu * classes + c] / sum : NAN;
        for (size_t c = 0; c < classes && noise > 0; c++)
            q[nu * classes + c] = (1 - noise) * q[nu * classes + c] + noise / (double)classes;
        if (probability)
            probability[nu] = sum;
    }
}

static enum rhm_status check_level(const struct rhm_grammar *g, unsigned l, struct rhm_error *err)
{
    return l >= 1 && l <= g->L ? RHM_OK : rhm_fail(err, RHM_EARG, "level %u: must be 1..%u (L)", l, g->L);
}

enum rhm_status rhm_signal_q(const struct rhm_grammar *g, unsigned l, uint64_t i, struct rhm_matrix *q,
                             double *probability, struct rhm_error *err)
{
    enum rhm_status status = check_level(g, l, err);
    if (status != RHM_OK)
        return status;
    uint64_t places = rhm_grammar_places(g, l);
    if (i >= places)
        return rhm_fail(err, RHM_EARG, "place %" PRIu64 ": level %u has patches 1..%" PRIu64, i + 1, l,
                        places);
    struct joint joint;
    status = joint_init(&joint, g, err);
    if (status != RHM_OK)
        return status;
    for (unsigned j = 1; j < l;
         j++) { /* the digits of i to the bases s_1 .. s_(l-1), most significant first */
        places /= rhm_grammar_s(g, j);
        joint_descend(&joint, g, j, (unsigned)(i / places % rhm_grammar_s(g, j)), NULL, NULL, NULL);
    }
    unsigned parents = rhm_grammar_parents(g, l);
    status = rhm_matrix_init(q, parents, g->classes, err);
    if (status == RHM_OK)
        joint_to_q(joint.now, g, parents, q->v, probability);
    joint_clear(&joint);
    return status;
}

enum rhm_status rhm_signal_places(const struct rhm_grammar *g, unsigned l, struct rhm_matrix *J,
                                  double *number, struct rhm_error *err)
{
    enum rhm_status status = check_level(g, l, err);
    if (status != RHM_OK)
        return status;
    size_t parents = rhm_grammar_parents(g, l), places = (size_t)rhm_grammar_places(g, l), C = g->classes;
    status = rhm_matrix_init(J, parents, places * C, err);
    double *probability = rhm_array(parents, sizeof *probability, "the signal of all places", err);
    if (probability == NULL)
        status = RHM_EMEMORY;
    for (size_t nu = 0; nu < parents && status == RHM_OK; nu++)
        number[nu] = 0;
    for (size_t i = 0; i < places && status == RHM_OK; i++) {
        struct rhm_matrix q;
        status = rhm_signal_q(g, l, i, &q, probability, err);
        if (status != RHM_OK)
            break;
        for (size_t nu = 0; nu < parents; nu++) {
            number[nu] += probability[nu];
            for (size_t c = 0; c < C && probability[nu] > 0; c++)
                J->v[nu * J->cols + i * C + c] = probability[nu] * q.v[nu * C + c];
        }
        rhm_matrix_clear(&q);
    }
    for (size_t nu = 0; nu < parents && status == RHM_OK; nu++)
        for (size_t j = 0; j < J->cols; j++)
            J->v[nu * J->cols + j] = number[nu] > 0 ? J->v[nu * J->cols + j] / number[nu] : NAN;
    free(probability);
    if (status != RHM_OK)
        rhm_matrix_clear(J);
    return status;
}

enum rhm_status rhm_signal_missing(const struct rhm_grammar *g, unsigned l, unsigned char *missing,
                                   struct rhm_error *err)
{
    struct rhm_matrix q;
    enum rhm_status status = rhm_signal_q(g, l, 0, &q, NULL, err);
    if (status != RHM_OK)
        return status;
    for (size_t nu = 0; nu < q.rows; nu++)
        missing[nu] = (unsigned char)!!isnan(q.v[nu * q.cols]);
    rhm_matrix_clear(&q);
    return RHM_OK;
}

/* ----------------------------------------------------------------- gaps */

/* |a - b|^2, or a partial sum above `enough`. */
static double square_distance(const double *a, const double *b, size_t n, double enough)
{
    double sum = 0;
    for (size_t first = 0; first < n && sum <= enough; first += 64) {
        size_t end = n - first < 64 ? n : first + 64;
        double part[4] = {0};
        size_t c = first;
        for (; c + 4 <= end; c += 4)
            for (size_t k = 0; k < 4; k++)
                part[k] += (a[c + k] - b[c + k]) * (a[c + k] - b[c + k]);
        for (; c < end; c++)
            part[0] += (a[c] - b[c]) * (a[c] - b[c]);
        sum += part[0] + part[1] + part[2] + part[3];
    }
    return sum;
}

/* Rows compared between two looks at the poll: some 10 ms of work. */
static size_t rows_at_once(size_t parents, size_t classes)
{
    size_t rows = (size_t)10000000 / (parents * classes + 1);
    return rows < 16 ? 16 : rows;
}

/* The smallest distance between two rows that are not nan; of equal ones the first pair. */
static enum rhm_status find_gap(const double *q, size_t parents, size_t classes,
                                struct rhm_signal_level *level, rhm_poll_function *poll, void *context,
                                struct rhm_error *err)
{
    double least = INFINITY;
    size_t rows = rows_at_once(parents, classes);
    enum rhm_status status = RHM_OK;
    for (size_t first = 0; first < parents && status == RHM_OK; first += rows) {
        size_t end = parents - first < rows ? parents : first + rows;
#pragma omp parallel for schedule(dynamic, 4) if (parents * parents * classes > 1000000)
        for (size_t a = first; a < end; a++) {
            const double *qa = q + a * classes;
            double mine = INFINITY;
            size_t with = 0;
            for (size_t b = a + 1; b < parents && !isnan(qa[0]); b++) {
                if (isnan(q[b * classes]))
                    continue;
                double square = square_distance(qa, q + b * classes, classes, mine);
                if (square < mine) {
                    mine = square;
                    with = b;
                }
            }
#pragma omp critical(rhm_find_gap)
            if (mine < least || (mine == least && isfinite(mine) && a < level->a)) {
                least = mine;
                level->a = (unsigned)a;
                level->b = (unsigned)with;
            }
        }
        status = rhm_poll(poll, context, err);
    }
    level->gap = sqrt(least);
    return status;
}

enum rhm_status rhm_signal_gap(const struct rhm_matrix *q, double *gap, rhm_poll_function *poll,
                               void *context, struct rhm_error *err)
{
    struct rhm_signal_level level = {0};
    enum rhm_status status = find_gap(q->v, q->rows, q->cols, &level, poll, context, err);
    *gap = level.gap;
    return status;
}

enum rhm_status rhm_signal_levels(const struct rhm_grammar *g, struct rhm_signal_level *level,
                                  rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    size_t widest = g->V > g->classes ? g->V : g->classes;
    struct joint joint;
    enum rhm_status status = joint_init(&joint, g, err);
    if (status != RHM_OK)
        return status;
    double *q = rhm_array(widest * g->classes, sizeof *q, "the table of q-vectors", err);
    double *probability = rhm_array(widest, sizeof *probability, "the table of q-vectors", err);
    if (q == NULL || probability == NULL)
        status = RHM_EMEMORY;
    for (unsigned l = 1; l <= g->L && status == RHM_OK; l++) {
        unsigned parents = rhm_grammar_parents(g, l);
        joint_to_q(joint.now, g, parents, q, probability);
        level[l] = (struct rhm_signal_level){.pmin = INFINITY};
        for (unsigned nu = 0; nu < parents; nu++) {
            if (!(probability[nu] > 0))
                level[l].missing++;
            else if (probability[nu] < level[l].pmin)
                level[l].pmin = probability[nu];
        }
        status = find_gap(q, parents, g->classes, &level[l], poll, context, err);
        level[l].K = level[l].gap * pow(g->m, 0.5 * l);
        if (l < g->L && status == RHM_OK)
            status = joint_descend(&joint, g, l, 0, poll, context, err);
    }
    free(q);
    free(probability);
    joint_clear(&joint);
    return status;
}

double rhm_signal_K(const struct rhm_grammar *g, const struct rhm_signal_level *level)
{
    double K = INFINITY;
    for (unsigned l = 1; l <= g->L; l++)
        if (level[l].K < K)
            K = level[l].K;
    return K;
}

/* ------------------------------------------------------------- schedules */

static enum rhm_status round_samples(unsigned l, double n, uint64_t *out, struct rhm_error *err)
{
    if (!(n <= 0x1p53))
        return rhm_fail(
            err, RHM_EARG,
            "level %u: the schedule asks for %.3g samples, more than 2^53: lower c, m or L, or give n", l, n);
    *out = (uint64_t)ceil(n);
    return RHM_OK;
}

static enum rhm_status check_constant(const char *name, double value, struct rhm_error *err)
{
    return value > 0 && isfinite(value) ? RHM_OK
                                        : rhm_fail(err, RHM_EARG, "%s = %g: must be positive", name, value);
}

/* Fewer samples than this a layer save nothing. */

enum rhm_status rhm_schedule_by_depth(unsigned V, unsigned m, unsigned L, double c, uint64_t *n,
                                      struct rhm_error *err)
{
    enum rhm_status status = check_constant("c", c, err);
    for (unsigned l = 1; l <= L && status == RHM_OK; l++)
        status = round_samples(l, fmax(c * V * m * pow(m, l), RHM_LEAST_SCHEDULE), &n[l], err);
    return status;
}

enum rhm_status rhm_schedule_of_grammar(const struct rhm_grammar *g, double c, uint64_t *n,
                                        struct rhm_error *err)
{
    double clean = 1 - g->label_noise; /* what noise leaves of every gap; N ~ 1/gap^2 */
    if (!(clean > 0))
        return rhm_fail(err, RHM_EARG,
                        "label_noise = %g: the labels tell nothing, no number of samples is enough",
                        g->label_noise);
    enum rhm_status status = check_constant("c", c, err);
    return status == RHM_OK ? rhm_schedule_by_depth(g->V, g->m, g->L, c / (clean * clean), n, err) : status;
}

enum rhm_status rhm_signal_schedule(const struct rhm_grammar *g, const struct rhm_schedule_options *options,
                                    uint64_t *n, rhm_poll_function *poll, void *context,
                                    struct rhm_error *err)
{
    if (options->by == RHM_SCHEDULE_DEPTH)
        return rhm_schedule_of_grammar(g, options->c, n, err);
    struct rhm_signal_level level[RHM_MAX_LEVELS + 1];
    enum rhm_status status = rhm_signal_levels(g, level, poll, context, err);
    if (status == RHM_OK && options->by == RHM_SCHEDULE_GAP)
        status = check_constant("c", options->c, err);
    if (status == RHM_OK && options->by == RHM_SCHEDULE_THEOREM) {
        status = check_constant("kappa", options->kappa, err);
        if (status == RHM_OK && !(options->delta > 0 && options->delta < 1))
            status = rhm_fail(err, RHM_EARG, "delta = %g: must be in (0, 1)", options->delta);
    }
    for (unsigned l = 1; l <= g->L && status == RHM_OK; l++)
        if (!(level[l].gap > RHM_GAP_ZERO))
            status = rhm_fail(err, RHM_EARG,
                              "level %u has gap rho = %.3g: symbols %u and %u give the same signal, no "
                              "number of samples is "
                              "enough (see g:check())",
                              l, level[l].gap, level[l].a + 1, level[l].b + 1);
    if (status != RHM_OK)
        return status;
    double V = g->V, m = g->m, K = rhm_signal_K(g, level);
    for (unsigned l = 1; l <= g->L && status == RHM_OK; l++) {
        double samples;
        if (options->by == RHM_SCHEDULE_GAP) {
            samples = fmax(options->c * V * m / (level[l].gap * level[l].gap), RHM_LEAST_SCHEDULE);
        } else {
            double logarithm = log(V * m * options->kappa / options->delta);
            samples = options->kappa * V * V * m * m * rhm_grammar_s(g, l) * g->L * logarithm * logarithm /
                      (K * K) * pow(m, l);
        }
        status = round_samples(l, samples, &n[l], err);
    }
    return status;
}
