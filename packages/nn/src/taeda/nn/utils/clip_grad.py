"""Limits on gradients, in place, before an optimizer's step."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from types import GeneratorType

import taeda
from taeda import Tensor, _spoken, ops

__all__ = ["clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]


def _listed(tensors: Tensor | Iterable[Tensor]) -> list[Tensor]:
    if not isinstance(tensors, Iterable):
        hint = "; did you mean model.parameters()?" if hasattr(tensors, "parameters") else ""
        raise TypeError(f"[clip_grad] expected a Tensor or an iterable of them, got {type(tensors).__name__}{hint}")
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Return the p-norm of all elements of ``tensors`` taken together, as a scalar tensor.

    Args:
        norm_type: p, which may be inf.
        error_if_nonfinite: raise RuntimeError if it is inf or NaN.
        foreach: accepted; there is one way to compute it.

    >>> from taeda import Tensor
    >>> from taeda.nn.utils import get_total_norm
    >>> get_total_norm([Tensor([3.0]), Tensor([4.0])])
    tensor(5.)
    """
    tensors = _listed(tensors)
    norm_type = float(norm_type)
    if not tensors:
        return taeda.tensor(0.0)
    with taeda.no_grad():
        device = tensors[0].device
        if norm_type == 2.0 and len({(t.dtype, t.device) for t in tensors}) == 1:
            parts = [taeda.view_as_real(t) if t.is_complex() else t for t in tensors]
            total = ops.global_norm(parts)  # one pass over all of them
        else:
            total = taeda.stack([t.norm(norm_type).to(device) for t in tensors]).norm(norm_type)
    if error_if_nonfinite and not bool(taeda.isfinite(total)):
        raise RuntimeError(
            f"[get_total_norm] The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it cannot be "
            "clipped. To disable this error and scale the gradients by the non-finite norm anyway, set "
            "`error_if_nonfinite=False`"
        )
    return total


_get_total_norm = get_total_norm                        # its name before it was public


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Multiply the gradients by max_norm / (total_norm + 1e-6), where that is below 1.

    Args:
        parameters: one or several; those without a gradient are left out.
        max_norm: the norm that is not to be passed.
        total_norm: of all gradients, as ``get_total_norm`` returns it.
        foreach: accepted.

    >>> import taeda
    >>> from taeda import nn
    >>> p = nn.Parameter(taeda.zeros(2))
    >>> p.grad = taeda.tensor([3.0, 4.0])
    >>> nn.utils.clip_grads_with_norm_([p], max_norm=1.0, total_norm=taeda.tensor(5.0))
    >>> p.grad
    tensor([0.6000, 0.8000])
    """
    grads = [p.grad for p in _listed(parameters) if p.grad is not None]
    with taeda.no_grad():
        factor = (float(max_norm) / (total_norm + 1e-6)).clamp(max=1.0)
        for g in grads:
            g.mul_(factor.to(g.device))


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale the gradients of ``parameters`` so that their common norm is at most ``max_norm``; return the norm.

    Args:
        max_norm: the limit.
        norm_type: p of the norm, which may be inf.
        error_if_nonfinite: raise RuntimeError if the norm is inf or NaN, before anything is changed.

    >>> import taeda
    >>> from taeda import nn
    >>> w = nn.Parameter(taeda.zeros(2))
    >>> w.grad = taeda.tensor([3.0, 4.0])
    >>> nn.utils.clip_grad_norm_([w], 1.0)
    tensor(5.)
    >>> w.grad
    tensor([0.6000, 0.8000])
    """
    listed = _listed(parameters)
    if not listed and isinstance(parameters, GeneratorType):  # as after a loop that has used it up
        warnings.warn("`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=2)
    grads = [p.grad for p in listed if p.grad is not None]
    total = get_total_norm(grads, norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(listed, max_norm, total, foreach)
    return total


def clip_grad_norm(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Call ``clip_grad_norm_`` under the name that PyTorch has deprecated, which it warns of."""
    warnings.warn(
        _spoken.said("`taeda.nn.utils.clip_grad_norm` is now deprecated in favor of `taeda.nn.utils.clip_grad_norm_`."),
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


def clip_grad_value_(
    parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None
) -> None:
    """Limit each element of the gradients to [-clip_value, clip_value].

    >>> from taeda import Tensor
    >>> from taeda.nn.utils import clip_grad_value_
    >>> w = Tensor([1.0, 2.0]).requires_grad_()
    >>> (3.0 * w).sum().backward()
    >>> clip_grad_value_([w], 0.5)
    >>> w.grad
    tensor([0.5000, 0.5000])
    """
    clip_value = float(clip_value)
    with taeda.no_grad():
        for p in _listed(parameters):
            if p.grad is not None:
                p.grad.clamp_(-clip_value, clip_value)
