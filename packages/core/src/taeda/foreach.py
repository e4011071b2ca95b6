"""PyTorch's ``_foreach_*`` functions, which programs use on lists of parameters: one call, an operation on each tensor.

They are the operations themselves, tensor by tensor; the optimizers' fused steps do not need them.  Which form of arguments a call has is
found out once for each row of kinds (``_kind``): of short lists of small tensors it would take longer than the operations.

>>> import taeda
>>> taeda._foreach_add([taeda.ones(1), taeda.ones(2)], 1)
(tensor([2.]), tensor([2., 2.]))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import repeat
from typing import Any

from taeda.ops import METHODS, PUBLIC
from taeda.tensor_base import TensorBase

UNARY = (
    "abs", "acos", "asin", "atan", "ceil", "cos", "cosh", "erf", "erfc", "exp", "expm1", "floor", "frac", "lgamma", "log",
    "log10", "log1p", "log2", "max", "neg", "reciprocal", "round", "rsqrt", "sigmoid", "sign", "sin", "sinh", "sqrt", "tan", "tanh",
    "trunc", "zero",
)  # fmt: skip
# maximum and minimum take tensors alone, but lists of them numbers too, as clamp_min and clamp_max do
OF_NUMBERS_TOO = {
    "maximum": METHODS["clamp_min"], "maximum_": METHODS["clamp_min_"], "minimum": METHODS["clamp_max"], "minimum_": METHODS["clamp_max_"],
}  # fmt: skip

# The forms in which an operation takes its arguments after the list: a word for each, "kind name", with a default "kind name=value" where
# it may be left out, and a * before those that are told by name.  Kinds: L list of tensors, N list of numbers, S number, T tensor without
# dimensions, V tensor of numbers, A anything.
ROWS = ("S scalar", "L other", "N scalars")
SUMS = ("T other *S alpha=1", "S scalar", "L other *S alpha=1", "N scalars")
PRODUCTS = ("T other", *ROWS)
POWERS = ("L exponent", "S exponent", "N exponent")
TERNARY = tuple(f"L tensor1 L tensor2 {last}" for last in ("V scalars", "S value=1", "N scalars"))
FORMS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(UNARY, ("",)), "clone": ("*A memory_format=None",), "add": SUMS, "sub": SUMS[1:], "mul": PRODUCTS, "div": PRODUCTS,
    **dict.fromkeys(("clamp_max", "clamp_min", "maximum", "minimum"), ROWS), "pow": POWERS, "copy": ("L src A non_blocking=False",),
    "addcdiv": TERNARY, "addcmul": TERNARY, "lerp": tuple(f"L tensors1 {last}" for last in ("L weights", "S weight", "N weight")),
    "norm": ("S ord=2 A dtype=None",), "powsum": ("S ord=2 A dtype=None",), "mm": ("L mat2",),
}  # fmt: skip


def _is_number(x: Any) -> bool:
    if isinstance(x, TensorBase):
        return x.ndim == 0 and not x.requires_grad
    return isinstance(x, (bool, int, float, complex)) or hasattr(x, "__index__") or (hasattr(x, "__float__") and not hasattr(x, "__len__"))


def _is_list(x: Any, of: Callable[[Any], bool]) -> bool:
    return isinstance(x, (list, tuple)) and all(map(of, x))


def _is_tensor(x: Any) -> bool:
    return isinstance(x, TensorBase)


FITS: dict[str, Callable[[Any], bool]] = {
    "L": lambda x: _is_list(x, _is_tensor), "N": lambda x: _is_list(x, _is_number), "S": _is_number, "T": _is_tensor, "V": _is_tensor,
    "A": lambda x: True,
}  # fmt: skip


class Form:
    """One form of arguments."""

    def __init__(self, text: str) -> None:
        words = text.split()
        self.text = ", ".join(f"{kind} {name}" for kind, name in zip(words[::2], words[1::2], strict=True))
        self.kinds = {word.partition("=")[0]: kind[-1] for kind, word in zip(words[::2], words[1::2], strict=True)}
        self.needed = {word for word in words[1::2] if "=" not in word}
        self.positional = [name for name, kind in zip(self.kinds, words[::2], strict=True) if kind[0] != "*"]

    def fits(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Return whether these are arguments of this form."""
        if len(args) > len(self.positional) or not kwargs.keys() <= set(self.kinds) - set(self.positional[: len(args)]):
            return False
        given = {**dict(zip(self.positional, args, strict=False)), **kwargs}
        return self.needed <= given.keys() and all(FITS[self.kinds[name]](value) for name, value in given.items())

    def plan(self, count: int, names: Sequence[str]) -> list[tuple[str, str, int]]:
        """Return (name, kind, place) of each argument, where ``count`` come by position and the others by these names after them."""
        places = {name: i for i, name in enumerate((*self.positional[:count], *names))}
        return [(name, kind, places[name]) for name, kind in self.kinds.items() if name in places]


NUMBERS = {bool, int, float, complex}


_met: set[type] = set()         # classes of tensors that lists held: to ask each element's class takes longer than small operations


def _are_tensors(x: Sequence[Any]) -> bool:
    if _met.issuperset(map(type, x)):
        return True
    kinds = set(map(type, x))
    if not all(issubclass(kind, TensorBase) for kind in kinds):
        return False
    _met.update(kinds)
    return True


