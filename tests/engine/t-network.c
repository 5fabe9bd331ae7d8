/* t-network.c - the chain: training, by hand and at once, unseen patches, refusals, failures half way. */
#include "chain.h"

#include "engine/base/memory.h"
#include "engine/base/threads.h"
#include "engine/chain/chain.h"
#include "engine/grammar/sample.h"
#include "engine/grammar/signal.h"

/* ------------------------------------------------------------- helpers */

static struct rhm_network *create(const struct rhm_grammar *g, int64_t M, enum rhm_codebook_kind codebook)
{
    struct rhm_network_options options = sizes_of(g);
    options.M = M;
    options.codebook = codebook;
    options.seed = 3;
    return create_from(&options);
}

static struct rhm_train_options from_grammar(const struct rhm_network *net, const struct rhm_grammar *g,
                                             uint64_t n)
{
    struct rhm_train_options how = rhm_train_defaults(net);
    how.grammar = g;
    for (unsigned l = 1; l <= net->L; l++)
        how.n[l] = n;
    return how;
}

static double largest(size_t n, const double *a)
{
    double most = 0;
    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs(a[i]));
    return most;
}

/* The largest difference of two vectors over the largest entry. */
static double relative(size_t n, const double *a, const double *b)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++)
        worst = fmax(worst, fabs(a[i] - b[i]));
    return worst / fmax(largest(n, a), 1e-300);
}

static void check_same_tally(const struct rhm_tally *a, const struct rhm_tally *b)
{
    assert_int_equal(a->patches.n, b->patches.n);
    assert_true(a->N == b->N);
    assert_memory_equal(a->patches.tuple, b->patches.tuple, a->patches.n * a->patches.s * sizeof(uint32_t));
    assert_memory_equal(a->count, b->count, a->patches.n * a->C * sizeof *a->count);
}

/* Two trained networks, layer by layer: the same counts, numbers equal to `tolerance` (relative). */
static double compare_networks(const struct rhm_network *a, const struct rhm_network *b, double tolerance)
{
    double worst = 0;
    for (unsigned l = 1; l <= a->L; l++) {
        const struct rhm_layer *x = a->layer[l], *y = b->layer[l];
        check_same_tally(&x->tally, &y->tally);
        assert_int_equal(x->clusters.k, y->clusters.k);
        assert_int_equal(x->codebook.K, y->codebook.K);
        assert_memory_equal(x->codebook.code, y->codebook.code, x->codebook.patches.n * sizeof(uint32_t));
        assert_memory_equal(x->cluster, y->cluster, x->tally.patches.n * sizeof(size_t));
        double off = fmax(relative(x->tally.C * x->features.M, x->W, y->W),
                          relative(x->tally.patches.n * x->tally.C, x->output, y->output));
        off = fmax(off,
                   relative(x->codebook.K * x->codebook.width, x->codebook.embedding, y->codebook.embedding));
        off = fmax(off, fabs(x->sigma - y->sigma) / x->sigma);
        worst = fmax(worst, off);
    }
    assert_true(worst <= tolerance);
    return worst;
}

/* ------------------------------------------------------------ learning */

/* The first grammar of (8,4,2,3) that first patches can teach: no parent missing, gaps of some size. */
static struct rhm_grammar learnable_grammar(void)
{
    for (uint64_t seed = 1;; seed++) {
        struct rhm_grammar g = draw_grammar((struct shape){8, 4, 2, 3, 8}, seed);
        struct rhm_signal_level level[RHM_MAX_LEVELS + 1];
        must(rhm_signal_levels(&g, level, NULL, NULL, &err));
        if (level[2].missing + level[3].missing == 0 && level[3].gap > 0.1)
            return g;
        rhm_grammar_clear(&g);
    }
}

static void test_learns_from_a_grammar(void **state)
{
    (void)state;
    struct rhm_grammar g = learnable_grammar();
    struct rhm_signal_level signal[RHM_MAX_LEVELS + 1];
    must(rhm_signal_levels(&g, signal, NULL, NULL, &err));
    for (int solver = 0; solver < 2; solver++)
        for (int book = 0; book < (getenv("VALGRIND") ? 1 : 2);
             book++) { /* thousands of patches take too long there */
            struct rhm_network *net = create(&g, book ? 512 : 1024, (enum rhm_codebook_kind)book);
            struct rhm_train_options how = from_grammar(net, &g, book ? 40000 : 0);
            how.solver = (enum rhm_solver)solver;
            double accuracy = NAN, again;
            must(rhm_network_train(net, &how, NULL, &accuracy, &err));
            must(rhm_network_accuracy_on_grammar(net, &g, &again, NULL, NULL, &err));
            print_message("%s, %s: accuracy %.4f\n", solver ? "gd" : "closed form",
                          book ? "exact" : "centroid", accuracy);
            assert_true(accuracy >= 0.99 && accuracy == again);
            for (unsigned l = 1; l <= 3; l++) {
                const struct rhm_layer *layer = net->layer[l];
                assert_true(layer->tally.N == (book ? 40000 : l == 3 ? 65536 : 20000));
                assert_int_equal(layer->steps, solver ? RHM_DEFAULT_STEPS : 0);
                assert_true(layer->gap == signal[l].gap);
                assert_true(layer->error > 0 && layer->error <= layer->error_max);
                assert_int_equal(layer->clusters.k, 8);
            }
            assert_true(net->grammar != NULL && net->trainer == NULL && !net->claim.taken);
            rhm_network_free(net);
        }
    rhm_grammar_clear(&g);
}

