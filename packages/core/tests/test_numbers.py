"""Python numbers as operands of tensors."""

from __future__ import annotations

import numpy as np
import pytest

import taeda

NUMBERS = [2, -1, 0, 0.5, -2.5, 1e-40, 1e40, float("inf"), float("nan"), 2**53 + 1, -(2**63)]
OF_TWO = ["add", "sub", "mul", "div", "floor_divide", "remainder", "fmod", "copysign", "lt", "ge", "eq", "ne"]


def same_numbers(a: taeda.Tensor, b: taeda.Tensor) -> bool:
    return repr(a.tolist()) == repr(b.tolist())


@pytest.mark.parametrize("dtype", [taeda.float32, taeda.float64])
@pytest.mark.parametrize("name", OF_TWO)
def test_a_number_counts_as_a_tensor_full_of_it(name: str, dtype: taeda.dtype) -> None:
    """Numbers take a road of their own where nothing is recorded: the same bits, laid out as the tensor is."""
    function = getattr(taeda, name)
    rows = taeda.tensor([[1.5, -2.0, 0.0, 3.25], [float("nan"), -0.0, 1e30, float("-inf")]], dtype=dtype)
    for x in (rows, rows.t(), rows[:, ::2], rows[0, 0], rows[:0], rows.as_strided((1, 4), (9, 1))):
        before = x.tolist()
        for number in NUMBERS:
            full = taeda.full_like(x, float(number), dtype=taeda.float64).to(dtype)
            pairs = ((function(x, number), function(x, full)), (number - x, full - x), (number > x, full > x))
            for found, expected in pairs:
                assert found.dtype is expected.dtype and found.shape == expected.shape and found.stride() == expected.stride()
                assert same_numbers(found, expected), (name, number)
            if hasattr(x, f"{name}_") and name not in ("lt", "ge", "eq", "ne"):
                y = x.clone()
                version = y._version
                assert getattr(y, f"{name}_")(number) is y
                assert same_numbers(y, function(x, full)) and y._version == version + 1
        assert repr(x.tolist()) == repr(before)


def test_what_a_number_may_not_do_is_refused_as_before() -> None:
    x = taeda.ones(2, 3)
    with pytest.raises(RuntimeError, match="more than one element of the written-to tensor"):
        taeda.ones(1).expand(3).add_(1)
    with pytest.raises(OverflowError, match="int too big"):
        x + 2**64
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        taeda.ones(2, requires_grad=True).mul_(2.0)
    with taeda.inference_mode():
        frozen = taeda.ones(2)
    with pytest.raises(RuntimeError, match="Inplace update to inference tensor"):
        frozen.add_(1.0)
    w = taeda.ones(2, requires_grad=True)
    y = w * 1.0
    y.mul_(3.0).add_(1)
    y.sum().backward()
    assert w.grad.tolist() == [3.0, 3.0]


def test_absolute_values_of_bool_are_refused_in_place_too() -> None:
    with pytest.raises(NotImplementedError, match=r"^\[abs_\] not implemented for 'Bool'"):
        taeda.tensor([True]).abs_()


@pytest.mark.parametrize("name", ["floor_divide", "remainder", "fmod"])
@pytest.mark.parametrize("dtype", [taeda.int8, taeda.uint8, taeda.int16, taeda.int32, taeda.int64])
def test_a_divisor_that_is_0_in_the_dtype_of_the_tensor_is_refused(name: str, dtype: taeda.dtype) -> None:
    x = taeda.tensor([5, 7], dtype=dtype)
    zeros = [0, np.int32(0), *[3 << bits for bits in (8, 16, 32) if bits >= 8 * dtype.itemsize]]
    for number in zeros:
        for call in (lambda n: getattr(taeda, name)(x, n), getattr(x, name + "_")):
            with pytest.raises(RuntimeError, match=r"ZeroDivisionError: integer division by the number 0"):
                call(number)
    assert x.tolist() == [5, 7] and getattr(taeda, name)(x, 256 + 3).dtype is dtype
    assert taeda.tensor([True]).remainder(256).tolist() == [1]


@pytest.mark.parametrize(("name", "b"), [("xlogy", 0.0), ("special.xlog1py", -1.0)])
def test_a_logarithm_of_0_that_nobody_reads_has_the_gradient_0(name: str, b: float) -> None:
    a, b_ = taeda.tensor([1.0, 0.0, 2.0], requires_grad=True), taeda.tensor([b, b, 3.0])
    function = taeda.special.xlog1py if name.startswith("special") else taeda.xlogy
    taeda.where(taeda.tensor([False, True, True]), function(a, b_), 0.0).sum().backward()
    assert a.grad[:2].tolist() == [0, 0] and a.grad[2] == (b_[2] - b).log()


