/* Moving elements from one layout to another: what a copy within a dtype, cat, flip, roll, repeat and pad come down to.
 *
 *     move(y, x): y[i] = x[i], x broadcast to y's shape; an element is 1 to 16 bytes that nobody looks into.
 *
 * a. Plan. Dimensions of size 1 are dropped, the others sorted by y's strides, innermost first, and merged where both
 *    sides allow. A short contiguous run of 2, 4, 8 or 16 bytes becomes the element.
 * b. The two innermost dimensions, I along y and J, are a plane; if x does not run along I, J is the dimension along
 *    which x has its smallest stride. What there is to do on a plane is settled once:
 *      RUN      both run along I: rows are copied.
 *      FILL     x is one element along I.
 *      TURN     y runs along I, x along J: square tiles of 16-byte vectors are transposed in registers. A block of a
 *               plane too large for the first-level cache is put together in a buffer, up to 128 rows of 512 bytes, so
 *               that memory is written in whole lines and read row by row whatever its strides: with strides of a
 *               power of two a block of lines would not stay in a cache of eight ways.
 *      WEAVE    y takes 2, 3 or 4 rows of x in turn (few channels last, pixel_shuffle); UNWEAVE is its inverse.
 *      REVERSE  x runs backwards along I, which is not short.
 *      STRIDED  anything else, element by element.
 * c. Planes are cut into blocks of about 64 KiB; threads take equal shares of all blocks. Nothing is computed, so the
 *    cut changes no result.
 * d. Results of 16 MiB and more are written past the caches (non-temporal stores), which spares reading the lines that
 *    are overwritten: a 64 MiB copy takes 5.5 instead of 10 ms. Fills are rep stos for the same reason.
 *
 * The limit is memory: 64 MiB to 64 MiB. A 4096 x 4096 float transpose reaches half of the copy's rate, channels last
 * and back two thirds.
 */
#ifndef TAEDA_MOVE_H
#define TAEDA_MOVE_H
#include "abi.h"
#include "few_bytes.h"
#include "planes.h"
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { MOVE_RUN, MOVE_FILL, MOVE_TURN, MOVE_WEAVE, MOVE_UNWEAVE, MOVE_REVERSE, MOVE_STRIDED };
enum {
    MOVE_GRAIN = 1 << 17,        /* bytes below which threads do not pay */
    MOVE_BLOCK = 1 << 16,        /* bytes of a unit of work */
    MOVE_STREAM = 1 << 24,       /* bytes of a result that no cache would keep */
    MOVE_SHORT = 8,              /* elements below which a dimension is too short to run along */
    TURN_X = 512, TURN_Y = 512,  /* bytes of a block's rows in x and in y */
    TURN_ROWS = 128,             /* of a block, at most */
    TURN_CACHED = 1 << 15,       /* bytes of a plane up to which it is turned without a buffer, */
    TURN_DIRECT = 128            /* and of a row */
};

typedef struct {
    int nd, kind, stream;
    int64_t e;                                                      /* bytes of an element */
    int64_t n[TAEDA_MAX_DIM + 2], ys[TAEDA_MAX_DIM + 2], xs[TAEDA_MAX_DIM + 2];    /* strides in bytes */
    int64_t bi, bj, ni, nj;                                         /* sizes and numbers of the blocks of a plane */
    char *y;
    const char *x;
} Move;

/* -- rows ------------------------------------------------------------------------------------------------ */

/* memcpy is left to what is long and equally aligned: where it ends in rep movsb, other alignments take ten times as
 * long on some processors (Zen 3: 1.8 us for 4 KB). */
