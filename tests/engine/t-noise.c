/* t-noise.c - unequal labels, label noise and token noise against the full table of what may be observed: q,
 * samples, the laws of patches, exact accuracies, q of noisy patches; what keeps them.
 */
#include "chain.h"

#include <unistd.h>

#include "engine/base/threads.h"
#include "engine/chain/collect.h"
#include "engine/chain/law.h"
#include "engine/chain/network_file.h"
#include "engine/chain/truth.h"
#include "engine/grammar/sample.h"
#include "engine/grammar/signal.h"

enum { CHECKS = 200 };

static const struct noisy_shape settings[] = {
    {{3, 2, 2, 3, 3}, 0, 0, 0.2, 0},    {{3, 2, 2, 3, 4}, 0, 1, 0, 0},
    {{3, 2, 2, 2, 3}, 0, 0, 0, 0.3},    {{3, 2, 2, 3, 2}, 1, 1, 0.1, 0.15},
    {{2, 2, 3, 2, 3}, 1, 1, 0.25, 0.4}, {{4, 3, 2, 2, 5}, 0, 1, 0.5, 0.05},
};

/* -------------------------------------------------------- full tables */

/* P(label, what stands under the first level-(top-1) symbol), observed, and P(observed label, that symbol).
 */
struct table {
    size_t width, strings, C;
    double *p;      /* strings x C; a string is its number, first token most significant */
    double *symbol; /* parents x C */
};

/* One child after the other: every rule of the leftmost symbol that is not a token yet. */
static void expand(const struct rhm_grammar *g, unsigned l, const uint16_t *symbol, size_t width, size_t at,
                   const uint16_t *next, double p, unsigned label, struct table *t)
{
    if (l > g->L) {
        size_t number = 0;
        for (size_t i = 0; i < width; i++)
            number = number * g->V + symbol[i];
        t->p[number * t->C + label] += p;
        return;
    }
    uint16_t below[64];
    if (at > 0)
        memcpy(below, next, at * g->s * sizeof *below);
    if (at == width) {
        expand(g, l + 1, below, width * g->s, 0, NULL, p, label, t);
        return;
    }
    for (unsigned k = 0; k < g->m; k++) {
        memcpy(below + at * g->s, rhm_grammar_rule(g, l, symbol[at], k), g->s * sizeof *below);
        expand(g, l, symbol, width, at + 1, below, p * rhm_grammar_p(g, l, symbol[at], k), label, t);
    }
}

/* Down the first children to level top - 1. */
static void descend(const struct rhm_grammar *g, unsigned l, unsigned top, uint16_t symbol, double p,
                    unsigned label, struct table *t)
{
    if (l == top) {
        t->symbol[symbol * t->C + label] += p;
        expand(g, top, &symbol, 1, 0, NULL, p, label, t);
        return;
    }
    for (unsigned k = 0; k < g->m; k++)
        descend(g, l + 1, top, rhm_grammar_rule(g, l, symbol, k)[0], p * rhm_grammar_p(g, l, symbol, k),
                label, t);
}

/* v (n x C): each row mixed over its labels. */
static void mix_labels(double *v, size_t n, size_t C, double noise)
{
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t c = 0; c < C; c++)
            sum += v[i * C + c];
        for (size_t c = 0; c < C; c++)
            v[i * C + c] = (1 - noise) * v[i * C + c] + noise * sum / (double)C;
    }
}

/* One token of all strings replaced with probability `noise`. */
static void mix_token(const struct rhm_grammar *g, struct table *t, size_t token)
{
    size_t stride = t->C;
    for (size_t j = token + 1; j < t->width; j++)
        stride *= g->V;
    for (size_t i = 0; i < t->strings * t->C; i++) {
        if (i / stride % g->V != 0)
            continue;
        double sum = 0;
        for (size_t v = 0; v < g->V; v++)
            sum += t->p[i + v * stride];
        for (size_t v = 0; v < g->V; v++)
            t->p[i + v * stride] = (1 - g->token_noise) * t->p[i + v * stride] + g->token_noise * sum / g->V;
    }
}

