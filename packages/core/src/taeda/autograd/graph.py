"""Looking at the graph and acting on it: edges, hooks on several gradients, hooks on saved tensors."""

from __future__ import annotations

import functools
import weakref
from _thread import allocate_lock
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from taeda import recording
from taeda.autograd import saved
from taeda.autograd.grad_mode import no_grad
from taeda.autograd.hooks import Handle, Handles
from taeda.autograd.node import Node, accumulator
from taeda.autograd.passes import ask, current_pass
from taeda.tensor_base import TensorBase

__all__ = [
    "GradientEdge", "Node", "allow_mutation_on_saved_tensors", "disable_saved_tensors_hooks", "get_gradient_edge",
    "increment_version", "register_multi_grad_hook", "save_on_cpu", "saved_tensors_hooks", "set_warn_on_accumulate_grad_stream_mismatch",
]


class _Edge(NamedTuple):
    node: Any
    output_nr: int
    ownership_token: Any = None


class GradientEdge(_Edge):
    """Where a tensor's gradient flows: a node and the number of its output.

    ``taeda.autograd.grad`` and ``backward`` take edges for tensors, so that a gradient can be asked for whose tensor is gone.

    >>> import taeda
    >>> x = taeda.ones(2, requires_grad=True)
    >>> edge = taeda.autograd.graph.get_gradient_edge(x * 3)
    >>> edge.node.name(), edge.output_nr
    ('MulBackward0', 0)
    """

    _like: Any = None                   # shape, dtype and device of the tensor, where they are known


def get_gradient_edge(tensor: Any) -> GradientEdge:
    """Return the edge of a tensor that requires grad: its grad_fn, or the accumulator of a leaf.

    Raises:
        RuntimeError: the tensor does not require grad.

    >>> import taeda
    >>> from taeda.autograd.graph import get_gradient_edge
    >>> x = taeda.tensor([1.0, 2.0], requires_grad=True)
    >>> y = x * x
    >>> middle = get_gradient_edge(y)
    >>> taeda.autograd.grad(y.sin().sum(), middle)             # cos(y)
    (tensor([ 0.5403, -0.6536]),)
    """
    if not tensor.requires_grad:
        raise RuntimeError("[get_gradient_edge] It is not possible to get the gradient edge for a Tensor that does not require gradients")
    node = tensor.grad_fn
    edge = GradientEdge(accumulator(tensor) if node is None else node, tensor.output_nr)
    edge._like = tuple(tensor.shape), tensor.dtype, tensor.device
    return edge


# -- hooks on several tensors ---------------------------------------------------------------------------------


def _target(tensor: Any) -> Any:
    """What the engine runs for a tensor: its node, or the leaf itself."""
    node = tensor.grad_fn
    return tensor if node is None else node


class _MultiHandle(Handles):
    """The hooks of one ``register_multi_grad_hook``."""

    def __init__(self, handles: tuple[Handle, ...]) -> None:
        super().__init__(handles)
        ask(1)
        self._alive = True

    def remove(self) -> None:
        """Take the hooks away."""
        if self._alive:
            self._alive = False
            ask(-1)
        super().remove()


def register_multi_grad_hook(tensors: Iterable[Any], fn: Callable[..., Any], *, mode: str = "all") -> Handles:
    """Call ``fn`` once a backward pass: with all of the tensors' gradients (mode "all"), or with the first that comes ("any").

    In mode "all", ``fn`` gets a list with None for tensors that the pass does not reach; in mode "any" one gradient. The handle that is
    returned takes the hooks away by ``remove()``.

    Raises:
        ValueError: another mode.
        AssertionError: a tensor does not require grad.

    >>> import taeda
    >>> from taeda.autograd.graph import register_multi_grad_hook
    >>> a, b, c = (taeda.ones(2, requires_grad=True) for _ in range(3))
    >>> handle = register_multi_grad_hook([a, b, c], lambda gs: print([None if g is None else g.tolist() for g in gs]))
    >>> (2 * a + 3 * b).sum().backward()
    [[2.0, 2.0], [3.0, 3.0], None]
    """
    if mode not in ("all", "any"):
        raise ValueError(f"[register_multi_grad_hook] Expects mode to be one of ('all', 'any') but got {mode}")
    tensors = tuple(tensors)
    for t in tensors:
        if not t.requires_grad:
            raise AssertionError("[register_multi_grad_hook] Expected gradient function to be set: a tensor does not require grad")
    targets = [_target(t) for t in tensors]
    arrived: dict[int, list[Any]] = {}         # pass -> gradients so far
    lock = allocate_lock()

    def collect(i: int, g: Any) -> None:
        this = current_pass()
        with lock:
            fresh = this.id not in arrived
            if fresh:
                arrived.clear()                    # of passes that are over
                arrived[this.id] = [None] * len(tensors)
            found = arrived[this.id]
            found[i] = g
            done = [j for j, t in enumerate(targets) if this.will_run(t)]
            ready = fresh if mode == "any" else all(found[j] is not None for j in done)
        if ready:
            fn(g if mode == "any" else list(found))

    def hook(i: int) -> Callable[[Any], None]:
        return lambda g: collect(i, g)

    return _MultiHandle(tuple(t.register_hook(hook(i)) for i, t in enumerate(tensors)))


# -- saved tensors ----------------------------------------------------------------------------------------------


