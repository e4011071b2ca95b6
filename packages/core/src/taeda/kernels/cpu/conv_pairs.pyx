# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Convolution of bfloat16 and its input gradient where the processor multiplies and adds pairs (AVX512-BF16): twice float32's terms a step.

(a) They are the sums of conv, y[place][lane] = sum_r src[base(place) + off[r]] * w[r][lane], whose r are pairs of neighbouring channels.
    Sums are float32's, rounded to bfloat16 once.
(b) Images are copied into frames with padding whose channels lie innermost, a zero behind an odd number of a group, unless they lie so
    already.
(c) A panel is 64 lanes, the last one as many sixteens as are left; tiles are 6 places by 64 lanes, or 8 by fewer.
(d) Work is cut by shape alone, as in conv: the same bits for any number of threads.

Views and parameters as in conv.  A kernel answers UNFIT, having done nothing, where the processor lacks the instruction, which takes
numbers below 2^-126 for zero.
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

cdef enum:
    PART = 256            # pairs that are turned at a time

ctypedef struct Frame:    # images whose channels lie innermost, an even number for each group
    const uint16_t *data
    int64_t image, plane, row, col                 # steps in elements
    int64_t depth, rows, cols, front, top, left    # of a frame, and where the image lies in it
    int64_t groups, per, even                      # channels of a group, as they are and as an even number
    bint copied

ctypedef struct Sums:
    Phase *phases
    int64_t count, images, groups, lanes, panels
    int64_t image, channel                         # steps of the result
    uint16_t *dst
    const uint16_t *weights
    const uint16_t *bias
    int64_t bias_step
    Frame frame


cdef void frame_of(Frame *f, const View *x, int64_t groups, const Window *seen) noexcept nogil:
    """Describe x as the tiles read it through a window."""
    f.groups, f.per = groups, x.shape[1] // groups
    f.even = up(f.per, 2)
    f.depth, f.rows, f.cols, f.front, f.top, f.left = seen.depth, seen.rows, seen.cols, seen.front, seen.top, seen.left
    f.copied = pads(seen, x) or f.per != f.even or x.strides[1] != 1
    if not f.copied:
        f.image, f.plane, f.row, f.col = x.strides[0], x.strides[2], x.strides[3], x.strides[4]
        return
    f.col = f.even * groups
    f.row = f.cols * f.col
    f.plane = f.rows * f.row
    f.image = f.depth * f.plane


cdef void fill_row(uint16_t *d, const Frame *f, const uint16_t *s, int64_t cs, int64_t ws, int64_t m) noexcept nogil:
    """m pixels, their channels cs and they themselves ws apart, into a row of a frame."""
    cdef int64_t g, c, j
    if cs == 1 and f.even == f.per and (ws == f.col or m == 1):
        memcpy(d, s, m * f.col * 2)
        return
    for j in range(m):
        for g in range(f.groups):
            if cs == 1:
                memcpy(d + j * f.col + g * f.even, s + j * ws + g * f.per, f.per * 2)
            else:
                for c in range(f.per):
                    d[j * f.col + g * f.even + c] = s[j * ws + (g * f.per + c) * cs]
            if f.even > f.per:
                d[j * f.col + g * f.even + f.per] = 0


