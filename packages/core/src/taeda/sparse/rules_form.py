"""Rules for what a sparse tensor is made of, and how it becomes another: indices, values, copies, dtypes, layouts."""

from __future__ import annotations

from typing import Any

from taeda import ops
from taeda.autograd.function import Function
from taeda.autograd.grad_mode import is_grad_enabled
from taeda.autograd.node import named
from taeda.dtype import NAMES, can_cast, int64
from taeda.layout import COMPRESSED, layout as layout_class, sparse_bsc, sparse_bsr, sparse_coo, sparse_csc, sparse_csr, strided
from taeda.sparse import compressed as _compressed, tensor as _tensor
from taeda.sparse.creation import copy_of, empty_of, sparse_coo_tensor
from taeda.sparse.places import coo_indices, dense_at, is_coalesced, linear, sparse_dim
from taeda.sparse.tensor import SPOKEN, become, called, coalesce, is_sparse, lookup, make, packed, rule, unknown, values_of, with_values
from taeda.stand_ins import take_history, wrote


def need_coo(name: str, s: Any) -> None:
    """Raise RuntimeError unless a tensor is in coordinate format."""
    if not is_sparse(s) or s._layout is not sparse_coo:
        raise RuntimeError(f"[{name}] {name} expected sparse coordinate tensor layout but got {SPOKEN.get(s.layout, s.layout)}")


def begin_write(name: str, s: Any) -> None:
    """Refuse a change in place that autograd could not follow."""
    if is_grad_enabled() and s.requires_grad and s.is_leaf:
        raise RuntimeError(f"[{name}] a leaf Variable that requires grad is being used in an in-place operation; use taeda.no_grad() to "
                           "update it, or clone it")


def write(name: str, s: Any, found: Any) -> Any:
    """Put what an operation found in a sparse tensor's place."""
    begin_write(name, s)
    if found.dtype != s.dtype:
        if not can_cast(found.dtype, s.dtype):
            raise RuntimeError(f"[{name}] result type {found.dtype} can't be cast to the desired output type {s.dtype}")
        found = found.to(s.dtype)
    become(s, found)
    if found.requires_grad:
        take_history(s, found)
    wrote(s)
    return s


# -- parts -------------------------------------------------------------------------------------------


@rule("_indices")
def _indices(s: Any) -> Any:
    need_coo("_indices", s)
    return s._places[0]


@rule("_values")
def _values(s: Any) -> Any:
    return s._held.detach()


@rule("indices")
def indices(s: Any) -> Any:
    need_coo("indices", s)
    if not is_coalesced(s):
        raise RuntimeError("[indices] Cannot get indices on an uncoalesced tensor, please call .coalesce() first")
    return s._places[0]


@rule("values")
def values(s: Any) -> Any:
    if s._layout is sparse_coo and not is_coalesced(s):
        raise RuntimeError("[values] Cannot get values on an uncoalesced tensor, please call .coalesce() first")
    return values_of(s)


@rule("_nnz")
def _nnz(s: Any) -> int:
    return int(s._held.size(0)) if s._layout is sparse_coo else int(s._places[1].size(-1))


def _part(name: str, at: int) -> None:
    @rule(name)
    def part(s: Any) -> Any:
        if s._layout not in COMPRESSED or COMPRESSED[s._layout][2][at] != name:
            kind = "row" if name in ("crow_indices", "col_indices") else "column"
            raise RuntimeError(f"[{name}] {name} expected sparse {kind} compressed tensor layout but got {SPOKEN[s._layout]}")
        return s._places[at]


for _name, _at in (("crow_indices", 0), ("ccol_indices", 0), ("col_indices", 1), ("row_indices", 1)):
    _part(_name, _at)


@rule("is_coalesced")
def _is_coalesced(s: Any) -> bool:
    need_coo("is_coalesced", s)
    return is_coalesced(s)


@rule("_coalesced_")
def _coalesced_(s: Any, coalesced: bool) -> Any:
    s._known["coalesced"] = bool(coalesced)
    return s


@rule("coalesce")
def _coalesce(s: Any) -> Any:
    need_coo("coalesce", s)
    return coalesce(s)


@rule("sparse_dim")
def _sparse_dim(s: Any) -> int:
    return sparse_dim(s) if s._layout is sparse_coo else 2


@rule("dense_dim")
def _dense_dim(s: Any) -> int:
    return int(s._held.ndim - 1) if s._layout is sparse_coo else _compressed.dense_dims(s)


