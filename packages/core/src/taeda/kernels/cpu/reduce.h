/* The driver of reductions: walks memory in tiles for a ``Spec`` of four small functions over an array
 * of m accumulators.
 *
 * a. Dimensions of size 1 are dropped, neighbours that lie regularly in memory are joined.  Of the kept
 *    dimensions the one with the smallest stride makes the columns of a tile, of the reduced ones the one
 *    with the smallest stride makes its rows; the others are walked around it.
 * b. Tiles of many short rows are turned first, so that their rows become columns: four times faster at
 *    4 elements a row.
 * c. A tile of few columns whose rows touch is read as one of k times as many columns, and the k parts
 *    are merged, halves into halves: lanes stay full.
 * d. float16 and bfloat16, where a Spec does not read them itself, go through float32's Spec: patches are widened into
 *    a buffer that stays in the cache, and results rounded at the end.  Widening the whole input first took three times
 *    as long as the sum.  Rows whose elements lie apart are gathered into the same buffer, since vectors pay for that.
 * e. Work is cut by shapes alone: tiles of outputs (narrower ones where rows lie along memory) and, where
 *    those are few, segments of the reduced elements, whose accumulators are merged in order.  Hence the
 *    same bits for any number of threads.
 */
#ifndef TAEDA_REDUCE_H
#define TAEDA_REDUCE_H
#include <stdint.h>
#include <string.h>
#include "loops.h"
#include "narrow.h"

enum {
    REDUCE_TILE = 1024,     /* columns, at most */
    REDUCE_NARROW = 256,    /* columns that narrow rows are read as */
    REDUCE_PARTED = 16,     /* rows, at least, of each part that they are read in: parts are merged one by one */
    REDUCE_LINE = 320,      /* elements up to which lines are taken side by side */
    REDUCE_ROWS = 64,       /* columns are added up in runs of so many rows */
    REDUCE_ACC = 24,        /* most bytes of one accumulator */
    REDUCE_FEW = 8,         /* columns of a tile of few rows (14 of two or three) below which a longer dimension makes the columns */
    REDUCE_SHORT = 16,      /* rows up to here are turned into columns (16 of 8 bytes are vectors enough as they are), columns go through few */
    REDUCE_SMALL = 8192,    /* a contiguous tensor up to here becomes one number without any planning */
    REDUCE_THREADS = 32768, /* elements below which a second thread costs more than it brings */
    REDUCE_SEGMENT = 16384, /* fewest elements worth a segment of their own; of bytes four times as many */
    REDUCE_PATCH = 32768,   /* bytes of a patch, the first-level cache */
    REDUCE_ALONG = 8192,    /* of one that is filled with rows: what they are read from passes through the cache too */
    REDUCE_ACROSS = 512,    /* columns, at most, of a patch of halves whose rows lie along memory */
    REDUCE_UNITS = 32       /* cut into about so many units when outputs alone give fewer */
};

typedef struct {
    int64_t bytes;   /* of one accumulator */
    int64_t ordered; /* 1: needs base, so rows may not be taken side by side */
    void (*init)(void *acc, int64_t m);
    /* take in elements (i, j) = x[i*sn + j*sm], i < n, j < m; base is the reduced index of row 0 */
    void (*tile)(const char *x, int64_t n, int64_t sn, int64_t m, int64_t sm, void *acc, int64_t base,
                 const Param *p);
    void (*merge)(void *acc, const void *other, int64_t m);
    /* write m results to out[..] from element ``at`` on, ``so`` elements apart; count were reduced */
    void (*finish)(const void *acc, int64_t m, char *const *out, int64_t at, int64_t so, int64_t count,
                   const Param *p);
    /* results of m columns that lie side by side, of n rows that are all there is; NULL: tile and finish do it */
    void (*few)(const char *x, int64_t n, int64_t sn, int64_t m, char *const *out, int64_t at, const Param *p);
} Spec;

typedef struct {
    int n;
    int64_t size[TAEDA_MAX_DIM], in[TAEDA_MAX_DIM], out[TAEDA_MAX_DIM];
} ReduceDims;

