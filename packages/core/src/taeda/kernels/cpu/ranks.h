/* A row of a few elements sorted by counting: an element's place is the number of those that come before it, so that no branch depends on
 * what they are, and vectors of elements are counted at a time.  Of equal ones the earlier comes first.
 *
 * K: an unsigned key; I: a signed integer as wide; keys are turned so that signed comparisons order them.  The limit is comparisons,
 * n^2 / lanes of them with as many additions: a row of 100 float32 takes 0.5 us on Zen 4; beyond UP_TO a radix sort takes less.
 */
#ifndef TAEDA_RANKS_H
#define TAEDA_RANKS_H
#include <stdint.h>

enum { RANK_BYTES = 32, RANK_VECTORS = 4, RANKED_SINGLY = 32 };    /* of a vector; at a time, beyond so many elements */

#define EACH_VECTOR(N) _Pragma("GCC unroll 4") for (int v = 0; v < N; v++)
/* r->key -> r->place by N vectors of keys at a time: those in front of them are all before them but the greater ones, of those behind the
 * less ones are; comparisons are -1 or 0. */
#define RANKS_BY(K, I, N)                                                                                                        \
    static void rank_##K##_##N(Ranked_##K *r, int64_t n) {                                                                       \
        enum { BLOCK = N * LANES_##K };                                                                                          \
        Ranks_##K lane[N];                                                                                                       \
        for (int k = 0; k < BLOCK; k++) lane[k / LANES_##K][k % LANES_##K] = k, r->key[n + k] = signed_##K(~(K)0);               \
        for (int64_t i = 0; i < n; i += BLOCK) {                                                                                 \
            const int64_t end = i + BLOCK < n ? i + BLOCK : n;                                                                   \
            Ranks_##K here[N], place[N];                                                                                         \
            EACH_VECTOR(N) here[v] = *(const Ranks_##K *)(r->key + i + v * LANES_##K), place[v] = lane[v] + (I)i;                \
            for (int64_t j = 0; j < i; j++) EACH_VECTOR(N) place[v] += r->key[j] > here[v];                                      \
            for (int64_t j = i; j < end; j++)                                                                                    \
                EACH_VECTOR(N) {                                                                                                 \
                    place[v] += (r->key[j] > here[v]) & ((I)(j - i) < lane[v]);                                                  \
                    place[v] -= (r->key[j] < here[v]) & ((I)(j - i) > lane[v]);                                                  \
                }                                                                                                                \
            for (int64_t j = end; j < n; j++) EACH_VECTOR(N) place[v] -= r->key[j] < here[v];                                    \
            EACH_VECTOR(N) *(Ranks_##K *)(r->place + i + v * LANES_##K) = place[v];                                              \
        }                                                                                                                        \
    }
#define RANKS_OF(K, I, UP_TO)                                                                                                    \
    enum { LANES_##K = RANK_BYTES / sizeof(I), SPARE_##K = RANK_VECTORS * LANES_##K, UP_TO_##K = UP_TO };                        \
    typedef I Ranks_##K __attribute__((vector_size(RANK_BYTES)));                                                                \
    typedef struct { _Alignas(RANK_BYTES) I key[UP_TO + SPARE_##K], place[UP_TO + SPARE_##K]; } Ranked_##K;                      \
    static inline I signed_##K(K key) { return (I)(key ^ (K)1 << (8 * sizeof(K) - 1)); }                                         \
    RANKS_BY(K, I, 1)                                                                                                            \
    RANKS_BY(K, I, 4)                                                                                                            \
    static inline void rank_##K(Ranked_##K *r, int64_t n) {                                                                      \
        if (n <= RANKED_SINGLY) rank_##K##_1(r, n); else rank_##K##_4(r, n);                                                     \
    }
RANKS_OF(uint32_t, int32_t, 192)
RANKS_OF(uint64_t, int64_t, 96)
#endif
