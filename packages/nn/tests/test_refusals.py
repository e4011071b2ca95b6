"""What activations, dropouts and losses refuse, and what they keep: dtypes, exact bounds, the input itself."""

from __future__ import annotations

import math

import pytest

import taeda
from taeda import nn
from taeda.nn import functional as F

INTEGERS = taeda.tensor([-2, 0, 9])


@pytest.mark.parametrize("name", ["hardshrink", "hardsigmoid", "hardswish", "softshrink", "rrelu", "leaky_relu"])
def test_integers_are_refused_by_what_gives_fractions(name):
    with pytest.raises(NotImplementedError, match=r"\[\w+\] not implemented for 'Long'"):
        getattr(F, name)(INTEGERS)


def test_integers_are_limited_as_integers():
    assert F.relu6(INTEGERS).tolist() == [0, 0, 6]
    assert F.relu6(INTEGERS).dtype == taeda.int64
    assert F.hardtanh_(taeda.tensor([0.0, 2.0]), float("inf")).tolist() == [1.0, 1.0]       # no bounds compared in place
    assert F.hardtanh(INTEGERS, -1.5, 2.5).tolist() == [-1, 0, 2]
    with pytest.raises(
        RuntimeError, match=r"\[hardtanh\] cannot do hardtanh on an unsigned type with negative limits"
    ):
        F.hardtanh(taeda.tensor([1], dtype=taeda.uint8))
    with pytest.raises(RuntimeError, match=r"\[hardtanh\] Bool inputs not supported"):
        F.relu6(taeda.tensor([True]))


def test_bounds_of_double_precision_are_exact():
    x = taeda.tensor([-5.0, 0.1], dtype=taeda.float64)
    assert F.hardtanh(x, -0.3, 2.0).tolist() == [-0.3, 0.1]
    assert taeda.where(x < 0, 0.3, x).tolist() == [0.3, 0.1]


def test_the_ends_of_a_piece_have_pytorchs_derivatives():
    for function, end, slope in (
        (F.hardtanh, 1.0, 0.0), (F.relu6, 6.0, 0.0), (F.hardsigmoid, 3.0, 0.0), (F.hardswish, 3.0, 1.0),
        (F.hardswish, -3.0, 0.0), (F.softshrink, 0.5, 0.0), (F.hardshrink, -0.5, 0.0), (F.leaky_relu, 0.0, 0.01),
        (F.elu, 0.0, 1.0),
    ):  # fmt: skip
        x = taeda.tensor([end, float("nan")], requires_grad=True)
        y = function(x)
        y.sum().backward()
        assert x.grad[0].item() == pytest.approx(slope)
        assert y[1].isnan()


def test_in_place_forms_return_their_input():
    for function in (F.hardtanh, F.hardsigmoid, F.hardswish, F.leaky_relu, F.relu6):
        x = taeda.tensor([-4.0, 0.5, 7.0])
        expected = function(x).tolist()
        assert function(x, inplace=True) is x
        assert x.tolist() == expected
        with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
            function(taeda.ones(2, requires_grad=True), inplace=True)
        w = taeda.tensor([-1.0, 0.5], requires_grad=True)
        function(w * 1, inplace=True).sum().backward()
        other = taeda.tensor([-1.0, 0.5], requires_grad=True)
        function(other).sum().backward()
        assert w.grad.tolist() == other.grad.tolist()
    for function in (F.dropout1d, F.dropout2d, F.dropout3d):
        x = taeda.ones(2, 3, 4, 4) if function is not F.dropout1d else taeda.ones(3, 4)
        assert function(x, 0.5, True, inplace=True) is x


def test_losses_refuse_what_does_not_fit():
    with pytest.raises(RuntimeError, match=r"\[kl_div\] Integral inputs not supported"):
        F.kl_div(INTEGERS, INTEGERS)
    with pytest.raises(RuntimeError, match=r"inconsistent weight size, expected 5 but got \[4\]"):
        F.multi_margin_loss(taeda.ones(1, 5), taeda.tensor([0]), weight=taeda.ones(4))
    with pytest.raises(RuntimeError, match=r"Expected non-empty vector or matrix .* \[1, 2, 3\]"):
        F.multilabel_margin_loss(taeda.ones(1, 2, 3), taeda.zeros(1, 2, 3, dtype=taeda.int64))
    assert F.multi_margin_loss(taeda.ones(5), taeda.tensor([1]), reduction="none").shape == (1,)


def test_the_right_class_has_no_part_in_a_margin_loss():
    x = taeda.tensor([[0.5, float("inf"), 1.0], [0.25, 1.0, 0.5]])
    assert F.multi_margin_loss(x, taeda.tensor([1, 1]), reduction="none").tolist() == [0.0, 0.25]
    assert F.multi_margin_loss(x[1:], taeda.tensor([0]), p=2).item() == pytest.approx((1.75**2 + 1.25**2) / 3)


@pytest.mark.parametrize("p", (1, 2))
def test_a_weighted_margin_loss_has_derivatives_of_both_orders(p):
    x = taeda.tensor([[0.5, 2.0, 1.0], [0.25, 1.0, 0.5]], dtype=taeda.float64, requires_grad=True)
    t, w = taeda.tensor([2, 0]), taeda.tensor([1.0, 2.0, 3.0], dtype=taeda.float64)
    assert taeda.autograd.gradcheck(lambda x: F.multi_margin_loss(x, t, p, 0.75, w), (x,))
    assert taeda.autograd.gradgradcheck(lambda x: F.multi_margin_loss(x, t, p, 0.75, w).exp(), (x,))
    with pytest.raises(RuntimeError, match="is not differentiable with respect to argument 'weight'"):
        F.multi_margin_loss(x, t, p, 0.75, w.requires_grad_())