@pytest.mark.parametrize("name", ["atan2_", "hypot_"])
def test_functions_of_two_tensors_take_no_number_in_place_either(name: str) -> None:
    with pytest.raises(TypeError, match=rf"^\[{name}\] argument must be Tensor, not float"):
        getattr(taeda.ones(2), name)(2.0)


def test_relu_refuses_bools_in_place_too() -> None:
    for call in (taeda.relu, taeda.relu_):
        with pytest.raises(RuntimeError, match="Boolean inputs not supported for relu"):
            call(taeda.tensor([True]))


def test_numbers_may_be_tensors_without_dimensions_and_gradient() -> None:
    at, two = taeda.tensor([0, 1]), taeda.tensor(2.5)
    assert taeda.zeros(3).scatter(0, at, value=two).tolist() == [2.5, 2.5, 0]
    assert taeda.ones(3, dtype=taeda.int32).scatter(0, at, value=two).tolist() == [2, 2, 1]
    assert taeda.ones(3).scatter(0, at, value=two, reduce="multiply").tolist() == [2.5, 2.5, 1]
    for dtype, wanted in ((taeda.int32, 3), (taeda.int64, 3), (taeda.float16, 3.5), (taeda.float64, 3.5), (taeda.complex64, 3.5)):
        for alpha in (two, np.float32(2.5), 2.5):
            x = taeda.ones(3, 2, dtype=dtype)
            assert x.index_add(0, at[:1], x[:1], alpha=alpha).tolist() == [[wanted] * 2, [1, 1], [1, 1]]
    assert taeda.add(taeda.ones(2), taeda.ones(2), alpha=two).tolist() == [3.5, 3.5]
    x, i = taeda.ones(2), taeda.ones(2, dtype=taeda.int64)
    for odd in (two.clone().requires_grad_(), two.reshape(1), "2"):
        for call in (lambda: x.scatter(0, at, value=odd), lambda: x.index_add(0, at, x, alpha=odd), lambda: taeda.add(x, x, alpha=odd),
                     lambda: taeda.full((2,), odd), lambda: taeda.full_like(x, odd), lambda: x.new_full((2,), odd),
                     lambda: taeda.addmm(x.diag(), x.diag(), x.diag(), beta=odd)):  # fmt: skip
            with pytest.raises(TypeError, match="must be Number, not"):
                call()
    with pytest.raises(RuntimeError, match="argument alpha must not be a floating point number"):
        taeda.add(i, i, alpha=two)
    for alpha in (2j, taeda.tensor(2j)):
        with pytest.raises(RuntimeError, match="cannot be converted to type float32"):
            x.index_add(0, at, x, alpha=alpha)


def test_a_slope_or_bound_that_wants_a_gradient_is_refused_rather_than_left_without() -> None:
    x, learned = taeda.tensor([-2.0, 0.3, 2.0]), taeda.tensor(0.5, requires_grad=True)
    calls = [lambda a: taeda.ops.leaky_relu(x, a), lambda a: taeda.ops.leaky_relu_(x.clone(), a), lambda a: taeda.ops.elu(x, a),
             lambda a: taeda.ops.elu_(x.clone(), a), lambda a: taeda.ops.softplus(x, a), lambda a: taeda.threshold(x, a, 0.0),
             lambda a: taeda.threshold_(x.clone(), 0.0, a), lambda a: taeda.ops.hardtanh(x, -1.0, a),
             lambda a: taeda.ops.hardtanh_(x.clone(), -1.0, a), lambda a: taeda.hardshrink(x, a), lambda a: taeda.ops.softshrink(x, a),
             lambda a: taeda.logit(x.sigmoid(), a)]  # fmt: skip
    for call in calls:
        wanted = call(0.5)
        for same in (learned.detach(), np.float32(0.5), np.float64(0.5)):
            assert taeda.equal(call(same), wanted)
        for odd in (learned, learned.detach().reshape(1), "1"):
            with pytest.raises(TypeError, match="must be (Number|float), not"):
                call(odd)


def test_integers_clamped_by_numbers_of_numpy_take_their_kind() -> None:
    x = taeda.tensor([-3, 0, 2])
    assert x.clamp(np.float32(-1.5), np.float32(1.5)).tolist() == [-1.5, 0.0, 1.5]
    assert x.clamp(np.int64(-1), np.int32(1)).tolist() == [-1, 0, 1]


