/* t-job.c - trainings on a worker thread: the same bits, pauses, stops, progress, readers beside them. */
#include "jobs.h"

#include <pthread.h>
#include <stdatomic.h>

#include "engine/base/memory.h"
#include "engine/base/rng.h"
#include "engine/grammar/sample.h"

/* ------------------------------------------------------------- helpers */

static struct rhm_network *create(const struct rhm_grammar *g, enum rhm_codebook_kind codebook)
{
    return create_network(g, 256, codebook);
}

static struct rhm_train_options gd(const struct rhm_network *net, const struct rhm_grammar *g, uint64_t steps)
{
    struct rhm_train_options how = rhm_train_defaults(net);
    how.grammar = g;
    how.solver = RHM_SOLVER_GD;
    how.steps = steps;
    how.sampler = RHM_SAMPLER_DRAW;
    for (unsigned l = 1; l <= g->L; l++)
        how.n[l] = 20000;
    return how;
}

/* ---------------------------------------------------- the same results */

static void test_a_job_is_a_training(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){8, 4, 2, 3, 8}, 3);
    for (int solver = 0; solver < 2; solver++) {
        struct rhm_network *direct = create(&g, RHM_CODEBOOK_CENTROID);
        struct rhm_network *apart = create(&g, RHM_CODEBOOK_CENTROID);
        struct rhm_train_options how = gd(direct, &g, 200);
        struct rhm_grammar lent;
        struct rhm_job *job;
        struct rhm_progress progress;
        double accuracy;
        how.solver = (enum rhm_solver)solver;
        must(rhm_network_train(direct, &how, NULL, &accuracy, &err));
        must(rhm_grammar_copy(&lent, &g, &err));
        how.grammar = &lent;
        must(rhm_network_start(&job, apart, &how, &err));
        rhm_grammar_clear(&lent); /* the job has its own */
        assert_int_equal(rhm_job_wait(job, -1), RHM_JOB_DONE);
        rhm_job_progress(job, &progress);
        assert_true(progress.accuracy == accuracy && progress.error.status == RHM_OK);
        assert_true(progress.L == 3 && progress.level == 0 && progress.seconds > 0);
        for (unsigned l = 1; l <= 3; l++) {
            const struct rhm_layer *layer = apart->layer[l];
            const struct rhm_progress_layer *seen = &progress.layer[l];
            assert_int_equal(seen->phase, RHM_PHASE_DONE);
            assert_true(seen->n == 20000 && seen->drawn == 20000);
            assert_true(seen->patches == layer->tally.patches.n);
            assert_true(seen->steps == (solver ? 200 : 0) && seen->step == (solver ? 200 : 0));
            assert_true(seen->sigma == layer->sigma && seen->rho == layer->clusters.rho);
            assert_true(seen->error == layer->error && seen->gap == layer->gap && seen->loss == layer->loss);
        }
        check_same_bits(direct, apart);
        rhm_job_free(job);
        rhm_network_free(direct);
        rhm_network_free(apart);
    }
    rhm_grammar_clear(&g);
}

