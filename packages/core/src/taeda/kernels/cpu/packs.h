/* Ordering by packs: a key that orders as its element does (NaN last, -0 equal to 0), and below it the position, as one integer.
 *
 * Packs are all different and their order is the stable one, so that nothing here takes care to be stable.
 */
#ifndef TAEDA_PACKS_H
#define TAEDA_PACKS_H
#include <stdint.h>
#include <string.h>
#include "ranks.h"

typedef unsigned __int128 wide_t;
enum {
    RUN = 12,               /* packs that are put in order one by one, before runs are merged */
    FEW_BEST = 16,          /* so many of the first are kept in order while others pass */
    RANKED = 16             /* in longer rows an order is looked for; half as many are sorted by insertion */
};

static inline uint32_t float_key32(float v) {
    const float w = v + 0.0f;                    /* -0 becomes 0 */
    uint32_t u;
    memcpy(&u, &w, sizeof u);
    u ^= (uint32_t)((int32_t)u >> 31) | 0x80000000u;
    return u | -(uint32_t)(v != v);              /* a branch keeps loops from becoming vectors */
}
static inline uint64_t float_key64(double v) {
    const double w = v + 0.0;
    uint64_t u;
    memcpy(&u, &w, sizeof u);
    u ^= (uint64_t)((int64_t)u >> 63) | 0x8000000000000000u;
    return u | -(uint64_t)(v != v);
}
/* The number that has a key. */
static inline float float_of_key32(uint32_t key) {
    const uint32_t u = key & 0x80000000u ? key ^ 0x80000000u : ~key;
    float v;
    memcpy(&v, &u, sizeof v);
    return v;
}
static inline double float_of_key64(uint64_t key) {
    const uint64_t u = key & 0x8000000000000000u ? key ^ 0x8000000000000000u : ~key;
    double v;
    memcpy(&v, &u, sizeof v);
    return v;
}

#define PACKS_JOIN_(a, b) a##_##b
#define PACKS_JOIN(a, b) PACKS_JOIN_(a, b)
#define PACKS_GLUE_(a, b) a##b
#define PACKS_GLUE(a, b) PACKS_GLUE_(a, b)
#define PACKED(name) PACKS_JOIN(name, P)
#define P uint64_t
#define B 32
#include "pack_order.h"
#include "equal_packs.h"
#undef P
#undef B
#define P wide_t
#define B 64
#include "pack_order.h"
#include "equal_packs.h"
#undef P
#undef B

/* For elements s of a type T: the key of v, the pack of v at place i, and the sort of n packs; spare has room for n. */
#define PACKS_OF(s, T, K, P, B, KEY)                                                                \
    static inline K key_##s(T v) { return KEY; }                                                    \
    static inline P pack_##s(T v, int64_t i, int flip) {                                            \
        const K key = key_##s(v);                                                                   \
        return (P)(flip ? (K)~key : key) << B | (K)i;                                               \
    }                                                                                               \
    /* in order of position as they come */                                                         \
    static void sort_packs_##s(P *a, P *spare, int64_t n) {                                         \
        Ranked_##K r;                                                                               \
        if (n < RANKED / 2) { insertion_##P(a, n); return; }                                        \
        if (n > UP_TO_##K) { radix_##P(a, spare, n); return; }                                      \
        for (int64_t i = 0; i < n; i++) spare[i] = a[i], r.key[i] = signed_##K((K)(a[i] >> B));     \
        rank_##K(&r, n);                                                                            \
        for (int64_t i = 0; i < n; i++) a[r.place[i]] = spare[i];                                   \
    }
PACKS_OF(f32, float, uint32_t, uint64_t, 32, float_key32(v))
PACKS_OF(f64, double, uint64_t, wide_t, 64, float_key64(v))
PACKS_OF(i64, int64_t, uint64_t, wide_t, 64, (uint64_t)v ^ 0x8000000000000000u)
PACKS_OF(i32, int32_t, uint32_t, uint64_t, 32, (uint32_t)v ^ 0x80000000u)
PACKS_OF(u8, uint8_t, uint32_t, uint64_t, 32, v)
PACKS_OF(b8, uint8_t, uint32_t, uint64_t, 32, v)

/* The least of n elements `step` apart, and how far the greatest is from it. */
#define SPAN_OF(s, T)                                                                                                            \
    static T span_##s(const T *x, int64_t n, int64_t step, uint64_t *span) {                                                     \
        T low = x[0], high = x[0];                                                                                               \
        if (step == 1)                                                                                                           \
            for (int64_t i = 0; i < n; i++) { low = x[i] < low ? x[i] : low; high = x[i] > high ? x[i] : high; }                 \
        else                                                                                                                     \
            for (int64_t i = 0; i < n; i++) { const T v = x[i * step]; low = v < low ? v : low; high = v > high ? v : high; }    \
        *span = (uint64_t)high - (uint64_t)low;                                                                                  \
        return low;                                                                                                              \
    }
SPAN_OF(i64, int64_t) SPAN_OF(i32, int32_t) SPAN_OF(u8, uint8_t) SPAN_OF(b8, uint8_t)
#endif
