/* formula.c - trees of gates: their sizes, exact signal and strings. See formula.h. */
#include "engine/grammar/formula.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/rng.h"

#define BLOCK_TOKENS ((size_t)1 << 20)

/* ---------------------------------------------------------------- making */

enum rhm_status rhm_formula_check(int64_t s, int64_t L, struct rhm_error *err)
{
    if (s < 2 || s > RHM_FORMULA_INPUTS)
        return rhm_fail(err, RHM_EARG, "s = %" PRId64 ": must be from 2 to %d, the inputs of a gate", s,
                        RHM_FORMULA_INPUTS);
    if (L < 1 || L > RHM_MAX_LEVELS)
        return rhm_fail(err, RHM_EARG, "L = %" PRId64 ": must be from 1 to %d", L, RHM_MAX_LEVELS);
    double gates = (pow((double)s, (double)L) - 1) / ((double)s - 1);
    char what[64];
    snprintf(what, sizeof what, "the %.3g gates of L = %" PRId64 " levels", gates, L);
    return rhm_memory_check(gates * (sizeof(uint64_t) + 2 * sizeof(double)), what, "lower L", err);
}

/* The value of input j in the row t of a table. */
static inline unsigned input_of(unsigned t, unsigned s, unsigned j)
{
    return t >> (s - 1 - j) & 1;
}

/* P[child j of node i of level l - 1 is 0, 1]: uniform at level L. */
static const double *child_p(const struct rhm_formula *f, unsigned l, uint64_t i, unsigned j)
{
    static const double input[2] = {0.5, 0.5};
    return l == f->L ? input : f->p + 2 * (f->level[l + 1] + i * f->s + j);
}

/* P[the children of node i of level l - 1 are the row t]; leaves out child `except` (s: none). */
static double row_p(const struct rhm_formula *f, unsigned l, uint64_t i, unsigned t, unsigned except)
{
    double product = 1;
    for (unsigned j = 0; j < f->s; j++)
        if (j != except)
            product *= child_p(f, l, i, j)[input_of(t, f->s, j)];
    return product;
}

/* Both probabilities are sums of positive terms: the smaller one is as exact as the larger. */
static void fill_probabilities(struct rhm_formula *f)
{
    for (unsigned l = f->L; l >= 1; l--)
        for (uint64_t i = 0; i < f->level[l + 1] - f->level[l]; i++) {
            double *p = f->p + 2 * (f->level[l] + i);
            uint64_t table = rhm_formula_gate(f, l, i);
            for (unsigned t = 0; t < 1u << f->s; t++)
                p[table >> t & 1] += row_p(f, l, i, t, f->s);
        }
}

enum rhm_status rhm_formula_init(struct rhm_formula *f, unsigned s, unsigned L, const uint64_t *gate,
                                 int balanced, struct rhm_error *err)
{
    *f = (struct rhm_formula){0};
    enum rhm_status status = rhm_formula_check(s, L, err);
    if (status != RHM_OK)
        return status;
    f->s = s;
    f->L = L;
    f->d = rhm_power(s, L);
    f->balanced = balanced != 0;
    for (unsigned l = 1; l <= L + 1; l++)
        f->level[l] = l == 1 ? 0 : f->level[l - 1] + (size_t)rhm_power(s, l - 2);
    f->nodes = f->level[L + 1];
    f->gate = rhm_array(f->nodes, sizeof *f->gate, "the gates", err);
    f->p = f->gate ? rhm_array(f->nodes, 2 * sizeof *f->p, "the gates' probabilities", err) : NULL;
    if (f->p == NULL) {
        rhm_formula_clear(f);
        return RHM_EMEMORY;
    }
    for (size_t i = 0; i < f->nodes; i++)
        f->gate[i] = gate[i] & rhm_gate_mask(s);
    fill_probabilities(f);
    if (f->balanced && !(f->p[0] > 0 && f->p[1] > 0)) {
        status = rhm_fail(err, RHM_EARG,
                          "balanced labels: the formula is %s for all inputs (or to 1e-308): other gates "
                          "or a smaller L are needed",
                          f->p[0] > 0 ? "false" : "true");
        rhm_formula_clear(f);
    }
    return status;
}

void rhm_formula_clear(struct rhm_formula *f)
{
    free(f->gate);
    free(f->p);
    *f = (struct rhm_formula){0};
}

int rhm_formula_shared(const struct rhm_formula *f, unsigned l)
{
    for (size_t i = f->level[l]; i < f->level[l + 1]; i++)
        if (f->gate[i] != f->gate[f->level[l]])
            return 0;
    return 1;
}

/* ---------------------------------------------------------------- signal */

double rhm_formula_label(const struct rhm_formula *f, unsigned value)
{
    return f->balanced ? 0.5 : f->p[value];
}

void rhm_formula_joint(const struct rhm_formula *f, unsigned l, uint64_t i, double joint[2][2])
{
    /* to[v][b] = P[the ancestor is b | the node is v]: a Markov chain, since siblings are independent */
    double to[2][2] = {{1, 0}, {0, 1}};
    static const double input[2] = {0.5, 0.5};
    const double *p = l == f->L ? input : f->p + 2 * (f->level[l + 1] + i);
    for (unsigned k = l; k >= 1; k--) {
        uint64_t parent = i / f->s, table = rhm_formula_gate(f, k, parent);
        unsigned j = (unsigned)(i % f->s);
        double step[2][2] = {{0}}, next[2][2];
        for (unsigned t = 0; t < 1u << f->s; t++)
            step[input_of(t, f->s, j)][table >> t & 1] += row_p(f, k, parent, t, j);
        for (unsigned v = 0; v < 2; v++)
            for (unsigned b = 0; b < 2; b++)
                next[v][b] = to[v][0] * step[0][b] + to[v][1] * step[1][b];
        memcpy(to, next, sizeof to);
        i = parent;
    }
    for (unsigned v = 0; v < 2; v++)
        for (unsigned c = 0; c < 2; c++) {
            joint[v][c] = p[v] * to[v][c];
            if (f->balanced)
                joint[v][c] *= 0.5 / f->p[c];
        }
}

