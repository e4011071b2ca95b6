"""Checkpoints in PyTorch's zip format: ``save`` writes them atomically, ``load`` reads them and runs nothing.

A file is a zip archive (zip_archive.py) of one pickle, ``data.pkl``, in which tensors are calls of PyTorch's
rebuilding functions on storages (rebuild.py), and one record ``data/N`` for each storage (records.py).  Both
directions speak PyTorch's names, so each library reads what the other wrote; PyTorch is needed for neither.
"""

from __future__ import annotations

import importlib
import io
import os
import pickle
import sys
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import IO, Any, ClassVar, TypeAlias, cast

from taeda import _spoken
from taeda._atomic import SaveError, replacing
from taeda._override import Function
from taeda.device import device
from taeda.dtype import dtype
from taeda.layout import layout, strided
from taeda.serialization import unpickler, zip_archive
from taeda.serialization.function_names import torch_name
from taeda.serialization.rebuild import (
    DEVICE,
    DTYPES,
    LAYOUT,
    PARAMETER,
    PUBLIC_NAMES,
    REBUILD,
    REBUILD_META,
    REBUILD_PARAMETER,
    REBUILD_SPARSE,
    REBUILD_TYPED,
    REBUILD_V3,
    REBUILD_WRAPPER,
    SIZE,
    STORAGES,
    TABLE,
    TENSOR,
    UNTYPED,
    WITHOUT_CLASS,
    Global,
    rebuild_layout as _get_layout,
    rebuild_tensor,
    reduce_tensor,
    sparse_state,
    state_of,
)
from taeda.serialization.records import MAGIC, VERSION, NoCheckpoint, ZipStorages, load_stream, write_stream
from taeda.serialization.settings import (
    LoadEndianness,
    default_restore_location,
    get_crc32_options,
    get_default_load_endianness,
    get_default_mmap_options,
    location_tag,
    only_weights,
    options,
    register_package,
    set_crc32_options,
    set_default_load_endianness,
    set_default_mmap_options,
    skip_data,
)
from taeda.stand_ins import is_wrapper_tensor
from taeda.storage import Storage
from taeda.tensor_base import Size, TensorBase
from taeda.typed_storage import TypedStorage

__all__ = [
    "LoadEndianness", "SaveError", "SourceChangeWarning", "_get_layout", "add_safe_globals", "clear_safe_globals",
    "default_restore_location", "get_crc32_options", "get_default_load_endianness", "get_default_mmap_options", "get_safe_globals",
    "get_unsafe_globals_in_checkpoint", "load", "location_tag", "rebuild_tensor", "reduce_tensor", "register_package", "safe_globals",
    "save", "set_crc32_options", "set_default_load_endianness", "set_default_mmap_options", "skip_data",
]  # fmt: skip

MAGIC_NUMBER, PROTOCOL_VERSION, STORAGE_KEY_SEPARATOR, DEFAULT_PROTOCOL = MAGIC, VERSION, ",", 2     # PyTorch's names
MAP_LOCATION: TypeAlias = Callable[[Storage, str], Storage] | device | str | dict[str, str] | None


class SourceChangeWarning(Warning):
    """The source of a class is not what it was when a model was saved; PyTorch's, for filters of warnings."""


# -- saving ------------------------------------------------------------------------------------------


class Reference:
    """A storage as tensors refer to it in the pickle: with an element type."""

    def __init__(self, storage: Any, dt: Any) -> None:
        self.storage, self.dt = storage, dt


PLAIN = frozenset({bool, dict, float, int, list, str, tuple, type(None), Global})
SMALL, PUT = ([code + bytes([n]) for n in range(256)] for code in (pickle.BININT1, pickle.BINPUT))


