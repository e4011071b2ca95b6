# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Batch and group normalisation of float16 and bfloat16, forward and backward, as float32's are (norm.pyx.in), without copies of it.

Weights, biases, moments and running buffers are halves, or all float32 (as under autocast); they are read and rounded one by one.
"""
from cython.parallel cimport prange
from libc.math cimport isfinite, sqrt
from libc.stdint cimport int64_t, uint16_t

from taeda.kernels.cpu.abi cimport Param, View
from taeda.kernels.cpu.runtime cimport cpu_alloc, cpu_free
from taeda.kernels.cpu.work cimport threads_for

cdef extern from "norm_half.h" nogil:
    enum: NORM_COLS
    float half_part(const View* v, int64_t c, float otherwise)
    void put_half_part(View* v, int64_t c, float x)
    void cols_merge(double* mean, double* m2, double count, const double* mean_too, const double* m2_too, double more, int64_t cols)
    void half_moments(int code, const uint16_t* x, int64_t N, int64_t step, int64_t L, double* mean, double* m2)
    void half_affine(int code, uint16_t* y, const uint16_t* x, int64_t N, int64_t step, int64_t L, float mean, float a, float b)
    void half_dots(int code, const uint16_t* g, const uint16_t* x, int64_t N, int64_t step, int64_t L, float mean, double* sg, double* sgx)
    void half_gradient(int code, uint16_t* gx, const uint16_t* g, const uint16_t* x, int64_t N, int64_t step, int64_t L, float mean,
                       float a, float k1, float k2)
    void half_cols_moments(int code, const uint16_t* x, int64_t rows, int64_t step, int64_t cols, double* mean, double* m2, float* room)
    void half_cols_dots(int code, const uint16_t* g, const uint16_t* x, int64_t rows, int64_t step, int64_t cols, const float* mean,
                        double* sg, double* sgx, float* room)
    void half_cols_affine(int code, uint16_t* y, const uint16_t* x, int64_t rows, int64_t step, int64_t cols, const float* mean,
                          const float* a, const float* b)
    void half_cols_gradient(int code, uint16_t* gx, const uint16_t* g, const uint16_t* x, int64_t rows, int64_t step, int64_t cols,
                            const float* mean, const float* a, const float* k1, const float* k2)
    void half_group(int code, uint16_t* y, const uint16_t* x, int64_t K, int64_t L, float mean, float rstd, double off, const View* w,
                    const View* b, int64_t first)
    void half_group_backward(int code, uint16_t* gx, const uint16_t* g, const uint16_t* x, int64_t K, int64_t L, float mean, float rstd,
                             const View* w, int64_t first, double* sums)


cdef inline uint16_t* halves(View* v) noexcept nogil:
    return <uint16_t*>v.data if v != NULL else NULL


ctypedef void (*Channel)(View** t, const Param* p, int64_t c) noexcept nogil


cdef int64_t each_channel(Channel one, View** t, const Param* p, int work) noexcept nogil:
    """Run ``one`` for every channel; an element takes ``work`` accesses of memory."""
    cdef int64_t C = p[1].i, k
    for k in prange(C, num_threads=threads_for(p[0].i * C * p[2].i * work, C), schedule="static"):
        one(t, p, k)
    return 0


cdef struct Blocks:           # of N rows of C channels: up to 64 KiB each when they are wide
    int64_t rows, blocks, tiles, units, cols  # rows of a block, blocks, tiles of columns in each, blocks times tiles, columns of a tile
    int threads
    double* part              # two sums a channel of each block
    float* mean               # four floats a channel: its mean, and what else it comes to
    size_t nbytes


# -- batch norm --------------------------------------------------------------------------------------

cdef void statistics(View** t, const Param* p, int64_t c, double mu, double m2, float* mean, float* a, float* off) noexcept nogil:
    """What follows from channel c's mean and squared deviations: its buffers, and y = (x - mean) a + off."""
    cdef double m = p[3].f, rstd, count = <double>(p[0].i * p[2].i)
    mean[0] = <float>mu
    put_half_part(t[1], c, mean[0])
    put_half_part(t[6], c, <float>((1 - m) * half_part(t[6], c, 0) + m * mu))
    put_half_part(t[7], c, <float>((1 - m) * half_part(t[7], c, 0) + m * m2 / (count - 1)))
    rstd = 1 / sqrt(m2 / count + p[4].f)
    put_half_part(t[2], c, <float>rstd)
    a[0] = <float>(rstd * half_part(t[4], c, 1))
    off[0] = half_part(t[5], c, 0) - <float>((mu - <double>mean[0]) * a[0])           # what the mean lost in rounding


cdef void bn_channel(View** t, const Param* p, int64_t c) noexcept nogil:
    cdef int64_t N = p[0].i, step = p[1].i * p[2].i, L = p[2].i
    cdef double mu, m2
    cdef float mean, a, off
    half_moments(t[0].dtype, halves(t[3]) + c * L, N, step, L, &mu, &m2)
    statistics(t, p, c, mu, m2, &mean, &a, &off)
    half_affine(t[0].dtype, halves(t[0]) + c * L, halves(t[3]) + c * L, N, step, L, mean, a, off)


