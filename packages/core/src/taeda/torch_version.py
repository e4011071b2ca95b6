"""Versions as text that compares by its numbers: ``"2.13.0" > "2.5"``, which plain strings would deny."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["TorchVersion"]

_FORM = re.compile(
    r"v?(?P<release>\d+(?:\.\d+)*)[-_.]?(?:(?P<kind>a|b|c|rc|alpha|beta|pre|preview)[-_.]?(?P<pre>\d*))?"
    r"(?:[-_.]?(?:post|rev|r)[-_.]?(?P<post>\d*))?(?:[-_.]?dev[-_.]?(?P<dev>\d*))?(?:\+(?P<local>[a-z0-9._-]+))?",
    re.IGNORECASE,
)
_KINDS = {"a": 0, "alpha": 0, "b": 1, "beta": 1, "c": 2, "rc": 2, "pre": 2, "preview": 2}
_LAST = (9,)


def _key(version: str) -> Any:
    """What a version is sorted by (PEP 440: development, pre-release, release, post-release); None for text of another form."""
    found = _FORM.fullmatch(version.strip())
    if found is None:
        return None
    release = [int(part) for part in found["release"].split(".")]
    while release and release[-1] == 0:
        release.pop()
    kind, post, dev = found["kind"], found["post"], found["dev"]
    if kind is not None:
        pre: tuple[int, ...] = (_KINDS[kind.lower()], int(found["pre"] or 0))
    else:
        pre = (-1,) if dev is not None and post is None else _LAST
    local = [(1, int(part), "") if part.isdigit() else (0, 0, part.lower()) for part in re.split("[-_.]", found["local"] or "") if part]
    return release, pre, -1 if post is None else int(post or 0), _LAST if dev is None else (0, int(dev or 0)), local


class TorchVersion(str):
    """A version, compared with versions, with their text, and with tuples of numbers.

    >>> from taeda.torch_version import TorchVersion
    >>> version = TorchVersion("2.13.0")
    >>> version > "2.5", version >= (2, 13), version == "2.13", version < "3.0.dev1"
    (True, True, True, True)
    """

    __slots__ = ()

    def _keys(self, other: Any) -> tuple[Any, Any]:
        if not isinstance(other, str):
            other = ".".join(map(str, other)) if hasattr(other, "__iter__") else str(other)
        mine, theirs = _key(str(self)), _key(other)
        return (str(self), str(other)) if mine is None or theirs is None else (mine, theirs)

    def __eq__(self, other: object) -> bool:
        mine, theirs = self._keys(other)
        return bool(mine == theirs)

    def __lt__(self, other: Any) -> bool:
        mine, theirs = self._keys(other)
        return bool(mine < theirs)

    def __le__(self, other: Any) -> bool:
        mine, theirs = self._keys(other)
        return bool(mine <= theirs)

    def __gt__(self, other: Any) -> bool:
        mine, theirs = self._keys(other)
        return bool(mine > theirs)

    def __ge__(self, other: Any) -> bool:
        mine, theirs = self._keys(other)
        return bool(mine >= theirs)

    __hash__ = str.__hash__
