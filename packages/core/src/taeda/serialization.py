"""Checkpoints in PyTorch's zip format: ``save`` writes them atomically, ``load`` reads them and runs nothing.

A file is a zip archive (_archive.py) of one pickle, ``data.pkl``, in which tensors are calls of PyTorch's
rebuilding functions on storages, and one record ``data/N`` for each storage.  Both directions speak PyTorch's
names, so each library reads what the other wrote; PyTorch itself is not needed for either.
"""

from __future__ import annotations

import importlib
import io
import os
import pickle
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, ClassVar

from taeda import _archive, _pickle
from taeda._atomic import SaveError, replacing
from taeda.device import device
from taeda.dtype import LEGACY_NAMES, NAMES, dtype
from taeda.layout import layout, strided
from taeda.ops.copying import set_
from taeda.ops.creation import empty, empty_strided, frombuffer
from taeda.storage import Storage
from taeda.tensor import user_attributes
from taeda.tensor_base import Size, TensorBase

__all__ = [
    "SaveError",
    "add_safe_globals",
    "clear_safe_globals",
    "get_safe_globals",
    "load",
    "rebuild_tensor",
    "reduce_tensor",
    "safe_globals",
    "save",
]


# -- tensors in pickles and copies -------------------------------------------------------------------


def reduce_tensor(t: Any) -> tuple[Any, ...]:
    """Return what ``pickle`` and ``copy`` make a tensor from: its storage and its layout."""
    attributes = user_attributes(t)
    if t.device.type == "meta":
        return rebuild_meta, (t.dtype, tuple(t.shape), t.stride(), t.requires_grad)
    where = (t.storage_offset(), tuple(t.shape), t.stride(), t.requires_grad)
    return rebuild_tensor, (t.untyped_storage(), t.dtype, *where, type(t), attributes)


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
    t = set_(empty(0, dtype=dt), storage, offset, tuple(size), tuple(stride))
    if cls is not None and cls is not type(t):
        t = type(t)._make_subclass(cls, t, bool(requires_grad))
    elif requires_grad:
        t.requires_grad_(True)
    for name, value in (attributes or {}).items():
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


# -- saving ------------------------------------------------------------------------------------------


