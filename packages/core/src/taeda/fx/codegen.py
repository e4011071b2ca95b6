"""From a graph to the source of a function.

Each node is one line; a value is let go (``x = None``) in the line that uses it last, so that generated code holds no more memory
than hand-written code does.  What the lines name and is not reachable from the library's own name becomes a global.
"""

from __future__ import annotations

import builtins
import enum
import inspect
import keyword
import math
import re
import typing
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import taeda
from taeda import _spoken
from taeda.fx._naming import Namespace, origin_of, qualified_name, reachable, type_repr
from taeda.fx.node import Node
from taeda.utils import _pytree as pytree

__all__ = ["CodeGen", "PythonCode"]

_BINARY = {
    "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**", "lshift": "<<", "rshift": ">>",
    "and_": "&", "or_": "|", "xor": "^", "matmul": "@", "eq": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">=",
}
# an operator's name -> the line's right side
MAGIC = {name: f"{{}} {sign} {{}}" for name, sign in _BINARY.items()} | {
    "getitem": "{}[{}]", "neg": "-{}", "pos": "+{}", "invert": "~{}",
}
# ... -> a statement, after which its first argument is the value
IN_PLACE = {"i" + name.rstrip("_"): f"{{}} {sign}= {{}}" for name, sign in list(_BINARY.items())[:13]} | {"setitem": "{}[{}] = {}"}

_SHORT = {
    "bfloat16": "bf16", "float64": "f64", "float32": "f32", "float16": "f16", "complex64": "c64", "complex32": "c32",
    "complex128": "c128", "int8": "i8", "int16": "i16", "int32": "i32", "int64": "i64", "bool": "b8", "uint8": "u8", "uint16": "u16",
    "uint32": "u32", "uint64": "u64",
}


class PythonCode:
    """A function's source ``src`` and the ``globals`` that it runs in."""

    def __init__(self, src: str, globals: dict[str, Any], _lineno_map: dict[int, int | None] | None = None,
                 _prologue_start: int = 0) -> None:  # fmt: skip
        self.src, self.globals, self._lineno_map, self._prologue_start = src, globals, _lineno_map, _prologue_start


class _CustomBuiltin(NamedTuple):
    """What generated code can always name: how it is imported, and what it is."""

    import_str: str
    obj: Any


_custom_builtins: dict[str, _CustomBuiltin] = {}


def _register_custom_builtin(name: str, import_str: str, obj: Any) -> None:
    """Let generated code name an object."""
    _custom_builtins[name] = _CustomBuiltin(import_str, obj)


def _builtins() -> dict[str, Any]:
    if not _custom_builtins:
        import taeda.fx._pytree as fx_pytree

        for name, how, obj in (
            ("inf", "from math import inf", math.inf), ("nan", "from math import nan", math.nan),
            ("NoneType", "NoneType = type(None)", type(None)), ("taeda", "import taeda", taeda),
            ("device", "from taeda import device", taeda.device), ("fx_pytree", "import taeda.fx._pytree as fx_pytree", fx_pytree),
            ("pytree", "import taeda.utils._pytree as pytree", pytree),
        ):
            _register_custom_builtin(name, how, obj)
    known = {name: x.obj for name, x in _custom_builtins.items()}
    known[_spoken.name] = known.pop("taeda")
    return known


