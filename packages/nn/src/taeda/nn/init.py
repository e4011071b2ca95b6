"""Initial values of parameters, drawn as PyTorch draws them: the same seed gives the same weights.

Every function fills its tensor in place, without recording a gradient, and returns it.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import taeda
from taeda import Tensor

__all__ = [
    "calculate_gain", "constant", "constant_", "dirac", "dirac_", "eye", "eye_", "kaiming_normal", "kaiming_normal_",
    "kaiming_uniform", "kaiming_uniform_", "normal", "normal_", "ones_", "orthogonal", "orthogonal_", "sparse",
    "sparse_", "trunc_normal_", "uniform", "uniform_", "xavier_normal", "xavier_normal_", "xavier_uniform",
    "xavier_uniform_", "zeros_",
]  # fmt: skip

_LINEAR = (
    "linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
)  # fmt: skip
_NO_OP = "Initializing zero-element tensors is a no-op"


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return the factor of the standard deviation that suits an activation.

    1 for linear layers and sigmoid, 5/3 for tanh, sqrt(2) for relu, sqrt(2 / (1 + param^2)) for leaky_relu
    (param is its slope, 0.01), 3/4 for selu.

    Raises:
        ValueError: the name is not known, or param is not a number.

    >>> from taeda.nn import init
    >>> init.calculate_gain("tanh")
    1.6666666666666667
    """
    if nonlinearity in _LINEAR or nonlinearity == "sigmoid":
        return 1
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "leaky_relu":
        slope: Any = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"[calculate_gain] negative_slope {slope} not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity == "selu":
        return 3.0 / 4
    raise ValueError(
        f"[calculate_gain] Unsupported nonlinearity {nonlinearity}; it is linear, conv1d and kin, sigmoid, tanh, relu, leaky_relu or selu"
    )


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with draws from U(a, b).

    Args:
        a, b: bounds.
        generator: of the draws; the default one if None.

    >>> import taeda
    >>> from taeda import nn
    >>> bool((nn.init.uniform_(taeda.empty(3), 2.0, 3.0) >= 2).all())
    True
    """
    with taeda.no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with draws from N(mean, std^2).

    Args:
        mean, std: of the distribution.
        generator: of the draws; the default one if None.

    >>> import taeda
    >>> from taeda import nn
    >>> bool(nn.init.normal_(taeda.empty(1000), 5.0, 0.1).mean().round() == 5)
    True
    """
    with taeda.no_grad():
        return tensor.normal_(mean, std, generator=generator)


def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, generator: Any = None
) -> Tensor:
    """Fill with draws from N(mean, std^2) that lie in [a, b].

    Draws outside are drawn again: from the normal distribution where it puts more than 0.3 of its mass inside,
    else uniformly, to be kept with the probability that the density says.

    Args:
        mean, std: of the distribution before it is cut.
        a, b: bounds.
        generator: of the draws; the default one if None.

    >>> import taeda
    >>> from taeda import nn
    >>> bool((nn.init.trunc_normal_(taeda.empty(1000), std=3.0, a=-1.0, b=1.0).abs() <= 1).all())
    True
    """
    if tensor.is_meta:
        return tensor
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of values may be "
            "incorrect.",
            stacklevel=2,
        )

    def below(x: float) -> float:
        return (1.0 + math.erf((x - mean) / std / math.sqrt(2.0))) / 2.0

    with taeda.no_grad():
        if below(b) - below(a) > 0.3:
            return _normal_inside(tensor, mean, std, a, b, generator)
        return _uniform_kept(tensor, mean, std, a, b, generator)


def _normal_inside(tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Any) -> Tensor:
    # The bounds as the tensor's dtype has them, or a value equal to one could be drawn for ever.
    low, high = taeda.tensor([a, b], dtype=tensor.dtype).tolist()
    values = tensor.normal_(mean, std, generator=generator)
    while True:
        outside = (values < low) | (values > high)
        if not bool(outside.any()):
            return tensor.copy_(values) if values is not tensor else tensor
        values = taeda.where(outside, taeda.empty_like(tensor).normal_(mean, std, generator=generator), values)


