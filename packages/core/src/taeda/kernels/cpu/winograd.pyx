# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Convolution of images by 3x3 kernels, stride 1, and both its gradients, by Winograd's F(4x4, 3x3), float32.

(a) A tile of 4x4 results takes 36 multiplications a channel where the sum as it stands takes 144.  Tiles of 6x6 pixels and
    the kernels are transformed to 36 points (winograd.h), each point is a product of matrices, (tiles x C) by (C x O), and
    the products are transformed back.  The input gradient is the same with the kernels turned and transposed.  The weight
    gradient, F(3x3, 4x4), transforms pixels and cotangents and adds up (C x tiles) by (tiles x O).
(b) Tiles are counted through all images: small maps fill the products.  Partial tiles at the edges are whole ones of zeros.
(c) Of the two factors the smaller is transformed first, by all threads; the larger as it is needed, some tiles or 32
    output channels at a time, so that it is never in memory as a whole but goes through the second- or third-level cache.
(d) The products keep 6 tiles (or channels) by 16 output channels in registers, 8 by 32 with AVX-512.  Their operands are laid
    out so that each is one stream.  The 36 points of the few tiles of one register tile lie together, in a few pages, an odd
    number of cache lines apart, as they would share few sets of the cache otherwise.
(e) Work is cut by shape alone and sums are added in order: the same bits for any number of threads.
(f) Transforms spread an inf or NaN over a tile, where the sum gives finite results beside it.  Then, and where transformed
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
        int64_t image, channel, row, col, rows, cols
    ctypedef struct Grid:
        int64_t down, across, top, left
    enum:
        CHANNELS             # of a block of the weight gradient: whole register tiles of 6 and of 8
    int taeda_wide() nogil
    void pixels6(float *v, int64_t group, int64_t step, int64_t height, int64_t width, const Picture *x, const Grid *g, int64_t t0,
                 int64_t t1, int64_t c, int64_t m) nogil
    void pixels4(float *v, int64_t group, int64_t step, int64_t height, int64_t width, const Picture *x, const Grid *g, int64_t t0,
                 int64_t t1, int64_t c, int64_t m) nogil
    void weights(float *u, int64_t step, int64_t panel, int64_t terms_room, const float *w, int64_t lane, int64_t term, int64_t row,
                 int64_t col, int turned, int64_t terms, int64_t m) nogil
    int results(const Picture *y, const Grid *g, int64_t t0, int64_t t1, int64_t c, int64_t m, const float *at, int64_t group, int64_t step,
                int64_t height, int64_t width, const float *bias) nogil
    int64_t panel_of(int wide) nogil
    int height_for(int64_t m, int wide) nogil
    void multiply_rows(int wide, int height, int64_t tiles, int64_t n, int64_t terms, const float *a, int64_t agap, const float *b,
                       int64_t bgap, float *c, int64_t cgap, int64_t ldc, int add) nogil
    void multiply_columns(int wide, int64_t m, int64_t n, int64_t terms, const float *a, int64_t astep, const float *b, int64_t bstep,
                          float *c, int64_t ldc) nogil
    int taps(float *dw, int64_t lane, const float *at, int64_t step, int64_t width, int64_t terms, int64_t m, int add) nogil

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

ctypedef struct Job:
    Picture x, y
    Grid grid
    int64_t C, O, tiles
    int64_t terms, ranges, groups         # C is cut into ranges of `terms` channels, O into groups
    int64_t block                         # tiles at a time
    const float *w
    int64_t lane, term, row, col          # steps of the weights: output channel, input channel, taps
    bint turned
    const float *bias
    int64_t bias_step
    float *kept                           # the transformed factor
    int64_t first, last                   # tiles of this round
    int wide
    int64_t panel
    int height                            # tiles that are rows of one register tile
    int64_t vstep, ustep, mstep           # from one point to the next: pixels, weights, products
    bint spoiled                          # by a number that is not finite: nothing more need be done


