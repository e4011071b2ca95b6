"""Views whose elements are copied: ``view_copy(x, size)`` is ``x.view(size)`` in memory of its own, dense and in order.

PyTorch has these for programs that must not share memory.  Each takes the arguments of its view; derivatives are the view's.
"""

from __future__ import annotations

from taeda.ops.copying import contiguous_format
from taeda.ops.matmul import write_result
from taeda.tensor_base import TensorBase

__all__ = [
    "alias_copy", "as_strided_copy", "as_strided_scatter", "detach_copy", "diagonal_copy", "expand_copy", "narrow_copy", "permute_copy",
    "select_copy", "slice_copy", "split_copy", "split_with_sizes_copy", "squeeze_copy", "t_copy", "transpose_copy", "unbind_copy",
    "unfold_copy", "unsqueeze_copy", "view_as_complex_copy", "view_as_real_copy", "view_copy",
]  # fmt: skip
PUBLIC = tuple(__all__)


def _tensor(op, x):
    if not isinstance(x, TensorBase):
        raise TypeError(f"[{op}] argument 'input' must be Tensor, not {type(x).__name__}")
    return x


def _copy(op, view, out=None):
    return write_result(out, view.clone(memory_format=contiguous_format), op)


def _copies(op, views, out=None):
    if out is None:
        return tuple(view.clone(memory_format=contiguous_format) for view in views)
    if len(out) != len(views):
        raise RuntimeError(f"[{op}] expected out= of {len(views)} tensors, got {len(out)}")
    for target, view in zip(out, views, strict=True):
        write_result(target, view, op)
    return None


def alias_copy(input, *, out=None):
    """Return a copy of ``input``, dense and in order."""
    return _copy("alias_copy", _tensor("alias_copy", input), out)


def as_strided_copy(input, size, stride, storage_offset=None, *, out=None):
    """Return a copy of :func:`as_strided`."""
    return _copy("as_strided_copy", _tensor("as_strided_copy", input).as_strided(size, stride, storage_offset), out)


def detach_copy(input, *, out=None):
    """Return a copy of ``input``; in spite of the name its history is kept, as in PyTorch."""
    return _copy("detach_copy", _tensor("detach_copy", input), out)


def diagonal_copy(input, offset=0, dim1=0, dim2=1, *, out=None):
    """Return a copy of :func:`diagonal`."""
    return _copy("diagonal_copy", _tensor("diagonal_copy", input).diagonal(offset, dim1, dim2), out)


def expand_copy(input, size, *, implicit=False, out=None):
    """Return a copy of ``input.expand(size)``."""
    return _copy("expand_copy", _tensor("expand_copy", input).expand(size), out)


def narrow_copy(input, dim, start, length, *, out=None):
    """Return a copy of :func:`narrow`."""
    return _copy("narrow_copy", _tensor("narrow_copy", input).narrow(dim, start, length), out)


def permute_copy(input, dims, *, out=None):
    """Return a copy of :func:`permute`."""
    return _copy("permute_copy", _tensor("permute_copy", input).permute(dims), out)


def select_copy(input, dim, index, *, out=None):
    """Return a copy of :func:`select`."""
    return _copy("select_copy", _tensor("select_copy", input).select(dim, index), out)


def slice_copy(input, dim=0, start=None, end=None, step=1, *, out=None):
    """Return a copy of ``input[start:end:step]`` of dimension ``dim``."""
    x = _tensor("slice_copy", input)
    if not -x.ndim <= dim < x.ndim:
        raise IndexError(f"[slice_copy] Dimension out of range (expected to be in range of [{-x.ndim}, {x.ndim - 1}], but got {dim})")
    return _copy("slice_copy", x[(slice(None),) * (dim % x.ndim) + (slice(start, end, step),)], out)


def split_copy(input, split_size, dim=0, *, out=None):
    """Return copies of the pieces of :func:`split`."""
    return _copies("split_copy", _tensor("split_copy", input).split(split_size, dim), out)


def split_with_sizes_copy(input, split_sizes, dim=0, *, out=None):
    """Return copies of the pieces of :func:`split_with_sizes`."""
    return _copies("split_with_sizes_copy", _tensor("split_with_sizes_copy", input).split_with_sizes(split_sizes, dim), out)


def squeeze_copy(input, dim=None, *, out=None):
    """Return a copy of :func:`squeeze`."""
    x = _tensor("squeeze_copy", input)
    return _copy("squeeze_copy", x.squeeze() if dim is None else x.squeeze(dim), out)


def t_copy(input, *, out=None):
    """Return a copy of :func:`t`."""
    return _copy("t_copy", _tensor("t_copy", input).t(), out)


def transpose_copy(input, dim0, dim1, *, out=None):
    """Return a copy of :func:`transpose`."""
    return _copy("transpose_copy", _tensor("transpose_copy", input).transpose(dim0, dim1), out)


def unbind_copy(input, dim=0, *, out=None):
    """Return copies of the pieces of :func:`unbind`."""
    return _copies("unbind_copy", _tensor("unbind_copy", input).unbind(dim), out)


def unfold_copy(input, dimension, size, step, *, out=None):
    """Return a copy of ``input.unfold(dimension, size, step)``."""
    return _copy("unfold_copy", _tensor("unfold_copy", input).unfold(dimension, size, step), out)


def unsqueeze_copy(input, dim, *, out=None):
    """Return a copy of :func:`unsqueeze`."""
    return _copy("unsqueeze_copy", _tensor("unsqueeze_copy", input).unsqueeze(dim), out)


def view_as_complex_copy(input, *, out=None):
    """Return a copy of :func:`view_as_complex`."""
    from taeda.ops import view_as_complex

    return _copy("view_as_complex_copy", view_as_complex(_tensor("view_as_complex_copy", input)), out)


def view_as_real_copy(input, *, out=None):
    """Return a copy of :func:`view_as_real`."""
    from taeda.ops import view_as_real

    return _copy("view_as_real_copy", view_as_real(_tensor("view_as_real_copy", input)), out)


def view_copy(input, size=None, *, dtype=None, out=None):
    """Return a copy of ``input.view(size)``, or of ``input.view(dtype)``."""
    x = _tensor("view_copy", input)
    if (size is None) == (dtype is None):
        raise TypeError("[view_copy] takes a size or a dtype")
    return _copy("view_copy", x.view(size if dtype is None else dtype), out)


# -- what is written over a view -----------------------------------------------------------------------


def as_strided_scatter(input, src, size, stride, storage_offset=None):
    """Return ``input`` with ``src`` written over ``as_strided(input, size, stride, storage_offset)``.

    Raises RuntimeError for a src of another shape, or a view beyond the memory.

    >>> import taeda
    >>> taeda.as_strided_scatter(taeda.zeros(2, 2), taeda.ones(2), (2,), (3,))
    tensor([[1., 0.],
            [0., 1.]])
    """
    y = _tensor("as_strided_scatter", input).clone()
    target = y.as_strided(size, stride, storage_offset)
    if tuple(src.shape) != tuple(target.shape):
        raise RuntimeError(f"[as_strided_scatter] expected src to have a size equal to the slice of self. src size = {tuple(src.shape)}, "
                           f"slice size = {tuple(target.shape)}")
    target.copy_(src)
    return y