def test_an_order_an_eps_or_a_probability_that_wants_a_gradient_is_refused_too() -> None:
    x, learned, m = taeda.tensor([-2.0, 0.25, 2.0]), taeda.tensor(0.5, requires_grad=True), taeda.tensor([[1.0, -2.0], [0.5, 3.0]])
    ops = taeda.ops
    seeded = lambda draw: lambda a: (taeda.manual_seed(0), draw(a))[1]  # noqa: E731
    calls = [
        lambda a: taeda.norm(x, a), lambda a: taeda.linalg.vector_norm(x, a), lambda a: taeda.dist(x, x + 1, a), lambda a: taeda.cdist(m, m, a),
        lambda a: taeda.renorm(m, a, 0, 1.0), lambda a: taeda.renorm(m, 2, 0, a), lambda a: taeda.histc(x, 4, a, 2.0), lambda a: taeda.arange(0, 2, a),
        lambda a: m.clone().fill_diagonal_(a), lambda a: taeda.nan_to_num(x, a), lambda a: ops.pad(x, (1, 1), value=a),
        lambda a: ops.huber_loss(x, x * 2, delta=a), lambda a: ops.smooth_l1_loss(x, x * 2, beta=a),
        lambda a: ops.multi_margin_loss(m, taeda.tensor([0, 1]), margin=a),
        lambda a: taeda.layer_norm(m, (2,), eps=a), lambda a: taeda.group_norm(m, 1, eps=a), lambda a: taeda.rms_norm(m, (2,), eps=a),
        lambda a: ops.batch_norm(m, None, None, training=True, eps=a), lambda a: ops.batch_norm(m, x[:2].clone(), x[1:].clone(), training=True, momentum=a),
        lambda a: taeda.cosine_similarity(m, m, eps=a), lambda a: taeda.trapezoid(x, dx=a), lambda a: taeda.gradient(x, spacing=a)[0],
        lambda a: ops.scaled_dot_product_attention(m[None], m[None], m[None], scale=a), lambda a: ops.interpolate(m[None], scale_factor=a),
        seeded(lambda a: taeda.dropout(x, a, True)), seeded(lambda a: taeda.alpha_dropout(x, a, True)), seeded(lambda a: x.clone().uniform_(0, a)),
        seeded(lambda a: x.clone().normal_(a, 1.0)),
    ]  # fmt: skip
    for call in calls:
        wanted = call(0.5)
        for same in (learned.detach(), np.float32(0.5), np.float64(0.5)):
            assert taeda.equal(call(same), wanted)
        for odd in (learned, learned.detach().reshape(1)):
            with pytest.raises(TypeError, match="must be (Number|float), not Tensor"):
                call(odd)


def test_a_bool_of_numpy_counts_as_a_float() -> None:
    y = taeda.full((2,), np.bool_(True))
    assert (y.tolist(), y.dtype) == ([1.0, 1.0], taeda.float32)
    assert taeda.arange(np.bool_(True)).tolist() == [0.0]
    whole = taeda.tensor([1, 2])
    assert taeda.full_like(whole, np.bool_(True)).tolist() == [1, 1]


def test_numbers_of_numpy_scale_products_of_integers_in_their_dtype() -> None:
    x = taeda.tensor([1, 2])
    for value in (np.float32(2.5), np.float64(2.5), 2.5):
        y = taeda.addcmul(x, x, x, value=value)
        assert (y.tolist(), y.dtype) == ([3, 10], taeda.int64)
        assert taeda.addcdiv(x.float(), x.float(), x, value=value).tolist() == [3.5, 4.5]
    with pytest.raises(TypeError, match="not ndarray"):
        taeda.addcmul(x, x, x, value=np.array(2))


def test_filling_takes_numbers_but_no_arrays_and_no_text() -> None:
    x, first = taeda.zeros(2), taeda.tensor([0])
    calls = (lambda n: x.clone().fill_(n), lambda n: x.masked_fill(x == 0, n), lambda n: x.index_fill(0, first, n))
    for call in calls:
        assert call(np.float32(1.5))[0] == call(1.5)[0] == call(taeda.tensor(1.5))[0] == 1.5
        for other in (np.array(1.5), "1", None):
            with pytest.raises(TypeError, match="must be Number"):
                call(other)


def test_arrays_without_dimensions_are_no_numbers() -> None:
    x = taeda.tensor([[1.0, 2.0], [3.0, 4.0]])
    array = np.array(0.5)
    calls = (lambda: taeda.layer_norm(x, (2,), eps=array), lambda: taeda.full((2,), array), lambda: x.add(x, alpha=array), lambda: taeda.arange(array),
             lambda: taeda.linspace(0, array, 2), lambda: taeda.float_power(x, array))
    for call in calls:
        with pytest.raises(TypeError, match="not ndarray"):
            call()