cdef inline int64_t cut(int64_t x, int64_t by) noexcept nogil:
    return (x + by - 1) // by


cdef inline int64_t up(int64_t x, int64_t to) noexcept nogil:
    return cut(x, to) * to


cdef inline int64_t step_of(int64_t rows, int64_t width) noexcept nogil:
    """From one point to the next."""
    return up(rows * width, 32) + 16


cdef inline int threads_for(int64_t macs) noexcept nogil:
    return 1 if macs < SERIAL_MACS else runtime.num_threads


cdef inline void see(Picture *p, const View *v) noexcept nogil:
    p.data = <float*>v.data
    p.image = v.strides[0]; p.channel = v.strides[1]; p.row = v.strides[3]; p.col = v.strides[4]
    p.rows = v.shape[3]; p.cols = v.shape[4]


# -- the convolution and its input gradient ----------------------------------------------------------------

cdef inline int64_t terms_of(const Job *job, int64_t r) noexcept nogil:
    return min(job.terms, job.C - r * job.terms)


cdef inline int64_t lanes_of(const Job *job, int64_t group) noexcept nogil:
    return min(<int64_t>GROUP, job.O - group * GROUP)


cdef inline int64_t rows_of(const Job *job, int64_t tiles) noexcept nogil:
    """How many register tiles hold so many tiles."""
    return cut(tiles, job.height)


cdef void transform_pixels(const Job *job, float *v, int64_t rows, int64_t t0, int64_t t1, int64_t c) noexcept nogil:
    """Tiles t0 to t1 of 8 channels from c on, into [range][tile / height][point][channel / 8][tile % height][8 channels]."""
    pixels6(v + c // job.terms * rows * POINTS * job.vstep + c % job.terms * job.height, POINTS * job.vstep, job.vstep, job.height, 8,
            &job.x, &job.grid, t0, t1, c, min(<int64_t>8, job.C - c))


cdef void transform_weights(const Job *job, float *u, int64_t group, int64_t r) noexcept nogil:
    """The kernels of one group and range, into [point][panel][term][lane]."""
    weights(u, job.ustep, job.panel, job.terms, job.w + group * GROUP * job.lane + r * job.terms * job.term, job.lane,
            job.term, job.row, job.col, job.turned, terms_of(job, r), lanes_of(job, group))


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
    cdef int64_t i, lanes = lanes_of(job, group)
    for i in range(GROUP):
        bias[i] = job.bias[(group * GROUP + i) * job.bias_step] if job.bias != NULL and i < lanes else 0
    if not results(&job.y, &job.grid, t0, t1, group * GROUP, lanes, m, POINTS * job.mstep, job.mstep, job.height, GROUP, bias):
        job.spoiled = True


cdef int block(Job *job, int64_t t0, int64_t t1, int64_t first, int64_t last, bint weights_kept) noexcept nogil:
    """Tiles t0 to t1 by groups first to last.  One side is kept, transformed already; the other is transformed here."""
    cdef int64_t rows = rows_of(job, t1 - t0), own = rows * job.ranges * job.vstep if weights_kept else job.ustep, c, group, r
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
        for c in range(0, job.C, 8):
            transform_pixels(job, room, rows, t0, t1, c)
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
        for i in prange(cut(job.C, 8) * parts, num_threads=threads, schedule="static"):
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


