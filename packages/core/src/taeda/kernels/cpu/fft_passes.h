/* Passes of Stockham's algorithm for fft.h, which includes this once per dtype.
 *
 * A pass takes x in groups of m cells by radix, each cell s wide, to y, and turns b_j of group p by w_p^j unless it is the last one.
 * Radices 2, 3, 4, 5, 7 and 8 may also read from memory in the first pass, whose cells are LANES neighbouring complex numbers, and
 * write there in the last one: that saves going over the buffer twice.  Other odd radices up to MAX_RADIX go from buffer to buffer.
 */

/* -- orders of lanes -- */
#define TWICE(e) 2 * (e)
#define TWICE_AND_ONE(e) 2 * (e) + 1
#define IN_TURN(e) (e) / 2 + ((e) % 2 ? LANES : 0)
#define IN_TURN_ON(e) (e) / 2 + LANES / 2 + ((e) % 2 ? LANES : 0)
#define FROM_END(e) LANES - 1 - (e)
#define BLOCKS_LOW(e, s) ((e) / (s) % 2 ? LANES + (e) - (s) : (e))
#define BLOCKS_HIGH(e, s) ((e) / (s) % 2 ? LANES + (e) : (e) + (s))
#define FOUR(f, e, ...) f(e, ##__VA_ARGS__), f(e + 1, ##__VA_ARGS__), f(e + 2, ##__VA_ARGS__), f(e + 3, ##__VA_ARGS__)
#if LANES == 16
#define EACH_LANE(f, ...) FOUR(f, 0, ##__VA_ARGS__), FOUR(f, 4, ##__VA_ARGS__), FOUR(f, 8, ##__VA_ARGS__), FOUR(f, 12, ##__VA_ARGS__)
#elif LANES == 8
#define EACH_LANE(f, ...) FOUR(f, 0, ##__VA_ARGS__), FOUR(f, 4, ##__VA_ARGS__)
#else
#define EACH_LANE(f, ...) FOUR(f, 0, ##__VA_ARGS__)
#endif
#define EVEN EACH_LANE(TWICE)
#define ODD EACH_LANE(TWICE_AND_ONE)
#define LOW EACH_LANE(IN_TURN)
#define HIGH EACH_LANE(IN_TURN_ON)
#define BACK EACH_LANE(FROM_END)
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)

#define EXCHANGE(s)                                                                                       \
    EVERY_LANE for (int i = 0; i < LANES; i++)                                                                \
        if (!(i & s)) {                                                                                   \
            const V a = r[i], b = r[i + s];                                                               \
            r[i] = SHUFFLE(a, b, EACH_LANE(BLOCKS_LOW, s));                                               \
            r[i + s] = SHUFFLE(a, b, EACH_LANE(BLOCKS_HIGH, s));                                          \
        }

/* r[j][i] = r[i][j] */
INLINE void NAME(turn_lanes)(V *r) {
    EXCHANGE(1)
    EXCHANGE(2)
#if LANES >= 8
    EXCHANGE(4)
#endif
#if LANES >= 16
    EXCHANGE(8)
#endif
}
#undef EXCHANGE

/* -- neighbours in memory: `numbers` of T, the others of a vector are zeros and stay as they are -- */
INLINE void NAME(get_some)(const T *at, int numbers, V *v) {
#if LANE_BYTES == 64
    const unsigned lanes = numbers >= LANES ? (1u << LANES) - 1 : numbers <= 0 ? 0 : (1u << numbers) - 1;
    *v = (V)MASKED_LOAD(lanes, at);
#else
    if (numbers >= LANES) { *v = *(const V *)at; return; }
    V some = {0};
    for (int l = 0; l < numbers; l++) some[l] = at[l];
    *v = some;
#endif
}

INLINE void NAME(put_some)(T *at, V v, int numbers) {
#if LANE_BYTES == 64
    const unsigned lanes = numbers >= LANES ? (1u << LANES) - 1 : numbers <= 0 ? 0 : (1u << numbers) - 1;
    MASKED_STORE(at, lanes, v);
#else
    if (numbers >= LANES) *(V *)at = v;
    else for (int l = 0; l < numbers; l++) at[l] = v[l];
#endif
}

