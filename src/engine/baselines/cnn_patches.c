/* cnn_patches.c - the two lowest layers by distinct patches. See cnn_pass.h.
 *
 * With T_j = a W_j^T y (D x h for each place j of the patch of layer L-1; y: outputs of layer L for the D
 * distinct patches of tokens in the batch) a row of layer L-1 is b + sum_j T_j[code of child j]: layer L-1
 * becomes a look-up as layer L is one. Backward G_j[c] = sum of delta_(L-1) over the rows whose child j is c;
 * then dW_j = a y^T G_j and delta of y = a sum_j G_j W_j^T. D x s h x h multiplications stand for those of
 * batch * (positions of layer L-1) rows; s is that of layer L-1, but for V^s.
 */
#include <cblas.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/baselines/cnn_pass.h"

#define MOST_CODES ((size_t)1 << 20) /* symbols^s; above, patches are not told apart */
#define ROWS       128               /* patches a piece */

enum rhm_status rhm_cnn_patches_init(struct rhm_cnn_pass *pass, int gradients, struct rhm_error *err)
{
    const struct rhm_cnn *net = pass->net;
    struct rhm_cnn_patches *at = &pass->patches;
    uint64_t codes = rhm_power(net->symbols, net->branch[net->L]);
    if (net->L < 2 || net->local || codes == 0 || codes > MOST_CODES)
        return RHM_OK;
    size_t instances = pass->batch * net->layer[net->L].positions, s = net->branch[net->L - 1];
    at->most = codes < instances ? (size_t)codes : instances;
    size_t useful = pass->batch * net->layer[net->L - 1].positions; /* never more in use */
    at->most = at->most < useful ? at->most : useful;
    double numbers = (double)at->most * (double)net->h * (double)(gradients ? 2 * s + 2 : s + 1);
    enum rhm_status status =
        rhm_memory_check(sizeof(float) * numbers, "the patches of a batch", "a smaller batch", err);
    if (status != RHM_OK)
        return status;
    at->id = rhm_array((size_t)codes, sizeof *at->id, "the patches of a batch", err);
    at->code = rhm_array(instances, sizeof *at->code, "the patches of a batch", err);
    at->example = rhm_array(at->most, sizeof *at->example, "the patches of a batch", err);
    at->list = rhm_array(at->most, sizeof *at->list, "the patches of a batch", err);
    at->y = rhm_array(at->most * net->h, sizeof *at->y, "the patches of a batch", err);
    at->t = rhm_array(at->most * s * net->h, sizeof *at->t, "the patches of a batch", err);
    if (gradients) {
        at->g = rhm_array(at->most * s * net->h, sizeof *at->g, "the patches of a batch", err);
        at->delta = rhm_array(at->most * net->h, sizeof *at->delta, "the patches of a batch", err);
    }
    return at->id && at->code && at->example && at->list && at->y && at->t &&
                   ((at->g && at->delta) || !gradients)
               ? RHM_OK
               : RHM_EMEMORY;
}

void rhm_cnn_patches_clear(struct rhm_cnn_patches *at)
{
    free(at->id);
    free(at->code);
    free(at->example);
    free(at->list);
    free(at->y);
    free(at->t);
    free(at->g);
    free(at->delta);
    *at = (struct rhm_cnn_patches){0};
}

/* Numbers the distinct patches of n strings by their first appearance; none where there are too many of them
 * to be worth it. */
void rhm_cnn_patches_find(struct rhm_cnn_pass *pass, size_t n)
{
    const struct rhm_cnn *net = pass->net;
    struct rhm_cnn_patches *at = &pass->patches;
    size_t positions = net->layer[net->L].positions, s = net->branch[net->L], worth = 0;
    at->n = 0;
    if (at->most == 0)
        return;
    worth = n * net->layer[net->L - 1].positions * 3 / 4;
    worth = worth < at->most ? worth : at->most;
    for (size_t k = 0; k < at->used; k++) /* those of the last batch */
        at->id[at->list[k]] = 0;
    at->used = 0;
    size_t found = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t p = 0; p < positions; p++) {
            const uint16_t *token = pass->string[i] + p * s;
            size_t code = 0;
            for (size_t j = 0; j < s; j++)
                code = code * net->symbols + token[j];
            if (at->id[code] == 0) {
                if (found == worth)
                    return;
                at->example[found] = token;
                at->list[found] = (uint32_t)code;
                at->id[code] = (uint32_t)++found;
                at->used = found;
            }
            at->code[i * positions + p] = at->id[code] - 1;
        }
    at->n = found;
}

static void product(CBLAS_TRANSPOSE turn, size_t rows, size_t out, size_t in, float scale, const float *a,
                    const float *b, int add, float *to)
{
    if (!add)
        memset(to, 0, rows * out * sizeof *to);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, turn, (int)rows, (int)out, (int)in, scale, a, (int)in, b,
                (int)out, 1, to, (int)out);
}

/* ------------------------------------------------------------ forward */

size_t rhm_cnn_patches_pieces(const struct rhm_cnn_pass *pass)
{
    return (pass->patches.n + ROWS - 1) / ROWS;
}

