/* Convolution of one plane by a square kernel: included once per dtype after tiles.h, with its T, LANES, SUFFIX and MASK.
 *
 *   frame    a plane in a frame of zeros, columns apart by the residues of the stride: [row][residue][column]
 *   spread   the same with up - 1 zeros between neighbours: what an input gradient of stride `up` convolves
 *   filter   y[i][j] = bias + sum_k  w[k] x[off[k] + i S pitch + j]       x in a frame; tap k begins at off[k]
 *   moments  sums[h K + k][l] += sum_{i, j = l mod lanes}  g[i][j] x[i S + h][j S + k]
 *
 * Vectors are neighbouring pixels.  filter computes four rows at a time, or eight with AVX-512's registers, so that a vector of x serves
 * all of them, a column of taps after the other; the last vector of a row reaches back.  Vectors may read a few places beyond the frame:
 * it needs LANES places more.  Such loops are written out for kernels of 3 to 7, 9 and 11 rows; others load a vector for each tap.
 */
#ifndef TAEDA_DEPTHWISE_H
#define TAEDA_DEPTHWISE_H
#define WRITE_OUT _Pragma("GCC unroll 32")
#endif

/* d[i] = s[S i] for S 3 or 4: three vectors hold what makes one in different lanes */
LOCAL inline void NAME(every_few)(T *restrict d, const T *restrict s, int64_t n, int64_t S) {
    typedef NAME(half) V;
    const int64_t B = LANES / 2;
    int64_t i = 0;
    for (; i + B < n; i += B) {
        const T *from = s + S * i;
        const V u = *(const V *)from, v = *(const V *)(from + B), w = *(const V *)(from + 2 * B);
#if LANES == 16
        if (S == 3) {
            const V t = __builtin_shufflevector(__builtin_shufflevector(u, v, 0, 9, 2, 3, 12, 5, 6, 15), w, 0, 1, 10, 3, 4, 13, 6, 7);
            *(V *)(d + i) = __builtin_shufflevector(t, t, 0, 3, 6, 1, 4, 7, 2, 5);
        } else {
            const V t = *(const V *)(from + 3 * B);
            *(V *)(d + i) = __builtin_shufflevector(__builtin_shufflevector(u, v, 0, 4, 8, 12, 0, 4, 8, 12),
                                                    __builtin_shufflevector(w, t, 0, 4, 8, 12, 0, 4, 8, 12), 0, 1, 2, 3, 12, 13, 14, 15);
        }
#else
        if (S == 3) {
            const V t = __builtin_shufflevector(__builtin_shufflevector(u, v, 0, 1, 6, 3), w, 0, 5, 2, 3);
            *(V *)(d + i) = __builtin_shufflevector(t, t, 0, 3, 2, 1);
        } else {
            const V t = *(const V *)(from + 3 * B);
            *(V *)(d + i) = __builtin_shufflevector(__builtin_shufflevector(u, v, 0, 4, 0, 4),
                                                    __builtin_shufflevector(w, t, 0, 4, 0, 4), 0, 1, 6, 7);
        }
#endif
    }
    for (; i < n; i++)
        d[i] = s[S * i];
}

/* Both write the places of the plane alone: the zeros around and between them stay from plane to plane. */
LOCAL void NAME(frame)(T *dst, int64_t rows, int64_t S, int64_t part, const T *src, int64_t step, int64_t H, int64_t W,
                       int64_t top, int64_t left) {
    const int64_t first = top < 0 ? 0 : top, last = top + H < rows ? top + H : rows;
    for (int64_t b = 0; b < S; b++) {
        const int64_t j = b >= left ? 0 : (left - b + S - 1) / S, w = b + j * S - left;
        int64_t n = w < W ? (W - w + S - 1) / S : 0;
        n = n < part - j ? n : part - j;
        if (n <= 0)
            continue;
        T *to = dst + b * part + j;
        const T *from = src - top * step + w;
        for (int64_t r = first; r < last; r++) {
            if (S == 1)
                NAME(copy)(to + r * part, from + r * step, n);
            else if (S == 2)
                NAME(every_second)(to + r * S * part, from + r * step, n);
            else
                NAME(every_few)(to + r * S * part, from + r * step, n, S);
        }
    }
}