@rule("is_contiguous")
def _is_contiguous(s: Any, *args: Any, **kwargs: Any) -> bool:
    return False


@rule("is_same_size")
def _is_same_size(s: Any, other: Any) -> bool:
    return bool(tuple(s.shape) == tuple(other.shape))


# -- copies ------------------------------------------------------------------------------------------


@rule("detach", "alias", "lift_fresh")
def detach(s: Any) -> Any:
    made = make(s._layout, s._places, s._held, s.shape)
    made._known = s._known                  # of the indices, which both have
    return made


@rule("detach_")
def detach_(s: Any) -> Any:
    raise RuntimeError("[detach_] a sparse tensor cannot be detached in place; use detach()")


@rule("clone")
def clone(s: Any, *, memory_format: Any = None) -> Any:
    return packed(s._layout, tuple(x.clone() for x in s._places), values_of(s).clone(), s.shape, is_coalesced(s))


@rule("contiguous")
def contiguous(s: Any, memory_format: Any = None) -> Any:
    raise RuntimeError("[contiguous] unsupported memory format option Contiguous for a sparse tensor; hint: .to_dense()")


@rule("requires_grad_")
def requires_grad_(s: Any, requires_grad: bool = True) -> Any:
    s.requires_grad = requires_grad
    return s


@rule("cpu")
def cpu(s: Any, *args: Any, **kwargs: Any) -> Any:
    return to(s, "cpu")


@rule("to")
def to(s: Any, *args: Any, **kwargs: Any) -> Any:
    if len(args) == 1 and not kwargs and (args[0] is s.dtype or (args[0] == "cpu" and s.is_cpu)):
        return s
    probe = s._held.new_empty(0)
    args = tuple(x._held if is_sparse(x) else x for x in args)
    like = probe.to(*args, **{k: v for k, v in kwargs.items() if k != "copy"})
    if like.dtype == s.dtype and like.device == s.device and not kwargs.get("copy"):
        return s
    if like.device != s.device:
        if like.is_meta:
            return empty_of(s.shape, s._layout, like.dtype, "meta", sparse_dim(s) if s._layout is sparse_coo else None)
        raise NotImplementedError("[to] Cannot copy out of meta tensor; no data!")
    if s._layout in COMPRESSED or s.dtype != like.dtype:
        return with_values(s, values_of(s).to(like.dtype))
    return clone(s)


def _conversion(method: str, name: str) -> None:
    @rule(method)
    def convert(s: Any, memory_format: Any = None) -> Any:
        return s if s.dtype is NAMES[name] else to(s, NAMES[name])


for _method, _dtype in {"float": "float32", "double": "float64", "half": "float16", "bfloat16": "bfloat16", "long": "int64", "int": "int32",
                        "short": "int16", "char": "int8", "byte": "uint8", "bool": "bool", "cfloat": "complex64",
                        "cdouble": "complex128"}.items():
    _conversion(_method, _dtype)


@rule("type_as")
def type_as(s: Any, other: Any) -> Any:
    return s.to(other.dtype)


@rule("copy_")
def copy_(s: Any, src: Any, non_blocking: bool = False) -> Any:
    if not is_sparse(s) or not is_sparse(src):
        raise RuntimeError("[copy_] copy_() between dense and sparse Tensors is not implemented! Found self type = "
                           f"{s.type()} and src type = {src.type()}")
    if s._layout is not src._layout:
        raise RuntimeError(f"[copy_] copy of sparse tensors having different layouts is not supported. self layout is {s.layout} and src "
                           f"layout is {src.layout}")
    if s.shape != src.shape:
        raise RuntimeError(f"[copy_] the shapes must match, got {tuple(s.shape)} and {tuple(src.shape)}")
    return write("copy_", s, clone(src))


@rule("zero_")
def zero_(s: Any) -> Any:
    begin_write("zero_", s)
    if s._layout is sparse_coo and s.requires_grad and is_grad_enabled():                # nothing of it goes on
        return write("zero_", s, packed(sparse_coo, (s._places[0][:, :0],), values_of(s)[:0], s.shape, True))
    if s._layout is sparse_coo:
        indices, values = s._places[0], s._held
        s._places, s._held = (indices.new_empty((indices.shape[0], 0)),), values.new_empty((0, *values.shape[1:]))
        s._known = {"coalesced": True}
    else:
        become(s, zeros_like(s.detach()))
    wrote(s)
    return s


