"""Recurrent layers and packed sequences beyond their rows: printing, weights that change, packing and padding."""

from __future__ import annotations

import copy
import pickle

import pytest

import taeda
from taeda import nn
from taeda.nn.utils.rnn import (
    PackedSequence,
    invert_permutation,
    pack_padded_sequence,
    pack_sequence,
    pad_packed_sequence,
    pad_sequence,
    unpack_sequence,
    unpad_sequence,
)

PADDED = [[1, 2, 3], [4, 5, 0], [6, 0, 0]]


def test_printing():
    layer = nn.LSTM(3, 4, 2, bias=False, batch_first=True, dropout=0.25, bidirectional=True, proj_size=2)
    text = "3, 4, proj_size=2, num_layers=2, bias=False, batch_first=True, dropout=0.25, bidirectional=True"
    assert repr(layer) == f"LSTM({text})"
    assert [repr(m) for m in (nn.RNN(3, 4, 1, "relu"), nn.GRU(3, 4))] == ["RNN(3, 4)", "GRU(3, 4)"]
    cells = nn.RNNCell(3, 4, False, "relu"), nn.LSTMCell(3, 4), nn.GRUCell(3, 4, bias=False)
    assert [repr(c) for c in cells] == [
        "RNNCell(3, 4, bias=False, nonlinearity=relu)",
        "LSTMCell(3, 4)",
        "GRUCell(3, 4, bias=False)",
    ]


@pytest.mark.parametrize(
    ("kwargs", "exception", "text"),
    [
        ({"dropout": 2}, ValueError, r"dropout should be a number in range \[0, 1\]"),
        ({"dropout": True}, ValueError, r"dropout should be a number in range \[0, 1\]"),
        ({"bias": 1}, TypeError, "bias should be of type bool, got: int"),
        ({"batch_first": 0}, TypeError, "batch_first should be of type bool, got: int"),
        ({"input_size": 3.0}, TypeError, "input_size should be of type int, got: float"),
        ({"input_size": 0}, ValueError, "input_size must be greater than zero"),
        ({"hidden_size": "4"}, TypeError, "hidden_size should be of type int, got: str"),
        ({"hidden_size": -1}, ValueError, "hidden_size must be greater than zero"),
        ({"num_layers": 0}, ValueError, "num_layers must be greater than zero"),
        ({"proj_size": -1}, ValueError, "proj_size should be a positive integer or zero"),
        ({"proj_size": 4}, ValueError, "proj_size has to be smaller than hidden_size"),
        ({"mode": "TRANSFORMER"}, ValueError, "Unrecognized RNN mode: TRANSFORMER"),
    ],
)
def test_refused_settings(kwargs, exception, text):
    with pytest.raises(exception, match=text):
        nn.RNNBase(**{"mode": "LSTM", "input_size": 3, "hidden_size": 4, **kwargs})


def test_what_only_some_networks_have():
    for cls in (nn.RNN, nn.GRU):
        with pytest.raises(ValueError, match="proj_size argument is only supported for LSTM"):
            cls(3, 4, proj_size=2)
    with pytest.raises(ValueError, match="Unknown nonlinearity 'sine'"):
        nn.RNN(3, 4, nonlinearity="sine")
    with pytest.raises(RuntimeError, match="Unknown nonlinearity: sine"):
        nn.RNNCell(3, 4, nonlinearity="sine")(taeda.zeros(2, 3))
    with pytest.raises(NotImplementedError, match="forward"):
        nn.RNNBase("GRU", 3, 4)(taeda.zeros(2, 1, 3))
    with pytest.warns(UserWarning, match="expects num_layers greater than 1, but got dropout=0.5 and num_layers=1"):
        nn.GRU(3, 4, dropout=0.5)


def test_input_of_another_dtype():
    with pytest.raises(ValueError, match=r"input dtype \(taeda.float64\) does not match weight dtype \(taeda.float32\)"):
        nn.LSTM(3, 4)(taeda.zeros(5, 2, 3, dtype=taeda.float64))


def test_an_error_says_what_may_be_meant():
    with pytest.raises(RuntimeError, match=r"in model.gru \(GRU\)(.|\n)*did you mean batch_first=True\?"):
        _Stateful()(taeda.zeros(2, 5, 3))


