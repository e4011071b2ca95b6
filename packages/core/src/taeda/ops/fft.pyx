# cython: language_level=3, boundscheck=False, wraparound=True, cdivision=True, initializedcheck=False
"""Discrete Fourier transforms: X_k = sum_j x_j exp(-2 pi i j k / n), their inverses, and those of real signals.

Names, arguments and checks; ``ops.fourier`` transforms.  ``taeda.fft`` gives the functions their short names.
"""
from cpython.number cimport PyIndex_Check

from taeda.dispatch cimport as_tensor, to_dtype, wrap_dim, write_out
from taeda.dtype cimport code_of, complex_code, default_float, is_complex_, is_integral, name_of, torch_name
from taeda.kernels.cpu.abi cimport C64, C128, F32, F64
from taeda.ops.fourier cimport TRANSPOSED, c2c, c2r, r2c
from taeda.tensor_base cimport TensorBase

from taeda.operands import as_index
from taeda.ops.padding import constant_pad_nd
from taeda.ops.sequences import arange

__all__ = ["fft_fft", "fft_fft2", "fft_fftfreq", "fft_fftn", "fft_fftshift", "fft_hfft", "fft_hfft2", "fft_hfftn", "fft_ifft",
           "fft_ifft2", "fft_ifftn", "fft_ifftshift", "fft_ihfft", "fft_ihfft2", "fft_ihfftn", "fft_irfft", "fft_irfft2",
           "fft_irfftn", "fft_rfft", "fft_rfft2", "fft_rfftfreq", "fft_rfftn"]

# -- arguments ---------------------------------------------------------------------------------------


cdef str norm_name(str op, object norm):
    if norm is None:
        return "backward"
    if not isinstance(norm, str):
        raise TypeError(f"[{op}] argument 'norm' must be str, not {type(norm).__name__}")
    if norm not in TRANSPOSED:
        raise RuntimeError(f'[{op}] Invalid normalization mode: "{norm}"; use "backward", "forward" or "ortho"')
    return norm


cdef TensorBase floating(str op, object input):
    """The input as floating point or complex numbers, which are not transformed in less than single precision."""
    cdef TensorBase x = as_tensor(input, op)
    cdef int dtype = default_float() if is_integral(x.view.dtype) else x.view.dtype
    if not (dtype == F32 or dtype == F64 or dtype == C64 or dtype == C128):
        raise RuntimeError(f"[{op}] Unsupported dtype {torch_name(dtype)}; convert to float32 first")
    return to_dtype(x, dtype)


cdef TensorBase only_real(str op, object input):
    cdef TensorBase x = as_tensor(input, op)
    if is_complex_(x.view.dtype):
        raise RuntimeError(f"[{op}] {op} expects a real input tensor, but got {name_of(x.view.dtype)} of shape {x.shape_tuple()}")
    return floating(op, x)


cdef TensorBase complexed(str op, object input):
    cdef TensorBase x = floating(op, input)
    return to_dtype(x, complex_code(x.view.dtype))


cdef object whole(str op, str name, object value):
    if isinstance(value, bool) or not PyIndex_Check(value):
        raise TypeError(f"[{op}] argument '{name}' must be int, not {type(value).__name__}")
    return value if type(value) is int else as_index(op, value)


cdef tuple listed(str op, str name, object value):
    """An int or a sequence of ints as a tuple."""
    if isinstance(value, (tuple, list)):
        return tuple([whole(op, name, v) for v in value])
    return (whole(op, name, value),)


cdef tuple one_dim(str op, TensorBase x, object n, object dim):
    """The transformed dimension and its size before the transform (None: as it is), each in a tuple; was no size given?"""
    dim = whole(op, "dim", dim)
    if x.view.ndim == 0:
        raise IndexError(f"[{op}] Dimension specified as {dim} but tensor has no dimensions")
    return (wrap_dim(op, dim, x.view.ndim),), None if n is None else (whole(op, "n", n),), n is None


