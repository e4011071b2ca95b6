"""The transforms that differentiate, where libraries take them from PyTorch's own rooms: they are those of ``taeda.func``."""

from taeda.func import functionalize, hessian, jacfwd, jacrev, jvp, linearize, vjp

__all__ = ["functionalize", "hessian", "jacfwd", "jacrev", "jvp", "linearize", "vjp"]
