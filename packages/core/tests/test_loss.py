"""What rows cannot say of losses: warnings, edges of the range, gradients of targets, threads."""

from __future__ import annotations

import math

import numpy as np
import pytest

import taeda
from any_threads import assert_same_for_any_threads
from taeda import ops


def draw(*shape: int) -> taeda.Tensor:
    return taeda.tensor(np.random.default_rng(0).normal(size=shape))


@pytest.mark.parametrize("loss", [ops.mse_loss, ops.l1_loss, ops.smooth_l1_loss, ops.huber_loss])
def test_shapes_that_broadcast_are_warned_of(loss) -> None:
    with pytest.warns(UserWarning, match=r"Using a target size \(taeda.Size\(\[5\]\)\) that is different to the input size \(taeda.Size\(\[4, 5\]\)\)"):
        y = loss(taeda.ones(4, 5), taeda.zeros(5), reduction="none")
    assert y.shape == (4, 5)
    with pytest.warns(UserWarning), pytest.raises(RuntimeError, match=r"size of tensor a \(4\) must match .* \(3\)"):
        loss(taeda.ones(4, 5), taeda.zeros(3, 5))


def test_gradients_of_broadcast_operands_have_their_shapes() -> None:
    x, y = draw(4, 5).requires_grad_(), draw(5).requires_grad_()
    with pytest.warns(UserWarning):
        ops.mse_loss(x, y).backward()
    assert (x.grad.shape, y.grad.shape) == ((4, 5), (5,))
    np.testing.assert_allclose(y.grad.numpy(), -x.grad.numpy().sum(0), rtol=1e-12)


def test_operands_are_promoted() -> None:
    assert ops.mse_loss(taeda.ones(3), taeda.zeros(3, dtype=taeda.float64)).dtype == taeda.float64
    assert ops.mse_loss(taeda.ones(3), taeda.zeros(3, dtype=taeda.int64)).dtype == taeda.float32


def test_a_weighted_mean_is_over_the_weights() -> None:
    w = taeda.tensor([1.0, 3.0])
    assert ops.mse_loss(taeda.tensor([1.0, 2.0]), taeda.zeros(2), weight=w).item() == pytest.approx(13 / 4)


def test_beta_zero_is_the_absolute_loss() -> None:
    x, y = draw(7), draw(7).flip(0)
    assert taeda.equal(ops.smooth_l1_loss(x, y, beta=0), ops.l1_loss(x, y))


def test_a_mean_of_nothing_is_nan() -> None:
    empty = taeda.zeros(0)
    assert math.isnan(ops.mse_loss(empty, empty).item())
    assert math.isnan(ops.cross_entropy(taeda.zeros(0, 3), taeda.zeros(0, dtype=taeda.int64)).item())
    ignored = taeda.tensor([-100, -100])
    assert math.isnan(ops.cross_entropy(taeda.zeros(2, 3), ignored).item())
    assert ops.cross_entropy(taeda.zeros(2, 3), ignored, reduction="sum").item() == 0


def test_ignored_samples_get_no_gradient_even_where_they_are_nan() -> None:
    x = taeda.tensor([[1.0, 2.0], [math.nan, 0.0]], requires_grad=True)
    loss = ops.cross_entropy(x, taeda.tensor([0, 7]), ignore_index=7)
    loss.backward()
    assert loss.item() == pytest.approx(math.log(1 + math.e))
    assert x.grad[1].tolist() == [0.0, 0.0]
    assert x.grad[0].sum().item() == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 5)])