static size_t rows_of(const struct rhm_cnn_patches *at, size_t piece)
{
    return at->n - piece * ROWS < ROWS ? at->n - piece * ROWS : ROWS;
}

/* y and T of a piece of the patches. */
void rhm_cnn_patches_forward(struct rhm_cnn_pass *pass, size_t piece)
{
    const struct rhm_cnn *net = pass->net;
    struct rhm_cnn_patches *at = &pass->patches;
    const struct rhm_cnn_layer *above = &net->layer[net->L - 1];
    size_t h = net->h, first = piece * ROWS, rows = rows_of(at, piece);
    rhm_cnn_look_up(net, rows, 1, at->example + first, at->y + first * h);
    for (size_t j = 0; j < net->branch[net->L - 1]; j++)
        product(CblasNoTrans, rows, h, h, above->scale, at->y + first * h, net->w + above->weight + j * h * h,
                0, at->t + (j * at->most + first) * h);
}

/* Strings a .. b - 1 of layer L-1. */
void rhm_cnn_patches_gather(struct rhm_cnn_pass *pass, size_t a, size_t b)
{
    const struct rhm_cnn *net = pass->net;
    const struct rhm_cnn_patches *at = &pass->patches;
    const struct rhm_cnn_layer *above = &net->layer[net->L - 1];
    const float *bias = net->w + above->bias;
    size_t h = net->h, s = net->branch[net->L - 1];
    for (size_t row = a * above->positions; row < b * above->positions; row++) {
        const uint32_t *code = at->code + row * s;
        float *y = pass->act[net->L - 1] + row * h;
        memcpy(y, bias, h * sizeof *y);
        for (size_t j = 0; j < s; j++) {
            const float *t = at->t + (j * at->most + code[j]) * h;
#pragma omp simd
            for (size_t c = 0; c < h; c++)
                y[c] += t[c];
        }
#pragma omp simd
        for (size_t c = 0; c < h; c++)
            y[c] = y[c] > 0 ? y[c] : 0;
    }
}

/* ------------------------------------------------------------ backward */

/* G_j from all rows of delta_(L-1). */
void rhm_cnn_patches_scatter(struct rhm_cnn_pass *pass, size_t n, size_t j)
{
    const struct rhm_cnn *net = pass->net;
    struct rhm_cnn_patches *at = &pass->patches;
    size_t h = net->h, s = net->branch[net->L - 1], rows = n * net->layer[net->L - 1].positions;
    float *g = at->g + j * at->most * h;
    const float *delta = pass->delta[net->L - 1];
    memset(g, 0, at->n * h * sizeof *g);
    for (size_t row = 0; row < rows; row++, delta += h) {
        float *to = g + at->code[row * s + j] * h;
#pragma omp simd
        for (size_t c = 0; c < h; c++)
            to[c] += delta[c];
    }
}

/* delta of y, of a piece of the patches. */
void rhm_cnn_patches_back(struct rhm_cnn_pass *pass, size_t piece)
{
    const struct rhm_cnn *net = pass->net;
    struct rhm_cnn_patches *at = &pass->patches;
    const struct rhm_cnn_layer *above = &net->layer[net->L - 1];
    size_t h = net->h, first = piece * ROWS, rows = rows_of(at, piece);
    float *delta = at->delta + first * h;
    const float *y = at->y + first * h;
    for (size_t j = 0; j < net->branch[net->L - 1]; j++)
        product(CblasTrans, rows, h, h, above->scale, at->g + (j * at->most + first) * h,
                net->w + above->weight + j * h * h, j > 0, delta);
#pragma omp simd
    for (size_t i = 0; i < rows * h; i++)
        delta[i] = y[i] > 0 ? delta[i] : 0;
}

/* Rows first .. first + count - 1 of dW of layer L-1, all of one place. */
void rhm_cnn_patches_weights(const struct rhm_cnn_pass *pass, size_t first, size_t count, float *to)
{
    const struct rhm_cnn *net = pass->net;
    const struct rhm_cnn_patches *at = &pass->patches;
    size_t h = net->h, j = first / h;
    memset(to, 0, count * h * sizeof *to);
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)count, (int)h, (int)at->n,
                net->layer[net->L - 1].scale, at->y + first % h, (int)h, at->g + j * at->most * h, (int)h, 1,
                to, (int)h);
}

/* The rows of the token table for place j of the patch. */
void rhm_cnn_patches_tokens(const struct rhm_cnn_pass *pass, size_t j, float *to)
{
    const struct rhm_cnn *net = pass->net;
    const struct rhm_cnn_patches *at = &pass->patches;
    size_t h = net->h;
    float scale = net->layer[net->L].scale;
    memset(to, 0, net->symbols * h * sizeof *to);
    for (size_t k = 0; k < at->n; k++) {
        float *row = to + at->example[k][j] * h;
        const float *delta = at->delta + k * h;
#pragma omp simd
        for (size_t c = 0; c < h; c++)
            row[c] += scale * delta[c];
    }
}
