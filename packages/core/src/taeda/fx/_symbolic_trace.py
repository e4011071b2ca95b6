"""Tracing: a module or function runs once on proxies, and what it does becomes a graph.

The program runs as it is, so loops over known lengths are unrolled, and functions and modules of the program are gone through; modules
of ``taeda.nn`` are one node each, as are functions of the library.  What depends on values cannot be followed and raises ``TraceError``.
"""

from __future__ import annotations

import collections
import copy
import functools
import inspect
import math
import typing
import warnings
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

import taeda
from taeda._C import ScriptObject as ScriptObject
from taeda.fx._compatibility import compatibility
from taeda.fx._patching import (
    Patcher as _Patcher,
    autowrap_check as _autowrap_check,
    find_proxy as _find_proxy,
    patch_wrapped_functions as _patch_wrapped_functions,
    wrap,
)
from taeda.fx.codegen import _PyTreeCodeGen, _PyTreeInfo
from taeda.fx.graph import Graph
from taeda.fx.graph_module import GraphModule
from taeda.fx.node import base_types
from taeda.fx.proxy import ParameterProxy, Proxy, Scope, ScopeContextManager, TracerBase
from taeda.nn import Module, Parameter, Sequential
from taeda.utils import _pytree as pytree

__all__ = [
    "PH", "PHBase", "PHWithMeta", "ProxyableClassMeta", "Tracer", "is_fx_symbolic_tracing", "is_fx_tracing", "symbolic_trace", "wrap",
]  # fmt: skip

_proxyable_classes: dict[type, None] = {}
_tracing = 0
_orig_module_call = Module.__call__  # what tracers of libraries wrap while they run a model
_orig_module_getattr = Module.__getattr__


def is_fx_tracing() -> bool:
    """Whether a trace is running."""
    return _tracing > 0


is_fx_symbolic_tracing = is_fx_tracing


class ProxyableClassMeta(type):
    """A metaclass whose classes may be made from proxies: the making becomes a node, and the object a Proxy's.

    >>> from taeda import fx
    >>> class Pair(metaclass=fx.ProxyableClassMeta):
    ...     def __init__(self, left, right):
    ...         self.left, self.right = left, right
    >>> def swapped(x, y):
    ...     pair = Pair(x, y)
    ...     return pair.right, pair.left
    >>> traced = fx.symbolic_trace(swapped)
    >>> [node.name for node in traced.graph.nodes]
    ['x', 'y', 'pair', 'getattr_1', 'getattr_2', 'output']
    >>> traced(1, 2)
    (2, 1)
    """

    def __init__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> None:
        _proxyable_classes.setdefault(cls)
        super().__init__(name, bases, attrs)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        proxy = _find_proxy(args, kwargs) if is_fx_tracing() else None
        if proxy is not None:
            return proxy.tracer.create_proxy("call_function", cls, args, kwargs)
        return super().__call__(*args, **kwargs)


class PHBase:
    """In ``concrete_args``: this leaf stays an input."""

    def __repr__(self) -> str:
        return "PH"


class PHWithMeta(PHBase):
    """A PH whose attributes the input's node gets."""

    def __init__(self, ph_key: str | None = None) -> None:
        super().__init__()
        self.ph_key = ph_key


PH = PHBase()


def _assert_is_none(value: Any, msg: str) -> None:
    assert value is None, msg


def _annotations(fn: Any) -> dict[str, Any]:
    """Return a function's types; those of the library's own, which are text, as what they say."""
    found = getattr(fn, "__annotations__", {})
    if not str(getattr(fn, "__module__", "")).startswith("taeda."):
        return dict(found)
    try:
        return {k: v for k, v in typing.get_type_hints(fn).items() if v is not Any}
    except NameError:                            # a name that only type checkers import
        return {}


def _patch_function(fn: Any, nargs: int) -> Any:
    """Return the function with all its parameters positional, ``*args`` and ``**kwargs`` too: each takes one Proxy."""
    code = fn.__code__.replace(
        co_argcount=nargs, co_posonlyargcount=0, co_kwonlyargcount=0,
        co_flags=fn.__code__.co_flags & ~(inspect.CO_VARARGS | inspect.CO_VARKEYWORDS),
    )
    return FunctionType(code, fn.__globals__, fn.__name__, fn.__defaults__, fn.__closure__)