static inline void copy_row(char *y, const char *x, int64_t n) {
    if (n > 1024 && ((uintptr_t)y - (uintptr_t)x) % 64 == 0) {
        memcpy(y, x, n);
    } else if (n >= 64) {                       /* the last 64 bytes may overlap those before */
        for (int64_t i = 0;; i = i + 128 <= n ? i + 64 : n - 64) {
            const U256 a = *(const U256 *)(x + i), b = *(const U256 *)(x + i + 32);
            *(U256 *)(y + i) = a;
            *(U256 *)(y + i + 32) = b;
            if (i == n - 64) break;
        }
    } else if (n >= 32) {
        const U256 a = *(const U256 *)x, b = *(const U256 *)(x + n - 32);
        *(U256 *)y = a;
        *(U256 *)(y + n - 32) = b;
    } else if (n >= 16) {
        const U128 a = *(const U128 *)x, b = *(const U128 *)(x + n - 16);
        *(U128 *)y = a;
        *(U128 *)(y + n - 16) = b;
    } else if (n >= 8) {
        const uint64_t a = *(const U64 *)x, b = *(const U64 *)(x + n - 8);
        *(U64 *)y = a;
        *(U64 *)(y + n - 8) = b;
    } else if (n >= 4) {
        const uint32_t a = *(const U32 *)x, b = *(const U32 *)(x + n - 4);
        *(U32 *)y = a;
        *(U32 *)(y + n - 4) = b;
    } else {
        for (int64_t i = 0; i < n; i++) y[i] = x[i];
    }
}

/* The whole lines of y past the caches. */
static inline void stream_row(char *y, const char *x, int64_t n) {
#ifdef __SSE2__
    int64_t i = -(intptr_t)y & 63;
    if (n < 256) i = n;
    copy_row(y, x, i);
    for (; i + 64 <= n; i += 64) {
        const __m128i a = _mm_loadu_si128((const __m128i *)(x + i)), b = _mm_loadu_si128((const __m128i *)(x + i + 16));
        const __m128i c = _mm_loadu_si128((const __m128i *)(x + i + 32)), d = _mm_loadu_si128((const __m128i *)(x + i + 48));
        _mm_stream_si128((__m128i *)(y + i), a);
        _mm_stream_si128((__m128i *)(y + i + 16), b);
        _mm_stream_si128((__m128i *)(y + i + 32), c);
        _mm_stream_si128((__m128i *)(y + i + 48), d);
    }
    copy_row(y + i, x + i, n - i);
#else
    copy_row(y, x, n);
#endif
}

/* What was written past the caches is there for other threads too. */
static inline void stream_end(void) {
#ifdef __SSE2__
    _mm_sfence();
#endif
}

/* The element at x, of up to 8 bytes, again and again. */
static inline uint64_t word_of(const char *x, int64_t e) {
    switch (e) {
    case 1: return *(const U8 *)x * 0x0101010101010101u;
    case 2: return *(const U16 *)x * 0x0001000100010001u;
    case 4: return *(const U32 *)x * 0x0000000100000001u;
    default: return *(const U64 *)x;
    }
}

static inline void fill_words(char *y, uint64_t word, int64_t n) {
#ifdef __x86_64__
    if (n >= 8192) {
        int64_t words = n / 8;
        __asm__ volatile("rep stosq" : "+D"(y), "+c"(words) : "a"(word) : "memory");
        n &= 7;
    }
#endif
    if (n >= 32) {              /* the first and last 32 bytes may overlap others, which begin at 32: an element's size divides n */
        const U256 four = {word, word, word, word};
        const int64_t first = n < 256 ? 32 : 32 - ((uintptr_t)y & 31);
        const int turn = 8 * (first & 7);
        const uint64_t on = turn ? word >> turn | word << (64 - turn) : word;
        const U256 those = {on, on, on, on};
        *(U256 *)y = four;
        for (int64_t i = first; i < n - 32; i += 32) *(U256 *)(y + i) = those;
        *(U256 *)(y + n - 32) = four;
    } else if (n >= 8) {
        for (int64_t i = 0; i < n - 8; i += 8) *(U64 *)(y + i) = word;
        *(U64 *)(y + n - 8) = word;
    } else {
        if (n & 4) *(U32 *)y = (uint32_t)word, y += 4;
        if (n & 2) *(U16 *)y = (uint16_t)word, y += 2;
        if (n & 1) *y = (char)word;
    }
}

static inline void fill_row(char *y, const char *x, int64_t n, int64_t e) {
    if (e == 16) {
        const U128 v = *(const U128 *)x;
        for (int64_t i = 0; i < n; i += 16) *(U128 *)(y + i) = v;
    } else {
        fill_words(y, word_of(x, e), n);
    }
}

/* -- planes ---------------------------------------------------------------------------------------------- */