LOCAL void NAME(spread)(T *dst, int64_t rows, int64_t cols, int64_t up, const T *src, int64_t step, int64_t H, int64_t W,
                        int64_t top, int64_t left) {
    const int64_t first = left < 0 ? (-left + up - 1) / up : 0;
    for (int64_t h = top < 0 ? (-top + up - 1) / up : 0; h < H && top + h * up < rows; h++) {
        T *to = dst + (top + h * up) * cols + left;
        for (int64_t j = first; j < W && left + j * up < cols; j++)
            to[j * up] = src[h * step + j];
    }
}

/* R rows by C vectors at a time share each of n taps, wherever they lie; the last ones reach back. */
#define BLOCK(R, C)                                                                                           \
    for (int64_t j = 0; j < cols; j += C * B) {                                                               \
        if (j + (C - 1) * gap + B > cols && cols >= B)                                                        \
            j = cols - (C - 1) * gap - B;                                                                     \
        V sum[R][C];                                                                                          \
        WRITE_OUT for (int e = 0; e < R * C; e++)                                                             \
            sum[e / C][e % C] = bias + (V){0};                                                                \
        for (int64_t k = 0; k < n; k++) {                                                                     \
            const V tap = w[k] - (V){0};                                                                      \
            const T *at = from + off[k] + j;                                                                  \
            WRITE_OUT for (int e = 0; e < R * C; e++)                                                         \
                sum[e / C][e % C] += tap * *(const V *)(at + e / C * down + e % C * gap);                     \
        }                                                                                                     \
        WRITE_OUT for (int e = 0; e < R * C; e++) {                                                           \
            if (cols >= B)                                                                                    \
                *(V *)(to + e / C * step + j + e % C * gap) = sum[e / C][e % C];                              \
            else                                                                                              \
                NAME(copy)(to + e / C * step, (const T *)&sum[e / C][0], cols);                               \
        }                                                                                                     \
    }
LOCAL void NAME(filter_any)(int64_t n, const int64_t *off, T *y, int64_t step, int64_t rows, int64_t cols, const T *x, int64_t down,
                            const T *w, T bias) {
    typedef NAME(half) V;
    const int64_t B = LANES / 2, R = rows >= 4 ? 4 : 1, gap = R == 4 && cols < 2 * B ? cols - B : B;
    for (int64_t i = 0; i < rows; i += R) {
        if (i + R > rows)
            i = rows - R;
        const T *from = x + i * down;
        T *to = y + i * step;
        if (R == 4 && cols > B)
            BLOCK(4, 2)
        else if (R == 4)
            BLOCK(4, 1)
        else if (cols >= 4 * B)
            BLOCK(1, 4)
        else
            BLOCK(1, 1)
    }
}
#undef BLOCK

