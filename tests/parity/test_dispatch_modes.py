"""Modes below autograd beside PyTorch's: the operators that they see, forward and backward, and what comes out."""

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import taeda
from taeda.utils import _python_dispatch as ours


def logger(base, log):
    class Log(base):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            log.append(str(func))
            return func(*args, **(kwargs or {}))

    return Log()


def without(names, *silent):
    return [name for name in names if name not in ("aten.detach.default", *silent)]


FORWARD = {
    "linear": (lambda t: t.nn.Linear(4, 5), (2, 4)),
    "linear of three dimensions": (lambda t: t.nn.Linear(4, 5), (3, 2, 4)),
    "linear of three dimensions without bias": (lambda t: t.nn.Linear(4, 5, bias=False), (3, 2, 4)),
    "linear without bias": (lambda t: t.nn.Linear(4, 5, bias=False), (2, 4)),
    "cnn": (lambda t: t.nn.Sequential(t.nn.Conv2d(3, 4, 3, padding=1), t.nn.ReLU(), t.nn.MaxPool2d(2), t.nn.Flatten(), t.nn.Linear(64, 2)),
            (2, 3, 8, 8)),
    "transposed": (lambda t: t.nn.ConvTranspose2d(3, 4, 3, stride=2), (2, 3, 5, 5)),
    "conv1d": (lambda t: t.nn.Conv1d(3, 4, 3, groups=1), (2, 3, 9)),
    "norms": (lambda t: t.nn.Sequential(t.nn.LayerNorm(4), t.nn.GELU(), t.nn.SiLU(), t.nn.Sigmoid(), t.nn.Tanh()), (2, 4)),
    "encoder layer": (lambda t: t.nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True).linear1, (2, 3, 4)),
    "dropout": (lambda t: t.nn.Dropout(0.3), (20, 4)),
    "softmax": (lambda t: t.nn.Sequential(t.nn.Softmax(-1), t.nn.LogSoftmax(0)), (3, 4)),
}


@pytest.mark.parametrize("name", FORWARD)
def test_modes_see_what_pytorch_dispatches_forward_and_the_same_values_come_out(name):
    make, shape = FORWARD[name]
    torch.manual_seed(3)
    taeda.manual_seed(3)
    theirs, mine = make(torch), make(taeda)
    x = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    a, b = torch.tensor(x, requires_grad=True), taeda.tensor(x, requires_grad=True)
    expected, seen, back, seen_back = [], [], [], []
    with logger(TorchDispatchMode, expected):
        y = theirs(a)
    with logger(ours.TorchDispatchMode, seen):
        z = mine(b)
    assert without(seen) == without(expected)
    np.testing.assert_allclose(z.detach().numpy(), y.detach().numpy(), rtol=1e-4, atol=1e-5)
    with logger(TorchDispatchMode, back):
        y.backward(torch.ones_like(y))
    with logger(ours.TorchDispatchMode, seen_back):
        z.backward(taeda.ones_like(z))
    heavy = ("mm.", "convolution_backward", "layer_norm_backward", "threshold_backward", "softmax_backward", "pool2d_with_indices_backward",
             "gelu_backward", "silu_backward", "sigmoid_backward", "tanh_backward")
    assert [n for n in seen_back if any(h in n for h in heavy)] == [n for n in back if any(h in n for h in heavy)]
    np.testing.assert_allclose(b.grad.numpy(), a.grad.numpy(), rtol=1e-4, atol=1e-5)
    for p, q in zip(mine.parameters(), theirs.parameters()):
        np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-4, atol=1e-5)