class Tracer(TracerBase):
    """Traces modules and functions; a subclass may decide differently what is a leaf, and what becomes of each operation.

    Args:
        autowrap_modules: modules whose functions are recorded as calls where an argument is a Proxy.
        autowrap_functions: functions that are, wherever modules have them.
        param_shapes_constant: sizes of parameters are numbers, not nodes.

    >>> import taeda
    >>> class Net(taeda.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.linear = taeda.nn.Linear(2, 3)
    ...     def forward(self, x):
    ...         return self.linear(x).relu()
    >>> print(taeda.fx.Tracer().trace(Net()))
    graph():
        %x : [num_users=1] = placeholder[target=x]
        %linear : [num_users=1] = call_module[target=linear](args = (%x,), kwargs = {})
        %relu : [num_users=1] = call_method[target=relu](args = (%linear,), kwargs = {})
        return relu
    """

    def __init__(
        self, autowrap_modules: tuple[ModuleType, ...] = (math,), autowrap_functions: tuple[Callable[..., Any], ...] = (),
        param_shapes_constant: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self._autowrap_function_ids: set[int] = {
            id(x) for m in autowrap_modules for name, x in m.__dict__.items() if not name.startswith("_") and callable(x)
        } | {id(f) for f in autowrap_functions}
        self._autowrap_search: list[ModuleType] = list(autowrap_modules)
        self.param_shapes_constant = param_shapes_constant
        self.submodule_paths: dict[Any, str] | None = None
        self.root_module_name = ""
        self.scope = Scope("", None)
        self.module_stack: collections.OrderedDict[str, Any] = collections.OrderedDict()
        self.num_calls: dict[str, int] = collections.defaultdict(int)
        self.node_name_to_scope: dict[str, tuple[str, type]] = {}
        self._fresh: dict[str, int] = collections.defaultdict(int)

    # -- values of the program as arguments -----------------------------------------------------------

    def __deepcopy__(self, memo: dict[int, Any]) -> Tracer:
        """Copy all but the modules whose functions are wrapped: these are Python's."""
        made = type(self).__new__(type(self))
        memo[id(self)] = made
        for name, value in self.__dict__.items():
            made.__dict__[name] = copy.copy(value) if name == "_autowrap_search" else copy.deepcopy(value, memo)
        return made

    def get_fresh_qualname(self, prefix: str) -> str:
        """Return a name with a number that the root has no attribute of."""
        while hasattr(self.root, f"{prefix}{self._fresh[prefix]}"):
            self._fresh[prefix] += 1
        name = f"{prefix}{self._fresh[prefix]}"
        self._fresh[prefix] += 1
        return name

    def create_arg(self, a: Any) -> Any:
        """Return a value of the program as an argument of a node.

        Parameters, buffers and submodules become the reading of an attribute; a tensor that is none of these becomes an attribute
        ``_tensor_constant0``, ... of the root.
        """
        if isinstance(a, Parameter):
            name = self._name_in(a, self.root.named_parameters())
            if name is None:
                raise NameError("[fx] parameter is not a member of this module; register it, or make it inside of forward")
            return self.create_node("get_attr", name, (), {})
        if isinstance(a, taeda.Tensor):
            name = self._name_in(a, self.root.named_buffers())
            return self.create_node("get_attr", self._constant(a) if name is None else name, (), {})
        if isinstance(a, Module):
            name = self._name_in(a, self.root.named_modules())
            if name is not None:
                return self.create_node("get_attr", name, (), {})
        if isinstance(a, tuple) and hasattr(a, "_make"):
            return self.create_node("call_function", type(a), tuple(self.create_arg(x) for x in a), {})
        if type(a) in _proxyable_classes:
            name = self.get_fresh_qualname(f"_{type(a).__name__}_constant_")
            setattr(self.root, name, a)
            return self.create_node("get_attr", name, (), {})
        return super().create_arg(a)

    @staticmethod
    def _name_in(a: Any, named: Any) -> str | None:
        return next((name for name, x in named if x is a), None)

    def _constant(self, a: Any) -> str:
        name = self.tensor_attrs.get(id(a))
        if name is None:
            name = self.get_fresh_qualname("_tensor_constant")
            self.tensor_attrs[id(a)] = name
            self._kept.append(a)
            setattr(self.root, name, a)
        return name

    # -- what a subclass may decide -------------------------------------------------------------------

    def is_leaf_module(self, m: Module, module_qualified_name: str) -> bool:
        """Whether a call of the module becomes one node: by default the modules of ``nn``, containers excepted.

        Classes outside of ``nn`` say so by an attribute ``fx_leaf = True``.
        """
        return getattr(type(m), "fx_leaf", False) or (m.__module__.startswith(("taeda.nn", "torch.nn")) and not isinstance(m, Sequential))

    def path_of_module(self, mod: Module) -> str:
        """Return a submodule's path from the root.  NameError if it is no submodule."""
        if self.submodule_paths is not None and mod in self.submodule_paths:
            return self.submodule_paths[mod]
        name = self._name_in(mod, self.root.named_modules())
        if name is None:
            raise NameError("[fx] module is not installed as a submodule; make it an attribute of the model, or keep it in a ModuleList")
        return name

    def call_module(self, m: Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Do what a call of a submodule becomes: a node for a leaf, what ``forward`` does for any other."""
        path = self.path_of_module(m)
        with ScopeContextManager(self.scope, Scope(path, type(m))) as scope:
            calls = self.num_calls[path]
            self.num_calls[path] = calls + 1
            key = path if not calls else f"{path}@{calls}"
            self.module_stack[key] = scope.module_path, scope.module_type
            try:
                if self.is_leaf_module(m, path):
                    return self.create_proxy("call_module", path, args, kwargs)
                return forward(*args, **kwargs)
            finally:
                self.module_stack.pop(key, None)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        """Return what reading a parameter, buffer or submodule gives: for a parameter a Proxy, one for all its readings.

        With ``proxy_buffer_attributes`` for a buffer too.
        """
        if isinstance(attr_val, Parameter):
            named = self.root.named_parameters()
        elif self.proxy_buffer_attributes and isinstance(attr_val, taeda.Tensor):
            named = self.root.named_buffers()
        else:
            return attr_val
        name = self._name_in(attr_val, named)
        if name is None:
            return attr_val
        if name not in parameter_proxy_cache:
            more = {}
            if "proxy_factory_fn" in inspect.signature(self.create_proxy).parameters:
                more["proxy_factory_fn"] = (
                    (lambda node: ParameterProxy(self, node, name, attr_val)) if self.param_shapes_constant else None
                )
            parameter_proxy_cache[name] = self.create_proxy("get_attr", name, (), {}, **more)  # type: ignore[arg-type]
        return parameter_proxy_cache[name]

    # -- inputs ----------------------------------------------------------------------------------------

    def create_args_for_root(self, root_fn: Any, is_module: bool, concrete_args: Any = None) -> tuple[Any, list[Any]]:
        """Make the placeholders of a function's parameters; return the function in a form that takes them, and them."""
        analysed = inspect.unwrap(root_fn)
        code = analysed.__code__
        total = code.co_argcount + code.co_kwonlyargcount
        names = list(code.co_varnames)
        signature = inspect.signature(analysed)
        args: list[Any] = []
        skip = 0
        if is_module:
            if total == 0:
                raise RuntimeError("[fx] ``self`` argument cannot be part of *args expansion: forward must name it")
            args.append(self.root)
            skip = 1
        if concrete_args and isinstance(concrete_args, tuple) and total == skip and code.co_flags & inspect.CO_VARARGS:
            # a function of *args alone: as many inputs as there are values
            args += [self.create_proxy("placeholder", f"input_{i}", (), {}) for i in range(len(concrete_args))]
            return root_fn, args
        if isinstance(concrete_args, tuple):
            if len(concrete_args) != total - skip:
                raise RuntimeError(f"[fx] Tracing expected {total - skip} arguments but got {len(concrete_args)} concrete arguments")
            concrete_args = dict(zip(names[skip:total], concrete_args, strict=True))
        for name in names[skip:total]:
            args.append(self._proxy_placeholder(name, concrete_args, signature, analysed))
        if code.co_kwonlyargcount > 0 or code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS):
            rest = iter(names[total:])
            for flag, stars in ((inspect.CO_VARARGS, "*"), (inspect.CO_VARKEYWORDS, "**")):
                if code.co_flags & flag:
                    args.append(self._proxy_placeholder(stars + next(rest), concrete_args, signature, analysed))
            root_fn = _patch_function(root_fn if inspect.isfunction(root_fn) and root_fn.__code__ is code else analysed, len(args))
        leaves, spec = pytree.tree_flatten(tuple(args))
        if (concrete_args is None and all(isinstance(x, (Proxy, Module)) for x in leaves)) or all(c.is_leaf() for c in spec.children_specs):
            return root_fn, args
        self.graph._codegen = _PyTreeCodeGen(_PyTreeInfo(names[:total], spec, None))

        def on_leaves(*flat):  # its annotations would become the graph's
            found, out_spec = pytree.tree_flatten(root_fn(*pytree.tree_unflatten(list(flat), spec)))
            codegen: Any = self.graph._codegen
            codegen.pytree_info = codegen.pytree_info._replace(out_spec=out_spec)
            return found

        return on_leaves, leaves

    def _proxy_placeholder(self, name: str, concrete_args: dict[str, Any] | None, sig: Any, fn_for_analysis: Any) -> Any:
        if concrete_args is not None and name in concrete_args:
            if name.startswith("*"):
                raise KeyError(name)
            count = 0

            def fixed(x: Any) -> Any:
                nonlocal count
                count += 1
                return self._specialised(name, f"{name}_{count}", x, sig)

            return pytree.tree_map(fixed, concrete_args[name])
        default: tuple[Any, ...] = ()
        if not name.startswith("*") and sig.parameters[name].default is not inspect.Parameter.empty:
            default = (sig.parameters[name].default,)
        return self.create_proxy("placeholder", name, default, {}, type_expr=_annotations(fn_for_analysis).get(name, None))

    def _specialised(self, name: str, node_name: str, x: Any, sig: Any) -> Any:
        """Make the placeholder of a leaf of ``concrete_args``, with a check that the call has that value."""
        default = () if name not in sig.parameters or sig.parameters[name].default is inspect.Parameter.empty else (
            sig.parameters[name].default,)
        out = self.create_proxy("placeholder", node_name, default, {})
        if isinstance(x, PHBase):
            if isinstance(x, PHWithMeta):
                for key, value in vars(x).items():
                    if not hasattr(out.node, key):
                        setattr(out.node, key, value)
            return out
        said = f"{name} has been specialized to have value {x} but got another value"
        if x is None:
            self.create_proxy("call_function", _assert_is_none, (out, said), {})
        elif isinstance(x, base_types) and not isinstance(x, taeda.Tensor):
            taeda._assert(out == x, said)
        else:
            warnings.warn(f"Was not able to add assertion to guarantee correct input {name} to specialized function. It is up to the user "
                          "to make sure that your inputs match the inputs you specialized the function with.", stacklevel=2)
        return x

    # -- the run ---------------------------------------------------------------------------------------

    @compatibility(is_backward_compatible=True)
    def trace(self, root: Any, concrete_args: dict[str, Any] | None = None) -> Graph:
        """Run a module's forward, or a function, on proxies and return the graph.

        Args:
            root: the module or function.
            concrete_args: values of parameters that shall be fixed: the program may branch on them.  In a tree, ``fx.PH`` is what stays
                an input.
        """
        global _tracing
        if isinstance(root, Module):
            self.root: Any = root
            if not hasattr(type(root), self.traced_func_name):
                raise AssertionError(f"[fx.trace] traced_func_name={self.traced_func_name!r} doesn't exist in {type(root).__name__}")
            fn = getattr(type(root), self.traced_func_name)
            self.root_module_name = root._get_name()
            self.submodule_paths = {mod: name for name, mod in root.named_modules()}
        else:
            self.root = Module()
            fn = root
        self.graph = Graph(tracer_cls=getattr(self, "__class__", None))
        self._fresh.clear()
        self._kept: list[Any] = []
        self.tensor_attrs: dict[int, str] = {
            id(x): f"{path}.{k}" if path else k
            for path, m in self.root.named_modules() for k, x in m.__dict__.items() if isinstance(x, taeda.Tensor)
        }
        if not isinstance(inspect.unwrap(fn), FunctionType):          # only these have code that can be run on proxies
            raise AssertionError(f"[fx.trace] Expected FunctionType, got {type(fn)}; give a module or a function written in Python, such "
                                 "as one that calls it")
        code, fn_globals = inspect.unwrap(fn).__code__, inspect.unwrap(fn).__globals__
        self.graph._co_fields = {
            "co_name": code.co_name, "co_filename": code.co_filename, "co_firstlineno": code.co_firstlineno,
        }
        _tracing += 1
        try:
            called, args = self.create_args_for_root(fn, isinstance(root, Module), concrete_args)
            cache: dict[str, Any] = {}
            with _Patcher() as patcher:
                patcher.patch_method(Module, "__getattribute__", self._reading(cache), deduplicate=False)
                patcher.patch_method(Module, "__call__", self._calling(patcher), deduplicate=False)
                _patch_wrapped_functions(patcher)
                _autowrap_check(patcher, fn_globals, self._autowrap_function_ids)
                for module in self._autowrap_search:
                    _autowrap_check(patcher, module.__dict__, self._autowrap_function_ids)
                result = self.create_arg(called(*args))
            self.create_node("output", "output", (result,), {}, type_expr=_annotations(called).get("return", None))
            self.submodule_paths = None
        finally:
            _tracing -= 1
        return self.graph

    def _reading(self, cache: dict[str, Any]) -> Callable[[Any, str], Any]:
        """Return how attributes of modules are read meanwhile.  Parameters are plain attributes here, so it is asked for every one."""
        read = Module.__getattribute__

        def read_attribute(mod: Any, attr: str) -> Any:
            value = read(mod, attr)
            own = object.__getattribute__(mod, "__dict__")
            if any(attr in own.get(kind, ()) for kind in ("_parameters", "_buffers", "_modules")):
                return self.getattr(attr, value, cache)
            return value

        return read_attribute

    def _calling(self, patcher: _Patcher) -> Callable[..., Any]:
        """Return how modules are called meanwhile."""
        call = Module.__call__

        @functools.wraps(call)  # type: ignore[arg-type]
        def call_module(mod: Any, *args: Any, **kwargs: Any) -> Any:
            def forward(*args: Any, **kwargs: Any) -> Any:
                return call(mod, *args, **kwargs)

            _autowrap_check(patcher, getattr(getattr(mod, "forward", mod), "__globals__", {}), self._autowrap_function_ids)
            return self.call_module(mod, forward, args, kwargs)

        return call_module


def symbolic_trace(root: Any, concrete_args: dict[str, Any] | None = None) -> Any:
    """Trace a module or function and return a GraphModule that does the same.

    Args:
        root: the module or function.
        concrete_args: values of parameters that shall be fixed.

    Raises:
        AssertionError: ``root`` is neither a module nor a function written in Python.
        TraceError: the program decides by values, or loops over them.

    >>> import taeda
    >>> traced = taeda.fx.symbolic_trace(lambda x: taeda.relu(x) + 1)
    >>> print(traced.code.strip())
    def forward(self, x):
        relu = taeda.relu(x);  x = None
        add = relu + 1;  relu = None
        return add
    >>> traced(taeda.tensor([-1.0, 2.0]))
    tensor([1., 3.])
    """
    tracer = Tracer()
    graph = tracer.trace(root, concrete_args)
    name = type(root).__name__ if isinstance(root, Module) else getattr(root, "__name__", type(root).__name__)
    return GraphModule(tracer.root, graph, name)
