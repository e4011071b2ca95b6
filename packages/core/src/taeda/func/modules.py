"""Modules as functions of their parameters.  A module is anything with ``_parameters``, ``_buffers`` and ``_modules``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from taeda import ops


def functional_call(
    module: Any, parameter_and_buffer_dicts: Any, args: Any = None, kwargs: dict[str, Any] | None = None, *, tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call a module with other tensors in place of its parameters and buffers, which are put back afterwards.

    Args:
        parameter_and_buffer_dicts: name -> tensor, or several such dicts without a name in common.
        args: the call's arguments: a tuple, or the only one.
        tie_weights: whether a tensor that the module has under several names is replaced under all of them.
        strict: whether every name must be given, and no other.

    Raises:
        ValueError: no dict is given, a name is in two of them, or tied names get different tensors.
        RuntimeError: strict, and names are missing or not known.

    >>> import taeda
    >>> from taeda import nn
    >>> taeda.func.functional_call(nn.Linear(1, 1), {"weight": taeda.ones(1, 1), "bias": taeda.zeros(1)}, taeda.tensor([3.0]))
    tensor([3.], grad_fn=<ViewBackward0>)
    """
    given = _one_dict(parameter_and_buffer_dicts)
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    with _swapped(module, given, tie_weights, strict):
        return module(*args, **(kwargs or {}))


def _one_dict(dicts: Any) -> dict[str, Any]:
    if isinstance(dicts, dict):
        return dicts
    if not isinstance(dicts, Sequence) or isinstance(dicts, str):
        raise ValueError(f"[functional_call] Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got "
                         f"{type(dicts)}")
    if not all(isinstance(d, dict) for d in dicts):
        raise ValueError("[functional_call] Expected all elements of parameter_and_buffer_dicts to be dictionaries")
    names = [name for d in dicts for name in d]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"[functional_call] {repeated} appeared in multiple dictionaries; behavior of functional call is ambiguous")
    return {name: x for d in dicts for name, x in d.items()}


def _slots(module: Any) -> dict[str, tuple[dict[str, Any], str]]:
    """Return where a module keeps each parameter and buffer: name -> (the dict it is in, its name there)."""
    found = {}
    for prefix, part in module.named_modules(remove_duplicate=False):
        for kept in (part._parameters, part._buffers):
            found.update({(f"{prefix}.{name}" if prefix else name): (kept, name) for name, x in kept.items() if x is not None})
    return found


@contextmanager
def _swapped(module: Any, given: dict[str, Any], tie_weights: bool, strict: bool) -> Iterator[None]:
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
    swaps = [(*slots[name], x) for name, x in replaced.items() if name in slots]
    before = [kept[short] for kept, short, _ in swaps]
    try:
        for kept, short, x in swaps:
            kept[short] = x
        yield
    finally:
        for (kept, short, _), x in zip(reversed(swaps), reversed(before), strict=True):
            kept[short] = x


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
    """Make the batch norms of a module keep no running statistics, in place, so that vmap can run them in training."""
    if not hasattr(root, "modules"):
        raise TypeError(f"[replace_all_batch_norm_modules_] argument 'root' must be a Module, not {type(root).__name__}")
    for module in root.modules():
        if any(c.__name__ == "_BatchNorm" or c.__name__.startswith("BatchNorm") for c in type(module).__mro__):
            module.running_mean = module.running_var = module.num_batches_tracked = None
            module.track_running_stats = False
    return root