def test_class_weights_in_value_and_derivatives(shape: tuple[int, ...], reduction: str, smoothing: float) -> None:
    x, w = draw(*shape).requires_grad_(), taeda.tensor([0.5, 2.0, 1.5], dtype=taeda.float64)
    t = taeda.tensor(np.random.default_rng(1).integers(0, 3, (shape[0], *shape[2:])))

    def f(x: taeda.Tensor) -> taeda.Tensor:
        return ops.cross_entropy(x, t, w, 1, reduction, smoothing)

    assert taeda.autograd.gradcheck(f, (x,))
    assert taeda.autograd.gradgradcheck(f, (x,))
    logp = x.detach().log_softmax(1)
    kept = (t != 1).double()
    picked = w[t]
    hard = -logp.gather(1, t.unsqueeze(1)).squeeze(1) * picked
    soft = -(logp * w.reshape(-1, *[1] * (x.dim() - 2))).sum(1) / 3
    want = ((1 - smoothing) * hard + smoothing * soft) * kept
    if reduction != "none":
        want = want.sum() / ((picked * kept).sum() if reduction == "mean" else 1)
    np.testing.assert_allclose(f(x).detach().numpy(), want.numpy(), rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("weighted", [False, True])
def test_smoothed_losses_of_many_places_are_those_of_rows(dtype: str, weighted: bool) -> None:
    rng = np.random.default_rng(2)
    x = taeda.from_numpy(rng.standard_normal((2, 7, 15, 21)).astype(dtype))          # 315 places: three blocks of columns
    t = taeda.from_numpy(rng.integers(0, 7, (2, 15, 21)))
    w = taeda.from_numpy(rng.uniform(0.5, 2, 7).astype(dtype)) if weighted else None
    rows = ops.cross_entropy(x.movedim(1, -1).reshape(-1, 7), t.reshape(-1), w, 3, "none", 0.1)
    found = assert_same_for_any_threads(lambda: ops.cross_entropy(x, t, w, 3, "none", 0.1))
    np.testing.assert_allclose(found.reshape(-1).numpy(), rows.numpy(), rtol=1e-6 if dtype == "float32" else 1e-13)
    assert (found[t == 3] == 0).all() and (found[t != 3] > 0).all()


def test_byte_targets() -> None:
    x, t = draw(4, 3), taeda.tensor([0, 2, 1, 2])
    for loss in (ops.nll_loss, ops.cross_entropy):
        assert taeda.equal(loss(x, t.to(taeda.uint8)), loss(x, t))


def test_fused_cross_entropy_agrees_with_its_parts_in_float32() -> None:
    x = (draw(40, 1500) * 20).float().requires_grad_()
    t = taeda.arange(40) * 30
    fused, parts = ops.cross_entropy(x, t), ops.nll_loss(ops.log_softmax(x, 1), t)
    assert fused.item() == pytest.approx(parts.item(), rel=1e-6)
    a, b = (taeda.autograd.grad(y, x)[0].numpy() for y in (fused, parts))
    np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-12)


def test_logits_of_any_size_stay_finite() -> None:
    x = taeda.tensor([-1e4, -100.0, 0.0, 100.0, 1e4], requires_grad=True)
    y = ops.binary_cross_entropy_with_logits(x, taeda.ones(5), reduction="none")
    y.sum().backward()
    np.testing.assert_allclose(y.tolist(), [1e4, 100, math.log(2), 0, 0], atol=1e-6)
    np.testing.assert_allclose(x.grad.tolist(), [-1, -1, -0.5, 0, 0], atol=1e-6)


@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_positive_weight_in_value_and_derivatives(reduction: str) -> None:
    x = taeda.tensor([[-2.0, 0.0, 3.0], [1.0, -0.5, 0.0]], dtype=taeda.float64, requires_grad=True)
    y = taeda.tensor([[0.0, 0.3, 1.0], [0.9, 0.5, 0.1]], dtype=taeda.float64, requires_grad=True)
    pos = taeda.tensor([0.5, 1.0, 4.0], dtype=taeda.float64)

    def f(x: taeda.Tensor, y: taeda.Tensor) -> taeda.Tensor:
        return ops.binary_cross_entropy_with_logits(x, y, reduction=reduction, pos_weight=pos)

    assert taeda.autograd.gradcheck(f, (x, y))
    s = 1 / (1 + np.exp(-x.detach().numpy()))
    t = y.detach().numpy()
    want = -(pos.numpy() * t * np.log(s) + (1 - t) * np.log(1 - s))
    np.testing.assert_allclose(f(x, y).detach().numpy(), want if reduction == "none" else want.mean(), rtol=1e-12)


def test_logarithms_of_zero_stop_at_a_hundred() -> None:
    x = taeda.tensor([0.0, 1.0])
    assert ops.binary_cross_entropy(x, taeda.tensor([1.0, 0.0]), reduction="none").tolist() == [100.0, 100.0]
    with pytest.raises(RuntimeError, match="all elements of input should be between 0 and 1"):
        ops.binary_cross_entropy(taeda.tensor([math.nan]), taeda.ones(1))