class Pickler(pickle._Pickler):
    """Pickle with PyTorch's names for tensors, storages, dtypes, devices and sizes; storages become records."""

    dispatch: ClassVar[dict[Any, Any]] = dict(pickle._Pickler.dispatch)

    def __init__(self, file: IO[bytes], protocol: int, streamed: bool = False) -> None:
        super().__init__(file, protocol)
        self.protocol = protocol
        if protocol < 4:                                    # no frames: what is written goes to the file at once
            self.write: Callable[[bytes], Any] = file.write
        self.streamed = streamed  # for a file of the kind before 1.6, whose persistent ids name a view too, or none
        self.records: list[tuple[Any, int]] = []  # storage, bytes
        self.numels: list[int] = []  # of each record
        self.keys: dict[int, tuple[str, str]] = {}  # id of a storage -> key, dtype's name

    def save_global_name(self, obj: Global, named: Any = None) -> None:
        """Write a name: of itself, or of the object that it names."""
        self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())
        self.memoize(obj if named is None else named)

    dispatch[Global] = save_global_name

    def save_global(self, obj: Any, name: str | None = None) -> None:
        """Refuse what lies in a function as the C pickler does, which PyTorch's programs catch: AttributeError."""
        if name is None and "<locals>" in getattr(obj, "__qualname__", ""):
            raise AttributeError(f"[save] Can't pickle local object {obj.__qualname__!r}: it has no name in {obj.__module__}")
        public = PUBLIC_NAMES.get(obj) if isinstance(obj, FunctionType) else None
        found = torch_name(obj) if isinstance(obj, (FunctionType, Function)) else None
        if public is not None:
            self.save_global_name(public, obj)
        elif found is not None:
            self.save_global_name(Global(*found), obj)
        else:
            super().save_global(obj, name)  # type: ignore[misc]

    dispatch[FunctionType] = save_global

    def persistent_id(self, obj: Any) -> Any:
        if isinstance(obj, Storage):
            obj = Reference(obj, None)
        elif isinstance(obj, TypedStorage):
            obj = Reference(obj.untyped(), obj.dtype)
        if not isinstance(obj, Reference):
            return None
        storage, name = obj.storage, obj.dt.name if obj.dt else ""
        itemsize = obj.dt.itemsize if obj.dt else 1
        numel = storage.nbytes() // itemsize
        if id(storage) not in self.keys:
            self.keys[id(storage)] = str(len(self.records)), name
            self.records.append((storage, numel * itemsize))
            self.numels.append(numel)
        key, first = self.keys[id(storage)]
        if name != first and storage.data_ptr():
            raise RuntimeError(
                "[save] Cannot save multiple tensors or storages that view the same data as different types: "
                f"{first or 'bytes'} and {name or 'bytes'}; clone one of them"
            )
        pid = ("storage", STORAGES[name] if obj.dt else UNTYPED, key, location_tag(storage), numel)
        return (*pid, None) if self.streamed else pid

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, TensorBase):
            if hasattr(obj, "cls_to_become"):       # of a lazy layer: its class alone, there is no data
                kind, args = cast(Any, obj.__reduce_ex__(self.protocol))
                return Global("torch.nn.parameter", kind.__name__) if kind.__module__ == "taeda.nn.parameter" else kind, args
            return self.reduce_tensor(obj)
        if isinstance(obj, Size):
            return SIZE, (tuple(obj),)
        if isinstance(obj, layout):
            return LAYOUT, (f"torch.{obj.__reduce__()}",)
        if isinstance(obj, device):
            return DEVICE, (obj.type,) if obj.index is None else (obj.type, obj.index)
        return NotImplemented

    def save(self, obj: Any, save_persistent_id: bool = True) -> Any:
        kind = type(obj)
        if kind in PLAIN:                       # nothing of ours, and most of what is saved: without the questions below, half the time
            if kind is int and 0 <= obj < 256 and self.protocol:
                return self.write(SMALL[obj])
            known = self.memo.get(id(obj))  # type: ignore[attr-defined]
            if known is not None:
                return self.write(self.get(known[0]))  # type: ignore[attr-defined]
            if self.protocol >= 4:
                self.framer.commit_frame()  # type: ignore[attr-defined]
            return self.dispatch[kind](self, obj)
        if kind is OrderedDict and not obj and not vars(obj) and self.protocol:         # every tensor has one, of hooks
            self.save(OrderedDict)
            self.write(pickle.EMPTY_TUPLE + pickle.REDUCE)
            return self.memoize(obj)
        if isinstance(obj, dtype):
            obj = DTYPES[obj.name]
        return super().save(obj, save_persistent_id)  # type: ignore[misc]

    def memoize(self, obj: Any) -> None:
        place = len(self.memo)  # type: ignore[attr-defined]
        if not 0 < self.protocol < 4:
            self.write(self.put(place))  # type: ignore[attr-defined]
        else:
            self.write(PUT[place] if place < 256 else pickle.LONG_BINPUT + place.to_bytes(4, "little"))
        self.memo[id(obj)] = place, obj  # type: ignore[attr-defined]

    def reduce_tensor(self, t: Any) -> tuple[Any, tuple[Any, ...]]:
        if t.layout is not strided:
            made = REBUILD_SPARSE, sparse_state(t)
            return (REBUILD_PARAMETER, (Call(*made), t.requires_grad, OrderedDict())) if getattr(t, "_is_param", False) else made
        if is_wrapper_tensor(t):
            what = type(t), t.dtype, tuple(t.shape), t.stride(), t.storage_offset(), t.layout, t.device, t.requires_grad
            return REBUILD_TYPED, (REBUILD_WRAPPER, type(t), what, state_of(t))
        names = [c.__name__ for c in type(t).__mro__]
        parameter = "Parameter" in names
        for hook in () if parameter else (t._backward_hooks or {}).values():
            if not hasattr(hook, "__torch_unserializable__"):
                warnings.warn(f"backward hook {hook!r} on tensor will not be serialized. Remove it first, or decorate it with "
                              f"{_spoken.name}.utils.hooks.unserializable_hook", UserWarning, stacklevel=2)
        kind: Any = PARAMETER if parameter else TENSOR
        if not parameter and names[0] != "Tensor" and "Buffer" not in names:
            kind = type(t)  # the user's own class, which load() must be told to allow
        size, wanted = tuple(t.shape), t.requires_grad
        call: tuple[Any, tuple[Any, ...]]
        if t.device.type == "meta":
            call = REBUILD_META, (t.dtype, size, t.stride(), wanted)
        else:
            unnamed = t.dtype.name in WITHOUT_CLASS
            where = Reference(t.untyped_storage(), None if unnamed else t.dtype)
            hooks: Any = OrderedDict()
            place = (where, t.storage_offset(), size, t.stride(), wanted and not parameter, hooks)
            call = (REBUILD_V3, (*place, t.dtype)) if unnamed else (REBUILD, place)
        attributes = state_of(t)
        if parameter:
            call = REBUILD_PARAMETER, (Call(*call), wanted, OrderedDict())
        if attributes or isinstance(kind, type):
            call = REBUILD_TYPED, (call[0], kind, call[1], attributes)
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
        _use_new_zipfile_serialization: False writes what PyTorch wrote before 1.6, pickles and the storages behind them.

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
    pickled = io.BytesIO()
    pickler = Pickler(pickled, pickle_protocol, not _use_new_zipfile_serialization)
    pickler.dump(obj)
    if hasattr(f, "write"):
        if isinstance(f, io.TextIOBase):
            raise TypeError("[save] the file is open for text; open it with mode 'wb'")
        write(f, "archive", pickled.getvalue(), pickler)
        if hasattr(f, "flush"):                     # it may be read by its name next
            f.flush()
        return
    if not isinstance(f, (str, bytes, os.PathLike)):
        text = "[save] expected 'f' to be a string, a path, or a file-like object with a 'write' attribute"
        raise AttributeError(f"{text}, got {type(f).__name__}")
    path = os.fspath(f)
    path = os.fsdecode(path) if isinstance(path, bytes) else path
    root = os.path.splitext(os.path.basename(path))[0] or "archive"
    with replacing(path) as file:
        write(file, root, pickled.getvalue(), pickler)


