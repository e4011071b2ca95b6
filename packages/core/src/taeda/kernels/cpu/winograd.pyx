# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Convolution of images by small square kernels, and both its gradients, by Winograd's method on tiles of 6x6 pixels, float32.

(a) Kernels of 3x3 with any dilation, F(4x4, 3x3): a tile of 4x4 results takes 36 multiplications a channel where the sum as it stands
    takes 144.  Of 5x5, F(2x2, 5x5): 36 of 100.  Stride 2: every second pixel and tap are channels of their own, F(5x5, 2x2) for kernels
    of 3x3 and 4x4 (144 of 225 and 400), F(4x4, 3x3) for 5x5 and 6x6 (144 of 400 and 576).  A third dimension is one of sums: its taps
    are channels too.  In what follows, T terms (`inner`) are the channels of all these parts, and groups are those of all parts of a
    result.
(b) Tiles of pixels and the kernels are transformed to 36 points (winograd.h), each point is a product of matrices, (tiles x T) by
    (T x O), and the products are transformed back.  The input gradient is the same with the kernels turned and transposed.  The weight
    gradient transforms pixels and cotangents and adds up (T x tiles) by (tiles x O).
(c) Tiles are counted through all images: small maps fill the products.  Partial tiles at the edges are whole ones of zeros.
(d) Of the two factors the smaller is transformed first, by all threads; the larger as it is needed, some tiles or 32
    output channels at a time, so that it is never in memory as a whole but goes through the second- or third-level cache.
(e) The products keep 6 tiles (or channels) by 16 output channels in registers, 8 by 32 with AVX-512.  Their operands are laid
    out so that each is one stream.  The 36 points of the few tiles of one register tile lie together, in a few pages, an odd
    number of cache lines apart, as they would share few sets of the cache otherwise.
(f) Work is cut by shape alone and sums are added in order: the same bits for any number of threads.
(g) Groups are convolutions of their own, side by side where they are shared evenly.
(h) Transforms spread an inf or NaN over a tile, where the sum gives finite results beside it.  Then, and where transformed
    numbers overflow, the kernels answer 1 and the caller runs the direct kernel instead.

