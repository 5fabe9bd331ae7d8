/* t-race.c - several threads at once: jobs in the queue, hands that pause, resume and stop them, readers of
 * snapshots and of networks. `make check-tsan` runs it under the thread sanitizer; what it sees must make
 * sense in any case. */
#include "jobs.h"

#include <pthread.h>
#include <stdatomic.h>

#include "engine/base/rng.h"

enum { JOBS = 3, READERS = 3, LEVELS = 3, N = 2000, STEPS = 400 };

static struct rhm_network *create(void)
{
    return create_network(&grammar, 64, RHM_CODEBOOK_CENTROID);
}

/* Job i: gradient descent, the closed form, drawn strings. */
static struct rhm_train_options options_of(const struct rhm_network *net, int i)
{
    struct rhm_train_options how = rhm_train_defaults(net);
    how.grammar = &grammar;
    how.solver = i == 1 ? RHM_SOLVER_EXACT : RHM_SOLVER_GD;
    how.steps = STEPS;
    how.sampler = i == 2 ? RHM_SAMPLER_DRAW : RHM_SAMPLER_TALLY;
    for (unsigned l = 1; l <= LEVELS; l++)
        how.n[l] = N;
    return how;
}

/* ------------------------------------------------------------- readers */

/* What all threads share. Counts of what was wrong: a test must fail on its own thread. */
struct scene {
    struct rhm_network *net[JOBS];
    struct rhm_job *job[JOBS]; /* NULL: none, the network is trained by hand */
    atomic_int stop;
    atomic_uint wrong, looks, rows, predictions;
};

static void expect(struct scene *scene, int ok)
{
    if (!ok)
        atomic_fetch_add(&scene->wrong, 1);
}

static void look_at_job(struct scene *scene, int i, uint64_t *version)
{
    struct rhm_progress p;
    rhm_job_progress(scene->job[i], &p);
    expect(scene, p.version >= *version && p.state <= RHM_JOB_FAILED && p.L == LEVELS && p.level <= LEVELS);
    expect(scene, p.seconds >= 0 && p.state != RHM_JOB_FAILED);
    *version = p.version;
    for (unsigned l = 1; l <= LEVELS; l++) {
        const struct rhm_progress_layer *layer = &p.layer[l];
        expect(scene,
               layer->phase <= RHM_PHASE_DONE && layer->drawn <= layer->n && layer->step <= layer->steps);
        expect(scene, p.state != RHM_JOB_DONE || layer->phase == RHM_PHASE_DONE);
    }
    expect(scene, rhm_job_wait(scene->job[i], 0) <= RHM_JOB_FAILED);
}

static void look_at_layer(struct scene *scene, int i, unsigned l)
{
    struct rhm_layer_view view;
    struct rhm_error err = {0};
    if (rhm_network_view(scene->net[i], l, 1, &view, &err) != RHM_OK) {
        expect(scene, err.status == RHM_ESTATE && strstr(err.text, "its closed form"));
        return;
    }
    uint64_t n = 0;
    for (size_t u = 0; view.trained >= 0 && u < view.U; u++) {
        n += view.count[u];
        double sum = 0;
        for (size_t c = 0; c < view.C; c++)
            sum += view.q[u * view.C + c];
        expect(scene, fabs(sum - 1) < 1e-9);
    }
    expect(scene, view.trained < 0 || n == view.N);
    atomic_fetch_add(&scene->rows, view.trained >= 0);
    rhm_layer_view_clear(&view);
}

static void *read_on(void *argument)
{
    struct scene *scene = argument;
    uint64_t versions[JOBS] = {0}, changes = 0;
    while (!atomic_load(&scene->stop)) {
        uint64_t now = rhm_monitor_changes();
        expect(scene, now >= changes);
        changes = now;
        for (int i = 0; i < JOBS; i++) {
            if (scene->job[i])
                look_at_job(scene, i, &versions[i]);
            for (unsigned l = 1; l <= LEVELS; l++)
                look_at_layer(scene, i, l);
            static const uint16_t tokens[8] = {0, 1, 2, 3, 4, 5, 6, 7};
            uint16_t label;
            struct rhm_error err = {0};
            if (rhm_network_predict(scene->net[i], 1, tokens, &label, NULL, NULL, NULL, NULL, &err) == RHM_OK)
                atomic_fetch_add(&scene->predictions, 1);
            else
                expect(scene, err.status == RHM_ESTATE && strstr(err.text, "is not trained"));
        }
        atomic_fetch_add(&scene->looks, 1);
    }
    return NULL;
}

static void begin(struct scene *scene, pthread_t thread[READERS])
{
    for (int r = 0; r < READERS; r++)
        assert_int_equal(pthread_create(&thread[r], NULL, read_on, scene), 0);
}