typedef struct {
    const Spec *spec;
    const Param *p;
    const char *x;
    char *out[2];
    char *partial; /* accumulators of all units, or NULL where a unit is a whole tile */
    int half;      /* 0, or the dtype code of a float16 or bfloat16 input whose Spec is float32's */
    int64_t itemsize, count, segments, segment, tile, tiles;
    int64_t m, sm, so; /* columns: how many, strides in the input and the output */
    int64_t n, sn;     /* rows of a tile */
    int few;           /* the Spec has a way for tiles like these */
    ReduceDims kept, reduced; /* the dimensions around the tile */
} Reduction;

static inline int64_t reduce_abs(int64_t a) { return a < 0 ? -a : a; }
/* How far apart the elements of a dimension lie, for choosing the nearest; one that is repeated comes last. */
static inline int64_t reduce_apart(int64_t stride) { return stride ? reduce_abs(stride) : INT64_MAX; }
static inline int64_t reduce_min(int64_t a, int64_t b) { return a < b ? a : b; }

static inline void reduce_add_dim(ReduceDims *d, int64_t size, int64_t in, int64_t out) {
    const int last = d->n - 1;
    if (last >= 0 && d->in[last] == in * size && d->out[last] == out * size) {
        d->size[last] *= size;
        d->in[last] = in;
        d->out[last] = out;
    } else {
        d->size[d->n] = size;
        d->in[d->n] = in;
        d->out[d->n++] = out;
    }
}

/* The reduced dimensions, outermost first; where their order does not matter, as they lie in memory, so that a permuted
 * tensor is one run.  Returns how many there are. */
static inline int reduce_list_dims(const View *x, const View *y, int ordered, int *dims) {
    int n = 0;
    for (int d = 0; d < x->ndim; d++) {
        if (y->shape[d] == x->shape[d]) continue;
        int at = n++;
        for (; !ordered && at > 0 && reduce_apart(x->strides[dims[at - 1]]) < reduce_apart(x->strides[d]); at--) dims[at] = dims[at - 1];
        dims[at] = d;
    }
    return n;
}

/* Take out the dimension with the smallest stride, the last of equals; if that has less than ``few`` elements, the longest. */
static inline void reduce_take_dim(ReduceDims *d, int64_t few, int64_t *size, int64_t *in, int64_t *out) {
    int best = 0;
    *size = 1;
    *in = *out = 0;
    if (d->n == 0) return;
    for (int i = 1; i < d->n; i++)
        if (reduce_apart(d->in[i]) <= reduce_apart(d->in[best])) best = i;
    if (d->size[best] < few)
        for (int i = 0; i < d->n; i++)
            if (d->size[i] > d->size[best]) best = i;
    *size = d->size[best];
    *in = d->in[best];
    *out = d->out[best];
    d->n--;
    for (int i = best; i < d->n; i++) {
        d->size[i] = d->size[i + 1];
        d->in[i] = d->in[i + 1];
        d->out[i] = d->out[i + 1];
    }
}

static inline void reduce_offsets(const ReduceDims *d, int64_t index, int64_t *in, int64_t *out) {
    for (int i = d->n - 1; i >= 0; i--) {
        const int64_t at = index % d->size[i];
        *in += at * d->in[i];
        *out += at * d->out[i];
        index /= d->size[i];
    }
}

/* Offsets of tile v in the input and the output; returns how many columns it has. */
static inline int64_t reduce_locate(const Reduction *r, int64_t v, int64_t *in, int64_t *out) {
    const int64_t j = v % r->tiles * r->tile;
    *in = j * r->sm;
    *out = j * r->so;
    reduce_offsets(&r->kept, v / r->tiles, in, out);
    return reduce_min(r->tile, r->m - j);
}

#define REDUCE_GATHER(T) \
    do { \
        T *y = (T *)to; \
        const T *v = (const T *)x; \
        if (s == 2) for (int64_t i = 0; i < n; i++) y[i] = v[2 * i]; \
        else for (int64_t i = 0; i < n; i++) y[i] = v[i * s]; \
    } while (0)

typedef struct { uint64_t re, im; } ReducePair;

