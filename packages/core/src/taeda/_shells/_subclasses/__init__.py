"""PyTorch's room of tensors without data that its compiler computes with."""
