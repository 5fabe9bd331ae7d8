/* t-repeats.c - the noise of points of a layer that learns at all places, patches of one string being
 * dependent: the formula of repeats.h against the spread over many samples, and against the plain sum over
 * strings. */
#include "common.h"

#include "engine/base/threads.h"
#include "engine/chain/collect.h"
#include "engine/chain/truth.h"
#include "engine/grammar/sample.h"
#include "engine/grammar/signal.h"

/* What one sample of layer l says: the sum of n_mu |z_mu - exact|^2 and of rhm_directions_noise, and what
 * repeats add; all over the number of patches. */
struct said {
    double error, alone, added;
};

static struct said look(const struct rhm_network *net, const struct rhm_directions *d, const double *exact,
                        const struct rhm_tally *tally, const struct rhm_repeats *repeats, uint64_t strings)
{
    size_t PC = tally->C, width = d->width;
    double *share = room(PC, sizeof *share), *z = room(width, sizeof *z);
    struct said said = {0};
    struct rhm_layer layer = {.level = net->L, .tally = *tally};
    must(rhm_truth_fill_parents(net, &layer, &err));
    for (size_t i = 0; i < tally->patches.n; i++) {
        double count = (double)rhm_tally_patch_count(tally, i), square = 0;
        for (size_t j = 0; j < PC; j++)
            share[j] = (double)tally->count[i * PC + j] / count;
        rhm_directions_points(d, 1, share, z);
        for (size_t k = 0; k < width; k++)
            square += pow(z[k] - exact[layer.parent[i] * width + k], 2);
        said.error += count * square;
        said.alone += rhm_directions_noise(d, share, z);
    }
    must(rhm_repeats_noise(repeats, d, tally, strings, &said.added, NULL, NULL, &err));
    said.error /= (double)tally->N;
    said.alone /= (double)tally->N;
    said.added /= (double)tally->N;
    free(layer.parent);
    free(share);
    free(z);
    return said;
}

static struct rhm_network *create(const struct rhm_grammar *g)
{
    struct rhm_network_options options = rhm_network_defaults();
    struct rhm_network *net;
    options.grammar = g;
    options.M = 64;
    must(rhm_network_create(&net, &options, &err));
    return net;
}

static void collect(struct rhm_chain *chain, uint64_t strings, uint64_t seed, struct rhm_tally *tally,
                    struct rhm_repeats *repeats)
{
    struct rhm_train_options how = rhm_train_defaults(chain->net);
    struct rhm_progress_layer progress = rhm_progress_unknown();
    unsigned l = chain->net->L;
    how.grammar = chain->net->grammar;
    how.position = RHM_POSITION_ALL;
    how.n[l] = strings;
    how.seed = seed;
    rhm_repeats_init(repeats, chain->net->s);
    must(rhm_collect(chain, l, &how, tally, repeats, &progress, NULL, &err));
}

static void test_the_spread_over_samples(void **state)
{
    (void)state;
    enum { STRINGS = 600, SAMPLES = 400 };
    const struct shape shapes[] = {{4, 2, 2, 3, 4}, {4, 3, 2, 4, 3}, {3, 2, 3, 3, 3}};
    double most = 0;
    for (size_t k = 0; k < COUNT(shapes); k++)
        for (uint64_t seed = 1; seed <= 2; seed++) {
            struct rhm_grammar g = draw_grammar(shapes[k], seed);
            struct rhm_network *net = create(&g);
            struct rhm_chain chain;
            struct rhm_directions d;
            struct rhm_matrix J = {0};
            struct rhm_tally tally;
            struct rhm_repeats repeats;
            unsigned L = g.L;
            size_t places = (size_t)rhm_network_places(net, L);
            double *number = room(g.V, sizeof *number);
            must(rhm_chain_init(&chain, net, L + 1, &err));
            collect(&chain, 20000, 100, &tally, &repeats); /* the directions are those of another sample */
            must(rhm_directions_init(&d, &tally, places, g.V - 1, NULL, NULL, &err));
            rhm_tally_clear(&tally);
            rhm_repeats_clear(&repeats);
            must(rhm_signal_places(&g, L, &J, number, &err));
            double *exact = room(J.rows * d.width, sizeof *exact);
            rhm_directions_points(&d, J.rows, J.v, exact);
            struct said sum = {0};
            for (uint64_t sample = 0; sample < SAMPLES; sample++) {
                collect(&chain, STRINGS, sample, &tally, &repeats);
                assert_int_equal(repeats.strings, STRINGS);
                struct said one = look(net, &d, exact, &tally, &repeats, STRINGS);
                sum.error += one.error / SAMPLES;
                sum.alone += one.alone / SAMPLES;
                sum.added += one.added / SAMPLES;
                rhm_tally_clear(&tally);
                rhm_repeats_clear(&repeats);
            }
            double ratio = (sum.alone + sum.added) / sum.error, plain = sum.alone / sum.error;
            print_message(
                "shape %zu, seed %d: squared error %.4g; formula %.3f of it, as if independent %.3f\n", k,
                (int)seed, sum.error, ratio, plain);
            assert_true(fabs(ratio - 1) < 0.03);
            most = fmax(most, fabs(plain - 1));
            free(exact);
            free(number);
            rhm_matrix_clear(&J);
            rhm_directions_clear(&d);
            rhm_chain_clear(&chain);
            rhm_network_free(net);
            rhm_grammar_clear(&g);
        }
    assert_true(most > 0.15); /* or the test would tell nothing */
}

