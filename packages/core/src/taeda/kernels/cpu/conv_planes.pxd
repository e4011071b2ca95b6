# What the convolution kernels share: geometry, sizes of blocks, the tiles of tiles.h, images as tiles read them.
from cython.parallel cimport prange
from libc.stdint cimport int64_t
from libc.string cimport memset

from taeda.kernels.cpu cimport runtime
from taeda.kernels.cpu.abi cimport Param, View
from taeda.kernels.cpu.work cimport cut

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
    #undef LANES
    #undef SUFFIX
    #undef MASK
    """
    int taeda_wide() nogil
    void copy_f32(float *d, const float *s, int64_t n) nogil
    void every_second_f32(float *d, const float *s, int64_t n) nogil
    void transpose_f32(const float *src, int64_t sld, float *dst, int64_t dld, int64_t rows, int64_t cols) nogil
    void tile_f32(int64_t n, const float **src, const int64_t *off, const float *w, float *y) nogil
    void narrow_f32(int64_t n, const float **src, const int64_t *off, const float *w, float *y) nogil
    void wide_f32(int64_t n, const float **src, const int64_t *off, const float *w, float *y) nogil
    void pair_f32(int64_t n, const float **src, const int64_t *off, const float *w, int64_t wgap, float *y, int64_t gap) nogil
    void copy_f64(double *d, const double *s, int64_t n) nogil
    void every_second_f64(double *d, const double *s, int64_t n) nogil
    void transpose_f64(const double *src, int64_t sld, double *dst, int64_t dld, int64_t rows, int64_t cols) nogil
    void tile_f64(int64_t n, const double **src, const int64_t *off, const double *w, double *y) nogil
    void narrow_f64(int64_t n, const double **src, const int64_t *off, const double *w, double *y) nogil
    void wide_f64(int64_t n, const double **src, const int64_t *off, const double *w, double *y) nogil
    void pair_f64(int64_t n, const double **src, const int64_t *off, const double *w, int64_t wgap, double *y, int64_t gap) nogil

ctypedef fused real:
    float
    double

cdef enum:
    PLACES = 96           # of a block: a multiple of both tile heights (6 and 8)
    PANELS = 4            # of a block: 64 float32 channels share one pass over the pixels
    TERMS = 256           # of a sum between two additions to memory; two panels of weights stay in L1
    SERIAL_MACS = 1 << 17
    RUN = 1024            # pixels of a block where pixels are lanes
    ROOM = 1 << 18        # elements of one image's planes that few-channel sums may keep at hand
    VOLUME = 1 << 24      # elements of one image that they may split
    CHUNK = 1 << 20       # elements of padded images and packed cotangents that are alive at a time

ctypedef struct Geometry:           # d: depth, h: height, w: width; an image is a volume of depth 1, a signal also of height 1
    int64_t N, C, D, H, W, O, KD, KH, KW, OD, OH, OW, G, CG, OG
    int64_t sd, sh, sw, pd, ph, pw, dd, dh, dw
    int64_t taps, P                 # KD KH KW, and OD OH OW


cdef inline void geometry(Geometry *q, const View *x, const View *w, const View *y, const Param *p) noexcept nogil:
    q.N = x.shape[0]; q.C = x.shape[1]; q.D = x.shape[2]; q.H = x.shape[3]; q.W = x.shape[4]
    q.O = w.shape[0]; q.KD = w.shape[2]; q.KH = w.shape[3]; q.KW = w.shape[4]
    q.OD = y.shape[2]; q.OH = y.shape[3]; q.OW = y.shape[4]
    q.sd = p[0].i; q.sh = p[1].i; q.sw = p[2].i
    q.pd = p[3].i; q.ph = p[4].i; q.pw = p[5].i
    q.dd = p[6].i; q.dh = p[7].i; q.dw = p[8].i
    q.G = p[9].i
    q.CG = q.C // q.G
    q.OG = q.O // q.G
    q.taps = q.KD * q.KH * q.KW
    q.P = q.OD * q.OH * q.OW


cdef inline int threads_for(int64_t macs) noexcept nogil:
    return 1 if macs < SERIAL_MACS else runtime.num_threads


cdef inline int64_t fuller(int64_t images, int64_t most, int64_t N, int64_t pixels, int64_t width) noexcept nogil:
    """How many images should share panels of pixels, at least as many as given: more where all N have fewer panels then."""
    cdef int64_t i, panels, least = -1, best = images
    for i in range(images, min(N, most) + 1):
        panels = N // i * cut(i * pixels, width) + cut(N % i * pixels, width)
        if least < 0 or panels < least:
            least, best = panels, i
    return best


cdef inline int64_t tap_place(const Geometry *q, int64_t k, int64_t depth, int64_t row, int64_t col) noexcept nogil:
    """Where tap k lies, by the steps of each axis."""
    return k // (q.KH * q.KW) * depth + k // q.KW % q.KH * row + k % q.KW * col


cdef inline void every_channel(int64_t *off, int64_t terms, int64_t channels, int64_t channel) noexcept nogil:
    """The first channel's terms give those of all channels, `channel` apart."""
    cdef int64_t i
    for i in range(terms, terms * channels):
        off[i] = off[i - terms] + channel