static void test_learns_with_other_features(void **state)
{
    (void)state;
    struct rhm_grammar g = learnable_grammar();
    const enum rhm_feature_kind kinds[] = {RHM_FEATURES_ORF, RHM_FEATURES_RELU};
    for (int k = 0; k < 2; k++) {
        struct rhm_network_options options = rhm_network_defaults();
        options.grammar = &g;
        options.features = kinds[k];
        options.M = 1024;
        struct rhm_network *net;
        must(rhm_network_create(&net, &options, &err));
        struct rhm_train_options how = from_grammar(net, &g, 0);
        double accuracy;
        must(rhm_network_train(net, &how, NULL, &accuracy, &err));
        print_message("%s: accuracy %.4f\n", rhm_features_name(kinds[k]), accuracy);
        assert_int_equal(net->layer[2]->features.kind, kinds[k]);
        assert_true(accuracy >= 0.9);
        rhm_network_free(net);
    }
    rhm_grammar_clear(&g);
}

/* All layers share the strings; the grammar is not known. */
static void test_learns_from_a_data_set(void **state)
{
    (void)state;
    struct rhm_grammar g = learnable_grammar();
    struct rhm_dataset train, test;
    must(rhm_sample_dataset(&g, 8, 30000, &train, &err));
    must(rhm_sample_dataset(&g, 9, 2000, &test, &err));
    struct rhm_network *net = create(&g, 512, RHM_CODEBOOK_CENTROID);
    struct rhm_train_options how = rhm_train_defaults(net);
    how.data = &train;
    how.n[2] = 20001; /* the first of them */
    double on_train, on_test;
    must(rhm_network_train(net, &how, NULL, &on_train, &err));
    must(rhm_network_accuracy_on_data(net, &test, &on_test, NULL, NULL, &err));
    print_message("accuracy %.4f on the training strings, %.4f on others\n", on_train, on_test);
    assert_true(on_train >= 0.99 && on_test >= 0.99);
    assert_true(net->layer[3]->tally.N == 30000 && net->layer[2]->tally.N == 20001);
    assert_null(net->grammar);
    for (size_t i = 0; i < net->layer[3]->tally.patches.n; i++)
        assert_true(net->layer[3]->parent[i] == RHM_NO_PARENT);
    assert_true(isnan(net->layer[1]->gap) && isnan(net->layer[1]->error) && !net->layer[3]->parents_known);
    /* the counts of layer L, one by one */
    const struct rhm_tally *tally = &net->layer[3]->tally;
    uint64_t *count = room(64 * 8, sizeof *count);
    for (size_t i = 0; i < train.n; i++)
        count[(train.tokens[i * 8] * 8u + train.tokens[i * 8 + 1]) * 8 + train.labels[i]]++;
    for (size_t row = 0; row < tally->patches.n; row++) {
        const uint32_t *tuple = rhm_tuples_row(&tally->patches, row);
        for (size_t c = 0; c < 8; c++) {
            uint64_t *cell = &count[(tuple[0] * 8 + tuple[1]) * 8 + c];
            assert_true(tally->count[row * 8 + c] == *cell);
            *cell = 0;
        }
    }
    for (size_t i = 0; i < 64 * 8; i++)
        assert_true(count[i] == 0);
    free(count);
    rhm_network_free(net);
    rhm_dataset_clear(&train);
    rhm_dataset_clear(&test);
    rhm_grammar_clear(&g);
}

/* ------------------------------------------------- one result, any way */

static void test_threads_do_not_matter(void **state)
{
    (void)state;
    int before = rhm_threads_get();
    struct rhm_grammar g = draw_grammar((struct shape){8, 4, 2, 3, 6}, 4);
    struct rhm_dataset data;
    must(rhm_sample_dataset(&g, 8, 5000, &data, &err));
    double worst = 0;
    for (int source = 0; source < 3; source++)
        for (int solver = 0; solver < 2; solver++) {
            struct rhm_network *net[2];
            for (int k = 0; k < 2; k++) {
                must(rhm_threads_set(k + 1, &err));
                net[k] = create(&g, 256, RHM_CODEBOOK_CENTROID);
                struct rhm_train_options how = from_grammar(net[k], source == 2 ? NULL : &g, 5000);
                how.data = source == 2 ? &data : NULL;
                how.sampler = source == 0 ? RHM_SAMPLER_TALLY : RHM_SAMPLER_DRAW;
                how.solver = (enum rhm_solver)solver;
                must(rhm_network_train(net[k], &how, NULL, NULL, &err));
            }
            worst = fmax(worst, compare_networks(net[0], net[1], 1e-12));
            rhm_network_free(net[0]);
            rhm_network_free(net[1]);
        }
    print_message("1 and 2 threads: %.1g\n", worst);
    must(rhm_threads_set(before, &err));
    rhm_dataset_clear(&data);
    rhm_grammar_clear(&g);
}