cdef void fill_turned(uint16_t *d, const Frame *f, const uint16_t *s, int64_t cs, int64_t row, int64_t rows) noexcept nogil:
    """Rows of `row` pixels, all of a channel side by side, into the frame, 64 pixels of 16 channels at a time."""
    cdef Pair woven[8 * 64]
    cdef Pair turned[8 * 64]
    cdef int64_t groups = f.groups if f.even > f.per else 1, per = f.per * f.groups // groups, g, c, i, j, k, n, pairs
    cdef uint16_t *to
    for j in range(0, row * rows, 64):
        n = min(<int64_t>64, row * rows - j)
        for g in range(groups):
            for c in range(0, per, 16):
                pairs = min(<int64_t>8, (per - c + 1) // 2)
                for k in range(pairs):
                    i = g * per + c + 2 * k
                    pairs_weave(woven + k * 64, s + i * cs + j, s + (i + 1) * cs + j if c + 2 * k + 1 < per else NULL, n)
                pairs_turn(woven, 64, turned, 8, pairs, n)
                i = j % row
                to = d + j // row * f.row + i * f.col + g * f.even + c
                for k in range(n):
                    if pairs == 8:
                        memcpy(to, turned + k * 8, 32)
                    else:
                        memcpy(to, turned + k * 8, pairs * 4)
                    to += f.col
                    i += 1
                    if i == row:
                        i = 0
                        to += f.row - row * f.col


cdef void fill_plane(uint16_t *d, const Frame *f, const View *x, int64_t n, int64_t e) noexcept nogil:
    """Plane e of the frame of image n."""
    cdef int64_t h, left = min(f.left, f.cols), m = min(x.shape[4], f.cols - left), rows = min(x.shape[3], f.rows - f.top)
    cdef const uint16_t *s = <const uint16_t*>x.data + n * x.strides[0] + (e - f.front) * x.strides[2]
    if e < f.front or e - f.front >= x.shape[2]:
        memset(d, 0, f.plane * 2)
        return
    if x.strides[1] != 1 and (x.strides[4] == 1 or x.shape[4] == 1) and (x.strides[3] == m or rows == 1):
        if m < f.cols or rows < f.rows:
            memset(d, 0, f.plane * 2)
        fill_turned(d + f.top * f.row + left * f.col, f, s, x.strides[1], m, rows)
        return
    for h in range(f.rows):
        if h < f.top or h - f.top >= x.shape[3]:
            memset(d, 0, f.row * 2)
        else:
            memset(d, 0, left * f.col * 2)
            fill_row(d + left * f.col, f, s + (h - f.top) * x.strides[3], x.strides[1], x.strides[4], m)
            memset(d + (left + m) * f.col, 0, (f.cols - left - m) * f.col * 2)
        d += f.row


cdef void put_panel(uint16_t *dst, int64_t channel, int64_t col, const float *y, float *turned, const int64_t *to, int64_t places,
                    int64_t m, int64_t width) noexcept nogil:
    """Round m lanes of a panel's places to where they belong; turned has room for them."""
    cdef int64_t i, k, n, runs = 0
    cdef int64_t run[PLACES + 1]
    cdef uint16_t line[PLACES]
    if channel == 1:
        for i in range(places):
            pairs_round(dst + to[i], y + i * width, m)
        return
    if col != 1:
        turned_over(y, width, turned, <int64_t>PLACES, places, m)
        for k in range(m):
            pairs_round(line, turned + k * PLACES, places)
            for i in range(places):
                dst[k * channel + to[i]] = line[i]
        return
    for i in range(places):
        if i == 0 or to[i] != to[i - 1] + 1:
            run[runs] = i
            runs += 1
    run[runs] = places
    turned_over(y, width, turned, <int64_t>PLACES, places, m)
    for k in range(m):
        for i in range(runs):
            n = run[i]
            pairs_round(dst + k * channel + to[n], turned + k * PLACES + n, run[i + 1] - n)


cdef void sums_block(const Sums *job, int64_t item) noexcept nogil:
    """Up to 96 places of one grid by a panel of one group."""
    cdef float y[WIDTH * PLACES]
    cdef float turned[WIDTH * PLACES]
    cdef int64_t base[PLACES + 8]
    cdef int64_t to[PLACES]
    cdef const uint16_t *at[8]
    cdef const Phase *f = job.phases
    cdef const uint16_t *w
    cdef const uint16_t *x
    cdef int64_t panel, group, first, places, n, e, h, j, i, k, m, width, height, terms
    while item >= f.first + f.blocks * job.groups * job.panels:
        f += 1
    item -= f.first
    panel = item % job.panels
    group = item // job.panels % job.groups
    first = item // (job.panels * job.groups) * PLACES
    width = width_of(panel, job.lanes)
    height = pairs_height(width)
    m = min(width, job.lanes - panel * WIDTH)
    places = min(<int64_t>PLACES, job.images * f.depth * f.rows * f.cols - first)
    n = first // (f.depth * f.rows * f.cols)
    e = first // (f.rows * f.cols) % f.depth
    h = first // f.cols % f.rows
    j = first % f.cols
    for i in range(places):
        base[i] = n * job.frame.image + e * f.splane + h * f.srow + j * f.scol
        to[i] = n * job.image + f.dst + e * f.dplane + h * f.drow + j * f.dcol
        j += 1
        if j == f.cols:
            j = 0
            h += 1
            if h == f.rows:
                h = 0
                e += 1
                if e == f.depth:
                    e = 0
                    n += 1
    for i in range(places, places + 8):
        base[i] = base[places - 1]
    for k in range(width):
        y[k] = pairs_widened(job.bias[(group * job.lanes + panel * WIDTH + k) * job.bias_step]) if job.bias != NULL and k < m else 0
    for i in range(1, places):
        memcpy(y + i * width, y, width * sizeof(float))
    w = job.weights + f.w + (group * up(job.lanes, 16) + panel * WIDTH) * f.K * 2
    x = job.frame.data + group * job.frame.even
    k = 0
    while k < f.K:
        terms = min(f.K - k, <int64_t>STEPS)
        i = 0
        while i < places:
            for j in range(height):
                at[j] = x + base[i + j]
            pairs_tile(width, terms, at, f.off + k, w + k * width * 2, y + i * width)
            i += height
        k += STEPS
    put_panel(job.dst + (group * job.lanes + panel * WIDTH) * job.channel, job.channel, f.dcol, y, turned, to, places, m, width)


cdef int64_t run_sums(Sums *job, const View *src, const View *dst, const View *bias, int threads) noexcept nogil:
    """Run all blocks of all images, a chunk of images at a time."""
    cdef Frame *f = &job.frame
    cdef int64_t chunk = src.shape[0], n0 = 0, i, items, me
    cdef size_t nbytes = 0
    cdef uint16_t *room = NULL
    cdef Share share
    if f.copied:
        chunk = min(chunk, max(<int64_t>1, 2 * CHUNK // max(<int64_t>1, f.image)))
        nbytes = chunk * f.image * 2
        room = <uint16_t*>runtime.cpu_alloc(nbytes)
        if room == NULL:
            return -1
        f.data = room
    job.bias = <const uint16_t*>bias.data if bias != NULL else NULL
    job.bias_step = bias.strides[0] if bias != NULL else 0
    job.image, job.channel = dst.strides[0], dst.strides[1]
    while n0 < src.shape[0]:
        job.images = min(chunk, src.shape[0] - n0)
        if f.copied:
            for i in prange(job.images * f.depth, num_threads=threads, schedule="static"):
                fill_plane(room + i // f.depth * f.image + i % f.depth * f.plane, f, src, n0 + i // f.depth, i % f.depth)
        else:
            f.data = <const uint16_t*>src.data + n0 * f.image
        job.dst = <uint16_t*>dst.data + n0 * job.image
        items = 0
        for i in range(job.count):
            job.phases[i].first = items
            job.phases[i].blocks = cut(job.images * job.phases[i].depth * job.phases[i].rows * job.phases[i].cols, PLACES)
            items += job.phases[i].blocks * job.groups * job.panels
        if threads == 1:
            for i in range(items):
                sums_block(job, i)
        else:
            share_out(&share, items, threads)
            for me in prange(threads, num_threads=threads, schedule="static", chunksize=1):
                i = share_next(&share, me)
                while i >= 0:
                    sums_block(job, i)
                    i = share_next(&share, me)
        n0 += job.images
    if room != NULL:
        runtime.cpu_free(room, nbytes)
    return 0


cdef inline bint dense_taps(const View *w) noexcept nogil:
    """Whether the taps of a channel lie in a row."""
    return ((w.strides[4] == 1 or w.shape[4] == 1) and (w.strides[3] == w.shape[4] or w.shape[3] == 1)
            and (w.strides[2] == w.shape[3] * w.shape[4] or w.shape[2] == 1))


cdef void pack_forward(uint16_t *dst, const Geometry *q, const View *w, int64_t group, int64_t panel) noexcept nogil:
    """One panel of weights as [pair of channels, tap][lane][2], zero beyond the group's channels."""
    cdef Pair room[16 * PART]
    cdef int64_t width = width_of(panel, q.OG), m = min(width, q.OG - panel * WIDTH), pairs = (q.CG + 1) // 2, T = q.taps
    cdef int64_t per = max(<int64_t>1, PART // T), p, n, i, k, t, lane
    cdef const uint16_t *src = <const uint16_t*>w.data + (group * q.OG + panel * WIDTH) * w.strides[0]
    cdef const uint16_t *at
    cdef Pair *to = <Pair*>dst
    if m < width:
        memset(dst, 0, pairs * T * width * 4)
    if w.strides[1] == 1 and q.CG % 2 == 0 and w.strides[0] % 2 == 0 and (T == 1 or T > PART or not dense_taps(w)):
        k = 0
        for t in range(T):
            k |= tap_place(q, t, w.strides[2], w.strides[3], w.strides[4])
        if (k * 2 | <int64_t>w.data) % 4 == 0:           # pairs lie as floats do
            for t in range(T):
                at = src + tap_place(q, t, w.strides[2], w.strides[3], w.strides[4])
                pairs_turn(<const Pair*>at, w.strides[0] // 2, to + t * width, T * width, m, pairs)
            return
    if not dense_taps(w) or w.strides[1] != T or T > PART:
        for p in range(pairs):
            for t in range(T):
                at = src + 2 * p * w.strides[1] + tap_place(q, t, w.strides[2], w.strides[3], w.strides[4])
                for i in range(m):
                    dst[((p * T + t) * width + i) * 2] = at[i * w.strides[0]]
                    dst[((p * T + t) * width + i) * 2 + 1] = at[i * w.strides[0] + w.strides[1]] if 2 * p + 1 < q.CG else 0
        return
    for lane in range(0, m, 16):
        n = min(<int64_t>16, m - lane)
        p = 0
        while p < pairs:
            k = min(per, pairs - p)
            for i in range(n):
                pairs_of_channels(room + i * PART, src + (lane + i) * w.strides[0] + 2 * p * T, T, min(2 * k, q.CG - 2 * p))
            pairs_turn(room, PART, to + p * T * width + lane, width, n, k * T)
            p += per


cdef void pack_input(uint16_t *weights, const Sums *job, const Geometry *q, const View *w, int64_t group, int64_t panel) noexcept nogil:
    """One panel of weights for all phases as [pair of output channels, tap of the phase][lane = input channel][2]."""
    cdef Pair woven[WIDTH * PART]
    cdef Pair turned[WIDTH * PART]
    cdef int64_t width = width_of(panel, q.CG), m = min(width, q.CG - panel * WIDTH), T = q.taps, o, i, j, r
    cdef Tap k
    cdef bint runs = dense_taps(w) and w.strides[1] == T and T <= PART
    cdef const uint16_t *src = <const uint16_t*>w.data + group * q.OG * w.strides[0] + panel * WIDTH * w.strides[1]
    cdef const uint16_t *a
    cdef const uint16_t *b
    cdef const Phase *f
    cdef Pair *to
    for o in range(0, q.OG, 2):
        a = src + o * w.strides[0]
        b = a + w.strides[0] if o + 1 < q.OG else NULL
        if runs:
            pairs_weave(woven, a, b, m * T)
            pairs_turn(woven, T, turned, width, m, T)
        for j in range(job.count):
            f = job.phases + j
            if f.K == 0:
                continue
            r = o // 2 * (f.K // ((q.OG + 1) // 2))
            to = <Pair*>(weights + f.w + (group * up(q.CG, 16) + panel * WIDTH) * f.K * 2)
            k = before_taps(f)
            while next_tap(&k, f, q):
                if runs:
                    memcpy(to + r * width, turned + ((k.d * q.KH + k.h) * q.KW + k.w) * width, m * 4)
                else:
                    i = k.d * w.strides[2] + k.h * w.strides[3] + k.w * w.strides[4]
                    if w.strides[1] == 1:
                        pairs_weave(to + r * width, a + i, b + i if b != NULL else NULL, m)
                    else:
                        pairs_weave_apart(to + r * width, a + i, b + i if b != NULL else NULL, w.strides[1], m)
                if m < width:
                    memset(to + r * width + m, 0, (width - m) * 4)
                r += 1


cdef int64_t convolution_pairs(View **t, const Param *p) noexcept nogil:
    """y[n, o, i] = b[o] + sum x[n, c, i s + k d - p] w[o, c, k], where i and k count along depth, height and width."""
    cdef Geometry q
    cdef Phase f
    cdef Sums job
    cdef Window window
    cdef const Frame *s
    cdef int64_t i, bad, wbytes
    cdef char *room
    cdef int threads
    if not bf16_runs() or t[0].numel == 0 or t[1].numel == 0:
        return UNFIT
    geometry(&q, t[1], t[2], t[0], p)
    threads = threads_for(t[0].numel * q.CG * q.taps)
    window = window_of_input(&q)
    frame_of(&job.frame, t[1], q.G, &window)
    s = &job.frame
    f.K = (q.CG + 1) // 2 * q.taps
    f.w = 0
    f.depth, f.rows, f.cols = q.OD, q.OH, q.OW
    f.splane, f.srow, f.scol = s.plane * q.sd, s.row * q.sh, s.col * q.sw
    f.dst, f.dplane, f.drow, f.dcol = 0, t[0].strides[2], t[0].strides[3], t[0].strides[4]
    job.phases, job.count, job.groups, job.lanes, job.panels = &f, 1, q.G, q.OG, cut(q.OG, WIDTH)
    wbytes = up(q.G * up(q.OG, 16) * f.K * 4, 64)
    room = <char*>runtime.cpu_alloc(wbytes + f.K * sizeof(int64_t))
    if room == NULL:
        return -1
    job.weights = <const uint16_t*>room
    f.off = <int64_t*>(room + wbytes)
    term_offsets(f.off, &q, (q.CG + 1) // 2, 2, q.dd * s.plane, q.dh * s.row, q.dw * s.col)
    for i in prange(q.G * job.panels, num_threads=threads, schedule="static"):
        pack_forward(<uint16_t*>room + (i // job.panels * up(q.OG, 16) + i % job.panels * WIDTH) * f.K * 2, &q, t[2], i // job.panels,
                     i % job.panels)
    bad = run_sums(&job, t[1], t[0], t[3] if p[10].i else NULL, threads)
    runtime.cpu_free(room, wbytes + f.K * sizeof(int64_t))
    return bad


cdef int64_t convolution_input_pairs(View **t, const Param *p) noexcept nogil:
    """dx = the transpose of convolution applied to g: for each residue of the stride, a stride-1 sum."""
    cdef Geometry q
    cdef Sums job
    cdef const Frame *s
    cdef Phase *f
    cdef int64_t i, bad, total = 0, terms = 0, fbytes, wbytes
    cdef Window window
    cdef char *room
    cdef int64_t *off
    cdef int threads
    if not bf16_runs() or t[0].numel == 0 or t[1].numel == 0:
        return UNFIT
    geometry(&q, t[0], t[2], t[1], p)
    threads = threads_for(t[1].numel * q.CG * q.taps)
    window = window_of_cotangent(&q)
    frame_of(&job.frame, t[1], q.G, &window)
    s = &job.frame
    job.count = min(q.sd, q.D) * min(q.sh, q.H) * min(q.sw, q.W)
    job.groups, job.lanes, job.panels = q.G, q.CG, cut(q.CG, WIDTH)
    fbytes = up(job.count * sizeof(Phase), 64)
    job.phases = <Phase*>runtime.cpu_alloc(fbytes)
    if job.phases == NULL:
        return -1
    for i in range(job.count):
        f = job.phases + i
        residue_class(f, &q, t[0], i)
        f.K = f.K // q.OG * ((q.OG + 1) // 2)
        f.w = total
        f.splane, f.srow, f.scol = s.plane, s.row, s.col
        total += q.G * up(q.CG, 16) * f.K * 2
        terms += f.K
    wbytes = up(total * 2, 64)
    room = <char*>runtime.cpu_alloc(wbytes + terms * sizeof(int64_t) + 64)
    if room == NULL:
        runtime.cpu_free(job.phases, fbytes)
        return -1
    job.weights = <const uint16_t*>room
    off = <int64_t*>(room + wbytes)
    for i in range(job.count):
        f = job.phases + i
        f.off = off
        input_offsets(f, &q, s.front * s.plane + s.top * s.row + s.left * s.col, (q.OG + 1) // 2, 2, s.plane, s.row, s.col)
        off += f.K
    for i in prange(q.G * job.panels, num_threads=threads, schedule="static"):
        pack_input(<uint16_t*>room, &job, &q, t[2], i // job.panels, i % job.panels)
    bad = run_sums(&job, t[1], t[0], t[3] if p[10].i else NULL, threads)
    runtime.cpu_free(room, wbytes + terms * sizeof(int64_t) + 64)
    runtime.cpu_free(job.phases, fbytes)
    return bad


def table():
    return {
        "convolution_pairs_bf16": <size_t>&convolution_pairs,
        "convolution_input_pairs_bf16": <size_t>&convolution_input_pairs,
    }