static void turn_plane(const Move *m, char *y, const char *x, int64_t I, int64_t J) {
    const int64_t ys = m->ys[1], xs = m->xs[0], row = I * m->e;
    if (row <= TURN_DIRECT || I * J * m->e <= TURN_CACHED && m->ni * m->nj == 1) {
        BY_SIZE(m->e, block, y, ys, x, xs, I, J)
        return;
    }
    _Alignas(64) char room[(TURN_ROWS + 16) * (TURN_Y + 144)];       /* the last block of a side takes the rest in */
    const int64_t pitch = (row + 63) / 64 * 64 + 64;                    /* rows begin in different sets of the cache */
    BY_SIZE(m->e, block, room, pitch, x, xs, I, J)
    for (int64_t j = 0; j < J; j++) {
        if (m->stream) stream_row(y + j * ys, room + j * pitch, row);
        else copy_row(y + j * ys, room + j * pitch, row);
    }
}

/* J rows of n bytes.  Short ones behind each other in y take a load and a store each: what is stored behind a row, the next one
 * overwrites; what is loaded behind one is its neighbour's, so that the first and the last are copied as they are. */
#define SHORT_ROWS(V) for (; j < J - 1; j++) { const V row = *(const V *)(x + j * xt); *(V *)(y + j * yt) = row; }
static void copy_rows(char *y, int64_t yt, const char *x, int64_t xt, int64_t n, int64_t J) {
    int64_t j = 0;
    if (n > 2 && n < 32 && yt == n && (xt >= n || xt <= -n)) {
        copy_row(y, x, n);
        j = 1;
        if (n <= 4) SHORT_ROWS(U32)
        else if (n <= 8) SHORT_ROWS(U64)
        else if (n <= 16) SHORT_ROWS(U128)
        else SHORT_ROWS(U256)
    }
    if (n <= 64) rows_of_bytes(y + j * yt, yt, x + j * xt, xt, n, J - j);
    else for (; j < J; j++) copy_row(y + j * yt, x + j * xt, n);
}

/* J rows of n bytes, each one element again and again. */
static void fill_rows(char *y, int64_t yt, const char *x, int64_t xt, int64_t n, int64_t e, int64_t J) {
    if (e == 16 || n < 16 || n >= 256) {
        for (int64_t j = 0; j < J; j++) fill_row(y + j * yt, x + j * xt, n, e);
        return;
    }
    for (int64_t j = 0; j < J; j++, x += xt, y += yt) {
        const uint64_t word = word_of(x, e);
        const U128 two = {word, word};
        const U256 four = {word, word, word, word};
        if (n < 32) {
            *(U128 *)y = *(U128 *)(y + n - 16) = two;
        } else {
            for (int64_t i = 0; i < n - 32; i += 32) *(U256 *)(y + i) = four;
            *(U256 *)(y + n - 32) = four;
        }
    }
}

/* J rows of n elements turned round.  What goes past the caches is turned round in a buffer first. */
static void reverse_rows(const Move *m, char *y, int64_t yt, const char *x, int64_t xt, int64_t n, int64_t J) {
    _Alignas(64) char room[4096];
    const int64_t e = m->e, most = sizeof room / e;
    if (!m->stream) {
        BY_SIZE(e, reverse, y, yt, x, xt, n, J)
        return;
    }
    for (int64_t j = 0; j < J; j++, y += yt, x += xt)
        for (int64_t i = (n - 1) / most * most; i >= 0; i -= most) {        /* upwards in x, too */
            const int64_t k = n - i < most ? n - i : most;
            BY_SIZE(e, reverse, room, 0, x - i * e, 0, k, 1)
            stream_row(y + i * e, room, k * e);
        }
}

