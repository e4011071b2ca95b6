"""No circles between rooms: what a module imports at its top lies below it, and the core knows no add-on."""

from __future__ import annotations

import ast
import pathlib
import re
from collections.abc import Iterator

PACKAGES = pathlib.Path(__file__).parents[2] / "packages"
SOURCES = {name: PACKAGES / name / "src" for name in ("core", "nn", "optim", "data", "vision")}
ROOTS = {"taeda", *(f"taeda.{name}" for name in SOURCES)}          # the front doors, which show what lies behind them
OF_MODULES = re.compile(r"taeda\.(fx|_shells)\.")                   # rooms of the core that are about modules, and imported on first touch


def modules(name: str) -> dict[pathlib.Path, str]:
    """Return the source files of a package, and what each is imported as; the namespace's one line is the core's."""
    source = SOURCES[name]
    found = {path: ".".join(path.relative_to(source).with_suffix("").parts).removesuffix(".__init__")
             for kind in ("py", "pyx", "pxd") for path in source.rglob(f"*.{kind}")}
    return {path: module for path, module in found.items() if module != "taeda" or name == "core"}


PACKAGE = {module: name for name in SOURCES for module in modules(name).values()}


def python_imports(nodes: list[ast.stmt]) -> Iterator[tuple[str, list[str]]]:
    """Give (module, names) of each import that runs when the module is loaded."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module, [alias.name for alias in node.names]
        elif isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.unparse(node.test):
            yield from python_imports([*node.body, *node.orelse])
        elif isinstance(node, (ast.Try, ast.With, ast.ClassDef)):
            yield from python_imports(node.body)


def cython_imports(text: str) -> Iterator[tuple[str, list[str]]]:
    for module, names in re.findall(r"^from (taeda[\w.]*) c?import (\([^)]*\)|.*)$", text, re.MULTILINE):
        yield module, re.findall(r"\w+", names)


def edges() -> dict[str, set[str]]:
    """Return module -> the modules that it imports at its top."""
    found: dict[str, set[str]] = {}
    for path, module in [item for name in SOURCES for item in modules(name).items()]:
        text = path.read_text(encoding="utf-8")
        imports = python_imports(ast.parse(text).body) if path.suffix == ".py" else cython_imports(text)
        for target, names in imports:
            wanted = {f"{target}.{name}" for name in names} & set(PACKAGE) or {target} & set(PACKAGE)
            found.setdefault(module, set()).update(wanted - {module})
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


def test_a_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}}) == []


def test_no_room_imports_in_a_circle() -> None:
    graph = {module: targets - ROOTS for module, targets in edges().items() if module not in ROOTS}
    assert len(graph) > 500
    assert circle(graph) == []


def test_packages_import_only_those_below_them() -> None:
    below = {"nn": {"nn"}, "optim": {"optim"}, "data": {"data"}, "vision": {"vision", "nn", "data"}, "core": set()}
    upwards = {(module, target) for module, targets in edges().items() for target in targets
               if PACKAGE[target] not in {"core", *below[PACKAGE[module]]} and not OF_MODULES.match(module)}
    assert upwards == {("taeda.optim.averaged_model", "taeda.nn")}     # imported on first touch
