"""The marks that models carry for a quantisation to come (``taeda.nn.quantized`` has them); there are no quantised tensors."""

from __future__ import annotations

import functools
import sys
import types
from typing import Any, NamedTuple, NoReturn

import taeda

_STUBS = ("DeQuantStub", "QuantStub")


class ObserverBase:
    """What would note the range of the values that pass: there is nothing to choose a scale for."""

    def __new__(cls, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise NotImplementedError."""
        raise NotImplementedError(f"[{cls.__name__}] there are no quantised tensors; leave the model in floating point")

    @classmethod
    def with_args(cls, **kwargs: Any) -> Any:
        """Return what makes one with these arguments."""
        return functools.partial(cls, **kwargs)


class MinMaxObserver(ObserverBase):
    """The least and the largest value."""


class PerChannelMinMaxObserver(ObserverBase):
    """The least and the largest value of each channel."""


class HistogramObserver(ObserverBase):
    """How often values occur."""


class FakeQuantizeBase(ObserverBase):
    """What would round the values that pass, as a quantised tensor does."""


class FakeQuantize(FakeQuantizeBase):
    """Rounding by what an observer saw."""


class QConfig(NamedTuple):
    """What observes a layer's activations and its weight."""

    activation: Any
    weight: Any


def __getattr__(name: str) -> Any:
    if name in _STUBS:
        return getattr(taeda.nn.quantized, name)
    raise AttributeError(f"module 'taeda.ao.quantization' has no attribute {name!r}: there are no quantised tensors", name=name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_STUBS})


__path__: list[str] = []  # a package, so that its rooms can be imported
observer: types.ModuleType = types.ModuleType(f"{__name__}.observer", "What observes values, by PyTorch's path.")
observer.__dict__.update({c.__name__: c for c in (HistogramObserver, MinMaxObserver, ObserverBase, PerChannelMinMaxObserver)})
fake_quantize: types.ModuleType = types.ModuleType(f"{__name__}.fake_quantize", "What rounds values, by PyTorch's path.")
fake_quantize.__dict__.update({c.__name__: c for c in (FakeQuantize, FakeQuantizeBase)})
qconfig: types.ModuleType = types.ModuleType(f"{__name__}.qconfig", "What layers are observed with, by PyTorch's path.")
qconfig.__dict__.update(QConfig=QConfig)
sys.modules.update({room.__name__: room for room in (fake_quantize, observer, qconfig)})
