"""Operators of a program's own: a Python function under a name, with derivative, vmap rule and result on the meta device beside it.

``custom_op`` makes one of an annotated function, ``Library`` and ``define`` of a schema.  An operator ``ns::name`` is also
``taeda.ops.ns.name``.  Its kernel runs outside of autograd, which sees one node, a ``Function`` made for the operator.
"""

from __future__ import annotations

import contextlib
import inspect
import logging
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from taeda import amp, ops
from taeda._operator_names import OpOverload, OpOverloadPacket, is_below_autograd
from taeda._operator_node import Node, Place, put_back, taken_out
from taeda.amp.casting import is_autocast_enabled
from taeda.autograd.grad_mode import is_grad_enabled
from taeda.autograd.graph import increment_version
from taeda.device import device as taeda_device
from taeda.dtype import float64
from taeda.func.batched import are_active
from taeda.func.pytree import tree_map
from taeda.schema import FunctionSchema, Tag, converted, infer_schema
from taeda.tensor import Tensor

__all__ = [
    "CustomOpDef", "Library", "custom_op", "define", "fallthrough_kernel", "impl", "impl_abstract", "infer_schema", "register_autocast",
    "register_autograd", "register_fake", "register_kernel", "register_vmap", "triton_op", "wrap_triton",
]  # fmt: skip

_OPS: dict[str, CustomOpDef] = {}            # "ns::name" or "ns::name.overload" -> operator
_PACKETS: dict[str, OpOverloadPacket] = {}   # "ns::name" -> its overloads
_EARLY: dict[str, list[tuple[str | None, Callable[..., Any]]]] = {}         # kernels of operators that are not defined yet
_ABOVE = ("autograd", "autogradcpu")            # keys of kernels that make the graph themselves
_LOG = logging.getLogger(__name__)


def _parts(qualname: str) -> tuple[str, str, str]:
    """Return namespace, name and overload ("default" unless it is named)."""
    namespace, _, rest = qualname.partition("::")
    name, dot, overload = rest.partition(".")
    if not namespace.isidentifier() or not name.isidentifier() or (dot and not overload.isidentifier()):
        raise ValueError(f"[custom_op] an operator's name must be 'namespace::name', got {qualname!r}")
    return namespace, name, overload or "default"


def _cast(x: Any, device: str, kind: Any) -> Any:
    """Return an argument in autocast's dtype, if it is of those that autocast changes."""
    if isinstance(x, Tensor) and x.is_floating_point() and x.device.type == device and x.dtype != float64:
        return x.to(kind)
    return x