class _Globals:
    """What the source names besides its own values."""

    def __init__(self, namespace: Namespace) -> None:
        self.namespace = namespace
        self.found: dict[str, Any] = _builtins()
        self.wrapped: dict[str, None] = {}

    def name(self, hint: str, obj: Any) -> str:
        """Return how the source says an object."""
        if isinstance(obj, taeda.device) or obj is taeda.device:
            return "device"
        if reachable(obj, hint):
            return hint
        hint = hint.replace(".", "_")
        if hint in self.found and self.found[hint] is obj:
            return hint
        hint = self.namespace.create_name(hint, _Key(obj))
        self.found[hint] = obj
        return hint

    def annotation(self, kind: Any) -> str:
        """Return a type as the source says it."""
        if kind == ():
            return "()"
        if type(kind) is type(int | None):
            return "|".join(self.annotation(x) for x in typing.get_args(kind))
        text = type_repr(kind)
        origin = origin_of(kind)
        if origin is None:
            return self.name(text, kind)
        parts = [self.annotation(x) for x in typing.get_args(kind)]
        if not parts:                                   # typing.Tuple without its arguments
            return self.name(text, kind)
        return f"{self.name(type_repr(origin), origin)}[{','.join(parts)}]"

    def value(self, x: Any) -> str:
        """Return an argument as the source says it."""
        if isinstance(x, tuple) and hasattr(x, "_fields"):
            kind = self.name(type_repr(type(x)), type(x))
            return f"{kind}({', '.join(map(self.value, x))})"
        if hasattr(x, "_custom_fx_repr_fn"):
            return str(x._custom_fx_repr_fn())
        if isinstance(x, (tuple, taeda.Size)):
            items = [self.value(y) for y in x]
            return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"
        if isinstance(x, list):
            return f"[{', '.join(map(self.value, x))}]"
        if isinstance(x, dict):
            return "{" + ", ".join(f"{self.value(k)}: {self.value(v)}" for k, v in x.items()) + "}"
        if isinstance(x, slice):
            return f"slice({self.value(x.start)}, {self.value(x.stop)}, {self.value(x.step)})"
        if isinstance(x, enum.Enum):
            return f"{self.name(type_repr(type(x)), type(x))}.{x.name}"
        if isinstance(x, type):
            return self.name(type_repr(x), x)
        if callable(x) and not isinstance(x, (Node, taeda.device, taeda.dtype)):
            return self.name(qualified_name(x), x)
        return repr(x)

    def call(self, args: Iterable[Any], kwargs: dict[str, Any]) -> str:
        """Return the inside of a call's parentheses."""
        return ", ".join([self.value(x) for x in args] + [f"{k} = {self.value(v)}" for k, v in kwargs.items()])


class _Key:
    """An object by its identity: names are given to objects that may have no hash."""

    def __init__(self, obj: Any) -> None:
        self.obj = obj

    def __hash__(self) -> int:
        return id(self.obj)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.obj is other.obj


def format_target(base: str, target: str) -> str:
    """Return how a path below an object is read.

    >>> from taeda.fx.codegen import format_target
    >>> format_target("self", "encoder.0.weight")
    'getattr(self.encoder, "0").weight'
    """
    for part in target.split("."):
        base = f"{base}.{part}" if part.isidentifier() and not keyword.iskeyword(part) else f'getattr({base}, "{part}")'
    return base


def last_uses(nodes: Iterable[Node]) -> dict[Node, list[Node]]:
    """Return for each node the values that it is the last to use."""
    seen: set[Node] = set()
    found: dict[Node, list[Node]] = defaultdict(list)
    for node in reversed(nodes):  # type: ignore[call-overload]
        for x in node._input_nodes:
            if x not in seen:
                seen.add(x)
                found[node].append(x)
    return found


def _metadata(node: Node, include_stride: bool, include_device: bool) -> str:
    """Return the type of the tensor that a node was seen to give, ``"f32[2, 3]"``, empty if none was."""
    seen = node.meta.get("val", node.meta.get("tensor_meta", node.meta.get("example_value")))
    if isinstance(seen, taeda.Tensor):
        shape, dtype, stride, device = seen.shape, seen.dtype, seen.stride(), str(seen.device)
    elif type(seen).__name__ == "TensorMetadata":
        shape, dtype, stride, device = seen.shape, seen.dtype, seen.stride, ""  # type: ignore[union-attr]
        include_stride = include_device = False
    else:
        return ""
    text = _SHORT.get(str(dtype).rpartition(".")[2], str(dtype)) + f"[{', '.join(map(str, shape))}]"
    text += f"[{', '.join(map(str, stride))}]" if include_stride else ""
    return f'"{text}{device if include_device else ""}"'


