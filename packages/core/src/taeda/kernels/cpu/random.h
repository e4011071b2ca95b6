/* The Mersenne Twister MT19937 (Matsumoto and Nishimura, 1998) as PyTorch's CPU generator runs it.
 *
 * One struct holds all that a Generator remembers; kernels get a pointer to it and draw from it in
 * order, so that a stream is the same whether it is read word by word or in blocks.
 */
#ifndef TAEDA_RANDOM_H
#define TAEDA_RANDOM_H
#include <stdint.h>
#include <string.h>

enum { MT_N = 624, MT_M = 397 };

typedef struct {
    uint32_t state[MT_N];
    int32_t left;       /* words left in this block, plus one: 1 asks for a new block */
    uint32_t next;      /* position of the next word */
    uint64_t seed;      /* as the user gave it; the engine starts from its low 32 bits */
    double normal;      /* second value of the last scalar Box-Muller pair ... */
    int32_t has_normal; /* ... if there is one */
    float normal_f32;   /* carried along in states exchanged with PyTorch, drawn by nothing here */
    int32_t has_normal_f32;
} MT19937;

static inline void mt_seed(MT19937 *g, uint64_t seed) {
    g->seed = seed;
    g->state[0] = (uint32_t)seed;
    for (uint32_t j = 1; j < MT_N; j++)
        g->state[j] = 1812433253u * (g->state[j - 1] ^ (g->state[j - 1] >> 30)) + j;
    g->left = 1;
    g->next = 0;
    g->normal = 0.0;
    g->has_normal = 0;
    g->normal_f32 = 0.0f;
    g->has_normal_f32 = 0;
}

#define MT_TWIST(u, v) (((((u) & 0x80000000u) | ((v) & 0x7fffffffu)) >> 1) ^ ((0u - ((v) & 1u)) & 0x9908b0dfu))

static inline void mt_refill(MT19937 *g) {
    uint32_t *s = g->state;
    for (int k = 0; k < MT_N - MT_M; k++) s[k] = s[k + MT_M] ^ MT_TWIST(s[k], s[k + 1]);
    for (int k = MT_N - MT_M; k < MT_N - 1; k++) s[k] = s[k + MT_M - MT_N] ^ MT_TWIST(s[k], s[k + 1]);
    s[MT_N - 1] = s[MT_M - 1] ^ MT_TWIST(s[MT_N - 1], s[0]);
    g->left = MT_N;
    g->next = 0;
}

static inline uint32_t mt_temper(uint32_t y) {
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

static inline uint32_t mt_u32(MT19937 *g) {
    if (--g->left == 0) mt_refill(g);
    return mt_temper(g->state[g->next++]);
}

static inline uint64_t mt_u64(MT19937 *g) { /* high word first */
    uint64_t high = mt_u32(g);
    return high << 32 | mt_u32(g);
}

/* Draw n words at once: the tempering of a block is one vectorised loop. */
static inline void mt_fill_u32(MT19937 *g, uint32_t *restrict out, int64_t n) {
    while (n > 0) {
        int64_t run = g->left - 1;
        if (run == 0) {
            mt_refill(g);
            run = MT_N;
            g->left = MT_N + 1;
        }
        if (run > n) run = n;
        const uint32_t *restrict s = g->state + g->next;
        for (int64_t i = 0; i < run; i++) out[i] = mt_temper(s[i]);
        g->next += (uint32_t)run;
        g->left -= (int32_t)run;
        out += run;
        n -= run;
    }
}

static inline double mt_unit(MT19937 *g) { /* 53 bits in [0, 1) */
    return (double)(mt_u64(g) & 0x1fffffffffffffull) * 0x1p-53;
}

/* x mod d for 32-bit x by two multiplications; m = 2^64 / d rounded up, d > 1 (Lemire, 2019). */
static inline uint32_t mt_mod(uint32_t x, uint64_t m, uint32_t d) {
    return (uint32_t)(((unsigned __int128)(m * x) * d) >> 64);
}
#endif
