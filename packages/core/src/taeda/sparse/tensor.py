"""SparseTensor: what ``sparse_coo_tensor`` and its kin return, and how autograd goes through it.

A SparseTensor has sizes and a dtype but no memory, so that compiled code can ask for both and no kernel takes it; its content is
ordinary tensors: ``_held``, the values, and ``_places``, the indices (of COO: one matrix; of compressed layouts: where each row, or
column, begins, and the other dimension's indices).  Every call comes to ``__torch_function__`` and goes to a rule (``rules_*.py``).

Autograd has two nodes: ``Pack`` makes a sparse tensor of values, ``Values`` gives the values of one.  Rules compute on the values
in between by ordinary operations.  A gradient of a sparse tensor is a dense tensor or a sparse one, of any indices.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import attrgetter
from typing import Any

from taeda import _above, ops
from taeda._names import has_older_form, in_newer_order
from taeda._override import set_sparse
from taeda.autograd.backward import backward
from taeda.autograd.function import Function, FunctionNode
from taeda.autograd.grad_mode import is_grad_enabled
from taeda.dtype import int64
from taeda.layout import COMPRESSED, sparse_bsc, sparse_bsr, sparse_coo, sparse_csc, sparse_csr, strided
from taeda.sparse.places import dense_at, grouping, in_range, is_coalesced, known, linear, same_parts, sparse_dim
from taeda.sparse.printing import sparse_str
from taeda.stand_ins import sparse_shell
from taeda.tensor import Tensor

RULES: dict[str, Callable[..., Any]] = {}        # name of a function -> what it does where an argument is sparse

SPOKEN = {strided: "Strided", sparse_coo: "Sparse", sparse_csr: "SparseCsr", sparse_csc: "SparseCsc", sparse_bsr: "SparseBsr",
          sparse_bsc: "SparseBsc"}


# the names of nodes that are not their functions'
NODES = {"log1p": "Log1PBackward0", "deg2rad": "Deg2RadBackward0", "rad2deg": "Rad2DegBackward0", "nan_to_num": "NanToNumBackward0",
         "__getitem__": "SelectBackward0", "getitem": "SelectBackward0",
         **dict.fromkeys(("to", "float", "double", "half", "bfloat16", "cfloat", "cdouble"), "ToCopyBackward0")}


def rule(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let the function below say what functions and methods of these names do where an argument is sparse."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        for name in names:
            RULES[name] = function
        return function

    return enter


def unknown(name: str, s: Any) -> NotImplementedError:
    """The error of an operation that sparse tensors do not have."""
    backend = "SparseCsrCPU" if is_sparse(s) and s.layout in COMPRESSED else "SparseCPU"
    return NotImplementedError(f"[{name}] Could not run 'aten::{name}' with arguments from the '{backend}' backend: there is no such "
                               "operation on sparse tensors; hint: .to_dense()")


def answer(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return what the function of the name gives of arguments some of which are sparse."""
    by_rule = RULES.get(name)
    if by_rule is None and name in ("empty", "zeros") and is_sparse(kwargs.get("out")):
        return emptied(name, kwargs.pop("out"), args, kwargs)
    if by_rule is None:
        raise unknown(name, next((x for x in args if is_sparse(x)), None))
    out = kwargs.pop("out", None) if kwargs else None
    if out is not None:
        if is_sparse(out) and not any(is_sparse(x) for x in (*args, *(args[0] if isinstance(args[0], (list, tuple)) else ()))):
            raise unknown(name, out)
        if not isinstance(out, Tensor):
            raise TypeError(f"[{name}] out must be Tensor, not {type(out).__name__}")
    try:
        found = applied(name, by_rule, args, kwargs)
    except AttributeError as error:                      # rules ask tensors for what they are
        raise TypeError(f"[{name}] an argument is of another kind than the operation takes: {error}") from error
    if out is not None:
        return written(name, out, found)
    if type(found) is SparseTensor:
        if found.requires_grad:
            name_node(name, args, found)
    elif type(found) is tuple:
        for t in found:
            if type(t) is SparseTensor:
                name_node(name, args, t)
    return found


