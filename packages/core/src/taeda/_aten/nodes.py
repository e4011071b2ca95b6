"""PyTorch's operators as modes below autograd see them: calls that ask the modes, and nodes whose derivatives are such calls.

A node (``node``) is one operator forward; its backward pass calls others, ``mm`` and ``t`` for a product, ``convolution_backward`` for a
convolution, so that a mode sees these too.  Source: what PyTorch 2.13 dispatches in its backward passes.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import taeda
from taeda._aten.operators import OpOverload, OpOverloadPacket, aten as _aten
from taeda._override import mode_stack
from taeda._override_protocol import replace_modes
from taeda.autograd import Function
from taeda.tensor import Tensor

__all__ = ["Told", "asking", "aten", "node"]

# -- operators, as rules and tables call them ------------------------------------------------------------

_now = threading.local()  # .modes: those to ask within ``asking``


class Told:
    """An overload of an operator that asks the modes."""

    def __init__(self, op: OpOverload) -> None:
        self.op = op

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        modes = getattr(_now, "modes", None)
        if modes is None:  # in a backward pass, where the modes are in force
            return self.op(*args, **kwargs)
        _now.modes = None
        were = replace_modes(modes)
        try:
            return self.op(*args, **kwargs)
        finally:
            replace_modes(were)
            _now.modes = modes


class ToldPacket:
    def __init__(self, packet: OpOverloadPacket) -> None:
        self._packet = packet

    def __getattr__(self, overload: str) -> Told:
        return Told(getattr(self._packet, overload))


class ToldOperators:
    def __getattr__(self, name: str) -> ToldPacket:
        return ToldPacket(getattr(_aten, name))


@contextlib.contextmanager
def asking(mode: Any) -> Iterator[None]:
    """A block in which no mode is in force, and operators ask the mode, if there is one, and then those that were."""
    before = getattr(_now, "modes", None)
    _now.modes = [*mode_stack()] if mode is None else [*mode_stack(), mode]
    were = replace_modes([])
    try:
        yield
    finally:
        replace_modes(were)
        _now.modes = before


aten = ToldOperators()


# -- operators with derivatives made of operators -------------------------------------------------------


class _Node(Function):
    """A call of an operator."""

    @staticmethod
    def forward(ctx: Any, op: Told, rule: Callable[..., Any], *args: Any) -> Any:
        found = op(*args)
        results = found if isinstance(found, tuple) else (found,)
        ctx.rule = rule
        ctx.args = [None if isinstance(x, Tensor) else x for x in args]
        ctx.places = [i for i, x in enumerate(args) if isinstance(x, Tensor)]
        ctx.kept = getattr(rule, "kept", ())            # the others may be written to before the backward pass
        ctx.save_for_backward(*(args[i] for i in ctx.places), *(results[i] for i in ctx.kept))
        ctx.mark_non_differentiable(*results[1:])
        ctx.set_materialize_grads(False)
        return found

    @staticmethod
    def backward(ctx: Any, *cotangents: Any) -> Any:
        if cotangents[0] is None:                       # nothing above it gave a gradient
            return (None,) * len(ctx.needs_input_grad)
        args = list(ctx.args)
        for place, x in zip(ctx.places, ctx.saved_tensors, strict=False):
            args[place] = x
        wants = ctx.needs_input_grad[2:]
        results = dict(zip(ctx.kept, ctx.saved_tensors[len(ctx.places) :], strict=True))
        return None, None, *ctx.rule(wants, cotangents[0], args, results)


def node(op: Any, rule: Callable[..., Any], *args: Any) -> Any:
    """Call an operator; ``rule(wants, cotangent, args, results)`` gives the gradients of its arguments, in a backward pass."""
    if taeda.is_grad_enabled() and any(isinstance(x, Tensor) and x.requires_grad for x in args):
        return _Node.apply(op, rule, *args)
    return op(*args)


def kept(*places: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Say which results of its operator a rule reads."""

    def mark(rule: Any) -> Any:
        rule.kept = places
        return rule

    return mark


def up_to_defaults(given: list[Any], defaults: tuple[Any, ...]) -> list[Any]:
    """Leave out of arguments by position the last ones that are their defaults, as PyTorch's calls do."""
    n = len(given)
    while n and given[n - 1] == defaults[n - 1]:
        n -= 1
    return given[:n]


