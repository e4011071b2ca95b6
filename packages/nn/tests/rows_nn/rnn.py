"""Recurrent layers and cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rows_nn.row import Layer

X = (3, 2, 2)  # T, B, features
H = (1, 2, 3)  # layers, B, features


def packed(sizes: list[int], **kwargs: Any) -> Callable[..., tuple[Any, ...]]:
    """Pack the first argument's sequences."""

    def prepare(lib: Any, x: Any, *rest: Any) -> tuple[Any, ...]:
        return (lib.nn.utils.rnn.pack_padded_sequence(x, sizes, **kwargs), *rest)

    return prepare


def unpacked(lib: Any, result: Any) -> Any:
    """Pad the outputs, and keep the state."""
    return lib.nn.utils.rnn.pad_packed_sequence(result[0])[0], result[1]


DIMENSIONS = (((2,),), ValueError, "Expected input to be 2D or 3D, got 1D")
FEATURES = (((3, 2, 4),), RuntimeError, r"input.size\(-1\) must be equal to input_size. Expected 2, got 4")
NO_STEPS = (((0, 2, 2),), RuntimeError, "Expected sequence length to be larger than 0")
STATE = ((X, (1, 3, 3)), RuntimeError, r"Expected hidden size \(1, 2, 3\), got \[1, 3, 3\]")
STATE_RANK = ((X, (2, 3)), RuntimeError, "For batched 3-D input, hx should also be 3-D but got 2-D")
STATE_PAIR = ((X, [H, H]), AttributeError, r"hx must be one tensor, h_0, got (list|tuple); pairs \(h_0, c_0\) are LSTM's")
UNBATCHED_RANK = (((3, 2), H), RuntimeError, "For unbatched 2-D input, hx should also be 2-D but got 3-D")
PAIR = (
    ((X, [H]), IndexError, r"must be a pair \(h_0, c_0\), got 1"),
    ((X, H), IndexError, r"must be a pair \(h_0, c_0\), got one tensor of shape \(1, 2, 3\)"),
    ((X, [(1, 2, 4), H]), RuntimeError, r"Expected hidden\[0\] size \(1, 2, 3\), got \[1, 2, 4\]"),
    ((X, [H, (1, 3, 3)]), RuntimeError, r"Expected hidden\[1\] size \(1, 2, 3\), got \[1, 3, 3\]"),
    ((X, [(2, 3), (2, 3)]), RuntimeError, r"hx and cx should also be 3-D but got \(2-D, 2-D\)"),
)
CELL = (
    (((2, 4),), RuntimeError, "inconsistent input_size: got 4 expected 2"),
    (((2, 2, 2),), ValueError, "Expected input to be 1D or 2D, got 3D"),
)
CELL_STATE = (
    (((2, 2), (3, 3)), RuntimeError, "Input batch size 2 doesn't match hidden0 batch size 3"),
    (((2, 2), (2, 4)), RuntimeError, "hidden0 has inconsistent hidden_size: got 4, expected 3"),
    (((2, 2), (1, 2, 3)), ValueError, "Expected hidden to be 1D or 2D, got 3D"),
)
PAIR_OF_CELL = (
    (((2, 2), [(2, 3), (2, 4)]), RuntimeError, "hidden1 has inconsistent hidden_size: got 4, expected 3"),
    (((2, 2), [(2, 3), (1, 2, 3)]), ValueError, r"Expected hx\[1\] to be 1D or 2D, got 3D"),
    (((2, 2), (2, 3)), TypeError, r"must be a pair \(h, c\)"),
)

# the second derivative of layers on top of each other, or side by side, is that of each
LAYERS = [
    Layer("RNN", (2, 3), inputs=(X,), errors=(DIMENSIONS, FEATURES, NO_STEPS)),
    Layer("RNN", (2, 3, 2, "relu"), {"bidirectional": True}, inputs=(X, (4, 2, 3)), gradgrad=False),
    Layer("RNN", (2, 3), {"bias": False, "batch_first": True}, inputs=((2, 3, 2), H), gradgrad=False),
    Layer("RNN", (2, 3), inputs=((3, 2), (1, 3))),
    Layer("GRU", (2, 3), inputs=(X, H), errors=(DIMENSIONS, FEATURES, NO_STEPS, STATE, STATE_RANK, STATE_PAIR, UNBATCHED_RANK)),
    Layer("GRU", (2, 3, 2), {"dropout": 0.5, "bidirectional": True}, inputs=(X,), gradgrad=False),
    Layer("GRU", (2, 3), {"bias": False, "batch_first": True}, inputs=((2, 3, 2),)),
    Layer("GRU", (2, 3), {"bidirectional": True}, inputs=((3, 2), (2, 3)), gradgrad=False),
    Layer("GRU", (1, 2), {"bidirectional": True}, inputs=((3, 2, 1), (2, 2, 2)), prepare=packed([3, 1]), after=unpacked),
    Layer("LSTM", (2, 3), inputs=(X, [H, H]), gradgrad=False, errors=(DIMENSIONS, FEATURES, NO_STEPS, *PAIR)),
    Layer("LSTM", (2, 3, 2), {"dropout": 0.3, "batch_first": True}, inputs=((2, 3, 2),), gradgrad=False),
    Layer("LSTM", (2, 3), {"bias": False, "bidirectional": True}, inputs=(X,), gradgrad=False),
    Layer("LSTM", (2, 3, 2), {"proj_size": 2}, inputs=(X, [(2, 2, 2), (2, 2, 3)]), gradgrad=False),
    Layer("LSTM", (2, 3), {"proj_size": 2}, inputs=((3, 2), [(1, 2), (1, 3)])),
    Layer("LSTM", (2, 3), {"proj_size": 2, "bidirectional": True}, inputs=(X,),
          prepare=packed([2, 3], enforce_sorted=False), after=unpacked, gradgrad=False),
    Layer("RNNCell", (2, 3), inputs=((2, 2),), errors=CELL),
    Layer("RNNCell", (2, 3), {"bias": False, "nonlinearity": "relu"}, inputs=((2, 2), (2, 3)), errors=CELL_STATE),
    Layer("GRUCell", (2, 3), inputs=((2, 2), (2, 3)), errors=CELL + CELL_STATE),
    Layer("GRUCell", (2, 3, False), inputs=((2,),)),
    Layer("LSTMCell", (2, 3), inputs=((2, 2), [(2, 3), (2, 3)]), errors=CELL + PAIR_OF_CELL),
    Layer("LSTMCell", (2, 3), {"bias": False}, inputs=((2, 2),), empty=True),
    Layer("LSTMCell", (2, 3), inputs=((2,), [(3,), (3,)])),
]  # fmt: skip
