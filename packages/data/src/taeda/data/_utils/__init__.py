"""PyTorch's place for what its loader is made of: programs take ``_utils.collate`` and ``_utils.worker`` from here."""

from taeda.data._utils import collate, worker

__all__ = ["collate", "worker"]