def _conj(x: Tensor) -> Any:
    return aten.conj.default(x) if x.is_complex() else x


def _column_major(x: Tensor) -> bool:
    return x.stride(0) == 1 and x.stride(1) == x.shape[0] and x.stride(1) != 1


def _by_left(g: Tensor, a: Tensor, b: Tensor) -> Any:
    """The gradient of ``a @ b`` by a, laid out as a is."""
    return (
        aten.t.default(aten.mm.default(_conj(b), aten.t.default(g))) if _column_major(a) else aten.mm.default(g, _conj(aten.t.default(b)))
    )


def _by_right(g: Tensor, a: Tensor, b: Tensor) -> Any:
    return (
        aten.t.default(aten.mm.default(aten.t.default(g), _conj(a))) if _column_major(b) else aten.mm.default(_conj(aten.t.default(a)), g)
    )


def mm_rule(wants: Any, g: Tensor, args: Any, results: Any) -> Any:
    a, b = args
    return _by_left(g, a, b) if wants[0] else None, _by_right(g, a, b) if wants[1] else None


def addmm_rule(wants: Any, g: Tensor, args: Any, results: Any) -> Any:
    bias, a, b = args
    products = mm_rule(wants[1:], g, (a, b), results)
    return (_summed_to(g, bias) if wants[0] else None, *products)


def _summed_to(g: Tensor, x: Tensor) -> Any:
    """The gradient by what was broadcast to the two dimensions of g."""
    dims = [d for d in range(2) if d < 2 - x.ndim or x.shape[d - 2] == 1 != g.shape[d]]
    return aten.view.default(aten.sum.dim_IntList(g, dims, True), list(x.shape)) if dims else g


def bmm_rule(wants: Any, g: Tensor, args: Any, results: Any) -> Any:
    a, b = (_conj(x) for x in args)
    return (
        aten.bmm.default(g, aten.transpose.int(b, 1, 2)) if wants[0] else None,
        aten.bmm.default(aten.transpose.int(a, 1, 2), g) if wants[1] else None,
    )


def convolution_rule(wants: Any, g: Tensor, args: Any, results: Any) -> Any:
    x, weight, bias, *options = args
    found = aten.convolution_backward.default(g, x, weight, None if bias is None else list(bias.shape), *options, list(wants[:3]))
    return (*found, *[None] * 6)


def softmax_rule(name: str) -> Callable[..., Any]:
    return kept(0)(lambda wants, g, args, results: (getattr(aten, name).default(g, results[0], args[1], args[0].dtype), None, None))


@kept(1)
def nll_rule(wants: Any, g: Tensor, args: Any, results: Any) -> Any:
    x, target, weight, reduction, ignore_index = args
    return aten.nll_loss_backward.default(g, x, target, weight, reduction, ignore_index, results[1]), None, None, None, None


@kept(1, 2)
def layer_norm_rule(wants: Any, g: Tensor, args: Any, results: Any) -> Any:
    x, shape, weight, bias, _ = args
    mask = [wants[0], wants[2], wants[3]]
    by_x, by_weight, by_bias = aten.native_layer_norm_backward.default(g, x, shape, results[1], results[2], weight, bias, mask)
    return by_x, None, by_weight, by_bias, None


@kept(1, 2)
def group_norm_rule(wants: Any, g: Tensor, args: Any, results: Any) -> Any:
    x, weight, _, *sizes, groups, _ = args
    found = aten.native_group_norm_backward.default(g, x, results[1], results[2], weight, *sizes, groups, list(wants[:3]))
    return (*found, *[None] * 5)


@kept(1, 2)
def batch_norm_rule(wants: Any, g: Tensor, args: Any, results: Any) -> Any:
    x, weight, _, mean, var, training, _, eps = args
    found = aten.native_batch_norm_backward.default(g, x, weight, mean, var, results[1], results[2], training, eps, list(wants[:3]))
    return (*found, *[None] * 5)


@kept(1)
def pool_rule(wants: Any, g: Tensor, args: Any, results: Any) -> Any:
    x, kernel, stride = args[:3]
    given: list[Any] = [*args[3:]]
    padding, dilation, ceil_mode = given + [[0, 0], [1, 1], False][len(given) :]
    by_x = aten.max_pool2d_with_indices_backward.default(g, x, kernel, stride, padding, dilation, ceil_mode, results[1])
    return (by_x, *[None] * (2 + len(given)))
