"""docs/surface.md tells the truth: it is what the package gives, and no name of PyTorch's is missing without a word."""

from __future__ import annotations

import importlib.util
import pathlib
from typing import Any

import pytest

PATH = pathlib.Path(__file__).parents[2] / "docs" / "make_surface.py"


@pytest.fixture(scope="module")
def surface() -> Any:
    spec = importlib.util.spec_from_file_location("make_surface", PATH)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_name_is_there_or_explained(surface: Any) -> None:
    assert surface.missing() == []


def test_the_table_is_up_to_date(surface: Any) -> None:
    assert surface.TARGET.read_text() == surface.document(), "run nox -s docs"


def test_a_name_that_is_not_there_is_missed(surface: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surface, "names", lambda: {"taeda": ["exp", "no_such_function"], "Tensor": ["no_such_method_"]})
    assert surface.missing() == ["taeda.no_such_function", "Tensor.no_such_method_"]
