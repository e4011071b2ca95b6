"""One namespace out of five distributions: who owns which file, what is imported when, what a missing package says."""

from __future__ import annotations

import importlib
import json
import os
import pathlib
import subprocess
import sys
import zipfile

import pytest

ADD_ONS = ("nn", "optim", "data", "vision")
WHEELS = [pathlib.Path(p) for p in os.environ.get("TAEDA_WHEELS", "").split(os.pathsep) if p]


def python(code: str, *flags: str) -> str:
    """Run code in a fresh interpreter outside of the source tree and return what it prints."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONSTARTUP"}
    done = subprocess.run([sys.executable, *flags, "-c", code], capture_output=True, text=True, env=env, cwd="/", check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_namespace_file_is_cores() -> None:
    import taeda

    assert taeda.__file__ is not None and taeda.__doc__ is not None and taeda.__doc__.startswith("taeda: ")
    folder = pathlib.Path(taeda.__file__).parent
    assert (folder / "kernels").is_dir()


def test_every_package_is_reached_through_taeda() -> None:
    import taeda

    for name in ADD_ONS:
        assert getattr(taeda, name).__name__ == f"taeda.{name}"


def test_import_loads_no_add_on_and_no_numpy() -> None:
    loaded = json.loads(python("import sys, json; before = set(sys.modules); import taeda; print(json.dumps(sorted(set(sys.modules) - before)))"))
    unwanted = [m for m in loaded if m.split(".")[0] in {"numpy", "pycuda", "PIL", "torch", "scipy", "inspect"} or m.startswith(tuple(f"taeda.{a}" for a in ADD_ONS))]
    assert unwanted == []


def test_import_leaves_the_collector_as_it_was() -> None:
    assert python("import gc, taeda; print(gc.isenabled())") == "True"
    assert python("import gc; gc.disable(); import taeda; print(gc.isenabled())") == "False"


@pytest.mark.parametrize("name", ["nn", "optim", "data"])
def test_an_add_on_loads_no_transforms_of_functions(name: str) -> None:
    assert python(f"import sys, taeda.{name}; print([m for m in sys.modules if m.startswith(('taeda.func', 'taeda.fx', 'taeda.sparse.'))])") == "[]"


def test_vision_imports_its_rooms_on_first_touch() -> None:
    assert python("import sys, taeda.vision; print('numpy' in sys.modules, 'PIL' in sys.modules)") == "False False"
    assert python("import taeda.vision; print(taeda.vision.transforms.Compose.__name__, 'models' in dir(taeda.vision))") == "Compose True"
    assert python("from taeda.vision import *; print(datasets.MNIST.__name__, io.read_image.__name__)") == "MNIST read_image"
    with pytest.raises(AttributeError, match=r"module 'taeda\.vision' has no attribute 'nothing'"):
        importlib.import_module("taeda.vision").nothing  # noqa: B018


def test_a_missing_package_says_what_to_install() -> None:
    """An import names the distribution of what is not installed (the tests of taeda-optim see it really absent)."""
    code = (
        "import importlib.util, importlib.machinery as machinery, taeda\n"
        "find = machinery.PathFinder.find_spec\n"
        "missing = ('taeda.nn', 'taeda.vision', 'taeda.data')\n"
        "machinery.PathFinder.find_spec = lambda name, *more: None if name in missing else find(name, *more)\n"
    )
    asked = "try:\n    {}\nexcept {} as e:\n    print(e, e.name)"
    told = "taeda.{0} is a separate package: pip install taeda-{0}"
    nn = f"{told.format('nn')} taeda.nn"
    assert python(code + asked.replace(", e.name", "").format("taeda.nn", "AttributeError")) == told.format("nn")
    for line in ("from taeda import nn", "import taeda.nn", "import taeda.nn.functional as F", "from taeda.nn import Linear",
                 "from taeda.optim.swa_utils import AveragedModel"):
        assert python(code + asked.format(line, "ModuleNotFoundError")) == nn, line
    assert python(code + asked.format("import taeda.vision.models", "ModuleNotFoundError")) == f"{told.format('vision')} taeda.vision"
    assert python(code + asked.format("import taeda.utils.data", "ModuleNotFoundError")) == (
        f"taeda.utils.data: {told.format('data')} taeda.utils.data")
    spoken = code + "import taeda.as_torch\ntaeda.as_torch.install()\n"
    for line in ("import torch.nn.functional", "from torch import nn"):
        assert python(spoken + asked.format(line, "ModuleNotFoundError")) == f"torch.nn: {nn}"
    assert python(spoken + asked.format("from torchvision import models", "ModuleNotFoundError")) == (
        f"torchvision: {told.format('vision')} taeda.vision")
    # questions have the plain answer
    assert python(code + "print(hasattr(taeda, 'nn'), importlib.util.find_spec('taeda.nn'), 'fft' in dir(taeda))") == "False None True"
    assert python(spoken + "print(importlib.util.find_spec('torchvision'), importlib.util.find_spec('torch.nn'))") == "None None"
    assert python(code + asked.format("import taeda.nothing", "ModuleNotFoundError")) == "No module named 'taeda.nothing' taeda.nothing"


@pytest.mark.skipif(len(WHEELS) != 5, reason="needs the five wheels in TAEDA_WHEELS (nox sets it)")
def test_sources_that_are_not_compiled_say_what_to_install(tmp_path: pathlib.Path) -> None:
    import taeda

    assert taeda.__file__ is not None
    (tmp_path / "taeda").mkdir()
    (tmp_path / "taeda" / "__init__.py").write_bytes(pathlib.Path(taeda.__file__).read_bytes())
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\ntry: import taeda\nexcept ImportError as e: print(e)"
    assert "not compiled for Python 3." in (said := python(code, "-S", "-E")) and "pip install ./packages/core" in said


def test_no_path_is_in_two_wheels() -> None:
    owners: dict[str, str] = {}
    for wheel in WHEELS:
        for name in zipfile.ZipFile(wheel).namelist():
            if ".dist-info/" in name or name.endswith("/"):
                continue
            assert name not in owners, f"{name} is in {owners[name]} and in {wheel.name}"
            owners[name] = wheel.name
    assert owners["taeda/__init__.py"].startswith("taeda_core")


@pytest.mark.skipif(len(WHEELS) != 5, reason="needs the five wheels in TAEDA_WHEELS (nox sets it)")
def test_installed_size_is_small() -> None:
    total = sum(info.file_size for wheel in WHEELS for info in zipfile.ZipFile(wheel).infolist())
    # 31 on Python 3.11 with GCC 12; 33 on 3.13 with GCC 14, 34.4 on 3.14 with GCC 16, which inline more into each module
    assert total <= 36e6, f"{total / 1e6:.1f} MB installed"
    assert not [n for wheel in WHEELS for n in zipfile.ZipFile(wheel).namelist() if n.endswith((".pyx", ".pyx.in", ".h", ".c"))]


def test_versions_agree() -> None:
    import importlib.metadata

    versions = {name: importlib.metadata.version(f"taeda-{name}") for name in ("core", *ADD_ONS)}
    assert len(set(versions.values())) == 1, versions
