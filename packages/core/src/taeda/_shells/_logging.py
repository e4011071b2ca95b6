"""The names of ``torch._logging``, by which programs ask the compiler what it does: it does nothing, and says nothing."""

from __future__ import annotations

import logging
from typing import Any

__all__ = ["getArtifactLogger", "set_logs"]


def set_logs(**levels: Any) -> None:
    """Do nothing: there is no compiler whose steps are logged."""


def getArtifactLogger(module_qname: str, artifact_name: str) -> logging.Logger:
    """Return the logger of an artifact of a module."""
    return logging.getLogger(f"{module_qname}.__{artifact_name}")
