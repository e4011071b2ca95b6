"""Normalisation with running statistics: by batch and by instance."""

from __future__ import annotations

import warnings
from typing import Any

import taeda
from taeda import Tensor
from taeda.nn import functional as F, init
from taeda.nn.modules.module import Module
from taeda.nn.parameter import Parameter

__all__ = [
    "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d", "SyncBatchNorm",
]  # fmt: skip


class _NormBase(Module):
    """Weights, running mean and variance, and how they are kept in a state_dict."""

    __constants__ = ["track_running_stats", "momentum", "eps", "num_features", "affine"]
    _version = 2
    _dims: tuple[int, ...] = ()  # numbers of dimensions that are taken

    weight: Tensor  # None without one, as in Linear
    bias: Tensor
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        options = {"device": device, "dtype": dtype}
        self.register_parameter("weight", Parameter(taeda.empty(num_features, **options)) if affine else None)
        self.register_parameter(
            "bias", Parameter(taeda.empty(num_features, **options)) if affine and bias else None
        )
        if track_running_stats:
            self.register_buffer("running_mean", taeda.zeros(num_features, **options))
            self.register_buffer("running_var", taeda.ones(num_features, **options))
            self.register_buffer("num_batches_tracked", taeda.tensor(0, dtype=taeda.int64, device=device))
        else:
            for name in ("running_mean", "running_var", "num_batches_tracked"):
                self.register_buffer(name, None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Set the running mean to 0 and the running variance to 1."""
        if self.track_running_stats:
            assert self.running_mean is not None and self.running_var is not None
            assert self.num_batches_tracked is not None
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Reset the running statistics, and set the weights to 1 and the biases to 0."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        version = local_metadata.get("version")
        key = prefix + "num_batches_tracked"
        if (version is None or version < 2) and self.track_running_stats and key not in state_dict:
            own = self.num_batches_tracked  # files of version 1 do not have it
            fresh = own is None or own.is_meta
            state_dict[key] = taeda.tensor(0, dtype=taeda.int64) if fresh else own
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )

    def _check_input_dim(self, input: Tensor) -> None:
        if not self._dims:
            raise NotImplementedError(f"[{type(self).__name__}] _check_input_dim is the subclass's to write")
        if input.ndim not in self._dims:
            allowed = " or ".join(f"{d}D" for d in self._dims)
            raise ValueError(f"[{type(self).__name__}] expected {allowed} input (got {input.ndim}D input)")

    def _cure(self, *args: Any, **kwargs: Any) -> str | None:
        x = args[0] if args else kwargs.get("input")
        if not isinstance(x, Tensor):
            return None
        name = type(self).__name__
        if self._dims and x.ndim == self._dims[0] - 1 and x.ndim > 1 and x.shape[0] == self.num_features:
            return f"{name} got {tuple(x.shape)}, which has no batch: did you mean x.unsqueeze(0)?"
        if self._dims and x.ndim not in self._dims:
            fits = [n for n, dims in ((1, (2, 3)), (2, (4,)), (3, (5,))) if x.ndim in dims]
            return f"{name} got {tuple(x.shape)}; did you mean {name[:-2]}{fits[0]}d?" if fits else None
        if x.shape[1] != self.num_features:
            return f"{name}(num_features={self.num_features}) got {tuple(x.shape)}: dimension 1 must be the features"
        return None


class _BatchNorm(_NormBase):
    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        momentum = 0.0 if self.momentum is None else self.momentum
        if self.training and self.track_running_stats and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None and not input.is_meta:  # the plain mean over all batches
                momentum = 1.0 / float(self.num_batches_tracked)
        batch_statistics = self.training or (self.running_mean is None and self.running_var is None)
        keep = not self.training or self.track_running_stats
        return F.batch_norm(
            input,
            self.running_mean if keep else None,
            self.running_var if keep else None,
            self.weight,
            self.bias,
            batch_statistics,
            momentum,
            self.eps,
        )


class BatchNorm1d(_BatchNorm):
    """y = (x - mean) / sqrt(var + eps) weight + bias, per channel (Ioffe and Szegedy, 2015).

    Training takes mean and variance from the batch and moves the running ones towards them:
    running = (1 - momentum) running + momentum new, where the new variance is the unbiased one.
    Evaluation takes the running ones.

    Args:
        num_features: C.
        eps: added to the variance.
        momentum: None keeps the plain mean of all batches.
        affine: whether there are weight and bias.
        bias: whether a bias goes with the weight.
        track_running_stats: without it the batch's values are always used.

    Shapes:
        x, y: (B, C) or (B, C, L); weight, bias, running_mean, running_var: (C,).

    >>> import taeda
    >>> from taeda import nn
    >>> y = nn.BatchNorm1d(1)(taeda.tensor([[1.0], [3.0]]))
    >>> [round(v, 3) for v in y.flatten().tolist()]
    [-1.0, 1.0]
    """

    _dims = (2, 3)


class BatchNorm2d(_BatchNorm):
    """``BatchNorm1d`` of images: mean and variance over batch, rows and columns.

    Shapes:
        x, y: (B, C, H, W).

    Arguments are those of ``BatchNorm1d``.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.BatchNorm2d(100, affine=False)(taeda.randn(2, 100, 5, 5)).shape
    taeda.Size([2, 100, 5, 5])
    """

    _dims = (4,)


class BatchNorm3d(_BatchNorm):
    """``BatchNorm1d`` of volumes: mean and variance over batch, depth, rows and columns.

    Shapes:
        x, y: (B, C, D, H, W).

    Arguments are those of ``BatchNorm1d``.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.BatchNorm3d(4)(taeda.randn(2, 4, 3, 3, 3)).shape
    taeda.Size([2, 4, 3, 3, 3])
    """

    _dims = (5,)


class SyncBatchNorm(_BatchNorm):
    """``BatchNorm`` over the batches of all processes; of one process, which is all there are, over its own.

    Args:
        process_group: accepted; there is one process.

    Shapes:
        x, y: (B, C, ...), with at least 2 dimensions.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.SyncBatchNorm(4)(taeda.randn(2, 4, 3)).shape
    taeda.Size([2, 4, 3])
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        process_group: Any = None,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)
        self.process_group = process_group

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim < 2:
            raise ValueError(f"[SyncBatchNorm] expected at least 2D input (got {input.ndim}D input)")
        if input.shape[1] == 0:
            raise ValueError(
                f"[SyncBatchNorm] number of input channels should be non-zero, got {tuple(input.shape)}"
            )

    @classmethod
    def convert_sync_batchnorm(cls, module: Module, process_group: Any = None) -> Module:
        """Return ``module`` with every ``BatchNorm`` in it replaced by a ``SyncBatchNorm`` of the same parameters.

        >>> from taeda import nn
        >>> nn.SyncBatchNorm.convert_sync_batchnorm(nn.Sequential(nn.BatchNorm2d(3)))[0].__class__.__name__
        'SyncBatchNorm'
        """
        made = module
        if isinstance(module, _BatchNorm):
            made = cls(
                module.num_features,
                module.eps,
                module.momentum,
                module.affine,
                module.track_running_stats,
                process_group,
                bias=module.bias is not None,
            )
            for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
                setattr(made, name, getattr(module, name))  # the very tensors: an optimizer may hold them
            made.training = module.training
        for name, child in module.named_children():
            made.add_module(name, cls.convert_sync_batchnorm(child, process_group))
        return made