cdef tuple many_dims(str op, TensorBase x, object s, object dim):
    """The transformed dimensions and their sizes before the transform (None: as they are); was no last size given?"""
    cdef int ndim = x.view.ndim
    cdef bint left_open = True
    if s is not None:
        s = listed(op, "s", s)
    if dim is not None:
        dims = tuple([wrap_dim(op, d, ndim) for d in listed(op, "dim", dim)])
        if ndim == 0 and dims:
            raise IndexError(f"[{op}] Dimension specified as {dim} but tensor has no dimensions")
        if len(set(dims)) != len(dims):
            raise RuntimeError(f"[{op}] FFT dims must be unique, got {dim}")
        if s is not None and len(s) != len(dims):
            raise RuntimeError(f"[{op}] When given, dim and shape arguments must have the same length; got dim={dim} and s={s}")
    elif s is not None:
        if len(s) > ndim:
            raise RuntimeError(f"[{op}] Got shape with {len(s)} values but input tensor only has {ndim} dimensions.")
        dims = tuple(range(ndim - len(s), ndim))
    else:
        dims = tuple(range(ndim))
    if s:
        left_open = s[-1] == -1
        s = tuple([x.view.shape[<int>d] if n == -1 else n for n, d in zip(s, dims)])
    return dims, s, left_open


cdef int check_points(str op, TensorBase x, object n) except -1:
    if n < 1:
        raise RuntimeError(f"[{op}] Invalid number of data points ({n}) specified, input of shape {x.shape_tuple()}; at least 1 is needed")
    return 0


cdef TensorBase resized(TensorBase x, tuple dims, tuple sizes):
    """x cut or padded with zeros behind, to these sizes."""
    cdef object y = x
    cdef int d
    for d, n in zip(dims, sizes):
        have = y.shape[d]
        if n < have:
            y = y.narrow(d, 0, n)
        elif n > have:
            y = constant_pad_nd(y, [0, 0] * (x.view.ndim - 1 - d) + [0, n - have])
    return <TensorBase>y


cdef TensorBase fitted(str op, TensorBase x, tuple dims, object sizes):
    """x with the sizes that are asked for along the transformed dimensions, none of them empty."""
    if sizes is None:
        sizes = tuple([x.view.shape[<int>d] for d in dims])
    for n in sizes:
        check_points(op, x, n)
    return resized(x, dims, sizes)


cdef object finish(str op, TensorBase y, object out):
    if out is None:
        return y
    if isinstance(out, TensorBase) and is_complex_(y.view.dtype) != is_complex_((<TensorBase>out).view.dtype):
        kind = "complex" if is_complex_(y.view.dtype) else "floating point"
        raise RuntimeError(f"[{op}] {op} expects a {kind} output tensor, but got {name_of((<TensorBase>out).view.dtype)}")
    return write_out(out, y, op)


# -- what the public names have in common ------------------------------------------------------------


cdef object to_complex(str op, object input, tuple where, str norm, bint forward, object out):
    """fft, ifft and their n-dimensional forms."""
    cdef TensorBase x = floating(op, input)
    cdef tuple dims = where[0]
    x = fitted(op, x, dims, where[1])
    if is_complex_(x.view.dtype):
        return finish(op, c2c(x, dims, norm, forward), out)
    return finish(op, r2c(x, dims, norm, forward, False), out)


cdef object to_half(str op, object input, tuple where, str norm, bint forward, object out):
    """rfft, ihfft and their n-dimensional forms."""
    cdef TensorBase x = only_real(op, input), y
    cdef tuple dims = where[0]
    if not dims:
        raise RuntimeError(f"[{op}] {op} must transform at least one axis; input has shape {x.shape_tuple()}")
    x = fitted(op, x, dims, where[1])
    if forward:
        y = r2c(x, dims, norm, True, True)
    else:
        y = <TensorBase>(<object>r2c(x, dims[-1:], TRANSPOSED[norm], True, True)).conj()
        y = c2c(y, dims[:-1], norm, False) if len(dims) > 1 else y
    return finish(op, y, out)


