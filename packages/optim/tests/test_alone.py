"""taeda-optim where taeda-nn is not installed: nothing of nn is loaded, and taeda.nn says what to install."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys

import pytest

import taeda


def test_importing_optim_loads_no_other_add_on() -> None:
    code = "import sys, taeda.optim; print([m for m in sys.modules if m.startswith(('taeda.nn', 'taeda.data', 'taeda.vision'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.skipif(importlib.util.find_spec("taeda.nn") is not None, reason="taeda-nn is installed here")
def test_nn_is_absent_and_named() -> None:
    with pytest.raises(AttributeError, match="taeda.nn is a separate package: pip install taeda-nn"):
        _ = taeda.nn
    for name in ("taeda.nn", "taeda.nn.functional"):
        with pytest.raises(ModuleNotFoundError, match="^taeda.nn is a separate package: pip install taeda-nn$"):
            importlib.import_module(name)
