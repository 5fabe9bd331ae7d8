/* shallow_file.c - a shallow model on disk. See shallow.h.
 *
 * Attributes of the root: rhm_shallow (the version of this format), kind (as numbered in shallow.h), V, d,
 * classes, M. Data sets: seed, sigma (as given), lambda; where it is trained n and sigma_used, and for rbf
 * frequency (M/2 x d V) and W (classes x M), for kernel tokens (n x d, 0-based) and alpha (n x classes).
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/baselines/shallow_fit.h"
#include "engine/files/hdf5_reader.h"

#define FORMAT 1

static struct rhm_hdf5_array reals(const char *name, size_t rows, size_t cols, const double *x)
{
    return (struct rhm_hdf5_array){
        name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, cols > 0 ? 2 : 0, {cols > 0 ? rows : 1, cols > 0 ? cols : 1},
        x};
}

static struct rhm_hdf5_array whole(const char *name, const uint64_t *x)
{
    return (struct rhm_hdf5_array){name, H5T_STD_U64LE, H5T_NATIVE_UINT64, 0, {1, 1}, x};
}

static enum rhm_status write_locked(const struct rhm_shallow *net, const char *path, struct rhm_error *err)
{
    const struct rhm_shallow_fit *fit = &net->fit;
    struct rhm_hdf5_array array[8];
    size_t n = 0;
    uint64_t strings = fit->n;
    array[n++] = whole("seed", &net->seed);
    array[n++] = reals("sigma", 0, 0, &net->sigma);
    array[n++] = reals("lambda", 0, 0, &net->lambda);
    if (fit->n > 0) {
        array[n++] = whole("n", &strings);
        array[n++] = reals("sigma_used", 0, 0, &fit->sigma);
    }
    if (fit->n > 0 && net->kind == RHM_SHALLOW_RBF) {
        array[n++] = reals("frequency", fit->features.rows, net->d * net->V, fit->features.frequency);
        array[n++] = reals("W", net->classes, net->M, fit->W);
    } else if (fit->n > 0) {
        array[n++] = (struct rhm_hdf5_array){"tokens", H5T_STD_U16LE,    H5T_NATIVE_UINT16,
                                             2,        {fit->n, net->d}, fit->tokens};
        array[n++] = reals("alpha", fit->n, net->classes, fit->alpha);
    }
    const struct rhm_hdf5_attribute attribute[] = {
        {"rhm_shallow", FORMAT}, {"kind", net->kind},       {"V", net->V},
        {"d", (unsigned)net->d}, {"classes", net->classes}, {"M", (unsigned)net->M},
    };
    return rhm_hdf5_write(path, n, array, sizeof attribute / sizeof attribute[0], attribute, err);
}

enum rhm_status rhm_shallow_save(struct rhm_shallow *net, const char *path, struct rhm_error *err)
{
    pthread_mutex_lock(&net->lock);
    enum rhm_status status = write_locked(net, path, err);
    pthread_mutex_unlock(&net->lock);
    return status;
}

/* ------------------------------------------------------------ loading */

static void read_rbf(struct rhm_hdf5_reader *r, struct rhm_shallow *net)
{
    struct rhm_shallow_fit *fit = &net->fit;
    if (!rhm_hdf5_reader_check(r, rhm_shallow_features(net, fit->sigma, &fit->features, r->err)))
        return;
    size_t rows = fit->features.rows, C = net->classes;
    double *frequency = rhm_hdf5_reader_reals(r, "frequency", &rows, net->d * net->V);
    fit->W = rhm_hdf5_reader_reals(r, "W", &C, net->M);
    if (r->status == RHM_OK)
        rhm_hdf5_reader_check(r, rhm_features_set_frequencies(&fit->features, frequency, NULL, r->err));
    free(frequency);
}

