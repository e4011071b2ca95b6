"""``autocast``: a block or a function in which each op runs in the precision that suits it.

Products (``linear``, convolutions, ``matmul``, attention ...) get their inputs in bfloat16 or float16, losses and decompositions
in float32, and what joins tensors in the widest of their dtypes; ``taeda._autocast`` has the lists.  Parameters stay as they are,
and so do their gradients' dtypes: a cast is an op with a derivative.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from taeda import _spoken
from taeda.amp import casting
from taeda.amp.casting import is_autocast_available
from taeda.dtype import dtype as dtype_class
from taeda.tensor import Tensor

__all__ = ["autocast", "autocast_decorator", "custom_bwd", "custom_fwd", "is_autocast_available"]

_SUPPORTED = ("float16", "bfloat16")


def _need_str(device_type: Any) -> None:
    if not isinstance(device_type, str):
        raise ValueError(f"[autocast] Expected `device_type` of type `str`, got: `{type(device_type)}`")


class autocast:
    """Run the ops of a ``with`` block, or of a decorated function, in mixed precision.

    Leave ``backward`` outside: a derivative is computed in the dtypes that its forward op had.

    Args:
        device_type: "cpu"; "cuda" is refused with a warning while there is no GPU.
        dtype: the lower precision, bfloat16 or float16; None for what ``set_autocast_dtype`` chose (bfloat16 on the CPU).
            Any other one disables the block with a warning.
        enabled: False turns autocast off inside of the block.
        cache_enabled: keep the cast of each weight until the outermost block ends, unless the weight changes.

    Raises:
        ValueError: ``device_type`` is not a string.
        RuntimeError: no such device, or none with an autocast.

    >>> import taeda
    >>> w = taeda.ones(2, 2, requires_grad=True)
    >>> with taeda.autocast("cpu"):
    ...     y = taeda.ones(1, 2) @ w
    >>> y.dtype
    taeda.bfloat16
    >>> y.sum().backward()
    >>> w.grad.dtype
    taeda.float32
    """

    def __init__(self, device_type: str, dtype: dtype_class | None = None, enabled: bool = True, cache_enabled: bool | None = None) -> None:
        _need_str(device_type)
        self.fast_dtype = casting.get_autocast_dtype(device_type) if dtype is None else dtype
        self.device = device_type
        if not is_autocast_available(device_type):
            raise RuntimeError(f"[autocast] User specified an unsupported autocast device_type '{device_type}'")
        self._cache_enabled = casting.is_autocast_cache_enabled() if cache_enabled is None else cache_enabled
        if enabled and device_type.partition(":")[0] == "cuda":
            warnings.warn("CUDA is not available. Disabling autocast.", stacklevel=2)
            enabled = False
        elif enabled and getattr(self.fast_dtype, "name", None) not in _SUPPORTED:
            name = device_type.upper()
            warnings.warn(
                _spoken.said(f"In {name} autocast, but the target dtype is not supported. Disabling autocast.\n"
                             f"{name} Autocast only supports dtypes of taeda.bfloat16, taeda.float16 currently."),
                stacklevel=2,
            )
            enabled = False
        self._enabled = enabled
        self._outer: list[Any] = []                    # what held before each entry: a block may be entered again

    def __enter__(self) -> autocast:
        self._outer.append(casting.enter_block(self.device, self.fast_dtype, self._enabled, self._cache_enabled))
        return self

    def __exit__(self, *error: object) -> None:
        casting.leave_block(self._outer.pop())

    def __call__(self, func: Callable[..., Any]) -> Callable[..., Any]:
        if not callable(func):
            raise TypeError(
                f"[autocast] autocast()(func) requires a callable, but got {type(func).__name__}. Did you mean to use autocast as a "
                "context manager? For example:\n    with taeda.autocast(device_type=...):\n        output = model(input)"
            )
        return autocast_decorator(self, func)


def autocast_decorator(autocast_instance: autocast, func: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``func`` run inside of ``autocast_instance``."""

    @functools.wraps(func)
    def decorate_autocast(*args: Any, **kwargs: Any) -> Any:
        with autocast_instance:
            return func(*args, **kwargs)

    return decorate_autocast


