"""What a checkpoint's pickle may name: PyTorch's rebuilding functions and types, and what stands for each here.

``TABLE`` is the allow-list of ``load``; ``Global`` objects are the names that ``save`` writes.  Nothing here trusts
its arguments: they may come from a file that somebody else made.
"""

from __future__ import annotations

import copyreg
import importlib
import inspect
import pickle
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import Any

from taeda.autograd.grad_mode import no_grad
from taeda.device import device
from taeda.dtype import LEGACY_NAMES, NAMES, UNHELD, dtype
from taeda.layout import SPARSE, sparse_coo, strided
from taeda.ops.copying import set_
from taeda.ops.creation import empty, empty_strided
from taeda.serialization import unpickler
from taeda.stand_ins import is_wrapper_tensor
from taeda.storage import Storage
from taeda.tensor import Tensor
from taeda.tensor_base import Size, TensorBase, user_attributes
from taeda.typed_storage import TypedStorage

MAX_DIM = 64                            # TAEDA_MAX_DIM of kernels/cpu/abi.h

# -- tensors in pickles and copies -------------------------------------------------------------------


def own_setstate(t: Any) -> bool:
    """Whether the tensor's class takes its state by a ``__setstate__`` of its own."""
    return type(t).__setstate__ is not Tensor.__setstate__  # type: ignore[attr-defined]


def state_of(t: Any) -> Any:
    """Return what the tensor's class says by a ``__getstate__`` of its own, else the attributes that a user has set."""
    own = getattr(type(t), "__getstate__", None)
    return user_attributes(t) if own is getattr(Tensor, "__getstate__", None) else t.__getstate__()


def reduce_tensor(t: Any) -> tuple[Any, ...]:
    """Return what ``pickle`` and ``copy`` make a tensor from: its storage and its layout."""
    if t.layout is not strided:
        return rebuild_sparse, sparse_state(t)
    attributes = state_of(t)
    if is_wrapper_tensor(t):
        what = type(t), t.dtype, tuple(t.shape), t.stride(), t.storage_offset(), t.layout, t.device, t.requires_grad
        return rebuild_typed, (rebuild_wrapper, type(t), what, attributes)
    if t.device.type == "meta":
        return rebuild_meta, (t.dtype, tuple(t.shape), t.stride(), t.requires_grad)
    where = (t.storage_offset(), tuple(t.shape), t.stride(), t.requires_grad)
    return rebuild_tensor, (t.untyped_storage(), t.dtype, *where, type(t), attributes)


