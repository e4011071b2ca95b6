/* Attention by blocks: included once per dtype after products.h, with its T, LANES and SUFFIX defined.
 *
 * (a) Scores stand in a block of ROWS queries by KEYS keys and never as a whole matrix.  A running maximum m and
 *     sum l of each row are kept (Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018); what was
 *     added up under an older maximum is scaled down when a larger one comes.
 * (b) The backward pass makes the probabilities anew from the saved lse = m + log l (Dao et al., "FlashAttention",
 *     2022), for a block of keys and all blocks of queries that see it.
 * (c) All products are of one form, c[i][j] (+)= sum_r a(r, i) b(r, j): a is read as it lies, transposed or not, b in
 *     panels (products.h).  Keys and, going backwards, values are transposed into panels a block at a time; what has a
 *     width of whole panels is read in place, all else is copied with zeros behind.
 * (d) A row that sees no key has l = 0: its result is 0 and its lse +inf, which makes its probabilities 0 again.
 * (e) Halves are computed in float. Going forward they are widened where they are read, the rows of a block at a time, and no copy of a
 *     whole operand is made; an added mask of halves is widened in both directions, a row of a block at a time.
 */
#ifndef TAEDA_ATTENTION_H
#define TAEDA_ATTENTION_H
#include <math.h>
#include "narrow.h"
#include "rows.h"

enum {
    ATTEND_ROWS = 48,        /* queries in a block: a multiple of the 6 or 8 rows of a tile */
    ATTEND_KEYS = 256,       /* keys in a block: with their values they stay in L2 */
    BACK_ROWS = 96,
    BACK_KEYS = 128,
    FEW_ROWS = 3,            /* so few queries are not worth transposing the keys for */
    NO_MASK = 0, BOOL_MASK = 1, ADDED_MASK = 2
};

/* Everything about one head that does not depend on the dtype.  Strides in elements; rows are of unit stride. */
typedef struct {
    int64_t L, S, E, D;              /* queries, keys, width of query and key, width of value */
    int64_t qs, ks, vs;              /* from row to row */
    const void *mask;
    const uint8_t *keep;             /* L x S, row-major; NULL without dropout */
    int64_t mask_row, mask_col;
    int mask_kind, causal;
    int half, mask_half;             /* the dtypes of operands and of an added mask that are narrower than T, or -1 */
    int exact;                       /* whether row_total is asked */
    double scale, keep_scale;
} AttendShape;

static inline int64_t attend_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }
/* How many of the keys from j0 on row i sees. */
static inline int64_t attend_seen(const AttendShape *h, int64_t i, int64_t j0, int64_t n) {
    if (!h->causal) return n;
    const int64_t seen = i + 1 - j0;
    return seen < 0 ? 0 : seen < n ? seen : n;
}
#endif

/* n rows of `width` elements from element `at` of x on: in place if they are of type T, else widened into room. */
LOCAL const T *NAME(wide_rows)(const AttendShape *h, const void *x, int64_t at, int64_t *xs, int64_t n, int64_t width, T *room) {
    if (h->half < 0) return (const T *)x + at;
    for (int64_t i = 0; i < n; i++)
        widen(h->half, (char *)(room + i * width), (const char *)x + (at + i * *xs) * 2, 1, width);
    *xs = width;
    return room;
}

/* Rows x (n, width), `step` apart within a row, where a product can read them: in place if they are whole panels, else copied into room. */
LOCAL const T *NAME(whole_panels)(const T *x, int64_t *xs, int64_t step, int64_t n, int64_t width, int64_t panel, T *room) {
    const int64_t padded = attend_up(width, panel);
    if (padded == width && step == 1) return x;
    for (int64_t i = 0; i < n; i++) {
        if (step == 1) memcpy(room + i * padded, x + i * *xs, width * sizeof(T));
        else for (int64_t e = 0; e < width; e++) room[i * padded + e] = x[i * *xs + e * step];
        memset(room + i * padded + width, 0, (padded - width) * sizeof(T));
    }
    *xs = padded;
    return room;
}