/* Where the first pass reads and the last one writes: `count` neighbours a cell, the steps in T from cell to cell. */
typedef struct { const T *x; int64_t xs; T *y; int64_t ys; int x_count, y_count; T scale; const T *w; } NAME(Ends);

INLINE void NAME(get)(const NAME(Ends) *e, const T *x, int64_t i, const int in, V *re, V *im) {
    if (in == CELLS) { *re = RE(x, i); *im = IM(x, i); return; }
    const T *at = e->x + i * e->xs;
    V u, v;
    NAME(get_some)(at, 2 * e->x_count, &u);
    NAME(get_some)(at + LANES, 2 * e->x_count - LANES, &v);
    const V even = SHUFFLE(u, v, EVEN), odd = SHUFFLE(u, v, ODD);
    *re = in == EXCHANGED ? odd : even;
    *im = in == EXCHANGED ? even : odd;
}

INLINE void NAME(put)(const NAME(Ends) *e, T *y, int64_t i, const int out, V re, V im) {
    if (out == CELLS) { RE(y, i) = re; IM(y, i) = im; return; }
    T *at = e->y + i * e->ys;
    V u, v;
    if (out == TURNED) {
        const V wr = RE(e->w, i), wi = IM(e->w, i);
        u = re * wr - im * wi; v = re * wi + im * wr;
    } else {
        u = (out == EXCHANGED ? im : re) * e->scale; v = (out == EXCHANGED ? re : im) * e->scale;
    }
    NAME(put_some)(at, SHUFFLE(u, v, LOW), 2 * e->y_count);
    NAME(put_some)(at + LANES, SHUFFLE(u, v, HIGH), 2 * e->y_count - LANES);
}

/* -- the radices: ar ai br bi ... are the cells of a group; PUT(j, ..) its results -- */
#define PASS_ARGUMENTS const NAME(Ends) *e, const T *restrict x, T *restrict y, int64_t m, int64_t s, const T *restrict w, const int turn, \
    const int in, const int out
#define TAKE(j, a, b) V a, b; NAME(get)(e, x, q + s * (p + m * (j)), in, &a, &b);
#define PUT(j, re, im)                                                                \
    {                                                                                 \
        V a_ = (re), b_ = (im);                                                       \
        if (turn && (j) > 0) {                                                        \
            const T wr = w[2 * ((j) - 1)], wi = w[2 * ((j) - 1) + 1];                 \
            const V c_ = a_ * wr - b_ * wi;                                           \
            b_ = a_ * wi + b_ * wr; a_ = c_;                                          \
        }                                                                             \
        NAME(put)(e, y, q + s * (R * p + (j)), out, a_, b_);                          \
    }
#define EACH_GROUP                                                                    \
    for (int64_t p = 0; p < m; p++, w += 2 * (R - 1))                                 \
        for (int64_t q = 0; q < s; q++)

INLINE void NAME(radix2)(PASS_ARGUMENTS) {
    enum { R = 2 };
    EACH_GROUP {
        TAKE(0, ar, ai) TAKE(1, br, bi)
        PUT(0, ar + br, ai + bi)
        PUT(1, ar - br, ai - bi)
    }
}

INLINE void NAME(radix3)(PASS_ARGUMENTS) {
    enum { R = 3 };
    const T sine = (T)0.86602540378443864676;
    EACH_GROUP {
        TAKE(0, ar, ai) TAKE(1, br, bi) TAKE(2, cr, ci)
        const V pr = br + cr, pi = bi + ci, dr = (br - cr) * sine, di = (bi - ci) * sine;
        const V er = ar - pr * (T)0.5, ei = ai - pi * (T)0.5;
        PUT(0, ar + pr, ai + pi)
        PUT(1, er + di, ei - dr)
        PUT(2, er - di, ei + dr)
    }
}

INLINE void NAME(radix4)(PASS_ARGUMENTS) {
    enum { R = 4 };
    EACH_GROUP {
        TAKE(0, ar, ai) TAKE(1, br, bi) TAKE(2, cr, ci) TAKE(3, dr, di)
        const V er = ar + cr, ei = ai + ci, fr = ar - cr, fi = ai - ci, gr = br + dr, gi = bi + di, hr = br - dr, hi = bi - di;
        PUT(0, er + gr, ei + gi)
        PUT(1, fr + hi, fi - hr)
        PUT(2, er - gr, ei - gi)
        PUT(3, fr - hi, fi + hr)
    }
}

