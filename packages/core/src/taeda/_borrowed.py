"""Names that PyTorch's files have because they import them for themselves: programs read them there.

An editor that completes imports writes ``from torch.functional import F, Tensor`` or ``from torch.nn.modules.conv import _size_2_t``, and
it works.  Such names are none of taeda's rooms; under the name ``torch`` they are found all the same, each where it comes from.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

__all__ = ["borrows", "lend"]


def _from(module: str, names: str) -> dict[str, tuple[str, str]]:
    return {name: (module, name) for name in names.split()}


_SIZES = "_size_1_t _size_2_t _size_3_t _size_4_t _size_6_t _size_2_opt_t _size_3_opt_t _size_any_t _size_any_opt_t"
_OVERRIDES = "handle_torch_function has_torch_function has_torch_function_unary has_torch_function_variadic"

# where each name comes from; a module by an empty second name
_ORIGINS: dict[str, tuple[str, str]] = {
    "torch": ("taeda", ""), "_VF": ("taeda._VF", ""), "F": ("taeda.nn.functional", ""), "Optimizer": ("taeda.optim.optimizer", "Optimizer"),
    **_from("taeda", "Generator Size Tensor default_generator device dtype randperm"),
    **_from("taeda._jit_internal", "boolean_dispatch"),
    **_from("taeda._utils", "ExceptionWrapper"),
    **_from("taeda.autograd.function", "once_differentiable"),
    **_from("taeda.autograd.variable", "Variable"),
    **_from("taeda.data", "IterDataPipe MapDataPipe"),
    **_from("taeda.distributions", "Distribution"),
    **_from("taeda.distributions.utils", "_sum_rightmost broadcast_all lazy_property"),
    **_from("taeda.nn.common_types", f"{_SIZES} _ratio_2_t _ratio_3_t _ratio_any_t"),
    **_from("taeda.nn.functional", "pad softplus"),
    **_from("taeda.nn.init", "constant_ xavier_normal_ xavier_uniform_"),
    **_from("taeda.nn.modules.distance", "PairwiseDistance"),
    **_from("taeda.nn.modules.lazy", "LazyModuleMixin"),
    **_from("taeda.nn.modules.module", "Module"),
    **_from("taeda.nn.modules.utils", "_ntuple _pair _quadruple _reverse_repeat_tuple _single _triple"),
    **_from("taeda.nn.parameter", "Parameter UninitializedBuffer UninitializedParameter"),
    **_from("taeda.optim.optimizer", "ParamsT"),
    **_from("taeda.overrides", f"{_OVERRIDES} is_tensor_like"),
    **_from("taeda.types", "Number _Number _size"),
    **_from("taeda.utils._contextlib", "_DecoratorContextManager"),
    **_from("taeda.utils.hooks", "RemovableHandle"),
    **_from("math", "inf"),
}  # fmt: skip

# what each of PyTorch's files imports that taeda's does not
_ROOMS: dict[str, str] = {
    "taeda.functional": f"F Tensor _VF torch boolean_dispatch {_OVERRIDES}",
    "taeda.fft": "Tensor torch", "taeda.sparse": "Tensor torch", "taeda.special": "Tensor torch",
    "taeda.autograd.function": "torch", "taeda.autograd.grad_mode": "_DecoratorContextManager torch",
    "taeda.autograd.graph": "RemovableHandle Variable torch",
    "taeda.nn.functional": f"Tensor _VF torch boolean_dispatch _pair _single _triple {_OVERRIDES}",
    "taeda.nn.init": "torch", "taeda.nn.parameter": "torch", "taeda.nn.utils.rnn": "_VF torch", "taeda.nn.utils.clip_grad": "torch",
    "taeda.nn.utils.weight_norm": "UninitializedParameter",
    "taeda.nn.modules.activation": "constant_ torch xavier_normal_ xavier_uniform_",
    "taeda.nn.modules.batchnorm": "LazyModuleMixin UninitializedBuffer UninitializedParameter torch",
    "taeda.nn.modules.container": "Parameter torch",
    "taeda.nn.modules.conv":
        "F LazyModuleMixin UninitializedParameter _pair _reverse_repeat_tuple _single _size_1_t _size_2_t _size_3_t _triple torch",
    "taeda.nn.modules.flatten": "_size",
    "taeda.nn.modules.fold": "_size_any_t",
    "taeda.nn.modules.linear": "LazyModuleMixin UninitializedParameter torch",
    "taeda.nn.modules.loss": "PairwiseDistance",
    "taeda.nn.modules.module": "device dtype torch",
    "taeda.nn.modules.normalization": "Size torch",
    "taeda.nn.modules.padding": "F _ntuple _pair _quadruple _size_2_t _size_4_t _size_6_t",
    "taeda.nn.modules.pooling":
        "_pair _ratio_2_t _ratio_3_t _single _size_1_t _size_2_opt_t _size_2_t _size_3_opt_t _size_3_t _size_any_opt_t _size_any_t _triple",
    "taeda.nn.modules.rnn": "_VF torch", "taeda.nn.modules.sparse": "torch",
    "taeda.nn.modules.transformer": "torch xavier_uniform_",
    "taeda.nn.modules.upsampling": "_ratio_2_t _ratio_any_t _size_2_t _size_any_t",
    **dict.fromkeys([f"taeda.optim.{name}" for name in (
        "adadelta", "adagrad", "adam", "adamax", "asgd", "nadam", "radam", "rmsprop", "rprop", "sgd",
    )], "Optimizer ParamsT torch"),
    "taeda.optim.adamw": "ParamsT", "taeda.optim.lbfgs": "ParamsT torch", "taeda.optim.optimizer": "torch",
    "taeda.optim.lr_scheduler": "Optimizer Tensor inf",
    "taeda.optim.swa_utils": "Module torch",
    "taeda.data.dataloader": "ExceptionWrapper IterDataPipe MapDataPipe torch",
    "taeda.data.dataset": "Generator Tensor default_generator randperm",
    "taeda.data.sampler": "torch",
    "taeda.distributions.utils": "F Number _Number is_tensor_like torch",
    "taeda.distributions.transforms": "Distribution F _Number _sum_rightmost broadcast_all lazy_property pad softplus torch",
}  # fmt: skip


def borrows(name: str) -> bool:
    """Whether PyTorch's file for the module of this name has more names than the module."""
    return name in _ROOMS


def lend(module: ModuleType) -> None:
    """Let the module find what PyTorch's file of it has by import; what it has itself comes first."""
    if not borrows(module.__name__) or "_lends" in vars(module):
        return
    names, own = _ROOMS[module.__name__].split(), vars(module).get("__getattr__")

    def found(name: str) -> Any:
        if name not in names:
            return _missing(module, name, own)
        origin, part = _ORIGINS[name]
        there = sys.modules["torch"] if name == "torch" else importlib.import_module(origin)
        return getattr(there, part) if part else there

    vars(module).update(__getattr__=found, _lends=True)


def _missing(module: ModuleType, name: str, own: Callable[[str], Any] | None) -> Any:
    if own is None:
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}", name=name, obj=module)
    return own(name)
