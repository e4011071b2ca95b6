"""What a worker process knows of itself, by PyTorch's path."""

from taeda.data.info import WorkerInfo, get_worker_info

__all__ = ["WorkerInfo", "get_worker_info"]

_worker_info = None  # PyTorch's place for it, which programs clear; ours is taeda.data.info
