"""Under PyTorch's name, the classes of the add-ons and of ``distributions`` say that they are of PyTorch's modules.

Programs print ``type(layer)``, and tell layers by ``type(m).__module__.startswith("torch.nn")``.  A module's classes are renamed once it is
loaded; what is loaded before ``as_torch.install`` is renamed there.  The place is found under its name, so that classes pickle by it.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import ModuleType

from taeda._borrowed import lend

__all__ = ["has_places", "rename", "rename_when_loaded"]

_ROOMS = {
    "taeda.nn": "torch.nn", "taeda.optim": "torch.optim", "taeda.data": "torch.utils.data", "taeda.vision": "torchvision",
    "taeda.distributions": "torch.distributions",
}  # fmt: skip

# files that PyTorch does not have: where it has what is in them
_FILES = {
    "torch.nn.modules._state": "torch.nn.modules.module",
    "torch.nn.modules.attention": "torch.nn.modules.activation",
    "torch.nn.modules.loss_regression": "torch.nn.modules.loss",
    "torch.nn.modules.parameter_containers": "torch.nn.modules.container",
    "torch.nn.modules.sampling": "torch.nn.modules.pooling",
    "torch.nn.utils.pruning_methods": "torch.nn.utils.prune",
    "torch.optim.averaged_model": "torch.optim.swa_utils",
    "torch.optim.lr_scheduler.base": "torch.optim.lr_scheduler",
    "torch.optim.lr_scheduler.combined": "torch.optim.lr_scheduler",
    "torch.optim.lr_scheduler.cycle": "torch.optim.lr_scheduler",
    "torch.optim.lr_scheduler.decay": "torch.optim.lr_scheduler",
    "torch.optim.lr_scheduler.plateau": "torch.optim.lr_scheduler",
    "torch.distributions.transform": "torch.distributions.transforms",
    "torchvision.transforms.container": "torchvision.transforms.transforms",
    "torchvision.transforms.policies": "torchvision.transforms.autoaugment",
    "torchvision.transforms.randomized": "torchvision.transforms.transforms",
    "torchvision.transforms.warped": "torchvision.transforms.transforms",
}

# classes that share a file with others here
_CLASSES = {
    **dict.fromkeys(("InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"), "torch.nn.modules.instancenorm"),
    **dict.fromkeys(("PixelShuffle", "PixelUnshuffle"), "torch.nn.modules.pixelshuffle"),
    "ChannelShuffle": "torch.nn.modules.channelshuffle",
}


def _room_of(name: str) -> str:
    return name if name in _ROOMS else next((room for room in _ROOMS if name.startswith(room + ".")), "")


def has_places(name: str) -> bool:
    """Whether the classes of the module of this name go by PyTorch's module."""
    return bool(_room_of(name))


def rename(module: ModuleType) -> None:
    """Give the classes that the module defines the module's name under PyTorch's, and let that name be found."""
    room = _room_of(module.__name__)
    named = _ROOMS[room] + module.__name__[len(room):]
    for cls in [c for c in vars(module).values() if isinstance(c, type) and c.__module__ == module.__name__]:
        place = _CLASSES.get(cls.__name__, named) if room == "taeda.nn" else named
        cls.__module__ = _FILES.get(place, place)
        sys.modules.setdefault(named, module)
    for part in [part for part in vars(module).values() if isinstance(part, ModuleType) and "_stands_for" in vars(part)]:
        place = f"{named}.{part.__name__.rpartition('.')[2]}"          # a file of PyTorch's
        for cls in part._stands_for:
            cls.__module__ = place
        sys.modules.setdefault(place, part)


def rename_when_loaded(spec: ModuleSpec) -> None:
    """Let a module's classes be renamed as soon as its code has run."""
    loader = spec.loader
    if isinstance(loader, SourceFileLoader):
        run = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            run(module)
            if has_places(module.__name__):
                rename(module)
            lend(module)

        loader.exec_module = exec_module  # type: ignore[method-assign]
