/* t-training.c - refinements, one-step and shallow models as jobs: the same bits as without one, however
 * often they are paused; stops; what they tell of themselves; readers beside them. `make check-tsan` runs it
 * under the thread sanitizer. */
#include "jobs.h"

#include <pthread.h>
#include <stdatomic.h>

#include "engine/base/rng.h"
#include "engine/grammar/sample.h"

enum { STRINGS = 400, TEST = 200, RESTARTS = 200, SWEEPS = 25, STARTS = 3 };

static struct rhm_dataset data, test;

static int setup(void **state)
{
    setup_grammar(state);
    must(rhm_sample_dataset(&grammar, 7, STRINGS, &data, &err));
    must(rhm_sample_dataset(&grammar, 8, TEST, &test, &err));
    return 0;
}

static int teardown(void **state)
{
    rhm_dataset_clear(&data);
    rhm_dataset_clear(&test);
    return teardown_grammar(state);
}

/* ------------------------------------------------------------ one of each */

enum kind { REFINE, ONESTEP, RBF, KERNEL, KINDS };

struct learner {
    enum kind kind;
    struct rhm_network *chain;
    struct rhm_onestep *onestep;
    struct rhm_shallow *shallow;
};

static struct learner make(enum kind kind)
{
    struct learner new = {.kind = kind};
    if (kind == REFINE) {
        new.chain = create_network(&grammar, 128, RHM_CODEBOOK_CENTROID);
    } else if (kind == ONESTEP) {
        struct rhm_onestep_options o = rhm_onestep_defaults();
        o.V = o.classes = 8;
        o.s = 2;
        o.L = 3;
        o.restarts = RESTARTS;
        must(rhm_onestep_create(&new.onestep, &o, &err));
    } else {
        struct rhm_shallow_options o = rhm_shallow_defaults();
        o.V = o.classes = o.d = 8;
        o.kind = kind == RBF ? RHM_SHALLOW_RBF : RHM_SHALLOW_KERNEL;
        o.M = 256;
        must(rhm_shallow_create(&new.shallow, &o, &err));
    }
    return new;
}

static void clear(struct learner *one)
{
    rhm_network_free(one->chain);
    rhm_onestep_free(one->onestep);
    rhm_shallow_free(one->shallow);
}

/* All starts end by the number of sweeps alone. */
static struct rhm_refine_options how(const struct rhm_network *net)
{
    struct rhm_refine_options o = rhm_refine_defaults(net);
    o.sweeps = SWEEPS;
    o.smooth_sweeps = 10;
    o.tol = 0;
    o.restarts = STARTS;
    o.smoothing = o.smooth_from = 1; /* no start fits so well that the next one is not tried */
    return o;
}

static enum rhm_status body_of(struct rhm_job_body *body, struct learner *one, struct rhm_error *err)
{
    if (one->kind == REFINE) {
        struct rhm_refine_options o = how(one->chain);
        return rhm_training_refine(body, one->chain, &data, &o, err);
    }
    return one->kind == ONESTEP ? rhm_training_onestep(body, one->onestep, &data, err)
                                : rhm_training_shallow(body, one->shallow, &data, err);
}

static struct rhm_job *start(struct learner *one)
{
    struct rhm_job_body body;
    struct rhm_job *job;
    must(body_of(&body, one, &err));
    must(rhm_job_start(&job, &body, &err));
    return job;
}

static void train(struct learner *one)
{
    if (one->kind == REFINE) {
        struct rhm_refine_options o = how(one->chain);
        must(rhm_network_refine(one->chain, &data, &o, NULL, &err));
    } else if (one->kind == ONESTEP) {
        must(rhm_onestep_train(one->onestep, &data, NULL, &err));
    } else {
        must(rhm_shallow_train(one->shallow, &data, NULL, &err));
    }
}

static enum rhm_status predict(struct learner *one, uint16_t *labels, double *output, struct rhm_error *err)
{
    if (one->kind == REFINE)
        return rhm_network_predict(one->chain, TEST, test.tokens, labels, output, NULL, NULL, NULL, err);
    return one->kind == ONESTEP
               ? rhm_onestep_predict(one->onestep, TEST, test.tokens, labels, output, NULL, NULL, err)
               : rhm_shallow_predict(one->shallow, TEST, test.tokens, labels, output, NULL, NULL, err);
}

