"""Queues of processes, where PyTorch has its own: Python's, which send tensors by their shared memory."""

from multiprocessing.connection import Connection as ConnectionWrapper
from multiprocessing.queues import Queue, SimpleQueue

__all__ = ["ConnectionWrapper", "Queue", "SimpleQueue"]