class CodeGen:
    """Writes a graph's code; what a subclass changes of it changes the code.

    >>> import taeda
    >>> graph = taeda.fx.Graph()
    >>> _ = graph.output(graph.call_function(taeda.exp, (graph.placeholder("x"),)))
    >>> class Named(taeda.fx.CodeGen):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self._func_name = "run"
    >>> graph.set_codegen(Named())
    >>> print(graph.python_code("self").src.strip())
    def run(self, x):
        exp = taeda.exp(x);  x = None
        return exp
    """

    def __init__(self) -> None:
        self._body_transformer: Callable[[list[str]], list[str]] | None = None
        self._func_name = "forward"

    def gen_fn_def(self, free_vars: list[str], maybe_return_annotation: str, *, expanded_def: bool = False) -> str:
        """Return the first line: the parameters, ``self`` first, and what is returned."""
        if not free_vars or free_vars[0] != "self":
            free_vars.insert(0, "self")
        if expanded_def:
            inside = "".join(f"\n    {x}," for x in free_vars)
            return f"def {self._func_name}({inside}\n){maybe_return_annotation}:"
        return f"def {self._func_name}({', '.join(free_vars)}){maybe_return_annotation}:"

    def generate_output(self, output_args: Any, *, descs: Any = None, repr_fn: Callable[[Any], str] | None = None) -> str:
        """Return the last line."""
        return f"return {(repr_fn or repr)(output_args)}"

    def process_inputs(self, *args: Any) -> Any:
        """Return the arguments of a call as the placeholders take them."""
        return args

    def process_outputs(self, outputs: Any) -> Any:
        """Return the output node's value as the call returns it."""
        return outputs

    def additional_globals(self) -> list[tuple[str, Any]]:
        """Return more that the code names: (name, object)."""
        return []

    def _gen_python_code(
        self, nodes: Any, root_module: str, namespace: Namespace, *, verbose: bool = False, include_stride: bool = False,
        include_device: bool = False, colored: bool = False, expanded_def: bool = False, record_func: bool = False,
        additional_meta: list[str] | None = None,
    ) -> PythonCode:  # fmt: skip
        names = _Globals(namespace)
        for name, obj in self.additional_globals():
            names.found[name] = obj
        writer = _Lines(self, names, root_module, last_uses(nodes))
        where = ""
        for node in nodes:
            if verbose:
                comment = _origin(node)
                if comment and comment != where:
                    where = comment
                    writer.body.append(f"\n{comment}\n")
            writer.write(node, _metadata(node, include_stride, include_device) if verbose else "")
        body = writer.body or ["pass\n"]
        if self._body_transformer:
            body = self._body_transformer(body)
        more = {"expanded_def": True} if expanded_def else {}       # classes of a program's own may not know it
        prologue = self.gen_fn_def(writer.parameters, writer.returned, **more)
        wraps = "\n".join(f'{_spoken.name}.fx._symbolic_trace.wrap("{name}")' for name in names.wrapped)
        code = "\n".join("    " + line for line in "".join(body).lstrip("\n").split("\n"))
        return PythonCode(f"\n{wraps}\n\n{prologue}\n{code}", names.found)


def _origin(node: Node) -> str:
    """Return a comment that says where a node was recorded."""
    if node.op in ("placeholder", "output"):
        return ""
    trace = node.stack_trace
    if not trace:
        return "# No stacktrace found for following nodes"
    found = re.findall(r'File "(.+)", line (\d+), in (.+)\n\s*(.*)', trace)
    return "# File: {}:{} in {}, code: {}".format(*found[-1]) if found else ""