static struct table tabulate(const struct rhm_grammar *g, unsigned top)
{
    struct table t = {.width = (size_t)rhm_power(g->s, g->L - top + 1), .C = g->classes};
    t.strings = (size_t)rhm_power(g->V, (unsigned)t.width);
    t.p = room(t.strings * t.C, sizeof *t.p);
    t.symbol = room((g->V > g->classes ? g->V : g->classes) * t.C, sizeof *t.symbol);
    double all = 0;
    for (unsigned label = 0; label < g->classes; label++)
        descend(g, 1, top, (uint16_t)label, rhm_grammar_prior(g, label), label, &t);
    mix_labels(t.p, t.strings, t.C, g->label_noise);
    mix_labels(t.symbol, rhm_grammar_parents(g, top), t.C, g->label_noise);
    for (size_t j = 0; j < t.width; j++)
        mix_token(g, &t, j);
    for (size_t i = 0; i < t.strings * t.C; i++)
        all += t.p[i];
    assert_true(fabs(all - 1) < 1e-12);
    return t;
}

static void forget(struct table *t)
{
    free(t->p);
    free(t->symbol);
}

static void write_string(const struct rhm_grammar *g, size_t width, size_t number, uint16_t *tokens)
{
    for (size_t j = width; j-- > 0; number /= g->V)
        tokens[j] = (uint16_t)(number % g->V);
}

static size_t number_of(const struct rhm_grammar *g, size_t width, const uint16_t *tokens)
{
    size_t number = 0;
    for (size_t j = 0; j < width; j++)
        number = number * g->V + tokens[j];
    return number;
}

/* -------------------------------------------------------------- signal */

static void test_q(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(settings); k++) {
        struct rhm_grammar g = draw_noisy(&settings[k], k);
        struct rhm_signal_level level[RHM_MAX_LEVELS + 1];
        must(rhm_signal_levels(&g, level, NULL, NULL, &err));
        for (unsigned l = 1; l <= g.L; l++) {
            struct table t = tabulate(&g, l);
            struct rhm_matrix q;
            double probability[16], gap = INFINITY;
            must(rhm_signal_q(&g, l, 0, &q, probability, &err));
            for (size_t nu = 0; nu < q.rows; nu++) {
                double sum = 0;
                for (size_t c = 0; c < q.cols; c++)
                    sum += t.symbol[nu * t.C + c];
                assert_true(fabs(probability[nu] - sum) < 1e-14);
                for (size_t c = 0; c < q.cols && sum > 0; c++)
                    assert_true(fabs(q.v[nu * t.C + c] - t.symbol[nu * t.C + c] / sum) < 1e-12);
            }
            for (size_t a = 0; a < q.rows; a++)
                for (size_t b = 0; b < a; b++) {
                    double square = 0;
                    for (size_t c = 0; c < q.cols; c++)
                        square += pow(q.v[a * t.C + c] - q.v[b * t.C + c], 2);
                    gap = square < gap * gap ? sqrt(square) : gap; /* nan rows compare false */
                }
            assert_true(fabs(level[l].gap - gap) < 1e-12 || (isinf(gap) && isinf(level[l].gap)));
            rhm_matrix_clear(&q);
            forget(&t);
        }
        rhm_grammar_clear(&g);
    }
}

static void test_schedules_know_of_label_noise(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){8, 4, 2, 3, 8}, 1);
    struct rhm_schedule_options depth = {.by = RHM_SCHEDULE_DEPTH, .c = 1000};
    uint64_t clean[4], noisy[4];
    must(rhm_signal_schedule(&g, &depth, clean, NULL, NULL, &err));
    must(rhm_grammar_set_noise(&g, 0.5, 0.9, &err));
    must(rhm_signal_schedule(&g, &depth, noisy, NULL, NULL, &err));
    for (unsigned l = 1; l <= 3; l++)
        assert_true(noisy[l] == 4 * clean[l]);
    must(rhm_grammar_set_noise(&g, 1, 0, &err));
    must_fail(rhm_signal_schedule(&g, &depth, noisy, NULL, NULL, &err), RHM_EARG, "label_noise = 1");
    rhm_grammar_clear(&g);
}

/* ------------------------------------------------------------- samples */