/* Paused wherever it happens to be, again and again; read meanwhile; the result does not know. */
static void test_pauses_leave_no_trace(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){8, 4, 2, 3, 8}, 3);
    struct rhm_network *direct = create(&g, RHM_CODEBOOK_CENTROID);
    struct rhm_network *paused = create(&g, RHM_CODEBOOK_CENTROID);
    struct rhm_train_options how = gd(direct, &g, 4000);
    struct rhm_rng rng = rhm_rng_start(1, RHM_STREAM_TEST, 0);
    for (unsigned l = 1; l <= 3; l++)
        how.n[l] = 300000;
    must(rhm_network_train(direct, &how, NULL, NULL, &err));
    unsigned pauses = 0;
    for (int round = 0; round < 3; round++) {
        struct rhm_job *job;
        enum rhm_job_state now = RHM_JOB_PAUSED;
        double asleep = 0, started = rhm_clock();
        must(rhm_network_start(&job, paused, &how, &err));
        while (now == RHM_JOB_PAUSED) {
            doze(0.006 * rhm_rng_uniform(&rng));
            rhm_job_pause(job);
            now = rhm_job_wait(job, -1);
            if (now != RHM_JOB_PAUSED)
                break;
            struct rhm_progress before, after;
            double slept = rhm_clock();
            pauses++;
            rhm_job_progress(job, &before);
            for (unsigned l = 1; l <= 3; l++) {
                struct rhm_layer_view view;
                must(rhm_network_view(paused, l, 0, &view, &err));
                rhm_layer_view_clear(&view);
            }
            doze(0.002);
            rhm_job_progress(job, &after); /* nothing moves, nor does its clock */
            assert_true(before.version == after.version && after.state == RHM_JOB_PAUSED);
            assert_true(fabs(after.seconds - before.seconds) < 1e-3);
            asleep += rhm_clock() - slept;
            rhm_job_resume(job);
            if (rhm_rng_below(&rng, 3) == 0) { /* before its thread can have woken up */
                rhm_job_pause(job);
                now = rhm_job_wait(job, -1);
                rhm_job_resume(job);
            }
            assert_int_not_equal(rhm_job_wait(job, 0), RHM_JOB_PAUSED); /* resumed at once */
        }
        assert_int_equal(rhm_job_wait(job, -1), RHM_JOB_DONE);
        struct rhm_progress progress;
        rhm_job_progress(job, &progress);
        assert_true(progress.seconds < rhm_clock() - started - 0.9 * asleep);
        check_same_bits(direct, paused);
        rhm_job_free(job);
    }
    print_message("%u pauses\n", pauses);
    assert_true(pauses >= 10);
    rhm_network_free(direct);
    rhm_network_free(paused);
    rhm_grammar_clear(&g);
}

/* -------------------------------------------------------------- stops */

static void wait_for_layer(struct rhm_job *job, unsigned l, enum rhm_layer_phase phase)
{
    struct rhm_progress progress;
    do {
        doze(0.001);
        rhm_job_progress(job, &progress);
        assert_true(progress.state < RHM_JOB_DONE);
    } while (progress.layer[l].phase < phase);
}

static void test_a_stop_keeps_finished_layers(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){8, 4, 2, 3, 8}, 3);
    struct rhm_network *net = create(&g, RHM_CODEBOOK_CENTROID), *fresh = create(&g, RHM_CODEBOOK_CENTROID);
    struct rhm_train_options how = gd(net, &g, 60);
    how.steps_per_second = 1500; /* a layer takes 40 ms */
    must(rhm_network_train(fresh, &how, NULL, NULL, &err));
    for (int kind = 0; kind < 3; kind++) { /* while it runs; while paused; by freeing it */
        struct rhm_job *job;
        struct rhm_progress progress;
        struct rhm_layer_view view;
        must(rhm_network_start(&job, net, &how, &err));
        wait_for_layer(job, 3, RHM_PHASE_DONE);
        if (kind == 1) {
            rhm_job_pause(job);
            assert_int_equal(rhm_job_wait(job, -1), RHM_JOB_PAUSED);
        }
        if (kind < 2) {
            rhm_job_stop(job);
            rhm_job_pause(job); /* too late: a stop stands */
            rhm_job_resume(job);
            assert_int_equal(rhm_job_wait(job, -1), RHM_JOB_STOPPED);
            rhm_job_progress(job, &progress);
            assert_true(progress.error.status == RHM_ESTOP && isnan(progress.accuracy));
            assert_true(progress.layer[3].phase == RHM_PHASE_DONE &&
                        progress.layer[1].phase < RHM_PHASE_DONE);
        }
        rhm_job_free(job);
        assert_true(net->layer[3] && !net->layer[1] && !net->trainer && !net->claim.taken);
        must(rhm_network_view(net, 3, 1, &view, &err));
        assert_true(view.trained == 1 && view.steps == 60);
        rhm_layer_view_clear(&view);
        must(rhm_network_train(net, &how, NULL, NULL, &err));
        check_same_bits(net, fresh);
    }
    rhm_network_free(net);
    rhm_network_free(fresh);
    rhm_grammar_clear(&g);
}

