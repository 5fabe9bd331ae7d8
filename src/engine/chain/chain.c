/* chain.c - see chain.h. */
#include "engine/chain/chain.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/linalg.h"
#include "engine/base/memory.h"

/* Tables of codes by tuple number are used up to this many entries (4 MiB). */
#define DENSE_ENTRIES ((size_t)1 << 20)

/* Numbers in a block of tokens or codes. */
#define BLOCK_CODES ((size_t)1 << 19)

/* Unseen patches that go forward together. */
#define FORWARD_BLOCK ((size_t)512)

/* ---------------------------------------------------------- life */

static int is_fixed(const struct rhm_chain *chain, unsigned l)
{
    return l == chain->net->L + 1 || (chain->net->codebook == RHM_CODEBOOK_CENTROID && l > 1);
}

/* The table of layer l by tuple number, where its input codes can only be those known now, and are few. */
static enum rhm_status init_dense(struct rhm_chain *chain, unsigned l, struct rhm_error *err)
{
    const struct rhm_network *net = chain->net;
    if (!is_fixed(chain, l + 1))
        return RHM_OK;
    size_t base = rhm_chain_codes(chain, l + 1);
    unsigned s = rhm_network_s(net, l);
    uint64_t entries = rhm_power(base, s);
    if (entries == 0 || entries > DENSE_ENTRIES)
        return RHM_OK;
    uint32_t *dense = rhm_array(entries, sizeof *dense, "the table of codes", err);
    if (dense == NULL)
        return RHM_EMEMORY;
    memset(dense, 0xff, entries * sizeof *dense); /* RHM_NO_CODE */
    const struct rhm_codebook *book = &net->layer[l]->codebook;
    for (size_t row = 0; row < book->patches.n; row++) {
        const uint32_t *tuple = rhm_tuples_row(&book->patches, row);
        size_t number = 0;
        for (unsigned j = 0; j < s; j++)
            number = number * base + tuple[j];
        dense[number] = book->code[row];
    }
    chain->dense[l] = dense;
    chain->dense_base[l] = base;
    return RHM_OK;
}

enum rhm_status rhm_chain_init(struct rhm_chain *chain, const struct rhm_network *net, unsigned lowest,
                               struct rhm_error *err)
{
    memset(chain, 0, sizeof *chain);
    chain->net = net;
    enum rhm_status status = RHM_OK;
    for (unsigned l = net->L; l >= lowest && l >= 1 && status == RHM_OK; l--) {
        if (net->layer[l] == NULL)
            status = rhm_fail(err, RHM_ESTATE, "layer %u is not trained: train layers %u down to %u first", l,
                              net->L, lowest);
        if (status == RHM_OK)
            status = rhm_codebook_init(&chain->extra[l], rhm_network_s(net, l), net->layer[l]->codebook.width,
                                       err);
        if (status == RHM_OK)
            status = init_dense(chain, l, err);
    }
    if (status != RHM_OK)
        rhm_chain_clear(chain);
    return status;
}

void rhm_chain_clear(struct rhm_chain *chain)
{
    for (unsigned l = 0; l <= RHM_MAX_LEVELS; l++) {
        rhm_codebook_clear(&chain->extra[l]);
        free(chain->dense[l]);
    }
    free(chain->codes);
    free(chain->next);
    memset(chain, 0, sizeof *chain);
}

/* -------------------------------------------------------- inputs */

size_t rhm_chain_codes(const struct rhm_chain *chain, unsigned l)
{
    const struct rhm_network *net = chain->net;
    return l == net->L + 1 ? net->symbols : net->layer[l]->codebook.K + chain->extra[l].K;
}

const double *rhm_chain_embedding(const struct rhm_chain *chain, unsigned l, uint32_t code)
{
    const struct rhm_codebook *book = &chain->net->layer[l]->codebook;
    return code < book->K ? book->embedding + code * book->width
                          : chain->extra[l].embedding + (code - book->K) * book->width;
}

