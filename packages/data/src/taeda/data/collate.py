"""Collation: many samples into one batch, whatever their nesting.

`default_collate_fn_map` may be extended for a program's own types; `collate` with another map goes
further. NumPy's types are recognised without importing NumPy: a program without arrays does not pay for it.
"""

from __future__ import annotations

import copy
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import taeda
from taeda.data.dataset import Rows

__all__ = ["collate", "default_collate", "default_collate_fn_map", "default_convert"]

CollateMap = dict[Any, Callable[..., Any]]
_TEXT_OR_OBJECT = re.compile(r"[SaUO]")


class _BadBatch(Exception):
    """What cannot be collated and why; every level of nesting adds where it happened."""

    def __init__(self, kind: type[Exception], message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.where: list[Any] = []

    def as_error(self) -> Exception:
        if self.where:
            self.message += f"; in sample{''.join(f'[{key!r}]' for key in reversed(self.where))}"
        return self.kind(f"[default_collate] {self.message}")


def _at(key: Any, samples: Any, fn_map: CollateMap | None) -> Any:
    """Collate one field of the samples; a failure learns the field's name."""
    try:
        return _collate(samples, fn_map)
    except _BadBatch as bad:
        bad.where.append(key)
        raise


def _stack(batch: Sequence[Any], *, collate_fn_map: CollateMap | None = None) -> taeda.Tensor:
    """Stack tensors of one shape along a new first dimension: n tensors of shape S give n x S."""
    if isinstance(batch, taeda.Tensor):
        raise TypeError(
            f"[default_collate] stack(): argument 'tensors' must be tuple of Tensors, not Tensor: got a tensor of shape "
            f"{tuple(batch.shape)}, which is a batch already"
        )
    if batch[0].layout is not taeda.strided:
        raise RuntimeError(
            f"[default_collate] Batches of sparse tensors are not currently supported by the default collate_fn; got layout "
            f"{batch[0].layout}: give collate_fn=, or make them dense with .to_dense()"
        )
    try:
        return taeda.stack(tuple(batch), 0)
    except (RuntimeError, TypeError, ValueError):
        first = batch[0]
        for i, x in enumerate(batch):
            if not isinstance(x, taeda.Tensor):
                raise _BadBatch(
                    TypeError, f"expected Tensor as element {i} of the batch, but got {type(x).__name__}"
                ) from None
            if x.shape != first.shape:
                raise _BadBatch(
                    RuntimeError,
                    f"stack expects each tensor to be equal size, but got {list(first.shape)} at entry 0 and "
                    f"{list(x.shape)} at entry {i}; pass a collate_fn that pads or crops them",
                ) from None
        raise


def _as_batch(batch: Sequence[Any], *, collate_fn_map: CollateMap | None = None) -> Sequence[Any]:
    return batch


def _floats(batch: Sequence[Any], *, collate_fn_map: CollateMap | None = None) -> taeda.Tensor:
    try:
        return taeda.tensor(list(batch), dtype=taeda.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise _mixed(batch, float, error) from None


def _ints(batch: Sequence[Any], *, collate_fn_map: CollateMap | None = None) -> taeda.Tensor:
    try:
        return taeda.tensor(list(batch))
    except (TypeError, ValueError, RuntimeError) as error:
        raise _mixed(batch, int, error) from None


def _mixed(batch: Sequence[Any], kind: type, error: Exception) -> Exception:
    for i, x in enumerate(batch):
        if not isinstance(x, (int, float)):
            return _BadBatch(
                TypeError, f"expected {kind.__name__} as element {i} of the batch, but got {type(x).__name__}"
            )
    return error


def _arrays(batch: Sequence[Any], *, collate_fn_map: CollateMap | None = None) -> Any:
    if _TEXT_OR_OBJECT.search(batch[0].dtype.str) is not None:
        raise _unknown(batch[0].dtype)
    return _collate([taeda.as_tensor(x) for x in batch], collate_fn_map)


def _numpy_scalars(batch: Sequence[Any], *, collate_fn_map: CollateMap | None = None) -> taeda.Tensor:
    return taeda.from_numpy(sys.modules["numpy"].asarray(batch))


def _unknown(what: Any) -> _BadBatch:
    """Say of a sample's type that nothing is known of it, and what may help."""
    if what is type(None):
        cure = "does __getitem__ return its sample?"
    elif getattr(what, "__module__", "").startswith("PIL."):
        cure = "a transform such as ToTensor makes an image a tensor"
    else:
        cure = "pass a collate_fn that knows it"
    return _BadBatch(
        TypeError, f"batch must contain tensors, numpy arrays, numbers, dicts or lists; found {what}; {cure}"
    )


default_collate_fn_map: CollateMap = {
    taeda.Tensor: _stack,
    float: _floats,
    int: _ints,
    str: _as_batch,
    bytes: _as_batch,
}


def _function_for(elem: Any, fn_map: CollateMap) -> Callable[..., Any] | None:
    """Find the function for a sample: for its very type, then for NumPy's, then base classes in map order."""
    found = fn_map.get(type(elem))
    if found is not None:
        return found
    # A map without our own entries is somebody's whole answer; NumPy's types belong to ours.
    numpy = sys.modules.get("numpy") if fn_map.get(float) is _floats else None
    if numpy is not None:
        if isinstance(elem, numpy.ndarray):
            return _arrays
        if isinstance(elem, (numpy.bool_, numpy.number, numpy.object_)):
            return _numpy_scalars
    for kind, function in fn_map.items():
        if isinstance(elem, kind):
            return function
    return None


def _mapping_like(example: Any, fields: dict[Any, Any]) -> Any:
    """Return the fields as a mapping of the example's class, a dict where that cannot be made; a copy keeps what else it carries."""
    try:
        if isinstance(example, MutableMapping):
            made = copy.copy(example)
            made.update(fields)
            return made
        return type(example)(fields)
    except TypeError:
        return fields


def _sequence_like(example: Any, parts: list[Any]) -> Any:
    """Return the parts as a sequence of the example's class, a list where that cannot be made."""
    try:
        if isinstance(example, MutableSequence):
            made = copy.copy(example)
            for i, part in enumerate(parts):
                made[i] = part
            return made
        return type(example)(parts)
    except TypeError:
        return parts


def _collate(batch: Any, fn_map: CollateMap | None) -> Any:
    if type(batch) is Rows and fn_map is default_collate_fn_map:
        return list(batch.columns)
    elem = batch[0]
    kind: Any = type(elem)
    if fn_map is not None:
        function = _function_for(elem, fn_map)
        if function is not None:
            return function(batch, collate_fn_map=fn_map)
    if isinstance(elem, Mapping):
        fields = {key: _at(key, _field(batch, key), fn_map) for key in elem}
        return _mapping_like(elem, fields)
    if isinstance(elem, Sequence):
        size = len(elem)
        for i, sample in enumerate(batch):
            if not isinstance(sample, Sequence):
                raise _BadBatch(
                    TypeError,
                    f"each element of the batch should be a sequence like the first, a {kind.__name__}, "
                    f"but got {type(sample).__name__} at entry {i}",
                )
            if len(sample) != size:
                raise _BadBatch(
                    RuntimeError,
                    "each element in list of batch should be of equal size, "
                    f"but got {size} at entry 0 and {len(sample)} at entry {i}; pass a collate_fn that pads or crops them",
                )
        columns = list(zip(*batch, strict=True))
        if isinstance(elem, tuple) and hasattr(elem, "_fields"):
            names = elem._fields
            return kind(*(_at(name, column, fn_map) for name, column in zip(names, columns, strict=True)))
        parts = [_at(i, column, fn_map) for i, column in enumerate(columns)]
        if isinstance(elem, tuple) or kind is list:
            return parts
        return _sequence_like(elem, parts)
    raise _unknown(kind)


def _field(batch: Sequence[Any], key: Any) -> list[Any]:
    try:
        return [sample[key] for sample in batch]
    except KeyError:
        i = next(i for i, sample in enumerate(batch) if key not in sample)
        raise _BadBatch(
            KeyError, f"every sample should have the keys of the first, but {key!r} is missing at entry {i}"
        ) from None


def collate(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    """Collate a batch by the functions of `collate_fn_map`, taking mappings and sequences apart.

    Args:
        batch: a non-empty sequence of samples.
        collate_fn_map: from a type (or tuple of types) to a function
            ``f(samples, *, collate_fn_map)``. Subclasses are found in the order of the map.

    Raises:
        TypeError: a sample's type is in no way known.
        RuntimeError: shapes or lengths of the samples differ.
        IndexError: the batch is empty.
    """
    if len(batch) == 0:
        raise IndexError("[default_collate] the batch is empty, there is nothing to collate")
    try:
        return _collate(batch, collate_fn_map)
    except _BadBatch as bad:
        error = bad.as_error()
    raise error


def default_collate(batch: Any) -> Any:
    """Put a list of samples into tensors with a new first dimension.

    Tensors, NumPy arrays and numbers are stacked (floats as float64); strings and bytes stay a list;
    mappings, named tuples, tuples and lists are collated field by field (a tuple gives a list).

    Raises:
        TypeError: a sample is none of these.
        RuntimeError: shapes or lengths differ; the message names the first two that do and where.

    >>> from taeda.data import default_collate
    >>> default_collate([{"x": 1, "y": (2, "a")}, {"x": 3, "y": (4, "b")}])
    {'x': tensor([1, 3]), 'y': [tensor([2, 4]), ('a', 'b')]}
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)


def default_convert(data: Any) -> Any:
    """Turn the NumPy arrays inside `data` into tensors and leave all else as it is.

    >>> from taeda.data import default_convert
    >>> default_convert([1, "a"])
    [1, 'a']
    """
    kind: Any = type(data)
    if isinstance(data, (taeda.Tensor, str, bytes)):
        return data
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(data, (numpy.ndarray, numpy.generic)):
        has_numbers = isinstance(data, numpy.generic) or _TEXT_OR_OBJECT.search(data.dtype.str) is None
        return taeda.as_tensor(data) if has_numbers else data
    if isinstance(data, Mapping):
        fields = {key: default_convert(value) for key, value in data.items()}
        return _mapping_like(data, fields)
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return kind(*(default_convert(value) for value in data))
    if isinstance(data, tuple):
        return [default_convert(value) for value in data]
    if isinstance(data, Sequence):
        parts = [default_convert(value) for value in data]
        return _sequence_like(data, parts)
    return data
