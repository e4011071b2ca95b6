"""Convolutions, pools and windows with drawn options beside PyTorch, to second order; a network of volumes that is trained."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
import torch.nn.functional as TF

import taeda
import taeda.nn.functional as F

DOUBLE = {"dtype": torch.double}


def drawn(kind: str, seed: int):
    """Return the name of a function, PyTorch's arguments, and keywords; None where PyTorch would step out of memory."""
    r = random.Random(f"{kind}{seed}")
    torch.manual_seed(seed)
    n = 2 if "fold" in kind else r.choice([1, 2, 3, 3])

    def each(low, high):
        return tuple(r.randint(low, high) for _ in range(n))

    def size(low, high):
        return r.choice([r.randint(low, high), each(low, high)])

    groups, channels, results = r.choice([1, 1, 2, 3]), r.choice([1, 2, 5]), r.choice([1, 2, 9, 17])
    lead, sizes = r.choice([(), (1,), (2,)]), each(2, 6)
    if kind == "conv":
        args = [torch.randn(*lead, groups * channels, *sizes, **DOUBLE), torch.randn(groups * results, channels, *each(1, 3), **DOUBLE),
                r.choice([None, torch.randn(groups * results, **DOUBLE)])]
        options = {"stride": size(1, 3), "padding": size(0, 3), "dilation": size(1, 3), "groups": groups}
        if r.random() < 0.3:
            options.update(stride=1, padding="same")
        return f"conv{n}d", args, options
    if kind == "transpose":
        args = [torch.randn(*lead, groups * channels, *sizes, **DOUBLE), torch.randn(groups * channels, results, *each(1, 3), **DOUBLE)]
        options = {"stride": size(1, 3), "padding": size(0, 2), "dilation": size(1, 3), "groups": groups, "output_padding": size(0, 2)}
        return f"conv_transpose{n}d", args, options
    if kind == "unfold" or kind == "fold":
        x = torch.randn(*lead, channels, *sizes, **DOUBLE)
        options = {"kernel_size": size(1, 3), "dilation": size(1, 2), "padding": size(1, 2), "stride": size(1, 3)}
        return ("unfold", [x], options) if kind == "unfold" else ("fold", [TF.unfold(x, **options)], {"output_size": sizes, **options})
    args = [torch.rand(*lead, channels, *sizes, **DOUBLE)]
    options = {"kernel_size": size(1, 4), "stride": r.choice([None, size(1, 3)]), "ceil_mode": r.random() < 0.5}
    if kind == "max":
        options.update(padding=size(0, 2), dilation=r.choice([1, 1, 2]), return_indices=r.random() < 0.5)
    elif kind == "avg":
        options.update(padding=size(0, 2), count_include_pad=r.random() < 0.5)
    elif kind == "lp":
        return f"lp_pool{n}d", [*args, 2.5], {**options, "kernel_size": 2} if n == 1 else options
    else:
        options = {"output_size": r.choice([r.randint(1, 7), each(1, 7)]) if n > 1 else r.randint(1, 7)}
    return f"{kind}_pool{n}d", args, options


def agree(mine, theirs, what):
    assert tuple(mine.shape) == tuple(theirs.shape), what
    np.testing.assert_allclose(mine.detach().numpy(), theirs.detach().numpy(), rtol=1e-8, atol=1e-9, err_msg=str(what))


KINDS = ("conv", "transpose", "max", "avg", "lp", "adaptive_avg", "adaptive_max", "fold", "unfold")


@pytest.mark.filterwarnings("ignore:Using padding='same'")     # of PyTorch's copy; here there is none
@pytest.mark.parametrize("kind", KINDS)
def test_drawn_options(kind):
    compared = 0
    for seed in range(24):
        name, args, options = drawn(kind, seed)
        what = (seed, name, [tuple(a.shape) if isinstance(a, torch.Tensor) else a for a in args], options)
        tensors = [a.requires_grad_() for a in args if isinstance(a, torch.Tensor)]
        copies = [taeda.tensor(a.detach().numpy().copy()).requires_grad_() for a in tensors]
        mine = [copies[i] if i < len(copies) else a for i, a in enumerate(args)]
        try:
            theirs = getattr(TF, name)(*args, **options)
        except Exception as e:
            with pytest.raises(type(e)):
                getattr(F, name)(*mine, **options)
            continue
        found = getattr(F, name)(*mine, **options)
        if isinstance(theirs, tuple):
            if theirs[0].isinf().any():
                continue                            # no element in a window: PyTorch's position lies outside
            np.testing.assert_array_equal(found[1].numpy(), theirs[1].numpy(), err_msg=str(what))
            found, theirs = found[0], theirs[0]
        agree(found, theirs, what)
        if theirs.isinf().any():
            continue
        v = torch.randn_like(theirs)
        w = taeda.tensor(v.numpy().copy()).requires_grad_()
        v.requires_grad_()
        first = torch.autograd.grad(theirs, tensors, v, create_graph=True)
        mine_first = taeda.autograd.grad(found, copies, w, create_graph=True)
        for a, b in zip(mine_first, first, strict=True):
            agree(a, b, what)
        second = torch.autograd.grad(sum((g * g).sum() for g in first), [*tensors, v], allow_unused=True)
        mine_second = taeda.autograd.grad(sum((g * g).sum() for g in mine_first), [*copies, w], allow_unused=True)
        for a, b in zip(mine_second, second, strict=True):
            if a is not None and b is not None:
                agree(a, b, what)
            else:
                assert all(g is None or not g.any() for g in (a, b)), what
        compared += 1
    assert compared >= 6


