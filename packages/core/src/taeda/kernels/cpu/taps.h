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

/* d[x * step] = s[x] for n numbers. */
LOCAL void NAME(put_every)(T *d, int64_t step, const T *s, int64_t n) {
    if (step == 2)
        for (int64_t x = 0; x < n; x++)
            d[2 * x] = s[x];
    else
        for (int64_t x = 0; x < n; x++)
            d[x * step] = s[x];
}