/* H taps of a column after the other, each vector of x for all of R rows. */
#define ROWS(H, S, R, MORE)                                                                                   \
    for (; MORE; i += R) {                                                                                    \
        if (i + R > rows)                                                                                     \
            i = rows - R;                                                                                     \
        for (int64_t j = 0; j < cols; j += B) {                                                               \
            if (j + B > cols && cols >= B)                                                                    \
                j = cols - B;                                                                                 \
            V sum[R];                                                                                         \
            WRITE_OUT for (int r = 0; r < R; r++)                                                             \
                sum[r] = bias + (V){0};                                                                       \
            for (int64_t k = 0; k < K; k++) {                                                                 \
                const T *from = x + i * S * down + off[k] + j;                                                \
                V s[H];                                                                                       \
                WRITE_OUT for (int h = 0; h < H; h++)                                                         \
                    s[h] = w[h * K + k] - (V){0};                                                             \
                WRITE_OUT for (int h = 0; h < (R - 1) * S + H; h++) {                                         \
                    const V v = *(const V *)(from + h * down);                                                \
                    WRITE_OUT for (int r = 0; r < R; r++)                                                     \
                        if (h - r * S >= 0 && h - r * S < H)                                                  \
                            sum[r] += s[h - r * S] * v;                                                       \
                }                                                                                             \
            }                                                                                                 \
            WRITE_OUT for (int r = 0; r < R; r++) {                                                           \
                if (cols >= B)                                                                                \
                    *(V *)(y + (i + r) * step + j) = sum[r];                                                  \
                else                                                                                          \
                    NAME(copy)(y + (i + r) * step, (const T *)&sum[r], cols);                                 \
            }                                                                                                 \
        }                                                                                                     \
    }
