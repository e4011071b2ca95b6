/* Tiles of conv whose sums are whole: included by conv.pyx after tiles.h, once per dtype, with its T, LANES and SUFFIX defined.
 *
 *   tile_to, wide_to, pair_to    to_i[v] = first[v] + sum_r  src_i[off[r]] * w[r][v]     places i, one or two panels of LANES
 *
 * Results go where they belong, with no place in between that is begun, added to and copied: for a kernel of 3 x 3 and one channel
 * that was half of the time.
 */
#define BEGIN(i) const T *s##i = src[i]; V p##i = {0}, q##i = {0};
#define BEGIN1(i) const T *s##i = src[i]; V p##i = {0};
#define STEP2(i) { T x = s##i[o]; p##i += x * u; q##i += x * v; }
#define STEP1(i) { T x = s##i[o]; p##i += x * u; }
#define END2(i) *(V *)to[i] = p##i + f; *(V *)(to[i] + gap) = q##i + h;
#define END1(i) *(V *)to[i] = p##i + f;

LOCAL void NAME(tile_to)(int64_t n, const T *const *src, const int64_t *off, const T *w, const T *first, T *const *to) {
    typedef NAME(half) V;
    const int64_t gap = LANES / 2;
    EACH6(BEGIN)
    for (int64_t r = 0; r < n; r++) {
        int64_t o = off[r];
        V u = *(const V *)(w + r * LANES), v = *(const V *)(w + r * LANES + gap);
        EACH6(STEP2)
    }
    const V f = *(const V *)first, h = *(const V *)(first + gap);
    EACH6(END2)
}

LOCAL WIDE void NAME(wide_to)(int64_t n, const T *const *src, const int64_t *off, const T *w, const T *first, T *const *to) {
    typedef NAME(whole) V;
    EACH8(BEGIN1)
    for (int64_t r = 0; r < n; r++) {
        int64_t o = off[r];
        V u = *(const V *)(w + r * LANES);
        EACH8(STEP1)
    }
    const V f = *(const V *)first;
    EACH8(END1)
}

/* The second panel of weights lies wgap elements on. */
LOCAL WIDE void NAME(pair_to)(int64_t n, const T *const *src, const int64_t *off, const T *w, int64_t wgap, const T *first, T *const *to) {
    typedef NAME(whole) V;
    const int64_t gap = LANES;
    EACH8(BEGIN)
    for (int64_t r = 0; r < n; r++) {
        int64_t o = off[r];
        V u = *(const V *)(w + r * LANES), v = *(const V *)(w + r * LANES + wgap);
        EACH8(STEP2)
    }
    const V f = *(const V *)first, h = *(const V *)(first + gap);
    EACH8(END2)
}
#undef BEGIN
#undef BEGIN1
#undef STEP2
#undef STEP1
#undef END2
#undef END1
