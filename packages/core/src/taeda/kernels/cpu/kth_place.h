/* Where the k-th of a row is: included once per element type, after packs.h, with S (its suffix), T, K (its keys), P (their packs), B (bits
 * of a key) and FLOATING (0 or 1).
 *
 * Few are ranked, of many those are looked at that share the k-th one's bin between the extremes: three passes over the row, of which the
 * one that counts takes 0.5 ns a number and the others are vectors.
 */
#ifndef TAEDA_KTH_PLACE_H
#define TAEDA_KTH_PLACE_H
enum { HISTOGRAM_FROM = 48, BINS = 2048 };
#endif
#define OF_ELEMENT(name) PACKS_JOIN(name, S)
#define OF_KEY(name) PACKS_JOIN(name, K)
#define FLOAT_OF_KEY PACKS_GLUE(float_of_key, B)

/* how many lie in the bins before that of the k-th of n; count has four numbers a bin, so that a neighbour in the same one need not wait */
static int64_t OF_ELEMENT(before_kth)(const uint32_t *bin, uint32_t *b, uint32_t *count, int64_t bins, int64_t n, int64_t k,
                                      int64_t *within) {
    int64_t before = 0;
    memset(count, 0, 4 * bins * sizeof *count);
    for (int64_t i = 0; i < n; i++) count[4 * (int64_t)bin[i] + (i & 3)]++;
    for (*b = 0;; before += *within, ++*b) {
        const uint32_t *c = count + 4 * (int64_t)*b;
        *within = (int64_t)c[0] + c[1] + c[2] + c[3];
        if (k < before + *within) return before;
    }
}
/* sorts n keys from low to high into bins, in order: those of equal width, or by the highest bits where that leaves many in the k-th's */
static int64_t OF_ELEMENT(bin_of_kth)(const T *x, const K *keys, uint32_t *bin, uint32_t *b, int64_t n, int64_t k, int64_t step,
                                      K low, K high) {
    const int64_t bins = n < 8 * BINS ? BINS / 8 : BINS;
    uint32_t count[4 * BINS];
    int64_t within;
    int shift = 0;
#if FLOATING
    const T least = FLOAT_OF_KEY(low), span = FLOAT_OF_KEY(high) - least, scale = (bins - 1) / span;
    if (scale > 0 && scale - scale == 0) {          /* neither inf nor nan is among them */
        if (step == 1) for (int64_t i = 0; i < n; i++) bin[i] = (uint32_t)(int32_t)((x[i] - least) * scale);
        else for (int64_t i = 0; i < n; i++) bin[i] = (uint32_t)(int32_t)((x[i * step] - least) * scale);
        const int64_t before = OF_ELEMENT(before_kth)(bin, b, count, bins, n, k, &within);
        if (8 * within < n) return before;
    }
#endif
    while ((K)(high - low) >> shift >= (K)bins) shift++;
    for (int64_t i = 0; i < n; i++) bin[i] = (uint32_t)((K)(keys[i] - low) >> shift);
    return OF_ELEMENT(before_kth)(bin, b, count, bins, n, k, &within);
}
/* where kth_place leaves the row's keys */
static inline K *OF_ELEMENT(kth_keys)(void *room, int64_t n) { return (K *)((P *)room + n); }
/* where the k-th of a row is; k >= 0: the k-th smallest; -1: the lower median, NaN if there is one; -2: that of what is not NaN */
static int64_t OF_ELEMENT(kth_place)(const T *from, int64_t n, int64_t k, int64_t step, void *room) {
    P *a = (P *)room;
    const int stable = k < 0;
    K low = (K)-1, high = 0, *keys = OF_ELEMENT(kth_keys)(room, n);
    if (step == 1) {
        for (int64_t i = 0; i < n; i++) {
            const T v = from[i];
            const K bits = OF_ELEMENT(key)(v);
            keys[i] = bits;
            low = bits < low ? bits : low;
            high = bits > high ? bits : high;
        }
    } else {
        for (int64_t i = 0; i < n; i++) {
            const K bits = OF_ELEMENT(key)(from[i * step]);
            keys[i] = bits;
            low = bits < low ? bits : low;
            high = bits > high ? bits : high;
        }
    }
#if FLOATING
    if (k < 0 && high == (K)-1) {               /* there is NaN */
        int64_t numbers = 0, nan = 0;
        while (keys[nan] != high) nan++;
        if (k == -1) return nan;
        for (int64_t i = 0; i < n; i++) numbers += keys[i] != high;
        k = numbers ? (numbers - 1) / 2 : 0;
    }
#endif
    if (k < 0) k = (n - 1) / 2;
    if (n < HISTOGRAM_FROM && (stable || 8 * k >= n || n <= RANKED)) {
        OF_KEY(Ranked) r;
        int64_t i = 0;
        for (; i < n; i++) r.key[i] = OF_KEY(signed)(keys[i]);
        OF_KEY(rank)(&r, n);
        while (r.place[--i] != k);
        return i;
    }
    if (k < FEW_BEST && !stable) {      /* the first k + 1 keys so far, in order; any place of the last: twins are looked for after */
        K best[FEW_BEST];
        int64_t place = 0;
        for (int64_t i = 0; i <= k; i++) best[i] = (K)-1;
        for (int64_t lo = 0; lo < n; lo += 32) {
            const int64_t to = n - lo < 32 ? n : lo + 32;
            K least = (K)-1;
            if (to - lo < 32) least = 0;
            else for (int64_t i = 0; i < 32; i++) least = keys[lo + i] < least ? keys[lo + i] : least;
            if (least >= best[k]) continue;
            for (int64_t i = lo; i < to; i++) {
                const K key = keys[i];
                int64_t j = k;
                if (key >= best[k]) continue;
                for (; j > 0 && best[j - 1] > key; j--) best[j] = best[j - 1];
                best[j] = key;
            }
        }
        while (keys[place] != best[k]) place++;
        return place;
    }
    if (n < HISTOGRAM_FROM || n > UINT32_MAX) {
        for (int64_t i = 0; i < n; i++) a[i] = (P)keys[i] << B | (K)i;
    } else {                                        /* only those in the k-th one's bin between the extremes */
        uint32_t *bin = (uint32_t *)(keys + n), b;
        const int64_t before = OF_ELEMENT(bin_of_kth)(from, keys, bin, &b, n, k, step, low, high);
        int64_t m = 0;
        for (int64_t lo = 0; lo < n; lo += 32) {        /* most have none of them */
            const int64_t to = n - lo < 32 ? n : lo + 32;
            uint32_t hit = to - lo < 32;
            if (!hit) for (int64_t i = 0; i < 32; i++) hit |= bin[lo + i] == b;
            for (int64_t i = lo; hit && i < to; i++) {
                a[m] = (P)keys[i] << B | (K)i;
                m += bin[i] == b;
            }
        }
        n = m;
        k -= before;
    }
    PACKED(select)(a, n, k);
    return (int64_t)(K)a[k];
}
#undef OF_ELEMENT
#undef OF_KEY
#undef FLOAT_OF_KEY
