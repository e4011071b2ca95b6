"""Names besides their own under which functions take arguments by keyword: NumPy's, as PyTorch does, and its schemas'.

``_override`` looks here once a call has failed for a keyword that the function does not have: any other call pays nothing.
"""

from __future__ import annotations

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
