/* Products of many tiny matrices, each by itself in registers: included once per real dtype, with T, LANES (of a vector of 32 bytes),
 * SUFFIX and MASKED(name) (of AVX-512's intrinsics) defined.
 *
 * Eight numbers of a row of C are one vector or two; up to four rows are summed at once over the rows of B: c[i] = sum_l a(i, l) b[l],
 * one chain of multiply-adds over l.  A's numbers are broadcast one at a time, so its strides are free.  Rows of B that do not lie as rows
 * are gathered for SMALL_RUN matrices before, so that no load waits for the stores that it reads from.
 *
 * Complex products are real ones of twice the width (complex_products.h): A's rows as they lie, of each row b of B the two b and i b.
 *
 * The limit is memory for 2 x 2 (48 bytes in float32: 2 ns) and the number of broadcasts from 4 x 4 on (16 of them, two a cycle: 3 ns).
 * Reached on Zen 4: 2.0 ns and 4.5 ns.
 */
#ifndef TAEDA_GEMM_SMALL_H
#define TAEDA_GEMM_SMALL_H
#include <stdint.h>
#include <string.h>
#ifdef __AVX__
#include <immintrin.h>
#endif
enum {
    SMALL_TERMS = 16,                       /* of a sum, at most */
    SMALL_RUN = 16,                         /* matrices whose B are gathered together */
    AT_ONCE_ROWS = 4, AT_ONCE_COLS = 8,     /* of C, in registers */
    COMPLEX_ROWS = 8                        /* of a complex C, at most */
};
#endif
#include "side_by_side.h"

typedef void (*NAME(rows_function))(T *c, int64_t cs, int64_t crs, const T *a, int64_t as, int64_t ars, int64_t acs, const T *b, int64_t bs,
                                    int64_t brs, int64_t count, int64_t k);
typedef void (*NAME(gather_function))(T *to, const T *b, int64_t bs, int64_t brs, int64_t bcs, int64_t count, int64_t k);

/* n numbers, at most LANES; the other lanes are 0 and not read. */
INLINE V NAME(some)(const T *p, const int n) {
    if (n == LANES) return *(const V *)p;
#ifdef __AVX512VL__
    return MASKED(maskz_loadu)((1 << n) - 1, p);
#else
    V x = {0};
    UNROLL for (int j = 0; j < n; j++) x[j] = p[j];
    return x;
#endif
}

INLINE void NAME(put)(T *p, V x, const int n) {
    if (n == LANES) { *(V *)p = x; return; }
#ifdef __AVX512VL__
    MASKED(mask_storeu)(p, (1 << n) - 1, x);
#else
    UNROLL for (int j = 0; j < n; j++) p[j] = x[j];
#endif
}

/* M rows of N numbers of each of the products. */
INLINE void NAME(rows_of)(T *c, int64_t cs, int64_t crs, const T *a, int64_t as, int64_t ars, int64_t acs, const T *b, int64_t bs,
                          int64_t brs, int64_t count, int64_t k, const int M, const int N) {
    const int low = N < LANES ? N : LANES, high = N - low;
    for (; count > 0; count--, c += cs, a += as, b += bs) {
        const T *at = a, *row = b;
        if (N == 1) {
            T s[AT_ONCE_ROWS];
            UNROLL for (int i = 0; i < M; i++) s[i] = at[i * ars] * *row;
            for (int64_t l = 1; l < k; l++) {
                at += acs, row += brs;
                UNROLL for (int i = 0; i < M; i++) s[i] += at[i * ars] * *row;
            }
            UNROLL for (int i = 0; i < M; i++) c[i * crs] = s[i];
            continue;
        }
        V s[AT_ONCE_ROWS], t[AT_ONCE_ROWS];
        V x = NAME(some)(row, low), y = high ? NAME(some)(row + LANES, high) : x;
        UNROLL for (int i = 0; i < M; i++) {
            s[i] = at[i * ars] * x;
            if (high) t[i] = at[i * ars] * y;
        }
        for (int64_t l = 1; l < k; l++) {
            at += acs, row += brs;
            x = NAME(some)(row, low), y = high ? NAME(some)(row + LANES, high) : x;
            UNROLL for (int i = 0; i < M; i++) {
                s[i] += at[i * ars] * x;
                if (high) t[i] += at[i * ars] * y;
            }
        }
        UNROLL for (int i = 0; i < M; i++) {
            NAME(put)(c + i * crs, s[i], low);
            if (high) NAME(put)(c + i * crs + LANES, t[i], high);
        }
    }
}

