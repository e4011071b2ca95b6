"""Operators of a program's own: a Python function under a name, with derivative, vmap rule and result on the meta device beside it.

``custom_op`` makes one of an annotated function, ``Library`` and ``define`` of a schema.  An operator ``ns::name`` is also
``taeda.ops.ns.name``.  Its kernel runs outside of autograd, which sees one node, a ``Function`` made for the operator.
"""

from __future__ import annotations

import contextlib
import inspect
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from taeda._operator import EARLY_KERNELS, OPERATORS, CustomOpDef, find, split_name
from taeda.schema import FunctionSchema, infer_schema

__all__ = [
    "CustomOpDef", "Library", "custom_op", "define", "fallthrough_kernel", "impl", "impl_abstract", "infer_schema", "register_autocast",
    "register_autograd", "register_fake", "register_kernel", "register_vmap", "triton_op", "wrap_triton",
]  # fmt: skip


def custom_op(
    name: str, fn: Callable[..., Any] | None = None, /, *, mutates_args: str | Iterable[str],
    device_types: str | Sequence[str] | None = None, schema: str | None = None, tags: Any = None,
) -> Any:
    """Make an operator ``namespace::name`` of a function, whose parameters are annotated; use as a decorator.

    ``mutates_args`` names the arguments that it changes in place; ``device_types`` where it can run (None: everywhere); the
    annotations serve as ``schema``.  Raises ValueError for a name without namespace or a parameter without annotation.

    >>> import taeda
    >>> @taeda.library.custom_op("readme::double", mutates_args=())
    ... def double(x: taeda.Tensor) -> taeda.Tensor:
    ...     return 2 * x
    >>> double.register_autograd(lambda ctx, g: 2 * g)
    >>> x = taeda.ones(2, requires_grad=True)
    >>> taeda.ops.readme.double(x).sum().backward()
    >>> x.grad
    tensor([2., 2.])
    """
    if fn is None:
        return lambda fn: custom_op(name, fn, mutates_args=mutates_args, device_types=device_types, schema=schema, tags=tags)
    split_name(name)
    signature = inspect.signature(fn)
    if isinstance(mutates_args, str) and mutates_args != "unknown":
        raise ValueError(f"[custom_op] mutates_args must be a sequence of names, or the string 'unknown'; got the string {mutates_args!r}")
    if schema is None:
        schema = infer_schema(fn, mutates_args=mutates_args)
    info = FunctionSchema(name, schema)
    changed = {a.name for a in info.arguments if a.mutable}
    if mutates_args != "unknown" and changed != set(mutates_args):
        raise ValueError(f"[custom_op] Attempted to create a custom op with `mutates_args={set(mutates_args) or {}}` and "
                         f"`schema={schema}`, according to which the op mutates {changed or {}}; let the two agree")
    if any(a.kwarg_only and "Tensor" in a.type for a in info.arguments):
        raise NotImplementedError(f"[custom_op] custom_op with kwarg-only Tensor args is not supported: {name}{schema}; let them come by "
                                  "position too")
    op = CustomOpDef(name, schema, signature, tags)
    op.register_kernel(device_types, fn)
    return op


def triton_op(
    name: str, fn: Callable[..., Any] | None = None, /, *, mutates_args: str | Iterable[str], schema: str | None = None,
) -> Any:
    """Make an operator of a function that on a GPU would launch Triton's kernels: a :func:`custom_op` that says its results' shapes too.

    >>> import taeda
    >>> @taeda.library.triton_op("readme::halve", mutates_args=())
    ... def halve(x: taeda.Tensor) -> taeda.Tensor:
    ...     return x / 2
    >>> halve(taeda.ones(2)), halve(taeda.ones(2, device="meta")).shape
    (tensor([0.5000, 0.5000]), taeda.Size([2]))
    """
    if fn is None:
        return lambda fn: triton_op(name, fn, mutates_args=mutates_args, schema=schema)
    op = custom_op(name, fn, mutates_args=mutates_args, schema=schema)
    op.register_fake(fn)
    return op