static void check_same(struct learner *a, struct learner *b)
{
    static double x[TEST * 8], y[TEST * 8];
    static uint16_t labels[TEST];
    must(predict(a, labels, x, &err));
    must(predict(b, labels, y, &err));
    assert_memory_equal(x, y, sizeof x);
    if (a->kind != REFINE)
        return;
    const struct rhm_refined *p = a->chain->refined, *q = b->chain->refined;
    assert_true(p->points == q->points && p->best == q->best && p->last == q->last);
    assert_memory_equal(p->history, q->history, p->points * sizeof *p->history);
}

/* ------------------------------------------------------------ the same bits */

/* Pauses it wherever it happens to be, until it ends; returns how often. */
static unsigned pause_often(struct rhm_job *job, struct rhm_rng *rng)
{
    for (unsigned pauses = 0;; pauses++) {
        struct rhm_progress before, after;
        doze(0.002 * rhm_rng_uniform(rng));
        rhm_job_pause(job);
        if (rhm_job_wait(job, -1) != RHM_JOB_PAUSED)
            return pauses;
        rhm_job_progress(job, &before);
        doze(0.001);
        rhm_job_progress(job, &after);
        assert_true(before.version == after.version && after.state == RHM_JOB_PAUSED);
        rhm_job_resume(job);
    }
}

static void test_pauses_leave_no_trace(void **state)
{
    (void)state;
    struct rhm_rng rng = rhm_rng_start(1, RHM_STREAM_TEST, 0);
    for (enum kind kind = 0; kind < KINDS; kind++) {
        struct learner direct = make(kind), paused = make(kind);
        unsigned pauses = 0;
        train(&direct);
        for (int round = 0; round < 2; round++) {
            struct rhm_job *job = start(&paused);
            struct rhm_progress progress;
            pauses += pause_often(job, &rng);
            rhm_job_progress(job, &progress);
            assert_int_equal(progress.state, RHM_JOB_DONE);
            assert_true(progress.accuracy > 0 && progress.accuracy <= 1);
            check_same(&direct, &paused);
            rhm_job_free(job);
        }
        print_message("%u pauses\n", pauses);
        assert_true(pauses >= (kind == REFINE || kind == ONESTEP ? 10 : 1));
        clear(&direct);
        clear(&paused);
    }
}

/* From the trained chain as well, which a refinement leaves as it is. */
static void test_refined_chain(void **state)
{
    (void)state;
    struct learner direct = make(REFINE), apart = make(REFINE);
    struct learner *both[] = {&direct, &apart};
    for (int i = 0; i < 2; i++) {
        struct rhm_train_options options = rhm_train_defaults(both[i]->chain);
        options.data = &data;
        must(rhm_network_train(both[i]->chain, &options, NULL, NULL, &err));
    }
    train(&direct);
    struct rhm_job *job = start(&apart);
    assert_int_equal(rhm_job_wait(job, -1), RHM_JOB_DONE);
    assert_true(apart.chain->refined->from_chain);
    check_same(&direct, &apart);
    check_same_bits(direct.chain, apart.chain);
    rhm_job_free(job);
    clear(&direct);
    clear(&apart);
}

/* ------------------------------------------------------------ stops */

static void test_stops(void **state)
{
    (void)state;
    static double before[TEST * 8], after[TEST * 8];
    static uint16_t labels[TEST];
    for (enum kind kind = 0; kind < KINDS; kind++) {
        struct learner one = make(kind);
        struct rhm_job_body body;
        struct rhm_job *job = start(&one);
        must_fail(body_of(&body, &one, &err), RHM_ESTATE, "wait for it", "stop it");
        rhm_job_pause(job);
        assert_int_equal(rhm_job_wait(job, -1), RHM_JOB_PAUSED); /* nothing is that fast */
        must_fail(predict(&one, labels, after, &err), RHM_ESTATE, "not trained");
        rhm_job_stop(job);
        assert_int_equal(rhm_job_wait(job, -1), RHM_JOB_STOPPED);
        rhm_job_free(job);
        must_fail(predict(&one, labels, after, &err), RHM_ESTATE, "not trained");
        train(&one);
        must(predict(&one, labels, before, &err));
        job = start(&one);
        rhm_job_pause(job);
        assert_int_equal(rhm_job_wait(job, -1), RHM_JOB_PAUSED);
        must(predict(&one, labels, after, &err)); /* the last one's, meanwhile and after */
        assert_memory_equal(before, after, sizeof after);
        rhm_job_free(job);
        must(predict(&one, labels, after, &err));
        assert_memory_equal(before, after, sizeof after);
        clear(&one);
    }
}