def test_a_divergence_of_zero_probabilities_is_zero() -> None:
    x, y = taeda.tensor([[0.5, 0.5]]).log(), taeda.tensor([[1.0, 0.0]])
    assert ops.kl_div(x, y, reduction="none").tolist() == [[pytest.approx(math.log(2)), 0.0]]
    with pytest.warns(UserWarning, match="batchmean"):
        ops.kl_div(x, y)
    assert ops.kl_div(x[:0], y[:0], reduction="batchmean").isnan()


def test_threads_change_no_bit() -> None:
    def step():
        x = taeda.tensor(np.random.default_rng(0).normal(size=(300, 200)).astype("float32"), requires_grad=True)
        t = taeda.arange(300) % 200
        outs = [ops.mse_loss(x, x.detach().sin()), ops.cross_entropy(x, t), ops.nll_loss(x, t),
                ops.cross_entropy(x.reshape(3, 100, 200), t.reshape(3, 100)[:, :1].expand(3, 200) % 100),
                ops.binary_cross_entropy_with_logits(x, x.detach().sigmoid())]
        return outs, [taeda.autograd.grad(y, x)[0] for y in outs]

    assert_same_for_any_threads(step, (1, 2, 5))


def test_ctc_gives_impossible_classes_no_gradient() -> None:
    """A class of probability 0 is in no path: 0 and not PyTorch's NaN."""
    x = draw(6, 1, 4).log_softmax(-1)
    x[:, :, 3] = -math.inf
    x.requires_grad_()
    ops.ctc_loss(x, taeda.tensor([[1, 2]]), [6], [2]).backward()
    assert bool(taeda.isfinite(x.grad).all()) and bool((x.grad[:, :, 3] == 0).all())


def test_ctc_of_targets_that_do_not_fit() -> None:
    x = draw(3, 2, 4).log_softmax(-1).requires_grad_()
    targets = taeda.tensor([[1, 1, 2], [1, 2, 3]])                      # the first takes four steps
    loss = ops.ctc_loss(x, targets, [3, 3], [3, 3], reduction="none")
    assert loss[0] == math.inf and math.isfinite(loss[1].item())
    loss.sum().backward()
    assert bool(x.grad[:, 0].isnan().all()) and bool(taeda.isfinite(x.grad[:, 1]).all())
    x.grad = None
    loss = ops.ctc_loss(x, targets, [3, 3], [3, 3], reduction="none", zero_infinity=True)
    loss.sum().backward()
    assert loss[0] == 0 and bool((x.grad[:, 0] == 0).all()) and bool((x.grad[:, 1] != 0).any())
    assert ops.ctc_loss(x, targets, [0, 3], [0, 3], reduction="none")[0] == 0, "nothing spells nothing"


def test_ctc_has_one_derivative() -> None:
    x = draw(5, 1, 4).log_softmax(-1).requires_grad_()
    (g,) = taeda.autograd.grad(ops.ctc_loss(x, taeda.tensor([[1, 2]]), [5], [2]), x, create_graph=True)
    with pytest.raises(RuntimeError, match="derivative for aten::_ctc_loss_backward is not implemented"):
        g.sum().backward()


def test_ctc_sums_to_one_over_all_targets() -> None:
    """Every path spells one target: over two classes and three steps the likelihoods of all targets are 1."""
    x = draw(3, 1, 3).log_softmax(-1)
    total = 0.0
    for length in range(4):
        for number in range(2**length):
            target = [1 + (number >> i & 1) for i in range(length)]
            loss = ops.ctc_loss(x, taeda.tensor([target], dtype=taeda.int64).reshape(1, length), [3], [length], reduction="sum")
            total += math.exp(-loss.item())
    assert total == pytest.approx(1, rel=1e-12)


def test_ctc_loss_refuses_targets_without_values() -> None:
    x = taeda.zeros(3, 2, 4).log_softmax(2)
    with pytest.raises(RuntimeError, match="log_probs and targets on the same device"):
        taeda.ops.ctc_loss(x, taeda.ones(2, 1, dtype=taeda.int64, device="meta"), [3, 3], [1, 1])