static void end(struct scene *scene, pthread_t thread[READERS])
{
    atomic_store(&scene->stop, 1);
    for (int r = 0; r < READERS; r++)
        pthread_join(thread[r], NULL);
    print_message("%u looks, %u layers with rows, %u predictions\n", atomic_load(&scene->looks),
                  atomic_load(&scene->rows), atomic_load(&scene->predictions));
    assert_int_equal(atomic_load(&scene->wrong), 0);
    assert_true(atomic_load(&scene->looks) > 0 && atomic_load(&scene->rows) > 0);
}

/* --------------------------------------------------------------- tests */

static int all_ended(const struct scene *scene)
{
    for (int i = 0; i < JOBS; i++)
        if (rhm_job_wait(scene->job[i], 0) < RHM_JOB_DONE)
            return 0;
    return 1;
}

/* Asks the jobs for this and that until they end; a stop, where `stops`, comes late and rarely. */
static void handle(struct scene *scene, struct rhm_rng *rng, int stops)
{
    for (unsigned asked = 0; !all_ended(scene); asked++) {
        struct rhm_job *job = scene->job[rhm_rng_below(rng, JOBS)];
        if (stops && asked > 20 && rhm_rng_below(rng, 20) == 0)
            rhm_job_stop(job);
        else if (rhm_rng_below(rng, 2) && asked < 200)
            rhm_job_pause(job);
        else
            rhm_job_resume(job);
        doze(0.001);
    }
}

static void check_trained(const struct rhm_network *net, int i)
{
    struct rhm_network *direct = create();
    struct rhm_train_options how = options_of(direct, i);
    must(rhm_network_train(direct, &how, NULL, NULL, &err));
    for (unsigned l = 1; l <= LEVELS; l++) {
        const struct rhm_layer *x = direct->layer[l], *y = net->layer[l];
        assert_memory_equal(x->W, y->W, x->tally.C * x->features.M * sizeof *x->W);
    }
    rhm_network_free(direct);
}

static void test_jobs(void **state)
{
    (void)state;
    struct rhm_rng rng = rhm_rng_start(1, RHM_STREAM_TEST, 0);
    for (int round = 0; round < 4; round++) {
        struct scene scene = {.stop = 0};
        pthread_t thread[READERS];
        for (int i = 0; i < JOBS; i++) {
            scene.net[i] = create();
            struct rhm_train_options how = options_of(scene.net[i], i);
            if (i == JOBS - 1 && round % 2) /* beside the queue */
                must(rhm_network_start(&scene.job[i], scene.net[i], &how, &err));
            else
                must(rhm_network_queue(&scene.job[i], scene.net[i], &how, &err));
        }
        begin(&scene, thread);
        handle(&scene, &rng, round >= 2);
        end(&scene, thread);
        for (int i = 0; i < JOBS; i++)
            if (rhm_job_wait(scene.job[i], 0) == RHM_JOB_DONE)
                check_trained(scene.net[i], i);
        for (int i = 0; i < JOBS; i++) { /* some at work still have no say in it */
            rhm_job_free(scene.job[i]);
            rhm_network_free(scene.net[i]);
        }
    }
}

/* Jobs that end by being freed, in the line and at work, while readers look at their networks. */
static void test_ends(void **state)
{
    (void)state;
    for (int round = 0; round < 6; round++) {
        struct scene scene = {.stop = 0};
        struct rhm_job *job[JOBS];
        pthread_t thread[READERS];
        for (int i = 0; i < JOBS; i++) {
            scene.net[i] = create();
            struct rhm_train_options how = options_of(scene.net[i], i);
            must(rhm_network_queue(&job[i], scene.net[i], &how, &err));
        }
        begin(&scene, thread);
        while (atomic_load(&scene.rows) == 0)
            doze(0.001);
        for (int i = 0; i < JOBS; i++)
            rhm_job_free(job[round % 2 ? i : JOBS - 1 - i]);
        end(&scene, thread);
        for (int i = 0; i < JOBS; i++)
            rhm_network_free(scene.net[i]);
    }
}

/* A layer trained by hand on one thread, looked at from others. */
static void test_by_hand(void **state)
{
    (void)state;
    struct scene scene = {.stop = 0};
    pthread_t thread[READERS];
    for (int i = 0; i < JOBS; i++)
        scene.net[i] = create();
    begin(&scene, thread);
    for (int i = 0; i < JOBS; i++) {
        struct rhm_train_options how = options_of(scene.net[i], 0);
        for (unsigned l = LEVELS; l >= 1; l--) {
            must(rhm_network_begin(scene.net[i], l, &how, NULL, &err));
            for (int k = 0; k < STEPS / 40; k++)
                must(rhm_network_step(scene.net[i], l, 40, NULL, &err));
            must(rhm_network_finish(scene.net[i], l, NULL, &err));
        }
    }
    end(&scene, thread);
    for (int i = 0; i < JOBS; i++) {
        check_trained(scene.net[i], 0);
        rhm_network_free(scene.net[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_jobs), cmocka_unit_test(test_ends),
                                       cmocka_unit_test(test_by_hand)};
    return cmocka_run_group_tests_name("race", tests, setup_grammar, teardown_grammar);
}