@rule("fill_")
def fill_(s: Any, value: Any) -> Any:
    if s._layout not in COMPRESSED:
        raise NotImplementedError("[fill_] there is no such operation on sparse tensors: what is not there would have a value; "
                                  "hint: .to_dense()")
    return write("fill_", s, with_values(s, values_of(s.detach()).clone().fill_(value)))


@rule("set_")
def set_(s: Any, source: Any, *args: Any) -> Any:
    if not (is_sparse(s) and is_sparse(source)):
        raise RuntimeError(f"[set_] both tensors must be sparse, or both dense; got {s.layout} and {getattr(source, 'layout', source)}")
    return write("set_", s, detach(source))


@rule("resize_as_", "resize_as_sparse_")
def resize_as_sparse_(s: Any, the_template: Any, *, memory_format: Any = None) -> Any:
    if not (is_sparse(s) and is_sparse(the_template)):
        raise RuntimeError(f"[resize_as_] both tensors must be sparse, or both dense; got {s.layout} and {the_template.layout}")
    return sparse_resize_(s, the_template.shape, the_template.sparse_dim(), the_template.dense_dim())


@rule("resize_")
def resize_(s: Any, *given: Any, memory_format: Any = None) -> Any:
    if s._layout not in (sparse_csr, sparse_csc):
        raise unknown("resize_", s)
    if s.requires_grad:
        raise RuntimeError("[resize_] cannot resize variables that require grad")
    size = tuple(given[0] if len(given) == 1 and hasattr(given[0], "__len__") else given)
    if len(size) != 2 or s.ndim != 2:
        raise RuntimeError(f"[resize_] a compressed matrix without batches stays one: got the size {list(size)} for {list(s.shape)}")
    if size[1] < s.shape[1] or (s._layout is sparse_csc and size[0] < s.shape[0]):
        raise RuntimeError("[resize_] Resizing columns of sparse CSR tensors to a smaller value is not supported: the size is "
                           f"{list(s.shape)}, the requested one {list(size)}")
    (starts, places), lines = s._places, size[0] if s._layout is sparse_csr else size[1]
    starts = starts[: lines + 1]                         # rows that are no more go with their entries
    starts = ops.cat([starts, starts[-1:].expand(lines + 1 - len(starts))])
    n = int(starts[-1])
    return write("resize_", s, make(s._layout, (starts, places[:n]), s._held[:n], size))


def _size_of(name: str, size: Any, sparse_dim: int, dense_dim: int) -> tuple[int, ...]:
    """Return a size that has as many dimensions as are said to be sparse and dense."""
    size = tuple(size)
    if len(size) != sparse_dim + dense_dim:
        raise RuntimeError(f"[{name}] 'len(size) == sparse_dim + dense_dim' is not satisfied: len(size) = {len(size)}, "
                           f"sparse_dim = {sparse_dim}, dense_dim = {dense_dim}")
    return size


@rule("sparse_resize_")
def sparse_resize_(s: Any, size: Any, sparse_dim: int, dense_dim: int) -> Any:
    need_coo("sparse_resize_", s)
    begin_write("sparse_resize_", s)
    size = _size_of("sparse_resize_", size, sparse_dim, dense_dim)
    if s._nnz():
        if sparse_dim != s.sparse_dim():
            raise RuntimeError(f"[sparse_resize_] changing the number of sparse dimensions (from {s.sparse_dim()} to {sparse_dim}) on a "
                               "non-empty sparse tensor is not supported.")
        if dense_dim != s.dense_dim():
            raise RuntimeError(f"[sparse_resize_] changing the number of dense dimensions (from {s.dense_dim()} to {dense_dim}) on a "
                               "non-empty sparse tensor is not supported.")
        if any(new < old for new, old in zip(size, s.shape, strict=True)):
            raise RuntimeError("[sparse_resize_] shrinking the size of sparse or dense dimensions "
                               f"(from {list(s.shape)} to {list(size)}) on a non-empty sparse tensor is not supported.")
        values = s._held
        if tuple(values.shape[1:]) != size[sparse_dim:]:
            grown = values.new_zeros((values.shape[0], *size[sparse_dim:]))
            grown[tuple(slice(0, n) for n in values.shape)] = values
            values = grown
        return write("sparse_resize_", s, make(sparse_coo, s._places, values, size, is_coalesced(s)))
    return write("sparse_resize_", s, empty_of(size, sparse_coo, s.dtype, s.device, sparse_dim))


