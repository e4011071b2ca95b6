"""One function, several kinds of inputs: which kernel a type leads to.

A kernel for images is written for plain tensors and serves images and videos too; one for boxes or points gets their format and canvas
as arguments. What comes back is dressed as what went in.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable
from typing import Any

import PIL.Image

from taeda import Tensor
from taeda.vision import tv_tensors

__all__ = ["dispatched", "find_kernel", "is_pure_tensor", "kernel", "register_kernel"]

Kernel = Callable[..., Any]
KERNELS: dict[Kernel, dict[type, Kernel]] = {}
_OURS = (tv_tensors.Image, tv_tensors.Video, tv_tensors.Mask, tv_tensors.BoundingBoxes, tv_tensors.KeyPoints)


def is_pure_tensor(x: Any) -> bool:
    """Say whether `x` is a tensor that tells no kind.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> from taeda.vision.tv_tensors import Image
    >>> F.is_pure_tensor(taeda.zeros(3, 4, 5)), F.is_pure_tensor(Image(taeda.zeros(3, 4, 5)))
    (True, False)
    """
    return isinstance(x, Tensor) and not isinstance(x, tv_tensors.TVTensor)


def dispatched(function: Kernel) -> Kernel:
    """Make a function choose its kernel by the type of its first argument; the body is not used."""

    @functools.wraps(function)
    def choose(*args: Any, **kwargs: Any) -> Any:
        x = args[0] if args else next(iter(kwargs.values()))
        return find_kernel(choose, type(x))(*args, **kwargs)

    KERNELS[choose] = {}
    return choose


def find_kernel(function: Kernel, kind: type, allow_passthrough: bool = False) -> Kernel:
    """Return the kernel of a type.

    Raises:
        TypeError: there is none, and the type may not pass through.
    """
    known = KERNELS.get(function)
    if known is None:
        raise ValueError(f"[v2.functional] No kernel registered for functional {getattr(function, '__name__', function)}.")
    for base in kind.__mro__:
        if base in known:
            return known[base]
        if base is tv_tensors.TVTensor:     # a tv_tensor is never taken for a plain tensor
            break
    if issubclass(kind, PIL.Image.Image) and PIL.Image.Image in known:
        return known[PIL.Image.Image]
    if allow_passthrough:
        return _same
    raise TypeError(
        f"[{function.__name__}] Functional F.{function.__name__} supports inputs of type "
        f"{[k.__name__ for k in known]}, but got {kind.__name__} instead."
    )


def _same(x: Any, *args: Any, **kwargs: Any) -> Any:
    return x


def kernel(function: Kernel, *kinds: type, bare: bool = False) -> Callable[[Kernel], Kernel]:
    """Register the decorated kernel for these types; see the module. A bare one takes and returns things as they are."""

    def register(implementation: Kernel) -> Kernel:
        for kind in kinds:
            KERNELS[function][kind] = implementation if bare else _adapted(implementation, kind)
        return implementation

    return register


def _adapted(implementation: Kernel, kind: type) -> Kernel:
    """Return what unwraps a kind for its kernel and dresses the result; other types need none."""
    if issubclass(kind, tv_tensors.BoundingBoxes):
        return _with_attributes(implementation, ("format", "canvas_size", "clamping_mode"))
    if issubclass(kind, tv_tensors.KeyPoints):
        return _with_attributes(implementation, ("canvas_size",))
    return _for_pixels(implementation) if issubclass(kind, tv_tensors.TVTensor) else implementation


def _for_pixels(implementation: Kernel) -> Kernel:
    """Call a kernel with a plain tensor; each tensor of its result becomes of the input's kind."""

    def call(x: Any, *args: Any, **kwargs: Any) -> Any:
        out = implementation(x.as_subclass(Tensor), *args, **kwargs)
        if isinstance(out, tuple):
            return tuple(tv_tensors.wrap(part, like=x) for part in out)
        return tv_tensors.wrap(out, like=x) if isinstance(out, Tensor) else out

    return call


def _with_attributes(implementation: Kernel, attributes: tuple[str, ...]) -> Kernel:
    """Call a kernel with a plain tensor and those attributes of the input that it asks for.

    Keywords that it does not know are left out: boxes need no fill. A kernel that returns a pair gives the canvas of its result.
    """
    known = list(inspect.signature(implementation).parameters)[1:]
    by_position = [name for name in known if name not in attributes]

    def call(x: Any, *args: Any, **kwargs: Any) -> Any:
        given = dict(zip(by_position, args, strict=False)) | kwargs | {name: getattr(x, name) for name in attributes}
        out = implementation(x.as_subclass(Tensor), **{name: value for name, value in given.items() if name in known})
        if isinstance(out, tuple):
            return tv_tensors.wrap(out[0], like=x, canvas_size=out[1])
        return tv_tensors.wrap(out, like=x)

    return call


def register_kernel(functional: Kernel | str, tv_tensor_cls: type) -> Callable[[Kernel], Kernel]:
    """Register the decorated function as the kernel of a functional for your own class of tv_tensors.

    Raises:
        ValueError: the class is no tv_tensor, or there is no such functional, or it has that kernel already.

    >>> import taeda
    >>> from taeda.vision.transforms.v2 import functional as F
    >>> from taeda.vision.tv_tensors import TVTensor
    >>> class Depth(TVTensor):
    ...     pass
    >>> @F.register_kernel("horizontal_flip", Depth)
    ... def flipped(depth):
    ...     return depth.flip(-1)
    >>> F.horizontal_flip(taeda.tensor([1.0, 2.0]).as_subclass(Depth))
    tensor([2., 1.])
    """
    if isinstance(functional, str):
        package = importlib.import_module(__package__)      # it has the second names, such as hflip, too
        if not hasattr(package, functional):
            raise ValueError(f"[register_kernel] Could not find functional with name '{functional}'.")
        functional = getattr(package, functional)
    if functional not in KERNELS:
        raise ValueError("[register_kernel] Kernels can only be registered on functionals of transforms.v2.functional")
    if not (isinstance(tv_tensor_cls, type) and issubclass(tv_tensor_cls, tv_tensors.TVTensor)):
        raise ValueError(f"[register_kernel] Kernels can only be registered for subclasses of tv_tensors.TVTensor, got {tv_tensor_cls}")
    if tv_tensor_cls in _OURS or tv_tensor_cls in KERNELS[functional]:
        raise ValueError(f"[register_kernel] There is a kernel for {tv_tensor_cls.__name__} already")

    def register(implementation: Kernel) -> Kernel:
        KERNELS[functional][tv_tensor_cls] = implementation
        return implementation

    return register
