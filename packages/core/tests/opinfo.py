"""The row of an op: samples, reference and what must hold, independent of any framework.

A sample is a ``Call`` whose array leaves are NumPy arrays.  The harness turns each array into a tensor
of the framework under test (taeda, or torch in the parity session); float64 arrays become
differentiable inputs in gradient checks and are cast to each of the row's dtypes in forward checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

FLOATS = ("float32", "float64")
INTS = ("uint8", "int32", "int64")
LOW = ("float16", "bfloat16")
COMPLEX = ("complex64", "complex128")
EVERY = (*LOW, *FLOATS, "uint8", "int8", "int16", "int32", "int64", "bool", *COMPLEX)      # what the parity session goes through

# a dtype's tolerances where the row does not say otherwise; integers are exact
RTOL = {"float16": 4e-3, "bfloat16": 3e-2, "float32": 2e-5, "float64": 1e-10, "complex64": 4e-5, "complex128": 1e-10}
ATOL = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 2e-6, "float64": 1e-12, "complex64": 4e-6, "complex128": 1e-12}
ALL = ("float32", "float64", "uint8", "int32", "int64", "bool")


class Call:
    """One call of an op: positional and keyword arguments, arrays where tensors go."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args = args
        self.kwargs = kwargs
        self.value_dtype: str | None = None          # of the tensors made of float32 arrays, where NumPy has no such dtype

    def __repr__(self) -> str:
        def short(a: Any) -> str:
            return f"array{a.shape}:{a.dtype}" if isinstance(a, np.ndarray) else repr(a)

        parts = [short(a) for a in self.args] + [f"{k}={short(v)}" for k, v in self.kwargs.items()]
        return f"({', '.join(parts)})"


@dataclass(frozen=True)
class Row:
    """What the harness needs to know of one op.

    ``samples(rng)`` yields calls with float64 arrays (or integer and bool arrays where the op wants
    indices and masks).  ``reference`` takes the call's arguments as NumPy and returns the expected
    array(s); None: torch in the parity session is the only judge.
    """

    name: str                                                   # taeda.<name>, else taeda.ops.<name>
    samples: Callable[[np.random.Generator], Iterable[Call]]
    reference: Callable[..., Any] | None = None
    dtypes: tuple[str, ...] = FLOATS                            # forward is checked in each
    grad: bool = True                                           # gradcheck and gradgradcheck
    gradgrad: bool = True
    torch: str | None = ""                                      # dotted name below torch; "": same; None: absent
    method: str | None = None                                   # also Tensor.<method>
    inplace: str | None = None                                  # also Tensor.<inplace>
    out: bool = False                                           # takes out=
    layout: bool = True                                         # the values do not depend on the inputs' layout in memory
    strides: bool = True                                        # results lie in memory as PyTorch's do
    before: Callable[..., tuple[Any, ...]] | None = None        # makes the op's arguments of the sample's where gradients are taken
    after: Callable[..., Any] | None = None                     # what is compared and differentiated: free of signs and the like
    rtol: dict[str, float] = field(default_factory=lambda: {"float32": 2e-5, "float64": 1e-10})
    atol: dict[str, float] = field(default_factory=lambda: {"float32": 2e-6, "float64": 1e-12})
    errors: tuple[tuple[Call, type[BaseException], str], ...] = ()   # call, exception, regex of its text


def array(rng: np.random.Generator, *shape: int, low: float = -2.0, high: float = 2.0) -> np.ndarray:
    """Draw a float64 array uniformly from [low, high)."""
    return rng.uniform(low, high, shape)


def layouts(x: np.ndarray) -> Iterator[np.ndarray]:
    """Yield x as it is, transposed in memory, and as every second element of a larger array."""
    yield x
    if x.ndim >= 2:
        yield np.ascontiguousarray(x.swapaxes(0, -1)).swapaxes(0, -1)
    if x.ndim >= 1:
        big = np.repeat(x, 2, axis=-1)
        yield big[..., ::2]