def write(file: IO[bytes], root: str, pickled: bytes, pickler: Pickler) -> None:
    """Write the object's pickle and its storages: an archive's records in PyTorch's order, or a stream."""
    blocks = [memoryview(storage)[:nbytes] if nbytes else b"" for storage, nbytes in pickler.records]
    if options.skips:
        blocks = [bytes(nbytes) for _, nbytes in pickler.records]
    if pickler.streamed:
        write_stream(file, pickler.protocol, pickled, blocks, pickler.numels)
        return
    out = zip_archive.Writer(file, root, bool(options.checksums) and not options.skips, options.alignment)
    out.record("data.pkl", pickled)
    out.record(".format_version", b"1")
    out.record(".storage_alignment", str(options.alignment).encode())
    out.record("byteorder", sys.byteorder.encode())
    for key, block in enumerate(blocks):
        out.record(f"data/{key}", block)
    out.record("version", b"3\n")
    out.close()


# -- loading -----------------------------------------------------------------------------------------

safe: dict[str, Any] = {}
safe_lock = threading.Lock()


def add_safe_globals(safe_globals: list[Any]) -> None:
    """Let ``load`` make objects of these classes and call these functions.

    Args:
        safe_globals: classes and functions, or pairs of one and the "module.name" it has in files.

    >>> import collections, io, taeda
    >>> taeda.serialization.add_safe_globals([collections.Counter])
    >>> taeda.serialization.get_safe_globals()
    [<class 'collections.Counter'>]
    >>> taeda.serialization.clear_safe_globals()
    >>> taeda.serialization.get_safe_globals()
    []
    """
    with safe_lock:
        for item in safe_globals:
            obj, name = item if isinstance(item, tuple) else (item, f"{item.__module__}.{item.__qualname__}")
            safe[name] = obj


