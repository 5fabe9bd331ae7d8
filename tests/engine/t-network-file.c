/* t-network-file.c - networks on disk: the same bits after a round trip, and every kind of bad file. */
#include "chain.h"
#include "scratch.h"

#include <hdf5.h>

#include "engine/base/memory.h"
#include "engine/chain/diagnose.h"
#include "engine/chain/network_file.h"
#include "engine/grammar/sample.h"
#include "engine/jobs/training.h"

/* ------------------------------------------------------------- helpers */

struct kind {
    enum rhm_feature_kind features;
    enum rhm_codebook_kind codebook;
    int from_data;
    enum rhm_solver solver;
    uint64_t n;
    double sigma;
};

static struct rhm_network *create(const struct rhm_grammar *g, const struct kind *kind)
{
    struct rhm_network_options options = sizes_of(g);
    options.M = 64;
    options.features = kind->features;
    options.codebook = kind->codebook;
    options.sigma = kind->sigma;
    options.seed = UINT64_MAX - 5;
    options.eps_O = 0.02;
    return create_from(&options);
}

static struct rhm_train_options how_to_train(const struct rhm_network *net, const struct kind *kind,
                                             const struct rhm_grammar *g, const struct rhm_dataset *data)
{
    struct rhm_train_options how = rhm_train_defaults(net);
    how.grammar = kind->from_data ? NULL : g;
    how.data = kind->from_data ? data : NULL;
    how.solver = kind->solver;
    how.steps = 40;
    for (unsigned l = 1; l <= net->L; l++)
        how.n[l] = kind->n;
    return how;
}

static struct rhm_network *load_network(const char *name)
{
    struct rhm_network *net = NULL;
    must(rhm_network_load(&net, in_folder(name), &err));
    return net;
}

static void same_doubles(size_t n, const double *a, const double *b)
{
    assert_true((a == NULL) == (b == NULL));
    if (a != NULL)
        assert_memory_equal(a, b, n * sizeof *a); /* nan, too */
}

static void same_views(struct rhm_network *a, struct rhm_network *b)
{
    for (unsigned l = 1; l <= a->L; l++) {
        struct rhm_layer_view x, y;
        must(rhm_network_view(a, l, 1, &x, &err));
        must(rhm_network_view(b, l, 1, &y, &err));
        assert_int_equal(x.trained, y.trained);
        assert_true(x.N == y.N && x.steps == y.steps && x.U == y.U && x.k == y.k && x.unknown == y.unknown);
        assert_true(x.solver == y.solver && x.parents_expected == y.parents_expected &&
                    x.parents_known == y.parents_known);
        const double numbers[][2] = {
            {x.sigma, y.sigma},
            {x.rho_in, y.rho_in},
            {x.eps_S_in, y.eps_S_in},
            {x.rho, y.rho},
            {x.eps_S, y.eps_S},
            {x.lambda, y.lambda},
            {x.eta, y.eta},
            {x.loss, y.loss},
            {x.gap, y.gap},
            {x.error, y.error},
            {x.error_max, y.error_max},
            {x.accuracy, y.accuracy},
            {x.condition, y.condition},
            {x.lambda_max, y.lambda_max},
        };
        for (size_t i = 0; i < COUNT(numbers); i++)
            assert_true(numbers[i][0] == numbers[i][1] || (isnan(numbers[i][0]) && isnan(numbers[i][1])));
        assert_int_equal(x.history.n, y.history.n);
        for (size_t i = 0; i < x.history.n; i++) {
            assert_true(x.history.point[i].step == y.history.point[i].step);
            same_doubles(4, &x.history.point[i].loss, &y.history.point[i].loss);
        }
        if (x.trained == 1) {
            assert_memory_equal(x.tuple, y.tuple, x.U * x.s * sizeof *x.tuple);
            assert_memory_equal(x.count, y.count, x.U * sizeof *x.count);
            assert_memory_equal(x.cluster, y.cluster, x.U * sizeof *x.cluster);
            assert_memory_equal(x.parent, y.parent, x.U * sizeof *x.parent);
            assert_memory_equal(x.is_unknown, y.is_unknown, x.U);
            same_doubles(x.U * x.C, x.q, y.q);
            same_doubles(x.U * x.C, x.q_exact, y.q_exact);
        }
        rhm_layer_view_clear(&x);
        rhm_layer_view_clear(&y);
    }
}

