/* Products of complex matrices on the real tiles of products.h: included once per complex dtype, with REAL, REAL_NAME(a)
 * and, of complex128, DOUBLE defined.
 *
 * A row of A is read as 2 k real numbers, as it lies; each row of alpha B becomes two, b and i b, so that the sums of the real product
 * are the real and imaginary parts of C, side by side as they lie.  Of terms and columns CPX_TERMS and CPX_COLUMNS are taken at a time.
 * A batch of 16 x 16 takes a third of the time of a call of OpenBLAS each (Zen 4).
 */
#ifndef TAEDA_COMPLEX_PRODUCTS_H
#define TAEDA_COMPLEX_PRODUCTS_H
enum { CPX_TERMS = 128, CPX_COLUMNS = 128, CPX_ROWS = 96 };       /* of a block, in complex numbers; of A CPX_ROWS rows are packed */
#define LEAST(a, b) ((a) < (b) ? (a) : (b))
#endif
#define WIDTH ((int64_t)REAL_NAME(PANEL))
#ifdef DOUBLE
#define SWAPPED(u) __builtin_shufflevector(u, u, 1, 0, 3, 2)
#define SIGNS (REAL_NAME(half)){-1, 1, -1, 1}
#else
#define SWAPPED(u) __builtin_shufflevector(u, u, 1, 0, 3, 2, 5, 4, 7, 6)
#define SIGNS (REAL_NAME(half)){-1, 1, -1, 1, -1, 1, -1, 1}
#endif
#define APART(terms) (2 * (terms) + 16)          /* of packed rows of A: no power of two */

LOCAL int64_t NAME(complex_room_of_b)(int64_t n, int64_t k) {
    return (2 * LEAST(n, CPX_COLUMNS) + WIDTH - 1) / WIDTH * WIDTH * 2 * LEAST(k, CPX_TERMS);
}

/* In real numbers. */
LOCAL int64_t NAME(complex_room)(int64_t m, int64_t n, int64_t k, int64_t acs) {
    return NAME(complex_room_of_b)(n, k) + (acs == 1 ? 0 : LEAST(m, CPX_ROWS) * APART(LEAST(k, CPX_TERMS)));
}

/* to[panel][2 k][WIDTH]: the rows alpha b and i alpha b of k rows and n columns of B, zeros behind the last column. */
LOCAL void NAME(pack_turns)(REAL *to, int64_t k, int64_t n, const REAL *b, int64_t brs, int64_t bcs, REAL re, REAL im) {
    const int plain = re == 1 && im == 0;
    for (int64_t j = 0; j < n; j += WIDTH / 2, to += 2 * k * WIDTH) {
        const int64_t h = LEAST(n - j, WIDTH / 2);
        if (h < WIDTH / 2) memset(to, 0, 2 * k * WIDTH * sizeof(REAL));
        if (plain && bcs == 1 && h == WIDTH / 2) {
            for (int64_t l = 0; l < k; l++) {
                const REAL *from = b + 2 * (l * brs + j);
                REAL *one = to + 2 * l * WIDTH, *two = one + WIDTH;
                for (int v = 0; v < 2; v++, from += WIDTH / 2, one += WIDTH / 2, two += WIDTH / 2) {
                    const REAL_NAME(half) u = *(const REAL_NAME(half) *)from;
                    *(REAL_NAME(half) *)one = u;
                    *(REAL_NAME(half) *)two = SWAPPED(u) * SIGNS;
                }
            }
            continue;
        }
        for (int64_t l = 0; l < k; l++) {
            const REAL *from = b + 2 * (l * brs + j * bcs);
            REAL *one = to + 2 * l * WIDTH, *two = one + WIDTH;
            for (int64_t x = 0; x < h; x++) {
                REAL p = from[2 * x * bcs], q = from[2 * x * bcs + 1];
                if (!plain) {
                    const REAL was = p;
                    p = was * re - q * im, q = was * im + q * re;
                }
                one[2 * x] = two[2 * x + 1] = p;
                one[2 * x + 1] = q, two[2 * x] = -q;
            }
        }
    }
}

/* C (+)= alpha A B; C's rows are contiguous, strides count complex numbers. */
LOCAL void NAME(complex_product)(REAL *room, T *c_, int64_t crs, int64_t m, int64_t n, int64_t k, const T *a_, int64_t ars, int64_t acs,
                                 const T *b_, int64_t brs, int64_t bcs, T alpha, int add) {
    REAL *c = (REAL *)c_, *pa = room + NAME(complex_room_of_b)(n, k), factor[2];
    const REAL *a = (const REAL *)a_, *b = (const REAL *)b_;
    memcpy(factor, &alpha, sizeof factor);
    for (int64_t j0 = 0; j0 < n; j0 += CPX_COLUMNS)
        for (int64_t k0 = 0; k0 < k; k0 += CPX_TERMS) {
            const int64_t nn = LEAST(n - j0, CPX_COLUMNS), kk = LEAST(k - k0, CPX_TERMS), whole = 2 * nn / WIDTH * WIDTH;
            NAME(pack_turns)(room, kk, nn, b + 2 * (k0 * brs + j0 * bcs), brs, bcs, factor[0], factor[1]);
            for (int64_t i0 = 0; i0 < m; i0 += CPX_ROWS) {
                const int64_t mm = LEAST(m - i0, CPX_ROWS);
                const REAL *rows = a + 2 * (i0 * ars + k0 * acs);
                int64_t apart = 2 * ars;
                if (acs != 1) {
                    apart = APART(kk);
                    for (int64_t i = 0; i < mm; i++)
                        for (int64_t l = 0; l < kk; l++)
                            memcpy(pa + i * apart + 2 * l, rows + 2 * (i * ars + l * acs), 2 * sizeof(REAL));
                    rows = pa;
                }
                REAL_NAME(products)(c + 2 * (i0 * crs + j0), 2 * crs, mm, 2 * nn, 2 * kk, rows, 1, apart, room, 2 * kk * WIDTH, WIDTH,
                                    room + whole * 2 * kk, NULL, add || k0);
            }
        }
}
#undef WIDTH
#undef APART
#undef SWAPPED
#undef SIGNS