@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_two_dtypes_are_computed_in_the_wider_one_and_given_in_pytorchs(reduction: str) -> None:
    x, y = taeda.tensor([0.5, 3.0]), taeda.tensor([0.25, 0.5], dtype=taeda.float64)
    for a, b in ((x, y), (y, x)):
        assert ops.huber_loss(a, b, reduction).dtype == ops.huber_loss(a, b, reduction, weight=taeda.ones(2)).dtype == a.dtype
        a = a.clone().requires_grad_()
        loss = ops.binary_cross_entropy_with_logits(a, b, reduction=reduction)
        assert loss.dtype == b.dtype and taeda.autograd.grad(loss.sum(), a)[0].dtype == a.dtype
        assert ops.binary_cross_entropy_with_logits(a, b, b.double(), reduction).dtype == b.dtype
        assert ops.binary_cross_entropy(y.float(), y.float(), y, reduction).dtype == taeda.float32
        expected = ops.binary_cross_entropy_with_logits(a.double(), b.double(), reduction=reduction)
        np.testing.assert_allclose(loss.detach().numpy(), expected.detach().numpy(), rtol=1e-6)


def test_the_gradient_of_a_loss_that_ignores_everything_is_zero_where_it_is_differentiated_again_too() -> None:
    x = taeda.tensor([[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]], requires_grad=True)
    for smoothing in (0.0, 0.1):
        loss = taeda.ops.cross_entropy(x, taeda.tensor([1, 1]), None, 1, "mean", smoothing)
        (g,) = taeda.autograd.grad(loss, x, create_graph=True)
        assert loss.isnan() and g.tolist() == [[0.0] * 3] * 2


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("shape", [(7,), (600, 7), (3, 7, 5, 4)])
def test_nll_loss_of_halves_is_that_of_float32_rounded(dtype: str, reduction: str, shape: tuple[int, ...]) -> None:
    half = getattr(taeda, dtype)
    x = draw(*shape).to(half)
    target = taeda.tensor(np.random.default_rng(1).integers(0, 7, shape[:1] + shape[2:] if len(shape) > 1 else ()))
    weight = taeda.tensor([0.5, 1.0, 2.0, 0.25, 1.0, 4.0, 1.0], dtype=half)
    for options in ({}, {"ignore_index": 2}, {"weight": weight}):
        wide = {k: v.float() if k == "weight" else v for k, v in options.items()}
        one, two = x.clone().requires_grad_(), x.float().requires_grad_()
        found = ops.nll_loss(one, target, reduction=reduction, **options)
        wanted = ops.nll_loss(two, target, reduction=reduction, **wide)
        assert found.dtype == half and taeda.equal(found.nan_to_num(9), wanted.to(half).nan_to_num(9))
        found.sum().backward()
        wanted.sum().backward()
        taeda.testing.assert_close(one.grad.float(), two.grad, rtol=1e-2, atol=1e-4, equal_nan=True)
        assert taeda.equal(one.grad == 0, two.grad == 0) or reduction == "mean"


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("loss", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy", "bce_with_logits"])
@pytest.mark.parametrize("n", [1, 1000, 20001])
def test_losses_of_halves_are_those_of_float32_rounded(dtype: str, loss: str, n: int) -> None:
    half = getattr(taeda, dtype)
    f = {"bce_with_logits": ops.binary_cross_entropy_with_logits}.get(loss) or getattr(ops, loss)
    draws = np.random.default_rng(n)
    x, y = (taeda.tensor(draws.uniform(0, 1, n) if loss == "binary_cross_entropy" else draws.normal(size=n)).to(half) for _ in range(2))
    options = {}
    if loss == "bce_with_logits":                               # of classes: what the weight makes of them is exact
        y, options = (y > 0).to(half), {"pos_weight": taeda.tensor(draws.integers(1, 4, n)).to(half)}
    for reduction in ("none", "sum", "mean"):
        one, two = x.clone().requires_grad_(), x.float().requires_grad_()
        found = assert_same_for_any_threads(lambda one=one, reduction=reduction: f(one, y, reduction=reduction, **options))
        wanted = f(two, y.float(), reduction=reduction, **{k: v.float() for k, v in options.items()})
        assert found.dtype == half and taeda.equal(found, wanted.to(half))
        g = taeda.tensor(draws.normal(size=found.shape)).to(half)
        found.backward(g)
        wanted.backward(g.float())
        assert taeda.equal(one.grad, two.grad.to(half))
    if loss == "binary_cross_entropy":
        x[-1] = float("nan")
        with pytest.raises(RuntimeError, match=r"\[binary_cross_entropy\] all elements of input should be between 0 and 1"):
            f(x, y)


def test_huber_loss_of_integers_beside_a_float_target_is_refused() -> None:
    x = taeda.tensor([1, 2, 3])
    for reduction in ("none", "mean", "sum"):
        with pytest.raises(RuntimeError, match="result type Float can't be cast to the desired output type Long"):
            ops.huber_loss(x, taeda.rand(3), reduction=reduction)
    assert ops.huber_loss(taeda.rand(3), x).dtype is taeda.float32


@pytest.mark.parametrize("dtype", [taeda.float16, taeda.float32, taeda.float64], ids=str)
@pytest.mark.parametrize("classes", [1, 2, 4, 5, 8, 13, 50])
def test_multilabel_margins_of_any_number_of_classes(dtype: taeda.dtype, classes: int) -> None:
    x = ((taeda.arange(30 * classes) * 37 % 101 - 50) / 32.0).reshape(30, classes).to(dtype).requires_grad_()
    target = (taeda.arange(30 * classes) * 53 % (classes + 1) - 1).reshape(30, classes)             # a class may be named twice
    loss, want, slope = taeda.ops.multilabel_margin_loss(x, target, "none"), [], taeda.zeros(30, classes, dtype=taeda.float64)
    for k, (row, named) in enumerate(zip(x.tolist(), target.tolist(), strict=True)):
        right = named[: named.index(-1)] if -1 in named else named
        pairs = [(j, i) for j in right for i in range(classes) if i not in right and 1 - row[j] + row[i] > 0]
        want.append(sum(1 - row[j] + row[i] for j, i in pairs) / classes)
        for j, i in pairs:
            slope[k, i] += 1 / classes
            slope[k, j] -= 1 / classes
    eps = taeda.finfo(dtype).eps
    assert taeda.allclose(loss.double(), taeda.tensor(want, dtype=taeda.float64), rtol=4 * eps, atol=1e-9)
    assert taeda.allclose(taeda.ops.multilabel_margin_loss(x.detach(), target, "none"), loss, rtol=2 * eps)
    assert taeda.allclose(taeda.autograd.grad(loss.sum(), x)[0].double(), slope, rtol=2 * eps)
    x = x.detach().clone()
    x[0], x[1] = float("nan"), float("inf")                 # no pair of them is above 0
    assert taeda.ops.multilabel_margin_loss(x, target, "none")[:2].tolist() == [0, 0]
    assert taeda.ops.multilabel_margin_loss(x.requires_grad_(), target, "none")[:2].tolist() == [0, 0]


def test_cross_entropy_of_no_classes() -> None:
    for shape in ((4, 0), (0,), (2, 0, 3)):
        x = taeda.zeros(shape, requires_grad=True)
        y = ops.cross_entropy(x, taeda.zeros(shape), label_smoothing=0.2, reduction="none")
        assert y.shape == (shape[:1] + shape[2:] if len(shape) > 1 else ()) and not y.any()
        assert taeda.autograd.grad(y.sum(), x)[0].shape == shape


def test_the_losses_of_samples_may_be_written_to() -> None:
    x = taeda.tensor([[0.25, 0.5, 1.0]], requires_grad=True)
    y = ops.multilabel_margin_loss(x, taeda.tensor([[2, -1, 0]]), "none")
    assert not y._is_view()
    y.mul_(3.0)
    y.sum().backward()
    assert y.tolist() == [0.75] and x.grad.tolist() == [[1.0, 1.0, -2.0]]


def test_absolute_differences_of_integers_are_what_smooth_l1_loss_gives_at_a_beta_of_zero() -> None:
    x, y = taeda.tensor([1, 2]), taeda.tensor([3, 5])
    assert ops.smooth_l1_loss(x, y, "none", 0.0).tolist() == [2, 3] and ops.smooth_l1_loss(x, y, "sum", 0).item() == 5
    with pytest.raises(RuntimeError, match="could not infer output dtype"):
        ops.smooth_l1_loss(x, y, beta=0)


@pytest.mark.parametrize("name", ["binary_cross_entropy", "binary_cross_entropy_with_logits"])
def test_weights_of_binary_cross_entropies_have_no_derivative(name: str) -> None:
    x, w = taeda.tensor([0.25, 0.5]), taeda.ones(2, requires_grad=True)
    for word in ("weight", "pos_weight")[: 2 if name.endswith("logits") else 1]:
        with pytest.raises(RuntimeError, match=f"is not differentiable with respect to argument '{word}'"):
            getattr(ops, name)(x, x, **{word: w})
        with taeda.no_grad():
            assert getattr(ops, name)(x, x, **{word: w}) == getattr(ops, name)(x, x)


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 2)])
@pytest.mark.parametrize("loss", [ops.cross_entropy, ops.nll_loss])
def test_a_class_that_became_none_after_the_loss_has_no_gradient(loss, shape: tuple[int, ...]) -> None:
    x, target = taeda.zeros(shape, requires_grad=True), taeda.zeros(shape[:1] + shape[2:], dtype=taeda.int64)
    y = loss(x, target, reduction="sum")
    target.data[0] = 10**12
    y.backward()
    assert not x.grad[0].any() and x.grad[1].any()