/* -- rows -- */
/* Beyond it the rounding of a score is much: the largest one less its rounded maximum would no longer be next to 0, and its exponential
 * infinite.  Such scores are rounded first, and in the backward pass, where they come from other sums, cut off at their maximum. */
#define HUGE_SCORE 0x1p20

/* Finish row i of a block of scores against keys j0 to j0 + n: scale them and apply masks; keys that it does not see
 * become -inf.  Returns what they still are to be multiplied by: without an added mask the exponential does that. */
LOCAL T NAME(masked_row)(const AttendShape *h, T *restrict s, int64_t i, int64_t j0, int64_t n) {
    const int64_t seen = attend_seen(h, i, j0, n);
    T factor = (T)h->scale;
    if (h->mask_kind != NO_MASK || !(factor > 0)) {
        const int64_t at = i * h->mask_row + j0 * h->mask_col;
        int64_t step = h->mask_col;
        if (h->mask_kind == ADDED_MASK) {
            T wide[ATTEND_KEYS];
            const T *mask = (const T *)h->mask + at;
            if (h->mask_half >= 0) {
                widen(h->mask_half, (char *)wide, (const char *)h->mask + at * 2, step, seen);
                mask = wide, step = 1;
            }
            if (step == 1)
                for (int64_t j = 0; j < seen; j++) s[j] = factor * s[j] + mask[j];
            else
                for (int64_t j = 0; j < seen; j++) s[j] = factor * s[j] + mask[j * step];
        } else if (h->mask_kind == BOOL_MASK) {
            const uint8_t *mask = (const uint8_t *)h->mask + at;
            if (step == 1)
                for (int64_t j = 0; j < seen; j++) s[j] = mask[j] ? factor * s[j] : -(T)INFINITY;
            else
                for (int64_t j = 0; j < seen; j++) s[j] = mask[j * step] ? factor * s[j] : -(T)INFINITY;
        } else {
            for (int64_t j = 0; j < seen; j++) s[j] = factor * s[j];
        }
        factor = 1;
    }
    for (int64_t j = seen; j < n; j++) s[j] = -(T)INFINITY;
    return factor;
}

/* s_j = exp(factor s_j - m); returns their sum. */
LOCAL T NAME(exponentials)(T *restrict s, int64_t n, T factor, T m) {
    T sum = 0;
    _Pragma("omp simd reduction(+:sum)")
    for (int64_t j = 0; j < n; j++) { T x = NAME(t_exp_neg)(factor * s[j] - m); s[j] = x; sum += x; }
    return sum;
}

LOCAL void NAME(dropped)(const AttendShape *h, T *restrict s, int64_t i, int64_t j0, int64_t n) {
    const uint8_t *keep = h->keep + i * h->S + j0;
    const T by = (T)h->keep_scale;
    for (int64_t j = 0; j < n; j++) s[j] = keep[j] ? s[j] * by : 0;
}

/* Scores of a few rows as plain dot products. */
LOCAL void NAME(few_scores)(const AttendShape *h, int64_t m, int64_t n, const T *q, int64_t qs, const T *k, int64_t ks, T *s) {
    for (int64_t j = 0; j < n; j++)
        for (int64_t i = 0; i < m; i++) {
            const T *x = q + i * qs, *y = k + j * ks;
            T sum = 0;
            _Pragma("omp simd reduction(+:sum)")
            for (int64_t e = 0; e < h->E; e++) sum += x[e] * y[e];
            s[i * ATTEND_KEYS + j] = sum;
        }
}

/* -- forward -- */
LOCAL int64_t NAME(attend_room)(const AttendShape *h, int64_t rows) {
    const int64_t panel = NAME(PANEL), width = attend_up(h->D, panel);
    const int64_t widened = h->half < 0 ? 0 : ATTEND_KEYS * (h->E + h->D) + rows * h->E;
    return ATTEND_KEYS * (h->E + width) + ATTEND_ROWS * ATTEND_KEYS + rows * (width + 2) + widened;
}