class CustomOpDef:
    """An operator of a program's own, as :func:`custom_op` makes it; call it as the function that it was made of.

    >>> import taeda
    >>> @taeda.library.custom_op("docs::third", mutates_args=())
    ... def third(x: taeda.Tensor) -> taeda.Tensor:
    ...     return x / 3
    >>> third, third(taeda.tensor([3.0]))
    (<CustomOpDef(docs::third)>, tensor([1.]))
    """

    def __init__(self, qualname: str, schema: str, signature: inspect.Signature | None = None, tags: Any = ()) -> None:
        self._namespace, name, overload = _parts(qualname)
        self._name, self._qualname, self._schema = qualname.partition("::")[2], qualname, schema
        self._info = FunctionSchema(f"{self._namespace}::{name}", schema, "" if overload == "default" else overload)
        self._of_schema = signature is None                     # its kernels may be what autograd follows, and return their inputs
        self._signature = self._info.signature() if signature is None else signature
        self._tags = [tags] if isinstance(tags, Tag) else list(tags or ())
        self._kernels: dict[str, Callable[..., Any]] = {}       # by type of device; "" for all
        self._disabled: set[str] = set()
        self._fake: Callable[..., Any] | None = None
        self._backward: Callable[..., Any] | None = None
        self._setup: Callable[..., Any] | None = None
        self._vmap: Callable[..., Any] | None = None
        self._casts: dict[str, Any] = {}                        # by type of device: the dtype of its arguments under autocast
        self._function: Any = type(f"GeneratedBackwardFor_{self._namespace}_{name}_{overload}", (Node,), {})
        packet = _PACKETS.get(f"{self._namespace}::{name}")
        if packet is None:
            packet = _PACKETS[f"{self._namespace}::{name}"] = OpOverloadPacket(self._namespace, name)
        self._opoverload = OpOverload(packet, self, overload)
        packet._take(overload, self._opoverload)
        _OPS[qualname] = self
        _show(self)
        for device, kernel in _EARLY.pop(qualname, ()):
            self.register_kernel(device, kernel)

    @property
    def default(self) -> OpOverload:
        """The operator's one overload."""
        return self._opoverload

    def __repr__(self) -> str:
        return f"<CustomOpDef({self._qualname})>"

    def _forget(self) -> None:
        """Take the name away again, if it is still this operator's."""
        if _OPS.get(self._qualname) is self:
            del _OPS[self._qualname]
            packet: Any = self._opoverload.overloadpacket
            packet._drop(self._opoverload._overloadname)
            if not packet._overloads:
                del _PACKETS[packet._qualified_op_name]

    # -- what stands beside the kernel -------------------------------------------------------------

    def register_kernel(self, device_types: str | Sequence[str] | None, fn: Callable[..., Any] | None = None) -> Callable[..., Any]:
        """Let ``fn`` compute on these types of devices (None: on all).

        Raises:
            ValueError: the operator has neither a tensor nor a ``device`` among its arguments, by which a kernel could be chosen.
        """
        if fn is None:
            return lambda fn: self.register_kernel(device_types, fn)
        named = device_types is not None and not self._of_schema
        if named and not any("Tensor" in a.type or (a.name, a.type) == ("device", "Device") for a in self._info.arguments):
            raise ValueError(f"[{self._qualname}] Functions without tensor inputs are required to have a `device: torch.device` argument, "
                             f"by which a kernel for {device_types!r} is chosen; got {self._schema}")
        for device in (device_types,) if device_types is None or isinstance(device_types, str) else device_types:
            self._kernels["" if device is None else device.lower()] = fn
        return fn

    @contextlib.contextmanager
    def set_kernel_enabled(self, device_type: str, enabled: bool = True) -> Iterator[None]:
        """Switch the kernel for a type of device off, or on again, within a block: the one for all devices computes instead."""
        if device_type not in self._kernels:
            _LOG.warning("Attempted to set kernel enabled state of %s for %s, but no kernel was registered for this device type.",
                         self._qualname, device_type)
        if enabled is (device_type not in self._disabled):
            _LOG.warning("Attempted to %s the kernel of %s for %s, but it was already %sd.", "enable" if enabled else "disable",
                         self._qualname, device_type, "enable" if enabled else "disable")
        were = set(self._disabled)
        (self._disabled.discard if enabled else self._disabled.add)(device_type)
        try:
            yield
        finally:
            self._disabled = were

    def register_fake(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        """Let ``fn`` say what results look like: it is called for tensors on the meta device."""
        self._fake = fn
        return fn

    def register_autograd(self, backward: Callable[..., Any], /, *, setup_context: Callable[..., Any] | None = None) -> None:
        """Let ``backward(ctx, *grads)`` return a gradient for each input; ``setup_context(ctx, inputs, output)`` keeps what it needs.

        Raises:
            RuntimeError: the operator changes an argument, or returns none or nothing but its arguments' memory: it has no derivative.
            NotImplementedError: tensors among the arguments that are by keyword only.
        """
        if not self._info.is_functional:
            raise RuntimeError(f"[{self._qualname}] Cannot register autograd formula for non-functional operator {self._opoverload} with "
                               f"schema {self._info}. Please create a functional operator and register an autograd formula for that.")
        self._refuse_tensors_by_keyword("register_autograd")
        self._backward, self._setup = backward, setup_context

    def register_vmap(self, fn: Callable[..., Any] | None = None) -> Callable[..., Any]:
        """Let ``fn(info, in_dims, *args)`` return ``(output, out_dims)`` under vmap; without it the operator runs once a sample."""
        if fn is None:
            return self.register_vmap
        self._refuse_tensors_by_keyword("register_vmap")
        self._vmap = fn
        return fn

    def register_autocast(self, device_type: str, cast_inputs: Any) -> None:
        """Let tensors of floating dtypes but float64 come as ``cast_inputs`` under autocast, which the kernel does not see."""
        if device_type not in ("cpu", "cuda"):
            raise ValueError(f"[register_autocast] Unknown device_type {device_type!r}; expected 'cpu' or 'cuda'")
        self._casts[device_type] = cast_inputs

    def _refuse_tensors_by_keyword(self, what: str) -> None:
        if any(a.kwarg_only and "Tensor" in a.type for a in self._info.arguments):
            raise NotImplementedError(f"[{what}] with kwarg-only Tensor args is not supported: the operator is {self._info}; let them come "
                                      "by position too")

    # -- a call ------------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._opoverload(*args, **kwargs)

    def _run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        args, kwargs = self._bound(args, kwargs)
        for device, kind in self._casts.items():
            if is_autocast_enabled(device):
                with amp.autocast(device, enabled=False):
                    return self._run(*tree_map(lambda x, d=device, k=kind: _cast(x, d, k), (args, kwargs)))
        above = next((self._kernels[key] for key in _ABOVE if key in self._kernels), None) if self._of_schema else None
        if above is not None and not is_below_autograd():
            return above(*args, **kwargs)
        places, tensors = taken_out(args)
        ruled = self._backward is not None or (self._vmap is not None and are_active())
        if self._of_schema and not ruled:                        # of a schema: autograd and vmap follow what the kernel does
            return self._compute(args, kwargs)
        lists: list[Any] = []
        wanted = is_grad_enabled() and any(t.requires_grad for t in tensors)
        made = self._function.apply((self, places, kwargs, lists, wanted), *tensors)
        if not lists:
            return made
        results, several = lists[0]
        found = put_back(results, made)
        return found if several else found[0]

    def _bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments in the order of the signature, defaults filled in; those that are by keyword only apart."""
        if self._signature is None:
            return args, kwargs
        try:
            bound = self._signature.bind(*args, **kwargs)
        except TypeError as error:
            raise RuntimeError(f"[{self._qualname}] {error}; the operator is {self._info}") from None
        for known in self._info.arguments:
            if known.name not in bound.arguments:               # a default is what it is
                continue
            value = bound.arguments[known.name]
            try:
                bound.arguments[known.name] = converted(value, known.type)
            except TypeError:
                kind = "Tensor" if known.type == "Tensor" else f"value of type {known.type!r}"
                raise RuntimeError(f"[{self._qualname}] expected a {kind} for argument {known.name!r}, got {type(value).__name__}; the "
                                   f"operator is {self._info}") from None
        bound.apply_defaults()
        return bound.args, bound.kwargs

    def _given(self, places: Sequence[Any]) -> int:
        """Return how many arguments there are without those at the end that are their defaults: a vmap rule is given no others."""
        count = len(places)
        known = list(self._signature.parameters.values()) if self._signature is not None else []
        while 0 < count <= len(known):
            last = places[count - 1]
            if isinstance(last, (Place, list)) or last != known[count - 1].default:
                break
            count -= 1
        return count

    def _kernel_for(self, args: tuple[Any, ...], kwargs: dict[str, Any], tensors: list[Any]) -> Callable[..., Any]:
        """Return what computes on the device of the tensors, or on the one that the arguments name."""
        device = next((t.device.type for t in tensors), None)
        if device is None and not self._of_schema:
            named = {a.name: value for a, value in zip(self._info.arguments, args, strict=False)} | kwargs
            device = taeda_device(named["device"]).type if named.get("device") is not None else None
        device = device or "cpu"
        anywhere = self._of_schema and "" in self._kernels                    # a schema's kernel for all devices computes shapes too
        if device == "meta" and self._fake is not None:
            return self._fake
        if device == "meta" and "meta" not in self._kernels and not anywhere:
            raise RuntimeError(f"[{self._qualname}] there was no fake impl registered for {self!r}, which a call with tensors on the meta "
                               "device needs; use register_fake")
        kernel = None if device in self._disabled else self._kernels.get(device)
        kernel = self._kernels.get("") if kernel is None else kernel
        if kernel is None:
            raise NotImplementedError(f"[{self._qualname}] no kernel for device {device!r}; there are some for {sorted(self._kernels)}")
        return kernel

    def _compute(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run the kernel of the arguments' device."""
        tensors = taken_out((*args, *kwargs.values()))[1]
        found = self._kernel_for(args, kwargs, tensors)(*args, **kwargs)
        if self._of_schema:
            return found
        self._check_results(found, tensors)
        for known, value in zip(self._info.arguments, (*args, *kwargs.values()), strict=False):
            if known.mutable:
                for t in taken_out((value,))[1]:
                    increment_version(t)
        return found

    def _check_results(self, found: Any, tensors: list[Any]) -> None:
        memories = {t.untyped_storage().data_ptr() for t in tensors if t.numel() and not t.is_meta}
        for out in found if isinstance(found, (tuple, list)) else (found,):
            if isinstance(out, Tensor) and (any(out is t for t in tensors) or (
                    not out.is_meta and out.numel() and out.untyped_storage().data_ptr() in memories)):
                raise RuntimeError(f"[{self._qualname}] the output of this custom operator must not also be an input to it and may not "
                                   f"alias any inputs: an output of shape {tuple(out.shape)} does; return a clone of it")


# -- the operators by name ---------------------------------------------------------------------------


class _Namespace:
    """``taeda.ops.ns``: the operators of one namespace."""

    def __init__(self, name: str) -> None:
        self._of = name

    def __getattr__(self, name: str) -> OpOverloadPacket:
        packet = _PACKETS.get(f"{self._of}::{name}")
        if packet is None:
            raise AttributeError(f"[library] there is no operator {self._of}::{name}; operators of this namespace: "
                                 f"{sorted(n.partition('::')[2] for n in _PACKETS if n.startswith(self._of + '::'))}")
        return packet


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
    _find(op).register_autocast(device_type, cast_inputs)


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
    if qualname in _OPS:
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
        device = None if key in ("", "default") or key.startswith("Composite") else key
        if isinstance(qualname, str) and qualname not in _OPS and _parts(qualname)[0] != "aten":
            _EARLY.setdefault(qualname, []).append((device, func))
            continue
        op = _find(qualname)
        if lib is not None:
            key = "" if device is None else device.lower()
            lib._given.append((op, key, func, op._kernels.get(key)))
        op.register_kernel(device, func)
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
        name = _find(op_name)._qualname if not isinstance(op_name, str) else op_name if "::" in op_name else f"{self.ns}::{op_name}"
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
        from taeda import opcheck                       # it tries the operators that are made here

        return getattr(opcheck, name)
    raise AttributeError(f"module 'taeda.library' has no attribute {name!r}")
