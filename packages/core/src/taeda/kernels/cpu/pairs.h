/* Distances of rows to rows in the element type T, for pairs.pyx.in; included once a type, with T, SUFFIX, WORD (an integer of T's size)
 * and POWER(u, p), u^p for u >= 0.
 *
 * A panel is PANEL neighbouring rows of the second operand, turned, so that a vector holds the same entry of several rows: a distance
 * needs no sum across lanes, however short rows are.  Four rows of the first operand share each load.  Sums are made of runs of RUN
 * entries; rows longer than DEPTH are turned piece by piece.  With three operations a term for sums of |d| the limit is one vector a
 * cycle; 500 rows of 64 take 0.4 ms, 15e9 terms a second.
 *
 * |d| is made by clearing a bit, and the largest |d| is the largest as integers too, which takes a NaN for larger than anything.
 */
#pragma GCC diagnostic ignored "-Wpsabi"
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define NAME(x) JOIN(x, SUFFIX)
#define VEC NAME(pair_vec_)
#define BITS NAME(pair_bits_)
enum { NAME(PANEL_) = 64 / sizeof(T), NAME(LANES_) = 32 / sizeof(T) };
#define PANEL NAME(PANEL_)

typedef T VEC __attribute__((vector_size(32), aligned(sizeof(T)), may_alias));
typedef WORD BITS __attribute__((vector_size(32), aligned(sizeof(T)), may_alias));

/* the rest of the work on four rows and a panel: total is what the runs so far add up to */
#define TILE_OF(KIND, ZERO, TERM, TAKE)                                                                          \
    static void NAME(pair_tile_##KIND##_)(VEC total[4][2], const T *const *a, const T *b, int64_t n) {           \
        const BITS positive = (BITS){0} + (WORD)(~0ull >> (65 - 8 * sizeof(T)));                                 \
        (void)positive;                                                                                          \
        for (int64_t lo = 0; lo < n; lo += PAIRS_RUN) {                                                          \
            const int64_t hi = n - lo < PAIRS_RUN ? n : lo + PAIRS_RUN;                                          \
            VEC s[4][2];                                                                                         \
            for (int r = 0; r < 4; r++) s[r][0] = s[r][1] = ZERO;                                                \
            for (int64_t m = lo; m < hi; m++) {                                                                  \
                const VEC b0 = *(const VEC *)(b + m * PANEL), b1 = *(const VEC *)(b + m * PANEL + PANEL / 2);    \
                _Pragma("GCC unroll 4")                                                                          \
                for (int r = 0; r < 4; r++) {                                                                    \
                    VEC d = a[r][m] - b0, e = a[r][m] - b1;                                                      \
                    s[r][0] = TAKE(s[r][0], TERM(d));                                                            \
                    s[r][1] = TAKE(s[r][1], TERM(e));                                                            \
                }                                                                                                \
            }                                                                                                    \
            for (int r = 0; r < 4; r++) {                                                                        \
                total[r][0] = TAKE(total[r][0], s[r][0]);                                                        \
                total[r][1] = TAKE(total[r][1], s[r][1]);                                                        \
            }                                                                                                    \
        }                                                                                                        \
    }
#define ADD(s, t) ((s) + (t))
#define LARGER(s, t) ((VEC)NAME(pair_larger_)((BITS)(s), (BITS)(t)))
#define SQUARE(d) ((d) * (d))
#define MAGNITUDE(d) ((VEC)((BITS)(d) & positive))
#define DIFFERS(d) NAME(pair_differs_)(d)

static inline BITS NAME(pair_larger_)(BITS a, BITS b) {
    BITS c;
    for (int i = 0; i < NAME(LANES_); i++) c[i] = a[i] > b[i] ? a[i] : b[i];
    return c;
}
/* 1 where d is not 0, NaN where it is NaN */
static inline VEC NAME(pair_differs_)(VEC d) {
    const VEC one = (VEC){0} + 1;
    return (VEC)(((BITS)one & (BITS)(d != 0)) | (BITS)(d != d));
}
TILE_OF(zero, (VEC){0}, DIFFERS, ADD)
TILE_OF(one, (VEC){0}, MAGNITUDE, ADD)
TILE_OF(two, (VEC){0}, SQUARE, ADD)
TILE_OF(inf, (VEC){0}, MAGNITUDE, LARGER)

