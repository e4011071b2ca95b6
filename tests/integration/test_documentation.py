"""What is written is true: docstrings' examples run as they stand, the made files are up to date, the README's programs work."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import inspect
import pathlib
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, ParamSpec

import pytest

import taeda
import taeda.data
import taeda.nn
import taeda.optim
import taeda.vision

ROOT = pathlib.Path(__file__).parents[2]
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def modules(package: Any) -> Iterator[Any]:
    """Yield a package and every module below it that can be imported here."""
    yield package
    optional = [name for name in ("tensorboard",) if importlib.util.find_spec(name) is None]
    for info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if "kernels" not in info.name and not info.name.endswith("__main__") and not any(f".{o}" in info.name for o in optional):
            yield importlib.import_module(info.name)


def documented(module: Any) -> Iterator[tuple[str, str]]:
    """Yield (name, docstring) of what a module defines and shows an example of."""
    found = [(module.__name__, module)]
    for name, value in vars(module).items():
        if getattr(value, "__module__", None) == module.__name__:
            found.append((f"{module.__name__}.{name}", value))
            if inspect.isclass(value):
                members = vars(value).items()
                found += [(f"{module.__name__}.{name}.{m}", f) for m, f in members if callable(f) or inspect.isdatadescriptor(f)]
    for name, value in found:
        text = None if isinstance(value, ParamSpec) else value.__doc__              # whose docstring is typing's own
        if isinstance(text, str) and ">>>" in text:
            yield name, inspect.cleandoc(text)


EXAMPLES = {text: name for module in modules(taeda) for name, text in documented(module)}          # aliases share theirs


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for text, name in sorted(EXAMPLES.items(), key=lambda pair: pair[1])])
def test_the_docstrings_example_runs_as_it_is_pasted(text: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    test = doctest.DocTestParser().get_doctest(text, {"__name__": "example"}, EXAMPLES[text], None, 0)
    said: list[str] = []
    result = doctest.DocTestRunner(optionflags=FLAGS, verbose=False).run(test, out=said.append)
    taeda.manual_seed(0)
    assert result.failed == 0, "".join(said)


def test_every_package_shows_examples() -> None:
    for package in ("taeda.ops", "taeda.nn", "taeda.optim", "taeda.data", "taeda.vision"):
        assert any(name.startswith(package) for name in EXAMPLES.values()), package


# rooms whose public classes and functions each show an example, and the names that have nothing to show
SHOWN = {
    "taeda.nn": {"NLLLoss2d"},
    "taeda.nn.functional": {"ScalingType", "SwizzleType", "scaled_grouped_mm"},
    "taeda.nn.init": set(),
    "taeda.nn.utils": {"clip_grad_norm"},
    **dict.fromkeys(
        (
            "taeda.optim", "taeda.optim.lr_scheduler", "taeda.optim.swa_utils", "taeda.data", "taeda.vision.transforms",
            "taeda.vision.transforms.v2", "taeda.vision.transforms.v2.functional", "taeda.vision.ops", "taeda.vision.utils", "taeda.vision.io",
            "taeda.vision.tv_tensors", "taeda.fft", "taeda.special", "taeda.func", "taeda.distributions", "taeda.futures",
        ),
        frozenset(),
    ),
    "taeda.linalg": {"LinAlgError"},
    "taeda.library": {"wrap_triton"},
    "taeda.hub": {"set_dir"},
}


@pytest.mark.parametrize("room", SHOWN)
def test_public_names_show_an_example(room: str) -> None:
    module, bare = importlib.import_module(room), []
    for name in module.__all__:
        value = getattr(module, name)
        if not name.startswith("_") and callable(value) and str(getattr(value, "__module__", "")).startswith("taeda"):
            text = value.__doc__ if inspect.isclass(value) else inspect.getdoc(value)
            if ">>>" not in (text or "") and "deprecated by PyTorch" not in (text or "") and not name.endswith("_with_indices"):
                bare.append(name)
    assert set(bare) <= SHOWN[room]


@pytest.mark.parametrize("script", ["tools/make_stubs.py", "docs/make_operations.py"])
def test_made_files_are_up_to_date(script: str) -> None:
    done = subprocess.run([sys.executable, str(ROOT / script), "--check"], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_readmes_program_runs(tmp_path: pathlib.Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert set(taeda.load(tmp_path / "model.pt")) == {"0.weight", "0.bias", "2.weight", "2.bias"}


@pytest.mark.parametrize("package", ["core", "nn", "optim", "data", "vision"])
def test_the_packages_readme_stands_alone_and_its_program_runs(package: str, tmp_path: pathlib.Path) -> None:
    text = (ROOT / "packages" / package / "README.md").read_text()
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert all(link.startswith("https://") for link in links), "an index of packages shows the text without the files around it"
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr


def test_links_in_the_documents_lead_somewhere() -> None:
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "examples" / "README.md", ROOT / "benchmarks" / "README.md"]:
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_files_that_the_documents_name_are_there() -> None:
    done = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode:
        pytest.skip("not a checkout: which files belong to the sources is not known")
    files = [pathlib.PurePosixPath("/", line) for line in done.stdout.splitlines()]
    known = {str(p) for p in files} | {str(p.parent / p.name.partition(".")[0]) for p in files} | {str(d) for p in files for d in p.parents}
    documents = [ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md"), *(ROOT / room / "README.md" for room in ("benchmarks", "examples"))]
    for document in documents:
        for name in re.findall(r"`([\w./-]+)`", document.read_text()):
            is_file = re.search(r"\.(py|pyx|pxd|h|in|md|toml)$", name)
            is_place = re.match(r"(kernels|ops|autograd|sparse|func|utils|packages|tests|docs|tools|optim|nn|detection)/", name)
            if (is_file or is_place) and "NAME" not in name:
                assert any(path.endswith("/" + name.rstrip("/")) for path in known), f"{document.name}: {name}"


def test_commands_of_the_documents_can_be_run() -> None:
    sessions = set(re.findall(r"@nox.session\n(?:@.*\n)*def (\w+)", (ROOT / "noxfile.py").read_text()))
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / room / "README.md" for room in ("benchmarks", "examples"))]:
        text = document.read_text()
        for names in re.findall(r"nox -s \"?([a-z]+(?: [a-z]+)*)", text):
            assert set(names.split()) <= sessions, f"{document.name}: nox -s {names}"
        for script in re.findall(r"python ([\w/]+/\w+\.py)", text):
            assert (ROOT / script).exists(), f"{document.name}: {script}"


def test_the_architecture_names_every_room_of_the_core() -> None:
    core = ROOT / "packages" / "core" / "src" / "taeda"
    rooms = {p.name.partition(".")[0] for p in core.iterdir() if p.suffix in ("", ".py", ".pyx") and not p.name.startswith("__")}
    named = set(re.findall(r"\w+", (ROOT / "docs" / "architecture.md").read_text()))
    assert rooms - named == set()