/* Rows r0 to r1 of one head: out (row stride os) and lse. */
LOCAL void NAME(attend)(const AttendShape *h, const void *q, const void *k, const void *v, int64_t r0, int64_t r1, void *out,
                        int64_t os, T *lse, T *room) {
    const int64_t panel = NAME(PANEL), width = attend_up(h->D, panel), rows = r1 - r0;
    const int few = rows <= FEW_ROWS;
    T *kt = room, *copy = kt + ATTEND_KEYS * h->E, *s = copy + ATTEND_KEYS * width, *sums = s + ATTEND_ROWS * ATTEND_KEYS;
    T *m = sums + rows * width, *l = m + rows, *kwide = l + rows, *vwide = kwide + ATTEND_KEYS * h->E;
    int64_t qs = h->qs;
    const T *queries = NAME(wide_rows)(h, q, r0 * qs, &qs, rows, h->E, vwide + ATTEND_KEYS * h->D);
    memset(sums, 0, rows * width * sizeof(T));
    for (int64_t i = 0; i < rows; i++) { m[i] = -(T)INFINITY; l[i] = 0; }
    for (int64_t j0 = 0; j0 < h->S; j0 += ATTEND_KEYS) {
        const int64_t keys = attend_seen(h, r1 - 1, j0, h->S - j0 < ATTEND_KEYS ? h->S - j0 : ATTEND_KEYS);
        if (keys == 0) break;
        int64_t ks = h->ks, vs = h->vs;
        const T *kb = NAME(wide_rows)(h, k, j0 * ks, &ks, keys, h->E, kwide), *vb = NAME(wide_rows)(h, v, j0 * vs, &vs, keys, h->D, vwide);
        const T *values = NAME(whole_panels)(vb, &vs, 1, keys, h->D, panel, copy);
        if (!few) NAME(pack_panels)(kt, h->E, keys, kb, 1, ks, 1);
        for (int64_t i0 = r0; i0 < r1; i0 += ATTEND_ROWS) {
            const int64_t part = r1 - i0 < ATTEND_ROWS ? r1 - i0 : ATTEND_ROWS;
            const int64_t n = attend_seen(h, i0 + part - 1, j0, keys);
            if (n == 0) continue;
            const T *qb = queries + (i0 - r0) * qs;
            if (few) NAME(few_scores)(h, part, n, qb, qs, kb, ks, s);
            else NAME(multiply)(part, n, h->E, qb, 1, qs, kt, panel * h->E, panel, s, ATTEND_KEYS, NULL, 0);
            for (int64_t i = 0; i < part; i++) {
                T *row = s + i * ATTEND_KEYS, *sum = sums + (i0 + i - r0) * width, *most = m + (i0 + i - r0), *total = l + (i0 + i - r0);
                T factor = NAME(masked_row)(h, row, i0 + i, j0, n), large = factor * NAME(row_max)(row, n);
                if (factor != 1 && (large > (T)HUGE_SCORE || large < (T)-HUGE_SCORE)) {
                    for (int64_t j = 0; j < n; j++) row[j] *= factor;
                    factor = 1;
                }
                const T before = *most, now = large > before ? large : before, base = now == -(T)INFINITY ? 0 : now;
                const T added = NAME(exponentials)(row, n, factor, base);
                if (*total != 0 && now > before) {
                    const T shrink = NAME(t_exp_neg)(before - base);
                    for (int64_t e = 0; e < width; e++) sum[e] *= shrink;
                    *total *= shrink;
                }
                *most = now;
                *total += added;
                if (h->keep) NAME(dropped)(h, row, i0 + i, j0, n);
            }
            NAME(multiply)(part, h->D, n, s, 1, ATTEND_KEYS, values, panel, vs, sums + (i0 - r0) * width, width, NULL, 1);
        }
    }
    for (int64_t i = 0; i < rows; i++) {
        const T by = l[i] == 0 ? 0 : 1 / l[i];
        T *row = h->half < 0 ? (T *)out + (r0 + i) * os : sums + i * width;
        for (int64_t e = 0; e < h->D; e++) row[e] = sums[i * width + e] * by;
        if (h->half >= 0) narrow(h->half, (char *)out + (r0 + i) * os * 2, 1, (const char *)row, h->D);
        lse[r0 + i] = l[i] == 0 ? (T)INFINITY : m[i] + NAME(t_log)(l[i]);
    }
}

