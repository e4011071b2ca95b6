/* A row of a few elements sorted by counting: an element's place is the number of those that come before it, so that no branch depends on
 * what they are, and a vector of elements is counted at a time.  Of equal ones the earlier comes first.
 *
 * K: an unsigned key; I: a signed integer as wide; keys are turned so that signed comparisons order them.
 */
#ifndef TAEDA_RANKS_H
#define TAEDA_RANKS_H
#include <stdint.h>

enum { RANK_BYTES = 32, MOST_RANKED = 32 };        /* of a vector; elements */

#define RANKS_OF(K, I)                                                                                                           \
    enum { LANES_##K = RANK_BYTES / sizeof(I) };                                                                                 \
    typedef I Ranks_##K __attribute__((vector_size(RANK_BYTES)));                                                                \
    typedef struct { _Alignas(RANK_BYTES) I key[MOST_RANKED + LANES_##K], place[MOST_RANKED + LANES_##K]; } Ranked_##K;          \
    static inline I signed_##K(K key) { return (I)(key ^ (K)1 << (8 * sizeof(K) - 1)); }                                         \
    /* r->key -> r->place */                                                                                                     \
    static inline void rank_##K(Ranked_##K *r, int64_t n) {                                                                      \
        Ranks_##K lane;                                                                                                          \
        for (int k = 0; k < LANES_##K; k++) lane[k] = k, r->key[n + k] = signed_##K(~(K)0);                                      \
        for (int64_t i = 0; i < n; i += LANES_##K, lane += LANES_##K) {                                                          \
            const Ranks_##K here = *(const Ranks_##K *)(r->key + i);                                                             \
            const int64_t end = i + LANES_##K < n ? i + LANES_##K : n;                                                           \
            Ranks_##K count = {0}, behind = {0};                                                                                 \
            for (int64_t j = 0; j < i; j++) behind += r->key[j] > here;           /* -1 for each: they are not before these */   \
            for (int64_t j = i; j < end; j++) count += (r->key[j] < here) | ((r->key[j] == here) & ((I)j < lane));               \
            for (int64_t j = end; j < n; j++) count += r->key[j] < here;                                                         \
            *(Ranks_##K *)(r->place + i) = (I)i + behind - count;                                                                \
        }                                                                                                                        \
    }
RANKS_OF(uint32_t, int32_t)
RANKS_OF(uint64_t, int64_t)
#endif