/* n elements at x, s apart, as the Spec reads them */
static inline void reduce_fetch(const Reduction *r, char *restrict to, const char *restrict x, int64_t s, int64_t n) {
    if (r->half) widen(r->half, to, x, s, n);
    else if (r->itemsize == 2) REDUCE_GATHER(uint16_t);
    else if (r->itemsize == 4) REDUCE_GATHER(uint32_t);
    else if (r->itemsize == 8) REDUCE_GATHER(uint64_t);
    else REDUCE_GATHER(ReducePair);
}

/* The tile at x, patch by patch: halves, or 2, 4 or 8 bytes that lie apart. */
static void reduce_patches(const Reduction *r, const char *x, int64_t n, int64_t sn, int64_t m, int64_t sm, char *acc, int64_t base) {
    _Alignas(64) char patch[REDUCE_PATCH];
    const Spec *s = r->spec;
    const int64_t from = r->itemsize, size = r->half ? 4 : from;
    if (m > 1 && sn != 1 && (sm == 1 || sn == m * sm || (m >= REDUCE_SHORT && reduce_apart(sm) < reduce_apart(sn)))) {
        /* rows lie along memory: a few columns of some of them at a time */
        for (int64_t c = 0; c < m; c += REDUCE_ACROSS) {
            const int64_t width = reduce_min(REDUCE_ACROSS, m - c);
            const int64_t most = reduce_min(REDUCE_PATCH / (width * size), REDUCE_ROWS);
            for (int64_t i = 0; i < n; i += most) {
                const int64_t rows = reduce_min(most, n - i);
                if (sn == width * sm) reduce_fetch(r, patch, x + i * sn * from, sm, rows * width);
                else for (int64_t k = 0; k < rows; k++)
                    reduce_fetch(r, patch + k * width * size, x + ((i + k) * sn + c * sm) * from, sm, width);
                s->tile(patch, rows, width, width, 1, acc + c * s->bytes, base + i, r->p);
            }
        }
        return;
    }
    const int64_t most = REDUCE_ALONG / size, run = reduce_min(n, most), columns = run ? most / run : 1;
    for (int64_t j = 0; j < m; j += columns) {
        const int64_t k = reduce_min(columns, m - j);
        for (int64_t i = 0; i < n; i += run) {
            const int64_t length = reduce_min(run, n - i);
            for (int64_t c = 0; c < k; c++)
                reduce_fetch(r, patch + c * length * size, x + ((j + c) * sm + i * sn) * from, sn, length);
            s->tile(patch, length, 1, k, length, acc + j * s->bytes, base + i, r->p);
        }
    }
}

static inline void reduce_take(const Reduction *r, const char *x, int64_t n, int64_t sn, int64_t m, int64_t sm, char *acc,
                               int64_t base) {
    const int columns = m >= 64 && sm != 1 && reduce_apart(sm) < reduce_apart(sn);
    const int apart = sn != 1 && r->itemsize > 1 && (columns || (n >= REDUCE_SHORT && (m == 1 || sm != 1)));
    if (r->half || apart) reduce_patches(r, x, n, sn, m, sm, acc, base);
    else r->spec->tile(x, n, sn, m, sm, acc, base, r->p);
}

static inline void reduce_turned(const Reduction *r, const char *x, int64_t n, int64_t m, char *acc, int64_t base) {
    int64_t patch[REDUCE_SHORT * 64];
    const int64_t most = r->itemsize == 16 ? 32 : 64;
    for (int64_t lo = 0; lo < m; lo += most) {
        const int64_t width = reduce_min(most, m - lo);
        const char *from = x + lo * r->sm * r->itemsize;
        const int vectors = !r->half && r->sn == 1 && n * r->itemsize >= 16 && width * r->itemsize >= 16;
        if (vectors) BY_SIZE(r->itemsize, block, (char *)patch, width * r->itemsize, from, r->sm * r->itemsize, width, n)
        for (int64_t i = 0; i < n && !vectors; i++) {
            const int64_t to = i * width, at = i * r->sn;
            if (r->half)
                widen(r->half, (char *)((int32_t *)patch + to), from + at * 2, r->sm, width);
            else if (r->itemsize == 2)
                for (int64_t j = 0; j < width; j++)
                    ((int16_t *)patch)[to + j] = ((const int16_t *)from)[at + j * r->sm];
            else if (r->itemsize == 4)
                for (int64_t j = 0; j < width; j++)
                    ((int32_t *)patch)[to + j] = ((const int32_t *)from)[at + j * r->sm];
            else if (r->itemsize == 8)
                for (int64_t j = 0; j < width; j++) patch[to + j] = ((const int64_t *)from)[at + j * r->sm];
            else if (r->itemsize == 16)
                for (int64_t j = 0; j < width; j++) ((ReducePair *)patch)[to + j] = ((const ReducePair *)from)[at + j * r->sm];
            else
                for (int64_t j = 0; j < width; j++) ((char *)patch)[to + j] = from[at + j * r->sm];
        }
        r->spec->tile((const char *)patch, n, width, width, 1, acc + lo * r->spec->bytes, base, r->p);
    }
}