def wrap_triton(triton_kernel: Any, /) -> Any:
    """Raise RuntimeError: no device runs Triton's kernels here."""
    raise RuntimeError("[wrap_triton] only works on functions annotated with triton.jit or triton.autotune, of which none can run here")


def register_kernel(
    op: Any, device_types: str | Sequence[str] | None, func: Callable[..., Any] | None = None, /, *, lib: Any = None
) -> Any:
    """Give an operator, or the one of a name, a kernel for types of devices (None: for all); a decorator without ``func``.

    That of a schema takes dispatch keys too, and ``"default"`` for all devices, as :func:`impl`.

    >>> import taeda
    >>> @taeda.library.custom_op("docs::negated", mutates_args=(), device_types="cuda")
    ... def negated(x: taeda.Tensor) -> taeda.Tensor:
    ...     raise NotImplementedError
    >>> @taeda.library.register_kernel("docs::negated", "cpu")
    ... def negated_cpu(x):
    ...     return -x
    >>> negated(taeda.ones(1))
    tensor([-1.])
    """
    if not isinstance(op, str) or op in OPERATORS:
        known = find(op)
        if not known._of_schema:
            return known.register_kernel(device_types, func)
        op = known._qualname
    return impl(op, "default" if device_types is None else device_types, func, lib=lib)


def register_fake(op: Any, func: Callable[..., Any] | None = None, /, *, lib: Any = None, allow_override: bool = True) -> Any:
    """Say what an operator's results look like on the meta device; a decorator without ``func``.

    >>> import taeda
    >>> @taeda.library.custom_op("docs::outer_product", mutates_args=())
    ... def outer_product(x: taeda.Tensor, y: taeda.Tensor) -> taeda.Tensor:
    ...     return taeda.from_numpy(x.numpy()[:, None] * y.numpy())
    >>> @taeda.library.register_fake("docs::outer_product")
    ... def shape_of_it(x, y):
    ...     return x.new_empty(len(x), len(y))
    >>> outer_product(taeda.ones(2, device="meta"), taeda.ones(3, device="meta")).shape
    taeda.Size([2, 3])
    """
    return find(op).register_fake if func is None else find(op).register_fake(func)


impl_abstract = register_fake            # its name until PyTorch 2.4


def register_autograd(
    op: Any, backward: Callable[..., Any], /, *, setup_context: Callable[..., Any] | None = None, lib: Any = None
) -> None:
    """Give an operator its derivative.

    Args:
        op: the operator or its name.
        backward: called with a context and a gradient for each result; returns a gradient, or None, for each argument.
        setup_context: called with ``ctx``, ``inputs``, ``output`` after each call, to keep what ``backward`` needs.

    >>> import taeda
    >>> @taeda.library.custom_op("docs::cube", mutates_args=())
    ... def cube(x: taeda.Tensor) -> taeda.Tensor:
    ...     return x ** 3
    >>> taeda.library.register_autograd("docs::cube", lambda ctx, g: 3 * ctx.saved_tensors[0] ** 2 * g,
    ...                                 setup_context=lambda ctx, inputs, output: ctx.save_for_backward(inputs[0]))
    >>> x = taeda.tensor([1.0, 2.0], requires_grad=True)
    >>> cube(x).sum().backward()
    >>> x.grad
    tensor([ 3., 12.])
    """
    find(op).register_autograd(backward, setup_context=setup_context)


def register_vmap(op: Any, func: Callable[..., Any] | None = None, /, *, lib: Any = None) -> Any:
    """Give an operator a rule for vmap; a decorator without ``func``.

    ``func(info, in_dims, *args)`` gets batches and where their samples lie, and returns the result with where its own do. Without a rule
    the operator runs once per sample.

    >>> import taeda
    >>> @taeda.library.custom_op("docs::halved", mutates_args=())
    ... def halved(x: taeda.Tensor) -> taeda.Tensor:
    ...     return x / 2
    >>> @taeda.library.register_vmap("docs::halved")
    ... def halved_rule(info, in_dims, x):
    ...     return halved(x), in_dims[0]
    >>> taeda.vmap(halved)(taeda.ones(2, 3)).shape
    taeda.Size([2, 3])
    """
    return find(op).register_vmap(func)