/* A job that is stopped in the queue lets go of its model. */
static void test_forgone(void **state)
{
    (void)state;
    struct learner one[KINDS];
    struct rhm_job *job[KINDS];
    for (enum kind kind = 0; kind < KINDS; kind++) {
        struct rhm_job_body body;
        one[kind] = make(kind);
        must(body_of(&body, &one[kind], &err));
        must(rhm_job_queue(&job[kind], &body, &err));
        if (kind == 0)
            rhm_job_pause(job[0]); /* maybe before it begins: the others do not move, or are fast */
    }
    for (enum kind kind = KINDS; kind-- > 0;) {
        rhm_job_stop(job[kind]);
        rhm_job_wait(job[kind], -1);
        rhm_job_free(job[kind]);
        train(&one[kind]);
        clear(&one[kind]);
    }
}

/* ------------------------------------------------------------ progress */

static void test_progress_of_refinement(void **state)
{
    (void)state;
    struct learner one = make(REFINE);
    struct rhm_job *job = start(&one);
    struct rhm_progress p;
    uint64_t member = 1, done = 0, looks = 0;
    assert_non_null(strstr(rhm_job_name(job), "refine (8,2,3) n=400"));
    do {
        rhm_job_progress(job, &p);
        const struct rhm_work *w = &p.work;
        assert_string_equal(w->kind, "refine");
        assert_string_equal(w->unit, "sweep");
        assert_string_equal(w->group, "start");
        assert_true(w->members == STARTS && w->member >= member && w->member <= STARTS && w->all == SWEEPS);
        assert_true(w->member > member || w->done >= done);
        assert_true(w->done <= SWEEPS + 1);
        if (w->done > 0)
            assert_true(w->value[0] < 0 && w->value[1] < 0 && w->value[2] > 0 && w->value[2] <= 1);
        member = w->member;
        done = w->done;
        looks++;
        struct rhm_refined_view view;
        size_t points = rhm_network_refined(one.chain, &view, 0, 0, 0, NULL);
        assert_true(points == 0 || (view.n == STRINGS && view.labelled == STRINGS && view.last.start >= 1));
    } while (rhm_job_wait(job, 0.001) < RHM_JOB_DONE);
    rhm_job_progress(job, &p);
    assert_int_equal(p.state, RHM_JOB_DONE);
    assert_true(looks > 5 && member == STARTS);
    const struct rhm_refined *r = one.chain->refined;
    assert_true(p.accuracy == r->history[r->last].accuracy);
    static struct rhm_curve curve;
    rhm_job_curve(job, &curve); /* the sweeps of all starts */
    assert_true(r->points == STARTS * (SWEEPS + 1) && curve.n == r->points);
    for (size_t i = 0; i < curve.n; i++) {
        const struct rhm_refine_point *point = &r->history[i];
        assert_true(curve.point[i].done == i + 1 && curve.point[i].value[0] == point->log_joint);
        assert_true(curve.point[i].value[1] == point->log_label &&
                    curve.point[i].value[2] == point->accuracy);
        assert_true(isnan(curve.point[i].value[3]));
    }
    rhm_job_free(job);
    clear(&one);
}

static void test_progress_of_onestep(void **state)
{
    (void)state;
    struct learner one = make(ONESTEP);
    struct rhm_job *job = start(&one);
    struct rhm_progress p;
    uint64_t member = 3, most = 0;
    do {
        rhm_job_progress(job, &p);
        const struct rhm_work *w = &p.work;
        assert_string_equal(w->kind, "onestep");
        assert_string_equal(w->group, "layer");
        assert_true(w->members == 3 && w->member <= member && w->member >= 1);
        member = w->member;
        if (w->unit && strcmp(w->unit, "start") == 0) {
            assert_true(w->all == RESTARTS && w->done <= RESTARTS && member > 1);
            assert_string_equal(w->stage, "clusters");
            most = w->done > most ? w->done : most;
        }
    } while (rhm_job_wait(job, 0.0005) < RHM_JOB_DONE);
    rhm_job_progress(job, &p);
    assert_true(p.state == RHM_JOB_DONE && p.work.member == 1);
    assert_string_equal(p.work.stage, "done");
    assert_true(most > 0);
    rhm_job_free(job);
    clear(&one);
}

