"""Distributions: densities against SciPy's, and what must hold of any: integrals, entropies, divergences, quantiles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.stats
import taeda
from taeda import distributions as D

F64 = taeda.float64


def one(value: float) -> taeda.Tensor:
    return taeda.tensor(value, dtype=F64)


CONTINUOUS = [
    (D.Normal(one(0.5), one(2.0)), scipy.stats.norm(0.5, 2)), (D.HalfNormal(one(2.0)), scipy.stats.halfnorm(scale=2)),
    (D.Uniform(one(-1.0), one(3.0)), scipy.stats.uniform(-1, 4)), (D.Exponential(one(2.0)), scipy.stats.expon(scale=0.5)),
    (D.Laplace(one(0.5), one(2.0)), scipy.stats.laplace(0.5, 2)), (D.Cauchy(one(0.5), one(2.0)), scipy.stats.cauchy(0.5, 2)),
    (D.LogNormal(one(0.5), one(0.7)), scipy.stats.lognorm(0.7, scale=np.exp(0.5))),
]
DISCRETE = [
    (D.Bernoulli(one(0.3)), scipy.stats.bernoulli(0.3)), (D.Binomial(4, one(0.3)), scipy.stats.binom(4, 0.3)),
    (D.Geometric(one(0.3)), scipy.stats.geom(0.3, loc=-1)), (D.Poisson(one(2.5)), scipy.stats.poisson(2.5)),
]


def named(rows: list[Any]) -> Any:
    return pytest.mark.parametrize(("mine", "theirs"), rows, ids=[type(m).__name__ for m, _ in rows])


@named(CONTINUOUS)
def test_densities_moments_and_quantiles(mine: Any, theirs: Any) -> None:
    q = np.linspace(0.02, 0.98, 25)
    x = theirs.ppf(q)
    np.testing.assert_allclose(mine.log_prob(taeda.from_numpy(x)), theirs.logpdf(x), rtol=1e-10)
    np.testing.assert_allclose(mine.cdf(taeda.from_numpy(x)), q, rtol=1e-10)
    np.testing.assert_allclose(mine.icdf(taeda.from_numpy(q)), x, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(mine.entropy(), theirs.entropy(), rtol=1e-9)
    if not isinstance(mine, D.Cauchy):
        np.testing.assert_allclose([mine.mean, mine.variance, mine.stddev], [theirs.mean(), theirs.var(), theirs.std()], rtol=1e-10)


@named(DISCRETE)
def test_probabilities_and_moments(mine: Any, theirs: Any) -> None:
    k = np.arange(2.0 if isinstance(mine, D.Bernoulli) else 5.0)
    np.testing.assert_allclose(mine.log_prob(taeda.from_numpy(k)), theirs.logpmf(k), rtol=1e-10)
    np.testing.assert_allclose([mine.mean, mine.variance], [theirs.mean(), theirs.var()], rtol=1e-10)
    if not isinstance(mine, D.Poisson):
        np.testing.assert_allclose(mine.entropy(), theirs.entropy(), rtol=1e-9)


@named(CONTINUOUS + DISCRETE)
def test_samples_have_the_distributions_moments(mine: Any, theirs: Any) -> None:
    taeda.manual_seed(0)
    drawn = mine.sample((20_000,))
    assert drawn.dtype == F64 and mine.support.check(drawn).all()
    if not isinstance(mine, D.Cauchy):
        assert abs(float(drawn.mean()) - theirs.mean()) < 5 * theirs.std() / 140
        assert float(drawn.var()) == pytest.approx(theirs.var(), rel=0.15)


@pytest.mark.parametrize(
    ("p", "q", "grid"),
    [
        (D.Normal(one(0.5), one(1.2)), D.Normal(one(-0.3), one(2.0)), (-15, 15)),
        (D.Laplace(one(0.5), one(1.2)), D.Laplace(one(-0.3), one(2.0)), (-40, 40)),
        (D.Exponential(one(1.5)), D.Exponential(one(0.6)), (0, 40)),
        (D.HalfNormal(one(1.5)), D.HalfNormal(one(0.9)), (0, 20)),
        (D.Uniform(one(0.0), one(1.0)), D.Uniform(one(-1.0), one(2.0)), (0, 1)),
        (D.Uniform(one(0.0), one(1.0)), D.Normal(one(0.3), one(2.0)), (0, 1)),
        (D.Exponential(one(1.5)), D.Normal(one(0.3), one(2.0)), (0, 40)),
    ],
    ids=lambda d: type(d).__name__,
)
def test_divergences_are_the_integral(p: Any, q: Any, grid: tuple[float, float]) -> None:
    n = 200_000
    width = (grid[1] - grid[0]) / n
    x = (taeda.arange(n, dtype=F64) + 0.5) * width + grid[0]
    log_p = p.log_prob(x)
    integral = (log_p.exp() * (log_p - q.log_prob(x))).sum() * width
    np.testing.assert_allclose(D.kl_divergence(p, q), integral, rtol=1e-5)


def test_a_normal_of_several_variables() -> None:
    cov = np.array([[2.0, 0.6], [0.6, 1.0]])
    mean, x = np.array([0.5, -1.0]), np.array([[0.0, 0.0], [1.0, 2.0]])
    theirs = scipy.stats.multivariate_normal(mean, cov)
    loc, full = taeda.from_numpy(mean), taeda.from_numpy(cov)
    for given in ({"covariance_matrix": full}, {"precision_matrix": full.inverse()}, {"scale_tril": taeda.linalg.cholesky(full)}):
        mine = D.MultivariateNormal(loc, **given)
        np.testing.assert_allclose(mine.log_prob(taeda.from_numpy(x)), theirs.logpdf(x), rtol=1e-12)
        np.testing.assert_allclose(mine.entropy(), theirs.entropy(), rtol=1e-12)
        np.testing.assert_allclose(mine.covariance_matrix, cov, rtol=1e-12)
        np.testing.assert_allclose(mine.precision_matrix, np.linalg.inv(cov), rtol=1e-12)
        np.testing.assert_allclose(mine.variance, np.diag(cov), rtol=1e-12)
    assert mine.expand((3,)).rsample((2,)).shape == (2, 3, 2)


def test_gradients_of_samples_and_densities() -> None:
    loc, scale = (taeda.tensor([0.3, -0.2], dtype=F64, requires_grad=True), taeda.tensor([1.1, 0.7], dtype=F64, requires_grad=True))
    for make in (D.Normal, D.Laplace, D.Cauchy, D.LogNormal):

        def draw(loc: taeda.Tensor, scale: taeda.Tensor, make: Any = make) -> taeda.Tensor:
            taeda.manual_seed(1)
            return make(loc, scale).rsample((3,))

        assert taeda.autograd.gradcheck(draw, (loc, scale))
        assert taeda.autograd.gradcheck(lambda m, s, make=make: make(m, s).log_prob(taeda.tensor([0.4, 2.0], dtype=F64)), (loc, scale))


def test_what_sample_works_out_keeps_its_gradient() -> None:
    logits = taeda.tensor([0.3, -0.2], requires_grad=True)
    for make in (D.Bernoulli, D.Categorical):
        d = make(logits=logits)
        with taeda.no_grad():
            d.sample()
        assert d.probs.requires_grad


def test_errors_name_the_parameter_and_the_value() -> None:
    with pytest.raises(ValueError, match=r"Expected parameter scale .* Normal\(loc: 0.0, scale: -1.0\) to satisfy .*GreaterThan\(lower_bound=0.0\)"):
        D.Normal(0.0, -1.0)
    with pytest.raises(ValueError, match="must be a Tensor, got float"):
        D.Normal(0.0, 1.0).log_prob(1.0)
    with pytest.raises(NotImplementedError, match="register_kl"):
        D.kl_divergence(D.Normal(0.0, 1.0), D.Poisson(1.0))
    with pytest.raises(NotImplementedError, match=r"use sample\(\)"):
        D.Poisson(1.0).rsample()
    default = D.Distribution._validate_args
    D.Distribution.set_default_validate_args(False)
    try:
        assert float(D.Normal(0.0, -1.0).scale) == -1
    finally:
        D.Distribution.set_default_validate_args(default)
