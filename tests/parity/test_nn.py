"""taeda.nn against torch.nn where a row says too little: corners of functions, initialisers, containers, error
reports."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as TF

import taeda
from taeda import nn
from taeda.nn import functional as F


def t2n(x):
    return x.detach().cpu().numpy()


def assert_same(ours, theirs, rtol=1e-4, atol=2e-5):
    assert tuple(ours.shape) == tuple(theirs.shape)
    assert str(ours.dtype).split(".")[-1] == str(theirs.dtype).split(".")[-1]
    np.testing.assert_allclose(t2n(ours), t2n(theirs), rtol=rtol, atol=atol)


def equal(ours, theirs):
    assert tuple(ours.shape) == tuple(theirs.shape)
    np.testing.assert_array_equal(t2n(ours), t2n(theirs))


def _cls(B, C, n):
    rng = np.random.default_rng(2)
    return rng.integers(0, C, (B,) if n == 0 else (B, n))


def _n(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def _u(*shape, seed=0):
    return np.random.default_rng(seed).uniform(0.05, 0.95, shape).astype(np.float32)


TIES = ["relu", "relu6", "hardtanh", "elu", "celu", "selu", "leaky_relu", "silu", "mish", "softplus", "logsigmoid",
        "hardsigmoid", "hardswish", "hardshrink", "softshrink", "tanhshrink", "softsign", "sigmoid", "tanh"]  # fmt: skip


@pytest.mark.parametrize("name", TIES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_activation_at_ties_and_extremes(name, dtype):
    """Values and slopes at the corners, at large numbers, infinities and NaN."""
    points = [
        -np.inf,
        -1e4,
        -100,
        -6,
        -3,
        -1,
        -0.5,
        -1e-8,
        0.0,
        1e-8,
        0.5,
        1,
        3,
        6,
        20,
        25,
        100,
        1e4,
        np.inf,
        np.nan,
    ]
    x = taeda.tensor(np.array(points, dtype=dtype), requires_grad=True)
    z = torch.tensor(np.array(points, dtype=dtype), requires_grad=True)
    y, w = getattr(F, name)(x), getattr(TF, name)(z)
    y.sum().backward()
    w.sum().backward()
    assert_same(y, w, rtol=1e-5, atol=1e-6)
    finite = np.isfinite(points)
    np.testing.assert_allclose(t2n(x.grad)[finite], t2n(z.grad)[finite], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["relu", "elu", "celu", "selu", "leaky_relu", "silu", "mish", "hardtanh", "hardswish",
                                  "hardsigmoid", "relu6", "threshold", "rrelu", "dropout"])  # fmt: skip
def test_in_place(name):
    extra = (0.1, 2.0) if name == "threshold" else ()
    results = []
    for lib, fn in ((taeda, F), (torch, TF)):
        lib.manual_seed(1)
        x = lib.tensor(_n(4, 5), requires_grad=True)
        base = x * 1
        y = getattr(fn, name)(base, *extra, inplace=True)
        assert y is base
        y.sum().backward()
        results.append((y, x.grad))
    assert_same(results[0][0], results[1][0])
    assert_same(results[0][1], results[1][1])


INITS = [
    ("uniform_", (4, 5), {"a": -1.0, "b": 2.0}), ("normal_", (40, 5), {"mean": 1.0, "std": 2.0}),
    ("trunc_normal_", (40, 5), {}), ("trunc_normal_", (40, 5), {"mean": 0.5, "std": 2.0, "a": 0.0, "b": 0.4}),
    ("constant_", (4, 5), {"val": 3.5}), ("ones_", (4, 5), {}), ("zeros_", (4, 5), {}), ("eye_", (4, 5), {}),
    ("dirac_", (4, 3, 3), {}), ("dirac_", (6, 2, 3, 3), {"groups": 3}), ("xavier_uniform_", (4, 5, 3), {"gain": 2.0}),
    ("xavier_normal_", (40, 5), {}), ("kaiming_uniform_", (4, 5, 3), {"a": 0.3}),
    ("kaiming_normal_", (40, 5), {"mode": "fan_out", "nonlinearity": "relu"}), ("orthogonal_", (3, 5), {"gain": 2.0}),
    ("orthogonal_", (6, 2, 2), {}), ("sparse_", (6, 4), {"sparsity": 0.3}),
]  # fmt: skip


@pytest.mark.parametrize("row", INITS, ids=lambda r: f"{r[0]}-{r[1]}-{list(r[2])}")
def test_init(row):
    name, shape, kwargs = row
    taeda.manual_seed(11)
    torch.manual_seed(11)
    ours = getattr(nn.init, name)(taeda.empty(shape), **kwargs)
    theirs = getattr(torch.nn.init, name)(torch.empty(shape), **kwargs)
    assert_same(ours, theirs, rtol=2e-6, atol=2e-6)
    assert taeda.rand(1).item() == torch.rand(1).item(), "the same number of draws"


def _net(m):
    class Block(m.Module):
        def __init__(self):
            super().__init__()
            self.conv = m.Conv2d(3, 4, 3, padding=1)
            self.bn = m.BatchNorm2d(4)
            self.acts = m.ModuleDict({"relu": m.ReLU(), "tanh": m.Tanh()})
            self.scale = m.Parameter((taeda if m is nn else torch).ones(1))

        def forward(self, x):
            return self.acts["relu"](self.bn(self.conv(x))) * self.scale

    class Net(m.Module):
        def __init__(self):
            super().__init__()
            self.blocks = m.ModuleList([Block()])
            self.head = m.Sequential(m.AdaptiveAvgPool2d(2), m.Flatten(), m.Linear(16, 5))
            self.register_buffer("steps", (taeda if m is nn else torch).zeros(2), persistent=False)

        def forward(self, x):
            for b in self.blocks:
                x = b(x)
            return self.head(x)

    return Net()


def test_network_initial_values_and_a_training_run():
    taeda.manual_seed(0)
    torch.manual_seed(0)
    ours, theirs = _net(nn), _net(torch.nn)
    assert repr(ours) == repr(theirs)
    for (k, a), (j, b) in zip(ours.state_dict().items(), theirs.state_dict().items(), strict=True):
        assert k == j
        equal(a, b)
    x = _n(6, 3, 8, 8)
    target = _cls(6, 5, 0)
    for _ in range(3):
        for m, lib, fn in ((ours, taeda, F), (theirs, torch, TF)):
            m.zero_grad()
            fn.cross_entropy(m(lib.tensor(x)), lib.tensor(target)).backward()
            with lib.no_grad():
                for p in m.parameters():
                    p -= 0.1 * p.grad
    for (_, a), (_, b) in zip(ours.state_dict().items(), theirs.state_dict().items(), strict=True):
        assert_same(a, b)


def test_mismatch_report_is_torchs():
    ours, theirs = _net(nn), _net(torch.nn)

    def spoil(state, lib):
        state["head.2.weight"] = lib.ones(5, 7)
        del state["blocks.0.bn.bias"]
        state["extra"] = lib.ones(1)
        state["blocks.0.conv.gamma"] = lib.ones(1)
        state["head.2.bias"] = 3
        return state

    texts = []
    for m, lib in ((ours, taeda), (theirs, torch)):
        with pytest.raises(RuntimeError) as e:
            m.load_state_dict(spoil(m.state_dict(), lib))
        texts.append(str(e.value))
    assert texts[0] == texts[1].replace("torch.", "taeda.")


def _state_error(lib, m):
    class Broken(m.Module):
        def __init__(self):
            self.w = m.Parameter(lib.ones(1))

    module = m.Module()
    module.w = m.Parameter(lib.ones(2))
    module.l = m.Linear(2, 2)
    module.register_buffer("b", lib.ones(2))
    return module, Broken


ERRORS = [
    lambda lib, m, o: o.register_parameter(3, None),
    lambda lib, m, o: o.register_parameter("a.b", None),
    lambda lib, m, o: o.register_parameter("", None),
    lambda lib, m, o: o.register_parameter("training", None),
    lambda lib, m, o: o.register_parameter("q", m.Parameter(lib.ones(1)) * 2),
    lambda lib, m, o: o.register_parameter("q", lib.ones(2)),
    lambda lib, m, o: o.register_buffer("a.b", None),
    lambda lib, m, o: o.register_buffer("", None),
    lambda lib, m, o: o.register_buffer(4, None),
    lambda lib, m, o: o.register_buffer("training", None),
    lambda lib, m, o: o.register_buffer("q", 3),
    lambda lib, m, o: o.add_module("q", 3),
    lambda lib, m, o: o.add_module(3, m.ReLU()),
    lambda lib, m, o: o.add_module("a.b", m.ReLU()),
    lambda lib, m, o: o.add_module("", m.ReLU()),
    lambda lib, m, o: o.add_module("training", m.ReLU()),
    lambda lib, m, o: setattr(o, "l", 3),
    lambda lib, m, o: setattr(o, "w", lib.ones(2)),
    lambda lib, m, o: setattr(o, "w", 3),
    lambda lib, m, o: setattr(o, "b", 3),
    lambda lib, m, o: o.nothing,
    lambda lib, m, o: delattr(o, "nothing"),
    lambda lib, m, o: o.get_submodule("a.b"),
    lambda lib, m, o: o.get_submodule("w"),
    lambda lib, m, o: o.get_parameter("l.zz"),
    lambda lib, m, o: o.get_parameter("b"),
    lambda lib, m, o: o.get_buffer("w"),
    lambda lib, m, o: o.get_buffer("q.w"),
    lambda lib, m, o: o.set_submodule("", m.ReLU()),
    lambda lib, m, o: o.set_submodule("l", 3),
    lambda lib, m, o: o.set_submodule("zz", m.ReLU(), strict=True),
    lambda lib, m, o: o.to(lib.int32),
    lambda lib, m, o: o.to("meta").to("cpu"),
    lambda lib, m, o: o.train(3),
    lambda lib, m, o: o.load_state_dict(3),
    lambda lib, m, o: m.Module(3),
    lambda lib, m, o: m.Module(a=3),
    lambda lib, m, o: m.Sequential(m.ReLU())[5],
    lambda lib, m, o: m.Sequential(m.ReLU())["a"],
    lambda lib, m, o: m.Sequential(m.ReLU()) + 3,
    lambda lib, m, o: m.Sequential(m.ReLU()).insert(9, m.ReLU()),
    lambda lib, m, o: m.Sequential(m.ReLU()).append(3),
    lambda lib, m, o: m.Sequential([m.ReLU()]),
    lambda lib, m, o: m.ModuleList([m.ReLU()])[3],
    lambda lib, m, o: m.ModuleList(3),
    lambda lib, m, o: m.ModuleDict({"keys": m.ReLU()}),
    lambda lib, m, o: m.ModuleDict({"a": m.ReLU()})["b"],
    lambda lib, m, o: m.ModuleDict(3),
    lambda lib, m, o: m.ParameterList(3),
    lambda lib, m, o: m.ParameterDict({"a": lib.ones(1)})["b"],
    lambda lib, m, o: m.Dropout(1.5),
    lambda lib, m, o: m.Conv2d(3, 2, 3, padding_mode="foo"),
    lambda lib, m, o: m.Conv2d(2, 2, 3, groups=0),
    lambda lib, m, o: m.Conv2d(2, 2, 3, stride=2, padding="same"),
    lambda lib, m, o: m.ConvTranspose2d(2, 2, 3, padding_mode="reflect"),
    lambda lib, m, o: m.init.calculate_gain("foo"),
    lambda lib, m, o: m.init.kaiming_uniform_(lib.ones(2, 2), mode="foo"),
    lambda lib, m, o: m.init.xavier_normal_(lib.ones(2)),
]


@pytest.mark.parametrize("i", range(len(ERRORS)))
def test_error_is_torchs(i):
    raised = []
    for lib, m in ((taeda, nn), (torch, torch.nn)):
        with pytest.raises(Exception) as e:  # the type is compared below
            ERRORS[i](lib, m, _state_error(lib, m)[0])
        raised.append(e.value)
    assert type(raised[0]) is type(raised[1])
    ours, text = (str(e.args[0]) for e in raised)  # str of a KeyError has quotes
    text = text.replace("torch", "taeda")
    if "padding_mode must" not in text and "modules.container" not in text:
        assert text.rstrip(".") in ours or text == ours


def test_registering_before_init():
    for lib, m in ((taeda, nn), (torch, torch.nn)):
        with pytest.raises(AttributeError, match=r"cannot assign parameters before Module.__init__\(\) call"):
            _state_error(lib, m)[1]()


def test_containers_print_as_torchs():
    def build(m, lib):
        yield m.Sequential()
        yield m.Sequential(m.Linear(1, 1), m.Sequential(m.ReLU(), m.ReLU()))
        yield m.ModuleList([m.Linear(1, 1)] * 3 + [m.Sequential(m.ReLU())] * 2 + [m.Tanh()])
        yield m.ModuleDict({"z": m.ReLU(), "a": m.ModuleList()})
        yield m.ParameterList([lib.ones(2, 3), 3, m.Parameter(lib.ones(()))])
        yield m.ParameterDict({"b": lib.ones(2, 3), "a": 3})
        seq = m.Sequential(m.ReLU(), m.Tanh())
        yield seq * 2
        yield seq + m.Sequential(m.SELU())
        seq *= 2
        seq += m.Sequential(m.SELU())
        seq.insert(1, m.ELU())
        del seq[0:2]
        yield seq
        yield seq[1:3]
        lst = m.ModuleList([m.ReLU()])
        lst += [m.Tanh(), m.ELU()]
        lst.insert(1, m.SELU())
        del lst[0]
        lst[0] = m.GELU()
        yield lst
        yield lst + [m.ReLU()]
        yield lst[:2]
        params = m.ParameterList([lib.ones(1), lib.ones(2)])
        params[0] = lib.ones(5)
        params += [lib.ones(3)]
        yield params
        yield params[1:]
        table = m.ParameterDict({"b": lib.ones(1), "a": lib.ones(2)})
        table.update([("c", lib.ones(3))])
        table.pop("a")
        yield table
        yield table | m.ParameterDict({"q": lib.ones(1)})

    for a, b in zip(build(nn, taeda), build(torch.nn, torch), strict=True):
        assert repr(a) == repr(b).replace("torch.", "taeda.")
        assert list(a.state_dict()) == list(b.state_dict())


def _hook_log(lib, m):
    log = []
    net = m.Sequential(m.Linear(2, 2), m.Linear(2, 1))
    with lib.no_grad():
        for p in net.parameters():
            p.fill_(0.5)

    def note(name):
        def hook(module, *rest):
            def show(v):
                if isinstance(v, (tuple, list)):
                    return tuple(show(i) for i in v)
                return None if v is None else (np.round(t2n(v), 4).tolist() if hasattr(v, "detach") else v)

            log.append((name, type(module).__name__, show(rest)))

        return hook

    net.register_forward_pre_hook(note("pre"))
    net[0].register_forward_hook(note("fwd"))
    net[0].register_forward_hook(note("first"), prepend=True)
    net[0].register_full_backward_hook(note("bwd0"))
    net[0].register_full_backward_pre_hook(note("bwdpre0"))
    net[1].register_full_backward_hook(note("bwd1"))
    net[1].register_full_backward_hook(lambda mod, gi, go: (gi[0] * 2,))
    net.register_full_backward_hook(note("bwdnet"))
    x = lib.ones(1, 2, requires_grad=True)
    net(x).sum().backward()
    with pytest.warns(UserWarning, match="Full backward hook is firing"):
        net(lib.ones(1, 2)).sum().backward()
    log.append(t2n(x.grad).tolist())
    log.extend(t2n(p.grad).tolist() for p in net.parameters())
    return log


def test_hooks_run_as_torchs():
    assert _hook_log(taeda, nn) == _hook_log(torch, torch.nn)


def test_clip_grad():
    for norm_type in (2.0, 1.0, float("inf")):
        results = []
        for lib, m in ((taeda, nn), (torch, torch.nn)):
            ps = [m.Parameter(lib.tensor(_n(3, 2))), m.Parameter(lib.tensor(_n(4)))]
            for i, p in enumerate(ps):
                p.grad = lib.tensor(_n(*p.shape, seed=i + 5))
            total = m.utils.clip_grad_norm_(ps, 0.7, norm_type)
            results.append([total, *(p.grad for p in ps)])
        for a, b in zip(*results, strict=True):
            assert_same(a, b, rtol=1e-5, atol=1e-7)


def test_names_that_both_have_take_the_same_arguments():
    import inspect

    different = {"Module", "Sequential", "Upsample", "Container", "Unflatten", "Parameter", "Buffer"}
    different |= {"UninitializedParameter", "UninitializedBuffer"}  # PyTorch's make themselves in __new__
    for name in nn.__all__:
        ours, theirs = getattr(nn, name), getattr(torch.nn, name, None)
        if not isinstance(ours, type) or not isinstance(theirs, type) or name in different:
            continue
        a = inspect.signature(ours.__init__).parameters
        b = inspect.signature(theirs.__init__).parameters
        assert list(a) == list(b), name
        assert [_told(p.default) for p in a.values()] == [_told(p.default) for p in b.values()], name


def _told(default):
    return default.__name__ if callable(default) and not isinstance(default, type) else default
