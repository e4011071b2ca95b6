"""Forward mode: tensors that carry a tangent through every differentiable op (see dual.pyx for how).

>>> import taeda
>>> import taeda.autograd.forward_ad as fwAD
>>> with fwAD.dual_level():
...     x = fwAD.make_dual(taeda.tensor([1.0, 2.0]), taeda.tensor([1.0, 0.0]))
...     print(fwAD.unpack_dual(x * x).tangent)
tensor([2., 0.])
"""

from __future__ import annotations

from typing import Any, NamedTuple

from taeda.autograd import dual
from taeda.autograd.grad_mode import _Mode
from taeda.stand_ins import is_stand_in
from taeda.tensor_base import TensorBase

__all__ = ["UnpackedDualTensor", "dual_level", "enter_dual_level", "exit_dual_level", "make_dual", "unpack_dual"]

_current_level = -1


class UnpackedDualTensor(NamedTuple):
    """What :func:`unpack_dual` returns: the value, and the tangent or None.

    >>> from taeda.autograd.forward_ad import UnpackedDualTensor
    >>> UnpackedDualTensor._fields
    ('primal', 'tangent')
    """

    primal: Any
    tangent: Any


def enter_dual_level() -> int:
    """Open a level in which tensors may carry tangents, and return its number; :class:`dual_level` does both ends in a ``with`` block.

    Raises:
        RuntimeError: a level is open already.

    >>> import taeda
    >>> from taeda.autograd import forward_ad
    >>> level = forward_ad.enter_dual_level()
    >>> x = forward_ad.make_dual(taeda.tensor([3.0]), taeda.tensor([1.0]))
    >>> forward_ad.unpack_dual(x * x).tangent
    tensor([6.])
    >>> forward_ad.exit_dual_level(level=level)
    """
    global _current_level
    dual.open_level()
    _current_level = 0
    return _current_level


def exit_dual_level(*, level: int | None = None) -> None:
    """Close the level of :func:`enter_dual_level`: all tangents are forgotten.

    Raises:
        RuntimeError: no level is open, or ``level`` is not the last one.
    """
    global _current_level
    if level is None:
        level = _current_level
    if level != _current_level:
        raise RuntimeError(
            f"[exit_dual_level] Trying to exit a forward AD level that was not the last one that was created: {level}, the last is "
            f"{_current_level}. This is not supported."
        )
    if level < 0:
        raise RuntimeError("[exit_dual_level] Dual level must be a positive number: no level is open")
    dual.close_level()
    _current_level = -1


def _is_number_like(x: Any) -> bool:
    return x.is_floating_point() or x.is_complex()


def make_dual(tensor: Any, tangent: Any, *, level: int | None = None) -> Any:
    """Return a view of ``tensor`` that carries ``tangent``, a tensor of the same shape.

    Raises:
        RuntimeError: outside of :class:`dual_level`, for another size, and for a tensor that carries one already.
        ValueError: one of them is neither floating-point nor complex.

    >>> import taeda, taeda.autograd.forward_ad as fwAD
    >>> with fwAD.dual_level():
    ...     x = fwAD.make_dual(taeda.tensor([0.0, 1.0]), taeda.tensor([1.0, 1.0]))
    ...     fwAD.unpack_dual(x.exp()).tangent
    tensor([1.0000, 2.7183])
    """
    for what, x in (("primal", tensor), ("tangent", tangent)):
        if not isinstance(x, TensorBase):
            raise AttributeError(f"[make_dual] {what} must be a Tensor, got {type(x).__name__}: it has no attribute 'is_floating_point'")
    if (_current_level if level is None else level) < 0:
        raise RuntimeError(
            "[make_dual] Trying to create a dual Tensor for forward AD but no level exists, make sure to enter_dual_level() first."
        )
    for what, x in (("primal", tensor), ("tangent", tangent)):
        if not _is_number_like(x):
            raise ValueError(f"[make_dual] Expected {what} to be floating point or complex, but got: {x.dtype}")
    if is_stand_in(tensor):                              # a batch of vmap: its tangent would stay behind
        raise RuntimeError("[make_dual] Batching rule not implemented for aten::_make_dual: inside of vmap a sample cannot become a dual "
                           "tensor; hint: taeda.func.jvp")
    if dual.tangent_of(tensor) is not None:
        raise RuntimeError(
            f"[make_dual] Making a dual Tensor based on a Tensor that already has a forward gradient at the same level {_current_level} "
            "is not supported."
        )
    if dual.tangent_of(tangent) is not None:
        raise RuntimeError(f"[make_dual] Trying to set a forward gradient that has a forward gradient at the same level {_current_level}, "
                           "this is not supported; unpack_dual(tangent).primal has none.")
    made = tensor.view_as(tensor)
    dual.set_tangent(made, tangent)
    return made


def unpack_dual(tensor: Any, *, level: int | None = None) -> UnpackedDualTensor:
    """Return the value of a tensor, without tangent, and its tangent (None if it has none).

    >>> import taeda, taeda.autograd.forward_ad as fwAD
    >>> with fwAD.dual_level():
    ...     fwAD.unpack_dual(taeda.ones(1))
    UnpackedDualTensor(primal=tensor([1.]), tangent=None)
    """
    if not isinstance(tensor, TensorBase):
        raise TypeError(f"[unpack_dual] argument 'dual' (position 1) must be Tensor, not {type(tensor).__name__}")
    if (_current_level if level is None else level) < 0:
        return UnpackedDualTensor(tensor, None)
    tangent = dual.tangent_of(tensor)
    asleep = dual.set_asleep(True)
    try:
        return UnpackedDualTensor(dual.primal_of(tensor), tangent)
    finally:
        dual.set_asleep(asleep)


class dual_level(_Mode):
    """Open a level for a ``with`` block (or for the calls of a decorated function): tensors made by :func:`make_dual` carry tangents in it.

    >>> import taeda, taeda.autograd.forward_ad as fwAD
    >>> with fwAD.dual_level():
    ...     x = fwAD.make_dual(taeda.tensor(3.0), taeda.tensor(1.0))
    ...     y, dy = fwAD.unpack_dual(x * x)
    >>> y, dy
    (tensor(9.), tensor(6.))
    """

    def __enter__(self) -> int:  # type: ignore[override]
        return enter_dual_level()

    def __exit__(self, *error: object) -> None:
        exit_dual_level()


def _is_fwd_grad_enabled() -> bool:
    """Whether tangents are carried on in this thread."""
    return not dual.is_asleep()


class _set_fwd_grad_enabled(_Mode):
    """Stop or start carrying tangents on in this thread, for a ``with`` block."""

    def __init__(self, mode: bool) -> None:
        self.mode = mode
        self.was = dual.set_asleep(not mode)

    def __enter__(self) -> None:
        dual.set_asleep(not self.mode)

    def __exit__(self, *error: object) -> None:
        dual.set_asleep(self.was)

    def _clone(self) -> Any:
        return type(self)(self.mode)
