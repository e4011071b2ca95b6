"""The version, and what this build lacks, under PyTorch's names."""

from __future__ import annotations

from taeda._version import __version__ as __version__

debug: bool = False
cuda: str | None = None
hip: str | None = None
xpu: str | None = None
git_version: str = "Unknown"