def test_a_bound_that_is_a_tensor_with_dimensions_or_a_gradient_goes_with_no_number() -> None:
    x = taeda.tensor([-2.0, 0.25, 2.0])
    assert x.clamp(-1, taeda.tensor(0.5)).tolist() == x.clamp(taeda.tensor(-1.0), 0.5).tolist() == [-1.0, 0.25, 0.5]
    for odd in (taeda.tensor(0.5, requires_grad=True), taeda.tensor([0.5])):
        for call in (lambda b: x.clamp(-1, b), lambda b: x.clamp(b, 1), lambda b: x.clone().clamp_(-1, b)):
            with pytest.raises(TypeError, match="must be Number, not Tensor"):
                call(odd)


def test_the_step_of_trapezoids_is_real() -> None:
    x = taeda.tensor([1.0, 3.0])
    assert taeda.trapezoid(x, dx=2).item() == 4 and taeda.cumulative_trapezoid(x, dx=0.5).tolist() == [1.0]
    for integrate in (taeda.trapezoid, taeda.cumulative_trapezoid):
        for odd in (1j, True):
            with pytest.raises(RuntimeError, match="only support dx as a real number"):
                integrate(x, dx=odd)
    with pytest.raises(TypeError, match="must be Number, not str"):
        taeda.float_power(x, "1")


def test_an_eps_of_distances_or_a_probability_of_attention_is_a_number() -> None:
    x, learned = taeda.tensor([[1.0, 2.0]]), taeda.tensor(0.5, requires_grad=True)
    calls = (lambda a: taeda.pairwise_distance(x, x, eps=a), lambda a: taeda.ops.scaled_dot_product_attention(x[None], x[None], x[None], dropout_p=a))
    for call in calls:
        for odd in (learned, learned.detach().reshape(1), "1", None, 1j):
            with pytest.raises(TypeError, match="must be float"):
                call(odd)
    assert taeda.pairwise_distance(x, x, eps=learned.detach()).item() == pytest.approx(0.5 * 2**0.5)


@pytest.mark.parametrize(
    ("start", "weight", "dtype", "expected"),
    [
        (taeda.tensor([1, 4]), taeda.tensor(0.25), taeda.float32, [1.25, 5.0]),
        (taeda.tensor([1, 4]), taeda.tensor(0.25, dtype=taeda.float64), taeda.float64, [1.25, 5.0]),
        (taeda.tensor([1.0, 4.0]), taeda.tensor(0.25, dtype=taeda.float64), taeda.float32, [1.25, 5.0]),
        (taeda.tensor(4.0), taeda.tensor(0.25, dtype=taeda.float64), taeda.float64, 5.0),
        (taeda.tensor(4), taeda.tensor(0.25), taeda.float32, 5.0),
    ],
)
def test_a_weight_of_lerp_without_dimensions_promotes_as_in_a_sum(start, weight, dtype, expected) -> None:
    y = taeda.lerp(start, start * 2, weight)
    assert (y.tolist(), y.dtype) == (expected, dtype)
    w = weight.clone().requires_grad_()
    taeda.lerp(start, start * 2, w).sum().backward()
    assert (w.grad.item(), w.grad.dtype) == (start.sum().item(), weight.dtype)
    if not start.is_floating_point():
        with pytest.raises(RuntimeError, match="can't be cast"):
            start.clone().lerp_(start, weight)
        with pytest.raises(RuntimeError, match="one dtype"):
            taeda.lerp(start.reshape(-1), start.reshape(-1), weight.reshape(1))


def test_an_array_where_a_tensor_or_an_int_is_asked_for_is_refused_in_words() -> None:
    x, array = taeda.ones(2, 3), np.array([1.0, 2.0])
    for operand in (array, np.array(2.0), np.array(2), [1.0, 2.0]):
        for op in (taeda.add, taeda.mul, taeda.pow, taeda.eq, taeda.maximum):
            with pytest.raises(TypeError, match=rf"\[{op.__name__}\] .*must be .*Tensor.*{type(operand).__name__}; wrap it with taeda.tensor"):
                op(x, operand)
    calls = (lambda: x[np.array(1.0)], lambda: taeda.zeros(np.array(2.0)), lambda: x.sum(np.array(1.0)), lambda: x.reshape(np.array([3, 2])),
             lambda: taeda.hann_window(np.array(2.0)), lambda: taeda.stft(taeda.ones(9), np.array(4.0), return_complex=True))  # fmt: skip
    for call in calls:
        with pytest.raises(TypeError, match=r"\[\w+\] argument must be int, not ndarray; got array"):
            call()
    assert (x + np.array(2.0)).tolist() == [[3.0] * 3] * 2 and x.reshape(np.array(3), np.int64(2)).shape == (3, 2)
