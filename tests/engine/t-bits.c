/* t-bits.c - one training, many ways: at once, by hand in odd portions, as a job that is paused and looked at
 * whenever it pleases, in the queue, on any number of threads, beside others. The files are the same, byte
 * for byte. */
#include "common.h"
#include "scratch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "engine/base/threads.h"
#include "engine/chain/network_file.h"
#include "engine/grammar/sample.h"
#include "engine/jobs/training.h"

#define STEPS 250

/* What is trained, and from what. M = 16 has fewer features than patches, 128 more: the ridge steps in W or
 * in the dual. */
struct kind {
    const char *name;
    size_t M;
    enum rhm_codebook_kind codebook;
    int from_data;
    uint64_t n;
    enum rhm_position position;
};
static const struct kind kinds[] = {{"primal", 16, RHM_CODEBOOK_CENTROID, 0, 20000, RHM_POSITION_FIRST},
                                    {"dual", 128, RHM_CODEBOOK_CENTROID, 0, 20000, RHM_POSITION_FIRST},
                                    {"exact codebook", 64, RHM_CODEBOOK_EXACT, 0, 2000, RHM_POSITION_FIRST},
                                    {"data set", 64, RHM_CODEBOOK_CENTROID, 1, 1500, RHM_POSITION_FIRST},
                                    {"all places", 64, RHM_CODEBOOK_CENTROID, 0, 2000, RHM_POSITION_ALL}};

static struct rhm_grammar grammar;
static struct rhm_dataset data;

static struct rhm_network *create(const struct kind *kind)
{
    struct rhm_network_options options = rhm_network_defaults();
    options.V = grammar.V;
    options.s = grammar.s;
    options.L = grammar.L;
    options.classes = grammar.classes;
    options.M = (int64_t)kind->M;
    options.codebook = kind->codebook;
    struct rhm_network *net;
    must(rhm_network_create(&net, &options, &err));
    return net;
}

static struct rhm_train_options how_to_train(const struct rhm_network *net, const struct kind *kind)
{
    struct rhm_train_options how = rhm_train_defaults(net);
    how.grammar = kind->from_data ? NULL : &grammar;
    how.data = kind->from_data ? &data : NULL;
    how.solver = RHM_SOLVER_GD;
    how.steps = STEPS;
    how.position = kind->position;
    for (unsigned l = 1; l <= net->L; l++)
        how.n[l] = kind->n;
    return how;
}

/* Saves and frees the network; its file must be that of the first one. */
static void compare(struct rhm_network *net, const struct kind *kind, const char *way)
{
    static char first[1 << 22], own[1 << 22];
    int is_first = strcmp(way, "at once") == 0;
    must(rhm_network_save(net, in_folder(is_first ? "first.h5" : "own.h5"), &err));
    rhm_network_free(net);
    size_t size = read_bytes("first.h5", first, sizeof first);
    assert_true(size > 10000 && size < sizeof first);
    if (is_first)
        return;
    assert_int_equal(read_bytes("own.h5", own, sizeof own), size);
    for (size_t i = 0; i < size; i++)
        if (first[i] != own[i])
            fail_msg("%s, %s: byte %zu of %zu differs", kind->name, way, i, size);
}

static void look(struct rhm_network *net)
{
    for (unsigned l = 1; l <= net->L; l++) {
        struct rhm_layer_view view;
        must(rhm_network_view(net, l, 1, &view, &err));
        rhm_layer_view_clear(&view);
    }
}

static void train_by_hand(struct rhm_network *net, const struct rhm_train_options *how,
                          const uint64_t *portions, size_t n)
{
    for (unsigned l = net->L; l >= 1; l--) {
        uint64_t done = 0;
        must(rhm_network_begin(net, l, how, NULL, &err));
        for (size_t i = 0; done < STEPS; i++) {
            uint64_t k = portions[i % n] < STEPS - done ? portions[i % n] : STEPS - done;
            must(rhm_network_step(net, l, k, NULL, &err));
            done += k;
            if (i % 3 == 0)
                look(net);
        }
        must(rhm_network_finish(net, l, NULL, &err));
    }
}

static void doze(double seconds)
{
    nanosleep(&(struct timespec){(time_t)seconds, (long)(1e9 * (seconds - floor(seconds)))}, NULL);
}

/* Returns how often it was paused. */
static unsigned train_with_pauses(struct rhm_network *net, const struct rhm_train_options *how, int queued,
                                  struct rhm_rng *rng)
{
    struct rhm_job *job;
    unsigned pauses = 0;
    if (queued)
        must(rhm_network_queue(&job, net, how, &err));
    else
        must(rhm_network_start(&job, net, how, &err));
    for (;;) {
        doze(0.003 * rhm_rng_uniform(rng));
        rhm_job_pause(job);
        if (rhm_job_wait(job, -1) != RHM_JOB_PAUSED)
            break;
        pauses++;
        if (rhm_rng_below(rng, 2))
            look(net);
        rhm_job_resume(job);
    }
    assert_int_equal(rhm_job_wait(job, -1), RHM_JOB_DONE);
    rhm_job_free(job);
    return pauses;
}