/* -- backward -- */
LOCAL int64_t NAME(attend_back_room)(const AttendShape *h) {
    const int64_t panel = NAME(PANEL), width = attend_up(h->E, panel) + attend_up(h->D, panel);
    return BACK_KEYS * (h->E + h->D + 2 * width) + BACK_ROWS * (2 * BACK_KEYS + width) + 2 * h->L;
}

/* What exp(score - lse) of row i adds up to: 1, but where lse is so large (all of the row was masked with the dtype's lowest number)
 * that log l was lost in it.  s is room for BACK_KEYS scores. */
LOCAL T NAME(row_total)(const AttendShape *h, const T *q, const T *k, int64_t i, T lse, T *s) {
    T total = 0;
    if (lse == (T)INFINITY || (lse < (T)1e3 && lse > (T)-1e3)) return 1;
    for (int64_t j0 = 0; j0 < h->S; j0 += BACK_KEYS) {
        const int64_t n = attend_seen(h, i, j0, h->S - j0 < BACK_KEYS ? h->S - j0 : BACK_KEYS);
        for (int64_t j = 0; j < n; j++) {
            T sum = 0;
            for (int64_t e = 0; e < h->E; e++) sum += q[i * h->qs + e] * k[(j0 + j) * h->ks + e];
            s[j] = sum;
        }
        const T factor = n ? NAME(masked_row)(h, s, i, j0, n) : 0;
        for (int64_t j = 0; j < n; j++) total += NAME(t_exp_neg)(factor * s[j] - lse);
    }
    return total > 0 ? total : 1;
}

/* Keys first to last of one head.  dq (L rows of whole panels) is added to; of dk and dv those keys are set, or added to.
 * With P the probabilities, R what dropout multiplies them by and G the cotangent of the result:
 *   dV = (P R)^T G     dS = P (R (G V^T) - sum(G O)) scale     dQ = dS K     dK = dS^T Q */
