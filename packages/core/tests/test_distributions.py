"""Distributions: densities against SciPy's, and what must hold of any: integrals, entropies, divergences, quantiles."""

from __future__ import annotations

import gc
import io
import math
import pickle
import weakref
from typing import Any

import numpy as np
import pytest
import scipy.special
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
    (D.Gumbel(one(0.5), one(2.0)), scipy.stats.gumbel_r(0.5, 2)), (D.Weibull(one(2.0), one(1.7)), scipy.stats.weibull_min(1.7, scale=2)),
    (D.Pareto(one(2.0), one(3.5)), scipy.stats.pareto(3.5, scale=2)), (D.HalfCauchy(one(2.0)), scipy.stats.halfcauchy(scale=2)),
]
DISCRETE = [
    (D.Bernoulli(one(0.3)), scipy.stats.bernoulli(0.3)), (D.Binomial(4, one(0.3)), scipy.stats.binom(4, 0.3)),
    (D.Geometric(one(0.3)), scipy.stats.geom(0.3, loc=-1)), (D.Poisson(one(2.5)), scipy.stats.poisson(2.5)),
]


# whose divergences from one another are written out
ON_UNIT = [D.Beta(one(2.0), one(3.0)), D.Beta(one(3.0), one(2.5)), D.Uniform(one(0.0), one(1.0)), D.ContinuousBernoulli(one(0.3))]
OVER_UNIT = [D.Normal(one(0.3), one(2.0)), D.Exponential(one(0.6)), D.Gamma(one(1.5), one(0.9))]
ON_HALF_LINE = [D.Exponential(one(1.5)), D.Gamma(one(2.5), one(0.9))]
OVER_HALF_LINE = [D.Gumbel(one(0.3), one(2.0)), D.Normal(one(0.3), one(2.0))]


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
    if not isinstance(mine, (D.Cauchy, D.HalfCauchy)):
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
    if not isinstance(mine, (D.Cauchy, D.HalfCauchy)):
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
        *((p, q, (0, 1)) for p in ON_UNIT for q in (*ON_UNIT, *OVER_UNIT)
          if not (isinstance(p, D.ContinuousBernoulli) and isinstance(q, (D.Beta, D.Gamma)))),
        *((p, q, (0, 60)) for p in ON_HALF_LINE for q in (*ON_HALF_LINE, *OVER_HALF_LINE)),
        *((D.Normal(one(0.5), one(1.2)), q, (-15, 15)) for q in (D.Laplace(one(-0.3), one(2.0)), D.Gumbel(one(-0.3), one(2.0)))),
        (D.Laplace(one(0.5), one(1.2)), D.Normal(one(-0.3), one(2.0)), (-40, 40)),
        (D.Gumbel(one(0.5), one(0.8)), D.Gumbel(one(-0.3), one(2.0)), (-10, 40)),
        (D.Gumbel(one(0.5), one(0.8)), D.Normal(one(-0.3), one(2.0)), (-10, 40)),
        *((D.Pareto(one(1.0), one(9.0)), q, (1, 200)) for q in (D.Pareto(one(0.7), one(2.0)), D.Exponential(one(0.6)), D.Gamma(one(2.5), one(0.9)), D.Normal(one(0.3), one(2.0)))),
        (D.Uniform(one(1.0), one(2.0)), D.Pareto(one(0.7), one(2.0)), (1, 2)),
        (D.LogNormal(one(0.5), one(0.4)), D.LogNormal(one(0.3), one(0.7)), (0, 60)),
    ],
    ids=lambda d: type(d).__name__,
)
def test_divergences_are_the_integral(p: Any, q: Any, grid: tuple[float, float]) -> None:
    n = 200_000
    width = (grid[1] - grid[0]) / n
    x = (taeda.arange(n, dtype=F64) + 0.5) * width + grid[0]
    log_p = p.log_prob(x)
    integral = (log_p.exp() * (log_p - q.log_prob(x))).sum() * width
    np.testing.assert_allclose(D.kl_divergence(p, q), integral, rtol=2e-4, atol=1e-9)      # the sums are not exact where a logarithm begins at 0


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (D.Normal(one(0.0), one(1.0)), D.Exponential(one(1.0))), (D.Exponential(one(1.0)), D.Beta(one(2.0), one(3.0))),
        (D.Gamma(one(2.0), one(1.0)), D.Uniform(one(0.0), one(1.0))), (D.Beta(one(2.0), one(3.0)), D.Pareto(one(0.5), one(1.0))),
        (D.Laplace(one(0.0), one(1.0)), D.Gamma(one(2.0), one(1.0))), (D.Uniform(one(-1.0), one(1.0)), D.Beta(one(2.0), one(3.0))),
        (D.Poisson(one(2.0)), D.Bernoulli(one(0.3))), (D.Pareto(one(0.5), one(1.0)), D.Uniform(one(0.0), one(1.0))),
    ],
    ids=lambda d: type(d).__name__,
)
def test_what_reaches_beyond_the_other_diverges_without_bound(p: Any, q: Any) -> None:
    assert D.kl_divergence(p, q).item() == np.inf


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (D.Bernoulli(one(0.3)), D.Bernoulli(one(0.6))), (D.Bernoulli(one(0.3)), D.Poisson(one(0.6))),
        (D.Binomial(4, one(0.3)), D.Binomial(4, one(0.6))), (D.Poisson(one(2.5)), D.Poisson(one(0.7))),
        (D.Geometric(one(0.5)), D.Geometric(one(0.3))), (D.Categorical(taeda.tensor([0.2, 0.3, 0.5], dtype=F64)), D.Categorical(taeda.tensor([0.6, 0.3, 0.1], dtype=F64))),
    ],
    ids=lambda d: type(d).__name__,
)
def test_divergences_are_the_sum(p: Any, q: Any) -> None:
    k = taeda.arange({"Bernoulli": 2, "Binomial": 5, "Categorical": 3}.get(type(p).__name__, 60), dtype=F64)
    log_p = p.log_prob(k)
    np.testing.assert_allclose(D.kl_divergence(p, q), (log_p.exp() * (log_p - q.log_prob(k))).sum(), rtol=1e-9)


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
    factor = D.multivariate_normal._precision_to_scale_tril(full.inverse())
    np.testing.assert_allclose(factor, np.linalg.cholesky(cov), rtol=1e-12)


