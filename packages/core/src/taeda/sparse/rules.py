"""All rules: importing this room fills ``tensor.RULES``.

Questions that a loop asks of each tensor are methods of the class besides: without a mode, a call of one is a call of its rule.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from taeda._override import Attending
from taeda.layout import sparse_coo
from taeda.sparse import creation, rules_form, rules_pointwise, rules_products, rules_reduce, rules_shape
from taeda.sparse.places import is_coalesced
from taeda.sparse.tensor import RULES, SparseTensor
from taeda.tensor import Tensor

__all__ = ["rules_form", "rules_pointwise", "rules_products", "rules_reduce", "rules_shape"]

_QUESTIONS = (
    "_nnz", "is_coalesced", "sparse_dim", "dense_dim", "_indices", "_values", "indices", "values", "crow_indices", "col_indices",
    "ccol_indices", "row_indices",
)


def _coalesce(s: Any) -> Any:
    """Return s itself where that is known to be coalesced."""
    return s if s._layout is sparse_coo and is_coalesced(s) else _by_call["coalesce"](s)


def _direct(name: str, function: Callable[..., Any]) -> None:
    """Let a method be a call of the function; a mode is told of Tensor's."""
    kind: Any = Attending
    method = kind(function, name, f"Tensor.{name}", "taeda.tensor", False)
    method.reported = _by_call[name] = getattr(Tensor, name)
    setattr(SparseTensor, name, method)


_by_call: dict[str, Any] = {}
for _name in _QUESTIONS:
    _direct(_name, RULES[_name])
_direct("coalesce", _coalesce)
SparseTensor.new = creation.new_of  # type: ignore[assignment,method-assign]
