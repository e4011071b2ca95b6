"""Checks of an optimizer's options: each says which option of which optimizer is wrong, and what must hold for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from taeda import Tensor


class Rule(NamedTuple):
    """What must hold for an option, and the same in words."""

    holds: Callable[[Any], bool]
    text: str


NOT_NEGATIVE = Rule(lambda value: value >= 0.0, "it must be at least 0")
ABOVE_ZERO = Rule(lambda value: value > 0.0, "it must be above 0")
BELOW_ONE = Rule(lambda value: 0.0 <= value < 1.0, "it must be in [0, 1)")


def _refuse_other(name: str, what: str, value: Any) -> None:
    if isinstance(value, str):
        raise TypeError(
            f"[{name}] {what} must be a number, got the text {value!r}; take float() of it (YAML reads 1e-3 as text, 1.0e-3 as a number)"
        )
    if value is None:
        raise TypeError(f"[{name}] {what} must be a number, got None; leave it out for the default")


def check_hyper(name: str, *options: tuple[Any, ...]) -> None:
    """Check options in order, each a value, what it is, and its `Rule` (by default, that it is not negative).

    Raises ValueError for the first that is out of its range, TypeError for one that is text.
    """
    for value, what, *given in options:
        _refuse_other(name, what, value)
        rule = given[0] if given else NOT_NEGATIVE
        if not rule.holds(value):
            shown = ", ".join(map(str, value)) if isinstance(value, (tuple, list)) else value
            raise ValueError(f"[{name}] Invalid {what}: {shown}; {rule.text}")


def check_pair(name: str, what: str, value: Any) -> None:
    """Raise TypeError where an option is not a sequence, IndexError or ValueError where it does not have two elements."""
    if isinstance(value, str) or not (hasattr(value, "__getitem__") and hasattr(value, "__len__")):
        raise TypeError(f"[{name}] {what} must be two numbers, got {value!r}")
    if len(value) != 2:
        raise (IndexError if len(value) < 2 else ValueError)(f"[{name}] {what} must be two numbers, got {len(value)}: {value}")


def check_adam(name: str, lr: Any, betas: tuple[Any, Any], eps: float, weight_decay: float) -> None:
    """Raise ValueError unless the options that Adam and its kin share are in their ranges."""
    check_pair(name, "betas", betas)
    check_hyper(
        name,
        (lr, "learning rate"),
        (eps, "epsilon value"),
        (betas[0], "beta parameter at index 0", BELOW_ONE),
        (betas[1], "beta parameter at index 1", BELOW_ONE),
        (weight_decay, "weight_decay value"),
    )


def check_one_element(name: str, what: str, value: Any) -> None:
    """Raise ValueError where an option is a tensor of more than one number, TypeError where it is text."""
    _refuse_other(name, what, value)
    if isinstance(value, Tensor) and value.numel() != 1:
        raise ValueError(f"[{name}] Tensor {what} must be 1-element, got shape {tuple(value.shape)}")


def check_fused(name: str, fused: bool | None, foreach: bool | None, differentiable: bool) -> None:
    """Raise RuntimeError for switches that exclude each other."""
    if fused and differentiable:
        raise RuntimeError(f"[{name}] `fused` does not support `differentiable`")
    if fused and foreach:
        raise RuntimeError(f"[{name}] `fused` and `foreach` cannot be `True` together.")
