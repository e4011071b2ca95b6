"""PyTorch's room for architectures' optimisation, of which ``quantization`` has what models in floating point carry."""
