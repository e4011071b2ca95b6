"""Models as functions of their parameters, in the manner of functorch: parameters are tuples, and the model is a copy without any."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import taeda
from taeda import Tensor, nn
from taeda.func import functional_call

__all__ = [
    "FunctionalModule", "FunctionalModuleWithBuffers", "combine_state_for_ensemble", "make_functional", "make_functional_with_buffers",
]  # fmt: skip

Tensors = tuple[Tensor, ...]


def _copied(model: Any, frozen: bool) -> tuple[Any, dict[str, Tensor], dict[str, Tensor]]:
    """Return a copy of the model without memory, and copies of its parameters and buffers."""
    stateless = copy.deepcopy(model)
    params, buffers = dict(stateless.named_parameters()), dict(stateless.named_buffers())
    bare = {id(t): t.to("meta") for t in buffers.values()}
    bare.update((id(p), nn.Parameter(p.detach().to("meta"), p.requires_grad)) for p in params.values())
    for part in stateless.modules():
        for kept in (part._parameters, part._buffers):         # what is tied stays tied
            kept.update({name: bare[id(t)] for name, t in kept.items() if t is not None})
    for p in params.values() if frozen else ():
        p.requires_grad_(False)
    return stateless, params, buffers


class FunctionalModule(nn.Module):
    """A model that takes its parameters, a tuple, as its first argument."""

    def __init__(self, stateless_model: Any, param_names: Sequence[str]) -> None:
        super().__init__()
        self.stateless_model = stateless_model
        self.param_names = tuple(param_names)

    def forward(self, params: Sequence[Tensor], *args: Any, **kwargs: Any) -> Any:
        """Call the model with these parameters."""
        return functional_call(self.stateless_model, dict(zip(self.param_names, params, strict=True)), args, kwargs)


class FunctionalModuleWithBuffers(nn.Module):
    """A model that takes its parameters and its buffers, two tuples, as its first arguments."""

    def __init__(self, stateless_model: Any, param_names: Sequence[str], buffer_names: Sequence[str]) -> None:
        super().__init__()
        self.stateless_model = stateless_model
        self.param_names, self.buffer_names = tuple(param_names), tuple(buffer_names)

    def forward(self, params: Sequence[Tensor], buffers: Sequence[Tensor], *args: Any, **kwargs: Any) -> Any:
        """Call the model with these parameters and buffers, which it may change in place."""
        state = dict(zip(self.param_names, params, strict=True))
        state.update(zip(self.buffer_names, buffers, strict=True))
        return functional_call(self.stateless_model, state, args, kwargs)


def make_functional(model: Any, disable_autograd_tracking: bool = False) -> tuple[FunctionalModule, Tensors]:
    """Return the model as a function of its parameters, and copies of them.

    Args:
        disable_autograd_tracking: whether the copies are to require no gradients.

    RuntimeError for a model with buffers.

    >>> import taeda
    >>> from taeda import nn
    >>> from taeda.functorch.models import make_functional
    >>> f, params = make_functional(nn.Linear(2, 1))
    >>> f(params, taeda.zeros(3, 2)).shape
    taeda.Size([3, 1])
    """
    stateless, params, buffers = _copied(model, disable_autograd_tracking)
    if buffers:
        raise RuntimeError("[make_functional] the model has buffers; use make_functional_with_buffers(model)")
    return FunctionalModule(stateless, tuple(params)), tuple(params.values())


def make_functional_with_buffers(
    model: Any, disable_autograd_tracking: bool = False
) -> tuple[FunctionalModuleWithBuffers, Tensors, Tensors]:
    """Return the model as a function of its parameters and buffers, and copies of both.

    >>> import taeda
    >>> from taeda import nn
    >>> from taeda.functorch.models import make_functional_with_buffers
    >>> function, params, buffers = make_functional_with_buffers(nn.Linear(2, 1))
    >>> function((taeda.ones(1, 2), taeda.zeros(1)), buffers, taeda.ones(3, 2))
    tensor([[2.],
            [2.],
            [2.]])
    """
    stateless, params, buffers = _copied(model, disable_autograd_tracking)
    return FunctionalModuleWithBuffers(stateless, tuple(params), tuple(buffers)), tuple(params.values()), tuple(buffers.values())


def combine_state_for_ensemble(models: Sequence[Any]) -> tuple[FunctionalModuleWithBuffers, Tensors, Tensors]:
    """Return one of the models as a function, and the parameters and buffers of all, stacked, for ``vmap`` over models.

    RuntimeError where there is none, or they differ in class or in training mode.

    >>> import taeda
    >>> from taeda import nn
    >>> from taeda.functorch.models import combine_state_for_ensemble
    >>> function, params, buffers = combine_state_for_ensemble([nn.Linear(2, 1) for _ in range(5)])
    >>> taeda.vmap(function, in_dims=(0, 0, None))(params, buffers, taeda.ones(3, 2)).shape
    taeda.Size([5, 3, 1])
    """
    if not models:
        raise RuntimeError("[combine_state_for_ensemble] Expected at least one model, got 0.")
    if len({m.training for m in models}) > 1:
        raise RuntimeError("[combine_state_for_ensemble] Expected all models to have the same training/eval mode.")
    if len({type(m) for m in models}) > 1:
        raise RuntimeError("[combine_state_for_ensemble] Expected all models to be of the same class.")
    made = [make_functional_with_buffers(m) for m in models]
    params = tuple(taeda.stack(row).detach() for row in zip(*(m[1] for m in made), strict=True))
    buffers = tuple(taeda.stack(row).detach() for row in zip(*(m[2] for m in made), strict=True))
    return made[0][0], params, buffers
