"""One differentiation of a function: inputs that the graph starts at, results taken out of it, and its passes.

All transforms share autograd's one graph.  A batch of vmap is a dimension more of the tensors in it:

a. An input is lifted to every running level, in front: the gradient of sample i's result with regard to sample i's input
   is then what one pass over the whole batch gives, since samples do not depend on each other.  A level of tangents alone
   (jacfwd's) is none of these: the function runs once, and writes into tensors of its own as it likes.
b. An input that belongs to an outer differentiation too becomes a view, so that its gradients flow on; else it is a new leaf.
c. A pass records itself only if the results lead to something besides the inputs, or the cotangents do.  Whether gradients were on
   when the function ran decides about the results, and when the pass is asked for about the cotangents, which came later.
d. A cotangent with levels that were not running when the function ran is a batch of cotangents (taeda.func.cotangents).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taeda import autograd
from taeda.autograd import dual
from taeda.autograd.engine import finish_inner, reaches_others
from taeda.autograd.function import pass_of_dummies
from taeda.autograd.grad_mode import enable_grad, is_grad_enabled
from taeda.autograd.node import own
from taeda.func import cotangents  # noqa: F401
from taeda.func.batched import BatchedTensor, batched, levels, value_at
from taeda.tensor import Tensor


def physical(x: Any, numbers: Sequence[int]) -> Any:
    """Return a tensor with the batches of the given levels as its first dimensions; a level inside of these stays one."""
    if type(x) is BatchedTensor and x._level > (numbers[-1] if numbers else 0):
        return batched(physical(x._value, numbers).movedim(len(numbers), 0), x._level)
    if not numbers:
        return x
    return physical(value_at(x, numbers[-1]), numbers[:-1])


def logical(x: Any, numbers: Sequence[int]) -> Any:
    """Return a tensor whose first dimensions are the batches of the given levels as one sample's."""
    if type(x) is BatchedTensor:
        return batched(logical(x._value.movedim(0, len(numbers)), numbers), x._level)
    for number in numbers:
        x = batched(x, number)
    return x


def bottom(x: Any) -> Any:
    """Return the tensor below all levels."""
    while type(x) is BatchedTensor:
        x = x._value
    return x


def cut(x: Any) -> Any:
    """Return a tensor without its history; the tangent of forward mode stays."""
    y, tangent = x.detach(), dual.tangent_of(bottom(x))
    if tangent is not None:
        dual.set_tangent(bottom(y), tangent)
    return y


class Tape:
    """The inputs of one differentiation, and what is computed from them; unless ``shown``, results have no history outside.

    ``writable``: the function may write into its inputs, which are no leaves then, as with tangents that go along.
    """

    def __init__(self, inputs: Sequence[Any], shown: bool = True, writable: bool = False) -> None:
        self.shown = shown
        self.numbers = [level.number for level in levels() if not level.tangents]
        self.outer = is_grad_enabled()
        self.sources = [self._source(x) for x in inputs]
        with enable_grad():                                # a view made without would lead nowhere
            given = [own(s.view_as(s)) if writable and s.grad_fn is None else s for s in self.sources]
        self.inputs = [logical(s, self.numbers) for s in given]
        self._own = [s for s in self.sources if s.grad_fn is None]        # behind the others, the graph goes on outside

    def _source(self, x: Any) -> Any:
        if not isinstance(x, Tensor):
            raise ValueError(f"[func] Thing passed to transform API must be Tensor, got {type(x)}")
        has, inner = set(), x
        while type(inner) is BatchedTensor:
            has.add(inner._level)
            inner = inner._value
        for level in levels():
            level.lifted |= not level.tangents and level.number not in has
        p = physical(x, self.numbers)
        p = p.clone() if p.is_inference() else p           # what was made in inference mode cannot require grad itself
        return p.view_as(p) if self.outer and p.requires_grad else cut(p).requires_grad_()

    def close(self) -> None:
        """The function has run: to other differentiations the inputs' own leaves are nothing from now on."""
        for leaf in self._own:
            finish_inner(leaf)

    def leads_out(self, tensors: Sequence[Any]) -> bool:
        """Whether tensors depend, in the graph, on something besides the inputs."""
        return self.outer and reaches_others([bottom(t) for t in tensors], self._own)

    def out(self, x: Any) -> Any:
        """Return a result as those outside see it: without a history that only leads to the inputs."""
        if not isinstance(x, Tensor) or not x.requires_grad:
            return x
        return x if self.shown and self.leads_out([x]) else cut(x)

    def records(self, outputs: Sequence[Any], given: Sequence[Any], recording: bool) -> bool:
        """Whether a pass is part of a graph: of the outputs', or of the given cotangents' or tangents' while ``recording``."""
        return self.leads_out(outputs) or (recording and reaches_others([bottom(t) for t in given], self._own))

    def pull(self, outputs: Sequence[Any], grads: Sequence[Any], recording: bool) -> list[Any]:
        """Return the cotangents of the inputs from those of the outputs, which are kept for another pass."""
        roots = [physical(y, self.numbers) for y in outputs]
        found = self._pass(roots, [physical(g, self.numbers) for g in grads], self.sources, self.records(outputs, grads, recording))
        return [self.finish(s, g) for s, g in zip(self.sources, found, strict=True)]

    def finish(self, source: Any, g: Any) -> Any:
        """Return a gradient of the pass, zero for an input that was not used, as a sample's."""
        return logical(source.detach().new_zeros(source.shape) if g is None else g, self.numbers)

    def _pass(self, roots: list[Any], grads: list[Any], inputs: list[Any], create: bool) -> list[Any]:
        pairs = [(r, g) for r, g in zip(roots, grads, strict=True) if r.requires_grad and g is not None]
        if not pairs or not inputs:
            return [None] * len(inputs)
        return list(autograd.grad([r for r, _ in pairs], inputs, [g for _, g in pairs], True, create, allow_unused=True))

    def prepare_push(self, outputs: Sequence[Any]) -> None:
        """Record the pass of a dummy cotangent: what it gives is linear in it, with the Jacobian's transpose."""
        self.roots = [physical(y, self.numbers) for y in outputs]
        self.dummies = [r.detach().new_zeros(r.shape).requires_grad_() if r.requires_grad else None for r in self.roots]
        with pass_of_dummies():
            self.pulled = self._pass(self.roots, self.dummies, self.sources, True)
        self.outputs = outputs

    def push(self, tangents: Sequence[Any], recording: bool) -> list[Any]:
        """Return the tangents of the outputs from those of the inputs."""
        used = [(g, physical(t, self.numbers)) for g, t in zip(self.pulled, tangents, strict=True) if g is not None]
        dummies = [d for d in self.dummies if d is not None]
        create = self.records(self.outputs, tangents, recording)
        found = iter(self._pass([g for g, _ in used], [t for _, t in used], dummies, create) if dummies else [])
        tangents_out = [None if d is None else next(found) for d in self.dummies]
        return [self.finish(r, t) for r, t in zip(self.roots, tangents_out, strict=True)]
