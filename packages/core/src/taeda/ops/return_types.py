"""Named results of ops that return several tensors: ``taeda.max(x, 0).values``.

Each is a tuple with named fields, unpacks and compares as one, and prints as PyTorch's ``return_types``.  It has no ``_fields``:
what takes named tuples apart would build one of several arguments, and these take a sequence.
The room has no ``__all__``: its names are those of ops, which must not be hidden in ``taeda.ops``.
"""

from __future__ import annotations

import sys
from operator import itemgetter
from typing import Any

from taeda import _spoken


def _repr(self: Any) -> str:
    fields = ",\n".join(f"{name}={value!r}" for name, value in zip(self.__match_args__, self, strict=True))
    return f"{_spoken.name}.return_types.{type(self).__name__}(\n{fields})"


def _reduce(self: Any) -> tuple:
    return type(self), (tuple(self),)


def _define(name: str, *fields: str) -> type:
    """Make a tuple type that is built from one sequence and has these fields."""

    def new(cls: type, values: tuple, dict: Any = None) -> tuple:
        values = tuple(values)
        if len(values) != len(fields):
            raise TypeError(f"[return_types.{name}] takes a sequence of {len(fields)}, got {len(values)}")
        return tuple.__new__(cls, values)

    body: Any = {"__slots__": (), "__new__": new, "__repr__": _repr, "__reduce__": _reduce, "_is_result": True,
                  "__module__": "taeda.return_types", "__match_args__": fields, "n_fields": len(fields),
                  "n_sequence_fields": len(fields), "n_unnamed_fields": 0,
                  "__doc__": f"Result of taeda.{name}: ({', '.join(fields)})."}
    for place, field in enumerate(fields):
        body[field] = property(itemgetter(place))
    return type(name, (tuple,), body)


def republish(room: str) -> None:
    """Let the classes say that they are of another room's ``return_types``: libraries tell results of ops by that name."""
    place = f"{room}.return_types"
    for value in list(globals().values()):
        if getattr(value, "_is_result", False):
            value.__module__ = place
    sys.modules.setdefault(place, sys.modules[__name__])


sys.modules["taeda.return_types"] = sys.modules[__name__]        # where pickles look for the classes

max = _define("max", "values", "indices")
min = _define("min", "values", "indices")
aminmax = _define("aminmax", "min", "max")
cummax = _define("cummax", "values", "indices")
cummin = _define("cummin", "values", "indices")
median = _define("median", "values", "indices")
nanmedian = _define("nanmedian", "values", "indices")
mode = _define("mode", "values", "indices")
kthvalue = _define("kthvalue", "values", "indices")
sort = _define("sort", "values", "indices")
frexp = _define("frexp", "mantissa", "exponent")
histogram = _define("histogram", "hist", "bin_edges")
histogramdd = _define("histogramdd", "hist", "bin_edges")
topk = _define("topk", "values", "indices")
geqrf = _define("geqrf", "a", "tau")
lu_unpack = _define("lu_unpack", "P", "L", "U")
_lu_with_info = _define("_lu_with_info", "LU", "pivots", "info")
qr = _define("qr", "Q", "R")
slogdet = _define("slogdet", "sign", "logabsdet")
svd = _define("svd", "U", "S", "V")
triangular_solve = _define("triangular_solve", "solution", "cloned_coefficient")
linalg_cholesky_ex = _define("linalg_cholesky_ex", "L", "info")
linalg_eig = _define("linalg_eig", "eigenvalues", "eigenvectors")
linalg_eigh = _define("linalg_eigh", "eigenvalues", "eigenvectors")
linalg_inv_ex = _define("linalg_inv_ex", "inverse", "info")
linalg_ldl_factor = _define("linalg_ldl_factor", "LD", "pivots")
linalg_ldl_factor_ex = _define("linalg_ldl_factor_ex", "LD", "pivots", "info")
linalg_lstsq = _define("linalg_lstsq", "solution", "residuals", "rank", "singular_values")
linalg_lu = _define("linalg_lu", "P", "L", "U")
linalg_lu_factor = _define("linalg_lu_factor", "LU", "pivots")
linalg_lu_factor_ex = _define("linalg_lu_factor_ex", "LU", "pivots", "info")
linalg_qr = _define("linalg_qr", "Q", "R")
linalg_slogdet = _define("linalg_slogdet", "sign", "logabsdet")
linalg_solve_ex = _define("linalg_solve_ex", "result", "info")
linalg_svd = _define("linalg_svd", "U", "S", "Vh")
