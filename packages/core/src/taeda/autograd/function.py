"""User-written differentiable functions: subclass Function, write forward and backward."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from taeda.autograd.grad_mode import _set_grad_enabled, is_grad_enabled, no_grad
from taeda.autograd.node import Node, attach_function, detached_alias
from taeda._override import is_stand_in
from taeda.tensor_base import TensorBase


class FunctionCtx:
    """What forward hands to backward: saved tensors, flags and any attribute."""

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors for ``ctx.saved_tensors``; later in-place changes of them are noticed."""
        for t in tensors:
            if t is not None and not isinstance(t, TensorBase):
                raise TypeError(f"[save_for_backward] can only save tensors or None, got {type(t).__name__}; set an attribute instead")
        self.to_save = tensors

    def save_for_forward(self, *tensors: Any) -> None:
        """Keep tensors for a forward-mode rule (kept for PyTorch's signature)."""
        self.saved_for_forward = tensors

    def mark_dirty(self, *tensors: Any) -> None:
        """Say that forward changed these inputs in place."""
        self.dirty_tensors = tensors

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Say that these outputs have no gradient."""
        self.non_differentiable = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether backward gets zeros (the default) or None for outputs without gradient."""
        self.materialize_grads = value


class FunctionNode(Node, FunctionCtx):
    """The node of one application of a Function; it is the ``ctx`` that forward and backward get."""

    to_save: Any
    _saved: Any
    _function: Any
    _outputs: Any

    def __init__(self) -> None:
        self.__dict__["to_save"] = ()
        self.dirty_tensors: tuple[Any, ...] = ()
        self.non_differentiable: tuple[Any, ...] = ()
        self.materialize_grads = True
        self.needs_input_grad: tuple[bool, ...] = ()

    def name(self) -> str:
        return f"{self._function.__name__}Backward"

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The tensors given to ``save_for_backward``."""
        if self.__dict__.get("_saved") is None:
            return tuple(self.to_save)
        return tuple(None if s is None else self.unpack(i) for i, s in enumerate(self._saved))

    saved_variables = saved_tensors

    def unpack(self, i: int) -> Any:
        """Return saved tensor i, its version checked."""
        tensor, version, nr = self._saved[i]
        if self.__dict__.get("_freed"):
            raise RuntimeError(
                f"[{self.name()}] Trying to backward through the graph a second time (or directly access saved tensors "
                "after they have already been freed). Saved intermediate values of the graph are freed when you call "
                ".backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the graph a "
                "second time or if you need to access saved tensors after calling backward."
            )
        if tensor._version != version:
            raise RuntimeError(
                f"[{self.name()}] one of the variables needed for gradient computation has been modified by an inplace "
                f"operation: a tensor of shape {tuple(tensor.shape)} is at version {tensor._version}; expected version "
                f"{version} instead; hint: clone it before the in-place operation"
            )
        return tensor if nr < 0 else detached_alias(tensor, self, nr)

    def release(self) -> None:
        """Forget the saved tensors after a backward pass."""
        if self.__dict__.get("_saved"):
            self._freed = True
            self._saved = tuple(None if s is None else (s[0][:0] if s[0].dim() else s[0], s[1], -1) for s in self._saved)

    def run(self, g: Any) -> tuple[Any, ...]:
        """Call the user's backward with one cotangent an output."""
        given = list(g) if isinstance(g, tuple) else [g]
        if self.materialize_grads:
            for i, (x, (shape, dtype, device)) in enumerate(zip(given, self._outputs, strict=True)):
                if x is None and dtype is not None:
                    from taeda.ops import zeros

                    given[i] = zeros(shape, dtype=dtype, device=device)
        found = self._function.backward(self, *given)
        found = found if isinstance(found, tuple) else (found,)
        tensors = [i for i, is_tensor in enumerate(self._is_tensor) if is_tensor]
        count = len(self._is_tensor)
        if len(found) > count and all(x is None for x in found[count:]):
            found = found[:count]
        if len(found) != count:
            raise RuntimeError(
                f"[{self.name()}] function {self.name()} returned an incorrect number of gradients (expected {count}, got {len(found)})"
            )
        for i, x in enumerate(found):
            if x is not None and not self._is_tensor[i]:
                raise RuntimeError(
                    f"[{self.name()}] function {self.name()} returned a gradient different from None at position {i + 1}, "
                    "but the corresponding forward input was not a Variable"
                )
            if x is not None and isinstance(x, TensorBase) and tuple(x.shape) != self._input_shapes[i]:
                if not _expandable(self._input_shapes[i], tuple(x.shape)):
                    raise RuntimeError(
                        f"[{self.name()}] Function {self.name()} returned an invalid gradient at index {i} - got "
                        f"{list(x.shape)} but expected shape compatible with {list(self._input_shapes[i])}"
                    )
                found = found[:i] + (x.sum_to_size(self._input_shapes[i]),) + found[i + 1 :]
        return tuple(found[i] for i in tensors)


def _expandable(small: tuple[int, ...], large: tuple[int, ...]) -> bool:
    if len(small) > len(large):
        return False
    return all(a in (1, b) for a, b in zip(small[::-1], large[::-1], strict=False))


