/* cnn_pass.c - see cnn_pass.h. */
#include "engine/baselines/cnn_pass.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/linalg.h"
#include "engine/base/memory.h"

#define SHARD          64  /* strings */
#define BLOCK          128 /* rows of weights; */
#define BLOCK_WIDE     256 /* from width WIDE on: sgemm packs its operands anew for each block */
#define WIDE           256
#define PARALLEL_FLOPS 1e7 /* of a forward pass: less, some 0.3 ms, is not worth two barriers */

/* ------------------------------------------------------------ life */

static size_t count_blocks(const struct rhm_cnn *net, size_t rows, struct rhm_cnn_block *out)
{
    size_t n = 0;
    for (unsigned l = 0; l <= net->L; l++) {
        const struct rhm_cnn_layer *layer = &net->layer[l];
        size_t place =
            l == net->L ? net->symbols : net->h; /* inputs of a place of the patch: no block has two */
        size_t each = l == net->L || place < rows ? place : rows;
        for (size_t set = 0; set < layer->sets; set++) {
            for (size_t first = 0, count; first < layer->inputs; first += count, n++) {
                count = place - first % place < each ? place - first % place : each;
                if (out)
                    out[n] = (struct rhm_cnn_block){.l = l, .set = set, .first = first, .count = count};
            }
            if (out)
                out[n] = (struct rhm_cnn_block){.l = l, .set = set, .bias = 1};
            n++;
        }
    }
    return n;
}

enum rhm_status rhm_cnn_pass_init(struct rhm_cnn_pass *pass, const struct rhm_cnn *net, size_t batch,
                                  int gradients, int all, struct rhm_error *err)
{
    *pass = (struct rhm_cnn_pass){.net = net, .batch = batch};
    double numbers = 0;
    for (unsigned l = 0; l <= net->L; l++)
        numbers += (double)net->layer[l].positions * (double)net->layer[l].outputs;
    size_t padded = net->d < net->leaves ? (size_t)net->leaves : 0;
    numbers = numbers * (gradients ? 2.0 : 1.0) * sizeof(float) + (double)padded * sizeof(uint16_t);
    numbers *= (double)batch;
    enum rhm_status status = rhm_memory_check(numbers, "a batch through the network", "a smaller batch", err);
    if (status == RHM_OK)
        status = rhm_linalg_dimension("batch times positions", batch * net->layer[net->L].positions, err);
    if (status != RHM_OK)
        return status;
    int held = 1;
    for (unsigned l = 0; l <= net->L && held; l++) {
        size_t n = batch * net->layer[l].positions * net->layer[l].outputs;
        pass->act[l] = rhm_array(n, sizeof(float), "a batch", err);
        if (gradients)
            pass->delta[l] = rhm_array(n, sizeof(float), "a batch", err);
        held = pass->act[l] && (pass->delta[l] || !gradients);
    }
    pass->string = rhm_array(batch, sizeof *pass->string, "a batch", err);
    if (padded)
        pass->padded = rhm_array(batch * padded, sizeof *pass->padded, "a batch", err);
    pass->label = rhm_array(batch, sizeof *pass->label, "a batch", err);
    pass->loss = rhm_array(batch, sizeof *pass->loss, "a batch", err);
    pass->right = rhm_array(batch, sizeof *pass->right, "a batch", err);
    size_t rows = net->h >= WIDE ? BLOCK_WIDE : BLOCK;
    pass->blocks = count_blocks(net, rows, NULL);
    if (gradients)
        pass->block = rhm_array(pass->blocks, sizeof *pass->block, "a batch", err);
    if (!held || !pass->string || (padded && !pass->padded) || !pass->label || !pass->loss || !pass->right ||
        (gradients && !pass->block)) {
        rhm_cnn_pass_clear(pass);
        return RHM_EMEMORY;
    }
    if (gradients)
        count_blocks(net, rows, pass->block);
    for (size_t i = 0; i < batch * padded; i++)
        pass->padded[i] = (uint16_t)net->V;
    status = all ? RHM_OK : rhm_cnn_patches_init(pass, gradients, err);
    if (status != RHM_OK)
        rhm_cnn_pass_clear(pass);
    return status;
}

void rhm_cnn_pass_clear(struct rhm_cnn_pass *pass)
{
    for (unsigned l = 0; pass->net && l <= pass->net->L; l++) {
        free(pass->act[l]);
        free(pass->delta[l]);
    }
    free(pass->string);
    free(pass->padded);
    free(pass->label);
    free(pass->loss);
    free(pass->right);
    free(pass->block);
    rhm_cnn_patches_clear(&pass->patches);
    *pass = (struct rhm_cnn_pass){0};
}