def sparse_state(t: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return the layout of a sparse tensor and what it is made of, as PyTorch's files have it."""
    if t.layout is sparse_coo:
        return t.layout, (t._indices(), t._values(), Size(t.shape), t.is_coalesced())
    return t.layout, (*t._places, t._held.detach(), Size(t.shape))


_later = threading.local()  # .jobs: what is still to be done with tensors whose elements come behind the pickle


@contextmanager
def elements_come_later() -> Iterator[None]:
    """Let the block make tensors before it reads their elements; what depends on these is done at its end."""
    before = getattr(_later, "jobs", None)
    jobs: list[Callable[[], Any]] = []
    _later.jobs = jobs
    try:
        yield
    finally:
        _later.jobs = before
    for job in jobs:
        job()


def rebuild_sparse(kind: Any, data: Any) -> Any:
    """Stand for torch._utils._rebuild_sparse_tensor: indices that are not within the sizes are refused."""
    from taeda.sparse import creation  # which few files need

    n = 2 if kind is sparse_coo else 3                  # indices and values: tensors, since lists can say more than they hold
    if not (kind in SPARSE and isinstance(data, tuple) and len(data) in ((3, 4) if n == 2 else (4,))
            and all(isinstance(x, TensorBase) for x in data[:n]) and isinstance(data[n], tuple)):
        raise pickle.UnpicklingError("[load] a sparse tensor that is not made of indices, values and a size")
    later = getattr(_later, "jobs", None)
    if later is not None:
        later.append(lambda: rebuild_sparse(kind, data))
    checks = later is None and not getattr(data[0], "is_meta", False)                # which has no indices to look at
    try:
        if kind is sparse_coo:
            return creation.sparse_coo_tensor(*data[:3], check_invariants=checks, is_coalesced=data[3] if len(data) == 4 else None)
        made = creation.sparse_compressed_tensor(*data, layout=kind, check_invariants=False)
        if checks:                                      # places in any order are as good as in PyTorch
            creation.check_compressed(kind, made._places[0], made._places[1], made._held, tuple(made.shape), ordered=False)
        return made
    except (TypeError, ValueError, AttributeError, LookupError, ArithmeticError, RuntimeError) as error:
        raise pickle.UnpicklingError(f"[load] a sparse tensor cannot be made of this file's indices: {error}") from None


def rebuild_tensor(
    storage: Any,
    dt: Any,
    offset: Any,
    size: Any,
    stride: Any,
    requires_grad: Any = False,
    cls: Any = None,
    attributes: Any = None,
) -> Any:
    """Return a tensor on ``storage``; a layout that reaches beyond it is refused.

    Args:
        storage: a Storage.
        dt: the dtype.
        offset, size, stride: layout in elements.
        requires_grad: whether the tensor is a leaf that wants a gradient.
        cls: subclass of Tensor that the result is made an object of.
        attributes: set on the result.

    Raises:
        RuntimeError: for a negative size or stride, or a layout outside the storage.
    """
    check_layout(offset, size, stride, storage.nbytes() // dt.itemsize)
    t = set_(empty(0, dtype=dt, device=storage.device), storage, offset, tuple(size), tuple(stride))
    if cls is not None and cls is not type(t):
        t = type(t)._make_subclass(cls, t, bool(requires_grad))
    elif requires_grad:
        t.requires_grad_(True)
    if own_setstate(t):
        t.__setstate__(attributes)
        return t
    for part in attributes if isinstance(attributes, tuple) else (attributes,):
        for name, value in (part or {}).items():
            setattr(t, name, value)
    return t


def rebuild_meta(dt: Any, size: Any, stride: Any, requires_grad: Any = False) -> Any:
    """Return a tensor on device meta."""
    check_layout(0, size, stride, None)
    t = empty_strided(tuple(size), tuple(stride), dtype=dt, device="meta")
    return t.requires_grad_(True) if requires_grad else t


def check_layout(offset: Any, size: Any, stride: Any, held: int | None) -> None:
    """Refuse a layout that does not lie inside ``held`` elements (None: any)."""
    numbers = (offset, *size, *stride) if isinstance(size, tuple) and isinstance(stride, tuple) else (None,)
    if isinstance(size, tuple) and len(size) > MAX_DIM:
        raise RuntimeError(f"[load] a tensor cannot have {len(size)} dimensions, {MAX_DIM} is the most")
    if not all(type(n) is int and 0 <= n < 1 << 62 for n in numbers) or len(size) != len(stride):
        raise RuntimeError(f"[load] a tensor cannot have offset {offset}, size {size} and stride {stride}")
    last, numel = offset, 1
    for n, step in zip(size, stride, strict=True):
        last += (n - 1) * step
        numel *= n
    if numel and (numel >= 1 << 62 or last >= 1 << 62 or (held is not None and last >= held)):
        raise RuntimeError(
            f"[load] a tensor of size {size}, stride {stride} and offset {offset} needs {last + 1} elements, but its storage has {held}"
        )


def parameter_class() -> Any:
    """Return nn.Parameter where taeda-nn is installed, else None."""
    try:
        return importlib.import_module("taeda.nn").Parameter
    except ImportError:
        return None


# -- PyTorch's names ---------------------------------------------------------------------------------


class Global:
    """Stands in the pickle for a function or class of PyTorch, by name."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name

    def __call__(self, *args: Any) -> Any:
        raise TypeError(f"{self.module}.{self.name} exists in pickles only")


REBUILD = Global("torch._utils", "_rebuild_tensor_v2")
REBUILD_V3 = Global("torch._utils", "_rebuild_tensor_v3")
REBUILD_META = Global("torch._utils", "_rebuild_meta_tensor_no_storage")
REBUILD_PARAMETER = Global("torch._utils", "_rebuild_parameter")
REBUILD_WRAPPER = Global("torch._utils", "_rebuild_wrapper_subclass")
REBUILD_TYPED = Global("torch._tensor", "_rebuild_from_type_v2")
REBUILD_SPARSE = Global("torch._utils", "_rebuild_sparse_tensor")
TENSOR = Global("torch", "Tensor")
PARAMETER = Global("torch.nn.parameter", "Parameter")
SIZE = Global("torch", "Size")
DEVICE = Global("torch", "device")
LAYOUT = Global("torch.serialization", "_get_layout")
UNTYPED = Global("torch.storage", "UntypedStorage")
DTYPES = {d.name: Global("torch", d.name) for d in (NAMES | UNHELD).values()}
# the others have no class of storage in PyTorch: their files name the dtype beside the bytes
WITHOUT_CLASS = {name for name in NAMES if name in ("complex32", "uint16", "uint32", "uint64") or name.startswith("float8")}
STORAGES = {d.name: Global("torch", f"{name}Storage") for name, d in LEGACY_NAMES.items()}


# -- what stands for PyTorch's functions -------------------------------------------------------------


def rebuild_v2(
    typed: Any,
    offset: Any,
    size: Any,
    stride: Any,
    requires_grad: Any = False,
    hooks: Any = None,
    metadata: Any = None,
) -> Any:
    """Stand for torch._utils._rebuild_tensor_v2."""
    if not isinstance(typed, TypedStorage):
        raise pickle.UnpicklingError(f"[load] a tensor on a {type(typed).__name__} in place of a storage")
    t = rebuild_tensor(typed.untyped(), typed.dtype, offset, size, stride, requires_grad is True)
    if not (isinstance(metadata, dict) and (metadata.get("conj") or metadata.get("neg"))):
        return t
    seen = turned_round(t, metadata)
    later = getattr(_later, "jobs", None)
    if later is not None:
        later.append(lambda: seen.detach().copy_(turned_round(t, metadata)))
    return seen.requires_grad_(requires_grad is True)


@no_grad()
def turned_round(t: Any, metadata: dict[str, Any]) -> Any:
    """Return what a view of ``t``, the elements as they lie in memory, shows by PyTorch's bits of conjugation and negation."""
    t = t.conj() if metadata.get("conj") else t
    return -t if metadata.get("neg") else t


def rebuild_v3(
    storage: Any,
    offset: Any,
    size: Any,
    stride: Any,
    requires_grad: Any,
    hooks: Any,
    dt: Any,
    metadata: Any = None,
) -> Any:
    """Stand for torch._utils._rebuild_tensor_v3: of dtypes that PyTorch has no class of storage for."""
    if not isinstance(storage, Storage) or not isinstance(dt, dtype) or dt.name not in NAMES:
        raise pickle.UnpicklingError(f"[load] a tensor of dtype {dt!r} on a {type(storage).__name__} in place of bytes")
    return rebuild_v2(TypedStorage(wrap_storage=storage, dtype=dt), offset, size, stride, requires_grad, hooks, metadata)


def rebuild_parameter(data: Any, requires_grad: Any = True, hooks: Any = None) -> Any:
    """Stand for torch._utils._rebuild_parameter; without taeda-nn a parameter is a leaf tensor."""
    if not isinstance(data, TensorBase):
        raise pickle.UnpicklingError(f"[load] a Parameter of a {type(data).__name__} in place of a tensor")
    cls = parameter_class()
    if cls is None:
        return data.requires_grad_(requires_grad is True)
    return cls(data, requires_grad is True)


def rebuild_parameter_with_state(data: Any, requires_grad: Any, hooks: Any, state: Any) -> Any:
    """Stand for torch._utils._rebuild_parameter_with_state."""
    return set_attributes(rebuild_parameter(data, requires_grad), state)


def rebuild_typed(f: Any, cls: Any, args: Any, state: Any) -> Any:
    """Stand for torch._tensor._rebuild_from_type_v2: a tensor with attributes of the user's."""
    if f not in (rebuild_v2, rebuild_v3, rebuild_parameter, rebuild_meta_v2, rebuild_wrapper) or not isinstance(args, tuple):
        raise pickle.UnpicklingError("[load] _rebuild_from_type_v2 of a function that rebuilds no tensor")
    t = f(*args)
    if isinstance(cls, type) and issubclass(cls, TensorBase) and cls is not type(t):
        t = type(t)._make_subclass(cls, t, t.requires_grad)
    return set_attributes(t, state)


def _acts(cls: type, name: str) -> bool:
    """Whether assigning the attribute would do more than to put the value into the object's dict, as a property does."""
    own = inspect.getattr_static(cls, name, None)
    return (name.startswith("__") and own is not None) or hasattr(type(own), "__set__") or hasattr(type(own), "__delete__")


def set_attributes(t: Any, state: Any) -> Any:
    """Give a tensor of a subclass the attributes that were pickled with it, and return it."""
    if own_setstate(t):                                              # of a class that the reader knows and allowed
        t.__setstate__(state)
        return t
    parts = state if isinstance(state, tuple) else (state,)         # two where the class has slots
    slots = copyreg._slotnames(type(t))  # type: ignore[attr-defined]
    for name, value in (item for part in parts if isinstance(part, dict) for item in part.items()):
        if not isinstance(name, str) or (name not in slots and _acts(type(t), name)):
            raise pickle.UnpicklingError(f"[load] a tensor cannot be given the attribute {name!r}")
        setattr(t, name, value)
    return t


def rebuild_meta_v2(dt: Any, size: Any, stride: Any, requires_grad: Any = False) -> Any:
    """Stand for torch._utils._rebuild_meta_tensor_no_storage."""
    return rebuild_meta(dt, size, stride, requires_grad is True)


def rebuild_wrapper(
    cls: Any, dt: Any, size: Any, stride: Any, offset: Any, layout: Any, device: Any, requires_grad: Any
) -> Any:
    """Stand for torch._utils._rebuild_wrapper_subclass: a tensor of a class with a ``__torch_dispatch__``, without memory."""
    if not isinstance(cls, type) or not issubclass(cls, TensorBase):
        raise pickle.UnpicklingError(f"[load] {cls!r} is no class of tensors")
    check_layout(offset, size, stride, None)
    return cls._make_wrapper_subclass(  # type: ignore[attr-defined]
        cls, size, strides=stride, storage_offset=offset, dtype=dt, device=device, requires_grad=requires_grad is True
    )


def rebuild_size(sizes: Any = ()) -> Any:
    """Stand for torch.Size."""
    if not isinstance(sizes, (tuple, list)) or not all(type(n) is int for n in sizes):
        raise pickle.UnpicklingError("[load] a Size of something else than ints")
    return Size(sizes)


def rebuild_device(type: Any, index: Any = None) -> Any:
    """Stand for torch.device."""
    return device(type, index)


def rebuild_layout(name: Any) -> Any:
    """Stand for torch.serialization._get_layout."""
    known = {"torch.strided": strided, **{f"torch.{kind.__reduce__()}": kind for kind in SPARSE}}
    if not isinstance(name, str) or name not in known:
        raise pickle.UnpicklingError(f"[load] layout {name!r} is not supported, only {', '.join(known)}")
    return known[name]


TABLE: dict[str, Any] = {
    **unpickler.PLAIN,
    "torch._utils._rebuild_tensor": rebuild_v2,
    "torch._utils._rebuild_tensor_v2": rebuild_v2,
    "torch._utils._rebuild_tensor_v3": rebuild_v3,
    "torch._utils._rebuild_sparse_tensor": rebuild_sparse,
    "torch._utils._rebuild_parameter": rebuild_parameter,
    "torch._utils._rebuild_parameter_with_state": rebuild_parameter_with_state,
    "torch._utils._rebuild_wrapper_subclass": rebuild_wrapper,
    "torch._utils._rebuild_meta_tensor_no_storage": rebuild_meta_v2,
    "torch._tensor._rebuild_from_type_v2": rebuild_typed,
    "torch.serialization._get_layout": rebuild_layout,
    "torch.Size": rebuild_size,
    "torch.device": rebuild_device,
    "torch.Tensor": TENSOR,
    "torch.nn.parameter.Parameter": PARAMETER,
    "torch.storage.UntypedStorage": UNTYPED,
    **{f"torch.{name}": d for name, d in (NAMES | UNHELD).items()},
    **{f"torch.{g.name}": g for g in STORAGES.values()},
}
# the functions by their names: a class of a program's own may reduce itself to one
PUBLIC_NAMES = {f: Global(*path.rsplit(".", 1)) for path, f in TABLE.items() if isinstance(f, FunctionType)}
ELEMENT = {g.name: NAMES[name] for name, g in STORAGES.items()}
