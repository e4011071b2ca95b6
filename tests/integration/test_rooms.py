"""No circles between rooms: what a module imports, at its top or inside a function, lies below it, and the core knows no add-on."""

from __future__ import annotations

import ast
import importlib
import pathlib
import re
from collections.abc import Iterator

from taeda import _above

PACKAGES = pathlib.Path(__file__).parents[2] / "packages"
SOURCES = {name: PACKAGES / name / "src" for name in ("core", "nn", "optim", "data", "vision")}
ROOTS = {"taeda", *(f"taeda.{name}" for name in SOURCES)}          # the front doors, which show what lies behind them
OF_MODULES = re.compile(r"taeda\.(fx|_shells|utils\.module_tracker)\b")     # rooms of the core about modules, imported on first touch


def modules(name: str) -> dict[pathlib.Path, str]:
    """Return the source files of a package, and what each is imported as; the namespace's one line is the core's."""
    source = SOURCES[name]
    found = {path: ".".join(path.relative_to(source).with_suffix("").parts).removesuffix(".__init__")
             for kind in ("py", "pyx", "pxd") for path in source.rglob(f"*.{kind}")}
    return {path: module for path, module in found.items() if module != "taeda" or name == "core"}


PACKAGE = {module: name for name in SOURCES for module in modules(name).values()}
SHELLS = {module.replace("._shells", ""): module for module in PACKAGE if "._shells." in module}      # as they are imported


def python_imports(tree: ast.AST, package: str) -> Iterator[tuple[str, list[str]]]:
    """Give (module, names) of each import in a file of a package, wherever it stands.

    Those for type checkers alone run never, and the names that a module shows on first touch are no business of its own.
    """
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = ".".join(package.split(".")[: 1 - node.level or None]) if node.level else ""
            yield ".".join(filter(None, (start, node.module))), [alias.name for alias in node.names]
        elif not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
                  or isinstance(tree, ast.Module) and isinstance(node, ast.FunctionDef) and node.name == "__getattr__"):
            yield from python_imports(node, package)


def cython_imports(text: str) -> Iterator[tuple[str, list[str]]]:
    for module, names, whole in re.findall(r"^ *(?:from (taeda[\w.]*) c?import (\([^)]*\)|[^\n#]*)|c?import (taeda[\w.]*))", text,
                                           re.MULTILINE):
        yield module or whole, re.findall(r"\w+", re.sub(r" as \w+", "", names))


def targets_of(module: str, names: list[str]) -> set[str]:
    """Return the modules that ``from module import names`` loads: those that are named, and the one that has the other names."""
    module = SHELLS.get(module, module)
    wanted = {SHELLS.get(f"{module}.{name}", f"{module}.{name}") for name in names}
    others = not names or not wanted <= set(PACKAGE)
    return wanted & set(PACKAGE) | ({module} & set(PACKAGE) if others else set())


def edges() -> dict[str, set[str]]:
    """Return module -> the modules that it imports, at its top or later."""
    found: dict[str, set[str]] = {}
    for path, module in [item for name in SOURCES for item in modules(name).items()]:
        text = path.read_text(encoding="utf-8")
        package = module if path.stem == "__init__" else module.rpartition(".")[0]
        for target, names in python_imports(ast.parse(text), package) if path.suffix == ".py" else cython_imports(text):
            found.setdefault(module, set()).update(targets_of(target, names) - {module})
    found["taeda.ops"] |= {module for module in PACKAGE if module.startswith("taeda.ops.")}       # which it collects by name
    return found


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Return modules that lead back to the first of them; none if there are no such."""
    done: set[str] = set()
    way: list[str] = []

    def walk(module: str) -> list[str]:
        if module in way:
            return [*way[way.index(module):], module]
        if module in done:
            return []
        way.append(module)
        found = next(filter(None, map(walk, sorted(graph.get(module, ())))), [])
        way.pop()
        done.add(module)
        return found

    return next(filter(None, map(walk, sorted(graph))), [])


def below(module: str, graph: dict[str, set[str]]) -> set[str]:
    """Return all that a module needs, by whatever way."""
    found: set[str] = set()
    wanted = [module]
    while wanted:
        new = graph.get(wanted.pop(), set()) - found
        found |= new
        wanted += new
    return found


def test_a_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}}) == []


def test_no_room_imports_in_a_circle() -> None:
    graph = {module: targets - ROOTS for module, targets in edges().items() if module not in ROOTS}
    assert len(graph) > 500
    assert circle(graph) == []


def test_what_the_core_calls_above_it_is_there_and_could_not_be_imported() -> None:
    graph = {module: targets - ROOTS for module, targets in edges().items()}
    texts = {module: path.read_text(encoding="utf-8") for path, module in modules("core").items() if path.suffix != ".pxd"}
    calls = {name: call for name, call in vars(_above).items() if isinstance(call, _above.Above)}
    assert len(calls) > 20
    for name, call in calls.items():
        assert callable(getattr(importlib.import_module(call.room), call.name)), name
        users = {module for module, text in texts.items() if re.search(rf"\b_above\.{name}\b", text)}
        assert users & below(call.room, graph), f"_above.{name}: nobody below {call.room} uses it, who does may import it"


def test_rooms_behind_the_front_door_do_not_go_out_by_it() -> None:
    graph = edges()
    outside = {"taeda._einops", "taeda.overrides", "taeda.testing"}     # they speak of all public names, when they are asked
    assert {module for module in below("taeda", graph) if "taeda" in graph.get(module, ())} == outside


def test_packages_import_only_those_below_them() -> None:
    below = {"nn": {"nn"}, "optim": {"optim"}, "data": {"data"}, "vision": {"vision", "nn", "data"}, "core": set()}
    upwards = {(module, target) for module, targets in edges().items() for target in targets
               if PACKAGE[target] not in {"core", *below[PACKAGE[module]]} and not OF_MODULES.match(module)}
    # averages of a model's weights, of which programs without nn need none
    assert upwards == {("taeda.optim.averaged_model", "taeda.nn"), ("taeda.optim.swa_utils", "taeda.nn.modules.batchnorm")}