cdef inline void term_offsets(int64_t *off, const Geometry *q, int64_t channels, int64_t channel, int64_t depth, int64_t row,
                              int64_t col) noexcept nogil:
    """Where the terms (channel, tap) of a sum lie, by the steps of each axis."""
    cdef int64_t k
    for k in range(q.taps if channels else 0):
        off[k] = tap_place(q, k, depth, row, col)
    every_channel(off, q.taps, channels, channel)


ctypedef struct Window:     # what is read of a source: so many places, and where the source's first one lies in it
    int64_t depth, rows, cols, front, top, left


cdef inline Window window_of_input(const Geometry *q) noexcept nogil:
    """All places of x that convolution reads."""
    cdef Window f
    f.depth = (q.OD - 1) * q.sd + (q.KD - 1) * q.dd + 1
    f.rows = (q.OH - 1) * q.sh + (q.KH - 1) * q.dh + 1
    f.cols = (q.OW - 1) * q.sw + (q.KW - 1) * q.dw + 1
    f.front = q.pd; f.top = q.ph; f.left = q.pw
    return f


cdef inline void frame(int64_t H, int64_t OH, int64_t K, int64_t stride, int64_t pad, int64_t dilation, int64_t *before,
                int64_t *size) noexcept nogil:
    """How many zeros the tiles read before g along one axis, and how many places in all."""
    cdef int64_t a, k, q, last, after = 0
    before[0] = 0
    for a in range(min(stride, H)):
        for k in range(K):
            if (a + pad - k * dilation) % stride == 0:
                q = (a + pad - k * dilation) // stride
                last = q + (H - 1 - a) // stride
                before[0] = max(before[0], -q)
                after = max(after, last - (OH - 1))
    size[0] = before[0] + OH + after


cdef inline Window window_of_cotangent(const Geometry *q) noexcept nogil:
    """All places of g that the input gradient reads."""
    cdef Window f
    frame(q.D, q.OD, q.KD, q.sd, q.pd, q.dd, &f.front, &f.depth)
    frame(q.H, q.OH, q.KH, q.sh, q.ph, q.dh, &f.top, &f.rows)
    frame(q.W, q.OW, q.KW, q.sw, q.pw, q.dw, &f.left, &f.cols)
    return f


ctypedef struct Planes:     # a source as the tiles read it: the tensor itself, or a padded copy
    int64_t image, channel, plane, row, col         # steps in elements
    int64_t depth, rows, cols, front, top, left     # of a padded volume, and where the source lies in it
    int padded


cdef inline bint pads(const Window *f, const View *x) noexcept nogil:
    """Whether a window reaches beyond x."""
    return (f.front > 0 or f.top > 0 or f.left > 0 or f.depth - f.front > x.shape[2] or f.rows - f.top > x.shape[3]
            or f.cols - f.left > x.shape[4])


