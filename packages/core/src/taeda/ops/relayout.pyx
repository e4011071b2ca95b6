# cython: language_level=3, boundscheck=False, wraparound=True, cdivision=True, initializedcheck=False
"""squeeze_, unsqueeze_, transpose_, t_ and kin: a tensor takes the sizes, strides and history of its own view."""
from taeda.autograd.dual cimport level
from taeda.autograd.node cimport continue_history, grad_fn_of
from taeda.dispatch cimport as_tensor, begin_inplace, needs_grad
from taeda.operands cimport relaid
from taeda.tensor_base cimport TensorBase, alias, refresh

from taeda.autograd.dual import set_tangent, tangent_of
from taeda.autograd.node import named
from taeda.ops.strided import as_strided
from taeda.ops.views import squeeze, t, transpose, unsqueeze


cdef object become(str op, object input, object view, tuple args, str name):
    """Lay ``input`` out as view(input, *args) is, and let its history go through that view, whose node shows ``name``."""
    cdef TensorBase x = as_tensor(input, op), before, y
    cdef int d
    cdef object tangent = tangent_of(x) if level and x.base is None else None         # that of a view is a part of its base's
    if x.storage.readonly_ or x.inference:
        begin_inplace(op, x.detach())
    if needs_grad(x) or (x.base is not None and x.base.requires_grad_):
        begin_inplace(op, x)
    before = alias(x)
    before.grad_fn_, before.output_nr, before.requires_grad_ = grad_fn_of(x), x.output_nr, x.requires_grad_
    y = <TensorBase>named(view(before, *args), name)
    relaid(1)
    x.set_ndim(y.view.ndim)
    for d in range(y.view.ndim):
        x.view.shape[d], x.view.strides[d] = y.view.shape[d], y.view.strides[d]
    x.offset = y.offset
    refresh(x)
    if not x.detached_version:
        x.storage.version += 1
    if y.grad_fn_ is not None:
        continue_history(x, y.grad_fn_, y.output_nr)
    if tangent is not None:
        set_tangent(x, view(tangent, *args))
    return x


def squeeze_(input, dim=None, *more):
    """Take the dimensions of size 1 out of the tensor itself, or the given ones if their size is 1.

    >>> import taeda
    >>> taeda.ones(1, 3, 1).squeeze_().shape
    taeda.Size([3])
    """
    return become("squeeze_", input, squeeze, () if dim is None else (dim, *more),
                  "SqueezeBackward3" if dim is None else "SqueezeBackward5" if isinstance(dim, (tuple, list)) else "SqueezeBackward4")


def unsqueeze_(input, dim):
    """Put a dimension of size 1 into the tensor itself.

    >>> import taeda
    >>> taeda.ones(3).unsqueeze_(0).shape
    taeda.Size([1, 3])
    """
    return become("unsqueeze_", input, unsqueeze, (dim,), "UnsqueezeBackward1")


def transpose_(input, dim0, dim1):
    """Exchange two dimensions of the tensor itself; its memory stays as it is.

    >>> import taeda
    >>> taeda.ones(2, 3).transpose_(0, 1).shape
    taeda.Size([3, 2])
    """
    return become("transpose_", input, transpose, (dim0, dim1), "TransposeBackward1")


def t_(input):
    """Transpose a matrix itself; its memory stays as it is.

    >>> import taeda
    >>> taeda.ones(2, 3).t_().shape
    taeda.Size([3, 2])
    """
    return become("t_", input, t, (), "TBackward1")


def as_strided_(input, size, stride, storage_offset=None):
    """Lay the tensor itself out anew on its storage.

    >>> import taeda
    >>> taeda.arange(4).as_strided_((2,), (2,), 1)
    tensor([1, 3])
    """
    return become("as_strided_", input, as_strided, (size, stride, storage_offset), "AsStridedBackward1")


swapaxes_ = swapdims_ = transpose_
PUBLIC = ("as_strided_",)
__all__ = ("as_strided_", "squeeze_", "unsqueeze_", "transpose_", "t_", "swapaxes_", "swapdims_")
METHODS = {name: globals()[name] for name in __all__}
