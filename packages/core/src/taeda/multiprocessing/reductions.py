"""How tensors are pickled for another process: a storage by the descriptor of its shared memory."""

from __future__ import annotations

from multiprocessing.reduction import ForkingPickler

from taeda.shared_memory import _reduce as reduce_storage, _reduce_tensor as reduce_tensor

__all__ = ["ForkingPickler", "init_reductions", "reduce_storage", "reduce_tensor"]


def init_reductions() -> None:
    """Do nothing: pickles of ``multiprocessing`` know tensors as soon as ``taeda.multiprocessing`` is imported."""
