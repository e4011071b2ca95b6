"""The names of ``torch._dynamo``, PyTorch's compiler of bytecode, that libraries reach for: nothing is compiled, so they change nothing."""

from __future__ import annotations

import contextlib
import sys
import types
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ._switches import Switches

if TYPE_CHECKING:
    from taeda.nn.modules._compiled import OptimizedModule

__all__ = [
    "OptimizedModule", "allow_in_graph", "assume_constant_result", "config", "disable", "eval_frame", "exc", "graph_break", "is_compiling",
    "list_backends", "lookup_backend", "mark_dynamic", "mark_static", "mark_static_address", "maybe_mark_dynamic", "register_backend",
    "reset", "utils",
]  # fmt: skip


class TorchDynamoException(RuntimeError):
    """What the compiler raises, of every kind: programs catch it, nothing here raises it."""


class Unsupported(TorchDynamoException):
    """Code that the compiler cannot follow: programs catch it, nothing here raises it."""


class BackendCompilerFailed(TorchDynamoException):
    """The compiler behind failed: programs catch it, nothing here raises it."""


class InternalTorchDynamoError(TorchDynamoException):
    """The compiler failed: programs catch it, nothing here raises it."""


class InvalidBackend(TorchDynamoException):
    """A name of no compiler."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Invalid backend: {name!r}, see `torch._dynamo.list_backends()` for available backends.")


class TensorifyScalarRestartAnalysis(Unsupported):
    """The compiler starts over: nothing here raises it."""


class TransformGetItemToIndex(contextlib.nullcontext[None]):
    """A context in which ``x[i]`` takes 0-d tensors of ``vmap``: they are taken everywhere here."""


def graph_break(msg: str = "") -> None:
    """Do nothing: there is no graph to end."""


def mark_static_address(t: Any, guard: bool = False) -> None:
    """Do nothing: no graph has fixed addresses."""


def mark_dynamic(t: Any, index: Any, **bounds: Any) -> None:
    """Do nothing: every size may change."""


mark_static = maybe_mark_dynamic = mark_dynamic


def is_compiling() -> bool:
    """Whether code is being compiled: never."""
    return False


def disable(fn: Callable[..., Any] | None = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """Return the function as it is; also called with options first.

    >>> from taeda._dynamo import disable
    >>> @disable
    ... def double(x):
    ...     return 2 * x
    >>> @disable(recursive=False)
    ... def triple(x):
    ...     return 3 * x
    >>> double(1), triple(1)
    (2, 3)
    """
    return fn if fn is not None else lambda function: function


def allow_in_graph(fn: Any) -> Any:
    """Return the function as it is."""
    return fn


assume_constant_result = allow_in_graph


def reset() -> None:
    """Do nothing: there are no compiled functions to forget."""


_registered: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {}
# PyTorch's names of compilers, all but those of its own tests
_NAMES = frozenset([
    "aot_eager", "aot_eager_decomp_partition", "aot_eager_decomp_partition_crossref", "aot_eager_decomp_partition_with_mode",
    "aot_eager_default_partitioner", "aot_ts", "cudagraphs", "dynamo_accuracy_minifier_backend", "dynamo_minifier_backend", "eager",
    "eager_debug", "eager_noexcept", "inductor", "invoke_subgraph", "openxla", "openxla_eval", "pre_dispatch_eager", "ts", "tvm",
])  # fmt: skip


def register_backend(compiler_fn: Callable[..., Any] | None = None, name: str | None = None, tags: Sequence[str] = ()) -> Any:
    """Let :func:`taeda.compile` take ``name``, or the function's own, for a compiler; a decorator. It is never called.

    >>> import taeda
    >>> @taeda._dynamo.register_backend(name="mine")
    ... def compiler(graph, inputs):
    ...     return graph
    >>> taeda._dynamo.list_backends()
    ['mine']
    """
    if compiler_fn is None:
        return lambda function: register_backend(function, name, tags)
    _registered[name or compiler_fn.__name__] = (compiler_fn, tuple(tags))
    return compiler_fn


def list_backends(exclude_tags: Sequence[str] | None = ("debug", "experimental")) -> list[str]:
    """Return the names of the compilers that the program has registered, all but those of a tag in ``exclude_tags``."""
    return sorted(name for name, (_, tags) in _registered.items() if not set(exclude_tags or ()) & set(tags))


def lookup_backend(compiler_fn: Any) -> Any:
    """Return the compiler of a name; one of PyTorch's gives the graph back as it is. Raises InvalidBackend for an unknown name."""
    if not isinstance(compiler_fn, str):
        return compiler_fn
    if compiler_fn in _registered:
        return _registered[compiler_fn][0]
    if compiler_fn not in _NAMES:
        raise InvalidBackend(compiler_fn)
    return lambda graph, inputs, **options: graph


def warn_once(msg: str, stacklevel: int = 1) -> None:
    """Warn of ``msg``, unless this program has been warned in the same words before."""
    if msg not in _warned:
        _warned.add(msg)
        warnings.warn(msg, stacklevel=stacklevel + 1)


_warned: set[str] = set()


def __getattr__(name: str) -> Any:
    if name != "OptimizedModule":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from taeda.nn.modules._compiled import OptimizedModule

    return OptimizedModule


def _room(name: str, **names: Any) -> types.ModuleType:
    """Return a room of the package, which imports find too."""
    room = types.ModuleType(f"{__name__}.{name}", f"Names of torch._dynamo.{name}.")
    room.__dict__.update(names)
    sys.modules[room.__name__] = room
    return room


__path__: list[str] = []  # a package, so that its rooms can be imported
utils = _room("utils", disable_cache_limit=contextlib.nullcontext, is_compile_supported=lambda device_type: device_type == "cpu",
              warn_once=warn_once)  # fmt: skip
eval_frame = _room("eval_frame", __getattr__=__getattr__)
exc = _room("exc", BackendCompilerFailed=BackendCompilerFailed, InternalTorchDynamoError=InternalTorchDynamoError,
            InvalidBackend=InvalidBackend, TensorifyScalarRestartAnalysis=TensorifyScalarRestartAnalysis,
            TorchDynamoException=TorchDynamoException, Unsupported=Unsupported)  # fmt: skip
config = Switches(f"{__name__}.config", accumulated_cache_size_limit=256, allow_rnn=False, automatic_dynamic_shapes=True,
                  cache_size_limit=8, capture_dynamic_output_shape_ops=False, capture_scalar_outputs=False, inline_inbuilt_nn_modules=True,
                  optimize_ddp=True, recompile_limit=8, suppress_errors=False, verbose=False)  # fmt: skip
_trace_wrapped_higher_order_op = _room("_trace_wrapped_higher_order_op", TransformGetItemToIndex=TransformGetItemToIndex)
