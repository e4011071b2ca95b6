"""The optimizers' steps as functions of lists: ``taeda.optim.adam.adam`` and its kin, for optimizers that a program writes itself.

They take what PyTorch's take: parameters, gradients, the state as one list a name, ``state_steps`` of one-element
tensors, then options by name.  Parameters and state are written in place, so call them under ``no_grad``.

>>> import taeda
>>> from taeda.optim.sgd import sgd
>>> p = taeda.ones(2)
>>> options = {"weight_decay": 0.0, "momentum": 0.0, "dampening": 0.0, "nesterov": False, "maximize": False}
>>> sgd([p], [taeda.ones(2)], [None], lr=0.5, **options)
>>> p
tensor([0.5000, 0.5000])
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

from taeda import Tensor, ops
from taeda.optim import composed
from taeda.optim.fused import arguments, real_parts, with_buffers

__all__ = [
    "adadelta", "adagrad", "adam", "adamax", "adamw", "asgd", "nadam", "radam", "rmsprop", "rprop", "sgd",
]  # fmt: skip

Lists = list[Tensor]

# lists that a step leaves out unless its options ask for them
_ASKED_FOR = {"max_exp_avg_sqs": "amsgrad", "grad_avgs": "centered", "momentum_buffer_list": "momentum"}


def _step(fused: Callable[..., Any], formula: Callable[..., Any], given: dict[str, Any]) -> None:
    """Step all tensors in one call.

    ``given`` are the arguments of a function of this module, in their order: as many lists as the formula takes, the
    last of which are the step counts, then options, of which the formula's are handed on.
    """
    name = formula.__name__
    if given.get("grad_scale") is not None or given.get("found_inf") is not None:
        raise RuntimeError(f"[{name}] grad_scale and found_inf are not taken; let GradScaler.unscale_ do it before")
    counts = given.get("state_steps", [])
    if not all(isinstance(step, Tensor) for step in counts):
        raise RuntimeError(
            f"[{name}] `state_steps` must be a list of singleton tensors, got "
            f"{', '.join(sorted({type(step).__name__ for step in counts}))}"
        )
    count, options = arguments(formula)
    left_out = [key for key, option in _ASKED_FOR.items() if key in given and not given[option]]
    lists = [[] if key in left_out else every for key, every in islice(given.items(), count)]
    if lists[0]:
        differentiable = given.get("differentiable", False)
        step, lists = (formula, real_parts(lists)) if differentiable else (fused, lists)
        step(*lists, **{key: given["decoupled_weight_decay" if key == "decoupled" else key] for key in options})


def adam(
    params: Lists,
    grads: Lists,
    exp_avgs: Lists,
    exp_avg_sqs: Lists,
    max_exp_avg_sqs: Lists,
    state_steps: Lists,
    foreach: bool | None = None,
    capturable: bool = False,
    differentiable: bool = False,
    fused: bool | None = None,
    grad_scale: Tensor | None = None,
    found_inf: Tensor | None = None,
    has_complex: bool = False,
    decoupled_weight_decay: bool = False,
    *,
    amsgrad: bool,
    beta1: float | Tensor,
    beta2: float | Tensor,
    lr: float | Tensor,
    weight_decay: float,
    eps: float,
    maximize: bool,
) -> None:
    """Step by Adam; see `taeda.optim.Adam` for the formula.

    >>> import taeda
    >>> from taeda.optim.functional import adam
    >>> w, g = taeda.ones(2), taeda.tensor([0.5, -2.0])
    >>> means, squares, steps = [taeda.zeros(2)], [taeda.zeros(2)], [taeda.zeros(())]
    >>> adam([w], [g], means, squares, [], steps, amsgrad=False, beta1=0.9, beta2=0.999, lr=0.1, weight_decay=0.0, eps=1e-8, maximize=False)
    >>> w, steps
    (tensor([0.9000, 1.1000]), [tensor(1.)])
    """
    _step(ops.fused_adam_, composed.adam, locals())


def adamw(*lists: Any, **options: Any) -> None:
    """Step by AdamW: `adam` with decoupled weight decay."""
    adam(*lists, **{**options, "decoupled_weight_decay": True})


def rmsprop(
    params: Lists,
    grads: Lists,
    square_avgs: Lists,
    grad_avgs: Lists,
    momentum_buffer_list: Lists,
    state_steps: Lists,
    foreach: bool | None = None,
    maximize: bool = False,
    differentiable: bool = False,
    capturable: bool = False,
    has_complex: bool = False,
    *,
    lr: float | Tensor,
    alpha: float,
    eps: float,
    weight_decay: float,
    momentum: float,
    centered: bool,
) -> None:
    """Step by RMSprop; see `taeda.optim.RMSprop` for the formula."""
    _step(ops.fused_rmsprop_, composed.rmsprop, locals())


def adagrad(
    params: Lists,
    grads: Lists,
    state_sums: Lists,
    state_steps: Lists,
    fused: bool | None = None,
    grad_scale: Tensor | None = None,
    found_inf: Tensor | None = None,
    has_sparse_grad: bool = False,
    foreach: bool | None = None,
    differentiable: bool = False,
    has_complex: bool = False,
    *,
    lr: float | Tensor,
    weight_decay: float,
    lr_decay: float,
    eps: float,
    maximize: bool,
) -> None:
    """Step by Adagrad; see `taeda.optim.Adagrad` for the formula."""
    _step(ops.fused_adagrad_, composed.adagrad, locals())


def adadelta(
    params: Lists,
    grads: Lists,
    square_avgs: Lists,
    acc_deltas: Lists,
    state_steps: Lists,
    capturable: bool = False,
    foreach: bool | None = None,
    differentiable: bool = False,
    has_complex: bool = False,
    *,
    lr: float | Tensor,
    rho: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    """Step by Adadelta; see `taeda.optim.Adadelta` for the formula."""
    _step(ops.fused_adadelta_, composed.adadelta, locals())


def adamax(
    params: Lists,
    grads: Lists,
    exp_avgs: Lists,
    exp_infs: Lists,
    state_steps: Lists,
    foreach: bool | None = None,
    maximize: bool = False,
    differentiable: bool = False,
    capturable: bool = False,
    has_complex: bool = False,
    *,
    eps: float,
    beta1: float | Tensor,
    beta2: float | Tensor,
    lr: float | Tensor,
    weight_decay: float,
) -> None:
    """Step by Adamax; see `taeda.optim.Adamax` for the formula."""
    _step(ops.fused_adamax_, composed.adamax, locals())


def nadam(
    params: Lists,
    grads: Lists,
    exp_avgs: Lists,
    exp_avg_sqs: Lists,
    mu_products: Lists,
    state_steps: Lists,
    decoupled_weight_decay: bool = False,
    foreach: bool | None = None,
    capturable: bool = False,
    differentiable: bool = False,
    has_complex: bool = False,
    maximize: bool = False,
    *,
    beta1: float | Tensor,
    beta2: float | Tensor,
    lr: float | Tensor,
    weight_decay: float,
    momentum_decay: float,
    eps: float,
) -> None:
    """Step by NAdam; see `taeda.optim.NAdam` for the formula."""
    _step(ops.fused_nadam_, composed.nadam, locals())


def radam(
    params: Lists,
    grads: Lists,
    exp_avgs: Lists,
    exp_avg_sqs: Lists,
    state_steps: Lists,
    decoupled_weight_decay: bool = False,
    foreach: bool | None = None,
    differentiable: bool = False,
    capturable: bool = False,
    has_complex: bool = False,
    maximize: bool = False,
    *,
    beta1: float | Tensor,
    beta2: float | Tensor,
    lr: float | Tensor,
    weight_decay: float,
    eps: float,
) -> None:
    """Step by RAdam; see `taeda.optim.RAdam` for the formula."""
    _step(ops.fused_radam_, composed.radam, locals())


def rprop(
    params: Lists,
    grads: Lists,
    prevs: Lists,
    step_sizes: Lists,
    state_steps: Lists,
    foreach: bool | None = None,
    capturable: bool = False,
    maximize: bool = False,
    differentiable: bool = False,
    has_complex: bool = False,
    *,
    step_size_min: float,
    step_size_max: float,
    etaminus: float,
    etaplus: float,
) -> None:
    """Step by Rprop; see `taeda.optim.Rprop` for the formula."""
    _step(ops.fused_rprop_, composed.rprop, locals())


def asgd(
    params: Lists,
    grads: Lists,
    axs: Lists,
    mus: Lists,
    etas: Lists,
    state_steps: Lists,
    foreach: bool | None = None,
    maximize: bool = False,
    differentiable: bool = False,
    capturable: bool = False,
    has_complex: bool = False,
    *,
    lambd: float,
    lr: float | Tensor,
    t0: float,
    alpha: float,
    weight_decay: float,
) -> None:
    """Step by ASGD; see `taeda.optim.ASGD` for the formula."""
    _step(ops.fused_asgd_, composed.asgd, locals())


def sgd(
    params: Lists,
    d_p_list: Lists,
    momentum_buffer_list: list[Tensor | None],
    has_sparse_grad: bool = False,
    foreach: bool | None = None,
    fused: bool | None = None,
    grad_scale: Tensor | None = None,
    found_inf: Tensor | None = None,
    *,
    weight_decay: float,
    momentum: float,
    lr: float | Tensor,
    dampening: float,
    nesterov: bool,
    maximize: bool,
) -> None:
    """Step by SGD; see `taeda.optim.SGD` for the formula.  A momentum buffer that is None is made in its list.

    >>> import taeda
    >>> from taeda.optim.functional import sgd
    >>> w, buffers = taeda.ones(2), [None]
    >>> sgd([w], [taeda.tensor([1.0, 2.0])], buffers, weight_decay=0.0, momentum=0.9, lr=0.1, dampening=0.0, nesterov=False, maximize=False)
    >>> w, buffers
    (tensor([0.9000, 0.8000]), [tensor([1., 2.])])
    """
    given = locals()
    if momentum == 0:
        _step(ops.fused_sgd_, composed.sgd, {**given, "first_step": False})
        return
    lists: list[list[Any]] = [params, d_p_list, momentum_buffer_list]
    for part, first_step in with_buffers(lists):
        _step(ops.fused_sgd_, composed.sgd, {**given, **dict(zip(given, part, strict=False)), "first_step": first_step})