def _kind(x: Any) -> str:
    """Return what decides which forms an argument fits: of a tensor, whether it is a number; nothing where more than types decides."""
    kind = type(x)
    if kind in NUMBERS:
        return "S"
    if kind is list or kind is tuple:
        return "" if not x else "L" if _are_tensors(x) else "N" if NUMBERS.issuperset(map(type, x)) else ""
    return ("T" if _is_number(x) else "V") if isinstance(x, TensorBase) else ""


def _tensors(name: str, tensors: Any) -> Any:
    if not isinstance(tensors, (list, tuple)) or not _are_tensors(tensors):
        raise TypeError(f"[{name}] argument 'self' must be a tuple or list of Tensors")
    if not tensors:
        raise RuntimeError(f"[{name}] Tensor list must have at least one tensor.")
    return tensors


def _items(name: str, n: int, kind: str, value: Any) -> Sequence[Any] | None:
    """Return an argument for each of ``n`` tensors; None where there is one for all."""
    if kind == "T" and value.ndim:
        raise RuntimeError(f"[{name}] scalar tensor expected to be 0 dim but it has {value.ndim} dimensions; a list has one for each")
    if kind == "V":
        if value.ndim != 1:
            raise RuntimeError(f"[{name}] expected packed scalar Tensor to be of dimension 1, got {value.ndim} dimensions")
        value, kind = value.tolist(), "N"
    if kind == "T":
        return None
    if len(value) != n:
        others = "tensors" if kind == "L" else "numbers"
        raise RuntimeError(f"[{name}] Tensor lists must have the same number of tensors, got {n} and {len(value)} {others}")
    items: Sequence[Any] = value
    return items


def _made(name: str, forms: tuple[str, ...], step: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``_foreach_<name>``; a name that ends in _ changes the tensors and returns their list."""
    title, known = f"_foreach_{name}", [Form(text) for text in forms]
    by_name = {name: name for name in ("alpha", "value", "memory_format")}
    if name.startswith("addc"):
        by_name["scalars"] = "value"
    in_place = name.endswith("_")
    plans: dict[tuple[Any, ...], list[tuple[str | None, str, int]]] = {}

    def plan_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[tuple[str | None, str, int]]:
        form = next((form for form in known if form.fits(args, kwargs)), None)
        if form is None:
            got = ", ".join([type(a).__name__ for a in args] + [f"{k}={type(v).__name__}" for k, v in kwargs.items()])
            expected = " ".join(f"({form.text})" for form in known)
            raise TypeError(f"[{title}] received an invalid combination of arguments after the list of tensors: got ({got}); "
                            f"expected one of {expected}")
        return [(by_name.get(word), kind, place) for word, kind, place in form.plan(len(args), list(kwargs))]

    alone = "" in forms                     # the list may be all that is given

    def function(self: Any, *args: Any, **kwargs: Any) -> Any:
        if alone and not args and not kwargs:
            results = tuple(map(step, _tensors(title, self)))
            return self if in_place else results
        given = (*args, *kwargs.values()) if kwargs else args
        kinds = tuple(map(_kind, given))
        key = (kinds, *kwargs) if kwargs else kinds
        plan = plans.get(key)
        if plan is None:
            plan = plan_of(args, kwargs)
            if "" not in kinds and all(kind != "N" or kinds[place] == "N" for _, kind, place in plan):  # tensors may be numbers, or not
                plans[key] = plan
        tensors = _tensors(title, self)
        columns: list[Any] = [tensors]
        step_here, apart = step, None       # with what is one for all; what each call is given by name
        for word, kind, place in plan:
            value = given[place]
            if kind == "L" and len(value) == len(tensors):
                items: Sequence[Any] | None = value
            else:
                items = None if kind in "SA" else _items(title, len(tensors), kind, value)
            if word is None:
                columns.append(repeat(value) if items is None else items)
            elif items is None:
                step_here = partial(step_here, **{word: value})
            else:
                apart = word, items
        if apart is None:
            results = tuple(map(step_here, *columns))
        else:
            word, items = apart
            results = tuple([step_here(*row, **{word: item}) for *row, item in zip(*columns, items, strict=False)])
        return self if in_place else results

    function.__name__ = function.__qualname__ = title
    function.__doc__ = f"Call ``{name}`` on each tensor of a list; an argument is one for all, or a list with one for each."
    return function


def _norm(t: Any, ord: Any = 2, dtype: Any = None) -> Any:
    return t.norm(ord, dtype=dtype)


def _power_sum(t: Any, ord: Any = 2, dtype: Any = None) -> Any:
    return t.abs().pow(ord).sum(dtype=dtype)


STEPS = {**OF_NUMBERS_TOO, "norm": _norm, "powsum": _power_sum}


def _step(name: str) -> Callable[..., Any] | None:
    return STEPS.get(name) or METHODS.get(name) or PUBLIC.get(name)


FUNCTIONS: dict[str, Callable[..., Any]] = {}
for _name, _forms in FORMS.items():
    for _full in (_name, f"{_name}_"):
        _found = None if _full in ("copy", "max_", "norm_", "clone_", "mm_") else _step(_full)
        if _found is not None:
            FUNCTIONS[f"_foreach_{_full}"] = _made(_full, _forms, _found)
_powers = FUNCTIONS["_foreach_pow"]


def _foreach_pow(self: Any, exponent: Any) -> tuple[Any, ...]:
    """Raise each tensor of a list to a power, or a number to the power of each tensor."""
    if isinstance(self, (bool, int, float, complex)):
        return tuple(PUBLIC["pow"](self, t) for t in _tensors("_foreach_pow", exponent))
    result: tuple[Any, ...] = _powers(self, exponent)
    return result


FUNCTIONS["_foreach_pow"] = _foreach_pow
