"""What a row of ``rows_nn`` becomes: modules, arguments, results, in taeda or in torch alike.

``lib`` is either framework's top module.  Modules are built under a seed and called under a seed, so that layers
that draw numbers are functions of their inputs too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from rows_nn.row import Function, Layer, Made


def tensor(lib: Any, value: Any, dtype: str, leaves: list[Any] | None = None) -> Any:
    """Make the tensor of an input as a row writes it; floating-point ones join ``leaves`` and require grad."""
    if isinstance(value, Made):
        return value.make(lib)
    if isinstance(value, list):
        return tuple(tensor(lib, v, dtype, leaves) for v in value)
    if not isinstance(value, np.ndarray | np.generic):
        return value
    if not np.issubdtype(value.dtype, np.floating):
        return lib.tensor(np.array(value))
    made = lib.tensor(np.array(value), dtype=getattr(lib, dtype))
    if leaves is not None:
        leaves.append(made.requires_grad_())
    return made


def numbers(value: Any, seed: int = 0) -> Any:
    """Turn an input as a row writes it into arrays."""
    if isinstance(value, list):
        return [numbers(v, seed + i) for i, v in enumerate(value)]
    if isinstance(value, str):
        return np.random.default_rng(seed).integers(0, int(value[1:]), (4, 6))
    if isinstance(value, tuple) and value and isinstance(value[0], str):
        return np.random.default_rng(seed).integers(0, int(value[0][1:]), value[1])
    if isinstance(value, tuple):
        return np.random.default_rng(seed).normal(0, 2, value)
    return value


def build(lib: Any, row: Layer, dtype: str = "float32") -> Any:
    """Build the row's module, its parameters drawn from seed 3."""
    lib.manual_seed(3)
    args = [tensor(lib, a, "float32") for a in row.args]
    kwargs = {k: tensor(lib, v, "float32") for k, v in row.kwargs.items()}
    module = getattr(lib.nn, row.name)(*args, **kwargs)
    return module if dtype == "float32" else module.to(getattr(lib, dtype))


def arguments(
    lib: Any, row: Layer, dtype: str = "float32", seed: int = 0, grad: bool = False
) -> tuple[list[Any], dict[str, Any], list[Any]]:
    """Make the call's arguments, and the list of its differentiable leaves."""
    leaves: list[Any] = []
    arrays = [numbers(v, seed + 10 * i) for i, v in enumerate(row.inputs)]
    args = [tensor(lib, a, dtype, leaves if grad and not (row.targets and i) else None) for i, a in enumerate(arrays)]
    kwargs = {k: tensor(lib, v, dtype) for k, v in row.call.items()}
    return args, kwargs, leaves


def call(lib: Any, row: Layer, module: Any, args: Any, kwargs: dict[str, Any]) -> list[Any]:
    """Call the module under seed 7; return its results as a flat list."""
    lib.manual_seed(7)
    if row.prepare is not None:
        args = row.prepare(lib, *args)
    result = module(*args, **kwargs)
    if row.after is not None:
        result = row.after(lib, result)
    return list(flat(result))


def call_function(lib: Any, row: Function, dtype: str = "float32", grad: bool = True) -> tuple[list[Any], list[Any]]:
    """Call the row's function under seed 5; return its results and its leaves."""
    leaves: list[Any] = []
    arrays = [numbers(v, 10 * i) for i, v in enumerate(row.inputs)]
    args = [tensor(lib, a, dtype, leaves if grad and not (row.targets and i) else None) for i, a in enumerate(arrays)]
    kwargs = {k: tensor(lib, v, dtype) for k, v in row.kwargs.items()}
    lib.manual_seed(5)
    return list(flat(getattr(lib.nn.functional, row.name)(*args, **kwargs))), leaves


def flat(result: Any) -> Iterator[Any]:
    """Yield the tensors of a result in order; other values are passed on as they are."""
    if isinstance(result, tuple | list):
        for r in result:
            yield from flat(r)
    elif isinstance(result, dict):
        for key in result:
            yield from flat(result[key])
    elif result is not None:
        yield result


def differentiable(results: list[Any]) -> list[Any]:
    """Return the results that have a gradient."""
    return [r for r in results if r is not None and hasattr(r, "requires_grad") and r.requires_grad]
