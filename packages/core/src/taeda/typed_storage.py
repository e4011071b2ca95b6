"""TypedStorage and FloatStorage and kin: a storage seen as elements of one dtype (kept for older programs)."""

from __future__ import annotations

from typing import Any

from taeda import _spoken, file_memory
from taeda._once import warn_once
from taeda.device import as_device
from taeda.dtype import LEGACY_NAMES, NAMES, dtype as dtype_class, get_default_dtype
from taeda.ops import empty, tensor
from taeda.storage import Storage as UntypedStorage
from taeda.tensor_base import TensorBase

__all__ = ["NAMES_OF_STORAGES", "LegacyStorage", "TypedStorage"]


class TypedStorage:
    """The elements of a whole storage, as ``tensor.storage()`` gives them.

    Args:
        args: nothing, a number of elements, or a sequence of their values.
        wrap_storage: the UntypedStorage to look at, in place of ``args``.
        dtype: of the elements; the default dtype where it is not given.
        device: of new memory.

    Raises RuntimeError for other arguments, TypeError for a ``wrap_storage`` that is none.

    >>> import taeda
    >>> taeda.arange(4)[1:].storage().tolist()
    [0, 1, 2, 3]
    """

    dtype: Any

    def __init__(self, *args: Any, wrap_storage: Any = None, dtype: Any = None, device: Any = None, _internal: bool = False) -> None:
        if wrap_storage is not None:
            if args or device is not None or dtype is None:
                raise RuntimeError("[TypedStorage] wrap_storage goes with dtype alone: it has its memory, and its device, already")
            if not isinstance(wrap_storage, UntypedStorage):
                raise TypeError(f"[TypedStorage] wrap_storage must be an UntypedStorage, got {type(wrap_storage).__name__}")
            self._untyped_storage: Any = wrap_storage
            self.dtype = dtype
            return
        self.dtype = get_default_dtype() if dtype is None else dtype
        if len(args) > 1:
            raise RuntimeError(f"[TypedStorage] takes a size or a sequence of elements, got {len(args)} arguments")
        where = "cpu" if device is None else device
        if not args or (hasattr(args[0], "__index__") and not hasattr(args[0], "__len__")):
            made = empty(*(args or (0,)), dtype=self.dtype, device=where)
        elif hasattr(args[0], "__len__") and not isinstance(args[0], (str, bytes, TypedStorage, TensorBase)):
            made = tensor(args[0], dtype=self.dtype, device=where)
        else:
            raise TypeError(f"[TypedStorage] takes a size or a sequence of elements, got a {type(args[0]).__name__}")
        self._untyped_storage = made.untyped_storage()

    @property
    def _flat(self) -> Any:
        """The elements as a tensor on the memory; asked for anew each time, since the memory can be resized."""
        return empty(0, dtype=self.dtype, device=self.device).set_(self._untyped_storage)

    @property
    def device(self) -> Any:
        """The memory's device."""
        return self._untyped_storage.device

    @property
    def is_cuda(self) -> bool:
        """Whether the memory is a GPU's."""
        return False

    is_hpu = is_sparse = is_cuda

    @property
    def filename(self) -> str | None:
        """The file that the memory is shared with, None for others."""
        return file_memory.name_of(self._untyped_storage)

    def untyped(self) -> Any:
        """Return the storage as bytes."""
        return self._untyped_storage

    def data_ptr(self) -> int:
        """Return the address of the first byte."""
        return int(self._untyped_storage.data_ptr())

    @property
    def _cdata(self) -> int:
        """A number that stands for the storage as long as it lives."""
        return int(self._untyped_storage._cdata)

    def nbytes(self) -> int:
        """Return the size in bytes."""
        return int(self._untyped_storage.nbytes())

    def size(self) -> int:
        """Return the number of elements."""
        return int(self._untyped_storage.nbytes() // self.dtype.itemsize)

    __len__ = size

    def element_size(self) -> int:
        """Return the bytes of one element."""
        return int(self.dtype.itemsize)

    def get_device(self) -> int:
        """Return the GPU's number, -1 on the CPU."""
        return -1

    def is_pinned(self, device: Any = None) -> bool:
        """Whether the memory is pinned for a GPU: no."""
        return False

    def is_shared(self) -> bool:
        """Whether processes share the memory."""
        return bool(self._untyped_storage.is_shared())

    def share_memory_(self) -> TypedStorage:
        """Move the memory to where processes share it."""
        self._untyped_storage.share_memory_()
        return self

    def resizable(self) -> bool:
        """Whether ``resize_`` is possible: yes."""
        return True

    def resize_(self, size: int) -> None:
        """Hold ``size`` elements from now on; new ones are undefined."""
        self._untyped_storage.resize_(size * self.element_size())

    def tolist(self) -> list[Any]:
        """Return the elements as Python numbers."""
        if self.device.type == "meta":
            raise NotImplementedError("[TypedStorage] there are no elements on device meta")
        return list(self._flat.tolist())

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            raise RuntimeError("[TypedStorage] slices are for UntypedStorage alone")
        if not isinstance(index, int):
            raise RuntimeError(f"[TypedStorage] an index must be an int, got {type(index).__name__}")
        if self.device.type == "meta":
            raise NotImplementedError("[TypedStorage] there are no elements on device meta")
        if not -len(self) <= index < len(self):
            raise IndexError(f"[TypedStorage] index {index} is out of range for {len(self)} elements")
        return self._flat[index].item()

    def __setitem__(self, index: Any, value: Any) -> None:
        if not isinstance(index, (int, slice)):
            raise RuntimeError(f"[TypedStorage] an index must be an int or a slice, got {type(index).__name__}")
        self._flat[index] = value

    def __iter__(self) -> Any:
        return iter(self.tolist())

    def fill_(self, value: Any) -> TypedStorage:
        """Set every element."""
        self._flat.fill_(value)
        return self

    def copy_(self, source: Any, non_blocking: bool = False) -> TypedStorage:
        """Copy the bytes of a storage of the same size."""
        self._untyped_storage.copy_(source.untyped() if isinstance(source, TypedStorage) else source)
        return self

    def clone(self) -> TypedStorage:
        """Return a copy."""
        return TypedStorage(wrap_storage=self._untyped_storage.clone(), dtype=self.dtype)

    __copy__ = clone

    def __sizeof__(self) -> int:
        return object.__sizeof__(self) + self.nbytes()

    def cpu(self) -> TypedStorage:
        """Return the storage on the CPU, itself."""
        self._untyped_storage.cpu()
        return self

    def to(self, *, device: Any, non_blocking: bool = False) -> TypedStorage:
        """Return the storage on a device: itself where it is there already, else a copy."""
        where = as_device(device)
        return self if where == self.device else TypedStorage(wrap_storage=self._flat.to(where).untyped_storage(), dtype=self.dtype)

    def type(self, dtype: Any = None, non_blocking: bool = False) -> Any:
        """Return the name of the type, or the elements in the dtype of a storage's class or its name."""
        if dtype is None:
            name = class_of(self.dtype).__name__ if self.device.type == "cpu" else "storage.TypedStorage"
            return f"{_spoken.name}.{name}"
        found = NAMES_OF_STORAGES.get(dtype.rpartition(".")[2]) if isinstance(dtype, str) else dtype
        if not isinstance(found, LegacyStorage):
            raise ValueError(f"[TypedStorage.type] expected e.g. taeda.FloatStorage or its name, got {dtype!r}")
        return self._in(found.dtype)

    def _in(self, dtype: Any) -> TypedStorage:
        """The elements in another dtype."""
        return self if dtype == self.dtype else TypedStorage(wrap_storage=self._flat.to(dtype).untyped_storage(), dtype=dtype)

    def pickle_storage_type(self) -> str:
        """Return the name by which checkpoints call a storage of this dtype."""
        return str(class_of(self.dtype).__name__)

    def __repr__(self) -> str:
        items = "..." if self.device.type == "meta" else "\n".join(f" {v}" for v in self.tolist())
        return f"{items}\n[taeda.storage.TypedStorage(dtype={self.dtype}, device={self.device}) of size {len(self)}]"


def _conversion(name: str, dtype: Any) -> Any:
    def convert(self: TypedStorage) -> TypedStorage:
        return self._in(dtype)

    convert.__name__, convert.__doc__ = name, f"Return the elements as {dtype}."
    return convert


_CONVERSIONS = {
    "bfloat16": "bfloat16", "bool": "bool", "byte": "uint8", "char": "int8", "complex_double": "complex128", "complex_float": "complex64",
    "double": "float64", "float": "float32", "half": "float16", "int": "int32", "long": "int64", "short": "int16",
}  # fmt: skip
for _name, _dtype in _CONVERSIONS.items():
    setattr(TypedStorage, _name, _conversion(_name, NAMES[_dtype]))


def warn_removal() -> None:
    """Say once that storages that know a dtype are deprecated."""
    warn_once("TypedStorage", "TypedStorage is deprecated. It will be removed in the future and UntypedStorage will be the only storage "
              "class. tensor.untyped_storage() gives that one.", 4)


class LegacyStorage(type):
    """The class of ``FloatStorage`` and kin: a call gives a TypedStorage, and those of its dtype on the CPU are its instances.

    >>> import taeda
    >>> isinstance(taeda.ones(2).storage(), taeda.FloatStorage), taeda.LongStorage([1, 2]).tolist()
    (True, [1, 2])
    """

    dtype: Any

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, TypedStorage) and instance.dtype == cls.dtype and instance.device.type == "cpu"

    def __call__(cls, *args: Any, wrap_storage: Any = None, **named: Any) -> Any:
        """Return the TypedStorage of this dtype that the arguments make."""
        warn_removal()
        if named:
            raise RuntimeError(f"[{cls.__name__}] takes wrap_storage by keyword, got {', '.join(named)}")
        return TypedStorage(*args, wrap_storage=wrap_storage, dtype=cls.dtype)

    def from_buffer(cls, buffer: Any, byte_order: str | None = None, count: int = -1, offset: int = 0) -> Any:
        """Return a copy of a buffer's bytes, from ``offset`` on, as ``count`` elements (-1: all)."""
        bytes_ = file_memory.from_buffer(buffer, byte_order, count, offset, dtype=cls.dtype)
        return TypedStorage(wrap_storage=bytes_, dtype=cls.dtype)

    def from_file(cls, filename: Any, shared: bool = False, size: int = 0) -> Any:
        """Return ``size`` elements of a file, mapped; with ``shared`` the file is written to, and grown if need be."""
        bytes_ = file_memory.map_file(filename, shared, size * cls.dtype.itemsize, "from_file")
        return TypedStorage(wrap_storage=bytes_, dtype=cls.dtype)

    def __repr__(cls) -> str:
        return f"<class 'taeda.{cls.__name__}'>"


