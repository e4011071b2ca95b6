"""The names of graph nodes, which printed tensors show: those of PyTorch, also where an op is made of others here."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import taeda
import taeda.nn

EXPRESSIONS = """
m @ q|m[0] @ q|m[0] @ m[0]|m.matmul(q[:, 0])|m[None] @ q|m[None] @ q[None]|m @ q.expand(2, 4, 5)|q.T @ c|c @ c.mT|c @ m[0, :3]
m[0, :3] @ c.mT|T.bmm(c, c.mT)|T.mm(m, q)|F.linear(m, q.T)|F.linear(m, q.T, q[0])|F.linear(c, m[:, :3])|F.linear(c, m[:, :3], m[0, :3])
F.linear(c[0, 0], m[:, :3])|F.linear(c[0, 0], m[:, :3], m[0, :3])|F.linear(c[0, :, 0], q.T, q[0])|F.linear(c.mT, q.T, q[0])|m.log1p()|m.square()|F.celu(m)|F.mish(m)
m.clamp_min(0)|m.clamp_max(1)|m.clamp(m)|m.dist(2 * m)|F.pairwise_distance(m, m)|T.polar(m, m)|T.complex(m, m).real|T.complex(m, m).imag
m.quantile(0.5)|m.clone().zero_()|F.rrelu(m, training=True)|F.pixel_shuffle(m.view(1, 4, 1, 3), 2)
F.pixel_unshuffle(m.view(1, 1, 6, 2), 2)|F.channel_shuffle(m.view(1, 4, 1, 3), 2)|F.pad(m.view(1, 3, 4), (1, 1), mode='circular')
F.conv_tbc(c, c[:1].mT, m[0])|F.affine_grid(m[:, :3].unflatten(0, (1, 3))[:, :2], (1, 1, 2, 2), False)|m.index_reduce(0, t, m[:2], 'mean')
F.cross_entropy(m, p)|F.cross_entropy(m, p, reduction='sum')|F.cross_entropy(m, p, reduction='none')
F.cross_entropy(m, l, label_smoothing=0.1)|F.cross_entropy(c, l[:2, None].expand(2, 3), reduction='none')
F.binary_cross_entropy(p, p.detach(), p[0].detach())|F.binary_cross_entropy_with_logits(m, p, p.detach())
F.soft_margin_loss(m, m.detach().sign())|F.multi_margin_loss(m, l)|T.kron(m, m)|T.kron(m[0], q)|m % 2|m % m|m.fmod(m)|m.fmod(2)
m.copysign(m)|m.copysign(2)|m.xlogy(m)|m.xlogy(2)|T.xlogy(2, m)|m.div(2, rounding_mode='floor')|m.div(m, rounding_mode='trunc')
m.lerp(m, m)|m.lerp(m, 0.5)|m.round(decimals=1)|m.round()|m[None].squeeze((0, 1))|m[None].squeeze(0)|m[None].squeeze()|m.sgn()
T.vdot(m[0], m[1])|m.ldexp(m)|T.addcmul(m, T.ones(3, 4, dtype=T.uint8), T.ones(4))|m[:, :3].cross(m[:, 1:], dim=1)
T.linalg.cross(m[:, :3], m[:, 1:])|m[0, :3].addbmm(c.mT, c)|T.complex(m, m).std()|T.complex(m, m).var(0)
m.t().reshape(12)|m.t().flatten()|m.t().ravel()|m.reshape(12)|c.mT.flatten(1)
T.trapezoid(m)|T.trapezoid(m, m)|T.trapezoid(m, dx=0.5)|T.cumulative_trapezoid(m, m)|m.diff(n=0)|T.linalg.matrix_norm(m, 1)
T.linalg.matrix_norm(m, -1)|T.linalg.matrix_norm(m, 'nuc', keepdim=True)|T.linalg.cond(c[0, :3], 1)|T.norm(m, 'nuc', keepdim=True)
T.rsub(m, m)|(m * 1).eq_(m)|(m * 1).lt_(1)|(m * 1).ge_(m)|(m * 1).asinh_()|(m + 3).acosh_()|(m * 0.1).atanh_()|(m * 1).clamp_min_(0)
(m * 1).clamp_max_(1)|(m * 1).clamp_(m, m + 1)|(m * 1).lerp_(m[0], 0.5)|(m * 1).cumsum_(0)|(m * 1).cumprod_(0)|(m * 1).round_(decimals=1)
(m * 1).ldexp_(m)|(m * 1).scatter_reduce_(0, t[None, :1], m, 'sum')|T.linalg.solve(c[0, :3], m[:, 0])|T.linalg.lu(c[0])[1]|T.linalg.lu(c[0])[2]
T.linalg.solve(c[0, :3], m[:, :3], left=False)|T.lu_unpack(*T.linalg.lu_factor(c[0]))[1]
T.special.zeta(2, p)|T.special.zeta(p.detach() + 1, p)
T.special.xlog1py(2, p)|T.special.xlog1py(p, 2)|T.special.xlog1py(p, p)|T.special.ndtr(m)|m.unique_consecutive(dim=0)|m.unique(dim=0)
T.linalg.lu_solve(*T.linalg.lu_factor(c[0, :3]), m[:, :3], left=False)
F.margin_ranking_loss(m, m, m.sign(), reduction='none')|c[0].clone().index_fill(0, t, 1)|m[0].clone().mul_(2)|(m * 1)[0].mul_(2)
m.to(T.float32, copy=True)|m.to('cpu', copy=True)|m.to(m.detach(), copy=True)|m.to(T.float64, copy=True)|F.mish(m * 1, inplace=True)
F.mish((m * 1)[0], inplace=True)|F.rrelu(m)|F.rrelu(m * 1, inplace=True)|F.rrelu(m * 1, training=True, inplace=True)
(m * 1).fill_(2)|(m * 1).fill_(q[0, 0])|T.fill(m, 2)|T.fill(m, q[0, 0])|(m * 1).clamp_max_(m + 1)|(m * 1).clamp_min_(m + 1)|c[0].sum().index_select(0, t[:1])|(m * 1).set_(m.detach())
T.unsafe_split(m, 1)[1]|T.unsafe_split_with_sizes(m, [1, 2])[0]|T.unsafe_chunk(m, 2)[0]|T.gru_cell(q.T, q.T[:, :1], q[:3, :4], q[:3, :1])
T.rnn_tanh_cell(q.T, q.T[:, :1], q[:1, :4], q[:1, :1])|T.rnn_relu_cell(q.T, q.T[:, :1], q[:1, :4], q[:1, :1])
T.lstm_cell(q.T, (q.T[:, :1], q.T[:, :1]), q[:, :4], q[:, :1])[0]|T.nn.utils.rnn.pack_padded_sequence(m, [3, 3, 2, 1]).data
""".replace("\n", "|").strip("|").split("|")


def shown(lib: Any, expression: str) -> tuple[str, str]:
    lib.manual_seed(0)
    m = (lib.arange(12.0).reshape(3, 4) / 7 - 0.5).requires_grad_()
    q = (lib.arange(20.0).reshape(4, 5) / 9).requires_grad_()
    c = (lib.arange(24.0).reshape(2, 4, 3) / 5).requires_grad_()
    space = {"T": lib, "F": lib.nn.functional, "m": m, "q": q, "c": c, "p": m.sigmoid(), "t": lib.tensor([0, 2]), "l": lib.tensor([0, 2, 1])}
    y = eval(expression, space)
    text = str(y)
    return type(y.grad_fn).__name__, text[text.index("grad_fn"):]


@pytest.mark.filterwarnings("ignore:index_reduce")
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_the_name_of_the_node(expression: str) -> None:
    mine, theirs = shown(taeda, expression), shown(torch, expression)
    assert mine == theirs


INPUTS = """
m ** 2|m ** 0|2 ** m|m ** m|m ** q.T[:3, :4].detach()|1 - m|m - 1|T.rsub(m, 1)|m + 1|2 * m|m / 2|m % 2|m.fmod(2)|m.copysign(2)|m.xlogy(2)
T.xlogy(2, m)|T.special.xlog1py(2, p)|T.special.xlog1py(p, 2)|T.special.zeta(2, p)|m.float_power(2)|T.trapezoid(m)
(m * 1).pow_(2)|(m * 1).fill_(2)|(m * 1).fill_(q[0, 0])|(m * 1).lt_(1)|(m * 1).eq_(m)|(m * 1).index_fill_(0, t, 0)|m.clone().zero_()|(m * 1).clamp_min_(0)
(m * 1).cumsum_(0)|(m * 1).cumprod_(0)|(m * 1).lerp_(m[0], 0.5)|(m * 1).clamp_(m, m + 1)|(m * 1).clamp_max_(m + 1)|(m * 1).clamp_min_(m + 1)
(m * 1).scatter_reduce_(0, t[None, :1], m[:1, :1] * 1, 'sum')|(m * 1).add_(1)|(m * 1).copy_(m)|m.masked_fill(m > 0, 0)|m.where(m > 0, 0)
""".replace("\n", "|").strip("|").split("|")


@pytest.mark.parametrize("expression", INPUTS)
def test_the_inputs_of_a_node(expression: str) -> None:
    """A number beside a tensor is an input of some nodes, and none of others; a write in place has the inputs of what is written."""
    found = []
    for lib in (taeda, torch):
        m = (lib.arange(12.0).reshape(3, 4) / 7 - 0.5).requires_grad_()
        q = (lib.arange(20.0).reshape(4, 5) / 9).requires_grad_()
        y = eval(expression, {"T": lib, "m": m, "q": q, "p": m.sigmoid(), "t": lib.tensor([0, 2])})
        names = [f if f is None else (type(f).__name__, nr) for f, nr in y.grad_fn.next_functions]
        told: list[Any] = []
        y.grad_fn.register_hook(lambda ins, outs, told=told: told.extend([None if g is None else g.sum().item() for g in ins]))
        y.sum().backward()
        found.append((names, [g is None for g in told], [g for g in told if g is not None]))
    assert found[0][:2] == found[1][:2]
    assert found[0][2] == pytest.approx(found[1][2], rel=1e-5, nan_ok=True)


@pytest.mark.parametrize("options", [{}, {"num_layers": 2}, {"batch_first": True}, {"bidirectional": True}])
@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_recurrent_layers_show_the_nodes_that_their_steps_end_in(kind: str, options: dict[str, Any]) -> None:
    names = []
    for lib in (taeda, torch):
        y, h = getattr(lib.nn, kind)(4, 5, **options)(lib.ones(3, 2, 4))
        names.append([t.grad_fn.name() for t in (y, *(h if isinstance(h, tuple) else (h,)))])
    assert names[0] == names[1]


@pytest.mark.parametrize("expression", [
    "m[0] @ c", "c @ q[:3, 0]", "T.kron(m, m)", "m.kthvalue(1).values", "m.median()", "m.median(0).values", "m.nanmedian(1).indices", "m.mode()[0]",
    "m.roll(1)", "m.quantile(0.5)", "m.unique(dim=0)", "T.linalg.solve(c[0, :3], m[:, 0])", "T.linalg.solve(c[0, :3], m[:, :3], left=False)",
    "T.linalg.matrix_norm(m, 1)", "m.t()", "m.view(12)",
])  # fmt: skip
def test_results_are_views_where_pytorchs_are(expression: str) -> None:
    """What lies on memory of its own may be detached in place and written to as any other result."""
    found = []
    for lib in (taeda, torch):
        m, c = (lib.arange(12.0).reshape(3, 4) / 7 - 0.5).requires_grad_(), (lib.arange(24.0).reshape(2, 4, 3) ** 2).cos().requires_grad_()
        q = (lib.arange(20.0).reshape(4, 5) / 9).requires_grad_()
        y = eval(expression, {"T": lib, "m": m, "q": q, "c": c})
        y._is_view() or y.detach_()
        found.append((y._is_view(), y.requires_grad))
    assert found[0] == found[1]


def test_what_is_no_view_is_written_to_as_any_result() -> None:
    x, w = taeda.ones(3, requires_grad=True), taeda.ones(2, 3, 4, requires_grad=True)
    y = x @ w
    y.mul_(2)
    assert y.grad_fn.name() == "MulBackward0"
    y.sum().backward()
    assert x.grad.tolist() == [16.0] * 3


def test_a_node_with_a_name_of_its_own_is_like_any_other() -> None:
    x = taeda.tensor([0.5, -1.0], dtype=taeda.float64, requires_grad=True)
    y = taeda.nn.functional.mish(x)
    assert y.grad_fn.name() == "MishBackward0" and isinstance(y.grad_fn, type(x.exp().grad_fn).__mro__[1])
    assert len(y.grad_fn.next_functions) == 2
    calls = []
    y.grad_fn.register_hook(lambda *args: calls.append(len(args)))
    (first,) = taeda.autograd.grad(y.sum(), x, create_graph=True)
    first.sum().backward()
    assert calls == [2] and x.grad is not None
