# What the convolution kernels share: geometry, sizes of blocks, the tiles of tiles.h, images as tiles read them.
from cython.parallel cimport prange
from libc.stdint cimport int64_t
from libc.string cimport memset

from taeda.kernels.cpu cimport runtime
from taeda.kernels.cpu.abi cimport Param, View

cdef extern from *:
    """
    #define T float
    #define LANES 16
    #define SUFFIX f32
    #define MASK int32_t
    #include "tiles.h"
    #undef T
    #undef LANES
    #undef SUFFIX
    #undef MASK
    #define T double
    #define LANES 8
    #define SUFFIX f64
    #define MASK int64_t
    #include "tiles.h"
    #undef T
    """
    int taeda_wide() nogil
    void copy_f32(float *d, const float *s, int64_t n) nogil
    void every_second_f32(float *d, const float *s, int64_t n) nogil
    void transpose_f32(const float *src, int64_t sld, float *dst, int64_t dld, int64_t rows, int64_t cols) nogil
    void tile_f32(int64_t n, const float **src, const int64_t *off, const float *w, float *y) nogil
    void wide_f32(int64_t n, const float **src, const int64_t *off, const float *w, float *y) nogil
    void pair_f32(int64_t n, const float **src, const int64_t *off, const float *w, int64_t wgap, float *y,
                    int64_t gap) nogil
    void rows1_f32(int64_t n, const int64_t *off, const float *w, const float *src, float *y, int64_t gap,
                     const float *first) nogil
    void rows1_half_f32(int64_t n, const int64_t *off, const float *w, const float *src, float *y, int64_t gap,
                     const float *first) nogil
    void rows4_f32(int64_t n, const int64_t *off, const float *w, const float *src, float *y, int64_t gap,
                     const float *first) nogil
    void rows4_half_f32(int64_t n, const int64_t *off, const float *w, const float *src, float *y, int64_t gap,
                     const float *first) nogil
    void rows8_f32(int64_t n, const int64_t *off, const float *w, const float *src, float *y, int64_t gap,
                     const float *first) nogil
    void rows8_half_f32(int64_t n, const int64_t *off, const float *w, const float *src, float *y, int64_t gap,
                     const float *first) nogil
    void dots_f32(int64_t n, const float *g, const void *mask, const float *src, const int64_t *off, float *y) nogil
    void dots_half_f32(int64_t n, const float *g, const void *mask, const float *src, const int64_t *off, float *y) nogil
    void copy_f64(double *d, const double *s, int64_t n) nogil
    void every_second_f64(double *d, const double *s, int64_t n) nogil
    void transpose_f64(const double *src, int64_t sld, double *dst, int64_t dld, int64_t rows, int64_t cols) nogil
    void tile_f64(int64_t n, const double **src, const int64_t *off, const double *w, double *y) nogil
    void wide_f64(int64_t n, const double **src, const int64_t *off, const double *w, double *y) nogil
    void pair_f64(int64_t n, const double **src, const int64_t *off, const double *w, int64_t wgap, double *y,
                    int64_t gap) nogil
    void rows1_f64(int64_t n, const int64_t *off, const double *w, const double *src, double *y, int64_t gap,
                     const double *first) nogil
    void rows1_half_f64(int64_t n, const int64_t *off, const double *w, const double *src, double *y, int64_t gap,
                     const double *first) nogil
    void rows4_f64(int64_t n, const int64_t *off, const double *w, const double *src, double *y, int64_t gap,
                     const double *first) nogil
    void rows4_half_f64(int64_t n, const int64_t *off, const double *w, const double *src, double *y, int64_t gap,
                     const double *first) nogil
    void rows8_f64(int64_t n, const int64_t *off, const double *w, const double *src, double *y, int64_t gap,
                     const double *first) nogil
    void rows8_half_f64(int64_t n, const int64_t *off, const double *w, const double *src, double *y, int64_t gap,
                     const double *first) nogil
    void dots_f64(int64_t n, const double *g, const void *mask, const double *src, const int64_t *off, double *y) nogil
    void dots_half_f64(int64_t n, const double *g, const void *mask, const double *src, const int64_t *off, double *y) nogil

