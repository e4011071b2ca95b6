"""An operator of a program's own: its kernels, its derivative, its rule for vmap, and how a call of it runs.

:mod:`taeda.library` makes operators; by name they are in ``_operator_names``, their place in the graph is ``_operator_node``.
"""

from __future__ import annotations

import contextlib
import inspect
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from taeda import amp, ops
from taeda._aten.classes import answered
from taeda._operator_names import OpOverload, OpOverloadPacket, is_below_autograd
from taeda._operator_node import Node, Place, put_back, taken_out
from taeda._override import dispatched_args
from taeda.amp.casting import is_autocast_enabled
from taeda.autograd.grad_mode import is_grad_enabled
from taeda.autograd.graph import increment_version
from taeda.device import device as taeda_device
from taeda.dtype import float64
from taeda.func.batched import are_active
from taeda.func.pytree import tree_map
from taeda.schema import FunctionSchema, Tag, converted
from taeda.tensor import Tensor

OPERATORS: dict[str, CustomOpDef] = {}      # "ns::name" or "ns::name.overload" -> operator
PACKETS: dict[str, OpOverloadPacket] = {}   # "ns::name" -> its overloads
EARLY_KERNELS: dict[str, list[tuple[str, Callable[..., Any]]]] = {}    # of operators that are not defined yet
_ABOVE = ("autograd", "autogradcpu")            # keys of kernels that make the graph themselves
_LOG = logging.getLogger("taeda.library")


def split_name(qualname: str) -> tuple[str, str, str]:
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
        self._namespace, name, overload = split_name(qualname)
        self._name, self._qualname, self._schema = qualname.partition("::")[2], qualname, schema
        self._info = FunctionSchema(f"{self._namespace}::{name}", schema, "" if overload == "default" else overload)
        self._of_schema = signature is None                     # its kernels may be what autograd follows, and return their inputs
        self._signature = self._info.signature() if signature is None else signature
        self._tags = [tags] if isinstance(tags, Tag) else list(tags or ())
        self._kernels: dict[str, Callable[..., Any]] = {}       # by type of device; "" for all
        self._composite: Callable[..., Any] | None = None       # the kernel for the key CompositeImplicitAutograd
        self._disabled: set[str] = set()
        self._fake: Callable[..., Any] | None = None
        self._backward: Callable[..., Any] | None = None
        self._setup: Callable[..., Any] | None = None
        self._vmap: Callable[..., Any] | None = None
        self._casts: dict[str, Any] = {}                        # by type of device: the dtype of its arguments under autocast
        self._function: Any = type(f"GeneratedBackwardFor_{self._namespace}_{name}_{overload}", (Node,), {})
        packet = PACKETS.get(f"{self._namespace}::{name}")
        if packet is None:
            packet = PACKETS[f"{self._namespace}::{name}"] = OpOverloadPacket(self._namespace, name)
        self._opoverload = OpOverload(packet, self, overload)
        packet._take(overload, self._opoverload)
        OPERATORS[qualname] = self
        _publish(self)
        for key, kernel in EARLY_KERNELS.pop(qualname, ()):
            self._take_kernel(key, kernel)

    @property
    def default(self) -> OpOverload:
        """The operator's one overload."""
        return self._opoverload

    def __repr__(self) -> str:
        return f"<CustomOpDef({self._qualname})>"

    def _forget(self) -> None:
        """Take the name away again, if it is still this operator's."""
        if OPERATORS.get(self._qualname) is self:
            del OPERATORS[self._qualname]
            packet: Any = self._opoverload.overloadpacket
            packet._drop(self._opoverload._overloadname)
            if not packet._overloads:
                del PACKETS[packet._qualified_op_name]

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

    def _take_kernel(self, key: str, fn: Callable[..., Any]) -> str:
        """Let ``fn`` compute for one of PyTorch's dispatch keys, or a type of device; return the name that it has among the kernels."""
        if key == "CompositeImplicitAutograd":
            self._composite = fn
        device = None if key in ("", "default") or key.startswith("Composite") else key
        self.register_kernel(device, fn)
        return "" if device is None else device.lower()

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
        """Let ``fn(info, in_dims, *args)`` return ``(output, out_dims)`` under vmap; without it the operator runs once per sample."""
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
        """Ask the classes of the arguments that are told of operators, else run the kernel of their device."""
        over = [] if self._is_composite() else dispatched_args(args, kwargs)
        if over:
            found = answered(self._opoverload, over, args, kwargs)
        else:
            tensors = taken_out((*args, *kwargs.values()))[1]
            found = self._kernel_for(args, kwargs, tensors)(*args, **kwargs)
            if not self._of_schema:
                self._check_results(found, tensors)
        if self._of_schema and not over:
            return found
        for known, value in zip(self._info.arguments, (*args, *kwargs.values()), strict=False):
            if known.mutable:
                for t in taken_out((value,))[1]:
                    increment_version(t)
        return found

    def _is_composite(self) -> bool:
        """Return whether the operator stands for what it calls, for the key CompositeImplicitAutograd: nobody is told of it itself."""
        return self._composite is not None and list(self._kernels.values()) == [self._composite]

    def _check_results(self, found: Any, tensors: list[Any]) -> None:
        memories = {t.untyped_storage().data_ptr() for t in tensors if t.numel() and not t.is_meta}
        for out in found if isinstance(found, (tuple, list)) else (found,):
            if isinstance(out, Tensor) and (any(out is t for t in tensors) or (
                    not out.is_meta and out.numel() and out.untyped_storage().data_ptr() in memories)):
                raise RuntimeError(f"[{self._qualname}] the output of this custom operator must not also be an input to it and may not "
                                   f"alias any inputs: an output of shape {tuple(out.shape)} does; return a clone of it")


class _Namespace:
    """``taeda.ops.ns``: the operators of one namespace."""

    def __init__(self, name: str) -> None:
        self._of = name

    def __getattr__(self, name: str) -> OpOverloadPacket:
        packet = PACKETS.get(f"{self._of}::{name}")
        if packet is None:
            raise AttributeError(f"[library] there is no operator {self._of}::{name}; operators of this namespace: "
                                 f"{sorted(n.partition('::')[2] for n in PACKETS if n.startswith(self._of + '::'))}")
        return packet


def _publish(op: CustomOpDef) -> None:
    """Let ``taeda.ops`` have the operator's namespace, unless it has something else of that name."""
    if not hasattr(ops, op._namespace):
        setattr(ops, op._namespace, _Namespace(op._namespace))


def find(op: Any) -> CustomOpDef:
    """Return the operator of a name, an overload or a packet; RuntimeError where there is none."""
    if isinstance(op, (OpOverload, OpOverloadPacket)):
        op = op._of
    found = op if isinstance(op, CustomOpDef) else OPERATORS.get(op)
    if found is None:
        raise RuntimeError(f"[library] there is no operator {op!r}; make it with custom_op or define first")
    return found
