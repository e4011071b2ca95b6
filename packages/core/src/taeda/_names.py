"""Names besides their own under which functions take arguments by keyword: NumPy's, as PyTorch does, and its schemas'.

``_override`` looks here once a call has failed for a keyword that the function does not have: any other call pays nothing.
Factors that stand between the tensors, as programs of PyTorch's first years write them, are found the same way.

It also asks here, once per function, which of its parameters are True or False and nothing else.
"""

from __future__ import annotations

from numbers import Number
from typing import Any

from taeda._once import warn_once
from taeda.tensor_base import TensorBase

# What the tensor that a function is about, its first parameter, is called in taeda, and may be called by a caller.
_FIRST = ("input", "A", "B", "L", "b", "x")
_CALLED = ("input", "x", "a", "x1")

_ANY = {"x2": "other", "axis": "dim", "keepdims": "keepdim", "dim": "axis", "keepdim": "keepdims"}
_PIECES = {"indices": "indices_or_sections", "sections": "indices_or_sections", "tensor_indices_or_sections": "indices_or_sections"}
_AXES = {"axis0": "dim0", "axis1": "dim1"}
_TRAIN = {"train": "training"}
_FACTOR = {"input2": "L"}
_REFLECTORS = {"input2": "tau", "input3": "other"}

_OF: dict[str, dict[str, str]] = {
    "split": {"tensor": "input"},
    **dict.fromkeys(("hsplit", "vsplit", "dsplit", "tensor_split"), _PIECES),
    **dict.fromkeys(("swapaxes", "swapaxes_", "transpose", "transpose_"), _AXES),        # one function
    **dict.fromkeys(("alpha_dropout", "alpha_dropout_", "dropout", "dropout_", "feature_alpha_dropout", "feature_alpha_dropout_",
                     "feature_dropout", "feature_dropout_"), _TRAIN),
    "cholesky_solve": _FACTOR,
    "orgqr": _REFLECTORS,
    "ormqr": _REFLECTORS,
    "isin": {"element": "elements", "test_element": "test_elements"},
    "linalg_lstsq": {"b": "B"},
    "linalg_tensorsolve": {"other": "B"},
    "copy_": {"other": "src"},
    "resize_as_": {"the_template": "other"},
    "record_stream": {"s": "stream"},
}

_STRICT = ("norm", "unique", "unique_consecutive")       # PyTorch writes these in Python: they have no other names


