"""What the namespace can do, as the standard's inspection functions tell it."""

from __future__ import annotations

from typing import Any

import taeda
from taeda.array_api._promotion import KINDS, isdtype

MAX_DIMENSIONS = 64                     # TAEDA_MAX_DIM of kernels/cpu/abi.h


class Info:
    """The object that ``__array_namespace_info__()`` returns."""

    def capabilities(self) -> dict[str, Any]:
        """Return what the standard leaves open: boolean indexing, data-dependent shapes, the number of dimensions."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": MAX_DIMENSIONS}

    def default_device(self) -> Any:
        """Return the device of new arrays."""
        return taeda.get_default_device()

    def default_dtypes(self, *, device: Any = None) -> dict[str, Any]:
        """Return the dtypes of new arrays, by kind."""
        real = taeda.get_default_dtype()
        return {"real floating": real, "complex floating": real.to_complex(), "integral": taeda.int64, "indexing": taeda.int64}

    def devices(self) -> list[Any]:
        """Return the devices that hold data."""
        return [taeda.device("cpu")]

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, Any]:
        """Return the standard's dtypes by name, all or those of a kind (see :func:`isdtype`)."""
        known = {name: getattr(taeda, name) for name in KINDS["bool"] + KINDS["numeric"]}
        return {name: dtype for name, dtype in known.items() if kind is None or isdtype(dtype, kind)}


def __array_namespace_info__() -> Info:
    """Return what the namespace can do."""
    return Info()
