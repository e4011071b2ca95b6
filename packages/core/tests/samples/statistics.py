"""Rows of covariance, correlation, quantiles and histograms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from opinfo import Call, Row, array

NAN = np.nan


def variables(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 3, 5))
    yield Call(array(rng, 6))
    yield Call(array(rng, 5, 3).T)


def weighted(rng: np.random.Generator) -> Iterator[Call]:
    yield from variables(rng)
    yield Call(array(rng, 2, 4), correction=0)
    yield Call(array(rng, 2, 4), correction=3)
    yield Call(array(rng, 2, 4), fweights=np.array([1, 3, 0, 2]))
    yield Call(array(rng, 2, 4), aweights=array(rng, 4, low=0.1, high=2))
    yield Call(array(rng, 4), fweights=np.array([1, 3, 2, 2]), aweights=array(rng, 4, low=0.1, high=2))


def cov(x: Any, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Any:
    return np.cov(x, ddof=correction, fweights=fweights, aweights=aweights)


PLACES = np.array([0.04, 0.13, 0.45, 0.97])


def quantiles(rng: np.random.Generator) -> Iterator[Call]:
    for interpolation in ("linear", "lower", "higher", "midpoint", "nearest"):
        yield Call(array(rng, 3, 4), PLACES.copy(), dim=1, interpolation=interpolation)
    yield Call(array(rng, 7), 0.3)
    yield Call(array(rng, 3, 4), 0.6, 0, True)
    yield Call(array(rng, 3, 4), np.array(0.25), keepdim=True)
    yield Call(array(rng, 2, 3, 4), PLACES.copy(), dim=-2, keepdim=True)
    yield Call(array(rng), 1)
    yield Call(array(rng, 4, 3).T, 0.7, 1)


def edges(rng: np.random.Generator) -> Iterator[Call]:
    """Places that fall on an element, or half way between two: no derivative by q there."""
    for interpolation in ("linear", "lower", "higher", "midpoint", "nearest"):
        for n in (4, 5, 11):
            yield Call(array(rng, n), np.arange(0, 1.01, 0.125), interpolation=interpolation)
    yield Call(np.array([[1.0, NAN, 4.0, 2.0], [3.0, 1.0, 2.0, 0.0]]), np.array([0.0, 0.4, 1.0]), dim=1)


def with_nan(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(np.array([[1.0, NAN, 4.0, 2.0], [NAN, NAN, NAN, NAN], [3.0, 1.0, 2.0, 0.0]]), PLACES.copy(), dim=1)


def numpy_quantile(function: Any) -> Any:
    def quantile(x: Any, q: Any, dim: int | None = None, keepdim: bool = False, interpolation: str = "linear") -> Any:
        return function(x, q, axis=dim, keepdims=keepdim, method=interpolation)

    return quantile


QUANTILE_ERRORS = (
    (Call(np.zeros(3), 1.5), RuntimeError, r"in the range \[0, 1\] but got 1.5"),
    (Call(np.zeros(3), np.array([0.5, -1.0])), RuntimeError, r"in the range \[0, 1\]"),
    (Call(np.zeros(3), np.array([[0.5]])), RuntimeError, r"scalar or 1D tensor, got shape \(1, 1\)"),
    (Call(np.zeros(3), np.array([0.5], np.float32)), RuntimeError, "same dtype"),
    (Call(np.array([1, 2]), 0.5), RuntimeError, "either float or double"),
    (Call(np.zeros(0), 0.5), RuntimeError, "must be non-empty"),
    (Call(np.zeros(3), 0.5, interpolation="cubic"), RuntimeError, "interpolation must be one of"),
    (Call(np.zeros(3), 0.5, 1), IndexError, "Dimension out of range"),
    (Call(np.zeros(3), [0.5]), TypeError, "must be float or Tensor"),
)


def clouds(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 20), 5)
    yield Call(array(rng, 4, 5), 4, range=(-1.0, 1.5))
    yield Call(np.arange(6.0), np.array([0.0, 2.0, 5.0]))
    yield Call(np.arange(6.0), 3, weight=array(rng, 6, low=0, high=1), density=True)
    yield Call(np.full(4, 2.0), 3)
    yield Call(np.array([NAN, 1.0, 2.0, 9.0]), 2, range=(0.0, 2.0))


def histogram(x: Any, bins: Any, range: Any = None, weight: Any = None, density: bool = False) -> Any:
    x = x.reshape(-1)
    inside = ~np.isnan(x)
    return np.histogram(x[inside], bins, range, density, None if weight is None else weight.reshape(-1)[inside])


def points(rng: np.random.Generator) -> Iterator[Call]:
    yield Call(array(rng, 9, 2), 3)
    yield Call(array(rng, 9, 2), [2, 4], range=[-1.0, 1.0, -2.0, 1.0])
    yield Call(array(rng, 9, 3), [np.array([-2.0, 0.0, 2.0]), np.array([-1.0, 1.0]), np.array([-2.0, 1.0, 1.5, 2.0])])
    yield Call(array(rng, 3, 2, 2), (2, 3), weight=array(rng, 3, 2, low=0, high=1), density=True)


def histogramdd(x: Any, bins: Any, range: Any = None, weight: Any = None, density: bool = False) -> Any:
    ends = None if range is None else [(range[i], range[i + 1]) for i in np.arange(0, len(range), 2)]
    hist, edges = np.histogramdd(x.reshape(-1, x.shape[-1]), bins, ends, density, None if weight is None else weight.reshape(-1))
    return hist, list(edges)


BIN_ERRORS = (
    (Call(np.zeros(3), 0), RuntimeError, "bins must be > 0, but got 0"),
    (Call(np.zeros(3), np.zeros(1)), RuntimeError, "bins must be > 0, but got 0"),
    (Call(np.zeros(3), np.zeros((2, 2))), RuntimeError, "one dimension"),
    (Call(np.zeros(3), np.zeros(3, np.float32)), RuntimeError, "same dtype"),
    (Call(np.zeros(3), 2, range=(2.0, 1.0)), RuntimeError, "min should not exceed max"),
    (Call(np.zeros(3), 2, range=(0.0, np.inf)), RuntimeError, "is not finite"),
    (Call(np.zeros(3), 2, range=(0.0,)), RuntimeError, "2 elements, but got 1"),
    (Call(np.zeros(3), 2, weight=np.zeros(2)), RuntimeError, r"input \(3,\) and weight \(2,\)"),
    (Call(np.zeros(3, np.int64), 2), NotImplementedError, "not implemented for"),
    (Call(np.zeros(3), 2.5), TypeError, "must be int or Tensor"),
)
ROWS = [
    Row("cov", weighted, cov, method="cov", errors=(
        (Call(np.zeros((1, 2, 3))), RuntimeError, "two or fewer dimensions"),
        (Call(np.array([True])), RuntimeError, "bool dtype"),
        (Call(np.zeros(2), fweights=np.zeros(2)), RuntimeError, "integral dtype"),
        (Call(np.zeros(2), aweights=np.zeros(2, np.int64)), RuntimeError, "floating point dtype"),
        (Call(np.zeros(2), fweights=np.ones(3, np.int64)), RuntimeError, "3 != 2"),
        (Call(np.zeros(2), fweights=np.ones((1, 2), np.int64)), RuntimeError, "one or fewer dimensions"),
        (Call(np.zeros(2), fweights=np.array([1, -1])), RuntimeError, "cannot be negative"),
        (Call(np.zeros(2), aweights=np.zeros(2)), RuntimeError, "sum to zero"))),
    Row("corrcoef", variables, np.corrcoef, method="corrcoef", atol={"float32": 1e-5, "float64": 1e-12}, errors=(
        (Call(np.zeros((1, 2, 3))), RuntimeError, "two or fewer dimensions"),)),
    Row("quantile", quantiles, numpy_quantile(np.quantile), method="quantile", out=True, errors=QUANTILE_ERRORS),
    Row("quantile", edges, numpy_quantile(np.quantile), grad=False),
    Row("nanquantile", with_nan, numpy_quantile(np.nanquantile), grad=False),
    Row("nanquantile", quantiles, numpy_quantile(np.nanquantile), method="nanquantile", out=True, errors=QUANTILE_ERRORS),
    Row("histogram", clouds, histogram, grad=False, method="histogram", errors=BIN_ERRORS),
    Row("histogramdd", points, histogramdd, grad=False, errors=(
        (Call(np.zeros(3), 2), RuntimeError, r"at least 2 dimensions, got shape \(3,\)"),
        (Call(np.zeros((3, 2)), [2]), RuntimeError, "innermost dimension"),
        (Call(np.zeros((3, 2)), 2, range=[0.0, 1.0]), RuntimeError, "4 elements, but got 2"),
        (Call(np.zeros((3, 2)), [np.zeros(2), 2]), TypeError, "all numbers or all Tensors"),
        (Call(np.zeros((3, 2)), 2, weight=np.zeros(2)), RuntimeError, "excluding its innermost dimension"))),
]
