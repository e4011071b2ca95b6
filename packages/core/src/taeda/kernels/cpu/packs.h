/* Ordering by packs: a key that orders as its element does (NaN last, -0 equal to 0), and below it the position, as one integer.
 *
 * Packs are all different and their order is the stable one, so that nothing here takes care to be stable.
 */
#ifndef TAEDA_PACKS_H
#define TAEDA_PACKS_H
#include <stdint.h>
#include <string.h>

typedef unsigned __int128 wide_t;
enum { RADIX_FROM = 192, RUN = 12, RANKED = 16 };          /* RANKED: of so many, each one's place is counted; so much room is behind a row's packs */

static inline uint32_t float_key32(float v) {
    const float w = v + 0.0f;                    /* -0 becomes 0 */
    uint32_t u;
    memcpy(&u, &w, sizeof u);
    u ^= (uint32_t)((int32_t)u >> 31) | 0x80000000u;
    return v != v ? UINT32_MAX : u;
}
static inline uint64_t float_key64(double v) {
    const double w = v + 0.0;
    uint64_t u;
    memcpy(&u, &w, sizeof u);
    u ^= (uint64_t)((int64_t)u >> 63) | 0x8000000000000000u;
    return v != v ? UINT64_MAX : u;
}

/* whole numbers of 64 bits, without positions */
static void radix_keys(uint64_t *a, uint64_t *spare, int64_t n) {
    int64_t count[8][256];
    uint64_t *from = a, *to = spare;
    memset(count, 0, sizeof count);
    for (int64_t i = 0; i < n; i++) for (int b = 0; b < 8; b++) count[b][a[i] >> (8 * b) & 255]++;
    for (int b = 0; b < 8; b++) {
        int64_t at = 0, *c = count[b];
        if (c[from[0] >> (8 * b) & 255] == n) continue;
        for (int d = 0; d < 256; d++) { const int64_t here = c[d]; c[d] = at; at += here; }
        for (int64_t i = 0; i < n; i++) to[c[from[i] >> (8 * b) & 255]++] = from[i];
        { uint64_t *t = from; from = to; to = t; }
    }
    if (from != a) memcpy(a, from, n * sizeof *a);
}

#define PACKS_JOIN_(a, b) a##_##b
#define PACKS_JOIN(a, b) PACKS_JOIN_(a, b)
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
#endif
