"""Modules called in a row, in evaluation and without gradients: batch norm over the result of a convolution where it lies.

``Sequential`` hands a convolution's result on and keeps nothing of it, so nobody can see what the next module does to its memory.  A batch
norm by running statistics, together with a ReLU after it, then reads and writes that memory once, where they would read it twice and write
it twice, once elsewhere.  The bits are those of the modules called one by one.  Whatever could see the result between them (a hook, a mode,
a class or a forward of the program's own) has them called one by one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from taeda import Tensor, is_grad_enabled
from taeda._override import has_torch_function
from taeda.nn.modules.activation import Hardtanh, ReLU, ReLU6
from taeda.nn.modules.batchnorm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from taeda.nn.modules.conv import Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from taeda.nn.modules.module import Module
from taeda.ops.batch_norm import batch_norm_here

_CONVS = {cls: cls.forward for cls in (Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)}
_NORMS = {cls: cls.forward for cls in (BatchNorm1d, BatchNorm2d, BatchNorm3d)}
_LIMITS = {cls: cls.forward for cls in (Hardtanh, ReLU, ReLU6)}
_WORTH = 1 << 14  # elements; below, looking costs more than a second pass in the cache


def _is_plain(module: Module, forwards: dict[Any, Any]) -> bool:
    """Whether module is of one of these classes and its call does what the class was written to do, and nothing else."""
    forward = forwards.get(type(module))
    if forward is None or type(module).forward is not forward or module._must_run_hooks():
        return False
    return "forward" not in module.__dict__ and "_conv_forward" not in module.__dict__


def _done_here(y: Tensor, norm: Any, after: Any) -> int:
    """Do what norm and, if it limits, the module after it do to y in its own memory; return how many of them are done."""
    if norm.training or y.ndim not in norm._dims or not _is_plain(norm, _NORMS) or has_torch_function((y,)):
        return 0
    low, high, done = -math.inf, math.inf, 1
    if _is_plain(after, _LIMITS):
        low, high = (0.0, math.inf) if type(after) is ReLU else (after.min_val, after.max_val)
        done = 2
    return done if batch_norm_here(y, norm.running_mean, norm.running_var, norm.weight, norm.bias, norm.eps, low, high) else 0


def call_in_order(modules: Iterable[Module], x: Any) -> Any:
    """Call each module with the result of the one before it."""
    if is_grad_enabled():
        for module in modules:
            x = module(x)
        return x
    row = list(modules)
    k, last = 0, len(row) - 1
    while k <= last:
        module = row[k]
        x = module(x)
        k += 1
        if k <= last and type(row[k]) in _NORMS and type(x) is Tensor and x.numel() >= _WORTH and _is_plain(module, _CONVS):
            k += _done_here(x, row[k], row[k + 1] if k < last else None)
    return x