void rhm_chain_input(const struct rhm_chain *chain, unsigned l, const uint32_t *tuple, double *h)
{
    const struct rhm_network *net = chain->net;
    unsigned s = rhm_network_s(net, l);
    if (l == net->L) { /* one-hot tokens */
        memset(h, 0, (size_t)s * net->symbols * sizeof *h);
        for (unsigned j = 0; j < s; j++)
            h[(size_t)j * net->symbols + tuple[j]] = 1;
        return;
    }
    size_t width = net->layer[l + 1]->codebook.width;
    for (unsigned j = 0; j < s; j++)
        memcpy(h + j * width, rhm_chain_embedding(chain, l + 1, tuple[j]), width * sizeof *h);
}

/* ------------------------------------------------------- resolve */

/* The code of a patch seen before, or RHM_NO_CODE. */
static inline uint32_t look_up(const struct rhm_chain *chain, unsigned l, const uint32_t *tuple)
{
    if (chain->dense[l] != NULL) {
        size_t number = 0, base = chain->dense_base[l], s = rhm_network_s(chain->net, l);
        for (size_t j = 0; j < s; j++)
            number = number * base + tuple[j];
        return chain->dense[l][number];
    }
    uint32_t code = rhm_codebook_find(&chain->net->layer[l]->codebook, tuple);
    if (code != RHM_NO_CODE)
        return code;
    code = rhm_codebook_find(&chain->extra[l], tuple);
    return code;
}

/* Remembers that a patch has this code. */
static enum rhm_status remember(struct rhm_chain *chain, unsigned l, const uint32_t *tuple, uint32_t code,
                                struct rhm_error *err)
{
    if (chain->dense[l] != NULL) {
        size_t number = 0, base = chain->dense_base[l], s = rhm_network_s(chain->net, l);
        for (size_t j = 0; j < s; j++)
            number = number * base + tuple[j];
        chain->dense[l][number] = code;
    }
    return rhm_codebook_map(&chain->extra[l], tuple, code, err);
}

/* Sends `n` unseen patches forward by their features and gives each its code. */
static enum rhm_status forward_block(struct rhm_chain *chain, unsigned l, size_t n, const uint32_t *tuple,
                                     double *h, double *f, unsigned char *unknown, rhm_poll_function *poll,
                                     void *context, struct rhm_error *err)
{
    const struct rhm_network *net = chain->net;
    const struct rhm_layer *layer = net->layer[l];
    size_t s = rhm_network_s(net, l), width = s * layer->features.width;
    for (size_t i = 0; i < n; i++)
        rhm_chain_input(chain, l, tuple + i * s, h + i * width);
    enum rhm_status status = rhm_layer_forward(layer, n, h, f, unknown, poll, context, err);
    for (size_t i = 0; i < n && status == RHM_OK; i++) {
        uint32_t code = layer->unknown_code;
        if (!unknown[i] && is_fixed(chain, l)) {
            code = (uint32_t)rhm_clusters_nearest(&layer->clusters, f + i * layer->directions.width);
        } else if (!unknown[i]) {
            status = rhm_codebook_add(&chain->extra[l], f + i * layer->directions.width, &code, err);
            code += (uint32_t)layer->codebook.K;
        }
        if (status == RHM_OK)
            status = remember(chain, l, tuple + i * s, code, err);
    }
    return status;
}

static enum rhm_status forward_fresh(struct rhm_chain *chain, unsigned l, const struct rhm_tuples *fresh,
                                     rhm_poll_function *poll, void *context, struct rhm_error *err)
{
    const struct rhm_network *net = chain->net;
    size_t block = fresh->n < FORWARD_BLOCK ? fresh->n : FORWARD_BLOCK;
    double *h = rhm_array(block * rhm_network_s(net, l) * net->layer[l]->features.width, sizeof *h,
                          "unseen patches", err);
    double *f = rhm_array(block * net->layer[l]->directions.width, sizeof *f, "unseen patches", err);
    unsigned char *unknown = rhm_array(block, 1, "unseen patches", err);
    enum rhm_status status = h && f && unknown ? RHM_OK : RHM_EMEMORY;
    rhm_linalg_share(); /* once for all blocks: each end puts threads to sleep */
    for (size_t at = 0; at < fresh->n && status == RHM_OK; at += block) {
        size_t n = fresh->n - at < block ? fresh->n - at : block;
        status = forward_block(chain, l, n, rhm_tuples_row(fresh, at), h, f, unknown, poll, context, err);
    }
    rhm_linalg_unshare();
    free(h);
    free(f);
    free(unknown);
    return status;
}