class Global:
    """Stands in the pickle for a function or class of PyTorch, by name."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name

    def __call__(self, *args: Any) -> Any:
        raise TypeError(f"{self.module}.{self.name} exists in pickles only")


REBUILD = Global("torch._utils", "_rebuild_tensor_v2")
REBUILD_META = Global("torch._utils", "_rebuild_meta_tensor_no_storage")
REBUILD_PARAMETER = Global("torch._utils", "_rebuild_parameter")
REBUILD_TYPED = Global("torch._tensor", "_rebuild_from_type_v2")
TENSOR = Global("torch", "Tensor")
PARAMETER = Global("torch.nn.parameter", "Parameter")
SIZE = Global("torch", "Size")
DEVICE = Global("torch", "device")
LAYOUT = Global("torch.serialization", "_get_layout")
UNTYPED = Global("torch.storage", "UntypedStorage")
DTYPES = {d.name: Global("torch", d.name) for d in NAMES.values()}
STORAGES = {d.name: Global("torch", f"{name}Storage") for name, d in LEGACY_NAMES.items()}


class Reference:
    """A storage as tensors refer to it in the pickle: with an element type."""

    def __init__(self, storage: Any, dt: Any) -> None:
        self.storage, self.dt = storage, dt


class Pickler(pickle._Pickler):
    """Pickle with PyTorch's names for tensors, storages, dtypes, devices and sizes; storages become records."""

    dispatch: ClassVar[dict[Any, Any]] = dict(pickle._Pickler.dispatch)  # type: ignore[attr-defined]

    def __init__(self, file: IO[bytes], protocol: int) -> None:
        super().__init__(file, protocol)
        self.records: list[tuple[Any, int]] = []  # storage, bytes
        self.keys: dict[int, tuple[str, str]] = {}  # id of a storage -> key, dtype's name

    def save_global_name(self, obj: Global) -> None:
        self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())  # type: ignore[attr-defined]
        self.memoize(obj)  # type: ignore[attr-defined]

    dispatch[Global] = save_global_name

    def persistent_id(self, obj: Any) -> Any:
        if isinstance(obj, Storage):
            obj = Reference(obj, None)
        if not isinstance(obj, Reference):
            return None
        storage, name = obj.storage, obj.dt.name if obj.dt else ""
        itemsize = obj.dt.itemsize if obj.dt else 1
        numel = storage.nbytes() // itemsize
        if id(storage) not in self.keys:
            self.keys[id(storage)] = str(len(self.records)), name
            self.records.append((storage, numel * itemsize))
        key, first = self.keys[id(storage)]
        if name != first:
            raise RuntimeError(
                f"[save] two tensors look at one storage as {first or 'bytes'} and as {name or 'bytes'}; the format "
                "keeps one element type for a storage: clone one of them"
            )
        return "storage", STORAGES[name] if obj.dt else UNTYPED, key, "cpu", numel

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, TensorBase):
            return self.reduce_tensor(obj)
        if isinstance(obj, Size):
            return SIZE, (tuple(obj),)
        if isinstance(obj, layout):
            return LAYOUT, (f"torch.{obj.__reduce__()}",)
        if isinstance(obj, device):
            return DEVICE, (obj.type,) if obj.index is None else (obj.type, obj.index)
        return NotImplemented

    def save(self, obj: Any, save_persistent_id: bool = True) -> Any:
        if isinstance(obj, dtype):
            obj = DTYPES[obj.name]  # type: ignore[attr-defined]
        return super().save(obj, save_persistent_id)  # type: ignore[misc]

    def reduce_tensor(self, t: Any) -> tuple[Any, tuple[Any, ...]]:
        parameter = any(c.__name__ == "Parameter" for c in type(t).__mro__)
        size, wanted = tuple(t.shape), t.requires_grad
        call: tuple[Any, tuple[Any, ...]]
        if t.device.type == "meta":
            call = REBUILD_META, (t.dtype, size, t.stride(), wanted)
        else:
            where = Reference(t.untyped_storage(), t.dtype)
            hooks: Any = OrderedDict()
            call = REBUILD, (where, t.storage_offset(), size, t.stride(), wanted and not parameter, hooks)
        attributes = user_attributes(t)
        if parameter:
            call = REBUILD_PARAMETER, (Call(*call), wanted, OrderedDict())
        if attributes:
            call = REBUILD_TYPED, (call[0], PARAMETER if parameter else TENSOR, call[1], attributes)
        return call


class Call:
    """A call inside the arguments of another one."""

    def __init__(self, f: Any, args: tuple[Any, ...]) -> None:
        self.f, self.args = f, args

    def __reduce__(self) -> tuple[Any, ...]:
        return self.f, self.args


def save(
    obj: Any,
    f: Any,
    pickle_module: Any = pickle,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
    _disable_byteorder_record: bool = False,
) -> None:
    """Write an object to a file that ``taeda.load`` and ``torch.load`` read.

    A file named by its path is replaced whole or not at all: the bytes go into a new file in the same folder,
    which takes the name once it is safely on the disk.  A crash or a full disk leaves what was there.

    Args:
        obj: tensors, modules' state, and whatever ``pickle`` takes, nested as you like.  Views of one storage
            share it again after loading.
        f: a path, or a binary file open for writing.
        pickle_module: accepted for PyTorch's programs.
        pickle_protocol: of data.pkl; torch.load(weights_only=True) wants 2.

    Raises:
        RuntimeError: where the folder does not exist, or two tensors see one storage with different dtypes.
        OSError: where the file cannot be written.

    >>> import io, taeda
    >>> file = io.BytesIO()
    >>> taeda.save({"w": taeda.ones(2)}, file)
    >>> _ = file.seek(0)
    >>> taeda.load(file)
    {'w': tensor([1., 1.])}
    """
    if not _use_new_zipfile_serialization:
        raise RuntimeError("[save] only the zip format is written; PyTorch reads it since 1.4")
    pickled = io.BytesIO()
    pickler = Pickler(pickled, pickle_protocol)
    pickler.dump(obj)
    if hasattr(f, "write"):
        if isinstance(f, io.TextIOBase):
            raise TypeError("[save] the file is open for text; open it with mode 'wb'")
        write(f, "archive", pickled.getvalue(), pickler.records)
        return
    path = os.fspath(f)
    path = os.fsdecode(path) if isinstance(path, bytes) else path
    root = os.path.splitext(os.path.basename(path))[0] or "archive"
    with replacing(path) as file:
        write(file, root, pickled.getvalue(), pickler.records)