def renamed(name: str, parameters: tuple[str, ...], given: int, keywords: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the keywords of a call by the function's own names for them; None if some cannot be, or all are.

    ``given`` parameters have their value by position already.
    """
    if name in _STRICT:
        return None
    own = _OF.get(name, {})
    found = []
    for word in keywords:
        known = word
        if word not in parameters:
            known = own.get(word) or _ANY.get(word, word)
            if known not in parameters and word in _CALLED and parameters and parameters[0] in _FIRST:
                known = parameters[0]
        if known not in parameters[given:]:
            return None
        found.append(known)
    return tuple(found) if len(set(found)) == len(found) and tuple(found) != keywords else None


# -- factors between the tensors: p.add_(-lr, grad), v.addcmul_(1 - beta, grad, grad), taeda.addmm(beta, x, alpha, a, b) ------------

_OLDER: dict[str, tuple[int, tuple[str, ...]]] = {      # how many tensors, and what the numbers are
    **dict.fromkeys(("add", "sub", "subtract"), (2, ("alpha",))),
    **dict.fromkeys(("addcdiv", "addcmul"), (3, ("value",))),
    **dict.fromkeys(("addbmm", "addmm", "addmv", "addr", "baddbmm", "sspaddmm"), (3, ("beta", "alpha"))),
}


def has_older_form(name: str) -> bool:
    """Whether a function, or the method that works in place, was once called with its factors between its tensors."""
    return name.removesuffix("_") in _OLDER


def _is_factor(x: Any) -> bool:
    """Whether x may stand for a number: a tensor of no dimensions may where no gradient flows into it."""
    return isinstance(x, Number) or (isinstance(x, TensorBase) and not x.dim() and not x.requires_grad)


def in_newer_order(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[list[Any], dict[str, Any]] | None:
    """Return the tensors of a call in the older order, and its keywords with the factors among them, warning once; None for another order.

    Tensors may follow by keyword, as in ``p.add_(-lr, other=grad)``.
    """
    count, factors = _OLDER[name.removesuffix("_")]
    named = sum(word != "out" and isinstance(x, TensorBase) for word, x in kwargs.items())
    extra = len(args) + named - count
    if not 1 <= extra <= len(factors) or not (named or isinstance(args[-1], TensorBase) or count == 2):
        return None
    # the factors follow the first tensor; of products a function has the first factor before it
    first = len(factors) == 2 and _is_factor(args[0]) and (not isinstance(args[0], TensorBase) or not _is_factor(args[1]))
    places = ((0, 2) if first else (1, 2))[:extra]
    numbers = [args[i] for i in places if i < len(args)]
    tensors = [x for i, x in enumerate(args) if i not in places]
    if len(numbers) < extra or not all(map(_is_factor, numbers)):
        return None
    if not all(isinstance(x, TensorBase) or (count == 2 and isinstance(x, Number)) for x in tensors):
        return None
    factors = factors[:len(numbers)]
    warn_once("factors", f"This overload of {name} is deprecated: give {' and '.join(factors)} by keyword, after the tensors", 3)
    return tensors, {**kwargs, **dict(zip(factors, numbers, strict=True))}


# -- parameters that are True or False: a number there is a mistake, as in x.sum(0, 1), which means x.sum((0, 1)) ---------------------

# these may be None; the next are flags though their default says nothing of it; of the rest PyTorch takes the truth, whatever they are
_OR_NONE = frozenset(("align_corners", "onesided", "pin_memory", "requires_grad", "return_complex", "stable", "unbiased"))
_OTHERS = frozenset(("align_corners", "keepdims", "onesided", "return_complex", "unbiased"))
_TRUTH = frozenset(("antialias", "assign", "get_infos", "hard", "inplace", "return_indices"))
_TRUTH_OF = {"gaussian_nll_loss": "full", "pca_lowrank": "center", "stft": "center", "triplet_margin_with_distance_loss": "swap"}
_LENIENT = ("fused_", "multi_head_attention_forward")


def flags_of(function: Any) -> tuple[tuple[str, ...], int, int, int]:
    """Return the names of the function's flags, how many of them may not be None (those come first), and bit i for each that may come as
    positional argument i: of all, and of those that may be None.

    >>> from taeda._names import flags_of
    >>> flags_of(lambda x, dim=None, keepdim=False, stable=False, *, right=False, inplace=True: None)
    (('keepdim', 'right', 'stable'), 2, 12, 8)
    """
    code, name = getattr(function, "__code__", None), getattr(function, "__name__", "")
    if code is None or name.startswith(_LENIENT):
        return (), 0, 0, 0
    count = code.co_argcount
    words = code.co_varnames[:count + code.co_kwonlyargcount]
    defaults = dict(zip(reversed(words[:count]), reversed(getattr(function, "__defaults__", None) or ()), strict=False))
    defaults.update(getattr(function, "__kwdefaults__", None) or {})
    found = [word for word in words if word not in _TRUTH and _TRUTH_OF.get(name) != word and (
        isinstance(defaults.get(word), bool) or word in _OTHERS or (word == "upper" and word not in defaults))]
    strict = [word for word in found if word not in _OR_NONE]
    by_position = [word for word in found if word in words[:count]]
    places = (sum(1 << words.index(word) for word in by_position if word not in skipped) for skipped in ((), strict))
    return (*strict, *(word for word in found if word in _OR_NONE)), len(strict), *places
