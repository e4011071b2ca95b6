"""PyTorch's room for what processes do together; of it there is what one process does alone."""