static void test_the_same_file(void **state)
{
    (void)state;
    static const uint64_t odd[] = {1, 7, 2, 31, 5, 1, 90}, one[] = {1}, all[] = {STEPS};
    static const struct {
        const char *way;
        const uint64_t *portions;
        size_t n;
    } hands[] = {{"by hand in odd portions", odd, COUNT(odd)},
                 {"by hand, one step at a time", one, 1},
                 {"by hand, all steps at once", all, 1}};
    struct rhm_rng rng = rhm_rng_start(1, RHM_STREAM_TEST, 0);
    unsigned pauses = 0;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        const struct kind *kind = &kinds[i];
        struct rhm_network *net = create(kind);
        struct rhm_train_options how = how_to_train(net, kind);
        must(rhm_network_train(net, &how, NULL, NULL, &err));
        compare(net, kind, "at once");
        if (i == 0)
            doze(1.1); /* a clock that counts seconds goes on */
        for (size_t h = 0; h < COUNT(hands); h++) {
            net = create(kind);
            train_by_hand(net, &how, hands[h].portions, hands[h].n);
            compare(net, kind, hands[h].way);
        }
        for (int round = 0; round < 2; round++) {
            net = create(kind);
            pauses += train_with_pauses(net, &how, round % 2, &rng);
            compare(net, kind, round % 2 ? "queued, paused and resumed" : "paused and resumed");
        }
        for (int threads = 1; threads <= 3; threads++) {
            must(rhm_threads_set(threads, &err));
            net = create(kind);
            must(rhm_network_train(net, &how, NULL, NULL, &err));
            compare(net, kind, "on another number of threads");
        }
        how.steps_per_second = 2000;
        net = create(kind);
        must(rhm_network_train(net, &how, NULL, NULL, &err));
        compare(net, kind, "slowly");
    }
    print_message("%u pauses\n", pauses);
    assert_true(pauses >= 8);
}

/* BLAS is one for the whole process: what others do with it at the same time must not show either. */
struct neighbour {
    struct rhm_network *net;
    atomic_int stop;
    size_t calls, wrong;
};

static void *compute(void *argument)
{
    struct neighbour *neighbour = argument;
    struct rhm_error err = {0};
    while (!atomic_load(&neighbour->stop)) {
        struct rhm_layer_view view;
        uint16_t labels[50];
        neighbour->wrong += rhm_network_predict(neighbour->net, COUNT(labels), data.tokens, labels, NULL,
                                                NULL, NULL, NULL, &err) != RHM_OK;
        neighbour->wrong += rhm_network_view(neighbour->net, 1, 1, &view, &err) != RHM_OK;
        rhm_layer_view_clear(&view);
        neighbour->calls++;
    }
    return NULL;
}

/* The closed form of 300 to 2000 unknowns beside predictions that send fresh patches forward. */
static void test_the_same_file_in_company(void **state)
{
    (void)state;
    static const struct kind crowd = {"neighbour", 64, RHM_CODEBOOK_EXACT, 0, 100, RHM_POSITION_FIRST};
    static const struct kind kind = {"closed form", 600, RHM_CODEBOOK_EXACT, 0, 1500, RHM_POSITION_FIRST};
    struct neighbour neighbour = {.net = create(&crowd)};
    struct rhm_train_options how = how_to_train(neighbour.net, &crowd);
    must(rhm_network_train(neighbour.net, &how, NULL, NULL, &err));
    struct rhm_network *net = create(&kind);
    how = how_to_train(net, &kind);
    how.solver = RHM_SOLVER_EXACT;
    must(rhm_network_train(net, &how, NULL, NULL, &err));
    compare(net, &kind, "at once");
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, compute, &neighbour), 0);
    for (int round = 0; round < 3; round++) {
        net = create(&kind);
        must(rhm_threads_set(round + 1, &err));
        must(rhm_network_train(net, &how, NULL, NULL, &err));
        compare(net, &kind, "beside predictions");
    }
    atomic_store(&neighbour.stop, 1);
    pthread_join(thread, NULL);
    print_message("%zu calls of the neighbour\n", neighbour.calls);
    assert_true(neighbour.calls > 10 && neighbour.wrong == 0);
    rhm_network_free(neighbour.net);
}

static int setup(void **state)
{
    grammar = draw_grammar((struct shape){8, 4, 2, 3, 8}, 3);
    must(rhm_sample_dataset(&grammar, 1, 1500, &data, &err));
    return make_folder(state);
}

static int teardown(void **state)
{
    rhm_dataset_clear(&data);
    rhm_grammar_clear(&grammar);
    return remove_folder(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_same_file),
                                       cmocka_unit_test(test_the_same_file_in_company)};
    return cmocka_run_group_tests_name("bits", tests, setup, teardown);
}