INLINE void NAME(radix5)(PASS_ARGUMENTS) {
    enum { R = 5 };
    const T c1 = (T)0.30901699437494742410, c2 = (T)-0.80901699437494742410, s1 = (T)0.95105651629515357212, s2 = (T)0.58778525229247312917;
    EACH_GROUP {
        TAKE(0, ar, ai) TAKE(1, br, bi) TAKE(2, cr, ci) TAKE(3, dr, di) TAKE(4, er, ei)
        const V pr = br + er, pi = bi + ei, mr = br - er, mi = bi - ei, qr = cr + dr, qi = ci + di, nr = cr - dr, ni = ci - di;
        const V fr = ar + c1 * pr + c2 * qr, fi = ai + c1 * pi + c2 * qi, gr = ar + c2 * pr + c1 * qr, gi = ai + c2 * pi + c1 * qi;
        const V ur = s1 * mr + s2 * nr, ui = s1 * mi + s2 * ni, vr = s2 * mr - s1 * nr, vi = s2 * mi - s1 * ni;
        PUT(0, ar + pr + qr, ai + pi + qi)
        PUT(1, fr + ui, fi - ur)
        PUT(2, gr + vi, gi - vr)
        PUT(3, gr - vi, gi + vr)
        PUT(4, fr - ui, fi + ur)
    }
}

INLINE void NAME(radix7)(PASS_ARGUMENTS) {
    enum { R = 7 };
    const T c1 = (T)0.62348980185873353053, c2 = (T)-0.22252093395631440429, c3 = (T)-0.90096886790241912624;
    const T s1 = (T)0.78183148246802980871, s2 = (T)0.97492791218182360702, s3 = (T)0.43388373911755812048;
    EACH_GROUP {
        TAKE(0, ar, ai) TAKE(1, br, bi) TAKE(2, cr, ci) TAKE(3, dr, di) TAKE(4, er, ei) TAKE(5, fr, fi) TAKE(6, gr, gi)
        const V pr = br + gr, pi = bi + gi, qr = cr + fr, qi = ci + fi, tr = dr + er, ti = di + ei;
        const V kr = br - gr, ki = bi - gi, lr = cr - fr, li = ci - fi, nr = dr - er, ni = di - ei;
        PUT(0, ar + pr + qr + tr, ai + pi + qi + ti)
        {
            const V xr = ar + c1 * pr + c2 * qr + c3 * tr, xi = ai + c1 * pi + c2 * qi + c3 * ti;
            const V ur = s1 * kr + s2 * lr + s3 * nr, ui = s1 * ki + s2 * li + s3 * ni;
            PUT(1, xr + ui, xi - ur)
            PUT(6, xr - ui, xi + ur)
        }
        {
            const V xr = ar + c2 * pr + c3 * qr + c1 * tr, xi = ai + c2 * pi + c3 * qi + c1 * ti;
            const V ur = s2 * kr - s3 * lr - s1 * nr, ui = s2 * ki - s3 * li - s1 * ni;
            PUT(2, xr + ui, xi - ur)
            PUT(5, xr - ui, xi + ur)
        }
        {
            const V xr = ar + c3 * pr + c1 * qr + c2 * tr, xi = ai + c3 * pi + c1 * qi + c2 * ti;
            const V ur = s3 * kr - s1 * lr + s2 * nr, ui = s3 * ki - s1 * li + s2 * ni;
            PUT(3, xr + ui, xi - ur)
            PUT(4, xr - ui, xi + ur)
        }
    }
}

