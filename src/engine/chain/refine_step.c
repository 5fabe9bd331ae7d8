/* refine_step.c - the M-step, and the bound that it may keep. See refine.h. */
#include "engine/chain/refine.h"

#include <math.h>
#include <stdlib.h>

#include "engine/base/memory.h"

#define LABEL_PSEUDO 1.0   /* of a label's probability */
#define BOUND_LIMIT  65536 /* entries of a table for which the bound of m is worth its time */
#define CLEAR_TUPLES 0.85  /* perplexity of the tuples over their number, above which they show m */

enum rhm_status rhm_refine_guess_m(const struct rhm_tree *tree, const struct rhm_dataset *data, int64_t *m,
                                   struct rhm_error *err)
{
    const struct rhm_tree_table *t = &tree->table[tree->L];
    *m = 0;
    for (unsigned l = 1; l <= tree->L; l++)
        if (rhm_tree_size(tree, l) > BOUND_LIMIT)
            return RHM_OK;
    double *count = rhm_array(t->rows, sizeof *count, "the tuples of tokens", err), all = 0, h = 0;
    size_t seen = 0;
    if (count == NULL)
        return RHM_EMEMORY;
    size_t places = tree->d / t->s; /* patches that are all tokens */
    for (size_t i = 0; i < data->n * places; i++) {
        const uint16_t *patch = data->tokens + i / places * tree->d + i % places * t->s;
        size_t number = 0;
        for (unsigned j = 0; j < t->s && number != SIZE_MAX; j++) {
            uint16_t token = patch[j];
            number = token == RHM_MISSING ? SIZE_MAX : number * t->symbols + token;
        }
        if (number == SIZE_MAX)
            continue;
        seen += count[number]++ == 0;
        all++;
    }
    for (size_t r = 0; r < t->rows; r++)
        h -= count[r] > 0 ? count[r] / all * log(count[r] / all) : 0;
    free(count);
    double most = ceil((double)seen / (double)t->parents);
    if (exp(h) > CLEAR_TUPLES * (double)seen && most * (double)t->parents <= (double)t->rows)
        *m = (int64_t)most;
    return RHM_OK;
}

static void maximise_freely(struct rhm_tree_table *t, const double *uses, double a)
{
    for (size_t p = 0; p < t->parents; p++) {
        double sum = 0;
        for (size_t r = 0; r < t->rows; r++)
            sum += uses[r * t->parents + p] + a;
        for (size_t r = 0; r < t->rows; r++)
            t->p[r * t->parents + p] = (uses[r * t->parents + p] + a) / sum;
    }
}

/* Maximises sum n log T under sum_t T[t][p] = 1 and sum_p T[t][p] <= cap: convex, T = n / (lambda_p + mu_t)
 * with mu_t >= 0, and > 0 only where the bound holds with equality. Newton in mu and lambda by turns. */
static void maximise_bounded(struct rhm_tree_table *t, const double *uses, double a, double cap,
                             double *lambda, double *mu)
{
    size_t P = t->parents;
    for (size_t p = 0; p < P; p++) {
        lambda[p] = 0;
        for (size_t r = 0; r < t->rows; r++)
            lambda[p] += uses[r * P + p] + a;
    }
    for (int round = 0; round < 60; round++) {
        for (size_t r = 0; r < t->rows; r++) {
            const double *n = uses + r * P;
            double x = 0;
            for (int step = 0; step < 40; step++) { /* convex and falling in x: from the left, no overshoot */
                double sum = 0, slope = 0;
                for (size_t p = 0; p < P; p++) {
                    double q = (n[p] + a) / (lambda[p] + x);
                    sum += q;
                    slope += q / (lambda[p] + x);
                }
                if (sum <= cap * (1 + 1e-12))
                    break;
                x += (sum - cap) / slope;
            }
            mu[r] = x;
        }
        double moved = 0;
        for (size_t p = 0; p < P; p++) {
            double x = lambda[p];
            for (int step = 0; step < 40; step++) {
                double sum = 0, slope = 0;
                for (size_t r = 0; r < t->rows; r++) {
                    double q = (uses[r * P + p] + a) / (x + mu[r]);
                    sum += q;
                    slope += q / (x + mu[r]);
                }
                double change = (sum - 1) * sum / slope;
                x = fmax(x + change, 1e-9);
                if (fabs(change) < 1e-10 * x)
                    break;
            }
            moved = fmax(moved, fabs(x / lambda[p] - 1));
            lambda[p] = x;
        }
        if (moved < 1e-5)
            break;
    }
    for (size_t p = 0; p < P; p++) {
        double sum = 0;
        for (size_t r = 0; r < t->rows; r++)
            sum += t->p[r * P + p] = (uses[r * P + p] + a) / (lambda[p] + mu[r]);
        for (size_t r = 0; r < t->rows; r++)
            t->p[r * P + p] /= sum;
    }
}

enum rhm_status rhm_refine_maximise(struct rhm_tree *tree, const struct rhm_tree_counts *counts, double a,
                                    int64_t m, struct rhm_error *err)
{
    for (unsigned l = 1; l <= tree->L; l++) {
        struct rhm_tree_table *t = &tree->table[l];
        /* a bound that cannot be kept is none */
        if (m <= 0 || (double)m * (double)t->parents > (double)t->rows) {
            maximise_freely(t, counts->rule[l], a);
            continue;
        }
        double *lambda = rhm_array(t->parents, sizeof *lambda, "a step of EM", err);
        double *mu = rhm_array(t->rows, sizeof *mu, "a step of EM", err);
        if (lambda && mu)
            maximise_bounded(t, counts->rule[l], a, 1.0 / (double)m, lambda, mu);
        free(lambda);
        free(mu);
        if (lambda == NULL || mu == NULL)
            return RHM_EMEMORY;
    }
    double sum = 0;
    for (size_t c = 0; c < tree->symbols[0]; c++)
        sum += counts->prior[c] + LABEL_PSEUDO;
    for (size_t c = 0; c < tree->symbols[0]; c++)
        tree->prior[c] = (counts->prior[c] + LABEL_PSEUDO) / sum;
    return RHM_OK;
}

double rhm_refine_penalty(const struct rhm_tree *tree, double a)
{
    double sum = 0;
    for (unsigned l = 1; l <= tree->L; l++)
        for (size_t i = 0; i < rhm_tree_size(tree, l); i++)
            sum += a * log(tree->table[l].p[i]);
    for (size_t c = 0; c < tree->symbols[0]; c++)
        sum += LABEL_PSEUDO * log(tree->prior[c]);
    return sum;
}

double rhm_refine_entropy(const struct rhm_tree *tree, unsigned l)
{
    const struct rhm_tree_table *t = &tree->table[l];
    double sum = 0, weight = 0;
    for (size_t r = 0; r < t->rows; r++) {
        const double *p = t->p + r * t->parents;
        double all = 0, h = 0;
        for (size_t k = 0; k < t->parents; k++)
            all += p[k];
        for (size_t k = 0; k < t->parents; k++)
            h -= p[k] > 0 ? p[k] / all * log(p[k] / all) : 0;
        weight += all;
        sum += all > 0 ? all * h : 0;
    }
    return sum / weight / log((double)t->parents);
}
