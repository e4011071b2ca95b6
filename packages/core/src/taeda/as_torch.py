"""Run programs that import ``torch``: after :func:`install`, the name is taeda's.

``import torch`` gives the module ``taeda``, ``torch.nn.functional`` is ``taeda.nn.functional``, ``torchvision`` is ``taeda.vision``, and
``functorch`` is ``taeda.functorch``: the very same modules, so that a class is one class under both names.  ``python -m taeda program.py``
does it for a program that stays as it is; ``python -m taeda -m package.module ...`` for a module.

What asks for a version is told the version of PyTorch whose names and behaviour taeda follows (:data:`TORCH`), both by
``torch.__version__`` and by ``importlib.metadata``.  In text, dtypes, sizes and types go by PyTorch's name: ``torch.float32``,
``torch.Size([2])``, ``'torch.FloatTensor'``, ``<class 'torch.Tensor'>``.

A module that taeda does not have raises ModuleNotFoundError, also where PyTorch is installed: two libraries in one program, unnoticed,
would be worse.  Processes that ``multiprocessing`` starts have it too, forked or spawned.
"""

from __future__ import annotations

import email.message
import importlib
import importlib.abc
import importlib.machinery
import importlib.metadata
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

from taeda import _spoken
from taeda._borrowed import borrows, lend
from taeda._class_places import has_places, rename, rename_when_loaded
from taeda._separate import asked_by_import, what_to_install
from taeda.ops import return_types
from taeda.tensor_base import republish
from taeda.torch_version import TorchVersion

__all__ = ["TORCH", "TORCHVISION", "install"]

TORCH = "2.13.0"
TORCHVISION = "0.28.0"
_ROOTS = {"torch": "taeda", "torchvision": "taeda.vision", "functorch": "taeda.functorch"}
_ANYTHING = importlib.metadata.DistributionFinder.Context()
_attributes: Any = vars(ModuleType)["__dict__"].__get__  # a module's own, whatever its class says
_VERSIONS = {"torch": TORCH, "torchvision": TORCHVISION, "functorch": TORCH}


def install(vision: bool = True) -> ModuleType:
    """Make ``torch`` a name of taeda for all imports from here on, and return what ``import torch`` gives.

    Args:
        vision: whether ``torchvision`` is ``taeda.vision``; False leaves that name to whatever is installed.

    Raises:
        ImportError: PyTorch itself is loaded already.

    A second call changes nothing.

    >>> import subprocess, sys
    >>> program = "import torch; print(torch.ones(2).dtype, torch.ones(2).shape, torch.__version__)"
    >>> ran = subprocess.run([sys.executable, "-c", f"import taeda.as_torch as a; a.install(); {program}"], capture_output=True, text=True)
    >>> print(ran.stdout, end="")
    torch.float32 torch.Size([2]) 2.13.0
    """
    roots = {root: name for root, name in _ROOTS.items() if vision or root != "torchvision"}
    for root in roots:
        if root in sys.modules and not isinstance(sys.modules[root], Alias):
            raise ImportError(f"[as_torch.install] {root} itself is loaded already; install before anything imports it", name=root)
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, Finder(roots))
        _tell_spawned_processes(vision)
    _spoken.name = "torch"
    republish("torch")                                  # libraries for several frameworks tell by the class's module whose tensor they met
    return_types.republish("torch")
    if "taeda.nn.parameter" in sys.modules:
        sys.modules["taeda.nn.parameter"].republish("torch")
    for name, module in list(sys.modules.items()):
        if has_places(name):
            rename(module)
        if borrows(name):
            lend(module)
    return importlib.import_module("torch")


class _Installed:
    """Rides in what a spawned process reads first: unpickled, it installs the names there, before the main module is imported."""

    def __init__(self, vision: bool) -> None:
        self.vision = vision

    def __reduce__(self) -> tuple[Any, ...]:
        return _install_again, (self.vision,)


def _install_again(vision: bool) -> None:
    install(vision)


def _tell_spawned_processes(vision: bool) -> None:
    """Let ``multiprocessing`` hand the names on: a spawned process imports the program's ``torch`` before it unpickles anything else.

    The server that forks processes, which asks under the name "ignore", imports the program before it could be told (from Python 3.14
    on): it is not told where the program is, and each process imports it, as those of Python 3.13 do.
    """
    from multiprocessing import spawn

    told = spawn.get_preparation_data

    def get_preparation_data(name: str) -> dict[str, Any]:
        data = {**told(name), __name__: _Installed(vision)}
        if name == "ignore":
            data.pop("init_main_from_path", None)
        return data

    spawn.get_preparation_data = get_preparation_data


def _register_loaded(name: str, theirs: str) -> None:
    """Let ``sys.modules`` have what is loaded of a package under its other name: programs look ``torch.nn.modules.loss`` up there."""
    if name.rpartition(".")[2] == theirs.rpartition(".")[2]:
        sys.modules.setdefault(name, sys.modules.get(theirs) or importlib.import_module(theirs))
    inside = theirs + "."
    for key, module in list(sys.modules.items()):
        if key.startswith(inside) and "._" not in key:
            sys.modules.setdefault(f"{name}.{key[len(inside):]}", module)


