"""A backend for einops, so that ``einops.rearrange`` and its kin take taeda's tensors.

einops asks the subclasses of its AbstractBackend whose a tensor is.  Ours can only be made once einops is there, which taeda never
imports: a finder on ``sys.meta_path`` waits for it.
"""

from __future__ import annotations

import sys
from typing import Any

WATCHED = "einops._backends"
_made: list[type] = []                   # __subclasses__() holds classes weakly


def watch() -> None:
    """Register the backend now if einops is loaded, else when it is."""
    if WATCHED in sys.modules:
        register(sys.modules[WATCHED])
    else:
        sys.meta_path.insert(0, Finder)


class Finder:
    """Finds einops's backends through the other finders, with a loader that registers ours; then it is gone."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> Any:
        """Return the module's spec, or None for every module but the awaited one."""
        if name != WATCHED:
            return None
        from importlib.util import find_spec

        sys.meta_path.remove(Finder)
        spec = find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = Loader(spec.loader)  # type: ignore[assignment]
        return spec


class Loader:
    """The module's own loader, followed by the registration."""

    def __init__(self, loader: Any) -> None:
        self.loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)

    def exec_module(self, module: Any) -> None:
        """Run the module, then register."""
        self.loader.exec_module(module)
        register(module)


def register(backends: Any) -> None:
    """Make the subclass of einops's AbstractBackend."""
    import taeda

    class TaedaBackend(backends.AbstractBackend):
        """What einops does with a tensor, by taeda's names."""

        framework_name = "taeda"

        def is_appropriate_type(self, tensor: Any) -> bool:
            return isinstance(tensor, taeda.Tensor)

        def from_numpy(self, x: Any) -> Any:
            t = taeda.from_numpy(x)
            return t.requires_grad_() if t.is_floating_point() else t

        def to_numpy(self, x: Any) -> Any:
            return x.detach().cpu().numpy()

        def arange(self, start: int, stop: int) -> Any:
            return taeda.arange(start, stop, dtype=taeda.int64)

        def reduce(self, x: Any, operation: str, axes: Any) -> Any:
            if operation in ("min", "max"):
                return getattr(x, f"a{operation}")(dim=axes)
            if operation in ("sum", "mean"):
                return getattr(x, operation)(dim=axes)
            for d in sorted(axes, reverse=True):
                x = getattr(x, operation)(dim=d)
            return x

        def transpose(self, x: Any, axes: Any) -> Any:
            return x.permute(axes)

        def stack_on_zeroth_dimension(self, tensors: list[Any]) -> Any:
            return taeda.stack(tensors)

        def add_axis(self, x: Any, new_position: int) -> Any:
            return x.unsqueeze(new_position)

        def add_axes(self, x: Any, n_axes: int, pos2len: dict[int, int]) -> Any:
            sizes = [-1] * n_axes
            for position, length in pos2len.items():
                x, sizes[position] = x.unsqueeze(position), length
            return x.expand(sizes)

        def tile(self, x: Any, repeats: Any) -> Any:
            return x.repeat(repeats)

        def concat(self, tensors: list[Any], axis: int) -> Any:
            return taeda.cat(tensors, axis)

        def is_float_type(self, x: Any) -> bool:
            return x.is_floating_point()

        def einsum(self, pattern: str, *x: Any) -> Any:
            return taeda.einsum(pattern, *x)

    _made.append(TaedaBackend)
