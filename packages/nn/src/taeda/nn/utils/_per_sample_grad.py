"""Gradients of each sample of a batch by one backward pass: the forward is a vmap over samples, on parameters expanded to the batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from taeda import Tensor
from taeda.autograd import Function
from taeda.func import functional_call, vmap
from taeda.func.pytree import tree_flatten, tree_leaves, tree_unflatten
from taeda.nn.modules.batchnorm import _BatchNorm
from taeda.nn.modules.module import Module

__all__ = ["call_for_per_sample_grads"]


class _Expanded(Function):
    """A parameter for each sample of a batch; its gradient becomes ``grad_sample``."""

    @staticmethod
    def forward(ctx: Any, parameter: Any, batch: int, scale: int) -> Any:
        ctx.parameter, ctx.scale = parameter, scale
        return parameter.detach().expand(batch, *parameter.shape)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        parameter, g = ctx.parameter, g if ctx.scale == 1 else g * ctx.scale
        before = getattr(parameter, "grad_sample", None)
        parameter.grad_sample = g if before is None else before + g
        return None, None, None


def call_for_per_sample_grads(
    module: Module, *, batch_size: int | None = None, loss_reduction: str = "sum", batch_first: bool = True
) -> Callable[..., Any]:
    """Return a function that runs ``module`` so that a backward pass gives each parameter a ``grad_sample`` in place of ``grad``.

    ``grad_sample`` has the batch in front: entry b is the gradient of sample b's part of the loss.

    Args:
        batch_size: of the inputs; taken from them where it is None.  Tensors of other sizes are then the same for all samples.
        loss_reduction: "sum", or "mean" where the loss is a mean over the batch: gradients are multiplied by its size.
        batch_first: whether the batch is dimension 0 of the inputs, or 1.

    Raises:
        RuntimeError: what is given is not a module, or one whose samples depend on each other (batch normalization in training);
            the batch's size cannot be told; a parameter still has the ``grad_sample`` of another call.

    >>> import taeda
    >>> from taeda.nn.utils._per_sample_grad import call_for_per_sample_grads
    >>> layer = taeda.nn.Linear(3, 2)
    >>> call_for_per_sample_grads(layer)(taeda.ones(4, 3)).sum().backward()
    >>> layer.weight.grad_sample.shape
    taeda.Size([4, 2, 3])
    """
    if not isinstance(module, Module):
        raise RuntimeError(f"[call_for_per_sample_grads] Module passed must be nn.Module, got {type(module).__name__}")
    if loss_reduction not in ("sum", "mean"):
        raise RuntimeError(f"[call_for_per_sample_grads] Expected loss_reduction argument to be sum or mean, got {loss_reduction}")
    if batch_size is not None and not isinstance(batch_size, int):
        raise RuntimeError(f"[call_for_per_sample_grads] Batch size passed must be None or an integer, got {type(batch_size).__name__}")
    if batch_size is not None and batch_size < 1:
        raise RuntimeError(f"[call_for_per_sample_grads] Batch size must be positive, got {batch_size}")
    for layer in module.modules():
        if isinstance(layer, _BatchNorm) and (layer.training or not layer.track_running_stats):
            raise RuntimeError("[call_for_per_sample_grads] Expanded Weights encountered but cannot handle function batch_norm: samples "
                               "depend on each other there; use GroupNorm or eval()")
    at = 0 if batch_first else 1

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        leaves, spec = tree_flatten((args, kwargs))
        size = _size_of(leaves, at) if batch_size is None else batch_size
        expanded = {}
        for name, parameter in module.named_parameters():
            if getattr(parameter, "grad_sample", None) is not None:
                raise RuntimeError("[call_for_per_sample_grads] Current Expanded Weights accumulates the gradients, which will be "
                                   f"incorrect for multiple calls without clearing gradients. Please clear out the grad_sample of {name}")
            if parameter.requires_grad:
                expanded[name] = _Expanded.apply(parameter, size, size if loss_reduction == "mean" else 1)
        batched = [i for i, x in enumerate(leaves) if isinstance(x, Tensor) and x.ndim > at and x.shape[at] == size]
        places: list[int] = []
        shape: list[Any] = []

        def one(parameters: dict[str, Any], *samples: Any) -> Any:
            given = list(leaves)
            for i, x in zip(batched, samples, strict=True):
                given[i] = x.unsqueeze(at)
            inputs, named = tree_unflatten(given, spec)
            found, of = tree_flatten(functional_call(module, parameters, inputs, named))
            shape[:] = [of]
            places[:] = [at if y.shape[at] == 1 else 1 - at for y in found]       # a recurrent layer's state has its batch in dimension 1
            return tuple(y.squeeze(d) for y, d in zip(found, places, strict=True))

        found = vmap(one, (0, *(at for _ in batched)), randomness="different")(expanded, *(leaves[i] for i in batched))
        return tree_unflatten([y.movedim(0, d) for y, d in zip(found, places, strict=True)], shape[0])

    return wrapper


def _size_of(leaves: list[Any], at: int) -> int:
    """Return the batch size that all tensors among the arguments share."""
    size = None
    for x in tree_leaves(leaves):
        if isinstance(x, Tensor):
            if size is not None and size != x.shape[at]:
                raise RuntimeError(f"[call_for_per_sample_grads] When computing batch size, found at least one input with batch size "
                                   f"{size} and one with batch size {x.shape[at]}. Please specify it explicitly using the batch size kwarg")
            size = x.shape[at]
    if size is None:
        raise RuntimeError("[call_for_per_sample_grads] Unable to find a tensor in the passed args and kwargs, from which the batch size "
                           "would be taken. Please specify it explicitly")
    if size == 0:
        raise RuntimeError("[call_for_per_sample_grads] 0 is not a valid batch size for Expanded Weights")
    return int(size)
