"""Fusion, modules without initial values, calls with other parameters, grouped products, losses by parts."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

import taeda
import taeda.nn.functional as F
from taeda import nn
from taeda.nn import utils


@pytest.mark.parametrize(
    ("layer", "norm", "transpose", "shape"),
    [
        (lambda: nn.Conv2d(3, 4, 3, groups=1), lambda: nn.BatchNorm2d(4), False, (2, 3, 5, 5)),
        (lambda: nn.Conv1d(3, 4, 3, bias=False), lambda: nn.BatchNorm1d(4, affine=False), False, (2, 3, 5)),
        (lambda: nn.ConvTranspose2d(3, 4, 3), lambda: nn.BatchNorm2d(4), True, (2, 3, 5, 5)),
    ],
    ids=["conv2d", "conv1d without weights", "transposed"],
)
def test_a_fused_convolution_does_what_both_did(layer, norm, transpose, shape):
    taeda.manual_seed(0)
    conv, bn, x = layer(), norm(), taeda.randn(*shape)
    bn(conv(x))  # running statistics
    with pytest.raises(AssertionError, match="Fusion only for eval!"):
        utils.fuse_conv_bn_eval(conv, bn, transpose)
    conv.eval(), bn.eval()
    fused = utils.fuse_conv_bn_eval(conv, bn, transpose)
    assert type(fused) is type(conv) and fused is not conv
    np.testing.assert_allclose(fused(x).detach(), bn(conv(x)).detach(), atol=1e-5)


def test_a_fused_linear_layer_and_what_does_not_fuse():
    taeda.manual_seed(0)
    linear, bn, x = nn.Linear(3, 4), nn.BatchNorm1d(4), taeda.randn(5, 3)
    bn(linear(x))
    fused = utils.fuse_linear_bn_eval(linear.eval(), bn.eval())
    np.testing.assert_allclose(fused(x).detach(), bn(linear(x)).detach(), atol=1e-5)
    with pytest.raises(AssertionError, match="got linear.out_features=4 and bn.num_features=3"):
        utils.fuse_linear_bn_eval(linear, nn.BatchNorm1d(3).eval())
    with pytest.raises(AssertionError, match="must not be None"):
        utils.fuse_linear_bn_eval(linear, nn.BatchNorm1d(4, track_running_stats=False).eval())


def test_skip_init_draws_nothing():
    taeda.manual_seed(0)
    expected = taeda.rand(1)
    taeda.manual_seed(0)
    layer = utils.skip_init(nn.Linear, 3, 4)
    assert taeda.rand(1) == expected and layer.weight.shape == (4, 3) and not layer.weight.is_meta
    with pytest.raises(RuntimeError, match="Module must support a 'device' arg to skip initialization"):
        utils.skip_init(nn.ReLU)
    with pytest.raises(RuntimeError, match="Expected a Module; got <class 'int'>"):
        utils.skip_init(int)


def test_the_older_functional_call():
    layer = nn.Linear(2, 2)
    with pytest.warns(FutureWarning, match="Please use `taeda.func.functional_call` instead"):
        y = utils.stateless.functional_call(layer, {"weight": taeda.eye(2), "bias": taeda.zeros(2)}, taeda.ones(1, 2))
    assert y.tolist() == [[1.0, 1.0]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = utils.stateless._functional_call(layer, {"weight": taeda.eye(2), "bias": taeda.ones(2)}, taeda.ones(1, 2))
    assert y.tolist() == [[2.0, 2.0]]


def test_a_call_with_other_tensors_of_a_module_that_contains_itself():
    model = nn.Sequential(nn.Linear(1, 1, bias=False))
    model[0].owner = model
    for tie in (True, False):
        y = taeda.func.functional_call(model, {"0.owner.0.weight": taeda.full((1, 1), 3.0)}, taeda.ones(1, 1), tie_weights=tie)
        assert y.item() == 3.0 and model[0].weight.item() != 3.0


def test_a_parameter_under_a_new_name_is_one_during_the_call():
    class Names(nn.Module):
        def forward(self):
            return [name for name, _ in self.named_parameters()]

    model = Names()
    given = {"w": nn.Parameter(taeda.ones(1)), "x": taeda.ones(1)}
    assert taeda.func.functional_call(model, given, ()) == ["w"] and not model._parameters and not hasattr(model, "w")


def test_a_module_has_other_tensors_for_a_block():
    model, new = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1)), {"0.weight": taeda.ones(1, 1), "1.num_batches_tracked": taeda.tensor(5)}
    own, x = model[0].weight, taeda.ones(2, 1)
    with utils.stateless._reparametrize_module(model, new):
        assert model[0].weight is new["0.weight"]
        model(x), model(x)
    assert model[0].weight is own and model[1].num_batches_tracked == 0 and new["1.num_batches_tracked"] == 7
    with pytest.raises(ZeroDivisionError), utils.stateless._reparametrize_module(model, new):
        1 / 0
    assert model[0].weight is own
    with pytest.raises(RuntimeError, match="Missing key"), utils.stateless._reparametrize_module(model, new, strict=True):
        pass


def test_clipping_warns_of_old_names_and_of_empty_generators():
    p = nn.Parameter(taeda.zeros(2))
    p.grad = taeda.tensor([3.0, 4.0])
    with pytest.warns(FutureWarning, match="`taeda.nn.utils.clip_grad_norm` is now deprecated"):
        assert utils.clip_grad_norm([p], 1.0).item() == 5
    np.testing.assert_allclose(p.grad, [0.6, 0.8], rtol=1e-5)
    with pytest.warns(UserWarning, match="`parameters` is an empty generator, no gradient clipping will occur"):
        utils.clip_grad_norm_((q for q in []), 1.0)
    assert utils.clip_grad_norm_([], 1.0).item() == 0


ENDS = taeda.tensor([1, 3, 3], dtype=taeda.int32)


def test_grouped_mm_is_a_product_a_group():
    a, b = taeda.randn(4, 5), taeda.randn(3, 5, 2)
    y = F.grouped_mm(a, b, offs=ENDS)
    np.testing.assert_allclose(y[:3], taeda.cat([a[:1] @ b[0], a[1:3] @ b[1]]), rtol=1e-5)
    assert y.shape == (4, 2) and y[3].tolist() == [0, 0], "behind the last group"
    c = taeda.randn(3, 4, 5)
    np.testing.assert_allclose(F.grouped_mm(c, taeda.randn(3, 5, 2) * 0 + 1), c.sum(2, keepdim=True).expand(3, 4, 2), atol=1e-5)
    d = taeda.randn(5, 3)
    np.testing.assert_allclose(F.grouped_mm(c, d, offs=ENDS), taeda.cat([c[0] @ d[:, :1], c[1] @ d[:, 1:3]], 1), rtol=1e-4)
    e, f = taeda.randn(2, 3), taeda.randn(3, 4)
    expected = taeda.stack([e[:, :1] @ f[:1], e[:, 1:] @ f[1:], taeda.zeros(2, 4)])
    np.testing.assert_allclose(F.grouped_mm(e, f, offs=ENDS), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("a", "b", "options", "text"),
    [
        ((4, 5), (3, 5, 2), {}, "Have to provide offsets if there is a 2d matrix"),
        ((3, 4, 5), (3, 5, 2), {"offs": ENDS}, "or no offset if both matrices are 3d"),
        ((4, 5), (3, 6, 2), {"offs": ENDS}, "contraction dimension of mat_a and mat_b must match"),
        ((4, 5), (3, 5, 2), {"offs": ENDS.long()}, "Offsets have to be int32"),
        ((4, 5), (3, 5, 2), {"offs": ENDS[:2]}, "matrix batch sizes have to match"),
        ((5,), (3, 5, 2), {"offs": ENDS}, "mat_a has to be 2 or 3d"),
        ((4, 5), (3, 5, 2), {"offs": ENDS, "bias": taeda.ones(2)}, "Bias not supported yet"),
        ((4, 5), (3, 5, 2), {"offs": ENDS, "out_dtype": taeda.bfloat16}, "output dtype must match `mat_a` dtype"),
    ],
)
def test_grouped_mm_refuses(a, b, options, text):
    with pytest.raises(RuntimeError, match=rf"\[grouped_mm\] .*{text}"):
        F.grouped_mm(taeda.ones(*a), taeda.ones(*b), **options)


def eight_bits(*shape, dtype=taeda.float8_e4m3fn):
    return taeda.arange(-10.0, 1000.0, 0.75)[: math.prod(shape)].reshape(shape).to(dtype)


def test_products_of_eight_bit_floats():
    a, b, bias = eight_bits(3, 4), eight_bits(2, 4).t(), taeda.tensor([1.0, -2.0])
    wide = a.double() @ b.double()
    one, row = F.ScalingType.TensorWise, F.ScalingType.RowWise
    y = F.scaled_mm(a, b, taeda.tensor(2.0), one, [taeda.tensor([0.25])], [one], bias=bias, output_dtype=taeda.float32)
    assert y.dtype is taeda.float32 and y.tolist() == (wide * 0.5 + bias).tolist()
    rows, columns = taeda.tensor([[1.0], [0.5], [4.0]]), taeda.tensor([[2.0, 0.125]])
    assert F.scaled_mm(a, b, rows, row, columns, row, output_dtype=taeda.float64).tolist() == (wide * rows * columns).tolist()
    s = taeda.tensor(1.0)
    assert F.scaled_mm(a, b, s, one, s, one).dtype is taeda.bfloat16 and F.scaled_mm(a, b, s, one, s, one, output_dtype=None).dtype is a.dtype
    for by in ((s, s), (rows, columns)):
        assert taeda._scaled_mm(a, b, *by, out_dtype=taeda.float32).tolist() == (wide * by[0] * by[1]).tolist()
    mixed = taeda._scaled_mm(a.to(taeda.float8_e5m2), b, s, s, out_dtype=taeda.float32)
    assert mixed.tolist() == (a.to(taeda.float8_e5m2).double() @ b.double()).tolist()


def test_products_of_eight_bit_floats_refuse():
    a, s, one, row = eight_bits(2, 2), taeda.ones(()), F.ScalingType.TensorWise, F.ScalingType.RowWise
    for args, text in (
        ((a.float(), a, s, one, s, one), "Invalid scaling configuration"),
        ((a, a, s.double(), one, s, one), "Invalid scaling configuration"),
        ((a, a, taeda.ones(2, 1), row, taeda.ones(2, 1), row), "Invalid scaling configuration"),
        ((a, a, s, one, taeda.ones(1, 2), row), "both scales are TensorWise or both RowWise"),
        ((a, a, s, F.ScalingType.BlockWise1x16, s, F.ScalingType.BlockWise1x16), "both scales are TensorWise or both RowWise"),
        ((a, eight_bits(3, 2), s, one, s, one), r"mat_a and mat_b shapes cannot be multiplied \(2x2 and 3x2\)"),
        ((a[None], a, s, one, s, one), "mat_a must be a matrix"),
    ):
        with pytest.raises(ValueError, match=rf"^\[scaled_mm\] .*{text}"):
            F.scaled_mm(*args)
    with pytest.raises(ValueError, match="Bias must be size 2 but got 3"):
        F.scaled_mm(a, a, s, one, s, one, bias=taeda.ones(3))
    with pytest.raises(NotImplementedError, match=r"\[scaled_grouped_mm\] there is no such product on the CPU"):
        F.scaled_grouped_mm(a, a, s, one, s, one)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("size", [1, 3, 100])
def test_linear_cross_entropy_by_parts_is_that_of_the_whole(reduction, weighted, size):
    taeda.manual_seed(0)
    x, w, b = taeda.randn(7, 4), taeda.randn(5, 4), taeda.randn(5)
    target = taeda.tensor([0, 4, 2, 2, 1, 3, 0])
    options = {"reduction": reduction, "ignore_index": 2, "weight": taeda.rand(5) + 0.5 if weighted else None}
    found = []
    for parts in (None, nn.LinearCrossEntropyOptions(batch_chunk_size=size)):
        leaves = [t.clone().requires_grad_() for t in (x, w, b)]
        loss = F.linear_cross_entropy(*leaves[:2], target, linear_bias=leaves[2], options=parts, **options)
        (loss * taeda.arange(1.0, loss.numel() + 1).reshape(loss.shape)).sum().backward()
        found.append([loss.detach(), *(t.grad for t in leaves)])
    for whole, by_parts in zip(*found, strict=True):
        np.testing.assert_allclose(by_parts, whole, rtol=1e-5, atol=1e-6)


def test_linear_cross_entropy_never_holds_all_logits():
    x, w = taeda.randn(512, 8), taeda.randn(4096, 8).requires_grad_()
    target = taeda.zeros(512, dtype=taeda.int64)
    peaks = []
    for options in (None, nn.LinearCrossEntropyOptions()):
        w.grad = None
        taeda.cpu.empty_cache()
        taeda.cpu.reset_peak_memory_stats()
        before = taeda.cpu.memory_stats()["allocated_bytes.current"]
        F.linear_cross_entropy(x, w, target, options=options).backward()
        peaks.append(taeda.cpu.memory_stats()["allocated_bytes.peak"] - before)
    assert peaks[1] < peaks[0] / 8


def test_linear_cross_entropy_of_each_sample_is_that_of_the_whole():
    x, w, target = taeda.arange(12.0).view(2, 2, 3) / 12, taeda.eye(5, 3), taeda.tensor([[1, 2], [0, 4]])
    options = nn.LinearCrossEntropyOptions(batch_chunk_size=1)
    found = taeda.vmap(lambda a, t: F.linear_cross_entropy(a, w, t, options=options))(x, target)
    whole = [F.linear_cross_entropy(a, w, t) for a, t in zip(x, target, strict=True)]
    taeda.testing.assert_close(found, taeda.stack(whole))
    grads = taeda.vmap(taeda.func.grad(lambda a, t: F.linear_cross_entropy(a, w, t, options=options)))(x, target)
    expected = [taeda.func.grad(lambda a, t=t: F.linear_cross_entropy(a, w, t))(a) for a, t in zip(x, target, strict=True)]
    taeda.testing.assert_close(grads, taeda.stack(expected))


def test_linear_cross_entropy_refuses():
    x, w, t = taeda.ones(4, 3), taeda.ones(5, 3), taeda.zeros(4, dtype=taeda.int64)
    parts = nn.LinearCrossEntropyOptions()
    loss = F.linear_cross_entropy(x.requires_grad_(), w, t, options=parts)
    loss.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="chunked backward called twice"):
        loss.backward()
    loss = F.linear_cross_entropy(x, w, t, options=nn.LinearCrossEntropyOptions(allow_retain_graph=True))
    loss.backward(retain_graph=True), loss.backward()
    with pytest.warns(UserWarning, match="``options`` ignored; chunked path needs"):
        F.linear_cross_entropy(x, w, t, options=parts, label_smoothing=0.1)
    for args, text in (
        ((taeda.ones(3), taeda.ones(5, 2, 3), t), "requires batched input"),
        ((x, taeda.ones(3), t), "dimensionality at least 2, got 1"),
        ((taeda.ones(1, 4, 3), w, t), "dimensionality 1 or 2, got 3"),
        ((x, taeda.ones(5, 2), t), r"last dimensions \(in_features\), got 3 and 2"),
    ):
        with pytest.raises(RuntimeError, match=text):
            F.linear_cross_entropy(*args)
    with pytest.raises(RuntimeError, match=r"expected linear_bias shape \(5,\), got \(4,\)"):
        F.linear_cross_entropy(x, w, t, linear_bias=taeda.ones(4))
    with pytest.raises(RuntimeError, match="ignore_index cannot be specified when target contains probabilities"):
        F.linear_cross_entropy(x, w, taeda.ones(4, 5), ignore_index=1)
    for options, text in (
        ({"acc_policy": "x"}, "invalid acc_policy: 'x'"),
        ({"chunking_method": "aspect_ratio:0"}, "invalid chunking_method"),
        ({"batch_chunk_size": 0}, "batch_chunk_size must be positive int or None, got 0"),
        ({"acc_dtype": taeda.int64}, "acc_dtype must be one of"),
    ):
        with pytest.raises(ValueError, match=text):
            nn.LinearCrossEntropyOptions(**options)
    with pytest.raises(ValueError, match="give different chunk sizes"):
        F.linear_cross_entropy(x, w, t, options=nn.LinearCrossEntropyOptions(batch_chunk_size=3, chunking_method="aspect_ratio"))


def test_adaptive_log_softmax_is_a_distribution():
    taeda.manual_seed(0)
    soft = nn.AdaptiveLogSoftmaxWithLoss(8, 12, [3, 6], div_value=2.0)
    x = taeda.randn(40, 8)
    logp = soft.log_prob(x)
    np.testing.assert_allclose(logp.exp().sum(1).detach(), np.ones(40), rtol=1e-5)
    target = taeda.arange(40) % 12
    output, loss = soft(x, target)
    np.testing.assert_allclose(output.detach(), logp.gather(1, target.unsqueeze(1)).squeeze(1).detach(), rtol=1e-5)
    assert loss.item() == pytest.approx(-output.mean().item())
    np.testing.assert_array_equal(soft.predict(x), logp.argmax(1))
    for args, text in (
        ((x, target[:3]), r"the same size in the batch dimension; got \(40, 8\) and \(3,\)"),
        ((x, target[0]), "0D target tensor expects 1D input tensors"),
        ((x, target[None]), "0D or 1D target tensor expected"),
        ((x, target + 1), r"Target values should be in \[0, 11\], but values in range \[1, 12\]"),
    ):
        with pytest.raises(RuntimeError, match=text):
            soft(*args)
    for cutoffs in ([0, 5], [5, 3], [5, 5], [12], [1.5]):
        with pytest.raises(ValueError, match="cutoffs should be a sequence of unique, positive integers"):
            nn.AdaptiveLogSoftmaxWithLoss(8, 12, cutoffs)


def test_functions_that_make_tuples_have_names() -> None:
    from taeda.nn.modules.utils import _ntuple, _pair

    five = _ntuple(5, "_five")
    assert (five.__name__, _pair.__name__, _ntuple(1).__name__) == ("_five", "_pair", "parse")
    assert five(2) == (2,) * 5 and _pair([1, 2]) == (1, 2)


def test_a_module_in_place_of_its_parameters_is_told():
    with pytest.raises(TypeError, match=r"got Linear; did you mean model.parameters\(\)\?$"):
        utils.parameters_to_vector(nn.Linear(1, 1))
    with pytest.raises(TypeError, match="got int$"):
        utils.parameters_to_vector(3)


def test_layers_functions_are_among_those_that_a_class_can_take_over() -> None:
    found = taeda.overrides.get_overridable_functions()[F]
    assert {F.relu, F.linear, F.cross_entropy, F.max_pool2d, F.interpolate} <= set(found)
    assert taeda.overrides.get_testing_overrides()[F.dropout](1) == -1
