# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Products of bfloat16 matrices where the processor multiplies their pairs (gemm_bf16.h): C = beta S + alpha A B over a batch.

``gemm_pairs_bf16`` takes gemm's views and parameters.  It answers TOO_SMALL, having done nothing, where the processor lacks the
instruction, there are no terms, or float32 copies are as fast: a vector against rows that lie the wrong way.  Then gemm takes over.
"""
from cython.parallel cimport prange
from libc.stdint cimport int64_t, uint16_t

from taeda.kernels.cpu.abi cimport Param, View
from taeda.kernels.cpu.runtime cimport cpu_alloc, cpu_free, num_threads
from taeda.kernels.cpu.share cimport Share, share_next, share_out

cdef extern from "gemm_bf16.h":
    ctypedef struct Bf16Product:
        const uint16_t *a
        const uint16_t *b
        const uint16_t *s
        uint16_t *c
        int64_t m, n, k, ars, acs, brs, bcs, crs, srs, scs
        float alpha, beta
        int by_dots, pack_a
    int bf16_runs() nogil
    void bf16_plan(Bf16Product *p) nogil
    int64_t bf16_panels(const Bf16Product *p) nogil
    int64_t bf16_strips(const Bf16Product *p) nogil
    int64_t bf16_height(const Bf16Product *p) nogil
    int64_t bf16_room_of_a(const Bf16Product *p) nogil
    int64_t bf16_room_of_b(const Bf16Product *p, int64_t panels) nogil
    int64_t bf16_group(const Bf16Product *p) nogil
    void bf16_pack_panel(const Bf16Product *p, uint16_t *to, int64_t i) nogil
    void bf16_pack_strip(const Bf16Product *p, uint16_t *of_a, int64_t i) nogil
    void bf16_rows(const Bf16Product *p, const uint16_t *packed, const uint16_t *of_a, int64_t top, int64_t end, int64_t first,
                   int64_t last) nogil
    enum:
        BF16_STRIP
        BF16_ROWS
    void bf16_dots(const Bf16Product *p, int64_t first, int64_t last) nogil

cdef enum:
    TOO_SMALL = 1
    COLUMNS = 64              # of dot products, at a turn
    SERIAL_MACS = 1 << 20     # below this a second thread costs more than it brings
    LEAST_TERMS = 8           # what writing a number of C costs as well


cdef inline const uint16_t *matrix(const View *v, int64_t batch) noexcept nogil:
    """Matrix number `batch` in row-major order of the batch dimensions."""
    cdef const uint16_t *x = <const uint16_t*>v.data
    cdef int d
    for d in range(v.ndim - 3, -1, -1):
        x += batch % v.shape[d] * v.strides[d]
        batch = batch // v.shape[d]
    return x


cdef Bf16Product product_of(View **t, const Param *p, int64_t batch, bint turned) noexcept nogil:
    """The product of one matrix of the batch; turned: of C^T = B^T A^T."""
    cdef Bf16Product x
    cdef int r = t[0].ndim - (1 if turned else 2), c = t[0].ndim - (2 if turned else 1)
    cdef View *a = t[2] if turned else t[1]
    cdef View *b = t[1] if turned else t[2]
    x.a, x.b, x.c = matrix(a, batch), matrix(b, batch), <uint16_t*>matrix(t[0], batch)
    x.m, x.n, x.k = t[0].shape[r], t[0].shape[c], a.shape[c]
    x.ars, x.acs, x.brs, x.bcs, x.crs = a.strides[r], a.strides[c], b.strides[r], b.strides[c], t[0].strides[r]
    x.alpha, x.beta = <float>p[0].f, <float>p[1].f
    x.s, x.srs, x.scs = NULL, 0, 0
    if p[2].i and x.beta != 0:
        x.s, x.srs, x.scs = matrix(t[3], batch), t[3].strides[r], t[3].strides[c]
    bf16_plan(&x)
    return x


cdef int group(const Bf16Product *x, uint16_t *packed, const uint16_t *of_a, int64_t first, int64_t last, int64_t height) noexcept nogil:
    """Pack panels first to last - 1 of B and multiply all of A by them."""
    cdef int64_t i
    for i in range(first, last):
        bf16_pack_panel(x, packed + bf16_room_of_b(x, i - first), i)
    for i in range((x.m + height - 1) // height):
        bf16_rows(x, packed, of_a, i * height, min((i + 1) * height, x.m), first, last)
    return 0


cdef int alone(View **t, const Param *p, int64_t batch, bint turned, uint16_t *room) noexcept nogil:
    """One matrix by one thread."""
    cdef Bf16Product x = product_of(t, p, batch, turned)
    cdef int64_t i, panels = bf16_panels(&x), some = bf16_group(&x), height = bf16_height(&x)
    cdef uint16_t *of_a = room + bf16_room_of_b(&x, some)
    if x.by_dots:
        bf16_dots(&x, 0, x.n)
        return 0
    if x.pack_a:
        for i in range(bf16_strips(&x)):
            bf16_pack_strip(&x, of_a, i)
    for i in range((panels + some - 1) // some):
        group(&x, room, of_a, i * some, min((i + 1) * some, panels), height)
    return 0


cdef int together(View **t, const Param *p, int64_t batch, bint turned, uint16_t *room, int threads) noexcept nogil:
    """One matrix by all threads, which take panels of B and pack them, or rows of A where there are few panels."""
    cdef Bf16Product x = product_of(t, p, batch, turned)
    cdef int64_t i, me, panels = bf16_panels(&x), some = bf16_group(&x), height = bf16_height(&x)
    cdef uint16_t *of_a = room + room_of_b(&x, threads)
    cdef Share share
    if x.by_dots:
        for i in prange((x.n + COLUMNS - 1) // COLUMNS, num_threads=threads, schedule="static"):
            bf16_dots(&x, i * COLUMNS, min((i + 1) * COLUMNS, x.n))
        return 0
    if x.pack_a:
        for i in prange(bf16_strips(&x), num_threads=threads, schedule="static"):
            bf16_pack_strip(&x, of_a, i)
    if panels >= turns(threads):
        some = min(some, panels // turns(threads))
        share_out(&share, (panels + some - 1) // some, threads)
        for me in prange(threads, num_threads=threads, schedule="static", chunksize=1):
            i = share_next(&share, me)
            while i >= 0:
                group(&x, room + me * bf16_room_of_b(&x, bf16_group(&x)), of_a, i * some, min((i + 1) * some, panels), height)
                i = share_next(&share, me)
        return 0
    for i in prange(panels, num_threads=threads, schedule="static"):
        bf16_pack_panel(&x, room + bf16_room_of_b(&x, i), i)
    while height > BF16_ROWS and (x.m + height - 1) // height < turns(threads):
        height = height // 2
    share_out(&share, (x.m + height - 1) // height, threads)
    for me in prange(threads, num_threads=threads, schedule="static", chunksize=1):
        i = share_next(&share, me)
        while i >= 0:
            bf16_rows(&x, room, of_a, i * height, min((i + 1) * height, x.m), 0, panels)
            i = share_next(&share, me)
    return 0


cdef inline int64_t turns(int threads) noexcept nogil:
    """At least so many for all threads, of one matrix: each takes what another has not begun."""
    return 4 * threads


cdef inline int64_t room_of_b(const Bf16Product *x, int threads) noexcept nogil:
    """What `together` packs: groups of panels, one for each thread, or all of few."""
    cdef int64_t panels = bf16_panels(x)
    return bf16_room_of_b(x, bf16_group(x) * threads if panels >= turns(threads) else panels)


cdef int64_t gemm_pairs(View **t, const Param *p) noexcept nogil:
    """gemm of bfloat16, or TOO_SMALL: threads take matrices of the batch, or share each where there are few."""
    cdef int nd = t[0].ndim, threads = num_threads
    cdef int64_t batch, i, me, room, macs
    cdef bint turned = t[0].strides[nd - 1] != 1 or t[0].shape[nd - 1] == 1
    cdef Bf16Product x
    cdef Share share
    cdef uint16_t *rooms
    if not bf16_runs() or t[0].numel == 0 or turned and t[0].strides[nd - 2] != 1:
        return TOO_SMALL
    x = product_of(t, p, 0, turned)
    if x.k < 1 or x.n < 2 or x.m < 2 and not x.by_dots:
        return TOO_SMALL
    batch = t[0].numel // (x.m * x.n)
    macs = x.m * x.n * max(x.k, <int64_t>LEAST_TERMS)
    if batch * macs < SERIAL_MACS:
        threads = 1
    if threads > 1 and (batch < threads or batch < 4 * threads and macs >= SERIAL_MACS):
        room = room_of_b(&x, threads) + bf16_room_of_a(&x)
        rooms = <uint16_t*>cpu_alloc(room * sizeof(uint16_t))
        if rooms == NULL:
            return -1
        for i in range(batch):
            together(t, p, i, turned, rooms, threads)
        cpu_free(rooms, room * sizeof(uint16_t))
        return 0
    room = bf16_room_of_b(&x, bf16_group(&x)) + bf16_room_of_a(&x)
    rooms = <uint16_t*>cpu_alloc(room * threads * sizeof(uint16_t))
    if rooms == NULL:
        return -1
    share_out(&share, batch, threads)
    for me in prange(threads, num_threads=threads, schedule="static", chunksize=1):
        i = share_next(&share, me)
        while i >= 0:
            alone(t, p, i, turned, rooms + room * me)
            i = share_next(&share, me)
    cpu_free(rooms, room * threads * sizeof(uint16_t))
    return 0


def table():
    """Return kernel name -> address."""
    return {"gemm_pairs_bf16": <size_t>&gemm_pairs}