/* Two of radix 4, whose second one is turned by eighths of the circle. */
INLINE void NAME(radix8)(PASS_ARGUMENTS) {
    enum { R = 8 };
    const T root = (T)0.70710678118654752440;
    EACH_GROUP {
        TAKE(0, ar, ai) TAKE(2, br, bi) TAKE(4, cr, ci) TAKE(6, dr, di)
        const V er = ar + cr, ei = ai + ci, fr = ar - cr, fi = ai - ci, gr = br + dr, gi = bi + di, hr = br - dr, hi = bi - di;
        const V e0r = er + gr, e0i = ei + gi, e1r = fr + hi, e1i = fi - hr, e2r = er - gr, e2i = ei - gi, e3r = fr - hi, e3i = fi + hr;
        TAKE(1, kr, ki) TAKE(3, lr, li) TAKE(5, mr, mi) TAKE(7, nr, ni)
        const V pr = kr + mr, pi = ki + mi, qr = kr - mr, qi = ki - mi, tr = lr + nr, ti = li + ni, ur = lr - nr, ui = li - ni;
        const V o0r = pr + tr, o0i = pi + ti, o2r = pr - tr, o2i = pi - ti;
        const V v1r = qr + ui, v1i = qi - ur, v3r = qr - ui, v3i = qi + ur;
        const V o1r = (v1r + v1i) * root, o1i = (v1i - v1r) * root, o3r = (v3i - v3r) * root, o3i = (v3r + v3i) * -root;
        PUT(0, e0r + o0r, e0i + o0i)
        PUT(4, e0r - o0r, e0i - o0i)
        PUT(1, e1r + o1r, e1i + o1i)
        PUT(5, e1r - o1r, e1i - o1i)
        PUT(2, e2r + o2i, e2i - o2r)
        PUT(6, e2r - o2i, e2i + o2r)
        PUT(3, e3r + o3r, e3i + o3i)
        PUT(7, e3r - o3r, e3i - o3i)
    }
}

/* Any odd radix: sums and differences of the pairs a_k, a_(R-k), and a cosine and a sine of each pair for each result. */
LOCAL void NAME(radix_odd)(const T *restrict x, T *restrict y, int64_t m, int64_t s, const T *restrict w, const int turn, const int R,
                           const T *restrict roots) {
    const int half = (R - 1) / 2, in = CELLS, out = CELLS;
    const NAME(Ends) *e = NULL;
    V pr[MAX_RADIX / 2], pi[MAX_RADIX / 2], mr[MAX_RADIX / 2], mi[MAX_RADIX / 2];
    EACH_GROUP {
        TAKE(0, ar, ai)
        V sr = ar, si = ai;
        for (int k = 1; k <= half; k++) {
            TAKE(k, br, bi) TAKE(R - k, cr, ci)
            pr[k] = br + cr; pi[k] = bi + ci; mr[k] = br - cr; mi[k] = bi - ci;
            sr += pr[k]; si += pi[k];
        }
        PUT(0, sr, si)
        for (int j = 1; j <= half; j++) {
            V cr = ar, ci = ai, ur = {0}, ui = {0};
            for (int k = 1, at = j; k <= half; k++, at = at + j >= R ? at + j - R : at + j) {
                const T c = roots[2 * at], d = -roots[2 * at + 1];
                cr += c * pr[k]; ci += c * pi[k]; ur += d * mr[k]; ui += d * mi[k];
            }
            PUT(j, cr + ui, ci - ur)
            PUT(R - j, cr - ui, ci + ur)
        }
    }
}
#undef TAKE
#undef PUT
#undef EACH_GROUP

