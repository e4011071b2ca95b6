/* One step of a recurrent cell for one row of the batch, forward and backward: included once per dtype, after rows.h and tiles.h.
 *
 *   LSTM   a = [i f g o]   c' = f c + i g                  h' = o tanh(c')
 *   GRU    a = [r z n q]   n = tanh(n + r q)               h' = n + z (h - n)
 *   RNN    a               h' = tanh(a) or max(a, 0)
 *
 * a comes as sums and is left as activated gates, which the backward functions read (q = W_hn h + b_hn stays a sum).
 * They write d, the gradient of those sums, and turn dh and dc into what flows on past the cell, products with weights
 * left out.  Every function is a few passes over H neighbours, each of which the compiler makes vectors of.
 */
#ifndef TAEDA_CELLS_H
#define TAEDA_CELLS_H
/* As formulas.h's, without what only arguments outside of these functions' ranges need: a third less time. */
static inline float t_gate_f32(float x) {                   /* sigmoid(x) */
    const float e = t_exp_neg_f32(-fabsf(x));
    return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}
static inline double t_gate_f64(double x) {
    const double e = t_exp_neg_f64(-fabs(x));
    return (x < 0.0 ? e : 1.0) / (1.0 + e);
}
#endif

#define EACH(n) for (int64_t j = 0; j < (n); j++)

LOCAL void NAME(lstm_row)(T *restrict a, T *restrict c, T *restrict h, int64_t H) {
    T *restrict g = a + 2 * H, *restrict o = a + 3 * H;
    EACH(2 * H) a[j] = NAME(t_gate)(a[j]);
    EACH(H) g[j] = NAME(t_tanh)(g[j]);
    EACH(H) o[j] = NAME(t_gate)(o[j]);
    EACH(H) c[j] = a[H + j] * c[j] + a[j] * g[j];
    EACH(H) h[j] = o[j] * NAME(t_tanh)(c[j]);
}

LOCAL void NAME(lstm_row_backward)(T *restrict d, const T *restrict a, const T *restrict c0, const T *restrict c,
                                   const T *restrict dh, T *restrict dc, int64_t H) {
    const T *restrict f = a + H, *restrict g = a + 2 * H, *restrict o = a + 3 * H;
    EACH(H) {
        const T t = NAME(t_tanh)(c[j]);
        dc[j] += dh[j] * o[j] * (1 - t * t);
        d[3 * H + j] = dh[j] * t * o[j] * (1 - o[j]);
    }
    EACH(H) {
        d[j] = dc[j] * g[j] * a[j] * (1 - a[j]);
        d[H + j] = dc[j] * c0[j] * f[j] * (1 - f[j]);
        d[2 * H + j] = dc[j] * a[j] * (1 - g[j] * g[j]);
        dc[j] *= f[j];
    }
}

LOCAL void NAME(gru_row)(T *restrict a, T *restrict h, int64_t H) {
    const T *restrict z = a + H, *restrict q = a + 3 * H;
    T *restrict n = a + 2 * H;
    EACH(2 * H) a[j] = NAME(t_gate)(a[j]);
    EACH(H) {
        n[j] = NAME(t_tanh)(n[j] + a[j] * q[j]);
        h[j] = n[j] + z[j] * (h[j] - n[j]);
    }
}

/* d = [dr dz dn dq]: dq is n's gradient times r */
LOCAL void NAME(gru_row_backward)(T *restrict d, const T *restrict a, const T *restrict h0, T *restrict dh, int64_t H) {
    const T *restrict z = a + H, *restrict n = a + 2 * H, *restrict q = a + 3 * H;
    EACH(H) {
        const T dn = dh[j] * (1 - z[j]) * (1 - n[j] * n[j]);
        d[j] = dn * q[j] * a[j] * (1 - a[j]);
        d[H + j] = dh[j] * (h0[j] - n[j]) * z[j] * (1 - z[j]);
        d[2 * H + j] = dn;
        d[3 * H + j] = dn * a[j];
        dh[j] *= z[j];
    }
}

LOCAL void NAME(tanh_row)(T *restrict a, T *restrict h, int64_t H) {
    EACH(H) h[j] = a[j] = NAME(t_tanh)(a[j]);
}

LOCAL void NAME(tanh_row_backward)(T *restrict d, const T *restrict a, const T *restrict dh, int64_t H) {
    EACH(H) d[j] = dh[j] * (1 - a[j] * a[j]);
}

LOCAL void NAME(relu_row)(T *restrict a, T *restrict h, int64_t H) {
    EACH(H) h[j] = a[j] = a[j] < 0 ? 0 : a[j];              /* NaN stays */
}

LOCAL void NAME(relu_row_backward)(T *restrict d, const T *restrict a, const T *restrict dh, int64_t H) {
    EACH(H) d[j] = a[j] <= 0 ? 0 : dh[j];
}

/* an LSTM's hidden state before its projection, from what was kept */
LOCAL void NAME(lstm_hidden)(T *restrict h, const T *restrict o, const T *restrict c, int64_t H) {
    EACH(H) h[j] = o[j] * NAME(t_tanh)(c[j]);
}

LOCAL void NAME(add_row)(T *restrict d, const T *restrict s, int64_t n) {
    EACH(n) d[j] += s[j];
}

LOCAL T NAME(total)(const T *x, int64_t n) {
    T s[8] = {0};
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int j = 0; j < 8; j++) s[j] += x[i + j];
    for (; i < n; i++) s[0] += x[i];
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}
#undef EACH