CALLS = {
    "views": lambda t, a: (a[0], a[:, 1], a[None], a.view(4, 3), a.t(), a.unsqueeze(0), a.reshape(2, 6), a.flatten(), a.permute(1, 0), a.expand(2, 3, 4)),
    "arithmetic": lambda t, a: (a * 2 + 1, 1 - a, a / 3, a**2, 2**a, a @ a.t(), a - a, a > 0, a == a),
    "reductions": lambda t, a: (a.sum(), a.sum(0), a.mean(), a.mean(1), a.max(1), a.max(), a.argmax(-1), a.amax(0), a.var(0), a.std(), a.all(), a.norm()),
    "others": lambda t, a: (t.cat([a, a]), t.stack([a, a]), a.clone(), t.where(a > 0, a, a), a.masked_fill(a > 0, 0.0), a.cumsum(0), a.exp(), a.topk(2),
                            a.sort(), t.tril(a), a.clamp(0, 1), a.repeat(2, 1), a.chunk(2, 1), a.to(t.float64), a.to(t.float32), a.float()),
    "written": lambda t, a: (t.ones(3).add_(1).mul_(2).zero_(), t.ones(3).copy_(t.zeros(3)), t.full((2,), 3.0), a.new_zeros(3), t.zeros_like(a)),
    "views by other names": lambda t, a: (a.movedim(0, 1), a.expand_as(a), a.view_as(a), a.narrow(0, 1, 2), a.swapaxes(0, 1), a.ravel(), a.unbind(1),
                                          t.broadcast_to(a, (2, 3, 4)), a.reshape_as(a), a.sum_to_size(1, 4), a.sum_to_size(4), a.type_as(a),
                                          a.narrow(1, -2, 1), a.movedim((0, 1), (1, 0))),
    "composed": lambda t, a: (a.square(), t.outer(a[0], a[1]), t.vstack([a, a]), t.hstack([a, a]), a.type_as(t.ones(1, dtype=t.int64))),
    "overloads": lambda t, a: (t.maximum(a, a), t.minimum(a, a), a // 2, a % 2, a % a, a.lerp(a, 0.5), a.lerp(a, a), a.fmod(2), t.atan2(a, a),
                               t.logical_and(a, a)),
    "aliases": lambda t, a: (a.greater(1), a.greater_equal(a), a.less(0), a.less_equal(a), a.not_equal(a), a.subtract(1), a.multiply(a), a.divide(2), a.clip(0, 1),
                             a.negative(), a.absolute(), a.clone().multiply_(2), a.clone().clip_(0, 1), t.arctan(a), t.fix(a)),
    "overloads by kinds": lambda t, a: (a.div(2, rounding_mode="floor"), a.clamp(a, a), a.round(decimals=1), a.copysign(1.0), a.copysign(a), a.max(a), a.min(a),
                                        a.clone().pow_(2), a.clone().index_fill_(0, t.tensor([0]), 1.0), t.var_mean(a), t.std_mean(a, 0),
                                        t.bucketize(a, a[0].abs().cumsum(0)), a.scatter_reduce(0, t.zeros(3, 4, dtype=t.int64), a, "sum")),
    "norms": lambda t, a: (a.norm(), a.norm(1), a.norm(2, 0), t.norm(a, 2, 1, True), t.norm(a, dim=(0, 1)), t.norm(a, dtype=t.float64),
                           t.nn.functional.normalize(a)),
    "chosen": lambda t, a: (a.where(a > 0, a), t.where(a > 0), t.where(a[0, 0] > 0), a.index_put((t.tensor([0, 2]),), a[:2]),
                            a.clone().index_put_((t.tensor([0, 2]),), a[:2]), a.polygamma(1), t.polygamma(1, a), a.split([1, 2]), a.split([1, 3], 1)),
    "padded": lambda t, a: (t.nn.functional.pad(a, (1, 1)), t.nn.functional.pad(a, (1, 0, 2, 2), value=1.0), t.nn.functional.pad(a, (1, 1), "reflect"),
                            t.nn.functional.pad(a[None], (1, 1, 1, 1), "replicate")),
    "bmm": lambda t, a: (t.bmm(a[None], a.t()[None]), a[None] @ a.t(), a[None, None] @ a.t()[None, None], a[None] @ a.t()[None]),
}


