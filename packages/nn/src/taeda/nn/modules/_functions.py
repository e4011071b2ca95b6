"""PyTorch's room of the functions behind some layers, by the names that layers of programs import."""

from __future__ import annotations

from typing import Any

from taeda import Tensor
from taeda.autograd import Function
from taeda.nn.modules._backward_hooks import BackwardHookFunction as BackwardHookFunction
from taeda.nn.modules.normalization import CrossMapLRN2d as _Layer

__all__ = ["BackwardHookFunction", "CrossMapLRN2d", "SyncBatchNorm"]


class CrossMapLRN2d:
    """What `taeda.nn.CrossMapLRN2d` computes, as PyTorch's function of the name is called."""

    @staticmethod
    def apply(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1) -> Tensor:
        """Return the input over its neighbouring channels' squares.

        >>> import taeda
        >>> from taeda.nn.modules._functions import CrossMapLRN2d
        >>> CrossMapLRN2d.apply(taeda.ones(1, 2, 1, 1), 1, 1.0, 1.0).flatten()
        tensor([0.5000, 0.3333])
        """
        return _Layer(size, alpha, beta, k)(input)


class SyncBatchNorm(Function):
    """Batch norm over several processes, which layers call where there are some: never here."""

    @staticmethod
    def forward(ctx: Any, *args: Any) -> Any:
        raise RuntimeError("[SyncBatchNorm] there is one process, without process groups: nn.functional.batch_norm does the same")
