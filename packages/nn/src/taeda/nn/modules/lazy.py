"""Layers that learn the size of their input from the first one they are given."""

from __future__ import annotations

import itertools
from typing import Any

import taeda
from taeda import Tensor
from taeda.nn.modules.batchnorm import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
    _InstanceNorm,
    _NormBase,
)
from taeda.nn.modules.conv import (
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
    _ConvNd,
)
from taeda.nn.modules.linear import Linear
from taeda.nn.modules.module import Module
from taeda.nn.parameter import UninitializedBuffer, UninitializedParameter, is_lazy

__all__ = [
    "LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d", "LazyConv1d", "LazyConv2d", "LazyConv3d",
    "LazyConvTranspose1d", "LazyConvTranspose2d", "LazyConvTranspose3d", "LazyInstanceNorm1d", "LazyInstanceNorm2d",
    "LazyInstanceNorm3d", "LazyLinear",
]  # fmt: skip


class LazyModuleMixin(Module):
    """What makes a module lazy: its parameters get their shapes in the first call.

    A subclass names it before the class that it makes lazy, gives uninitialised parameters in ``__init__`` and
    their shapes in ``initialize_parameters``, which is given what ``forward`` is called with.  The first call then
    turns the module into ``cls_to_become``, if there is one.  Loading a state_dict gives the shapes too.

    >>> import taeda
    >>> from taeda import nn
    >>> class LazyScale(nn.modules.lazy.LazyModuleMixin, nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = nn.UninitializedParameter()
    ...     def initialize_parameters(self, x):
    ...         if self.has_uninitialized_params():
    ...             self.factor.materialize(x.shape[-1:])
    ...             nn.init.ones_(self.factor)
    ...     def forward(self, x):
    ...         return self.factor * x
    >>> LazyScale()(taeda.arange(3.0)).tolist()
    [0.0, 1.0, 2.0]
    """

    cls_to_become: type[Any] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._load_hook = self._register_load_state_dict_pre_hook(self._lazy_load_hook)
        self._initialize_hook = self.register_forward_pre_hook(self._infer_parameters, with_kwargs=True)

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Give the parameters their shapes and first values; every subclass writes its own."""
        raise NotImplementedError(f"[LazyModuleMixin] initialize_parameters is not implemented for {type(self).__name__}")

    def has_uninitialized_params(self) -> bool:
        """Say whether a parameter or buffer of this module, without its children, has no shape yet."""
        return any(is_lazy(t) for t in (*self._parameters.values(), *self._buffers.values()))

    def _infer_parameters(self, module: Any, args: Any, kwargs: Any = None) -> None:
        module.initialize_parameters(*args, **(kwargs or {}))
        if module.has_uninitialized_params():
            raise RuntimeError(f"[LazyModuleMixin] module {self._get_name()} has not been fully initialized; its initialize_parameters "
                               "must give every parameter its shape")
        module._initialize_hook.remove()
        module._load_hook.remove()
        del module._initialize_hook, module._load_hook
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        kept = {k: v for k, v in self._buffers.items() if k not in self._non_persistent_buffers_set}
        for name, t in (*self._parameters.items(), *kept.items()):
            if t is not None:
                destination[prefix + name] = t if keep_vars or is_lazy(t) else t.detach()

    def _lazy_load_hook(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        """Give what has no shape that of the tensor which is going to be loaded into it."""
        for name, t in itertools.chain(self._parameters.items(), self._buffers.items()):
            given = state_dict.get(prefix + name)
            if t is not None and given is not None and is_lazy(t) and not is_lazy(given):
                with taeda.no_grad():
                    t.materialize(given.shape)


class LazyLinear(LazyModuleMixin, Linear):
    """``Linear`` that takes in_features from its first input.

    Args:
        out_features: size of the last dimension of y.
        bias: whether there is a b.

    >>> import taeda
    >>> from taeda import nn
    >>> layer = nn.LazyLinear(3)
    >>> layer
    LazyLinear(in_features=0, out_features=3, bias=True)
    >>> _ = layer(taeda.randn(2, 5))
    >>> layer
    Linear(in_features=5, out_features=3, bias=True)
    """

    cls_to_become = Linear

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__(0, 0, False)
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.out_features = out_features
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self) -> None:
        """Draw the weights anew, once they have a shape."""
        if not self.has_uninitialized_params() and self.in_features != 0:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        """Take in_features from ``input`` and draw the weights."""
        if self.has_uninitialized_params():
            with taeda.no_grad():
                self.in_features = input.shape[-1]
                self.weight.materialize((self.out_features, self.in_features))
                if self.bias is not None:
                    self.bias.materialize((self.out_features,))
                self.reset_parameters()
        if self.in_features == 0:  # the weights were loaded
            if input.shape[-1] != self.weight.shape[-1]:
                raise AssertionError(
                    f"[LazyLinear] The in_features inferred from input: {input.shape[-1]} is not equal to in_features "
                    f"from self.weight: {self.weight.shape[-1]}"
                )
            self.in_features = input.shape[-1]


class _LazyConvNd(LazyModuleMixin, _ConvNd):
    """What lazy convolutions share: in_channels comes from the first input."""

    def _make_lazy(self, out_channels: int, bias: bool, device: Any, dtype: Any) -> None:
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.out_channels = out_channels
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self) -> None:
        """Draw the weights anew, once they have a shape."""
        if not self.has_uninitialized_params() and self.in_channels != 0:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor, *args: Any, **kwargs: Any) -> None:
        """Take in_channels from ``input`` and draw the weights."""
        loaded = not self.has_uninitialized_params()
        if self.in_channels == 0:
            self.in_channels = self._get_in_channels(input)
        if not loaded:
            name = type(self).__name__
            if self.in_channels % self.groups:
                raise ValueError(
                    f"[{name}] in_channels must be divisible by groups; got {self.in_channels} and {self.groups}"
                )
            first, second = self.out_channels, self.in_channels
            if self.transposed:
                first, second = second, first
            self.weight.materialize((first, second // self.groups, *self.kernel_size))
            if self.bias is not None:
                self.bias.materialize((self.out_channels,))
            self.reset_parameters()

    def _cure(self, *args: Any, **kwargs: Any) -> str | None:
        return super()._cure(*args, **kwargs) if self.in_channels else None

    def _get_in_channels(self, input: Tensor) -> int:
        n = len(self.kernel_size)
        if input.ndim not in (n + 1, n + 2):
            raise RuntimeError(
                f"[{type(self).__name__}] Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to "
                f"{type(self).__name__}, but got input of size: {input.shape}"
            )
        return int(input.shape[-n - 1])


class _LazyConv(_LazyConvNd):
    def __init__(
        self,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(0, 0, kernel_size, stride, padding, dilation, groups, False, padding_mode)
        self._make_lazy(out_channels, bias, device, dtype)


class _LazyConvTranspose(_LazyConvNd):
    def __init__(
        self,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            0, 0, kernel_size, stride, padding, output_padding, groups, False, dilation, padding_mode
        )
        self._make_lazy(out_channels, bias, device, dtype)


class LazyConv1d(_LazyConv, Conv1d):
    """``Conv1d`` that takes in_channels from its first input; arguments as there, without the first.

    >>> import taeda
    >>> from taeda import nn
    >>> layer = nn.LazyConv1d(8, 3)
    >>> _ = layer(taeda.randn(2, 4, 9))
    >>> layer
    Conv1d(4, 8, kernel_size=(3,), stride=(1,))
    """

    cls_to_become = Conv1d


class LazyConv2d(_LazyConv, Conv2d):
    """``Conv2d`` that takes in_channels from its first input; arguments as there, without the first.

    >>> import taeda
    >>> from taeda import nn
    >>> layer = nn.LazyConv2d(8, 3)
    >>> _ = layer(taeda.randn(1, 3, 6, 6))
    >>> layer
    Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1))
    """

    cls_to_become = Conv2d


class LazyConv3d(_LazyConv, Conv3d):
    """``Conv3d`` that takes in_channels from its first input; arguments as there, without the first.

    >>> import taeda
    >>> from taeda import nn
    >>> layer = nn.LazyConv3d(8, 2)
    >>> _ = layer(taeda.randn(1, 3, 4, 4, 4))
    >>> layer
    Conv3d(3, 8, kernel_size=(2, 2, 2), stride=(1, 1, 1))
    """

    cls_to_become = Conv3d


class LazyConvTranspose1d(_LazyConvTranspose, ConvTranspose1d):
    """``ConvTranspose1d`` that takes in_channels from its first input; arguments as there, without the first.

    >>> import taeda
    >>> from taeda import nn
    >>> layer = nn.LazyConvTranspose1d(8, 3)
    >>> _ = layer(taeda.randn(2, 4, 9))
    >>> layer
    ConvTranspose1d(4, 8, kernel_size=(3,), stride=(1,))
    """

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyConvTranspose, ConvTranspose2d):
    """``ConvTranspose2d`` that takes in_channels from its first input; arguments as there, without the first.

    >>> import taeda
    >>> from taeda import nn
    >>> layer = nn.LazyConvTranspose2d(8, 3)
    >>> _ = layer(taeda.randn(2, 4, 6, 6))
    >>> layer
    ConvTranspose2d(4, 8, kernel_size=(3, 3), stride=(1, 1))
    """

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(_LazyConvTranspose, ConvTranspose3d):
    """``ConvTranspose3d`` that takes in_channels from its first input; arguments as there, without the first.

    >>> import taeda
    >>> from taeda import nn
    >>> layer = nn.LazyConvTranspose3d(8, 2)
    >>> _ = layer(taeda.randn(1, 3, 4, 4, 4))
    >>> layer
    ConvTranspose3d(3, 8, kernel_size=(2, 2, 2), stride=(1, 1, 1))
    """

    cls_to_become = ConvTranspose3d


class _LazyNorm(LazyModuleMixin, _NormBase):
    """What lazy normalisations share: num_features comes from the first input."""

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(0, eps, momentum, False, False, bias=False)
        self.affine = affine
        self.track_running_stats = track_running_stats
        options = {"device": device, "dtype": dtype}
        if affine:
            self.weight = UninitializedParameter(**options)
            if bias:
                self.bias = UninitializedParameter(**options)
        if track_running_stats:
            self.running_mean = UninitializedBuffer(**options)
            self.running_var = UninitializedBuffer(**options)
            self.num_batches_tracked = taeda.tensor(0, dtype=taeda.int64, device=device)

    def reset_parameters(self) -> None:
        """Reset statistics, weights and biases, once they have a shape."""
        if not self.has_uninitialized_params() and self.num_features != 0:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        """Take num_features from ``input`` and set the first values."""
        loaded = not self.has_uninitialized_params()
        if self.num_features == 0:
            unbatched = isinstance(self, _InstanceNorm) and input.ndim == self._dims[0]
            self.num_features = input.shape[0 if unbatched else 1]
        if not loaded:
            for t in (self.weight, self.bias, self.running_mean, self.running_var):
                if t is not None:
                    t.materialize((self.num_features,))
            self.reset_parameters()


class LazyBatchNorm1d(_LazyNorm, BatchNorm1d):
    """``BatchNorm1d`` that takes num_features from its first input; arguments as there, without the first.

    >>> import taeda
    >>> from taeda import nn
    >>> layer = nn.LazyBatchNorm1d()
    >>> _ = layer(taeda.randn(4, 3))
    >>> layer.num_features, list(layer.state_dict())
    (3, ['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked'])
    """

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_LazyNorm, BatchNorm2d):
    """``BatchNorm2d`` that takes num_features from its first input; arguments as there, without the first.

    >>> import taeda
    >>> from taeda import nn
    >>> layer = nn.LazyBatchNorm2d()
    >>> _ = layer(taeda.randn(2, 3, 4, 4))
    >>> layer.num_features
    3
    """

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_LazyNorm, BatchNorm3d):
    """``BatchNorm3d`` that takes num_features from its first input; arguments as there, without the first.

    >>> import taeda
    >>> from taeda import nn
    >>> layer = nn.LazyBatchNorm3d()
    >>> _ = layer(taeda.randn(2, 3, 4, 4, 4))
    >>> layer.num_features
    3
    """

    cls_to_become = BatchNorm3d


class LazyInstanceNorm1d(_LazyNorm, InstanceNorm1d):
    """``InstanceNorm1d`` that takes num_features from its first input; arguments as there, without the first.

    >>> import taeda
    >>> from taeda import nn
    >>> layer = nn.LazyInstanceNorm1d()
    >>> _ = layer(taeda.randn(2, 3, 4))
    >>> layer.num_features
    3
    """

    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(_LazyNorm, InstanceNorm2d):
    """``InstanceNorm2d`` that takes num_features from its first input; arguments as there, without the first.

    >>> import taeda
    >>> from taeda import nn
    >>> layer = nn.LazyInstanceNorm2d()
    >>> _ = layer(taeda.randn(2, 3, 4, 4))
    >>> layer.num_features
    3
    """

    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(_LazyNorm, InstanceNorm3d):
    """``InstanceNorm3d`` that takes num_features from its first input; arguments as there, without the first.

    >>> import taeda
    >>> from taeda import nn
    >>> layer = nn.LazyInstanceNorm3d()
    >>> _ = layer(taeda.randn(2, 3, 4, 4, 4))
    >>> layer.num_features
    3
    """

    cls_to_become = InstanceNorm3d
