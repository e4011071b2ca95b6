"""Layers: initial values, results, gradients.  Literal arrays marked torch were made by PyTorch 2.13."""

from __future__ import annotations

import math

import pytest

import taeda
from taeda import nn


def assert_close(tensor, values, tol=1e-6):
    got = tensor.detach().flatten().tolist()
    flat = taeda.tensor(values, dtype=taeda.float64).flatten().tolist()
    assert len(got) == len(flat)
    for a, b in zip(got, flat, strict=True):
        assert math.isclose(a, b, rel_tol=1e-5, abs_tol=tol), (got, flat)


# torch.manual_seed(0), then the layer
INITIAL = [
    (
        lambda: nn.Linear(3, 2),
        [[-0.0043225, 0.3097158, -0.4751853, -0.4248946, -0.2223690, 0.1548207], [-0.0114391, 0.4577749]],
    ),
    (
        lambda: nn.Conv2d(1, 2, 2),
        [
            [-0.0037434, 0.2682218, -0.4115226, -0.3679695, -0.1925772, 0.1340787, -0.0099066, 0.3964447],
            [-0.0443720, 0.1323063],
        ],
    ),
    (lambda: nn.Embedding(3, 2, padding_idx=1), [[1.5409961, -0.2934289, 0.0, 0.0, -1.0845224, -1.3985955]]),
    (
        lambda: nn.Bilinear(2, 1, 2),
        [[-0.0052940, 0.3793229, -0.5819808, -0.5203875], [-0.2723452, 0.1896159]],
    ),
    (
        lambda: nn.ConvTranspose1d(1, 2, 2),
        [[-0.0037434, 0.2682218, -0.4115226, -0.3679695], [-0.1925772, 0.1340787]],
    ),
    (
        lambda: nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1)),
        [
            [-0.0052940, 0.3793229, -0.5819808, -0.5203875],
            [-0.2723452, 0.1896159],
            [-0.0140100, 0.5606575],
            [-0.0627515],
        ],
    ),
]


@pytest.mark.parametrize("i", range(len(INITIAL)))
def test_initial_values_are_torchs(i):
    make, expected = INITIAL[i]
    taeda.manual_seed(0)
    for p, values in zip(make().parameters(), expected, strict=True):
        assert_close(p, values)


def test_dropout_mask_is_torchs():
    taeda.manual_seed(0)
    assert nn.Dropout(0.5)(taeda.ones(8)).tolist() == [0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 2.0, 2.0]  # torch


def test_batch_norm_statistics():
    bn = nn.BatchNorm1d(1, momentum=0.5)
    bn(taeda.tensor([[1.0], [3.0]]))
    assert bn.running_mean.item() == 1.0 and bn.running_var.item() == 1.5
    assert bn.num_batches_tracked.item() == 1
    bn.eval()(taeda.tensor([[9.0]]))
    assert bn.num_batches_tracked.item() == 1
    cumulative = nn.BatchNorm1d(1, momentum=None)
    for v in (1.0, 3.0):
        cumulative(taeda.tensor([[v], [v]]))
    assert cumulative.running_mean.item() == 2.0
    bn.reset_running_stats()
    assert bn.running_mean.item() == 0.0 and bn.num_batches_tracked.item() == 0


def test_batch_norm_without_statistics():
    bn = nn.BatchNorm2d(2, track_running_stats=False).eval()
    y = bn(taeda.randn(3, 2, 4, 4))
    assert abs(y.mean().item()) < 1e-5 and list(bn.state_dict()) == ["weight", "bias"]


def test_an_empty_batch_leaves_the_statistics_alone():
    for layer in (nn.InstanceNorm1d(2, track_running_stats=True), nn.BatchNorm1d(2)):
        try:
            layer(taeda.ones(0, 2, 4))
        except ValueError:
            pass
        assert layer.running_mean.tolist() == [0.0, 0.0] and layer.running_var.tolist() == [1.0, 1.0]