/* begin, steps in several calls, finish: the bits of train with as many steps at once. */
static void test_by_hand_is_the_same(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){8, 4, 2, 3, 8}, 2);
    struct rhm_network *at_once = create(&g, 256, RHM_CODEBOOK_CENTROID);
    struct rhm_network *by_hand = create(&g, 256, RHM_CODEBOOK_CENTROID);
    struct rhm_train_options how = from_grammar(at_once, &g, 3000);
    how.solver = RHM_SOLVER_GD;
    how.steps = 57;
    must(rhm_network_train(at_once, &how, NULL, NULL, &err));
    for (unsigned l = 3; l >= 1; l--) {
        struct rhm_layer_view view;
        must(rhm_network_begin(by_hand, l, &how, NULL, &err));
        must(rhm_network_view(by_hand, l, 0, &view, &err));
        assert_true(view.trained == 0 && view.steps == 0);
        must(rhm_network_step(by_hand, l, 1, NULL, &err));
        must(rhm_network_step(by_hand, l, 6, NULL, &err));
        must(rhm_network_step(by_hand, l, 0, NULL, &err));
        must(rhm_network_view(by_hand, l, 1, &view, &err));
        assert_true(view.trained == 0 && view.steps == 7 && view.U > 0 && view.k == 0);
        rhm_layer_view_clear(&view);
        must(rhm_network_step(by_hand, l, 50, NULL, &err));
        must(rhm_network_finish(by_hand, l, NULL, &err));
        const struct rhm_layer *x = at_once->layer[l], *y = by_hand->layer[l];
        assert_memory_equal(x->W, y->W, 8 * 256 * sizeof(double));
        assert_memory_equal(x->output, y->output, x->tally.patches.n * 8 * sizeof(double));
        assert_true(x->steps == 57 && y->steps == 57 && x->loss == y->loss && x->sigma == y->sigma);
    }
    compare_networks(at_once, by_hand, 0);
    /* a second training of the same network forgets the first one, to the last bit */
    how.n[3] = 500;
    must(rhm_network_train(by_hand, &how, NULL, NULL, &err));
    how.n[3] = 3000;
    must(rhm_network_train(by_hand, &how, NULL, NULL, &err));
    compare_networks(at_once, by_hand, 0);
    how.seed = 99;
    must(rhm_network_train(by_hand, &how, NULL, NULL, &err));
    const struct rhm_tally *other = &by_hand->layer[3]->tally;
    assert_true(other->patches.n != at_once->layer[3]->tally.patches.n ||
                memcmp(other->count, at_once->layer[3]->tally.count,
                       other->patches.n * other->C * sizeof *other->count) != 0);
    rhm_network_free(at_once);
    rhm_network_free(by_hand);
    rhm_grammar_clear(&g);
}

/* -------------------------------------------------- what a layer holds */

/* f = W phi / (1^T W phi) of one patch by the definition; returns the sum. */
static double output_of(const struct rhm_layer *layer, const uint32_t *tuple, double *f)
{
    size_t M = layer->features.M, C = layer->tally.C;
    double *phi = room(M, sizeof *phi), sum = 0;
    rhm_features_naive(&layer->features, tuple, phi);
    for (size_t c = 0; c < C; c++) {
        f[c] = 0;
        for (size_t k = 0; k < M; k++)
            f[c] += layer->W[c * M + k] * phi[k];
        sum += f[c];
    }
    for (size_t c = 0; c < C; c++)
        f[c] /= sum;
    free(phi);
    return sum;
}

static void test_a_layer_is_what_it_says(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){6, 4, 2, 3, 5}, 3);
    struct rhm_network *net = create(&g, 256, RHM_CODEBOOK_CENTROID);
    struct rhm_train_options how = from_grammar(net, &g, 20000);
    must(rhm_network_train(net, &how, NULL, NULL, &err));
    for (unsigned l = 3; l >= 1; l--) {
        const struct rhm_layer *layer = net->layer[l];
        size_t U = layer->tally.patches.n, C = 5;
        double rho_in = l == 3 ? sqrt(2) : net->layer[l + 1]->clusters.rho, mean_sum = 0, square = 0,
               right = 0, f[8];
        assert_true(layer->rho_in == rho_in);
        assert_true(fabs(layer->sigma - rho_in / sqrt(2 * log(2 / RHM_DEFAULT_EPS_O))) < 1e-12 * rho_in);
        struct rhm_matrix q;
        must(rhm_signal_q(&g, l, 0, &q, NULL, &err));
        for (size_t row = 0; row < U; row++) {
            const uint32_t *tuple = rhm_tuples_row(&layer->tally.patches, row);
            double sum = output_of(layer, tuple, f), n = (double)rhm_tally_patch_count(&layer->tally, row);
            mean_sum += n * sum / 20000;
            size_t best = 0;
            for (size_t c = 1; c < C; c++)
                best = f[c] > f[best] ? c : best;
            right += n / 20000 * q.v[layer->parent[row] * C + best];
            assert_true(fabs(layer->sum[row] - sum) < 1e-10);
            assert_false(layer->unknown[row]);
            for (size_t c = 0; c < C; c++) {
                assert_true(fabs(layer->output[row * C + c] - f[c]) < 1e-9);
                square += n / 20000 * pow(layer->output[row * C + c] - q.v[layer->parent[row] * C + c], 2);
            }
            if (l == 3) { /* tokens are what they are: the parent is that of the rule */
                uint16_t child[2] = {(uint16_t)tuple[0], (uint16_t)tuple[1]};
                unsigned found = 0;
                for (unsigned k = 0; k < 4; k++)
                    found += memcmp(rhm_grammar_rule(&g, 3, layer->parent[row], k), child, sizeof child) == 0;
                assert_int_equal(found, 1);
            }
        }
        assert_true(fabs(layer->mean_sum - mean_sum) < 1e-10);
        assert_true(fabs(layer->error - sqrt(square)) < 1e-12);
        assert_true(fabs(layer->accuracy - right) < 1e-12);
        rhm_matrix_clear(&q);
    }
    rhm_network_free(net);

    struct rhm_network_options options = rhm_network_defaults();
    options.grammar = &g;
    options.sigma = 0.321;
    options.M = 64;
    must(rhm_network_create(&net, &options, &err));
    must(rhm_network_train(net, &how, NULL, NULL, &err));
    for (unsigned l = 1; l <= 3; l++)
        assert_true(net->layer[l]->sigma == 0.321 && net->layer[l]->features.sigma == 0.321);
    rhm_network_free(net);
    rhm_grammar_clear(&g);
}