static void same_diagnosis(struct rhm_network *a, struct rhm_network *b)
{
    for (unsigned l = 1; l <= a->L; l++) {
        struct rhm_diagnosis x, y;
        must(rhm_network_diagnose(a, l, &x, &err));
        must(rhm_network_diagnose(b, l, &y, &err));
        assert_true(x.eps_O == y.eps_O && x.eps_O_rms == y.eps_O_rms && x.misplaced == y.misplaced);
        assert_true(x.untrained == y.untrained && x.unknown == y.unknown && x.warnings == y.warnings);
        for (int i = 0; i < x.warnings; i++)
            assert_string_equal(x.warning[i], y.warning[i]);
    }
}

/* On random tokens: most are no strings of the grammar, so that patches never seen go forward. */
static void same_predictions(struct rhm_network *a, struct rhm_network *b)
{
    enum { N = 300 };
    size_t unknown[2];
    uint16_t *tokens = room(N * a->d, sizeof *tokens), labels[2][N];
    double *p[2] = {room((size_t)N * a->classes, sizeof(double)),
                    room((size_t)N * a->classes, sizeof(double))};
    struct rhm_rng rng = rhm_rng_start(1, RHM_STREAM_TEST, 0);
    for (size_t i = 0; i < N * a->d; i++)
        tokens[i] = (uint16_t)rhm_rng_below(&rng, a->V);
    must(rhm_network_predict(a, N, tokens, labels[0], p[0], &unknown[0], NULL, NULL, &err));
    must(rhm_network_predict(b, N, tokens, labels[1], p[1], &unknown[1], NULL, NULL, &err));
    assert_memory_equal(labels[0], labels[1], sizeof labels[0]);
    same_doubles((size_t)N * a->classes, p[0], p[1]);
    assert_int_equal(unknown[0], unknown[1]);
    free(tokens);
    free(p[0]);
    free(p[1]);
}

static void same_options(const struct rhm_network *a, const struct rhm_network *b)
{
    assert_true(a->V == b->V && a->s == b->s && a->L == b->L && a->classes == b->classes && a->d == b->d);
    assert_memory_equal(a->branch, b->branch, sizeof a->branch);
    assert_true(a->M == b->M && a->features == b->features && a->codebook == b->codebook);
    assert_true(a->seed == b->seed && a->sigma == b->sigma && a->eps_O == b->eps_O);
    assert_true((a->grammar == NULL) == (b->grammar == NULL));
    if (a->grammar == NULL)
        return;
    const struct rhm_grammar *g = a->grammar, *h = b->grammar;
    assert_true(g->m == h->m && g->seed == h->seed && g->seeded == h->seeded);
    assert_memory_equal(g->rules, h->rules, g->level[g->L + 1] * sizeof(uint16_t));
    assert_true(g->ensemble == h->ensemble && g->shuffle == h->shuffle && g->zipf == h->zipf);
    assert_true((g->p == NULL) == (h->p == NULL));
    size_t rules = (g->classes + (g->L - 1) * g->V) * g->m;
    if (g->p)
        assert_memory_equal(g->p, h->p, rules * sizeof *g->p);
}

/* ---------------------------------------------------------- round trips */

