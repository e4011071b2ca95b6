/* A X = B for a triangle A and some right-hand sides: included once per real dtype after tiles.h.
 *
 *   sides_room    numbers of work space for so many groups of SIDES right-hand sides
 *   sides_solve   solves some groups in place
 *
 * A vector holds one row of a group, so that any strides of A do, its transpose too.  A panel of TRIANGLE_PANEL unknowns is solved; then
 * its products go from the rows behind, eight at a time in registers, for all groups while these numbers of A are near.  What is computed
 * for a right-hand side does not depend on those beside it, so threads may share them out as they like.
 */
#ifndef TAEDA_TRIANGLES_H
#define TAEDA_TRIANGLES_H
enum { TRIANGLE_PANEL = 64, TRIANGLE_ROWS = 8 };
#endif
#define SIDES ((int64_t)(LANES / 2))

LOCAL int64_t NAME(sides_room)(int64_t n, int64_t groups) { return n * groups * SIDES; }

/* Rows i to i + count - 1 of a group without the products of panel unknowns. */
LOCAL void NAME(sides_less)(NAME(half) *x, int64_t i, int64_t count, int64_t from, int64_t to, const T *a, int64_t ars, int64_t acs) {
    typedef NAME(half) V;
    if (count == TRIANGLE_ROWS) {
        V s[TRIANGLE_ROWS];
#pragma GCC unroll 8
        for (int r = 0; r < TRIANGLE_ROWS; r++) s[r] = x[i + r];
        for (int64_t k = from; k < to; k++) {
            const V u = x[k];
            const T *at = a + i * ars + k * acs;
#pragma GCC unroll 8
            for (int r = 0; r < TRIANGLE_ROWS; r++) s[r] -= at[r * ars] * u;
        }
#pragma GCC unroll 8
        for (int r = 0; r < TRIANGLE_ROWS; r++) x[i + r] = s[r];
    } else {
        for (int64_t r = i; r < i + count; r++) {
            V s = x[r];
            for (int64_t k = from; k < to; k++) s -= a[r * ars + k * acs] * x[k];
            x[r] = s;
        }
    }
}

/* Unknowns from to to - 1 of a group, eight at a time: what they owe each other, then what the rest of the panel owes them. */
LOCAL void NAME(sides_panel)(NAME(half) *x, int64_t from, int64_t to, int upper, int unit, const T *a, int64_t ars, int64_t acs) {
    for (int64_t done = from; done < to; done += TRIANGLE_ROWS) {
        const int64_t count = to - done < TRIANGLE_ROWS ? to - done : TRIANGLE_ROWS;
        const int64_t low = upper ? from + to - done - count : done, high = low + count;
        for (int64_t step = 0; step < count; step++) {
            const int64_t k = upper ? high - 1 - step : low + step;
            if (!unit) x[k] /= a[k * ars + k * acs];
            const NAME(half) u = x[k];
            for (int64_t i = upper ? low : k + 1; i < (upper ? k : high); i++) x[i] -= a[i * ars + k * acs] * u;
        }
        const int64_t first = upper ? from : high, last = upper ? low : to;
        for (int64_t i = first; i < last; i += TRIANGLE_ROWS)
            NAME(sides_less)(x, i, last - i < TRIANGLE_ROWS ? last - i : TRIANGLE_ROWS, low, high, a, ars, acs);
    }
}

/* `sides` right-hand sides of b, n numbers `brs` apart; upper: of A as its strides say. */
LOCAL void NAME(sides_solve)(const T *a, int64_t ars, int64_t acs, int64_t n, int upper, int unit, T *b, int64_t brs, int64_t bcs,
                             int64_t sides, T *room) {
    typedef NAME(half) V;
    const int64_t groups = (sides + SIDES - 1) / SIDES;
    for (int64_t g = 0; g < groups; g++)
        for (int64_t c = 0; c < SIDES; c++)
            for (int64_t i = 0; i < n; i++)
                room[(g * n + i) * SIDES + c] = g * SIDES + c < sides ? b[i * brs + (g * SIDES + c) * bcs] : 0;
    for (int64_t done = 0; done < n; done += TRIANGLE_PANEL) {
        const int64_t count = n - done < TRIANGLE_PANEL ? n - done : TRIANGLE_PANEL;
        const int64_t from = upper ? n - done - count : done, to = from + count;
        const int64_t first = upper ? 0 : to, last = upper ? from : n;
        for (int64_t g = 0; g < groups; g++)
            NAME(sides_panel)((V *)(room + g * n * SIDES), from, to, upper, unit, a, ars, acs);
        for (int64_t i = first; i < last; i += TRIANGLE_ROWS) {
            const int64_t rows = last - i < TRIANGLE_ROWS ? last - i : TRIANGLE_ROWS;
            for (int64_t g = 0; g < groups; g++) NAME(sides_less)((V *)(room + g * n * SIDES), i, rows, from, to, a, ars, acs);
        }
    }
    for (int64_t g = 0; g < groups; g++)
        for (int64_t c = 0; c < SIDES && g * SIDES + c < sides; c++)
            for (int64_t i = 0; i < n; i++) b[i * brs + (g * SIDES + c) * bcs] = room[(g * n + i) * SIDES + c];
}
#undef SIDES