Limit: 48e9 multiply-adds a second and core on a Zen 3 (AVX2).  The products alone run at 45e9 for 64 channels; with transforms
the whole reaches 29e9 to 34e9 forward, and the weight gradient 24e9 to 29e9.  Transforming kept weights anew costs less than
reading them from memory would: nothing is kept between calls.  Views and parameters as in conv.
"""
from cython.parallel cimport prange
from libc.stdint cimport int64_t

from taeda.kernels.cpu cimport runtime
from taeda.kernels.cpu.abi cimport Param, View
from taeda.kernels.cpu.share cimport Share, share_next, share_out
from taeda.kernels.cpu.work cimport cut, up

cdef extern from *:
    """
    #define T float
    #define LANES 16
    #define SUFFIX f32
    #define MASK int32_t
    #include "tiles.h"
    #include "winograd.h"
    """
    ctypedef struct Picture:
        float *data
        int64_t image, channel, plane, row, col, planes, rows, cols
    ctypedef struct Axis:
        int64_t tiles, lattices, apart, start
    ctypedef struct Grid:
        Axis down, across
        int64_t size, deep, first, next
    enum:
        CHANNELS             # of a block of the weight gradient: whole register tiles of 6 and of 8
    int taeda_wide() nogil
    ctypedef struct Method:
        int taps, size, stride
        void (*cotangents)(float *v, int64_t group, int64_t step, int64_t height, int64_t width, const Picture *x, const Grid *g,
                           int64_t t0, int64_t t1, int64_t c, int64_t m) nogil
        void (*weights)(float *u, int64_t step, int64_t panel, int64_t terms_room, const float *w, int64_t lane, int64_t term,
                        int64_t row, int64_t col, int64_t side, int64_t down, int64_t across, int turned, int64_t terms,
                        int64_t m) nogil
        int (*results)(const Picture *y, const Grid *g, int64_t t0, int64_t t1, int64_t c, int64_t m, const float *at, int64_t group,
                       int64_t step, int64_t height, int64_t width, const float *bias) nogil
        int (*back)(float *dw, int64_t lane, int64_t gap, int64_t side, int64_t every, int64_t down, int64_t across, const float *at,
                    int64_t step, int64_t width, int64_t terms, int64_t m, int add) nogil
    const Method *method_for(int64_t side, int64_t stride) nogil
    void pixels6(float *v, int64_t group, int64_t step, int64_t height, int64_t width, const Picture *x, const Grid *g, int64_t t0,
                 int64_t t1, int64_t c, int64_t m) nogil
    int64_t panel_of(int wide) nogil
    int height_for(int64_t m, int wide) nogil
    void multiply_rows(int wide, int height, int64_t tiles, int64_t n, int64_t terms, const float *a, int64_t agap, const float *b,
                       int64_t bgap, float *c, int64_t cgap, int64_t ldc, int add) nogil
    void multiply_columns(int wide, int64_t m, int64_t n, int64_t terms, const float *a, int64_t astep, const float *b, int64_t bstep,
                          float *c, int64_t ldc) nogil

cdef enum:
    POINTS = 36
    GROUP = 32               # output channels at a time: 4, 2 or 1 panels
    TERMS = 128              # channels of a product between two additions to memory: a panel fills a quarter of the first-level cache
    FEW = 16                 # tiles or fewer: half as many channels, so that their transformed kernels stay in the second-level cache
    TILES = 72               # of a block: whole register tiles of 6 and of 8 (24 to 96 measured)
    KEPT = 1 << 25           # bytes of the factor that is transformed first
    BOTH = 1 << 23           # bytes of both factors of the weight gradient that are transformed at a time
    BLOCKS = 3               # of CHANNELS; the points of their weight gradients for one group stay in the second-level cache
    PIECE = 128              # tiles of one sum of the weight gradient: its operands fit into the first-level cache
    PIECES = 8               # into which its work is cut at a time, where there are tiles enough
    SERIAL_MACS = 1 << 17
    VSTEP = 8 * 24 + 16      # from one point to the next: 8 tiles of CHANNELS channels, and of GROUP
    USTEP = 8 * 32 + 16
    NOT_FINITE = 1

ctypedef struct Kernel:                    # what a call of any of the three parts says of the kernel
    const Method *method
    int64_t side, stride, deep            # taps along rows and columns, their stride, and planes
    int64_t pad[3]
    int64_t dilation[3]
    int64_t plane_stride

ctypedef struct Job:
    Kernel k
    Picture x, y
    Grid xgrid, ygrid                     # of the first part
    int64_t C, O, tiles
    int64_t parts, C8, inner              # parts of C8 channels (C and some that are zero): inner terms
    int64_t terms, ranges                 # inner is cut into ranges of `terms`
    int64_t each, groups                  # O into groups, `each` for every part of the result
    int64_t block                         # tiles at a time
    const float *w
    int64_t lane, term, plane, row, col   # steps of the weights: output channel, input channel, taps
    bint turned                           # an input gradient
    const float *bias
    int64_t bias_step
    float *kept                           # the transformed factor
    int64_t first, last                   # tiles of this round
    int wide
    int64_t panel
    int height                            # tiles that are rows of one register tile
    int64_t vstep, ustep, mstep           # from one point to the next: pixels, weights, products
    bint spoiled                          # by a number that is not finite: nothing more need be done


cdef inline bint wide_for(int64_t lanes) noexcept nogil:
    """Whether products take vectors of 512 bits: half a panel would be wasted on few output channels."""
    return lanes > 16 and taeda_wide()


cdef inline int64_t step_of(int64_t rows, int64_t width) noexcept nogil:
    """From one point to the next."""
    return up(rows * width, 32) + 16


cdef inline int threads_for(int64_t macs) noexcept nogil:
    return 1 if macs < SERIAL_MACS else runtime.num_threads


cdef inline void see(Picture *p, const View *v) noexcept nogil:
    p.data = <float*>v.data
    p.image = v.strides[0]; p.channel = v.strides[1]; p.plane = v.strides[2]; p.row = v.strides[3]; p.col = v.strides[4]
    p.planes = v.shape[2]; p.rows = v.shape[3]; p.cols = v.shape[4]


cdef void read_kernel(Kernel *k, const View *w, const Param *p) noexcept nogil:
    cdef int d
    k.deep = w.shape[2]; k.side = w.shape[3]; k.plane_stride = p[0].i; k.stride = p[1].i
    for d in range(3):
        k.pad[d], k.dilation[d] = p[3 + d].i, p[6 + d].i
    k.method = method_for(k.side, k.stride)


cdef inline void lay_axis(Axis *a, const Kernel *k, int64_t pixels, int64_t apart, int64_t lattices, int64_t start) noexcept nogil:
    """Tiles for so many results (of a cotangent: pixels) along one axis."""
    a.apart, a.start, a.lattices = apart, start, max(<int64_t>1, min(lattices, pixels))
    a.tiles = a.lattices * cut(cut(pixels, lattices), k.method.size)


cdef void lay_planes(Grid *g, const Kernel *k, int64_t deep, int64_t first, int64_t next) noexcept nogil:
    g.size, g.deep, g.first, g.next = k.method.size, deep, first, next


cdef void lay_input(Grid *x, const Kernel *k, const Picture *y) noexcept nogil:
    """The windows of a convolution with results y."""
    lay_planes(x, k, y.planes, -k.pad[0], k.plane_stride)
    lay_axis(&x.down, k, y.rows, k.stride * k.dilation[1], k.dilation[1], -k.pad[1])
    lay_axis(&x.across, k, y.cols, k.stride * k.dilation[2], k.dilation[2], -k.pad[2])


cdef void lay_result(Grid *y, const Kernel *k, const Picture *to) noexcept nogil:
    """The results, or cotangents, of a convolution."""
    lay_planes(y, k, to.planes, 0, 1)
    lay_axis(&y.down, k, to.rows, k.dilation[1], k.dilation[1], 0)
    lay_axis(&y.across, k, to.cols, k.dilation[2], k.dilation[2], 0)


cdef void lay_gradient(Axis *g, Axis *dx, const Kernel *k, int64_t pixels, int64_t pad, int64_t dilation) noexcept nogil:
    """Cotangents and results of an input gradient along one axis: result `stride i + f - pad` is of part f."""
    cdef int64_t first = pad // k.stride
    if k.stride == 1:
        lay_axis(g, k, pixels, dilation, dilation, pad - dilation * (k.side - 1))
        lay_axis(dx, k, pixels, dilation, dilation, 0)
    else:
        pixels = (pixels - 1 + pad) // k.stride - first + 1
        lay_axis(g, k, pixels, 1, 1, first - k.method.taps + 1)
        lay_axis(dx, k, pixels, k.stride, 1, k.stride * first - pad)


cdef void move_to(Grid *g, const Kernel *k, int64_t part) noexcept nogil:
    """From the grid of the first part to that of another: every stride-th pixel from (down, across) on, planes by dilation."""
    cdef int64_t s = k.stride
    g.first += part // (s * s) * k.dilation[0]
    g.down.start += part // s % s
    g.across.start += part % s


# -- the convolution and its input gradient ----------------------------------------------------------------

cdef inline int64_t terms_of(const Job *job, int64_t r) noexcept nogil:
    return min(job.terms, job.inner - r * job.terms)


cdef inline int64_t lanes_of(const Job *job, int64_t group) noexcept nogil:
    return min(<int64_t>GROUP, job.O - group % job.each * GROUP)


cdef inline int64_t rows_of(const Job *job, int64_t tiles) noexcept nogil:
    """How many register tiles hold so many tiles."""
    return cut(tiles, job.height)


cdef void transform_pixels(const Job *job, float *v, int64_t rows, int64_t t0, int64_t t1, int64_t t) noexcept nogil:
    """Tiles t0 to t1 of 8 terms from t on, into [range][tile / height][point][term / 8][tile % height][8 terms]."""
    cdef Grid g = job.xgrid
    cdef int64_t c = t % job.C8
    if job.turned:
        g.first -= t // job.C8 * job.k.dilation[0]
    else:
        move_to(&g, &job.k, t // job.C8)
    pixels6(v + t // job.terms * rows * POINTS * job.vstep + t % job.terms * job.height, POINTS * job.vstep, job.vstep, job.height, 8,
            &job.x, &g, t0, t1, c, min(<int64_t>8, job.C - c))


cdef void transform_weights(const Job *job, float *u, int64_t group, int64_t r) noexcept nogil:
    """The kernels of one group and range, into [point][panel][term][lane]."""
    cdef int64_t t0 = r * job.terms, end = t0 + terms_of(job, r), t = t0, s = job.k.stride, part, taps, c, n
    while t < end:                                # of each part the channels that lie in this range
        part, c = t // job.C8, t % job.C8
        n = min(end - t, job.C8 - c)
        taps = group // job.each if job.turned else part % (s * s)
        job.k.method.weights(
            u + (t - t0) * job.panel, job.ustep, job.panel, job.terms,
            job.w + group % job.each * GROUP * job.lane + c * job.term + (part if job.turned else part // (s * s)) * job.plane, job.lane,
            job.term, job.row, job.col, job.k.side, taps // s, taps % s, job.turned, min(n, job.C - c), lanes_of(job, group))
        t += n


cdef void add_products(const Job *job, float *m, const float *v, const float *u, int64_t rows, int64_t group, int64_t r) noexcept nogil:
    """Of one range of channels and one group: m (+)= v u at every point."""
    cdef int64_t p, lanes = up(lanes_of(job, group), job.panel), terms = up(terms_of(job, r), 8)
    v += r * rows * POINTS * job.vstep
    for p in range(POINTS):
        multiply_rows(job.wide, job.height, rows, lanes, terms, v + p * job.vstep, POINTS * job.vstep, u + p * job.ustep,
                      job.terms * job.panel, m + p * job.mstep, POINTS * job.mstep, GROUP, r > 0)


cdef void finish(Job *job, const float *m, int64_t t0, int64_t t1, int64_t group) noexcept nogil:
    """Turn the products of tiles t0 to t1 and one group into results."""
    cdef float bias[GROUP]
    cdef int64_t i, lanes = lanes_of(job, group), first = group % job.each * GROUP
    cdef Grid g = job.ygrid
    if job.turned:
        move_to(&g, &job.k, group // job.each)
    for i in range(GROUP):
        bias[i] = job.bias[(first + i) * job.bias_step] if job.bias != NULL and i < lanes else 0
    if not job.k.method.results(&job.y, &g, t0, t1, first, lanes, m, POINTS * job.mstep, job.mstep, job.height, GROUP, bias):
        job.spoiled = True


cdef int block(Job *job, int64_t t0, int64_t t1, int64_t first, int64_t last, bint weights_kept) noexcept nogil:
    """Tiles t0 to t1 by groups first to last.  One side is kept, transformed already; the other is transformed here."""
    cdef int64_t rows = rows_of(job, t1 - t0), own = rows * job.ranges * job.vstep if weights_kept else job.ustep, t, group, r
    cdef size_t nbytes = POINTS * (own + rows * job.mstep) * sizeof(float)
    cdef float *room
    cdef float *m
    if job.spoiled:
        return 0
    room = <float*>runtime.cpu_alloc(nbytes)
    if room == NULL:
        return -1
    m = room + POINTS * own
    if weights_kept:
        for t in range(0, job.inner, 8):
            transform_pixels(job, room, rows, t0, t1, t)
    for group in range(first, last):
        for r in range(job.ranges):
            if weights_kept:
                add_products(job, m, room, job.kept + (group * job.ranges + r) * POINTS * job.ustep, rows, group, r)
            else:
                transform_weights(job, room, group, r)
                add_products(job, m, job.kept, room, rows, group, r)
        finish(job, m, t0, t1, group)
    runtime.cpu_free(room, nbytes)
    return 0


cdef int64_t keep_weights(Job *job, int threads) noexcept nogil:
    """Transform the kernels, then go through the tiles."""
    cdef int64_t i, items = job.groups * job.ranges, blocks = cut(job.tiles, TILES)
    cdef size_t nbytes = items * POINTS * job.ustep * sizeof(float)
    cdef int bad = 0
    cdef Share share
    cdef int64_t me
    job.kept = <float*>runtime.cpu_alloc(nbytes)
    if job.kept == NULL:
        return -1
    for i in prange(items, num_threads=threads, schedule="static"):
        transform_weights(job, job.kept + i * POINTS * job.ustep, i // job.ranges, i % job.ranges)
    if blocks < 16:
        blocks = up(blocks, 4)                         # threads get equal shares
    job.block = up(cut(job.tiles, blocks), job.height)
    share_out(&share, cut(job.tiles, job.block), threads)
    for me in prange(threads, num_threads=threads, schedule="static", chunksize=1):
        i = share_next(&share, me)
        while i >= 0:
            bad |= block(job, i * job.block, min((i + 1) * job.block, job.tiles), 0, job.groups, True)
            i = share_next(&share, me)
    runtime.cpu_free(job.kept, nbytes)
    return bad


cdef int64_t keep_tiles(Job *job, int threads) noexcept nogil:
    """Transform the tiles, as many as may be kept at a time, then go through the groups."""
    cdef int64_t most = max(<int64_t>TILES, KEPT // (job.ranges * job.terms * POINTS * <int64_t>sizeof(float)))
    cdef int64_t rounds = cut(job.tiles, most), many = up(cut(job.tiles, rounds), job.height), rows, i, parts, t
    cdef size_t nbytes = job.ranges * many // job.height * POINTS * job.vstep * sizeof(float)
    cdef int bad = 0
    cdef Share share
    cdef int64_t me
    job.kept = <float*>runtime.cpu_alloc(nbytes)
    if job.kept == NULL:
        return -1
    job.first = 0
    while job.first < job.tiles and bad == 0:
        job.last = min(job.first + many, job.tiles)
        rows = rows_of(job, job.last - job.first)
        parts = cut(job.last - job.first, TILES)
        for i in prange(job.inner // 8 * parts, num_threads=threads, schedule="static"):
            t = i % parts * TILES
            transform_pixels(job, job.kept + t // job.height * POINTS * job.vstep, rows, job.first + t,
                             min(job.first + t + TILES, job.last), i // parts * 8)
        share_out(&share, job.groups, threads)
        for me in prange(threads, num_threads=threads, schedule="static", chunksize=1):
            i = share_next(&share, me)
            while i >= 0:
                bad |= block(job, job.first, job.last, i, i + 1, False)
                i = share_next(&share, me)
        job.first = job.last
    runtime.cpu_free(job.kept, nbytes)
    return bad


cdef int64_t convolve(Job *job, const View *y, const View *x, const View *bias, int most) noexcept nogil:
    """y = x, zero outside, by the job's kernels on its grids, on ``most`` threads at most."""
    cdef int threads
    cdef int64_t bad
    if y.numel == 0:
        return 0
    job.C = x.shape[1]; job.O = y.shape[1]
    job.tiles = x.shape[0] * job.xgrid.deep * job.xgrid.down.tiles * job.xgrid.across.tiles
    job.C8 = up(job.C, 8)
    job.inner = job.parts * job.C8
    job.ranges = cut(job.inner, TERMS if job.tiles > FEW else TERMS // 2)
    job.terms = up(cut(job.inner, job.ranges), 8)
    job.ranges = cut(job.inner, job.terms)
    job.each = cut(job.O, GROUP)
    job.groups = job.each * (job.k.stride * job.k.stride if job.turned else 1)
    job.bias = <const float*>bias.data if bias != NULL else NULL
    job.bias_step = bias.strides[0] if bias != NULL else 0
    job.wide = wide_for(job.O)
    job.panel = panel_of(job.wide)
    job.height = height_for(job.tiles, job.wide)
    job.vstep = step_of(job.height, job.terms); job.ustep = step_of(job.terms, GROUP); job.mstep = step_of(job.height, GROUP)
    job.spoiled = False
    threads = min(most, threads_for(job.tiles * POINTS * job.inner * job.O))
    if job.tiles > job.O and job.groups * job.ranges * POINTS * job.ustep * <int64_t>sizeof(float) <= KEPT:
        bad = keep_weights(job, threads)
    else:
        bad = keep_tiles(job, threads)
    return bad if bad else NOT_FINITE if job.spoiled else 0


cdef void begin(Job *job, View **t, const Param *p, bint turned) noexcept nogil:
    """Read the views; turned: the weights' first two dimensions are exchanged, and their windows seen from the other end."""
    cdef const View *w = t[2]
    job.w = <const float*>w.data
    job.lane = w.strides[1 if turned else 0]; job.term = w.strides[0 if turned else 1]
    job.plane = w.strides[2]; job.row = w.strides[3]; job.col = w.strides[4]
    job.turned = turned
    read_kernel(&job.k, w, p)
    see(&job.x, t[1])
    see(&job.y, t[0])


cdef int64_t result(View **t, const Param *p, int threads) noexcept nogil:
    """y[n, o, i] = b[o] + sum x[n, c, s i + d k - p] w[o, c, k]; 1 where something is not finite."""
    cdef Job job
    begin(&job, t, p, False)
    lay_input(&job.xgrid, &job.k, &job.y)
    lay_result(&job.ygrid, &job.k, &job.y)
    job.parts = job.k.deep * job.k.stride * job.k.stride
    return convolve(&job, t[0], t[1], t[3] if p[10].i else NULL, threads)


cdef int64_t input_gradient(View **t, const Param *p, int threads) noexcept nogil:
    """dx[n, c, s i + d k - p] = b[c] + sum g[n, o, i] w[o, c, k]; 1 where something is not finite."""
    cdef Job job
    begin(&job, t, p, True)
    lay_planes(&job.xgrid, &job.k, job.y.planes, job.k.pad[0], 1)
    lay_planes(&job.ygrid, &job.k, job.y.planes, 0, 1)
    lay_gradient(&job.xgrid.down, &job.ygrid.down, &job.k, job.y.rows, job.k.pad[1], job.k.dilation[1])
    lay_gradient(&job.xgrid.across, &job.ygrid.across, &job.k, job.y.cols, job.k.pad[2], job.k.dilation[2])
    job.parts = job.k.deep
    return convolve(&job, t[0], t[1], t[3] if p[10].i else NULL, threads)


# -- the weight gradient -----------------------------------------------------------------------------------

ctypedef struct Weight:
    Kernel k
    Picture x, g
    Grid xgrid, ggrid                     # xgrid: of the first part
    int64_t C, O, tiles, first, last
    int64_t parts, C8, inner              # as those of a Job
    int64_t piece, pieces                 # tiles of a piece, and pieces of this round
    int64_t blocks, groups, runs          # blocks of CHANNELS terms, groups of GROUP, runs of a few blocks
    int64_t per                           # blocks of a run
    int64_t vsize, usize                  # of a block and of a group
    float *v                              # [piece][block][tile / 8][point][tile % 8][term]
    float *u                              # [piece][group][tile / 8][point][panel][tile % 8][lane]
    float *dw
    float *partial                        # sums of all pieces but the first
    int wide
    int64_t panel
    bint spoiled


cdef void transform_both(const Weight *job, int64_t item) noexcept nogil:
    """8 terms of x or 8 channels of g, one piece."""
    cdef int64_t per = (job.inner + up(job.O, 8)) // 8, piece = item // per, c = item % per * 8, l
    cdef int64_t t0 = job.first + piece * job.piece, t1 = min(t0 + job.piece, job.last)
    cdef Grid g = job.xgrid
    if c < job.inner:
        move_to(&g, &job.k, c // job.C8)
        pixels6(job.v + (piece * job.blocks + c // CHANNELS) * job.vsize + c % CHANNELS, POINTS * VSTEP, VSTEP, 8, CHANNELS,
                &job.x, &g, t0, t1, c % job.C8, min(<int64_t>8, job.C - c % job.C8))
        return
    c -= job.inner
    l = c % GROUP
    job.k.method.cotangents(
        job.u + (piece * job.groups + c // GROUP) * job.usize + l // job.panel * job.panel * 8 + l % job.panel, POINTS * USTEP, USTEP,
        8, job.panel, &job.g, &job.ggrid, t0, t1, c, min(<int64_t>8, job.O - c))


cdef int weight_block(Weight *job, int64_t item) noexcept nogil:
    """The sum of one piece for one run of terms and one group."""
    cdef int64_t run = item % job.runs, group = item // job.runs % job.groups, piece = item // (job.runs * job.groups)
    cdef int64_t first = run * job.per * CHANNELS, terms = min(job.per * CHANNELS, job.inner - first)
    cdef int64_t lanes = min(<int64_t>GROUP, job.O - group * GROUP), side = job.k.side, s = job.k.stride
    cdef int64_t taps = job.k.deep * side * side, t = first, part, c, n, down, across
    cdef int64_t tiles = up(min(job.piece, job.last - job.first - piece * job.piece), 8), mstep = step_of(terms, GROUP), block, p
    cdef const float *v = job.v + (piece * job.blocks + run * job.per) * job.vsize
    cdef const float *u = job.u + (piece * job.groups + group) * job.usize
    cdef size_t nbytes = POINTS * mstep * sizeof(float)
    cdef float *m
    cdef float *dw = job.dw if piece == 0 else job.partial + (piece - 1) * job.O * job.C * taps
    if job.spoiled:
        return 0
    m = <float*>runtime.cpu_alloc(nbytes)
    if m == NULL:
        return -1
    for p in range(POINTS):
        for block in range(cut(terms, CHANNELS)):
            multiply_columns(job.wide, min(<int64_t>CHANNELS, terms - block * CHANNELS), up(lanes, job.panel), tiles,
                             v + block * job.vsize + p * VSTEP, POINTS * VSTEP, u + p * USTEP, POINTS * USTEP,
                             m + p * mstep + block * CHANNELS * GROUP, GROUP)
    while t < first + terms:
        part, c = t // job.C8, t % job.C8
        n = min(first + terms - t, job.C8 - c)
        down, across = part // s % s, part % s
        if not job.k.method.back(
                dw + (group * GROUP * job.C + c) * taps + part // (s * s) * side * side + down * side + across, job.C * taps, taps, side, s,
                cut(side - down, s), cut(side - across, s), m + (t - first) * GROUP, mstep, GROUP, min(n, job.C - c), lanes, job.first > 0):
            job.spoiled = True
        t += n
    runtime.cpu_free(m, nbytes)
    return 0


cdef int64_t weight_gradient(View **t, const Param *p, int threads) noexcept nogil:
    """dw[o, c, k] = sum over n and i of g[n, o, i] x[n, c, s i + d k - p]; 1 where something is not finite."""
    cdef Weight job
    cdef int64_t i, j, total, most, vsize, usize, wsize, items
    cdef size_t nbytes
    cdef int bad = 0
    cdef Share share
    cdef int64_t me
    see(&job.g, t[1])
    see(&job.x, t[2])
    job.dw = <float*>t[0].data
    job.O = t[0].shape[0]; job.C = t[0].shape[1]
    read_kernel(&job.k, t[0], p)
    lay_input(&job.xgrid, &job.k, &job.g)
    lay_result(&job.ggrid, &job.k, &job.g)
    job.parts = job.k.deep * job.k.stride * job.k.stride
    job.C8 = up(job.C, 8)
    job.inner = job.parts * job.C8
    job.tiles = t[1].shape[0] * job.ggrid.deep * job.ggrid.down.tiles * job.ggrid.across.tiles
    job.wide = wide_for(job.O)
    job.panel = panel_of(job.wide)
    job.spoiled = False
    job.blocks = cut(job.inner, CHANNELS)
    job.groups = cut(job.O, GROUP)
    job.runs = cut(job.blocks, BLOCKS)
    job.per = cut(job.blocks, job.runs)
    job.runs = cut(job.blocks, job.per)
    most = max(<int64_t>PIECE, BOTH // ((job.blocks * CHANNELS + job.groups * GROUP) * POINTS * <int64_t>sizeof(float)))
    job.piece = min(<int64_t>PIECE, most)
    job.piece = up(cut(job.tiles, cut(job.tiles, job.piece)), 8)
    total = cut(job.tiles, job.piece)
    job.pieces = min(total, min(cut(PIECES, job.runs * job.groups), max(<int64_t>1, most // job.piece)))
    job.vsize = job.piece // 8 * POINTS * VSTEP
    job.usize = job.piece // 8 * POINTS * USTEP
    vsize = job.pieces * job.blocks * job.vsize
    usize = job.pieces * job.groups * job.usize
    wsize = job.O * job.C * job.k.deep * job.k.side * job.k.side
    nbytes = (vsize + usize + (job.pieces - 1) * wsize) * sizeof(float)
    job.v = <float*>runtime.cpu_alloc(nbytes)
    if job.v == NULL:
        return -1
    job.u = job.v + vsize
    job.partial = job.u + usize
    threads = min(threads, threads_for(job.tiles * POINTS * job.inner * job.O))
    job.first = 0
    while job.first < job.tiles and bad == 0:
        job.last = min(job.first + job.pieces * job.piece, job.tiles)
        items = cut(job.last - job.first, job.piece)
        for i in prange(items * ((job.inner + up(job.O, 8)) // 8), num_threads=threads, schedule="static"):
            transform_both(&job, i)
        share_out(&share, items * job.runs * job.groups, threads)
        for me in prange(threads, num_threads=threads, schedule="static", chunksize=1):
            i = share_next(&share, me)
            while i >= 0:
                bad |= weight_block(&job, i)
                i = share_next(&share, me)
        job.first = job.last
    for i in range(job.pieces - 1):
        for j in range(wsize):
            job.dw[j] += job.partial[i * wsize + j]
    runtime.cpu_free(job.v, nbytes)
    return bad if bad else NOT_FINITE if job.spoiled else 0


# -- groups ------------------------------------------------------------------------------------------------

ctypedef int64_t (*Part)(View **t, const Param *p, int threads) noexcept nogil


cdef int64_t one_group(Part part, View **t, const Param *p, int weight, int64_t group, int threads) noexcept nogil:
    cdef View u[4]
    cdef View *alone[4]
    cdef int64_t shape[20]
    cdef int64_t i, d, channels
    for i in range(4):
        alone[i] = NULL
        if t[i] == NULL or (i == 3 and not p[10].i):
            continue
        channels = 0 if i == weight or i == 3 else 1
        u[i] = t[i][0]
        for d in range(u[i].ndim):
            shape[5 * i + d] = u[i].shape[d]
        u[i].shape = &shape[5 * i]
        u[i].shape[channels] //= p[9].i
        u[i].numel //= p[9].i
        u[i].data += group * u[i].shape[channels] * u[i].strides[channels] * u[i].itemsize
        alone[i] = &u[i]
    return part(alone, p, threads)


cdef int64_t by_groups(Part part, View **t, const Param *p, int weight) noexcept nogil:
    """Each group as a convolution of its own; ``weight`` is the place of the weights among t."""
    cdef int64_t group, groups = p[9].i
    cdef int bad = 0, threads = runtime.num_threads
    if groups == 1:
        return part(t, p, threads)
    if t[1].numel and threads_for(t[1].numel // t[1].shape[1] * t[weight].numel) > 1 and (groups % threads == 0 or groups >= 8 * threads):
        for group in prange(groups, num_threads=threads, schedule="static"):
            bad |= one_group(part, t, p, weight, group, 1)
    else:
        for group in range(groups):
            bad |= one_group(part, t, p, weight, group, threads)
    return bad


cdef int64_t winograd_f32(View **t, const Param *p) noexcept nogil:
    return by_groups(result, t, p, 2)


cdef int64_t winograd_input_f32(View **t, const Param *p) noexcept nogil:
    return by_groups(input_gradient, t, p, 2)


cdef int64_t winograd_weight_f32(View **t, const Param *p) noexcept nogil:
    return by_groups(weight_gradient, t, p, 0)


def table():
    return {
        "winograd_f32": <size_t>&winograd_f32,
        "winograd_input_f32": <size_t>&winograd_input_f32,
        "winograd_weight_f32": <size_t>&winograd_weight_f32,
    }