def register_autocast(op: Any, device_type: str, cast_inputs: Any, /, *, lib: Any = None) -> None:
    """Let an operator, or the one of a name, take tensors of floating dtypes in one of them under autocast.

    Args:
        device_type: "cpu" or "cuda".
        cast_inputs: the dtype; float64 tensors stay as they are. The kernel runs without autocast.

    >>> import taeda
    >>> @taeda.library.custom_op("docs::same_kind", mutates_args=())
    ... def same_kind(x: taeda.Tensor) -> taeda.Tensor:
    ...     return x + 1
    >>> taeda.library.register_autocast("docs::same_kind", "cpu", taeda.bfloat16)
    >>> with taeda.autocast("cpu"):
    ...     same_kind(taeda.ones(1)).dtype
    taeda.bfloat16
    """
    find(op).register_autocast(device_type, cast_inputs)


def fallthrough_kernel(*args: Any, **kwargs: Any) -> Any:
    """Stand for no kernel: ``impl`` of it changes nothing. Raises NotImplementedError where it is called.

    >>> import taeda
    >>> taeda.library.define("docs::plain", "(Tensor x) -> Tensor")
    >>> _ = taeda.library.impl("docs::plain", "CPU", lambda x: x + 1)
    >>> _ = taeda.library.impl("docs::plain", "CPU", taeda.library.fallthrough_kernel)
    >>> taeda.ops.docs.plain(taeda.ones(1))
    tensor([2.])
    """
    raise NotImplementedError("[fallthrough_kernel] is given to Library.impl, and never called")


def define(qualname: Any, schema: str, alias_analysis: str = "", *, lib: Any = None, tags: Any = ()) -> Any:
    """Make an operator of a schema, as ``"(Tensor x) -> Tensor"``; ``impl`` gives it kernels.

    With a Library in place of the name, the schema has the name in front, and the result is a decorator for its kernel.

    Raises:
        ValueError: the schema has no parenthesis in front.
        RuntimeError: there is an operator of that name already.

    >>> import taeda
    >>> taeda.library.define("docs::square", "(Tensor x) -> Tensor")
    >>> @taeda.library.impl("docs::square", "default")
    ... def square(x):
    ...     return x * x
    >>> taeda.ops.docs.square(taeda.tensor([3.0]))
    tensor([9.])
    """
    if isinstance(qualname, Library):
        name, library = qualname.define(schema, alias_analysis, tags=tags), qualname
        return lambda func: impl(library, name, func=func)
    if not schema.lstrip().startswith("("):
        raise ValueError(f"[define] a schema must look like '(Tensor x) -> Tensor', got {schema!r}")
    if qualname in OPERATORS:
        raise RuntimeError(f"[define] there is an operator {qualname} already")
    op = CustomOpDef(qualname, schema.strip(), tags=tags)
    if lib is not None:
        lib._made.append(op)
    return None


def impl(
    qualname: Any, types: str | Sequence[str], dispatch_key: Any = "", func: Callable[..., Any] | None = None, *, lib: Any = None
) -> Any:
    """Give an operator a kernel for ``types``: devices, or PyTorch's dispatch keys (``CPU``, ``Meta``, ``CompositeImplicitAutograd``).

    An operator of that name may be defined later. Without a function, a decorator.  ``impl(library, name, dispatch_key)`` names the
    operator by its Library.

    >>> import taeda
    >>> taeda.library.define("docs::plus_one", "(Tensor x) -> Tensor")
    >>> @taeda.library.impl("docs::plus_one", "CPU")
    ... def plus_one(x):
    ...     return x + 1
    >>> taeda.ops.docs.plus_one(taeda.zeros(2))
    tensor([1., 1.])
    """
    if func is None and callable(dispatch_key):                  # impl(name, types, func)
        dispatch_key, func = "", dispatch_key
    if func is None:
        return lambda func: impl(qualname, types, dispatch_key, func, lib=lib)
    if isinstance(qualname, Library):
        qualname.impl(types, func, dispatch_key)
        return func
    for key in () if func is fallthrough_kernel else (types,) if isinstance(types, str) else types:
        if isinstance(qualname, str) and qualname not in OPERATORS and split_name(qualname)[0] != "aten":
            EARLY_KERNELS.setdefault(qualname, []).append((key, func))
            continue
        op = find(qualname)
        before = dict(op._kernels)
        name = op._take_kernel(key, func)
        if lib is not None:
            lib._given.append((op, name, func, before.get(name)))
    return func


