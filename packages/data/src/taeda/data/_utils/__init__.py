"""PyTorch's place for what its loader is made of: programs take ``_utils.collate`` and its neighbours from here."""

from taeda.data._utils import collate, fetch, pin_memory, worker

__all__ = ["collate", "fetch", "pin_memory", "worker"]
