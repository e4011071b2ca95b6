"""Tensors that carry a mask: ``masked_tensor(data, mask)`` goes through operations with what does not count left out.

A MaskedTensor has a tensor of data and one of bools, and no data of its own.  Every operation comes to ``__torch_function__``: functions
of one element work on the data and keep the mask, those of two want equal masks, reductions are those of ``taeda.masked``, and what
only moves elements moves both.  Autograd follows the data.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from math import prod
from operator import attrgetter
from typing import Any

from taeda import ops
from taeda.dtype import bool_, float32, int64
from taeda.layout import sparse_coo, sparse_csr, strided
from taeda.masked import _ops
from taeda.stand_ins import sparse_shell, stand_in
from taeda.tensor import Tensor

__all__ = ["MaskedTensor", "as_masked_tensor", "is_masked_tensor", "masked_tensor"]

_UNARY_NAMES = """
abs absolute acos arccos acosh arccosh angle asin arcsin asinh arcsinh atan arctan atanh arctanh bitwise_not ceil clamp clip
conj_physical cos cosh deg2rad digamma erf erfc erfinv exp exp2 expm1 fix floor frac lgamma log log10 log1p log2 logit i0 isnan nan_to_num
neg negative positive pow rad2deg reciprocal round rsqrt sigmoid sign sgn signbit sin sinc sinh sqrt square tan tanh trunc
bool byte char double float half int long short bfloat16 to type clone detach ones_like requires_grad_
"""
_BINARY_NAMES = """
add atan2 arctan2 bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift div divide floor_divide fmod logaddexp
logaddexp2 mul multiply nextafter remainder sub subtract rsub true_divide eq ne le ge greater greater_equal gt less_equal lt less maximum
minimum fmax fmin not_equal
"""
_MOVE_NAMES = """
__getitem__ getitem select transpose swapaxes swapdims split split_with_sizes chunk t narrow expand view reshape flatten ravel cat concat
concatenate stack unsqueeze unfold im2col col2im squeeze unbind permute movedim index_select unflatten broadcast_to view_as reshape_as
"""
_ALONG = ("softmax", "log_softmax", "softmin", "cumsum", "cumprod")
_REDUCTIONS = ("amax", "amin", "argmax", "argmin", "mean", "norm", "prod", "std", "sum", "var")


def _with(data: Any, mask: Any) -> Any:
    """The results of a call on the data and of the same call on the mask, paired."""
    if isinstance(data, (tuple, list)):
        return type(data)(_with(d, m) for d, m in zip(data, mask, strict=True))
    return MaskedTensor(data, mask)


def _parts(tree: Any, which: str) -> Any:
    """Arguments with the data, or the mask, of each MaskedTensor in its place."""
    if isinstance(tree, MaskedTensor):
        return getattr(tree, which)
    if isinstance(tree, (tuple, list)):
        return type(tree)(_parts(x, which) for x in tree)
    return tree


def _on_values(function: Callable[..., Any], data: Any, *others: Any) -> Any:
    """A function of the elements: of a sparse tensor's, those that are there."""
    if data.layout is strided:
        return function(data, *others)
    from taeda.sparse.tensor import is_sparse, values_of, with_values

    return with_values(data, function(values_of(data), *(values_of(x) if is_sparse(x) else x for x in others)))


def _unary(function: Any, name: str, args: Any, kwargs: Any) -> Any:
    x = args[0]
    found = _on_values(lambda data: function(data, *args[1:], **kwargs), x._masked_data)
    return x if name.endswith("_") and name != "requires_grad_" else MaskedTensor(found, x._masked_mask)


def _binary(function: Any, name: str, args: Any, kwargs: Any) -> Any:
    x, y = args[:2]
    if kwargs or len(args) > 2:
        raise ValueError(f"[MaskedTensor] {name} takes two operands and no options, got {args[2:]} and {kwargs}")
    masks = [z._masked_mask for z in (x, y) if isinstance(z, MaskedTensor)]
    layouts = [z.layout for z in (x, y) if isinstance(z, Tensor)]
    if len(set(layouts)) == 2:
        raise ValueError(f"[MaskedTensor] both operands of {name} must have the same layout, got {layouts[0]} and {layouts[1]}")
    if len(masks) == 2 and not _same(*masks):
        raise ValueError(f"[MaskedTensor] Input masks must match in {name}; combine them first, and make tensors of the common one")
    data = _parts(x, "_masked_data"), _parts(y, "_masked_data")
    found = _on_values(function, *data) if isinstance(data[0], Tensor) else _on_values(lambda b, a: function(a, b), *data[::-1])
    return x if name.endswith("_") else MaskedTensor(found, masks[0])