def write(file: IO[bytes], root: str, pickled: bytes, records: list[tuple[Any, int]]) -> None:
    """Write the archive's records in PyTorch's order."""
    out = _archive.Writer(file, root)
    out.record("data.pkl", pickled)
    out.record(".format_version", b"1")
    out.record(".storage_alignment", b"64")
    out.record("byteorder", sys.byteorder.encode())
    for key, (storage, nbytes) in enumerate(records):
        out.record(f"data/{key}", memoryview(storage)[:nbytes] if nbytes else b"")
    out.record("version", b"3\n")
    out.close()


# -- loading -----------------------------------------------------------------------------------------

safe: dict[str, Any] = {}
safe_lock = threading.Lock()


def add_safe_globals(safe_globals: list[Any]) -> None:
    """Let ``load`` make objects of these classes and call these functions.

    Args:
        safe_globals: classes and functions, or pairs of one and the "module.name" it has in files.
    """
    with safe_lock:
        for item in safe_globals:
            obj, name = item if isinstance(item, tuple) else (item, f"{item.__module__}.{item.__qualname__}")
            safe[name] = obj


def get_safe_globals() -> list[Any]:
    """Return what ``add_safe_globals`` allowed."""
    return list(safe.values())


def clear_safe_globals() -> None:
    """Take back what ``add_safe_globals`` allowed."""
    with safe_lock:
        safe.clear()


@contextmanager
def safe_globals(allowed: list[Any]) -> Iterator[None]:
    """Allow classes and functions inside the block."""
    before = dict(safe)
    add_safe_globals(allowed)
    try:
        yield
    finally:
        with safe_lock:
            safe.clear()
            safe.update(before)


class Typed:
    """A storage of the file with the element type by which the pickle refers to it."""

    def __init__(self, storage: Any, dt: Any) -> None:
        self.storage, self.dt = storage, dt


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
    if not isinstance(typed, Typed):
        raise pickle.UnpicklingError(f"[load] a tensor on a {type(typed).__name__} in place of a storage")
    if typed.storage is None:
        check_layout(offset, size, stride, None)
        t = empty_strided(size, stride, dtype=typed.dt, device="meta")
        return t.requires_grad_(True) if requires_grad is True else t
    return rebuild_tensor(typed.storage, typed.dt, offset, size, stride, requires_grad is True)


def rebuild_parameter(data: Any, requires_grad: Any = True, hooks: Any = None) -> Any:
    """Stand for torch._utils._rebuild_parameter; without taeda-nn a parameter is a leaf tensor."""
    if not isinstance(data, TensorBase):
        raise pickle.UnpicklingError(f"[load] a Parameter of a {type(data).__name__} in place of a tensor")
    cls = parameter_class()
    if cls is None:
        return data.requires_grad_(requires_grad is True)  # type: ignore[attr-defined]
    return cls(data, requires_grad is True)


def rebuild_parameter_with_state(data: Any, requires_grad: Any, hooks: Any, state: Any) -> Any:
    """Stand for torch._utils._rebuild_parameter_with_state."""
    return set_attributes(rebuild_parameter(data, requires_grad), state)


def rebuild_typed(f: Any, cls: Any, args: Any, state: Any) -> Any:
    """Stand for torch._tensor._rebuild_from_type_v2: a tensor with attributes of the user's."""
    if f not in (rebuild_v2, rebuild_parameter, rebuild_meta_v2) or not isinstance(args, tuple):
        raise pickle.UnpicklingError("[load] _rebuild_from_type_v2 of a function that rebuilds no tensor")
    return set_attributes(f(*args), state)


def set_attributes(t: Any, state: Any) -> Any:
    for name, value in (state if isinstance(state, dict) else {}).items():
        if not isinstance(name, str) or hasattr(type(t), name):
            raise pickle.UnpicklingError(f"[load] a tensor cannot be given the attribute {name!r}")
        setattr(t, name, value)
    return t