static void test_waits_have_limits(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){4, 2, 2, 2, 4}, 3);
    struct rhm_network *net = create(&g, RHM_CODEBOOK_CENTROID);
    struct rhm_train_options how = gd(net, &g, 100000);
    how.steps_per_second = 100;
    struct rhm_job *job;
    must(rhm_network_start(&job, net, &how, &err));
    assert_int_equal(rhm_job_wait(job, 0), RHM_JOB_RUNNING);
    double before = rhm_clock();
    assert_int_equal(rhm_job_wait(job, 0.05), RHM_JOB_RUNNING);
    assert_true(rhm_clock() - before >= 0.05);
    rhm_job_free(job);
    rhm_network_free(net);
    rhm_grammar_clear(&g);
}

/* ----------------------------------------------------------- progress */

static void test_progress_only_grows(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){8, 4, 2, 3, 8}, 3);
    struct rhm_network *net = create(&g, RHM_CODEBOOK_CENTROID);
    struct rhm_train_options how = gd(net, &g, 3000);
    struct rhm_job *job;
    struct rhm_progress now, last;
    for (unsigned l = 1; l <= 3; l++)
        how.n[l] = 1000000;
    must(rhm_network_start(&job, net, &how, &err));
    rhm_job_progress(job, &last);
    unsigned changes = 0, halves = 0;
    do {
        doze(0.0005);
        rhm_job_progress(job, &now);
        changes += now.version != last.version;
        assert_true(now.version >= last.version && now.seconds >= last.seconds && now.state >= last.state);
        for (unsigned l = 1; l <= 3; l++) {
            const struct rhm_progress_layer *a = &last.layer[l], *b = &now.layer[l];
            assert_true(b->phase >= a->phase && b->drawn >= a->drawn && b->step >= a->step);
            assert_true(b->drawn <= b->n && b->step <= b->steps);
            halves += b->drawn > 0 && b->drawn < b->n;
            halves += b->step > 0 && b->step < b->steps;
            if (l < 3 && b->phase > RHM_PHASE_WAITING)
                assert_int_equal(now.layer[l + 1].phase, RHM_PHASE_DONE);
            if (b->step > a->step && a->step > 0)
                assert_true(b->loss <= a->loss * (1 + 1e-12)); /* gradient descent descends */
        }
        last = now;
    } while (now.state < RHM_JOB_DONE);
    assert_int_equal(now.state, RHM_JOB_DONE);
    print_message("%u snapshots seen, %u in the middle of something\n", changes, halves);
    assert_true(changes >= 10 && halves > 0);
    rhm_job_free(job);
    rhm_network_free(net);
    rhm_grammar_clear(&g);
}