def get_safe_globals() -> list[Any]:
    """Return what :func:`add_safe_globals` allowed.

    >>> import fractions, taeda
    >>> taeda.serialization.add_safe_globals([fractions.Fraction])
    >>> fractions.Fraction in taeda.serialization.get_safe_globals()
    True
    >>> taeda.serialization.clear_safe_globals()
    """
    return list(safe.values())


def clear_safe_globals() -> None:
    """Take back what :func:`add_safe_globals` allowed.

    >>> import taeda
    >>> taeda.serialization.clear_safe_globals()
    >>> taeda.serialization.get_safe_globals()
    []
    """
    with safe_lock:
        safe.clear()


@contextmanager
def safe_globals(safe_globals: list[Any]) -> Iterator[None]:
    """Allow classes and functions inside the block.

    >>> import collections, io, taeda
    >>> from taeda.serialization import safe_globals
    >>> file = io.BytesIO()
    >>> taeda.save(collections.Counter("aab"), file)
    >>> _ = file.seek(0)
    >>> with safe_globals([collections.Counter]):
    ...     taeda.load(file)
    Counter({'a': 2, 'b': 1})
    """
    before = dict(safe)
    add_safe_globals(safe_globals)
    try:
        yield
    finally:
        with safe_lock:
            safe.clear()
            safe.update(before)


