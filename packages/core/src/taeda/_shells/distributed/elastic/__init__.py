"""PyTorch's launcher of processes, of which ``multiprocessing.errors`` has what programs import; nothing is launched."""