cdef inline void planes(Planes *s, const View *x, const Window *f) noexcept nogil:
    """Describe x as the tiles read it through a window."""
    s.depth = f.depth; s.rows = f.rows; s.cols = f.cols
    s.front = f.front; s.top = f.top; s.left = f.left
    s.padded = pads(f, x)
    if s.padded and x.strides[1] == 1 and x.shape[1] > 1 and x.strides[4] >= x.shape[1]:     # channels innermost stay so
        s.channel = 1
        s.col = x.shape[1] if x.shape[1] < 16 else (cut(x.shape[1], 16) | 1) * 16
        s.row = s.cols * s.col
        s.plane = s.rows * s.row
        s.image = s.depth * s.plane
    elif s.padded:
        s.col = 1
        s.row = s.cols
        s.plane = s.rows * s.cols
        s.channel = (cut(s.depth * s.plane, 16) | 1) * 16       # an odd number of cache lines: channels (or pixels) share no sets
        s.image = x.shape[1] * s.channel
    else:
        s.image = x.strides[0]; s.channel = x.strides[1]
        s.plane = x.strides[2]; s.row = x.strides[3]; s.col = x.strides[4]


cdef inline void input_planes(Planes *s, const Geometry *q, const View *x) noexcept nogil:
    """Describe x as convolution reads it."""
    cdef Window f = window_of_input(q)
    planes(s, x, &f)


cdef inline void window_offsets(int64_t *off, const Geometry *q, const Planes *s) noexcept nogil:
    """Where the terms (channel, tap) of a group's sum lie from the first place of their window."""
    term_offsets(off, q, q.CG, s.channel, q.dd * s.plane, q.dh * s.row, q.dw * s.col)


ctypedef struct Phase:    # one output grid: all of y, or one residue class of dx
    int64_t K             # terms of a sum
    int64_t *off          # their offsets
    int64_t w             # where its packed weights begin, in elements
    int64_t depth, rows, cols    # the grid
    int64_t splane, srow, scol   # steps in the source
    int64_t dst, dplane, drow, dcol      # where the grid begins in the result, and steps
    int64_t first, blocks        # number of its first item; blocks of places
    int64_t a, b, c              # residues of depth, row and column
    int64_t d0, h0, w0           # first taps of the residue class on each axis
    int64_t ds, hs, ws           # steps from one to the next
    int64_t span, lines          # places of the source that panels run over, and how often in an image: once, or row by row


cdef inline int64_t gcd(int64_t a, int64_t b) noexcept nogil:
    cdef int64_t r
    while b:
        r = a % b
        a = b
        b = r
    return a


cdef inline int64_t tap_step(int64_t stride, int64_t dilation) noexcept nogil:
    """Taps k and k + step meet the same residue class: step = stride / gcd(stride, dilation)."""
    return stride // gcd(stride, dilation)


cdef inline int64_t first_tap(int64_t at, int64_t K, int64_t stride, int64_t dilation) noexcept nogil:
    """Smallest k with (at - k dilation) divisible by stride, or K."""
    cdef int64_t k
    for k in range(min(K, stride)):
        if (at - k * dilation) % stride == 0:
            return k
    return K


cdef inline void residue_class(Phase *f, const Geometry *q, const View *dx, int64_t i) noexcept nogil:
    """The grid of class i: every sd-th plane, sh-th row and sw-th column of dx, and the taps that meet it."""
    f.a = i // (min(q.sh, q.H) * min(q.sw, q.W))
    f.b = i // min(q.sw, q.W) % min(q.sh, q.H)
    f.c = i % min(q.sw, q.W)
    f.d0 = first_tap(f.a + q.pd, q.KD, q.sd, q.dd)
    f.h0 = first_tap(f.b + q.ph, q.KH, q.sh, q.dh)
    f.w0 = first_tap(f.c + q.pw, q.KW, q.sw, q.dw)
    f.ds = tap_step(q.sd, q.dd); f.hs = tap_step(q.sh, q.dh); f.ws = tap_step(q.sw, q.dw)
    f.K = q.OG * cut(q.KD - f.d0, f.ds) * cut(q.KH - f.h0, f.hs) * cut(q.KW - f.w0, f.ws)
    f.depth = cut(q.D - f.a, q.sd); f.rows = cut(q.H - f.b, q.sh); f.cols = cut(q.W - f.c, q.sw)
    f.dst = f.a * dx.strides[2] + f.b * dx.strides[3] + f.c * dx.strides[4]
    f.dplane = q.sd * dx.strides[2]; f.drow = q.sh * dx.strides[3]; f.dcol = q.sw * dx.strides[4]


