/* t-queue.c - jobs that queue: one at a time, in their order; pauses, stops and ends in the line. */
#include "jobs.h"

#include "engine/base/rng.h"

#define JOBS 4

/* Networks with a job each. */
static struct {
    struct rhm_network *net[JOBS];
    struct rhm_job *job[JOBS];
} fleet;

static struct rhm_network *create(void)
{
    return create_network(&grammar, 128, RHM_CODEBOOK_CENTROID);
}

/* steps a layer at a pace (0: none), so that a job can be caught at work. */
static struct rhm_train_options gd(const struct rhm_network *net, uint64_t steps, double pace)
{
    struct rhm_train_options how = rhm_train_defaults(net);
    how.grammar = &grammar;
    how.solver = RHM_SOLVER_GD;
    how.steps = steps;
    how.steps_per_second = pace;
    how.n[1] = how.n[2] = how.n[3] = 2000;
    return how;
}

static void queue(uint64_t steps, double pace)
{
    for (int i = 0; i < JOBS; i++) {
        fleet.net[i] = create();
        struct rhm_train_options how = gd(fleet.net[i], steps, pace);
        must(rhm_network_queue(&fleet.job[i], fleet.net[i], &how, &err));
    }
}

static void clear(void)
{
    for (int i = 0; i < JOBS; i++) {
        rhm_job_free(fleet.job[i]);
        rhm_network_free(fleet.net[i]);
        fleet.job[i] = NULL;
        fleet.net[i] = NULL;
    }
}

/* After a test that failed, too: its jobs would keep the turn. */
static int clear_after(void **state)
{
    (void)state;
    clear();
    return 0;
}

static enum rhm_job_state state_of(struct rhm_job *job)
{
    return rhm_job_wait(job, 0);
}

static void await(struct rhm_job *job, enum rhm_job_state wanted)
{
    double start = rhm_clock();
    while (state_of(job) != wanted) {
        if (rhm_clock() - start > 20)
            fail_msg("never %s: %s", rhm_job_state_name(wanted), rhm_job_state_name(state_of(job)));
        doze(0.0005);
    }
}

static uint64_t version_of(struct rhm_job *job)
{
    struct rhm_progress progress;
    rhm_job_progress(job, &progress);
    return progress.version;
}

/* Whoever has begun and not ended is the only one, and all before it have ended. */
static void test_one_at_a_time_in_order(void **state)
{
    (void)state;
    struct rhm_network *direct = create();
    struct rhm_train_options how = gd(direct, 20, 0);
    must(rhm_network_train(direct, &how, NULL, NULL, &err));
    queue(20, 500);
    assert_int_equal(state_of(fleet.job[0]), RHM_JOB_RUNNING);
    unsigned looks = 0, queued = 0;
    for (int ended = 0; ended < JOBS; looks++) {
        enum rhm_job_state now[JOBS];
        uint64_t before = rhm_monitor_changes();
        for (int i = JOBS - 1; i >= 0; i--) { /* the last first: what ends meanwhile stands before it */
            now[i] = state_of(fleet.job[i]);
            queued += now[i] == RHM_JOB_QUEUED;
        }
        for (int i = 1; i < JOBS; i++)
            if (now[i] != RHM_JOB_QUEUED && now[i - 1] != RHM_JOB_DONE) {
                await(fleet.job[i - 1], RHM_JOB_DONE); /* it was just ending */
                assert_true(rhm_monitor_changes() > before);
            }
        ended = 0;
        for (int i = 0; i < JOBS; i++)
            ended += now[i] == RHM_JOB_DONE;
        doze(0.0005);
    }
    print_message("%u looks, %u at a queued job\n", looks, queued);
    assert_true(queued >= JOBS);
    double all = 0;
    for (int i = 0; i < JOBS; i++) {
        struct rhm_progress progress;
        rhm_job_progress(fleet.job[i], &progress);
        all += progress.seconds;
        check_same_bits(direct, fleet.net[i]);
        assert_true(progress.seconds > 0.1); /* 60 steps at 500 a second */
    }
    struct rhm_progress last;
    rhm_job_progress(fleet.job[JOBS - 1], &last);
    assert_true(last.seconds < 0.6 * all); /* its time in the line is not its own */
    rhm_network_free(direct);
}

static void test_a_pause_gives_the_turn_up(void **state)
{
    (void)state;
    queue(100000, 200);
    rhm_job_pause(fleet.job[0]);
    assert_int_equal(rhm_job_wait(fleet.job[0], 20), RHM_JOB_PAUSED);
    await(fleet.job[1], RHM_JOB_RUNNING);
    rhm_job_resume(fleet.job[0]);
    assert_int_equal(state_of(fleet.job[0]), RHM_JOB_QUEUED);
    uint64_t version = version_of(fleet.job[0]);
    doze(0.0005);
    doze(0.0005);
    assert_true(version_of(fleet.job[0]) == version); /* it waits */
    rhm_job_stop(fleet.job[1]);
    await(fleet.job[0], RHM_JOB_RUNNING); /* before 2 and 3, which have not begun */
    assert_int_equal(state_of(fleet.job[2]), RHM_JOB_QUEUED);
    for (int i = 0; i < 2; i++) { /* two resumed ones: the first resumed is the first to work */
        rhm_job_pause(fleet.job[2 * i]);
        assert_int_equal(rhm_job_wait(fleet.job[2 * i], 20), RHM_JOB_PAUSED);
        await(fleet.job[2 + i], RHM_JOB_RUNNING);
    }
    rhm_job_resume(fleet.job[2]);
    rhm_job_resume(fleet.job[0]);
    rhm_job_stop(fleet.job[3]);
    await(fleet.job[2], RHM_JOB_RUNNING);
    assert_int_equal(state_of(fleet.job[0]), RHM_JOB_QUEUED);
    rhm_job_pause(fleet.job[0]); /* a resume and a pause before its thread has woken up */
    rhm_job_resume(fleet.job[0]);
    rhm_job_stop(fleet.job[2]);
    await(fleet.job[0], RHM_JOB_RUNNING);
}