static void test_strings_have_their_law(void **state)
{
    (void)state;
    enum { N = 50000 };
    for (size_t k = 0; k < COUNT(settings); k++) {
        struct rhm_grammar g = draw_noisy(&settings[k], k);
        uint16_t *tokens = room((size_t)N * g.d, sizeof *tokens), *labels = room(N, sizeof *labels);
        for (unsigned top = 0; top <= g.L; top++) { /* 0: whole strings */
            struct table t = tabulate(&g, top > 0 ? top : 1);
            size_t cells = t.strings * t.C;
            double *seen = room(cells, sizeof *seen);
            if (top == 0)
                rhm_sample_strings(&g, 7, 3, N, tokens, labels);
            else
                rhm_sample_subtrees(&g, top, 7, 3, N, tokens, labels);
            for (size_t i = 0; i < N; i++)
                seen[number_of(&g, t.width, tokens + i * t.width) * t.C + labels[i]]++;
            for (size_t i = 0; i < cells; i++) {
                assert_true(t.p[i] > 0 || seen[i] == 0);
                t.p[i] *= N;
            }
            check_p(chi_square_p(cells, t.p, seen), CHECKS, "setting %zu, subtrees of level %u", k, top);
            free(seen);
            forget(&t);
        }
        free(tokens);
        free(labels);
        rhm_grammar_clear(&g);
    }
}

/* The counts of layer L are those of its samples; noise changes some tokens and labels and nothing else; any
 * number of threads. */
static void test_noise_comes_on_top(void **state)
{
    (void)state;
    enum { N = 5001 };
    int threads = rhm_threads_get();
    struct rhm_grammar g = draw_grammar((struct shape){8, 4, 2, 3, 6}, 4);
    size_t cells = (size_t)8 * 4 * 6, differ[2] = {0, 0};
    uint16_t *clean = room((size_t)N * 8, sizeof *clean), *noisy = room((size_t)N * 8, sizeof *noisy);
    uint16_t clean_label[N], label[N], again[N];
    uint64_t *count = room(cells, sizeof *count), *wanted = room(cells, sizeof *wanted);
    rhm_sample_strings(&g, 2, 5, N, clean, clean_label);
    must(rhm_grammar_set_noise(&g, 0.3, 0.1, &err));
    rhm_sample_strings(&g, 2, 5, N, noisy, label);
    for (size_t i = 0; i < N; i++) {
        differ[0] += label[i] != clean_label[i];
        for (size_t j = 0; j < 8; j++)
            differ[1] += clean[8 * i + j] != noisy[8 * i + j];
    }
    double share[] = {0.3 * 5 / 6, 0.1 * 7 / 8}, of[] = {N, 8.0 * N};
    for (int k = 0; k < 2; k++) /* two-sided normal tails */
        check_p(
            erfc(fabs((double)differ[k] - of[k] * share[k]) / sqrt(2 * of[k] * share[k] * (1 - share[k]))),
            CHECKS, "share replaced, %d", k);
    for (int n = 1; n <= 3; n++) {
        must(rhm_threads_set(n, &err));
        for (size_t at = 0; at < N; at += 1000)
            rhm_sample_strings(&g, 2, 5 + at, N - at < 1000 ? N - at : 1000, clean + 8 * at, again + at);
        assert_memory_equal(clean, noisy, (size_t)N * 8 * sizeof *clean);
        assert_memory_equal(again, label, sizeof label);
    }
    must(rhm_grammar_set_noise(&g, 0.3, 0, &err));
    rhm_sample_subtrees(&g, 3, 2, 5, N, clean, label);
    for (size_t i = 0; i < N; i++)
        for (size_t r = 0; r < 32; r++)
            wanted[r * 6 + label[i]] += memcmp(g.rules + g.level[3] + 2 * r, clean + 2 * i, 4) == 0;
    must(rhm_sample_count(&g, 2, 5, N, count, &err));
    assert_memory_equal(count, wanted, cells * sizeof *count);
    must(rhm_threads_set(threads, &err));
    free(clean);
    free(noisy);
    free(count);
    free(wanted);
    rhm_grammar_clear(&g);
}

/* ---------------------------------------------------------------- laws */

