/* What the streams say: a sample is a function of the stream's number and of its index, and is never 0.
   benchmarks/ingest/pcm.py computes the same; a test holds the two together. */
#ifndef PCM_H
#define PCM_H

#include <stdint.h>

static inline int16_t sample_of(uint32_t stream, uint32_t index)
{
    uint32_t x = index * 2654435761u + (stream + 1u) * 0x85EBCA6Bu;
    x ^= x >> 16;
    x *= 0x7FEB352Du;
    x ^= x >> 15;
    return (int16_t)((x >> 16) | 1u);
}

static inline void put_samples(int16_t *to, uint32_t stream, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        to[i] = sample_of(stream, first + i);
}

#endif
