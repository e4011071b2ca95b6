"""Helpers beside the tests can be imported by name; the default dtype and thread count are put back."""

import pathlib
import sys

import pytest

import taeda

sys.path.insert(0, str(pathlib.Path(__file__).parent))


@pytest.fixture(autouse=True)
def settings_put_back():
    dtype, threads = taeda.get_default_dtype(), taeda.get_num_threads()
    yield
    taeda.set_default_dtype(dtype)
    taeda.set_num_threads(threads)
    taeda.autograd.set_grad_enabled(True)