ctypedef fused real:
    float
    double

cdef enum:
    PLACES = 96           # of a block: a multiple of both tile heights (6 and 8)
    PANELS = 4            # of a block: 64 float32 channels share one pass over the pixels
    TERMS = 256           # of a sum between two additions to memory; two panels of weights stay in L1
    SERIAL_MACS = 1 << 17
    RUN = 1024            # pixels of a block where pixels are lanes
    ROOM = 1 << 18        # elements of one image's planes that few-channel sums may split
    CHUNK = 1 << 20       # elements of padded images and packed cotangents that are alive at a time

ctypedef struct Geometry:
    int64_t N, C, H, W, O, KH, KW, OH, OW, G, CG, OG
    int64_t sh, sw, ph, pw, dh, dw


cdef inline int64_t up(int64_t x, int64_t to) noexcept nogil:
    return (x + to - 1) // to * to


cdef inline int64_t cut(int64_t x, int64_t by) noexcept nogil:
    return (x + by - 1) // by


cdef inline void geometry(Geometry *q, const View *x, const View *w, const View *y, const Param *p) noexcept nogil:
    q.N = x.shape[0]; q.C = x.shape[1]; q.H = x.shape[2]; q.W = x.shape[3]
    q.O = w.shape[0]; q.KH = w.shape[2]; q.KW = w.shape[3]
    q.OH = y.shape[2]; q.OW = y.shape[3]
    q.sh = p[0].i; q.sw = p[1].i; q.ph = p[2].i; q.pw = p[3].i; q.dh = p[4].i; q.dw = p[5].i
    q.G = p[6].i
    q.CG = q.C // q.G
    q.OG = q.O // q.G


cdef inline int threads_for(int64_t macs) noexcept nogil:
    return 1 if macs < SERIAL_MACS else runtime.num_threads


ctypedef struct Planes:     # a source as the tiles read it: the tensor itself, or a padded copy
    int64_t image, channel, row, col    # steps in elements
    int64_t rows, cols, top, left       # of a padded plane, and where the image lies in it
    int padded


cdef inline void planes(Planes *s, const View *x, int64_t rows, int64_t cols, int64_t top,
                        int64_t left) noexcept nogil:
    """Describe x seen through `rows` by `cols` places of which (top, left) is x's first."""
    s.rows = rows; s.cols = cols; s.top = top; s.left = left
    s.padded = top > 0 or left > 0 or rows - top > x.shape[2] or cols - left > x.shape[3]
    if s.padded:
        s.col = 1
        s.row = cols
        s.channel = rows * cols
        s.image = x.shape[1] * s.channel
    else:
        s.image = x.strides[0]; s.channel = x.strides[1]; s.row = x.strides[2]; s.col = x.strides[3]


ctypedef struct Split:       # a plane in sh x sw parts, part (a, b) holding rows a + i sh and columns b + j sw
    int64_t sh, sw, rows, cols, top, left, size      # rows and cols of a part; size of all parts


cdef inline void split(Split *f, int64_t rows, int64_t cols, int64_t top, int64_t left, int64_t sh,
                       int64_t sw) noexcept nogil:
    f.sh = sh; f.sw = sw; f.top = top; f.left = left
    f.rows = cut(rows, sh)
    f.cols = cut(cols, sw)
    f.size = f.rows * f.cols * sh * sw