/* n a multiple of PANEL; a loop of its own, as nothing else would be vectorised */
static void NAME(pair_powers_)(T *restrict u, int64_t n, T p) {
    for (int64_t i = 0; i < n; i++) u[i] = POWER(u[i], p);
}
/* of `rows` rows, each to the rows of b from low on, up to high: a power costs as much as all the rest */
static void NAME(pair_tile_any_)(T total[4][PANEL], const T *const *a, const T *b, int64_t n, T p, int64_t rows, const int64_t *low,
                                 int64_t high) {
    T u[(PAIRS_RUN + 1) * PANEL];
    for (int r = 0; r < rows; r++) {
        const int64_t w = high - low[r];
        for (int64_t lo = 0; lo < n && w > 0; lo += PAIRS_RUN) {
            const int64_t run = n - lo < PAIRS_RUN ? n - lo : PAIRS_RUN, all = (run * w + PANEL - 1) / PANEL * PANEL;
            T s[PANEL] = {0};
            memset(u + all - PANEL, 0, PANEL * sizeof(T));
            for (int64_t m = 0; m < run; m++) {
                const T x = a[r][lo + m], *from = b + (lo + m) * PANEL + low[r];
                for (int64_t c = 0; c < w; c++) {
                    const T d = x - from[c];
                    u[m * w + c] = d < 0 ? -d : d;
                }
            }
            NAME(pair_powers_)(u, all, p);
            for (int64_t m = 0; m < run; m++) for (int64_t c = 0; c < w; c++) s[c] += u[m * w + c];
            for (int64_t c = 0; c < w; c++) total[r][low[r] + c] += s[c];
        }
    }
}

/* Distances of `rows` rows of a, the first of which is `row`, to the rows [at, at + PANEL) of b, of which there are R: those of rows i
 * and j go to out[i * step + j * side]; or, if step is 0, those of rows to later rows of the same R lie one after the other. */
static void NAME(pair_block_)(int kind, T *out, const T *a, const T *b, int64_t row, int64_t rows, int64_t at, int64_t R, int64_t M,
                              T p, int64_t step, int64_t side) {
    T turned[PAIRS_DEPTH * PANEL] __attribute__((aligned(64))), sums[PAIRS_ROWS][PANEL] __attribute__((aligned(64)));
    const int64_t columns = R - at < PANEL ? R - at : PANEL;
    memset(sums, 0, rows * sizeof *sums);
    for (int64_t lo = 0; lo < M; lo += PAIRS_DEPTH) {
        const int64_t n = M - lo < PAIRS_DEPTH ? M - lo : PAIRS_DEPTH;
        if (columns < PANEL) memset(turned, 0, n * PANEL * sizeof(T));
        for (int64_t c = 0; c < columns; c++) {
            const T *from = b + (at + c) * M + lo;
            for (int64_t m = 0; m < n; m++) turned[m * PANEL + c] = from[m];
        }
        for (int64_t i = 0; i < rows; i += 4) {
            const T *four[4];
            int64_t low[4];
            T total[4][PANEL] __attribute__((aligned(64)));
            for (int64_t r = 0; r < 4; r++) {
                const int64_t k = i + r < rows ? i + r : rows - 1;
                four[r] = a + (row + k) * M + lo;
                low[r] = step || row + k + 1 < at ? 0 : row + k + 1 - at;
                memcpy(total[r], sums[k], sizeof *total);
            }
            switch (kind) {
            case PAIRS_ZERO: NAME(pair_tile_zero_)((VEC (*)[2])total, four, turned, n); break;
            case PAIRS_ONE: NAME(pair_tile_one_)((VEC (*)[2])total, four, turned, n); break;
            case PAIRS_TWO: NAME(pair_tile_two_)((VEC (*)[2])total, four, turned, n); break;
            case PAIRS_INF: NAME(pair_tile_inf_)((VEC (*)[2])total, four, turned, n); break;
            default: NAME(pair_tile_any_)(total, four, turned, n, p, rows - i < 4 ? rows - i : 4, low, columns);
            }
            memcpy(sums[i], total, (rows - i < 4 ? rows - i : 4) * sizeof *sums);
        }
    }
    for (int64_t i = 0; i < rows; i++) {
        T *s = sums[i];
        if (kind == PAIRS_TWO) for (int c = 0; c < PANEL; c++) s[c] = NAME(pair_sqrt_)(s[c]);
        if (kind == PAIRS_ANY) for (int c = 0; c < PANEL; c++) s[c] = pairs_pow(s[c], 1 / (double)p);
        if (step) {
            T *to = out + (row + i) * step + at * side;
            if (side == 1) memcpy(to, s, columns * sizeof(T));
            else for (int64_t c = 0; c < columns; c++) to[c * side] = s[c];
            continue;
        }
        const int64_t k = row + i, first = k + 1 > at ? k + 1 - at : 0;       /* the pairs of row k begin with (k, k + 1) */
        if (first < columns) memcpy(out + k * (2 * R - k - 1) / 2 + at + first - k - 1, s + first, (columns - first) * sizeof(T));
    }
}
#undef TILE_OF
#undef ADD
#undef LARGER
#undef SQUARE
#undef MAGNITUDE
#undef DIFFERS
#undef PANEL
#undef VEC
#undef BITS
#undef NAME
#undef JOIN
#undef JOIN_
