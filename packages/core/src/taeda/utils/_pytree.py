"""PyTorch's name for the trees of tuples, lists and dicts that ``taeda.func`` uses; a program's own classes can be nodes too.

>>> from taeda.utils._pytree import tree_map
>>> tree_map(lambda x: x + 1, {"a": 1, "b": (2, [3])})
{'a': 2, 'b': (3, [4])}
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections import OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from taeda.func.pytree import LEAF, NODES, TreeSpec, open_node, tree_flatten, tree_leaves, tree_map, tree_unflatten
from taeda.tensor_base import Size

__all__ = [
    "GetAttrKey", "KeyEntry", "KeyPath", "LeafSpec", "MappingKey", "PyTree", "PyTreeSpec", "SequenceKey", "TreeSpec", "arg_tree_leaves",
    "is_namedtuple", "is_namedtuple_class", "is_namedtuple_instance", "is_structseq", "is_structseq_class",
    "is_structseq_instance", "key_get", "keystr", "map_only", "register_dataclass", "register_pytree_node",
    "tree_all", "tree_all_only", "tree_any", "tree_any_only", "tree_flatten", "tree_flatten_with_path", "tree_is_leaf",
    "tree_iter", "tree_leaves", "tree_leaves_with_path", "tree_map", "tree_map_", "tree_map_only", "tree_map_only_",
    "tree_map_with_path", "tree_structure", "tree_unflatten", "treespec_dict", "treespec_dumps", "treespec_leaf",
    "treespec_loads", "treespec_pprint", "treespec_tuple",
]  # fmt: skip

PyTree = Context = Any
PyTreeSpec = TreeSpec
IsLeaf = Callable[[Any], bool]


# -- nodes of a program's own --------------------------------------------------------------------------

_CONTAINERS = (tuple, list, dict, OrderedDict, defaultdict, deque)
_WITH_KEYS: dict[type, Callable[[Any], tuple[Any, Any]]] = {Size: lambda size: ([(SequenceKey(i), n) for i, n in enumerate(size)], None)}
_CONTEXTS: dict[Any, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {}    # how a class's context is written to a file, and read
_NAMES: dict[str, type] = {f"builtins.{k.__name__}": k for k in _CONTAINERS[:3]} | {
    f"collections.{k.__name__}": k for k in _CONTAINERS[3:]
}


def register_pytree_node(
    cls: type, flatten_fn: Callable[[Any], tuple[Any, Any]], unflatten_fn: Callable[[Any, Any], Any], *,
    serialized_type_name: str | None = None, to_dumpable_context: Any = None, from_dumpable_context: Any = None,
    flatten_with_keys_fn: Callable[[Any], tuple[Any, Any]] | None = None,
) -> None:  # fmt: skip
    """Make instances of a class nodes: ``flatten_fn`` returns (children, context), ``unflatten_fn`` takes them.

    ``flatten_with_keys_fn`` returns (key, child) pairs in the children's place; ``to_dumpable_context`` and ``from_dumpable_context`` make
    a context something that JSON can say, and back.  ValueError for a class that is a node already, or for one of these two alone.
    """
    if (to_dumpable_context is None) != (from_dumpable_context is None):
        raise ValueError(f"[register_pytree_node] Both to_dumpable_context and from_dumpable_context for {cls} must be None or registered.")
    if cls in NODES or cls in _CONTAINERS:
        raise ValueError(f"[register_pytree_node] {cls} is already registered as pytree node.")
    NODES[cls] = flatten_fn, unflatten_fn
    if flatten_with_keys_fn is not None:
        _WITH_KEYS[cls] = flatten_with_keys_fn
    if to_dumpable_context is not None:
        _CONTEXTS[cls] = to_dumpable_context, from_dumpable_context
    _NAMES[serialized_type_name or f"{getattr(cls, '__module__', '')}.{cls.__qualname__}"] = cls


_register_pytree_node = register_pytree_node


class NodeDef(NamedTuple):
    """How instances of a class come apart, and are put together."""

    type: Any
    flatten_fn: Callable[[Any], tuple[list[Any], Any]]
    unflatten_fn: Callable[[Iterable[Any], Any], Any]
    flatten_with_keys_fn: Callable[[Any], tuple[Any, Any]] | None = None


class _Nodes(Mapping[Any, NodeDef]):
    """All classes that are nodes, those of programs too; named tuples go by the function that makes their classes."""

    def __getitem__(self, kind: Any) -> NodeDef:
        if kind is not namedtuple and kind not in _CONTAINERS and kind not in NODES:
            raise KeyError(kind)

        def children(tree: Any) -> tuple[list[Any], Any]:
            opened = open_node(tree)
            if opened is None:
                raise TypeError(f"[SUPPORTED_NODES] {type(tree).__name__} is no node")
            return opened[2], opened[1]

        def unflatten(values: Iterable[Any], context: Any) -> Any:
            values = list(values)
            return tree_unflatten(values, TreeSpec(kind, context, [LEAF] * len(values)))

        return NodeDef(kind, children, unflatten, _WITH_KEYS.get(kind))

    def __iter__(self) -> Iterator[Any]:
        return iter((*_CONTAINERS, namedtuple, *NODES))

    def __len__(self) -> int:
        return len(_CONTAINERS) + 1 + len(NODES)


SUPPORTED_NODES = _Nodes()


def _get_node_type(tree: Any) -> Any:
    """Return the class of an object as ``SUPPORTED_NODES`` has it."""
    return namedtuple if is_namedtuple(tree) else type(tree)


def register_dataclass(cls: type, *, field_names: list[str] | None = None, drop_field_names: list[str] | None = None,
                       serialized_type_name: str | None = None) -> None:  # fmt: skip
    """Make instances of a dataclass nodes whose children are the fields, or those named."""
    if not dataclasses.is_dataclass(cls):
        raise ValueError(f"[register_dataclass] expected a dataclass, got {cls}")
    names = field_names or [f.name for f in dataclasses.fields(cls) if f.init and f.name not in (drop_field_names or ())]

    def children(x: Any) -> tuple[Any, Any]:
        kept = [n for n in names if getattr(x, n) is not None]
        return [getattr(x, n) for n in kept], [kept, [n for n in names if n not in kept]]

    def with_keys(x: Any) -> tuple[Any, Any]:
        values, context = children(x)
        return [(GetAttrKey(n), v) for n, v in zip(context[0], values, strict=True)], context

    def build(values: Any, context: Any) -> Any:
        return cls(**dict(zip(context[0], values, strict=True)), **dict.fromkeys(context[1]))

    register_pytree_node(cls, children, build, serialized_type_name=serialized_type_name, flatten_with_keys_fn=with_keys)


# dicts and lists as nodes, for classes that are such

def _dict_flatten(d: dict[Any, Any]) -> tuple[list[Any], list[Any]]:
    return list(d.values()), list(d)


def _dict_flatten_with_keys(d: dict[Any, Any]) -> tuple[list[tuple[KeyEntry, Any]], list[Any]]:
    return [(MappingKey(k), v) for k, v in d.items()], list(d)


def _dict_unflatten(values: Iterable[Any], context: Any) -> dict[Any, Any]:
    return dict(zip(context, values, strict=True))


def _list_flatten(d: list[Any]) -> tuple[list[Any], None]:
    return list(d), None


def _list_flatten_with_keys(d: list[Any]) -> tuple[list[tuple[KeyEntry, Any]], None]:
    return [(SequenceKey(i), v) for i, v in enumerate(d)], None


def _list_unflatten(values: Iterable[Any], context: Any) -> list[Any]:
    return list(values)


def is_namedtuple_class(cls: Any) -> bool:
    """Whether a class is one of named tuples."""
    return isinstance(cls, type) and issubclass(cls, tuple) and hasattr(cls, "_fields") and hasattr(cls, "_make")


def is_namedtuple(obj: Any) -> bool:
    """Whether an object, or a class, is a named tuple."""
    return is_namedtuple_class(obj if isinstance(obj, type) else type(obj))


def is_namedtuple_instance(obj: Any) -> bool:
    """Whether an object is a named tuple."""
    return is_namedtuple_class(type(obj))


def is_structseq_class(cls: Any) -> bool:
    """Whether a class is one of C's named tuples, as ``time.struct_time`` is.

    >>> import time
    >>> from taeda.utils._pytree import is_structseq_class
    >>> is_structseq_class(time.struct_time), is_structseq_class(tuple)
    (True, False)
    """
    return (isinstance(cls, type) and cls.__bases__ == (tuple,)
            and all(isinstance(getattr(cls, f"n_{name}fields", None), int) for name in ("", "sequence_", "unnamed_")))


def is_structseq_instance(obj: Any) -> bool:
    """Whether an object is one."""
    return is_structseq_class(type(obj))


def is_structseq(obj: Any) -> bool:
    """Whether an object is one, or a class of such."""
    return is_structseq_class(obj if isinstance(obj, type) else type(obj))


# -- structures ----------------------------------------------------------------------------------------


def LeafSpec() -> TreeSpec:
    """Return the structure of a leaf."""
    return LEAF


treespec_leaf = LeafSpec


def treespec_tuple(iterable: Iterable[TreeSpec] = (), /) -> TreeSpec:
    """Return the structure of a tuple of structures."""
    return TreeSpec(tuple, None, list(iterable))


def treespec_dict(mapping: Any = (), /, **kwargs: TreeSpec) -> TreeSpec:
    """Return the structure of a dict of structures."""
    given = dict(mapping, **kwargs)
    return TreeSpec(dict, list(given), list(given.values()))


def tree_structure(tree: Any, is_leaf: IsLeaf | None = None) -> TreeSpec:
    """Return what builds the tree from its leaves again."""
    return tree_flatten(tree, is_leaf)[1]


class _Asterisk:
    def __repr__(self) -> str:
        return "*"


def treespec_pprint(treespec: TreeSpec) -> str:
    """Return a structure as text: its tree with a star for each leaf.

    >>> from taeda.utils._pytree import tree_structure, treespec_pprint
    >>> treespec_pprint(tree_structure({"a": (1, [2])}))
    "{'a': (*, [*])}"
    """
    return repr(tree_unflatten([_Asterisk()] * treespec.num_leaves, treespec))


def _context_of_defaultdict(context: Any) -> dict[str, Any]:
    factory, keys = context
    module, name = getattr(factory, "__module__", None), getattr(factory, "__qualname__", None)
    if factory is not None and not (isinstance(module, str) and isinstance(name, str)):
        raise TypeError(f"[treespec_dumps] the default_factory {factory!r} of a defaultdict has no name to be found by")
    return {"default_factory_module": module, "default_factory_name": name, "dict_context": keys}


def _defaultdict_of_context(written: dict[str, Any]) -> Any:
    """The factory is looked up in modules that are loaded: text from elsewhere is not to import others."""
    module, name = written["default_factory_module"], written["default_factory_name"]
    factory = None if module is None else getattr(sys.modules.get(module), name, None)
    if module is not None and not callable(factory):
        raise NotImplementedError(f"[treespec_loads] the default_factory {name!r} of a defaultdict is not in the loaded module {module!r}")
    return [factory, written["dict_context"]]


_CONTEXTS[defaultdict] = _context_of_defaultdict, _defaultdict_of_context


def treespec_dumps(treespec: TreeSpec, protocol: int | None = None) -> str:
    """Return a structure as JSON text; TypeError where its context is more than JSON can say, ValueError for another protocol than 1."""
    if not isinstance(treespec, TreeSpec):
        raise TypeError(f"[treespec_dumps] expected a TreeSpec, got {type(treespec).__name__}")
    if protocol not in (None, 1):
        raise ValueError(f"[treespec_dumps] Unknown protocol {protocol}; the one there is is 1")
    names = {cls: name for name, cls in _NAMES.items()}

    def plain(s: TreeSpec) -> dict[str, Any]:
        if s.kind is None:
            return {"type": None, "context": None, "children_spec": []}
        if s.kind not in names:
            raise NotImplementedError(f"[treespec_dumps] no name to write {s.kind} by")
        context = _CONTEXTS[s.kind][0](s.context) if s.kind in _CONTEXTS else json.dumps(s.context)
        return {"type": names[s.kind], "context": context, "children_spec": [plain(c) for c in s.children_specs]}

    return json.dumps((1, plain(treespec)))


def treespec_loads(serialized: str) -> TreeSpec:
    """Return the structure that ``treespec_dumps`` wrote; NotImplementedError where it has a class that is not registered."""

    def build(s: dict[str, Any]) -> TreeSpec:
        if s["type"] is None:
            return LEAF
        if s["type"] not in _NAMES:
            raise NotImplementedError(f"[treespec_loads] Deserializing {s['type']} in pytree is not registered.")
        kind = _NAMES[s["type"]]
        context = _CONTEXTS[kind][1](s["context"]) if kind in _CONTEXTS else json.loads(s["context"])
        return TreeSpec(kind, context, [build(c) for c in s["children_spec"]])

    protocol, written = json.loads(serialized)
    if protocol != 1:
        raise ValueError(f"[treespec_loads] Unknown protocol {protocol}; the one there is is 1")
    return build(written)


# -- keys and paths ------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class SequenceKey:
    """A place in a list or tuple."""

    idx: int

    def __str__(self) -> str:
        return f"[{self.idx!r}]"

    def get(self, sequence: Any) -> Any:
        """Return the child at this place."""
        return sequence[self.idx]


@dataclasses.dataclass(frozen=True)
class MappingKey:
    """A key of a dict."""

    key: Any

    def __str__(self) -> str:
        return f"[{self.key!r}]"

    def get(self, mapping: Any) -> Any:
        """Return the child of this key."""
        return mapping[self.key]


@dataclasses.dataclass(frozen=True)
class GetAttrKey:
    """A field of a named tuple or an object."""

    name: str

    def __str__(self) -> str:
        return f".{self.name}"

    def get(self, obj: Any) -> Any:
        """Return the child in this field."""
        return getattr(obj, self.name)


KeyEntry = Any
KeyPath = tuple[KeyEntry, ...]


def keystr(kp: KeyPath) -> str:
    """Return a path as text.

    >>> from taeda.utils._pytree import MappingKey, SequenceKey, keystr
    >>> keystr((MappingKey("a"), SequenceKey(0)))
    "['a'][0]"
    """
    return "".join(map(str, kp))


def key_get(obj: Any, kp: KeyPath) -> Any:
    """Return what stands at a path."""
    for key in kp:
        obj = key.get(obj)
    return obj


def _children(node: Any, spec: TreeSpec) -> list[tuple[KeyEntry, Any]]:
    """The children of a node of the structure, with their keys."""
    if spec.kind in _WITH_KEYS:
        return list(_WITH_KEYS[spec.kind](node)[0])
    if spec.kind in NODES:
        raise ValueError(f"[pytree] Did not find a flatten_with_keys_fn for type: {spec.kind}. Please pass a flatten_with_keys_fn argument "
                         "to register_pytree_node.")
    if isinstance(node, dict):
        return [(MappingKey(k), v) for k, v in node.items()]
    if is_namedtuple_class(spec.kind):
        return [(GetAttrKey(n), getattr(node, n)) for n in spec.kind._fields]
    return [(SequenceKey(i), v) for i, v in enumerate(node)]


def tree_flatten_with_path(tree: Any, is_leaf: IsLeaf | None = None) -> tuple[list[tuple[KeyPath, Any]], TreeSpec]:
    """Return the leaves with their paths, and the structure."""
    found: list[tuple[KeyPath, Any]] = []
    spec = tree_flatten(tree, is_leaf)[1]
    _walk(tree, spec, (), found)
    return found, spec


def _walk(node: Any, spec: TreeSpec, path: KeyPath, found: list[tuple[KeyPath, Any]]) -> None:
    if spec.kind is None:
        found.append((path, node))
        return
    for (key, child), inner in zip(_children(node, spec), spec.children_specs, strict=True):
        _walk(child, inner, (*path, key), found)


def tree_leaves_with_path(tree: Any, is_leaf: IsLeaf | None = None) -> list[tuple[KeyPath, Any]]:
    """Return the leaves with their paths.

    >>> from taeda.utils._pytree import keystr, tree_leaves_with_path
    >>> [(keystr(path), leaf) for path, leaf in tree_leaves_with_path({"a": [1, 2]})]
    [("['a'][0]", 1), ("['a'][1]", 2)]
    """
    return tree_flatten_with_path(tree, is_leaf)[0]


def tree_map_with_path(func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: IsLeaf | None = None) -> Any:
    """Return the tree with ``func(path, leaf, ...)`` for each leaf."""
    found, spec = tree_flatten_with_path(tree, is_leaf)
    columns = [[path for path, _ in found], [leaf for _, leaf in found], *(spec.flatten_up_to(r) for r in rests)]
    return tree_unflatten([func(*row) for row in zip(*columns, strict=True)], spec)


# -- leaves --------------------------------------------------------------------------------------------


def tree_iter(tree: Any, is_leaf: IsLeaf | None = None) -> Iterator[Any]:
    """Yield the leaves in order."""
    yield from tree_leaves(tree, is_leaf)


def tree_is_leaf(tree: Any, is_leaf: IsLeaf | None = None) -> bool:
    """Whether this is a leaf."""
    return tree_flatten(tree, is_leaf)[1].kind is None


def arg_tree_leaves(*args: Any, **kwargs: Any) -> list[Any]:
    """Return the leaves of a call's arguments."""
    return [leaf for x in (*args, *kwargs.values()) for leaf in tree_leaves(x)]