/* Patches never trained: by their features, unless their sum says nothing. At layer L over all V^s tuples. */
static void test_unseen_patches_go_by_their_features(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){8, 4, 2, 2, 8}, 5);
    size_t forward = 0, unknown = 0;
    for (int book = 0; book < 2; book++)
        for (int wide = 0; wide < 2; wide++) { /* a wide kernel sees neighbours, a narrow one nothing */
            struct rhm_network_options options = rhm_network_defaults();
            options.V = options.classes = 8;
            options.s = options.L = 2;
            options.M = 512;
            options.codebook = (enum rhm_codebook_kind)book;
            options.sigma = wide ? 1.5 : 0.3;
            struct rhm_network *net;
            must(rhm_network_create(&net, &options, &err));
            struct rhm_train_options how = from_grammar(net, &g, 60); /* not all 32 rules */
            must(rhm_network_train(net, &how, NULL, NULL, &err));
            struct rhm_layer *layer = net->layer[2];
            assert_true(layer->tally.patches.n < 32);
            struct rhm_chain chain;
            must(rhm_chain_init(&chain, net, 2, &err));
            for (uint32_t i = 0; i < 64; i++) {
                uint32_t tuple[2] = {i / 8, i % 8}, code;
                double f[8], sum = output_of(layer, tuple, f);
                must(rhm_chain_resolve(&chain, 2, 1, tuple, &code, NULL, NULL, &err));
                if (rhm_tuples_find(&layer->tally.patches, tuple) != SIZE_MAX)
                    continue;
                const double *got = rhm_chain_embedding(&chain, 2, code);
                if (sum < RHM_TAU * layer->mean_sum) {
                    unknown++;
                    assert_int_equal(code, layer->unknown_code);
                    for (size_t c = 0; c < 8; c++)
                        assert_true(got[c] == 0.125);
                } else if (book == RHM_CODEBOOK_EXACT) {
                    forward++;
                    assert_int_not_equal(code, layer->unknown_code);
                    assert_true(relative(8, f, got) < 1e-9);
                } else {
                    forward++;
                    assert_int_equal(code, rhm_clusters_nearest(&layer->clusters, f));
                    assert_true(relative(8, layer->clusters.centroid + code * 8, got) == 0);
                }
            }
            rhm_chain_clear(&chain);
            rhm_network_free(net);
        }
    print_message("%zu unseen patches went forward, %zu are unknown\n", forward, unknown);
    assert_true(forward > 20 && unknown > 20);
    rhm_grammar_clear(&g);
}

/* The same at layer 1, where the output is the prediction. */
static void test_unseen_patches_predict(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){8, 4, 2, 2, 8}, 6);
    struct rhm_network *net = create(&g, 512, RHM_CODEBOOK_CENTROID);
    struct rhm_train_options how = from_grammar(net, &g, 20000);
    how.n[1] = 25; /* 32 rules */
    must(rhm_network_train(net, &how, NULL, NULL, &err));
    enum { N = 400 };
    uint16_t tokens[N * 4], labels[N], got[N];
    double probability[N * 8], f[8];
    size_t unknown, counted = 0, unseen = 0;
    rhm_sample_strings(&g, 1, 0, N, tokens, labels);
    must(rhm_network_predict(net, N, tokens, got, probability, &unknown, NULL, NULL, &err));
    struct rhm_chain chain;
    must(rhm_chain_init(&chain, net, 2, &err));
    const uint32_t *tuple;
    must(rhm_chain_ascend(&chain, 2, N, 4, tokens, &tuple, NULL, NULL, &err));
    for (size_t i = 0; i < N; i++) {
        const struct rhm_layer *layer = net->layer[1];
        int seen = rhm_tuples_find(&layer->tally.patches, tuple + 2 * i) != SIZE_MAX;
        double sum = output_of(layer, tuple + 2 * i, f);
        unseen += !seen;
        if (sum <= RHM_TAU * layer->mean_sum) { /* seen or not */
            counted++;
            for (size_t c = 0; c < 8; c++)
                f[c] = 0.125;
        }
        assert_true(relative(8, f, probability + 8 * i) < 1e-9);
        for (size_t c = 0; c < 8; c++)
            assert_true(probability[8 * i + c] <= probability[8 * i + got[i]]);
    }
    assert_int_equal(counted, unknown);
    assert_true(unseen > 0);
    rhm_chain_clear(&chain);
    rhm_network_free(net);
    rhm_grammar_clear(&g);
}

