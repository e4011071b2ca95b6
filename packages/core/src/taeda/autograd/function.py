"""User-written differentiable functions: subclass Function, write forward and backward (or vjp), and jvp if wanted."""

from __future__ import annotations

import contextlib
import functools
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from taeda import _above
from taeda.autograd import dual
from taeda.autograd.grad_mode import _set_grad_enabled, is_grad_enabled, no_grad
from taeda.autograd.node import Node, attach_function, raw_saved_of, save_for, saved_of
from taeda.ops import zeros
from taeda.recording import rebase_view
from taeda.stand_ins import is_stand_in
from taeda.tensor_base import TensorBase


class FunctionCtx:
    """What forward hands to backward: saved tensors, flags and any attribute."""

    to_save: tuple[Any, ...]

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors for ``ctx.saved_tensors``; later in-place changes of them are noticed.

        Anything else is refused (TypeError) when forward is done, if there will be a backward pass.
        """
        self.to_save = tensors

    def save_for_forward(self, *tensors: Any) -> None:
        """Keep tensors for ``ctx.saved_tensors`` in ``jvp``."""
        for i, t in enumerate(tensors):
            if t is not None and not isinstance(t, TensorBase):
                raise TypeError(
                    f"[save_for_forward] save_for_forward expects all arguments to be tensors or None, but argument {i} is of type "
                    f"{type(t).__name__}; set an attribute of ctx instead"
                )
        self.saved_for_forward: tuple[Any, ...] | None = tensors

    def mark_dirty(self, *tensors: Any) -> None:
        """Say that forward changed these inputs in place."""
        self.dirty_tensors = tensors

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Say that these outputs have no gradient."""
        self.non_differentiable = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether backward gets zeros (the default) or None for outputs without gradient."""
        self.materialize_grads = value


class _Following(threading.local):
    """Where tangents are to come from a graph (see taeda.func.gradients), which goes by the functions' own jvp if they have one."""

    nodes: list[Any] | None = None      # those with a jvp, while the function runs that makes the graph
    recording = False                   # while the pass of dummies runs whose derivative by them is the product


_following = _Following()


@contextlib.contextmanager
def keep_for_tangents(keep: bool = False) -> Iterator[None]:
    """A block that makes a graph for tangents: what functions save for their jvp stays until its end, or as long as the graph."""
    if _following.nodes is not None:
        yield
        return
    nodes: list[Any] = []
    _following.nodes = nodes
    try:
        yield
    finally:
        _following.nodes = None
        for node in () if keep else nodes:
            node._for_jvp = None                # an output saved there leads back to the node


@contextlib.contextmanager
def pass_of_dummies() -> Iterator[None]:
    """A block whose passes are recorded to be differentiated by their cotangents: functions' jvp is told of the tangents."""
    was, _following.recording = _following.recording, True
    try:
        yield
    finally:
        _following.recording = was