class Alias(ModuleType):
    """A package under another name: it has that package's attributes and its own version.

    What is read once is kept in the alias's own dict, where the interpreter finds it at once: by way of the package each
    ``torch.ones`` would cost 0.8 us.  Whoever writes to the alias or to the package makes it be looked for anew.
    """

    def __init__(self, name: str, target: ModuleType) -> None:
        super().__init__(name, target.__doc__)
        own = {"_target": target, "__version__": TorchVersion(_VERSIONS[name]), "__path__": [], name: self,     # torch.torch
               "__getattr__": self._found}
        _attributes(self).update(own)
        _attributes(target)["_alias"] = self
        target.__class__ = Target

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        """What ``vars(torch)`` and ``torch.__dict__["float32"]`` look into: the package's names."""
        return vars(self._target)

    def _found(self, name: str) -> Any:
        """Return the package's attribute, and keep it unless it is one that the package makes anew each time."""
        value = getattr(self._target, name)
        if name in _attributes(self._target) and not name.startswith("__"):
            _attributes(self)[name] = value
            if isinstance(value, ModuleType):
                _register_loaded(f"{self.__name__}.{name}", value.__name__)
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("__"):                                   # what the import system writes is the alias's own
            super().__setattr__(name, value)
        else:
            setattr(self._target, name, value)

    def __delattr__(self, name: str) -> None:
        if name.startswith("__"):
            super().__delattr__(name)
        else:
            delattr(self._target, name)

    def __dir__(self) -> list[str]:
        return dir(self._target)

    def __eq__(self, other: object) -> bool:
        """The package and its aliases are equal, so that a dict keyed by modules finds one by the other."""
        return self._target is (_attributes(other).get("_target") if isinstance(other, Alias) else other)

    def __hash__(self) -> int:
        return hash(self._target)


class Target(ModuleType):
    """A package that has an alias."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        _attributes(self._alias).pop(name, None)

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        _attributes(self._alias).pop(name, None)


class Finder(importlib.metadata.DistributionFinder):
    """Finds modules of the aliased packages, and says that these are installed."""

    def __init__(self, roots: dict[str, str]) -> None:
        self.roots = roots

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> Any:
        """Return a spec whose module is taeda's; None for what is not ours, or not there."""
        root, _, rest = name.partition(".")
        if root not in self.roots:
            return _renaming(name, path, target) if has_places(name) or borrows(name) else None
        theirs = ".".join(filter(None, (self.roots[root], rest)))
        if not _there(theirs):
            package = "vision" if root == "torchvision" else rest.partition(".")[0]
            if package in ("nn", "optim", "vision") and not _there(f"taeda.{package}") and asked_by_import():
                raise ModuleNotFoundError(f"{name}: {what_to_install(package)}", name=f"taeda.{package}")
            return None
        return importlib.machinery.ModuleSpec(name, Loader(theirs), is_package=True)

    def find_distributions(self, context: Any = _ANYTHING) -> Iterator[importlib.metadata.Distribution]:
        """Yield what stands for an installed torch, and an installed torchvision."""
        for root in self.roots:
            if context.name in (None, root) and root != "functorch":            # a part of PyTorch's distribution
                yield Installed(root)


def _renaming(name: str, path: Sequence[str] | None, target: ModuleType | None) -> Any:
    """Return the spec that the other finders have for a module of taeda's, whose classes will say that they are PyTorch's.

    It will also have the names that PyTorch's file has by import.
    """
    for finder in sys.meta_path:
        spec = None if isinstance(finder, Finder) else finder.find_spec(name, path, target)
        if spec is not None:
            rename_when_loaded(spec)
            return spec
    return None


def _there(name: str) -> bool:
    """Whether taeda has a module of that name, be it a file or an object that stands for one."""
    if name in sys.modules:
        return True
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


class Loader(importlib.abc.Loader):
    """Gives the module that is there instead of making one."""

    def __init__(self, theirs: str) -> None:
        self.theirs = theirs

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """Return taeda's module, an Alias of it for a root."""
        module = importlib.import_module(self.theirs)
        self.spec = module.__spec__
        return Alias(spec.name, module) if spec.name in _ROOTS else module

    def exec_module(self, module: ModuleType) -> None:
        """Give the module its own spec back; the import system has written the alias's over it."""
        name = module.__spec__.name if module.__spec__ else self.theirs
        if not isinstance(module, Alias):
            module.__spec__ = self.spec
        if name.count(".") < 2:
            _register_loaded(name, self.theirs)


class Installed(importlib.metadata.Distribution):
    """The metadata of a distribution that is not there: its name and version."""

    def __init__(self, name: str) -> None:
        self.root = name

    @property
    def metadata(self) -> Any:
        """Its name and version."""
        message = email.message.Message()
        message["Name"], message["Version"] = self.root, _VERSIONS[self.root]
        return message

    def read_text(self, filename: str) -> str | None:
        """Return None: there are no files."""
        return None

    def locate_file(self, path: Any) -> Any:
        """Raise FileNotFoundError: there are no files."""
        raise FileNotFoundError(f"[as_torch] {self.root} is taeda here and has no file {path}")
