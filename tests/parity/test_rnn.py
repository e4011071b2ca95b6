"""Recurrent layers beside PyTorch's where a row says too little: larger sizes, dropout, packing, padding, refusals."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import taeda

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections")  # PyTorch tells of its own kernels

SETTINGS = [
    ("LSTM", (40, 70), {}),
    ("LSTM", (5, 33, 3), {"dropout": 0.4, "bidirectional": True}),
    ("LSTM", (20, 64, 2), {"proj_size": 17, "batch_first": True, "dropout": 0.2}),
    ("GRU", (40, 70), {"batch_first": True}),
    ("GRU", (5, 33, 3), {"dropout": 0.4, "bidirectional": True}),
    ("RNN", (5, 33, 2), {"dropout": 0.4, "bidirectional": True, "bias": False}),
    ("RNN", (9, 20), {"nonlinearity": "relu"}),
]  # fmt: skip


def to_taeda(x):
    return taeda.from_numpy(x.detach().numpy().copy()).requires_grad_(x.requires_grad)


def steps(x):
    """The strides that decide where elements lie."""
    return [step for step, n in zip(x.stride(), x.shape, strict=True) if n > 1 and 0 not in x.shape]


def assert_same(ours, theirs, rtol=1e-5, atol=1e-5):
    assert tuple(ours.shape) == tuple(theirs.shape) and steps(ours) == steps(theirs)
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=rtol, atol=atol)


def build(name, args, kwargs):
    """Build the layer in both frameworks, from the same seed."""
    made = []
    for lib in (taeda, torch):
        lib.manual_seed(4)
        made.append(getattr(lib.nn, name)(*args, **kwargs))
    ours, theirs = made
    assert repr(ours) == repr(theirs) and list(ours.state_dict()) == list(theirs.state_dict())
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())
    return ours, theirs


def assert_alike(ours, theirs, x, hx):
    """Outputs and all gradients of both, under one seed."""
    found = []
    for lib, layer, arg, state in ((taeda, ours, *(to_lib(v, to_taeda) for v in (x, hx))), (torch, theirs, x, hx)):
        lib.manual_seed(6)
        y, ends = layer(arg, state)
        outs = [y.data if hasattr(y, "batch_sizes") else y, *(ends if isinstance(ends, tuple) else (ends,))]
        leaves = [*flat(arg), *flat(state), *layer.parameters()]
        total = sum((o * o.cos()).sum() for o in outs)
        found.append([*outs, *lib.autograd.grad(total, leaves)])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-4, atol=2e-5)
    return found


def flat(x):
    if hasattr(x, "batch_sizes"):
        x = x.data
    return [v for v in (x if isinstance(x, tuple) else (x,)) if v is not None]


def to_lib(x, f):
    if hasattr(x, "batch_sizes"):
        return taeda.nn.utils.rnn.PackedSequence(*(None if v is None else f(v) for v in x))
    return tuple(f(v) for v in x) if isinstance(x, tuple) else None if x is None else f(x)


def state_for(layer, name, batch):
    n = layer.num_layers * (2 if layer.bidirectional else 1)
    h = torch.randn(n, batch, layer.proj_size or layer.hidden_size, requires_grad=True)
    return (h, torch.randn(n, batch, layer.hidden_size, requires_grad=True)) if name == "LSTM" else h


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize(("name", "args", "kwargs"), SETTINGS)
def test_values_gradients_and_masks_while_training(name, args, kwargs, given):
    ours, theirs = build(name, args, kwargs)
    x = torch.randn(7, 7, args[0], requires_grad=True)
    (mine, *_), (yours, *_) = assert_alike(ours, theirs, x, state_for(theirs, name, 7) if given else None)
    assert mine.stride() == yours.stride()


@pytest.mark.parametrize("sort", [False, True])
@pytest.mark.parametrize(("name", "args", "kwargs"), SETTINGS)
def test_packed(name, args, kwargs, sort):
    ours, theirs = build(name, args, kwargs)
    lengths = np.random.default_rng(1).integers(1, 12, 9).tolist()
    lengths = sorted(lengths, reverse=True) if sort else lengths
    x = torch.randn(12, 9, args[0])
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=sort)
    packed.data.requires_grad_()
    assert_alike(ours, theirs, packed, state_for(theirs, name, 9))


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("sort", [False, True])
@pytest.mark.parametrize("tail", [(), (3,), (2, 0), (2, 2)])
def test_packing_and_padding(tail, sort, batch_first):
    lengths = [5, 3, 3, 1] if sort else [3, 1, 5, 3]
    results = []
    x = np.random.default_rng(0).normal(size=(6, 4, *tail) if not batch_first else (4, 6, *tail))
    for lib in (taeda, torch):
        rnn = lib.nn.utils.rnn
        try:
            packed = rnn.pack_padded_sequence(lib.tensor(x), lengths, batch_first, sort)
        except RuntimeError as error:
            results.append(type(error))
            continue
        padded, found = rnn.pad_packed_sequence(packed, batch_first, 1.5, 7)
        rows = rnn.unpack_sequence(packed)
        results.append([padded, found, *(v for v in packed if v is not None), *rows])
    if isinstance(results[1], type):
        assert results[0] is results[1]
        return
    for a, b in zip(*results, strict=True):
        assert_same(a, b, 0, 0)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("batch_first", [False, True])
def test_pad_sequence(batch_first, side):
    rng = np.random.default_rng(0)
    rows = [rng.normal(size=(n, 3)).astype("float32") for n in (2, 5, 0, 3)]
    found = []
    for lib in (taeda, torch):
        leaves = [lib.tensor(r, requires_grad=True) for r in rows]
        y = lib.nn.utils.rnn.pad_sequence(leaves, batch_first, 0.5, side)
        found.append([y, *lib.autograd.grad((y * y).sum(), leaves)])
    for a, b in zip(*found, strict=True):
        assert_same(a, b)


CALLS = [
    lambda lib: lib.nn.LSTM(3, 4)(lib.zeros(5, 2, 4)),
    lambda lib: lib.nn.LSTM(3, 4)(lib.zeros(3)),
    lambda lib: lib.nn.LSTM(3, 4)(lib.zeros(5, 2, 3), lib.zeros(1, 2, 4)),
    lambda lib: lib.nn.LSTM(3, 4)(lib.zeros(5, 2, 3), lib.zeros(2, 1, 2, 4)),
    lambda lib: lib.nn.LSTM(3, 4)(lib.zeros(5, 2, 3), (lib.zeros(1, 2, 4),)),
    lambda lib: lib.nn.LSTM(3, 4)(lib.zeros(5, 2, 3), (lib.zeros(1, 2, 5), lib.zeros(1, 2, 4))),
    lambda lib: lib.nn.LSTM(3, 4)(lib.zeros(5, 3), (lib.zeros(1, 1, 4), lib.zeros(1, 1, 4))),
    lambda lib: lib.nn.LSTM(3, 4)(lib.zeros(5, 2, 3, dtype=lib.float64)),
    lambda lib: lib.nn.GRU(3, 4)(lib.zeros(0, 2, 3)),
    lambda lib: lib.nn.GRU(3, 4)(lib.zeros(5, 2, 3), lib.zeros(1, 4)),
    lambda lib: lib.nn.GRU(3, 4)(lib.nn.utils.rnn.pack_sequence([lib.zeros(2, 5)])),
    lambda lib: lib.nn.RNN(3, 4)(lib.zeros(5, 2, 3), lib.zeros(2, 2, 4)),
    lambda lib: lib.nn.RNN(3, 4, nonlinearity="x"),
    lambda lib: lib.nn.RNN(3, 4, mode="GRU"),
    lambda lib: lib.nn.GRU(3),
    lambda lib: lib.nn.GRU(3, 4, num_layers=1.5),
    lambda lib: lib.nn.GRU(3, 4, dropout="a"),
    lambda lib: lib.nn.LSTM(3, 4, proj_size=4),
    lambda lib: lib.nn.LSTMCell(3, 4)(lib.zeros(2, 3), lib.zeros(2, 4)),
    lambda lib: lib.nn.LSTMCell(3, 4)(lib.zeros(2, 3), (lib.zeros(2, 4), lib.zeros(2, 5))),
    lambda lib: lib.nn.GRUCell(3, 4)(lib.zeros(2, 2, 3)),
    lambda lib: lib.nn.GRUCell(3, 4)(lib.zeros(2, 3, dtype=lib.float64)),
    lambda lib: lib.nn.RNNCell(3, 4)(lib.zeros(2, 3), lib.zeros(3, 4)),
    lambda lib: lib.nn.utils.rnn.pack_padded_sequence(lib.zeros(3, 2), [1, 2]),
    lambda lib: lib.nn.utils.rnn.pack_padded_sequence(lib.zeros(3), [1, 2, 3]),
    lambda lib: lib.nn.utils.rnn.pad_packed_sequence(lib.nn.utils.rnn.pack_sequence([lib.zeros(3)]), total_length=2),
    lambda lib: lib.nn.utils.rnn.pad_sequence([]),
    lambda lib: lib.nn.utils.rnn.pad_sequence([lib.zeros(2, 2), lib.zeros(2, 3)]),
    lambda lib: lib.nn.utils.rnn.unpad_sequence(lib.zeros(2, 3), lib.tensor([1])),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(CALLS)))
def test_what_is_refused(number):
    with pytest.raises(Exception) as theirs:
        CALLS[number](torch)
    with pytest.raises(theirs.type):
        CALLS[number](taeda)