class _Stateful(nn.Module):
    """A model whose author thinks that the batch comes first."""

    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(3, 4)

    def forward(self, input):
        return self.gru(input, taeda.zeros(1, input.shape[0], 4))


def test_weights_are_those_of_the_module_at_the_time_of_the_call():
    layer, x = nn.LSTM(3, 4, 2), taeda.randn(5, 2, 3)
    before = layer(x)[0]
    assert [len(names) for names in layer.all_weights] == [4, 4]
    assert all(a is b for a, b in zip(layer._flat_weights, layer.parameters(), strict=True))
    layer.weight_hh_l1 = nn.Parameter(taeda.zeros(16, 4))
    assert layer.all_weights[1][1] is layer.weight_hh_l1 is layer._flat_weights[5]
    assert not taeda.equal(layer(x)[0], before)
    other = copy.deepcopy(layer).to(taeda.float64)
    other.flatten_parameters()
    assert taeda.allclose(other(x.double())[0].float(), layer(x)[0], atol=1e-6)
    raw = layer.weight_ih_l0  # as in weight dropping: a plain tensor in a parameter's place
    del layer.weight_ih_l0
    layer.weight_ih_l0 = raw.detach() * 0
    assert layer._flat_weights[0] is layer.weight_ih_l0 and "weight_ih_l0" not in layer.state_dict()
    assert layer(x)[0].isfinite().all()


def test_batches_of_nothing():
    layer = nn.LSTM(3, 4, bidirectional=True, batch_first=True)
    x = taeda.zeros(0, 5, 3, requires_grad=True)
    y, (h, c) = layer(x)
    assert (y.shape, h.shape, c.shape) == ((0, 5, 8), (2, 0, 4), (2, 0, 4))
    y.sum().backward()
    assert x.grad.shape == x.shape and not layer.weight_ih_l0.grad.any()


def test_packed_input_keeps_its_order():
    layer, rows = nn.GRU(2, 3, bidirectional=True), [taeda.randn(n, 2) for n in (2, 4, 3)]
    y, h = layer(pack_sequence(rows, enforce_sorted=False))
    for b, (row, out) in enumerate(zip(rows, unpack_sequence(y), strict=True)):
        alone, last = layer(row)
        assert taeda.allclose(out, alone, atol=1e-6) and taeda.allclose(h[:, b], last, atol=1e-6)
    hx = taeda.randn(2, 3, 3)
    _, h = layer(pack_sequence(rows, enforce_sorted=False), hx)
    assert taeda.allclose(h[:, 2], layer(rows[2], hx[:, 2])[1], atol=1e-6)
    with pytest.raises(RuntimeError, match=r"Expected hidden size \(2, 3, 3\), got \[2, 4, 3\]"):
        layer(pack_sequence(sorted(rows, key=len, reverse=True)), taeda.zeros(2, 4, 3))


def test_summary_counts_the_products():
    assert nn.summary(nn.LSTM(8, 16, 2, batch_first=True), (4, 10, 8)).total_multiply_adds == 40 * 64 * (8 + 16 + 16 + 16)
    assert nn.summary(nn.GRUCell(8, 16), (4, 8)).total_multiply_adds == 4 * 48 * 24


# -- packing and padding -----------------------------------------------------------------------------


def test_pack_padded():
    packed = pack_padded_sequence(taeda.tensor(PADDED), [3, 2, 1], batch_first=True)
    assert packed.data.tolist() == [1, 4, 6, 2, 5, 3] and packed.batch_sizes.tolist() == [3, 2, 1]
    assert packed.sorted_indices is None and packed.unsorted_indices is None
    padded, lengths = pad_packed_sequence(packed, batch_first=True, padding_value=-1, total_length=4)
    assert padded.tolist() == [[1, 2, 3, -1], [4, 5, -1, -1], [6, -1, -1, -1]] and lengths.tolist() == [3, 2, 1]


