# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Channels of an image as its pixels, and back: one strided copy, since every order of splitting dimensions is a matter of strides."""
from cpython.number cimport PyIndex_Check
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport Op, as_strided_view, as_tensor, copy_into, define, empty, integer, linear, record
from taeda.kernels.cpu.abi cimport MAX_DIM
from taeda.ops.channels_last cimport channels_innermost, lies_channels_last
from taeda.tensor_base cimport CPU, META, TensorBase

from taeda.autograd.node import named

__all__ = ["pixel_shuffle", "pixel_unshuffle"]


cdef object shuffle_vjp(Node n, object g):
    return pixel_unshuffle(g, n.extra)

cdef object unshuffle_vjp(Node n, object g):
    return pixel_shuffle(g, n.extra)

cdef Op SHUFFLE = linear(define("pixel_shuffle", shuffle_vjp))
cdef Op UNSHUFFLE = linear(define("pixel_unshuffle", unshuffle_vjp))


cdef int64_t factor_of(str op, TensorBase x, object factor, str name) except -1:
    cdef int64_t r
    if isinstance(factor, bool) or not PyIndex_Check(factor):
        raise TypeError(f"[{op}] argument '{name}' must be int, not {type(factor).__name__}")
    r = integer(factor, op)
    if x.view.ndim < 3:
        raise RuntimeError(f"[{op}] {op} expects input to have at least 3 dimensions, but got input with {x.view.ndim} dimension(s)")
    if r <= 0:
        raise RuntimeError(f"[{op}] {op} expects a positive {name}, but got {r}")
    return min(r, <int64_t>1 << 31)              # its square has 64 bits; no size is a multiple of it


cdef object of_parts(TensorBase x, int64_t r, bint up):
    """The result by other operations, for stand-ins of tensors (taeda.func)."""
    *lead, C, H, W = x.shape_tuple()
    n = len(lead)
    if up:
        y = (<object>x).reshape(*lead, C // (r * r), r, r, H, W).permute(*range(n + 1), n + 3, n + 1, n + 4, n + 2)
        return named(y.reshape(*lead, C // (r * r), H * r, W * r), "PixelShuffleBackward0")
    y = (<object>x).reshape(*lead, C, H // r, r, W // r, r).permute(*range(n + 1), n + 2, n + 4, n + 1, n + 3)
    return named(y.reshape(*lead, C * r * r, H // r, W // r), "PixelUnshuffleBackward0")


cdef object moved(Op op, TensorBase x, int64_t r, bint up):
    """Move the elements between (..., C r^2, H, W), the deep one, and (..., C, H r, W r), the wide one."""
    cdef int64_t shape[MAX_DIM + 2]
    cdef int64_t deep_strides[MAX_DIM + 2]
    cdef int64_t wide_strides[MAX_DIM + 2]
    cdef int64_t C, H, W
    cdef int d, n = x.view.ndim - 3
    cdef TensorBase y, deep, wide
    if x.device != CPU and x.device != META:
        return of_parts(x, r, up)
    C, H, W = x.view.shape[n], x.view.shape[n + 1], x.view.shape[n + 2]
    if max(H, W) >= <int64_t>1 << 31 or not up and <double>C * r * r >= 4e18:
        raise RuntimeError(f"[{op.name}] the sizes of {x.shape_tuple()} by {r} have more than 64 bits")
    for d in range(n):
        shape[d] = x.view.shape[d]
    if up:
        shape[n], shape[n + 1], shape[n + 2] = C // (r * r), H * r, W * r
    else:
        shape[n], shape[n + 1], shape[n + 2] = C * (r * r), H // r, W // r
    y = empty(n + 3, shape, x.view.dtype, x.device)
    if n == 1 and not x.view.contiguous and lies_channels_last(x):
        y = channels_innermost(y)
    if y.view.numel:
        deep, wide = (x, y) if up else (y, x)
        for d in range(n):
            deep_strides[d], wide_strides[d] = deep.view.strides[d], wide.view.strides[d]
        C, H, W = deep.view.strides[n], deep.view.strides[n + 1], deep.view.strides[n + 2]
        shape[n], shape[n + 1], shape[n + 2], shape[n + 3], shape[n + 4] = (        # c, h, i, w, j
            wide.view.shape[n], deep.view.shape[n + 1], r, deep.view.shape[n + 2], r)
        deep_strides[n], deep_strides[n + 1], deep_strides[n + 2], deep_strides[n + 3], deep_strides[n + 4] = C * r * r, H, C * r, W, C
        C, H, W = wide.view.strides[n], wide.view.strides[n + 1], wide.view.strides[n + 2]
        wide_strides[n], wide_strides[n + 1], wide_strides[n + 2], wide_strides[n + 3], wide_strides[n + 4] = C, H * r, H, W * r, W
        deep, wide = as_strided_view(deep, n + 5, shape, deep_strides, deep.offset), as_strided_view(
            wide, n + 5, shape, wide_strides, wide.offset)
        copy_into(wide if up else deep, deep if up else wide)
    record(op, y, (x,), None, r)
    return y


def pixel_shuffle(input, upscale_factor):
    """Rearrange (..., C r^2, H, W) to (..., C, H r, W r) (Shi et al., 2016).

    RuntimeError where r^2 does not divide the channels.

    >>> import taeda
    >>> taeda.ops.pixel_shuffle(taeda.ones(1, 4, 1, 1), 2).shape
    taeda.Size([1, 1, 2, 2])
    """
    cdef TensorBase x = as_tensor(input, "pixel_shuffle")
    cdef int64_t r = factor_of("pixel_shuffle", x, upscale_factor, "upscale_factor"), C = x.view.shape[x.view.ndim - 3]
    if C % (r * r):
        raise RuntimeError("[pixel_shuffle] pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of "
                           f"upscale_factor, but input.size(-3)={C} is not divisible by {r * r}")
    return moved(SHUFFLE, x, r, True)


def pixel_unshuffle(input, downscale_factor):
    """Rearrange (..., C, H r, W r) to (..., C r^2, H, W): undo ``pixel_shuffle``.

    RuntimeError where r does not divide the height and the width.

    >>> import taeda
    >>> taeda.ops.pixel_unshuffle(taeda.ones(1, 1, 2, 2), 2).shape
    taeda.Size([1, 4, 1, 1])
    """
    cdef TensorBase x = as_tensor(input, "pixel_unshuffle")
    cdef int64_t r = factor_of("pixel_unshuffle", x, downscale_factor, "downscale_factor")
    cdef int d
    for d in range(x.view.ndim - 2, x.view.ndim):
        if x.view.shape[d] % r:
            raise RuntimeError(f"[pixel_unshuffle] pixel_unshuffle expects {'width' if d == x.view.ndim - 1 else 'height'} to be divisible "
                               f"by downscale_factor, but input.size({d - x.view.ndim})={x.view.shape[d]} is not divisible by {r}")
    return moved(UNSHUFFLE, x, r, False)