cdef inline int64_t part_offset(const Split *f, int64_t c, int64_t row, int64_t col) noexcept nogil:
    """Where the run begins that reads (row, col) of plane c for the first result."""
    return c * f.size + ((row % f.sh * f.sw + col % f.sw) * f.rows + row // f.sh) * f.cols + col // f.sw


cdef inline void copy_run(real *d, const real *s, int64_t n) noexcept nogil:
    if real is float:
        copy_f32(d, s, n)
    else:
        copy_f64(d, s, n)


cdef inline void every_second(real *d, const real *s, int64_t n) noexcept nogil:
    if real is float:
        every_second_f32(d, s, n)
    else:
        every_second_f64(d, s, n)


cdef inline void run_tile(int wide, int64_t many, int64_t n, const real **at, const int64_t *off, const real *w,
                          int64_t wgap, real *y, int64_t ygap) noexcept nogil:
    """Add n terms to a tile of one panel, or of two."""
    if real is float:
        if not wide:
            tile_f32(n, at, off, w, y)
        elif many == 2:
            pair_f32(n, at, off, w, wgap, y, ygap)
        else:
            wide_f32(n, at, off, w, y)
    else:
        if not wide:
            tile_f64(n, at, off, w, y)
        elif many == 2:
            pair_f64(n, at, off, w, wgap, y, ygap)
        else:
            wide_f64(n, at, off, w, y)


cdef inline void pad_plane(real *dst, const Planes *s, const View *x, int64_t n, int64_t c) noexcept nogil:
    """Copy plane (n, c) of x into its place in a frame of zeros."""
    cdef int64_t r, j, H = x.shape[2], left = min(s.left, s.cols), xr = x.strides[2], xc = x.strides[3]
    cdef int64_t m = min(x.shape[3], s.cols - left)
    cdef const real *src = <const real*>x.data + n * x.strides[0] + c * x.strides[1]
    cdef const real *row
    memset(dst, 0, s.rows * s.cols * sizeof(real))
    for r in range(min(H, s.rows - s.top)):
        row = src + r * xr
        if xc == 1:
            copy_run(dst + (r + s.top) * s.cols + left, row, m)
        else:
            for j in range(m):
                dst[(r + s.top) * s.cols + left + j] = row[j * xc]


cdef inline const real* source(real *room, const Planes *s, const View *x, int64_t n0, int64_t n1,
                               int threads) noexcept nogil:
    """Pad images n0 to n1 of x into room if they need it; return where image n0 begins."""
    cdef int64_t i, C = x.shape[1], count = (n1 - n0) * x.shape[1]
    if not s.padded:
        return <const real*>x.data + n0 * s.image
    if threads == 1:
        for i in range(count):
            pad_plane(room + i * s.channel, s, x, n0 + i // C, i % C)
    else:
        for i in prange(count, num_threads=threads, schedule="static"):
            pad_plane(room + i * s.channel, s, x, n0 + i // C, i % C)
    return room


cdef inline void split_plane(real *dst, const Split *f, const View *x, int64_t n, int64_t c) noexcept nogil:
    """Copy plane (n, c) of x into its parts, zero outside the image."""
    cdef const real *src = <const real*>x.data + n * x.strides[0] + c * x.strides[1]
    cdef const real *row
    cdef real *part
    cdef int64_t xs = x.strides[3], h, r, b, j, w, last
    memset(dst, 0, f.size * sizeof(real))
    for h in range(min(x.shape[2], f.rows * f.sh - f.top)):
        r = h + f.top
        row = src + h * x.strides[2]
        for b in range(f.sw):
            part = dst + ((r % f.sh * f.sw + b) * f.rows + r // f.sh) * f.cols
            j = 0 if b >= f.left else cut(f.left - b, f.sw)        # first column of the part inside the image
            w = b + j * f.sw - f.left
            last = min(f.cols, j + cut(x.shape[3] - w, f.sw)) if w < x.shape[3] else j
            if f.sw == 1 and xs == 1:
                copy_run(part + j, row + w, last - j)
            elif f.sw == 2 and xs == 1:
                every_second(part + j, row + w, last - j)
            else:
                while j < last:
                    part[j] = row[w * xs]
                    j += 1
                    w += f.sw
