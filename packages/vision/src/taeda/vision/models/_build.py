"""What the builders of models share: refusing weights that are not there, whole widths, and first weights."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from taeda import nn

__all__ = ["built", "he", "make_divisible", "refuse_weights", "small", "start"]

M = TypeVar("M", bound=nn.Module)

he = partial(nn.init.kaiming_normal_, mode="fan_out")
small = partial(nn.init.normal_, mean=0, std=0.01)


def built(model: Callable[..., M], *args: Any, weights: Any, config: dict[str, Any], name: str = "") -> M:
    """Return ``model(*args, **config)``.

    Raises:
        ValueError: trained weights are asked for, which taeda does not ship.
    """
    refuse_weights(name or getattr(model, "__name__", "model").lower(), weights)
    return model(*args, **config)


def refuse_weights(name: str, weights: Any) -> None:
    """Raise ValueError for trained weights, which taeda does not ship; None and False are none."""
    if weights is not None and weights is not False:
        raise ValueError(
            f"[{name}] taeda ships no trained weights, got weights={weights!r}; load a "
            "checkpoint by model.load_state_dict(taeda.load(path)): the keys are torchvision's"
        )


def make_divisible(value: float, divisor: int = 8, least: int | None = None) -> int:
    """Return the multiple of `divisor` nearest to a width, not more than a tenth below it."""
    near = max(least or divisor, int(value + divisor / 2) // divisor * divisor)
    return near + divisor if near < 0.9 * value else near


def start(model: nn.Module, conv: Callable[[Any], Any], linear: Callable[[Any], Any] | None = None) -> None:
    """Draw the weights of convolutions and linear layers anew, in the order of the modules; norms become the identity, biases zero."""
    for m in model.modules():
        if isinstance(m, nn.Conv2d):
            conv(m.weight)
        elif isinstance(m, nn.Linear) and linear is not None:
            linear(m.weight)
        elif isinstance(m, (nn.BatchNorm2d, nn.GroupNorm)):
            if m.weight is not None:
                nn.init.ones_(m.weight)
        else:
            continue
        if m.bias is not None:
            nn.init.zeros_(m.bias)