/* Each radix in the ways it is run: from buffer to buffer, from memory, to memory. */
#define RUN(radix)                                                                                                              \
    LOCAL void NAME(inner_##radix)(const T *x, T *y, int64_t m, int64_t s, const T *w)                                          \
    {                                                                                                                           \
        if (m > 1) NAME(radix)(NULL, x, y, m, s, w, 1, CELLS, CELLS);                                                           \
        else NAME(radix)(NULL, x, y, 1, s, w, 0, CELLS, CELLS);                                                                 \
    }                                                                                                                           \
    LOCAL void NAME(first_##radix)(const NAME(Ends) *e, T *y, int64_t m, const T *w, int in)                                    \
    {                                                                                                                           \
        if (in == NEIGHBOURS) NAME(radix)(e, NULL, y, m, 1, w, 1, NEIGHBOURS, CELLS);                                           \
        else NAME(radix)(e, NULL, y, m, 1, w, 1, EXCHANGED, CELLS);                                                             \
    }                                                                                                                           \
    LOCAL void NAME(last_##radix)(const NAME(Ends) *e, const T *x, int64_t s, int out)                                          \
    {                                                                                                                           \
        if (out == NEIGHBOURS) NAME(radix)(e, x, NULL, 1, s, NULL, 0, CELLS, NEIGHBOURS);                                       \
        else if (out == EXCHANGED) NAME(radix)(e, x, NULL, 1, s, NULL, 0, CELLS, EXCHANGED);                                    \
        else NAME(radix)(e, x, NULL, 1, s, NULL, 0, CELLS, TURNED);                                                             \
    }
RUN(radix2)
RUN(radix3)
RUN(radix4)
RUN(radix5)
RUN(radix7)
RUN(radix8)
#undef RUN
#undef PASS_ARGUMENTS

#define EACH_RADIX(name, ...)                                                                                                   \
    switch (f->radix[i]) {                                                                                                      \
    case 2: NAME(name##_radix2)(__VA_ARGS__); break;                                                                            \
    case 3: NAME(name##_radix3)(__VA_ARGS__); break;                                                                            \
    case 4: NAME(name##_radix4)(__VA_ARGS__); break;                                                                            \
    case 5: NAME(name##_radix5)(__VA_ARGS__); break;                                                                            \
    case 7: NAME(name##_radix7)(__VA_ARGS__); break;                                                                            \
    case 8: NAME(name##_radix8)(__VA_ARGS__); break;                                                                            \
    default: NAME(radix_odd)(a, b, f->groups[i], s, w, f->groups[i] > 1, (int)f->radix[i], w + 2 * f->groups[i] * (f->radix[i] - 1)); \
    }

LOCAL void NAME(get_all)(const NAME(Ends) *e, int64_t n, int in, T *cells) {
    for (int64_t i = 0; i < n; i++) {
        V re, im;
        if (in == NEIGHBOURS) NAME(get)(e, NULL, i, NEIGHBOURS, &re, &im); else NAME(get)(e, NULL, i, EXCHANGED, &re, &im);
        RE(cells, i) = re; IM(cells, i) = im;
    }
}

LOCAL void NAME(put_all)(const NAME(Ends) *e, int64_t n, int out, const T *cells) {
    for (int64_t i = 0; i < n; i++) {
        if (out == NEIGHBOURS) NAME(put)(e, NULL, i, NEIGHBOURS, RE(cells, i), IM(cells, i));
        else if (out == EXCHANGED) NAME(put)(e, NULL, i, EXCHANGED, RE(cells, i), IM(cells, i));
        else NAME(put)(e, NULL, i, TURNED, RE(cells, i), IM(cells, i));
    }
}

/* Run all passes from `in` (CELLS: those in a) to `out`, with b as the other buffer; return the one that holds the result, if one does. */
LOCAL T *NAME(run)(const FftPlan *f, const NAME(Ends) *e, int in, int out, T *a, T *b) {
    const T *w = f->twiddles;
    const int last = f->passes - 1;
    int64_t s = 1;
    int i = 0;
    if (in != CELLS && (last == 0 || !taeda_is_short(f->radix[0]))) { NAME(get_all)(e, f->n, in, a); in = CELLS; }
    for (; i < last; i++) {
        if (i > 0 || in == CELLS) EACH_RADIX(inner, a, b, f->groups[i], s, w)
        else EACH_RADIX(first, e, b, f->groups[i], w, in)
        w += 2 * f->groups[i] * (f->radix[i] - 1) + (taeda_is_short(f->radix[i]) ? 0 : 2 * f->radix[i]);
        s *= f->radix[i];
        T *other = a; a = b; b = other;
    }
    if (out != CELLS && last > 0 && taeda_is_short(f->radix[last])) {
        EACH_RADIX(last, e, a, s, out)
        return a;
    }
    if (f->n > 1) {
        EACH_RADIX(inner, a, b, 1, s, w)
        T *other = a; a = b; b = other;
    }
    if (out != CELLS) NAME(put_all)(e, f->n, out, a);
    return a;
}
#undef EACH_RADIX
