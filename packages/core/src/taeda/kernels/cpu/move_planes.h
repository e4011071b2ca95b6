/* What move.h does on one plane, for elements of one size: included once a size, with T (an unsigned integer that may lie
 * anywhere), LANES (elements in 16 bytes), LOW and HIGH (how the first and the second halves of two vectors interleave), BACKWARDS.
 *
 *   turn       y[j][i] = x[i][j], LANES by LANES in registers: each step interleaves row r with row r + LANES / 2
 *   block      the same for I by J; the last tiles of a side overlap those before them
 *   weave      y[j][i] = x[i][j] for I of 2, 3, 4: y is dense
 *   unweave    y[j][i] = x[i][j] for J of 2, 3, 4: x is dense
 *   reverse    y[i] = x[-i]
 *   strided    any strides, all in bytes
 */
#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)
#define NAME(a) JOIN(a, T)
#define AT(p, offset) (*(T *)((p) + (offset)))
#define FROM(p, offset) (*(const T *)((p) + (offset)))

#if LANES > 1
typedef ELEMENT NAME(vector) __attribute__((vector_size(16), aligned(1), may_alias));

static inline void NAME(turn)(char *y, int64_t ys, const char *x, int64_t xs) {
    NAME(vector) a[LANES], b[LANES];
#pragma GCC unroll 16
    for (int r = 0; r < LANES; r++) a[r] = *(const NAME(vector) *)(x + r * xs);
#pragma GCC unroll 4
    for (int step = 1; step < LANES; step *= 2) {
#pragma GCC unroll 8
        for (int r = 0; r < LANES / 2; r++) {
            b[2 * r] = __builtin_shufflevector(a[r], a[r + LANES / 2], LOW);
            b[2 * r + 1] = __builtin_shufflevector(a[r], a[r + LANES / 2], HIGH);
        }
#pragma GCC unroll 16
        for (int r = 0; r < LANES; r++) a[r] = b[r];
    }
#pragma GCC unroll 16
    for (int r = 0; r < LANES; r++) *(NAME(vector) *)(y + r * ys) = a[r];
}
#else
static inline void NAME(turn)(char *y, int64_t ys, const char *x, int64_t xs) { AT(y, 0) = FROM(x, 0); }
#endif

/* SIDE by SIDE: LANES, or twice as many of 8 bytes, of which 16 bytes are few */
#if LANES == 2
enum { NAME(SIDE) = 4 };
static inline void NAME(tile)(char *y, int64_t ys, const char *x, int64_t xs) {
    const U256 a = *(const U256 *)x, b = *(const U256 *)(x + xs), c = *(const U256 *)(x + 2 * xs), d = *(const U256 *)(x + 3 * xs);
    const U256 ab = __builtin_shufflevector(a, b, 0, 4, 2, 6), ba = __builtin_shufflevector(a, b, 1, 5, 3, 7);
    const U256 cd = __builtin_shufflevector(c, d, 0, 4, 2, 6), dc = __builtin_shufflevector(c, d, 1, 5, 3, 7);
    *(U256 *)y = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
    *(U256 *)(y + ys) = __builtin_shufflevector(ba, dc, 0, 1, 4, 5);
    *(U256 *)(y + 2 * ys) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
    *(U256 *)(y + 3 * ys) = __builtin_shufflevector(ba, dc, 2, 3, 6, 7);
}
#else
enum { NAME(SIDE) = LANES };
#define tile turn
#endif

static void NAME(block)(char *y, int64_t ys, const char *x, int64_t xs, int64_t I, int64_t J) {
    enum { S = NAME(SIDE) };
    const int64_t e = sizeof(T);
    if (I < S || J < S) {
        for (int64_t i = 0; i < I; i++)
            for (int64_t j = 0; j < J; j++) AT(y + j * ys, i * e) = FROM(x + i * xs, j * e);
        return;
    }
    for (int64_t i = 0;; i = i + 2 * S <= I ? i + S : I - S) {
        for (int64_t j = 0;; j = j + 2 * S <= J ? j + S : J - S) {
            if (j * e % 64 == 0)
                for (int r = 0; r < S; r++) __builtin_prefetch(x + (i + BLOCK_AHEAD * S + r) * xs + j * e);
            NAME(tile)(y + j * ys + i * e, ys, x + i * xs + j * e, xs);
            if (j == J - S) break;
        }
        if (i == I - S) break;
    }
}
#undef tile