class FunctionNode(Node, FunctionCtx):
    """The node of one application of a Function; it is the ``ctx`` that forward and backward get."""

    _forward_cls: Any = None
    _is_tensor: tuple[bool, ...]
    _wanted: tuple[bool, ...]  # needs_input_grad, which a program may write to
    _inputs: tuple[Any, ...]
    _outputs: tuple[Any, ...]
    _undifferentiated: frozenset[int] = frozenset()     # the numbers of the outputs that were marked so
    _for_jvp: tuple[Any, Any] | None = None             # what was saved for it, and of what kind the inputs were

    def __init__(self) -> None:
        self.to_save: tuple[Any, ...] = ()
        self.saved_for_forward: tuple[Any, ...] | None = None
        self.dirty_tensors: tuple[Any, ...] = ()
        self.non_differentiable: tuple[Any, ...] = ()
        self.materialize_grads = self._materialize_non_diff_grads = True
        self.needs_input_grad: tuple[bool, ...] = ()

    def name(self) -> str:
        return type(self).__name__

    __repr__ = object.__repr__  # with the module, which tells a user's node from those of ops

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The tensors given to ``save_for_backward`` (in jvp: to ``save_for_forward``)."""
        if self.saved_for_forward is not None:
            return tuple(self.saved_for_forward)
        return tuple(self.to_save) or saved_of(self)

    @property
    def saved_variables(self) -> tuple[Any, ...]:
        """``saved_tensors`` by its old name."""
        warnings.warn("'saved_variables' is deprecated; use 'saved_tensors'", DeprecationWarning, stacklevel=2)
        return self.saved_tensors

    @property
    def _raw_saved_tensors(self) -> tuple[Any, ...]:
        return raw_saved_of(self)

    def run(self, g: Any) -> tuple[Any, ...]:
        """Call the user's backward with one cotangent per output."""
        given = list(g) if isinstance(g, tuple) else [g]
        if self.materialize_grads:
            given = [_zeros(known) if x is None and known is not None else x for x, known in zip(given, self._outputs, strict=True)]
        if not self._materialize_non_diff_grads:
            given = [None if i in self._undifferentiated else x for i, x in enumerate(given)]
        if _following.recording and self._for_jvp is not None:
            found = _ByTangents.apply(self, *given)
        else:
            found = _backward_of(self._forward_cls)(self, *given)
        found = found if isinstance(found, tuple) else (found,)
        count = len(self._is_tensor)
        if len(found) > count and all(x is None for x in found[count:]):
            found = found[:count]
        if len(found) != count:
            raise RuntimeError(
                f"[{self.name()}] function {self.name()} returned an incorrect number of gradients (expected {count}, got {len(found)})"
            )
        return tuple(self._checked(i, x) for i, x in enumerate(found) if x is not None or self._is_tensor[i])

    def _checked(self, i: int, x: Any) -> Any:
        """Gradient i if it fits input i."""
        if x is None:
            return None
        if not self._is_tensor[i]:
            raise RuntimeError(
                f"[{self.name()}] function {self.name()} returned a gradient different from None at position {i + 1}, "
                "but the corresponding forward input was not a Variable"
            )
        if not self._wanted[i]:
            return None
        if not isinstance(x, TensorBase):
            raise RuntimeError(f"[{self.name()}] expected a Tensor or None as gradient of input {i}, got {type(x).__name__}")
        shape = self._inputs[i]
        if tuple(x.shape) != shape:
            if not _expandable(shape, tuple(x.shape)):
                raise RuntimeError(
                    f"[{self.name()}] Function {self.name()} returned an invalid gradient at index {i} - got {list(x.shape)} but "
                    f"expected shape compatible with {list(shape)}"
                )
            return x.sum_to_size(shape)
        return x


def _zeros(known: tuple[Any, Any, Any]) -> Any:
    shape, dtype, device = known
    return zeros(shape, dtype=dtype, device=device)


def _expandable(small: tuple[int, ...], large: tuple[int, ...]) -> bool:
    if len(small) > len(large):
        return False
    return all(a in (1, b) for a, b in zip(small[::-1], large[::-1], strict=False))


_NO_BACKWARD = ("[Function] You must implement either the backward or vjp method for your custom autograd.Function to use it with backward "
                "mode AD.")


def _backward_of(cls: Any) -> Any:
    """Return the class's backward, which may be called vjp."""
    if cls.vjp is Function.vjp:
        return cls.backward
    if cls.backward is not Function.backward:
        raise RuntimeError(
            f"[{cls.__name__}] Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You should only implement one "
            "of them."
        )
    return cls.vjp


class FunctionMeta(type):
    """Gives each Function a class of nodes, named after it."""

    _backward_cls: Any
    _defaults: Any  # the signature of a forward whose setup_context is to get the defaults too, or None

    def __init__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> None:
        super().__init__(name, bases, attrs)
        cls._defaults = None
        if any("setup_context" in vars(c) for c in cls.__mro__ if c.__module__ != __name__):
            import inspect  # 6 ms, which `import taeda` would take longer for all

            forward = inspect.signature(cls.forward)  # type: ignore[attr-defined]
            if any(p.default is not p.empty for p in forward.parameters.values()):
                cls._defaults = forward
        cls._backward_cls = type(f"{name}Backward", (FunctionNode,), {"_forward_cls": cls, "__module__": __name__})