@rule("sparse_resize_and_clear_")
def sparse_resize_and_clear_(s: Any, size: Any, sparse_dim: int, dense_dim: int) -> Any:
    begin_write("sparse_resize_and_clear_", s)
    size = _size_of("sparse_resize_and_clear_", size, sparse_dim, dense_dim)
    return write("sparse_resize_and_clear_", s, empty_of(size, sparse_coo, s.dtype, s.device, sparse_dim))


@rule("as_tensor", "asarray")
def as_tensor(data: Any, dtype: Any = None, device: Any = None, **kwargs: Any) -> Any:
    return data if dtype is None else data.to(dtype)


@rule("tensor", "new_tensor")
def tensor(data: Any, new: Any = None, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, **kwargs: Any) -> Any:
    if new is not None:
        return ops.tensor(new, dtype=dtype or data.dtype, device=device, requires_grad=requires_grad)
    found = copy_of(data, dtype)
    return found.requires_grad_() if requires_grad else found


@rule("empty_like", "zeros_like")
def zeros_like(s: Any, *, dtype: Any = None, layout: Any = None, device: Any = None, requires_grad: bool = False, **kwargs: Any) -> Any:
    layout = layout or s.layout
    dtype = dtype or s.dtype
    if s._layout is sparse_coo is layout and kwargs.get("memory_format") is not None:
        raise RuntimeError(f"[zeros_like] memory format option is only supported by strided tensors, got {kwargs['memory_format']}")
    if layout is strided:
        made = ops.zeros(tuple(s.shape), dtype=dtype, device=device or s.device)
    elif layout in COMPRESSED and (s._layout in COMPRESSED or layout in _compressed.BLOCKS):
        there = s._layout in COMPRESSED
        n, block = (_compressed.batch_dims(s), _compressed.block_size(s)) if there else (0, (1, 1))
        batch, axis = tuple(s.shape[:n]), COMPRESSED[layout][0]
        dense = tuple(s.shape[n + 2 :]) if there else ()
        blocked = block if layout in _compressed.BLOCKS else ()
        lines = s.shape[n + axis] // (block[axis] if blocked else 1)
        places = ops.zeros((*batch, lines + 1), dtype=int64), ops.zeros((*batch, 0), dtype=int64)
        made = make(layout, places, ops.zeros((*batch, 0, *blocked, *dense), dtype=dtype, device=device or s.device), s.shape)
    else:
        made = empty_of(s.shape, layout, dtype, device or s.device, s.ndim - _dense_dim(s))
    return made.requires_grad_() if requires_grad else made


@rule("randn_like")
def randn_like(s: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, **kwargs: Any) -> Any:
    """Return random numbers where a compressed tensor has elements."""
    if s._layout not in COMPRESSED:
        raise unknown("normal_", s)
    made = with_values(s.detach(), ops.randn_like(s._held, dtype=dtype or s.dtype, device=device or s.device))
    return made.requires_grad_() if requires_grad else made


@rule("full_like")
def full_like(s: Any, fill_value: Any, *, dtype: Any = None, layout: Any = None, device: Any = None, requires_grad: bool = False,
              **kwargs: Any) -> Any:
    """Return the value where a compressed tensor has elements."""
    if (layout or s.layout) is strided:
        return ops.full(tuple(s.shape), fill_value, dtype=dtype or s.dtype, device=device or s.device, requires_grad=requires_grad)
    if s._layout not in COMPRESSED:
        raise NotImplementedError("[full_like] there is no such operation on sparse tensors: what is not there would have a value; hint: "
                                  "full_like(x, value, layout=taeda.strided)")
    made = with_values(s.detach(), ops.full_like(s._held, fill_value, dtype=dtype or s.dtype, device=device or s.device))
    return made.requires_grad_() if requires_grad else made


@rule("ones_like")
def ones_like(s: Any, **kwargs: Any) -> Any:
    return full_like(s, 1, **kwargs)


def _new_size(s: Any, size: tuple[Any, ...], dtype: Any, device: Any, layout: Any) -> Any:
    sizes = tuple(size[0]) if len(size) == 1 and hasattr(size[0], "__len__") else size
    layout = layout or s.layout
    if layout is strided:
        return ops.zeros(sizes, dtype=dtype or s.dtype, device=device or s.device)
    return empty_of(sizes, layout, dtype or s.dtype, device or s.device)


