"""Arguments that may be one number or one per dimension."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any


def ntuple(value: Any, n: int) -> tuple[Any, ...]:
    """Return an iterable as a tuple, and anything else n times.

    >>> from taeda.nn.modules.utils import ntuple
    >>> ntuple(3, 2), ntuple([1, 2], 2)
    ((3, 3), (1, 2))
    """
    if isinstance(value, Iterable) and not isinstance(value, str):
        return tuple(value)
    return (value,) * n


def _ntuple(n: int, name: str = "parse") -> Callable[[Any], tuple[Any, ...]]:
    def parse(x: Any) -> tuple[Any, ...]:
        return ntuple(x, n)

    parse.__name__ = name
    return parse


# The names by which users' own layers import them from PyTorch.
_single = _ntuple(1, "_single")
_pair = _ntuple(2, "_pair")
_triple = _ntuple(3, "_triple")
_quadruple = _ntuple(4, "_quadruple")


def _reverse_repeat_tuple(values: Sequence[Any], n: int) -> tuple[Any, ...]:
    """Return each value n times, the last one first: what ``F.pad`` takes for paddings of both ends.

    >>> from taeda.nn.modules.utils import _reverse_repeat_tuple
    >>> _reverse_repeat_tuple((1, 2), 2)
    (2, 2, 1, 1)
    """
    return tuple(value for value in reversed(values) for _ in range(n))


def _list_with_default(out_size: Any, defaults: Sequence[int]) -> Any:
    """Return sizes in which None stands for the last of ``defaults``.

    >>> from taeda.nn.modules.utils import _list_with_default
    >>> _list_with_default((None, 7), (3, 4, 5))
    [4, 7]
    """
    if isinstance(out_size, int):
        return out_size
    if len(defaults) <= len(out_size):
        raise ValueError(f"[_list_with_default] Input dimension should be at least {len(out_size) + 1}, got {len(defaults)} sizes")
    last = defaults[-len(out_size) :]
    return [last[i] if size is None else size for i, size in enumerate(out_size)]


def consume_prefix_in_state_dict_if_present(state_dict: dict[str, Any], prefix: str) -> None:
    """Take a prefix, such as "module." of a model in ``DataParallel``, off the keys and their metadata, in place.

    >>> from taeda.nn.modules.utils import consume_prefix_in_state_dict_if_present
    >>> state = {"module.weight": 1}
    >>> consume_prefix_in_state_dict_if_present(state, "module.")
    >>> state
    {'weight': 1}
    """
    for key in [key for key in state_dict if key.startswith(prefix)]:
        state_dict[key[len(prefix) :]] = state_dict.pop(key)
    metadata = getattr(state_dict, "_metadata", None) or {}
    for key in [key for key in metadata if key]:
        # modules are named without a dot at the end, the wrapped model itself as the prefix without its dot
        if key == prefix.rstrip(".") or key.startswith(prefix):
            metadata[key[len(prefix) :]] = metadata.pop(key)


def factory_kwargs(kwargs: dict[str, Any] | None) -> dict[str, Any]:
    """Return the device, dtype and memory format among a layer's options, also those inside of ``factory_kwargs``.

    TypeError for any other option, or one that is given twice.

    >>> from taeda.nn import factory_kwargs
    >>> factory_kwargs({"factory_kwargs": {"dtype": "float32"}, "device": "cpu"})
    {'device': 'cpu', 'dtype': 'float32'}
    """
    if kwargs is None:
        return {}
    known = ("device", "dtype", "memory_format")
    expected = {*known, "factory_kwargs"}
    if not expected.issuperset(kwargs):
        raise TypeError(f"[factory_kwargs] unexpected kwargs {kwargs.keys() - expected}")
    given = dict(kwargs.get("factory_kwargs", {}))
    for name in known:
        if name in kwargs:
            if name in given:
                raise TypeError(f"[factory_kwargs] {name} specified twice, in **kwargs and in factory_kwargs")
            given[name] = kwargs[name]
    return {name: given[name] for name in known if name in given} | given