/* Few features and few steps: sums of trained patches that nearly cancel. Without a limit their q^ would be
 * anywhere; those of known patches stay within limits. */
static void test_trained_patches_without_an_output(void **state)
{
    (void)state;
    size_t unknown = 0, wild = 0, known = 0;
    double worst = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct rhm_grammar g = draw_grammar((struct shape){8, 4, 2, 1, 8}, seed);
        struct rhm_network *net = create(&g, 64, RHM_CODEBOOK_CENTROID);
        struct rhm_train_options how = from_grammar(net, &g, 60);
        how.solver = seed % 2 ? RHM_SOLVER_GD : RHM_SOLVER_EXACT;
        how.steps = 5;
        must(rhm_network_train(net, &how, NULL, NULL, &err));
        const struct rhm_layer *layer = net->layer[1];
        for (size_t row = 0; row < layer->tally.patches.n; row++) {
            double f[8], sum = output_of(layer, rhm_tuples_row(&layer->tally.patches, row), f);
            int beyond = sum <= RHM_TAU * layer->mean_sum;
            assert_int_equal(layer->unknown[row], beyond);
            if (!beyond) {
                known++;
                worst = fmax(worst, largest(8, layer->output + row * 8));
                assert_true(relative(8, f, layer->output + row * 8) < 1e-9);
                continue;
            }
            unknown++;
            wild += sum > 0 && largest(8, f) > 5;
            for (size_t c = 0; c < 8; c++)
                assert_true(layer->output[row * 8 + c] == 0.125);
        }
        rhm_network_free(net);
        rhm_grammar_clear(&g);
    }
    print_message("%zu patches unknown, %zu of them with a q^ above 5; %zu known, largest q^ %.2g\n", unknown,
                  wild, known, worst);
    assert_true(wild > 0 && known > 10 * unknown && worst < 1 / RHM_TAU);
}

/* ------------------------------------------------------------ refusals */

static void test_the_order_of_work(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){4, 2, 2, 3, 4}, 1);
    struct rhm_network *net = create(&g, 64, RHM_CODEBOOK_CENTROID);
    struct rhm_train_options how = from_grammar(net, &g, 500);
    struct rhm_layer_view view;
    uint16_t tokens[8] = {0}, label;
    must_fail(rhm_network_step(net, 3, 1, NULL, &err), RHM_ESTATE, "layer 3", "step before begin");
    must_fail(rhm_network_finish(net, 3, NULL, &err), RHM_ESTATE, "layer 3", "finish before begin");
    must_fail(rhm_network_begin(net, 2, &how, NULL, &err), RHM_ESTATE, "layer 2", "layer 3 is not trained");
    must_fail(rhm_network_begin(net, 0, &how, NULL, &err), RHM_EARG, "layer 0", "1..3");
    must_fail(rhm_network_begin(net, 4, &how, NULL, &err), RHM_EARG, "layer 4", "1..3");
    must_fail(rhm_network_step(net, 4, 1, NULL, &err), RHM_EARG, "layer 4");
    must_fail(rhm_network_view(net, 4, 1, &view, &err), RHM_EARG, "layer 4");
    must_fail(rhm_network_predict(net, 1, tokens, &label, NULL, NULL, NULL, NULL, &err), RHM_ESTATE,
              "layer 3", "not trained");
    must(rhm_network_begin(net, 3, &how, NULL, &err));
    must_fail(rhm_network_step(net, 2, 1, NULL, &err), RHM_ESTATE, "layer 2", "step before begin");
    must_fail(rhm_network_finish(net, 3, NULL, &err), RHM_ESTATE, "layer 3", "before any step");
    must(rhm_network_step(net, 3, 10, NULL, &err));
    must(rhm_network_finish(net, 3, NULL, &err));
    must_fail(rhm_network_finish(net, 3, NULL, &err), RHM_ESTATE, "finish before begin");
    must(rhm_network_train(net, &how, NULL, NULL, &err));
    must(rhm_network_begin(net, 2, &how, NULL, &err)); /* layers below are dropped, those above stay */
    assert_non_null(net->layer[3]);
    assert_null(net->layer[2]);
    assert_null(net->layer[1]);
    must(rhm_network_view(net, 1, 1, &view, &err));
    assert_int_equal(view.trained, -1);
    rhm_network_free(net); /* in the middle of a layer */
    rhm_grammar_clear(&g);
}