def test_embedding_padding_and_max_norm():
    table = nn.Embedding(4, 2, padding_idx=1)
    assert table.weight[1].tolist() == [0.0, 0.0]
    table(taeda.tensor([1, 2])).sum().backward()
    assert table.weight.grad.tolist() == [[0.0, 0.0], [0.0, 0.0], [1.0, 1.0], [0.0, 0.0]]
    long = nn.Embedding.from_pretrained(taeda.tensor([[3.0, 4.0], [6.0, 8.0]]), max_norm=1.0)
    assert_close(long(taeda.tensor([0])), [[0.6, 0.8]])
    assert long.weight[1].tolist() == [6.0, 8.0], "only rows that are used are scaled"
    assert not long.weight.requires_grad
    for index in (taeda.tensor([True, False]), taeda.tensor([0.0])):
        with pytest.raises(RuntimeError, match="to have one of the following scalar types: Long, Int"):
            long(index)
    with pytest.raises(RuntimeError, match="scalar types: Long, Int"):
        nn.functional.embedding_bag(taeda.tensor([[True, False]]), long.weight, max_norm=1.0)
    often = nn.Embedding(2, 1, scale_grad_by_freq=True)
    often(taeda.tensor([0, 0, 1])).sum().backward()
    assert often.weight.grad.tolist() == [[1.0], [1.0]]


def test_dropout_in_evaluation_is_the_input_itself():
    x = taeda.ones(3)
    for layer in (nn.Dropout(), nn.AlphaDropout(), nn.Identity()):
        assert layer.eval()(x) is x
    assert nn.Dropout(1.0)(x).tolist() == [0.0, 0.0, 0.0]
    assert nn.Dropout(0.0)(x).tolist() == [1.0, 1.0, 1.0]


def test_dropout2d_drops_whole_channels():
    taeda.manual_seed(0)
    y = nn.Dropout2d(0.5)(taeda.ones(4, 8, 3, 3))
    per_channel = y.reshape(32, 9)
    assert ((per_channel == 0).all(1) | (per_channel == 2).all(1)).all()