def test_products_and_distances_of_factors() -> None:
    rng = np.random.default_rng(0)
    w, d, x = rng.normal(size=(2, 3, 2)), rng.random((2, 3)) + 0.1, rng.normal(size=(4, 2, 3))
    W, d_, x_ = (taeda.from_numpy(a) for a in (w, d, x))
    cov = w @ w.swapaxes(-1, -2) + d[..., None] * np.eye(3)
    full, low = D.multivariate_normal, D.lowrank_multivariate_normal
    distance = np.einsum("sbi,bij,sbj->sb", x, np.linalg.inv(cov), x)
    np.testing.assert_allclose(full._batch_mv(taeda.from_numpy(cov), x_), np.einsum("bij,sbj->sbi", cov, x), rtol=1e-12)
    np.testing.assert_allclose(full._batch_mahalanobis(taeda.from_numpy(np.linalg.cholesky(cov)), x_), distance, rtol=1e-10)
    tril = low._batch_capacitance_tril(W, d_)
    inner = np.eye(2) + w.swapaxes(-1, -2) @ (w / d[..., None])
    np.testing.assert_allclose(tril, np.linalg.cholesky(inner), rtol=1e-12)
    np.testing.assert_allclose(low._batch_lowrank_logdet(W, d_, tril), np.linalg.slogdet(cov)[1], rtol=1e-10)
    np.testing.assert_allclose(low._batch_lowrank_mahalanobis(W, d_, x_, tril), distance, rtol=1e-10)
    np.testing.assert_allclose(D.kl._batch_trace_XXT(W), np.trace(w @ w.swapaxes(-1, -2), axis1=-2, axis2=-1), rtol=1e-12)


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
    for whole in (D.Normal(0.0, 1.0), D.Categorical(taeda.ones(3)), D.Multinomial(2, taeda.ones(3))):
        with pytest.raises(TypeError, match=r"sample_shape must be a shape such as \(3,\), got 5"):
            whole.sample(5)
    with pytest.raises(NotImplementedError, match=r"use sample\(\)"):
        D.Poisson(1.0).rsample()
    default = D.Distribution._validate_args
    D.Distribution.set_default_validate_args(False)
    try:
        assert float(D.Normal(0.0, -1.0).scale) == -1
    finally:
        D.Distribution.set_default_validate_args(default)


