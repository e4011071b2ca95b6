"""Methods by which array libraries deal with a tensor without knowing taeda: those of the Python array API standard."""

from __future__ import annotations

from importlib import import_module

__all__: list = []

VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12")


def __array_namespace__(self, *, api_version=None):
    """Return ``taeda.array_api``, a namespace that conforms to the Python array API standard.

    ValueError for a version of the standard that it does not know.

    >>> import taeda
    >>> taeda.ones(2).__array_namespace__().__array_api_version__
    '2024.12'
    """
    if api_version is not None and api_version not in VERSIONS:
        raise ValueError(f"[__array_namespace__] version {api_version!r} of the array API standard is not supported; "
                         f"{', '.join(VERSIONS)} are")
    return import_module("taeda.array_api")                  # which nothing here calls


def to_device(self, device, /, *, stream=None):
    """Return the tensor on a device; itself if it is there.  CPU tensors know no streams: ValueError for one."""
    if stream is not None:
        raise ValueError(f"[to_device] stream must be None for a tensor on {self.device}, got {stream!r}")
    return self.to(device)


METHODS = {"__array_namespace__": __array_namespace__, "to_device": to_device}