/* Rows, at least, of each part that narrow rows are read in: one accumulator of 16 bytes or more takes exponentials or divisions to merge. */
static inline int64_t reduce_parted(const Reduction *r) { return r->spec->bytes <= 8 ? REDUCE_PARTED / 4 : REDUCE_PARTED; }

/* Merge k parts of m accumulators into acc, one half into the other. */
static inline void reduce_merge(const Spec *s, char *parts, int64_t k, int64_t m, char *acc) {
    for (int64_t half; k > 1; k -= half) {
        half = k / 2;
        s->merge(parts, parts + (k - half) * m * s->bytes, half * m);
    }
    s->merge(acc, parts, m);
}

/* n rows of few columns, every element sm behind the one before, are read as rows of k times as many. */
static inline void reduce_narrow(const Reduction *r, const char *x, int64_t n, int64_t m, int64_t sm, char *acc, int64_t base) {
    int64_t wide[REDUCE_NARROW * REDUCE_ACC / 8];
    const int64_t most = reduce_min(REDUCE_NARROW / m, n / reduce_parted(r)), k = most < 8 ? most : most & ~7, rows = n / k;
    r->spec->init(wide, k * m);
    reduce_take(r, x, rows, k * m * sm, k * m, sm, (char *)wide, base);
    reduce_merge(r->spec, (char *)wide, k, m, acc);
    if (rows * k < n) reduce_take(r, x + rows * k * m * sm * r->itemsize, n - rows * k, m * sm, m, sm, acc, base);
}

/* Whole lines of m results, not long and one behind the other, as the columns of a tile; returns how many elements of a result it took in.
 * Line by line 5897 of 17 elements took 70 us, 12 for each, and 1000 of 100 took 14, where side by side they take 5; 4000 times three
 * lines of 5 took 110, and take 4. */
static inline int64_t reduce_lines(const Reduction *r, const char *x, int64_t m, int64_t line, int64_t left, char *acc, int64_t base) {
    int64_t wide[REDUCE_LINE * REDUCE_ACC / 8];
    const Spec *s = r->spec;
    const int next = r->reduced.n - 1;
    const int64_t rows = reduce_min(r->reduced.size[next] - line % r->reduced.size[next], left / r->n);
    const int64_t columns = m * r->n, apart = r->reduced.in[next];
    if (rows < REDUCE_PARTED) return 0;
    s->init(wide, columns);
    if (apart == columns && columns <= 32 && rows >= 2 * REDUCE_PARTED) reduce_narrow(r, x, rows, columns, 1, (char *)wide, base);
    else reduce_take(r, x, rows, apart, columns, 1, (char *)wide, base);
    for (int64_t j = 0; j < m; j++) reduce_merge(s, (char *)wide + j * r->n * s->bytes, r->n, 1, acc + j * s->bytes);
    return rows * r->n;
}