/* What is observed, as patches of layer l: cell (row of patches, label). */
static double *cells_of(const struct rhm_grammar *g, struct rhm_chain *chain, unsigned l,
                        struct rhm_tuples *patches)
{
    struct table t = tabulate(g, l);
    uint16_t *tokens = room(t.strings * t.width, sizeof *tokens);
    double *p = room(t.strings * t.C, sizeof *p);
    const uint32_t *tuple;
    must(rhm_tuples_init(patches, g->s, &err));
    for (size_t i = 0; i < t.strings; i++)
        write_string(g, t.width, i, tokens + i * t.width);
    must(rhm_chain_ascend(chain, l + 1, t.strings, t.width, tokens, &tuple, NULL, NULL, &err));
    for (size_t i = 0; i < t.strings; i++) {
        size_t row;
        must(rhm_tuples_add(patches, tuple + i * g->s, &row, &err));
        for (size_t c = 0; c < t.C; c++)
            p[row * t.C + c] += t.p[i * t.C + c];
    }
    free(tokens);
    forget(&t);
    return p;
}

/* Counts of both samplers against the table, and the exact q of each patch. */
static void check_patches(const struct rhm_grammar *g, unsigned l, uint64_t n, const char *what)
{
    enum { N = 50000 };
    struct rhm_network *net = train_few(g, RHM_CODEBOOK_CENTROID, l + 1, n, RHM_POSITION_FIRST);
    struct rhm_chain chain;
    struct rhm_tuples patches;
    must(rhm_chain_init(&chain, net, l + 1, &err));
    size_t C = g->classes;
    double *p = cells_of(g, &chain, l, &patches);
    size_t cells = patches.n * C;
    double *seen = room(cells, sizeof *seen), *expected = room(cells, sizeof *expected);
    const enum rhm_sampler samplers[] = {RHM_SAMPLER_TALLY, RHM_SAMPLER_DRAW};
    for (size_t k = 0; k < 2; k++) {
        struct rhm_train_options how = rhm_train_defaults(net);
        struct rhm_progress_layer progress = rhm_progress_unknown();
        struct rhm_tally tally;
        how.grammar = g;
        how.sampler = samplers[k];
        how.n[l] = N;
        must(rhm_collect(&chain, l, &how, &tally, NULL, &progress, NULL, &err));
        assert_true(tally.N == N);
        memset(seen, 0, cells * sizeof *seen);
        for (size_t i = 0; i < tally.patches.n; i++) {
            size_t row = rhm_tuples_find(&patches, rhm_tuples_row(&tally.patches, i));
            assert_true(row < patches.n);
            for (size_t c = 0; c < C; c++)
                seen[row * C + c] = (double)tally.count[i * C + c];
        }
        for (size_t i = 0; i < cells; i++)
            expected[i] = N * p[i];
        check_p(chi_square_p(cells, expected, seen), CHECKS, "%s, layer %u, sampler %zu", what, l, k);
        rhm_tally_clear(&tally);
    }
    uint32_t *parent = room(patches.n, sizeof *parent);
    double *q = room(cells, sizeof *q), worst = 0;
    struct rhm_layer layer = {.level = l};
    must(rhm_tally_init(&layer.tally, g->s, C, &err));
    for (size_t i = 0; i < patches.n; i++)
        must(rhm_tally_add(&layer.tally, rhm_tuples_row(&patches, i), 0, 1, &err));
    must(rhm_truth_fill_parents(net, &layer, &err));
    must(rhm_truth_q(net, l, 0, patches.n, patches.tuple, layer.parent, q, NULL, NULL, &err));
    size_t known = 0;
    for (size_t i = 0; i < patches.n; i++) {
        double sum = 0;
        for (size_t c = 0; c < C; c++)
            sum += p[i * C + c];
        known += isnan(q[i * C]) ? 0 : 1;
        if (g->token_noise > 0)
            for (size_t c = 0; c < C && sum > 0; c++)
                worst = fmax(worst, fabs(q[i * C + c] - p[i * C + c] / sum));
    }
    assert_true(known > 0 && worst < 1e-12);
    free(layer.parent);
    rhm_tally_clear(&layer.tally);
    free(parent);
    free(q);
    free(p);
    free(seen);
    free(expected);
    rhm_tuples_clear(&patches);
    rhm_chain_clear(&chain);
    rhm_network_free(net);
}