def test_pack_padded_sorts():
    padded = taeda.tensor(PADDED)[[2, 0, 1]]
    packed = pack_padded_sequence(padded.T, taeda.tensor([1, 3, 2]), enforce_sorted=False)
    assert packed.data.tolist() == [1, 4, 6, 2, 5, 3]
    assert packed.sorted_indices.tolist() == [1, 2, 0] and packed.unsorted_indices.tolist() == [2, 0, 1]
    back, lengths = pad_packed_sequence(packed)
    assert back.tolist() == padded.T.tolist() and lengths.tolist() == [1, 3, 2]


def test_packing_is_differentiable():
    x = taeda.randn(3, 2, 2, dtype=taeda.float64, requires_grad=True)

    def there_and_back(x):
        return pad_packed_sequence(pack_padded_sequence(x, [1, 3], enforce_sorted=False), batch_first=True, total_length=4)[0]

    assert taeda.autograd.gradcheck(there_and_back, (x,)) and taeda.autograd.gradgradcheck(there_and_back, (x,))
    a, b = (taeda.randn(n, 2, dtype=taeda.float64, requires_grad=True) for n in (3, 1))
    for side in ("left", "right"):
        assert taeda.autograd.gradcheck(lambda a, b, side=side: pad_sequence([a, b], padding_side=side), (a, b))


@pytest.mark.parametrize(
    ("shape", "lengths", "exception", "text"),
    [
        ((4, 3, 2), [4, 2, 3], RuntimeError, "must be sorted in decreasing order when `enforce_sorted` is True. You can pass `enforce_sorted=False`"),
        ((4, 3, 2), [4, 2], RuntimeError, r"`len\(lengths\)` to be equal to batch_size, but got 2 \(batch_size=3\)"),
        ((4, 3, 2), [4, 2, 0], RuntimeError, "Length of all samples has to be greater than 0"),
        ((4, 3, 2), [5, 2, 1], RuntimeError, "a length of 5 is more than the 4 steps"),
        ((4, 3, 2), [[4, 2, 1]], RuntimeError, "should be a 1D CPU int64 tensor"),
        ((0, 3, 2), [1, 1, 1], RuntimeError, "Cannot pack empty tensors"),
        ((3,), [1, 1, 1], IndexError, "dimensions of time and batch"),
    ],
)
def test_refused_lengths(shape, lengths, exception, text):
    with pytest.raises(exception, match=text):
        pack_padded_sequence(taeda.zeros(shape), lengths)


def test_pad_sequence():
    rows = [taeda.tensor([1, 2]), taeda.tensor([3, 4, 5])]
    assert pad_sequence(rows).tolist() == [[1, 3], [2, 4], [0, 5]]
    assert pad_sequence(rows, batch_first=True, padding_value=9, padding_side="left").tolist() == [[9, 1, 2], [3, 4, 5]]
    assert pad_sequence((row.float() for row in rows), padding_value=0.5).tolist() == [[1, 3], [2, 4], [0.5, 5]]
    assert pad_sequence(taeda.ones(2, 3)).shape == (3, 2)
    for bad, exception, text in (
        ([], RuntimeError, "received an empty list of sequences"),
        (3, RuntimeError, "Expected iterable for input sequences, but got arg of type: int"),
        ([taeda.ones(2), 1], TypeError, "expected Tensor as element 1 in argument 0, but got int"),
        ([taeda.ones(())], RuntimeError, "sequence 0 has no dimensions"),
        ([taeda.ones(2, 2), taeda.ones(3, 3)], RuntimeError, r"\["),
    ):
        with pytest.raises(exception, match=text):
            pad_sequence(bad)
    with pytest.raises(RuntimeError, match="padding_side to be one of left or right, but got up"):
        pad_sequence(rows, padding_side="up")


def test_unpad_sequence_leaves_its_argument_alone():
    padded = taeda.tensor(PADDED)
    rows = unpad_sequence(padded, taeda.tensor([3, 2, 1]), batch_first=True)
    assert [row.tolist() for row in rows] == [[1, 2, 3], [4, 5], [6]]
    assert [row.tolist() for row in unpad_sequence(padded.T, taeda.tensor([3, 2, 1]))] == [[1, 2, 3], [4, 5], [6]]
    rows[0].zero_()
    assert padded.tolist() == PADDED
    with pytest.raises(ValueError, match="shorter"):
        unpad_sequence(padded, taeda.tensor([3]), batch_first=True)


