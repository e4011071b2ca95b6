"""Named results of ops that return several tensors: ``taeda.max(x, 0).values``.

Each is a tuple with named fields, unpacks and compares as one, and prints as PyTorch's ``return_types``.
"""

from __future__ import annotations

from operator import itemgetter
from typing import Any

__all__: list[str] = []


def _repr(self: Any) -> str:
    fields = ",\n".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
    return f"taeda.return_types.{type(self).__name__}(\n{fields})"


def _reduce(self: Any) -> tuple:
    return type(self), (tuple(self),)


def _define(name: str, *fields: str) -> type:
    """Make a tuple type that is built from one sequence and has these fields."""

    def new(cls: type, values: tuple) -> tuple:
        values = tuple(values)
        if len(values) != len(fields):
            raise TypeError(f"[return_types.{name}] takes a sequence of {len(fields)}, got {len(values)}")
        return tuple.__new__(cls, values)

    body: dict = {"__slots__": (), "__new__": new, "__repr__": _repr, "__reduce__": _reduce, "_fields": fields,
                  "__module__": __name__, "__match_args__": fields, "n_fields": len(fields),
                  "n_sequence_fields": len(fields), "n_unnamed_fields": 0,
                  "__doc__": f"Result of taeda.{name}: ({', '.join(fields)})."}
    for place, field in enumerate(fields):
        body[field] = property(itemgetter(place))
    __all__.append(name)
    return type(name, (tuple,), body)


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