def test_in_place_activations():
    x = taeda.tensor([-1.0, 2.0])
    assert nn.ReLU(inplace=True)(x) is x and x.tolist() == [0.0, 2.0]
    z = taeda.tensor([-1.0, 2.0], requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf"):
        nn.ReLU(inplace=True)(z)
    nn.ELU(inplace=True)(z * 1).sum().backward()
    assert_close(z.grad, [math.exp(-1), 1.0])


def test_max_pool_and_back():
    x = taeda.tensor([[[1.0, 5.0, 2.0, 0.0]]])
    y, at = nn.MaxPool1d(2, return_indices=True)(x)
    assert y.tolist() == [[[5.0, 2.0]]] and at.tolist() == [[[1, 2]]]
    assert nn.MaxUnpool1d(2)(y, at).tolist() == [[[0.0, 5.0, 2.0, 0.0]]]
    assert nn.MaxUnpool1d(2)(y, at, output_size=(5,)).shape == (1, 1, 5)


def test_conv_transpose_output_size():
    up = nn.ConvTranspose2d(1, 1, 3, stride=2, padding=1)
    assert up(taeda.ones(1, 1, 4, 4)).shape == (1, 1, 7, 7)
    assert up(taeda.ones(1, 1, 4, 4), output_size=(8, 8)).shape == (1, 1, 8, 8)
    assert up(taeda.ones(1, 1, 4, 4), output_size=(1, 1, 8, 7)).shape == (1, 1, 8, 7)
    for size in ((9, 8), (6, 7)):
        with pytest.raises(ValueError, match=r"valid sizes range from \[7, 7\] to \[8, 8\]"):
            up(taeda.ones(1, 1, 4, 4), output_size=size)


def test_same_padding_puts_the_odd_element_behind():
    conv = nn.Conv1d(1, 1, 2, padding="same", padding_mode="replicate", bias=False)
    with taeda.no_grad():
        conv.weight.copy_(taeda.tensor([[[1.0, 10.0]]]))
    assert conv(taeda.tensor([[1.0, 2.0, 3.0]])).tolist() == [[21.0, 32.0, 33.0]]


def test_hardtanh_has_no_slope_at_its_bounds():
    x = taeda.tensor([-1.0, 0.0, 1.0], requires_grad=True)
    nn.Hardtanh()(x).sum().backward()
    assert x.grad.tolist() == [0.0, 1.0, 0.0]


def test_triplet_loss_swap_takes_the_nearer_negative():
    a, p, n = taeda.tensor([[0.0]]), taeda.tensor([[2.0]]), taeda.tensor([[3.0]])
    assert abs(nn.TripletMarginLoss()(a, p, n).item()) < 1e-5
    assert abs(nn.TripletMarginLoss(swap=True)(a, p, n).item() - 2.0) < 1e-5


@pytest.mark.parametrize("loss", [nn.TripletMarginLoss(), nn.TripletMarginWithDistanceLoss()])
def test_triplets_of_several_ranks_are_refused(loss):
    a = taeda.ones(2, 3)
    with pytest.raises(RuntimeError, match=r"triplet_margin.* same number of dimensions, .* anchor 2D, positive 2D, and negative 1D"):
        loss(a, a, a[0])


def test_unbatched_input():
    assert nn.Conv2d(2, 3, 2)(taeda.ones(2, 4, 4)).shape == (3, 3, 3)
    assert nn.MaxPool2d(2)(taeda.ones(2, 4, 4)).shape == (2, 2, 2)
    assert nn.InstanceNorm1d(2)(taeda.randn(2, 4)).shape == (2, 4)


def test_implicit_softmax_dimension_warns():
    with pytest.warns(UserWarning, match="Implicit dimension choice for softmax") as told:
        assert nn.Softmax()(taeda.zeros(2, 4)).tolist() == [[0.25] * 4] * 2
    assert told[0].filename == __file__


def test_a_loss_that_broadcasts_by_accident_warns():
    with pytest.warns(UserWarning, match="target size"):
        nn.MSELoss()(taeda.zeros(3, 1), taeda.zeros(3))


def test_deprecated_reduction_arguments():
    with pytest.warns(UserWarning, match="reduction='sum'"):
        assert nn.MSELoss(size_average=False).reduction == "sum"
    with pytest.warns(UserWarning, match="reduction='none'"):
        assert nn.L1Loss(reduce=False).reduction == "none"


def test_the_old_name_of_nll_loss_warns():
    with pytest.warns(FutureWarning, match="`NLLLoss2d` has been deprecated. Please use `NLLLoss` instead"):
        layer = nn.NLLLoss2d(None, None, 3, reduction="sum")
    assert (layer.ignore_index, layer.reduction) == (3, "sum")


def test_a_small_net_learns():
    taeda.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1))
    x = taeda.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    t = taeda.tensor([[0.0], [1.0], [1.0], [0.0]])
    for _ in range(600):
        net.zero_grad()
        loss = nn.functional.mse_loss(net(x), t)
        loss.backward()
        with taeda.no_grad():
            for p in net.parameters():
                p -= 0.3 * p.grad
    assert loss.item() < 0.02


@pytest.mark.parametrize("name", ["elu", "selu", "celu", "leaky_relu", "silu", "hardtanh", "hardsigmoid", "hardswish", "threshold"])
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_activation_in_place_is_the_activation(name, sign):
    f, extra = getattr(nn.functional, name), (0.1, 0.5) if name == "threshold" else ()
    start = taeda.randn(3, 513, dtype=taeda.float64)
    start[0] = start[0].abs() * sign
    for x in (start, start.t(), start[:, ::2], start.float(), start.bfloat16()):
        a, b = x.clone().requires_grad_(), x.clone().requires_grad_()
        y, z = f(a, *extra), f((c := b * 1), *extra, inplace=True)
        assert z is c and taeda.equal(y, z)
        y.sum().backward()
        z.sum().backward()
        assert taeda.equal(a.grad, b.grad)
        with taeda.no_grad():
            assert f(a, *extra, inplace=True) is a and taeda.equal(a, y)


