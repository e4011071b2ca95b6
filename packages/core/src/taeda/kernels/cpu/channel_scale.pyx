# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Batch norm of float16 and bfloat16 by statistics that are known: y = x scale + shift, one pair a channel, in registers.

x is (N, C, L), contiguous; with L = 1 the channels lie side by side.
"""
from cython.parallel cimport prange
from libc.math cimport sqrtf
from libc.stdint cimport int64_t, uint16_t

from taeda.kernels.cpu.abi cimport BF16, F32, Param, View
from taeda.kernels.cpu.runtime cimport cpu_alloc, cpu_free, num_threads

cdef extern from *:
    """
    #include "narrow.h"

    #define CHANNEL_SCALE(S) \
        static void scale_run_##S(uint16_t *y, const uint16_t *x, float scale, float shift, int64_t n) { \
            int64_t i = 0; \
            HALF_TILES(S, a * scale + shift, const float a = u[j], HALF_LOAD(S, u, x)) \
            for (; i < n; i++) y[i] = f32_to_##S(S##_to_f32(x[i]) * scale + shift); \
        } \
        static void scale_row_##S(uint16_t *y, const uint16_t *x, const float *scale, const float *shift, int64_t n) { \
            int64_t i = 0; \
            HALF_TILES(S, a * scale[i + j] + shift[i + j], const float a = u[j], HALF_LOAD(S, u, x)) \
            for (; i < n; i++) y[i] = f32_to_##S(S##_to_f32(x[i]) * scale[i] + shift[i]); \
        }
    CHANNEL_SCALE(f16)
    CHANNEL_SCALE(bf16)
    """
    void widen(int code, char* y, const char* x, int64_t sx, int64_t n) noexcept nogil
    void scale_run_f16(uint16_t* y, const uint16_t* x, float scale, float shift, int64_t n) noexcept nogil
    void scale_run_bf16(uint16_t* y, const uint16_t* x, float scale, float shift, int64_t n) noexcept nogil
    void scale_row_f16(uint16_t* y, const uint16_t* x, const float* scale, const float* shift, int64_t n) noexcept nogil
    void scale_row_bf16(uint16_t* y, const uint16_t* x, const float* scale, const float* shift, int64_t n) noexcept nogil

cdef enum:
    BLOCK = 8192             # elements of a unit of work


cdef void as_floats(float* y, const View* x, float otherwise, int64_t C) noexcept nogil:
    """The channels' numbers as float32."""
    cdef int64_t c
    if x == NULL or x.dtype == F32:
        for c in range(C):
            y[c] = otherwise if x == NULL else (<const float*>x.data)[c]
    else:
        widen(x.dtype, <char*>y, x.data, 1, C)


cdef void unit(View** t, const float* scale, const float* shift, int64_t C, int64_t L, int64_t first, int64_t last) noexcept nogil:
    """Runs first..last: of L elements of one channel, or, with L = 1, of all channels."""
    cdef uint16_t* y = <uint16_t*>t[0].data
    cdef const uint16_t* x = <const uint16_t*>t[1].data
    cdef bint bf16 = t[1].dtype == BF16
    cdef int64_t r, c
    for r in range(first, last):
        if L == 1:
            if bf16:
                scale_row_bf16(y + r * C, x + r * C, scale, shift, C)
            else:
                scale_row_f16(y + r * C, x + r * C, scale, shift, C)
            continue
        c = r % C
        if bf16:
            scale_run_bf16(y + r * L, x + r * L, scale[c], shift[c], L)
        else:
            scale_run_f16(y + r * L, x + r * L, scale[c], shift[c], L)


cdef int64_t channel_scale(View** t, const Param* p) noexcept nogil:
    """t = [y, x, w or NULL, b or NULL, mean, var]; p = [N, C, L, eps]"""
    cdef int64_t C = p[1].i, L = p[2].i, runs = p[0].i * (C if L != 1 else 1), per, units, c, u
    cdef float* room = <float*>cpu_alloc(4 * C * sizeof(float))
    cdef float* scale = room
    cdef float* shift = room + C
    cdef float* mean = room + 2 * C
    cdef float* var = room + 3 * C
    if room == NULL:
        return -1
    as_floats(scale, t[2], 1, C)
    as_floats(shift, t[3], 0, C)
    as_floats(mean, t[4], 0, C)
    as_floats(var, t[5], 0, C)
    for c in range(C):
        scale[c] = scale[c] / sqrtf(var[c] + <float>p[3].f)
        shift[c] = shift[c] - mean[c] * scale[c]
    per = 1 + BLOCK // (L if L != 1 else C)
    units = (runs + per - 1) // per
    if num_threads > 1 and units > 1 and t[1].numel > 4 * BLOCK:
        for u in prange(units, schedule="static", num_threads=num_threads):
            unit(t, scale, shift, C, L, u * per, min((u + 1) * per, runs))
    else:
        unit(t, scale, shift, C, L, 0, runs)
    cpu_free(room, 4 * C * sizeof(float))
    return 0


def table():
    """Name -> address of every kernel here."""
    return {"channel_scale_f16": <size_t>&channel_scale, "channel_scale_bf16": <size_t>&channel_scale}