@pytest.mark.parametrize("name", CALLS)
def test_modes_see_the_operators_of_single_calls(name):
    x = np.random.default_rng(1).standard_normal((3, 4), dtype=np.float32)
    expected, seen = [], []
    a, b = torch.tensor(x), taeda.tensor(x)
    with logger(TorchDispatchMode, expected):
        CALLS[name](torch, a)
    with logger(ours.TorchDispatchMode, seen):
        CALLS[name](taeda, b)
    assert without(seen) == without(expected)


def test_losses_and_attention():
    x = np.random.default_rng(2).standard_normal((2, 2, 5, 4), dtype=np.float32)
    grads = []
    for t, base in ((torch, TorchDispatchMode), (taeda, ours.TorchDispatchMode)):
        log = []
        a = t.tensor(x, requires_grad=True)
        with logger(base, log):
            out = t.nn.functional.scaled_dot_product_attention(a, a, a, is_causal=True)
            loss = t.nn.functional.cross_entropy(out[0, 0], t.tensor([0, 1, 2, 3, 0])) + t.nn.functional.mse_loss(out, t.zeros(2, 2, 5, 4))
            loss.backward()
        grads.append((log, a.grad.numpy()))
    (theirs, g), (mine, h) = grads
    np.testing.assert_allclose(h, g, rtol=1e-4, atol=1e-6)
    for heavy in ("_scaled_dot_product_flash_attention_for_cpu", "_log_softmax", "nll_loss", "mse_loss"):
        assert sorted(n for n in mine if heavy in n) == sorted(n for n in theirs if heavy in n)


def test_a_mode_may_take_an_operators_place_and_modes_nest():
    """The inner one is asked first, and what it calls asks the outer one."""
    outer, inner = [], []

    class Doubled(ours.TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            inner.append(str(func))
            out = func(*args, **(kwargs or {}))
            return out * 2 if func is taeda.ops.aten.exp.default else out

    x = taeda.zeros(2)
    with logger(ours.TorchDispatchMode, outer), Doubled():
        y = x.exp()
    assert y.tolist() == [2.0, 2.0] and inner == ["aten.exp.default"] and outer == ["aten.exp.default", "aten.mul.Tensor"]
    assert x.exp().tolist() == [1.0, 1.0] and ours._get_current_dispatch_mode() is None


@pytest.mark.parametrize("t", [torch, taeda], ids=["torch", "taeda"])
def test_a_mode_that_leaves_an_operator_to_others_has_none(t):
    base, seen = (TorchDispatchMode if t is torch else ours.TorchDispatchMode), []

    class Leaves(base):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            return NotImplemented

    x = t.zeros(2)
    with logger(base, seen), pytest.raises(TypeError, match="Multiple dispatch failed"), Leaves():
        x.exp()
    assert not seen
    with pytest.raises(TypeError, match="Multiple dispatch failed"), Leaves():
        x.exp()


@pytest.mark.parametrize("t", [torch, taeda], ids=["torch", "taeda"])
def test_classes_that_come_apart(t):
    modes = __import__(f"{t.__name__}.utils._python_dispatch", fromlist=["_"])

    class Pair(t.Tensor):
        def __tensor_flatten__(self):
            return ["other"], 3

        @staticmethod
        def __tensor_unflatten__(inner, context, size, stride):
            made = inner["other"].as_subclass(Pair)
            made.other, made.context = inner["other"], context
            return made

    x = t.ones(2, 3).as_subclass(Pair)
    x.other = t.zeros(2, 3)
    y = modes.transform_subclass(x, lambda name, inner: inner + 1)
    assert modes.is_traceable_wrapper_subclass(x) and not modes.is_traceable_wrapper_subclass(x.other)
    assert modes.is_traceable_wrapper_subclass_type(Pair) and type(y) is Pair and y.context == 3
    assert y.other.tolist() == [[1.0] * 3] * 2
    with pytest.raises(AssertionError, match="__tensor_unflatten__"):
        modes.transform_subclass(x, lambda name, inner: inner[0])
    aten = t.ops.aten
    out = t.zeros(2)
    assert modes.return_and_correct_aliasing(aten.add_.Tensor, (x.other, 1), {}, out) is x.other
    assert modes.return_and_correct_aliasing(aten.add.Tensor, (x.other, 1), {}, out) is out


def test_second_derivatives_through_operators():
    for t, base in ((torch, TorchDispatchMode), (taeda, ours.TorchDispatchMode)):
        t.manual_seed(0)
        layers = t.nn.Sequential(t.nn.Conv2d(1, 2, 3), t.nn.Tanh(), t.nn.Flatten(), t.nn.LayerNorm(8), t.nn.Linear(8, 3))
        x = t.linspace(-1, 1, 32).view(2, 1, 4, 4).requires_grad_()
        with logger(base, []):
            loss = t.nn.functional.cross_entropy(layers(x), t.tensor([0, 2]))
            (g,) = t.autograd.grad(loss, x, create_graph=True)
            (g**2).sum().backward()
        found = x.grad.numpy() if t is torch else np.asarray(x.grad)
        if t is torch:
            expected = found
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6)