def _reduced(function: Any, name: str, args: Any, kwargs: Any) -> Any:
    x, rest = args[0], list(args[1:])
    if x.layout is not strided:
        if rest or kwargs:
            raise TypeError(f"[MaskedTensor] {name} of a sparse masked tensor is over all dimensions, without options; hint: .to_dense()")
        found = _reduced(function, name, (x._values(),), {})
        return _place_among_all(x, found) if name in ("argmax", "argmin") and x._masked_data.layout is sparse_coo else found
    at = 2 if name in ("norm", "std", "var") else 1
    if len(rest) > at:                                   # keepdim, which the functions take by keyword alone
        kwargs = {**kwargs, "keepdim": rest.pop(at)}
    if name == "norm":
        kwargs = {"ord" if k == "p" else k: v for k, v in kwargs.items()}
    found = getattr(_ops, name)(x._masked_data, *rest, **kwargs, mask=x._masked_mask)
    dim = kwargs.get("dim", rest[1] if name == "norm" and len(rest) > 1 else rest[0] if name != "norm" and rest else None)
    return MaskedTensor(found, _left(x, dim, kwargs.get("keepdim", False)))


def _place_among_all(x: MaskedTensor, found: MaskedTensor) -> MaskedTensor:
    """Where an element of a COO tensor stands among all elements, given its place among those that are there; float32, as PyTorch's."""
    coordinates = x._masked_data.indices().index_select(1, found._masked_data.to(int64).reshape(1))
    place = sum(row * size for row, size in zip(coordinates, _rows_below(x.shape), strict=True))
    return MaskedTensor(place.to(float32).reshape(()), found._masked_mask)


def _rows_below(shape: Any) -> list[int]:
    """How many elements one step along each dimension passes over."""
    return [prod(shape[i + 1:]) for i in range(len(shape))]


def _left(x: MaskedTensor, dim: Any, keepdim: bool) -> Any:
    """Where a reduction has something to reduce."""
    return x._masked_mask.any() if dim is None else x._masked_mask.any(dim, keepdim=keepdim)


def _all(function: Any, name: str, args: Any, kwargs: Any) -> Any:
    x = args[0]
    dim = kwargs.get("dim", args[1] if len(args) > 1 else None)
    filled = x._masked_data.masked_fill(~x._masked_mask, 1)
    return MaskedTensor(function(filled, *args[1:], **kwargs), _left(x, dim, kwargs.get("keepdim", False)))


def _along(function: Any, name: str, args: Any, kwargs: Any) -> Any:
    x = args[0]
    return MaskedTensor(getattr(_ops, name)(x._masked_data, *args[1:], **kwargs, mask=x._masked_mask), x._masked_mask)


def _where(function: Any, name: str, args: Any, kwargs: Any) -> Any:
    condition, x, y = args
    if not (isinstance(x, MaskedTensor) and isinstance(y, MaskedTensor)):
        raise ValueError("[MaskedTensor] where takes two masked tensors")
    if isinstance(condition, MaskedTensor):
        raise ValueError("[MaskedTensor] where takes a plain tensor as its condition")
    return MaskedTensor(function(condition, x._masked_data, y._masked_data), function(condition, x._masked_mask, y._masked_mask))


def _contiguous(function: Any, name: str, args: Any, kwargs: Any) -> Any:
    if args[0].is_sparse:
        raise ValueError("[MaskedTensor] MaskedTensors with sparse data do not have is_contiguous, nor contiguous; hint: .to_dense()")
    return _unary(function, name, args, kwargs)


def _moved(function: Any, name: str, args: Any, kwargs: Any) -> Any:
    return _with(function(*_parts(args, "_masked_data"), **kwargs), function(*_parts(args, "_masked_mask"), **kwargs))


_RULES: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(_MOVE_NAMES.split(), _moved),
    **dict.fromkeys(_UNARY_NAMES.split(), _unary),
    **{f"{name}_": _unary for name in _UNARY_NAMES.split()},
    **dict.fromkeys(_BINARY_NAMES.split(), _binary),
    **{f"{name}_": _binary for name in _BINARY_NAMES.split()},
    **dict.fromkeys(_REDUCTIONS, _reduced),
    **dict.fromkeys(_ALONG, _along),
    "all": _all,
    "contiguous": _contiguous,
    "requires_grad_": _unary,
    "where": _where,
}


def _same(a: Any, b: Any) -> bool:
    """Whether two masks, or the elements that two sparse tensors have, are the same ones."""
    if a.layout is strided:
        return bool(ops.equal(a, b))
    return all(ops.equal(x, y) for x, y in zip((*a._places, a._held), (*b._places, b._held), strict=True))