@rule("new_zeros", "new_empty")
def new_zeros(
    s: Any, *size: Any, dtype: Any = None, layout: Any = None, device: Any = None, requires_grad: bool = False, **kwargs: Any
) -> Any:
    if "size" in kwargs:
        size = (kwargs["size"],)
    made = _new_size(s, size, dtype, device, layout)
    return made.requires_grad_() if requires_grad else made


@rule("new")
def new(s: Any, *args: Any) -> Any:
    if args and hasattr(args[0], "dtype"):
        return sparse_coo_tensor(*args)
    return _new_size(s, args or ((0,),), None, None, None)


# -- layouts -----------------------------------------------------------------------------------------


class ToSparse(Function):
    """Dense -> sparse, of a layout; a gradient that comes back dense is the dense tensor's own."""

    @staticmethod
    def forward(ctx: Any, x: Any, convert: Any) -> Any:
        ctx.set_materialize_grads(False)
        return convert(x)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return None if g is None else g.to_dense(), None


def _converted(x: Any, convert: Any, name: str) -> Any:
    if not (x.requires_grad and is_grad_enabled()):
        return convert(x)
    return called(ToSparse.apply(x, convert), name)


def coo_of(x: Any, k: int) -> Any:
    """Return a dense tensor in coordinate format, its first k dimensions sparse."""
    plain = x.detach()
    there = plain.ne(0)
    if x.ndim == 0:
        n = int(there)
        return make(sparse_coo, (there.new_zeros((0, n)).long(),), plain.reshape(1)[:n], x.shape, True)
    if k < x.ndim:
        there = there.flatten(k).any(k)
    found = there.reshape(tuple(x.shape[:k])).nonzero().t().contiguous() if k else there.new_zeros((0, 1)).long()
    return make(sparse_coo, (found,), plain[tuple(found)] if k else plain.unsqueeze(0), x.shape, True)


def _check_conversion(x: Any, layout: Any, sparse_dims: Any, blocksize: Any, dense_dim: Any, op: str) -> None:
    """Raise unless a tensor can be brought into a layout with these arguments."""
    there = is_sparse(x)
    what = f"conversion from {SPOKEN[x._layout if there else strided]} to {SPOKEN[layout]}"
    if sparse_dims is not None and (blocksize is not None or dense_dim is not None or layout is not sparse_coo):
        raise TypeError(f"[{op}] sparse_dim goes without layout, blocksize and dense_dim, got sparse_dim={sparse_dims}; hint: "
                        "dense_dim says how many of the last dimensions belong to each element")
    if blocksize is not None and layout not in _compressed.BLOCKS:
        raise RuntimeError(f"[{op}] {what} with blocksize argument given is not supported; hint: sparse_bsr and sparse_bsc have blocks")
    if there and dense_dim is not None:
        raise RuntimeError(f"[{op}] {what} with dense_dim argument given is not supported; hint: a sparse tensor keeps its own")
    own = 0 if not there else 2 if x._layout in COMPRESSED else sparse_dim(x)
    if there and sparse_dims not in (None, own):
        raise RuntimeError(f"[{op}] {what} with sparse_dim argument !={own} is not supported, got {sparse_dims}")
    most = x.ndim if layout is sparse_coo else x.ndim - 2
    if dense_dim is not None and not 0 <= dense_dim <= max(most, 0):
        raise RuntimeError(f"[{op}] dense_dim argument must be in [0,{most}] range, but {dense_dim} is given, for shape {tuple(x.shape)}")


@rule("to_sparse")
def to_sparse(x: Any, sparse_dims: Any = None, *, layout: Any = None, blocksize: Any = None, dense_dim: Any = None, **kwargs: Any) -> Any:
    """Return a tensor in a sparse layout: coordinates by default, the first ``sparse_dims`` dimensions of a dense one."""
    if isinstance(sparse_dims, layout_class):
        sparse_dims, layout = None, sparse_dims
    sparse_dims = kwargs.get("sparse_dim", kwargs.get("sparseDims", sparse_dims))
    layout = layout or sparse_coo
    if layout is strided and not is_sparse(x):
        return x
    if layout not in COMPRESSED and layout is not sparse_coo:
        raise RuntimeError(f"[to_sparse] expected a sparse layout, got {layout}; hint: .to_dense()")
    name = {sparse_csr: "Csr", sparse_csc: "Csc", sparse_bsr: "Bsr", sparse_bsc: "Bsc"}.get(layout, "")
    op = f"to_sparse_{name.lower()}" if name else "to_sparse"
    _check_conversion(x, layout, sparse_dims, blocksize, dense_dim, op)
    if layout in COMPRESSED:
        if is_sparse(x):
            return _compressed.to_compressed(x, layout, blocksize, op)
        return _converted(x, lambda y: _compressed.to_compressed(y, layout, blocksize, op, dense_dim or 0), f"ToSparse{name}Backward0")
    if is_sparse(x):
        if x._layout is sparse_coo:
            return x
        if x._layout is sparse_csc and not _compressed.batch_dims(x):                # by column, as they are
            return packed(sparse_coo, (ops.stack(coo_indices(x)),), values_of(x), x.shape)
        return _compressed.to_coo(x)
    k = x.ndim - (dense_dim or 0) if sparse_dims is None else sparse_dims
    if not (0 < k <= x.ndim or k == x.ndim == 0):
        raise RuntimeError(f"[to_sparse] sparse_dim argument must be in >0 and <= {x.ndim} for a tensor of shape {tuple(x.shape)}, got {k}")
    return _converted(x, lambda y: coo_of(y, k), "ToSparseBackward0" if sparse_dims is not None else "ToSparseBackward1")