class _InstanceNorm(_NormBase):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def _get_no_batch_dim(self) -> int:
        if not self._dims:
            raise NotImplementedError(f"[{type(self).__name__}] _get_no_batch_dim is the subclass's to write")
        return self._dims[0]

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        unbatched = input.ndim == self._get_no_batch_dim()
        dim = 0 if unbatched else 1
        channels = input.shape[dim]
        if channels != self.num_features and not self.affine:
            warnings.warn(
                f"input's size at dim={dim} does not match num_features. You can silence this warning by not passing in num_features, "
                f"which is not used because affine=False; got {channels} and {self.num_features}",
                stacklevel=2,
            )
        elif channels != self.num_features:
            raise ValueError(
                f"[{type(self).__name__}] expected input's size at dim={dim} to match num_features ({self.num_features}), "
                f"but got: {channels}."
            )
        empty = self.training and input.numel() == 0  # has no statistics to keep
        y = F.instance_norm(
            input.unsqueeze(0) if unbatched else input,
            None if empty else self.running_mean,
            None if empty else self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            self.momentum if self.momentum is not None else 0.0,
            self.eps,
        )
        return y.squeeze(0) if unbatched else y


class InstanceNorm1d(_InstanceNorm):
    """``BatchNorm1d`` of each sample by itself (Ulyanov et al., 2016).

    Shapes:
        x, y: (B, C, L) or (C, L).

    Arguments are those of ``BatchNorm1d``, but affine and track_running_stats are False unless given.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.InstanceNorm1d(10)(taeda.randn(2, 10, 4)).shape
    taeda.Size([2, 10, 4])
    """

    _dims = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """``BatchNorm2d`` of each sample by itself (Ulyanov et al., 2016).

    Shapes:
        x, y: (B, C, H, W) or (C, H, W).

    Arguments are those of ``InstanceNorm1d``.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.InstanceNorm2d(10, affine=True)(taeda.randn(2, 10, 4, 4)).shape
    taeda.Size([2, 10, 4, 4])
    """

    _dims = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """``BatchNorm3d`` of each sample by itself (Ulyanov et al., 2016).

    Shapes:
        x, y: (B, C, D, H, W) or (C, D, H, W).

    Arguments are those of ``InstanceNorm1d``.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.InstanceNorm3d(4)(taeda.randn(2, 4, 3, 3, 3)).shape
    taeda.Size([2, 4, 3, 3, 3])
    """

    _dims = (4, 5)
