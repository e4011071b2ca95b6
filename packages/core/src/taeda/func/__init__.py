"""Transforms of functions, as ``torch.func`` has them: vmap, grad, vjp, jvp and what is made of them, in any nesting.

>>> import taeda
>>> from taeda.func import grad, vmap
>>> w, x = taeda.tensor([1.0, 2.0]), taeda.arange(6.0).reshape(3, 2)
>>> vmap(grad(lambda w, x: (w @ x) ** 2), in_dims=(None, 0))(w, x)
tensor([[  0.,   4.],
        [ 32.,  48.],
        [112., 140.]])
"""

from __future__ import annotations

from taeda.func.gradients import functionalize, grad, grad_and_value, hessian, jacfwd, jacrev, jvp, linearize, vjp
from taeda.func.modules import functional_call, replace_all_batch_norm_modules_, stack_module_state
from taeda.func.rearrange import rearrange
from taeda.func.vmap import debug_unwrap, vmap

__all__ = [
    "debug_unwrap", "functional_call", "functionalize", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "linearize",
    "rearrange", "replace_all_batch_norm_modules_", "stack_module_state", "vjp", "vmap",
]
