"""AveragedModel: a module that holds the running average of another's weights; the only room of optim that needs nn."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from itertools import chain
from typing import Any

import taeda
from taeda import Tensor
from taeda.nn import Module
from taeda.optim.swa_utils import Tensors, get_swa_multi_avg_fn

__all__ = ["AveragedModel"]


class AveragedModel(Module):
    """A copy of a model whose parameters are averages of the model's over the training.

    Args:
        model: the module that is trained.
        device: where the averages are kept; None: where the model is.
        avg_fn: function of (average, value, number of values so far) that returns the next average of one parameter.
        multi_avg_fn: function of (averages, values, number) that changes lists of them in place; the default: a mean.
        use_buffers: average the buffers too; else they are copied from the model.

    Raises AssertionError where both functions are given.
    Source: Izmailov et al., "Averaging weights leads to wider optima and better generalization", 2018.

    >>> import taeda
    >>> from taeda import nn, optim
    >>> model = nn.Linear(1, 1, bias=False)
    >>> averaged = optim.swa_utils.AveragedModel(model)
    >>> for value in (1.0, 2.0, 6.0):
    ...     _ = model.weight.data.fill_(value)
    ...     averaged.update_parameters(model)
    >>> averaged(taeda.ones(1, 1)).item()
    3.0
    >>> averaged.n_averaged
    tensor(3)
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Callable[[Tensor, Tensor, Any], Tensor] | None = None,
        multi_avg_fn: Callable[[Tensors, Tensors, Any], None] | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("[AveragedModel] Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", taeda.tensor(0, dtype=taeda.int64, device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the model's present parameters into the averages; the first are copied.

        >>> from taeda import nn
        >>> from taeda.optim.swa_utils import AveragedModel
        >>> model = nn.Linear(1, 1, bias=False)
        >>> averaged = AveragedModel(model)
        >>> for value in (1.0, 3.0):
        ...     _ = nn.init.constant_(model.weight, value)
        ...     averaged.update_parameters(model)
        >>> averaged.module.weight.item()
        2.0
        """
        ours: Any = self.module.parameters()
        theirs: Any = model.parameters()
        if self.use_buffers:
            ours, theirs = chain(ours, self.module.buffers()), chain(theirs, model.buffers())
        pairs = [(a.detach(), b.detach().to(a.device)) for a, b in zip(ours, theirs, strict=False)]
        if self.n_averaged == 0:
            for average, value in pairs:
                average.copy_(value)
        elif self.avg_fn is not None:
            for average, value in pairs:
                average.copy_(self.avg_fn(average, value, self.n_averaged.to(average.device)))
        else:
            self._update_all(pairs)
        if not self.use_buffers:
            for kept, current in zip(self.module.buffers(), model.buffers(), strict=True):
                kept.detach().copy_(current.detach().to(kept.device))
        self.n_averaged += 1

    def _update_all(self, pairs: list[tuple[Tensor, Tensor]]) -> None:
        """Call the function on the lists of each device and dtype."""
        groups: dict[Any, list[tuple[Tensor, Tensor]]] = {}
        for average, value in pairs:
            groups.setdefault((average.device, average.dtype), []).append((average, value))
        update = self.multi_avg_fn or get_swa_multi_avg_fn()
        for (device, _), group in groups.items():
            update([a for a, _ in group], [b for _, b in group], self.n_averaged.to(device))
