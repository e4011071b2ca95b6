/* What the shifted sums of conv_taps are made of: included once per dtype after pixels.h, with its T and SUFFIX defined. */
#ifndef TAEDA_TAPS_H
#define TAEDA_TAPS_H
typedef struct {
    int64_t src, to, count;      /* a run of pixels: where it begins in the products' row and in the sums, and its length */
} Place;
static const uint8_t BYTES_OF_A_RUN[2 * SLIM] __attribute__((aligned(SLIM))) = {
    [0 ... SLIM - 1] = 255,
};
#endif

/* sums[to + x] += y[src + x] of every run.  Whole vectors are added: what lies beyond a run counts as zero, and both have room. */
LOCAL void NAME(add_places)(T *sums, const T *y, const Place *p, int64_t n) {
    typedef uint8_t Mask __attribute__((vector_size(SLIM), aligned(1), may_alias));
    typedef NAME(slim) V;
    const int64_t B = SLIM / sizeof(T);
    for (const Place *end = p + n; p < end; p++) {
        T *d = sums + p->to;
        const T *s = y + p->src;
        int64_t left = p->count;
        for (; left >= B; left -= B, d += B, s += B)
            *(V *)d += *(const V *)s;
        if (left > 0) {
            Mask m = *(const Mask *)(BYTES_OF_A_RUN + SLIM - left * sizeof(T));
            *(V *)d += (V)(*(const Mask *)s & m);
        }
    }
}

/* Rows of weights in tiles: row r of term k lies at src + k * step + at[r], or side by side where at is NULL.  Eight terms of a tile
 * are written together, and the lines of src that they share with the next tile are still at hand. */
LOCAL void NAME(pack_rows)(T *dst, const T *src, const int64_t *at, int64_t rows, int64_t terms, int64_t step, int64_t height) {
    for (int64_t k0 = 0; k0 < terms; k0 += 8) {
        const int64_t k1 = k0 + 8 < terms ? k0 + 8 : terms;
        for (int64_t r = 0; r < rows; r += height) {
            const int64_t m = rows - r < height ? rows - r : height;
            T *d = dst + r * terms + k0 * m;
            for (int64_t k = k0; k < k1; k++, d += m) {
                const T *s = src + k * step;
                if (at)
                    for (int64_t i = 0; i < m; i++)
                        d[i] = s[at[r + i]];
                else if (m == 6)
                    memcpy(d, s + r, 6 * sizeof(T));
                else
                    for (int64_t i = 0; i < m; i++)
                        d[i] = s[r + i];
            }
        }
    }
}

/* d[x * step] = s[x] for n numbers. */
LOCAL void NAME(put_every)(T *d, int64_t step, const T *s, int64_t n) {
    if (step == 2)
        for (int64_t x = 0; x < n; x++)
            d[2 * x] = s[x];
    else
        for (int64_t x = 0; x < n; x++)
            d[x * step] = s[x];
}
