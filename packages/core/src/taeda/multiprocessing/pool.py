"""A pool of processes, where PyTorch has its own: Python's, which sends tensors by their shared memory."""

from multiprocessing.pool import Pool

__all__ = ["Pool"]
