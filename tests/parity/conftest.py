"""The parity tests use the core tests' rows and harness, and rooms of their own."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "packages" / "core" / "tests"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))