static void read_kernel(struct rhm_hdf5_reader *r, struct rhm_shallow *net)
{
    struct rhm_shallow_fit *fit = &net->fit;
    size_t n = fit->n;
    fit->alpha = rhm_hdf5_reader_reals(r, "alpha", &n, net->classes);
    if (r->status != RHM_OK)
        return;
    fit->tokens = rhm_array(fit->n * net->d, sizeof *fit->tokens, "the strings", r->err);
    if (rhm_hdf5_reader_check(r, fit->tokens ? RHM_OK : RHM_EMEMORY))
        rhm_hdf5_reader_array(r, "tokens", H5T_NATIVE_UINT16, fit->n, net->d, fit->tokens);
    for (size_t i = 0; r->status == RHM_OK && i < fit->n * net->d; i++)
        if (fit->tokens[i] >= net->V)
            rhm_hdf5_reader_damaged(r, "\"tokens\" holds %d at [%zu,%zu]: must be below %u", fit->tokens[i],
                                    i / net->d, i % net->d, net->V);
}

static void read_fit(struct rhm_hdf5_reader *r, struct rhm_shallow *net)
{
    uint64_t n = 0;
    rhm_hdf5_reader_array(r, "n", H5T_NATIVE_UINT64, 0, 0, &n);
    rhm_hdf5_reader_array(r, "sigma_used", H5T_NATIVE_DOUBLE, 0, 0, &net->fit.sigma);
    if (r->status == RHM_OK &&
        (n < 1 || n > SIZE_MAX / 1024 / (net->d > net->classes ? net->d : net->classes)))
        rhm_hdf5_reader_damaged(r, "a model of %" PRIu64 " strings", n);
    if (r->status == RHM_OK && !(net->fit.sigma > 0 && net->fit.sigma < INFINITY))
        rhm_hdf5_reader_damaged(r, "sigma in use is %g: must be positive", net->fit.sigma);
    if (r->status != RHM_OK)
        return;
    net->fit.n = (size_t)n;
    if (net->kind == RHM_SHALLOW_RBF)
        read_rbf(r, net);
    else
        read_kernel(r, net);
}

static void read_model(struct rhm_hdf5_reader *r, struct rhm_shallow **net)
{
    rhm_hdf5_reader_format(r, "rhm_shallow", "a model", FORMAT);
    unsigned kind = rhm_hdf5_reader_attribute(r, "kind");
    struct rhm_shallow_options o = {.V = rhm_hdf5_reader_attribute(r, "V"),
                                    .d = rhm_hdf5_reader_attribute(r, "d"),
                                    .classes = rhm_hdf5_reader_attribute(r, "classes"),
                                    .M = rhm_hdf5_reader_attribute(r, "M")};
    if (kind > RHM_SHALLOW_KERNEL)
        rhm_hdf5_reader_damaged(r, "its kind is number %u: must be 0 or 1", kind);
    o.kind = (enum rhm_shallow_kind)kind;
    rhm_hdf5_reader_array(r, "seed", H5T_NATIVE_UINT64, 0, 0, &o.seed);
    rhm_hdf5_reader_array(r, "sigma", H5T_NATIVE_DOUBLE, 0, 0, &o.sigma);
    rhm_hdf5_reader_array(r, "lambda", H5T_NATIVE_DOUBLE, 0, 0, &o.lambda);
    if (r->status != RHM_OK)
        return;
    struct rhm_error own = {0};
    rhm_hdf5_reader_made(r, rhm_shallow_create(net, &o, &own), &own);
    if (rhm_hdf5_reader_has(r, "n"))
        read_fit(r, *net);
}

enum rhm_status rhm_shallow_load(struct rhm_shallow **out, const char *path, struct rhm_error *err)
{
    struct rhm_hdf5_reader r;
    struct rhm_shallow *net = NULL;
    rhm_hdf5_reader_open(&r, path, err);
    read_model(&r, &net);
    enum rhm_status status = rhm_hdf5_reader_close(&r);
    if (status == RHM_OK)
        *out = net;
    else
        rhm_shallow_free(net);
    return status;
}

int rhm_shallow_is_file(const char *path)
{
    return rhm_hdf5_marked(path, "rhm_shallow");
}