def rebuild_meta_v2(dt: Any, size: Any, stride: Any, requires_grad: Any = False) -> Any:
    """Stand for torch._utils._rebuild_meta_tensor_no_storage."""
    return rebuild_meta(dt, size, stride, requires_grad is True)


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
    if name != "torch.strided":
        raise pickle.UnpicklingError(f"[load] layout {name!r} is not supported, only torch.strided")
    return strided


TABLE: dict[str, Any] = {
    **_pickle.PLAIN,
    "torch._utils._rebuild_tensor": rebuild_v2,
    "torch._utils._rebuild_tensor_v2": rebuild_v2,
    "torch._utils._rebuild_parameter": rebuild_parameter,
    "torch._utils._rebuild_parameter_with_state": rebuild_parameter_with_state,
    "torch._utils._rebuild_meta_tensor_no_storage": rebuild_meta_v2,
    "torch._tensor._rebuild_from_type_v2": rebuild_typed,
    "torch.serialization._get_layout": rebuild_layout,
    "torch.Size": rebuild_size,
    "torch.device": rebuild_device,
    "torch.Tensor": TENSOR,
    "torch.nn.parameter.Parameter": PARAMETER,
    "torch.storage.UntypedStorage": UNTYPED,
    **{f"torch.{name}": d for name, d in NAMES.items()},
    **{f"torch.{g.name}": g for g in STORAGES.values()},
}
ELEMENT = {g.name: NAMES[name] for name, g in STORAGES.items()}


class Storages:
    """From a persistent id to the storage of its record, each record read once."""

    def __init__(self, archive: _archive.Reader, map_location: Any, path: str | None) -> None:
        self.archive, self.map_location, self.path = archive, map_location, path
        self.loaded: dict[str, Any] = {}
        order = archive.read("byteorder") if "byteorder" in archive else b"little"
        if order not in (b"little", b"big"):
            raise archive.error(f"byteorder must be little or big, got {order!r}")
        self.swap = order.decode() != sys.byteorder
        self.map: Any = None

    def __call__(self, pid: Any) -> Any:
        if not (isinstance(pid, tuple) and len(pid) == 5 and pid[0] == "storage" and isinstance(pid[1], Global)):
            raise pickle.UnpicklingError("[load] a persistent id must be ('storage', type, key, location, numel)")
        _, kind, key, location, numel = pid
        if kind is not UNTYPED and kind.name not in ELEMENT:
            raise pickle.UnpicklingError(f"[load] {kind.module}.{kind.name} is no storage type")
        if not isinstance(key, str) or not isinstance(location, str) or type(numel) is not int or numel < 0:
            raise pickle.UnpicklingError(f"[load] a storage cannot have key {key!r} and {numel!r} elements")
        dt = None if kind is UNTYPED else ELEMENT[kind.name]
        record = f"data/{key}"
        if record not in self.archive:
            raise self.archive.error(f"record {record!r} is missing; the file may be truncated")
        itemsize = dt.itemsize if dt else 1
        if self.archive.nbytes(record) != numel * itemsize:
            raise self.archive.error(
                f"record {record!r} has {self.archive.nbytes(record)} bytes, but its storage of {numel} elements of "
                f"{dt.name if dt else 'bytes'} needs {numel * itemsize}"
            )
        if key not in self.loaded:
            self.loaded[key] = self.place(self.fetch(record, itemsize), location, dt)
        storage = self.loaded[key]
        return storage if dt is None and storage is not None else Typed(storage, dt)

    def fetch(self, record: str, itemsize: int) -> Any:
        nbytes = self.archive.nbytes(record)
        if self.path is not None and nbytes:
            return self.mapped(record, nbytes)
        storage = Storage(nbytes)
        if nbytes:
            block = memoryview(storage)
            self.archive.read_into(record, block)
            if self.swap and itemsize > 1:
                swap_bytes(block, itemsize)
        return storage

    def mapped(self, record: str, nbytes: int) -> Any:
        """A storage on the file's own pages, copied when they are written to."""
        if self.swap:
            raise RuntimeError("[load] mmap=True needs a file of this machine's byte order; load it without")
        if self.map is None:
            import mmap

            with open(str(self.path), "rb") as file:
                self.map = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
        start = self.archive.records[record][0]
        return frombuffer(self.map[start : start + nbytes], dtype=NAMES["uint8"]).untyped_storage()

    def place(self, storage: Any, location: str, dt: Any) -> Any:
        """Apply map_location; None stands for a storage on device meta."""
        where = self.map_location
        if isinstance(where, dict):
            where = where.get(location, location)
        elif callable(where):
            # PyTorch's callables get a storage and its location, and return a storage or None
            placed = where(storage, location)
            if placed is not None:
                return getattr(placed, "_untyped_storage", placed)
            where = location
        elif where is None:
            where = location
        target = device(where)
        if target.type == "meta":
            return None
        if target.type != "cpu":
            raise RuntimeError(
                f"[load] the file has a storage on {location}, and there is no such device here (map_location="
                f"{self.map_location}); load it with map_location='cpu'"
            )
        return storage