/* A step in ten seconds: pauses and stops do not wait for the next one. */
static void test_a_slow_pace_does_not_delay_requests(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){4, 2, 2, 2, 4}, 3);
    struct rhm_network *net = create(&g, RHM_CODEBOOK_CENTROID);
    struct rhm_train_options how = gd(net, &g, 1000);
    how.steps_per_second = 0.1;
    struct rhm_job *job;
    struct rhm_progress progress;
    double worst = 0;
    must(rhm_network_start(&job, net, &how, &err));
    for (uint64_t step = 1; step <= 4; step++) { /* resumed, it takes its step at once */
        do {
            doze(0.0005);
            rhm_job_progress(job, &progress);
        } while (progress.layer[2].step < step);
        assert_int_equal(progress.layer[2].step, step);
        double asked = rhm_clock();
        rhm_job_pause(job);
        assert_int_equal(rhm_job_wait(job, 5), RHM_JOB_PAUSED);
        worst = fmax(worst, rhm_clock() - asked);
        rhm_job_resume(job);
    }
    double asked = rhm_clock();
    rhm_job_stop(job);
    assert_int_equal(rhm_job_wait(job, 5), RHM_JOB_STOPPED);
    worst = fmax(worst, rhm_clock() - asked);
    print_message("%.2g s at most from the request to its end\n", worst);
    assert_true(worst < 1); /* 0.1 s are promised; this machine may do other things */
    rhm_job_free(job);
    rhm_network_free(net);
    rhm_grammar_clear(&g);
}

/* With a pace that eyes can follow every step has its snapshot; time in a pause is not made up for. */
static void test_each_slow_step_is_published(void **state)
{
    (void)state;
    enum { STEPS = 30 };
    struct rhm_grammar g = draw_grammar((struct shape){4, 2, 2, 1, 4}, 3);
    struct rhm_network *net = create(&g, RHM_CODEBOOK_CENTROID);
    struct rhm_train_options how = gd(net, &g, STEPS);
    how.steps_per_second = 50;
    struct rhm_job *job;
    struct rhm_progress progress = {0};
    uint64_t last = 0;
    double loss = 1e9, started = rhm_clock(), asleep = 0;
    must(rhm_network_start(&job, net, &how, &err));
    while (progress.state < RHM_JOB_DONE) {
        doze(0.0005);
        rhm_job_progress(job, &progress);
        uint64_t step = progress.layer[1].step;
        if (step == last)
            continue;
        assert_true(step == last + 1 || rhm_clock() - started > 2); /* a machine that stalls may miss some */
        assert_true(progress.layer[1].loss <= loss * (1 + 1e-12));
        loss = progress.layer[1].loss;
        last = step;
        if (step == STEPS / 2 && asleep == 0) {
            double slept = rhm_clock();
            rhm_job_pause(job);
            rhm_job_wait(job, 5);
            doze(0.3);
            rhm_job_resume(job);
            asleep = rhm_clock() - slept;
        }
    }
    assert_int_equal(last, STEPS);
    assert_true(rhm_clock() - started - asleep > 0.8 * STEPS / how.steps_per_second);
    rhm_job_free(job);
    rhm_network_free(net);
    rhm_grammar_clear(&g);
}

/* ------------------------------------------------------ others beside it */

static void test_there_is_one_writer(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){8, 4, 2, 3, 8}, 3);
    struct rhm_network *net = create(&g, RHM_CODEBOOK_CENTROID);
    struct rhm_train_options how = gd(net, &g, 100000);
    how.steps_per_second = 1000;
    for (int round = 0; round < 20; round++) { /* from the moment that start returns */
        struct rhm_job *job, *second = NULL;
        must(rhm_network_start(&job, net, &how, &err));
        must_fail(rhm_network_train(net, &how, NULL, NULL, &err), RHM_ESTATE, "in training");
        must_fail(rhm_network_start(&second, net, &how, &err), RHM_ESTATE, "in training");
        must_fail(rhm_network_begin(net, 3, &how, NULL, &err), RHM_ESTATE, "in training");
        must_fail(rhm_network_step(net, 3, 1, NULL, &err), RHM_ESTATE, "in training");
        must_fail(rhm_network_finish(net, 3, NULL, &err), RHM_ESTATE, "in training");
        assert_null(second);
        rhm_job_free(job);
    }
    how.steps_per_second = 0;
    how.steps = 5;
    must(rhm_network_train(net, &how, NULL, NULL, &err)); /* and then it is free again */
    rhm_network_free(net);
    rhm_grammar_clear(&g);
}

