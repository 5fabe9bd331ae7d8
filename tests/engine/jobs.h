/* jobs.h - for the tests of jobs: one grammar for all, networks of it, naps, the same bits.
 *
 * setup_grammar and teardown_grammar are those of the group of tests.
 */
#ifndef RHM_TESTS_JOBS_H
#define RHM_TESTS_JOBS_H

#include "chain.h"

#include <time.h>

#include "engine/jobs/training.h"

static struct rhm_grammar grammar;

static inline int setup_grammar(void **state)
{
    (void)state;
    grammar = draw_grammar((struct shape){8, 4, 2, 3, 8}, 3);
    return 0;
}

static inline int teardown_grammar(void **state)
{
    (void)state;
    rhm_grammar_clear(&grammar);
    return 0;
}

static inline struct rhm_network *create_network(const struct rhm_grammar *g, int64_t M,
                                                 enum rhm_codebook_kind codebook)
{
    struct rhm_network_options options = rhm_network_defaults();
    options.grammar = g;
    options.M = M;
    options.codebook = codebook;
    return create_from(&options);
}

static inline void doze(double seconds)
{
    struct timespec pause = {(time_t)seconds, (long)(1e9 * (seconds - floor(seconds)))};
    nanosleep(&pause, NULL);
}

static inline void check_same_bits(const struct rhm_network *a, const struct rhm_network *b)
{
    for (unsigned l = 1; l <= a->L; l++) {
        const struct rhm_layer *x = a->layer[l], *y = b->layer[l];
        size_t U = x->tally.patches.n, C = x->tally.C, K = x->codebook.K;
        assert_int_equal(U, y->tally.patches.n);
        assert_memory_equal(x->tally.count, y->tally.count, U * C * sizeof *x->tally.count);
        assert_memory_equal(x->W, y->W, C * x->features.M * sizeof *x->W);
        assert_memory_equal(x->output, y->output, U * C * sizeof *x->output);
        assert_memory_equal(x->cluster, y->cluster, U * sizeof *x->cluster);
        assert_int_equal(K, y->codebook.K);
        assert_memory_equal(x->codebook.embedding, y->codebook.embedding, K * C * sizeof(double));
        assert_true(x->steps == y->steps && x->loss == y->loss && x->sigma == y->sigma);
    }
}

#endif