def swap_bytes(block: memoryview, itemsize: int) -> None:
    """Reverse the bytes of every element in place."""
    pieces = [block[i::itemsize].tobytes() for i in range(itemsize)]
    for i, piece in enumerate(reversed(pieces)):
        block[i::itemsize] = piece


def load(
    f: Any,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = True,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Read what ``taeda.save`` or ``torch.save`` wrote.

    Nothing in the file is run: tensors, storages, Parameters, dtypes, devices, sizes, and Python's numbers, texts,
    bytes, tuples, lists, dicts and sets are made; any other class or function is refused by name, unless
    ``add_safe_globals`` allowed it.  Memory is allocated up to the file's own size and no further.

    Args:
        f: a path, or a binary file that can be read and sought.
        map_location: where storages go: a device or its name, a dict from the file's location to one, or a function
            of storage and location that returns a storage or None.  None: where they were.
        pickle_module: with weights_only=False, a module whose Unpickler is used.
        weights_only: False unpickles in full: **the file then runs whatever code it holds; use it only for files
            that you made yourself**.
        mmap: True leaves the storages in the file (which must be a path) until they are read.

    Raises:
        pickle.UnpicklingError: for a global that is not allowed or a malformed pickle.
        RuntimeError: for a file that is no checkpoint, is truncated or damaged, or says impossible sizes.
    """
    if isinstance(f, (str, bytes, os.PathLike)):
        path = os.fsdecode(os.fspath(f))
        with open(path, "rb") as file:
            return load_file(file, repr(path), map_location, weights_only, path if mmap else None, pickle_module)
    if not (hasattr(f, "read") and hasattr(f, "seek") and hasattr(f, "tell")):
        raise AttributeError(
            f"[load] the file must have read, seek and tell, a {type(f).__name__} does not; put its content into an io.BytesIO"
        )
    if mmap:
        raise ValueError("[load] mmap=True needs f to be a path")
    return load_file(f, "the file", map_location, weights_only, None, pickle_module)


def load_file(file: Any, what: str, map_location: Any, weights_only: Any, path: str | None, module: Any) -> Any:
    start = file.tell()
    head = file.read(4)
    if not head:
        raise EOFError(f"[load] {what} is empty")
    if head != b"PK\3\4":
        raise RuntimeError(
            f"[load] {what} is no checkpoint in the zip format: it starts with {head!r}. Files of PyTorch before 1.6, "
            "and those saved with _use_new_zipfile_serialization=False, must be saved again by PyTorch"
        )
    file.seek(start)
    archive = _archive.Reader(file, what)
    if "data.pkl" not in archive:
        kind = "a TorchScript archive" if "constants.pkl" in archive else "no checkpoint"
        raise archive.error(f"there is no record data.pkl: this is {kind}")
    storages = Storages(archive, map_location, path)
    pickled = archive.read("data.pkl")
    if weights_only is False:
        return full_unpickler(module or pickle, pickled, storages).load()
    return _pickle.Unpickler(pickled, TABLE, storages, safe).load()


def full_unpickler(module: Any, pickled: bytes, storages: Callable[[Any], Any]) -> Any:
    """Return an unpickler that imports and calls what the file names, PyTorch's names replaced by ours."""

    class Full(module.Unpickler):  # type: ignore[misc]
        def find_class(self, where: str, name: str) -> Any:
            if where.partition(".")[0] == "torch" and f"{where}.{name}" in TABLE:
                return TABLE[f"{where}.{name}"]
            return super().find_class(where, name)

        def persistent_load(self, pid: Any) -> Any:
            return storages(pid)

    return Full(io.BytesIO(pickled))