cdef int64_t unit_sums(View** t, const Param* p, const Blocks* s, int64_t k, bint backward) noexcept nogil:
    """The moments of unit k's columns; of backward, their sums.  -1: no memory."""
    cdef int64_t N = p[0].i, C = p[1].i, b = k // s.tiles, r = b * s.rows, c = k % s.tiles * NORM_COLS
    cdef int64_t rows = min(s.rows, N - r), cols = min(s.cols, C - c), at = r * C + c
    cdef size_t nbytes = <size_t>((2 if backward else 1) * rows * cols) * sizeof(float)
    cdef float* room = <float*>cpu_alloc(nbytes)
    cdef double* first = s.part + 2 * b * C + c
    if room == NULL:
        return -1
    if backward:
        half_cols_dots(t[3].dtype, halves(t[3]) + at, halves(t[4]) + at, rows, C, cols, s.mean + c, first, first + C, room)
    else:
        half_cols_moments(t[3].dtype, halves(t[3]) + at, rows, C, cols, first, first + C, room)
    cpu_free(room, nbytes)
    return 0


cdef int64_t block_sums(Blocks* s, View** t, const Param* p, int work, bint backward) noexcept nogil:
    """Cut the rows into blocks and take the sums of each, for the caller to join and to free.  -1: no memory."""
    cdef int64_t N = p[0].i, C = p[1].i, k, c, failed = 0
    s.cols = min(C, <int64_t>NORM_COLS)
    s.tiles = (C + NORM_COLS - 1) // NORM_COLS
    s.rows = max(16, min(128, 16384 // s.cols))
    s.blocks = (N + s.rows - 1) // s.rows
    s.units = s.blocks * s.tiles
    s.threads = threads_for(N * C * work, s.units)
    s.nbytes = <size_t>(2 * (s.blocks + 1) * C) * sizeof(double)
    s.part = <double*>cpu_alloc(s.nbytes)
    if s.part == NULL:
        return -1
    s.mean = <float*>(s.part + 2 * s.blocks * C)
    for c in range(C if backward else 0):
        s.mean[c] = half_part(t[6], c, 0)
    for k in prange(s.units, num_threads=s.threads, schedule="static"):
        failed += unit_sums(t, p, s, k, backward)
    if failed:
        cpu_free(s.part, s.nbytes)
    return failed


cdef double plain_mean(View** t, const Param* p, int64_t c) noexcept nogil:
    """The mean of column c, whose values are not all finite."""
    cdef double mu, m2
    half_moments(t[3].dtype, halves(t[3]) + c, p[0].i, p[1].i, 1, &mu, &m2)
    return mu


cdef int64_t batch_norm(View** t, const Param* p) noexcept nogil:
    """(y, mean, rstd, x, w, b, running_mean, running_var): y = (x - mean) rstd w + b, channel by channel.

    p: N, C, L, momentum, eps.  The running buffers, if any, are moved towards the batch's mean and unbiased variance.
    """
    cdef int64_t N = p[0].i, C = p[1].i, k, c, r, b
    cdef float* mean
    cdef double* part
    cdef Blocks s
    if p[2].i > 1:
        return each_channel(bn_channel, t, p, 3)
    if block_sums(&s, t, p, 3, False):
        return -1
    part, mean = s.part, s.mean
    for b in range(1, s.blocks):
        cols_merge(part, part + C, <double>(b * s.rows), part + 2 * b * C, part + (2 * b + 1) * C, <double>min(s.rows, N - b * s.rows), C)
    for c in range(C):
        statistics(t, p, c, part[c] if isfinite(part[c]) else plain_mean(t, p, c), part[C + c], mean + c, mean + C + c, mean + 2 * C + c)
    for k in prange(s.units, num_threads=s.threads, schedule="static"):
        r, c = k // s.tiles * s.rows, k % s.tiles * NORM_COLS
        half_cols_affine(t[0].dtype, halves(t[0]) + r * C + c, halves(t[3]) + r * C + c, min(s.rows, N - r), C, min(s.cols, C - c),
                         mean + c, mean + C + c, mean + 2 * C + c)
    cpu_free(part, s.nbytes)
    return 0


cdef void factors(View** t, const Param* p, int64_t c, double sg, double sgx, float* a, float* k1, float* k2) noexcept nogil:
    """Channel c's gradients of weight and bias, and gx = a g - k1 - (x - mean) k2."""
    cdef double r = half_part(t[7], c, 0), count = <double>(p[0].i * p[2].i)
    put_half_part(t[1], c, <float>(sgx * r))
    put_half_part(t[2], c, <float>sg)
    a[0] = <float>(r * half_part(t[5], c, 1))
    k1[0] = <float>(a[0] * sg / count) if p[3].i else 0
    k2[0] = <float>(a[0] * r * r * sgx / count) if p[3].i else 0


cdef void bn_backward_channel(View** t, const Param* p, int64_t c) noexcept nogil:
    cdef int64_t N = p[0].i, step = p[1].i * p[2].i, L = p[2].i
    cdef uint16_t* g = halves(t[3]) + c * L
    cdef uint16_t* x = halves(t[4]) + c * L
    cdef float a, k1, k2, mean = half_part(t[6], c, 0)
    cdef double sg, sgx
    half_dots(t[3].dtype, g, x, N, step, L, mean, &sg, &sgx)
    factors(t, p, c, sg, sgx, &a, &k1, &k2)
    if t[0] != NULL:
        half_gradient(t[3].dtype, halves(t[0]) + c * L, g, x, N, step, L, mean, a, k1, k2)


cdef int64_t batch_norm_backward(View** t, const Param* p) noexcept nogil:
    """(gx, gw, gb, g, x, w, mean, rstd); outputs that are NULL are not computed.  p: N, C, L, training."""
    cdef int64_t N = p[0].i, C = p[1].i, k, c, r, b, at
    cdef float* mean
    cdef double* part
    cdef Blocks s
    if p[2].i > 1:
        return each_channel(bn_backward_channel, t, p, 4)
    if block_sums(&s, t, p, 4, True):
        return -1
    part, mean = s.part, s.mean
    for b in range(1, s.blocks):
        for c in range(2 * C):
            part[c] += part[2 * b * C + c]
    for c in range(C):
        factors(t, p, c, part[c], part[C + c], mean + C + c, mean + 2 * C + c, mean + 3 * C + c)
    if t[0] != NULL:
        for k in prange(s.units, num_threads=s.threads, schedule="static"):
            r, c = k // s.tiles * s.rows, k % s.tiles * NORM_COLS
            at = r * C + c
            half_cols_gradient(t[3].dtype, halves(t[0]) + at, halves(t[3]) + at, halves(t[4]) + at, min(s.rows, N - r), C,
                               min(s.cols, C - c), mean + c, mean + C + c, mean + 2 * C + c, mean + 3 * C + c)
    cpu_free(part, s.nbytes)
    return 0


# -- group norm --------------------------------------------------------------------------------------

cdef void gn_row(View** t, const Param* p, int64_t r) noexcept nogil:
    """group_norm of row r: group r % G of sample r / G."""
    cdef int64_t L = p[2].i, K = p[1].i // p[3].i, n = K * L
    cdef uint16_t* x = halves(t[3]) + r * n
    cdef double mu, m2
    cdef float mean, rstd
    half_moments(t[0].dtype, x, 1, n, n, &mu, &m2)
    mean = <float>mu
    rstd = <float>(1 / sqrt(m2 / <double>n + p[4].f))
    put_half_part(t[1], r, mean)
    put_half_part(t[2], r, rstd)
    half_group(t[0].dtype, halves(t[0]) + r * n, x, K, L, mean, rstd, mu - <double>mean, t[4], t[5], r % p[3].i * K)


cdef int64_t group_norm(View** t, const Param* p) noexcept nogil:
    """(y, mean, rstd, x, w, b): y = (x - mean) rstd w + b, group by group.  p: N, C, L, G, eps."""
    cdef int64_t rows = p[0].i * p[3].i, k
    for k in prange(rows, num_threads=threads_for(p[0].i * p[1].i * p[2].i * 3, rows), schedule="static"):
        gn_row(t, p, k)
    return 0


cdef void gn_backward_row(View** t, const Param* p, int64_t r, double* sums) noexcept nogil:
    cdef int64_t L = p[2].i, K = p[1].i // p[3].i, n = K * L
    half_group_backward(t[3].dtype, halves(t[0]) + r * n if t[0] != NULL else NULL, halves(t[3]) + r * n, halves(t[4]) + r * n, K, L,
                        half_part(t[6], r, 0), half_part(t[7], r, 0), t[5], r % p[3].i * K, sums)


cdef int64_t group_norm_backward(View** t, const Param* p) noexcept nogil:
    """(gx, gw, gb, g, x, w, mean, rstd); outputs that are NULL are not computed.  p: N, C, L, G."""
    cdef int64_t N = p[0].i, C = p[1].i, G = p[3].i, rows = N * G, k, n, c
    cdef size_t nbytes = <size_t>(2 * N * C) * sizeof(double)
    cdef double* sums = <double*>cpu_alloc(nbytes)
    cdef double s, sx
    if sums == NULL:
        return -1
    for k in prange(rows, num_threads=threads_for(N * C * p[2].i * 4, rows), schedule="static"):
        gn_backward_row(t, p, k, sums + 2 * (k // G * C + k % G * (C // G)))
    for c in range(C):
        s = 0
        sx = 0
        for n in range(N):
            s += sums[2 * (n * C + c)]
            sx += sums[2 * (n * C + c) + 1] * half_part(t[7], n * G + c // (C // G), 0)
        put_half_part(t[1], c, <float>sx)
        put_half_part(t[2], c, <float>s)
    cpu_free(sums, nbytes)
    return 0


def table():
    """Return the address of each kernel by name."""
    return {f"{name}_{half}": address for half in ("f16", "bf16") for name, address in (
        ("batch_norm", <size_t>&batch_norm), ("batch_norm_backward", <size_t>&batch_norm_backward),
        ("group_norm", <size_t>&group_norm), ("group_norm_backward", <size_t>&group_norm_backward))}
