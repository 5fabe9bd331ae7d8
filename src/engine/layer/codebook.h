/* codebook.h - the finite table of a trained layer: patch (tuple of input codes) -> output code -> embedding.
 *
 * "exact" keeps every distinct patch as a code of its own; "centroid" has a code a cluster of synonyms, so
 * that every level again has about m V patches. Either way one code may be the unknown one, whose embedding
 * is 1/C.
 */
#ifndef RHM_CODEBOOK_H
#define RHM_CODEBOOK_H

#include "engine/base/tuples.h"

#define RHM_NO_CODE UINT32_MAX

struct rhm_codebook {
    size_t width;              /* numbers in an embedding (C) */
    size_t K, K_capacity;      /* codes */
    double *embedding;         /* K x width; owned */
    struct rhm_tuples patches; /* the patches mapped */
    uint32_t *code;            /* patches.n; owned */
    size_t code_capacity;
};

enum rhm_status rhm_codebook_init(struct rhm_codebook *b, size_t s, size_t width, struct rhm_error *err);
void rhm_codebook_clear(struct rhm_codebook *b);

/* A new code (numbered K) with this embedding (width numbers). */
enum rhm_status rhm_codebook_add(struct rhm_codebook *b, const double *embedding, uint32_t *code,
                                 struct rhm_error *err);

/* Maps a patch to a code. */
enum rhm_status rhm_codebook_map(struct rhm_codebook *b, const uint32_t *tuple, uint32_t code,
                                 struct rhm_error *err);

/* The code of a patch or RHM_NO_CODE. */
uint32_t rhm_codebook_find(const struct rhm_codebook *b, const uint32_t *tuple);

#endif