/* Reduce segment u % segments of tile u / segments. */
static inline void reduce_unit(const Reduction *r, int64_t u) {
    int64_t stack[REDUCE_TILE * REDUCE_ACC / 8];
    char *acc = r->partial ? r->partial + u * reduce_min(r->tile, r->m) * r->spec->bytes : (char *)stack;
    int64_t in, out, unused = 0;
    const int64_t m = reduce_locate(r, u / r->segments, &in, &out);
    if (r->few) {
        r->spec->few(r->x + in * r->itemsize, r->n, r->sn, m, r->out, out, r->p);
        return;
    }
    int64_t lo = u % r->segments * r->segment;
    const int64_t hi = reduce_min(lo + r->segment, r->count);
    const int lines = r->sn == 1 && r->n > 1 && (m == 1 || r->sm == r->n) && m * r->n <= REDUCE_LINE && r->reduced.n > 0
                      && !r->spec->ordered;
    r->spec->init(acc, m);
    while (lo < hi) {
        const int64_t line = lo / r->n, start = lo - line * r->n, n = reduce_min(r->n - start, hi - lo);
        int64_t at = in + start * r->sn;
        reduce_offsets(&r->reduced, line, &at, &unused);
        if (lines && start == 0) {
            const int64_t taken = reduce_lines(r, r->x + at * r->itemsize, m, line, hi - lo, acc, lo);
            lo += taken;
            if (taken) continue;
        }
        if (r->n <= REDUCE_SHORT && m > 1 && r->sm != 1 && !(r->sn == 1 && r->itemsize == 8 && r->n == REDUCE_SHORT && !r->spec->ordered))
            reduce_turned(r, r->x + at * r->itemsize, n, m, acc, lo);
        else if (r->sm > 0 && r->sn == m * r->sm && m > 1 && m <= 32 && n >= 2 * REDUCE_PARTED && !r->spec->ordered)
            reduce_narrow(r, r->x + at * r->itemsize, n, m, r->sm, acc, lo);
        else
            reduce_take(r, r->x + at * r->itemsize, n, r->sn, m, r->sm, acc, lo);
        lo += n;
    }
    if (!r->partial) r->spec->finish(acc, m, r->out, out, r->so, r->count, r->p);
}

/* Reduce t[outputs] into t[0] (and t[1]), whose sizes are 1 where it is reduced; half: as in Reduction. */
static __attribute__((noinline)) int64_t reduce_drive(View **t, int outputs, const Spec *spec, const Param *p, int half, int threads,
                                   void *(*alloc)(size_t), void (*release)(void *, size_t)) {
    const View *x = t[outputs], *y = t[0];
    Reduction r;
    int64_t units, unused, small[REDUCE_ACC / 8];
    int dims[TAEDA_MAX_DIM];
    size_t nbytes = 0;
    if (y->numel == 0) return 0;
    r.out[0] = y->data;
    r.out[1] = outputs == 2 ? t[1]->data : NULL;
    r.half = half;
    r.spec = spec;
    r.p = p;
    r.itemsize = x->itemsize;
    if (y->numel == 1 && x->contiguous && x->numel <= REDUCE_SMALL) {
        spec->init(small, 1);
        if (x->numel) reduce_take(&r, x->data, x->numel, 1, 1, 0, (char *)small, 0);
        spec->finish(small, 1, r.out, 0, 0, x->numel, p);
        return 0;
    }
    r.x = x->data;
    r.kept.n = r.reduced.n = 0;
    r.count = 1;
    for (int d = 0; d < x->ndim; d++)
        if (y->shape[d] == x->shape[d] && x->shape[d] != 1) reduce_add_dim(&r.kept, x->shape[d], x->strides[d], y->strides[d]);
    const int lost = reduce_list_dims(x, y, (int)spec->ordered, dims);
    for (int d = 0; d < lost; d++) {
        r.count *= x->shape[dims[d]];
        reduce_add_dim(&r.reduced, x->shape[dims[d]], x->strides[dims[d]], 0);
    }
    reduce_take_dim(&r.reduced, 0, &r.n, &r.sn, &unused);
    reduce_take_dim(&r.kept, r.n <= 3 ? 14 : r.n <= REDUCE_SHORT ? REDUCE_FEW : 0, &r.m, &r.sm, &r.so);

    r.tile = REDUCE_TILE;
    const int rows = r.sn == 1 || (r.m > 1 && reduce_apart(r.sn) < reduce_apart(r.sm));
    if (rows && r.n > REDUCE_SHORT) {           /* whole rows rather than segments of them */
        const int64_t share = y->numel / REDUCE_UNITS, least = REDUCE_SEGMENT / (r.count + 1) + 1;
        r.tile = reduce_min(share > least ? share : least, REDUCE_TILE);
    }
    r.tiles = (r.m + r.tile - 1) / r.tile;
    units = y->numel / r.m * r.tiles;
    r.segments = 1;
    const int64_t least_segment = r.itemsize == 1 ? 4 * REDUCE_SEGMENT : REDUCE_SEGMENT;
    if (units < REDUCE_UNITS && x->numel >= 2 * least_segment) {
        r.segments = reduce_min((REDUCE_UNITS + units - 1) / units, x->numel / (units * least_segment));
        r.segments = reduce_min(r.segments < 1 ? 1 : r.segments, r.count);
    }
    r.segment = (r.count + r.segments - 1) / r.segments;
    if (r.segments > 1) r.segment = (r.segment + REDUCE_ROWS - 1) / REDUCE_ROWS * REDUCE_ROWS;     /* of whole lines */
    if (r.count > 0) r.segments = (r.count + r.segment - 1) / r.segment;
    r.few = spec->few && !half && r.segments == 1 && r.n == r.count && r.n > 1 && r.n <= REDUCE_SHORT && r.sm == 1 && r.so == 1 && r.m > 1;
    r.partial = NULL;
    if (r.segments > 1) {
        nbytes = (size_t)(units * r.segments * reduce_min(r.tile, r.m) * spec->bytes);
        r.partial = (char *)alloc(nbytes);
        if (!r.partial) return -1;
    }
    if (threads > 1 && x->numel >= REDUCE_THREADS && units * r.segments > 1) {
        const Reduction *shared = &r;
        const int64_t all = units * r.segments;
        #pragma omp parallel for schedule(static) num_threads(threads)
        for (int64_t u = 0; u < all; u++) reduce_unit(shared, u);
    } else {
        for (int64_t u = 0; u < units * r.segments; u++) reduce_unit(&r, u);
    }
    if (r.partial) {
        const int64_t step = reduce_min(r.tile, r.m) * spec->bytes;
        for (int64_t v = 0; v < units; v++) {
            char *first = r.partial + v * r.segments * step;
            int64_t in, out;
            const int64_t m = reduce_locate(&r, v, &in, &out);
            for (int64_t u = 1; u < r.segments; u++) spec->merge(first, first + u * step, m);
            spec->finish(first, m, r.out, out, r.so, r.count, p);
        }
        release(r.partial, nbytes);
    }
    return 0;
}