NAMES_OF_STORAGES: dict[str, Any] = {
    f"{name}Storage": LegacyStorage(f"{name}Storage", (), {"dtype": dtype, "__doc__": f"Make or recognise storages of {dtype}."})
    for name, dtype in LEGACY_NAMES.items()
    if name in ("Float", "Double", "Half", "BFloat16", "Byte", "Char", "Short", "Int", "Long", "Bool", "ComplexFloat", "ComplexDouble")
}
globals().update(NAMES_OF_STORAGES)


class DefaultStorage(LegacyStorage):
    """The class of ``Storage``: of the default dtype, whichever that is by then."""

    @property
    def dtype(cls) -> Any:  # type: ignore[override]
        """The default dtype."""
        return get_default_dtype()


Storage = DefaultStorage("Storage", (), {"__doc__": "Make or recognise storages of the default dtype."})


def class_of(dtype: dtype_class) -> Any:
    """Return FloatStorage or the like for a dtype, TypedStorage where there is none."""
    for found in NAMES_OF_STORAGES.values():
        if found.dtype == dtype:
            return found
    return TypedStorage


def storage_of(tensor: Any) -> TypedStorage:
    """Return a tensor's storage as elements of its dtype."""
    warn_removal()
    return TypedStorage(wrap_storage=tensor.untyped_storage(), dtype=tensor.dtype)