/* sum_mu (1/n_mu) sum_t |sum_i (map - m_mu)|^2 by the loop over strings is the formula, where all are looked
 * at. */
static void test_the_sum_over_strings(void **state)
{
    (void)state;
    enum { N = 500, PLACES = 4, C = 3, SYMBOLS = 5 };
    struct rhm_tally tally;
    struct rhm_repeats repeats;
    struct rhm_directions d;
    struct rhm_rng rng = rhm_rng_start(3, RHM_STREAM_TEST, 0);
    uint32_t tuple[N][PLACES][1], label[N];
    must(rhm_tally_init(&tally, 1, PLACES * C, &err));
    rhm_repeats_init(&repeats, 1);
    for (size_t t = 0; t < N; t++) {
        label[t] = (uint32_t)rhm_rng_below(&rng, C);
        for (size_t i = 0; i < PLACES; i++) {
            tuple[t][i][0] = i > 0 && rhm_rng_below(&rng, 3) > 0
                                 ? tuple[t][i - 1][0] /* as the place before it */
                                 : (uint32_t)((label[t] + rhm_rng_below(&rng, 3)) % SYMBOLS);
            must(rhm_tally_add(&tally, tuple[t][i], i * C + label[t], 1, &err));
        }
        must(rhm_repeats_look(&repeats, PLACES, tuple[t][0], label[t], &err));
    }
    must(rhm_tally_sort(&tally, &err));
    must(rhm_directions_init(&d, &tally, PLACES, 3, NULL, NULL, &err));
    double told, alone = 0, whole = 0, share[PLACES * C], z[8];
    must(rhm_repeats_noise(&repeats, &d, &tally, N, &told, NULL, NULL, &err));
    for (size_t row = 0; row < tally.patches.n; row++) {
        double count = (double)rhm_tally_patch_count(&tally, row);
        for (size_t j = 0; j < PLACES * C; j++)
            share[j] = (double)tally.count[row * PLACES * C + j] / count;
        rhm_directions_points(&d, 1, share, z);
        alone += rhm_directions_noise(&d, share, z);
        for (size_t t = 0; t < N; t++) {
            double sum[8] = {0};
            for (size_t i = 0; i < PLACES; i++)
                for (size_t k = 0; k < d.width && tuple[t][i][0] == rhm_tuples_row(&tally.patches, row)[0];
                     k++)
                    sum[k] += d.map[(i * C + label[t]) * d.width + k] - z[k] - d.offset[k];
            for (size_t k = 0; k < d.width; k++)
                whole += sum[k] * sum[k] / count;
        }
    }
    assert_true(repeats.n > 100 && fabs(told) > 0.05 * alone);
    assert_true(fabs(alone + told - whole) < 1e-9 * whole);
    rhm_directions_clear(&d);
    rhm_repeats_clear(&repeats);
    rhm_tally_clear(&tally);
}

int main(void)
{
    must(rhm_threads_set(1, &err)); /* many small trainings: threads would only wait for each other */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_sum_over_strings),
        cmocka_unit_test(test_the_spread_over_samples),
    };
    return cmocka_run_group_tests_name("repeats", tests, NULL, NULL);
}