void rhm_cnn_pass_take(struct rhm_cnn_pass *pass, size_t i, const uint16_t *tokens, uint16_t label)
{
    const struct rhm_cnn *net = pass->net;
    pass->label[i] = label;
    pass->string[i] = tokens;
    if (pass->padded) {
        uint16_t *own = pass->padded + i * net->leaves;
        memcpy(own, tokens, (size_t)net->d * sizeof *own);
        pass->string[i] = own;
    }
}

static int worth_threads(const struct rhm_cnn *net, size_t n)
{
    double flops = 0;
    for (unsigned l = 0; l <= net->L; l++)
        flops += 2 * (double)net->layer[l].positions * (double)net->layer[l].outputs *
                 (double)(l == net->L ? net->branch[net->L] : net->layer[l].inputs);
    return (double)n * flops > PARALLEL_FLOPS;
}

/* Strings a shard; a batch of little work is one. */
static size_t shard_of(const struct rhm_cnn *net, size_t n)
{
    return worth_threads(net, n) || n == 0 ? SHARD : n;
}

/* Products are added to what is there, biases or zeros: OpenBLAS's own zeroing is slower than memset. */

/* ------------------------------------------------------------ forward, strings a .. b - 1 */

static const float *weights_of(const struct rhm_cnn *net, unsigned l, size_t p)
{
    const struct rhm_cnn_layer *layer = &net->layer[l];
    return net->w + layer->weight + (layer->sets > 1 ? p * layer->inputs * layer->outputs : 0);
}

static const float *bias_of(const struct rhm_cnn *net, unsigned l, size_t p)
{
    const struct rhm_cnn_layer *layer = &net->layer[l];
    return net->w + layer->bias + (layer->sets > 1 ? p * layer->outputs : 0);
}

/* One-hot inputs: the product is a sum of s rows of the table. */
void rhm_cnn_look_up(const struct rhm_cnn *net, size_t n, size_t positions, const uint16_t *const *string,
                     float *y)
{
    const struct rhm_cnn_layer *layer = &net->layer[net->L];
    size_t h = net->h, V = net->symbols, s = net->branch[net->L];
    float scale = layer->scale;
    for (size_t i = 0; i < n; i++)
        for (size_t p = 0; p < positions; p++, y += h) {
            const float *table = weights_of(net, net->L, p), *bias = bias_of(net, net->L, p);
            const uint16_t *token = string[i] + p * s;
            const float *row = table + token[0] * h;
            if (s == 2) { /* in one sweep */
                const float *other = table + (V + token[1]) * h;
#pragma omp simd
                for (size_t c = 0; c < h; c++) {
                    float z = scale * (row[c] + other[c]) + bias[c];
                    y[c] = z > 0 ? z : 0;
                }
                continue;
            }
            memcpy(y, row, h * sizeof *y);
            for (size_t j = 1; j < s; j++) {
                row = table + (j * V + token[j]) * h;
#pragma omp simd
                for (size_t c = 0; c < h; c++)
                    y[c] += row[c];
            }
#pragma omp simd
            for (size_t c = 0; c < h; c++) {
                float z = scale * y[c] + bias[c];
                y[c] = z > 0 ? z : 0;
            }
        }
}

static void multiply(struct rhm_cnn_pass *pass, unsigned l, size_t a, size_t b)
{
    const struct rhm_cnn *net = pass->net;
    const struct rhm_cnn_layer *layer = &net->layer[l];
    size_t in = layer->inputs, out = layer->outputs, positions = layer->positions;
    const float *x = pass->act[l + 1] + a * positions * in;
    float *y = pass->act[l] + a * positions * out, *row = y;
    for (size_t i = a; i < b; i++)
        for (size_t p = 0; p < positions; p++, row += out) {
            memcpy(row, bias_of(net, l, p), out * sizeof *row);
            for (size_t c = 0; l == 0 && c < out; c++)
                row[c] *= layer->scale;
        }
    if (layer->sets == 1)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)((b - a) * positions), (int)out, (int)in,
                    layer->scale, x, (int)in, weights_of(net, l, 0), (int)out, 1, y, (int)out);
    for (size_t p = 0; layer->sets > 1 && p < positions; p++)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)(b - a), (int)out, (int)in, layer->scale,
                    x + p * in, (int)(positions * in), weights_of(net, l, p), (int)out, 1, y + p * out,
                    (int)(positions * out));
    size_t n = l > 0 ? (b - a) * positions * out : 0;
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        y[i] = y[i] > 0 ? y[i] : 0;
}

static void forward(struct rhm_cnn_pass *pass, size_t a, size_t b)
{
    const struct rhm_cnn *net = pass->net;
    unsigned l = net->L;
    if (pass->patches.n > 0) {
        rhm_cnn_patches_gather(pass, a, b);
        l--;
    } else {
        size_t positions = net->layer[l].positions;
        rhm_cnn_look_up(net, b - a, positions, pass->string + a, pass->act[l] + a * positions * net->h);
    }
    while (l-- > 0)
        multiply(pass, l, a, b);
}