def _uniform_kept(tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Any) -> Tensor:
    peak = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2
    values, waiting = tensor, None
    while True:
        drawn = taeda.empty_like(tensor).uniform_(a, b, generator=generator)
        values = drawn if waiting is None else taeda.where(waiting, drawn, values)
        log_density = (drawn - mean).div_(std).pow_(2).mul_(-0.5).sub_(peak)
        refused = taeda.empty_like(tensor).uniform_(generator=generator).log_() > log_density
        waiting = refused if waiting is None else waiting & refused
        if not bool(waiting.any()):
            return tensor.copy_(values)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with ``val``.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.init.constant_(taeda.empty(2), 0.5)
    tensor([0.5000, 0.5000])
    """
    with taeda.no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with 1.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.init.ones_(taeda.empty(2))
    tensor([1., 1.])
    """
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with 0.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.init.zeros_(taeda.empty(2))
    tensor([0., 0.])
    """
    return constant_(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """Make a 2-D tensor the identity.

    Raises:
        ValueError: the tensor is not 2-D.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.init.eye_(taeda.empty(2, 3))
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    if tensor.ndimension() != 2:
        raise ValueError(f"[eye_] Only tensors with 2 dimensions are supported, got {tensor.ndim}")
    with taeda.no_grad():
        tensor.zero_()
        tensor.diagonal().fill_(1)
    return tensor


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Make a convolution's weight one that passes its input channels on unchanged.

    Args:
        tensor: (out, in, ...) of 3 to 5 dimensions.
        groups: the same in each group of output channels.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.init.dirac_(taeda.empty(2, 2, 3)).flatten(1)
    tensor([[0., 1., 0., 0., 0., 0.],
            [0., 0., 0., 0., 1., 0.]])
    """
    if tensor.ndimension() not in (3, 4, 5):
        raise ValueError(f"[dirac_] Only tensors with 3, 4, or 5 dimensions are supported, got {tensor.ndim}")
    if tensor.shape[0] % groups:
        raise ValueError(f"[dirac_] dim 0 must be divisible by groups, got {tensor.shape[0]} and {groups}")
    out = tensor.shape[0] // groups
    middle = tuple(n // 2 for n in tensor.shape[2:])
    with taeda.no_grad():
        tensor.zero_()
        for g in range(groups):
            for d in range(min(out, tensor.shape[1])):
                tensor[(g * out + d, d, *middle)] = 1
    return tensor


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    if tensor.ndim < 2:
        raise ValueError(
            f"[init] Fan in and fan out can not be computed for tensor with fewer than 2 dimensions, got {tuple(tensor.shape)}"
        )
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def _calculate_correct_fan(tensor: Tensor, mode: str) -> int:
    modes = ["fan_in", "fan_out"]
    if mode.lower() not in modes:
        raise ValueError(f"[kaiming] Mode {mode} not supported, please use one of {modes}")
    return _calculate_fan_in_and_fan_out(tensor)[modes.index(mode.lower())]


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with U(-a, a), a = gain sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010).

    >>> import taeda
    >>> from taeda import nn
    >>> bool((nn.init.xavier_uniform_(taeda.empty(2, 4)).abs() <= 1).all())  # sqrt(6 / (4 + 2))
    True
    """
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    a = math.sqrt(3.0) * (gain * math.sqrt(2.0 / float(fan_in + fan_out)))
    return uniform_(tensor, -a, a, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with N(0, std^2), std = gain sqrt(2 / (fan_in + fan_out)) (Glorot and Bengio, 2010).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.init.xavier_normal_(taeda.empty(1000, 1000), gain=10.0).std().mul(100).round()  # 10 sqrt(2 / 2000)
    tensor(32.)
    """
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / float(fan_in + fan_out)), generator)


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Tensor:
    """Fill with U(-b, b), b = gain sqrt(3 / fan) (He et al., 2015).

    Args:
        a: slope of the leaky_relu that follows.
        mode: fan_in keeps the size of the forward signal, fan_out that of the gradients.
        nonlinearity: what follows, see ``calculate_gain``.

    >>> import taeda
    >>> from taeda import nn
    >>> bool((nn.init.kaiming_uniform_(taeda.empty(2, 3), a=5**0.5).abs() <= 3**-0.5).all())
    True
    """
    if 0 in tensor.shape:
        warnings.warn(_NO_OP, stacklevel=2)
        return tensor
    std = calculate_gain(nonlinearity, a) / math.sqrt(_calculate_correct_fan(tensor, mode))
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Tensor:
    """Fill with N(0, std^2), std = gain / sqrt(fan) (He et al., 2015); arguments as ``kaiming_uniform_``.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.init.kaiming_normal_(taeda.empty(1000, 200), nonlinearity="relu").std().mul(100).round()  # sqrt(2 / 200)
    tensor(10.)
    """
    if 0 in tensor.shape:
        warnings.warn(_NO_OP, stacklevel=2)
        return tensor
    std = calculate_gain(nonlinearity, a) / math.sqrt(_calculate_correct_fan(tensor, mode))
    return normal_(tensor, 0.0, std, generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """Fill with ``gain`` times a random (semi-)orthogonal matrix (Saxe et al., 2013).

    The matrix has the first dimension as its rows and all others as its columns.

    Raises:
        ValueError: the tensor has fewer than 2 dimensions.

    >>> import taeda
    >>> from taeda import nn
    >>> w = nn.init.orthogonal_(taeda.empty(2, 3))
    >>> bool((w @ w.T - taeda.eye(2)).abs().max() < 1e-5)
    True
    """
    if tensor.ndim < 2:
        raise ValueError(f"[orthogonal_] Only tensors with 2 or more dimensions are supported, got {tensor.ndim}")
    if tensor.numel() == 0:
        return tensor
    rows = tensor.shape[0]
    columns = tensor.numel() // rows
    with taeda.no_grad():
        drawn = tensor.new_empty((rows, columns))
        drawn.normal_(0, 1, generator=generator)
        q, r = taeda.linalg.qr(drawn.t() if rows < columns else drawn)
        q = q * r.diagonal().sign()  # the decomposition with a positive diagonal is the uniformly drawn one
        return tensor.copy_((q.t() if rows < columns else q).reshape(tensor.shape)).mul_(gain)


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Fill a matrix with N(0, std^2), and a fraction ``sparsity`` of each column with zeros (Martens, 2010).

    Args:
        tensor: a matrix.
        sparsity: the fraction, rounded up to whole elements.
        std: of the others.
        generator: of the draws; the default one if None.

    >>> import taeda
    >>> from taeda import nn
    >>> (nn.init.sparse_(taeda.empty(4, 3), sparsity=0.5) == 0).sum(0)
    tensor([2, 2, 2])
    """
    if tensor.ndimension() != 2:
        raise ValueError(f"[sparse_] Only tensors with 2 dimensions are supported, got {tensor.ndim}")
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    with taeda.no_grad():
        tensor.normal_(0, std, generator=generator)
        for column in range(columns):
            tensor[taeda.randperm(rows)[:zeros], column] = 0
    return tensor


_no_grad_uniform_, _no_grad_normal_, _no_grad_trunc_normal_, _no_grad_fill_, _no_grad_zero_ = (   # as PyTorch calls them inside
    uniform_, normal_, trunc_normal_, constant_, zeros_
)  # fmt: skip


def _deprecated(new: Callable[..., Tensor]) -> Callable[..., Tensor]:
    old = new.__name__[:-1]

    def call(*args: Any, **kwargs: Any) -> Tensor:
        warnings.warn(
            f"`nn.init.{old}` is now deprecated in favor of `nn.init.{new.__name__}`.", FutureWarning, stacklevel=2
        )
        return new(*args, **kwargs)

    call.__name__ = call.__qualname__ = old
    call.__doc__ = f"Call ``{new.__name__}`` (deprecated by PyTorch)."
    return call


uniform = _deprecated(uniform_)
normal = _deprecated(normal_)
constant = _deprecated(constant_)
eye = _deprecated(eye_)
dirac = _deprecated(dirac_)
xavier_uniform = _deprecated(xavier_uniform_)
xavier_normal = _deprecated(xavier_normal_)
kaiming_uniform = _deprecated(kaiming_uniform_)
kaiming_normal = _deprecated(kaiming_normal_)
orthogonal = _deprecated(orthogonal_)
sparse = _deprecated(sparse_)