/* y = x, wide: one run of results in float16 or bfloat16 */
static void reduce_round(char **ptr, const int64_t *s, int64_t n, const Param *p) {
    if (s[1] == 1) narrow((int)p[0].i, ptr[0], s[0], ptr[1], n);
    else for (int64_t i = 0; i < n; i++) narrow((int)p[0].i, ptr[0] + i * s[0] * 2, 1, ptr[1] + i * s[1] * 4, 1);
}

/* reduce_drive for an input in float16 or bfloat16; outputs of the same dtype are made in float32 and rounded. */
static __attribute__((noinline)) int64_t reduce_drive_half(View **t, int outputs, const Spec *spec, const Param *p, int threads,
                                        void *(*alloc)(size_t), void (*release)(void *, size_t)) {
    View wide[2], *v[3];
    int64_t strides[2][TAEDA_MAX_DIM], found = 0;
    Param code[1];
    code[0].i = t[outputs]->dtype;
    v[outputs] = t[outputs];
    for (int k = 0; k < outputs; k++) {
        const View *y = v[k] = t[k];
        if (y->dtype != t[outputs]->dtype) continue;
        v[k] = &wide[k];
        wide[k] = *y;
        wide[k].dtype = TAEDA_F32, wide[k].itemsize = 4, wide[k].contiguous = 1, wide[k].strides = strides[k];
        int64_t step = 1;
        for (int d = y->ndim - 1; d >= 0; d--) {
            strides[k][d] = step;
            step *= y->shape[d];
        }
        wide[k].data = y->numel ? (char *)alloc(y->numel * 4) : NULL;
        if (y->numel && !wide[k].data) found = -1;
    }
    if (!found) found = reduce_drive(v, outputs, spec, p, t[outputs]->dtype, threads, alloc, release);
    for (int k = 0; k < outputs; k++) {
        if (v[k] == t[k]) continue;
        View *pair[2] = {t[k], v[k]};
        if (!found) elementwise(pair, 2, reduce_round, code, 1);
        if (wide[k].data) release(wide[k].data, wide[k].numel * 4);
    }
    return found;
}

#endif
