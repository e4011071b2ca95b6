"""Pruning: a mask over a parameter, applied before each forward.

``l1_unstructured(layer, "weight", 0.3)`` moves the weight to ``weight_orig`` and its mask to the buffer
``weight_mask``; ``weight`` is their product, which a forward pre-hook computes.  A second pruning of the same tensor
prunes among what is left, and ``remove`` makes it final.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import taeda
from taeda import Tensor
from taeda.nn.modules.module import Module
from taeda.nn.utils.convert_parameters import parameters_to_vector
from taeda.nn.utils.pruning_methods import (  # noqa: F401 (some are PyTorch's names, which programs take from here)
    BasePruningMethod,
    CustomFromMask,
    Identity,
    L1Unstructured,
    LnStructured,
    PruningContainer,
    RandomStructured,
    RandomUnstructured,
    _compute_norm,
    _compute_nparams_toprune,
    _validate_pruning_amount,
    _validate_pruning_amount_init,
    _validate_pruning_dim,
    _validate_structured_pruning,
    prunes,
)

__all__ = [
    "BasePruningMethod", "CustomFromMask", "Identity", "L1Unstructured", "LnStructured", "PruningContainer",
    "RandomStructured", "RandomUnstructured", "custom_from_mask", "global_unstructured", "identity", "is_pruned",
    "l1_unstructured", "ln_structured", "random_structured", "random_unstructured", "remove",
]  # fmt: skip

M = TypeVar("M", bound=Module)


def identity(module: M, name: str) -> M:
    """Give ``module.name`` a mask of ones and return the module.

    >>> from taeda import nn
    >>> from taeda.nn.utils.prune import identity
    >>> identity(nn.Linear(2, 1), "weight").weight_mask
    tensor([[1., 1.]])
    """
    Identity.apply(module, name)
    return module


def random_unstructured(module: M, name: str, amount: float) -> M:
    """Prune entries of ``module.name`` at random and return the module.

    Args:
        amount: a share of the entries that are left (a float in [0, 1]) or their number.

    Raises:
        TypeError, ValueError: amount is neither, or more than there are.

    >>> from taeda import nn
    >>> layer = nn.utils.prune.random_unstructured(nn.Linear(2, 3), "weight", amount=1)
    >>> int((layer.weight_mask == 0).sum())
    1
    """
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module: M, name: str, amount: float, importance_scores: Tensor | None = None) -> M:
    """Prune the entries of ``module.name`` that are nearest to 0 and return the module.

    Args:
        amount: a share of the entries that are left (a float in [0, 1]) or their number.
        importance_scores: of the tensor's shape, what is compared instead of its entries.

    >>> from taeda import nn
    >>> layer = nn.utils.prune.l1_unstructured(nn.Linear(2, 3), "weight", amount=0.2)
    >>> list(layer.state_dict())
    ['bias', 'weight_orig', 'weight_mask']
    """
    L1Unstructured.apply(module, name, amount=amount, importance_scores=importance_scores)
    return module


def random_structured(module: M, name: str, amount: float, dim: int) -> M:
    """Prune channels of ``module.name`` along ``dim`` at random and return the module.

    Args:
        amount: a share of the channels (a float in [0, 1]) or their number.

    >>> from taeda import nn
    >>> from taeda.nn.utils.prune import random_structured
    >>> layer = random_structured(nn.Linear(4, 3), "weight", amount=2, dim=0)
    >>> (layer.weight_mask.sum(1) == 0).sum()
    tensor(2)
    """
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(
    module: M, name: str, amount: float, n: Any, dim: int, importance_scores: Tensor | None = None
) -> M:
    """Prune the channels of ``module.name`` along ``dim`` that have the smallest n-norms and return the module.

    Args:
        amount: a share of the channels (a float in [0, 1]) or their number.
        importance_scores: of the tensor's shape, what norms are taken of instead.

    >>> from taeda import nn
    >>> conv = nn.utils.prune.ln_structured(nn.Conv2d(5, 3, 2), "weight", amount=0.4, n=2, dim=1)
    >>> int((conv.weight_mask.sum((0, 2, 3)) == 0).sum())
    2
    """
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def global_unstructured(
    parameters: Iterable[tuple[Module, str]],
    pruning_method: Any,
    importance_scores: dict[tuple[Module, str], Tensor] | None = None,
    **kwargs: Any,
) -> None:
    """Prune several tensors as if their entries were those of one.

    Args:
        parameters: pairs of a module and a name.
        pruning_method: an unstructured class, such as ``L1Unstructured``.
        kwargs: its arguments.
        importance_scores: by such pair, what is compared instead of the tensor's entries.

    Raises:
        TypeError: parameters or importance_scores have another type, or the method is not unstructured.

    >>> from taeda import nn
    >>> from taeda.nn.utils import prune
    >>> net = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1))
    >>> prune.global_unstructured([(net[0], "weight"), (net[1], "weight")], prune.L1Unstructured, amount=10)
    >>> sum(int((b == 0).sum()) for b in net.buffers())
    10
    """
    if not isinstance(parameters, Iterable):
        raise TypeError(f"[global_unstructured] global_unstructured(): parameters is not an Iterable, but {type(parameters).__name__}")
    importance_scores = {} if importance_scores is None else importance_scores
    if not isinstance(importance_scores, dict):
        got = type(importance_scores).__name__
        raise TypeError(f"[global_unstructured] global_unstructured(): importance_scores must be of type dict, got {got}")
    parameters = list(parameters)
    scores, masks = [], []
    for module, name in parameters:
        tensor = getattr(module, name)
        scores.append(importance_scores.get((module, name), tensor))
        masks.append(getattr(module, name + "_mask", taeda.ones_like(tensor)))
    method = pruning_method(**kwargs)
    method._tensor_name = "temp"
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            f'[global_unstructured] Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method '
            f"{pruning_method} of type {method.PRUNING_TYPE}"
        )
    container = PruningContainer(method)
    mask = container.compute_mask(parameters_to_vector(scores), parameters_to_vector(masks))
    start = 0
    for (module, name), own in zip(parameters, masks, strict=True):
        custom_from_mask(module, name, mask=mask[start : start + own.numel()].view_as(own))
        start += own.numel()


def custom_from_mask(module: M, name: str, mask: Tensor) -> M:
    """Prune ``module.name`` where ``mask`` is 0 and return the module.

    >>> from taeda import nn, tensor
    >>> from taeda.nn.utils.prune import custom_from_mask
    >>> layer = custom_from_mask(nn.Linear(2, 1), "weight", tensor([[1.0, 0.0]]))
    >>> (layer.weight == 0).tolist()
    [[False, True]]
    """
    CustomFromMask.apply(module, name, mask)
    return module


def remove(module: M, name: str) -> M:
    """Make the pruned ``module.name`` the parameter, without mask and hook, and return the module.

    Raises:
        ValueError: it is not pruned.

    >>> from taeda import nn
    >>> from taeda.nn.utils.prune import l1_unstructured, remove
    >>> layer = remove(l1_unstructured(nn.Linear(4, 3), "weight", amount=0.5), "weight")
    >>> (layer.weight == 0).sum()
    tensor(6)
    """
    for key, hook in module._forward_pre_hooks.items():
        if prunes(hook, name):
            hook.remove(module)  # type: ignore[attr-defined]
            del module._forward_pre_hooks[key]
            return module
    raise ValueError(f"[remove] Parameter '{name}' of module {module} has to be pruned before pruning can be removed")


def is_pruned(module: Module) -> bool:
    """Say whether a parameter of the module, or of one below it, is pruned.

    >>> from taeda import nn
    >>> from taeda.nn.utils.prune import identity, is_pruned
    >>> is_pruned(nn.Linear(2, 1)), is_pruned(identity(nn.Linear(2, 1), "weight"))
    (False, True)
    """
    hooks = (hook for m in module.modules() for hook in m._forward_pre_hooks.values())
    return any(isinstance(hook, BasePruningMethod) for hook in hooks)
