"""``vmap`` and gradients, where libraries take them from PyTorch's own rooms: they are those of ``taeda.func``."""

from taeda.func import grad, grad_and_value, vmap

__all__ = ["grad", "grad_and_value", "vmap"]