def test_margin_losses_refuse_classes_that_are_not_there():
    for target in ([0, 3], [0, -1]):
        with pytest.raises(RuntimeError, match=r"target out of range: class (3|-1) is not in \[0, 2\]"):
            F.multi_margin_loss(taeda.ones(2, 3), taeda.tensor(target))


def test_a_parameters_name_takes_no_module_or_buffer():
    m = nn.Module()
    m.x, m.layer = nn.Parameter(taeda.ones(1)), nn.ReLU()
    for value in (nn.ReLU(), nn.Buffer(taeda.ones(1))):
        with pytest.raises(TypeError, match="as parameter 'x'"):
            m.x = value
    with pytest.raises(TypeError, match="as child module 'layer'"):
        m.layer = nn.Buffer(taeda.ones(1))
    assert repr(nn.Buffer(taeda.ones(2))) == "tensor([1., 1.])"


def test_normalisations_want_both_running_buffers_or_none():
    x = taeda.randn(4, 3, 5)
    for function in (F.batch_norm, F.instance_norm):
        with pytest.raises(ValueError, match="must either both be None or neither be None"):
            function(x, taeda.zeros(3), None, None, None, True)
    with pytest.raises(RuntimeError, match="defined when use_input_stats is false"):
        F.instance_norm(x, use_input_stats=False)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_circular_padding_wants_channels(n):
    layer = getattr(nn, f"CircularPad{n}d")(1)
    for ndim in (n, n + 3):
        with pytest.raises(ValueError, match=rf"\[CircularPad{n}d\] expected {n + 1}D or {n + 2}D input \(got {ndim}D input\)"):
            layer(taeda.zeros((2,) * ndim))
    assert layer(taeda.zeros((2,) * (n + 1))).shape == (2,) + (4,) * n


@pytest.mark.parametrize("delta", ["1", None, 1j, taeda.tensor(1.0)], ids=str)
def test_a_delta_that_is_no_number_is_refused_at_once(delta):
    with pytest.raises(TypeError, match=r"\[HuberLoss\] delta must be a float or int, got"):
        nn.HuberLoss(delta=delta)


def test_soft_margin_loss_has_the_inputs_dtype():
    x, y = taeda.ones(2), taeda.ones(2, dtype=taeda.float64)
    assert (F.soft_margin_loss(x, y).dtype, F.soft_margin_loss(y, x).dtype) == (taeda.float32, taeda.float64)


def test_soft_margin_loss_of_complex_numbers():
    x, y = taeda.tensor([0.5 + 1j, -1.0 - 2j], dtype=taeda.complex128, requires_grad=True), taeda.tensor([1.0, -1.0], dtype=taeda.float64)
    assert taeda.allclose(F.soft_margin_loss(x, y, reduction="none"), (1 + (-x * y).exp()).log())
    assert taeda.autograd.gradcheck(lambda t: F.soft_margin_loss(t, y), (x,))


@pytest.mark.parametrize(
    ("loss", "shapes"),
    [
        (F.hinge_embedding_loss, ((2,), (3,))),
        (F.soft_margin_loss, ((2,), (3,))),
        (F.multilabel_soft_margin_loss, ((2, 3), (2, 4))),
        (F.margin_ranking_loss, ((2,), (3,), (2,))),
        (F.triplet_margin_loss, ((2, 3), (2, 4), (2, 3))),
        (F.cosine_embedding_loss, ((2, 3), (2, 4), (2,))),
        (F.cosine_embedding_loss, ((2, 3), (2, 3), (3,))),
        (F.kl_div, ((2,), (3,))),
    ],
)
def test_losses_name_themselves_where_shapes_do_not_match(loss, shapes):
    options = {"reduction": "sum"} if loss is F.kl_div else {}
    with pytest.raises(RuntimeError, match=rf"\[{loss.__name__}\] "):
        loss(*(taeda.ones(*shape) for shape in shapes), **options)


def test_layers_that_are_none_are_told_what_they_are():
    with pytest.raises(TypeError, match=r"ReLU is not a Module subclass but a class; make a layer of it: ReLU\(\.\.\.\)"):
        taeda.nn.Sequential(taeda.nn.ReLU)
    with pytest.raises(TypeError, match="is not a Module subclass but a function"):
        taeda.nn.Sequential(F.relu)


def test_sequences_of_other_sizes_are_not_padded():
    with pytest.raises(RuntimeError, match=r"\[pad_sequence\] .*sequence 0 has shape \(2, 3\), sequence 1 has \(2, 4\)"):
        taeda.nn.utils.rnn.pad_sequence([taeda.ones(2, 3), taeda.ones(2, 4)])


def test_a_loss_that_is_made_of_tensors_says_how_it_is_called():
    for make in (nn.MSELoss, nn.BCEWithLogitsLoss, nn.CrossEntropyLoss):
        with pytest.raises(RuntimeError, match=r"is ambiguous: size_average .*, as in nn.MSELoss\(\)\(input, target\)$"):
            make(taeda.ones(2), taeda.ones(2))


def test_the_eps_of_poisson_nll_is_a_number():
    x = taeda.tensor([1.0])
    wanted = F.poisson_nll_loss(x, x, log_input=False, eps=0.5).item()
    assert wanted == F.poisson_nll_loss(x, x, log_input=False, eps=taeda.tensor(0.5)).item() == pytest.approx(1 - math.log(1.5))
    for odd in (taeda.tensor(0.5, requires_grad=True), taeda.tensor([0.5]), "1", None, 1j):
        with pytest.raises(TypeError, match="argument 'eps' must be float"):
            F.poisson_nll_loss(x, x, eps=odd)