static void test_sources_must_fit(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){4, 2, 2, 3, 4}, 1);
    struct rhm_network *net = create(&g, 64, RHM_CODEBOOK_CENTROID);
    struct rhm_train_options how = rhm_train_defaults(net);
    must_fail(rhm_network_train(net, &how, NULL, NULL, &err), RHM_EARG, "source");
    const struct shape others[] = {{5, 2, 2, 3, 4}, {4, 2, 3, 3, 4}, {4, 2, 2, 2, 4}, {4, 2, 2, 3, 3}};
    const char *const names[] = {"V = 5", "s = 3", "L = 2", "classes = 3"};
    for (size_t k = 0; k < COUNT(others); k++) {
        struct rhm_grammar other = draw_grammar(others[k], 1);
        how.grammar = &other;
        must_fail(rhm_network_train(net, &how, NULL, NULL, &err), RHM_EARG, "the grammar has", names[k],
                  "the network");
        rhm_grammar_clear(&other);
    }
    struct rhm_dataset data;
    how.grammar = NULL;
    how.data = &data;
    must(rhm_dataset_init(&data, 10, 9, 4, 4, &err));
    must_fail(rhm_network_train(net, &how, NULL, NULL, &err), RHM_EARG, "9 tokens", "2^3 = 8");
    double accuracy;
    must_fail(rhm_network_accuracy_on_data(net, &data, &accuracy, NULL, NULL, &err), RHM_EARG, "9 tokens");
    rhm_dataset_clear(&data);
    must(rhm_dataset_init(&data, 10, 8, 5, 4, &err));
    must_fail(rhm_network_train(net, &how, NULL, NULL, &err), RHM_EARG, "V = 5");
    must_fail(rhm_network_accuracy_on_data(net, &data, &accuracy, NULL, NULL, &err), RHM_EARG, "V = 5");
    rhm_dataset_clear(&data);
    must(rhm_dataset_init(&data, 10, 8, 4, 6, &err));
    must_fail(rhm_network_train(net, &how, NULL, NULL, &err), RHM_EARG, "classes = 6");
    rhm_dataset_clear(&data);
    must(rhm_dataset_init(&data, 10, 8, 4, 4, &err));
    how.n[2] = 11;
    must_fail(rhm_network_train(net, &how, NULL, NULL, &err), RHM_EARG, "n = 11", "layer 2", "10 strings");
    rhm_dataset_clear(&data);

    how = from_grammar(net, &g, 100);
    how.n[1] = (UINT64_C(1) << 53) + 1;
    must_fail(rhm_network_train(net, &how, NULL, NULL, &err), RHM_EARG, "9007199254740993", "layer 1",
              "2^53");
    how.n[1] = 100;
    how.lambda = -1;
    must_fail(rhm_network_train(net, &how, NULL, NULL, &err), RHM_EARG, "lambda = -1");
    how.lambda = NAN;
    must_fail(rhm_network_train(net, &how, NULL, NULL, &err), RHM_EARG, "lambda = ");
    how.lambda = 1e-4;
    how.eta = -2;
    must_fail(rhm_network_train(net, &how, NULL, NULL, &err), RHM_EARG, "eta = -2");
    how.eta = 0;
    how.solver = RHM_SOLVER_GD;
    how.steps = 0;
    must_fail(rhm_network_train(net, &how, NULL, NULL, &err), RHM_EARG, "steps = 0");
    how.steps = 10;
    must(rhm_network_train(net, &how, NULL, NULL, &err)); /* nothing of all that is left behind */
    rhm_network_free(net);
    rhm_grammar_clear(&g);
}

static void test_options_have_limits(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){4, 2, 2, 3, 5}, 1);
    struct rhm_network *net = NULL;
#define refuse(change, ...)                                                                                  \
    do {                                                                                                     \
        struct rhm_network_options o = rhm_network_defaults();                                               \
        o.grammar = &g;                                                                                      \
        change;                                                                                              \
        must_fail(rhm_network_create(&net, &o, &err), RHM_EARG, __VA_ARGS__);                                \
        assert_null(net);                                                                                    \
    } while (0)
    refuse(o.M = 7, "M = 7", "even");
    refuse(o.M = 0, "M = 0");
    refuse(o.M = -2, "M = -2");
    refuse(o.M = INT64_C(1) << 40, "M = 1099511627776");
    refuse(o.eps_O = 0, "eps_O = 0", "(0, 1)");
    refuse(o.eps_O = 1, "eps_O = 1", "(0, 1)");
    refuse(o.sigma = -0.5, "sigma = -0.5");
    refuse(o.sigma = NAN, "sigma = ");
    refuse(o.sigma = INFINITY, "sigma = inf");
    refuse(o.V = 6, "V = 6", "V = 4");
    refuse(o.classes = 4, "classes = 4", "classes = 5");
    refuse(o.s = 1, "s = 1");
    refuse(o.L = 63, "L = 63");
    refuse((o.grammar = NULL, o.V = 8, o.s = 2), "L = 0");
#undef refuse
    struct rhm_network_options o = rhm_network_defaults();
    o.grammar = &g;
    must(rhm_network_create(&net, &o, &err));
    assert_true(net->V == 4 && net->s == 2 && net->L == 3 && net->classes == 5 && net->M == 2048);
    assert_true(net->grammar != NULL && net->grammar != &g && net->grammar->rules != g.rules);
    rhm_network_free(net);
    o.L = 2; /* a wrong depth is a legitimate experiment, but then nothing of the truth is known */
    must(rhm_network_create(&net, &o, &err));
    assert_null(net->grammar);
    rhm_network_free(net);
    rhm_grammar_clear(&g);
}

