"""Moving a module: to another device or dtype, and the parts of ``to`` that read its arguments."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Self

import taeda
from taeda import Tensor
from taeda.nn.parameter import Parameter, is_lazy
from taeda.settings import CONVERSION
from taeda.utils import swap_tensors

if TYPE_CHECKING:
    from taeda.nn.modules.module import Module


def parse_to(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any, bool, Any]:
    """Read the arguments of ``to``: ``(device, dtype, non_blocking)``, ``(dtype, ...)`` or ``(tensor, ...)``."""
    known = {"device", "dtype", "non_blocking", "copy", "memory_format", "tensor", "other"}
    unknown = set(kwargs) - known
    if unknown or len(args) > 4:
        given = ", ".join([*(type(a).__name__ for a in args), *(f"{k}=..." for k in kwargs)])
        raise TypeError(
            f"[to] takes (device, dtype, non_blocking), (dtype, non_blocking) or (tensor, non_blocking), got ({given})"
        )
    device, dtype = kwargs.get("device"), kwargs.get("dtype")
    flags = []
    tensor = kwargs.get("tensor", kwargs.get("other"))
    for i, a in enumerate(args):
        if isinstance(a, bool) and not (i == 1 and dtype is None and tensor is None):
            flags.append(a)
        elif a is None:
            continue
        elif (isinstance(a, taeda.dtype) or (isinstance(a, type) and a in (float, int, bool, complex))) and dtype is None:
            dtype = a
        elif isinstance(a, Tensor) and i == 0:
            tensor = a
        elif isinstance(a, (str, int, taeda.device)) and i == 0:
            device = a
        else:
            raise TypeError(
                f"[to] argument {i + 1} must be a device, a dtype (one), a tensor or a bool, got {type(a).__name__}"
            )
    if tensor is not None:
        device, dtype = tensor.device, tensor.dtype
    if device is not None:
        device = taeda.device(device)
    if dtype is not None and not isinstance(dtype, (taeda.dtype, type)):
        raise TypeError(f"[to] dtype must be a taeda.dtype such as taeda.float32, got {dtype!r} ({type(dtype).__name__})")
    if "copy" in kwargs or len(flags) > 1:
        raise RuntimeError("[to] .to() does not accept copy argument for modules; use copy.deepcopy(module)")
    if isinstance(dtype, type):  # float, say
        dtype = taeda.empty(0, dtype=dtype).dtype  # type: ignore[arg-type]
    non_blocking = kwargs.get("non_blocking", flags[0] if flags else False)
    return device, dtype, non_blocking, kwargs.get("memory_format")


def _is_float(t: Tensor) -> bool:
    return t.is_floating_point() or t.is_complex()


def _by_swap(t: Tensor) -> bool:
    """Say whether a tensor changes places with its new self: it was asked for, or what it is made of are its attributes."""
    return CONVERSION["swap"] or hasattr(type(t), "__tensor_flatten__")


def _swap(old: Any, new: Tensor) -> Any:
    """Give ``old``, a parameter or its gradient, the data of ``new`` and return it; a new parameter where only that will do.

    The object stays the same wherever it can: optimizers hold it.
    """
    if is_lazy(old) and old.is_meta != new.is_meta:
        return type(old)(old.requires_grad, new.device, new.dtype)
    if _by_swap(new):
        if new is not old:
            swap_tensors(old, Parameter(new, old.requires_grad))
        return old
    if CONVERSION["overwrite"]:
        return Parameter(new, old.requires_grad)
    if old.is_meta == new.is_meta and old.layout == new.layout:
        old.data = new
        return old
    return Parameter(new, old.requires_grad)


class ConvertMethods:
    """The part of ``Module`` that changes device and dtype."""

    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    if TYPE_CHECKING:  # typing.get_type_hints would not find the name
        children: Callable[[], Iterator[Module]]

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Put every parameter, its gradient and every buffer through ``fn``."""
        if recurse:
            for child in self.children():
                child._apply(fn)
        for name, param in self._parameters.items():
            if param is None:
                continue
            old = param.grad
            with taeda.no_grad():
                new = fn(param)
                grad = None if old is None else fn(old)
            target = _swap(param, new)
            if target is not param:
                self._parameters[name] = target
            if old is not None and grad is not None:
                keeps_its_gradient = target is param and not _by_swap(param)
                target.grad = _swap(old, grad) if keeps_its_gradient else grad.requires_grad_(old.requires_grad)
        for name, buf in self._buffers.items():
            if buf is not None:
                self._buffers[name] = _swap(buf, fn(buf)) if is_lazy(buf) else fn(buf)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Move the parameters and buffers, in place, to a device or a dtype (or those of a tensor).

        ``to(device=None, dtype=None, non_blocking=False)``, ``to(dtype)``, ``to(tensor)``.  Only floating
        point tensors change their dtype.

        Raises:
            TypeError: the dtype is not a floating point one.
            RuntimeError: ``copy`` is given.
            NotImplementedError: the module is on the meta device, which has no data to move.

        >>> import taeda
        >>> from taeda import nn
        >>> nn.Linear(2, 3).to(taeda.float64).weight.dtype == taeda.float64
        True
        """
        device, dtype, non_blocking, memory_format = parse_to(args, kwargs)
        if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError(
                f"[to] nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}"
            )
        if dtype is not None and dtype.is_complex:
            warnings.warn(
                "Complex modules are a new feature under active development whose design may change, and some modules "
                "might not work as expected when using complex tensors as parameters or buffers.",
                stacklevel=2,
            )

        def convert(t: Tensor) -> Tensor:
            options: dict[str, Any] = {}
            if device is not None:
                options["device"] = device
            if dtype is not None and _is_float(t):
                options["dtype"] = dtype
            if memory_format is not None and t.ndim in (4, 5):
                options["memory_format"] = memory_format
            if t.is_meta and device is not None and device.type != "meta":
                raise NotImplementedError(
                    "[to] Cannot copy out of meta tensor; no data! Please use taeda.nn.Module.to_empty() instead of "
                    "taeda.nn.Module.to() when moving module from meta to a different device."
                )
            return t.to(non_blocking=non_blocking, **options) if options else t

        return self._apply(convert)

    def to_empty(self, *, device: Any, recurse: bool = True) -> Self:
        """Move to ``device`` without copying: the values are whatever the memory holds.

        >>> import taeda
        >>> from taeda import nn
        >>> with taeda.device("meta"):                 # sizes without memory
        ...     layer = nn.Linear(2, 3)
        >>> layer.to_empty(device="cpu").weight.shape
        taeda.Size([3, 2])
        """
        return self._apply(lambda t: taeda.empty_like(t, device=device), recurse=recurse)

    def type(self, dst_type: Any) -> Self:
        """Cast every parameter and buffer to ``dst_type``."""
        return self._apply(lambda t: t.type(dst_type))

    def float(self) -> Self:
        """Cast floating point parameters and buffers to float32."""
        return self._apply(lambda t: t.float() if t.is_floating_point() else t)

    def double(self) -> Self:
        """Cast floating point parameters and buffers to float64."""
        return self._apply(lambda t: t.double() if t.is_floating_point() else t)

    def half(self) -> Self:
        """Cast floating point parameters and buffers to float16."""
        return self._apply(lambda t: t.half() if t.is_floating_point() else t)

    def bfloat16(self) -> Self:
        """Cast floating point parameters and buffers to bfloat16."""
        return self._apply(lambda t: t.bfloat16() if t.is_floating_point() else t)

    def cpu(self) -> Self:
        """Move parameters and buffers to the CPU."""
        return self._apply(lambda t: t.cpu())

    def cuda(self, device: Any = None) -> Self:
        """Move parameters and buffers to a GPU."""
        return self._apply(lambda t: t.cuda(device))

    def xpu(self, device: Any = None) -> Self:
        """Move parameters and buffers to an Intel GPU, which taeda has no backend for."""
        return self._apply(lambda t: t.to("xpu"))

    def ipu(self, device: Any = None) -> Self:
        """Move parameters and buffers to a Graphcore IPU, which taeda has no backend for."""
        return self._apply(lambda t: t.to("ipu"))

    def mtia(self, device: Any = None) -> Self:
        """Move parameters and buffers to an MTIA accelerator, which taeda has no backend for."""
        return self._apply(lambda t: t.to("mtia"))

    def share_memory(self) -> Self:
        """Move the memory of parameters and buffers to where child processes share it, and return the module."""
        return self._apply(lambda t: t.share_memory_())