static void test_patches_have_their_law(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(settings); k++) {
        struct rhm_grammar g = draw_noisy(&settings[k], k);
        char what[32];
        snprintf(what, sizeof what, "setting %zu", k);
        for (unsigned l = g.L; l >= 1; l--)
            check_patches(&g, l, l % 2 ? 300 : 4000, what);
        rhm_grammar_clear(&g);
    }
}

/* Where tokens are noisy any parent may stand above a patch: the exact points of a layer trained at all
 * places, and the q of its patches at each place, against the table of all strings. */
static void check_places(const struct rhm_grammar *g, struct rhm_network *net, const struct table *t,
                         unsigned l)
{
    struct rhm_layer *layer = net->layer[l];
    size_t C = t->C, U = layer->tally.patches.n, PC = layer->tally.C, places = PC / C;
    struct rhm_chain chain;
    uint16_t *tokens = room(t->strings * t->width, sizeof *tokens);
    double *J = room(U * PC, sizeof *J), *q = room(U * C, sizeof *q), worst = 0;
    const uint32_t *tuple;
    for (size_t i = 0; i < t->strings; i++)
        write_string(g, t->width, i, tokens + i * t->width);
    must(rhm_chain_init(&chain, net, l + 1, &err));
    must(rhm_chain_ascend(&chain, l + 1, t->strings, t->width, tokens, &tuple, NULL, NULL, &err));
    for (size_t i = 0; i < t->strings * places; i++) {
        size_t row = rhm_tuples_find(&layer->tally.patches, tuple + i * g->s);
        for (size_t c = 0; row != SIZE_MAX && c < C; c++)
            J[row * PC + i % places * C + c] += t->p[i / places * C + c];
    }
    for (size_t place = 0; place < places; place++) {
        must(rhm_truth_q(net, l, place, U, layer->tally.patches.tuple, layer->parent, q, NULL, NULL, &err));
        for (size_t row = 0; row < U; row++) {
            double sum = 0;
            for (size_t c = 0; c < C; c++)
                sum += J[row * PC + place * C + c];
            for (size_t c = 0; c < C && sum > 0; c++)
                worst = fmax(worst, fabs(q[row * C + c] - J[row * PC + place * C + c] / sum));
        }
    }
    assert_true(worst < 1e-12);
    for (size_t row = 0; row < U; row++) {
        double sum = 0;
        for (size_t j = 0; j < PC; j++)
            sum += J[row * PC + j];
        assert_true(sum > 0);
        for (size_t j = 0; j < PC; j++)
            J[row * PC + j] /= sum;
    }
    assert_true(layer->gap > 0 && layer->error > 0 && layer->error_max >= layer->error);
    rhm_directions_points(&layer->directions, U, J, layer->point); /* as if it had learned exactly these */
    must(rhm_truth_measure(net, layer, NULL, NULL, &err));
    assert_true(layer->gap > 0 && layer->error_max < 1e-9);
    rhm_chain_clear(&chain);
    free(tokens);
    free(J);
    free(q);
}

static void test_all_places(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(settings); k++) {
        if (settings[k].token_noise == 0)
            continue;
        struct rhm_grammar g = draw_noisy(&settings[k], k);
        struct rhm_network *net = train_few(&g, RHM_CODEBOOK_CENTROID, 1, 3000, RHM_POSITION_ALL);
        struct table t = tabulate(&g, 1);
        for (unsigned l = g.L; l >= 2; l--)
            check_places(&g, net, &t, l);
        forget(&t);
        rhm_network_free(net);
        rhm_grammar_clear(&g);
    }
}