def emptied(name: str, out: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Give ``out`` the size that a function without tensors was asked for, and no entries."""
    if kwargs.get("dtype", out.dtype) not in (None, out.dtype):
        raise RuntimeError(f"[{name}] dtype {kwargs['dtype']} does not match dtype of out parameter ({out.dtype})")
    made = RULES["set_"](out, getattr(ops, name)(*(args or (kwargs["size"],)), dtype=out.dtype, device=out.device, layout=out.layout))
    return made.requires_grad_() if kwargs.get("requires_grad") else made


def applied(name: str, by_rule: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return what a rule gives, of factors between the tensors too, as in ``taeda.addmm(beta, x, alpha, a, b)``."""
    try:
        return by_rule(*args, **kwargs)
    except TypeError:
        newer = in_newer_order(name, args, kwargs) if has_older_form(name) else None
        if newer is None:
            raise
    return by_rule(*newer[0], **newer[1])


def name_node(name: str, args: tuple[Any, ...], t: Any) -> None:
    """Let the node of a new result, or of one that was written in place, show the function's name."""
    if type(t.grad_fn) in NAMED and ((name[-1] == "_" != name[-2:-1]) or not any(t is x for x in args)):
        called(t, NODES.get(name) or "".join(w[:1].upper() + w[1:] for w in name.split("_")) + "Backward0")


def written(name: str, out: Any, found: Any) -> Any:
    """Put a result where a program wants it, and return that."""
    if not isinstance(found, Tensor):
        raise TypeError(f"[{name}] {name}() got an unexpected keyword argument 'out': its result is no single tensor")
    if is_sparse(out) != is_sparse(found):
        raise RuntimeError(f"[{name}] the result has layout {found.layout}, out has {out.layout}")
    if is_sparse(out):
        return RULES["copy_"](out, found)
    return (out if out.shape == found.shape else out.resize_(found.shape)).copy_(found)


class SparseTensor(Tensor, attributes=False):  # type: ignore[call-arg]
    """A tensor of which most elements are zero: the others by their indices."""

    _looks_inside = True                # of the functions of nn that are made of others

    _layout: Any
    _places: tuple[Any, ...]
    _held: Any
    _known: dict[str, Any]              # what was found out about the indices
    _is_param = False

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return answer(func.__name__, args, kwargs or {})

    # -- what it is -------------------------------------------------------------------------------------

    layout = property(attrgetter("_layout"))

    @property
    def is_sparse(self) -> bool:
        return self._layout is sparse_coo

    @property
    def is_sparse_csr(self) -> bool:
        return self._layout is sparse_csr

    device = property(attrgetter("_held.device"))
    is_cpu = property(attrgetter("_held.is_cpu"))
    is_meta = property(attrgetter("_held.is_meta"))

    @property
    def nbytes(self) -> int:
        raise RuntimeError("[nbytes] nbytes is not defined for sparse tensors.  If you want the size of the constituent tensors, add the "
                           "nbytes of the indices and values.")

    def is_contiguous(self, *args: Any, **kwargs: Any) -> bool:
        """Return False: there is no memory to be in order."""
        return False

    def is_shared(self) -> bool:
        """Whether indices and values are in memory that processes share."""
        return all(x.is_shared() for x in (*self._places, self._held))

    def share_memory_(self) -> Any:
        """Move indices and values into memory that processes share."""
        for x in (*self._places, self._held):
            x.share_memory_()
        return self

    def is_set_to(self, other: Any) -> bool:
        """Whether both hold the same indices and values."""
        return is_sparse(other) and self._held.is_set_to(other._held) and same_parts(self, other)

    def __radd__(self, other: Any) -> Any:
        return ops.add(other, self)

    # -- what it has not --------------------------------------------------------------------------------

    def _no_data(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("[data_ptr] Cannot access data pointer of Tensor that doesn't have storage; hint: .to_dense(), or indices() "
                           "and values()")

    def _no_storage(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("[storage] Cannot access storage of SparseTensorImpl; hint: .to_dense(), or indices() and values()")

    data_ptr = tolist = apply_ = map_ = _no_data
    storage = untyped_storage = _no_storage

    def numpy(self, *, force: bool = False) -> Any:
        """Raise TypeError: NumPy has dense arrays alone."""
        raise TypeError("[numpy] can't convert Sparse layout tensor to numpy. Use Tensor.to_dense() first.")

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        return self.numpy()

    def __dlpack__(self, *args: Any, **kwargs: Any) -> Any:
        raise BufferError("[dlpack] Can't export tensors with layout other than torch.strided; hint: .to_dense()")

    def as_subclass(self, cls: Any) -> Any:
        """Raise RuntimeError: a class's instance has memory."""
        raise RuntimeError(f"[as_subclass] a sparse tensor cannot be an instance of {cls.__name__}; hint: .to_dense()")

    # -- as a number, as text, as a file ----------------------------------------------------------------

    def item(self) -> Any:
        """Return the only element as a number."""
        if self.numel() != 1:
            raise RuntimeError(f"[item] a Tensor with {self.numel()} elements cannot be converted to Scalar; its shape is "
                               f"{tuple(self.shape)}")
        return self.detach().to_dense().item()

    def __contains__(self, element: Any) -> bool:
        raise unknown("eq", self)

    def type(self, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Return the legacy type name, or the tensor in another dtype."""
        if dtype is None:
            return self._held.type().replace(".", ".sparse.", 1)
        return self.to(self._held.new_empty(0).type(dtype).dtype)

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return sparse_str(self)

    def __format__(self, spec: str) -> str:
        return object.__format__(self, spec) if spec else repr(self)

    def __deepcopy__(self, memo: Any) -> Any:
        if not self.is_leaf:
            raise RuntimeError("[deepcopy] Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at "
                               "the moment; detach() the tensor first.")
        if id(self) not in memo:
            memo[id(self)] = made = self.detach().clone().requires_grad_(self.requires_grad)
            made._is_param = self._is_param
            if self.grad is not None:
                made.grad = self.grad.__deepcopy__(memo)
        return memo[id(self)]

    def __copy__(self) -> Any:
        return self.detach().requires_grad_(self.requires_grad)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _above.reduce_tensor(self)

    # -- autograd ---------------------------------------------------------------------------------------

    @property
    def data(self) -> Any:
        return self.detach()

    @data.setter
    def data(self, value: Any) -> None:
        if not is_sparse(value):
            raise RuntimeError("[data] Attempted to call `variable.set_data(tensor)`, but `variable` and `tensor` have incompatible tensor "
                               "type: one is sparse, the other dense")
        become(self, value.detach())

    def backward(self, gradient: Any = None, *args: Any, **kwargs: Any) -> None:
        """Run autograd from this tensor."""
        backward(self, gradient, *args, **kwargs)


set_sparse(SparseTensor, answer)
SparseTensor.__name__ = SparseTensor.__qualname__ = "Tensor"         # what users see: a layout, not a class
SparseTensor.__module__ = Tensor.__module__


def is_sparse(x: Any) -> bool:
    """Whether x is a tensor of a sparse layout."""
    return isinstance(x, SparseTensor)


def make(layout: Any, parts: tuple[Any, ...], values: Any, size: tuple[int, ...], coalesced: bool = False) -> Any:
    """Return a sparse tensor on these very indices and values, without history."""
    if math.prod(size) > 2**63 - 1:                      # places are counted in 64 bits where entries are brought together
        raise RuntimeError(f"[sparse] numel: integer multiplication overflow: a tensor of size {list(size)} has more than 2^63 places")
    held = values.detach()
    made: Any = Tensor._make_subclass(SparseTensor, held)
    sparse_shell(made, tuple(size), held)
    made._layout, made._places, made._held, made._known = layout, parts, held, {}
    if layout is sparse_coo and (coalesced or held.shape[0] < 2):
        made._known["coalesced"] = True
    return made


def become(s: Any, other: Any) -> None:
    """Give a sparse tensor the sizes, indices and values of another; its place in the graph stays."""
    sparse_shell(s, tuple(other.shape), other._held)
    s._layout, s._places, s._held, s._known = other._layout, other._places, other._held, dict(other._known)


# -- autograd ----------------------------------------------------------------------------------------


class Pack(Function):
    """Values -> sparse tensor."""

    @staticmethod
    def forward(ctx: Any, values: Any, layout: Any, parts: Any, size: Any, coalesced: bool) -> Any:
        ctx.set_materialize_grads(False)
        made = make(layout, parts, values, size, coalesced)
        ctx.like = made.detach()
        return made

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return None if g is None else values_at(g, ctx.like), None, None, None, None


class Values(Function):
    """Sparse tensor -> its values, as they are."""

    @staticmethod
    def forward(ctx: Any, s: Any) -> Any:
        ctx.set_materialize_grads(False)
        ctx.like = s.detach()
        return s._held.detach()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        if g is None:
            return None
        like = ctx.like
        if like._layout is not sparse_coo or is_coalesced(like):
            return with_values(like, g)
        order, first, _ = grouping(like)             # entries of one element have one gradient
        kept = order if first is None else order[first]
        return packed(sparse_coo, (like._places[0].index_select(1, kept),), g.index_select(0, kept), like.shape, True)


NAMED = {Pack._backward_cls}                         # nodes that show the name of the function which was called
Pack._backward_cls.__name__ = "SparseCooTensorWithDimsAndTensorsBackward0"
Values._backward_cls.__name__ = "ValuesBackward0"


_called: dict[tuple[type, str], type] = {}


def called(t: Any, name: str) -> Any:
    """Return t, a new result; the node that made it shows the name."""
    fn = t.grad_fn
    if name and isinstance(fn, FunctionNode):
        kind = type(fn)
        if (kind, name) not in _called:
            _called[kind, name] = type(name, (kind,), {})
        fn.__class__ = _called[kind, name]
    return t


def packed(layout: Any, parts: tuple[Any, ...], values: Any, size: Any, coalesced: bool = False) -> Any:
    """Return a sparse tensor of values, which autograd goes on to."""
    if values.requires_grad and is_grad_enabled():
        return Pack.apply(values, layout, parts, tuple(size), coalesced)
    return make(layout, parts, values, tuple(size), coalesced)


def with_values(s: Any, values: Any) -> Any:
    """Return a sparse tensor of s's indices and other values."""
    found = packed(s._layout, s._places, values, s.shape, is_coalesced(s))
    found._known.update(known(s))
    return found


def values_of(s: Any) -> Any:
    """Return the values of a sparse tensor, from which autograd goes on to the tensor."""
    return Values.apply(s) if s.requires_grad and is_grad_enabled() else s._held


def from_values(s: Any) -> bool:
    """Whether a sparse tensor's gradient goes to values alone, so that only its own elements count."""
    return isinstance(s.grad_fn, Pack._backward_cls)


def values_at(g: Any, like: Any) -> Any:
    """Return the elements of a gradient, dense or sparse, at the indices of a sparse tensor, as values of it."""
    if is_sparse(g):
        if same_parts(g, like) and (g._layout is not sparse_coo or is_coalesced(g) or is_coalesced(like)):
            return values_of(g)
        if g._layout is not sparse_coo or like._layout is not sparse_coo:
            g = g.to_dense()
    if like._layout in COMPRESSED:
        return dense_at(g, like)
    indices = like._places[0]
    if not is_sparse(g):
        return g[tuple(indices)] if len(indices) else g.unsqueeze(0).expand(like._held.shape)
    g = coalesce(g)
    return lookup(g, linear(like))


def lookup(s: Any, wanted: Any) -> Any:
    """Return the values of a coalesced tensor at linear indices, zero where it has none."""
    known = linear(s)
    values = values_of(s)
    if known.numel() == 0:
        return values.new_zeros((wanted.numel(), *values.shape[1:]))
    at = ops.searchsorted(known, wanted).clamp(max=known.numel() - 1)
    there = (known.index_select(0, at) == wanted).reshape([-1] + [1] * (values.ndim - 1))
    return ops.where(there, values.index_select(0, at), values.new_zeros(()))


# -- COO values -------------------------------------------------------------------------------------


def coalesce(s: Any) -> Any:
    """Return the tensor with sorted indices, each there once with the sum of its values."""
    if is_coalesced(s):
        return s
    indices, values = s._places[0], values_of(s)
    if s._held.is_meta or indices.shape[1] < 2:
        return packed(sparse_coo, (indices,), values.clone(), s.shape, True)
    key = linear(s)
    if bool((key[1:] > key[:-1]).all()):
        return packed(sparse_coo, (indices,), values.clone(), s.shape, True)
    order, first, group = grouping(s)
    values = values.index_select(0, order)
    if group is not None:
        sums = summed(values, group, first.numel())
        return packed(sparse_coo, (indices.index_select(1, order[first]),), sums, s.shape, True)
    return packed(sparse_coo, (indices.index_select(1, order),), values, s.shape, True)


def summed(values: Any, group: Any, n: int) -> Any:
    """Return n sums of values, each of those of its group; of bools, whether any is true."""
    if values.dtype.name == "bool":
        return summed(values.to(int64), group, n) != 0
    return values.new_zeros((n, *values.shape[1:])).index_add_(0, group, values)


def to_dense(s: Any) -> Any:
    """Return a COO tensor's elements, dense."""
    k = sparse_dim(s)
    values, sizes = values_of(s), tuple(s.shape)
    if values.is_meta:
        return ops.empty(sizes, dtype=values.dtype, device=values.device)
    return summed(values, in_range(s), math.prod(sizes[:k])).reshape(sizes)