static void test_a_round_trip_changes_nothing(void **state)
{
    (void)state;
    const struct kind kinds[] = {
        {RHM_FEATURES_RBF, RHM_CODEBOOK_CENTROID, 0, RHM_SOLVER_EXACT, 5000, 0},
        {RHM_FEATURES_RBF, RHM_CODEBOOK_EXACT, 0, RHM_SOLVER_GD, 300, 0},
        {RHM_FEATURES_ORF, RHM_CODEBOOK_CENTROID, 1, RHM_SOLVER_EXACT, 0, 0},
        {RHM_FEATURES_RELU, RHM_CODEBOOK_CENTROID, 0, RHM_SOLVER_EXACT, 5000, 0.6},
        {RHM_FEATURES_RELU, RHM_CODEBOOK_EXACT, 1, RHM_SOLVER_GD, 40, 0},
        {RHM_FEATURES_RBF, RHM_CODEBOOK_CENTROID, 1, RHM_SOLVER_EXACT, 30, 0.3},
    };
    const struct shape shapes[] = {{6, 4, 2, 3, 5}, {4, 3, 3, 2, 7}, {4, 3, S_OF(3, 2, 0), 2, 5}};
    for (size_t s = 0; s < COUNT(shapes); s++)
        for (size_t k = 0; k < COUNT(kinds); k++) {
            struct rhm_grammar g = draw_grammar(shapes[s], k);
            struct rhm_dataset data;
            if (k == 0)
                must(rhm_grammar_set_zipf(&g, 1.25, &err));
            else if (k % 2)
                free(weigh(&g, k));
            must(rhm_sample_dataset(&g, 4, 2000, &data, &err));
            struct rhm_network *net = create(&g, &kinds[k]);
            struct rhm_train_options how = how_to_train(net, &kinds[k], &g, &data);
            must(rhm_network_train(net, &how, NULL, NULL, &err));
            must(rhm_network_save(net, in_folder("net.h5"), &err));
            struct rhm_network *back = load_network("net.h5");
            same_options(net, back);
            same_views(net, back);
            same_diagnosis(net, back);
            same_predictions(net, back);
            double accuracy[2];
            must(rhm_network_accuracy_on_grammar(net, &g, &accuracy[0], NULL, NULL, &err));
            must(rhm_network_accuracy_on_grammar(back, &g, &accuracy[1], NULL, NULL, &err));
            assert_true(accuracy[0] == accuracy[1]);
            must(rhm_network_save(back, in_folder("net.h5"), &err)); /* and once more, over the file */
            struct rhm_network *again = load_network("net.h5");
            same_views(net, again);
            same_predictions(net, again);
            assert_no_temporaries();
            rhm_network_free(net);
            rhm_network_free(back);
            rhm_network_free(again);
            rhm_dataset_clear(&data);
            rhm_grammar_clear(&g);
        }
}

/* Saved after each layer: what was saved goes on exactly as what was not. */
static void test_training_goes_on_after_loading(void **state)
{
    (void)state;
    for (int book = 0; book < 2; book++)
        for (int from_data = 0; from_data < 2; from_data++) {
            struct kind kind = {
                RHM_FEATURES_RBF, (enum rhm_codebook_kind)book, from_data, RHM_SOLVER_GD, 200, 0};
            struct rhm_grammar g = draw_grammar((struct shape){6, 4, 2, 3, 6}, 1);
            struct rhm_dataset data;
            must(rhm_sample_dataset(&g, 4, 200, &data, &err));
            struct rhm_network *net = create(&g, &kind), *back;
            struct rhm_train_options how = how_to_train(net, &kind, &g, &data);
            must(rhm_network_save(net, in_folder("part.h5"), &err)); /* nothing trained */
            back = load_network("part.h5");
            same_options(net, back);
            for (unsigned l = 3; l >= 1; l--) {
                for (int k = 0; k < 2; k++) {
                    struct rhm_network *own = k ? back : net;
                    must(rhm_network_begin(own, l, &how, NULL, &err));
                    must(rhm_network_step(own, l, 25, NULL, &err));
                    must(rhm_network_finish(own, l, NULL, &err));
                }
                same_views(net, back);
                must(rhm_network_save(back, in_folder("part.h5"), &err));
                rhm_network_free(back);
                back = load_network("part.h5");
                same_views(net, back);
            }
            same_options(net, back);
            same_predictions(net, back);
            rhm_network_free(net);
            rhm_network_free(back);
            rhm_dataset_clear(&data);
            rhm_grammar_clear(&g);
        }
}

/* Whatever is finished at the moment is what the file holds. */
static void test_saving_while_a_job_runs(void **state)
{
    (void)state;
    struct kind kind = {RHM_FEATURES_RBF, RHM_CODEBOOK_CENTROID, 0, RHM_SOLVER_GD, 20000, 0};
    struct rhm_grammar g = draw_grammar((struct shape){6, 4, 2, 3, 6}, 1);
    struct rhm_network *net = create(&g, &kind);
    struct rhm_train_options how = how_to_train(net, &kind, &g, NULL);
    how.steps = 60;
    how.steps_per_second = 1000;
    struct rhm_job *job;
    must(rhm_network_start(&job, net, &how, &err));
    unsigned layers = 0, partly = 0;
    do {
        must(rhm_network_save(net, in_folder("running.h5"), &err));
        struct rhm_network *back = load_network("running.h5");
        unsigned now = 0;
        for (unsigned l = 1; l <= 3; l++)
            now += back->layer[l] != NULL;
        assert_true(now >= layers);
        partly += now > 0 && now < 3;
        layers = now;
        rhm_network_free(back);
    } while (rhm_job_wait(job, 0) < RHM_JOB_DONE);
    rhm_job_free(job);
    assert_true(partly > 0);
    rhm_network_free(net);
    rhm_grammar_clear(&g);
}

