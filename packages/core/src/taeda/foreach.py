"""PyTorch's ``_foreach_*`` functions, which programs use on lists of parameters: one call, an operation on each tensor.

They are the operations themselves, tensor by tensor; the optimizers' fused steps do not need them.

>>> import taeda
>>> taeda._foreach_add([taeda.ones(1), taeda.ones(2)], 1)
(tensor([2.]), tensor([2., 2.]))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from taeda.ops import METHODS, PUBLIC
from taeda.tensor_base import TensorBase

UNARY = (
    "abs", "acos", "asin", "atan", "ceil", "clone", "cos", "cosh", "erf", "erfc", "exp", "expm1", "floor", "frac", "lgamma", "log",
    "log10", "log1p", "log2", "max", "neg", "reciprocal", "round", "rsqrt", "sigmoid", "sign", "sin", "sinh", "sqrt", "tan", "tanh",
    "trunc", "zero",
)  # fmt: skip
BINARY = ("add", "sub", "mul", "div", "pow", "clamp_max", "clamp_min", "maximum", "minimum", "copy")
TERNARY = ("addcdiv", "addcmul", "lerp")
# by which keywords PyTorch takes an operand: its overloads call it by its kind
OPERANDS = {
    **dict.fromkeys(BINARY, ("other", "scalar", "scalars")), "pow": ("exponent",), "copy": ("src",),
    "lerp": ("tensors1", "weight", "weights"),
}  # fmt: skip
# maximum and minimum take tensors alone, but lists of them numbers too, as clamp_min and clamp_max do
OF_NUMBERS_TOO = {
    "maximum": METHODS["clamp_min"], "maximum_": METHODS["clamp_min_"], "minimum": METHODS["clamp_max"], "minimum_": METHODS["clamp_max_"],
}  # fmt: skip


def _tensors(name: str, tensors: Any) -> list[Any]:
    if isinstance(tensors, TensorBase) or not all(isinstance(t, TensorBase) for t in tensors):
        raise TypeError(f"[{name}] argument 'self' must be a tuple or list of Tensors")
    if not tensors:
        raise RuntimeError(f"[{name}] Tensor list must have at least one tensor.")
    return list(tensors)


def _spread(name: str, n: int, operand: Any) -> list[Any]:
    """Return an operand for each of ``n`` tensors: the items of a list, or one thing for all."""
    if not isinstance(operand, (list, tuple)):
        return [operand] * n
    if len(operand) != n:
        raise RuntimeError(f"[{name}] Tensor lists must have the same number of tensors, got {n} and {len(operand)}")
    return list(operand)


def _made(name: str) -> Callable[..., Any]:
    """Return ``_foreach_<name>``; a name that ends in _ changes the tensors and returns them."""
    step = OF_NUMBERS_TOO.get(name) or METHODS.get(name) or PUBLIC[name]
    title, operand = f"_foreach_{name}", OPERANDS.get(name.rstrip("_"), ())

    def function(self: Any, *operands: Any, **kwargs: Any) -> Any:
        tensors = _tensors(title, self)
        operands += tuple([kwargs.pop(key) for key in operand if key in kwargs])
        names, values = list(kwargs), list(kwargs.values())
        columns = [_spread(title, len(tensors), o) for o in (*operands, *values)]
        k = len(operands)
        rows = zip(tensors, *columns, strict=True)
        results = [step(t, *rest[:k], **dict(zip(names, rest[k:], strict=True))) for t, *rest in rows]
        return tensors if name.endswith("_") else tuple(results)

    function.__name__ = function.__qualname__ = title
    function.__doc__ = f"Call ``{name}`` on each tensor of a list; an operand is one for all, or a list with one for each."
    return function


def _ternary(name: str) -> Callable[..., Any]:
    """Return ``_foreach_addcmul`` and kin, whose last operand is a number, or a list or tensor of numbers."""
    step = _made(name)
    if name.startswith("lerp"):
        return step

    def function(self: Any, tensor1: Any, tensor2: Any, value: Any = 1, *, scalars: Any = None) -> Any:
        value = value if scalars is None else scalars
        if isinstance(value, TensorBase):
            value = value.tolist()
        return step(self, tensor1, tensor2, value=value)

    function.__name__ = function.__qualname__ = f"_foreach_{name}"
    function.__doc__ = f"Call ``{name}`` on each tensor of a list; ``value`` is one number, or one for each."
    return function


def _foreach_norm(self: Any, ord: float = 2, dtype: Any = None) -> tuple[Any, ...]:
    """Return the norm of each tensor of a list, all its elements taken together."""
    return tuple(t.norm(ord, dtype=dtype) for t in _tensors("_foreach_norm", self))


_powers = _made("pow")


def _foreach_pow(self: Any, exponent: Any) -> tuple[Any, ...]:
    """Raise each tensor of a list to a power, or a number to the power of each tensor."""
    if isinstance(self, (bool, int, float, complex)):
        return tuple(PUBLIC["pow"](self, t) for t in _tensors("_foreach_pow", exponent))
    return _powers(self, exponent)


FUNCTIONS: dict[str, Callable[..., Any]] = {"_foreach_norm": _foreach_norm}
for _name in UNARY + BINARY:
    FUNCTIONS.update({f"_foreach_{n}": _made(n) for n in (_name, f"{_name}_") if n in METHODS or n in PUBLIC or n in OF_NUMBERS_TOO})
for _name in TERNARY:
    FUNCTIONS.update({f"_foreach_{n}": _ternary(n) for n in (_name, f"{_name}_")})
FUNCTIONS["_foreach_pow"] = _foreach_pow