@pytest.mark.parametrize("weighted", [False, True])
def test_smoothed_losses_of_logits_of_a_large_mean_keep_their_digits(weighted: bool) -> None:
    rng = np.random.default_rng(0)
    x = taeda.tensor((2e4 + 10 * rng.standard_normal((8, 5000))).astype("float32"))
    w = taeda.tensor(rng.random(5000).astype("float32")) if weighted else None
    t = x.argmax(1)
    found = ops.cross_entropy(x, t, w, label_smoothing=0.1, reduction="none").numpy()
    wanted = ops.cross_entropy(x.double(), t, None if w is None else w.double(), label_smoothing=0.1, reduction="none").numpy()
    np.testing.assert_allclose(found, wanted, rtol=2e-7)


def test_ctc_of_one_sample_takes_as_many_labels_as_it_says() -> None:
    x = taeda.zeros(3, 4).log_softmax(-1)
    assert ops.ctc_loss(x, taeda.tensor([1, 2]), taeda.tensor([3]), taeda.tensor([2]), reduction="sum").item() == pytest.approx(math.log(64 / 5))
    with pytest.raises(RuntimeError, match="Expected targets to have size 2 at dimension 0"):
        ops.ctc_loss(x, taeda.tensor([1, 2, 3]), taeda.tensor([3]), taeda.tensor([2]))


