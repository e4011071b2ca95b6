# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The weight gradient of convolutions of bfloat16 where the processor multiplies and adds pairs (AVX512-BF16).

The sum of conv_weight, rows (channel, tap) by lanes of output channels, over pairs of neighbouring pixels of a row.  x is copied into
planes, each row split by the residues of the stride, so that the next pixel of every tap lies beside the first; g is woven, a zero
behind the last pixel of an odd row.  What lies beside that one in x is multiplied by zero: it must be finite then, or the kernel
answers UNFIT.  The rest is as in conv_pairs.
"""
from cython.parallel cimport prange
from libc.stdint cimport int64_t, uint16_t
from libc.string cimport memcpy, memset

from taeda.kernels.cpu cimport runtime
from taeda.kernels.cpu.abi cimport Param, View
from taeda.kernels.cpu.conv_planes cimport *           # first: bf16_pairs.h wants its tiles.h before it
from taeda.kernels.cpu.bf16_pairs cimport *
from taeda.kernels.cpu.share cimport Share, share_next, share_out
from taeda.kernels.cpu.work cimport cut, up

cdef extern from *:
    void add_f32(float *d, const float *s, int64_t n) nogil

ctypedef struct Flat:     # x in planes, rows split by the residues of the stride
    int64_t image, channel, plane, row, part       # steps in elements
    int64_t depth, rows, cols                      # cols of a part

ctypedef struct Weights:
    int64_t images, K, rows, panels, lanes, pieces, pairs, in_row, across   # pairs: of an image; in_row: of a row; across: of a piece
    const uint16_t *x
    const uint16_t *g
    float *partial
    int64_t *off                                   # rows' places in x
    int64_t *to                                    # and in dw
    Flat flat


cdef void flatten(uint16_t *dst, const Flat *f, const Geometry *q, const View *x, int64_t n, int64_t e, int64_t h) noexcept nogil:
    """Row h of plane e of all channels of image n, and what lies around it."""
    cdef Pair room[16 * 16]
    cdef uint16_t line[2 * 16 * 16]
    cdef int64_t c, k, i, j, m, some, step = x.strides[4]
    cdef const uint16_t *s = <const uint16_t*>x.data + n * x.strides[0] + (e - q.pd) * x.strides[2] + (h - q.ph) * x.strides[3]
    cdef uint16_t *d
    for c in range(q.C):
        memset(dst + c * f.channel, 0, f.row * 2)
    if e < q.pd or e - q.pd >= q.D or h < q.ph or h - q.ph >= q.H:
        return
    m = min(q.W, q.sw * f.cols - q.pw)
    if x.strides[1] == 1 and x.shape[1] > 1 and q.C % 2 == 0 and step % 2 == 0 and <size_t>s % 4 == 0:
        for j in range(0, m, 16):
            some = min(<int64_t>16, m - j)
            for c in range(0, q.C, 32):
                k = min(<int64_t>16, (q.C - c) // 2)
                pairs_turn(<const Pair*>(s + j * step + c), step // 2, room, 16, some, k)
                for i in range(k):
                    d = dst + (c + 2 * i) * f.channel
                    if q.sw == 1:
                        pairs_apart(d + q.pw + j, d + f.channel + q.pw + j, room + i * 16, some)
                    else:
                        pairs_apart(line, line + 16, room + i * 16, some)
                        deal(d, f, q, line, 1, j, some)
                        deal(d + f.channel, f, q, line + 16, 1, j, some)
        return
    for c in range(q.C):
        d = dst + c * f.channel
        if q.sw == 1 and step == 1:
            memcpy(d + q.pw, s + c * x.strides[1], m * 2)
        else:
            deal(d, f, q, s + c * x.strides[1], step, 0, m)


cdef inline void deal(uint16_t *d, const Flat *f, const Geometry *q, const uint16_t *s, int64_t step, int64_t j, int64_t m) noexcept nogil:
    """m pixels from j on to the parts of their row."""
    cdef int64_t i, a = (j + q.pw) % q.sw, b = (j + q.pw) // q.sw
    for i in range(m):
        d[a * f.part + b] = s[i * step]
        a += 1
        if a == q.sw:
            a = 0
            b += 1


cdef void pack_cotangent(uint16_t *dst, const Geometry *q, const View *g, int64_t n, int64_t group, int64_t panel,
                         int64_t in_row) noexcept nogil:
    """One panel of the cotangent of one image as [pair of pixels][lane][2]."""
    cdef Pair room[WIDTH * 64]
    cdef int64_t width = width_of(panel, q.OG), m = min(width, q.OG - panel * WIDTH), h, v, o, k, cols = q.OW, rows = q.OD * q.OH
    cdef const uint16_t *src = <const uint16_t*>g.data + n * g.strides[0] + (group * q.OG + panel * WIDTH) * g.strides[1]
    cdef const uint16_t *s
    cdef Pair *to = <Pair*>dst
    if m < width:
        memset(dst, 0, rows * in_row * width * 4)
    if q.OW % 2 == 0 and g.strides[4] == 1 and (q.OH == 1 or g.strides[3] == q.OW) and (q.OD == 1 or g.strides[2] == q.OH * q.OW):
        cols, rows = q.P, 1                          # one run
    for h in range(rows):
        s = src + h // q.OH * g.strides[2] + h % q.OH * g.strides[3] if rows > 1 else src
        if g.strides[1] == 1 and g.strides[4] != 1:
            for v in range(0, cols, 2):
                pairs_weave(to + v // 2 * width, s + v * g.strides[4], s + (v + 1) * g.strides[4] if v + 1 < cols else NULL, m)
        else:
            for v in range(0, cols, 128):
                k = min(<int64_t>128, cols - v)
                for o in range(m):
                    if g.strides[4] == 1 or cols == 1:
                        memcpy(room + o * 64, s + o * g.strides[1] + v, k * 2)
                        if k % 2:
                            room[o * 64 + k // 2] = (<const uint16_t*>s)[o * g.strides[1] + v + k - 1]
                    else:
                        pairs_beside(room + o * 64, s + o * g.strides[1] + v * g.strides[4], g.strides[4], k)
                pairs_turn(room, 64, to + v // 2 * width, width, m, (k + 1) // 2)
        to += (cols + 1) // 2 * width


cdef inline void pairs_beside(Pair *d, const uint16_t *s, int64_t step, int64_t n) noexcept nogil:
    """Every two of n numbers."""
    cdef int64_t i
    for i in range(0, n, 2):
        d[i // 2] = s[i * step] | (<Pair>s[(i + 1) * step] << 16 if i + 1 < n else 0)


cdef void weight_block(const Weights *job, const Geometry *q, int64_t item) noexcept nogil:
    """Some pairs of pixels, for up to 96 rows (channel, tap) by a panel."""
    cdef int64_t off[STEPS]
    cdef const uint16_t *at[8]
    cdef int64_t blocks = cut(job.K, PLACES), j0 = item % blocks * PLACES, j, k, i, count, r, stop, n, e, h, v
    cdef int64_t panel = item // blocks % job.panels, group = item // blocks // job.panels % q.G
    cdef int64_t piece = item // blocks // job.panels // q.G, total = job.images * job.pairs
    cdef int64_t width = width_of(panel, q.OG), height = pairs_height(width), lane = group * job.lanes + panel * WIDTH
    cdef const uint16_t *x = job.x + group * q.CG * job.flat.channel
    cdef const uint16_t *g = job.g + lane * total * 2
    cdef float *y = job.partial + (piece * q.G * job.lanes + lane) * job.rows
    r = piece * job.across
    stop = min(r + job.across, total)
    n = r // job.pairs
    e = r // (q.OH * job.in_row) % q.OD
    h = r // job.in_row % q.OH
    v = r % job.in_row
    while r < stop:
        count = min(stop - r, <int64_t>STEPS)
        for i in range(count):
            off[i] = n * job.flat.image + e * q.sd * job.flat.plane + h * q.sh * job.flat.row + 2 * v
            v += 1
            if v == job.in_row:
                v = 0
                h += 1
                if h == q.OH:
                    h = 0
                    e += 1
                    if e == q.OD:
                        e = 0
                        n += 1
        j = j0
        while j < job.K and j < j0 + PLACES:
            for k in range(height):
                at[k] = x + job.off[min(j + k, job.K - 1)]
            pairs_tile(width, count, at, off, g + r * width * 2, y + j * width)
            j += height
        r += count


cdef int finish(const Weights *job, const Geometry *q, const View *dw, int64_t group, int64_t panel) noexcept nogil:
    """Add up the pieces of one panel in order and round them."""
    cdef int64_t width = width_of(panel, q.OG), m = min(width, q.OG - panel * WIDTH), lane = group * job.lanes + panel * WIDTH, r, j, i, n
    cdef float *sum = job.partial + lane * job.rows
    cdef float turned[WIDTH * PLACES]
    cdef uint16_t *to = <uint16_t*>dw.data + (group * q.OG + panel * WIDTH) * dw.strides[0]
    for r in range(1, job.pieces):
        add_f32(sum, sum + r * q.G * job.lanes * job.rows, job.K * width)
    j = 0
    while j < job.K:
        n = min(<int64_t>PLACES, job.K - j)
        transpose_f32(sum + j * width, width, turned, PLACES, n, m)
        for i in range(m):
            if job.to[j + n - 1] - job.to[j] == n - 1 and job.to[0] >= 0:
                pairs_round(to + i * dw.strides[0] + job.to[j], turned + i * PLACES, n)
            else:
                for r in range(n):
                    pairs_round(to + i * dw.strides[0] + job.to[j + r], turned + i * PLACES + r, 1)
        j += PLACES
    return 0


cdef bint all_finite(const View *x) noexcept nogil:
    """Whether x holds neither an infinity nor a NaN."""
    cdef int64_t n, c, e, h, j
    cdef const uint16_t *s
    cdef int good = 1
    for n in range(x.shape[0]):
        for e in range(x.shape[2]):
            for h in range(x.shape[3]):
                s = <const uint16_t*>x.data + n * x.strides[0] + e * x.strides[2] + h * x.strides[3]
                if x.strides[1] == 1 and x.strides[4] == x.shape[1]:
                    good &= pairs_finite(s, x.shape[1] * x.shape[4])
                    continue
                for c in range(x.shape[1]):
                    if x.strides[4] == 1:
                        good &= pairs_finite(s + c * x.strides[1], x.shape[4])
                    else:
                        for j in range(x.shape[4]):
                            good &= pairs_finite(s + c * x.strides[1] + j * x.strides[4], 1)
    return good != 0


cdef int64_t convolution_weight_pairs(View **t, const Param *p) noexcept nogil:
    """dw[o, c, k] = sum over n and i of g[n, o, i] x[n, c, i s + k d - p]; i, k along depth, height and width."""
    cdef Geometry q
    cdef Weights job
    cdef Flat *f = &job.flat
    cdef int64_t i, c, k, chunk, n0 = 0, items, per, me, xbytes, gbytes, pbytes, obytes
    cdef bint last = t[0].strides[1] == 1           # channels are innermost in dw
    cdef uint16_t *gp
    cdef uint16_t *xp
    cdef char *room
    cdef int threads
    cdef Share share
    if not bf16_runs() or t[0].numel == 0 or t[1].numel == 0 or t[2].numel == 0:
        return UNFIT
    geometry(&q, t[2], t[0], t[1], p)
    if q.OW % 2 and not all_finite(t[2]):
        return UNFIT
    threads = threads_for(t[1].numel * q.CG * q.taps)
    f.depth, f.rows = (q.OD - 1) * q.sd + (q.KD - 1) * q.dd + 1, (q.OH - 1) * q.sh + (q.KH - 1) * q.dh + 1
    f.cols = max(cut((q.OW - 1) * q.sw + (q.KW - 1) * q.dw + 1, q.sw), cut(q.pw + 1, q.sw)) + 1
    f.part, f.row = f.cols, q.sw * f.cols
    f.plane = f.rows * f.row
    f.channel = (cut(f.depth * f.plane, 32) | 1) * 32        # an odd number of cache lines
    f.image = q.C * f.channel
    job.K, job.panels, job.lanes = q.CG * q.taps, cut(q.OG, WIDTH), up(q.OG, 16)
    job.rows = up(job.K, 24)
    job.in_row = (q.OW + 1) // 2
    job.pairs = q.OD * q.OH * job.in_row
    chunk = min(q.N, max(<int64_t>1, 2 * CHUNK // (f.image + q.G * job.lanes * job.pairs * 2)))
    per = q.G * job.panels * cut(job.K, PLACES)
    job.pieces = max(<int64_t>1, min(16 // per, chunk * job.pairs // (2 * STEPS)))
    xbytes = up(chunk * f.image * 2, 64)
    gbytes = up(q.G * job.lanes * chunk * job.pairs * 4, 64)
    pbytes = up(job.pieces * q.G * job.lanes * job.rows * 4, 64)
    obytes = 2 * job.K * sizeof(int64_t)
    room = <char*>runtime.cpu_alloc(xbytes + gbytes + pbytes + obytes)
    if room == NULL:
        return -1
    xp, gp = <uint16_t*>room, <uint16_t*>(room + xbytes)
    job.x, job.g = xp, gp
    job.partial = <float*>(room + xbytes + gbytes)
    job.off = <int64_t*>(room + xbytes + gbytes + pbytes)
    job.to = job.off + job.K
    memset(job.partial, 0, pbytes)
    for i in range(job.K):
        c, k = (i % q.CG, i // q.CG) if last else (i // q.taps, i % q.taps)
        job.off[i] = (c * f.channel + tap_place(&q, k, q.dd * f.plane, q.dh * f.row, 0)
                      + k % q.KW * q.dw % q.sw * f.part + k % q.KW * q.dw // q.sw)
        job.to[i] = c * t[0].strides[1] + tap_place(&q, k, t[0].strides[2], t[0].strides[3], t[0].strides[4])
    while n0 < q.N:
        job.images = min(chunk, q.N - n0)
        job.across = cut(job.images * job.pairs, job.pieces)
        for i in prange(job.images * f.depth * f.rows, num_threads=threads, schedule="static"):
            flatten(xp + i // (f.depth * f.rows) * f.image + i // f.rows % f.depth * f.plane + i % f.rows * f.row, f, &q, t[2],
                    n0 + i // (f.depth * f.rows), i // f.rows % f.depth, i % f.rows)
        items = q.G * job.panels * job.images
        for i in prange(items, num_threads=threads, schedule="static"):
            pack_cotangent(gp + ((i // job.images // job.panels * job.lanes + i // job.images % job.panels * WIDTH) * job.images * job.pairs
                                 + i % job.images * job.pairs * width_of(i // job.images % job.panels, q.OG)) * 2, &q, t[1],
                           n0 + i % job.images, i // job.images // job.panels, i // job.images % job.panels, job.in_row)
        items = job.pieces * per
        if threads == 1:
            for i in range(items):
                weight_block(&job, &q, i)
        else:
            share_out(&share, items, threads)
            for me in prange(threads, num_threads=threads, schedule="static", chunksize=1):
                i = share_next(&share, me)
                while i >= 0:
                    weight_block(&job, &q, i)
                    i = share_next(&share, me)
        n0 += job.images
    for i in prange(q.G * job.panels, num_threads=threads, schedule="static"):
        finish(&job, &q, t[0], i // job.panels, i % job.panels)
    runtime.cpu_free(room, xbytes + gbytes + pbytes + obytes)
    return 0


def table():
    return {"convolution_weight_pairs_bf16": <size_t>&convolution_weight_pairs}
