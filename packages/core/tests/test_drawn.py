"""Shapes, strides and values that Hypothesis draws: pointwise ops, reductions, views and indexing against NumPy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

import taeda

drawn = settings(deadline=None, derandomize=True, max_examples=40, database=None)
SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)
FLOATS = st.floats(-1e3, 1e3, width=32) | st.sampled_from([math.inf, -math.inf, math.nan, -0.0, 1e-40])


@st.composite
def arrays(draw: Any, dtype: Any = np.float32, elements: Any = FLOATS, shape: Any = SHAPES) -> np.ndarray:
    """Draw an array, with gaps, with dimensions swapped in memory, or with a dimension of stride 0."""
    x = draw(hnp.arrays(dtype, shape, elements=elements))
    how = draw(st.sampled_from(["plain", "gaps", "swapped", "expanded"]))
    if how == "gaps" and x.ndim:
        return np.repeat(x, 2, axis=-1)[..., ::2]
    if how == "swapped" and x.ndim > 1:
        return np.ascontiguousarray(x.swapaxes(0, -1)).swapaxes(0, -1)
    if how == "expanded" and x.ndim and x.shape[0]:
        return np.broadcast_to(x[:1], x.shape)
    return x


def tensor(x: np.ndarray) -> taeda.Tensor:
    """Return a tensor on the array's very memory, strides and all."""
    if x.size == 0 or x.flags.writeable:
        return taeda.from_numpy(x if x.flags.writeable else x.copy())
    base = taeda.from_numpy(np.array(x[:1]))
    return base.expand(x.shape)


def assert_same(got: taeda.Tensor, wanted: Any, rtol: float = 0.0, atol: float = 0.0) -> None:
    wanted = np.asarray(wanted)
    assert tuple(got.shape) == wanted.shape
    np.testing.assert_allclose(got.numpy(), wanted, rtol=rtol, atol=atol, equal_nan=True)


BINARY = [("add", np.add), ("sub", np.subtract), ("mul", np.multiply), ("div", np.divide), ("maximum", np.maximum), ("minimum", np.minimum), ("lt", np.less), ("eq", np.equal),
          ("fmax", np.fmax), ("copysign", np.copysign)]


@pytest.mark.parametrize(("name", "reference"), BINARY, ids=[n for n, _ in BINARY])
@drawn
@given(data=st.data())
def test_two_operands_broadcast(name: str, reference: Any, data: Any) -> None:
    shapes = data.draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, min_side=0, max_side=4)).input_shapes
    x, y = (data.draw(arrays(shape=st.just(s))) for s in shapes)
    with np.errstate(all="ignore"):
        assert_same(getattr(taeda, name)(tensor(x), tensor(y)), reference(x, y))


UNARY = [("neg", np.negative), ("abs", np.abs), ("floor", np.floor), ("ceil", np.ceil), ("trunc", np.trunc), ("sqrt", np.sqrt), ("square", np.square), ("isnan", np.isnan),
         ("signbit", np.signbit), ("isfinite", np.isfinite)]


@pytest.mark.parametrize(("name", "reference"), UNARY, ids=[n for n, _ in UNARY])
@drawn
@given(x=arrays())
def test_one_operand(name: str, reference: Any, x: np.ndarray) -> None:
    with np.errstate(all="ignore"):
        assert_same(getattr(taeda, name)(tensor(x)), reference(x), 1e-7)


REDUCTIONS = [("sum", np.sum), ("prod", np.prod), ("amax", np.max), ("amin", np.min), ("mean", np.mean), ("all", np.all), ("any", np.any)]


@pytest.mark.parametrize(("name", "reference"), REDUCTIONS, ids=[n for n, _ in REDUCTIONS])
@drawn
@given(data=st.data())
def test_reductions_over_any_dims(name: str, reference: Any, data: Any) -> None:
    x = data.draw(arrays(np.float64, st.floats(-2, 2), hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4)))
    keepdim = data.draw(st.booleans())
    dims = data.draw(st.lists(st.integers(0, x.ndim - 1), min_size=1, max_size=x.ndim, unique=True))
    dim: Any = dims[0] if name == "prod" else tuple(dims)
    assert_same(getattr(taeda, name)(tensor(x), dim, keepdim), reference(x, axis=dim, keepdims=keepdim), 1e-12, 1e-12)


@drawn
@given(data=st.data())
def test_basic_indexing_is_numpys(data: Any) -> None:
    x = data.draw(arrays(np.int64, st.integers(-9, 9), hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4)))
    index = data.draw(hnp.basic_indices(x.shape, allow_newaxis=True, allow_ellipsis=True))
    items = index if isinstance(index, tuple) else (index,)
    if any(isinstance(i, slice) and i.step is not None and i.step < 0 for i in items):
        with pytest.raises(ValueError, match="step must be greater than zero"):
            tensor(x)[index]
        return
    assert_same(tensor(x)[index], x[index])
    y, wanted = tensor(np.array(x)), np.array(x)
    y[index] = -1
    wanted[index] = -1
    assert_same(y, wanted)


@drawn
@given(data=st.data())
def test_index_tensors_are_numpys(data: Any) -> None:
    x = data.draw(arrays(np.int64, st.integers(-9, 9), hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4)))
    index = data.draw(hnp.integer_array_indices(x.shape, result_shape=hnp.array_shapes(min_dims=1, max_dims=2, min_side=1, max_side=3)))
    assert_same(tensor(x)[tuple(taeda.tensor(i) for i in index)], x[index])
    mask = data.draw(hnp.arrays(np.bool_, x.shape))
    assert_same(tensor(x)[taeda.tensor(mask)], x[mask])


@drawn
@given(data=st.data())
def test_views_change_no_value(data: Any) -> None:
    x = data.draw(arrays(np.int64, st.integers(-9, 9), hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4)))
    t = tensor(x)
    order = data.draw(st.permutations(range(x.ndim)))
    assert_same(t.permute(*order), x.transpose(order))
    dim = data.draw(st.integers(-x.ndim, x.ndim - 1))
    start = data.draw(st.integers(0, x.shape[dim]))
    length = data.draw(st.integers(0, x.shape[dim] - start))
    assert_same(t.narrow(dim, start, length), np.take(x, range(start, start + length), dim))
    assert_same(t.permute(*order).reshape(-1), x.transpose(order).reshape(-1))
    assert_same(t.unsqueeze(dim).squeeze(dim), x)
    assert_same(t.flip(dim), np.flip(x, dim))


@drawn
@given(data=st.data())
def test_integers_wrap_around_as_in_c(data: Any) -> None:
    dtype = data.draw(st.sampled_from([np.uint8, np.int32, np.int64]))
    edge = st.sampled_from([np.iinfo(dtype).min, np.iinfo(dtype).max, 0, 1]) | st.integers(int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))
    x, y = (data.draw(hnp.arrays(dtype, 5, elements=edge)) for _ in range(2))
    with np.errstate(all="ignore"):
        for name, reference in (("add", np.add), ("sub", np.subtract), ("mul", np.multiply), ("bitwise_xor", np.bitwise_xor)):
            assert_same(getattr(taeda, name)(taeda.tensor(x), taeda.tensor(y)), reference(x, y))
