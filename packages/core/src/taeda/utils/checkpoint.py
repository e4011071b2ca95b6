"""Checkpointing: trade time for memory by computing a part of the forward again in backward.

``use_reentrant=False`` keeps, instead of each saved tensor, its number; the first one that backward asks for runs the
function again with hooks that collect what is saved, and stops as soon as there is enough.  ``use_reentrant=True`` is one
node whose backward runs the function again and differentiates it in a pass of its own.
"""

from __future__ import annotations

import contextlib
import enum
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from taeda import _spoken, empty, recording, strided
from taeda._aten.operators import OpOverload
from taeda.amp import autocast, casting
from taeda.autograd import Function, backward, dual
from taeda.autograd.grad_mode import enable_grad, is_grad_enabled, no_grad
from taeda.autograd.graph import saved_tensors_hooks
from taeda.autograd.passes import ask, current_pass
from taeda.random import get_rng_state, set_rng_state
from taeda.stand_ins import is_stand_in
from taeda.tensor_base import TensorBase

__all__ = [
    "SAC_IGNORED_OPS",
    "CheckpointError",
    "CheckpointFunction",
    "CheckpointPolicy",
    "DefaultDeviceType",
    "SelectiveCheckpointContext",
    "check_backward_validity",
    "checkpoint",
    "checkpoint_sequential",
    "create_selective_checkpoint_contexts",
    "detach_variable",
    "get_device_states",
    "noop_context_fn",
    "set_checkpoint_debug_enabled",
    "set_checkpoint_early_stop",
    "set_device_states",
]


class CheckpointError(RuntimeError):
    """The second run of a checkpointed function saved other tensors than the first.

    >>> import taeda
    >>> from taeda.utils.checkpoint import CheckpointError, checkpoint
    >>> sizes = iter([2, 3])                                       # a function must do the same both times
    >>> x = taeda.ones(3, requires_grad=True)
    >>> y = checkpoint(lambda t: t[: next(sizes)].exp().sum(), x, use_reentrant=False)
    >>> try:
    ...     y.backward()
    ... except CheckpointError:
    ...     print("another tensor was saved")
    another tensor was saved
    """


class CheckpointPolicy(enum.Enum):
    """What a selective policy says of an operation's result; see :func:`create_selective_checkpoint_contexts`.

    >>> from taeda.utils.checkpoint import CheckpointPolicy
    >>> CheckpointPolicy.MUST_SAVE
    <CheckpointPolicy.MUST_SAVE: 0>
    """

    MUST_SAVE = 0
    PREFER_SAVE = 1
    MUST_RECOMPUTE = 2
    PREFER_RECOMPUTE = 3
    MUST_CPU_OFFLOAD = 4
    PREFER_CPU_OFFLOAD = 5


SAC_IGNORED_OPS: set[OpOverload] = set()  # operators of which no policy is asked: it is asked of none


class SelectiveCheckpointContext:
    """What PyTorch calls a selective policy with, before the operator and its arguments (:func:`create_selective_checkpoint_contexts`).

    >>> from taeda.utils.checkpoint import SelectiveCheckpointContext
    >>> SelectiveCheckpointContext(is_recompute=False).op_output is None
    True
    """

    def __init__(self, *, is_recompute: bool, op_output: Any = None) -> None:
        self.is_recompute = is_recompute
        self.op_output = op_output