#define BEGIN(FUNCTION, TARGET)                                                                               \
    LOCAL TARGET void NAME(FUNCTION)(int64_t K, const int64_t *off, T *y, int64_t step, int64_t rows, int64_t cols, const T *x, \
                                     int64_t down, const T *w, T bias) {                                      \
        typedef NAME(half) V;                                                                                 \
        const int64_t B = LANES / 2;                                                                          \
        int64_t i = 0;
#define FILTER(H, S)                                                                                          \
    BEGIN(filter_##H##_##S, ) ROWS(H, S, 4, i < rows && rows >= 4) ROWS(H, S, 1, i < rows) }                  \
    BEGIN(wide_filter_##H##_##S, WIDE)                                                                        \
        if (rows % 7 == 0 && rows % 8 != 0) ROWS(H, S, 7, i < rows)                                           \
        ROWS(H, S, 8, i + 8 <= rows) ROWS(H, S, 4, i < rows && rows >= 4) ROWS(H, S, 1, i < rows)             \
    }
FILTER(3, 1) FILTER(3, 2) FILTER(3, 3) FILTER(4, 1) FILTER(4, 2) FILTER(5, 1) FILTER(5, 2) FILTER(5, 3) FILTER(6, 1)
FILTER(7, 1) FILTER(7, 2) FILTER(7, 3) FILTER(9, 1) FILTER(11, 1)
#undef ROWS
#undef BEGIN
#undef FILTER

#define AT(S, row, k) (x + (row) * S * part + (k) % S * part + (k) / S)
/* H rows of the kernel at a time: their sums fit in registers. */
#define MOMENTS(K, S, H)                                                                                      \
    LOCAL void NAME(moments_##K##_##S)(T *sums, const T *g, int64_t step, int64_t rows, int64_t cols, const T *x, \
                                       int64_t part) {                                                        \
        typedef NAME(half) V;                                                                                 \
        typedef MASK Bits __attribute__((vector_size(sizeof(V)), aligned(sizeof(T)), may_alias));             \
        const int64_t B = LANES / 2, whole = cols / B * B, room = (rows - 1) * step + cols - whole - B;       \
        const int64_t clear = step > 0 && room >= 0 ? room / step + 1 : 0;   /* rows with a vector there */   \
        Bits kept;                                                                                            \
        for (int l = 0; l < LANES / 2; l++)                                                                   \
            kept[l] = l < cols - whole ? -1 : 0;                                                              \
        for (int h0 = 0; h0 < K; h0 += H) {                                                                   \
            V s[H * K];                                                                                       \
            WRITE_OUT for (int k = 0; k < H * K; k++)                                                         \
                s[k] = (V){0};                                                                                \
            for (int64_t i = 0; i < rows; i++) {                                                              \
                const T *from = g + i * step;                                                                 \
                for (int64_t j = 0; j < whole; j += B) {                                                      \
                    const V u = *(const V *)(from + j);                                                       \
                    WRITE_OUT for (int k = 0; k < H * K; k++)                                                 \
                        s[k] += u * *(const V *)(AT(S, i * S + h0 + k / K, k % K) + j);                          \
                }                                                                                             \
                if (whole < cols) {                                                                           \
                    V u = {0};                                                                                \
                    if (i < clear)                                                                            \
                        u = (V)(*(const Bits *)(from + whole) & kept);                                        \
                    else                                                                                      \
                        NAME(copy)((T *)&u, from + whole, cols - whole);                                      \
                    if (whole)                                                                                \
                        WRITE_OUT for (int k = 0; k < H * K; k++)                                             \
                            s[k] += u * (V)(*(const Bits *)(AT(S, i * S + h0 + k / K, k % K) + whole) & kept); \
                    else                                                                                      \
                        WRITE_OUT for (int k = 0; k < H * K; k++)                                             \
                            s[k] += u * *(const V *)AT(S, i * S + h0 + k / K, k % K);                         \
                }                                                                                             \
            }                                                                                                 \
            WRITE_OUT for (int k = 0; k < H * K; k++)                                                         \
                *(V *)(sums + (h0 * K + k) * B) += whole ? s[k] : (V)((Bits)s[k] & kept);                     \
        }                                                                                                     \
    }
MOMENTS(3, 1, 3) MOMENTS(3, 2, 3) MOMENTS(3, 3, 3) MOMENTS(5, 1, 1) MOMENTS(5, 2, 1) MOMENTS(5, 3, 1)
MOMENTS(7, 1, 1) MOMENTS(7, 2, 1) MOMENTS(7, 3, 1)
#undef MOMENTS
#undef AT

typedef void (*NAME(Filter))(int64_t K, const int64_t *off, T *y, int64_t step, int64_t rows, int64_t cols, const T *x, int64_t down,
                             const T *w, T bias);
LOCAL NAME(Filter) NAME(filter_of)(int64_t height, int64_t stride) {
#define OF(H, S)                                                                                              \
    if (height == H && stride == S)                                                                           \
        return taeda_wide() ? NAME(wide_filter_##H##_##S) : NAME(filter_##H##_##S);
    OF(3, 1) OF(3, 2) OF(3, 3) OF(4, 1) OF(4, 2) OF(5, 1) OF(5, 2) OF(5, 3) OF(6, 1) OF(7, 1) OF(7, 2) OF(7, 3) OF(9, 1) OF(11, 1)
#undef OF
    return 0;
}

/* H rows of K taps; rows of y that lie as far apart as those of the kernel see the same rows of x, which lie `pitch` apart. */
LOCAL void NAME(filter)(int64_t H, int64_t K, int64_t S, int64_t apart, const int64_t *off, T *y, int64_t step, int64_t rows, int64_t cols,
                        const T *x, int64_t pitch, const T *w, T bias) {
    const NAME(Filter) filter = NAME(filter_of)(H, S);
    if (!filter || rows < (apart > 1 ? 4 * apart : 1)) {
        NAME(filter_any)(H * K, off, y, step, rows, cols, x, S * pitch, w, bias);
        return;
    }
    for (int64_t r = 0; r < apart; r++)
        filter(K, off, y + r * step, apart * step, (rows - r + apart - 1) / apart, cols, x + r * S * pitch, apart * pitch, w, bias);
}

LOCAL void NAME(moments)(int64_t K, int64_t S, T *sums, const T *g, int64_t step, int64_t rows, int64_t cols, const T *x,
                         int64_t part) {
#define OF_STRIDE(F) (S == 1 ? NAME(F##_1) : S == 2 ? NAME(F##_2) : NAME(F##_3))
    (K == 3 ? OF_STRIDE(moments_3) : K == 5 ? OF_STRIDE(moments_5) : OF_STRIDE(moments_7))(sums, g, step, rows, cols, x, part);
}
#undef OF_STRIDE