/* Rows of N numbers, AT_ONCE_COLS apart, of matrices that do not lie so. */
INLINE void NAME(gather)(T *to, const T *b, int64_t bs, int64_t brs, int64_t bcs, int64_t count, int64_t k, const int N) {
    for (; count > 0; count--, b += bs) {
        const T *row = b;
        for (int64_t l = 0; l < k; l++, to += AT_ONCE_COLS, row += brs)
            UNROLL for (int j = 0; j < N; j++) to[j] = row[j * bcs];
    }
}

#define ROWS(M, N)                                                                                                                  \
    LOCAL void NAME(rows_##M##_##N)(T *c, int64_t cs, int64_t crs, const T *a, int64_t as, int64_t ars, int64_t acs, const T *b,    \
                                    int64_t bs, int64_t brs, int64_t count, int64_t k)                                              \
    {                                                                                                                               \
        NAME(rows_of)(c, cs, crs, a, as, ars, acs, b, bs, brs, count, k, M, N);                                                     \
    }
#define COLUMNS(N)                                                                                                                  \
    ROWS(1, N) ROWS(2, N) ROWS(3, N) ROWS(4, N)                                                                                     \
    LOCAL void NAME(gather_##N)(T *to, const T *b, int64_t bs, int64_t brs, int64_t bcs, int64_t count, int64_t k)                  \
    {                                                                                                                               \
        NAME(gather)(to, b, bs, brs, bcs, count, k, N);                                                                             \
    }
COLUMNS(1) COLUMNS(2) COLUMNS(3) COLUMNS(4) COLUMNS(5) COLUMNS(6) COLUMNS(7) COLUMNS(8)
#undef COLUMNS
#undef ROWS

#define OF(N) {NAME(rows_1_##N), NAME(rows_2_##N), NAME(rows_3_##N), NAME(rows_4_##N)}
static const NAME(rows_function) NAME(rows_functions)[AT_ONCE_COLS][AT_ONCE_ROWS] = {
    OF(1), OF(2), OF(3), OF(4), OF(5), OF(6), OF(7), OF(8)};
#undef OF
static const NAME(gather_function) NAME(gather_functions)[AT_ONCE_COLS] = {
    NAME(gather_1), NAME(gather_2), NAME(gather_3), NAME(gather_4), NAME(gather_5), NAME(gather_6), NAME(gather_7), NAME(gather_8)};

/* C = A B for count matrices, m x k by k x n; cs, as and bs: how far apart they lie.  C's rows lie as rows. */
LOCAL void NAME(small_products)(T *c, int64_t cs, int64_t crs, const T *a, int64_t as, int64_t ars, int64_t acs, const T *b, int64_t bs,
                                int64_t brs, int64_t bcs, int64_t count, int64_t m, int64_t n, int64_t k) {
    T room[SMALL_RUN * SMALL_TERMS * AT_ONCE_COLS] __attribute__((aligned(64)));
    const int64_t tiles = (m + AT_ONCE_ROWS - 1) / AT_ONCE_ROWS, panels = (n + AT_ONCE_COLS - 1) / AT_ONCE_COLS;
    const int gathers = bcs != 1 && n > 1;
    for (int64_t at = 0; at < count; at += SMALL_RUN)
        for (int64_t j = 0, p = panels, w; j < n; j += w, p--) {
            w = p == 1 ? n - j : AT_ONCE_COLS;
            const int64_t some = count - at < SMALL_RUN ? count - at : SMALL_RUN;
            const T *from = b + at * bs + j * bcs;
            int64_t apart = bs, rows = brs;
            if (gathers) {
                NAME(gather_functions)[w - 1](room, from, bs, brs, bcs, some, k);
                from = room, apart = k * AT_ONCE_COLS, rows = AT_ONCE_COLS;
            }
            for (int64_t i = 0, t = tiles, h; i < m; i += h, t--) {
                h = (m - i + t - 1) / t;
                NAME(rows_functions)[w - 1][h - 1](c + at * cs + i * crs + j, cs, crs, a + at * as + i * ars, as, ars, acs, from, apart,
                                                   rows, some, k);
            }
        }
}

/* The rows b and i b, AT_ONCE_COLS numbers apart, of each row of N complex numbers. */
INLINE void NAME(turn)(T *to, const T *b, int64_t bs, int64_t brs, int64_t bcs, int64_t count, int64_t k, const int N) {
    for (; count > 0; count--, b += bs) {
        const T *row = b;
        for (int64_t l = 0; l < k; l++, to += 2 * AT_ONCE_COLS, row += brs)
            UNROLL for (int j = 0; j < N; j++) {
                const T re = row[j * bcs], im = row[j * bcs + 1];
                to[2 * j] = to[AT_ONCE_COLS + 2 * j + 1] = re;
                to[2 * j + 1] = im, to[AT_ONCE_COLS + 2 * j] = -im;
            }
    }
}

#define TURN(N)                                                                                                                     \
    LOCAL void NAME(turn_##N)(T *to, const T *b, int64_t bs, int64_t brs, int64_t bcs, int64_t count, int64_t k)                    \
    {                                                                                                                               \
        NAME(turn)(to, b, bs, brs, bcs, count, k, N);                                                                               \
    }
TURN(1) TURN(2) TURN(3) TURN(4)
#undef TURN
static const NAME(gather_function) NAME(turn_functions)[AT_ONCE_COLS / 2] = {NAME(turn_1), NAME(turn_2), NAME(turn_3), NAME(turn_4)};

/* The same of complex matrices: at most COMPLEX_ROWS rows and half of SMALL_TERMS; strides count complex numbers. */
LOCAL void NAME(small_complex_products)(T *c, int64_t cs, int64_t crs, const T *a, int64_t as, int64_t ars, int64_t acs, const T *b,
                                        int64_t bs, int64_t brs, int64_t bcs, int64_t count, int64_t m, int64_t n, int64_t k) {
    T room[SMALL_RUN * SMALL_TERMS * AT_ONCE_COLS] __attribute__((aligned(64))), lying[SMALL_RUN * COMPLEX_ROWS * SMALL_TERMS];
    const int64_t tiles = (m + AT_ONCE_ROWS - 1) / AT_ONCE_ROWS;
    for (int64_t at = 0; at < count; at += SMALL_RUN) {
        const int64_t some = count - at < SMALL_RUN ? count - at : SMALL_RUN;
        const T *rows = a + 2 * at * as;
        int64_t apart = 2 * as, row = 2 * ars;
        if (acs != 1) {
            for (int64_t e = 0; e < some; e++)
                for (int64_t i = 0; i < m; i++)
                    for (int64_t l = 0; l < k; l++)
                        memcpy(lying + 2 * ((e * m + i) * k + l), rows + 2 * (e * as + i * ars + l * acs), 2 * sizeof(T));
            rows = lying, apart = 2 * m * k, row = 2 * k;
        }
        for (int64_t j = 0, w; j < n; j += w) {
            w = n - j < AT_ONCE_COLS / 2 ? n - j : AT_ONCE_COLS / 2;
            NAME(turn_functions)[w - 1](room, b + 2 * (at * bs + j * bcs), 2 * bs, 2 * brs, 2 * bcs, some, k);
            for (int64_t i = 0, t = tiles, h; i < m; i += h, t--) {
                h = (m - i + t - 1) / t;
                NAME(rows_functions)[2 * w - 1][h - 1](c + 2 * (at * cs + i * crs + j), 2 * cs, 2 * crs, rows + i * row, apart, row, 1,
                                                       room, 2 * k * AT_ONCE_COLS, AT_ONCE_COLS, some, 2 * k);
            }
        }
    }
}
#undef V
