"""Full backward hooks: identity nodes around a module that see the gradients pass.

The inputs of the forward go through one identity node and its outputs through another.  In backward the
output node is reached first and keeps grad_output, the input node then has grad_input: both are known, and
the hooks run.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import taeda
from taeda import Tensor
from taeda.autograd import Function

if TYPE_CHECKING:
    from taeda.nn.modules.module import Module


class BackwardHookFunction(Function):
    """Identity on tensors; backward passes the gradients through ``see``."""

    @staticmethod
    def forward(ctx: Any, see: Callable[[tuple[Any, ...]], Sequence[Any]], *tensors: Tensor) -> Any:
        ctx.set_materialize_grads(False)
        ctx.see = see
        return tuple(t.view_as(t) for t in tensors)  # as views, so that a write in place, which would miss the other side, is refused

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return (None, *ctx.see(grads))

    @staticmethod
    def jvp(ctx: Any, see: Any, *tangents: Any) -> Any:
        return tuple(None if t is None else t.view_as(t) for t in tangents)

    @staticmethod
    def vmap(info: Any, in_dims: Any, see: Any, *tensors: Tensor) -> Any:
        """Leave the hooks out: they are told of a module's gradients, not of a batch of them."""
        from taeda.func.batched import differentiates_samples  # which most programs that import nn never load

        if differentiates_samples():
            raise RuntimeError("[backward hook] a full backward hook of a module is not supported where vmap takes gradients of each "
                               "sample; remove it, or use Tensor hooks")
        return tensors, in_dims[1:]


def _wants_grad(value: Any) -> bool:
    return isinstance(value, Tensor) and value.requires_grad


class BackwardSession:
    """The backward hooks of one call of one module."""

    def __init__(
        self, module: Module, hooks: list[Callable[..., Any]], pre: list[Callable[..., Any]]
    ) -> None:
        self.module = module
        self.hooks = hooks
        self.pre = pre
        self.grad_output: tuple[Any, ...] | None = None
        self.n_inputs = 0
        self.input_at: list[int] | None = None  # positions of the tapped inputs; None: nothing to tap
        self.kinds: dict[int, tuple[Any, ...]] = {}  # shape, dtype and device of each tensor among the inputs
        self.output_at: list[int] = []
        self.n_outputs = 0

    def tap_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Send the inputs that want a gradient through an identity node."""
        self.n_inputs = len(args)
        at = [i for i, a in enumerate(args) if _wants_grad(a)]
        if not at or not taeda.is_grad_enabled():
            return args
        self.input_at = at
        self.kinds = {i: (a.shape, a.dtype, a.device) for i, a in enumerate(args) if isinstance(a, Tensor)}
        return self._replace(args, at, self._see_inputs)

    def tap_outputs(self, result: Any) -> Any:
        """Send the outputs that have a gradient through an identity node."""
        outputs = (result,) if isinstance(result, Tensor) else result
        if not isinstance(outputs, tuple):
            warnings.warn(
                "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors "
                f"but received {type(result)}",
                stacklevel=4,
            )
            return result
        self.n_outputs = len(outputs)
        self.output_at = [i for i, a in enumerate(outputs) if _wants_grad(a)]
        if not self.output_at or not taeda.is_grad_enabled():
            return result
        tapped = self._replace(outputs, self.output_at, self._see_outputs)
        if isinstance(result, Tensor):
            return tapped[0]
        return type(result)(*tapped) if hasattr(result, "_fields") else tapped

    def _replace(self, values: tuple[Any, ...], at: list[int], see: Callable[..., Any]) -> tuple[Any, ...]:
        new = list(values)
        for i, t in zip(at, BackwardHookFunction.apply(see, *(values[i] for i in at)), strict=True):
            new[i] = t
        return tuple(new)

    def _see_outputs(self, grads: tuple[Any, ...]) -> Sequence[Any]:
        full: list[Any] = [None] * self.n_outputs
        for i, g in zip(self.output_at, grads, strict=True):
            full[i] = g
        grad_output = tuple(full)
        for hook in self.pre:
            new = hook(self.module, grad_output)
            if new is not None:
                grad_output = self._checked("Backward pre hook", "grad_output", new, grad_output)
        self.grad_output = grad_output
        if self.input_at is None:  # no input wants a gradient: nothing later will reach the hooks
            warnings.warn(
                "Full backward hook is firing when gradients are computed with respect to module outputs since no "
                "inputs require gradients.",
                stacklevel=5,
            )
            for hook in self.hooks:
                new = hook(self.module, (None,) * self.n_inputs, grad_output)
                if new is not None and not (isinstance(new, (tuple, list)) and all(g is None for g in new)):
                    raise RuntimeError(
                        f"[{type(self.module).__name__}] Backward hook for Modules where no input requires gradient should "
                        "always return None or None for all gradients."
                    )
            self.grad_output = None
        return [grad_output[i] for i in self.output_at]

    def _see_inputs(self, grads: tuple[Any, ...]) -> Sequence[Any]:
        assert self.input_at is not None
        if self.grad_output is None:  # the gradient did not come through the outputs: nothing to show
            return grads
        full: list[Any] = [None] * self.n_inputs
        for i, (shape, dtype, device) in self.kinds.items():
            full[i] = taeda.zeros(shape, dtype=dtype, device=device)
        for i, g in zip(self.input_at, grads, strict=True):
            full[i] = full[i] if g is None else g
        grad_input = tuple(full)
        for hook in self.hooks:
            new = hook(self.module, grad_input, self.grad_output)
            if new is not None:
                grad_input = self._checked("Backward hook", "grad_input", new, grad_input)
        self.grad_output = None
        return [grad_input[i] for i in self.input_at]

    def _checked(self, what: str, which: str, new: Any, old: tuple[Any, ...]) -> tuple[Any, ...]:
        new = new if isinstance(new, tuple) else (new,)
        if len(new) != len(old):
            raise RuntimeError(
                f"[{type(self.module).__name__}] {what} returned an invalid number of {which}, got {len(new)}, but expected {len(old)}"
            )
        return new