def network(lib):
    """A small U-Net of volumes: down by a stride, up by a transposed convolution, pools and unpools on the way."""
    layers = lib.nn

    class Net(layers.Module):
        def __init__(self):
            super().__init__()
            self.first = layers.Conv3d(2, 6, 3, padding=1, padding_mode="replicate")
            self.down = layers.Conv3d(6, 8, (2, 2, 2), stride=2, bias=False)
            self.norm = layers.BatchNorm3d(8)
            self.pool = layers.MaxPool3d(2, return_indices=True)
            self.middle = layers.Conv3d(8, 8, 3, padding="same", groups=4)
            self.unpool = layers.MaxUnpool3d(2)
            self.up = layers.ConvTranspose3d(8, 6, (2, 3, 2), stride=2)
            self.drop = layers.Dropout3d(0.2)
            self.mean = layers.AdaptiveAvgPool3d((1, 2, 1))
            self.last = layers.Linear(12, 3)

        def forward(self, x):
            skip = self.first(x).relu()
            y, at = self.pool(self.norm(self.down(skip)).relu())
            y = self.unpool(self.middle(y), at)
            y = self.up(y, output_size=skip.shape[2:]) + skip
            return self.last(self.mean(self.drop(y)).flatten(1))

    lib.manual_seed(5)
    return Net()


def test_a_network_of_volumes_takes_the_same_path():
    ours, theirs = network(taeda), network(torch)
    assert list(ours.state_dict()) == list(theirs.state_dict()) and repr(ours) == repr(theirs)
    rng = np.random.default_rng(0)
    x, target = rng.normal(size=(4, 2, 8, 9, 8)).astype("float32"), rng.integers(0, 3, 4)
    losses = []
    for lib, net in ((taeda, ours), (torch, theirs)):
        lib.manual_seed(1)
        step = lib.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
        told = []
        for _ in range(5):
            step.zero_grad()
            loss = lib.nn.functional.cross_entropy(net(lib.tensor(x)), lib.tensor(target))
            loss.backward()
            step.step()
            told.append(loss.item())
        losses.append(told)
    np.testing.assert_allclose(*losses, rtol=1e-4)
    for name, value in ours.state_dict().items():
        np.testing.assert_allclose(value.numpy(), theirs.state_dict()[name].numpy(), rtol=2e-3, atol=2e-5, err_msg=name)
    back = network(torch)
    back.load_state_dict({k: torch.tensor(v.numpy()) for k, v in ours.state_dict().items()})
    again = network(taeda)
    again.load_state_dict({k: taeda.tensor(v.numpy()) for k, v in theirs.state_dict().items()})
    for net, lib in ((back, torch), (again, taeda)):
        net.eval()
        assert tuple(net(lib.tensor(x)).shape) == (4, 3)


@pytest.mark.parametrize(("n", "last"), [(2, "channels_last"), (3, "channels_last_3d")])
def test_memory_formats_of_weights(n, last):
    strides = []
    for lib in (taeda, torch):
        lib.manual_seed(0)
        model = lib.nn.Sequential(getattr(lib.nn, f"Conv{n}d")(3, 4, 2), getattr(lib.nn, f"ConvTranspose{n}d")(4, 5, (1, 2, 3)[:n]))
        getattr(lib.nn.utils, f"convert_conv{n}d_weight_memory_format")(model, getattr(lib, last))
        strides.append([tuple(p.stride()) for p in model.parameters()])
    assert strides[0] == strides[1]


@pytest.mark.parametrize("groups", [1, 2, 8])
@pytest.mark.parametrize("images", [1, 2])
def test_results_of_volumes_lie_as_pytorchs(images, groups):
    found = []
    for lib in (taeda, torch):
        x, w, v = lib.ones(images, 8, 4, 5, 6), lib.ones(8, 8 // groups, 3, 3, 3), lib.ones(8, 8 // groups, 2, 2, 2)
        for last in (x, w, v):
            operands = [a.contiguous(memory_format=lib.channels_last_3d) if a is last else a for a in (x, w, v)]
            for y in (lib.conv3d(*operands[:2], padding=1, groups=groups), lib.conv_transpose3d(operands[0], operands[2], groups=groups)):
                found.append((lib is taeda, tuple(y.shape), tuple(y.stride())))
    half = len(found) // 2
    assert [f[1:] for f in found[:half]] == [f[1:] for f in found[half:]]


def test_images_stay_channels_last():
    x = np.random.default_rng(0).normal(size=(2, 3, 9, 8)).astype("float32")
    found = []
    for lib in (taeda, torch):
        lib.manual_seed(0)
        image = lib.tensor(x).contiguous(memory_format=lib.channels_last)
        conv = lib.nn.Conv2d(3, 4, 3, padding=1)
        y = conv(image)
        results = [y, lib.nn.ConvTranspose2d(3, 2, 2)(image), lib.nn.MaxPool2d(2)(y), lib.nn.AvgPool2d(3)(y), lib.nn.AdaptiveAvgPool2d(2)(y),
                   lib.nn.AdaptiveMaxPool2d((1, 2))(y), conv.to(memory_format=lib.channels_last)(lib.tensor(x)), lib.nn.Unfold(2)(image)]
        found.append([(tuple(r.shape), tuple(r.stride())) for r in results])
    assert found[0] == found[1]