class _Lines:
    """Writes one node after the other."""

    def __init__(self, codegen: CodeGen, names: _Globals, root: str, last: dict[Node, list[Node]]) -> None:
        self.codegen, self.names, self.root, self.last = codegen, names, root, last
        self.parameters: list[str] = []
        self.body: list[str] = []
        self.returned = ""

    def write(self, node: Node, seen: str = "") -> None:
        """Write a node's line; ``seen`` is the type to show."""
        kind = f" : {self.names.annotation(node.type)}" if node.type is not None else ""
        if seen:
            kind = f": {seen}"
        if node.op == "placeholder":
            self._placeholder(node, kind)
        elif node.op == "output":
            if node.type is not None:
                self.returned = f" -> {self.names.annotation(node.type)}"
            output = self.codegen.generate_output
            known = inspect.signature(output).parameters        # classes of a program's own may take the arguments alone
            more = {"repr_fn": self.names.value} if "repr_fn" in known else {}
            self.body.append(output(node.args[0], **more) + "\n")
        else:
            self.body.append(self._operation(node, kind) + self._let_go(node))

    def _placeholder(self, node: Node, kind: str) -> None:
        default = f" = {self.names.value(node.args[0])}" if node.args else ""
        self.parameters.append(f"{node.target}{kind}{default}")
        name = str(node.target).replace("*", "")
        if name != repr(node):
            self.body.append(f"{node!r} = {name}\n")

    def _let_go(self, node: Node) -> str:
        done = list(self.last.get(node, []))
        if not node.users:
            done.append(node)
        return f";  {' = '.join([repr(x) for x in done] + ['None'])}\n" if done else "\n"

    def _operation(self, node: Node, kind: str) -> str:
        target, args, kwargs, names = node.target, node.args, node.kwargs, self.names
        left = f"{node!r}{kind} = "
        if node.op == "get_attr":
            return left + format_target(self.root, target)
        if node.op == "call_module":
            return f"{left}{format_target(self.root, target)}({names.call(args, kwargs)})"
        if node.op == "call_method":
            return f"{left}{format_target(names.value(args[0]), target)}({names.call(args[1:], kwargs)})"
        if getattr(target, "__module__", None) == "_operator" and not kwargs:
            name = target.__name__
            if name in MAGIC:
                operands = [names.value(x) for x in args]
                if name == "pow" and operands[0].startswith("-"):          # a power binds closer than the sign before it
                    operands[0] = f"({operands[0]})"
                return left + MAGIC[name].format(*operands)
            if name in IN_PLACE:
                return f"{IN_PLACE[name].format(*map(names.value, args))};  {left}{names.value(args[0])}"
        full = qualified_name(target)
        said = names.name(full, target)
        if said == "getattr" and target is builtins.getattr and len(args) == 2 and isinstance(args[1], str) and args[1].isidentifier():
            return left + format_target(names.value(args[0]), args[1])
        if node.meta.get("is_wrapped", False):
            names.wrapped.setdefault(said)
        return f"{left}{said}({names.call(args, kwargs)})"


# -- trees as inputs -----------------------------------------------------------------------------------


class _PyTreeInfo(NamedTuple):
    """The inputs that a graph with trees takes: their names and specs."""

    orig_args: list[str]
    in_spec: Any
    out_spec: Any


class _PyTreeCodeGen(CodeGen):
    """Writes a function that takes and returns trees, while the graph has their leaves."""

    def __init__(self, pytree_info: _PyTreeInfo) -> None:
        super().__init__()
        self.pytree_info = pytree_info

    def process_inputs(self, *inputs: Any) -> Any:
        """Return the leaves."""
        return pytree.tree_leaves(inputs)

    def process_outputs(self, out: Any) -> Any:
        """Return the leaves as the tree."""
        if not isinstance(out, (list, tuple)):
            out = [out]
        return pytree.tree_unflatten(list(out), self.pytree_info.out_spec) if self.pytree_info.out_spec is not None else out

    def gen_fn_def(self, free_vars: list[str], maybe_return_annotation: str, *, expanded_def: bool = False) -> str:
        """Return the first lines: parameters as they were, then their leaves."""
        inputs = list(self.pytree_info.orig_args)
        named = list(inputs)
        has_self = bool(named) and named[0] == "self"
        made = super().gen_fn_def(named, maybe_return_annotation, expanded_def=expanded_def)
        if free_vars:
            leaves = [x.split("=")[0].split(":")[0].strip() for x in free_vars]
            if has_self:
                leaves.insert(0, "self")
            made += f"\n    {', '.join(leaves)}, = fx_pytree.tree_flatten_spec([{', '.join(inputs)}], self._in_spec)"
        return made

    def generate_output(self, output_args: Any, *, descs: Any = None, repr_fn: Callable[[Any], str] | None = None) -> str:
        """Return the last line: the leaves as the tree."""
        shown = (repr_fn or repr)(output_args)
        return f"return pytree.tree_unflatten({shown}, self._out_spec)" if self.pytree_info.out_spec is not None else f"return {shown}"
