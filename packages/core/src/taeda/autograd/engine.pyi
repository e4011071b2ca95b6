# Made by tools/make_stubs.py.
from builtins import bool as _bool, complex as _complex, float as _float, int as _int
from collections.abc import Callable, Iterator, Sequence
from typing import Any


def _seq(n: Any) -> Any: ...
def run_backward(roots: Any, grads: Any, keep_graph: Any, create_graph: Any, captures: Any, accumulate: Any) -> Any: ...