static inline void plane(const Move *m, char *y, const char *x, int64_t I, int64_t J) {
    const int64_t e = m->e, ys = m->ys[0], yt = m->ys[1], xs = m->xs[0], xt = m->xs[1];
    switch (m->kind) {
    case MOVE_RUN:
        if (m->stream)
            for (int64_t j = 0; j < J; j++) stream_row(y + j * yt, x + j * xt, I * e);
        else
            copy_rows(y, yt, x, xt, I * e, J);
        break;
    case MOVE_FILL:
        fill_rows(y, yt, x, xt, I * e, e, J);
        break;
    case MOVE_REVERSE:
        reverse_rows(m, y, yt, x, xt, I, J);
        break;
    case MOVE_TURN: turn_plane(m, y, x, I, J); break;
    case MOVE_WEAVE: BY_SIZE(e, weave, y, x, xs, I, J) break;
    case MOVE_UNWEAVE: BY_SIZE(e, unweave, y, yt, x, I, J) break;
    default: BY_SIZE(e, strided, y, ys, yt, x, xs, xt, I, J)
    }
}

/* -- the plan ---------------------------------------------------------------------------------------------- */

static inline int64_t distance(int64_t s) { return s < 0 ? -s : s; }

static inline void swap_dims(Move *m, int a, int b) {
    const int64_t n = m->n[a], y = m->ys[a], x = m->xs[a];
    m->n[a] = m->n[b], m->ys[a] = m->ys[b], m->xs[a] = m->xs[b];
    m->n[b] = n, m->ys[b] = y, m->xs[b] = x;
}

static void move_dims(Move *m, const View *y, const View *x) {
    m->nd = 0;
    m->e = y->itemsize;
    m->y = y->data;
    m->x = x->data;
    for (int d = y->ndim - 1; d >= 0; d--) {
        if (y->shape[d] == 1) continue;
        const int f = d - (y->ndim - x->ndim), at = m->nd++;
        m->n[at] = y->shape[d];
        m->ys[at] = y->strides[d] * m->e;
        m->xs[at] = f < 0 || x->shape[f] == 1 ? 0 : x->strides[f] * m->e;
    }
    for (int i = 1; i < m->nd; i++)
        for (int j = i; j > 0 && m->ys[j] && distance(m->ys[j - 1]) > distance(m->ys[j]); j--) swap_dims(m, j - 1, j);
    int last = 0;
    for (int d = 1; d < m->nd; d++) {
        if (m->ys[d] == m->ys[last] * m->n[last] && m->xs[d] == m->xs[last] * m->n[last]) m->n[last] *= m->n[d];
        else if (++last != d) swap_dims(m, last, d);
    }
    m->nd = m->nd ? last + 1 : 0;
    const int64_t run = m->nd > 1 && m->ys[0] == m->e && m->xs[0] == m->e ? m->n[0] * m->e : 0;
    if (run == 2 || run == 4 || run == 8 || run == 16) {
        m->e = run;
        for (int d = 1; d < m->nd; d++) swap_dims(m, d - 1, d);
        m->nd--;
    }
    for (; m->nd < 2; m->nd++) m->n[m->nd] = 1, m->ys[m->nd] = m->xs[m->nd] = m->e;
}

/* Put the dimension along which x has its smallest stride second, counted upwards. */
static void move_second(Move *m) {
    int k = 1;
    for (int d = 2; d < m->nd; d++)
        if (m->xs[d] && (m->xs[k] == 0 || distance(m->xs[d]) < distance(m->xs[k]))) k = d;
    for (; k > 1; k--) swap_dims(m, k - 1, k);
    if (m->xs[1] < 0) {
        m->x += (m->n[1] - 1) * m->xs[1], m->xs[1] = -m->xs[1];
        m->y += (m->n[1] - 1) * m->ys[1], m->ys[1] = -m->ys[1];
    }
}

static void move_kind(Move *m) {
    const int64_t e = m->e, lanes = 16 / e, dense = m->ys[0] == e;
    m->kind = MOVE_STRIDED;
    if (dense && m->xs[0] == e) {
        m->kind = MOVE_RUN;
    } else if (dense && m->xs[0] == -e && (m->n[0] >= MOVE_SHORT || m->n[1] <= m->n[0])) {
        m->kind = MOVE_REVERSE;
    } else if (dense && m->xs[0] == 0 && m->n[0] * e >= 16) {
        m->kind = MOVE_FILL;
    } else {
        move_second(m);
        const int64_t I = m->n[0], J = m->n[1], x_dense = m->xs[1] == e;
        if (dense && x_dense && I <= 4 && m->ys[1] == I * e) m->kind = MOVE_WEAVE;
        else if (dense && x_dense && J >= 2 && J <= 4 && m->xs[0] == J * e) m->kind = MOVE_UNWEAVE;
        else if (dense && x_dense && I >= lanes && J >= lanes && J > 1) m->kind = MOVE_TURN;
        else if (I < MOVE_SHORT && J > I && m->xs[1] && (distance(m->xs[1]) < distance(m->xs[0]) || m->xs[0] == -e)) swap_dims(m, 0, 1);
    }
}

