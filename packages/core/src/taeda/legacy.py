"""FloatTensor, LongTensor and kin, their storages, and what goes by their names: older programs' way to say a dtype."""

from __future__ import annotations

import importlib
from typing import Any

from taeda._once import warn_once
from taeda.device import as_device, set_default_device
from taeda.dtype import LEGACY_NAMES, set_default_dtype
from taeda.operands import need_tensor
from taeda.ops import as_tensor, empty, tensor
from taeda.storage import UntypedStorage
from taeda.tensor import Tensor
from taeda.tensor_base import Size
from taeda.typed_storage import TypedStorage

__all__ = [
    "NAMES", "TypedTensor", "get_device_module", "is_same_size", "is_storage", "make", "set_default_tensor_type", "typename",
]  # fmt: skip


class TypedTensor(type):
    """The class of ``FloatTensor`` and kin: a call gives a Tensor, and cpu tensors of its dtype are its instances.

    >>> import taeda
    >>> taeda.LongTensor([1, 2])
    tensor([1, 2])
    >>> isinstance(taeda.ones(2), taeda.FloatTensor)
    True
    """

    dtype: Any

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and instance.dtype == cls.dtype and instance.device.type == "cpu"

    def __call__(cls, *args: Any, device: Any = None) -> Any:
        """Return uninitialised memory for sizes, a copy of a sequence or an array, or the tensor itself."""
        if device is not None and as_device(device).type != "cpu":
            raise RuntimeError(f"[{cls.__name__}] legacy constructor expects device type: cpu but device type: {device} was passed; "
                               "use taeda.tensor(data, device=...)")
        if device is not None and len(args) == 1 and isinstance(args[0], Tensor):
            raise RuntimeError(f"[{cls.__name__}] Legacy tensor constructor of the form Tensor(tensor, device=device) is not supported; "
                               "use as_tensor(tensor, device=device)")
        return make(cls.dtype, args, device, cls.__name__)

    def __repr__(cls) -> str:
        return f"<class 'taeda.{cls.__name__}'>"


def make(dtype: Any, args: tuple[Any, ...], device: Any = None, op: str = "new") -> Any:
    """Return the tensor that a typed constructor makes of its arguments.

    Raises TypeError for a tensor of another dtype, a float, or what is not a sequence of numbers.
    """
    where = "cpu" if device is None else device
    if len(args) != 1 or isinstance(args[0], (int, Size)):
        return empty(*(args or (0,)), dtype=dtype, device=where)
    data = args[0]
    if isinstance(data, Tensor):
        if data.dtype != dtype or (device is not None and data.device != as_device(device)):
            raise TypeError(f"[{op}] expected a tensor of {dtype} on {where}, got {data.dtype} on {data.device}; use tensor.to")
        return data.detach()
    if isinstance(data, (TypedStorage, UntypedStorage)):
        return as_tensor(data, dtype=dtype)
    if hasattr(data, "__index__") and not hasattr(data, "__len__"):
        return empty(data.__index__(), dtype=dtype, device=where)
    if isinstance(data, (str, bytes)) or not hasattr(data, "__len__"):
        raise TypeError(f"[{op}] new(): data must be a sequence (got {type(data).__name__})")
    return tensor(data, dtype=dtype, device=where)


_DOC = """Make or recognise CPU tensors of {dtype}.

Called with sizes, it returns a tensor that is not filled; with a sequence or a tensor, its elements (TypeError for a tensor of
another dtype).  ``taeda.tensor(..., dtype={dtype})`` says the same today.

>>> import taeda
>>> x = taeda.{name}Tensor([1, 0])
>>> x.dtype, isinstance(x, taeda.{name}Tensor), taeda.{name}Tensor(2, 3).shape
({dtype}, True, taeda.Size([2, 3]))
"""
NAMES: dict[str, Any] = {
    f"{name}Tensor": TypedTensor(f"{name}Tensor", (), {"dtype": dtype, "__doc__": _DOC.format(name=name, dtype=dtype)})
    for name, dtype in LEGACY_NAMES.items()
    if name in ("Float", "Double", "Half", "BFloat16", "Byte", "Char", "Short", "Int", "Long", "Bool")
}
globals().update(NAMES)


class GPUTensor(type):
    """The class of ``cuda.FloatTensor`` and kin: nothing is an instance, and no call makes one."""

    is_cuda, is_sparse = True, False

    def __instancecheck__(cls, instance: Any) -> bool:
        return False

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(f"[cuda.{cls.__name__}] type not available: there is no GPU; use taeda.{cls.__name__}")

    def __repr__(cls) -> str:
        return f"<class 'taeda.cuda.{cls.__name__}'>"


