"""Logs for TensorBoard: `SummaryWriter` writes scalars, images, histograms, texts, graphs and more to event files.

The package ``tensorboard`` (which needs no other framework) gives the format; it is imported here, not with taeda.
"""

from __future__ import annotations

try:
    import tensorboard
except ImportError as error:
    raise ModuleNotFoundError("[tensorboard] SummaryWriter needs the package tensorboard; pip install tensorboard") from error

from taeda.utils.tensorboard.writer import FileWriter, SummaryWriter

__all__ = ["FileWriter", "SummaryWriter"]
del tensorboard
