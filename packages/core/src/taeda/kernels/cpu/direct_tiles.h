/* Tiles of conv whose sums are whole: included by conv.pyx after tiles.h, once per dtype, with its T, LANES and SUFFIX defined.
 *
 *   tile_to, wide_to, pair_to    to_i[v] = first[v] + sum_r  src_i[off[r]] * w[r][v]     places i, one or two panels of LANES
 *
 * Results go where they belong, with no place in between that is begun, added to and copied: for a kernel of 3 x 3 and one channel
 * that was half of the time.
 */
#define PUT1(i) *(V *)to[i] = p##i + f;
#define PUT2(i) PUT1(i) *(V *)(to[i] + gap) = q##i + h;

LOCAL void NAME(tile_to)(int64_t n, const T *const *src, const int64_t *off, const T *w, const T *first, T *const *to) {
    typedef NAME(half) V;
    const int64_t gap = LANES / 2;
    SUMS2(EACH6, gap)
    const V f = *(const V *)first, h = *(const V *)(first + gap);
    EACH6(PUT2)
}

LOCAL WIDE void NAME(wide_to)(int64_t n, const T *const *src, const int64_t *off, const T *w, const T *first, T *const *to) {
    typedef NAME(whole) V;
    SUMS1(EACH8, LANES)
    const V f = *(const V *)first;
    EACH8(PUT1)
}

/* The second panel of weights lies wgap elements on. */
LOCAL WIDE void NAME(pair_to)(int64_t n, const T *const *src, const int64_t *off, const T *w, int64_t wgap, const T *first, T *const *to) {
    typedef NAME(whole) V;
    const int64_t gap = LANES;
    SUMS2(EACH8, wgap)
    const V f = *(const V *)first, h = *(const V *)(first + gap);
    EACH8(PUT2)
}
#undef PUT1
#undef PUT2
