/* rng.h - counter-based random numbers: a pure function of (seed, stream, index).
 *
 * Philox2x64-10 (Salmon et al., SC 2011; Random123). The key is the seed, the counter is (index, stream and
 * block): draw i of a stream is the same whoever asks for it, on whatever thread, in whatever order.
 */
#ifndef RHM_RNG_H
#define RHM_RNG_H

#include <math.h>
#include <stdint.h>

#include <Random123/philox.h>

/* What a stream of numbers is for; the low byte of a stream is a level where one applies. */
enum rhm_stream {
    RHM_STREAM_GRAMMAR = 0x100,
    RHM_STREAM_STRINGS = 0x200,
    RHM_STREAM_SUBTREE = 0x300,
    RHM_STREAM_WHOLE = 0x1F00,
    RHM_STREAM_TALLY = 0x400,
    RHM_STREAM_FEATURES = 0x500,
    RHM_STREAM_SPLIT = 0x600,
    RHM_STREAM_TEST = 0x700,
    RHM_STREAM_WEIGHTS = 0x800,
    RHM_STREAM_BATCHES = 0x900,
    RHM_STREAM_RESAMPLE = 0xA00,
    RHM_STREAM_HIDE = 0xB00,
    RHM_STREAM_NOISE = 0xC00,
    RHM_STREAM_GATES = 0x1000,
    RHM_STREAM_FORMULA = 0x1100,
    RHM_STREAM_SOURCE = 0x1200,
    RHM_STREAM_HALVES = 0x1300,
    RHM_STREAM_BRANCHING = 0x1800,
    RHM_STREAM_REFINE = 0x1400,
    RHM_STREAM_ONESTEP = 0x1A00,
    RHM_STREAM_KMEANS = 0x1B00
};

struct rhm_rng {
    uint64_t seed, index, stream; /* stream << 32 | block */
    uint64_t spare;
    int have_spare;
};

/* The two 64-bit words of block `block` of (seed, stream, index). */
static inline void rhm_rng_block(uint64_t seed, uint32_t stream, uint64_t index, uint32_t block,
                                 uint64_t out[2])
{
    philox2x64_ctr_t counter = {{index, (uint64_t)stream << 32 | block}};
    philox2x64_key_t key = {{seed}};
    philox2x64_ctr_t word = philox2x64(counter, key);
    out[0] = word.v[0];
    out[1] = word.v[1];
}

static inline struct rhm_rng rhm_rng_start(uint64_t seed, uint32_t stream, uint64_t index)
{
    return (struct rhm_rng){.seed = seed, .index = index, .stream = (uint64_t)stream << 32};
}

/* 64 uniform bits. One (seed, stream, index) gives 2^33 of them. */
static inline uint64_t rhm_rng_u64(struct rhm_rng *rng)
{
    if (rng->have_spare) {
        rng->have_spare = 0;
        return rng->spare;
    }
    uint64_t word[2];
    rhm_rng_block(rng->seed, (uint32_t)(rng->stream >> 32), rng->index, (uint32_t)rng->stream, word);
    rng->stream++;
    rng->spare = word[1];
    rng->have_spare = 1;
    return word[0];
}

/* Uniform in [0, bound), without bias (Lemire 2019). bound >= 1. */
static inline uint64_t rhm_rng_below(struct rhm_rng *rng, uint64_t bound)
{
    unsigned __int128 product = (unsigned __int128)rhm_rng_u64(rng) * bound;
    if ((uint64_t)product < bound) {
        uint64_t threshold = (0 - bound) % bound;
        while ((uint64_t)product < threshold)
            product = (unsigned __int128)rhm_rng_u64(rng) * bound;
    }
    return (uint64_t)(product >> 64);
}

/* Uniform in (0, 1), 52 bits, never 0 or 1. */
static inline double rhm_rng_uniform(struct rhm_rng *rng)
{
    return ((double)(rhm_rng_u64(rng) >> 12) + 0.5) * 0x1p-52;
}

/* Two independent standard Gaussians (Box and Muller). */
static inline void rhm_rng_gauss_pair(struct rhm_rng *rng, double out[2])
{
    double radius = sqrt(-2 * log(rhm_rng_uniform(rng)));
    double angle = 6.283185307179586476925 * rhm_rng_uniform(rng);
    out[0] = radius * cos(angle);
    out[1] = radius * sin(angle);
}

#endif
