/* measure_cnn.c - steps of the convolutional network, on one thread, beside the products they consist of and
 * beside PyTorch. */
#include "measure.h"

#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/base/monitor.h"
#include "engine/base/threads.h"
#include "engine/baselines/cnn.h"
#include "engine/grammar/sample.h"

enum { V = 8, S = 2, LEVELS = 3, BATCH = 128 };

/* ------------------------------------------------------------ PyTorch */

/* What the script prints, or 0. */
static double torch_milliseconds(void)
{
    char command[1024];
    const char *python = getenv("PYTHON"), *source = getenv("srcdir");
    double milliseconds = 0;
    snprintf(command, sizeof command, "'%s' '%s/tests/bench/torch_step.py' 2>/dev/null",
             python && *python ? python : "python3", source ? source : ".");
    FILE *pipe = popen(command, "r");
    if (pipe == NULL)
        return 0;
    if (fscanf(pipe, "%lf", &milliseconds) != 1)
        milliseconds = 0;
    return pclose(pipe) == 0 ? milliseconds : 0;
}

static double torch_rate(void)
{
    double milliseconds = torch_milliseconds();
    return milliseconds > 0 ? BATCH / milliseconds : 0; /* thousands a second */
}

int measure_torch_there(void)
{
    char command[1024];
    const char *python = getenv("PYTHON");
    snprintf(command, sizeof command, "'%s' -c 'import torch' 2>/dev/null",
             python && *python ? python : "python3");
    return system(command) == 0;
}

/* ------------------------------------------------------------ ours */

/* Thousands of strings a second of a whole step: forward, backward, update. */
static enum rhm_status time_training(struct rhm_cnn *net, const struct rhm_dataset *data, double *rate,
                                     struct rhm_error *err)
{
    struct rhm_cnn_train_options o = rhm_cnn_train_defaults(net);
    struct rhm_cnn_result result;
    o.data = data;
    o.epochs = 1;
    o.batch = BATCH;
    o.stop_loss = 0;
    o.rate = 1e-3;
    enum rhm_status status = rhm_cnn_train(net, &o, NULL, &result, err);
    *rate = (double)data->n / result.seconds * 1e-3;
    return status;
}

/* The same of the products alone: those of the layers that multiply, three each. */
static enum rhm_status time_products(size_t h, size_t steps, double *rate, struct rhm_error *err)
{
    size_t rows = BATCH * S, in = S * h;
    float *x = rhm_array(rows * in, sizeof *x, "the operands", err);
    float *w = rhm_array(in * h, sizeof *w, "the operands", err);
    float *z = rhm_array(rows * h, sizeof *z, "the operands", err);
    int held = x && w && z;
    double start = rhm_clock();
    for (size_t k = 0; held && k < steps; k++)
        for (size_t positions = S; positions >= 1; positions /= S) {
            int n = (int)(BATCH * positions), wide = (int)h, deep = (int)in;
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, wide, deep, 1, x, deep, w, wide, 0, z,
                        wide);
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, deep, wide, 1, z, wide, w, wide, 0, x,
                        deep);
            cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, deep, wide, n, 1, x, deep, z, wide, 0, w,
                        wide);
        }
    *rate = (double)(steps * BATCH) / (rhm_clock() - start) * 1e-3;
    free(x);
    free(w);
    free(z);
    return held ? RHM_OK : RHM_EMEMORY;
}

/* Each in its turn, so that whatever else the machine does slows both. */
static enum rhm_status cnn(size_t h, size_t steps, int torch, struct measurement *out, struct rhm_error *err)
{
    enum { PASSES = 7 };
    struct rhm_grammar g;
    struct rhm_dataset data = {0};
    struct rhm_cnn *net = NULL;
    struct rhm_cnn_options o = rhm_cnn_defaults();
    double ours[PASSES], bare[PASSES], drop;
    o.V = V;
    o.s = S;
    o.L = LEVELS;
    o.h = (int64_t)h;
    enum rhm_status status =
        rhm_grammar_draw(&g, &(struct rhm_grammar_shape){.V = V, .m = 4, .s = S, .L = LEVELS}, 1, err);
    if (status != RHM_OK)
        return status;
    status = rhm_threads_set(1, err);
    if (status == RHM_OK)
        status = rhm_sample_dataset(&g, 1, steps * BATCH, &data, err);
    if (status == RHM_OK)
        status = rhm_cnn_create(&net, &o, err);
    for (int pass = -1; status == RHM_OK && pass < PASSES; pass++) {
        status = time_training(net, &data, pass < 0 ? &drop : &ours[pass], err);
        if (status == RHM_OK && !torch)
            status = time_products(h, steps, pass < 0 ? &drop : &bare[pass], err);
    }
    if (status == RHM_OK) {
        out->value = median(ours, PASSES);
        out->bare = torch ? torch_rate() : median(bare, PASSES);
        if (!(out->bare > 0))
            status = rhm_fail(err, RHM_ESTATE, "PyTorch did not tell its time");
    }
    rhm_cnn_free(net);
    rhm_dataset_clear(&data);
    rhm_grammar_clear(&g);
    return status;
}

enum rhm_status measure_cnn_narrow(struct measurement *out, struct rhm_error *err)
{
    return cnn(64, 200, 0, out, err);
}

enum rhm_status measure_cnn_wide(struct measurement *out, struct rhm_error *err)
{
    return cnn(512, 8, 0, out, err);
}

enum rhm_status measure_cnn_torch(struct measurement *out, struct rhm_error *err)
{
    return cnn(64, 200, 1, out, err);
}
