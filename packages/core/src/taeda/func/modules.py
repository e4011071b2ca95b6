"""Modules as functions of their parameters.  A module is anything with ``_parameters``, ``_buffers`` and ``_modules``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import NoneType
from typing import Any

from taeda import ops
from taeda.tensor import Tensor

_NOTHING = object()


def functional_call(
    module: Any, parameter_and_buffer_dicts: Any, args: Any = None, kwargs: dict[str, Any] | None = None, *, tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call a module with other tensors in place of its parameters and buffers, which are put back afterwards.

    Args:
        parameter_and_buffer_dicts: name -> tensor, or several such dicts without a name in common.  In a single dict a buffer
            that the module gives a new tensor is given it too; other names are attributes during the call.
        args: the call's arguments: a tuple, or the only one.
        tie_weights: whether a tensor that the module has under several names is replaced under all of them.
        strict: whether every name must be given, and no other.

    Raises:
        ValueError: no dict is given, a name is in two of them, or tied names get different tensors.
        RuntimeError: strict, and names are missing or not known.
        TypeError: a value, or what has the name in the module, is not a tensor.

    >>> import taeda
    >>> from taeda import nn
    >>> taeda.func.functional_call(nn.Linear(1, 1), {"weight": taeda.ones(1, 1), "bias": taeda.zeros(1)}, taeda.tensor([3.0]))
    tensor([3.])
    """
    _check_module("functional_call", module)
    given = _one_dict(parameter_and_buffer_dicts)
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    with swapped(module, given, tie_weights, strict):
        return module(*args, **(kwargs or {}))


def _check_module(op: str, module: Any) -> None:
    if not hasattr(module, "named_modules"):
        raise TypeError(f"[{op}] expected a module, got {type(module).__name__}")


def _one_dict(dicts: Any) -> dict[str, Any]:
    if isinstance(dicts, dict):
        return dicts
    if not isinstance(dicts, Sequence) or isinstance(dicts, str):
        raise ValueError(f"[functional_call] Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got "
                         f"{type(dicts)}")
    if not all(isinstance(d, dict) for d in dicts):
        raise ValueError("[functional_call] Expected all elements of parameter_and_buffer_dicts to be dictionaries")
    repeated = sorted(name for name, count in Counter(name for d in dicts for name in d).items() if count > 1)
    if repeated:
        raise ValueError(f"[functional_call] {repeated} appeared in multiple dictionaries; behavior of functional call is ambiguous")
    return {name: x for d in dicts for name, x in d.items()}