/* P(predicted = observed label) by the law against the sum over the table. */
static void test_accuracy(void **state)
{
    (void)state;
    double least = 1, most = 0;
    for (size_t k = 0; k < COUNT(settings); k++)
        for (uint64_t n = 20; n < 10000; n *= 15) {
            struct rhm_grammar g = draw_noisy(&settings[k], k);
            struct rhm_network *net = train_few(&g, RHM_CODEBOOK_CENTROID, 1, n, RHM_POSITION_FIRST);
            struct table t = tabulate(&g, 1);
            uint16_t *tokens = room(t.strings * t.width, sizeof *tokens),
                     *labels = room(t.strings, sizeof *labels);
            double counted = 0, accuracy;
            for (size_t i = 0; i < t.strings; i++)
                write_string(&g, t.width, i, tokens + i * t.width);
            must(rhm_network_predict(net, t.strings, tokens, labels, NULL, NULL, NULL, NULL, &err));
            for (size_t i = 0; i < t.strings; i++)
                counted += t.p[i * t.C + labels[i]];
            must(rhm_network_accuracy_on_grammar(net, &g, &accuracy, NULL, NULL, &err));
            assert_true(fabs(accuracy - counted) < 1e-12);
            least = fmin(least, accuracy);
            most = fmax(most, accuracy);
            free(tokens);
            free(labels);
            forget(&t);
            rhm_network_free(net);
            rhm_grammar_clear(&g);
        }
    print_message("accuracies %.3f to %.3f\n", least, most);
    assert_true(least < 0.5 && most > 0.75);
}

/* ------------------------------------------------------------- keeping */

static void assert_same_noise(const struct rhm_grammar *a, const struct rhm_grammar *b)
{
    assert_true(a->label_noise == b->label_noise && a->token_noise == b->token_noise);
    for (unsigned c = 0; c < a->classes; c++)
        assert_true(rhm_grammar_prior(a, c) == rhm_grammar_prior(b, c));
    uint16_t tokens[2][64], label[2];
    for (uint64_t i = 0; i < 200; i++) {
        rhm_sample_strings(a, 1, i, 1, tokens[0], &label[0]);
        rhm_sample_strings(b, 1, i, 1, tokens[1], &label[1]);
        assert_memory_equal(tokens[0], tokens[1], a->d * sizeof tokens[0][0]);
        assert_int_equal(label[0], label[1]);
    }
}

static void test_copies_and_files(void **state)
{
    (void)state;
    char path[64] = "t-noise-XXXXXX.h5";
    int file = mkstemps(path, 3);
    assert_true(file >= 0);
    close(file);
    for (size_t k = 0; k < COUNT(settings); k++) {
        struct rhm_grammar g = draw_noisy(&settings[k], k), copy;
        must(rhm_grammar_copy(&copy, &g, &err));
        assert_same_noise(&g, &copy);
        struct rhm_network *net = train_few(&g, RHM_CODEBOOK_CENTROID, 2, 200, RHM_POSITION_FIRST), *back;
        must(rhm_network_save(net, path, &err));
        must(rhm_network_load(&back, path, &err));
        assert_same_noise(&g, back->grammar);
        rhm_network_free(net);
        rhm_network_free(back);
        rhm_grammar_clear(&copy);
        rhm_grammar_clear(&g);
    }
    unlink(path);
}

static void test_limits(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){4, 2, 2, 2, 3}, 1);
    const double weight[] = {1, 0, 2}, equal[] = {5, 5, 5}, tiny[] = {1, 1, 1e-13};
    must_fail(rhm_grammar_set_noise(&g, -0.1, 0, &err), RHM_EARG, "label_noise = -0.1", "0 to 1");
    must_fail(rhm_grammar_set_noise(&g, 0, 1.5, &err), RHM_EARG, "token_noise = 1.5", "0 to 1");
    must_fail(rhm_grammar_set_noise(&g, NAN, 0, &err), RHM_EARG, "label_noise = ");
    must_fail(rhm_grammar_set_prior(&g, weight, &err), RHM_EARG, "label 2", "positive");
    must_fail(rhm_grammar_set_prior(&g, tiny, &err), RHM_EARG, "label 3", "negligible");
    must(rhm_grammar_set_prior(&g, equal, &err));
    assert_null(g.prior);
    assert_true(g.label_noise == 0 && g.token_noise == 0);
    rhm_grammar_clear(&g);
}

static void test_reported(void **state)
{
    (void)state;
    report_checks(CHECKS);
}

int main(void)
{
    must(rhm_threads_set(1, &err)); /* many small trainings: threads would only wait for each other */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_q),
        cmocka_unit_test(test_schedules_know_of_label_noise),
        cmocka_unit_test(test_strings_have_their_law),
        cmocka_unit_test(test_noise_comes_on_top),
        cmocka_unit_test(test_patches_have_their_law),
        cmocka_unit_test(test_all_places),
        cmocka_unit_test(test_accuracy),
        cmocka_unit_test(test_copies_and_files),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