/* ------------------------------------------------------------ readers */

struct scene {
    struct learner *one;
    struct rhm_job **job;
    atomic_int stop;
    atomic_uint wrong, looks;
};

static void *read_on(void *argument)
{
    struct scene *scene = argument;
    static _Thread_local double output[TEST * 8];
    static _Thread_local uint16_t labels[TEST];
    static _Thread_local struct rhm_refine_point history[64];
    static _Thread_local struct rhm_curve curve;
    while (!atomic_load(&scene->stop)) {
        for (enum kind kind = 0; kind < KINDS; kind++) {
            struct rhm_progress p;
            struct rhm_error err = {0};
            rhm_job_progress(scene->job[kind], &p);
            rhm_job_curve(scene->job[kind], &curve);
            if (p.state == RHM_JOB_FAILED ||
                (predict(&scene->one[kind], labels, output, &err) != RHM_OK && err.status != RHM_ESTATE))
                atomic_fetch_add(&scene->wrong, 1);
        }
        struct rhm_refined_view view;
        size_t points = rhm_network_refined(scene->one[REFINE].chain, &view, 0, 0, 64, history);
        for (size_t i = 0; i < points && i < 64; i++)
            if (!(history[i].log_joint < 0) || history[i].start < 1)
                atomic_fetch_add(&scene->wrong, 1);
        uint32_t clusters, cluster[64], tuple[128];
        size_t U = rhm_onestep_clusters(scene->one[ONESTEP].onestep, 2, 64, tuple, cluster, &clusters);
        for (size_t u = 0; u < U && u < 64; u++)
            if (cluster[u] >= clusters)
                atomic_fetch_add(&scene->wrong, 1);
        rhm_onestep_trained(scene->one[ONESTEP].onestep);
        atomic_fetch_add(&scene->looks, 1);
    }
    return NULL;
}

static void test_readers(void **state)
{
    (void)state;
    enum { READERS = 2 };
    struct learner one[KINDS];
    struct rhm_job *job[KINDS];
    pthread_t thread[READERS];
    struct rhm_rng rng = rhm_rng_start(2, RHM_STREAM_TEST, 0);
    for (enum kind kind = 0; kind < KINDS; kind++)
        one[kind] = make(kind);
    for (int round = 0; round < 2; round++) { /* the second takes the place of the first */
        struct scene scene = {.one = one, .job = job};
        for (enum kind kind = 0; kind < KINDS; kind++)
            job[kind] = start(&one[kind]);
        for (int r = 0; r < READERS; r++)
            assert_int_equal(pthread_create(&thread[r], NULL, read_on, &scene), 0);
        for (unsigned asked = 0, ended = 0; ended < KINDS; asked++) {
            struct rhm_job *some = job[rhm_rng_below(&rng, KINDS)];
            if (rhm_rng_below(&rng, 2) && asked < 60)
                rhm_job_pause(some);
            else
                rhm_job_resume(some);
            doze(0.001);
            ended = 0;
            for (enum kind kind = 0; kind < KINDS; kind++)
                ended += rhm_job_wait(job[kind], 0) >= RHM_JOB_DONE;
        }
        atomic_store(&scene.stop, 1);
        for (int r = 0; r < READERS; r++)
            pthread_join(thread[r], NULL);
        assert_int_equal(atomic_load(&scene.wrong), 0);
        assert_true(atomic_load(&scene.looks) > 0);
        for (enum kind kind = 0; kind < KINDS; kind++) {
            assert_int_equal(rhm_job_wait(job[kind], 0), RHM_JOB_DONE);
            rhm_job_free(job[kind]);
        }
    }
    for (enum kind kind = 0; kind < KINDS; kind++) {
        struct learner direct = make(kind);
        train(&direct);
        check_same(&direct, &one[kind]);
        clear(&direct);
        clear(&one[kind]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pauses_leave_no_trace),
        cmocka_unit_test(test_refined_chain),
        cmocka_unit_test(test_stops),
        cmocka_unit_test(test_forgone),
        cmocka_unit_test(test_progress_of_refinement),
        cmocka_unit_test(test_progress_of_onestep),
        cmocka_unit_test(test_readers),
    };
    return cmocka_run_group_tests_name("training", tests, setup, teardown);
}