static void test_queued_jobs_pause_and_stop(void **state)
{
    (void)state;
    queue(100000, 200);
    struct rhm_train_options how = gd(fleet.net[1], 5, 0);
    must_fail(rhm_network_train(fleet.net[1], &how, NULL, NULL, &err), RHM_ESTATE, "in training");
    rhm_job_pause(fleet.job[1]);
    assert_int_equal(rhm_job_wait(fleet.job[1], 20), RHM_JOB_PAUSED);
    rhm_job_stop(fleet.job[2]);
    assert_int_equal(rhm_job_wait(fleet.job[2], 20), RHM_JOB_STOPPED);
    struct rhm_progress progress;
    rhm_job_progress(fleet.job[2], &progress);
    assert_true(progress.error.status == RHM_ESTOP && progress.seconds < 0.1);
    assert_true(progress.layer[3].n == 2000 && progress.layer[3].steps == 100000 &&
                progress.layer[3].phase == RHM_PHASE_WAITING);
    must(rhm_network_train(fleet.net[2], &how, NULL, NULL, &err)); /* it is free again */
    rhm_job_stop(fleet.job[0]);
    await(fleet.job[3], RHM_JOB_RUNNING); /* nobody else is in line */
    rhm_job_resume(fleet.job[1]);
    assert_int_equal(state_of(fleet.job[1]), RHM_JOB_QUEUED);
    rhm_job_stop(fleet.job[3]);
    await(fleet.job[1], RHM_JOB_RUNNING);
}

static void test_the_foreground_does_not_queue(void **state)
{
    (void)state;
    queue(100000, 200);
    struct rhm_network *net = create();
    struct rhm_train_options how = gd(net, 5, 0);
    struct rhm_job *job;
    must(rhm_network_start(&job, net, &how, &err));
    assert_int_equal(rhm_job_wait(job, 20), RHM_JOB_DONE);
    assert_int_equal(state_of(fleet.job[0]), RHM_JOB_RUNNING);
    assert_int_equal(state_of(fleet.job[1]), RHM_JOB_QUEUED);
    rhm_job_free(job);
    rhm_network_free(net);
}

static void test_an_end_with_a_full_line(void **state)
{
    (void)state;
    for (int round = 0; round < 8; round++) {
        queue(100000, 0.1); /* one step in ten seconds: a stop does not wait for the next */
        if (round % 2) {
            rhm_job_pause(fleet.job[0]);
            rhm_job_wait(fleet.job[0], 20);
            rhm_job_pause(fleet.job[2]);
        }
        double start = rhm_clock();
        if (round % 4 < 2) {
            clear();
        } else {
            for (int i = JOBS - 1; i >= 0; i--) { /* the last first */
                rhm_job_free(fleet.job[i]);
                fleet.job[i] = NULL;
            }
            clear();
        }
        assert_true(rhm_clock() - start < 2);
    }
}

/* All of them paused and resumed at random; each result is that of a training alone. */
static void test_pauses_in_the_line_leave_no_trace(void **state)
{
    (void)state;
    struct rhm_network *direct = create();
    struct rhm_train_options how = gd(direct, 3000, 0);
    must(rhm_network_train(direct, &how, NULL, NULL, &err));
    queue(3000, 0);
    struct rhm_rng rng = rhm_rng_start(1, RHM_STREAM_TEST, 0);
    unsigned asked = 0;
    for (int ended = 0; ended < JOBS;) {
        struct rhm_job *job = fleet.job[rhm_rng_below(&rng, JOBS)];
        if (rhm_rng_below(&rng, 2) && asked < 2000) /* a slow build might never come to its end */
            rhm_job_pause(job);
        else
            rhm_job_resume(job);
        asked++;
        if (rhm_rng_below(&rng, 2))
            doze(0.0005);
        ended = 0;
        for (int i = 0; i < JOBS; i++)
            ended += state_of(fleet.job[i]) == RHM_JOB_DONE;
    }
    print_message("%u requests\n", asked);
    assert_true(asked > 50);
    for (int i = 0; i < JOBS; i++)
        check_same_bits(direct, fleet.net[i]);
    rhm_network_free(direct);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_one_at_a_time_in_order, clear_after),
        cmocka_unit_test_teardown(test_a_pause_gives_the_turn_up, clear_after),
        cmocka_unit_test_teardown(test_queued_jobs_pause_and_stop, clear_after),
        cmocka_unit_test_teardown(test_the_foreground_does_not_queue, clear_after),
        cmocka_unit_test_teardown(test_an_end_with_a_full_line, clear_after),
        cmocka_unit_test_teardown(test_pauses_in_the_line_leave_no_trace, clear_after),
    };
    return cmocka_run_group_tests_name("queue", tests, setup_grammar, teardown_grammar);
}