static void test_jobs_that_cannot(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){8, 4, 2, 3, 8}, 3);
    struct rhm_network *net = create(&g, RHM_CODEBOOK_EXACT);
    struct rhm_train_options how = gd(net, &g, 10);
    struct rhm_job *job = NULL;
    how.lambda = -1;
    must_fail(rhm_network_start(&job, net, &how, &err), RHM_EARG, "lambda = -1"); /* at once */
    assert_null(job);
    how.lambda = 1e-4;
    size_t budget = rhm_memory_budget();
    rhm_memory_set_budget((size_t)3 << 20);
    how.n[1] = 1000000;
    must(rhm_network_start(&job, net, &how, &err));
    assert_int_equal(rhm_job_wait(job, -1), RHM_JOB_FAILED);
    rhm_memory_set_budget(budget);
    struct rhm_progress progress;
    rhm_job_progress(job, &progress);
    assert_int_equal(progress.error.status, RHM_EMEMORY);
    assert_non_null(strstr(progress.error.text, "the exact codebook of layer 1"));
    assert_true(progress.layer[2].phase == RHM_PHASE_DONE && net->layer[2] && !net->layer[1] &&
                !net->claim.taken);
    rhm_job_free(job);
    rhm_network_free(net);
    rhm_grammar_clear(&g);
}

struct reader {
    struct rhm_network *net;
    const uint16_t *tokens;
    atomic_int stop;
    size_t in_training, trained, waits, predictions, wrong;
};

/* What a view may look like at any moment. Counts what is wrong: cmocka's asserts belong to its own thread.
 */
static void look(struct reader *reader, unsigned l)
{
    struct rhm_layer_view view;
    struct rhm_error err = {0};
    enum rhm_status status = rhm_network_view(reader->net, l, 1, &view, &err);
    if (status != RHM_OK) {
        reader->waits++;
        reader->wrong += status != RHM_ESTATE || strstr(err.text, "its closed form") == NULL;
        return;
    }
    reader->in_training += view.trained == 0;
    reader->trained += view.trained == 1;
    uint64_t n = 0;
    for (size_t i = 0; i < view.U; i++) {
        double sum = 0;
        for (size_t c = 0; c < view.C; c++)
            sum += view.q[i * view.C + c];
        n += view.count[i];
        reader->wrong += !(fabs(sum - 1) < 1e-9);
        reader->wrong += view.trained == 1 && view.cluster[i] > view.k;
        reader->wrong += i > 0 && view.trained == 1 && view.cluster[i] < view.cluster[i - 1];
    }
    reader->wrong += n != view.N;
    rhm_layer_view_clear(&view);
}

static void *read_on(void *argument)
{
    struct reader *reader = argument;
    while (!atomic_load(&reader->stop)) {
        for (unsigned l = 1; l <= 3; l++)
            look(reader, l);
        uint16_t label[4];
        double p[4 * 8];
        struct rhm_error err = {0};
        enum rhm_status status =
            rhm_network_predict(reader->net, 4, reader->tokens, label, p, NULL, NULL, NULL, &err);
        reader->wrong += status != RHM_OK && (status != RHM_ESTATE || !strstr(err.text, "is not trained"));
        for (int i = 0; i < 4 && status == RHM_OK; i++) {
            double sum = 0;
            for (int c = 0; c < 8; c++)
                sum += p[i * 8 + c];
            reader->wrong += !(fabs(sum - 1) < 1e-9) || label[i] > 7;
        }
        reader->predictions += status == RHM_OK;
    }
    return NULL;
}

