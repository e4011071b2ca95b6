# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Products of bfloat16 matrices where the processor multiplies their pairs (gemm_bf16.h): C = beta S + alpha A B over a batch.

``gemm_pairs_bf16`` takes gemm's views and parameters.  It answers TOO_SMALL, having done nothing, where the processor lacks the
instruction or float32 copies are as fast: a single term, or a vector against rows that lie the wrong way.  Then gemm takes over.
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
        int by_dots
    int bf16_runs() nogil
    void bf16_plan(Bf16Product *p) nogil
    int64_t bf16_panels(const Bf16Product *p) nogil
    int64_t bf16_strips(const Bf16Product *p) nogil
    int64_t bf16_room_of_a(const Bf16Product *p) nogil
    int64_t bf16_room_of_b(const Bf16Product *p) nogil
    void bf16_pack_panel(const Bf16Product *p, uint16_t *packed, int64_t i) nogil
    void bf16_strip(const Bf16Product *p, const uint16_t *packed, uint16_t *room, int64_t i, int64_t first, int64_t last) nogil
    void bf16_dots(const Bf16Product *p, int64_t first, int64_t last) nogil

cdef enum:
    TOO_SMALL = 1
    COLUMNS = 64              # of dot products, at a turn
    SERIAL_MACS = 1 << 20     # below this a second thread costs more than it brings
    TURNS = 8                 # at least so many for all threads, of one matrix


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


cdef int alone(View **t, const Param *p, int64_t batch, bint turned, uint16_t *room) noexcept nogil:
    """One matrix by one thread."""
    cdef Bf16Product x = product_of(t, p, batch, turned)
    cdef uint16_t *of_a = room + bf16_room_of_b(&x)
    cdef int64_t i
    if x.by_dots:
        bf16_dots(&x, 0, x.n)
        return 0
    for i in range(bf16_panels(&x)):
        bf16_pack_panel(&x, room, i)
    for i in range(bf16_strips(&x)):
        bf16_strip(&x, room, of_a, i, 0, bf16_panels(&x))
    return 0


cdef int piece(const Bf16Product *x, const uint16_t *packed, uint16_t *of_a, int64_t i, int64_t cuts) noexcept nogil:
    """Turn number i of a matrix whose strips are cut so often."""
    cdef int64_t panels = bf16_panels(x), some = (panels + cuts - 1) // cuts, first = i % cuts * some
    bf16_strip(x, packed, of_a, i // cuts, first, min(first + some, panels))
    return 0


cdef int together(View **t, const Param *p, int64_t batch, bint turned, uint16_t *room, int threads) noexcept nogil:
    """One matrix by all threads: B is packed for all of them, then each takes strips, or parts of strips where there are few."""
    cdef Bf16Product x = product_of(t, p, batch, turned)
    cdef uint16_t *of_a = room + bf16_room_of_b(&x)
    cdef int64_t i, me, strips = bf16_strips(&x), cuts = min((TURNS + strips - 1) // strips, bf16_panels(&x))
    cdef int64_t each = bf16_room_of_a(&x)
    cdef Share share
    if x.by_dots:
        for i in prange((x.n + COLUMNS - 1) // COLUMNS, num_threads=threads, schedule="static"):
            bf16_dots(&x, i * COLUMNS, min((i + 1) * COLUMNS, x.n))
        return 0
    for i in prange(bf16_panels(&x), num_threads=threads, schedule="static"):
        bf16_pack_panel(&x, room, i)
    share_out(&share, strips * cuts, threads)
    for me in prange(threads, num_threads=threads, schedule="static", chunksize=1):
        i = share_next(&share, me)
        while i >= 0:
            piece(&x, room, of_a + each * me, i, cuts)
            i = share_next(&share, me)
    return 0


cdef int64_t gemm_pairs(View **t, const Param *p) noexcept nogil:
    cdef int nd = t[0].ndim, threads = num_threads
    cdef int64_t batch, i, me, room, macs
    cdef bint turned = t[0].strides[nd - 1] != 1 or t[0].shape[nd - 1] == 1
    cdef Bf16Product x
    cdef Share share
    cdef uint16_t *rooms
    if not bf16_runs() or t[0].numel == 0 or turned and t[0].strides[nd - 2] != 1:
        return TOO_SMALL
    x = product_of(t, p, 0, turned)
    if x.k < 2 or x.n < 2 or x.m < 2 and not x.by_dots:
        return TOO_SMALL
    batch = t[0].numel // (x.m * x.n)
    macs = x.m * x.n * x.k
    if batch * macs < SERIAL_MACS:
        threads = 1
    room = bf16_room_of_b(&x) + bf16_room_of_a(&x)
    if threads > 1 and (batch < threads or macs >= SERIAL_MACS):
        room = bf16_room_of_b(&x) + bf16_room_of_a(&x) * threads
        rooms = <uint16_t*>cpu_alloc(room * sizeof(uint16_t))
        if rooms == NULL:
            return -1
        for i in range(batch):
            together(t, p, i, turned, rooms, threads)
        cpu_free(rooms, room * sizeof(uint16_t))
        return 0
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