def _parts(module: Any, prefix: str, above: tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    """A module and those in it under all of their names, but for those that lead back to a module above."""
    yield prefix, module
    for name, part in module._modules.items():
        if part is not None and part is not module and not any(part is m for m in above):
            yield from _parts(part, f"{prefix}.{name}" if prefix else name, (*above, module))


def _slots(module: Any) -> dict[str, tuple[dict[str, Any], str]]:
    """Return where a module keeps each parameter and buffer: name -> (the dict it is in, its name there)."""
    found = {}
    for prefix, part in _parts(module, "", ()):
        for kept in (part._parameters, part._buffers):
            found.update({(f"{prefix}.{name}" if prefix else name): (kept, name) for name, x in kept.items() if x is not None})
    return found


def _place(module: Any, name: str, x: Any) -> tuple[dict[str, Any], str]:
    """Return where a module would look for a name: its parameters, its buffers, or its attributes; a new Parameter becomes one."""
    *path, short = name.split(".")
    owner = module
    for part in path:
        owner = getattr(owner, part)
        _check_module("functional_call", owner)
    if not short:
        raise KeyError(f"[functional_call] a name of a tensor can't be empty, got {name!r}")
    for kept in (owner._parameters, owner._buffers):
        if short in kept:
            return kept, short
    if not isinstance(getattr(owner, short, None), (Tensor, NoneType)):
        raise TypeError(f"[functional_call] attribute {name!r} is no tensor, but {type(getattr(owner, short)).__name__}")
    new = getattr(x, "_is_param", False) and not hasattr(owner, short)
    return owner._parameters if new else vars(owner), short


@contextmanager
def swapped(module: Any, given: dict[str, Any], tie_weights: bool, strict: bool) -> Iterator[None]:
    """Put tensors in place of a module's own for the length of a ``with`` block; see ``functional_call``."""
    slots = _slots(module)
    groups: dict[int, list[str]] = {}
    for name, (kept, short) in slots.items():
        groups.setdefault(id(kept[short]), []).append(name)
    tied = {name: group for group in groups.values() for name in group} if tie_weights else {}
    replaced = dict(given)
    for name in given:
        others = [other for other in tied.get(name, ()) if other != name]
        if any(other in given and given[other] is not given[name] for other in others):
            raise ValueError(f"[functional_call] functional_call got multiple values for keys {sorted([name, *others])}, which are tied. "
                             "Consider using tie_weights=False")
        replaced.update(dict.fromkeys(others, given[name]))
    if strict:
        unknown, missing = sorted(set(replaced) - set(slots)), sorted(set(slots) - set(replaced))
        if unknown or missing:
            lines = [f"Error(s) in reparametrizing for {type(module).__name__}:"]
            lines += [f"Unexpected key(s): {', '.join(map(repr, unknown))}."] if unknown else []
            lines += [f"Missing key(s): {', '.join(map(repr, missing))}."] if missing else []
            raise RuntimeError("[functional_call] " + "\n\t".join(lines))
    for name, x in replaced.items():
        if not isinstance(x, (Tensor, NoneType)):
            raise TypeError(f"[functional_call] expected a Tensor for {name!r}, got {type(x).__name__}")
    places = {name: slots.get(name) or _place(module, name, x) for name, x in replaced.items()}
    before = {name: kept.get(short, _NOTHING) for name, (kept, short) in places.items()}
    try:
        for name, (kept, short) in places.items():
            kept[short] = replaced[name]
        yield
    finally:
        for name, (kept, short) in reversed(places.items()):
            if name in given and short in kept:          # a buffer that the call gave a new tensor is the caller's new state
                given[name] = kept[short]
            if before[name] is _NOTHING:
                kept.pop(short, None)
            else:
                kept[short] = before[name]


def stack_module_state(models: Sequence[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the parameters and the buffers of models of one class, each stacked along a new first dimension.

    Together with ``functional_call`` and ``vmap`` an ensemble then runs as one.  The stacked parameters are new leaves.

    Raises:
        RuntimeError: there is no model, or they differ in class, mode, or in which parameters are trained.

    >>> import taeda
    >>> from taeda import nn
    >>> params, buffers = taeda.func.stack_module_state([nn.Linear(2, 3) for _ in range(5)])
    >>> params["weight"].shape
    taeda.Size([5, 3, 2])
    """
    models = list(models)
    for model in models:
        _check_module("stack_module_state", model)
    if not models:
        raise RuntimeError("[stack_module_state] stack_module_state: Expected at least one model, got 0.")
    if any(m.training != models[0].training for m in models):
        raise RuntimeError("[stack_module_state] stack_module_state: Expected all models to have the same training/eval mode.")
    if any(type(m) is not type(models[0]) for m in models):
        raise RuntimeError("[stack_module_state] stack_module_state: Expected all models to be of the same class.")
    parameters = [dict(m.named_parameters()) for m in models]
    buffers = [dict(m.named_buffers()) for m in models]
    return ({name: _stacked(name, [p[name] for p in parameters]) for name in parameters[0]},
            {name: _stacked(name, [b[name] for b in buffers]) for name in buffers[0]})


def _stacked(name: str, tensors: list[Any]) -> Any:
    wanted = {t.requires_grad for t in tensors}
    if len(wanted) > 1:
        raise RuntimeError(f"[stack_module_state] Expected {name} from each model to have the same .requires_grad")
    made = ops.stack([t.detach() for t in tensors])
    return made.requires_grad_() if wanted == {True} else made


def replace_all_batch_norm_modules_(root: Any) -> Any:
    """Make the batch norms of a module keep no running statistics, in place, so that vmap can run them in training; return it.

    >>> import taeda
    >>> from taeda import nn
    >>> model = taeda.func.replace_all_batch_norm_modules_(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)))
    >>> model[1].running_mean is None, model[1].track_running_stats
    (True, False)
    """
    _check_module("replace_all_batch_norm_modules_", root)
    for module in root.modules():
        if any(c.__name__ == "_BatchNorm" or c.__name__.startswith("BatchNorm") for c in type(module).__mro__):
            module.running_mean = module.running_var = module.num_batches_tracked = None
            module.track_running_stats = False
    return root