static void test_readers_see_whole_layers(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){8, 4, 2, 3, 8}, 3);
    uint16_t tokens[4 * 8], labels[4];
    rhm_sample_strings(&g, 1, 0, 4, tokens, labels);
    for (int kind = 0; kind < 3; kind++) {
        struct rhm_network *net = create(&g, kind == 2 ? RHM_CODEBOOK_EXACT : RHM_CODEBOOK_CENTROID);
        struct rhm_train_options how = gd(net, &g, 100);
        how.solver = kind == 1 ? RHM_SOLVER_EXACT : RHM_SOLVER_GD;
        how.steps_per_second = 1000; /* long enough to be seen, however fast the machine */
        if (kind == 2)
            how.n[1] = how.n[2] = how.n[3] = 2000;
        struct reader reader = {.net = net, .tokens = tokens};
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, read_on, &reader), 0);
        for (int round = 0; round < (kind == 1 ? 10 : 2); round++) {
            struct rhm_job *job;
            must(rhm_network_start(&job, net, &how, &err));
            enum rhm_job_state end = rhm_job_wait(job, -1);
            rhm_job_free(job);
            assert_int_equal(end, RHM_JOB_DONE);
            doze(0.005);
        }
        atomic_store(&reader.stop, 1);
        pthread_join(thread, NULL);
        print_message("%zu views in training, %zu of trained layers, %zu to come back for, %zu predictions\n",
                      reader.in_training, reader.trained, reader.waits, reader.predictions);
        assert_int_equal(reader.wrong, 0);
        assert_true(reader.trained > 0 && reader.predictions > 0 && (kind == 1 || reader.in_training > 0));
        rhm_network_free(net);
    }
    rhm_grammar_clear(&g);
}

/* The accuracy is measured at the end, on tables that may be long. A pause there keeps nobody waiting. */
static void test_a_pause_in_the_measurement(void **state)
{
    (void)state;
    struct rhm_grammar g = draw_grammar((struct shape){8, 4, 2, 3, 8}, 3);
    struct rhm_network *net = create(&g, RHM_CODEBOOK_EXACT);
    struct rhm_train_options how = gd(net, &g, 10);
    how.n[1] = how.n[2] = how.n[3] = 1000; /* of 131,072 patches of layer 1: the others go forward */
    int paused = 0;
    for (int tries = 0; tries < 10 && !paused; tries++) {
        struct rhm_job *job;
        must(rhm_network_start(&job, net, &how, &err));
        struct rhm_progress progress;
        do {
            doze(0.001);
            rhm_job_progress(job, &progress);
        } while (progress.layer[1].phase < RHM_PHASE_DONE);
        doze(0.002);
        rhm_job_pause(job);
        if (rhm_job_wait(job, -1) == RHM_JOB_PAUSED) {
            rhm_job_progress(job, &progress);
            paused = progress.level == 0;
            struct rhm_layer_view view;
            must(rhm_network_view(net, 1, 1, &view, &err));
            assert_true(view.trained == 1);
            rhm_layer_view_clear(&view);
            uint16_t tokens[8], label;
            rhm_sample_strings(&g, 1, 0, 1, tokens, &label);
            must(rhm_network_predict(net, 1, tokens, &label, NULL, NULL, NULL, NULL, &err));
        }
        rhm_job_resume(job);
        assert_int_equal(rhm_job_wait(job, -1), RHM_JOB_DONE);
        rhm_job_free(job);
    }
    assert_true(paused);
    rhm_network_free(net);
    rhm_grammar_clear(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_job_is_a_training),
        cmocka_unit_test(test_pauses_leave_no_trace),
        cmocka_unit_test(test_a_stop_keeps_finished_layers),
        cmocka_unit_test(test_waits_have_limits),
        cmocka_unit_test(test_progress_only_grows),
        cmocka_unit_test(test_a_slow_pace_does_not_delay_requests),
        cmocka_unit_test(test_each_slow_step_is_published),
        cmocka_unit_test(test_there_is_one_writer),
        cmocka_unit_test(test_jobs_that_cannot),
        cmocka_unit_test(test_readers_see_whole_layers),
        cmocka_unit_test(test_a_pause_in_the_measurement),
    };
    return cmocka_run_group_tests_name("job", tests, NULL, NULL);
}
