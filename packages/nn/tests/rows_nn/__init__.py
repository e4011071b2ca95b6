"""Samples of every layer and function of taeda.nn: a module a family, each with LAYERS, FUNCTIONS or both."""

from __future__ import annotations

import importlib
import pkgutil

from rows_nn.row import Function, Layer

LAYERS: list[Layer] = []
FUNCTIONS: list[Function] = []
for _found in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name):
    _module = importlib.import_module(f"rows_nn.{_found.name}")
    LAYERS += getattr(_module, "LAYERS", [])
    FUNCTIONS += getattr(_module, "FUNCTIONS", [])