TRANSFORMS = [
    D.ExpTransform(), D.SigmoidTransform(), D.SoftplusTransform(), D.TanhTransform(), D.AffineTransform(one(1.0), one(-2.0)),
    D.StickBreakingTransform(), D.ExpTransform().inv, D.PowerTransform(one(1.7)),
    D.CumulativeDistributionTransform(D.Normal(one(0.5), one(2.0))),
    D.ComposeTransform([D.TanhTransform(), D.AffineTransform(1.0, 0.5), D.StickBreakingTransform()]), D.IndependentTransform(D.ExpTransform(), 1),
    D.StackTransform([D.ExpTransform(), D.TanhTransform(), D.AffineTransform(1.0, 3.0)], -1), D.AffineTransform(one(1.0), one(3.0), event_dim=1),
    D.CatTransform([D.ExpTransform(), D.SigmoidTransform()], -1, [1, 2]),
]  # fmt: skip


@pytest.mark.parametrize("f", TRANSFORMS, ids=lambda f: type(f).__name__)
def test_transforms_invert_and_know_their_jacobian(f: D.Transform) -> None:
    taeda.manual_seed(0)
    x = taeda.rand(3, dtype=F64) + 0.2
    y = f(x)
    assert tuple(y.shape) == tuple(f.forward_shape(x.shape)) and tuple(f.inverse_shape(y.shape)) == (3,)
    assert f.codomain.check(y).all() and f.domain.check(x).all()
    np.testing.assert_allclose(f.inv(y), x, rtol=1e-10)
    jacobian = taeda.autograd.functional.jacobian(lambda x: f(x)[:3], x)      # the last share of a stick is what the others leave
    np.testing.assert_allclose(f.log_abs_det_jacobian(x, y).sum(), jacobian.det().abs().log(), rtol=1e-10)
    np.testing.assert_allclose(f.inv.log_abs_det_jacobian(y, x).sum(), -jacobian.det().abs().log(), rtol=1e-10)


def test_an_inverse_is_no_part_of_what_is_saved() -> None:
    d = D.TransformedDistribution(D.Normal(0.0, 1.0), [D.AffineTransform(2, 3)])
    x = taeda.linspace(0, 1, 5)
    kept = d.log_prob(x)                                # asks the transform for its inverse
    file = io.BytesIO()
    taeda.save(d, file)
    file.seek(0)
    with taeda.serialization.safe_globals([D.TransformedDistribution, D.AffineTransform, D.Normal]):
        assert taeda.equal(taeda.load(file).log_prob(x), kept)
    for make in (D.ExpTransform, lambda: D.ComposeTransform([D.ExpTransform(), D.AffineTransform(1.0, 2.0)])):
        t: Any = make()
        inverse, dies = t.inv, weakref.ref(t)
        assert t.inv is inverse and inverse.inv is t
        alike = pickle.loads(pickle.dumps(inverse))
        np.testing.assert_allclose(alike(t(x)), x, atol=1e-6)
        assert alike.inv is not t
        gc.disable()
        try:
            del t, inverse, alike
            assert dies() is None
        finally:
            gc.enable()


def test_transformed_shapes_follow_the_transforms() -> None:
    wide = D.TransformedDistribution(D.Normal(0.0, 1.0), D.AffineTransform(taeda.zeros(2), taeda.ones(2)))
    assert tuple(wide.batch_shape) == (2,) and wide.sample((3,)).shape == (3, 2)
    shares = D.TransformedDistribution(D.Normal(taeda.zeros(4, 2), 1.0), D.StickBreakingTransform())
    assert (tuple(shares.batch_shape), tuple(shares.event_shape)) == ((4,), (3,)) and shares.log_prob(shares.sample()).shape == (4,)
    with pytest.raises(ValueError, match=r"shape with size at least 1, but got \(\)"):
        D.TransformedDistribution(D.Normal(0.0, 1.0), D.StickBreakingTransform())
    with pytest.raises(ValueError, match="in_shape, out_shape"):
        D.ReshapeTransform((2,), (3,))


