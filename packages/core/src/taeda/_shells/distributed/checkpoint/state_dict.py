"""States whose names are those of the bare model, however it is wrapped, and of optimizers by the names of their parameters."""

from __future__ import annotations

import dataclasses
from typing import Any

__all__ = [
    "StateDictOptions", "get_model_state_dict", "get_optimizer_state_dict", "get_state_dict", "set_model_state_dict",
    "set_optimizer_state_dict", "set_state_dict",
]  # fmt: skip


@dataclasses.dataclass
class StateDictOptions:
    """What a state holds and how it is loaded; what concerns processes changes nothing."""

    full_state_dict: bool = False
    cpu_offload: bool = False
    ignore_frozen_params: bool = False
    keep_submodule_prefixes: bool = True
    strict: bool = True
    broadcast_from_rank0: bool = False
    flatten_optimizer_state_dict: bool = False
    dsd_fqn_modifiers: str = "_fqn_modifiers"


def _bare(name: str) -> str:
    return ".".join(part for part in name.split(".") if part not in ("_orig_mod", "_checkpoint_wrapped_module"))


def _names(model: Any) -> dict[str, str]:
    """The model's own names of its state by bare ones."""
    return {_bare(name): name for name in model.state_dict()}


def get_model_state_dict(model: Any, *, submodules: Any = None, options: StateDictOptions | None = None) -> dict[str, Any]:
    """Return the model's state by names without those of wrappers (``_orig_mod``).

    With ``ignore_frozen_params`` parameters that do not require grad are left out.
    """
    options = options or StateDictOptions()
    frozen = {_bare(n) for n, p in model.named_parameters() if not p.requires_grad} if options.ignore_frozen_params else set()
    found = {_bare(name): value for name, value in model.state_dict().items()}
    return {name: value for name, value in found.items() if name not in frozen}


def set_model_state_dict(model: Any, model_state_dict: dict[str, Any], *, options: StateDictOptions | None = None) -> Any:
    """Load what :func:`get_model_state_dict` gave, and return the names that are missing and that are unknown.

    RuntimeError where there are such and ``options.strict`` says that there must not be.
    """
    options = options or StateDictOptions()
    names = _names(model)
    return model.load_state_dict({names.get(name, name): value for name, value in model_state_dict.items()}, strict=options.strict)


def _of_parameters(model: Any) -> dict[int, str]:
    return {id(p): _bare(name) for name, p in model.named_parameters()}


def get_optimizer_state_dict(model: Any, optimizers: Any, *, submodules: Any = None,
                             options: StateDictOptions | None = None) -> dict[str, Any]:  # fmt: skip
    """Return the state of an optimizer, or of several that share the model's parameters, by the parameters' names.

    NotImplementedError for ``flatten_optimizer_state_dict``.
    """
    if options is not None and options.flatten_optimizer_state_dict:
        raise NotImplementedError("[get_optimizer_state_dict] flatten_optimizer_state_dict is not written; the state is nested by names")
    names = _of_parameters(model)
    made: dict[str, Any] = {"state": {}, "param_groups": []}
    for optimizer in optimizers if isinstance(optimizers, (list, tuple)) else (optimizers,):
        plain = optimizer.state_dict()
        order = [names[id(p)] for group in optimizer.param_groups for p in group["params"]]
        numbers = [i for group in plain["param_groups"] for i in group["params"]]
        by_number = dict(zip(numbers, order, strict=True))
        made["state"].update({by_number[i]: value for i, value in plain["state"].items()})
        made["param_groups"] += [{**group, "params": [by_number[i] for i in group["params"]]} for group in plain["param_groups"]]
    return made


def set_optimizer_state_dict(model: Any, optimizers: Any, optim_state_dict: dict[str, Any], *,
                             options: StateDictOptions | None = None) -> None:  # fmt: skip
    """Load what :func:`get_optimizer_state_dict` gave; each optimizer takes the groups of its own parameters."""
    names = _of_parameters(model)
    group_of = {name: group for group in optim_state_dict["param_groups"] for name in group["params"]}
    for optimizer in optimizers if isinstance(optimizers, (list, tuple)) else (optimizers,):
        plain = optimizer.state_dict()
        state, groups = {}, []
        for group, numbered in zip(optimizer.param_groups, plain["param_groups"], strict=True):
            own = [names[id(p)] for p in group["params"]]
            state.update({i: optim_state_dict["state"][name] for i, name in zip(numbered["params"], own, strict=True)
                          if name in optim_state_dict["state"]})
            saved = group_of[own[0]] if own else numbered
            groups.append({**saved, "params": numbered["params"]})
        optimizer.load_state_dict({"state": state, "param_groups": groups})


def get_state_dict(model: Any, optimizers: Any, *, submodules: Any = None, options: StateDictOptions | None = None) -> tuple[Any, Any]:
    """Return both states."""
    return get_model_state_dict(model, options=options), get_optimizer_state_dict(model, optimizers, options=options)


def set_state_dict(model: Any, optimizers: Any, *, model_state_dict: dict[str, Any], optim_state_dict: dict[str, Any],
                   options: StateDictOptions | None = None) -> Any:  # fmt: skip
    """Load both states; return what :func:`set_model_state_dict` does."""
    set_optimizer_state_dict(model, optimizers, optim_state_dict, options=options)
    return set_model_state_dict(model, model_state_dict, options=options)