GPU_NAMES: dict[str, Any] = {
    name: GPUTensor(name, (), {"dtype": typed.dtype, "__module__": "taeda.cuda", "__doc__": f"Recognise a GPU's tensors of {typed.dtype}."})
    for name, typed in NAMES.items()
}


def set_default_tensor_type(t: Any) -> None:
    """Set the default dtype by a typed tensor's class or name, and the default device to cpu.

    Raises TypeError for a type that is not floating point or is unknown.

    >>> import taeda
    >>> taeda.set_default_tensor_type(taeda.DoubleTensor)
    >>> taeda.zeros(1).dtype
    taeda.float64
    >>> taeda.set_default_tensor_type("taeda.FloatTensor")
    """
    warn_once("set_default_tensor_type", "taeda.set_default_tensor_type() is deprecated as of PyTorch 2.1, please use "
              "taeda.set_default_dtype() and taeda.set_default_device() as alternatives.", 3)
    found = NAMES.get(t.rpartition(".")[2]) if isinstance(t, str) else t
    if isinstance(found, GPUTensor) or (isinstance(t, str) and ".cuda." in t):
        raise TypeError(f"[set_default_tensor_type] type {t} not available: there is no GPU")
    if not isinstance(found, TypedTensor):
        raise TypeError(f"[set_default_tensor_type] invalid type: {t!r}; expected e.g. taeda.FloatTensor or its name")
    set_default_dtype(found.dtype)
    set_default_device(None)


def typename(obj: Any) -> str:
    """Return the name of the type of ``obj``; a tensor's tells the dtype.

    >>> import taeda
    >>> taeda.typename(taeda.ones(1))
    'taeda.FloatTensor'
    """
    if isinstance(obj, Tensor):
        return str(obj.type())
    kind = obj if isinstance(obj, type) or (callable(obj) and hasattr(obj, "__qualname__")) else type(obj)
    module = getattr(kind, "__module__", "") or ""
    return kind.__qualname__ if module in ("", "builtins", "__builtin__") else f"{module}.{kind.__qualname__}"


def is_storage(obj: Any) -> bool:
    """Whether ``obj`` is a storage.

    >>> import taeda
    >>> taeda.is_storage(taeda.ones(2).untyped_storage()), taeda.is_storage(taeda.ones(2))
    (True, False)
    """
    return isinstance(obj, (UntypedStorage, TypedStorage))


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have one shape.

    >>> import taeda
    >>> taeda.is_same_size(taeda.ones(2, 3), taeda.ones(3, 2))
    False
    """
    for name, value in (("input", input), ("other", other)):
        need_tensor("is_same_size", name, value)
    return input.shape == other.shape


def _has_compatible_shallow_copy_type(input: Tensor, other: Tensor) -> bool:
    """Whether ``input.data = other`` can keep the object: both lie on one kind of device, in one kind of memory.

    >>> import taeda
    >>> from taeda.legacy import _has_compatible_shallow_copy_type
    >>> _has_compatible_shallow_copy_type(taeda.ones(2), taeda.ones(3, dtype=taeda.int64))
    True
    >>> _has_compatible_shallow_copy_type(taeda.ones(2), taeda.ones(2, device="meta"))
    False
    """
    for name, value in (("input", input), ("from", other)):
        need_tensor("_has_compatible_shallow_copy_type", name, value)
    return input.device.type == other.device.type and input.layout == other.layout


def get_device_module(device: Any = None) -> Any:
    """Return ``taeda.cpu`` or ``taeda.cuda``, the module of a device's kind.

    >>> import taeda
    >>> taeda.get_device_module("cpu").__name__
    'taeda.cpu'
    """
    kind = "cpu" if device is None else as_device(device).type
    try:
        return importlib.import_module(f"taeda.{kind}")
    except ModuleNotFoundError:
        raise RuntimeError(f"[get_device_module] there is no module for device {kind}") from None


def _cast(name: str) -> Any:
    """Return PyTorch's function that gives a tensor in another dtype."""

    def cast(input: Tensor, non_blocking: bool = False) -> Tensor:
        return input.to(LEGACY_NAMES[name], non_blocking=non_blocking)

    return cast


_cast_Byte, _cast_Char, _cast_Double, _cast_Float, _cast_Int, _cast_Long, _cast_Short, _cast_Half = (
    _cast(name) for name in ("Byte", "Char", "Double", "Float", "Int", "Long", "Short", "Half")
)