LOCAL void NAME(attend_back)(const AttendShape *h, const T *q, const T *k, const T *v, const T *g, int64_t gs, int64_t gstep, const T *out,
                             int64_t os, const T *lse, int64_t first, int64_t last, T *dq, int64_t dqs, T *dk, int64_t dks,
                             T *dv, int64_t dvs, int add, T *room) {
    const int64_t panel = NAME(PANEL), Ew = attend_up(h->E, panel), Dw = attend_up(h->D, panel);
    const T scale = (T)h->scale, by = (T)h->keep_scale;
    T *kt = room, *vt = kt + BACK_KEYS * h->E, *kcopy = vt + BACK_KEYS * h->D, *dksum = kcopy + BACK_KEYS * Ew;
    T *dvsum = dksum + BACK_KEYS * Ew, *s = dvsum + BACK_KEYS * Dw, *ds = s + BACK_ROWS * BACK_KEYS;
    T *qcopy = ds + BACK_ROWS * BACK_KEYS, *gcopy = qcopy + BACK_ROWS * Ew, *delta = gcopy + BACK_ROWS * Dw, *share = delta + h->L;
    for (int64_t i = 0; i < h->L; i++) {
        const T *x = g + i * gs, *y = out + i * os;
        T sum = 0;
        if (gstep == 1) {
            _Pragma("omp simd reduction(+:sum)")
            for (int64_t e = 0; e < h->D; e++) sum += x[e] * y[e];
        } else {
            for (int64_t e = 0; e < h->D; e++) sum += x[e * gstep] * y[e];
        }
        delta[i] = sum;
        share[i] = h->exact ? 1 / NAME(row_total)(h, q, k, i, lse[i], s) : 1;
    }
    for (int64_t j0 = first; j0 < last; j0 += BACK_KEYS) {
        const int64_t keys = last - j0 < BACK_KEYS ? last - j0 : BACK_KEYS;
        int64_t ks = h->ks;
        const T *kb = NAME(whole_panels)(k + j0 * ks, &ks, 1, keys, h->E, panel, kcopy);
        NAME(pack_panels)(kt, h->E, keys, k + j0 * h->ks, 1, h->ks, 1);
        NAME(pack_panels)(vt, h->D, keys, v + j0 * h->vs, 1, h->vs, 1);
        memset(dksum, 0, keys * Ew * sizeof(T));
        memset(dvsum, 0, keys * Dw * sizeof(T));
        for (int64_t i0 = h->causal ? j0 / BACK_ROWS * BACK_ROWS : 0; i0 < h->L; i0 += BACK_ROWS) {
            const int64_t part = h->L - i0 < BACK_ROWS ? h->L - i0 : BACK_ROWS;
            const int64_t n = attend_seen(h, i0 + part - 1, j0, keys);
            int64_t qs = h->qs, gbs = gs;
            if (n == 0) continue;
            const T *qb = NAME(whole_panels)(q + i0 * qs, &qs, 1, part, h->E, panel, qcopy);
            const T *gb = NAME(whole_panels)(g + i0 * gs, &gbs, gstep, part, h->D, panel, gcopy);
            NAME(multiply)(part, n, h->E, qb, 1, qs, kt, panel * h->E, panel, s, BACK_KEYS, NULL, 0);
            NAME(multiply)(part, n, h->D, gb, 1, gbs, vt, panel * h->D, panel, ds, BACK_KEYS, NULL, 0);
            for (int64_t i = 0; i < part; i++) {
                T *restrict p = s + i * BACK_KEYS, *restrict d = ds + i * BACK_KEYS;
                const T less = delta[i0 + i], most = lse[i0 + i], whole = share[i0 + i];
                T factor = NAME(masked_row)(h, p, i0 + i, j0, n);
                if (most > (T)HUGE_SCORE || most < (T)-HUGE_SCORE) {
                    for (int64_t j = 0; j < n; j++) p[j] = factor * p[j] < most ? factor * p[j] : most;
                    factor = 1;
                }
                if (h->keep) {
                    const uint8_t *keep = h->keep + (i0 + i) * h->S + j0;
                    for (int64_t j = 0; j < n; j++) {
                        const T x = NAME(t_exp_neg)(factor * p[j] - most) * whole, r = keep[j] ? by : 0;
                        d[j] = x * (d[j] * r - less) * scale;
                        p[j] = x * r;
                    }
                } else {
                    for (int64_t j = 0; j < n; j++) {
                        const T x = NAME(t_exp_neg)(factor * p[j] - most) * whole;
                        d[j] = x * (d[j] - less) * scale;
                        p[j] = x;
                    }
                }
            }
            if (dv) NAME(multiply)(n, h->D, part, s, BACK_KEYS, 1, gb, panel, gbs, dvsum, Dw, NULL, 1);
            if (dk) NAME(multiply)(n, h->E, part, ds, BACK_KEYS, 1, qb, panel, qs, dksum, Ew, NULL, 1);
            if (dq) NAME(multiply)(part, h->E, n, ds, 1, BACK_KEYS, kb, panel, ks, dq + i0 * dqs, dqs, NULL, 1);
        }
        for (int64_t j = 0; j < keys; j++) {
            T *to = dk + (j0 + j) * dks, *then = dv + (j0 + j) * dvs;
            if (dk) for (int64_t e = 0; e < h->E; e++) to[e] = add ? to[e] + dksum[j * Ew + e] : dksum[j * Ew + e];
            if (dv) for (int64_t e = 0; e < h->D; e++) then[e] = add ? then[e] + dvsum[j * Dw + e] : dvsum[j * Dw + e];
        }
    }
}