def create_selective_checkpoint_contexts(policy_fn_or_list: Any, allow_cache_entry_mutation: bool = False) -> tuple[Any, Any]:
    """Return the contexts of a checkpoint that may keep some results: here it keeps none and computes its whole part again.

    A policy (a function of operators that returns :class:`CheckpointPolicy`, or a list of operators whose results are kept) trades
    memory for time and changes no result; it is never asked, since nothing is seen of operators below autograd.  Raises TypeError for
    anything else.

    >>> import functools, taeda
    >>> from taeda.utils.checkpoint import checkpoint, create_selective_checkpoint_contexts
    >>> keep = functools.partial(create_selective_checkpoint_contexts, [taeda.ops.aten.exp.default])
    >>> x = taeda.zeros(2, requires_grad=True)
    >>> checkpoint(lambda t: t.exp().exp().sum(), x, use_reentrant=False, context_fn=keep).backward()
    >>> x.grad
    tensor([2.7183, 2.7183])
    """
    if isinstance(policy_fn_or_list, list):
        for op in policy_fn_or_list:
            if not isinstance(op, OpOverload):
                raise ValueError(f"[create_selective_checkpoint_contexts] Expected op in `op_list` to be an OpOverload but got: {op!r} of "
                                 f"type {type(op)}; an overload is e.g. taeda.ops.aten.mm.default")
    elif not callable(policy_fn_or_list):
        raise TypeError("[create_selective_checkpoint_contexts] policy_fn_or_list must be either a function or a list of ops, got "
                        f"{type(policy_fn_or_list)}")
    return contextlib.nullcontext(), contextlib.nullcontext()


class _Enough(Exception):
    """Everything that was saved has been computed again."""


def _warn_of_default(place: str) -> None:
    """Say, at the line of who calls a function of this room, that its ``use_reentrant`` is not given."""
    warnings.warn(f"{_spoken.name}.utils.{place}: the use_reentrant parameter should be passed explicitly. use_reentrant=False is "
                  "recommended; the default is use_reentrant=True.", UserWarning, stacklevel=3)


_early_stop = True
_debug: bool | None = None


@contextlib.contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """In this block, say whether a second run stops once it has computed all that was saved (it does by default).

    >>> import taeda
    >>> from taeda.utils.checkpoint import checkpoint, set_checkpoint_early_stop
    >>> x = taeda.ones(1, requires_grad=True)
    >>> with set_checkpoint_early_stop(False):                     # the second run goes on to the print
    ...     checkpoint(lambda t: (t.exp(), print("to the end"))[0], x, use_reentrant=False).backward()
    to the end
    to the end
    """
    global _early_stop
    before, _early_stop = _early_stop, enable
    try:
        yield
    finally:
        _early_stop = before


@contextlib.contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Iterator[None]:
    """In this block, ``debug`` of all checkpoints is ``enabled`` (None: as each says).

    >>> import taeda
    >>> from taeda.utils.checkpoint import set_checkpoint_debug_enabled
    >>> with set_checkpoint_debug_enabled(True):                   # accepted; errors are explicit anyway
    ...     pass
    """
    global _debug
    before, _debug = _debug, enabled
    try:
        yield
    finally:
        _debug = before


def noop_context_fn() -> tuple[Any, Any]:
    """Return two contexts that do nothing.

    >>> from taeda.utils.checkpoint import noop_context_fn
    >>> forward, again = noop_context_fn()
    >>> with forward:
    ...     pass
    """
    return contextlib.nullcontext(), contextlib.nullcontext()


