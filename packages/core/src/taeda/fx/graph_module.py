"""GraphModule: a module whose ``forward`` is the code of its graph."""

from __future__ import annotations

import contextlib
import copy
import itertools
import linecache
import os
import textwrap
import types
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import taeda
from taeda import Tensor, _spoken
from taeda.fx.codegen import PythonCode, _custom_builtins, _PyTreeCodeGen
from taeda.fx.graph import Graph, has_attr as _has_attr
from taeda.fx.node import Node
from taeda.nn import Module, Parameter

__all__ = ["GraphModule", "reduce_graph_module"]

_USER_PRESERVED_ATTRIBUTES_KEY = "_user_preserved_attributes"
_HOOKS = ("_create_node_hooks", "_erase_node_hooks", "_replace_hooks", "_deepcopy_hooks")
_count = itertools.count()


# -- source --------------------------------------------------------------------------------------------


def _exec_with_source(src: str, globals: dict[str, Any], co_fields: dict[str, Any] | None = None) -> None:
    """Run source in a namespace; tracebacks and debuggers can show its lines for as long as its functions live."""
    name = f"<eval_with_key>.{next(_count)}"
    if co_fields:
        name += f" from {co_fields['co_filename']}:{co_fields['co_firstlineno']} in {co_fields['co_name']}"
    linecache.cache[name] = len(src), None, src.splitlines(keepends=True), name
    code = compile(src, name, "exec", dont_inherit=True)
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):                              # a process that traces without end would keep every text
            weakref.finalize(inner, linecache.cache.pop, name, None).atexit = False
    exec(code, globals)


def _method_from_src(method_name: str, src: str, globals: dict[str, Any], co_fields: dict[str, Any] | None = None) -> Callable[..., Any]:
    """Return a function that source defines."""
    namespace = dict(globals)
    _exec_with_source(src, namespace, co_fields)
    return namespace.pop(method_name)      # no cycle: the text goes with the function


def _forward_from_src(src: str, globals: dict[str, Any], co_fields: dict[str, Any] | None = None) -> Callable[..., Any]:
    """Return the ``forward`` that source defines."""
    return _method_from_src("forward", src, globals, co_fields)


# -- attributes by paths -------------------------------------------------------------------------------


def _get_attr(model: Any, attr_name: str) -> Any:
    """Return what a dotted path leads to."""
    for part in attr_name.split("."):
        model = getattr(model, part)
    return model


def _del_attr(model: Any, attr_name: str) -> None:
    """Delete what a dotted path leads to."""
    path, _, name = attr_name.rpartition(".")
    delattr(_get_attr(model, path) if path else model, name)


def _assign_attr(from_obj: Any, to_module: Any, target: str) -> None:
    """Put an object at a dotted path, with empty modules on the way; a tensor becomes a buffer."""
    *path, name = target.split(".")
    for part in path:
        inner = getattr(to_module, part, None)
        if inner is None:
            inner = Module()
            setattr(to_module, part, inner)
        to_module = inner
    if isinstance(from_obj, Tensor) and not isinstance(from_obj, Parameter):
        if not hasattr(to_module, name) or name in to_module._buffers:
            to_module.register_buffer(name, from_obj)
            return
    setattr(to_module, name, from_obj)


def _copy_attr(from_module: Any, to_module: Any, target: str) -> None:
    """Put what stands at a dotted path of one module at the same path of another."""
    origin: Any = from_module
    *path, name = target.split(".")
    for part in path:
        here = getattr(origin, part)
        if getattr(to_module, part, None) is here:               # the module is there as a whole
            return
        if getattr(to_module, part, None) is None:
            setattr(to_module, part, Module())
        origin, to_module = here, getattr(to_module, part)
    value = getattr(origin, name)
    if isinstance(value, Tensor) and not isinstance(value, Parameter):
        to_module.register_buffer(name, value)
    else:
        setattr(to_module, name, value)


class _CodeOnlyModule(Module):
    """Holds a module's attributes, without its code."""

    def __init__(self, body: dict[str, Any]) -> None:
        super().__init__()
        self.__dict__ = body


