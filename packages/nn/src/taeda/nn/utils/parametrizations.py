"""Parametrisations of weights: orthogonal, of a learned length, of spectral norm 1."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

import taeda
from taeda import Tensor, linalg
from taeda.nn import functional as F
from taeda.nn.modules.conv import _ConvNd
from taeda.nn.modules.module import Module
from taeda.nn.utils import parametrize
from taeda.nn.utils.weight_norm import _weight_norm, norm_except_dim

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


def _tensor_of(module: Module, name: str) -> Tensor:
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"[parametrizations] Module '{module}' has no parameter or buffer with name '{name}'")
    return weight


# -- orthogonal ---------------------------------------------------------------------------------------
def _is_orthogonal(q: Tensor) -> bool:
    n, k = q.shape[-2:]
    identity = taeda.eye(k, dtype=q.dtype, device=q.device)
    return taeda.allclose(q.mH @ q, identity, atol=10.0 * n * taeda.finfo(q.dtype).eps)


def _make_orthogonal(a: Tensor) -> Tensor:
    """Return Q of the QR decomposition whose R has a positive diagonal: the near orthogonal matrix of a near one."""
    x, tau = taeda.geqrf(a)
    q = linalg.householder_product(x, tau)
    return q * x.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)


class _OrthMaps(Enum):
    matrix_exp = auto()
    cayley = auto()
    householder = auto()


class _Orthogonal(Module):
    base: Tensor

    def __init__(self, weight: Tensor, orthogonal_map: _OrthMaps, *, use_trivialization: bool = True) -> None:
        super().__init__()
        if weight.is_complex() and orthogonal_map is _OrthMaps.householder:
            raise ValueError("[orthogonal] The householder parametrization does not support complex tensors.")
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, x: Tensor) -> Tensor:
        n, k = x.shape[-2:]
        wide = n < k
        if wide:
            x = x.mT
            n, k = k, n
        if self.orthogonal_map is _OrthMaps.householder:
            a = x.tril(diagonal=-1)
            tau = 2.0 / (1.0 + (a * a).sum(dim=-2))
            q = linalg.householder_product(a, tau)
            # The diagonal of x holds the signs of that of R, 1 or -1, which get no gradient.
            q = q * x.diagonal(dim1=-2, dim2=-1).int().unsqueeze(-2)
        else:
            x = x.tril()
            if n != k:
                x = taeda.cat([x, x.new_zeros((*x.shape[:-2], n, n - k))], dim=-1)
            skew = x - x.mH
            if self.orthogonal_map is _OrthMaps.matrix_exp:
                q = taeda.matrix_exp(skew)
            else:
                identity = taeda.eye(n, dtype=skew.dtype, device=skew.device)
                q = linalg.solve(identity - 0.5 * skew, identity + 0.5 * skew)
            if n != k:
                q = q[..., :k]
        if hasattr(self, "base"):
            q = self.base @ q
        return q.mT if wide else q

    @taeda.no_grad()
    def right_inverse(self, q: Tensor) -> Tensor:
        if q.shape != self.shape:
            raise ValueError(
                f"[orthogonal] Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of shape {q.shape}."
            )
        given = q
        n, k = q.shape[-2:]
        wide = n < k
        if wide:
            q = q.mT
            n, k = k, n
        if not hasattr(self, "base"):
            return self._reflectors(q, wide)
        if n == k:
            q = q.clone() if _is_orthogonal(q) else _make_orthogonal(q)
        else:  # columns that complete the matrix to a square one
            more = taeda.randn((*q.shape[:-2], n, n - k), dtype=q.dtype, device=q.device)
            q = _make_orthogonal(taeda.cat([q, more], dim=-1))
        self.base = q
        # base @ f(x) is base where f(x) is the identity: the maps take -1 on the diagonal as 0, and as the signs of R.
        identity = taeda.zeros_like(given)
        identity.diagonal(dim1=-2, dim2=-1).fill_(-1.0)
        return identity

    def _reflectors(self, q: Tensor, wide: bool) -> Tensor:
        """Return the Householder vectors of an orthogonal matrix, with the signs of R on the diagonal."""
        if self.orthogonal_map is not _OrthMaps.householder:
            raise NotImplementedError(
                "[orthogonal] It is not possible to assign to the matrix exponential or the Cayley parametrizations when "
                "use_trivialization=False."
            )
        a, tau = taeda.geqrf(q)
        diagonal = a.diagonal(dim1=-2, dim2=-1)
        signs = diagonal.sign()
        diagonal.copy_(taeda.where(tau == 0.0, -signs, signs))
        return a.mT if wide else a


def orthogonal(
    module: Module,
    name: str = "weight",
    orthogonal_map: str | None = None,
    *,
    use_trivialization: bool = True,
) -> Module:
    """Keep a matrix (or each of a batch) orthogonal or unitary; of a rectangular one the rows or the columns.

    Args:
        name: of the parameter, (..., m, n).
        orthogonal_map: "matrix_exp" exp(A), "cayley" (I + A/2)(I - A/2)^-1, both of A = X - X^H with X the lower triangle,
            or "householder", the product of reflections; None: matrix_exp for square and complex matrices, else householder.
        use_trivialization: multiply with a fixed orthogonal matrix, the one that was assigned last (Lezcano-Casado, 2019).

    Raises:
        ValueError: there is no such parameter, it is not a matrix, or orthogonal_map is none of the three.

    >>> import taeda
    >>> from taeda import nn
    >>> q = nn.utils.parametrizations.orthogonal(nn.Linear(20, 40)).weight
    >>> bool(taeda.dist(q.T @ q, taeda.eye(20)) < 1e-5)
    True
    """
    weight = _tensor_of(module, name)
    if weight.ndim < 2:
        raise ValueError(f"[orthogonal] Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions.")
    if orthogonal_map is None:
        square = weight.shape[-2] == weight.shape[-1]
        orthogonal_map = "matrix_exp" if square or weight.is_complex() else "householder"
    chosen = getattr(_OrthMaps, orthogonal_map, None)
    if chosen is None:
        raise ValueError(
            f'[orthogonal] orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: {orthogonal_map}'
        )
    parametrization = _Orthogonal(weight, chosen, use_trivialization=use_trivialization)
    return parametrize.register_parametrization(module, name, parametrization, unsafe=True)


# -- weight norm --------------------------------------------------------------------------------------
class _WeightNorm(Module):
    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return _weight_norm(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return norm_except_dim(weight, 2, self.dim), weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Split a weight into length and direction: w = g v / |v| (Salimans and Kingma, 2016).

    ``original0`` is g, ``original1`` is v.  State_dicts of ``nn.utils.weight_norm`` are understood.

    Args:
        name: of the parameter.
        dim: the dimension whose slices each have a length; None: the whole tensor has one.

    >>> from taeda import nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(20, 40))
    >>> layer.parametrizations.weight.original0.shape
    taeda.Size([40, 1])
    """
    parametrize.register_parametrization(module, name, _WeightNorm(dim), unsafe=True)
    module._register_load_state_dict_pre_hook(_FromWeightNorm(name))
    return module


