"""device objects, and the errors where there is no such device."""

from __future__ import annotations

from _thread import _local
from collections.abc import Callable
from functools import wraps
from typing import Any

from taeda import _above

CODES = {"cpu": 0, "meta": 1, "cuda": 2}
# PyTorch's names of what may be somewhere: programs compare with them (``device == torch.device("mps")``); no tensor lives there
ABSENT = (
    "ipu", "xpu", "mkldnn", "opengl", "opencl", "ideep", "hip", "ve", "fpga", "maia", "xla", "lazy", "vulkan", "mps", "hpu", "mtia",
    "privateuseone",
)  # fmt: skip
TYPES = (*CODES, *ABSENT)
_KNOWN: dict[Any, device] = {}           # those that were asked for by a text, or by one and a number: a device never changes
_DTYPES = ("float16", "float32", "float64", "bfloat16", "float", "double", "half", "int", "long", "int32", "int64", "bool")


class device:
    """Where a tensor's memory is: ``device("cpu")``, ``device("cuda", 0)``, ``device("cuda:0")``, ``device("meta")``.

    ``device("mps")`` and other devices that PyTorch knows can be named and compared; making a tensor there raises NotImplementedError.
    Raises RuntimeError for an unknown type, or a malformed or negative index.

    >>> import taeda
    >>> taeda.device("cuda:1")
    device(type='cuda', index=1)
    """

    __slots__ = ("index", "type")
    type: str
    index: int | None

    def __new__(cls, type: Any, index: Any = None) -> device:
        """Return the device of a name such as "cpu" or "cuda:1", of a name and an index, or of a GPU's number."""
        asked = None
        if type.__class__ is str and (index is None or index.__class__ is int):
            asked = type if index is None else (type, index)
            if asked in _KNOWN:
                return _KNOWN[asked]
        if isinstance(type, device):
            return type
        if not isinstance(type, str) or not (index is None or isinstance(index, int)):
            over = _above.overloaded_args((type, index))             # fx's proxies
            if over:
                args = (type,) if index is None else (type, index)
                found: device = over[0].__torch_function__(device, tuple([x.__class__ for x in over]), args, {})
                return found
        if isinstance(type, int) and not isinstance(type, bool):
            type, index = "cuda", type
        if not isinstance(type, str):
            raise TypeError(f"[device] type must be a str, a device or an int, got {type!r}")
        name, colon, number = type.partition(":")
        if colon:
            if index is not None:
                raise RuntimeError(f"[device] type must not hold an index when index is given: {type!r}, {index}")
            if not number.isdecimal() or (len(number) > 1 and number[0] == "0"):
                raise RuntimeError(f"[device] invalid device string: {type!r}; expected e.g. 'cuda:0'")
            index = int(number)
        if name not in TYPES:
            hint = f"; to get that dtype pass taeda.{type}" if type in _DTYPES else ""
            # array_api_compat reads the types out of this text
            raise RuntimeError(f"[device] Expected one of {', '.join(TYPES)} device type at start of device string: {type}{hint}")
        if index is not None and (index < 0 or index > 127):
            raise RuntimeError(f"[device] device index must be between 0 and 127, got {index}")
        self = object.__new__(cls)
        object.__setattr__(self, "type", name)
        object.__setattr__(self, "index", index)
        if asked is not None:
            _KNOWN[asked] = self
        return self

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"[device] {name} of a device cannot be changed; make a new device")

    def __repr__(self) -> str:
        return f"device(type={self.type!r})" if self.index is None else f"device(type={self.type!r}, index={self.index})"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, device) and (self.type, self.index) == (other.type, other.index))

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __reduce__(self) -> tuple[Any, ...]:
        return device, (self.type, self.index)

    # -- the device of what is made without one: a stack per thread ----------------------------------

    def __enter__(self) -> device:
        if not hasattr(_current, "stack"):
            _current.stack = []
        _current.stack.append(self)
        DEFAULTS.append(None)
        return self

    def __exit__(self, *error: object) -> None:
        _current.stack.pop()
        DEFAULTS.pop()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Decorate a function: what it makes without naming a device is made here."""

        @wraps(function)
        def within(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return within


CPU = device("cpu")
META = device("meta")
DEFAULTS: list[None] = []  # as long as all threads' stacks together: empty almost always, and quick to test
_current = _local()


def get_default_device() -> device:
    """Return the device of tensors made without one: the innermost ``with device(...)``, else what was set, else cpu.

    >>> import taeda
    >>> taeda.get_default_device()
    device(type='cpu')
    """
    stack = getattr(_current, "stack", None)
    if stack:
        found: device = stack[-1]
        return found
    base: device | None = getattr(_current, "base", None)
    return CPU if base is None else base


def set_default_device(device: Any) -> None:
    """Make new tensors of this thread on ``device`` where none is named; None for cpu again.

    Raises RuntimeError for what is no device, and on the first tensor made if it is not available.

    >>> import taeda
    >>> taeda.set_default_device("meta")
    >>> taeda.zeros(2).device
    device(type='meta')
    >>> taeda.set_default_device(None)
    """
    base = None if device is None else as_device(device)
    had = getattr(_current, "base", None) is not None
    _current.base = base
    if base is not None and not had:
        DEFAULTS.append(None)
    elif base is None and had:
        DEFAULTS.pop()


def as_device(d: Any) -> device:
    """Return ``d``, a device, a string or a number, as a device."""
    return d if isinstance(d, device) else device(d)


def default_code() -> int:
    """Return the device code of tensors made without a device."""
    return code_of(get_default_device(), "device")


def no_cuda(op: str) -> RuntimeError:
    """Build the error for a use of CUDA where there is none."""
    return RuntimeError(
        f"[{op}] no CUDA device is available (Torch not compiled with CUDA enabled): this build of taeda has no GPU backend yet; "
        "use device='cpu', or test taeda.cuda.is_available() first"
    )


def code_of(d: Any, op: str) -> int:
    """Return the device code of a device, a string or None (cpu)."""
    if d is None:
        return 0
    name = (d if isinstance(d, device) else device(d)).type
    code = CODES.get(name)
    if code is None:
        raise NotImplementedError(f"[{op}] there is no {name} device: tensors are on cpu or meta; ask whether one is available first")
    if code == 2:
        raise no_cuda(op)
    return code
