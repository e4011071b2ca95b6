# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Products of float16 or bfloat16 with a single row or column, C = A B, of which A lies by rows and B by columns.

They are dot products without wider copies.  Views C (M, N), A (M, K) and B (K, N) with M or N 1; terms lie side by side.  Long sums are
cut in pieces, by length alone, whose sums are added in order.
"""
from cython.parallel cimport prange
from libc.stdint cimport int64_t, uint16_t

from taeda.kernels.cpu cimport runtime
from taeda.kernels.cpu.abi cimport Param, View
from taeda.kernels.cpu.work cimport cut, threads_for

ctypedef float (*Dot)(const uint16_t *a, const uint16_t *b, int64_t n) noexcept nogil
ctypedef uint16_t (*Narrow)(float x) noexcept nogil

cdef extern from "half_dots.h" nogil:
    float dot_f16(const uint16_t *a, const uint16_t *b, int64_t n) noexcept
    float dot_bf16(const uint16_t *a, const uint16_t *b, int64_t n) noexcept
    uint16_t f32_to_f16(float x) noexcept
    uint16_t f32_to_bf16(float x) noexcept

cdef enum:
    PIECE = 1 << 14           # terms of a sum


cdef int64_t dots(View **t, Dot dot, Narrow narrow) noexcept nogil:
    cdef int64_t M = t[0].shape[0], results = M * t[0].shape[1], K = t[1].shape[1], pieces = max(cut(K, PIECE), 1), i, k
    cdef int64_t of_a = t[1].strides[0] if M > 1 else 0, of_b = 0 if M > 1 else t[2].strides[1], step = t[0].strides[0 if M > 1 else 1]
    cdef const uint16_t *a = <const uint16_t*>t[1].data
    cdef const uint16_t *b = <const uint16_t*>t[2].data
    cdef uint16_t *c = <uint16_t*>t[0].data
    cdef float *part = <float*>runtime.cpu_alloc(results * pieces * sizeof(float))
    cdef float total
    if part == NULL:
        return -1
    for i in prange(results * pieces, num_threads=threads_for(results * K, results * pieces), schedule="static"):
        k = i % pieces * PIECE
        part[i] = dot(a + i // pieces * of_a + k, b + i // pieces * of_b + k, min(<int64_t>PIECE, K - k))
    for i in range(results):
        total = part[i * pieces]
        for k in range(1, pieces):
            total = total + part[i * pieces + k]
        c[i * step] = narrow(total)
    runtime.cpu_free(part, results * pieces * sizeof(float))
    return 0


cdef int64_t gemm_dots_f16(View **t, const Param *p) noexcept nogil:
    return dots(t, dot_f16, f32_to_f16)


cdef int64_t gemm_dots_bf16(View **t, const Param *p) noexcept nogil:
    return dots(t, dot_bf16, f32_to_bf16)


def table():
    """Return kernel name -> address."""
    return {"gemm_dots_f16": <size_t>&gemm_dots_f16, "gemm_dots_bf16": <size_t>&gemm_dots_bf16}