@pytest.mark.parametrize("dtype", [taeda.bfloat16, taeda.float16])
def test_mish_of_halves_is_rounded_once(dtype: taeda.dtype) -> None:
    x = taeda.linspace(-6, 6, 97).to(dtype).requires_grad_()
    exact = x.detach().double().requires_grad_()
    for tensor in (x, exact):
        nn.functional.mish(tensor).sum().backward()
    eps = taeda.finfo(dtype).eps
    assert x.grad is not None and exact.grad is not None
    assert taeda.allclose(nn.functional.mish(x).double(), nn.functional.mish(exact), rtol=0.51 * eps, atol=1e-6)
    assert taeda.allclose(x.grad.double(), exact.grad, rtol=0.51 * eps, atol=1e-6)


def test_norms_of_a_programs_own_say_which_inputs_they_take() -> None:
    class Instance(nn.modules.instancenorm._InstanceNorm):
        def _check_input_dim(self, input: taeda.Tensor) -> None:
            assert input.ndim == 3

        def _get_no_batch_dim(self) -> int:
            return 2

    class Batch(nn.modules.batchnorm._BatchNorm):
        pass

    x = taeda.randn(2, 3, 4)
    assert taeda.equal(Instance(3)(x), nn.InstanceNorm1d(3)(x)) and nn.InstanceNorm2d(3)._get_no_batch_dim() == 3
    for layer in (Batch(3), nn.modules.instancenorm._InstanceNorm(3)):
        with pytest.raises(NotImplementedError, match="the subclass's to write"):
            layer(x)


def test_a_layer_without_weights_says_that_the_features_differ() -> None:
    x = taeda.randn(1, 2, 4)
    with pytest.warns(UserWarning, match="dim=1 does not match num_features.*got 2 and 3"):
        y = nn.InstanceNorm1d(3)(x)
    assert taeda.equal(y, nn.InstanceNorm1d(2)(x))


def test_layers_have_the_bases_that_libraries_ask_for():
    from taeda.nn.modules.conv import _ConvNd, _ConvTransposeMixin, _ConvTransposeNd
    from taeda.nn.modules.pooling import _AdaptiveAvgPoolNd, _AdaptiveMaxPoolNd, _AvgPoolNd, _MaxPoolNd

    for d in "123":
        for name, base in (("AvgPool", _AvgPoolNd), ("MaxPool", _MaxPoolNd), ("AdaptiveAvgPool", _AdaptiveAvgPoolNd),
                           ("AdaptiveMaxPool", _AdaptiveMaxPoolNd)):  # fmt: skip
            layer = getattr(nn, f"{name}{d}d")(1)
            assert [isinstance(layer, b) for b in (_AvgPoolNd, _MaxPoolNd, _AdaptiveAvgPoolNd, _AdaptiveMaxPoolNd)].count(True) == 1
            assert isinstance(layer, base)
        for kind in ("Constant", "Reflection", "Replication", "Circular"):
            pad = getattr(nn, f"{kind}Pad{d}d")
            assert issubclass(pad, getattr(nn.modules.padding, f"_{kind}PadNd"))
        layer = getattr(nn, f"ConvTranspose{d}d")(1, 1, 1)
        assert isinstance(layer, _ConvTransposeNd) and isinstance(layer, _ConvNd) and not isinstance(layer, _ConvTransposeMixin)


def test_a_ranking_loss_of_integers_is_floating_as_its_margin_is():
    a, b, t = taeda.tensor([1, 2]), taeda.tensor([2, 1]), taeda.tensor([1, 1])
    for margin, expected in ((0, [1.0, 0.0]), (2, [3.0, 1.0])):
        found = nn.functional.margin_ranking_loss(a, b, t, margin, reduction="none")
        assert found.dtype == taeda.float32 and found.tolist() == expected
    assert nn.functional.margin_ranking_loss(a, b, t).item() == 0.5
    assert nn.functional.margin_ranking_loss(a.half(), b.half(), t.half()).dtype == taeda.float16
    with pytest.raises(TypeError, match="argument 'margin' must be float, not Tensor"):
        nn.functional.margin_ranking_loss(a, b, t, taeda.tensor(1.0, requires_grad=True))