def detach_variable(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the inputs as leaves of a graph of their own; what is not a tensor stays.

    Raises:
        RuntimeError: they are no tuple.

    >>> import taeda
    >>> from taeda.utils.checkpoint import detach_variable
    >>> x = taeda.ones(2, requires_grad=True)
    >>> y, n = detach_variable((x * 2, 3))
    >>> y.is_leaf, y.requires_grad, n
    (True, True, 3)
    """
    if not isinstance(inputs, tuple):
        raise RuntimeError(f"[detach_variable] Only tuple of tensors is supported. Got Unsupported input type: {type(inputs).__name__}")
    return tuple(x.detach().requires_grad_(x.requires_grad) if isinstance(x, TensorBase) else x for x in inputs)


def check_backward_validity(inputs: Any) -> None:
    """Warn if no input requires grad.

    >>> import warnings, taeda
    >>> from taeda.utils.checkpoint import check_backward_validity
    >>> with warnings.catch_warnings(record=True) as said:
    ...     warnings.simplefilter("always")
    ...     check_backward_validity([taeda.ones(2)])
    >>> len(said)
    1
    """
    if not any(x.requires_grad for x in inputs if isinstance(x, TensorBase)):
        warnings.warn("None of the inputs have requires_grad=True. Gradients will be None", UserWarning, stacklevel=3)


def get_device_states(*args: Any) -> tuple[list[int], list[Any]]:
    """Return the GPUs that the tensors among the arguments are on, and the states of their generators: none."""
    return [], []


def set_device_states(devices: Any, states: Any, *, device_type: str | None = None) -> None:
    """Give the GPUs' generators the states that ``get_device_states`` returned: there are none."""


@contextlib.contextmanager
def _random_state(state: Any) -> Iterator[None]:
    """Draw random numbers from ``state`` on, and go on afterwards as if none had been drawn (None: no change)."""
    if state is None:
        yield
        return
    before = get_rng_state()
    set_rng_state(state)
    try:
        yield
    finally:
        set_rng_state(before)


def _autocast_now() -> autocast:
    """Return the block that runs a function in the precision that holds now."""
    return autocast("cpu", casting.get_autocast_dtype("cpu"), casting.is_autocast_enabled("cpu"), casting.is_autocast_cache_enabled())


# -- use_reentrant=True ------------------------------------------------------------------------------------------

_watching = False


class CheckpointFunction(Function):
    """Run a function without recording; run it again, recorded, in backward."""

    @staticmethod
    def forward(ctx: Any, run_function: Callable[..., Any], preserve_rng_state: bool, *args: Any) -> Any:
        """Return ``run_function(*args)``."""
        global _watching
        if not _watching:                      # backward asks which pass it is in
            _watching = True
            ask(1)
        check_backward_validity(args)
        ctx.run_function = run_function
        ctx.state = get_rng_state() if preserve_rng_state else None
        ctx.precision = _autocast_now()
        ctx.places = [i for i, x in enumerate(args) if isinstance(x, TensorBase)]
        ctx.others = [None if isinstance(x, TensorBase) else x for x in args]
        ctx.save_for_backward(*[args[i] for i in ctx.places])
        with no_grad():
            return run_function(*args)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """Compute the outputs again and carry ``grads`` back through them."""
        if current_pass().restricted:
            raise RuntimeError(
                "[checkpoint] When use_reentrant=True, taeda.utils.checkpoint is incompatible with .grad() or passing an `inputs` "
                "parameter to .backward(). To resolve this error, you can either set use_reentrant=False, or call .backward() without "
                "passing the `inputs` argument."
            )
        inputs = list(ctx.others)
        for i, t in zip(ctx.places, ctx.saved_tensors, strict=True):
            inputs[i] = t
        detached = detach_variable(tuple(inputs))
        with _random_state(ctx.state), ctx.precision, enable_grad():
            outputs = ctx.run_function(*detached)
        outputs = outputs if isinstance(outputs, (tuple, list)) else (outputs,)
        pairs = [(o, g) for o, g in zip(outputs, grads, strict=True) if isinstance(o, TensorBase) and o.requires_grad]
        if not pairs:
            raise RuntimeError("[checkpoint] none of output has requires_grad=True, this checkpoint() is not necessary")
        backward([o for o, _ in pairs], [g for _, g in pairs])
        return (None, None, *[x.grad if isinstance(x, TensorBase) else None for x in detached])


# -- use_reentrant=False -----------------------------------------------------------------------------------------


class _Ticket:
    """What a node keeps instead of a saved tensor."""

    __slots__ = ("__weakref__", "number", "owner", "values")

    def __init__(self, owner: _Frame, number: int) -> None:
        self.owner = owner
        self.number = number
        self.values: dict[int, Any] = {}           # run -> the tensor computed again


def _metadata(t: Any) -> dict[str, Any]:
    return {"shape": t.shape, "dtype": t.dtype, "device": t.device}


class CheckpointInputs(Function):
    """A node beside the graph that keeps tensors as any node does: writes to them are noticed, outer hooks see them."""

    @staticmethod
    def forward(ctx: Any, start: Any, *tensors: Any) -> Any:
        """Keep the tensors; ``start`` requires grad, so that there is a node."""
        ctx.save_for_backward(*tensors)
        return start.detach()


class _Frame:
    """One call of checkpoint: how to run it again, and what it saved."""

    def __init__(self, function: Any, args: tuple[Any, ...], kwargs: Any, context: Any, state: Any, check: bool, early_stop: bool) -> None:
        self.function, self.kwargs = function, kwargs
        self.places = [i for i, x in enumerate(args) if isinstance(x, TensorBase) and not is_stand_in(x)]
        self.others = [None if i in self.places else x for i, x in enumerate(args)]
        asleep = dual.set_asleep(True)                    # tangents of the arguments come along with them
        try:
            self.inputs = CheckpointInputs.apply(empty(0, requires_grad=True), *[args[i] for i in self.places]).grad_fn
        finally:
            dual.set_asleep(asleep)
        self.context = context
        self.state = state
        self.precision = _autocast_now()
        self.check = check
        self.early_stop = early_stop
        self.tickets: list[weakref.ref[_Ticket]] = []
        self.saved_as: list[dict[str, Any]] = []
        self.runs = 0
        self.complete = False                      # the first run, which may differentiate inside and so run again, is over

    def again(self) -> None:
        """Run the function on its arguments; RuntimeError if one by position was changed in place since the first run."""
        args = list(self.others)
        for i, t in zip(self.places, self.inputs.saved_tensors, strict=True):
            args[i] = t
        self.function(*args, **self.kwargs)

    def pack(self, t: Any) -> _Ticket:
        """Hand out the next ticket."""
        ticket = _Ticket(self, len(self.tickets))
        self.tickets.append(weakref.ref(ticket))
        self.saved_as.append(_metadata(t))
        return ticket

    def unpack(self, ticket: _Ticket) -> Any:
        """Return the tensor of a ticket, computed again unless it has been already in this pass."""
        if not ticket.values:
            count = self.run()
            if not ticket.values:
                raise self.other_count(count)
        _, value = ticket.values.popitem()
        return value

    def other_count(self, count: int) -> CheckpointError:
        """Return the error that the second run saved more or fewer tensors than the first."""
        return CheckpointError(
            "[checkpoint] A different number of tensors was saved during the original forward and recomputation. Number of tensors "
            f"saved during forward: {len(self.tickets)}. Number of tensors saved during recomputation: {count}."
        )

    def run(self) -> int:
        """Run the function again, give the tickets what it saves, and return how many tensors that were."""
        self.runs += 1
        run = _Rerun(self)
        recording.watch_writes(run.before_write, run)
        try:
            with _random_state(self.state), self.precision, self.context, enable_grad(), saved_tensors_hooks(run.collect, _itself):
                with contextlib.suppress(_Enough):
                    self.again()
        finally:
            recording.watch_writes(None, run)
        if run.different:
            raise CheckpointError(
                "[checkpoint] Recomputed values for the following tensors have different metadata than during the forward pass:\n"
                + "\n".join(run.different)
            )
        if self.complete and run.count != len(self.tickets):
            raise self.other_count(run.count)
        return run.count


def _itself(t: Any) -> Any:
    return t


class _Rerun:
    """A second run of a frame's function: the tensor that it saves as number i is that of ticket i."""

    def __init__(self, frame: _Frame) -> None:
        self.frame, self.number = frame, frame.runs
        self.count = 0
        self.different: list[str] = []
        self.held: weakref.WeakKeyDictionary[Any, list[weakref.ref[_Ticket]]] = weakref.WeakKeyDictionary()      # by their storage

    def collect(self, t: Any) -> Any:
        """Give the next ticket its tensor; end the run if it is the last."""
        frame, place = self.frame, self.count
        self.count += 1
        if place >= len(frame.tickets):
            if not frame.complete:
                return t.detach()
            raise CheckpointError(
                "[checkpoint] trying to save more tensors during recomputation than during the original forward pass: "
                f"{len(frame.tickets)} were saved in it"
            )
        was, now = frame.saved_as[place], _metadata(t)
        if frame.check and now != was:
            self.different.append(f"tensor at position {place}: saved metadata: {was}, recomputed metadata: {now}")
        ticket = frame.tickets[place]()
        if ticket is not None:
            ticket.values[self.number] = t.detach()
            if t.layout is strided and not is_stand_in(t):
                self.held.setdefault(t.untyped_storage(), []).append(frame.tickets[place])
        if frame.early_stop and self.count == len(frame.tickets):
            raise _Enough
        return t.detach()

    def before_write(self, op: str, tensor: Any) -> None:
        """Copy what was collected of a storage that the function goes on to write to: the first run's nodes had it as it was."""
        if not self.held or tensor.layout is not strided or is_stand_in(tensor):
            return
        for ref in self.held.pop(tensor.untyped_storage(), ()):
            ticket = ref()
            if ticket is not None and self.number in ticket.values:
                with no_grad():
                    ticket.values[self.number] = ticket.values[self.number].clone()


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], tuple[Any, Any]] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """Return ``function(*args, **kwargs)`` without keeping what its derivative needs: backward computes it again.

    ``preserve_rng_state=True`` (a keyword) makes the second run draw the same random numbers; ``autocast`` holds in it where it
    held in the first, wherever backward is called.  ``context_fn`` gives the contexts of the first and the second run;
    ``determinism_check`` ("default" or "none") says whether shapes and dtypes of the two runs are compared.  Raises
    :class:`CheckpointError` in backward where they differ.

    >>> import taeda
    >>> x = taeda.ones(2, requires_grad=True)
    >>> y = taeda.utils.checkpoint.checkpoint(lambda t: (t * 2).exp().sum(), x, use_reentrant=False)
    >>> y.backward()
    >>> x.grad
    tensor([14.7781, 14.7781])
    """
    if use_reentrant is None:
        _warn_of_default("checkpoint")
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if use_reentrant:
        if kwargs:
            raise ValueError(f"[checkpoint] Unexpected keyword arguments: {','.join(kwargs)}")
        if context_fn is not noop_context_fn or debug:
            raise ValueError("[checkpoint] Passing `context_fn` or `debug` is only supported when use_reentrant=False.")
        return CheckpointFunction.apply(function, preserve, *args)
    if determinism_check not in ("default", "none"):
        raise ValueError(f"[checkpoint] determinism_check should be one of ['default', 'none'], but got {determinism_check}")
    first, second = context_fn()
    if not is_grad_enabled():
        with first:
            return function(*args, **kwargs)
    frame = _Frame(function, args, kwargs, second, get_rng_state() if preserve else None, determinism_check == "default",
                   early_stop and _early_stop)
    with saved_tensors_hooks(frame.pack, frame.unpack), first:
        found = function(*args, **kwargs)
    frame.complete = True
    return found