def load(
    f: Any,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
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
        pickle_module: a module whose Unpickler reads the file, in full.
        weights_only: False unpickles in full: **the file then runs whatever code it holds; use it only for files
            that you made yourself**.  None is True, unless there is a pickle_module or the environment says
            ``TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD=1``; ``TORCH_FORCE_WEIGHTS_ONLY_LOAD=1`` makes it True whatever is given.
        mmap: True leaves the storages in the file (which must be a path) until they are read; None does what
            ``taeda.utils.serialization.config.load.mmap`` says.
        pickle_load_args: of the Unpickler, with weights_only=False; else ``encoding`` of Python 2's text.

    Raises:
        pickle.UnpicklingError: for a global that is not allowed or a malformed pickle.
        RuntimeError: for a file that is not a checkpoint, is truncated or damaged, or says impossible sizes; for a
            pickle_module with weights_only=True.

    >>> import taeda
    >>> taeda.save({"weight": taeda.ones(2)}, "model.pt")
    >>> taeda.load("model.pt")["weight"]
    tensor([1., 1.])
    """
    weights_only = only_weights(weights_only, pickle_module)
    if weights_only and pickle_module is not None:
        raise RuntimeError("[load] Can not safely load weights when explicit pickle_module is specified; leave it out, or pass "
                           "weights_only=False for a file of your own")
    if mmap is None:
        mmap = options.mapped
    if isinstance(f, (str, bytes, os.PathLike)):
        path = os.fsdecode(os.fspath(f))
        with open(path, "rb") as file:
            return load_file(file, repr(path), map_location, weights_only, path if mmap else None, pickle_module, pickle_load_args)
    if not (hasattr(f, "read") and hasattr(f, "seek") and hasattr(f, "tell")):
        raise AttributeError(
            f"[load] {type(f).__name__} lacks one of read, seek and tell. You can only load from a file that is seekable. Please "
            "pre-load the data into a buffer like io.BytesIO and try to load from it instead."
        )
    if mmap:
        raise (ValueError if _is_zipfile(f) else RuntimeError)("[load] mmap=True needs f to be a path, of a file in the zip format")
    return load_file(f, "the file", map_location, weights_only, None, pickle_module, pickle_load_args)


def load_file(file: Any, what: str, map_location: Any, weights_only: Any, path: str | None, module: Any, args: dict[str, Any]) -> Any:
    """Return what an open file holds, in whichever of the formats it is written; `what` names it in errors."""

    def full(pickled: IO[bytes], storages: Callable[[Any], Any]) -> Any:
        return full_unpickler(module or pickle, pickled, storages, args)

    runs = not weights_only
    if starts_an_archive(file, what):
        archive = zip_archive.Reader(file, what)
        pickled, storages = object_of(archive), ZipStorages(archive, map_location, path)
        return full(io.BytesIO(pickled), storages).load() if runs else (
            unpickler.Unpickler(pickled, TABLE, storages, safe, encoding=args.get("encoding")).load()
        )
    if path is not None:
        raise RuntimeError(f"[load] mmap=True needs a zip file, {what} is from before PyTorch 1.6")
    return load_stream(file, what, map_location, safe, full if runs else None, args.get("encoding"))


def next_bytes(file: Any) -> bytes:
    """Return the four bytes that come next in a file, which stays where it is."""
    start = file.tell()
    head: bytes = file.read(4)
    file.seek(start)
    return head


def _is_zipfile(f: Any) -> bool:
    """Whether a zip archive comes next in a file, by PyTorch's name."""
    return next_bytes(f) == b"PK\3\4"


def starts_an_archive(file: Any, what: str) -> bool:
    """Whether a zip archive comes next in the file, or a pickle."""
    head = next_bytes(file)
    if not head:
        raise EOFError(f"[load] {what} is empty")
    if head != b"PK\3\4" and head[:1] != pickle.PROTO:
        raise NoCheckpoint(f"[load] {what} is no checkpoint: it starts with {head!r}; load reads what save of taeda or PyTorch wrote")
    return bool(head == b"PK\3\4")


def object_of(archive: zip_archive.Reader) -> bytes:
    """Return the pickle of the object that an archive holds."""
    if "data.pkl" not in archive:
        kind = "a TorchScript archive" if "constants.pkl" in archive else "no checkpoint"
        raise archive.error(f"there is no record data.pkl: this is {kind}")
    return archive.read("data.pkl")


def get_unsafe_globals_in_checkpoint(f: Any) -> list[str]:
    """Return the classes and functions that a file asks for and ``load`` would refuse, by their names.

    Args:
        f: a path, or a binary file that can be read and sought.

    >>> import io, taeda
    >>> file = io.BytesIO()
    >>> taeda.save([taeda.ones(2), io.StringIO], file)
    >>> _ = file.seek(0)
    >>> taeda.serialization.get_unsafe_globals_in_checkpoint(file)
    ['_io.StringIO']
    """
    if isinstance(f, (str, bytes, os.PathLike)):
        with open(os.fsdecode(os.fspath(f)), "rb") as file:
            return get_unsafe_globals_in_checkpoint(file)
    if not starts_an_archive(f, "the file"):
        raise ValueError("[get_unsafe_globals_in_checkpoint] the file is no zip file, but from before PyTorch 1.6")
    pickled = object_of(zip_archive.Reader(f, "the file"))
    named = {name: unpickler.today(*name.rpartition(".")[::2]) for name in unpickler.globals_of(pickled) if name not in TABLE}
    return sorted(now for name, now in named.items() if name not in safe and now not in safe)


def normalize_storage_type(storage_type: Any) -> Any:
    """Return the class of storages that has the name of another one, which may be PyTorch's."""
    return getattr(importlib.import_module("taeda"), storage_type.__name__)


def ours(where: str, name: str) -> Any:
    """Return our class or function of a name of PyTorch's: that of its module or of the room around it."""
    parts = where.split(".")[1:]
    for path in (parts, parts[:-1]):
        try:
            room = importlib.import_module(".".join(["taeda", *path]))
        except ModuleNotFoundError:
            continue
        if hasattr(room, name):
            return getattr(room, name)
    raise pickle.UnpicklingError(f"[load] the file asks for {where}.{name}, which is not in the taeda packages that are installed")


def full_unpickler(module: Any, pickled: IO[bytes], storages: Callable[[Any], Any], args: dict[str, Any]) -> Any:
    """Return an unpickler that imports and calls what the file names, PyTorch's names replaced by ours."""

    class Full(module.Unpickler):
        storages: Callable[[Any], Any]           # not of the closure: a class is part of cycles, which would hold what was read

        def find_class(self, where: str, name: str) -> Any:
            if where.partition(".")[0] == "torch":
                known = TABLE.get(f"{where}.{name}")
                return ours(where, name) if known is None or known is TENSOR or known is PARAMETER else known
            return super().find_class(where, name)

        def persistent_load(self, pid: Any) -> Any:
            if isinstance(pid, tuple) and len(pid) == 4 and pid[0] == "module":
                return pid[1]  # before PyTorch 1.6 a module's class had its source with it
            return self.storages(pid)

    reader = Full(pickled, **{"encoding": "utf-8", **args})
    reader.storages = storages
    return reader
