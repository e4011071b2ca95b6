"""Recurrent networks where a row says too little: threads, batches, long sequences, changed tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import taeda
from any_threads import assert_same_for_any_threads
from taeda import ops

GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}
KINDS = list(GATES)


def weights(kind: str, I: int, H: int, layers: int = 1, directions: int = 1, proj: int = 0, dtype: Any = None) -> list[taeda.Tensor]:
    """Draw small weights of all layers."""
    taeda.manual_seed(2)
    state, made = proj or H, []
    for k in range(layers * directions):
        shapes = [(GATES[kind] * H, I if k < directions else state * directions), (GATES[kind] * H, state), (GATES[kind] * H,), (GATES[kind] * H,)]
        made += [((taeda.rand(shape, dtype=dtype) - 0.5) / max(H, 1) ** 0.5).requires_grad_() for shape in shapes + [(proj, H)] * (proj > 0)]
    return made


def run(kind: str, x: taeda.Tensor, params: list[taeda.Tensor], sizes: Any = None, hx: Any = None, layers: int = 1, both: bool = False) -> Any:
    rest = {"hx": hx, "params": params, "has_biases": True, "num_layers": layers, "dropout": 0.0, "train": True, "bidirectional": both}
    if sizes is not None:
        return getattr(taeda, kind)(data=x, batch_sizes=taeda.tensor(sizes), **rest)
    return getattr(taeda, kind)(input=x, batch_first=False, **rest)


@pytest.mark.parametrize(("kind", "proj"), [("lstm", 0), ("lstm", 24), ("gru", 0), ("rnn_tanh", 0)])
@pytest.mark.parametrize("packed", [False, True])
def test_the_same_bits_for_any_number_of_threads(kind: str, proj: int, packed: bool) -> None:
    sizes = [21, 21, 20, 13, 13, 9, 2] if packed else [21] * 17
    params = weights(kind, 70, 64, directions=2, proj=proj)
    x = taeda.randn(sum(sizes), 70) if packed else taeda.randn(17, 21, 70)

    def step():
        leaf = x.clone().requires_grad_()
        outs = run(kind, leaf, params, sizes if packed else None, both=True)
        return outs, taeda.autograd.grad(sum((o * o).sum() for o in outs), [leaf, *params])

    assert_same_for_any_threads(step)


@pytest.mark.parametrize("kind", KINDS)
def test_a_sequence_gives_the_same_alone_and_in_a_packed_batch(kind: str) -> None:
    lengths = [9, 7, 7, 5]
    params = weights(kind, 6, 10, layers=2, directions=2)
    rows = [taeda.randn(n, 6) for n in lengths]
    sizes = [sum(n > t for n in lengths) for t in range(9)]
    y, h = run(kind, taeda.stack([rows[b][t] for t in range(9) for b in range(sizes[t])]), params, sizes, layers=2, both=True)[:2]
    starts = np.cumsum([0, *sizes])
    for b, n in enumerate(lengths):
        alone, last = run(kind, rows[b].unsqueeze(1), params, layers=2, both=True)[:2]
        assert taeda.equal(taeda.stack([y[starts[t] + b] for t in range(n)]), alone[:, 0])
        assert taeda.equal(h[:, b], last[:, 0])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("T", "B", "I", "H"), [(70, 9, 19, 33), (1, 2, 5, 7), (3, 1, 40, 16)])
def test_a_network_is_its_cell_step_by_step(kind: str, T: int, B: int, I: int, H: int) -> None:
    """With the gradients, over several blocks of rows."""
    params = weights(kind, I, H, dtype=taeda.float64)
    x, h = taeda.randn(T, B, I, dtype=taeda.float64).requires_grad_(), taeda.randn(B, H, dtype=taeda.float64).requires_grad_()
    first: Any = (h, h.tanh()) if kind == "lstm" else h
    hx = tuple(s.unsqueeze(0) for s in first) if kind == "lstm" else h.unsqueeze(0)
    y, *ends = run(kind, x, params, hx=hx)
    state, ys = first, []
    for t in range(T):
        state = getattr(taeda, f"{kind}_cell")(x[t], state, *params)
        ys.append(state[0] if kind == "lstm" else state)
    wanted = [taeda.stack(ys), *(s.unsqueeze(0) for s in (state if kind == "lstm" else (state,)))]
    for a, b in zip([y, *ends], wanted, strict=True):
        assert taeda.allclose(a, b, rtol=1e-12, atol=1e-13)
    leaves = [x, h, *params]
    found = taeda.autograd.grad(sum((o * o).sum() for o in [y, *ends]), leaves, retain_graph=True)
    by_steps = taeda.autograd.grad(sum((o * o).sum() for o in wanted), leaves)
    for a, b in zip(found, by_steps, strict=True):
        assert taeda.allclose(a, b, rtol=1e-10, atol=1e-12)


def one_step(kind: str, x: taeda.Tensor, h: taeda.Tensor, c: taeda.Tensor, params: list[taeda.Tensor]) -> taeda.Tensor:
    """Write a step out in operations."""
    w_ih, w_hh, b_ih, b_hh = params
    a, b = x @ w_ih.t() + b_ih, h @ w_hh.t() + b_hh
    if kind == "lstm":
        i, f, g, o = (a + b).chunk(4, 1)
        return o.sigmoid() * (f.sigmoid() * c + i.sigmoid() * g.tanh()).tanh()
    if kind == "gru":
        (r, z, n), (r_h, z_h, n_h) = a.chunk(3, 1), b.chunk(3, 1)
        z, n = (z + z_h).sigmoid(), (n + (r + r_h).sigmoid() * n_h).tanh()
        return (1 - z) * n + z * h
    return (a + b).tanh() if kind == "rnn_tanh" else (a + b).relu()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("B", [1, 5, 13, 96, 97])                     # rows by dot products, by panels, and with packed weights
@pytest.mark.parametrize(("I", "H"), [(300, 100), (3, 130)])          # a GRU's n begins within a piece of the gates
def test_a_single_step_is_its_formula_on_any_number_of_threads(kind: str, B: int, I: int, H: int) -> None:
    params = weights(kind, I, H)
    x, h, c = (taeda.randn(B, size).requires_grad_() for size in (I, H, H))
    inputs = [x, h, *params] + [c] * (kind == "lstm")

    def step():
        y = getattr(taeda, kind + "_cell")(x, (h, c) if kind == "lstm" else h, *params)
        y = y[0] if kind == "lstm" else y
        return y.detach(), *taeda.autograd.grad((y * y).sum(), inputs)

    found = assert_same_for_any_threads(step)
    wide = [t.detach().double().requires_grad_() for t in inputs]
    expected = one_step(kind, wide[0], wide[1], wide[-1], wide[2:6])
    for a, e in zip(found, [expected.detach(), *taeda.autograd.grad((expected * expected).sum(), wide)], strict=True):
        np.testing.assert_allclose(a.numpy(), e.numpy(), rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_that_need_no_gradient_get_none_and_change_no_other(kind: str) -> None:
    params, x = weights(kind, 5, 6), taeda.randn(4, 3, 5, requires_grad=True)
    every = taeda.autograd.grad(run(kind, x, params)[0].square().sum(), [x, *params])
    for i, p in enumerate(params):
        some = [q if q is p else q.detach() for q in params]
        assert taeda.equal(taeda.autograd.grad(run(kind, x.detach(), some)[0].square().sum(), [p])[0], every[1 + i])
    assert taeda.equal(taeda.autograd.grad(run(kind, x, [q.detach() for q in params])[0].square().sum(), [x])[0], every[0])


@pytest.mark.parametrize("kind", KINDS)
def test_biases_alone_have_a_second_derivative(kind: str) -> None:
    params, x = weights(kind, 5, 6), taeda.randn(4, 3, 5)

    def second(params: list[taeda.Tensor]) -> Any:
        first = taeda.autograd.grad(run(kind, x, params)[0].square().sum(), params[2:], create_graph=True)
        return taeda.autograd.grad(sum(g.square().sum() for g in first), params[2:])

    for a, b in zip(second([p.detach() for p in params[:2]] + params[2:]), second(params), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6)


def test_only_the_state_or_only_the_outputs_can_be_followed_back() -> None:
    params, x = weights("lstm", 3, 4), taeda.randn(3, 2, 3, requires_grad=True)
    y, h, c = run("lstm", x, params)
    whole = taeda.autograd.grad(y.sum() + 2 * h.sum() + 3 * c.sum(), [x], retain_graph=True)[0]
    parts = [taeda.autograd.grad(out.sum(), [x], retain_graph=True)[0] for out in (y, h, c)]
    assert taeda.allclose(whole, parts[0] + 2 * parts[1] + 3 * parts[2], atol=1e-6)


def test_sizes_of_steps_are_read_once() -> None:
    params, x = weights("gru", 2, 3), taeda.randn(4, 2, requires_grad=True)
    sizes = taeda.tensor([2, 2])
    y, _ = taeda.gru(x, sizes, taeda.zeros(1, 2, 3), params, True, 1, 0.0, True, False)
    wanted = taeda.autograd.grad(y.sum(), [x], retain_graph=True)[0]
    sizes.fill_(1 << 40)
    assert taeda.equal(taeda.autograd.grad(y.sum(), [x])[0], wanted)


def test_changes_in_place_are_noticed() -> None:
    params, x = weights("gru", 2, 3), taeda.randn(4, 2, 2, requires_grad=True)
    y, _ = run("gru", x, params)
    y.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()
    y, _ = run("gru", x, params)
    with taeda.no_grad():
        params[2].add_(1)                              # a bias: the first derivative does not read it
    first = taeda.autograd.grad(y.sum(), [x], retain_graph=True)[0]
    assert first.isfinite().all()
    with pytest.raises(RuntimeError, match="a bias of the layer"):
        taeda.autograd.grad(y.sum(), [x], create_graph=True)


def test_nan_stays_with_its_sequence_and_infinities_saturate() -> None:
    for kind in KINDS:
        params, x = weights(kind, 3, 4), taeda.randn(3, 6, 3)
        x[1, 2, 0], x[0, 4, 1] = float("nan"), float("inf")
        y = run(kind, x, params)[0]
        assert y[:, 2].isnan().any() and y[1:, 2].isnan().all() and not y[:, [0, 1, 3, 5]].isnan().any()
    one = [taeda.ones(3, 1), taeda.zeros(3, 1)]
    assert taeda.gru(taeda.full((1, 1, 1), float("-inf")), taeda.ones(1, 1, 1), one, False, 1, 0.0, False, False, False)[1].item() == -1


@pytest.mark.parametrize("dtype", [taeda.float16, taeda.bfloat16])
@pytest.mark.parametrize("kind", KINDS)
def test_narrow_dtypes_are_computed_in_float32(kind: str, dtype: Any) -> None:
    params = [p.detach().to(dtype).requires_grad_() for p in weights(kind, 8, 9)]
    x = taeda.randn(5, 4, 8).to(dtype).requires_grad_()
    y, h = run(kind, x, params)[:2]
    wide = [p.detach().float().requires_grad_() for p in params]
    other = x.detach().float().requires_grad_()
    wanted = run(kind, other, wide)[0]
    assert y.dtype is dtype and h.dtype is dtype and taeda.equal(y, wanted.to(dtype))
    for a, b in zip(taeda.autograd.grad(y.float().sum(), [x, *params]), taeda.autograd.grad(wanted.sum(), [other, *wide]), strict=True):
        assert a.dtype is dtype and taeda.allclose(a.float(), b, rtol=2e-2, atol=1e-2)


def test_shapes_alone_on_the_meta_device() -> None:
    x = taeda.empty(5, 2, 3, device="meta", requires_grad=True)
    params = [p.detach().to("meta").requires_grad_() for p in weights("lstm", 3, 4, directions=2)]
    y, h, c = run("lstm", x, params, both=True)
    y.sum().backward()
    assert (y.shape, h.shape, c.shape, x.grad.shape, params[5].grad.shape) == ((5, 2, 8), (2, 2, 4), (2, 2, 4), (5, 2, 3), (16, 4))
    with pytest.raises(NotImplementedError, match="meta"):
        taeda.gru(x[0], taeda.empty(1, dtype=taeda.int64, device="meta"), taeda.empty(1, 2, 1, device="meta"), params, True, 1, 0.0, False, False)


def test_dropout_is_between_layers_and_only_while_training() -> None:
    params, x = weights("gru", 3, 5, layers=2), taeda.randn(4, 2, 3)

    def outputs(dropout: float, train: bool) -> taeda.Tensor:
        taeda.manual_seed(1)
        return taeda.gru(x, taeda.zeros(2, 2, 5), params, True, 2, dropout, train, False, False)[0]

    assert taeda.equal(outputs(0.5, False), outputs(0.0, True))
    taeda.manual_seed(1)
    below = ops.dropout(taeda.gru(x, taeda.zeros(1, 2, 5), params[:4], True, 1, 0.0, True, False, False)[0], 0.5, True)
    assert taeda.equal(outputs(0.5, True), taeda.gru(below, taeda.zeros(1, 2, 5), params[4:], True, 1, 0.0, True, False, False)[0])


def test_arguments_by_name_and_position() -> None:
    params, x, h = weights("rnn_tanh", 2, 3), taeda.randn(4, 2, 2), taeda.randn(1, 2, 3)
    by_place = taeda.rnn_tanh(x, h, params, True, 1, 0.0, False, False, False)
    by_name = taeda.rnn_tanh(x, hx=h, params=params, has_biases=True, num_layers=1, dropout=0.0, train=False, bidirectional=False, batch_first=False)
    packed = taeda.rnn_tanh(x.reshape(8, 2), taeda.tensor([2, 2, 2, 2]), h, params, True, 1, 0.0, False, False)
    assert taeda.equal(by_place[0], by_name[0]) and taeda.equal(by_place[0].reshape(8, 3), packed[0])
    for bad, text in (({"hidden": h}, "unexpected or repeated argument 'hidden'"), ({"input": x}, "unexpected or repeated argument 'input'")):
        with pytest.raises(TypeError, match=text):
            taeda.rnn_tanh(x, **bad)
    with pytest.raises(TypeError, match="'hx' must be tuple of Tensors"):
        taeda.lstm(input=x, hx=h, params=weights("lstm", 2, 3), has_biases=True, num_layers=1, dropout=0.0, train=False, bidirectional=False, batch_first=False)
    with pytest.raises(TypeError, match="'params' must be tuple of Tensors"):
        taeda.gru(x, h, 3, True, 1, 0.0, False, False, False)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("B", "I", "H"), [(0, 3, 4), (2, 0, 4), (2, 3, 0), (7, 0, 3)])
def test_sizes_of_nothing(kind: str, B: int, I: int, H: int) -> None:
    params, x = weights(kind, I, H), taeda.randn(3, B, I, requires_grad=True)
    y, h = run(kind, x, params)[:2]
    y.sum().backward()
    assert (y.shape, h.shape, x.grad.shape) == ((3, B, H), (1, B, H), x.shape)
    assert all(p.grad.shape == p.shape for p in params)


def test_a_projection_to_nothing() -> None:
    params = [p.detach() for p in weights("lstm", 2, 3)]
    params = [params[0], params[1][:, :0], params[2], params[3], taeda.zeros(0, 3)]
    y, h, c = run("lstm", taeda.ones(1, 1, 2), params)
    wanted = run("lstm", taeda.ones(1, 1, 2), [params[0], taeda.zeros(12, 3), params[2], params[3]])[2]
    assert (y.shape, h.shape) == ((1, 1, 0), (1, 1, 0)) and taeda.equal(c, wanted)