def _checked(data: Any, mask: Any) -> tuple[Any, Any]:
    """Sparse data and its mask: those elements that the mask has, where they are not as many, else the same ones."""
    if data.layout not in (sparse_coo, sparse_csr):
        raise TypeError(f"[MaskedTensor] data layout of {data.layout} is not supported; hint: to_sparse() or to_sparse_csr()")
    if data.layout is sparse_coo:
        data, mask = data.coalesce(), mask.coalesce()
    if data._nnz() != mask._nnz():
        data = data.sparse_mask(mask)
    if not all(x.shape == y.shape and ops.equal(x, y) for x, y in zip(data._places, mask._places, strict=True)):
        raise ValueError(f"[MaskedTensor] data and mask are both {data.layout} tensors but do not have the same indices; hint: "
                         "data.sparse_mask(mask)")
    return data, mask


class MaskedTensor(Tensor, attributes=False):  # type: ignore[call-arg]
    """Data some of which does not count; made by :func:`masked_tensor`.

    >>> import taeda
    >>> taeda.masked.masked_tensor(taeda.tensor([1.0, 2.0]), taeda.tensor([True, False]))
    MaskedTensor(
      [  1.0000,       --]
    )
    """

    _looks_inside = True                # of the functions of nn that are made of others

    _masked_data: Any
    _masked_mask: Any

    def __new__(cls, data: Any, mask: Any, requires_grad: bool = False) -> Any:
        for name, x in (("data", data), ("mask", mask)):
            if not isinstance(x, Tensor) or isinstance(x, MaskedTensor):
                raise TypeError(f"[MaskedTensor] {name} must be Tensor, not {type(x).__name__}")
        if mask.dtype is not bool_:
            raise TypeError(f"[MaskedTensor] mask must have dtype bool, got {mask.dtype}")
        if data.ndim != mask.ndim or data.shape != mask.shape:
            raise ValueError(f"[MaskedTensor] data.size() must equal mask.size(), got {tuple(data.shape)} and {tuple(mask.shape)}")
        if data.layout is not mask.layout:
            raise TypeError(f"[MaskedTensor] data and mask must have the same layout, got {data.layout} and {mask.layout}")
        if data.layout is not strided:
            data, mask = _checked(data, mask)
        made = super().__new__(cls)
        if data.layout is strided:
            stand_in(made, data.unsqueeze(0), 0)
        else:
            sparse_shell(made, tuple(data.shape), data._held)
        made._masked_data, made._masked_mask = data.requires_grad_() if requires_grad else data, mask
        return made

    def __init__(self, data: Any, mask: Any, requires_grad: bool = False) -> None:
        pass

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.__name__
        rule = _RULES.get(name)
        if rule is None:
            raise TypeError(f"[MaskedTensor] {name} is not supported on masked tensors; work on get_data() and get_mask()")
        return rule(func, name, args, kwargs or {})

    def get_data(self) -> Any:
        """Return the data, what does not count included."""
        return self._masked_data

    def get_mask(self) -> Any:
        """Return the mask: true where an element counts."""
        return self._masked_mask

    def to_tensor(self, value: Any) -> Any:
        """Return the data with ``value`` where elements do not count."""
        return self._masked_data.to_dense().masked_fill(~self._masked_mask.to_dense(), value)

    # -- sparse: what does not count is not there -------------------------------------------------------

    layout = property(attrgetter("_masked_data.layout"))

    @property
    def is_sparse(self) -> bool:
        """Whether the data is in a sparse layout."""
        return self._masked_data.layout is not strided

    @property
    def is_sparse_csr(self) -> bool:
        return self._masked_data.layout is sparse_csr

    def to_sparse(self, *args: Any, **kwargs: Any) -> Any:
        """Return the elements that count as a COO tensor, which knows of no others."""
        return self if self.is_sparse else self._as(self._masked_mask.to_sparse())

    def to_sparse_coo(self) -> Any:
        """Return :meth:`to_sparse`."""
        return self.to_sparse()

    def to_sparse_csr(self, *args: Any, **kwargs: Any) -> Any:
        """Return the elements that count of a matrix, by rows."""
        return self if self._masked_data.layout is sparse_csr else self._as(self._masked_mask.to_sparse_csr())

    def _as(self, mask: Any) -> Any:
        return MaskedTensor(self._masked_data.sparse_mask(mask), mask)

    def to_dense(self, *args: Any, **kwargs: Any) -> Any:
        """Return a tensor that has all elements, 0 where none counts."""
        return MaskedTensor(self._masked_data.to_dense(), self._masked_mask.to_dense()) if self.is_sparse else self

    def _values(self) -> Any:
        """Return the elements of a sparse tensor, with their mask."""
        from taeda.sparse.tensor import values_of

        return MaskedTensor(values_of(self._masked_data), self._masked_mask._values())

    # -- autograd follows the data --------------------------------------------------------------------

    @property
    def requires_grad(self) -> bool:
        return self._masked_data.requires_grad

    @requires_grad.setter
    def requires_grad(self, on: bool) -> None:
        self._masked_data.requires_grad_(on)

    @property
    def grad_fn(self) -> Any:
        return self._masked_data.grad_fn

    @property
    def is_leaf(self) -> bool:
        return self._masked_data.is_leaf

    @property  # type: ignore[misc]
    def grad(self) -> Any:
        return None if self._masked_data.grad is None else MaskedTensor(self._masked_data.grad, self._masked_mask)

    def backward(self, gradient: Any = None, *args: Any, **kwargs: Any) -> None:
        """Run autograd from the data."""
        self._masked_data.backward(_parts(gradient, "_masked_data"), *args, **kwargs)

    # -- what it is -------------------------------------------------------------------------------------

    @property
    def device(self) -> Any:
        return self._masked_data.device

    @property
    def is_cpu(self) -> bool:
        return self._masked_data.is_cpu

    @property
    def is_meta(self) -> bool:
        return self._masked_data.is_meta

    def is_contiguous(self, *args: Any, **kwargs: Any) -> bool:
        """Whether the data is contiguous."""
        if self.is_sparse:
            raise ValueError("[MaskedTensor] MaskedTensors with sparse data do not have is_contiguous; hint: .to_dense()")
        return self._masked_data.is_contiguous(*args, **kwargs)

    def item(self) -> Any:
        """Return the only element; ValueError if it does not count."""
        if self._masked_data.numel() == 1 and not bool(self._masked_mask.all()):
            raise ValueError("[MaskedTensor] the only element does not count, so that it has no value")
        return self._masked_data.item()

    def __bool__(self) -> bool:
        return bool(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def _no_data(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("[MaskedTensor] there is no memory of its own; use get_data() or to_tensor(value)")

    tolist = numpy = __array__ = data_ptr = untyped_storage = storage = __dlpack__ = apply_ = map_ = _no_data

    def __repr__(self) -> str:
        if self.is_sparse:
            return repr(self.to_dense())
        if self.ndim == 0:
            return f"MaskedTensor({_shown(self._masked_data, self._masked_mask)}, {bool(self._masked_mask)})"
        return f"MaskedTensor(\n{_lines(self._masked_data, self._masked_mask, 1)}\n)"


def _shown(value: Any, counts: Any) -> str:
    if not bool(counts):
        return "--"
    x = value.item()
    return f"{x:8.4f}" if isinstance(x, float) else str(x)


def _lines(data: Any, mask: Any, depth: int) -> str:
    """A tensor as nested lists: each row on a line, what does not count as dashes."""
    pad = "  " * depth
    if data.ndim == 1:
        shown = [_shown(x, m) for x, m in zip(data.detach(), mask, strict=True)]
        width = max([8, *(len(s) for s in shown)])
        return f"{pad}[{', '.join(s.rjust(width) if s == '--' else s for s in shown)}]"
    inner = ",\n".join(_lines(d, m, depth + 1) for d, m in zip(data, mask, strict=True))
    return f"{pad}[\n{inner}\n{pad}]"


def is_masked_tensor(obj: Any, /) -> bool:
    """Whether an object is a MaskedTensor.

    >>> import taeda, taeda.masked
    >>> taeda.masked.is_masked_tensor(taeda.masked.masked_tensor(taeda.ones(2), taeda.tensor([True, False])))
    True
    """
    return isinstance(obj, MaskedTensor)


def masked_tensor(data: Tensor, mask: Tensor, requires_grad: bool = False) -> MaskedTensor:
    """Return a copy of data with its mask, true where an element counts; a leaf of its own.

    >>> import taeda
    >>> x = taeda.masked.masked_tensor(taeda.tensor([[1.0, 2.0], [3.0, 4.0]]), taeda.tensor([[True, False], [False, False]]))
    >>> x.sum(1).to_tensor(0)
    tensor([1., 0.])
    """
    if not isinstance(data, Tensor):
        raise TypeError(f"[masked_tensor] data must be Tensor, not {type(data).__name__}")
    if data.requires_grad:
        warnings.warn("It is not recommended to create a MaskedTensor with a tensor that requires_grad. To avoid this, you can use "
                      "data.detach().clone(), or as_masked_tensor, through which gradients go on", UserWarning, stacklevel=2)
    return MaskedTensor(data.detach().clone(), mask.clone() if isinstance(mask, Tensor) else mask, requires_grad)


def as_masked_tensor(data: Tensor, mask: Tensor) -> MaskedTensor:
    """Return data with its mask, through which autograd goes on to data.

    >>> import taeda, taeda.masked
    >>> x = taeda.tensor([1.0, 2.0], requires_grad=True)
    >>> taeda.masked.as_masked_tensor(x, taeda.tensor([True, False])).sum().get_data()
    tensor(1., grad_fn=<SumBackward1>)
    """
    return MaskedTensor(data, mask)
