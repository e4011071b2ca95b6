"""Recurrent layers: whole sequences at once (RNN, LSTM, GRU), and single steps (their cells)."""

from __future__ import annotations

import math
import numbers
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import taeda
from taeda import Tensor
from taeda.nn import init
from taeda.nn.modules.module import Module
from taeda.nn.parameter import Parameter
from taeda.nn.utils.rnn import PackedSequence

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNBase", "RNNCell", "RNNCellBase"]

_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}


def apply_permutation(tensor: Tensor, permutation: Tensor, dim: int = 1) -> Tensor:
    """Return ``tensor.index_select(dim, permutation)``; deprecated, as in PyTorch."""
    warnings.warn(
        "`apply_permutation` is deprecated, please use `tensor.index_select(dim, permutation)` instead",
        FutureWarning,
        stacklevel=2,
    )
    return tensor.index_select(dim, permutation)


def _draw_weights(layer: Module, hidden_size: int) -> None:
    """Draw all weights from U(-k, k) with k = 1 / sqrt(hidden_size)."""
    bound = 1.0 / math.sqrt(hidden_size) if hidden_size > 0 else 0
    for weight in layer.parameters():
        init.uniform_(weight, -bound, bound)


class RNNBase(Module):
    """What RNN, LSTM and GRU have in common: weights, checks, and what a call does.

    Args:
        mode: "LSTM", "GRU", "RNN_TANH" or "RNN_RELU".
        input_size: number of features of x.
        hidden_size: number of features of h.
        num_layers: layers on top of each other: each takes the outputs of the one below.
        bias: whether the sums have biases b_ih and b_hh.
        batch_first: x and y are (B, T, ...) in place of (T, B, ...).
        dropout: probability of dropping outputs of every layer but the last, while training.
        bidirectional: a second set of weights runs over the sequence from its end; outputs are put side by side.
        proj_size: of an LSTM, the size that h is projected to if it is not 0.

    Weights are drawn from U(-k, k) with k = 1 / sqrt(hidden_size).

    >>> from taeda import nn
    >>> [name for name, _ in nn.LSTM(4, 5, bidirectional=True, bias=False).named_parameters()]
    ['weight_ih_l0', 'weight_hh_l0', 'weight_ih_l0_reverse', 'weight_hh_l0_reverse']
    >>> isinstance(nn.GRU(4, 5), nn.RNNBase)
    True
    """

    __constants__ = ["mode", "input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional", "proj_size"]
    mode: str
    input_size: int
    hidden_size: int
    num_layers: int
    bias: bool
    batch_first: bool
    dropout: float
    bidirectional: bool
    proj_size: int

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        if not isinstance(dropout, numbers.Number) or isinstance(dropout, bool) or not 0 <= self.dropout <= 1:
            raise ValueError(
                f"[{name}] dropout should be a number in range [0, 1] representing the probability of an element being "
                f"zeroed, got {dropout!r}"
            )
        if self.dropout > 0 and num_layers == 1:
            warnings.warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects "
                f"num_layers greater than 1, but got dropout={dropout} and num_layers={num_layers}",
                stacklevel=2 if type(self) is RNNBase else 3,
            )
        self._check_sizes(name)
        self._all_weights = self._weight_names()
        self._flat_weights_names = [key for names in self._all_weights for key in names]
        for i, names in enumerate(self._all_weights):
            shapes = self._weight_shapes(i // (2 if bidirectional else 1))
            for key, shape in zip(names, shapes.values(), strict=True):
                setattr(self, key, Parameter(taeda.empty(shape, device=device, dtype=dtype)))
        self.reset_parameters()

    def _weight_shapes(self, layer: int) -> dict[str, tuple[int, ...]]:
        """Return the weights that a layer has in each direction, in PyTorch's order."""
        state = self.proj_size or self.hidden_size
        rows = _GATES[self.mode] * self.hidden_size
        columns = self.input_size if layer == 0 else state * (1 + bool(self.bidirectional))
        shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, columns), "weight_hh": (rows, state)}
        if self.bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        if self.proj_size > 0:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        return shapes

    def _weight_names(self) -> list[list[str]]:
        """Return the names of the weights of each layer and direction."""
        ends = [f"_l{layer}{end}" for layer in range(self.num_layers) for end in (("", "_reverse") if self.bidirectional else ("",))]
        return [[kind + end for kind in self._weight_shapes(0)] for end in ends]

    def __getstate__(self) -> dict[str, Any]:
        """Return the state with the weights in a list, too, as PyTorch's, which reads it."""
        flat = [self._parameters.get(name) for name in self._flat_weights_names]
        return {**self.__dict__, "_flat_weights": flat}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over a state; PyTorch's holds the weights twice, and its early ones lack the names and ``proj_size``."""
        state = {"proj_size": 0, **state}
        names = state.pop("all_weights", state.pop("_all_weights", None))
        for twice in ("_flat_weights", "_flat_weight_refs", "_data_ptrs"):
            state.pop(twice, None)
        super().__setstate__(state)
        if not names or not isinstance(names[0][0], str):
            names = self._weight_names()
        self._all_weights = names
        self._flat_weights_names = [name for group in names for name in group]

    def _check_sizes(self, name: str) -> None:
        for key, kind in (("bias", bool), ("batch_first", bool), ("input_size", int), ("hidden_size", int)):
            value = getattr(self, key)
            if not isinstance(value, kind):
                raise TypeError(f"[{name}] {key} should be of type {kind.__name__}, got: {type(value).__name__}")
            if kind is int and value <= 0:
                raise ValueError(f"[{name}] {key} must be greater than zero, got {value}")
        if self.num_layers <= 0:
            raise ValueError(f"[{name}] num_layers must be greater than zero, got {self.num_layers}")
        if self.proj_size < 0:
            raise ValueError(f"[{name}] proj_size should be a positive integer or zero to disable projections, got {self.proj_size}")
        if self.proj_size >= self.hidden_size:
            raise ValueError(f"[{name}] proj_size has to be smaller than hidden_size, got {self.proj_size} and {self.hidden_size}")
        if self.mode not in _GATES:
            raise ValueError(f"[{name}] Unrecognized RNN mode: {self.mode}")

    def reset_parameters(self) -> None:
        """Draw the weights anew."""
        _draw_weights(self, self.hidden_size)

    @property
    def _flat_weights(self) -> list[Any]:
        """What a call computes with: the layer's weights, unless others were put here, such as some with numbers dropped."""
        given = self.__dict__.get("_given_weights")
        return self._own_weights() if given is None else given

    @_flat_weights.setter
    def _flat_weights(self, weights: Sequence[Any]) -> None:
        own = self._own_weights()
        if len(own) == len(weights) and all(w is mine for w, mine in zip(weights, own, strict=True)):
            self.__dict__.pop("_given_weights", None)
        else:
            self.__dict__["_given_weights"] = list(weights)

    def _own_weights(self) -> list[Any]:
        return [getattr(self, name, None) for name in self._flat_weights_names]

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The weights of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def flatten_parameters(self) -> None:
        """Do nothing: weights are packed for the processor in every call."""

    # -- checks --------------------------------------------------------------------------------------

    def check_input(self, input: Tensor, batch_sizes: Tensor | None) -> None:
        """Raise where the input's dtype or sizes are not the layer's."""
        name, dtype = type(self).__name__, self._flat_weights[0].dtype
        if input.dtype != dtype and not taeda.is_autocast_enabled("cpu"):  # autocast makes them agree
            raise ValueError(
                f"[{name}] RNN input dtype ({input.dtype}) does not match weight dtype ({dtype}). Convert input: "
                f"input.to({dtype}), or convert model: model.to({input.dtype})"
            )
        rank = 3 if batch_sizes is None else 2
        if input.dim() != rank:
            raise RuntimeError(f"[{name}] input must have {rank} dimensions, got {input.dim()}: {tuple(input.shape)}")
        if input.shape[-1] != self.input_size:
            raise RuntimeError(
                f"[{name}] input.size(-1) must be equal to input_size. Expected {self.input_size}, got {input.shape[-1]} in "
                f"shape {tuple(input.shape)}"
            )

    def _state_size(self, input: Tensor, batch_sizes: Tensor | None, features: int) -> tuple[int, int, int]:
        batch = input.shape[0 if self.batch_first else 1] if batch_sizes is None else int(batch_sizes[0])
        return self.num_layers * (2 if self.bidirectional else 1), batch, features

    def get_expected_hidden_size(self, input: Tensor, batch_sizes: Tensor | None) -> tuple[int, int, int]:
        """Return the size that h_0 must have."""
        return self._state_size(input, batch_sizes, self.proj_size or self.hidden_size)

    def check_hidden_size(self, hx: Tensor, expected_hidden_size: tuple[int, ...], msg: str = "Expected hidden size {}, got {}") -> None:
        """Raise RuntimeError where a state has another size."""
        if tuple(hx.shape) != tuple(expected_hidden_size):
            raise RuntimeError(f"[{type(self).__name__}] " + msg.format(tuple(expected_hidden_size), list(hx.shape)))

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """Check an input and the state that goes with it (None: zeros)."""
        self.check_input(input, batch_sizes)
        if hidden is not None:
            self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """Return a state with its sequences in another order."""
        return hx if permutation is None else hx.index_select(1, permutation)

    def _check_kind(self, name: str, hx: Any) -> None:
        if not isinstance(hx, Tensor):
            raise AttributeError(f"[{name}] hx must be one tensor, h_0, got {type(hx).__name__}; pairs (h_0, c_0) are LSTM's")

    def _check_rank(self, name: str, hx: Any, batched: bool) -> None:
        if hx.dim() != 2 + batched:
            raise RuntimeError(
                f"[{name}] For {'batched 3-D' if batched else 'unbatched 2-D'} input, hx should also be {2 + batched}-D but "
                f"got {hx.dim()}-D tensor"
            )

    # -- what a call does ----------------------------------------------------------------------------

    def _network(self, run: Callable[..., Any], where: dict[str, Any], hx: Any) -> tuple[Tensor, Any]:
        """Return the outputs of all layers and the last state."""
        first, *rest = where  # the input goes by position: its dtype is what autocast looks at
        return run(
            where[first],
            hx=hx,
            params=self._flat_weights,
            has_biases=self.bias,
            num_layers=self.num_layers,
            dropout=self.dropout,
            train=self.training,
            bidirectional=self.bidirectional,
            **{name: where[name] for name in rest},
        )

    def _run(self, run: Callable[..., Any], input: Any, hx: Any) -> tuple[Any, Any]:
        name = type(self).__name__
        if hx is not None:
            self._check_kind(name, hx)
        if isinstance(input, PackedSequence):
            data, sizes, order, back = input
            hx = None if hx is None else self.permute_hidden(hx, order)
            self.check_forward_args(data, hx, sizes)
            y, state = self._network(run, {"data": data, "batch_sizes": sizes}, hx)
            return PackedSequence(y, sizes, order, back), self.permute_hidden(state, back)
        if input.dim() not in (2, 3):
            raise ValueError(f"[{name}] Expected input to be 2D or 3D, got {input.dim()}D instead: {tuple(input.shape)}")
        batched = input.dim() == 3
        if hx is not None:
            self._check_rank(name, hx, batched)
        if batched:
            self.check_forward_args(input, hx, None)
            return self._network(run, {"input": input, "batch_first": self.batch_first}, hx)
        batch = 0 if self.batch_first else 1
        y, state = self._run(run, input.unsqueeze(batch), None if hx is None else self._each(hx, "unsqueeze"))
        return y.squeeze(batch), self._each(state, "squeeze")

    def _each(self, state: Any, method: str) -> Any:
        """Give a state, or take from it, the dimension of a batch."""
        return getattr(state, method)(1)

    def extra_repr(self) -> str:
        shown = [f"{self.input_size}, {self.hidden_size}"]
        if self.proj_size != 0:
            shown.append(f"proj_size={self.proj_size}")
        if self.num_layers != 1:
            shown.append(f"num_layers={self.num_layers}")
        if self.bias is not True:
            shown.append(f"bias={self.bias}")
        if self.batch_first is not False:
            shown.append(f"batch_first={self.batch_first}")
        if self.dropout != 0:
            shown.append(f"dropout={self.dropout}")
        if self.bidirectional is not False:
            shown.append(f"bidirectional={self.bidirectional}")
        return ", ".join(shown)

    def _cure(self, *args: Any, **kwargs: Any) -> str | None:
        x = args[0] if args else kwargs.get("input")
        if not isinstance(x, Tensor) or x.dim() != 3 or x.dtype != self._flat_weights[0].dtype:
            return None
        name, shape = type(self).__name__, tuple(x.shape)
        if shape[-1] != self.input_size:
            at = "" if self.input_size not in shape else "; did you mean x.transpose(...), the features last?"
            return f"{name}({self.input_size}, ...) got {shape}{at}"
        hx = args[1] if len(args) > 1 else kwargs.get("hx")
        h = hx[0] if isinstance(hx, (list, tuple)) and hx else hx
        if isinstance(h, Tensor) and h.dim() == 3 and self.batch_first and h.shape[0] == shape[0] != h.shape[1]:
            return "a state is (layers * directions, batch, size) with batch_first too; did you mean hx.transpose(0, 1)?"
        if isinstance(h, Tensor) and h.dim() == 3 and h.shape[1] == shape[1 if self.batch_first else 0] != h.shape[0]:
            return f"the state is for a batch of {h.shape[1]}; did you mean batch_first={not self.batch_first}?"
        return None