enum rhm_status rhm_chain_resolve(struct rhm_chain *chain, unsigned l, size_t n, const uint32_t *tuple,
                                  uint32_t *code, rhm_poll_function *poll, void *context,
                                  struct rhm_error *err)
{
    size_t s = rhm_network_s(chain->net, l), unseen = 0;
#pragma omp parallel for schedule(static) reduction(+ : unseen) if (n > 4096)
    for (size_t i = 0; i < n; i++) {
        code[i] = look_up(chain, l, tuple + i * s);
        unseen += code[i] == RHM_NO_CODE;
    }
    if (unseen == 0)
        return RHM_OK;
    struct rhm_tuples fresh;
    enum rhm_status status = rhm_tuples_init(&fresh, s, err);
    size_t row;
    for (size_t i = 0; i < n && status == RHM_OK; i++)
        if (code[i] == RHM_NO_CODE)
            status = rhm_tuples_add(&fresh, tuple + i * s, &row, err);
    if (status == RHM_OK)
        status = forward_fresh(chain, l, &fresh, poll, context, err);
    for (size_t i = 0; i < n && status == RHM_OK; i++)
        if (code[i] == RHM_NO_CODE)
            code[i] = look_up(chain, l, tuple + i * s);
    rhm_tuples_clear(&fresh);
    return status;
}

/* -------------------------------------------------------- ascend */

size_t rhm_chain_block(size_t width)
{
    return width < BLOCK_CODES ? BLOCK_CODES / width : 1;
}

static enum rhm_status need_room(struct rhm_chain *chain, size_t codes, struct rhm_error *err)
{
    if (codes <= chain->room)
        return RHM_OK;
    free(chain->codes);
    free(chain->next);
    chain->room = 0;
    chain->codes = rhm_array(codes, sizeof *chain->codes, "a block of codes", err);
    chain->next = rhm_array(codes, sizeof *chain->next, "a block of codes", err);
    if (chain->codes == NULL || chain->next == NULL)
        return RHM_EMEMORY;
    chain->room = codes;
    return RHM_OK;
}

enum rhm_status rhm_chain_ascend(struct rhm_chain *chain, unsigned lowest, size_t n, size_t width,
                                 const uint16_t *tokens, const uint32_t **out, rhm_poll_function *poll,
                                 void *context, struct rhm_error *err)
{
    size_t codes = n * width, given = width < chain->net->d ? width : (size_t)chain->net->d;
    enum rhm_status status = need_room(chain, codes, err);
    if (status != RHM_OK)
        return status;
#pragma omp parallel for schedule(static) if (codes > 4096)
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < width; j++)
            chain->codes[i * width + j] = j < given ? tokens[i * given + j] : chain->net->V;
    for (unsigned l = chain->net->L; l >= lowest && l >= 1 && status == RHM_OK; l--) {
        codes /= rhm_network_s(chain->net, l);
        status = rhm_chain_resolve(chain, l, codes, chain->codes, chain->next, poll, context, err);
        uint32_t *keep = chain->codes;
        chain->codes = chain->next;
        chain->next = keep;
    }
    *out = chain->codes;
    return status;
}

/* -------------------------------------------------------- commit */

enum rhm_status rhm_chain_commit(struct rhm_chain *chain, struct rhm_network *net, unsigned lowest,
                                 struct rhm_error *err)
{
    enum rhm_status status = RHM_OK;
    for (unsigned l = net->L; l >= lowest && l >= 1 && status == RHM_OK; l--) {
        struct rhm_codebook *book = &net->layer[l]->codebook, *extra = &chain->extra[l];
        uint32_t code;
        for (size_t c = 0; c < extra->K && status == RHM_OK; c++)
            status = rhm_codebook_add(book, extra->embedding + c * extra->width, &code, err);
        for (size_t row = 0; row < extra->patches.n && status == RHM_OK; row++)
            status = rhm_codebook_map(book, rhm_tuples_row(&extra->patches, row), extra->code[row], err);
        rhm_codebook_clear(extra);
        if (status == RHM_OK)
            status = rhm_codebook_init(extra, rhm_network_s(net, l), book->width, err);
    }
    return status;
}
