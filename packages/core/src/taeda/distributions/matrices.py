"""Distributions whose values or parameters are matrices: Wishart, factors of correlation matrices, normal vectors."""

from __future__ import annotations

import math
import warnings
from typing import Any

import taeda
from taeda.distributions import constraints
from taeda.distributions.distribution import LOG_2PI, Distribution, broadcast_all, lazy_property, standard_normal
from taeda.distributions.exponential_family import ExponentialFamily
from taeda.distributions.gamma_family import Beta, Chi2
from taeda.tensor import Tensor

__all__ = ["LKJCholesky", "LowRankMultivariateNormal", "MultivariateNormal", "Wishart"]


class LKJCholesky(Distribution):
    """Factors L of correlation matrices of the density det(L L^T)^(concentration - 1), drawn row by row (the onion method).

    Args:
        dim: the size n of the matrices, from 2 on.
        concentration: 1 for the same density everywhere; larger: nearer to the identity.

    Raises ValueError for dim below 2.  Source: Lewandowski, Kurowicka and Joe, 2009, "Generating random correlation matrices
    based on vines and extended onion method".

    >>> import taeda
    >>> from taeda.distributions import LKJCholesky
    >>> L = LKJCholesky(3, 0.5).sample()
    >>> bool((L.square().sum(-1) - 1).abs().max() < 1e-5)
    True
    """

    arg_constraints = {"concentration": constraints.positive}
    support = constraints.corr_cholesky

    def __init__(self, dim: int, concentration: Any = 1.0, validate_args: bool | None = None) -> None:
        if dim < 2:
            raise ValueError(f"[LKJCholesky] Expected dim to be an integer greater than or equal to 2. Found dim={dim}.")
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        super().__init__(self.concentration.shape, (dim, dim), validate_args)
        like: dict[str, Any] = {"dtype": self.concentration.dtype, "device": self.concentration.device}
        offset = taeda.cat([taeda.zeros(1, **like), taeda.arange(dim - 1, **like)])
        self._beta = Beta(offset + 0.5, (self.concentration + 0.5 * (dim - 2)).unsqueeze(-1) - 0.5 * offset)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        made = self._get_checked_instance(LKJCholesky, _instance)
        made.dim, made._beta = self.dim, self._beta.expand((*batch_shape, self.dim))
        return super().expand(batch_shape, made)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with taeda.no_grad():
            lengths = self._beta.sample(sample_shape).unsqueeze(-1)
            normal = taeda.randn(self._extended(sample_shape), dtype=lengths.dtype).tril(-1)
            directions = normal / normal.norm(dim=-1, keepdim=True)
            directions[..., 0, :].fill_(0.0)                    # 0 / 0 there
            w = lengths.sqrt() * directions
            rest = (1 - (w**2).sum(-1)).clamp(min=taeda.finfo(w.dtype).tiny).sqrt()
            return w + rest.diag_embed()

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        n, m = self.dim, self.dim - 1
        diagonal = value.diagonal(dim1=-1, dim2=-2)[..., 1:]
        order = 2 * (self.concentration - 1).unsqueeze(-1) + n - taeda.arange(2, n + 1, device=value.device)
        alpha = self.concentration + 0.5 * m
        constant = 0.5 * m * math.log(math.pi) + taeda.mvlgamma(alpha - 0.5, m) - alpha.lgamma() * m
        return (order * diagonal.log()).sum(-1) - constant


class _NormalVectors(Distribution):
    """N(loc, S) for vectors, by what a class says of S: half the logarithm of its determinant, and distances."""

    loc: Tensor

    def _half_log_det(self) -> Tensor:
        raise NotImplementedError

    def _distance(self, away: Tensor) -> Tensor:
        """Return away^T S^-1 away."""
        raise NotImplementedError

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return -0.5 * (self._event_shape[0] * LOG_2PI + self._distance(value - self.loc)) - self._half_log_det()

    def entropy(self) -> Tensor:
        found = 0.5 * self._event_shape[0] * (1.0 + LOG_2PI) + self._half_log_det()
        return found.expand(self._batch_shape)