def tree_map_(func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: IsLeaf | None = None) -> Any:
    """Call ``func`` with each leaf, for what it does; return the tree."""
    tree_map(func, tree, *rests, is_leaf=is_leaf)
    return tree


def _of(kind: Any) -> Callable[[Any], bool]:
    """Whether a leaf is of a class, of one of several, or one that a predicate is true of."""
    return (lambda leaf: isinstance(leaf, kind)) if isinstance(kind, (type, tuple)) or not callable(kind) else kind


def map_only(kind: Any, /) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    """Make of a function one that leaves everything else as it is."""
    right = _of(kind)
    return lambda f: lambda leaf: f(leaf) if right(leaf) else leaf


def tree_map_only(kind: Any, /, func: Callable[[Any], Any], tree: Any, is_leaf: IsLeaf | None = None) -> Any:
    """Return the tree with ``func`` applied to each leaf of a class, and the others as they are.

    >>> from taeda.utils._pytree import tree_map_only
    >>> tree_map_only(int, float, [1, "a"])
    [1.0, 'a']
    """
    return tree_map(map_only(kind)(func), tree, is_leaf=is_leaf)


def tree_map_only_(kind: Any, /, func: Callable[[Any], Any], tree: Any, is_leaf: IsLeaf | None = None) -> Any:
    """Call ``func`` with each leaf of a class; return the tree."""
    return tree_map_(map_only(kind)(func), tree, is_leaf=is_leaf)


def tree_all(pred: Callable[[Any], bool], tree: Any, is_leaf: IsLeaf | None = None) -> bool:
    """Whether ``pred`` is true of all leaves."""
    return all(map(pred, tree_leaves(tree, is_leaf)))


def tree_any(pred: Callable[[Any], bool], tree: Any, is_leaf: IsLeaf | None = None) -> bool:
    """Whether ``pred`` is true of a leaf."""
    return any(map(pred, tree_leaves(tree, is_leaf)))


def tree_all_only(kind: Any, /, pred: Callable[[Any], bool], tree: Any, is_leaf: IsLeaf | None = None) -> bool:
    """Whether ``pred`` is true of all leaves of a class."""
    return all(pred(x) for x in tree_leaves(tree, is_leaf) if _of(kind)(x))


def tree_any_only(kind: Any, /, pred: Callable[[Any], bool], tree: Any, is_leaf: IsLeaf | None = None) -> bool:
    """Whether ``pred`` is true of a leaf of a class."""
    return any(pred(x) for x in tree_leaves(tree, is_leaf) if _of(kind)(x))