class Library:
    """A namespace to define operators in (``kind`` "DEF" or "FRAGMENT") or to give kernels to (also "IMPL").

    What was defined and given through it goes with the object, so a program keeps it as long as it calls the operators.

    Args:
        ns: the namespace.
        dispatch_key: of the kernels that ``impl`` gives; all devices by default.

    Raises:
        ValueError: another kind.

    >>> import taeda
    >>> from taeda.library import Library
    >>> library = Library("docs_library", "DEF")
    >>> library.define("triple(Tensor x) -> Tensor")
    'triple'
    >>> library.impl("triple", lambda x: 3 * x, "CompositeImplicitAutograd")
    >>> taeda.ops.docs_library.triple(taeda.ones(2))
    tensor([3., 3.])
    """

    def __init__(self, ns: str, kind: str, dispatch_key: str = "") -> None:
        if kind not in ("DEF", "FRAGMENT", "IMPL"):
            raise ValueError(f"[Library] unsupported kind {kind!r}; it is DEF, FRAGMENT or IMPL")
        self.ns, self.kind, self.dispatch_key = ns, kind, dispatch_key
        self._made: list[CustomOpDef] = []
        self._given: list[tuple[CustomOpDef, str, Any, Any]] = []             # operator, device, kernel, the one before
        self._end = weakref.finalize(self, _take_back, self._made, self._given)
        self._end.atexit = False

    def define(self, schema: str, alias_analysis: str = "", *, tags: Any = ()) -> str:
        """Make an operator of a schema with a name, as ``"double(Tensor x) -> Tensor"``; return the name."""
        name, opening, rest = schema.strip().partition("(")
        namespace, _, own = name.strip().rpartition("::")
        if namespace not in ("", self.ns):
            raise RuntimeError(f"[Library.define] Explicitly provided namespace ({namespace}) in schema string does not match namespace of "
                               f"the library ({self.ns}); leave it out of the schema")
        define(f"{self.ns}::{own}", opening + rest, lib=self, tags=tags)
        return name.strip()

    def impl(
        self, op_name: Any, fn: Callable[..., Any], dispatch_key: str = "", *, with_keyset: bool = False, allow_override: bool = True
    ) -> None:
        """Give an operator a kernel for a dispatch key (the library's own by default)."""
        name = find(op_name)._qualname if not isinstance(op_name, str) else op_name if "::" in op_name else f"{self.ns}::{op_name}"
        impl(name, dispatch_key or self.dispatch_key, fn, lib=self)

    def _destroy(self) -> None:
        """Take back what was defined and given through this object."""
        self._end()


def _take_back(made: list[CustomOpDef], given: list[tuple[CustomOpDef, str, Any, Any]]) -> None:
    for op, key, kernel, before in reversed(given):
        if op._kernels.get(key) is kernel:
            if before is None:
                del op._kernels[key]
            else:
                op._kernels[key] = before
    for op in made:
        op._forget()
    made.clear()
    given.clear()


@contextlib.contextmanager
def _scoped_library(ns: str, kind: str, dispatch_key: str = "") -> Iterator[Library]:
    """A :class:`Library` whose operators and kernels are there within the block."""
    made = Library(ns, kind, dispatch_key)
    try:
        yield made
    finally:
        made._destroy()


def __getattr__(name: str) -> Any:
    if name in ("opcheck", "OpCheckError"):
        from taeda import opcheck  # it tries the operators that are made here

        return getattr(opcheck, name)
    raise AttributeError(f"module 'taeda.library' has no attribute {name!r}")