def test_mixtures_and_counts_against_their_definitions() -> None:
    taeda.manual_seed(0)
    weights, loc = taeda.tensor([0.2, 0.3, 0.5], dtype=F64), taeda.tensor([-1.0, 0.5, 3.0], dtype=F64)
    mix = D.MixtureSameFamily(D.Categorical(weights), D.Normal(loc, one(0.7)))
    assert repr(mix.mixture_distribution) == "Categorical(probs: taeda.Size([3]), logits: taeda.Size([3]))"
    x = np.linspace(-4, 6, 4001)
    density = mix.log_prob(taeda.from_numpy(x)).exp().numpy()
    weight = density * (x[1] - x[0])
    np.testing.assert_allclose([weight.sum(), (weight * x).sum()], [1.0, float(mix.mean)], rtol=1e-4)
    np.testing.assert_allclose((weight * (x - float(mix.mean)) ** 2).sum(), mix.variance, rtol=1e-3)
    assert float(mix.sample((20_000,)).mean()) == pytest.approx(float(mix.mean), abs=0.06)
    counts = D.Multinomial(5, weights)
    theirs = scipy.stats.multinomial(5, weights.numpy())
    np.testing.assert_allclose(counts.log_prob(taeda.tensor([1.0, 0.0, 4.0], dtype=F64)), theirs.logpmf([1, 0, 4]), rtol=1e-10)
    np.testing.assert_allclose(counts.entropy(), theirs.entropy(), rtol=1e-9)
    drawn = counts.sample((4000,))
    assert (drawn.sum(-1) == 5).all()
    np.testing.assert_allclose(drawn.mean(0), counts.mean, atol=0.1)


def test_implicit_gradients_are_the_motion_of_quantiles() -> None:
    rng = np.random.default_rng(0)
    u = rng.uniform(0.02, 0.98, 800)
    for low, high in ((-1.0, 4.0), (4.0, 9.0)):                     # series and fraction; the expansion for large shapes
        a = np.exp(rng.uniform(low, high, 800))
        h = a * 1e-3
        wide, near = [(scipy.special.gammaincinv(a + k, u) - scipy.special.gammaincinv(a - k, u)) / (2 * k) for k in (h, h / 2)]
        x = taeda.from_numpy(scipy.special.gammaincinv(a, u))
        np.testing.assert_allclose(taeda._standard_gamma_grad(taeda.from_numpy(a), x), (4 * near - wide) / 3, rtol=1e-7)
    a, b = np.exp(rng.uniform(-0.7, 4, (2, 800)))
    h = a * 1e-3
    wide, near = [(scipy.special.betaincinv(a + k, b, u) - scipy.special.betaincinv(a - k, b, u)) / (2 * k) for k in (h, h / 2)]
    x = scipy.special.betaincinv(a, b, u)
    kept = 1 - x > 1e-4                                             # beyond, the reference has few digits
    found = (taeda._dirichlet_grad(taeda.from_numpy(x), taeda.from_numpy(a), taeda.from_numpy(a + b)) * (1 - taeda.from_numpy(x))).numpy()
    np.testing.assert_allclose(found[kept], ((4 * near - wide) / 3)[kept], rtol=1e-6)
    assert taeda._standard_gamma_grad(one(1.0), one(0.0)) == 0 and taeda._standard_gamma_grad(one(-1.0), one(1.0)).isnan()


@pytest.mark.parametrize("make", [D.Gamma, D.Beta, D.StudentT, D.FisherSnedecor, D.InverseGamma], ids=lambda m: m.__name__)
def test_gradients_of_gamma_samples_reach_all_parameters(make: Any) -> None:
    taeda.manual_seed(0)
    a, b = (taeda.full((20_000,), v, dtype=F64, requires_grad=True) for v in (6.0, 9.0))
    d = make(a, b)
    d.rsample().mean().backward()
    grads = [a.grad.sum(), b.grad.sum()]
    means = taeda.autograd.grad(make(a, b).mean.mean(), (a, b), allow_unused=True)
    for found, mean in zip(grads, means, strict=True):              # the mean of the samples' motion is the motion of the mean
        assert float(found) == pytest.approx(0.0 if mean is None else float(mean.sum()), abs=0.02)


