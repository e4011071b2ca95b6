# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Convolution of integers and its transpose, term by term.

A channel of one image is one piece of work: for every tap its whole plane is gone through, and taps that meet padding are cut off
before.  Nothing is packed: there are no vector products of 64 bits to feed, and integers are convolved where exactness is wanted.
Views and parameters as in conv.  Sums wrap as integers do, so the narrower types are the low bits of this one.
"""
from cython.parallel cimport prange
from libc.stdint cimport int64_t

from taeda.kernels.cpu.abi cimport Param, View
from taeda.kernels.cpu.conv_planes cimport Geometry, geometry, threads_for


cdef inline int64_t first_inside(int64_t shift, int64_t step) noexcept nogil:
    """Smallest i >= 0 with i step + shift >= 0."""
    return 0 if shift >= 0 else (step - 1 - shift) // step


cdef inline int64_t last_inside(int64_t shift, int64_t step, int64_t size, int64_t count) noexcept nogil:
    """One more than the largest i < count with i step + shift < size."""
    return 0 if shift >= size else min(count, (size - 1 - shift) // step + 1)


cdef void channel_sum(const View *y, const View *x, const View *w, const View *b, const Geometry *q, int64_t item,
                      bint transposed) noexcept nogil:
    """One channel of one image of y, plain or transposed; x's places and y's change their parts."""
    cdef int64_t channels = q.C if transposed else q.O
    cdef int64_t n = item // channels, at = item % channels, per = q.CG if transposed else q.OG, group = at // per
    cdef int64_t terms = q.OG if transposed else q.CG, c, kd, kh, kw, e, i, j, d0, h0, w0, value
    cdef int64_t *dst = <int64_t*>y.data + n * y.strides[0] + at * y.strides[1]
    cdef const int64_t *src
    cdef int64_t first = (<int64_t*>b.data)[at * b.strides[0]] if b != NULL else 0
    for e in range(y.shape[2]):
        for i in range(y.shape[3]):
            for j in range(y.shape[4]):
                dst[e * y.strides[2] + i * y.strides[3] + j * y.strides[4]] = first
    for c in range(terms):
        src = <const int64_t*>x.data + n * x.strides[0] + (group * terms + c) * x.strides[1]
        for kd in range(q.KD):
            for kh in range(q.KH):
                for kw in range(q.KW):
                    if transposed:
                        value = (<const int64_t*>w.data)[(group * q.OG + c) * w.strides[0] + at % per * w.strides[1] + kd * w.strides[2]
                                                         + kh * w.strides[3] + kw * w.strides[4]]
                    else:
                        value = (<const int64_t*>w.data)[at * w.strides[0] + c * w.strides[1] + kd * w.strides[2]
                                                         + kh * w.strides[3] + kw * w.strides[4]]
                    d0, h0, w0 = kd * q.dd - q.pd, kh * q.dh - q.ph, kw * q.dw - q.pw
                    for e in range(first_inside(d0, q.sd), last_inside(d0, q.sd, q.D, q.OD)):
                        for i in range(first_inside(h0, q.sh), last_inside(h0, q.sh, q.H, q.OH)):
                            for j in range(first_inside(w0, q.sw), last_inside(w0, q.sw, q.W, q.OW)):
                                if transposed:
                                    dst[(e * q.sd + d0) * y.strides[2] + (i * q.sh + h0) * y.strides[3]
                                        + (j * q.sw + w0) * y.strides[4]] += value * src[
                                            e * x.strides[2] + i * x.strides[3] + j * x.strides[4]]
                                else:
                                    dst[e * y.strides[2] + i * y.strides[3] + j * y.strides[4]] += value * src[
                                        (e * q.sd + d0) * x.strides[2] + (i * q.sh + h0) * x.strides[3]
                                        + (j * q.sw + w0) * x.strides[4]]


cdef int64_t convolution_i64(View **t, const Param *p) noexcept nogil:
    """y[n, o, i] = b[o] + sum x[n, c, i s + k d - p] w[o, c, k]."""
    cdef Geometry q
    cdef int64_t i
    geometry(&q, t[1], t[2], t[0], p)
    if t[0].numel:
        for i in prange(q.N * q.O, num_threads=threads_for(t[0].numel * q.CG * q.taps), schedule="static"):
            channel_sum(t[0], t[1], t[2], t[3] if p[10].i else NULL, &q, i, False)
    return 0


cdef int64_t convolution_input_i64(View **t, const Param *p) noexcept nogil:
    """y[n, c, i s + k d - p] = b[c] + sum x[n, o, i] w[o, c, k]."""
    cdef Geometry q
    cdef int64_t i
    geometry(&q, t[0], t[2], t[1], p)
    if t[0].numel:
        for i in prange(q.N * q.C, num_threads=threads_for(t[1].numel * q.CG * q.taps), schedule="static"):
            channel_sum(t[0], t[1], t[2], t[3] if p[10].i else NULL, &q, i, True)
    return 0


def table():
    """Return the address of each kernel by name."""
    return {"convolution_i64": <size_t>&convolution_i64, "convolution_input_i64": <size_t>&convolution_input_i64}