/* ------------------------------------------------------------ failures */

/* At every budget from nothing up, training says so or succeeds; whatever layers are finished are whole. */
static void test_budgets_leave_the_network_usable(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){6, 4, 2, 3, 6}, 1);
    struct rhm_network *net = create(&g, 128, RHM_CODEBOOK_EXACT);
    struct rhm_train_options how = from_grammar(net, &g, 2000);
    size_t budget = rhm_memory_budget(), failures = 0;
    enum rhm_status status = RHM_EMEMORY;
    for (size_t bytes = 64; status != RHM_OK; bytes += bytes / 3) {
        struct rhm_error why = {0};
        rhm_memory_set_budget(bytes);
        status = rhm_network_train(net, &how, NULL, NULL, &why);
        rhm_memory_set_budget(budget);
        assert_true(status == RHM_OK || status == RHM_EMEMORY);
        assert_true(net->trainer == NULL && !net->claim.taken);
        failures += status != RHM_OK;
        if (status != RHM_OK)
            assert_true(strstr(why.text, "the budget is") != NULL && strchr(why.text, '\n') == NULL);
        for (unsigned l = 3; l >= 1; l--) {
            struct rhm_layer_view view;
            must(rhm_network_view(net, l, 1, &view, &err));
            assert_int_equal(view.trained, net->layer[l] ? 1 : -1);
            if (net->layer[l] != NULL)
                assert_true(view.N == 2000 && (l == 3 || net->layer[l + 1] != NULL));
            rhm_layer_view_clear(&view);
        }
    }
    assert_true(failures > 10);
    struct rhm_network *fresh = create(&g, 128, RHM_CODEBOOK_EXACT);
    must(rhm_network_train(fresh, &how, NULL, NULL, &err));
    compare_networks(net, fresh, 0);
    rhm_network_free(fresh);
    rhm_network_free(net);
    rhm_grammar_clear(&g);
}

/* A finish that is interrupted, or fails at any budget, leaves the layer as it was: more steps and the finish
 * then give the bits of a layer that nobody disturbed. */
static void test_finish_by_hand_can_be_called_again(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){6, 4, 2, 3, 6}, 1);
    struct rhm_network *net = create(&g, 64, RHM_CODEBOOK_CENTROID),
                       *other = create(&g, 64, RHM_CODEBOOK_CENTROID);
    struct rhm_train_options how = from_grammar(net, &g, 2000);
    struct rhm_monitor monitor;
    struct rhm_layer_view view;
    struct rhm_error why;
    size_t budget = rhm_memory_budget(), failures = 0;
    must(rhm_monitor_init(&monitor, &err));
    rhm_monitor_ask(&monitor, RHM_REQUEST_STOP);
    how.position = RHM_POSITION_ALL; /* with points of their own beside the outputs */
    for (unsigned l = 3; l >= 1; l--) {
        must(rhm_network_begin(net, l, &how, NULL, &err));
        must(rhm_network_step(net, l, 20, NULL, &err));
        must_fail(rhm_network_finish(net, l, &monitor, &err), RHM_ESTOP, "stopped");
        must(rhm_network_view(net, l, 1, &view, &err));
        assert_true(view.trained == 0 && view.steps == 20 && view.U > 0);
        rhm_layer_view_clear(&view);
        must(rhm_network_step(net, l, 5, NULL, &err));
        enum rhm_status status = RHM_EMEMORY;
        for (size_t bytes = 64; status != RHM_OK; bytes += bytes / 7) {
            rhm_memory_set_budget(bytes);
            status = rhm_network_finish(net, l, NULL, &why);
            rhm_memory_set_budget(budget);
            assert_true(status == RHM_OK || (status == RHM_EMEMORY && net->trainer && !net->layer[l]));
            failures += status != RHM_OK;
        }
        must(rhm_network_begin(other, l, &how, NULL, &err));
        must(rhm_network_step(other, l, 25, NULL, &err));
        must(rhm_network_finish(other, l, NULL, &err));
    }
    assert_true(failures > 30);
    compare_networks(net, other, 0);
    rhm_monitor_clear(&monitor);
    rhm_network_free(net);
    rhm_network_free(other);
    rhm_grammar_clear(&g);
}