cdef int64_t convolve(Job *job, const View *y, const View *x, const View *bias, int64_t top, int64_t left) noexcept nogil:
    """y = x, zero outside, by the job's kernels, the first window at (-top, -left)."""
    cdef int threads
    cdef int64_t bad
    if y.numel == 0:
        return 0
    see(&job.x, x)
    see(&job.y, y)
    job.C = x.shape[1]; job.O = y.shape[1]
    job.grid.top = top; job.grid.left = left
    job.grid.down = cut(job.y.rows, 4); job.grid.across = cut(job.y.cols, 4)
    job.tiles = x.shape[0] * job.grid.down * job.grid.across
    job.ranges = cut(job.C, TERMS if job.tiles > FEW else TERMS // 2)
    job.terms = up(cut(job.C, job.ranges), 8)
    job.groups = cut(job.O, GROUP)
    job.bias = <const float*>bias.data if bias != NULL else NULL
    job.bias_step = bias.strides[0] if bias != NULL else 0
    job.wide = taeda_wide()
    job.panel = panel_of(job.wide)
    job.height = height_for(job.tiles, job.wide)
    job.vstep = step_of(job.height, job.terms); job.ustep = step_of(job.terms, GROUP); job.mstep = step_of(job.height, GROUP)
    job.spoiled = False
    threads = threads_for(job.tiles * POINTS * job.C * job.O)
    if job.tiles > job.O and POINTS * job.C * job.O * <int64_t>sizeof(float) <= KEPT:
        bad = keep_weights(job, threads)
    else:
        bad = keep_tiles(job, threads)
    return bad if bad else NOT_FINITE if job.spoiled else 0


cdef int64_t winograd_f32(View **t, const Param *p) noexcept nogil:
    """y[n, o, i] = b[o] + sum x[n, c, i + k - p] w[o, c, k]; 1 where something is not finite."""
    cdef Job job
    cdef const View *w = t[2]
    job.w = <const float*>w.data
    job.lane = w.strides[0]; job.term = w.strides[1]; job.row = w.strides[3]; job.col = w.strides[4]
    job.turned = False
    return convolve(&job, t[0], t[1], t[3] if p[10].i else NULL, p[4].i, p[5].i)


cdef int64_t winograd_input_f32(View **t, const Param *p) noexcept nogil:
    """dx[n, c, i] = b[c] + sum g[n, o, i - k + p] w[o, c, k]; 1 where something is not finite."""
    cdef Job job
    cdef const View *w = t[2]
    job.w = <const float*>w.data
    job.lane = w.strides[1]; job.term = w.strides[0]; job.row = w.strides[3]; job.col = w.strides[4]
    job.turned = True
    return convolve(&job, t[0], t[1], t[3] if p[10].i else NULL, 2 - p[4].i, 2 - p[5].i)


# -- the weight gradient -----------------------------------------------------------------------------------

ctypedef struct Weight:
    Picture x, g
    Grid xgrid, ggrid
    int64_t C, O, tiles, first, last
    int64_t piece, pieces                 # tiles of a piece, and pieces of this round
    int64_t blocks, groups, runs          # blocks of CHANNELS channels, groups of GROUP, runs of a few blocks
    int64_t per                           # blocks of a run
    int64_t vsize, usize                  # of a block and of a group
    float *v                              # [piece][block][tile / 8][point][tile % 8][channel]
    float *u                              # [piece][group][tile / 8][point][panel][tile % 8][lane]
    float *dw
    float *partial                        # sums of all pieces but the first
    int wide
    int64_t panel
    bint spoiled


cdef void transform_both(const Weight *job, int64_t item) noexcept nogil:
    """8 channels of x or of g, one piece."""
    cdef int64_t xs = cut(job.C, 8), per = xs + cut(job.O, 8), piece = item // per, c = item % per * 8, l
    cdef int64_t t0 = job.first + piece * job.piece, t1 = min(t0 + job.piece, job.last)
    if c < 8 * xs:
        pixels6(job.v + (piece * job.blocks + c // CHANNELS) * job.vsize + c % CHANNELS, POINTS * VSTEP, VSTEP, 8, CHANNELS,
                &job.x, &job.xgrid, t0, t1, c, min(<int64_t>8, job.C - c))
        return
    c -= 8 * xs
    l = c % GROUP
    pixels4(job.u + (piece * job.groups + c // GROUP) * job.usize + l // job.panel * job.panel * 8 + l % job.panel, POINTS * USTEP, USTEP,
            8, job.panel, &job.g, &job.ggrid, t0, t1, c, min(<int64_t>8, job.O - c))


cdef int weight_block(Weight *job, int64_t item) noexcept nogil:
    """The sum of one piece for one run of channels and one group."""
    cdef int64_t run = item % job.runs, group = item // job.runs % job.groups, piece = item // (job.runs * job.groups)
    cdef int64_t c0 = run * job.per * CHANNELS, channels = min(job.per * CHANNELS, job.C - c0)
    cdef int64_t lanes = min(<int64_t>GROUP, job.O - group * GROUP)
    cdef int64_t tiles = up(min(job.piece, job.last - job.first - piece * job.piece), 8), mstep = step_of(up(channels, 8), GROUP), block, p
    cdef const float *v = job.v + (piece * job.blocks + run * job.per) * job.vsize
    cdef const float *u = job.u + (piece * job.groups + group) * job.usize
    cdef size_t nbytes = POINTS * mstep * sizeof(float)
    cdef float *m
    cdef float *dw = job.dw if piece == 0 else job.partial + (piece - 1) * job.O * job.C * 9
    if job.spoiled:
        return 0
    m = <float*>runtime.cpu_alloc(nbytes)
    if m == NULL:
        return -1
    for p in range(POINTS):
        for block in range(cut(channels, CHANNELS)):
            multiply_columns(job.wide, min(<int64_t>CHANNELS, channels - block * CHANNELS), up(lanes, job.panel), tiles,
                             v + block * job.vsize + p * VSTEP, POINTS * VSTEP, u + p * USTEP, POINTS * USTEP,
                             m + p * mstep + block * CHANNELS * GROUP, GROUP)
    if not taps(dw + (group * GROUP * job.C + c0) * 9, job.C * 9, m, mstep, GROUP, channels, lanes, job.first > 0):
        job.spoiled = True
    runtime.cpu_free(m, nbytes)
    return 0


cdef int64_t winograd_weight_f32(View **t, const Param *p) noexcept nogil:
    """dw[o, c, k] = sum over n and i of g[n, o, i] x[n, c, i + k - p]; 1 where something is not finite."""
    cdef Weight job
    cdef int64_t i, j, total, most, vsize, usize, wsize, items
    cdef size_t nbytes
    cdef int threads, bad = 0
    cdef Share share
    cdef int64_t me
    see(&job.g, t[1])
    see(&job.x, t[2])
    job.dw = <float*>t[0].data
    job.O = t[0].shape[0]; job.C = t[0].shape[1]
    job.ggrid.top = job.ggrid.left = 0
    job.xgrid.top = p[4].i; job.xgrid.left = p[5].i
    job.xgrid.down = job.ggrid.down = cut(job.g.rows, 4)
    job.xgrid.across = job.ggrid.across = cut(job.g.cols, 4)
    job.tiles = t[1].shape[0] * job.xgrid.down * job.xgrid.across
    job.wide = taeda_wide()
    job.panel = panel_of(job.wide)
    job.spoiled = False
    job.blocks = cut(job.C, CHANNELS)
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
    wsize = job.O * job.C * 9
    nbytes = (vsize + usize + (job.pieces - 1) * wsize) * sizeof(float)
    job.v = <float*>runtime.cpu_alloc(nbytes)
    if job.v == NULL:
        return -1
    job.u = job.v + vsize
    job.partial = job.u + usize
    threads = threads_for(job.tiles * POINTS * job.C * job.O)
    job.first = 0
    while job.first < job.tiles and bad == 0:
        job.last = min(job.first + job.pieces * job.piece, job.tiles)
        items = cut(job.last - job.first, job.piece)
        for i in prange(items * (cut(job.C, 8) + cut(job.O, 8)), num_threads=threads, schedule="static"):
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


def table():
    return {
        "winograd_f32": <size_t>&winograd_f32,
        "winograd_input_f32": <size_t>&winograd_input_f32,
        "winograd_weight_f32": <size_t>&winograd_weight_f32,
    }
