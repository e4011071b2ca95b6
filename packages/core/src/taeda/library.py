"""Operators of a program's own: a Python function under a name, with derivative, vmap rule and result on the meta device beside it.

``custom_op`` makes one of an annotated function, ``Library`` and ``define`` of a schema.  An operator ``ns::name`` is also
``taeda.ops.ns.name``.  Its kernel runs outside of autograd, which sees one node, a ``Function`` made for the operator.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from taeda import ops
from taeda._aten import operators
from taeda._override import call_overrides, mode_stack
from taeda.autograd.function import Function
from taeda.autograd.graph import increment_version
from taeda.schema import infer_schema
from taeda.tensor import Tensor

__all__ = [
    "CustomOpDef", "Library", "custom_op", "define", "impl", "impl_abstract", "infer_schema", "register_autograd", "register_fake",
    "register_kernel", "register_vmap", "triton_op", "wrap_triton",
]  # fmt: skip

_OPS: dict[str, CustomOpDef] = {}            # "ns::name" -> operator
_EARLY: dict[str, list[tuple[str | None, Callable[..., Any]]]] = {}         # kernels of operators that are not defined yet


def _parts(qualname: str) -> tuple[str, str]:
    namespace, _, name = qualname.partition("::")
    if not namespace.isidentifier() or not name.isidentifier():
        raise ValueError(f"[custom_op] an operator's name must be 'namespace::name', got {qualname!r}")
    return namespace, name


class CustomOpDef:
    """An operator of a program's own, as :func:`custom_op` makes it; call it as the function that it was made of.

    >>> import taeda
    >>> @taeda.library.custom_op("docs::third", mutates_args=())
    ... def third(x: taeda.Tensor) -> taeda.Tensor:
    ...     return x / 3
    >>> third, third(taeda.tensor([3.0]))
    (<CustomOpDef(docs::third)>, tensor([1.]))
    """

    def __init__(self, qualname: str, mutates: str | Iterable[str] = (), signature: inspect.Signature | None = None) -> None:
        namespace, name = _parts(qualname)
        self._namespace, self._name, self._qualname = namespace, name, qualname
        self._written_schema: str | None = None                 # as it was given, else read off the annotations
        self._mutates, self._signature = ((mutates,) if isinstance(mutates, str) and mutates != "unknown" else mutates), signature
        self._kernels: dict[str, Callable[..., Any]] = {}       # by type of device; "" for all
        self._fake: Callable[..., Any] | None = None
        self._backward: Callable[..., Any] | None = None
        self._setup: Callable[..., Any] | None = None
        self._vmap: Callable[..., Any] | None = None
        self._function: Any = type(f"GeneratedBackwardFor_{namespace}_{name}_default", (_Node,), {})
        self._prototype: Any = None
        self._packet = OpOverloadPacket(self)
        _OPS[qualname] = self
        _show(self)
        for device, kernel in _EARLY.pop(qualname, ()):
            self.register_kernel(device, kernel)

    @property
    def default(self) -> OpOverload:
        """The operator's one overload."""
        return self._packet.default

    @property
    def _opoverload(self) -> OpOverload:
        return self._packet.default

    @property
    def _schema(self) -> str:
        """The operator's schema without its name."""
        if self._written_schema is None:
            self._written_schema = infer_schema(self._prototype, mutates_args=self._mutates)
        return self._written_schema

    def __repr__(self) -> str:
        return f"<CustomOpDef({self._qualname})>"

    # -- what stands beside the kernel -------------------------------------------------------------

    def register_kernel(self, device_types: str | Sequence[str] | None, fn: Callable[..., Any] | None = None) -> Callable[..., Any]:
        """Let ``fn`` compute on these types of devices (None: on all)."""
        if fn is None:
            return lambda fn: self.register_kernel(device_types, fn)
        for device in (device_types,) if device_types is None or isinstance(device_types, str) else device_types:
            self._kernels["" if device is None else device.lower()] = fn
        return fn

    def register_fake(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        """Let ``fn`` say what results look like: it is called for tensors on the meta device."""
        self._fake = fn
        return fn

    def register_autograd(self, backward: Callable[..., Any], /, *, setup_context: Callable[..., Any] | None = None) -> None:
        """Let ``backward(ctx, *grads)`` return a gradient for each input; ``setup_context(ctx, inputs, output)`` keeps what it needs."""
        self._backward, self._setup = backward, setup_context

    def register_vmap(self, fn: Callable[..., Any] | None = None) -> Callable[..., Any]:
        """Let ``fn(info, in_dims, *args)`` return ``(output, out_dims)`` under vmap; without it the operator runs once a sample."""
        if fn is None:
            return self.register_vmap
        self._vmap = fn
        return fn

    # -- a call ------------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._packet.default(*args, **kwargs)

    def _run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        args, kwargs = self._bound(args, kwargs)
        places, tensors = _taken_out(args)
        if self._signature is None and self._backward is None:   # of a schema: autograd follows what the kernel does
            return self._compute(args, kwargs)
        lists: list[Any] = []
        made = self._function.apply((self, places, kwargs, lists), *tensors)
        if not lists:
            return made
        results, several = lists[0]
        found = _put_back(results, made)
        return found if several else found[0]

    def _bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments in the order of the signature, defaults filled in; those that are by keyword only apart."""
        if self._signature is None:
            return args, kwargs
        try:
            bound = self._signature.bind(*args, **kwargs)
        except TypeError as error:
            raise RuntimeError(f"[{self._qualname}] {error}; the operator is {self._qualname}{self._signature}") from None
        bound.apply_defaults()
        for name, value in bound.arguments.items():
            kind = self._signature.parameters[name].annotation
            if (kind is Tensor or (isinstance(kind, str) and kind.endswith("Tensor"))) and not isinstance(value, Tensor):
                raise RuntimeError(f"[{self._qualname}] expected a Tensor for argument {name!r}, got {type(value).__name__}")
        return bound.args, bound.kwargs

    def _given(self, places: Sequence[Any]) -> int:
        """Return how many arguments there are without those at the end that are their defaults: a vmap rule is given no others."""
        count = len(places)
        known = list(self._signature.parameters.values()) if self._signature is not None else []
        while 0 < count <= len(known):
            last = places[count - 1]
            if isinstance(last, (_Place, list)) or last != known[count - 1].default:
                break
            count -= 1
        return count

    def _compute(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run the kernel of the arguments' device."""
        tensors = _taken_out((*args, *kwargs.values()))[1]
        device = next((t.device.type for t in tensors), "cpu")
        anywhere = self._signature is None and "" in self._kernels            # a schema's kernel for all devices computes shapes too
        if device == "meta" and self._fake is None and "meta" not in self._kernels and not anywhere:
            raise RuntimeError(f"[{self._qualname}] there was no fake impl registered for {self!r}, which a call with tensors on the meta "
                               "device needs; use register_fake")
        kernel = self._fake if device == "meta" and self._fake is not None else self._kernels.get(device, self._kernels.get(""))
        if kernel is None:
            raise NotImplementedError(f"[{self._qualname}] no kernel for device {device!r}; there are some for {sorted(self._kernels)}")
        found = kernel(*args, **kwargs)
        if self._signature is None:
            return found
        self._check_results(found, tensors)
        for name, value in zip(self._signature.parameters, args, strict=False):
            if self._mutates == "unknown" or name in self._mutates:
                for t in _taken_out((value,))[1]:
                    increment_version(t)
        return found

    def _check_results(self, found: Any, tensors: list[Any]) -> None:
        memories = {t.untyped_storage().data_ptr() for t in tensors if t.numel() and not t.is_meta}
        for out in found if isinstance(found, (tuple, list)) else (found,):
            if isinstance(out, Tensor) and (any(out is t for t in tensors) or (
                    not out.is_meta and out.numel() and out.untyped_storage().data_ptr() in memories)):
                raise RuntimeError(f"[{self._qualname}] the output of this custom operator must not also be an input to it and may not "
                                   f"alias any inputs: an output of shape {tuple(out.shape)} does; return a clone of it")


class _Place(int):
    """Where a tensor stood among the arguments: its number."""


def _taken_out(args: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Return the arguments with a _Place for each tensor, also of lists, and the tensors."""
    tensors: list[Any] = []
    return [_placed(x, tensors) for x in args], tensors


def _placed(x: Any, tensors: list[Any]) -> Any:
    if isinstance(x, Tensor):
        tensors.append(x)
        return _Place(len(tensors) - 1)
    if isinstance(x, (list, tuple)) and any(isinstance(y, Tensor) for y in x):
        return [_placed(y, tensors) for y in x]
    return x


def _put_back(places: Sequence[Any], values: Sequence[Any], other: Callable[[Any], Any] = lambda x: x) -> tuple[Any, ...]:
    """Return the arguments with ``values`` for the tensors, and ``other(x)`` for what is none."""
    return tuple(_value(x, values, other) for x in places)


def _value(x: Any, values: Sequence[Any], other: Callable[[Any], Any]) -> Any:
    if isinstance(x, _Place):
        return values[x]
    return [_value(y, values, other) for y in x] if isinstance(x, list) and any(isinstance(y, _Place) for y in x) else other(x)


class _Node(Function):
    """A call of an operator as one step of the graph."""

    @staticmethod
    def forward(ctx: Any, call: Any, *tensors: Any) -> Any:
        op, places, kwargs, lists = call
        ctx.call, ctx.results = (op, places), None
        args = _put_back(places, tensors)
        found = op._compute(args, kwargs)
        ctx.needs_input_grad = _put_back(places, ctx.needs_input_grad[1:], lambda x: False)
        if op._setup is not None:
            more = {"keyword_only_inputs": kwargs} if kwargs else {}
            op._setup(ctx=ctx, inputs=args, output=found, **more)
        several = isinstance(found, tuple)
        if not isinstance(found, list) and not (several and any(isinstance(x, (list, tuple)) for x in found)):
            return found
        ctx.results, flat = _taken_out(found if several else (found,))
        lists.append((ctx.results, several))
        return tuple(flat)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        op, places = ctx.call
        if op._backward is None:
            raise RuntimeError(f"[{op._qualname}] Trying to backward through {op._namespace}.{op._name}.default but no autograd formula "
                               "was registered. Please use register_autograd to add one.")
        if ctx.results is not None:                              # a list of results gets a list of gradients
            grads = _put_back(ctx.results, grads, lambda x: None)
        found = op._backward(ctx, *grads)
        found = found if isinstance(found, tuple) else (found,)
        if len(found) != len(places):
            raise RuntimeError(f"[{op._qualname}] expected a gradient or None for each of the {len(places)} inputs, got {len(found)}")
        flat: list[Any] = [None]
        for place, g in zip(places, found, strict=True):
            if isinstance(place, _Place):
                flat.append(g)
            elif isinstance(place, list):
                several = [None] * len(place) if g is None else g
                flat += [h for p, h in zip(place, several, strict=True) if isinstance(p, _Place)]
        return tuple(flat)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], call: Any, *tensors: Any) -> Any:
        op, places, kwargs, _ = call
        if op._vmap is not None:
            given = places[: op._given(places)]
            return op._vmap(info, _put_back(given, in_dims[1:], lambda x: None), *_put_back(given, tensors), **kwargs)
        rows = [op(*_put_back(places, [t if d is None else t.select(d, i) for t, d in zip(tensors, in_dims[1:], strict=True)]), **kwargs)
                for i in range(info.batch_size)]
        from taeda.func.pytree import tree_flatten, tree_unflatten

        spec = tree_flatten(rows[0])[1]
        columns = zip(*(tree_flatten(row)[0] for row in rows), strict=True)
        found = [(ops.stack(column), 0) if isinstance(column[0], Tensor) else (column[0], None) for column in columns]
        return tree_unflatten([x for x, _ in found], spec), tree_unflatten([d for _, d in found], spec)


# -- the operators by name ---------------------------------------------------------------------------


class FunctionSchema:
    """What an operator takes and returns, as text; ``arguments`` have names."""

    class Argument:
        """One argument of a schema."""

        def __init__(self, text: str, kwarg_only: bool) -> None:
            self._text, self.kwarg_only = text, kwarg_only
            self.name = text.partition("=")[0].split()[-1]

        def __repr__(self) -> str:
            return self._text

    def __init__(self, name: str, text: str) -> None:
        self.name, self.overload_name, self._text = name, "", text
        inside = text[text.index("(") + 1 : text.rindex("->")].strip().removesuffix(")")
        parts = [part.strip() for part in re.split(r",(?![^(\[]*[)\]])", inside) if part.strip()]
        star = parts.index("*") if "*" in parts else len(parts)
        self.arguments = [self.Argument(part, i > star) for i, part in enumerate(parts) if part != "*"]

    def __str__(self) -> str:
        return f"{self.name}{self._text}"

    __repr__ = __str__


class OpOverload(operators.OpOverload):
    """The overload of an operator of a program's own; call it as the operator."""

    _overloadname = "default"

    def __init__(self, packet: OpOverloadPacket) -> None:
        self.overloadpacket, self._of = packet, packet._of
        self.namespace, self._opname = self._of._namespace, self._of._name
        self.__name__, self.__module__ = f"{self._opname}.default", f"taeda.ops.{self.namespace}"

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        recorded = operators.record(self, args, kwargs)
        if recorded is not None:
            return recorded
        if mode_stack():                            # a mode sees the operator, not what its kernel calls
            return call_overrides(self, None, [], args, kwargs)
        return self._of._run(args, kwargs)

    def name(self) -> str:
        """Return the name with its namespace."""
        return self._of._qualname

    @property
    def _schema(self) -> FunctionSchema:
        return FunctionSchema(self._of._qualname, self._of._schema)

    def __str__(self) -> str:
        return f"{self.namespace}.{self.__name__}"

    def __repr__(self) -> str:
        return f"<OpOverload(op='{self.namespace}.{self._opname}', overload='default')>"


class OpOverloadPacket(operators.OpOverloadPacket):
    """``taeda.ops.ns.name``: an operator of a program's own, with its overload ``default``; call it as the operator."""

    def __init__(self, op: CustomOpDef) -> None:
        self._of, self._qualified_op_name = op, op._qualname
        self.__name__, self.__module__ = op._name, f"taeda.ops.{op._namespace}"
        self.default = OpOverload(self)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        recorded = operators.record(self, args, kwargs)
        return self._of(*args, **kwargs) if recorded is None else recorded

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"[library] The underlying op of '{self}' has no overload name '{name}'")

    def overloads(self) -> list[str]:
        """Return the names of the overloads: one."""
        return ["default"]

    def __str__(self) -> str:
        return f"{self._of._namespace}.{self._of._name}"

    def __repr__(self) -> str:
        return f"<OpOverloadPacket(op='{self}')>"


class _Namespace:
    """``taeda.ops.ns``: the operators of one namespace."""

    def __init__(self, name: str) -> None:
        self._of = name

    def __getattr__(self, name: str) -> OpOverloadPacket:
        op = _OPS.get(f"{self._of}::{name}")
        if op is None:
            raise AttributeError(f"[library] there is no operator {self._of}::{name}; operators of this namespace: "
                                 f"{sorted(n.partition('::')[2] for n in _OPS if n.startswith(self._of + '::'))}")
        return op._packet


def _show(op: CustomOpDef) -> None:
    """Let ``taeda.ops`` have the operator's namespace, unless it has something else of that name."""
    if not hasattr(ops, op._namespace):
        setattr(ops, op._namespace, _Namespace(op._namespace))


def _find(op: Any) -> CustomOpDef:
    if isinstance(op, (OpOverload, OpOverloadPacket)):
        op = op._of
    found = op if isinstance(op, CustomOpDef) else _OPS.get(op)
    if found is None:
        raise RuntimeError(f"[library] there is no operator {op!r}; make it with custom_op or define first")
    return found


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
    _parts(name)
    signature = inspect.signature(fn)
    for p in signature.parameters.values():
        if p.annotation is p.empty and schema is None:
            raise ValueError(f"[custom_op] Parameter {p.name} must have a type annotation. Got func with signature {signature}")
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            raise ValueError(f"[custom_op] *args and **kwargs are not allowed. Got func with signature {signature}")
    op = CustomOpDef(name, mutates_args, signature)
    op._prototype, op._written_schema = fn, schema
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
    return _find(op).register_kernel(device_types, func)


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
    return _find(op).register_fake if func is None else _find(op).register_fake(func)


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
    _find(op).register_autograd(backward, setup_context=setup_context)


def register_vmap(op: Any, func: Callable[..., Any] | None = None, /, *, lib: Any = None) -> Any:
    """Give an operator a rule for vmap; a decorator without ``func``.

    ``func(info, in_dims, *args)`` gets batches and where their samples lie, and returns the result with where its own do. Without a rule
    the operator runs once a sample.

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
    return _find(op).register_vmap(func)


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
    if qualname in _OPS:
        raise RuntimeError(f"[define] there is an operator {qualname} already")
    CustomOpDef(qualname)._written_schema = schema.strip()
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
    for key in (types,) if isinstance(types, str) else types:
        device = None if key in ("", "default") or key.startswith("Composite") else key
        if isinstance(qualname, str) and qualname not in _OPS and _parts(qualname)[0] != "aten":
            _EARLY.setdefault(qualname, []).append((device, func))
        else:
            _find(qualname).register_kernel(device, func)
    return func


class Library:
    """A namespace to define operators in (``kind`` "DEF" or "FRAGMENT") or to give kernels to (also "IMPL").

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

    def define(self, schema: str, alias_analysis: str = "", *, tags: Any = ()) -> str:
        """Make an operator of a schema with a name, as ``"double(Tensor x) -> Tensor"``; return the name."""
        name, opening, rest = schema.strip().partition("(")
        namespace, _, own = name.strip().rpartition("::")
        if namespace not in ("", self.ns):
            raise RuntimeError(f"[Library.define] Explicitly provided namespace ({namespace}) in schema string does not match namespace of "
                               f"the library ({self.ns}); leave it out of the schema")
        define(f"{self.ns}::{own}", opening + rest)
        return name.strip()

    def impl(
        self, op_name: Any, fn: Callable[..., Any], dispatch_key: str = "", *, with_keyset: bool = False, allow_override: bool = True
    ) -> None:
        """Give an operator a kernel for a dispatch key (the library's own by default)."""
        name = _find(op_name)._qualname if not isinstance(op_name, str) else op_name if "::" in op_name else f"{self.ns}::{op_name}"
        impl(name, dispatch_key or self.dispatch_key, fn)


def __getattr__(name: str) -> Any:
    if name in ("opcheck", "OpCheckError"):
        from taeda import opcheck                       # it tries the operators that are made here

        return getattr(opcheck, name)
    raise AttributeError(f"module 'taeda.library' has no attribute {name!r}")