@pytest.mark.filterwarnings("ignore:Low df values")
def test_singular_draws_of_matrices_are_drawn_again() -> None:
    taeda.manual_seed(0)
    df = taeda.tensor([1.0001, 30.0], requires_grad=True)
    d = D.Wishart(df, scale_tril=taeda.eye(2))
    with pytest.warns(UserWarning, match="Singular sample"):
        first = d.rsample((64,), max_try_correction=0)
    assert d._singular(first).sum() > 8
    taeda.manual_seed(0)
    with pytest.warns(UserWarning, match="Singular sample"):
        x = d.rsample((64,), max_try_correction=200)
    assert x.shape == (64, 2, 2, 2) and not d._singular(x).any()
    (grad,) = taeda.autograd.grad(x.diagonal(dim1=-2, dim2=-1).sum(), df)
    assert taeda.isfinite(grad).all() and (grad > 0).all()


@pytest.mark.parametrize(
    "d",
    [
        D.LogNormal(one(0.5), 1.0), D.Gumbel(one(0.5), 1.0), D.Weibull(one(2.0), 1.5), D.Pareto(one(2.0), 3.0), D.HalfCauchy(one(2.0)),
        D.Kumaraswamy(one(2.0), 3.0), D.InverseGamma(one(3.0), 2.0), D.RelaxedBernoulli(one(0.5), one(0.3)),
        D.RelaxedOneHotCategorical(one(0.5), taeda.ones(3, dtype=F64)), D.Multinomial(4, taeda.ones(3, dtype=F64)),
        D.ExpRelaxedCategorical(one(0.5), taeda.ones(3, dtype=F64)), D.LogisticNormal(taeda.zeros(2, dtype=F64), 1.0),
        D.Wishart(one(4.0), taeda.eye(2, dtype=F64)), D.MultivariateNormal(taeda.zeros(2, dtype=F64), taeda.eye(2, dtype=F64)),
    ],
    ids=lambda d: type(d).__name__,
)  # fmt: skip
def test_expanded_distributions_are_of_the_same_class_and_density(d: Any) -> None:
    wide = d.expand((3, *d.batch_shape))
    x = d.sample()
    assert type(wide) is type(d) and wide.batch_shape == (3, *d.batch_shape) and wide.event_shape == d.event_shape
    np.testing.assert_array_equal(wide.log_prob(x), d.log_prob(x).expand(3))
    for name in ("temperature", "total_count", "validate_args"):
        assert getattr(wide, name, None) is getattr(d, name, None)
    assert wide.sample((2,)).shape == (2, 3, *d.event_shape)
    assert (wide.expand((5, 3)).log_prob(x) == d.log_prob(x)).all()


def test_expand_of_a_users_own_class_keeps_what_it_added() -> None:
    class Shifted(D.TransformedDistribution):
        def __init__(self, at: float) -> None:
            self.at = at
            super().__init__(D.Normal(0.0, 1.0), [D.AffineTransform(at, 1.0)])

    assert Shifted(2.0).expand((3,)).at == 2.0
    made = Shifted.__new__(Shifted)
    assert Shifted(2.0).expand((3,), made) is made and made.log_prob(one(2.0)).shape == (3,)


@pytest.mark.parametrize(("cls", "args"), [
    (D.Normal, (0.0, 1.0)), (D.Categorical, (taeda.ones(3),)), (D.OneHotCategorical, (taeda.ones(3),)),
    (D.MultivariateNormal, (taeda.zeros(2), taeda.eye(2))), (D.Gamma, (1.0, 1.0)), (D.Distribution, ()),
])  # fmt: skip
def test_a_class_with_an_init_of_its_own_needs_an_expand_of_its_own(cls: Any, args: Any) -> None:
    class Own(cls):  # type: ignore[misc]
        arg_constraints = getattr(cls, "arg_constraints", {}) if cls is not D.Distribution else {}

        def __init__(self) -> None:
            super().__init__(*args)
            self.kept = 3

        def like(self, batch_shape: Any) -> Any:
            made = type(self).__new__(type(self))
            made.kept = self.kept
            return super().expand(batch_shape, made)

    with pytest.raises(NotImplementedError, match="must have an expand of its own"):
        Own().expand((2,))
    assert Own().like((2,)).batch_shape == (2,) and Own().like((2,)).kept == 3

    class Named(cls):  # type: ignore[misc]
        arg_constraints = Own.arg_constraints

    assert type(Named(*args).expand((2,))) is Named