static void NAME(weave)(char *to, const char *from, int64_t xs, int64_t I, int64_t J) {
    T *restrict y = (T *)to;
    const T *restrict a = (const T *)from, *restrict b = (const T *)(from + xs);
    const T *restrict c = (const T *)(from + 2 * xs), *restrict d = (const T *)(from + 3 * xs);
    if (I == 2)
        for (int64_t j = 0; j < J; j++) y[2 * j] = a[j], y[2 * j + 1] = b[j];
    else if (I == 3)
        for (int64_t j = 0; j < J; j++) y[3 * j] = a[j], y[3 * j + 1] = b[j], y[3 * j + 2] = c[j];
    else
        for (int64_t j = 0; j < J; j++) y[4 * j] = a[j], y[4 * j + 1] = b[j], y[4 * j + 2] = c[j], y[4 * j + 3] = d[j];
}

static void NAME(unweave)(char *to, int64_t ys, const char *from, int64_t I, int64_t J) {
    const T *restrict x = (const T *)from;
    T *restrict a = (T *)to, *restrict b = (T *)(to + ys), *restrict c = (T *)(to + 2 * ys), *restrict d = (T *)(to + 3 * ys);
    if (J == 2)
        for (int64_t i = 0; i < I; i++) a[i] = x[2 * i], b[i] = x[2 * i + 1];
    else if (J == 3)
        for (int64_t i = 0; i < I; i++) a[i] = x[3 * i], b[i] = x[3 * i + 1], c[i] = x[3 * i + 2];
    else
        for (int64_t i = 0; i < I; i++) a[i] = x[4 * i], b[i] = x[4 * i + 1], c[i] = x[4 * i + 2], d[i] = x[4 * i + 3];
}

/* Upwards in x, downwards in y: the processor foresees what is read in one direction throughout, short rows too. */
static inline void NAME(reverse_row)(char *to, const char *from, int64_t n) {
    T *y = (T *)to;
    const T *x = (const T *)from;
    int64_t i = n;                                          /* that many are left */
#if LANES > 1
    enum { LINE = 64 / sizeof(T) };
    for (; i >= LINE; i -= LINE) {                          /* 32 bytes a store: those of 16 are what it waits for */
        const char *first = (const char *)(x - (i - 1));
#pragma GCC unroll 2
        for (int k = 0; k < 2; k++) {
            const NAME(vector) a = *(const NAME(vector) *)(first + 32 * k), b = *(const NAME(vector) *)(first + 32 * k + 16);
            const U128 low = (U128)__builtin_shufflevector(b, b, BACKWARDS), high = (U128)__builtin_shufflevector(a, a, BACKWARDS);
            *(U256 *)((char *)(y + i) - 32 * (k + 1)) = __builtin_shufflevector(low, high, 0, 1, 2, 3);
        }
    }
    for (; i >= LANES; i -= LANES) {
        const NAME(vector) v = *(const NAME(vector) *)(x - (i - 1));
        *(NAME(vector) *)(y + i - LANES) = __builtin_shufflevector(v, v, BACKWARDS);
    }
    if (n >= LANES && i > 0) {                              /* the last vector overlaps those before */
        const NAME(vector) v = *(const NAME(vector) *)(x - (LANES - 1));
        *(NAME(vector) *)y = __builtin_shufflevector(v, v, BACKWARDS);
        return;
    }
#endif
    while (i-- > 0) y[i] = x[-i];
}

static void NAME(reverse)(char *y, int64_t yt, const char *x, int64_t xt, int64_t n, int64_t J) {
    for (int64_t j = 0; j < J; j++) NAME(reverse_row)(y + j * yt, x + j * xt, n);
}

static void NAME(strided)(char *y, int64_t ys, int64_t yt, const char *x, int64_t xs, int64_t xt, int64_t I, int64_t J) {
    const int64_t e = sizeof(T);
    for (int64_t j = 0; j < J; j++, y += yt, x += xt) {
        if (ys == e && xs == 2 * e)
            for (int64_t i = 0; i < I; i++) AT(y, i * e) = FROM(x, 2 * i * e);
        else if (ys == e)
            for (int64_t i = 0; i < I; i++) AT(y, i * e) = FROM(x, i * xs);
        else
            for (int64_t i = 0; i < I; i++) AT(y, i * ys) = FROM(x, i * xs);
    }
}

#undef JOIN_
#undef JOIN
#undef NAME
#undef AT
#undef FROM
#undef T
#undef ELEMENT
#undef LANES
#undef LOW
#undef HIGH
#undef BACKWARDS