/* ------------------------------------------------------------- bad files */

static void refused(const char *name, const char *word)
{
    struct rhm_network *net = NULL;
    must_fail(rhm_network_load(&net, in_folder(name), &err), RHM_EFILE, in_folder(name), word);
    assert_null(net);
    assert_int_equal(rhm_network_load(&net, in_folder(name), NULL), RHM_EFILE);
}

static void save_example(const char *name)
{
    struct kind kind = {RHM_FEATURES_RELU, RHM_CODEBOOK_EXACT, 0, RHM_SOLVER_GD, 60, 0};
    struct rhm_grammar g = draw_grammar((struct shape){4, 2, 2, 3, 3}, 1);
    struct rhm_network *net = create(&g, &kind);
    struct rhm_train_options how = how_to_train(net, &kind, &g, NULL);
    must(rhm_network_train(net, &how, NULL, NULL, &err));
    must(rhm_network_save(net, in_folder(name), &err));
    rhm_network_free(net);
    rhm_grammar_clear(&g);
}

static void test_foreign_files(void **state)
{
    (void)state;
    refused("nothing.h5", "No such file");
    write_text("text.h5", "not a file of this kind\n");
    refused("text.h5", "not an HDF5 file");
    write_text("empty.h5", "");
    refused("empty.h5", "the file is empty");
    struct rhm_dataset data;
    must(rhm_dataset_init(&data, 3, 4, 5, 6, &err));
    must(rhm_dataset_save(&data, in_folder("data.h5"), &err));
    refused("data.h5", "not a network saved by rhm");
    rhm_dataset_clear(&data);
}

static void test_truncated_files(void **state)
{
    (void)state;
    save_example("whole.h5");
    static char bytes[1 << 22];
    size_t size = read_bytes("whole.h5", bytes, sizeof bytes);
    assert_in_range(size, 10000, sizeof bytes - 1);
    for (size_t cut = 1; cut < size; cut += cut < 200 ? 17 : size / 60) {
        write_bytes("cut.h5", bytes, cut);
        refused("cut.h5", "");
    }
}

/* What may be wrong inside a file that is otherwise sound: one element set, one shape changed. */
static void set_element(const char *set_name, hsize_t at, double value)
{
    hid_t file = H5Fopen(in_folder("bad.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t set = H5Dopen2(file, set_name, H5P_DEFAULT);
    assert_true(set >= 0);
    hid_t space = H5Dget_space(set);
    hssize_t n = H5Sget_simple_extent_npoints(space);
    double *x = room((size_t)n, sizeof *x);
    assert_true(at < (hsize_t)n);
    assert_true(H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) >= 0);
    x[at] = value;
    assert_true(H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) >= 0);
    free(x);
    H5Sclose(space);
    H5Dclose(set);
    H5Fclose(file);
}

/* The law of a grammar that is not uniform: what cannot be is refused. */
static void test_the_law_of_the_grammar(void **state)
{
    (void)state;
    struct rhm_grammar g;
    struct rhm_grammar_shape shape = {4, 4, 2, 2, 3, {0}};
    must(rhm_grammar_draw_latin(&g, &shape, 0.25, 7, &err));
    must(rhm_grammar_set_zipf(&g, 0.5, &err));
    struct rhm_network_options options = rhm_network_defaults();
    options.grammar = &g;
    struct rhm_network *net;
    must(rhm_network_create(&net, &options, &err));
    const struct {
        const char *set;
        hsize_t at;
        double value;
        const char *word;
    } bad[] = {
        {"grammar/ensemble", 0, 2, "ensemble number 2"},
        {"grammar/shuffle", 0, 1.5, "shuffle = 1.5"},
        {"grammar/zipf", 0, -1, "zipf = -1"},
        {"grammar/p", 13, 0, "level 2, symbol 1, rule 2: 0"},
        {"grammar/p", 13, NAN, "\"grammar/p\" holds nan"},
    };
    for (size_t i = 0; i <= COUNT(bad); i++) {
        must(rhm_network_save(net, in_folder("bad.h5"), &err));
        if (i == COUNT(bad))
            break;
        set_element(bad[i].set, bad[i].at, bad[i].value);
        refused("bad.h5", bad[i].word);
    }
    struct rhm_network *back = load_network("bad.h5");
    same_options(net, back);
    assert_true(back->grammar->zipf == 0.5 && back->grammar->shuffle == 0.25);
    rhm_network_free(net);
    rhm_network_free(back);
    rhm_grammar_clear(&g);
}