def test_expand_leaves_tensors_alone_that_a_users_own_class_has_besides() -> None:
    class Noted(D.Normal):
        pass

    d = Noted(taeda.zeros(3), taeda.ones(3))
    d.note = taeda.arange(7)
    made = Noted.__new__(Noted)
    made.note = d.note
    assert d.expand((2, 3)).loc.shape == (2, 3) and d.expand((2, 3), made).note is d.note
    assert D.Chi2(taeda.tensor(2.0)).expand((4,)).log_prob(one(1.0)).shape == (4,)


def test_the_values_of_independent_ones_are_listed_where_none_counts_as_one() -> None:
    base = D.Bernoulli(taeda.tensor([0.3, 0.4]))
    d = D.Independent(base, 0)
    assert d.has_enumerate_support and d.enumerate_support().tolist() == [[0, 0], [1, 1]]
    assert d.enumerate_support(expand=False).tolist() == [[0], [1]]
    assert not D.Independent(base, 1).has_enumerate_support and not D.Independent(D.Normal(taeda.zeros(2), 1.0), 0).has_enumerate_support
    with pytest.raises(NotImplementedError, match="cartesian product"):
        D.Independent(base, 1).enumerate_support()


def test_parts_that_do_not_add_up_to_what_is_transformed() -> None:
    for t in (D.CatTransform([D.ExpTransform()], 0, [1]), D.StackTransform([D.ExpTransform()], 0), D.StackTransform([D.ExpTransform()], 1)):
        for f in (t, t.inv):
            with pytest.raises(AssertionError, match="side by side take 1 entries"):
                f(taeda.ones(2))


def test_numbers_as_exponents_and_values() -> None:
    t = D.PowerTransform(2)
    assert t.exponent.dtype is taeda.float32 and t(taeda.tensor([1, 3])).equal(taeda.tensor([1.0, 9.0])) and t.sign == 1
    with pytest.raises(ValueError, match="numbers or tensors"):
        D.PowerTransform([2.0])
    assert D.HalfCauchy(1.0, validate_args=False).log_prob(2.0).allclose(taeda.tensor(math.log(2 / math.pi / 5)))


def test_a_relaxed_one_hot_distribution_that_is_told_not_to_checks_nothing() -> None:
    value = taeda.tensor([0.4, -0.6])
    assert D.RelaxedOneHotCategorical(one(0.5), taeda.tensor([0.3, 0.7]), validate_args=False).log_prob(value).isnan()
    with pytest.raises(ValueError, match="within the support"):
        D.RelaxedOneHotCategorical(one(0.5), taeda.tensor([0.3, 0.7])).log_prob(value)


@pytest.mark.parametrize(("value", "slope"), [(0.0, -1.5), (1.0, -0.5), (3.0, 1.5)])
def test_the_slope_of_a_binomials_density_at_even_odds(value: float, slope: float) -> None:
    x = one(0.0).requires_grad_()
    D.Binomial(3, logits=x).log_prob(one(value)).backward()
    assert x.grad == slope


def test_the_density_of_a_wishart_reads_both_triangles() -> None:
    a = taeda.tensor([[2.0, 0.3], [0.3, 1.0]], dtype=taeda.float64)
    d = D.Wishart(one(3.5), covariance_matrix=a, validate_args=False)
    x = taeda.tensor([[1.5, 0.2], [0.2, 0.8]], dtype=taeda.float64, requires_grad=True)
    assert taeda.autograd.gradcheck(d.log_prob, x)


