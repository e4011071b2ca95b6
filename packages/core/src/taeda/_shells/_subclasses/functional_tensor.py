"""Tensors by which PyTorch's compiler takes writes out of a program, for those that ask whether they have one."""

from taeda.tensor import Tensor

__all__ = ["FunctionalTensor"]


class FunctionalTensor(Tensor):
    """A tensor of the compiler's; nothing makes one."""
