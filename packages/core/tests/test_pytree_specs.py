"""Structures of trees as text, and paths to the leaves of sizes."""

from __future__ import annotations

import functools
import json
from collections import defaultdict

import pytest

import taeda
from taeda.utils import _pytree as pytree


class Pair:
    """Two things, and what they are called."""

    def __init__(self, x: object, y: object, name: object) -> None:
        self.x, self.y, self.name = x, y, name


def test_sizes_have_paths() -> None:
    found, spec = pytree.tree_flatten_with_path({"a": taeda.Size([3, 4])})
    assert [(pytree.keystr(path), x) for path, x in found] == [("['a'][0]", 3), ("['a'][1]", 4)]
    assert pytree.tree_unflatten([5, 6], spec) == {"a": (5, 6)}


def test_a_context_is_written_as_its_class_says() -> None:
    pytree.register_pytree_node(
        Pair, lambda p: ([p.x, p.y], {p.name}), lambda xs, context: Pair(*xs, *context), serialized_type_name="tests.Pair",
        to_dumpable_context=sorted, from_dumpable_context=set,
    )  # fmt: skip
    spec = pytree.tree_structure([Pair(1, (2, 3), "p")])
    text = pytree.treespec_dumps(spec)
    assert '"type": "tests.Pair", "context": ["p"]' in text and pytree.treespec_loads(text) == spec
    made = pytree.tree_unflatten([4, 5, 6], pytree.treespec_loads(text))[0]
    assert (made.x, made.y, made.name) == (4, (5, 6), "p")
    with pytest.raises(TypeError, match="expected a TreeSpec, got str"):
        pytree.treespec_dumps("text")
    with pytest.raises(ValueError, match="Unknown protocol -1"):
        pytree.treespec_dumps(spec, -1)
    with pytest.raises(ValueError, match="Both to_dumpable_context and from_dumpable_context"):
        pytree.register_pytree_node(complex, lambda p: ([], None), lambda xs, _: 1j, to_dumpable_context=str)
    assert pytree.tree_structure(1j) == pytree.treespec_leaf()


def test_a_structure_as_text_has_stars_for_leaves() -> None:
    spec = pytree.tree_structure({"a": (1, [2, None]), "b": "c"})
    assert pytree.treespec_pprint(spec) == "{'a': (*, [*, *]), 'b': *}"
    assert pytree.tree_unflatten([1, 2, 3, 4], treespec=spec) == {"a": (1, [2, 3]), "b": 4}


def test_a_class_of_named_tuples_is_no_instance() -> None:
    from collections import namedtuple

    pair = namedtuple("pair", "x y")
    assert pytree.is_namedtuple_instance(pair(1, 2)) and not pytree.is_namedtuple_instance(pair) and not pytree.is_namedtuple_instance((1, 2))


def test_what_was_not_written_here_is_refused() -> None:
    leaf = '{"type": null, "context": null, "children_spec": []}'
    with pytest.raises(NotImplementedError, match="Deserializing tests.Absent in pytree is not registered"):
        pytree.treespec_loads(f'[1, {{"type": "tests.Absent", "context": "null", "children_spec": [{leaf}]}}]')
    with pytest.raises(ValueError, match="Unknown protocol 2"):
        pytree.treespec_loads(f"[2, {leaf}]")


def test_the_factory_of_a_defaultdict_is_written_by_its_name_and_found_in_loaded_modules_alone() -> None:
    spec = pytree.tree_structure(defaultdict(list, {"a": 1, "b": defaultdict(None, {"c": 2})}))
    text = pytree.treespec_dumps(spec)
    context = {"default_factory_module": "builtins", "default_factory_name": "list", "dict_context": ["a", "b"]}
    assert json.loads(text)[1]["context"] == context
    again = pytree.treespec_loads(text)
    assert again == spec
    made = pytree.tree_unflatten([1, 2], again)
    assert made["new"] == [] and made["b"].default_factory is None
    for module, name in (("antigravity", "fly"), ("builtins", "nothing")):
        with pytest.raises(NotImplementedError, match="is not in the loaded module"):
            pytree.treespec_loads(text.replace("builtins", module).replace('"list"', f'"{name}"'))


def test_a_factory_without_a_name_is_not_written() -> None:
    for factory in (functools.partial(int, 3), [].copy):
        with pytest.raises(TypeError, match="has no name to be found by"):
            pytree.treespec_dumps(pytree.tree_structure(defaultdict(factory, {"a": 1})))