cdef object from_half(str op, object input, tuple where, str norm, bint forward, object out):
    """irfft, hfft and their n-dimensional forms; the last size is the result's, of which the input holds a half."""
    cdef TensorBase x = complexed(op, input)
    cdef tuple dims = where[0], sizes
    if not dims:
        raise RuntimeError(f"[{op}] {op} must transform at least one axis; input has shape {x.shape_tuple()}")
    if where[2]:
        last = 2 * (x.view.shape[<int>dims[-1]] - 1)
    else:
        last = where[1][-1]
    check_points(op, x, last)
    sizes = where[1] or tuple([x.view.shape[<int>d] for d in dims])
    x = fitted(op, x, dims, sizes[:-1] + (last // 2 + 1,))
    if forward:
        x, norm = <TensorBase>(<object>x).conj(), TRANSPOSED[norm]
    return finish(op, c2r(x, dims, norm, last), out)


# -- one dimension -----------------------------------------------------------------------------------


def fft_fft(input, n=None, dim=-1, norm=None, *, out=None):
    """Return the discrete Fourier transform along one dimension: X_k = sum_j x_j exp(-2 pi i j k / n).

    Args:
        input: a real or complex tensor; integers are taken in the default dtype.
        n: the input is cut or padded with zeros to this size first.
        dim: the dimension.
        norm: "backward" (the default: the inverse divides by n), "forward" (this one does), "ortho" (both by sqrt(n)).

    Raises RuntimeError for n < 1, half precision and other norms.

    >>> import taeda
    >>> taeda.fft.fft(taeda.tensor([1.0, 2.0, 3.0, 4.0]))
    tensor([10.+0.j, -2.+2.j, -2.+0.j, -2.-2.j])
    """
    return to_complex("fft", input, one_dim("fft", as_tensor(input, "fft"), n, dim), norm_name("fft", norm), True, out)


def fft_ifft(input, n=None, dim=-1, norm=None, *, out=None):
    """Return the inverse transform along one dimension: x_j = 1/n sum_k X_k exp(2 pi i j k / n).  Arguments as of :func:`fft_fft`.

    >>> import taeda
    >>> taeda.fft.ifft(taeda.fft.fft(taeda.tensor([1.0, 2.0])))
    tensor([1.+0.j, 2.+0.j])
    """
    return to_complex("ifft", input, one_dim("ifft", as_tensor(input, "ifft"), n, dim), norm_name("ifft", norm), False, out)


def fft_rfft(input, n=None, dim=-1, norm=None, *, out=None):
    """Return the first n/2 + 1 elements of the transform of a real signal, which determine the others.

    Arguments as of :func:`fft_fft`.  RuntimeError for complex input.

    >>> import taeda
    >>> taeda.fft.rfft(taeda.tensor([1.0, 2.0, 3.0, 4.0]))
    tensor([10.+0.j, -2.+2.j, -2.+0.j])
    """
    return to_half("rfft", input, one_dim("rfft", as_tensor(input, "rfft"), n, dim), norm_name("rfft", norm), True, out)


def fft_irfft(input, n=None, dim=-1, norm=None, *, out=None):
    """Return the real signal of n elements (by default 2 (size - 1)) whose :func:`fft_rfft` the input is.

    >>> import taeda
    >>> taeda.fft.irfft(taeda.fft.rfft(taeda.tensor([1.0, 2.0, 3.0])), 3)
    tensor([1., 2., 3.])
    """
    return from_half("irfft", input, one_dim("irfft", as_tensor(input, "irfft"), n, dim), norm_name("irfft", norm), False, out)


def fft_hfft(input, n=None, dim=-1, norm=None, *, out=None):
    """Return the real transform, of n elements, of a signal that is Hermitian (x_-j = conj x_j) and given by its first half.

    >>> import taeda
    >>> taeda.fft.hfft(taeda.tensor([1.0, 2.0, 3.0])).real
    tensor([ 8., -2.,  0., -2.])
    """
    return from_half("hfft", input, one_dim("hfft", as_tensor(input, "hfft"), n, dim), norm_name("hfft", norm), True, out)


def fft_ihfft(input, n=None, dim=-1, norm=None, *, out=None):
    """Return the first half of the inverse transform of a real signal; the inverse of :func:`fft_hfft`.

    >>> import taeda
    >>> taeda.fft.ihfft(taeda.tensor([1.0, 2.0, 3.0])).real
    tensor([ 2.0000, -0.5000])
    """
    return to_half("ihfft", input, one_dim("ihfft", as_tensor(input, "ihfft"), n, dim), norm_name("ihfft", norm), False, out)


# -- several dimensions ------------------------------------------------------------------------------


def fft_fftn(input, s=None, dim=None, norm=None, *, out=None):
    """Return the transform over several dimensions, all by default.

    Args:
        input: a real or complex tensor.
        s: sizes to cut or pad to, -1 for as it is; without ``dim`` those of the last dimensions.
        dim: the dimensions.
        norm: as in :func:`fft_fft`, n being the number of all transformed elements.

    Raises RuntimeError where a size is below 1, a dimension repeats, or ``s`` and ``dim`` differ in length.

    >>> import taeda
    >>> taeda.fft.fftn(taeda.ones(2, 2))
    tensor([[4.+0.j, 0.+0.j],
            [0.+0.j, 0.+0.j]])
    """
    return to_complex("fftn", input, many_dims("fftn", as_tensor(input, "fftn"), s, dim), norm_name("fftn", norm), True, out)


def fft_ifftn(input, s=None, dim=None, norm=None, *, out=None):
    """Return the inverse transform over several dimensions.  Arguments as of :func:`fft_fftn`.

    >>> import taeda
    >>> taeda.fft.ifftn(taeda.tensor([[1.0, 2.0], [3.0, 4.0]])).real
    tensor([[ 2.5000, -0.5000],
            [-1.0000,  0.0000]])
    """
    return to_complex("ifftn", input, many_dims("ifftn", as_tensor(input, "ifftn"), s, dim), norm_name("ifftn", norm), False, out)


def fft_rfftn(input, s=None, dim=None, norm=None, *, out=None):
    """Return the transform of a real signal over several dimensions, the last of them halved.  Arguments as of :func:`fft_fftn`.

    >>> import taeda
    >>> taeda.fft.rfftn(taeda.tensor([[1.0, 2.0], [3.0, 4.0]])).real
    tensor([[10., -2.],
            [-4.,  0.]])
    """
    return to_half("rfftn", input, many_dims("rfftn", as_tensor(input, "rfftn"), s, dim), norm_name("rfftn", norm), True, out)


def fft_irfftn(input, s=None, dim=None, norm=None, *, out=None):
    """Return the real signal whose :func:`fft_rfftn` the input is; ``s`` are sizes of the result.

    >>> import taeda
    >>> taeda.fft.irfftn(taeda.fft.rfftn(taeda.tensor([[1.0, 2.0], [3.0, 4.0]])))
    tensor([[1., 2.],
            [3., 4.]])
    """
    return from_half("irfftn", input, many_dims("irfftn", as_tensor(input, "irfftn"), s, dim), norm_name("irfftn", norm), False, out)


def fft_hfftn(input, s=None, dim=None, norm=None, *, out=None):
    """Return the real transform of a Hermitian signal given by its half along the last of the dimensions.

    >>> import taeda
    >>> taeda.fft.hfftn(taeda.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[10., -2.],
            [-4.,  0.]])
    """
    return from_half("hfftn", input, many_dims("hfftn", as_tensor(input, "hfftn"), s, dim), norm_name("hfftn", norm), True, out)


def fft_ihfftn(input, s=None, dim=None, norm=None, *, out=None):
    """Return the half along the last of the dimensions of the inverse transform of a real signal.

    >>> import taeda
    >>> taeda.fft.ihfftn(taeda.tensor([[1.0, 2.0], [3.0, 4.0]])).real
    tensor([[ 2.5000, -0.5000],
            [-1.0000,  0.0000]])
    """
    return to_half("ihfftn", input, many_dims("ihfftn", as_tensor(input, "ihfftn"), s, dim), norm_name("ihfftn", norm), False, out)


def fft_fft2(input, s=None, dim=(-2, -1), norm=None, *, out=None):
    """Return :func:`fft_fftn` over two dimensions.

    >>> import taeda
    >>> taeda.fft.fft2(taeda.tensor([[1.0, 2.0], [3.0, 4.0]])).real
    tensor([[10., -2.],
            [-4.,  0.]])
    """
    return to_complex("fft2", input, many_dims("fft2", as_tensor(input, "fft2"), s, dim), norm_name("fft2", norm), True, out)


def fft_ifft2(input, s=None, dim=(-2, -1), norm=None, *, out=None):
    """Return :func:`fft_ifftn` over two dimensions.

    >>> import taeda
    >>> taeda.fft.ifft2(taeda.tensor([[1.0, 2.0], [3.0, 4.0]])).real
    tensor([[ 2.5000, -0.5000],
            [-1.0000,  0.0000]])
    """
    return to_complex("ifft2", input, many_dims("ifft2", as_tensor(input, "ifft2"), s, dim), norm_name("ifft2", norm), False, out)


def fft_rfft2(input, s=None, dim=(-2, -1), norm=None, *, out=None):
    """Return :func:`fft_rfftn` over two dimensions.

    >>> import taeda
    >>> taeda.fft.rfft2(taeda.tensor([[1.0, 2.0], [3.0, 4.0]])).real
    tensor([[10., -2.],
            [-4.,  0.]])
    """
    return to_half("rfft2", input, many_dims("rfft2", as_tensor(input, "rfft2"), s, dim), norm_name("rfft2", norm), True, out)


def fft_irfft2(input, s=None, dim=(-2, -1), norm=None, *, out=None):
    """Return :func:`fft_irfftn` over two dimensions.

    >>> import taeda
    >>> taeda.fft.irfft2(taeda.fft.rfft2(taeda.tensor([[1.0, 2.0], [3.0, 4.0]])))
    tensor([[1., 2.],
            [3., 4.]])
    """
    return from_half("irfft2", input, many_dims("irfft2", as_tensor(input, "irfft2"), s, dim), norm_name("irfft2", norm), False, out)


def fft_hfft2(input, s=None, dim=(-2, -1), norm=None, *, out=None):
    """Return :func:`fft_hfftn` over two dimensions.

    >>> import taeda
    >>> taeda.fft.hfft2(taeda.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[10., -2.],
            [-4.,  0.]])
    """
    return from_half("hfft2", input, many_dims("hfft2", as_tensor(input, "hfft2"), s, dim), norm_name("hfft2", norm), True, out)


def fft_ihfft2(input, s=None, dim=(-2, -1), norm=None, *, out=None):
    """Return :func:`fft_ihfftn` over two dimensions.

    >>> import taeda
    >>> taeda.fft.ihfft2(taeda.tensor([[1.0, 2.0], [3.0, 4.0]])).real
    tensor([[ 2.5000, -0.5000],
            [-1.0000,  0.0000]])
    """
    return to_half("ihfft2", input, many_dims("ihfft2", as_tensor(input, "ihfft2"), s, dim), norm_name("ihfft2", norm), False, out)


# -- frequencies -------------------------------------------------------------------------------------


cdef object per_step(object n, object d):
    """1 / (n d), infinite for 0 as in C."""
    n = n * d
    return 1.0 / n if n else float("inf")


def fft_fftfreq(n, d=1.0, *, out=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """Return the frequencies of :func:`fft_fft`'s n elements, in cycles per unit of the sample spacing ``d``.

    >>> import taeda
    >>> taeda.fft.fftfreq(4)
    tensor([ 0.0000,  0.2500, -0.5000, -0.2500])
    """
    n = whole("fftfreq", "n", n)
    k = _counted("fftfreq", 0, n, dtype, device)
    k[(n + 1) // 2:] -= n
    return _frequencies("fftfreq", k, n, d, out, requires_grad)


def fft_rfftfreq(n, d=1.0, *, out=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """Return the frequencies of :func:`fft_rfft`'s n/2 + 1 elements.

    >>> import taeda
    >>> taeda.fft.rfftfreq(4)
    tensor([0.0000, 0.2500, 0.5000])
    """
    n = whole("rfftfreq", "n", n)
    if n < 0:
        raise RuntimeError(f"[rfftfreq] Trying to create tensor with negative dimension {n}: [{n}]")
    return _frequencies("rfftfreq", _counted("rfftfreq", 0, n // 2 + 1, dtype, device), n, d, out, requires_grad)


def _counted(op, start, end, dtype, device):
    if end < 0:
        raise RuntimeError(f"[{op}] Trying to create tensor with negative dimension {end}: [{end}]")
    cdef int code = default_float() if dtype is None else code_of(dtype, op)
    if is_complex_(code):
        raise NotImplementedError(f"[{op}] not implemented for '{torch_name(code)}'")
    if is_integral(code):
        raise RuntimeError(f"[{op}] {op} requires a floating point or complex dtype, got {dtype}")
    return arange(float(start), float(end), dtype=dtype, device=device)


def _frequencies(op, k, n, d, out, requires_grad):
    k *= per_step(n, d)
    if out is not None:
        return write_out(out, <TensorBase>k, op)
    return k.requires_grad_(bool(requires_grad))


cdef object shifted(str op, object input, object dim, bint back):
    cdef TensorBase x = as_tensor(input, op)
    dims = list(range(x.view.ndim)) if dim is None else list(listed(op, "dim", dim))
    if not dims:
        raise RuntimeError(f"[{op}] `shifts` required: there is no dimension to shift in shape {x.shape_tuple()}")
    steps = []
    for d in dims:
        n = x.view.shape[wrap_dim(op, d, x.view.ndim)]
        steps.append((n + 1) // 2 if back else n // 2)
    return (<object>x).roll(steps, dims)


def fft_fftshift(input, dim=None):
    """Reorder the output of a transform so that the zero frequency is in the middle, along all dimensions by default.

    >>> import taeda
    >>> taeda.fft.fftshift(taeda.fft.fftfreq(4))
    tensor([-0.5000, -0.2500,  0.0000,  0.2500])
    """
    return shifted("fftshift", input, dim, False)


def fft_ifftshift(input, dim=None):
    """Undo :func:`fft_fftshift`.

    The inverse of ``fftshift``.

    >>> import taeda
    >>> taeda.fft.ifftshift(taeda.tensor([-1, 0, 1]))
    tensor([ 0,  1, -1])
    """
    return shifted("ifftshift", input, dim, True)