class _FromWeightNorm:
    """Rename weight_g and weight_v, as the older form has them, before a state_dict is loaded."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        keys = [f"{prefix}{self.name}{end}" for end in ("_g", "_v")]
        if all(key in state_dict for key in keys):
            for i, key in enumerate(keys):
                state_dict[f"{prefix}parametrizations.{self.name}.original{i}"] = state_dict.pop(key)


# -- spectral norm ------------------------------------------------------------------------------------
class _SpectralNorm(Module):
    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        ndim = weight.ndim
        if not -ndim <= dim < ndim:
            raise IndexError(
                f"[spectral_norm] Dimension out of range (expected to be in range of [-{ndim}, {ndim - 1}] but got {dim})"
            )
        if n_power_iterations <= 0:
            raise ValueError(
                f"[spectral_norm] Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.dim = dim % ndim
        self.eps = eps
        if ndim > 1:
            self.n_power_iterations = n_power_iterations
            matrix = self._reshape_weight_to_matrix(weight)
            for name, size in zip(("_u", "_v"), matrix.shape, strict=True):
                start = matrix.new_empty(size).normal_(0, 1)
                self.register_buffer(name, F.normalize(start, dim=0, eps=eps))
            self._power_method(matrix, 15)

    def _reshape_weight_to_matrix(self, weight: Tensor) -> Tensor:
        if self.dim != 0:
            weight = weight.permute(self.dim, *(d for d in range(weight.ndim) if d != self.dim))
        return weight.flatten(1)

    @taeda.no_grad()
    def _power_method(self, matrix: Tensor, n: int) -> None:
        """Move u and v towards the first singular vectors, in place."""
        for _ in range(n):
            self._u.copy_(F.normalize(taeda.mv(matrix, self._v), dim=0, eps=self.eps))
            self._v.copy_(F.normalize(taeda.mv(matrix.mH, self._u), dim=0, eps=self.eps))

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = self._reshape_weight_to_matrix(weight)
        if self.training:
            self._power_method(matrix, self.n_power_iterations)
        # Copies: the next forward changes the buffers in place, and backward must find these.
        u, v = self._u.clone(), self._v.clone()
        return weight / taeda.vdot(u, taeda.mv(matrix, v))

    def right_inverse(self, value: Tensor) -> Tensor:
        return value


def spectral_norm(
    module: Module,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Module:
    """Divide a weight by its largest singular value, which is followed by power iteration (Miyato et al., 2018).

    Args:
        name: of the parameter.
        n_power_iterations: steps in each forward of training.
        eps: least norm of a vector that is normalised.
        dim: of the outputs; None: 1 for transposed convolutions, else 0.

    >>> import taeda
    >>> from taeda import nn
    >>> layer = nn.utils.parametrizations.spectral_norm(nn.Linear(20, 40))
    >>> 0.8 < taeda.linalg.matrix_norm(layer.weight, 2).item() < 1.2
    True
    """
    weight = _tensor_of(module, name)
    if dim is None:
        dim = 1 if isinstance(module, _ConvNd) and module.transposed else 0
    return parametrize.register_parametrization(
        module, name, _SpectralNorm(weight, n_power_iterations, dim, eps)
    )
