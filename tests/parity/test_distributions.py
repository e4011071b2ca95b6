"""Distributions beside PyTorch: parameters, moments, densities, samples of a seed and their gradients, divergences, refusals."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
import torch.distributions

import taeda
import taeda.distributions

DISTRIBUTIONS = [
    "Bernoulli(a / 3)", "Bernoulli(logits=a - 1)", "Beta(a, b)", "Beta(0.4, b)", "Binomial(4, a / 3)", "Categorical(m)",
    "Categorical(logits=m)", "Cauchy(a, b)", "Chi2(b)", "ContinuousBernoulli(a / 3)", "ContinuousBernoulli(logits=a - 1)",
    "ContinuousBernoulli(t.tensor([0.5, 0.4995]))", "Dirichlet(m)", "Dirichlet(m * 0.1)", "Exponential(a)", "FisherSnedecor(a, b)",
    "FisherSnedecor(a * 9, b * 9)", "Gamma(a, b)", "Gamma(a * 50, b)", "Gamma(2, 3.0)", "Geometric(a / 3)", "Gumbel(a, b)", "HalfCauchy(a)", "HalfNormal(a)", "Independent(Gamma(a, b), 1)",
    "InverseGamma(a, b)", "InverseGamma(a * 3, b)", "LKJCholesky(2, a)", "LKJCholesky(4, 1.5)", "LKJCholesky(3)",
    "Laplace(a, b)", "LogNormal(a, b)", "LogisticNormal(a, b)", "LowRankMultivariateNormal(a, m, b)",
    "LowRankMultivariateNormal(t.stack([a, b]), m.unsqueeze(0), b)",
    "MixtureSameFamily(Categorical(b), Gamma(a, b))", "MixtureSameFamily(Categorical(b), Dirichlet(t.ones(2, 3)))",
    "Multinomial(3, m)", "MultivariateNormal(a, s)", "MultivariateNormal(a, precision_matrix=s)", "MultivariateNormal(a, scale_tril=l)",
    "NegativeBinomial(a, b / 4)", "NegativeBinomial(3, logits=a - 1)", "Normal(a, b)", "OneHotCategorical(m)",
    "OneHotCategoricalStraightThrough(m)", "Pareto(a, b)", "Poisson(a)", "RelaxedBernoulli(t.tensor(0.7), a / 3)",
    "RelaxedOneHotCategorical(t.tensor(0.7), m)", "StudentT(b)", "StudentT(b * 2, a, b)", "TransformedDistribution(Gamma(a, b), ExpTransform())",
    "TransformedDistribution(Beta(a, b), [SigmoidTransform().inv, AffineTransform(1.0, 2.0)])", "Uniform(-a, b)", "VonMises(a, b)",
    "VonMises(a, b * 20)", "VonMises(a, b * 1e-7)", "Weibull(a, b)", "Wishart(b * 3, s)", "Wishart(t.tensor(4.0).double(), precision_matrix=s)",
]  # fmt: skip
PLAIN = ("mean", "mode", "variance", "stddev", "batch_shape", "event_shape", "has_rsample", "has_enumerate_support")


def names(framework: Any) -> dict[str, Any]:
    """The names that the expressions use; the tensors are leaves that want gradients."""
    D: Any = framework.distributions
    values = {"a": [1.4, 0.8], "b": [1.2, 2.5], "m": [[0.7, 1.9], [2.2, 0.4]], "s": [[1.5, 0.3], [0.3, 0.8]], "l": [[1.1, 0.0], [0.4, 0.7]]}
    leaves = {k: framework.tensor(v, dtype=framework.float64, requires_grad=True) for k, v in values.items()}
    return {**{n: getattr(D, n) for n in torch.distributions.__all__}, **leaves, "t": framework}


@contextmanager
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def outcome(framework: Any, call: Callable[[], Any]) -> Any:
    """What a call gives, as NumPy; the class of what it raises; gradients of the leaves after it."""
    framework.manual_seed(3)
    try:
        with quiet():
            found = call()
    except Exception as error:
        return type(error).__name__.removeprefix("_")
    return found.detach().numpy() if isinstance(found, framework.Tensor) else found


def assert_same(mine: Any, theirs: Any, what: str, rtol: float = 1e-10) -> None:
    if isinstance(theirs, np.ndarray):
        assert isinstance(mine, np.ndarray), f"{what}: {mine!r} beside {theirs!r}"
        assert (mine.shape, mine.dtype) == (theirs.shape, theirs.dtype), what
        np.testing.assert_allclose(mine, theirs, rtol=rtol, atol=1e-12 if theirs.dtype == np.float64 else 1e-6, err_msg=what)
    elif isinstance(theirs, (tuple, list)):
        assert tuple(mine) == tuple(theirs), what
    else:
        assert not isinstance(mine, np.ndarray) and mine == theirs, f"{what}: {mine!r} beside {theirs!r}"


def both(make: Callable[[dict[str, Any]], Any], use: Callable[[Any, Any], Any]) -> tuple[Any, Any]:
    found = []
    for framework in (taeda, torch):
        with quiet():
            distribution = make(names(framework))
        found.append(outcome(framework, lambda d=distribution, f=framework: use(d, f)))
    return found[0], found[1]


@pytest.mark.parametrize("expression", DISTRIBUTIONS)
def test_properties_samples_and_densities(expression: str) -> None:
    def make(scope: dict[str, Any]) -> Any:
        return eval(expression, scope)

    wide = [
        "expand((3, 2))" if make(names(torch)).batch_shape else "expand((3,))", "expand(d.batch_shape)",
    ]  # fmt: skip
    loose = 1e-4 if expression.startswith("VonMises") else 1e-10         # PyTorch's Bessel functions have seven digits
    for extra in ("", *wide):

        def made(scope: dict[str, Any], extra: str = extra) -> Any:
            return eval(f"d.{extra}", {"d": make(scope)}) if extra else make(scope)

        what = f"{expression} {extra}"
        for name in PLAIN:
            assert_same(*both(made, lambda d, f, name=name: getattr(d, name)), f"{what}.{name}", loose)
        for shape in ((), (5,), (2, 3)):
            # normal quantiles and powers are rounded otherwise in the last places
            assert_same(*both(made, lambda d, f, shape=shape: d.sample(shape)), f"{what}.sample({shape})", 1e-7)
        assert_same(*both(made, lambda d, f: d.log_prob(d.sample((4,)))), f"{what}.log_prob", max(loose, 1e-6))
        assert_same(*both(made, lambda d, f: d.cdf(d.sample((4,)))), f"{what}.cdf", 1e-6)
        assert_same(*both(made, lambda d, f: d.icdf(f.full((3, *d.batch_shape), 0.3, dtype=f.float64))), f"{what}.icdf", 1e-8)
        if not (extra and expression.startswith("Multinomial")):            # where PyTorch looks for an attribute that it has not set
            assert_same(*both(made, lambda d, f: d.entropy()), f"{what}.entropy", 1e-6)
        assert_same(*both(made, lambda d, f: d.enumerate_support()), f"{what}.enumerate_support")
        assert_same(*both(made, lambda d, f: d.support.check(d.sample((4,)))), f"{what}.support")
    mine, theirs = both(make, lambda d, f: repr(d))
    if not expression.startswith(("HalfNormal", "MixtureSameFamily")):   # PyTorch shows there what was computed before
        assert str(mine).replace("taeda", "torch") == theirs


@pytest.mark.parametrize("expression", DISTRIBUTIONS)
def test_gradients_of_samples_densities_and_entropies(expression: str) -> None:
    uses = {
        "rsample": lambda d, f: (d.rsample((3,)) * f.arange(1, 3, dtype=f.float64)[-1]).sin().sum(),
        "log_prob": lambda d, f: d.log_prob(d.sample((3,))).sum(), "entropy": lambda d, f: d.entropy().sum(),
    }  # fmt: skip
    for name, use in uses.items():
        found: list[Any] = []
        for framework in (taeda, torch):
            scope = names(framework)

            def pull(scope: Any = scope, framework: Any = framework, use: Any = use) -> None:
                use(eval(expression, scope), framework).backward()

            failure = outcome(framework, pull)
            grads = {k: scope[k].grad for k in "abmsl"}
            found.append((failure, {k: None if g is None else g.numpy() for k, g in grads.items()}))
        if expression.startswith("Wishart") and name == "rsample":
            assert (found[0][0], found[1][0]) == (None, "RuntimeError")      # PyTorch changes a mask that its backward wants
            continue
        (failed, mine), (theirs_failed, theirs) = found
        assert failed == theirs_failed, f"{expression} {name}: {failed} beside {theirs_failed}"
        for k in mine:
            # PyTorch's implicit gradients are approximations of two to four digits
            assert_same(mine[k], theirs[k], f"{expression} {name} d{k}", 2e-2 if name == "rsample" else 1e-5)


FAMILIES = {
    "Bernoulli(a / 3)", "Beta(a, b)", "Binomial(4, a / 3)", "Categorical(m)", "Cauchy(a, b)", "ContinuousBernoulli(a / 3)", "Dirichlet(m)",
    "Exponential(a)", "Gamma(a, b)", "Geometric(a / 3)", "Gumbel(a, b)", "HalfNormal(a)", "Laplace(a, b)", "LogNormal(a, b)",
    "LowRankMultivariateNormal(a, m, b)", "MultivariateNormal(a, s)", "Normal(a, b)", "OneHotCategorical(m)", "Pareto(a, b)", "Poisson(a)",
    "Uniform(-a, b)", "Uniform(a / 9, 0.9)", "Uniform(t.tensor([1.5, 2.9]).double(), 4.0)", "Independent(Gamma(a, b), 1)", "Pareto(b, a + 2)",
    "Chi2(b)", "Wishart(b * 4, s)", "StudentT(b)", "VonMises(a, b)", "InverseGamma(a, b)",
}  # fmt: skip
OTHERS = {"Gamma(b, a + 1)", "LowRankMultivariateNormal(b, m * 2, a)", "Dirichlet(m + 1)", "Normal(b, a)", "Beta(b, a)", "Gumbel(b, a)"}


@pytest.mark.parametrize("left", sorted(FAMILIES))
def test_divergences(left: str) -> None:
    for right in sorted(FAMILIES | OTHERS):
        use = f"t.distributions.kl_divergence({left}, {right})"
        assert_same(*both(lambda scope, use=use: lambda: eval(use, scope), lambda call, f: call()), use, 1e-7)


def test_every_pair_that_pytorch_knows_is_there() -> None:
    known = {(p.__name__, q.__name__) for p, q in torch.distributions.kl._KL_REGISTRY}
    assert known - {(p.__name__, q.__name__) for p, q in taeda.distributions.kl._KL_REGISTRY} == set()


@pytest.mark.parametrize(
    "expression",
    [
        "Gamma(-1.0, 1.0)", "Gamma(1.0, 0.0)", "Beta(0.0, 1.0)", "Dirichlet(t.tensor(1.0))", "Dirichlet(t.tensor([1.0, -1.0]))", "Chi2(-1.0)",
        "StudentT(0.0)", "StudentT(1.0, 0.0, -1.0)", "FisherSnedecor(0.0, 1.0)", "InverseGamma(1.0, -1.0)", "LKJCholesky(1)",
        "LKJCholesky(2, -1.0)", "VonMises(t.tensor(0.0), t.tensor(-1.0))", "ContinuousBernoulli(1.5, validate_args=True)",
        "ContinuousBernoulli()", "ContinuousBernoulli(0.5, 0.5)", "NegativeBinomial(-1, t.tensor(0.5))", "NegativeBinomial(2, t.tensor(1.0))",
        "NegativeBinomial(2)", "LowRankMultivariateNormal(a, m, -b)", "LowRankMultivariateNormal(a, b, b)",
        "LowRankMultivariateNormal(a, t.ones(3, 2), b)", "LowRankMultivariateNormal(a, m, t.ones(3))",
        "LowRankMultivariateNormal(t.ones(2, 2), t.ones(3, 2, 1), t.ones(2))", "Wishart(1.0, s)", "Wishart(t.tensor(3.0), a)", "Wishart(t.tensor(3.0))",
        "Wishart(t.tensor(3.0), s, s)", "Wishart(t.tensor([3.0, 3.0]), -s)", "GeneralizedPareto(0.0, -1.0, 0.0)",
        "Gamma(1.0, 1.0).log_prob(t.tensor(-1.0))", "Beta(1.0, 1.0).log_prob(t.tensor(1.5))", "Dirichlet(b).log_prob(b)",
        "Dirichlet(b).log_prob(t.ones(3) / 3)", "LKJCholesky(2).log_prob(t.eye(3))", "LKJCholesky(2).log_prob(t.ones(2, 2))",
        "Gamma(a, b).log_prob(t.ones(3))", "StudentT(1.0).log_prob(1.0)", "FisherSnedecor(1.0, 1.0).log_prob(t.tensor(0.0))",
        "NegativeBinomial(2, t.tensor(0.5)).log_prob(t.tensor(0.5))", "Gamma(a, b).expand((3,))", "Gamma('x', 1.0)", "Beta(a, t.ones(3))",
        "NegativeBinomial(2, t.tensor(0.5)).rsample()", "LKJCholesky(2).rsample()", "VonMises(a, b).rsample()", "Beta(a, b).cdf(a / 3)",
        "Wishart(t.tensor(3.0), s).log_prob(-s)", "biject_to(constraints.positive_definite)",
    ],
)  # fmt: skip
def test_refusals(expression: str) -> None:
    found = []
    for framework in (taeda, torch):
        scope = {**names(framework), "constraints": framework.distributions.constraints}
        found.append(outcome(framework, lambda e=expression, s=scope: eval(e, s)))
    assert found[1].endswith("Error") and found[0] == found[1], found


def test_values_at_the_edges_of_supports() -> None:
    for expression, points in (
        ("Gamma(t.tensor([0.5, 1.0, 2.0]), 1.0)", [0.0, 0.0, 0.0]), ("Beta(t.tensor([0.5, 1.0, 2.0]), 1.0)", [0.0, 0.0, 1.0]),
        ("InverseGamma(t.tensor([0.5, 1.0, 2.0]), 1.0)", [1e30, 1e-30, 1.0]), ("StudentT(t.tensor([0.5, 1e6, 1e-3]))", [1e20, -3.0, 0.0]),
        ("VonMises(t.tensor([0.0, 1.0, 2.0]), t.tensor([1e-6, 1.0, 1e4]))", [3.0, 9.0, 2.001]),
        ("ContinuousBernoulli(t.tensor([0.0, 1.0, 0.5]))", [0.0, 1.0, 0.5]), ("GeneralizedPareto(0.0, 1.0, t.tensor([-1.0, 0.0, 2.0]))", [1.0, 5.0, 1e5]),
        ("NegativeBinomial(t.tensor([0.0, 1.0, 2.5]), t.tensor([0.0, 0.5, 0.9]))", [0.0, 0.0, 7.0]),
    ):  # fmt: skip
        assert_same(*both(lambda s, e=expression: eval(e, s), lambda d, f, x=points: d.log_prob(f.tensor(x))), expression, 1e-4)


def test_correlation_factors_and_their_transform() -> None:
    for n, extra in itertools.product((2, 3, 5), ((), (4,))):
        x = np.random.default_rng(0).normal(size=(*extra, n * (n - 1) // 2))

        def use(transform: Any, f: Any, x: Any = x) -> Any:
            given = f.tensor(x)
            y = transform(given)
            return f.cat([y.flatten(), transform.inv(y).flatten(), transform.log_abs_det_jacobian(given, y).flatten()])

        assert_same(*both(lambda s: s["CorrCholeskyTransform"](), use), f"CorrCholeskyTransform {x.shape}")
