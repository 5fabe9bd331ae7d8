/* t-network.c - the chain: training, by hand and at once, unseen patches. */
#include "chain.h"

#include "engine/base/memory.h"
#include "engine/base/threads.h"
#include "engine/chain/chain.h"
#include "engine/grammar/sample.h"
#include "engine/grammar/signal.h"

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
            struct rhm_network *net = create_sized(&g, book ? 512 : 1024, (enum rhm_codebook_kind)book);
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
    struct rhm_network *net = create_sized(&g, 512, RHM_CODEBOOK_CENTROID);
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
                net[k] = create_sized(&g, 256, RHM_CODEBOOK_CENTROID);
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
    struct rhm_network *at_once = create_sized(&g, 256, RHM_CODEBOOK_CENTROID);
    struct rhm_network *by_hand = create_sized(&g, 256, RHM_CODEBOOK_CENTROID);
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
    struct rhm_network *net = create_sized(&g, 256, RHM_CODEBOOK_CENTROID);
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
    struct rhm_network *net = create_sized(&g, 512, RHM_CODEBOOK_CENTROID);
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
        struct rhm_network *net = create_sized(&g, 64, RHM_CODEBOOK_CENTROID);
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
            struct rhm_network *net = create_sized(&g, 512, RHM_CODEBOOK_CENTROID);
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
    };
    return cmocka_run_group_tests_name("network", tests, NULL, NULL);
}