def _class_of(cls: type) -> type:
    """Return the class that a program knows: without those that single modules have for their ``forward``."""
    return next(c for c in cls.__mro__ if c.__qualname__ != "GraphModuleImpl")


class GraphModule(Module):
    """A module made from a graph: ``code`` is its forward, ``graph`` what it was made from.

    After a change of the graph, ``recompile`` makes the code anew; assigning to ``graph`` does so too.

    Args:
        root: where parameters, buffers and submodules that nodes name are taken from: a module, or a dict from paths to them.
        graph: the graph.
        class_name: the name that it prints.

    Raises:
        RuntimeError: a node names what a dict does not have, or ``root`` is neither.
        AttributeError: a node names what a module does not have.

    >>> import taeda
    >>> graph = taeda.fx.Graph()
    >>> x = graph.placeholder("x")
    >>> _ = graph.output(graph.call_module("layer", (x,)))
    >>> module = taeda.fx.GraphModule({"layer": taeda.nn.ReLU()}, graph)
    >>> module(taeda.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    meta: dict[str, Any]
    _graph: Graph

    def __new__(cls: type[GraphModule], *args: Any, **kwargs: Any) -> GraphModule:
        # each has a class of its own, since forward belongs to the class
        plain = _class_of(cls)
        made: Any = type("GraphModuleImpl", (plain,), {"__module__": plain.__module__, "__doc__": None})
        return super().__new__(made)

    def __init__(self, root: Any, graph: Graph, class_name: str = "GraphModule") -> None:
        super().__init__()
        self.__class__.__name__ = class_name
        wanted = [n for n in graph.nodes if n.op in ("get_attr", "call_module")]
        # a module that is its own root has none yet
        meta = dict(vars(root).get("meta") or {}) if isinstance(root, GraphModule) else {}
        if isinstance(root, Module):
            if hasattr(root, "training"):
                self.training = root.training
            for key, value in meta.get(_USER_PRESERVED_ATTRIBUTES_KEY, {}).items():
                setattr(self, key, value)
            paths = [node.target for node in wanted]
            if isinstance(root, _CodeOnlyModule):               # a copy keeps what no node names
                paths += [path for named in (root.named_children(), root.named_buffers(), root.named_parameters()) for path, _ in named]
            for path in paths:
                _copy_attr(root, self, path)
        elif isinstance(root, dict):
            for node in wanted:
                if node.target not in root:
                    raise RuntimeError(f"[GraphModule] Node {node} referenced target {node.target} but that target was not provided in "
                                       f"``root``, which has {list(root)}")
            for target in sorted(dict.fromkeys(n.target for n in wanted), key=lambda t: str(t).count(".")):
                _assign_attr(root[target], self, target)
        else:
            raise RuntimeError(f"[GraphModule] Unsupported type {root!r} passed for root; give a Module, or a dict from paths to values")
        for hooks in _HOOKS:
            object.__setattr__(self, hooks, [])
        self.meta = meta
        self._tracer_cls = graph._tracer_cls if graph._tracer_cls and "<locals>" not in graph._tracer_cls.__qualname__ else None
        self._tracer_extras = graph._tracer_extras
        self.shape_env = None
        self.graph = graph

    # -- graph and code ------------------------------------------------------------------------------

    @property
    def graph(self) -> Graph:
        """The graph; assign to take another."""
        return self._graph

    @graph.setter
    def graph(self, g: Graph) -> None:
        if not isinstance(g, Graph):
            raise AssertionError(f"[GraphModule.graph] Expected a Graph instance, but got {type(g)}")
        self._graph = g
        g.owning_module = self
        self.recompile()

    def recompile(self) -> PythonCode:
        """Make ``forward`` anew from the graph and return its code."""
        codegen = self._graph._codegen
        if isinstance(codegen, _PyTreeCodeGen):
            self._in_spec, self._out_spec = codegen.pytree_info.in_spec, codegen.pytree_info.out_spec
        made = self._graph.python_code(root_module="self")
        self._code = made.src
        forward = _method_from_src(codegen._func_name, made.src, made.globals, self._graph._co_fields)
        type(self).forward = forward  # type: ignore[method-assign]
        return made

    @property
    def code(self) -> str:
        """The source of ``forward``."""
        if not hasattr(self, "_code"):
            raise RuntimeError("[GraphModule.code] Code has not been generated! Call recompile()")
        return self._code

    def print_readable(
        self, print_output: bool = True, include_stride: bool = False, include_device: bool = False, colored: bool = False, *,
        fast_sympy_print: bool = False, expanded_def: bool = False, additional_meta: list[str] | None = None,
    ) -> str:  # fmt: skip
        """Return the code as a class, with those of the GraphModules inside, and print it; shapes that ``ShapeProp`` saw are shown."""
        made = self._graph.python_code("self", verbose=True, include_stride=include_stride, include_device=include_device,
                                       expanded_def=expanded_def)
        code = textwrap.indent(made.src.lstrip("\n").rstrip(" \n"), "    ") + "\n"
        lines = [line if line.strip() else "" for line in code.split("\n")]
        output = f"class {self._get_name()}({_spoken.name}.nn.Module):\n" + "\n".join(lines)
        for module in self.children():
            if isinstance(module, GraphModule):
                inside = module.print_readable(False, include_stride, include_device, expanded_def=expanded_def)
                output += "\n" + textwrap.indent(inside, "    ")
        if print_output:
            print(output)
        return output

    def __str__(self) -> str:
        hint = "# To see more debug info, please use `graph_module.print_readable()`"
        return "\n".join([super().__str__(), self._code, hint])

    # -- submodules ----------------------------------------------------------------------------------

    def add_submodule(self, target: str, m: Module) -> bool:
        """Put a module at a dotted path, empty modules on the way; False where something else than a module is in the way."""
        *path, name = target.split(".")
        here: Any = self
        for part in path:
            inner = getattr(here, part, None)
            if inner is None and not hasattr(here, part):
                inner = Module()
                setattr(here, part, inner)
            if not isinstance(inner, Module):
                return False
            here = inner
        here.add_module(name, m)
        return True

    def delete_submodule(self, target: str) -> bool:
        """Delete the module at a dotted path; False where there is none."""
        path, _, name = target.rpartition(".")
        if not _has_attr(self, target) or not isinstance(_get_attr(self, target), Module):
            return False
        delattr(self.get_submodule(path), name)
        return True

    def delete_all_unused_submodules(self) -> None:
        """Delete the submodules that no node calls or reads, nor those inside of one that a node calls."""
        used: set[str] = set()
        for node in self.graph.nodes:
            if node.op not in ("call_module", "get_attr"):
                continue
            parts = node.target.split(".")
            used.update(".".join(parts[: i + 1]) for i in range(len(parts)))
            if node.op == "call_module":
                with contextlib.suppress(AttributeError):
                    inside = self.get_submodule(node.target).named_modules()
                    used.update(f"{node.target}.{name}" for name, _ in inside if name)
        for name, _ in list(self.named_modules()):
            if name and name not in used:
                self.delete_submodule(name)

    # -- hooks ---------------------------------------------------------------------------------------

    def _register_create_node_hook(self, f: Callable[[Node], Any]) -> None:
        self._create_node_hooks.append(f)

    def _unregister_create_node_hook(self, f: Callable[[Node], Any]) -> None:
        self._create_node_hooks.remove(f)

    def _register_erase_node_hook(self, f: Callable[[Node], Any]) -> None:
        self._erase_node_hooks.append(f)

    def _unregister_erase_node_hook(self, f: Callable[[Node], Any]) -> None:
        self._erase_node_hooks.remove(f)

    def _register_replace_node_hook(self, f: Callable[..., Any]) -> None:
        self._replace_hooks.append(f)

    def _unregister_replace_node_hook(self, f: Callable[..., Any]) -> None:
        self._replace_hooks.remove(f)

    @contextlib.contextmanager
    def _set_replace_hook(self, f: Callable[..., Any]) -> Iterator[None]:
        self._register_replace_node_hook(f)
        try:
            yield
        finally:
            self._unregister_replace_node_hook(f)

    # -- copies --------------------------------------------------------------------------------------

    def _deepcopy_init(self) -> Callable[..., None]:
        """Return what initialises a deep copy: called with it, with what holds the copied attributes, and with the copied graph."""
        return GraphModule.__init__

    def __deepcopy__(self, memo: dict[int, Any]) -> GraphModule:
        made = type(self).__new__(type(self))
        memo[id(self)] = made
        body = {k: v for k, v in self.__dict__.items() if k != "_graph"}
        graph = copy.deepcopy(self._graph, memo)
        self._deepcopy_init()(made, _CodeOnlyModule(copy.deepcopy(body, memo)), graph)
        for key in ("_state_dict_hooks", "_load_state_dict_pre_hooks", "_load_state_dict_post_hooks", *_HOOKS):
            if key in self.__dict__:
                object.__setattr__(made, key, copy.copy(self.__dict__[key]))
        made.meta = copy.deepcopy(self.__dict__.get("meta", {}), memo)
        for key, value in made.meta.get(_USER_PRESERVED_ATTRIBUTES_KEY, {}).items():
            setattr(made, key, value)
        return made

    def __copy__(self) -> GraphModule:
        made = GraphModule(self, self.graph)
        made.meta = dict(self.meta)
        return made

    def __reduce__(self) -> Any:
        body = {k: v for k, v in self.__dict__.items() if k not in ("_code", *_HOOKS)}
        return reduce_graph_module, (body, _class_of(type(self)))

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.__reduce__()

    def to_folder(self, folder: str | os.PathLike[str], module_name: str = "FxModule") -> None:
        """Write parameters, submodules and code to a folder that can be imported as a package with one class.

        >>> import sys, tempfile, taeda
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     taeda.fx.symbolic_trace(taeda.nn.Sequential(taeda.nn.ReLU())).to_folder(folder + "/written", "Net")
        ...     sys.path.insert(0, folder)
        ...     from written import Net
        ...     Net()(taeda.tensor([-1.0, 2.0]))
        tensor([0., 2.])
        """
        os.makedirs(folder, exist_ok=True)
        folder = os.fspath(folder)
        made = self._graph.python_code("self")
        foreign = sorted(set(made.globals) - set(_custom_builtins) - {"torch", "getattr"})
        imports = [x.import_str for x in _custom_builtins.values()] + ["from taeda.nn import *"]
        imports += [f"import {_spoken.name}"] if _spoken.name != "taeda" else []
        for name in foreign:
            obj = made.globals[name]
            if getattr(obj, "__module__", None) not in (None, "builtins"):
                imports.append(f"from {obj.__module__} import {obj.__qualname__} as {name}")
        lines = [f"class {module_name}(taeda.nn.Module):", "    def __init__(self):", "        super().__init__()"]
        for name, child in self.named_children():
            file = os.path.join(folder, f"{name}.pt")
            taeda.save(child, file)
            lines.append(f"        self.add_module({name!r}, taeda.load(_here({name + '.pt'!r}), weights_only=False))")
        tensors = {**dict(self._parameters), **dict(self._buffers)}
        taeda.save({k: v for k, v in tensors.items() if v is not None}, os.path.join(folder, "tensors.pt"))
        lines += ["        for name, x in taeda.load(_here('tensors.pt')).items():",
                  "            setattr(self, name, x) if isinstance(x, taeda.nn.Parameter) else self.register_buffer(name, x)"]
        here = "import os\n\n\ndef _here(name):\n    return os.path.join(os.path.dirname(__file__), name)\n\n\n"
        text = "\n".join(imports) + "\n" + here + "\n".join(lines) + "\n" + textwrap.indent(self._code, "    ") + "\n"
        with open(os.path.join(folder, "module.py"), "w") as f:
            f.write(text)
        with open(os.path.join(folder, "__init__.py"), "w") as f:
            f.write("from .module import *\n")
        if foreign and any(getattr(made.globals[n], "__qualname__", ".").count(".") for n in foreign):
            warnings.warn(f"[to_folder] some of {foreign} may not be importable from the written code", stacklevel=2)


def reduce_graph_module(body: dict[str, Any], cls: Any) -> Any:
    """Make a GraphModule of what it pickled."""
    made = cls.__new__(cls)
    Module.__init__(made)
    made.__class__.__name__ = "GraphModule"
    made.__dict__.update(body)
    for hooks in _HOOKS:
        made.__dict__[hooks] = []
    made._graph.owning_module = made
    made.recompile()
    return made