class Function(metaclass=FunctionMeta):
    """Base of user-written differentiable functions.

    Write ``forward(ctx, *args)`` (or ``forward(*args)`` with ``setup_context(ctx, inputs, output)``) and
    ``backward(ctx, *grad_outputs)`` as static methods; ``jvp(ctx, *tangents)`` for forward mode; use ``apply``.

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

    generate_vmap_rule = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warnings.warn(f"{type(self)} should not be instantiated. Methods on autograd functions are all static, so "
                      "you should invoke them on the class itself.", DeprecationWarning, stacklevel=2)

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the outputs; the first argument is ``ctx`` unless ``setup_context`` is written."""
        raise NotImplementedError("[Function] You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Fill ``ctx`` from the inputs and the output of a ``forward`` that does not take it.

        >>> import taeda
        >>> class Double(taeda.autograd.Function):
        ...     @staticmethod
        ...     def forward(x, factor):
        ...         return factor * x
        ...     @staticmethod
        ...     def setup_context(ctx, inputs, output):
        ...         ctx.factor = inputs[1]
        ...     @staticmethod
        ...     def backward(ctx, g):
        ...         return ctx.factor * g, None
        >>> x = taeda.ones(1, requires_grad=True)
        >>> Double.apply(x, 3.0).backward()
        >>> x.grad
        tensor([3.])
        """
        raise NotImplementedError("[Function] setup_context is not implemented.")

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *args: Any) -> Any:
        """Return ``(output, out_dims)`` for a batch: ``info.batch_size``, and where the batch is in each argument.

        >>> import taeda
        >>> class Doubled(taeda.autograd.Function):
        ...     @staticmethod
        ...     def forward(x):
        ...         return 2 * x
        ...     @staticmethod
        ...     def setup_context(ctx, inputs, output):
        ...         pass
        ...     @staticmethod
        ...     def vmap(info, in_dims, x):
        ...         return Doubled.apply(x), in_dims[0]
        >>> taeda.vmap(Doubled.apply)(taeda.ones(2, 3)).shape
        taeda.Size([2, 3])
        """
        raise NotImplementedError("[Function] To use autograd.Function with vmap, you must either override the vmap static method or set "
                                  "generate_vmap_rule=True.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Return one gradient (or None) for each argument of forward."""
        raise NotImplementedError(_NO_BACKWARD)

    @staticmethod
    def vjp(ctx: Any, *grad_outputs: Any) -> Any:
        """Another name of :meth:`backward`; write one of the two."""
        raise NotImplementedError(_NO_BACKWARD)

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """Return one tangent for each output of forward.

        >>> import taeda
        >>> class Squared(taeda.autograd.Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         ctx.save_for_forward(x)
        ...         return x * x
        ...     @staticmethod
        ...     def jvp(ctx, t):
        ...         (x,) = ctx.saved_tensors
        ...         return 2 * x * t
        >>> taeda.func.jvp(Squared.apply, (taeda.tensor(3.0),), (taeda.tensor(1.0),))
        (tensor(9.), tensor(6.))
        """
        raise NotImplementedError("[Function] You must implement the jvp function for custom autograd.Function to use it with forward "
                                  "mode AD.")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Raise RuntimeError: functions are used by ``apply``."""
        name = type(self).__name__
        raise RuntimeError(f"[{name}] Legacy autograd function with non-static forward method is deprecated; use {name}.apply(...)")

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run forward and record the function.

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
        >>> x = taeda.tensor([3.0], requires_grad=True)
        >>> Square.apply(x).sum().backward()
        >>> x.grad
        tensor([6.])
        """
        if cls._defaults is not None:
            given = cls._defaults.bind(*args, **kwargs)
            given.apply_defaults()
            args, kwargs = given.args, {k: v for k, v in given.kwargs.items() if k in kwargs}
        tensors = tuple(a for a in args if isinstance(a, TensorBase))
        if any(is_stand_in(t) for t in tensors):
            return _above.apply_to_batches(cls, args, kwargs)
        node = cls._backward_cls()
        node._is_tensor = tuple(isinstance(a, TensorBase) for a in args)
        node._inputs = tuple(tuple(a.shape) if isinstance(a, TensorBase) else None for a in args)
        node._wanted = node.needs_input_grad = tuple(isinstance(a, TensorBase) and a.requires_grad for a in args)
        recording = is_grad_enabled() and any(t.requires_grad for t in tensors)
        tangents = [dual.tangent_of(a) if isinstance(a, TensorBase) else None for a in args] if dual.current_level() else []
        was, asleep = _set_grad_enabled(False), dual.set_asleep(True)
        try:
            if cls.setup_context is not Function.setup_context:
                output = cls.forward(*args, **kwargs)
                cls.setup_context(node, args, output)
                _check_as_is(cls.__name__, node, tensors, output if isinstance(output, tuple) else (output,))
            else:
                output = cls.forward(node, *args, **kwargs)
        finally:
            _set_grad_enabled(was)
            dual.set_asleep(asleep)
        outputs = output if isinstance(output, tuple) else (output,)
        if node.dirty_tensors:
            _check_dirty(node.dirty_tensors, tensors, outputs, recording)
        if node.non_differentiable:
            node._undifferentiated = frozenset(i for i, o in enumerate(outputs) if any(o is t for t in node.non_differentiable))
        made = cls._record(node, tensors, outputs) if recording else list(outputs)
        if recording and _following.nodes is not None and cls.jvp is not Function.jvp:
            saved = tuple(next((m for o, m in zip(outputs, made, strict=True) if o is t), t) for t in node.saved_for_forward or ())
            node._for_jvp = saved, tuple((a.shape, a.dtype, a.device) if isinstance(a, TensorBase) else None for a in args)
            _following.nodes.append(node)
        if any(t is not None for t in tangents):
            cls._push_tangents(node, args, tangents, outputs, made)
        node.saved_for_forward = None
        return tuple(made) if isinstance(output, tuple) else made[0]

    @classmethod
    def _record(cls, node: Any, tensors: tuple[Any, ...], outputs: tuple[Any, ...]) -> list[Any]:
        for i, t in enumerate(node.to_save):
            if t is not None and not isinstance(t, TensorBase):
                raise TypeError(f"[{cls.__name__}] save_for_backward can only save variables, but argument {i} is of type "
                                f"{type(t).__name__}; set an attribute of ctx instead")
        inputs_to_save = [t for t in node.to_save if any(t is a for a in tensors) and not any(t is d for d in node.dirty_tensors)]
        made = attach_function(node, tensors, outputs, node.dirty_tensors, node.non_differentiable)
        node._outputs = tuple(
            (tuple(o.shape), o.dtype, o.device) if isinstance(o, TensorBase) else None for o in made
        )
        own = [None if any(o is t for t in inputs_to_save) else o for o in outputs]
        save_for(node, node.to_save, made, own)
        node.to_save = ()
        if node.dirty_tensors and made[0] is tensors[0] and made[0]._is_view() and made[0]._base.requires_grad:
            rebase_view(made[0], node)
        return made

    @classmethod
    def _tangents(cls, node: Any, tangents: Any, count: int) -> tuple[Any, ...]:
        """Return what the user's jvp does, one tangent or None for each output."""
        found = cls.jvp(node, *tangents)
        found = found if isinstance(found, tuple) else (found,)
        for i, tangent in enumerate(found):
            if tangent is not None and not isinstance(tangent, TensorBase):
                raise RuntimeError(f"[{cls.__name__}] jvp: expected Variable or None (got {type(tangent).__name__}) for grad output {i}")
        if len(found) != count:
            raise RuntimeError(
                f"[{cls.__name__}] Function's jvp returned an invalid number of forward gradients (expected {count} but got "
                f"{len(found)})"
            )
        return found

    @classmethod
    def _push_tangents(
        cls, node: Any, args: tuple[Any, ...], tangents: list[Any], outputs: tuple[Any, ...], made: list[Any]
    ) -> None:
        """Call the user's jvp and hang what it returns on the outputs."""
        if node.materialize_grads:
            tangents = [
                t.new_zeros(t.shape) if g is None and isinstance(t, TensorBase) and t.is_floating_point() else g
                for t, g in zip(args, tangents, strict=True)
            ]
        if node.saved_for_forward is None:
            node.saved_for_forward = ()                  # what was saved for backward is not meant for jvp
        asleep = dual.set_asleep(True)
        try:
            found = cls._tangents(node, tangents, len(made))
        finally:
            dual.set_asleep(asleep)
        for i, (out, tangent) in enumerate(zip(made, found, strict=True)):
            if tangent is None:
                continue
            if i in node._undifferentiated:
                raise RuntimeError(f"[{cls.__name__}] Function's jvp returned a gradient at position {i}, but the corresponding forward "
                                   "output is not a differentiable Tensor. You should return None at that position instead.")
            _check_alias(cls.__name__, node.dirty_tensors, args, tangents, outputs[i], tangent)
            dual.set_output_tangent(node, i, out, tangent)


class _ByTangents(Function):
    """The pass of a function's cotangents where only its derivative by them matters, which is the function's jvp.

    A pass is linear in the cotangents, so that their values go nowhere: the gradients are zeros.
    """

    @staticmethod
    def forward(ctx: Any, node: Any, *g: Any) -> Any:
        ctx.node = node
        ctx.set_materialize_grads(False)
        kinds = zip(node._for_jvp[1], node._wanted, strict=True)
        return tuple(_zeros(known) if known is not None and wanted else None for known, wanted in kinds)

    @staticmethod
    def backward(ctx: Any, *tangents: Any) -> Any:
        node = ctx.node
        saved, kinds = node._for_jvp
        if node.materialize_grads:
            tangents = tuple(_zeros(known) if t is None and known is not None and (known[1].is_floating_point or known[1].is_complex)
                             else t for t, known in zip(tangents, kinds, strict=True))
        was, node.saved_for_forward = node.saved_for_forward, saved
        try:
            return None, *node._forward_cls._tangents(node, tangents, len(node._outputs))
        finally:
            node.saved_for_forward = was


def _check_as_is(name: str, node: Any, tensors: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
    """An input that is an output too, unchanged, becomes another tensor when it leaves: setup_context cannot know which is saved."""
    kept = (*node.to_save, *(node.saved_for_forward or ()))
    for t in tensors:
        if any(t is o for o in outputs) and any(t is k for k in kept) and not any(t is d for d in node.dirty_tensors):
            raise RuntimeError(f"[{name}] A input that has been returned as-is as output is being saved for backward. This is not "
                               "supported if you override setup_context. You should return and save a view of the input instead, "
                               "e.g. with x.view_as(x), or set up ctx inside the forward function itself.")


def _check_dirty(dirty: tuple[Any, ...], tensors: tuple[Any, ...], outputs: tuple[Any, ...], recording: bool) -> None:
    """What was changed in place must be an input, and an output too."""
    for t in dirty:
        if not any(t is o for o in outputs):
            raise RuntimeError("[mark_dirty] Some elements marked as dirty during the forward method were not returned as output. The "
                               "inputs that are modified inplace must all be outputs of the Function.")
        if recording and not any(t is x for x in tensors):
            warnings.warn("ctx.mark_dirty() received a tensor that was not an input. Only input Tensors that have been mutated should be "
                          "passed to ctx.mark_dirty().", UserWarning, stacklevel=3)


def _check_alias(name: str, dirty: tuple[Any, ...], args: tuple[Any, ...], tangents: list[Any], out: Any, tangent: Any) -> None:
    """A tangent must share memory with its input's where the output does: writes to one are then writes to the other for both."""
    root = out._base if out._is_view() else out
    for x, given in zip(args, tangents, strict=True):
        if given is None or not isinstance(x, TensorBase):
            continue
        if out is x and any(out is t for t in dirty):
            if tangent is not given:
                raise RuntimeError(f"[{name}] An inplace custom Function is not modifying the forward mode gradients inplace. "
                                   "If the forward is modifying an input inplace, then the jvp function must modify the corresponding "
                                   "gradient inplace.")
        elif out is x or (out._is_view() and (x is root or x._base is root)):
            if not tangent._is_view():
                raise RuntimeError(f"[{name}] A custom Function's forward is returning a view (or an input as-is) but the jvp is not "
                                   "returning a view.")
            if tangent._base is not (given._base if given._is_view() else given):
                raise RuntimeError(f"[{name}] A custom Function is returning a view but the jvp is not returning a view of the given grad "
                                   "input.")


class InplaceFunction(Function):
    """A Function that may work in place (kept for PyTorch's signature)."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace


NestedIOFunction = Function


def once_differentiable(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a backward that autograd must not differentiate again.

    >>> import taeda
    >>> class Square(taeda.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x
    ...     @staticmethod
    ...     @taeda.autograd.function.once_differentiable
    ...     def backward(ctx, g):
    ...         return 2 * ctx.saved_tensors[0] * g
    >>> x = taeda.tensor(3.0, requires_grad=True)
    >>> (slope,) = taeda.autograd.grad(Square.apply(x), x, create_graph=True)
    >>> slope, slope.requires_grad
    (tensor(6.), False)
    """

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