class LowRankMultivariateNormal(_NormalVectors):
    """N(loc, W W^T + D) for vectors, W of few columns and D diagonal: everything costs n m^2 for n x m factors.

    Args:
        loc: (..., n).
        cov_factor: W, (..., n, m).
        cov_diag: the diagonal of D, (..., n), positive.

    Raises ValueError where the shapes do not fit.

    >>> import taeda
    >>> from taeda.distributions import LowRankMultivariateNormal
    >>> d = LowRankMultivariateNormal(taeda.zeros(2), taeda.tensor([[1.0], [0.0]]), taeda.ones(2))
    >>> d.variance, d.log_prob(taeda.zeros(2))
    (tensor([2., 1.]), tensor(-2.1845))
    """

    arg_constraints = {
        "loc": constraints.real_vector, "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }  # fmt: skip
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc: Tensor, cov_factor: Tensor, cov_diag: Tensor, validate_args: bool | None = None) -> None:
        name = "[LowRankMultivariateNormal]"
        if loc.dim() < 1:
            raise ValueError(f"{name} loc must be at least one-dimensional.")
        event = tuple(loc.shape[-1:])
        if cov_factor.dim() < 2:
            raise ValueError(f"{name} cov_factor must be at least two-dimensional, with optional leading batch dimensions")
        if tuple(cov_factor.shape[-2:-1]) != event:
            raise ValueError(f"{name} cov_factor must be a batch of matrices with shape {event[0]} x m, got {tuple(cov_factor.shape)}")
        if tuple(cov_diag.shape[-1:]) != event:
            raise ValueError(f"{name} cov_diag must be a batch of vectors with shape {event}, got {tuple(cov_diag.shape)}")
        try:
            batch = taeda.broadcast_shapes(loc.shape[:-1], cov_factor.shape[:-2], cov_diag.shape[:-1])
        except RuntimeError as error:
            raise ValueError(
                f"{name} Incompatible batch shapes: loc {loc.shape}, cov_factor {cov_factor.shape}, cov_diag {cov_diag.shape}"
            ) from error
        self.loc, self.cov_diag = loc.expand((*batch, -1)), cov_diag.expand((*batch, -1))
        self.cov_factor = cov_factor.expand((*batch, *cov_factor.shape[-2:]))
        self._capacitance_tril = _batch_capacitance_tril(cov_factor, cov_diag)
        self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag = cov_factor, cov_diag
        super().__init__(batch, event, validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        made = self._get_checked_instance(LowRankMultivariateNormal, _instance)
        made.loc, made.cov_diag = (x.expand((*batch_shape, *self._event_shape)) for x in (self.loc, self.cov_diag))
        made.cov_factor = self.cov_factor.expand((*batch_shape, *self.cov_factor.shape[-2:]))
        made._capacitance_tril = self._capacitance_tril
        made._unbroadcasted_cov_factor, made._unbroadcasted_cov_diag = self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag
        return self._finish_expanding(made, batch_shape)

    @lazy_property
    def variance(self) -> Tensor:
        return (self.cov_factor.pow(2).sum(-1) + self.cov_diag).expand(self._batch_shape + self._event_shape)

    @property
    def scale_tril(self) -> Tensor:
        """The lower triangular factor of the covariance."""
        root = self.cov_diag.sqrt().unsqueeze(-1)
        scaled = self.cov_factor / root
        inner = scaled @ scaled.mT + taeda.eye(scaled.shape[-2], dtype=scaled.dtype)       # better conditioned than the covariance
        return root * taeda.linalg.cholesky(inner)

    @property
    def covariance_matrix(self) -> Tensor:
        """W W^T + D."""
        return self.cov_factor @ self.cov_factor.mT + self.cov_diag.diag_embed()

    @property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance, by Woodbury's formula."""
        turned = self.cov_factor.mT / self.cov_diag.unsqueeze(-2)
        half = taeda.linalg.solve_triangular(self._capacitance_tril, turned, upper=False)
        return self.cov_diag.reciprocal().diag_embed() - half.mT @ half

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended(sample_shape)
        along = standard_normal(tuple(shape[:-1]) + tuple(self.cov_factor.shape[-1:]), self.loc)
        each = standard_normal(shape, self.loc)
        return self.loc + (self.cov_factor @ along.unsqueeze(-1)).squeeze(-1) + self.cov_diag.sqrt() * each

    def _half_log_det(self) -> Tensor:
        return _half_log_det_low_rank(self.cov_diag, self._capacitance_tril)

    def _distance(self, away: Tensor) -> Tensor:
        return _batch_lowrank_mahalanobis(self.cov_factor, self.cov_diag, away, self._capacitance_tril)


def _precision_to_scale_tril(precision: Tensor) -> Tensor:
    """Return the lower triangular factor of a matrix's inverse, from one of the matrix turned around."""
    turned = taeda.linalg.cholesky(precision.flip((-2, -1))).flip((-2, -1)).mT
    return taeda.linalg.solve_triangular(turned, taeda.eye(precision.shape[-1], dtype=precision.dtype), upper=False)


# What programs take from PyTorch's modules of these distributions, under its private names.


def _batch_mv(bmat: Tensor, bvec: Tensor) -> Tensor:
    """Return matrices (..., n, m) times vectors (..., m).

    >>> import taeda
    >>> from taeda.distributions.matrices import _batch_mv
    >>> _batch_mv(taeda.tensor([[1.0, 2.0], [3.0, 4.0]]), taeda.ones(2))
    tensor([3., 7.])
    """
    return taeda.matmul(bmat, bvec.unsqueeze(-1)).squeeze(-1)


def _batch_mahalanobis(bL: Tensor, bx: Tensor) -> Tensor:
    """Return x^T M^-1 x of vectors (..., n), M being L L^T; the batch dimensions of L (..., n, n) broadcast to those of x.

    >>> import taeda
    >>> from taeda.distributions.matrices import _batch_mahalanobis
    >>> _batch_mahalanobis(taeda.tensor([[2.0, 0.0], [0.0, 1.0]]), taeda.tensor([2.0, 3.0]))
    tensor(10.)
    """
    return _solve(bL, bx).pow(2).sum(-1)


def _batch_capacitance_tril(W: Tensor, D: Tensor) -> Tensor:
    """Return the lower triangular factor of I + W^T D^-1 W, for factors (..., n, m) and diagonals (..., n).

    >>> import taeda
    >>> from taeda.distributions.matrices import _batch_capacitance_tril
    >>> _batch_capacitance_tril(taeda.tensor([[1.0], [1.0]]), taeda.tensor([0.5, 1.0]))
    tensor([[2.]])
    """
    middle = (W / D.unsqueeze(-1)).mT @ W
    return taeda.linalg.cholesky(middle + taeda.eye(middle.shape[-1], dtype=middle.dtype))


def _half_log_det_low_rank(D: Tensor, tril: Tensor) -> Tensor:
    return tril.diagonal(dim1=-2, dim2=-1).log().sum(-1) + 0.5 * D.log().sum(-1)


def _batch_lowrank_logdet(W: Tensor, D: Tensor, capacitance_tril: Tensor) -> Tensor:
    """Return log det of W W^T + D.

    >>> import taeda
    >>> from taeda.distributions.matrices import _batch_capacitance_tril, _batch_lowrank_logdet
    >>> W, D = taeda.tensor([[1.0], [1.0]]), taeda.tensor([0.5, 1.0])
    >>> _batch_lowrank_logdet(W, D, _batch_capacitance_tril(W, D))
    tensor(0.6931)
    """
    return 2 * _half_log_det_low_rank(D, capacitance_tril)


def _batch_lowrank_mahalanobis(W: Tensor, D: Tensor, x: Tensor, capacitance_tril: Tensor) -> Tensor:
    """Return x^T (W W^T + D)^-1 x, by Woodbury's formula.

    >>> import taeda
    >>> from taeda.distributions.matrices import _batch_capacitance_tril, _batch_lowrank_mahalanobis
    >>> W, D = taeda.tensor([[1.0], [1.0]]), taeda.tensor([0.5, 1.0])
    >>> _batch_lowrank_mahalanobis(W, D, taeda.tensor([1.0, 0.0]), _batch_capacitance_tril(W, D))
    tensor(1.)
    """
    turned = W.mT / D.unsqueeze(-2)
    half = taeda.linalg.solve_triangular(capacitance_tril, turned @ x.unsqueeze(-1), upper=False).squeeze(-1)
    return (x.pow(2) / D).sum(-1) - half.pow(2).sum(-1)


class _OfCovariance(Distribution):
    """What is given by a covariance, by its inverse, or by its lower triangular factor: the others are worked out when asked for."""

    _unbroadcasted_scale_tril: Tensor                               # without the batch dimensions that only other parameters have

    @staticmethod
    def _one_of(name: str, error: type[Exception], **given: Tensor | None) -> tuple[str, Tensor]:
        """Return the one matrix that is given, with its name; raise where there is not one, or one without columns."""
        found = [(k, v) for k, v in given.items() if v is not None]
        if len(found) != 1:
            raise error(f"[{name}] Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")
        if found[0][1].dim() < 2:
            raise ValueError(f"[{name}] {found[0][0]} must be at least two-dimensional, with optional leading batch dimensions")
        return found[0]

    def _factor(self, name: str, matrix: Tensor) -> None:
        """Work out the factor of a matrix that has been found to be what it must be."""
        if name == "covariance_matrix":
            matrix = taeda.linalg.cholesky(matrix)
        elif name == "precision_matrix":
            matrix = _precision_to_scale_tril(matrix)
        self._unbroadcasted_scale_tril = matrix

    def _matrix(self, matrix: Tensor) -> Tensor:
        """A view of a matrix for each distribution side by side."""
        return matrix.expand((*self._batch_shape, *matrix.shape[-2:]))

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The lower triangular factor of the covariance."""
        return self._matrix(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariance."""
        return self._matrix(self._unbroadcasted_scale_tril @ self._unbroadcasted_scale_tril.mT)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance."""
        return self._matrix(taeda.cholesky_inverse(self._unbroadcasted_scale_tril))

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        made = self._new_instance(_instance)
        batch, n = tuple(batch_shape), len(self._batch_shape)
        for name in self.arg_constraints:
            if name in vars(self):
                value = vars(self)[name]
                setattr(made, name, value.expand(batch + tuple(value.shape[n:])))
        made._unbroadcasted_scale_tril = self._unbroadcasted_scale_tril
        return self._finish_expanding(made, batch)

    def _half_log_det(self) -> Tensor:
        return self._unbroadcasted_scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)


def _solve(tril: Tensor, x: Tensor) -> Tensor:
    """Solve tril y = x for vectors x (..., n); one matrix takes all vectors as columns of one system."""
    if tril.dim() == 2:
        columns = taeda.linalg.solve_triangular(tril, x.reshape(-1, x.shape[-1]).mT, upper=False)
        return columns.mT.reshape(x.shape)
    return taeda.linalg.solve_triangular(tril, x.unsqueeze(-1), upper=False).squeeze(-1)


class MultivariateNormal(_OfCovariance, _NormalVectors):
    """N(loc, S) for vectors; S is given as itself, as its inverse, or as L with S = L L^T.

    log p(x) = -|L^-1 (x - loc)|^2 / 2 - sum_i log L_ii - n log(2 pi) / 2.

    Args:
        loc: (..., n).
        covariance_matrix, precision_matrix, scale_tril: (..., n, n), exactly one of them.

    Raises:
        ValueError: not exactly one is given, or the matrix is not what it must be.

    >>> import taeda
    >>> from taeda.distributions import MultivariateNormal
    >>> MultivariateNormal(taeda.zeros(2), taeda.eye(2)).log_prob(taeda.zeros(2))
    tensor(-1.8379)
    """

    arg_constraints = {
        "loc": constraints.real_vector, "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite, "scale_tril": constraints.lower_cholesky,
    }  # fmt: skip
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self,
        loc: Tensor,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        if loc.dim() < 1:
            raise ValueError("[MultivariateNormal] loc must be at least one-dimensional.")
        name, matrix = self._one_of(
            "MultivariateNormal", ValueError, covariance_matrix=covariance_matrix, precision_matrix=precision_matrix, scale_tril=scale_tril
        )
        batch = taeda.broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        setattr(self, name, matrix.expand((*batch, -1, -1)))
        self.loc = loc.expand((*batch, -1))
        super().__init__(batch, self.loc.shape[-1:], validate_args)
        self._factor(name, matrix)

    @property
    def variance(self) -> Tensor:
        return self._unbroadcasted_scale_tril.pow(2).sum(-1).expand(self._batch_shape + self._event_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        eps = standard_normal(self._extended(sample_shape), self.loc)
        return self.loc + (self._unbroadcasted_scale_tril @ eps.unsqueeze(-1)).squeeze(-1)

    def _distance(self, away: Tensor) -> Tensor:
        return _solve(self._unbroadcasted_scale_tril, away).pow(2).sum(-1)


class Wishart(_OfCovariance, ExponentialFamily):
    """The sum of df products x x^T of vectors x from N(0, S), for any real df > n - 1; S as in ``MultivariateNormal``.

    Samples are drawn by Bartlett's decomposition (1933): (L A) (L A)^T, L the factor of S, A lower triangular with normal entries
    and the roots of chi-squared ones.

    Args:
        df: the degrees of freedom, a number or (...).
        covariance_matrix, precision_matrix, scale_tril: (..., n, n), exactly one of them.

    Raises:
        AssertionError: not exactly one is given.
        ValueError: df <= n - 1.

    >>> import taeda
    >>> from taeda.distributions import Wishart
    >>> Wishart(taeda.tensor(3.0), covariance_matrix=taeda.eye(2)).mean
    tensor([[3., 0.],
            [0., 3.]])
    """

    support = constraints.positive_definite
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(
        self,
        df: Any,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        name, matrix = self._one_of(
            "Wishart", AssertionError, covariance_matrix=covariance_matrix, precision_matrix=precision_matrix, scale_tril=scale_tril
        )
        n = matrix.shape[-1]
        df = taeda.as_tensor(df, dtype=matrix.dtype)
        batch = taeda.broadcast_shapes(df.shape, matrix.shape[:-2])
        self.df = df.expand(batch)
        if (self.df <= n - 1).any():
            raise ValueError(f"[Wishart] Value of df={df} expected to be greater than ndim - 1 = {n - 1}.")
        setattr(self, name, matrix.expand((*batch, -1, -1)))
        if (self.df < n).any():
            warnings.warn(
                "Low df values detected. Singular samples are highly likely to occur for ndim - 1 < df < ndim.", UserWarning, stacklevel=2
            )
        super().__init__(batch, matrix.shape[-2:], validate_args)
        self._factor(name, matrix)

    @property
    def arg_constraints(self) -> Any:  # type: ignore[override]
        return {
            "covariance_matrix": constraints.positive_definite, "precision_matrix": constraints.positive_definite,
            "scale_tril": constraints.lower_cholesky, "df": constraints.greater_than(self._event_shape[-1] - 1),
        }  # fmt: skip

    @property
    def mean(self) -> Tensor:
        return self.df.view((*self._batch_shape, 1, 1)) * self.covariance_matrix

    @property
    def mode(self) -> Tensor:
        factor = self.df - self.covariance_matrix.shape[-1] - 1
        return factor.masked_fill(factor <= 0, math.nan).view((*self._batch_shape, 1, 1)) * self.covariance_matrix

    @property
    def variance(self) -> Tensor:
        v = self.covariance_matrix
        diagonal = v.diagonal(dim1=-2, dim2=-1)
        return self.df.view((*self._batch_shape, 1, 1)) * (v.pow(2) + diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2))

    def _bartlett_sampling(self, sample_shape: Any) -> Tensor:
        n = self._event_shape[-1]
        chi2 = Chi2(self.df.unsqueeze(-1) - taeda.arange(n, dtype=self.df.dtype), False)
        noise = chi2.rsample(sample_shape).sqrt().clamp(min=taeda.finfo(self.df.dtype).eps).diag_embed()
        rows, columns = taeda.tril_indices(n, n, offset=-1)
        noise[..., rows, columns] = taeda.randn((*sample_shape, *self._batch_shape, n * (n - 1) // 2), dtype=noise.dtype)
        factor = self._unbroadcasted_scale_tril @ noise
        return factor @ factor.mT

    def rsample(self, sample_shape: Any = (), max_try_correction: int | None = None) -> Tensor:
        """Draw values; draws in which rounding has made a matrix singular are drawn again, up to ``max_try_correction`` times (10)."""
        tries = 10 if max_try_correction is None else max_try_correction
        shape = tuple(sample_shape)
        sample = self._bartlett_sampling(shape)
        if tries > 0:                            # PyTorch throws the first draw away; so a seed gives its samples
            sample = self._bartlett_sampling(shape)
        singular = self._singular(sample)
        if not singular.any():
            return sample
        warnings.warn("Singular sample detected.", UserWarning, stacklevel=2)
        sample = sample.clone()
        for _ in range(tries - 1):
            again = self._bartlett_sampling((int(singular.sum()),))
            sample[singular] = again
            left = self._singular(again)
            singular = singular.masked_scatter(singular, left)        # not in place: backward wants the mask as it was
            if not left.any():
                break
        return sample

    def _singular(self, sample: Tensor) -> Tensor:
        """Return for each draw whether one of its matrices is singular."""
        bad = ~self.support.check(sample)
        return bad.flatten(bad.dim() - len(self._batch_shape)).any(-1) if self._batch_shape else bad

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        nu, n = self.df, self._event_shape[-1]
        inside = taeda.cholesky_solve(value, self._unbroadcasted_scale_tril).diagonal(0, -2, -1).sum(-1)      # by both triangles
        log_det = taeda.linalg.slogdet(value).logabsdet
        constant = nu * (n * math.log(2) / 2 + self._half_log_det()) + taeda.mvlgamma(nu / 2, n)
        return (nu - n - 1) / 2 * log_det - inside / 2 - constant

    def entropy(self) -> Tensor:
        nu, n = self.df, self._event_shape[-1]
        digammas = (nu.unsqueeze(-1) / 2 - taeda.arange(n, dtype=nu.dtype) / 2).digamma().sum(-1)
        spread = (n + 1) * (n * math.log(2) / 2 + self._half_log_det())
        return spread + taeda.mvlgamma(nu / 2, n) - (nu - n - 1) / 2 * digammas + nu * n / 2

    @property
    def _natural_params(self) -> tuple[Tensor, Tensor]:
        return -self.precision_matrix / 2, (self.df - self._event_shape[-1] - 1) / 2

    def _log_normalizer(self, x: Tensor, y: Tensor) -> Tensor:  # type: ignore[override]
        n = self._event_shape[-1]
        a = y + (n + 1) / 2
        return a * (-taeda.linalg.slogdet(-2 * x).logabsdet + math.log(2) * n) + taeda.mvlgamma(a, n)
