"""Activations as layers."""

from __future__ import annotations

import warnings
from typing import Any

import taeda
from taeda import Tensor, ops
from taeda.nn import functional as F
from taeda.nn.modules.linear import NonDynamicallyQuantizableLinear  # noqa: F401 (copies of MultiheadAttention take it from here)
from taeda.nn.modules.module import Module
from taeda.nn.parameter import Parameter

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "PReLU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
]  # fmt: skip


class _WithInplace(Module):
    __constants__ = ["inplace"]

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace


class _ShowsInplace(_WithInplace):
    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class ReLU(_ShowsInplace):
    """y = max(x, 0).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.ReLU()(taeda.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return input.relu_() if self.inplace else ops.relu(input)


class Hardtanh(Module):
    """y = x limited to [min_val, max_val].

    Args:
        min_val, max_val: bounds; min_value and max_value are their former names.
        inplace: write into x.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.Hardtanh(-2, 2)(taeda.tensor([-3.0, 1.0]))
    tensor([-2.,  1.])
    """

    __constants__ = ["min_val", "max_val", "inplace"]

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        super().__init__()
        for old, new, value in (("min_value", "min_val", min_value), ("max_value", "max_val", max_value)):
            if value is not None:
                warnings.warn(
                    f"keyword argument `{old}` is deprecated and renamed to `{new}`", FutureWarning, stacklevel=2
                )
        self.min_val = min_val if min_value is None else min_value
        self.max_val = max_val if max_value is None else max_value
        self.inplace = inplace
        if self.max_val <= self.min_val:
            raise AssertionError(
                f"[Hardtanh] max_val must be larger than min_val, got {self.max_val} and {self.min_val}"
            )

    def forward(self, input: Tensor) -> Tensor:
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        return f"min_val={self.min_val}, max_val={self.max_val}" + (", inplace=True" if self.inplace else "")


class ReLU6(Hardtanh):
    """y = min(max(x, 0), 6).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.ReLU6()(taeda.tensor([-1.0, 9.0]))
    tensor([0., 6.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class RReLU(Module):
    """y = x where x > 0, else a x; a is drawn from U(lower, upper) in training, else their mean.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.RReLU(0.5, 0.5).eval()(taeda.tensor([-1.0, 2.0]))
    tensor([-0.5000,  2.0000])
    """

    __constants__ = ["lower", "upper", "inplace"]

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False) -> None:
        super().__init__()
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"lower={self.lower}, upper={self.upper}" + (", inplace=True" if self.inplace else "")


class _WithAlpha(_WithInplace):
    __constants__ = ["alpha", "inplace"]

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class ELU(_WithAlpha):
    """y = x where x > 0, else alpha (exp(x) - 1) (Clevert et al., 2016).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.ELU()(taeda.tensor([-1.0, 1.0]))
    tensor([-0.6321,  1.0000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.elu(input, self.alpha, self.inplace)


class CELU(_WithAlpha):
    """y = max(0, x) + min(0, alpha (exp(x / alpha) - 1)) (Barron, 2017).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.CELU()(taeda.tensor([-1.0, 1.0]))
    tensor([-0.6321,  1.0000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.celu(input, self.alpha, self.inplace)


class LeakyReLU(Module):
    """y = x where x > 0, else negative_slope x.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.LeakyReLU(0.5)(taeda.tensor([-1.0, 2.0]))
    tensor([-0.5000,  2.0000])
    """

    __constants__ = ["inplace", "negative_slope"]

    def __init__(self, negative_slope: float = 1e-2, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}" + (", inplace=True" if self.inplace else "")


class PReLU(Module):
    """y = x where x > 0, else a x, with a learned, one for all or one per channel (He et al., 2015).

    Args:
        num_parameters: 1, or the channels in dimension 1.
        init: the first value of a.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.PReLU()(taeda.tensor([-4.0, 1.0])).tolist()
    [-1.0, 1.0]
    """

    __constants__ = ["num_parameters"]
    weight: Tensor

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(taeda.empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the slopes to their first value."""
        with taeda.no_grad():
            self.weight.fill_(self.init)

    def forward(self, input: Tensor) -> Tensor:
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class Threshold(Module):
    """y = x where x > threshold, else value.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.Threshold(0, 20)(taeda.tensor([-1.0, 2.0]))
    tensor([20.,  2.])
    """

    __constants__ = ["threshold", "value", "inplace"]

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        return f"threshold={self.threshold}, value={self.value}" + (", inplace=True" if self.inplace else "")


class GELU(Module):
    """y = x P(X <= x) with X from N(0, 1) (Hendrycks and Gimpel, 2016).

    Args:
        approximate: "none", or "tanh" for x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.GELU()(taeda.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8413])
    """

    __constants__ = ["approximate"]

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return F.gelu(input, approximate=self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class GLU(Module):
    """y = a sigmoid(b), where a and b are the halves of x along ``dim`` (Dauphin et al., 2017).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.GLU()(taeda.tensor([4.0, 0.0]))
    tensor([2.])
    """

    __constants__ = ["dim"]

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.glu(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softplus(Module):
    """y = log(1 + exp(beta x)) / beta, and x itself where beta x > threshold.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.Softplus()(taeda.tensor([0.0, 30.0]))
    tensor([ 0.6931, 30.0000])
    """

    __constants__ = ["beta", "threshold"]

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class _Shrink(Module):
    __constants__ = ["lambd"]

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def extra_repr(self) -> str:
        return str(self.lambd)


class Hardshrink(_Shrink):
    """y = x where abs(x) > lambd, else 0.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.Hardshrink()(taeda.tensor([0.25, 1.0]))
    tensor([0., 1.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.hardshrink(input, self.lambd)


class Softshrink(_Shrink):
    """y = x moved by lambd towards 0, and 0 where it would cross.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.Softshrink()(taeda.tensor([0.25, 1.0]))
    tensor([0.0000, 0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softshrink(input, self.lambd)


class _AlongDim(Module):
    __constants__ = ["dim"]

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.__dict__.setdefault("dim", None)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(_AlongDim):
    """y_i = exp(x_i) / sum_j exp(x_j) along ``dim``.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.Softmax(dim=0)(taeda.zeros(2))
    tensor([0.5000, 0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softmax(input, self.dim, _stacklevel=5)


class Softmin(_AlongDim):
    """y = softmax(-x) along ``dim``.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.Softmin(dim=0)(taeda.zeros(2))
    tensor([0.5000, 0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softmin(input, self.dim, _stacklevel=5)


class LogSoftmax(_AlongDim):
    """y = log(softmax(x)) along ``dim``, without overflow.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.LogSoftmax(dim=0)(taeda.zeros(2))
    tensor([-0.6931, -0.6931])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.log_softmax(input, self.dim, _stacklevel=5)


class Softmax2d(Module):
    """Softmax over the channels of each position of (B, C, H, W) or (C, H, W).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.Softmax2d()(taeda.zeros(1, 2, 1, 1)).flatten()
    tensor([0.5000, 0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in (3, 4):
            raise ValueError(f"[Softmax2d] expected input to be 3D or 4D, got {input.ndim}D instead")
        return F.softmax(input, -3, _stacklevel=5)


class SELU(_ShowsInplace):
    """y = s (max(0, x) + min(0, a (exp(x) - 1))), s = 1.0507 and a = 1.6733 (Klambauer et al., 2017).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.SELU()(taeda.tensor([1.0]))
    tensor([1.0507])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.selu(input, self.inplace)


class SiLU(_ShowsInplace):
    """y = x sigmoid(x), also called swish.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.SiLU()(taeda.tensor([1.0]))
    tensor([0.7311])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.silu(input, self.inplace)


class Mish(_ShowsInplace):
    """y = x tanh(softplus(x)) (Misra, 2019).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.Mish()(taeda.tensor([1.0]))
    tensor([0.8651])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.mish(input, self.inplace)


class Hardsigmoid(_WithInplace):
    """y = min(max(x + 3, 0), 6) / 6.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.Hardsigmoid()(taeda.tensor([-9.0, 0.0]))
    tensor([0.0000, 0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.hardsigmoid(input, self.inplace)


class Hardswish(_WithInplace):
    """y = x min(max(x + 3, 0), 6) / 6 (Howard et al., 2019).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.Hardswish()(taeda.tensor([3.0]))
    tensor([3.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.hardswish(input, self.inplace)


class Sigmoid(Module):
    """y = 1 / (1 + exp(-x)).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.Sigmoid()(taeda.tensor([0.0]))
    tensor([0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return ops.sigmoid(input)


class Tanh(Module):
    """y = tanh(x).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.Tanh()(taeda.tensor([0.0]))
    tensor([0.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return ops.tanh(input)


class LogSigmoid(Module):
    """y = log(1 / (1 + exp(-x))), without overflow.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.LogSigmoid()(taeda.tensor([0.0]))
    tensor([-0.6931])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.logsigmoid(input)


class Softsign(Module):
    """y = x / (1 + abs(x)).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.Softsign()(taeda.tensor([1.0]))
    tensor([0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softsign(input)


class Tanhshrink(Module):
    """y = x - tanh(x).

    >>> import taeda
    >>> from taeda import nn
    >>> nn.Tanhshrink()(taeda.tensor([0.0]))
    tensor([0.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.tanhshrink(input)