class saved_tensors_hooks:
    """In this block, keep ``pack_hook(tensor)`` instead of what ops save, and use ``unpack_hook`` of that in backward.

    >>> import taeda
    >>> x = taeda.ones(2, requires_grad=True)
    >>> with taeda.autograd.graph.saved_tensors_hooks(lambda t: t.tolist(), lambda v: taeda.tensor(v)):
    ...     y = x.exp().sum()
    >>> y.backward()
    >>> x.grad
    tensor([2.7183, 2.7183])
    """

    def __init__(self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]) -> None:
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook

    def __enter__(self) -> None:
        saved.push_hooks(self.pack_hook, self.unpack_hook)

    def __exit__(self, *error: object) -> None:
        saved.pop_hooks()


class save_on_cpu(saved_tensors_hooks):
    """In this block, keep saved tensors in main memory, and copy them back to their device in backward.

    Args:
        pin_memory, device_type: accepted; they choose how a GPU's memory is copied.

    >>> import taeda
    >>> x = taeda.ones(2, requires_grad=True)
    >>> with taeda.autograd.graph.save_on_cpu():
    ...     y = (x * x).sum()
    >>> y.backward()
    >>> x.grad
    tensor([2., 2.])
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(lambda t: (t.device, t.cpu()), lambda packed: packed[1].to(packed[0]))


class disable_saved_tensors_hooks:
    """In this block, raise RuntimeError with ``error_message`` where saved-tensor hooks are entered.

    >>> import taeda
    >>> from taeda.autograd.graph import disable_saved_tensors_hooks, save_on_cpu
    >>> with disable_saved_tensors_hooks("not within this loss"):
    ...     save_on_cpu().__enter__()
    Traceback (most recent call last):
        ...
    RuntimeError: not within this loss
    """

    def __init__(self, error_message: str) -> None:
        self.error_message = error_message

    def __enter__(self) -> None:
        self.before = saved.refuse_hooks(self.error_message)

    def __exit__(self, *error: object) -> None:
        saved.refuse_hooks(None)
        saved.refuse_hooks(self.before)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with disable_saved_tensors_hooks(self.error_message):
                return function(*args, **kwargs)

        return wrapped


class _Kept:
    """One saved tensor while mutation is allowed: the tensor itself, or a copy once it is about to be written to."""

    def __init__(self, context: _AllowMutationOnSavedContext, tensor: Any) -> None:
        self.context = context
        self.tensor = tensor


class _AllowMutationOnSavedContext:
    """What :class:`allow_mutation_on_saved_tensors` gives: the saved tensors by storage, until the block ends."""

    def __init__(self) -> None:
        self.kept: weakref.WeakKeyDictionary[Any, list[weakref.ref[_Kept]]] = weakref.WeakKeyDictionary()
        self.open = True

    def pack(self, tensor: Any) -> _Kept:
        one = _Kept(self, tensor)
        self.kept.setdefault(tensor.untyped_storage(), []).append(weakref.ref(one))
        return one

    def unpack(self, one: _Kept) -> Any:
        if not one.context.open:
            raise AssertionError("[allow_mutation_on_saved_tensors] Trying to backward outside of the 'allow_mutation_on_saved_tensors' "
                                 "context in which the graph was originally recorded.")
        return one.tensor

    def before_write(self, op: str, tensor: Any) -> None:
        """Copy what is saved of a storage that is about to change."""
        for ref in self.kept.pop(tensor.untyped_storage(), []):
            one = ref()
            if one is not None:
                with no_grad():
                    one.tensor = one.tensor.detach().clone()

    def clear(self) -> None:
        """Forget everything."""
        self.kept.clear()


class allow_mutation_on_saved_tensors:
    """In this block, saved tensors may be changed in place: they are copied first, and backward uses the copies.

    The backward pass has to be in the block too; blocks cannot be nested (RuntimeError).

    >>> import taeda
    >>> x = taeda.tensor([2.0, 3.0], requires_grad=True)
    >>> with taeda.autograd.graph.allow_mutation_on_saved_tensors():
    ...     y = x.clone()
    ...     z = (y ** 2).sum()
    ...     _ = y.zero_()                          # the derivative of the square needs y
    ...     z.backward()
    >>> x.grad
    tensor([4., 6.])
    """

    _open = False

    def __enter__(self) -> _AllowMutationOnSavedContext:
        if allow_mutation_on_saved_tensors._open:
            raise RuntimeError("[allow_mutation_on_saved_tensors] allow_mutation_on_saved_tensors contexts cannot be nested")
        self.context = _AllowMutationOnSavedContext()
        self.hooks = saved_tensors_hooks(self.context.pack, self.context.unpack)
        self.hooks.__enter__()
        recording.watch_writes(self.context.before_write, "mutation")
        allow_mutation_on_saved_tensors._open = True
        return self.context

    def __exit__(self, *error: object) -> None:
        allow_mutation_on_saved_tensors._open = False
        recording.watch_writes(None, "mutation")
        self.hooks.__exit__()
        self.context.open = False
        self.context.clear()


def increment_version(tensor: Any) -> None:
    """Count a write to a tensor (or to each of several) that autograd did not see.

    A backward pass that needs the tensor as it was then raises, as after any write.

    Raises:
        RuntimeError: it is neither a tensor nor several.

    >>> import taeda
    >>> x = taeda.zeros(2)
    >>> taeda.autograd.graph.increment_version(x)
    >>> x._version
    1
    """
    tensors = (tensor,) if isinstance(tensor, TensorBase) else tensor
    if not isinstance(tensors, Iterable) or isinstance(tensors, (str, bytes)):
        raise RuntimeError(f"[increment_version] increment_version expect a Iterable[Tensor] as input, got {type(tensor).__name__}")
    for t in tensors:
        t.untyped_storage()._increment_version()


def set_warn_on_accumulate_grad_stream_mismatch(enabled: bool) -> None:
    """Accepted: there are no streams on a CPU."""
