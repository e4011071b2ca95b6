"""Weight normalisation by a hook: the older form of ``parametrizations.weight_norm``."""

from __future__ import annotations

import warnings
from typing import Any, TypeVar

from taeda import Tensor, _spoken, bfloat16, float16
from taeda.nn.functional._common import need_tensors
from taeda.nn.modules.module import Module
from taeda.nn.parameter import Parameter, is_lazy

__all__ = ["WeightNorm", "norm_except_dim", "remove_weight_norm", "weight_norm"]

M = TypeVar("M", bound=Module)


def norm_except_dim(v: Tensor, pow: int = 2, dim: int = 0) -> Tensor:
    """Return the norm over all dimensions but ``dim``, which are kept; with a dim of -1 that of all, as a scalar.

    >>> import taeda
    >>> from taeda.nn.utils.weight_norm import norm_except_dim
    >>> norm_except_dim(taeda.tensor([[3.0, 4.0], [0.0, 1.0]]))
    tensor([[5.],
            [1.]])
    """
    need_tensors("norm_except_dim", v)
    if dim == -1:
        return v.norm(pow)
    if not 0 <= dim < v.ndim:
        raise IndexError(f"[norm_except_dim] dim {dim} is out of range for a tensor of shape {tuple(v.shape)}")
    others = [d for d in range(v.ndim) if d != dim]
    return v.norm(pow, others, keepdim=True) if others else v.abs()


def _weight_norm(v: Tensor, g: Tensor, dim: int = 0) -> Tensor:
    """Return g v / |v|, row-major whatever v is, as PyTorch's: a convolution goes by how its weight lies."""
    rows = v.contiguous()
    if 1 in v.shape:  # such a dimension may have any stride
        rows = rows.view(-1).view(v.shape)
    g = g.contiguous()
    if dim in (0, v.ndim - 1) and v.dtype == g.dtype and v.dtype in (float16, bfloat16):  # rounded once, as PyTorch does there
        return (rows.float() * (g.float() / norm_except_dim(v.float(), 2, dim))).to(v.dtype)
    return rows * (g / norm_except_dim(v, 2, dim))


class WeightNorm:
    """The hook: it computes w = g v / |v| before each forward."""

    def __init__(self, name: str, dim: int | None) -> None:
        self.name = name
        self.dim = -1 if dim is None else dim

    def compute_weight(self, module: Module) -> Tensor:
        """Return g v / |v|."""
        g, v = getattr(module, self.name + "_g"), getattr(module, self.name + "_v")
        return _weight_norm(v, g, self.dim)

    @staticmethod
    def apply(module: Module, name: str, dim: int | None) -> WeightNorm:
        """Replace the parameter by its length and direction and register the hook."""
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, WeightNorm) and hook.name == name:
                raise RuntimeError(f"[weight_norm] Cannot register two weight_norm hooks on the same parameter {name}")
        weight = getattr(module, name)
        if is_lazy(weight):
            raise ValueError(
                "[weight_norm] The module passed to `WeightNorm` can't have uninitialized parameters. Make sure to run the dummy forward "
                "before applying weight normalization"
            )
        made = WeightNorm(name, dim)
        del module._parameters[name]
        module.register_parameter(name + "_g", Parameter(norm_except_dim(weight, 2, made.dim).data))
        module.register_parameter(name + "_v", Parameter(weight.data))
        setattr(module, name, made.compute_weight(module))
        module.register_forward_pre_hook(made)
        return made

    def remove(self, module: Module) -> None:
        """Make the weight of this moment a parameter again."""
        weight = self.compute_weight(module)
        delattr(module, self.name)
        del module._parameters[self.name + "_g"], module._parameters[self.name + "_v"]
        setattr(module, self.name, Parameter(weight.data))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Split a weight into length ``name_g`` and direction ``name_v``: w = g v / |v| (Salimans and Kingma, 2016).

    Deprecated by PyTorch for ``parametrizations.weight_norm``, which it warns of.

    Args:
        name: of the parameter.
        dim: the dimension whose slices each have a length; None: the whole tensor has one.

    Raises:
        RuntimeError: the parameter has been split already.

    >>> import warnings
    >>> import taeda
    >>> from taeda import nn
    >>> with warnings.catch_warnings():                # PyTorch has deprecated it for nn.utils.parametrizations.weight_norm
    ...     warnings.simplefilter("ignore")
    ...     layer = nn.utils.weight_norm(nn.Linear(3, 2))
    >>> [(name, tuple(p.shape)) for name, p in layer.named_parameters()]
    [('bias', (2,)), ('weight_g', (2, 1)), ('weight_v', (2, 3))]
    """
    warnings.warn(
        _spoken.said("`taeda.nn.utils.weight_norm` is deprecated in favor of `taeda.nn.utils.parametrizations.weight_norm`."),
        FutureWarning,
        stacklevel=2,
    )
    WeightNorm.apply(module, name, dim)
    return module


def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Undo ``weight_norm``; the weight keeps its value.

    Raises:
        ValueError: the parameter is not split.

    >>> import warnings
    >>> from taeda import nn
    >>> with warnings.catch_warnings():                # PyTorch has deprecated it for nn.utils.parametrizations.weight_norm
    ...     warnings.simplefilter("ignore")
    ...     layer = nn.utils.weight_norm(nn.Linear(3, 2))
    >>> [name for name, _ in nn.utils.remove_weight_norm(layer).named_parameters()]
    ['bias', 'weight']
    """
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, WeightNorm) and hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            return module
    raise ValueError(f"[remove_weight_norm] weight_norm of '{name}' not found in {module}")
