# Made by tools/make_stubs.py.
from builtins import bool as _bool, complex as _complex, float as _float, int as _int
from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload

from taeda.ops import return_types as return_types

def set_copy_slices(function: Any) -> Any: ...
def tell_watchers(op: Any, tensor: Any) -> Any: ...
def watch_writes(function: Any, key: Any) -> Any: ...
