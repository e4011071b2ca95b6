# Made by tools/make_stubs.py.
from builtins import bool as _bool, complex as _complex, float as _float, int as _int
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, overload

from taeda.ops import return_types as return_types

def crc32(data: Any, value: Any | _complex = ...) -> Any: ...