def _cast(value: Any, device_type: str, dtype: dtype_class) -> Any:
    """Cast floating-point tensors of a device, float64 ones excepted, and those inside of containers."""
    if isinstance(value, Tensor):
        eligible = value.is_floating_point() and value.device.type == device_type and value.dtype.name != "float64"
        return value.to(dtype) if eligible else value
    if isinstance(value, (str, bytes)) or hasattr(value, "__array_interface__"):
        return value
    if isinstance(value, Mapping):
        return {_cast(k, device_type, dtype): _cast(v, device_type, dtype) for k, v in value.items()}
    if isinstance(value, Iterable):
        items = (_cast(v, device_type, dtype) for v in value)
        return type(value)(items) if isinstance(value, (list, tuple)) else items
    return value


def custom_fwd(
    fwd: Callable[..., Any] | None = None, *, device_type: str, cast_inputs: dtype_class | None = None
) -> Callable[..., Any]:
    """Decorate the ``forward`` of an ``autograd.Function``, so that its ``backward`` finds the same autocast (``custom_bwd``).

    Args:
        cast_inputs: inside of an autocast block, cast floating-point arguments to this dtype and run ``forward`` with autocast
            off; None runs it as the block is.

    >>> import taeda
    >>> class Square(taeda.autograd.Function):
    ...     @staticmethod
    ...     @taeda.amp.custom_fwd(device_type="cpu", cast_inputs=taeda.float32)
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x
    ...     @staticmethod
    ...     @taeda.amp.custom_bwd(device_type="cpu")
    ...     def backward(ctx, g):
    ...         return 2 * g * ctx.saved_tensors[0]
    >>> with taeda.autocast("cpu"):
    ...     Square.apply(taeda.ones(1, dtype=taeda.bfloat16)).dtype
    taeda.float32
    """
    _need_str(device_type)
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)
    forward = fwd

    @functools.wraps(forward)
    def decorate_fwd(*args: Any, **kwargs: Any) -> Any:
        ctx, on = args[0], casting.is_autocast_enabled(device_type)
        ctx._dtype = casting.get_autocast_dtype(device_type)
        ctx._fwd_used_autocast = on and cast_inputs is None
        if cast_inputs is None or not on:
            return forward(*args, **kwargs)
        with autocast(device_type, enabled=False):
            return forward(*_cast(args, device_type, cast_inputs), **_cast(kwargs, device_type, cast_inputs))

    return decorate_fwd


def custom_bwd(bwd: Callable[..., Any] | None = None, *, device_type: str) -> Callable[..., Any]:
    """Decorate the ``backward`` of an ``autograd.Function`` whose ``forward`` has ``custom_fwd``: it runs under the same autocast.

    >>> import taeda
    >>> class Twice(taeda.autograd.Function):
    ...     @staticmethod
    ...     @taeda.amp.custom_fwd(device_type="cpu")
    ...     def forward(ctx, x):
    ...         return 2 * x
    ...     @staticmethod
    ...     @taeda.amp.custom_bwd(device_type="cpu")
    ...     def backward(ctx, g):
    ...         return 2 * g
    >>> x = taeda.ones(2, requires_grad=True)
    >>> with taeda.autocast("cpu"):
    ...     y = Twice.apply(x).sum()
    >>> y.backward()
    >>> x.grad
    tensor([2., 2.])
    """
    _need_str(device_type)
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)
    backward = bwd

    @functools.wraps(backward)
    def decorate_bwd(*args: Any, **kwargs: Any) -> Any:
        with autocast(device_type, dtype=args[0]._dtype, enabled=args[0]._fwd_used_autocast):
            return backward(*args, **kwargs)

    return decorate_bwd


def _enter_autocast(*args: Any) -> autocast:
    mode = autocast(*args)
    mode.__enter__()
    return mode


def _exit_autocast(mode: autocast) -> None:
    mode.__exit__(None, None, None)
