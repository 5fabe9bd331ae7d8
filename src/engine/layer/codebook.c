/* codebook.c - see codebook.h. */
#include "engine/layer/codebook.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

enum rhm_status rhm_codebook_init(struct rhm_codebook *b, size_t s, size_t width, struct rhm_error *err)
{
    *b = (struct rhm_codebook){.width = width};
    return rhm_tuples_init(&b->patches, s, err);
}

void rhm_codebook_clear(struct rhm_codebook *b)
{
    free(b->embedding);
    free(b->code);
    rhm_tuples_clear(&b->patches);
    *b = (struct rhm_codebook){0};
}

enum rhm_status rhm_codebook_add(struct rhm_codebook *b, const double *embedding, uint32_t *code,
                                 struct rhm_error *err)
{
    if (b->K == b->K_capacity) {
        size_t capacity = b->K_capacity ? 2 * b->K_capacity : 64;
        double *grown = rhm_array_grow(b->embedding, capacity * b->width, sizeof *grown, "the codebook", err);
        if (grown == NULL)
            return RHM_EMEMORY;
        b->embedding = grown;
        b->K_capacity = capacity;
    }
    memcpy(b->embedding + b->K * b->width, embedding, b->width * sizeof *embedding);
    *code = (uint32_t)b->K++;
    return RHM_OK;
}

enum rhm_status rhm_codebook_map(struct rhm_codebook *b, const uint32_t *tuple, uint32_t code,
                                 struct rhm_error *err)
{
    size_t row;
    enum rhm_status status = rhm_tuples_add(&b->patches, tuple, &row, err);
    if (status != RHM_OK)
        return status;
    if (b->patches.n > b->code_capacity) {
        uint32_t *grown = rhm_array_grow(b->code, b->patches.capacity, sizeof *grown, "the codebook", err);
        if (grown == NULL)
            return RHM_EMEMORY;
        b->code = grown;
        b->code_capacity = b->patches.capacity;
    }
    b->code[row] = code;
    return RHM_OK;
}

uint32_t rhm_codebook_find(const struct rhm_codebook *b, const uint32_t *tuple)
{
    size_t row = rhm_tuples_find(&b->patches, tuple);
    return row == SIZE_MAX ? RHM_NO_CODE : b->code[row];
}
