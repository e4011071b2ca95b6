# Made by tools/make_stubs.py.
from builtins import bool as _bool, complex as _complex, float as _float, int as _int
from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload

from taeda.ops import return_types as return_types

uint8: dtype
int8: dtype
int16: dtype
int32: dtype
int64: dtype
float16: dtype
float32: dtype
float64: dtype
complex32: dtype
complex64: dtype
complex128: dtype
bool_: dtype
bfloat16: dtype
uint16: dtype
uint32: dtype
uint64: dtype
float8_e4m3fn: dtype
float8_e5m2: dtype
float8_e4m3fnuz: dtype
float8_e5m2fnuz: dtype
float8_e8m0fnu: dtype
ALIASES: dict[str, dtype]
NAMES: dict[str, dtype]
UNHELD: dict[str, dtype]
LEGACY_NAMES: dict[str, dtype]
class Limits:
    ...
def _by_name(name: Any) -> Any: ...
def can_cast(from_: Any, to: Any) -> Any: ...
class dtype:
    def __getattr__(self, name: str) -> Any: ...
    def __setattr__(self, name: str, value: Any) -> None: ...
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
class finfo:
    def __getattr__(self, name: str) -> Any: ...
    def __setattr__(self, name: str, value: Any) -> None: ...
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
def get_default_dtype() -> Any: ...
class iinfo:
    def __getattr__(self, name: str) -> Any: ...
    def __setattr__(self, name: str, value: Any) -> None: ...
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
def promote_types(type1: Any, type2: Any) -> Any: ...
def set_default_dtype(d: Any) -> Any: ...