def test_expand_of_a_mixture_of_ones_own_class() -> None:
    class Own(D.MixtureSameFamily):
        pass

    d = Own(D.Categorical(taeda.tensor([1.0, 3.0])), D.Normal(taeda.tensor([0.0, 1.0]), taeda.ones(2)))
    made = d.expand((3,))
    assert type(made) is Own and made.batch_shape == (3,) and made.log_prob(one(0.5)).equal(d.log_prob(one(0.5)).expand(3))

    class Other(Own):
        def __init__(self) -> None:
            super().__init__(d.mixture_distribution, d.component_distribution)

    with pytest.raises(NotImplementedError, match="expand of its own"):
        Other().expand((3,))


def test_a_class_says_of_its_support_what_all_its_instances_share() -> None:
    for cls, discrete, dims in (
        (D.Uniform, False, 0), (D.Binomial, True, 0), (D.Categorical, True, 0), (D.Multinomial, True, 1), (D.Pareto, False, 0),
    ):
        support = cls.support
        assert isinstance(support, D.constraints.Constraint) and D.constraints.is_dependent(support)
        assert (support.is_discrete, support.event_dim) == (discrete, dims)
    assert D.TransformedDistribution.support.is_discrete is False
    with pytest.raises(NotImplementedError):
        _ = D.Independent.support.event_dim
    with pytest.raises(NotImplementedError):
        _ = D.MixtureSameFamily.support.is_discrete


@pytest.mark.parametrize("cls", [D.Bernoulli, D.Binomial, D.Categorical])
@pytest.mark.parametrize(("given", "other"), [("probs", "logits"), ("logits", "probs")])
def test_listing_the_values_works_out_nothing_else(cls: Any, given: str, other: str) -> None:
    d = cls(**{given: taeda.tensor([0.3, 0.7], dtype=taeda.float64)})
    values = d.enumerate_support()
    assert other not in vars(d) and values.dtype == (taeda.int64 if cls is D.Categorical else taeda.float64)


def test_the_jacobian_of_transforms_side_by_side_has_no_dimension_of_the_event() -> None:
    x = taeda.arange(12.0).reshape(3, 4) / 10
    scale = taeda.tensor([2.0, 3.0])
    wide = D.AffineTransform(0, scale, event_dim=1)
    for parts in ([wide, wide], [D.ExpTransform(), wide]):
        f = D.CatTransform(parts, dim=1, lengths=[2, 2])
        found = f.log_abs_det_jacobian(x, f(x))
        first = x[:, :2].sum(1) if parts[0] is not wide else scale.log().sum().expand(3)
        assert f.event_dim == 1 and taeda.allclose(found, first + scale.log().sum())
    rows = D.CatTransform([D.SoftmaxTransform(), wide], dim=0, lengths=[1, 2])
    assert rows(x[:, :2]).shape == (3, 2)
    rows = D.CatTransform([D.AffineTransform(0, scale[0].expand(2), event_dim=1), wide], dim=0, lengths=[1, 2])
    assert taeda.allclose(rows.log_abs_det_jacobian(x[:, :2], x[:, :2]), taeda.stack([2 * scale[0].log(), *2 * [scale.log().sum()]]))


def test_arguments_are_checked_under_vmap_for_all_samples() -> None:
    def density(scale: Any) -> Any:
        return D.Normal(0.0, scale).log_prob(scale)

    scales = taeda.tensor([1.0, 2.0, 3.0])
    np.testing.assert_allclose(taeda.func.vmap(density)(scales), density(scales), rtol=1e-6)
    np.testing.assert_allclose(taeda.func.vmap(taeda.func.vmap(density))(scales.view(1, 3)), density(scales).view(1, 3), rtol=1e-6)
    with pytest.raises(ValueError, match="parameter scale"):
        taeda.func.vmap(density)(taeda.tensor([1.0, -2.0]))


def test_a_class_that_does_not_say_its_support_takes_every_value_with_a_warning() -> None:
    class Own(taeda.distributions.Distribution):
        def log_prob(self, value: taeda.Tensor) -> taeda.Tensor:
            self._validate_sample(value)
            return value

    with pytest.warns(UserWarning, match="does not define `arg_constraints`"):
        own = Own()
    for name in ("support", "arg_constraints"):
        with pytest.raises(NotImplementedError, match=r"\[Own\] the distribution does not say"):
            getattr(own, name)
    assert Own(validate_args=False).batch_shape == ()
    with pytest.warns(UserWarning, match=r"^<class .*Own.> does not define `support` to enable sample validation\. Please"):
        assert own.log_prob(taeda.tensor(2.0)) == 2


