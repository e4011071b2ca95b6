"""The options of ``taeda.save`` and ``taeda.load`` under PyTorch's names: ``config`` alone."""

from taeda.utils.serialization import config

__all__ = ["config"]
