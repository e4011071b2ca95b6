/* What kernels/cpu/lapack looks for and writes in column-major matrices: included once per dtype, with T (a real type), PARTS (1, or 2 of
 * complex numbers) and, from tiles.h, NAME and LOCAL.
 */

/* Whether a matrix holds nan (2), else inf (1), else 0; part 1 looks above the diagonal, -1 below, 0 everywhere. */
LOCAL int NAME(flaw)(const T *x, int64_t n, int64_t ld, int64_t columns, int part) {
    int found = 0;
    for (int64_t j = 0; j < columns; j++) {
        const int64_t first = part < 0 ? PARTS * j : 0, last = PARTS * (part > 0 ? j + 1 : n);
        for (int64_t i = first; i < last; i++) {
            const T v = x[PARTS * j * ld + i];
            if (v != v) return 2;
            if (v - v != 0) found = 1;
        }
    }
    return found;
}

LOCAL void NAME(identity)(T *x, int64_t m, int64_t n) {
    memset(x, 0, m * n * PARTS * sizeof(T));
    for (int64_t i = 0; i < m && i < n; i++) x[PARTS * (i * m + i)] = 1;
}

/* Write zeros above the diagonal, or below it. */
LOCAL void NAME(clear)(T *a, int64_t n, int above) {
    for (int64_t j = 0; j < n; j++) {
        if (above) memset(a + PARTS * j * n, 0, j * PARTS * sizeof(T));
        else memset(a + PARTS * (j * n + j + 1), 0, (n - 1 - j) * PARTS * sizeof(T));
    }
}

#if PARTS == 1
/* Complex eigenvectors from geev's real ones: columns j, j+1 hold re and im of a conjugate pair. */
LOCAL void NAME(unpack)(const T *v, const T *wi, T *out, int64_t n) {
    for (int64_t j = 0; j < n; j++) {
        const int pair = wi[j] != 0;
        for (int64_t i = 0; i < n; i++) {
            out[2 * (j * n + i)] = v[j * n + i];
            out[2 * (j * n + i) + 1] = pair ? v[(j + 1) * n + i] : 0;
        }
        if (!pair) continue;
        for (int64_t i = 0; i < n; i++) {
            out[2 * ((j + 1) * n + i)] = v[j * n + i];
            out[2 * ((j + 1) * n + i) + 1] = -v[(j + 1) * n + i];
        }
        j++;
    }
}
#endif
