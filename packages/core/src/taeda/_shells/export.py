"""The names of ``torch.export`` that libraries import: programs are not traced, so that none is ever exported."""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["ExportedProgram", "export", "load", "save"]


class ExportedProgram:
    """What ``torch.export`` makes of a model; nothing is one."""


def _refuses(name: str) -> Any:
    def function(*args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(f"[export.{name}] models are not traced; keep one with taeda.save(model.state_dict(), path)")

    function.__name__ = function.__qualname__ = name
    function.__doc__ = "Raise NotImplementedError: models are not traced."
    return function


export, load, save = _refuses("export"), _refuses("load"), _refuses("save")