def test_distribution_functions_take_the_ends_of_the_support() -> None:
    ends = taeda.tensor([0.0, math.inf])
    for d in (D.LogNormal(0.0, 1.0), D.Weibull(2.0, 1.5), D.InverseGamma(taeda.tensor(2.0), taeda.tensor(1.0))):
        assert d.cdf(ends).tolist() == [0.0, 1.0], d
    with pytest.raises(ValueError, match="support"):
        D.LogNormal(0.0, 1.0).cdf(taeda.tensor(-1.0))


def test_a_continuous_bernoulli_of_large_logits_has_finite_numbers() -> None:
    logits = taeda.tensor([-200.0, -40.0, 40.0, 200.0])
    d, ends = D.ContinuousBernoulli(logits=logits), D.ContinuousBernoulli(probs=taeda.tensor([0.0, 1.0]))
    assert d.probs[0] == ends.probs[0] and d.probs[3] == ends.probs[1]
    for found in (d.mean, d.variance, d.entropy(), d.log_prob(taeda.tensor(0.25)), d.icdf(taeda.tensor(0.25)), d.cdf(taeda.tensor(0.25))):
        assert found.isfinite().all()
    assert (d.variance > 0).all() and 0 < d.cdf(taeda.tensor(1e-3))[0] < 0.1


def test_a_divergence_of_categoricals_broadcasts_either_batch() -> None:
    one, two = D.Categorical(taeda.tensor([0.2, 0.3, 0.5])), D.Categorical(taeda.tensor([[0.0, 0.5, 0.5], [0.2, 0.3, 0.5]]))
    assert D.kl_divergence(one, two).tolist() == [math.inf, 0.0]
    assert D.kl_divergence(two, one).tolist() == pytest.approx([0.5 * math.log(0.5 / 0.3), 0.0], abs=1e-6)


def test_variances_that_take_long_are_worked_out_once() -> None:
    low = D.LowRankMultivariateNormal(taeda.zeros(2), taeda.ones(2, 1), taeda.ones(2))
    for d in (low, D.VonMises(taeda.zeros(2), taeda.ones(2))):
        assert d.variance is d.variance and d.expand((3, *d.batch_shape)).variance.shape == (3, 2)


def test_the_bounds_of_uniform_constrain_each_other() -> None:
    d = taeda.distributions.Uniform(taeda.zeros(2), taeda.ones(2))
    assert d.arg_constraints["low"].check(taeda.tensor([0.5, 1.5])).tolist() == [True, False]
    assert d.arg_constraints["high"].check(taeda.tensor([0.5, -1.0])).tolist() == [True, False]
    with pytest.raises(ValueError, match="low"):
        taeda.distributions.Uniform(taeda.tensor([0.0, 1.0]), 1.0)
    assert d.expand((3, 2)).sample().shape == (3, 2)


def test_arguments_by_the_names_that_programs_give() -> None:
    half = taeda.tensor(0.5)
    assert D.HalfCauchy(1.0).icdf(prob=half).item() == pytest.approx(1.0)
    assert D.HalfNormal(1.0).icdf(prob=half).item() == pytest.approx(0.67449, abs=1e-5)
    mixed = D.MixtureSameFamily(D.Categorical(taeda.ones(2)), D.Normal(taeda.zeros(2), 1.0))
    assert mixed.log_prob(x=half).item() == pytest.approx(-1.043939, abs=1e-5) and mixed.cdf(x=half).item() == pytest.approx(0.691462, abs=1e-5)
    x = taeda.tensor([0.2, -0.1, 0.3])
    factor = D.CorrCholeskyTransform()
    assert taeda.equal(factor.log_abs_det_jacobian(x, factor(x), intermediates=None), factor.log_abs_det_jacobian(x, factor(x)))
    assert D.constraints.multinomial(3).check(x=taeda.tensor([[1, 2], [2, 2]])).tolist() == [True, False]