void rhm_cnn_pass_forward(struct rhm_cnn_pass *pass, size_t n)
{
    size_t shard = shard_of(pass->net, n), shards = (n + shard - 1) / shard;
    rhm_cnn_patches_find(pass, n);
    size_t pieces = rhm_cnn_patches_pieces(pass);
#pragma omp parallel if (shards > 1 && worth_threads(pass->net, n))
    {
#pragma omp for schedule(dynamic, 1)
        for (size_t k = 0; k < pieces; k++)
            rhm_cnn_patches_forward(pass, k);
#pragma omp for schedule(dynamic, 1)
        for (size_t k = 0; k < shards; k++)
            forward(pass, k * shard, k + 1 < shards ? (k + 1) * shard : n);
    }
}

/* ------------------------------------------------------------ losses */

/* Losses, and where there are gradients delta_0 = (p - e_label) / over. */
static void soften(struct rhm_cnn_pass *pass, size_t a, size_t b, double over)
{
    size_t C = pass->net->classes;
    for (size_t i = a; i < b; i++) {
        const float *z = pass->act[0] + i * C;
        float *delta = pass->delta[0] ? pass->delta[0] + i * C : NULL;
        size_t best = 0, label = pass->label[i];
        for (size_t c = 1; c < C; c++)
            if (z[c] > z[best])
                best = c;
        double rest = 0; /* sum of exp(z - z_best) over the others */
        for (size_t c = 0; c < C; c++) {
            float e = expf(z[c] - z[best]);
            if (c != best)
                rest += e;
            if (delta)
                delta[c] = e;
        }
        pass->loss[i] = log1p(rest) + (double)(z[best] - z[label]);
        pass->right[i] = label == best;
        if (delta == NULL)
            continue;
        float scale = (float)(1 / ((1 + rest) * over));
        double other = 0; /* p - 1 = -(sum of the other p): exact also where p is near 1 */
        for (size_t c = 0; c < C; c++) {
            delta[c] *= scale;
            if (c != label)
                other += delta[c];
        }
        delta[label] = (float)-other;
    }
}

void rhm_cnn_pass_measure(struct rhm_cnn_pass *pass, size_t n)
{
    rhm_cnn_pass_forward(pass, n);
    soften(pass, 0, n, 1);
}

/* ------------------------------------------------------------ backward */

/* delta_(l+1) from delta_l: through the weights of layer l and the ReLU of layer l + 1. */
static void send_back(struct rhm_cnn_pass *pass, unsigned l, size_t a, size_t b)
{
    const struct rhm_cnn *net = pass->net;
    const struct rhm_cnn_layer *layer = &net->layer[l];
    size_t in = layer->inputs, out = layer->outputs, positions = layer->positions;
    const float *from = pass->delta[l] + a * positions * out;
    float *to = pass->delta[l + 1] + a * positions * in;
    memset(to, 0, (b - a) * positions * in * sizeof *to);
    if (layer->sets == 1)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)((b - a) * positions), (int)in, (int)out,
                    layer->scale, from, (int)out, weights_of(net, l, 0), (int)out, 1, to, (int)in);
    for (size_t p = 0; layer->sets > 1 && p < positions; p++)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)(b - a), (int)in, (int)out, layer->scale,
                    from + p * out, (int)(positions * out), weights_of(net, l, p), (int)out, 1, to + p * in,
                    (int)(positions * in));
    const float *y = pass->act[l + 1] + a * positions * in;
    size_t n = (b - a) * positions * in;
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        to[i] = y[i] > 0 ? to[i] : 0;
}

/* ------------------------------------------------------------ gradients */

static void add_columns(size_t rows, size_t stride, size_t n, const float *x, float scale, float *sum)
{
    memset(sum, 0, n * sizeof *sum);
    for (size_t i = 0; i < rows; i++, x += stride) {
#pragma omp simd
        for (size_t c = 0; c < n; c++)
            sum[c] += x[c];
    }
    for (size_t c = 0; scale != 1 && c < n; c++)
        sum[c] *= scale;
}

/* Rows of the table for place `first` / V of the patch. */
static void collect_tokens(const struct rhm_cnn_pass *pass, const struct rhm_cnn_block *block, size_t n,
                           float *to)
{
    const struct rhm_cnn *net = pass->net;
    const struct rhm_cnn_layer *layer = &net->layer[net->L];
    size_t h = net->h, positions = layer->positions, place = block->first / net->symbols,
           s = net->branch[net->L];
    size_t low = layer->sets > 1 ? block->set : 0, high = layer->sets > 1 ? block->set + 1 : positions;
    memset(to, 0, block->count * h * sizeof *to);
    for (size_t i = 0; i < n; i++)
        for (size_t p = low; p < high; p++) {
            const float *delta = pass->delta[net->L] + (i * positions + p) * h;
            float *row = to + pass->string[i][p * s + place] * h;
#pragma omp simd
            for (size_t c = 0; c < h; c++)
                row[c] += delta[c];
        }
    for (size_t i = 0; layer->scale != 1 && i < block->count * h; i++)
        to[i] *= layer->scale;
}