def batch_norm_twice(t):
    norm, x = t.nn.BatchNorm1d(3), t.ones(4, 3).cumsum(0).requires_grad_()
    (norm(x) + norm(x * 2)).pow(3).sum().backward()                # the buffers changed between
    return x.grad


def under_autocast(t):
    layer, x = t.nn.Linear(3, 2), t.ones(4, 3)
    with t.autocast("cpu", dtype=t.bfloat16):
        y = t.nn.functional.softmax(layer(x), -1)
    y.float().pow(2).sum().backward()
    return y.dtype, layer.weight.grad.dtype


def written(t, x, i):
    y = x.clone()
    y[:, i] = 0
    y[0, 1], y[1], y[..., 0] = t.ones(1, 4), t.ones(3, 4), 7
    y[y > 5] = 1
    return y


def bias_of_one(t, x):
    bias = t.ones(1, requires_grad=True)
    return t.autograd.grad(t.nn.functional.linear(x, t.ones(5, 4), bias).sum(), bias)[0]


FORMS = {
    "a new dimension beside indices": lambda t, x, i: (x[None, i], x[i, None], x[i], x[:, i], x[..., i]),
    "parts": lambda t, x, i: (x[0, None, :, 1:3], x[..., ::2], x[5:2], x[-1:], x[:-1], x[x > 3], x[True]),
    "the whole": lambda t, x, i: (x[:] is x, x[...] is x, x.to(t.float32) is x),
    "written": written,
    "a view in another dtype": lambda t, x, i: (x.view(t.int32), x.view(t.Size([6, 4])), x.view(-1)),
    "memory formats": lambda t, x, i: (x[None].to(memory_format=t.channels_last).stride(),
                                       x[None].to(t.float64, memory_format=t.channels_last).stride()),
    "a bias that broadcasts": lambda t, x, i: bias_of_one(t, x),
    "batch norm twice": lambda t, x, i: batch_norm_twice(t),
    "autocast": lambda t, x, i: [str(d).split(".")[1] for d in under_autocast(t)],
    "empty": lambda t, x, i: (t.ones(0, 3) @ t.ones(3, 2), t.nn.functional.linear(t.ones(0, 2, 4), t.ones(5, 4), t.ones(5))),
}


def plain(found):
    if isinstance(found, (tuple, list)):
        return [plain(x) for x in found]
    return found.detach().numpy().round(3).tolist() if hasattr(found, "detach") else found


@pytest.mark.parametrize("name", FORMS)
def test_forms_of_calls_mean_under_a_mode_what_they_mean_without(name):
    def run(t):
        return plain(FORMS[name](t, t.arange(24.0).view(2, 3, 4), t.tensor([0, 1])))

    expected = run(torch)
    assert run(taeda) == expected
    with logger(ours.TorchDispatchMode, []):
        assert run(taeda) == expected