ctypedef struct Tap:             # of a kernel: its place along depth, height and width
    int64_t d, h, w


cdef inline Tap before_taps(const Phase *f) noexcept nogil:
    """Where next_tap() begins."""
    cdef Tap k
    k.d = f.d0; k.h = f.h0; k.w = f.w0 - f.ws
    return k


cdef inline bint next_tap(Tap *k, const Phase *f, const Geometry *q) noexcept nogil:
    """Go on to the next tap of a residue class, if there is one."""
    k.w += f.ws
    if k.w >= q.KW:
        k.w = f.w0
        k.h += f.hs
        if k.h >= q.KH:
            k.h = f.h0
            k.d += f.ds
    return k.d < q.KD and k.h < q.KH and k.w < q.KW


cdef inline void input_offsets(Phase *f, const Geometry *q, int64_t first, int64_t channels, int64_t channel, int64_t plane, int64_t row,
                               int64_t col) noexcept nogil:
    """Where the terms (output channel, taps of the class) lie: pixel a + i s takes g's place i + (a + p - k d) / s; g begins at first."""
    cdef Tap k = before_taps(f)
    cdef int64_t r = 0
    while f.K > 0 and next_tap(&k, f, q):
        f.off[r] = (first + (f.a + q.pd - k.d * q.dd) // q.sd * plane + (f.b + q.ph - k.h * q.dh) // q.sh * row
                    + (f.c + q.pw - k.w * q.dw) // q.sw * col)
        r += 1
    every_channel(f.off, r, channels, channel)


cdef inline void weight_terms(int64_t *at, const Geometry *q, const Phase *f, const View *w) noexcept nogil:
    """Where the weights of a residue class's terms (output channel, taps) lie."""
    cdef Tap k = before_taps(f)
    cdef int64_t r = 0
    while f.K > 0 and next_tap(&k, f, q):
        at[r] = k.d * w.strides[2] + k.h * w.strides[3] + k.w * w.strides[4]
        r += 1
    every_channel(at, r, q.OG, w.strides[0])


ctypedef struct Split:       # planes in sh x sw parts, part (a, b) holding rows a + i sh and columns b + j sw
    int64_t sd, sh, sw, depth, rows, cols, front, top, left      # rows and cols of a part
    int64_t size, volume                                         # of all parts of a plane, and of all planes


cdef inline void split(Split *f, const Planes *s, int64_t sd, int64_t sh, int64_t sw) noexcept nogil:
    f.sd = sd; f.sh = sh; f.sw = sw
    f.depth = s.depth; f.front = s.front; f.top = s.top; f.left = s.left
    f.rows = cut(s.rows, sh)
    f.cols = cut(s.cols, sw)
    f.size = f.rows * f.cols * sh * sw
    f.volume = f.depth * f.size


cdef inline bint fits(const Split *f, int64_t channels, int64_t reach) noexcept nogil:
    """Whether the planes that a result meets (`reach` of each channel) stay in cache, and one image in memory."""
    return channels * f.size * min(reach, f.depth) <= ROOM and channels * f.volume <= VOLUME


cdef inline int64_t part_offset(const Split *f, int64_t plane, int64_t row, int64_t col) noexcept nogil:
    """Where the run begins that reads (plane, row, col) for the first result."""
    return plane * f.size + ((row % f.sh * f.sw + col % f.sw) * f.rows + row // f.sh) * f.cols + col // f.sw


cdef inline void part_offsets(int64_t *off, const Geometry *q, const Split *f, int64_t channels, int64_t channel) noexcept nogil:
    """Where the runs of the terms (channel, tap) begin."""
    cdef int64_t k
    for k in range(q.taps if channels else 0):
        off[k] = part_offset(f, tap_place(q, k, q.dd, 0, 0), tap_place(q, k, 0, q.dh, 0), tap_place(q, k, 0, 0, q.dw))
    every_channel(off, q.taps, channels, channel)


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
    """Add n terms to a tile of two panels, of one, or (0) of half of one."""
    if real is float:
        if many == 0:
            narrow_f32(n, at, off, w, y)
        elif not wide:
            tile_f32(n, at, off, w, y)
        elif many == 2:
            pair_f32(n, at, off, w, wgap, y, ygap)
        else:
            wide_f32(n, at, off, w, y)
    else:
        if many == 0:
            narrow_f64(n, at, off, w, y)
        elif not wide:
            tile_f64(n, at, off, w, y)
        elif many == 2:
            pair_f64(n, at, off, w, wgap, y, ygap)
        else:
            wide_f64(n, at, off, w, y)


cdef inline void turned_over(const real *src, int64_t sld, real *dst, int64_t dld, int64_t rows, int64_t cols) noexcept nogil:
    if real is float:
        transpose_f32(src, sld, dst, dld, rows, cols)
    else:
        transpose_f64(src, sld, dst, dld, rows, cols)


cdef inline void begin_panel(real *y, const real *bias, int64_t step, int64_t first, int64_t results, int64_t lanes,
                             int64_t places) noexcept nogil:
    """Bias, or zero, in the lanes of a panel whose first result is `first`."""
    cdef int64_t i, k, m = min(lanes, results - first)
    if bias == NULL:
        memset(y, 0, places * lanes * sizeof(real))
        return
    for k in range(m):
        y[k] = bias[(first + k) * step]
    for k in range(m, lanes):
        y[k] = 0
    for i in range(1, places):
        copy_run(y + i * lanes, y, lanes)


cdef inline void finish_panel(real *dst, int64_t channel, int64_t col, const real *y, real *turned, const int64_t *to, int64_t places,
                              int64_t m, int64_t lanes) noexcept nogil:
    """Write m lanes of a panel's places to where they belong; turned has room for them."""
    cdef int64_t i, k, run
    if channel == 1:
        for i in range(places):
            copy_run(dst + to[i], y + i * lanes, m)
        return
    if col != 1:
        for k in range(m):
            for i in range(places):
                dst[k * channel + to[i]] = y[i * lanes + k]
        return
    i = 0
    while i < places:
        run = 1
        while i + run < places and to[i + run] == to[i] + run:
            run += 1
        if run == places:
            turned_over(y, lanes, dst + to[0], channel, places, m)
        else:
            if i == 0:
                turned_over(y, lanes, turned, <int64_t>PLACES, places, m)
            for k in range(m):
                copy_run(dst + k * channel + to[i], turned + k * PLACES + i, run)
        i += run


cdef inline void pad_plane(real *dst, const Planes *s, const real *src, const View *x) noexcept nogil:
    """Copy one plane into its place in a frame of zeros."""
    cdef int64_t r, j, H = x.shape[3], left = min(s.left, s.cols), xr = x.strides[3], xc = x.strides[4]
    cdef int64_t m = min(x.shape[4], s.cols - left)
    cdef const real *row
    memset(dst, 0, s.rows * s.cols * sizeof(real))
    for r in range(min(H, s.rows - s.top)):
        row = src + r * xr
        if xc == 1:
            copy_run(dst + (r + s.top) * s.cols + left, row, m)
        else:
            for j in range(m):
                dst[(r + s.top) * s.cols + left + j] = row[j * xc]


cdef inline void pad_volume(real *dst, const Planes *s, const View *x, int64_t n, int64_t c) noexcept nogil:
    """Copy channel c of image n into its place in a frame of zeros."""
    cdef int64_t i, front = min(s.front, s.depth), stop = min(x.shape[2], s.depth - front)
    cdef const real *src = <const real*>x.data + n * x.strides[0] + c * x.strides[1]
    memset(dst, 0, front * s.plane * sizeof(real))
    for i in range(stop):
        pad_plane(dst + (front + i) * s.plane, s, src + i * x.strides[2], x)
    memset(dst + (front + stop) * s.plane, 0, (s.depth - front - stop) * s.plane * sizeof(real))


cdef inline void pad_pixels(real *dst, const Planes *s, const View *x, int64_t n, int64_t e) noexcept nogil:
    """Fill plane e of the frame of image n, whose channels lie innermost."""
    cdef int64_t r, j, C = x.shape[1], left = min(s.left, s.cols), m = min(x.shape[4], s.cols - left)
    cdef const real *src = <const real*>x.data + n * x.strides[0] + (e - s.front) * x.strides[2]
    cdef const real *row
    if e < s.front or e - s.front >= x.shape[2]:
        memset(dst, 0, s.plane * sizeof(real))
        return
    for r in range(s.rows):
        if r < s.top or r - s.top >= x.shape[3]:
            memset(dst, 0, s.row * sizeof(real))
        else:
            row = src + (r - s.top) * x.strides[3]
            memset(dst, 0, left * s.col * sizeof(real))
            if x.strides[4] == s.col:
                copy_run(dst + left * s.col, row, (m - 1) * s.col + C)
            else:
                for j in range(m):
                    copy_run(dst + (left + j) * s.col, row + j * x.strides[4], C)
            memset(dst + (left + m) * s.col, 0, (s.cols - left - m) * s.col * sizeof(real))
        dst += s.row


cdef inline const real* source(real *room, const Planes *s, const View *x, int64_t n0, int64_t n1,
                               int threads) noexcept nogil:
    """Pad images n0 to n1 of x into room if they need it; return where image n0 begins."""
    cdef int64_t i, C = x.shape[1], count = (n1 - n0) * x.shape[1]
    if not s.padded:
        return <const real*>x.data + n0 * s.image
    if s.channel == 1:
        count = (n1 - n0) * s.depth
        for i in prange(count, num_threads=threads, schedule="static"):
            pad_pixels(room + i * s.plane, s, x, n0 + i // s.depth, i % s.depth)
    elif threads == 1:
        for i in range(count):
            pad_volume(room + i * s.channel, s, x, n0 + i // C, i % C)
    else:
        for i in prange(count, num_threads=threads, schedule="static"):
            pad_volume(room + i * s.channel, s, x, n0 + i // C, i % C)
    return room


cdef inline void split_plane(real *dst, const Split *f, const real *src, const View *x) noexcept nogil:
    """Copy one plane into its parts, zero outside the image."""
    cdef const real *row
    cdef real *part
    cdef int64_t xs = x.strides[4], h, r, b, j, w, last
    memset(dst, 0, f.size * sizeof(real))
    for h in range(min(x.shape[3], f.rows * f.sh - f.top)):
        r = h + f.top
        row = src + h * x.strides[3]
        for b in range(f.sw):
            part = dst + ((r % f.sh * f.sw + b) * f.rows + r // f.sh) * f.cols
            j = 0 if b >= f.left else cut(f.left - b, f.sw)        # first column of the part inside the image
            w = b + j * f.sw - f.left
            last = min(f.cols, j + cut(x.shape[4] - w, f.sw)) if w < x.shape[4] else j
            if f.sw == 1 and xs == 1:
                copy_run(part + j, row + w, last - j)
            elif f.sw == 2 and xs == 1:
                every_second(part + j, row + w, last - j)
            else:
                while j < last:
                    part[j] = row[w * xs]
                    j += 1
                    w += f.sw


cdef inline void split_volume(real *dst, const Split *f, const View *x, int64_t n, int64_t c) noexcept nogil:
    """Copy channel c of image n into its parts, plane by plane."""
    cdef int64_t i, front = min(f.front, f.depth), stop = min(x.shape[2], f.depth - front)
    cdef const real *src = <const real*>x.data + n * x.strides[0] + c * x.strides[1]
    memset(dst, 0, front * f.size * sizeof(real))
    for i in range(stop):
        split_plane(dst + (front + i) * f.size, f, src + i * x.strides[2], x)
    memset(dst + (front + stop) * f.size, 0, (f.depth - front - stop) * f.size * sizeof(real))


cdef inline const real* split_source(real *room, const Split *f, int64_t channel, const View *x, int64_t n0, int64_t n1,
                                     int threads) noexcept nogil:
    """Split images n0 to n1 of x into room, its channels `channel` elements apart."""
    cdef int64_t i, C = x.shape[1]
    for i in prange((n1 - n0) * C, num_threads=threads, schedule="static"):
        split_volume(room + i * channel, f, x, n0 + i // C, i % C)
    return room