class RNN(RNNBase):
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh), over a sequence.

    Args:
        input_size, hidden_size, num_layers: as in :class:`RNNBase`.
        nonlinearity: "tanh" or "relu".
        bias, batch_first, dropout, bidirectional: as in :class:`RNNBase`.

    Shapes:
        x: (T, B, input_size), with ``batch_first`` (B, T, input_size), (T, input_size), or a PackedSequence;
        h_0, h_n: (layers * directions, B, hidden_size), without a batch (layers * directions, hidden_size), or None for
        zeros; y: x's with directions * hidden_size features.

    Source: Elman 1990.

    >>> import taeda
    >>> from taeda import nn
    >>> y, h_n = nn.RNN(10, 20, 2)(taeda.randn(5, 3, 10))
    >>> y.shape, h_n.shape
    (taeda.Size([5, 3, 20]), taeda.Size([2, 3, 20]))
    """

    nonlinearity: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "proj_size" in kwargs:
            raise ValueError("[RNN] proj_size argument is only supported for LSTM, not RNN or GRU")
        nonlinearity = args[3] if len(args) > 3 else kwargs.pop("nonlinearity", "tanh")
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"[RNN] Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        super().__init__(f"RNN_{nonlinearity.upper()}", *args[:3], *args[4:], **kwargs)
        self.nonlinearity = nonlinearity

    def forward(self, input: Any, hx: Tensor | None = None) -> Any:
        return self._run(taeda.rnn_tanh if self.mode == "RNN_TANH" else taeda.rnn_relu, input, hx)


class GRU(RNNBase):
    """h_t = (1 - z) n + z h_(t-1) with r, z = sigmoid(W_i* x + b_i* + W_h* h + b_h*), n = tanh(W_in x + b_in + r (W_hn h + b_hn)).

    Args:
        input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional: as in :class:`RNNBase`.

    Shapes:
        as :class:`RNN`'s; weights have 3 hidden_size rows: r, z, n.

    Source: Cho et al. 2014, https://arxiv.org/abs/1406.1078.

    >>> import taeda
    >>> from taeda import nn
    >>> y, h_n = nn.GRU(10, 20, bidirectional=True)(taeda.randn(5, 3, 10))
    >>> y.shape, h_n.shape
    (taeda.Size([5, 3, 40]), taeda.Size([2, 3, 20]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "proj_size" in kwargs:
            raise ValueError("[GRU] proj_size argument is only supported for LSTM, not RNN or GRU")
        super().__init__("GRU", *args, **kwargs)

    def forward(self, input: Any, hx: Tensor | None = None) -> Any:
        return self._run(taeda.gru, input, hx)


class LSTM(RNNBase):
    """c_t = sigmoid(f) c_(t-1) + sigmoid(i) tanh(g), h_t = sigmoid(o) tanh(c_t), with i f g o = W_ih x + b_ih + W_hh h + b_hh.

    Args:
        input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional: as in :class:`RNNBase`.
        proj_size: if not 0, h_t is W_hr sigmoid(o) tanh(c_t), of that size.

    Shapes:
        x and y as :class:`RNN`'s; the state is a pair: h of (layers * directions, B, proj_size or hidden_size) and c of
        (layers * directions, B, hidden_size); weights have 4 hidden_size rows: i, f, g, o.

    Source: Hochreiter and Schmidhuber 1997; projections: Sak et al. 2014, https://arxiv.org/abs/1402.1128.

    >>> import taeda
    >>> from taeda import nn
    >>> y, (h_n, c_n) = nn.LSTM(10, 20, batch_first=True, proj_size=4)(taeda.randn(3, 5, 10))
    >>> y.shape, h_n.shape, c_n.shape
    (taeda.Size([3, 5, 4]), taeda.Size([1, 3, 4]), taeda.Size([1, 3, 20]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)

    def get_expected_cell_size(self, input: Tensor, batch_sizes: Tensor | None) -> tuple[int, int, int]:
        """Return the size that c_0 must have."""
        return self._state_size(input, batch_sizes, self.hidden_size)

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """Check an input and the pair of states that goes with it (None: zeros)."""
        self.check_input(input, batch_sizes)
        if hidden is not None:
            sizes = self.get_expected_hidden_size(input, batch_sizes), self.get_expected_cell_size(input, batch_sizes)
            for i in range(2):
                self.check_hidden_size(hidden[i], sizes[i], f"Expected hidden[{i}] size {{}}, got {{}}")

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """Return a pair of states with their sequences in another order."""
        return hx if permutation is None else self._each(hx, "index_select", permutation)

    def _check_kind(self, name: str, hx: Any) -> None:
        if isinstance(hx, Tensor):
            raise (IndexError if hx.dim() == 0 or hx.shape[0] < 2 else TypeError)(
                f"[{name}] hx must be a pair (h_0, c_0), got one tensor of shape {tuple(hx.shape)}"
            )
        if len(hx) < 2:
            raise IndexError(f"[{name}] hx must be a pair (h_0, c_0), got {len(hx)} of it")

    def _check_rank(self, name: str, hx: Any, batched: bool) -> None:
        if hx[0].dim() != 2 + batched or hx[1].dim() != 2 + batched:
            raise RuntimeError(
                f"[{name}] For {'batched 3-D' if batched else 'unbatched 2-D'} input, hx and cx should also be {2 + batched}-D "
                f"but got ({hx[0].dim()}-D, {hx[1].dim()}-D) tensors"
            )

    def _network(self, run: Callable[..., Any], where: dict[str, Any], hx: Any) -> tuple[Tensor, Any]:
        y, h, c = super()._network(run, where, hx)  # type: ignore[misc]
        return y, (h, c)

    def _each(self, state: Any, method: str, *args: Any) -> Any:
        return tuple(getattr(part, method)(1, *args) for part in state)

    def forward(self, input: Any, hx: tuple[Tensor, Tensor] | None = None) -> Any:
        return self._run(taeda.lstm, input, hx)


class RNNCellBase(Module):
    """What the cells have in common: weights and the checks of a call.

    Args:
        input_size: number of features of x.
        hidden_size: number of features of h.
        bias: whether the sums have biases b_ih and b_hh.
        num_chunks: how many gates there are.

    Weights are drawn from U(-k, k) with k = 1 / sqrt(hidden_size).

    >>> from taeda import nn
    >>> cell = nn.GRUCell(4, 5)
    >>> isinstance(cell, nn.RNNCellBase), cell.weight_ih.shape           # three gates
    (True, taeda.Size([15, 4]))
    """

    __constants__ = ["input_size", "hidden_size", "bias"]
    input_size: int
    hidden_size: int
    bias: bool
    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor | None
    bias_hh: Tensor | None

    def __init__(self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size
        self.weight_ih = Parameter(taeda.empty((rows, input_size), device=device, dtype=dtype))
        self.weight_hh = Parameter(taeda.empty((rows, hidden_size), device=device, dtype=dtype))
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, Parameter(taeda.empty(rows, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights anew."""
        _draw_weights(self, self.hidden_size)

    def extra_repr(self) -> str:
        shown = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            shown += f", bias={self.bias}"
        if getattr(self, "nonlinearity", "tanh") != "tanh":
            shown += f", nonlinearity={self.nonlinearity}"
        return shown

    def _rows(self, input: Tensor, states: Sequence[Tensor] | None, what: Callable[[int], str]) -> tuple[Tensor, list[Tensor]]:
        """Return the input and its states with a dimension of the batch; zeros for states that are not given."""
        name = type(self).__name__
        if input.dim() not in (1, 2):
            raise ValueError(f"[{name}] Expected input to be 1D or 2D, got {input.dim()}D instead: {tuple(input.shape)}")
        for i, h in enumerate(states or ()):
            if not isinstance(h, Tensor):
                raise AttributeError(f"[{name}] {what(i)} must be a tensor, got {type(h).__name__}; pairs (h, c) are LSTMCell's")
            if h.dim() not in (1, 2):
                raise ValueError(f"[{name}] Expected {what(i)} to be 1D or 2D, got {h.dim()}D instead: {tuple(h.shape)}")
        batched = input.dim() == 2
        x = input if batched else input.unsqueeze(0)
        if states is None:
            zeros = x.new_zeros((x.shape[0], self.hidden_size))
            return x, [zeros, zeros]
        return x, list(states) if batched else [h.unsqueeze(0) for h in states]

    def _step(self, run: Callable[..., Any], input: Tensor, hx: Tensor | None) -> Tensor:
        x, states = self._rows(input, None if hx is None else (hx,), lambda i: "hidden")
        h = run(x, states[0], self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        return h if input.dim() == 2 else h.squeeze(0)


class RNNCell(RNNCellBase):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh).

    Args:
        input_size, hidden_size, bias: as in :class:`RNNCellBase`.
        nonlinearity: "tanh" or "relu".

    Shapes:
        x: (B, input_size) or (input_size,); h, h': (B, hidden_size) or (hidden_size,), None for zeros.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.RNNCell(10, 20)(taeda.randn(3, 10), taeda.randn(3, 20)).shape
    taeda.Size([3, 20])
    """

    __constants__ = ["input_size", "hidden_size", "bias", "nonlinearity"]
    nonlinearity: str

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"[RNNCell] Unknown nonlinearity: {self.nonlinearity}; it is 'tanh' or 'relu'")
        return self._step(taeda.rnn_tanh_cell if self.nonlinearity == "tanh" else taeda.rnn_relu_cell, input, hx)


class LSTMCell(RNNCellBase):
    """c' = sigmoid(f) c + sigmoid(i) tanh(g), h' = sigmoid(o) tanh(c'), with i f g o = W_ih x + b_ih + W_hh h + b_hh.

    Args:
        input_size, hidden_size, bias: as in :class:`RNNCellBase`.

    Shapes:
        x: (B, input_size) or (input_size,); the pairs (h, c) and (h', c'): each (B, hidden_size) or (hidden_size,),
        None for zeros.

    >>> import taeda
    >>> from taeda import nn
    >>> h, c = nn.LSTMCell(10, 20)(taeda.randn(3, 10))
    >>> h.shape, c.shape
    (taeda.Size([3, 20]), taeda.Size([3, 20]))
    """

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        if isinstance(hx, Tensor):
            raise TypeError(f"[LSTMCell] hx must be a pair (h, c), got one tensor of shape {tuple(hx.shape)}")
        x, states = self._rows(input, hx, lambda i: f"hx[{i}]")
        h, c = taeda.lstm_cell(x, states, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        return (h, c) if input.dim() == 2 else (h.squeeze(0), c.squeeze(0))


class GRUCell(RNNCellBase):
    """h' = (1 - z) n + z h, with r, z = sigmoid(W_i* x + b_i* + W_h* h + b_h*), n = tanh(W_in x + b_in + r (W_hn h + b_hn)).

    Args:
        input_size, hidden_size, bias: as in :class:`RNNCellBase`.

    Shapes:
        x: (B, input_size) or (input_size,); h, h': (B, hidden_size) or (hidden_size,), None for zeros.

    >>> import taeda
    >>> from taeda import nn
    >>> nn.GRUCell(10, 20)(taeda.randn(3, 10)).shape
    taeda.Size([3, 20])
    """

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return self._step(taeda.gru_cell, input, hx)