/* How many blocks of b there are in n; the last one takes a rest in that is smaller than `least`. */
static inline int64_t blocks(int64_t n, int64_t b, int64_t least) {
    return n <= b ? 1 : n / b + (n % b >= least);
}

static void move_blocks(Move *m, int64_t bytes, int threads) {
    const int64_t e = m->e, I = m->n[0], J = m->n[1];
    int64_t least = 1;
    if (m->kind == MOVE_TURN) {
        m->bi = TURN_Y / e, m->bj = TURN_X / e < TURN_ROWS ? TURN_X / e : TURN_ROWS, least = 16 / e;
    } else if (m->kind == MOVE_STRIDED && J > 1 && distance(m->xs[1]) < distance(m->xs[0])) {
        m->bi = m->bj = 32;
    } else {
        m->bi = I * e > 2 * MOVE_BLOCK && threads > 1 ? MOVE_BLOCK / e : I;
        m->bj = 1 + MOVE_BLOCK / (m->bi * e);
    }
    if (m->kind == MOVE_UNWEAVE) m->bj = J, m->bi = 1 + MOVE_BLOCK / (J * e);
    m->ni = blocks(I, m->bi, least);
    m->nj = blocks(J, m->bj, least);
    m->stream = bytes >= MOVE_STREAM && m->ys[0] == e && (I < m->bi ? I : m->bi) * e >= 256;
}

/* -- the walk ----------------------------------------------------------------------------------------------- */

static void move_units(const Move *m, int64_t from, int64_t to) {
    int64_t at[TAEDA_MAX_DIM + 2], rest = from / (m->ni * m->nj), b = from % (m->ni * m->nj);
    int64_t ib = b % m->ni, jb = b / m->ni;
    char *y = m->y;
    const char *x = m->x;
    for (int d = 2; d < m->nd; d++) {
        at[d] = rest % m->n[d];
        rest /= m->n[d];
        y += at[d] * m->ys[d];
        x += at[d] * m->xs[d];
    }
    for (int64_t u = from; u < to; u++) {
        const int64_t i = ib * m->bi, j = jb * m->bj;
        plane(m, y + i * m->ys[0] + j * m->ys[1], x + i * m->xs[0] + j * m->xs[1], ib == m->ni - 1 ? m->n[0] - i : m->bi,
              jb == m->nj - 1 ? m->n[1] - j : m->bj);
        if (++ib < m->ni) continue;
        ib = 0;
        if (++jb < m->nj) continue;
        jb = 0;
        for (int d = 2; d < m->nd; d++) {
            y += m->ys[d];
            x += m->xs[d];
            if (++at[d] < m->n[d]) break;
            y -= m->n[d] * m->ys[d];
            x -= m->n[d] * m->xs[d];
            at[d] = 0;
        }
    }
    if (m->stream) stream_end();
}

/* y[i] = x[i]: views of one element size that do not overlap, x broadcast to y. */
static void move(const View *y, const View *x, int threads) {
    const int64_t bytes = y->numel * y->itemsize;
    Move m;
    if (bytes == 0) return;
    if (bytes <= MOVE_BLOCK && y->contiguous && x->contiguous && x->numel == y->numel) {
        memcpy(y->data, x->data, bytes);
        return;
    }
    move_dims(&m, y, x);
    move_kind(&m);
    move_blocks(&m, bytes, threads);
    int64_t units = m.ni * m.nj;
    for (int d = 2; d < m.nd; d++) units *= m.n[d];
    if (bytes <= MOVE_GRAIN || threads == 1 || units == 1) {
        move_units(&m, 0, units);
        return;
    }
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int t = 0; t < threads; t++) move_units(&m, units * t / threads, units * (t + 1) / threads);
}
#endif