static void replace(const char *set_name, hid_t type, int rank, hsize_t rows, hsize_t cols)
{
    hsize_t extents[2] = {rows, cols};
    hid_t file = H5Fopen(in_folder("bad.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(H5Ldelete(file, set_name, H5P_DEFAULT) >= 0);
    if (rank >= 0) {
        hid_t space = H5Screate_simple(rank, extents, NULL);
        hid_t set = H5Dcreate2(file, set_name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        assert_true(set >= 0);
        H5Dclose(set);
        H5Sclose(space);
    }
    H5Fclose(file);
}

static void set_attribute(const char *name, unsigned value)
{
    hid_t file = H5Fopen(in_folder("bad.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t own = H5Aopen(file, name, H5P_DEFAULT);
    assert_true(H5Awrite(own, H5T_NATIVE_UINT, &value) >= 0);
    H5Aclose(own);
    H5Fclose(file);
}

static void fresh_copy(void)
{
    static char bytes[1 << 22];
    size_t size = read_bytes("sound.h5", bytes, sizeof bytes);
    write_bytes("bad.h5", bytes, size);
}

static void test_wrong_numbers(void **state)
{
    (void)state;
    save_example("sound.h5");
    const struct {
        const char *set;
        hsize_t at;
        double value;
        const char *word;
    } bad[] = {
        {"layer3/patches", 1, 4, "layer 3: \"patches\" holds 4 at place 1: must be below 4"},
        {"layer2/patches", 0, 4e9, "layer 2: \"patches\" holds 4000000000"},
        {"layer3/counts", 0, 0x1p60, "pass 2^53"},
        {"layer3/unknown", 2, 2, "\"unknown\" holds 2"},
        {"layer3/parent", 0, 77, "\"parent\" holds 77"},
        {"layer1/parent", 0, 3, "layer 1: \"parent\" holds 3"},
        {"layer3/cluster", 0, 1e6, "\"cluster\" holds 1000000 at place 0"},
        {"layer3/order", 0, 1e15, "\"order\" holds 1000000000000000"},
        {"layer2/code", 3, 1e9, "layer 2: \"code\" holds 1000000000"},
        {"layer2/coded_patches", 3, 1e9, "\"coded_patches\" holds 1000000000"},
        {"layer2/code_parent", 0, 4, "\"code_parent\" holds 4"},
        {"layer2/unknown_code", 0, 1e9, "the code of unknown patches is 1000000000"},
        {"layer2/inputs", 0, 1e9, "1000000000 input codes"},
        {"layer2/inputs", 0, 0, "0 input codes"},
        {"layer3/inputs", 0, 3, "3 input codes"},
        {"layer3/history", 5, -1, "\"history\" has step -1"},
        {"layer3/solver", 0, 2, "its solver is number 2"},
        {"layer3/mean_sum", 0, NAN, "mean sum"},
        {"layer3/sigma", 0, 0, "sigma = 0"},
        {"layer3/sigma", 0, -1, "sigma = -1"},
        {"layer3/sigma", 0, NAN, "sigma = "},
        {"layer3/W", 5, INFINITY, "\"W\" holds inf at [0,5]"},
        {"layer3/output", 0, NAN, "\"output\" holds"},
        {"layer3/sum", 0, NAN, "\"sum\" holds"},
        {"layer3/frequency", 0, NAN, "\"frequency\" holds"},
        {"layer3/bias", 0, NAN, "\"bias\" holds"},
        {"layer3/centroid", 0, NAN, "\"centroid\" holds"},
        {"layer2/code_embedding", 0, NAN, "\"code_embedding\" holds"},
        {"grammar/rules", 0, 9, "rules: child 10"},
        {"grammar/m", 0, 3, "\"grammar/rules\" is 44 x 1: must be 66 x 1"},
        {"grammar/m", 0, 9, "exceeds V^s"},
        {"s", 1, 3, "\"grammar/rules\" is 44 x 1: must be 52 x 1"},
        {"s", 0, 1, "s[1] = 1"},
        {"s", 2, 4e9, "s[3] = 4000000000"},
        {"eps_O", 0, 2, "eps_O = 2"},
        {"sigma", 0, -1, "sigma = -1"},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        fresh_copy();
        set_element(bad[i].set, bad[i].at, bad[i].value);
        refused("bad.h5", bad[i].word);
    }
    const struct {
        const char *name;
        unsigned value;
        const char *word;
    } attributes[] = {
        {"rhm_network", 1, "format 1: this version of rhm reads format 2"},
        {"V", 5, "\"grammar/rules\" is 44 x 1: must be 52 x 1"},
        {"V", 0, "V = 0"},
        {"L", 2, "\"s\" is 3 x 1: must be 2 x 1"},
        {"L", 4, "\"s\" is 3 x 1: must be 4 x 1"},
        {"L", 4000000000u, "L = 4000000000"},
        {"classes", 0, "classes = 0"},
        {"classes", 4, ""},
        {"M", 62, ""},
        {"M", 63, "M = 63"},
        {"M", 4000000000u, "M = 4000000000"},
        {"features", 3, "its features are number 3"},
        {"codebook", 2, "its codebook is number 2"},
        {"codebook", 0, "codes of"},
    };
    for (size_t i = 0; i < COUNT(attributes); i++) {
        fresh_copy();
        set_attribute(attributes[i].name, attributes[i].value);
        refused("bad.h5", attributes[i].word);
    }
}

static void test_wrong_shapes(void **state)
{
    (void)state;
    save_example("sound.h5");
    fresh_copy();
    replace("layer3/W", H5T_IEEE_F64LE, 2, 3, 65);
    refused("bad.h5", "data set \"layer3/W\" is 3 x 65: must be 3 x 64");
    fresh_copy();
    replace("layer3/W", H5T_IEEE_F64LE, 1, 192, 0);
    refused("bad.h5", "\"layer3/W\" has 1 dimensions: must have 2");
    fresh_copy();
    replace("layer3/W", H5T_STD_I32LE, 2, 3, 64);
    refused("bad.h5", "\"layer3/W\" does not hold real numbers");
    fresh_copy();
    replace("layer3/W", 0, -1, 0, 0);
    refused("bad.h5", "no data set \"layer3/W\"");
    fresh_copy();
    replace("layer2", 0, -1, 0, 0);
    refused("bad.h5", "layer 1: trained, but layer 2 is not");
    fresh_copy();
    replace("layer2", H5T_IEEE_F64LE, 1, 5, 0); /* a data set where a group should be */
    refused("bad.h5", "no data set \"layer2/");
    fresh_copy();
    replace("layer3/patches", H5T_STD_U32LE, 2, 0, 2);
    refused("bad.h5", "\"layer3/patches\"");
    fresh_copy();
    replace("layer3/patches", H5T_STD_U32LE, 2, 1, 2);
    refused("bad.h5", "\"layer3/counts\"");
    fresh_copy();
    replace("layer3/sigma", H5T_IEEE_F64LE, 1, 2, 0);
    refused("bad.h5", "\"layer3/sigma\" has 1 dimensions: must have 0");
    fresh_copy();
    replace("layer2/code_embedding", H5T_IEEE_F64LE, 2, (hsize_t)1 << 40,
            3); /* promises 24 TiB, holds nothing */
    struct rhm_network *net = NULL;
    must_fail(rhm_network_load(&net, in_folder("bad.h5"), &err), RHM_EMEMORY, in_folder("bad.h5"),
              "layer2/code_embedding", "24.0 TiB");
    assert_null(net);
}

/* ------------------------------------------------------------------ fuzz */

/* Loads what may be damaged: one line of error, or a network with which all can be done. */
static int try_all(const char *name)
{
    struct rhm_error err = {0};
    struct rhm_network *net = NULL;
    if (rhm_network_load(&net, in_folder(name), &err) != RHM_OK) {
        assert_null(strchr(err.text, '\n'));
        assert_non_null(strstr(err.text, name));
        return 0;
    }
    uint16_t tokens[40 * 8], labels[40];
    for (size_t i = 0; i < 40 * 8; i++)
        tokens[i] = (uint16_t)(i * i * 7 % 11 % 4);
    for (unsigned l = 1; l <= net->L; l++) {
        struct rhm_layer_view view;
        struct rhm_diagnosis diagnosis;
        rhm_network_view(net, l, 1, &view, &err);
        rhm_layer_view_clear(&view);
        rhm_network_diagnose(net, l, &diagnosis, &err);
    }
    double accuracy;
    if (net->d == 8 && net->V == 4)
        rhm_network_predict(net, 40, tokens, labels, NULL, NULL, NULL, NULL, &err);
    if (net->grammar != NULL)
        rhm_network_accuracy_on_grammar(net, net->grammar, &accuracy, NULL, NULL, &err);
    rhm_network_free(net);
    return 1;
}

struct names {
    size_t n;
    char name[200][48];
};

static herr_t note(hid_t file, const char *name, const H5L_info_t *info, void *context)
{
    struct names *names = context;
    H5O_info_t object;
    (void)info;
    if (H5Oget_info_by_name(file, name, &object, H5P_DEFAULT) >= 0 && object.type == H5O_TYPE_DATASET)
        snprintf(names->name[names->n++], sizeof names->name[0], "%s", name);
    return 0;
}

/* Each data set of the file, with its first, middle and last element set to values no writer would write. */
static void test_every_element_may_be_wrong(void **state)
{
    (void)state;
    save_example("sound.h5");
    struct names names = {0};
    hid_t file = H5Fopen(in_folder("sound.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(H5Lvisit(file, H5_INDEX_NAME, H5_ITER_INC, note, &names) >= 0);
    assert_true(names.n > 100);
    const double values[] = {0, 1, 3, 17, 4294967294.0, 4294967295.0, 1.8e19, -1, -1e300, 1e300, NAN};
    unsigned loaded = 0, tried = 0;
    struct rhm_rng rng = rhm_rng_start(2, RHM_STREAM_TEST, 0);
    for (size_t k = 0; k < names.n; k++)
        for (size_t v = 0; v < COUNT(values); v += getenv("VALGRIND") ? 5 : 1) {
            hid_t set = H5Dopen2(file, names.name[k], H5P_DEFAULT), space = H5Dget_space(set);
            uint64_t n = (uint64_t)H5Sget_simple_extent_npoints(space);
            H5Sclose(space);
            H5Dclose(set);
            fresh_copy();
            set_element(names.name[k], rhm_rng_below(&rng, n), values[v]);
            loaded += (unsigned)try_all("bad.h5");
            tried++;
        }
    H5Fclose(file);
    print_message("%u files with a wrong number, %u loaded all the same\n", tried, loaded);
    assert_true(loaded > 0 && loaded < tried);
}

/* ---------------------------------------------------------------- saving */

static void test_a_failed_save_leaves_the_old_file(void **state)
{
    (void)state;
    save_example("old.h5");
    struct rhm_network *net = load_network("old.h5");
    must_fail(rhm_network_save(net, in_folder("no/such/folder.h5"), &err), RHM_EFILE, "no/such/folder.h5",
              "No such file");
    must_fail(rhm_network_save(net, folder, &err), RHM_EFILE, "Is a directory");
    size_t budget = rhm_memory_budget();
    rhm_memory_set_budget(40000);
    must_fail(rhm_network_save(net, in_folder("old.h5"), &err), RHM_EMEMORY, "the file of the network");
    rhm_memory_set_budget(budget);
    struct rhm_network *back = load_network("old.h5");
    same_views(net, back);
    assert_no_temporaries();
    rhm_network_free(net);
    rhm_network_free(back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_round_trip_changes_nothing),
        cmocka_unit_test(test_the_law_of_the_grammar),
        cmocka_unit_test(test_training_goes_on_after_loading),
        cmocka_unit_test(test_saving_while_a_job_runs),
        cmocka_unit_test(test_foreign_files),
        cmocka_unit_test(test_truncated_files),
        cmocka_unit_test(test_wrong_numbers),
        cmocka_unit_test(test_wrong_shapes),
        cmocka_unit_test(test_every_element_may_be_wrong),
        cmocka_unit_test(test_a_failed_save_leaves_the_old_file),
    };
    return cmocka_run_group_tests_name("network-file", tests, make_folder, remove_folder);
}
