"""TypedStorage: a tensor's storage seen as elements of one dtype (kept for older programs)."""

from __future__ import annotations

from typing import Any

from taeda.dtype import LEGACY_NAMES


class TypedStorage:
    """The elements of a whole storage, as ``tensor.storage()`` gives them.

    >>> import taeda
    >>> taeda.arange(4)[1:].storage().tolist()
    [0, 1, 2, 3]
    """

    def __init__(self, tensor: Any) -> None:
        storage = tensor.untyped_storage()
        size = storage.nbytes() // tensor.element_size()
        self._untyped_storage = storage
        self._flat = tensor.detach().as_strided((size,), (1,), 0)
        self.dtype = tensor.dtype
        self.device = tensor.device

    def untyped(self) -> Any:
        """Return the storage as bytes."""
        return self._untyped_storage

    def data_ptr(self) -> int:
        """Return the address of the first byte."""
        return int(self._untyped_storage.data_ptr())

    def nbytes(self) -> int:
        """Return the size in bytes."""
        return int(self._untyped_storage.nbytes())

    def size(self) -> int:
        """Return the number of elements."""
        return len(self._flat)

    __len__ = size

    def element_size(self) -> int:
        """Return the bytes of one element."""
        return int(self._flat.element_size())

    def tolist(self) -> list[Any]:
        """Return the elements as Python numbers."""
        return list(self._flat.tolist())

    def __getitem__(self, index: int) -> Any:
        return self._flat[index].item()

    def __setitem__(self, index: Any, value: Any) -> None:
        self._flat[index] = value

    def __iter__(self) -> Any:
        return iter(self.tolist())

    def fill_(self, value: Any) -> TypedStorage:
        """Set every element."""
        self._flat.fill_(value)
        return self

    def __repr__(self) -> str:
        items = "\n".join(f" {v}" for v in self.tolist())
        return f"{items}\n[taeda.storage.TypedStorage(dtype={self.dtype}, device={self.device}) of size {len(self)}]"


class TypedStorageMeta(type):
    """The class of ``FloatStorage`` and kin: a call gives a TypedStorage, and those of its dtype are its instances."""

    dtype: Any

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, TypedStorage) and instance.dtype == cls.dtype

    def __call__(cls, *args: Any) -> TypedStorage:
        """Return a storage of so many elements, uninitialised, or of a sequence's."""
        from taeda.ops import empty, tensor

        if len(args) > 1:
            raise TypeError(f"[{cls.__name__}] expected a size or a sequence of numbers, got {len(args)} arguments")
        given = args[0] if args else 0
        return TypedStorage(empty(given, dtype=cls.dtype) if isinstance(given, int) else tensor(given, dtype=cls.dtype))

    def __repr__(cls) -> str:
        return f"<class 'taeda.{cls.__name__}'>"


# "Float" -> FloatStorage
NAMES: dict[str, Any] = {name: TypedStorageMeta(f"{name}Storage", (), {"dtype": dtype}) for name, dtype in LEGACY_NAMES.items()}
globals().update({f"{name}Storage": kind for name, kind in NAMES.items()})
Storage = NAMES["Float"]