class _FunctionMeta(type):
    """Calling a Function class is an old style that PyTorch refuses too."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if args or kwargs:
            raise RuntimeError(
                f"[{cls.__name__}] Legacy autograd function with non-static forward method is deprecated. Please use "
                f"new-style autograd function with static forward method: {cls.__name__}.apply(...)"
            )
        return super().__call__()


class Function(metaclass=_FunctionMeta):
    """Base of user-written differentiable functions.

    Write ``forward(ctx, *args)`` (or ``forward(*args)`` with ``setup_context(ctx, inputs, output)``) and
    ``backward(ctx, *grad_outputs)`` as static methods; use ``apply``.

    >>> import taeda
    >>> class Square(taeda.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (x,) = ctx.saved_tensors
    ...         return 2 * x * g
    >>> x = taeda.tensor(3.0, requires_grad=True)
    >>> Square.apply(x).backward()
    >>> x.grad
    tensor(6.)
    """

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the outputs; the first argument is ``ctx`` unless ``setup_context`` is written."""
        raise NotImplementedError("[Function] You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Fill ``ctx`` from the inputs and the output of a ``forward`` that does not take it."""
        raise NotImplementedError("[Function] setup_context is not implemented.")

    generate_vmap_rule = False        # whether vmap may run the function once a sample

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *args: Any) -> Any:
        """Return ``(output, out_dims)`` for a batch: ``info.batch_size``, and where the batch is in each argument."""
        raise NotImplementedError("[Function] To use autograd.Function with vmap, you must either override the vmap static method or set "
                                  "generate_vmap_rule=True.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Return one gradient (or None) for each argument of forward."""
        raise NotImplementedError("[Function] You must implement either the backward or vjp method for your custom autograd.Function "
                                  "to use it with backward mode AD.")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Raise RuntimeError: functions are used by ``apply``."""
        name = type(self).__name__
        raise RuntimeError(f"[{name}] Legacy autograd function with non-static forward method is deprecated; use {name}.apply(...)")

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run forward and record the function."""
        tensors = tuple(a for a in args if isinstance(a, TensorBase))
        if any(is_stand_in(t) for t in tensors):
            from taeda.func.custom import apply_to_batches

            return apply_to_batches(cls, args, kwargs)
        node = FunctionNode()
        node._function = cls
        node._is_tensor = tuple(isinstance(a, TensorBase) for a in args)
        node._input_shapes = tuple(tuple(a.shape) if isinstance(a, TensorBase) else None for a in args)
        node.needs_input_grad = tuple(isinstance(a, TensorBase) and a.requires_grad for a in args)
        recording = is_grad_enabled() and any(t.requires_grad for t in tensors)
        was = _set_grad_enabled(False)
        try:
            if cls.setup_context is not Function.setup_context:
                output = cls.forward(*args, **kwargs)
                cls.setup_context(node, args, output)
            else:
                output = cls.forward(node, *args, **kwargs)
        finally:
            _set_grad_enabled(was)
        outputs = output if isinstance(output, tuple) else (output,)
        if not recording:
            return output
        for t in node.dirty_tensors:
            if not any(t is o for o in outputs):
                raise RuntimeError("[mark_dirty] a tensor that was marked dirty must be returned by forward")
        made = attach_function(node, tensors, outputs, node.dirty_tensors, node.non_differentiable)
        node._outputs = tuple(
            (tuple(o.shape), o.dtype, o.device) if isinstance(o, TensorBase) and (o.is_floating_point() or o.is_complex()) else ((), None, None) for o in made
        )
        saved: list[Any] = []
        for t in node.to_save:
            nr = next((i for i, o in enumerate(made) if o is t or outputs[i] is t), -1) if t is not None else -1
            is_input = t is not None and any(t is a for a in tensors) and not any(t is d for d in node.dirty_tensors)
            if t is None:
                saved.append(None)
            elif nr >= 0 and not is_input:
                saved.append((t.detach(), t._version, nr))
            else:
                saved.append((t, t._version, -1))
        node._saved = tuple(saved)
        node.__dict__["to_save"] = ()
        return tuple(made) if isinstance(output, tuple) else made[0]


NestedIOFunction = Function


def once_differentiable(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a backward that autograd must not differentiate again."""

    @functools.wraps(function)
    def wrapped(ctx: Any, *grads: Any) -> Any:
        with no_grad():
            found = function(ctx, *grads)
        if not is_grad_enabled() or not any(isinstance(g, TensorBase) and g.requires_grad for g in grads):
            return found
        outs = found if isinstance(found, tuple) else (found,)
        made = tuple(_Once.apply(g, *[x for x in grads if isinstance(x, TensorBase)]) if isinstance(g, TensorBase) else g for g in outs)
        return made if isinstance(found, tuple) else made[0]

    return wrapped


class _Once(Function):
    """A result that depends on the cotangents, and says so when it is differentiated."""

    @staticmethod
    def forward(ctx: Any, result: Any, *grads: Any) -> Any:
        return result.clone()

    @staticmethod
    def backward(ctx: Any, *g: Any) -> Any:
        raise RuntimeError("[once_differentiable] trying to differentiate twice a function that was marked with @once_differentiable")