@pytest.mark.parametrize("dtype", [taeda.float32, taeda.float64, taeda.bfloat16])
def test_a_missing_target_that_is_masked_after_an_absolute_difference_costs_no_gradient(dtype: taeda.dtype) -> None:
    target = taeda.tensor([1.0, math.nan, -2.0] * 11, dtype=dtype)
    x = taeda.zeros(33, dtype=dtype, requires_grad=True)
    loss = ops.l1_loss(x, target, "none")
    assert loss.isnan()[1::3].all()
    assert taeda.autograd.grad(loss[~target.isnan()].sum(), x)[0].tolist() == [-1.0, 0.0, 1.0] * 11


@pytest.mark.parametrize("loss", [ops.smooth_l1_loss, ops.huber_loss])
def test_the_second_derivative_on_the_edge_is_that_of_the_line(loss) -> None:
    x = taeda.tensor([-3.0, -2.0, -1.0, 0.0, 2.0, 3.0], requires_grad=True)
    c = 2.0
    (g,) = taeda.autograd.grad(loss(x, taeda.zeros(6), "sum", c), x, create_graph=True)
    assert (g * (c if loss is ops.smooth_l1_loss else 1)).tolist() == [-2.0, -2.0, -1.0, 0.0, 2.0, 2.0]
    curved = 1 / c if loss is ops.smooth_l1_loss else 1.0
    assert taeda.autograd.grad(g.sum(), x)[0].tolist() == [0.0, 0.0, curved, curved, 0.0, 0.0]