def test_pack_sequence():
    rows = [taeda.tensor([1, 2]), taeda.tensor([3, 4, 5])]
    with pytest.raises(RuntimeError, match="enforce_sorted"):
        pack_sequence(rows)
    packed = pack_sequence(rows, enforce_sorted=False)
    assert [row.tolist() for row in unpack_sequence(packed)] == [[1, 2], [3, 4, 5]]
    assert repr(packed) == (
        "PackedSequence(data=tensor([3, 1, 4, 2, 5]), batch_sizes=tensor([2, 2, 1]), "
        "sorted_indices=tensor([1, 0]), unsorted_indices=tensor([1, 0]))"
    )


def test_packed_sequence_is_made_and_moved():
    data, sizes = taeda.arange(4.0), taeda.tensor([2, 1, 1])
    packed = PackedSequence(data, sizes, taeda.tensor([1, 0]))
    assert packed.unsorted_indices.tolist() == [1, 0] and PackedSequence((data, sizes)).batch_sizes is sizes
    assert packed.to("cpu") is packed and packed.cpu() is packed and packed.float() is packed and not packed.is_cuda
    assert not packed.is_pinned()
    kinds = ("double", "half", "long", "int", "short", "char", "byte")
    names = ("float64", "float16", "int64", "int32", "int16", "int8", "uint8")
    assert [getattr(packed, k)().data.dtype for k in kinds] == [getattr(taeda, n) for n in names]
    moved = packed.to(dtype=taeda.float64)
    assert moved.batch_sizes is sizes and moved.sorted_indices.tolist() == [1, 0] and type(moved) is PackedSequence
    again = pickle.loads(pickle.dumps(packed))
    assert type(again) is PackedSequence and taeda.equal(again.data, data)
    with pytest.raises(AssertionError, match="length 2"):
        PackedSequence(data)
    with pytest.raises(ValueError, match="batch_sizes should always be on CPU"):
        PackedSequence(data, sizes.to("meta"))


def test_invert_permutation():
    order = taeda.tensor([2, 0, 3, 1])
    assert invert_permutation(None) is None
    assert order[invert_permutation(order)].tolist() == [0, 1, 2, 3] == invert_permutation(order)[order].tolist()


def test_apply_permutation_is_deprecated():
    with pytest.warns(FutureWarning, match="index_select"):
        assert nn.modules.rnn.apply_permutation(taeda.tensor([[1, 2]]), taeda.tensor([1, 0])).tolist() == [[2, 1]]


def test_only_what_was_packed_is_padded():
    with pytest.raises(AttributeError, match=r"must be a PackedSequence, got Tensor, which has no batch_sizes"):
        pad_packed_sequence(taeda.ones(4, 3))


@pytest.mark.parametrize("sorted_", [True, False])
def test_the_state_of_another_layer_is_refused_beside_packed_sequences_too(sorted_):
    x = nn.utils.rnn.pack_sequence([taeda.ones(2, 2), taeda.ones(3, 2)][:: 1 - 2 * sorted_], enforce_sorted=sorted_)
    h = taeda.ones(1, 2, 2)
    with pytest.raises(AttributeError, match=r"^in GRU: \[GRU\] hx must be one tensor, h_0, got tuple; pairs \(h_0, c_0\) are LSTM's$"):
        nn.GRU(2, 2)(x, (h, h))
    # and nothing is said of the sequence, which the layer takes
    with pytest.raises(IndexError, match=r"^in LSTM: \[LSTM\] hx must be a pair \(h_0, c_0\), got one tensor of shape \(1, 2, 2\)$"):
        nn.LSTM(2, 2)(x, h)
    with pytest.raises(TypeError, match=r"^in LSTM: \[LSTM\] hx must be a pair \(h_0, c_0\), got one tensor of shape \(2, 2, 2\)$"):
        nn.LSTM(2, 2, 2)(x, taeda.ones(2, 2, 2))
    with pytest.raises(AttributeError, match=r"^in GRUCell: \[GRUCell\] hidden must be a tensor, got tuple; pairs \(h, c\) are LSTMCell's$"):
        nn.GRUCell(2, 2)(taeda.ones(1, 2), (h[0], h[0]))