def _to_layout(name: str, layout: Any) -> None:
    @rule(name)
    def convert(x: Any, blocksize: Any = None, dense_dim: Any = None) -> Any:
        if layout not in _compressed.BLOCKS and blocksize is not None:               # to_sparse_csr(dense_dim)
            blocksize, dense_dim = None, blocksize
        return to_sparse(x, layout=layout, blocksize=blocksize, dense_dim=dense_dim)

    CONVERSIONS[name] = convert


CONVERSIONS: dict[str, Any] = {}
for _name, _layout in (("to_sparse_csr", sparse_csr), ("to_sparse_csc", sparse_csc), ("to_sparse_bsr", sparse_bsr),
                       ("to_sparse_bsc", sparse_bsc)):
    _to_layout(_name, _layout)


@rule("to_sparse_coo")
def to_sparse_coo(x: Any) -> Any:
    return to_sparse(x)


@rule("to_dense", "_to_dense")
def to_dense(s: Any, dtype: Any = None, *, masked_grad: Any = None) -> Any:
    found = _compressed.dense_of(s) if s._layout in COMPRESSED else _tensor.to_dense(s)
    found = named(found, "ToDenseBackward0") if found.requires_grad else found
    return found if dtype is None else found.to(dtype)


@rule("sparse_mask")
def sparse_mask(x: Any, mask: Any) -> Any:
    """Return the elements of x where the sparse tensor ``mask`` has some."""
    if not is_sparse(mask):
        raise RuntimeError(f"[sparse_mask] sparse_mask(): mask must be sparse, got {getattr(mask, 'layout', type(mask).__name__)}")
    if x.shape != mask.shape:
        raise RuntimeError(f"[sparse_mask] operands have incompatible sizes; self has size {list(x.shape)} but mask has size "
                           f"{list(mask.shape)}")
    itself = x is mask                                     # its entries are what it is, also where several are at one place
    mask = mask.detach()
    if mask._layout in COMPRESSED:
        dense = x.to_dense() if is_sparse(x) else x
        return with_values(mask, dense_at(dense, mask))
    if itself:
        found = values_of(x)
    elif is_sparse(x):
        found = lookup(coalesce(_compressed.to_coo(x)), linear(mask))
    else:
        at = mask._places[0]
        found = x[tuple(at)] if len(at) else x.unsqueeze(0)
    return with_values(mask, found)


@rule("is_pinned")
def is_pinned(s: Any, *args: Any) -> bool:
    return False


@rule("pin_memory")
def pin_memory(s: Any, *args: Any) -> Any:
    return s


@rule("is_nonzero", "__bool__")
def is_nonzero(s: Any) -> bool:
    return bool(s)


@rule("conj", "conj_physical")
def conj(s: Any) -> Any:
    return with_values(s, values_of(s).conj()) if s.is_complex() else s


@rule("conj_physical_")
def conj_physical_(s: Any) -> Any:
    if s._layout not in COMPRESSED:
        raise unknown("conj_physical_", s)
    return write("conj_physical_", s, conj(s))


@rule("resolve_conj", "resolve_neg")
def resolve_conj(s: Any) -> Any:
    return s


@rule("get_device")
def get_device(s: Any) -> int:
    return -1


@rule("module_load")
def module_load(s: Any, other: Any, assign: bool = False) -> Any:
    return other.detach() if assign else s.copy_(other).detach()
