# A routine of LAPACK over the matrices of a batch: where each lies, and the work space that a thread keeps for all of its own.
from cython.parallel cimport prange
from libc.stdint cimport int64_t
from libc.string cimport memset

from taeda.kernels.cpu cimport blas_room, runtime
from taeda.kernels.cpu.abi cimport Param, View
from taeda.kernels.cpu.share cimport Share, share_next, share_out

cdef enum:
    SERIAL_WORK = 1 << 18      # batches of fewer multiplications run on one thread

cdef struct Room:             # of one thread, for all its matrices: what LAPACK asked for the first, which the others want too
    char *work[3]             # numbers, reals (or what else is wanted), whole numbers
    int64_t size[3]           # in bytes
    int lwork, real, whole    # how many; 0: not asked yet

ctypedef int (*One)(View **t, const Param *p, int64_t b, Room *room) noexcept nogil      # 0, or -1: no memory


cdef inline bint has(Room *room, int which, int64_t size) noexcept nogil:
    """Allocate so many bytes unless they are there."""
    if room.work[which] == NULL:
        room.work[which] = <char*>runtime.cpu_alloc(size)
        room.size[which] = size
    return room.work[which] != NULL


cdef inline int run(One one, View **t, const Param *p, Share *share, int64_t me) noexcept nogil:
    """Take matrices until none is left."""
    cdef Room room
    cdef int64_t b
    cdef int bad = 0, i
    memset(&room, 0, sizeof(room))
    b = share_next(share, me)
    while b >= 0:
        bad |= one(t, p, b, &room)
        b = share_next(share, me)
    for i in range(3):
        if room.work[i] != NULL:
            runtime.cpu_free(room.work[i], room.size[i])
    return bad


cdef inline int rows(const View *v) noexcept nogil:
    return <int>v.shape[v.ndim - 2]


cdef inline int cols(const View *v) noexcept nogil:
    return <int>v.shape[v.ndim - 1]


cdef inline char *item(const View *v, int64_t b, int dims) noexcept nogil:
    """Where matrix (dims = 2), vector (1) or number (0) b of a dense batch begins."""
    cdef int64_t size = v.itemsize
    cdef int d
    for d in range(v.ndim - dims, v.ndim):
        size *= v.shape[d]
    return v.data + b * size


cdef inline int64_t each(One one, View **t, const Param *p) noexcept nogil:
    """Run a routine on every matrix of the batch."""
    cdef int64_t batch = p[0].i, me
    cdef int64_t work = t[0].numel * max(t[0].shape[t[0].ndim - 1], t[0].shape[t[0].ndim - 2])
    cdef int bad = 0, threads = 1 if work < SERIAL_WORK else <int>min(<int64_t>runtime.num_threads, batch)
    cdef Share share
    if not blas_room.enter(threads):
        return -1
    share_out(&share, batch, threads)
    for me in prange(threads, num_threads=threads, schedule="static", chunksize=1):
        bad |= run(one, t, p, &share, me)
    blas_room.leave(threads)
    return bad