def checkpoint_sequential(functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any) -> Any:
    """Run functions (or the children of a Sequential) one after another in ``segments`` parts, all but the last checkpointed.

    >>> import taeda
    >>> from taeda.utils.checkpoint import checkpoint_sequential
    >>> x = taeda.ones(2, requires_grad=True)
    >>> checkpoint_sequential([taeda.exp, taeda.log, taeda.sum], 2, x, use_reentrant=False).backward()
    >>> x.grad
    tensor([1., 1.])
    """
    if use_reentrant is None:
        _warn_of_default("checkpoint.checkpoint_sequential")
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError(f"[checkpoint_sequential] Unexpected keyword arguments: {','.join(kwargs)}")
    steps = list(functions.children()) if hasattr(functions, "children") else list(functions)

    def part(start: int, end: int) -> Callable[[Any], Any]:
        def run(x: Any) -> Any:
            for step in steps[start:end]:
                x = step(x)
            return x

        return run

    size = len(steps) // segments
    end = 0
    for start in range(0, size * (segments - 1), size):
        end = start + size
        input = checkpoint(part(start, end), input, use_reentrant=use_reentrant, preserve_rng_state=preserve)
    return part(end, len(steps))(input)


class DefaultDeviceType:
    """The kind of device whose random state PyTorch keeps where no tensor names one; here it is remembered, and the CPU's state kept."""

    _chosen = "cuda"

    @staticmethod
    def set_device_type(device: str = "cuda") -> None:
        """Choose a kind of device."""
        DefaultDeviceType._chosen = device

    @staticmethod
    def get_device_type() -> str:
        """Return the kind that was chosen.

        >>> from taeda.utils.checkpoint import DefaultDeviceType
        >>> DefaultDeviceType.get_device_type()
        'cuda'
        """
        return DefaultDeviceType._chosen
