"""Batch norm folded into the layer before it, for evaluation."""

from __future__ import annotations

import copy
from typing import TypeVar

import taeda
from taeda import Tensor
from taeda.nn.modules.batchnorm import _BatchNorm
from taeda.nn.modules.conv import _ConvNd
from taeda.nn.modules.linear import Linear
from taeda.nn.parameter import Parameter

__all__ = ["fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"]

C = TypeVar("C", bound=_ConvNd)
L = TypeVar("L", bound=Linear)


def _check(op: str, layer: C | L, bn: _BatchNorm) -> tuple[Tensor, Tensor]:
    """Return the running mean and variance of a norm that a layer can be fused with."""
    if layer.training or bn.training:
        raise AssertionError(f"[{op}] Fusion only for eval! Call .eval() on both modules first")
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError(f"[{op}] bn.running_mean and bn.running_var must not be None")
    return bn.running_mean, bn.running_var


def fuse_conv_bn_eval(conv: C, bn: _BatchNorm, transpose: bool = False) -> C:
    """Return a convolution that does what ``conv`` and then ``bn`` do in evaluation.

    Args:
        transpose: conv is a transposed convolution.

    Raises:
        AssertionError: one of them is in training mode, or bn keeps no statistics.

    >>> import taeda
    >>> from taeda import nn
    >>> conv, bn, x = nn.Conv2d(3, 4, 3).eval(), nn.BatchNorm2d(4).eval(), taeda.randn(1, 3, 5, 5)
    >>> taeda.allclose(nn.utils.fuse_conv_bn_eval(conv, bn)(x), bn(conv(x)), atol=1e-5)
    True
    """
    mean, var = _check("fuse_conv_bn_eval", conv, bn)
    fused = copy.deepcopy(conv)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight, fused.bias, mean, var, bn.eps, bn.weight, bn.bias, transpose
    )
    return fused


def fuse_conv_bn_weights(
    conv_w: Tensor,
    conv_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """Return weight and bias of the convolution that ``fuse_conv_bn_eval`` makes.

    Args:
        conv_w, conv_b: weight and bias of the convolution.
        bn_rm, bn_rv: running mean and variance, (C,).
        bn_eps: added to the variance.
        bn_w, bn_b: weight and bias of the batch norm, (C,).
        transpose: the output channels are the weight's dimension 1.

    >>> import taeda
    >>> from taeda import nn
    >>> one = taeda.ones(1)
    >>> w, b = nn.utils.fuse_conv_bn_weights(taeda.ones(1, 1, 1), None, one, 4 * one, 0.0, 4 * one, one)
    >>> w.item(), b.item()
    (2.0, -1.0)
    """
    bias_dtype = conv_w.dtype if conv_b is None else conv_b.dtype
    conv_b = taeda.zeros_like(bn_rm) if conv_b is None else conv_b
    bn_w = taeda.ones_like(bn_rm) if bn_w is None else bn_w
    bn_b = taeda.zeros_like(bn_rm) if bn_b is None else bn_b
    factor = taeda.rsqrt(bn_rv + bn_eps)
    shape = [1] * conv_w.ndim
    shape[1 if transpose else 0] = -1
    weight = (conv_w * (bn_w * factor).reshape(shape)).to(dtype=conv_w.dtype)
    bias = ((conv_b - bn_rm) * factor * bn_w + bn_b).to(dtype=bias_dtype)
    return Parameter(weight, conv_w.requires_grad), Parameter(bias, conv_b.requires_grad)


def fuse_linear_bn_eval(linear: L, bn: _BatchNorm) -> L:
    """Return a linear layer that does what ``linear`` and then ``bn`` do in evaluation.

    Raises:
        AssertionError: one of them is in training mode, bn keeps no statistics, or its features are not linear's.

    >>> import taeda
    >>> from taeda import nn
    >>> linear, bn, x = nn.Linear(3, 4).eval(), nn.BatchNorm1d(4).eval(), taeda.randn(2, 3)
    >>> taeda.allclose(nn.utils.fuse_linear_bn_eval(linear, bn)(x), bn(linear(x)), atol=1e-5)
    True
    """
    mean, var = _check("fuse_linear_bn_eval", linear, bn)
    if bn.num_features not in (1, linear.out_features):
        raise AssertionError(
            "[fuse_linear_bn_eval] To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got "
            f"linear.out_features={linear.out_features} and bn.num_features={bn.num_features}"
        )
    fused = copy.deepcopy(linear)
    fused.weight, fused.bias = fuse_linear_bn_weights(
        fused.weight, fused.bias, mean, var, bn.eps, bn.weight, bn.bias
    )
    return fused


def fuse_linear_bn_weights(
    linear_w: Tensor,
    linear_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
) -> tuple[Parameter, Parameter]:
    """Return weight and bias of the layer that ``fuse_linear_bn_eval`` makes.

    Arguments as ``fuse_conv_bn_weights``: with s = bn_w / sqrt(bn_rv + bn_eps), the weight is s W and the bias s (b - bn_rm) + bn_b.

    >>> import taeda
    >>> from taeda.nn.utils.fusion import fuse_linear_bn_weights
    >>> one = taeda.ones(2)
    >>> w, b = fuse_linear_bn_weights(taeda.eye(2), None, bn_rm=one, bn_rv=4 * one, bn_eps=0.0, bn_w=one, bn_b=0 * one)
    >>> w.tolist(), b.tolist()
    ([[0.5, 0.0], [0.0, 0.5]], [-0.5, -0.5])
    """
    bias_dtype = linear_w.dtype if linear_b is None else linear_b.dtype
    linear_b = taeda.zeros_like(bn_rm) if linear_b is None else linear_b
    bn_w = taeda.ones_like(bn_rm) if bn_w is None else bn_w
    bn_b = taeda.zeros_like(bn_rm) if bn_b is None else bn_b
    scale = bn_w * taeda.rsqrt(bn_rv + bn_eps)
    weight = linear_w * scale.unsqueeze(-1).to(dtype=linear_w.dtype)
    bias = ((linear_b - bn_rm) * scale + bn_b).to(dtype=bias_dtype)
    return Parameter(weight, linear_w.requires_grad), Parameter(bias, linear_b.requires_grad)