double rhm_formula_correlation(const struct rhm_formula *f, unsigned l, uint64_t i)
{
    double joint[2][2];
    rhm_formula_joint(f, l, i, joint);
    double one = (joint[1][0] + joint[1][1]) * (joint[0][0] + joint[0][1]),
           two = (joint[0][1] + joint[1][1]) * (joint[0][0] + joint[1][0]);
    if (!(one > 0 && two > 0))
        return NAN;
    return (joint[0][0] * joint[1][1] - joint[0][1] * joint[1][0]) / sqrt(one) / sqrt(two);
}

enum rhm_status rhm_formula_q(const struct rhm_formula *f, unsigned l, uint64_t i, struct rhm_matrix *q,
                              double *probability, struct rhm_error *err)
{
    double joint[2][2];
    enum rhm_status status = rhm_matrix_init(q, 2, 2, err);
    if (status != RHM_OK)
        return status;
    rhm_formula_joint(f, l - 1, i, joint);
    for (unsigned v = 0; v < 2; v++) {
        double sum = joint[v][0] + joint[v][1];
        for (unsigned c = 0; c < 2; c++)
            q->v[2 * v + c] = sum > 0 ? joint[v][c] / sum : NAN;
        if (probability)
            probability[v] = sum;
    }
    return RHM_OK;
}

double rhm_formula_gap(const struct rhm_formula *f, unsigned l, uint64_t i)
{
    double joint[2][2];
    rhm_formula_joint(f, l - 1, i, joint);
    double p0 = joint[0][0] + joint[0][1], p1 = joint[1][0] + joint[1][1];
    return p0 > 0 && p1 > 0 ? sqrt(2) * fabs(joint[0][1] / p0 - joint[1][1] / p1) : INFINITY;
}

/* --------------------------------------------------------------- strings */

/* Node i of level l, from the tokens. The depth of the recursion is L. */
static unsigned evaluate(const struct rhm_formula *f, unsigned l, uint64_t i, const uint16_t *tokens)
{
    if (l == f->L)
        return tokens[i];
    unsigned t = 0;
    for (unsigned j = 0; j < f->s; j++)
        t = t << 1 | evaluate(f, l + 1, i * f->s + j, tokens);
    return rhm_formula_gate(f, l + 1, i) >> t & 1;
}

unsigned rhm_formula_value(const struct rhm_formula *f, const uint16_t *tokens)
{
    return evaluate(f, 0, 0, tokens);
}

/* Draws what stands below node i of level l, which has this value: the row of its children, then theirs. */
static void descend(const struct rhm_formula *f, unsigned l, uint64_t i, unsigned value, uint16_t *tokens,
                    struct rhm_rng *rng)
{
    if (l == f->L) {
        tokens[i] = (uint16_t)value;
        return;
    }
    uint64_t table = rhm_formula_gate(f, l + 1, i);
    double u = rhm_rng_uniform(rng) * f->p[2 * (f->level[l + 1] + i) + value];
    unsigned row = 0;
    for (unsigned t = 0; t < 1u << f->s; t++) {
        double p = (table >> t & 1) == value ? row_p(f, l + 1, i, t, f->s) : 0;
        if (p > 0) { /* rounding may leave a rest behind the last row that can be */
            row = t;
            if (u < p)
                break;
        }
        u -= p;
    }
    for (unsigned j = 0; j < f->s; j++)
        descend(f, l + 1, i * f->s + j, input_of(row, f->s, j), tokens, rng);
}

static uint16_t draw(const struct rhm_formula *f, uint64_t seed, uint64_t i, uint16_t *tokens)
{
    struct rhm_rng rng = rhm_rng_start(seed, RHM_STREAM_FORMULA, i);
    if (f->balanced) {
        unsigned label = (unsigned)(rhm_rng_u64(&rng) >> 63);
        descend(f, 0, 0, label, tokens, &rng);
        return (uint16_t)label;
    }
    uint64_t word = 0;
    for (size_t j = 0; j < f->d; j++, word >>= 1) {
        if (j % 64 == 0)
            word = rhm_rng_u64(&rng);
        tokens[j] = word & 1;
    }
    return (uint16_t)rhm_formula_value(f, tokens);
}

void rhm_formula_strings(const struct rhm_formula *f, uint64_t seed, uint64_t first, size_t n,
                         uint16_t *tokens, uint16_t *labels)
{
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < (int64_t)n; i++)
        labels[i] = draw(f, seed, first + (uint64_t)i, tokens + (size_t)i * f->d);
}

enum rhm_status rhm_formula_dataset(const struct rhm_formula *f, uint64_t seed, size_t n,
                                    struct rhm_dataset *data, rhm_poll_function *poll, void *context,
                                    struct rhm_error *err)
{
    enum rhm_status status = rhm_dataset_init(data, n, (size_t)f->d, 2, 2, err);
    size_t block = f->d < BLOCK_TOKENS ? BLOCK_TOKENS / (size_t)f->d : 1;
    for (size_t at = 0; status == RHM_OK && at < n; at += block) {
        size_t some = n - at < block ? n - at : block;
        rhm_formula_strings(f, seed, at, some, data->tokens + at * data->d, data->labels + at);
        status = rhm_poll(poll, context, err);
    }
    return status;
}
