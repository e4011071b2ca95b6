/* Rows of 3 to SHORT_MOST elements, many at a time: a vector holds the same place of several rows, and rows are sorted by insertion, whose
 * exchanges are all of neighbours, so that the first of equals stays in front.  Needs ranks.h.
 *
 * Rows lie `xrow` apart, their elements `step`; of each, m are written, rows `yrow` apart.  key(v) is turned by `turn` (all ones for
 * descending order).  ALIKE(row) is done for a row of which two keys among the first m + 1 are equal.
 */
#ifndef TAEDA_SORT_NETWORKS_H
#define TAEDA_SORT_NETWORKS_H
#include "ranks.h"

enum { SHORT_MOST = 8 };

#define EXCHANGE(a, b) {                                                                                                         \
        const V less = key##b < key##a, keys = (key##a ^ key##b) & less, places = (place##a ^ place##b) & less;                  \
        key##a ^= keys, key##b ^= keys, place##a ^= places, place##b ^= places;                                                  \
    }
#define INSERT_1 EXCHANGE(0, 1)
#define INSERT_2 EXCHANGE(1, 2) INSERT_1
#define INSERT_3 EXCHANGE(2, 3) INSERT_2
#define INSERT_4 EXCHANGE(3, 4) INSERT_3
#define INSERT_5 EXCHANGE(4, 5) INSERT_4
#define INSERT_6 EXCHANGE(5, 6) INSERT_5
#define INSERT_7 EXCHANGE(6, 7) INSERT_6
#define SORT_3 INSERT_1 INSERT_2
#define SORT_4 SORT_3 INSERT_3
#define SORT_5 SORT_4 INSERT_4
#define SORT_6 SORT_5 INSERT_5
#define SORT_7 SORT_6 INSERT_6
#define SORT_8 SORT_7 INSERT_7
#define EACH_3(M) M(0) M(1) M(2)
#define EACH_4(M) EACH_3(M) M(3)
#define EACH_5(M) EACH_4(M) M(4)
#define EACH_6(M) EACH_5(M) M(5)
#define EACH_7(M) EACH_6(M) M(6)
#define EACH_8(M) EACH_7(M) M(7)
#define SHORT_LOAD(j) V key##j = *(const V *)keys_of[j], place##j = (V){0} + (j);
#define SHORT_STORE(j) *(V *)keys_of[j] = key##j, *(V *)places_of[j] = place##j;

#define SHORT_ROWS_OF(n, s, T, K, I)                                                                                             \
    static void short_##s##_##n(const T *x, T *y, int64_t *at, int64_t rows, int64_t m, int64_t xrow, int64_t yrow, int64_t step,    \
                                K turn, int alike) {                                                                             \
        typedef Ranks_##K V;                                                                                                     \
        _Alignas(RANK_BYTES) I keys_of[n][LANES_##K], places_of[n][LANES_##K];                                                   \
        for (; rows > 0; rows -= LANES_##K, x += LANES_##K * xrow, y += LANES_##K * yrow, at += LANES_##K * yrow) {              \
            const int64_t some = rows < LANES_##K ? rows : LANES_##K;                                                            \
            for (int64_t l = 0; l < LANES_##K; l++)                                                                              \
                for (int j = 0; j < n; j++) keys_of[j][l] = signed_##K(key_##s(x[(l < some ? l : 0) * xrow + j * step]) ^ turn); \
            { EACH_##n(SHORT_LOAD) SORT_##n EACH_##n(SHORT_STORE) }                                                              \
            for (int64_t l = 0; l < some; l++) {                                                                                 \
                int equal = 0;                                                                                                   \
                for (int64_t j = 0; j < m; j++) {                                                                                \
                    const int64_t place = places_of[j][l];                                                                       \
                    y[l * yrow + j * step] = x[l * xrow + place * step];                                                         \
                    at[l * yrow + j * step] = place;                                                                             \
                }                                                                                                                \
                if (!alike) continue;                                                                                            \
                for (int64_t j = 1; j < n && j <= m; j++) equal |= keys_of[j][l] == keys_of[j - 1][l];                           \
                if (equal) alike_##s(x + l * xrow, y + l * yrow, at + l * yrow, n, m, step, turn != 0);                          \
            }                                                                                                                    \
        }                                                                                                                        \
    }
/* alike_s(x, y, at, n, m, step, flip): a row where equals decide, if `alike` */
#define SHORT_ROWS(s, T, K, I)                                                                                                   \
    SHORT_ROWS_OF(3, s, T, K, I) SHORT_ROWS_OF(4, s, T, K, I) SHORT_ROWS_OF(5, s, T, K, I)                                       \
    SHORT_ROWS_OF(6, s, T, K, I) SHORT_ROWS_OF(7, s, T, K, I) SHORT_ROWS_OF(8, s, T, K, I)                                       \
    static void short_##s(const char *x, char *y, int64_t *at, int64_t rows, int64_t n, int64_t m, int64_t xrow, int64_t yrow,   \
                          int64_t step, int flip, int alike) {                                                                   \
        static void (*const all[])(const T *, T *, int64_t *, int64_t, int64_t, int64_t, int64_t, int64_t, K, int) = {           \
            short_##s##_3, short_##s##_4, short_##s##_5, short_##s##_6, short_##s##_7, short_##s##_8};                           \
        if (n == 2 && step == 1) pairs_##s(x, y, at, rows, m, flip);                                                             \
        else all[n - 3]((const T *)x, (T *)y, at, rows, m, xrow, yrow, step, flip ? (K)-1 : 0, alike);                           \
    }
#endif