static void collect_weights(const struct rhm_cnn_pass *pass, const struct rhm_cnn_block *block, size_t n,
                            float *to)
{
    const struct rhm_cnn_layer *layer = &pass->net->layer[block->l];
    size_t in = layer->inputs, out = layer->outputs, positions = layer->positions;
    const float *x = pass->act[block->l + 1] + block->first, *delta = pass->delta[block->l];
    size_t rows = n * positions, x_stride = in, delta_stride = out;
    if (layer->sets > 1) {
        x += block->set * in;
        delta += block->set * out;
        rows = n;
        x_stride *= positions;
        delta_stride *= positions;
    }
    memset(to, 0, block->count * out * sizeof *to);
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)block->count, (int)out, (int)rows, layer->scale,
                x, (int)x_stride, delta, (int)delta_stride, 1, to, (int)out);
}

static void collect_bias(const struct rhm_cnn_pass *pass, const struct rhm_cnn_block *block, size_t n,
                         float *to)
{
    const struct rhm_cnn_layer *layer = &pass->net->layer[block->l];
    size_t out = layer->outputs, positions = layer->positions;
    const float *delta = pass->delta[block->l];
    float scale = block->l == 0 ? layer->scale : 1;
    if (layer->sets > 1)
        add_columns(n, positions * out, out, delta + block->set * out, scale, to);
    else
        add_columns(n * positions, out, out, delta, scale, to);
}

static void collect(struct rhm_cnn_pass *pass, const struct rhm_cnn_block *block, size_t n, float *to)
{
    const struct rhm_cnn *net = pass->net;
    int by_patches = pass->patches.n > 0;
    if (block->bias && block->l == net->L && by_patches)
        add_columns(pass->patches.n, net->h, net->h, pass->patches.delta, 1, to);
    else if (block->bias)
        collect_bias(pass, block, n, to);
    else if (block->l == net->L && by_patches)
        rhm_cnn_patches_tokens(pass, block->first / net->symbols, to);
    else if (block->l == net->L)
        collect_tokens(pass, block, n, to);
    else if (block->l + 1 == net->L && by_patches)
        rhm_cnn_patches_weights(pass, block->first, block->count, to);
    else
        collect_weights(pass, block, n, to);
}

void rhm_cnn_pass_train(struct rhm_cnn_pass *pass, size_t n, double over, float *gradient,
                        rhm_cnn_update *update, void *context)
{
    const struct rhm_cnn *net = pass->net;
    size_t shard = shard_of(net, n), shards = (n + shard - 1) / shard;
    rhm_cnn_patches_find(pass, n);
    size_t pieces = rhm_cnn_patches_pieces(pass), places = pieces > 0 ? net->branch[net->L - 1] : 0;
    unsigned lowest = pieces > 0 ? net->L - 1 : net->L; /* that has a row for each position */
#pragma omp parallel if (worth_threads(net, n))
    {
#pragma omp for schedule(dynamic, 1)
        for (size_t k = 0; k < pieces; k++)
            rhm_cnn_patches_forward(pass, k);
#pragma omp for schedule(dynamic, 1)
        for (size_t k = 0; k < shards; k++) {
            size_t a = k * shard, b = k + 1 < shards ? a + shard : n;
            forward(pass, a, b);
            soften(pass, a, b, over);
            for (unsigned l = 0; l < lowest; l++)
                send_back(pass, l, a, b);
        }
#pragma omp for schedule(dynamic, 1)
        for (size_t j = 0; j < places; j++)
            rhm_cnn_patches_scatter(pass, n, j);
#pragma omp for schedule(dynamic, 1)
        for (size_t k = 0; k < pieces; k++)
            rhm_cnn_patches_back(pass, k);
#pragma omp for schedule(dynamic, 1)
        for (size_t k = 0; k < pass->blocks; k++) {
            const struct rhm_cnn_block *block = &pass->block[k];
            const struct rhm_cnn_layer *layer = &net->layer[block->l];
            size_t first = layer->bias + block->set * layer->outputs, count = layer->outputs;
            if (!block->bias) {
                first = layer->weight + (block->set * layer->inputs + block->first) * layer->outputs;
                count = block->count * layer->outputs;
            }
            collect(pass, block, n, gradient + first);
            if (update)
                update(context, first, count, gradient + first);
        }
    }
}