static void test_finished_layers_stay(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){6, 4, 2, 4, 6}, 1);
    struct rhm_network *net = create(&g, 128, RHM_CODEBOOK_EXACT);
    struct rhm_train_options how = from_grammar(net, &g, 0);
    how.n[4] = how.n[3] = 50000;
    how.n[2] = how.n[1] = 1000000;
    size_t budget = rhm_memory_budget();
    rhm_memory_set_budget((size_t)10 << 20);
    must_fail(rhm_network_train(net, &how, NULL, NULL, &err), RHM_EMEMORY, "the exact codebook of layer 2",
              "10.0 MiB", "codebook = 'centroid'");
    rhm_memory_set_budget(budget);
    assert_true(net->layer[4] && net->layer[3] && !net->layer[2] && !net->layer[1]);
    how.n[2] = how.n[1] = 2000;
    for (unsigned l = 2; l >= 1; l--) { /* and the work goes on from there */
        must(rhm_network_begin(net, l, &how, NULL, &err));
        must(rhm_network_step(net, l, 20, NULL, &err));
        must(rhm_network_finish(net, l, NULL, &err));
    }
    uint16_t tokens[16], label;
    rhm_sample_strings(&g, 1, 0, 1, tokens, &label);
    must(rhm_network_predict(net, 1, tokens, &label, NULL, NULL, NULL, NULL, &err));
    rhm_network_free(net);
    rhm_grammar_clear(&g);
}

/* Another s at each level: learned from drawn samples, from the tally and from strings alike. */
static void test_levels_of_their_own(void **state)
{
    (void)state;
    const struct shape shapes[] = {
        {8, 4, S_OF(2, 3, 0), 2, 8}, {8, 4, S_OF(3, 2, 0), 2, 8}, {8, 3, S_OF(2, 3, 2), 3, 6}};
    for (size_t k = 0; k < COUNT(shapes); k++) {
        struct rhm_grammar g = draw_grammar(shapes[k], 4);
        struct rhm_dataset data;
        must(rhm_sample_dataset(&g, 4, 20000, &data, &err));
        for (int way = 0; way < 3; way++) {
            struct rhm_network *net = create(&g, 512, RHM_CODEBOOK_CENTROID);
            assert_true(net->s == 0 && net->d == g.d && net->grammar == NULL);
            struct rhm_train_options how = from_grammar(net, &g, 100000);
            how.sampler = way == 0 ? RHM_SAMPLER_DRAW : RHM_SAMPLER_TALLY;
            if (way == 2) {
                how = rhm_train_defaults(net);
                how.data = &data;
            }
            double own, on_data;
            must(rhm_network_train(net, &how, NULL, &own, &err));
            must(rhm_network_accuracy_on_data(net, &data, &on_data, NULL, NULL, &err));
            if (own < 1 - 1e-12 || on_data < 1)
                fail_msg("shape %zu, way %d: accuracy %.4f, on data %.4f", k, way, own, on_data);
            for (unsigned l = 1; l <= net->L; l++)
                assert_int_equal(net->layer[l]->tally.patches.s, g.branch[l]);
            rhm_network_free(net);
        }
        rhm_dataset_clear(&data);
        rhm_grammar_clear(&g);
    }
    /* a network of the same length, cut in another way */
    struct rhm_grammar g = draw_grammar((struct shape){8, 4, S_OF(2, 3, 0), 2, 8}, 1);
    struct rhm_network_options o = rhm_network_defaults();
    o.grammar = &g;
    o.branch[1] = 3;
    o.branch[2] = 2;
    struct rhm_network *net;
    must(rhm_network_create(&net, &o, &err));
    assert_null(net->grammar); /* no truth for these patches */
    struct rhm_train_options how = from_grammar(net, &g, 1000);
    double accuracy;
    must_fail(rhm_network_train(net, &how, NULL, NULL, &err), RHM_EARG, "s = {2,3}", "the network {3,2}");
    must_fail(rhm_network_accuracy_on_grammar(net, &g, &accuracy, NULL, NULL, &err), RHM_EARG,
              "(8, {2,3}, 2, 8)", "(8, {3,2}, 2, 8)");
    rhm_network_free(net);
    o = rhm_network_defaults();
    o.grammar = &g;
    o.L = 3;
    must_fail(rhm_network_create(&net, &o, &err), RHM_EARG, "L = 3", "give s as well");
    struct rhm_dataset data;
    must(rhm_dataset_init(&data, 2, 8, 8, 8, &err));
    o.L = 0;
    must(rhm_network_create(&net, &o, &err));
    must_fail(rhm_network_accuracy_on_data(net, &data, &accuracy, NULL, NULL, &err), RHM_EARG, "8 tokens",
              "2*3 = 6");
    rhm_network_free(net);
    rhm_dataset_clear(&data);
    rhm_grammar_clear(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels_of_their_own),
        cmocka_unit_test(test_trained_patches_without_an_output),
        cmocka_unit_test(test_learns_from_a_grammar),
        cmocka_unit_test(test_learns_with_other_features),
        cmocka_unit_test(test_learns_from_a_data_set),
        cmocka_unit_test(test_threads_do_not_matter),
        cmocka_unit_test(test_by_hand_is_the_same),
        cmocka_unit_test(test_a_layer_is_what_it_says),
        cmocka_unit_test(test_unseen_patches_go_by_their_features),
        cmocka_unit_test(test_unseen_patches_predict),
        cmocka_unit_test(test_the_order_of_work),
        cmocka_unit_test(test_sources_must_fit),
        cmocka_unit_test(test_options_have_limits),
        cmocka_unit_test(test_budgets_leave_the_network_usable),
        cmocka_unit_test(test_finish_by_hand_can_be_called_again),
        cmocka_unit_test(test_finished_layers_stay),
    };
    return cmocka_run_group_tests_name("network", tests, NULL, NULL);
}
